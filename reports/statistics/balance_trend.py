"""在保余额 over twelve months within a reader's scope (2.1): month-ends from the daily snapshots, today as it stands.

What projects changed by comes from `balance_on`, also before the first snapshot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.statistics.snapshot import CompanySnapshot
from reports.statistics.balance_on import changes

MONTHS = 12
ZERO = Decimal(0)


@dataclass(frozen=True)
class Balance:
    """在保余额 at the end of a day, in 元."""

    on: date
    amount: Decimal


def balance_trend(session: Session, actor: Actor, on: date, now: Decimal) -> list[Balance]:
    """The last eleven month-ends and today with `now`; months before the first business are left out."""
    ends = month_ends(on)
    first = session.scalar(select(func.min(CompanySnapshot.taken_on)))
    known = [end for end in ends if first and first <= end]
    before = [end for end in ends if end not in known]
    amounts = _of_projects(session, actor, before, is_kept=False) if before else []
    if known:
        everything = actor.is_system or actor.scope is ScopeLevel.ALL
        amounts += (_of_company if everything else _of_projects)(session, actor, known)
    found = [Balance(end, amount) for end, amount in zip(ends, amounts, strict=True)]
    while found and not found[0].amount:
        found.pop(0)
    return [*found, Balance(on, now)]


def month_ends(on: date) -> list[date]:
    """The last days of the eleven months before that of `on`, the earliest first."""
    found = []
    for _ in range(MONTHS - 1):
        on = on.replace(day=1) - timedelta(days=1)
        found.append(on)
    return found[::-1]


def _of_company(session: Session, _: Actor, ends: Sequence[date]) -> list[Decimal]:
    """The whole company's line of each day: the last one up to each month-end."""
    lines = (
        select(CompanySnapshot.in_force_balance).order_by(CompanySnapshot.taken_on.desc()).limit(1)
    )
    last = [lines.where(CompanySnapshot.taken_on <= end).scalar_subquery() for end in ends]
    return list(session.execute(select(*last)).one())


def _of_projects(
    session: Session, actor: Actor, ends: Sequence[date], *, is_kept: bool = True
) -> list[Decimal]:
    """Of the visible projects what changed, by the month of the change, added up."""
    found = changes(actor, ends[-1], is_kept=is_kept)
    month = case(*((found.c.on <= end, number) for number, end in enumerate(ends)))
    rows = session.execute(select(month, func.sum(found.c.change)).group_by(month))
    moved: dict[int, Decimal] = {number: change for number, change in rows}  # noqa: C416 - a result looks like a mapping
    return list(accumulate(moved.get(number, ZERO) for number in range(len(ends))))
