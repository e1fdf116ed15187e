"""The two workbooks of an opening, read by column names: 科目余额表 and 辅助余额表 (8.6)."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final

from models.base.money import format_money
from models.ledger.account import ZERO
from reports.figures.provisions import month_before
from workflows.base.sheet_cells import (
    Span,
    Totals,
    is_money,
    months_above,
    plain,
    read_date,
    read_money,
    total_span,
)
from workflows.base.sheets import Field, Kind, Mapped, Table, find_tables, too_many
from workflows.base.workbook import Cell, WorkbookError, read_sheets
from workflows.ledger.opening_year import YEAR_FIELDS, YearFigures, year_of

_DOTTED = re.compile(r"\d{4}(?:[.-]\d{2,4})*")
# digits below the first four
_SCHEMES: Final = (
    (2, 2, 2, 2, 2),
    (3, 3, 3, 3),
    (3, 2, 2, 2),
    (2, 3, 3),
    (4, 4, 4),
)
_TERM = (
    Field("starts_on", ("起始日期", "开始日期", "起始日", "开始日")),
    Field("ends_on", ("到期日期", "结束日期", "到期日", "终止日期")),
)
_CODE = Field("code", ("科目编码", "科目代码", "科目编号", "科目号", "编码"))
_SIDE = Field("side", ("期末余额方向", "期末方向", "余额方向", "借贷方向", "方向", "借贷"))
_DEBIT = Field(
    "debit",
    (
        "期末余额借方",
        "期末借方余额",
        "期末借方",
        "借方期末余额",
        "期末余额借方金额",
        "期末余额借",
        "期末借方金额",
        "借方余额",
    ),
    "期末借方",
)
_CREDIT = Field(
    "credit",
    (
        "期末余额贷方",
        "期末贷方余额",
        "期末贷方",
        "贷方期末余额",
        "期末余额贷方金额",
        "期末余额贷",
        "期末贷方金额",
        "贷方余额",
    ),
    "期末贷方",
)
BALANCES: Final = Kind(
    "opening_balances",
    "科目余额表",
    (
        _CODE,
        Field("name", ("科目名称", "会计科目", "科目", "名称")),
        _SIDE,
        Field("amount", ("期末余额", "期末金额", "期末余额金额", "期末余额余额", "余额", "金额")),
        _DEBIT,
        _CREDIT,
        Field("open_side", ("期初余额方向", "期初方向")),
        Field("open_amount", ("期初余额", "期初金额", "期初余额金额", "期初余额余额", "月初余额")),
        Field(
            "open_debit",
            (
                "期初余额借方",
                "期初借方余额",
                "期初借方",
                "借方期初余额",
                "期初余额借方金额",
                "期初余额借",
                "期初借方金额",
            ),
            "期初借方",
        ),
        Field(
            "open_credit",
            (
                "期初余额贷方",
                "期初贷方余额",
                "期初贷方",
                "贷方期初余额",
                "期初余额贷方金额",
                "期初余额贷",
                "期初贷方金额",
            ),
            "期初贷方",
        ),
        *YEAR_FIELDS,
        Field("customer", ("客户名称", "往来单位", "往来单位名称", "供应商名称")),
    ),
    tuple(
        frozenset({"code", *need})
        for need in (
            ("side", "amount"),
            ("debit", "credit"),
            ("side", "open_amount"),
            ("open_side", "open_amount"),
            ("open_debit", "open_credit"),
        )
    ),
    without=frozenset({"customer"}),
)
AUXILIARIES: Final = Kind(
    "opening_auxiliaries",
    "辅助余额表",
    (
        replace(_CODE, spans=True),
        Field("customer", ("客户名称", "往来单位", "往来单位名称", "单位名称", "客户"), spans=True),
        Field(
            "uscc",
            ("统一社会信用代码", "信用代码", "证件号码", "身份证号码", "证件号", "身份证号"),
            spans=True,
        ),
        _SIDE,
        _DEBIT,
        _CREDIT,
        Field("amount", ("期末余额", "期末金额", "余额", "金额", "期初余额", "期初金额")),
        *_TERM,
    ),
    tuple(
        frozenset({"code", "customer", "uscc", *need})
        for need in (("amount",), ("debit", "credit"))
    ),
)


@dataclass(frozen=True)
class RowError:
    """What is wrong with a row of a file; row 0 is the file as a whole."""

    file: str
    row: int
    message: str

    @property
    def text(self) -> str:
        """With its place."""
        return (
            f"{self.file} 第 {self.row} 行：{self.message}"
            if self.row
            else f"{self.file}：{self.message}"
        )


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
    """The rows; `period` is the month whose end they state, `totals` what 合计 says on each side (True for 借).

    `stated` and `is_opening` are what the file says: the opening of a month is the end of the month before.
    """

    period: str
    lines: list[BalanceLine]
    totals: dict[bool, Decimal]
    stated: str = ""
    is_opening: bool = False
    notices: list[str] = field(default_factory=list)
    # by code, where the file states the year so far
    years: dict[str, YearFigures] = field(default_factory=dict)

    @property
    def tops(self) -> list[BalanceLine]:
        """The rows that no other row of the file stands above."""
        codes = {line.code for line in self.lines}
        return [line for line in self.lines if not codes & set(_above(line.code))]


def read_balances(
    data: bytes, filename: str, mapped: Sequence[Mapped] = ()
) -> tuple[BalanceSheet, list[RowError]]:
    """科目余额表 with what is wrong in it. Raises WorkbookError for a file that is none."""
    table = _find(
        BALANCES, data, filename, mapped, "科目编码、方向、期末余额（或期末借方、期末贷方）"
    )
    return _Balances(table, filename).read()


def read_auxiliaries(
    data: bytes,
    filename: str,
    mapped: Sequence[Mapped] = (),
    is_debit: Callable[[str], bool] = lambda code: code < "2",
) -> tuple[list[AuxiliaryLine], list[RowError]]:
    """辅助余额表 with what is wrong in it; `is_debit` tells an account's own side. Raises WorkbookError for none."""
    table = _find(
        AUXILIARIES, data, filename, mapped, "科目编码、客户名称、统一社会信用代码、期末余额"
    )
    lines: list[AuxiliaryLine] = []
    errors: list[RowError] = []
    totals = Totals()
    rows = list(_body(table))
    scheme = code_scheme(_code(row, table) for _, row in rows)
    money = [key for key in ("debit", "credit", "amount") if key in table.columns]
    for number, row in rows:
        try:
            code = _code(row, table)
            span = None if _is_code(code) else total_span(row)
            stated: dict[str, Decimal] = {key: _amount(row, table, key, "余额") for key in money}
            if span is None:
                code = account_code(code, scheme)
                lines.append(_auxiliary(number, row, table, code, is_debit(code)))
                totals.add(stated)
            elif not errors:
                for key, found in totals.wrong(span, stated).items():
                    text = f"合计 {format_money(stated[key])} 与各行之和 {format_money(found)} 不符"
                    errors.append(RowError(filename, number, text))
        except ValueError as error:
            errors.append(RowError(filename, number, str(error)))
    return lines, errors


def code_scheme(codes: Iterable[str]) -> tuple[int, ...]:
    """How many digits each level below the first has in codes without points: 100201 is 4-2, 1002001 is 4-3."""
    every = {code for code in codes if re.fullmatch(r"\d{4,}", code)}
    lower = {code for code in every if len(code) > 4}

    def fitting(scheme: tuple[int, ...]) -> tuple[int, int]:
        above = {4 + sum(scheme[:n]): 4 + sum(scheme[: n - 1]) for n in range(1, len(scheme) + 1)}
        cut = [code for code in lower if len(code) in above]
        return len(cut), sum(code[: above[len(code)]] in every for code in cut)

    return max(_SCHEMES, key=fitting)


def account_code(text: str, scheme: tuple[int, ...] = _SCHEMES[0]) -> str:
    """A code as the chart writes it: 100201, 1002-01 and 1002.01 are 1002.01, 1002001 is 1002.001. Raises ValueError.

    `scheme` is how the codes of a file are cut that has no points.
    """
    if re.fullmatch(r"\d{4,}", text):
        parts, at = [text[:4]], 4
        for size in scheme:
            if at < len(text):
                parts.append(text[at : at + size])
                at += size
        if at == len(text):
            return ".".join(parts)
    elif _DOTTED.fullmatch(text):
        return text.replace("-", ".")
    raise ValueError(f"“{text[:30]}”不是科目编码，应为 1002、100201 或 1002.01 这样的编码")


def _find(kind: Kind, data: bytes, filename: str, mapped: Sequence[Mapped], wanted: str) -> Table:
    tables = find_tables(kind, read_sheets(data, filename), mapped)
    if not tables:
        raise WorkbookError(f"{filename[:60]}：没有找到表头，应有列：{wanted}")
    if len(tables) > 1:
        raise WorkbookError(f"{filename[:60]}：{too_many(tables)}")
    if tables[0].doubled:
        raise WorkbookError(f"{filename[:60]}：表头中有两列“{tables[0].doubled[0]}”")
    return tables[0]


def _body(table: Table) -> Iterable[tuple[int, list[Cell]]]:
    """Rows below the head with something in them, by their number in Excel."""
    for number, row in table.rows():
        stated = _is_code(_code(row, table)) or _holds_money(row, table)
        if table.is_page_top(row) or (not stated and table.is_around(row)):
            continue
        yield number, row


def _holds_money(row: list[Cell], table: Table) -> bool:
    return any(
        is_money(table.cell(row, key)) for key in table.columns if key not in ("code", "name")
    )


def _is_code(text: str) -> bool:
    return bool(re.fullmatch(r"\d{4,}", text) or _DOTTED.fullmatch(text))


def _above(code: str) -> list[str]:
    parts = code.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _text(row: list[Cell], table: Table, key: str) -> str:
    value = table.cell(row, key)
    return "" if value is None else str(value).strip()


def _code(row: list[Cell], table: Table) -> str:
    """A code in half-width digits; a number has lost the last zero of 1002.10."""
    value = table.cell(row, "code")
    if not isinstance(value, Decimal):
        return plain(value)
    return f"{value:f}0" if re.fullmatch(r"\d{4}\.\d", f"{value:f}") else f"{value:f}"


def _side(row: list[Cell], table: Table, key: str) -> str:
    return plain(table.cell(row, key)).strip("()")


def _amount(row: list[Cell], table: Table, key: str, label: str) -> Decimal:
    value = table.cell(row, key)
    if isinstance(value, date):
        raise ValueError(f"{label}不是金额")
    try:
        return read_money(value, table.unit_of(key)) or ZERO
    except ValueError as error:
        raise ValueError(f"{label}：{error}") from error


@dataclass
class _Stated:
    """A row with amounts, before it is known which rows stand above which."""

    row: int
    code: str
    name: str
    amounts: dict[bool | None, Decimal]  # None where a total has no side
    span: Span | None
    word: str


class _Balances:
    """Goes through the rows of a 科目余额表 once, then holds its totals against them."""

    def __init__(self, table: Table, filename: str) -> None:
        self.table, self.filename = table, filename
        self.errors: list[RowError] = []
        self.notices: list[str] = []
        self.rows = list(_body(table))
        self.is_opening = self._states_opening()
        prefix = "open_" if self.is_opening and self._has("open_") else ""
        self.debit, self.credit, self.amount = (
            f"{prefix}debit",
            f"{prefix}credit",
            f"{prefix}amount",
        )
        self.side = "open_side" if prefix and "open_side" in table.columns else "side"
        self.scheme = code_scheme(_code(row, table) for _, row in self.rows)
        self.notices += table.notices(table.heads)
        self.years: dict[str, YearFigures] = {}

    def read(self) -> tuple[BalanceSheet, list[RowError]]:
        """All rows, and what is wrong in them in the order of the file."""
        stated = list(self._stated())
        lines = [self._line(each) for each in stated if each.span is None]
        months = months_above([*self.table.above, [self.table.sheet.name]])
        said = "" if months is None else months[0] if self.is_opening else months[1]
        sheet = BalanceSheet(
            month_before(said, 1) if said and self.is_opening else said,
            [line for line in lines if line],
            {},
            stated=said,
            is_opening=self.is_opening,
            notices=self.notices,
            years=self.years,
        )
        self._check(stated, sheet)
        return sheet, sorted(self.errors, key=lambda error: error.row)

    def _has(self, prefix: str) -> bool:
        keys = self.table.columns.keys()
        return f"{prefix}amount" in keys or {f"{prefix}debit", f"{prefix}credit"} <= keys

    def _states_opening(self) -> bool:
        """The end of the month where the file has it, else its opening: by the columns, then by the words above."""

        def any_of(*keys: str) -> bool:
            return any(is_money(self.table.cell(row, key)) for _, row in self.rows for key in keys)

        if self._has("open_") and not (self._has("") and any_of("amount", "debit", "credit")):
            return not self._has("") or any_of("open_amount", "open_debit", "open_credit")
        closing = any(
            "期末" in self.table.heads[at]
            for key, at in self.table.columns.items()
            if key in ("amount", "debit", "credit")
        )
        return not closing and any(
            "期初" in plain(cell) for row in self.table.above for cell in row
        )

    def _stated(self) -> Iterable[_Stated]:
        span: Span | None = None
        word = ""
        for number, row in self.rows:
            code = _code(row, self.table)
            if _is_code(code):
                span = None
            elif found := total_span(row):
                span, word = (
                    found,
                    next(text for cell in row if (text := plain(cell)) and not is_money(cell)),
                )
            elif code or span is None:
                span = None
                if not _holds_money(row, self.table):
                    self.notices.append(
                        f"第 {number} 行未读取：{next(plain(c) for c in row if plain(c))[:40]}"
                    )
                    continue
            try:
                yield _Stated(
                    number,
                    code,
                    _text(row, self.table, "name"),
                    amounts=self._amounts(row, span),
                    span=span,
                    word=word,
                )
            except ValueError as error:
                self.errors.append(RowError(self.filename, number, str(error)))

    def _amounts(self, row: list[Cell], span: Span | None) -> dict[bool | None, Decimal]:
        """Amount by side (True for 借), as stated; an account that is 平 has none."""
        if self.debit in self.table.columns and self.credit in self.table.columns:
            debit = _amount(row, self.table, self.debit, "借方")
            credit = _amount(row, self.table, self.credit, "贷方")
            return {
                side: amount for side, amount in ((True, debit), (False, credit)) if amount
            } or {True: ZERO}
        side, amount = (
            _side(row, self.table, self.side),
            _amount(row, self.table, self.amount, "余额"),
        )
        if span is not None and side in ("平", ""):
            return {None: amount}
        if side not in _SIDES and not (side in ("平", "") and amount == 0):
            raise ValueError(f"方向“{side[:10]}”应为 借 或 贷")
        return {_SIDES.get(side, True): amount}

    def _line(self, each: _Stated) -> BalanceLine | None:
        net = each.amounts.get(True, ZERO) - each.amounts.get(False, ZERO)
        try:
            code = account_code(each.code, self.scheme)
        except ValueError as error:
            self.errors.append(RowError(self.filename, each.row, str(error)))
            return None
        if not self.is_opening:  # 本年累计 goes up to the month's end
            self._read_year(each, code, net)
        return BalanceLine(each.row, code, each.name, net, is_debit=True in each.amounts)

    def _read_year(self, each: _Stated, code: str, net: Decimal) -> None:
        row = self.table.sheet.rows[each.row - 1]
        side = _side(row, self.table, "year_side") or _side(row, self.table, self.side)
        try:
            found = year_of(
                set(self.table.columns),
                net,
                lambda key, name: _amount(row, self.table, key, name),
                side,
            )
        except ValueError as error:
            self.errors.append(RowError(self.filename, each.row, str(error)))
            return
        if found is not None:
            self.years[code] = found

    def _check(self, stated: list[_Stated], sheet: BalanceSheet) -> None:
        """Each total is that of the top rows it covers, side by side."""
        tops = {line.row for line in sheet.tops}
        totals = Totals()
        for each in stated:
            amounts = {_KEYS[side]: amount for side, amount in each.amounts.items()}
            if each.span is None:
                if each.row in tops:
                    totals.add(
                        {**amounts, _NET: amounts.get("借方", ZERO) - amounts.get("贷方", ZERO)}
                    )
                continue
            if each.span is Span.WHOLE:
                sheet.totals.update(
                    {side: amount for side, amount in each.amounts.items() if side is not None}
                )
            wrong = totals.wrong(each.span, amounts)
            if wrong and _NET in amounts and not totals.wrong(each.span, {_NET: -amounts[_NET]}):
                continue  # of 负债 and 权益
            for key, found in wrong.items():
                text = f"{format_money(amounts[key])} 与一级科目之和 {format_money(found)} 不符"
                word = "合计" if each.span is Span.WHOLE else each.word
                text = f"{key}{word} {text}，相差 {format_money(amounts[key] - found)}"
                self.errors.append(RowError(self.filename, each.row, text))


_SIDES: Final = {"借": True, "借方": True, "贷": False, "贷方": False}
_NET: Final = "余额"
_KEYS: Final = {True: "借方", False: "贷方", None: _NET}


def _auxiliary(
    number: int, row: list[Cell], table: Table, code: str, is_debit: bool
) -> AuxiliaryLine:
    uscc = _text(row, table, "uscc").upper()
    if not uscc:
        raise ValueError("没有统一社会信用代码，无法对应客户")
    starts, ends = (
        _day(row, table, "starts_on", "起始日期"),
        _day(row, table, "ends_on", "到期日期"),
    )
    return AuxiliaryLine(
        number,
        code,
        _text(row, table, "customer"),
        uscc=uscc,
        amount=_own_side(row, table, is_debit),
        starts_on=starts,
        ends_on=ends,
    )


def _own_side(row: list[Cell], table: Table, is_debit: bool) -> Decimal:
    """An amount on the account's own side, whichever side the file writes it on."""
    if {"debit", "credit"} <= table.columns.keys():
        net = _amount(row, table, "debit", "借方") - _amount(row, table, "credit", "贷方")
        return net if is_debit else -net
    amount, side = _amount(row, table, "amount", "余额"), _side(row, table, "side")
    if side and side not in _SIDES and not (side == "平" and amount == 0):
        raise ValueError(f"方向“{side[:10]}”应为 借 或 贷")
    return -amount if _SIDES.get(side, is_debit) is not is_debit else amount


def _day(row: list[Cell], table: Table, key: str, label: str) -> date | None:
    value = table.cell(row, key)
    if value is None:
        return None
    try:
        return read_date(value)
    except ValueError:
        raise ValueError(f"{label}“{str(value)[:20]}”应为 2025-11-17 这样的日期") from None
