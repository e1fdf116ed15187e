"""Read the repayments that a bank's file lists, on the shared core of clerks' files."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from models.base.money import format_money
from workflows.base.sheet_cells import NOTHING, Totals, is_date, is_money, plain, read_date, read_money, total_span
from workflows.base.sheets import Field, Kind, Mapped, Table, find_tables, too_many
from workflows.base.workbook import Cell, read_sheets
from workflows.guarantee.plan_import import PlanError, RowError

ZERO = Decimal("0.00")
KIND: Final = Kind(
    "repayment",
    "还款明细表",
    (
        Field("note_no", ("借据号", "借据号码", "借据编号", "银行借据号", "贷款借据号", "借据", "借据代码")),
        Field("paid_on", ("还款日期", "实还日期", "实际还款日期", "实际还款日", "还款日", "还款时间", "交易日期",
                          "交易时间", "交易日", "入账日期", "入账时间", "扣款日期", "扣款时间", "记账日期", "日期")),
        Field("principal", ("还本金额", "实还本金", "归还本金", "偿还本金", "还款本金", "收回本金", "本金金额",
                            "本金")),
        Field("interest", ("还息金额", "实还利息", "归还利息", "偿还利息", "还款利息", "收回利息", "利息金额",
                           "利息")),
        Field("penalty", ("实还罚息", "归还罚息", "还款罚息", "罚息金额", "罚息", "罚息复利")),
        Field("compound", ("实还复利", "归还复利", "还款复利", "复利金额", "复利")),
        Field("sort", ("还款类型", "还款种类", "款项类型", "款项种类", "款项", "类型", "科目", "费用类型", "资金类型")),
        Field("amount", ("金额", "还款金额", "实还金额", "交易金额", "发生额", "入账金额", "扣款金额")),
        Field("balance", ("贷款余额", "剩余本金", "本金余额", "还款后余额", "剩余本金余额")),
    ),
    (frozenset({"note_no", "paid_on", "principal", "interest"}), frozenset({"note_no", "paid_on", "sort", "amount"})),
)  # fmt: skip
COLUMNS: Final[dict[str, tuple[str, ...]]] = {each.key: each.names for each in KIND.fields}
_MONEY = ("principal", "interest", "penalty", "compound", "amount")
Part = Literal["principal", "interest", "penalty"]


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One repayment as the file states it; `row_no` is its row in Excel, amounts are 元, below zero for 冲正.

    The interest holds what the bank charged beside it as 罚息 and 复利: `penalty`.
    """

    row_no: int
    note_no: str
    paid_on: date
    principal: Decimal
    interest: Decimal
    penalty: Decimal = ZERO
    balance: Decimal | None = None

    @property
    def is_reversal(self) -> bool:
        """Whether the bank takes an earlier repayment back."""
        return self.principal < 0 or self.interest < 0


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file says, the names of its columns, and what of it was not read."""

    rows: list[ImportRow]
    names: dict[str, str]
    notices: list[str] = field(default_factory=list)


def read_statement(data: bytes, filename: str, mapped: Sequence[Mapped] = ()) -> Statement:
    """The rows of the one table of repayments; raises PlanError with every fault of the file."""
    tables = find_tables(KIND, read_sheets(data, filename), mapped)
    if not tables:
        names = "、".join(f"“{COLUMNS[key][0]}”" for key in ("note_no", "paid_on", "principal", "interest"))
        raise PlanError([RowError(0, "", f"未找到还款明细表：表头应有{names}四列，或每行一笔的“还款类型”“金额”")])
    if len(tables) > 1:
        raise PlanError([RowError(0, "", too_many(tables))])
    if tables[0].doubled:
        raise PlanError([RowError(tables[0].header_row + 1, name, "表头中有两列同名") for name in tables[0].doubled])
    return _Reader(tables[0]).read()


class _Reader:
    """Goes through the rows under the head once and collects everything that is wrong."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.by_sort = "principal" not in table.columns or "interest" not in table.columns
        self.money = [key for key in _MONEY if key in table.columns and (key != "amount" or self.by_sort)]
        self.rows: list[ImportRow] = []
        self.errors: list[RowError] = []
        self.notices: list[str] = []
        self.totals = Totals()

    def read(self) -> Statement:
        """All rows; raises PlanError with every fault found."""
        for at in range(self.table.first_row, len(self.table.sheet.rows)):
            self._any_row(at + 1, self.table.sheet.rows[at])
        if not self.rows and not self.errors:
            self.errors.append(RowError(0, "", "还款明细表中没有任何一行"))
        if self.errors:
            raise PlanError(self.errors)
        unread = [name for name in self.table.unread() if name not in _HARMLESS]
        if unread:
            self.notices.append(f"未读取的列：{'、'.join(unread)}")
        if self.table.source:
            self.notices.append(f"按“{self.table.source}”的列对应读取")
        return Statement(_paired(self.rows) if self.by_sort else self.rows, self.table.names, self.notices)

    def _any_row(self, row_no: int, cells: list[Cell]) -> None:
        keys = ("note_no", "paid_on", *self.money)
        filled = [key for key in keys if plain(self.table.cell(cells, key))]
        has_date = is_date(self.table.cell(cells, "paid_on"))
        if not any(plain(cell) for cell in cells) or self.table.is_head_again(cells):
            return
        if not has_date and total_span(cells):
            self._total(row_no, cells)
        elif has_date or any(is_money(self.table.cell(cells, key)) for key in self.money):
            self._row(row_no, cells)
        elif self.table.is_around(cells):
            return
        elif len(filled) > 1:
            self._row(row_no, cells)
        else:
            text = next(plain(cell) for cell in cells if plain(cell))
            self.notices.append(f"第 {row_no} 行未作为还款读取：{text[:40]}")

    def _row(self, row_no: int, cells: list[Cell]) -> None:
        before = len(self.errors)
        value = self.table.cell(cells, "note_no")
        note_no = f"{value:f}" if isinstance(value, Decimal) else plain(value)
        if not note_no:
            self._wrong(row_no, "note_no", "借据号为空")
        paid_on = None
        try:
            paid_on = read_date(self.table.cell(cells, "paid_on"))
        except ValueError as error:
            self._wrong(row_no, "paid_on", str(error))
        stated = {key: self._amount(row_no, cells, key) for key in self.money}
        parts = self._sorted(row_no, cells, stated["amount"]) if self.by_sort else stated
        if len(self.errors) > before or paid_on is None:
            return
        penalty = parts.get("penalty", ZERO) + parts.get("compound", ZERO)
        principal, interest = parts.get("principal", ZERO), parts.get("interest", ZERO) + penalty
        balance = self._balance(cells)
        self.rows.append(ImportRow(row_no, note_no, paid_on, principal, interest, penalty, balance))
        self.totals.add(stated)

    def _sorted(self, row_no: int, cells: list[Cell], amount: Decimal) -> dict[str, Decimal]:
        """Where one column says what an amount is: a row of principal, of interest, or of penalty."""
        word = plain(self.table.cell(cells, "sort"))
        for sign, key in (("罚", "penalty"), ("复利", "penalty"), ("息", "interest"), ("本", "principal")):
            if sign in word and "本息" not in word:
                return {key: amount}
        self._wrong(row_no, "sort", f"“{word[:20]}”既不是本金也不是利息" if word else "没有写明是本金还是利息")
        return {}

    def _balance(self, cells: list[Cell]) -> Decimal | None:
        try:
            return read_money(self.table.cell(cells, "balance"), self.table.unit_of("balance"))
        except ValueError:
            return None  # it is only compared with ours

    def _amount(self, row_no: int, cells: list[Cell], key: str) -> Decimal:
        try:
            return read_money(self.table.cell(cells, key), self.table.unit_of(key)) or ZERO
        except ValueError as error:
            self._wrong(row_no, key, str(error))
            return ZERO

    def _total(self, row_no: int, cells: list[Cell]) -> None:
        """A total must be that of the rows it covers, so that no row has been lost on the way."""
        readable = not self.errors
        span = total_span(cells)
        stated = {
            key: self._amount(row_no, cells, key)
            for key in self.money if plain(self.table.cell(cells, key)) not in NOTHING
        }  # fmt: skip
        if span is None:
            return
        for key, found in self.totals.wrong(span, stated).items():
            if readable:  # after an unreadable row the sums say nothing
                text = f"{span.value} {format_money(stated[key])} 与各行之和 {format_money(found)} 不一致"
                self._wrong(row_no, key, text)

    def _wrong(self, row_no: int, key: str, message: str) -> None:
        self.errors.append(RowError(row_no, self.table.names.get(key, COLUMNS[key][0]), message))


_HARMLESS: Final = {"序号", "客户名称", "借款人", "借款人名称", "户名", "币种", "备注", "摘要"}


def _paired(rows: list[ImportRow]) -> list[ImportRow]:
    """Repayments from rows of principal and of interest: the nth of each of a loan's day are one repayment."""
    lanes: dict[tuple[str, date], dict[str, list[ImportRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        lane = "principal" if row.principal else "penalty" if row.penalty else "interest"
        lanes[row.note_no, row.paid_on][lane].append(row)
    found = []
    for lane_rows in lanes.values():
        for at in range(max(map(len, lane_rows.values()))):
            parts = [part[at] for part in lane_rows.values() if at < len(part)]
            first = min(parts, key=lambda row: row.row_no)
            last = max(parts, key=lambda row: row.row_no)
            principal, interest, penalty = (
                sum((getattr(part, key) for part in parts), ZERO) for key in ("principal", "interest", "penalty")
            )
            found.append(
                ImportRow(first.row_no, first.note_no, first.paid_on, principal, interest, penalty, last.balance)
            )
    return sorted(found, key=lambda row: row.row_no)
