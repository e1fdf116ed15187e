"""4.5b 放款通知 and 4.5c 放款确认: the bank is told once all holds, and its payment puts the guarantee in force."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.guarantee.appraisal import LetterKind
from models.guarantee.drawdown import Drawdown, DrawdownState, Instalment, PlanSource, RepaymentPlan
from models.guarantee.product import DayCount, FeePayment, RepaymentMethod
from models.guarantee.project import ProjectState, Stage
from models.guarantee.release import Release
from models.guarantee.resolution import ResolutionState
from models.guarantee.signing import FeeDue
from models.ledger.voucher import EventState
from models.system.setup import Parameter
from reports.figures import schedules
from reports.figures.exposure import checks
from tests.workflows.guarantee.factories import CASHIER, MANAGER, MILLION, OUTSIDER, TODAY
from workflows.base import records
from workflows.guarantee import disbursement, plans, release, resolution
from workflows.guarantee.plan_import import PlanError

STAGES = (Stage.NOTICE, Stage.CONFIRM)


@pytest.fixture
def project(line):
    return line.at(Stage.CONFIRM)


def instalments(line, drawdown):
    query = select(Instalment).join(RepaymentPlan).where(RepaymentPlan.drawdown_id == drawdown.id)
    return list(line.session.scalars(query.order_by(Instalment.seq)))


def plan_of(line, drawdown):
    return line.session.scalars(
        select(RepaymentPlan).where(RepaymentPlan.drawdown_id == drawdown.id)
    ).one()


def recognised(line, project):
    return [
        event.total for event in line.events(project, EventState.PENDING, code="income.recognised")
    ]


def set_parameter(line, code, value):
    line.session.scalars(select(Parameter).where(Parameter.code == code)).one().value = value
    line.session.flush()


# -- 放款通知 ------------------------------------------------------------------------------------------------------


def test_the_notice_tells_the_bank_and_moves_the_project_on(line):
    project = line.at(Stage.NOTICE)
    line.settle(project)
    letter = disbursement.issue_notice(line.ctx(MANAGER), project, project.version)
    assert (letter.kind, letter.amount, project.stage) == (
        LetterKind.DISBURSEMENT,
        5 * MILLION,
        Stage.CONFIRM,
    )
    assert letter.valid_until == TODAY + timedelta(days=30)
    body = letter.document.body
    for words in (
        "伍佰万元整",
        "2026年4月1日前",
        "集中度符合规定",
        line.contract(project, "GUARANTEE").number,
    ):
        assert words in body


def test_the_notice_holds_no_longer_than_the_resolution(line):
    project = line.at(Stage.NOTICE)
    line.settle(project)
    line.resolution(project).valid_until = TODAY + timedelta(days=3)
    assert disbursement.issue_notice(line.ctx(MANAGER), project).valid_until == TODAY + timedelta(
        days=3
    )


def test_a_notice_that_ran_out_is_issued_again_and_only_then(line, project):
    with pytest.raises(IllegalTransition, match="放款确认"):
        disbursement.issue_notice(line.ctx(MANAGER), project)
    line.later(days=31)
    with pytest.raises(FieldErrors, match="请重新出具"):
        line.confirm(project)
    again = disbursement.issue_notice(line.ctx(MANAGER), project)
    assert (again.issued_on, project.stage) == (line.today, Stage.CONFIRM)
    line.confirm(project)
    assert project.state is ProjectState.IN_FORCE


def test_the_notice_needs_right_scope_version_and_stage(line):
    project = line.at(Stage.NOTICE)
    with pytest.raises(NotAllowed):
        disbursement.issue_notice(line.ctx(CASHIER), project)
    with pytest.raises(NotFound):
        disbursement.issue_notice(line.ctx(OUTSIDER), project)
    with pytest.raises(StaleRecord):
        disbursement.issue_notice(line.ctx(MANAGER), project, project.version - 1)


# -- 放款确认 ------------------------------------------------------------------------------------------------------


def test_the_drawdown_puts_the_guarantee_in_force(line, project):
    before = [check.after for check in checks(line.session, project, line.today)]
    line.later(days=2)
    drawdown = line.confirm(project, bank_note_no=" YH-2026-1 ", version=project.version)
    assert (drawdown.bank_note_no, drawdown.amount, drawdown.balance, drawdown.state) == (
        "YH-2026-1",
        5 * MILLION,
        5 * MILLION,
        DrawdownState.ACTIVE,
    )
    assert (project.stage, project.state) == (Stage.IN_FORCE, ProjectState.IN_FORCE)
    assert (project.balance, project.reserved_amount) == (5 * MILLION, 0)
    assert (project.start_on, project.end_on) == (date(2026, 3, 4), date(2027, 3, 4))
    assert line.resolution(project).state is ResolutionState.USED
    assert [check.after for check in checks(line.session, project, line.today)] == before
    rows = instalments(line, drawdown)
    assert (len(rows), sum(r.principal for r in rows), rows[-1].due_on) == (
        12,
        5 * MILLION,
        date(2027, 3, 4),
    )
    plan = plan_of(line, drawdown)
    assert (plan.plan_no, plan.source, plan.is_current, plan.file_name) == (
        1,
        PlanSource.GENERATED,
        True,
        None,
    )
    body = drawdown.document.body
    for words in ("伍佰万元整", "YH-2026-1", "4,000,000.00", "2027-03-04", "62000000"):
        assert words in body


def test_income_of_the_first_year_is_recognised_net_of_vat(line, project):
    line.confirm(project)
    assert recognised(line, project) == [Decimal("70754.72")]
    line.book(project)
    assert line.events(project, EventState.PENDING) == []


def test_beyond_twelve_months_the_rest_stays_deferred(line, project):
    line.resolution(project).term_months = 18
    line.confirm(project)
    assert recognised(line, project) == [Decimal("47169.81")]


def test_spread_evenly_nothing_is_recognised_at_the_drawdown(line, project):
    set_parameter(line, "income.recognition_mode", "EVENLY")
    line.confirm(project)
    assert recognised(line, project) == []


def test_a_free_guarantee_has_no_income(line, project):
    fee = line.fee(project)
    line.session.delete(line.dues(fee)[0])
    fee.amount = fee.vat_amount = fee.collected_amount = Decimal(0)
    line.confirm(project)
    assert recognised(line, project) == []


def test_later_parts_of_a_fee_fall_due_counted_from_the_drawdown(line, project):
    fee = line.fee(project)
    fee.payment = FeePayment.YEARLY
    due = line.dues(fee)[0]
    due.amount = due.settled_amount = Decimal(50000)
    line.session.add(FeeDue(fee=fee, seq=2, due_on=date(2027, 3, 2), amount=Decimal(25000)))
    line.session.flush()
    line.later(days=9)
    line.confirm(project)
    assert [due.due_on for due in line.dues(fee)] == [TODAY, date(2027, 3, 11)]


def test_a_smaller_loan_frees_what_was_reserved_beyond_it(line, project):
    line.confirm(project, amount=Decimal("3000000.03"))
    assert (project.balance, project.reserved_amount) == (Decimal("3000000.03"), 0)


@pytest.mark.parametrize("method", RepaymentMethod)
def test_every_way_of_repayment_has_a_plan_that_sums_exactly(line, project, method):
    lines = "2026-06-02 1000000\n2027-03-02 0.01" if method is RepaymentMethod.CUSTOM else None
    drawdown = line.confirm(
        project, amount=Decimal("1000000.01"), repayment_method=method, lines=lines
    )
    rows = instalments(line, drawdown)
    assert sum(row.principal for row in rows) == Decimal("1000000.01")
    assert rows[-1].due_on == drawdown.due_on


@pytest.mark.parametrize(
    ("due_on", "count"),
    [(date(2026, 9, 2), 6), (date(2026, 9, 20), 7), (date(2026, 8, 25), 6), (date(2026, 3, 3), 1)],
)
def test_a_term_of_broken_months_ends_on_the_due_date(line, project, due_on, count):
    rows = instalments(line, line.confirm(project, due_on=due_on))
    assert (len(rows), rows[-1].due_on) == (count, due_on)
    assert all(a.due_on < b.due_on for a, b in itertools.pairwise(rows))


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        ({"bank_note_no": "  "}, {"bank_note_no"}),
        ({"bank_note_no": "9" * 61}, {"bank_note_no"}),
        ({"amount": Decimal(0)}, {"amount"}),
        ({"amount": Decimal("1.001")}, {"amount"}),
        ({"amount": Decimal("Infinity")}, {"amount"}),
        ({"rate_annual_pct": Decimal("36.01")}, {"rate_annual_pct"}),
        ({"rate_annual_pct": Decimal(-1)}, {"rate_annual_pct"}),
        ({"rate_annual_pct": Decimal("NaN")}, {"rate_annual_pct"}),
        ({"drawn_on": date(2026, 3, 3)}, {"drawn_on"}),
        ({"drawn_on": date(2026, 3, 1)}, {"drawn_on"}),
        ({"amount": Decimal("5000000.01")}, {"amount"}),
        ({"due_on": date(2027, 3, 3)}, {"due_on"}),
        ({"due_on": date(2026, 3, 2)}, {"due_on"}),
        ({"due_on": date(2027, 3, 3), "amount": 6 * MILLION}, {"due_on", "amount"}),
    ],
)
def test_what_the_note_gets_wrong_is_named_at_its_field(line, project, facts, fields):
    with pytest.raises(FieldErrors) as caught:
        line.confirm(project, **facts)
    assert set(caught.value.field_errors) == fields
    assert project.stage is Stage.CONFIRM


def test_a_loan_too_small_for_its_instalments_is_refused_in_words(line, project):
    with pytest.raises(BusinessError, match="过小"):
        line.confirm(project, amount=Decimal("0.05"))


def test_a_note_is_registered_once(line, project):
    line.session.add(
        Drawdown(
            number="JJ-X",
            project=project,
            bank_note_no="YH-1",
            drawn_on=TODAY,
            due_on=TODAY,
            amount=MILLION,
            balance=MILLION,
            rate_annual_pct=Decimal(4),
            repayment_method=RepaymentMethod.BULLET,
        )
    )
    line.session.flush()
    with pytest.raises(FieldErrors, match="YH-1 已登记"):
        line.confirm(project, bank_note_no="YH-1")


def test_the_limits_are_looked_at_again(line, project):
    project.bank.credit_line = 4 * MILLION
    with pytest.raises(BusinessError, match="超过限额：银行授信"):
        line.confirm(project)


def test_a_drawdown_of_the_last_valid_day_may_be_registered_after_it(line, project):
    found = line.resolution(project)
    found.valid_until, found.state = TODAY, ResolutionState.EXPIRED
    line.later(days=1)
    with pytest.raises(Conflict, match="2026-03-03 没有有效的公司决议"):
        line.confirm(project)
    line.confirm(project, drawn_on=TODAY)
    assert (project.state, found.state) == (ProjectState.IN_FORCE, ResolutionState.USED)


def test_confirming_needs_right_scope_version_stage_and_notice(line, project):
    note = line.note(project)
    with pytest.raises(NotAllowed):
        disbursement.confirm(line.ctx(CASHIER), project, **note)
    with pytest.raises(NotFound):
        disbursement.confirm(line.ctx(OUTSIDER), project, **note)
    with pytest.raises(StaleRecord):
        disbursement.confirm(line.ctx(MANAGER), project, version=project.version - 1, **note)
    with pytest.raises(IllegalTransition):
        line.confirm(line.at(Stage.NOTICE))
    line.session.delete(disbursement.last_notice(line.ctx(), project))
    line.session.flush()
    with pytest.raises(Conflict, match="没有放款通知单"):
        line.confirm(project)
    assert not disbursement.is_run_out(line.ctx(), project)


# -- plans of the bank ---------------------------------------------------------------------------------------------


def rows_of(*parts):
    return [
        schedules.Instalment(seq, day, Decimal(p), Decimal(i))
        for seq, (day, p, i) in enumerate(parts, 1)
    ]


def test_a_plan_of_the_bank_is_kept_as_it_is(line, project):
    plan = rows_of((date(2026, 9, 2), "2000000", "100"), (date(2027, 3, 2), "3000000", "50"))
    drawdown = line.confirm(project, plan=plan, file_name="计划.xlsx")
    assert [(r.due_on, r.principal, r.interest) for r in instalments(line, drawdown)] == [
        (r.due_on, r.principal, r.interest) for r in plan
    ]
    kept = plan_of(line, drawdown)
    assert (kept.source, kept.file_name) == (PlanSource.IMPORTED, "计划.xlsx")


@pytest.mark.parametrize("plan", [[], rows_of((date(2027, 3, 2), "4999999.99", "0"))])
def test_a_plan_that_does_not_make_up_the_loan_is_refused(line, project, plan):
    with pytest.raises(PlanError, match="本金合计"):
        line.confirm(project, plan=plan)


CSV = "期数,应还日期,应还本金,应还利息\n1,2026-09-02,2000000,100\n2,2027-03-02,3000000,50\n"


def test_the_banks_file_is_read_and_confirmed_in_one_go(line, project):
    data = CSV.encode("utf-8-sig")
    note = line.note(project)
    with pytest.raises(NotAllowed):
        disbursement.confirm_from_file(line.ctx(CASHIER), project, data, "计划.csv", **note)
    drawdown = disbursement.confirm_from_file(line.ctx(MANAGER), project, data, "计划.csv", **note)
    assert [r.principal for r in instalments(line, drawdown)] == [2 * MILLION, 3 * MILLION]
    assert plan_of(line, drawdown).file_name == "计划.csv"


def test_the_banks_file_must_fit_the_note(line, project):
    note = line.note(project, amount=4 * MILLION)
    with pytest.raises(PlanError, match="不一致"):
        disbursement.confirm_from_file(
            line.ctx(MANAGER), project, CSV.encode("utf-8-sig"), "计划.csv", **note
        )


def test_the_valid_resolution_is_the_one_the_gate_shows(line, project):
    assert resolution.valid_resolution(line.ctx(), project) is line.resolution(project)


# -- what the plan may be ------------------------------------------------------------------------------------------

AGREED = "2026-06-02 1000000\n2026/9/2\t1500000.00\t20000\n\n2027年3月2日 2500000"


def test_a_plan_by_agreement_is_typed_in_and_stored_as_previewed(line, project):
    custom = RepaymentMethod.CUSTOM
    note = line.note(project, repayment_method=custom, lines=AGREED, day_count=DayCount.ACTUAL_360)
    shown = plans.planned(plans.Loan(**note))
    drawdown = line.confirm(project, **note)
    assert plan_of(line, drawdown).source is PlanSource.TYPED
    assert drawdown.day_count is DayCount.ACTUAL_360
    kept = [(r.due_on, r.principal, r.interest) for r in instalments(line, drawdown)]
    assert kept == [(r.due_on, r.principal, r.interest) for r in shown]
    # 92 days of 5 million, as told, 181 days of 2.5 million at 4.35 %
    assert [r[2] for r in kept] == [Decimal("55583.33"), Decimal(20000), Decimal("54677.08")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (None, "请填写各期还款"),
        ("\n".join(["2026-06-02 1"] * 601), "最多 600 期"),
        ("2026-06-02", "第 1 行"),
        ("2026-06-02 1 2 3", "第 1 行"),
        ("2026-02-30 1", "第 1 行"),
        ("六月二日 1", "第 1 行"),
        ("2026-06-02 一百", "第 1 行"),
        ("2026-06-02 -1", "不能为负数"),
        ("2026-06-02 1\n2026-06-02 1", "依次递增"),
        ("2026-03-02 1", "应晚于"),
    ],
)
def test_lines_that_make_no_plan_are_named(line, project, lines, said):
    with pytest.raises(FieldErrors) as caught:
        line.confirm(project, repayment_method=RepaymentMethod.CUSTOM, lines=lines)
    assert said in caught.value.field_errors["lines"][0]


def test_agreed_lines_make_up_the_loan_and_are_for_agreed_plans_alone(line, project):
    with pytest.raises(PlanError, match="本金合计"):
        line.confirm(project, repayment_method=RepaymentMethod.CUSTOM, lines="2026-06-02 1")
    with pytest.raises(FieldErrors) as caught:
        line.confirm(project, lines=AGREED)
    assert "不填各期" in caught.value.field_errors["lines"][0]
    with pytest.raises(FieldErrors) as caught:
        line.confirm(project, pay_day=32)
    assert set(caught.value.field_errors) == {"pay_day"}


def test_the_product_says_how_days_are_counted_and_the_note_on_which_day_is_paid(line, project):
    project.product.day_count = DayCount.ACTUAL_365
    drawdown = line.confirm(project, pay_day=20)
    rows = instalments(line, drawdown)
    assert drawdown.day_count is DayCount.ACTUAL_365
    assert [rows[0].due_on, rows[-1].due_on] == [date(2026, 4, 20), date(2027, 3, 2)]
    assert rows[0].interest == Decimal("29198.63")  # 49 days


# -- a loan that the bank pays in parts ----------------------------------------------------------------------------


def test_the_bank_pays_in_parts_each_with_its_own_plan(line, project):
    first = line.confirm(project, amount=2 * MILLION)
    line.later(days=10)
    assert disbursement.undrawn(line.session, project, line.today) == 3 * MILLION
    second = line.confirm(
        project,
        amount=MILLION,
        due_on=date(2027, 1, 12),
        repayment_method=RepaymentMethod.BULLET,
    )
    assert (project.balance, project.end_on) == (3 * MILLION, first.due_on)
    assert len(instalments(line, first)) == 12
    assert len(instalments(line, second)) == 1
    assert recognised(line, project) == [Decimal("70754.72")]  # the fee was for the whole
    with pytest.raises(FieldErrors, match=r"决议金额 5,000,000.00 元，已放款 3,000,000.00 元"):
        line.confirm(project, amount=Decimal("2000000.01"), due_on=date(2027, 3, 2))
    with pytest.raises(FieldErrors, match=r"不超过决议期限（2027-03-02）"):
        line.confirm(project, amount=MILLION, due_on=date(2027, 3, 3))
    assert disbursement.undrawn(line.session, project, line.today) == 2 * MILLION


def test_a_further_part_needs_limits_a_contract_and_a_resolution_in_force(line, project):
    line.confirm(project, amount=2 * MILLION)
    due_on = {"due_on": date(2027, 3, 2)}
    contract = line.contract(project, "GUARANTEE")
    contract.amount = 2 * MILLION
    with pytest.raises(FieldErrors, match=r"合同金额 2,000,000.00 元，已放款"):
        line.confirm(project, amount=MILLION, **due_on)
    contract.amount = 5 * MILLION
    project.bank.credit_line = Decimal(2999999)
    with pytest.raises(BusinessError, match="超过限额：银行授信"):
        line.confirm(project, amount=MILLION, **due_on)
    line.resolution(project).valid_until = TODAY
    line.later(days=1)
    assert disbursement.undrawn(line.session, project, line.today) == 0
    with pytest.raises(Conflict, match="已过有效期"):
        line.confirm(project, amount=MILLION, **due_on)
    project.state = ProjectState.RELEASED
    assert disbursement.undrawn(line.session, project, TODAY) == 0


def test_nothing_more_is_paid_while_the_guarantee_is_being_released(line, project):
    line.confirm(project, amount=2 * MILLION)
    facts = {"basis": "BANK_LETTER", "letter_no": "1", "letter_on": TODAY, "note": "银行同意"}
    paper = records.create(line.ctx(MANAGER), Release, {"project_id": project.id, **facts})
    line.attach("release", paper.id, None)
    release.submit(line.ctx(MANAGER), paper)
    with pytest.raises(Conflict, match="正在解保"):
        line.confirm(project, amount=MILLION, due_on=date(2027, 3, 2))


def test_the_bank_is_told_again_before_it_pays_the_rest(line, project):
    line.confirm(project, amount=2 * MILLION)
    assert not disbursement.is_run_out(line.ctx(), project)
    line.later(days=29)
    line.later(days=2)
    letter = disbursement.issue_notice(line.ctx(MANAGER), project)
    assert letter.amount == 3 * MILLION
    line.confirm(project, amount=3 * MILLION, due_on=date(2027, 3, 2))
    assert project.balance == 5 * MILLION
    assert not disbursement.is_run_out(line.ctx(), project)


def test_nobody_pays_more_to_who_is_behind(line, project):
    line.confirm(project, amount=2 * MILLION)
    line.later(days=40)
    with pytest.raises(BusinessError, match="有逾期的本息"):
        disbursement.issue_notice(line.ctx(MANAGER), project)
