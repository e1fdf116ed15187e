"""Setting the system up: departments move with all below them, and what would stop the business is refused."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import Conflict, FieldErrors
from models.customer.partner import GuaranteeCompany, JointGroup, JointGroupMember
from models.customer.rating_model import RatingIndicator, RatingModel, RatingOption
from models.guarantee.bank import PartnerBank
from models.system.organization import Department, Employee, Operator
from models.system.setup import DictionaryItem, DictionaryType, NumberRule, Parameter
from tests.workflows.customer_world import USCC, CustomerWorld
from workflows.base import records


@pytest.fixture
def world(session) -> CustomerWorld:
    return CustomerWorld(session)


@pytest.fixture
def ctx(world):
    return world.system()


def department(ctx, code, parent=None) -> Department:
    return records.create(
        ctx, Department, {"code": code, "name": code, "parent_id": parent.id if parent else None}
    )


def test_a_department_knows_its_path_and_takes_its_parts_along(ctx):
    top, other = department(ctx, "A"), department(ctx, "B")
    middle = department(ctx, "A1", top)
    leaf = department(ctx, "A11", middle)
    assert leaf.path == f"/{top.id}/{middle.id}/{leaf.id}/"
    records.update(ctx, middle, {"parent_id": other.id}, middle.version)
    assert (middle.path, leaf.path) == (
        f"/{other.id}/{middle.id}/",
        f"/{other.id}/{middle.id}/{leaf.id}/",
    )
    records.update(ctx, middle, {"parent_id": None, "name": "中"}, middle.version)
    assert leaf.path == f"/{middle.id}/{leaf.id}/"
    assert top.path == f"/{top.id}/"
    with pytest.raises(FieldErrors, match="本部门或其下级"):
        records.update(ctx, middle, {"parent_id": leaf.id}, middle.version)


def test_a_department_in_use_stays_in_use(world, ctx):
    with pytest.raises(FieldErrors, match="2 名在职员工、0 个启用"):
        records.update(ctx, world.one, {"is_active": "否"}, world.one.version)
    empty = department(ctx, "E")
    records.update(ctx, empty, {"is_active": "否"}, empty.version)
    assert not empty.is_active


def test_who_has_left_can_no_longer_sign_in(world, ctx):
    from flask_appbuilder.security.sqla.models import User

    person = world.people["同事"]
    user = User(first_name="同", last_name="事", username="ts", email="ts@example.com", active=True)
    ctx.session.add(user)
    ctx.session.flush()
    operator = Operator(username="ts", user_id=user.id, employee_id=person.id)
    ctx.session.add(operator)
    ctx.session.flush()
    records.update(ctx, person, {"title": "经理"}, person.version)
    assert not operator.is_disabled
    records.update(ctx, person, {"is_active": "否"}, person.version)
    assert operator.is_disabled


def test_an_employees_dates_and_superior_make_sense(world, ctx):
    person = world.people["同事"]
    with pytest.raises(FieldErrors, match="离职日期"):
        records.update(
            ctx, person, {"entered_on": "2020-01-02", "left_on": "2020-01-01"}, person.version
        )
    ctx.session.refresh(person)
    with pytest.raises(FieldErrors, match="本人"):
        records.update(ctx, person, {"manager_id": person.id}, person.version)
    made = records.create(
        ctx, Employee, {"number": "E9", "name": "新", "department_id": world.one.id}
    )
    assert made.is_active


def bank(ctx, code, **values) -> PartnerBank:
    return records.create(ctx, PartnerBank, {"code": code, "name": code, **values})


def test_banks_form_a_tree_and_agreements_end_after_they_begin(ctx):
    head = bank(ctx, "ICBC")
    branch = bank(ctx, "ICBC-HZ", parent_id=head.id)
    assert branch.share_pct == 20
    with pytest.raises(FieldErrors, match="上级行"):
        records.update(ctx, head, {"parent_id": branch.id}, head.version)
    with pytest.raises(FieldErrors, match="协议到期日"):
        bank(ctx, "X", agreement_from="2026-01-02", agreement_to="2026-01-01")


def test_partners_and_joint_groups_keep_their_limits(world, ctx):
    partner = {"name": "省再担保", "uscc": USCC, "role": "RE_GUARANTEE", "share_pct": "30"}
    assert records.create(ctx, GuaranteeCompany, partner).share_pct == 30
    with pytest.raises(FieldErrors, match="单户上限"):
        records.create(
            ctx,
            JointGroup,
            {"code": "L", "name": "联", "credit_line": "100", "member_limit": "101"},
        )
    group = records.create(ctx, JointGroup, {"code": "L", "name": "联", "credit_line": "100"})
    member = {"joint_group_id": group.id, "customer_id": world.person().id}
    with pytest.raises(FieldErrors, match="单户上限"):
        records.create(ctx, JointGroupMember, member | {"limit_amount": "101"})
    with pytest.raises(FieldErrors, match="退出日期"):
        records.create(
            ctx, JointGroupMember, member | {"joined_on": "2026-01-02", "left_on": "2026-01-01"}
        )
    assert records.create(ctx, JointGroupMember, member).limit_amount is None


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("NUMBER", "1,234.5", True),
        ("NUMBER", "十", False),
        ("NUMBER", "NaN", False),
        ("PERCENT", "100", True),
        ("PERCENT", "100.1", False),
        ("PERCENT", "10%", False),
        ("DAYS", "30", True),
        ("DAYS", "1.5", False),
        ("FLAG", "是", True),
        ("FLAG", "true", False),
        ("DATE", "2026-11-23", True),
        ("DATE", "2026-02-30", False),
        ("TEXT", "任意", True),
        ("NUMBER", "", True),
    ],
)
def test_a_parameter_fits_its_kind(ctx, kind, value, fits):
    values = {
        "code": "x",
        "label": "x",
        "value": value,
        "value_kind": kind,
        "effective_on": "2026-01-01",
    }
    if fits:
        assert records.create(ctx, Parameter, values).value == (value or None)
    else:
        with pytest.raises(FieldErrors) as error:
            records.create(ctx, Parameter, values)
        assert list(error.value.field_errors) == ["value"]


def test_the_last_row_of_a_parameter_stays(ctx):
    first = ctx.session.scalars(
        select(Parameter).where(Parameter.code == "rating.valid_months")
    ).one()
    with pytest.raises(Conflict, match="只有这一行"):
        records.delete(ctx, first, first.version)
    values = {
        "code": first.code,
        "label": "x",
        "value": "6",
        "effective_on": str(ctx.today + timedelta(days=1)),
    }
    second = records.create(ctx, Parameter, values)
    with pytest.raises(Conflict, match="已经生效"):
        records.delete(ctx, first, first.version)
    records.delete(ctx, second, second.version)
    assert ctx.session.scalars(select(Parameter).where(Parameter.code == first.code)).all() == [
        first
    ]


def test_a_change_of_a_parameter_begins_today_and_keeps_what_held(ctx):
    row = ctx.session.scalars(
        select(Parameter).where(Parameter.code == "rating.valid_months")
    ).one()
    was, since, code = row.value, row.effective_on, row.code
    with pytest.raises(FieldErrors, match="或以后的日期") as late:
        records.update(ctx, row, {"value": "7"}, row.version)
    assert list(late.value.field_errors) == ["effective_on"]
    ctx.session.refresh(row)
    with pytest.raises(FieldErrors, match="不能修改编码"):
        records.update(ctx, row, {"code": "other.code"}, row.version)
    ctx.session.refresh(row)
    records.update(ctx, row, {"value": "7", "effective_on": str(ctx.today)}, row.version)
    ctx.session.flush()
    rows = ctx.session.scalars(
        select(Parameter).where(Parameter.code == code).order_by(Parameter.effective_on)
    ).all()
    assert [(one.value, one.effective_on) for one in rows] == [(was, since), ("7", ctx.today)]


@pytest.mark.parametrize(
    ("pattern", "reset", "words"),
    [
        ("DB{yyyy}-{no:04d}", "YEAR", ""),
        ("{word}-{no:04d}", "NEVER", ""),
        ("DB{yyyy}{mm}-{no}", "MONTH", ""),
        ("DB{yyyy}", "YEAR", "流水号"),
        ("DB-{no}", "YEAR", "{yyyy}"),
        ("DB{yyyy}-{no}", "MONTH", "{mm}"),
        ("DB{yyyy-{no}", "YEAR", "格式不正确"),
        ("{no.__class__}", "NEVER", "格式不正确"),
        ("{no:zz}", "NEVER", "格式不正确"),
        ("{}{no}", "NEVER", "格式不正确"),
    ],
)
def test_a_number_pattern_can_be_filled_and_tells_numbers_apart(ctx, pattern, reset, words):
    values = {"code": "x", "label": "x", "pattern": pattern, "reset": reset}
    if not words:
        assert records.create(ctx, NumberRule, values).pattern == pattern
    else:
        with pytest.raises(FieldErrors) as error:
            records.create(ctx, NumberRule, values)
        assert words in error.value.field_errors["pattern"][0]


def test_number_rules_and_used_dictionaries_stay(ctx):
    rule = ctx.session.scalars(select(NumberRule).where(NumberRule.code == "customer")).one()
    with pytest.raises(Conflict, match="不能删除"):
        records.delete(ctx, rule, rule.version)
    used = ctx.session.scalars(select(DictionaryType).where(DictionaryType.code == "region")).one()
    with pytest.raises(Conflict, match="使用"):
        records.delete(ctx, used, used.version)
    own = records.create(ctx, DictionaryType, {"code": "own", "label": "自定义"})
    records.delete(ctx, own, own.version)
    assert (
        ctx.session.scalars(select(DictionaryType).where(DictionaryType.code == "own")).all() == []
    )


def item_of(ctx, dictionary, code) -> DictionaryItem:
    query = select(DictionaryItem).join(DictionaryItem.dictionary_type)
    return ctx.session.scalars(
        query.where(DictionaryType.code == dictionary, DictionaryItem.code == code)
    ).one()


def test_an_item_in_use_keeps_its_code_and_is_not_deleted(world, ctx):
    world.person()
    married, single = item_of(ctx, "marriage", "20"), item_of(ctx, "marriage", "10")
    with pytest.raises(Conflict, match="使用中：1 条个人客户，不能删除；可以改为停用"):
        records.delete(ctx, married, married.version)
    with pytest.raises(FieldErrors, match="已被使用（1 条个人客户）"):
        records.update(ctx, married, {"code": "21"}, married.version)
    ctx.session.refresh(married)
    records.update(ctx, married, {"label": "已婚（初婚）", "is_active": "否"}, married.version)
    records.update(ctx, single, {"code": "11"}, single.version)
    records.delete(ctx, single, single.version)
    assert married.code == "20"


def test_items_form_a_tree(ctx):
    city, province = item_of(ctx, "region", "330100"), item_of(ctx, "region", "330000")
    with pytest.raises(FieldErrors, match="没有编码"):
        records.update(ctx, city, {"parent_code": "999"}, city.version)
    ctx.session.refresh(city)
    with pytest.raises(FieldErrors, match="下级条目"):
        records.update(ctx, province, {"parent_code": "330100"}, province.version)
    ctx.session.refresh(province)
    records.update(ctx, city, {"parent_code": "320000"}, city.version)
    assert city.parent_code == "320000"


def test_scores_fit_their_indicator_and_indicators_their_model(ctx):
    model = ctx.session.scalars(select(RatingModel).where(RatingModel.code == "CORP")).one()
    one = ctx.session.scalars(select(RatingIndicator).where(RatingIndicator.code == "market")).one()
    with pytest.raises(FieldErrors, match="合计 101 分"):
        records.update(ctx, one, {"max_score": "9"}, one.version)
    ctx.session.refresh(one)
    more = {
        "rating_model_id": model.id,
        "code": "more",
        "group_label": "g",
        "label": "多",
        "max_score": "1",
    }
    with pytest.raises(FieldErrors, match="100 分"):
        records.create(ctx, RatingIndicator, more)
    option = {"rating_indicator_id": one.id, "code": "9", "label": "x"}
    with pytest.raises(FieldErrors) as error:
        records.create(ctx, RatingOption, option | {"score": "8.01", "lower": "2", "upper": "2"})
    assert set(error.value.field_errors) == {"score", "upper"}
    assert records.create(ctx, RatingOption, option | {"score": "8"}).score == Decimal(8)


def test_a_model_takes_indicators_up_to_one_hundred(ctx):
    model = ctx.session.scalars(select(RatingModel).where(RatingModel.code == "CORP")).one()
    one = ctx.session.scalars(select(RatingIndicator).where(RatingIndicator.code == "market")).one()
    records.update(ctx, one, {"max_score": "7"}, one.version)
    more = {
        "rating_model_id": model.id,
        "code": "more",
        "group_label": "g",
        "label": "多",
        "max_score": "1",
    }
    assert records.create(ctx, RatingIndicator, more).max_score == Decimal(1)


def test_a_new_item_is_used_by_nobody_yet(ctx):
    city = item_of(ctx, "region", "330100")
    item = {
        "dictionary_type_id": city.dictionary_type_id,
        "code": "330199",
        "label": "新区",
        "parent_code": "330100",
    }
    assert records.create(ctx, DictionaryItem, item).parent_code == "330100"
