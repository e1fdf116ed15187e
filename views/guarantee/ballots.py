"""审保会表决 (4.3): the page on which a member of the review board votes, at a desk or on a phone."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import func, select

from models.base.entity import Entity, PartOf
from models.base.errors import BusinessError
from models.base.money import format_money
from models.guarantee.project import Project
from models.guarantee.resolution import (
    ItemState,
    MeetingItem,
    MeetingMember,
    MeetingState,
    MeetingVote,
    ReviewMeeting,
    VoteChoice,
)
from models.system.organization import Employee
from reports.figures.duties import holders_of_right
from reports.figures.parameters import number
from reports.workbench.todo import waiting_for_agenda
from reports.workbench.todo_source import TodoKind
from views.approval import page as approval_page
from views.kit import edge, todo, widgets
from views.kit.cells import record_url
from views.kit.entity_view import EntityView
from views.kit.interface import EntityInterface, valid_id
from views.kit.pages import (
    Action,
    ApprovalPage,
    Cell,
    Decision,
    Fact,
    Field,
    FieldGroup,
    FormPage,
    Section,
)
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import resolution
from workflows.guarantee.convening import MEMBERS, PROJECTS, convene

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
        """The whole of what was applied for, and the next place on the agenda."""
        meeting, project_id = (
            valid_id(request.args.get(name, "")) for name in ("owner", "project_id")
        )
        project = EntityInterface(Project).get(project_id)
        last = ctx.session.scalar(
            select(func.max(MeetingItem.seq)).where(MeetingItem.meeting_id == meeting)
        )
        given: dict[str, Any] = {"seq": (last or 0) + 1}
        if isinstance(project, Project):
            given |= {"advised_amount": project.amount, "advised_months": project.term_months}
        return given


class ReviewMeetingView(EntityView):
    """Screens of 审保会; while votes are cast its page says who is still to vote, never how anybody voted."""

    model: ClassVar[Any] = ReviewMeeting

    def default_tab(self, record: Entity) -> str:
        """A meeting is its agenda."""
        return "meeting_item"

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """Today, where and under whom the board met last; who calls it keeps the minutes."""
        last = ctx.session.scalars(
            select(ReviewMeeting).order_by(ReviewMeeting.id.desc()).limit(1)
        ).first()
        given: dict[str, Any] = {"held_on": ctx.today, "secretary_id": ctx.actor.employee_id}
        return given | ({"place": last.place, "chair_id": last.chair_id} if last else {})

    def gridded(self, record: Entity | None, ctx: Ctx) -> dict[str, PartOf]:
        """Who sits and what is on the agenda of a new meeting is ticked, not typed."""
        return {} if record is None else super().gridded(record, ctx)

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """A new meeting is called as a whole: projects that wait and members of the board are ticked here."""
        if record is None:
            wrong = {
                name: [m for key, _, m in page.errors if key == name]
                for name in (PROJECTS, MEMBERS)
            }
            page.can_go_on = False
            page.groups.append(FieldGroup("", [_projects(ctx, wrong), _board(ctx, wrong)]))
        return page

    def save(
        self, ctx: Ctx, record: Entity | None, values: Mapping[str, Any], version: int | None
    ) -> Entity:
        """A new meeting with all that was ticked, or nothing."""
        if record is not None:
            return super().save(ctx, record, values, version)
        return convene(ctx, values, _ticked(PROJECTS), _ticked(MEMBERS))

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """表决进度 of an open meeting."""
        assert isinstance(record, ReviewMeeting)
        return [_turnout(ctx, record)] if record.state is MeetingState.OPEN else []


def _ticked(name: str) -> list[int]:
    """The ids that were ticked. Raises BusinessError for what is none."""
    found = [valid_id(text) for text in dict.fromkeys(request.form.getlist(name))]
    if None in found:
        raise BusinessError("勾选的内容无效，请重新打开页面", field=name)
    return [key for key in found if key is not None]


def _projects(ctx: Ctx, wrong: widgets.Errors) -> Field:
    """What waits for the board: all of it is ticked, what shall not be on the agenda is taken off."""
    options = [
        (
            str(one.id),
            f"{one.number} {one.customer.name}　{format_money(one.amount)} 元 · {one.term_months} 个月",
            f"{one.stage_since} 进入公司决议",
        )
        for one in waiting_for_agenda(ctx.session, ctx.actor)
    ]
    label = f"待上会项目（{len(options)}）" if options else "没有待上会的项目"
    return _ticks(PROJECTS, label, options, wrong)


def _board(ctx: Ctx, wrong: widgets.Errors) -> Field:
    """Who can vote: all of them while they are no more than a meeting has members."""
    able = holders_of_right(ctx.session, "cast", "meeting_vote")
    most = int(number(ctx.session, "meeting.members_max", ctx.today))
    options = [(str(one.id), one.name, str(one.department)) for one in able]
    label = f"参会委员（审保会 {len(options)} 人，最多 {most} 人到会）"
    return _ticks(MEMBERS, label, options, wrong, is_first_on=len(able) <= most)


def _ticks(
    name: str,
    label: str,
    options: list[tuple[str, str, str]],
    wrong: widgets.Errors,
    *,
    is_first_on: bool = True,
) -> Field:
    first = [value for value, _, _ in options] if is_first_on else []
    chosen = first if request.method == "GET" else request.form.getlist(name)
    return widgets.many(name, label, options, chosen, errors=wrong, is_list=True)


def _turnout(ctx: Ctx, meeting: ReviewMeeting) -> Section:
    items = ctx.session.scalars(
        select(MeetingItem.id).where(MeetingItem.meeting_id == meeting.id)
    ).all()
    voted = select(MeetingVote.employee_id, func.count()).where(MeetingVote.item_id.in_(items))
    counts = {
        row[0]: row[1] for row in ctx.session.execute(voted.group_by(MeetingVote.employee_id))
    }
    query = (
        select(MeetingMember.employee_id, Employee.name, MeetingMember.is_present)
        .join(Employee, Employee.id == MeetingMember.employee_id)
        .where(MeetingMember.meeting_id == meeting.id)
        .order_by(MeetingMember.id)
    )
    facts, done = [], 0
    for employee_id, name, is_present in ctx.session.execute(query):
        count = counts.get(employee_id, 0)
        words = f"已表决 {count} / {len(items)}" if is_present else "未出席"
        has_all = is_present and count == len(items)
        done += has_all
        facts.append(
            Fact(
                name,
                Cell(words, "enum", tone="ok" if has_all else "doing" if is_present else "draft"),
            )
        )
    note = f"{done} 人已表决"
    found = Section("turnout", "表决进度", template="parts/pairs.html", data=facts, note=note)
    if ctx.actor.may("attend", "meeting_member"):
        found.more_url, found.more_label = "?tab=meeting_member#tabs", "登记缺席"
    return found


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
    if ctx.session.query(MeetingVote).filter_by(item_id=item.id, employee_id=me).count():
        return "您已对该议题表决"
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
    own = me in (project.manager_id, project.assistant_id, project.risk_officer_id)
    why = "您是本项目的经办人，只能回避" if own else ""
    page.position = todo.position(ctx, TodoKind.BALLOT, item.id)
    page.phrases = () if own else _PHRASES
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
        fields=(("decision", WITHDRAW),),
        confirm=f"回避“{project.customer.name}”的表决？回避后不计入法定人数，不能更改。",
    )
    page.more = [defer, avoid]
