"""科目余额表 (8.4): opening, movement and closing of every account over a range of periods, from the kept balances."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError
from models.base.kinds import MenuGroup, Module
from models.ledger.account import ZERO, Account, AccountCategory
from reports.base.asked import Asked
from reports.base.params import choice, period_range, span, tick
from reports.base.report import Found, Line, Mark, Report, additive, balance, drill, register, words
from reports.figures.balances import Figures
from reports.figures.movements import Course, Wanted, courses_by
from reports.ledger.detail_ledger import unposted

LEVELS_MAX = 6
LEVELS = [(str(level), f"到 {level} 级") for level in range(1, LEVELS_MAX + 1)]

COLUMNS = (
    words("code", "科目编码"),
    words("name", "科目名称"),
    balance("opening_debit", "期初借方"),
    balance("opening_credit", "期初贷方"),
    additive("debit", "本期借方"),
    additive("credit", "本期贷方"),
    additive("year_debit", "本年累计借方"),
    additive("year_credit", "本年累计贷方"),
    balance("closing_debit", "期末借方"),
    balance("closing_credit", "期末贷方"),
)
AMOUNTS = tuple(column.key for column in COLUMNS if column.measure)


@dataclass(frozen=True)
class BalanceRow:
    """One account; `account_id` opens its 明细账 (None for totals)."""

    account_id: int | None
    code: str
    name: str
    level: int
    category: AccountCategory | None
    opening_debit: Decimal
    opening_credit: Decimal
    debit: Decimal
    credit: Decimal
    year_debit: Decimal
    year_credit: Decimal
    closing_debit: Decimal
    closing_credit: Decimal


@dataclass(frozen=True)
class TrialBalance:
    """The report over periods `first` to `last`; `totals` sums the top-level accounts."""

    first: str
    last: str
    rows: list[BalanceRow]
    totals: BalanceRow

    @property
    def is_balanced(self) -> bool:
        """Whether the three pairs of totals agree."""
        t = self.totals
        return (t.opening_debit, t.debit, t.closing_debit) == (
            t.opening_credit,
            t.credit,
            t.closing_credit,
        )


def trial_balance(
    session: Session,
    first: str,
    last: str,
    *,
    level: int = LEVELS_MAX,
    with_idle: bool = False,
    with_unposted: bool = False,
) -> TrialBalance:
    """科目余额表 for periods `first` to `last` ('2026-01'), down to `level`; `with_idle` shows accounts at zero too.

    本年累计 is of the year of the last period; `with_unposted` tells what vouchers will move that are not posted yet.
    Raises BusinessError when the periods stand in the wrong order.
    """
    if first > last:
        raise BusinessError("开始期间不能晚于结束期间", field="first")
    accounts = list(session.scalars(select(Account).order_by(Account.code)))
    courses = courses_by(
        session, Wanted(with_unposted=with_unposted), first, last, "account_id"
    ).items()
    figures = _rolled_up(accounts, {key: _figures(of, first, last) for (key,), of in courses})
    years = _rolled_up(accounts, {key: Figures(ZERO, *of.year_to(last)) for (key,), of in courses})
    rows = [
        _row(account, figures[account.id], years[account.id])
        for account in accounts
        if account.level <= level and (with_idle or figures[account.id])
    ]
    return TrialBalance(first, last, rows, _totals([row for row in rows if row.level == 1]))


def _figures(of: Course, first: str, last: str) -> Figures:
    return Figures(of.opening, *of.between(first, last))


def _rolled_up(accounts: list[Account], leaves: dict[int, Figures]) -> dict[int, Figures]:
    """Figures of every account with all below it; children come before parents."""
    figures: dict[int, Figures] = defaultdict(Figures, leaves)
    for account in sorted(accounts, key=lambda a: -a.level):
        if account.parent_id is not None:
            figures[account.parent_id] += figures[account.id]
    return figures


def _sides(balance: Decimal) -> tuple[Decimal, Decimal]:
    return (balance, ZERO) if balance >= 0 else (ZERO, -balance)


def _row(account: Account, figures: Figures, year: Figures) -> BalanceRow:
    return BalanceRow(
        account.id,
        account.code,
        account.name,
        account.level,
        account.category,
        *_sides(figures.opening),
        figures.debit,
        figures.credit,
        year.debit,
        year.credit,
        *_sides(figures.closing),
    )


def _totals(rows: list[BalanceRow]) -> BalanceRow:
    sums = [sum((getattr(row, key) for row in rows), ZERO) for key in AMOUNTS]
    return BalanceRow(None, "", "合计", 1, None, *sums)


# ======================================================================================================== the report
def _lines(asked: Asked) -> Found:
    first, last, level = asked["first"], asked["last"], int(asked["level"])
    found = trial_balance(
        asked.session,
        first,
        last,
        level=level,
        with_idle=asked["idle"],
        with_unposted=asked["unposted"],
    )
    is_even = found.is_balanced
    return Found(
        [_line(asked, row, found) for row in found.rows],
        span=span(first, last),
        marks=[Mark("借贷平衡", "ok") if is_even else Mark("借贷不平", "bad")],
    )


def _line(asked: Asked, row: BalanceRow, found: TrialBalance) -> Line:
    first, last = found.first, found.last
    more = {"unposted": "1"} if asked["unposted"] else {}
    url = drill(asked, "detail-ledger", account=row.account_id, first=first, last=last, **more)
    return Line(
        {column.key: getattr(row, column.key) for column in COLUMNS},
        url=url,
        urls=dict.fromkeys(AMOUNTS, url),
        level=row.level - 1,
        tone="total" if row.level == 1 else "",
        counts=row.level == 1,
    )


register(
    Report(
        "trial-balance",
        "科目余额表",
        Module.LEDGER,
        permission=("list", "account_balance"),
        columns=COLUMNS,
        lines=_lines,
        params={
            **period_range(),
            "level": choice("科目级次", LEVELS, default=str(LEVELS_MAX)),
            "idle": tick("无发生额科目", no="不显示", yes="显示"),
            **unposted(),
        },
        menu=MenuGroup.BOOKS,
        rank=60,
        help="合计为一级科目之和；本年累计自结束期间当年 1 月起",
        empty="所选期间没有发生额和余额",
        total_at="name",
    )
)
