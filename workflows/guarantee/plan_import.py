"""Read a bank's repayment plan from its Excel file and check it against the loan (4.5c, X3).

No instalment is ever skipped in silence: a row is an instalment, a total, a note that is reported, or an error that
names its row and column.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Final

from models.base.errors import BusinessError
from models.base.money import format_money, parse_amount
from reports.figures.schedules import Instalment
from workflows.base.sheet_cells import (
    NOTHING,
    YUAN,
    Span,
    Totals,
    is_date,
    plain,
    read_date,
    read_money,
    total_span,
)
from workflows.base.sheets import NOTE, Mapped, Table, find_tables, too_many
from workflows.base.workbook import Cell, read_sheets
from workflows.guarantee.plan_layout import PLAN, Column, Heading, read_heading

__all__ = ["ParsedPlan", "PlanError", "RowError", "check_plan", "parse_plan", "read_date"]

_SEQ = re.compile(r"第?([0-9]{1,4})(?:/[0-9]{1,4})?[期次]?")
_SHOWN_MAX: Final = 40
_DRAWING: Final = {"0", "第0期", "放款", "放款日", "发放", "贷款发放", "起息", "起息日", "初始"}
_ZEROS: Final = NOTHING | {"0", "0.0", "0.00"}
_DIGITS: Final = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one row; `row_no` is the row in Excel, 0 for the file as a whole."""

    row_no: int
    column: str
    message: str

    def __str__(self) -> str:
        """Name the place as users see it."""
        place = f"第 {self.row_no} 行" if self.row_no else ""
        return (
            f"{place}{f'“{self.column}”列' if self.column else ''}：{self.message}"
            if place
            else self.message
        )


class PlanError(BusinessError):
    """The plan cannot be taken over; `rows` names each fault, in the order of the file."""

    def __init__(self, rows: Sequence[RowError]) -> None:
        """Keep all faults; the message shows the first five."""
        self.rows = sorted(rows, key=lambda row: row.row_no)
        more = f"；……共 {len(self.rows)} 处错误" if len(self.rows) > 5 else ""
        super().__init__("；".join(str(row) for row in self.rows[:5]) + more)


@dataclass(frozen=True, slots=True)
class ParsedPlan:
    """A plan as read, in yuan; what the file does not state is None."""

    instalments: list[Instalment]
    total_principal: Decimal | None = None
    total_interest: Decimal | None = None
    loan_amount: Decimal | None = None
    rate_annual_pct: Decimal | None = None
    borrower: str | None = None
    note_no: str | None = None
    unit: Decimal = YUAN
    sheet: str = ""
    warnings: list[str] = field(default_factory=list)


def parse_plan(data: bytes, filename: str, mapped: Sequence[Mapped] = ()) -> ParsedPlan:
    """Read the plan from .xlsx, .xls or .csv; the table is found by the names of its columns in any sheet.

    Raises WorkbookError where the file cannot be opened, PlanError where no table is found, a row cannot be read, or
    the file's own totals, row sums or balances do not agree with its instalments.
    """
    tables = find_tables(PLAN, read_sheets(data, filename), mapped)
    if not tables:
        raise PlanError([RowError(0, "", "未找到还款计划表：表头应有“应还日期”和“应还本金”两列")])
    if len(tables) > 1:
        raise PlanError([RowError(0, "", too_many(tables))])
    if tables[0].doubled:
        raise PlanError(
            [
                RowError(tables[0].header_row + 1, name, "表头中有两列同名")
                for name in tables[0].doubled
            ]
        )
    return _Reader(tables[0], read_heading(tables[0])).read()


def check_plan(plan: ParsedPlan, *, loan_amount: Decimal, start_on: date, end_on: date) -> None:
    """Hold a plan against its loan; raises PlanError naming every row that does not fit.

    The principal adds up to the loan; days rise strictly from after the start to the end at the latest; no amount is
    negative and no instalment is empty; numbers are not used twice.
    """
    rows = plan.instalments
    errors = [error for row in rows for error in _check_row(row, start_on, end_on)]
    errors += [
        RowError(
            later.row_no or 0,
            "应还日期",
            f"第 {later.seq} 期应还日期 {later.due_on} 不晚于上一期 {earlier.due_on}",
        )
        for earlier, later in pairwise(rows)
        if later.due_on <= earlier.due_on
    ]
    seen: set[int] = set()
    for row in rows:
        if row.seq in seen:
            errors.append(RowError(row.row_no or 0, "期数", f"期数 {row.seq} 重复"))
        seen.add(row.seq)
    total = sum((row.principal for row in rows), Decimal(0))
    if total != loan_amount:
        message = (
            f"本金合计 {format_money(total)} 元与贷款金额 {format_money(loan_amount)} 元不一致"
        )
        errors.append(RowError(0, "应还本金", message))
    if plan.loan_amount is not None and plan.loan_amount != loan_amount:
        stated = format_money(plan.loan_amount)
        errors.append(
            RowError(
                0,
                "",
                f"文件所载贷款金额 {stated} 元与借据金额 {format_money(loan_amount)} 元不一致",
            )
        )
    if errors:
        raise PlanError(errors)


def _check_row(row: Instalment, start_on: date, end_on: date) -> list[RowError]:
    problems = {
        ("应还日期", f"第 {row.seq} 期应还日期 {row.due_on} 早于放款日 {start_on}"): row.due_on
        < start_on,
        ("应还日期", f"第 {row.seq} 期应还日期 {row.due_on} 晚于到期日 {end_on}"): row.due_on
        > end_on,
        ("应还本金", f"第 {row.seq} 期本金不能为负数"): row.principal < 0,
        ("应还利息", f"第 {row.seq} 期利息不能为负数"): row.interest < 0,
        ("应还本金", f"第 {row.seq} 期本金和利息都为 0"): row.principal == 0 and row.interest == 0,
    }
    return [
        RowError(row.row_no or 0, column, message)
        for (column, message), wrong in problems.items()
        if wrong
    ]


def _read_seq(value: Cell) -> int | None:
    text = f"{value:f}" if isinstance(value, Decimal) else plain(value)
    match = _SEQ.fullmatch(re.sub(f"[{_DIGITS[1:]}十]+", lambda found: _chinese(found[0]), text))
    return int(match[1]) if match else None


def _chinese(text: str) -> str:
    """十二 as 12; what is no number below a hundred stays."""
    tens, ten, ones = text.rpartition("十")
    if len(tens) > 1 or len(ones) > 1:
        return text
    return str((_DIGITS.index(tens or "一") * 10 if ten else 0) + _DIGITS.index(ones or "零"))


@dataclass(slots=True)
class _Reader:
    """Goes through the rows under the header once and collects everything that is wrong."""

    table: Table
    heading: Heading
    errors: list[RowError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    instalments: list[Instalment] = field(default_factory=list)
    balances: list[tuple[int, Decimal | None]] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=dict)
    sums: Totals = field(default_factory=Totals)
    # where one row is a part of one
    seen: dict[tuple[int, date], tuple[int, set[str]]] = field(default_factory=dict)

    @property
    def by_sort(self) -> bool:
        """Whether a row is the principal or the interest of an instalment."""
        return "principal" not in self.table.columns

    def read(self) -> ParsedPlan:
        """Read all rows; raises PlanError with every fault found."""
        self.warnings += self.heading.warnings
        for row_no, row in self.table.rows():
            self._row(row_no, row)
        if not self.instalments and not self.errors:
            self.errors.append(RowError(0, "", "还款计划表中没有任何一期"))
        if not self.errors:
            self._check_balances()
        if self.errors:
            raise PlanError(self.errors)
        if not {"interest", "total", "sort"} & self.table.columns.keys():
            self.warnings.append("未找到利息列，各期利息按 0 计")
        self.warnings += self.table.notices(self.table.heads)
        heading = self.heading
        return ParsedPlan(
            instalments=self.instalments,
            total_principal=self.totals.get("principal"),
            total_interest=self.totals.get("interest"),
            loan_amount=heading.loan_amount,
            rate_annual_pct=heading.rate_annual_pct,
            borrower=heading.borrower,
            note_no=heading.note_no,
            unit=heading.unit,
            sheet=self.table.sheet.name,
            warnings=self.warnings,
        )

    def _row(self, row_no: int, row: list[Cell]) -> None:
        if not any(plain(cell) for cell in row) or self.table.is_page_top(row):
            return
        if plain(self._cell(row, "seq")) in _DRAWING and self._is_nothing(row):
            self.warnings.append(f"第 {row_no} 行是放款，未作为还款期读取")
            return
        numbered = _read_seq(self._cell(row, "seq")) is not None
        first = next(plain(cell) for cell in row if plain(cell))
        if not numbered and not self._has_date(row) and (span := total_span(row)):
            self._total(row_no, row, span)
        elif numbered or self._looks_like_instalment(row, first):
            self._instalment(row_no, row)
        elif not NOTE.match(first):
            self.warnings.append(f"第 {row_no} 行未作为还款期读取：{first[:_SHOWN_MAX]}")

    def _looks_like_instalment(self, row: list[Cell], first: str) -> bool:
        """Tell a broken instalment from a note or a signature line without a number in 期数."""
        if any(
            self._is_amount(row, column)
            for column in ("principal", "interest", "total", "amount", "balance")
        ):
            return True
        filled = [column for column in self.table.columns if plain(self._cell(row, column))]
        signed = (
            "seq" in filled
            and len(filled) == 2
            and any(is_date(self._cell(row, column)) for column in filled)
        )
        if NOTE.match(first) or signed:  # signed: 制表日期 | 2026-01-05
            return False
        digits = any(
            re.search(r"[0-9]", plain(self._cell(row, column)))
            for column in ("due_on", "principal")
        )
        return self._has_date(row) or (digits and len(filled) >= 2)

    def _is_amount(self, row: list[Cell], column: Column) -> bool:
        value = self._cell(row, column)
        if isinstance(value, Decimal):
            return True
        try:
            return isinstance(value, str) and parse_amount(value) is not None
        except ValueError:
            return False

    def _is_nothing(self, row: list[Cell]) -> bool:
        return all(
            plain(self._cell(row, key)) in _ZEROS
            for key in ("principal", "interest", "total", "amount")
        )

    def _has_date(self, row: list[Cell]) -> bool:
        return is_date(self._cell(row, "due_on"))

    def _cell(self, row: list[Cell], column: str) -> Cell:
        return self.table.cell(row, column)

    def _instalment(self, row_no: int, row: list[Cell]) -> None:
        before = len(self.errors)
        seq = (
            _read_seq(self._cell(row, "seq"))
            if "seq" in self.table.columns
            else len(self.instalments) + 1
        )
        if seq is None:
            self._wrong(row_no, "seq", "期数为空或不是数字")
        due_on = None
        try:
            due_on = read_date(self._cell(row, "due_on"))
        except ValueError as error:
            self._wrong(row_no, "due_on", str(error))
        amounts = {
            column: self._amount(row_no, row, column)
            for column in ("principal", "interest", "total", "balance")
        }
        principal, interest, total = amounts["principal"], amounts["interest"], amounts["total"]
        if self.by_sort:
            self._part(row_no, row, seq, due_on)
            return
        if "interest" not in self.table.columns:
            interest = (
                total - principal
                if total is not None and principal is not None
                else Decimal("0.00")
            )
        if (
            len(self.errors) > before
            or seq is None
            or due_on is None
            or principal is None
            or interest is None
        ):
            return
        fee = self._amount(row_no, row, "fee") or Decimal(0)
        if total is not None and total not in {principal + interest, principal + interest + fee}:
            found, due = format_money(total), format_money(principal + interest)
            self._wrong(row_no, "total", f"{found} 不等于本金加利息 {due}")
        self.instalments.append(Instalment(seq, due_on, principal, interest, row_no))
        self.sums.add({"principal": principal, "interest": interest, "total": principal + interest})
        self.balances.append((row_no, amounts["balance"]))

    def _part(self, row_no: int, row: list[Cell], seq: int | None, due_on: date | None) -> None:
        """A row that is the principal or the interest of an instalment, which other rows make whole."""
        key: Column = "total" if "total" in self.table.columns else "amount"
        word, amount = plain(self._cell(row, "sort")), self._amount(row_no, row, key)
        sort = (
            "interest"
            if "息" in word and "本息" not in word
            else "principal"
            if "本金" in word
            else ""
        )
        if not sort:
            self._wrong(row_no, "sort", f"“{word[:_SHOWN_MAX]}”既不是本金也不是利息")
        if amount is None and plain(self._cell(row, key)) == "":
            self._wrong(row_no, key, "金额为空，本期不还请填 0")
        if not sort or seq is None or due_on is None or amount is None:
            return
        at, sorts = self.seen.setdefault(
            (seq if "seq" in self.table.columns else 0, due_on), (len(self.instalments), set())
        )
        if sort in sorts:
            self._wrong(row_no, "sort", f"{due_on} 的{word[:_SHOWN_MAX]}写了两次")
        if not sorts:
            self.instalments.append(
                Instalment(seq, due_on, Decimal("0.00"), Decimal("0.00"), row_no)
            )
            self.balances.append((row_no, None))
        sorts.add(sort)
        each = self.instalments[at]
        self.instalments[at] = (
            replace(each, principal=amount)
            if sort == "principal"
            else replace(each, interest=amount)
        )
        self.sums.add({key: amount})

    def _amount(self, row_no: int, row: list[Cell], column: Column) -> Decimal | None:
        """Read an amount; principal and interest must be there, total and balance may be blank."""
        value = self._cell(row, column)
        if column not in self.table.columns:
            return None
        if value is None or not plain(value):
            if column in {"principal", "interest"}:
                self._wrong(row_no, column, "金额为空，本期不还请填 0")
            return None
        if isinstance(value, str) and plain(value) in NOTHING:
            return Decimal("0.00")
        if isinstance(value, date | bool):
            self._wrong(row_no, column, f"“{value}”不是有效的金额")
            return None
        try:
            return read_money(value, self.table.unit_of(column))
        except ValueError as error:
            self._wrong(row_no, column, str(error))
            return None

    def _total(self, row_no: int, row: list[Cell], span: Span) -> None:
        """Check a total row against the instalments that it covers."""
        readable = not self.errors  # after an unreadable row the sums say nothing
        columns: tuple[Column, ...] = ("principal", "interest", "total", "amount")
        read = {
            column: self._amount(row_no, row, column)
            for column in columns
            if plain(self._cell(row, column))
        }
        stated: dict[str, Decimal] = {
            column: amount for column, amount in read.items() if amount is not None
        }
        if span in {Span.WHOLE, Span.RUNNING}:
            self.totals |= stated
        wrong = self.sums.wrong(span, stated)
        for column in columns:
            if column in wrong and readable:
                message = f"合计 {format_money(stated[column])} 与各期之和 {format_money(wrong[column])} 不一致"
                self._wrong(row_no, column, message)

    def _check_balances(self) -> None:
        """Follow the balance from row to row; some banks print it after the payment, some before."""
        known = [
            (each, balance)
            for each, (_, balance) in zip(self.instalments, self.balances, strict=True)
        ]
        if not known or any(balance is None for _, balance in known):
            if any(balance is not None for _, balance in known):
                self.warnings.append("剩余本金列不完整，未核对")
            return
        left = sum((each.principal for each in self.instalments), Decimal(0))
        before = known[-1][1] == known[-1][0].principal != 0
        for each, balance in known:
            expected = left if before else left - each.principal
            if balance is not None and balance != expected:
                message = f"{format_money(balance)} 与推算的 {format_money(expected)} 不一致"
                self._wrong(each.row_no or 0, "balance", message)
                # go on from what is stated, so that one slip is named once
                left += balance - expected
            left -= each.principal

    def _wrong(self, row_no: int, column: Column, message: str) -> None:
        self.errors.append(RowError(row_no, self.table.names.get(column, ""), message))
