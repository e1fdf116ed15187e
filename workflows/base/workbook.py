"""Read uploaded .xlsx, .xls and .csv files into plain rows, without trusting them."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import PurePath
from tempfile import NamedTemporaryFile
from types import MappingProxyType
from typing import Any, Final

from models.base.money import excel_decimal
from workflows.base.workbook_guard import (
    OLE_MAGIC,
    ZIP_MAGIC,
    Limits,
    WorkbookError,
    guard_xls,
    guard_xlsx,
    hidden_rows,
)

__all__ = ["Cell", "Sheet", "WorkbookError", "read_sheets"]

_SUFFIXES: Final = {".xlsx", ".xls", ".csv"}
Cell = str | Decimal | date | datetime | bool | None
RawCell = str | int | float | bool | date | datetime | time | timedelta

_CSV_ENCODINGS = ("utf-8-sig", "gb18030")
_CONTROLS = {chr(code) for code in range(32)} - {"\t", "\n", "\r", "\x0b", "\x0c"}
_DELIMITERS = ",\t;|"
_NO_DELIMITER = re.compile(r'"[^"]*"|(?<=[0-9]),(?=[0-9]{3})')  # quoted text, thousands
# how exports keep Excel from making numbers of digits
_AS_TEXT = re.compile(r'="(.*)"|[\'’](.*)', re.DOTALL)
Merge = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet from its first cell on: rows[0] is row 1 in Excel; trailing empty rows and columns are cut off.

    `merges` are (first row, column) and (last row, column), `hidden` the rows that are not shown; both from 0.
    """

    name: str
    rows: list[list[Cell]]
    visible: bool = True
    merges: tuple[Merge, ...] = ()
    hidden: frozenset[int] = frozenset()
    stream: Callable[[], Iterator[list[Cell]]] | None = (
        None  # all rows, where `rows` are the first alone
    )
    height: int = 0


def read_sheets(
    data: bytes,
    filename: str,
    *,
    max_rows: int = 20000,
    max_cols: int = 200,
    max_unpacked: int = 64 * 1024 * 1024,
    max_ratio: int = 100,
    first_rows: int | None = None,
) -> list[Sheet]:
    """Read all worksheets of a file; what it is, is decided by its content.

    With `first_rows` each sheet holds no more than those: the others stream, so that many are not in memory at once.

    Numbers come as Decimal with the 15 digits Excel itself shows, empty cells as None, cells in error (#REF!) as text.
    Raises WorkbookError for files that are empty, of another type, encrypted, broken or beyond the limits.
    """
    suffix = PurePath(filename).suffix.lower()
    if suffix not in _SUFFIXES:
        raise WorkbookError("只支持 .xlsx、.xls 或 .csv 文件")
    if not data:
        raise WorkbookError("文件是空的（0 字节），请重新选择文件")
    limits = Limits(max_rows, max_cols, max_unpacked, max_ratio)
    if data.startswith(ZIP_MAGIC):
        with NamedTemporaryFile(suffix=".xlsx") as plain:
            guard_xlsx(data, limits, plain)
            return _read_excel(plain.name, limits, hidden_rows(plain), first_rows)
    if data.startswith(OLE_MAGIC):
        book = io.BytesIO(guard_xls(data, limits))
        return _read_excel(book, limits, first_rows=first_rows)
    if suffix != ".csv":
        raise WorkbookError("文件内容不是 Excel 工作簿，请在 Excel 中另存为 .xlsx 后再上传")
    return [_csv_sheet(PurePath(filename).stem, data, limits, first_rows)]


def _csv_sheet(name: str, data: bytes, limits: Limits, first_rows: int | None) -> Sheet:
    rows = _read_csv(data, limits)
    if first_rows is None:
        return Sheet(name, rows)
    return Sheet(name, rows[:first_rows], stream=lambda: iter(rows), height=len(rows))


def _read_excel(
    source: str | io.BytesIO,
    limits: Limits,
    hidden: Mapping[str, frozenset[int]] = MappingProxyType({}),
    first_rows: int | None = None,
) -> list[Sheet]:
    import python_calamine as calamine  # loads when first used

    try:
        with calamine.load_workbook(source) as book:
            found = [
                (
                    meta.name,
                    book.get_sheet_by_name(meta.name),
                    meta.visible == calamine.SheetVisibleEnum.Visible,
                )
                for meta in book.sheets_metadata
                if meta.typ == calamine.SheetTypeEnum.WorkSheet
            ]
            if first_rows is not None:
                return [
                    _streamed(name, sheet, limits, first_rows, visible, hidden.get(name))
                    for name, sheet, visible in found
                ]
            read = [
                (
                    name,
                    sheet.to_python(skip_empty_area=False),
                    visible,
                    tuple(sheet.merged_cell_ranges or ()),
                )
                for name, sheet, visible in found
            ]
    except (KeyboardInterrupt, SystemExit, MemoryError, WorkbookError):
        raise
    except BaseException as error:  # the reader is native code: a panic of it is no Exception
        raise WorkbookError("文件已损坏，请在 Excel 中打开后另存为 .xlsx 再上传") from error
    none: frozenset[int] = frozenset()
    return [
        Sheet(
            name,
            _trimmed([[_cell(c) for c in row] for row in rows], limits),
            seen,
            merges,
            hidden.get(name, none),
        )
        for name, rows, seen, merges in read
    ]


def _streamed(
    name: str,
    sheet: Any,
    limits: Limits,
    first_rows: int,
    visible: bool,
    hidden: frozenset[int] | None,
) -> Sheet:
    """A sheet of which only the first rows are read now."""
    left: list[Cell] = [None] * (sheet.start[1] if sheet.start else 0)

    def stream() -> Iterator[list[Cell]]:
        return ([*left, *(_cell(value) for value in row)] for row in sheet.iter_rows())

    rows = _trimmed(list(islice(stream(), first_rows)), limits)
    merges = tuple(sheet.merged_cell_ranges or ())
    return Sheet(
        name,
        rows,
        visible,
        merges,
        hidden or frozenset(),
        stream=stream,
        height=sheet.end[0] + 1 if sheet.end else 0,
    )


def _cell(value: RawCell) -> Cell:
    if isinstance(value, bool | date):  # a datetime is a date, too
        return value
    if isinstance(value, int | float):
        # false for infinity and not-a-number
        return excel_decimal(value) if abs(value) < 1e300 else str(value)
    if isinstance(value, time):
        return value.isoformat()
    return _text(str(value))


def _text(value: str) -> str | None:
    """Text of a cell without the marks that only keep digits text: ="001", '001."""
    match = _AS_TEXT.fullmatch(value)
    return (match[1] or match[2] if match else value) or None


def _trimmed(rows: list[list[Cell]], limits: Limits) -> list[list[Cell]]:
    while rows and all(cell is None for cell in rows[-1]):
        rows.pop()
    width = max(
        (at for row in rows for at, cell in enumerate(row, start=1) if cell is not None), default=0
    )
    if len(rows) > limits.rows:
        raise WorkbookError(f"工作表超过 {limits.rows} 行，请拆分后再上传")
    if width > limits.cols:
        raise WorkbookError(f"工作表超过 {limits.cols} 列，请删除多余的列后再上传")
    return [row[:width] + [None] * (width - len(row)) for row in rows]


def _read_csv(data: bytes, limits: Limits) -> list[list[Cell]]:
    if len(data) > limits.unpacked:
        raise WorkbookError("文件过大，请拆分后再上传")
    text = _decoded(data)
    sample = _NO_DELIMITER.sub("", text[:20000])
    # the first of those that stand there equally often
    delimiter = max(_DELIMITERS, key=sample.count)
    rows: list[list[Cell]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if len(rows) < limits.rows:
                rows.append([_text(cell) for cell in row[: limits.cols + 1]])
            elif any(row):
                raise WorkbookError(f"工作表超过 {limits.rows} 行，请拆分后再上传")
    except csv.Error as error:
        raise WorkbookError(
            f"第 {len(rows) + 1} 行不是有效的 CSV：引号没有成对或单元格过长"
        ) from error
    return _trimmed(rows, limits)


def _decoded(data: bytes) -> str:
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else _CSV_ENCODINGS
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROLS.isdisjoint(text):
            break
        return text
    raise WorkbookError("文件内容不是文本，请上传 UTF-8 或 GBK 编码的 .csv 文件")
