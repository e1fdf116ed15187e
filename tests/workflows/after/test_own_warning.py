"""6.6 自拟预警规则: raised once as long as the condition holds, and anew once it has been gone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.after.warning import RiskWarning, WarningRule, WarningState
from models.base.errors import FieldErrors
from models.guarantee.project import ProjectState, Stage
from tests.workflows.guarantee.factories import MANAGER
from workflows.after import own_warning
from workflows.after import warning as warnings
from workflows.base import records

STAGES = (Stage.IN_FORCE,)
DAY = timedelta(days=1)
FACTS = {
    "label": "在保余额大",
    "about": "project",
    "condition": "在保余额 > 4000000",
    "level": "ATTENTION",
    "owner_role": "MANAGER",
    "handle_days": 10,
}


@pytest.fixture
def project(line):
    """5 million in force from 2026-03-02 to 2027-03-02."""
    return line.at(Stage.IN_FORCE)


@pytest.fixture
def rule(line, project):
    return records.create(line.ctx(), WarningRule, FACTS)


def raised(line, rule):
    warnings.evaluate(line.ctx())
    query = select(RiskWarning).where(RiskWarning.rule_id == rule.id).order_by(RiskWarning.id)
    return list(line.session.scalars(query))


def test_it_is_raised_once_as_long_as_it_holds_and_says_the_figures(line, rule, project):
    (one,) = raised(line, rule)
    assert one.message == "在保余额大：在保余额 5,000,000.00 > 4,000,000.00"
    assert (one.project_id, one.record_table, one.owner_id) == (
        project.id,
        "project",
        project.manager_id,
    )
    line.today += DAY
    assert raised(line, rule) == [one]


def test_who_has_lifted_it_is_not_told_again_until_it_has_been_gone(line, rule, project):
    (one,) = raised(line, rule)
    warnings.lift(line.ctx(MANAGER), one, "已加保")
    line.today += DAY
    assert [w.state for w in raised(line, rule)] == [WarningState.LIFTED]
    project.balance = Decimal(3_000_000)
    line.today += DAY
    assert raised(line, rule) == [one]
    assert one.passed_on == line.today
    project.balance = Decimal(4_500_000)
    line.today += DAY
    first, second = raised(line, rule)
    assert (first, second.state) == (one, WarningState.PENDING)


def test_what_has_passed_is_lifted_by_itself_and_raised_anew_another_day(line, rule, project):
    (one,) = raised(line, rule)
    project.balance = Decimal(1)
    line.today += DAY
    raised(line, rule)
    assert (one.state, one.reason, one.passed_on) == (
        WarningState.LIFTED,
        "预警情形已不存在",
        line.today,
    )
    project.balance = Decimal(5_000_000)
    line.today += DAY
    assert len(raised(line, rule)) == 2


def test_ended_projects_are_left_alone_and_parts_of_projects_may_be_warned_about(line, project):
    facts = FACTS | {"about": "drawdown", "condition": "放款金额 > 1", "label": "借据"}
    rule = records.create(line.ctx(), WarningRule, facts)
    assert [w.record_table for w in raised(line, rule)] == ["drawdown"]
    project.state = ProjectState.RELEASED
    line.today += DAY
    assert [w.state for w in raised(line, rule)] == [WarningState.LIFTED]


def test_a_rule_that_can_no_longer_be_understood_says_so_and_stops_nothing(line, rule, project):
    rule.condition = "没有这个字段 > 1"
    assert raised(line, rule) == []
    assert "没有这个字段" in rule.problem
    assert own_warning.holding(line.ctx(), rule) is None


@pytest.mark.parametrize(
    ("facts", "field", "message"),
    [
        ({"condition": ""}, "condition", "请填写预警条件"),
        ({"about": ""}, "about", "请选择预警对象"),
        ({"condition": "没有 > 1"}, "condition", "没有"),
        ({"about": "employee"}, "about", "没有这个选项"),
        ({"days": "30"}, "days", "不填阈值"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_field(line, project, facts, field, message):
    with pytest.raises(FieldErrors) as caught:
        records.create(line.ctx(), WarningRule, FACTS | facts)
    assert message in str(caught.value.field_errors[field])


def test_a_built_in_rule_keeps_its_thresholds(line, project):
    built_in = line.session.scalars(
        select(WarningRule).where(WarningRule.code == "guarantee_due")
    ).one()
    values = {"days": "", "label": built_in.label}
    with pytest.raises(FieldErrors):
        records.update(line.ctx(), built_in, values, built_in.version)
