"""The job runner: once per date, each step once, whoever is killed, fails, sleeps or starts twice."""

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

import models.registry  # noqa: F401 - maps every table
from models.base.actor import SYSTEM, Actor
from models.base.errors import BusinessError, Conflict
from models.system.organization import Department, Employee
from models.system.setup import JobRun, JobStatus, NumberCounter, Parameter
from workflows.base import jobs
from workflows.base.jobs import Edge, JobStep
from workflows.base.numbering import next_count

BEGINS_WITH = "tables"

ON = date(2026, 3, 31)
LEASE = timedelta(minutes=10)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Machine:
    """A machine that works on jobs: its clock, and the database session at whose opening it is killed."""

    engine: object
    now: datetime = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)
    dies_at: int = 0
    opened: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def edge(self) -> Edge:
        return Edge(self.open_session, lambda: self.now)

    def open_session(self) -> Session:
        with self.lock:
            self.opened += 1
            if self.opened == self.dies_at:
                raise Killed
        return Session(self.engine)


@pytest.fixture(scope="module", autouse=True)
def lease(engine):
    with Session(engine) as session:
        session.add(
            Parameter(
                code="job.lease_minutes",
                label="作业租约",
                value="10",
                value_kind="NUMBER",
                effective_on=date(2000, 1, 1),
            )
        )
        session.commit()


@pytest.fixture
def machine(engine):
    return Machine(engine)


@pytest.fixture
def job(request):
    """A name that no other test of the module uses."""
    return request.node.name[:90]


def steps(job, count=3):
    """Steps that leave a trace in the database: a counter each."""

    def step(number):
        return JobStep(
            f"s{number}", f"第{number}步", lambda ctx: str(next_count(ctx, f"{job}-{number}"[-40:]))
        )

    return [step(number) for number in range(1, count + 1)]


def traces(engine, job, count=3):
    """How often each step has had its effect."""
    with Session(engine) as session:
        found = dict(session.execute(select(NumberCounter.rule_code, NumberCounter.last_no)).all())
    return [found.get(f"{job}-{number}"[-40:], 0) for number in range(1, count + 1)]


def row(engine, job):
    with Session(engine) as session:
        return session.scalars(select(JobRun).where(JobRun.job == job)).one()


def test_a_job_runs_its_steps_once_and_keeps_what_they_said(machine, engine, job):
    with Session(engine) as session:
        department = Department(code=f"D{id(machine)}", name="总部", path="/")
        session.add(department)
        session.flush()
        person = Employee(number=f"E{id(machine)}", name="方志远", department_id=department.id)
        session.add(person)
        session.commit()
        actor = Actor(employee_id=person.id, name="方志远")
    done = jobs.run(machine.edge(), job, ON, steps(job), actor=actor)
    assert (done.status, done.progress_pct, done.result) == (
        JobStatus.SUCCEEDED,
        100,
        {"done": {"s1": "1", "s2": "1", "s3": "1"}},
    )
    assert (done.requested_by_id, done.attempts, done.lease_until, done.step) == (
        actor.employee_id,
        1,
        None,
        None,
    )
    assert done.finished_at == machine.now
    assert jobs.run(machine.edge(), job, ON, steps(job)) is None
    assert traces(engine, job) == [1, 1, 1]


def test_another_date_is_another_run(machine, engine, job):
    for day in (ON, ON + timedelta(days=1)):
        assert jobs.run(machine.edge(), job, day, steps(job)) is not None
    assert traces(engine, job) == [2, 2, 2]


@pytest.mark.parametrize("dies_at", range(1, 6))
def test_killed_between_any_two_steps_it_ends_like_an_uninterrupted_run(
    machine, engine, job, dies_at
):
    """Sessions are opened for a look, for the claim and for each of three steps: a death before each of them."""
    machine.dies_at = dies_at
    with pytest.raises(Killed):
        jobs.run(machine.edge(), job, ON, steps(job))
    again = Machine(engine, machine.now + LEASE + timedelta(seconds=1))
    done = jobs.run(again.edge(), job, ON, steps(job))
    assert (done.status, done.result) == (
        JobStatus.SUCCEEDED,
        {"done": {"s1": "1", "s2": "1", "s3": "1"}},
    )
    assert traces(engine, job) == [1, 1, 1]
    assert done.attempts == (1 if dies_at <= 2 else 2)


def test_killed_inside_a_step_nothing_of_that_step_remains(machine, engine, job):
    def die(ctx):
        next_count(ctx, f"{job}-2"[-40:])
        raise Killed

    with pytest.raises(Killed):
        jobs.run(machine.edge(), job, ON, [steps(job)[0], JobStep("s2", "第2步", die)])
    assert traces(engine, job) == [1, 0, 0]
    machine.now += LEASE + timedelta(seconds=1)
    assert jobs.run(machine.edge(), job, ON, steps(job)).status is JobStatus.SUCCEEDED
    assert traces(engine, job) == [1, 1, 1]


def test_while_the_lease_holds_nobody_else_gets_the_job(machine, engine, job):
    machine.dies_at = 3
    with pytest.raises(Killed):
        jobs.run(machine.edge(), job, ON, steps(job))
    other = Machine(engine, machine.now + LEASE)
    assert jobs.run(other.edge(), job, ON, steps(job)) is None
    other.now += timedelta(seconds=1)
    assert jobs.run(other.edge(), job, ON, steps(job)).attempts == 2


def test_who_slept_past_the_lease_does_no_step_more(machine, engine, job):
    """The first runner wakes up after a second one has taken over: it stops, and no step runs twice."""

    def sleep(ctx):
        machine.now += LEASE + timedelta(minutes=1)
        return ""

    def taken_over(ctx):
        ctx.session.commit()  # let the other one in
        assert (
            jobs.run(Machine(engine, machine.now + LEASE * 3).edge(), job, ON, steps(job))
            is not None
        )
        return ""

    first = [
        JobStep("sleep", "睡着", sleep),
        JobStep("meanwhile", "被接手", taken_over),
        *steps(job),
    ]
    with pytest.raises(Conflict, match="已由另一进程接手"):
        jobs.run(machine.edge(), job, ON, first)
    assert traces(engine, job) == [1, 1, 1]
    assert row(engine, job).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BusinessError("凭证未审核"), "凭证未审核"),
        (ZeroDivisionError(), "系统故障，详情见运行日志"),
    ],
)
def test_a_step_that_fails_says_why_and_is_tried_again(machine, engine, job, error, message):
    def fail(ctx):
        next_count(ctx, f"{job}-2"[-40:])
        raise error

    with pytest.raises(type(error)):
        jobs.run(
            machine.edge(), job, ON, [steps(job)[0], JobStep("s2", "第2步", fail), steps(job)[2]]
        )
    failed = row(engine, job)
    assert (failed.status, failed.step, failed.message) == (JobStatus.FAILED, "第2步", message)
    assert traces(engine, job) == [1, 0, 0]
    done = jobs.run(machine.edge(), job, ON, steps(job))
    assert (done.status, done.attempts, done.message) == (JobStatus.SUCCEEDED, 2, None)
    assert traces(engine, job) == [1, 1, 1]


def test_two_machines_at_once_run_it_once(engine, job):
    """Both start together, slowly; the loser comes away empty-handed."""
    slow = [JobStep("wait", "等待", lambda ctx: time.sleep(0.2) or ""), *steps(job)]
    gate, results = threading.Barrier(2), []

    def work():
        gate.wait()
        results.append(jobs.run(Machine(engine).edge(), job, ON, slow))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result is None for result in results) == [False, True]
    assert traces(engine, job) == [1, 1, 1]
    assert row(engine, job).attempts == 1


@pytest.mark.postgres
def test_of_two_first_claims_the_database_lets_one_through(engine, job):
    with Session(engine) as session:
        session.add(
            JobRun(
                job=job,
                business_date=ON,
                status=JobStatus.RUNNING,
                owner="别的进程",
                attempts=1,
                result={},
            )
        )
        session.flush()
        claimed = []
        thread = threading.Thread(
            target=lambda: claimed.append(jobs.claim(Machine(engine).edge(), job, ON, steps(job)))
        )
        thread.start()
        time.sleep(0.3)  # it has looked, found nothing, and waits for our key
        session.commit()
        thread.join()
    assert claimed == [None]


@pytest.mark.parametrize(
    ("owner", "is_waited_for"),
    [
        ("{host}:{dead}:1a2b3c4d", False),
        ("{host}:{alive}:1a2b3c4d", True),
        ("elsewhere:{dead}:1a2b3c4d", True),
        ("别的进程", True),
    ],
)
def test_a_process_that_is_known_to_be_gone_is_not_waited_for(
    machine, engine, job, owner, is_waited_for
):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    facts = {"host": socket.gethostname(), "dead": process.pid, "alive": os.getpid()}
    with Session(engine) as session:
        session.add(
            JobRun(
                job=job,
                business_date=ON,
                status=JobStatus.RUNNING,
                owner=owner.format(**facts),
                attempts=1,
                lease_until=machine.now + LEASE,
                result={"done": {"s1": "1"}},
                step="第2步",
            )
        )
        session.commit()
    assert (jobs.run(machine.edge(), job, ON, steps(job)) is None) == is_waited_for
    assert traces(engine, job) == ([0, 0, 0] if is_waited_for else [0, 1, 1])


def test_a_process_of_somebody_else_is_there(machine, engine, job, monkeypatch):
    def forbidden(pid, sent):
        assert (pid, sent) == (4711, 0)
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    run = JobRun(
        status=JobStatus.RUNNING, owner=f"{socket.gethostname()}:4711:x", lease_until=machine.now
    )
    assert jobs.is_live(run, machine.now)
    assert jobs.is_stopped(run, machine.now + timedelta(seconds=1)), "its lease has run out"
    assert jobs.is_stopped(JobRun(status=JobStatus.RUNNING), machine.now), "nobody ever took it"
    assert not jobs.is_stopped(JobRun(status=JobStatus.FAILED), machine.now)


def test_who_asks_is_told_who_is_at_it_and_where(machine, engine, job):
    def ask(ctx):
        beside = Session(ctx.session.connection(), join_transaction_mode="create_savepoint")
        with pytest.raises(
            jobs.Taken, match=r"月末处理正由系统办理（进程 .+:\d+，当前步骤：第2步），请等待其完成"
        ):
            jobs.start(
                Edge(lambda: beside, lambda: machine.now), job, ON, steps(job), SYSTEM, "月末处理"
            )
        return ""

    lease = jobs.start(machine.edge(), job, ON, steps(job), SYSTEM, "月末处理")
    asking = [steps(job)[0], JobStep("s2", "第2步", ask), steps(job)[2]]
    assert jobs.work(lease, asking).status is JobStatus.SUCCEEDED
    with pytest.raises(jobs.Taken, match="月末处理刚由他人办理"):
        jobs.start(machine.edge(), job, ON, steps(job), SYSTEM, "月末处理")


def test_the_row_says_which_step_is_at_work(machine, engine, job):
    seen = []

    def look(ctx):
        run = jobs.find(ctx.session, job, ON)
        seen.append((run.step, run.progress_pct))
        return ""

    jobs.run(machine.edge(), job, ON, [JobStep(f"s{n}", f"第{n}步", look) for n in (1, 2, 3, 4)])
    assert seen == [("第1步", 0), ("第2步", 25), ("第3步", 50), ("第4步", 75)]
    assert (row(engine, job).step, row(engine, job).progress_pct) == (None, 100)


@pytest.mark.parametrize(
    "error", [OperationalError("", {}, Exception("deadlock")), StaleDataError("0 of 1")]
)
def test_what_the_database_decides_between_two_is_no_failure_of_the_system(
    machine, engine, job, error
):
    def collide(ctx):
        raise error

    with pytest.raises(Conflict, match="请稍后继续办理"):
        jobs.run(machine.edge(), job, ON, [JobStep("s1", "第1步", collide)])
    assert (row(engine, job).status, row(engine, job).message) == (JobStatus.FAILED, jobs.BUSY)


@pytest.mark.postgres
def test_a_step_that_outlasts_its_lease_is_not_taken_over(machine, engine, job):
    """Its transaction holds the row: the lease has to outlast the moment between two steps, no more."""
    late = Machine(engine, machine.now + LEASE * 2)

    def long(ctx):
        assert jobs.claim(late.edge(), job, ON, steps(job)) is None
        return ""

    lease = jobs.claim(machine.edge(), job, ON, steps(job))
    assert jobs.work(lease, [JobStep("long", "很久", long), *steps(job)]).attempts == 1
    assert traces(engine, job) == [1, 1, 1]


def test_steps_that_a_new_release_no_longer_has_do_not_keep_a_run_open(machine, engine, job):
    with pytest.raises(ZeroDivisionError):
        jobs.run(
            machine.edge(),
            job,
            ON,
            [*steps(job), JobStep("gone", "旧步骤", lambda ctx: str(1 // 0))],
        )
    assert jobs.run(machine.edge(), job, ON, steps(job)).status is JobStatus.SUCCEEDED
    assert traces(engine, job) == [1, 1, 1]


def until(condition):
    """Wait for what another thread does."""
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never came about")


def test_work_without_a_transaction_keeps_its_lease_alive(machine, engine, job, monkeypatch):
    """A backup of an hour holds no row: its lease is renewed beside it."""
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.02)

    def long():
        machine.now += LEASE * 2
        until(lambda: row(engine, job).lease_until == machine.now + LEASE)
        assert jobs.claim(Machine(engine, machine.now).edge(), job, ON, steps(job)) is None
        return "做完了"

    done = jobs.run_outside(machine.edge(), job, ON, "备份", long)
    assert (done.status, done.attempts, done.result) == (
        JobStatus.SUCCEEDED,
        1,
        {"done": {"work": "做完了"}},
    )
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}
    assert jobs.run_outside(machine.edge(), job, ON, "备份", long) is None


def test_a_beat_that_comes_too_late_disturbs_nobody(machine, engine, job, monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.02)

    def overtaken():
        with Session(engine) as session:
            jobs.find(session, job, ON).owner = "别的进程"
            session.commit()
        before = machine.opened
        until(lambda: machine.opened >= before + 2)  # it has tried, been refused, and tried again
        return ""

    with pytest.raises(jobs.Taken, match="已由另一进程接手"):
        jobs.run_outside(machine.edge(), job, ON, "备份", overtaken)
    assert (row(engine, job).owner, row(engine, job).status) == ("别的进程", JobStatus.RUNNING)
