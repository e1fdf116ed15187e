"""在保余额 over twelve months within a reader's scope (2.1): month-ends from the daily snapshots, today as it stands.

Months before the first snapshot (an installation that has just taken over running business) follow from the loans and
what has been repaid of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.drawdown import Drawdown, DrawdownState
from models.repayment import Repayment, RepaymentState
from models.snapshot import CompanySnapshot, ProjectSnapshot
from reports.scope import scoped

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
    columns = select(CompanySnapshot.taken_on, CompanySnapshot.in_force_balance)
    rows = session.execute(columns.where(CompanySnapshot.taken_on <= ends[-1]).order_by(CompanySnapshot.taken_on)).all()
    return [next(amount for day, amount in reversed(rows) if day <= end) for end in ends]


def _of_projects(session: Session, actor: Actor, ends: Sequence[date]) -> list[Decimal]:
    """Of each visible project the row in force at each month-end: a row holds until the next one."""
    until = func.lead(ProjectSnapshot.taken_on).over(
        partition_by=ProjectSnapshot.project_id, order_by=ProjectSnapshot.taken_on
    )
    columns = select(ProjectSnapshot.taken_on, ProjectSnapshot.balance, until.label("until"))
    held = scoped(columns, ProjectSnapshot, actor).subquery()
    return _sums(session, held.c.balance, [
        and_(held.c.taken_on <= end, or_(held.c.until.is_(None), held.c.until > end)) for end in ends
    ])  # fmt: skip


def _from_loans(session: Session, actor: Actor, ends: Sequence[date]) -> list[Decimal]:
    """What had been lent by each day less what had been repaid, of loans not yet released."""
    lent = scoped(
        select(Drawdown.drawn_on, Drawdown.amount, Drawdown.state, Drawdown.closed_on), Drawdown, actor
    ).subquery()
    paid = scoped(
        select(Repayment.paid_on, Repayment.principal, Drawdown.state, Drawdown.closed_on)
        .join(Drawdown, Drawdown.id == Repayment.drawdown_id)
        .where(Repayment.state == RepaymentState.BOOKED),
        Repayment,
        actor,
    ).subquery()

    more = _sums(session, lent.c.amount, [and_(lent.c.drawn_on <= end, _bound(lent, end)) for end in ends])
    less = _sums(session, paid.c.principal, [and_(paid.c.paid_on <= end, _bound(paid, end)) for end in ends])
    return [plus - minus for plus, minus in zip(more, less, strict=True)]


def _bound(loans: Subquery, end: date) -> ColumnElement[bool]:
    """Whether the company still answered for the loan at the end of that day; a release leaves a rest unpaid."""
    return or_(loans.c.state != DrawdownState.RELEASED, loans.c.closed_on > end)


def _sums(session: Session, amount: ColumnElement[Decimal], conditions: Sequence[ColumnElement[bool]]) -> list[Decimal]:
    """The sum under each condition, all in one query."""
    row = session.execute(select(*(func.sum(case((condition, amount))) for condition in conditions))).one()
    return [value or ZERO for value in row]
