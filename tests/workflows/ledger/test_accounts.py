"""Editing the chart of accounts and the posting rules through the generic verbs (8.6)."""

from datetime import date

import pytest
from sqlalchemy import select

from models.base.actor import SYSTEM
from models.base.errors import Conflict, FieldErrors
from models.ledger.account import Account
from models.ledger.rule import PostingRule, PostingRuleLine
from models.ledger.voucher import VoucherWord
from tests.workflows.ledger.books import NOW, TODAY, Books
from workflows.base import records
from workflows.base.context import Ctx
from workflows.ledger import accounts  # noqa: F401 - registers the rules
from workflows.ledger import voucher as vouchers


@pytest.fixture
def ctx(books) -> Ctx:
    return Ctx(books.session, SYSTEM, TODAY, NOW)


def account(books: Books, code: str) -> Account:
    return books.session.get_one(Account, books.accounts[code])


def added(ctx: Ctx, code: str, parent: Account | None = None, **more) -> Account:
    values = {"code": code, "name": "新科目", "category": "ASSET", "direction": "DEBIT"}
    return records.create(
        ctx, Account, {**values, "parent_id": parent.id if parent else None, **more}
    )


def test_the_seeded_chart_is_a_tree_as_the_rules_want_it(books):
    for each in books.session.scalars(select(Account)):
        children = select(Account.id).where(Account.parent_id == each.id)
        assert each.is_leaf is (books.session.scalar(children.limit(1)) is None)
        if each.parent_id is None:
            assert (each.level, each.full_name, len(each.code)) == (1, each.name, 4)
            continue
        parent = books.session.get_one(Account, each.parent_id)
        assert each.code.rpartition(".")[0] == parent.code
        assert each.full_name == f"{parent.full_name} / {each.name}"
        assert (each.level, each.category) == (parent.level + 1, parent.category)


def test_a_child_makes_its_parent_a_heading(ctx, books):
    parent = account(books, "1002")
    child = added(ctx, "1002.03", parent, name="建行高新支行", is_cash_bank=True)
    assert (child.level, child.full_name, parent.is_leaf) == (2, "银行存款 / 建行高新支行", False)
    records.delete(ctx, child, child.version)
    assert parent.is_leaf


def test_a_heading_keeps_being_one_while_children_are_left(ctx, books):
    parent = account(books, "1002")
    first = added(ctx, "1002.01", parent)
    added(ctx, "1002.02", parent, name="另一户")
    records.delete(ctx, first, first.version)
    assert not parent.is_leaf
    top = added(ctx, "1999")
    records.delete(ctx, top, top.version)


@pytest.mark.parametrize("code", ["12", "0999", "1002.09", "abcd"])
def test_a_top_account_has_four_digits(ctx, code):
    with pytest.raises(FieldErrors, match="四位数字"):
        added(ctx, code)


@pytest.mark.parametrize("code", ["1003.01", "1002.1", "1002.xx", "100201"])
def test_a_child_is_numbered_below_its_parent(ctx, books, code):
    with pytest.raises(FieldErrors, match=r"1002. 加两到四位数字"):
        added(ctx, code, account(books, "1002"))


def test_a_child_is_of_its_parents_kind_and_not_too_deep(ctx, books):
    with pytest.raises(FieldErrors, match="须与上级一致：资产"):
        added(ctx, "1002.01", account(books, "1002"), category="LIABILITY")
    parent = account(books, "1002")
    for _ in range(5):
        parent = added(ctx, f"{parent.code}.01", parent)
    with pytest.raises(FieldErrors, match="最多6级"):
        added(ctx, f"{parent.code}.01", parent)


def test_an_account_with_entries_keeps_its_meaning(ctx, books):
    books.transfer()
    used = account(books, "6603")
    with pytest.raises(Conflict, match="不能再增加下级"):
        added(ctx, "6603.01", used, category="PROFIT")
    with pytest.raises(FieldErrors, match="已有凭证，不能修改"):
        records.update(ctx, used, {"code": "6604"}, used.version)
    books.session.refresh(used)
    assert (
        records.update(ctx, used, {"name": "财务费用（净）"}, used.version).full_name
        == "财务费用（净）"
    )


def test_an_account_that_stands_or_has_children_stays_active(ctx, books):
    books.post(books.transfer())
    for code, message in (("6603", "还有余额"), ("2221", "还有启用的下级科目")):
        each = account(books, code)
        with pytest.raises(Conflict, match=message):
            records.update(ctx, each, {"is_active": False}, each.version)
        books.session.refresh(each)
    idle = account(books, "6711")
    assert not records.update(ctx, idle, {"is_active": False}, idle.version).is_active
    assert records.update(ctx, idle, {"name": "其他支出"}, idle.version).full_name == "其他支出"


def test_a_new_name_goes_down_the_tree_and_a_new_code_does_not(ctx, books):
    top = account(books, "2221")
    records.update(ctx, top, {"name": "应交税金"}, top.version)
    assert account(books, "2221.01.02").full_name == "应交税金 / 应交增值税 / 销项税额"
    with pytest.raises(FieldErrors, match="有下级科目，编码不能修改"):
        records.update(ctx, top, {"code": "2229"}, top.version)


def test_a_rule_is_for_an_event_that_exists(ctx, books):
    word = books.session.scalars(select(VoucherWord).where(VoucherWord.code == "journal")).one()
    values = {"label": "新", "word_id": word.id, "memo": "{事项}", "effective_on": date(2027, 1, 1)}
    with pytest.raises(FieldErrors) as caught:
        records.create(ctx, PostingRule, {**values, "event_code": "nothing"})
    assert caught.value.field_errors == {"event_code": ["没有这个选项，请从列表中选择"]}
    rule = records.create(ctx, PostingRule, {**values, "event_code": "fee.collected"})
    line = {
        "posting_rule_id": rule.id,
        "line_no": 1,
        "side": "DEBIT",
        "account_id": books.accounts["1122"],
    }
    with pytest.raises(FieldErrors) as caught:
        records.create(ctx, PostingRuleLine, {**line, "amount_key": "gross"})
    assert caught.value.field_errors == {
        "amount_key": ["“费用收取”可用的金额项：金额"],
        "with_customer": ["科目“1122 应收担保费”要求客户核算，请勾选"],
        "with_project": ["科目“1122 应收担保费”要求项目核算，请勾选"],
    }
    with pytest.raises(FieldErrors, match="启用的末级科目"):
        records.create(
            ctx,
            PostingRuleLine,
            {**line, "account_id": books.accounts["1201"], "amount_key": "amount"},
        )
    good = {**line, "amount_key": "amount", "with_customer": True, "with_project": True}
    with pytest.raises(FieldErrors, match="记账规则不能使用"):
        records.create(
            ctx,
            PostingRuleLine,
            {**line, "account_id": books.accounts["4103"], "amount_key": "amount"},
        )
    assert records.create(ctx, PostingRuleLine, good).line_no == 1


def test_a_word_that_numbered_vouchers_stays(ctx, books):
    voucher = books.transfer()
    word = voucher.word
    records.update(ctx, word, {"label": "通用凭证"}, word.version)
    with pytest.raises(Conflict, match="已有凭证"):
        records.update(ctx, word, {"name": "账"}, word.version)
    books.session.refresh(word)
    unused = books.session.scalars(select(VoucherWord).where(VoucherWord.code == "payment")).one()
    assert records.update(ctx, unused, {"name": "银付"}, unused.version).name == "银付"
    new = records.create(ctx, VoucherWord, {"code": "bank", "name": "银", "label": "银行凭证"})
    assert (
        vouchers.edit_draft(books.ctx("accountant"), voucher, None, word=new).code
        == "2026-11-银-0001"
    )
