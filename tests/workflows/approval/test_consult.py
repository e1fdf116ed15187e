"""委派 that comes back, 减签, 依次会签, straight back after a return, 终止 and second submissions (A3, A8, A9)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from models.approval.approval import ApprovalPositionMember, ApprovalState, NodeMode, TaskState
from models.base.errors import BusinessError, Conflict, NotAllowed
from reports.figures import approvals
from reports.workbench import todo
from tests.workflows.approval_world import TODAY, World
from workflows.approval import approval, consult, steps
from workflows.approval.approval import Decision
from workflows.approval.reassign import end, reassign

BEGINS_WITH = "tables"
END = frozenset({("can_end", "approval_instance"), ("can_reassign", "approval_task")})


@pytest.fixture
def world(session, monkeypatch):
    monkeypatch.setattr(steps, "_HANDLERS", {})
    return World(session)


@pytest.fixture
def risk(world):
    return world.position("risk", "甲", "乙")


def answer(world, instance, name, opinion="行业下行，建议降额"):
    task = world.task(instance, name)
    return approval.decide(world.ctx(name), task, Decision.ANSWER, opinion)


# --- 委派 ------------------------------------------------------------------------------------------------------------


def test_what_is_entrusted_comes_back_with_an_opinion_and_settles_nothing(world, risk):
    world.flow(world.node(10, risk, mode=NodeMode.ALL))
    found = world.start()
    consult.entrust(world.ctx("甲"), world.task(found, "甲"), world.id("丙"), "请看行业风险")
    assert world.waiting(found) == ["丙", "乙"]
    assert world.task(found, "甲").opinion == "委派丙：请看行业风险"
    who = world.actor("丙")
    waiting = todo.waiting(world.session, who, world.now, TODAY)
    words = [one.what for one in todo.todos(world.session, who, waiting)]
    assert words == ["测试业务（甲委派，请回复意见）"]
    with pytest.raises(BusinessError, match="只回复意见，由委派人决定"):
        world.approve(found, "丙")
    with pytest.raises(BusinessError, match="只有受委派的任务才能回复"):
        answer(world, found, "乙")
    with pytest.raises(BusinessError, match="回复时必须填写意见"):
        answer(world, found, "丙", " ")
    world.approve(found, "乙")
    assert found.state is ApprovalState.RUNNING
    answer(world, found, "丙")
    assert world.task(found, "丙").state is TaskState.ADVISED
    assert world.waiting(found) == ["甲"]
    assert world.approve(found, "甲").state is ApprovalState.APPROVED


def test_who_only_gives_an_opinion_brings_nobody_else_in_but_may_hand_it_on(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    consult.entrust(world.ctx("甲"), world.task(found, "甲"), world.id("丙"), "请看")
    task = world.task(found, "丙")
    with pytest.raises(BusinessError, match="不能加签"):
        approval.add_signer(world.ctx("丙"), task, world.id("丁"))
    with pytest.raises(BusinessError, match="不能再委派"):
        consult.entrust(world.ctx("丙"), task, world.id("丁"), "请看")
    approval.transfer(world.ctx("丙"), task, world.id("丁"), "丁更熟悉")
    reassign(world.ctx("乙", permissions=END), world.task(found, "丁"), world.id("经理"), "丁请假")
    answer(world, found, "经理")
    assert world.waiting(found) == ["乙", "甲"]


def test_an_entrusted_task_is_taken_back_by_who_entrusted_it_alone(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    consult.entrust(world.ctx("甲"), world.task(found, "甲"), world.id("丙"), "请看")
    task = world.task(found, "丙")
    with pytest.raises(NotAllowed, match="只有加签或委派的人可以收回"):
        consult.take_back(world.ctx("乙"), task, "不用了")
    with pytest.raises(BusinessError, match="收回委派时必须填写意见"):
        consult.take_back(world.ctx("甲"), task)
    consult.take_back(world.ctx("甲"), task, "自己看完了", version=task.version)
    assert (task.state, task.on_behalf_of_id, task.decided_by.name) == (
        TaskState.REMOVED,
        None,
        "甲",
    )
    assert world.approve(found, "甲").state is ApprovalState.APPROVED
    with pytest.raises(Conflict):
        consult.take_back(world.ctx("甲"), task, "再次")


def test_the_time_limit_goes_on_while_a_colleague_thinks_it_over(world, risk):
    """委派 and back is no way to more time; nor is taking it back."""
    world.flow(world.node(10, risk, hours_limit=8))
    found = world.start()
    due = world.task(found, "甲").due_at
    for is_answered in (True, False):
        world.now += timedelta(hours=3)
        consult.entrust(world.ctx("甲"), world.task(found, "甲"), world.id("丙"), "请看")
        assert world.task(found, "丙").due_at == due
        world.now += timedelta(hours=3)
        if is_answered:
            answer(world, found, "丙")
        else:
            consult.take_back(world.ctx("甲"), world.task(found, "丙"), "自己看")
        assert world.task(found, "甲").due_at == due
    world.now = due + timedelta(minutes=1)
    approval.escalate_overdue(world.system())
    assert world.task(found, "甲").escalated_at == world.now


def test_votes_are_nobody_elses(world):
    board = world.position("board", "甲", "乙", "丙")
    share = Decimal("66.67")
    world.flow(world.node(10, board, mode=NodeMode.VOTE, quorum_pct=share, pass_pct=share))
    found = world.start()
    with pytest.raises(BusinessError, match="不能委派"):
        consult.entrust(world.ctx("甲"), world.task(found, "甲"), world.id("丁"), "请看")


# --- 减签 ------------------------------------------------------------------------------------------------------------


def test_an_added_signer_who_is_not_needed_any_more_holds_nothing_up(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"))
    world.approve(found, "甲")
    assert world.waiting(found) == ["丙"]
    with pytest.raises(NotAllowed):
        consult.take_back(world.ctx("丙"), world.task(found, "丙"), "不签")
    consult.take_back(world.ctx("甲"), world.task(found, "丙"), "已电话确认")
    assert found.state is ApprovalState.APPROVED


def test_a_deputy_does_without_whom_he_has_added_in_the_name_of_who_is_away(world, risk):
    world.flow(world.node(10, risk))
    world.lend("甲", "丁")
    found = world.start()
    deputy = world.ctx("丁")
    approval.add_signer(deputy, world.task(found, "甲"), world.id("丙"))
    signer = world.task(found, "丙")
    with pytest.raises(NotAllowed):
        consult.take_back(world.ctx("乙"), signer, "不用了")
    consult.take_back(deputy, signer, "已电话确认")
    assert (signer.state, signer.decided_by.name, signer.on_behalf_of.name) == (
        TaskState.REMOVED,
        "丁",
        "甲",
    )


def test_no_deputy_lets_himself_out_nor_decides_on_what_he_has_submitted(world, risk):
    world.flow(world.node(10, risk))
    world.lend("甲", "丙")
    found = world.start()
    approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"))
    with pytest.raises(NotAllowed):
        consult.take_back(world.ctx("丙"), world.task(found, "丙"), "不签")
    own = world.start(ctx=world.ctx("丙"), record=world.people["乙"])
    approval.add_signer(world.ctx("甲"), world.task(own, "甲"), world.id("丁"))
    with pytest.raises(NotAllowed):
        consult.take_back(world.ctx("丙"), world.task(own, "丁"), "不用了")


def test_the_consent_of_an_added_signer_is_waited_for_while_that_one_asks_a_colleague(world, risk):
    """任一: neither the first consent nor whom it frees does without what was added."""
    world.flow(world.node(10, risk))
    for first in (True, False):
        found = world.start(record=world.people["甲"] if first else world.people["乙"])
        approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"))
        if first:
            world.approve(found, "甲")
        consult.entrust(world.ctx("丙"), world.task(found, "丙"), world.id("丁"), "请看")
        if not first:
            world.approve(found, "甲")
        assert world.waiting(found) == ["丁"]
        answer(world, found, "丁")
        assert world.approve(found, "丙").state is ApprovalState.APPROVED


def test_who_waits_for_an_opinion_is_not_asked_once_more(world, risk):
    world.flow(world.node(10, risk, mode=NodeMode.ALL))
    found = world.start()
    consult.entrust(world.ctx("甲"), world.task(found, "甲"), world.id("丙"), "请看")
    with pytest.raises(BusinessError, match="甲已是本节点的审批人"):
        approval.transfer(world.ctx("乙"), world.task(found, "乙"), world.id("甲"), "请一并看")
    with pytest.raises(Conflict, match="不能撤回"):
        approval.withdraw(world.ctx(), found)
    answer(world, found, "丙")
    assert world.waiting(found) == ["乙", "甲"]


# --- 依次会签 --------------------------------------------------------------------------------------------------------


def test_people_sign_one_after_the_other_in_their_order(world):
    position = world.position("line", "甲", "乙", "丙")
    for place, name in enumerate("丙甲乙"):
        row = world.session.query(ApprovalPositionMember).filter_by(employee_id=world.id(name))
        row.one().sort_no = place + 1
    world.flow(world.node(10, position, mode=NodeMode.IN_TURN), world.node(20))
    found = world.start()
    assert world.waiting(found) == ["丙"]
    world.approve(found, "丙")
    assert world.waiting(found) == ["甲"]
    approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丁"))
    world.approve(found, "甲")
    assert world.waiting(found) == ["丁"], "an added signer is waited for before the next"
    world.approve(found, "丁")
    assert world.waiting(found) == ["乙"]
    world.approve(found, "乙")
    assert world.waiting(found) == ["经理"]


@pytest.mark.parametrize("how", ["asked for an opinion", "added and done without"])
def test_nobody_loses_the_own_turn_by_being_asked_before(world, risk, how):
    world.flow(world.node(10, risk, mode=NodeMode.IN_TURN))
    found = world.start()
    task = world.task(found, "甲")
    if how == "asked for an opinion":
        consult.entrust(world.ctx("甲"), task, world.id("乙"), "请看")
        answer(world, found, "乙")
    else:
        approval.add_signer(world.ctx("甲"), task, world.id("乙"))
        consult.take_back(world.ctx("甲"), world.task(found, "乙"), "不用了")
    assert world.approve(found, "甲").state is ApprovalState.RUNNING
    assert world.waiting(found) == ["乙"]


def test_one_refusal_in_the_line_ends_it_and_who_follows_is_never_asked(world):
    world.flow(world.node(10, world.position("line", "甲", "乙"), mode=NodeMode.IN_TURN))
    found = world.start()
    (first,) = world.waiting(found)
    assert world.reject(found, first).state is ApprovalState.REJECTED
    assert len(found.tasks) == 1


# --- straight back ---------------------------------------------------------------------------------------------------


@pytest.fixture
def long_way(world, risk):
    """甲, then 丙, then 丁."""
    return world.flow(
        world.node(10, world.position("one", "甲")),
        world.node(20, world.position("two", "丙")),
        world.node(30, world.position("three", "丁")),
    )


def give_back(world, found, name, to_seq=None, *, is_direct):
    return approval.decide(
        world.ctx(name),
        world.task(found, name),
        Decision.RETURN,
        "请补充",
        to_seq=to_seq,
        is_direct=is_direct,
    )


@pytest.mark.parametrize(("is_direct", "following"), [(True, ["丁"]), (False, ["丙"])])
def test_an_earlier_node_that_has_mended_it_sends_it_straight_back_or_the_whole_way(
    world, long_way, is_direct, following
):
    found = world.start()
    world.approve(found, "甲")
    world.approve(found, "丙")
    give_back(world, found, "丁", 10, is_direct=is_direct)
    assert world.waiting(found) == ["甲"]
    world.approve(found, "甲")
    assert world.waiting(found) == following
    assert found.resume_seq is None


def test_the_applicant_submits_straight_to_who_returned_it(world, long_way):
    found = world.start()
    world.approve(found, "甲")
    world.approve(found, "丙")
    give_back(world, found, "丁", is_direct=True)
    again = world.start()
    assert world.waiting(again) == ["丁"]
    assert [one.state for one in approvals.progress(again)] == ["SKIPPED", "SKIPPED", "CURRENT"]
    assert world.approve(again, "丁").state is ApprovalState.APPROVED
    assert world.waiting(world.start()) == ["甲"], "the way was short once"


@pytest.mark.parametrize("change", ["amount", "plain"])
def test_what_the_flow_was_chosen_by_must_be_as_it_was(world, long_way, change):
    found = world.start()
    world.approve(found, "甲")
    give_back(world, found, "丙", is_direct=change == "amount")
    assert world.waiting(world.start("1000000.01" if change == "amount" else "1000000")) == ["甲"]


def test_another_version_of_the_flow_begins_from_the_start(world, risk, long_way):
    found = world.start()
    world.approve(found, "甲")
    give_back(world, found, "丙", is_direct=True)
    world.flow(world.node(10, risk), world.node(20), code="F2", priority=3)
    assert world.waiting(world.start()) == ["乙", "甲"]


# --- 终止, 重复提交 --------------------------------------------------------------------------------------------------


def test_an_administrator_ends_what_goes_nowhere_and_the_paper_goes_back(world, risk):
    seen = []
    approval.on_finish("loan.test")(lambda _ctx, _instance, _record, outcome: seen.append(outcome))
    world.flow(world.node(10, risk, mode=NodeMode.ALL))
    found = world.start()
    world.approve(found, "甲")
    admin = world.ctx("丁", permissions=END)
    with pytest.raises(NotAllowed):
        end(world.ctx("丁"), found, "重复立项")
    with pytest.raises(NotAllowed, match="请用“撤回”"):
        end(world.ctx(permissions=END), found, "重复立项")
    with pytest.raises(BusinessError, match="必须填写意见"):
        end(admin, found, " ")
    end(admin, found, "重复立项")
    assert (found.state, found.end_reason, seen) == (
        ApprovalState.WITHDRAWN,
        "重复立项",
        [ApprovalState.WITHDRAWN],
    )
    assert world.task(found, "乙").state is TaskState.WITHDRAWN
    with pytest.raises(Conflict, match="已撤回"):
        end(admin, found, "再次")


def test_a_second_submission_is_led_to_the_first(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    with pytest.raises(Conflict) as refused:
        world.start()
    assert refused.value.record == ("approval_instance", found.id)


def test_whoever_was_done_without_as_a_signer_is_waited_for_as_what_he_is_now(world, risk):
    """任一: 丙 was added and taken back, then holds 甲's task and asks 丁; 乙's consent is enough for the node."""
    world.flow(world.node(10, risk), world.node(20))
    found = world.start()
    approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"))
    consult.take_back(world.ctx("甲"), world.task(found, "丙"), "不必了")
    approval.transfer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"), "请办")
    consult.entrust(world.ctx("丙"), world.task(found, "丙"), world.id("丁"), "请看")
    world.approve(found, "乙")
    assert world.waiting(found) == ["经理"]
    assert world.task(found, "丁").state is TaskState.CANCELLED
