"""Masked values through the doors that save: what comes back as it was shown changes nothing, stars are refused."""

from datetime import date

import pytest

from models.base.entity import columns_of, editable_columns, fields_of
from models.base.fields import facts_of
from models.base.kinds import Module
from models.base.masks import mask
from models.system.organization import Employee
from models.system.setup import Parameter, ValueKind
from tests.masks import saved_masks, whole_record
from tests.views.kit.conftest import token
from views.kit.forms import form_columns

SAVED = saved_masks()
each_model = pytest.mark.parametrize("model", SAVED, ids=lambda m: m.__tablename__)


@pytest.fixture(scope="module")
def stored(world, house):
    """One record of each entity with masked columns, by entity: id."""
    world.add(
        Parameter(
            code="project.rate_max_pct",
            label="贷款年利率上限",
            value="24",
            value_kind=ValueKind.PERCENT,
            module=Module.GUARANTEE,
            effective_on=date(2000, 1, 1),
        )
    )
    with world.session() as session:
        found = {model: whole_record(session, model, str(no)) for no, model in enumerate(SAVED, 1)}
        ids = {model: record.id for model, record in found.items()}
        session.commit()
    return ids


@pytest.fixture
def sent(boss):
    return {"X-CSRFToken": token(boss, "/department/list/")}


def plain_values(world, model, record_id):
    found = world.get(model, id=record_id)
    return {name: getattr(found, name) for name in SAVED[model]}


@each_model
def test_get_and_put_back_leaves_every_plain_value(boss, sent, world, stored, model):
    url = f"/api/v1/{model.__tablename__}/{stored[model]}"
    read = boss.get(url).get_json()["result"]
    before = plain_values(world, model, stored[model])
    assert all(read[name] == mask(before[name], fields_of(model)[name].mask) for name in before)
    kinds = {name: facts_of(column).kind for name, column in columns_of(model).items()}
    body = {
        name: read[name]
        for name in editable_columns(model)
        if kinds[name] not in {"dictionary", "reference"}
    }
    answer = boss.put(url, json={**body, "version": read["version"]}, headers=sent)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert plain_values(world, model, stored[model]) == before


@each_model
def test_a_changed_mask_is_refused_at_its_field(boss, sent, world, stored, model):
    url = f"/api/v1/{model.__tablename__}/{stored[model]}"
    before, now = (
        plain_values(world, model, stored[model]),
        boss.get(url).get_json()["result"]["version"],
    )
    for name in SAVED[model]:
        for text in ("********", mask(before[name], fields_of(model)[name].mask) + "1"):
            answer = boss.put(url, json={name: text, "version": now}, headers=sent)
            assert answer.status_code == 400, (name, text)
            assert "星号" in answer.get_json()["errors"][name][0]
    assert plain_values(world, model, stored[model]) == before


@each_model
def test_stars_make_no_new_record(boss, sent, stored, model):
    del stored
    for name in SAVED[model]:
        answer = boss.post(f"/api/v1/{model.__tablename__}/", json={name: "****"}, headers=sent)
        assert answer.status_code == 400
        assert "星号" in answer.get_json()["errors"][name][0], name


@each_model
def test_no_form_carries_a_plain_value(boss, world, stored, model):
    page = boss.get(f"/{model.__tablename__}/edit/{stored[model]}").get_data(as_text=True)
    for name, value in plain_values(world, model, stored[model]).items():
        assert name in form_columns(model)
        assert f'name="{name}"' in page
        assert value not in page, name


def test_typing_behind_the_mask_in_the_form_is_refused(boss, world):
    page = boss.get("/employee/edit/1").get_data(as_text=True)
    version = page.split('name="version" value="')[1].split('"')[0]
    fields = {
        "number": "E1",
        "name": "张明远",
        "department_id": "1",
        "is_active": "y",
        "version": version,
    }
    data = {"csrf_token": token(boss, "/employee/edit/1"), **fields, "mobile": "138****56789"}
    answer = boss.post("/employee/edit/1", data=data)
    assert answer.status_code == 400
    assert "手机号码中有星号" in answer.get_data(as_text=True)
    assert world.get(Employee, id=1).mobile == "13812345678"
