"""4.5d 存续变更: 展期, 提前还款 and 利率调整 from application to the new plan, and what follows from it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.base.moments import add_months
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown, DrawdownState, PlanSource
from models.guarantee.loan_change import ChangeKind, LoanChange, ReplanWay
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import ProjectState, Stage
from models.guarantee.release import Release
from models.ledger.closing import IncomeSchedule, ScheduleSource
from models.ledger.voucher import EventState
from models.system.setup import Parameter
from reports.figures.liability import liability_on
from reports.figures.overdue import overdue_lines
from reports.figures.recognition import due_total
from tests.workflows.guarantee.factories import CASHIER, MANAGER, MILLION, TODAY
from workflows import verify
from workflows.base import records
from workflows.guarantee import loan_change, plans, release, repayment
from workflows.guarantee.loan_change import PAPER
from workflows.guarantee.repayment import Paid
from workflows.guarantee.replanning import Terms, rates_of, replanned

STAGES = (Stage.CONFIRM, Stage.IN_FORCE)
CENT = Decimal("0.01")


@pytest.fixture
def loan(line):
    """5 million at 4.35 % by equal instalments from 2026-03-02 to 2027-03-02."""
    project = line.at(Stage.IN_FORCE)
    return line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()


def drawn(line, method, amount=Decimal(1_200_000), **facts):
    """A loan repaid in another way."""
    return line.confirm(line.at(Stage.CONFIRM), amount=amount, repayment_method=method, **facts)


def applied(line, loan, kind, **facts):
    known = {"project_id": loan.project_id, "drawdown_id": loan.id, "kind": ChangeKind[kind]}
    if kind == "EXTENSION":
        known["counter_consent_on"] = line.today
    known |= {"effective_on": line.today, "reason": "客户申请，银行已同意", **facts}
    return records.create(line.ctx(MANAGER), LoanChange, known)


def decided(line, change):
    PAPER.submit(line.ctx(MANAGER), change)
    line.approve(change)
    return change


def changed(line, loan, kind, **facts):
    return decided(line, applied(line, loan, kind, **facts))


def pay_due(line, loan, months=1):
    """The customer pays what falls due, on the day."""
    for _ in range(months):
        row = next(row for row in repayment.plan_rows(line.session, loan) if row.is_open)
        line.today = max(row.due_on, line.today)
        owed = Paid(
            line.today, row.principal - row.principal_paid, row.interest - row.interest_paid
        )
        repayment.register(line.ctx(MANAGER), loan, owed)


def rows(line, loan):
    return [(r.due_on, r.principal, r.interest) for r in repayment.plan_rows(line.session, loan)]


def is_sound(line):
    """Plans, balances and registrations still agree."""
    checks = (verify.verify_exposures, verify.verify_plans, verify.verify_repayments)
    return [words for check in checks for words in check(line.session)] == []


def set_parameter(line, code, value):
    line.session.scalars(select(Parameter).where(Parameter.code == code)).one().value = value
    line.session.flush()


# -- 展期 ----------------------------------------------------------------------------------------------------------


def test_an_extension_is_approved_and_all_follows(line, loan):
    project = loan.project
    pay_due(line, loan, 3)
    line.later(days=3)
    before, balance = rows(line, loan), loan.balance
    new_due = date(2027, 9, 2)
    change = applied(line, loan, "EXTENSION", new_due_on=new_due)
    shown = replanned(line.session, loan, Terms.of(change))
    # 1.5 % a year on what is owed, for six months
    assert change.fee_amount == round(balance * 15 / 2000, 2)
    decided(line, change)
    assert (change.state, change.done_on, change.old_due_on) == (
        PaperState.APPROVED,
        line.today,
        date(2027, 3, 2),
    )
    kept = rows(line, loan)
    assert kept == [(r.due_on, r.principal, r.interest) for r in shown]
    assert (kept[:3], len(kept), kept[-1][0]) == (before[:3], 18, new_due)
    assert len({row[1] + row[2] for row in kept[3:-1]}) == 1
    first, second = plans.versions(line.session, loan)
    assert (first.is_current, second.is_current, second.source) == (False, True, PlanSource.CHANGED)
    assert (loan.due_on, project.end_on) == (new_due, new_due)
    assert (loan.balance, project.balance) == (balance, balance)
    assert line.contract(project, "GUARANTEE").ends_on == new_due
    assert line.contract(project, "COUNTER").ends_on == new_due
    for words in ("展期并继续担保", "2027-03-02", "2027-09-02"):
        assert words in change.document.body
    assert is_sound(line)
    pay_due(line, loan, 15)
    assert (loan.state, project.balance) == (DrawdownState.SETTLED, 0)
    assert is_sound(line)


def test_the_fee_of_an_extension_goes_through_review_and_becomes_income(line, loan):
    fee = line.fee(loan.project)
    line.book(loan.project)
    amount, vat = fee.amount, fee.vat_amount
    schedule = IncomeSchedule(
        source=ScheduleSource.FEE,
        customer_id=loan.project.customer_id,
        project_id=loan.project_id,
        fee_id=fee.id,
        starts_on=loan.drawn_on,
        ends_on=loan.due_on,
        spread_from=loan.drawn_on,
        amount=Decimal(100),
        recognised=Decimal(100),
    )
    line.session.add(schedule)
    changed(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))
    (event,) = line.events(loan.project, EventState.PENDING, code="fee.registered")
    more = Decimal("18750.00")  # 5 million x 1.5 % x 3 / 12
    assert (event.total, fee.amount) == (more, amount + more)
    assert [due.amount for due in line.dues(fee)][-1] == more
    assert schedule.amount == 100 + more - (fee.vat_amount - vat)
    line.book(loan.project)
    assert fee.state.name == "BOOKED"
    assert is_sound(line)


def test_what_an_extension_costs_is_income_of_the_months_that_it_adds(line, loan):
    line.book(loan.project)
    line.later(days=20)
    changed(line, loan, "EXTENSION", new_due_on=date(2027, 9, 2))
    line.book(loan.project)
    assert due_total(line.session, date(2027, 2, 28)) == 0
    net = Decimal("37500.00") - Decimal("2122.64")
    assert abs(due_total(line.session, date(2027, 3, 31)) - net) <= CENT


@pytest.mark.parametrize("how", ["no rule", "no fee"])
def test_an_extension_without_a_fee(line, loan, how):
    if how == "no rule":
        set_parameter(line, "extension.fee_rule", "NONE")
    else:
        line.fee(loan.project).state = "CANCELLED"
    change = changed(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))
    assert change.fee_amount == 0
    assert line.events(loan.project, EventState.PENDING, code="fee.registered") == []


@pytest.mark.parametrize(
    ("facts", "field", "said"),
    [
        ({"new_due_on": date(2027, 3, 2)}, "new_due_on", "晚于原到期日 2027-03-02"),
        (
            {"new_due_on": date(2028, 3, 3)},
            "new_due_on",
            "不超过 12 个月，自 2027-03-02 起展期至该日为 13 个月",
        ),
        ({"effective_on": TODAY - timedelta(1)}, "effective_on", "到期后不能展期"),
        ({"counter_consent_on": None}, "counter_consent_on", "反担保人书面同意"),
        ({"counter_consent_on": TODAY + timedelta(1)}, "counter_consent_on", "不能晚于"),
        ({"new_rate_pct": Decimal(4)}, "new_rate_pct", "不填此项"),
        ({"prepaid_amount": Decimal(4)}, "prepaid_amount", "不填此项"),
        ({"lines": "2026-06-02 1"}, "lines", "不填此项"),
        ({"way": ReplanWay.SHORTEN}, "way", "提前还款"),
    ],
)
def test_an_extension_beyond_its_limits_is_refused_with_the_figures(line, loan, facts, field, said):
    with pytest.raises(FieldErrors) as caught:
        applied(line, loan, "EXTENSION", **{"new_due_on": date(2027, 6, 2), **facts})
    assert said in "".join(caught.value.field_errors[field])


def test_a_product_says_how_often_and_for_how_long(line, loan):
    changed(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))
    with pytest.raises(FieldErrors, match="最多展期 1 次，本借据已展期 1 次"):
        applied(line, loan, "EXTENSION", new_due_on=date(2027, 9, 2))
    loan.project.product.extension_times_max = 2
    with pytest.raises(FieldErrors, match="自 2027-03-02 起展期至该日为 13 个月"):
        applied(line, loan, "EXTENSION", new_due_on=date(2028, 3, 3))
    changed(line, loan, "EXTENSION", new_due_on=date(2027, 9, 2))
    assert len(plans.versions(line.session, loan)) == 3


def test_an_extension_that_is_approved_too_late_is_refused(line, loan):
    change = applied(line, loan, "EXTENSION", new_due_on=date(2027, 9, 2))
    PAPER.submit(line.ctx(MANAGER), change)
    line.today = date(2027, 3, 3)
    with pytest.raises(Conflict, match="已于 2027-03-02 到期"):
        line.approve(change)


@pytest.mark.parametrize("method", ["INTEREST_FIRST", "BULLET", "EQUAL_PRINCIPAL"])
def test_every_way_of_repayment_can_be_extended(line, method):
    loan = drawn(line, RepaymentMethod[method], due_on=date(2026, 8, 20))
    line.later(days=5)
    changed(line, loan, "EXTENSION", new_due_on=date(2026, 12, 2))
    found = rows(line, loan)
    assert (sum(row[1] for row in found), found[-1][0]) == (1_200_000, date(2026, 12, 2))
    assert all(day.day == 2 for day, _, _ in found)
    if method == "BULLET":  # nine months
        assert found == [(date(2026, 12, 2), 1_200_000, Decimal("39150.00"))]
    assert is_sound(line)


def test_an_extension_by_agreement_ends_on_its_last_day(line, loan):
    pay_due(line, loan, 11)
    left, new_due = loan.balance, date(2027, 6, 2)
    facts = {"new_due_on": new_due, "way": ReplanWay.AGREED}
    for lines, said in (
        (f"2027-06-02 {left - 1}", "应等于剩余本金"),
        (f"2027-05-02 {left}", "应为到期日 2027-06-02"),
    ):
        with pytest.raises(FieldErrors) as caught:
            applied(line, loan, "EXTENSION", lines=lines, **facts)
        assert said in "".join(caught.value.field_errors["lines"])
    lines = f"2027-03-02 {left - 1000} 0\n2027-06-02 1000"
    changed(line, loan, "EXTENSION", lines=lines, **facts)
    assert rows(line, loan)[-2:] == [
        (date(2027, 3, 2), left - 1000, 0),
        (new_due, Decimal(1000), Decimal("10.88")),
    ]
    assert is_sound(line)


def test_a_loan_by_agreement_is_planned_by_agreement(line):
    loan = drawn(line, RepaymentMethod.CUSTOM, lines="2026-09-02 600000\n2027-03-02 600000")
    with pytest.raises(FieldErrors, match="按约定的各期"):
        applied(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))


# -- 提前还款 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [ReplanWay.LEVEL, ReplanWay.SHORTEN])
def test_what_is_paid_early_is_planned_anew_when_the_bank_has_it(line, loan, way):
    pay_due(line, loan, 2)
    line.later(days=10)
    balance, before = loan.balance, rows(line, loan)
    change = changed(line, loan, "PREPAYMENT", prepaid_amount=MILLION, way=way)
    assert (loan.balance, change.done_on, rows(line, loan)) == (balance, None, before)
    interest = Decimal("1208.33")  # ten days of a million at 4.35 %
    made = loan_change.pay(line.ctx(MANAGER), change, paid_on=line.today, interest=interest)
    assert (made.principal, made.balance_after) == (MILLION, balance - MILLION)
    assert (change.repayment, change.done_on) == (made, line.today)
    found = rows(line, loan)
    assert found[2] == (line.today, MILLION, interest)
    payment = before[2][1] + before[2][2]
    if way is ReplanWay.LEVEL:
        assert (found[-1][0], loan.due_on) == (date(2027, 3, 2), date(2027, 3, 2))
        assert found[3][1] + found[3][2] < payment
    else:
        assert {row[1] + row[2] for row in found[3:-1]} == {payment}
        assert loan.due_on == loan.project.end_on == found[-1][0] == date(2027, 1, 2)
    assert loan.project.balance == balance - MILLION
    assert liability_on(line.session, line.today) < Decimal(5 * MILLION)
    assert is_sound(line)
    with pytest.raises(Conflict, match="没有待登记"):
        loan_change.pay(line.ctx(MANAGER), change, paid_on=line.today, interest=interest)
    pay_due(line, loan, len(found) - 3)
    assert loan.state is DrawdownState.SETTLED


def test_principal_paid_early_on_a_due_day_joins_that_instalment(line, loan):
    line.today = date(2026, 4, 2)
    change = changed(line, loan, "PREPAYMENT", prepaid_amount=MILLION)
    due = rows(line, loan)[0]
    loan_change.pay(line.ctx(MANAGER), change, paid_on=line.today, interest=due[2])
    assert rows(line, loan)[0] == (due[0], due[1] + MILLION, due[2])
    assert len(rows(line, loan)) == 12
    # the money settled the instalment first: what is left of it is paid as usual
    assert repayment.owed_by(repayment.plan_rows(line.session, loan), line.today)[0] == due[1]
    assert is_sound(line)


def test_all_of_a_loan_can_be_paid_early(line, loan):
    pay_due(line, loan)
    line.later(days=4)
    change = changed(line, loan, "PREPAYMENT", prepaid_amount=loan.balance)
    loan_change.pay(
        line.ctx(MANAGER), change, paid_on=line.today, interest=Decimal(2000), note="实收"
    )
    assert (loan.state, loan.balance, loan.due_on) == (DrawdownState.SETTLED, 0, line.today)
    assert is_sound(line)


def test_a_day_of_early_payment_is_no_day_on_which_instalments_fall_due(line, loan):
    line.later(days=26)
    change = changed(line, loan, "PREPAYMENT", prepaid_amount=MILLION)
    loan_change.pay(line.ctx(MANAGER), change, paid_on=line.today, interest=Decimal("3141.67"))
    changed(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))
    days = [row[0] for row in rows(line, loan)]
    assert days == [line.today, *(add_months(date(2026, 4, 2), n) for n in range(15))]


def test_interest_runs_on_what_is_still_owed_of_an_instalment(line):
    set_parameter(line, "repayment.early_allowed", "是")
    loan = drawn(line, RepaymentMethod.EQUAL_PRINCIPAL)
    line.later(days=15)
    ahead = Paid(line.today, Decimal(50_000), Decimal(0))
    repayment.register(line.ctx(MANAGER), loan, ahead)
    changed(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))
    first, second, *_ = rows(line, loan)
    assert first == (line.today, Decimal(50_000), Decimal("90.63")), "fifteen days at 4.35 %"
    assert second[2] == Decimal("4168.75"), "a month of 1,150,000"
    assert is_sound(line)


def test_a_loan_without_interest_is_paid_early_too(line):
    loan = drawn(line, RepaymentMethod.INTEREST_FIRST, rate_annual_pct=Decimal(0))
    change = changed(line, loan, "PREPAYMENT", prepaid_amount=MILLION)
    loan_change.pay(line.ctx(MANAGER), change, paid_on=line.today, interest=Decimal(0))
    assert (loan.balance, is_sound(line)) == (200_000, True)


@pytest.mark.parametrize("facts", [{"prepaid_amount": "0"}, {"new_rate_pct": "0"}])
def test_nought_where_nothing_belongs_is_said_at_its_field(line, loan, facts):
    with pytest.raises(FieldErrors) as caught:
        applied(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2), **facts)
    assert caught.value.field_errors.keys() == facts.keys()


def test_a_prepayment_that_was_wrong_takes_its_plan_back(line, loan):
    project = loan.project
    line.later(days=10)
    old = rows(line, loan)
    facts = {"prepaid_amount": MILLION, "way": ReplanWay.SHORTEN}
    change = changed(line, loan, "PREPAYMENT", **facts)
    ctx = line.ctx(MANAGER)
    made = loan_change.pay(ctx, change, paid_on=line.today, interest=Decimal("1208.33"))
    assert loan.due_on < date(2027, 3, 2)
    repayment.reverse(ctx, made, "金额登记错误")
    assert (rows(line, loan), loan.due_on, project.end_on) == (
        old,
        date(2027, 3, 2),
        date(2027, 3, 2),
    )
    assert (loan.balance, loan_change.waits(ctx, change)) == (5 * MILLION, True)
    assert is_sound(line)
    again = loan_change.pay(ctx, change, paid_on=line.today, interest=Decimal("1208.33"))
    assert len(plans.versions(line.session, loan)) == 3
    other = applied(line, loan, "RATE", new_rate_pct=Decimal(4))
    with pytest.raises(Conflict, match=f"存续变更 {other.number} 尚未办结"):
        repayment.reverse(ctx, again, "金额登记错误")
    records.delete(ctx, other, other.version)
    changed(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))
    with pytest.raises(Conflict, match="还款计划又有变更"):
        repayment.reverse(ctx, again, "金额登记错误")


@pytest.mark.parametrize(
    ("facts", "field", "said"),
    [
        ({"prepaid_amount": Decimal("5000000.01")}, "prepaid_amount", "借款余额 5,000,000.00"),
        (
            {"prepaid_amount": MILLION, "effective_on": date(2027, 3, 2)},
            "effective_on",
            "早于到期日",
        ),
        ({"prepaid_amount": MILLION, "effective_on": date(2026, 3, 1)}, "effective_on", "不早于"),
    ],
)
def test_a_prepayment_fits_its_loan(line, loan, facts, field, said):
    with pytest.raises(FieldErrors) as caught:
        applied(line, loan, "PREPAYMENT", **facts)
    assert said in "".join(caught.value.field_errors[field])


def test_a_prepayment_fits_what_is_not_due_yet(line, loan):
    line.today = date(2026, 4, 2)
    with pytest.raises(FieldErrors, match="尚未到期的本金"):
        applied(line, loan, "PREPAYMENT", prepaid_amount=loan.balance)
    set_parameter(line, "repayment.early_allowed", "是")
    pay_due(line, loan)
    row = repayment.plan_rows(line.session, loan)[1]
    repayment.register(line.ctx(MANAGER), loan, Paid(line.today, row.principal, row.interest))
    with pytest.raises(FieldErrors, match="还款日应不早于该日"):
        applied(line, loan, "PREPAYMENT", prepaid_amount=MILLION)


def test_a_prepayment_is_paid_after_its_approval_and_may_be_called_off(line, loan):
    change = changed(line, loan, "PREPAYMENT", prepaid_amount=MILLION)
    ctx = line.ctx(MANAGER)
    with pytest.raises(FieldErrors, match="批准日期"):
        loan_change.pay(ctx, change, paid_on=TODAY - timedelta(1), interest=Decimal(0))
    with pytest.raises(NotAllowed):
        loan_change.pay(line.ctx(CASHIER), change, paid_on=TODAY, interest=Decimal(0))
    loan_change.cancel(ctx, change, "客户改期")
    assert change.state is PaperState.VOID
    done = changed(line, loan, "RATE", new_rate_pct=Decimal(4))
    with pytest.raises(Conflict, match="已生效，不能作废"):
        loan_change.cancel(ctx, done, "客户改期")


# -- 利率调整 --------------------------------------------------------------------------------------------------------


def test_a_new_rate_holds_from_its_day_on(line):
    loan = drawn(line, RepaymentMethod.INTEREST_FIRST)
    pay_due(line, loan, 2)
    line.today = date(2026, 5, 20)
    change = changed(
        line, loan, "RATE", new_rate_pct=Decimal("3.75"), effective_on=date(2026, 5, 12)
    )
    found = rows(line, loan)
    # ten days at 4.35 % and twenty at 3.75 %, then months at 3.75 %
    assert [row[2] for row in found[1:4]] == [
        Decimal("4350.00"),
        Decimal("3950.00"),
        Decimal("3750.00"),
    ]
    assert (loan.rate_annual_pct, change.old_rate_pct) == (Decimal("3.75"), Decimal("4.35"))
    assert rates_of(line.session, loan) == (
        (TODAY, Decimal("4.35")),
        (date(2026, 5, 12), Decimal("3.75")),
    )
    changed(line, loan, "RATE", new_rate_pct=Decimal("3.45"), effective_on=date(2026, 5, 17))
    assert rows(line, loan)[2][2] == Decimal("3800.00")  # ten, five and fifteen days
    with pytest.raises(FieldErrors, match="应在 2026-05-17 与营业日期"):
        applied(line, loan, "RATE", new_rate_pct=Decimal(3), effective_on=date(2026, 5, 16))
    with pytest.raises(FieldErrors, match=r"现行年利率 3.45%"):
        applied(line, loan, "RATE", new_rate_pct=Decimal("3.45"))
    assert is_sound(line)


# -- who, when, once -------------------------------------------------------------------------------------------------


def test_nothing_is_changed_while_something_is_overdue(line, loan):
    line.today = add_months(TODAY, 1) + timedelta(days=3)
    change = applied(line, loan, "RATE", new_rate_pct=Decimal(4))
    with pytest.raises(BusinessError, match=r"逾期 3 天，欠 .* 元，归还后才能办理"):
        PAPER.submit(line.ctx(MANAGER), change)
    set_parameter(line, "change.overdue_allowed", "是")
    decided(line, change)
    assert change.done_on == line.today
    (missed,) = overdue_lines(line.session, loan, line.today)
    assert missed.due_on == date(2026, 4, 2)


def test_a_loan_has_one_change_under_way(line, loan):
    change = applied(line, loan, "RATE", new_rate_pct=Decimal(4))
    with pytest.raises(FieldErrors, match=f"存续变更 {change.number} 尚未办结"):
        applied(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))
    decided(line, change)
    applied(line, loan, "EXTENSION", new_due_on=date(2027, 6, 2))


def test_a_change_is_of_a_loan_of_its_project_in_force(line, loan):
    other = drawn(line, RepaymentMethod.BULLET)
    with pytest.raises(FieldErrors, match="请选择项目"):
        applied(line, loan, "RATE", new_rate_pct=Decimal(4), drawdown_id=other.id)
    change = applied(line, loan, "RATE", new_rate_pct=Decimal(4))
    PAPER.submit(line.ctx(MANAGER), change)
    loan.state, loan.closed_on, loan.balance = DrawdownState.RELEASED, TODAY, Decimal(0)
    with pytest.raises(Conflict, match="已解保，不能办理存续变更"):
        line.approve(change)


def test_release_and_change_exclude_each_other(line, loan):
    project = loan.project
    waiting = changed(line, loan, "PREPAYMENT", prepaid_amount=MILLION)
    facts = {"basis": "BANK_LETTER", "letter_no": "1", "letter_on": TODAY, "note": "银行同意"}
    paper = records.create(line.ctx(MANAGER), Release, {"project_id": project.id, **facts})
    line.attach("release", paper.id, None)
    loan_change.cancel(line.ctx(MANAGER), waiting, "改办解保")
    change = applied(line, loan, "RATE", new_rate_pct=Decimal(4))
    PAPER.submit(line.ctx(MANAGER), change)
    with pytest.raises(BusinessError, match=f"存续变更 {change.number} 正在审批"):
        release.submit(line.ctx(MANAGER), paper)
    line.give_back(change)
    release.submit(line.ctx(MANAGER), paper)
    with pytest.raises(Conflict, match="正在解保，不能办理存续变更"):
        PAPER.submit(line.ctx(MANAGER), change)
    line.book(project)
    line.approve(paper)
    line.book(project)
    assert project.state is ProjectState.RELEASED
    assert change.state is PaperState.VOID


def test_what_waits_for_money_ends_with_its_project(line, loan):
    change = changed(line, loan, "PREPAYMENT", prepaid_amount=MILLION)
    loan_change.ended(line.ctx(), loan.project, "项目已解保")
    assert change.state is PaperState.VOID


def test_nothing_is_left_to_plan_once_all_has_fallen_due(line, loan):
    line.today = loan.due_on
    with pytest.raises(Conflict, match="没有尚未到期的本金"):
        applied(line, loan, "RATE", new_rate_pct=Decimal(4))
