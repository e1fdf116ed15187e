"""净资产 as the limits count it: own assets less liabilities, less equity held in other guarantee companies."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger.account import Account, AccountBalance, AccountCategory
from reports.figures.balances import of_accounts
from reports.figures.parameters import number, value

_COUNTED = (AccountCategory.ASSET, AccountCategory.LIABILITY)


def net_assets(session: Session, on: date) -> Decimal:
    """净资产 in 元: what the administrator states, else the books' assets less liabilities up to the month of `on`."""
    if value(session, "exposure.net_assets_override", on):
        return number(session, "exposure.net_assets_override", on)
    counted = AccountBalance.account_id.in_(
        select(Account.id).where(Account.category.in_(_COUNTED))
    )
    figures = of_accounts(session, f"{on:%Y-%m}", f"{on:%Y-%m}", counted)
    found = sum((f.closing for f in figures.values()), Decimal(0))
    return found - number(session, "exposure.other_guarantee_equity", on)
