"""What accounts and auxiliaries moved (8.4): from the kept balances, and with vouchers not yet posted where asked.

Amounts are 元 with debit positive. The kept balances answer for what is posted, so that a ledger of many years reads a
row for each month; what waits for posting is a sliver of all vouchers and is read from its entries.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Select, Subquery, case, func, literal, select, text, union_all
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.ledger.account import (
    ZERO,
    Account,
    AccountBalance,
    AccountingPeriod,
    AuxiliaryBalance,
)
from models.ledger.closing import OpeningImport
from models.ledger.voucher import Voucher, VoucherEntry
from reports.figures.balances import AuxiliaryKey, Figures

PARTS = ("customer_id", "project_id", "bank_id", "department_id")
# As the index of them says it, with its table named: periods have a state, too.
UNPOSTED = text("voucher.state NOT IN ('POSTED', 'VOID')")


class Moved(NamedTuple):
    """Debit and credit of a time."""

    debit: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        """How far the balance moved."""
        return self.debit - self.credit

    def __add__(self, other: object) -> "Moved":
        """Sum of two times."""
        if not isinstance(other, Moved):
            return NotImplemented
        return Moved(self.debit + other.debit, self.credit + other.credit)


@dataclass(frozen=True)
class Wanted:
    """Of which leaf accounts (None: all) and auxiliaries (one or several of a kind), with unposted vouchers or not."""

    leaves: Collection[int] | None = None
    parts: Mapping[str, int | Collection[int]] = field(default_factory=dict)
    with_unposted: bool = False


@dataclass(frozen=True)
class Course:
    """The balance before a range of periods, and what each period from January of its first year on moved.

    `old` is what the old books had moved this year where the new ones begin in its middle, with their last period.
    """

    opening: Decimal
    months: Mapping[str, Moved]
    old: tuple[str, Moved] | None = None

    def between(self, first: str, last: str) -> Moved:
        """What periods `first` to `last` moved."""
        found = (moved for code, moved in self.months.items() if first <= code <= last)
        return sum(found, Moved())

    def year_to(self, month: str) -> Moved:
        """本年累计 at the end of a month."""
        january = f"{month[:4]}-01"
        if self.old is None or not january <= self.old[0] <= month:
            return self.between(january, month)
        # The opening brings balances, which is no movement: that of the old books stands in its place.
        later = (moved for code, moved in self.months.items() if self.old[0] < code <= month)
        return sum(later, self.old[1])

    def __add__(self, other: object) -> "Course":
        """The course of two accounts together."""
        if not isinstance(other, Course):
            return NotImplemented
        codes = self.months.keys() | other.months.keys()
        months = {c: self.months.get(c, Moved()) + other.months.get(c, Moved()) for c in codes}
        old = self.old or other.old
        if self.old and other.old:
            old = (self.old[0], self.old[1] + other.old[1])
        return Course(self.opening + other.opening, months, old)


NOTHING = Course(ZERO, {})


def figures_query(wanted: Wanted, first: str, last: str, *keys: str) -> Select[Any]:
    """`opening`, `debit` and `credit` over periods `first` to `last`, by columns of AuxiliaryKey; 0 for no auxiliary.

    By an auxiliary only what carries any is found.
    """
    rows = _rows(wanted, last, keys)
    before, nothing = rows.c.period < first, literal(ZERO, Money())
    columns = [rows.c[name] for name in keys]
    return select(
        *columns,
        func.sum(case((before, rows.c.debit - rows.c.credit), else_=nothing)).label("opening"),
        func.sum(case((before, nothing), else_=rows.c.debit)).label("debit"),
        func.sum(case((before, nothing), else_=rows.c.credit)).label("credit"),
    ).group_by(*columns)


def figures_by(
    session: Session, wanted: Wanted, first: str, last: str, *keys: str
) -> dict[tuple[int, ...], Figures]:
    """What `figures_query` answers."""
    query, at = figures_query(wanted, first, last, *keys), len(keys)
    return {tuple(row[:at]): Figures(*row[at:]) for row in session.execute(query)}


def courses_by(
    session: Session, wanted: Wanted, first: str, last: str, *keys: str
) -> dict[tuple[int, ...], Course]:
    """The course of each account or auxiliary over periods `first` to `last`, in one question."""
    rows = _rows(wanted, last, keys)
    january = f"{first[:4]}-01"
    # What lies before that January is one sum, however many years it took.
    month = case((rows.c.period < january, ""), else_=rows.c.period).label("month")
    told = select(*(rows.c[name] for name in keys), month, rows.c.debit, rows.c.credit).subquery()
    columns = [*(told.c[name] for name in keys), told.c.month]
    query = select(*columns, func.sum(told.c.debit), func.sum(told.c.credit)).group_by(*columns)
    months: dict[tuple[int, ...], dict[str, Moved]] = defaultdict(dict)
    at = len(keys)
    for row in session.execute(query):
        months[tuple(row[:at])][row[at]] = Moved(row[at + 1], row[at + 2])
    ended, old = _old_books(session, wanted, last, keys)
    return {
        key: Course(
            sum((moved.net for code, moved in months[key].items() if code < first), ZERO),
            {code: moved for code, moved in months[key].items() if code},
            (ended, old.get(key, Moved())) if ended else None,
        )
        for key in months.keys() | old.keys()
    }


def course(session: Session, wanted: Wanted, first: str, last: str) -> Course:
    """The course of everything that is wanted together."""
    return courses_by(session, wanted, first, last).get((), NOTHING)


def _old_books(
    session: Session, wanted: Wanted, last: str, keys: Collection[str]
) -> tuple[str, dict[tuple[int, ...], Moved]]:
    """The last period of old books that ended in the middle of a year, and what they had moved in it, by account."""
    query = select(AccountingPeriod.code, OpeningImport.year_figures).join(OpeningImport.period)
    found = session.execute(query.where(AccountingPeriod.code <= last)).first()
    if found is None or not found[1] or wanted.parts or set(keys) - {"account_id"}:
        return "", {}
    leaves = select(Account.code, Account.id).where(Account.is_leaf, Account.code.in_(found[1]))
    moved: dict[tuple[int, ...], Moved] = defaultdict(Moved)
    for code, account_id in session.execute(leaves):
        if wanted.leaves is None or account_id in wanted.leaves:
            _, debit, credit = found[1][code]
            moved[(account_id,) if keys else ()] += Moved(Decimal(debit), Decimal(credit))
    return found[0], dict(moved)


def _rows(wanted: Wanted, last: str, keys: Collection[str]) -> Subquery:
    """Debit and credit by period and key up to a period."""
    names = [*dict.fromkeys(("account_id", *keys, *wanted.parts))]
    if unknown := set(names) - set(AuxiliaryKey._fields):
        raise ValueError(f"no balance is kept by {sorted(unknown)}")
    table: Any = AuxiliaryBalance if set(names) & set(PARTS) else AccountBalance
    kept = (
        select(
            *(getattr(table, name).label(name) for name in names),
            AccountingPeriod.code.label("period"),
            table.debit.label("debit"),
            table.credit.label("credit"),
        )
        .join(AccountingPeriod, AccountingPeriod.id == table.period_id)
        .where(AccountingPeriod.code <= last)
    )
    kept = _narrowed(kept, table, wanted)
    if not wanted.with_unposted:
        return kept.subquery()
    waiting = (
        select(
            *(_part(name).label(name) for name in names),
            AccountingPeriod.code.label("period"),
            VoucherEntry.debit.label("debit"),
            VoucherEntry.credit.label("credit"),
        )
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(UNPOSTED, AccountingPeriod.code <= last)
    )
    if table is AuxiliaryBalance:  # kept of entries with an auxiliary alone
        waiting = waiting.where(func.coalesce(*(getattr(VoucherEntry, p) for p in PARTS)) > 0)
    return union_all(kept, _narrowed(waiting, VoucherEntry, wanted)).subquery()


def _part(name: str) -> Any:
    column = getattr(VoucherEntry, name)
    return column if name == "account_id" else func.coalesce(column, 0)


def _narrowed(query: Select[Any], table: Any, wanted: Wanted) -> Select[Any]:
    for name, value in wanted.parts.items():
        column = getattr(table, name)
        query = query.where(column == value if isinstance(value, int) else column.in_(value))
    if wanted.leaves is None:
        return query
    return query.where(table.account_id.in_(wanted.leaves))
