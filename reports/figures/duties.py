"""What hangs on one person (A8): approvals that wait for them, and what nobody but them could decide."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, column, exists, or_, select, table
from sqlalchemy.orm import Session, joinedload

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalNode,
    ApprovalPosition,
    ApprovalPositionMember,
    ApprovalState,
    ApprovalTask,
    ApprovalType,
    FlowState,
    NodeChooser,
    TaskState,
)
from models.system.organization import Department, Employee, Operator
from reports.figures import approvals, holdings

# The framework's own tables, named here because questions know no web framework.
_PERMISSION = table("ab_permission", column("id"), column("name"))
_RESOURCE = table("ab_view_menu", column("id"), column("name"))
_RIGHT = table("ab_permission_view", column("id"), column("permission_id"), column("view_menu_id"))
_GRANT = table("ab_permission_view_role", column("permission_view_id"), column("role_id"))
_USER_ROLE = table("ab_user_role", column("user_id"), column("role_id"))
MOST_NAMED = 3


@dataclass(frozen=True)
class Duties:
    """The tasks that wait for a person, in words what only they fill (岗位“总裁”), and how much they hold."""

    tasks: tuple[ApprovalTask, ...] = ()
    sole: tuple[str, ...] = ()
    projects: int = 0
    customers: int = 0
    borrowed: int = 0  # pieces of project files

    @property
    def text(self) -> str:
        """All in one line; tasks by their kind of business alone, for who reads it may not read the business."""
        said = []
        if self.tasks:
            kinds = list(dict.fromkeys(task.instance.business_type.label for task in self.tasks))
            more = "等" if len(kinds) > MOST_NAMED else ""
            said.append(
                f"还有 {len(self.tasks)} 项待办审批（{'、'.join(kinds[:MOST_NAMED])}{more}）"
            )
        if self.sole:
            said.append(f"是{'、'.join(self.sole)}的唯一可用人员")
        if self.projects:
            said.append(f"还承办 {self.projects} 个未结束的担保项目")
        if self.customers:
            said.append(f"还管理 {self.customers} 个客户")
        if self.borrowed:
            said.append(f"还有 {self.borrowed} 份借阅的项目档案未归还")
        return "，".join(said)


@dataclass(frozen=True)
class Seat:
    """Who holds which position, for one department and those below it, or for all."""

    position_id: int
    employee_id: int
    department_id: int | None

    @classmethod
    def of(cls, row: ApprovalPositionMember) -> "Seat":
        """As a row says it."""
        return cls(row.position_id, row.employee_id, row.department_id)


def duties_of(session: Session, employee_id: int) -> Duties:
    """What must be handed over before this person leaves or is disabled."""
    query = select(ApprovalPositionMember).where(ApprovalPositionMember.employee_id == employee_id)
    rows = session.scalars(query.order_by(ApprovalPositionMember.id)).all()
    own = [row.id for row in rows]
    sole = [
        f"岗位“{row.position.label}”"
        for row in rows
        if is_vacant(session, Seat.of(row), but_for=own)
    ]
    sole += [f"角色“{name}”" for name in sole_roles(session, employee_id)]
    if _asked(session, NodeChooser.MANAGER):
        led = select(Department).where(Department.manager_id == employee_id, Department.is_active)
        sole += [
            f"部门“{one.name}”负责人"
            for one in session.scalars(led.order_by(Department.code))
            if approvals.manager_of(session, one.id, frozenset({employee_id})) is None
        ]
    return Duties(
        tuple(open_tasks(session, employee_id)),
        tuple(dict.fromkeys(sole)),
        projects=holdings.counted(session, holdings.projects_of(employee_id)),
        customers=holdings.counted(session, holdings.customers_of(employee_id)),
        borrowed=holdings.counted(session, holdings.borrowed_by(employee_id)),
    )


def open_tasks(
    session: Session,
    employee_id: int,
    *,
    position_id: int | None = None,
    roles: Collection[str] | None = None,
) -> list[ApprovalTask]:
    """Pending tasks of a person, oldest first; of one position or some roles alone where they are given."""
    query = (
        select(ApprovalTask)
        .where(ApprovalTask.assignee_id == employee_id, ApprovalTask.state == TaskState.PENDING)
        .options(joinedload(ApprovalTask.instance).joinedload(ApprovalInstance.business_type))
    )
    if position_id is not None:
        query = query.join(ApprovalTask.node).where(ApprovalNode.position_id == position_id)
    if roles is not None:
        query = query.join(ApprovalTask.node).where(ApprovalNode.role_name.in_(roles))
    return list(session.scalars(query.order_by(ApprovalTask.id)))


def of_row(session: Session, seat: Seat, *, but_for: Collection[int] = ()) -> Duties:
    """What would be left behind if a seat of a position were given up; rows of the ids `but_for` no longer count."""
    member = ApprovalPositionMember
    stays = select(member.id).where(
        member.position_id == seat.position_id,
        member.employee_id == seat.employee_id,
        member.id.not_in(but_for),
    )
    is_left = session.scalar(stays.limit(1)) is None
    tasks = open_tasks(session, seat.employee_id, position_id=seat.position_id) if is_left else []
    label = session.get_one(ApprovalPosition, seat.position_id).label
    return Duties(
        tuple(tasks), (f"岗位“{label}”",) if is_vacant(session, seat, but_for=but_for) else ()
    )


def is_vacant(session: Session, seat: Seat, *, but_for: Collection[int]) -> bool:
    """Whether flows ask this position, and nobody who can decide would hold it for all that this seat covers."""
    if not _asked(session, NodeChooser.POSITION, ApprovalNode.position_id == seat.position_id):
        return False
    member = ApprovalPositionMember
    above = approvals.department_ids_above(session, seat.department_id)
    others = (
        select(member.id)
        .join(Employee, Employee.id == member.employee_id)
        .where(
            member.position_id == seat.position_id,
            member.id.not_in(but_for),
            or_(member.department_id.is_(None), member.department_id.in_(above)),
            *approvals.ABLE,
        )
    )
    return session.scalar(others.limit(1)) is None


def sole_roles(
    session: Session, employee_id: int, among: Collection[str] | None = None
) -> list[str]:
    """The roles that flows ask and that nobody else who can decide holds; only of `among` where it is given."""
    asked = session.scalars(
        _nodes(NodeChooser.ROLE).with_only_columns(ApprovalNode.role_name).distinct()
    ).all()
    found = []
    for name in sorted(name for name in asked if name and (among is None or name in among)):
        held = approvals.holders_of(name)
        able = select(Employee.id).where(Employee.id.in_(held), *approvals.ABLE)
        if set(session.scalars(able.limit(2))) == {employee_id}:
            found.append(name)
    return found


def _nodes(chooser: NodeChooser) -> Select[ApprovalNode]:
    """The nodes of flows in force, and of those by which something is still decided."""
    is_running = ApprovalInstance.state == ApprovalState.RUNNING
    running = exists().where(ApprovalInstance.flow_id == ApprovalFlow.id, is_running)
    query = select(ApprovalNode).join(ApprovalNode.flow).where(ApprovalNode.chooser == chooser)
    return query.where(or_(ApprovalFlow.state == FlowState.PUBLISHED, running))


def _asked(session: Session, chooser: NodeChooser, *where: object) -> bool:
    query = _nodes(chooser).where(*where).with_only_columns(ApprovalNode.id)  # type: ignore[arg-type]
    return session.scalar(query.limit(1)) is not None


def unable(session: Session, employee: Employee) -> str:
    """Why a person cannot decide any more, in words; empty while they can sign in."""
    if not employee.is_active:
        return "已离职"
    disabled = session.scalar(
        select(Operator.is_disabled).where(Operator.employee_id == employee.id)
    )
    return "没有登录账号" if disabled is None else "账号已停用" if disabled else ""


def asked_about(session: Session, business: str) -> set[int]:
    """Whom the published flows of a kind of business ask by position or role, wherever they sit."""
    query = (
        select(ApprovalNode)
        .join(ApprovalNode.flow)
        .join(ApprovalFlow.business_type)
        .where(
            ApprovalType.code == business,
            ApprovalFlow.state == FlowState.PUBLISHED,
            ApprovalNode.chooser != NodeChooser.MANAGER,
        )
    )
    found: set[int] = set()
    for node in session.scalars(query):
        found |= set(approvals.eligible(session, node, department_id=None))
    return found


def holders_of_right(session: Session, verb: str, resource: str) -> list[Employee]:
    """Who can sign in and holds a permission, in the order of their numbers."""
    users = (
        select(_USER_ROLE.c.user_id)
        .join(_GRANT, _GRANT.c.role_id == _USER_ROLE.c.role_id)
        .join(_RIGHT, _RIGHT.c.id == _GRANT.c.permission_view_id)
        .join(_PERMISSION, _PERMISSION.c.id == _RIGHT.c.permission_id)
        .join(_RESOURCE, _RESOURCE.c.id == _RIGHT.c.view_menu_id)
        .where(_PERMISSION.c.name == f"can_{verb}", _RESOURCE.c.name == resource)
    )
    query = (
        select(Employee)
        .join(Operator, Operator.employee_id == Employee.id)
        .where(Operator.user_id.in_(users))
    )
    return list(session.scalars(query.where(*approvals.ABLE).order_by(Employee.number)))
