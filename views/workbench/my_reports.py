"""我的报表 (X13): every report that one may open, and the choices that one has kept of them by name."""

from collections.abc import Iterator

from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.base.kinds import Module
from reports.base.report import REPORTS, Report
from views.kit import edge
from views.kit.pages import Action, Cell, Column, ReportPage, Row
from workflows.base.context import Ctx

TITLE = "我的报表"


class MyReportsView(BaseView):
    """/reports/: the reports of the reader, module by module."""

    route_base = "/reports"
    default_view = "page"
    title = TITLE

    @expose("/")
    @edge.screen()
    def page(self) -> ResponseReturnValue:
        """Those that the reader's rights open, each above what the reader has kept of it."""
        rows = list(_rows(edge.current_ctx()))
        page = ReportPage(
            TITLE,
            [Column("name", "报表"), Column("module", "模块"), Column("help", "口径", "long_text")],
            rows,
            note=f"{sum(not row.level for row in rows)} 张",
            empty="您的角色没有可以打开的报表",
            foot="在报表上选好条件后按“存为我的报表”保存；未改动的期间和日期随营业日期变化",
            crumbs=[(Module.WORKBENCH.label, ""), (TITLE, "")],
            help_key="my_reports",
        )
        return self.render_template("report.html", page=page)


def _rows(ctx: Ctx) -> Iterator[Row]:
    modules = list(Module)
    known = [report for report in REPORTS.values() if report.in_menu and _may(ctx, report)]
    for report in sorted(known, key=lambda r: (modules.index(r.module), r.rank or 0)):
        cells = (Cell(report.label, "link"), Cell(report.module.label), Cell(report.help))
        yield Row(report.code, report.url, cells)
        for name, query in edge.saved_reports(ctx, report.code).items():
            drop = Action("删除", f"{report.url}/drop", "POST", "danger", fields=(("name", name),))
            kept = (Cell(name, "link"), Cell("已保存"), Cell(""))
            url = f"{report.url}?{query}"
            yield Row(f"{report.code}-{name}", url, kept, actions=(drop,), level=1)


def _may(ctx: Ctx, report: Report) -> bool:
    return ctx.actor.may(*report.permission)
