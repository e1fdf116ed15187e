"""开业准备: the steps of a new installation with ticks, each with the way to its screen and who may take it."""

from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from reports.system.preparation import Step, steps
from views.kit import edge
from views.kit.pages import Cell, Column, ReportPage, Row
from workflows.base.context import Ctx


class PreparationView(BaseView):
    """/preparation/: what is done and what is left."""

    route_base = "/preparation"
    class_permission_name = "company"
    default_view = "page"
    title = "开业准备"

    @expose("/")
    @edge.screen("export")
    def page(self) -> ResponseReturnValue:
        """Every step with its tick."""
        return self.render_template("report.html", page=_page(edge.current_ctx()))


def _page(ctx: Ctx) -> ReportPage:
    found = steps(ctx.session, ctx.today)
    left = sum(not step.is_done for step in found)
    state = (
        Cell(f"还有 {left} 项", "enum", tone="warn")
        if left
        else Cell("全部就绪", "enum", tone="ok")
    )
    columns = [
        Column("step", "事项"),
        Column("state", "状态", "enum"),
        Column("note", "现状", "long_text"),
    ]
    columns.append(Column("who", "由谁办理", "long_text"))
    return ReportPage(
        "开业准备",
        columns,
        [_row(number, step) for number, step in enumerate(found, 1)],
        note="由数据得出，随办随更新；点事项进入办理",
        heading="从空库到第一笔业务",
        states=[state],
        url="/preparation/",
        foot="全部就绪后，桌面上的提示不再出现；本页仍在“系统设置”中",
    )


def _row(number: int, step: Step) -> Row:
    if step.is_done:
        state = Cell("已完成", "enum", tone="ok")
    else:
        state = Cell(
            "可稍后" if step.may_be_later else "待办",
            "enum",
            tone="muted" if step.may_be_later else "warn",
        )
    name = Cell(f"{number}. {step.label}", "link", step.url)
    return Row(
        step.label,
        step.url,
        (name, state, Cell(step.note, "long_text"), Cell(step.who, "long_text")),
    )
