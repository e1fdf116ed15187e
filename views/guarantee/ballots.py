"""审保会表决 (4.3): the page on which a member of the review board votes, at a desk or on a phone."""

from typing import Any, ClassVar

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import func, select

from models.base.entity import Entity
from models.base.errors import BusinessError
from models.base.money import format_money
from models.guarantee.project import Project
from models.guarantee.resolution import (
    ItemState,
    MeetingItem,
    MeetingMember,
    MeetingState,
    MeetingVote,
    VoteChoice,
)
from reports.figures.board import parts_in, put_forward
from reports.workbench.todo_source import TodoKind
from views.approval import page as approval_page
from views.kit import edge, todo
from views.kit.cells import record_url
from views.kit.entity_view import EntityView
from views.kit.interface import EntityInterface, valid_id
from views.kit.pages import (
    Action,
    ApprovalPage,
    Cell,
    Decision,
    Fact,
)
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import resolution

WITHDRAW = "WITHDRAW"
_HINT = "附条件同意、不同意时必填"
_PHRASES = ("同意", "落实反担保措施后放款", "第一还款来源不足，不同意")


class MeetingItemView(EntityView):
    """Screens of 会议议题; a member votes from here too."""

    model: ClassVar[Any] = MeetingItem

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """表决, for a member who has not voted yet."""
        assert isinstance(record, MeetingItem)
        found = super().verbs(record, ctx)
        if ctx.actor.may("cast", "meeting_vote") and not _why_not(ctx, record):
            found.insert(0, Action("表决", f"/approvals/ballots/{record.id}", style="primary"))
        return found

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """What was applied for or advised, and the next place on the agenda."""
        meeting, project_id = (
            valid_id(request.args.get(name, "")) for name in ("owner", "project_id")
        )
        project = EntityInterface(Project).get(project_id)
        last = ctx.session.scalar(
            select(func.max(MeetingItem.seq)).where(MeetingItem.meeting_id == meeting)
        )
        given: dict[str, Any] = {"seq": (last or 0) + 1}
        if isinstance(project, Project):
            amount, months = put_forward(ctx.session, [project])[project.id]
            given |= {"advised_amount": amount, "advised_months": months}
        return given


class BallotView(BaseView):
    """/approvals/ballots/<item>: what is put to the vote, and one's own vote."""

    route_base = "/approvals/ballots"
    class_permission_name = "meeting_vote"
    default_view = "ballot"
    title = "表决"

    @expose("/<pk>", methods=("GET", "POST"))
    @edge.screen("cast")
    def ballot(self, pk: str) -> ResponseReturnValue:
        """Show the item, or take the vote; what was typed stays when it is refused."""
        ctx, item = edge.current_ctx(), _item(pk)
        if request.method == "GET":
            return self.render_template("approval.html", page=_page(ctx, item))
        key, opinion = item.id, request.form.get("opinion", "")
        choice = request.form.get("decision", "")
        if choice == WITHDRAW:
            opinion = request.form.get("reason", "") or opinion
        try:
            with edge.writing() as ctx:
                vote = resolution.cast(
                    ctx,
                    records.find(ctx, MeetingItem, key),
                    _choice(choice),
                    opinion,
                    withdraw=choice == WITHDRAW,
                )
                cast = "回避" if vote.is_withdrawn else str(vote.choice)
        except BusinessError as error:
            return self.render_template(
                "approval.html", page=_page(ctx, _item(pk), error, opinion)
            ), error.status
        flash(f"已记录您的表决：{cast}", "success")
        return redirect(todo.next_url(edge.current_ctx()))


def _item(pk: str) -> MeetingItem:
    found = EntityInterface(MeetingItem).find(pk)
    assert isinstance(found, MeetingItem)
    return found


def _choice(code: str) -> VoteChoice | None:
    return VoteChoice.__members__.get(code)


def _why_not(ctx: Ctx, item: MeetingItem) -> str:
    """Why this reader may not vote on the item; empty when they may."""
    if item.result is ItemState.WITHDRAWN:
        return "议题已撤下，不能表决"
    me = ctx.actor.employee_id
    members = ctx.session.query(MeetingMember).filter_by(
        meeting_id=item.meeting_id, employee_id=me, is_present=True
    )
    if not members.count():
        return "您不是本次会议的到会委员"
    vote = ctx.session.query(MeetingVote).filter_by(item_id=item.id, employee_id=me).first()
    if vote is not None:
        return f"您已回避：{vote.opinion}" if vote.is_withdrawn else "您已对该议题表决"
    return (
        ""
        if item.meeting.state is MeetingState.OPEN
        else f"会议{item.meeting.state.label}，不能表决"
    )


def _page(
    ctx: Ctx, item: MeetingItem, error: BusinessError | None = None, opinion: str = ""
) -> ApprovalPage:
    project, why = item.project, _why_not(ctx, item)
    page = ApprovalPage(
        title="审保会表决",
        crumbs=[
            ("我的工作台", ""),
            ("待办事项", "/approvals/"),
            (f"审保会表决：{project.customer.name}", ""),
        ],
        who=project.customer.name,
        who_url=record_url("project", project.id) if ctx.actor.may("show", "project") else "",
        action_url=f"/approvals/ballots/{item.id}",
        amount=format_money(item.advised_amount),
        unit="元",
        number=project.number,
        state=Cell(item.result.label, "enum", tone=item.result.tone)
        if item.result is not ItemState.PENDING
        else None,
        facts=[*approval_page.about_project(ctx, project), *_about_meeting(item)],
        checks=approval_page.limits(ctx, project),
        opinion=opinion,
        opinion_hint=_HINT,
        notice=why,
        sections=approval_page.papers_of(ctx, project),
        help_key="approval_task",
    )
    if not why:
        _offer(ctx, page, item)
    if error is not None:
        field = error.field if error.field == "opinion" else ""
        page.errors = [(field, "审批意见" if field else "", error.message)]
    return page


def _about_meeting(item: MeetingItem) -> list[Fact]:
    meeting = item.meeting
    words = f"{meeting.number}，{meeting.held_on}，第 {item.seq} 项议题"
    found = [Fact("会议", Cell(words, "link", url=record_url("review_meeting", meeting.id)))]
    if item.advised_months != item.project.term_months:
        found.append(Fact("提请期限", Cell(f"{item.advised_months} 个月")))
    return found


def _offer(ctx: Ctx, page: ApprovalPage, item: MeetingItem) -> None:
    """The buttons; a related person may only withdraw."""
    project, me = item.project, ctx.actor.employee_id
    part = parts_in(ctx.session, {project.id})[project.id].get(me or 0, "")
    why = f"您是本项目的{part}，只能回避" if part else ""
    page.position = todo.position(ctx, TodoKind.BALLOT, item.id)
    page.phrases = () if part else _PHRASES
    page.decisions = [
        Decision("OPPOSE", "不同意", "danger", needs_opinion=True, why_not=why),
        Decision("CONDITIONAL", "附条件同意", needs_opinion=True, why_not=why),
        Decision("AGREE", "同意", "primary", why_not=why),
    ]
    defer = Action(
        "续议",
        page.action_url,
        "POST",
        confirm="续议不计入同意票，表决后不能更改。",
        why_not=why,
        fields=(("decision", "DEFER"),),
    )
    avoid = Action(
        "回避",
        page.action_url,
        "POST",
        ask="回避原因",
        ask_required=True,
        fields=(("decision", WITHDRAW),),
        confirm=f"回避“{project.customer.name}”的表决？回避后不计入法定人数，不能更改。",
    )
    page.more = [defer, avoid]
