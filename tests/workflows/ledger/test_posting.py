"""复核 (8.1): business events become vouchers by rule, once, and go back only through their event."""

import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, IllegalTransition, NotAllowed, StaleRecord
from models.ledger.account import Account, AccountBalance, AuxiliaryBalance, Direction, PeriodState
from models.ledger.event import EVENTS
from models.ledger.rule import PostingRule
from models.ledger.voucher import EventState, Voucher, VoucherState
from reports.figures.balances import balance_of
from tests.workflows.ledger.books import NOW, TODAY, Books, yuan
from workflows.ledger import posting
from workflows.ledger import voucher as vouchers
from workflows.ledger.period import ensure_period
from workflows.ledger.verify import verify_ledger

PARTS = {"principal": "80", "interest": "15", "penalty": "4", "other": "1"}
# Amounts of each event and what its rule must make of them: account -> debit (credit negative).
EXPECTED = {
    "fee.registered": (
        {"gross": "106", "deferred": "90", "earned": "10", "tax": "4", "tax_pending": "2"},
        {"1122": 106, "2203": -90, "6021": -10, "2221.01.02": -4, "2221.09": -2},
    ),
    "fee.collected": ({"amount": "106"}, {"1002": 106, "1122": -106}),
    "fee.waived": (
        {
            "gross": "106",
            "deferred": "60",
            "recognised": "30",
            "earned": "10",
            "tax": "4",
            "tax_pending": "2",
        },
        {"1122": -106, "2203": 60, "6031": 30, "6021": 10, "2221.01.02": 4, "2221.09": 2},
    ),
    "fee.reversed": (
        {
            "gross": "106",
            "deferred": "60",
            "recognised": "30",
            "earned": "10",
            "tax": "4",
            "tax_pending": "2",
        },
        {"1122": -106, "2203": 60, "6031": 30, "6021": 10, "2221.01.02": 4, "2221.09": 2},
    ),
    "fee.refunded": (
        {
            "gross": "106",
            "deferred": "60",
            "recognised": "30",
            "earned": "10",
            "tax": "4",
            "tax_pending": "2",
        },
        {
            "1122": 0,
            "1002": -106,
            "2203": 60,
            "6031": 30,
            "6021": 10,
            "2221.01.02": 4,
            "2221.09": 2,
        },
    ),
    "vat.due": ({"amount": "100"}, {"2221.09": 100, "2221.01.02": -100}),
    "income.recognised": ({"amount": "100"}, {"2203": 100, "6031": -100}),
    "deposit.received": ({"amount": "100"}, {"1002": 100, "2002": -100}),
    "deposit.returned": ({"amount": "100"}, {"2002": 100, "1002": -100}),
    "deposit.used": (
        {"amount": "100", **PARTS},
        {"2002": 100, "1201.01": -80, "1201.02": -15, "1201.03": -4, "1201.04": -1},
    ),
    "margin.placed": ({"amount": "100"}, {"1031": 100, "1002": -100}),
    "margin.returned": ({"amount": "100"}, {"1002": 100, "1031": -100}),
    "compensation.paid": (
        {**PARTS, "shared": "25", "bank_paid": "95", "margin_paid": "30"},
        {
            "1201.01": 80,
            "1201.02": 15,
            "1201.03": 4,
            "1201.04": 1,
            "1261": 25,
            "1002": -95,
            "1031": -30,
        },
    ),
    "recovery.received": (
        {"amount": "115", **PARTS, "surcharge": "5", "excess": "10"},
        {
            "1002": 115,
            "1201.01": -80,
            "1201.02": -15,
            "1201.03": -4,
            "1201.04": -1,
            "6051.02": -5,
            "2241.01": -10,
        },
    ),
    "recovery.excess_returned": ({"amount": "10"}, {"2241.01": 10, "1002": -10}),
    "impairment.booked": ({"amount": "10"}, {"6701": 10, "1231": -10}),
    "impairment.released": ({"amount": "10"}, {"1231": 10, "6701": -10}),
    "writeoff.booked": (
        {**PARTS, "provision": "60", "loss": "40"},
        {"2602": 60, "6511": 40, "1201.01": -80, "1201.02": -15, "1201.03": -4, "1201.04": -1},
    ),
    "writeoff.recovered": ({"amount": "10"}, {"1002": 10, "6051.01": -10}),
    "asset.taken": (
        {**PARTS, "fair_value": "70", "shortfall": "30"},
        {"1441": 70, "2602": 30, "1201.01": -80, "1201.02": -15, "1201.03": -4, "1201.04": -1},
    ),
    "asset.disposed": (
        {"proceeds": "50", "impairment": "10", "disposal_loss": "10", "cost": "70"},
        {"1002": 50, "1442": 10, "6711": 10, "1441": -70},
    ),
    "asset.impaired": ({"amount": "10"}, {"6701": 10, "1442": -10}),
    "provision.unearned": ({"amount": "10"}, {"6501": 10, "2601": -10}),
    "provision.unearned_released": ({"amount": "10"}, {"2601": 10, "6501": -10}),
    "provision.compensation": ({"amount": "10"}, {"6502": 10, "2602": -10}),
    "provision.compensation_released": ({"amount": "10"}, {"2602": 10, "6502": -10}),
    "provision.general_risk": ({"amount": "10"}, {"4104": 10, "4102": -10}),
}


def raised(
    books: Books, code: str = "fee.collected", amounts: dict[str, str] | None = None, **more
):
    exact = {key: Decimal(value) for key, value in (amounts or {"amount": "100"}).items()}
    facts = {"record": books.project, "project": books.project, **more}
    return posting.raise_event(books.ctx("cashier"), code, amounts=exact, **facts)


@pytest.fixture
def handlers(monkeypatch):
    """Empty registries for the test, so that other workflows' handlers do not act here."""
    for name in ("_BOOKED", "_UNBOOKED", "_REFUSED"):
        monkeypatch.setattr(posting, name, {})


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("code", EXPECTED)
def test_the_seeded_rules_book_every_event_as_the_chart_says(books, code):
    amounts, expected = EXPECTED[code]
    event = raised(books, code, amounts)
    voucher = posting.book(books.ctx("accountant"), event)
    moved: dict[str, Decimal] = {}
    for entry in voucher.entries:
        moved[entry.account.code] = moved.get(entry.account.code, 0) + entry.debit - entry.credit
    assert moved == expected
    assert (event.state, event.voucher_id, voucher.event_id) == (
        EventState.BOOKED,
        voucher.id,
        event.id,
    )
    books.post(voucher)
    assert verify_ledger(books.session) == []


def test_the_rules_take_only_amounts_and_accounts_that_exist(books):
    for rule in books.session.scalars(select(PostingRule)):
        for line in rule.lines:
            assert line.amount_key in EVENTS[rule.event_code].amounts
            assert line.account.is_leaf
            for name in ("customer", "project", "bank", "department"):
                assert getattr(line, f"with_{name}") or not getattr(line.account, f"needs_{name}")
            if line.account.is_cash_bank:
                assert line.cash_flow is not None


@pytest.mark.usefixtures("handlers")
def test_an_event_says_who_and_what_it_is_about(books):
    event = raised(books, memo="首年担保费")
    assert re.fullmatch(r"FH2026-\d{5}", event.number)
    assert (event.label, event.total, event.amounts) == (
        "费用收取",
        yuan(100),
        {"amount": "100.00"},
    )
    assert (event.customer_id, event.bank_id) == (books.customer.id, books.bank.id)
    assert (event.department_id, event.occurred_on) == (books.department.id, TODAY)
    voucher = posting.book(books.ctx("accountant"), event)
    assert voucher.memo == "收江州明达精密机械有限公司DB2026-T387费用"
    assert voucher.word.name == "收"
    assert voucher.prepared_by_id == books.people["accountant"].id
    assert voucher.entries[0].memo == voucher.memo


@pytest.mark.usefixtures("handlers")
def test_the_rule_words_each_line_and_carries_what_it_is_told(books):
    rule = books.session.scalars(
        select(PostingRule).where(PostingRule.event_code == "fee.collected")
    ).one()
    rule.lines[0].memo = "{事项} 经 {银行}"
    rule.lines[0].with_bank = rule.lines[0].with_department = True
    event = raised(books, memo="到账")
    voucher = posting.book(books.ctx("accountant"), event, word="journal", on=date(2026, 11, 2))
    assert (voucher.word.name, voucher.date) == ("记", date(2026, 11, 2))
    assert voucher.entries[0].memo == "到账 经 测试建行高新支行"
    assert voucher.entries[0].auxiliary_keys == "银行=TCCB;部门=TFIN"


def test_a_line_without_its_auxiliary_is_refused(books):
    with pytest.raises(BusinessError, match="第2行：科目“1122 应收担保费”须填写项目"):
        posting.book(books.ctx("accountant"), raised(books, customer=books.customer, project=None))


def test_a_preview_writes_nothing(books):
    event = raised(books)
    rule, memo, lines = posting.preview(books.ctx("accountant"), event)
    assert (rule.label, memo) == ("费用收取", "收江州明达精密机械有限公司DB2026-T387费用")
    assert [(line.debit, line.credit) for line in lines] == [(100, 0), (0, 100)]
    assert event.state is EventState.PENDING


@pytest.mark.usefixtures("handlers")
def test_zero_lines_are_left_out(books):
    event = raised(books, "fee.registered", {"gross": "100", "deferred": "100", "tax": "0"})
    voucher = posting.book(books.ctx("accountant"), event)
    assert [entry.account.code for entry in voucher.entries] == ["1122", "2203"]


@pytest.mark.usefixtures("handlers")
def test_two_clicks_book_once(books):
    event = raised(books)
    seen = event.version
    posting.book(books.ctx("accountant"), event, seen)
    with pytest.raises(StaleRecord):
        posting.book(books.ctx("accountant"), event, seen)
    with pytest.raises(IllegalTransition, match="已制单"):
        posting.book(books.ctx("accountant"), event)
    assert len(list(books.session.scalars(select(Voucher)))) == 1


@pytest.mark.usefixtures("handlers")
def test_the_same_event_is_raised_once_and_again_only_after_a_refusal(books):
    event = raised(books)
    with pytest.raises(Conflict, match=r"待复核.*不能重复提交"):
        raised(books)
    assert raised(books, sequence=2).id != event.id
    posting.refuse(books.ctx("accountant"), event, "金额与发票不符")
    assert (event.state, event.reason) == (EventState.REFUSED, "金额与发票不符")
    again = raised(books, amounts={"amount": "90"})
    assert (again.id, again.state, again.total, again.reason) == (
        event.id,
        EventState.PENDING,
        yuan(90),
        None,
    )
    posting.book(books.ctx("accountant"), again)
    with pytest.raises(Conflict, match="已制单"):
        raised(books)


@pytest.mark.usefixtures("handlers")
def test_a_cancelled_event_is_not_booked(books):
    event = raised(books)
    posting.cancel(books.ctx("cashier"), event, "项目撤销")
    with pytest.raises(IllegalTransition):
        posting.book(books.ctx("accountant"), event)
    with pytest.raises(IllegalTransition):
        posting.cancel(books.ctx("cashier"), event, "再撤")


def test_the_queue_asks_for_permission_and_reasons(books):
    event = raised(books)
    ctx = books.ctx("accountant")
    nobody = type(ctx)(ctx.session, type(ctx.actor)(ctx.actor.employee_id, "无权限"), TODAY, NOW)
    for verb, words in ((posting.book, ()), (posting.refuse, ("x",)), (posting.unbook, ("x",))):
        with pytest.raises(NotAllowed):
            verb(nobody, event, *words)
    for reason in (" ", "长" * 201):
        with pytest.raises(BusinessError, match="请填写原因"):
            posting.refuse(ctx, event, reason)
    assert event.state is EventState.PENDING


@pytest.mark.parametrize(
    ("code", "amounts", "message"),
    [
        ("fee.unknown", {"amount": "1"}, "没有“fee.unknown”这种业务事项"),
        ("fee.collected", {"money": "1"}, "没有“money”这项金额"),
        ("fee.collected", {"amount": "-1"}, "应在0到"),
        ("fee.collected", {"amount": "1234567890123"}, "应在0到"),
        ("fee.collected", {"amount": "NaN"}, "应在0到"),
        ("fee.collected", {"amount": "0.004"}, "金额为零"),
    ],
)
def test_amounts_that_no_event_brings(books, code, amounts, message):
    with pytest.raises(BusinessError, match=message):
        raised(books, code, amounts)


def test_an_unbalanced_event_is_refused_with_the_rule_named(books):
    event = raised(books, "fee.registered", {"gross": "100", "deferred": "99.99"})
    with pytest.raises(
        BusinessError, match=r"“费用登记”生成的分录借贷不平：借方 100.00，贷方 99.99"
    ):
        posting.book(books.ctx("accountant"), event)
    assert event.state is EventState.PENDING


def test_a_missing_rule_is_named(books):
    rule = books.session.scalars(
        select(PostingRule).where(PostingRule.event_code == "fee.collected")
    ).one()
    rule.effective_on = date(2027, 1, 1)
    event = raised(books)
    with pytest.raises(BusinessError, match="没有在 2026-11-23 生效的“费用收取”记账规则"):
        posting.book(books.ctx("accountant"), event)
    rule.effective_on, rule.is_active = date(2000, 1, 1), False
    with pytest.raises(BusinessError, match="没有在"):
        posting.book(books.ctx("accountant"), event)


def test_a_rule_with_an_amount_of_another_event_is_named(books):
    rule = books.session.scalars(
        select(PostingRule).where(PostingRule.event_code == "fee.collected")
    ).one()
    rule.lines[0].amount_key = "gross"
    with pytest.raises(BusinessError, match="第1行的金额取数“含税金额”不属于"):
        posting.book(books.ctx("accountant"), raised(books))


@pytest.mark.usefixtures("handlers")
def test_the_newest_rule_in_force_on_the_day_is_taken(books):
    old = books.session.scalars(
        select(PostingRule).where(PostingRule.event_code == "fee.collected")
    ).one()
    new = PostingRule(
        event_code=old.event_code,
        label="新规则",
        word=old.word,
        memo="新{事项}",
        effective_on=date(2026, 11, 1),
    )
    new.lines = [
        type(line)(
            line_no=line.line_no,
            side=line.side,
            account_id=line.account_id,
            amount_key="amount",
            with_customer=True,
            with_project=True,
        )
        for line in old.lines
    ]
    books.session.add(new)
    assert posting.book(books.ctx("accountant"), raised(books)).memo == "新费用收取"
    before = raised(books, sequence=2, on=date(2026, 10, 31))
    assert posting.book(books.ctx("accountant"), before).memo.startswith("收江州")


@pytest.mark.usefixtures("handlers")
def test_an_event_of_a_closed_month_is_booked_in_the_first_open_one(books):
    close_month(books, 10)
    for day in (date(2026, 10, 15), date(2026, 8, 15)):
        voucher = posting.book(books.ctx("accountant"), raised(books, on=day, sequence=day.month))
        assert voucher.date == date(2026, 11, 1)
    future = raised(books, on=date(2026, 11, 30), sequence=12)
    assert posting.book(books.ctx("accountant"), future).date == TODAY


def close_month(books, month: int) -> None:
    period = ensure_period(books.ctx("accountant"), date(2026, month, 1))
    period.state, period.closed_at, period.closed_by_id = (
        PeriodState.CLOSED,
        NOW,
        books.people["reviewer"].id,
    )
    books.session.flush()


@pytest.mark.usefixtures("handlers")
def test_a_february_receipt_booked_in_april_belongs_to_march_while_march_is_open(books):
    """Received on 26 February, registered on 10 March, booked on 3 April: March is open, so March has it."""
    close_month(books, 2)
    accountant = books.ctx("accountant", today=date(2026, 4, 3))
    receipt = raised(books, on=date(2026, 2, 26))
    assert posting.book(accountant, receipt).period.code == "2026-03"
    chosen = raised(books, on=date(2026, 2, 27), sequence=2)
    assert posting.book(accountant, chosen, on=date(2026, 3, 10)).date == date(2026, 3, 10)
    for day, words in ((date(2026, 2, 27), "已结账"), (date(2026, 4, 4), "不能晚于营业日期")):
        with pytest.raises(BusinessError, match=words):
            posting.book(accountant, raised(books, on=date(2026, 2, 27), sequence=day.day), on=day)


def test_a_month_that_was_closed_on_its_last_day_says_from_when_on_one_may_book(books):
    close_month(books, 2)
    accountant = books.ctx("accountant", today=date(2026, 2, 28))
    with pytest.raises(Conflict, match="请自营业日期 2026-03-01 起记账，或先反结账"):
        posting.book(accountant, raised(books, on=date(2026, 2, 28)))


@pytest.mark.usefixtures("handlers")
def test_an_unposted_voucher_of_an_event_goes_back_through_the_event(books):
    event = raised(books)
    voucher = posting.book(books.ctx("accountant"), event)
    with pytest.raises(Conflict, match="由业务生成"):
        vouchers.void(books.ctx("accountant"), voucher, "x")
    vouchers.review(books.ctx("reviewer"), voucher)
    with pytest.raises(Conflict, match="请先取消签字和审核"):
        posting.unbook(books.ctx("accountant"), event, "科目错误")
    vouchers.unreview(books.ctx("reviewer"), voucher)
    assert posting.unbook(books.ctx("accountant"), event, "科目错误") is voucher
    assert (voucher.state, voucher.void_reason) == (VoucherState.VOID, "科目错误")
    assert (event.state, event.voucher_id, event.reason) == (EventState.PENDING, None, "科目错误")
    again = posting.book(books.ctx("accountant"), event)
    assert (again.number, event.voucher_id, event.reason) == (2, again.id, None)
    assert verify_ledger(books.session) == []


@pytest.mark.usefixtures("handlers")
def test_a_posted_voucher_of_an_event_is_reversed_and_the_event_waits_again(books):
    event = raised(books)
    voucher = books.post(posting.book(books.ctx("accountant"), event))
    with pytest.raises(Conflict, match="由业务生成"):
        vouchers.reverse(books.ctx("accountant"), voucher)
    red = posting.unbook(books.ctx("accountant"), event, "客户退款")
    assert (red.reverses_id, red.event_id, event.state) == (
        voucher.id,
        event.id,
        EventState.PENDING,
    )
    with pytest.raises(Conflict, match="由业务生成"):
        vouchers.void(books.ctx("accountant"), red, "x")
    books.post(red)
    books.post(posting.book(books.ctx("accountant"), event))
    assert balance_of(books.session, "1002", "2026-11") == yuan(100)
    assert verify_ledger(books.session) == []


@pytest.mark.usefixtures("handlers")
def test_accounts_and_amounts_of_an_event_stay_and_its_auxiliaries_are_mended(books):
    voucher = posting.book(books.ctx("accountant"), raised(books))
    for moved in (
        [books.line("1001", 100), books.line("2241.02", 0, 100)],
        [books.line("1012", 100), books.receivable(0, 100)],
        [books.line("1002", 100), books.receivable(0, 60), books.line("2241.02", 0, 40)],
    ):
        with pytest.raises(Conflict, match="科目和金额不能修改"):
            vouchers.edit_draft(books.ctx("accountant"), voucher, None, entries=moved)
        assert [entry.account.code for entry in voucher.entries] == ["1002", "1122"]
    split = [
        books.line("1002", 30, bank_id=books.bank.id, memo="建行"),
        books.line("1002", 70),
        books.receivable(0, 100),
    ]
    vouchers.edit_draft(books.ctx("accountant"), voucher, None, entries=split)
    first = voucher.entries[0]
    assert (first.account.code, first.bank_id, first.memo) == ("1002", books.bank.id, "建行")
    with pytest.raises(Conflict, match=r"合计金额须为 100.00"):
        vouchers.edit_draft(
            books.ctx("accountant"),
            voucher,
            None,
            entries=[books.line("1002", 9), books.receivable(0, 9)],
        )


@pytest.mark.usefixtures("handlers")
def test_handlers_follow_the_event(books):
    told = []
    posting.on_booked("fee.collected")(
        lambda ctx, event, voucher: told.append(("booked", voucher.number))
    )
    posting.on_unbooked("fee.collected")(
        lambda ctx, event, former: told.append(("unbooked", former.number))
    )
    posting.on_refused("fee.collected")(lambda ctx, event: told.append(("refused", event.reason)))
    event = raised(books)
    posting.book(books.ctx("accountant"), event)
    posting.unbook(books.ctx("accountant"), event, "撤回")
    posting.refuse(books.ctx("accountant"), event, "不符")
    assert told == [("booked", 1), ("unbooked", 1), ("refused", "不符")]


@pytest.mark.usefixtures("handlers")
def test_auxiliary_balances_carry_customer_and_project(books):
    for number, code in enumerate(("fee.registered", "fee.collected"), 1):
        amounts = (
            {"gross": "100", "deferred": "100"} if code == "fee.registered" else {"amount": "40"}
        )
        books.post(
            posting.book(books.ctx("accountant"), raised(books, code, amounts, sequence=number))
        )
    row = books.session.scalars(
        select(AuxiliaryBalance).where(AuxiliaryBalance.account_id == books.accounts["1122"])
    ).one()
    assert (row.customer_id, row.project_id, row.bank_id) == (
        books.customer.id,
        books.project.id,
        0,
    )
    assert (row.debit, row.credit, row.closing) == (100, 40, 60)
    kept = books.session.scalars(
        select(AccountBalance).where(AccountBalance.account_id == books.accounts["1122"])
    ).one()
    assert kept.closing == 60
    account = books.session.get_one(Account, books.accounts["2203"])
    assert account.direction is Direction.CREDIT
    assert balance_of(books.session, "2203", "2026-11") == 100
