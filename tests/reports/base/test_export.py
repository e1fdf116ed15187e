"""Exports: types and formats as Excel reads them, formula safety, limits, and rows taken one by one."""

import csv
import io
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest

from models.base.errors import BusinessError
from reports.base import export
from reports.base.export import (
    CUT_MARK,
    MAX_CELL_CHARS,
    ExportColumn,
    ExportError,
    clean_text,
    write_csv,
    write_xlsx,
)

COLUMNS = [
    ExportColumn("name", "客户名称"),
    ExportColumn("account", "账号"),
    ExportColumn("amount", "担保金额", "money", "元"),
    ExportColumn("rate", "年利率", "rate", "%"),
    ExportColumn("days", "逾期天数", "int", "天"),
    ExportColumn("end", "到期日", "date"),
    ExportColumn("at", "登记时间", "datetime"),
    ExportColumn("done", "已结清", "bool"),
]
ROW = (
    "示例𠮷有限公司",
    "6200000000000012345",
    Decimal("1234567.80"),
    Decimal("4.350000"),
    12,
    date(2026, 11, 23),
    datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC),
    True,
)
DANGEROUS = [
    "=1+1",
    "+1",
    "-1+2",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x")',
    "＝1+1",
]
TEXT = [ExportColumn("text", "文本")]


def book(rows, columns=COLUMNS, title="在保台账"):
    """Write rows and open the file again."""
    target = io.BytesIO()
    write_xlsx(columns, rows, target, title=title)
    target.seek(0)
    return openpyxl.load_workbook(target)


def sheet(rows, columns=COLUMNS):
    return book(rows, columns).active


def csv_rows(rows, columns=COLUMNS):
    """Write rows as CSV and read them again."""
    text = b"".join(write_csv(columns, rows)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


# ------------------------------------------------------------------------------------------------------------ Excel
def test_values_come_back_with_their_types():
    cells = next(iter(sheet([ROW]).iter_rows(min_row=2)))
    assert [cell.value for cell in cells] == [
        "示例𠮷有限公司",
        "6200000000000012345",
        1234567.8,
        4.35,
        12,
        datetime(2026, 11, 23),  # noqa: DTZ001 - a file knows no zone
        datetime(2026, 11, 23, 9, 2, 3),  # noqa: DTZ001
        "是",
    ]
    assert [cell.data_type for cell in cells] == ["s", "s", "n", "n", "n", "d", "d", "s"]
    assert cells[2].number_format == "#,##0.00"
    assert cells[5].number_format == "yyyy-mm-dd"
    assert cells[6].number_format == "yyyy-mm-dd hh:mm:ss"


def test_head_is_frozen_filtered_and_names_the_units():
    table = sheet([ROW, ROW])
    assert [cell.value for cell in table[1]] == [
        "客户名称",
        "账号",
        "担保金额（元）",
        "年利率（%）",
        "逾期天数（天）",
        "到期日",
        "登记时间",
        "已结清",
    ]
    assert table.freeze_panes == "A2"
    assert table.auto_filter.ref == "A1:H3"
    assert table.column_dimensions["G"].width > table.column_dimensions["H"].width


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_text_becomes_a_formula_in_excel(text):
    cell = sheet([(text,)], TEXT)["A2"]
    assert cell.data_type == "s"
    assert cell.value.replace("_x000D_", "\r") == text
    assert cell.hyperlink is None


@pytest.mark.parametrize("kind", ["text", "money", "rate", "int", "date", "datetime", "bool"])
def test_text_in_any_kind_of_column_is_safe(kind):
    column = [ExportColumn("x", "值", kind)]
    assert sheet([("=1+1",)], column)["A2"].data_type == "s"
    assert csv_rows([("=1+1",)], column)[1] == ["'=1+1"]


def test_masked_values_stay_readable_in_number_columns():
    assert sheet([("***",)], [ExportColumn("x", "金额", "money")])["A2"].value == "***"


def test_numbers_beyond_excels_fifteen_digits_keep_all_of_them():
    columns = [ExportColumn("x", "金额", "money"), ExportColumn("n", "序号", "int")]
    cells = sheet([(Decimal("12345678901234567.89"), 12345678901234567890)], columns)[2]
    assert [cell.value for cell in cells] == ["12345678901234567.89", "12345678901234567890"]
    assert sheet([(Decimal("9999999999999.99"), 1)], columns)["A2"].value == 9999999999999.99


def test_infinite_numbers_and_fractions_of_integers_do_not_break_the_file():
    columns = [ExportColumn("x", "金额", "money"), ExportColumn("n", "天数", "int")]
    cells = sheet(
        [(Decimal("NaN"), Decimal("1.5")), (Decimal("Infinity"), Decimal("2.00"))], columns
    )
    assert [cell.value for cell in cells[2]] == ["NaN", "1.5"]
    assert [cell.value for cell in cells[3]] == ["Infinity", 2]


def test_old_dates_and_empty_cells():
    columns = [
        ExportColumn("d", "日期", "date"),
        ExportColumn("t", "文本"),
        ExportColumn("m", "金额", "money"),
    ]
    cells = sheet([(date(1899, 12, 31), None, None)], columns)[2]
    assert [cell.value for cell in cells] == ["1899-12-31", None, None]


def test_illegal_characters_go_and_rare_ones_stay():
    text = "甲\x00\x08\x0b\x1f\ud800\ufffe𠮷😀\n乙"
    assert sheet([(text,)], TEXT)["A2"].value == "甲𠮷😀\n乙"


def test_over_long_text_is_cut_with_a_mark():
    for char in ("字", "𠮷"):
        value = sheet([(char * 40_000,)], TEXT)["A2"].value
        assert value.endswith(CUT_MARK)
        assert len(value.encode("utf-16-le")) // 2 <= MAX_CELL_CHARS
    assert clean_text("字" * MAX_CELL_CHARS) == "字" * MAX_CELL_CHARS


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("台账[1]:*?/\\x", "台账 1      x"),
        ("", "数据"),
        ("'引号'", "引号"),
        ("History", "数据"),
        ("长" * 40, "长" * 31),
        ("𠮷" * 20, "𠮷" * 15),
    ],
)
def test_any_title_makes_a_sheet_name(title, name):
    assert book([], TEXT, title).sheetnames == [name]


def test_an_empty_list_still_has_its_head():
    table = sheet([])
    assert table.max_row == 1
    assert table["A1"].value == "客户名称"


def test_rows_are_taken_one_by_one_and_progress_is_told(monkeypatch):
    monkeypatch.setattr(export, "PROGRESS_EVERY", 2)
    taken, told = [], []

    def rows():
        for number in range(5):
            taken.append(number)
            yield (f"第{number}行",)

    count = write_xlsx(
        TEXT, rows(), io.BytesIO(), title="x", progress=lambda done: told.append((done, len(taken)))
    )
    assert count == 5
    # Each report comes before the next row is asked for: nothing was read ahead.
    assert told == [(2, 2), (4, 4), (5, 5)]


def test_memory_does_not_grow_with_the_rows():
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            write_xlsx(
                TEXT, ((f"客户{number:07d}",) for number in range(count)), _Sink(), title="x"
            )
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    small, large = peak(500), peak(10_000)
    assert large < small + 1_000_000


class _Sink(io.BytesIO):
    """Swallows what is written, so that the file itself does not count as memory."""

    def write(self, data):
        super().write(data)
        size = len(data)
        if self.tell() > 100_000:
            self.seek(0)
            self.truncate()
        return size


def test_a_row_too_many_is_refused_and_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setattr(export, "MAX_ROWS", 3)
    target = tmp_path / "out.xlsx"
    with pytest.raises(ExportError, match="最多导出 3 行"):
        write_xlsx(TEXT, ((str(number),) for number in range(4)), target, title="x")
    assert not target.exists()
    with pytest.raises(BusinessError, match="最多导出 3 行"):
        b"".join(write_csv(TEXT, ((str(number),) for number in range(4))))
    assert write_xlsx(TEXT, ((str(number),) for number in range(3)), target, title="x") == 3
    assert openpyxl.load_workbook(target).active.max_row == 4


def test_the_limit_is_what_the_product_promises():
    assert export.MAX_ROWS == 1_000_000


def test_a_source_that_breaks_leaves_no_file(tmp_path):
    def rows():
        yield ("甲",)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        write_xlsx(TEXT, rows(), tmp_path / "out.xlsx", title="x")
    assert list(tmp_path.iterdir()) == []


def test_a_row_of_the_wrong_width_is_a_programming_error():
    with pytest.raises(ValueError, match="row 1 has 2 cells"):
        write_xlsx(TEXT, [("a", "b")], io.BytesIO(), title="x")


# -------------------------------------------------------------------------------------------------------------- CSV
def test_csv_has_bom_crlf_and_plain_values():
    raw = b"".join(write_csv(COLUMNS, [ROW]))
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == 2
    assert raw.endswith(b"\r\n")
    assert csv_rows([ROW])[1] == [
        "示例𠮷有限公司",
        "6200000000000012345",
        "1234567.80",
        "4.350000",
        "12",
        "2026-11-23",
        "2026-11-23 09:02:03",
        "是",
    ]


@pytest.mark.parametrize("text", [*DANGEROUS, " =1+1", "\u3000=1+1"])
def test_no_text_becomes_a_formula_in_csv(text):
    assert csv_rows([(text,)], TEXT)[1] == [f"'{text}"]


def test_negative_numbers_in_csv_stay_numbers():
    columns = [ExportColumn("m", "金额", "money"), ExportColumn("n", "天数", "int")]
    assert csv_rows([(Decimal("-1234.5"), -3)], columns)[1] == ["-1234.50", "-3"]


def test_csv_quotes_by_rfc_4180():
    raw = b"".join(write_csv(TEXT, [('甲,"乙"\n丙',)])).decode("utf-8-sig")
    assert raw == '文本\r\n"甲,""乙""\n丙"\r\n'


def test_a_dangerous_heading_is_safe_too():
    assert csv_rows([], [ExportColumn("x", "=1+1")])[0] == ["'=1+1"]


def test_csv_is_lazy():
    taken = []

    def rows():
        for number in range(100_000):
            taken.append(number)
            yield ("字" * 100,)

    chunks = write_csv(TEXT, rows())
    assert taken == []
    next(chunks)
    assert 0 < len(taken) < 2_000
    chunks.close()
