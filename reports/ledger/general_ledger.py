"""总分类账 (8.4): each account by month with its balance, from the kept balances; a month opens its 明细账."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.kinds import MenuGroup, Module
from models.ledger.account import ZERO, Account
from reports.base.asked import Asked
from reports.base.params import choice, period_range, pick, span
from reports.base.report import Found, Line, Report, additive, drill, register, stated, words
from reports.figures.movements import NOTHING, Course, Moved, Wanted, courses_by
from reports.ledger.detail_ledger import unposted
from reports.ledger.entries import BROUGHT, sum_row
from reports.ledger.trial_balance import LEVELS

LINES_MAX = 1000

COLUMNS = (
    words("account", "会计科目"),
    words("period", "会计期间"),
    words("memo", "摘要"),
    additive("debit", "借方"),
    additive("credit", "贷方"),
    words("side", "方向"),
    stated("balance", "余额"),
)


def general_ledger(
    session: Session, first: str, last: str, *, with_unposted: bool = False
) -> list[tuple[Account, Course]]:
    """Every account that stands or moved in periods `first` to `last`, with all below it, in the order of codes."""
    accounts = list(session.scalars(select(Account).order_by(Account.code)))
    wanted = Wanted(with_unposted=with_unposted)
    leaves = {
        key: of for (key,), of in courses_by(session, wanted, first, last, "account_id").items()
    }
    found: dict[int, Course] = defaultdict(lambda: NOTHING, leaves)
    for account in sorted(accounts, key=lambda a: -a.level):
        if account.parent_id is not None:
            found[account.parent_id] += found[account.id]
    return [
        (account, course)
        for account in accounts
        if (course := found[account.id]).opening or any(course.between(first, last))
    ]


def _lines(asked: Asked) -> Found:
    first, last, one = asked["first"], asked["last"], asked["account"]
    books = general_ledger(asked.session, first, last, with_unposted=asked["unposted"])
    level = int(asked["level"])
    shown = [
        (account, course)
        for account, course in books
        if (account.level <= level if one is None else account.id == one.id)
    ]
    lines = [line for account, course in shown for line in _account(asked, account, course)]
    top = min((account.level for account, _ in shown), default=1)
    moved = sum((c.between(first, last) for a, c in shown if a.level == top), Moved())
    size = asked.limit or LINES_MAX
    return Found(
        lines[asked.offset : asked.offset + size],
        totals={"debit": moved.debit, "credit": moved.credit},
        heading=str(one) if one is not None else "",
        span=span(first, last),
        note=f"{len(shown)} 个科目" + ("，含未记账凭证" if asked["unposted"] else ""),
        count=len(lines),
    )


def _account(asked: Asked, account: Account, course: Course) -> Iterator[Line]:
    """What the account began with, and below it 本月合计 and 本年累计 of each month that moved."""
    first, last, signed = asked["first"], asked["last"], course.opening
    memo = "上年结转" if first.endswith("-01") else BROUGHT[0]
    yield _line(asked, account, first, memo, Moved(), signed)
    for month in sorted(code for code in course.months if first <= code <= last):
        moved = course.months[month]
        signed += moved.net
        yield _line(asked, account, month, "本月合计", moved, signed)
        yield _line(asked, account, month, "本年累计", course.year_to(month), signed)


def _line(
    asked: Asked, account: Account, period: str, memo: str, moved: Moved, signed: Decimal
) -> Line:
    row = sum_row(memo, moved.debit, moved.credit, signed)
    name = f"{account.code} {account.full_name or account.name}"
    figures = {key: getattr(row, key) for key in ("debit", "credit", "side", "balance")}
    is_month = memo == "本月合计"
    url = ""
    if moved != Moved(ZERO, ZERO):
        begin = period if is_month else f"{period[:4]}-01"
        more = {"unposted": "1"} if asked["unposted"] else {}
        url = drill(
            asked,
            "detail-ledger",
            account=account.id,
            first=max(begin, _begin(asked)),
            last=period,
            **more,
        )
    top = 1 if asked["account"] is None else asked["account"].level
    return Line(
        {"account": name, "period": period, "memo": memo, **figures},
        url=url,
        urls={"debit": url, "credit": url} if url else {},
        tone="" if is_month else "head",
        main=1,
        counts=is_month and account.level == top,
        carried={"account": name, **figures},
    )


def _begin(asked: Asked) -> str:
    """The first period of the books: no ledger opens before it."""
    return asked.periods[-1]


register(
    Report(
        "general-ledger",
        "总分类账",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={
            **period_range(),
            "account": pick("会计科目", "account"),
            "level": choice("科目级次", LEVELS, default="1"),
            **unposted(),
        },
        menu=MenuGroup.BOOKS,
        rank=62,
        help="科目留空时列出到所选级次的全部科目；合计为一级科目（或所选科目）的本月合计之和",
        empty="所选期间没有发生额和余额",
        total_label="本期合计",
        total_at="memo",
        group_by="account",
        has_subtotals=False,
        page_size=LINES_MAX,
    )
)
