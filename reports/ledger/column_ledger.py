"""多栏账 (8.4): the entries of an account with a column for each account directly below it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.errors import FieldErrors
from models.base.kinds import MenuGroup, Module
from models.ledger.account import ZERO, Account, AccountingPeriod, Direction
from models.ledger.voucher import VoucherEntry
from reports.base.asked import Asked
from reports.base.params import period_range, pick, span
from reports.base.report import (
    Found,
    Line,
    Report,
    ReportColumn,
    additive,
    balance,
    register,
    words,
)
from reports.figures.balances import is_at
from reports.figures.movements import NOTHING, Course, Wanted, courses_by
from reports.ledger.detail_ledger import (
    PAGE_MAX,
    ledger_line,
    moved_before,
    so_far,
    unposted,
    with_sums,
)
from reports.ledger.entries import BROUGHT, LedgerRow, entries, ledger_rows, sum_row

CHILDREN_MAX = 16  # columns that paper holds beside those of every ledger

COLUMNS = (
    words("date", "日期", kind="date"),
    words("voucher_code", "凭证字号"),
    words("memo", "摘要", is_long=True),
    additive("debit", "借方"),
    additive("credit", "贷方"),
    words("side", "方向"),
    balance("balance", "余额"),
)


@dataclass(frozen=True)
class ColumnLedger:
    """A page of the ledger: beside each line stands what it, or a month or year, came to for each child."""

    children: list[Account]
    opening: LedgerRow
    rows: list[LedgerRow]
    lines: list[tuple[LedgerRow, dict[int, Decimal]]]
    course: Course
    totals: dict[int, Decimal]
    count: int


def column_ledger(
    session: Session,
    account: Account,
    first: str,
    last: str,
    *,
    offset: int = 0,
    limit: int = PAGE_MAX,
    with_unposted: bool = False,
) -> ColumnLedger:
    """多栏账 of an account for periods `first` to `last`: amounts of the columns are on the account's own side.

    Raises FieldErrors for an account without any below it, or with more than paper holds.
    """
    children = _children(session, account)
    child_of = _child_of(session, account, children)
    wanted = Wanted(list(child_of), with_unposted=with_unposted)
    courses: dict[int, Course] = defaultdict(lambda: NOTHING)
    for (key,), of in courses_by(session, wanted, first, last, "account_id").items():
        courses[child_of[key]] += of
    whole = sum(courses.values(), NOTHING)
    query = entries(
        AccountingPeriod.code.between(first, last),
        VoucherEntry.account_id.in_(child_of),
        with_unposted=with_unposted,
    )
    before = moved_before(session, query, offset)
    brought = whole.opening + sum((moved.net for moved in before.values()), ZERO)
    size = min(max(limit, 1), PAGE_MAX)
    page = session.execute(query.offset(offset).limit(size + 1)).all()
    found = so_far(ledger_rows(session, page, brought), before)
    sign = 1 if account.direction is Direction.DEBIT else -1
    return ColumnLedger(
        children,
        sum_row(BROUGHT[1] if offset else BROUGHT[0], ZERO, ZERO, brought),
        found[:size],
        list(_split(with_sums(whole, found, size), child_of, courses, sign)),
        whole,
        totals={key: sign * of.between(first, last).net for key, of in courses.items()},
        count=session.scalar(select(func.count()).select_from(query.subquery())) or 0,
    )


def _child_of(session: Session, account: Account, children: list[Account]) -> dict[int, int]:
    """Under which child each leaf below the account stands."""
    below = select(Account.id, Account.code).where(
        Account.is_leaf, Account.code.startswith(f"{account.code}.")
    )
    return {
        key: next(child.id for child in children if is_at(code, child.code))
        for key, code in session.execute(below)
    }


def _split(
    lines: list[LedgerRow], child_of: dict[int, int], courses: dict[int, Course], sign: int
) -> Iterator[tuple[LedgerRow, dict[int, Decimal]]]:
    """Each line with what it is of each child."""
    month = ""
    for row in lines:
        month = row.period or month  # sums stand below the entries of their month
        if row.account_id is not None:
            yield row, {child_of[row.account_id]: sign * (row.debit - row.credit)}
        elif row.memo == "本月合计":
            yield row, {key: sign * of.between(month, month).net for key, of in courses.items()}
        else:
            yield row, {key: sign * of.year_to(month).net for key, of in courses.items()}


def _children(session: Session, account: Account) -> list[Account]:
    query = select(Account).where(Account.parent_id == account.id).order_by(Account.code)
    found = list(session.scalars(query))
    if not found:
        raise FieldErrors({"account": [f"“{account}”没有下级科目，请看明细账"]})
    if len(found) > CHILDREN_MAX:
        words_ = f"“{account}”有 {len(found)} 个下级科目，最多 {CHILDREN_MAX} 栏，请选择它的下级"
        raise FieldErrors({"account": [words_]})
    return found


# ======================================================================================================== the report
def _lines(asked: Asked) -> Found:
    first, last, account = asked["first"], asked["last"], asked["account"]
    if account is None:
        return Found([], is_asked=False, empty="请选择有下级的会计科目后查询")
    found = column_ledger(
        asked.session,
        account,
        first,
        last,
        offset=asked.offset,
        limit=asked.limit or PAGE_MAX,
        with_unposted=asked["unposted"],
    )
    columns = [*COLUMNS, *(_column(child) for child in found.children)]
    total = found.course.between(first, last)
    closing = found.course.opening + total.net
    return Found(
        [_line(asked, row, split) for row, split in ((found.opening, {}), *found.lines)],
        totals={
            "debit": total.debit,
            "credit": total.credit,
            "balance": abs(closing),
            **{_key(child.id): found.totals.get(child.id, ZERO) for child in found.children},
        },
        heading=str(account),
        span=span(first, last),
        note=f"共 {found.count} 笔；各栏为{account.direction.label}方金额",
        count=found.count,
        columns=columns,
    )


def _key(child_id: int) -> str:
    return f"child_{child_id}"


def _column(child: Account) -> ReportColumn:
    return additive(_key(child.id), child.name)


def _line(asked: Asked, row: LedgerRow, split: dict[int, Decimal]) -> Line:
    line = ledger_line(asked, row, COLUMNS)
    values = {**line.values, **{_key(key): amount for key, amount in split.items()}}
    return Line(
        values,
        url=line.url,
        tone=line.tone,
        tones=line.tones,
        main=line.main,
        counts=line.counts,
        is_brought=line.is_brought,
        carried=line.carried,
    )


register(
    Report(
        "column-ledger",
        "多栏账",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={**period_range(), "account": pick("会计科目", "account"), **unposted()},
        menu=MenuGroup.BOOKS,
        rank=73,
        help="按所选科目的直接下级分栏；合计与各下级科目的发生额一致",
        empty="所选期间没有发生额",
        total_label="本期合计",
        total_at="memo",
        over_time=True,
        page_size=PAGE_MAX,
    )
)
