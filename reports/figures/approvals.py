"""Questions about approvals: which flow fits, who would be asked, what waits for whom, what was decided (A2, A5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, column, exists, func, or_, select, table
from sqlalchemy.orm import Session, joinedload, selectinload

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalNode,
    ApprovalPositionMember,
    ApprovalState,
    ApprovalTask,
    ApprovalType,
    BranchKind,
    FlowCustomerKind,
    FlowState,
    NodeChooser,
    TaskState,
)
from models.approval.asked import is_asked
from models.base.actor import Actor
from models.base.entity import Entity
from models.system.organization import Department, Employee, Operator
from reports.figures.flow_conditions import Request, holds
from reports.figures.flow_graph import Fork, Item, Way, line, precedes

# The framework's own tables, named here because questions know no web framework.
_ROLE = table("ab_role", column("id"), column("name"))
_USER_ROLE = table("ab_user_role", column("user_id"), column("role_id"))
_USER_GROUP = table("ab_user_group", column("user_id"), column("group_id"))
_GROUP_ROLE = table("ab_group_role", column("group_id"), column("role_id"))
# Conditions on Employee: who works here and is not kept from signing in.
_ACCOUNT = Operator.__table__.alias("account")
ABLE: tuple[ColumnElement[bool], ...] = (
    Employee.is_active.is_(True),
    ~exists().where(_ACCOUNT.c.employee_id == Employee.id, _ACCOUNT.c.is_disabled),
)


@dataclass(frozen=True)
class Facts:
    """What the choice of a flow depends on."""

    amount: Decimal | None = None
    product_id: int | None = None
    customer_kind: FlowCustomerKind | None = None
    department_id: int | None = None
    risk_grade: str | None = None
    today: date = date.max  # the business date, for rules that count from it


@dataclass(frozen=True)
class Step:
    """One node as an amount meets it: skipped, or asked, and whether its approval is the last one needed."""

    node: ApprovalNode
    is_skipped: bool = False
    is_last: bool = False


@dataclass(frozen=True)
class Progress:
    """A node of a running approval: DONE, CURRENT, TO_COME or SKIPPED, with its tasks of every round."""

    node: ApprovalNode
    state: str
    tasks: tuple[ApprovalTask, ...]


def matching(session: Session, type_code: str, facts: Facts) -> ApprovalFlow | None:
    """The published flow for these facts: highest priority first, then the most conditions met, then the newest."""
    return chosen(session, flows_of(session, type_code), facts)


def flows_of(session: Session, type_code: str, *states: FlowState) -> list[ApprovalFlow]:
    """Versions of the flows of a business that is in use, the published ones where no states are named."""
    query = (
        select(ApprovalFlow)
        .join(ApprovalFlow.business_type)
        .where(
            ApprovalType.code == type_code,
            ApprovalType.is_active,
            ApprovalFlow.state.in_(states or (FlowState.PUBLISHED,)),
        )
        .order_by(ApprovalFlow.id)
        .options(
            selectinload(ApprovalFlow.nodes).joinedload(ApprovalNode.position),
            selectinload(ApprovalFlow.branches),
        )
    )
    return list(session.scalars(query))


def chosen(session: Session, flows: Iterable[ApprovalFlow], facts: Facts) -> ApprovalFlow | None:
    """Which of these flows takes a submission with these facts."""
    above = department_ids_above(session, facts.department_id)
    fitting = [flow for flow in flows if fits(flow, facts, above) and _holds(session, flow, facts)]
    return max(fitting, key=rank, default=None)


def fits(flow: ApprovalFlow, facts: Facts, above: frozenset[int]) -> bool:
    """Whether the plain conditions of a flow hold, its rule apart; `above` are the department and those over it."""
    return all(plain_conditions(flow, facts, above).values())


def plain_conditions(flow: ApprovalFlow, facts: Facts, above: frozenset[int]) -> dict[str, bool]:
    """Each plain condition that a flow has, by its column, and whether it is met."""
    found = {}
    if flow.amount_from is not None:
        found["amount_from"] = facts.amount is not None and facts.amount >= flow.amount_from
    if flow.amount_to is not None:
        found["amount_to"] = facts.amount is not None and facts.amount < flow.amount_to
    for name in ("product_id", "customer_kind", "risk_grade"):
        if getattr(flow, name) is not None:
            found[name] = getattr(flow, name) == getattr(facts, name)
    if flow.department_id is not None:
        found["department_id"] = flow.department_id in above
    return found


def _holds(session: Session, flow: ApprovalFlow, facts: Facts) -> bool:
    if not flow.condition:
        return True
    request = request_of(session, facts)
    return holds(f"审批流程“{flow.name}”的适用规则", flow.condition, request, facts.today)


def request_of(session: Session, facts: Facts) -> Request:
    """The submission as rules of flows see it."""
    return Request(
        session=session,
        amount=facts.amount,
        product_id=facts.product_id,
        customer_kind=facts.customer_kind,
        department_id=facts.department_id,
        risk_grade=facts.risk_grade,
    )


def rank(flow: ApprovalFlow) -> tuple[int, int, int]:
    """What decides among flows that fit: priority, then how many conditions, then which is newer."""
    conditions = (flow.product_id, flow.customer_kind, flow.risk_grade, flow.department_id)
    count = sum(value is not None for value in conditions)
    count += flow.amount_from is not None or flow.amount_to is not None
    count += bool(flow.condition)
    return flow.priority, count, flow.id


def department_ids_above(session: Session, department_id: int | None) -> frozenset[int]:
    """A department and all those above it."""
    if department_id is None:
        return frozenset()
    path = session.scalar(select(Department.path).where(Department.id == department_id)) or ""
    return frozenset({department_id, *(int(part) for part in path.split("/") if part)})


def way_of(session: Session, flow: ApprovalFlow, facts: Facts) -> Way:
    """What the rules on branches and nodes decide of a submission, once: a running approval keeps its way.

    Raises BusinessError where a rule makes no sense any more.
    """
    request = request_of(session, facts)

    def is_met(whose: str, condition: str | None) -> bool:
        return bool(condition) and holds(
            f"审批流程“{flow.name}”{whose}", condition or "", request, facts.today
        )

    skipped = (
        node.seq for node in flow.nodes if is_met(f"节点“{node.name}”的跳过条件", node.skip_when)
    )
    taken: list[int] = []
    decided: set[int] = set()  # forks whose alternative has been found
    for one in sorted(flow.branches, key=lambda one: one.no):
        is_open = one.fork_no not in decided
        if is_open and (not one.condition or is_met(f"分支“{one.name}”的进入条件", one.condition)):
            taken.append(one.no)
            decided |= {one.fork_no} if one.kind is BranchKind.CONDITION else set()
    return Way(frozenset(taken), frozenset(skipped))


def path(flow: ApprovalFlow, amount: Decimal | None, way: Way = Way()) -> list[Step]:  # noqa: B008 - frozen
    """The nodes as this amount meets them on its way, up to the first whose approval limit covers the amount."""
    steps: list[Step] = []
    _walk(line(flow), amount, way, steps)
    return steps


def _walk(items: Iterable[Item], amount: Decimal | None, way: Way, steps: list[Step]) -> bool:
    """Append the steps of a line; True where the approval ends on it."""
    for item in items:
        if isinstance(item, Fork):
            for lane in item.lanes:
                if lane.branch.no in way.branches and _walk(lane.items, amount, way, steps):
                    return True
            continue
        is_skipped = _is_skipped(item, amount) or item.seq in way.skipped
        is_last = not is_skipped and amount is not None and item.approve_limit is not None
        is_last = is_last and amount <= item.approve_limit  # type: ignore[operator]
        steps.append(Step(item, is_skipped=is_skipped, is_last=is_last))
        if is_last:
            return True
    return False


def _is_skipped(node: ApprovalNode, amount: Decimal | None) -> bool:
    return amount is not None and node.skip_below is not None and amount < node.skip_below


def asked(flow: ApprovalFlow, amount: Decimal | None, way: Way = Way()) -> list[ApprovalNode]:  # noqa: B008 - frozen
    """The nodes of a path that ask anybody."""
    return [step.node for step in path(flow, amount, way) if not step.is_skipped]


def refusal(flow: ApprovalFlow, amount: Decimal | None, way: Way = Way()) -> str:  # noqa: B008 - frozen
    """Why nothing of this amount may be submitted to the flow; '' when it may."""
    nodes = asked(flow, amount, way)
    if not nodes:
        return f"审批流程“{flow.name}”在此金额下没有任何审批节点，请联系系统管理员调整"
    last = nodes[-1]
    limit = last.approve_limit
    if limit is not None and amount is not None and amount > limit:
        return (
            f"金额 {amount:,.2f} 元超过审批流程“{flow.name}”末节点“{last.name}”的审批限额 {limit:,.2f} 元，"
            "请联系系统管理员补充上级审批节点"
        )
    return ""


def passed(instance: ApprovalInstance) -> set[int]:
    """The `seq` of the nodes that have passed; in approvals from before there were branches, all before the present."""
    if instance.passed is not None:
        return set(instance.passed)
    reached = instance.current_node_seq or instance.resume_seq or 0
    return {node.seq for node in instance.flow.nodes if node.seq < reached}


def way(instance: ApprovalInstance) -> Way:
    """The way on which an approval set out."""
    return Way.read(instance.facts)


def eligible(
    session: Session, node: ApprovalNode, *, department_id: int | None, excluded: Iterable[int] = ()
) -> list[int]:
    """Employees to be asked at a node, without those who submitted, in the order of their numbers."""
    barred = frozenset(excluded)
    if node.chooser is NodeChooser.MANAGER:
        manager = manager_of(session, department_id, barred)
        return [] if manager is None else [manager]
    is_position = node.chooser is NodeChooser.POSITION
    query = (
        _members(session, node, department_id) if is_position else holders_of(node.role_name or "")
    )
    people = select(Employee.id).where(Employee.id.in_(query), *ABLE)
    order = [_turn(node).scalar_subquery()] if is_position else []
    found = session.scalars(people.order_by(*order, Employee.number))
    return [person for person in found if person not in barred]


def holders_of_position(session: Session, position_id: int, department_id: int | None) -> list[int]:
    """Employees who hold a position for a department, in the order of their numbers."""
    query = _of_position(session, position_id, department_id)
    people = select(Employee.id).where(Employee.id.in_(query), *ABLE)
    return list(session.scalars(people.order_by(Employee.number)))


def able(session: Session, people: Iterable[int]) -> list[int]:
    """Those of these employees who can sign in, in the order of their numbers."""
    query = select(Employee.id).where(Employee.id.in_(list(people)), *ABLE)
    return list(session.scalars(query.order_by(Employee.number)))


def _turn(node: ApprovalNode) -> Select[int]:
    """The place of an employee among the holders of a position (依次会签)."""
    member = ApprovalPositionMember
    return select(func.min(member.sort_no)).where(
        member.position_id == node.position_id, member.employee_id == Employee.id
    )


def _members(session: Session, node: ApprovalNode, department_id: int | None) -> Select[int]:
    return _of_position(session, node.position_id, department_id)


def _of_position(
    session: Session, position_id: int | None, department_id: int | None
) -> Select[int]:
    above = department_ids_above(session, department_id)
    member = ApprovalPositionMember
    return select(member.employee_id).where(
        member.position_id == position_id,
        or_(member.department_id.is_(None), member.department_id.in_(above)),
    )


def holders_of(role_name: str) -> Select[int]:
    """Employees who hold a role, by themselves or by a group."""
    own = select(_USER_ROLE.c.user_id).join(_ROLE, _ROLE.c.id == _USER_ROLE.c.role_id)
    by_group = (
        select(_USER_GROUP.c.user_id)
        .join(_GROUP_ROLE, _GROUP_ROLE.c.group_id == _USER_GROUP.c.group_id)
        .join(_ROLE, _ROLE.c.id == _GROUP_ROLE.c.role_id)
    )
    users = own.where(_ROLE.c.name == role_name).union(by_group.where(_ROLE.c.name == role_name))
    return select(Operator.employee_id).where(Operator.user_id.in_(users), ~Operator.is_disabled)


def manager_of(session: Session, department_id: int | None, barred: frozenset[int]) -> int | None:
    """Manager of the department; who submitted is passed over for the manager of the department above."""
    above = department_ids_above(session, department_id)
    rows = session.execute(
        select(Department.manager_id)
        .join(Employee, Employee.id == Department.manager_id)
        .where(Department.id.in_(above), *ABLE)
        .order_by(func.length(Department.path).desc(), Department.path.desc())
    )
    return next((manager for (manager,) in rows if manager not in barred), None)


def superior_of(session: Session, task: ApprovalTask) -> int | None:
    """Who sees to it that an overdue task is done: the direct superior, else the manager of the department or above."""
    person, barred = task.assignee, frozenset({task.assignee_id, *task.instance.facts["excluded"]})
    if person.manager_id is not None and person.manager_id not in barred:
        able = select(Employee.id).where(Employee.id == person.manager_id, *ABLE)
        if (found := session.scalar(able)) is not None:
            return found
    return manager_of(session, person.department_id, barred)


def asked_at(node: ApprovalNode) -> str:
    """What messages call the people of a node: its position, its role or the manager."""
    if node.chooser is NodeChooser.POSITION:
        return f"岗位“{node.position.label if node.position else ''}”"
    if node.chooser is NodeChooser.ROLE:
        return f"角色“{node.role_name}”"
    return "申请部门的负责人"


def nobody(session: Session, node: ApprovalNode, department_id: int | None) -> str:
    """The message when a node has no one to ask: who submitted alone stands there, or nobody at all."""
    why = f"{asked_at(node)}没有在职且账号可用的人员"
    if eligible(session, node, department_id=department_id):
        why = f"{asked_at(node)}只有提交人本人（本人不能审批自己提交的业务）"
    return f"节点“{node.name}”没有可用的审批人：{why}"


def my_tasks(session: Session, actor: Actor, limit: int = 200) -> list[ApprovalTask]:
    """Pending tasks of the actor, and of those acted for (代): those due first, then the oldest."""
    query = (
        select(ApprovalTask)
        .where(is_asked(actor), ApprovalTask.state == TaskState.PENDING)
        .order_by(ApprovalTask.due_at.is_(None), ApprovalTask.due_at, ApprovalTask.id)
        .limit(limit)
        .options(*_with_people())
    )
    return list(session.scalars(query))


def my_decisions(session: Session, actor: Actor, limit: int = 200) -> list[ApprovalTask]:
    """What the actor has decided, newest first (2.5)."""
    query = (
        select(ApprovalTask)
        .where(ApprovalTask.decided_by_id == actor.employee_id)
        .order_by(ApprovalTask.decided_at.desc(), ApprovalTask.id.desc())
        .limit(limit)
        .options(*_with_people())
    )
    return list(session.scalars(query))


def history(session: Session, record: Entity) -> list[ApprovalInstance]:
    """Every approval of a record, newest first, with tasks and people, in a fixed number of queries."""
    query = (
        select(ApprovalInstance)
        .where(
            ApprovalInstance.table_name == record.__tablename__,
            ApprovalInstance.record_id == record.id,
        )
        .order_by(ApprovalInstance.id.desc())
        .options(
            joinedload(ApprovalInstance.business_type),
            joinedload(ApprovalInstance.applicant),
            joinedload(ApprovalInstance.flow),
            selectinload(ApprovalInstance.tasks).options(
                joinedload(ApprovalTask.node),
                joinedload(ApprovalTask.assignee),
                joinedload(ApprovalTask.decided_by),
                joinedload(ApprovalTask.on_behalf_of),
            ),
        )
    )
    return list(session.scalars(query))


def running(session: Session, record: Entity) -> ApprovalInstance | None:
    """The approval that a record is in now, if any."""
    query = select(ApprovalInstance).where(
        ApprovalInstance.table_name == record.__tablename__,
        ApprovalInstance.record_id == record.id,
        ApprovalInstance.state == ApprovalState.RUNNING,
    )
    return session.scalars(query.order_by(ApprovalInstance.id.desc()).limit(1)).first()


def running_of_project(session: Session, project_id: int) -> list[ApprovalInstance]:
    """Every approval that runs on a project or one of its papers, oldest first."""
    query = select(ApprovalInstance).where(
        ApprovalInstance.project_id == project_id, ApprovalInstance.state == ApprovalState.RUNNING
    )
    return list(session.scalars(query.order_by(ApprovalInstance.id)))


def progress(instance: ApprovalInstance) -> list[Progress]:
    """The way of a running or finished approval, node by node: done, current, to come, skipped (A5)."""
    found: list[Progress] = []
    is_running, agreed = instance.state is ApprovalState.RUNNING, passed(instance)
    for step in path(instance.flow, instance.amount, way(instance)):
        tasks = tuple(task for task in instance.tasks if task.node_id == step.node.id)
        if step.is_skipped:
            state = "SKIPPED"
        elif any(task.state is TaskState.PENDING for task in tasks):
            state = "CURRENT"
        elif step.node.seq in agreed:
            state = "DONE" if tasks else "SKIPPED"  # agreed to before it was sent back
        else:
            state = "DONE" if tasks and not is_running else "TO_COME"
        found.append(Progress(step.node, state, tasks))
    return found


def return_targets(session: Session, task: ApprovalTask) -> list[ApprovalNode]:
    """Earlier nodes to which a task may be sent back: asked in this approval, and before it on its way."""
    visited = select(ApprovalTask.node_id).where(ApprovalTask.instance_id == task.instance_id)
    known, flow = set(session.scalars(visited)), task.instance.flow
    return [one for one in flow.nodes if one.id in known and precedes(flow, one, task.node)]


def overdue(session: Session, now: datetime) -> list[ApprovalTask]:
    """Pending tasks past their time limit, the longest overdue first."""
    query = (
        select(ApprovalTask)
        .where(ApprovalTask.state == TaskState.PENDING, ApprovalTask.due_at < now)
        .order_by(ApprovalTask.due_at, ApprovalTask.id)
        .options(*_with_people())
    )
    return list(session.scalars(query))


def _with_people() -> tuple[Any, ...]:
    return (
        joinedload(ApprovalTask.node),
        joinedload(ApprovalTask.assignee),
        joinedload(ApprovalTask.asked_by),
        joinedload(ApprovalTask.instance).options(
            joinedload(ApprovalInstance.business_type),
            joinedload(ApprovalInstance.applicant),
            joinedload(ApprovalInstance.department),
            joinedload(ApprovalInstance.project),
        ),
    )
