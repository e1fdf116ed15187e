"""The three provisions as domain.md 2 has them: differences, releases, cap, and the computation that is kept."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.product import GuaranteeKind
from models.guarantee.project import Project, SmallKind
from models.guarantee.repayment import Repayment, RepaymentState
from models.guarantee.signing import Fee
from models.ledger.account import Direction
from models.ledger.closing import IncomeHistory, ProvisionCalculation, ProvisionKind
from reports.figures import provisions as figures
from reports.figures.balances import balance_of
from reports.figures.liability import liability_on
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import last, quarter, repay, set_parameter
from workflows.ledger import provisions


@pytest.fixture
def year(session):
    return quarter(session)


def income(year, month: int, amount: int) -> None:
    of = {"customer_id": year.books.customer.id, "project_id": year.books.project.id}
    year.post(last(month), year.line("2203", amount, **of), year.line("6031", 0, amount))


# -------------------------------------------------------------------------------------------------------------- 未到期
def test_half_of_twelve_months_income_is_reserved_and_the_difference_booked(year, session):
    income(year, 1, 10_000)
    made = provisions.provide_unearned(year.ctx(), year.period(1))
    assert (made.base, made.rate_pct, made.required, made.booked, made.amount) == (
        yuan(10_000),
        Decimal(50),
        yuan(5_000),
        yuan(0),
        yuan(5_000),
    )
    assert (
        made.formula
        == "最近十二个月担保费收入 10,000.00 × 50% = 5,000.00；账面余额 0.00；差额 5,000.00"
    )
    assert made.voucher.memo == "提取 2026-01 未到期责任准备金"
    assert balance_of(session, "2601", "2026-01") == yuan(5_000)
    again = provisions.provide_unearned(year.ctx(), year.period(1))
    assert again.id == made.id


def test_months_before_the_books_count_and_fall_out_after_a_year(year, session):
    for month, amount in (("2025-02", 700), ("2025-03", 300), ("2025-01", 9_999)):
        session.add(IncomeHistory(month=month, amount=yuan(amount)))
    session.flush()
    assert figures.income_of_year(session, "2026-01") == yuan(1_000)
    assert figures.income_of_year(session, "2026-02") == yuan(300)
    assert figures.income_of_year(session, "2026-03") == 0
    first = provisions.provide_unearned(year.ctx(), year.period(1))
    released = provisions.provide_unearned(year.ctx(), year.period(2))
    assert (first.amount, released.amount) == (yuan(500), yuan(-350))
    assert released.voucher.memo == "转回 2026-02 未到期责任准备金"
    assert balance_of(session, "6501", "2026-02") == yuan(150)


def test_transfers_of_profit_are_no_income(year, session):
    session.delete(session.scalars(select(Fee)).one())  # else the close would recognise it
    set_parameter(session, "closing.business_required", "否")  # the fee's voucher stays
    income(year, 1, 10_000)
    year.close(1)
    assert figures.income_of_year(session, "2026-01") == yuan(10_000)


# ---------------------------------------------------------------------------------------------------------------- 赔偿
def test_one_percent_a_year_by_months_less_what_is_booked(year, session):
    first = provisions.provide_compensation(year.ctx(), year.period(1))
    assert (first.base, first.required, first.amount) == (
        yuan(4_000_000),
        yuan("3333.33"),
        yuan("3333.33"),
    )
    repay(session, 4_000_000, date(2026, 2, 3))
    second = provisions.provide_compensation(year.ctx(), year.period(2))
    # 80 万 x 1 % x 2/12 is less than January's charge: the difference goes back.
    assert (second.base, second.required, second.booked, second.amount) == (
        yuan(800_000),
        yuan("1333.33"),
        yuan("3333.33"),
        yuan("-2000.00"),
    )
    assert balance_of(session, "2602", "2026-02") == yuan("1333.33")


def reserve(year, amount: int) -> None:
    """A reserve that earlier years left."""
    year.period(12, year=2025)
    year.post(date(2025, 12, 31), year.line("4104", amount), year.line("2602", 0, amount))


@pytest.mark.parametrize(
    ("standing", "release", "wanted"),
    [
        (396_000, "否", "3333.33"),  # below 10 % even after the charge
        (398_000, "否", "2000.00"),  # only up to 400,000
        (400_000, "否", "0.00"),
        (500_000, "否", "0.00"),
        (500_000, "是", "-100000.00"),
    ],
)
def test_at_ten_percent_only_the_difference_is_charged(year, session, standing, release, wanted):
    reserve(year, standing)
    set_parameter(session, "provision.compensation_release", release)
    made = provisions.provide_compensation(year.ctx(), year.period(1))
    assert made.amount == yuan(wanted)
    assert ("累计上限" in made.formula) == (wanted != "3333.33")
    assert (made.voucher is None) == (wanted == "0.00")


def test_above_the_cap_this_years_charge_is_still_trued_up(year, session):
    reserve(year, 396_000)
    provisions.provide_compensation(year.ctx(), year.period(1))
    repay(session, 4_000_000, date(2026, 2, 3))
    made = provisions.provide_compensation(year.ctx(), year.period(2))
    assert made.amount == yuan("-2000.00")
    assert "不转回，本次 -2,000.00" in made.formula


# ------------------------------------------------------------------------------------------------------------ 责任余额
def test_the_liability_is_that_of_the_day(year, session):
    assert liability_on(session, date(2026, 1, 14)) == 0
    assert liability_on(session, last(1)) == yuan(4_000_000)
    repay(session, 1_000_000, date(2026, 2, 1))
    assert liability_on(session, last(1)) == yuan(4_000_000)
    assert liability_on(session, last(2)) == yuan(3_200_000)
    taken_back = session.scalars(select(Repayment)).one()
    taken_back.state, taken_back.reversed_on, taken_back.reversal_reason = (
        RepaymentState.REVERSED,
        last(2),
        "误",
    )
    session.flush()
    # of what stands on the loan, 400 万 x 80 %
    assert liability_on(session, last(2)) == yuan(3_200_000)


def test_weights_hold_for_the_past_as_well(year, session):
    session.scalars(select(Project)).one().small_kind = SmallKind.SMALL
    session.flush()
    assert liability_on(session, last(1)) == yuan(3_000_000)  # 500 万 x 80 % x 75 %
    repay(session, 5_000_000, date(2026, 1, 20))
    assert liability_on(session, last(1)) == 0


def test_a_loan_that_the_bank_let_the_company_go_from_counts_until_that_day(year, session):
    repay(session, 1_000_000, date(2026, 2, 1))
    loan = session.scalars(select(Drawdown)).one()
    loan.state, loan.closed_on = DrawdownState.RELEASED, date(2026, 2, 20)
    session.flush()
    assert liability_on(session, last(1)) == yuan(4_000_000)
    assert liability_on(session, date(2026, 2, 19)) == yuan(3_200_000)
    assert liability_on(session, date(2026, 2, 20)) == 0
    assert liability_on(session, last(2)) == 0


def test_repayments_of_loans_that_came_later_do_not_count(year, session):
    repay(session, 5_000_000, date(2026, 3, 1))
    assert liability_on(session, date(2026, 1, 14)) == 0


# ---------------------------------------------------------------------------------------------------------------- 年结
def test_appropriations_follow_the_profit_both_ways(year, session):
    session.delete(session.scalars(select(Fee)).one())
    december = year.period(12)
    year.post(last(12), year.line("1221", 100_000), year.line("6301", 0, 100_000))
    made = provisions.appropriate(year.ctx(), december)
    assert [(e.account.code, e.debit, e.credit) for e in made.entries] == [
        ("4104", yuan(10_000), yuan(0)),
        ("4101", yuan(0), yuan(10_000)),
        ("4104", yuan(10_000), yuan(0)),
        ("4102", yuan(0), yuan(10_000)),
    ]
    assert provisions.appropriate(year.ctx(), december) is None
    year.post(last(12), year.line("6711", 40_000), year.line("1221", 0, 40_000))
    provisions.appropriate(year.ctx(), december)
    assert (
        balance_of(session, "4101", "2026-12")
        == balance_of(session, "4102", "2026-12")
        == yuan(6_000)
    )
    kinds = [
        c.kind
        for c in session.scalars(select(ProvisionCalculation).order_by(ProvisionCalculation.id))
    ]
    assert kinds == [ProvisionKind.SURPLUS, ProvisionKind.GENERAL] * 2


def test_both_reserves_come_after_making_up_earlier_losses(year, session):
    """A loss of 100,000, then a profit of 1,000,000: 90,000 each."""
    session.delete(session.scalars(select(Fee)).one())
    year.period(12, year=2025)
    year.post(date(2025, 12, 31), year.line("4104", 100_000), year.line("1221", 0, 100_000))
    year.post(last(12), year.line("1221", 1_000_000), year.line("6301", 0, 1_000_000))
    provisions.appropriate(year.ctx(), year.period(12))
    assert (
        balance_of(session, "4101", "2026-12")
        == balance_of(session, "4102", "2026-12")
        == yuan(90_000)
    )
    words = "本年净利润 1,000,000.00，弥补以前年度亏损 100,000.00 后 900,000.00 × 10% = 90,000.00"
    kept = session.scalars(select(ProvisionCalculation)).all()
    assert [words in calculation.formula for calculation in kept] == [True, True]


def test_one_appropriation_may_be_switched_off(year, session):
    session.delete(session.scalars(select(Fee)).one())
    december = year.period(12)
    year.post(last(12), year.line("1221", 100_000), year.line("6301", 0, 100_000))
    set_parameter(session, "provision.general_pct", "0")
    assert len(provisions.appropriate(year.ctx(), december).entries) == 2


def test_helpers_of_months_and_sides():
    assert figures.month_before("2026-01", 1) == "2025-12"
    assert figures.month_before("2026-03", 14) == "2025-01"
    assert figures.on_side(yuan(5), Direction.DEBIT) == (yuan(5), yuan(0))
    assert figures.on_side(yuan(-5), Direction.DEBIT) == (yuan(0), yuan(5))
    assert figures.on_side(yuan(5), Direction.CREDIT) == (yuan(0), yuan(5))
    assert figures.on_side(yuan(-5), Direction.CREDIT) == (yuan(5), yuan(0))


@pytest.mark.parametrize(("base", "charge"), [("ALL", "3333.33"), ("FINANCING", "0")])
def test_a_performance_bond_counts_for_the_provision_by_parameter(year, session, base, charge):
    """4,000,000 of 履约担保 at 1 % a year: 3,333.33 for January, or nothing where 融资担保 alone counts."""
    session.get_one(Project, year.books.project.id).guarantee_kind = GuaranteeKind.PERFORMANCE
    set_parameter(session, "provision.compensation_base", base)
    made = figures.compensation(session, year.period(1))
    assert (liability_on(session, last(1)), made.amount) == (0, Decimal(charge))
    assert made.formula.startswith(
        "担保责任余额 4,000,000.00" if base == "ALL" else "融资担保责任余额 0.00"
    )
