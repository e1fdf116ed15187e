"""Recompute the books from their entries and name the first row that is wrong (architecture rule 6, `flask verify`)."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from models.base.columns import Money
from models.base.entity import entity_of
from models.base.money import format_money
from models.ledger.account import ZERO, Account, AccountBalance, AccountingPeriod, AuxiliaryBalance
from models.ledger.closing import MonthEndLog
from models.ledger.voucher import (
    BusinessEvent,
    EventState,
    Voucher,
    VoucherEntry,
    VoucherState,
    VoucherWord,
)
from models.system.setup import AuditLog, NumberCounter
from reports.figures.balances import number_gaps
from workflows.ledger.balances import AUXILIARIES
from workflows.ledger.chain import (
    COUNTER,
    GENESIS,
    SEEN,
    SEEN_LINE,
    ChainHead,
    ChainLine,
    hash_of_seen,
    link,
)
from workflows.ledger.entries import AUXILIARIES as ENTRY_AUXILIARIES
from workflows.ledger.entries import natural_key
from workflows.ledger.guards import wrong_guards

CHUNK = 1000
POSTED = Voucher.state == VoucherState.POSTED
Kept = tuple[Decimal, Decimal, Decimal, Decimal]


def verify_ledger(session: Session) -> list[str]:
    """Every kind of error found in the books, each naming its first wrong row; empty when all is well."""
    return [error for check in CHECKS for error in check(session)]


def check_guards(session: Session) -> Iterator[str]:
    """The triggers that keep posted vouchers as they are."""
    yield from wrong_guards(session.connection())[:1]


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
        select(
            Voucher.period_id,
            Voucher.word_id,
            AccountingPeriod.code,
            VoucherWord.name,
            func.max(Voucher.number),
        )
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
        head = ChainHead(
            row.code, row.date.isoformat(), row.memo, row.attachments, row.reverses or ""
        )
        if row.previous_hash != previous or row.hash != link(previous, head, lines):
            yield f"凭证 {row.code} 的校验链不符，内容可能被改动"
            return
        expected, previous = expected + 1, row.hash
    counted = (
        session.scalar(select(NumberCounter.last_no).where(NumberCounter.rule_code == COUNTER)) or 0
    )
    if counted != expected - 1:
        yield f"记账序号应到 {counted}，凭证链只到 {expected - 1}，最后的已记账凭证缺失"


def check_reviewed(session: Session) -> Iterator[str]:
    """What waits for the cashier or for posting is what its reviewer saw."""
    head = select(
        Voucher.id, Voucher.code, Voucher.reviewed_hash, *(getattr(Voucher, name) for name in SEEN)
    )
    waiting = head.where(Voucher.state.in_((VoucherState.REVIEWED, VoucherState.SIGNED)))
    for row in _streamed(session, waiting.order_by(Voucher.id)):
        lines = select(*(getattr(VoucherEntry, name) for name in SEEN_LINE)).where(
            VoucherEntry.voucher_id == row[0]
        )
        found = session.execute(lines.order_by(VoucherEntry.line_no)).all()
        if row[2] != hash_of_seen(row[3:], found):
            yield f"凭证 {row[1]} 的内容与审核时不同，可能被改动"
            return


def check_auxiliary_ids(session: Session) -> Iterator[str]:
    """Whom each posted entry is about is whom its keys name, which the chain covers, by that or an earlier number."""
    ids = [getattr(VoucherEntry, name) for name in ENTRY_AUXILIARIES]
    others = [aliased(entity_of(table)) for table, *_ in ENTRY_AUXILIARIES.values()]
    columns = [getattr(other, "number", None) or other.code for other in others]
    labels = [label for *_, label in ENTRY_AUXILIARIES.values()]
    parts = [
        case((own.is_(None), ""), else_=literal(f"{label}=") + func.coalesce(column, "?") + ";")
        for own, column, label in zip(ids, columns, labels, strict=True)
    ]
    expected = parts[0] + parts[1] + parts[2] + parts[3]
    kept = case((VoucherEntry.auxiliary_keys == "", ""), else_=VoucherEntry.auxiliary_keys + ";")
    query = select(Voucher.code, VoucherEntry.line_no, kept, *ids)
    query = query.join(Voucher, Voucher.id == VoucherEntry.voucher_id)
    for own, other in zip(ids, others, strict=True):
        query = query.outerjoin(other, other.id == own)
    known: dict[tuple[str, int, str], bool] = {}
    for code, line, keys, *found in _streamed(
        session, query.where(POSTED, kept != expected).order_by(VoucherEntry.id)
    ):
        if not _were_called(session, keys, found, known):
            yield f"凭证 {code} 第 {line} 行的辅助核算与其编号“{keys.rstrip(';')}”不符，内容可能被改动"
            return


def _were_called(
    session: Session, keys: str, ids: Sequence[int | None], known: dict[tuple[str, int, str], bool]
) -> bool:
    """Whether the records of these ids have been called by these keys, now or, as the trail tells, before."""
    named = dict(part.split("=", 1) for part in keys.split(";") if "=" in part)
    for (table, _, label), own in zip(ENTRY_AUXILIARIES.values(), ids, strict=True):
        key = named.pop(label, None)
        if (key is None) != (own is None):
            return False
        if key is not None and own is not None:
            place = (table, own, key)
            if place not in known:
                known[place] = key in _names_of(session, table, own)
            if not known[place]:
                return False
    return not named


def _names_of(session: Session, table: str, record_id: int) -> set[str]:
    """The number or code of a record, and those it had before."""
    record = session.get(entity_of(table), record_id)
    if record is None:
        return set()
    told = select(AuditLog.changes).where(
        AuditLog.table_name == record.__tablename__,
        AuditLog.record_id == record_id,
        AuditLog.action == "UPDATE",
    )
    before = (
        changes[name][0]
        for changes in session.scalars(told)
        for name in ("number", "code")
        if name in changes
    )
    return {natural_key(record), *map(str, before)}


def check_closings(session: Session) -> Iterator[str]:
    """Each closing names the voucher that was the last one posted, with its hash."""
    query = (
        select(MonthEndLog.round, AccountingPeriod.code, MonthEndLog.posting_no)
        .join(AccountingPeriod, AccountingPeriod.id == MonthEndLog.period_id)
        .outerjoin(Voucher, Voucher.posting_no == MonthEndLog.posting_no)
        .where(
            MonthEndLog.posting_no > 0, func.coalesce(Voucher.hash, "") != MonthEndLog.chain_hash
        )
        .order_by(MonthEndLog.id)
        .limit(1)
    )
    for number, code, posting_no in session.execute(query):
        yield f"{code} 第 {number} 次结账的凭证链校验码与记账序号 {posting_no} 的凭证不符"


def check_balances(session: Session) -> Iterator[str]:
    """Kept balances equal the entries, account by account and period by period."""
    yield from _compare(session, AccountBalance, ("account_id",), "科目余额")


def check_auxiliaries(session: Session) -> Iterator[str]:
    """Kept auxiliary balances equal the entries that carry an auxiliary."""
    yield from _compare(session, AuxiliaryBalance, ("account_id", *AUXILIARIES), "辅助余额")


def check_events(session: Session) -> Iterator[str]:
    """A booked event has exactly one voucher in force, any other event none."""
    reversal = aliased(Voucher)
    in_force = (
        select(Voucher.event_id, func.count().label("vouchers"))
        .outerjoin(
            reversal, and_(reversal.reverses_id == Voucher.id, reversal.state != VoucherState.VOID)
        )
        .where(
            Voucher.state != VoucherState.VOID, Voucher.reverses_id.is_(None), reversal.id.is_(None)
        )
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
    check_reviewed,
    check_auxiliary_ids,
    check_closings,
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
            ChainLine(
                r[1],
                r[2],
                r[3],
                debit=f"{r[4]:.2f}",
                credit=f"{r[5]:.2f}",
                auxiliaries=r[6],
                cash_flow=r[7].name if r[7] else "",
            )
            for r in rows
        ]
        for voucher_id, rows in groupby(session.execute(query), key=itemgetter(0))
    }


def _movements(session: Session, names: tuple[str, ...]) -> Iterator[tuple[Any, Kept]]:
    """((key..., period code), balance) by the posted entries, in the order of keys and periods, as they stream."""
    is_auxiliary = len(names) > 1
    columns = [
        func.coalesce(getattr(VoucherEntry, name), 0)
        if is_auxiliary
        else getattr(VoucherEntry, name)
        for name in names
    ]
    sums = [func.sum(amount, type_=Money()) for amount in (VoucherEntry.debit, VoucherEntry.credit)]
    query: Select[Any] = (
        select(*columns, AccountingPeriod.code, *sums)
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(POSTED)
        .group_by(*columns, AccountingPeriod.code)
        .order_by(*columns, AccountingPeriod.code)
    )
    if is_auxiliary:
        query = query.where(or_(*(getattr(VoucherEntry, name).is_not(None) for name in names[1:])))
    last, closing = None, ZERO
    for *key, code, debit, credit in _streamed(session, query):
        opening = closing if key == last else ZERO
        last, closing = key, opening + debit - credit
        yield (*key, code), (opening, debit, credit, closing)


def _kept(session: Session, table: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, Kept]]:
    columns = [getattr(table, name) for name in names]
    query = (
        select(
            *columns, AccountingPeriod.code, table.opening, table.debit, table.credit, table.closing
        )
        .join(AccountingPeriod, AccountingPeriod.id == table.period_id)
        .order_by(*columns, AccountingPeriod.code)
    )
    for row in _streamed(session, query):
        yield tuple(row[:-4]), tuple(row[-4:])


def _streamed(session: Session, query: Select[Any]) -> Iterator[Any]:
    with session.execute(query, execution_options={"yield_per": CHUNK}) as rows:
        yield from rows


def _compare(session: Session, table: Any, names: tuple[str, ...], label: str) -> Iterator[str]:
    """The first difference of two streams in the same order; neither is ever in memory."""
    movements, kept = _movements(session, names), _kept(session, table, names)
    for wanted, found in zip_longest(movements, kept):
        if wanted == found:
            continue
        key = min(side[0] for side in (wanted, found) if side is not None)
        of = [side[1] if side is not None and side[0] == key else None for side in (found, wanted)]
        account = session.get_one(Account, key[0])
        yield (
            f"{label}与凭证不符：{key[-1]} {account}{_named(names[1:], key[1:-1])}，"
            f"账上 {_shown(of[0])}，凭证 {_shown(of[1])}"
        )
        return


def _named(names: tuple[str, ...], values: tuple[int, ...]) -> str:
    return "".join(
        f" {ENTRY_AUXILIARIES[name][2]}（序号{value}）"
        for name, value in zip(names, values, strict=True)
        if value
    )


def _shown(kept: Any) -> str:
    if kept is None:
        return "无"
    return "/".join(format_money(amount) for amount in kept)
