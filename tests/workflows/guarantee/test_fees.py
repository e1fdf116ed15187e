"""4.4a 费用登记 and 4.4b 费用记账: fees follow the resolution, are booked once, and come back with a reason."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import (
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.guarantee.product import FeeKind, ProductFee
from models.guarantee.project import ProjectStage, Stage
from models.guarantee.resolution import ResolutionState
from models.guarantee.signing import Fee, FeeState
from models.ledger.voucher import EventState
from tests.workflows.guarantee.factories import ACCOUNTANT, CASHIER, MANAGER, OUTSIDER
from workflows.base import records
from workflows.guarantee import fees
from workflows.ledger import posting

STAGES = (Stage.FEE_PLAN, Stage.FEE_BOOK, Stage.FEE_COLLECT)


@pytest.fixture
def project(line):
    return line.at(Stage.FEE_PLAN)


def register(line, project, kind="OTHER", **facts):
    given = {
        "project_id": project.id,
        "kind": kind,
        "rate_pct": "0.3",
        "is_rate_annual": False,
        "vat_rate_pct": "6",
    }
    return records.create(line.ctx(MANAGER), Fee, {**given, **facts})


def propose(line, project):
    return {fee.kind: fee for fee in fees.propose_fees(line.ctx(MANAGER), project)}


def test_proposed_fees_follow_product_and_resolution(line, project):
    line.resolution(project).fee_rate_pct = Decimal("1.8")
    found = propose(line, project)
    assert set(found) == {FeeKind.GUARANTEE, FeeKind.DEPOSIT, FeeKind.SERVICE, FeeKind.PENALTY}
    guarantee, penalty = found[FeeKind.GUARANTEE], found[FeeKind.PENALTY]
    assert (guarantee.rate_pct, guarantee.amount, guarantee.vat_amount) == (
        Decimal("1.8"),
        Decimal("90000.00"),
        Decimal("5094.34"),
    )
    assert found[FeeKind.DEPOSIT].amount == Decimal(250000)
    assert (found[FeeKind.SERVICE].amount, found[FeeKind.SERVICE].vat_amount) == (
        Decimal(10000),
        Decimal("566.04"),
    )
    assert (penalty.rate_pct, penalty.amount, line.dues(penalty)) == (Decimal("0.05"), 0, [])
    assert [(d.due_on, d.amount) for d in line.dues(guarantee)] == [(line.today, Decimal(90000))]
    assert {fee.state for fee in found.values()} == {FeeState.DRAFT}


def test_proposing_again_adds_only_what_is_missing(line, project):
    register(line, project, "SERVICE", fixed_amount="8000")
    assert FeeKind.SERVICE not in propose(line, project)
    assert propose(line, project) == {}


def test_a_product_without_fees_proposes_the_penalty_alone(line, project):
    for row in line.session.scalars(
        select(ProductFee).where(ProductFee.product_id == project.product_id)
    ):
        line.session.delete(row)
    assert set(propose(line, project)) == {FeeKind.PENALTY}


def test_a_resolution_below_the_application_is_the_base(line, project):
    line.resolution(project).amount = Decimal(4_000_000)
    assert propose(line, project)[FeeKind.GUARANTEE].amount == Decimal(60000)


def test_the_plan_follows_each_change_of_the_terms(line, project):
    line.resolution(project).term_months = 18
    fee = register(line, project, "SERVICE", payment="MONTHLY", fixed_amount="100")
    assert (len(line.dues(fee)), sum(d.amount for d in line.dues(fee))) == (18, Decimal(100))
    records.update(line.ctx(MANAGER), fee, {"payment": "YEARLY"}, fee.version)
    line.session.expire_all()
    assert [(d.due_on, d.amount) for d in line.dues(fee)] == [
        (line.today, Decimal("66.67")),
        (date(2027, 3, 2), Decimal("33.33")),
    ]
    records.update(
        line.ctx(MANAGER), fee, {"payment": "MONTHLY", "fixed_amount": "180"}, fee.version
    )
    assert {d.amount for d in line.dues(fee)} == {Decimal(10)}


@pytest.mark.parametrize(
    ("kind", "facts", "field"),
    [
        ("GUARANTEE", {"rate_pct": "1.4", "is_rate_annual": True}, "rate_pct"),
        ("GUARANTEE", {"rate_pct": "1.5", "is_rate_annual": False}, "rate_pct"),
        (
            "GUARANTEE",
            {"rate_pct": "1.5", "is_rate_annual": True, "fixed_amount": "100"},
            "fixed_amount",
        ),
        ("DEPOSIT", {"vat_rate_pct": "6"}, "vat_rate_pct"),
        ("DEPOSIT", {"vat_rate_pct": "0", "payment": "YEARLY"}, "payment"),
        ("PENALTY", {"vat_rate_pct": "3"}, "vat_rate_pct"),
        ("PENALTY", {"vat_rate_pct": "0", "fixed_amount": "100"}, "fixed_amount"),
    ],
)
def test_terms_that_do_not_fit_are_named_at_their_field(line, project, kind, facts, field):
    with pytest.raises(FieldErrors) as caught:
        register(line, project, kind, **facts)
    assert set(caught.value.field_errors) == {field}


def test_a_fee_of_a_kind_is_registered_once(line, project):
    register(line, project)
    with pytest.raises(FieldErrors, match="已存在"):
        register(line, project)


def test_fees_need_the_stage_and_a_resolution_in_force(line, project):
    with pytest.raises(IllegalTransition, match="到“费用登记”时才能登记费用"):
        register(line, line.at(Stage.FEE_BOOK))
    line.resolution(project).state = ResolutionState.EXPIRED
    for verb in (propose, lambda ln, p: fees.submit_fees(ln.ctx(MANAGER), p), register):
        with pytest.raises(Conflict, match="有效期内的公司决议"):
            verb(line, project)


def test_each_receivable_becomes_one_event_and_the_last_booking_moves_the_project_on(line, project):
    found = propose(line, project)
    fees.submit_fees(line.ctx(MANAGER), project, project.version)
    assert project.stage is Stage.FEE_BOOK
    events = {event.record_id: event for event in line.events(project)}
    assert set(events) == {found[FeeKind.GUARANTEE].id, found[FeeKind.SERVICE].id}
    assert events[found[FeeKind.GUARANTEE].id].amounts == {
        "gross": "75000.00",
        "deferred": "70754.72",
        "tax": "4245.28",
    }
    assert events[found[FeeKind.SERVICE].id].amounts == {
        "gross": "10000.00",
        "earned": "9433.96",
        "tax": "566.04",
    }
    assert (found[FeeKind.DEPOSIT].state, found[FeeKind.SERVICE].state) == (
        FeeState.BOOKED,
        FeeState.SUBMITTED,
    )
    first, last = events.values()
    posting.book(line.ctx(ACCOUNTANT), first)
    assert project.stage is Stage.FEE_BOOK
    posting.book(line.ctx(ACCOUNTANT), last)
    assert project.stage is Stage.CONTRACT
    assert {fee.state for fee in found.values()} == {FeeState.BOOKED}
    done = line.session.scalars(
        select(ProjectStage).where(
            ProjectStage.project_id == project.id, ProjectStage.stage == Stage.FEE_BOOK
        )
    ).one()
    assert done.done_by_id == line.id(ACCOUNTANT)


@pytest.mark.parametrize("with_deposit", [True, False])
def test_without_a_receivable_the_project_passes_straight_on(line, project, with_deposit):
    if with_deposit:
        register(line, project, "DEPOSIT", vat_rate_pct="0", rate_pct="5")
        register(line, project, "SERVICE", rate_pct="0")
    fees.submit_fees(line.ctx(MANAGER), project)
    assert (project.stage, line.events(project)) == (Stage.CONTRACT, [])


def test_a_refused_fee_comes_back_with_its_reason_and_is_not_booked_twice(line, project):
    found = propose(line, project)
    fees.submit_fees(line.ctx(MANAGER), project)
    guarantee, service = line.events(project)
    posting.book(line.ctx(ACCOUNTANT), guarantee)
    line.refuse(service, "服务费应为约定金额")
    fee = found[FeeKind.SERVICE]
    assert (fee.state, fee.returned_reason, project.stage) == (
        FeeState.DRAFT,
        "服务费应为约定金额",
        Stage.FEE_PLAN,
    )
    assert found[FeeKind.DEPOSIT].state is FeeState.DRAFT
    assert found[FeeKind.GUARANTEE].state is FeeState.BOOKED
    records.update(line.ctx(MANAGER), fee, {"fixed_amount": "9000"}, fee.version)
    fees.submit_fees(line.ctx(MANAGER), project)
    assert (fee.state, fee.returned_reason) == (FeeState.SUBMITTED, None)
    assert [e.id for e in line.events(project, EventState.PENDING)] == [service.id]
    line.book(project)
    assert (project.stage, service.total, len(line.events(project))) == (
        Stage.CONTRACT,
        Decimal(9000),
        2,
    )


def test_two_refusals_bring_the_project_back_once(line, project):
    propose(line, project)
    fees.submit_fees(line.ctx(MANAGER), project)
    for event in line.events(project):
        line.refuse(event)
    assert project.stage is Stage.FEE_PLAN
    assert {line.fee(project, kind).state for kind in ("GUARANTEE", "SERVICE")} == {FeeState.DRAFT}


def test_a_fee_booked_while_another_is_mended_waits_for_it(line, project):
    propose(line, project)
    fees.submit_fees(line.ctx(MANAGER), project)
    guarantee, service = line.events(project)
    line.refuse(service)
    posting.book(line.ctx(ACCOUNTANT), guarantee)
    assert project.stage is Stage.FEE_PLAN
    fees.submit_fees(line.ctx(MANAGER), project)
    line.book(project)
    assert project.stage is Stage.CONTRACT


def test_booked_fees_go_back_into_the_queue_but_no_further_once_the_project_has_gone_on(line):
    project = line.at(Stage.FEE_COLLECT)
    event = line.events(project)[0]
    fee = line.fee(project)
    line.unbook(event)
    assert fee.state is FeeState.SUBMITTED
    with pytest.raises(Conflict, match="不能退回重新登记"):
        line.refuse(event)


def test_rebooking_a_fee_later_does_not_move_the_project(line):
    project = line.at(Stage.FEE_COLLECT)
    line.unbook(line.events(project)[0])
    line.book(project)
    assert (line.fee(project).state, project.stage) == (FeeState.BOOKED, Stage.FEE_COLLECT)


def test_a_fee_with_receipts_stays_booked(line):
    project = line.at(Stage.FEE_COLLECT)
    receipt = line.collect(line.fee(project), "100")
    with pytest.raises(Conflict, match=f"已有收款或减免（{receipt.number}）"):
        line.unbook(line.events(project)[0])


def test_a_fee_with_a_booked_waiver_stays_booked(line):
    project = line.at(Stage.FEE_COLLECT)
    line.fee(project).waived_amount = Decimal(100)
    with pytest.raises(Conflict, match="费用减免"):
        line.unbook(line.events(project)[0])


def test_submitted_fees_cannot_be_changed_or_deleted(line):
    fee = line.fee(line.at(Stage.FEE_BOOK))
    with pytest.raises(Conflict, match="待复核"):
        records.update(line.ctx(MANAGER), fee, {"note": "x"}, fee.version)
    with pytest.raises(Conflict, match="待复核"):
        records.delete(line.ctx(MANAGER), fee, fee.version)


def test_only_who_may_and_sees_it_submits(line, project):
    with pytest.raises(NotAllowed):
        fees.submit_fees(line.ctx(CASHIER), project)
    with pytest.raises(NotFound):
        fees.submit_fees(line.ctx(OUTSIDER), project)
    with pytest.raises(NotFound):
        fees.propose_fees(line.ctx(OUTSIDER), project)
    with pytest.raises(NotAllowed):
        fees.propose_fees(line.ctx(CASHIER), project)
    with pytest.raises(StaleRecord):
        fees.submit_fees(line.ctx(MANAGER), project, project.version - 1)
    with pytest.raises(IllegalTransition):
        fees.submit_fees(line.ctx(MANAGER), line.at(Stage.FEE_BOOK))


def test_a_fee_that_was_sent_back_and_is_deleted_leaves_the_queue(line):
    project = line.at(Stage.FEE_BOOK)
    service = line.fee(project, "SERVICE")
    event = next(e for e in line.events(project, EventState.PENDING) if e.record_id == service.id)
    line.refuse(event)
    records.delete(line.ctx(MANAGER), service, service.version)
    assert (event.state, event.reason) == (EventState.CANCELLED, "服务费登记已删除")
    line.book(project)
    fees.submit_fees(line.ctx(MANAGER), project)
    assert project.stage is Stage.CONTRACT
