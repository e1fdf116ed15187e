"""What a person does with an approval task: agree, refuse, return, hand on, add a signer, urge (A3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import and_, or_, select

from models.approval.approval import (
    COUNTED_STATES,
    ApprovalInstance,
    ApprovalNode,
    ApprovalState,
    ApprovalTask,
    NodeMode,
    TaskOrigin,
    TaskState,
)
from models.base.errors import BusinessError, Conflict, NotAllowed, StaleRecord
from models.base.kinds import Kind
from models.system.organization import Employee, Operator
from reports.figures import approvals, delegations, flow_graph, parameters
from workflows.approval import at_node, steps
from workflows.approval.at_node import Given
from workflows.base.context import Ctx
from workflows.base.transition import Verb

OPINION_MAX: Final = 2000
URGE_PARAMETER: Final = "approval.urge_hours"


class Decision(Kind):
    """What the person decides."""

    APPROVE = "同意"
    REJECT = "否决"
    RETURN = "退回"
    ANSWER = "回复"


_RESULT: Final = {
    Decision.APPROVE: TaskState.APPROVED,
    Decision.REJECT: TaskState.REJECTED,
    Decision.RETURN: TaskState.RETURNED,
    Decision.ANSWER: TaskState.ADVISED,
}


def decide(
    ctx: Ctx,
    task: ApprovalTask,
    decision: Decision,
    opinion: str = "",
    *,
    version: int | None = None,
    to_seq: int | None = None,
    is_direct: bool = False,
    given: Given = at_node.NOTHING,
) -> ApprovalInstance:
    """Decide a task exactly once; `to_seq` returns to an earlier node instead of to the applicant.

    `given` is what the node asks for besides the opinion: fields of the record (A10), a signature (A11).

    What `is_direct` returns comes straight back to this node, past those between that have agreed.

    Raises NotAllowed (not asked, or own submission), StaleRecord or Conflict (settled before), BusinessError (no
    opinion, no such node, nobody at the next node); then nothing has changed once the edge rolls back.
    """
    with held(ctx, task, version) as (acting, instance):
        opinion = checked_opinion(
            opinion, is_required=decision is not Decision.APPROVE, label=decision.label
        )
        _check_kind(task, decision)
        target = _return_target(acting, task, decision, to_seq)
        with_it = at_node.take(acting, instance, task, _RESULT[decision], given)
        steps.close_task(acting, task, _RESULT[decision], opinion, with_it)
        if decision is Decision.RETURN:
            _send_back(acting, instance, task.node, target, is_direct=is_direct)
        elif decision is Decision.ANSWER:
            come_back(acting, instance, task)
        else:
            settle(acting, instance, task.node)
    return instance


def _check_kind(task: ApprovalTask, decision: Decision) -> None:
    if decision is Decision.RETURN and task.node.mode is NodeMode.VOTE:
        raise BusinessError("票决节点只能同意或否决，不能退回", field="decision")
    is_entrusted = task.origin is TaskOrigin.ENTRUST
    if is_entrusted != (decision is Decision.ANSWER):
        said = (
            "委派给您的任务只回复意见，由委派人决定" if is_entrusted else "只有受委派的任务才能回复"
        )
        raise BusinessError(said, field="decision")


def come_back(ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask) -> None:
    """The task of who entrusted it (委派) is that person's again."""
    query = select(ApprovalTask).where(
        ApprovalTask.instance_id == instance.id,
        ApprovalTask.node_id == task.node_id,
        ApprovalTask.round_no == task.round_no,
        ApprovalTask.assignee_id == task.asked_by_id,
        ApprovalTask.state == TaskState.ENTRUSTED,
    )
    own = ctx.session.scalars(query.order_by(ApprovalTask.id.desc()).limit(1)).one()
    # the time limit goes on: what a colleague has thought over was not time given
    steps.open_task(
        ctx,
        instance,
        task.node,
        own.assignee_id,
        own.origin,
        asked_by_id=own.asked_by_id,
        due_of=own,
    )


def transfer(
    ctx: Ctx, task: ApprovalTask, employee_id: int, opinion: str, *, version: int | None = None
) -> None:
    """Hand the task on to a colleague (转办), saying why."""
    with held(ctx, task, version) as (acting, instance):
        opinion = checked_opinion(opinion, is_required=True, label="转办")
        colleague = colleague_for(acting, instance, task, employee_id)
        steps.close_task(acting, task, TaskState.TRANSFERRED, f"转办给{colleague.name}：{opinion}")
        pass_on(acting, instance, task, colleague)


def pass_on(ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask, to: Employee) -> None:
    """A task that somebody else takes over stays what it is: a consent that must be had, or an opinion."""
    is_special = task.origin in (TaskOrigin.ADDED, TaskOrigin.ENTRUST)
    origin = task.origin if is_special else TaskOrigin.TRANSFER
    steps.open_task(ctx, instance, task.node, to.id, origin, asked_by_id=task.asked_by_id)


def add_signer(
    ctx: Ctx, task: ApprovalTask, employee_id: int, *, version: int | None = None
) -> None:
    """Ask one more person at the present node (加签), whose consent is needed whatever the mode."""
    with held(ctx, task, version) as (acting, instance):
        if task.node.mode is NodeMode.VOTE:
            raise BusinessError("票决节点的表决人由流程确定，不能加签")
        colleague = colleague_for(acting, instance, task, employee_id)
        require_own(task, "加签")
        added = TaskOrigin.ADDED
        me = task.assignee_id
        steps.open_task(acting, instance, task.node, colleague.id, added, asked_by_id=me)


def require_own(task: ApprovalTask, label: str) -> None:
    """Who only gives an opinion brings nobody else in. Raises BusinessError."""
    if task.origin is TaskOrigin.ENTRUST:
        raise BusinessError(f"委派给您的任务只回复意见，不能{label}")


def urge(ctx: Ctx, instance: ApprovalInstance) -> int:
    """Remind everybody the approval waits for (催办), at most once in so many hours; how many were reminded."""
    instance = steps.lock(ctx, instance.id)
    steps.require_running(instance)
    open_tasks = steps.pending(ctx, instance)
    chiefs = {task.escalated_to_id for task in open_tasks} - {None}
    if ctx.actor.employee_id not in chiefs:
        _require_applicant(ctx, instance, "催办")
    hours = parameters.number(ctx.session, URGE_PARAMETER, ctx.today)
    pause = timedelta(hours=float(hours))
    waiting = [
        task for task in open_tasks if task.urged_at is None or ctx.now - task.urged_at >= pause
    ]
    if not waiting:
        raise Conflict(f"{hours.normalize():f} 小时内已经催办过，请稍后再试")
    for task in waiting:
        task.urged_at = ctx.now
    ctx.session.flush()
    return len(waiting)


# whoever sees approvals may take his own back
WITHDRAW = Verb("approval_instance", "list", "撤回审批")


def withdraw(ctx: Ctx, instance: ApprovalInstance) -> ApprovalInstance:
    """The applicant takes the submission back (撤回), as long as nobody has acted on it."""
    instance = steps.lock(ctx, instance.id)
    _require_applicant(ctx, instance, "撤回")
    steps.require_running(instance)
    query = select(ApprovalTask.id).where(
        ApprovalTask.instance_id == instance.id,
        ApprovalTask.state.not_in((TaskState.PENDING, TaskState.CANCELLED)),
    )
    if ctx.session.scalar(query.limit(1)) is not None:
        raise Conflict("已有审批人办理，不能撤回；如需修改，请审批人退回")
    steps.finish(ctx, instance, ApprovalState.WITHDRAWN)
    return instance


def call_off(ctx: Ctx, instance: ApprovalInstance) -> None:
    """End an approval because the business that it is about has ended, whoever submitted it and whatever was decided.

    Called by that business's workflow, which has checked who may end it.
    """
    instance = steps.lock(ctx, instance.id)
    steps.require_running(instance)
    steps.finish(ctx, instance, ApprovalState.WITHDRAWN)


def escalate_overdue(ctx: Ctx) -> int:
    """Bring tasks past their time limit before a superior, once each, and close votes that have a quorum (A6, A11)."""
    found = approvals.overdue(ctx.session, ctx.now)
    for task in found:
        if task.escalated_at is None:
            task.escalated_at = ctx.now
            task.escalated_to_id = approvals.superior_of(ctx.session, task)
    ctx.session.flush()
    votes = {(task.instance_id, task.node) for task in found if task.node.mode is NodeMode.VOTE}
    for instance_id, node in sorted(votes, key=lambda vote: (vote[0], vote[1].seq)):
        close_vote(ctx, instance_id, node)
    return len(found)


def close_vote(ctx: Ctx, instance_id: int, node: ApprovalNode) -> None:
    """End a vote whose time is up by the votes cast, if they are a quorum; nothing when it has ended meanwhile."""
    instance = steps.lock(ctx, instance_id)
    if any(task.node_id == node.id for task in steps.pending(ctx, instance)):
        settle(ctx, instance, node, is_closed=True)


def settle(
    ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode, *, is_closed: bool = False
) -> None:
    """Go on, end or wait, by what the tasks of the node add up to."""
    query = select(ApprovalTask).where(
        ApprovalTask.instance_id == instance.id,
        ApprovalTask.node_id == node.id,
        ApprovalTask.round_no == steps.round_of(ctx, instance, node),
    )
    tasks = list(ctx.session.scalars(query))
    outcome = steps.outcome_of(node, tasks, is_closed=is_closed)
    if outcome is TaskState.REJECTED:
        steps.finish(ctx, instance, ApprovalState.REJECTED)
    elif outcome is TaskState.APPROVED:
        steps.cancel_others(ctx, instance, at={node.seq})
        if not steps.ask_next(ctx, instance, node, tasks):
            steps.mark_passed(ctx, instance, node)
            steps.advance(ctx, instance)
    elif node.mode is NodeMode.ANY:
        _free_the_others(ctx, tasks)


def _free_the_others(ctx: Ctx, tasks: list[ApprovalTask]) -> None:
    """任一: the first consent settles the node for all but added signers, who are still waited for."""
    own = [task for task in tasks if not steps.is_added(task, tasks)]
    if any(task.state is TaskState.APPROVED for task in own):
        for task in own:
            if task.state is TaskState.PENDING:
                steps.close_task(ctx, task, TaskState.CANCELLED)


@contextmanager
def held(
    ctx: Ctx, task: ApprovalTask, version: int | None
) -> Iterator[tuple[Ctx, ApprovalInstance]]:
    """The approval, locked, for somebody who may act on this task now; in whose name is in the work's own context."""
    instance = steps.lock(ctx, task.instance_id)
    ctx.session.refresh(task)
    actor = ctx.actor
    if not actor.is_system:
        if said := delegations.why_not(ctx.session, actor, task, ctx.today):
            raise NotAllowed(said)
        if task.assignee_id != actor.employee_id:
            actor = replace(actor, on_behalf_of_id=task.assignee_id)
    require_pending(instance, task, version)
    try:
        yield replace(ctx, actor=actor), instance
        ctx.session.flush()
    finally:
        ctx.session.info["ctx"] = ctx  # what else is done is the actor's own again


def require_pending(instance: ApprovalInstance, task: ApprovalTask, version: int | None) -> None:
    """Raise Conflict where the task or its approval is settled, StaleRecord where the task has changed."""
    if task.state is not TaskState.PENDING:
        raise Conflict(steps.settled_message(task))
    steps.require_running(instance)
    if version is not None and version != task.version:
        raise StaleRecord("该审批任务已有变化，请刷新页面后再办理")


def checked_opinion(opinion: str, *, is_required: bool, label: str) -> str:
    opinion = opinion.strip()
    if is_required and not opinion:
        raise BusinessError(f"{label}时必须填写意见", field="opinion")
    if len(opinion) > OPINION_MAX:
        raise BusinessError(f"意见最多 {OPINION_MAX} 个字，现有 {len(opinion)} 个", field="opinion")
    return opinion


def _return_target(
    ctx: Ctx, task: ApprovalTask, decision: Decision, to_seq: int | None
) -> ApprovalNode | None:
    """The earlier node to return to; None for the applicant."""
    if decision is not Decision.RETURN or to_seq is None:
        return None
    found = {one.seq: one for one in approvals.return_targets(ctx.session, task)}.get(to_seq)
    if found is None:
        raise BusinessError("只能退回到已经办理过的前面节点，或退回申请人", field="to_seq")
    return found


def _send_back(
    ctx: Ctx,
    instance: ApprovalInstance,
    node: ApprovalNode,
    target: ApprovalNode | None,
    *,
    is_direct: bool,
) -> None:
    """To the applicant, or to an earlier node: what hangs on it is asked anew, other branches go on.

    What is direct asks those that have agreed no second time.
    """
    if target is None:
        instance.resume_seq = node.seq if is_direct else None
        steps.finish(ctx, instance, ApprovalState.RETURNED)
        return
    behind = flow_graph.after(instance.flow, target)
    why = f"“{node.name}”已退回“{target.name}”，不再办理"
    steps.cancel_others(ctx, instance, at=behind, why=why)
    again = {target.seq} if is_direct else behind
    instance.passed = sorted(approvals.passed(instance) - again)
    instance.round_no += 1
    steps.advance(ctx, instance)


def colleague_for(
    ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask, employee_id: int
) -> Employee:
    person = ctx.session.get(Employee, employee_id)
    if person is None or not person.is_active:
        raise BusinessError("所选人员不存在或已离职", field="employee_id")
    if ctx.session.scalar(
        select(Operator.id).where(Operator.employee_id == person.id, Operator.is_disabled)
    ):
        raise BusinessError(f"{person.name}的账号已停用，不能审批", field="employee_id")
    if person.id in instance.facts["excluded"]:
        raise BusinessError(
            f"{person.name}是本业务的提交人，不能审批自己提交的业务", field="employee_id"
        )
    if person.id == ctx.actor.employee_id:
        raise BusinessError("不能交给自己办理", field="employee_id")
    _require_new(ctx, instance, task, person)
    return person


def _require_new(
    ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask, person: Employee
) -> None:
    """One person, one voice at a node: also of who has decided for another, or waits for an opinion to come back."""
    counted = or_(
        and_(
            or_(ApprovalTask.assignee_id == person.id, ApprovalTask.decided_by_id == person.id),
            ApprovalTask.state.in_(COUNTED_STATES),
        ),
        and_(
            ApprovalTask.asked_by_id == person.id,
            ApprovalTask.origin == TaskOrigin.ENTRUST,
            ApprovalTask.state == TaskState.PENDING,
        ),
    )
    query = select(ApprovalTask.id).where(
        ApprovalTask.instance_id == instance.id,
        ApprovalTask.node_id == task.node_id,
        ApprovalTask.round_no == task.round_no,
        counted,
    )
    if ctx.session.scalar(query.limit(1)) is not None:
        raise BusinessError(f"{person.name}已是本节点的审批人", field="employee_id")


def _require_applicant(ctx: Ctx, instance: ApprovalInstance, label: str) -> None:
    if not ctx.actor.is_system and ctx.actor.employee_id != instance.applicant_id:
        raise NotAllowed(f"只有申请人可以{label}")
