"""Long work as a series of steps: once per (job, business date), resumable, watched from any page (X10).

The row in `job_run` is the lease. A step and the note that it is done are committed together, the last step with the
end of the run: a process that is killed anywhere loses nothing and repeats nothing, and whoever comes next goes on
where it stopped (docs/decisions/0010-long-work.md).
"""

import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.base import trouble
from models.base.actor import SYSTEM, Actor
from models.base.entity import Entity
from models.base.errors import BusinessError, Conflict, NotFound
from models.system.organization import Employee
from models.system.setup import JobRun, JobStatus
from reports.figures.parameters import whole
from workflows.base.context import Ctx
from workflows.base.transition import Step, move, move_all, steps

T = TypeVar("T", bound=Entity)

_AT_WORK = (JobStatus.RUNNING,)
STEPS = steps(
    Step(
        "job_run",
        "take",
        "办理作业",
        column="status",
        sources=(JobStatus.PENDING, JobStatus.FAILED, JobStatus.RUNNING),
        targets=_AT_WORK,
        follows=True,
    ),
    Step(
        "job_run",
        "finish",
        "完成作业",
        column="status",
        sources=_AT_WORK,
        targets=(JobStatus.SUCCEEDED,),
        follows=True,
    ),
    Step(
        "job_run",
        "fail",
        "作业失败",
        column="status",
        sources=_AT_WORK,
        targets=(JobStatus.FAILED,),
        follows=True,
    ),
)
HUNDRED = 100
BEAT_SECONDS = 20
FAULT = "系统故障，详情见运行日志"
BUSY = "系统正忙，或数据刚被他人修改，请稍后继续办理"


Tell = Callable[[int, str, Mapping[str, Any]], None]


class Taken(Conflict):
    """Somebody else is at a run, or it is done already."""


@dataclass(frozen=True)
class JobStep:
    """One part of a job: does all or raises; its text result (may be empty) is kept in the run's log."""

    code: str
    label: str
    run: Callable[[Ctx], str]


@dataclass(frozen=True)
class Edge:
    """What the edge lends to a job: sessions begun for writing, the clock, and sessions that only look.

    On SQLite a session that only looks does not wait for the step that is running; without one, the others do.
    """

    open_session: Callable[[], Session]
    now: Callable[[], datetime]
    source: str = "job"
    open_reader: Callable[[], Session] | None = None

    def reader(self) -> Session:
        """A session for looking."""
        return (self.open_reader or self.open_session)()


@dataclass(frozen=True)
class Lease:
    """A run that this process holds."""

    edge: Edge
    job: str
    on: date
    owner: str
    actor: Actor


def owner_name() -> str:
    """A name for this runner that no other process or thread has; `_is_gone` reads it."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def run(
    edge: Edge, job: str, on: date, steps: Sequence[JobStep], *, actor: Actor = SYSTEM
) -> JobRun | None:
    """Run what is left of a job for a business date; None when it is done already or another process holds it.

    Raises what `work` raises.
    """
    lease = claim(edge, job, on, steps, actor)
    return None if lease is None else work(lease, steps)


def start(
    edge: Edge, job: str, on: date, steps: Sequence[JobStep], actor: Actor, label: str
) -> Lease:
    """Take a lease for somebody who waits for the answer; `work` does the rest.

    Raises Taken saying who is at it, or that it is done.
    """
    lease = claim(edge, job, on, steps, actor)
    if lease is None:
        raise Taken(why_taken(edge, job, on, label))
    return lease


def claim(
    edge: Edge, job: str, on: date, steps: Sequence[JobStep], actor: Actor = SYSTEM
) -> Lease | None:
    """Take the lease of (job, date); None when it is done, or somebody is at it."""
    lease, now = Lease(edge, job, on, owner_name(), actor), edge.now()
    with edge.reader() as session:
        found = find(session, job, on)
        if found is not None and not _is_free(found, now):
            return None
    with edge.open_session() as session:
        # A row that a running step holds is passed over: the insert then meets its key.
        held = session.scalars(_of(job, on).with_for_update(skip_locked=True)).one_or_none()
        if held is not None and not _is_free(held, now):
            return None
        if held is None:
            held = JobRun(
                job=job,
                business_date=on,
                started_at=now,
                attempts=0,
                progress_pct=0,
                step=steps[0].label,
                status=JobStatus.PENDING,
                result={"done": {}},
            )
        _take(session, held, lease, now)
        try:
            session.add(held)
            session.commit()
        except IntegrityError:
            return None  # another process was first with the same (job, date)
        return lease


def work(lease: Lease, steps: Sequence[JobStep]) -> JobRun:
    """Do the steps that are left; the finished run.

    Raises the BusinessError of the step that refused (the run is then FAILED with its message and may be run again),
    Conflict where the database could not serve the step, Taken where another process has taken the run over.
    """
    for number, step in enumerate(steps[:-1], 1):
        _run_step(lease, step, number * HUNDRED // len(steps), steps[number].label)
    return _run_step(lease, steps[-1], HUNDRED, None)


def run_outside(
    edge: Edge, job: str, on: date, label: str, act: Callable[[], str], *, actor: Actor = SYSTEM
) -> JobRun | None:
    """Run work that no transaction may surround (a backup waits for no writer) under the lease of (job, date).

    None when it is done already or another process holds it. Raises what the work raises, noted on the run.
    """
    return run_watched(edge, job, on, label, lambda _: act(), actor=actor)


def run_watched(
    edge: Edge, job: str, on: date, label: str, act: Callable[[Tell], str], *, actor: Actor = SYSTEM
) -> JobRun | None:
    """`run_outside` for work that says how far it is: `tell(percent, step, facts for the run's result)`."""
    lease = claim(edge, job, on, [JobStep("work", label, lambda _: "")], actor)
    return None if lease is None else watch(lease, label, act)


def watch(
    lease: Lease,
    label: str,
    act: Callable[[Tell], str],
    finish: Callable[[Ctx], object] | None = None,
) -> JobRun:
    """The work of a lease that no transaction may surround, with its progress.

    `finish` notes the result in the transaction that ends the run.
    """
    step = JobStep("work", label, lambda _: "")
    with _noted(lease, step), _heartbeat(lease):
        note = act(partial(_tell, lease))

    def close(ctx: Ctx) -> str:
        if finish is not None:
            finish(ctx)
        return note

    return _run_step(lease, replace(step, run=close), HUNDRED, None)


def _tell(lease: Lease, percent: int, step: str, facts: Mapping[str, Any]) -> None:
    """Progress that the database is too busy for is told the next time."""
    with suppress(OperationalError, Conflict), lease.edge.open_session() as session:
        held = _hold(session, lease)
        held.progress_pct, held.step, held.result = percent, step, {**held.result, **facts}
        _renew(session, held, lease.edge.now())
        session.commit()


def find(session: Session, job: str, on: date) -> JobRun | None:
    """The run of (job, date), if there is one."""
    return session.scalars(_of(job, on)).one_or_none()


def own_task(ctx: Ctx, model: type[T], key: int, *, is_held: bool = False) -> T:
    """Long work that the actor has asked for (`employee_id`); NotFound for anybody else's. `is_held` locks its row."""
    query = select(model).where(model.id == key)
    found = ctx.session.scalars(query.with_for_update() if is_held else query).one_or_none()
    if found is None or getattr(found, "employee_id", None) != ctx.actor.employee_id:
        raise NotFound(f"没有这个{model.spec.label}")
    return found


def tries_before(edge: Edge, job: str, on: date) -> int | None:
    """How often a run was tried; None while somebody is at it."""
    with edge.reader() as session:
        found = find(session, job, on)
        if found is not None and is_live(found, edge.now()):
            return None
        return 0 if found is None else found.attempts


def is_live(run: JobRun, now: datetime) -> bool:
    """Whether somebody is at a run: its lease holds, and its process is not known to be gone."""
    return run.status is JobStatus.RUNNING and not is_stopped(run, now)


def is_stopped(run: JobRun, now: datetime) -> bool:
    """Whether a run was broken off: it says that it runs, but nobody is at it any more."""
    if run.status is not JobStatus.RUNNING:
        return False
    return run.lease_until is None or run.lease_until < now or _is_gone(run.owner or "")


def why_taken(edge: Edge, job: str, on: date, label: str) -> str:
    """Why a lease was not to be had, in words."""
    with edge.reader() as session:
        found = find(session, job, on)
        if found is not None and found.status is JobStatus.RUNNING:
            return holder_of(session, found, label)
    return f"{label}刚由他人办理，请刷新后查看"


def holder_of(session: Session, run: JobRun, label: str) -> str:
    """Who is at a running job, and where, in words."""
    who = session.scalar(select(Employee.name).where(Employee.id == run.requested_by_id)) or "系统"
    process = (run.owner or "").rpartition(":")[0]
    return f"{label}正由{who}办理（进程 {process}，当前步骤：{run.step}），请等待其完成"


def _of(job: str, on: date) -> Select[JobRun]:
    return select(JobRun).where(JobRun.job == job, JobRun.business_date == on)


def _is_free(run: JobRun, now: datetime) -> bool:
    return run.status not in (JobStatus.SUCCEEDED, JobStatus.RUNNING) or is_stopped(run, now)


def _is_gone(owner: str) -> bool:
    """Whether an owner ran on this machine as a process that is no more; its lease need not be waited for."""
    host, _, rest = owner.partition(":")
    number = rest.partition(":")[0]
    if host != socket.gethostname() or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)  # signal 0 reaches nobody: it only asks
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # somebody else's process
    return False


def _take(session: Session, held: JobRun, lease: Lease, now: datetime) -> None:
    move(STEPS["take"], held)
    held.owner, held.message, held.finished_at = lease.owner, None, None
    held.attempts += 1
    held.requested_by_id = lease.actor.employee_id or held.requested_by_id
    _renew(session, held, now)


def _renew(session: Session, held: JobRun, now: datetime) -> None:
    minutes = whole(session, "job.lease_minutes", held.business_date)
    held.heartbeat_at, held.lease_until = now, now + timedelta(minutes=minutes)


def _run_step(lease: Lease, step: JobStep, percent: int, following: str | None) -> JobRun:
    edge = lease.edge
    with _noted(lease, step), edge.open_session() as session:
        held = _hold(session, lease)
        done = held.result.get("done", {})
        if step.code not in done:
            ctx = Ctx(
                session=session,
                actor=lease.actor,
                today=lease.on,
                now=edge.now(),
                source=edge.source,
            )
            held.result = {**held.result, "done": {**done, step.code: step.run(ctx)[:500]}}
        held.progress_pct, held.step = percent, following
        _renew(session, held, edge.now())
        if following is None:
            move(STEPS["finish"], held)
            held.finished_at, held.lease_until = edge.now(), None
        session.commit()
        session.refresh(held)
        session.expunge(held)
    return held


@contextmanager
def _noted(lease: Lease, step: JobStep) -> Iterator[None]:
    """What goes wrong is on the run for people to read."""
    try:
        yield
    except BusinessError as error:
        _fail(lease, step, error.message)
        raise
    except StaleDataError as error:
        _fail(lease, step, BUSY)
        raise Conflict(BUSY) from error
    except Exception as error:
        if trouble.is_passing(error):
            _fail(lease, step, BUSY)
            raise Conflict(BUSY) from error
        _fail(lease, step, trouble.reason(error) or FAULT)
        raise


@contextmanager
def _heartbeat(lease: Lease) -> Iterator[None]:
    """Renew the lease while work goes on that holds no row; a beat that the database refuses is made up for later."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            with suppress(BusinessError, OperationalError), lease.edge.open_session() as session:
                _renew(session, _hold(session, lease), lease.edge.now())
                session.commit()

    # The edge's sessions may know the application by the context of this thread.
    thread = threading.Thread(
        target=copy_context().run, args=(beat,), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _hold(session: Session, lease: Lease) -> JobRun:
    """The run, locked until the step's end; Taken when it went to somebody else while this process slept."""
    held = session.scalars(
        _of(lease.job, lease.on).with_for_update().execution_options(populate_existing=True)
    ).one()
    if held.owner != lease.owner or held.status is not JobStatus.RUNNING:
        raise Taken("作业已由另一进程接手")
    return held


def _fail(lease: Lease, step: JobStep, message: str) -> None:
    with lease.edge.open_session() as session:
        mine = (
            JobRun.job == lease.job,
            JobRun.business_date == lease.on,
            JobRun.owner == lease.owner,
        )
        facts = {"step": step.label, "message": message[:2000], "finished_at": lease.edge.now()}
        move_all(session, STEPS["fail"], *mine, facts=facts)
        session.commit()
