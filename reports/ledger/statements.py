"""资产负债表 and 利润表 of a guarantee company (8.5, domain.md 3), from rows that users may edit.

Each leaf account belongs to the row of the nearest account above it (itself included), so to one row or to none.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError
from models.ledger.account import ZERO, Account, AccountCategory, Direction
from models.ledger.statement import IssuedStatement, StatementAccount, StatementKind, StatementRow
from reports.figures.balances import Figures, of_accounts
from reports.figures.opening_year import earned_before, starts
from reports.figures.profit import earned, unclosed

TERM = re.compile(r"([+-]?)R([0-9]{1,3})")
HEADS = {
    StatementKind.BALANCE_SHEET: ("期末余额", "年初余额"),
    StatementKind.INCOME: ("本月金额", "本年累计"),
}
ASSETS_TOTAL, CLAIMS_TOTAL, PROFIT_TOTAL = 30, 70, 40


@dataclass(frozen=True)
class StatementLine:
    """One row with its two amounts in 元; `row_id` opens the accounts behind it (None for computed rows)."""

    row_no: int
    label: str
    level: int
    side: str
    opens: str
    current: Decimal
    prior: Decimal
    row_id: int | None = None

    @property
    def is_total(self) -> bool:
        """Computed from other rows."""
        return self.level == 0


@dataclass(frozen=True)
class Statement:
    """A statement of a period; `unmapped` names accounts with figures that no row takes in."""

    kind: StatementKind
    period: str
    lines: list[StatementLine]
    unmapped: list[str] = field(default_factory=list)
    is_issued: bool = False

    @property
    def heads(self) -> tuple[str, str]:
        """What the two amounts of a line are."""
        return HEADS[self.kind]

    def line(self, row_no: int) -> StatementLine | None:
        """The row of that number."""
        return next((line for line in self.lines if line.row_no == row_no), None)

    @property
    def differences(self) -> tuple[Decimal, Decimal]:
        """资产 - 负债和所有者权益 of both columns; zero for other statements."""
        sides = [ZERO, ZERO]
        if self.kind is StatementKind.BALANCE_SHEET:
            for line in self.lines:
                if not line.is_total:
                    sign = 1 if line.side == Direction.DEBIT.name else -1
                    sides[0] += sign * line.current
                    sides[1] += sign * line.prior
        return sides[0], sides[1]

    @property
    def is_balanced(self) -> bool:
        """资产 = 负债 + 所有者权益, in the rows as well as in their totals."""
        if any(self.differences):
            return False
        left, right = self.line(ASSETS_TOTAL), self.line(CLAIMS_TOTAL)
        if self.kind is not StatementKind.BALANCE_SHEET or left is None or right is None:
            return True
        return (left.current, left.prior) == (right.current, right.prior)

    @property
    def total(self) -> Decimal:
        """资产总计, or 净利润 of the month."""
        line = self.line(ASSETS_TOTAL if self.kind is StatementKind.BALANCE_SHEET else PROFIT_TOTAL)
        return line.current if line else ZERO


def statement(session: Session, kind: StatementKind, period: str) -> Statement:
    """The statement as the books stand now."""
    return (
        balance_sheet(session, period)
        if kind is StatementKind.BALANCE_SHEET
        else income_statement(session, period)
    )


def balance_sheet(session: Session, period: str) -> Statement:
    """资产负债表: 期末 and 年初 balances; profit that is not transferred yet shows in 未分配利润."""
    first = f"{period[:4]}-01"
    figures = of_accounts(session, first, period)
    now = {key: value.closing for key, value in figures.items()}
    year = int(first[:4])
    then = _at_start(session, figures, year, period)
    open_now = sum(unclosed(session, period).values(), ZERO)
    open_then = sum(unclosed(session, f"{year - 1}-12").values(), ZERO)
    return _build(session, StatementKind.BALANCE_SHEET, period, now, then, (open_now, open_then))


def income_statement(session: Session, period: str) -> Statement:
    """利润表: amounts of the month and of the year up to it, without the vouchers that transfer profit."""
    month = earned(session, period, period)
    year = _earned_this_year(session, period)
    return _build(session, StatementKind.INCOME, period, month, year, (ZERO, ZERO))


def _at_start(
    session: Session, figures: dict[int, Figures], year: int, period: str
) -> dict[int, Decimal]:
    """Balances at the start of the year; an opening in its middle states those of the old books."""
    return {key: value.opening for key, value in figures.items()} | starts(session, year, period)


def _earned_this_year(session: Session, period: str) -> dict[int, Decimal]:
    """Movement of P&L accounts this year, with what the old books earned before an opening in its middle."""
    found = earned(session, f"{period[:4]}-01", period)
    for key, amount in earned_before(session, int(period[:4]), period).items():
        found[key] = found.get(key, ZERO) + amount
    return found


def issued(
    session: Session, kind: StatementKind, period: str, round_: int | None = None
) -> Statement | None:
    """The statement as it was issued at 结账: the one in force, or that of a given round."""
    query = (
        select(IssuedStatement)
        .join(IssuedStatement.period)
        .where(IssuedStatement.statement == kind)
    )
    query = query.where(IssuedStatement.period.has(code=period))
    query = query.where(
        IssuedStatement.is_current if round_ is None else IssuedStatement.round == round_
    )
    found = session.scalars(query).one_or_none()
    return None if found is None else thawed(found)


def frozen(found: Statement) -> list[dict[str, Any]]:
    """The lines of a statement for keeping: amounts as text, exact."""
    return [
        {**asdict(line), "current": f"{line.current:.2f}", "prior": f"{line.prior:.2f}"}
        for line in found.lines
    ]


def thawed(kept: IssuedStatement) -> Statement:
    """A kept statement as it was."""
    lines = [
        StatementLine(**{**row, "current": Decimal(row["current"]), "prior": Decimal(row["prior"])})
        for row in kept.lines
    ]
    return Statement(kept.statement, kept.period.code, lines, is_issued=True)


def account_rows(session: Session) -> dict[int, int | None]:
    """The row id of each leaf account: that of the nearest account above it that a row names; None for none."""
    named = dict(
        session.execute(
            select(StatementAccount.account_id, StatementAccount.statement_row_id)
        ).all()
    )
    accounts = {a.id: a for a in session.scalars(select(Account))}
    found: dict[int, int | None] = {}
    for account in accounts.values():
        at: Account | None = account
        while at is not None and at.id not in named:
            at = accounts.get(at.parent_id) if at.parent_id else None
        if account.is_leaf:
            found[account.id] = named[at.id] if at else None
    return found


def unmapped(session: Session) -> list[Account]:
    """Leaf accounts that no row takes in, or that stand in the wrong statement."""
    rows = {row.id: row for row in session.scalars(select(StatementRow))}
    found = []
    of_leaf = account_rows(session)
    for account in session.scalars(select(Account).where(Account.is_leaf).order_by(Account.code)):
        row = rows.get(of_leaf[account.id] or 0)
        wanted = (
            StatementKind.INCOME
            if account.category is AccountCategory.PROFIT
            else StatementKind.BALANCE_SHEET
        )
        if row is None or row.statement is not wanted:
            found.append(account)
    return found


def accounts_of_row(
    session: Session, row: StatementRow, period: str
) -> list[tuple[Account, Decimal, Decimal]]:
    """The leaf accounts behind a row with their two amounts, on the row's side; those at zero are left out."""
    of_leaf = account_rows(session)
    if row.statement is StatementKind.BALANCE_SHEET:
        figures = of_accounts(session, f"{period[:4]}-01", period)
        now = {key: value.closing for key, value in figures.items()}
        then = _at_start(session, figures, int(period[:4]), period)
    else:
        now, then = earned(session, period, period), _earned_this_year(session, period)
    found = []
    for account in session.scalars(select(Account).where(Account.is_leaf).order_by(Account.code)):
        pair = now.get(account.id, ZERO), then.get(account.id, ZERO)
        if of_leaf[account.id] == row.id and any(pair):
            found.append((account, _sided(row.side, pair[0]), _sided(row.side, pair[1])))
    return found


def _build(
    session: Session,
    kind: StatementKind,
    period: str,
    now: dict[int, Decimal],
    then: dict[int, Decimal],
    unclosed_profit: tuple[Decimal, Decimal],
) -> Statement:
    rows = list(
        session.scalars(
            select(StatementRow).where(StatementRow.statement == kind).order_by(StatementRow.row_no)
        )
    )
    sums: dict[int, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    own = {row.id for row in rows}
    stray: set[int] = set()
    profit = set(
        session.scalars(select(Account.id).where(Account.category == AccountCategory.PROFIT))
    )
    for account_id, row_id in account_rows(session).items():
        pair = now.get(account_id, ZERO), then.get(account_id, ZERO)
        if row_id in own:
            sums[row_id][0] += pair[0]
            sums[row_id][1] += pair[1]
        elif any(pair) and (account_id in profit) == (kind is StatementKind.INCOME):
            stray.add(account_id)
    for row in rows:
        if row.takes_unclosed_profit:
            sums[row.id][0] += unclosed_profit[0]
            sums[row.id][1] += unclosed_profit[1]
    amounts = _computed(rows, {row.row_no: sums[row.id] for row in rows if not row.formula})
    lines = [
        StatementLine(
            row.row_no,
            row.label,
            row.level,
            row.side.name,
            row.opens or "",
            *amounts[row.row_no],
            row_id=None if row.formula else row.id,
        )
        for row in rows
    ]
    names = [
        str(a)
        for a in session.scalars(
            select(Account).where(Account.id.in_(stray)).order_by(Account.code)
        )
    ]
    return Statement(kind, period, lines, names)


def _sided(side: Direction, amount: Decimal) -> Decimal:
    return amount if side is Direction.DEBIT else -amount


def _computed(
    rows: Iterable[StatementRow], sums: dict[int, list[Decimal]]
) -> dict[int, tuple[Decimal, Decimal]]:
    """Amounts of all rows by number. Raises BusinessError for a formula that leads nowhere or to itself."""
    by_no = {row.row_no: row for row in rows}
    found: dict[int, tuple[Decimal, Decimal]] = {}

    def amounts(row_no: int, path: tuple[int, ...]) -> tuple[Decimal, Decimal]:
        row = by_no.get(row_no)
        if row is None or row_no in path:
            raise BusinessError(f"报表公式第 {path[-1]} 行的公式有误：R{row_no} 不存在或循环引用")
        if row_no not in found:
            if row.formula:
                parts = [(s, amounts(n, (*path, row_no))) for s, n in terms(row.formula)]
                found[row_no] = (
                    sum((s * p[0] for s, p in parts), ZERO),
                    sum((s * p[1] for s, p in parts), ZERO),
                )
            else:
                found[row_no] = _sided(row.side, sums[row_no][0]), _sided(row.side, sums[row_no][1])
        return found[row_no]

    for row_no in by_no:
        amounts(row_no, (0,))
    return found


def terms(formula: str) -> list[tuple[int, int]]:
    """(sign, row number) of each term of a formula. Raises ValueError where it is none."""
    text = formula.replace(" ", "")
    found = TERM.findall(text)
    if (
        not found
        or "".join(f"{sign}R{number}" for sign, number in found) != text
        or any(not sign for sign, _ in found[1:])
    ):
        raise ValueError("公式应为 R行次 以 + - 连接，如 R10-R40")
    return [(-1 if sign == "-" else 1, int(number)) for sign, number in found]


Half = tuple[StatementLine | None, str]


def paired(found: Statement) -> list[tuple[Half, Half]]:
    """A balance sheet as it is printed: assets left, claims right, headings between; totals on the last line."""
    left, right = (_halves(found, side) for side in (Direction.DEBIT, Direction.CREDIT))
    while len(left) < len(right):
        left.insert(len(left) - 1 if left else 0, (None, ""))
    while len(right) < len(left):
        right.insert(len(right) - 1 if right else 0, (None, ""))
    return list(zip(left, right, strict=True))


def _halves(found: Statement, side: Direction) -> list[Half]:
    halves: list[Half] = []
    for line in found.lines:
        if line.side == side.name:
            if line.opens:
                halves.append((None, f"{line.opens}："))
            halves.append((line, line.label))
    return halves
