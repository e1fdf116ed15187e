"""担保责任余额 as it stood on a past day: provisions of a month do not move with what happened after it."""

from collections import defaultdict
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.drawdown import Drawdown, DrawdownState
from models.project import Project
from models.repayment import Repayment, RepaymentState
from reports.figures import exposure


def balances_on(session: Session, on: date) -> dict[int, Decimal]:
    """在保余额 of each project at the end of a day in 元: today's balance before what was repaid since.

    A loan that the bank let the company go from counts up to the day before: what is left of it is nobody's here.
    """
    found: dict[int, Decimal] = defaultdict(Decimal)
    bound = or_(Drawdown.state != DrawdownState.RELEASED, Drawdown.closed_on > on)
    drawn = select(Drawdown.id, Drawdown.project_id, Drawdown.balance).where(Drawdown.drawn_on <= on, bound)
    projects: dict[int, int] = {}
    for drawdown_id, project_id, balance in session.execute(drawn):
        projects[drawdown_id] = project_id
        found[project_id] += balance
    since = (
        select(Repayment.drawdown_id, func.sum(Repayment.principal))
        .where(Repayment.paid_on > on, Repayment.state == RepaymentState.BOOKED)
        .group_by(Repayment.drawdown_id)
    )
    for drawdown_id, principal in session.execute(since):
        if drawdown_id in projects:
            found[projects[drawdown_id]] += principal
    return {key: amount for key, amount in found.items() if amount}


def liability_on(session: Session, on: date) -> Decimal:
    """融资担保责任余额 at the end of a day in 元; what is only reserved by a resolution does not count yet."""
    amounts = balances_on(session, on)
    parts: dict[exposure.Slice, Decimal] = defaultdict(Decimal)
    drawn = select(Drawdown.project_id).where(Drawdown.drawn_on <= on)
    # Columns, not records: a month-end looks at every guarantee twice.
    facts = [getattr(Project, field.name) for field in fields(exposure.Slice) if field.name != "amount"]
    for project_id, *values in session.execute(select(Project.id, *facts).where(Project.id.in_(drawn))):
        if project_id in amounts:
            parts[exposure.Slice(*(*values, Decimal(0)))] += amounts[project_id]
    slices = [replace(part, amount=amount) for part, amount in parts.items()]
    return exposure.liability(session, slices, on)
