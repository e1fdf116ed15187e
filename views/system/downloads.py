"""我的下载 (X2): files that one has asked for: how far they are, to be fetched, cancelled or asked for again."""

from flask import flash, jsonify, redirect, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.base.errors import NotFound
from models.system.exports import ExportState, ExportTask
from views.kit import edge, exports, files
from views.kit.cells import format_value, size_text
from views.kit.interface import valid_id
from views.kit.pages import Action, Cell, Column, ReportPage, Row, Section
from workflows.base.context import Ctx
from workflows.system import exports as work

TITLE = "我的下载"
ROWS = 100


class DownloadsView(BaseView):
    """/downloads/: one's own exports, whatever list they are of."""

    route_base = "/downloads"
    default_view = "page"
    title = TITLE

    @expose("/")
    @edge.screen()
    def page(self) -> ResponseReturnValue:
        """What is being written, and what was."""
        return self.render_template("report.html", page=_page(edge.current_ctx()))

    @expose("/state/<pk>")
    @edge.screen()
    def state(self, pk: str) -> ResponseReturnValue:
        """A task as the progress bar reads it."""
        ctx = edge.current_ctx()
        job = exports.job_of(ctx, work.own(ctx, _key(pk)))
        return jsonify(percent=job.percent, label=job.label, state=job.state, url=job.url)

    @expose("/file/<pk>")
    @edge.screen()
    def file(self, pk: str) -> ResponseReturnValue:
        """The file; right and scope are asked anew, and the trail notes it."""
        with edge.writing() as ctx:
            task, path = work.collect(ctx, _key(pk))
        name = files.file_name(task.title, task.business_date, task.file_format)
        return files.named(send_file(path, mimetype=files.TYPES[task.file_format]), name)

    @expose("/cancel/<pk>", methods=("POST",))
    @edge.screen()
    def cancel(self, pk: str) -> ResponseReturnValue:
        """Stop it; no file remains."""
        with edge.writing() as ctx:
            work.cancel(ctx, _key(pk))
        flash("已取消导出", "success")
        return redirect(exports.URL)

    @expose("/again/<pk>", methods=("POST",))
    @edge.screen()
    def again(self, pk: str) -> ResponseReturnValue:
        """The same once more, as things are now."""
        exports.again(edge.current_ctx(), _key(pk))
        flash("已重新开始导出", "success")
        return redirect(exports.URL)


def _key(text: str) -> int:
    key = valid_id(text)
    if key is None:
        raise NotFound("没有这个导出")
    return key


def _page(ctx: Ctx) -> ReportPage:
    query = select(ExportTask).where(ExportTask.employee_id == ctx.actor.employee_id)
    found = ctx.session.scalars(query.order_by(ExportTask.id.desc()).limit(ROWS)).all()
    columns = [
        Column("what", "内容"),
        Column("state", "状态", "enum"),
        Column("conditions", "筛选条件", "long_text"),
        Column("format", "格式"),
        Column("rows", "行数", "int"),
        Column("size", "大小"),
        Column("asked", "申请时间", "datetime"),
        Column("until", "保留至", "datetime"),
    ]
    return ReportPage(
        TITLE,
        columns,
        [_row(ctx, task) for task in found],
        note="在列表的“导出”菜单中申请，完成后在此下载",
        url=exports.URL,
        above=[_progress(ctx, task) for task in work.open_of(ctx)],
        empty="还没有在后台办理的导出。行数较多的列表导出后，文件在这里下载",
        crumbs=[(TITLE, "")],
        foot="文件只有本人能下载，每次下载都重新核对权限和数据范围并记入操作日志；到期后自动删除",
    )


def _progress(ctx: Ctx, task: ExportTask) -> Section:
    question = f"取消导出“{task.title}”？已写的部分不保留。"
    stop = Action("取消", f"{exports.URL}cancel/{task.id}", "POST", confirm=question)
    job = exports.job_of(ctx, task)
    return Section(
        f"task-{task.id}",
        f"正在导出{task.title}",
        template="parts/progress.html",
        data=job,
        actions=[stop],
        note=task.conditions or "全部",
    )


def _row(ctx: Ctx, task: ExportTask) -> Row:
    is_ready = task.status is ExportState.SUCCEEDED and not work.is_expired(task, ctx.now)
    url = f"{exports.URL}file/{task.id}" if is_ready else ""
    state = (
        Cell("已到期", "enum", tone="draft")
        if task.status is ExportState.SUCCEEDED and not is_ready
        else Cell(task.status.label, "enum", tone=task.status.tone)
    )
    rows = "" if task.rows is None else f"{task.rows:,}"
    until = "" if task.expires_at is None else str(format_value(task.expires_at, "datetime"))
    cells = (
        Cell(task.title, "link" if url else "text", url),
        state,
        Cell("；".join(filter(None, (task.conditions or "全部", task.message))), "long_text"),
        Cell(task.file_format.upper()),
        Cell(rows, "int"),
        Cell("" if task.size_bytes is None else size_text(task.size_bytes)),
        Cell(str(format_value(task.asked_at, "datetime")), "datetime"),
        Cell(until, "datetime"),
    )
    return Row(str(task.id), url, cells, actions=_actions(task, url))


def _actions(task: ExportTask, url: str) -> tuple[Action, ...]:
    if task.status in (ExportState.PENDING, ExportState.RUNNING):
        return (Action("取消", f"{exports.URL}cancel/{task.id}", "POST"),)
    again = Action("重新导出", f"{exports.URL}again/{task.id}", "POST")
    return (Action("下载", url), again) if url else (again,)
