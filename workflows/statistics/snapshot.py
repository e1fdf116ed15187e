"""Daily snapshots (12): each project that stands differently than at its last one, and the company as a whole."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from models.guarantee.project import Project, ProjectState
from models.guarantee.repayment import Repayment, RepaymentState
from models.statistics.snapshot import CompanySnapshot, ProjectSnapshot
from reports.figures.overdue import Overdue, overdue_by_project
from workflows.base.context import Ctx

ZERO = Decimal("0.00")
_FIELDS = ("stage", "state", "balance", "overdue_principal", "overdue_interest", "overdue_since")


def take(ctx: Ctx) -> int:
    """Snapshot of the business date as it stands now; taking it again replaces it. How many projects had changed."""
    session, on = ctx.session, ctx.today
    for model in (ProjectSnapshot, CompanySnapshot):
        session.execute(delete(model).where(model.taken_on == on))
    overdue = overdue_by_project(session, on)
    last = _latest(session)
    changed = [
        {"project_id": project_id, "taken_on": on, **facts, **_stamps(ctx)}
        for project_id, facts in _now(session, overdue).items()
        if last.get(project_id) != tuple(facts[name] for name in _FIELDS)
    ]
    if changed:
        session.execute(insert(ProjectSnapshot), changed)
    session.execute(insert(CompanySnapshot), [{**_totals(session, on, overdue), **_stamps(ctx)}])
    return len(changed)


def _stamps(ctx: Ctx) -> dict[str, Any]:
    return {"version": 1, "extra": {}, "created_at": ctx.now, "updated_at": ctx.now}


def _now(session: Session, overdue: dict[int, Overdue]) -> dict[int, dict[str, Any]]:
    found = {}
    query = select(Project.id, Project.stage, Project.state, Project.balance).where(
        Project.state != ProjectState.DRAFT
    )
    for project_id, stage, state, balance in session.execute(query):
        late = overdue.get(project_id, Overdue())
        found[project_id] = {
            "stage": stage,
            "state": state,
            "balance": balance,
            "overdue_principal": late.principal,
            "overdue_interest": late.interest,
            "overdue_since": late.since,
        }
    return found


def _latest(session: Session) -> dict[int, tuple[Any, ...]]:
    """The last row of each project."""
    newest = select(
        ProjectSnapshot.project_id, func.max(ProjectSnapshot.taken_on).label("taken_on")
    ).group_by(ProjectSnapshot.project_id)
    last = newest.subquery()
    query = select(
        ProjectSnapshot.project_id, *(getattr(ProjectSnapshot, name) for name in _FIELDS)
    ).join(
        last,
        (last.c.project_id == ProjectSnapshot.project_id)
        & (last.c.taken_on == ProjectSnapshot.taken_on),
    )
    return {row[0]: tuple(row[1:]) for row in session.execute(query)}


def _totals(session: Session, on: date, overdue: dict[int, Overdue]) -> dict[str, Any]:
    counts: dict[ProjectState, tuple[int, Decimal]] = {
        state: (count, balance)
        for state, count, balance in session.execute(
            select(Project.state, func.count(Project.id), func.sum(Project.balance)).group_by(
                Project.state
            )
        )
    }
    repaid = select(func.sum(Repayment.principal)).where(
        Repayment.paid_on == on, Repayment.state == RepaymentState.BOOKED
    )
    in_force = counts.get(ProjectState.IN_FORCE, (0, ZERO))
    return {
        "taken_on": on,
        "running_count": counts.get(ProjectState.RUNNING, (0, ZERO))[0],
        "in_force_count": in_force[0],
        "in_force_balance": in_force[1],
        "overdue_count": len(overdue),
        "overdue_principal": sum((o.principal for o in overdue.values()), ZERO),
        "overdue_interest": sum((o.interest for o in overdue.values()), ZERO),
        "repaid_principal": session.scalar(repaid) or ZERO,
    }
