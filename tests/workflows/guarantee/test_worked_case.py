"""The worked case of domain.md 3, from the application to the month-ends and the release, by nothing but the verbs."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.guarantee.drawdown import Drawdown
from models.guarantee.project import ProjectState, Stage
from models.guarantee.release import Release
from models.guarantee.signing import Fee, FeeState
from models.ledger.voucher import Voucher, VoucherState
from models.system.setup import Parameter
from reports.figures import parameters
from reports.figures.balances import balance_of
from reports.figures.business_ledger import pairs
from reports.figures.profit import earned_on
from tests.workflows.guarantee.factories import ACCOUNTANT, CASHIER, MANAGER, MILLION
from workflows.base import records
from workflows.guarantee import fees, release, repayment
from workflows.guarantee.repayment import Paid
from workflows.ledger import closing, voucher
from workflows.ledger.period import ensure_period

CHIEF = "陈伟"
PARAMETERS = {
    "exposure.net_assets_override": "10000000000",
    "income.recognition_mode": "MONTHLY",
    "vat.guarantee_exempt": "是",
    "repayment.early_allowed": "是",
}


@pytest.fixture
def even(line):
    """按月均摊, 担保费 of small companies free of VAT, and a company that may guarantee 40 million."""
    for code, value in PARAMETERS.items():
        for row in line.session.scalars(select(Parameter).where(Parameter.code == code)):
            row.value = value
    line.session.flush()
    parameters.forget(line.session)


def post_all(line, project):
    """复核, then 审核, 签字 and 记账 of what waits, each by whoever does it."""
    line.book(project)
    drafts = select(Voucher).where(Voucher.state == VoucherState.DRAFT).order_by(Voucher.id)
    for draft in line.session.scalars(drafts).all():
        voucher.review(line.ctx(CHIEF), draft)
        if draft.is_cash:
            voucher.sign(line.ctx(CASHIER), draft)
        bookkeeper = line.ctx(ACCOUNTANT)
        # a third person keeps the ledger
        bookkeeper.actor = replace(bookkeeper.actor, employee_id=line.id("沈八"))
        voucher.post(bookkeeper, draft)


def test_a_fee_of_1_200_000_and_a_deposit_of_5_000_000(line, even):
    customer = line.customer("江州月摊机械有限公司")
    project = line.project_at(
        Stage.FEE_PLAN,
        customer_id=customer.id,
        amount=40 * MILLION,
        fee_rate_pct=Decimal(3),
        term_months=12,
    )
    terms = {"project_id": project.id, "vat_rate_pct": "0", "rate_pct": "3", "is_rate_annual": True}
    fee = records.create(
        line.ctx(MANAGER), Fee, {**terms, "kind": "GUARANTEE", "vat_filing": "免备 2026-001"}
    )
    records.create(
        line.ctx(MANAGER),
        Fee,
        {**terms, "kind": "DEPOSIT", "is_rate_annual": False, "fixed_amount": 5 * MILLION},
    )
    fees.submit_fees(line.ctx(MANAGER), project)
    while project.stage is not Stage.IN_FORCE:
        line.step(project)
    assert (fee.amount, fee.vat_amount, fee.state) == (1_200_000, 0, FeeState.BOOKED)
    post_all(line, project)
    assert balance_of(line.session, "2203", "2026-03") == 1_200_000
    assert balance_of(line.session, "2002", "2026-03") == 5 * MILLION
    assert balance_of(line.session, "1002", "2026-03") == 6_200_000
    assert balance_of(line.session, "2221", "2026-03") == 0
    line.today = date(2026, 7, 31)
    for month in range(3, 7):
        closing.close(line.ctx(CHIEF), ensure_period(line.ctx(CHIEF), date(2026, month, 1)))
    july = ensure_period(line.ctx(CHIEF), date(2026, 7, 1))
    closing.provide_now(line.ctx(ACCOUNTANT), july)
    assert balance_of(line.session, "2203", "2026-07") == 700_000
    assert earned_on(line.session, "6031", "2026-01", "2026-07") == -500_000
    assert balance_of(line.session, "2601", "2026-07") == 0, (
        "what is deferred is not reserved again"
    )
    assert [pair for pair in pairs(line.session) if pair.differs] == []
    give_back(line, project)


def give_back(line, project):
    """Repaid and released, the whole deposit goes back, and the rest of the fee is income."""
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    repayment.register(
        line.ctx(MANAGER), loan, Paid(line.today, loan.balance, Decimal(0), is_final=True)
    )
    paper = records.create(line.ctx(MANAGER), Release, {"project_id": project.id})
    release.submit(line.ctx(MANAGER), paper, paper.version)
    line.approve(paper)
    post_all(line, project)
    assert (paper.deposit_amount, project.state) == (5 * MILLION, ProjectState.RELEASED)
    assert balance_of(line.session, "2002", "2026-07") == 0
    assert balance_of(line.session, "1002", "2026-07") == 1_200_000
    closing.close(line.ctx(CHIEF), ensure_period(line.ctx(CHIEF), line.today))
    assert balance_of(line.session, "2203", "2026-07") == 0
    assert earned_on(line.session, "6031", "2026-01", "2026-07") == -1_200_000
