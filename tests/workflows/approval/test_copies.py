"""抄送 (A9, X18): by the flow and by hand, read apart, a right to read and nothing else."""

import pytest

from models.approval.approval import ApprovalPositionMember, ApprovalState
from models.base.errors import BusinessError, NotAllowed, NotFound
from reports.base import scope
from reports.figures.approval_sheet import sheet
from reports.workbench import todo
from tests.workflows.approval_world import TODAY, World
from workflows.approval import approval, copies, steps
from workflows.base import papers, records

BEGINS_WITH = "tables"


@pytest.fixture
def world(session, monkeypatch):
    monkeypatch.setattr(steps, "_HANDLERS", {})
    return World(session)


def told(world, instance):
    """Names of those to whom it was copied, in that order."""
    return [one["name"] for one in sheet(world.session, instance)["copies"]]


def mine(world, name):
    """The copies of a person, the latest first."""
    found = world.session.query(copies.ApprovalCopy).filter_by(employee_id=world.id(name))
    return found.order_by(copies.ApprovalCopy.id.desc()).all()


def test_the_flow_tells_at_submission_and_each_node_once_it_has_agreed(world):
    board = world.position("board", "丙", "申请人")
    world.flow(
        world.node(10, world.position("risk", "甲", "乙"), copy_position_id=board.id),
        world.node(20, copy_employee_id=world.id("丁")),
        copy_position_id=world.position("office", "总监").id,
    )
    found = world.start()
    assert told(world, found) == ["总监"]
    world.give_back(found, "甲")
    assert told(world, found) == ["总监"], "sent back is not agreed"
    again = world.start()
    world.approve(again, "甲")
    assert told(world, again) == ["总监", "丙"], "who has submitted it knows"
    world.approve(again, "经理")
    assert told(world, again) == ["总监", "丙", "丁"]
    assert again.state is ApprovalState.APPROVED


def test_who_is_told_may_read_the_business_and_nothing_else(world):
    customer = world.customer("申请人")
    world.flow(world.node(10, world.position("risk", "甲")))
    found = world.start(record=customer)
    reader = world.actor("丙")
    assert not scope.is_visible(world.session, reader, customer)
    copies.send(world.ctx("甲"), found, [world.id("丙")], note="请知悉")
    assert scope.is_visible(world.session, reader, customer)
    assert scope.is_visible(world.session, reader, found)
    assert scope.may_read(world.session, reader, customer)
    ctx = world.ctx("丙")
    assert not scope.was_asked(world.session, reader, customer, is_pending=True)
    assert not papers.may_write(ctx, customer)
    with pytest.raises(NotAllowed, match="不是分配给您的"):
        approval.decide(ctx, world.task(found, "甲"), approval.Decision.APPROVE)
    with pytest.raises(NotAllowed):
        copies.send(ctx, found, [world.id("丁")])
    with pytest.raises(NotAllowed):
        approval.transfer(ctx, world.task(found, "甲"), world.id("丁"), "转")
    world.approve(found, "甲")
    assert scope.is_visible(world.session, reader, customer), "afterwards too"


def test_who_is_told_or_was_asked_once_writes_nothing_on_it_whatever_he_may_do_with_his_own(world):
    """Being told opens a record to be read: the right to edit one's own customers is none to add to this one."""
    customer = world.customer("申请人")
    may = frozenset({("can_show", "corporate_customer"), ("can_edit", "corporate_customer")})
    told_, asked = (world.ctx(name, permissions=may) for name in ("丁", "甲"))
    world.flow(world.node(10, world.position("risk", "甲")))
    found = world.start(record=customer)
    copies.send(world.ctx(), found, [world.id("丁")])
    assert scope.is_visible(world.session, told_.actor, customer)
    with pytest.raises(NotAllowed, match="您只能查看"):
        papers.require_writer(told_, customer)
    papers.require_writer(asked, customer)
    world.approve(found, "甲")
    assert not papers.may_write(asked, customer)
    assert papers.may_write(told_, world.customer("丁"))


def test_it_stands_apart_from_what_waits_and_is_unread_until_it_is_noted(world):
    world.flow(world.node(10, world.position("risk", "甲")))
    found = world.start()
    copies.send(world.ctx(), found, [world.id("丙")])
    waiting = todo.waiting(world.session, world.actor("丙"), world.now, TODAY)
    assert (waiting.total, waiting.copies) == (0, 1)
    (copy,) = mine(world, "丙")
    with pytest.raises(NotAllowed):
        copies.take_note(world.ctx("甲"), copy)
    copies.take_note(world.ctx("丙"), copy)
    first = copy.read_at
    copies.take_note(world.ctx("丙"), copy)
    assert copy.read_at == first == world.now
    waiting = todo.waiting(world.session, world.actor("丙"), world.now, TODAY)
    assert waiting.copies == 0
    assert sheet(world.session, found)["copies"][0]["read_at"]
    with pytest.raises(NotFound):  # a stranger does not even see that it was copied
        records.find(world.ctx("丁"), copies.ApprovalCopy, copy.id)


def test_people_and_positions_are_told_once(world):
    board = world.position("board", "丙", "丁")
    world.flow(world.node(10, world.position("risk", "甲")))
    found = world.start()
    ctx = world.ctx("甲")
    assert copies.send(ctx, found, [world.id("丙")], [board.id]) == ["丙", "丁"]
    world.approve(found, "甲")
    with pytest.raises(BusinessError, match="已经抄送过"):
        copies.send(world.ctx("甲"), found, [world.id("丙"), world.id("申请人")])
    for people, positions, note, said in (
        ([], [], "", "请选择抄送的人员或岗位"),
        ([999999], [], "", "不存在、已离职"),
        ([], [world.position("nobody").id], "", "没有在职人员"),
        ([], [999999], "", "没有在职人员"),
        ([world.id("乙")], [], "长" * 201, "最多 200 个字"),
    ):
        with pytest.raises(BusinessError, match=said):
            copies.send(world.ctx(), found, people, positions, note)
    world.people["乙"].is_active = False
    with pytest.raises(BusinessError, match="已离职"):
        copies.send(world.ctx(), found, [world.id("乙")])


def test_a_position_tells_those_of_the_applicants_department(world):
    position = world.position("board", "丙")
    world.position("board", "丁", department=world.head)
    away = world._department("XX", "业务二部", world.head)
    world.session.query(ApprovalPositionMember).filter_by(
        employee_id=world.id("丙")
    ).one().department_id = away.id
    world.flow(world.node(10, copy_position_id=position.id))
    found = world.start()
    world.approve(found, "经理")
    assert told(world, found) == ["丁"]
