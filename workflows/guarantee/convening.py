"""Calling the review board in one go: the meeting, its agenda and its members, and its vote where it is today (4.3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from models.base.entity import Entity
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed, NotFound
from models.guarantee.project import Project
from models.guarantee.resolution import MeetingItem, MeetingMember, ReviewMeeting
from reports.figures.board import put_forward
from reports.figures.parameters import number
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import resolution
from workflows.guarantee.board import MEMBERS, PROJECTS

_TYPED = {"advised_amount": "amount", "advised_months": "months"}


@dataclass(frozen=True)
class Put:
    """A project to be put to the board, with amount and months as typed; None for what `put_forward` says."""

    project_id: int
    amount: Any = None
    months: Any = None


def field_of(name: str, project_id: int) -> str:
    """What a line of the agenda calls its field: amount-12."""
    return f"{name}-{project_id}"


def convene(
    ctx: Ctx,
    facts: Mapping[str, Any],
    agenda: Collection[Put],
    member_ids: Collection[int],
    *,
    is_opened: bool = False,
) -> ReviewMeeting:
    """Draw up a meeting with the chosen projects in their order and members of the board; `is_opened` begins its vote.

    Raises BusinessError that names the project or the person who cannot be on it, or why it cannot be opened; then
    nothing is called.
    """
    most = int(number(ctx.session, "meeting.members_max", ctx.today))
    if len(member_ids) > most:
        raise BusinessError(f"审保会委员最多 {most} 人，已勾选 {len(member_ids)} 人", field=MEMBERS)
    meeting = records.create(ctx, ReviewMeeting, facts)
    for employee_id in member_ids:
        _add(ctx, MEMBERS, MeetingMember, {"meeting_id": meeting.id, "employee_id": employee_id})
    _put_on(ctx, meeting, agenda)
    return resolution.open_meeting(ctx, meeting, meeting.version) if is_opened else meeting


def _put_on(ctx: Ctx, meeting: ReviewMeeting, agenda: Collection[Put]) -> None:
    """The whole agenda, or every line of it in which something is typed wrongly."""
    wrong: dict[str, list[str]] = {}
    for seq, one in enumerate(agenda, 1):
        project = records.find(ctx, Project, one.project_id)
        amount, months = put_forward(ctx.session, [project])[project.id]
        given = {
            "meeting_id": meeting.id,
            "project_id": project.id,
            "seq": seq,
            "advised_amount": amount if one.amount is None else one.amount,
            "advised_months": months if one.months is None else one.months,
        }
        try:
            _add(ctx, PROJECTS, MeetingItem, given, project.number)
        except FieldErrors as error:
            for name, said in error.field_errors.items():
                field = field_of(_TYPED[name], project.id) if name in _TYPED else PROJECTS
                wrong.setdefault(field, []).extend(said)
    if wrong:
        raise FieldErrors(wrong)


def _add(
    ctx: Ctx, chosen_in: str, part: type[Entity], given: Mapping[str, Any], name: str = ""
) -> None:
    """Somebody may have taken it elsewhere since the page was opened: said at the list in which it is ticked."""
    try:
        records.create(ctx, part, given)
    except (NotFound, NotAllowed):
        raise
    except BusinessError as error:
        if error.field in _TYPED or set(error.field_errors) <= set(_TYPED):
            raise FieldErrors(error.field_errors) from error
        said = error.message if name in error.message else f"项目 {name}：{error.message}"
        kind = Conflict if isinstance(error, Conflict) else BusinessError
        raise kind(f"{said}；会议未召集，请取消勾选后再保存", field=chosen_in) from error
