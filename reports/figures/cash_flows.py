"""Money by the items that entries carry (8.5): what no item was given stands for itself and is never guessed.

Amounts are 元, money that comes in positive. An opening brings money that was there: it is no flow. A voucher that
moves money among cash and bank accounts alone moves none in or out.
"""

from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session, aliased

from models.base.columns import Money
from models.ledger.account import ZERO, Account, AccountBalance, AccountingPeriod
from models.ledger.voucher import CashFlow, Voucher, VoucherEntry, VoucherKind, VoucherState
from reports.figures.balances import of_accounts


class Flow(NamedTuple):
    """What entries of one item did in the month and in the year up to it."""

    month: Decimal = ZERO
    year: Decimal = ZERO


_CASH = select(Account.id).where(Account.is_cash_bank)
_NET = VoucherEntry.debit - VoucherEntry.credit


def _moves_out() -> ColumnElement[bool]:
    """Whether anything but money is on the voucher."""
    other = aliased(VoucherEntry)
    return exists().where(
        other.voucher_id == VoucherEntry.voucher_id, other.account_id.not_in(_CASH)
    )


def conditions(first: str, last: str) -> tuple[ColumnElement[bool], ...]:
    """Which entries are flows of periods `first` to `last`; the query joins voucher and period."""
    return (
        AccountingPeriod.code.between(first, last),
        Voucher.state == VoucherState.POSTED,
        Voucher.kind != VoucherKind.OPENING,
        VoucherEntry.account_id.in_(_CASH),
        or_(VoucherEntry.cash_flow.is_not(None), _moves_out()),
    )


def untold(*, is_in: bool) -> ColumnElement[bool]:
    """Entries to which nobody gave an item, of money that came in or went out."""
    return and_(VoucherEntry.cash_flow.is_(None), _NET > 0 if is_in else _NET < 0)


def flows(session: Session, period: str) -> dict[tuple[CashFlow | None, bool], Flow]:
    """Flows of a month and of its year up to it, by item; (None, True) came in without one, (None, False) went out."""
    told = (
        select(
            VoucherEntry.cash_flow,
            untold(is_in=False).label("is_out"),
            case((AccountingPeriod.code == period, _NET), else_=literal(ZERO, Money())).label(
                "month"
            ),
            type_coerce(_NET, Money()).label("net"),
        )
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(*conditions(f"{period[:4]}-01", period))
        .subquery()
    )
    sums = (func.sum(told.c.month, type_=Money()), func.sum(told.c.net, type_=Money()))
    query = select(told.c.cash_flow, told.c.is_out, *sums)
    found = session.execute(query.group_by(told.c.cash_flow, told.c.is_out))
    return {(row[0], row[0] is None and not row[1]): Flow(*row[2:]) for row in found}


def at_start(session: Session, period: str) -> tuple[Decimal, Decimal]:
    """The money at the beginning of the month and of its year: what the opening brought was there before."""
    is_cash = AccountBalance.account_id.in_(_CASH)
    found = []
    for first in (period, f"{period[:4]}-01"):
        figures = of_accounts(session, first, period, is_cash).values()
        found.append(sum((one.opening for one in figures), ZERO) + _brought(session, first, period))
    return found[0], found[1]


def at_end(session: Session, period: str) -> Decimal:
    """The money at the end of the month."""
    is_cash = AccountBalance.account_id.in_(_CASH)
    return sum(
        (one.closing for one in of_accounts(session, period, period, is_cash).values()), ZERO
    )


def _brought(session: Session, first: str, last: str) -> Decimal:
    """What the opening put on cash and bank accounts within the range."""
    query = (
        select(func.sum(_NET, type_=Money()))
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(
            AccountingPeriod.code.between(first, last),
            Voucher.state == VoucherState.POSTED,
            Voucher.kind == VoucherKind.OPENING,
            VoucherEntry.account_id.in_(_CASH),
        )
    )
    return session.scalar(query) or ZERO


def old_books_until(session: Session, period: str) -> str:
    """The last period of old books that ended within this year: their flows are not known here; '' for none."""
    query = (
        select(AccountingPeriod.code)
        .join(Voucher, Voucher.period_id == AccountingPeriod.id)
        .where(
            Voucher.kind == VoucherKind.OPENING,
            Voucher.state == VoucherState.POSTED,
            AccountingPeriod.code.between(f"{period[:4]}-01", period),
        )
    )
    return session.scalar(query.limit(1)) or ""
