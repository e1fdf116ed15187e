"""ONE screen for every report: parameters, table with totals, drill-down, comparison, chart, paging, files."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.base.errors import BusinessError
from reports.base.asked import Asked
from reports.base.params import Compare, moved
from reports.base.report import Found, Mark, Report, beside, table
from views.kit import edge
from views.kit.interface import valid_id
from views.kit.pages import ReportPage
from views.kit.report_files import FILES, Sheet, answer
from views.kit.report_page import begin, fill, offer_saved, paging, with_query
from views.kit.report_params import COMPARE, ParamForm, candidates
from workflows.base.context import Ctx
from workflows.workbench import saved_reports

EXPORT_MAX = 100_000
_PAGES_MAX = 100_000


# ============================================================================ what single reports add to the one screen
Decorate = Callable[[Ctx, ReportPage, Found], None]
_PARTS: dict[str, Decorate] = {}


def decorate(code: str) -> Callable[[Decorate], Decorate]:
    """Register what stands on the page of a report beside its table: meters, a card, a button."""

    def add(draw: Decorate) -> Decorate:
        _PARTS[code] = draw
        return draw

    return add


@dataclass(frozen=True)
class Act:
    """Something that may be done from a report: its permission, and what runs it and says where to go next."""

    permission: tuple[str, str]
    run: Callable[[], str]


ACTS: dict[tuple[str, str], Act] = {}


# ========================================================================================================== the screen
class ReportScreen(BaseView):
    """One report; `screen_of` makes a class of it for each, so that its routes ask for its own permission."""

    report: Report
    default_view = "show"

    def page(self, key: str = "") -> ResponseReturnValue:
        """The report, of the record that the address names where it is about one."""
        return self._answer(key, None)

    def look_up(self) -> ResponseReturnValue:
        """Candidates for a parameter."""
        name, text = request.args.get("field", ""), request.args.get("q", "")
        return candidates(edge.current_ctx(), self.report, name, text)

    def keep(self) -> ResponseReturnValue:
        """Keep the choice of the address under a name, for this reader."""
        ctx, name = edge.current_ctx(), request.form.get("reason", "")
        form = ParamForm(ctx, self.report, request.args, Asked(ctx.session, ctx.actor, ctx.today))
        try:
            form.read()
            query = form.changed()
            with edge.writing() as ctx:
                saved_reports.keep_report(ctx, self.report.code, name, query)
        except BusinessError as error:
            return self._answer("", error)
        flash(f"已存为我的报表“{name.strip()}”", "success")
        return redirect(with_query(self.report.url, query))

    def drop(self) -> ResponseReturnValue:
        """Forget a choice that was kept."""
        with edge.writing() as ctx:
            saved_reports.drop_report(ctx, self.report.code, request.form.get("name", ""))
        flash("已删除", "success")
        return redirect("/reports/")

    def act(self, act: Act) -> ResponseReturnValue:
        """Do it, and go on; what is refused is told over the report."""
        try:
            return redirect(act.run())
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._answer("", error)

    def _answer(self, key: str, error: BusinessError | None) -> ResponseReturnValue:
        """The report as page or file; a refusal stands at its field, over what was typed."""
        ctx, report, kind = edge.current_ctx(), self.report, request.args.get("format", "")
        number, size = _page_asked(ctx, report, is_file=kind in FILES)
        asked = Asked(ctx.session, ctx.actor, ctx.today, {}, (number - 1) * size, size)
        form = ParamForm(ctx, report, {**request.values, report.about: key}, asked)
        found: Found | None = None
        try:
            form.read()
            found = report.lines(asked)
            if kind in FILES and found.is_asked:
                whole = _whole(report, asked, found)
                return answer(_sheet(report, asked, whole, form), kind)
        except BusinessError as refusal:
            if refusal.status in {403, 404}:
                raise
            error = error or refusal
        page = begin(report, form, found, error)
        if report.has_choice:
            offer_saved(ctx, page, report, form)
        if found is not None:
            fill(page, _sheet(report, asked, found, form))
            _PARTS.get(report.code, _nothing_more)(ctx, page, found)
            if report.page_size:
                page.paging = paging(report, number, size, found.count or 0)
        status = error.status if error else 200
        return self.render_template("report.html", page=page), status


def _nothing_more(_ctx: Ctx, _page: ReportPage, _found: Found) -> None:
    """Most reports are all table."""


def screen_of(report: Report) -> type[ReportScreen]:
    """The screen class of a report: its address, and its permission on each route."""
    verb, table_name = report.permission
    routes: dict[str, tuple[str, Callable[..., Any], tuple[str]]] = {
        "show": ("/<key>" if report.about else "", edge.screen(verb)(ReportScreen.page), ("GET",))
    }
    if any(param.facts.target for name, param in report.params.items() if name != report.about):
        routes["candidates"] = ("/lookup", edge.screen(verb)(ReportScreen.look_up), ("GET",))
    for (code, name), act in ACTS.items():
        if code == report.code:
            routes[name] = (f"/{name}", edge.screen(act.permission[0])(_doing(act)), ("POST",))
    if report.has_choice:
        routes["keep"] = ("/keep", edge.screen(verb)(ReportScreen.keep), ("POST",))
        routes["drop"] = ("/drop", edge.screen(verb)(ReportScreen.drop), ("POST",))
    found = {name: expose(path, methods)(act) for name, (path, act, methods) in routes.items()}
    facts = {
        "report": report,
        "route_base": report.url,
        "class_permission_name": table_name,
        "title": report.label,
        "__doc__": f"{report.label}.",
    }
    name = "".join(word.capitalize() for word in report.code.split("-"))
    return type(f"{name}Report", (ReportScreen,), {**facts, **found})


def _doing(act: Act) -> Callable[[ReportScreen], ResponseReturnValue]:
    return lambda screen: screen.act(act)


def _sheet(report: Report, asked: Asked, found: Found, form: ParamForm) -> Sheet:
    """The table, with what it is set beside."""
    by: Compare | None = asked[COMPARE]
    if by is None:
        return Sheet(report, asked, found, table(report, found), form.words())
    before = _before(report, asked, by)
    if before is None:
        found.marks = [*found.marks, Mark(f"账上没有{by.label}", "draft")]
    return Sheet(report, asked, found, beside(report, found, before, by), form.words())


def _before(report: Report, asked: Asked, by: Compare) -> Found | None:
    """What the same report tells of an earlier time; None where the books do not go back so far."""
    values = moved(report.params, asked.values, by)
    for name, param in report.params.items():
        if param.is_time and param.options and values[name] not in dict(param.options(asked)):
            return None
    try:
        return report.lines(replace(asked, values=values))
    except BusinessError:  # what was not issued then, say
        return None


# ====================================================================================================== pages and files
def _page_asked(ctx: Ctx, report: Report, *, is_file: bool) -> tuple[int, int]:
    """Which page of a long report, and how many rows it has."""
    if is_file or not report.page_size:
        return 1, report.page_size
    number = min(valid_id(request.args.get("page", "1")) or 1, _PAGES_MAX)
    return number, min(edge.rows_per_page(ctx) * 2, report.page_size)


def _whole(report: Report, asked: Asked, first: Found) -> Found:
    """A long report with every row, read page by page; what each page brings forward stands once."""
    count = first.count or 0
    if not report.page_size or count <= report.page_size:
        return first
    if count > EXPORT_MAX:
        raise BusinessError(f"共 {count:,} 行，一次最多导出 {EXPORT_MAX:,} 行，请缩小期间或范围")
    lines = list(first.lines)
    for offset in range(report.page_size, count, report.page_size):
        more = report.lines(replace(asked, offset=offset)).lines
        lines += [line for line in more if not line.is_brought]
    return replace(first, lines=lines)
