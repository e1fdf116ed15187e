"""部门额度 (2.6): whose quota a department draws on, and what of it is used, in 元."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.base.columns import Money
from models.base.paper import PaperState
from models.guarantee.project import Project
from models.guarantee.quota import DepartmentQuota
from models.system.organization import Department
from reports.figures import replaced

ZERO = Decimal(0)


@dataclass(frozen=True)
class Used:
    """What the projects under a quota amount to: in force, and reserved beyond it."""

    in_force: Decimal
    reserved: Decimal

    @property
    def total(self) -> Decimal:
        """Both together."""
        return self.in_force + self.reserved


NOTHING: Final = Used(ZERO, ZERO)


def on_day(session: Session, on: date) -> dict[int, DepartmentQuota]:
    """By department the quota that holds on a day: of several approved ones that which begins last."""
    query = (
        select(DepartmentQuota)
        .where(
            DepartmentQuota.state == PaperState.APPROVED,
            DepartmentQuota.starts_on <= on,
            DepartmentQuota.ends_on >= on,
        )
        .order_by(DepartmentQuota.starts_on, DepartmentQuota.id)
    )
    return {quota.department_id: quota for quota in session.scalars(query)}


def _parents(session: Session) -> dict[int, int | None]:
    rows = session.execute(select(Department.id, Department.parent_id)).tuples()
    return dict(rows.all())


def _holder(
    department_id: int | None, quotas: Collection[int], parents: dict[int, int | None]
) -> int | None:
    """The department whose quota this one draws on: its own, or that of the nearest above; None where none has one."""
    now = department_id
    while now is not None and now not in quotas:
        now = parents.get(now)
    return now


def of_department(session: Session, department_id: int, on: date) -> DepartmentQuota | None:
    """The quota that a department draws on."""
    quotas = on_day(session, on)
    holder = _holder(department_id, quotas, _parents(session)) if quotas else None
    return None if holder is None else quotas[holder]


def drawing_on(session: Session, holder_id: int, on: date) -> list[int]:
    """The departments that draw on the quota of one: itself, and those below without one of their own."""
    quotas = {*on_day(session, on), holder_id}
    parents = _parents(session)
    return [key for key in parents if _holder(key, quotas, parents) == holder_id]


def used(session: Session, holder_id: int, on: date, *, without: int | None = None) -> Used:
    """What stands under the quota of a department; of a renewal only what it adds to the loan that it replaces."""
    departments = drawing_on(session, holder_id, on)
    where: list[ColumnElement[bool]] = [Project.department_id.in_(departments)]
    if without is not None:
        where.append(Project.id != without)
    holders = dict.fromkeys(departments, holder_id)
    return _summed(session, holders, *where).get(holder_id, NOTHING)


def used_by_all(session: Session, on: date) -> dict[int, Used]:
    """The same of every department that has a quota on a day."""
    quotas, parents = on_day(session, on), _parents(session)
    holders = {key: _holder(key, quotas, parents) for key in parents}
    return _summed(session, {key: held for key, held in holders.items() if held is not None})


def _summed(
    session: Session, holders: dict[int, int], *where: ColumnElement[bool]
) -> dict[int, Used]:
    """By holder what stands in its departments; a renewal counts once with a former loan under the same holder."""
    former = aliased(Project)
    keys = (Project.department_id, former.department_id.label("former_id"))
    query = (
        select(
            *keys,
            func.sum(Project.balance),
            func.sum(Project.reserved_amount),
            func.sum(replaced.kept(former), type_=Money()),
        )
        .outerjoin(former, replaced.is_former(former, Project.department_id, list(holders)))
        .where(or_(Project.balance > 0, Project.reserved_amount > 0), *where)
        .group_by(*keys)
    )
    found: dict[int, Used] = {}
    for department, former_department, balance, reserved, twice in session.execute(query):
        holder = holders.get(department)
        if holder is None:
            continue
        is_once = holders.get(former_department) == holder
        before = found.get(holder, NOTHING)
        found[holder] = Used(
            before.in_force + balance, before.reserved + reserved - (twice if is_once else ZERO)
        )
    return found
