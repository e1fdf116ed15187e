"""Read the repayments that a bank's file lists, on the shared core of clerks' files."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from models.base.money import format_money
from workflows.base.sheet_cells import (
    NOTHING,
    Totals,
    is_date,
    is_money,
    plain,
    read_date,
    read_money,
    total_span,
)
from workflows.base.sheets import Field, Kind, Mapped, Table, find_tables, too_many
from workflows.base.workbook import Cell, read_sheets
from workflows.guarantee.plan_import import PlanError, RowError

ZERO = Decimal("0.00")
KIND: Final = Kind(
    "repayment",
    "还款明细表",
    (
        Field(
            "note_no",
            ("借据号", "借据号码", "借据编号", "银行借据号", "贷款借据号", "借据", "借据代码"),
            spans=True,
        ),
        Field(
            "paid_on",
            (
                "还款日期",
                "实还日期",
                "实际还款日期",
                "实际还款日",
                "还款日",
                "还款时间",
                "交易日期",
                "交易时间",
                "交易日",
                "入账日期",
                "入账时间",
                "扣款日期",
                "扣款时间",
                "记账日期",
                "日期",
            ),
            spans=True,
        ),
        Field(
            "principal",
            (
                "还本金额",
                "实还本金",
                "归还本金",
                "偿还本金",
                "还款本金",
                "收回本金",
                "本金金额",
                "本金",
            ),
        ),
        Field(
            "interest",
            (
                "还息金额",
                "实还利息",
                "归还利息",
                "偿还利息",
                "还款利息",
                "收回利息",
                "利息金额",
                "利息",
            ),
        ),
        Field("penalty", ("实还罚息", "归还罚息", "还款罚息", "罚息金额", "罚息", "罚息复利")),
        Field("compound", ("实还复利", "归还复利", "还款复利", "复利金额", "复利")),
        Field(
            "sort",
            (
                "还款类型",
                "还款种类",
                "款项类型",
                "款项种类",
                "款项",
                "类型",
                "科目",
                "费用类型",
                "资金类型",
                "交易类型",
                "还款科目",
                "摘要",
                "交易摘要",
            ),
        ),
        Field(
            "amount", ("金额", "还款金额", "实还金额", "交易金额", "发生额", "入账金额", "扣款金额")
        ),
        Field("balance", ("贷款余额", "剩余本金", "本金余额", "还款后余额", "剩余本金余额")),
        Field(
            "total",
            (
                "还款总额",
                "还款合计",
                "实还合计",
                "实还总额",
                "本息合计",
                "实还本息",
                "还款本息",
                "合计",
            ),
        ),
        Field("fee", ("手续费", "服务费", "其他费用", "费用"), is_only_checked=True),
        Field(
            "status",
            (
                "交易状态",
                "扣款状态",
                "还款状态",
                "处理状态",
                "处理结果",
                "状态",
                "冲正标志",
                "冲正标识",
                "冲销标志",
                "冲正状态",
                "是否冲正",
            ),
        ),
    ),
    (
        frozenset({"note_no", "paid_on", "principal", "interest"}),
        frozenset({"note_no", "paid_on", "sort", "amount"}),
    ),
)
COLUMNS: Final[dict[str, tuple[str, ...]]] = {each.key: each.names for each in KIND.fields}
_MONEY = ("principal", "interest", "penalty", "compound", "amount")
Part = Literal["principal", "interest", "penalty"]
_UNDONE = re.compile("[已被](?:冲正|冲销|红冲|撤销|抹账)|失败|作废|未入账|退票")
_REVERSES = re.compile("冲正|冲销|红冲|抹账|撤销|红字")
_FLAG = re.compile("是|Y|YES|1|TRUE", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"[0-9.]+E\+?[0-9]+", re.IGNORECASE)


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
        names = "、".join(
            f"“{COLUMNS[key][0]}”" for key in ("note_no", "paid_on", "principal", "interest")
        )
        raise PlanError(
            [
                RowError(
                    0, "", f"未找到还款明细表：表头应有{names}四列，或每行一笔的“还款类型”“金额”"
                )
            ]
        )
    if len(tables) > 1:
        raise PlanError([RowError(0, "", too_many(tables))])
    if tables[0].doubled:
        raise PlanError(
            [
                RowError(tables[0].header_row + 1, name, "表头中有两列同名")
                for name in tables[0].doubled
            ]
        )
    return _Reader(tables[0]).read()


class _Reader:
    """Goes through the rows under the head once and collects everything that is wrong."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.by_sort = "principal" not in table.columns or "interest" not in table.columns
        self.money = [
            key for key in _MONEY if key in table.columns and (key != "amount" or self.by_sort)
        ]
        self.rows: list[ImportRow] = []
        self.errors: list[RowError] = []
        self.notices: list[str] = []
        self.totals = Totals()

    def read(self) -> Statement:
        """All rows; raises PlanError with every fault found."""
        for row_no, cells in self.table.rows():
            self._any_row(row_no, cells)
        if not self.rows and not self.errors:
            self.errors.append(RowError(0, "", "还款明细表中没有任何一行"))
        if self.errors:
            raise PlanError(self.errors)
        self.notices += self.table.notices(_HARMLESS)
        return Statement(
            _paired(self.rows) if self.by_sort else self.rows, self.table.names, self.notices
        )

    def _any_row(self, row_no: int, cells: list[Cell]) -> None:
        keys = ("note_no", "paid_on", *self.money)
        filled = [key for key in keys if plain(self.table.cell(cells, key))]
        has_date = is_date(self.table.cell(cells, "paid_on"))
        if not any(plain(cell) for cell in cells) or self.table.is_head_again(cells):
            return
        if not has_date and total_span(cells):
            self._total(row_no, cells)
        elif (has_date and len(filled) > 1) or any(
            is_money(self.table.cell(cells, key)) for key in self.money
        ):
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
        note_no = self._note_no(row_no, cells)
        paid_on = None
        try:
            paid_on = read_date(self.table.cell(cells, "paid_on"))
        except ValueError as error:
            self._wrong(row_no, "paid_on", str(error))
        stated = {key: self._amount(row_no, cells, key) for key in self.money}
        if self._takes_back(row_no, cells) and min(stated.values()) >= 0:
            stated = {key: -amount for key, amount in stated.items()}
        parts = self._sorted(row_no, cells, stated["amount"]) if self.by_sort else stated
        if len(self.errors) > before or paid_on is None:
            return
        penalty = parts.get("penalty", ZERO) + parts.get("compound", ZERO)
        principal, interest = parts.get("principal", ZERO), parts.get("interest", ZERO) + penalty
        self._check_total(row_no, cells, principal + interest)
        balance = self._balance(cells)
        self.rows.append(
            ImportRow(
                row_no,
                note_no,
                paid_on,
                principal=principal,
                interest=interest,
                penalty=penalty,
                balance=balance,
            )
        )
        self.totals.add(stated)

    def _note_no(self, row_no: int, cells: list[Cell]) -> str:
        value = self.table.cell(cells, "note_no")
        note_no = (
            f"{value:f}"
            if isinstance(value, Decimal)
            else re.sub(r"(?<=[0-9])\.0+$", "", plain(value))
        )
        if not note_no:
            self._wrong(row_no, "note_no", "借据号为空")
        elif _SCIENTIFIC.fullmatch(note_no):
            self._wrong(
                row_no,
                "note_no",
                f"“{note_no}”是科学计数，号码已不完整，请把这一列设为文本后重新导出",
            )
        return note_no

    def _takes_back(self, row_no: int, cells: list[Cell]) -> bool:
        """Whether words say that the bank takes a repayment back; what never took effect is refused."""
        word = plain(self.table.cell(cells, "status"))
        flagged = "冲" in self.table.names.get("status", "") and bool(_FLAG.fullmatch(word))
        said = word + plain(self.table.cell(cells, "sort"))
        if _UNDONE.search(said):
            message = f"“{said[:20]}”不是有效的还款，请删去这一行（已冲正的连同冲正行）"
            self._wrong(row_no, "status" if word else "sort", message)
        return flagged or bool(_REVERSES.search(said))

    def _check_total(self, row_no: int, cells: list[Cell], due: Decimal) -> None:
        """What a row states as its whole is principal and interest, with the fee or without it."""
        if "total" not in self.table.columns or not plain(self.table.cell(cells, "total")):
            return
        total, fee = (self._amount(row_no, cells, key) for key in ("total", "fee"))
        if abs(total) not in {abs(due), abs(due + fee)}:
            self._wrong(
                row_no, "total", f"{format_money(total)} 不等于本金加利息 {format_money(due)}"
            )

    def _sorted(self, row_no: int, cells: list[Cell], amount: Decimal) -> dict[str, Decimal]:
        """Where one column says what an amount is: a row of principal, of interest, or of penalty."""
        word = plain(self.table.cell(cells, "sort"))
        for sign, key in (
            ("罚", "penalty"),
            ("复利", "penalty"),
            ("息", "interest"),
            ("本", "principal"),
        ):
            if sign in word and "本息" not in word:
                return {key: amount}
        self._wrong(
            row_no,
            "sort",
            f"“{word[:20]}”既不是本金也不是利息" if word else "没有写明是本金还是利息",
        )
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
            for key in self.money
            if plain(self.table.cell(cells, key)) not in NOTHING
        }
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
    lanes: dict[tuple[str, date], dict[str, list[ImportRow]]] = defaultdict(
        lambda: defaultdict(list)
    )
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
                sum((getattr(part, key) for part in parts), ZERO)
                for key in ("principal", "interest", "penalty")
            )
            found.append(
                ImportRow(
                    first.row_no,
                    first.note_no,
                    first.paid_on,
                    principal=principal,
                    interest=interest,
                    penalty=penalty,
                    balance=last.balance,
                )
            )
    return sorted(found, key=lambda row: row.row_no)
