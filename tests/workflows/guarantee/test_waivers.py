"""4.5a 费用减免: approved, booked, and only then off the receivable; what is unearned goes before income."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import Conflict, FieldErrors, NotAllowed
from models.base.paper import PaperState
from models.guarantee.project import Stage
from models.guarantee.signing import FeeState, FeeWaiver
from models.ledger.voucher import EventState
from tests.workflows.guarantee.factories import CASHIER, MANAGER
from workflows.base import records
from workflows.guarantee import waivers
from workflows.verify import verify_approvals

STAGES = (Stage.COUNTER, Stage.FEE_COLLECT, Stage.IN_FORCE)


@pytest.fixture
def project(line):
    return line.at(Stage.FEE_COLLECT)


@pytest.fixture
def fee(line, project):
    return line.fee(project)


def draw_up(line, fee, amount, **facts):
    given = {
        "project_id": fee.project_id,
        "fee_id": fee.id,
        "amount": amount,
        "reason": "政策性减费",
        **facts,
    }
    return records.create(line.ctx(MANAGER), FeeWaiver, given)


def grant(line, fee, amount):
    waiver = draw_up(line, fee, amount)
    waivers.submit(line.ctx(MANAGER), waiver)
    line.approve(waiver)
    return waiver


def amounts(line, waiver):
    (event,) = (
        e
        for e in line.events(waiver.project)
        if e.event_code == "fee.waived" and e.record_id == waiver.id
    )
    return {key: value for key, value in event.amounts.items() if value != "0.00"}


def test_a_waiver_counts_once_it_is_booked(line, project, fee):
    waiver = grant(line, fee, "15000")
    assert (waiver.state, waiver.is_booked, fee.waived_amount) == (PaperState.APPROVED, False, 0)
    assert amounts(line, waiver) == {"gross": "15000.00", "deferred": "14150.95", "tax": "849.05"}
    line.book(project)
    assert (waiver.is_booked, fee.waived_amount, fee.open_amount) == (True, 15000, 60000)
    assert line.dues(fee)[0].settled_amount == 15000


def test_other_fees_give_up_income_at_once(line, project):
    assert amounts(line, grant(line, line.fee(project, "SERVICE"), "10000")) == {
        "gross": "10000.00",
        "earned": "9433.96",
        "tax": "566.04",
    }


def test_waivers_leave_no_fen_behind_whatever_the_steps(line, project, fee):
    parts = [
        amounts(line, grant(line, fee, amount)) for amount in ("10000.01", "24999.98", "40000.01")
    ]
    assert sum(Decimal(p["tax"]) for p in parts) == fee.vat_amount
    assert sum(Decimal(p["deferred"]) for p in parts) == fee.amount - fee.vat_amount
    line.book(project)
    assert fee.open_amount == 0


def test_a_waiver_of_all_moves_the_project_on(line, project, fee):
    for kind in ("SERVICE", "DEPOSIT"):
        line.collect(line.fee(project, kind))
    grant(line, fee, "75000")
    assert project.stage is Stage.FEE_COLLECT
    line.book(project)
    assert project.stage is Stage.NOTICE


def test_what_is_under_approval_can_neither_be_collected_nor_waived_again(line, fee):
    waiver = draw_up(line, fee, "50000")
    waivers.submit(line.ctx(MANAGER), waiver)
    with pytest.raises(FieldErrors, match=r"待收 25,000\.00 元"):
        line.collect(fee, "25000.01")
    with pytest.raises(FieldErrors, match=r"待收 25,000\.00 元"):
        draw_up(line, fee, "25000.01")
    line.approve(waiver)
    with pytest.raises(FieldErrors, match=r"待收 25,000\.00 元"):
        line.collect(fee, "25000.01")


def test_a_draft_that_meanwhile_is_too_much_is_refused_at_submission(line, fee):
    waiver = draw_up(line, fee, "50000")
    line.collect(fee, "50000")
    with pytest.raises(FieldErrors, match=r"待收 25,000\.00 元，减免金额不能超过"):
        waivers.submit(line.ctx(MANAGER), waiver)


@pytest.mark.parametrize(
    ("decision", "state"), [("give_back", PaperState.DRAFT), ("reject", PaperState.REJECTED)]
)
def test_without_approval_nothing_reaches_the_books(line, project, fee, decision, state):
    waiver = draw_up(line, fee, "100")
    waivers.submit(line.ctx(MANAGER), waiver, waiver.version)
    getattr(line, decision)(waiver)
    assert (waiver.state, line.events(project, EventState.PENDING)) == (state, [])


def test_a_refused_waiver_is_a_draft_again_with_the_reason_and_is_raised_anew(line, project, fee):
    waiver = grant(line, fee, "15000")
    event = line.events(project, EventState.PENDING)[0]
    line.refuse(event, "附件不全")
    assert (waiver.state, waiver.returned_reason) == (PaperState.DRAFT, "附件不全")
    waivers.submit(line.ctx(MANAGER), waiver)
    line.approve(waiver)
    assert (event.state, waiver.returned_reason) == (EventState.PENDING, None)
    line.book(project)
    assert fee.waived_amount == 15000


def test_taking_the_booking_back_takes_the_waiver_back(line, project, fee):
    waiver = grant(line, fee, "15000")
    line.book(project)
    line.unbook(line.events(project, code="fee.waived")[0])
    assert (waiver.is_booked, fee.waived_amount, line.dues(fee)[0].settled_amount) == (False, 0, 0)


def test_in_force_what_is_unearned_goes_first_and_then_income(line):
    project = line.at(Stage.IN_FORCE)
    fee = line.fee(project)
    fee.collected_amount = Decimal(0)  # as if the fee were still to be collected
    assert amounts(line, grant(line, fee, "10000")) == {
        "gross": "10000.00",
        "recognised": "9433.97",
        "tax": "566.03",
    }
    (recognition,) = line.events(project, code="income.recognised")
    recognition.total = Decimal("60000.00")
    line.session.flush()
    assert amounts(line, grant(line, fee, "5000")) == {
        "gross": "5000.00",
        "deferred": "1320.75",
        "recognised": "3396.23",
        "tax": "283.02",
    }


def test_only_booked_receivables_of_the_project_can_be_waived(line, project, fee):
    other = line.fee(line.at(Stage.IN_FORCE))
    with pytest.raises(FieldErrors, match="不属于项目"):
        draw_up(line, other, "100", project_id=project.id)
    for kind in ("DEPOSIT", "PENALTY"):
        with pytest.raises(FieldErrors, match="不能减免"):
            draw_up(line, line.fee(project, kind), "100")
    with pytest.raises(Conflict, match="不能减免费用"):
        draw_up(line, line.fee(line.at(Stage.COUNTER)), "100")
    waiver = draw_up(line, fee, "100")
    with pytest.raises(NotAllowed):
        waivers.submit(line.ctx(CASHIER), waiver)
    fee.state = FeeState.SUBMITTED
    with pytest.raises(Conflict, match="记账后才能减免"):
        waivers.submit(line.ctx(MANAGER), waiver)


def test_a_draft_may_be_changed_and_keeps_its_number(line, fee):
    waiver = draw_up(line, fee, "100")
    number = waiver.number
    records.update(line.ctx(MANAGER), waiver, {"amount": "75000"}, waiver.version)
    assert (waiver.number, waiver.amount) == (number, 75000)


def test_a_waiver_that_was_sent_back_and_is_deleted_leaves_the_queue(line, project, fee):
    waiver = grant(line, fee, "15000")
    event = line.events(project, EventState.PENDING)[0]
    approved = line.session.scalars(
        select(ApprovalInstance).where(ApprovalInstance.table_name == "fee_waiver")
    ).one()
    with pytest.raises(Conflict, match=r"不能删除：审批单.*已通过"):
        records.delete(line.ctx(MANAGER), waiver, waiver.version)
    line.refuse(event, "附件不全")
    assert approved.state is ApprovalState.LAPSED  # approved was what 复核 has sent back
    records.delete(line.ctx(MANAGER), waiver, waiver.version)
    assert event.state is EventState.CANCELLED
    assert verify_approvals(line.session) == []
    line.collect(fee)
