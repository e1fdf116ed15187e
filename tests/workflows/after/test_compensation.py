"""6.2 代偿: the bank's claim against the plan, to the fen; approved, paid, booked, sent back; who bears what."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import delete, select

from models.after.compensation import Compensation, CompensationShare
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
)
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import ProjectState, Stage
from models.guarantee.repayment import RepaymentSource
from models.guarantee.scheme import SharingParty
from models.ledger.voucher import EventState
from models.system.records import Attachment
from reports.figures import compensation as figures
from reports.figures.business_ledger import pairs, stands
from reports.figures.exposure import checks
from reports.figures.liability import liability_on
from tests.workflows.guarantee.factories import CASHIER, MANAGER, MILLION, OUTSIDER
from tests.workflows.guarantee.sharing_world import in_use
from tests.workflows.guarantee.test_release import is_clean
from workflows.after import compensation
from workflows.base import records
from workflows.guarantee import repayment
from workflows.guarantee.repayment import Paid

STAGES = (Stage.CONFIRM,)
# 5,000,000 at 4.35 % from 2 March, interest monthly (18,125.00), principal at the end; nothing was ever paid.
# On 12 May 40 and 10 days of two instalments are overdue, at 4.35 % x 1.5 / 360: 131.41 + 32.85.
CLAIMED_ON = date(2026, 5, 12)
DUE = figures.Amounts(interest=Decimal("36250.00"), penalty=Decimal("164.26"))
# Called in, all principal is owed, and ten days of interest on it since 2 May: 6,041.67.
CALLED = figures.Amounts(5 * MILLION, Decimal("42291.67"), Decimal("164.26"))
# 80 % of 5,042,455.93
OURS = figures.Amounts(4 * MILLION, Decimal("33833.33"), Decimal("131.41"))


@pytest.fixture
def project(line):
    found = line.at(Stage.CONFIRM)
    line.confirm(found, repayment_method=RepaymentMethod.INTEREST_FIRST)
    return overdue(line, found)


@pytest.fixture
def loan(line, project):
    return loan_of(line, project)


def overdue(line, project):
    line.book(project)
    line.today = CLAIMED_ON
    repayment.mark_overdue(line.ctx())
    return project


def loan_of(line, project):
    return line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()


def claim(line, project, asked=CALLED, **facts):
    """The bank's notice of the day, on file; called in unless said otherwise."""
    given = {f"claim_{part}": amount for part, amount in asked.by_part.items()}
    known = {
        "project_id": project.id,
        "drawdown_id": loan_of(line, project).id,
        "notice_no": "工银代偿〔2026〕3 号",
        "notice_on": line.today,
        "received_on": line.today,
        "counted_on": line.today,
        "is_accelerated": asked.principal > 0,
    }
    made = records.create(line.ctx(MANAGER), Compensation, {**known, **given, **facts})
    line.attach("compensation", made.id, None)
    return made


def approved(line, project, asked=CALLED, **facts):
    made = claim(line, project, asked, **facts)
    compensation.PAPER.submit(line.ctx(MANAGER), made)
    line.approve(made)
    return made


def paid(line, project, asked=CALLED, **facts):
    made = approved(line, project, asked, **facts)
    compensation.pay(line.ctx(CASHIER), made, line.today, "HK0001")
    return made


def shares(line, paper):
    query = select(CompensationShare).where(CompensationShare.compensation_id == paper.id)
    return {one.party: one for one in line.session.scalars(query)}


def refused(line, project, field, asked=CALLED, **facts):
    with pytest.raises(FieldErrors) as caught:
        claim(line, project, asked, **facts)
    assert list(caught.value.field_errors) == [field]
    return caught.value.field_errors[field][0]


def test_the_plan_says_to_the_fen_what_the_bank_may_claim(line, loan):
    session = line.session
    assert figures.by_plan(session, loan, CLAIMED_ON, is_accelerated=False) == DUE
    assert figures.by_plan(session, loan, CLAIMED_ON, is_accelerated=True) == CALLED


@pytest.mark.parametrize(
    ("owed", "days", "expected"),
    [("18125.00", 40, "131.41"), ("18125.00", 10, "32.85"), ("0.00", 10, "0.00")],
)
def test_penalty_runs_by_the_day_at_the_rate_and_half_of_it(owed, days, expected):
    found = figures.penalty_on(Decimal(owed), Decimal("4.35"), Decimal(50), days)
    assert found == Decimal(expected)


def test_what_the_bank_claims_beyond_the_plan_is_not_accepted_unless_said_why(line, project):
    # 1,000.00 of interest and 35.74 of penalty more than the plan bears out, and costs that it knows nothing of
    asked = figures.Amounts(5 * MILLION, Decimal("43291.67"), Decimal(200), Decimal(3000))
    said = refused(line, project, "reason", asked)
    assert said.endswith("：利息比银行主张少 1,000.00 元；罚息比银行主张少 35.74 元")
    made = claim(line, project, asked, reason="按计划核定，银行多计一期")
    assert figures.amounts_of(made, "accepted_") == replace(CALLED, other=Decimal(3000))
    said = refused(line, project, "drawdown_id", asked)
    assert "尚未办结" in said


def test_a_notice_that_cannot_be_is_refused_at_its_field(line, project):
    over = figures.Amounts(6 * MILLION)
    assert "借款余额 5,000,000.00" in refused(line, project, "claim_principal", over)
    assert "都为 0" in refused(line, project, "claim_principal", figures.Amounts())
    assert "通知书日期" in refused(line, project, "notice_on", notice_on=date(2026, 5, 13))
    assert "收到日期" in refused(line, project, "received_on", received_on=date(2026, 5, 1))
    assert "计息截止日" in refused(line, project, "counted_on", counted_on=date(2026, 2, 1))
    more = {"accepted_interest": "42291.68", "reason": "多"}
    assert "42,291.67" in refused(line, project, "accepted_interest", **more)
    said = refused(
        line,
        project,
        "accepted_principal",
        is_accelerated=False,
        reason="?",
        accepted_principal="1",
    )
    assert said.endswith("请勾选“贷款提前到期”")


def test_from_the_notice_to_the_books(line, project, loan):
    before = liability_on(line.session, line.today)
    made = claim(line, project)
    assert (made.pay_by, made.claim_amount) == (date(2026, 7, 11), Decimal("5042455.93"))
    assert figures.amounts_of(made, "pay_") == OURS
    assert (made.pay_amount, made.bank_amount) == (Decimal("4033964.74"), Decimal("1008491.19"))
    compensation.PAPER.submit(line.ctx(MANAGER), made)
    with pytest.raises(Conflict, match="没有待登记的付款"):
        compensation.pay(line.ctx(CASHIER), made, line.today, "HK0001")
    line.approve(made)
    assert (made.state, made.approved_on, loan.state) == (
        PaperState.APPROVED,
        line.today,
        DrawdownState.OVERDUE,
    ), "nothing is paid yet"
    compensation.pay(line.ctx(CASHIER), made, line.today, " HK0001 ")
    assert (loan.state, loan.balance, loan.closed_on) == (
        DrawdownState.COMPENSATED,
        0,
        line.today,
    )
    assert (project.state, project.stage, project.balance) == (
        ProjectState.COMPENSATED,
        Stage.IN_FORCE,
        0,
    )
    assert (made.payment_no, made.repayment.source) == ("HK0001", RepaymentSource.COMPENSATION)
    assert made.repayment.document is None, "the customer has repaid nothing"
    # 4,000,000 of the company's own part leaves what the company answers for
    assert before - liability_on(line.session, line.today) == 4 * MILLION
    own = next(one for one in checks(line.session, project, line.today) if one.key == "single")
    assert own.before == 0
    line.book(project)
    assert made.is_booked
    codes = ("1201.01", "1201.02", "1201.03", "1201.04", "1261")
    assert [stands(line.session, code) for code in codes] == [*OURS, 0]
    assert not [pair for pair in pairs(line.session) if pair.differs]
    (share,) = shares(line, made).values()
    assert (share.party, share.amount, share.share_pct) == (SharingParty.OWN, made.pay_amount, 80)
    assert is_clean(line)


def test_nothing_is_put_up_without_the_notice_or_outside_the_guarantee(line, project):
    made = claim(line, project)
    line.session.execute(delete(Attachment).where(Attachment.owner_table == "compensation"))
    with pytest.raises(BusinessError, match="还不能提交代偿审批：请上传银行代偿通知书的扫描件"):
        compensation.PAPER.submit(line.ctx(MANAGER), made)
    line.attach("compensation", made.id, None)
    line.contract(project, "GUARANTEE").period_months = 1
    project.end_on = date(2026, 4, 1)
    records.update(line.ctx(MANAGER), made, {"note": "保证期间已过"}, made.version)
    with pytest.raises(
        BusinessError, match=r"没有应由公司代偿的金额：保证期间已于 2026-05-01 届满"
    ):
        compensation.PAPER.submit(line.ctx(MANAGER), made)


def test_a_part_is_paid_and_the_rest_goes_on(line, project, loan):
    first = paid(line, project, DUE)
    assert (loan.state, loan.balance, project.state) == (
        DrawdownState.ACTIVE,
        5 * MILLION,
        ProjectState.IN_FORCE,
    )
    # 80 % of 36,250.00 and of 164.26
    assert figures.amounts_of(first, "pay_") == figures.Amounts(
        interest=Decimal("29000.00"), penalty=Decimal("131.41")
    )
    line.book(project)
    line.later(days=40)
    repayment.mark_overdue(line.ctx())
    asked = figures.by_plan(line.session, loan, line.today, is_accelerated=True)
    assert asked.interest == Decimal("29604.17"), "a month, and 19 days on 5,000,000"
    second = paid(line, project, asked)
    line.book(project)
    assert (loan.state, project.state) == (DrawdownState.COMPENSATED, ProjectState.COMPENSATED)
    assert stands(line.session, "1201") == first.pay_amount + second.pay_amount
    assert is_clean(line)


def test_what_the_customer_repays_meanwhile_is_not_paid_again(line, project, loan):
    line.today = date(2027, 3, 12)
    repayment.mark_overdue(line.ctx())
    asked = figures.by_plan(line.session, loan, line.today, is_accelerated=False)
    made = approved(line, project, asked, is_accelerated=False)
    paid_back = Paid(line.today, MILLION, Decimal(0))
    repayment.register(line.ctx(MANAGER), loan, paid_back)
    with pytest.raises(BusinessError, match=r"只余 4,000,000\.00 元"):
        compensation.pay(line.ctx(CASHIER), made, line.today, "HK0001")
    compensation.cancel(line.ctx(MANAGER), made, "客户已还款")
    assert made.state is PaperState.VOID
    with pytest.raises(IllegalTransition):
        compensation.cancel(line.ctx(MANAGER), made, "再次")


def test_sent_back_it_counts_as_never_paid(line, project, loan):
    made = paid(line, project)
    settled = made.repayment
    with pytest.raises(Conflict, match="不能冲正"):
        repayment.reverse(line.ctx(MANAGER), settled, "登错")
    with pytest.raises(Conflict, match="已付款，不能作废"):
        compensation.cancel(line.ctx(MANAGER), made, "不付了")
    (event,) = line.events(project, EventState.PENDING, code="compensation.paid")
    line.refuse(event, "户名不符，银行退汇")
    assert (made.paid_on, made.repayment, made.returned_reason) == (
        None,
        None,
        "户名不符，银行退汇",
    )
    assert (loan.state, loan.balance, project.state, project.balance) == (
        DrawdownState.OVERDUE,
        5 * MILLION,
        ProjectState.IN_FORCE,
        5 * MILLION,
    )
    assert is_clean(line)
    line.later(days=1)
    compensation.pay(line.ctx(CASHIER), made, line.today, "HK0002")
    line.book(project)
    assert (made.is_booked, made.returned_reason, project.state) == (
        True,
        None,
        ProjectState.COMPENSATED,
    )
    line.unbook(event)
    assert (made.is_booked, shares(line, made)) == (False, {})
    line.book(project)
    assert len(shares(line, made)) == 1
    assert is_clean(line)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"paid_on": date(2026, 5, 13)}, "paid_on"),
        ({"paid_on": date(2026, 5, 11)}, "paid_on"),
        ({"payment_no": "  "}, "payment_no"),
        ({"payment_no": "九" * 61}, "payment_no"),
        ({"margin_amount": Decimal("0.01")}, "margin_amount"),
        ({"margin_amount": Decimal(-1)}, "margin_amount"),
        ({"margin_amount": Decimal("NaN")}, "margin_amount"),
    ],
)
def test_a_payment_that_cannot_be_changes_nothing(line, project, loan, facts, field):
    made = approved(line, project)
    given = {"paid_on": line.today, "payment_no": "HK0001", **facts}
    with pytest.raises(FieldErrors) as caught:
        compensation.pay(line.ctx(CASHIER), made, **given)
    assert list(caught.value.field_errors) == [field]
    assert (made.paid_on, loan.state) == (None, DrawdownState.OVERDUE)


def test_the_cashier_pays_and_nobody_else(line, project):
    made = approved(line, project)
    for who in (MANAGER, OUTSIDER, "冯丽"):
        with pytest.raises(NotAllowed):
            compensation.pay(line.ctx(who), made, line.today, "HK0001")
    with pytest.raises(NotFound):
        records.find(line.ctx(OUTSIDER), Compensation, made.id)
    with pytest.raises(NotAllowed):
        claim_by(line, project, CASHIER)


def claim_by(line, project, who):
    return records.create(line.ctx(who), Compensation, {"project_id": project.id})


def test_who_else_bears_the_risk_owes_its_part(line):
    scheme = in_use(line)
    found = line.project_at(Stage.CONFIRM, scheme_id=scheme.id)
    line.confirm(found, repayment_method=RepaymentMethod.INTEREST_FIRST)
    overdue(line, found)
    made = paid(line, found)
    line.book(found)
    # 20 : 40 : 20 : 20, so of the 80 % half is the company's own and a quarter each of the two above it; the odd
    # fen of interest and of penalty go to the largest remainder, its own
    borne = {party: one.amount for party, one in shares(line, made).items()}
    assert borne == {
        SharingParty.OWN: Decimal("2016982.38"),
        SharingParty.PROVINCE: Decimal("1008491.18"),
        SharingParty.NATIONAL: Decimal("1008491.18"),
    }
    assert sum(borne.values()) == made.pay_amount
    assert (stands(line.session, "1261"), stands(line.session, "1201")) == (
        Decimal("2016982.36"),
        Decimal("2016982.38"),
    )
    assert not [pair for pair in pairs(line.session) if pair.differs]
