"""Versions of flows and the checks on what administrators enter."""

from contextlib import contextmanager
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import (
    ApprovalFlow,
    ApprovalNode,
    ApprovalState,
    FlowState,
    NodeChooser,
    NodeMode,
)
from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition, NotAllowed
from models.system.configuration import ConfigProposal, ConfigVersion, VersionAct
from tests.workflows.approval_world import TODAY, World
from tests.workflows.office import EVERYTHING, audited
from workflows.approval import approval
from workflows.base import records
from workflows.system import configuration, proposals

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


def test_a_code_is_that_of_one_flow_whether_it_is_new_or_renamed(world, flow):
    """A draft under the code of another flow would retire that one, when it is published."""
    values = {"code": "F1", "name": "流程", "business_type_id": world.type.id}
    with pytest.raises(FieldErrors) as caught:
        records.create(world.system(), ApprovalFlow, values)
    assert caught.value.field_errors == {"code": ["流程编码已存在，不能重复"]}
    other = world.flow(world.node(10), code="F2")
    draft = approval.new_version(world.system(), other)
    with pytest.raises(FieldErrors, match="请用“建立新版本”") as caught:
        records.update(world.system(), draft, {"code": "F1"}, draft.version)
    assert list(caught.value.field_errors) == ["code"]
    records.update(world.system(), draft, {"code": "F3"}, draft.version)
    approval.publish(world.system(), draft)
    assert (flow.state, other.state, draft.state) == (FlowState.PUBLISHED,) * 3


# ----------------------------------------------------------------------------------------- versions of the set-up
@pytest.fixture
def kept(session):
    """The company with the history of its configuration written down."""
    return World(audited(session))


def published(world, *nodes, name="两级审批"):
    """A first version, published by the verb."""
    draft = world.flow(*nodes, state=FlowState.DRAFT)
    draft.name = name
    approval.publish(world.system(), draft)
    world.session.commit()
    return draft


def history(world, code="F1"):
    query = select(ConfigVersion).where(
        ConfigVersion.table_name == "approval_flow", ConfigVersion.object_key == code
    )
    return world.session.scalars(query.order_by(ConfigVersion.number)).all()


def in_use(world, code="F1"):
    query = select(ApprovalFlow).where(
        ApprovalFlow.code == code, ApprovalFlow.state == FlowState.PUBLISHED
    )
    return world.session.scalars(query).one_or_none()


def nodes_of(flow):
    return [(node.seq, node.name, node.chooser, node.position_id) for node in flow.nodes]


def replaced(world, flow, name="一级审批"):
    """A second version with one node alone and another name, published."""
    draft = approval.new_version(world.system(), flow)
    last = draft.nodes[-1]
    records.delete(world.system(), last, last.version)
    world.session.expire(draft)
    records.update(world.system(), draft, {"name": name}, draft.version)
    approval.publish(world.system(), draft)
    world.session.commit()
    return draft


def test_a_former_version_of_a_flow_is_published_again_as_a_new_one(kept):
    first = published(kept, kept.node(10, kept.position("risk", "甲")), kept.node(20))
    second = replaced(kept, first)
    begun = history(kept)[0]
    configuration.restore(kept.system(), begun, "恢复两级")
    kept.session.commit()
    now = in_use(kept)
    assert (now.version_no, now.name, now.published_on) == (3, "两级审批", TODAY)
    assert nodes_of(now) == nodes_of(first) != nodes_of(second)
    assert (first.state, second.state) == (FlowState.RETIRED,) * 2
    newest = history(kept)[-1]
    assert (newest.act, newest.reason) == (VersionAct.RESTORE, "恢复两级")
    with pytest.raises(Conflict, match="与第 1 版相同"):  # only its number is another
        configuration.restore(kept.system(), begun)
    found = kept.start()
    assert found.flow_id == now.id


def test_a_retired_flow_comes_back_and_goes_again(kept):
    first = published(kept, kept.node(10))
    approval.retire(kept.system(), first)
    kept.session.commit()
    begun, ended = history(kept)
    assert (ended.act, ended.content) == (VersionAct.DELETE, [])
    configuration.restore(kept.system(), begun)
    kept.session.commit()
    assert (in_use(kept).version_no, nodes_of(in_use(kept))) == (2, nodes_of(first))
    configuration.restore(kept.system(), ended)
    kept.session.commit()
    assert in_use(kept) is None
    with pytest.raises(BusinessError, match="没有适用的审批流程"):
        kept.start()


def test_a_draft_of_a_flow_that_somebody_works_on_is_not_overwritten(kept):
    first = published(kept, kept.node(10), kept.node(20))
    second = replaced(kept, first)
    draft = approval.new_version(kept.system(), second)
    with pytest.raises(Conflict, match="一级审批”有草稿版本 3，请先发布或删除"):
        configuration.restore(kept.system(), history(kept)[0])
    assert in_use(kept) is second
    kept.session.expire(draft)  # as in another request
    records.delete(kept.system(), draft, draft.version)
    configuration.restore(kept.system(), history(kept)[0])
    assert (in_use(kept).version_no, in_use(kept).name) == (3, "两级审批")


# --------------------------------------------------------------------------------------------------- by two people
@contextmanager
def four_eyes(ctx):
    """What the edge does at the end of a request."""
    try:
        yield
        proposals.hold(ctx)
    except proposals.Held as held:
        ctx.session.rollback()
        proposals.propose(ctx, held.found)
    ctx.session.commit()


@pytest.fixture
def proposed(kept):
    """A draft that one administrator wants published, and a second one is to publish."""
    for code, value in ((proposals.IS_ON, "是"), (proposals.KINDS, "审批流程")):
        kept.set(code, value)
    draft = kept.flow(kept.node(10), kept.node(20), state=FlowState.DRAFT)
    kept.session.commit()
    one = kept.ctx("甲", permissions=EVERYTHING)
    with four_eyes(one):
        approval.publish(one, draft)
    assert draft.state is FlowState.DRAFT
    return draft, kept.session.scalars(select(ConfigProposal)).one()


def test_who_publishes_a_proposal_publishes_the_very_draft(kept, proposed):
    draft, waits = proposed
    two = kept.ctx("乙", permissions=EVERYTHING)
    with four_eyes(two):
        proposals.publish(two, waits)
    assert in_use(kept) is draft
    (made,) = history(kept)
    assert (made.author.name, made.published_by.name) == ("甲", "乙")


def test_a_proposal_whose_draft_was_changed_or_deleted_is_not_published(kept, proposed):
    draft, waits = proposed
    one = kept.ctx("甲", permissions=EVERYTHING)
    records.update(one, draft.nodes[0], {"name": "改了"}, draft.nodes[0].version)
    kept.session.commit()
    two = kept.ctx("乙", permissions=EVERYTHING)
    with pytest.raises(Conflict, match="有草稿版本 1，请先发布或删除"):
        proposals.publish(two, waits)
    records.delete(one, draft, draft.version)
    kept.session.commit()
    with pytest.raises(Conflict, match="已全部删除，不能恢复；请新建流程"):
        proposals.publish(two, waits)
    assert in_use(kept) is None
