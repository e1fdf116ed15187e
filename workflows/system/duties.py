"""Nobody leaves a task or a position behind (A8): who is still needed is named, and stays until that is handed over."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import inspect, select

from models.approval.approval import ApprovalPosition, ApprovalPositionMember
from models.base.entity import Entity
from models.base.errors import Conflict
from models.system.organization import Employee, Operator
from reports.figures import duties
from reports.figures.duties import Duties, Seat
from workflows.base import records
from workflows.base.context import Ctx

_HELP = "请先由系统管理员改派待办审批，并在“审批岗位”“操作员”“部门”中补充人员，再{verb}"
_HAND_OVER = "请先由部门经理或系统管理员在员工页面的“移交”中交给他人，再{verb}"

_GIVE_BACK = "请先归还借阅的项目档案，再{verb}"


def refuse_while_needed(ctx: Ctx, employee: Employee, verb: str, field: str) -> None:
    """Raise Conflict naming the open tasks, projects and customers of a person, and what nobody else fills."""
    _hold_positions(ctx, employee.id)
    _refuse(employee, duties.duties_of(ctx.session, employee.id), verb, field)


def refuse_without_roles(ctx: Ctx, employee: Employee, roles: Collection[str]) -> None:
    """Raise Conflict where a person is asked by one of these roles, or is the last one to hold it."""
    tasks = tuple(duties.open_tasks(ctx.session, employee.id, roles=roles))
    sole = tuple(f"角色“{name}”" for name in duties.sole_roles(ctx.session, employee.id, roles))
    _refuse(employee, Duties(tasks, sole), "收回角色", "roles")


def _refuse(employee: Employee, found: Duties, verb: str, field: str | None) -> None:
    if found.text:
        helps = [_HELP] * bool(found.tasks or found.sole)
        helps += [_HAND_OVER] * bool(found.projects or found.customers)
        helps += [_GIVE_BACK] * bool(found.borrowed)
        raise Conflict(
            f"{employee.name}{found.text}；{'；'.join(helps).format(verb=verb)}", field=field
        )


def _hold_positions(ctx: Ctx, employee_id: int) -> None:
    """Two members leave a position one after the other: the second one finds out to be the last."""
    held = select(ApprovalPositionMember.position_id).where(
        ApprovalPositionMember.employee_id == employee_id
    )
    _hold(ctx, *ctx.session.scalars(held))


def _hold(ctx: Ctx, *position_ids: int) -> None:
    query = (
        select(ApprovalPosition.id)
        .where(ApprovalPosition.id.in_(position_ids))
        .order_by(ApprovalPosition.id)
    )
    ctx.session.execute(query.with_for_update())


def _before(record: Entity, name: str) -> Any:
    """What a column held before this save."""
    history: Any = inspect(record).attrs[name].history
    return history.deleted[0] if history.deleted else getattr(record, name)


@records.rule(Employee)
def keep_who_is_needed(ctx: Ctx, employee: Employee, is_new: bool) -> None:
    """Who leaves has handed over."""
    if not is_new and not employee.is_active and _before(employee, "is_active"):
        refuse_while_needed(ctx, employee, "办理离职", "is_active")


@records.rule(Operator)
def keep_who_decides(ctx: Ctx, operator: Operator, is_new: bool) -> None:
    """Who is disabled has handed over."""
    if not is_new and operator.is_disabled and not _before(operator, "is_disabled"):
        refuse_while_needed(
            ctx, ctx.session.get_one(Employee, operator.employee_id), "停用", "is_disabled"
        )


@records.delete_rule(ApprovalPositionMember)
def keep_a_position_filled(ctx: Ctx, member: ApprovalPositionMember) -> None:
    """Nobody is taken off a position with tasks of it, nor the last one who fills it."""
    _hold(ctx, member.position_id)
    _refuse(
        member.employee,
        duties.of_row(ctx.session, Seat.of(member), but_for=[member.id]),
        "移出岗位",
        None,
    )


@records.rule(ApprovalPositionMember)
def keep_a_changed_position_filled(ctx: Ctx, member: ApprovalPositionMember, is_new: bool) -> None:
    """Nor by a change of the row: another person, another position, fewer departments."""
    before = Seat(
        *(_before(member, name) for name in ("position_id", "employee_id", "department_id"))
    )
    if is_new or before == Seat.of(member):
        return
    _hold(ctx, before.position_id, member.position_id)
    ctx.session.flush()  # the row as it will be counts among those who fill the position
    person = ctx.session.get_one(Employee, before.employee_id)
    _refuse(person, duties.of_row(ctx.session, before), "修改", None)
