"""Past the time limit (A6, A11): a superior finds it in the own inbox, reads it, and may urge."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.base.errors import NotAllowed
from reports.base.scope import is_visible
from reports.workbench import todo
from tests.workflows.approval_world import TODAY, World
from workflows.approval import approval, steps

BEGINS_WITH = "tables"
LIST = frozenset({("can_list", "approval_instance")})


@pytest.fixture
def world(session, monkeypatch):
    monkeypatch.setattr(steps, "_HANDLERS", {})
    made = World(session)
    made.flow(made.node(10, made.position("risk", "甲"), hours_limit=1))
    return made


def waiting(world, name):
    who = world.actor(name, permissions=LIST)
    found = todo.waiting(world.session, who, world.now, TODAY)
    return [(one.what, one.by) for one in todo.todos(world.session, who, found)]


def overdue(world, **facts):
    found = world.start(**facts)
    world.now += timedelta(hours=2)
    approval.escalate_overdue(world.system())
    return found


def test_the_direct_superior_sees_to_it(world):
    world.people["甲"].manager_id = world.id("丁")
    found = overdue(world)
    assert waiting(world, "丁") == [("审批超时督办", "甲")]
    assert waiting(world, "经理") == []
    assert is_visible(world.session, world.actor("丁"), found)
    assert approval.urge(world.ctx("丁"), found) == 1
    assert waiting(world, "甲") == [("测试业务（已催办）", "申请人")]
    with pytest.raises(NotAllowed, match="催办"):
        approval.urge(world.ctx("乙"), found)
    world.approve(found, "甲")
    assert waiting(world, "丁") == []


def test_without_one_who_can_it_is_the_manager_of_the_department_or_above(world):
    world.people["甲"].manager_id = world.id("丁")
    world.people["丁"].is_active = False
    overdue(world)
    assert waiting(world, "经理") == [("审批超时督办", "甲")]


def test_who_has_submitted_does_not_watch_over_the_own_approval(world):
    overdue(world, ctx=world.ctx("经理"), department_id=world.branch.id)
    assert waiting(world, "经理") == []
    assert waiting(world, "总监") == [("审批超时督办", "甲")]


def test_nobody_above_leaves_it_to_the_list_of_the_overdue(world):
    world.branch.manager_id = world.head.manager_id = None
    found = overdue(world)
    assert world.task(found, "甲").escalated_at is not None
    assert world.task(found, "甲").escalated_to_id is None
    nobody = world.ctx(permissions=LIST)
    nobody = replace(nobody, actor=replace(nobody.actor, employee_id=None))
    with pytest.raises(NotAllowed, match="催办"):
        approval.urge(nobody, found)
