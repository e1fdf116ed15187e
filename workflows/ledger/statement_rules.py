"""What must hold when somebody edits 报表公式 or the income of months before the books (8.6)."""

import re

from sqlalchemy import select

from models.base.errors import FieldErrors
from models.ledger.account import Account, AccountCategory, AccountingPeriod
from models.ledger.closing import IncomeHistory, OpeningImport
from models.ledger.statement import StatementAccount, StatementKind, StatementRow
from reports.ledger.statements import terms
from workflows.base import records
from workflows.base.context import Ctx

_MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")


@records.rule(StatementRow)
def check_row(ctx: Ctx, row: StatementRow, is_new: bool) -> None:
    """A formula adds rows of its own statement, none of them twice removed into itself; such a row takes nothing in.

    Cash-flow items and sources belong to the statement that tells of them, each to one row.
    """
    _check_sources(ctx, row)
    if not row.formula:
        return
    try:
        wanted = {number for _, number in terms(row.formula)}
    except ValueError as error:
        raise FieldErrors({"formula": [str(error)]}) from error
    others = select(StatementRow).where(
        StatementRow.statement == row.statement, StatementRow.id != (row.id or 0)
    )
    formulas = {other.row_no: other.formula for other in ctx.session.scalars(others)}
    unknown = sorted(wanted - formulas.keys() - {row.row_no})
    if unknown:
        raise FieldErrors({"formula": [f"没有第 {'、'.join(map(str, unknown))} 行"]})
    if row.row_no in _behind(wanted, formulas):
        raise FieldErrors({"formula": ["公式不能直接或间接引用本行"]})
    mapped = select(StatementAccount.id).where(StatementAccount.statement_row_id == row.id)
    if not is_new and ctx.session.scalar(mapped.limit(1)) is not None:
        raise FieldErrors({"formula": ["本行已对应科目，不能再填公式"]})


def _check_sources(ctx: Ctx, row: StatementRow) -> None:
    wrong: dict[str, list[str]] = {}
    if row.cash_flow is not None and row.statement is not StatementKind.CASH_FLOW:
        wrong["cash_flow"] = ["现金流量项目只用于现金流量表"]
    if row.takes is not None and row.takes.statement is not row.statement:
        wrong["takes"] = [f"“{row.takes.label}”只用于{row.takes.statement.label}"]
    if row.cash_flow is not None and row.takes is not None:
        wrong["takes"] = ["现金流量项目和特别取数只能选一个"]
    for name in ("cash_flow", "takes"):
        value = getattr(row, name)
        if value is None or name in wrong:
            continue
        if row.formula:
            wrong["formula"] = [f"本行取“{value.label}”，不能再填公式"]
        query = select(StatementRow).where(
            getattr(StatementRow, name) == value, StatementRow.id != (row.id or 0)
        )
        if (other := ctx.session.scalars(query).first()) is not None:
            wrong[name] = [f"“{value.label}”已由第 {other.row_no} 行“{other.label}”取数"]
    if wrong:
        raise FieldErrors(wrong)


@records.rule(StatementAccount)
def check_account(ctx: Ctx, item: StatementAccount, is_new: bool) -> None:
    """P&L accounts belong to 利润表, all others to 资产负债表; rows with a formula take none."""
    del is_new
    row = ctx.session.get_one(StatementRow, item.statement_row_id)
    account = ctx.session.get_one(Account, item.account_id)
    wanted = (
        StatementKind.INCOME
        if account.category is AccountCategory.PROFIT
        else StatementKind.BALANCE_SHEET
    )
    if row.statement is not wanted:
        raise FieldErrors({"account_id": [f"科目“{account}”属于{wanted.label}"]})
    if row.formula:
        raise FieldErrors({"account_id": [f"“{row.label}”由公式计算，不能对应科目"]})


@records.rule(IncomeHistory)
def check_history(ctx: Ctx, item: IncomeHistory, is_new: bool) -> None:
    """A month of before the books: later ones have vouchers."""
    del is_new
    if not _MONTH.fullmatch(item.month):
        raise FieldErrors({"month": ["月份应为 2025-12 这样的格式"]})
    opening = select(AccountingPeriod.code).join(
        OpeningImport, OpeningImport.period_id == AccountingPeriod.id
    )
    last = ctx.session.scalar(opening)
    if last is not None and item.month > last:
        raise FieldErrors({"month": [f"账套自 {last} 之后启用，以后月份由凭证计算"]})


def _behind(wanted: set[int], formulas: dict[int, str | None]) -> set[int]:
    """Every row that some rows are computed from, however far away."""
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += [n for _, n in terms(formulas.get(number) or "R0") if n]
    return found
