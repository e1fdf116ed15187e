"""What happens in the year: five guarantees, and the vouchers that are written by hand; the figures follow from it.

Each story yields how many days pass until its next part, so that all of them are lived through side by side.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.demo import books, customers, story
from app.demo.stage import Stage as Director
from models.base.errors import Conflict
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.product import Product, RepaymentMethod
from models.guarantee.project import Project, ProjectState
from models.guarantee.release import Release
from models.guarantee.repayment import Repayment, RepaymentState
from models.guarantee.signing import Fee
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.voucher import BusinessEvent, EventState, Voucher
from tests.scenarios.company import one, registered_customer
from workflows.base import attachments, records
from workflows.guarantee import release, repayment
from workflows.ledger import posting

MANAGER, ASSISTANT = "zhoumin", "sunhao"
After = Callable[[Director, Project, Drawdown], Iterator[int]]


@dataclass(frozen=True)
class Deal:
    """A guarantee: its customer, terms, the day it is applied for and the day the bank pays."""

    index: int
    name: str
    product: str
    bank: str
    amount: str
    months: int
    applied_on: date
    drawn_on: date
    method: RepaymentMethod = RepaymentMethod.BULLET
    is_exempt: bool = False
    registered_on: date | None = None
    after: After | None = None


def until(company: Director, day: date) -> int:
    """Days from today to a day that is not over yet."""
    return max((day - company.today).days, 0)


def guarantee(company: Director, deal: Deal) -> Iterator[int]:
    """From the customer's first visit to 放款, one part of the line a day, and what comes after."""
    yield until(company, deal.applied_on)
    customer = registered_customer(company, deal.name, deal.index)
    product, bank = (
        one(company, Product, code=deal.product),
        one(company, PartnerBank, code=deal.bank),
    )
    plot = story.Plot(
        customer,
        MANAGER,
        ASSISTANT,
        product_id=product.id,
        bank_id=bank.id,
        amount=Decimal(deal.amount),
        months=deal.months,
        method=deal.method,
        parts=len(story.PARTS),
    )
    project = story.apply(company, plot)
    for part in story.PARTS[:-1]:
        yield 1
        if part is story._fees and deal.is_exempt:
            exempt_fee(company, project)
        part(company, plot, project)
    yield until(company, deal.registered_on or deal.drawn_on)
    story.disburse(company, plot, project, deal.drawn_on)
    if deal.registered_on:
        booked_after_the_closing(company, project, deal.drawn_on)
    story.book_events(company, project)
    story.post_vouchers(company)
    assert project.state is ProjectState.IN_FORCE
    if deal.after:
        yield from deal.after(company, project, one(company, Drawdown, project_id=project.id))


def exempt_fee(company: Director, project: Project) -> None:
    """担保费 of a guarantee for a farmer is free of VAT, so 周敏 registers it herself; no other fee is due."""
    facts = {
        "kind": "GUARANTEE",
        "payment": "ONE_OFF",
        "rate_pct": Decimal("1.5"),
        "is_rate_annual": True,
        "vat_filing": "MSBA-2026-001",
    }
    fee = records.create(
        company.ctx(MANAGER), Fee, {"project_id": project.id, "vat_rate_pct": Decimal(0), **facts}
    )
    assert (fee.amount, fee.vat_amount) == (Decimal("60000.00"), 0)


def booked_after_the_closing(company: Director, project: Project, drawn_on: date) -> None:
    """The bank's note came when the month was closed: nothing goes into that month any more, by no way."""
    event = one(company, BusinessEvent, project_id=project.id, event_code="income.recognised")
    assert event.occurred_on == drawn_on
    with pytest.raises(Conflict, match="已结账"):
        posting.book(company.ctx(story.ACCOUNTANT), event, on=drawn_on)
    with pytest.raises(Conflict, match="已结账"):
        books.draft(
            company, "transfer", "补记", ("6403", Decimal(1)), ("2221.03", Decimal(-1)), on=drawn_on
        )
    posting.book(company.ctx(story.ACCOUNTANT), event)
    still_open = select(AccountingPeriod.starts_on).where(
        AccountingPeriod.starts_on > drawn_on, AccountingPeriod.state == PeriodState.OPEN
    )
    first = company.session.scalars(still_open.order_by(AccountingPeriod.starts_on).limit(1)).one()
    assert company.session.get_one(Voucher, event.voucher_id).date == first


# ------------------------------------------------------------------------------------------------- after the drawdown
def jiangnan_repays(company: Director, project: Project, loan: Drawdown) -> Iterator[int]:
    """500,000 on the 10th of each month; July's is late and comes with August's, May's is registered twice."""
    for row in repayment.plan_rows(company.session, loan):
        yield until(company, row.due_on)
        if row.seq == 5:
            yield from july_is_late(company, loan)
        pay(company, loan, row.principal, row.interest)
        if row.seq == 3:
            yield from may_is_registered_twice(company, loan)


def pay(company: Director, loan: Drawdown, principal: Decimal, interest: Decimal) -> Repayment:
    """周敏 registers what the bank says it has received today."""
    paid = repayment.Paid(paid_on=company.today, principal=principal, interest=interest)
    return repayment.register(company.ctx(MANAGER), loan, paid, loan.version)


def may_is_registered_twice(company: Director, loan: Drawdown) -> Iterator[int]:
    """It is found in June, after May was closed with a balance too small, and taken back."""
    yield 1
    wrong = pay(company, loan, Decimal(500_000), Decimal(0))
    yield until(company, date(2026, 6, 8))
    repayment.reverse(company.ctx(MANAGER), wrong, "重复登记", wrong.version)
    assert (wrong.state, loan.balance) == (RepaymentState.REVERSED, Decimal("4500000.00"))


def july_is_late(company: Director, loan: Drawdown) -> Iterator[int]:
    """The day-end has marked it; the customer gets a 欠款通知单 and pays with the next instalment."""
    yield until(company, date(2026, 8, 3))
    assert loan.state is DrawdownState.OVERDUE
    repayment.issue_overdue_notice(company.ctx(MANAGER), loan, loan.version)
    yield until(company, date(2026, 8, 25))


def hengrun_is_let_go(company: Director, project: Project, loan: Drawdown) -> Iterator[int]:
    """The bank takes other security and frees the company; the deposit waits in 复核 until November is to be closed."""
    yield from let_go(company, project, loan, date(2026, 11, 26))
    yield until(company, date(2026, 12, 7))
    assert project.state is ProjectState.RELEASED


def jinsui_is_let_go(company: Director, project: Project, loan: Drawdown) -> Iterator[int]:
    """Free in January, before December is closed: the fee of the second year is income of January."""
    yield from let_go(company, project, loan, date(2027, 1, 4))
    yield 1
    story.book_events(company, project)
    story.post_vouchers(company)
    assert project.state is ProjectState.RELEASED


def let_go(company: Director, project: Project, loan: Drawdown, day: date) -> Iterator[int]:
    """解保 on the bank's letter: approved the day after, from then on the company answers for nothing."""
    yield until(company, day)
    ctx = company.ctx(MANAGER)
    letter = {
        "basis": "BANK_LETTER",
        "letter_no": "建银函 18 号",
        "letter_on": day,
        "note": "更换担保方式",
    }
    paper = records.create(ctx, Release, {"project_id": project.id, **letter})
    attachments.store(ctx, paper, filename="解除担保函.pdf", data=customers._PDF)
    release.submit(ctx, paper, paper.version)
    yield 1
    story.decide_all(company, project)
    assert (project.balance, loan.state, loan.balance) == (0, DrawdownState.RELEASED, 0)
    assert paper.deposit_amount == loan.amount * 5 / 100
    waiting = one(company, BusinessEvent, project_id=project.id, event_code="deposit.returned")
    assert waiting.state is EventState.PENDING


def qinghe_repays(company: Director, project: Project, loan: Drawdown) -> Iterator[int]:
    """All of it at the end of six months."""
    (row,) = repayment.plan_rows(company.session, loan)
    yield until(company, row.due_on)
    pay(company, loan, row.principal, row.interest)
    assert loan.state is DrawdownState.SETTLED


DEALS = (
    Deal(
        0,
        "杭州江南精密机械有限公司",
        "LDZJ",
        "ICBC",
        "6000000",
        12,
        date(2026, 1, 5),
        date(2026, 2, 10),
        method=RepaymentMethod.EQUAL_PRINCIPAL,
        after=jiangnan_repays,
    ),
    Deal(
        1,
        "东方装备制造有限公司",
        "LDZJ",
        "CCB",
        "50000000",
        36,
        date(2026, 2, 9),
        date(2026, 3, 17),
    ),
    Deal(
        3,
        "恒润建材有限公司",
        "LDZJ",
        "CCB",
        "50000000",
        12,
        date(2026, 3, 9),
        date(2026, 4, 14),
        after=hengrun_is_let_go,
    ),
    Deal(
        4,
        "金穗食品有限公司",
        "LDZJ",
        "ABC",
        "40000000",
        24,
        date(2026, 4, 13),
        date(2026, 5, 19),
        after=jinsui_is_let_go,
    ),
    Deal(
        6,
        "青禾农业有限公司",
        "SNDB",
        "ICBC",
        "8000000",
        6,
        date(2026, 5, 25),
        date(2026, 6, 30),
        registered_on=date(2026, 7, 7),
        is_exempt=True,
        after=qinghe_repays,
    ),
)


# -------------------------------------------------------------------------------------------------- vouchers by hand
# day, 凭证字, memo, amount, debit, credit
BY_HAND = (
    (date(2026, 1, 8), "receipt", "收到股东增资", "200000000", "1002.02", "4001"),
    (date(2026, 1, 12), "payment", "缴纳上年增值税", "615430.25", "2221.02", "1002.01"),
    (date(2026, 3, 20), "receipt", "存款利息", "300000", "1002.02", "6011"),
    (date(2026, 6, 16), "transfer", "计提税金及附加", "39000", "6403", "2221.03"),
    (date(2026, 6, 22), "receipt", "存款利息", "300000", "1002.02", "6011"),
    (date(2026, 7, 15), "payment", "公益捐赠", "100000", "6711", "1002.01"),
    (date(2026, 8, 10), "receipt", "收回期初应收担保费", "128000", "1002.01", "1122"),
    (date(2026, 9, 10), "receipt", "收回期初代偿款", "500000", "1002.01", "1201.01"),
    (date(2026, 9, 21), "receipt", "存款利息", "300000", "1002.02", "6011"),
    (date(2026, 12, 21), "receipt", "存款利息", "300000", "1002.02", "6011"),
    (date(2026, 12, 31), "transfer", "计提应收代偿款减值", "300000", "6701", "1231"),
    (date(2026, 12, 31), "transfer", "预提所得税", "1500000", "6801", "2221.06"),
)


def by_hand(company: Director) -> Iterator[int]:
    """Money from the shareholders, interest, taxes, and what customers of the old books pay."""
    for day, word, memo, amount, debit, credit in BY_HAND:
        yield until(company, day)
        write(company, word, memo, amount, debit, credit)
        story.post_vouchers(company)


def every_month(company: Director) -> Iterator[int]:
    """Salaries on the 25th, and in the first month of each quarter the rent on the 10th."""
    for month in range(13):
        first = date(2026 + month // 12, month % 12 + 1, 1)
        if first.month % 3 == 1:
            yield until(company, first.replace(day=10))
            write(company, "payment", "支付房租", "90000", "6601.05", "1002.01")
        yield until(company, first.replace(day=25))
        write(company, "payment", "支付工资", "320000", "6601.01", "1002.01")
        story.post_vouchers(company)


def write(
    company, word: str, memo: str, amount: str, debit: str, credit: str, on: date | None = None
) -> None:
    """吴洁 writes a voucher of two lines; where an account asks for a customer it is the first one of the old books."""
    customer = company.session.scalars(select(Customer).order_by(Customer.id).limit(1)).one()
    lines = ((debit, Decimal(amount)), (credit, -Decimal(amount)))
    books.draft(company, word, memo, *lines, on=on, customer=customer)
