"""适用规则 of a flow (A2, X13): a rule in words chooses it beside its other conditions, and is checked when saved."""

from datetime import date
from decimal import Decimal

import pytest

from models.approval.approval import ApprovalFlow, FlowCustomerKind, FlowState
from models.base.errors import BusinessError, FieldErrors
from reports.figures import approvals
from reports.figures.approvals import Facts
from tests.workflows.approval_world import World
from workflows.base import records


@pytest.fixture
def world(session):
    return World(session)


def chosen(world, **facts):
    """The flow for an application of the branch."""
    given = {"department_id": world.branch.id, "today": date(2026, 3, 31), **facts}
    return approvals.matching(world.session, "loan.test", Facts(**given))


def test_a_rule_chooses_a_flow(world):
    usual = world.flow(world.node(10), code="usual")
    big = world.flow(world.node(10), code="big", condition="金额 > 500万 且 客户类型 = 对公客户")
    corporate = FlowCustomerKind.CORPORATE
    assert chosen(world, amount=Decimal(5_000_001), customer_kind=corporate) is big
    assert chosen(world, amount=Decimal(5_000_000), customer_kind=corporate) is usual
    assert chosen(world, amount=Decimal(5_000_001)) is usual
    assert chosen(world) is usual


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ("申请部门的部门名称 不为空", True),
        ("申请部门 为空", False),
        ("产品 为空 且 产品的产品名称 为空", True),
        ("今天 ≥ 2026-03-31", True),
        ("今天 < 2026-03-31", False),
        ("风险等级 为空 或 金额 < 1", True),
    ],
)
def test_what_a_rule_can_ask(world, condition, fits):
    flow = world.flow(world.node(10), condition=condition)
    assert chosen(world) is (flow if fits else None)


def test_a_rule_that_makes_no_sense_any_more_is_no_way_past_it(world):
    world.flow(world.node(10), condition="额度 > 1")
    with pytest.raises(BusinessError, match="适用规则已失效（第 1 个字：没有叫‘额度’的字段"):
        chosen(world)


def test_a_wrong_rule_is_not_saved(world):
    flow = world.flow(world.node(10), state=FlowState.DRAFT)
    with pytest.raises(FieldErrors) as refused:
        records.update(world.system(), flow, {"condition": "金额 > 大"}, flow.version)
    assert refused.value.field_errors == {"condition": ["第 6 个字：没有叫‘大’的字段"]}
    records.update(world.system(), flow, {"condition": " 金额 ≥ 1亿 "}, flow.version)
    assert world.session.get_one(ApprovalFlow, flow.id).condition == "金额 ≥ 1亿"
