"""科目余额表 (8.4): opening, movement and closing of every account over a range of periods, from the kept balances."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError
from models.ledger.account import ZERO, Account, AccountCategory
from reports.base.export import ExportColumn
from reports.figures.balances import Figures, of_accounts

LEVELS_MAX = 6

COLUMNS = (
    ExportColumn("code", "科目编码"),
    ExportColumn("name", "科目名称"),
    ExportColumn("opening_debit", "期初借方", "money", "元"),
    ExportColumn("opening_credit", "期初贷方", "money", "元"),
    ExportColumn("debit", "本期借方", "money", "元"),
    ExportColumn("credit", "本期贷方", "money", "元"),
    ExportColumn("closing_debit", "期末借方", "money", "元"),
    ExportColumn("closing_credit", "期末贷方", "money", "元"),
)


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
    closing_debit: Decimal
    closing_credit: Decimal


@dataclass(frozen=True)
class TrialBalance:
    """The report over periods `first` to `last`; `totals` sums the top-level accounts."""

    first: str
    last: str
    columns: tuple[ExportColumn, ...]
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
    session: Session, first: str, last: str, *, level: int = LEVELS_MAX, with_idle: bool = False
) -> TrialBalance:
    """科目余额表 for periods `first` to `last` ('2026-01'), down to `level`; `with_idle` shows accounts at zero too.

    Raises BusinessError when the periods stand in the wrong order.
    """
    if first > last:
        raise BusinessError("开始期间不能晚于结束期间", field="first")
    accounts = list(session.scalars(select(Account).order_by(Account.code)))
    figures = _rolled_up(accounts, of_accounts(session, first, last))
    rows = [
        _row(account, figures[account.id])
        for account in accounts
        if account.level <= level and (with_idle or figures[account.id])
    ]
    return TrialBalance(
        first, last, COLUMNS, rows, _totals([row for row in rows if row.level == 1])
    )


def _rolled_up(accounts: list[Account], leaves: dict[int, Figures]) -> dict[int, Figures]:
    """Figures of every account with all below it; children come before parents."""
    figures: dict[int, Figures] = defaultdict(Figures, leaves)
    for account in sorted(accounts, key=lambda a: -a.level):
        if account.parent_id is not None:
            figures[account.parent_id] += figures[account.id]
    return figures


def _sides(balance: Decimal) -> tuple[Decimal, Decimal]:
    return (balance, ZERO) if balance >= 0 else (ZERO, -balance)


def _row(account: Account, figures: Figures) -> BalanceRow:
    return BalanceRow(
        account.id,
        account.code,
        account.name,
        account.level,
        account.category,
        *_sides(figures.opening),
        figures.debit,
        figures.credit,
        *_sides(figures.closing),
    )


def _totals(rows: list[BalanceRow]) -> BalanceRow:
    sums = [
        sum((getattr(row, column.key) for row in rows), ZERO)
        for column in COLUMNS
        if column.kind == "money"
    ]
    return BalanceRow(None, "", "合计", 1, None, *sums)
