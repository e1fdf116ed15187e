"""Lists that are written beside their page: asked for on a list, written as the asker, shown wherever one looks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from flask import current_app
from sqlalchemy import Select, select
from werkzeug.datastructures import MultiDict

from models.base.actor import Actor
from models.base.errors import BusinessError
from models.system.exports import ExportState, ExportTask
from views.kit import edge, files
from views.kit.interface import reading, shape
from views.kit.lists import ListQuery
from views.kit.pages import Job
from workflows.base.context import Ctx
from workflows.base.jobs import Edge
from workflows.system import exports
from workflows.system.exports import Made, Told, Wish

URL = "/downloads/"


@dataclass(frozen=True)
class Whole:
    """A file that is no list: how it is asked for, and how it is written; its tasks say `<key>=<record>`."""

    begin: Callable[[int], None]
    write: Callable[[Ctx, int, Path, Told], Made]


WHOLES: dict[str, Whole] = {}
_ALMOST = 95  # per cent when every row is written: the file is packed and looked at after that


def begin(asked: ListQuery, kind: str) -> None:
    """Freeze what a list asks for and put its file into the queue. Raises BusinessError as `files.send` does."""
    files.admit(asked, kind)
    frozen = asked.url(cols=",".join(asked.names), page=None, size=None).partition("?")[2]
    spec, table = asked.model.spec, shape(asked.model).table
    words = files.conditions(asked)
    with edge.writing() as ctx:
        queue(ctx, Wish(table, frozen, title=spec.label, conditions=words, file_format=kind))


def again(ctx: Ctx, key: int) -> None:
    """Ask for the same once more, as things are now."""
    task = exports.own(ctx, key)
    if (found := _whole(task)) is not None:
        found[0].begin(found[1])
        return
    begin(_read(ctx, task), task.file_format)


def write(lent: Edge, task: ExportTask, actor: Actor, folder: Path, told: Told) -> Made:
    """Write the file of a task as its asker: right and scope are those of now; filter, order and columns are frozen."""
    with lent.reader() as session, reading(session):
        if session.get_bind().dialect.name == "postgresql":  # number, sums and rows of one moment
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        ctx = Ctx(session, actor, task.business_date, lent.now(), lent.source)
        ctx.require("export", task.source, f"导出{task.title}")
        if (whole := _whole(task)) is not None:
            return whole[0].write(ctx, whole[1], folder / f"list.{task.file_format}", told)
        asked = _read(ctx, task)
        total = files.admit(asked, task.file_format)
        plain = files.plain_columns(asked)
        path = folder / f"list.{task.file_format}"
        beside = files.Beside(lambda done: told(done * _ALMOST // max(total, 1)), folder)
        with path.open("wb") as target:
            rows = files.write(asked, task.file_format, target, plain=bool(plain), beside=beside)
        told(_ALMOST)
        return Made(path, rows, plain)


def queue(ctx: Ctx, wish: Wish) -> None:
    """Put a file into the queue, within the transaction of its asker."""
    exports.ask(ctx, wish)
    ctx.after_commit.append(current_app.extensions["start_exports"])


def _whole(task: ExportTask) -> tuple[Whole, int] | None:
    key, _, record = task.query.partition("=")
    return (WHOLES[key], int(record)) if key in WHOLES and record.isdecimal() else None


def _read(ctx: Ctx, task: ExportTask) -> ListQuery:
    """The list as it was asked for; its columns must be those of then."""
    found = asked_of(ctx, task.source, task.query)
    if set(found.args.get("cols", "").split(",")) != set(found.names):
        raise BusinessError("列表的列已改变，请从列表重新导出")
    return found


def asked_of(ctx: Ctx, table: str, query: str) -> ListQuery:
    """What a kept address asks of a list, through its own screen: its tabs narrow it. Raises BusinessError."""
    views = current_app.appbuilder.baseviews  # type: ignore[attr-defined]
    view: Any = next((one for one in views if getattr(one, "route_base", "") == f"/{table}"), None)
    if view is None:
        raise BusinessError("没有这个列表")
    found: ListQuery = view.read_list(ctx, MultiDict(parse_qsl(query, keep_blank_values=True)))
    return found


def percent_of(ctx: Ctx, task: ExportTask) -> int:
    """How far it is."""
    if task.status is ExportState.SUCCEEDED:
        return 100
    run = exports.run_of(ctx.session, task)
    return 0 if run is None else run.progress_pct


def job_of(ctx: Ctx, task: ExportTask) -> Job:
    """A task as a progress bar shows it."""
    words = f"导出{task.title}：{task.status.label}"
    return Job(words, f"{URL}state/{task.id}", URL, percent_of(ctx, task), state_of(task))


def state_of(task: ExportTask) -> str:
    """running, done or failed, as the progress bar knows them."""
    known = {
        ExportState.SUCCEEDED: "done",
        ExportState.PENDING: "running",
        ExportState.RUNNING: "running",
    }
    return known.get(task.status, "failed")


def waited_for(ctx: Ctx) -> Select[ExportTask]:
    """What this person waits for, and files that wait to be fetched."""
    return select(ExportTask).where(
        ExportTask.employee_id == ctx.actor.employee_id,
        ExportTask.status.in_((ExportState.PENDING, ExportState.RUNNING, ExportState.SUCCEEDED)),
        (ExportTask.status != ExportState.SUCCEEDED)
        | (ExportTask.downloaded_at.is_(None) & (ExportTask.expires_at > ctx.now)),
    )


def shown_everywhere(ctx: Ctx) -> list[Job]:
    """The newest of them, for the top of every page."""
    found = ctx.session.scalars(waited_for(ctx).order_by(ExportTask.id.desc()).limit(2))
    return [job_of(ctx, task) for task in found]
