"""The warning of 再担保备案 that is late (6.6, 4.10): a project that was not filed by its last day."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload

from models.guarantee.project import Project, ProjectState
from models.guarantee.reguarantee import FilingRow, RowState
from models.guarantee.scheme import SharingScheme
from models.guarantee.sharing import ProjectShare
from workflows.after.warning import Hit, check


@check("filing_overdue")
def filing_overdue(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Shares of re-guarantors whose projects are past their last day and not sent, or sent back and lying about."""
    least = select(func.min(SharingScheme.filing_days)).scalar_subquery()
    told = exists().where(
        FilingRow.project_id == ProjectShare.project_id,
        FilingRow.company_id == ProjectShare.company_id,
        FilingRow.state.in_((RowState.SUBMITTED, RowState.DONE)),
    )
    earliest = on - timedelta(days=int(session.scalar(select(least)) or 0) + min(days))
    query = (
        select(ProjectShare)
        .join(Project, Project.id == ProjectShare.project_id)
        .options(joinedload(ProjectShare.project), joinedload(ProjectShare.scheme))
        .where(
            ProjectShare.company_id.is_not(None),
            Project.state == ProjectState.IN_FORCE,
            Project.start_on <= earliest,
            ~told,
        )
        .order_by(ProjectShare.id)
    )
    seen: set[tuple[int, int | None]] = set()
    for share in session.scalars(query):
        project, key = share.project, (share.project_id, share.company_id)
        assert project.start_on is not None, "it is in force"
        last = project.start_on + timedelta(days=share.scheme.filing_days)
        late = (on - last).days
        if key in seen or late < min(days):
            continue
        seen.add(key)
        step = max(limit for limit in days if limit <= late)
        company = share.company.name if share.company else ""
        message = f"应于 {last} 前向{company}报送再担保备案，已逾期 {late} 天"
        yield Hit(project, share, f"{last}/{step}", message)
