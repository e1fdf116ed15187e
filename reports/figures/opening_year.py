"""What the old books did before an opening in the middle of a year, by account (debit positive)."""

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger.account import (
    ZERO,
    Account,
    AccountBalance,
    AccountCategory,
    AccountingPeriod,
    Direction,
)
from models.ledger.closing import OpeningImport

Kept = dict[str, tuple[Decimal, Decimal, Decimal]]


def of_year(session: Session, year: int, until: str) -> Kept:
    """(年初余额, 本年累计借方, 本年累计贷方) by code, of an opening in this year that lies not after a period."""
    query = select(OpeningImport.year_figures).join(
        AccountingPeriod, AccountingPeriod.id == OpeningImport.period_id
    )
    found = session.scalar(
        query.where(AccountingPeriod.year == year, AccountingPeriod.code <= until)
    )
    return {code: (Decimal(a), Decimal(b), Decimal(c)) for code, (a, b, c) in (found or {}).items()}


def starts(session: Session, year: int, until: str) -> dict[int, Decimal]:
    """年初余额 by account."""
    kept = of_year(session, year, until)
    ids = _ids(session, kept)
    return {ids[code]: start for code, (start, _, _) in kept.items() if code in ids}


def earned_before(session: Session, year: int, until: str) -> dict[int, Decimal]:
    """Movement of P&L accounts before the opening that it does not bring itself: 账结法, already in 4103."""
    kept = of_year(session, year, until)
    if not kept:
        return {}
    brought = (
        select(AccountBalance.account_id)
        .join(AccountingPeriod)
        .join(OpeningImport, OpeningImport.period_id == AccountingPeriod.id)
    )
    own = set(session.scalars(brought.where(AccountBalance.closing != 0)))
    query = select(Account).where(
        Account.category == AccountCategory.PROFIT, Account.code.in_(kept)
    )
    found = {}
    for account in session.scalars(query):
        _, debit, credit = kept[account.code]
        if account.id not in own:
            found[account.id] = debit if account.direction is Direction.DEBIT else -credit
    return found


def charged(session: Session, year: int, until: str, cost: str, reserve: str) -> Decimal | None:
    """What the old books charged to a provision this year, by its cost account, else its reserve; None if unsaid."""
    kept = of_year(session, year, until)
    of_cost = [debit for code, (_, debit, _) in kept.items() if code.split(".")[0] == cost]
    of_reserve = [credit for code, (_, _, credit) in kept.items() if code.split(".")[0] == reserve]
    return sum(of_cost or of_reserve, ZERO) if of_cost or of_reserve else None


def _ids(session: Session, kept: Kept) -> dict[str, int]:
    return dict(
        session.execute(select(Account.code, Account.id).where(Account.code.in_(kept))).all()
    )
