"""Asking a colleague within one's own task (A9): 委派, which comes back with an opinion, and taking it back (减签)."""

from models.approval.approval import ApprovalTask, NodeMode, TaskOrigin, TaskState
from models.base.errors import BusinessError, NotAllowed
from reports.figures import delegations
from workflows.approval import steps
from workflows.approval.decide import (
    checked_opinion,
    colleague_for,
    come_back,
    held,
    require_own,
    require_pending,
    settle,
)
from workflows.base.context import Ctx


def entrust(
    ctx: Ctx, task: ApprovalTask, employee_id: int, opinion: str, *, version: int | None = None
) -> None:
    """Have a colleague look into it (委派): the task is one's own again once that person has answered."""
    with held(ctx, task, version) as (acting, instance):
        if task.node.mode is NodeMode.VOTE:
            raise BusinessError("票决由表决人本人作出，不能委派")
        require_own(task, "再委派")
        opinion = checked_opinion(opinion, is_required=True, label="委派")
        colleague = colleague_for(acting, instance, task, employee_id)
        steps.close_task(acting, task, TaskState.ENTRUSTED, f"委派{colleague.name}：{opinion}")
        origin, me = TaskOrigin.ENTRUST, task.assignee_id
        steps.open_task(
            acting, instance, task.node, colleague.id, origin, asked_by_id=me, due_of=task
        )


def take_back(
    ctx: Ctx, task: ApprovalTask, opinion: str = "", *, version: int | None = None
) -> None:
    """Do without a signer that one has added (减签), or an opinion that one has asked for, while it waits.

    Raises NotAllowed, Conflict, StaleRecord, BusinessError without a reason.
    """
    instance = steps.lock(ctx, task.instance_id)
    ctx.session.refresh(task)
    if not delegations.may_take_back(ctx.session, ctx.actor, task, ctx.today):
        raise NotAllowed("只有加签或委派的人可以收回")
    require_pending(instance, task, version)
    label = "收回委派" if task.origin is TaskOrigin.ENTRUST else "减签"
    opinion = checked_opinion(opinion, is_required=True, label=label)
    with_it = {}
    if task.asked_by_id != ctx.actor.employee_id:  # 工作托管: in the name of who has asked
        with_it["on_behalf_of_id"] = task.asked_by_id
    steps.close_task(ctx, task, TaskState.REMOVED, opinion, with_it)
    if task.origin is TaskOrigin.ENTRUST:
        come_back(ctx, instance, task)
    else:
        settle(ctx, instance, task.node)
    ctx.session.flush()
