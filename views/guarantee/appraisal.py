"""Buttons of the line from application to confirmation letter (4.1a-4.3)."""

from typing import Any

from sqlalchemy import func, select

from models.approval.approval import ApprovalState
from models.guarantee.appraisal import PaperState
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import ItemState, MeetingState, Resolution, ResolutionState
from views.guarantee.gate import conditions_of, running_of, standing_of
from views.kit.verbs import ScreenVerb, all_of, in_state, record_url, register
from workflows.approval import approval
from workflows.approval.sheet import issue_sheet
from workflows.base.context import Ctx
from workflows.guarantee import application, appraisal, board, resolution


def at(*stages: Stage) -> Any:
    """Offered while a running project stands at one of these stages."""
    return lambda _ctx, project: project.state is ProjectState.RUNNING and project.stage in stages


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
    return "?tab=files#tabs" if missing in ([], ["documents"]) else record_url(project.customer)


def _signed(ctx: Ctx, project: Project) -> str:
    if resolution.valid_resolution(ctx, project):
        return ""
    waiting = select(func.count()).where(
        Resolution.project_id == project.id, Resolution.state == ResolutionState.SIGNING
    )
    return "待总裁签字" if ctx.session.scalar(waiting) else "尚无审保会通过的决议"


register(
    ScreenVerb(
        "project",
        "submit",
        "提交申请",
        run=lambda ctx, p, _, v: application.submit(ctx, p, v),
        permission=("submit", "project"),
        is_offered=in_state("state", ProjectState.DRAFT),
        why_not=_why_not_submit,
        mend=_mend_submit,
        style="primary",
        rank=1,
        done="申请已提交，进入受理评估",
    ),
    ScreenVerb(
        "project",
        "cancel",
        "撤回申请",
        run=lambda ctx, p, v, n: application.cancel(ctx, p, v["reason"], n),
        permission=("cancel", "project"),
        is_offered=in_state("state", ProjectState.DRAFT),
        ask="撤回原因",
        style="danger",
        rank=90,
        confirm="撤回后申请结束办理，不能恢复。",
    ),
    ScreenVerb(
        "investigation_report",
        "submit",
        "提交评估审批",
        run=lambda ctx, r, _, v: appraisal.submit_report(ctx, r, v),
        permission=("submit", "investigation_report"),
        is_offered=in_state("state", PaperState.DRAFT),
        style="primary",
        rank=1,
        after=lambda r, _: f"/project/show/{r.project_id}",
    ),
    ScreenVerb(
        "project",
        "issue_intent",
        "出具担保意向函",
        run=lambda ctx, p, _, v: appraisal.issue_intent(ctx, p, v),
        permission=("issue_intent", "bank_letter"),
        is_offered=at(Stage.INTENT),
        style="primary",
        rank=1,
    ),
    ScreenVerb(
        "project",
        "submit_review",
        "提交评审审批",
        run=lambda ctx, p, _, v: appraisal.submit_review(ctx, p, v),
        permission=("submit_review", "project"),
        is_offered=at(Stage.REVIEW),
        why_not=in_approval,
        mend=running_url,
        style="primary",
        rank=1,
    ),
    ScreenVerb(
        "risk_assessment",
        "submit",
        "提交风控审批",
        run=lambda ctx, r, _, v: appraisal.submit_risk(ctx, r, v),
        permission=("submit", "risk_assessment"),
        is_offered=in_state("state", PaperState.DRAFT),
        style="primary",
        rank=1,
        after=lambda r, _: f"/project/show/{r.project_id}",
    ),
    ScreenVerb(
        "project",
        "issue_confirmation",
        "出具担保确认函",
        run=lambda ctx, p, _, v: resolution.issue_confirmation(ctx, p, v),
        permission=("issue_confirmation", "bank_letter"),
        is_offered=at(Stage.RESOLVE),
        why_not=_signed,
        mend=lambda *_: "?tab=resolution#tabs",
        style="primary",
        rank=1,
    ),
    ScreenVerb(
        "review_meeting",
        "open",
        "开始表决",
        run=lambda ctx, m, _, v: resolution.open_meeting(ctx, m, v),
        permission=("open", "review_meeting"),
        is_offered=in_state("state", MeetingState.DRAFT),
        style="primary",
        rank=1,
        confirm="开始表决后，议题和委员不能再修改。",
    ),
    ScreenVerb(
        "review_meeting",
        "close",
        "宣布结果",
        run=lambda ctx, m, _, v: resolution.close_meeting(ctx, m, v),
        permission=("close", "review_meeting"),
        is_offered=in_state("state", MeetingState.OPEN),
        style="primary",
        rank=1,
        confirm="宣布后结果不能更改：通过的议题形成决议并送总裁签字，未通过的项目终止办理。",
    ),
    ScreenVerb(
        "meeting_member",
        "absent",
        "登记缺席",
        run=lambda ctx, m, v, n: board.mark_absent(ctx, m, v["reason"], n),
        permission=("attend", "meeting_member"),
        is_offered=lambda _, m: m.meeting.state is MeetingState.OPEN and m.is_present,
        ask="缺席的原因",
        confirm="尚未表决的议题不再等待该委员；已投的票有效，照常计算。",
        after=lambda m, _: f"/review_meeting/show/{m.meeting_id}",
    ),
    ScreenVerb(
        "meeting_member",
        "present",
        "登记到会",
        run=lambda ctx, m, _, n: board.mark_present(ctx, m, n),
        permission=("attend", "meeting_member"),
        is_offered=lambda _, m: m.meeting.state is MeetingState.OPEN and not m.is_present,
        after=lambda m, _: f"/review_meeting/show/{m.meeting_id}",
    ),
    ScreenVerb(
        "meeting_item",
        "withdraw",
        "撤下议题",
        run=lambda ctx, i, v, n: resolution.withdraw_item(ctx, i, v["reason"], n),
        permission=("withdraw", "meeting_item"),
        is_offered=lambda _, i: (
            i.result is ItemState.PENDING and i.meeting.state is MeetingState.OPEN
        ),
        ask="撤下原因",
        rank=50,
        confirm="撤下后本次会议不再表决该议题，项目可列入另一次会议。",
        done="议题已撤下",
        after=lambda i, _: f"/review_meeting/show/{i.meeting_id}",
    ),
    ScreenVerb(
        "approval_instance",
        "withdraw",
        "撤回审批",
        run=lambda ctx, i, _, __: approval.withdraw(ctx, i),
        permission=("list", "approval_instance"),
        is_offered=all_of(
            in_state("state", ApprovalState.RUNNING),
            lambda ctx, i: i.applicant_id == ctx.actor.employee_id,
        ),
        confirm="撤回后可修改并重新提交。",
        rank=50,
    ),
    ScreenVerb(
        "approval_instance",
        "sheet",
        "打印审批单",
        run=lambda ctx, i, _, __: issue_sheet(ctx, i),
        permission=("show", "approval_instance"),
        is_offered=lambda _, i: i.state is not ApprovalState.RUNNING,
        rank=40,
        done="审批单已出具",
        after=lambda _, made: f"/issued_document/{made.id}/pdf",
    ),
)
