"""Repayments from the bank's Excel (4.5e, X3): columns found by name, every row's fault named, all rows or none.

The trial runs the very verb that registers a repayment and is taken back, so the preview says what the import will do.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import or_, select

from models.base.errors import BusinessError
from models.base.money import UNITS, format_money, parse_amount
from models.drawdown import Drawdown
from models.repayment import Repayment, RepaymentSource, RepaymentState
from reports.scope import scoped
from workflows.base.context import Ctx
from workflows.base.workbook import Cell, Sheet, read_sheets
from workflows.guarantee.plan_import import PlanError, RowError, read_date
from workflows.guarantee.plan_layout import plain
from workflows.guarantee.repayment import Paid, record

# Names in use at banks; the first of a field is how messages call its column.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "note_no": ("借据号", "借据号码", "借据编号", "银行借据号", "贷款借据号", "借据"),
    "paid_on": ("还款日期", "实还日期", "实际还款日期", "还款日", "交易日期", "入账日期", "扣款日期"),
    "principal": ("还本金额", "实还本金", "归还本金", "偿还本金", "还款本金", "本金金额", "本金"),
    "interest": ("还息金额", "实还利息", "归还利息", "偿还利息", "还款利息", "利息金额", "利息"),
}
_HEADER_ROWS_MAX: Final = 200
_TOTAL: Final = re.compile(r".{0,6}(?:合计|总计|小计).{0,4}")
_UNIT: Final = re.compile(r"\((?:单位:?)?(?:人民币)?(千元|万元|元)\)")
_NOTHING: Final = {"", "-", "--", "—", "——", "/"}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One repayment as the file states it; `row_no` is its row in Excel, amounts are 元."""

    row_no: int
    note_no: str
    paid_on: date
    principal: Decimal
    interest: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a row: registered, known already, or refused with `problem`."""

    row: ImportRow
    label: str
    customer: str = ""
    balance_after: Decimal | None = None
    problem: RowError | None = None
    extra_interest: Decimal = Decimal(0)


def preview(ctx: Ctx, data: bytes, filename: str) -> list[Outcome]:
    """What an import of the file would do, row by row in the order of the file; nothing is kept.

    Raises WorkbookError for a file that cannot be opened, PlanError naming the rows that cannot be read.
    """
    ctx.require("import", "repayment", "导入还款")
    rows = parse(data, filename)
    trial = ctx.session.begin_nested()
    try:
        return sorted(_apply(ctx, rows, filename), key=lambda outcome: outcome.row.row_no)
    finally:
        trial.rollback()
        ctx.session.expire_all()


def import_file(ctx: Ctx, data: bytes, filename: str) -> list[Outcome]:
    """Register every repayment of the file that is not registered yet.

    Raises PlanError naming all rows that are refused; then none is registered (the edge rolls back).
    """
    ctx.require("import", "repayment", "导入还款")
    found = _apply(ctx, parse(data, filename), filename)
    if wrong := [outcome.problem for outcome in found if outcome.problem]:
        raise PlanError(wrong)
    return found


def parse(data: bytes, filename: str) -> list[ImportRow]:
    """The rows of the one table with the four columns; raises PlanError with every fault of the file."""
    found = [
        (sheet, at, columns)
        for sheet in read_sheets(data, filename)
        if sheet.visible and (place := _header(sheet)) is not None
        for at, columns in (place,)
    ]
    if not found:
        names = "、".join(f"“{names[0]}”" for names in COLUMNS.values())
        raise PlanError([RowError(0, "", f"未找到还款明细表：表头应有{names}四列")])
    if len(found) > 1:
        names = "、".join(sheet.name for sheet, _, _ in found)
        raise PlanError([RowError(0, "", f"工作表 {names} 中都有还款明细表，请只保留一张")])
    return _Reader(*found[0]).read()


def _header(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    for at, cells in enumerate(sheet.rows[:_HEADER_ROWS_MAX]):
        names = [re.sub(r"\([^()]*\)", "", plain(cell)) for cell in cells]
        columns = {
            field: min(places, key=lambda i: known.index(names[i]))
            for field, known in COLUMNS.items()
            if (places := [i for i, name in enumerate(names) if name in known])
        }
        if len(columns) == len(COLUMNS):
            return at, columns
    return None


class _Reader:
    """Goes through the rows under the header once and collects everything that is wrong."""

    def __init__(self, sheet: Sheet, at: int, columns: dict[str, int]) -> None:
        self.columns = columns
        self.body = list(enumerate(sheet.rows[at + 1 :], start=at + 2))
        header = [plain(cell) for cell in sheet.rows[at]]
        self.units = {
            field: UNITS[match[1]] if (match := _UNIT.search(header[i])) else Decimal(1)
            for field, i in columns.items()
        }
        self.rows: list[ImportRow] = []
        self.errors: list[RowError] = []

    def read(self) -> list[ImportRow]:
        """All rows; raises PlanError with every fault found."""
        for row_no, cells in self.body:
            filled = [text for cell in cells if (text := plain(cell))]
            if not filled:
                continue
            if _TOTAL.fullmatch(filled[0]):
                self._total(row_no, cells)
            else:
                self._row(row_no, cells)
        if not self.rows and not self.errors:
            self.errors.append(RowError(0, "", "还款明细表中没有任何一行"))
        if self.errors:
            raise PlanError(self.errors)
        return self.rows

    def _row(self, row_no: int, cells: list[Cell]) -> None:
        before = len(self.errors)
        note_no = self._note_no(cells)
        if not note_no:
            self._wrong(row_no, "note_no", "借据号为空")
        paid_on = None
        try:
            paid_on = read_date(cells[self.columns["paid_on"]])
        except ValueError as error:
            self._wrong(row_no, "paid_on", str(error))
        principal, interest = (self._amount(row_no, cells, field) for field in ("principal", "interest"))
        if len(self.errors) == before and paid_on is not None:
            self.rows.append(ImportRow(row_no, note_no, paid_on, principal, interest))

    def _note_no(self, cells: list[Cell]) -> str:
        value = cells[self.columns["note_no"]]
        return f"{value:f}" if isinstance(value, Decimal) else plain(value)

    def _amount(self, row_no: int, cells: list[Cell], field: str) -> Decimal:
        value = cells[self.columns[field]]
        if plain(value) in _NOTHING:
            return Decimal("0.00")
        if not isinstance(value, str | Decimal):
            self._wrong(row_no, field, f"“{value}”不是有效的金额")
            return Decimal("0.00")
        try:
            return parse_amount(plain(value) if isinstance(value, str) else value, unit=self.units[field])
        except ValueError as error:
            self._wrong(row_no, field, str(error))
            return Decimal("0.00")

    def _total(self, row_no: int, cells: list[Cell]) -> None:
        """A total must be that of the rows above it, so that no row has been lost on the way."""
        readable = not self.errors
        for field in ("principal", "interest"):
            stated = self._amount(row_no, cells, field)
            found = sum((getattr(row, field) for row in self.rows), Decimal(0))
            if readable and plain(cells[self.columns[field]]) not in _NOTHING and stated != found:
                message = f"合计 {format_money(stated)} 与各行之和 {format_money(found)} 不一致"
                self._wrong(row_no, field, message)

    def _wrong(self, row_no: int, field: str, message: str) -> None:
        self.errors.append(RowError(row_no, COLUMNS[field][0], message))


def _apply(ctx: Ctx, rows: list[ImportRow], filename: str) -> list[Outcome]:
    """Register row by row in the order of payment; a refused row is named and the next is tried."""
    loans = _loans(ctx, {row.note_no for row in rows})
    seen: Counter[tuple[object, ...]] = Counter()
    found = []
    for row in sorted(rows, key=lambda r: (r.paid_on, r.row_no)):
        loan = loans.get(row.note_no)
        if loan is None:
            found.append(_refused(row, "note_no", "没有这个借据号，或不在您的数据范围内"))
            continue
        key = (loan.id, row.paid_on, row.principal, row.interest)
        if key not in seen:
            seen[key] = -_known(ctx, *key)
        seen[key] += 1
        if seen[key] <= 0:  # as many such payments as the file has so far are registered already
            found.append(Outcome(row, "已登记", loan.project.customer.name))
        else:
            found.append(_register(ctx, row, loan, filename))
    return found


def _register(ctx: Ctx, row: ImportRow, loan: Drawdown, filename: str) -> Outcome:
    customer = loan.project.customer.name
    paid = Paid(
        row.paid_on, row.principal, row.interest, source=RepaymentSource.IMPORTED, file_name=filename[-200:]
    )
    attempt = ctx.session.begin_nested()
    try:
        made = record(ctx, loan, paid)
    except BusinessError as error:
        attempt.rollback()
        field = next((name for name in error.field_errors if name in COLUMNS), "note_no")
        return _refused(row, field, error.message, customer)
    attempt.commit()
    return Outcome(row, "新增", customer, made.balance_after, extra_interest=made.extra_interest)


def _refused(row: ImportRow, field: str, message: str, customer: str = "") -> Outcome:
    return Outcome(row, "有误", customer, problem=RowError(row.row_no, COLUMNS[field][0], message))


def _loans(ctx: Ctx, note_numbers: set[str]) -> dict[str, Drawdown]:
    """Loans that the actor may read, by the bank's number or ours, as the file names them."""
    found: dict[str, Drawdown] = {}
    ordered = sorted(note_numbers)
    for first in range(0, len(ordered), 500):
        part = ordered[first : first + 500]
        query = select(Drawdown).where(or_(Drawdown.bank_note_no.in_(part), Drawdown.number.in_(part)))
        for loan in ctx.session.scalars(scoped(query, Drawdown, ctx.actor).order_by(Drawdown.id)):
            found[loan.number] = found[loan.bank_note_no] = loan
    return found


def _known(ctx: Ctx, drawdown_id: int, paid_on: date, principal: Decimal, interest: Decimal) -> int:
    """How many such repayments are registered and not taken back."""
    query = select(Repayment.id).where(
        Repayment.drawdown_id == drawdown_id, Repayment.paid_on == paid_on, Repayment.principal == principal,
        Repayment.interest == interest, Repayment.state == RepaymentState.BOOKED,
    )  # fmt: skip
    return len(ctx.session.scalars(query).all())
