"""What an administrator does where an approval stands still (A8): give a task to somebody else, end a lost one."""

from typing import Final

from models.approval.approval import (
    ApprovalInstance,
    ApprovalState,
    ApprovalTask,
    TaskState,
)
from models.base.entity import entity_of
from models.base.errors import NotAllowed
from reports.figures import duties
from workflows.approval import steps
from workflows.approval.decide import checked_opinion, colleague_for, pass_on, require_pending
from workflows.base import audit
from workflows.base.context import Ctx
from workflows.base.transition import verbs

REASON_MAX: Final = 500
verbs("approval_task", {"reassign": "改派审批任务"})
verbs("approval_instance", {"end": "终止审批"})


def reassign(
    ctx: Ctx, task: ApprovalTask, employee_id: int, reason: str, *, version: int | None = None
) -> None:
    """Give a pending task to another person, saying why (改派); never to oneself, nor to who submitted it.

    Raises NotAllowed, Conflict when the task is settled, StaleRecord, BusinessError for a person who cannot be asked.
    """
    ctx.require("reassign", "approval_task", "改派审批任务")
    instance = steps.lock(ctx, task.instance_id)
    ctx.session.refresh(task)
    require_pending(instance, task, version)
    reason = checked_opinion(reason, is_required=True, label="改派")
    if employee_id == ctx.actor.employee_id:
        raise NotAllowed("不能把审批任务改派给自己")
    person = colleague_for(ctx, instance, task, employee_id)
    note = f"由{task.assignee.name}改派给{person.name}：{reason}"
    steps.close_task(ctx, task, TaskState.TRANSFERRED, note)
    pass_on(ctx, instance, task, person)
    audit.log(ctx, task, "REASSIGN", note=note)


def reassign_all(ctx: Ctx, employee_id: int, to_id: int, reason: str) -> int:
    """Give every pending task of a person to another one, all or none; how many."""
    tasks = duties.open_tasks(ctx.session, employee_id)
    for task in tasks:
        reassign(ctx, task, to_id, reason)
    return len(tasks)


def is_lost(ctx: Ctx, instance: ApprovalInstance) -> bool:
    """Whether the record of a running approval is gone, so that nobody can decide it."""
    is_running = instance.state is ApprovalState.RUNNING
    return (
        is_running and ctx.session.get(entity_of(instance.table_name), instance.record_id) is None
    )


def end(ctx: Ctx, instance: ApprovalInstance, reason: str) -> None:
    """End an approval that goes nowhere (终止), saying why: the paper goes back as after 撤回; by an administrator.

    Nothing follows where the record itself is gone. Raises NotAllowed, for who has submitted it too, and Conflict.
    """
    ctx.require("end", "approval_instance", "终止审批")
    instance = steps.lock(ctx, instance.id)
    steps.require_running(instance)
    if ctx.actor.employee_id == instance.applicant_id:
        raise NotAllowed("自己提交的审批请用“撤回”，或请其他管理员终止")
    reason = checked_opinion(reason, is_required=True, label="终止审批")[:REASON_MAX]
    instance.end_reason = reason
    words = "业务记录已不存在，" if is_lost(ctx, instance) else ""
    if words:
        steps.close(ctx, instance, ApprovalState.WITHDRAWN)
    else:
        steps.finish(ctx, instance, ApprovalState.WITHDRAWN)
    audit.log(ctx, instance, "END", note=f"{words}终止审批：{reason}")
