"""Formula fields: exact and equal in SQL and Python, for one record, for a page and for a whole table."""

from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import select

from models.customer.customer import CorporateCustomer
from reports.rules import formula, sql
from reports.rules.check import understand, understand_formula
from reports.rules.formula import FormulaFacts, misfit
from reports.rules.names import Vocabulary, fact_of
from reports.rules.python import Asked
from tests.reports.rules.world import CUSTOM, ITEMS, KNOWN, TODAY, fill

MOST = Decimal("9999999999.99")
FORMULAS = [
    ("money", "注册资本 - 实收资本"),
    ("money", "(注册资本 - 实收资本) ÷ 3"),
    ("money", "自设金额 × 0.015 ÷ 7"),
    ("money", "合计(股东出资的认缴出资额)"),
    ("money", "-自设金额 ÷ 8"),
    ("rate", "实收资本 ÷ 注册资本"),
    ("%", "实收资本 ÷ 注册资本"),
    ("%", "最大(股东出资的持股比例)"),
    ("int", "从业人数 ÷ 7"),
    ("int", "今天 - 成立日期"),
    ("int", "数量(股东出资 其中 控股股东)"),
    ("date", "营业执照有效期至 - 30天"),
    ("date", "最大(股东出资的出资日期)"),
    ("bool", "注册资本 > 100万 且 涉农企业"),
    ("bool", "存在 股东出资 其中 持股比例 > 50%"),
    ("text", "客户经理的姓名"),
]


def field(kind, text, name="worked"):
    unit, kind = ("%", "rate") if kind == "%" else ("", kind)
    scale = 4 if kind == "rate" else 2
    maximum = MOST if kind in {"money", "rate"} else 2_000_000_000
    found = FormulaFacts(
        name,
        f"算得{name}",
        kind,
        unit=unit,
        scale=scale,
        maximum=maximum,
        is_computed=True,
        text=text,
        today=TODAY,
    )
    part = understand_formula(text, KNOWN.subject("corporate_customer"), KNOWN)
    assert misfit(part, found, fact_of(CorporateCustomer, found)) == ""
    found.formula.value = part
    return found


def in_sql(session, facts):
    query = select(CorporateCustomer.id, facts.sql(CorporateCustomer))
    return dict(session.execute(query).all())


@pytest.mark.parametrize(("kind", "text"), FORMULAS)
def test_the_two_back_ends_agree(session, kind, text):
    fill(session)
    facts = field(kind, text)
    rows = session.scalars(select(CorporateCustomer)).all()
    found = in_sql(session, facts)
    assert found == {row.id: facts.get(row) for row in rows}
    assert any(value is not None for value in found.values())
    formula.prepare(session, CorporateCustomer, rows, [facts])
    assert found == {row.id: facts.get(row) for row in rows}


def test_half_a_fen_goes_away_from_zero(session):
    fill(session, count=1)
    company = session.scalars(select(CorporateCustomer)).one()
    for amount, said in (("0.01", "0.01"), ("-0.01", "-0.01"), ("0.03", "0.02"), ("0", "0.00")):
        CUSTOM["c_money"].set(company, Decimal(amount))
        session.flush()
        facts = field("money", "自设金额 ÷ 2")
        assert facts.get(company) == Decimal(said)
        assert in_sql(session, facts)[company.id] == Decimal(said)


def test_what_is_out_of_range_or_unknown_is_empty(session):
    fill(session, count=1)
    company = session.scalars(select(CorporateCustomer)).one()
    company.registered_capital, company.paid_in_capital = Decimal("9999999999.99"), None
    session.flush()
    for text in ("注册资本 × 1000", "实收资本 + 1元", "注册资本 ÷ 0"):
        facts = field("money", text)
        assert (facts.get(company), in_sql(session, facts)[company.id]) == (None, None), text


def test_a_rule_names_a_formula_like_a_column(session):
    fill(session)
    gap = field("money", "注册资本 - 实收资本", "gap")
    known = Vocabulary(
        lambda code: ITEMS.get(code, []),
        lambda model: CUSTOM | {"gap": gap} if model is CorporateCustomer else {},
    )
    subject = known.subject("corporate_customer")
    third = FormulaFacts(
        "t", "三分之一", "rate", scale=4, maximum=MOST, text="算得gap ÷ 3元", today=TODAY
    )
    third.formula.value = understand_formula(third.text, subject, known)
    rows = session.scalars(select(CorporateCustomer)).all()
    assert in_sql(session, third) == {row.id: third.get(row) for row in rows}
    for text in (
        "算得gap > 0",
        "算得gap 为空",
        "非 算得gap ÷ 3 ≥ 注册资本 ÷ 4",
        "算得gap 属于 (0.01, 1元)",
    ):
        rule = understand(text, subject, known)
        query = select(CorporateCustomer.id).where(sql.where(rule, CorporateCustomer, TODAY))
        held = {row.id for row in rows if Asked(row, TODAY).holds(rule)}
        assert set(session.scalars(query)) == held, text


def test_a_mapping_of_values_by_labels_is_asked_like_a_record():
    rule = understand(
        "注册资本 > 100万 且 客户经理的姓名 = “王五” 且 数量(股东出资 其中 控股股东) = 1",
        KNOWN.subject("corporate_customer"),
        KNOWN,
    )
    example = {
        "注册资本": Decimal(2_000_000),
        "客户经理": {"姓名": "王五"},
        "股东出资": [{"控股股东": True}, {"控股股东": False}],
    }
    assert Asked(example, TODAY).holds(rule)
    assert not Asked(example | {"注册资本": None}, TODAY).holds(rule)
    assert Asked({}, TODAY).truth(rule) is False
    assert isinstance(Asked(example, TODAY).value(rule.parts[0].left), Fraction)
