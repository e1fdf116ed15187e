"""A later release on a database that people have worked in: what is missing comes, what they did stays."""

import shutil
from datetime import date

import pytest
from sqlalchemy import delete, select

from models.guarantee.product import Product, ProductDocument, ProductFee
from models.ledger.account import Account
from models.ledger.rule import PostingRule, PostingRuleLine
from models.system.records import DocumentTemplate
from models.system.setup import DictionaryItem, DictionaryType, NumberRule, Parameter
from workflows.base import records
from workflows.base.documents import load_templates
from workflows.base.seeds import SEEDS, SeedError, load_base_data


@pytest.fixture
def release(tmp_path):
    """The seeds of the next release: `release(file, row, ...)` adds rows to a file of this one."""
    seeds = tmp_path / "seeds"
    shutil.copytree(SEEDS, seeds)

    def add(name, *rows):
        with (seeds / name).open("a", encoding="utf-8") as file:
            file.writelines(f"{row}\n" for row in rows)
        return seeds

    return add


def one(ctx, model, **facts):
    return ctx.session.scalars(select(model).filter_by(**facts)).one_or_none()


def rows(ctx, model, **facts):
    return ctx.session.scalars(select(model).filter_by(**facts).order_by(model.id)).all()


def new_rows(counts):
    return {table: count for table, count in counts.items() if count}


def remove(ctx, *gone):
    """What the delete button does."""
    for record in gone:
        records.delete(ctx, record, record.version)
    ctx.session.flush()


def change(ctx, record, **values):
    """What a form does, told by the trail."""
    for name, value in values.items():
        setattr(record, name, value)
    ctx.session.flush()


def test_what_a_release_adds_arrives(ctx, release):
    release("parameter.csv", "test.days,测试天数,30,DAYS,天,2020-01-01,SYSTEM,")
    release("number_rule.csv", "test,测试编号,TT{yyyy}{no:04d},YEAR")
    release("dictionary_type.csv", "test,测试字典,,")
    release("dictionary_item.csv", "test,a,甲,,1,", "political_status,test,测试面貌,,99,")
    release("posting_rules.csv", "TEST,测试记账,transfer,测试,2020-01-01")
    seeds = release("posting_rule_lines.csv", "TEST|2020-01-01,1,DEBIT,1002,amount,,,,,")
    assert new_rows(load_base_data(ctx.session, seeds)) == {
        "parameter": 1,
        "number_rule": 1,
        "dictionary_type": 1,
        "dictionary_item": 2,
        "posting_rule": 1,
        "posting_rule_line": 1,
    }
    assert new_rows(load_base_data(ctx.session, seeds)) == {}
    assert (
        one(ctx, Parameter, code="test.days").value,
        one(ctx, NumberRule, code="test").label,
    ) == ("30", "测试编号")
    assert one(ctx, DictionaryItem, code="test").dictionary_type.code == "political_status"
    (line,) = one(ctx, PostingRule, event_code="TEST").lines
    assert line.account_id == one(ctx, Account, code="1002").id


def test_a_new_template_arrives_and_an_edited_one_stays(ctx):
    ctx.session.execute(delete(DocumentTemplate).where(DocumentTemplate.code == "voucher"))
    kept = one(ctx, DocumentTemplate, code="fee_receipt")
    kept.body = "<p>我们自己的收据</p>"
    assert load_templates(ctx.session) == 1
    assert one(ctx, DocumentTemplate, code="voucher") is not None
    assert one(ctx, DocumentTemplate, code="fee_receipt").body == "<p>我们自己的收据</p>"


def test_lines_of_a_rule_are_never_mixed(ctx, release):
    """Half of a release's lines and half of the users' would not balance."""
    rule = one(ctx, PostingRule, event_code="fee.collected")
    ctx.session.execute(delete(PostingRuleLine).where(PostingRuleLine.id == rule.lines[0].id))
    seeds = release("posting_rule_lines.csv", "fee.collected|2000-01-01,90,DEBIT,1002,amount,,,,,")
    assert new_rows(load_base_data(ctx.session, seeds)) == {}


def test_a_line_of_no_rule_is_our_mistake(ctx, release):
    seeds = release("posting_rule_lines.csv", "NOTHING|2020-01-01,1,DEBIT,1002,amount,,,,,")
    with pytest.raises(SeedError, match="NOTHING"):
        load_base_data(ctx.session, seeds)


def test_what_was_deleted_stays_deleted_with_its_parts(ctx):
    product = one(ctx, Product, code="LDZJ")
    parts = [
        p
        for model in (ProductDocument, ProductFee)
        for p in rows(ctx, model, product_id=product.id)
    ]
    assert parts
    remove(ctx, *parts, product)
    assert new_rows(load_base_data(ctx.session)) == {}
    assert one(ctx, Product, code="LDZJ") is None


def test_a_renamed_record_does_not_come_back_under_an_old_name(ctx):
    product, count = one(ctx, Product, code="LDZJ"), len(rows(ctx, ProductFee))
    change(ctx, product, code="OURS")
    change(ctx, product, description="本公司的说明")
    change(ctx, product, code="LDZJ2")
    assert new_rows(load_base_data(ctx.session)) == {}
    assert one(ctx, Product, code="LDZJ") is None
    assert product.description == "本公司的说明"
    assert len(rows(ctx, ProductFee)) == count


def test_a_record_renamed_and_then_deleted_stays_away(ctx):
    rule = one(ctx, PostingRule, event_code="fee.collected")
    change(ctx, rule, effective_on=date(2026, 1, 1))
    remove(ctx, rule)
    assert new_rows(load_base_data(ctx.session)) == {}
    assert one(ctx, PostingRule, event_code="fee.collected") is None


def test_what_something_new_needs_comes_back(ctx, release):
    """A rule of the release books on an account that somebody renamed; the account's place in the statements stays."""
    change(ctx, one(ctx, Account, code="1001"), code="9001")
    release("posting_rules.csv", "TEST,测试记账,transfer,测试,2020-01-01")
    seeds = release(
        "posting_rule_lines.csv",
        "TEST|2020-01-01,1,DEBIT,1001,amount,,,,,",
        "TEST|2020-01-01,2,CREDIT,1001,amount,,,,,",
    )
    assert new_rows(load_base_data(ctx.session, seeds)) == {
        "account": 1,
        "posting_rule": 1,
        "posting_rule_line": 2,
    }
    assert {line.account_id for line in one(ctx, PostingRule, event_code="TEST").lines} == {
        one(ctx, Account, code="1001").id
    }


def test_a_deleted_word_of_a_dictionary_stays_away_and_others_arrive(ctx, release):
    dictionary = one(ctx, DictionaryType, code="political_status")
    word = rows(ctx, DictionaryItem, dictionary_type_id=dictionary.id)[0]
    gone = word.code
    remove(ctx, word)
    seeds = release("dictionary_item.csv", "political_status,test,测试面貌,,99,")
    assert new_rows(load_base_data(ctx.session, seeds)) == {"dictionary_item": 1}
    assert one(ctx, DictionaryItem, dictionary_type_id=dictionary.id, code=gone) is None
