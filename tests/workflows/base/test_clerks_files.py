"""Clerks' files are read in whatever shape a GL product or a bank writes them, and never partly in silence."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.money import format_money
from tests.sheets import book
from workflows.base.sheet_cells import Span, Totals, months_above, read_date, read_money, total_span
from workflows.base.workbook import WorkbookError
from workflows.guarantee.plan_import import PlanError, parse_plan
from workflows.guarantee.repayment_sheets import read_statement
from workflows.ledger.opening_sheets import (
    account_code,
    code_scheme,
    read_auxiliaries,
    read_balances,
)

REAL = Path(__file__).parents[2] / "data" / "real"
U8, KINGDEE = "O1_U8_发生额及余额表.xlsx", "O3_金蝶_科目余额表.xls"
WITH_TIME, PER_PAGE, PER_SORT = (
    "R2_GBK_交易时间.csv",
    "R4_序列号_本页小计.xls",
    "R5_本金利息分行.xlsx",
)
FIRST = ("JJ202604230006", date(2026, 11, 20), Decimal("120833.33"), Decimal("3942.19"))
SECOND = ("JJ202607200011", date(2026, 11, 20), Decimal("0.00"), Decimal("2900.00"))


def real(name):
    return (REAL / name).read_bytes(), name


def figures(data, name="明细.xlsx"):
    return [
        (row.note_no, row.paid_on, row.principal, row.interest)
        for row in read_statement(data, name).rows
    ]


# --- the files of ours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [U8, KINGDEE])
def test_balances_of_two_ledger_products(name):
    sheet, errors = read_balances(*real(name))
    assert errors == []
    assert (sheet.period, sheet.is_opening, len(sheet.lines)) == ("2025-12", False, 13)
    known = {line.code: line.amount for line in sheet.lines}
    assert (known["1002.01"], known["1602"]) == (Decimal("86430215.77"), Decimal("-2150000.00"))
    assert sheet.totals == {True: Decimal("240409976.17"), False: Decimal("240409976.17")}


@pytest.mark.parametrize(
    ("name", "rows"),
    [(WITH_TIME, [FIRST, SECOND]), (PER_PAGE, [FIRST, SECOND]), (PER_SORT, [FIRST])],
)
def test_repayments_of_three_banks(name, rows):
    if name == PER_PAGE:
        rows = [(note, date(2026, 11, 20), *amounts) for note, _, *amounts in rows]
    assert figures(*real(name)) == rows


# --- balances in any shape --------------------------------------------------------------------------------------------

ACCOUNTS = [
    ("1001", "库存现金"),
    ("1002", "银行存款"),
    ("1031", "存出保证金"),
    ("1221", "其他应收款"),
    ("2221", "应交税费"),
    ("2602", "准备金"),
    ("4001", "实收资本"),
]
PERIODS = [
    "期间：2025年第12期",
    "月份：2025.12-2025.12",
    "会计期间:2025年12月",
    "2025-12",
    "202512",
    "2025年1-12月",
    "期间：2025.01-2025.12",
    "截止日期：2025年12月31日",
]


@st.composite
def written_balances(draw):
    """Balances and the workbook that a product might make of them."""
    count = draw(st.integers(2, 6))
    amounts = [
        draw(st.decimals(min_value=-(10**7), max_value=10**7, places=2)) for _ in range(count)
    ]
    amounts.append(-sum(amounts))
    rows = [
        (code, name, amount)
        for (code, name), amount in zip(ACCOUNTS[: count + 1], amounts, strict=True)
    ]
    factor, unit = draw(st.sampled_from([(1, "元"), (10_000, "万元")]))
    style = draw(st.sampled_from(["two rows", "one row", "side"]))
    brackets = draw(st.booleans())

    def money(amount):
        text = format_money(abs(amount) / factor, 6 if factor > 1 else 2)
        return (f"({text})" if brackets else f"-{text}") if amount < 0 else text

    def cells(amount, *, debit):
        if style == "side":
            return ["借" if debit else "贷", money(amount)]
        return [
            None,
            None,
            None,
            None,
            money(amount) if debit else None,
            None if debit else money(amount),
        ]

    heads = {
        "two rows": [
            ["科目编码", "科目名称", "期初余额", None, "本期发生", None, "期末余额", None],
            [None, None, *["借方", "贷方"] * 3],
        ],
        "one row": [
            [
                "科目代码",
                "科目名称",
                "期初余额借方",
                "期初余额贷方",
                "本期借方",
                "本期贷方",
                "期末借方",
                "期末贷方",
            ]
        ],
        "side": [["科目编码", "科目名称", "方向", "期末余额"]],
    }[style]
    above = draw(
        st.permutations(
            [["科目余额表"], [draw(st.sampled_from(PERIODS))], [None, None, f"单位：{unit}"]]
        )
    )
    sheet = [*above, *[[None]] * draw(st.integers(0, 3)), *heads]
    cuts = draw(st.sets(st.integers(0, count)))
    group = {True: Decimal(0), False: Decimal(0)}
    whole = dict(group)
    expected = []
    for at, (code, name, amount) in enumerate(rows):
        debit = draw(st.booleans())
        stated = amount if debit else -amount
        group[debit] += stated
        whole[debit] += stated
        sheet.append([code, "　" * draw(st.integers(0, 2)) + name, *cells(stated, debit=debit)])
        expected.append((code, name, amount))
        if at in cuts:
            sheet += totals_of(
                draw(st.sampled_from(["小计", "资产小计", "本页小计"])), group, cells, style, money
            )
            group = {True: Decimal(0), False: Decimal(0)}
            if draw(st.booleans()):
                sheet += [[None], *above, *heads]
    sheet += totals_of(draw(st.sampled_from(["合计", "总 计"])), whole, cells, style, money)
    sheet += draw(
        st.sampled_from([[], [["制表人：张三", None, "打印日期：2026-01-05"]], [["第1页 共1页"]]])
    )
    indent = draw(st.integers(0, 2))
    return expected, book(*[[None] * indent + row for row in sheet])


def totals_of(word, sums, cells, style, money):
    if style == "side":
        return [
            [word, None, *cells(sums[True], debit=True)],
            [None, None, *cells(sums[False], debit=False)],
        ]
    return [[word, None, None, None, None, None, money(sums[True]), money(sums[False])]]


@settings(max_examples=120)
@given(written_balances())
def test_balances_read_back_whatever_their_shape(written):
    expected, data = written
    sheet, errors = read_balances(data, "余额.xlsx")
    assert errors == []
    assert [(line.code, line.name, line.amount) for line in sheet.lines] == expected
    assert sheet.period == "2025-12"


@pytest.mark.parametrize(
    ("column", "period", "closing"),
    [
        ("期末余额", "2026年1月", "2026-01"),
        ("期初余额", "2026年1月", "2025-12"),
        ("余额", "2026年第1期", "2026-01"),
    ],
)
def test_a_reader_says_opening_or_end_of_which_month(column, period, closing):
    data = book([period], ["科目编码", "方向", column], ["1001", "借", 5], ["4001", "贷", 5])
    sheet, errors = read_balances(data, "余额.xlsx")
    assert (sheet.period, sheet.stated, sheet.is_opening, errors) == (
        closing,
        "2026-01",
        column == "期初余额",
        [],
    )


def test_a_product_that_filled_the_opening_alone_is_read_as_that():
    head = [
        ["科目编码", "科目名称", "期初余额", None, "期末余额", None],
        [None, None, "借方", "贷方", "借方", "贷方"],
    ]
    data = book(["2026.01"], *head, ["1001", "现金", 5, None], ["4001", "资本", None, 5])
    sheet, _ = read_balances(data, "余额.xlsx")
    assert (sheet.is_opening, sheet.period, [line.amount for line in sheet.lines]) == (
        True,
        "2025-12",
        [5, -5],
    )


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [
        (["1002", "1002001", "1002001002"], ["1002", "1002.001", "1002.001.002"]),
        (["1002", "100201", "10020103"], ["1002", "1002.01", "1002.01.03"]),
        (["1002", "1002001", "100200102"], ["1002", "1002.001", "1002.001.02"]),
        (["1002", "10020001"], ["1002", "1002.0001"]),
    ],
)
def test_codes_without_points_are_cut_as_the_file_cuts_them(codes, wanted):
    assert [account_code(code, code_scheme(codes)) for code in codes] == wanted


@pytest.mark.parametrize("at", [2, 4])
def test_a_wrong_subtotal_is_named_at_its_row(at):
    rows = [
        ["1001", "借", 5],
        ["1002", "借", 7],
        ["资产小计", "借", 12],
        ["4001", "贷", 12],
        ["权益小计", "贷", 12],
    ]
    rows[at][2] = 13
    _, errors = read_balances(
        book(["2025年12月"], ["科目编码", "方向", "期末余额"], *rows), "余额.xlsx"
    )
    assert [
        (error.row, "13.00 与一级科目之和 12.00 不符" in error.message) for error in errors
    ] == [(at + 3, True)]


def test_a_wrong_total_of_auxiliaries_is_named():
    head = ["科目编码", "客户名称", "统一社会信用代码", "期末余额"]
    data = book(head, ["1122", "甲", "91320104MA1T00001X", 5], ["合计", None, None, 6])
    _, errors = read_auxiliaries(data, "辅助.xlsx")
    assert [(error.row, error.message) for error in errors] == [
        (3, "合计 6.00 与各行之和 5.00 不符")
    ]


# --- more than one table ----------------------------------------------------------------------------------------------

BALANCE_HEAD = ["科目编码", "科目名称", "方向", "期末余额"]
BALANCE = ["1001", "现金", "借", 5]
PLAN_HEAD, PLAN = ["期数", "应还日期", "应还本金", "应还利息"], [1, "2026-03-01", 5, 1]
PAID_HEAD, PAID = ["借据号", "还款日期", "还本金额", "还息金额"], ["JJ1", "2026-03-01", 5, 1]


@pytest.mark.parametrize(
    ("read", "head", "row"),
    [
        (read_balances, BALANCE_HEAD, BALANCE),
        (parse_plan, PLAN_HEAD, PLAN),
        (read_statement, PAID_HEAD, PAID),
    ],
)
@pytest.mark.parametrize("shape", ["beside", "beside and lower", "below", "other sheet"])
def test_a_second_table_is_never_left_unread(read, head, row, shape):
    gap = [None] * 5
    data = {
        "beside": lambda: book([*head, None, *head], [*row, None, *row]),
        "beside and lower": lambda: book(head, row, [*gap, *head], [*gap, *row]),
        "below": lambda: book(
            ["期间：2025年12月"], head, row, [None], ["期间：2025年11月"], head, row
        ),
        "other sheet": lambda: book(head, row, sheets=[(None, [head, row])]),
    }[shape]()
    with pytest.raises((WorkbookError, PlanError), match="只保留一张"):
        read(data, "表.xlsx")


def test_a_head_printed_again_on_the_next_page_is_no_second_table():
    data = book(
        ["还款明细"],
        PAID_HEAD,
        PAID,
        ["本页小计", None, 5, 1],
        ["还款明细"],
        PAID_HEAD,
        PAID,
        ["第2页"],
    )
    assert len(figures(data)) == 2


# --- repayments in any shape ------------------------------------------------------------------------------------------

DATES = [
    lambda d: d,
    lambda d: f"{d.year}/{d.month}/{d.day}",
    lambda d: f"{d:%Y%m%d}",
    lambda d: int(f"{d:%Y%m%d}"),
    lambda d: f"{d.year}年{d.month}月{d.day}日",
    lambda d: (d - date(1899, 12, 30)).days,
    lambda d: str((d - date(1899, 12, 30)).days),
    lambda d: f"{d} 15:22:01",
    lambda d: f"{d:%Y/%m/%d} 09:00",
    lambda d: f"{d:%Y-%m-%d}T15:22:01",
    lambda d: f"{d:%Y%m%d}152201",
    lambda d: f"{d:%Y%m%d} 15:22:01",
]
NAMES = {
    "note_no": ["借据号", "借据编号", "贷款借据号"],
    "paid_on": ["还款日期", "交易时间", "入账日期"],
    "principal": ["还本金额", "实还本金", "还款本金"],
    "interest": ["还息金额", "实还利息", "还款利息"],
}
FENS = st.integers(0, 10**9).map(lambda fen: Decimal(fen) / 100)


@st.composite
def written_statements(draw):
    """Repayments and the workbook that a bank might make of them; every amount is below zero in a taken back one."""
    days = st.dates(min_value=date(2024, 1, 1), max_value=date(2027, 12, 31))
    rows = [
        (f"JJ{draw(st.integers(1, 4))}", draw(days), draw(FENS) * sign, draw(FENS) * sign)
        for sign in draw(st.lists(st.sampled_from([1, 1, -1]), min_size=1, max_size=8))
    ]
    factor, unit = draw(st.sampled_from([(1, ""), (1, "（元）"), (10_000, "（万元）")]))
    form = draw(st.sampled_from(DATES))
    negative = draw(st.sampled_from(["-{}", "({})", "（{}）", "{}-", "-￥{}"]))
    in_cell = "元" if draw(st.booleans()) and factor == 1 else ""

    def money(amount):
        text = format_money(abs(amount) / factor, 6 if factor > 1 else 2)
        return negative.format(text) if amount < 0 else text + in_cell

    columns = draw(st.permutations(list(NAMES)))
    head = [
        draw(st.sampled_from(NAMES[key])) + (unit if key in ("principal", "interest") else "")
        for key in columns
    ]
    sheet = [*[["某银行还款明细"]] * draw(st.integers(0, 2)), ["序号", *head]]
    cuts = draw(st.sets(st.integers(0, len(rows) - 1)))
    start = 0

    def total(word, part):
        sums = {"principal": sum(r[2] for r in part), "interest": sum(r[3] for r in part)}
        return [word, *(money(sums[key]) if key in sums else None for key in columns)]

    for at, row in enumerate(rows):
        note_no, day, principal, interest = row
        cells = {"note_no": f"\t{note_no}", "paid_on": form(day), "principal": money(principal)}
        sheet.append([at + 1, *({**cells, "interest": money(interest)}[key] for key in columns)])
        if at in cuts:
            sheet.append(total(draw(st.sampled_from(["小计", "本页小计"])), rows[start : at + 1]))
            start = at + 1
            if draw(st.booleans()):
                sheet.append(total("累计", rows[: at + 1]))
    sheet.append(total("合计", rows))
    sheet += draw(st.sampled_from([[], [["复核：李四"]], [[None, "以下空白"]]]))
    return rows, book(*sheet)


@settings(max_examples=120)
@given(written_statements())
def test_repayments_read_back_whatever_their_shape(written):
    rows, data = written
    assert figures(data) == rows


def test_the_fault_of_the_1354th_row_stands_at_its_cell():
    rows = [["JJ1", "2026-03-01", 5, 1]] * 1400
    rows[1352] = ["JJ1", "2026-03-01", "5O.00", 1]
    with pytest.raises(PlanError) as refused:
        figures(book(["借据编号", "交易日期", "实还本金", "实还利息"], *rows))
    assert str(refused.value) == "第 1354 行“实还本金”列：“5O.00”不是有效的金额"


def test_rows_by_sort_are_paired_and_other_sorts_refused():
    head = ["借据号", "还款日期", "还款类型", "金额"]
    day = date(2026, 3, 1)
    rows = [
        ["JJ1", day, "归还本金", 5],
        ["JJ2", day, "利息", 3],
        ["JJ1", day, "归还利息", 1],
        ["JJ1", day, "罚息", 2],
        ["JJ1", day, "归还本金", 7],
        ["合计", None, None, 18],
    ]
    assert figures(book(head, *rows)) == [
        ("JJ1", day, 5, 3),
        ("JJ2", day, 0, 3),
        ("JJ1", day, 7, 0),
    ]
    with pytest.raises(PlanError, match="“手续费”既不是本金也不是利息"):
        figures(book(head, ["JJ1", day, "手续费", 5]))


def test_a_column_that_nobody_reads_is_said():
    data = book([*PAID_HEAD, "手续费", "备注"], [*PAID, 3, "无"])
    assert read_statement(data, "明细.xlsx").notices == ["未读取的列：手续费"]


# --- cells ------------------------------------------------------------------------------------------------------------


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 12, 31)), st.sampled_from(DATES))
def test_days_are_read_in_every_usual_form(day, form):
    written = form(day)
    assert read_date(Decimal(written) if isinstance(written, int) else written) == day


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("（1,000.00）", -1000),
        ("1,000.00-", -1000),
        ("-1000", -1000),
        ("￥2,900.00", 2900),
        ("12万元", 120000),
        ("－5.00", -5),
        ("", None),
        ("—", None),
    ],
)
def test_amounts_as_clerks_write_them(text, amount):
    assert read_money(text) == amount


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("期间：2025年第12期", ("2025-12", "2025-12")),
        ("2026.01", ("2026-01", "2026-01")),
        ("2026年1月", ("2026-01", "2026-01")),
        ("月份：2025.01-2025.12", ("2025-01", "2025-12")),
        ("2025年1-12月", ("2025-01", "2025-12")),
        ("会计期间 202512", ("2025-12", "2025-12")),
        ("2025-12-31", ("2025-12", "2025-12")),
        ("2025年12期至2025年12期", ("2025-12", "2025-12")),
        ("2025年13月", None),
        ("打印日期：2026-01-05", None),
        ("2025年度", None),
    ],
)
def test_months_are_read_in_every_usual_form(text, months):
    assert months_above([[text]]) == months


def test_a_total_covers_its_own_group():
    totals = Totals()
    for amount in (1, 2):
        totals.add({"a": Decimal(amount)})
    assert totals.wrong(Span.PART, {"a": Decimal(3)}) == {}
    totals.add({"a": Decimal(4)})
    assert totals.wrong(Span.PART, {"a": Decimal(7)}) == {"a": Decimal(4)}
    assert totals.wrong(Span.PAGE, {"a": Decimal(7)}) == {}
    assert (
        totals.wrong(Span.WHOLE, {"a": Decimal(7)})
        == totals.wrong(Span.RUNNING, {"a": Decimal(7)})
        == {}
    )
    assert [total_span([word]) for word in ("小 计", "本页合计", "合计：", "本年累计", "一")] == [
        Span.PART,
        Span.PAGE,
        Span.WHOLE,
        Span.RUNNING,
        None,
    ]


def test_a_day_later_is_another_day():
    assert read_date("20260301") + timedelta(days=1) == read_date("2026年3月2日")
