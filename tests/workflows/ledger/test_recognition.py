"""担保费收入确认: by guarantee years or by days, to the last fen, once; waivers and releases taken into account."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models.base.errors import BusinessError
from models.base.paper import PaperState
from models.guarantee.project import ProjectState
from models.guarantee.release import Release
from models.guarantee.signing import Fee, FeeWaiver
from models.ledger.closing import IncomeRecognition, IncomeSchedule, ScheduleSource
from models.ledger.rule import PostingRule
from models.ledger.voucher import Voucher, VoucherKind
from reports.figures import recognition as figures
from reports.figures.balances import balance_of
from reports.figures.fees import recognised_total
from reports.figures.recognition import Term
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import begin, last, quarter, set_parameter
from workflows.ledger import posting, provisions, recognition

TWO_YEARS = Term(date(2025, 3, 20), date(2027, 3, 20), date(2025, 3, 20), 24)


# ------------------------------------------------------------------------------------------------------------- figures
def test_a_guarantee_year_is_income_from_its_first_day():
    amount = yuan(2400)
    by = {
        date(2025, 3, 19): 0,
        date(2025, 3, 20): 1200,
        date(2026, 3, 19): 1200,
        date(2026, 3, 20): 2400,
        date(2027, 3, 20): 2400,
    }
    assert {day: figures.earned_by(amount, TWO_YEARS, day, "AT_DRAWDOWN") for day in by} == by


def test_a_guarantee_of_29_february_has_its_second_year_from_the_28th():
    term = Term(date(2028, 2, 29), date(2030, 2, 28), date(2028, 2, 29), 24)
    days = [date(2028, 2, 28), date(2028, 2, 29), date(2029, 2, 27), date(2029, 2, 28)]
    assert [figures.earned_by(yuan(2400), term, day, "AT_DRAWDOWN") for day in days] == [
        0,
        1200,
        1200,
        2400,
    ]


def test_a_part_of_a_year_weighs_by_its_months():
    term = Term(date(2025, 1, 1), date(2026, 7, 1), date(2025, 1, 1), 18)
    assert figures.earned_by(yuan(1800), term, date(2025, 6, 30), "AT_DRAWDOWN") == yuan(1200)


def test_what_an_opening_left_belongs_to_the_years_to_come():
    left = Term(date(2025, 3, 20), date(2027, 3, 20), date(2026, 1, 1), 24)
    assert figures.covered_years(left) == [(date(2026, 3, 20), 12)]
    last_year = Term(date(2025, 3, 20), date(2026, 3, 20), date(2026, 1, 1), 12)
    assert figures.covered_years(last_year) == [(date(2026, 1, 1), 12)]


@given(
    st.integers(1, 10**9),
    st.integers(1, 1500),
    st.sampled_from(["EVENLY", "MONTHLY", "AT_DRAWDOWN"]),
)
def test_income_never_falls_and_ends_at_the_whole(fen, days, mode):
    amount = Decimal(fen).scaleb(-2)
    first = date(2025, 1, 31)
    end = date.fromordinal(first.toordinal() + days)
    term = Term(first, end, first, figures.months_between(first, end))
    steps = [
        figures.earned_by(amount, term, date.fromordinal(first.toordinal() + n), mode)
        for n in range(-1, days + 2)
    ]
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] == steps[-2] == amount


# --------------------------------------------------------------------------------------------------------------- verbs
def month(year, number: int) -> list[Voucher]:
    return recognition.recognise(year.ctx(), year.period(number))


def test_openings_are_recognised_at_their_anniversaries(session):
    year = begin(session)
    made = [sum((v.total for v in month(year, number)), Decimal(0)) for number in range(1, 13)]
    september, october, november = (
        535_000 + 535_000 + 588_500,
        535_000 + 321_000 + 428_000,
        535_000 + 321_000,
    )
    wanted = [0, 0, 535_000, 428_000, 321_000, 1_337_500, 0, 0, september, october, november, 0]
    assert made == [yuan(amount) for amount in wanted]
    assert balance_of(session, "2203", "2026-12") == 0
    assert {s.recognised - s.amount for s in session.scalars(select(IncomeSchedule))} == {yuan(0)}
    assert month(year, 12) == []


def test_openings_spread_by_days_leave_nothing_behind(session):
    year = begin(session)
    set_parameter(session, "income.recognition_mode", "EVENLY")
    first = month(year, 1)[0]
    # 321,000 over 1 January 2026 to 17 November 2027 are 685 days, 31 of them in January.
    entries = [e for e in first.entries if e.account.code == "2203"]
    assert entries[0].debit == yuan("14527.01")
    assert first.kind is VoucherKind.RECOGNITION
    assert month(year, 1) == []
    total = sum((v.total for n in range(2, 13) for v in month(year, n)), first.total)
    left = balance_of(session, "2203", "2026-12")
    assert total + left == yuan("6420000")
    found = sum(r.amount for r in session.scalars(select(IncomeRecognition)))
    assert found == total


def test_openings_spread_by_months_share_in_the_months_that_are_left(session):
    year = begin(session)
    set_parameter(session, "income.recognition_mode", "MONTHLY")
    # 321,000 of November 2025 to October 2027: 22 months are left.
    first = next(e for e in month(year, 1)[0].entries if e.account.code == "2203")
    assert first.debit == yuan("14590.91")


def test_a_fee_of_a_year_without_vat_is_income_in_twelve_equal_parts(session):
    """1,200,000 for a year, 按月均摊: after five months 2203 stands at 700,000 and 6031 at 500,000."""
    year = quarter(session, date(2026, 1, 1))
    set_parameter(session, "income.recognition_mode", "MONTHLY")
    fee, of = session.scalars(select(Fee)).one(), {"customer_id": year.books.customer.id}
    of["project_id"] = year.books.project.id
    fee.amount, fee.vat_amount, fee.vat_rate_pct = yuan(1_200_000), yuan(0), Decimal(0)
    day = date(2026, 1, 1)
    back = year.line("2203", 0, -60000, **of), year.line("2221.01.02", 0, -3600)
    year.post(day, year.line("1122", -63600, **of), *back)
    year.post(day, year.line("1122", 1_200_000, **of), year.line("2203", 0, 1_200_000, **of))
    year.post(day, year.line("1002", 1_200_000), year.line("1122", 0, 1_200_000, **of))
    for number in range(1, 6):
        assert [v.total for v in month(year, number)] == [yuan(100_000)]
        provisions.provide_unearned(year.ctx(), year.period(number))
    assert balance_of(session, "2203", "2026-05") == yuan(700_000)
    assert balance_of(session, "6031", "2026-05") == yuan(500_000)
    assert balance_of(session, "2601", "2026-05") == 0
    assert [v.total for number in range(6, 13) for v in month(year, number)] == [yuan(100_000)] * 7
    assert balance_of(session, "2203", "2026-12") == 0


def test_a_common_year_has_365_days():
    term = Term(date(2026, 1, 1), date(2027, 1, 1), date(2026, 1, 1), 12)
    assert figures.earned_by(yuan(365), term, last(1), "EVENLY") == yuan(31)


def test_a_fee_gets_its_schedule_with_the_first_recognition(session):
    year = quarter(session)
    set_parameter(session, "income.recognition_mode", "EVENLY")
    fee = session.scalars(select(Fee)).one()
    assert figures.due_total(session, last(1)) == yuan("2794.52")
    month(year, 1)
    schedule = session.scalars(select(IncomeSchedule)).one()
    assert (schedule.source, schedule.fee_id, schedule.amount) == (
        ScheduleSource.FEE,
        fee.id,
        yuan(60_000),
    )
    assert schedule.recognised == recognised_total(session, fee) == yuan("2794.52")
    assert figures.due_total(session, last(1)) == 0
    month(year, 2)
    assert schedule.recognised == yuan("7397.26")


def test_what_an_event_recognised_at_the_drawdown_is_not_recognised_again(session):
    year = quarter(session)
    fee = session.scalars(select(Fee)).one()
    posting.raise_event(
        year.ctx(),
        "income.recognised",
        record=fee,
        project=year.books.project,
        amounts={"amount": yuan(60_000)},
        on=date(2026, 1, 15),
    )
    assert month(year, 1) == []


def test_a_waiver_makes_the_rest_smaller(session):
    year = quarter(session)
    set_parameter(session, "income.recognition_mode", "EVENLY")
    month(year, 1)
    fee = session.scalars(select(Fee)).one()
    session.add(
        FeeWaiver(
            number="JM-T1",
            project_id=fee.project_id,
            fee_id=fee.id,
            amount=yuan(31_800),
            reason="减半",
            state=PaperState.APPROVED,
        )
    )
    session.flush()
    month(year, 2)
    schedule = session.scalars(select(IncomeSchedule)).one()
    assert (schedule.amount, schedule.recognised) == (yuan(30_000), yuan("3698.63"))
    session.scalars(select(FeeWaiver)).one().amount = yuan(63_600)
    session.flush()
    assert month(year, 3) == []  # the waiver's own voucher takes the income back


@pytest.mark.parametrize(
    ("released_on", "wanted"),
    [(date(2026, 1, 31), ["60000.00"]), (date(2026, 2, 1), ["2794.52", "57205.48"])],
)
def test_a_guarantee_has_earned_its_fee_from_the_day_of_its_release(session, released_on, wanted):
    year = quarter(session)
    set_parameter(session, "income.recognition_mode", "EVENLY")
    project = year.books.project
    facts = {"state": PaperState.APPROVED, "approved_on": released_on, "released_on": released_on}
    session.add(Release(number="JB-T1", project_id=project.id, **facts))
    project.state, project.balance = ProjectState.RELEASED, yuan(0)
    session.flush()
    # 17 of 365 days of 60,000 are January's; the rest is of the month of the release, also where January waited.
    assert [str(v.total) for number in (1, 2, 3) for v in month(year, number)] == wanted


def test_without_its_rule_nothing_is_recognised(session):
    year = quarter(session)
    for rule in session.scalars(
        select(PostingRule).where(PostingRule.event_code == "income.recognised")
    ):
        rule.is_active = False
    session.flush()
    with pytest.raises(BusinessError, match="记账规则"):
        month(year, 1)


def test_many_shares_take_several_vouchers(session, monkeypatch):
    year = begin(session)
    set_parameter(session, "income.recognition_mode", "EVENLY")
    monkeypatch.setattr(recognition, "SHARES", 5)
    assert [len(v.entries) for v in month(year, 1)] == [10, 10, 4]
