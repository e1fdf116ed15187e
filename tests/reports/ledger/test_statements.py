"""资产负债表 and 利润表: rows from accounts, each account once, balanced before and after closing, drill-down sums."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update

import reports.registry  # noqa: F401 - every report registers itself
from models.base.actor import SYSTEM
from models.base.errors import BusinessError
from models.ledger.account import Account, Direction
from models.ledger.statement import IssuedStatement, StatementAccount, StatementKind, StatementRow
from reports.base.asked import Asked
from reports.base.report import REPORTS, file_rows, table
from reports.ledger import statements
from reports.ledger.statements import (
    account_rows,
    accounts_of_row,
    balance_sheet,
    income_statement,
    statement,
    unmapped,
)
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import Year, begin, quarter

BEGINS_WITH = "installed"


@pytest.fixture
def opened(session) -> Year:
    return begin(session)


def row_of(session, kind: StatementKind, number: int) -> StatementRow:
    query = select(StatementRow).where(
        StatementRow.statement == kind, StatementRow.row_no == number
    )
    return session.scalars(query).one()


def test_the_opening_reads_as_a_balance_sheet(opened, session):
    sheet = balance_sheet(session, "2026-01")
    found = {line.row_no: line.current for line in sheet.lines if line.current}
    assert found == {
        1: yuan("186453776.17"),
        3: yuan("1280000"),
        5: yuan("9650000"),
        6: yuan("356200"),
        7: yuan("45000000"),
        11: yuan("6450000"),
        13: yuan("3200000"),
        30: yuan("252389976.17"),
        32: yuan("6420000"),
        33: yuan("12800000"),
        35: yuan("615430.25"),
        37: yuan("5140000"),
        38: yuan("11250000"),
        50: yuan("36225430.25"),
        51: yuan("200000000"),
        53: yuan("3120000"),
        54: yuan("3120000"),
        55: yuan("9924545.92"),
        60: yuan("216164545.92"),
        70: yuan("252389976.17"),
    }
    assert [line.prior for line in sheet.lines] == [line.current for line in sheet.lines]
    assert balance_sheet(session, "2025-12").line(30).prior == 0
    assert sheet.is_balanced
    assert sheet.total == yuan("252389976.17")


def test_profit_shows_in_the_sheet_before_it_is_transferred(opened, session):
    opened.post(date(2026, 1, 9), opened.line("1221", 70), opened.line("6301", 0, 70))
    sheet = balance_sheet(session, "2026-01")
    assert sheet.line(55).current == yuan("9924615.92")
    assert sheet.line(55).prior == yuan("9924545.92")
    assert sheet.is_balanced
    assert income_statement(session, "2026-01").line(21).current == yuan(70)
    assert income_statement(session, "2026-01").total == yuan(70)


def test_every_account_of_the_chart_has_one_row(session):
    assert unmapped(session) == []
    rows = {row.id: row.statement for row in session.scalars(select(StatementRow))}
    leaves = account_rows(session)
    assert None not in leaves.values()
    profit = set(
        session.scalars(select(Account.id).where(Account.code.startswith("6"), Account.is_leaf))
    )
    assert {key for key, row in leaves.items() if rows[row] is StatementKind.INCOME} == profit


def test_a_lower_account_may_have_a_row_of_its_own(opened, session):
    tax = row_of(session, StatementKind.BALANCE_SHEET, 36)
    session.add(StatementAccount(statement_row_id=tax.id, account_id=opened.account("2221.02")))
    session.flush()
    sheet = balance_sheet(session, "2026-01")
    assert sheet.line(35).current == 0
    assert sheet.line(36).current == yuan("615430.25")
    assert sheet.is_balanced


def test_an_account_without_a_row_is_listed_and_unbalances_the_sheet(opened, session):
    session.execute(
        delete(StatementAccount).where(StatementAccount.account_id == opened.account("1601"))
    )
    assert [a.code for a in unmapped(session)] == ["1601"]
    sheet = balance_sheet(session, "2026-01")
    assert sheet.unmapped == ["1601 固定资产"]
    assert sheet.differences == (yuan(-8_600_000), yuan(-8_600_000))
    assert not sheet.is_balanced


def test_an_account_in_the_wrong_statement_is_listed(opened, session):
    income = row_of(session, StatementKind.INCOME, 21)
    session.execute(
        update(StatementAccount)
        .where(StatementAccount.account_id == opened.account("1601"))
        .values(statement_row_id=income.id)
    )
    assert [a.code for a in unmapped(session)] == ["1601"]


def test_rows_open_the_accounts_that_sum_to_them(opened, session):
    sheet = balance_sheet(session, "2026-01")
    for number in (1, 11, 35):
        row = row_of(session, StatementKind.BALANCE_SHEET, number)
        behind = accounts_of_row(session, row, "2026-01")
        assert sum((now for _, now, _ in behind), Decimal(0)) == sheet.line(number).current
        assert sum((then for _, _, then in behind), Decimal(0)) == sheet.line(number).prior
    cash = row_of(session, StatementKind.BALANCE_SHEET, 1)
    assert [a.code for a, _, _ in accounts_of_row(session, cash, "2026-01")] == [
        "1001",
        "1002.01",
        "1002.02",
    ]
    opened.post(date(2026, 1, 9), opened.line("1221", 70), opened.line("6301", 0, 70))
    found = accounts_of_row(session, row_of(session, StatementKind.INCOME, 21), "2026-01")
    assert [(a.code, now, then) for a, now, then in found] == [("6301", yuan(70), yuan(70))]


def test_wrong_totals_do_not_pass_for_balance(opened, session):
    row_of(session, StatementKind.BALANCE_SHEET, 30).formula = "R1"
    session.flush()
    assert not balance_sheet(session, "2026-01").is_balanced
    session.delete(row_of(session, StatementKind.BALANCE_SHEET, 30))
    session.flush()
    sheet = balance_sheet(session, "2026-01")
    assert sheet.is_balanced
    assert sheet.total == 0


@pytest.mark.parametrize("formula", ["R99", "R30"])
def test_a_formula_that_leads_nowhere_says_so(opened, session, formula):
    row_of(session, StatementKind.BALANCE_SHEET, 30).formula = formula
    session.flush()
    with pytest.raises(BusinessError, match="公式有误"):
        balance_sheet(session, "2026-01")


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [("R1", [(1, 1)]), ("R1+R2-R30", [(1, 1), (1, 2), (-1, 30)]), ("-R1 + R2", [(-1, 1), (1, 2)])],
)
def test_formulas_are_read(formula, wanted):
    assert statements.terms(formula) == wanted


@pytest.mark.parametrize("formula", ["", "1", "R1*R2", "R1+", "R1R2"])
def test_other_texts_are_no_formulas(formula):
    with pytest.raises(ValueError, match="R行次"):
        statements.terms(formula)


def printed(session, code, period):
    """The rows of a statement's file."""
    report = REPORTS[code]
    asked = Asked(session, SYSTEM, date(2026, 1, 31), {"period": period, "as": ""})
    return file_rows(report, table(report, report.lines(asked)))


def test_a_statement_prints_in_the_official_shape(opened, session):
    rows = printed(session, "balance-sheet", "2026-01")
    assert {len(row) for row in rows} == {8}
    assert rows[0][0] == "资产："
    assert rows[0][4] == "负债："
    assert rows[1][:4] == ["　货币资金", 1, yuan("186453776.17"), yuan("186453776.17")]
    assert rows[-1][0] == "资产总计"
    assert rows[-1][4] == "负债和所有者权益总计"
    assert [None, None, None] in [row[1:4] for row in rows]
    rows = printed(session, "income-statement", "2026-01")
    assert {len(row) for row in rows} == {4}
    assert rows[-1][0] == "六、净利润"
    assert rows[1][0].startswith("　")


def test_a_side_that_is_longer_or_empty_still_pairs(opened, session):
    for number in range(31, 71):
        for row in session.scalars(select(StatementRow).where(StatementRow.row_no == number)):
            if row.statement is StatementKind.BALANCE_SHEET and number not in (31, 70):
                session.delete(row)
    row_of(session, StatementKind.BALANCE_SHEET, 70).formula = "R31"
    session.flush()
    pairs = statements.paired(balance_sheet(session, "2026-01"))
    assert pairs[-1][0][1] == "资产总计"
    assert pairs[-1][1][1] == "负债和所有者权益总计"
    for row in session.scalars(select(StatementRow).where(StatementRow.side == Direction.CREDIT)):
        session.delete(row)
    session.flush()
    assert {right for _, right in statements.paired(balance_sheet(session, "2026-01"))} == {
        (None, "")
    }


def test_what_was_issued_stays_as_it_was(session):
    year = quarter(session)
    year.close(1)
    kept = statements.issued(session, StatementKind.BALANCE_SHEET, "2026-01")
    before = balance_sheet(session, "2026-01").lines
    assert kept.lines == before
    row_of(session, StatementKind.BALANCE_SHEET, 1).label = "现金及银行"
    session.flush()
    assert statements.issued(session, StatementKind.BALANCE_SHEET, "2026-01").lines == before
    assert balance_sheet(session, "2026-01").lines != before
    titles = {str(item) for item in session.scalars(select(IssuedStatement))}
    assert titles == {f"2026-01 {kind.label}" for kind in StatementKind}
    assert statement(session, StatementKind.INCOME, "2026-01").heads == ("本月金额", "本年累计")
    assert str(row_of(session, StatementKind.INCOME, 40)) == "利润表 40 六、净利润"
