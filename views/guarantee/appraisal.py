"""Buttons of the line from application to confirmation letter (4.1a-4.3)."""

from typing import Any

from sqlalchemy import func, select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import (
    MeetingItem,
    MeetingMember,
    MeetingState,
    Resolution,
    ResolutionState,
)
from models.system.records import IssuedDocument
from views.guarantee.gate import conditions_of, running_of, standing_of
from views.kit.buttons import Button, page_of, register
from workflows.approval import approval
from workflows.approval.decide import WITHDRAW
from workflows.approval.sheet import PRINT, issue_sheet
from workflows.base.context import Ctx
from workflows.guarantee import application, appraisal, board, resolution


def at(*stages: Stage) -> Any:
    """Offered while a running project stands at one of these stages."""
    return lambda _ctx, project: project.state is ProjectState.RUNNING and project.stage in stages


def is_running(_: Ctx, project: Project) -> bool:
    """Offered while the project is on its way."""
    return project.state is ProjectState.RUNNING


def to_project(tab: str = "") -> Any:
    """Back to the project of the record, on one of its tabs."""
    tail = f"?tab={tab}#tabs" if tab else ""
    return lambda record, _: f"/project/show/{record.project_id}{tail}"


def to_meeting(record: Any, _: Any) -> str:
    """Back to the meeting of a member or an item."""
    return f"/review_meeting/show/{record.meeting_id}"


def in_approval(ctx: Ctx, record: Any) -> str:
    """Why a thing under approval cannot be put up again."""
    return "正在审批中" if running_of(ctx, record) else ""


def running_url(ctx: Ctx, record: Any) -> str:
    """The approval that a record is in, where it can be urged or taken back."""
    found = running_of(ctx, record)
    return f"/approvals/instance/{found.id}" if found else ""


def _why_not_submit(ctx: Ctx, project: Project) -> str:
    return "；".join(
        application.obstacles(
            ctx, project, standing_of(ctx, project).limits, conditions_of(ctx, project)
        )
    )


def _mend_submit(ctx: Ctx, project: Project) -> str:
    """Documents are uploaded here; everything else is the customer's file."""
    missing = [one.key for one in conditions_of(ctx, project) if not one.is_met]
    return "?tab=files#tabs" if missing in ([], ["documents"]) else page_of(project.customer)


def _signed(ctx: Ctx, project: Project) -> str:
    if resolution.valid_resolution(ctx, project):
        return ""
    waiting = select(func.count()).where(
        Resolution.project_id == project.id, Resolution.state == ResolutionState.SIGNING
    )
    return "待总裁签字" if ctx.session.scalar(waiting) else "尚无审保会通过的决议"


def _mend_confirmation(_: Ctx, __: Project) -> str:
    return "?tab=resolution#tabs"


def _is_there(_: Ctx, member: MeetingMember) -> bool:
    return member.meeting.state is MeetingState.OPEN and member.is_present


def _is_away(_: Ctx, member: MeetingMember) -> bool:
    return member.meeting.state is MeetingState.OPEN and not member.is_present


def _is_in_the_vote(_: Ctx, item: MeetingItem) -> bool:
    return item.meeting.state is MeetingState.OPEN


def _may_withdraw(ctx: Ctx, instance: ApprovalInstance) -> bool:
    is_running = instance.state is ApprovalState.RUNNING
    return is_running and instance.applicant_id == ctx.actor.employee_id


def _has_ended(_: Ctx, instance: ApprovalInstance) -> bool:
    return instance.state is not ApprovalState.RUNNING


def _to_sheet(_: ApprovalInstance, sheet: IssuedDocument) -> str:
    return f"/issued_document/{sheet.id}/pdf"


register(
    Button(
        application.STEPS["submit"],
        application.submit,
        why_not=_why_not_submit,
        mend=_mend_submit,
        style="primary",
        rank=1,
        done="申请已提交，进入受理评估",
    ),
    Button(
        application.STEPS["cancel"],
        application.cancel,
        ask="撤回原因",
        style="danger",
        rank=90,
        confirm="撤回后申请结束办理，不能恢复。",
    ),
    Button(
        appraisal.ACTS["issue_intent"],
        appraisal.issue_intent,
        on="project",
        when=at(Stage.INTENT),
        style="primary",
        rank=1,
    ),
    Button(
        appraisal.REVIEW["submit_review"],
        appraisal.submit_review,
        when=is_running,
        why_not=in_approval,
        mend=running_url,
        style="primary",
        rank=1,
    ),
    Button(
        resolution.ACTS["issue_confirmation"],
        resolution.issue_confirmation,
        on="project",
        when=at(Stage.RESOLVE),
        why_not=_signed,
        mend=_mend_confirmation,
        style="primary",
        rank=1,
    ),
    Button(
        resolution.MEETING["open"],
        resolution.open_meeting,
        style="primary",
        rank=1,
        confirm="开始表决后，议题和委员不能再修改。",
    ),
    Button(
        resolution.MEETING["close"],
        resolution.close_meeting,
        style="primary",
        rank=1,
        confirm="宣布后结果不能更改：通过的议题形成决议并送总裁签字，未通过的项目终止办理。",
    ),
    Button(
        board.ACTS["attend"],
        board.mark_absent,
        name="absent",
        label="登记缺席",
        when=_is_there,
        ask="缺席的原因",
        confirm="尚未表决的议题不再等待该委员；已投的票有效，照常计算。",
        after=to_meeting,
    ),
    Button(
        board.ACTS["attend"],
        board.mark_present,
        name="present",
        label="登记到会",
        when=_is_away,
        after=to_meeting,
    ),
    Button(
        resolution.ITEM["withdraw"],
        resolution.withdraw_item,
        when=_is_in_the_vote,
        ask="撤下原因",
        rank=50,
        confirm="撤下后本次会议不再表决该议题，项目可列入另一次会议。",
        done="议题已撤下",
        after=to_meeting,
    ),
    Button(
        WITHDRAW,
        approval.withdraw,
        name="withdraw",
        when=_may_withdraw,
        confirm="撤回后可修改并重新提交。",
        rank=50,
    ),
    Button(
        PRINT,
        issue_sheet,
        name="sheet",
        when=_has_ended,
        rank=40,
        done="审批单已出具",
        after=_to_sheet,
    ),
)
