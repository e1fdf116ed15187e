"""The decision page of every approval: who asks for how much, the paper itself, what was said, and the buttons."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from models.approval.approval import (
    ApprovalInstance,
    ApprovalState,
    ApprovalTask,
    NodeMode,
    TaskOrigin,
    TaskState,
)
from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError
from models.base.moments import local
from models.base.money import format_money
from models.guarantee.appraisal import InvestigationReport, RiskAssessment
from models.guarantee.project import UNDER_WAY, Project
from reports.base.scope import may_read
from reports.figures import approvals, delegations, dictionaries, exposure
from reports.figures.approval_sheet import filled_words
from reports.workbench.todo_source import TodoKind
from views.approval import copies, drawing, node_form
from views.approval import reassign as help_page
from views.approval.resubmitted import changed
from views.kit import buttons, hooks, parts, record, todo, widgets
from views.kit.cells import NONE, Cells, format_value, rate_text, record_url
from views.kit.deadlines import lateness
from views.kit.interface import Titles, shape
from views.kit.pages import (
    Action,
    ApprovalPage,
    Cell,
    Decision,
    Fact,
    GateItem,
    Section,
    Stage,
    TimelineItem,
)
from workflows.base.context import Ctx

PHRASES = ("同意", "情况属实，同意办理", "请补充材料后再报", "风险较高，不同意")
FACTS = 8
PAPER_TABS = 8
_DIRECT = (("", "按流程从头审批"), ("1", "直接到我这里，已同意的不再重复"))
_STATES = {"DONE": "done", "CURRENT": "current", "TO_COME": "todo"}


def _errors(error: BusinessError | None, page: ApprovalPage) -> list[tuple[str, str, str]]:
    own = {"opinion": "审批意见", **({"signature": "手写签名"} if page.signature else {})}
    if error is not None and error.field in own:
        return [(error.field, own[error.field], error.message)]
    return widgets.summary([*page.fields, *page.files], error)


def approval_page(
    ctx: Ctx,
    instance: ApprovalInstance,
    task: ApprovalTask | None,
    error: BusinessError | None = None,
    opinion: str = "",
) -> ApprovalPage:
    """The page of one approval; `task` is the reader's own, with buttons while it is pending."""
    paper = _readable(ctx, ctx.session.get(entity_of(instance.table_name), instance.record_id))
    why = why_not(ctx, instance, task) if task is not None else ""
    may_decide = task is not None and not why
    url = record_url(instance.table_name, instance.record_id) if paper is not None else ""
    what, mark, about = instance.title.partition("：")
    if not mark:
        what, about = instance.business_type.label, instance.title
    page = ApprovalPage(
        title=what,
        crumbs=[("我的工作台", ""), ("待办事项", "/approvals/"), (instance.title, "")],
        who=instance.project.customer.name if instance.project is not None else about,
        who_url=url,
        action_url=f"/approvals/{task.id}/decide" if task is not None else "/approvals/",
        amount=format_money(instance.amount) if instance.amount is not None else "",
        unit="元",
        number=_number(paper),
        state=_state(ctx, instance, task),
        position=todo.position(ctx, TodoKind.TASK, task.id)
        if may_decide and task is not None
        else "",
        facts=_facts(ctx, instance, task),
        steps=[] if instance.flow.branches else steps(ctx, instance),
        opinion=opinion,
        notice=_notice(ctx, instance, task, why),
        help_key="approval_task",
    )
    if may_decide and task is not None:
        _offer(ctx, page, instance, task)
        node_form.add(ctx, page, task, paper, error)
    page.errors = _errors(error, page)
    page.actions = _actions(ctx, instance, url)
    page.more = _more(ctx, instance, task, may_decide=may_decide)
    page.checks = _checks(ctx, instance, paper) if paper is not None else []
    page.sections = _sections(ctx, instance, paper)
    return page


def _actions(ctx: Ctx, instance: ApprovalInstance, url: str) -> list[Action]:
    """What stands on the page's head; while it runs, what may be done is decided and `_more`."""
    found = [Action("打开业务单据", url)] if url else []
    found += copies.to_note(ctx, instance)
    is_running = instance.state is ApprovalState.RUNNING
    return found if is_running else [*found, *buttons.actions(ctx, instance)]


def _sections(ctx: Ctx, instance: ApprovalInstance, paper: Entity | None) -> list[Section]:
    """What changed since it was submitted last, its way, and all that the decision rests on."""
    return [
        *(changed(ctx, instance) if paper is not None else []),
        *([_drawing(ctx, instance)] if instance.flow.branches else []),
        *_paper(ctx, paper),
        *_project(ctx, instance, paper),
        history(ctx, instance),
    ]


def _offer(ctx: Ctx, page: ApprovalPage, instance: ApprovalInstance, task: ApprovalTask) -> None:
    """What the reader may decide, and what must be said with it."""
    page.decisions = _decisions(task)
    page.phrases = PHRASES if task.origin is not TaskOrigin.ENTRUST else ()
    page.return_targets = _return_targets(ctx, instance, task)
    if page.return_targets:
        page.fields = [widgets.choice("direct", "退回后再报来", _DIRECT)]
    page.hidden = [("version", str(task.version))]


def _readable(ctx: Ctx, record_: Entity | None) -> Entity | None:
    """The record if this reader may read it: an applicant sees who decides, not what he may not see otherwise."""
    is_readable = record_ is not None and may_read(ctx.session, ctx.actor, record_)
    return record_ if is_readable else None


def why_not(ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask) -> str:
    """Why this reader may not decide the task; empty when they may: whom the flow asks needs no further permission."""
    if task.state is not TaskState.PENDING or instance.state is not ApprovalState.RUNNING:
        return "已经办理"
    return delegations.why_not(ctx.session, ctx.actor, task, ctx.today)


def _notice(ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask | None, why: str) -> str:
    """What stands in the way, or in whose name the reader decides."""
    said = help_page.stuck(ctx, instance) or why
    if said or task is None or task.assignee_id == ctx.actor.employee_id:
        return said
    name = task.assignee.name
    return f"您受{name}托管，代其办理；审批记录和审批单上注明“代{name}”。"


def _number(paper: Entity | None) -> str:
    return str(getattr(paper, "number", "") or "") if paper is not None else ""


def _state(ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask | None) -> Cell:
    if (
        task is not None
        and task.state is TaskState.PENDING
        and (late := lateness(task.due_at, ctx.now)) is not None
    ):
        return late
    state = (
        task.state if task is not None and task.state is not TaskState.PENDING else instance.state
    )
    return Cell(state.label, "enum", tone=state.tone)


def _facts(ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask | None) -> list[Fact]:
    """The business first, then who asks for it and how it is decided."""
    project = _readable(ctx, instance.project)
    found = about_project(ctx, project) if isinstance(project, Project) else []
    found.append(
        Fact("申请人", Cell(f"{instance.applicant.name}，{instance.applicant.department.name}"))
    )
    found.append(
        Fact("提交时间", Cell(f"{local(instance.submitted_at):%Y-%m-%d %H:%M}", "datetime"))
    )
    way = f"{instance.flow.name} 第 {instance.flow.version_no} 版"
    if task is not None:
        ways = {NodeMode.VOTE: "票决"}
        way += f" · {task.node.name}（{ways.get(task.node.mode, task.node.mode.label)}）"
    found.append(Fact("审批流程", Cell(way)))
    if task is not None and task.asked_by is not None:
        found.append(Fact(task.origin.label, Cell(f"由{task.asked_by.name}提出")))
    if task is not None and task.urged_at is not None and task.state is TaskState.PENDING:
        found.append(Fact("催办", Cell(format_value(task.urged_at, "datetime"))))
    late = [one for one in instance.tasks if one.state is TaskState.PENDING and one.escalated_to]
    if late:
        chiefs = dict.fromkeys(one.escalated_to.name for one in late if one.escalated_to)
        found.append(Fact("督办人", Cell("、".join(chiefs))))
    if told := copies.told(ctx, instance):
        found.append(Fact("抄送", Cell(told)))
    if instance.end_reason:
        found.append(Fact("终止原因", Cell(instance.end_reason)))
    return found


def about_project(ctx: Ctx, project: Project) -> list[Fact]:
    """What one must know of a project before saying yes, in the order in which one asks."""
    purpose = dictionaries.label(ctx.session, "loan_purpose", project.purpose) or project.purpose
    url = record_url("project", project.id) if _readable(ctx, project) is not None else ""
    roles = ((project.manager, "A 角"), (project.assistant, "B 角"))
    people = "、".join(f"{person.name}（{role}）" for person, role in roles if person)
    found = [
        ("担保项目", Cell(project.number, "link" if url else "text", url=url)),
        ("产品", Cell(project.product.name)),
        ("合作银行", Cell(project.bank.name)),
        (
            "期限 / 费率",
            Cell(f"{project.term_months} 个月 / {rate_text(project.fee_rate_pct)}% 每年"),
        ),
        ("用途", Cell("，".join(filter(None, (purpose, project.purpose_note))))),
        ("反担保", Cell(project.counter_offer or NONE)),
        ("经办人", Cell(people or NONE)),
    ]
    return [Fact(label, cell) for label, cell in found]


def papers_of(ctx: Ctx, project: Project) -> list[Section]:
    """What was written about a project so far, and the project itself, for who has to judge it as a whole."""
    titles, found = Titles(ctx.session), []
    for model in (RiskAssessment, InvestigationReport):
        paper = ctx.session.scalars(select(model).where(model.project_id == project.id)).first()
        if paper is not None and ctx.actor.may("show", str(model.__tablename__)):
            table, facts = str(model.__tablename__), _told(ctx, paper, titles)
            url = record_url(table, paper.id)
            found.append(
                Section(table, model.spec.label, facts=facts, more_url=url, more_label="打开")
            )
    return (
        found
        if _readable(ctx, project) is None
        else [*found, *_project_section(ctx, project, titles)]
    )


def _drawing(ctx: Ctx, instance: ApprovalInstance) -> Section:
    """A flow with branches as a drawing: a line cannot say what goes on side by side."""
    found = Section("drawing", "审批流程图", template="parts/flow.html")
    found.data = drawing.running(ctx, instance)
    return found


def steps(ctx: Ctx, instance: ApprovalInstance) -> list[Stage]:
    """The nodes as done, current and to come, with the people and days."""
    found = [
        Stage("提交", "done", f"{local(instance.submitted_at):%Y-%m-%d}", instance.applicant.name)
    ]
    waiting = [task for task in instance.tasks if task.state is TaskState.PENDING]
    stand_ins = delegations.deputies(ctx.session, waiting, ctx.today)
    for line in approvals.progress(instance):
        if line.state == "SKIPPED":
            continue
        tasks = [task for task in line.tasks if task.round_no == instance.round_no] or list(
            line.tasks
        )
        acted = [
            task
            for task in tasks
            if task.decided_at is not None and task.state is not TaskState.CANCELLED
        ]
        state = _STATES.get(line.state, "todo")
        if any(t.state in (TaskState.REJECTED, TaskState.RETURNED) for t in acted) and (
            instance.state is not ApprovalState.RUNNING
        ):
            state = "stopped"
        people = (
            acted
            if state in ("done", "stopped")
            else [t for t in tasks if t.state is TaskState.PENDING] or acted
        )
        told = [drawing.who(task, stand_ins.get(task.id, ())) for task in people]
        if line.state == "TO_COME" and instance.state is ApprovalState.RUNNING:
            told = drawing.to_come(ctx, instance, line.node)
        names = "、".join(dict.fromkeys(told))
        last = max((task.decided_at for task in acted if task.decided_at), default=None)
        found.append(Stage(line.node.name, state, f"{local(last):%Y-%m-%d}" if last else "", names))
    return found


def _decisions(task: ApprovalTask) -> list[Decision]:
    if task.origin is TaskOrigin.ENTRUST:
        return [Decision("ANSWER", "回复", "primary", needs_opinion=True)]
    found = [
        Decision(
            "REJECT",
            "否决",
            "danger",
            needs_opinion=True,
            confirm="否决后本次审批结束，业务按否决处理。",
        )
    ]
    if task.node.mode is not NodeMode.VOTE:
        found.append(Decision("RETURN", "退回", needs_opinion=True))
    return [*found, Decision("APPROVE", "同意", "primary")]


def _return_targets(
    ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask
) -> tuple[tuple[str, str], ...]:
    if task.node.mode is NodeMode.VOTE or task.origin is TaskOrigin.ENTRUST:
        return ()
    nodes = approvals.return_targets(ctx.session, task)
    return (("", f"申请人 {instance.applicant.name}"), *((str(n.seq), n.name) for n in nodes))


def _more(
    ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask | None, *, may_decide: bool
) -> list[Action]:
    found = []
    if may_decide and task is not None:
        found.append(Action("转办", f"/approvals/{task.id}/transfer"))
        if task.node.mode is not NodeMode.VOTE and task.origin is not TaskOrigin.ENTRUST:
            found.append(Action("加签", f"/approvals/{task.id}/add-signer"))
            found.append(Action("委派", f"/approvals/{task.id}/entrust"))
    found += _to_take_back(ctx, instance)
    is_running, base = instance.state is ApprovalState.RUNNING, f"/approvals/instance/{instance.id}"
    if is_running and _is_chief(ctx, instance):
        found.append(Action("催办", f"{base}/urge", "POST", "primary"))
    if instance.applicant_id == ctx.actor.employee_id and is_running:
        acted = any(t.decided_at and t.state is not TaskState.CANCELLED for t in instance.tasks)
        why = "已有审批人办理，不能撤回" if acted else ""
        question = f"撤回“{instance.title}”的审批？撤回后可修改再提交。"
        found.append(Action("催办", f"{base}/urge", "POST"))
        found.append(
            Action("撤回", f"{base}/withdraw", "POST", "danger", confirm=question, why_not=why)
        )
    return [*found, *copies.actions(ctx, instance), *help_page.actions(ctx, instance)]


def _is_chief(ctx: Ctx, instance: ApprovalInstance) -> bool:
    """Whether the reader must see an overdue task of it done (督办)."""
    me = ctx.actor.employee_id
    late = (one for one in instance.tasks if one.state is TaskState.PENDING)
    return me is not None and any(one.escalated_to_id == me for one in late)


def _to_take_back(ctx: Ctx, instance: ApprovalInstance) -> list[Action]:
    """Signers that the reader has added, and opinions that the reader has asked for, while they are waited for."""
    return [
        Action(
            f"{'收回委派' if one.origin is TaskOrigin.ENTRUST else '减签'}（{one.assignee.name}）",
            f"/approvals/{one.id}/take-back",
            "POST",
            ask="原因",
            ask_required=True,
        )
        for one in instance.tasks
        if one.state is TaskState.PENDING
        and delegations.may_take_back(ctx.session, ctx.actor, one, ctx.today)
    ]


def _checks(ctx: Ctx, instance: ApprovalInstance, paper: Entity | None) -> list[GateItem]:
    """The company's limits with this project in them, while its approval runs."""
    project = paper if isinstance(paper, Project) else instance.project
    if project is None or instance.state is not ApprovalState.RUNNING:
        return []
    # a loan that was paid out adds nothing, least of all when it ends
    if project.state not in UNDER_WAY:
        return []
    return limits(ctx, project)


def limits(ctx: Ctx, project: Project) -> list[GateItem]:
    """Each limit of the company with this project in it."""
    found = []
    for check in exposure.checks(ctx.session, project, ctx.today):
        limit = f"{_figure(check.limit, check.unit)}" if check.limit is not None else "不限"
        near = check.warning is not None and check.after > check.warning
        evidence = f"{_figure(check.after, check.unit)} / {limit}"
        found.append(
            GateItem(check.label, not check.is_over, evidence, detail=check.note, is_warning=near)
        )
    return found


def _figure(value: Decimal, unit: str) -> str:
    return f"{format_money(value)}{unit}" if unit != "元" else f"{format_money(value / 10000)} 万元"


def _told(ctx: Ctx, paper: Entity, titles: Titles) -> list[tuple[str, list[Fact]]]:
    """What the record says, without what is empty and without stamps."""
    cells = Cells(ctx, type(paper), titles)
    cells.prepare([paper], shape(type(paper)).visible())
    groups = []
    for label, facts in record.fact_groups(cells, paper):
        told = [fact for fact in facts if fact.cell.text != "—"]
        if told and label != "登记信息":
            groups.append((label, told))
    return groups


def _project(ctx: Ctx, instance: ApprovalInstance, paper: Entity | None) -> list[Section]:
    """The project behind a paper of its own."""
    project = _readable(ctx, instance.project)
    if not isinstance(project, Project) or paper is project:
        return []
    return _project_section(ctx, project, Titles(ctx.session))


def _project_section(ctx: Ctx, project: Project, titles: Titles) -> list[Section]:
    groups, url = _told(ctx, project, titles), record_url("project", project.id)
    return [Section("project", "担保项目", facts=groups, more_url=url, more_label="打开项目")]


def _paper(ctx: Ctx, paper: Entity | None) -> list[Section]:
    """The record that is decided on, as its own page shows it, without the buttons."""
    if paper is None:
        return []
    titles = Titles(ctx.session)
    groups = _told(ctx, paper, titles)
    found = [Section("paper", paper.spec.label, facts=groups)] if groups else []
    found += hooks.texts(paper, ctx)
    tabs = [s for s in parts.child_sections(ctx, paper, titles, "", may_change=False) if s.count]
    for tab in tabs[:PAPER_TABS]:
        loaded = parts.child_sections(ctx, paper, titles, tab.key, may_change=False)
        found += [section for section in loaded if section.key == tab.key]
    return found


def history(ctx: Ctx, instance: ApprovalInstance) -> Section:
    """Every decision on the record so far with its opinion, the latest first."""
    record_ = ctx.session.get(entity_of(instance.table_name), instance.record_id)
    may_see_all = _readable(ctx, record_) is not None
    instances = (
        approvals.history(ctx.session, record_)
        if record_ is not None and may_see_all
        else [instance]
    )
    lines: list[tuple[datetime, int, TimelineItem]] = []
    for one in instances:
        if one.id > instance.id and one.business_type_id != instance.business_type_id:
            continue
        when = format_value(one.submitted_at, "datetime")
        submitted = TimelineItem(when, one.applicant.name, f"提交{one.business_type.label}")
        lines.append((one.submitted_at, 0, submitted))
        for task in one.tasks:
            is_silent = task.state in (TaskState.CANCELLED, TaskState.WITHDRAWN)
            if task.decided_at is None or (is_silent and not task.opinion):
                continue
            when = format_value(task.decided_at, "datetime")
            who = (task.decided_by or task.assignee).name
            behalf = f"（代{task.on_behalf_of.name}）" if task.on_behalf_of else ""
            words = f"{task.node.name}{behalf} {task.state.label}"
            said = f"{words}：{task.opinion}" if task.opinion else words
            changes = tuple(filled_words(ctx.session, task, ctx.actor)) if may_see_all else ()
            picture = f"/approvals/{task.id}/signature" if task.signature_id else ""
            item = TimelineItem(when, who, said, changes, picture=picture)
            lines.append((task.decided_at, task.id, item))
    items = [item for _, _, item in sorted(lines, key=lambda line: line[:2], reverse=True)]
    return Section(
        "history", "审批记录", template="parts/timeline.html", data=items, empty="还没有审批意见"
    )
