"""导入 (X3): a file of rows for a list: uploaded, looked through, confirmed; all rows or none."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app, flash, jsonify, redirect, request, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.base.errors import BusinessError, NotFound
from models.system.imports import ImportMode, ImportState, ImportTask
from views.kit import edge, files, importing
from views.kit.interface import valid_id
from views.system import import_pages as pages
from workflows.base import sheet_mapping
from workflows.base.context import Ctx
from workflows.system import import_jobs, import_load, imports
from workflows.system.import_rows import Door


class ImportsView(BaseView):
    """/import/: files for the lists whose rows may be brought in; what one has sent."""

    route_base = "/import"
    default_view = "page"
    title = pages.TITLE

    # ---------------------------------------------------------------------------------------------- of one list
    @expose("/of/<table>", methods=("GET", "POST"))
    @edge.screen()
    def upload(self, table: str) -> ResponseReturnValue:
        """Ask for a file; with one, look through it, here or beside the page."""
        ctx = edge.current_ctx()
        door = importing.door_of(ctx, table)
        imports.permit(ctx, door)
        if request.method == "GET":
            return self.render_template("form.html", page=pages.upload_page(door))
        sent = request.files.get("file")
        try:
            if sent is None or not sent.filename:
                raise BusinessError("请选择文件", field="file")
            mode = ImportMode.__members__.get(request.form.get("mode", ""), ImportMode.UPDATE)
            with edge.writing("import") as ctx:
                task = imports.ask(ctx, door, (sent.filename[-200:], sent.read()), mode)
                _look(ctx, task, door)
                key = task.id
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            page = pages.upload_page(door, error)
            return self.render_template("form.html", page=page), error.status
        return redirect(f"{importing.URL}task/{key}")

    @expose("/template/<table>")
    @edge.screen()
    def template(self, table: str) -> ResponseReturnValue:
        """The workbook to fill in."""
        ctx = edge.current_ctx()
        door = importing.door_of(ctx, table)
        imports.permit(ctx, door)
        made = io.BytesIO(importing.template(ctx, door))
        name = f"{door.model.spec.label}导入模板.xlsx"
        return files.named(send_file(made, mimetype=files.TYPES["xlsx"]), name)

    # ---------------------------------------------------------------------------------------------- of one file
    @expose("/task/<pk>")
    @edge.screen()
    def task(self, pk: str) -> ResponseReturnValue:
        """What the file will do, or has done."""
        ctx = edge.current_ctx()
        task = imports.own(ctx, _key(pk))
        door = importing.door_of(ctx, task.source)
        imports.permit(ctx, door)
        if task.status is ImportState.UNREAD:
            return redirect(f"{importing.URL}columns/{task.id}")
        return self.render_template("report.html", page=pages.page_of(ctx, task, door))

    @expose("/columns/<pk>", methods=("GET", "POST"))
    @edge.screen()
    def columns(self, pk: str) -> ResponseReturnValue:
        """Say by hand what each column holds: remembered for files of this shape."""
        ctx = edge.current_ctx()
        task = imports.own(ctx, _key(pk))
        door = importing.door_of(ctx, task.source)
        imports.permit(ctx, door)
        if request.method == "GET":
            return self.render_template("form.html", page=pages.columns_page(ctx, task, door))
        try:
            with _changing(pk) as (ctx, task, door):
                pages.remember(ctx, task, door)
                _look(ctx, task, door)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            ctx = edge.current_ctx()
            page = pages.columns_page(ctx, imports.own(ctx, _key(pk)), door, error)
            return self.render_template("form.html", page=page), error.status
        return redirect(f"{importing.URL}task/{pk}")

    @expose("/words/<pk>", methods=("POST",))
    @edge.screen()
    def words(self, pk: str) -> ResponseReturnValue:
        """Say what words mean that no dictionary knows: remembered; then look through the file again."""
        with _changing(pk) as (ctx, task, door):
            imports.say_words(ctx, task, pages.chosen_words(ctx, task, door))
            _look(ctx, task, door)
        return redirect(f"{importing.URL}task/{pk}")

    @expose("/mode/<pk>", methods=("POST",))
    @edge.screen()
    def mode(self, pk: str) -> ResponseReturnValue:
        """Update what is registered, or leave it as it is."""
        with _changing(pk) as (ctx, task, door):
            is_update = task.mode is ImportMode.UPDATE
            task.mode = ImportMode.SKIP if is_update else ImportMode.UPDATE
            _look(ctx, task, door)
        return redirect(f"{importing.URL}task/{pk}")

    @expose("/choose/<pk>/<row>", methods=("POST",))
    @edge.screen()
    def choose(self, pk: str, row: str) -> ResponseReturnValue:
        """Leave a row out that is like a record that is there, or take it after all."""
        with _changing(pk) as (ctx, task, _):
            imports.choose(ctx, task, _key(row))
        return redirect(f"{importing.URL}task/{pk}?tab=alike")

    @expose("/good/<pk>", methods=("POST",))
    @edge.screen()
    def good(self, pk: str) -> ResponseReturnValue:
        """Let the wrong rows be, where the table takes the others alone; they are confirmed afterwards."""
        with _changing(pk) as (ctx, task, _):
            number = imports.leave_wrong_out(ctx, task)
        flash(f"已略过有误的 {number:,} 行，确认后导入其余的行", "success")
        return redirect(f"{importing.URL}task/{pk}")

    @expose("/confirm/<pk>", methods=("POST",))
    @edge.screen()
    def confirm(self, pk: str) -> ResponseReturnValue:
        """Take all rows, here or beside the page; what is wrong by now stands at the rows."""
        try:
            with _changing(pk) as (ctx, task, door):
                if import_jobs.is_long(ctx, task):
                    import_jobs.begin_load(ctx, task, door)
                    _start(ctx)
                    words, where = "", f"{importing.URL}task/{pk}"
                else:
                    words, where = (
                        import_load.load(ctx, task, door),
                        importing.list_url(task.source),
                    )
        except import_load.RowsRefused as refused:
            with edge.writing("import") as ctx:
                import_load.note_refused(ctx, imports.own(ctx, _key(pk), is_held=True), refused)
            flash(refused.message, "danger")
            return redirect(f"{importing.URL}task/{pk}")
        if words:
            flash(f"已导入：{words}", "success")
        return redirect(where)

    @expose("/cancel/<pk>", methods=("POST",))
    @edge.screen()
    def cancel(self, pk: str) -> ResponseReturnValue:
        """Let it go; nothing was taken."""
        with edge.writing() as ctx:
            task = imports.own(ctx, _key(pk), is_held=True)
            imports.cancel(ctx, task)
            where = importing.list_url(task.source)
        flash("已放弃导入", "success")
        return redirect(where)

    @expose("/wrong/<pk>")
    @edge.screen()
    def wrong(self, pk: str) -> ResponseReturnValue:
        """The wrong rows as they were sent, with what is wrong in a column beside."""
        ctx = edge.current_ctx()
        task = imports.own(ctx, _key(pk))
        door = importing.door_of(ctx, task.source)
        imports.permit(ctx, door)
        made = pages.wrong_rows(ctx, task, door)
        name = files.file_name(f"{task.title}有误的行", ctx.today, "xlsx")
        return files.named(send_file(made, mimetype=files.TYPES["xlsx"]), name)

    @expose("/state/<pk>")
    @edge.screen()
    def state(self, pk: str) -> ResponseReturnValue:
        """A task as the progress bar reads it."""
        ctx = edge.current_ctx()
        task = imports.own(ctx, _key(pk))
        job = importing.job_of(task, import_jobs.percent_of(ctx, task))
        return jsonify(percent=job.percent, label=job.label, state=job.state, url=job.url)

    @expose("/")
    @edge.screen()
    def page(self) -> ResponseReturnValue:
        """What one has sent, the latest first."""
        return self.render_template("report.html", page=pages.mine(edge.current_ctx()))


@contextmanager
def _changing(pk: str) -> Iterator[tuple[Ctx, ImportTask, Door]]:
    """A file of one's own, held until the commit, and the list that it is for: the right is asked anew."""
    with edge.writing("import") as ctx:
        task = imports.own(ctx, _key(pk), is_held=True)
        door = importing.door_of(ctx, task.source)
        imports.permit(ctx, door)
        yield ctx, task, door


def _key(text: str) -> int:
    key = valid_id(text)
    if key is None:
        raise NotFound("没有这个导入")
    return key


def _start(ctx: Ctx) -> None:
    ctx.after_commit.append(current_app.extensions["start_imports"])


def _look(ctx: Ctx, task: ImportTask, door: Door) -> None:
    """Look through the file: a short one now, a long one beside the page, one without a known head not yet."""
    found = imports.opened(ctx, task, door)
    if found is None:
        _, kind = imports.layout(ctx, door)
        name, data = imports.file_of(ctx.session, task)
        if sheet_mapping.guess(kind, data, name, ctx.session) is None:
            raise BusinessError("文件中没有找到表头：表头一行应写明各列的名称", field="file")
        imports.leave_unread(task)
    elif import_jobs.is_many(ctx, found.number):
        import_jobs.begin_check(ctx, task, found)
        _start(ctx)
    else:
        imports.check(ctx, task, door, found)
