"""工作托管 (A4): what a delegate sees and decides in whose name, what stays barred, and when it ends."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import ApprovalState, NodeMode
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed, NotFound
from models.system.setup import AuditLog
from reports.base.scope import is_visible, may_read, was_asked
from reports.figures import approvals, delegations
from reports.workbench import todo
from tests.workflows.approval_world import TODAY, World
from workflows.approval import approval, consult, decide, delegation, steps
from workflows.approval.approval import Decision
from workflows.base.context import Ctx

BEGINS_WITH = "tables"
REVOKE = frozenset({("can_revoke", "delegation")})
APPOINT = frozenset({("can_add", "delegation"), ("can_appoint", "delegation"), *REVOKE})


@pytest.fixture
def world(session, monkeypatch):
    monkeypatch.setattr(steps, "_HANDLERS", {})
    return World(session)


@pytest.fixture
def found(world):
    """A millionth of a loan waits for 甲 and for 乙, who must both agree."""
    position = world.position("risk", "甲", "乙")
    world.flow(world.node(10, position, mode=NodeMode.ALL), world.node(20))
    return world.start(record=world.customer("申请人"))


def actor(world, name, today=TODAY, **facts):
    """Somebody as signed in on a day, with what others have handed over."""
    lent = delegations.lent(world.session, world.id(name), today)
    return world.actor(name, lent=lent, **facts)


def inbox(world, name, today=TODAY):
    who = actor(world, name, today)
    waiting = todo.waiting(world.session, who, world.now, today)
    return [one.what for one in todo.todos(world.session, who, waiting)]


def decide_for(world, instance, name, asked):
    return approval.decide(world.ctx(name), world.task(instance, asked), Decision.APPROVE, "同意")


def test_the_delegate_finds_it_reads_the_record_and_decides_in_the_others_name(world, found):
    assert inbox(world, "丙") == []
    world.lend("甲", "丙")
    assert inbox(world, "丙") == ["测试业务（代甲）"]
    assert inbox(world, "甲") == ["测试业务"]
    record = steps.record_of(world.system(), found)
    who = actor(world, "丙", permissions=frozenset({("can_show", "corporate_customer")}))
    assert is_visible(world.session, who, record)
    assert may_read(world.session, who, record)
    task = world.task(found, "甲")
    assert delegations.deputies(world.session, [task], TODAY) == {task.id: ["丙"]}
    decide_for(world, found, "丙", "甲")
    assert (task.decided_by.name, task.on_behalf_of.name, task.is_automatic) == ("丙", "甲", False)
    line = world.session.scalars(
        select(AuditLog).where(AuditLog.table_name == "approval_task", AuditLog.action == "UPDATE")
    ).first()
    assert (line.employee_id, line.on_behalf_of_id) == (world.id("丙"), world.id("甲"))
    # what was decided is still read; what others are asked about goes on without
    assert inbox(world, "丙") == inbox(world, "甲") == []
    assert was_asked(world.session, actor(world, "丙"), record)
    assert not was_asked(world.session, actor(world, "丙"), record, is_pending=True)
    assert [t.id for t in approvals.my_decisions(world.session, world.actor("丙"))] == [task.id]
    with pytest.raises(Conflict, match="已由丙办理"):
        world.approve(found, "甲")


def test_what_follows_from_it_is_the_systems_and_the_next_deed_is_the_own(world, found):
    world.lend("甲", "丙")
    ctx = world.ctx("丙")
    approval.decide(ctx, world.task(found, "甲"), Decision.REJECT, "材料不实")
    assert found.state is ApprovalState.REJECTED
    assert world.session.info["ctx"] is ctx
    assert ctx.actor.on_behalf_of_id is None


def test_hand_on_and_one_more_signer_in_the_others_name(world, found):
    world.lend("甲", "丙")
    decide.add_signer(world.ctx("丙"), world.task(found, "甲"), world.id("丁"))
    decide.transfer(world.ctx("丙"), world.task(found, "甲"), world.id("经理"), "不熟悉该行业")
    assert world.task(found, "甲").on_behalf_of.name == "甲"
    assert world.waiting(found) == ["丁", "乙", "经理"]


def test_nobody_decides_an_own_submission_by_way_of_somebody_else(world, found):
    world.lend("甲", "申请人")
    assert inbox(world, "申请人") == []
    assert delegations.deputies(world.session, [world.task(found, "甲")], TODAY) == {}
    with pytest.raises(NotAllowed, match="不能审批自己提交的业务"):
        decide_for(world, found, "申请人", "甲")


def test_one_person_has_one_voice_at_a_node(world, found):
    world.lend("甲", "乙")
    assert inbox(world, "乙") == ["测试业务"]
    with pytest.raises(NotAllowed, match="您在本节点已有自己的审批任务"):
        decide_for(world, found, "乙", "甲")
    world.approve(found, "乙")
    assert inbox(world, "乙") == []
    with pytest.raises(NotAllowed, match="您在本节点已有自己的审批任务"):
        decide_for(world, found, "乙", "甲")


def test_who_acts_for_two_people_has_one_voice_too(world, found):
    world.lend("甲", "丙")
    world.lend("乙", "丙")
    decide_for(world, found, "丙", "甲")
    assert inbox(world, "丙") == []
    with pytest.raises(NotAllowed, match="您在本节点已有自己的审批任务"):
        decide_for(world, found, "丙", "乙")


def test_who_stands_in_the_same_line_has_one_voice_too(world):
    position = world.position("line", "甲", "乙")
    world.flow(world.node(10, position, mode=NodeMode.IN_TURN))
    found = world.start()
    world.lend("甲", "乙")
    assert inbox(world, "乙") == []
    assert delegations.deputies(world.session, [world.task(found, "甲")], TODAY) == {}
    with pytest.raises(NotAllowed, match="您在本节点已有自己的审批任务"):
        decide_for(world, found, "乙", "甲")


def test_what_is_done_for_another_is_not_made_the_own(world, found):
    world.lend("甲", "丙")
    task = world.task(found, "甲")
    for act in (
        lambda: approval.transfer(world.ctx("丙"), task, world.id("丙"), "我来"),
        lambda: approval.add_signer(world.ctx("丙"), task, world.id("丙")),
        lambda: consult.entrust(world.ctx("丙"), task, world.id("丙"), "我来"),
    ):
        with pytest.raises(BusinessError, match="不能交给自己办理"):
            act()
    decide_for(world, found, "丙", "甲")
    with pytest.raises(BusinessError, match="丙已是本节点的审批人"):
        approval.add_signer(world.ctx("乙"), world.task(found, "乙"), world.id("丙"))


def test_who_has_left_decides_by_nobody_else(world, found):
    world.lend("甲", "丙")
    world.people["甲"].is_active = False
    world.session.flush()
    assert inbox(world, "丙") == []
    assert delegations.deputies(world.session, [world.task(found, "甲")], TODAY) == {}
    with pytest.raises(NotAllowed, match="不是分配给您的"):
        decide_for(world, found, "丙", "甲")


@pytest.mark.parametrize(
    ("ceiling", "amount", "is_lent"),
    [("1000000", "1000000", True), ("999999.99", "1000000", False), ("1", None, False)],
)
def test_a_ceiling_bounds_what_is_handed_over(world, ceiling, amount, is_lent):
    world.flow(world.node(10, world.position("risk", "甲")))
    started = world.start(amount)
    world.lend("甲", "丙", amount_to=Decimal(ceiling))
    assert inbox(world, "丙") == (["测试业务（代甲）"] if is_lent else [])
    if not is_lent:
        with pytest.raises(NotAllowed, match="不是分配给您的"):
            decide_for(world, started, "丙", "甲")


def test_a_type_bounds_what_is_handed_over(world, found):
    other = type(world.type)(code="other", label="其他业务")
    world.session.add(other)
    world.session.flush()
    world.lend("甲", "丙", business_type_id=other.id)
    assert inbox(world, "丙") == []
    world.lend("甲", "丁", business_type_id=world.type.id)
    assert inbox(world, "丁") == ["测试业务（代甲）"]
    with pytest.raises(NotAllowed, match="不是分配给您的"):
        decide_for(world, found, "丙", "甲")


def test_it_begins_and_ends_with_its_days(world, found):
    one = world.lend("甲", "丙", starts_on=TODAY + timedelta(days=1))
    assert inbox(world, "丙") == []
    assert delegations.state_of(one, TODAY) == "未开始"
    with pytest.raises(NotAllowed, match="不是分配给您的"):
        decide_for(world, found, "丙", "甲")
    last = TODAY + timedelta(days=3)
    assert inbox(world, "丙", last) == ["测试业务（代甲）"]
    assert delegations.state_of(one, last) == "生效中"
    after = last + timedelta(days=1)
    assert inbox(world, "丙", after) == []
    assert delegations.state_of(one, after) == "已到期"
    with pytest.raises(NotAllowed, match="不是分配给您的"):
        approval.decide(
            replace(world.ctx("丙"), today=after), world.task(found, "甲"), Decision.APPROVE
        )
    ctx = Ctx(world.session, world.actor("甲", permissions=REVOKE), after, world.now)
    with pytest.raises(Conflict, match="已到期"):
        delegation.revoke(ctx, one, "提前返回")


def test_it_ends_at_once_when_revoked(world, found):
    one = world.lend("甲", "丙")
    with pytest.raises(NotAllowed, match="只有委托人本人或系统管理员"):
        delegation.revoke(world.ctx("丙", permissions=REVOKE), one, "不想办")
    with pytest.raises(NotFound):
        delegation.revoke(world.ctx("丁", permissions=REVOKE), one, "不想办")
    with pytest.raises(BusinessError, match="请填写撤销原因"):
        delegation.revoke(world.ctx("甲", permissions=REVOKE), one, " ")
    delegation.revoke(world.ctx("甲", permissions=REVOKE), one, "提前返回", version=one.version)
    assert delegations.state_of(one, TODAY) == "已撤销"
    assert inbox(world, "丙") == []
    with pytest.raises(NotAllowed, match="不是分配给您的"):
        decide_for(world, found, "丙", "甲")
    with pytest.raises(Conflict, match="已撤销"):
        delegation.revoke(world.ctx("甲", permissions=REVOKE), one, "再次")
    world.lend("甲", "丁")  # the days are free again


def test_an_administrator_sets_it_for_somebody_who_is_away_but_not_to_the_own_gain(world, found):
    admin = world.ctx("丁", permissions=APPOINT)
    with pytest.raises(FieldErrors, match="只能托管自己的工作"):
        world.lend(
            "甲", "丙", by=world.ctx("丙", permissions=frozenset({("can_add", "delegation")}))
        )
    with pytest.raises(NotAllowed, match="不能把他人的工作托管给自己"):
        world.lend("甲", "丁", by=admin)
    one = world.lend("甲", "丙", by=admin)
    assert inbox(world, "丙") == ["测试业务（代甲）"]
    delegation.revoke(
        world.ctx("丁", permissions=APPOINT, scope=type(admin.actor.scope).ALL), one, "本人已返回"
    )
    assert one.revoked_by.name == "丁"


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (("甲", "丙"), ("丙", "丁"), "正代办甲的工作，不能再托管给他人"),
        (("丙", "丁"), ("甲", "丙"), "丙.*已把工作托管给丁，不能受托"),
        (("甲", "丙"), ("丙", "甲"), "甲.*已把工作托管给丙，不能受托"),
        (("甲", "丙"), ("甲", "丁"), "已把同类审批托管给丙，日期不能重叠"),
    ],
)
def test_what_was_lent_is_not_lent_on_nor_back_nor_twice(world, first, second, words):
    world.lend(*first)
    with pytest.raises(FieldErrors, match=words):
        world.lend(*second, starts_on=TODAY + timedelta(days=3), ends_on=TODAY + timedelta(days=9))
    assert world.lend(
        *second, starts_on=TODAY + timedelta(days=4), ends_on=TODAY + timedelta(days=9)
    ).id


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"starts_on": TODAY - timedelta(days=1)}, "starts_on"),
        ({"ends_on": TODAY - timedelta(days=1)}, "ends_on"),
        ({"amount_to": Decimal(0)}, "amount_to"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(world, facts, field):
    with pytest.raises(FieldErrors) as refused:
        world.lend("甲", "丙", **facts)
    assert list(refused.value.field_errors) == [field]


def test_a_delegate_is_somebody_else_who_still_works_here(world):
    with pytest.raises(FieldErrors, match="不能托管给委托人本人"):
        world.lend("甲", "甲")
    world.people["丙"].is_active = False
    with pytest.raises(FieldErrors, match="受托人已离职或账号已停用"):
        world.lend("甲", "丙")
