"""The project page: the stage line, where it stands and with whom, papers, approvals, money, and the next action."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import joinedload

from models.base.entity import Entity
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import ENDED, UNDER_WAY, Project, ProjectStage, ProjectState, Stage
from models.guarantee.resolution import MeetingState, ReviewMeeting
from models.guarantee.scheme import SchemeShare, SharingScheme
from reports.base.scope import scoped
from reports.figures import products
from reports.workbench.todo import awaits_agenda
from views.guarantee import dossier
from views.guarantee.coverage import coverage_section
from views.guarantee.gate import conditions_of, gate_of, standing_of
from views.guarantee.papers import next_on_papers
from views.guarantee.project_feed import recent
from views.guarantee.project_form import NEW, ProjectForms
from views.guarantee.renewals import renewal_actions, renewal_section
from views.guarantee.sharing import shares_section
from views.kit import filters, lists, pages
from views.kit.cells import format_value
from views.kit.lists import MANY
from views.kit.meters import meter
from views.kit.pages import (
    Action,
    Cell,
    Fact,
    GateItem,
    ListPage,
    RecordPage,
    Section,
    Tab,
)
from views.kit.waits import waits_of
from workflows.base.context import Ctx

NONE = "—"
DUE_DAYS = 30


class ProjectView(ProjectForms):
    """Screens of 担保项目; everything but the record page's top is generated."""

    model: ClassVar[type[Entity]] = Project
    # The scheme with its few parties, banks and rules is one row more in place of five questions.
    read_with = (
        *(
            joinedload(relation)
            for relation in (
                Project.customer,
                Project.product,
                Project.bank,
                Project.manager,
                Project.assistant,
            )
        ),
        joinedload(Project.scheme).joinedload(SharingScheme.shares).joinedload(SchemeShare.company),
        joinedload(Project.scheme).joinedload(SharingScheme.banks),
        joinedload(Project.scheme).joinedload(SharingScheme.rules),
    )

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """Workflow buttons and the paper that the stage waits for."""
        assert isinstance(record, Project)
        return [
            *_agenda_action(ctx, record),
            *super().verbs(record, ctx),
            *next_on_papers(ctx, record),
            *renewal_actions(ctx, record),
        ]

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """Title, facts, stage line, approvals and vouchers."""
        assert isinstance(record, Project)
        amount = f"{record.amount / 10000:,.2f}".removesuffix(".00")
        page.title = f"{record.customer.name} · {record.product.name} {amount} 万元"
        page.crumbs = [("担保办理", ""), ("担保项目", "/project/list/"), (record.number, "")]
        page.facts = _facts(record)
        page.state = _state(record)
        page.stages = stage_line(ctx, record)
        page.more = [
            *page.more,
            *dossier.action(ctx, record),
            Action("打印", "#print", icon="print"),
        ]
        page.below = [recent(ctx, record)]
        page.notice = page.notice or _notice(record)
        return page

    def enrich_list(self, page: ListPage, asked: lists.ListQuery) -> ListPage:
        """Tabs of what people ask for every day, and how long a project has been at its stage."""
        page.tabs = _tabs(asked)
        if "stage" in asked.names and page.rows:
            _add_days(page, asked)
        return page

    def list_actions(self, ctx: Ctx) -> list[Action]:
        """An application is what people call a new project."""
        return [replace(action, label=NEW) for action in super().list_actions(ctx)]

    def edit_actions(self, found: Entity, ctx: Ctx) -> list[Action]:
        """A submitted application is not edited, so the button would only be in the way."""
        assert isinstance(found, Project)
        return super().edit_actions(found, ctx) if found.state is ProjectState.DRAFT else []

    def delete_actions(self, found: Entity, ctx: Ctx) -> list[Action]:
        """A numbered application is withdrawn, never deleted."""
        del found, ctx
        return []

    def bulk_actions(self, ctx: Ctx) -> list[Action]:
        """Nor are several deleted at once."""
        del ctx
        return []

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """放款条件 and 额度占用 while they matter; in force what is covered and until when; then what renews it."""
        assert isinstance(record, Project)
        section = renewal_section(ctx, record)
        return [*self._matters(record, ctx), *([] if section is None else [section])]

    def _matters(self, record: Project, ctx: Ctx) -> list[Section]:
        if record.state is ProjectState.IN_FORCE:
            sections = (coverage_section(ctx, record), shares_section(ctx, record))
            return [section for section in sections if section is not None]
        if record.state not in UNDER_WAY:
            return []
        found = []
        if record.state is ProjectState.DRAFT:
            items = _conditions(ctx, record)
            met = sum(item.is_met for item in items)
            note = f"{met} / {len(items)} 项通过"
            found.append(
                Section("conditions", "提交条件", template="parts/gate.html", data=items, note=note)
            )
        if record.stage.rank >= Stage.FEE_PLAN.rank:
            checks = gate_of(ctx, record)
            met = sum(check.is_met for check in checks)
            items = [_gate_item(check) for check in checks]
            found.append(
                Section(
                    "gate",
                    "放款条件",
                    template="parts/gate.html",
                    data=items,
                    note=f"{met} / {len(items)} 项通过",
                )
            )
        meters = [meter(check) for check in standing_of(ctx, record).limits]
        if (shared := shares_section(ctx, record)) is not None:
            found.append(shared)
        note = "现有 → 办理后 / 限额"
        found.append(
            Section("exposure", "额度占用", template="parts/meters.html", data=meters, note=note)
        )
        return found


def _tabs(asked: lists.ListQuery) -> list[Tab]:
    """Everyday filters with their counts; each has its index, one pass over all rows would cost ten times as much."""
    today = asked.ctx.today
    until = today + timedelta(days=DUE_DAYS)
    in_force = Project.state == ProjectState.IN_FORCE
    wanted: tuple[tuple[ColumnElement[bool], ...], ...] = (
        (),
        (Project.state.in_(UNDER_WAY),),
        (in_force,),
        (in_force, Project.end_on.between(today, until)),
        (Project.state == ProjectState.COMPENSATED,),
        (Project.state.in_(ENDED),),
    )
    each = [_number(asked.ctx, where) for where in wanted]
    every, under_way, running, due, paid_for, ended = (
        int(number) for number in asked.ctx.session.execute(select(*each)).one()
    )
    kinds: list[tuple[str, list[str], int]] = [
        ("全部", [], every),
        ("办理中", [filters.among("state", UNDER_WAY)], under_way),
        ("在保", ["state:eq:IN_FORCE"], running),
        (f"{DUE_DAYS} 天内到期", ["state:eq:IN_FORCE", f"end_on:rel:within_{DUE_DAYS}"], due),
        (ProjectState.COMPENSATED.label, ["state:eq:COMPENSATED"], paid_for),
        ("已结束", [filters.among("state", ENDED)], ended),
    ]
    shown = sorted(f.raw for f in asked.filters)
    return [
        Tab(
            label,
            asked.url(f=wished, page=None, q=None, rule=None, v=None),
            shown == sorted(wished)
            and asked.is_filtered == bool(wished)
            and not (asked.text or asked.rule),
            count,
            most=MANY,
        )
        for label, wished, count in kinds
    ]


def _number(ctx: Ctx, where: tuple[ColumnElement[bool], ...]) -> ScalarSelect[int]:
    """How many there are, counted no further than a tab says."""
    some = scoped(select(Project.id).where(*where), Project, ctx.actor).limit(MANY + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _add_days(page: ListPage, asked: lists.ListQuery) -> None:
    """3 天 beside the stage of what is under way; one query for the page."""
    ids = [int(row.key) for row in page.rows]
    query = select(Project.id, Project.stage_since).where(
        Project.id.in_(ids), Project.state.in_(UNDER_WAY)
    )
    since = {key: day for key, day in asked.ctx.session.execute(query) if day is not None}
    at = asked.names.index("stage")
    for index, row in enumerate(page.rows):
        if (day := since.get(int(row.key))) is not None:
            cells = list(row.cells)
            cells[at] = replace(
                cells[at], hint=f"{(asked.ctx.today - day).days} 天", title=f"{day} 进入本阶段"
            )
            page.rows[index] = replace(row, cells=tuple(cells))


def _agenda_action(ctx: Ctx, project: Project) -> list[Action]:
    """For the secretary: onto the agenda of the meeting in preparation, or call one."""
    if not ctx.actor.may("open", "review_meeting") or not awaits_agenda(ctx.session, project):
        return []
    draft = (
        select(ReviewMeeting.id)
        .where(ReviewMeeting.state == MeetingState.DRAFT)
        .order_by(ReviewMeeting.id.desc())
    )
    if (meeting := ctx.session.scalar(draft.limit(1))) is None:
        return [Action("召集审保会", "/review_meeting/add", style="primary")]
    url = f"/meeting_item/add?owner={meeting}&project_id={project.id}"
    return [Action("列入审保会议题", url, style="primary")]


def _facts(project: Project) -> list[Fact]:
    def money(value: Any) -> Cell:
        return Cell(format_value(value, "money"), "text", hint="元")

    grade = project.customer.grade
    found = [
        (
            "客户",
            Cell(
                project.customer.name,
                url=f"/{project.customer.__tablename__}/show/{project.customer_id}",
            ),
        ),
        ("产品", Cell(project.product.name)),
        ("合作银行", Cell(project.bank.name)),
        ("担保金额", money(project.amount)),
        ("期限", Cell(str(project.term_months), hint="个月")),
        ("担保费率", Cell(f"{project.fee_rate_pct.normalize():f}", hint="%/年")),
        (
            "分担比例",
            Cell(
                f"{100 - project.bank_share_pct.normalize():f} : {project.bank_share_pct.normalize():f}"
            ),
        ),
        ("评级", Cell(grade.label if grade else NONE)),
        (
            "A / B 角",
            Cell(" / ".join(p.name if p else NONE for p in (project.manager, project.assistant))),
        ),
    ]
    if project.state is ProjectState.IN_FORCE:
        found.insert(4, ("在保余额", money(project.balance)))
        found.append(("到期日", Cell(project.end_on.isoformat() if project.end_on else NONE)))
    return [Fact(label, cell) for label, cell in found]


def _state(project: Project) -> Cell:
    if project.state is ProjectState.RUNNING:
        return Cell(project.stage.label, "enum", tone="doing")
    return Cell(project.state.label, "enum", tone=project.state.tone)


def _notice(project: Project) -> str:
    if project.state not in (ProjectState.REFUSED, ProjectState.CANCELLED):
        return ""
    is_appealable = project.state is ProjectState.REFUSED and project.stage is Stage.RESOLVE
    ending = "只有复议一次的机会" if is_appealable else "不再办理"
    return f"项目{project.state.label}，止于“{project.stage.label}”，{ending}。"


def stage_line(ctx: Ctx, project: Project) -> list[pages.Stage]:
    """Every stage of the project's line: done with date and name, current with holder and days, to come."""
    query = (
        select(ProjectStage).where(ProjectStage.project_id == project.id).order_by(ProjectStage.id)
    )
    passed = {
        row.stage: row
        for row in ctx.session.scalars(query.options(joinedload(ProjectStage.done_by)))
    }
    found = []
    line = products.line_of(project)
    for stage in Stage:
        row = passed.get(stage)
        if row is None and stage not in line:
            continue
        if stage is project.stage:
            found.append(_current(ctx, project, row))
        elif row is not None and row.left_on is not None and stage.rank < project.stage.rank:
            found.append(_passed(stage, row))
        else:
            found.append(pages.Stage(stage.label, "todo"))
    return found


def _passed(stage: Stage, row: ProjectStage | None) -> pages.Stage:
    when = f"{row.left_on:%m-%d}" if row and row.left_on else ""
    return pages.Stage(
        stage.label, "done", when, row.done_by.name if row and row.done_by else "系统"
    )


def _current(ctx: Ctx, project: Project, row: ProjectStage | None) -> pages.Stage:
    if project.state in (ProjectState.REFUSED, ProjectState.CANCELLED):
        when = f"{row.left_on:%m-%d}" if row and row.left_on else ""
        return pages.Stage(project.stage.label, "stopped", when, project.state.label)
    if project.state is ProjectState.RELEASED:  # nothing goes on any more
        return _passed(project.stage, row)
    is_paid_for = project.state is ProjectState.COMPENSATED
    since = _paid_for_on(ctx, project) if is_paid_for else project.stage_since
    days = (ctx.today - since).days if since else None
    return pages.Stage(
        (project.state if is_paid_for else project.stage).label,
        "current",
        f"{since:%m-%d}" if since else "",
        holder(ctx, project),
        days,
    )


def _paid_for_on(ctx: Ctx, project: Project) -> date | None:
    """The day on which the last of its loans was settled in the customer's place."""
    query = select(func.max(Drawdown.closed_on)).where(Drawdown.project_id == project.id)
    return ctx.session.scalar(query)


def holder(ctx: Ctx, project: Project) -> str:
    """Who has the project now: whoever the first thing that it waits for is left to."""
    found = waits_of(ctx, project)
    if found:
        return found[0].who
    return project.manager.name if project.manager else NONE


def _conditions(ctx: Ctx, project: Project) -> list[GateItem]:
    """What the application still lacks, each with the place that mends it."""
    customer = f"/{project.customer.__tablename__}/show/{project.customer_id}"
    places = {
        "customer": (customer, "查看客户"),
        "completeness": (customer, "补充资料"),
        "grade": (f"{customer}?tab=customer_rating#tabs", "等级评估"),
        "documents": ("?tab=files#tabs", "上传要件"),
        "noted": ("?tab=project_document#tabs", "要件登记"),
        "admission": ("?tab=admission_exception#tabs", "准入例外"),
        "scheme": (f"/sharing_scheme/show/{project.scheme_id}", "查看方案"),
    }
    found = []
    for one in conditions_of(ctx, project):
        url, mend = places[one.key]
        found.append(
            GateItem(one.label, one.is_met, one.evidence if one.is_met else one.problem, url, mend)
        )
    return found


def _gate_item(check: Any) -> GateItem:
    url = f"/{check.table}/show/{check.record_id}" if check.table and check.record_id else ""
    return GateItem(
        check.label, check.is_met, check.evidence, url, "" if check.is_met else check.mend_label
    )
