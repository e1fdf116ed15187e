"""审保会 (4.3): one page on which the board is called, and one page that says everything about a meeting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from flask import render_template, request
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict

from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.base.entity import Entity, PartOf
from models.base.errors import BusinessError
from models.base.money import format_money
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import (
    ItemState,
    MeetingItem,
    MeetingMember,
    MeetingState,
    MeetingVote,
    Resolution,
    ResolutionState,
    ReviewMeeting,
)
from models.system.organization import Employee
from reports.base.scope import scoped
from reports.figures.board import Turnout, put_forward, turnouts
from reports.figures.duties import holders_of_right
from reports.figures.parameters import number
from reports.workbench.todo import waiting_for_agenda
from views.kit import drafts, widgets
from views.kit.cells import NONE, record_url
from views.kit.entity_view import EntityView
from views.kit.interface import valid_id
from views.kit.pages import (
    Action,
    Cell,
    Column,
    Fact,
    Field,
    FieldGroup,
    FormPage,
    RecordPage,
    Row,
    Section,
)
from views.kit.waits import Wait
from workflows.base.context import Ctx
from workflows.guarantee import resolution
from workflows.guarantee.board import MEMBERS, PROJECTS
from workflows.guarantee.convening import Put, convene, field_of

_OPEN = "open"  # sent by the button that begins the vote as well
_PLACES = 99
_Form = MultiDict[str, str]


class ReviewMeetingView(EntityView):
    """Screens of 审保会; while votes are cast its page says who is still to vote, never how anybody voted."""

    model: ClassVar[Any] = ReviewMeeting

    def default_tab(self, record: Entity) -> str:
        """The agenda stands above: under it, who sits on the board."""
        return "meeting_member"

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """Today, where and under whom the board met last; who calls it keeps the minutes."""
        last = _last_meeting(ctx)
        given: dict[str, Any] = {"held_on": ctx.today, "secretary_id": ctx.actor.employee_id}
        return given | ({"place": last.place, "chair_id": last.chair_id} if last else {})

    def gridded(self, record: Entity | None, ctx: Ctx) -> dict[str, PartOf]:
        """Who sits and what is on the agenda of a new meeting is ticked, not typed."""
        return {} if record is None else super().gridded(record, ctx)

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """A new meeting is called as a whole: projects that wait and members of the board are ticked here."""
        if record is None:
            wrong: dict[str, list[str]] = {}
            for key, _, said in page.errors:
                wrong.setdefault(key, []).append(said)
            typed = request.form if request.method == "POST" else drafts.typed(ctx)
            parts = [_projects(ctx, typed, wrong), _board(ctx, typed, wrong)]
            page.groups.append(FieldGroup("", parts))
            page.can_go_on, page.submit_label = False, "召集会议"
            if ctx.actor.may("open", "review_meeting"):
                page.second_label = "只召集，改日表决"
                page.submit_label, page.submit_name = "召集并开始表决", _OPEN
        return page

    def save(
        self, ctx: Ctx, record: Entity | None, values: Mapping[str, Any], version: int | None
    ) -> Entity:
        """A new meeting with all that was ticked, or nothing."""
        if record is not None:
            return super().save(ctx, record, values, version)
        is_opened = _OPEN in request.form
        return convene(ctx, values, _agenda(), _ticked(MEMBERS), is_opened=is_opened)

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """表决, for a member whose votes are awaited."""
        assert isinstance(record, ReviewMeeting)
        found = super().verbs(record, ctx)
        mine = [item for item, who in _awaited(ctx, record) if who == ctx.actor.employee_id]
        if mine and ctx.actor.may("cast", "meeting_vote"):
            label = f"表决（{len(mine)} 项）"
            found.insert(0, Action(label, f"/approvals/ballots/{mine[0]}", style="primary"))
        return found

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """The whole meeting at once, and during the vote whom it waits for."""
        assert isinstance(record, ReviewMeeting)
        page.above.append(_overview(ctx, record))
        if wait := _voters(ctx, record):
            page.waits.append(wait)
        return page

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """表决进度 of an open meeting."""
        assert isinstance(record, ReviewMeeting)
        return [_turnout(ctx, record)] if record.state is MeetingState.OPEN else []


class ResolutionView(EntityView):
    """Screens of 公司决议, with the paper that the president signed."""

    model: ClassVar[Any] = Resolution

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """The paper itself."""
        assert isinstance(record, Resolution)
        found = super().verbs(record, ctx)
        paper = resolution.paper_of(ctx, record)
        if paper is not None and ctx.actor.may("show", "issued_document"):
            found.append(Action("打开决议", f"/issued_document/{paper.id}/pdf", icon="print"))
        return found


# ============================================================================================================ convening
def _last_meeting(ctx: Ctx) -> ReviewMeeting | None:
    query = select(ReviewMeeting).order_by(ReviewMeeting.id.desc()).limit(1)
    return ctx.session.scalars(query).first()


def _ticked(name: str) -> list[int]:
    """The ids that were ticked. Raises BusinessError for what is none."""
    found = [valid_id(text) for text in dict.fromkeys(request.form.getlist(name))]
    if None in found:
        raise BusinessError("勾选的内容无效，请重新打开页面", field=name)
    return [key for key in found if key is not None]


def _agenda() -> list[Put]:
    """What is put to the board, in the order of its numbers. Raises BusinessError at a number that is none."""
    found = []
    for key in _ticked(PROJECTS):
        name = field_of("seq", key)
        text = request.form.get(name, "").strip()
        if text and not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= _PLACES):
            raise BusinessError(f"请填写 1 至 {_PLACES} 的序号", field=name)
        terms = [request.form.get(field_of(one, key)) for one in ("amount", "months")]
        found.append((int(text or _PLACES), Put(key, *terms)))
    return [put for _, put in sorted(found, key=lambda one: one[0])]


def _projects(ctx: Ctx, typed: _Form | None, wrong: widgets.Errors) -> Field:
    """What waits for the board: all of it is ticked, what shall not be on the agenda is taken off."""
    waiting = waiting_for_agenda(ctx.session, ctx.actor)
    terms = put_forward(ctx.session, waiting)
    on = None if typed is None else set(typed.getlist(PROJECTS))
    lines = [
        _Line.of(one, place, terms[one.id], on, typed, wrong)
        for place, one in enumerate(waiting, 1)
    ]
    label = f"待上会项目（{len(lines)}）" if lines else "没有待上会的项目"
    html = render_template("parts/agenda.html", key=PROJECTS, label=label, data=lines)
    errors = tuple(wrong.get(PROJECTS, ()))
    made = Markup(html)  # noqa: S704 - the template escapes
    return Field(PROJECTS, label, made, "many", errors=errors, wide=True)


@dataclass(frozen=True)
class _Line:
    """A project on the form that calls a meeting."""

    id: int
    name: str
    note: str
    url: str
    asked: str
    advice: str
    fields: list[Field]
    is_on: bool

    @classmethod
    def of(
        cls,
        project: Project,
        place: int,
        terms: tuple[Decimal, int],
        on: set[str] | None,
        typed: _Form | None,
        wrong: widgets.Errors,
    ) -> "_Line":
        amount, months = terms
        given = {"seq": str(place), "amount": format_money(amount), "months": str(months)}
        if typed is not None:
            given = {name: typed.get(field_of(name, project.id), v) for name, v in given.items()}
        labels = (
            ("seq", "序号", "int"),
            ("amount", "提请金额", "money"),
            ("months", "提请期限", "int"),
        )
        asked = (project.amount, project.term_months)
        return cls(
            project.id,
            project.customer.name,
            f"{project.number} · {project.stage_since} 进入公司决议",
            record_url("project", project.id),
            f"{format_money(project.amount)} · {project.term_months} 个月",
            "" if terms == asked else "按保前调查建议调减",
            [
                widgets.text(
                    field_of(name, project.id),
                    label,
                    given[name],
                    errors=wrong,
                    kind=kind,
                    aria_label=f"{project.customer.name} {label}",
                    maxlength=20,
                )
                for name, label, kind in labels
            ],
            on is None or str(project.id) in on,
        )


def _board(ctx: Ctx, typed: _Form | None, wrong: widgets.Errors) -> Field:
    """Who can vote: all of them while they are no more than a meeting has members, else who sat there last."""
    able = holders_of_right(ctx.session, "cast", "meeting_vote")
    most = int(number(ctx.session, "meeting.members_max", ctx.today))
    options = [(str(one.id), one.name, str(one.department)) for one in able]
    label = f"参会委员（审保会 {len(options)} 人，最多 {most} 人到会）"
    if typed is not None:
        chosen = typed.getlist(MEMBERS)
    else:
        last = _last_meeting(ctx) if len(able) > most else None
        sat = set(_members(ctx, last)) if last else set()
        chosen = [str(one.id) for one in able if len(able) <= most or one.id in sat]
    return widgets.many(MEMBERS, label, options, chosen, errors=wrong, is_list=True)


def _members(ctx: Ctx, meeting: ReviewMeeting) -> list[int]:
    query = select(MeetingMember.employee_id).where(MeetingMember.meeting_id == meeting.id)
    return list(ctx.session.scalars(query))


# ============================================================================================================ the page
def _items(ctx: Ctx, meeting: ReviewMeeting) -> list[MeetingItem]:
    """The agenda as far as the reader may see it."""
    query = (
        select(MeetingItem)
        .where(MeetingItem.meeting_id == meeting.id)
        .order_by(MeetingItem.seq, MeetingItem.id)
        .options(joinedload(MeetingItem.project).joinedload(Project.customer))
        .options(joinedload(MeetingItem.project).joinedload(Project.manager))
    )
    return list(ctx.session.scalars(scoped(query, MeetingItem, ctx.actor)))


def _overview(ctx: Ctx, meeting: ReviewMeeting) -> Section:
    """Every item with its figures, where it stands, and what becomes of it."""
    items = _items(ctx, meeting)
    found = Section("agenda", "议题", count=len(items), empty="还没有议题")
    is_over = meeting.state is MeetingState.CLOSED
    tail = [_Afterwards(ctx, items)] if is_over else []
    stands = {} if is_over else turnouts(ctx.session, meeting, items, ctx.today)
    found.columns = [
        Column("seq", "序号", "int"),
        Column("project", "项目"),
        Column("amount", "提请金额", "money", "元"),
        Column("months", "期限", "int", "个月"),
        Column("result", "结果"),
    ]
    names: tuple[tuple[str, str], ...]
    if is_over:
        names = (
            ("summary", "表决情况"),
            ("next", "接下来"),
            ("minutes", "会议纪要"),
            ("paper", "决议"),
        )
    else:
        names = (("withdrawn", "回避"), ("turnout", "表决人数"))
    found.columns += [Column(key, label) for key, label in names]
    for item in items:
        rest = tail[0].cells(item) if tail else _before(meeting, item, stands[item.id])
        found.rows.append(_row(item, rest))
    total = sum((i.advised_amount for i in items), Decimal(0))
    found.sums = [("合计", {"amount": format_money(total)})] if items else []
    verb, label = (
        ("edit", "调整议题") if meeting.state is MeetingState.DRAFT else ("withdraw", "撤下议题")
    )
    if not is_over and ctx.actor.may(verb, "meeting_item"):
        found.more_url, found.more_label = "?tab=meeting_item#tabs", label
    return found


def _row(item: MeetingItem, rest: tuple[Cell, ...]) -> Row:
    project = item.project
    asked = f"申请 {format_money(project.amount)} 元 · {project.term_months} 个月"
    is_cut = (item.advised_amount, item.advised_months) != (project.amount, project.term_months)
    cells = (
        Cell(str(item.seq), "int"),
        Cell(project.customer.name, hint=project.number),
        Cell(format_money(item.advised_amount), "money", title=asked if is_cut else ""),
        Cell(str(item.advised_months), "int"),
        Cell(item.result.label, "enum", tone=item.result.tone),
        *rest,
    )
    return Row(str(item.id), record_url("project", project.id), cells, main=1)


def _before(meeting: ReviewMeeting, item: MeetingItem, stand: Turnout) -> tuple[Cell, ...]:
    """Who stays out of the vote and why, and whether a quorum comes about; never how anybody voted."""
    if item.result is ItemState.WITHDRAWN:
        return Cell(NONE), Cell(item.summary or NONE, "long_text")
    out = "、".join(f"{name}（{why}）" for name, why in stand.withdrawn)
    if stand.is_lost:
        able = stand.voted + len(stand.awaited)
        told = f"可表决 {able} 人，不足法定 {stand.needed} 人"
        return Cell(out or NONE, title=out), Cell(
            told, "enum", tone="bad", title="请增加到会委员，或撤下该议题改期再议"
        )
    told = f"应到 {stand.base} 人，法定 {stand.needed} 人"
    if meeting.state is MeetingState.OPEN:
        told = f"已表决 {stand.voted} / {stand.voted + len(stand.awaited)}，法定 {stand.needed} 人"
    return Cell(out or NONE, title=out), Cell(told)


class _Afterwards:
    """What the results have done: where each project stands, who holds it, and the papers."""

    def __init__(self, ctx: Ctx, items: Sequence[MeetingItem]) -> None:
        """Ask once for all items."""
        query = select(Resolution).where(Resolution.item_id.in_([one.id for one in items]))
        self._made = {one.item_id: one for one in ctx.session.scalars(query)}
        self._papers = resolution.papers_of(ctx, list(self._made.values()))
        self._may_open = ctx.actor.may("show", "issued_document")
        self._signers: dict[int, list[str]] = {}
        tasks = (
            select(ApprovalInstance.record_id, Employee.name)
            .join(ApprovalTask, ApprovalTask.instance_id == ApprovalInstance.id)
            .join(Employee, Employee.id == ApprovalTask.assignee_id)
            .where(
                ApprovalInstance.table_name == Resolution.__tablename__,
                ApprovalInstance.record_id.in_([one.id for one in self._made.values()]),
                ApprovalTask.state == TaskState.PENDING,
            )
            .order_by(ApprovalTask.id)
        )
        for record_id, name in ctx.session.execute(tasks):
            self._signers.setdefault(record_id, []).append(name)

    def cells(self, item: MeetingItem) -> tuple[Cell, ...]:
        """表决情况, 接下来, 会议纪要, 决议."""
        made = self._made.get(item.id)
        paper = self._papers.get(made.id) if made else None
        number = (
            Cell(made.number, "link", url=record_url("resolution", made.id)) if made else Cell(NONE)
        )
        return (
            Cell(item.summary or NONE, "long_text"),
            Cell(self._next(item, made)),
            self._document(item.minutes_id, "打开"),
            self._document(paper.id, made.number) if paper and made else number,
        )

    def _document(self, key: int | None, label: str) -> Cell:
        if key is None or not self._may_open:
            return Cell(NONE)
        return Cell(label, "file", url=f"/issued_document/{key}/pdf")

    def _next(self, item: MeetingItem, made: Resolution | None) -> str:
        project = item.project
        if item.result is ItemState.WITHDRAWN:
            return "可列入下次会议"
        if made is None:
            is_refused = project.state is ProjectState.REFUSED
            return "项目终止，可复议一次" if is_refused else f"已复议：{project.stage.label}"
        if made.state is ResolutionState.SIGNING:
            return f"待总裁签字：{'、'.join(self._signers.get(made.id, [])) or '未指派'}"
        if made.state is ResolutionState.VALID:
            if project.stage is Stage.RESOLVE:
                holder = project.manager.name if project.manager else "未指派"
                return f"待出具担保确认函：{holder}"
            return f"有效期至 {made.valid_until}，项目进入{project.stage.label}"
        return f"决议{made.state.label}" if made.state.label[0] == "已" else made.state.label


# ============================================================================================================= the vote
def _awaited(ctx: Ctx, meeting: ReviewMeeting) -> list[tuple[int, int]]:
    """Whose vote on which item an open meeting still waits for."""
    if meeting.state is not MeetingState.OPEN:
        return []
    voted = select(MeetingVote.id).where(
        MeetingVote.item_id == MeetingItem.id, MeetingVote.employee_id == MeetingMember.employee_id
    )
    query = (
        select(MeetingItem.id, MeetingMember.employee_id)
        .join(MeetingMember, MeetingMember.meeting_id == MeetingItem.meeting_id)
        .where(
            MeetingItem.meeting_id == meeting.id,
            MeetingItem.result == ItemState.PENDING,
            MeetingMember.is_present,
            ~voted.exists(),
        )
        .order_by(MeetingItem.seq, MeetingItem.id, MeetingMember.id)
    )
    return [(row[0], row[1]) for row in ctx.session.execute(query)]


def _voters(ctx: Ctx, meeting: ReviewMeeting) -> Wait | None:
    """Whom an open meeting waits for, as one line."""
    awaited = _awaited(ctx, meeting)
    keys = list(dict.fromkeys(who for _, who in awaited))
    if not keys:
        return None
    names = dict(
        ctx.session.execute(select(Employee.id, Employee.name).where(Employee.id.in_(keys))).all()
    )
    mine = next((item for item, who in awaited if who == ctx.actor.employee_id), None)
    url = f"/approvals/ballots/{mine}" if mine else "?tab=meeting_member#tabs"
    return Wait("、".join(names[key] for key in keys), "表决", url, mine is not None)


def _turnout(ctx: Ctx, meeting: ReviewMeeting) -> Section:
    """By member, how many of the open items they are done with."""
    pending = select(MeetingItem.id).where(
        MeetingItem.meeting_id == meeting.id, MeetingItem.result == ItemState.PENDING
    )
    items = ctx.session.scalars(pending).all()
    counts: dict[int, list[bool]] = {}
    votes = select(MeetingVote.employee_id, MeetingVote.is_withdrawn)
    for employee_id, is_out in ctx.session.execute(votes.where(MeetingVote.item_id.in_(items))):
        counts.setdefault(employee_id, []).append(is_out)
    query = (
        select(MeetingMember.employee_id, Employee.name, MeetingMember.is_present)
        .join(Employee, Employee.id == MeetingMember.employee_id)
        .where(MeetingMember.meeting_id == meeting.id)
        .order_by(MeetingMember.id)
    )
    facts, done = [], 0
    for employee_id, name, is_present in ctx.session.execute(query):
        mine = counts.get(employee_id, [])
        out = sum(mine)
        has_all = is_present and len(mine) == len(items) > out
        done += has_all
        if not is_present:
            words, tone = "未出席", "draft"
        elif out and out == len(items):
            words, tone = "全部回避", "draft"
        else:
            words = f"已表决 {len(mine) - out} / {len(items) - out}"
            tone = "ok" if has_all else "doing"
        hint = f"回避 {out}" if out else ""
        facts.append(Fact(name, Cell(words, "enum", tone=tone, hint=hint)))
    note = f"{done} 人已表决"
    found = Section("turnout", "表决进度", template="parts/pairs.html", data=facts, note=note)
    if ctx.actor.may("attend", "meeting_member"):
        found.more_url, found.more_label = "?tab=meeting_member#tabs", "登记缺席"
    return found
