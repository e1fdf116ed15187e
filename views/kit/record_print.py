"""打印 of any record: what its page shows, with all its tables and approvals, as one PDF; masked as on the screen."""

from collections.abc import Sequence
from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from models.base.entity import Entity
from reports.base.documents import long_pdf
from views.kit import edge, parts, record
from views.kit.cells import NONE, Cells, format_value
from views.kit.files import file_name, named
from views.kit.hooks import EntityHooks
from views.kit.interface import EntityInterface, Titles, shape
from views.kit.pages import Action, Cell, Section
from workflows.base import audit, records
from workflows.base.context import Ctx

HEADS = 6  # a table of more columns is printed row by row


def actions(ctx: Ctx, found: Entity) -> list[Action]:
    """The entries of the record's menu."""
    url = f"/{found.__tablename__}/print/{found.id}"
    known = [Action("打印", url, icon="print", new_window=True)]
    if _masked(ctx, found):
        known.append(Action("打印（含原值，留痕）", f"{url}?plain=1", new_window=True))
    return known


def _masked(ctx: Ctx, found: Entity) -> list[str]:
    """The masked columns with a value that this reader may look behind."""
    cells = Cells(ctx, type(found))
    if not cells.may_reveal or not cells.reveals(found):
        return []
    fields = shape(type(found)).fields.items()
    return [name for name, facts in fields if facts.mask and facts.get(found)]


class PrintRoutes(EntityHooks):
    """print/<id>: the record as a PDF; with `plain` personal data in full, for who may reveal it, and logged."""

    datamodel: EntityInterface

    @expose("/print/<pk>")
    @edge.screen("show", or_asked=True)
    def print_record(self, pk: str) -> ResponseReturnValue:
        """The whole record on paper."""
        ctx, found = edge.current_ctx(), self.datamodel.find(pk)
        plain = self._log_plain(ctx, found) if request.args.get("plain") == "1" else []
        titles = Titles(ctx.session)
        title = f"{found.spec.label}：{titles.of(found)}"
        html = render_template(
            "print_record.html",
            label=found.spec.label,
            title=titles.of(found),
            groups=facts_of(ctx, found, titles, plain),
            sections=[*parts.whole_sections(ctx, found, titles), *self._tables(found, ctx)],
            foot=f"{ctx.actor.name}　{format_value(ctx.now, 'datetime')} 打印",
            dash=NONE,
            heads=HEADS,
        )
        answer = Response(long_pdf(html, title=title), mimetype="application/pdf")
        named(answer, file_name(title.replace("：", "_"), ctx.today, "pdf"))
        answer.headers["Content-Disposition"] = answer.headers["Content-Disposition"].replace(
            "attachment", "inline", 1
        )
        return answer

    def _log_plain(self, ctx: Ctx, found: Entity) -> list[str]:
        """Which masked columns are printed in full: each print of them stands in the trail."""
        table, key = shape(self.model).table, found.id
        records.require_reach(ctx, ("reveal", table), found, "查看原值")
        ctx.require("reveal", table, f"查看{found.spec.label}的原值")
        names = _masked(ctx, found)
        labels = "、".join(shape(type(found)).label(name) for name in names)
        with edge.writing():
            audit.log(
                ctx, records.find(ctx, self.model, key), "EXPORT", note=f"打印，含原值：{labels}"
            )
        return names

    def _tables(self, found: Entity, ctx: Ctx) -> list[Section]:
        """Approvals, vouchers and what else stands beside the parts as a table."""
        return [section for section in self.extra_sections(found, ctx) if section.rows]


def facts_of(
    ctx: Ctx, found: Entity, titles: Titles, plain: Sequence[str] = ()
) -> list[tuple[str, list[Any]]]:
    """Label and value of each fact of a record under its headings, masked but for `plain`."""
    cells = Cells(ctx, type(found), titles)
    cells.prepare([found], shape(type(found)).visible())
    groups = record.fact_groups(cells, found)
    known = shape(type(found)).fields
    shown = {name: cells.text(name, known[name].get(found), plain=True) for name in plain}
    return [
        (label, [(fact.label, shown.get(fact.key, _words(fact.cell))) for fact in facts])
        for label, facts in groups
    ]


def _words(cell: Cell) -> str:
    """A value with its unit."""
    return f"{cell.text} {cell.hint}".rstrip()
