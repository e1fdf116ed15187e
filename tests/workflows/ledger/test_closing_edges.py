"""Month-ends at the edges: a month in which nothing happened, 29 February, months that are none of the books."""

from datetime import date

import pytest
from sqlalchemy import func, select

from models.base.errors import BusinessError
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.closing import MonthEndLog
from models.ledger.voucher import Voucher
from models.system.setup import JobStatus
from reports.figures.balances import balance_of
from reports.ledger.statements import balance_sheet, income_statement
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import Year, begin, edge_of, quarter, set_parameter
from workflows.ledger import closing
from workflows.ledger.verify import verify_ledger


def month_end(year: Year, code: str, today: date | None = None) -> MonthEndLog:
    """As the screen and the command do it; the log of the closing."""
    session = year.session
    closing.prepare(year.ctx(today=today), code)
    session.flush()
    run = closing.run_month_end(edge_of(session), code, year.ctx().actor)
    session.expire_all()
    assert run.status is JobStatus.SUCCEEDED
    assert closing.find_period(session, code).state is PeriodState.CLOSED
    return session.scalars(select(MonthEndLog).order_by(MonthEndLog.id.desc()).limit(1)).one()


def made_in(year: Year, code: str) -> int:
    query = select(func.count(Voucher.id)).join(Voucher.period).where(AccountingPeriod.code == code)
    return year.session.scalar(query)


def test_a_month_in_which_nothing_happened_closes_opens_and_closes_without_a_voucher(session):
    year = begin(session, with_opening=False)
    year.post(date(2026, 1, 2), year.line("1002", 100), year.line("4001", 0, 100))
    for code in ("2026-01", "2026-02", "2026-03"):
        log = month_end(year, code)
        assert (log.net_profit, log.total_assets, log.posting_no) == (0, yuan(100), 1)
    closing.reopen(year.ctx(), closing.find_period(session, "2026-03"), "再看一次")
    assert month_end(year, "2026-03").round == 2
    assert (made_in(year, "2026-02"), made_in(year, "2026-03")) == (0, 0)
    assert not any(
        (line.current, line.prior) != (0, 0) for line in income_statement(session, "2026-03").lines
    )
    assert balance_sheet(session, "2026-03").is_balanced
    assert not verify_ledger(session)


def test_the_29th_of_february_is_the_months_last_day_and_counts_as_one(session):
    leap = date(2028, 2, 29)
    year = quarter(session, leap, today=date(2028, 4, 3))
    set_parameter(session, "income.recognition_mode", "EVENLY")
    with pytest.raises(BusinessError, match="营业日期 2028-02-28 未到 2028-02 期末（2028-02-29）"):
        month_end(year, "2028-02", today=date(2028, 2, 28))
    # 60,000 over the 365 days to 28 February 2029: one is gone, 164.38; 1 % x 4,000,000 x 2/12.
    assert month_end(year, "2028-02", today=leap).net_profit == yuan("164.38") - yuan("6666.67")
    assert balance_of(session, "2203", "2028-02") == yuan("59835.62")
    # 32 days: 5,260.27, less 164.38; 1 % x 4,000,000 x 3/12 less 6,666.67.
    assert month_end(year, "2028-03").net_profit == yuan("5095.89") - yuan("3333.33")
    assert not verify_ledger(session)


@pytest.mark.parametrize(("with_opening", "earliest"), [(False, "2026-01"), (True, "2025-12")])
def test_a_month_before_the_books_is_not_made_for_closing(session, with_opening, earliest):
    year = begin(session) if with_opening else quarter(session)
    periods = select(func.count()).select_from(AccountingPeriod)
    before = session.scalar(periods)
    with pytest.raises(
        BusinessError, match=f"账上最早的会计期间是 {earliest}，没有 2025-01 可以结账"
    ):
        closing.prepare(year.ctx(), "2025-01")
    assert session.scalar(periods) == before


def test_the_first_month_of_empty_books_may_be_closed(session):
    year = begin(session, with_opening=False)
    assert month_end(year, "2026-01").total_assets == 0
