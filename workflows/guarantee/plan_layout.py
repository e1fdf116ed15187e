"""Find the table of a bank's repayment plan in any sheet and read the heading above it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from models.base.money import UNITS, parse_amount
from workflows.base.sheet_cells import UNIT_IN_NAME, YUAN, plain
from workflows.base.sheets import Field, Kind, Table
from workflows.base.workbook import Cell

Column = Literal[
    "seq", "due_on", "principal", "interest", "total", "balance", "sort", "amount", "fee"
]

# Names in use at banks, the plainer a name the later: where two columns could serve, the earlier name wins.
_NAMES: Final[dict[Column, tuple[str, ...]]] = {
    "seq": ("期数", "期次", "还款期次", "还款期数", "期号", "期序", "序号"),
    "due_on": (
        "应还日期",
        "应还款日期",
        "应还款日",
        "应还日",
        "还款日期",
        "还款日",
        "计划还款日期",
        "计划还款日",
        "约定还款日期",
        "约定还款日",
        "还款到期日",
        "还款时间",
        "到期日期",
        "到期日",
    ),
    "principal": (
        "应还本金",
        "应还本金金额",
        "本期应还本金",
        "本期本金",
        "计划还本金额",
        "还本金额",
        "归还本金",
        "偿还本金",
        "还款本金",
        "本金金额",
        "本金",
    ),
    "interest": (
        "应还利息",
        "应还利息金额",
        "本期应还利息",
        "本期利息",
        "计划还息金额",
        "还息金额",
        "归还利息",
        "偿还利息",
        "还款利息",
        "利息金额",
        "利息",
    ),
    "total": (
        "应还合计",
        "本期本息合计",
        "应还本息合计",
        "本息合计",
        "应还本息",
        "应还总额",
        "应还总金额",
        "本期应还合计",
        "本期应还总额",
        "还款总额",
        "应还款金额",
        "应还金额",
        "还款金额",
        "月供",
        "期供",
        "合计",
    ),
    "balance": (
        "剩余本金",
        "本金余额",
        "剩余本金余额",
        "剩余未还本金",
        "未还本金",
        "期末本金余额",
        "期末余额",
        "贷款余额",
    ),
    "sort": ("款项", "款项类型", "还款类型", "还款种类", "费用类型", "科目", "类型"),
    "amount": ("金额", "发生额"),
    "fee": ("手续费", "服务费", "其他费用", "费用"),
}

PLAN: Final = Kind(
    "repayment_plan",
    "还款计划表",
    tuple(Field(key, names, spans=key in {"seq", "due_on"}) for key, names in _NAMES.items()),
    tuple(
        frozenset({"due_on", *need})
        for need in (("principal",), ("sort", "total"), ("sort", "amount"))
    ),
    only_first_group=True,
)
_LABELS: Final[dict[str, str]] = {
    "borrower": "借款人名称|借款人|借款单位|借款企业|客户名称",
    "note_no": "借据号码|借据编号|借据号",
    "loan_amount": "贷款金额|借款金额|放款金额|贷款本金|借款本金|贷款总额",
    "rate": "贷款年利率|执行年利率|年利率|贷款利率|执行利率|利率",
}
_LABEL = re.compile(rf"(?P<name>{'|'.join(_LABELS.values())})(?P<unit>\([^()]*\))?(?P<colon>:?)")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the table: amounts in yuan, rate in per cent a year."""

    unit: Decimal = YUAN
    borrower: str | None = None
    note_no: str | None = None
    loan_amount: Decimal | None = None
    rate_annual_pct: Decimal | None = None
    warnings: tuple[str, ...] = ()


def read_heading(table: Table) -> Heading:
    """Read unit, borrower, note number, loan amount and rate from the rows above the table."""
    rows, unit = table.above, table.unit
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
    borrower, note_no = (
        plain(facts[key][1]) or None if key in facts else None for key in ("borrower", "note_no")
    )
    return Heading(
        unit, borrower, note_no, loan_amount=amount, rate_annual_pct=rate, warnings=tuple(warnings)
    )


def _labelled(rows: list[list[Cell]]) -> Iterator[tuple[int, str, Cell, str]]:
    """Yield (Excel row, fact, value, label) for 'label:value' in one cell or label and value side by side."""
    for row_no, row in enumerate(rows, start=1):
        for at, cell in enumerate(row):
            for part in re.split(r"\s{2,}|[\n;；]", cell) if isinstance(cell, str) else []:
                label = _LABEL.match(text := plain(part))
                if label and (label["colon"] or label.end() == len(text)):
                    beside = next((other for other in row[at + 1 :] if other is not None), None)
                    value = text[label.end() :] or (None if _LABEL.match(plain(beside)) else beside)
                    key = next(
                        key for key, names in _LABELS.items() if label["name"] in names.split("|")
                    )
                    yield row_no, key, value, label["name"] + (label["unit"] or "")


def _amount(value: Cell, label: str, unit: Decimal) -> Decimal | None:
    if value is None or isinstance(value, bool | date):
        return None
    stated = UNIT_IN_NAME.search(label)
    text = plain(value) if isinstance(value, str) else value
    return parse_amount(text, unit=UNITS[stated[1]] if stated else unit)


def _rate(value: Cell) -> Decimal | None:
    if isinstance(value, Decimal):
        # Excel keeps 4.35 % as 0.0435; nobody lends at half a per cent or less
        return value * 100 if value < Decimal("0.5") else value
    match = (
        re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)%?(?:\(.*\))?", plain(value))
        if isinstance(value, str)
        else None
    )
    return Decimal(match[1]) if match else None
