"""What a fee comes to, the VAT inside it, and its plan: exact to the fen, whatever the terms."""

from datetime import date
from decimal import Decimal

import pytest

from models.guarantee.product import FeePayment
from reports.figures.fees import due_date, fee_amount, fee_dues, first_year_part, vat_inside

START = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("base", "rate", "months", "is_annual", "expected"),
    [
        ("5000000", "1.5", 12, True, "75000.00"),
        ("5000000", "1.5", 18, True, "112500.00"),
        ("5000000", "0.2", 18, False, "10000.00"),
        ("100.00", "1.5", 1, True, "0.13"),  # 0.125, half up
        ("5000000", "0", 12, True, "0.00"),
    ],
)
def test_amount_is_base_times_rate_by_the_month_where_the_rate_is_annual(
    base, rate, months, is_annual, expected
):
    assert fee_amount(Decimal(base), Decimal(rate), months, is_annual=is_annual) == Decimal(
        expected
    )


@pytest.mark.parametrize(("rate", "expected"), [("6", "4245.28"), ("0", "0.00"), ("3", "2184.47")])
def test_vat_lies_inside_the_amount(rate, expected):
    assert vat_inside(Decimal("75000.00"), Decimal(rate)) == Decimal(expected)


@pytest.mark.parametrize("payment", FeePayment)
@pytest.mark.parametrize("months", [1, 5, 12, 18, 36])
@pytest.mark.parametrize("amount", ["0.01", "0.07", "100.00", "75000.00", "112500.01"])
def test_parts_sum_exactly_and_none_is_negative(payment, months, amount):
    dues = fee_dues(Decimal(amount), payment, START, months)
    assert sum(due.amount for due in dues) == Decimal(amount)
    assert all(due.amount >= 0 for due in dues)
    assert [due.seq for due in dues] == list(range(1, len(dues) + 1))


def test_a_plan_follows_the_way_of_payment():
    yearly = fee_dues(Decimal(112500), FeePayment.YEARLY, START, 18)
    assert [(d.due_on, d.amount) for d in yearly] == [
        (START, Decimal(75000)),
        (date(2027, 1, 31), Decimal(37500)),
    ]
    monthly = fee_dues(Decimal(300), FeePayment.MONTHLY, START, 3)
    assert [d.due_on for d in monthly] == [START, date(2026, 2, 28), date(2026, 3, 31)]
    assert [(d.due_on, d.amount) for d in fee_dues(Decimal(9), FeePayment.ONE_OFF, START, 36)] == [
        (START, Decimal(9))
    ]


def test_nothing_has_no_plan_and_one_off_is_due_at_the_start():
    assert fee_dues(Decimal(0), FeePayment.ONE_OFF, START, 12) == []
    assert due_date(FeePayment.ONE_OFF, START, 1) == START
    assert due_date(FeePayment.YEARLY, START, 3) == date(2028, 1, 31)


def test_only_the_first_twelve_months_belong_to_the_first_year():
    assert first_year_part(Decimal(100), 12) == 100
    assert first_year_part(Decimal(100), 18) == Decimal("66.67")
    assert first_year_part(Decimal(100), 6) == 100
