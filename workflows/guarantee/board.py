"""The review board at its meeting: who can vote is called, and nobody's absence keeps the others (4.3, 0003)."""

from typing import Any, Final

from sqlalchemy import inspect, select

from models.base.errors import Conflict, FieldErrors
from models.guarantee.resolution import MeetingMember, MeetingState, ReviewMeeting
from models.system.organization import Employee
from reports.figures.duties import holders_of_right
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import permit, verbs
from workflows.guarantee import stages

PROJECTS: Final = "projects"  # the fields under which agenda and members are chosen, and refused
MEMBERS: Final = "members"
ACTS = verbs("meeting_member", {"attend": "登记到会情况"})


@records.rule(MeetingMember)
def check_member(ctx: Ctx, member: MeetingMember, is_new: bool) -> None:
    """Only those who can vote are named, or a ballot would be missing for ever."""
    state: Any = inspect(member)
    if not is_new and not state.attrs["employee_id"].history.has_changes():
        return
    if member.employee_id not in voters(ctx):
        name = ctx.session.get_one(Employee, member.employee_id).name
        said = f"{name}不是审保会委员（没有表决权限，或账号已停用），不能列为参会委员"
        raise FieldErrors({"employee_id": [said]})


def voters(ctx: Ctx) -> set[int]:
    """Employees who hold the right to vote and can sign in."""
    return {one.id for one in holders_of_right(ctx.session, "cast", "meeting_vote")}


def hold(ctx: Ctx, meeting_id: int, *, shared: bool = False) -> ReviewMeeting:
    """The meeting as it is now, held until the commit: votes are cast side by side, its result stands alone."""
    query = (
        select(ReviewMeeting)
        .where(ReviewMeeting.id == meeting_id)
        .with_for_update(read=shared, of=ReviewMeeting)
    )
    ctx.session.flush()
    return ctx.session.scalars(query.execution_options(populate_existing=True)).one()


def members_of(ctx: Ctx, meeting: ReviewMeeting) -> list[MeetingMember]:
    """The members as they are now."""
    query = (
        select(MeetingMember)
        .where(MeetingMember.meeting_id == meeting.id)
        .order_by(MeetingMember.id)
    )
    return list(ctx.session.scalars(query.execution_options(populate_existing=True)))


def mark_absent(
    ctx: Ctx, member: MeetingMember, reason: str, version: int | None = None
) -> MeetingMember:
    """Note during the vote that a member is not there, or had to leave; votes already cast stay and count.

    Raises Conflict outside the vote, or where it is noted already.
    """
    _enter(ctx, member, version, is_present=True)
    member.is_present = False
    audit.log(ctx, member, "ABSENT", note=f"登记缺席：{stages.checked_reason(reason, '登记缺席')}")
    ctx.session.flush()
    return member


def mark_present(ctx: Ctx, member: MeetingMember, version: int | None = None) -> MeetingMember:
    """Note during the vote that a member has come after all, and may vote on what is still open."""
    _enter(ctx, member, version, is_present=False)
    member.is_present = True
    audit.log(ctx, member, "PRESENT", note="登记到会")
    ctx.session.flush()
    return member


def _enter(ctx: Ctx, member: MeetingMember, version: int | None, *, is_present: bool) -> None:
    permit(ctx, ACTS["attend"])
    meeting = hold(ctx, member.meeting_id)
    ctx.session.refresh(member)
    if version is not None:
        records.check_version(ctx, member, version)
    if meeting.state is not MeetingState.OPEN:
        raise Conflict(f"会议{meeting.state.label}，表决中才能登记到会情况")
    if member.is_present is not is_present:
        raise Conflict(f"{member.employee.name}已登记为{'到会' if member.is_present else '缺席'}")
