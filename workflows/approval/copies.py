"""抄送 (A9): who is told of an approval without deciding on it, by the flow or by who has to do with it (X18)."""

from collections.abc import Iterable, Sequence
from typing import Final

from models.approval.approval import (
    ApprovalInstance,
    ApprovalPosition,
    TaskState,
)
from models.approval.copies import ApprovalCopy
from models.base.errors import BusinessError, NotAllowed
from models.system.organization import Employee
from reports.base.scope import is_visible
from reports.figures import approvals
from workflows.approval import steps
from workflows.approval.told import holders, tell
from workflows.base import audit
from workflows.base.context import Ctx

NOTE_MAX: Final = 200


def may_send(ctx: Ctx, instance: ApprovalInstance) -> bool:
    """Whether the actor has to do with the approval: has submitted it, is asked, or has decided."""
    me = ctx.actor.employee_id
    if me is None:
        return False
    return me == instance.applicant_id or any(
        me == one.decided_by_id
        or (me == one.assignee_id and one.state is TaskState.PENDING)
        or one.id in ctx.actor.lent
        for one in instance.tasks
    )


def send(
    ctx: Ctx,
    instance: ApprovalInstance,
    employee_ids: Sequence[int],
    position_ids: Sequence[int] = (),
    note: str = "",
) -> list[str]:
    """Tell colleagues of an approval, running or ended; the names of those who had not been told.

    Raises NotAllowed for who has nothing to do with it, BusinessError where nobody is chosen or cannot be told.
    """
    instance = steps.lock(ctx, instance.id)
    if not is_visible(ctx.session, ctx.actor, instance) or not may_send(ctx, instance):
        raise NotAllowed("只有申请人和审批人可以抄送")
    if len(note := note.strip()) > NOTE_MAX:
        raise BusinessError(f"抄送说明最多 {NOTE_MAX} 个字，现有 {len(note)} 个", field="note")
    people = _chosen(ctx, employee_ids)
    for key in position_ids:
        position = ctx.session.get(ApprovalPosition, key)
        found = [] if position is None or not position.is_active else holders(ctx, instance, key)
        if not found:
            raise BusinessError("所选岗位没有在职人员", field="positions")
        people += found
    if not people:
        raise BusinessError("请选择抄送的人员或岗位", field="employee_1")
    told = tell(ctx, instance, people, sent_by_id=ctx.actor.employee_id, note=note or None)
    if not told:
        raise BusinessError("所选人员是申请人，或已经抄送过", field="employee_1")
    names = [ctx.session.get_one(Employee, one).name for one in told]
    audit.log(ctx, instance, "COPY", note=f"抄送{'、'.join(names)}")
    return names


def take_note(ctx: Ctx, copy: ApprovalCopy) -> None:
    """已阅: by the person to whom it was copied, once; a second time changes nothing. Raises NotAllowed."""
    if copy.employee_id != ctx.actor.employee_id:
        raise NotAllowed("只能将抄送给自己的审批标为已阅")
    if copy.read_at is None:
        copy.read_at = ctx.now
        ctx.session.flush()


def _chosen(ctx: Ctx, employee_ids: Iterable[int]) -> list[int]:
    keys = list(dict.fromkeys(employee_ids))
    found = approvals.able(ctx.session, keys)
    if len(found) < len(keys):
        raise BusinessError("所选人员不存在、已离职或账号已停用", field="employee_1")
    return found
