"""The moves of an approval that no person makes: opening a node, settling it, ending the whole and what follows."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import func, select

from models.approval.approval import (
    COUNTED_STATES,
    ApprovalInstance,
    ApprovalNode,
    ApprovalState,
    ApprovalTask,
    NodeMode,
    Repeats,
    TaskOrigin,
    TaskState,
)
from models.base.actor import ScopeLevel
from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, Conflict
from models.base.money import round_to
from reports.figures import approvals, flow_graph, node_fields, work_hours
from workflows.approval import told
from workflows.base import audit
from workflows.base.context import Ctx
from workflows.base.transition import Step, check_source, move, move_all, steps

Handler = Callable[[Ctx, ApprovalInstance, Any, ApprovalState], None]

# No permission stands behind these two: whom the flow asks may decide, who submitted may withdraw, and nobody else.
FINISH: Final = steps(
    Step(
        "approval_instance",
        "finish",
        "办结",
        column="state",
        sources=(ApprovalState.RUNNING,),
        targets=(
            ApprovalState.APPROVED,
            ApprovalState.REJECTED,
            ApprovalState.RETURNED,
            ApprovalState.WITHDRAWN,
        ),
        follows=True,
    ),
)["finish"]
LAPSE: Final = steps(
    Step(
        "approval_instance",
        "lapse",
        "审批失效",
        column="state",
        sources=(ApprovalState.APPROVED,),
        targets=(ApprovalState.LAPSED,),
        follows=True,
    ),
)["lapse"]
SETTLE: Final = steps(
    Step(
        "approval_task",
        "settle",
        "办理",
        column="state",
        sources=(TaskState.PENDING,),
        targets=tuple(state for state in TaskState if state is not TaskState.PENDING),
        follows=True,
    ),
)["settle"]

_HANDLERS: dict[str, Handler] = {}
_DECISIONS = (TaskState.APPROVED, TaskState.REJECTED, TaskState.RETURNED)
_HANDED = (TaskState.TRANSFERRED, TaskState.ENTRUSTED, TaskState.ADVISED)


def on_finish(type_code: str) -> Callable[[Handler], Handler]:
    """Register what follows when an approval of this type ends: (ctx, instance, record, outcome).

    The handler acts as the system, in the same transaction; `ctx.actor.employee_id` is still who decided. It is called
    for every outcome: approved, rejected, returned and withdrawn.
    """

    def register(handler: Handler) -> Handler:
        if _HANDLERS.setdefault(type_code, handler) is not handler:
            raise ValueError(f"two handlers for {type_code}")
        return handler

    return register


def startable() -> frozenset[str]:
    """The codes of the businesses that something puts up for approval: others have flows that nobody ever meets."""
    return frozenset(_HANDLERS)


def lock(ctx: Ctx, instance_id: int) -> ApprovalInstance:
    """The instance as it is now, its row held until the commit: decisions of one approval come one after another."""
    query = (
        select(ApprovalInstance)
        .where(ApprovalInstance.id == instance_id)
        .with_for_update(of=ApprovalInstance)
    )
    ctx.session.flush()
    return ctx.session.scalars(query.execution_options(populate_existing=True)).one()


def require_running(instance: ApprovalInstance) -> None:
    """Raise Conflict when the approval has ended."""
    if instance.state is not ApprovalState.RUNNING:
        raise Conflict(f"审批“{instance.title}”{instance.state.label}，不能再办理")


def close_task(
    ctx: Ctx,
    task: ApprovalTask,
    state: TaskState,
    opinion: str = "",
    with_it: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """End a pending task exactly once: the database compares and sets in one statement, whoever else is clicking.

    `with_it` are further columns of it: what was filled in, and the signature. Raises Conflict for all but the first.
    """
    actor = ctx.actor
    is_personal = state in (*_DECISIONS, *_HANDED, TaskState.REMOVED)
    is_substitute = state in (*_DECISIONS, *_HANDED) and actor.employee_id not in (
        None,
        task.assignee_id,
    )
    facts: dict[str, Any] = {
        "opinion": opinion or None,
        "decided_at": ctx.now,
        "decided_by_id": actor.employee_id if is_personal else None,
        "on_behalf_of_id": task.assignee_id if is_substitute else None,
        "is_automatic": actor.is_system or not is_personal,
        "updated_at": ctx.now,
        **with_it,
    }
    if not move_all(ctx.session, SETTLE, ApprovalTask.id == task.id, target=state, facts=facts):
        ctx.session.refresh(task)
        raise Conflict(settled_message(task))
    ctx.session.refresh(task)
    audit.log(
        ctx,
        task,
        "UPDATE",
        {"state": [TaskState.PENDING.name, state.name], "opinion": [None, opinion or None]},
    )


def settled_message(task: ApprovalTask) -> str:
    """Who settled a task before this click."""
    by = f"由{task.decided_by.name}" if task.decided_by else ""
    return f"该审批任务已{by}办理（{task.state.label}），请刷新页面查看最新状态"


def cancel_others(
    ctx: Ctx,
    instance: ApprovalInstance,
    state: TaskState = TaskState.CANCELLED,
    *,
    at: Container[int] | None = None,
    why: str = "",
) -> None:
    """End what is still pending, of the nodes with a `seq` in `at` alone: settled without these people."""
    for task in pending(ctx, instance):
        if at is None or task.node.seq in at:
            close_task(ctx, task, state, why)


def pending(ctx: Ctx, instance: ApprovalInstance) -> list[ApprovalTask]:
    """Tasks of the approval that nobody has settled yet."""
    query = select(ApprovalTask).where(
        ApprovalTask.instance_id == instance.id, ApprovalTask.state == TaskState.PENDING
    )
    return list(ctx.session.scalars(query.order_by(ApprovalTask.id)))


def open_task(
    ctx: Ctx,
    instance: ApprovalInstance,
    node: ApprovalNode,
    employee_id: int,
    origin: TaskOrigin,
    *,
    asked_by_id: int | None = None,
    round_no: int | None = None,
    due_of: ApprovalTask | None = None,
) -> ApprovalTask:
    """Ask one person at a node, in the round in which it was opened where none is named.

    `asked_by_id` is who wants one more signer, or an opinion; what is asked within the time of another task is due
    with it (`due_of`).
    """
    limit = node.hours_limit
    due = None if limit is None else work_hours.due_after(ctx.session, ctx.now, limit, ctx.today)
    if due_of is not None:
        due = due_of.due_at
    task = ApprovalTask(
        instance=instance,
        node=node,
        round_no=round_no or round_of(ctx, instance, node),
        origin=origin,
        assignee_id=employee_id,
        asked_by_id=asked_by_id,
        state=TaskState.PENDING,
        due_at=due,
    )
    ctx.session.add(task)
    ctx.session.flush()
    return task


def round_of(ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode) -> int:
    """The round in which a node was opened last: one branch may have gone round more often than another."""
    query = select(func.max(ApprovalTask.round_no)).where(
        ApprovalTask.instance_id == instance.id, ApprovalTask.node_id == node.id
    )
    return ctx.session.scalar(query) or instance.round_no


def people_at(ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode) -> list[int]:
    """Whom a node asks for this approval; BusinessError naming its position when there is nobody."""
    excluded = instance.facts["excluded"]
    found = approvals.eligible(
        ctx.session, node, department_id=instance.department_id, excluded=excluded
    )
    if not found:
        said = approvals.nobody(ctx.session, node, instance.department_id)
        raise BusinessError(f"{said}，请联系系统管理员在“审批岗位”中补充")
    return found


def open_node(ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode) -> None:
    """Ask the people of a node whose turn it is; it has passed where all of them are spared."""
    people = people_at(ctx, instance, node)
    if not _ask(ctx, instance, node, people, instance.round_no):
        mark_passed(ctx, instance, node)


def _ask(
    ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode, people: Iterable[int], round_no: int
) -> bool:
    """Ask people of a node, or the first of them in turn; False where the flow spares all who would have been asked."""
    people, spared = list(people), _spared(ctx, instance, node, round_no)
    if node.mode is NodeMode.ANY and (again := [one for one in people if one in spared]):
        people = again[:1]
    is_asked = False
    for employee_id in people:
        task = open_task(ctx, instance, node, employee_id, TaskOrigin.NODE, round_no=round_no)
        if employee_id in spared:
            words = f"已在“{spared[employee_id]}”同意，按流程设置自动通过"
            close_task(_by_nobody(ctx), task, TaskState.APPROVED, words)
        else:
            is_asked = True
            if node.mode is NodeMode.IN_TURN:
                break
    return is_asked


def _spared(
    ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode, round_no: int
) -> dict[int, str]:
    """Who need not agree once more at this node by the rule of the flow, with the node where each has agreed.

    A vote is everybody's own, and so are what asks for more than an opinion and what was sent back to this very node;
    what was sent back and not agreed to since counts no more, nor does what a deputy has decided.
    """
    is_own = node.mode is NodeMode.VOTE or node_fields.asks_more(node)
    if instance.flow.repeats is not Repeats.SPARE or is_own:
        return {}
    if _is_returned_to(ctx, instance, node, round_no):
        return {}
    query = select(ApprovalTask).where(
        ApprovalTask.instance_id == instance.id,
        ApprovalTask.state == TaskState.APPROVED,
        ApprovalTask.is_automatic.is_(False),
        ApprovalTask.on_behalf_of_id.is_(None),
    )
    agreed = approvals.passed(instance)
    return {
        task.assignee_id: task.node.name
        for task in ctx.session.scalars(query.order_by(ApprovalTask.id))
        if task.node.seq in agreed and task.round_no == round_of(ctx, instance, task.node)
    }


def _is_returned_to(
    ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode, round_no: int
) -> bool:
    """Whether a round began with this node: what is sent back is opened there before anything else."""
    query = select(ApprovalTask.node_id).where(
        ApprovalTask.instance_id == instance.id, ApprovalTask.round_no == round_no
    )
    first = ctx.session.scalar(query.order_by(ApprovalTask.id).limit(1))
    return round_no > 1 and first in (None, node.id)


def ask_next(
    ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode, asked: list[ApprovalTask]
) -> bool:
    """依次会签: ask whoever comes after those whose turn it was in this round; False when all have been asked.

    Who was only asked for an opinion, or done without as a signer, still has the own turn to come.
    """
    if node.mode is not NodeMode.IN_TURN:
        return False
    before = {
        task.assignee_id
        for task in asked
        if task.origin is TaskOrigin.NODE or task.state in COUNTED_STATES
    }
    excluded = {*before, *instance.facts["excluded"]}
    following = approvals.eligible(
        ctx.session, node, department_id=instance.department_id, excluded=excluded
    )
    return _ask(ctx, instance, node, following, round_of(ctx, instance, node))


def mark_passed(ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode) -> None:
    """The node has said yes, and tells of it; it is asked again only where something before it is sent back."""
    told.of_node(ctx, instance, node)
    instance.passed = sorted({*approvals.passed(instance), node.seq})


def advance(ctx: Ctx, instance: ApprovalInstance) -> None:
    """Go on to the nodes whose turn it is on the way of this approval; after the last one the approval has passed."""
    flow, way = instance.flow, approvals.way(instance)
    asked = {node.seq for node in approvals.asked(flow, instance.amount, way)}
    items = flow_graph.line(flow)
    while due := flow_graph.due(items, asked, approvals.passed(instance), way.branches):
        instance.current_node_seq = due[0].seq
        waiting = {task.node.seq for task in pending(ctx, instance)}
        coming = next((node for node in due if node.seq not in waiting), None)
        if coming is None:
            return
        open_node(ctx, instance, coming)
    finish(ctx, instance, ApprovalState.APPROVED)


def close(ctx: Ctx, instance: ApprovalInstance, outcome: ApprovalState) -> None:
    """End the approval itself; what follows from it is `finish`'s."""
    check_source(FINISH, instance)
    cancel_others(
        ctx,
        instance,
        TaskState.WITHDRAWN if outcome is ApprovalState.WITHDRAWN else TaskState.CANCELLED,
    )
    move(FINISH, instance, outcome)
    instance.finished_at = ctx.now
    instance.current_node_seq = None
    ctx.session.flush()


def finish(ctx: Ctx, instance: ApprovalInstance, outcome: ApprovalState) -> None:
    """End the approval and let the owner of the business go on, in the same transaction."""
    close(ctx, instance, outcome)
    handler = _HANDLERS.get(instance.business_type.code)
    if handler is None:
        return
    record = record_of(ctx, instance)
    try:
        handler(_by_rule(ctx), instance, record, outcome)
        ctx.session.flush()
    finally:
        ctx.session.info["ctx"] = ctx  # the audit trail goes on under the person's own name


def lapse(ctx: Ctx, record: Entity, reason: str) -> None:
    """The record is a draft again: what was approved of it holds no more, and needs to be approved anew."""
    mine = (
        ApprovalInstance.table_name == record.__tablename__,
        ApprovalInstance.record_id == record.id,
    )
    query = select(ApprovalInstance).where(*mine, ApprovalInstance.state.in_(LAPSE.sources))
    for instance in ctx.session.scalars(query.order_by(ApprovalInstance.id)).all():
        move(LAPSE, instance)
        audit.log(ctx, instance, "LAPSE", note=reason)


def record_of(ctx: Ctx, instance: ApprovalInstance) -> Entity:
    """The record under approval; Conflict when it is gone."""
    record = ctx.session.get(entity_of(instance.table_name), instance.record_id)
    if record is None:
        raise Conflict(f"审批“{instance.title}”的业务记录已不存在")
    return record


def _by_nobody(ctx: Ctx) -> Ctx:
    """The same unit of work where a rule decides, and no person."""
    return replace(ctx, actor=replace(ctx.actor, is_system=True, employee_id=None))


def _by_rule(ctx: Ctx) -> Ctx:
    """The same unit of work with the rights of the system and the name of who decided."""
    return replace(ctx, actor=replace(ctx.actor, is_system=True, scope=ScopeLevel.ALL))


def outcome_of(
    node: ApprovalNode, tasks: list[ApprovalTask], *, is_closed: bool = False
) -> TaskState:
    """What the tasks of a node in one round add up to: PENDING (wait), APPROVED or REJECTED.

    `is_closed` ends a vote whose time is up: those who have not voted no longer count, if there is a quorum.
    """
    counted = [task for task in tasks if task.state in COUNTED_STATES]
    if node.mode is NodeMode.VOTE:
        return _vote(node, counted, is_closed=is_closed)
    if any(task.state is TaskState.REJECTED for task in counted):
        return TaskState.REJECTED
    own = [task for task in counted if not is_added(task, tasks)]
    added = [task for task in counted if is_added(task, tasks)]
    enough = any if node.mode is NodeMode.ANY else all
    has_passed = enough(task.state is TaskState.APPROVED for task in own)
    has_passed = has_passed and all(task.state is TaskState.APPROVED for task in added)
    return TaskState.APPROVED if has_passed else TaskState.PENDING


def is_added(task: ApprovalTask, tasks: list[ApprovalTask]) -> bool:
    """Whether the consent of an added signer hangs on a task of a round: the signer's own, or whom that one asks."""
    if task.origin is not TaskOrigin.ENTRUST:
        return task.origin is TaskOrigin.ADDED
    asked_by = [
        one
        for one in tasks
        if one.assignee_id == task.asked_by_id and one.state is TaskState.ENTRUSTED
    ]
    return max(asked_by, key=lambda one: one.id).origin is TaskOrigin.ADDED


def _vote(node: ApprovalNode, tasks: list[ApprovalTask], *, is_closed: bool) -> TaskState:
    """Settled as soon as the votes to come cannot change it; a single refusal never ends it by itself."""
    assert node.quorum_pct is not None
    assert node.pass_pct is not None  # CHECK ck_approval_node_vote
    yes = sum(task.state is TaskState.APPROVED for task in tasks)
    cast = sum(task.state is not TaskState.PENDING for task in tasks)
    if _share(cast, len(tasks)) < node.quorum_pct or not cast:
        return TaskState.PENDING
    base = cast if is_closed else len(tasks)
    if _share(yes, base) >= node.pass_pct:
        return TaskState.APPROVED
    if _share(yes + base - cast, base) < node.pass_pct:
        return TaskState.REJECTED
    return TaskState.PENDING


def _share(part: int, whole: int) -> Decimal:
    """Per cent, rounded as people write it: 2 of 3 are 66.67 %."""
    return round_to(Decimal(part * 100) / whole, 2)
