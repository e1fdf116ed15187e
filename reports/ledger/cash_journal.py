"""日记账 (8.4): what came into and went out of a cash or bank account day by day, with 本日合计 and the balance."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.base.errors import FieldErrors
from models.base.kinds import MenuGroup, Module
from models.ledger.account import ZERO, Account, AccountingPeriod
from models.ledger.voucher import Voucher, VoucherEntry
from reports.base.asked import Asked
from reports.base.params import date_range, pick
from reports.base.report import Found, Report, additive, balance, register, words
from reports.figures.balances import leaves_of
from reports.figures.movements import Course, Moved, Wanted, course
from reports.ledger.detail_ledger import PAGE_MAX, ledger_line, so_far, unposted
from reports.ledger.entries import BROUGHT, LedgerRow, entries, ledger_rows, sum_row

COLUMNS = (
    words("date", "日期", kind="date"),
    words("voucher_code", "凭证字号"),
    words("memo", "摘要", is_long=True),
    words("opposite", "对方科目", is_long=True),
    additive("debit", "借方（收入）"),
    additive("credit", "贷方（支出）"),
    words("side", "方向"),
    balance("balance", "余额"),
    words("auxiliaries", "辅助核算", is_long=True),
    words("source", "业务单据"),
)


@dataclass(frozen=True)
class CashJournal:
    """A page of the journal; `lines` have 本日合计 below each day, 本月合计 and 本年累计 below each month."""

    opening: LedgerRow
    rows: list[LedgerRow]
    lines: list[LedgerRow]
    total: Moved
    closing: Decimal
    count: int


def cash_journal(
    session: Session,
    account: Account,
    first: date,
    last: date,
    *,
    offset: int = 0,
    limit: int = PAGE_MAX,
    with_unposted: bool = False,
) -> CashJournal:
    """日记账 of a cash or bank account over the days `first` to `last`; rows from `offset` on, at most 200.

    Raises FieldErrors for an account that holds no money.
    """
    leaves = _leaves(session, account)
    is_ours = VoucherEntry.account_id.in_(leaves)
    month = f"{first:%Y-%m}"
    known = course(session, Wanted(leaves, with_unposted=with_unposted), month, f"{last:%Y-%m}")
    # Kept balances know months; what the first of them moved before the first day is read from its entries.
    earlier = (is_ours, AccountingPeriod.code == month, Voucher.date < first)
    begun = _moved(session, entries(*earlier, with_unposted=with_unposted))
    query = entries(is_ours, Voucher.date.between(first, last), with_unposted=with_unposted)
    total = _moved(session, query)
    before = _by(session, query.limit(offset), "period") if offset else {}
    opening = known.opening + begun.net
    brought = opening + sum((moved.net for moved in before.values()), ZERO)
    before[month] = before.get(month, Moved()) + begun
    size = min(max(limit, 1), PAGE_MAX)
    page = session.execute(query.offset(offset).limit(size + 1)).all()
    found = so_far(ledger_rows(session, page, brought), before)
    return CashJournal(
        sum_row(BROUGHT[1] if offset else BROUGHT[0], ZERO, ZERO, brought),
        found[:size],
        _with_sums(found, size, _Sums(session, query, found[:size], known, {month: begun})),
        total,
        closing=opening + total.net,
        count=session.scalar(select(func.count()).select_from(query.subquery())) or 0,
    )


class _Sums:
    """What the days and months on a page have moved, whether they are all on it or not."""

    def __init__(
        self,
        session: Session,
        query: Select[Any],
        rows: list[LedgerRow],
        known: Course,
        begun: dict[str, Moved],
    ) -> None:
        """`begun` is what was moved in a month before the first day of the journal."""
        of_days = query.where(Voucher.date.in_({row.date for row in rows}))
        of_months = query.where(AccountingPeriod.code.in_({row.period for row in rows}))
        self.known, self.days = known, _by(session, of_days, "date")
        self.months = _by(session, of_months, "period")
        for code, moved in begun.items():
            self.months[code] = self.months.get(code, Moved()) + moved

    def year_to(self, month: str) -> Moved:
        """本年累计 at the last day of the journal, or of the month."""
        before = f"{month[:4]}-{int(month[5:]) - 1:02d}"
        return self.known.year_to(before) + self.months[month]


def _with_sums(found: list[LedgerRow], size: int, sums: _Sums) -> list[LedgerRow]:
    """The rows of a page; 本日合计 below the last one of a day, 本月合计 and 本年累计 below that of a month."""
    lines = []
    for at, row in enumerate(found[:size]):
        following = found[at + 1] if at + 1 < len(found) else None
        lines.append(row)
        if following is None or following.date != row.date:
            lines.append(_sum("本日合计", sums.days[row.date], row))
        if following is None or following.period != row.period:
            lines.append(_sum("本月合计", sums.months[row.period], row))
            lines.append(_sum("本年累计", sums.year_to(row.period), row))
    return lines


def _leaves(session: Session, account: Account) -> list[int]:
    leaves = leaves_of(session, account.code)
    other = select(Account.id).where(Account.id.in_(leaves), Account.is_cash_bank.is_(False))
    if not leaves or session.scalar(other.limit(1)) is not None:
        raise FieldErrors({"account": [f"“{account}”不是现金银行科目，请看明细账"]})
    return leaves


def _moved(session: Session, query: Select[Any]) -> Moved:
    rows = query.order_by(None).subquery()
    sums = (func.sum(rows.c[side], type_=Money()) for side in ("debit", "credit"))
    return Moved(*(amount or ZERO for amount in session.execute(select(*sums)).one()))


def _by(session: Session, query: Select[Any], key: str) -> dict[Any, Moved]:
    rows = query.subquery()
    sums = (func.sum(rows.c[side], type_=Money()) for side in ("debit", "credit"))
    asked = select(rows.c[key], *sums).group_by(rows.c[key])
    return {row[0]: Moved(row[1], row[2]) for row in session.execute(asked)}


def _sum(memo: str, moved: Moved, after: LedgerRow) -> LedgerRow:
    row = sum_row(memo, moved.debit, moved.credit, after.signed)
    return replace(row, debit_so_far=after.debit_so_far, credit_so_far=after.credit_so_far)


# ======================================================================================================== the report
def _first_account(asked: Asked) -> Account | None:
    """What stands there before anybody has chosen."""
    query = select(Account).where(Account.is_cash_bank, Account.is_active).order_by(Account.code)
    return asked.session.scalars(query.limit(1)).one_or_none()


def _lines(asked: Asked) -> Found:
    account = asked["account"]
    if account is None:
        return Found([], is_asked=False, empty="没有现金银行科目")
    found = cash_journal(
        asked.session,
        account,
        asked["first"],
        asked["last"],
        offset=asked.offset,
        limit=asked.limit or PAGE_MAX,
        with_unposted=asked["unposted"],
    )
    return Found(
        [ledger_line(asked, row, COLUMNS) for row in (found.opening, *found.lines)],
        totals={
            "debit": found.total.debit,
            "credit": found.total.credit,
            "balance": abs(found.closing),
        },
        heading=str(account),
        span=f"{asked['first']} 至 {asked['last']}",
        note=f"共 {found.count} 笔" + ("，含未记账凭证" if asked["unposted"] else ""),
        count=found.count,
    )


register(
    Report(
        "cash-journal",
        "日记账",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={
            **date_range(),
            "account": replace(pick("现金银行科目", "account"), default=_first_account),
            **unposted(),
        },
        menu=MenuGroup.BOOKS,
        rank=72,
        help="现金和银行科目逐日逐笔；本月合计、本年累计截至所选结束日期",
        empty="所选日期没有收付",
        total_label="本期合计",
        total_at="memo",
        over_time=True,
        page_size=PAGE_MAX,
    )
)
