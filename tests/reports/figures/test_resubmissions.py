"""较上次提交的变化 (A10): what the record said then and says now, in words, and nothing of what is masked."""

import pytest

from reports.figures import resubmissions
from tests.workflows.approval_world import World
from workflows.approval import steps

BEGINS_WITH = "tables"


@pytest.fixture
def world(session, monkeypatch):
    monkeypatch.setattr(steps, "_HANDLERS", {})
    made = World(session)
    made.flow(made.node(10, made.position("risk", "甲")))
    return made


def changed(world, now):
    before = resubmissions.earlier(world.session, now)
    found = resubmissions.changes(world.session, world.actor("甲"), before, now)
    return {one.label: (one.before, one.now) for one in found}


def test_what_was_put_up_again_says_what_became_of_it(world):
    record = world.customer("申请人")
    first = world.start("1000000", record=record)
    assert resubmissions.earlier(world.session, first) is None
    world.give_back(first, "甲")
    record.name, record.manager_id = "新名称", world.id("乙")
    record.legal_person_mobile = "13800000000" if hasattr(record, "legal_person_mobile") else None
    world.session.flush()
    second = world.start("800000", record=record)
    found = changed(world, second)
    assert found["审批金额（元）"] == ("1,000,000.00", "800,000.00")
    assert ("申请人的客户", "新名称") in found.values()
    assert ("申请人", "乙") in found.values()
    assert not any("138" in words for pair in found.values() for words in pair)


def test_the_same_again_has_no_changes_and_an_amount_that_is_gone_is_a_dash(world):
    first = world.start("1000000")
    world.give_back(first, "甲")
    second = world.start("1000000")
    assert changed(world, second) == {}
    world.give_back(second, "甲")
    third = world.start(None)
    assert changed(world, third) == {"审批金额（元）": ("1,000,000.00", "—")}


def test_what_has_no_short_words_and_a_record_that_is_gone_are_said_so(world):
    first = world.start()
    world.give_back(first, "甲")
    second = world.start()
    gone = {**first.facts["record"], "manager_id": 999_999, "phone": None}
    first.facts = {**first.facts, "record": gone}
    second.facts = {**second.facts, "record": {**gone, "manager_id": world.id("甲"), "phone": "1"}}
    assert changed(world, second) == {"部门负责人": ("—", "甲"), "部门电话": ("—", "1")}
