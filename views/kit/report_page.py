"""The page of a report: parameters, table with totals, kept choices, chart, paging, buttons of its files."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import request
from markupsafe import Markup

from models.base.errors import BusinessError
from models.base.money import format_money
from reports.base.charts import WIDTHS, Point, bars
from reports.base.report import (
    Found,
    Line,
    Measure,
    Report,
    ReportColumn,
    Table,
    by_label,
    cell,
)
from views.kit import edge, widgets
from views.kit.cells import NONE, format_value
from views.kit.pages import Action, Cell, ChartCard, Column, Paging, ReportPage, Row, Section, Tab
from views.kit.report_files import FILES, Sheet
from views.kit.report_params import ParamForm
from workflows.base.context import Ctx

_WAN = Decimal(10_000)
_STATUS = ("ok", "warn", "bad", "draft")


def begin(
    report: Report, form: ParamForm, found: Found | None, error: BusinessError | None
) -> ReportPage:
    """The page with its parameters; what was found is filled in afterwards."""
    params = form.fields(error)
    told = found or Found([], empty="请修改后再查询")
    title = told.title or report.label
    return ReportPage(
        title,
        [],
        [],
        params=params,
        url=here(report),
        errors=widgets.summary(params, error),
        empty=told.empty or report.empty,
        crumbs=[*(told.crumbs or [(report.module.label, "")]), (title, "")],
        help_key=report.code,
        foot=told.foot or report.help,
    )


def offer_saved(ctx: Ctx, page: ReportPage, report: Report, form: ParamForm) -> None:
    """Tabs of what the reader has kept, and the button that keeps the choice on the screen."""
    saved, query = edge.saved_reports(ctx, report.code), form.changed()
    if saved:
        kept = {"全部条件": "", **saved}
        page.tabs = [
            Tab(name, with_query(report.url, one), is_active=one == query)
            for name, one in kept.items()
        ]
    url = f"{report.url}/keep?{query}"
    ask = "名称"
    page.param_actions = [Action("存为我的报表", url, "POST", ask=ask, ask_required=True)]


def fill(page: ReportPage, sheet: Sheet) -> None:
    """Table, totals, marks, chart and the buttons of the files."""
    report, found, shown = sheet.report, sheet.found, sheet.shown
    columns = [c for c in shown.columns if c.key != report.group_by]
    page.columns = [_head(column) for column in columns]
    page.group_label = next((c.label for c in shown.columns if c.key == report.group_by), "")
    page.rows = list(_rows(report, shown, columns))
    if shown.totals is not None and page.rows:
        texts = {
            c.key: _text(c, value)
            for c in columns
            if (value := cell(shown.totals.get(c.key))) is not None
        }
        page.sums = [(report.total_label, texts)]
    page.heading = sheet.subtitle if report.is_statement else found.heading or found.span
    page.note = found.note
    page.states = [Cell(m.text, "enum", tone=m.tone, title=m.title) for m in found.marks]
    page.foot_url, page.foot_label = found.foot_link
    has_rows = bool(page.rows) if found.count is None else found.count > 0
    page.actions = _file_actions(report, has_rows) if found.is_asked else []
    page.below = _chart(report, shown)


def _head(column: ReportColumn) -> Column:
    return Column(
        column.key, column.label, "long_text" if column.is_long else column.kind, column.unit
    )


def _rows(report: Report, shown: Table, columns: Sequence[ReportColumn]) -> Iterable[Row]:
    """Rows of the screen; those of a group stand beside its name."""
    at = 0
    for name, lines in groupby(shown.lines, lambda line: line.values.get(report.group_by)):
        together = list(lines)
        heads = [(str(name), len(together))] if report.group_by else []
        for line in together:
            group, span = heads.pop() if heads else ("", 0)
            yield Row(
                str(at),
                line.url,
                tuple(_cell(report, line, column) for column in columns),
                tone=line.tone,
                group=group,
                span=span,
                level=min(line.level, 3),
                main=line.main,
            )
            at += 1


def _cell(report: Report, line: Line, column: ReportColumn) -> Cell:
    value = cell(line.values.get(column.key))
    url, tone = line.urls.get(column.key, ""), line.tones.get(column.key, "")
    runs = report.over_time and column.measure is Measure.BALANCE
    if column.kind == "money" and value == 0 and not runs:
        return Cell(NONE, "money", tone=tone)
    if value is None:
        return Cell(
            NONE if column.measure is Measure.RATIO else "", column.kind, url=url, tone=tone
        )
    is_status = column.kind == "text" and tone in _STATUS
    return Cell(_text(column, value), "enum" if is_status else column.kind, url=url, tone=tone)


def _text(column: ReportColumn, value: Any) -> str:
    return value if isinstance(value, str) else format_value(value, column.kind)


def _chart(report: Report, shown: Table) -> list[Section]:
    """Bars of the first names, in 万元 where the figure is an amount."""
    chart = report.chart
    named = by_label(report, shown, chart.label) if chart else {}
    if chart is None or not named:
        return []
    column = next(c for c in shown.columns if c.key == chart.value)
    scale, unit = (_WAN, "万元") if column.kind == "money" else (Decimal(1), column.unit)
    points = []
    for name, (values, line) in list(named.items())[: chart.limit]:
        value = Decimal(cell(values.get(chart.value)) or 0) / scale
        url = line.urls.get(chart.value) or line.url if line else ""
        points.append(Point(name, float(value), format_value(value, column.kind), url))
    drawings = tuple(Markup(bars(tuple(points), width=width)) for width in WIDTHS)  # noqa: S704 - drawn by us
    return [
        Section(
            "chart",
            column.label,
            template="parts/chart.html",
            data=ChartCard(drawings=drawings),
            note=unit,
            width=12,
        )
    ]


def with_query(url: str, query: str) -> str:
    """An address with the arguments that it has, if any."""
    return f"{url}?{query}" if query else url


def here(report: Report) -> str:
    """Where the report itself stands, whichever of its routes answers."""
    return request.path if report.about else report.url


def _address(report: Report, **changes: Any) -> str:
    """The report's address with some arguments changed."""
    kept = {k: v[:100] for k, v in request.args.items() if k not in ("format", "page") and v}
    kept.update({k: str(v) for k, v in changes.items()})
    return f"{here(report)}?{urlencode(kept)}"


def _file_actions(report: Report, has_rows: bool) -> list[Action]:
    """The buttons that send the report as it stands to Excel, to paper and to CSV."""
    why = "" if has_rows else "没有可导出的数据"
    return [
        Action(
            label,
            _address(report, format=kind),
            icon="print" if kind == "pdf" else "down",
            why_not=why,
            new_window=kind == "pdf",
        )
        for kind, label in FILES.items()
    ]


def paging(report: Report, number: int, size: int, count: int) -> Paging:
    """Where the reader is in a long report."""
    pages = max(-(-count // size), 1)
    number = min(number, pages)
    near = sorted({1, pages, *range(max(number - 2, 1), min(number + 2, pages) + 1)})
    return Paging(
        (number - 1) * size + 1 if count else 0,
        min(number * size, count),
        count,
        page=number,
        pages=pages,
        size=size,
        sizes=(),
        links=tuple((str(n), _address(report, page=n), n == number) for n in near),
    )


# ======================================================================================== pieces for pages of their own
def told(notes: Iterable[tuple[str, str]]) -> list[Section]:
    """What a preview says of the whole file or report, each a word (错误, 提示, 请确认) and its text."""
    tones = {"错误": "bad"}
    rows = [
        Row(str(at), "", (Cell(word, "enum", tone=tones.get(word, "warn")), Cell(text)))
        for at, (word, text) in enumerate(notes)
    ]
    columns = [Column("k", "类别"), Column("t", "内容", "long_text")]
    return [Section("notes", "说明", columns=columns, rows=rows)] if rows else []


def money(value: Decimal | None, url: str = "") -> Cell:
    """An amount; — for none."""
    return Cell(format_money(value) if value else NONE, "money", url=url if value else "")
