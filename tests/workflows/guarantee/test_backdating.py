"""4.13: what is registered with a day in the past shows what it changes first, and changes no more than that."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.base.errors import FieldErrors
from models.guarantee.drawdown import Drawdown
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import Stage
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.voucher import EventState
from models.statistics.snapshot import CompanySnapshot
from tests.workflows.guarantee.factories import MANAGER, MILLION
from workflows import verify
from workflows.guarantee import backdating, plans, repayment
from workflows.guarantee.repayment import Paid
from workflows.ledger import posting
from workflows.statistics import snapshot

ZERO = Decimal(0)


@pytest.fixture
def loan(line):
    """Drawn on 2 March 2026 over 1,200,000, repaid in twelve parts of equal principal."""
    project = line.project_at(
        Stage.IN_FORCE,
        amount=Decimal(1_200_000),
        repayment_method=RepaymentMethod.EQUAL_PRINCIPAL,
        term_months=12,
    )
    return line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()


def told(line, loan, paid):
    return {one.what: one.after for one in backdating.of_repayment(line.ctx(MANAGER), loan, paid)}


def row(line, loan, seq):
    return repayment.plan_rows(line.session, loan)[seq - 1]


def test_a_repayment_of_today_asks_nothing_and_one_found_late_says_what_it_ends(line, loan):
    first = row(line, loan, 1)
    line.today = first.due_on
    today = Paid(line.today, first.principal, first.interest)
    assert told(line, loan, today) == {}, "nothing but what every repayment does"
    line.today = first.due_on + timedelta(days=5)
    repayment.mark_overdue(line.ctx())
    snapshot.take(line.ctx())
    before = line.session.scalars(select(CompanySnapshot)).one()
    kept = (before.taken_on, before.overdue_principal, before.in_force_balance)
    line.later(days=1)
    paid = Paid(first.due_on, first.principal, first.interest)
    found = told(line, loan, paid)
    assert found["逾期"] == "无"
    assert found["借款余额、在保余额"] == "1,100,000.00 元"
    assert "不变" in found["每日快照"]
    repayment.register(line.ctx(MANAGER), loan, paid)
    after = line.session.scalars(select(CompanySnapshot)).one()
    assert (after.taken_on, after.overdue_principal, after.in_force_balance) == kept
    assert (loan.balance, row(line, loan, 1).overdue_since) == (Decimal(1_100_000), None)


def test_interest_that_came_before_is_counted_before(line, loan):
    """What was more than the plan asked for becomes less so once an earlier payment is found."""
    first = row(line, loan, 1)
    line.today = first.due_on + timedelta(days=10)
    late = Paid(line.today, ZERO, first.interest + Decimal(50), note="含罚息")
    made = repayment.register(line.ctx(MANAGER), loan, late)
    assert made.extra_interest == 0, "a later instalment takes it"
    paid = Paid(first.due_on, first.principal, first.interest, note="补登")
    found = told(line, loan, paid)
    assert f"第 1 期（{first.due_on}）已还本息" in found
    second = row(line, loan, 2)
    extra = first.interest + 50 - second.interest
    assert found[f"还款 {made.number}（{made.paid_on}）的超计划利息"] == f"{extra:,.2f} 元"
    repayment.register(line.ctx(MANAGER), loan, paid)
    line.session.refresh(made)
    assert (made.extra_interest, row(line, loan, 2).interest_paid) == (extra, second.interest)
    with pytest.raises(FieldErrors):
        told(line, loan, Paid(line.today + timedelta(days=1), ZERO, Decimal(1)))


def test_a_closed_month_stays_and_the_difference_goes_to_the_first_open_day(line):
    """A drawdown that is registered after the month was closed: its income is booked in the next one."""
    project, session = line.project_at(Stage.CONFIRM, amount=MILLION), line.session
    drawn_on = line.today
    end = date(drawn_on.year, drawn_on.month + 1, 1) - timedelta(days=1)
    code = f"{end:%Y-%m}"
    period = session.scalars(select(AccountingPeriod).where(AccountingPeriod.code == code)).first()
    period = period or AccountingPeriod(
        code=code, year=end.year, month=end.month, starts_on=end.replace(day=1), ends_on=end
    )
    period.state, period.closed_at = PeriodState.CLOSED, line.ctx().now
    period.closed_by_id = line.id(MANAGER)
    session.add(period)
    session.flush()
    line.today = end + timedelta(days=3)
    note = line.note(project, drawn_on=drawn_on, amount=MILLION)
    rows = plans.planned(plans.Loan(**note))
    ctx = line.ctx(MANAGER)
    found = {one.what: one.after for one in backdating.of_drawdown(ctx, drawn_on, rows)}
    assert f"差额记在 {code} 之后" in found["已结账期间"]
    line.confirm(project, drawn_on=drawn_on, amount=MILLION)
    (event,) = line.events(project, EventState.PENDING, code="income.recognised")
    assert (event.occurred_on, posting.booking_date(line.ctx(), event)) == (
        drawn_on,
        end + timedelta(days=1),
    )
    assert backdating.of_drawdown(ctx, line.today, rows) == []


@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 150), st.integers(0, 3), st.integers(0, 9000)),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_foretold_is_what_comes_and_the_order_of_registration_does_not_matter(
    line, loan, payments
):
    """Whatever is found late: the preview agrees with the registration, and the plan stands as if all came in time."""
    due = repayment.plan_rows(line.session, loan)
    line.today = due[5].due_on
    found = []
    with line.session.begin_nested() as trial:
        for day, parts, cents in payments:
            paid = Paid(
                loan.drawn_on + timedelta(days=day),
                due[0].principal * parts,
                Decimal(cents),
                note="补登",
            )
            try:
                effects = backdating.of_repayment(line.ctx(MANAGER), loan, paid)
            except FieldErrors:
                continue
            repayment.register(line.ctx(MANAGER), loan, paid)
            found.append(paid)
            rows = {one.seq: one for one in repayment.plan_rows(line.session, loan)}
            for one in effects:
                if one.what.startswith("第 "):
                    now = rows[int(one.what.split()[1])]
                    assert one.after == f"{now.principal_paid:,.2f} + {now.interest_paid:,.2f}"
        state = [(r.principal_paid, r.interest_paid) for r in rows.values()] if found else []
        assert verify.verify_repayments(line.session) == []
        trial.rollback()
    line.session.expire_all()
    with line.session.begin_nested() as trial:
        for paid in sorted(found, key=lambda one: one.paid_on):
            try:
                repayment.register(line.ctx(MANAGER), loan, paid)
            except (
                FieldErrors
            ):  # principal that was due by then only together with later instalments
                trial.rollback()
                return
        now = repayment.plan_rows(line.session, loan)
        assert not found or [(r.principal_paid, r.interest_paid) for r in now] == state
        trial.rollback()
