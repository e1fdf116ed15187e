"""What runs by the clock: beside another scheduler, on a database that is not ready, and after a failure."""

import sqlite3
import threading
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import OperationalError

from app import create_app, jobs
from app.jobs import JOBS, Job, make_scheduler, once, run_job
from app.lifecycle import initialise
from models.base.errors import BusinessError
from models.guarantee.project import Project
from models.system.proof import ChainHead, ChainLane
from models.system.setup import JobRun, JobStatus, SystemState
from tests.template import settings_of
from workflows.base import audit
from workflows.ledger.heads import note_news, verify_heads
from workflows.system.proofs import verify_trail


class Log:
    """What is said of jobs."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, level):
        return lambda event, **facts: self.lines.append((level, event, facts.get("reason")))


@pytest.fixture
def log(monkeypatch):
    found = Log()
    monkeypatch.setattr(jobs, "log", found)
    return found


def at_once(*acts):
    """Each in a thread of its own, all beginning together; what they raised."""
    gate, troubles = threading.Barrier(len(acts)), []

    def run(act):
        gate.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - a thread must hand its trouble over
            troubles.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return troubles


def write_trail(demo, lines):
    """Lines of the audit trail."""

    def tell(ctx):
        project = ctx.session.scalars(select(Project).limit(1)).one()
        for number in range(lines):
            audit.log(ctx, project, "NOTE", note=f"第 {number} 行")

    once(tell)(demo.app)


def lines(demo):
    with demo.session() as session:
        return session.scalar(select(func.sum(ChainLane.length)))


def heads(demo):
    with demo.session() as session:
        return session.scalar(select(func.count()).select_from(ChainHead))


def test_many_who_write_the_trail_at_once_keep_each_line_once(demo):
    """Each takes a lane of its own, or the place of the one writer."""
    before = lines(demo)
    assert at_once(*[lambda: write_trail(demo, 50)] * 4) == []
    with demo.session() as session:
        assert verify_trail(session) == []
    assert lines(demo) == before + 200


def test_those_who_note_the_heads_at_once_note_them_in_one_order(demo):
    """The day-end and the clock do, at half past each hour; the number lets one of two through."""
    write_trail(demo, 20)
    before = heads(demo)
    job = Job("note", "登记", "* * * * *", once(lambda ctx: note_news(ctx, "定时")))
    assert at_once(*[lambda: run_job(demo.app, job)] * 4) == []
    with demo.session() as session:
        assert verify_heads(session) == []
    assert heads(demo) > before


def test_two_schedulers_on_one_database_do_each_work_once(demo, log, monkeypatch):
    """`python run.py` and `flask scheduler` together: every job at the same second, with three days due."""
    with demo.session() as session:
        start = session.get_one(SystemState, 1).business_date
    monkeypatch.setattr(jobs, "local_today", lambda: start + timedelta(days=3))
    write_trail(demo, 20)
    # tests/app/test_backup.py has two of them at once
    by_clock = [job for job in JOBS if job.name != "backup"]
    assert at_once(*(lambda job=job: run_job(demo.app, job) for job in by_clock * 2)) == []
    # the last day, where the loser left early
    run_job(demo.app, next(job for job in JOBS if job.name == "day_end"))
    assert [line for line in log.lines if line[0] == "exception"] == []
    with demo.session() as session:
        runs = session.scalars(
            select(JobRun)
            .where(JobRun.job == "day_end", JobRun.business_date >= start)
            .order_by(JobRun.business_date)
        )
        assert [(run.business_date, run.status, run.attempts) for run in runs] == [
            (start + timedelta(days=n), JobStatus.SUCCEEDED, 1) for n in range(3)
        ]
        assert verify_trail(session) == []
        checked = session.scalars(select(JobRun).where(JobRun.job == "verify")).one()
        assert (checked.message, checked.status) == (None, JobStatus.SUCCEEDED), (
            "days are closed while it looks"
        )


def test_what_a_job_refuses_or_breaks_is_told_and_the_clock_goes_on(demo, log):
    def refuse(_):
        raise BusinessError("参数有误")

    run_job(demo.app, Job("a", "甲", "* * * * *", refuse))
    run_job(demo.app, Job("b", "乙", "* * * * *", lambda _: 1 // 0))
    assert log.lines == [("warning", "job refused", "参数有误"), ("exception", "job failed", None)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database is locked", "warning"),
        ("deadlock detected", "warning"),
        ("no such column: x", "exception"),
        ("disk I/O error", "exception"),
        ("connection refused", "warning"),
    ],
)
def test_only_a_race_that_was_lost_or_a_silent_database_is_no_fault(demo, log, said, told):
    def work(_):
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError(said))

    run_job(demo.app, Job("c", "丙", "* * * * *", work))
    assert [line[0] for line in log.lines] == [told]


def test_a_machine_that_slept_does_what_it_missed_when_it_wakes_up(demo):
    for job in make_scheduler(demo.app).get_jobs():
        assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)


def test_nothing_runs_while_the_database_is_brought_up_to_date(tmp_path, log):
    """A scheduler that starts together with `flask init` waits for it, and one of the old release holds off."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    app = create_app(settings_of(url, tmp_path))
    done = []
    job = Job("probe", "试", "* * * * *", lambda _: done.append(1))
    run_job(app, job)
    assert (done, [line[1] for line in log.lines]) == (
        [],
        ["job left out: the database is not up to date"],
    )
    with app.app_context():
        initialise(app)
    run_job(app, job)
    assert done == [1]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of the next release'"))
    engine.dispose()
    run_job(app, job)
    assert done == [1]


def test_the_command_says_that_it_waits_for_init(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "app.cli.make_scheduler", lambda *_, **__: type("Stopped", (), {"start": lambda _: None})()
    )
    app = create_app(settings_of(f"sqlite:///{tmp_path / 'new.db'}", tmp_path))
    with app.app_context():
        said = app.test_cli_runner().invoke(args=["scheduler"]).output
        assert "flask init 完成之前不执行任何作业" in said
        initialise(app)
        said = app.test_cli_runner().invoke(args=["scheduler"]).output
    assert said.splitlines() == ["定时作业已启动，按 Ctrl+C 停止。"]
