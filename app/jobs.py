"""The jobs as a table: name, when, which work. Day-end's row in job_run makes it run once per business date."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from flask import Flask
from sqlalchemy.orm import Session

from app import backup as archives
from app.clock import local_today
from app.extensions import db
from models.base.actor import SYSTEM, Actor
from models.base.errors import BusinessError
from models.system import JobRun, SystemState
from workflows import backup, day_end
from workflows.base.approval import escalate_overdue
from workflows.base.context import Ctx
from workflows.base.jobs import Edge
from workflows.base.seal import seal_audit_trail
from workflows.ledger import closing

if TYPE_CHECKING:
    from apscheduler.schedulers.base import BaseScheduler

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """Work that runs by the clock."""

    name: str
    label: str
    cron: str
    run: Callable[[Flask], object]


def job_edge(source: str = "job") -> Edge:
    """What long work borrows from here: sessions that begin by taking the writer's place, and the clock."""

    def open_session() -> Session:
        session = db.session.session_factory()
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        return session

    return Edge(open_session, lambda: datetime.now(UTC), source)


def run_day_end(
    app: Flask, *, until: date | None = None, actor: Actor = SYSTEM, source: str = "job"
) -> list[JobRun]:
    """Close every business date before `until`, at most before today's calendar date; the runs of this process."""
    today = local_today()
    with app.app_context():
        return day_end.run_due(job_edge(source), min(until or today, today), actor=actor)


def start_day_end(app: Flask, actor: Actor) -> threading.Thread:
    """Day-end beside the request that asked for it; the page follows it through its row in job_run."""
    return _beside("day-end", lambda: run_day_end(app, actor=actor, source="screen"))


def run_month_end(app: Flask, actor: Actor, period: str, *, source: str = "job") -> JobRun | None:
    """月末处理 of a period to its end; None when it is closed already or another process is at it."""
    with app.app_context():
        return closing.run_month_end(job_edge(source), period, actor)


def start_month_end(app: Flask, actor: Actor, period: str) -> threading.Thread:
    """月末处理 beside the request that asked for it; the page follows it through its row in job_run."""
    return _beside(f"month-end-{period}", lambda: run_month_end(app, actor, period, source="screen"))


def run_backup(
    app: Flask, *, actor: Actor = SYSTEM, source: str = "job", by_clock: bool = False, directory: Path | None = None
) -> JobRun | None:
    """A backup now (or the day's own, by the clock); None when another process is at it or it is done."""

    def copy(keep: int) -> str:
        made = archives.take(app, keep, directory)
        return f"{made.name}，{made.stat().st_size / 1024 / 1024:,.1f} MB"

    with app.app_context():
        return backup.run(job_edge(source), copy, actor=actor, by_clock=by_clock)


def start_backup(app: Flask, actor: Actor) -> threading.Thread:
    """A backup beside the request that asked for it; the page follows it through its row in job_run."""
    return _beside("backup", lambda: run_backup(app, actor=actor, source="screen"))


def _beside(name: str, work: Callable[[], object]) -> threading.Thread:
    """Work in a thread of its own: a refusal is on the job's row for people to read, a fault in the log too."""

    def guarded() -> None:
        try:
            work()
        except BusinessError as error:
            log.warning("job refused", job=name, reason=error.message)
        except Exception:
            log.exception("job failed", job=name)

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread


def once(verb: Callable[[Ctx], object]) -> Callable[[Flask], object]:
    """A verb of the system in one transaction."""

    def run(app: Flask) -> None:
        with app.app_context():
            session = db.session()
            try:
                session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
                state = session.get_one(SystemState, 1)
                verb(Ctx(session=session, actor=SYSTEM, today=state.business_date, now=datetime.now(UTC), source="job"))
                session.commit()
            except Exception:
                session.rollback()
                raise
            finally:
                db.session.remove()

    return run


JOBS: tuple[Job, ...] = (
    Job("seal_audit", "封存操作日志", "*/10 * * * *", once(seal_audit_trail)),
    Job("escalate_approvals", "审批超时提醒与升级", "15 * * * *", once(escalate_overdue)),
    # Every hour, so that a machine that was off at half past midnight catches up soon after; mostly nothing is due.
    Job("day_end", "日终处理", "30 * * * *", run_day_end),
    Job("backup", "备份", "45 * * * *", lambda app: run_backup(app, by_clock=True)),
)


def make_scheduler(app: Flask, *, blocking: bool = False) -> "BaseScheduler":
    """A scheduler with every job of the table, in the company's time zone; `blocking` holds the calling thread."""
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.schedulers.blocking import BlockingScheduler
    from apscheduler.triggers.cron import CronTrigger

    scheduler = (BlockingScheduler if blocking else BackgroundScheduler)(timezone="Asia/Shanghai")
    for job in JOBS:
        trigger = CronTrigger.from_crontab(job.cron, timezone="Asia/Shanghai")
        scheduler.add_job(run_job, trigger, args=[app, job], id=job.name, coalesce=True, max_instances=1)
    return scheduler


def run_job(app: Flask, job: Job) -> None:
    """One run by the clock; a failure is logged and the clock goes on."""
    try:
        job.run(app)
    except Exception:
        log.exception("job failed", job=job.name)
