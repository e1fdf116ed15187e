"""终止办理: at any stage before the drawdown a project ends with all that hangs on it, and money goes back by 复核."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalState
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
from models.guarantee.appraisal import InvestigationReport
from models.guarantee.project import ProjectStage, ProjectState, Stage
from models.guarantee.resolution import ItemState, MeetingState, ResolutionState, VoteChoice
from models.guarantee.signing import (
    Contract,
    CounterGuarantee,
    Fee,
    FeeState,
    FeeWaiver,
    Receipt,
    ReceiptState,
)
from models.guarantee.termination import Termination
from models.ledger.voucher import EventState, Voucher, VoucherState
from reports.figures.balances import balance_of
from reports.figures.exposure import line_used
from tests.workflows.guarantee.factories import (
    ACCOUNTANT,
    BOARD,
    CASHIER,
    DEPARTMENT_HEAD,
    MANAGER,
    OUTSIDER,
    SECRETARY,
    VICE,
)
from workflows import verify
from workflows.base import records
from workflows.guarantee import (
    appraisal,
    disbursement,
    refunds,
    resolution,
    resubmission,
    termination,
    waivers,
)
from workflows.ledger import posting, voucher

STAGES = tuple(Stage)[1:14]
ENDABLE = STAGES[:-1]
MONTH = "2026-03"
ACCOUNTS = ("1002", "1122", "2002", "2203", "2221", "6021")


def draw_up(line, project, **facts):
    given = {"project_id": project.id, "cause": "CUSTOMER", "reason": "客户改向他行借款", **facts}
    return records.create(line.ctx(MANAGER), Termination, given)


def end(line, project, **facts):
    """Drawn up, submitted, and approved where that is asked."""
    made = draw_up(line, project, **facts)
    termination.submit(line.ctx(MANAGER), made, made.version)
    if made.state is PaperState.IN_APPROVAL:
        line.approve(made)
    return made


def waive(line, fee, amount):
    facts = {"project_id": fee.project_id, "fee_id": fee.id, "amount": amount, "reason": "优惠"}
    waiver = records.create(line.ctx(MANAGER), FeeWaiver, facts)
    waivers.submit(line.ctx(MANAGER), waiver)
    line.approve(waiver)


def every(line, model, project):
    return line.session.scalars(
        select(model).where(model.project_id == project.id).order_by(model.id)
    ).all()


def problems(line):
    checks = (verify.verify_exposures, verify.verify_fees, verify.verify_stages)
    return [problem for check in checks for problem in check(line.session)]


def balances(line):
    return {code: balance_of(line.session, code, MONTH) for code in ACCOUNTS}


def post(line):
    """Every voucher that was made goes through four hands."""
    drafts = select(Voucher).where(Voucher.state == VoucherState.DRAFT).order_by(Voucher.number)
    for draft in line.session.scalars(drafts).all():
        voucher.review(line.ctx("陈伟"), draft)
        if draft.is_cash:
            voucher.sign(line.ctx(CASHIER), draft)
        ctx = line.ctx("陈伟")
        ctx.actor = replace(ctx.actor, employee_id=line.id("卫东"))
        voucher.post(ctx, draft)


@pytest.mark.parametrize("place", ENDABLE, ids=lambda place: place.name)
def test_a_project_ends_at_every_stage_before_the_drawdown(line, place):
    project = line.at(place)
    used = sum(line_used(line.session, project.bank)) - project.reserved_amount
    made = end(line, project)
    assert (project.state, project.stage, project.reserved_amount) == (
        ProjectState.CANCELLED,
        place,
        0,
    )
    assert (made.state, made.stage, made.approved_on) == (PaperState.APPROVED, place, line.today)
    assert made.number.startswith("ZZ2026-")
    line.book(project)
    assert made.settled_on == line.today
    assert sum(line_used(line.session, project.bank)) == used
    last = every(line, ProjectStage, project)[-1]
    assert (last.stage, last.left_on, last.outcome) == (
        place,
        line.today,
        f"终止办理 {made.number}",
    )
    assert {fee.state for fee in every(line, Fee, project)} <= {FeeState.CANCELLED}
    assert {contract.state for contract in every(line, Contract, project)} <= {PaperState.VOID}
    assert {item.released_on for item in every(line, CounterGuarantee, project)} <= {line.today}
    assert problems(line) == []
    with pytest.raises(IllegalTransition, match="已终止，不能终止办理"):
        draw_up(line, project)


def test_nothing_booked_ends_at_once_and_what_is_booked_is_approved(line):
    early, late = line.at(Stage.FEE_PLAN), line.at(Stage.FEE_BOOK)
    assert termination.submit(line.ctx(MANAGER), draw_up(line, early)).state is PaperState.APPROVED
    made = draw_up(line, late)
    termination.submit(line.ctx(MANAGER), made)
    assert (made.state, late.state) == (PaperState.IN_APPROVAL, ProjectState.RUNNING)
    assert [line.decide(made) for _ in range(3)] == [DEPARTMENT_HEAD, ACCOUNTANT, VICE]
    assert late.state is ProjectState.CANCELLED


def test_all_that_was_collected_goes_back_and_the_books_are_as_before(line):
    post(line)
    before = balances(line)
    assert before["1122"] > 0, "other projects' vouchers"
    project = line.apply()
    while project.stage is not Stage.FEE_COLLECT:
        line.step(project)
    fee, service, deposit = (
        line.fee(project, kind) for kind in ("GUARANTEE", "SERVICE", "DEPOSIT")
    )
    waive(line, fee, "4999.99")
    for amount in ("10000.01", "20000.02"):
        line.collect(fee, amount)
    line.collect(service)
    line.collect(deposit, "100000")
    line.book(project)
    made = end(line, project)
    assert (made.receivable_amount, made.refund_amount, made.deposit_amount) == (
        Decimal("39999.98"),
        Decimal("40000.03"),
        100000,
    )
    assert (made.settled_on, fee.collected_amount) == (None, Decimal("30000.03"))
    assert {event.event_code for event in line.events(project, EventState.PENDING)} == set(
        refunds.CODES
    )
    line.book(project)
    assert made.settled_on == line.today
    assert (fee.collected_amount, fee.waived_amount, fee.open_amount) == (0, 75000, 0)
    assert {r.state for r in every(line, Receipt, project)} == {
        ReceiptState.REFUNDED,
        ReceiptState.BOOKED,
    }
    post(line)
    assert balances(line) == before, "to the fen"
    assert problems(line) == []


def test_every_fen_of_tax_goes_back_whatever_was_collected(line):
    project = line.at(Stage.FEE_COLLECT)
    fee = line.fee(project)
    for amount in ("0.01", "0.02", "12345.67", "62654.30"):
        line.collect(fee, amount)
    line.book(project)
    assert fee.open_amount == 0
    end(line, project)
    parts = [e for e in line.events(project, EventState.PENDING) if e.event_code == "fee.refunded"]
    assert sum(Decimal(e.amounts["tax"]) for e in parts) == fee.vat_amount
    assert sum(Decimal(e.amounts["deferred"]) for e in parts) == fee.amount - fee.vat_amount


def test_a_part_that_is_sent_back_is_handed_in_again(line):
    project = line.at(Stage.NOTICE)
    made = end(line, project)
    refund, *others = line.events(project, EventState.PENDING)
    with pytest.raises(Conflict, match="没有复核退回的事项"):
        refunds.settle_again(line.ctx(MANAGER), made)
    line.refuse(refund, "收款账号不符")
    line.book(project)
    assert (made.returned_reason, made.settled_on) == ("收款账号不符", None)
    with pytest.raises(NotAllowed):
        refunds.settle_again(line.ctx(CASHIER), made)
    with pytest.raises(NotFound):
        refunds.settle_again(line.ctx(OUTSIDER), made)
    with pytest.raises(StaleRecord):
        refunds.settle_again(line.ctx(MANAGER), made, made.version - 1)
    refunds.settle_again(line.ctx(MANAGER), made, made.version)
    assert (refund.state, made.returned_reason) == (EventState.PENDING, None)
    line.book(project)
    assert made.settled_on == line.today
    del others


def test_what_is_taken_back_from_the_books_is_open_again(line):
    project = line.at(Stage.NOTICE)
    made = end(line, project)
    line.book(project)
    for event in [
        e for e in line.events(project, EventState.BOOKED) if e.event_code in refunds.CODES
    ]:
        line.unbook(event)
    fee = line.fee(project)
    assert (made.settled_on, fee.collected_amount, fee.waived_amount) == (None, 75000, 0)
    assert {r.state for r in every(line, Receipt, project)} == {ReceiptState.BOOKED}
    line.book(project)
    assert (made.settled_on, fee.collected_amount) == (line.today, 0)


def test_what_the_end_has_given_back_is_not_taken_out_of_the_books_again(line):
    project = line.at(Stage.FEE_COLLECT)
    fee = line.fee(project)
    waive(line, fee, "1")
    line.collect(fee, "10000")
    line.book(project)
    end(line, project)
    for code in ("fee.registered", "fee.waived", "fee.collected"):
        event = next(e for e in line.events(project, EventState.BOOKED, code=code))
        with pytest.raises(Conflict, match="已冲回或退还"):
            line.unbook(event)


def test_registrations_that_wait_are_withdrawn(line):
    project = line.at(Stage.FEE_BOOK)
    first, *_ = line.events(project, EventState.PENDING)
    made = end(line, project)
    assert {e.state for e in line.events(project)} == {EventState.CANCELLED}
    assert (made.receivable_amount, made.settled_on) == (0, line.today)
    assert first.reason == f"项目终止办理 {made.number}"


def test_money_that_waits_for_review_is_booked_first(line):
    project = line.at(Stage.FEE_COLLECT)
    made = draw_up(line, project)
    line.collect(line.fee(project), "100")
    with pytest.raises(BusinessError, match="尚有待复核的费用收取"):
        termination.submit(line.ctx(MANAGER), made)
    line.book(project)
    termination.submit(line.ctx(MANAGER), made)
    with pytest.raises(Conflict, match="正在审批，不能收取费用"):
        line.collect(line.fee(project), "100")
    line.unbook(line.events(project, code="fee.collected")[0])
    line.decide(made)
    line.decide(made)
    with pytest.raises(BusinessError, match="尚有待复核的费用收取"):
        line.decide(made)


def test_nothing_is_paid_out_while_the_end_is_under_approval(line):
    for place in (Stage.NOTICE, Stage.CONFIRM):
        termination.submit(line.ctx(MANAGER), draw_up(line, line.at(place)))
    with pytest.raises(Conflict, match="正在审批，不能出具放款通知单"):
        disbursement.issue_notice(line.ctx(MANAGER), line.at(Stage.NOTICE))
    with pytest.raises(Conflict, match="正在审批，不能放款确认"):
        line.confirm(line.at(Stage.CONFIRM))


@pytest.mark.parametrize(
    ("decision", "state"), [("give_back", PaperState.DRAFT), ("reject", PaperState.REJECTED)]
)
def test_without_approval_the_project_goes_on(line, decision, state):
    project = line.at(Stage.NOTICE)
    made = draw_up(line, project)
    with pytest.raises(FieldErrors, match="已有终止办理申请"):
        draw_up(line, project)
    termination.submit(line.ctx(MANAGER), made)
    getattr(line, decision)(made)
    assert (made.state, project.state) == (state, ProjectState.RUNNING)
    if state is PaperState.DRAFT:
        records.update(line.ctx(MANAGER), made, {"reason": "补充说明"}, made.version)
        termination.submit(line.ctx(MANAGER), made)
        line.approve(made)
        assert project.state is ProjectState.CANCELLED
    else:
        assert line.step(project) is Stage.CONFIRM


def test_running_approvals_are_called_off_and_drafts_come_to_nothing(line):
    project = line.at(Stage.EVALUATE)
    report = line.report(project)
    appraisal.submit_report(line.ctx(MANAGER), report)
    line.decide(report)  # somebody has agreed already, so the applicant could not withdraw it
    end(line, project)
    (instance,) = every(line, ApprovalInstance, project)
    assert (instance.state, report.state) == (ApprovalState.WITHDRAWN, PaperState.VOID)
    assert every(line, InvestigationReport, project) == [report]


def test_a_resolution_that_waits_for_the_president_falls_with_its_project(line):
    project = line.at(Stage.RESOLVE)
    line.resolve(project)
    end(line, project)
    assert line.resolution(project).state is ResolutionState.VOID
    states = {instance.state for instance in every(line, ApprovalInstance, project)}
    assert states == {ApprovalState.APPROVED, ApprovalState.WITHDRAWN}


def test_a_valid_resolution_falls_with_its_project(line):
    project = line.at(Stage.FEE_PLAN)
    end(line, project)
    assert (line.resolution(project).state, project.reserved_amount) == (ResolutionState.VOID, 0)


def test_the_board_no_longer_votes_on_it(line):
    project = line.at(Stage.RESOLVE)
    meeting = resolution.open_meeting(line.ctx(SECRETARY), line.meeting(project))
    end(line, project)
    (item,) = line.session.scalars(select(resolution.MeetingItem).filter_by(meeting_id=meeting.id))
    assert (item.result, item.summary) == (ItemState.WITHDRAWN, "撤下：项目终止办理")
    with pytest.raises(Conflict, match="议题已撤下"):
        resolution.cast(line.ctx(BOARD[0]), item, VoteChoice.AGREE)
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert meeting.state is MeetingState.CLOSED


def test_a_refused_renewal_gives_back_what_the_books_hold(line):
    project = line.at(Stage.NOTICE)
    line.run_out(project)
    resubmission.resubmit(line.ctx(MANAGER), project, "继续办理")
    line.resolve(project, *(VoteChoice.OPPOSE,) * 5)
    assert project.state is ProjectState.REFUSED
    made = end(line, project, cause="REFUSED")
    assert (project.state, made.stage, made.refund_amount > 0) == (
        ProjectState.CANCELLED,
        Stage.RESOLVE,
        True,
    )
    line.book(project)
    assert problems(line) == []
    with pytest.raises(IllegalTransition):
        resubmission.reconsider(line.ctx(MANAGER), project, "再议")


def test_a_refusal_without_money_needs_no_end(line):
    project = line.at(Stage.RESOLVE)
    line.resolve(project, *(VoteChoice.OPPOSE,) * 5)
    with pytest.raises(IllegalTransition, match="已否决，不能终止办理"):
        draw_up(line, project)


def test_a_guarantee_in_force_is_released_not_ended(line):
    with pytest.raises(IllegalTransition, match="在保，不能终止办理"):
        draw_up(line, line.at(Stage.IN_FORCE))


def test_who_may_end_a_project(line):
    project = line.at(Stage.EVALUATE)
    made = draw_up(line, project)
    with pytest.raises(NotAllowed):
        termination.submit(line.ctx(CASHIER), made)
    with pytest.raises(NotFound):
        termination.submit(line.ctx(OUTSIDER), made)
    with pytest.raises(StaleRecord):
        termination.submit(line.ctx(MANAGER), made, made.version - 1)


def test_a_fee_that_was_opened_again_gives_back_what_is_booked(line):
    project = line.at(Stage.RESOLVE)
    line.confirmed(project, Decimal(4_000_000))
    while project.stage is not Stage.NOTICE:
        line.step(project)
    line.run_out(project)
    resubmission.resubmit(line.ctx(MANAGER), project, "继续办理")
    line.confirmed(project)
    fee = line.fee(project)
    assert (fee.state, fee.amount) == (FeeState.DRAFT, 75000)
    made = end(line, project)
    line.book(project)
    assert (made.receivable_amount, fee.collected_amount, fee.waived_amount) == (0, 0, 60000)
    assert problems(line) == []


def test_the_ledger_may_raise_such_events_for_other_records(line):
    project = line.at(Stage.EVALUATE)
    event = posting.raise_event(
        line.ctx(),
        "deposit.returned",
        record=project.customer,
        project=project,
        amounts={"amount": Decimal(5)},
    )
    line.refuse(event)
    posting.raise_event(
        line.ctx(),
        "deposit.returned",
        record=project.customer,
        project=project,
        amounts={"amount": Decimal(5)},
    )
    line.book(project)
    line.unbook(event)
    assert event.state is EventState.PENDING
