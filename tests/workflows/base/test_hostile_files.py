"""Shapes that no sample has yet: each loads to the same figures, or is refused at its place and never partly read."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
import xlwt

from workflows.base.workbook import WorkbookError
from workflows.guarantee.plan_import import PlanError, parse_plan
from workflows.guarantee.repayment_sheets import read_statement
from workflows.ledger.opening_sheets import read_auxiliaries, read_balances

DAY = date(2026, 11, 20)
SERIAL = (DAY - date(1899, 12, 30)).days
USCC = "91320104MA1T00001X"


def book(*rows, merges=(), hidden=(), hidden_sheet=()):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(list(row))
    for area in merges:
        made.active.merge_cells(area)
    for number in hidden:
        made.active.row_dimensions[number].hidden = True
    if hidden_sheet:
        sheet = made.create_sheet("底稿")
        sheet.sheet_state = "hidden"
        for row in hidden_sheet:
            sheet.append(list(row))
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def old_book(*rows, merges=()):
    made = xlwt.Workbook()
    sheet = made.add_sheet("表")
    covered = {
        (r, c) for r1, r2, c1, c2 in merges for r in range(r1, r2 + 1) for c in range(c1, c2 + 1)
    }
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell is not None and (at, column) not in covered:
                sheet.write(at, column, cell)
    for r1, r2, c1, c2 in merges:
        sheet.write_merge(r1, r2, c1, c2, rows[r1][c1])
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def text(words, encoding="gb18030"):
    return words.encode(encoding)


def named(data):
    return (
        "表.xlsx"
        if data.startswith(b"PK")
        else "表.xls"
        if data.startswith(b"\xd0\xcf")
        else "表.csv"
    )


# --- repayments -------------------------------------------------------------------------------------------------------

HEAD = ["借据号", "还款日期", "还本金额", "还息金额"]
ONE, TWO = ["JJ1", DAY, 1000, 20], ["JJ2", DAY, 0, 29]
FIRST = ("JJ1", DAY, Decimal(1000), Decimal(20))
SECOND = ("JJ2", DAY, Decimal(0), Decimal(29))
BACK = ("JJ1", DAY, Decimal(-1000), Decimal(-20))


def paid(data):
    return [
        (row.note_no, row.paid_on, row.principal, row.interest)
        for row in read_statement(data, named(data)).rows
    ]


@pytest.mark.parametrize(
    "data",
    [
        book(
            ["某行"],
            ["序号", "借据号", "还款日期", "实还", None, None],
            [None, None, None, "本金", "利息", "罚息"],
            [1, "JJ1", DAY, 1000, 20, 0],
            [2, *TWO, 0],
            [None, "合计", None, 1000, 49, 0],
            merges=["D2:F2", "A2:A3", "B2:B3"],
        ),
        book(
            ["客户名称", *HEAD],
            ["甲", *ONE],
            ["小计", None, None, 1000, 20],
            ["乙", *TWO],
            ["小计", None, None, 0, 29],
            ["合计", None, None, 1000, 49],
        ),
        book(HEAD, ONE, ["JJ1小计", None, 1000, 20], TWO, ["JJ2 小计", None, 0, 29]),
        book(HEAD, ["合计", None, 1000, 49], ONE, TWO),
        book(
            ["还本金额（元）", None, "还息金额（元）", None, "借据号", "还款日期"],
            ["１，０００．００", None, "２０．００", None, "ＪＪ１", "２０２６－１１－２０"],
            ["—", None, "29元整", None, "JJ2", SERIAL],
        ),
        book(
            ["借 据\n号", "还 款 日 期", "还本\n金额", "还息金额"],
            ["JJ1", DAY, "人民币1,000.00元", "¥20.00"],
            ["JJ2", "2026.11.20", "'0", "￥29.00元"],
            merges=[],
        ),
        book(
            ["还款明细"],
            ["第1页 共2页"],
            HEAD,
            ONE,
            ["本页小计", None, 1000, 20],
            ["还款明细"],
            ["第2页 共2页"],
            HEAD,
            TWO,
            ["本页小计", None, 0, 29],
            ["总计", None, 1000, 49],
            ["制表：张三", None, "复核：李四"],
        ),
        book(
            HEAD,
            ONE,
            TWO,
            [None, "2026年11月21日"],
            ["以上合计2笔，金额1049.00元。"],
            ["（银行盖章）"],
        ),
        book([*HEAD, "手续费", "还款总额"], [*ONE, 5, 1025], [*TWO, 0, 29]),
        book(
            ["单位：万元"],
            HEAD,
            ["JJ1", datetime(2026, 11, 20, 9, tzinfo=UTC).replace(tzinfo=None), 0.1, 0.002],
            ["JJ2", DAY, 0, 0.0029],
        ),
        book(
            ["借据号", "还款日期", "还款类型", "金额"],
            ["JJ1", DAY, "本金", 1000],
            [None, None, "利息", 20],
            ["JJ2", DAY, "利息", 29],
            merges=["A2:A3", "B2:B3"],
        ),
        book(
            ["借据号", "交易日期", "摘要", "交易金额"],
            ["JJ1", DAY, "归还贷款本金", 1000],
            ["JJ1", DAY, "归还贷款利息", 20],
            ["JJ2", DAY, "收息", 29],
        ),
        old_book(
            HEAD,
            ["JJ1", SERIAL, 1000, 20],
            ["JJ2", SERIAL + 0.64, 0, 29],
            [None],
            ["合计", None, 1000, 49],
        ),
        text(
            "某银行还款明细\n借据号\t还款日期\t还本金额\t还息金额\nJJ1\t20261120\t1,000.00\t20.00\nJJ2\t20261120\t0\t29\n"
        ),
        text(
            '借据号,还款日期,还本金额,还息金额\n="JJ1",="20261120","1,000.00",20.00\n="JJ2",="20261120",0,29\n'
        ),
        text(
            "借据号;还款日期;还本金额;还息金额\nJJ1;2026/11/20;1,000.00;20.00\nJJ2;2026/11/20;0;29\n",
            "utf-16",
        ),
        text(
            "借据号|还款日期|还本金额|还息金额||\nJJ1|2026/11/20|1000.00|20.00||\nJJ2|2026/11/20|0|29||\n||||\n"
        ),
    ],
)
def test_repayments_load_from_every_shape(data):
    assert paid(data) == [FIRST, SECOND]


@pytest.mark.parametrize(
    "written",
    [
        "2026年11月20日 15时22分01秒",
        "2026/11/20 下午 3:22:01",
        "2026/11/20 3:22:01 PM",
        "2026-11-20 15:22:01.000",
        "2026-11-20T15:22:01+08:00",
        "2026-11-20-15.22.01.123456",
        "2026-11-20-15:22:01",
        "20261120152201",
        "'2026-11-20",
    ],
)
def test_a_time_behind_a_day_is_no_part_of_it(written):
    assert paid(book(HEAD, ["JJ1", written, 1000, 20])) == [FIRST]


@pytest.mark.parametrize(
    "rows",
    [
        [HEAD, ["JJ1", DAY, "（1,000.00）", "¥(20.00)"]],
        [HEAD, ["JJ1", DAY, "[1,000.00]", "【20.00】元"]],
        [HEAD, ["JJ1", DAY, "−1,000.00", "–20.00"]],
        [HEAD, ["JJ1", DAY, "负1,000.00", "红字20.00"]],
        [HEAD, ["JJ1", DAY, "￥-1,000.00", "20.00-"]],
        [[*HEAD, "交易状态"], ["JJ1", DAY, 1000, 20, "冲正"]],
        [[*HEAD, "交易状态"], ["JJ1", DAY, -1000, -20, "冲正"]],
        [[*HEAD, "冲正标志"], ["JJ1", DAY, 1000, 20, "Y"]],
        [
            ["借据号", "还款日期", "还款类型", "金额"],
            ["JJ1", DAY, "本金冲正", 1000],
            ["JJ1", DAY, "利息红冲", 20],
        ],
    ],
)
def test_what_the_bank_takes_back_is_below_zero_however_it_is_said(rows):
    assert paid(book(*rows)) == [BACK]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [HEAD, ONE, TWO, ["合计", None, 1000, 50]],
            "第 4 行“还息金额”列：合计 50.00 与各行之和 49.00 不一致",
        ),
        (
            [HEAD, ["合计", None, 1000, 50], ONE, TWO],
            "第 2 行“还息金额”列：合计 50.00 与各行之和 49.00 不一致",
        ),
        (
            [[*HEAD, "还款总额"], [*ONE, 1021]],
            "第 2 行“还款总额”列：1,021.00 不等于本金加利息 1,020.00",
        ),
        (
            [[*HEAD, "扣款状态"], [*ONE, "成功"], [*TWO, "失败"]],
            "第 3 行“扣款状态”列：“失败”不是有效的还款",
        ),
        ([[*HEAD, "交易状态"], [*ONE, "已冲正"]], "“已冲正”不是有效的还款，请删去这一行"),
        ([HEAD, ["2.02604E+11", DAY, 1, 1]], "第 2 行“借据号”列：“2.02604E+11”是科学计数"),
        ([HEAD, ONE, [None, DAY, 5, 1]], "第 3 行“借据号”列：借据号为空"),
        ([HEAD, ["JJ1", "26/11/20", 1, 1]], "“26/11/20”不是有效的日期"),
        ([HEAD, ["JJ1", "11/20/2026", 1, 1]], "“11/20/2026”不是有效的日期"),
        ([HEAD, ["JJ1", DAY, "10%", 1]], "“10%”不是有效的金额"),
    ],
)
def test_repayments_are_refused_at_their_cell(rows, said):
    with pytest.raises(PlanError, match=said.replace("+", r"\+")):
        paid(book(*rows))


def test_amounts_merged_over_rows_count_once():
    data = book(HEAD, ["JJ1", DAY, 1000, 20], ["JJ2", DAY, None, 29], merges=["C2:C3"])
    assert paid(data) == [FIRST, SECOND]


def test_what_is_hidden_is_said():
    assert read_statement(book(HEAD, ONE, TWO, hidden=[3]), "表.xlsx").notices == [
        "工作表中隐藏的 1 行（第 3 行起）也已读取"
    ]
    assert read_statement(book(HEAD, ONE, hidden_sheet=[HEAD, TWO]), "表.xlsx").notices == [
        "未读取隐藏的工作表：底稿"
    ]


# --- plans ------------------------------------------------------------------------------------------------------------

PLAN = ["期数", "应还日期", "应还本金", "应还利息"]
MARCH, APRIL = date(2026, 3, 20), date(2026, 4, 20)
P1, P2 = [1, MARCH, 1000, 20], [2, APRIL, 1000, 10]


def due(data):
    return [
        (r.seq, r.due_on, r.principal, r.interest)
        for r in parse_plan(data, named(data)).instalments
    ]


@pytest.mark.parametrize(
    "data",
    [
        book([*PLAN, "剩余本金"], [0, date(2026, 2, 20), 0, 0, 2000], [*P1, 1000], [*P2, 0]),
        book(
            [*PLAN, "剩余本金"],
            ["放款", date(2026, 2, 20), None, None, 2000],
            [*P1, 1000],
            [*P2, 0],
        ),
        book(
            ["期次", "应还款日", "应还", None, "实还", None],
            [None, None, "本金", "利息", "本金", "利息"],
            [*P1, 9, 9],
            P2,
            merges=["C1:D1", "E1:F1"],
        ),
        book(
            PLAN,
            P1,
            ["2026年小计", None, 1000, 20],
            P2,
            ["2027年小计", None, 1000, 10],
            ["总计", None, 2000, 30],
            merges=["A6:B6"],
        ),
        book(PLAN, ["合计", None, 2000, 30], P1, P2),
        book(
            ["期数", "应还日期", "应还本金（元）", "应还利息（元）"],
            ["１", "２０２６年３月２０日", "１０００．００", "￥20元"],
            ["二", "2026.4.20 00:00", "1,000.00元", "10"],
        ),
        book(
            ["期数", "应还日期", "款项", "应还金额"],
            [1, MARCH, "本金", 1000],
            [None, None, "利息", 20],
            [2, APRIL, "应还本金", 1000],
            [2, APRIL, "应还利息", 10],
            ["合计", None, None, 2030],
            merges=["A2:A3", "B2:B3"],
        ),
        book(
            ["应还日期", "款项", "金额"],
            [MARCH, "本金", 1000],
            [APRIL, "本金", 1000],
            [MARCH, "利息", 20],
            [APRIL, "利息", 10],
        ),
        book([*PLAN, "手续费", "应还总额"], [*P1, 5, 1025], [*P2, 0, 1010]),
        book(
            ["还款计划表"],
            ["借款人：甲", None, "单位：万元"],
            PLAN,
            [1, MARCH, 0.1, 0.002],
            ["本页小计", None, 0.1, 0.002],
            ["还款计划表"],
            ["借款人：甲", None, "单位：万元"],
            PLAN,
            [2, APRIL, 0.1, 0.001],
            ["合计", None, 0.2, 0.003],
        ),
        book(
            PLAN,
            P1,
            P2,
            ["借款人（签字）：", None, "贷款人（盖章）："],
            ["日期：", "2026-01-05"],
            ["注：每年1月1日调整"],
        ),
        old_book(["还款计划表"], [None], PLAN, [1, 46101, 1000, 20], [2, "46132", 1000, 10]),
        text(
            '还款计划表\n期数,应还日期,应还本金,应还利息\n第1期,2026/3/20,"1,000.00",20.00\n第2期,2026/4/20,1000,10\n'
        ),
    ],
)
def test_plans_load_from_every_shape(data):
    assert due(data) == [(1, MARCH, 1000, 20), (2, APRIL, 1000, 10)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [PLAN, P1, P2, ["合计", None, 2000, 31]],
            "第 4 行“应还利息”列：合计 31.00 与各期之和 30.00 不一致",
        ),
        (
            [PLAN, ["合计", None, 2000, 31], P1, P2],
            "第 2 行“应还利息”列：合计 31.00 与各期之和 30.00 不一致",
        ),
        ([PLAN, [1, "2026年3月", 1000, 20]], "第 2 行“应还日期”列：“2026年3月”不是有效的日期"),
        ([PLAN, [1, MARCH, None, 20]], "第 2 行“应还本金”列：金额为空，本期不还请填 0"),
        ([[*PLAN, None, *PLAN], [*P1, None, *P2]], "一张工作表上有 2 张还款计划表"),
        (
            [["期数", "应还日期", "款项", "金额"], [1, MARCH, "本金", 5], [1, MARCH, "本金", 5]],
            "2026-03-20 的本金写了两次",
        ),
        (
            [["期数", "应还日期", "款项", "金额"], [1, MARCH, "担保费", 5]],
            "“担保费”既不是本金也不是利息",
        ),
    ],
)
def test_plans_are_refused_at_their_cell(rows, said):
    with pytest.raises(PlanError, match=said):
        due(book(*rows))


# --- openings ---------------------------------------------------------------------------------------------------------

MONTH, BALANCES = ["期间：2025年12月"], ["科目编码", "科目名称", "方向", "期末余额"]
CASH, CAPITAL = ["1001", "现金", "借", 5], ["4001", "资本", "贷", 5]
SIDES = [["科目编码", "科目名称", "期初余额", None, "本期发生额", None, "期末余额", None]]


@pytest.mark.parametrize(
    "data",
    [
        book(
            MONTH,
            BALANCES,
            CASH,
            ["资产合计", None, None, 5],
            CAPITAL,
            ["负债及权益合计", None, None, 5],
        ),
        book(MONTH, BALANCES, CASH, CAPITAL, ["合计", None, "平", 0]),
        book(
            MONTH,
            BALANCES,
            ["一、资产类"],
            CASH,
            ["资产小计", None, "借", 5],
            ["二、权益类"],
            CAPITAL,
            ["权益小计", None, "贷", 5],
        ),
        book(
            MONTH,
            ["单位：万元"],
            BALANCES,
            ["１００１", "　现金", "借 方", "0.0005"],
            ["'4001", "资本", "（贷）", 0.0005],
        ),
        book(
            MONTH,
            *SIDES,
            [None, None, "方向", "余额", "借方", "贷方", "方向", "余额"],
            ["1001", "现金", "平", 0, 5, 0, "借", 5],
            ["4001", "资本", "平", 0, 0, 5, "贷", 5],
            merges=["C2:D2", "E2:F2", "G2:H2", "A2:A3", "B2:B3"],
        ),
        book(
            MONTH,
            *SIDES,
            [None, None, *["借方", "贷方"] * 3],
            ["1001", "现金", None, None, 5, None, "￥5.00元", None],
            ["4001", "资本", None, None, None, 5, None, "5.00"],
            ["合计", None, None, None, 5, 5, 5, 5],
        ),
        book(
            MONTH,
            ["科目编码", "科目名称", "期末借方", "期末贷方"],
            ["1001", "现金", None, "(5.00)"],
            ["4001", "资本", "（5.00）", None],
        ),
        book(
            ["科目余额表"],
            MONTH,
            BALANCES,
            CASH,
            ["本页小计", None, "借", 5],
            ["科目余额表"],
            MONTH,
            BALANCES,
            CAPITAL,
            ["本页小计", None, "贷", 5],
            ["合计", None, "借", 5],
            [None, None, "贷", 5],
            ["制表：甲", None, "2026-01-05"],
        ),
        book(
            MONTH,
            ["科目编码", None, "科目名称", None, "方向", None, "期末余额"],
            ["1001", None, "现金", None, "借", None, 5],
            ["4001", None, "资本", None, "贷", None, 5],
            ["注：未经审计，截至2025年12月31日"],
        ),
        old_book(
            ["科目余额表"],
            MONTH,
            BALANCES,
            [1001, "现金", "借", 5],
            [4001, "资本", "贷", 5],
            ["财务负责人", "甲"],
        ),
        text(
            "科目余额表\n期间：2025年12月\n科目编码,科目名称,方向,期末余额\n1001,现金,借,5.00\n4001,资本,贷,5.00\n"
        ),
    ],
)
def test_balances_load_from_every_shape(data):
    sheet, errors = read_balances(data, named(data))
    assert [error.text for error in errors] == []
    assert [(line.code, line.name, line.amount) for line in sheet.lines] == [
        ("1001", "现金", 5),
        ("4001", "资本", -5),
    ]
    assert sheet.period == "2025-12"


def test_a_code_that_is_a_number_keeps_its_last_zero():
    data = book(
        MONTH, BALANCES, [1002, "银行", "借", 5], [1002.1, "甲行", "借", 5], [4001, "资本", "贷", 5]
    )
    sheet, errors = read_balances(data, "表.xlsx")
    assert ([line.code for line in sheet.lines], errors) == (["1002", "1002.10", "4001"], [])


@pytest.mark.parametrize(
    ("at", "amount", "said"),
    [
        (2, 6, "余额合计 6.00 与一级科目之和 5.00 不符"),
        (4, 4, "余额合计 4.00 与一级科目之和 -5.00 不符"),
    ],
)
def test_a_total_without_a_side_is_held_against_its_rows(at, amount, said):
    rows = [MONTH, BALANCES, CASH, ["小计", None, None, 5], CAPITAL, ["小计", None, None, 5]]
    rows[at + 1][3] = amount
    _, errors = read_balances(book(*rows), "表.xlsx")
    assert [error.row for error in errors] == [at + 2]
    assert said.replace("合计", "小计") in errors[0].message


@pytest.mark.parametrize(
    "data",
    [
        book(
            ["科目编码", "客户名称", "统一社会信用代码", "期末余额"],
            ["1122", "甲", USCC, 5],
            ["2002", "甲", USCC, 7],
        ),
        book(
            ["科目编码", "客户名称", "统一社会信用代码", "方向", "期末余额"],
            ["1122", "甲", USCC, "贷", -5],
            ["2002", "甲", USCC, "贷", 7],
        ),
        book(
            ["科目编码", "往来单位", "统一社会信用代码", "期末余额", None],
            [None, None, None, "借方", "贷方"],
            ["1122", "甲", USCC, 5, None],
            ["2002", "甲", USCC, None, 7],
            ["合计", None, None, 5, 7],
            merges=["D1:E1"],
        ),
        book(
            ["客户名称", "统一社会信用代码", "科目编码", "期末借方", "期末贷方"],
            ["甲", USCC, "1122", 5, None],
            [None, None, "2002", -7, None],
            merges=["A2:A3", "B2:B3"],
        ),
        old_book(
            ["客户名称", "统一社会信用代码", "科目编码", "余额"],
            ["甲", USCC, 1122, 5],
            [None, None, 2002, 7],
            merges=[(1, 2, 0, 0), (1, 2, 1, 1)],
        ),
    ],
)
def test_auxiliaries_stand_on_the_own_side_of_their_account(data):
    lines, errors = read_auxiliaries(data, named(data))
    assert errors == []
    assert [(line.code, line.customer, line.uscc, line.amount) for line in lines] == [
        ("1122", "甲", USCC, 5),
        ("2002", "甲", USCC, 7),
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([MONTH, [*BALANCES, None, *BALANCES], [*CASH, None, *CAPITAL]], "请分成单独的文件"),
        (
            [
                MONTH,
                ["科目编码", "科目名称", "方向", "期末余额(原币)", "期末余额(本位币)"],
                [*CASH, 5],
            ],
            "表头中有两列“期末余额”",
        ),
        ([MONTH, ["科目", "方向", "期末余额"], ["1001 现金", "借", 5]], "没有找到表头"),
    ],
)
def test_balances_that_could_mean_two_things_are_refused(rows, said):
    with pytest.raises(WorkbookError, match=said):
        read_balances(book(*rows), "表.xlsx")
