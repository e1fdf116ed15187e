"""The pages of 导入 (X3): asking for a file, what its columns are, what its rows will do, and what one has sent."""

import io
from collections.abc import Sequence

from flask import request
from sqlalchemy import ColumnElement, func, select, true
from wtforms import FileField, Form, RadioField

from models.base.errors import BusinessError
from models.system.imports import ImportMode, ImportRow, ImportState, ImportTask, Verdict
from reports.base.export import ExportColumn, write_xlsx
from views.kit import edge, importing, mapping
from views.kit.cells import format_value
from views.kit.interface import valid_id
from views.kit.pages import (
    Action,
    Cell,
    Column,
    Field,
    FieldGroup,
    FormPage,
    Paging,
    ReportPage,
    Row,
    Section,
    Tab,
)
from views.kit.report_page import told
from workflows.base import sheet_mapping
from workflows.base.context import Ctx
from workflows.system import import_files, import_jobs, import_load, imports
from workflows.system.import_columns import ImportColumn
from workflows.system.import_rows import Door

TITLE = "我的导入"
SIZE = 50
ROWS = 100
_WRONG_MOST = 5_000  # rows of the file that gives wrong rows back


class _UploadForm(Form):
    """The controls of the page."""

    file = FileField("文件", render_kw={"accept": ".xlsx,.xls,.csv"})
    mode = RadioField(
        "已登记的记录",
        choices=[(mode.name, mode.value) for mode in ImportMode],
        default=ImportMode.UPDATE.name,
    )


def _crumbs(door: Door, last: str) -> list[tuple[str, str]]:
    spec = door.model.spec
    url = importing.list_url(str(door.model.__tablename__))
    return [(spec.module.label, ""), (spec.label, url), (last, "")]


_WHOLE = "先核对每一行，确认后才导入；有一行有误则全部不导入，重复导入同一文件不会改变数据"
_PARTIAL = (
    "先核对每一行，确认后才导入；有误的改正后再导入，或略过有误的行，重复导入同一文件不会改变数据"
)


def upload_page(door: Door, error: BusinessError | None = None) -> FormPage:
    form = _UploadForm(request.form)
    table, spec = str(door.model.__tablename__), door.model.spec
    errors = error.field_errors if error else {}
    helps = {
        "file": "Excel 或 CSV；按列名识别，列的次序不限",
        "mode": "按编号、证件号码等识别；空白的单元格不改动原来的内容",
    }
    shown = [
        Field(
            c.name,
            c.label.text,
            c,
            {"mode": "radio"}.get(c.name, "file"),
            c.name == "file",
            "",
            helps[c.name],
            tuple(errors.get(c.name, ())),
            True,
        )
        for c in form
    ]
    summary = [({"file": n}.get(n, ""), "", m) for n, messages in errors.items() for m in messages]
    return FormPage(
        f"导入{spec.label}",
        [FieldGroup("", shown)],
        f"{importing.URL}of/{table}",
        importing.list_url(table),
        hidden=[edge.csrf_input()],
        submit_label="上传并核对",
        errors=summary,
        crumbs=_crumbs(door, "导入"),
        is_upload=True,
        note=_PARTIAL if spec.is_partial else _WHOLE,
        actions=[
            Action("下载模板", f"{importing.URL}template/{table}", icon="down"),
            Action(TITLE, importing.URL),
        ],
        help_key=table,
    )


def columns_page(
    ctx: Ctx, task: ImportTask, door: Door, error: BusinessError | None = None
) -> FormPage:
    _, kind = imports.layout(ctx, door)
    file = imports.file_of(ctx.session, task)
    found = sheet_mapping.guess(
        kind,
        file[1],
        file[0],
        ctx.session,
        import_files.mapped_by(ctx.session, kind, task.employee_id),
    )
    if found is None:
        raise error or BusinessError("文件中没有找到表头：表头一行应写明各列的名称")
    errors = error.field_errors if error else {}
    top = [(n, "", m) for n, messages in errors.items() for m in messages]
    return FormPage(
        f"列对应：{task.file_name}",
        [FieldGroup("", mapping.fields(kind, found, errors, asks_source=False))],
        f"{importing.URL}columns/{task.id}",
        importing.list_url(task.source),
        hidden=[edge.csrf_input()],
        submit_label="保存并核对",
        errors=top,
        crumbs=_crumbs(door, "列对应"),
        note=f"工作表“{found.sheet}”第 {found.row_no} 行为表头；同样的文件以后自动识别",
    )


def remember(ctx: Ctx, task: ImportTask, door: Door) -> None:
    _, kind = imports.layout(ctx, door)
    name, data = imports.file_of(ctx.session, task)
    mapped = import_files.mapped_by(ctx.session, kind, task.employee_id)
    found = sheet_mapping.guess(kind, data, name, ctx.session, mapped)
    if found is None:
        raise BusinessError("文件中没有找到表头：表头一行应写明各列的名称")
    heads = found.heads
    keys = [request.form.get(f"c{at}", "") for at in range(len(heads))]
    source = import_files.own_source(ctx, heads)
    sheet_mapping.remember(ctx, kind, data, name, source=source, keys=keys, mapped=mapped)


def chosen_words(ctx: Ctx, task: ImportTask, door: Door) -> list[tuple[str, str, str]]:
    layout, _ = imports.layout(ctx, door)
    columns = {importing.asked_of(c) for c in importing.columns_of(task, layout)}
    asked = [(code, word) for code, word, _ in importing.words_in(task) if code in columns]
    return [
        (code, word, request.form.get(f"w{at}", "").strip())
        for at, (code, word) in enumerate(asked)
    ]


def page_of(ctx: Ctx, task: ImportTask, door: Door) -> ReportPage:
    layout, _ = imports.layout(ctx, door)
    columns = importing.columns_of(task, layout)
    title = f"导入{task.title}：{task.file_name}"
    page = ReportPage(
        title,
        importing.heads(columns, task),
        [],
        heading=_heading(task),
        states=[Cell(task.status.label, "enum", tone=_tone(task))],
        crumbs=_crumbs(door, "导入"),
        above=_above(ctx, task, columns),
        help_key=task.source,
        url=f"{importing.URL}task/{task.id}",
    )
    if task.status is ImportState.READY:
        _show_rows(ctx, page, task, columns)
        page.actions = _actions(task)
    else:
        page.actions = _ended_actions(task)
        page.empty = task.message or task.status.label
    return page


def _heading(task: ImportTask) -> str:
    total = imports.number_of(task)
    counts = [(verdict.label, imports.number_of(task, verdict)) for verdict in Verdict]
    words = "，".join(f"{label} {number:,} 行" for label, number in counts if number)
    if not total:
        return task.title
    return f"共 {total:,} 行：{words}"


def _tone(task: ImportTask) -> str:
    return "bad" if imports.number_of(task, Verdict.WRONG) else task.status.tone


def _above(ctx: Ctx, task: ImportTask, columns: Sequence[ImportColumn]) -> list[Section]:
    found: list[Section] = []
    if task.status in (ImportState.CHECKING, ImportState.LOADING):
        job = importing.job_of(task, import_jobs.percent_of(ctx, task))
        stop = Action("放弃", f"{importing.URL}cancel/{task.id}", "POST", confirm="放弃这次导入？")
        found.append(
            Section(
                "job", task.status.label, template="parts/progress.html", data=job, actions=[stop]
            )
        )
    asked = importing.word_fields(ctx, task, columns)
    if asked:
        data = {"fields": asked, "url": f"{importing.URL}words/{task.id}"}
        label = "这些词不在字典或设置中，请选择对应的选项"
        found.append(Section("words", label, template="parts/words.html", data=data))
    notes = [("提示", notice) for notice in task.notices]
    if task.message and task.status is ImportState.READY:
        notes.insert(0, ("错误", task.message))
    return [*found, *told(notes)]


_FILTERS: dict[str, tuple[str, ColumnElement[bool]]] = {
    "wrong": ("有误", ImportRow.verdict == Verdict.WRONG),
    "alike": ("可能重复", ImportRow.alike.is_not(None)),
    "changed": ("更新", ImportRow.verdict == Verdict.CHANGED),
    "all": ("全部", true()),
}


def _show_rows(
    ctx: Ctx, page: ReportPage, task: ImportTask, columns: Sequence[ImportColumn]
) -> None:
    """The rows of the chosen tab, the wrong ones first to be seen."""
    counts = {
        "wrong": imports.number_of(task, Verdict.WRONG),
        "alike": int(task.counts.get("alike", 0)),
        "changed": imports.number_of(task, Verdict.CHANGED),
        "all": imports.number_of(task),
    }
    first = "wrong" if counts["wrong"] else "all"
    active = request.args.get("tab", first)
    if active not in _FILTERS:
        active = first
    page.tabs = [
        Tab(label, f"{page.url}?tab={key}", key == active, counts[key], key=key)
        for key, (label, _) in _FILTERS.items()
        if counts[key] or key == "all"
    ]
    where = (ImportRow.import_task_id == task.id, _FILTERS[active][1])
    total = ctx.session.execute(select(func.count(ImportRow.id)).where(*where)).scalar_one()
    pages = max(-(-total // SIZE), 1)
    number = min(valid_id(request.args.get("page", "1")) or 1, pages)
    query = select(ImportRow).where(*where).order_by(ImportRow.row_no)
    rows = ctx.session.scalars(query.offset((number - 1) * SIZE).limit(SIZE)).all()
    page.rows = [importing.row_of(task, row, columns) for row in rows]
    page.paging = _paging(f"{page.url}?tab={active}", total, number, pages)
    page.empty = "没有这样的行"


def _paging(url: str, total: int, number: int, pages: int) -> Paging:
    near = sorted(n for n in {1, pages, *range(number - 2, number + 3)} if 1 <= n <= pages)
    links: list[tuple[str, str, bool]] = []
    for before, one in zip([0, *near], near, strict=False):
        if one - before > 1:
            links.append(("…", "", False))
        links.append((str(one), f"{url}&page={one}", one == number))
    first = (number - 1) * SIZE
    return Paging(
        min(first + 1, total),
        min(first + SIZE, total),
        total,
        page=number,
        pages=pages,
        size=SIZE,
        sizes=(),
        links=tuple(links),
    )


def _actions(task: ImportTask) -> list[Action]:
    base, why = importing.URL, import_load.why_not_taken(task)
    new = imports.number_of(task, Verdict.NEW)
    changed = imports.number_of(task, Verdict.CHANGED)
    alike = int(task.counts.get("alike", 0))
    question = f"导入{task.title}：新增 {new:,} 条，更新 {changed:,} 条。"
    if alike:
        question += f"其中 {alike:,} 条可能与已有记录重复。"
    found = [Action("列对应", f"{base}columns/{task.id}")]
    if imports.number_of(task, Verdict.WRONG):
        found.append(Action("下载有误的行", f"{base}wrong/{task.id}", icon="down"))
    if imports.may_leave_out(task):
        wrong = imports.number_of(task, Verdict.WRONG)
        left = f"有误的 {wrong:,} 行不导入，其余的行确认后导入；请先下载有误的行退回。"
        found.append(
            Action(f"略过有误的 {wrong:,} 行", f"{base}good/{task.id}", "POST", confirm=left)
        )
    if imports.number_of(task, Verdict.CHANGED, Verdict.SKIPPED):
        label = {ImportMode.UPDATE: "改为跳过已有记录", ImportMode.SKIP: "改为更新已有记录"}
        found.append(Action(label[task.mode], f"{base}mode/{task.id}", "POST"))
    found.append(Action("重新上传", f"{base}of/{task.source}"))
    found.append(Action("放弃", f"{base}cancel/{task.id}", "POST", confirm="放弃这次导入？"))
    confirm = Action(
        "确认导入",
        f"{base}confirm/{task.id}",
        "POST",
        "primary",
        confirm=question,
        why_not=why,
    )
    return [*found, confirm]


def _ended_actions(task: ImportTask) -> list[Action]:
    found = [Action(TITLE, importing.URL)]
    if task.status not in (ImportState.CHECKING, ImportState.LOADING):
        found.append(Action(f"打开{task.title}列表", importing.list_url(task.source)))
        found.append(Action("再导入", f"{importing.URL}of/{task.source}", style="primary"))
    return found


def wrong_rows(ctx: Ctx, task: ImportTask, door: Door) -> io.BytesIO:
    layout, _ = imports.layout(ctx, door)
    columns = importing.columns_of(task, layout)
    heads = [ExportColumn(one["key"], one["head"]) for one in task.columns]
    heads.append(ExportColumn("problems", import_files.PROBLEMS))
    labels = {column.key: column.label for column in columns}
    query = select(ImportRow).where(
        ImportRow.import_task_id == task.id, ImportRow.verdict == Verdict.WRONG
    )
    rows = ctx.session.scalars(query.order_by(ImportRow.row_no).limit(_WRONG_MOST))
    target = io.BytesIO()
    write_xlsx(
        heads,
        (
            [
                *(row.cells.get(one["key"], "") for one in task.columns),
                _problems(row, labels),
            ]
            for row in rows
        ),
        target,
        title=task.title,
    )
    target.seek(0)
    return target


def _problems(row: ImportRow, labels: dict[str, str]) -> str:
    told_here = [
        f"{labels.get(key, '整行')}：{'，'.join(messages)}" for key, messages in row.errors.items()
    ]
    return f"第 {row.row_no} 行：{'；'.join(told_here)}"


def mine(ctx: Ctx) -> ReportPage:
    query = select(ImportTask).where(ImportTask.employee_id == ctx.actor.employee_id)
    found = ctx.session.scalars(query.order_by(ImportTask.id.desc()).limit(ROWS)).all()
    columns = [
        Column("what", "内容"),
        Column("state", "状态", "enum"),
        Column("file", "文件"),
        Column("rows", "行数", "long_text"),
        Column("asked", "上传时间", "datetime"),
        Column("until", "保留至", "datetime"),
    ]
    return ReportPage(
        TITLE,
        columns,
        [_mine_row(task) for task in found],
        note="在列表的“导入”中上传，核对后在此继续",
        url=importing.URL,
        empty="还没有导入过文件",
        crumbs=[(TITLE, "")],
        foot="只有本人能看到；未确认的到期自动放弃，上传的文件一并删除",
    )


def _mine_row(task: ImportTask) -> Row:
    is_open = task.status not in (ImportState.SUCCEEDED, ImportState.CANCELLED, ImportState.FAILED)
    url = f"{importing.URL}task/{task.id}"
    cells = (
        Cell(task.title, "link", url),
        Cell(task.status.label, "enum", tone=_tone(task)),
        Cell(task.file_name),
        Cell(task.message or _heading(task), "long_text"),
        Cell(str(format_value(task.asked_at, "datetime")), "datetime"),
        Cell(str(format_value(task.expires_at, "datetime")) if is_open else "", "datetime"),
    )
    return Row(str(task.id), url, cells)
