"""资产负债表 and 利润表 (8.5): on screen with drill-down, as Excel and PDF, as the books stand or as issued."""

from dataclasses import replace
from urllib.parse import urlencode

from flask import request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.base.errors import BusinessError, NotFound
from models.base.money import format_money
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.statement import StatementKind, StatementRow
from reports.ledger.statements import (
    COLUMNS,
    Half,
    Statement,
    StatementLine,
    accounts_of_row,
    export_rows,
    issued,
    paired,
    statement,
)
from views.kit import edge, widgets
from views.kit.interface import valid_id
from views.kit.pages import Action, Cell, Column, ReportPage, Row
from views.kit.report import asked_period, columns_of, company_name, excel, money, pdf, periods
from workflows.base.context import Ctx

PATHS = {
    StatementKind.BALANCE_SHEET: "/report/balance-sheet",
    StatementKind.INCOME: "/report/income-statement",
}
AS_ISSUED = "issued"
_SOURCES = [("", "按当前账簿"), (AS_ISSUED, "结账时留存")]


class StatementReports(BaseView):
    """The two statements and the accounts behind each of their rows."""

    route_base = "/report"
    class_permission_name = "issued_statement"
    default_view = "balance_sheet"
    title = "财务报表"

    @expose("/balance-sheet")
    @edge.screen("list")
    def balance_sheet(self) -> ResponseReturnValue:
        """资产负债表."""
        return self._show(StatementKind.BALANCE_SHEET)

    @expose("/income-statement")
    @edge.screen("list")
    def income(self) -> ResponseReturnValue:
        """利润表."""
        return self._show(StatementKind.INCOME)

    @expose("/statement-row/<pk>")
    @edge.screen("list")
    def accounts(self, pk: str) -> ResponseReturnValue:
        """The accounts behind a row; each amount opens its detail ledger."""
        ctx = edge.current_ctx()
        key = valid_id(pk)
        row = ctx.session.get(StatementRow, key) if key is not None else None
        if row is None:
            raise NotFound("报表中没有这一行")
        period = asked_period("period", periods(ctx), ctx)
        return self.render_template("report.html", page=_row_page(ctx, row, period))

    def _show(self, kind: StatementKind) -> ResponseReturnValue:
        ctx = edge.current_ctx()
        error: BusinessError | None = None
        found: Statement | None = None
        try:
            period = asked_period("period", periods(ctx), ctx)
            found = _found(ctx, kind, period)
        except BusinessError as refusal:
            error = refusal
        if found is not None and request.args.get("format") == "xlsx":
            return excel(kind.label, COLUMNS[kind], export_rows(found))
        if found is not None and request.args.get("format") == "pdf":
            return _pdf(ctx, found)
        page = _page(ctx, kind, found, error)
        return self.render_template("report.html", page=page), (error.status if error else 200)


def _found(ctx: Ctx, kind: StatementKind, period: str) -> Statement:
    """As issued where it was and is asked for, else as the books stand."""
    if request.args.get("as") == AS_ISSUED:
        kept = issued(ctx.session, kind, period)
        if kept is None:
            raise BusinessError(f"{period} 尚未结账，没有已出的{kind.label}", field="as")
        return kept
    return statement(ctx.session, kind, period)


def _subtitle(found: Statement, company: str) -> str:
    words = f"{int(found.period[:4])} 年 {int(found.period[5:])} 月"
    return f"编制单位：{company}　　{words}　　单位：元"


def _pdf(ctx: Ctx, found: Statement) -> ResponseReturnValue:
    wide = found.kind is StatementKind.BALANCE_SHEET
    halves = paired(found) if wide else [((line, ""),) for line in found.lines]
    strong = {
        number
        for number, row in enumerate(halves)
        if all(line is None or line.is_total for line, _ in row)
        and any(line is not None for line, _ in row)
    }
    return pdf(
        found.kind.label,
        COLUMNS[found.kind],
        export_rows(found),
        orientation="landscape" if wide else "portrait",
        subtitle=_subtitle(found, company_name(ctx)),
        note="结账时留存" if found.is_issued else "按当前账簿",
        strong=strong,
    )


def _page(
    ctx: Ctx, kind: StatementKind, found: Statement | None, error: BusinessError | None
) -> ReportPage:
    known = periods(ctx)
    present = f"{ctx.today:%Y-%m}"
    default = request.args.get("period", "") or (present if present in known else known[0])
    errors = error.field_errors if error else None
    params = [
        widgets.choice(
            "period", "会计期间", [(code, code) for code in known], default, errors=errors
        ),
        widgets.choice("as", "取数", _SOURCES, request.args.get("as", "")[:10], errors=errors),
    ]
    page = ReportPage(
        kind.label,
        [],
        [],
        params=params,
        url=PATHS[kind],
        errors=widgets.summary(params, error),
        empty="没有设置报表公式",
        crumbs=[("总账管理", ""), (kind.label, "")],
        help_key=kind.name.lower(),
    )
    if found is None:
        return page
    page.columns = columns_of(COLUMNS[kind])
    page.rows = _balance_rows(found) if kind is StatementKind.BALANCE_SHEET else _income_rows(found)
    page.heading = _subtitle(found, company_name(ctx))
    page.states = _states(ctx, found)
    page.actions = [_download(found, "xlsx", "Excel"), _download(found, "pdf", "PDF")]
    page.foot = "只含已记账凭证；未结转的损益计入未分配利润"
    if ctx.actor.may("list", "statement_row"):
        page.foot_url, page.foot_label = (
            f"/statement_row/list/?f=statement:eq:{kind.name}",
            "报表公式",
        )
    return page


def _states(ctx: Ctx, found: Statement) -> list[Cell]:
    states = []
    if found.kind is StatementKind.BALANCE_SHEET:
        now, then = found.differences
        words = "资产 = 负债 + 所有者权益"
        if not found.is_balanced:
            words = f"不平：期末 {format_money(now)}，年初 {format_money(then)}"
        states.append(Cell(words, "enum", tone="ok" if found.is_balanced else "bad"))
    if found.unmapped:
        states.append(
            Cell(
                f"{len(found.unmapped)} 个科目未对应",
                "enum",
                tone="bad",
                title="、".join(found.unmapped),
            )
        )
    closed = select(AccountingPeriod.id).where(
        AccountingPeriod.code == found.period, AccountingPeriod.state == PeriodState.CLOSED
    )
    is_closed = ctx.session.scalar(closed) is not None
    return [
        *states,
        Cell("已结账" if is_closed else "未结账", "enum", tone="ok" if is_closed else "draft"),
    ]


def _download(found: Statement, kind: str, label: str) -> Action:
    args = {
        "period": found.period,
        "format": kind,
        **({"as": AS_ISSUED} if found.is_issued else {}),
    }
    is_sheet = kind == "xlsx"
    url = f"{PATHS[found.kind]}?{urlencode(args)}"
    return Action(label, url, icon="down" if is_sheet else "print", new_window=not is_sheet)


def _url(found: Statement, line: StatementLine) -> str:
    return f"/report/statement-row/{line.row_id}?period={found.period}" if line.row_id else ""


def _cells(found: Statement, line: StatementLine) -> tuple[Cell, Cell, Cell]:
    url = _url(found, line)
    return Cell(str(line.row_no), "int"), money(line.current, url), money(line.prior, url)


def _half(found: Statement, half: Half) -> tuple[Cell, ...]:
    line, text = half
    if line is None:
        return Cell(text, tone="strong"), Cell(""), Cell(""), Cell("")
    cells = Cell(f"{'　' * line.level}{text}"), *_cells(found, line)
    return tuple(replace(cell, tone="strong") for cell in cells) if line.is_total else cells


def _balance_rows(found: Statement) -> list[Row]:
    rows = []
    for position, (left, right) in enumerate(paired(found)):
        both = [line for line, _ in (left, right) if line is not None]
        tone = "total" if both and all(line.is_total for line in both) else ""
        rows.append(Row(str(position), "", (*_half(found, left), *_half(found, right)), tone=tone))
    return rows


def _income_rows(found: Statement) -> list[Row]:
    return [
        Row(
            str(line.row_no),
            "",
            (Cell(line.label), *_cells(found, line)),
            tone="total" if line.is_total else "",
            level=line.level,
        )
        for line in found.lines
    ]


def _row_page(ctx: Ctx, row: StatementRow, period: str) -> ReportPage:
    year = f"{period[:4]}-01"
    is_sheet = row.statement is StatementKind.BALANCE_SHEET
    rows = []
    for account, now, then in accounts_of_row(ctx.session, row, period):
        url, url_year = (
            f"/report/detail-ledger?{urlencode({'account': account.id, 'first': first, 'last': period})}"
            for first in (period, year)
        )
        cells = (
            Cell(account.code, "link", url=url),
            Cell(account.full_name),
            money(now, url),
            money(then, url_year),
        )
        rows.append(Row(account.code, url, cells))
    heads = ("期末余额", "年初余额") if is_sheet else ("本月金额", "本年累计")
    path = PATHS[row.statement]
    return ReportPage(
        row.label.lstrip("　"),
        [
            Column("code", "科目编码"),
            Column("name", "科目名称"),
            Column("now", heads[0], "money", "元"),
            Column("then", heads[1], "money", "元"),
        ],
        rows,
        heading=f"{row.statement.label} 第 {row.row_no} 行",
        note=period,
        empty="这一行没有发生额和余额",
        foot="未分配利润另含未结转的损益" if row.takes_unclosed_profit else "",
        crumbs=[
            ("总账管理", ""),
            (row.statement.label, f"{path}?period={period}"),
            (row.label, ""),
        ],
        help_key=row.statement.name.lower(),
    )
