"""导出 beside the page (X2): asked for, written as the asker, found in 我的下载 (docs/decisions/0030-exports.md).

A task is the wish and its result; who is at it and how far it is stands on its run (`job_run`, export:<id>). Each try
writes into a folder of its own, which counts from the commit that ends the run: whatever else lies there is swept.
"""

import contextlib
import hashlib
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.base.errors import BusinessError, Conflict, NotAllowed
from models.system.exports import ExportState, ExportTask
from models.system.setup import JobRun, LogKind
from reports.figures.parameters import whole
from workflows.base import audit, jobs
from workflows.base.context import Ctx
from workflows.base.file_store import digest_of
from workflows.base.jobs import Edge, JobStep, Tell
from workflows.base.transition import Step, move, move_all, steps

JOB = "export"
LABEL = "导出"
MOST_OPEN = 5  # of one person at a time
MOST_TRIES = 3  # of one file: what ends its process each time is given up
TELL_SECONDS = 1.0
_OPEN = (ExportState.PENDING, ExportState.RUNNING)
STEPS = steps(
    Step(
        "export_task",
        "take",
        "办理导出",
        column="status",
        sources=_OPEN,
        targets=(ExportState.RUNNING,),
        follows=True,
    ),
    Step(
        "export_task",
        "finish",
        "完成导出",
        column="status",
        sources=(ExportState.RUNNING,),
        targets=(ExportState.SUCCEEDED,),
        follows=True,
    ),
    Step(
        "export_task",
        "fail",
        "导出失败",
        column="status",
        sources=_OPEN,
        targets=(ExportState.FAILED,),
        follows=True,
    ),
    Step(
        "export_task",
        "cancel",
        "取消导出",
        column="status",
        sources=_OPEN,
        targets=(ExportState.CANCELLED,),
        follows=True,
    ),
)


class Cancelled(BusinessError):
    """The asker wants the file no more."""


@dataclass(frozen=True)
class Wish:
    """What is asked for: the table, the frozen arguments of its list, and what people call that."""

    source: str
    query: str
    title: str
    conditions: str
    file_format: str


@dataclass(frozen=True)
class Made:
    """A file as written, in the folder of its try; `plain` names the masked columns that it shows in full."""

    path: Path
    rows: int
    plain: str = ""


# Says how far it is, in per cent; raises Cancelled.
Told = Callable[[int], None]


@dataclass(frozen=True)
class Writer:
    """What the edge lends: who somebody is now (raises where the account is closed), and how a file is written."""

    actor_of: Callable[[Session, int], Actor]
    write: Callable[[ExportTask, Actor, Path, Told], Made]


# ------------------------------------------------------------------------------------------------------- asking
def ask(ctx: Ctx, wish: Wish) -> ExportTask:
    """Put a file into the queue. Raises NotAllowed, and Conflict where the asker waits for many already."""
    ctx.require("export", wish.source, f"导出{wish.title}")
    if ctx.actor.employee_id is None:
        raise NotAllowed("系统本身不导出文件")
    if len(open_of(ctx)) >= MOST_OPEN:
        raise Conflict(f"您有 {MOST_OPEN} 个导出尚未完成，请等待其完成，或在“我的下载”中取消")
    task = ExportTask(
        employee_id=ctx.actor.employee_id,
        source=wish.source,
        query=wish.query,
        title=wish.title[:100],
        conditions=wish.conditions or None,
        file_format=wish.file_format,
        business_date=ctx.today,
        asked_at=ctx.now,
        status=ExportState.PENDING,
    )
    ctx.session.add(task)
    ctx.session.flush()
    _log(ctx, task, "申请导出")
    return task


def own(ctx: Ctx, key: int, *, is_held: bool = False) -> ExportTask:
    """A task of the actor's own; NotFound for anybody else's."""
    return jobs.own_task(ctx, ExportTask, key, is_held=is_held)


def open_of(ctx: Ctx) -> Sequence[ExportTask]:
    """What the actor waits for, the newest first."""
    query = select(ExportTask).where(
        ExportTask.employee_id == ctx.actor.employee_id, ExportTask.status.in_(_OPEN)
    )
    return ctx.session.scalars(query.order_by(ExportTask.id.desc())).all()


def cancel(ctx: Ctx, key: int) -> None:
    """Want it no more; whoever writes it notices within a second or so. Raises IllegalTransition once it has ended."""
    task = own(ctx, key, is_held=True)
    move(STEPS["cancel"], task)
    task.finished_at = ctx.now


def collect(ctx: Ctx, key: int) -> tuple[ExportTask, Path]:
    """The file, for its asker who still has the right and sees what was seen; noted in the trail.

    Raises NotFound, NotAllowed, or Conflict where there is no file (any more).
    """
    task = own(ctx, key, is_held=True)
    if task.status is not ExportState.SUCCEEDED or task.folder is None:
        raise Conflict(f"导出“{task.title}”现为“{task.status.label}”，没有文件可下载")
    if is_expired(task, ctx.now):
        raise Conflict("文件已到期删除，请重新导出")
    ctx.require("export", task.source, f"导出{task.title}")
    if task.is_plain:
        ctx.require("reveal", task.source, "查看原值")
    reaches_all = ctx.actor.acting("reveal", task.source) is ctx.actor
    if (task.is_plain and not reaches_all) or task.reach != reach_of(ctx.actor):
        raise NotAllowed("您的数据范围在导出之后变了，请重新导出")
    path = path_of(ctx.session, task)
    if digest_of(path) != task.sha256:
        raise Conflict("文件已不在或被改动，请重新导出")
    task.downloaded_at = ctx.now
    _log(ctx, task, "下载导出文件")
    return task, path


def is_expired(task: ExportTask, now: datetime) -> bool:
    """Whether its file is kept no longer."""
    return task.expires_at is not None and task.expires_at <= now


def reach_of(actor: Actor) -> str:
    """A digest of how far somebody sees."""
    return hashlib.sha256(repr((actor.reach, sorted(actor.roles))).encode()).hexdigest()


def _log(ctx: Ctx, task: ExportTask, what: str) -> None:
    words = f"{what}：{task.title} {task.file_format}，{task.conditions or '全部'}"
    rows = "" if task.rows is None else f"，{task.rows} 行"
    audit.log_event(
        ctx, task.source, "EXPORT", LogKind.EXPORT, note=f"{words[:400]}{rows}（第 {task.id} 号）"
    )


# ------------------------------------------------------------------------------------------------------ writing
def waiting(session: Session) -> Sequence[int]:
    """Tasks that somebody has to be at, the oldest first."""
    query = select(ExportTask.id).where(ExportTask.status.in_(_OPEN))
    return session.scalars(query.order_by(ExportTask.id)).all()


def run_waiting(edge: Edge, writer: Writer) -> int:
    """Write what waits and nobody is at, one after another; how many were written. Clears away before and after."""
    written, seen = 0, set[int]()
    sweep(edge)
    while True:
        with edge.reader() as session:
            left = [key for key in waiting(session) if key not in seen]
        if not left:
            break
        seen.add(left[0])
        written += carry_out(edge, left[0], writer)
    sweep(edge)
    return written


def carry_out(edge: Edge, key: int, writer: Writer) -> bool:
    """Write one file as its asker; false where that was refused, cancelled, or another process is at it."""
    with edge.reader() as session:
        task = session.get_one(ExportTask, key)
        session.expunge(task)
    tries = jobs.tries_before(edge, job_of(key), task.business_date)
    if tries is None:
        return False
    try:
        if tries >= MOST_TRIES:
            raise BusinessError(f"办理了 {tries} 次都没有完成，请缩小筛选范围后重新导出")
        with edge.reader() as session:
            actor = writer.actor_of(session, task.employee_id)
        step = JobStep("work", LABEL, lambda _: "")
        lease = jobs.claim(edge, job_of(key), task.business_date, [step], actor)
        if lease is None:
            return False
        _write(lease, task, writer)
    except jobs.Taken:
        return False  # another process has it now
    except BusinessError as error:
        _fail(edge, key, error.message)
        return False
    except Exception:
        _fail(edge, key, jobs.FAULT)
        raise
    return True


def _write(lease: jobs.Lease, task: ExportTask, writer: Writer) -> None:
    edge, name = lease.edge, f"{task.id}-{secrets.token_hex(8)}"
    with edge.reader() as session:
        folder = _room(session) / name
    made: list[Made] = []

    def act(tell: Tell) -> str:
        _take(edge, task.id)
        folder.mkdir(mode=0o700, parents=True)
        made.append(writer.write(task, lease.actor, folder, _told(edge, task.id, tell)))
        return f"{made[0].rows:,} 行"

    try:
        jobs.watch(lease, LABEL, act, lambda ctx: _finish(ctx, task.id, made[0]))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _take(edge: Edge, key: int) -> None:
    with edge.open_session() as session:
        if not move_all(session, STEPS["take"], ExportTask.id == key, facts={"message": None}):
            raise Cancelled("已取消")
        session.commit()


def _told(edge: Edge, key: int, tell: Tell) -> Told:
    """Looks once a second whether the file is still wanted, and says how far it is."""
    last = [0.0]

    def told(percent: int) -> None:
        if time.monotonic() - last[0] < TELL_SECONDS:
            return
        last[0] = time.monotonic()
        with edge.reader() as session:
            now = session.scalar(select(ExportTask.status).where(ExportTask.id == key))
        if now is not ExportState.RUNNING:
            raise Cancelled("已取消")
        tell(percent, "写文件", {})

    return told


def _finish(ctx: Ctx, key: int, made: Made) -> None:
    """The file counts from here on: in the transaction that ends the run."""
    task = ctx.session.get_one(ExportTask, key, with_for_update=True)
    if task.status is ExportState.CANCELLED:
        raise Cancelled("已取消")
    days = whole(ctx.session, "export.keep_days", ctx.today)
    task.rows, task.size_bytes = made.rows, made.path.stat().st_size
    task.sha256, task.folder = digest_of(made.path), made.path.parent.name
    task.finished_at, task.expires_at = ctx.now, ctx.now + timedelta(days=days)
    task.reach, task.is_plain = reach_of(ctx.actor), bool(made.plain)
    move(STEPS["finish"], task)
    _log(ctx, task, f"导出（含原值：{made.plain}）" if made.plain else "导出")


def _fail(edge: Edge, key: int, message: str) -> None:
    """What was cancelled meanwhile stays so."""
    with edge.open_session() as session:
        facts = {"message": message[:500], "finished_at": edge.now()}
        move_all(session, STEPS["fail"], ExportTask.id == key, facts=facts)
        session.commit()


def job_of(key: int) -> str:
    """The name of the run of a task."""
    return f"{JOB}:{key}"


def run_of(session: Session, task: ExportTask) -> JobRun | None:
    """The run of a task, once somebody has been at it."""
    return jobs.find(session, job_of(task.id), task.business_date)


# -------------------------------------------------------------------------------------------------------- files
def _room(session: Session) -> Path:
    return Path(session.info["data_dir"]) / "exports"


def path_of(session: Session, task: ExportTask) -> Path:
    """Where the file of a finished task lies."""
    return _room(session) / str(task.folder) / f"list.{task.file_format}"


def sweep(edge: Edge) -> int:
    """Remove what no finished task names any more and nobody writes: expired, cancelled, broken off; how many."""
    gone = 0
    with edge.reader() as session:
        room = _room(session)
        for folder in sorted(room.iterdir()) if room.is_dir() else ():
            if not _is_wanted(session, folder.name, edge.now()):
                with contextlib.suppress(OSError):
                    shutil.rmtree(folder)
                    gone += 1
    return gone


def _is_wanted(session: Session, name: str, now: datetime) -> bool:
    number = name.partition("-")[0]
    task = session.get(ExportTask, int(number)) if number.isdecimal() else None
    if task is None:
        return False
    if task.status is ExportState.RUNNING:
        run = run_of(session, task)
        return run is not None and jobs.is_live(run, now)
    return (
        task.status is ExportState.SUCCEEDED and task.folder == name and not is_expired(task, now)
    )
