"""Figures of the books, from the balances kept at posting: what verbs check and ledgers show, computed in one place.

Amounts are 元 with debit positive, unless a name says otherwise.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.ledger.account import (
    ZERO,
    Account,
    AccountBalance,
    AccountingPeriod,
    AuxiliaryBalance,
    Direction,
)
from models.ledger.voucher import Voucher


class Figures(NamedTuple):
    """Opening, movement and closing of an account over a range of periods."""

    opening: Decimal = ZERO
    debit: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def closing(self) -> Decimal:
        """Balance at the end of the range."""
        return self.opening + self.debit - self.credit

    def __add__(self, other: object) -> "Figures":
        """Sum of two accounts."""
        if not isinstance(other, Figures):
            return NotImplemented
        return Figures(
            self.opening + other.opening, self.debit + other.debit, self.credit + other.credit
        )

    def __bool__(self) -> bool:
        """Whether anything stands or moved on the account."""
        return any(self)


class AuxiliaryKey(NamedTuple):
    """What an auxiliary balance is kept by; 0 for none."""

    account_id: int
    customer_id: int = 0
    project_id: int = 0
    bank_id: int = 0
    department_id: int = 0


def _sums(table: Any, keys: tuple[Any, ...], first: str, last: str) -> Select[Any]:
    before = AccountingPeriod.code < first
    nothing = literal(ZERO, Money())  # a bare zero would be bound as a binary fraction on SQLite
    return (
        select(
            *keys,
            func.sum(case((before, table.debit - table.credit), else_=nothing)),
            func.sum(case((before, nothing), else_=table.debit)),
            func.sum(case((before, nothing), else_=table.credit)),
        )
        .join(AccountingPeriod, AccountingPeriod.id == table.period_id)
        .where(AccountingPeriod.code <= last)
        .group_by(*keys)
    )


def of_accounts(
    session: Session, first: str, last: str, *conditions: ColumnElement[bool]
) -> dict[int, Figures]:
    """Figures of every leaf account that ever moved, by account id, over periods `first` to `last` ('2026-01').

    `conditions` are on AccountBalance.
    """
    rows = session.execute(
        _sums(AccountBalance, (AccountBalance.account_id,), first, last).where(*conditions)
    )
    return {row[0]: Figures(*row[1:]) for row in rows}


def of_auxiliaries(
    session: Session, first: str, last: str, *conditions: ColumnElement[bool]
) -> dict[AuxiliaryKey, Figures]:
    """Figures by account and auxiliaries; `conditions` are on AuxiliaryBalance."""
    keys = tuple(getattr(AuxiliaryBalance, name) for name in AuxiliaryKey._fields)
    rows = session.execute(_sums(AuxiliaryBalance, keys, first, last).where(*conditions))
    return {AuxiliaryKey(*row[:5]): Figures(*row[5:]) for row in rows}


def is_at(code: str, top: str) -> bool:
    """Whether an account code is a given one or lies below it."""
    return code == top or code.startswith(f"{top}.")


def leaves_of(session: Session, code: str) -> list[int]:
    """Ids of the leaf accounts at or below an account code."""
    query = select(Account.id).where(
        Account.is_leaf, or_(Account.code == code, Account.code.startswith(f"{code}."))
    )
    return list(session.scalars(query))


def figures_of(session: Session, code: str, first: str, last: str) -> Figures:
    """Figures of one account with all below it."""
    leaves = leaves_of(session, code)
    query = _sums(AccountBalance, (AccountBalance.account_id,), first, last)
    rows = session.execute(query.where(AccountBalance.account_id.in_(leaves)))
    return sum((Figures(*row[1:]) for row in rows), Figures())


def balance_of(session: Session, code: str, period: str) -> Decimal:
    """Closing balance of an account with all below it, positive on the account's own side (余额方向)."""
    account = session.scalar(select(Account).where(Account.code == code))
    closing = figures_of(session, code, period, period).closing
    return -closing if account is not None and account.direction is Direction.CREDIT else closing


def number_gaps(
    session: Session, period_id: int, word_id: int, *, below: int | None = None, above: int = 0
) -> list[int]:
    """Voucher numbers missing in one series, ascending (断号); void vouchers count as present."""
    query = select(Voucher.number).where(
        Voucher.period_id == period_id, Voucher.word_id == word_id, Voucher.number > above
    )
    if below is not None:
        query = query.where(Voucher.number < below)
        # The usual answer without reading every number of the series.
        if session.scalar(select(func.count()).select_from(query.subquery())) == below - 1 - above:
            return []
    present = set(session.scalars(query))
    return [
        number
        for number in range(above + 1, below or max(present, default=0))
        if number not in present
    ]
