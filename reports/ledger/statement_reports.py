"""资产负债表 and 利润表 (8.5) as reports: as the books stand or as issued, down to the accounts behind each row."""

from typing import Any

from sqlalchemy import select

from models.base.errors import BusinessError
from models.base.kinds import MenuGroup, Module
from models.base.money import format_money
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.statement import StatementKind
from reports.base.asked import Asked, report_url
from reports.base.params import choice, period, pick
from reports.base.report import (
    Found,
    Line,
    Mark,
    Report,
    additive,
    balance,
    drill,
    register,
    stated,
    words,
)
from reports.ledger.statements import (
    HEADS,
    Half,
    Statement,
    StatementLine,
    accounts_of_row,
    issued,
    paired,
    statement,
)

AS_ISSUED = "issued"
_SOURCES = [("", "按当前账簿"), (AS_ISSUED, "结账时留存")]
_SHEET_COLUMNS = (
    words("asset", "资产"),
    stated("asset_no", "行次", "int", ""),
    balance("asset_now", "期末余额"),
    balance("asset_then", "年初余额"),
    words("claim", "负债和所有者权益"),
    stated("claim_no", "行次", "int", ""),
    balance("claim_now", "期末余额"),
    balance("claim_then", "年初余额"),
)
_INCOME_COLUMNS = (
    words("label", "项目", is_tree=True),
    stated("no", "行次", "int", ""),
    additive("now", "本月金额"),
    additive("then", "本年累计"),
)
_ACCOUNT_COLUMNS = (words("code", "科目编码"), words("name", "科目名称"))


def _found(asked: Asked, kind: StatementKind) -> Statement:
    """As issued where it was and is asked for, else as the books stand."""
    month = asked["period"]
    if asked["as"] != AS_ISSUED:
        return statement(asked.session, kind, month)
    kept = issued(asked.session, kind, month)
    if kept is None:
        raise BusinessError(f"{month} 尚未结账，没有已出的{kind.label}", field="as")
    return kept


def _sheet(asked: Asked) -> Found:
    found = _found(asked, StatementKind.BALANCE_SHEET)
    return _told(asked, found, [_pair(asked, found, *halves) for halves in paired(found)])


def _income(asked: Asked) -> Found:
    found = _found(asked, StatementKind.INCOME)
    lines = [
        Line(
            {"label": line.label, **_figures(line, "")},
            urls=_links(asked, found, line, ""),
            level=line.level,
            tone="total" if line.is_total else "",
            key=str(line.row_no),
        )
        for line in found.lines
    ]
    return _told(asked, found, lines)


def _told(asked: Asked, found: Statement, lines: list[Line]) -> Found:
    link = ("", "")
    if asked.actor.may("list", "statement_row"):
        link = (f"/statement_row/list/?f=statement:eq:{found.kind.name}", "报表公式")
    return Found(
        lines,
        span=f"{int(found.period[:4])} 年 {int(found.period[5:])} 月",
        marks=_marks(asked, found),
        foot_link=link,
    )


def _marks(asked: Asked, found: Statement) -> list[Mark]:
    marks = []
    if found.kind is StatementKind.BALANCE_SHEET:
        now, then = found.differences
        uneven = f"不平：期末 {format_money(now)}，年初 {format_money(then)}"
        even = "资产 = 负债 + 所有者权益"
        marks.append(Mark(even, "ok") if found.is_balanced else Mark(uneven, "bad"))
    if found.unmapped:
        stray = f"{len(found.unmapped)} 个科目未对应"
        marks.append(Mark(stray, "bad", title="、".join(found.unmapped)))
    closed = select(AccountingPeriod.id).where(
        AccountingPeriod.code == found.period, AccountingPeriod.state == PeriodState.CLOSED
    )
    is_closed = asked.session.scalar(closed) is not None
    return [*marks, Mark("已结账", "ok") if is_closed else Mark("未结账", "draft")]


def _pair(asked: Asked, found: Statement, left: Half, right: Half) -> Line:
    """Assets left, claims right; bold where both are totals, each half for itself otherwise."""
    values: dict[str, Any] = {}
    urls: dict[str, str] = {}
    tones: dict[str, str] = {}
    for side, (line, text) in (("asset", left), ("claim", right)):
        indent = "　" * (line.level if line else 0)
        values |= {side: f"{indent}{text}", **(_figures(line, f"{side}_") if line else {})}
        urls |= _links(asked, found, line, f"{side}_") if line else {}
        if line is None or line.is_total:
            tones |= dict.fromkeys((side, *(f"{side}_{name}" for name in _NAMES)), "strong")
    both = [line for line, _ in (left, right) if line is not None]
    is_total = bool(both) and all(line.is_total for line in both)
    return Line(values, urls=urls, tones=tones, tone="total" if is_total else "")


_NAMES = ("no", "now", "then")


def _figures(line: StatementLine, prefix: str) -> dict[str, Any]:
    figures = (line.row_no, line.current, line.prior)
    return {f"{prefix}{name}": value for name, value in zip(_NAMES, figures, strict=True)}


def _links(asked: Asked, found: Statement, line: StatementLine, prefix: str) -> dict[str, str]:
    if not line.row_id:
        return {}
    url = drill(asked, "statement-row", line.row_id, period=found.period)
    return {f"{prefix}now": url, f"{prefix}then": url}


def _accounts(asked: Asked) -> Found:
    """The accounts behind a row; each amount opens its detail ledger."""
    row, month = asked["row"], asked["period"]
    is_sheet = row.statement is StatementKind.BALANCE_SHEET
    measure = balance if is_sheet else additive
    heads = HEADS[row.statement]
    lines = []
    for account, now, then in accounts_of_row(asked.session, row, month):
        here, year = (
            drill(asked, "detail-ledger", account=account.id, first=first, last=month)
            for first in (month, f"{month[:4]}-01")
        )
        values = {"code": account.code, "name": account.full_name, "now": now, "then": then}
        lines.append(Line(values, url=here, urls={"now": here, "then": year}))
    code = STATEMENTS[row.statement]
    return Found(
        lines,
        columns=(*_ACCOUNT_COLUMNS, measure("now", heads[0]), measure("then", heads[1])),
        title=row.label.lstrip("　"),
        heading=f"{row.statement.label} 第 {row.row_no} 行",
        span=month,
        note=month,
        foot="未分配利润另含未结转的损益" if row.takes_unclosed_profit else "",
        crumbs=[(Module.LEDGER.label, ""), (row.statement.label, report_url(code, period=month))],
    )


STATEMENTS = {
    StatementKind.BALANCE_SHEET: "balance-sheet",
    StatementKind.INCOME: "income-statement",
}
for _kind, _columns, _lines, _compared in (
    (StatementKind.BALANCE_SHEET, _SHEET_COLUMNS, _sheet, ()),
    (StatementKind.INCOME, _INCOME_COLUMNS, _income, ("now", "then")),
):
    register(
        Report(
            STATEMENTS[_kind],
            _kind.label,
            Module.LEDGER,
            permission=("list", "issued_statement"),
            columns=_columns,
            lines=_lines,
            params={"period": period(), "as": choice("取数", _SOURCES)},
            menu=MenuGroup.STATEMENTS,
            rank=80 if _kind is StatementKind.BALANCE_SHEET else 81,
            help="只含已记账凭证；未结转的损益计入未分配利润",
            empty="没有设置报表公式",
            has_totals=False,
            compared=_compared,
            orientation="landscape" if _kind is StatementKind.BALANCE_SHEET else "portrait",
            is_statement=True,
        )
    )
register(
    Report(
        "statement-row",
        "报表行",
        Module.LEDGER,
        permission=("list", "issued_statement"),
        columns=(),
        lines=_accounts,
        params={"row": pick("报表行", "statement_row"), "period": period()},
        rank=None,
        empty="这一行没有发生额和余额",
        about="row",
    )
)
