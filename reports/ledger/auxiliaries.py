"""The four auxiliaries that balances are kept by (8.4): by which the two auxiliary ledgers may be asked."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project
from models.system.organization import Department
from reports.base.asked import Asked
from reports.base.params import Param, choice


@dataclass(frozen=True)
class Auxiliary:
    """One of them: the column of its id on entries and balances, its records, and what these are known by."""

    column: str
    label: str
    model: Any
    code: Any
    name: Any

    @property
    def table(self) -> str:
        """The table of its records."""
        return str(self.model.__tablename__)


# People know a project by its number and by whose it is.
_CUSTOMER_OF = (
    select(Customer.name)
    .where(Customer.id == Project.customer_id)
    .correlate(Project)
    .scalar_subquery()
)
AUXILIARIES = {
    one.column: one
    for one in (
        Auxiliary("customer_id", "客户", Customer, Customer.number, Customer.name),
        Auxiliary("project_id", "项目", Project, Project.number, _CUSTOMER_OF),
        Auxiliary("bank_id", "银行", PartnerBank, PartnerBank.code, PartnerBank.name),
        Auxiliary("department_id", "部门", Department, Department.code, Department.name),
    )
}


def by_auxiliary() -> Param:
    """Which of them; customers at first."""
    options = [(one.column, one.label) for one in AUXILIARIES.values()]
    return choice("辅助核算", options, default="customer_id")


def asked_for(asked: Asked) -> Auxiliary:
    """The one that the reader has chosen."""
    return AUXILIARIES[asked["by"]]
