"""4.3 重新上会: what ran out is renewed and work goes on where it stood; a refusal is reconsidered once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.after.warning import RiskWarning
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
from models.guarantee.project import ProjectStage, ProjectState, Stage
from models.guarantee.resolution import ResolutionState, Resubmission, ResubmissionKind, VoteChoice
from models.guarantee.signing import FeeState
from models.ledger.voucher import EventState
from models.system.records import Attachment
from reports.figures.line import stage_due
from tests.workflows.guarantee.factories import ACCOUNTANT, CASHIER, MANAGER, MILLION, OUTSIDER
from workflows import verify
from workflows.after import warning
from workflows.base import records
from workflows.guarantee import (
    appraisal,
    contracts,
    counters,
    disbursement,
    expiry,
    fees,
    resubmission,
)
from workflows.ledger import posting

STAGES = (
    Stage.REVIEW,
    Stage.RESOLVE,
    Stage.FEE_PLAN,
    Stage.FEE_BOOK,
    Stage.CONTRACT,
    Stage.COUNTER,
    Stage.FEE_COLLECT,
    Stage.NOTICE,
    Stage.CONFIRM,
)
FOR, NO = VoteChoice.AGREE, VoteChoice.OPPOSE


def again(line, project, reason="客户仍需贷款，资料已更新"):
    return resubmission.resubmit(line.ctx(MANAGER), project, reason, project.version)


def appeal(line, project, **facts):
    return resubmission.reconsider(line.ctx(MANAGER), project, "新增抵押物", **facts)


def refused_fee(line, fee, **values):
    """What a save of the fee is refused with, taken back as the edge does."""
    outer = line.session.begin_nested()
    with pytest.raises(FieldErrors) as caught:
        records.update(line.ctx(MANAGER), fee, values, fee.version)
    outer.rollback()
    return caught.value.field_errors


def is_clean(line):
    checks = (verify.verify_exposures, verify.verify_fees, verify.verify_stages)
    return [problem for check in checks for problem in check(line.session)] == []


# -- a resolution that ran out -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", STAGES[2:], ids=lambda place: place.name)
def test_renewed_on_the_same_terms_the_project_goes_on_where_it_stood(line, place):
    project = line.at(place)
    papers = [
        line.contract(project, kind)
        for kind in ("ENTRUSTMENT", "GUARANTEE")
        if place.rank > Stage.CONTRACT.rank
    ]
    old = line.run_out(project)
    made = again(line, project)
    assert (project.stage, project.state, project.reserved_amount) == (
        Stage.RESOLVE,
        ProjectState.RUNNING,
        0,
    )
    assert (made.kind, made.from_stage, made.submitted_on) == (
        ResubmissionKind.RENEWED,
        place,
        line.today,
    )
    new = line.confirmed(project)
    assert (old.state, new.state) == (ResolutionState.EXPIRED, ResolutionState.VALID)
    # A notice that was issued has run out with its resolution: the bank is told anew.
    assert project.stage is (Stage.NOTICE if place is Stage.CONFIRM else place)
    assert (project.stage_since, project.reserved_amount) == (line.today, new.amount)
    assert {paper.state for paper in papers} <= {PaperState.APPROVED}
    assert is_clean(line)


def test_a_renewed_project_reaches_its_drawdown(line):
    project = line.at(Stage.CONFIRM)
    line.run_out(project)
    again(line, project)
    line.confirmed(project)
    while project.stage is not Stage.IN_FORCE:
        line.step(project)
    assert (project.balance, line.resolution(project).state) == (
        project.amount,
        ResolutionState.USED,
    )
    stages = line.session.scalars(
        select(ProjectStage.stage)
        .where(ProjectStage.project_id == project.id)
        .order_by(ProjectStage.id)
    ).all()
    assert stages[-5:] == [
        Stage.CONFIRM,
        Stage.RESOLVE,
        Stage.NOTICE,
        Stage.CONFIRM,
        Stage.IN_FORCE,
    ]
    assert is_clean(line)


def test_after_the_day_end_the_old_resolution_is_marked_already(line):
    project = line.at(Stage.FEE_PLAN)
    old = line.run_out(project)
    expiry.expire_reservations(line.ctx())
    again(line, project)
    assert (old.state, project.stage) == (ResolutionState.EXPIRED, Stage.RESOLVE)


def test_who_may_bring_it_back_and_when(line):
    project = line.at(Stage.COUNTER)
    with pytest.raises(Conflict, match="有效期至 2026-09-02，不需要重新上会"):
        again(line, project)
    line.run_out(project)
    with pytest.raises(NotAllowed):
        resubmission.resubmit(line.ctx(CASHIER), project, "x")
    with pytest.raises(NotFound):
        resubmission.resubmit(line.ctx(OUTSIDER), project, "x")
    with pytest.raises(StaleRecord):
        resubmission.resubmit(line.ctx(MANAGER), project, "x", project.version - 1)
    for reason in (" ", "长" * 501):
        with pytest.raises(BusinessError, match="不超过 500 字"):
            again(line, project, reason)
    project.customer.is_blacklisted = True
    with pytest.raises(BusinessError, match=r"暂不能重新上会：.*黑名单"):
        again(line, project)
    project.state = ProjectState.CANCELLED
    line.session.flush()
    with pytest.raises(IllegalTransition, match="已终止"):
        again(line, project)
    with pytest.raises(IllegalTransition):
        again(line, line.at(Stage.RESOLVE))


def test_running_approvals_are_finished_first(line):
    project = line.at(Stage.COUNTER)
    line.counter(project)
    counters.submit(line.ctx(MANAGER), project)
    line.run_out(project)
    with pytest.raises(Conflict, match="待办结后"):
        again(line, project)
    line.approve(project)
    again(line, project)
    line.confirmed(project)
    assert project.stage is Stage.FEE_COLLECT


def test_short_limits_do_not_keep_it_from_the_board_but_from_the_signature(line):
    project = line.at(Stage.FEE_PLAN)
    line.run_out(project)
    project.bank.credit_line = 4 * MILLION
    again(line, project)
    with pytest.raises(BusinessError, match="超过限额：银行授信"):
        line.confirmed(project)


def test_the_accountant_may_book_or_send_back_while_the_board_sits(line):
    project = line.at(Stage.FEE_BOOK)
    line.run_out(project)
    again(line, project)
    first, *others = line.events(project, EventState.PENDING)
    line.refuse(first, "税率有误")
    assert (line.fee(project).state, project.stage) == (FeeState.DRAFT, Stage.RESOLVE)
    line.book(project)
    assert {event.state for event in others} == {EventState.BOOKED}
    line.confirmed(project)
    assert project.stage is Stage.FEE_PLAN
    fees.submit_fees(line.ctx(MANAGER), project)
    line.book(project)
    assert project.stage is Stage.CONTRACT
    assert is_clean(line)


def test_a_smaller_resolution_voids_the_contracts_and_nothing_else(line):
    project = line.at(Stage.NOTICE)
    old = [line.contract(project, kind) for kind in ("ENTRUSTMENT", "GUARANTEE", "COUNTER")]
    fee = line.fee(project)
    line.run_out(project)
    again(line, project)
    new = line.confirmed(project, 4 * MILLION)
    assert project.stage is Stage.CONTRACT
    assert [paper.state for paper in old] == [PaperState.VOID, PaperState.VOID, PaperState.APPROVED]
    assert (fee.state, fee.amount, fee.open_amount) == (FeeState.BOOKED, 75000, 0)
    for contract in contracts.propose_contracts(line.ctx(MANAGER), project):
        assert contract.amount == new.amount
        contracts.submit(line.ctx(MANAGER), contract)
        line.approve(contract)
    assert project.stage is Stage.NOTICE, "what was done before stays done"
    line.step(project)
    with pytest.raises(FieldErrors, match="不能超过决议金额"):
        line.confirm(project)
    line.confirm(project, amount=4 * MILLION)
    assert project.balance == 4 * MILLION
    assert is_clean(line)


def test_a_shorter_resolution_voids_the_contracts_too(line):
    project = line.at(Stage.FEE_COLLECT)
    line.run_out(project)
    again(line, project)
    line.confirmed(project, months=6)
    assert (project.stage, line.contract(project, "GUARANTEE").state) == (
        Stage.CONTRACT,
        PaperState.VOID,
    )


def test_a_larger_resolution_books_the_difference_of_the_fees(line):
    project = line.at(Stage.RESOLVE)
    line.confirmed(project, 4 * MILLION)
    while project.stage is not Stage.NOTICE:
        line.step(project)
    fee, deposit = line.fee(project), line.fee(project, "DEPOSIT")
    assert (fee.amount, fee.open_amount, deposit.amount) == (60000, 0, 200000)
    line.run_out(project)
    again(line, project)
    line.confirmed(project)
    assert (project.stage, fee.state, fee.amount, fee.open_amount) == (
        Stage.FEE_PLAN,
        FeeState.DRAFT,
        75000,
        15000,
    )
    assert [(due.amount, due.settled_amount) for due in line.dues(fee)] == [(75000, 60000)]
    assert (deposit.state, line.fee(project, "PENALTY").state) == (FeeState.DRAFT, FeeState.BOOKED)
    fees.submit_fees(line.ctx(MANAGER), project)
    more = line.events(project, EventState.PENDING)
    assert {(e.sequence, e.amounts["gross"]) for e in more if e.record_id == fee.id} == {
        (2, "15000.00")
    }
    line.book(project)
    assert project.stage is Stage.FEE_COLLECT, "contracts and counter-guarantees stand"
    registered = [e for e in line.events(project, code="fee.registered") if e.record_id == fee.id]
    assert sum(Decimal(event.amounts["tax"]) for event in registered) == fee.vat_amount
    line.step(project)
    line.step(project)
    with pytest.raises(FieldErrors, match=r"不能超过合同金额 4,000,000\.00 元"):
        line.confirm(project)
    assert is_clean(line)


def test_a_reopened_fee_keeps_what_is_booked(line):
    project = line.at(Stage.RESOLVE)
    line.confirmed(project, 4 * MILLION)
    while project.stage is not Stage.CONTRACT:
        line.step(project)
    line.run_out(project)
    again(line, project)
    line.confirmed(project)
    service, fee = line.fee(project, "SERVICE"), line.fee(project)
    records.update(line.ctx(MANAGER), fee, {"note": "按新决议"}, fee.version)
    assert (
        "已记账或收取 8,000.00 元，不能少于"
        in refused_fee(line, service, fixed_amount="7999.99")["fixed_amount"][0]
    )
    with pytest.raises(Conflict, match="不能删除"):
        records.delete(line.ctx(MANAGER), fee, fee.version)
    fees.submit_fees(line.ctx(MANAGER), project)
    (event,) = (e for e in line.events(project, EventState.PENDING) if e.record_id == fee.id)
    line.refuse(event, "请核对")
    assert (project.stage, fee.state) == (Stage.FEE_PLAN, FeeState.DRAFT)
    line.resolution(project).amount = 3 * MILLION
    assert (
        "已记账或收取 60,000.00 元，不能少于" in refused_fee(line, fee, note="减收")["rate_pct"][0]
    )
    line.resolution(project).amount = 5 * MILLION
    fees.submit_fees(line.ctx(MANAGER), project)
    assert (event.state, event.sequence) == (EventState.PENDING, 2), (
        "the same event is raised again"
    )
    line.unbook(next(e for e in line.events(project, EventState.BOOKED) if e.record_id == fee.id))
    posting.book(line.ctx(ACCOUNTANT), event)
    assert fee.state is FeeState.SUBMITTED, "its first registration waits again"
    line.book(project)
    assert (project.stage, fee.state) == (Stage.CONTRACT, FeeState.BOOKED)


def test_a_reopened_fee_whose_registration_is_taken_back_still_books_the_difference(line):
    project = line.at(Stage.RESOLVE)
    line.confirmed(project, 4 * MILLION)
    while project.stage is not Stage.CONTRACT:
        line.step(project)
    line.run_out(project)
    again(line, project)
    line.confirmed(project)
    fee = line.fee(project)
    (first,) = (e for e in line.events(project, EventState.BOOKED) if e.record_id == fee.id)
    line.unbook(first)
    assert fee.state is FeeState.DRAFT, "it waits for its difference, not for the books"
    posting.book(line.ctx(ACCOUNTANT), first)
    assert fee.state is FeeState.DRAFT
    fees.submit_fees(line.ctx(MANAGER), project)
    line.book(project)
    gross = [
        e.amounts["gross"] for e in line.events(project, EventState.BOOKED) if e.record_id == fee.id
    ]
    assert (fee.state, fee.amount, sorted(gross)) == (
        FeeState.BOOKED,
        75000,
        ["15000.00", "60000.00"],
    )


def test_counter_guarantees_that_no_longer_cover_are_added_to(line):
    project = line.at(Stage.RESOLVE)
    project.product.coverage_min_pct = Decimal(100)
    line.confirmed(project, 4 * MILLION)
    for _ in range(3):
        line.step(project)
    line.counter(project, appraised_value=7 * MILLION)  # 60 % of it are 4.2 million
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    line.run_out(project)
    again(line, project)
    line.confirmed(project)
    fees.submit_fees(line.ctx(MANAGER), project)
    line.book(project)
    assert project.stage is Stage.COUNTER
    line.counter(project, name="城东仓库", appraised_value=2 * MILLION)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    assert project.stage is Stage.FEE_COLLECT


def test_the_next_stage_is_looked_for_behind_the_present_one(line):
    project = line.at(Stage.CONTRACT)
    line.unbook(line.events(project, EventState.BOOKED)[0])
    assert stage_due(line.session, project, Stage.RESOLVE) is Stage.FEE_BOOK
    assert stage_due(line.session, project, Stage.FEE_BOOK) is Stage.CONTRACT


def test_a_draft_contract_is_work_left(line):
    project = line.at(Stage.CONTRACT)
    contracts.propose_contracts(line.ctx(MANAGER), project)
    line.run_out(project)
    again(line, project)
    line.confirmed(project)
    assert (project.stage, line.contract(project, "GUARANTEE").state) == (
        Stage.CONTRACT,
        PaperState.DRAFT,
    )


def test_a_draft_counter_guarantee_is_work_left(line):
    project = line.at(Stage.COUNTER)
    line.counter(project)
    line.run_out(project)
    again(line, project)
    line.confirmed(project)
    assert project.stage is Stage.COUNTER


def test_a_renewed_resolution_is_no_warning_any_more(line):
    project = line.at(Stage.FEE_PLAN)
    line.run_out(project)
    expiry.expire_reservations(line.ctx())

    def warned():
        warning.evaluate(line.ctx())
        mine = (RiskWarning.project_id == project.id, RiskWarning.record_table == "resolution")
        return len(line.session.scalars(select(RiskWarning).where(*mine)).all())

    line.later(days=2)
    assert warned() == 1
    again(line, project)
    line.confirmed(project)
    line.later(days=40)
    assert warned() == 1


# -- a refusal reconsidered --------------------------------------------------------------------------------------------


@pytest.fixture
def refused(line):
    project = line.at(Stage.RESOLVE)
    line.resolve(project, FOR, FOR, FOR, NO, NO)
    return project


def test_a_refused_project_comes_back_once_for_new_reasons(line, refused, tmp_path):
    line.session.info["data_dir"] = str(tmp_path)
    line.later(days=10)
    made = appeal(
        line, refused, material=("补充材料.txt", "新增厂房".encode()), version=refused.version
    )
    assert (refused.state, refused.stage, refused.stage_since) == (
        ProjectState.RUNNING,
        Stage.RESOLVE,
        line.today,
    )
    assert (made.kind, made.reason, made.submitted_by_id) == (
        ResubmissionKind.RECONSIDERED,
        "新增抵押物",
        line.id(MANAGER),
    )
    (file,) = line.session.scalars(
        select(Attachment).where(Attachment.owner_table == "resubmission")
    )
    assert (file.owner_id, file.original_name) == (made.id, "补充材料.txt")
    assert is_clean(line)
    line.resolve(refused, FOR, FOR, FOR, NO, NO)
    with pytest.raises(Conflict, match="已复议过一次"):
        appeal(line, refused)


def test_a_vetoed_project_may_pass_when_it_is_reconsidered(line):
    project = line.at(Stage.RESOLVE)
    line.resolve(project)
    vetoed = line.resolution(project)
    line.reject(vetoed)
    appeal(line, project)
    passed = line.confirmed(project)
    assert (vetoed.state, passed.state, project.stage) == (
        ResolutionState.VETOED,
        ResolutionState.VALID,
        Stage.FEE_PLAN,
    )


def test_only_a_refusal_of_board_or_president_is_reconsidered(line, refused):
    with pytest.raises(NotAllowed):
        resubmission.reconsider(line.ctx(CASHIER), refused, "x")
    with pytest.raises(BusinessError, match="不超过 500 字"):
        resubmission.reconsider(line.ctx(MANAGER), refused, " ")
    refused.customer.is_blacklisted = True
    with pytest.raises(BusinessError, match="黑名单"):
        appeal(line, refused)
    early = line.at(Stage.REVIEW)
    with pytest.raises(IllegalTransition):
        appeal(line, early)
    appraisal.submit_review(line.ctx(MANAGER), early)
    line.reject(early)
    with pytest.raises(Conflict, match="止于“评审审批”"):
        appeal(line, early)
    assert line.session.scalars(select(Resubmission)).all() == []


def test_a_renewal_that_is_refused_may_be_reconsidered_with_its_papers(line):
    project = line.at(Stage.NOTICE)
    line.run_out(project)
    again(line, project)
    line.resolve(project, NO, NO, NO, FOR, FOR)
    assert (project.state, line.contract(project, "GUARANTEE").state) == (
        ProjectState.REFUSED,
        PaperState.APPROVED,
    )
    appeal(line, project)
    line.confirmed(project)
    assert project.stage is Stage.NOTICE
    assert is_clean(line)


# -- the drawdown after all this ---------------------------------------------------------------------------------------


def test_a_loan_paid_on_the_first_notice_is_registered_after_a_second_one(line):
    project = line.at(Stage.CONFIRM)
    paid_on = line.today + timedelta(days=3)
    last = disbursement.last_notice(line.ctx(), project)
    line.today = last.valid_until + timedelta(days=1)
    disbursement.issue_notice(line.ctx(MANAGER), project)
    with pytest.raises(FieldErrors, match="放款日期应在"):
        line.confirm(project, drawn_on=paid_on - timedelta(days=60))
    line.confirm(project, drawn_on=paid_on)
    assert project.start_on == paid_on


def test_between_two_notices_the_bank_had_no_word(line):
    project = line.at(Stage.CONFIRM)
    last = disbursement.last_notice(line.ctx(), project)
    line.today = last.valid_until + timedelta(days=10)
    second = disbursement.issue_notice(line.ctx(MANAGER), project)
    with pytest.raises(FieldErrors, match=second.number):
        line.confirm(project, drawn_on=last.valid_until + timedelta(days=5))


def test_a_loan_goes_by_the_resolution_of_its_day(line):
    project = line.at(Stage.CONFIRM)
    paid_on = line.today + timedelta(days=3)
    old = line.run_out(project)
    again(line, project)
    line.confirmed(project)
    line.step(project)
    line.confirm(project, drawn_on=paid_on)
    assert (old.state, project.start_on) == (ResolutionState.USED, paid_on)
