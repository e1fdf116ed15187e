"""7.2: what the day-end says of assets behind projects in force, and what it says nothing of."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from models.after.warning import OPEN_WARNING, RiskWarning, WarningRule
from models.collateral.custody import CustodyKind
from models.collateral.registration import CollateralInsurance
from models.guarantee.project import Stage
from tests.workflows.collateral.test_custody import KEEPER, place, standing, through, title
from tests.workflows.collateral.test_pledge import mortgage, valued
from tests.workflows.guarantee.factories import MANAGER, MILLION, RISK_HEAD
from workflows.after import warning
from workflows.base import records
from workflows.collateral import pledge, watch
from workflows.guarantee import counters

STAGES = (Stage.COUNTER, Stage.IN_FORCE)


def told(line, code):
    """The open warnings of a rule: project and words."""
    warning.evaluate(line.ctx())
    query = (
        select(RiskWarning)
        .join(WarningRule, RiskWarning.rule_id == WarningRule.id)
        .where(WarningRule.code == code, RiskWarning.state.in_(OPEN_WARNING))
        .order_by(RiskWarning.id)
    )
    return [(one.project, one.message) for one in line.session.scalars(query)]


def insured(line, asset, ends_on, **facts):
    values = {
        "collateral_id": asset.id,
        "insurer": "人保",
        "policy_no": f"P{ends_on}",
        "insured_amount": MILLION,
        "starts_on": line.today - timedelta(300),
        "ends_on": ends_on,
        "is_first": True,
        **facts,
    }
    return records.create(line.ctx(KEEPER), CollateralInsurance, values)


def second(line, asset, value):
    """Another project in force that stands on the asset as well."""
    project = line.project_at(Stage.COUNTER)
    item = mortgage(line, project, appraised_value=project.amount * 2)
    pledge.link(line.ctx(KEEPER), item, asset, value)
    line.counter(project)
    line.sign(project)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    while project.stage is not Stage.IN_FORCE:
        line.step(project)
    return project


def test_a_sound_asset_is_not_spoken_of(line):
    _, asset, _ = standing(line)
    insured(line, asset, line.today + timedelta(300))
    for code in ("collateral_short", "collateral_drop", "insurance_due", "valuation_old"):
        assert told(line, code) == []
    valued(line, asset, (asset.value * Decimal("0.95")).quantize(Decimal("0.01")), line.today)
    assert told(line, "collateral_drop") == []  # less than the least threshold


def test_a_policy_is_told_of_before_it_ends_and_after(line):
    project, asset, _ = standing(line)
    end = line.today + timedelta(20)
    insured(line, asset, end)
    insured(line, asset, line.today + timedelta(300), is_first=False)  # others are paid first
    words = f"押品 {asset.name} 的保险将于 {end} 到期，剩余 20 天"
    assert told(line, "insurance_due") == [(project, words)]
    line.later(days=21)
    assert told(line, "insurance_due") == [(project, f"押品 {asset.name} 的保险已于 {end} 到期")]


def test_an_old_value_is_asked_for_anew(line):
    project, asset, _ = standing(line)
    line.today = asset.next_value_on - timedelta(30)
    words = f"押品 {asset.name} 于 {asset.valued_on} 评估，应于 {asset.next_value_on} 前重估"
    assert told(line, "valuation_old") == [(project, words)]
    valued(line, asset, asset.value, line.today)
    assert told(line, "valuation_old") == []


def test_a_low_cover_is_told_with_its_figures(line):
    project, asset, _ = standing(line)
    assert told(line, "collateral_cover") == []
    worth = project.balance / 2
    value = worth * 100 / asset.rate_pct
    valued(line, asset, value.quantize(Decimal("0.01")), line.today)
    ((whose, words),) = told(line, "collateral_cover")
    least = min(Decimal(70), project.product.coverage_min_pct)
    assert whose is project
    assert words.startswith(f"反担保覆盖率 50%，低于 {least.normalize():f}%；认定价值")


def test_an_original_that_is_not_back_is_told_once_whoever_stands_on_the_asset(line):
    project, asset, _ = standing(line)
    valued(line, asset, asset.value * 2, line.today)
    second(line, asset, MILLION)
    deed = title(line, asset)
    through(line, asset, CustodyKind.IN, place(line))
    due = line.today + timedelta(3)
    loan = {"borrower_id": line.id(RISK_HEAD), "due_on": due}
    through(line, asset, CustodyKind.LEND, **loan)
    assert told(line, "custody_late") == []
    line.later(days=7)
    words = f"权证 {deed.number} 由孙涛借出，应于 {due} 归还，已逾期 4 天"
    assert told(line, "custody_late") == [(project, words)]


def test_a_visit_that_was_not_made_is_told_once_whoever_stands_on_the_asset(line):
    project, asset, _ = standing(line)
    valued(line, asset, asset.value * 2, line.today)
    second(line, asset, MILLION)
    line.later(days=80)
    assert watch.plan(line.ctx()) == 1
    due = project.start_on + timedelta(90)
    line.today = due + timedelta(16)
    words = f"押品 {asset.name} 应于 {due} 前监管，已逾期 16 天"
    assert told(line, "watch_late") == [(project, words)]
