"""Two departments with account managers and a risk officer in an installation, and short ways to make customers."""

from datetime import UTC, date, datetime
from decimal import Decimal

from models.approval.approval import ApprovalPosition, ApprovalPositionMember
from models.base.actor import SYSTEM, Actor, ScopeLevel
from models.customer.customer import CorporateCustomer, PersonalCustomer
from models.customer.detail import IncomeExpense, Occupation
from models.customer.financial_statement import FinancialStatement
from models.system.organization import Department, Employee
from workflows.base import records
from workflows.base.context import Ctx

# its import registers the rules and the approval's handler
from workflows.customer import (
    customer as customer_verbs,
)
from workflows.system import setup

__all__ = ["CustomerWorld", "customer_verbs", "setup"]

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MAN = "110101199003074514"
USCC = "91330106JWYLF55T03"
OTHER_USCC = "91440305AEMA1Y1Q00"

COMPANY = {
    "name": "杭州测试食品有限公司",
    "uscc": USCC,
    "legal_person": "李晓明",
    "actual_controller": "李晓明",
    "registered_capital": "42000000",
    "paid_in_capital": "42000000",
    "established_on": "2010-07-13",
    "industry": "14",
    "scale": "SMALL",
    "business_scope": "食品加工",
    "region": "330100",
    "registered_address": "杭州市某某路289号",
    "phone": "13723763076",
}
PERSON = {
    "name": "王建国",
    "id_type": "ID_CARD",
    "id_number": MAN,
    "marriage": "20",
    "education": "20",
    "region": "330100",
    "address": "杭州市某某路1号",
    "mobile": "13800138000",
}
STATEMENT = {
    "period_kind": "YEAR",
    "period_end": "2025-12-31",
    "cash": "1000000",
    "receivables": "2000000",
    "inventory": "1000000",
    "current_assets": "6000000",
    "total_assets": "10000000",
    "current_liabilities": "3000000",
    "total_liabilities": "4000000",
    "net_assets": "6000000",
    "revenue": "12000000",
    "cost_of_sales": "9000000",
    "interest_expense": "200000",
    "total_profit": "1300000",
    "net_profit": "1000000",
    "operating_cash_flow": "500000",
}


class CustomerWorld:
    """People by name; `ctx(name)` lets one of them act within a scope."""

    def __init__(self, session) -> None:
        self.session = session
        self.one = self._department("D1", "业务一部")
        self.two = self._department("D2", "业务二部")
        self.people = {
            name: self._hire(f"E{number}", name, department)
            for number, (name, department) in enumerate(
                [
                    ("客户经理", self.one),
                    ("同事", self.one),
                    ("外部门", self.two),
                    ("风控", self.two),
                ],
                1,
            )
        }

    def _department(self, code, name):
        made = Department(code=code, name=name, path="/")
        self.session.add(made)
        self.session.flush()
        made.path = f"/{made.id}/"
        return made

    def _hire(self, number, name, department):
        made = Employee(number=number, name=name, department_id=department.id)
        self.session.add(made)
        self.session.flush()
        return made

    def ctx(
        self, name="客户经理", *, scope=ScopeLevel.DEPARTMENT, permissions=None, today=TODAY
    ) -> Ctx:
        person = self.people[name]
        tables = ("customer_rating", "customer_watch", "personal_customer", "corporate_customer")
        verbs = ("add", "edit", "delete", "rate", "confirm", "submit", "remove")
        own = (
            {(f"can_{verb}", table) for verb in verbs for table in tables}
            if permissions is None
            else permissions
        )
        actor = Actor(
            employee_id=person.id,
            name=name,
            department_id=person.department_id,
            department_ids=frozenset({person.department_id}),
            scope=scope,
            permissions=frozenset(own),
        )
        return Ctx(self.session, actor, today, NOW)

    def system(self, today=TODAY) -> Ctx:
        return Ctx(self.session, SYSTEM, today, NOW)

    def company(self, ctx=None, **changes) -> CorporateCustomer:
        return records.create(ctx or self.ctx(), CorporateCustomer, COMPANY | changes)

    def person(self, ctx=None, **changes) -> PersonalCustomer:
        return records.create(ctx or self.ctx(), PersonalCustomer, PERSON | changes)

    def add(self, model, owner, **values):
        """A row of a tab, by the system."""
        name = next(
            n
            for n in ("personal_customer_id", "corporate_customer_id", "customer_id")
            if hasattr(model, n)
        )
        return records.create(self.system(), model, {name: owner.id, **values})

    def statement(self, company, **changes) -> FinancialStatement:
        return self.add(FinancialStatement, company, **(STATEMENT | changes))

    def archive(self, person) -> None:
        """经济档案 of a person: job and income."""
        self.add(Occupation, person, occupation="1", employer="某某公司", since_year="2018")
        self.add(
            IncomeExpense,
            person,
            monthly_income="20000",
            household_monthly_income="30000",
            household_size="3",
            monthly_debt_service="3000",
            household_assets="3000000",
            household_debts="500000",
        )

    def staff(self, code, *names) -> None:
        """Put people on an approval position."""
        position = self.session.query(ApprovalPosition).filter_by(code=code).one()
        for name in names:
            self.session.add(
                ApprovalPositionMember(position_id=position.id, employee_id=self.people[name].id)
            )
        self.session.flush()


def decimal(text) -> Decimal:
    return Decimal(text)
