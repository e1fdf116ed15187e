"""4.5a 费用收取: never above what is open, counted when booked, and the last part moves the project on."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.guarantee.project import ProjectState, Stage
from models.guarantee.signing import FeeState, Receipt, ReceiptState
from models.ledger.voucher import EventState
from tests.workflows.guarantee.factories import ACCOUNTANT, CASHIER, MANAGER
from workflows.guarantee import collection
from workflows.ledger import posting

STAGES = (Stage.COUNTER, Stage.FEE_COLLECT)


@pytest.fixture
def project(line):
    return line.at(Stage.FEE_COLLECT)


@pytest.fixture
def fee(line, project):
    return line.fee(project)


def test_a_receipt_waits_for_the_books_and_then_counts(line, project, fee):
    receipt = line.collect(fee, "30000", bank_reference=" LS-1 ", payer=" 江州明达 ")
    assert (receipt.state, fee.collected_amount) == (ReceiptState.SUBMITTED, 0)
    assert (receipt.payer, receipt.bank_reference, receipt.document.number) == (
        "江州明达",
        "LS-1",
        receipt.number,
    )
    assert "叁万元整" in receipt.document.body
    assert "LS-1" in receipt.document.body
    (event,) = line.events(project, EventState.PENDING)
    assert (event.event_code, event.amounts) == ("fee.collected", {"amount": "30000.00"})
    posting.book(line.ctx(ACCOUNTANT), event)
    assert (receipt.state, fee.collected_amount, fee.open_amount) == (
        ReceiptState.BOOKED,
        30000,
        45000,
    )
    assert [due.settled_amount for due in line.dues(fee)] == [Decimal(30000)]


def test_a_deposit_has_an_event_of_its_own(line, project):
    deposit = line.fee(project, "DEPOSIT")
    line.collect(deposit)
    (event,) = line.events(project, EventState.PENDING)
    assert (event.event_code, event.total) == ("deposit.received", Decimal(250000))
    line.book(project)
    assert (deposit.open_amount, project.stage) == (0, Stage.FEE_COLLECT)


def test_receipts_that_wait_count_against_what_is_open(line, fee):
    line.collect(fee, "70000")
    with pytest.raises(FieldErrors, match=r"待收 5,000\.00 元") as caught:
        line.collect(fee, "5000.01")
    assert set(caught.value.field_errors) == {"amount"}
    line.collect(fee, "5000")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"received_on": date(2026, 3, 3)}, "received_on"),
        ({"payer": " "}, "payer"),
        ({"payer": "长" * 101}, "payer"),
        ({"bank_account": "行" * 101}, "bank_account"),
        ({"bank_reference": "9" * 61}, "bank_reference"),
    ],
)
def test_a_wrong_receipt_is_named_at_its_field(line, fee, facts, field):
    with pytest.raises(FieldErrors) as caught:
        line.collect(fee, **{"amount": "100", **facts})
    assert set(caught.value.field_errors) == {field}


def test_one_transfer_for_three_fees_is_one_receipt_booked_fee_by_fee(line, project):
    chosen = [line.fee(project, kind) for kind in ("GUARANTEE", "DEPOSIT", "SERVICE")]
    lines = take_all(line, project, {fee: fee.amount for fee in chosen})
    assert len({(one.number, one.document_id) for one in lines}) == 1
    assert {one.bank_account for one in lines} == {"江州银行 3200"}
    printed = lines[0].document.data["receipt"]
    assert ([i["name"] for i in printed["items"]], printed["account"]) == (
        ["担保费", "客户保证金", "服务费"],
        "江州银行 3200",
    )
    assert "江州银行 3200" in lines[0].document.body
    assert Decimal(printed["total"]) == sum(fee.amount for fee in chosen)
    codes = [event.event_code for event in line.events(project, EventState.PENDING)]
    assert codes == ["fee.collected", "deposit.received", "fee.collected"]
    line.book(project)
    assert ([fee.open_amount for fee in chosen], project.stage) == ([0, 0, 0], Stage.NOTICE)
    assert collection.last_account(line.ctx(CASHIER)) == "江州银行 3200"


def test_a_receipt_over_three_fees_with_one_already_paid_is_refused_at_that_line(line, project):
    chosen = [line.fee(project, kind) for kind in ("GUARANTEE", "SERVICE", "DEPOSIT")]
    line.collect(chosen[1])
    with pytest.raises(FieldErrors, match=r"服务费待收 0\.00 元") as caught:
        take_all(line, project, {fee: fee.amount for fee in chosen})
    assert set(caught.value.field_errors) == {collection.line_key(chosen[1])}
    assert len(line.events(project, EventState.PENDING)) == 1
    assert line.session.query(Receipt).filter_by(project_id=project.id).count() == 1


def test_a_receipt_takes_no_fee_of_another_project_and_not_nothing(line, project):
    other = line.fee(line.at(Stage.COUNTER))
    with pytest.raises(NotFound):
        take_all(line, project, {other: Decimal(1)})
    with pytest.raises(BusinessError, match="至少填写一项"):
        take_all(line, project, {})
    with pytest.raises(StaleRecord):
        take_all(line, project, {line.fee(project): Decimal(1)}, version=project.version - 1)


def take_all(line, project, amounts, **more):
    money = collection.Money(line.today, "江州明达", " 江州银行 3200 ", "LS-9")
    return collection.collect_many(
        line.ctx(CASHIER), project, {f.id: a for f, a in amounts.items()}, money, **more
    )


def test_the_penalty_has_nothing_to_collect(line, project):
    with pytest.raises(FieldErrors, match=r"待收 0\.00 元"):
        line.collect(line.fee(project, "PENALTY"), "100")


def test_the_project_moves_on_with_the_last_booked_part(line, project):
    for kind in ("GUARANTEE", "SERVICE", "DEPOSIT"):
        line.collect(line.fee(project, kind))
    assert project.stage is Stage.FEE_COLLECT
    first, second, third = line.events(project, EventState.PENDING)
    for event in (first, second):
        posting.book(line.ctx(ACCOUNTANT), event)
        assert project.stage is Stage.FEE_COLLECT
    posting.book(line.ctx(ACCOUNTANT), third)
    assert project.stage is Stage.NOTICE


def test_of_a_yearly_fee_the_first_part_is_enough(line, project, fee):
    for kind in ("SERVICE", "DEPOSIT"):
        line.collect(line.fee(project, kind))
    due = line.dues(fee)[0]
    due.amount = Decimal(50000)
    line.session.add(type(due)(fee=fee, seq=2, due_on=date(2027, 3, 2), amount=Decimal(25000)))
    line.collect(fee, "50000")
    line.book(project)
    assert project.stage is Stage.NOTICE
    assert [d.settled_amount for d in line.dues(fee)] == [50000, 0]
    line.collect(fee, "25000")
    line.book(project)
    assert [d.settled_amount for d in line.dues(fee)] == [50000, 25000]


def test_a_refused_receipt_is_sent_back_and_the_money_registered_anew(line, project, fee):
    receipt = line.collect(fee)
    line.refuse(line.events(project, EventState.PENDING)[0], "未到账")
    assert (receipt.state, fee.collected_amount) == (ReceiptState.RETURNED, 0)
    again = line.collect(fee)
    assert again.number != receipt.number


def test_taking_a_booking_back_takes_the_money_back(line, project, fee):
    receipt = line.collect(fee, "30000")
    line.book(project)
    line.unbook(line.events(project, code="fee.collected")[0])
    assert (receipt.state, fee.collected_amount) == (ReceiptState.SUBMITTED, 0)
    assert [due.settled_amount for due in line.dues(fee)] == [0]


def test_the_same_events_from_other_records_concern_no_receipt(line, project, fee):
    code, amounts = "deposit.received", {"amount": Decimal(10)}
    ctx = line.ctx(ACCOUNTANT)
    event = posting.raise_event(ctx, code, record=project, project=project, amounts=amounts)
    posting.book(ctx, event)
    line.unbook(event)
    posting.refuse(ctx, event, "重复")
    assert line.session.query(Receipt).filter_by(project_id=project.id).count() == 0


def test_collecting_needs_the_stage_a_booked_fee_and_the_right(line, project, fee):
    with pytest.raises(NotAllowed):
        collection.collect(
            line.ctx(MANAGER), fee, amount=Decimal(1), received_on=line.today, payer="某某"
        )
    early = line.fee(line.at(Stage.COUNTER))
    with pytest.raises(Conflict, match="现处“反担保”，不能收取费用"):
        line.collect(early)
    with pytest.raises(StaleRecord):
        line.collect(fee, version=fee.version - 1)
    fee.state = FeeState.SUBMITTED
    with pytest.raises(Conflict, match="待复核，记账后才能收取"):
        line.collect(fee)
    fee.state = FeeState.BOOKED
    project.state = ProjectState.RELEASED
    with pytest.raises(Conflict, match="现处“已解保”"):
        line.collect(fee)
    project.state = ProjectState.RUNNING
    with pytest.raises(NotFound):
        line.collect(
            type(
                "Gone",
                (),
                {
                    "__tablename__": "fee",
                    "id": 10**9,
                    "open_amount": Decimal(1),
                    "project": project,
                },
            )()
        )


def test_fees_are_collected_in_force_too(line, fee, project):
    project.state, project.stage, project.start_on = (
        ProjectState.IN_FORCE,
        Stage.IN_FORCE,
        line.today,
    )
    project.end_on = line.today + timedelta(days=365)
    receipt = line.collect(fee)
    assert f"{project.start_on} 至 {project.end_on}" in receipt.document.body
    line.book(project)
    assert (project.stage, fee.open_amount) == (Stage.IN_FORCE, 0)


def test_a_fixed_fee_prints_no_rate_and_a_project_without_manager_no_handler(line, project):
    fee = line.fee(project, "SERVICE")
    fee.fixed_amount = fee.amount
    project.manager_id = None
    line.session.flush()
    line.session.expire(project, ["manager"])
    receipt = line.collect(fee)
    assert "0.2%" not in receipt.document.body
    assert receipt.document.data["receipt"]["handler"] == ""
    assert receipt.document.data["receipt"]["cashier"] == CASHIER


def test_a_receipt_sent_back_is_dealt_with_by_a_new_one_or_dropped(line, project, fee):
    for _ in range(2):
        receipt = line.collect(fee, "30000")
        (event,) = line.events(project, EventState.PENDING)
        line.refuse(event, "流水号不符")
    first, second = line.events(project, code="fee.collected")
    assert (first.state, first.reason) == (
        EventState.CANCELLED,
        f"已重新登记为收据 {receipt.number}",
    )
    assert (second.state, collection.is_sent_back(line.ctx(CASHIER), receipt)) == (
        EventState.REFUSED,
        True,
    )
    with pytest.raises(NotAllowed):
        collection.drop(line.ctx(MANAGER), receipt, "款项未到")
    with pytest.raises(StaleRecord):
        collection.drop(line.ctx(CASHIER), receipt, "款项未到", receipt.version - 1)
    collection.drop(line.ctx(CASHIER), receipt, "款项未到", receipt.version)
    assert (second.state, second.reason) == (EventState.CANCELLED, "款项未到")
    with pytest.raises(Conflict, match="没有退回待处理的复核单"):
        collection.drop(line.ctx(CASHIER), receipt, "款项未到")
