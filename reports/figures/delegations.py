"""工作托管 (A4): who decides in whose name on a day, why somebody may not, and what to call it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, joinedload

from models.approval.approval import (
    COUNTED_STATES,
    ApprovalInstance,
    ApprovalNode,
    ApprovalTask,
    NodeMode,
)
from models.approval.asked import by_mandate
from models.approval.delegation import Delegation
from models.base.actor import Actor, Mandate
from models.system.organization import Employee, Operator
from models.system.setup import SystemState
from reports.figures.approvals import ABLE, eligible

NOT_YOURS = "该审批任务不是分配给您的，不能办理"
OWN_SUBMISSION = "不能审批自己提交的业务"
ONE_VOICE = "您在本节点已有自己的审批任务，不能再代他人办理一份；请由本人办理或由系统管理员改派"


def in_force(today: Any) -> tuple[ColumnElement[bool], ...]:
    """Conditions on Delegation: holds on this day, a date or a question for one."""
    return (
        Delegation.revoked_at.is_(None),
        Delegation.starts_on <= today,
        Delegation.ends_on >= today,
    )


def mandated(employee: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether others have handed anything to a person that holds on the system's business date."""
    today = select(SystemState.business_date).scalar_subquery()
    return exists().where(Delegation.delegate_id == employee, *in_force(today))


def mandates(session: Session, employee_id: int, today: date | None = None) -> tuple[Mandate, ...]:
    """What others have handed to a person; without a day, on the system's business date.

    Who has left, or may not sign in, decides nothing any more, by nobody else either.
    """
    on: Any = today if today is not None else select(SystemState.business_date).scalar_subquery()
    query = (
        select(Delegation.employee_id, Delegation.business_type_id, Delegation.amount_to)
        .join(Employee, Employee.id == Delegation.employee_id)
        .where(Delegation.delegate_id == employee_id, *in_force(on), *ABLE)
        .order_by(Delegation.id)
    )
    return tuple(Mandate(*row) for row in session.execute(query))


def lent(session: Session, employee_id: int, today: date | None = None) -> frozenset[int]:
    """The waiting tasks of others that a person may decide, by their ids."""
    found = mandates(session, employee_id, today)
    if not found:
        return frozenset()
    query = (
        select(ApprovalTask.id, ApprovalNode.mode)
        .join(ApprovalNode, ApprovalNode.id == ApprovalTask.node_id)
        .where(by_mandate(employee_id, found))
    )
    rows = session.execute(query).all()
    barred = {
        key
        for key, mode in rows
        if mode is NodeMode.IN_TURN
        and _is_in_line(session, employee_id, session.get_one(ApprovalTask, key))
    }
    return frozenset(key for key, _ in rows) - barred


def covers(lent: Mandate | Delegation, instance: ApprovalInstance) -> bool:
    """Whether an approval is among those that were handed over."""
    if lent.business_type_id not in (None, instance.business_type_id):
        return False
    if lent.amount_to is None:
        return True
    return instance.amount is not None and instance.amount <= lent.amount_to


def why_not(session: Session, actor: Actor, task: ApprovalTask, today: date) -> str:
    """Why this person may not decide a pending task; '' where they may, in the own name or another's."""
    me, instance = actor.employee_id, task.instance
    if me != task.assignee_id:
        held = () if me is None else mandates(session, me, today)
        if not any(one.employee_id == task.assignee_id and covers(one, instance) for one in held):
            return NOT_YOURS
    if me in instance.facts.get("excluded", ()):
        return OWN_SUBMISSION
    return ONE_VOICE if me != task.assignee_id and _has_voice(session, me, task) else ""


def may_take_back(session: Session, actor: Actor, task: ApprovalTask, today: date) -> bool:
    """Whether somebody may do without this signer or opinion: who has asked for it, or now acts for that person (代).

    Never who is asked, nor who has submitted the business.
    """
    me, instance = actor.employee_id, task.instance
    if me is None or task.asked_by_id is None:
        return False
    if me == task.asked_by_id:
        return True
    if me == task.assignee_id or me in instance.facts.get("excluded", ()):
        return False
    return any(
        one.employee_id == task.asked_by_id and covers(one, instance)
        for one in mandates(session, me, today)
    )


def _is_in_line(session: Session, employee_id: int | None, task: ApprovalTask) -> bool:
    """依次会签: whether this person has, or has had, a turn of the own at the node."""
    if task.node.mode is not NodeMode.IN_TURN:
        return False
    instance = task.instance
    return employee_id in eligible(
        session,
        task.node,
        department_id=instance.department_id,
        excluded=instance.facts.get("excluded", ()),
    )


def _has_voice(session: Session, employee_id: int | None, task: ApprovalTask) -> bool:
    if _is_in_line(session, employee_id, task):
        return True
    query = select(ApprovalTask.id).where(
        ApprovalTask.instance_id == task.instance_id,
        ApprovalTask.node_id == task.node_id,
        ApprovalTask.round_no == task.round_no,
        ApprovalTask.id != task.id,
        ApprovalTask.state.in_(COUNTED_STATES),
        or_(ApprovalTask.assignee_id == employee_id, ApprovalTask.decided_by_id == employee_id),
    )
    return session.scalar(query.limit(1)) is not None


def deputies(session: Session, tasks: Sequence[ApprovalTask], today: date) -> dict[int, list[str]]:
    """Names of those who may decide each task in place of who is asked, by the task's id."""
    people = {task.assignee_id for task in tasks}
    lender, account = aliased(Employee), aliased(Operator)
    is_kept_out = exists().where(account.employee_id == lender.id, account.is_disabled)
    query = (
        select(Delegation)
        .join(Employee, Employee.id == Delegation.delegate_id)
        .join(lender, lender.id == Delegation.employee_id)
        .where(Delegation.employee_id.in_(people), *in_force(today), *ABLE)
        .where(lender.is_active, ~is_kept_out)
        .order_by(Delegation.id)
        .options(joinedload(Delegation.delegate))
    )
    found: dict[int, list[str]] = {}
    for one in session.scalars(query) if people else ():
        for task in tasks:
            is_hers = one.employee_id == task.assignee_id and covers(one, task.instance)
            is_barred = one.delegate_id in task.instance.facts.get("excluded", ())
            if is_hers and not is_barred and not _has_voice(session, one.delegate_id, task):
                found.setdefault(task.id, []).append(one.delegate.name)
    return found


def named(name: str, stand_ins: Iterable[str]) -> str:
    """陈立（可由何平代办）: who is asked, and who may act for that person."""
    names = "、".join(dict.fromkeys(stand_ins))
    return f"{name}（可由{names}代办）" if names else name


def state_of(one: Delegation, today: date) -> str:
    """How an agreement stands on a day."""
    if one.revoked_at is not None:
        return "已撤销"
    if today > one.ends_on:
        return "已到期"
    return "生效中" if today >= one.starts_on else "未开始"
