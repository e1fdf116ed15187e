"""担保责任余额 as it stood on a past day: provisions of a month do not move with what happened after it."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, case, func, literal, or_, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.project import Project
from models.guarantee.repayment import Repayment, RepaymentState
from reports.figures import exposure


def _stood(on: date) -> Select[*tuple[Any, ...]]:
    """(project, 在保余额 at the end of a day): today's balance before what was repaid since.

    A loan that the bank let the company go from has none today; up to the day before it is counted from its amount.
    """
    bound = or_(Drawdown.state != DrawdownState.RELEASED, Drawdown.closed_on > on)
    since = (
        select(Repayment.drawdown_id, func.sum(Repayment.principal).label("principal"))
        .where(Repayment.paid_on > on, Repayment.state == RepaymentState.BOOKED)
        .group_by(Repayment.drawdown_id)
        .subquery()
    )
    repaid = func.coalesce(since.c.principal, literal(Decimal(0), Money()))
    before = select(func.sum(Repayment.principal)).where(
        Repayment.drawdown_id == Drawdown.id,
        Repayment.paid_on <= on,
        Repayment.state == RepaymentState.BOOKED,
    )
    left = Drawdown.amount - func.coalesce(before.scalar_subquery(), literal(Decimal(0), Money()))
    stood = case((Drawdown.state == DrawdownState.RELEASED, left), else_=Drawdown.balance + repaid)
    return (
        select(Drawdown.project_id, func.sum(stood).label("amount"))
        .outerjoin(since, since.c.drawdown_id == Drawdown.id)
        .where(Drawdown.drawn_on <= on, bound)
        .group_by(Drawdown.project_id)
    )


def liability_on(session: Session, on: date, *, of_all_kinds: bool = False) -> Decimal:
    """担保责任余额 at the end of a day in 元, of 融资担保 or of all kinds; what is only reserved does not count."""
    stood = _stood(on).subquery()
    amounts = (
        select(Project.customer_id, *exposure.KEYS, stood.c.amount)
        .join(stood, stood.c.project_id == Project.id)
        .where(stood.c.amount != 0)
    )
    (parts,) = exposure.summed(session, amounts, on)
    return exposure.liability(session, parts, on, of_all_kinds=of_all_kinds)
