"""Find the table of a bank's repayment plan in any sheet and read the heading above it."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from models.base.money import UNITS, parse_amount
from workflows.base.workbook import Cell, Sheet

Column = Literal["seq", "due_on", "principal", "interest", "total", "balance"]
YUAN: Final = Decimal(1)

# Names in use at banks, the plainer a name the later: where two columns could serve, the earlier name wins.
SYNONYMS: Final[dict[Column, tuple[str, ...]]] = {
    "seq": ("期数", "期次", "还款期次", "还款期数", "期号", "期序", "序号"),
    "due_on": (
        "应还日期", "应还款日期", "应还款日", "应还日", "还款日期", "还款日", "计划还款日期", "计划还款日",
        "约定还款日期", "约定还款日", "还款到期日", "还款时间", "到期日期", "到期日",
    ),
    "principal": (
        "应还本金", "应还本金金额", "本期应还本金", "本期本金", "计划还本金额", "还本金额", "归还本金", "偿还本金",
        "还款本金", "本金金额", "本金",
    ),
    "interest": (
        "应还利息", "应还利息金额", "本期应还利息", "本期利息", "计划还息金额", "还息金额", "归还利息", "偿还利息",
        "还款利息", "利息金额", "利息",
    ),
    "total": (
        "应还合计", "本期本息合计", "应还本息合计", "本息合计", "应还本息", "应还总额", "应还总金额", "本期应还合计",
        "本期应还总额", "还款总额", "应还款金额", "应还金额", "还款金额", "月供", "期供", "合计",
    ),
    "balance": (
        "剩余本金", "本金余额", "剩余本金余额", "剩余未还本金", "未还本金", "期末本金余额", "期末余额", "贷款余额",
    ),
}  # fmt: skip

_UNIT_WORDS = "千万元|百万元|千元|万元|亿元|元"
_UNIT_IN_NAME = re.compile(rf"\((?:单位:?)?(?:人民币)?({_UNIT_WORDS})\)")
_UNIT_IN_HEADING = re.compile(rf"(?<![款户保])单位\s*:?\s*(?:人民币)?\s*({_UNIT_WORDS})(?![\u4e00-\u9fff])")
_OTHER_GROUP = re.compile("实还|已还|实际|逾期|罚息|复利")
_HEADING_ROWS_MAX = 200
_LABELS: Final[dict[str, str]] = {
    "borrower": "借款人名称|借款人|借款单位|借款企业|客户名称",
    "note_no": "借据号码|借据编号|借据号",
    "loan_amount": "贷款金额|借款金额|放款金额|贷款本金|借款本金|贷款总额",
    "rate": "贷款年利率|执行年利率|年利率|贷款利率|执行利率|利率",
}
_LABEL = re.compile(rf"(?P<name>{'|'.join(_LABELS.values())})(?P<unit>\([^()]*\))?(?P<colon>:?)")


@dataclass(frozen=True, slots=True)
class Table:
    """Where a plan's columns are; `first_row` is the index of the row below the header."""

    sheet: Sheet
    header_row: int
    first_row: int
    columns: dict[Column, int]
    names: dict[Column, str]
    units: dict[Column, Decimal]
    doubled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the table: amounts in yuan, rate in per cent a year."""

    unit: Decimal = YUAN
    borrower: str | None = None
    note_no: str | None = None
    loan_amount: Decimal | None = None
    rate_annual_pct: Decimal | None = None
    warnings: tuple[str, ...] = ()


def plain(value: Cell) -> str:
    """Text of a cell in half-width characters without any white space."""
    return "".join(unicodedata.normalize("NFKC", str(value)).split()) if value is not None else ""


def find_table(sheet: Sheet) -> Table | None:
    """Give the first table of the sheet that has a date and a principal column; its header may fill two rows."""
    for at in range(min(len(sheet.rows), _HEADING_ROWS_MAX)):
        upper = [_name(cell) for cell in sheet.rows[at]]
        next_row = sheet.rows[at + 1] if at + 1 < len(sheet.rows) else []
        if _complete(single := _match([[name] for name in upper])):
            return _table(sheet, at, 2 if _only_brackets(next_row) else 1, [[name] for name in upper])
        below = [_name(cell) for cell in next_row]
        merged = _merged_names(upper, below)
        if single and _match([[name] for name in below]) and _complete(_match(merged)):
            return _table(sheet, at, 2, merged)
    return None


def is_header_again(row: list[Cell], table: Table) -> bool:
    """Tell whether the header is repeated here, as at the top of a printed page."""
    names = {_name(cell) for cell in row if cell is not None}
    known = {name for synonyms in SYNONYMS.values() for name in synonyms}
    return len(names & known) >= 2 and names <= known | {_name(c) for c in table.sheet.rows[table.header_row]}


def read_heading(table: Table) -> Heading:
    """Read unit, borrower, note number, loan amount and rate from the rows above the table."""
    rows = table.sheet.rows[: table.header_row]
    unit = next(
        (
            UNITS[match[1]]
            for row in rows
            for cell in row
            if isinstance(cell, str) and (match := _UNIT_IN_HEADING.search(unicodedata.normalize("NFKC", cell)))
        ),
        YUAN,
    )
    facts: dict[str, tuple[int, Cell, str]] = {}
    for row_no, key, value, label in _labelled(rows):
        facts.setdefault(key, (row_no, value, label))
    warnings: list[str] = []
    amount = rate = None
    if "loan_amount" in facts:
        row_no, value, label = facts["loan_amount"]
        try:
            amount = _amount(value, label, unit)
        except ValueError as error:
            warnings.append(f"第 {row_no} 行的{label}未能识别，未与借据核对：{error}")
    if "rate" in facts:
        rate = _rate(facts["rate"][1])
    borrower, note_no = (plain(facts[key][1]) or None if key in facts else None for key in ("borrower", "note_no"))
    return Heading(unit, borrower, note_no, amount, rate, tuple(warnings))


def _name(cell: Cell) -> str:
    text = re.sub(r"\([^()]*\)", "", plain(cell)) if isinstance(cell, str) else ""
    return text.removeprefix("其中").strip(":;,。*")


def _match(candidates: list[list[str]]) -> dict[Column, list[tuple[int, int]]]:
    """For each field the columns that could be it, best name first, as (rank of the name, index)."""
    found: dict[Column, list[tuple[int, int]]] = {}
    for at, names in enumerate(candidates):
        for field, synonyms in SYNONYMS.items():
            ranks = [synonyms.index(name) for name in names if name in synonyms]
            if ranks:
                found.setdefault(field, []).append((min(ranks), at))
                break
    return {field: sorted(places) for field, places in found.items()}


def _complete(found: dict[Column, list[tuple[int, int]]]) -> bool:
    return "due_on" in found and "principal" in found


def _merged_names(upper: list[str], below: list[str]) -> list[list[str]]:
    """Names of a two-row header; a merged cell keeps its text in its first column alone."""
    names: list[list[str]] = []
    group = ""
    for over, under in zip(upper, below, strict=False):
        group = over or (group if under else "")
        if _OTHER_GROUP.search(group):
            names.append([])
        else:
            names.append([group + under, under] if under else [over])
    return names


def _only_brackets(row: list[Cell]) -> bool:
    """Tell whether the row under a header only adds units: 本金 over (元)."""
    texts = [plain(cell) for cell in row if cell is not None]
    return bool(texts) and all(re.fullmatch(r"\([^()]*\)", text) for text in texts)


def _table(sheet: Sheet, at: int, rows: int, names: list[list[str]]) -> Table:
    header = sheet.rows[at : at + rows]
    found = _match(names)
    columns = {field: places[0][1] for field, places in found.items()}
    texts = {field: "".join(plain(row[column]) for row in header) for field, column in columns.items()}
    units = {field: UNITS[match[1]] for field, text in texts.items() if (match := _UNIT_IN_NAME.search(text))}
    shown = {
        field: next(name for row in reversed(header) if (name := _name(row[column])))
        for field, column in columns.items()
    }
    doubled = tuple(
        shown[field] for field, places in found.items() if len({rank for rank, _ in places[:2]}) < len(places[:2])
    )
    return Table(sheet, at, at + rows, columns, shown, units, doubled)


def _labelled(rows: list[list[Cell]]) -> Iterator[tuple[int, str, Cell, str]]:
    """Yield (Excel row, fact, value, label) for 'label:value' in one cell or label and value side by side."""
    for row_no, row in enumerate(rows, start=1):
        for at, cell in enumerate(row):
            for part in re.split(r"\s{2,}|[\n;；]", cell) if isinstance(cell, str) else []:
                label = _LABEL.match(text := plain(part))
                if label and (label["colon"] or label.end() == len(text)):
                    beside = next((other for other in row[at + 1 :] if other is not None), None)
                    value = text[label.end() :] or (None if _LABEL.match(plain(beside)) else beside)
                    key = next(key for key, names in _LABELS.items() if label["name"] in names.split("|"))
                    yield row_no, key, value, label["name"] + (label["unit"] or "")


def _amount(value: Cell, label: str, unit: Decimal) -> Decimal | None:
    if value is None or isinstance(value, bool | date):
        return None
    stated = _UNIT_IN_NAME.search(label)
    text = plain(value) if isinstance(value, str) else value
    return parse_amount(text, unit=UNITS[stated[1]] if stated else unit)


def _rate(value: Cell) -> Decimal | None:
    if isinstance(value, Decimal):
        # Excel keeps 4.35 % as 0.0435; nobody lends at half a per cent or less
        return value * 100 if value < Decimal("0.5") else value
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)%?(?:\(.*\))?", plain(value)) if isinstance(value, str) else None
    return Decimal(match[1]) if match else None
