"""Calling the review board in one go: the meeting, its agenda and its members (4.3)."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from models.base.entity import Entity
from models.base.errors import BusinessError, Conflict, NotFound
from models.guarantee.project import Project
from models.guarantee.resolution import MeetingItem, MeetingMember, ReviewMeeting
from reports.figures.parameters import number
from workflows.base import records
from workflows.base.context import Ctx

PROJECTS: Final = "projects"  # the fields under which agenda and members are chosen, and refused
MEMBERS: Final = "members"


def convene(
    ctx: Ctx, facts: Mapping[str, Any], project_ids: Collection[int], member_ids: Collection[int]
) -> ReviewMeeting:
    """Draw up a meeting with the chosen projects, each with the amount and term applied for, and members of the board.

    Raises BusinessError that names the project or the person who cannot be on it; then nothing is called.
    """
    most = int(number(ctx.session, "meeting.members_max", ctx.today))
    if len(member_ids) > most:
        raise BusinessError(f"审保会委员最多 {most} 人，已勾选 {len(member_ids)} 人", field=MEMBERS)
    meeting = records.create(ctx, ReviewMeeting, facts)
    for employee_id in member_ids:
        _add(ctx, MEMBERS, MeetingMember, {"meeting_id": meeting.id, "employee_id": employee_id})
    for seq, project_id in enumerate(project_ids, 1):
        project = records.find(ctx, Project, project_id)
        given = {
            "meeting_id": meeting.id,
            "project_id": project.id,
            "seq": seq,
            "advised_amount": project.amount,
            "advised_months": project.term_months,
        }
        _add(ctx, PROJECTS, MeetingItem, given, project.number)
    return meeting


def _add(
    ctx: Ctx, chosen_in: str, part: type[Entity], given: Mapping[str, Any], name: str = ""
) -> None:
    """Somebody may have taken it elsewhere since the page was opened: said at the list in which it is ticked."""
    try:
        records.create(ctx, part, given)
    except NotFound:
        raise
    except BusinessError as error:
        said = error.message if name in error.message else f"项目 {name}：{error.message}"
        kind = Conflict if isinstance(error, Conflict) else BusinessError
        raise kind(f"{said}；会议未召集，请取消勾选后再保存", field=chosen_in) from error
