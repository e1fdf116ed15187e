"""部门额度 (2.6): asked for, approved, taken back; what it bars is one of the limits (reports/figures/exposure.py)."""

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import FieldErrors
from models.base.money import format_money
from models.base.paper import PaperState
from models.guarantee.quota import DepartmentQuota
from reports.figures import quotas
from workflows.approval import approval
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, life
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import limits, stages

ROLES = ("业务部门经理", "分管副总")
_TABLE = str(DepartmentQuota.__tablename__)
STEPS = steps(
    *life(_TABLE, "提交额度审批", roles=ROLES),
    Step(
        _TABLE,
        "close",
        "收回额度",
        column="state",
        sources=(PaperState.APPROVED,),
        targets=(PaperState.VOID,),
        roles=("分管副总",),
    ),
)


@records.rule(DepartmentQuota)
def check_quota(ctx: Ctx, quota: DepartmentQuota, is_new: bool) -> None:
    """It ends after it begins, and not before today."""
    wrong: dict[str, list[str]] = {}
    if quota.ends_on < quota.starts_on:
        wrong["ends_on"] = [f"有效期止不能早于 {quota.starts_on}"]
    elif quota.ends_on < ctx.today:
        wrong["ends_on"] = [f"有效期止不能早于营业日期 {ctx.today}"]
    if wrong:
        raise FieldErrors(wrong)
    if is_new:
        quota.number = next_number(ctx, "department_quota")
        quota.handler_id = ctx.actor.employee_id


def submit(ctx: Ctx, quota: DepartmentQuota, version: int | None = None) -> ApprovalInstance:
    """Put it up for approval, telling what of it is used already."""
    step = STEPS["submit"]
    enter(ctx, step, quota, version)
    check_quota(ctx, quota, False)
    move(step, quota)
    held = quotas.granted(ctx.session, ctx.today)
    taken = format_money(quotas.used(ctx.session, held, quota).total)
    amount = format_money(quota.amount)
    return approval.start(
        ctx,
        "department_quota",
        quota,
        title=f"部门额度：{quota.department.name} {amount} 元（已占用 {taken} 元）{quota.number}",
        amount=quota.amount,
        department_id=quota.department_id,
    )


@approval.on_finish("department_quota")
def decided(
    ctx: Ctx, instance: ApprovalInstance, quota: DepartmentQuota, outcome: ApprovalState
) -> None:
    """Approved, it bars from its first day on; who decides by it at this moment is waited for."""
    del instance
    limits.hold(ctx)
    conclude(quota, outcome)
    ctx.session.flush()


def close(
    ctx: Ctx, quota: DepartmentQuota, reason: str, version: int | None = None
) -> DepartmentQuota:
    """Take a quota back: the one before it, or that of the department above, holds again."""
    step = STEPS["close"]
    limits.hold(ctx)
    enter(ctx, step, quota, version)
    reason = stages.checked_reason(reason, step.label)
    move(step, quota)
    audit.log(ctx, quota, "VOID", note=f"{step.label}：{reason}")
    ctx.session.flush()
    return quota
