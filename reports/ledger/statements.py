"""The four statements of a guarantee company (8.5, domain.md 3), from rows that users may edit.

Each leaf account belongs to the row of the nearest account above it (itself included), so to one row or to none.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError
from models.base.money import format_money
from models.ledger.account import ZERO, Account, AccountCategory, Direction
from models.ledger.statement import (
    IssuedStatement,
    RowSource,
    StatementAccount,
    StatementKind,
    StatementRow,
)
from reports.figures import cash_flows, equity
from reports.figures.balances import Figures, of_accounts
from reports.figures.equity import Parts
from reports.figures.opening_year import earned_before, starts
from reports.figures.profit import earned, unclosed

TERM = re.compile(r"([+-]?)R([0-9]{1,3})")
HEADS = {
    StatementKind.BALANCE_SHEET: ("期末余额", "年初余额"),
    StatementKind.INCOME: ("本月金额", "本年累计"),
    StatementKind.CASH_FLOW: ("本月金额", "本年累计"),
    StatementKind.EQUITY: ("本年合计", "上年合计"),
}
ASSETS_TOTAL, EQUITY_TOTAL, CLAIMS_TOTAL, PROFIT_TOTAL = 30, 60, 70, 40
CASH_END, EQUITY_END = 80, 40
# The row that speaks for the whole statement.
TOTALS = {
    StatementKind.BALANCE_SHEET: ASSETS_TOTAL,
    StatementKind.INCOME: PROFIT_TOTAL,
    StatementKind.CASH_FLOW: CASH_END,
    StatementKind.EQUITY: EQUITY_END,
}


@dataclass(frozen=True)
class StatementLine:
    """One row with its two amounts in 元; `row_id` opens the accounts behind it (None for computed rows).

    `parts` are the amounts by part of equity, where the statement tells it in parts.
    """

    row_no: int
    label: str
    level: int
    side: str
    opens: str
    current: Decimal
    prior: Decimal
    row_id: int | None = None
    parts: dict[str, Decimal] = field(default_factory=dict)

    @property
    def is_total(self) -> bool:
        """Computed from other rows."""
        return self.level == 0


@dataclass(frozen=True)
class Statement:
    """A statement of a period; `unmapped` names accounts or items with figures that no row takes in.

    `wrong` says what does not agree with another statement, `notes` what a reader has to know of it.
    """

    kind: StatementKind
    period: str
    lines: list[StatementLine]
    unmapped: list[str] = field(default_factory=list)
    is_issued: bool = False
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

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
        """资产总计, 净利润 of the month, the money at its end, or all equity."""
        line = self.line(TOTALS[self.kind])
        return line.current if line else ZERO


def statement(session: Session, kind: StatementKind, period: str) -> Statement:
    """The statement as the books stand now."""
    made: dict[StatementKind, Callable[[Session, str], Statement]] = {
        StatementKind.BALANCE_SHEET: balance_sheet,
        StatementKind.INCOME: income_statement,
        StatementKind.CASH_FLOW: cash_flow_statement,
        StatementKind.EQUITY: equity_statement,
    }
    return made[kind](session, period)


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


def cash_flow_statement(session: Session, period: str) -> Statement:
    """现金流量表: flows of the month and of the year by the items on entries; those without have rows of their own."""
    known = cash_flows.flows(session, period)
    rows = _rows(session, StatementKind.CASH_FLOW)
    sums: dict[int, list[Decimal]] = {}
    for row in rows:
        if row.takes is RowSource.CASH_AT_START:
            sums[row.row_no] = list(cash_flows.at_start(session, period))
        elif row.cash_flow is not None or row.takes is not None:
            flow = known.pop((row.cash_flow, row.takes is RowSource.UNTOLD_IN), cash_flows.Flow())
            sums[row.row_no] = [flow.month, flow.year]
        else:
            sums[row.row_no] = [ZERO, ZERO]
    amounts = _computed(rows, sums)
    lines = [_line(row, amounts[row.row_no][0], amounts[row.row_no][1]) for row in rows]
    stray = [
        item.label if item else "未指定现金流量项目"
        for (item, _), flow in known.items()
        if flow.month or flow.year
    ]
    found = Statement(StatementKind.CASH_FLOW, period, lines, stray)
    found.wrong.extend(_cash_disagrees(session, found))
    if until := cash_flows.old_books_until(session, period):
        found.notes.append(f"{until} 及以前为旧账，本年累计不含")
    return found


def _cash_disagrees(session: Session, found: Statement) -> Iterator[str]:
    """What has no item, and whether the money at the end is that of the balance sheet."""
    for row in _rows(session, StatementKind.CASH_FLOW):
        line = found.line(row.row_no)
        is_untold = row.takes in (RowSource.UNTOLD_IN, RowSource.UNTOLD_OUT)
        if is_untold and line is not None and (line.current or line.prior):
            yield f"{row.takes.label if row.takes else ''}：本年 {format_money(line.prior)}"
    end, sheet = found.line(CASH_END), balance_sheet(session, found.period)
    of_leaf = account_rows(session)
    cash = select(Account.id).where(Account.is_leaf, Account.is_cash_bank)
    rows = {of_leaf[key] for key in session.scalars(cash)}
    told = sum((line.current for line in sheet.lines if line.row_id in rows), ZERO)
    if end is None or (end.current, end.prior) != (told, told):
        amount = format_money(end.current if end else ZERO)
        yield f"期末现金 {amount}，资产负债表货币资金 {format_money(told)}"


def equity_statement(session: Session, period: str) -> Statement:
    """所有者权益变动表 of the year up to a period, by the rows of equity in 资产负债表; the year before beside it."""
    parts, labels = equity_parts(session)
    rows = _rows(session, StatementKind.EQUITY)
    now = _equity(session, parts, rows, period, list(labels))
    then = _equity(session, parts, rows, f"{int(period[:4]) - 1}-12", list(labels))
    lines = [
        replace(
            _line(row, sum(now[row.row_no], ZERO), sum(then[row.row_no], ZERO)),
            parts=dict(zip(labels.values(), now[row.row_no], strict=True)),
        )
        for row in rows
    ]
    found = Statement(StatementKind.EQUITY, period, lines)
    end, sheet = found.line(EQUITY_END), balance_sheet(session, period)
    for key, label in labels.items():
        wanted = next(line.current for line in sheet.lines if line.row_id == key)
        told = end.parts[label] if end is not None else ZERO
        if told != wanted:
            words = f"年末 {format_money(told)}，资产负债表 {format_money(wanted)}"
            found.wrong.append(f"{label}{words}")
    return found


def equity_parts(session: Session) -> tuple[Parts, dict[int, str]]:
    """Accounts of equity by their row of 资产负债表, and the rows in their order with their labels.

    Raises BusinessError where no row holds the profit.
    """
    of_leaf = account_rows(session)
    equity = select(Account.id).where(Account.is_leaf, Account.category == AccountCategory.EQUITY)
    of_account = {key: row for key in session.scalars(equity) if (row := of_leaf[key]) is not None}
    rows = _rows(session, StatementKind.BALANCE_SHEET)
    held = next((row.id for row in rows if row.takes_unclosed_profit), None)
    if held is None:
        raise BusinessError("报表公式中没有包含未结转损益的行，不能编制所有者权益变动表")
    ours = {*of_account.values(), held}
    return Parts(of_account, held), {row.id: row.label for row in rows if row.id in ours}


def _equity(
    session: Session, parts: Parts, rows: list[StatementRow], period: str, columns: list[int]
) -> dict[int, tuple[Decimal, ...]]:
    """Amounts of each row by part of equity."""
    year = int(period[:4])
    figures = of_accounts(session, f"{year}-01", period)
    begun: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for account_id, amount in _at_start(session, figures, year, period).items():
        begun[parts.of_account.get(account_id, 0)] -= amount
    begun[parts.retained] -= sum(unclosed(session, f"{year - 1}-12").values(), ZERO)
    moved = equity.changes(session, parts, period)
    sums = {}
    for row in rows:
        if row.takes is RowSource.EQUITY_AT_START:
            sums[row.row_no] = [-begun[part] for part in columns]
        elif row.takes is not None:
            sums[row.row_no] = [-moved.get((row.takes, part), ZERO) for part in columns]
        elif not row.formula:
            sums[row.row_no] = [ZERO for _ in columns]
    return _computed(rows, sums, len(columns))


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
        {
            **asdict(line),
            "current": f"{line.current:.2f}",
            "prior": f"{line.prior:.2f}",
            "parts": {label: f"{amount:.2f}" for label, amount in line.parts.items()},
        }
        for line in found.lines
    ]


def thawed(kept: IssuedStatement) -> Statement:
    """A kept statement as it was."""
    lines = [
        StatementLine(
            **{
                **row,
                "current": Decimal(row["current"]),
                "prior": Decimal(row["prior"]),
                # one that was issued before statements were told in parts has none
                "parts": {key: Decimal(amount) for key, amount in row.get("parts", {}).items()},
            }
        )
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
    rows = _rows(session, kind)
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
    lines = [_line(row, amounts[row.row_no][0], amounts[row.row_no][1]) for row in rows]
    names = [
        str(a)
        for a in session.scalars(
            select(Account).where(Account.id.in_(stray)).order_by(Account.code)
        )
    ]
    return Statement(kind, period, lines, names)


def _rows(session: Session, kind: StatementKind) -> list[StatementRow]:
    query = select(StatementRow).where(StatementRow.statement == kind)
    return list(session.scalars(query.order_by(StatementRow.row_no)))


_AT_START = (RowSource.CASH_AT_START, RowSource.EQUITY_AT_START)


def _line(row: StatementRow, current: Decimal, prior: Decimal) -> StatementLine:
    """A row with its amounts; what was there at the start has nothing behind it that moved."""
    return StatementLine(
        row.row_no,
        row.label,
        row.level,
        row.side.name,
        row.opens or "",
        current,
        prior,
        row_id=None if row.formula or row.takes in _AT_START else row.id,
    )


def _sided(side: Direction, amount: Decimal) -> Decimal:
    return amount if side is Direction.DEBIT else -amount


def _computed(
    rows: Iterable[StatementRow], sums: dict[int, list[Decimal]], width: int = 2
) -> dict[int, tuple[Decimal, ...]]:
    """Amounts of all rows by number. Raises BusinessError for a formula that leads nowhere or to itself."""
    by_no = {row.row_no: row for row in rows}
    found: dict[int, tuple[Decimal, ...]] = {}

    def amounts(row_no: int, path: tuple[int, ...]) -> tuple[Decimal, ...]:
        row = by_no.get(row_no)
        if row is None or row_no in path:
            raise BusinessError(f"报表公式第 {path[-1]} 行的公式有误：R{row_no} 不存在或循环引用")
        if row_no not in found:
            if row.formula:
                parts = [(s, amounts(n, (*path, row_no))) for s, n in terms(row.formula)]
                found[row_no] = tuple(
                    sum((sign * of[at] for sign, of in parts), ZERO) for at in range(width)
                )
            else:
                found[row_no] = tuple(_sided(row.side, amount) for amount in sums[row_no])
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
