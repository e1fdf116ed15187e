"""A small finance department with its chart of accounts, for the stories of the ledger."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

import models.registry  # noqa: F401 - maps every table
from models.base.actor import Actor, ScopeLevel
from models.customer.customer import CorporateCustomer
from models.customer.rating_model import CustomerKind
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product
from models.guarantee.project import GuaranteeKind, Project, RepaymentMethod, SmallKind
from models.ledger.account import Account
from models.ledger.voucher import Voucher
from models.system.organization import Department, Employee
from workflows.base.context import Ctx
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import Line

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
VOUCHER_VERBS = (
    "add",
    "edit",
    "review",
    "unreview",
    "sign",
    "unsign",
    "post",
    "void",
    "reverse",
    "renumber",
)
EVENT_VERBS = ("book", "refuse", "unbook")


def yuan(amount: str | int) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"))


@dataclass
class Books:
    """Fixtures of a story: people (by what they do in it), a customer with a project, and the accounts by code."""

    session: Session
    people: dict[str, Employee] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    customer: CorporateCustomer | None = None
    bank: PartnerBank | None = None
    project: Project | None = None
    department: Department | None = None

    def ctx(self, who: str, *, today: date = TODAY, verbs: tuple[str, ...] = VOUCHER_VERBS) -> Ctx:
        permissions = {(f"can_{verb}", "voucher") for verb in verbs}
        permissions |= {(f"can_{verb}", "business_event") for verb in EVENT_VERBS}
        employee = self.people[who]
        actor = Actor(
            employee.id, employee.name, permissions=frozenset(permissions), scope=ScopeLevel.ALL
        )
        return Ctx(self.session, actor, today, NOW)

    def line(self, code: str, debit: str | int = 0, credit: str | int = 0, **more) -> Line:
        return Line(self.accounts[code], yuan(debit), yuan(credit), **more)

    def receivable(self, debit: str | int = 0, credit: str | int = 0) -> Line:
        return self.line(
            "1122", debit, credit, customer_id=self.customer.id, project_id=self.project.id
        )

    def draft(
        self, *lines: Line, day: date = TODAY, word: str = "journal", who: str = "accountant"
    ) -> Voucher:
        ctx = self.ctx(who, today=max(day, TODAY))
        return vouchers.create_draft(ctx, date=day, word=word, memo="计提利息", entries=lines)

    def transfer(self, amount: str | int = 100, **more) -> Voucher:
        """A draft without cash: 财务费用 against 其他往来."""
        return self.draft(self.line("6603", amount), self.line("2241.02", 0, amount), **more)

    def receipt(self, amount: str | int = 100, **more) -> Voucher:
        """A draft with cash: 银行存款 against the customer's receivable."""
        return self.draft(self.line("1002", amount), self.receivable(0, amount), **more)

    def post(self, voucher: Voucher) -> Voucher:
        vouchers.review(self.ctx("reviewer"), voucher)
        if voucher.is_cash:
            vouchers.sign(self.ctx("cashier"), voucher)
        return vouchers.post(self.ctx("bookkeeper"), voucher)


def open_books(session: Session) -> Books:
    """Make the people, the customer and the project of a story."""
    books = Books(session)
    books.accounts = {account.code: account.id for account in session.scalars(select(Account))}
    books.department = Department(code="TFIN", name="测试财务部")
    session.add(books.department)
    session.flush()
    for number, (who, name) in enumerate(
        {
            "accountant": "吴洁",
            "reviewer": "许文静",
            "cashier": "马骏",
            "bookkeeper": "赵凯",
        }.items(),
        1,
    ):
        books.people[who] = Employee(
            number=f"T{number:03d}", name=name, department_id=books.department.id
        )
    session.add_all(books.people.values())
    books.customer = CorporateCustomer(
        kind=CustomerKind.CORPORATE,
        number="KH-T1",
        name="江州明达精密机械有限公司",
        uscc="91320104MA1T00001X",
    )
    books.bank = PartnerBank(code="TCCB", name="测试建行高新支行")
    product = Product(
        code="TP1",
        name="流动资金贷款担保",
        guarantee_kind=GuaranteeKind.LOAN,
        amount_max=yuan(50_000_000),
        months_max=36,
        fee_rate_pct=Decimal("1.5"),
    )
    session.add_all([books.customer, books.bank, product])
    session.flush()
    books.project = Project(
        number="DB2026-T387",
        customer_id=books.customer.id,
        product_id=product.id,
        bank_id=books.bank.id,
        amount=yuan(5_000_000),
        term_months=12,
        purpose="working",
        rate_annual_pct=Decimal("4.35"),
        repayment_method=next(iter(RepaymentMethod)),
        fee_rate_pct=Decimal("1.5"),
        bank_share_pct=Decimal(20),
        counter_offer="房产抵押",
        guarantee_kind=GuaranteeKind.LOAN,
        small_kind=SmallKind.NONE,
        assistant_id=books.people["accountant"].id,
        department_id=books.department.id,
    )
    session.add(books.project)
    session.flush()
    return books
