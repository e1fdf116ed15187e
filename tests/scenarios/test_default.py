"""From the first missed instalment to the loss and what came after it: the books are right at each step, to the fen.

A shared loan is called in; the bank is paid, the others pay their part, the deposit, a court and the customer bring a
part of it back, each share of it is returned, the rest is written off, and at last something more comes in.
"""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.after.case_money import CostKind, RecoverySource
from models.after.compensation import CompensationShare
from models.after.recovery import CaseState
from models.base.errors import BusinessError, Conflict
from models.guarantee.drawdown import DrawdownState
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import ProjectState, Stage
from models.guarantee.repayment import Repayment, RepaymentState
from models.guarantee.scheme import SharingParty
from models.ledger.voucher import EventState
from reports.figures import recovery as figures
from reports.figures import turnover
from reports.figures.business_ledger import balance_of
from tests.workflows.after.test_compensation import loan_of, overdue, paid
from tests.workflows.after.test_recovery import books, came, planned, written_off
from tests.workflows.guarantee.factories import CASHIER, MANAGER, Line, prepare
from tests.workflows.guarantee.sharing_world import in_use
from tests.workflows.guarantee.test_release import is_clean
from workflows.after import recovery, settlement
from workflows.guarantee import fees, repayment

# What was paid: 80 % of 5,042,455.93, half of it the company's own (tests/workflows/after/test_compensation.py).
PAID, OWN, OTHERS = Decimal("4033964.74"), Decimal("2016982.38"), Decimal("2016982.36")
ZERO = Decimal(0)
_FIGURES = (turnover.compensated, turnover.recovered, turnover.lost)
ACCOUNTS = ("1201", "1261", "1221", "2261", "2002", "6051", "6511")


@pytest.fixture(scope="module")
def usual_stage():
    return "installed"


@pytest.fixture(scope="module")
def company(engine):
    prepare(engine)


@pytest.fixture
def line(company, session):
    del company
    return Line(session)


def stands(line):
    """What stands in the accounts that the story is about, debit less credit."""
    assert books(line)
    assert is_clean(line)
    return dict(zip(ACCOUNTS, (balance_of(line.session, code) for code in ACCOUNTS), strict=True))


@pytest.fixture
def project(line):
    """Called in after two missed instalments, and paid for."""
    found = line.project_at(Stage.CONFIRM, scheme_id=in_use(line).id)
    line.confirm(found, repayment_method=RepaymentMethod.INTEREST_FIRST)
    overdue(line, found)
    assert loan_of(line, found).state is DrawdownState.OVERDUE
    paid(line, found)
    assert loan_of(line, found).state is DrawdownState.COMPENSATED
    assert found.state is ProjectState.COMPENSATED
    line.book(found)
    return found


@pytest.fixture
def case(line, project):
    return recovery.latest_case(line.ctx(), project)


def test_from_the_first_missed_instalment_to_the_loss_and_beyond(line, project, case):
    first = stands(line)
    assert (first["1201"], first["1261"], first["2002"]) == (OWN, OTHERS, Decimal(-250_000))
    _others_pay(line, case)
    _deposit_and_costs(line, case)
    _court_pays(line, case)
    lost = written_off(line, case)
    fourth = stands(line)
    assert case.state is CaseState.WRITTEN_OFF
    assert (fourth["1201"], fourth["6511"]) == (ZERO, lost.amount)
    # nothing of what was paid has been lost from sight: it came back, was lost, or was borne by others
    assert case.recovered_amount + lost.amount + lost.other_amount == PAID

    line.later(days=45)
    after = came(line, case, "80000", RecoverySource.SURETY)
    line.book(project)
    last = stands(line)
    assert fourth["6051"] - last["6051"] == after.amount - after.shared
    assert last["1201"] == ZERO
    sums = [_of_the_year(line, one) for one in _FIGURES]
    assert sums == [PAID, case.recovered_amount - _parts(after), lost.amount + lost.other_amount]
    assert sums[0] - sums[1] - sums[2] == ZERO, "nothing is left of 代偿余额"


def _others_pay(line, case):
    for share in _others(line, case):
        settlement.collect(line.ctx(CASHIER), share, share.amount, line.today)
    line.book(case.project)
    assert stands(line)["1261"] == ZERO


def _deposit_and_costs(line, case):
    """The deposit is used, a plan approved, a lawsuit begun at the company's cost."""
    recovery.issue_letter(line.ctx(MANAGER), case, case.project.customer.name, 15)
    planned(line, case)
    came(line, case, "250000", RecoverySource.DEPOSIT)
    cost = Decimal("21300.00")
    recovery.pay_cost(
        line.ctx(CASHIER), case, kind=CostKind.COURT, amount=cost, moved_on=line.today
    )
    line.book(case.project)
    now = stands(line)
    assert (now["2002"], now["1221"]) == (ZERO, cost)
    # what of the deposit is not the company's own is due to the others
    assert now["1201"] - OWN == -(250_000 + now["2261"])


def _court_pays(line, case):
    line.later(days=60)
    came(line, case, "1200000", RecoverySource.COURT)
    line.book(case.project)
    assert stands(line)["1221"] == ZERO, "costs come first"
    for share in _others(line, case):
        settlement.give_back(line.ctx(CASHIER), share, settlement.due_back(share), line.today)
    line.book(case.project)
    assert stands(line)["2261"] == ZERO


def _others(line, case):
    shares = figures.shares_of(line.session, case)
    return [one for one in shares if one.party is not SharingParty.OWN]


def _of_the_year(line, figure):
    found = figure(date(2025, 12, 31), date(2026, 12, 31))
    return sum((line.session.scalar(one) or ZERO for one in found), ZERO)


def _parts(receipt):
    return receipt.principal + receipt.interest + receipt.penalty + receipt.other


def test_nobody_repays_or_releases_what_was_paid_for(line):
    project = line.project_at(Stage.CONFIRM, customer_id=line.customer("已代偿公司").id)
    line.confirm(project, repayment_method=RepaymentMethod.INTEREST_FIRST)
    paid(line, overdue(line, project))
    loan = loan_of(line, project)
    with pytest.raises(Conflict, match="已代偿，不能登记还款"):
        repayment.register(
            line.ctx(MANAGER), loan, repayment.Paid(line.today, Decimal(1), Decimal(0))
        )
    with pytest.raises(BusinessError):
        fees.submit_fees(line.ctx(MANAGER), project)
    made = select(Repayment).where(
        Repayment.drawdown_id == loan.id, Repayment.state == RepaymentState.BOOKED
    )
    assert len(line.session.scalars(made).all()) == 1
    assert line.session.scalar(select(func.count(CompensationShare.id))) == 0, "not booked yet"
    assert len(line.events(project, EventState.PENDING, code="compensation.paid")) == 1
