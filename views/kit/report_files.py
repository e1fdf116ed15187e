"""A report as a file: Excel, CSV and paper, each noting who made it, when, and of which choice."""

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Response, send_file
from flask.typing import ResponseReturnValue

from reports.base.asked import Asked
from reports.base.documents import table_pdf
from reports.base.export import write_csv, write_xlsx
from reports.base.report import Found, Report, Table, carried_rows, file_rows, total_row
from views.kit import edge
from views.kit.cells import format_value
from views.kit.files import TYPES
from workflows.base.context import Ctx

FILES = {"xlsx": "Excel", "pdf": "PDF", "csv": "CSV"}


@dataclass(frozen=True)
class Sheet:
    """What one report hands to its page and files: what was asked and found, the table, and the choice in words."""

    report: Report
    asked: Asked
    found: Found
    shown: Table
    choice: Sequence[tuple[str, str]]

    @property
    def about(self) -> str:
        """What it is of, and of when."""
        heading = "" if self.found.heading == self.found.span else self.found.heading
        return "　　".join(filter(None, (heading, self.found.span)))

    @property
    def subtitle(self) -> str:
        """The line under the title on paper: whose it is, of what, its unit."""
        unit = "单位：元" if any(c.unit == "元" for c in self.shown.columns) else ""
        return "　　".join(filter(None, (f"编制单位：{self.asked.company}", self.about, unit)))


def answer(sheet: Sheet, kind: str) -> ResponseReturnValue:
    """The report as a file to download, or as PDF to look at."""
    ctx = edge.current_ctx()
    if kind == "pdf":
        return _named(ctx, _pdf(ctx, sheet), sheet, kind)
    columns = sheet.shown.columns
    rows = file_rows(sheet.report, sheet.shown, sheet.found.appendix)
    if kind == "csv":
        blank = [None] * (len(columns) - 1)
        notes = [
            ["", *blank],
            *([f"{label}：{text}", *blank] for label, text in _notes(ctx, sheet)),
        ]
        body = Response(write_csv(columns, [*rows, *notes]), mimetype=TYPES[kind])
        return _named(ctx, body, sheet, kind)
    target = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the response when it is sent
    write_xlsx(columns, rows, target, title=sheet.report.label, notes=_notes(ctx, sheet))
    target.seek(0)
    return _named(ctx, send_file(target, mimetype=TYPES[kind]), sheet, kind)


def _named(ctx: Ctx, response: Response, sheet: Sheet, kind: str) -> Response:
    span = sheet.found.span.replace(" ", "")
    words = (sheet.found.title or sheet.report.label, span, f"{ctx.today:%Y%m%d}")
    name = quote(f"{'_'.join(filter(None, words))}.{kind}")
    way = "inline" if kind == "pdf" else "attachment"
    response.headers["Content-Disposition"] = f"{way}; filename*=UTF-8''{name}"
    return response


def _notes(ctx: Ctx, sheet: Sheet) -> list[tuple[str, str]]:
    """What a file says of itself."""
    notes = [
        ("报表", sheet.found.title or sheet.report.label),
        ("内容", sheet.about),
        *sheet.choice,
        ("营业日期", ctx.today.isoformat()),
        ("导出人", ctx.actor.name),
        ("导出时间", format_value(ctx.now, "datetime")),
        ("口径", sheet.report.help),
    ]
    return [note for note in notes if note[1]]


def _pdf(ctx: Ctx, sheet: Sheet) -> Response:
    """On paper amounts of zero stay blank; totals and heads of parts are bold, and there are places to sign."""
    columns, lines = sheet.shown.columns, sheet.shown.lines
    rows = file_rows(sheet.report, sheet.shown, sheet.found.appendix)
    strong = {number for number, line in enumerate(lines) if line.tone == "total"}
    total = total_row(sheet.report, sheet.shown)
    if total is not None and sheet.found.appendix:
        total = None  # it stands among the rows, above what follows it
        strong.add(len(lines))
    elif total is not None:
        rows.pop()
    choice = "　".join(f"{label}：{text}" for label, text in sheet.choice)
    data = table_pdf(
        sheet.found.title or sheet.report.label,
        columns,
        [[_on_paper(value, c.kind) for value, c in zip(row, columns, strict=True)] for row in rows],
        orientation=sheet.report.orientation,
        subtitle=sheet.subtitle,
        totals=total,
        foot="　".join(filter(None, (choice, f"打印：{ctx.actor.name} {ctx.today}"))),
        strong=strong,
        carried=carried_rows(sheet.report, sheet.shown, ("承前页", "过次页")),
        signs=("单位负责人：", "会计机构负责人：", "复核：", f"制表：{ctx.actor.name}"),
    )
    return send_file(io.BytesIO(data), mimetype=TYPES["pdf"])


def _on_paper(value: Any, kind: str) -> Any:
    return None if value == 0 and kind == "money" else value
