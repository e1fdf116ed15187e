"""The review board before its result: who may not vote and why, who is still to vote, what is put to it (4.3)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.paper import PaperState
from models.guarantee.appraisal import Advice, InvestigationReport, RiskAssessment
from models.guarantee.project import Project
from models.guarantee.resolution import (
    MeetingItem,
    MeetingMember,
    MeetingVote,
    ReviewMeeting,
)
from models.system.organization import Employee
from reports.figures.parameters import ratio

DECLARED = "本人申报"
_PARTS = ("A角", "B角", "风控复核人", "风险评估人", "申请经办人")


def parts_in(session: Session, project_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """By project, who has a part in it and which: he withdraws from its vote (回避, domain.md 1)."""
    query = (
        select(
            Project.id,
            Project.manager_id,
            Project.assistant_id,
            Project.risk_officer_id,
            RiskAssessment.created_by_id,
            Project.created_by_id,
        )
        .join(RiskAssessment, RiskAssessment.project_id == Project.id, isouter=True)
        .where(Project.id.in_(project_ids))
    )
    found: dict[int, dict[int, str]] = {key: {} for key in project_ids}
    for project_id, *people in session.execute(query):
        for part, employee_id in zip(_PARTS, people, strict=True):
            if employee_id is not None:
                found[project_id].setdefault(employee_id, part)
    return found


def put_forward(session: Session, projects: Sequence[Project]) -> dict[int, tuple[Decimal, int]]:
    """By project, amount and months to be put to the board: as investigated, within what was applied for."""
    found = {one.id: (one.amount, one.term_months) for one in projects}
    advised = select(
        InvestigationReport.project_id,
        InvestigationReport.advised_amount,
        InvestigationReport.advised_months,
    ).where(
        InvestigationReport.project_id.in_(found),
        InvestigationReport.state == PaperState.APPROVED,
        InvestigationReport.advice != Advice.OPPOSE,
    )
    for project_id, amount, months in session.execute(advised):
        asked, term = found[project_id]
        found[project_id] = min(asked, amount), min(term, months)
    return found


@dataclass(frozen=True)
class Turnout:
    """One item before its result: who withdrew and why, who has voted and is awaited; never how anybody voted."""

    base: int  # members who have not withdrawn
    voted: int
    awaited: tuple[str, ...]
    needed: int  # so many have to vote
    withdrawn: tuple[tuple[str, str], ...]  # name, reason

    @property
    def is_lost(self) -> bool:
        """Whether no quorum can come about with those who are there."""
        return self.base == 0 or self.voted + len(self.awaited) < self.needed


def turnouts(
    session: Session, meeting: ReviewMeeting, items: Sequence[MeetingItem], on: date
) -> dict[int, Turnout]:
    """Where each item of a meeting stands; before the vote as it would stand with those who are called."""
    query = (
        select(MeetingMember.employee_id, Employee.name, MeetingMember.is_present)
        .join(Employee, Employee.id == MeetingMember.employee_id)
        .where(MeetingMember.meeting_id == meeting.id)
        .order_by(MeetingMember.id)
    )
    members = list(session.execute(query))
    cast: dict[int, dict[int, bool]] = {one.id: {} for one in items}
    votes = select(MeetingVote.item_id, MeetingVote.employee_id, MeetingVote.is_withdrawn)
    for item_id, employee_id, is_withdrawn in session.execute(
        votes.where(MeetingVote.item_id.in_(cast))
    ):
        cast[item_id][employee_id] = is_withdrawn
    parts = parts_in(session, {one.project_id for one in items})
    least = ratio(session, "meeting.quorum_ratio", on)
    return {one.id: _turnout(members, cast[one.id], parts[one.project_id], least) for one in items}


def _turnout(
    members: Sequence[tuple[int, str, bool]],
    cast: dict[int, bool],
    parts: dict[int, str],
    least: Fraction,
) -> Turnout:
    withdrawn, awaited, voted = [], [], 0
    for key, name, is_present in members:
        if cast.get(key, key in parts):
            withdrawn.append((name, parts.get(key, DECLARED)))
        elif key in cast:
            voted += 1
        elif is_present:
            awaited.append(name)
    base = len(members) - len(withdrawn)
    return Turnout(base, voted, tuple(awaited), max(1, ceil(base * least)), tuple(withdrawn))
