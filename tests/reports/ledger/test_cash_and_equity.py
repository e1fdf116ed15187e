"""现金流量表 and 所有者权益变动表 (8.5): figures worked out once more from entries, and against the balance sheet."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

import reports.registry  # noqa: F401 - every report registers itself
from models.base.actor import SYSTEM
from models.base.errors import BusinessError
from models.ledger.account import Account
from models.ledger.closing import OpeningImport
from models.ledger.statement import RowSource, StatementKind, StatementRow
from models.ledger.voucher import CashFlow, Voucher, VoucherKind, VoucherState
from reports.base.asked import Asked
from reports.base.report import REPORTS, table
from reports.ledger.statements import (
    balance_sheet,
    cash_flow_statement,
    equity_statement,
    frozen,
    income_statement,
    issued,
    thawed,
)
from tests import plans
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import Year, begin, ordinary_month, quarter
from workflows.ledger import closing
from workflows.ledger.entries import Line

BEGINS_WITH = "installed"
CASH = ("1001", "1002", "1012")
MARCH = "2026-03"


@pytest.fixture
def young(session) -> Year:
    """A young company: capital paid in, wages and interest of three months, each with its cash-flow item or without."""
    year = quarter(session)
    money(year, 1, "1002", 2000, "6011", CashFlow.INTEREST_RECEIVED)
    money(year, 2, "1002", -700, "6603", CashFlow.COMMISSION_PAID)
    money(year, 3, "1002", -300, "6403", CashFlow.TAX_PAID)
    money(
        year, 3, "1002", 500, "2002", CashFlow.DEPOSIT_RECEIVED, customer_id=year.books.customer.id
    )
    year.post(date(2026, 3, 12), year.line("1001", 90), year.line("1002", 0, 90), word="payment")
    return year


def money(year: Year, month: int, cash: str, amount: int, other: str, flow, **about):
    """Money that comes in, or goes out where the amount is negative."""
    item = Line(year.account(cash), yuan(max(amount, 0)), yuan(max(-amount, 0)), cash_flow=flow)
    against = year.line(other, max(-amount, 0), max(amount, 0), **about)
    return year.post(date(2026, month, 10), item, against)


def posted(session) -> list[Voucher]:
    query = select(Voucher).options(selectinload(Voucher.entries))
    return [v for v in session.scalars(query) if v.state is VoucherState.POSTED]


def codes_of(session) -> dict[int, str]:
    return dict(session.execute(select(Account.id, Account.code)).all())


def flows_told(session, months) -> dict:
    """Money by item, from vouchers: what stays among cash accounts and what an opening brought left out."""
    codes, found = codes_of(session), defaultdict(Decimal)
    for voucher in posted(session):
        tops = {codes[entry.account_id].split(".")[0] for entry in voucher.entries}
        if voucher.kind is VoucherKind.OPENING or f"{voucher.date:%Y-%m}" not in months:
            continue
        for entry in voucher.entries:
            if codes[entry.account_id].split(".")[0] not in CASH:
                continue
            amount = entry.debit - entry.credit
            if entry.cash_flow is not None:
                found[entry.cash_flow] += amount
            elif not tops <= set(CASH):
                found[RowSource.UNTOLD_IN if amount > 0 else RowSource.UNTOLD_OUT] += amount
    return dict(found)


def rows_of(session, kind) -> dict[int, StatementRow]:
    query = select(StatementRow).where(StatementRow.statement == kind)
    return {row.row_no: row for row in session.scalars(query)}


def test_flows_stand_under_the_items_that_entries_carry(young, session):
    found = cash_flow_statement(session, MARCH)
    rows = rows_of(session, StatementKind.CASH_FLOW)
    for months, name in (((MARCH,), "current"), (("2026-01", "2026-02", MARCH), "prior")):
        wanted = flows_told(session, months)
        for line in found.lines:
            row = rows[line.row_no]
            item = row.cash_flow or row.takes
            if item is not None and item is not RowSource.CASH_AT_START:
                signed = getattr(line, name) * (1 if row.side.name == "DEBIT" else -1)
                assert signed == wanted.pop(item, 0), row.label
        assert wanted == {}
    assert (found.line(4).prior, found.line(15).prior, found.line(16).current) == (2000, 700, 300)
    assert (found.line(71).current, found.line(80).current) == (100_001_300, 100_001_500)
    assert found.line(80).prior == found.total == balance_sheet(session, MARCH).line(1).current
    assert found.line(71).prior == 0
    assert found.unmapped == []


def test_money_that_nobody_told_the_purpose_of_is_said_and_not_guessed(young, session):
    found = cash_flow_statement(session, MARCH)
    assert (found.line(61).prior, found.line(61).current) == (100_000_000, 0), "the capital"
    assert found.wrong == ["未指定现金流量项目的流入：本年 100,000,000.00"]
    year_two = cash_flow_statement(session, "2027-01")
    assert (year_two.wrong, year_two.line(80).current) == ([], found.line(80).current)
    money(young, 3, "1002", -40, "6603", None)
    money(young, 3, "1002", 40, "6603", None)
    both = cash_flow_statement(session, MARCH)
    assert (both.line(61).current, both.line(62).current) == (40, 40), "one does not hide the other"
    assert len(both.wrong) == 2
    assert both.line(80).current == found.line(80).current


def test_money_between_our_own_accounts_is_no_flow(young, session):
    assert cash_flow_statement(session, MARCH).line(62).current == 0
    young.post(date(2026, 3, 20), young.line("1012", 5), young.line("1002", 0, 5))
    assert cash_flow_statement(session, MARCH).line(62).current == 0


def test_a_reversal_takes_its_item_back(young, session):
    before = cash_flow_statement(session, MARCH)
    paid = money(young, 3, "1002", -250, "6603", CashFlow.COMMISSION_PAID)
    red = Line(paid.entries[0].account_id, credit=yuan(-250), cash_flow=CashFlow.COMMISSION_PAID)
    young.post(date(2026, 3, 25), red, young.line("6603", -250))
    assert cash_flow_statement(session, MARCH).lines == before.lines


def test_an_opening_was_there_before(session):
    opened = begin(session)
    found = cash_flow_statement(session, "2026-01")
    sheet = balance_sheet(session, "2026-01")
    assert found.line(71).current == found.line(80).current == sheet.line(1).current > 0
    assert (found.line(70).current, found.wrong) == (0, [])
    assert found.notes, "an opening in January's books says until when the old ones went"
    assert opened.account("1001")


def test_an_item_without_a_row_is_named(young, session):
    session.delete(rows_of(session, StatementKind.CASH_FLOW)[16])
    session.flush()
    with pytest.raises(BusinessError, match="公式有误"):
        cash_flow_statement(session, MARCH)
    rows_of(session, StatementKind.CASH_FLOW)[20].formula = "R11+R12+R13+R14+R15+R17+R18"
    session.flush()
    found = cash_flow_statement(session, MARCH)
    assert found.unmapped == ["支付的各项税费"]
    assert any("资产负债表货币资金" in words for words in found.wrong)


# ------------------------------------------------------------------------------------------------------------- equity
PARTS = {"4001": "实收资本", "4002": "资本公积", "4101": "盈余公积", "4102": "一般风险准备"}


def parts_told(session, until: str) -> dict[str, Decimal]:
    """Equity by part at the end of a month, profit with what is not transferred yet, from all entries up to it."""
    codes, found = codes_of(session), defaultdict(Decimal)
    for voucher in posted(session):
        if f"{voucher.date:%Y-%m}" <= until:
            for entry in voucher.entries:
                top = codes[entry.account_id].split(".")[0]
                if top[0] in "46":
                    found[PARTS.get(top, "未分配利润")] += entry.credit - entry.debit
    return found


def agrees_with_the_books(session, period: str):
    found = equity_statement(session, period)
    assert found.wrong == []
    year = int(period[:4])
    begin_, end = parts_told(session, f"{year - 1}-12"), parts_told(session, period)
    sheet = balance_sheet(session, period)
    for label in ("实收资本", "资本公积", "盈余公积", "一般风险准备", "未分配利润"):
        assert found.line(1).parts[label] == begin_[label], label
        assert found.line(40).parts[label] == end[label], label
        moved = sum(found.line(number).parts[label] for number in (11, 12, 13, 14, 15, 16))
        assert found.line(30).parts[label] == moved == end[label] - begin_[label]
    assert found.total == sheet.line(60).current
    assert found.line(11).current == income_statement(session, period).line(40).prior
    for number in (13, 14, 16):
        assert found.line(number).current == 0, "nothing comes or goes"
    return found


def test_equity_moves_by_capital_profit_and_what_is_given_away(young, session):
    young.post(date(2026, 3, 5), young.line("1002", 800), young.line("4002", 0, 800))
    young.post(date(2026, 3, 6), young.line("4002", 300), young.line("4001", 0, 300))
    young.post(date(2026, 3, 7), young.line("4104", 120), young.line("2241.02", 0, 120))
    young.post(date(2026, 3, 8), young.line("4104", 50), young.line("4101", 0, 50))
    young.post(date(2026, 3, 9), young.line("4101", 20), young.line("4104", 0, 20))
    young.post(
        date(2026, 3, 9),
        young.line("4104", 90),
        young.line("4102", 0, 60),
        young.line("2241.02", 0, 30),
    )
    found = agrees_with_the_books(session, MARCH)
    capital = {"实收资本": yuan(100_000_000), "资本公积": yuan(800)}
    rows = {
        12: capital,
        13: {"盈余公积": yuan(50), "未分配利润": yuan(-50)},
        14: {"一般风险准备": yuan(60), "未分配利润": yuan(-60)},
        15: {"未分配利润": yuan(-150)},
        16: {
            "实收资本": yuan(300),
            "资本公积": yuan(-300),
            "盈余公积": yuan(-20),
            "未分配利润": yuan(20),
        },
    }
    for number, wanted in rows.items():
        told = {label: amount for label, amount in found.line(number).parts.items() if amount}
        assert told == wanted, number


def test_closings_and_the_end_of_the_year_move_no_more_than_profit_and_reserves(session):
    year = quarter(session)
    year.post(date(2026, 1, 20), year.line("1002", 9_000_000), year.line("6301", 0, 9_000_000))
    for month in range(1, 13):
        ordinary_month(year, month)
        agrees_with_the_books(session, f"2026-{month:02d}")
        year.close(month)
        found = agrees_with_the_books(session, f"2026-{month:02d}")
    surplus, reserve = found.line(13).parts["盈余公积"], found.line(14).parts["一般风险准备"]
    assert surplus > 0
    assert found.line(12).current == 100_000_000
    assert (found.line(15).current, any(found.line(16).parts.values())) == (0, False)
    december = year.period(12)
    closing.reopen(year.ctx(), december, "审计调整")
    year.post(date(2026, 12, 31), year.line("6603", 1000), year.line("1002", 0, 1000))
    agrees_with_the_books(session, "2026-12")
    year.close(12)
    again = agrees_with_the_books(session, "2026-12")
    assert again.line(13).parts["盈余公积"] == surplus - 100
    assert not any(again.line(16).parts.values()), "taken back in red, not moved"
    following = equity_statement(session, "2027-01")
    assert following.line(1).parts == again.line(40).parts
    assert [line.prior for line in following.lines] == [line.current for line in again.lines]
    assert reserve >= 0


def test_old_books_that_ended_within_a_year_tell_what_they_did(young, session):
    """Books from March on: the old ones had paid in 70, earned 45 and set aside 5 of it."""
    opened = next(v for v in posted(session) if v.date == date(2026, 1, 2))
    before = equity_statement(session, MARCH)
    session.add(
        OpeningImport(
            period_id=opened.period_id,
            file_name="期初.xlsx",
            digest="0" * 64,
            total=yuan(1),
            voucher_id=opened.id,
            year_figures={
                "4001": ["-100", "0", "70"],
                "4101": ["-1", "0", "5"],
                "4103": ["-3", "0", "45"],
                "4104": ["0", "5", "0"],
                "6111": ["0", "0", "45"],
            },
        )
    )
    session.flush()
    found = equity_statement(session, MARCH)
    more = {
        number: {
            label: found.line(number).parts[label] - amount
            for label, amount in before.line(number).parts.items()
            if found.line(number).parts[label] != amount
        }
        for number in (1, 11, 12, 13, 15, 16)
    }
    assert more == {
        1: {"实收资本": yuan(100), "盈余公积": yuan(1), "未分配利润": yuan(3)},
        11: {"未分配利润": yuan(45)},
        12: {"实收资本": yuan(70)},
        13: {"盈余公积": yuan(5), "未分配利润": yuan(-5)},
        15: {},
        16: {},
    }


def test_a_part_that_disagrees_is_named(young, session):
    rows_of(session, StatementKind.EQUITY)[30].formula = "R11"
    session.flush()
    assert equity_statement(session, MARCH).wrong == [
        "实收资本年末 0.00，资产负债表 100,000,000.00"
    ]
    for row in rows_of(session, StatementKind.BALANCE_SHEET).values():
        row.takes_unclosed_profit = False
    session.flush()
    with pytest.raises(BusinessError, match="未结转损益"):
        equity_statement(session, MARCH)


# -------------------------------------------------------------------------------------------------- issued, and behind
def test_all_four_are_kept_as_issued(young, session):
    ordinary_month(young, 1)
    young.close(1)
    live = {}
    for kind, make in (
        (StatementKind.CASH_FLOW, cash_flow_statement),
        (StatementKind.EQUITY, equity_statement),
    ):
        live[kind] = make(session, "2026-01")
        kept = issued(session, kind, "2026-01")
        assert (kept.lines, kept.total) == (live[kind].lines, live[kind].total)
        assert kept.is_issued
        for row in rows_of(session, kind).values():
            row.label = f"改名 {row.row_no}"
        session.flush()
        assert issued(session, kind, "2026-01").lines == live[kind].lines
        assert make(session, "2026-01").lines != live[kind].lines


def test_what_was_issued_before_there_were_parts_is_still_read(young, session):
    young.close(1)
    kept = young.session.scalars(select(closing.IssuedStatement)).first()
    kept.lines = [{k: v for k, v in row.items() if k != "parts"} for row in kept.lines]
    assert frozen(thawed(kept))[0]["parts"] == {}


def shown(session, code, **values):
    report = REPORTS[code]
    asked = Asked(session, SYSTEM, date(2026, 3, 31), values)
    found = report.lines(asked)
    return found, table(report, found)


def test_each_figure_opens_the_entries_that_make_it(young, session):
    money(young, 3, "1002", -40, "6603", None)
    rows = rows_of(session, StatementKind.CASH_FLOW)
    for line in cash_flow_statement(session, MARCH).lines:
        if line.row_id is not None:
            found, screen = shown(session, "statement-row", row=rows[line.row_no], period=MARCH)
            told = sum(one.values["now"] for one in found.lines), screen.totals["then"]
            assert told == (line.current, line.prior), line.label
            assert sum(one.values["then"] for one in found.lines) == line.prior
            assert all(one.url.startswith("/voucher/show/") for one in found.lines)
    young.post(date(2026, 3, 8), young.line("4104", 50), young.line("4101", 0, 50))
    rows = rows_of(session, StatementKind.EQUITY)
    statement = equity_statement(session, MARCH)
    for number in (11, 12, 13, 14, 15, 16):
        _, screen = shown(session, "statement-row", row=rows[number], period=MARCH)
        parts = list(statement.line(number).parts.values())
        assert [screen.totals[f"part_{at}"] for at in range(5)] == parts, number
        assert screen.totals["now"] == statement.line(number).current
    assert (
        [rows[n].id for n in (1, 10)] != [statement.line(n).row_id for n in (1, 10)] == [None] * 2
    )


def test_more_vouchers_ask_no_more_questions(young, session):
    counts = []
    for _ in range(2):
        with plans.asked(session.connection()) as sent:
            for code in ("cash-flow-statement", "equity-statement"):
                shown(session, code, period=MARCH)
        counts.append(len(sent))
        for amount in range(1, 5):
            young.post(date(2026, 3, 20), young.line("1002", amount), young.line("4002", 0, amount))
    assert counts[0] == counts[1] <= 62
