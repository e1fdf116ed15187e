"""4.4d 反担保: values within the caps, one approval for all, coverage by product, settled one by one."""

from datetime import timedelta
from decimal import Decimal

import pytest

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
from models.guarantee.project import ProjectState, Stage
from models.guarantee.resolution import ResolutionState
from models.guarantee.signing import CounterKind
from tests.workflows.guarantee.factories import CASHIER, MANAGER, OUTSIDER
from workflows.base import records
from workflows.guarantee import counters

STAGES = (Stage.FEE_BOOK, Stage.CONTRACT, Stage.COUNTER, Stage.FEE_COLLECT)
SURETY = {"kind": CounterKind.SURETY, "asset_kind": None, "appraised_value": None, "name": "李晓明"}
KEEPER = "卫东"


@pytest.fixture
def project(line):
    return line.at(Stage.COUNTER)


def test_an_asset_counts_with_its_value_times_the_cap_of_its_kind(line, project):
    item = line.counter(project, appraised_value="1000000.05")
    assert (item.rate_pct, item.recognised_value) == (Decimal(60), Decimal("600000.03"))
    records.update(line.ctx(MANAGER), item, {"rate_pct": "50"}, item.version)
    assert item.recognised_value == Decimal("500000.03")


@pytest.mark.parametrize(
    ("facts", "recognised"),
    [
        ({**SURETY}, None),
        (
            {"kind": CounterKind.DEPOSIT, "asset_kind": None, "appraised_value": "200000"},
            Decimal(200000),
        ),
        ({"kind": CounterKind.OTHER, "asset_kind": None, "appraised_value": None}, None),
        (
            {
                "kind": CounterKind.OTHER,
                "asset_kind": None,
                "appraised_value": "100",
                "rate_pct": "30",
            },
            Decimal(30),
        ),
        (
            {"kind": CounterKind.PLEDGE, "asset_kind": "DEPOSIT_RECEIPT", "appraised_value": "100"},
            Decimal(90),
        ),
    ],
)
def test_each_kind_counts_in_its_own_way(line, project, facts, recognised):
    assert line.counter(project, **facts).recognised_value == recognised


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        ({"appraised_value": None}, {"appraised_value"}),
        ({"asset_kind": None}, {"asset_kind"}),
        ({"appraised_value": "0", "asset_kind": None}, {"appraised_value", "asset_kind"}),
        ({"rate_pct": "60.01"}, {"rate_pct"}),
        ({"kind": CounterKind.DEPOSIT, "appraised_value": None}, {"appraised_value"}),
        ({**SURETY, "appraised_value": "5"}, {"appraised_value"}),
    ],
)
def test_what_does_not_fit_is_named_at_its_field(line, project, facts, fields):
    with pytest.raises(FieldErrors) as caught:
        line.counter(project, **facts)
    assert set(caught.value.field_errors) == fields


def test_nobody_stands_surety_for_himself(line, project):
    with pytest.raises(FieldErrors, match="被担保客户本人"):
        line.counter(project, **SURETY, guarantor_id=project.customer_id)


def test_items_are_registered_at_contract_and_counter_alone(line):
    assert line.counter(line.at(Stage.CONTRACT)).state is PaperState.DRAFT
    for stage in (Stage.FEE_BOOK, Stage.FEE_COLLECT):
        with pytest.raises(IllegalTransition, match="登记反担保"):
            line.counter(line.at(stage))


def test_all_items_are_approved_together_and_the_project_moves_on(line, project):
    items = [line.counter(project), line.counter(project, **SURETY)]
    counters.submit(line.ctx(MANAGER), project, project.version)
    assert {item.state for item in items} == {PaperState.IN_APPROVAL}
    line.approve(project)
    assert {item.state for item in items} == {PaperState.APPROVED}
    assert project.stage is Stage.FEE_COLLECT


def test_with_nothing_to_collect_the_project_goes_on_to_the_notice_at_once(line, project):
    for kind in ("GUARANTEE", "SERVICE", "DEPOSIT"):
        line.session.delete(line.fee(project, kind))
    line.counter(project)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    assert project.stage is Stage.NOTICE


def test_coverage_is_the_products_and_sureties_count_for_nothing(line, project):
    line.counter(project, **SURETY)
    with pytest.raises(BusinessError, match="覆盖率 0%，低于产品要求的 70%"):
        counters.submit(line.ctx(MANAGER), project)
    asset = line.counter(project, appraised_value="5833333.33")
    line.resolution(project).amount = Decimal(5_100_000)
    with pytest.raises(BusinessError, match=r"68\.63%"):
        counters.submit(line.ctx(MANAGER), project)
    records.update(line.ctx(MANAGER), asset, {"appraised_value": "5950000"}, asset.version)
    counters.submit(line.ctx(MANAGER), project)
    assert asset.state is PaperState.IN_APPROVAL


def test_a_product_without_coverage_needs_an_item_all_the_same(line, project):
    project.product.coverage_min_pct = Decimal(0)
    with pytest.raises(BusinessError, match="至少一项反担保"):
        counters.submit(line.ctx(MANAGER), project)
    line.counter(project, **SURETY)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    assert project.stage is Stage.FEE_COLLECT


def test_during_the_approval_nothing_is_added_or_submitted_again(line, project):
    line.counter(project)
    counters.submit(line.ctx(MANAGER), project)
    with pytest.raises(Conflict, match="正在审核"):
        line.counter(project, **SURETY)
    with pytest.raises(Conflict, match="不能重复提交"):
        counters.submit(line.ctx(MANAGER), project)


def test_returned_items_are_drafts_again(line, project):
    item = line.counter(project)
    counters.submit(line.ctx(MANAGER), project)
    line.give_back(project)
    assert (item.state, project.stage) == (PaperState.DRAFT, Stage.COUNTER)
    counters.submit(line.ctx(MANAGER), project)
    line.withdraw(project)
    assert item.state is PaperState.DRAFT


def test_rejected_items_are_replaced_and_count_no_more(line, project):
    old = line.counter(project)
    counters.submit(line.ctx(MANAGER), project)
    line.reject(project)
    assert (old.state, project.stage) == (PaperState.REJECTED, Stage.COUNTER)
    line.counter(project, **SURETY)
    with pytest.raises(BusinessError, match="覆盖率 0%"):
        counters.submit(line.ctx(MANAGER), project)
    line.counter(project, name="另一处厂房")
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    assert (old.state, project.stage) == (PaperState.REJECTED, Stage.FEE_COLLECT)


def test_submission_needs_right_scope_version_stage_and_resolution(line, project):
    line.counter(project)
    with pytest.raises(NotAllowed):
        counters.submit(line.ctx(CASHIER), project)
    with pytest.raises(NotFound):
        counters.submit(line.ctx(OUTSIDER), project)
    with pytest.raises(StaleRecord):
        counters.submit(line.ctx(MANAGER), project, project.version - 1)
    with pytest.raises(IllegalTransition):
        counters.submit(line.ctx(MANAGER), line.at(Stage.CONTRACT))
    line.resolution(project).state = ResolutionState.EXPIRED
    with pytest.raises(Conflict, match="公司决议"):
        counters.submit(line.ctx(MANAGER), project)


def item_of(line, project):
    return line.session.scalars(
        counters.select(counters.CounterGuarantee).filter_by(project_id=project.id)
    ).first()


def test_an_approved_item_is_settled_once_on_evidence(line):
    item = item_of(line, line.at(Stage.FEE_COLLECT))
    counters.settle(line.ctx(KEEPER), item, " 登记证明 1 号 ", line.today, item.version)
    assert (item.is_settled, item.settled_on, item.settled_evidence) == (
        True,
        line.today,
        "登记证明 1 号",
    )
    with pytest.raises(IllegalTransition, match="已落实"):
        counters.settle(line.ctx(KEEPER), item, "再次", line.today)


@pytest.mark.parametrize(
    ("evidence", "days", "field"),
    [("  ", 0, "evidence"), ("长" * 201, 0, "evidence"), ("a", 1, "on")],
)
def test_settling_needs_evidence_and_a_day_that_has_come(line, evidence, days, field):
    item = item_of(line, line.at(Stage.FEE_COLLECT))
    with pytest.raises(FieldErrors) as caught:
        counters.settle(line.ctx(KEEPER), item, evidence, line.today + timedelta(days=days))
    assert set(caught.value.field_errors) == {field}


def test_settling_needs_right_scope_version_and_state(line, project):
    item = item_of(line, line.at(Stage.FEE_COLLECT))
    with pytest.raises(NotAllowed):
        counters.settle(line.ctx(CASHIER), item, "x", line.today)
    with pytest.raises(NotFound):
        counters.settle(line.ctx(OUTSIDER), item, "x", line.today)
    with pytest.raises(StaleRecord):
        counters.settle(line.ctx(KEEPER), item, "x", line.today, item.version - 1)
    with pytest.raises(IllegalTransition, match="审核通过后才能落实"):
        counters.settle(line.ctx(KEEPER), line.counter(project), "x", line.today)
    item.project.state = ProjectState.CANCELLED
    with pytest.raises(IllegalTransition, match="已终止"):
        counters.settle(line.ctx(KEEPER), item, "x", line.today)
