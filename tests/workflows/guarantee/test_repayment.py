"""4.5e 正常还款: repayments settle the plan in order, move loan and guarantee together, and can be taken back."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
from models.guarantee.drawdown import DrawdownState
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import ProjectState, Stage
from models.guarantee.repayment import Repayment, RepaymentSource, RepaymentState
from models.system.setup import Parameter
from reports.figures.overdue import Overdue, overdue_by_project, overdue_lines, spread
from tests.workflows.guarantee.factories import ACCOUNTANT, MANAGER, MILLION, OUTSIDER, TODAY
from workflows import verify
from workflows.guarantee import disbursement, repayment
from workflows.guarantee.repayment import Paid

STAGES = (Stage.CONFIRM,)
DAY = timedelta(days=1)
ZERO = Decimal(0)


@pytest.fixture
def project(line):
    return line.at(Stage.CONFIRM)


@pytest.fixture
def loan(line, project):
    """5 million drawn on 2026-03-02, twelve instalments from 2026-04-02."""
    return line.confirm(project)


@pytest.fixture
def rows(line, loan):
    return repayment.plan_rows(line.session, loan)


def pay(line, loan, principal, interest, paid_on=None, **facts):
    paid = Paid(paid_on or line.today, Decimal(principal), Decimal(interest), **facts)
    return repayment.register(line.ctx(MANAGER), loan, paid)


def overdue_of(session, loan, on):
    """What is overdue of a project's one loan."""
    return overdue_by_project(session, on).get(loan.project_id, Overdue())


def allow_early(line):
    line.session.scalars(
        select(Parameter).where(Parameter.code == "repayment.early_allowed")
    ).one().value = "是"
    line.session.flush()


def is_clean(line):
    checks = (
        verify.verify_exposures,
        verify.verify_plans,
        verify.verify_repayments,
        verify.verify_stages,
    )
    return not any(check(line.session) for check in checks)


def pay_all(line, loan):
    """Every instalment on the day it falls due."""
    for row in repayment.plan_rows(line.session, loan):
        line.today = row.due_on
        pay(line, loan, row.principal, row.interest)


# -- registering -----------------------------------------------------------------------------------------------------


def test_a_repayment_moves_plan_loan_and_guarantee_together(line, project, loan, rows):
    line.today = rows[0].due_on
    made = pay(line, loan, rows[0].principal, rows[0].interest, note=" 按期 ")
    assert (rows[0].principal_paid, rows[0].interest_paid) == (rows[0].principal, rows[0].interest)
    assert rows[1].principal_paid == 0
    left = 5 * MILLION - rows[0].principal
    assert (loan.balance, project.balance, made.balance_after) == (left, left, left)
    assert (made.state, made.source, made.note) == (
        RepaymentState.BOOKED,
        RepaymentSource.MANUAL,
        "按期",
    )
    assert made.number.startswith("HKHZ2026-")
    assert is_clean(line)


def test_the_receipt_names_instalments_amounts_and_what_is_left(line, loan, rows):
    line.today = rows[0].due_on
    made = pay(line, loan, rows[0].principal, "100.00")
    body = made.document.body
    assert made.document.number == made.number
    for words in ("还款回执", loan.bank_note_no, "部分归还", "100.00", "壹佰元整"):
        assert words in body


def test_parts_of_an_instalment_may_come_on_different_days(line, loan, rows):
    line.today = rows[1].due_on
    pay(line, loan, "100", "0")
    pay(line, loan, rows[0].principal, rows[0].interest)
    assert (rows[0].principal_paid, rows[1].principal_paid) == (rows[0].principal, 100)
    assert is_clean(line)


def test_the_last_instalment_settles_the_loan(line, project, loan):
    pay_all(line, loan)
    assert (loan.balance, project.balance, loan.state) == (0, 0, DrawdownState.SETTLED)
    assert (loan.closed_on, project.state) == (date(2027, 3, 2), ProjectState.IN_FORCE)
    last = line.session.scalars(select(Repayment).order_by(Repayment.id.desc())).first()
    assert "本息已全部结清" in last.document.body
    assert is_clean(line)
    with pytest.raises(Conflict, match="已结清，不能登记还款"):
        pay(line, loan, "0", "1")


def test_the_bank_may_settle_a_loan_for_less_interest(line, loan, rows):
    allow_early(line)
    with pytest.raises(FieldErrors, match="结清时还本金额应等于借款余额"):
        pay(line, loan, "1", "0", is_final=True)
    pay(line, loan, loan.balance, "0")
    assert (loan.balance, loan.state) == (0, DrawdownState.ACTIVE)
    made = pay(line, loan, "0", "0", is_final=True)
    assert (loan.state, loan.closed_on) == (DrawdownState.SETTLED, TODAY)
    line.later(days=60)
    assert overdue_of(line.session, loan, line.today) == Overdue()
    assert overdue_of(line.session, loan, TODAY) == Overdue()
    repayment.reverse(line.ctx(MANAGER), made, "银行更正")
    assert (loan.state, loan.closed_on) == (DrawdownState.OVERDUE, None)
    assert is_clean(line)


def test_no_principal_above_what_is_owed(line, loan, rows):
    for is_allowed in (False, True):
        if is_allowed:
            allow_early(line)
        with pytest.raises(FieldErrors, match=r"尚欠本金 5,000,000.00 元，不能多还"):
            pay(line, loan, "5000000.01", "0")
    pay(line, loan, "5000000", "0")
    with pytest.raises(FieldErrors, match=r"尚欠本金 0.00 元，不能多还"):
        pay(line, loan, "0.01", "0")


def test_interest_that_the_bank_charges_beyond_the_plan_is_kept_apart(line, loan, rows):
    line.today = rows[0].due_on
    made = pay(line, loan, rows[0].principal, rows[0].interest + 5)
    assert (made.interest, made.extra_interest) == (rows[0].interest + 5, 5)
    assert (rows[0].interest_paid, rows[1].interest_paid) == (rows[0].interest, 0)
    assert "其中超出还款计划 5.00 元" in made.document.body
    line.today = rows[1].due_on
    exact = pay(line, loan, rows[1].principal, rows[1].interest)
    assert (exact.extra_interest, "超出还款计划" in exact.document.body) == (0, False)
    assert is_clean(line)
    assert overdue_of(line.session, loan, line.today + DAY) == Overdue()
    assert overdue_of(line.session, loan, rows[0].due_on + DAY) == Overdue(), (
        "what was extra then is no debt now"
    )


def test_interest_far_beyond_the_plan_needs_a_word_unless_the_bank_says_it(line, loan, rows):
    line.today = rows[0].due_on
    limit = (rows[0].interest * Decimal("1.2")).quantize(Decimal("0.01"), "ROUND_DOWN")
    over = limit + Decimal("0.01")
    for note in (None, " "):
        with pytest.raises(FieldErrors, match="请核对；属实时在备注中说明") as refused:
            pay(line, loan, "0", over, note=note)
        assert set(refused.value.field_errors) == {"note"}
    assert pay(line, loan, "0", limit).extra_interest == limit - rows[0].interest
    assert pay(line, loan, "0", "1", note="罚息").extra_interest == 1
    assert pay(line, loan, "0", over, source=RepaymentSource.IMPORTED).extra_interest == over
    assert is_clean(line)


def test_a_reversal_lets_what_was_extra_settle_the_plan(line, loan, rows):
    line.today = rows[0].due_on
    twice = [pay(line, loan, "0", rows[0].interest, note="重复") for _ in range(2)]
    assert [made.extra_interest for made in twice] == [0, rows[0].interest]
    repayment.reverse(line.ctx(MANAGER), twice[0], "重复登记")
    assert (twice[1].extra_interest, rows[0].interest_paid) == (0, rows[0].interest)
    assert is_clean(line)


def test_ahead_of_the_plan_only_the_present_instalment_unless_allowed(line, loan, rows):
    line.today = rows[1].due_on - 3 * DAY
    two = rows[0].principal + rows[1].principal
    with pytest.raises(FieldErrors, match="属于提前还款") as refused:
        pay(line, loan, two + 1, rows[0].interest)
    assert set(refused.value.field_errors) == {"principal"}
    pay(line, loan, two, rows[0].interest + rows[1].interest)
    assert pay(line, loan, "0", "3", note="按日计息差额").extra_interest == 3
    allow_early(line)
    assert pay(line, loan, "0", "3").extra_interest == 0, (
        "interest ahead of the plan settles the plan"
    )
    pay(line, loan, "1000000", "0")
    assert is_clean(line)


def test_the_bank_may_confirm_that_all_is_settled_before_its_dates(line, loan, rows):
    line.today = rows[1].due_on - 3 * DAY
    with pytest.raises(FieldErrors, match="提前结清"):
        pay(line, loan, loan.balance, rows[0].interest)
    made = pay(line, loan, loan.balance, rows[0].interest, is_final=True)
    assert (loan.balance, loan.state, loan.closed_on) == (0, DrawdownState.SETTLED, line.today)
    assert loan.project.balance == 0
    assert made.balance_after == 0
    assert is_clean(line)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"paid_on": TODAY - DAY}, "paid_on"),
        ({"paid_on": TODAY + DAY}, "paid_on"),
        ({"principal": "-1"}, "principal"),
        ({"principal": "0.001"}, "principal"),
        ({"interest": "NaN"}, "interest"),
        ({"principal": "0"}, "principal"),
        ({"note": "长" * 201}, "note"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(line, loan, facts, field):
    values = {"principal": "1", "interest": "0", **facts}
    with pytest.raises(FieldErrors) as refused:
        pay(line, loan, **values)
    assert set(refused.value.field_errors) == {field}


def test_registering_needs_right_scope_version_and_a_running_guarantee(line, project, loan):
    paid = Paid(TODAY, Decimal(1), ZERO)
    with pytest.raises(NotAllowed):
        repayment.register(line.ctx(ACCOUNTANT), loan, paid)
    with pytest.raises(NotFound):
        repayment.register(line.ctx(OUTSIDER), loan, paid)
    with pytest.raises(StaleRecord):
        repayment.register(line.ctx(MANAGER), loan, paid, loan.version - 1)
    repayment.register(line.ctx(MANAGER), loan, paid, loan.version)
    project.state = ProjectState.RELEASED
    with pytest.raises(Conflict, match="已解保"):
        pay(line, loan, "1", "0")


# -- reversing -------------------------------------------------------------------------------------------------------


def test_a_reversal_leaves_the_loan_as_if_nothing_had_been_registered(line, project, loan, rows):
    line.today = rows[1].due_on
    first = pay(line, loan, rows[0].principal, rows[0].interest, rows[0].due_on)
    second = pay(line, loan, rows[1].principal, rows[1].interest)
    repayment.reverse(line.ctx(MANAGER), first, " 借据选错 ", first.version)
    assert (first.state, first.reversal_reason, first.reversed_on) == (
        RepaymentState.REVERSED,
        "借据选错",
        line.today,
    )
    assert loan.balance == project.balance == 5 * MILLION - second.principal
    # the later money now settles the earlier instalment
    assert rows[0].principal_paid == rows[0].principal
    assert rows[0].interest_paid == second.interest
    assert rows[0].overdue_since == rows[0].due_on + DAY
    assert loan.state is DrawdownState.OVERDUE
    assert is_clean(line)


def test_a_reversal_needs_right_version_reason_and_happens_once(line, loan):
    made = pay(line, loan, "1", "0")
    with pytest.raises(NotAllowed):
        repayment.reverse(line.ctx(ACCOUNTANT), made, "错")
    with pytest.raises(StaleRecord):
        repayment.reverse(line.ctx(MANAGER), made, "错", made.version - 1)
    for reason in (" ", "长" * 201):
        with pytest.raises(BusinessError, match="冲正原因"):
            repayment.reverse(line.ctx(MANAGER), made, reason)
    repayment.reverse(line.ctx(MANAGER), made, "错")
    with pytest.raises(IllegalTransition, match="已冲正"):
        repayment.reverse(line.ctx(MANAGER), made, "错")


# -- property: any repayments and reversals keep the sums exact --------------------------------------------------------


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60_000_000),
            st.integers(0, 3_000_000),
            st.integers(0, 400),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_random_repayments_keep_every_sum_exact(line, loan, payments):
    outer = line.session.begin_nested()
    try:
        made = []
        for principal, interest, days, is_taken_back in payments:
            line.today = TODAY + days * DAY
            try:
                made.append(
                    pay(line, loan, Decimal(principal) / 100, Decimal(interest) / 100, note="随机")
                )
            except BusinessError:
                continue
            if is_taken_back:
                repayment.reverse(line.ctx(MANAGER), made.pop(0), "随机冲正")
        rows = repayment.plan_rows(line.session, loan)
        assert sum((r.principal_paid for r in rows), ZERO) == sum((m.principal for m in made), ZERO)
        counted = sum((m.interest - m.extra_interest for m in made), ZERO)
        assert sum((r.interest_paid for r in rows), ZERO) == counted
        assert (
            loan.balance
            == loan.project.balance
            == loan.amount - sum((m.principal for m in made), ZERO)
        )
        for paid, owed in (("principal_paid", "principal"), ("interest_paid", "interest")):
            parts = [(getattr(r, paid), getattr(r, owed)) for r in rows]
            first_open = next((i for i, (a, b) in enumerate(parts) if a < b), len(parts))
            assert all(part == 0 for part, _ in parts[first_open + 1 :]), (
                "settled in the order of the due dates"
            )
        assert is_clean(line)
    finally:
        outer.rollback()
        line.session.expire_all()
        line.today = TODAY


@given(st.lists(st.integers(0, 10**9), max_size=12), st.integers(0, 10**10))
def test_spread_fills_from_the_front_and_loses_nothing(owed, paid):
    amounts = [Decimal(n) / 100 for n in owed]
    parts = spread(amounts, Decimal(paid) / 100)
    assert sum(parts, ZERO) == min(sum(amounts, ZERO), Decimal(paid) / 100)
    assert all(0 <= part <= amount for part, amount in zip(parts, amounts, strict=True))


# -- overdue figures ---------------------------------------------------------------------------------------------------


def test_overdue_counts_from_the_day_after_the_due_date(line, project, loan, rows):
    due = rows[0].due_on
    assert due == date(2026, 4, 2)
    assert overdue_of(line.session, loan, due) == Overdue()
    assert overdue_by_project(line.session, due) == {}
    found = overdue_of(line.session, loan, due + DAY)
    assert found == Overdue(rows[0].principal, rows[0].interest, 1, due)
    assert found.total == rows[0].principal + rows[0].interest
    assert overdue_by_project(line.session, due + DAY) == {project.id: found}


def test_overdue_is_known_for_past_days(line, project, loan, rows):
    line.today = rows[1].due_on + 10 * DAY
    pay(line, loan, rows[0].principal, "0", rows[0].due_on + 5 * DAY)
    pay(line, loan, "0", rows[0].interest)
    was = overdue_by_project(line.session, rows[0].due_on + 3 * DAY)
    assert was == {project.id: Overdue(rows[0].principal, rows[0].interest, 3, rows[0].due_on)}
    later = overdue_of(line.session, loan, rows[0].due_on + 6 * DAY)
    assert later == Overdue(ZERO, rows[0].interest, 6, rows[0].due_on)
    now = overdue_of(line.session, loan, line.today)
    assert now == Overdue(rows[1].principal, rows[1].interest, 10, rows[1].due_on)
    assert [x.seq for x in overdue_lines(line.session, loan, line.today)] == [2]


def test_month_end_and_leap_day(line, project):
    """Drawn on 31 January 2028: due on 29 February, overdue on 1 March."""
    line.resolution(project).valid_until = date(2028, 6, 30)
    line.today = date(2028, 1, 31)
    notice = disbursement.last_notice(line.ctx(), project)
    notice.issued_on, notice.valid_until = date(2028, 1, 30), date(2028, 3, 1)
    loan = line.confirm(project)
    first = repayment.plan_rows(line.session, loan)[0]
    assert first.due_on == date(2028, 2, 29)
    assert overdue_of(line.session, loan, date(2028, 2, 29)).days == 0
    assert overdue_of(line.session, loan, date(2028, 3, 1)).days == 1
    assert overdue_of(line.session, loan, date(2028, 3, 31)).days == 31


def test_day_end_marks_instalments_once_and_payment_clears_the_mark(line, loan, rows):
    line.today = rows[0].due_on
    assert repayment.mark_overdue(line.ctx()) == 0
    line.later(days=1)
    assert repayment.mark_overdue(line.ctx()) == 1
    assert (rows[0].overdue_since, loan.state) == (line.today, DrawdownState.OVERDUE)
    assert repayment.mark_overdue(line.ctx()) == 0
    pay(line, loan, rows[0].principal, rows[0].interest)
    assert (rows[0].overdue_since, loan.state) == (None, DrawdownState.ACTIVE)


# -- 欠款通知单 --------------------------------------------------------------------------------


def test_the_notice_lists_what_is_overdue(line, loan, rows):
    with pytest.raises(Conflict, match="没有逾期"):
        repayment.issue_overdue_notice(line.ctx(MANAGER), loan, loan.version)
    line.today = rows[1].due_on + DAY
    document = repayment.issue_overdue_notice(line.ctx(MANAGER), loan)
    assert document.number == "QKTZ2026-00001"
    for words in ("欠款通知单", loan.bank_note_no, "最长已逾期 31 天", "2026-05-02"):
        assert words in document.body


def test_the_notice_needs_right_and_version(line, loan):
    with pytest.raises(NotAllowed):
        repayment.issue_overdue_notice(line.ctx(ACCOUNTANT), loan)
    with pytest.raises(StaleRecord):
        repayment.issue_overdue_notice(line.ctx(MANAGER), loan, loan.version - 1)


# -- verify says what is wrong -----------------------------------------------------------------------------------------


def test_verify_names_a_plan_that_does_not_follow_from_the_repayments(line, loan, rows):
    assert verify.verify_repayments(line.session) == []
    rows[0].interest_paid = Decimal(1)
    line.session.flush()
    assert loan.number in verify.verify_repayments(line.session)[0]


def test_bullet_loans_are_repaid_at_maturity(line, project):
    loan = line.confirm(project, repayment_method=RepaymentMethod.BULLET)
    (row,) = repayment.plan_rows(line.session, loan)
    line.today = row.due_on - 5 * DAY
    pay(line, loan, row.principal, row.interest)
    assert loan.state is DrawdownState.SETTLED
