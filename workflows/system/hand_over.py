"""Hand-over (移交): what somebody holds goes to somebody else, row by row as it was seen, with a reason (10.2).

The head of a department hands over within it, an administrator anywhere; the earlier holder stays in the history.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select

from models.after.warning import OPEN_WARNING, RiskWarning
from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.base.actor import Actor, ScopeLevel
from models.base.entity import Entity
from models.base.errors import BusinessError, Conflict, NotAllowed
from models.customer.customer import Customer, CustomerStatus
from models.guarantee.project import Project, ProjectHolder
from models.system.organization import Department, Employee
from reports.figures import duties
from reports.figures.holdings import LEADING, OPEN_STATES, ROLES
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import verbs

verbs("customer", {"hand_over": "移交客户（更换客户经理）"}, is_work=False)
verbs("project", {"hand_over": "移交项目（更换A角、B角、风控复核人、法务）"}, is_work=False)

REASON_MAX = 200
MOST = 200  # at once: one transaction holds all their rows
# Who may take over is who could have begun such business; a project's 法务 is whom contracts are put up to.
_BEGINS = {"风控复核人": ("submit", "risk_assessment")}
_LEADS = ("submit", "project")
_REVIEWED = "contract"
WARNED = ("A角", "风控复核人")  # whom warnings about a project are raised to


class Piece(NamedTuple):
    """One row to hand over as it was seen: a customer, or one role on a project."""

    table: str
    id: int
    role: str
    version: int


class _Hands(NamedTuple):
    """From whom to whom, and the roles that the other one is not fit for."""

    person: Employee
    to: Employee
    unfit: frozenset[str]


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
    hands = _successor(ctx, person, to_id, {piece.role for piece in wanted})
    versions = {(piece.table, piece.id): piece.version for piece in wanted}
    for (table, key), version in versions.items():
        roles = [piece.role for piece in wanted if (piece.table, piece.id) == (table, key)]
        _give(ctx, _row(ctx, table, key, version), roles, hands=hands, reason=reason.strip())
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


def successors(ctx: Ctx, person: Employee, roles: Iterable[str] = ("",)) -> list[Employee]:
    """Who may take over one of these: with an account and fit for such work, within the actor's reach."""
    able = {one.id: one for role in sorted(roles) for one in _able(ctx, role)}
    return [
        one
        for one in sorted(able.values(), key=lambda one: one.number)
        if one.id != person.id and is_in_charge(ctx.actor, one.department_id)
    ]


def _able(ctx: Ctx, role: str) -> list[Employee]:
    if role != "法务":
        return duties.holders_of_right(ctx.session, *_BEGINS.get(role, _LEADS))
    asked = duties.asked_about(ctx.session, _REVIEWED)
    return list(ctx.session.scalars(select(Employee).where(Employee.id.in_(asked))))


def why_not(ctx: Ctx, record: Customer | Project) -> str:
    """Why the actor may not hand this over, and who can; '' where they may."""
    table = "project" if isinstance(record, Project) else "customer"
    if not ctx.actor.may("hand_over", table):
        return f"您没有移交{record.spec.label}的权限"
    if is_in_charge(ctx.actor.acting("hand_over", table), record.department_id):
        return ""
    place = ctx.session.get(Department, record.department_id) if record.department_id else None
    return f"属于“{place.name if place else '其他部门'}”，请该部门经理或系统管理员移交"


def _successor(ctx: Ctx, person: Employee, to_id: int, roles: Iterable[str]) -> _Hands:
    """From whom to whom, and which of these roles the other one is not fit for."""
    fit = {role: {one.id for one in successors(ctx, person, [role])} for role in ("", *ROLES)}
    if not any(to_id in ids for ids in fit.values()):
        raise BusinessError(_unfit_words(ctx, ""), field="employee_id")
    to = ctx.session.get_one(Employee, to_id)
    return _Hands(person, to, frozenset(r for r in roles if to_id not in fit.get(r, ())))


def _require_fit(ctx: Ctx, hands: _Hands, role: str) -> None:
    if role in hands.unfit:
        raise BusinessError(_unfit_words(ctx, role), field="employee_id")


def _unfit_words(ctx: Ctx, role: str) -> str:
    fit = f"能担任{role}" if role in ROLES and role not in LEADING else "有办理项目权限"
    beyond = "" if ctx.actor.scope is ScopeLevel.ALL else "，跨部门移交请由系统管理员办理"
    return f"请选择{fit}、账号可用的另一位人员{beyond}"


def _row(ctx: Ctx, table: str, key: int, version: int) -> Customer | Project:
    model: type[Entity] = Project if table == Project.__tablename__ else Customer
    record = records.find(ctx, model, key, lock=True)
    assert isinstance(record, Customer | Project)
    if why := why_not(ctx, record):
        raise NotAllowed(f"{record.spec.label}“{record}”{why}")
    records.check_version(ctx, record, version)
    return record


def _give(
    ctx: Ctx, record: Customer | Project, roles: Sequence[str], *, hands: _Hands, reason: str
) -> None:
    if isinstance(record, Customer):
        _give_customer(ctx, record, hands)
    else:
        for role in roles:
            _give_project(ctx, record, role, hands)
    ctx.session.flush()
    what = "、".join(role for role in roles if role)
    note = f"{what}由{hands.person.name}移交给{hands.to.name}：{reason}"
    audit.log(ctx, record, "HAND_OVER", note=note)


def _give_customer(ctx: Ctx, customer: Customer, hands: _Hands) -> None:
    name, to = hands.person.name, hands.to
    if customer.manager_id != hands.person.id or customer.status is CustomerStatus.MERGED:
        raise Conflict(f"客户“{customer}”已不由{name}管理，请刷新后重新勾选", field="rows")
    _require_fit(ctx, hands, "")
    customer.manager_id, customer.department_id = to.id, to.department_id


def _give_project(ctx: Ctx, project: Project, role: str, hands: _Hands) -> None:
    person, to, column = hands.person, hands.to, ROLES.get(role)
    if column is None or getattr(project, column) != person.id or project.state not in OPEN_STATES:
        raise Conflict(
            f"项目 {project.number} 已不由{person.name}承办，请刷新后重新勾选", field="rows"
        )
    _require_fit(ctx, hands, role)
    _refuse_both_sides(project, role, to)
    if role in LEADING:
        _refuse_judge(ctx, project, to)
    setattr(project, column, to.id)
    if column == "manager_id":
        project.department_id = to.department_id
    _note_holder(ctx, project, role, person.id, to.id)
    if role in WARNED:
        _give_warnings(ctx, project, hands)


def _give_warnings(ctx: Ctx, project: Project, hands: _Hands) -> None:
    """What somebody is still to handle goes to who takes over."""
    waiting = select(RiskWarning).where(
        RiskWarning.project_id == project.id,
        RiskWarning.owner_id == hands.person.id,
        RiskWarning.state.in_(OPEN_WARNING),
    )
    for warning in ctx.session.scalars(waiting):
        warning.owner_id = hands.to.id


def _refuse_both_sides(project: Project, role: str, to: Employee) -> None:
    """A角 and B角 are two people, and neither of them reviews the own project."""
    held = {name for name, column in ROLES.items() if getattr(project, column) == to.id}
    if role in LEADING and held & set(LEADING):
        raise BusinessError(
            f"项目 {project.number} 的A角与B角不能为同一人（{to.name}）", field="employee_id"
        )
    if held and (role in LEADING or held & set(LEADING)):
        has = "、".join(name for name in ROLES if name in held)
        raise BusinessError(
            f"{to.name}已是项目 {project.number} 的{has}，不能再担任{role}", field="employee_id"
        )


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
