"""在保余额 over twelve months within a reader's scope (2.1): month-ends from the daily snapshots, today as it stands.

Months before the first snapshot (an installation that has just taken over running business) follow from the loans and
what has been repaid of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.repayment import Repayment, RepaymentState
from models.statistics.snapshot import CompanySnapshot, ProjectSnapshot
from reports.base.scope import scoped

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
    amounts = _from_loans(session, actor, before) if before else []
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


def _of_projects(session: Session, actor: Actor, ends: Sequence[date]) -> list[Decimal]:
    """Of the visible projects what changed from row to row, by the month of the change, added up."""
    balance = ProjectSnapshot.balance
    before = func.lag(balance, type_=balance.type).over(
        partition_by=ProjectSnapshot.project_id, order_by=ProjectSnapshot.taken_on
    )
    columns = select(
        ProjectSnapshot.taken_on, (balance - func.coalesce(before, ZERO)).label("change")
    )
    changes = scoped(
        columns.where(ProjectSnapshot.taken_on <= ends[-1]), ProjectSnapshot, actor, as_set=True
    ).subquery()
    month = case(*((changes.c.taken_on <= end, number) for number, end in enumerate(ends)))
    rows = session.execute(select(month, func.sum(changes.c.change)).group_by(month))
    found: dict[int, Decimal] = {number: change for number, change in rows}  # noqa: C416 - a result looks like a mapping
    return list(accumulate(found.get(number, ZERO) for number in range(len(ends))))


def _from_loans(session: Session, actor: Actor, ends: Sequence[date]) -> list[Decimal]:
    """What had been lent by each day less what had been repaid, of loans not yet released."""
    lent = scoped(
        select(Drawdown.drawn_on, Drawdown.amount, Drawdown.state, Drawdown.closed_on),
        Drawdown,
        actor,
    ).subquery()
    paid = scoped(
        select(Repayment.paid_on, Repayment.principal, Drawdown.state, Drawdown.closed_on)
        .join(Drawdown, Drawdown.id == Repayment.drawdown_id)
        .where(Repayment.state == RepaymentState.BOOKED),
        Repayment,
        actor,
    ).subquery()

    more = _sums(
        session, lent.c.amount, [and_(lent.c.drawn_on <= end, _bound(lent, end)) for end in ends]
    )
    less = _sums(
        session, paid.c.principal, [and_(paid.c.paid_on <= end, _bound(paid, end)) for end in ends]
    )
    return [plus - minus for plus, minus in zip(more, less, strict=True)]


def _bound(loans: Subquery, end: date) -> ColumnElement[bool]:
    """Whether the company still answered for the loan at the end of that day; a release leaves a rest unpaid."""
    return or_(loans.c.state != DrawdownState.RELEASED, loans.c.closed_on > end)


def _sums(
    session: Session, amount: ColumnElement[Decimal], conditions: Sequence[ColumnElement[bool]]
) -> list[Decimal]:
    """The sum under each condition, all in one query."""
    row = session.execute(
        select(*(func.sum(case((condition, amount))) for condition in conditions))
    ).one()
    return [value or ZERO for value in row]
