"""试算 and 缺口检查 (A5): which flow and why not the others, who would be asked, and what nobody could get through."""

from decimal import Decimal

import pytest

from models.approval.approval import FlowCustomerKind, FlowState, NodeChooser
from models.guarantee.product import GuaranteeKind, Product
from reports.figures import flow_trial
from reports.figures.approvals import Facts
from tests.workflows.approval_world import TODAY, World

BEGINS_WITH = "tables"


@pytest.fixture
def world(session):
    return World(session)


@pytest.fixture
def risk(world):
    return world.position("risk", "甲", "乙")


def facts(world, amount="1000000", **more):
    amount = None if amount is None else Decimal(amount)
    return Facts(amount, department_id=world.branch.id, today=TODAY, **more)


def asked(world, found, *, with_drafts=False):
    flows = flow_trial.flows_tried(world.session, "loan.test", with_drafts=with_drafts)
    return flow_trial.candidates(world.session, flows, found)


def gaps(world, *, with_drafts=False):
    flows = flow_trial.flows_tried(world.session, "loan.test", with_drafts=with_drafts)
    return [(one.where, one.what, one.is_hard) for one in flow_trial.gaps(world.session, flows)]


def test_every_flow_says_why_it_is_or_is_not_taken(world, risk):
    product = Product(
        code="P1",
        name="流贷担保",
        guarantee_kind=GuaranteeKind.LOAN,
        amount_max=Decimal(100),
        months_max=12,
        fee_rate_pct=Decimal(2),
    )
    world.session.add(product)
    world.session.flush()
    world.flow(world.node(10, risk), code="ANY")
    world.flow(world.node(10, risk), code="NEWER")
    world.flow(world.node(10, risk), code="BIG", amount_from=Decimal(1000), amount_to=Decimal(9000))
    world.flow(
        world.node(10, risk),
        code="NARROW",
        product_id=product.id,
        customer_kind=FlowCustomerKind.PERSONAL,
        risk_grade="A",
        department_id=world.head.id,
    )
    world.flow(
        world.node(10, risk),
        code="RULE",
        condition="金额 > 500万 且 申请部门的部门名称 包含 “一部”",
    )
    world.flow(world.node(10, risk), code="OR", condition="金额 > 500万 或 金额 < 10", priority=-1)
    world.flow(world.node(10, risk), code="GONE", condition="没有的词 > 1")
    world.flow(
        world.node(10, risk), code="FIRST", priority=5, amount_from=Decimal(1), remark="选它"
    )
    # a rule that makes no sense any more refuses every submission: said by itself
    flows = flow_trial.flows_tried(world.session, "loan.test", with_drafts=False)
    gone = next(flow for flow in flows if flow.code == "GONE")
    gone.amount_from = Decimal(10**9)
    found = {one.flow.code: one for one in asked(world, facts(world))}
    assert [code for code, one in found.items() if one.is_chosen] == ["FIRST"]
    assert found["ANY"].why == "也适用，但“流程FIRST”优先级更高（5 对 0）"
    assert found["BIG"].why == "不符合：金额低于 9,000.00 元"
    assert found["RULE"].why == "不符合：规则：金额 1,000,000.00 > 5,000,000.00"
    assert "部门名称" not in found["RULE"].why, "the part that holds is no reason"
    assert "满足其一" in found["OR"].why
    assert "适用规则已失效" in found["GONE"].why
    for words in ("产品为“流贷担保”", "客户类型为个人客户", "风险等级为"):
        assert words in found["NARROW"].why
    assert dict(found["NARROW"].conditions)["申请部门为“总部”或其下级"]


def test_a_rule_that_makes_no_sense_is_told_by_trying_and_as_a_gap(world, risk):
    broken = world.flow(world.node(10, risk), code="GONE", condition="额度 > 1")
    world.flow(world.node(10, risk), code="ANY")
    found = {one.flow.code: one for one in asked(world, facts(world))}
    assert not any(one.is_chosen for one in found.values())
    assert "适用规则已失效" in found["GONE"].why
    assert "审批流程“流程GONE”的适用规则" in found["ANY"].why
    (what,) = [what for where, what, _ in gaps(world) if where.endswith("适用规则")]
    assert "没有叫‘额度’的字段" in what

    def passage():
        limits = (Decimal(1), Decimal(2))
        kinds = [FlowCustomerKind.PERSONAL]
        return flow_trial.passage(world.session, "loan.test", 1, limits, kinds)

    assert (passage().flows, len(passage().gaps)) == ((), 2)
    broken.condition, broken.priority, broken.nodes[0].skip_when = None, 1, "额度 > 1"
    assert passage().flows == (broken,)
    assert "跳过条件" in passage().gaps[0]


def test_of_flows_that_fit_alike_the_more_specific_and_then_the_newer_goes_first(world, risk):
    world.flow(world.node(10, risk), code="OLD")
    world.flow(world.node(10, risk), code="NEW")
    first, second = asked(world, facts(world))
    assert (first.flow.code, second.why) == ("NEW", "也适用，但“流程NEW”建立较晚")
    world.flow(world.node(10, risk), code="SPECIAL", amount_from=Decimal(1))
    assert asked(world, facts(world))[1].why == "也适用，但“流程SPECIAL”条件更具体（1 项对 0 项）"


def test_a_draft_is_tried_as_if_it_had_taken_the_place_of_its_older_version(world, risk):
    world.flow(world.node(10, risk), amount_to=Decimal(100))
    draft = world.flow(world.node(10, risk), state=FlowState.DRAFT, version_no=2)
    assert not any(one.is_chosen for one in asked(world, facts(world)))
    assert [one.flow for one in asked(world, facts(world), with_drafts=True)] == [draft]


def test_the_submitter_among_the_people_and_a_role_that_is_not_there_are_told(world, risk):
    flow = world.flow(
        world.node(10, risk), world.node(20, chooser=NodeChooser.ROLE, role_name="没有的角色")
    )
    found = flow_trial.preview(world.session, flow, facts(world), applicant_id=world.id("甲"))
    first, second = found.steps
    assert (first.people, first.warning) == (("乙",), "提交人也是本节点的审批人，不参加审批")
    assert second.problem.endswith("；没有这个角色")
    assert found.problem == second.problem


def test_without_a_department_the_manager_is_not_known_rather_than_missing(world):
    flow = world.flow(world.node(10))
    found = flow_trial.preview(world.session, flow, Facts(Decimal(1)))
    assert (found.problem, found.steps[0].warning) == ("", "填写申请部门或申请人后才能确定")


def test_amounts_without_a_flow_are_named_as_ranges_for_whom(world, risk):
    world.flow(
        world.node(10, risk, approve_limit=Decimal(500)),
        amount_from=Decimal(100),
        amount_to=Decimal(1000),
        customer_kind=FlowCustomerKind.CORPORATE,
    )
    found = gaps(world)
    assert ("个人客户，金额不限", "没有适用的流程", True) in found
    assert ("对公客户，金额低于 100.00 元", "没有适用的流程", True) in found
    assert ("对公客户，金额 1,000.00 元及以上", "没有适用的流程", True) in found
    limit = "超过流程“流程F1”末节点的审批限额"
    assert ("对公客户，金额 500.01 元及以上、低于 1,000.00 元", limit, True) in found


def test_a_business_without_any_flow_and_one_that_skips_its_only_node(world, risk):
    assert gaps(world) == [("金额不限", "没有适用的流程", True)]
    world.flow(world.node(10, risk, skip_below=Decimal(100)))
    assert gaps(world) == [("金额低于 100.00 元", "流程“流程F1”没有审批节点", True)]


def test_a_flow_with_a_rule_covers_no_amounts_and_one_of_each_condition_is_told_apart(world, risk):
    world.flow(world.node(10, risk), condition="金额 > 0")
    assert gaps(world) == [("金额不限", "没有适用的流程", True)]
    world.flow(world.node(10, risk), code="F2", department_id=world.branch.id, risk_grade="HIGH")
    assert [where for where, _, _ in gaps(world)] == [
        "其他申请、风险等级HIGH、部门“业务一部”，金额不限"
    ]


def test_nodes_that_could_ask_nobody_are_named_with_the_departments(world):
    lonely = world.position("lonely", "甲")
    there = world.position("there", "乙", department=world.branch)
    world.flow(
        world.node(10, lonely),
        world.node(20, world.position("empty")),
        world.node(30, there),
        world.node(40, chooser=NodeChooser.ROLE, role_name="没有的角色"),
        world.node(50),
    )
    world.head.manager_id = None
    found = {where: (what, hard) for where, what, hard in gaps(world)}
    head = "流程F1 第 1 版 · 节点"
    assert found[f"{head}10"] == ("岗位“lonely岗”只有一人，其本人提交时无人可审批", False)
    assert found[f"{head}20"] == ("岗位“empty岗”没有在职且账号可用的人员", True)
    assert found[f"{head}30"] == ("总部提交时，岗位“there岗”没有在职且账号可用的人员", True)
    assert found[f"{head}40"][0].endswith("；没有这个角色")
    assert found[f"{head}50"] == ("总部提交时，申请部门的负责人没有在职且账号可用的人员", True)


def test_only_departments_that_a_flow_is_for_are_asked_about(world):
    position = world.position("there", "乙", "丙", department=world.branch)
    world.flow(world.node(10, position), department_id=world.branch.id)
    assert [what for where, what, _ in gaps(world) if "节点" in where] == []
