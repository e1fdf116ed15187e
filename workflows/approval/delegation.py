"""工作托管 (A4): made by the person, or by an administrator for somebody who is away; revoked at any time."""

from typing import Final

from sqlalchemy import or_, select

from models.approval.delegation import Delegation
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.system.organization import Employee
from reports.figures.approvals import ABLE
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import enter, verbs

VERBS: Final = verbs("delegation", {"revoke": "撤销托管", "appoint": "为他人设置托管"})
REVOKE: Final = VERBS["revoke"]
REASON_MAX: Final = 200


@records.rule(Delegation)
def _check(ctx: Ctx, made: Delegation, is_new: bool) -> None:
    """People, days, and no chains: who is away holds nobody's work, and what was lent is not lent on."""
    del is_new  # never changed once made
    _require_own(ctx, made)
    errors: dict[str, list[str]] = {}
    if made.starts_on < ctx.today:
        errors["starts_on"] = [f"起始日期不能早于今天（{ctx.today}）"]
    if made.ends_on < made.starts_on:
        errors["ends_on"] = ["截止日期不能早于起始日期"]
    if made.amount_to is not None and made.amount_to <= 0:
        errors["amount_to"] = ["金额上限必须大于 0"]
    if made.delegate_id == made.employee_id:
        errors["delegate_id"] = ["不能托管给委托人本人"]
    elif said := _unable(ctx, made.delegate_id):
        errors["delegate_id"] = [said]
    if errors:
        raise FieldErrors(errors)
    _refuse_chains(ctx, made)


def _require_own(ctx: Ctx, made: Delegation) -> None:
    actor = ctx.actor
    if actor.is_system or made.employee_id == actor.employee_id:
        return
    if not actor.may("appoint", "delegation"):
        raise FieldErrors({"employee_id": ["只能托管自己的工作；他人的托管由系统管理员设置"]})
    if made.delegate_id == actor.employee_id:
        raise NotAllowed("不能把他人的工作托管给自己")


def _unable(ctx: Ctx, employee_id: int) -> str:
    query = select(Employee.id).where(Employee.id == employee_id, *ABLE)
    return "" if ctx.session.scalar(query) else "受托人已离职或账号已停用"


def _refuse_chains(ctx: Ctx, made: Delegation) -> None:
    """Under a lock on the two people: of two agreements made at once the second sees the first."""
    pair = sorted((made.employee_id, made.delegate_id))
    held = select(Employee).where(Employee.id.in_(pair)).order_by(Employee.id)
    names = {one.id: one.name for one in ctx.session.scalars(held.with_for_update(of=Employee))}
    query = select(Delegation).where(
        Delegation.revoked_at.is_(None),
        Delegation.starts_on <= made.ends_on,
        Delegation.ends_on >= made.starts_on,
        or_(Delegation.employee_id.in_(pair), Delegation.delegate_id == made.employee_id),
    )
    for other in ctx.session.scalars(query.order_by(Delegation.id)):
        days = f"{other.starts_on} 至 {other.ends_on} "
        if other.employee_id == made.delegate_id:
            words = f"{names[made.delegate_id]}{days}已把工作托管给{other.delegate.name}，不能受托"
            raise FieldErrors({"delegate_id": [words]})
        if other.delegate_id == made.employee_id:
            words = f"{days}正代办{other.employee.name}的工作，不能再托管给他人；请先撤销其中一项"
            raise FieldErrors({"employee_id": [f"{names[made.employee_id]}{words}"]})
        kinds = {other.business_type_id, made.business_type_id}
        if len(kinds) == 1 or None in kinds:
            words = f"{days}已把同类审批托管给{other.delegate.name}，日期不能重叠"
            raise FieldErrors({"starts_on": [f"{names[made.employee_id]}{words}"]})


def revoke(ctx: Ctx, one: Delegation, reason: str, version: int | None = None) -> None:
    """End an agreement at once; by who made it or an administrator. Raises NotAllowed, Conflict, BusinessError."""
    enter(ctx, REVOKE, one, version)
    if one.employee_id != ctx.actor.employee_id and not ctx.actor.may("appoint", "delegation"):
        raise NotAllowed("只有委托人本人或系统管理员可以撤销托管")
    if one.revoked_at is not None or one.ends_on < ctx.today:
        raise Conflict("该托管已撤销或已到期")
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        raise BusinessError(f"请填写撤销原因，不超过 {REASON_MAX} 个字", field="reason")
    one.revoked_at, one.revoked_by_id = ctx.now, ctx.actor.employee_id
    ctx.session.flush()
    audit.log(ctx, one, "REVOKE", note=reason)
