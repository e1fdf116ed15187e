"""Read single cells of a clerk's sheet: dates, amounts, units, months and the words that stand before totals."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from models.base.money import UNITS, parse_amount
from workflows.base.workbook import Cell

YUAN: Final = Decimal(1)
NOTHING: Final = {"", "-", "--", "—", "——", "–", "/"}  # how banks write "nothing this time"

_DATE = re.compile(
    r"([0-9]{4})(?:[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日?)"
)
_TIME = re.compile(
    r"(?:T|[\s-]*)(?:上午|下午|[AP]M)?\s*[0-9]{1,2}"
    r"(?:[:：][0-9]{2}(?:[:：][0-9]{2}(?:\.[0-9]+)?)?|[时点][0-9]{1,2}分?(?:[0-9]{1,2}秒)?)"
    r"\s*(?:[AP]M)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?\s*$"
    r"|-[0-9]{2}\.[0-9]{2}\.[0-9]{2}(?:\.[0-9]+)?\s*$",
    re.IGNORECASE,
)
_TIME_DIGITS = re.compile(r"([0-9]{8})\s*[0-9]{6}")
_SERIAL_EPOCH: Final = date(1899, 12, 30)
_YEARS: Final = range(1990, 2101)
_SHOWN_MAX: Final = 40

_BRACKETS = re.compile(r"^(?:¥|人民币)?[(\[【](.*?)[)\]】]元?$")
_MINUS_WORD = re.compile(r"^(?:负|红字|红):?(?=[¥0-9])")
_UNIT_WORDS = "千万元|百万元|千元|万元|亿元|元"
UNIT_IN_NAME: Final = re.compile(rf"\((?:单位:?)?(?:人民币)?({_UNIT_WORDS})\)")
_UNIT_IN_HEADING = re.compile(
    rf"(?<![款户保])单位\s*:?\s*(?:人民币)?\s*({_UNIT_WORDS})(?![\u4e00-\u9fff])"
)

_TOTAL = re.compile(r".{0,30}?(?:合计|总计|小计|累计|总额).{0,6}")
_PART = re.compile("小计|本页|本日|当日|本月|当月|年")
_MONTH = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})(?:\s*年\s*第?\s*([0-9]{1,2})\s*[月期]?"
    r"|\s*[./-]\s*([0-9]{1,2})(?![0-9])|(0[1-9]|1[0-2])(?:[0-3][0-9])?(?![0-9]))"
)
_LAST_MONTH = re.compile(r"\s*[-—–~至到]+\s*第?([0-9]{1,2})\s*[月期]")  # 2025年1-12月
_PRINTED = re.compile("打印|制表|导出|查询|生成|编制")


def plain(value: Cell) -> str:
    """Text of a cell in half-width characters without any white space."""
    return "".join(unicodedata.normalize("NFKC", str(value)).split()) if value is not None else ""


def name_of(cell: Cell) -> str:
    """Name that a cell of a head gives its column: without units, brackets and marks."""
    text = re.sub(r"\([^()]*\)", "", plain(cell)) if isinstance(cell, str) else ""
    return text.removeprefix("其中").strip(":;,。*")


def read_date(value: Cell, years: range = _YEARS) -> date:
    """Read a day in any usual form, with a time behind it or not: 2026/2/15, 2026年2月15日, 20260215, Excel's serial.

    Raises ValueError in Chinese for anything else and for days that do not exist.
    """
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return _in_years(value, years)
    text = f"{value:f}" if isinstance(value, Decimal) else str(value or "").strip()
    text = plain(_TIME.sub("", _TIME_DIGITS.sub(r"\1", text)))
    match = _DATE.fullmatch(text)
    if match:
        parts = [int(part) for part in match.groups() if part]
    elif re.fullmatch(r"[0-9]{8}", text):
        parts = [int(text[:4]), int(text[4:6]), int(text[6:])]
    elif re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", text):
        return _in_years(_SERIAL_EPOCH + timedelta(days=int(text[:5])), years)
    else:
        message = f"“{text[:_SHOWN_MAX]}”不是有效的日期" if text else "日期为空"
        raise ValueError(message)
    try:
        return _in_years(date(*parts), years)
    except ValueError:
        message = f"日期“{text}”不存在或超出范围"
        raise ValueError(message) from None


def is_date(value: Cell) -> bool:
    """Tell whether a cell holds a day."""
    try:
        return bool(read_date(value))
    except ValueError:
        return False


def _in_years(day: date, years: range) -> date:
    if day.year not in years:
        message = f"日期“{day}”超出范围（{years.start} 至 {years.stop - 1} 年）"
        raise ValueError(message)
    return day


def read_money(value: Cell, unit: Decimal = YUAN) -> Decimal | None:
    """Read an amount in 元; brackets and a minus on either side are negative (红字, 冲正), blanks and dashes None.

    Raises ValueError in Chinese for what is no amount.
    """
    if isinstance(value, bool | date):
        message = f"“{value}”不是有效的金额"
        raise ValueError(message)
    if isinstance(value, Decimal):
        return parse_amount(value, unit=unit)
    text = plain(value)
    if text in NOTHING:
        return None
    text = _BRACKETS.sub(r"(\1)", _MINUS_WORD.sub("-", text))
    if re.search(r"[0-9]-$", text):
        text = f"-{text[:-1]}"
    return parse_amount(text, unit=unit)


def is_money(value: Cell) -> bool:
    """Tell whether a cell holds an amount."""
    try:
        return read_money(value) is not None
    except ValueError:
        return False


def unit_above(rows: Iterable[list[Cell]]) -> Decimal:
    """What one unit of a bare number is worth by the words above the table (单位：万元)."""
    texts = (
        unicodedata.normalize("NFKC", cell) for row in rows for cell in row if isinstance(cell, str)
    )
    return next(
        (UNITS[match[1]] for text in texts if (match := _UNIT_IN_HEADING.search(text))), YUAN
    )


def months_above(rows: Iterable[list[Cell]]) -> tuple[str, str] | None:
    """First and last month that the words above a table name: 2025年第12期, 2025.01-2025.12, 2026年1月, 202512.

    The day of printing is none of them.
    """
    for row in rows:
        for at, cell in enumerate(row):
            beside = row[at - 1] if at else None
            if isinstance(cell, str) and _PRINTED.search(f"{beside or ''}{cell}"):
                continue
            text = cell.isoformat() if isinstance(cell, date) else plain(cell)
            if found := _months(text):
                return found
    return None


def _months(text: str) -> tuple[str, str] | None:
    found: list[str] = []
    for match in _MONTH.finditer(text):
        month = int(match[2] or match[3] or match[4])
        later = _LAST_MONTH.match(text, match.end())
        for each in (month, int(later[1]) if later else month):
            if not 1 <= each <= 12:
                return None
            found.append(f"{match[1]}-{each:02d}")
    return (min(found), max(found)) if found else None


class Span(Enum):
    """What a total covers."""

    PART = "小计"  # the rows since the last such one
    PAGE = "本页小计"
    WHOLE = "合计"  # all rows, or those since the last such one
    RUNNING = "累计"  # all rows so far


def total_span(cells: Iterable[Cell]) -> Span | None:
    """Tell whether a row is a total, wherever in it the word stands, and of what."""
    word = next(
        (text for cell in cells if isinstance(cell, str) and _TOTAL.fullmatch(text := plain(cell))),
        None,
    )
    if word is None:
        return None
    if "累计" in word:
        return Span.RUNNING
    if "页" in word:
        return Span.PAGE
    return Span.PART if _PART.search(word) else Span.WHOLE


class Totals:
    """Holds the totals that a file states against the rows that each covers."""

    def __init__(self) -> None:
        """Begin with the first row."""
        self.rows: list[Mapping[str, Decimal]] = []
        self._starts = dict.fromkeys(Span, 0)
        self._last = 0
        self._stated: set[Span] = set()

    def add(self, amounts: Mapping[str, Decimal]) -> None:
        """Take a row in; a total that stood before it is closed with it."""
        for span in self._stated:
            self._starts[span] = self._last = len(self.rows)
        self._stated.clear()
        self.rows.append(amounts)

    def wrong(self, span: Span, stated: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """The sums that a total should state where it states others; it may cover a group in one of its usual ways."""
        self._stated.add(span)
        starts = {
            Span.RUNNING: [0],
            Span.WHOLE: [0, self._starts[Span.WHOLE]],
        }.get(span, [self._starts[span], self._last])
        found = [
            {
                key: sum((row.get(key, Decimal(0)) for row in self.rows[start:]), Decimal(0))
                for key in stated
            }
            for start in starts
        ]
        if any(sums == dict(stated) for sums in found):
            return {}
        return {key: value for key, value in found[0].items() if value != stated[key]}
