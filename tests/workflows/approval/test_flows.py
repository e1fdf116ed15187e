"""Versions of flows and the checks on what administrators enter."""

from decimal import Decimal

import pytest

from models.approval.approval import (
    ApprovalFlow,
    ApprovalNode,
    ApprovalState,
    FlowState,
    NodeChooser,
    NodeMode,
)
from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition, NotAllowed
from tests.workflows.approval_world import TODAY, World
from workflows.approval import approval
from workflows.base import records

BEGINS_WITH = "tables"


@pytest.fixture
def world(session):
    return World(session)


@pytest.fixture
def flow(world):
    return world.flow(
        world.node(10, world.position("risk", "甲")), world.node(20), amount_from=Decimal(1)
    )


def test_a_running_approval_keeps_the_version_it_began_with(world, flow):
    found = world.start()
    draft = approval.new_version(world.system(), flow)
    assert (draft.version_no, draft.state, draft.published_on) == (2, FlowState.DRAFT, None)
    assert draft.amount_from == Decimal(1)
    assert [(n.seq, n.name, n.position_id) for n in draft.nodes] == [
        (n.seq, n.name, n.position_id) for n in flow.nodes
    ]
    draft.nodes.pop()
    approval.publish(world.system(), draft)
    assert (flow.state, draft.state, draft.published_on) == (
        FlowState.RETIRED,
        FlowState.PUBLISHED,
        TODAY,
    )
    assert world.start(record=world.head).flow_id == draft.id
    world.approve(found, "甲")
    assert world.waiting(found) == ["经理"]
    assert world.approve(found, "经理").state is ApprovalState.APPROVED


def test_one_draft_at_a_time(world, flow):
    approval.new_version(world.system(), flow)
    with pytest.raises(Conflict, match="已有草稿版本 2"):
        approval.new_version(world.system(), flow)


def test_a_flow_without_nodes_is_not_published(world):
    draft = world.flow(state=FlowState.DRAFT)
    with pytest.raises(BusinessError, match="还没有节点"):
        approval.publish(world.system(), draft)


@pytest.mark.parametrize("chooser", [NodeChooser.ROLE, NodeChooser.POSITION])
def test_a_flow_that_asks_a_role_or_position_that_is_not_there_is_not_published(world, chooser):
    position = world.position("risk", "甲")
    position.is_active = chooser is NodeChooser.ROLE
    node = world.node(10, position, name="复核", role_name="没有的角色")
    node.chooser = chooser
    draft = world.flow(node, state=FlowState.DRAFT)
    with pytest.raises(BusinessError, match=r"节点“复核”的.*不存在"):
        approval.publish(world.system(), draft)
    assert draft.state is FlowState.DRAFT


def test_states_move_by_the_table_alone(world, flow):
    with pytest.raises(IllegalTransition, match="现为“已发布”"):
        approval.publish(world.system(), flow)
    approval.retire(world.system(), flow)
    assert flow.state is FlowState.RETIRED
    with pytest.raises(IllegalTransition):
        approval.retire(world.system(), flow)
    with pytest.raises(BusinessError, match="没有适用的审批流程"):
        world.start()


def test_publishing_needs_its_permission(world, flow):
    with pytest.raises(NotAllowed):
        approval.retire(world.ctx(), flow)
    with pytest.raises(NotAllowed):
        approval.new_version(world.ctx(), flow)


def test_a_published_version_and_its_nodes_never_change(world, flow):
    with pytest.raises(Conflict):
        records.update(world.system(), flow, {"name": "改名"}, flow.version)
    node = flow.nodes[0]
    with pytest.raises(Conflict):
        records.update(world.system(), node, {"name": "改名"}, node.version)


def test_nodes_say_what_they_lack(world):
    draft = world.flow(state=FlowState.DRAFT)
    values = {"flow_id": draft.id, "seq": 10, "name": "节点"}
    for more, fields in (
        ({"chooser": NodeChooser.POSITION}, ["position_id"]),
        ({"chooser": NodeChooser.ROLE}, ["role_name"]),
        ({"chooser": NodeChooser.MANAGER, "mode": NodeMode.VOTE}, ["quorum_pct", "pass_pct"]),
        ({"chooser": NodeChooser.MANAGER, "mode": NodeMode.VOTE, "quorum_pct": "50"}, ["pass_pct"]),
    ):
        with pytest.raises(FieldErrors) as refused:
            records.create(world.system(), ApprovalNode, values | more)
        assert list(refused.value.field_errors) == fields
    made = records.create(world.system(), ApprovalNode, values | {"chooser": NodeChooser.MANAGER})
    assert made.mode is NodeMode.ANY


def test_amounts_of_a_flow_are_in_order(world):
    values = {"code": "F9", "name": "流程", "business_type_id": world.type.id, "amount_from": "100"}
    with pytest.raises(BusinessError, match="金额上限必须大于金额下限"):
        records.create(world.system(), ApprovalFlow, values | {"amount_to": "100"})
    assert (
        records.create(world.system(), ApprovalFlow, values | {"amount_to": "100.01"}).state
        is FlowState.DRAFT
    )
