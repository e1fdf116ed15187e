"""Everything that uses a piece of configuration, in words (X15)."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import (
    ApprovalFlow,
    ApprovalNode,
    ApprovalPosition,
    FlowState,
    NodeChooser,
)
from models.base.actor import SYSTEM
from models.base.errors import Conflict, FieldErrors
from models.customer.customer import CorporateCustomer
from models.ledger.account import Direction
from models.ledger.statement import StatementKind, StatementRow
from models.system.custom_field import CustomField
from models.system.role import RoleProfile
from models.system.setup import DictionaryItem, DictionaryType
from reports.figures.uses import Use, in_words, uses
from workflows.base import records
from workflows.base.context import Ctx

TODAY = date(2026, 11, 29)


@pytest.fixture
def ctx(demo_app):
    """The demonstration; what a test does there is undone."""
    with Session(demo_app.engine) as session:
        yield Ctx(session, SYSTEM, TODAY, datetime(2026, 11, 29, tzinfo=UTC), "test")


def words(ctx, record):
    return in_words(uses(ctx.session, record))


def item(ctx, dictionary, code):
    query = select(DictionaryItem).join(DictionaryItem.dictionary_type)
    return ctx.session.scalars(
        query.where(DictionaryType.code == dictionary, DictionaryItem.code == code)
    ).one()


def test_a_position_is_used_by_the_steps_that_ask_it_and_stays(ctx):
    position = ctx.session.scalars(
        select(ApprovalPosition).where(ApprovalPosition.code == "after")
    ).one()
    (steps,) = [one for one in uses(ctx.session, position) if one.table == "approval_node"]
    assert steps == Use("流程节点", steps.count, "approval_node", f"position_id:eq:{position.id}")
    with pytest.raises(Conflict, match=rf"使用中：.*{steps.count} 条流程节点.*，不能删除"):
        records.delete(ctx, position, position.version)


def test_a_code_is_used_by_rows_and_rules(ctx):
    grade = item(ctx, "risk_grade", "HIGH")
    flow = ctx.session.scalars(
        select(ApprovalFlow).where(ApprovalFlow.state == FlowState.PUBLISHED)
    ).first()
    flow.condition = f"风险等级 = “{grade.label}” 且 产品的产品名称 包含 “债券”"
    ctx.session.flush()
    assert f"审批流程“{flow.name}”的适用规则" in words(ctx, grade)
    with pytest.raises(Conflict, match="适用规则，不能删除"):
        records.delete(ctx, grade, grade.version)


def test_a_code_that_rows_hold_is_neither_renamed_nor_deleted(ctx):
    industry = ctx.session.scalars(select(CorporateCustomer.industry)).first()
    used = item(ctx, "industry", industry)
    held = next(one for one in uses(ctx.session, used) if one.table == "corporate_customer")
    assert held.count >= 1
    with pytest.raises(FieldErrors) as caught:
        records.update(ctx, used, {"code": "zz"}, used.version)
    assert f"已被使用（{held}" in caught.value.field_errors["code"][0]
    ctx.session.expire_all()
    with pytest.raises(Conflict, match=rf"使用中：.*{held}.*，不能删除"):
        records.delete(ctx, used, used.version)


def test_a_dictionary_is_used_by_the_fields_that_draw_on_it(ctx):
    found = ctx.session.scalars(select(DictionaryType).where(DictionaryType.code == "region")).one()
    assert "“对公客户”的字段“" in words(ctx, found)


def test_a_record_named_in_a_custom_field_stays(ctx):
    facts = {"table_name": "dictionary_type", "code": "about_word", "label": "所属岗位"}
    field = records.create(
        ctx, CustomField, {**facts, "kind": "REFERENCE", "target": "approval_position"}
    )
    position = records.create(ctx, ApprovalPosition, {"code": "own", "label": "自设岗"})
    records.create(ctx, DictionaryType, {"code": "own", "label": "自设", "about_word": position.id})
    assert words(ctx, position) == "1 条数据字典"
    assert words(ctx, field) == "1 条数据字典"
    with pytest.raises(Conflict, match="使用中：1 条数据字典，不能删除"):
        records.delete(ctx, position, position.version)


def test_what_is_named_and_not_referred_to(ctx):
    row = StatementRow(statement=StatementKind.INCOME, row_no=901, label="甲", side=Direction.DEBIT)
    ctx.session.add_all(
        [
            row,
            StatementRow(
                statement=StatementKind.INCOME,
                row_no=902,
                label="乙",
                side=Direction.DEBIT,
                formula="R901",
            ),
            StatementRow(
                statement=StatementKind.INCOME,
                row_no=903,
                label="丙",
                side=Direction.DEBIT,
                formula="R9011",
            ),
        ]
    )
    ctx.session.flush()
    assert words(ctx, row) == "“乙”的公式"
    role = ctx.session.scalars(select(RoleProfile).where(RoleProfile.name == "总裁")).one()
    node = ctx.session.scalars(select(ApprovalNode)).first()
    node.chooser, node.role_name = NodeChooser.ROLE, "总裁"
    ctx.session.flush()
    assert f"的节点“{node.name}”" in words(ctx, role)
