"""Every change of a piece of configuration is a version, and an earlier one can be restored (X15)."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from models.base.errors import Conflict, NotAllowed
from models.customer.rating_model import RatingIndicator, RatingModel, RatingOption
from models.ledger.rule import PostingRule
from models.system.configuration import ConfigVersion, VersionAct
from models.system.organization import Department
from models.system.setup import DictionaryItem, DictionaryType, Parameter
from reports.figures.configuration_changes import changes
from workflows.base import records
from workflows.base.context import Ctx
from workflows.system import configuration

CODE = "login.max_failures"


def parameter(ctx, on=None):
    query = select(Parameter).where(Parameter.code == CODE).order_by(Parameter.effective_on.desc())
    rows = ctx.session.scalars(query).all()
    return next(row for row in rows if row.effective_on <= (on or ctx.today))


def history(ctx, table, key):
    query = select(ConfigVersion).where(
        ConfigVersion.table_name == table, ConfigVersion.object_key == key
    )
    return ctx.session.scalars(query.order_by(ConfigVersion.number)).all()


def save(ctx, record, reason="", **values):
    ctx.reason = reason
    records.update(ctx, record, values, record.version)
    ctx.session.commit()
    return record


def test_a_change_is_a_version_after_what_was_there(ctx):
    one = parameter(ctx)
    save(ctx, one, "外部审计要求", value="7", effective_on=ctx.today)
    first, second = history(ctx, "parameter", CODE)
    assert (first.act, first.author_id, first.summary) == (VersionAct.BEFORE, None, "")
    assert (second.act, second.number, second.reason) == (VersionAct.UPDATE, 2, "外部审计要求")
    assert (second.author_id, second.effective_on) == (ctx.actor.employee_id, ctx.today)
    # the value that held is still the row of its day; the new one is a row of its own
    assert second.summary == "2026-03-02 起 参数值：5 → 7"
    assert [row["values"]["value"] for row in second.content] == ["5", "7"]
    save(ctx, one, value="7")
    assert len(history(ctx, "parameter", CODE)) == 2


def test_an_earlier_value_holds_again_from_today_and_the_past_stays(ctx):
    save(ctx, parameter(ctx), value="7", effective_on=ctx.today)
    later = Ctx(ctx.session, ctx.actor, ctx.today + timedelta(days=9), ctx.now, "screen")
    with pytest.raises(Conflict, match="与第 2 版相同"):
        configuration.restore(later, history(later, "parameter", CODE)[1])
    configuration.restore(later, history(later, "parameter", CODE)[0])
    later.session.commit()
    third = history(later, "parameter", CODE)[-1]
    assert (third.number, third.act, third.reason) == (3, VersionAct.RESTORE, "恢复到第 1 版")
    query = select(Parameter.value).where(Parameter.code == CODE).order_by(Parameter.effective_on)
    assert later.session.scalars(query).all() == ["5", "7", "5"]
    assert parameter(later).effective_on == later.today


def test_parts_go_with_the_whole_and_come_back_with_it(ctx):
    model = ctx.session.scalars(select(RatingModel).where(RatingModel.code == "CORP")).one()
    query = select(RatingIndicator).where(RatingIndicator.rating_model_id == model.id)
    one, two = ctx.session.scalars(query.order_by(RatingIndicator.rank)).all()[:2]
    option = ctx.session.scalars(
        select(RatingOption).where(RatingOption.rating_indicator_id == one.id)
    ).first()
    lost, kept = option.label, option.code
    records.delete(ctx, option, option.version)
    save(ctx, two, label="另一个名称")
    before, after = history(ctx, "rating_model", "CORP")
    found = changes(ctx.session, "rating_model", before.content, after.content)
    assert [str(c) for c in found] == [
        f"评级指标“另一个名称” 指标名称：{before_label(before, two)} → 另一个名称",
        f"删除评级选项“{lost}”",
    ]
    configuration.restore(ctx, before)
    ctx.session.commit()
    assert history(ctx, "rating_model", "CORP")[-1].content == before.content
    query = select(RatingOption.label).where(
        RatingOption.rating_indicator_id == one.id, RatingOption.code == kept
    )
    assert ctx.session.scalar(query) == lost


def before_label(version, indicator):
    rows = version.content[0]["parts"]["rating_indicator"]
    return next(row["values"]["label"] for row in rows if row["values"]["code"] == indicator.code)


def test_what_was_deleted_comes_back(ctx):
    colours = records.create(ctx, DictionaryType, {"code": "colours", "label": "颜色"})
    records.create(
        ctx, DictionaryItem, {"dictionary_type_id": colours.id, "code": "R", "label": "红𠮷"}
    )
    ctx.session.commit()
    records.delete(ctx, colours, colours.version)
    ctx.session.commit()
    made, gone = history(ctx, "dictionary_type", "colours")
    assert (made.act, gone.act, gone.content) == (VersionAct.CREATE, VersionAct.DELETE, [])
    configuration.restore(ctx, made)
    ctx.session.commit()
    again = select(DictionaryItem.label).join(DictionaryItem.dictionary_type)
    assert ctx.session.scalar(again.where(DictionaryType.code == "colours")) == "红𠮷"
    assert [one.number for one in history(ctx, "dictionary_type", "colours")] == [1, 2, 3]


def test_a_version_holds_no_number_of_this_installation(ctx):
    rule = ctx.session.scalars(select(PostingRule).where(PostingRule.is_active)).first()
    save(ctx, rule, memo="{事项} {客户}")
    content = history(ctx, "posting_rule", rule.event_code)[-1].content
    (row,) = content
    assert row["values"]["word_id"] == rule.word.code
    line = row["parts"]["posting_rule_line"][0]["values"]
    assert line["account_id"] == rule.lines[0].account.code
    assert "posting_rule_id" not in line
    assert not row["values"].keys() & {"id", "version", "created_at"}


def test_a_thing_under_another_code_keeps_its_history(ctx):
    colours = records.create(ctx, DictionaryType, {"code": "colours", "label": "颜色"})
    ctx.session.commit()
    save(ctx, colours, code="hues")
    (one,) = history(ctx, "dictionary_type", "hues")
    assert (one.number, one.summary) == (2, "字典编码：colours → hues")


def test_what_a_verb_refuses_restores_nothing(ctx):
    colours = records.create(ctx, DictionaryType, {"code": "colours", "label": "颜色"})
    ctx.session.commit()
    save(ctx, colours, label="色彩")
    first = history(ctx, "dictionary_type", "colours")[0]
    nobody = Ctx(ctx.session, ctx.actor.__class__(ctx.actor.employee_id, "甲"), ctx.today, ctx.now)
    with pytest.raises(NotAllowed):
        configuration.restore(nobody, first)
    records.create(ctx, DictionaryType, {"code": "other", "label": "颜色"})
    ctx.session.rollback()
    assert colours.label == "色彩"


def test_a_save_costs_a_few_statements_and_business_none(ctx):
    place, one = ctx.session.scalars(select(Department)).first(), parameter(ctx)
    told = []
    connection = ctx.session.connection()
    event.listen(connection, "before_cursor_execute", lambda *call: told.append(call[2]))
    save(ctx, place, note="在二楼")
    assert not [text for text in told if "config_version" in text]
    told.clear()
    save(ctx, one, value="7", effective_on=ctx.today)
    mine = [text for text in told if "config_version" in text]
    assert len(mine) <= 4, mine
