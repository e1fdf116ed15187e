"""资产分级依据 from the books: what is refused, what is carried over, and the report of a month."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.actor import SYSTEM
from models.base.errors import Conflict, FieldErrors
from models.ledger.account import AssetClass
from models.ledger.asset_split import AssetRule, AssetSplit
from models.system.setup import Parameter
from reports.base.asked import Asked
from reports.base.report import REPORTS, file_rows, table
from reports.ledger.asset_classes import asset_report
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import NOW, quarter
from workflows.base import records
from workflows.base.context import Ctx
from workflows.ledger import asset_splits

ONE, TWO, THREE = AssetClass
MONTH = "2026-01"


@pytest.fixture
def year(session):
    """Capital 1 亿; 国债 and an AA bond of 30 m, a house of 36 m worn by 1 m, a loan of 10 m, 代偿 of 5 m."""
    found = quarter(session)
    day = date(2026, 1, 31)
    for code, amount in (("1501", "30000000"), ("1601", "36000000"), ("1303", "10000000")):
        found.post(day, found.line(code, amount), found.line("1002", 0, amount))
    found.post(
        day,
        found.line("6601.06", "1000000", department_id=found.books.department.id),
        found.line("1602", 0, "1000000"),
    )
    who = {"customer_id": found.books.project.customer_id, "project_id": found.books.project.id}
    found.post(day, found.line("1201.01", "5000000", **who), found.line("1002", 0, "5000000"))
    return found


@pytest.fixture
def ctx(session, year):
    return Ctx(session=session, actor=SYSTEM, today=date(2026, 3, 31), now=NOW)


@pytest.fixture
def make(ctx, year):
    def made(code, rule, amount, **more):
        values = {
            "month": MONTH,
            "account_id": year.account(code),
            "rule": rule,
            "amount": yuan(amount),
            "evidence": "产权证与评级报告",
        }
        return records.create(ctx, AssetSplit, {**values, **more})

    return made


def loan(year, **more):
    return {
        "customer_id": year.books.project.customer_id,
        "starts_on": date(2026, 1, 10),
        "ends_on": date(2026, 7, 10),
        **more,
    }


def figures(session, month=MONTH):
    return [int(each) for each in asset_report(session, month).totals.values()]


def test_a_month_by_class_and_the_four_ratios(session, year, make):
    before = asset_report(session, MONTH)
    bank = before.totals[ONE]
    assert before.totals[TWO] == 0, "nothing is Ⅱ without evidence"
    make("1501", AssetRule.GOVERNMENT_BOND, 20_000_000)
    make("1501", AssetRule.AA_BOND, 10_000_000)
    make("1601", AssetRule.OWN_PROPERTY, 36_000_000)
    make("1602", AssetRule.OWN_PROPERTY, 1_000_000)
    make("1303", AssetRule.CLIENT_LOAN, 10_000_000, **loan(year))
    found = asset_report(session, MONTH)
    ceiling = found.net_assets * 30 / 100
    assert found.totals[ONE] == bank + 20_000_000
    assert found.totals[TWO] == 10_000_000 + ceiling.quantize(Decimal("0.01")) + 4_000_000
    assert sum(found.totals.values()) == found.assets - found.claims
    assert found.claims == 5_000_000
    base = found.assets - found.claims
    shares = {
        ratio.article[-4:]: (ratio.numerator, ratio.denominator, ratio.limit)
        for ratio in found.ratios
    }
    assert shares == {
        "法第八条": (found.net_assets + found.reserves, found.assets, 60),
        "法第九条": (found.totals[ONE] + found.totals[TWO], base, 70),
        "法第十条": (found.totals[ONE], base, 20),
        "第十一条": (found.totals[THREE], base, 30),
    }
    report = REPORTS["asset-classes"]
    told = report.lines(Asked(session, SYSTEM, date(2026, 3, 31), {"period": "2026-01"}))
    rows = file_rows(report, table(report, told), told.appendix)
    assert [row[1] for row in rows][-5:-4] == ["合计"]
    assert figures(session, "2026-02")[1] == 0, "each month has its own evidence"


def test_limits_are_parameters_with_their_day(session, year):
    row = session.scalars(select(Parameter).where(Parameter.code == "asset.first_min_pct")).one()
    session.add(
        Parameter(
            code=row.code,
            label=row.label,
            value="99.5",
            value_kind=row.value_kind,
            unit=row.unit,
            module=row.module,
            effective_on=date(2026, 2, 1),
        )
    )
    session.flush()
    limits = [asset_report(session, month).ratios[2].limit for month in (MONTH, "2026-02")]
    assert limits == [20, Decimal("99.5")]


@pytest.mark.parametrize(
    ("code", "rule", "amount", "more", "field", "said"),
    [
        ("1501", AssetRule.AAA_BOND, "30000000.01", {}, "amount", "只有 30,000,000.00 元"),
        ("1602", AssetRule.OWN_PROPERTY, 1_000_001, {}, "amount", "只有 1,000,000.00 元"),
        ("1201.01", AssetRule.OTHER, 1, {}, "account_id", "应收代偿款不参加分级"),
        ("4001", AssetRule.OTHER, 1, {}, "account_id", "末级资产科目"),
        (
            "1303",
            AssetRule.CLIENT_LOAN,
            1,
            {"ends_on": date(2026, 7, 11)},
            "ends_on",
            "超过 6 个月",
        ),
        ("1303", AssetRule.CLIENT_LOAN, 1, {"ends_on": None}, "ends_on", "须填合同日期"),
        (
            "1303",
            AssetRule.CLIENT_LOAN,
            1,
            {"starts_on": date(2026, 2, 1)},
            "starts_on",
            "不晚于 2026-01-31",
        ),
        (
            "1303",
            AssetRule.CLIENT_LOAN,
            1,
            {"customer_id": None},
            "customer_id",
            "只适用于在保客户",
        ),
        ("1501", AssetRule.OTHER, 1, {"month": "2026-13"}, "month", "2025-12 这样的月份"),
        ("1501", AssetRule.OTHER, 1, {"month": "2026-04"}, "month", "不晚于 2026-03"),
        ("1501", AssetRule.OTHER, 0, {}, "amount", ""),
        ("1501", AssetRule.OTHER, 1, {"evidence": " "}, "evidence", ""),
    ],
)
def test_evidence_that_does_not_carry_its_rule_is_refused_at_its_field(
    session, year, make, code, rule, amount, more, field, said
):
    given = loan(year) if rule is AssetRule.CLIENT_LOAN else {}
    with pytest.raises(FieldErrors) as refused:
        make(code, rule, amount, **{**given, **more})
    assert said in " ".join(refused.value.field_errors[field])


def test_parts_of_one_account_share_its_balance(make):
    first = make("1501", AssetRule.AAA_BOND, 20_000_000)
    with pytest.raises(FieldErrors, match="只有 10,000,000"):
        make("1501", AssetRule.AA_BOND, 10_000_001)
    assert make("1501", AssetRule.AA_BOND, 10_000_000).id > first.id


def test_a_customer_without_a_guarantee_in_force_is_no_client(year, make, session):
    year.books.project.state = type(year.books.project.state).RELEASED
    session.flush()
    with pytest.raises(FieldErrors, match="没有在保项目"):
        make("1303", AssetRule.CLIENT_LOAN, 1, **loan(year))


def test_evidence_is_carried_over_once_and_what_no_longer_holds_stays_behind(
    session, year, ctx, make
):
    with pytest.raises(Conflict, match="没有可复制"):
        asset_splits.carry_over(ctx, "2026-02")
    make("1501", AssetRule.AAA_BOND, 30_000_000)
    make("1303", AssetRule.CLIENT_LOAN, 10_000_000, **loan(year, ends_on=date(2026, 2, 20)))
    year.post(date(2026, 2, 10), year.line("1002", "1000000"), year.line("1303", 0, "1000000"))
    made, left = asset_splits.carry_over(ctx, "2026-02")
    assert (made, left) == (1, ["产权证与评级报告：合同已到期"])
    with pytest.raises(Conflict, match="已有分级依据"):
        asset_splits.carry_over(ctx, "2026-02")
    year.post(date(2026, 3, 10), year.line("1002", "1000000"), year.line("1501", 0, "1000000"))
    with pytest.raises(Conflict, match="只有 29,000,000"):
        asset_splits.carry_over(ctx, "2026-03")
    assert session.scalars(select(AssetSplit.id).where(AssetSplit.month == "2026-03")).all() == []
