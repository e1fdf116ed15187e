"""The jobs as a table: name, when, which verb. The verb's row in job_run makes it run once per business date."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger
from flask import Flask

from app.extensions import db
from models.base.actor import SYSTEM
from models.system import SystemState
from workflows.base.approval import escalate_overdue
from workflows.base.context import Ctx
from workflows.base.seal import seal_audit_trail
from workflows.customer_rating import expire_ratings
from workflows.guarantee.expiry import expire_reservations

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """A verb that runs by the clock."""

    name: str
    label: str
    cron: str
    verb: Callable[[Ctx], object]


JOBS: tuple[Job, ...] = (
    Job("seal_audit", "封存操作日志", "*/10 * * * *", seal_audit_trail),
    Job("escalate_approvals", "审批超时提醒与升级", "15 * * * *", escalate_overdue),
    Job("expire_ratings", "信用等级到期", "10 0 * * *", expire_ratings),
    Job("expire_reservations", "决议到期释放额度", "5 0 * * *", expire_reservations),
)


def make_scheduler(app: Flask, *, blocking: bool = False) -> BaseScheduler:
    """A scheduler with every job of the table, in the company's time zone; `blocking` holds the calling thread."""
    scheduler = (BlockingScheduler if blocking else BackgroundScheduler)(timezone="Asia/Shanghai")
    for job in JOBS:
        trigger = CronTrigger.from_crontab(job.cron, timezone="Asia/Shanghai")
        scheduler.add_job(run_job, trigger, args=[app, job], id=job.name, coalesce=True, max_instances=1)
    return scheduler


def run_job(app: Flask, job: Job) -> None:
    """One run in one transaction; a failure is logged and leaves nothing half done."""
    with app.app_context():
        session = db.session()
        try:
            session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
            state = session.get_one(SystemState, 1)
            ctx = Ctx(session=session, actor=SYSTEM, today=state.business_date, now=datetime.now(UTC), source="job")
            job.verb(ctx)
            session.commit()
        except Exception:
            session.rollback()
            log.exception("job failed", job=job.name)
        finally:
            db.session.remove()
