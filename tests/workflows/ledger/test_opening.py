"""期初余额: the sample files to the fen; what is wrong is said row by row, and then nothing is loaded."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from sqlalchemy import func, select

from models.base.actor import SYSTEM
from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.customer.customer import CorporateCustomer
from models.ledger.account import Account, AccountBalance, AccountingPeriod, PeriodState
from models.ledger.closing import IncomeHistory, IncomeSchedule, OpeningImport
from models.ledger.rule import PostingRuleLine
from models.ledger.voucher import Voucher, VoucherKind, VoucherState
from reports.figures import provisions
from reports.figures.balances import balance_of, of_accounts
from reports.figures.provisions import income_of_year
from reports.ledger.statements import balance_sheet, income_statement
from reports.ledger.trial_balance import trial_balance
from tests.workflows.ledger.books import yuan
from tests.workflows.ledger.year import AUXILIARIES, BALANCES, NOW, begin, set_parameter
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.workbook import WorkbookError
from workflows.ledger import opening, opening_sheets
from workflows.ledger import voucher as vouchers
from workflows.ledger.verify import verify_ledger

HEAD = ["科目编码", "科目名称", "方向", "期末余额"]
PARTS = ["科目编码", "客户名称", "统一社会信用代码", "期末余额", "起始日期", "到期日期"]
CUSTOMER, USCC = "江州明达精密机械有限公司", "91320104MA1T00001X"


def book(rows) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def balances(*rows, head=HEAD, period="期间:2025年12月") -> tuple[str, bytes]:
    return "余额.xlsx", book([["科目余额表"], [period], head, *rows])


def parts(*rows, head=PARTS) -> tuple[str, bytes]:
    return "辅助.xlsx", book([head, *rows])


SIMPLE = (["1001", "库存现金", "借", "100.00"], ["4001", "实收资本", "贷", "100.00"])


def errors(year, first, second=None, **more) -> list[str]:
    """What the preview says; loading is refused for the same reasons, and nothing is written."""
    found = [
        error.text for error in opening.preview_opening(year.ctx(), first, second, **more).errors
    ]
    if found:
        with pytest.raises(FieldErrors) as refused:
            opening.load_opening(year.ctx(), first, second, **more)
        assert refused.value.field_errors[""][0] == found[0]
    assert year.session.scalar(select(func.count()).select_from(OpeningImport)) == 0
    assert year.session.scalar(select(func.count()).select_from(AccountBalance)) == 0
    return found


@pytest.fixture
def year(session):
    return begin(session, with_opening=False)


# ---------------------------------------------------------------------------------------------------------- the sample
def test_the_sample_loads_to_the_fen(year, session):
    plan = opening.preview_opening(year.ctx(), BALANCES, AUXILIARIES, create_customers=True)
    assert not plan.errors
    assert plan.total == yuan("254539976.17")
    assert [line.code for line in plan.new_accounts] == ["1002.01", "1002.02"]
    assert len(plan.new_customers) == 12
    kept = opening.load_opening(year.ctx(), BALANCES, AUXILIARIES, create_customers=True)
    assert kept.total == yuan("254539976.17")
    assert (kept.voucher.state, kept.voucher.kind) == (VoucherState.POSTED, VoucherKind.OPENING)
    assert kept.voucher.date == date(2025, 12, 31)
    assert kept.period.state is PeriodState.CLOSED
    assert kept.voucher.posting_no == 1
    balances_wanted = {
        "1001": "23560.40",
        "1002": "186430215.77",
        "1002.01": "86430215.77",
        "1002.02": "100000000",
        "1031": "45000000",
        "1122": "1280000",
        "1201": "9650000",
        "1201.01": "9650000",
        "1221": "356200",
        "1601": "8600000",
        "1602": "2150000",
        "1441": "3200000",
        "2002": "12800000",
        "2203": "6420000",
        "2221": "615430.25",
        "2221.02": "615430.25",
        "2601": "5140000",
        "2602": "11250000",
        "4001": "200000000",
        "4101": "3120000",
        "4102": "3120000",
        "4104": "9924545.92",
    }
    assert {code: balance_of(session, code, "2025-12") for code in balances_wanted} == {
        code: yuan(amount) for code, amount in balances_wanted.items()
    }
    report = trial_balance(session, "2025-12", "2025-12")
    assert report.is_balanced
    assert report.totals.closing_debit == yuan("254539976.17")
    assert balance_sheet(session, "2026-01").is_balanced
    assert not verify_ledger(session)


def test_deferred_fees_become_schedules_and_the_reserve_implies_past_income(year, session):
    opening.load_opening(year.ctx(), BALANCES, AUXILIARIES, create_customers=True)
    found = session.scalars(select(IncomeSchedule).order_by(IncomeSchedule.id)).all()
    assert sum(s.amount for s in found) == yuan("6420000")
    assert (found[0].starts_on, found[0].ends_on) == (date(2025, 11, 17), date(2027, 11, 17))
    assert {s.spread_from for s in found} == {date(2026, 1, 1)}
    assert {s.recognised for s in found} == {yuan(0)}
    assert str(found[0]).endswith("2025-11-17 至 2027-11-17")
    months = session.scalars(select(IncomeHistory).order_by(IncomeHistory.month)).all()
    assert [m.month for m in months] == [f"2025-{n:02d}" for n in range(1, 13)]
    assert sum(m.amount for m in months) == yuan("10280000")


def test_the_same_files_again_change_nothing_and_others_are_refused(year, session):
    first = opening.load_opening(year.ctx(), BALANCES, AUXILIARIES, create_customers=True)
    counted = [
        session.scalar(select(func.count()).select_from(m))
        for m in (Voucher, Account, CorporateCustomer)
    ]
    again = opening.load_opening(year.ctx(), ("另存.xlsx", BALANCES[1]), AUXILIARIES)
    assert again.id == first.id
    assert [
        session.scalar(select(func.count()).select_from(m))
        for m in (Voucher, Account, CorporateCustomer)
    ] == counted
    year.post(date(2026, 1, 3), year.line("1001", 1), year.line("6301", 0, 1))
    with pytest.raises(Conflict, match=r"已由“opening_balances\.xlsx”装入 2025-12"):
        opening.load_opening(year.ctx(), balances(*SIMPLE))


def test_rules_follow_to_the_first_lower_account_and_collection_goes_on_without_a_project(
    year, session
):
    opening.load_opening(year.ctx(), BALANCES, AUXILIARIES, create_customers=True)
    bank, first = year.account("1002"), year.account("1002.01")
    targets = set(session.scalars(select(PostingRuleLine.account_id)))
    assert bank not in targets
    assert first in targets
    customer = session.scalars(
        select(CorporateCustomer).where(CorporateCustomer.uscc == "913201046JMED63378")
    ).one()
    day = date(2026, 1, 8)
    year.post(
        day, year.line("1002.01", 128000), year.line("1122", 0, 128000, customer_id=customer.id)
    )
    assert balance_of(session, "1122", "2026-01") == yuan("1152000")
    with pytest.raises(FieldErrors, match="须填写项目"):  # this customer has no opening there
        year.draft(
            day,
            year.line("1002.01", 1),
            year.line("1122", 0, 1, customer_id=year.books.customer.id),
        )
    with pytest.raises(FieldErrors, match="须填写客户"):
        year.draft(day, year.line("1002.01", 1), year.line("1122", 0, 1))
    # a margin whose bank the old books lost
    year.post(day, year.line("1002.01", 1000), year.line("1031", 0, 1000))
    assert not verify_ledger(session)


def test_the_opening_voucher_is_not_reversed(year, session):
    kept = opening.load_opening(year.ctx(), BALANCES, AUXILIARIES, create_customers=True)
    with pytest.raises(Conflict, match="期初余额凭证"):
        vouchers.reverse(year.ctx(), kept.voucher)
    assert {p.code for p in session.scalars(select(AccountingPeriod))} == {"2025-12", "2026-01"}


def test_known_customers_are_matched_and_none_is_made(year, session):
    first = balances(*SIMPLE, ["1122", "应收担保费", "借", 30], ["2002", "存入保证金", "贷", 30])
    second = parts(
        ["1122", CUSTOMER, USCC, 30],
        ["2002", CUSTOMER, USCC.lower(), "30.00"],
        ["合计", None, None, 60],
    )
    assert not opening.preview_opening(year.ctx(), first, second).errors
    opening.load_opening(year.ctx(), first, second)
    assert session.scalar(select(func.count()).select_from(CorporateCustomer)) == 1
    assert session.scalar(select(func.count()).select_from(IncomeHistory)) == 0


def test_odd_layouts_are_understood(year, session):
    rows = balances(
        ["1002", "银行存款", 70, None],
        ["1002-01", "基本户", 70, None],
        ["1001", "现金", 30, 0],
        ["4104", "利润分配", "20", None],
        [None, None, None, None],
        ["4001", "实收资本", None, "120"],
        ["2241", "其他应付款", None, None],
        head=["科目代码", "科目名称", "期末借方（元）", "期末贷方"],
        period="2025-06",
    )
    kept = opening.load_opening(year.ctx(), rows)
    assert kept.period.code == "2025-06"
    # an accumulated loss, in red on its own side
    assert balance_of(session, "4104", "2025-06") == yuan(-20)
    assert balance_of(session, "1002.01", "2025-06") == yuan(70)
    entry = next(e for e in kept.voucher.entries if e.account.code == "4104")
    assert (entry.debit, entry.credit) == (yuan(0), yuan(-20))


def test_a_rate_of_nothing_implies_no_income(year, session):
    set_parameter(session, "provision.unearned_pct", "0")
    opening.load_opening(
        year.ctx(), balances(["1001", "现金", "借", 5], ["2601", "准备金", "贷", 5])
    )
    assert {m.amount for m in session.scalars(select(IncomeHistory))} == {yuan(0)}


# -------------------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([SIMPLE[0]], "余额.xlsx：借贷不平：借方减贷方相差 100.00 元，未装入"),
        ([*SIMPLE, SIMPLE[0]], "第 6 行：科目 1001 重复，第 4 行已有"),
        ([*SIMPLE, ["9001", "其他", "借", 0]], "会计科目中没有一级科目 9001"),
        ([*SIMPLE, ["10020101", "支行", "借", 0]], "科目 1002.01.01 的上级 1002.01 不存在"),
        (
            [*SIMPLE, ["100201", None, "借", 0], ["1002", "银行", "借", 0]],
            "科目 1002.01 要新增，但没有科目名称",
        ),
        (
            [*SIMPLE, ["6601", "管理费", "借", 0]],
            "科目 6601 有下级科目，请按下级给出余额：6601.01、",
        ),
        ([*SIMPLE, ["x", "乱", "借", 0]], "“x”不是科目编码"),
        ([*SIMPLE, ["1002", "银行", "左", 5]], "方向“左”应为 借 或 贷"),
        ([*SIMPLE, ["1002", "银行", "借", "许多"]], "第 6 行：余额：“许多”不是有效的金额"),
        ([*SIMPLE, ["1002", "银行", "借", date(2025, 1, 1)]], "余额不是金额"),
        (
            [
                SIMPLE[0],
                ["1002", "银行", "借", 9],
                ["100201", "工行", "借", 8],
                ["4001", "资本", "贷", 109],
            ],
            "科目 1002 余额 9.00 与下级合计 8.00 不符，相差 1.00",
        ),
        (
            [*SIMPLE, ["合计", None, "借", 101], [None, None, "贷", 100]],
            "借方合计 101.00 与一级科目之和 100.00 不符，相差 1.00",
        ),
        (
            [*SIMPLE, ["总计", None, "贷", 99]],
            "贷方合计 99.00 与一级科目之和 100.00 不符，相差 -1.00",
        ),
        (
            [*SIMPLE, ["1122", "应收", "借", 5], ["2001", "借款", "贷", 5]],
            "科目 1122 要求客户核算，辅助余额表中没有",
        ),
    ],
)
def test_wrong_balances_are_named(year, rows, wanted):
    assert any(wanted in text for text in errors(year, balances(*rows)))


DEFERRED = (["1001", "现金", "借", 100], ["2203", "预收担保费", "贷", 100])


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (
            [["2203", "甲", "91320104MA1T00009X", 100, "2025-01-01", "2026-01-01"]],
            "客户“甲”（91320104MA1T00009X）不存在",
        ),
        ([["2203", CUSTOMER, None, 100, "2025-01-01", "2026-01-01"]], "没有统一社会信用代码"),
        (
            [["2203", CUSTOMER, USCC, 90, "2025-01-01", "2026-01-01"]],
            "辅助余额合计 90.00 与科目余额 100.00 不符，相差 -10.00",
        ),
        ([["2203", CUSTOMER, USCC, 100, None, "2026-01-01"]], "预收担保费须有起始日期和到期日期"),
        ([["2203", CUSTOMER, USCC, 100, "2026-05-01", "2026-01-01"]], "起始不晚于到期"),
        ([["2203", CUSTOMER, USCC, 100, "昨天", "2026-01-01"]], "起始日期“昨天”应为"),
        ([["2001", CUSTOMER, USCC, 100, None, None]], "科目 2001 不在余额表中，或不是末级"),
    ],
)
def test_wrong_splits_are_named(year, rows, wanted):
    assert any(wanted in text for text in errors(year, balances(*DEFERRED), parts(*rows)))


def test_a_split_with_dates_of_every_kind_is_read(year, session):
    rows = [
        ["2203", CUSTOMER, USCC, 60, date(2025, 1, 1), "2026/03/01"],
        ["2203", CUSTOMER, USCC, 40, "2024.01.01", "2025.01.01"],
        ["2203", CUSTOMER, USCC, 0, "2024-01-01", "2025-01-01"],
    ]
    opening.load_opening(year.ctx(), balances(*DEFERRED), parts(*rows))
    found = session.scalars(select(IncomeSchedule).order_by(IncomeSchedule.amount.desc())).all()
    assert [s.ends_on for s in found] == [date(2026, 3, 1), date(2025, 1, 1)]


def test_a_file_must_say_its_period_and_it_must_be_over(year):
    assert "没有写明期间" in errors(year, balances(*SIMPLE, period="日期"))[0]
    assert "没有写明期间" in errors(year, balances(*SIMPLE, period="2025年13月"))[0]
    assert "晚于营业日期" in errors(year, balances(*SIMPLE, period="2027年1月"))[0]


def test_books_that_have_moved_take_no_opening(year):
    year.post(date(2025, 11, 30), year.line("1001", 5), year.line("4001", 0, 5))
    plan = opening.preview_opening(year.ctx(), balances(*SIMPLE))
    assert "期间 2025-11 已有凭证或已结账" in plan.errors[0].text
    with pytest.raises(FieldErrors, match="已有凭证"):
        opening.load_opening(year.ctx(), balances(*SIMPLE))


def test_closed_accounts_take_no_opening(year, session):
    session.scalars(select(Account).where(Account.code == "1001")).one().is_active = False
    assert "科目 1001 已停用" in errors(year, balances(*SIMPLE))[0]


def test_the_parameter_must_name_a_leaf(year, session):
    rows = [["1001", "现金", "借", 5], ["2221", "应交税费", "贷", 5]]
    set_parameter(session, "opening.leaf_codes", "2221=2221.01，坏")
    assert "科目 2221 有下级科目" in errors(year, balances(*rows))[0]
    set_parameter(session, "opening.leaf_codes", "2221=2221.06")
    plan = opening.preview_opening(year.ctx(), balances(*rows))
    assert plan.leaves["2221"][1] == "2221.06"
    assert plan.notices == ["2221 应交税费 的余额记到 2221.06 应交企业所得税"]


def test_files_that_are_none_are_refused(year):
    with pytest.raises(WorkbookError, match="没有找到表头"):
        opening.preview_opening(year.ctx(), balances(head=["甲", "乙", "丙", "丁"]))
    with pytest.raises(WorkbookError, match="没有找到表头"):
        opening.preview_opening(year.ctx(), balances(*SIMPLE), parts(head=["甲"]))
    with pytest.raises(BusinessError):
        opening.preview_opening(year.ctx(), ("a.xlsx", b"text"))


def test_many_errors_are_cut_with_their_number(year):
    rows = [[f"9{n:03d}", "无", "借", 0] for n in range(30)]
    with pytest.raises(FieldErrors, match="……共 30 处错误"):
        opening.load_opening(year.ctx(), balances(*rows))


def test_loading_needs_its_permission(year):
    for verb in (opening.preview_opening, opening.load_opening):
        with pytest.raises(NotAllowed, match="装入期初余额"):
            verb(year.ctx(without=("load", "opening_import")), BALANCES, AUXILIARIES)


def test_a_business_after_the_opening_keeps_its_carried_balances(year, session):
    year.post(date(2026, 2, 3), year.line("1001", 5), year.line("4001", 0, 5))
    opening.load_opening(year.ctx(), balances(*SIMPLE))
    assert balance_of(session, "1001", "2026-02") == yuan(105)
    assert of_accounts(session, "2026-02", "2026-02")[year.account("1001")].opening == yuan(100)
    assert not verify_ledger(session)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1002", "1002"),
        ("100201", "1002.01"),
        ("1002-01-001", "1002.01.001"),
        ("1002.01", "1002.01"),
    ],
)
def test_codes_are_read_in_every_style(text, code):
    assert opening_sheets.account_code(text) == code


def test_amounts_are_exact():
    sheet, wrong = opening_sheets.read_balances(BALANCES[1], BALANCES[0])
    assert not wrong
    assert sheet.period == "2025-12"
    assert sum(line.amount for line in sheet.lines if "." not in line.code) == 0
    assert sheet.totals == {True: Decimal("254539976.17"), False: Decimal("254539976.17")}


# ------------------------------------------------------------------------------------------------------- replacement
def current(session) -> OpeningImport:
    return session.scalars(select(OpeningImport)).one()


def test_an_opening_is_replaced_until_another_voucher_exists(year, session):
    """One that was loaded a month too late, with a reserve, gives way to the right one; nothing of it stays."""
    wrong = balances(
        ["1001", "库存现金", "借", "160.00"],
        ["2601", "未到期责任准备金", "贷", "60.00"],
        ["4001", "实收资本", "贷", "100.00"],
        period="期间:2026年1月",
    )
    opening.load_opening(year.ctx(), wrong)
    former = current(session).voucher
    assert session.scalar(select(func.count(IncomeHistory.id))) == 12
    plan = opening.preview_opening(year.ctx(), balances(*SIMPLE))
    assert (plan.errors, "原期初凭证红字冲销" in plan.notices[-1]) == ([], True)
    made = opening.load_opening(year.ctx(), balances(*SIMPLE))
    assert (made.id, made.period.code, made.total) == (current(session).id, "2025-12", yuan(100))
    reversal = session.scalars(select(Voucher).where(Voucher.reverses_id == former.id)).one()
    assert (reversal.kind, reversal.state) == (VoucherKind.OPENING, VoucherState.POSTED)
    assert session.scalar(select(func.count(IncomeHistory.id))) == 0
    assert [balance_of(session, code, "2026-01") for code in ("1001", "2601", "4001")] == [
        100,
        0,
        100,
    ]
    assert not verify_ledger(session)
    year.post(date(2026, 1, 3), year.line("1001", 1), year.line("6301", 0, 1))
    with pytest.raises(Conflict, match="已有凭证 2026-01-记-0001，差错请另填凭证调整"):
        opening.load_opening(year.ctx(), wrong)


def test_months_before_a_replaced_opening_take_no_voucher(year, session):
    """December gives way to June: the months between are behind the books, until June gives way again."""
    june = balances(*SIMPLE, period="期间:2026年6月")
    opening.load_opening(year.ctx(), balances(*SIMPLE))
    opening.load_opening(year.ctx(), june)
    closed = select(AccountingPeriod.code).where(AccountingPeriod.state == PeriodState.CLOSED)
    closed = closed.order_by(AccountingPeriod.code)
    assert [*session.scalars(closed)] == ["2025-12", *(f"2026-{month:02}" for month in range(1, 7))]
    with pytest.raises(Conflict, match="2026-03"):
        year.post(date(2026, 3, 3), year.line("1001", 1), year.line("6301", 0, 1))
    opening.load_opening(year.ctx(), balances(*SIMPLE, ["1002", "银行存款", "借", "0"]))
    assert [*session.scalars(closed)] == ["2025-12"]
    year.post(date(2026, 3, 3), year.line("1001", 1), year.line("6301", 0, 1))
    assert not verify_ledger(session)


def test_income_of_an_opening_counts_once_for_the_reserve(year, session):
    """表结法: 6031 stands at 600,000 at the end of June, 2601 at 500,000, so the twelve months had 1,000,000."""
    opening.load_opening(
        year.ctx(),
        balances(
            ["1001", "库存现金", "借", "1100000"],
            ["2601", "未到期责任准备金", "贷", "500000"],
            ["6031", "担保费收入", "贷", "600000"],
            period="期间:2026年6月",
        ),
    )
    assert income_of_year(session, "2026-06") == yuan(1_000_000)
    # July 2025 falls out
    assert income_of_year(session, "2026-07") == yuan(1_000_000) - yuan("66666.67")
    assert income_of_year(session, "2026-12") == yuan(600_000)
    assert income_of_year(session, "2027-06") == 0


def test_income_before_the_books_is_of_months_that_they_do_not_hold(year, session):
    opening.load_opening(year.ctx(), balances(*SIMPLE))
    ctx = Ctx(session, SYSTEM, year.today, NOW)
    assert records.create(ctx, IncomeHistory, {"month": "2025-12", "amount": yuan(5)}).id
    for month, words in (("2026-01", "2026-01 的担保费收入在账上"), ("2025-13", "应写作 2025-12")):
        with pytest.raises(FieldErrors, match=words):
            records.create(ctx, IncomeHistory, {"month": month, "amount": yuan(5)})
    row = session.scalars(select(IncomeHistory)).one()
    with pytest.raises(FieldErrors, match="不能再登记"):
        records.update(ctx, row, {"month": "2026-02"}, row.version)


def test_an_opening_in_the_middle_of_a_year_goes_on_with_it(year, session, monkeypatch):
    """账结法 at the end of June, liability 12,000,000: July charges 10,000, and December ends at 120,000.

    The half year's profit of 600,000 in 4103 counts for the reserves.
    """
    monkeypatch.setattr(provisions, "liability_on", lambda *_args, **_more: yuan(12_000_000))
    opening.load_opening(
        year.ctx(),
        balances(
            ["1001", "库存现金", "借", "660000"],
            ["2602", "担保赔偿准备金", "贷", "60000"],
            ["4103", "本年利润", "贷", "600000"],
            period="期间:2026年6月",
        ),
    )
    july = provisions.compensation(session, year.period(7))
    assert july.amount == yuan(10_000)
    assert "本年已提 60,000.00（含期初前 60,000.00）；差额 10,000.00" in july.formula
    set_parameter(session, "provision.unearned_pct", "0")
    year.post(date(2026, 7, 3), year.line("1001", 234_434), year.line("6301", 0, 234_434))
    for number in range(7, 13):
        year.close(number)
    assert balance_of(session, "2602", "2026-12") == yuan(120_000)
    # 600,000 + 234,434 - 60,000 of the second half
    assert [balance_of(session, code, "2026-12") for code in ("4101", "4102")] == [
        yuan("77443.40")
    ] * 2
    assert balance_of(session, "4103", "2026-12") == 0
    assert not verify_ledger(session)


YEAR_HEAD = [*HEAD[:2], "方向", "年初余额", "本年累计借方", "本年累计贷方", "期末余额"]


def half_a_year(*more):
    """账结法 at the end of June: 500,000 of 担保费, 55,000 charged to 2602, 8,000 of it paid out again."""
    return balances(
        ["1001", "库存现金", "借", "200000", "500000", "97000", "603000"],
        ["2602", "担保赔偿准备金", "贷", "13000", "8000", "55000", "60000"],
        ["4001", "实收资本", "贷", "187000", "0", "0", "187000"],
        ["4103", "本年利润", "贷", "0", "144000", "500000", "356000"],
        ["6031", "担保费收入", "平", "0", "500000", "500000", "0"],
        ["6502", "提取担保赔偿准备金", "平", "0", "55000", "55000", "0"],
        ["6601.01", "职工薪酬", "平", "0", "89000", "89000", "0"],
        *more,
        head=YEAR_HEAD,
        period="期间:2026年6月",
    )


def test_an_opening_in_mid_year_goes_on_with_what_its_columns_say(year, session, monkeypatch):
    """Liability 12,000,000: 70,000 are due by July and 55,000 were charged, though the reserve stands at 60,000."""
    monkeypatch.setattr(provisions, "liability_on", lambda *_args, **_more: yuan(12_000_000))
    plan = opening.preview_opening(year.ctx(), half_a_year())
    assert plan.errors == []
    assert not any("年初余额" in notice for notice in plan.notices)
    opening.load_opening(year.ctx(), half_a_year())
    assert provisions.compensation(session, year.period(7)).amount == yuan(15_000)
    assert income_of_year(session, "2026-06") == yuan(500_000)
    months = (
        select(IncomeHistory.month).where(IncomeHistory.amount > 0).order_by(IncomeHistory.month)
    )
    assert session.scalars(months).all() == [f"2026-0{number}" for number in range(1, 7)]
    sheet, income = balance_sheet(session, "2026-06"), income_statement(session, "2026-06")
    assert sheet.differences == (0, 0)
    cash = sheet.line(1)
    assert (cash.current, cash.prior) == (yuan(603_000), yuan(200_000))
    earned = income.line(1)
    assert (earned.current, earned.prior) == (0, yuan(500_000))
    assert income.line(40).prior == yuan(356_000)
    again = opening.load_opening(year.ctx(), half_a_year())
    assert (again.year_figures["2602"], session.scalar(select(func.count(OpeningImport.id)))) == (
        ["-13000.00", "8000.00", "55000.00"],
        1,
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            ["1002", "银行存款", "借", "7", "3", "2", "9"],
            "年初余额 7.00 加本年累计应为 8.00，与余额 9.00 不符",
        ),
        (["1002", "银行存款", "借", "很多", "3", "2", "1"], "年初余额"),
    ],
)
def test_columns_of_the_year_that_do_not_lead_to_the_balance_are_named(year, row, said):
    plan = opening.preview_opening(year.ctx(), half_a_year(row))
    assert any(said in error.text and "第 11 行" in error.text for error in plan.errors)


def test_starts_of_the_year_that_do_not_balance_are_refused(year):
    rows = (
        ["1001", "库存现金", "借", "6", "0", "1", "5"],
        ["4001", "实收资本", "贷", "5", "0", "0", "5"],
    )
    plan = opening.preview_opening(
        year.ctx(), balances(*rows, head=YEAR_HEAD, period="期间:2026年6月")
    )
    assert [error.message for error in plan.errors] == [
        "年初余额借贷不平：借方减贷方相差 1.00 元，未装入"
    ]


def test_an_opening_in_mid_year_asks_for_the_columns(year):
    rows = ["1001", "库存现金", "借", "5"], ["4001", "实收资本", "贷", "5"]
    plan = opening.preview_opening(year.ctx(), balances(*rows, period="期间:2026年6月"))
    assert any("没有“年初余额”和“本年累计”列" in notice for notice in plan.notices)
    assert opening.preview_opening(year.ctx(), balances(*rows)).notices == []


def test_heads_over_two_rows_and_an_account_that_changed_sides(year):
    """U8 writes 年初 and 本年累计 as pairs; a bank that was overdrawn at the start stands on the other side."""
    pairs = ["科目编码", "科目名称", *("年初余额", None, "本年累计发生额", None, "期末余额", None)]
    sides = [None, None, *["借方", "贷方"] * 3]
    made = (
        "余额.xlsx",
        book(
            [
                ["期间:2026年6月"],
                pairs,
                sides,
                ["1002", "银行存款", None, 20, 50, None, 30, None],
                ["4001", "实收资本", 20, None, None, 50, None, 30],
            ]
        ),
    )
    plan = opening.preview_opening(year.ctx(), made)
    assert plan.errors == []
    assert plan.years["1002"].start == -20
    bank, capital = (
        ["1002", "银行", "借", "20", "50", "0", "30"],
        ["4001", "资本", "贷", "-20", "0", "50", "30"],
    )
    one_side = balances(bank, capital, head=YEAR_HEAD, period="期间:2026年6月")
    assert opening.preview_opening(year.ctx(), one_side).years["1002"].start == -20
