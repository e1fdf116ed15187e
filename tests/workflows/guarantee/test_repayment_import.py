"""Repayments from the bank's Excel: found by column names, previewed row by row, all or none, never twice."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.base.errors import NotAllowed
from models.guarantee.project import Stage
from models.guarantee.repayment import Repayment, RepaymentSource
from tests.sheets import book
from tests.workflows.guarantee.factories import ACCOUNTANT, CASHIER, MANAGER, OUTSIDER, TODAY
from workflows import verify
from workflows.base.workbook import WorkbookError
from workflows.guarantee import repayment, repayment_import
from workflows.guarantee.plan_import import PlanError

STAGES = (Stage.CONFIRM,)
HEAD = ["借据号", "还款日期", "还本金额", "还息金额"]


@pytest.fixture
def loan(line):
    return line.confirm(line.at(Stage.CONFIRM))


@pytest.fixture
def rows(line, loan):
    return repayment.plan_rows(line.session, loan)


def two_payments(loan, rows):
    """The first two instalments as the bank lists them, the later one first, with title, serial numbers and a total."""
    first, second = rows[:2]
    total = (first.principal + second.principal, first.interest + second.interest)
    return book(
        ["贷款还款明细"],
        ["序号", "客户名称", *HEAD],
        [
            1,
            "某公司",
            loan.bank_note_no,
            second.due_on,
            float(second.principal),
            float(second.interest),
        ],
        [],
        [2, "某公司", loan.number, "2026年4月2日", f"{first.principal:,.2f}", str(first.interest)],
        ["合计", None, None, None, float(total[0]), float(total[1])],
    )


def count(line):
    return line.session.scalar(select(func.count(Repayment.id)))


def test_the_preview_tells_and_keeps_nothing(line, loan, rows):
    line.today = rows[1].due_on
    found = repayment_import.preview(line.ctx(MANAGER), two_payments(loan, rows), "还款.xlsx")
    assert [(o.row.row_no, o.label, o.customer) for o in found] == [
        (3, "新增", "CONFIRM 公司"),
        (5, "新增", "CONFIRM 公司"),
    ]
    assert found[0].balance_after == 5_000_000 - rows[0].principal - rows[1].principal
    assert (count(line), loan.balance, rows[0].principal_paid) == (0, 5_000_000, 0)


def test_the_import_registers_in_the_order_of_payment_and_only_once(line, loan, rows):
    line.today = rows[1].due_on
    data = two_payments(loan, rows)
    repayment_import.import_file(line.ctx(MANAGER), data, "还款.xlsx")
    found = line.session.scalars(select(Repayment).order_by(Repayment.id)).all()
    assert [(r.paid_on, r.principal, r.source, r.file_name) for r in found] == [
        (row.due_on, row.principal, RepaymentSource.IMPORTED, "还款.xlsx") for row in rows[:2]
    ]
    again = repayment_import.import_file(line.ctx(MANAGER), data, "还款.xlsx")
    assert ({o.label for o in again}, count(line)) == ({"已登记"}, 2)
    assert verify.verify_repayments(line.session) == verify.verify_plans(line.session) == []


def test_equal_payments_of_one_day_count_as_often_as_the_file_has_them(line, loan):
    once = [loan.bank_note_no, TODAY, 100, 0]
    repayment_import.import_file(line.ctx(MANAGER), book(HEAD, once), "a.xlsx")
    found = repayment_import.import_file(line.ctx(MANAGER), book(HEAD, once, once), "b.xlsx")
    assert ([o.label for o in found], count(line)) == (["已登记", "新增"], 2)


def test_one_bad_row_keeps_all_out_and_is_named(line, loan):
    data = book(
        HEAD,
        [loan.bank_note_no, TODAY, 100, 0],
        ["JJ-不存在", TODAY, 1, 0],
        [loan.bank_note_no, TODAY, "6000000", 0],
        [loan.bank_note_no, date(2027, 1, 1), 1, "-"],
    )
    found = repayment_import.preview(line.ctx(MANAGER), data, "还款.xlsx")
    assert [o.label for o in found] == ["新增", "有误", "有误", "有误"]
    outer = line.session.begin_nested()
    with pytest.raises(PlanError) as refused:
        repayment_import.import_file(line.ctx(MANAGER), data, "还款.xlsx")
    outer.rollback()
    for words in (
        "第 3 行“借据号”列：没有这个借据号",
        "第 4 行“还本金额”列：尚欠本金",
        "第 5 行“还款日期”列",
    ):
        assert words in refused.value.message
    assert count(line) == 0


def test_rows_that_cannot_be_read_are_all_named(line):
    data = book(
        HEAD,
        [None, "2026-02-30", "一百", True],
        ["JJ1", TODAY, "1.005", 0],
        ["合计", None, 5, None],
    )
    with pytest.raises(PlanError) as refused:
        repayment_import.parse(data, "还款.xlsx")
    assert [(r.row_no, r.column) for r in refused.value.rows] == [
        (2, "借据号"),
        (2, "还款日期"),
        (2, "还本金额"),
        (2, "还息金额"),
        (3, "还本金额"),
    ]


def test_units_in_the_heads_and_numbers_as_note_numbers(line):
    data = book(["借据编号", "实还日期", "本金（万元）", "利息(元)"], [20260001, 46083, 1.5, None])
    (row,) = repayment_import.parse(data, "还款.xlsx")
    assert (row.note_no, row.paid_on, row.principal, row.interest) == (
        "20260001",
        date(2026, 3, 2),
        Decimal("15000.00"),
        Decimal("0.00"),
    )


def test_a_total_that_is_not_the_sum_is_refused(line):
    data = book(HEAD, ["JJ1", TODAY, 100, 1], ["合计", None, 90, "-"])
    with pytest.raises(PlanError, match=r"合计 90.00 与各行之和 100.00 不一致"):
        repayment_import.parse(data, "还款.xlsx")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (book(["借据号", "还款日期"]), "未找到还款明细表"),
        (book(HEAD), "没有任何一行"),
        (book(HEAD, ["JJ1", TODAY, 1, 0], sheets=[("明细2", [HEAD])]), "请只保留一张"),
    ],
)
def test_files_without_the_one_table_are_refused(data, message):
    with pytest.raises(PlanError, match=message):
        repayment_import.parse(data, "还款.xlsx")


def test_what_is_no_workbook_is_refused(line):
    with pytest.raises(WorkbookError):
        repayment_import.preview(line.ctx(MANAGER), b"PK nonsense", "还款.xlsx")


def test_importing_needs_the_right_and_sees_only_ones_own_loans(line, loan):
    data = book(HEAD, [loan.bank_note_no, TODAY, 100, 0])
    for verb in (repayment_import.preview, repayment_import.import_file):
        with pytest.raises(NotAllowed):
            verb(line.ctx(ACCOUNTANT), data, "还款.xlsx")
    (found,) = repayment_import.preview(line.ctx(OUTSIDER), data, "还款.xlsx")
    assert "不在您的数据范围内" in found.problem.message


def test_interest_beyond_the_plan_is_taken_as_the_bank_says_and_told(line, loan, rows):
    line.today = rows[0].due_on
    data = book(
        HEAD,
        [loan.bank_note_no, rows[0].due_on, float(rows[0].principal), float(rows[0].interest * 2)],
    )
    (found,) = repayment_import.preview(line.ctx(MANAGER), data, "还款.xlsx")
    assert (found.label, found.extra_interest) == ("新增", rows[0].interest)
    repayment_import.import_file(line.ctx(MANAGER), data, "还款.xlsx")
    made = line.session.scalars(select(Repayment)).one()
    assert (made.extra_interest, rows[0].is_open) == (rows[0].interest, False)
    assert verify.verify_repayments(line.session) == []


# --- what the bank takes back, and files of a whole bank --------------------------------------------------------


def importing(line, who, data, **more):
    return [
        o.label
        for o in sorted(
            repayment_import.import_file(line.ctx(who), data, "a.xlsx", **more),
            key=lambda o: o.row.row_no,
        )
    ]


def states(line):
    return sorted(
        (r.paid_on.isoformat(), r.principal, r.state.name)
        for r in line.session.scalars(select(Repayment))
    )


def test_what_the_bank_takes_back_later_is_reversed_once(line, loan):
    once = [loan.bank_note_no, TODAY, 100, 5]
    back = [loan.bank_note_no, TODAY, "(100.00)", "-5"]
    importing(line, MANAGER, book(HEAD, once))
    assert importing(line, MANAGER, book(HEAD, back)) == ["冲正"]
    assert (states(line), loan.balance) == ([(TODAY.isoformat(), 100, "REVERSED")], 5_000_000)
    assert "银行冲正" in line.session.scalars(select(Repayment)).one().reversal_reason
    assert importing(line, MANAGER, book(HEAD, back)) == ["已登记"]
    assert verify.verify_repayments(line.session) == []


def test_a_repayment_and_its_reversal_in_one_file_leave_nothing(line, loan):
    rows = (
        [loan.bank_note_no, TODAY, 100, 5],
        [loan.bank_note_no, TODAY, -100, -5],
        [loan.bank_note_no, TODAY, 90, 5],
    )
    assert importing(line, MANAGER, book(HEAD, *rows)) == ["对冲", "对冲", "新增"]
    assert importing(line, MANAGER, book(HEAD, *rows)) == ["对冲", "对冲", "已登记"]
    assert states(line) == [(TODAY.isoformat(), 90, "BOOKED")]


def test_a_file_of_the_whole_month_reverses_what_an_earlier_one_brought(line, loan):
    first = [loan.bank_note_no, TODAY, 100, 5]
    importing(line, MANAGER, book(HEAD, first))
    whole = book(HEAD, first, [loan.bank_note_no, TODAY, "（100）", "（5）"])
    assert importing(line, MANAGER, whole) == ["已登记", "冲正"]
    assert importing(line, MANAGER, whole) == ["对冲", "对冲"]
    assert states(line) == [(TODAY.isoformat(), 100, "REVERSED")]


def test_a_reversal_of_nothing_is_named_at_its_cell(line, loan):
    data = book(HEAD, [loan.bank_note_no, TODAY, -100, 0], [loan.bank_note_no, TODAY, -100, 5])
    found = repayment_import.preview(line.ctx(MANAGER), data, "a.xlsx")
    assert [(str(o.problem)) for o in found] == [
        "第 2 行“还本金额”列：要冲正的还款没有登记过（借据、本金、利息须与原还款一致）",
        "第 3 行“还本金额”列：本金与利息一正一负，请分行",
    ]


def test_rows_beyond_the_scope_are_listed_and_never_fail_the_rest(line, loan):
    data = book(HEAD, [loan.bank_note_no, TODAY, 100, 0])
    assert importing(line, OUTSIDER, data) == ["不在范围"]
    (found,) = repayment_import.preview(line.ctx(OUTSIDER), data, "a.xlsx")
    assert (found.customer, found.bank, count(line)) == ("", "", 0)


def test_the_cashier_imports_the_whole_file_of_a_bank(line, loan):
    data = book(HEAD, [loan.bank_note_no, TODAY, 100, 0])
    assert importing(line, CASHIER, data) == ["新增"]
    assert importing(line, CASHIER, book(HEAD, [loan.bank_note_no, TODAY, -100, 0])) == ["冲正"]


def test_the_right_to_a_whole_file_reaches_beyond_ones_own_scope(line, loan):
    data = book(HEAD, [loan.bank_note_no, TODAY, 100, 0])
    ctx = line.ctx(OUTSIDER)
    rights = ctx.actor.permissions | {("can_import_bank", "repayment")}
    wide = replace(ctx, actor=replace(ctx.actor, permissions=rights))
    assert [one.label for one in repayment_import.preview(wide, data, "a.xlsx")] == ["新增"]


def test_rows_of_strangers_are_asked_about(line, loan):
    data = book(
        HEAD,
        [loan.bank_note_no, TODAY, 100, 0],
        ["别行 0001", TODAY, 1, 0],
        ["别行 0002", TODAY, 1, 0],
    )
    found = repayment_import.preview(line.ctx(CASHIER), data, "a.xlsx")
    assert ([o.label for o in found], found.unknown) == (["新增", "有误", "有误"], 2)
    assert found.questions == ["2 行的借据号系统中没有，可能属于别的担保机构或别的银行"]
    with pytest.raises(PlanError, match="没有这个借据号"), line.session.begin_nested():
        repayment_import.import_file(line.ctx(CASHIER), data, "a.xlsx")
    assert importing(line, CASHIER, data, answered=True) == ["新增", "有误", "有误"]
    assert count(line) == 1


def test_the_penalty_is_interest_and_told(line, loan, rows):
    line.today = rows[0].due_on
    data = book([*HEAD, "实还罚息", "贷款余额"], [loan.bank_note_no, rows[0].due_on, 100, 5, 2, 7])
    (found,) = repayment_import.preview(line.ctx(MANAGER), data, "a.xlsx")
    assert (found.row.interest, found.row.penalty, found.row.balance) == (7, 2, 7)
    importing(line, MANAGER, data)
    assert line.session.scalars(select(Repayment)).one().note == "含罚息 2.00 元"
