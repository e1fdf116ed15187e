"""A voucher's life (8.2): different people, every refusal, red letters, gaps in the numbers."""

import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from models.base.actor import SYSTEM
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    StaleRecord,
)
from models.ledger.account import Account, AccountBalance, AccountingPeriod, PeriodState
from models.ledger.voucher import CashFlow, Voucher, VoucherEntry, VoucherState, VoucherWord
from models.system.setup import Parameter
from reports.figures import parameters
from reports.figures.balances import balance_of, number_gaps
from tests import plans
from tests.workflows.ledger.books import NOW, TODAY, Books, yuan
from workflows.base.context import Ctx
from workflows.ledger import period
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import LINES_MAX, natural_key
from workflows.ledger.period import ensure_period
from workflows.ledger.verify import verify_ledger

LIFE = ("review", "unreview", "sign", "unsign", "post", "void", "reverse", "edit")
PREPARED = {
    VoucherState.DRAFT: (),
    VoucherState.REVIEWED: (("review", "reviewer"),),
    VoucherState.SIGNED: (("review", "reviewer"), ("sign", "cashier")),
    VoucherState.POSTED: (("review", "reviewer"), ("sign", "cashier"), ("post", "bookkeeper")),
}
DOER = {
    "unreview": "reviewer",
    "review": "reviewer",
    "sign": "cashier",
    "unsign": "cashier",
    "edit": "accountant",
}


def act(books: Books, verb: str, voucher: Voucher, who: str, **more):
    ctx = books.ctx(who, **more)
    if verb == "void":
        return vouchers.void(ctx, voucher, "重复")
    if verb == "edit":
        return vouchers.edit_draft(ctx, voucher, None, memo="更正摘要")
    return getattr(vouchers, verb)(ctx, voucher)


def close(books: Books, day: date = TODAY) -> AccountingPeriod:
    month = ensure_period(books.ctx("accountant"), day)
    month.state, month.closed_at, month.closed_by_id = (
        PeriodState.CLOSED,
        NOW,
        books.people["reviewer"].id,
    )
    books.session.flush()
    return month


def test_four_people_bring_a_receipt_into_the_books(books):
    voucher = books.receipt("1860000.00", word="receipt")
    assert (voucher.code, voucher.state, voucher.total) == (
        "2026-11-收-0001",
        VoucherState.DRAFT,
        yuan(1860000),
    )
    assert voucher.is_cash
    vouchers.review(books.ctx("reviewer"), voucher)
    vouchers.sign(books.ctx("cashier"), voucher)
    vouchers.post(books.ctx("bookkeeper"), voucher)
    assert voucher.state is VoucherState.POSTED
    names = [
        p.name
        for p in (voucher.prepared_by, voucher.reviewed_by, voucher.signed_by, voucher.posted_by)
    ]
    assert names == ["吴洁", "许文静", "马骏", "赵凯"]
    assert (voucher.posting_no, voucher.previous_hash, len(voucher.hash)) == (1, "0" * 64, 64)
    assert balance_of(books.session, "1002", "2026-11") == yuan(1860000)
    assert voucher.entries[1].auxiliary_keys == "客户=KH-T1;项目=DB2026-T387"
    assert verify_ledger(books.session) == []


def test_a_voucher_without_cash_is_posted_unsigned(books):
    voucher = books.transfer()
    vouchers.review(books.ctx("reviewer"), voucher)
    with pytest.raises(Conflict, match="不需要出纳签字"):
        vouchers.sign(books.ctx("cashier"), voucher)
    assert vouchers.post(books.ctx("bookkeeper"), voucher).state is VoucherState.POSTED


def test_cash_waits_for_the_cashier(books):
    voucher = books.receipt()
    vouchers.review(books.ctx("reviewer"), voucher)
    with pytest.raises(Conflict, match="出纳签字后才能记账"):
        vouchers.post(books.ctx("bookkeeper"), voucher)


@pytest.mark.parametrize("state", list(VoucherState))
@pytest.mark.parametrize("verb", LIFE)
def test_the_transition_table_is_what_happens(books, state, verb):
    voucher = books.receipt()
    if state is VoucherState.VOID:
        vouchers.void(books.ctx("accountant"), voucher, "填错")
    for step, who in PREPARED.get(state, ()):
        act(books, step, voucher, who)
    doer = DOER.get(verb, "bookkeeper")
    step = vouchers.TRANSITIONS[verb]
    if state not in step.sources:
        with pytest.raises(IllegalTransition, match=state.label):
            act(books, verb, voucher, doer)
        assert voucher.state is state
    elif (verb, state) != ("post", VoucherState.REVIEWED):
        act(books, verb, voucher, doer)
        assert voucher.state in step.targets


@pytest.mark.parametrize("verb", LIFE)
def test_each_verb_asks_for_its_own_permission(books, verb):
    voucher = books.receipt()
    others = tuple(v for v in (*LIFE, "add", "renumber") if v != verb)
    with pytest.raises(NotAllowed, match=vouchers.TRANSITIONS[verb].label):
        act(books, verb, voucher, "bookkeeper", verbs=others)


def test_adding_and_renumbering_ask_for_permission(books):
    voucher = books.transfer()
    ctx = books.ctx("accountant", verbs=())
    with pytest.raises(NotAllowed, match="填制凭证"):
        vouchers.create_draft(ctx, date=TODAY, word="journal", memo="x", entries=[])
    with pytest.raises(NotAllowed, match="断号整理"):
        vouchers.renumber(ctx, voucher.period, voucher.word)


def test_nobody_does_two_parts_of_one_voucher(books):
    voucher = books.receipt()
    with pytest.raises(NotAllowed, match=r"您已办理.*制单"):
        vouchers.review(books.ctx("accountant"), voucher)
    vouchers.review(books.ctx("reviewer"), voucher)
    for who, part in (("accountant", "制单"), ("reviewer", "审核")):
        with pytest.raises(NotAllowed, match=part):
            vouchers.sign(books.ctx(who), voucher)
    vouchers.sign(books.ctx("cashier"), voucher)
    for who, part in (("accountant", "制单"), ("reviewer", "审核"), ("cashier", "出纳签字")):
        with pytest.raises(NotAllowed, match=part):
            vouchers.post(books.ctx(who), voucher)


def test_undoing_is_for_whoever_did_it(books):
    voucher = books.receipt()
    vouchers.review(books.ctx("reviewer"), voucher)
    with pytest.raises(NotAllowed, match="原办理人"):
        vouchers.unreview(books.ctx("bookkeeper"), voucher)
    vouchers.sign(books.ctx("cashier"), voucher)
    with pytest.raises(NotAllowed, match="原办理人"):
        vouchers.unsign(books.ctx("bookkeeper"), voucher)
    vouchers.unsign(books.ctx("cashier"), voucher)
    vouchers.unreview(books.ctx("reviewer"), voucher)
    assert (voucher.state, voucher.reviewed_by_id, voucher.signed_at) == (
        VoucherState.DRAFT,
        None,
        None,
    )


def test_what_somebody_did_who_has_left_is_undone_by_whoever_holds_the_right(books):
    voucher = books.transfer()
    vouchers.review(books.ctx("reviewer"), voucher)
    with pytest.raises(NotAllowed, match="须由原办理人办理"):
        vouchers.unreview(books.ctx("bookkeeper"), voucher)
    books.people["reviewer"].is_active = False
    assert vouchers.unreview(books.ctx("bookkeeper"), voucher).state is VoucherState.DRAFT


def test_checking_is_done_by_a_person(books):
    voucher = books.transfer()
    with pytest.raises(NotAllowed, match="具体人员"):
        vouchers.review(Ctx(books.session, SYSTEM, TODAY, NOW), voucher)


def test_a_stale_screen_changes_nothing(books):
    voucher = books.transfer()
    seen = voucher.version
    act(books, "edit", voucher, "accountant")
    with pytest.raises(StaleRecord):
        vouchers.review(books.ctx("reviewer"), voucher, seen)
    vouchers.review(books.ctx("reviewer"), voucher, voucher.version)
    assert voucher.state is VoucherState.REVIEWED


def refused(books, *lines, **more) -> list[str]:
    with pytest.raises(FieldErrors) as caught:
        books.draft(*lines, **more)
    assert books.session.scalar(select(func.count()).select_from(Voucher)) == 0
    return caught.value.field_errors["entries"]


def test_an_unbalanced_voucher_is_refused_to_the_fen(books):
    wrong = refused(books, books.line("6603", "100.01"), books.line("2241.02", 0, 100))
    assert wrong == ["借贷不平：借方合计 100.01，贷方合计 100.00，相差 0.01"]


def test_accounts_that_take_no_entries_are_named_by_line(books):
    books.session.execute(update(Account).where(Account.code == "6711").values(is_active=False))
    books.session.expire_all()
    wrong = refused(books, books.line("6711", 5), books.line("1201", 0, 5))
    assert wrong == [
        "第1行：科目“6711 营业外支出”已停用",
        "第2行：科目“1201 应收代位追偿款”不是末级科目，请选择它的下级",
    ]


def test_missing_auxiliaries_are_named_by_line(books):
    wrong = refused(books, books.line("1002", 5), books.line("1122", 0, 5))
    assert wrong == [
        "第2行：科目“1122 应收担保费”须填写客户",
        "第2行：科目“1122 应收担保费”须填写项目",
    ]


@pytest.mark.parametrize(
    ("debit", "credit", "message"),
    [
        ("1234567890123", "0", "借方金额超过上限 9,999,999,999.99"),
        ("0", "10000000000.00", "贷方金额超过上限"),
        ("NaN", "0", "借方金额超过上限"),
        ("0.001", "0", "最多两位小数"),
        ("0", "0", "须填且只填一个"),
        ("5", "5", "须填且只填一个"),
    ],
)
def test_amounts_that_cannot_be(books, debit, credit, message):
    line = books.line("6603")
    wrong = refused(
        books,
        type(line)(line.account_id, Decimal(debit), Decimal(credit)),
        books.line("2241.02", 0, 5),
    )
    assert message in wrong[0]


def test_lines_that_cannot_be(books):
    assert "至少要有两条" in refused(books, books.line("6603", 5))[0]
    assert "至少要有两条" in refused(books, *[books.line("6603", 5)] * (LINES_MAX + 1))[0]
    assert refused(books, books.line("6603", 5, memo="长" * 201), books.line("2241.02", 0, 5)) == [
        "第1行：摘要超过200个字"
    ]
    unknown = books.line("6603", 5, customer_id=987654)
    missing = type(unknown)(987654, yuan(5))
    assert refused(books, unknown, missing) == ["第1行：所选客户不存在", "第2行：会计科目不存在"]


def test_heads_that_cannot_be(books):
    lines = [books.line("6603", 5), books.line("2241.02", 0, 5)]
    ctx = books.ctx("accountant")
    for facts, message in (
        ({"memo": "  "}, "请填写摘要"),
        ({"memo": "长" * 201}, "不能超过200个字"),
        ({"attachments": -1}, "附单据数"),
        ({"word": "nothing"}, "没有可用的凭证字"),
        ({"date": date(2026, 11, 24)}, "不能晚于营业日期"),
    ):
        with pytest.raises(BusinessError, match=message):
            vouchers.create_draft(
                ctx, **{"date": TODAY, "word": "journal", "memo": "计提", "entries": lines, **facts}
            )


def test_a_closed_period_takes_nothing_more(books):
    voucher = books.transfer()
    close(books)
    with pytest.raises(Conflict, match="2026-11 已结账"):
        books.transfer()
    with pytest.raises(Conflict, match="2026-11 已结账"):
        vouchers.review(books.ctx("reviewer"), voucher)
    with pytest.raises(Conflict, match="早于已结账的期间"):
        books.transfer(day=date(2026, 9, 30))


def test_the_database_itself_keeps_a_posted_voucher(books):
    voucher = books.post(books.transfer())
    entry = voucher.entries[0]
    one_more = (
        "INSERT INTO voucher_entry "
        "(voucher_id, line_no, memo, account_id, debit, credit, auxiliary_keys, version, extra) "
        f"VALUES ({voucher.id}, 9, 'x', {entry.account_id}, 1, 0, '', 1, '{{}}')"
    )
    for statement in (
        f"UPDATE voucher SET memo = 'x' WHERE id = {voucher.id}",
        f"DELETE FROM voucher WHERE id = {voucher.id}",
        f"UPDATE voucher_entry SET memo = 'x' WHERE id = {entry.id}",
        f"DELETE FROM voucher_entry WHERE id = {entry.id}",
        one_more,
    ):
        with (
            pytest.raises(DBAPIError, match="已记账凭证不可修改或删除"),
            books.session.begin_nested(),
        ):
            books.session.execute(text(statement))
    assert verify_ledger(books.session) == []


def test_replacing_a_posted_row_is_refused_too(books, db_kind):
    if db_kind != "sqlite":
        pytest.skip("only SQLite replaces")
    voucher = books.post(books.transfer())
    columns = ", ".join(c.name for c in Voucher.__table__.columns if c.name != "id")
    entries = ", ".join(
        c.name for c in voucher.entries[0].__table__.columns if c.name != "voucher_id"
    )
    other = books.transfer()
    replace_entry = (
        f"INSERT OR REPLACE INTO voucher_entry (voucher_id, {entries}) "
        f"SELECT {other.id}, {entries} FROM voucher_entry WHERE voucher_id = {voucher.id}"
    )
    for statement in (
        f"INSERT OR REPLACE INTO voucher SELECT * FROM voucher WHERE id = {voucher.id}",
        f"INSERT OR REPLACE INTO voucher (id, {columns}) SELECT 99, {columns} FROM voucher WHERE id = {voucher.id}",
        replace_entry,
    ):
        with (
            pytest.raises(DBAPIError, match="已记账凭证不可修改或删除"),
            books.session.begin_nested(),
        ):
            books.session.execute(text(statement))


def test_a_draft_changes_by_its_preparer_alone(books):
    voucher = books.transfer()
    with pytest.raises(NotAllowed, match="只能由制单人修改"):
        vouchers.edit_draft(books.ctx("cashier"), voucher, voucher.version, memo="别人的")
    vouchers.edit_draft(
        books.ctx("accountant"),
        voucher,
        voucher.version,
        memo="手续费",
        attachments=2,
        entries=[books.line("1002", 7), books.line("2241.02", 0, 3), books.line("6011", 0, 4)],
    )
    assert (voucher.memo, voucher.attachments, voucher.total, voucher.is_cash) == (
        "手续费",
        2,
        yuan(7),
        True,
    )
    assert [entry.line_no for entry in voucher.entries] == [1, 2, 3]
    assert voucher.code == "2026-11-记-0001"


def test_another_word_or_period_gives_another_number_and_leaves_a_gap(books):
    first, second = books.transfer(), books.transfer()
    vouchers.edit_draft(
        books.ctx("accountant"), first, None, word="transfer", date=date(2026, 10, 31)
    )
    assert (first.code, first.period.code) == ("2026-10-转-0001", "2026-10")
    vouchers.review(books.ctx("reviewer"), second)
    with pytest.raises(Conflict, match="缺号 1"):
        vouchers.post(books.ctx("bookkeeper"), second)
    assert number_gaps(books.session, second.period_id, second.word_id) == [1]
    moved = vouchers.renumber(books.ctx("accountant"), second.period, second.word)
    assert moved == [("2026-11-记-0002", "2026-11-记-0001")]
    assert vouchers.post(books.ctx("bookkeeper"), second).number == 1
    assert books.transfer().number == 2


def test_renumbering_moves_unposted_vouchers_alone(books):
    kept = books.post(books.transfer())
    gone, void, last, lost = (books.transfer() for _ in range(4))
    vouchers.void(books.ctx("accountant"), void, "作废留号")
    for voucher in (gone, lost):
        vouchers.edit_draft(books.ctx("accountant"), voucher, None, word="transfer")
    moved = vouchers.renumber(books.ctx("accountant"), kept.period, kept.word)
    assert moved == [("2026-11-记-0004", "2026-11-记-0002")]
    assert [kept.number, last.number, void.number] == [1, 2, 3]
    assert books.transfer().number == 4
    assert vouchers.renumber(books.ctx("accountant"), kept.period, kept.word) == []


def test_renumbering_an_empty_series_does_nothing(books):
    voucher = books.transfer()
    word = books.session.scalars(select(VoucherWord).where(VoucherWord.code == "payment")).one()
    assert vouchers.renumber(books.ctx("accountant"), voucher.period, word) == []


CHANGED = (
    "UPDATE voucher_entry SET debit = debit * 2, credit = credit * 2 WHERE voucher_id = :id",
    "UPDATE voucher_entry SET account_id = account_id + 1 WHERE voucher_id = :id AND line_no = 1",
    "UPDATE voucher_entry SET customer_id = NULL, project_id = NULL WHERE voucher_id = :id",
    "UPDATE voucher_entry SET memo = '别的摘要' WHERE voucher_id = :id AND line_no = 2",
    "UPDATE voucher_entry SET line_no = 9 WHERE voucher_id = :id AND line_no = 1",
    "UPDATE voucher SET memo = '别的摘要' WHERE id = :id",
    "UPDATE voucher SET is_cash = NOT is_cash WHERE id = :id",
    "UPDATE voucher SET reviewed_hash = NULL WHERE id = :id",
)


@pytest.mark.parametrize("statement", CHANGED)
def test_what_was_changed_behind_the_reviewer_is_neither_signed_nor_posted(books, statement):
    voucher = books.receipt()
    vouchers.review(books.ctx("reviewer"), voucher)
    signed = books.receipt(200)
    for verb, who in (("review", "reviewer"), ("sign", "cashier")):
        act(books, verb, signed, who)
    assert verify_ledger(books.session) == []
    for one in (voucher, signed):
        books.session.flush()
        books.session.execute(text(statement), {"id": one.id})
        books.session.expire_all()
        assert f"凭证 {one.code} 的内容与审核时不同，可能被改动" in verify_ledger(books.session)
        for verb, who in (("sign", "cashier"), ("post", "bookkeeper")):
            if one is voucher or verb == "post":
                with pytest.raises(Conflict, match=r"审核时不同|含现金银行|没有现金银行"):
                    act(books, verb, one, who)
        for verb, who in (("unsign", "cashier"), ("unreview", "reviewer"))[one is voucher :]:
            act(books, verb, one, who)
        books.session.expire_all()
    assert {voucher.state, signed.state} == {VoucherState.DRAFT}


def test_the_review_holds_through_a_gap_that_closes_and_is_given_anew(books):
    first, second = books.transfer(), books.transfer()
    vouchers.review(books.ctx("reviewer"), second)
    vouchers.edit_draft(books.ctx("accountant"), first, None, word="transfer")
    assert vouchers.renumber(books.ctx("accountant"), second.period, second.word)
    assert verify_ledger(books.session) == []
    vouchers.unreview(books.ctx("reviewer"), second)
    assert second.reviewed_hash is None
    vouchers.edit_draft(books.ctx("accountant"), second, None, memo="更正摘要")
    assert books.post(second).state is VoucherState.POSTED


def test_posting_waits_for_lower_numbers_and_void_ones_count(books):
    first, second = books.transfer(), books.transfer()
    vouchers.review(books.ctx("reviewer"), second)
    with pytest.raises(Conflict, match="2026-11-记-0001”现为“草稿”"):
        vouchers.post(books.ctx("bookkeeper"), second)
    with pytest.raises(BusinessError, match="请填写原因"):
        vouchers.void(books.ctx("accountant"), first, " ")
    vouchers.void(books.ctx("accountant"), first, "重复录入")
    assert vouchers.post(books.ctx("bookkeeper"), second).posting_no == 1
    assert verify_ledger(books.session) == []


def many_void(books: Books, voucher: Voucher, count: int) -> None:
    """So many void vouchers of the same series before this one, which then comes behind them."""
    table = Voucher.__table__
    facts = {
        c.name: getattr(voucher, c.key)
        for c in table.columns
        if c.name not in ("id", "code", "number")
    }
    facts |= {"state": VoucherState.VOID, "void_reason": "作废留号"}
    first, voucher.number = voucher.number, voucher.number + count
    books.session.flush()
    rows = [{**facts, "number": first + n, "code": f"V{first + n}"} for n in range(count)]
    books.session.execute(insert(table), rows)


def test_a_month_of_vouchers_is_not_read_to_post_one_more(books):
    """Both questions before 记账 are answered by an index that holds next to nothing of the series."""
    books.post(books.transfer())
    voucher = books.transfer()
    many_void(books, voucher, 1500)
    connection = books.session.connection()
    connection.execute(text("ANALYZE voucher"))
    vouchers.review(books.ctx("reviewer"), voucher)
    with plans.asked(connection) as sent:
        vouchers.post(books.ctx("bookkeeper"), voucher)
    unfinished = [one for one in sent if "NOT IN ('POSTED', 'VOID')" in one[0]]
    posted = [one for one in sent if "voucher.number DESC" in one[0]]
    assert (len(unfinished), len(posted)) == (1, 1)
    assert "ix_voucher_unfinished" in plans.plan(connection, *unfinished[0])
    assert not re.search("SCAN|Seq Scan", plans.plan(connection, *posted[0]))


def test_red_letters_take_a_posted_voucher_back(books):
    voucher = books.post(books.receipt(800))
    red = vouchers.reverse(books.ctx("accountant"), voucher, voucher.version)
    assert (red.reverses_id, red.total, red.memo) == (
        voucher.id,
        yuan(-800),
        "红字冲销 2026-11-记-0001：计提利息",
    )
    assert red.entries[1].customer_id == books.customer.id
    with pytest.raises(Conflict, match="已由“2026-11-记-0002”冲销"):
        vouchers.reverse(books.ctx("accountant"), voucher)
    with pytest.raises(Conflict, match="分录须与原凭证一致"):
        vouchers.edit_draft(books.ctx("accountant"), red, None, entries=[books.line("6603", 1)] * 2)
    books.post(red)
    assert balance_of(books.session, "1002", "2026-11") == 0
    with pytest.raises(Conflict, match="不能再冲销"):
        vouchers.reverse(books.ctx("accountant"), red)
    assert verify_ledger(books.session) == []


def test_a_void_reversal_may_be_written_again(books):
    voucher = books.post(books.transfer())
    first = vouchers.reverse(books.ctx("accountant"), voucher)
    vouchers.void(books.ctx("accountant"), first, "日期不对")
    again = vouchers.reverse(books.ctx("accountant"), voucher, memo="更正", date=date(2026, 11, 20))
    assert (again.number, again.memo, again.date) == (3, "更正", date(2026, 11, 20))


def test_a_reversal_outlives_the_account(books):
    voucher = books.post(books.transfer())
    account = books.session.get_one(Account, books.accounts["6603"])
    account.is_active, account.needs_department = False, True
    books.session.flush()
    assert (
        books.post(vouchers.reverse(books.ctx("accountant"), voucher)).state is VoucherState.POSTED
    )


def test_an_account_closed_after_the_draft_stops_the_review(books):
    voucher = books.transfer()
    books.session.get_one(Account, books.accounts["6603"]).is_active = False
    with pytest.raises(FieldErrors, match="已停用"):
        vouchers.review(books.ctx("reviewer"), voucher)


def test_a_late_posting_moves_the_openings_of_later_periods(books):
    books.post(books.receipt(100))
    books.post(books.receipt(30, day=date(2026, 9, 30)))
    books.post(books.receipt(7, day=date(2026, 10, 31)))
    query = (
        select(AccountingPeriod.code, AccountBalance.opening, AccountBalance.closing)
        .join(AccountingPeriod, AccountingPeriod.id == AccountBalance.period_id)
        .where(AccountBalance.account_id == books.accounts["1002"])
        .order_by(AccountingPeriod.code)
    )
    assert [tuple(row) for row in books.session.execute(query)] == [
        ("2026-09", 0, 30),
        ("2026-10", 30, 37),
        ("2026-11", 37, 137),
    ]
    assert verify_ledger(books.session) == []


def test_periods_come_without_holes_and_not_from_slips_of_the_keyboard(books):
    ctx = books.ctx("accountant")
    ensure_period(ctx, date(2026, 1, 5))
    ensure_period(ctx, date(2026, 4, 5))
    codes = list(
        books.session.scalars(select(AccountingPeriod.code).order_by(AccountingPeriod.code))
    )
    assert codes == ["2026-01", "2026-02", "2026-03", "2026-04"]
    february = books.session.scalars(
        select(AccountingPeriod).where(AccountingPeriod.code == "2026-02")
    ).one()
    assert (february.starts_on, february.ends_on) == (date(2026, 2, 1), date(2026, 2, 28))
    with pytest.raises(BusinessError, match="距现有会计期间过远"):
        ensure_period(ctx, date(2006, 1, 5))


def test_a_month_that_somebody_else_just_made_is_taken_as_it_is(books):
    ctx = books.ctx("accountant")
    mine = ensure_period(ctx, TODAY)
    period._make(ctx, period._index("2026-11"))
    assert list(books.session.scalars(select(AccountingPeriod))) == [mine]


def test_natural_keys_prefer_numbers_to_names(books):
    assert natural_key(books.customer) == "KH-T1"
    assert natural_key(books.bank) == "TCCB"
    assert natural_key(books.session.get_one(Account, books.accounts["1002"])) == "1002"


def test_the_years_profit_takes_no_voucher_by_hand(books):
    """4103 is written by 结转损益 and 年结 alone: a hand voucher would hide the year's profit from both."""
    lines = (books.line("6603", 100), books.line("4103", 0, 100))
    with pytest.raises(FieldErrors, match=r"第2行：科目“4103 本年利润”由月末结转损益和年结登记"):
        books.draft(*lines)
    voucher = books.transfer()
    with pytest.raises(FieldErrors, match="本年利润"):
        vouchers.edit_draft(books.ctx("accountant"), voucher, None, entries=lines)
    books.session.expire_all()
    # One that was drafted before the rule came is stopped at review.
    books.session.execute(
        update(VoucherEntry)
        .where(VoucherEntry.voucher_id == voucher.id, VoucherEntry.line_no == 2)
        .values(account_id=books.accounts["4103"])
    )
    with pytest.raises(FieldErrors, match="本年利润"):
        vouchers.review(books.ctx("reviewer"), voucher)


# ------------------------------------------------------------------------------------------------------------ habits
def settle(books, code, value):
    row = books.session.scalars(select(Parameter).where(Parameter.code == code)).one()
    row.value = value
    books.session.flush()
    parameters.forget(books.session)


@pytest.mark.parametrize(
    ("word", "money", "said"),
    [
        ("receipt", 0, "“收”字凭证须有现金银行科目的借方"),
        ("receipt", -1, "“收”字"),
        ("payment", 0, "“付”字凭证须有现金银行科目的贷方"),
        ("payment", 1, "“付”字"),
        ("transfer", 1, "“转”字凭证不能有现金银行科目"),
        ("transfer", -1, "“转”字"),
    ],
)
def test_a_word_fits_the_cash_that_moves(books, word, money, said):
    cash = (
        {0: "2241.02", 1: "1002", -1: "6603"}[money],
        {0: "6603", 1: "2241.02", -1: "1002"}[money],
    )
    lines = books.line(cash[0], 5), books.line(cash[1], 0, 5)
    with pytest.raises(FieldErrors) as wrong:
        books.draft(*lines, word=word)
    assert said in wrong.value.field_errors["word"][0]
    draft = books.draft(*lines)  # 记 is free
    with pytest.raises(FieldErrors):
        vouchers.edit_draft(books.ctx("accountant"), draft, None, word=word)
    settle(books, "voucher.word_fits", "否")
    assert books.draft(*lines, word=word).word.code == word


def test_no_bank_account_is_overdrawn_by_hand(books):
    books.post(books.receipt(100))
    out = books.draft(books.line("6603", "100.01"), books.line("1002", 0, "100.01"))
    vouchers.review(books.ctx("reviewer"), out)
    vouchers.sign(books.ctx("cashier"), out)
    with pytest.raises(Conflict, match=r"记账后科目“1002 银行存款”透支 0\.01 元"):
        vouchers.post(books.ctx("bookkeeper"), out)
    assert balance_of(books.session, "1002", "2026-11") == 100
    settle(books, "voucher.no_overdraft", "否")
    assert vouchers.post(books.ctx("bookkeeper"), out).state is VoucherState.POSTED


def test_cash_lines_say_why_where_a_parameter_asks_for_it(books):
    books.receipt(1)
    settle(books, "voucher.cash_flow_required", "是")
    with pytest.raises(FieldErrors) as wrong:
        books.receipt(1)
    assert wrong.value.field_errors == {"entries": ["第1行：现金银行科目须选择现金流量项目"]}
    books.draft(books.line("1001", 1), books.line("1002", 0, 1))  # from one account to another
    books.draft(books.line("1002", 1, cash_flow=CashFlow.FEE_RECEIVED), books.receivable(0, 1))


def test_dates_follow_the_numbers_where_a_parameter_asks_for_it(books):
    first = books.transfer(day=date(2026, 11, 20))
    books.transfer(day=date(2026, 11, 3))
    settle(books, "voucher.dates_in_order", "是")
    with pytest.raises(FieldErrors) as wrong:
        books.transfer(day=date(2026, 11, 19))
    assert wrong.value.field_errors == {"date": ["编号在前的凭证日期是 2026-11-20，日期不能更早"]}
    books.transfer(day=date(2026, 10, 1))  # of another month
    vouchers.edit_draft(books.ctx("accountant"), first, None, date=date(2026, 11, 1))
