"""Profit as it was earned: movements of P&L accounts without 结转损益 and 年结, which move profit and earn none."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.ledger.account import ZERO, Account, AccountBalance, AccountCategory, AccountingPeriod
from models.ledger.voucher import Voucher, VoucherEntry, VoucherKind, VoucherState
from reports.figures.balances import is_at, of_accounts

PROFIT = "4103"  # 本年利润: 结转损益 and 年结 alone write on it
MOVING = tuple(kind for kind in VoucherKind if kind.moves_profit)


def earned(session: Session, first: str, last: str) -> dict[int, Decimal]:
    """Net movement (debit positive) of each P&L leaf over periods `first` to `last`, in 元, transfers left out."""
    found: dict[int, Decimal] = defaultdict(lambda: ZERO)
    kept = (
        select(
            AccountBalance.account_id,
            func.sum(AccountBalance.debit),
            func.sum(AccountBalance.credit),
        )
        .join(AccountingPeriod, AccountingPeriod.id == AccountBalance.period_id)
        .join(Account, Account.id == AccountBalance.account_id)
        .where(
            AccountingPeriod.code.between(first, last), Account.category == AccountCategory.PROFIT
        )
        .group_by(AccountBalance.account_id)
    )
    for account_id, debit, credit in session.execute(kept):
        found[account_id] += debit - credit
    moved = (
        select(
            VoucherEntry.account_id,
            func.sum(VoucherEntry.debit, type_=Money()),
            func.sum(VoucherEntry.credit, type_=Money()),
        )
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .join(AccountingPeriod, AccountingPeriod.id == Voucher.period_id)
        .where(
            AccountingPeriod.code.between(first, last),
            Voucher.kind.in_(MOVING),
            Voucher.state == VoucherState.POSTED,
        )
        .group_by(VoucherEntry.account_id)
    )
    for account_id, debit, credit in session.execute(moved):
        if account_id in found:
            found[account_id] -= debit - credit
    return dict(found)


def net_profit(session: Session, first: str, last: str) -> Decimal:
    """净利润 of periods `first` to `last` in 元, a loss negative."""
    return -sum(earned(session, first, last).values(), ZERO)


def profit_leaves(session: Session, codes: Iterable[str] = ()) -> dict[int, str]:
    """Codes of the P&L leaves by id: all, or those at and below the given codes."""
    query = select(Account.id, Account.code).where(
        Account.category == AccountCategory.PROFIT, Account.is_leaf
    )
    wanted = tuple(codes)
    return {
        key: code
        for key, code in session.execute(query.order_by(Account.code))
        if not wanted or any(is_at(code, top) for top in wanted)
    }


def earned_on(session: Session, code: str, first: str, last: str) -> Decimal:
    """Net movement (debit positive) of a P&L account with all below it, transfers left out."""
    figures = earned(session, first, last)
    return sum((figures.get(key, ZERO) for key in profit_leaves(session, (code,))), ZERO)


def unclosed(session: Session, last: str) -> dict[int, Decimal]:
    """Closing balance (debit positive) of each P&L leaf at the end of a period: what is not transferred yet."""
    leaves = profit_leaves(session)
    figures = of_accounts(session, last, last)
    return {key: figures[key].closing for key in leaves if key in figures and figures[key].closing}
