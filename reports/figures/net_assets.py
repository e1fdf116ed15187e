"""净资产 as the limits count it: own assets less liabilities, less equity held in other guarantee companies."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger import Account, AccountCategory
from reports.figures.balances import of_accounts
from reports.figures.parameters import number, value

_COUNTED = (AccountCategory.ASSET, AccountCategory.LIABILITY)


def net_assets(session: Session, on: date) -> Decimal:
    """净资产 in 元: what the administrator states, else the books' assets less liabilities up to the month of `on`."""
    if value(session, "exposure.net_assets_override", on):
        return number(session, "exposure.net_assets_override", on)
    figures = of_accounts(session, f"{on:%Y-%m}", f"{on:%Y-%m}")
    counted = set(session.scalars(select(Account.id).where(Account.category.in_(_COUNTED))))
    found = sum((f.closing for account_id, f in figures.items() if account_id in counted), Decimal(0))
    return found - number(session, "exposure.other_guarantee_equity", on)
