"""Flows that branch (A9): by condition and in parallel, meeting again; sent back, mended, ended on the way."""

import pytest

from models.approval.approval import (
    ApprovalBranch,
    ApprovalFlow,
    ApprovalState,
    BranchKind,
    FlowState,
    NodeMode,
    Repeats,
    TaskState,
)
from models.base.actor import SYSTEM
from models.base.errors import BusinessError
from reports.figures import approvals, flow_graph, flow_trial
from reports.figures.approvals import Facts
from tests.workflows.approval_world import World
from workflows.approval import approval, consult, decide
from workflows.base.context import Ctx


@pytest.fixture
def world(session):
    return World(session)


def branch(no, fork_no, kind=BranchKind.CONDITION, **facts):
    return ApprovalBranch(no=no, name=f"分支{no}", fork_no=fork_no, kind=kind, **facts)


def both(no, fork_no, **facts):
    return branch(no, fork_no, BranchKind.PARALLEL, **facts)


def parallel(world, **facts):
    """甲, then 乙 → 丙 beside 丁, then 总监."""
    one = {name: world.position(name, name) for name in ("甲", "乙", "丙", "丁", "总监")}
    nodes = [
        world.node(10, one["甲"]),
        world.node(20, one["乙"], branch_no=1),
        world.node(30, one["丙"], branch_no=1),
        world.node(40, one["丁"], branch_no=2),
        world.node(50, one["总监"]),
    ]
    return world.flow(*nodes, branches=[both(1, 1), both(2, 1)], **facts)


def by_amount(world, **facts):
    """Above 5 million 乙 and above 10 million 丙; else nobody between; 丁 decides."""
    one = {name: world.position(name, name) for name in ("乙", "丙", "丁")}
    nodes = [
        world.node(10, one["丙"], branch_no=1),
        world.node(20, one["乙"], branch_no=2),
        world.node(30, one["丁"]),
    ]
    branches = [
        branch(1, 1, condition="金额 > 1000万"),
        branch(2, 1, condition="金额 > 500万"),
        branch(3, 1),
    ]
    return world.flow(*nodes, branches=branches, **facts)


@pytest.mark.parametrize(
    ("amount", "way"),
    [("5000000", ["丁"]), ("5000000.01", ["乙", "丁"]), ("10000001", ["丙", "丁"]), (None, ["丁"])],
)
def test_the_first_branch_that_holds_is_taken_and_the_rest_may_be_empty(world, amount, way):
    by_amount(world)
    found = world.start(amount)
    for name in way:
        assert world.waiting(found) == [name]
        world.approve(found, name)
    assert found.state is ApprovalState.APPROVED


def test_a_running_approval_keeps_its_way_whatever_becomes_of_the_rule(world):
    flow = by_amount(world)
    found = world.start("6000000")
    flow.branches[1].condition = "金额 > 1亿"
    assert [one.node.seq for one in approvals.progress(found)] == [20, 30]


def test_parallel_branches_are_asked_at_once_and_meet_again(world):
    parallel(world)
    found = world.start()
    world.approve(found, "甲")
    assert world.waiting(found) == ["丁", "乙"]
    world.approve(found, "丁")
    assert world.waiting(found) == ["乙"]
    world.approve(found, "乙")
    assert [(one.node.seq, one.state) for one in approvals.progress(found)] == [
        (10, "DONE"),
        (20, "DONE"),
        (30, "CURRENT"),
        (40, "DONE"),
        (50, "TO_COME"),
    ]
    world.approve(found, "丙")
    assert world.waiting(found) == ["总监"]
    world.approve(found, "总监")
    assert found.state is ApprovalState.APPROVED
    assert found.passed == [10, 20, 30, 40, 50]


def test_a_parallel_branch_may_have_a_condition_of_its_own(world):
    one = {name: world.position(name, name) for name in ("甲", "乙", "丙")}
    nodes = [
        world.node(10, one["甲"], branch_no=1),
        world.node(20, one["乙"], branch_no=2),
        world.node(30, one["丙"]),
    ]
    world.flow(*nodes, branches=[both(1, 1), both(2, 1, condition="金额 ≥ 500万")])
    assert world.waiting(world.start("4999999.99")) == ["甲"]
    assert world.waiting(world.start("5000000", record=world.head)) == ["乙", "甲"]


def test_a_refusal_on_one_branch_ends_the_whole(world):
    parallel(world)
    found = world.start()
    world.approve(found, "甲")
    world.reject(found, "丁")
    assert found.state is ApprovalState.REJECTED
    assert world.task(found, "乙").state is TaskState.CANCELLED


def test_sent_back_before_the_fork_the_other_branch_is_told_why_and_all_is_asked_anew(world):
    parallel(world)
    found = world.start()
    world.approve(found, "甲")
    world.approve(found, "乙")
    world.give_back(found, "丁", 10)
    assert world.waiting(found) == ["甲"]
    other = world.task(found, "丙")
    assert (other.state, other.opinion) == (
        TaskState.CANCELLED,
        "“节点40”已退回“节点10”，不再办理",
    )
    world.approve(found, "甲")
    assert world.waiting(found) == ["丁", "乙"]


def test_sent_straight_back_who_has_agreed_on_either_branch_is_not_asked_again(world):
    parallel(world)
    found = world.start()
    world.approve(found, "甲")
    world.approve(found, "乙")
    decision = approval.Decision.RETURN
    decide.decide(
        world.ctx("丁"), world.task(found, "丁"), decision, "补", to_seq=10, is_direct=True
    )
    assert world.waiting(found) == ["甲"]
    world.approve(found, "甲")
    assert world.waiting(found) == ["丁", "丙"]


def test_within_a_branch_the_other_goes_on(world):
    parallel(world)
    found = world.start()
    world.approve(found, "甲")
    world.approve(found, "乙")
    task = world.task(found, "丙")
    assert [one.seq for one in approvals.return_targets(world.session, task)] == [10, 20]
    world.give_back(found, "丙", 20)
    assert world.waiting(found) == ["丁", "乙"]
    approval.add_signer(world.ctx("丁"), world.task(found, "丁"), world.id("经理"))
    world.approve(found, "丁")
    assert world.waiting(found) == ["乙", "经理"]
    consult.take_back(world.ctx("丁"), world.task(found, "经理"), "不必了")
    world.approve(found, "乙")
    world.approve(found, "丙")
    assert world.waiting(found) == ["总监"]
    with pytest.raises(BusinessError, match="只能退回到已经办理过的前面节点"):
        world.give_back(found, "总监", 60)
    world.give_back(found, "总监", 30)
    assert world.waiting(found) == ["丙"]
    world.approve(found, "丙")
    assert world.waiting(found) == ["总监"]


def test_the_applicant_submits_straight_to_who_returned_it_and_to_whom_the_other_branch_waits_for(
    world,
):
    parallel(world)
    found = world.start()
    world.approve(found, "甲")
    world.approve(found, "乙")
    decide.decide(
        world.ctx("丁"), world.task(found, "丁"), approval.Decision.RETURN, "补", is_direct=True
    )
    assert found.state is ApprovalState.RETURNED
    again = world.start()
    assert world.waiting(again) == ["丁", "丙"]
    world.approve(again, "丁")
    world.approve(again, "丙")
    world.approve(again, "总监")
    assert again.state is ApprovalState.APPROVED


def test_entrusting_and_handing_on_stay_on_their_branch(world):
    parallel(world)
    found = world.start()
    world.approve(found, "甲")
    consult.entrust(world.ctx("乙"), world.task(found, "乙"), world.id("经理"), "请看")
    approval.transfer(world.ctx("丁"), world.task(found, "丁"), world.id("丙"), "请办")
    approval.decide(world.ctx("经理"), world.task(found, "经理"), approval.Decision.ANSWER, "可行")
    world.approve(found, "丙")
    assert world.waiting(found) == ["乙"]
    world.approve(found, "乙")
    assert world.waiting(found) == ["丙"]  # at the own node of the other branch


def test_forks_may_stand_in_branches_and_a_limit_ends_an_alternative(world):
    one = {name: world.position(name, name) for name in ("甲", "乙", "丙", "丁")}
    nodes = [
        world.node(10, one["甲"], branch_no=1),
        world.node(20, one["乙"], branch_no=3),
        world.node(30, one["丙"], branch_no=4),
        world.node(40, one["甲"], branch_no=2, approve_limit=1000000),
        world.node(50, one["丁"]),
    ]
    branches = [
        branch(1, 1, condition="金额 > 500万"),
        branch(2, 1),
        both(3, 2, inside_no=1),
        both(4, 2, inside_no=1),
    ]
    flow = world.flow(*nodes, branches=branches)
    assert flow_graph.defects(flow) == []
    large = world.start("6000000")
    world.approve(large, "甲")
    assert world.waiting(large) == ["丙", "乙"]
    world.approve(large, "丙")
    world.approve(large, "乙")
    assert world.waiting(large) == ["丁"]
    small = world.start("1000000", record=world.head)
    world.approve(small, "甲")
    assert small.state is ApprovalState.APPROVED


# -------------------------------------------------------------------------------------------- one person, two nodes
def test_who_has_agreed_is_asked_again_or_spared_by_the_flow(world):
    position = world.position("甲岗", "甲")
    both_of = world.position("甲乙岗", "甲", "乙")
    vote = {"mode": NodeMode.VOTE, "quorum_pct": 50, "pass_pct": 50}
    nodes = [
        world.node(10, position),
        world.node(20, both_of),  # 任一: passes by 甲
        world.node(30, both_of, mode=NodeMode.ALL),
        world.node(40, both_of, mode=NodeMode.IN_TURN),
        world.node(50, position, **vote),
    ]
    world.flow(*nodes, repeats=Repeats.SPARE)
    found = world.start()
    world.approve(found, "甲")
    assert world.waiting(found) == ["乙"]
    spared = [
        task for task in found.tasks if task.is_automatic and task.state is TaskState.APPROVED
    ]
    assert [(task.node.seq, task.assignee.name, task.opinion) for task in spared] == [
        (20, "甲", "已在“节点10”同意，按流程设置自动通过"),
        (30, "甲", "已在“节点10”同意，按流程设置自动通过"),
    ]
    world.approve(found, "乙")
    assert world.waiting(found) == ["甲"], "in turn both are spared; the vote is one's own"
    world.approve(found, "甲")
    assert found.state is ApprovalState.APPROVED


def test_without_the_rule_everybody_is_asked_again(world):
    position = world.position("甲岗", "甲")
    world.flow(world.node(10, position), world.node(20, position))
    found = world.start()
    world.approve(found, "甲")
    assert world.waiting(found) == ["甲"]


def test_what_was_sent_back_spares_nobody(world):
    one, other = world.position("甲岗", "甲"), world.position("乙岗", "乙")
    world.flow(
        world.node(10, one), world.node(20, other), world.node(30, one), repeats=Repeats.SPARE
    )
    found = world.start()
    world.approve(found, "甲")
    world.give_back(found, "乙", 10)
    assert world.waiting(found) == ["甲"]
    world.approve(found, "甲")
    world.approve(found, "乙")
    assert found.state is ApprovalState.APPROVED


def test_a_consent_from_before_it_was_sent_back_spares_nobody(world):
    """任一: 甲 agreed the first time; asked again, 乙 agrees: 甲 has not seen what was put right."""
    either, other, one = (world.position(name, *name) for name in ("甲乙", "丁", "甲"))
    world.flow(
        world.node(10, either), world.node(20, other), world.node(30, one), repeats=Repeats.SPARE
    )
    found = world.start()
    world.approve(found, "甲")
    world.give_back(found, "丁", 10)
    world.approve(found, "乙")
    world.approve(found, "丁")
    assert world.waiting(found) == ["甲"]


@pytest.mark.parametrize("mode", [NodeMode.ANY, NodeMode.IN_TURN])
def test_who_was_spared_is_asked_where_it_is_returned_to_that_very_node(world, mode):
    one, other = world.position("甲乙岗", "甲", "乙"), world.position("丁岗", "丁")
    nodes = [
        world.node(10, one, mode=NodeMode.ALL),
        world.node(20, one, mode=mode),
        world.node(30, other),
        world.node(40, one),
    ]
    world.flow(*nodes, repeats=Repeats.SPARE)
    found = world.start()
    world.approve(found, "甲")
    world.approve(found, "乙")
    assert world.waiting(found) == ["丁"]
    world.give_back(found, "丁", 20)
    assert "甲" in world.waiting(found)
    world.approve(found, "甲")
    if mode is NodeMode.IN_TURN:
        assert world.waiting(found) == ["乙"]
        world.approve(found, "乙")
    world.approve(found, "丁")
    assert found.state is ApprovalState.APPROVED, "behind it whoever has agreed is spared as before"


def test_what_a_deputy_has_decided_spares_nobody(world):
    one = world.position("甲岗", "甲")
    world.flow(world.node(10, one), world.node(20, one), repeats=Repeats.SPARE)
    world.lend("甲", "丙")
    found = world.start()
    approval.decide(world.ctx("丙"), world.task(found, "甲"), approval.Decision.APPROVE)
    assert world.waiting(found) == ["甲"]


def test_a_node_is_skipped_by_a_rule(world):
    one, other = world.position("甲岗", "甲"), world.position("乙岗", "乙")
    world.flow(world.node(10, one, skip_when="金额 < 100万"), world.node(20, other))
    assert world.waiting(world.start("999999.99")) == ["乙"]
    assert world.waiting(world.start("1000000", record=world.head)) == ["甲"]
    assert world.waiting(world.start(None, record=world.people["甲"])) == ["甲"]


# -------------------------------------------------------------------------------------------------------------- defects
def test_bad_graphs_are_told_at_their_place_and_not_published(world):
    one = world.position("甲岗", "甲")
    cases = [
        ([world.node(10, one, branch_no=9)], [], [("所在分支 9 不存在", 10, None)]),
        (
            [world.node(10, one, branch_no=1), world.node(20, one)],
            [branch(1, 1)],
            [("一组至少有两个分支", None, 1)],
        ),
        (
            [world.node(10, one, branch_no=1), world.node(20, one)],
            [branch(1, 1), branch(2, 1, condition="金额 > 1")],
            [
                ("条件分支必须填写进入条件；只有最后一个分支可以留空，作为其余情况", None, 1),
                ("最后一个条件分支的进入条件必须留空，否则其余情况无路可走", None, 2),
            ],
        ),
        (
            [
                world.node(10, one, branch_no=1),
                world.node(20, one),
                world.node(30, one, branch_no=2),
            ],
            [both(1, 1), both(2, 1)],
            [("夹在一组分支的节点中间：应在分开之前或汇合之后", 20, None)],
        ),
        (
            [
                world.node(10, one, branch_no=2),
                world.node(20, one, branch_no=1, approve_limit=1),
            ],
            [both(1, 1), both(2, 1)],
            [
                ("各分支的节点应按分支号依次排列", 10, None),
                ("并行分支内的节点不能设审批限额：还有别的分支要等，终审在汇合之后", 20, None),
            ],
        ),
        (
            [world.node(10, one, branch_no=1), world.node(20, one)],
            [both(1, 1), both(2, 1), branch(3, 2, inside_no=4), branch(4, 3, inside_no=3)],
            [("分支互相包含，走不到", None, 3), ("分支互相包含，走不到", None, 4)],
        ),
        (
            [world.node(10, one)],
            [both(1, 1), branch(2, 1)],
            [("同一组的分支方式和所在分支必须相同", None, 1)],
        ),
    ]
    for n, (nodes, branches, said) in enumerate(cases):
        flow = world.flow(*nodes, branches=branches, code=f"B{n}", state=FlowState.DRAFT)
        found = [(one.what, one.seq, one.branch_no) for one in flow_graph.defects(flow)]
        assert found == said, n
        with pytest.raises(BusinessError, match="不能发布"):
            approval.publish(Ctx(world.session, SYSTEM, world.ctx().today, world.now), flow)
        assert flow.state is FlowState.DRAFT


def test_what_is_no_graph_is_drawn_as_far_as_it_goes(world):
    """A draft may hold anything: branches within themselves, two of one number, hundreds one inside the other."""
    one = world.position("甲岗", "甲")
    twice = [both(1, 1), both(1, 1, inside_no=1)]
    deep = [both(1, 1), *(both(no, no, inside_no=no - 1) for no in range(2, 401))]
    for branches in (twice, deep):
        flow = ApprovalFlow(name="草稿", nodes=[world.node(10, one)], branches=branches)
        assert flow_graph.words(flow_graph.line(flow)).startswith("节点10 → （")
    assert flow_graph.defects(flow)[0].what == "分支套分支最多 3 层"


def test_the_next_version_has_the_branches_too(world):
    flow = parallel(world)
    copy = approval.new_version(world.system(), flow)
    assert [one.no for one in copy.branches] == [1, 2]
    assert [one.branch_no for one in copy.nodes] == [None, 1, 1, 2, None]
    assert flow_graph.line(copy) != flow_graph.line(flow)
    approval.publish(world.system(), copy)
    assert flow.state is FlowState.RETIRED


def test_trying_shows_the_way_and_gaps_look_into_every_branch(world):
    flow = by_amount(world)
    facts = Facts(amount=None, department_id=world.branch.id)
    names = [one.step.node.name for one in flow_trial.preview(world.session, flow, facts).steps]
    assert names == ["节点30"]
    flow.nodes[2].approve_limit = 20_000_000
    gaps = [(g.where, g.what) for g in flow_trial.amount_gaps(world.session, [flow])]
    assert gaps == [("金额 20,000,000.01 元及以上", "超过流程“流程F1”末节点的审批限额")]
    flow.branches[0].condition = "额度 > 1"
    problem = flow_trial.preview(world.session, flow, facts).problem
    assert "分支“分支1”的进入条件已失效" in problem


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (parallel, "节点10 → （节点20 → 节点30 与 节点40） → 节点50"),
        (by_amount, "（节点10 或 节点20 或 直接通过） → 节点30"),
    ],
)
def test_a_flow_reads_in_one_line(world, made, said):
    assert flow_graph.words(flow_graph.line(made(world))) == said
