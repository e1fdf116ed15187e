"""An approval flow drawn (A5): as it is defined, as a submission would meet it, and how far a running one has come."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalNode,
    ApprovalPositionMember,
    ApprovalState,
    ApprovalTask,
    BranchKind,
    NodeChooser,
    NodeMode,
    SignatureRule,
    TaskState,
)
from models.base.moments import local
from models.base.money import format_money
from models.system.organization import Department, Employee
from reports.figures import approvals, delegations, flow_graph, flow_trial, node_fields
from reports.figures.flow_graph import Fork, Item, Way
from reports.rules.parse import parse
from reports.rules.tree import RuleError
from reports.rules.words import sentence
from workflows.base.context import Ctx

NAMES = 5
STATES = {
    "done": "已办",
    "current": "办理中",
    "todo": "待办理",
    "off": "不经过",
    "stopped": "已终止",
}


@dataclass(frozen=True)
class FlowStep:
    """A box of the drawing: name, who is asked, and what else to know; `is_end` marks the two ends."""

    label: str
    who: str = ""
    url: str = ""
    people: str = ""
    facts: tuple[str, ...] = ()
    is_end: bool = False
    is_missing: bool = False  # nobody could be asked
    state: str = ""  # of a running approval: done, current, todo, stopped or off
    seq: int = 0

    @property
    def said(self) -> str:
        """The state in a word."""
        return STATES.get(self.state, "")


@dataclass(frozen=True)
class FlowLane:
    """A branch of the drawing; `is_off` where the submission does not take it."""

    label: str
    when: str
    items: "tuple[FlowStep | FlowFork, ...]"
    is_off: bool = False
    no: int = 0


@dataclass(frozen=True)
class FlowFork:
    """Branches side by side."""

    label: str
    lanes: tuple[FlowLane, ...]


Drawn = FlowStep | FlowFork
Box = Callable[[ApprovalNode], FlowStep]
_FORKS = {
    BranchKind.CONDITION: "条件分支：走第一个符合的",
    BranchKind.PARALLEL: "并行分支：同时办理，都通过后汇合",
}


def _draw(items: Iterable[Item], box: Box, way: Way | None) -> tuple[Drawn, ...]:
    """The items of a line; on a way, branches that it does not take are dimmed."""
    found: list[Drawn] = []
    for item in items:
        if not isinstance(item, Fork):
            found.append(box(item))
            continue
        lanes = []
        for lane in item.lanes:
            is_off = way is not None and lane.branch.no not in way.branches
            inner = _off if is_off else box
            made = _draw(lane.items, inner, way)
            when = condition_words(lane.branch.condition, item.kind)
            lanes.append(FlowLane(lane.branch.name, when, made, is_off, lane.branch.no))
        found.append(FlowFork(_FORKS[item.kind], tuple(lanes)))
    return tuple(found)


def _off(node: ApprovalNode) -> FlowStep:
    return FlowStep(node.name, asked_at(node), state="off", seq=node.seq)


def condition_words(condition: str | None, kind: BranchKind) -> str:
    """When a branch is taken, as a sentence."""
    if not condition:
        return "其余情况" if kind is BranchKind.CONDITION else "总是"
    try:
        return sentence(parse(condition))
    except RuleError:
        return condition


def _ends(middle: Iterable[Drawn], first: FlowStep, last: FlowStep) -> list[Drawn]:
    return [first, *middle, last]


_START, _END = FlowStep("提交", "申请人", is_end=True), FlowStep("办结", "通知申请人", is_end=True)


# --------------------------------------------------------------------------------------------------------- as defined
def defined(ctx: Ctx, flow: ApprovalFlow) -> list[Drawn]:
    """From the applicant to the end, with the people that the positions have today."""
    people = _people(ctx, [node.position_id for node in flow.nodes if node.position_id is not None])

    def box(node: ApprovalNode) -> FlowStep:
        return _defined(node, people.get(node.position_id or 0, []))

    first = replace(_START, facts=(f"抄送 {flow.copy_position}",) if flow.copy_position else ())
    return _ends(_draw(flow_graph.line(flow), box, None), first, _END)


def _people(ctx: Ctx, positions: list[int]) -> dict[int, list[str]]:
    member = ApprovalPositionMember
    query = (
        select(member.position_id, Employee.name, Department.name)
        .join(Employee, Employee.id == member.employee_id)
        .outerjoin(Department, Department.id == member.department_id)
        .where(member.position_id.in_(positions), Employee.is_active)
        .order_by(Employee.number)
    )
    found: dict[int, list[str]] = {}
    for position, name, department in ctx.session.execute(query):
        found.setdefault(position, []).append(f"{name}（{department}）" if department else name)
    return found


def asked_at(node: ApprovalNode) -> str:
    """Whom a node asks, in short."""
    if node.chooser is NodeChooser.POSITION:
        return node.position.label if node.position is not None else "未选岗位"
    return f"角色 {node.role_name}" if node.chooser is NodeChooser.ROLE else "申请人部门负责人"


def _defined(node: ApprovalNode, names: list[str]) -> FlowStep:
    url = ""
    if node.chooser is NodeChooser.POSITION and node.position is not None:
        url = f"/approval_position/show/{node.position_id}?tab=approval_position_member"
    is_missing = node.chooser is NodeChooser.POSITION and not names
    people = "未设置人员" if is_missing else _named(names)
    return FlowStep(
        node.name, asked_at(node), url, people, _facts(node), is_missing=is_missing, seq=node.seq
    )


def _named(names: list[str]) -> str:
    return "、".join(names[:NAMES]) + (f" 等 {len(names)} 人" if len(names) > NAMES else "")


def _facts(node: ApprovalNode) -> tuple[str, ...]:
    how = node.mode.label
    if node.mode is NodeMode.VOTE:
        how += f"，参与 ≥ {_pct(node.quorum_pct)}%，同意 ≥ {_pct(node.pass_pct)}%"
    found = [how + (f" · {node.hours_limit} 工作小时" if node.hours_limit else "")]
    found += _besides(node)
    if node.skip_below is not None:
        found.append(f"低于 {format_money(node.skip_below)} 元跳过")
    if node.skip_when:
        found.append(f"{condition_words(node.skip_when, BranchKind.CONDITION)}时跳过")
    if node.approve_limit is not None:
        found.append(f"不超过 {format_money(node.approve_limit)} 元到此为止")
    return tuple(found)


def _besides(node: ApprovalNode) -> list[str]:
    """What the node asks for besides an opinion, and whom it tells."""
    filled = node_fields.names_in(f"{node.filled_fields or ''}、{node.required_fields or ''}")
    files = node_fields.names_in(node.required_files)
    told = [str(one) for one in (node.copy_position, node.copy_employee) if one is not None]
    signs = node.signature in (SignatureRule.OPTIONAL, SignatureRule.REQUIRED)  # none of a new card
    signed = [node.signature.label] if signs else []
    lines = ("填写 ", filled), ("须有附件 ", files), ("手写签名：", signed), ("抄送 ", told)
    return [label + "、".join(names) for label, names in lines if names]


def _pct(value: Decimal | None) -> str:
    return f"{value.normalize():f}" if value is not None else "—"


# ----------------------------------------------------------------------------------------------------------- as tried
def tried(found: flow_trial.Preview) -> list[Drawn]:
    """What a submission would meet, with the people whom it would ask; what it passes by is dimmed."""
    assert found.flow is not None
    by_seq = {one.step.node.seq: _tried(one) for one in found.steps}

    def box(node: ApprovalNode) -> FlowStep:
        return by_seq.get(node.seq) or replace(_off(node), facts=("前面已到此为止",))

    return _ends(_draw(flow_graph.line(found.flow), box, found.way), _START, _END)


def _tried(one: flow_trial.PreviewStep) -> FlowStep:
    node = one.step.node
    facts, state = [node.mode.label], ""
    if one.step.is_skipped:
        state, facts = "off", [_why_skipped(node)]
    if one.step.is_last:
        facts.append(f"不超过 {format_money(node.approve_limit or Decimal(0))} 元，到此为止")
    if one.warning:
        facts.append(one.warning)
    return FlowStep(
        node.name,
        asked_at(node),
        people="、".join(one.people) or one.problem.partition("：")[2],
        facts=tuple(facts),
        is_missing=bool(one.problem),
        state=state,
        seq=node.seq,
    )


def _why_skipped(node: ApprovalNode) -> str:
    if node.skip_when:
        return f"{condition_words(node.skip_when, BranchKind.CONDITION)}，跳过"
    return f"低于 {format_money(node.skip_below or Decimal(0))} 元，跳过"


# ---------------------------------------------------------------------------------------------------------- as it runs
def running(ctx: Ctx, instance: ApprovalInstance) -> list[Drawn]:
    """What is done, who is asked now, and who will be: with names, on the branches that it takes."""
    waiting = [task for task in instance.tasks if task.state is TaskState.PENDING]
    stand_ins = delegations.deputies(ctx.session, waiting, ctx.today)
    boxes = {
        line.node.seq: _running(ctx, instance, line, stand_ins)
        for line in approvals.progress(instance)
    }

    def box(node: ApprovalNode) -> FlowStep:
        return boxes.get(node.seq) or _off(node)

    when = f"{local(instance.submitted_at):%Y-%m-%d}"
    first = FlowStep("提交", instance.applicant.name, facts=(when,), is_end=True, state="done")
    is_over = instance.state is not ApprovalState.RUNNING
    last = FlowStep("办结", instance.state.label if is_over else "", is_end=True)
    if is_over:
        is_approved = instance.state in (ApprovalState.APPROVED, ApprovalState.LAPSED)
        last = replace(last, state="done" if is_approved else "stopped")
    middle = _draw(flow_graph.line(instance.flow), box, approvals.way(instance))
    return _ends(middle, first, last)


def _running(
    ctx: Ctx,
    instance: ApprovalInstance,
    line: approvals.Progress,
    stand_ins: dict[int, list[str]],
) -> FlowStep:
    node = line.node
    newest = max((task.round_no for task in line.tasks), default=0)
    tasks = [task for task in line.tasks if task.round_no == newest]
    acted = [t for t in tasks if t.decided_at and t.state is not TaskState.CANCELLED]
    people = acted
    facts: tuple[str, ...] = ()
    state = {"DONE": "done", "CURRENT": "current", "TO_COME": "todo"}.get(line.state, "off")
    if line.state == "SKIPPED":
        facts = ("已同意，不再重复",) if node.seq in approvals.passed(instance) else ("跳过",)
    if state == "current":
        people = [task for task in tasks if task.state is TaskState.PENDING]
    names = [who(task, stand_ins.get(task.id, ())) for task in people]
    if state == "todo" and instance.state is ApprovalState.RUNNING:
        names = to_come(ctx, instance, node)
    elif state == "todo":
        state = "off"
    last = max((task.decided_at for task in acted if task.decided_at), default=None)
    if state == "done" and any(t.state in (TaskState.REJECTED, TaskState.RETURNED) for t in acted):
        state = "stopped"
    if last is not None and state in ("done", "stopped"):
        facts = (f"{local(last):%Y-%m-%d %H:%M}",)
    named = _named(list(dict.fromkeys(names)))
    return FlowStep(node.name, asked_at(node), people=named, facts=facts, state=state, seq=node.seq)


def to_come(ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode) -> list[str]:
    """Names of those who would be asked at a node as things stand."""
    ids = approvals.eligible(
        ctx.session,
        node,
        department_id=instance.department_id,
        excluded=instance.facts["excluded"],
    )
    known = select(Employee.id, Employee.name).where(Employee.id.in_(ids))
    by_id = {row.id: row.name for row in ctx.session.execute(known)}
    return [by_id[one] for one in ids]


def who(task: ApprovalTask, stand_ins: Iterable[str]) -> str:
    """Who is asked and who may act for that person, or who has decided for whom."""
    if task.decided_at is None:
        return delegations.named(task.assignee.name, stand_ins)
    if task.on_behalf_of is None or task.decided_by is None:
        return task.assignee.name
    return f"{task.decided_by.name}（代{task.on_behalf_of.name}）"
