"""Lists as files: Excel and CSV, streamed row by row in constant memory, typed, and safe to open."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO, Literal

from models.base.errors import BusinessError
from models.base.moments import SHANGHAI

Kind = Literal["text", "money", "rate", "int", "date", "datetime", "bool"]

MAX_ROWS = 1_000_000
MAX_CELL_CHARS = 32_767
CUT_MARK = "……（超长已截断）"
PROGRESS_EVERY = 1_000
CSV_CHUNK_CHARS = 64 * 1024

# Shown times are Shanghai's all year round; a fixed offset spares the time zone data base.
# Excel keeps 15 digits of a number; what is longer stays text, or the last digits of an account would turn into 0.
_EXCEL_DIGITS = 15
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FORMATS: dict[str, str] = {
    "money": "#,##0.00",
    "rate": "0.00####",
    "int": "0",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm:ss",
}
_WIDTHS: dict[str, int] = {
    "text": 18,
    "money": 18,
    "rate": 11,
    "int": 10,
    "date": 12,
    "datetime": 20,
    "bool": 8,
}


class ExportError(BusinessError):
    """A list cannot be exported as asked."""


@dataclass(frozen=True)
class ExportColumn:
    """A column of an exported list: its key, Chinese label, kind of value and unit (元, %, 天 …)."""

    key: str
    label: str
    kind: Kind = "text"
    unit: str = ""

    @property
    def heading(self) -> str:
        """Label with its unit, as printed at the head of the column."""
        return f"{self.label}（{self.unit}）" if self.unit else self.label


def clean_text(value: Any) -> str:
    """Text that every spreadsheet can hold: no control characters, at most 32,767 UTF-16 units, cut with a mark."""
    text = _ILLEGAL.sub("", str(value))
    if len(text) * 2 <= MAX_CELL_CHARS or _utf16_length(text) <= MAX_CELL_CHARS:
        return text
    room = (MAX_CELL_CHARS - len(CUT_MARK)) * 2
    return text.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + CUT_MARK


def _utf16_length(text: str) -> int:
    return len(text) + sum(1 for char in text if char > "\uffff")


def _shown_time(value: datetime) -> datetime:
    """Stored times are UTC; files show Shanghai, without a zone. Times without a zone are shown as they are."""
    return value if value.tzinfo is None else value.astimezone(SHANGHAI).replace(tzinfo=None)


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def typed(value: Any, kind: Kind) -> Any:
    """The value as its column's kind: Decimal, int, date, datetime or text; None for an empty one.

    A value that does not fit its kind (a masked amount, say) stays readable text rather than failing the whole file.
    """
    if value is None or value == "":
        return None
    if kind == "bool":
        return ("是" if value else "否") if isinstance(value, bool | int) else clean_text(value)
    if kind in {"money", "rate", "int"}:
        number = _decimal(value)
        if number is None or (kind == "int" and number != number.to_integral_value()):
            return clean_text(value)
        return int(number) if kind == "int" else number
    if kind == "datetime" and isinstance(value, datetime):
        return _shown_time(value)
    if kind in {"date", "datetime"} and isinstance(value, date):
        return _shown_time(value).date() if isinstance(value, datetime) else value
    return clean_text(value)


def _counted(
    rows: Iterable[Sequence[Any]], width: int, progress: Callable[[int], None] | None
) -> Iterator[tuple[int, Sequence[Any]]]:
    """Number the rows from 1, tell the progress, and refuse a row too many."""
    number = 0
    for row in rows:
        number += 1
        if number > MAX_ROWS:
            raise ExportError(f"一次最多导出 {MAX_ROWS:,} 行，请缩小筛选范围后重试")
        if len(row) != width:
            raise ValueError(f"row {number} has {len(row)} cells instead of {width}")
        yield number, row
        if progress is not None and number % PROGRESS_EVERY == 0:
            progress(number)
    if progress is not None:
        progress(number)


# ------------------------------------------------------------------------------------------------------------ Excel
def write_xlsx(
    columns: Sequence[ExportColumn],
    rows: Iterable[Sequence[Any]],
    target: Path | BinaryIO,
    *,
    title: str,
    progress: Callable[[int], None] | None = None,
    notes: Sequence[tuple[str, str]] = (),
    totals: Sequence[Any] | None = None,
    scratch: Path | None = None,
) -> int:
    """Write rows to an .xlsx file as they come, in constant memory, and return how many were written.

    `progress` hears the number of rows written so far; `notes` (what, words) stand on a second sheet, `totals` in a
    last row, what is not written yet in `scratch` (the machine's own place for such files where none is named).
    Raises ExportError beyond 1,000,000 rows; a file named by its path is then removed, an open stream is the caller's
    to throw away.
    """
    book = _book(target, scratch)
    try:
        book.set_properties({"title": clean_text(title)})
        sheet = book.add_worksheet(_sheet_name(title))
        _write_head(book, sheet, columns)
        formats = {kind: book.add_format({"num_format": code}) for kind, code in _FORMATS.items()}
        kinds = [column.kind for column in columns]
        last = 0
        for number, row in _counted(rows, len(columns), progress):
            _write_row(sheet, number, row, kinds, formats)
            last = number
        if columns:
            sheet.autofilter(0, 0, last, len(columns) - 1)
        if totals is not None:
            _write_row(sheet, last + 1, totals, kinds, formats)
        if notes:
            _write_notes(book, notes)
    except BaseException:
        # Closing removes the temporary files; half a list must not be taken for a whole one.
        book.close()
        if isinstance(target, Path):
            target.unlink(missing_ok=True)
        raise
    book.close()
    return last


def _book(target: Path | BinaryIO, scratch: Path | None) -> Any:
    import xlsxwriter

    return xlsxwriter.Workbook(
        str(target) if isinstance(target, Path) else target,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
            "use_zip64": True,  # a million rows of many columns pass two gigabytes before they are packed
            "tmpdir": None if scratch is None else str(scratch),
        },
    )


def _write_notes(book: Any, notes: Sequence[tuple[str, str]]) -> None:
    sheet = book.add_worksheet("说明")
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 60)
    for number, pair in enumerate(notes):
        for index, words in enumerate(pair):
            sheet.write_string(number, index, clean_text(words))


def _sheet_name(title: str) -> str:
    """A name that Excel accepts: at most 31 UTF-16 units, none of []:*?/\\, no apostrophe at either end."""
    name = re.sub(r"[\[\]:*?/\\]", " ", clean_text(title)).strip().strip("'")
    while _utf16_length(name) > 31:
        name = name[:-1]
    name = name.strip().strip("'")
    return name if name and name.lower() != "history" else "数据"


def _write_head(book: Any, sheet: Any, columns: Sequence[ExportColumn]) -> None:
    style = book.add_format(
        {"bold": True, "bg_color": "#EEF2F6", "bottom": 1, "align": "center", "valign": "vcenter"}
    )
    for index, column in enumerate(columns):
        heading = clean_text(column.heading)
        display = sum(2 if ord(char) > 0x2E7F else 1 for char in heading)
        sheet.set_column(index, index, min(60, max(_WIDTHS[column.kind], display + 4)))
        sheet.write_string(0, index, heading, style)
    sheet.freeze_panes(1, 0)


def _write_row(
    sheet: Any, number: int, row: Sequence[Any], kinds: Sequence[Kind], formats: dict[str, Any]
) -> None:
    for index, kind in enumerate(kinds):
        value = typed(row[index], kind)
        if value is None:
            continue
        if isinstance(value, str):
            # A string cell never runs, whatever it starts with.
            sheet.write_string(number, index, value)
        elif isinstance(value, datetime):
            _write_moment(sheet, number, index, value, formats["datetime"])
        elif isinstance(value, date):
            _write_moment(sheet, number, index, value, formats["date"])
        elif _excel_exact(value):
            sheet.write_number(number, index, value, formats[kind])
        else:
            sheet.write_string(
                number, index, format(value, "f") if isinstance(value, Decimal) else str(value)
            )


def _write_moment(sheet: Any, number: int, index: int, value: date, style: Any) -> None:
    """Write a date; Excel knows none before 1900, so an older one stays text."""
    if value.year < 1900:
        sheet.write_string(number, index, value.isoformat())
    else:
        sheet.write_datetime(number, index, value, style)


def _excel_exact(value: Decimal | int) -> bool:
    """Whether Excel's 15 digits hold the number without loss."""
    number = value if isinstance(value, Decimal) else Decimal(value)
    return (
        len(number.normalize().as_tuple().digits) <= _EXCEL_DIGITS
        and abs(number) < 10**_EXCEL_DIGITS
    )


# -------------------------------------------------------------------------------------------------------------- CSV
def write_csv(
    columns: Sequence[ExportColumn],
    rows: Iterable[Sequence[Any]],
    *,
    progress: Callable[[int], None] | None = None,
    notes: Sequence[tuple[str, str]] = (),
    totals: Sequence[Any] | None = None,
) -> Iterator[bytes]:
    """Yield a CSV file in chunks: UTF-8 with BOM, RFC 4180 (CRLF, quotes doubled), as the rows come.

    `totals` follow the rows, and after an empty line `notes`, each in the first cell of a line.

    Text that a spreadsheet could take for a formula gets a leading apostrophe; numbers of number columns do not.
    Raises ExportError beyond 1,000,000 rows.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([_csv_text(column.heading) for column in columns])
    kinds = [column.kind for column in columns]
    for _, row in _counted(rows, len(columns), progress):
        writer.writerow(
            [_csv_cell(typed(value, kind), kind) for value, kind in zip(row, kinds, strict=True)]
        )
        if buffer.tell() >= CSV_CHUNK_CHARS:
            yield _drain(buffer)
    if totals is not None:
        writer.writerow(
            [_csv_cell(typed(value, kind), kind) for value, kind in zip(totals, kinds, strict=True)]
        )
    blank = [""] * (len(columns) - 1)
    for words in ("", *(f"{label}：{text}" for label, text in notes)) if notes else ():
        writer.writerow([_csv_text(words), *blank])
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> bytes:
    chunk = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return chunk


def _csv_text(value: Any) -> str:
    """Text that no spreadsheet runs, also when it skips blanks before the first sign."""
    text = clean_text(value)
    risky = text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)
    return f"'{text}" if risky else text


def _csv_cell(value: Any, kind: Kind) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _csv_text(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if kind == "money":
        return format(value.quantize(Decimal("0.01"), ROUND_HALF_UP), "f")
    return format(value, "f") if isinstance(value, Decimal) else str(value)
