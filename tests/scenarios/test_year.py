"""A year of the books as a business story, from the old books' balances to the first month of the next year.

Everybody does the part of their own role (year_business.py); 石慧 closes each month in the first days of the next,
through the job that the screen and `flask month-end` start. What must come out is worked out in year_figures.py.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select

from app.demo import story, year
from app.demo.stage import Stage as Director
from app.demo.stage import workday
from models.base.entity import STAMPS
from models.base.errors import BusinessError, Conflict
from models.ledger.account import (
    Account,
    AccountBalance,
    AccountCategory,
    AccountingPeriod,
    AuxiliaryBalance,
    PeriodState,
)
from models.ledger.closing import MonthEndLog, OpeningImport
from models.ledger.statement import StatementKind, StatementRow
from models.ledger.voucher import Voucher, VoucherEntry, VoucherState
from models.system.setup import JobRun, JobStatus
from reports.figures.balances import balance_of, of_accounts
from reports.ledger.statements import (
    Statement,
    account_rows,
    accounts_of_row,
    balance_sheet,
    income_statement,
    issued,
    statement,
    unmapped,
)
from reports.ledger.trial_balance import trial_balance
from tests.scenarios.company import DATA, founded
from tests.scenarios.year_business import DEALS, by_hand, every_month, guarantee, until, write
from tests.scenarios.year_figures import NET, WANTED, WANTED_JANUARY, WANTED_SHEET, WANTED_YEAR
from tests.workflows.ledger.year import AUXILIARIES, BALANCES, edge_of
from workflows.base.jobs import Taken
from workflows.ledger import closing, opening
from workflows.verify import CHECKS

BEGINS_WITH = "installed"

CLOSER = story.CHIEF
MONTHS = [f"2026-{month:02d}" for month in range(1, 13)]
LAST_DAY = date(2027, 2, 26)
# 石慧 closes on the fourth, or the workday after; February had to wait for her, December for the last papers.
CLOSED_ON = {2: date(2026, 4, 6), 12: date(2027, 1, 8)}
# What stops her at first: when she comes to close one month -> the month she tries, and what she reads.
STOPS = {
    "2026-02": ("2026-03", "上期已结账未通过：2026-02 尚未结账"),
    "2026-08": ("2026-08", "1 张未审核：2026-08-付-0002"),
    "2026-11": ("2026-11", "1 笔待复核：FH2026-"),
}


@pytest.fixture
def company(session, tmp_path):
    return founded(session, tmp_path, LAST_DAY)


def test_a_year_from_the_old_books_to_the_next_january(company):
    the_old_books_are_taken_over(company)
    scenes = [guarantee(company, deal) for deal in DEALS]
    scenes += [by_hand(company), every_month(company), month_ends(company)]
    company.run([(company.today, scene) for scene in scenes], lambda day: year.roll(company, day))
    logs = company.session.scalars(select(MonthEndLog).order_by(MonthEndLog.id)).all()
    assert [log.period.code for log in logs] == [*MONTHS, *MONTHS[9:], "2027-01"]
    problems = {check.label: check.run(company.session) for check in CHECKS}
    assert not {label: found for label, found in problems.items() if found}


# ---------------------------------------------------------------------------------------------------------- the opening
def the_old_books_are_taken_over(company: Director) -> None:
    """石慧 looks at both files first: customers that are unknown are named; allowed to make them, all of it fits."""
    ctx, session = company.ctx(CLOSER), company.session
    strict = opening.preview_opening(ctx, BALANCES, AUXILIARIES)
    assert "客户“成都历史客户000有限公司”（913201046JMED63378）不存在" in strict.errors[0].text
    plan = opening.preview_opening(ctx, BALANCES, AUXILIARIES, create_customers=True)
    assert (plan.errors, plan.total, len(plan.new_customers)) == ([], Decimal("254539976.17"), 12)
    assert session.scalar(select(func.count()).select_from(OpeningImport)) == 0

    opening.load_opening(ctx, BALANCES, AUXILIARIES, create_customers=True)
    rows = [
        row
        for row in openpyxl.load_workbook(DATA / BALANCES[0]).active.values
        if str(row[0]).isdecimal()
    ]
    stated = {
        f"{code[:4]}.{code[4:]}".rstrip("."): Decimal(amount.replace(",", ""))
        for code, _, _, amount in rows
    }
    assert len(stated) == 20
    assert {code: balance_of(session, code, "2025-12") for code in stated} == stated
    totals = trial_balance(session, "2025-12", "2025-12").totals
    assert totals.closing_debit == totals.closing_credit == Decimal("254539976.17")


# ----------------------------------------------------------------------------------------------------------- month-ends
def month_ends(company: Director) -> Iterator[int]:
    """Twelve months are closed one by one, the last quarter once more, and January of the next year."""
    yield until(company, date(2026, 1, 30))
    with pytest.raises(BusinessError, match="未到 2026-01 期末"):
        month_end(company, "2026-01")
    for month in range(1, 13):
        yield until(company, CLOSED_ON.get(month) or workday(date(2026, month % 12 + 1, 4)))
        close(company, MONTHS[month - 1])
        the_month_is_as_worked_out(company, month)
    the_year_is_as_worked_out(company)
    yield until(company, date(2027, 1, 12))
    the_last_quarter_is_opened_and_closed_again(company)
    the_next_year_begins_at_zero(company)
    yield until(company, date(2027, 2, 4))
    close(company, "2027-01")
    assert figures(income_statement(company.session, "2027-01"), "current") == amounts(
        WANTED_JANUARY
    )


def close(company: Director, code: str) -> None:
    """吴洁 books the depreciation; what is not in order yet stops the closing and is named, then it is mended."""
    ends_on = closing.find_period(company.session, code).ends_on
    write(company, "transfer", "计提折旧", "50000", "6601.06", "1602", ends_on)
    story.post_vouchers(company)
    if code == "2026-08":
        write(company, "payment", "银行手续费", "1200.50", "6603", "1002.01", ends_on)
    if code in STOPS:
        tried, words = STOPS[code]
        with pytest.raises(Conflict, match=words):
            month_end(company, tried)
    story.book_events(company, None)
    story.post_vouchers(company)
    run = month_end(company, code)
    attempts = 2 if code in {tried for tried, _ in STOPS.values()} else 1
    assert (run.job, run.status, run.attempts) == (
        f"month_end:{code}",
        JobStatus.SUCCEEDED,
        attempts,
    )
    with pytest.raises(Taken, match=f"{code} 已结账"):  # closed is closed
        month_end(company, code)


def month_end(company: Director, code: str) -> JobRun:
    """石慧 asks for it as the screen and `flask month-end` do: the period is prepared, then its job runs."""
    closing.prepare(company.ctx(CLOSER), code)
    company.session.commit()
    now = datetime.combine(company.today, time(9), UTC)
    try:
        return closing.run_month_end(edge_of(company.session, now), code, company.actor(CLOSER))
    finally:
        company.session.expire_all()


def the_month_is_as_worked_out(company: Director, month: int) -> None:
    """利润表 to the fen; 资产负债表 balances; both are issued; the year's profit waits in 4103 until 年结."""
    session, code = company.session, MONTHS[month - 1]
    sheet, income = balance_sheet(session, code), income_statement(session, code)
    assert figures(income, "current") == amounts(WANTED[month])
    assert (sheet.is_balanced, sheet.unmapped, income.unmapped, unmapped(session)) == (
        True,
        [],
        [],
        [],
    )
    assert [issued(session, found.kind, code).lines for found in (sheet, income)] == [
        sheet.lines,
        income.lines,
    ]
    profit = sum(Decimal(WANTED[number][NET]) for number in range(1, month + 1))
    assert balance_of(session, "4103", code) == (profit if month < 12 else 0)


def the_year_is_as_worked_out(company: Director) -> None:
    """The year's 利润表, 资产负债表 with the opening beside it, and each account behind one row of one of them."""
    session, code = company.session, "2026-12"
    sheet = balance_sheet(session, code)
    assert figures(income_statement(session, code), "prior") == amounts(WANTED_YEAR)
    found = {
        line.row_no: (line.current, line.prior)
        for line in sheet.lines
        if line.current or line.prior
    }
    assert found == {row: tuple(map(Decimal, pair)) for row, pair in WANTED_SHEET.items()}
    rows = session.scalars(select(StatementRow)).all()
    behind = Counter(
        account.code for row in rows for account, *_ in accounts_of_row(session, row, code)
    )
    assert set(behind.values()) == {1}
    leaves = set(session.scalars(select(Account.id).where(Account.is_leaf)))
    assert {account for account, row in account_rows(session).items() if row} == leaves


def figures(found: Statement, column: str) -> dict[int, Decimal]:
    """The rows that take in accounts, and 净利润, where they are not zero."""
    lines = [line for line in found.lines if line.row_id or line.row_no == NET]
    return {line.row_no: getattr(line, column) for line in lines if getattr(line, column)}


def amounts(wanted: dict[int, str]) -> dict[int, Decimal]:
    return {row: Decimal(amount) for row, amount in wanted.items()}


# --------------------------------------------------------------------------------------------------------------- 反结账
def the_last_quarter_is_opened_and_closed_again(company: Director) -> None:
    """The auditors ask for it; nothing has changed, so closing again gives the very same books."""
    session, quarter = company.session, MONTHS[9:]
    before = picture(company)
    with pytest.raises(Conflict, match="最近结账的期间 2026-12"):
        reopen(company, quarter[0])
    for code in reversed(quarter):
        reopen(company, code)
        assert balance_sheet(session, code).is_balanced
        assert issued(session, StatementKind.BALANCE_SHEET, code) is None
    assert balance_of(session, "4103", "2026-12") == sum(
        Decimal(WANTED[month][NET]) for month in range(1, 10)
    )
    with pytest.raises(Conflict, match="2026-10、2026-11 尚未结账"):
        month_end(company, "2026-12")
    for code in quarter:
        run = month_end(company, code)
        assert (run.status, run.job) == (JobStatus.SUCCEEDED, f"month_end:{code}#2")
    assert picture(company) == before


def reopen(company: Director, code: str) -> None:
    closing.reopen(company.ctx(CLOSER), closing.find_period(company.session, code), "审计调整复核")


def picture(company: Director) -> dict[str, Any]:
    """All that anybody can read of the year: statements live and as issued, every balance, what the vouchers do."""
    session = company.session
    kinds = [(kind, code) for code in [*MONTHS, "2027-01"] for kind in StatementKind]
    kept = {
        table: session.execute(select(*(c for c in table.__table__.c if c.name not in STAMPS)))
        for table in (AccountBalance, AuxiliaryBalance)
    }
    keys = (
        AccountingPeriod.code,
        Voucher.kind,
        VoucherEntry.account_id,
        VoucherEntry.auxiliary_keys,
    )
    debit, credit = func.sum(VoucherEntry.debit), func.sum(VoucherEntry.credit)
    effect = (
        select(*keys, debit, credit)
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(Voucher.state == VoucherState.POSTED)
        .group_by(*keys)
    )
    return {
        "live": [statement(session, *of) for of in kinds],
        "issued": [issued(session, *of) for of in kinds],
        "balances": {table.__tablename__: sorted(map(tuple, rows)) for table, rows in kept.items()},
        "effect": {tuple(row[:4]): row[4:] for row in session.execute(effect) if row[4] or row[5]},
        "closed": dict(
            session.execute(select(AccountingPeriod.code, AccountingPeriod.state)).all()
        ),
    }


def the_next_year_begins_at_zero(company: Director) -> None:
    """January opens with nothing on any P&L account nor on 4103, and its statements know of no earlier profit."""
    session = company.session
    assert closing.find_period(session, "2027-01").state is PeriodState.OPEN
    figures_of_january = of_accounts(session, "2027-01", "2027-01")
    query = select(Account.id).where(
        (Account.category == AccountCategory.PROFIT) | (Account.code == "4103")
    )
    zero = {figures_of_january[key] for key in session.scalars(query) if key in figures_of_january}
    assert zero
    assert {(of.opening, of.closing) for of in zero} == {(0, 0)}
    assert not any(
        (line.current, line.prior) != (0, 0) for line in income_statement(session, "2027-01").lines
    )
