"""Banks' repayment plans are read whatever they look like, and never partly in silence."""

import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.errors import BusinessError
from models.base.moments import add_months
from models.base.money import format_money
from models.guarantee.product import RepaymentMethod
from reports.figures.schedules import Instalment, build_schedule
from workflows.base.workbook import WorkbookError
from workflows.guarantee.plan_import import (
    ParsedPlan,
    PlanError,
    RowError,
    check_plan,
    parse_plan,
    read_date,
)

DATA = Path(__file__).parents[2] / "data"
HEADER = ["期数", "应还日期", "应还本金", "应还利息", "应还合计", "剩余本金"]
ROWS = [
    [1, "2026-02-15", "400.00", "10.00", "410.00", "600.00"],
    [2, "2026-03-15", "300.00", "6.00", "306.00", "300.00"],
    [3, "2026-04-15", "300.00", "3.00", "303.00", "0.00"],
]
PLAN = [
    (1, date(2026, 2, 15), Decimal(400), Decimal(10)),
    (2, date(2026, 3, 15), Decimal(300), Decimal(6)),
    (3, date(2026, 4, 15), Decimal(300), Decimal(3)),
]
LOAN = {"loan_amount": Decimal(1000), "start_on": date(2026, 1, 15), "end_on": date(2026, 4, 15)}


def book(*sheets):
    """Bytes of a workbook with these sheets, each a list of rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, rows in enumerate(sheets):
        sheet = made.create_sheet(f"表{number + 1}")
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def parse(*sheets):
    return parse_plan(book(*sheets), "计划.xlsx")


def errors_of(*sheets):
    with pytest.raises(PlanError) as error:
        parse(*sheets)
    return error.value.rows


def figures(plan):
    return [(row.seq, row.due_on, row.principal, row.interest) for row in plan.instalments]


def changed(at, column, value):
    """The small plan with one cell replaced; at counts from 0."""
    rows = [list(row) for row in ROWS]
    rows[at][HEADER.index(column)] = value
    return [HEADER, *rows]


# --- the samples -----------------------------------------------------------------------------------------------------


def test_the_plan_of_bank_a_with_heading_text_amounts_and_total_row():
    plan = parse_plan(
        (DATA / "bank_repayment_plan_a.xlsx").read_bytes(), "bank_repayment_plan_a.xlsx"
    )
    assert plan.instalments[0] == Instalment(
        1, date(2026, 2, 15), Decimal("408424.50"), Decimal("18125.00"), 5
    )
    assert plan.instalments[11] == Instalment(
        12, date(2027, 1, 15), Decimal("425008.87"), Decimal("1540.66"), 16
    )
    assert len(plan.instalments) == 12
    assert (
        sum(row.principal for row in plan.instalments)
        == plan.total_principal
        == plan.loan_amount
        == 5_000_000
    )
    assert (
        sum(row.interest for row in plan.instalments) == plan.total_interest == Decimal("118594.03")
    )
    assert (plan.borrower, plan.note_no) == ("杭州江南精密机械有限公司", "JJ2026791514")
    assert (plan.rate_annual_pct, plan.unit, plan.sheet) == (Decimal("4.35"), 1, "还款计划表")
    assert plan.warnings == []
    check_plan(
        plan, loan_amount=Decimal(5_000_000), start_on=date(2026, 1, 15), end_on=date(2027, 1, 15)
    )


def test_the_plan_of_bank_b_with_other_names_and_real_numbers():
    plan = parse_plan(
        (DATA / "bank_repayment_plan_b.xlsx").read_bytes(), "bank_repayment_plan_b.xlsx"
    )
    assert plan.instalments[24] == Instalment(
        25, date(2028, 2, 29), Decimal(340158), Decimal("13329.66"), 26
    )
    assert plan.instalments[35] == Instalment(
        36, date(2029, 1, 31), Decimal("352357.08"), Decimal("1130.48"), 37
    )
    assert len(plan.instalments) == 36
    assert sum(row.principal for row in plan.instalments) == 12_000_000
    assert sum(row.interest for row in plan.instalments) == Decimal("725555.66")
    assert (plan.loan_amount, plan.total_principal, plan.borrower) == (None, None, None)
    check_plan(
        plan, loan_amount=Decimal(12_000_000), start_on=date(2026, 1, 31), end_on=date(2029, 1, 31)
    )


# --- any layout ------------------------------------------------------------------------------------------------------

NAMES = {
    "seq": ["期数", "期次", "还款期次", "序号", " 期 数 "],
    "due_on": ["应还日期", "到期日", "还款日", "还款日期", "应还款日"],
    "principal": ["应还本金", "本金", "其中:本金", "其中：本金", "本期本金"],
    "interest": ["应还利息", "利息", "其中:利息", "其中：利息"],
    "total": ["应还合计", "本期本息合计", "本息合计"],
    "balance": ["剩余本金", "本金余额"],
}
DATE_FORMS = [
    lambda day: day,
    lambda day: datetime(day.year, day.month, day.day),  # noqa: DTZ001 - Excel knows no zones
    lambda day: f"{day:%Y/%m/%d}",
    lambda day: f"{day.year}-{day.month}-{day.day}",
    lambda day: f"{day:%Y.%m.%d}",
    lambda day: f"{day.year}年{day.month}月{day.day}日",
    lambda day: f"{day:%Y%m%d}",
    lambda day: int(f"{day:%Y%m%d}"),
    lambda day: (day - date(1899, 12, 30)).days,
    lambda day: f"{day.year}-{day.month}-{day.day} 00:00:00",
]
HEADINGS = [
    [],
    ["某某银行股份有限公司 还款计划表"],
    ["借款人：甲公司", None, None, "借据号：JJ1"],
    ["年利率:4.35%"],
    [None],
    ["打印日期:2026-01-01"],
]
TRAILERS = [
    [],
    [None],
    ["备注：以银行系统为准"],
    ["说明", "提前还款请提前 30 日书面申请"],
    ["制表人：张三", "2026-01-05"],
]


@st.composite
def written_plans(draw):
    """A plan and the workbook a bank might make of it."""
    start_on = draw(st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 1, 1)))
    plan = build_schedule(
        draw(st.sampled_from([way for way in RepaymentMethod if way.name != "CUSTOM"])),
        draw(st.decimals(min_value=10_000, max_value=90_000_000, places=2)),
        draw(st.decimals(min_value="0.5", max_value=15, places=2)),
        start_on,
        add_months(start_on, draw(st.integers(1, 14))),
        pay_day=draw(st.none() | st.integers(1, 31)),
    )
    factor, unit_name, unit_place = draw(
        st.sampled_from(
            [
                (1, "元", "none"),
                (1, "元", "name"),
                (10_000, "万元", "name"),
                (10_000, "万元", "heading"),
            ]
        )
    )
    optional = draw(st.sets(st.sampled_from(["seq", "total", "balance"])))
    columns = draw(st.permutations(["due_on", "principal", "interest", *sorted(optional)]))
    form = draw(st.sampled_from(DATE_FORMS))
    as_text = draw(st.booleans())

    def money(amount):
        scaled = amount / factor
        return (
            f"{scaled:,.6f}"
            if as_text and factor > 1
            else format_money(scaled)
            if as_text
            else float(scaled)
        )

    rows = [*draw(st.lists(st.sampled_from(HEADINGS), max_size=4))]
    if unit_place == "heading":
        rows.insert(draw(st.integers(0, len(rows))), [None, f"单位：人民币{unit_name}"])
    suffix = f"（{unit_name}）" if unit_place == "name" else ""
    names = {field: draw(st.sampled_from(NAMES[field])) for field in columns}
    header = [
        names[f] + (suffix if f in {"principal", "interest", "total", "balance"} else "")
        for f in columns
    ]
    rows.append(header)
    left = sum(row.principal for row in plan)
    break_after = draw(st.integers(0, 20))
    for at, row in enumerate(plan):
        left -= row.principal
        cells = {
            "seq": draw(st.sampled_from([row.seq, str(row.seq), f"第{row.seq}期"])),
            "due_on": form(row.due_on),
            "principal": money(row.principal),
            "interest": money(row.interest),
            "total": money(row.total),
            "balance": money(left),
        }
        rows.append([cells[field] for field in columns])
        if at == break_after:
            rows += [[None], header]
    if columns[0] in {"seq", "due_on"} and draw(st.booleans()):
        sums = {
            "principal": money(sum(row.principal for row in plan)),
            "interest": money(sum(row.interest for row in plan)),
            "total": money(sum(row.total for row in plan)),
        }
        rows.append(
            [
                draw(st.sampled_from(["合计", "合 计", "总计："])),
                *(sums.get(field) for field in columns[1:]),
            ]
        )
    rows += draw(st.lists(st.sampled_from(TRAILERS), max_size=3))
    indent = draw(st.integers(0, 2))
    sheet = [[None] * indent + list(row) for row in rows]
    other = draw(st.sampled_from([None, [["说明"], ["本工作簿由银行系统生成"]]]))
    sheets = [sheet] if other is None else draw(st.permutations([sheet, other]))
    return plan, book(*sheets)


@settings(max_examples=150)
@given(written_plans())
def test_a_plan_reads_back_exactly_whatever_its_layout(written):
    plan, data = written
    parsed = parse_plan(data, "plan.xlsx")
    assert figures(parsed) == [(row.seq, row.due_on, row.principal, row.interest) for row in plan]
    check_plan(
        parsed,
        loan_amount=sum(row.principal for row in plan),
        start_on=plan[0].due_on,
        end_on=plan[-1].due_on,
    )


@settings(max_examples=60)
@given(
    at=st.integers(0, 2),
    column=st.sampled_from(HEADER),
    value=st.sampled_from(
        [
            "4O0.00",
            "?",
            "#REF!",
            "2026-02-30",
            "2026/13/01",
            "壹佰",
            "12,00",
            "0.001",
            "-5.00",
            "999.99",
            "",
        ]
    ),
)
def test_no_damaged_cell_goes_unnoticed(at, column, value):
    # these only repeat others: blank is no damage
    if not value and column in {
        "应还合计",
        "剩余本金",
    }:
        assert figures(parse(changed(at, column, value))) == PLAN
        return
    with pytest.raises(PlanError, match=f"第 {at + 2} 行“|不一致"):
        check_plan(parse(changed(at, column, value)), **LOAN)


def test_a_header_over_two_merged_rows():
    sheet = [
        ["还款计划"],
        ["期数", "应还日期", "应还款", None, None, "实还款", None, "剩余本金"],
        [None, None, "本金", "利息", "合计", "本金", "利息", None],
        *[[*row[:5], None, None, row[5]] for row in ROWS],
    ]
    assert figures(parse(sheet)) == PLAN


def test_a_second_header_row_of_units():
    rows = [[seq, due, "0.04", "0.001", "0.041", None] for seq, due, *_ in ROWS]
    plan = parse([HEADER, [None, None, "（万元）", "（万元）", "（万元）", None], *rows])
    assert figures(plan)[0] == (1, date(2026, 2, 15), Decimal(400), Decimal(10))
    assert plan.instalments[0].row_no == 3


def test_text_files_serve_as_well():
    lines = [",".join(map(str, row)) for row in [HEADER, *ROWS]]
    assert figures(parse_plan("\n".join(lines).encode("gb18030"), "a.csv")) == PLAN


def test_the_total_column_stands_in_for_a_missing_interest_column():
    plan = parse([["还款日", "本金", "合计"], *[[row[1], row[2], row[4]] for row in ROWS]])
    assert figures(plan) == PLAN


def test_a_plan_without_interest_says_so():
    plan = parse([["还款日", "本金"], *[row[1:3] for row in ROWS]])
    assert sum(row.interest for row in plan.instalments) == 0
    assert plan.warnings == ["未找到利息列，各期利息按 0 计"]


def test_a_balance_before_the_payment_is_understood():
    rows = [
        [*row[:5], balance]
        for row, balance in zip(ROWS, ["1,000.00", "600.00", "300.00"], strict=True)
    ]
    assert figures(parse([HEADER, *rows])) == PLAN


def test_a_balance_column_with_holes_is_said_not_to_have_been_checked():
    rows = [
        [*row[:5], balance] for row, balance in zip(ROWS, ["600.00", None, "0.00"], strict=True)
    ]
    plan = parse([HEADER, *rows])
    assert figures(plan) == PLAN
    assert "剩余本金列不完整，未核对" in plan.warnings


def test_dashes_stand_for_nothing_due():
    rows = [[1, "2026-02-15", "-", "10"], [2, "2026-03-15", "1,000.00", "——"]]
    assert [row.total for row in parse([HEADER[:4], *rows]).instalments] == [10, 1000]


# --- heading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "facts"),
    [
        (
            [["借款人", "乙公司"], ["贷款金额", 1000], ["年利率", 0.0435]],
            ("乙公司", None, 1000, Decimal("4.35")),
        ),
        ([["贷款金额（万元）：", 0.1]], (None, None, 1000, None)),
        ([["单位：万元"], ["贷款金额：0.1"]], (None, None, 1000, None)),
        (
            [["借款人：乙公司  借据号：J-1  贷款金额：1,000元  年利率：4.35%"]],
            ("乙公司", "J-1", 1000, Decimal("4.35")),
        ),
        ([["借款人：", "借据号：J-2"]], (None, "J-2", None, None)),
        ([["月利率：3.6‰"], ["借款单位：万元集团"]], ("万元集团", None, None, None)),
    ],
)
def test_facts_above_the_table(heading, facts):
    table = [HEADER, *ROWS]
    if any("单位：万元" in str(row[0]) for row in heading if "借款" not in str(row[0])):
        table = [
            ["期数", "应还日期", "应还本金（元）", "应还利息（元）"],
            *[row[:4] for row in ROWS],
        ]
    plan = parse([*heading, *table])
    assert (plan.borrower, plan.note_no, plan.loan_amount, plan.rate_annual_pct) == facts
    assert figures(plan) == PLAN


def test_an_unreadable_loan_amount_in_the_heading_is_reported():
    plan = parse([["贷款金额：壹仟元整"], HEADER, *ROWS])
    assert plan.loan_amount is None
    assert "第 1 行的贷款金额未能识别" in plan.warnings[0]


def test_a_date_where_the_loan_amount_should_stand_is_no_amount():
    plan = parse([["贷款金额：", date(2026, 3, 2)], HEADER, *ROWS])
    assert plan.loan_amount is None


# --- rows that are no instalments, and instalments that are broken ---------------------------------------------------


def test_subtotals_and_totals_are_checked_and_skipped():
    sheet = [
        HEADER,
        *ROWS[:2],
        ["小计", None, "700.00", "16.00", "716.00"],
        ROWS[2],
        ["小计", None, "300.00", "3.00", "303.00"],
        ["合计", None, "1,000.00", "19.00", "1,019.00"],
    ]
    plan = parse(sheet)
    assert figures(plan) == PLAN
    assert (plan.total_principal, plan.total_interest) == (1000, 19)


def test_a_header_repeated_on_each_printed_page_is_no_note():
    plan = parse([HEADER, *ROWS[:2], HEADER, ROWS[2]])
    assert figures(plan) == PLAN
    assert plan.warnings == []


def test_a_wrong_total_is_named():
    rows = errors_of([HEADER, *ROWS, ["合计", None, "1,000.01", "19.00", "1,019.00"]])
    assert rows == [RowError(5, "应还本金", "合计 1,000.01 与各期之和 1,000.00 不一致")]


def test_notes_are_skipped_and_unknown_rows_reported():
    sheet = [
        HEADER,
        *ROWS,
        ["注：以系统为准"],
        ["制表人：张三", None, None, "复核：李四"],
        ["日期", "2026-01-05"],
        ["完"],
    ]
    plan = parse(sheet)
    assert figures(plan) == PLAN
    assert plan.warnings == ["第 7 行未作为还款期读取：日期", "第 8 行未作为还款期读取：完"]


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("期数", "二?", "期数为空或不是数字"),
        ("期数", None, "期数为空或不是数字"),
        ("应还日期", "2026/02/30", "不存在"),
        ("应还日期", "2026年3月", "不是有效的日期"),
        ("应还日期", None, "日期为空"),
        ("应还日期", "26/03/15", "不是有效的日期"),
        ("应还本金", "3OO.00", "不是有效的金额"),
        ("应还本金", None, "为空"),
        ("应还本金", "3,00.00", "是否为 300.00？"),
        ("应还本金", 300.001, "分以下"),
        ("应还本金", True, "不是有效的金额"),
        ("应还本金", date(2026, 3, 15), "不是有效的金额"),
        ("应还利息", "六元", "不是有效的金额"),
        ("应还利息", None, "为空"),
        ("应还合计", "306.01", "306.01 不等于本金加利息 306.00"),
        ("剩余本金", "300.01", "300.01 与推算的 300.00 不一致"),
        ("剩余本金", "abc", "不是有效的金额"),
    ],
)
def test_a_broken_instalment_names_its_row_and_column(column, value, part):
    first = errors_of(changed(1, column, value))[0]
    assert (first.row_no, first.column) == (3, column)
    assert part in first.message


@pytest.mark.parametrize(
    "row",
    [
        [2, None, None, None, None, None],
        [None, None, "300.00", None, None, None],
        [None, "2026-03-15", None, None, None, None],
        [None, "2026-03-1S", "3OO.00", None, None, None],
        ["合计", "2026-03-15", "300.00", "6.00", "306.00", None],
        ["备注", "2026-03-15", "300.00", "6.00", "306.00", None],
    ],
)
def test_what_could_be_an_instalment_is_never_skipped(row):
    assert {error.row_no for error in errors_of([HEADER, ROWS[0], row, ROWS[2]])} == {3}


def test_all_faults_are_reported_at_once_in_order():
    rows = errors_of([HEADER, [1, "x", "y", "z"], ROWS[1], [3, "2026-02-31", "1.00", "0"]])
    assert [(row.row_no, row.column) for row in rows] == [
        (2, "应还日期"),
        (2, "应还本金"),
        (2, "应还利息"),
        (4, "应还日期"),
    ]


def test_the_message_of_many_faults_stays_short():
    with pytest.raises(PlanError) as error:
        parse([HEADER, *[[n, "x", "y", "z"] for n in range(1, 30)]])
    assert isinstance(error.value, BusinessError)
    assert str(error.value).endswith("共 87 处错误")
    assert "第 2 行“应还日期”列" in error.value.message


@pytest.mark.parametrize(
    ("sheets", "part"),
    [
        ([[["无关", "内容"]]], "未找到还款计划表"),
        ([[]], "未找到还款计划表"),
        ([[HEADER]], "没有任何一期"),
        ([[HEADER, *ROWS], [HEADER, *ROWS]], "工作表 表1、表2 中都有还款计划表"),
        ([[[*HEADER, "应还本金"], *ROWS]], "两列同名"),
    ],
)
def test_files_without_one_clear_plan_are_refused(sheets, part):
    assert part in errors_of(*sheets)[0].message


def test_a_file_that_is_no_workbook_is_refused_as_such():
    with pytest.raises(WorkbookError, match="0 字节"):
        parse_plan(b"", "a.xlsx")


# --- dates -----------------------------------------------------------------------------------------------------------


@given(
    st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 12, 31)), st.sampled_from(DATE_FORMS)
)
def test_every_form_of_a_day_is_understood(day, form):
    value = form(day)
    assert read_date(Decimal(value) if isinstance(value, int) else value) == day


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("２０２６／２／１５", date(2026, 2, 15)),
        ("2026 年 2 月 15 日", date(2026, 2, 15)),
        ("2026-2-1 00:00", date(2026, 2, 1)),
    ],
)
def test_full_width_and_spaced_days(value, expected):
    assert read_date(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "2026-02-30",
        "2026-00-10",
        "2026-2",
        "15/02/2026",
        "20261301",
        "1899-01-01",
        Decimal(99999),
        Decimal(-1),
        True,
    ],
)
def test_what_is_no_day_is_refused_in_chinese(value):
    with pytest.raises(ValueError, match="日期"):
        read_date(value)


# --- against the loan ------------------------------------------------------------------------------------------------


def plan_of(*rows, **facts):
    return ParsedPlan(
        [Instalment(*row, row_no=at) for at, row in enumerate(rows, start=2)], **facts
    )


def refusals(plan, **change):
    with pytest.raises(PlanError) as error:
        check_plan(plan, **{**LOAN, **change})
    return [(row.row_no, row.column, row.message) for row in error.value.rows]


def with_row(at, **change):
    names = ("seq", "due_on", "principal", "interest")
    rows = [dict(zip(names, row, strict=True)) for row in PLAN]
    rows[at].update(change)
    return plan_of(*[tuple(row.values()) for row in rows])


def test_a_plan_that_fits_passes():
    assert check_plan(plan_of(*PLAN), **LOAN) is None


def test_interest_alone_is_a_fair_instalment():
    check_plan(with_row(0, principal=Decimal(0)), **{**LOAN, "loan_amount": Decimal(600)})


@pytest.mark.parametrize(
    ("at", "change", "place", "part"),
    [
        (0, {"due_on": date(2026, 1, 14)}, (2, "应还日期"), "早于放款日"),
        (2, {"due_on": date(2026, 4, 16)}, (4, "应还日期"), "晚于到期日"),
        (1, {"due_on": date(2026, 2, 15)}, (3, "应还日期"), "不晚于上一期"),
        (1, {"seq": 1}, (3, "期数"), "期数 1 重复"),
        (1, {"interest": Decimal(-1)}, (3, "应还利息"), "不能为负数"),
    ],
)
def test_a_row_that_does_not_fit_is_named(at, change, place, part):
    [(row_no, column, message)] = refusals(with_row(at, **change))
    assert (row_no, column) == place
    assert part in message


def test_empty_and_negative_instalments_are_refused():
    empty = with_row(1, principal=Decimal(0), interest=Decimal(0))
    assert (3, "应还本金", "第 2 期本金和利息都为 0") in refusals(empty, loan_amount=Decimal(700))
    negative = with_row(1, principal=Decimal(-300))
    assert (3, "应还本金", "第 2 期本金不能为负数") in refusals(negative, loan_amount=Decimal(400))


def test_the_principal_must_add_up_to_the_loan_to_the_fen():
    assert refusals(plan_of(*PLAN), loan_amount=Decimal("1000.01")) == [
        (0, "应还本金", "本金合计 1,000.00 元与贷款金额 1,000.01 元不一致")
    ]


def test_the_amount_in_the_heading_must_be_that_of_the_loan():
    [(_, _, message)] = refusals(plan_of(*PLAN, loan_amount=Decimal(2000)))
    assert message == "文件所载贷款金额 2,000.00 元与借据金额 1,000.00 元不一致"


def test_a_plan_without_instalments_is_refused():
    assert "本金合计 0.00 元" in refusals(plan_of())[0][2]
