"""Examples that stand with a rule (X15): they agree with it, are few, are kept, and are asked at every change."""

import pytest
from sqlalchemy import select

from models.approval.approval import ApprovalFlow, ApprovalType
from models.base.errors import Conflict, FieldErrors, NotAllowed, NotFound
from models.system.setup import AuditLog
from tests.workflows.office import EVERYTHING
from workflows.base import records
from workflows.system import examples

RULE = "金额 > 500万"


@pytest.fixture
def flow(ctx):
    kind = ctx.session.scalars(select(ApprovalType).order_by(ApprovalType.id)).first()
    facts = {"code": "big", "name": "大额", "business_type_id": kind.id, "condition": RULE}
    return records.create(ctx, ApprovalFlow, facts)


def add(ctx, flow, title="六百万走这里", amount="6000000", is_met=True):
    facts = {"金额": amount}
    return examples.add(ctx, flow, "condition", title=title, facts=facts, is_met=is_met)


def test_an_example_that_agrees_stands_with_the_rule(ctx, flow):
    add(ctx, flow)
    add(ctx, flow, "五百万不走", "5000000", is_met=False)
    ctx.session.flush()
    assert len(examples.of_record(ctx, flow, "condition")) == 2
    with pytest.raises(Conflict, match="应为符合，按这条规则为不符合"):
        add(ctx, flow, "四百万", "4000000")
    with pytest.raises(Conflict, match="按这条规则为未知，按不符合"):
        add(ctx, flow, "不知道多少", "")
    with pytest.raises(Conflict, match="输入与规则对不上"):
        add(ctx, flow, "不是数", "很多")


@pytest.mark.parametrize("title", [" ", "长" * 61, "六百万走这里"])
def test_a_title_tells_examples_apart(ctx, flow, title):
    add(ctx, flow)
    ctx.session.flush()
    with pytest.raises(FieldErrors) as refused:
        add(ctx, flow, title)
    assert list(refused.value.field_errors) == ["title"]


def test_a_rule_that_contradicts_its_examples_is_not_saved(ctx, flow):
    add(ctx, flow)
    ctx.session.flush()
    with pytest.raises(FieldErrors) as refused:
        records.update(ctx, flow, {"condition": "金额 > 700万"}, flow.version)
    assert "样例“六百万走这里”应为符合" in refused.value.field_errors["condition"][0]
    ctx.session.refresh(flow)
    records.update(ctx, flow, {"condition": "金额 > 550万"}, flow.version)
    assert flow.condition == "金额 > 550万"


def test_an_example_is_taken_away_once_and_the_trail_says_so(ctx, flow):
    kept = add(ctx, flow)
    ctx.session.flush()
    examples.remove(ctx, flow, "condition", kept.id)
    ctx.session.flush()
    with pytest.raises(NotFound, match="没有这个样例"):
        examples.remove(ctx, flow, "condition", kept.id)
    notes = ctx.session.scalars(select(AuditLog.note).where(AuditLog.action == "EXAMPLE")).all()
    assert notes == ["新增规则样例“六百万走这里”", "删除规则样例“六百万走这里”"]


def test_what_holds_no_rule_has_no_examples_and_there_are_enough_at_some_time(
    ctx, flow, monkeypatch
):
    with pytest.raises(NotFound, match="没有这个字段"):
        examples.add(ctx, flow, "name", title="甲", facts={}, is_met=True)
    monkeypatch.setattr(examples, "MOST", 1)
    add(ctx, flow)
    ctx.session.flush()
    with pytest.raises(Conflict, match="最多 1 个"):
        add(ctx, flow, "又一个")
    monkeypatch.setattr(examples, "MOST", 9)
    flow.condition = None
    with pytest.raises(Conflict, match="还没有填写"):
        add(ctx, flow, "又一个")


def test_who_may_not_change_the_rule_has_no_say_in_its_examples(session, office, flow):
    reader = office.ctx(session, "乙", permissions=EVERYTHING - {("can_edit", "approval_flow")})
    with pytest.raises(NotAllowed):
        add(reader, flow)
    assert not examples.of_record(reader, flow, "condition")
