"""Recompute the books from their entries and name the first row that is wrong (architecture rule 6, `flask verify`)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from models.base.columns import Money
from models.base.money import format_money
from models.ledger import (
    ZERO,
    Account,
    AccountBalance,
    AccountingPeriod,
    AuxiliaryBalance,
    BusinessEvent,
    EventState,
    Voucher,
    VoucherEntry,
    VoucherState,
    VoucherWord,
)
from reports.figures.balances import number_gaps
from workflows.ledger.balances import AUXILIARIES
from workflows.ledger.chain import GENESIS, ChainHead, ChainLine, link
from workflows.ledger.entries import AUXILIARIES as ENTRY_AUXILIARIES
from workflows.ledger.guards import guards_present

CHUNK = 1000
POSTED = Voucher.state == VoucherState.POSTED
Kept = tuple[Decimal, Decimal, Decimal, Decimal]


def verify_ledger(session: Session) -> list[str]:
    """Every kind of error found in the books, each naming its first wrong row; empty when all is well."""
    return [error for check in CHECKS for error in check(session)]


def check_guards(session: Session) -> Iterator[str]:
    """The triggers that keep posted vouchers as they are."""
    if not guards_present(session.connection()):
        yield "已记账凭证的数据库保护触发器缺失"


def check_balanced(session: Session) -> Iterator[str]:
    """Every voucher balances and carries the total of its entries."""
    debit, credit = func.sum(VoucherEntry.debit), func.sum(VoucherEntry.credit)
    query = (
        select(Voucher.code, debit, credit)
        .outerjoin(VoucherEntry, VoucherEntry.voucher_id == Voucher.id)
        .group_by(Voucher.id, Voucher.code, Voucher.total)
        .having(func.coalesce(debit, 0) != func.coalesce(credit, 0))
        .order_by(Voucher.id)
        .limit(1)
    )
    for code, left, right in session.execute(query):
        yield f"凭证 {code} 借贷不平：借方 {format_money(left)}，贷方 {format_money(right)}"
    totals = (
        select(Voucher.code)
        .outerjoin(VoucherEntry, VoucherEntry.voucher_id == Voucher.id)
        .group_by(Voucher.id, Voucher.code, Voucher.total)
        .having(func.coalesce(debit, 0) != Voucher.total)
        .order_by(Voucher.id)
        .limit(1)
    )
    for code in session.scalars(totals):
        yield f"凭证 {code} 的合计金额与分录不符"


def check_numbers(session: Session) -> Iterator[str]:
    """No posted voucher stands above a missing number of its series."""
    query = (
        select(Voucher.period_id, Voucher.word_id, AccountingPeriod.code, VoucherWord.name, func.max(Voucher.number))
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .join(VoucherWord, VoucherWord.id == Voucher.word_id)
        .where(POSTED)
        .group_by(Voucher.period_id, Voucher.word_id, AccountingPeriod.code, VoucherWord.name)
        .order_by(AccountingPeriod.code, VoucherWord.name)
    )
    for period_id, word_id, code, name, last in session.execute(query):
        gaps = number_gaps(session, period_id, word_id, below=last)
        if gaps:
            yield f"{code} {name}字凭证缺号 {gaps[0]}"


def check_chain(session: Session) -> Iterator[str]:
    """Each posted voucher carries the hash of its content and of its predecessor, in the order of posting."""
    expected, previous = 1, GENESIS
    for row, lines in _chained(session):
        if row.posting_no != expected:
            yield f"记账序号 {expected} 缺失"
            return
        head = ChainHead(row.code, row.date.isoformat(), row.memo, row.attachments, row.reverses or "")
        if row.previous_hash != previous or row.hash != link(previous, head, lines):
            yield f"凭证 {row.code} 的校验链不符，内容可能被改动"
            return
        expected, previous = expected + 1, row.hash


def check_balances(session: Session) -> Iterator[str]:
    """Kept balances equal the entries, account by account and period by period."""
    yield from _compare(
        session, AccountBalance, ("account_id",), _movements(session, (VoucherEntry.account_id,)), "科目余额"
    )


def check_auxiliaries(session: Session) -> Iterator[str]:
    """Kept auxiliary balances equal the entries that carry an auxiliary."""
    columns = tuple(func.coalesce(getattr(VoucherEntry, name), 0) for name in AUXILIARIES)
    rows = (r for r in _movements(session, (VoucherEntry.account_id, *columns)) if any(r[3:-2]))
    yield from _compare(session, AuxiliaryBalance, ("account_id", *AUXILIARIES), rows, "辅助余额")


def check_events(session: Session) -> Iterator[str]:
    """A booked event has exactly one voucher in force, any other event none."""
    reversal = aliased(Voucher)
    in_force = (
        select(Voucher.event_id, func.count().label("vouchers"))
        .outerjoin(reversal, and_(reversal.reverses_id == Voucher.id, reversal.state != VoucherState.VOID))
        .where(Voucher.state != VoucherState.VOID, Voucher.reverses_id.is_(None), reversal.id.is_(None))
        .group_by(Voucher.event_id)
        .subquery()
    )
    wanted = case((BusinessEvent.state == EventState.BOOKED, 1), else_=0)
    found = func.coalesce(in_force.c.vouchers, 0)
    query = (
        select(BusinessEvent.number, BusinessEvent.state, found)
        .outerjoin(in_force, in_force.c.event_id == BusinessEvent.id)
        .where(wanted != found)
        .order_by(BusinessEvent.id)
        .limit(1)
    )
    for number, state, count in session.execute(query):
        yield f"复核单 {number}（{state.label}）有 {count} 张有效凭证"


CHECKS = (
    check_guards,
    check_balanced,
    check_numbers,
    check_chain,
    check_balances,
    check_auxiliaries,
    check_events,
)


def _chained(session: Session) -> Iterator[tuple[Any, list[ChainLine]]]:
    """Posted vouchers in order with what the chain covers of them, read in chunks by posting number."""
    reversed_one = aliased(Voucher)
    query = (
        select(
            Voucher.id,
            Voucher.posting_no,
            Voucher.code,
            Voucher.date,
            Voucher.memo,
            Voucher.attachments,
            reversed_one.code.label("reverses"),
            Voucher.previous_hash,
            Voucher.hash,
        )
        .outerjoin(reversed_one, reversed_one.id == Voucher.reverses_id)
        .where(POSTED)
        .order_by(Voucher.posting_no)
        .limit(CHUNK)
    )
    last = 0
    while rows := session.execute(query.where(Voucher.posting_no > last)).all():
        lines = _chain_lines(session, [row.id for row in rows])
        for row in rows:
            yield row, lines.get(row.id, [])
        last = rows[-1].posting_no


def _chain_lines(session: Session, voucher_ids: list[int]) -> dict[int, list[ChainLine]]:
    query = (
        select(
            VoucherEntry.voucher_id,
            VoucherEntry.line_no,
            Account.code,
            VoucherEntry.memo,
            VoucherEntry.debit,
            VoucherEntry.credit,
            VoucherEntry.auxiliary_keys,
            VoucherEntry.cash_flow,
        )
        .join(Account, Account.id == VoucherEntry.account_id)
        .where(VoucherEntry.voucher_id.in_(voucher_ids))
        .order_by(VoucherEntry.voucher_id)
    )
    return {
        voucher_id: [
            ChainLine(r[1], r[2], r[3], f"{r[4]:.2f}", f"{r[5]:.2f}", r[6], r[7].name if r[7] else "") for r in rows
        ]
        for voucher_id, rows in groupby(session.execute(query), key=itemgetter(0))
    }


def _movements(session: Session, keys: tuple[Any, ...]) -> list[Any]:
    """(period code, period id, key..., debit, credit) of posted entries in the order of periods."""
    query: Select[Any] = (
        select(
            AccountingPeriod.code,
            AccountingPeriod.id,
            *keys,
            func.sum(VoucherEntry.debit, type_=Money()),
            func.sum(VoucherEntry.credit, type_=Money()),
        )
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(POSTED)
        .group_by(AccountingPeriod.code, AccountingPeriod.id, *keys)
        .order_by(AccountingPeriod.code)
    )
    return list(session.execute(query))


def _compare(
    session: Session, table: Any, names: tuple[str, ...], movements: Iterable[Any], label: str
) -> Iterator[str]:
    expected: dict[Any, Kept] = {}
    closings: dict[Any, Decimal] = {}
    for row in movements:
        key, (debit, credit) = tuple(row[2:-2]), row[-2:]
        opening = closings.get(key, ZERO)
        closings[key] = opening + debit - credit
        expected[row[1], *key] = (opening, debit, credit, closings[key])
    columns = (table.period_id, *(getattr(table, name) for name in names))
    query = select(*columns, table.opening, table.debit, table.credit, table.closing).order_by(*columns)
    kept = {tuple(row[:-4]): tuple(row[-4:]) for row in session.execute(query)}
    for key in sorted(expected.keys() | kept.keys()):
        if kept.get(key) != expected.get(key):
            period = session.get_one(AccountingPeriod, key[0])
            account = session.get_one(Account, key[1])
            yield (
                f"{label}与凭证不符：{period.code} {account}{_named(names[1:], key[2:])}，"
                f"账上 {_shown(kept.get(key))}，凭证 {_shown(expected.get(key))}"
            )
            return


def _named(names: tuple[str, ...], values: tuple[int, ...]) -> str:
    return "".join(
        f" {ENTRY_AUXILIARIES[name][2]}（序号{value}）" for name, value in zip(names, values, strict=True) if value
    )


def _shown(kept: Any) -> str:
    if kept is None:
        return "无"
    return "/".join(format_money(amount) for amount in kept)
