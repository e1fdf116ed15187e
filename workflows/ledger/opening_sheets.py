"""The two workbooks of an opening, read by column names: 科目余额表 and 辅助余额表 (8.6)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.base.money import parse_amount
from models.ledger import ZERO
from workflows.base.workbook import Cell, Sheet, WorkbookError, read_sheets

HEAD_ROWS = 20  # a head stands near the top; below it are rows
_PERIOD = re.compile(r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*月?")
_DOTTED = re.compile(r"\d{4}(?:[.-]\d{2,4})*")
_PLAIN = re.compile(r"\d{4}(?:\d{2})*")
_TOTALS = ("合计", "总计")
_NAMES = {
    "code": ("科目编码", "科目代码", "科目编号"),
    "name": ("科目名称",),
    "side": ("方向", "借贷方向", "余额方向"),
    "amount": ("期末余额", "期初余额", "余额", "金额"),
    "debit": ("期末借方", "借方余额", "期末余额借方"),
    "credit": ("期末贷方", "贷方余额", "期末余额贷方"),
    "customer": ("客户名称", "往来单位"),
    "uscc": ("统一社会信用代码", "证件号码", "身份证号码"),
    "starts_on": ("起始日期", "开始日期"),
    "ends_on": ("到期日期", "结束日期"),
}


@dataclass(frozen=True)
class RowError:
    """What is wrong with a row of a file; row 0 is the file as a whole."""

    file: str
    row: int
    message: str

    @property
    def text(self) -> str:
        """With its place."""
        return f"{self.file} 第 {self.row} 行：{self.message}" if self.row else f"{self.file}：{self.message}"


@dataclass(frozen=True)
class BalanceLine:
    """A balance as the file states it; `amount` is debit positive, in 元."""

    row: int
    code: str
    name: str
    amount: Decimal
    is_debit: bool


@dataclass(frozen=True)
class AuxiliaryLine:
    """A customer's part of a balance; `amount` on the account's own side, in 元."""

    row: int
    code: str
    customer: str
    uscc: str
    amount: Decimal
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True)
class BalanceSheet:
    """科目余额表: `period` is '2025-12' or '' where the file does not say; `totals` are the sums that it states."""

    period: str
    lines: list[BalanceLine]
    totals: dict[bool, Decimal]


def read_balances(data: bytes, filename: str) -> tuple[BalanceSheet, list[RowError]]:
    """科目余额表 with what is wrong in it. Raises WorkbookError for a file that is none."""
    sheet, top, at = _find(data, filename, _is_balances, "科目编码、方向、期末余额（或期末借方、期末贷方）")
    lines: list[BalanceLine] = []
    totals: dict[bool, Decimal] = {}
    errors: list[RowError] = []
    in_totals = False
    for number, row in enumerate(sheet.rows[top + 1 :], top + 2):
        if not any(cell is not None for cell in row):
            continue
        code = _text(row, at, "code")
        in_totals = code in _TOTALS or (in_totals and not code)
        try:
            amounts = _amounts(row, at)
            if in_totals:
                totals |= amounts
            else:
                lines.append(_balance(number, code, _text(row, at, "name"), amounts))
        except ValueError as error:
            errors.append(RowError(filename, number, str(error)))
    return BalanceSheet(_period(sheet.rows[:top]), lines, totals), errors


def read_auxiliaries(data: bytes, filename: str) -> tuple[list[AuxiliaryLine], list[RowError]]:
    """辅助余额表 with what is wrong in it. Raises WorkbookError for a file that is none."""
    sheet, top, at = _find(data, filename, _is_auxiliaries, "科目编码、客户名称、统一社会信用代码、期末余额")
    lines: list[AuxiliaryLine] = []
    errors: list[RowError] = []
    for number, row in enumerate(sheet.rows[top + 1 :], top + 2):
        code = _text(row, at, "code")
        if not any(cell is not None for cell in row) or code in _TOTALS:
            continue
        try:
            lines.append(_auxiliary(number, row, at, account_code(code)))
        except ValueError as error:
            errors.append(RowError(filename, number, str(error)))
    return lines, errors


def account_code(text: str) -> str:
    """A code as the chart writes it: 100201, 1002-01 and 1002.01 are 1002.01. Raises ValueError."""
    if _PLAIN.fullmatch(text):
        return ".".join([text[:4], *(text[start : start + 2] for start in range(4, len(text), 2))])
    if _DOTTED.fullmatch(text):
        return text.replace("-", ".")
    raise ValueError(f"“{text[:30]}”不是科目编码，应为 1002、100201 或 1002.01 这样的编码")


Found = tuple[Sheet, int, dict[str, int]]


def _is_balances(at: dict[str, int]) -> bool:
    return "code" in at and ({"side", "amount"} <= at.keys() or {"debit", "credit"} <= at.keys())


def _is_auxiliaries(at: dict[str, int]) -> bool:
    return {"code", "customer", "uscc", "amount"} <= at.keys()


def _find(data: bytes, filename: str, fits: Callable[[dict[str, int]], bool], wanted: str) -> Found:
    for sheet in read_sheets(data, filename):
        for number, row in enumerate(sheet.rows[:HEAD_ROWS]):
            at = _columns(row)
            if fits(at):
                return sheet, number, at
    raise WorkbookError(f"{filename[:60]}：没有找到表头，应有列：{wanted}")


def _columns(row: list[Cell]) -> dict[str, int]:
    heads = {re.sub(r"[\s（）()：:]|元", "", str(cell)): at for at, cell in enumerate(row) if cell is not None}
    return {key: heads[name] for key, names in _NAMES.items() for name in reversed(names) if name in heads}


def _period(rows: list[list[Cell]]) -> str:
    for cell in (cell for row in rows for cell in row if isinstance(cell, str)):
        found = _PERIOD.search(cell)
        if found and 1 <= int(found[2]) <= 12:
            return f"{found[1]}-{int(found[2]):02d}"
    return ""


def _value(row: list[Cell], at: dict[str, int], key: str) -> Cell:
    return row[at[key]] if key in at else None


def _text(row: list[Cell], at: dict[str, int], key: str) -> str:
    value = _value(row, at, key)
    return "" if value is None else str(value).strip()


def _amount(value: Any, label: str) -> Decimal:
    if isinstance(value, date):
        raise ValueError(f"{label}不是金额")
    try:
        return parse_amount(value) if value is not None else ZERO
    except ValueError as error:
        raise ValueError(f"{label}：{error}") from error


def _amounts(row: list[Cell], at: dict[str, int]) -> dict[bool, Decimal]:
    """Amount by side (True for 借), as stated; an account that is 平 has none."""
    if "debit" in at:
        both = {True: _amount(_value(row, at, "debit"), "借方"), False: _amount(_value(row, at, "credit"), "贷方")}
        return {side: amount for side, amount in both.items() if amount} or {True: ZERO}
    side, amount = _text(row, at, "side"), _amount(_value(row, at, "amount"), "余额")
    if side not in ("借", "贷") and not (side in ("平", "") and amount == 0):
        raise ValueError(f"方向“{side[:10]}”应为 借 或 贷")
    return {side != "贷": amount}


def _balance(number: int, code: str, name: str, amounts: dict[bool, Decimal]) -> BalanceLine:
    net = amounts.get(True, ZERO) - amounts.get(False, ZERO)
    return BalanceLine(number, account_code(code), name, net, is_debit=True in amounts)


def _auxiliary(number: int, row: list[Cell], at: dict[str, int], code: str) -> AuxiliaryLine:
    uscc = _text(row, at, "uscc").upper()
    if not uscc:
        raise ValueError("没有统一社会信用代码，无法对应客户")
    starts, ends = _day(row, at, "starts_on", "起始日期"), _day(row, at, "ends_on", "到期日期")
    return AuxiliaryLine(
        number, code, _text(row, at, "customer"), uscc, _amount(_value(row, at, "amount"), "余额"), starts, ends
    )


def _day(row: list[Cell], at: dict[str, int], key: str, label: str) -> date | None:
    value = _value(row, at, key)
    if value is None:
        return None
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(str(value).strip().replace("/", "-").replace(".", "-"))
    except ValueError:
        raise ValueError(f"{label}“{str(value)[:20]}”应为 2025-11-17 这样的日期") from None
