"""What guarantees have done over a time: drawn, released, compensated (domain.md 2); sums after a first day, to a last.

Each is a list of sums over `Project`, so that whoever asks may narrow the projects.
"""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from models.after.case_money import LIVE_MONEY, RecoveryPart, RecoveryReceipt
from models.after.write_off import WriteOff
from models.base.columns import Money
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
    """Principal that customers repaid, and what the bank let go while it was still owed; without 代偿.

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
            Repayment.source != RepaymentSource.COMPENSATION,
            or_(Repayment.source != RepaymentSource.HISTORY, Drawdown.drawn_on > after),
        )
    )
    let_go = (
        select(func.sum(Release.released_amount))
        .join(Project, Project.id == Release.project_id)
        .where(_within(Release.approved_on, after, to), Release.state == PaperState.APPROVED)
    )
    return [repaid, let_go]


def discharged(after: date, to: date) -> list[Select[Any]]:
    """解除 as the monthly form has it: with 代偿."""
    return [*released(after, to), *compensated(after, to)]


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


def recovered(after: date, to: date) -> list[Select[Any]]:
    """What came in of what was paid to banks, other parties' part included; not what came after a write-off."""
    back = (
        select(func.sum(RecoveryPart.amount))
        .join(RecoveryReceipt, RecoveryReceipt.id == RecoveryPart.receipt_id)
        .join(Project, Project.id == RecoveryReceipt.project_id)
        .where(
            RecoveryReceipt.state.in_(LIVE_MONEY),
            RecoveryReceipt.is_off_book.is_(False),
            _within(RecoveryReceipt.moved_on, after, to),
        )
    )
    return [back]


def lost(after: date, to: date) -> list[Select[Any]]:
    """What was written off of what was paid to banks, with what other parties lose by it; without costs."""
    whole = WriteOff.amount - WriteOff.cost + WriteOff.other_amount
    gone = (
        select(func.sum(whole, type_=Money()))
        .join(Project, Project.id == WriteOff.project_id)
        .where(WriteOff.is_booked, _within(WriteOff.written_off_on, after, to))
    )
    return [gone]


def _within(column: Any, after: date, to: date) -> ColumnElement[bool]:
    return and_(column > after, column <= to)
