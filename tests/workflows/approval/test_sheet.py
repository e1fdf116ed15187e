"""The printed 审批单: every decision with opinion, time and on whose behalf, issued once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from models.approval.approval import NodeChooser, NodeMode
from models.base.errors import Conflict, NotFound
from models.base.fields import FieldFacts
from models.system.organization import Company, Gender
from models.system.setup import DictionaryItem, DictionaryType, NumberReset, NumberRule
from reports.figures import approval_sheet as figures
from reports.figures.approval_sheet import sheet
from tests.workflows.approval_world import World
from workflows.approval import approval
from workflows.approval.approval import Decision
from workflows.approval.sheet import issue_sheet
from workflows.base.documents import load_templates

BEGINS_WITH = "tables"


@pytest.fixture
def world(session):
    world = World(session)
    session.add(
        NumberRule(
            code="approval", label="审批单编号", pattern="SP{yyyy}-{no:06d}", reset=NumberReset.YEAR
        )
    )
    world.flow(
        world.node(10, world.position("risk", "甲", "乙"), mode=NodeMode.ALL), world.node(20)
    )
    load_templates(session)
    return world


def decided(world, **facts):
    found = world.start(**facts)
    world.lend("甲", "丙")
    approval.decide(world.ctx("丙"), world.task(found, "甲"), Decision.APPROVE, "同意，按制度办理")
    world.now += timedelta(hours=1)
    approval.decide(world.system(), world.task(found, "乙"), Decision.APPROVE)
    world.now += timedelta(hours=1)
    world.reject(found, "经理", "额度不足")
    world.session.expire(found)
    return found


def test_it_is_issued_once_with_every_decision(world):
    found = decided(world)
    made = issue_sheet(world.ctx(), found)
    assert (made.number, made.title) == ("SP2026-000001", "测试业务审批单")
    for words in (
        "额度不足",
        "同意，按制度办理",
        "丙",
        "代 甲",
        "已否决",
        "2026-03-02 11:00",
        "1,000,000.00",
        "risk岗",
    ):
        assert words in made.body, words
    assert issue_sheet(world.ctx("甲"), found) is made


def test_it_waits_for_the_end_and_keeps_to_the_scope(world):
    found = world.start()
    with pytest.raises(Conflict, match="尚未办结"):
        issue_sheet(world.ctx(), found)
    with pytest.raises(NotFound):
        issue_sheet(world.ctx("丁"), found)


def test_who_was_not_needed_is_not_on_it(world):
    world.session.add(Company(display_name="担保", full_name="示例融资担保有限公司"))
    found = world.start()
    world.reject(found, "甲")
    data = sheet(world.session, found)
    assert [(line["approver"], line["action"], line["position"]) for line in data["nodes"]] == [
        ("甲", "否决", "risk岗")
    ]
    assert data["company"] == {"name": "示例融资担保有限公司"}
    assert {"label": "部门名称", "value": "业务一部"} in data["fields"]


def test_the_system_and_roles_are_named(world):
    found = decided(world, amount=None)
    data = sheet(world.session, found)
    assert [line["approver"] for line in data["nodes"]] == ["丙", "系统", "经理"]
    assert data["nodes"][2]["position"] == "部门负责人"
    assert figures._position(world.node(30, chooser=NodeChooser.ROLE, role_name="总裁")) == "总裁"
    assert not [field for field in data["fields"] if "金额" in field["label"]]
    found.department_id = None
    world.session.flush()
    world.session.expire(found)
    assert sheet(world.session, found)["approval"]["department"] == ""
    assert figures._local(None) == ""


def test_frozen_values_are_put_into_words(world):
    session = world.session
    kinds = DictionaryType(code="colour", label="颜色")
    session.add(kinds)
    session.flush()
    session.execute(
        insert(DictionaryItem).values(
            dictionary_type_id=kinds.id,
            code="R",
            label="红",
            rank=1,
            is_active=True,
            version=1,
            extra={},
        )
    )

    for facts, value, words in (
        (FieldFacts(kind="enum", choices=Gender), "MALE", "男"),
        (FieldFacts(kind="dictionary", dictionary="colour"), "R", "红"),
        (FieldFacts(kind="money"), "1234.50", "1,234.50 元"),
        (FieldFacts(kind="rate", unit="%"), "4.350000", "4.35%"),
        (FieldFacts(kind="rate"), str(Decimal(10)), "10"),
        (FieldFacts(kind="bool"), True, "是"),
        (FieldFacts(kind="bool"), False, "否"),
        (FieldFacts(kind="int"), 12, "12"),
        (FieldFacts(kind="reference"), 3, ""),
    ):
        assert figures.words_of(session, facts, value) == words


def test_what_is_not_for_reading_is_left_out(world):
    first = world.start()
    labels = [field["label"] for field in sheet(world.session, world.start(record=first))["fields"]]
    assert "标题" in labels or "金额" in labels
    assert "提交时间" not in labels  # a moment stands in the head already
    assert "申请人" not in labels
