"""6.6 预警: each rule raises what it should on the right day, once; owners handle, and lift with a reason."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.after.warning import RiskWarning, WarningLevel, WarningOwner, WarningRule, WarningState
from models.base.errors import BusinessError, FieldErrors, IllegalTransition, NotAllowed, NotFound
from models.guarantee.appraisal import BankLetter, LetterKind
from models.guarantee.drawdown import Drawdown
from models.guarantee.product import FeeKind
from models.guarantee.project import ProjectState, Stage
from models.guarantee.resolution import ResolutionState
from models.guarantee.signing import FeeDue
from models.system.organization import Department
from models.system.setup import Parameter
from tests.workflows.guarantee.factories import ACCOUNTANT, DEPARTMENT_HEAD, MANAGER, OUTSIDER, RISK
from workflows.after import warning as warnings
from workflows.base import records
from workflows.guarantee import repayment
from workflows.guarantee.expiry import expire_reservations

STAGES = (Stage.REVIEW, Stage.FEE_PLAN, Stage.IN_FORCE)
DAY = timedelta(days=1)
MATURITY = date(2027, 3, 2)


@pytest.fixture
def project(line):
    """5 million in force from 2026-03-02 to 2027-03-02, an instalment on the second of each month."""
    return line.at(Stage.IN_FORCE)


def raised(line, day, code=""):
    """What the rules raise on a day, as (rule, message)."""
    line.today = day
    warnings.evaluate(line.ctx())
    query = select(RiskWarning).where(RiskWarning.raised_on == day).order_by(RiskWarning.id)
    return [w for w in line.session.scalars(query) if not code or w.rule.code == code]


def rule(line, code):
    return line.session.scalars(select(WarningRule).where(WarningRule.code == code)).one()


def test_every_seeded_rule_has_its_check(line):
    seeded = set(line.session.scalars(select(WarningRule.code)))
    assert seeded == set(warnings.CHECKS)


@pytest.mark.parametrize(
    ("before", "expected"), [(31, []), (30, [30]), (15, [15]), (7, [7]), (0, [0])]
)
def test_the_end_of_the_guarantee_is_announced_at_each_threshold(line, project, before, expected):
    found = raised(line, MATURITY - before * DAY, "guarantee_due")
    assert [w.message for w in found] == [
        f"担保将于 2027-03-02 到期，剩余 {left} 天，在保余额 5,000,000.00 元" for left in expected
    ]


def test_a_threshold_is_told_once_and_the_next_one_anew(line, project):
    counts = [
        len(raised(line, MATURITY - left * DAY, "guarantee_due")) for left in range(32, -1, -1)
    ]
    assert sum(counts) == 3
    assert [32 - at for at, count in enumerate(counts) if count] == [30, 15, 7]
    assert raised(line, MATURITY + DAY, "guarantee_due") == []


def test_only_what_still_holds_stays_open(line, project):
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    first = repayment.plan_rows(line.session, loan)[0]
    (week,) = raised(line, first.due_on - 7 * DAY, "instalment_due")
    assert raised(line, first.due_on - 5 * DAY, "instalment_due") == []
    assert (week.state, week.lifted_on) == (WarningState.PENDING, None), "nothing has changed"
    (three,) = raised(line, first.due_on - 3 * DAY, "instalment_due")
    assert (week.state, week.reason, week.lifted_by_id) == (
        WarningState.LIFTED,
        "已由新的预警接替",
        None,
    )
    warnings.handle(line.ctx(MANAGER), three, "已电话提醒")
    first.principal_paid, first.interest_paid = first.principal, first.interest
    line.session.flush()
    assert raised(line, first.due_on - 2 * DAY, "instalment_due") == []
    assert (three.state, three.reason, three.lifted_on) == (
        WarningState.LIFTED,
        "预警情形已不存在",
        first.due_on - 2 * DAY,
    )
    assert three.handling == "已电话提醒"


def test_the_figures_of_a_warning_are_those_of_the_day(line, project):
    (one,) = raised(line, MATURITY - 29 * DAY, "guarantee_due")
    assert "剩余 29 天" in one.message
    assert raised(line, MATURITY - 20 * DAY, "guarantee_due") == [], (
        "no new one under the same threshold"
    )
    assert "剩余 20 天" in one.message


def test_a_rule_that_is_switched_off_lifts_nothing(line, project):
    (found,) = raised(line, MATURITY - 7 * DAY, "guarantee_due")
    rule(line, "guarantee_due").is_active = False
    line.session.flush()
    raised(line, MATURITY + DAY)
    assert found.state is WarningState.PENDING


def test_a_repaid_guarantee_is_not_announced(line, project):
    project.balance = Decimal(0)
    assert raised(line, MATURITY - DAY, "guarantee_due") == []


def test_an_instalment_is_announced_with_what_is_still_owed(line, project):
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    first = repayment.plan_rows(line.session, loan)[0]
    counts = {
        left: len(raised(line, first.due_on - left * DAY, "instalment_due"))
        for left in range(9, -1, -1)
    }
    assert {left for left, count in counts.items() if count} == {7, 3, 1}
    (warning,) = line.session.scalars(
        select(RiskWarning).where(RiskWarning.message.contains("剩余 0 天"))
    )
    assert f"第 1 期将于 {first.due_on} 到期" in warning.message
    assert (warning.record_table, warning.record_id) == ("instalment", first.id)


def test_overdue_principal_and_interest_are_told_apart_and_grow_worse(line, project):
    assert raised(line, date(2026, 4, 2), "principal_overdue") == []
    assert len(raised(line, date(2026, 4, 3), "principal_overdue")) == 1
    assert raised(line, date(2026, 4, 4), "principal_overdue") == [], "told on the day before"
    worse = {
        w.message.rpartition("，")[2]: w.level
        for w in raised(line, date(2026, 5, 3), "interest_overdue")
    }
    assert worse == {"已逾期 31 天": WarningLevel.SERIOUS, "已逾期 1 天": WarningLevel.SERIOUS}
    assert raised(line, date(2026, 5, 4), "interest_overdue") == []


def test_an_expired_resolution_and_an_expired_letter_are_told(line):
    waiting, letter_project = line.at(Stage.FEE_PLAN), line.at(Stage.REVIEW)
    paper = line.resolution(waiting)
    letter = line.session.scalars(
        select(BankLetter).where(
            BankLetter.project_id == letter_project.id, BankLetter.kind == LetterKind.INTENT
        )
    ).one()
    paper.valid_until = letter.valid_until = date(2026, 3, 31)
    line.session.flush()
    codes = {"resolution_expired", "intent_expired"}
    assert not codes & {w.rule.code for w in raised(line, date(2026, 3, 31))}, (
        "both hold on their last day"
    )
    line.today = date(2026, 4, 1)
    expire_reservations(line.ctx())
    assert paper.state is ResolutionState.EXPIRED
    found = {w.rule.code: w for w in raised(line, date(2026, 4, 1))}
    assert paper.number in found["resolution_expired"].message
    assert letter.number in found["intent_expired"].message
    assert raised(line, date(2026, 4, 2), "intent_expired") == []


def test_late_fees_are_told_after_the_grace(line, project):
    fee = next(f for f in [line.fee(project)] if f.kind is FeeKind.GUARANTEE)
    fee.amount += 100
    line.session.add(
        FeeDue(
            fee=fee,
            seq=2,
            due_on=date(2026, 3, 10),
            amount=Decimal(100),
            settled_amount=Decimal(40),
        )
    )
    line.session.scalars(
        select(Parameter).where(Parameter.code == "fee.overdue_grace_days")
    ).one().value = "5"
    line.session.flush()
    assert raised(line, date(2026, 3, 15), "fee_overdue") == []
    (found,) = raised(line, date(2026, 3, 16), "fee_overdue")
    assert found.message == "担保费第 2 期 60.00 元应于 2026-03-10 收取，已逾期 6 天"
    assert raised(line, date(2026, 3, 17), "fee_overdue") == []


def test_an_inactive_rule_is_silent(line, project):
    rule(line, "guarantee_due").is_active = False
    line.session.flush()
    assert raised(line, MATURITY, "guarantee_due") == []


@pytest.mark.parametrize(
    ("role", "who"),
    [
        (WarningOwner.MANAGER, MANAGER),
        (WarningOwner.DEPARTMENT, DEPARTMENT_HEAD),
        (WarningOwner.RISK, RISK),
    ],
)
def test_a_warning_has_its_owner_and_deadline(line, project, role, who):
    rule(line, "guarantee_due").owner_role = role
    (found,) = raised(line, MATURITY - 7 * DAY, "guarantee_due")
    assert (found.owner_id, found.deadline, found.state) == (
        line.id(who),
        MATURITY,
        WarningState.PENDING,
    )
    assert found.number.startswith("YJ2027-")


def test_without_that_person_the_manager_owns_it(line, project):
    rule(line, "guarantee_due").owner_role = WarningOwner.DEPARTMENT
    project.department = line.session.get(Department, project.department_id)
    project.department.manager_id = None
    assert raised(line, MATURITY, "guarantee_due")[0].owner_id == line.id(MANAGER)
    project.department = None
    assert raised(line, MATURITY - 20 * DAY, "guarantee_due")[0].owner_id == line.id(MANAGER)


def test_handling_and_lifting(line, project):
    (warning,) = raised(line, MATURITY - 7 * DAY, "guarantee_due")
    ctx = line.ctx(MANAGER)
    for words in ("", "长" * 2001):
        with pytest.raises(BusinessError, match="处理措施"):
            warnings.handle(ctx, warning, words)
    warnings.handle(ctx, warning, " 已联系客户备款 ", warning.version)
    assert (warning.state, warning.handling) == (WarningState.HANDLING, "已联系客户备款")
    for words in (" ", "长" * 201):
        with pytest.raises(BusinessError, match="解除原因"):
            warnings.lift(ctx, warning, words)
    warnings.lift(ctx, warning, "客户已还款")
    assert (warning.state, warning.reason, warning.lifted_on, warning.lifted_by_id) == (
        WarningState.LIFTED,
        "客户已还款",
        line.today,
        line.id(MANAGER),
    )
    with pytest.raises(IllegalTransition):
        warnings.lift(ctx, warning, "再次")
    assert raised(line, line.today, "guarantee_due") == [warning], "lifted, it is not raised again"


def test_rights_and_scope(line, project):
    (warning,) = raised(line, MATURITY - 7 * DAY, "guarantee_due")
    with pytest.raises(NotAllowed):
        warnings.handle(line.ctx(ACCOUNTANT), warning, "x")
    with pytest.raises(NotFound):
        warnings.lift(line.ctx(OUTSIDER), warning, "x")
    with pytest.raises(NotAllowed):
        warnings.evaluate(line.ctx(MANAGER))


def test_thresholds_are_days(line):
    found = rule(line, "guarantee_due")
    records.update(line.ctx(), found, {"days": "60， 30"}, found.version)
    assert (found.days, warnings.thresholds(found)) == ("60,30", [30, 60])
    for words in ("三十", "30;15", "-1", "1000"):
        with pytest.raises(FieldErrors, match="阈值应为天数"):
            records.update(line.ctx(), found, {"days": words}, found.version)


def test_projects_that_are_over_are_not_warned_of(line, project):
    project.state = ProjectState.RELEASED
    line.session.flush()
    assert [w for w in raised(line, date(2027, 3, 1)) if w.project_id == project.id] == []
