"""Schedules are exact to the fen and safe at the ends of months."""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import hypothesis
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.moments import add_months
from models.base.money import parse_amount
from models.guarantee.product import DayCount, RepaymentMethod
from reports.figures import schedules
from reports.figures.schedules import Accrual, Instalment, build_schedule, month_dues

DATA = Path(__file__).parents[2] / "data"
METHODS = ["EQUAL_INSTALMENT", "EQUAL_PRINCIPAL", "INTEREST_FIRST", "BULLET"]
PRINCIPALS = st.decimals(min_value=10_000, max_value=100_000_000, places=2)
RATES = st.decimals(min_value=0, max_value=24, places=4)
STARTS = st.dates(min_value=date(2000, 1, 1), max_value=date(2060, 12, 31))


def build(method, principal, rate, start_on, months, **terms):
    """A plan over whole months."""
    end_on = add_months(start_on, months)
    return build_schedule(RepaymentMethod[method], principal, rate, start_on, end_on, **terms)


def figures(plan):
    return [(row.due_on, row.principal, row.interest) for row in plan]


def test_the_plan_of_bank_a_comes_out_to_the_fen():
    sheet = openpyxl.load_workbook(DATA / "bank_repayment_plan_a.xlsx").active
    bank = [
        (date.fromisoformat(due.replace("/", "-")), parse_amount(principal), parse_amount(interest))
        for _, due, principal, interest, *_ in sheet.iter_rows(
            min_row=5, max_row=16, values_only=True
        )
    ]
    plan = build("EQUAL_INSTALMENT", Decimal(5_000_000), Decimal("4.35"), date(2026, 1, 15), 12)
    assert figures(plan) == bank


def test_the_plan_of_bank_b_comes_out_to_the_fen_through_month_ends_and_a_leap_year():
    sheet = openpyxl.load_workbook(DATA / "bank_repayment_plan_b.xlsx").active
    bank = [
        (due.date(), parse_amount(principal), parse_amount(interest))
        for _, due, _, principal, interest, _ in sheet.iter_rows(min_row=2, values_only=True)
    ]
    plan = build("EQUAL_INSTALMENT", Decimal(12_000_000), Decimal("3.85"), date(2026, 1, 31), 36)
    assert figures(plan) == bank


def test_equal_principal_by_hand():
    plan = build("EQUAL_PRINCIPAL", Decimal("100000.00"), Decimal(6), date(2026, 3, 10), 3)
    assert plan == [
        Instalment(1, date(2026, 4, 10), Decimal("33333.33"), Decimal("500.00")),
        Instalment(2, date(2026, 5, 10), Decimal("33333.33"), Decimal("333.33")),
        Instalment(3, date(2026, 6, 10), Decimal("33333.34"), Decimal("166.67")),
    ]


def test_interest_first_by_hand():
    plan = build("INTEREST_FIRST", Decimal(100_000), Decimal(6), date(2026, 3, 10), 3)
    assert [(row.principal, row.interest, row.total) for row in plan] == [
        (0, 500, 500),
        (0, 500, 500),
        (100_000, 500, 100_500),
    ]


def test_bullet_by_hand():
    plan = build("BULLET", Decimal(100_000), Decimal("4.35"), date(2024, 2, 29), 12)
    assert plan == [Instalment(1, date(2025, 2, 28), Decimal(100_000), Decimal("4350.00"))]


def test_the_day_of_the_start_comes_back_after_a_short_month():
    plan = build("EQUAL_PRINCIPAL", Decimal(1_200), Decimal(0), date(2027, 12, 31), 4)
    assert [row.due_on for row in plan] == [
        date(2028, 1, 31),
        date(2028, 2, 29),
        date(2028, 3, 31),
        date(2028, 4, 30),
    ]


def test_a_pay_day_moves_all_but_the_last_instalment():
    plan = build("INTEREST_FIRST", Decimal(1_200), Decimal(5), date(2026, 1, 15), 3, pay_day=31)
    assert [row.due_on for row in plan] == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 15)]


def test_months_count_backwards_too():
    assert add_months(date(2026, 1, 31), -2) == date(2025, 11, 30)
    assert add_months(date(2026, 1, 31), 0) == date(2026, 1, 31)


@given(
    method=st.sampled_from(METHODS),
    principal=PRINCIPALS,
    rate=RATES,
    start_on=STARTS,
    months=st.integers(1, 120),
    pay_day=st.none() | st.integers(1, 31),
)
def test_every_plan_adds_up(method, principal, rate, start_on, months, pay_day):
    plan = build(method, principal, rate, start_on, months, pay_day=pay_day)
    assert sum(row.principal for row in plan) == principal
    assert [row.seq for row in plan] == list(range(1, len(plan) + 1))
    assert len(plan) == (1 if method == "BULLET" else months)
    assert all(earlier.due_on < later.due_on for earlier, later in pairwise(plan))
    assert plan[0].due_on > start_on
    assert plan[-1].due_on == add_months(start_on, months)
    for row in plan:
        assert row.principal >= 0
        assert row.interest >= 0
        assert row.principal.as_tuple().exponent == row.interest.as_tuple().exponent == -2
    for row in plan[:-1]:
        day = pay_day or start_on.day
        assert row.due_on.day == min(day, monthrange(row.due_on.year, row.due_on.month)[1])


@given(principal=PRINCIPALS, rate=RATES, months=st.integers(2, 120))
def test_equal_instalments_are_equal_but_for_the_last(principal, rate, months):
    plan = build("EQUAL_INSTALMENT", principal, rate, date(2026, 1, 31), months)
    totals = {row.total for row in plan[:-1]}
    assert len(totals) == 1
    # half a fen a month, grown to the end
    growth = sum((1 + rate / 1200) ** k for k in range(months))
    assert abs(plan[-1].total - totals.pop()) <= Decimal("0.01") * growth + Decimal("0.01") * months


@given(method=st.sampled_from(METHODS), principal=PRINCIPALS, months=st.integers(1, 60))
def test_no_rate_no_interest(method, principal, months):
    plan = build(method, principal, Decimal(0), date(2024, 2, 29), months)
    assert sum(row.interest for row in plan) == 0
    assert sum(row.principal for row in plan) == principal


@pytest.mark.parametrize("method", ["EQUAL_INSTALMENT", "EQUAL_PRINCIPAL"])
def test_a_loan_too_small_to_divide_is_refused(method):
    with pytest.raises(ValueError, match="过小"):
        build(method, Decimal("0.19"), Decimal(0), date(2026, 1, 1), 12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": RepaymentMethod.CUSTOM}, "请填写各期"),
        ({"principal": Decimal(0)}, "大于 0"),
        ({"principal": Decimal(10000000000)}, "不超过"),
        ({"principal": Decimal("0.001")}, "两位小数"),
        ({"principal": Decimal("NaN")}, "有效的数字"),
        ({"rate_annual_pct": Decimal(-1)}, "年利率"),
        ({"rate_annual_pct": Decimal("Infinity")}, "有效的数字"),
        ({"end_on": date(2026, 1, 1)}, "晚于放款日期"),
        ({"end_on": date(2076, 1, 2)}, "期限"),
        ({"pay_day": 32}, "还款日"),
    ],
)
def test_terms_that_make_no_plan_are_refused_in_chinese(change, message):
    terms = {
        "method": RepaymentMethod.EQUAL_PRINCIPAL,
        "principal": Decimal(100_000),
        "rate_annual_pct": Decimal(4),
        "start_on": date(2026, 1, 1),
        "end_on": date(2027, 1, 1),
    }
    with pytest.raises(ValueError, match=message):
        build_schedule(**{**terms, **change})


# --- how days are counted: held against formulas that count them in another way ---------------------------------------

COUNTS = st.sampled_from(list(DayCount))


def year_part(day_count, anchor, first, last):
    """The part of a year between two days, counted day by day or, where months have thirty days, by their numbers."""
    if day_count is not DayCount.THIRTY_360:
        return Decimal((last - first).days) / (365 if day_count is DayCount.ACTUAL_365 else 360)

    def place(day):
        length = monthrange(day.year, day.month)[1]
        number = anchor if day.day == length and anchor > length else day.day
        return Decimal(12 * day.year + day.month) / 12 + Decimal(min(number, 30)) / 360

    return place(last) - place(first)


@hypothesis.settings(max_examples=60)
@given(
    method=st.sampled_from(METHODS),
    principal=PRINCIPALS,
    rate=RATES,
    start_on=STARTS,
    days=st.integers(1, 1500),
    day_count=COUNTS,
    pay_day=st.none() | st.integers(1, 31),
)
def test_interest_is_what_each_day_count_says(
    method, principal, rate, start_on, days, day_count, pay_day
):
    end_on = start_on + timedelta(days=days)
    method = RepaymentMethod[method]
    plan = build_schedule(
        method, principal, rate, start_on, end_on, pay_day=pay_day, day_count=day_count
    )
    assert sum(row.principal for row in plan) == principal
    assert plan[-1].due_on == end_on
    dues = [row.due_on for row in plan]
    assert dues == (
        [end_on] if method is RepaymentMethod.BULLET else month_dues(start_on, end_on, pay_day)
    )
    left, before = principal, start_on
    for row in plan:
        part = year_part(day_count, pay_day or start_on.day, before, row.due_on)
        assert abs(row.interest - left * rate * part / 100) <= Decimal("0.00501")
        left, before = left - row.principal, row.due_on


def test_months_of_every_length_cost_the_same_at_30_360_and_their_days_at_actual():
    """1,200,000 at 3.65 % drawn on 31 January of a leap year: 31 → 29 February → 31 March."""
    terms = ("INTEREST_FIRST", Decimal(1_200_000), Decimal("3.65"), date(2028, 1, 31), 2)
    each = {count: [row.interest for row in build(*terms, day_count=count)] for count in DayCount}
    assert each == {
        DayCount.THIRTY_360: [Decimal("3650.00"), Decimal("3650.00")],
        DayCount.ACTUAL_360: [Decimal("3528.33"), Decimal("3771.67")],
        DayCount.ACTUAL_365: [Decimal("3480.00"), Decimal("3720.00")],
    }


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("INTEREST_FIRST", ["6000.00", "6000.00", "1000.00"]),
        ("BULLET", ["13000.00"]),
        ("EQUAL_PRINCIPAL", ["6000.00", "4000.00", "333.33"]),
    ],
)
def test_a_last_month_that_is_cut_short_costs_its_days(method, wanted):
    """1,200,000 at 6 % from 10 January to 15 March: the last five days are no month."""
    plan = build_schedule(
        RepaymentMethod[method],
        Decimal(1_200_000),
        Decimal(6),
        date(2026, 1, 10),
        date(2026, 3, 15),
    )
    assert [str(row.interest) for row in plan] == wanted


def test_days_in_which_a_rate_changes_cost_each_its_own():
    rates = ((date(2026, 1, 1), Decimal(6)), (date(2026, 1, 16), Decimal(3)))
    accrual = Accrual(rates, DayCount.ACTUAL_360, 1)
    assert accrual.interest(Decimal(36_000), date(2026, 1, 1), date(2026, 1, 31)) == 135
    assert accrual.interest(Decimal(36_000), date(2025, 12, 31), date(2026, 1, 1)) == 6


@pytest.mark.parametrize("is_of_principal", [True, False])
def test_the_same_payment_ends_a_smaller_loan_sooner(is_of_principal):
    start, rate = date(2026, 1, 15), Decimal(6)
    accrual = Accrual(((start, rate),), DayCount.THIRTY_360, 15)
    dues = month_dues(start, add_months(start, 12))
    plan = schedules.shortened(
        Decimal(10_000), Decimal(45_000), dues, start, accrual, is_of_principal=is_of_principal
    )
    assert len(plan) == 5
    assert sum(row.principal for row in plan) == 45_000
    parts = {(row.principal if is_of_principal else row.total) for row in plan[:-1]}
    assert parts == {10_000}
    with pytest.raises(ValueError, match="不足以支付"):
        schedules.shortened(
            Decimal(100), Decimal(45_000), dues, start, accrual, is_of_principal=False
        )


def test_a_payment_that_cannot_carry_a_long_months_interest_is_refused_in_words():
    with pytest.raises(ValueError, match="利率过高"):
        build(
            "EQUAL_INSTALMENT",
            Decimal(1_000_000),
            Decimal(36),
            date(2026, 1, 1),
            600,
            day_count=DayCount.ACTUAL_360,
        )
