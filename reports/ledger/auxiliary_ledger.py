"""辅助明细账 (8.4): the entries of each customer, project, bank or department in turn, with its own running balance."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.base.kinds import MenuGroup, Module
from models.ledger.account import ZERO, AccountingPeriod
from models.ledger.voucher import VoucherEntry
from reports.base.asked import Asked
from reports.base.params import period_range, pick, span
from reports.base.report import Found, Line, Report, additive, register, stated, words
from reports.figures.balances import Figures, leaves_of
from reports.figures.movements import Wanted, figures_by
from reports.ledger.auxiliaries import Auxiliary, asked_for, by_auxiliary
from reports.ledger.detail_ledger import PAGE_MAX, ledger_line, unposted
from reports.ledger.entries import BOOKED, BROUGHT, LedgerRow, Names, entries, ordered, sum_row

COLUMNS = (
    words("member", "辅助核算"),
    words("date", "日期", kind="date"),
    words("voucher_code", "凭证字号"),
    words("account_code", "科目编码"),
    words("memo", "摘要", is_long=True),
    words("opposite", "对方科目", is_long=True),
    additive("debit", "借方"),
    additive("credit", "贷方"),
    words("side", "方向"),
    stated("balance", "余额"),
    words("source", "业务单据"),
)
_SHOWN = COLUMNS[1:]


@dataclass(frozen=True)
class AuxiliaryLedger:
    """A page of the ledger: lines with the member that each is of, and what the whole of it moved."""

    lines: list[tuple[str, LedgerRow]]
    debit: Decimal
    credit: Decimal
    count: int


def auxiliary_ledger(
    session: Session,
    of: Auxiliary,
    first: str,
    last: str,
    *,
    account: str = "",
    offset: int = 0,
    limit: int = PAGE_MAX,
    with_unposted: bool = False,
) -> AuxiliaryLedger:
    """辅助明细账 for periods `first` to `last`, of one account (with all below it) or of all that carry the auxiliary.

    A member's lines begin with its opening balance and end with what it moved; rows from `offset` on, at most 200.
    """
    leaves = leaves_of(session, account) if account else None
    query = _entries(of, leaves, first, last, with_unposted=with_unposted)
    whole = query.order_by(None).subquery()
    sums = (func.sum(whole.c[side], type_=Money()) for side in ("debit", "credit"))
    count, debit, credit = session.execute(select(func.count(), *sums).select_from(whole)).one()
    size = min(max(limit, 1), PAGE_MAX)
    found = session.execute(query.offset(max(offset, 0)).limit(size)).all()
    members = {row.member_id for row in found}
    wanted = Wanted(leaves, {of.column: members}, with_unposted=with_unposted)
    figures = {
        key: known for (key,), known in figures_by(session, wanted, first, last, of.column).items()
    }
    lines = list(_lines_of(Names(session, found), found, figures))
    return AuxiliaryLedger(lines, debit or ZERO, credit or ZERO, count)


def _entries(
    of: Auxiliary, leaves: list[int] | None, first: str, last: str, *, with_unposted: bool
) -> Select[Any]:
    """Entries by member; each with how far its member moved up to it, and which of how many it is."""
    member = getattr(VoucherEntry, of.column)
    query = entries(
        AccountingPeriod.code.between(first, last),
        member.is_not(None),
        with_unposted=with_unposted,
    )
    if leaves is not None:
        query = query.where(VoucherEntry.account_id.in_(leaves))
    running = {"partition_by": member, "order_by": BOOKED}
    return ordered(
        query.join(of.model, of.model.id == member).add_columns(
            member.label("member_id"),
            of.code.label("member_code"),
            of.name.label("member_name"),
            func.sum(VoucherEntry.debit, type_=Money()).over(**running).label("debit_so_far"),
            func.sum(VoucherEntry.credit, type_=Money()).over(**running).label("credit_so_far"),
            func.row_number().over(**running).label("nth"),
            func.count().over(partition_by=member).label("of"),
        ),
        of.code,
        *BOOKED,
    )


def _lines_of(
    names: Names, found: list[Row[Any]] | Any, figures: dict[int, Figures]
) -> Iterator[tuple[str, LedgerRow]]:
    last_member = None
    for row in found:
        member = f"{row.member_code} {row.member_name}"
        known = figures.get(row.member_id, Figures())
        after = known.opening + row.debit_so_far - row.credit_so_far
        if row.member_id != last_member:
            brought = after - row.debit + row.credit
            yield member, sum_row(BROUGHT[0 if row.nth == 1 else 1], ZERO, ZERO, brought)
        last_member = row.member_id
        so_far = {"debit_so_far": row.debit_so_far, "credit_so_far": row.credit_so_far}
        yield member, replace(names.row(row, after), **so_far)
        if row.nth == row.of:
            yield member, replace(sum_row("本期合计", known.debit, known.credit, after), **so_far)


# ======================================================================================================== the report
def _lines(asked: Asked) -> Found:
    of, account = asked_for(asked), asked["account"]
    found = auxiliary_ledger(
        asked.session,
        of,
        asked["first"],
        asked["last"],
        account=account.code if account is not None else "",
        offset=asked.offset,
        limit=asked.limit or PAGE_MAX,
        with_unposted=asked["unposted"],
    )
    return Found(
        [_line(asked, member, row) for member, row in found.lines],
        totals={"debit": found.debit, "credit": found.credit},
        heading="　".join(filter(None, (of.label, str(account) if account is not None else ""))),
        span=span(asked["first"], asked["last"]),
        note=f"共 {found.count} 笔" + ("，含未记账凭证" if asked["unposted"] else ""),
        count=found.count,
    )


def _line(asked: Asked, member: str, row: LedgerRow) -> Line:
    line = ledger_line(asked, row, _SHOWN)
    return replace(
        line,
        values={**line.values, "member": member},
        carried={**line.carried, "member": member},
    )


register(
    Report(
        "auxiliary-ledger",
        "辅助明细账",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={
            **period_range(),
            "by": by_auxiliary(),
            "account": pick("会计科目", "account"),
            **unposted(),
        },
        menu=MenuGroup.BOOKS,
        rank=75,
        help="所选期间没有发生额的不列出，余额见辅助余额表",
        empty="所选期间没有发生额",
        total_label="本期合计",
        total_at="memo",
        group_by="member",
        has_subtotals=False,
        page_size=PAGE_MAX,
    )
)
