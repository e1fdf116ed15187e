"""交办事项 that wait: for who was asked, or for who gave them once nobody answers for them any more."""

from datetime import date

from sqlalchemy import null, select
from sqlalchemy.orm import aliased

from models.system.errand import Errand, ErrandState
from models.system.organization import Employee
from reports.figures.approvals import ABLE
from reports.workbench.todo_source import Rows, Source, TodoKind

_GIVER = aliased(Employee)


def _given(_: date) -> Rows:
    return (
        select(Errand.id, Errand.what, Errand.about, null(), _GIVER.name, Errand.due_on)
        .outerjoin(_GIVER, _GIVER.id == Errand.giver_id)
        .where(Errand.state == ErrandState.PENDING)
        .order_by(Errand.due_on, Errand.id)
    )


def _left_behind(today: date) -> Rows:
    """Of people who have left or cannot sign in."""
    able = select(Employee.id).where(*ABLE)
    return _given(today).where(Errand.doer_id.not_in(able))


ERRANDS: tuple[Source, ...] = (
    Source(
        TodoKind.ERRAND,
        Errand,
        ("finish", "errand"),
        rows=_given,
        holder=Errand.doer_id,
        is_scoped=True,
        numbered=Errand.what,
    ),
    Source(
        TodoKind.ERRAND,
        Errand,
        ("hand_on", "errand"),
        rows=_left_behind,
        holder=Errand.giver_id,
        is_scoped=True,
        numbered=Errand.what,
    ),
)
