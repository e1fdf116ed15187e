"""The base data of a release: complete, loaded once, and never over what users changed."""

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.base.entity import columns_of, entities, entity_of, parts_of
from models.base.fields import facts_of
from models.customer.rating_model import (
    CompletenessItem,
    RatingIndicator,
    RatingModel,
    RatingOption,
)
from models.system.organization import Company
from models.system.setup import DictionaryItem, DictionaryType, NumberRule, Parameter, ValueKind
from reports.figures import dictionaries
from reports.figures.ratios import RATIOS
from workflows.base import seeds
from workflows.base.seeds import SeedError, load_base_data
from workflows.system import setup

BEGINS_WITH = "tables"

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("app", "views", "workflows", "reports")


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def test_loading_again_adds_nothing(session):
    first = load_base_data(session)
    assert first["dictionary_item"] > 800
    assert first["parameter"] > 60
    assert set(load_base_data(session).values()) == {0}


def test_what_users_changed_stays(session):
    load_base_data(session)
    limit = session.scalars(
        select(Parameter).where(Parameter.code == "exposure.leverage_limit")
    ).one()
    company = session.scalars(select(Company)).one()
    limit.value, company.uscc = "8", "91330106JWYLF55T03"
    session.flush()
    load_base_data(session)
    assert limit.value == "8"
    assert count(session, Company) == 1


def test_the_trail_stays_free_of_base_data_and_goes_on_afterwards(session):
    load_base_data(session)
    assert session.info["no_audit"] is False


def test_every_dictionary_of_a_column_is_seeded(session):
    load_base_data(session)
    used = {
        facts_of(c).dictionary
        for m in entities()
        for c in columns_of(m).values()
        if facts_of(c).dictionary
    }
    assert sorted(code for code in used if not dictionaries.items(session, code)) == []


def test_every_parameter_that_code_asks_for_is_seeded(session):
    load_base_data(session)
    asked = set()
    question = re.compile(
        r"\b(?:value|number|whole|flag|ratio)\(\s*(?:ctx\.)?session,\s*\"([a-z_]+\.[\w.]+)\""
    )
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            asked |= set(question.findall(path.read_text(encoding="utf-8")))
    assert {"weight.ceiling_basis", "rating.valid_months"} <= asked
    sign_in = (ROOT / "workflows/system/sign_in.py").read_text(encoding="utf-8")
    asked |= {f"login.{name}" for name in re.findall(r"\"(\w+_failures)\"", sign_in)}
    assert "login.max_failures" in asked
    assert sorted(asked - set(session.scalars(select(Parameter.code)))) == []


def test_every_number_rule_that_code_asks_for_is_seeded(session):
    load_base_data(session)
    asked = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            asked |= set(
                re.findall(
                    r"next_number\(\s*ctx,\s*\"([a-z_]+)\"", path.read_text(encoding="utf-8")
                )
            )
    assert "customer" in asked
    assert sorted(asked - set(session.scalars(select(NumberRule.code)))) == []


MAY_BE_BLANK = {
    "exposure.net_assets_override",
    "exposure.single_own_limit_pct",
    "exposure.group_own_limit_pct",
}


def test_number_rules_and_parameters_pass_their_own_checks(session):
    load_base_data(session)
    for rule in session.scalars(select(NumberRule)):
        setup.check_number_rule(None, rule, is_new=False)
    for parameter in session.scalars(select(Parameter)):
        setup.check_parameter(None, parameter, is_new=True)
        assert parameter.value or parameter.code in MAY_BE_BLANK
    patterns = session.scalars(select(NumberRule.pattern)).all()
    assert len(patterns) == len(set(patterns))


def test_rating_models_make_one_hundred_and_know_their_figures(session):
    load_base_data(session)
    known = {
        *RATIOS,
        "operating_years",
        "paid_in_pct",
        "net_assets",
        "age_years",
        "tenure_years",
        "monthly_income",
        "debt_income_pct",
        "household_net_assets",
    }
    for model in session.scalars(select(RatingModel)):
        indicators = session.scalars(
            select(RatingIndicator).where(RatingIndicator.rating_model_id == model.id)
        ).all()
        assert sum(i.max_score for i in indicators) == 100
        assert {i.figure for i in indicators if i.figure} <= known
        for indicator in indicators:
            options = session.scalars(
                select(RatingOption)
                .where(RatingOption.rating_indicator_id == indicator.id)
                .order_by(RatingOption.rank)
            ).all()
            assert max(o.score for o in options) == indicator.max_score
            if indicator.figure:  # the bounds leave no gap
                bounds = sorted(options, key=lambda o: (o.lower is not None, o.lower))
                assert [o.upper for o in bounds[:-1]] == [o.lower for o in bounds[1:]]


def test_completeness_items_name_fields_and_tabs(session):
    load_base_data(session)
    for item in session.scalars(select(CompletenessItem)):
        model = entity_of(
            "personal_customer" if item.customer_kind.name == "PERSONAL" else "corporate_customer"
        )
        assert item.source in columns_of(model) or item.source in parts_of(model)


def test_regions_and_industries_hang_together(session):
    load_base_data(session)
    for code, top in (("region", 34), ("industry", 20)):
        parents = dictionaries.parents(session, code)
        assert sum(1 for parent in parents.values() if parent is None) == top
        assert all(parent is None or parent in parents for parent in parents.values())
    assert dictionaries.code_of(session, "industry", "交通运输业") == "G"
    assert dictionaries.code_of(session, "region", "杭州") == "330100"
    assert len(dictionaries.items(session, "ethnic_group")) == 58


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("nothing.csv", "code\nx\n", "no table"),
        ("password_history.csv", "set_at\n\n", "no natural key"),
        ("parameter.csv", "code,label\nx,y,z\n", "more or fewer cells"),
        (
            "parameter.csv",
            "code,label,value_kind,effective_on\nx,y,NUMBER,yesterday\n",
            "parameter.csv:2",
        ),
        ("parameter.csv", "code,colour\nx,red\n", "colour"),
        (
            "dictionary_item.csv",
            "dictionary_type_id,code,label\nnone,a,b\n",
            "dictionary_item.csv:2",
        ),
    ],
)
def test_a_wrong_file_is_named(session, tmp_path, name, text, words):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SeedError, match=words):
        load_base_data(session, tmp_path)


def test_trees_json_and_defaults_load(session, tmp_path):
    (tmp_path / "departments.csv").write_text(
        'code,name,parent_id,extra\nA,总部,,\nB,分部,A,"{""k"": 1}"\n', encoding="utf-8"
    )
    assert load_base_data(session, tmp_path) == {"department": 2}
    model = entity_of("department")
    part = session.scalars(select(model).where(model.code == "B")).one()
    assert (part.parent.code, part.extra, part.is_active) == ("A", {"k": 1}, True)
    assert load_base_data(session, tmp_path) == {"department": 0}


def test_a_key_may_rest_on_a_default(session, tmp_path):
    (tmp_path / "dictionary_type.csv").write_text("code,label\nt,T\n", encoding="utf-8")
    (tmp_path / "dictionary_item.part.csv").write_text(
        "dictionary_type_id,code,label\nt,a,甲\nt,a,乙\n", encoding="utf-8"
    )
    assert load_base_data(session, tmp_path) == {"dictionary_type": 1, "dictionary_item": 1}
    assert session.scalars(
        select(DictionaryItem.label).where(DictionaryItem.code == "a")
    ).all() == ["甲"]
    assert count(session, DictionaryType) == 1


def test_a_key_left_out_is_the_one_that_the_column_fills_in(session, tmp_path):
    """The same rule loaded again is recognised, though its file does not say since when it holds."""
    load_base_data(session)
    rule = "event_code,label,word_id,memo\nTEST,测试,transfer,测试\n"
    (tmp_path / "posting_rule.csv").write_text(rule, encoding="utf-8")
    assert load_base_data(session, tmp_path)["posting_rule"] == 1
    assert load_base_data(session, tmp_path)["posting_rule"] == 0


def test_seeds_stand_where_the_loader_looks():
    assert (seeds.SEEDS / "parameter.csv").is_file()
    assert ValueKind.NUMBER in set(ValueKind)
