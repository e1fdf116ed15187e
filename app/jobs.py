"""The jobs as a table: name, when, which work. Day-end's row in job_run makes it run once per business date."""

import contextlib
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from flask import Flask, current_app
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import backup as archives
from app import security
from app.clock import local_today
from app.extensions import db
from app.readiness import is_ready
from models.base.actor import SYSTEM, Actor
from models.base.errors import BusinessError, Conflict, NotAllowed
from models.base.trouble import is_passing
from models.system.organization import Operator
from models.system.setup import JobRun, SystemState
from views.kit import edge, importing
from views.kit import exports as list_files
from workflows import day_end, verify
from workflows.approval.approval import escalate_overdue
from workflows.base.context import Ctx
from workflows.base.jobs import Edge, work
from workflows.guarantee import history_jobs
from workflows.ledger import closing, heads
from workflows.system import backup, exports, field_indexes, import_jobs, sign_in

if TYPE_CHECKING:
    from apscheduler.schedulers.base import BaseScheduler

log = structlog.get_logger()
_AT_EXPORTS = threading.Lock()
_AT_IMPORTS = threading.Lock()


@dataclass(frozen=True)
class Job:
    """Work that runs by the clock."""

    name: str
    label: str
    cron: str
    run: Callable[[Flask], object]


def job_edge(source: str = "job") -> Edge:
    """What long work borrows from here: sessions that begin by taking the writer's place, and the clock."""
    return Edge(_open_session, lambda: datetime.now(UTC), source, open_reader=_open_reader)


def _open_session() -> Session:
    session = _open_reader()
    edge.begin_write(session)
    return session


def _open_reader() -> Session:
    session: Session = db.session.session_factory()
    # of this application, in tests too
    session.info["chain_heads"] = str(current_app.config["SETTINGS"].chain_heads)
    session.info["data_dir"] = str(current_app.config["SETTINGS"].data_dir)
    return session


def run_day_end(
    app: Flask, *, until: date | None = None, actor: Actor = SYSTEM, source: str = "job"
) -> list[JobRun]:
    """Close every business date before `until`, at most before today's calendar date; the runs of this process."""
    today = local_today()
    with app.app_context():
        return day_end.run_due(job_edge(source), min(until or today, today), actor=actor)


def start_day_end(app: Flask, actor: Actor) -> threading.Thread:
    """Day-end beside the request that asked for it; the page follows it through its row in job_run.

    Raises Taken saying who is at it already, Conflict when nothing is due.
    """
    lent, until = job_edge("screen"), local_today()
    lease = day_end.start(lent, until, actor)
    return _beside(app, "day-end", lambda: day_end.run_due(lent, until, actor=actor, lease=lease))


def run_month_end(app: Flask, actor: Actor, period: str, *, source: str = "job") -> JobRun:
    """月末处理 of a period to its end; raises Taken where another process is at it or the period is closed already."""
    with app.app_context():
        return closing.run_month_end(job_edge(source), period, actor)


def start_month_end(app: Flask, actor: Actor, period: str) -> threading.Thread:
    """月末处理 beside the request that asked for it; the page follows it through its row in job_run.

    Raises Taken saying who is at it already, or that the period is closed.
    """
    lease = closing.start_month_end(job_edge("screen"), period, actor)
    return _beside(app, f"month-end-{period}", lambda: work(lease, closing.month_end_steps(period)))


def run_backup(
    app: Flask,
    *,
    actor: Actor = SYSTEM,
    source: str = "job",
    by_clock: bool = False,
    directory: Path | None = None,
) -> JobRun | None:
    """A backup now (or the day's own, by the clock); None when another process is at it or it is done."""

    def copy(keep: int) -> str:
        with contextlib.suppress(Conflict):  # a backup waits for no writer
            once(lambda ctx: heads.note(ctx, backup.LABEL))(app)
        made = archives.take(app, keep, directory)
        return f"{made.name}，{made.stat().st_size / 1024 / 1024:,.1f} MB"

    with app.app_context():
        return backup.run(job_edge(source), copy, actor=actor, by_clock=by_clock)


def start_backup(app: Flask, actor: Actor) -> threading.Thread:
    """A backup beside the request that asked for it; the page follows it through its row in job_run."""
    return _beside(app, "backup", lambda: run_backup(app, actor=actor, source="screen"))


def run_verify(
    app: Flask, *, actor: Actor = SYSTEM, source: str = "job", by_clock: bool = False
) -> JobRun | None:
    """核对 now (or the night's own, by the clock); raises BusinessError naming the first wrong row."""
    with app.app_context():
        return verify.run_job(job_edge(source), actor=actor, by_clock=by_clock)


def start_verify(app: Flask, actor: Actor) -> threading.Thread:
    """核对 beside the request that asked for it; the page follows it through its row in job_run."""
    lease = verify.start(job_edge("screen"), actor)
    return _beside(app, "verify", lambda: lease and verify.work(lease))


def run_exports(app: Flask, *, source: str = "job") -> int:
    """Write the lists that people have asked for and nobody is at; how many were written."""
    with app.app_context(), _AT_EXPORTS:
        lent = job_edge(source)
        return exports.run_waiting(lent, exports.Writer(_actor_of, partial(list_files.write, lent)))


def start_exports(app: Flask) -> threading.Thread:
    """The same beside the request that has asked for one: one file at a time in a process."""
    return _beside(app, "exports", lambda: run_exports(app, source="screen"))


def run_history(
    app: Flask, *, source: str = "job", most_tries: int = history_jobs.MOST_TRIES
) -> int:
    """Make the projects that approved batches of 历史补录 wait for; how many batches were finished."""
    with app.app_context():
        return history_jobs.run_waiting(job_edge(source), most_tries)


def start_beside(app: Flask, name: str) -> threading.Thread:
    """Work that a verb has asked for, beside the request (workflows/base/beside.py)."""
    return _beside(app, name, lambda: ASKED[name](app))


# Somebody asks: what was broken off however often is tried once more.
ASKED: dict[str, Callable[[Flask], object]] = {
    history_jobs.JOB: partial(run_history, source="screen", most_tries=sys.maxsize),
}


def run_field_indexes(app: Flask) -> int:
    """Bring the indexes of custom fields up to what their definitions ask; how many statements that took."""
    with app.app_context(), db.engine.connect() as opened:
        connection = opened.execution_options(isolation_level="AUTOCOMMIT")
        with field_indexes.alone(connection) as is_mine:
            statements = _index_statements() if is_mine else []
            for statement in statements:
                connection.exec_driver_sql(statement)
        return len(statements)


def _index_statements() -> list[str]:
    """Asked in a session that has ended before they run: on PostgreSQL they wait for who still reads."""
    session = _open_reader()
    try:
        return field_indexes.due(session)
    finally:
        session.close()


def run_imports(app: Flask, *, source: str = "import") -> int:
    """Look through, and take, the files that people have sent and nobody is at; how many ended well."""
    with app.app_context(), _AT_IMPORTS:
        return import_jobs.run_waiting(
            job_edge(source), import_jobs.Lent(_actor_of, importing.door_beside)
        )


def start_imports(app: Flask) -> threading.Thread:
    """The same beside the request that has sent one: one file at a time in a process."""
    return _beside(app, "imports", lambda: run_imports(app))


def _actor_of(session: Session, employee_id: int) -> Actor:
    """Who an employee is now. Raises NotAllowed where the account is closed."""
    query = select(User).join(Operator, Operator.user_id == User.id)
    user = session.scalars(query.where(Operator.employee_id == employee_id)).one_or_none()
    if user is None or not user.is_active:
        raise NotAllowed("账号已停用，没有办理")
    return security.build_actor(session, user)


def _beside(app: Flask, name: str, act: Callable[[], object]) -> threading.Thread:
    """Work in a thread of its own: a refusal is on the job's row for people to read, a fault in the log too."""

    def run() -> None:
        try:
            with app.app_context():
                act()
        except BusinessError as error:
            log.warning("job refused", job=name, reason=error.message)
        except Exception:
            log.exception("job failed", job=name)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def once(verb: Callable[[Ctx], object]) -> Callable[[Flask], object]:
    """A verb of the system in one transaction."""

    def run(app: Flask) -> None:
        with app.app_context():
            session = db.session()
            try:
                edge.begin_write(session)
                state = session.get_one(SystemState, 1)
                verb(
                    Ctx(
                        session=session,
                        actor=SYSTEM,
                        today=state.business_date,
                        now=datetime.now(UTC),
                        source="job",
                    )
                )
                session.commit()
            except Exception:
                session.rollback()
                raise
            finally:
                db.session.remove()

    return run


JOBS: tuple[Job, ...] = (
    Job("note_heads", "登记链头", "*/10 * * * *", once(lambda ctx: heads.note_news(ctx, "定时"))),
    # What a process that is gone has left, and what expired; a page that asks for a file does not wait for this.
    Job("exports", "后台导出与清理", "* * * * *", run_exports),
    Job("field_indexes", "自定义字段索引", "* * * * *", run_field_indexes),
    Job("imports", "后台导入与清理", "* * * * *", run_imports),
    Job("history", "补录建立项目", "* * * * *", run_history),
    Job("purge_sign_in", "清理登录会话与失败计数", "50 * * * *", once(sign_in.purge)),
    Job("escalate_approvals", "审批超时提醒与升级", "15 * * * *", once(escalate_overdue)),
    # Every hour, so that a machine that was off at half past midnight catches up soon after; mostly nothing is due.
    Job("day_end", "日终处理", "30 * * * *", run_day_end),
    Job("verify", "核对", "20 3 * * *", lambda app: run_verify(app, by_clock=True)),
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
        # However late the machine wakes up, what was missed is done then, once.
        facts = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        scheduler.add_job(run_job, trigger, args=[app, job], id=job.name, **facts)
    return scheduler


def run_job(app: Flask, job: Job) -> None:
    """One run by the clock; a failure is logged and the clock goes on.

    Nothing is done while the database is not that of this release, e.g. while `flask init` brings it up to date.
    """
    try:
        with app.app_context():
            if not is_ready(app):
                log.warning("job left out: the database is not up to date", job=job.name)
                return
        job.run(app)
    except (
        BusinessError,
        StaleDataError,
        IntegrityError,
    ) as error:  # refused, or another was first
        log.warning("job refused", job=job.name, reason=str(error))
    except Exception as error:
        # another was first, or the database does not answer: the next run makes up for it
        if is_passing(error):
            log.warning("job refused", job=job.name, reason=str(error))
        else:
            log.exception("job failed", job=job.name)
