"""Whose approvals an actor decides (A4): the own, and within the mandates of 工作托管 those of others."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlalchemy.orm import aliased

from models.approval.approval import COUNTED_STATES, ApprovalInstance, ApprovalTask, TaskState
from models.approval.copies import ApprovalCopy
from models.base.actor import Actor, Mandate

_DECIDED = (TaskState.APPROVED, TaskState.REJECTED, TaskState.RETURNED)


def is_asked(actor: Actor, task: Any = ApprovalTask) -> ColumnElement[bool]:
    """Tasks of the actor, and those that others have handed over.

    These are few and named one by one: the question itself in each part of a scope is longer than SQLite takes.
    """
    own: ColumnElement[bool] = task.assignee_id == actor.employee_id
    return or_(own, task.id.in_(sorted(actor.lent))) if actor.lent else own


def was_asked(actor: Actor, task: Any = ApprovalTask) -> ColumnElement[bool]:
    """The same, what the actor has decided in the name of others, and what the actor must see done (督办)."""
    decided = and_(task.decided_by_id == actor.employee_id, task.state.in_(_DECIDED))
    return or_(is_asked(actor, task), decided, task.escalated_to_id == actor.employee_id)


def copied(actor: Actor, copy: Any = ApprovalCopy) -> ColumnElement[bool]:
    """What was copied to the actor (抄送): to be read, and nothing else."""
    found: ColumnElement[bool] = copy.employee_id == actor.employee_id
    return found


def by_mandate(me: int, mandates: Sequence[Mandate]) -> ColumnElement[bool]:
    """Waiting tasks within the mandates of a person.

    Not what that person has submitted, nor beside a task of the own at the same node: one person, one voice.
    """
    task, instance, other = ApprovalTask, aliased(ApprovalInstance), aliased(ApprovalTask)
    lent = [
        and_(
            task.assignee_id == one.employee_id,
            *([instance.business_type_id == one.business_type_id] if one.business_type_id else []),
            *([instance.amount <= one.amount_to] if one.amount_to is not None else []),
        )
        for one in mandates
    ]
    has_voice = exists().where(
        other.instance_id == task.instance_id,
        other.node_id == task.node_id,
        other.round_no == task.round_no,
        other.id != task.id,
        other.state.in_(COUNTED_STATES),
        or_(other.assignee_id == me, other.decided_by_id == me),
    )
    return and_(
        task.assignee_id.in_([one.employee_id for one in mandates]),
        task.state == TaskState.PENDING,
        exists().where(instance.id == task.instance_id, instance.applicant_id != me, or_(*lent)),
        ~has_voice,
    )
