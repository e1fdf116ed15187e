"""ONE screen for every report: parameters, table with sums, drill-down, Excel; here those of the books (8.4)."""

import io
import tempfile
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from flask import request, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.base.entity import entity_of
from models.base.errors import BusinessError, NotFound
from models.base.money import format_money
from models.ledger.account import Account, AccountingPeriod
from models.system.organization import Company
from reports.base.documents import table_pdf
from reports.base.documents_table import Orientation
from reports.base.export import ExportColumn, write_xlsx
from reports.ledger.detail_ledger import COLUMNS as DETAIL_COLUMNS
from reports.ledger.detail_ledger import (
    PAGE_MAX,
    DetailLedger,
    LedgerFilter,
    LedgerRow,
    detail_ledger,
)
from reports.ledger.trial_balance import LEVELS_MAX, BalanceRow, TrialBalance, trial_balance
from views.kit import edge, lookup, widgets
from views.kit.cells import record_url
from views.kit.files import TYPES
from views.kit.interface import EntityInterface, Titles, valid_id
from views.kit.pages import Action, Cell, Column, Field, Paging, ReportPage, Row, Section
from workflows.base.context import Ctx

EXPORT_MAX = 100_000
FILES = ("xlsx", "pdf")
_PARTS = {
    "customer_id": ("customer", "客户"),
    "project_id": ("project", "项目"),
    "bank_id": ("partner_bank", "银行"),
}


def told(notes: Iterable[tuple[str, str]]) -> list[Section]:
    """What a preview says of the whole file or report, each a word (错误, 提示, 请确认) and its text."""
    tones = {"错误": "bad"}
    rows = [
        Row(str(at), "", (Cell(word, "enum", tone=tones.get(word, "warn")), Cell(text)))
        for at, (word, text) in enumerate(notes)
    ]
    columns = [Column("k", "类别"), Column("t", "内容", "long_text")]
    return [Section("notes", "说明", columns=columns, rows=rows)] if rows else []


def columns_of(columns: Iterable[ExportColumn]) -> list[Column]:
    """Heads on the screen from the heads of the file."""
    return [Column(c.key, c.label, c.kind, c.unit) for c in columns]


def money(value: Decimal | None, url: str = "") -> Cell:
    """An amount; — for none."""
    return Cell(format_money(value) if value else "—", "money", url=url if value else "")


def excel(
    title: str, columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]]
) -> ResponseReturnValue:
    """A report as a workbook to download."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the response when it is sent
    write_xlsx(columns, rows, target, title=title)
    target.seek(0)
    response = send_file(target, mimetype=TYPES["xlsx"])
    name = f"{title}_{edge.current_ctx().today:%Y%m%d}.xlsx"
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def pdf(
    title: str,
    columns: Sequence[ExportColumn],
    rows: Iterable[Sequence[Any]],
    *,
    subtitle: str = "",
    totals: Sequence[Any] | None = None,
    orientation: Orientation = "landscape",
    note: str = "",
    strong: Collection[int] = (),
) -> ResponseReturnValue:
    """A report as PDF to look at, with places for signatures, and who printed it at the foot (after `note`).

    Amounts of zero stay blank, as on paper; `strong` are the numbers of rows in bold.
    """
    ctx = edge.current_ctx()
    foot = "　".join(filter(None, (note, f"打印：{ctx.actor.name} {ctx.today}")))
    shown = (
        [
            None if value == 0 and c.kind == "money" else value
            for c, value in zip(columns, row, strict=True)
        ]
        for row in rows
    )
    data = table_pdf(
        title,
        columns,
        shown,
        orientation=orientation,
        subtitle=subtitle,
        totals=totals,
        foot=foot,
        strong=strong,
        signs=("单位负责人：", "会计机构负责人：", "复核：", f"制表：{ctx.actor.name}"),
    )
    response = send_file(io.BytesIO(data), mimetype=TYPES["pdf"])
    name = quote(f"{title}_{ctx.today:%Y%m%d}.pdf")
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{name}"
    return response


def company_name(ctx: Ctx) -> str:
    """Whose books these are."""
    return ctx.session.scalars(select(Company.full_name)).first() or ""


def periods(ctx: Ctx) -> list[str]:
    """Period codes, the latest first; the business month where the books are still empty."""
    found = list(
        ctx.session.scalars(select(AccountingPeriod.code).order_by(AccountingPeriod.code.desc()))
    )
    return found or [f"{ctx.today:%Y-%m}"]


def asked_period(name: str, known: list[str], ctx: Ctx) -> str:
    """The period of the address. Raises BusinessError for one that the books do not have."""
    present = f"{ctx.today:%Y-%m}"
    code = request.args.get(name, "") or (present if present in known else known[0])
    if code not in known:
        raise BusinessError("没有这个会计期间，请从列表中选择", field=name)
    return code


class LedgerReports(BaseView):
    """科目余额表 and 明细账."""

    route_base = "/report"
    class_permission_name = "account_balance"
    default_view = "balances"
    title = "账簿"

    @expose("/trial-balance")
    @edge.screen("list")
    def balances(self) -> ResponseReturnValue:
        """科目余额表: every account leads to its detail ledger."""
        ctx = edge.current_ctx()
        known = periods(ctx)
        error: BusinessError | None = None
        found: TrialBalance | None = None
        try:
            first, last = asked_period("first", known, ctx), asked_period("last", known, ctx)
            found = trial_balance(
                ctx.session, first, last, level=_level(), with_idle=request.args.get("idle") == "1"
            )
        except BusinessError as refusal:
            error = refusal
        wanted = request.args.get("format")
        if found is not None and wanted in FILES:
            rows, totals = (
                [[getattr(row, c.key) for c in found.columns] for row in part]
                for part in (found.rows, [found.totals])
            )
            if wanted == "xlsx":
                return excel("科目余额表", found.columns, [*rows, *totals])
            subtitle = (
                f"编制单位：{company_name(ctx)}　　{_span(found.first, found.last)}　　单位：元"
            )
            top = {number for number, row in enumerate(found.rows) if row.level == 1}
            return pdf(
                "科目余额表", found.columns, rows, subtitle=subtitle, totals=totals[0], strong=top
            )
        page = self._balance_page(ctx, known, found, error)
        return self.render_template("report.html", page=page), (error.status if error else 200)

    def _balance_page(
        self, ctx: Ctx, known: list[str], found: TrialBalance | None, error: BusinessError | None
    ) -> ReportPage:
        params = [
            *_period_fields(ctx, known, error),
            widgets.choice(
                "level",
                "科目级次",
                [(str(n), f"到 {n} 级") for n in range(1, LEVELS_MAX + 1)],
                str(_level()),
            ),
            widgets.choice(
                "idle",
                "无发生额科目",
                [("", "不显示"), ("1", "显示")],
                request.args.get("idle", "")[:1],
            ),
        ]
        page = ReportPage(
            "科目余额表",
            [],
            [],
            params=params,
            url="/report/trial-balance",
            empty="所选期间没有发生额和余额",
            errors=widgets.summary(params, error),
            crumbs=[("总账管理", ""), ("科目余额表", "")],
            help_key="trial_balance",
        )
        if found is None:
            return page
        page.columns = columns_of(found.columns)
        page.rows = [_balance_row(row, found) for row in found.rows]
        sums = {
            c.key: format_money(getattr(found.totals, c.key))
            for c in found.columns
            if c.kind == "money"
        }
        page.sums = [("合计", sums)] if found.rows else []
        page.heading = _span(found.first, found.last)
        words = ("借贷平衡", "ok") if found.is_balanced else ("借贷不平", "bad")
        page.states = [Cell(words[0], "enum", tone=words[1])]
        page.actions = file_actions(bool(found.rows))
        page.foot = "只含已记账凭证；合计为一级科目之和"
        return page

    @expose("/detail-ledger")
    @edge.screen("list")
    def entries(self) -> ResponseReturnValue:
        """明细账: every row leads to its voucher and project."""
        ctx = edge.current_ctx()
        known = periods(ctx)
        error: BusinessError | None = None
        found: DetailLedger | None = None
        size = min(edge.rows_per_page(ctx) * 2, PAGE_MAX)
        number = min(valid_id(request.args.get("page", "1")) or 1, 100_000)
        wanted = LedgerFilter()
        try:
            wanted = _wanted(ctx)
            first, last = asked_period("first", known, ctx), asked_period("last", known, ctx)
            if wanted.account or wanted.auxiliaries:
                if (kind := request.args.get("format")) in FILES:
                    return _ledger_file(ctx, wanted, first, last, str(kind))
                found = detail_ledger(
                    ctx.session, wanted, first, last, offset=(number - 1) * size, limit=size
                )
        except BusinessError as refusal:
            error = refusal
        page = self._detail_page(ctx, known, wanted, error)
        if found is not None:
            _fill_detail(ctx, page, found, number, size)
        return self.render_template("report.html", page=page), (error.status if error else 200)

    @expose("/detail-ledger/lookup")
    @edge.screen("list")
    def candidates(self) -> ResponseReturnValue:
        """Candidates for the parameters of 明细账: accounts of every level, and auxiliaries."""
        name = request.args.get("field", "")
        text = request.args.get("q", "").replace("\x00", "").strip()[: lookup.MAX_TEXT]
        if name == "account":
            return lookup.candidates(
                edge.current_ctx(), Account, text, order=lookup.by_code(Account.code, text)
            )
        if name not in _PARTS:
            raise NotFound("没有这个字段")
        return lookup.candidates(edge.current_ctx(), entity_of(_PARTS[name][0]), text)

    def _detail_page(
        self, ctx: Ctx, known: list[str], wanted: LedgerFilter, error: BusinessError | None
    ) -> ReportPage:
        errors = error.field_errors if error else None
        account = ctx.session.scalars(
            select(Account).where(Account.code == wanted.account)
        ).one_or_none()
        titles = Titles(ctx.session)
        base = "/report/detail-ledger/lookup?field="
        params: list[Field] = [
            *_period_fields(ctx, known, error),
            widgets.lookup(
                "account",
                "会计科目",
                f"{base}account",
                str(account.id) if account else "",
                str(account or ""),
                errors=errors,
            ),
        ]
        for name, (table, label) in _PARTS.items():
            key = getattr(wanted, name)
            shown = titles.text(table, key) if key else ""
            params.append(
                widgets.lookup(name, label, f"{base}{name}", str(key or ""), shown, errors=errors)
            )
        return ReportPage(
            "明细账",
            columns_of(DETAIL_COLUMNS),
            [],
            params=params,
            url="/report/detail-ledger",
            empty="请选择会计科目、客户、项目或银行后查询"
            if not (wanted.account or wanted.auxiliaries)
            else "所选期间没有发生额",
            errors=widgets.summary(params, error),
            help_key="detail_ledger",
            crumbs=[("总账管理", ""), ("科目余额表", "/report/trial-balance"), ("明细账", "")],
        )


def _level() -> int:
    text = request.args.get("level", "")
    return int(text) if text in {str(n) for n in range(1, LEVELS_MAX + 1)} else LEVELS_MAX


def _period_fields(ctx: Ctx, known: list[str], error: BusinessError | None) -> list[Field]:
    present = f"{ctx.today:%Y-%m}"
    default = present if present in known else known[0]
    options, errors = [(code, code) for code in known], error.field_errors if error else None
    return [
        widgets.choice(
            "first", "开始期间", options, request.args.get("first", "") or default, errors=errors
        ),
        widgets.choice(
            "last", "结束期间", options, request.args.get("last", "") or default, errors=errors
        ),
    ]


def _address(path: str, **changes: Any) -> str:
    """The report's address with some arguments changed."""
    kept = {k: v[:100] for k, v in request.args.items() if k not in ("format", "page") and v}
    kept.update({k: str(v) for k, v in changes.items()})
    return f"{path}?{urlencode(kept)}"


def excel_action(has_rows: bool) -> list[Action]:
    """The button that sends the report as it stands to Excel."""
    return file_actions(has_rows)[:1]


def file_actions(has_rows: bool) -> list[Action]:
    """The buttons that send the report as it stands to Excel and to paper."""
    why = "" if has_rows else "没有可导出的数据"
    return [
        Action("Excel", _address(request.path, format="xlsx"), icon="down", why_not=why),
        Action(
            "PDF", _address(request.path, format="pdf"), icon="print", why_not=why, new_window=True
        ),
    ]


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} 至 {last}"


def _ledger_file(
    ctx: Ctx, wanted: LedgerFilter, first: str, last: str, kind: str
) -> ResponseReturnValue:
    """The whole ledger of a range: opening line, every row, and the sums of the range."""
    found, rows = _all_rows(ctx, wanted, first, last)
    sums = found.totals
    totals = [
        {
            "memo": "本期合计",
            "debit": sums.debit,
            "credit": sums.credit,
            "balance": abs(sums.closing),
        }.get(c.key)
        for c in DETAIL_COLUMNS
    ]
    if kind == "xlsx":
        return excel("明细账", DETAIL_COLUMNS, [*rows, totals])
    subtitle = f"编制单位：{company_name(ctx)}　　{found.title}　　{_span(first, last)}　　单位：元"
    return pdf("明细账", DETAIL_COLUMNS, rows, subtitle=subtitle, totals=totals)


def _balance_row(row: BalanceRow, found: TrialBalance) -> Row:
    args = urlencode({"account": row.account_id, "first": found.first, "last": found.last})
    url = f"/report/detail-ledger?{args}"
    amounts = [c.key for c in found.columns if c.kind == "money"]
    cells = (
        Cell(row.code, "link"),
        Cell(row.name),
        *(money(getattr(row, key), url) for key in amounts),
    )
    return Row(
        row.code, url, cells, tone="total" if row.level == 1 else "", level=min(row.level - 1, 3)
    )


def _wanted(ctx: Ctx) -> LedgerFilter:
    """Account (id or code) and auxiliaries of the address, each within the reader's scope."""
    code = request.args.get("account", "").replace("\x00", "").strip()[:40]
    if (key := valid_id(code)) is not None and (
        account := ctx.session.get(Account, key)
    ) is not None:
        code = account.code
    parts: dict[str, int] = {}
    for name, (table, label) in _PARTS.items():
        text = request.args.get(name, "")
        if text:
            record = EntityInterface(entity_of(table)).get(text)
            if record is None:
                raise BusinessError(f"所选{label}不存在，或不在您的数据范围内", field=name)
            parts[name] = record.id
    if code and ctx.session.scalar(select(Account.id).where(Account.code == code)) is None:
        raise BusinessError(f"没有科目“{code}”", field="account")
    return LedgerFilter(code, **parts)


def _fill_detail(ctx: Ctx, page: ReportPage, found: DetailLedger, number: int, size: int) -> None:
    rows = [found.opening, *found.lines]
    page.rows = [_detail_row(ctx, row) for row in rows]
    page.sums = [
        (
            "本期合计",
            {
                "debit": format_money(found.totals.debit),
                "credit": format_money(found.totals.credit),
                "balance": format_money(abs(found.totals.closing)),
            },
        )
    ]
    page.heading = found.title
    page.note = f"共 {found.count} 笔"
    page.actions = file_actions(found.count > 0)
    pages = max(-(-found.count // size), 1)
    number = min(number, pages)
    near = sorted({1, pages, *range(max(number - 2, 1), min(number + 2, pages) + 1)})
    links = tuple((str(n), _address("/report/detail-ledger", page=n), n == number) for n in near)
    first = (number - 1) * size + 1 if found.count else 0
    page.paging = Paging(
        first,
        min(number * size, found.count),
        found.count,
        page=number,
        pages=pages,
        size=size,
        sizes=(),
        links=links,
    )


def _detail_row(ctx: Ctx, row: LedgerRow) -> Row:
    may_open = ctx.actor.may("show", "voucher")
    voucher = record_url("voucher", row.voucher_id) if row.voucher_id and may_open else ""
    project = (
        record_url("project", row.project_id)
        if row.project_id and ctx.actor.may("show", "project")
        else ""
    )
    cells = (
        Cell(row.date.isoformat() if row.date else "", "date"),
        Cell(row.voucher_code),
        Cell(row.account_code),
        Cell(row.memo),
        Cell(row.customer),
        Cell(row.project, "link", url=project),
        money(row.debit),
        money(row.credit),
        Cell(row.side),
        Cell(format_money(row.balance), "money"),
    )
    return Row(
        row.voucher_code,
        voucher,
        cells,
        tone="" if row.voucher_id else "head",
        main=1 if row.voucher_id else 3,
    )


def _all_rows(
    ctx: Ctx, wanted: LedgerFilter, first: str, last: str
) -> tuple[DetailLedger, list[list[Any]]]:
    """The ledger, with its opening line and every row of the range, read page by page."""
    offset, found = 0, detail_ledger(ctx.session, wanted, first, last, limit=PAGE_MAX)
    if found.count > EXPORT_MAX:
        raise BusinessError(
            f"共 {found.count:,} 行，一次最多导出 {EXPORT_MAX:,} 行，请缩小期间或科目范围"
        )
    rows = [found.opening, *found.lines]
    while offset + PAGE_MAX < found.count:
        offset += PAGE_MAX
        rows += detail_ledger(ctx.session, wanted, first, last, offset=offset, limit=PAGE_MAX).lines
    return found, [[getattr(row, c.key) for c in DETAIL_COLUMNS] for row in rows]
