"""Whom a record waits for, in words: persons with their roles, what they do next, and where (X18)."""

from dataclasses import dataclass

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.base.entity import Entity
from models.guarantee.project import Project
from reports.figures import delegations
from reports.figures.rights import Person
from reports.workbench.todo import Next, steps_of
from views.kit.todo import place
from workflows.base.context import Ctx

SHOWN = 3
NOBODY = "没有人有这项权限"


@dataclass(frozen=True)
class Wait:
    """One thing that a record waits for: who, what, where it is done, and whether it is the reader's."""

    who: str
    what: str
    url: str
    is_mine: bool


def waits_of(ctx: Ctx, record: Entity) -> list[Wait]:
    """Decisions first, then what the sources of 待办 find; worked out once per request."""
    known: dict[tuple[str, int], list[Wait]] = g.setdefault("waits", {})
    key = (str(record.__tablename__), record.id)
    if key not in known:
        steps = steps_of(ctx.session, record, ctx.today)
        known[key] = [*_decisions(ctx, record), *(_wait(ctx, step) for step in steps)]
    return known[key]


def _decisions(ctx: Ctx, record: Entity) -> list[Wait]:
    if not record.spec.state:
        return []
    mine = ApprovalInstance.project_id == record.id
    if not isinstance(record, Project):
        mine = (ApprovalInstance.table_name == record.__tablename__) & (
            ApprovalInstance.record_id == record.id
        )
    query = (
        select(ApprovalTask)
        .join(ApprovalTask.instance)
        .where(mine, ApprovalTask.state == TaskState.PENDING)
        .options(contains_eager(ApprovalTask.instance), joinedload(ApprovalTask.assignee))
        .order_by(ApprovalTask.id)
    )
    found: dict[int, list[ApprovalTask]] = {}
    for task in ctx.session.scalars(query):
        found.setdefault(task.instance_id, []).append(task)
    return [_decision(ctx, tasks) for tasks in found.values()]


def _decision(ctx: Ctx, tasks: list[ApprovalTask]) -> Wait:
    own = next((task for task in tasks if not _why_not(ctx, task)), None)
    one = tasks[0].instance
    url = f"/approvals/{own.id}" if own else f"/approvals/instance/{one.id}"
    stand_ins = delegations.deputies(ctx.session, tasks, ctx.today)
    names = list(
        dict.fromkeys(
            delegations.named(task.assignee.name, stand_ins.get(task.id, ())) for task in tasks
        )
    )
    return Wait(_listed(names), f"审批{one.title.partition('：')[0]}", url, own is not None)


def _why_not(ctx: Ctx, task: ApprovalTask) -> str:
    """Asked of the database only where the task may be the reader's at all."""
    if task.assignee_id != ctx.actor.employee_id and task.id not in ctx.actor.lent:
        return delegations.NOT_YOURS
    return delegations.why_not(ctx.session, ctx.actor, task, ctx.today)


def _wait(ctx: Ctx, step: Next) -> Wait:
    is_mine = any(one.actor.employee_id == ctx.actor.employee_id for one in step.people)
    what = f"{step.what} {step.number}" if step.is_numbered else step.what
    return Wait(who(step.people), what, place(step.kind, step.table, step.record_id), is_mine)


def who(people: tuple[Person, ...]) -> str:
    """会计 吴洁、财务主管 唐霞、石慧: each role once, before the first of its people, in the order of the first."""
    roles: dict[str, list[str]] = {}
    for one in people:
        roles.setdefault(one.role, []).append(one.actor.name)
    words = []
    for role, names in roles.items():
        words += [f"{role} {names[0]}".lstrip(), *names[1:]]
    return _listed(words) or NOBODY


def _listed(words: list[str]) -> str:
    return "、".join(words[:SHOWN]) + (f" 等 {len(words)} 人" if len(words) > SHOWN else "")
