"""Custom fields: defined by an administrator, kept exactly, and told of like columns."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.base.errors import Conflict, FieldErrors
from models.system.custom_field import CustomField
from models.system.organization import Employee
from models.system.saved_view import SavedView
from models.system.setup import AuditLog, DictionaryItem, DictionaryType
from reports.figures import custom_fields
from tests.workflows.customer_world import CustomerWorld
from workflows.base import audit, records

TABLE = "dictionary_type"
# kind, what is typed, what the record says
KINDS = (
    ("TEXT", " 甲 ", "甲"),
    ("LONG_TEXT", "一\n二", "一\n二"),
    ("INT", "-12", -12),
    ("MONEY", "9,999,999,999.99", Decimal("9999999999.99")),
    ("RATE", "4.35", Decimal("4.35")),
    ("DATE", "2026-11-29", date(2026, 11, 29)),
    ("BOOL", "是", True),
)


@pytest.fixture
def ctx(session):
    custom_fields._KNOWN.clear()
    return CustomerWorld(session).system()


def define(ctx, kind="TEXT", code="note_a", **more):
    values = {"table_name": TABLE, "code": code, "label": f"备注{code}", "kind": kind, **more}
    return records.create(ctx, CustomField, values)


def row(ctx, name, **values):
    return records.create(
        ctx, DictionaryType, {"code": f"c{ord(name[0])}", "label": name, **values}
    )


def refused(ctx, **values):
    with pytest.raises(FieldErrors) as caught:
        define(ctx, **values)
    return caught.value.field_errors


@pytest.mark.parametrize(("kind", "typed", "kept"), KINDS, ids=[one[0] for one in KINDS])
def test_a_value_comes_back_as_it_was_typed(ctx, kind, typed, kept):
    define(ctx, kind)
    facts = custom_fields.fields_now(ctx.session, DictionaryType)["note_a"]
    record = row(ctx, "甲公司", note_a=typed)
    ctx.session.expire(record)
    assert facts.get(record) == kept
    query = select(facts.sql(DictionaryType)).where(facts.sql(DictionaryType) == kept)
    assert ctx.session.scalars(query).all() == [kept]
    records.update(ctx, record, {"note_a": ""}, record.version)
    assert facts.get(record) is None
    assert record.extra == {}


def test_amounts_sort_compare_and_add_up_exactly(ctx):
    define(ctx, "MONEY")
    for name, amount in (("甲", "-0.50"), ("乙", "10.05"), ("丙", "9.90"), ("丁", "")):
        row(ctx, name, note_a=amount)
    field = custom_fields.fields_now(ctx.session, DictionaryType)["note_a"].sql(DictionaryType)
    mine = DictionaryType.label.in_(list("甲乙丙丁"))
    names = select(DictionaryType.label).where(mine).order_by(field.asc().nulls_last())
    assert ctx.session.scalars(names).all() == ["甲", "丙", "乙", "丁"]
    assert ctx.session.scalars(names.where(field > Decimal("9.90"))).all() == ["乙"]
    assert ctx.session.scalar(select(func.sum(field))) == Decimal("19.45")


def test_a_wrong_value_is_refused_at_the_field(ctx):
    define(ctx, "MONEY", is_required="是")
    with pytest.raises(FieldErrors) as caught:
        row(ctx, "甲", note_a="一百")
    assert list(caught.value.field_errors) == ["note_a"]
    with pytest.raises(FieldErrors, match="请填写备注note_a"):
        row(ctx, "甲")


def test_the_trail_tells_of_each_field(ctx):
    audit.install(ctx.session)
    define(ctx, "MONEY")
    record = row(ctx, "甲", note_a="1")
    records.update(ctx, record, {"note_a": "2.5"}, record.version)
    query = select(AuditLog.changes).where(
        AuditLog.table_name == TABLE, AuditLog.record_id == record.id
    )
    assert [one.get("note_a") for one in ctx.session.scalars(query.order_by(AuditLog.id))] == [
        [None, "1.00"],
        ["1.00", "2.50"],
    ]


@pytest.mark.parametrize("code", ["note", "id", "extra", "spec", "metadata", "A", "1a", "名", "a"])
def test_a_code_that_is_taken_or_none(ctx, code):
    assert "code" in refused(ctx, code=code)


def test_what_a_definition_needs(ctx):
    assert "label" in refused(ctx, label="版本")
    assert "label" in refused(ctx, label="长" * 300)
    assert "table_name" in refused(ctx, table_name="voucher")
    assert "dictionary_id" in refused(ctx, kind="DICTIONARY")
    assert "target" in refused(ctx, kind="REFERENCE")
    assert "mask" in refused(ctx, kind="MONEY", mask="MOBILE")
    assert "查看原值" in refused(ctx, mask="MOBILE")["mask"][0], "nobody could look behind it"
    define(ctx)
    with pytest.raises(FieldErrors, match="已存在"):
        define(ctx, label="另一个")


def test_a_used_field_stays(ctx):
    field = define(ctx)
    record = row(ctx, "甲", note_a="一")
    with pytest.raises(FieldErrors, match="已有 1 条记录填写"):
        records.update(ctx, field, {"kind": "MONEY"}, field.version)
    ctx.session.refresh(field)
    with pytest.raises(Conflict, match="已有 1 条记录填写"):
        records.delete(ctx, field, field.version)
    records.update(ctx, field, {"is_active": "否"}, field.version)
    assert "note_a" not in custom_fields.fields_now(ctx.session, DictionaryType)
    assert record.extra == {"note_a": "一"}, "what was typed is kept"


def test_another_process_sees_it_by_the_edition(ctx):
    assert custom_fields.defined(ctx.session, DictionaryType) == {}
    field = define(ctx)
    ctx.session.commit()
    assert list(custom_fields.defined(ctx.session, DictionaryType)) == ["note_a"]
    records.update(ctx, field, {"label": "新名"}, field.version)
    ctx.session.commit()
    assert custom_fields.defined(ctx.session, DictionaryType)["note_a"].label == "新名"
    records.delete(ctx, field, field.version)
    ctx.session.commit()
    assert custom_fields.defined(ctx.session, DictionaryType) == {}


def test_a_reference_and_a_dictionary_are_checked_like_columns(ctx):
    kinds = row(ctx, "子")
    records.create(
        ctx, DictionaryItem, {"dictionary_type_id": kinds.id, "code": "R", "label": "红"}
    )
    define(ctx, "DICTIONARY", "colour", dictionary_id=kinds.id)
    define(ctx, "REFERENCE", "other", target="dictionary_type")
    record = row(ctx, "丑", colour="R", other=kinds.id)
    assert record.extra == {"colour": "R", "other": kinds.id}
    with pytest.raises(FieldErrors) as caught:
        row(ctx, "寅", colour="X", other=999_999)
    assert sorted(caught.value.field_errors) == ["colour", "other"]
    item = ctx.session.scalars(select(DictionaryItem).where(DictionaryItem.label == "红")).one()
    with pytest.raises(Conflict, match="使用中：1 条数据字典，不能删除"):
        records.delete(ctx, item, item.version)
    with pytest.raises(Conflict):
        records.delete(ctx, kinds, kinds.version)


COMPANY = "corporate_customer"


def rule_field(ctx, code, kind="MONEY", **more):
    return define(ctx, kind, code, table_name=COMPANY, **more)


@pytest.mark.parametrize(
    ("values", "at", "said"),
    [
        ({"formula": "注册资 × 2"}, "formula", "没有叫‘注册资’的字段"),
        ({"formula": "注册资本 > 1"}, "formula", "公式的结果是条件，类型应选“是否”"),
        ({"formula": "成立日期 + 1天"}, "formula", "公式的结果是日期，与字段的类型不符"),
        ({"formula": "备注sum_a + 1元"}, "formula", "公式用到了它自己：备注sum_a → 备注sum_a"),
        ({"formula": "__import__(“os”)"}, "formula", "不能出现在这里"),
        ({"formula": "(" * 10_000}, "formula", "最长 4000 个字"),
        ({"formula": "(" * 3_000}, "formula", "括号最多嵌套 30 层"),
        ({"formula": "注册资本", "is_required": "true"}, "is_required", "由系统计算"),
        ({"formula": "注册资本", "visible_if": "涉农企业"}, "visible_if", "由系统计算"),
        ({"visible_if": "备注sum_a > 1"}, "visible_if", "条件不能用到这个字段自己"),
        ({"required_if": "注册资本"}, "required_if", "这里要写一个条件"),
    ],
)
def test_a_formula_or_condition_that_makes_no_sense_is_refused(ctx, values, at, said):
    with pytest.raises(FieldErrors) as caught:
        rule_field(ctx, "sum_a", **values)
    assert said in caught.value.field_errors[at][0]


def test_a_formula_does_not_need_itself_around_a_corner(ctx):
    first = rule_field(ctx, "sum_a", formula="注册资本 × 2")
    rule_field(ctx, "sum_b", formula="备注sum_a + 1元")
    rule_field(ctx, "sum_c", formula="备注sum_b + 1元")
    with pytest.raises(FieldErrors) as caught:
        records.update(ctx, first, {"formula": "备注sum_c - 1元"}, first.version)
    assert caught.value.field_errors["formula"] == [
        "公式用到了它自己：备注sum_a → 备注sum_c → 备注sum_b → 备注sum_a"
    ]


def test_conditions_decide_what_is_asked_for_and_demanded(ctx):
    define(ctx, "BOOL", "has_lease", label="租赁")
    define(ctx, "MONEY", "rent", label="租金", visible_if="租赁", required_if="租赁")
    define(ctx, "TEXT", "landlord", label="房东", visible_if="租金 > 100元")
    facts = custom_fields.fields_now(ctx.session, DictionaryType)
    with pytest.raises(FieldErrors) as caught:
        row(ctx, "甲", has_lease="true")
    assert caught.value.field_errors == {"rent": ["请填写租金（租赁）"]}
    kept = row(ctx, "乙", has_lease="true", rent="120", landlord="王五")
    assert kept.extra == {"has_lease": True, "rent": "120.00", "landlord": "王五"}
    records.update(ctx, kept, {"has_lease": "false"}, kept.version)
    assert kept.extra == {"has_lease": False}  # and what rested on it
    other = row(ctx, "丙", rent="120")
    assert facts["rent"].get(other) is None


def test_a_field_that_rules_name_is_not_taken_from_them_unseen(ctx):
    base = rule_field(ctx, "sum_a")
    rule_field(ctx, "sum_b", formula="备注sum_a + 1元")
    rule_field(ctx, "sum_c", required_if="备注sum_a > 1元")
    uses = "对公客户“备注sum_b”的公式、对公客户“备注sum_c”的必填条件"
    with pytest.raises(Conflict, match=uses):
        records.delete(ctx, base, base.version)
    for values in ({"label": "新名"}, {"is_active": "false"}):
        with pytest.raises(FieldErrors) as caught:
            records.update(ctx, base, values, base.version)
        (where,) = values
        assert caught.value.field_errors == {where: [f"用在{uses}，请先修改这些地方"]}
        ctx.session.refresh(base)
    records.update(ctx, base, {"help": "随便改"}, base.version)


def test_a_field_that_views_show_is_not_deleted_unseen(ctx, session):
    field = define(ctx, "MONEY", "fee_a", label="自设费")
    person = ctx.session.scalars(select(Employee).limit(1)).one()
    for name, query in (
        ("看费用", "cols=label%2Cfee_a&order=-fee_a"),
        ("大额", "f=fee_a%3Age%3A1"),
        ("按规则", "rule=%E8%87%AA%E8%AE%BE%E8%B4%B9%20%3E%201%E5%85%83"),
        ("别的", "cols=label"),
    ):
        session.add(SavedView(table_name=TABLE, name=name, owner_id=person.id, query=query))
    session.flush()
    with pytest.raises(Conflict) as caught:
        records.delete(ctx, field, field.version)
    words = "列表视图“按规则”的高级条件、列表视图“看费用”、列表视图“大额”"
    assert caught.value.message == f"“自设费”用在{words}，不能删除；请先修改这些地方"
