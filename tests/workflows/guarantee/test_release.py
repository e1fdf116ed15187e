"""6.4 解保: approved, deposit back, counter-guarantees free; only then has the project ended."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, func, inspect, select

from models.after.warning import RiskWarning, WarningState
from models.base.columns import Money
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.product import FeeKind, FeePayment, ProductFee
from models.guarantee.project import ProjectStage, ProjectState, Stage
from models.guarantee.release import Release, ReleaseBasis
from models.guarantee.signing import CounterGuarantee, CounterKind, Fee, FeeDue
from models.ledger.account import Account
from models.ledger.voucher import EventState, Voucher, VoucherEntry, VoucherState
from models.system.setup import Parameter
from reports.figures import parameters, recognition
from reports.figures.business_ledger import pairs
from reports.figures.exposure import checks
from reports.figures.fees import deposit_held, first_dues, free_amount, refund_due
from reports.figures.liability import liability_on
from tests.workflows.guarantee.factories import ACCOUNTANT, MANAGER, MILLION, OUTSIDER
from workflows import verify
from workflows.after import warning
from workflows.base import records
from workflows.guarantee import release, repayment
from workflows.guarantee.repayment import Paid
from workflows.ledger import posting
from workflows.system.proofs import verify_trail

STAGES = (Stage.IN_FORCE,)


@pytest.fixture
def project(line):
    return line.at(Stage.IN_FORCE)


@pytest.fixture
def loan(line, project):
    return line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()


@pytest.fixture
def repaid(line, project, loan):
    """Repaid early with the bank's consent, a month after the drawdown."""
    line.session.scalars(
        select(Parameter).where(Parameter.code == "repayment.early_allowed")
    ).one().value = "是"
    line.session.flush()
    line.later(days=31)
    return repayment.register(
        line.ctx(MANAGER), loan, Paid(line.today, loan.balance, Decimal(0), is_final=True)
    )


def draw_up(line, project, **facts):
    return records.create(line.ctx(MANAGER), Release, {"project_id": project.id, **facts})


def by_letter(line, project, **facts):
    given = {
        "basis": "BANK_LETTER",
        "letter_no": "工银函〔2026〕8 号",
        "letter_on": line.today,
        "note": "置换担保",
    }
    return draw_up(line, project, **{**given, **facts})


def submitted(line, project):
    made = draw_up(line, project)
    release.submit(line.ctx(MANAGER), made, made.version)
    return made


def is_clean(line):
    """Everything but the books' triggers and the trail's proofs, which this database does without."""
    checks = [check for check in verify.CHECKS if check.run is not verify_trail]
    assert [
        found for check in checks for found in check.run(line.session) if "触发器" not in found
    ] == []
    return True


def returned(line, project):
    return line.events(project, code="deposit.returned")


def test_everything_follows_from_the_approval_and_ends_with_the_deposit(
    line, project, loan, repaid
):
    line.book(project)  # the income of the drawdown
    made = submitted(line, project)
    assert (made.state, project.stage) == (PaperState.IN_APPROVAL, Stage.IN_FORCE)
    line.approve(made)
    assert (made.state, made.approved_on, made.released_on) == (
        PaperState.APPROVED,
        line.today,
        None,
    )
    assert (project.stage, project.state) == (Stage.RELEASE, ProjectState.IN_FORCE), (
        "the deposit is not back yet"
    )
    items = line.session.scalars(
        select(CounterGuarantee).where(CounterGuarantee.project_id == project.id)
    ).all()
    assert {item.released_on for item in items} == {line.today}
    (event,) = returned(line, project)
    assert (event.total, made.deposit_amount) == (250000, 250000)
    line.book(project)
    assert (made.is_deposit_returned, made.released_on, project.state) == (
        True,
        line.today,
        ProjectState.RELEASED,
    )
    for words in ("解除担保通知", loan.bank_note_no, "贰拾伍万元整", "滨江厂房", "全部结清"):
        assert words in made.document.body
    assert made.document.number == made.number
    assert deposit_held(line.session, project) == 0
    assert is_clean(line)


def test_without_a_deposit_the_approval_ends_the_project(line, project, repaid):
    line.fee(project, "DEPOSIT").collected_amount = Decimal(0)
    made = submitted(line, project)
    line.approve(made)
    assert (project.state, made.released_on, returned(line, project)) == (
        ProjectState.RELEASED,
        line.today,
        [],
    )
    assert '<td colspan="3">无</td>' in made.document.body


def test_a_letter_of_the_bank_frees_what_still_runs(line, project, loan):
    line.book(project)
    before = next(
        c
        for c in checks(line.session, project, line.today, amount=Decimal(0))
        if c.key == "leverage"
    )
    made = by_letter(line, project)
    with pytest.raises(BusinessError, match="请上传银行解除担保函"):
        release.submit(line.ctx(MANAGER), made)
    line.attach("release", made.id, None)
    release.submit(line.ctx(MANAGER), made)
    line.approve(made)
    line.book(project)
    assert (loan.state, loan.closed_on, loan.balance) == (DrawdownState.RELEASED, line.today, 0)
    assert (made.released_amount, project.balance, project.state) == (
        5 * MILLION,
        0,
        ProjectState.RELEASED,
    )
    assert "工银函〔2026〕8 号" in made.document.body
    after = next(
        c
        for c in checks(line.session, project, line.today, amount=Decimal(0))
        if c.key == "leverage"
    )
    assert after.after == before.after == 0 or after.after <= before.after
    assert is_clean(line)
    with pytest.raises(Conflict, match="已解保"):
        repayment.register(line.ctx(MANAGER), loan, Paid(line.today, Decimal(1), Decimal(0)))


def test_liability_ends_on_the_day_of_the_banks_letter(line, project, loan):
    line.book(project)
    with pytest.raises(FieldErrors, match=f"不能早于放款日期 {loan.drawn_on}"):
        by_letter(line, project, letter_on=loan.drawn_on - timedelta(days=1))
    line.today += timedelta(days=5)
    said = line.today
    made = by_letter(line, project, letter_on=said)
    line.attach("release", made.id, None)
    release.submit(line.ctx(MANAGER), made)
    line.today += timedelta(days=9)
    line.approve(made)
    assert (loan.closed_on, made.approved_on) == (said, line.today)
    assert liability_on(line.session, said - timedelta(days=1)) > 0
    assert [liability_on(line.session, on) for on in (said, line.today)] == [0, 0]


def test_what_stands_in_the_way_is_named(line, project, loan):
    made = draw_up(line, project)
    fee = line.fee(project)
    fee.amount += 100
    line.session.add(
        FeeDue(fee=fee, seq=2, due_on=line.today, amount=Decimal(100), settled_amount=Decimal(0))
    )
    line.collect(fee, "40")
    with pytest.raises(BusinessError) as refused:
        release.submit(line.ctx(MANAGER), made)
    for words in (f"借据 {loan.bank_note_no} 尚未结清", "到期未收的费用 100.00 元", "待复核的收款"):
        assert words in refused.value.message
    assert made.state is PaperState.DRAFT


def test_a_refused_release_is_replaced_and_a_returned_one_mended(line, project, repaid):
    made = submitted(line, project)
    line.give_back(made)
    assert made.state is PaperState.DRAFT
    release.submit(line.ctx(MANAGER), made)
    line.reject(made)
    assert (made.state, project.stage) == (PaperState.REJECTED, Stage.IN_FORCE)
    line.approve(submitted(line, project))
    assert project.stage is Stage.RELEASE


def test_the_accountant_may_send_the_deposit_back(line, project, repaid):
    made = submitted(line, project)
    line.approve(made)
    (event,) = returned(line, project)
    line.refuse(event, "账户有误")
    assert (made.returned_reason, project.state) == ("账户有误", ProjectState.IN_FORCE)
    with pytest.raises(NotAllowed):
        release.return_deposit(line.ctx(ACCOUNTANT), made)
    with pytest.raises(StaleRecord):
        release.return_deposit(line.ctx(MANAGER), made, made.version - 1)
    again = release.return_deposit(line.ctx(MANAGER), made, made.version)
    assert (again.id, again.state, made.returned_reason) == (event.id, EventState.PENDING, None)
    with pytest.raises(Conflict, match="已提交复核"):
        release.return_deposit(line.ctx(MANAGER), made)
    line.book(project)
    with pytest.raises(Conflict, match="没有待退还的保证金"):
        release.return_deposit(line.ctx(MANAGER), made)


def test_a_deposit_taken_back_into_the_queue_opens_the_project_again(line, project, repaid):
    line.book(project)
    made = submitted(line, project)
    line.approve(made)
    line.book(project)
    document = made.document
    line.unbook(returned(line, project)[0])
    assert (project.state, project.stage, made.released_on) == (
        ProjectState.IN_FORCE,
        Stage.RELEASE,
        None,
    )
    assert verify.verify_stages(line.session) == []
    line.book(project)
    assert (project.state, made.document) == (ProjectState.RELEASED, document)
    last = line.session.scalars(
        select(ProjectStage).where(ProjectStage.project_id == project.id)
    ).all()[-1]
    assert (last.stage, last.outcome) == (Stage.RELEASE, "已解保")
    assert is_clean(line)


def test_deposits_that_other_business_returns_do_not_end_a_project(line, project):
    event = posting.raise_event(
        line.ctx(),
        "deposit.returned",
        record=line.fee(project, "DEPOSIT"),
        project=project,
        amounts={"amount": Decimal(10)},
    )
    posting.refuse(line.ctx(), event, "错")
    posting.raise_event(
        line.ctx(),
        "deposit.returned",
        record=line.fee(project, "DEPOSIT"),
        project=project,
        amounts={"amount": Decimal(10)},
    )
    posting.book(line.ctx(), event)
    posting.unbook(line.ctx(), event, "错")
    assert (project.state, project.stage) == (ProjectState.IN_FORCE, Stage.IN_FORCE)
    assert deposit_held(line.session, project) == 249990


def test_the_release_closes_the_warnings_of_the_project(line, project, loan, repaid):
    repayment.reverse(line.ctx(MANAGER), repaid, "演示逾期")
    line.later(days=40)
    assert warning.evaluate(line.ctx())
    repayment.register(
        line.ctx(MANAGER), loan, Paid(line.today, loan.balance, Decimal(0), is_final=True)
    )
    line.approve(submitted(line, project))
    line.book(project)
    found = line.session.scalars(
        select(RiskWarning).where(RiskWarning.project_id == project.id)
    ).all()
    assert {w.state for w in found} == {WarningState.LIFTED}
    assert all("项目已解保" in w.reason for w in found)


def test_while_it_is_released_no_repayment_is_taken_back(line, project, repaid):
    submitted(line, project)
    with pytest.raises(Conflict, match="正在解保"):
        repayment.reverse(line.ctx(MANAGER), repaid, "错")


def test_one_release_at_a_time_for_projects_in_force(line, project, repaid):
    draw_up(line, project)
    with pytest.raises(FieldErrors, match="已有解保申请"):
        draw_up(line, project)
    project.state = ProjectState.RUNNING
    with pytest.raises(IllegalTransition, match="在保时才能申请解保"):
        draw_up(line, project)
    project.state, project.stage = ProjectState.IN_FORCE, Stage.RELEASE
    with pytest.raises(IllegalTransition, match="现为“解保”"):
        draw_up(line, project)


def test_a_letter_is_named_with_number_day_and_reason(line, project):
    with pytest.raises(FieldErrors) as refused:
        by_letter(line, project, letter_no="", letter_on=line.today + timedelta(days=1), note="")
    assert set(refused.value.field_errors) == {"letter_no", "letter_on", "note"}
    assert by_letter(line, project).basis is ReleaseBasis.BANK_LETTER


def test_a_release_holds_the_loans_before_their_project_as_a_repayment_does(line, project, repaid):
    """Decision 0015: of two that wait for each other neither would come through."""
    made = submitted(line, project)
    held = []

    def note(asked):
        kept = getattr(asked.statement, "_for_update_arg", None)
        if kept is not None:
            held.extend(str(inspect(one).selectable) for one in kept.of or ())

    event.listen(line.session, "do_orm_execute", note)
    try:
        line.approve(made)
    finally:
        event.remove(line.session, "do_orm_execute", note)
    loans = [name for name in held if name in ("drawdown", "project")]
    assert loans[:2] == ["drawdown", "project"], held


def test_submitting_needs_right_scope_and_version(line, project, repaid):
    made = draw_up(line, project)
    with pytest.raises(NotAllowed):
        release.submit(line.ctx(ACCOUNTANT), made)
    with pytest.raises(NotFound):
        release.submit(line.ctx(OUTSIDER), made)
    with pytest.raises(StaleRecord):
        release.submit(line.ctx(MANAGER), made, made.version - 1)


def test_yearly_fees_to_come_do_not_keep_the_project(line, project, repaid):
    fee = line.fee(project)
    fee.payment = FeePayment.YEARLY
    fee.amount += 100
    line.session.add(
        FeeDue(
            fee=fee,
            seq=2,
            due_on=line.today + timedelta(days=1),
            amount=Decimal(100),
            settled_amount=Decimal(0),
        )
    )
    line.session.flush()
    assert release.obstacles(line.ctx(), draw_up(line, project)) == []


def test_sureties_are_freed_like_assets(line, project, repaid):
    line.session.add(
        CounterGuarantee(
            project_id=project.id, kind=CounterKind.SURETY, name="李晓明", state=PaperState.REJECTED
        )
    )
    line.session.flush()
    line.approve(submitted(line, project))
    rows = line.session.scalars(
        select(CounterGuarantee).where(CounterGuarantee.project_id == project.id)
    ).all()
    assert {(r.state, r.released_on) for r in rows} == {
        (PaperState.APPROVED, line.today),
        (PaperState.REJECTED, None),
    }


# ------------------------------------------------------------------------------------------------- later instalments
@pytest.fixture
def two_years(line):
    """4,000,000 for 24 months at 1.5 %, paid by the year: 60,000 collected, 60,000 due in the second year."""
    terms = select(ProductFee).where(
        ProductFee.product_id == line.product().id, ProductFee.kind == FeeKind.GUARANTEE
    )
    line.session.scalars(terms).one().payment = FeePayment.YEARLY
    line.session.scalars(
        select(Parameter).where(Parameter.code == "repayment.early_allowed")
    ).one().value = "是"
    line.session.flush()
    customer = line.customer("江州双年机械有限公司")
    project = line.project_at(
        Stage.FEE_COLLECT, customer_id=customer.id, amount=4 * MILLION, term_months=24
    )
    for due in first_dues(line.session, project.id):
        line.collect(due.fee, due.amount)
    line.book(project)
    while project.stage is not Stage.IN_FORCE:
        line.step(project)
    return project


def agrees(line):
    """Fees, deferred income and deposits of the business are what the accounts say."""
    assert [pair for pair in pairs(line.session) if pair.differs] == []
    return True


def stands(line, project, code):
    """The balance of an account that the vouchers of a project make, debit positive."""
    net = func.sum(VoucherEntry.debit - VoucherEntry.credit, type_=Money())
    query = select(net).join(Voucher, Voucher.id == VoucherEntry.voucher_id).join(Account)
    own = (
        VoucherEntry.project_id == project.id,
        Account.code == code,
        Voucher.state != VoucherState.VOID,
    )
    return line.session.scalar(query.where(*own)) or Decimal(0)


def released_in_month_eight(line, project):
    line.book(project)
    line.later(days=220)
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    repayment.register(
        line.ctx(MANAGER), loan, Paid(line.today, loan.balance, Decimal(0), is_final=True)
    )
    made = submitted(line, project)
    line.approve(made)
    return made


def test_a_release_takes_back_the_instalments_of_later_years(line, two_years):
    """Released in month 8: nothing of the second year stays, 1122 and 2203 are 0, income is the first year's."""
    made, fee = released_in_month_eight(line, two_years), line.fee(two_years)
    (event,) = line.events(two_years, code="fee.reversed")
    assert event.amounts == {
        "gross": "60000.00",
        "tax": "0.00",
        "tax_pending": "3396.22",
        "deferred": "56603.77",
        "recognised": "0.01",
    }
    assert free_amount(line.session, fee) == 0
    assert (made.released_on, two_years.state) == (None, ProjectState.IN_FORCE)
    assert recognition.due(line.session, line.today) == []
    line.book(two_years)
    assert (made.released_on, two_years.state) == (line.today, ProjectState.RELEASED)
    assert (fee.open_amount, fee.waived_amount) == (0, 60000)
    assert [stands(line, two_years, code) for code in ("1122", "2203", "2002", "2221.09")] == [
        0
    ] * 4
    assert stands(line, two_years, "6031") == Decimal("-56603.77")
    others = [
        fee.vat_amount
        for fee in line.session.scalars(select(Fee).where(Fee.project_id == two_years.id))
    ]
    assert stands(line, two_years, "2221.01.02") == -(
        Decimal("3396.23") + sum(others) - fee.vat_amount
    )
    assert recognition.due(line.session, line.today) == []
    assert is_clean(line)
    assert agrees(line)


def test_what_the_release_takes_back_may_be_sent_back_and_reopened(line, two_years):
    made = released_in_month_eight(line, two_years)
    (event,) = line.events(two_years, code="fee.reversed")
    line.refuse(event, "科目待核")
    assert made.returned_reason == "科目待核"
    release.return_deposit(line.ctx(MANAGER), made)
    assert (event.state, made.returned_reason) == (EventState.PENDING, None)
    line.book(two_years)
    line.unbook(event)
    assert (two_years.state, made.released_on, line.fee(two_years).waived_amount) == (
        ProjectState.IN_FORCE,
        None,
        0,
    )
    line.book(two_years)
    assert two_years.state is ProjectState.RELEASED
    assert is_clean(line)
    assert agrees(line)


def test_by_rule_the_months_not_begun_are_refunded_and_never_more_than_was_received(
    line, two_years
):
    """8 of 24 months of 120,000 are 40,000: of the 60,000 received 20,000 go back."""
    line.session.scalars(
        select(Parameter).where(Parameter.code == "release.refund_rule")
    ).one().value = "MONTHS"
    line.session.flush()
    parameters.forget(line.session)
    made, fee = released_in_month_eight(line, two_years), line.fee(two_years)
    (event,) = line.events(two_years, code="fee.refunded")
    assert event.amounts == {
        "gross": "20000.00",
        "tax": "1132.08",
        "deferred": "0.00",
        "recognised": "18867.92",
    }
    line.book(two_years)
    assert (made.released_on, fee.collected_amount, fee.open_amount) == (line.today, 40000, 0)
    assert [stands(line, two_years, code) for code in ("1122", "2203")] == [0, 0]
    assert stands(line, two_years, "6031") == Decimal("-37735.85")
    assert refund_due(fee, two_years, two_years.start_on) <= fee.collected_amount
    assert is_clean(line)
    assert agrees(line)
