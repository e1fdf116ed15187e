"""REST: the same verbs, permissions and messages as the screens, exact values, and never a crash."""

from dataclasses import replace

import pytest
from openapi_spec_validator import validate

from models.system.organization import Department
from tests.views.kit.conftest import permissions, token


@pytest.fixture
def sent(boss):
    """The header that a session needs to write."""
    return {"X-CSRFToken": token(boss, "/department/list/")}


def test_add_show_edit_delete(boss, sent, world):
    made = boss.post("/api/v1/department/", json={"code": "R1", "name": "接口部"}, headers=sent)
    assert made.status_code == 201, made.get_json()
    key = made.get_json()["id"]
    shown = boss.get(f"/api/v1/department/{key}").get_json()["result"]
    assert (shown["name"], shown["version"], shown["rank"]) == (
        "接口部",
        made.get_json()["result"]["version"],
        100,
    )
    seen = shown["version"]
    saved = boss.put(
        f"/api/v1/department/{key}",
        json={"version": seen, "name": "改名", "manager_id": 1},
        headers=sent,
    )
    assert saved.get_json()["result"]["manager_id_label"] == "张明远"
    assert (
        boss.put(
            f"/api/v1/department/{key}", json={"version": seen, "name": "旧"}, headers=sent
        ).status_code
        == 409
    )
    assert boss.delete(f"/api/v1/department/{key}?version={seen}", headers=sent).status_code == 409
    for none in ("", "?version=", "?version=x", "?version=-1"):
        without = boss.delete(f"/api/v1/department/{key}{none}", headers=sent)
        assert (without.status_code, "缺少版本号" in without.get_json()["message"]) == (400, True)
    now = saved.get_json()["result"]["version"]
    assert boss.delete(f"/api/v1/department/{key}?version={now}", headers=sent).status_code == 200
    assert boss.get(f"/api/v1/department/{key}").status_code == 404


def test_a_session_without_token_changes_nothing(boss, world):
    assert (
        boss.post("/api/v1/department/", json={"code": "R2", "name": "无令牌"}).status_code == 400
    )
    assert world.get(Department, code="R2") is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": "R3", "name": "甲", "nothing": 1}, "nothing"),
        ({"code": "R3", "name": "甲", "path": "/9/"}, "path"),
        ({"code": "R3", "name": "甲", "id": 5}, "id"),
        ({"code": "R3"}, "name"),
        ({"code": "R3", "name": "甲", "rank": 10**30}, "rank"),
        ({"code": "R3", "name": "甲", "rank": "abc"}, "rank"),
        ({"code": "R3", "name": "甲", "rank": 1.5}, "rank"),
        ({"code": "R3", "name": "甲", "manager_id": 424242}, "manager_id"),
        ({"code": "R3", "name": ["甲"]}, "name"),
        ({"code": "R3", "name": {"a": 1}}, "name"),
        ({"code": "R3", "name": "甲", "is_active": "maybe"}, "is_active"),
    ],
)
def test_bad_bodies_get_a_message_at_the_field(boss, sent, world, body, field):
    response = boss.post("/api/v1/department/", json=body, headers=sent)
    assert response.status_code == 400
    assert field in response.get_json()["errors"], response.get_json()
    assert world.get(Department, code="R3") is None


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"null", b"{", b'"x"', b"\xff\xfe", b"1" * 6000, b"[" * 5000]
)
def test_bodies_that_are_no_object_are_refused(boss, sent, raw):
    response = boss.post(
        "/api/v1/department/", data=raw, headers=sent, content_type="application/json"
    )
    assert response.status_code == 400
    assert response.get_json()["message"]


def test_a_form_is_no_json(boss, sent):
    assert boss.post("/api/v1/department/", data={"code": "x"}, headers=sent).status_code == 400


def test_a_save_without_version_is_refused_in_chinese(boss, sent):
    response = boss.put("/api/v1/department/1", json={"name": "x"}, headers=sent)
    assert response.status_code == 400
    assert "version" in response.get_json()["errors"]


def test_a_duplicate_is_refused(boss, sent):
    response = boss.post("/api/v1/department/", json={"code": "D1", "name": "重"}, headers=sent)
    assert response.status_code in {400, 409}
    assert response.get_json()["errors"]["code"]


@pytest.mark.parametrize(
    "query",
    [
        "q=((",
        "q=!(",
        "q=[1]",
        "q=(page:x)",
        "q=(page:-1)",
        "q=(nothing:1)",
        "q=(order_column:nothing)",
        "q=(filters:1)",
        "q=(filters:!(1))",
        "q=(filters:!((col:nothing,opr:eq,value:1)))",
        "q=(columns:!(nothing))",
        "q=" + "(" * 3000,
        "page=abc",
        "order=nothing",
        "f=garbage",
        "after=abc",
        "size=100000",
    ],
)
def test_strange_questions_are_refused(boss, query):
    response = boss.get(f"/api/v1/department/?{query}")
    assert response.status_code == 400, response.get_json()
    assert response.get_json()["message"]


def test_questions_in_both_dialects(boss):
    ours = boss.get("/api/v1/department/?f=code:eq:D1&order=-code&size=5").get_json()
    theirs = boss.get(
        "/api/v1/department/?q=(filters:!((col:code,opr:eq,value:D1)),order_column:code,order_direction:desc,page_size:5,page:0)"
    ).get_json()
    assert ours == theirs
    assert ours["ids"] == [1]


def test_keyset_paging(boss):
    first = boss.get("/api/v1/department/?after=0&size=1").get_json()["ids"]
    assert first == [1]
    assert boss.get(f"/api/v1/department/?after={first[-1]}&size=1").get_json()["ids"] == [2]


def test_masked_values_stay_masked(boss):
    assert boss.get("/api/v1/employee/1").get_json()["result"]["mobile"] == "138****5678"


def test_permissions_are_those_of_the_screens(boss, sent, world, house):
    world.actor = replace(house.boss, permissions=permissions(verbs=("list",)))
    assert boss.get("/api/v1/department/").status_code == 200
    assert boss.get("/api/v1/department/1").status_code == 403
    assert boss.post("/api/v1/department/", json={}, headers=sent).status_code == 403


def test_nobody_gets_a_401(world, house):
    response = world.client().get("/api/v1/department/")
    assert response.status_code == 401
    assert response.get_json()["message"] == "请先登录"
    bad = world.client().get("/api/v1/department/", headers={"Authorization": "Bearer nonsense"})
    assert bad.status_code == 401


def test_reading_kinds_have_no_writing(boss, sent):
    assert boss.post("/api/v1/audit_log/", json={}, headers=sent).status_code == 405
    assert boss.put("/api/v1/audit_log/1", json={}, headers=sent).status_code == 405
    assert boss.get("/api/v1/system_state/").status_code == 404


def test_every_resource_answers(boss):
    from models.base.entity import entities

    for model in entities():
        if model.spec.kind.has_screen:
            response = boss.get(f"/api/v1/{model.__tablename__}/")
            assert response.status_code == 200, (model, response.get_data(as_text=True)[:300])
            assert boss.get(f"/api/v1/{model.__tablename__}/_info").status_code == 200


def test_the_description_is_valid_openapi(world, house):
    from flask_appbuilder.api import BaseApi
    from flask_appbuilder.api.manager import OpenApi

    with world.app.test_request_context():
        spec = OpenApi._create_api_spec("v1")
        for view in world.app.appbuilder.baseviews:
            if isinstance(view, BaseApi):
                view.add_api_spec(spec)
        validate(spec.to_dict())


def test_half_characters_and_zero_bytes_are_no_crash(boss, sent):
    half = b'{"code": "Z1", "name": "\\ud800"}'
    assert (
        boss.post(
            "/api/v1/department/", data=half, headers=sent, content_type="application/json"
        ).status_code
        == 400
    )
    assert boss.get('/api/v1/department/?q={"search":"\\ud800"}').status_code == 400
    zero = boss.post("/api/v1/department/", json={"code": "Z1", "name": "a\x00b"}, headers=sent)
    assert zero.get_json()["result"]["name"] == "ab"
    assert zero.get_json()["result"]["created_at"].endswith("+00:00")
