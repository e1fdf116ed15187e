"""The statements (8.5) as reports: as the books stand or as issued, down to what stands behind each row."""

from typing import Any

from sqlalchemy import select

from models.base.errors import BusinessError
from models.base.kinds import MenuGroup, Module
from models.base.money import format_money
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.statement import StatementKind
from reports.base.asked import Asked
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
from reports.ledger.statement_entries import STATEMENTS, behind, changes_behind, flows_behind
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
        raise BusinessError(f"{month} 没有结账时留存的{kind.label}", field="as")
    return kept


def _sheet(asked: Asked) -> Found:
    found = _found(asked, StatementKind.BALANCE_SHEET)
    return _told(asked, found, [_pair(asked, found, *halves) for halves in paired(found)])


def _income(asked: Asked) -> Found:
    return _listed(asked, _found(asked, StatementKind.INCOME))


def _cash_flow(asked: Asked) -> Found:
    return _listed(asked, _found(asked, StatementKind.CASH_FLOW))


def _equity(asked: Asked) -> Found:
    """A column for each part of equity: those that the statement was made of."""
    found = _found(asked, StatementKind.EQUITY)
    labels = list(dict.fromkeys(label for line in found.lines for label in line.parts))
    columns = [
        *_INCOME_COLUMNS[:2],
        *(stated(f"part_{at}", label) for at, label in enumerate(labels)),
        *(stated(key, head) for key, head in zip(_NAMES[1:], found.heads, strict=True)),
    ]
    told = _listed(asked, found)
    told.columns = columns
    return told


def _listed(asked: Asked, found: Statement) -> Found:
    """Row below row, each part of the statement under its heading."""
    lines = []
    for line in found.lines:
        if line.opens:
            lines.append(Line({"label": f"{line.opens}："}, tone="head", key=line.opens))
        parts = {f"part_{at}": amount for at, amount in enumerate(line.parts.values())}
        lines.append(
            Line(
                {"label": line.label, **_figures(line, ""), **parts},
                urls=_links(asked, found, line, "", *parts),
                level=line.level,
                tone="total" if line.is_total else "",
                key=str(line.row_no),
            )
        )
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
    elif found.kind is not StatementKind.INCOME and not found.is_issued:
        marks += [Mark(words_, "bad") for words_ in found.wrong]
        marks += [] if found.wrong else [Mark("与资产负债表一致", "ok")]
        marks += [Mark(note, "draft") for note in found.notes]
    if found.unmapped:
        is_cash = found.kind is StatementKind.CASH_FLOW
        stray = f"{len(found.unmapped)} 个{'现金流量项目' if is_cash else '科目'}未对应"
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


def _links(
    asked: Asked, found: Statement, line: StatementLine, prefix: str, *more: str
) -> dict[str, str]:
    """What stands behind a row: of 所有者权益变动表 that of this year alone."""
    if not line.row_id:
        return {}
    url = drill(asked, "statement-row", line.row_id, period=found.period)
    then = [] if found.kind is StatementKind.EQUITY else [f"{prefix}then"]
    return dict.fromkeys((f"{prefix}now", *then, *more), url)


def _behind(asked: Asked) -> Found:
    """What a row is made of: accounts, entries that carry its item, or vouchers that moved equity."""
    kind = asked["row"].statement
    if kind is StatementKind.CASH_FLOW:
        found = flows_behind(asked)
    elif kind is StatementKind.EQUITY:
        found = changes_behind(asked)
    else:
        found = _accounts(asked)
    return found


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
    found = behind(asked, lines)
    found.columns = (*_ACCOUNT_COLUMNS, measure("now", heads[0]), measure("then", heads[1]))
    found.foot = "未分配利润另含未结转的损益" if row.takes_unclosed_profit else ""
    return found


_PLACES = (
    (StatementKind.BALANCE_SHEET, _SHEET_COLUMNS, _sheet, ()),
    (StatementKind.INCOME, _INCOME_COLUMNS, _income, ("now", "then")),
    (StatementKind.CASH_FLOW, _INCOME_COLUMNS, _cash_flow, ("now", "then")),
    (StatementKind.EQUITY, (*_INCOME_COLUMNS[:2], stated("now", "本年合计")), _equity, ()),
)
_WIDE = (StatementKind.BALANCE_SHEET, StatementKind.EQUITY)
_HELP = {
    StatementKind.CASH_FLOW: "按凭证上现金银行分录的现金流量项目汇总，没有指定的单列，不推算",
    StatementKind.EQUITY: "各栏与资产负债表所有者权益各行一致；年初至所选期间",
}
for _at, (_kind, _columns, _lines, _compared) in enumerate(_PLACES):
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
            rank=78 + _at,
            help=_HELP.get(_kind, "只含已记账凭证；未结转的损益计入未分配利润"),
            empty="没有设置报表公式",
            has_totals=False,
            compared=_compared,
            orientation="landscape" if _kind in _WIDE else "portrait",
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
        lines=_behind,
        params={"row": pick("报表行", "statement_row"), "period": period()},
        rank=None,
        empty="这一行没有发生额和余额",
        about="row",
    )
)
