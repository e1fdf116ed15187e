"""What a person holds: customers as their manager, and roles on projects that have not ended (10.2 移交)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from models.customer.customer import Customer, CustomerStatus
from models.guarantee.archive import ArchiveLoan
from models.guarantee.project import GOING_ON, Project

# Role on a project -> the column that says who holds it.
ROLES: Final = {
    "A角": "manager_id",
    "B角": "assistant_id",
    "风控复核人": "risk_officer_id",
    "法务": "legal_officer_id",
}
LEADING: Final = ("A角", "B角")  # without whom a project stands still
OPEN_STATES: Final = GOING_ON


@dataclass(frozen=True)
class Held:
    """One thing that a person holds: a customer, or one role on a project."""

    record: Customer | Project
    role: str = ""


def customers_of(employee_id: int) -> Select[Customer]:
    """The customers whose manager this is."""
    return select(Customer).where(
        Customer.manager_id == employee_id, Customer.status != CustomerStatus.MERGED
    )


def projects_of(employee_id: int, roles: Iterable[str] = tuple(ROLES)) -> Select[Project]:
    """The projects under way or in force on which this person has one of these roles."""
    mine = or_(*(getattr(Project, ROLES[role]) == employee_id for role in roles))
    return select(Project).where(mine, Project.state.in_(OPEN_STATES))


def borrowed_by(employee_id: int) -> Select[ArchiveLoan]:
    """What this person has borrowed of the files of projects and not given back."""
    return select(ArchiveLoan).where(
        ArchiveLoan.borrower_id == employee_id, ArchiveLoan.returned_on.is_(None)
    )


def counted(
    session: Session, held: Select[Customer] | Select[Project] | Select[ArchiveLoan]
) -> int:
    """How many customers, projects or pieces of files these are, which would be left without somebody."""
    return session.scalar(select(func.count()).select_from(held.subquery())) or 0


def holdings(session: Session, employee_id: int, most: int) -> list[Held]:
    """The first of what a person holds: customers by number, then each role on each project."""
    customers = session.scalars(customers_of(employee_id).order_by(Customer.number).limit(most))
    found = [Held(customer) for customer in customers]
    query = (
        projects_of(employee_id)
        .options(joinedload(Project.customer))
        .order_by(Project.number)
        .limit(most)
    )
    for project in session.scalars(query):
        found += [
            Held(project, role)
            for role, column in ROLES.items()
            if getattr(project, column) == employee_id
        ]
    return found[:most]
