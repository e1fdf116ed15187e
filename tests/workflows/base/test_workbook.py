"""Uploaded workbooks are read exactly, and hostile ones are refused before they cost anything."""

import csv
import io
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import python_calamine
import xlwt
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.styles import Font

from models.base.errors import BusinessError
from workflows.base.workbook import Sheet, WorkbookError, _trimmed, read_sheets
from workflows.base.workbook_guard import Limits, guard_xls

DATA = Path(__file__).parents[2] / "data"
SHEET_XML = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


def xlsx(cells, title="Sheet"):
    book = openpyxl.Workbook()
    book.active.title = title
    for place, value in cells.items():
        book.active[place] = value
    return saved(book)


def saved(book):
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def repacked(data, change):
    """The same archive with some entries replaced or added."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        entries = {name: old.read(name) for name in old.namelist()} | change
        for name, content in entries.items():
            new.writestr(name, content)
    return stream.getvalue()


def with_sheet(inner):
    return repacked(xlsx({"A1": "x"}), {"xl/worksheets/sheet1.xml": SHEET_XML.format(inner)})


def refused(data, filename="文件.xlsx", **limits):
    with pytest.raises(WorkbookError) as error:
        read_sheets(data, filename, **limits)
    assert isinstance(error.value, BusinessError)
    return error.value.message


def test_values_keep_their_type_and_place():
    moment = datetime.fromisoformat("2026-01-02 03:04")
    data = xlsx(
        {
            "B3": "名称",
            "C3": 0.1,
            "D3": 7,
            "E3": date(2026, 1, 2),
            "F3": moment,
            "G3": True,
            "H3": time(1, 2),
        },
        "表",
    )
    assert read_sheets(data, "a.xlsx") == [
        Sheet(
            "表",
            [
                [None] * 8,
                [None] * 8,
                [
                    None,
                    "名称",
                    Decimal("0.1"),
                    Decimal(7),
                    date(2026, 1, 2),
                    moment,
                    True,
                    "01:02:00",
                ],
            ],
        )
    ]


def test_numbers_are_decimal_as_excel_shows_them():
    values = ["0.30000000000000004", "326284.14999999997", "1E6"]
    data = with_sheet(f"<row>{''.join(f'<c><v>{value}</v></c>' for value in values)}</row>")
    [row] = read_sheets(data, "a.xlsx")[0].rows
    assert [str(cell) for cell in row] == ["0.3", "326284.15", "1000000"]


@given(st.decimals(min_value=-9999999999, max_value=9999999999, places=2))
def test_every_amount_survives_the_way_through_excel(amount):
    [[cell]] = read_sheets(xlsx({"A1": float(amount)}), "a.xlsx")[0].rows or [[None]]
    assert cell == amount


def test_not_a_number_stays_text():
    assert read_sheets(with_sheet("<row><c><v>NaN</v></c></row>"), "a.xlsx")[0].rows == [["nan"]]


def test_cells_in_error_are_not_taken_for_empty():
    book = openpyxl.Workbook()
    book.active["A1"] = "#REF!"
    book.active["A1"].data_type = "e"
    assert read_sheets(saved(book), "a.xlsx")[0].rows == [["#REF!"]]


def test_both_sample_plans_are_read():
    [first] = read_sheets((DATA / "bank_repayment_plan_a.xlsx").read_bytes(), "a.xlsx")
    assert first.name == "还款计划表"
    assert first.rows[4] == [
        Decimal(1),
        "2026/02/15",
        "408,424.50",
        "18,125.00",
        "426,549.50",
        "4,591,575.50",
    ]
    [second] = read_sheets((DATA / "bank_repayment_plan_b.xlsx").read_bytes(), "b.xlsx")
    assert len(second.rows) == 37
    assert second.rows[36][1:4] == [date(2029, 1, 31), Decimal("353487.56"), Decimal("352357.08")]


def test_hidden_sheets_are_marked():
    book = openpyxl.Workbook()
    book.create_sheet("字典").sheet_state = "hidden"
    assert [(sheet.name, sheet.visible) for sheet in read_sheets(saved(book), "a.xlsx")] == [
        ("Sheet", True),
        ("字典", False),
    ]


def test_styled_but_empty_cells_do_not_count():
    book = openpyxl.Workbook()
    book.active["A1"] = 1
    book.active["ZZ90000"].font = Font(bold=True)
    assert read_sheets(saved(book), "a.xlsx")[0].rows == [[Decimal(1)]]


def test_old_excel_files_are_read():
    book = xlwt.Workbook()
    sheet = book.add_sheet("计划")
    sheet.write(1, 1, "本金")
    sheet.write(2, 1, 408424.5)
    sheet.write(2, 2, date(2026, 2, 15), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    [read] = read_sheets(saved(book), "a.xls")
    assert read == Sheet(
        "计划", [[None] * 3, [None, "本金", None], [None, Decimal("408424.5"), date(2026, 2, 15)]]
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_text_files_are_read_in_the_encodings_in_use(encoding, delimiter):
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(
        [["期数", "本金"], ["1", "408,424.50"], ["", "多\n行"]]
    )
    sheets = read_sheets(stream.getvalue().encode(encoding), "计划.csv")
    assert sheets == [Sheet("计划", [["期数", "本金"], ["1", "408,424.50"], [None, "多\n行"]])]


def test_empty_workbooks_have_no_rows():
    assert read_sheets(saved(openpyxl.Workbook()), "a.xlsx") == [Sheet("Sheet", [])]


@pytest.mark.parametrize(
    ("data", "filename", "part"),
    [
        (b"", "a.xlsx", "0 字节"),
        (b"%PDF-1.7", "a.xlsx", "不是 Excel"),
        (b"<html><table></table></html>", "a.xls", "另存为 .xlsx"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a.csv", "不是文本"),
        (b"\xff\xff\xff\xff", "a.csv", "不是文本"),
        (b"a,b", "a.pdf", "只支持"),
        (b"a,b", "xlsx", "只支持"),
        (b'"a,b\n', "a.csv", "引号"),
        (b"PK\x03\x04rubbish", "a.xlsx", "已损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rubbish", "a.xls", "已损坏"),
    ],
)
def test_what_is_no_workbook_is_refused(data, filename, part):
    assert part in refused(data, filename)


def test_another_kind_of_archive_is_refused_whatever_its_name():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert "不是 Excel" in refused(stream.getvalue())


def test_encrypted_archives_are_refused():
    data = bytearray(xlsx({"A1": 1}))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        at = archive.start_dir
    data[at + 8] |= 1
    assert "加密" in refused(bytes(data))


def test_encrypted_old_files_are_refused():
    book = xlwt.Workbook()
    book.add_sheet("x").write(0, 0, 1)
    data = saved(book)
    record = b"\x42\x00\x02\x00"  # CODEPAGE, whose place FILEPASS takes
    assert data.count(record) == 1
    assert "加密" in refused(data.replace(record, b"\x2f\x00\x02\x00"), "a.xls")


def test_a_bomb_is_refused_by_its_ratio_its_size_and_its_entries():
    bomb = repacked(xlsx({"A1": 1}), {"xl/media/zeros.bin": bytes(30_000_000)})
    assert len(bomb) < 60_000
    assert "炸弹" in refused(bomb)
    assert "炸弹" in refused(bomb, max_ratio=100_000, max_unpacked=1_000_000)
    assert read_sheets(bomb, "a.xlsx", max_ratio=100_000)[0].rows == [[Decimal(1)]]
    many = repacked(xlsx({"A1": 1}), {f"xl/media/{n}": b"x" for n in range(1001)})
    assert "炸弹" in refused(many)


def test_headers_that_lie_about_the_size_are_refused():
    data = bytearray(
        repacked(xlsx({"A1": 1}), {"xl/worksheets/sheet1.xml": SHEET_XML.format(" " * 5_000_000)})
    )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
        at = data.index(info.filename.encode(), archive.start_dir) - 46
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    assert (
        refused(bytes(data), max_ratio=10) == "文件已损坏，请在 Excel 中打开后另存为 .xlsx 再上传"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_holds_a_part_twice_or_packs_it_oddly_is_refused():
    stream = io.BytesIO(xlsx({"A1": 1}))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("xl/workbook.xml", b"<x/>")
    assert "已损坏" in refused(stream.getvalue())
    stream = io.BytesIO(xlsx({"A1": 1}))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("xl/extra.xml", b"<x/>")
    assert "已损坏" in refused(stream.getvalue())


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, MemoryError])
def test_a_reader_that_is_stopped_is_no_damaged_file(monkeypatch, stop):
    def stopped(_):
        raise stop

    monkeypatch.setattr(python_calamine, "load_workbook", stopped)
    with pytest.raises(stop):
        read_sheets(xlsx({"A1": 1}), "a.xlsx")


def test_nested_archives_are_refused():
    assert "内嵌了压缩包" in refused(
        repacked(xlsx({"A1": 1}), {"xl/embeddings/a.bin": xlsx({"A1": 1})})
    )


@pytest.mark.parametrize(
    "inner",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row><c r='a1048576'><v>1</v></c></row>",
        '<row r="20001"><c><v>1</v></c></row>',
        "<row/>" * 20_000 + "<row><c><v>1</v></c></row>",
        "<row>" + "<c/>" * 200 + "<c><v>1</v></c></row>",
    ],
)
def test_a_far_away_cell_does_not_make_the_reader_allocate_the_way_there(inner):
    assert "请" in (message := refused(with_sheet(inner), max_ratio=1000))
    assert "20000 行" in message or "200 列" in message


def test_limits_are_met_exactly():
    data = xlsx({"B3": 1})
    assert len(read_sheets(data, "a.xlsx", max_rows=3, max_cols=2)[0].rows) == 3
    assert "超过 2 行" in refused(data, max_rows=2)
    assert "超过 1 列" in refused(data, max_cols=1)
    assert "超过 1 行" in refused(b"a\nb\n", "a.csv", max_rows=1)
    assert "超过 1 列" in refused(b"a,b\n", "a.csv", max_cols=1)
    assert read_sheets(b"a\n\n\n\n", "a.csv", max_rows=1)[0].rows == [["a"]]


def test_text_files_lose_trailing_blanks_and_are_held_to_their_size():
    assert read_sheets(b"a,b,\n,,\n\n", "a.csv")[0].rows == [["a", "b"]]
    assert "过大" in refused(b"a" * 101, "a.csv", max_unpacked=100)


def test_whatever_a_reader_returns_is_held_to_the_rows():
    with pytest.raises(WorkbookError, match="超过 2 行"):
        _trimmed([["a"], ["b"], ["c"], [None]], Limits(rows=2, cols=1, unpacked=1, ratio=1))


def test_old_files_are_held_to_the_limits_too():
    book = xlwt.Workbook()
    book.add_sheet("x").write(60_000, 0, 1)
    assert "20000 行" in refused(saved(book), "a.xls")
    book = xlwt.Workbook()
    book.add_sheet("x").write(0, 250, 1)
    assert "200 列" in refused(saved(book), "a.xls")


def test_the_records_of_an_old_file_are_counted_before_it_is_opened():
    book = xlwt.Workbook()
    book.add_sheet("x").write(300, 7, 1)
    data = saved(book)
    assert guard_xls(data, Limits(rows=301, cols=8, unpacked=10**7, ratio=100)) == data
    with pytest.raises(WorkbookError, match="300 行"):
        guard_xls(data, Limits(rows=300, cols=8, unpacked=10**7, ratio=100))
    with pytest.raises(WorkbookError, match="7 列"):
        guard_xls(data, Limits(rows=301, cols=7, unpacked=10**7, ratio=100))
    with pytest.raises(WorkbookError, match="炸弹"):
        guard_xls(data, Limits(rows=301, cols=8, unpacked=1000, ratio=100))
    at = data.index(b"\x00\x02\x0e\x00")  # DIMENSIONS: first row, last row + 1, ...
    boundless = data[: at + 8] + b"\xff\xff\xff\x7f" + data[at + 12 :]
    with pytest.raises(WorkbookError, match="已损坏"):
        guard_xls(boundless, Limits(rows=301, cols=8, unpacked=10**7, ratio=100))


def test_an_office_file_without_a_workbook_is_refused():
    book = xlwt.Workbook()
    book.add_sheet("x")
    data = saved(book)
    assert "不是 Excel" in refused(
        data.replace("Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le")), "a.xls"
    )


def test_encrypted_new_files_are_refused():
    book = xlwt.Workbook()
    book.add_sheet("x")
    name = "EncryptedPackage".encode("utf-16-le")
    data = saved(book)
    at = data.index("Workbook".encode("utf-16-le"))
    data = (
        data[:at] + name + data[at + len(name) : at + 64] + bytes([len(name) + 2]) + data[at + 65 :]
    )
    assert "加密" in refused(data)


@pytest.mark.parametrize(
    ("part", "content"),
    [("xl/worksheets/sheet1.xml", "<x>"), ("xl/workbook.xml", "<x/>"), ("xl/workbook.xml", "")],
)
def test_a_workbook_with_broken_parts_is_refused(part, content):
    assert "已损坏" in refused(repacked(xlsx({"A1": 1}), {part: content}))


def test_caches_of_links_to_other_workbooks_do_not_count():
    link = '<externalLink><sheetData><row r="90000"><cell r="A90000"><v>1</v></cell></row></sheetData></externalLink>'
    assert (
        len(
            read_sheets(
                repacked(xlsx({"A1": 1}), {"xl/externalLinks/externalLink1.xml": link}), "a.xlsx"
            )
        )
        == 1
    )


def test_a_cell_may_hold_a_duration():
    assert read_sheets(xlsx({"A1": timedelta(hours=30)}), "a.xlsx")[0].rows == [["1 day, 6:00:00"]]


def test_many_sheets_share_one_allowance():
    book = openpyxl.Workbook()
    for number in range(5):
        book.create_sheet(str(number))["CV10000"] = 1
    assert "合计内容过大" in refused(saved(book))


def test_a_long_shared_string_in_many_cells_is_refused():
    cells = '<c t="s"><v>0</v></c>' * 100
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strings = f'<sst xmlns="{space}"><si><t>{"长" * 30_000}</t></si></sst>'
    book = repacked(with_sheet(f"<row>{cells}</row>" * 30), {"xl/sharedStrings.xml": strings})
    assert "炸弹" in refused(book, max_ratio=1000)


def test_document_types_are_refused():
    sheet = '<!DOCTYPE x [<!ENTITY a "b">]>' + SHEET_XML.format("<row><c><v>1</v></c></row>")
    assert "已损坏" in refused(repacked(xlsx({"A1": 1}), {"xl/worksheets/sheet1.xml": sheet}))


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
@given(data=st.data())
def test_damaged_files_are_read_or_refused_but_never_break(kind, data):
    book = bytearray(SOUND[kind])
    for at in data.draw(st.lists(st.integers(8, len(book) - 1), min_size=1, max_size=8)):
        book[at] = data.draw(st.integers(0, 255))
    try:
        sheets = read_sheets(
            bytes(book[: data.draw(st.integers(len(book) // 2, len(book)))]), f"a.{kind}"
        )
    except WorkbookError:
        return
    assert all(isinstance(sheet, Sheet) for sheet in sheets)


def _sound_xls():
    book = xlwt.Workbook()
    sheet = book.add_sheet("计划")
    for row in range(5):
        sheet.write(row, 0, row)
        sheet.write(row, 1, "文本")
    return saved(book)


SOUND = {"xlsx": xlsx({"A1": "a", "B2": 1.5, "C3": date(2026, 1, 1)}), "xls": _sound_xls()}
