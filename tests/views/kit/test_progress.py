"""Long work on the screen: who is at it, how far it is, where it stopped, and how one goes on (X10)."""

import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, event, select
from sqlalchemy.exc import OperationalError

from app import jobs as clock
from models.ledger.account import AccountingPeriod, PeriodState
from models.system.organization import Employee
from models.system.setup import JobRun, JobStatus, SystemState
from views.kit import edge
from workflows import day_end
from workflows.base import jobs

on_sqlite = pytest.mark.parametrize("db_kind", ["sqlite"], indirect=True, scope="module")


@pytest.fixture(autouse=True)
def nothing_runs(demo):
    yield
    for thread in threading.enumerate():
        if thread.name.startswith(("day-end", "month-end")):
            thread.join(60)
    with demo.session() as session:
        session.execute(delete(JobRun))
        session.commit()


@pytest.fixture
def gone():
    """The owner of a run whose process has died on this machine."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return f"{socket.gethostname()}:{process.pid}:1a2b3c4d"


def running(demo, job, on, owner="", by="admin", **facts):
    """A run that says that it runs; by default this very process is at it."""
    lease = datetime.now(UTC) + timedelta(minutes=10)
    with demo.session() as session:
        who = session.scalar(
            select(Employee.id).where(Employee.name == {"admin": "方志远", "shihui": "石慧"}[by])
        )
        run = JobRun(
            job=job,
            business_date=on,
            status=JobStatus.RUNNING,
            attempts=1,
            lease_until=lease,
            requested_by_id=who,
            owner=owner or f"{socket.gethostname()}:{os.getpid()}:1a2b3c4d",
            started_at=datetime.now(UTC),
            **facts,
        )
        session.add(run)
        session.commit()
        return run.id


def yesterday(demo):
    """The business date, set back so that a day-end is due."""
    with demo.session() as session:
        state = session.get_one(SystemState, 1)
        state.business_date = clock.local_today() - timedelta(days=1)
        session.commit()
        return state.business_date


HALF = {
    "step": "预警检查",
    "progress_pct": 33,
    "result": {"done": {"overdue": "新增逾期 2 期", "expire": ""}},
}


def test_while_it_runs_the_page_shows_steps_and_a_second_click_is_told_who_is_at_it(demo):
    on, client = yesterday(demo), demo.client_of("admin")
    key = running(demo, day_end.JOB, on, **HALF)
    page = client.get("/day-end/").text
    assert f'data-job-url="/jobs/{key}"' in page
    assert f"{on} 日终处理：预警检查" in page
    assert "进行中" in page
    assert "disabled" in re.search(r"<button[^>]*>[^<]*开始日终", page).group(0)
    assert demo.post(client, "/day-end/run").status_code == 302
    told = client.get("/day-end/").text
    assert (
        f"{on} 日终处理正由方志远办理（进程 {socket.gethostname()}:{os.getpid()}，当前步骤：预警检查）"
        in told
    )
    with demo.session() as session:
        assert session.scalars(select(JobRun)).one().attempts == 1


def test_it_is_seen_from_every_page_by_who_started_it(demo):
    on = yesterday(demo)
    key = running(demo, day_end.JOB, on, **HALF)
    other = demo.client_of("admin").get("/project/list/").text
    assert f'data-job-url="/jobs/{key}"' in other
    assert 'href="/day-end/"' in other
    assert "33%" in other
    assert "data-job-url" not in demo.client_of("zhoumin").get("/project/list/").text
    state = demo.client_of("admin").get(f"/jobs/{key}").get_json()
    assert state == {
        "percent": 33,
        "label": f"{on} 日终处理：预警检查",
        "state": "running",
        "url": "/day-end/",
    }


def test_where_it_was_killed_stands_on_the_page_and_the_button_goes_on(demo, gone):
    on, client = yesterday(demo), demo.client_of("admin")
    key = running(demo, day_end.JOB, on, owner=gone, **HALF)
    assert client.get(f"/jobs/{key}").get_json()["state"] == "failed", (
        "who still watches is told at once"
    )
    page = client.get("/day-end/").text
    for words in (
        "没有办完",
        "办理到此中断",
        "已完成的步骤不会重做",
        "新增逾期 2 期",
        "已中断",
        "继续日终",
    ):
        assert words in page
    assert "data-job-url" not in page, "nothing goes on by itself"
    with demo.app.app_context():  # the button, and its thread to the end
        clock.start_day_end(demo.app, jobs.SYSTEM).join(60)
    with demo.session() as session:
        run = session.get_one(JobRun, key)
        assert (run.status, run.attempts, run.result["done"]["overdue"]) == (
            JobStatus.SUCCEEDED,
            2,
            "新增逾期 2 期",
        )
        assert session.get_one(SystemState, 1).business_date == on + timedelta(days=1)
    assert "没有办完" not in client.get("/day-end/").text


def test_a_step_that_refused_says_why_and_the_button_goes_on(demo):
    on = yesterday(demo)
    key = running(demo, day_end.JOB, on, **{**HALF, "message": "预警规则有误"})
    with demo.session() as session:
        session.get_one(JobRun, key).status = JobStatus.FAILED
        session.commit()
    page = demo.client_of("admin").get("/day-end/").text
    assert "继续日终" in page
    assert page.count("预警规则有误") == 2, "at the step, and in the log"


def open_period(demo):
    with demo.session() as session:
        query = select(AccountingPeriod).where(AccountingPeriod.state == PeriodState.OPEN)
        return session.scalars(query.order_by(AccountingPeriod.code)).first()


def test_a_month_end_is_followed_refused_twice_and_taken_up_again(demo, gone):
    period, client = open_period(demo), demo.client_of("shihui")
    facts = {
        "step": "计提准备金",
        "progress_pct": 33,
        "result": {"done": {"check": "15 项检查通过", "income": "无"}},
    }
    with demo.session() as session:
        session.get_one(SystemState, 1).business_date = period.ends_on
        session.commit()
    key = running(demo, f"month_end:{period.code}", period.ends_on, by="shihui", **facts)
    url = f"/closing/?period={period.code}"
    assert client.get(f"/jobs/{key}").get_json()["label"] == f"{period.code} 月末处理：计提准备金"
    assert f'href="{url}"' in client.get("/").text
    assert demo.post(client, "/closing/run", period=period.code).status_code == 302
    assert f"{period.code} 月末处理正由石慧办理" in client.get(url).text
    with demo.session() as session:
        session.get_one(JobRun, key).owner = gone
        session.commit()
    page = client.get(url).text
    for words in ("没有办完", "办理到此中断", "15 项检查通过", "继续月末处理"):
        assert words in page
    assert demo.post(client, "/closing/run", period=period.code).status_code == 302
    assert f"{period.code} 月末处理已开始" in client.get(url).text


def test_other_work_is_named_by_its_job(demo):
    key = running(demo, "export:42", clock.local_today(), **{**HALF, "step": None})
    state = demo.client_of("admin").get(f"/jobs/{key}").get_json()
    assert (state["label"], state["url"]) == ("export:42", f"/job_run/show/{key}")
    key = running(demo, "backup", clock.local_today(), **HALF)
    assert (
        demo.client_of("admin").get(f"/jobs/{key}").get_json()["label"].endswith("备份：预警检查")
    )


def test_the_date_is_that_of_the_moment_of_writing(demo, monkeypatch):
    """The day is rolled while a request is open: what it writes belongs to the new day."""
    on = yesterday(demo)
    with demo.app.test_request_context("/"):
        ctx = edge.system_ctx("screen")
        monkeypatch.setattr(edge, "current_ctx", lambda source="screen": ctx)
        assert ctx.today == on
        ctx.session.rollback()
        with demo.session() as session:
            session.get_one(SystemState, 1).business_date = on + timedelta(days=1)
            session.commit()
        with edge.writing() as writing:
            assert writing.today == on + timedelta(days=1)
            assert is_held(demo), "until the commit nobody rolls it"
        assert not is_held(demo)


def is_held(demo):
    """Whether the roll would have to wait."""
    with demo.session() as session:
        try:
            with impatient(demo):
                session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
                session.get_one(SystemState, 1, with_for_update={"nowait": True})
        except OperationalError:
            return True
    return False


@contextmanager
def impatient(demo):
    """On SQLite nobody waits for a writer meanwhile."""

    def wait(connection, patience_ms):
        if demo.engine.dialect.name == "sqlite":
            connection.execute(f"PRAGMA busy_timeout = {patience_ms}")

    def checkout(connection, *_):
        wait(connection, 10)

    def checkin(connection, *_):
        wait(connection, 15000)

    event.listen(demo.engine, "checkout", checkout)
    event.listen(demo.engine, "checkin", checkin)
    try:
        yield
    finally:
        event.remove(demo.engine, "checkout", checkout)


@on_sqlite
def test_while_a_step_has_the_database_to_itself_a_save_is_refused_in_words(demo):
    """On SQLite nobody writes beside a step: who would have to wait too long is told so, and nothing is lost."""
    client = demo.client_of("zhoumin")
    token = demo.token(client)

    with demo.session() as session:
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        with impatient(demo):
            answer = client.post("/desktop/", data={"csrf_token": token})
    assert (answer.status_code, "系统正忙" in answer.text) == (409, True)
