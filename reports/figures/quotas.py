"""部门额度 (2.6): whose quota a department draws on, and what of it is used, in 元."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

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


@dataclass(frozen=True)
class Granted:
    """The quotas of a day by their departments, and which department stands under which."""

    quotas: dict[int, DepartmentQuota]
    parents: dict[int, int | None]

    def of(self, department_id: int | None) -> DepartmentQuota | None:
        """The quota that a department draws on: its own, or that of the nearest above; None where none has one."""
        now = department_id
        while now is not None and now not in self.quotas:
            now = self.parents.get(now)
        return None if now is None else self.quotas[now]

    def holders(self) -> dict[int, int]:
        """By department the one whose quota it draws on."""
        found = {key: self.of(key) for key in self.parents}
        return {key: quota.department_id for key, quota in found.items() if quota is not None}


def granted(session: Session, on: date) -> Granted:
    """The quotas that hold on a day: of several approved ones of a department that which begins last."""
    query = (
        select(DepartmentQuota)
        .where(
            DepartmentQuota.state == PaperState.APPROVED,
            DepartmentQuota.starts_on <= on,
            DepartmentQuota.ends_on >= on,
        )
        .options(joinedload(DepartmentQuota.department))
        .order_by(DepartmentQuota.starts_on, DepartmentQuota.id)
    )
    quotas = {quota.department_id: quota for quota in session.scalars(query)}
    parents = session.execute(select(Department.id, Department.parent_id)).tuples()
    return Granted(quotas, dict(parents.all()))


def drawing_on(found: Granted, holder_id: int) -> list[int]:
    """The departments that draw on the quota of one: itself, and those below without one of their own."""
    return [key for key, holder in found.holders().items() if holder == holder_id]


def used(
    session: Session, found: Granted, quota: DepartmentQuota, *, without: int | None = None
) -> Used:
    """What stands under a quota; of a renewal only what it adds to the loan that it replaces."""
    mine = Granted({**found.quotas, quota.department_id: quota}, found.parents)
    departments = drawing_on(mine, quota.department_id)
    where: list[ColumnElement[bool]] = [Project.department_id.in_(departments)]
    if without is not None:
        where.append(Project.id != without)
    holders = dict.fromkeys(departments, quota.department_id)
    return _summed(session, holders, *where).get(quota.department_id, NOTHING)


def used_by_all(session: Session, found: Granted) -> dict[int, Used]:
    """The same of every department that has a quota."""
    return _summed(session, found.holders())


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
