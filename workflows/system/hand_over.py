"""Hand-over (移交): what somebody holds goes to somebody else, row by row as it was seen, with a reason (10.2).

The head of a department hands over within it, an administrator anywhere; the earlier holder stays in the history.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.base.actor import Actor, ScopeLevel
from models.base.entity import Entity
from models.base.errors import BusinessError, Conflict, NotAllowed
from models.customer.customer import Customer, CustomerStatus
from models.guarantee.project import Project, ProjectHolder
from models.system.organization import Department, Employee
from reports.figures import duties
from reports.figures.holdings import OPEN_STATES, ROLES
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import verbs

verbs("customer", {"hand_over": "移交客户（更换客户经理）"}, is_work=False)
verbs("project", {"hand_over": "移交项目（更换A角、B角）"}, is_work=False)

REASON_MAX = 200
MOST = 200  # at once: one transaction holds all their rows
# Who may take over is who could have begun such business.
_BEGINS = ("submit", "project")


class Piece(NamedTuple):
    """One row to hand over as it was seen: a customer, or one role on a project."""

    table: str
    id: int
    role: str
    version: int


def hand_over(ctx: Ctx, person: Employee, to_id: int, pieces: Iterable[Piece], reason: str) -> int:
    """Give each of these to another person, all or none; how many.

    Raises NotAllowed beyond the own department, BusinessError for a reason or a person that will not do, StaleRecord
    and Conflict for rows that have changed or are not this person's any more.
    """
    wanted = sorted(set(pieces))  # everybody takes the rows in the same order
    if not wanted:
        raise BusinessError("请至少勾选一项客户或项目", field="rows")
    if len(wanted) > MOST:
        raise BusinessError(f"一次最多移交 {MOST} 项", field="rows")
    if not 0 < len(reason.strip()) <= REASON_MAX:
        raise BusinessError(f"请填写移交的原因，不超过 {REASON_MAX} 字", field="reason")
    successor = _successor(ctx, person, to_id)
    versions = {(piece.table, piece.id): piece.version for piece in wanted}
    for (table, key), version in versions.items():
        roles = [piece.role for piece in wanted if (piece.table, piece.id) == (table, key)]
        _give(
            ctx,
            _row(ctx, table, key, version),
            roles,
            person=person,
            to=successor,
            reason=reason.strip(),
        )
    return len(wanted)


def is_in_charge(actor: Actor, department_id: int | None) -> bool:
    """Whether a department's people and business are the actor's to dispose of."""
    if actor.scope is ScopeLevel.ALL or actor.is_system:
        return True
    reach = {
        ScopeLevel.SUBTREE: actor.department_ids,
        ScopeLevel.DEPARTMENT: frozenset({actor.department_id}),
    }
    return department_id is not None and department_id in reach.get(actor.scope, frozenset())


def successors(ctx: Ctx, person: Employee) -> list[Employee]:
    """Who may take over: with an account and the right to do such business, within the actor's reach."""
    able = duties.holders_of_right(ctx.session, *_BEGINS)
    return [
        one for one in able if one.id != person.id and is_in_charge(ctx.actor, one.department_id)
    ]


def why_not(ctx: Ctx, record: Customer | Project) -> str:
    """Why the actor may not hand this over, and who can; '' where they may."""
    table = "project" if isinstance(record, Project) else "customer"
    if not ctx.actor.may("hand_over", table):
        return f"您没有移交{record.spec.label}的权限"
    if is_in_charge(ctx.actor, record.department_id):
        return ""
    place = ctx.session.get(Department, record.department_id) if record.department_id else None
    return f"属于“{place.name if place else '其他部门'}”，请该部门经理或系统管理员移交"


def _successor(ctx: Ctx, person: Employee, to_id: int) -> Employee:
    found = next((one for one in successors(ctx, person) if one.id == to_id), None)
    if found is None:
        beyond = "" if ctx.actor.scope is ScopeLevel.ALL else "，跨部门移交请由系统管理员办理"
        raise BusinessError(
            f"请选择有办理项目权限、账号可用的另一位人员{beyond}", field="employee_id"
        )
    return found


def _row(ctx: Ctx, table: str, key: int, version: int) -> Customer | Project:
    model: type[Entity] = Project if table == Project.__tablename__ else Customer
    record = records.find(ctx, model, key, lock=True)
    assert isinstance(record, Customer | Project)
    if why := why_not(ctx, record):
        raise NotAllowed(f"{record.spec.label}“{record}”{why}")
    records.check_version(ctx, record, version)
    return record


def _give(
    ctx: Ctx,
    record: Customer | Project,
    roles: Sequence[str],
    person: Employee,
    to: Employee,
    reason: str,
) -> None:
    if isinstance(record, Customer):
        _give_customer(record, person, to)
    else:
        for role in roles:
            _give_project(ctx, record, role, person, to)
    ctx.session.flush()
    what = "、".join(role for role in roles if role)
    audit.log(ctx, record, "HAND_OVER", note=f"{what}由{person.name}移交给{to.name}：{reason}")


def _give_customer(customer: Customer, person: Employee, to: Employee) -> None:
    if customer.manager_id != person.id or customer.status is CustomerStatus.MERGED:
        raise Conflict(f"客户“{customer}”已不由{person.name}管理，请刷新后重新勾选", field="rows")
    customer.manager_id, customer.department_id = to.id, to.department_id


def _give_project(ctx: Ctx, project: Project, role: str, person: Employee, to: Employee) -> None:
    column = ROLES.get(role)
    if column is None or getattr(project, column) != person.id or project.state not in OPEN_STATES:
        raise Conflict(
            f"项目 {project.number} 已不由{person.name}承办，请刷新后重新勾选", field="rows"
        )
    if to.id in (project.manager_id, project.assistant_id):
        raise BusinessError(
            f"项目 {project.number} 的A角与B角不能为同一人（{to.name}）", field="employee_id"
        )
    _refuse_judge(ctx, project, to)
    if column == "manager_id":
        project.manager_id, project.department_id = to.id, to.department_id
    else:
        project.assistant_id = to.id
    _note_holder(ctx, project, role, person.id, to.id)


def _refuse_judge(ctx: Ctx, project: Project, to: Employee) -> None:
    """Nobody decides on a project of their own."""
    asked = (
        select(ApprovalTask.id)
        .join(ApprovalTask.instance)
        .where(
            ApprovalInstance.project_id == project.id,
            ApprovalTask.assignee_id == to.id,
            ApprovalTask.state == TaskState.PENDING,
        )
    )
    if ctx.session.scalar(asked.limit(1)) is not None:
        raise Conflict(
            f"{to.name}正在审批项目 {project.number}，不能同时承办，请选择其他人员",
            field="employee_id",
        )


def _note_holder(ctx: Ctx, project: Project, role: str, before: int, after: int) -> None:
    """The earlier holder until today, the new one from today; who gets it back the same day goes on."""
    of = select(ProjectHolder).where(
        ProjectHolder.project_id == project.id, ProjectHolder.role == role
    )
    for row in ctx.session.scalars(
        of.where(ProjectHolder.employee_id == before, ProjectHolder.until_on.is_(None))
    ):
        row.until_on = ctx.today
    again = of.where(ProjectHolder.employee_id == after, ProjectHolder.since_on == ctx.today)
    if held := ctx.session.scalars(again).one_or_none():
        held.until_on = None
    else:
        ctx.session.add(
            ProjectHolder(project=project, role=role, employee_id=after, since_on=ctx.today)
        )
