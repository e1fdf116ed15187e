"""Long work as a series of idempotent steps: once per (job, business date), resumable, watched from any page (X10).

The row in `job_run` is the lease. A step and the note that it is done are committed together, so a process that is
killed between two steps loses nothing and repeats nothing; whoever comes next goes on where it stopped.
"""

import os
import socket
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base.actor import SYSTEM, Actor
from models.base.errors import BusinessError, Conflict
from models.system import JobRun, JobStatus
from reports.figures.parameters import whole
from workflows.base.context import Ctx

HUNDRED = 100
FAULT = "系统故障，详情见运行日志"


@dataclass(frozen=True)
class JobStep:
    """One part of a job: does all or raises; its text result (may be empty) is kept in the run's log."""

    code: str
    label: str
    run: Callable[[Ctx], str]


@dataclass(frozen=True)
class Edge:
    """What the edge lends to a job: sessions begun for writing, and the clock."""

    open_session: Callable[[], Session]
    now: Callable[[], datetime]
    source: str = "job"


def owner_name() -> str:
    """A name for this runner that no other process or thread has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def run(edge: Edge, job: str, on: date, steps: Sequence[JobStep], *, actor: Actor = SYSTEM) -> JobRun | None:
    """Run what is left of a job for a business date; None when it is done already or another process holds it.

    Raises the BusinessError of the step that refused; the run is then FAILED with its message and may be run again.
    """
    owner = owner_name()
    run_id = claim(edge, job, on, owner, actor)
    if run_id is None:
        return None
    lease = _Lease(edge, run_id, owner, on, actor)
    for number, step in enumerate(steps):
        _run_step(lease, step, number * HUNDRED // len(steps))
    return _finish(lease)


def claim(edge: Edge, job: str, on: date, owner: str, actor: Actor = SYSTEM) -> int | None:
    """Take the lease of (job, date); None when it is done, or held by somebody whose lease has not run out."""
    session, now = edge.open_session(), edge.now()
    try:
        lease = now + timedelta(minutes=whole(session, "job.lease_minutes", on))
        found = session.scalars(select(JobRun).where(JobRun.job == job, JobRun.business_date == on)).one_or_none()
        if found is None:
            made = JobRun(
                job=job, business_date=on, status=JobStatus.RUNNING, owner=owner, started_at=now, heartbeat_at=now,
                lease_until=lease, attempts=1, progress_pct=0, requested_by_id=actor.employee_id, result={"done": {}},
            )  # fmt: skip
            return _insert(session, made)
        taken = session.execute(
            update(JobRun)
            .where(
                JobRun.id == found.id,
                JobRun.status.not_in((JobStatus.SUCCEEDED, JobStatus.RUNNING))
                | ((JobRun.status == JobStatus.RUNNING) & or_(JobRun.lease_until.is_(None), JobRun.lease_until < now)),
            )
            .values(
                status=JobStatus.RUNNING, owner=owner, lease_until=lease, heartbeat_at=now, message=None,
                attempts=JobRun.attempts + 1, finished_at=None, version=JobRun.version + 1,
            )
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        session.commit()
        return found.id if taken.rowcount == 1 else None  # type: ignore[attr-defined]
    finally:
        session.close()


def _insert(session: Session, made: JobRun) -> int | None:
    session.add(made)
    try:
        session.commit()
    except IntegrityError:
        # Another process was first with the same (job, date): it has the lease.
        session.rollback()
        return None
    return made.id


@dataclass(frozen=True)
class _Lease:
    """A run that this process holds."""

    edge: Edge
    run_id: int
    owner: str
    on: date
    actor: Actor


def _run_step(lease: _Lease, step: JobStep, percent: int) -> None:
    edge, on = lease.edge, lease.on
    session, now = edge.open_session(), edge.now()
    try:
        held = _hold(session, lease)
        done = dict(held.result.get("done", {}))
        if step.code in done:
            return
        ctx = Ctx(session=session, actor=lease.actor, today=on, now=now, source=edge.source)
        note = step.run(ctx)
        held.result = {**held.result, "done": {**done, step.code: note[:500]}}
        held.step, held.progress_pct, held.heartbeat_at = step.label, percent, now
        held.lease_until = edge.now() + timedelta(minutes=whole(session, "job.lease_minutes", on))
        session.commit()
    except BusinessError as error:
        session.rollback()
        _fail(lease, step, error.message)
        raise
    except Exception:
        session.rollback()
        _fail(lease, step, FAULT)
        raise
    finally:
        session.close()


def _hold(session: Session, lease: _Lease) -> JobRun:
    """The run, locked; Conflict when the lease went to somebody else while this process slept."""
    held = session.scalars(
        select(JobRun).where(JobRun.id == lease.run_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if held.owner != lease.owner or held.status is not JobStatus.RUNNING:
        raise Conflict("作业已由另一进程接手")
    return held


def _fail(lease: _Lease, step: JobStep, message: str) -> None:
    session = lease.edge.open_session()
    try:
        session.execute(
            update(JobRun)
            .where(JobRun.id == lease.run_id, JobRun.owner == lease.owner, JobRun.status == JobStatus.RUNNING)
            .values(status=JobStatus.FAILED, step=step.label, message=message[:2000], finished_at=lease.edge.now(),
                    version=JobRun.version + 1)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        session.commit()
    finally:
        session.close()


def _finish(lease: _Lease, notes: dict[str, str] | None = None) -> JobRun:
    session = lease.edge.open_session()
    try:
        held = _hold(session, lease)
        held.result = {**held.result, "done": {**held.result.get("done", {}), **(notes or {})}}
        held.status, held.progress_pct, held.finished_at = JobStatus.SUCCEEDED, HUNDRED, lease.edge.now()
        held.step, held.lease_until = None, None
        session.commit()
        session.refresh(held)
        session.expunge(held)
        return held
    finally:
        session.close()


def run_outside(
    edge: Edge, job: str, on: date, label: str, work: Callable[[], str], *, actor: Actor = SYSTEM
) -> JobRun | None:
    """Run work that no transaction may surround (a backup waits for no writer) under the lease of (job, date).

    None when it is done already or another process holds it. Raises what the work raises, noted on the run.
    """
    owner = owner_name()
    run_id = claim(edge, job, on, owner, actor)
    if run_id is None:
        return None
    lease, step = _Lease(edge, run_id, owner, on, actor), JobStep("work", label, lambda _: "")
    try:
        note = work()
    except BusinessError as error:
        _fail(lease, step, error.message)
        raise
    except Exception:
        _fail(lease, step, FAULT)
        raise
    return _finish(lease, {step.code: note})
