"""What guarantees have done over a time: drawn, released, compensated (domain.md 2); sums after a first day, to a last.

Each is a list of sums over `Project`, so that whoever asks may narrow the projects.
"""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project
from models.guarantee.release import Release
from models.guarantee.repayment import Repayment, RepaymentSource, RepaymentState
from models.ledger.voucher import BusinessEvent, EventState

_STANDING = (EventState.PENDING, EventState.BOOKED)


def drawn(after: date, to: date) -> list[Select[Any]]:
    """Loans drawn, those of 历史补录 among them: what began by the day of the opening is in it already."""
    query = (
        select(func.sum(Drawdown.amount))
        .join(Project, Project.id == Drawdown.project_id)
        .where(_within(Drawdown.drawn_on, after, to))
    )
    return [query]


def released(after: date, to: date) -> list[Select[Any]]:
    """Principal repaid, and what the bank let go while it was still owed.

    What 历史补录 says was repaid before the system is one sum: it counts where the loan began after the opening. Of a
    loan that began before, nobody can say which part of the sum came before that day.
    """
    repaid = (
        select(func.sum(Repayment.principal))
        .join(Project, Project.id == Repayment.project_id)
        .join(Drawdown, Drawdown.id == Repayment.drawdown_id)
        .where(
            _within(Repayment.paid_on, after, to),
            Repayment.state == RepaymentState.BOOKED,
            or_(Repayment.source != RepaymentSource.HISTORY, Drawdown.drawn_on > after),
        )
    )
    let_go = (
        select(func.sum(Release.released_amount))
        .join(Project, Project.id == Release.project_id)
        .where(_within(Release.approved_on, after, to), Release.state == PaperState.APPROVED)
    )
    return [repaid, let_go]


def compensated(after: date, to: date) -> list[Select[Any]]:
    """What was paid to banks in the customers' place, in the books or on its way there."""
    paid = (
        select(func.sum(BusinessEvent.total))
        .join(Project, Project.id == BusinessEvent.project_id)
        .where(
            BusinessEvent.event_code == "compensation.paid",
            BusinessEvent.state.in_(_STANDING),
            _within(BusinessEvent.occurred_on, after, to),
        )
    )
    return [paid]


def _within(column: Any, after: date, to: date) -> ColumnElement[bool]:
    return and_(column > after, column <= to)
