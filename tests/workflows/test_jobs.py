"""The job runner: once per date, each step once, whoever is killed, fails, sleeps or starts twice."""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import models.registry  # noqa: F401 - maps every table
from models.base.actor import Actor
from models.base.errors import BusinessError, Conflict
from models.organization import Department, Employee
from models.system import JobRun, JobStatus, NumberCounter, Parameter
from workflows.base import jobs
from workflows.base.jobs import Edge, JobStep
from workflows.base.numbering import next_count

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
            Parameter(code="job.lease_minutes", label="作业租约", value="10", value_kind="NUMBER",
                      effective_on=date(2000, 1, 1))
        )  # fmt: skip
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
        return JobStep(f"s{number}", f"第{number}步", lambda ctx: str(next_count(ctx, f"{job}-{number}"[-40:])))

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
        JobStatus.SUCCEEDED, 100, {"done": {"s1": "1", "s2": "1", "s3": "1"}}
    )  # fmt: skip
    assert (done.requested_by_id, done.attempts, done.lease_until, done.step) == (actor.employee_id, 1, None, None)
    assert done.finished_at == machine.now
    assert jobs.run(machine.edge(), job, ON, steps(job)) is None
    assert traces(engine, job) == [1, 1, 1]


def test_another_date_is_another_run(machine, engine, job):
    for day in (ON, ON + timedelta(days=1)):
        assert jobs.run(machine.edge(), job, day, steps(job)) is not None
    assert traces(engine, job) == [2, 2, 2]


@pytest.mark.parametrize("dies_at", range(1, 6))
def test_killed_between_any_two_steps_it_ends_like_an_uninterrupted_run(machine, engine, job, dies_at):
    """Sessions are opened for the claim, for each of three steps and for the end: a death before each of them."""
    machine.dies_at = dies_at
    with pytest.raises(Killed):
        jobs.run(machine.edge(), job, ON, steps(job))
    again = Machine(engine, machine.now + LEASE + timedelta(seconds=1))
    done = jobs.run(again.edge(), job, ON, steps(job))
    assert (done.status, done.result) == (JobStatus.SUCCEEDED, {"done": {"s1": "1", "s2": "1", "s3": "1"}})
    assert traces(engine, job) == [1, 1, 1]
    assert done.attempts == (1 if dies_at == 1 else 2)


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
        assert jobs.run(Machine(engine, machine.now + LEASE * 3).edge(), job, ON, steps(job)) is not None
        return ""

    first = [JobStep("sleep", "睡着", sleep), JobStep("meanwhile", "被接手", taken_over), *steps(job)]
    with pytest.raises(Conflict, match="已由另一进程接手"):
        jobs.run(machine.edge(), job, ON, first)
    assert traces(engine, job) == [1, 1, 1]
    assert row(engine, job).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("error", "message"),
    [(BusinessError("凭证未审核"), "凭证未审核"), (ZeroDivisionError(), "系统故障，详情见运行日志")],
)
def test_a_step_that_fails_says_why_and_is_tried_again(machine, engine, job, error, message):
    def fail(ctx):
        next_count(ctx, f"{job}-2"[-40:])
        raise error

    with pytest.raises(type(error)):
        jobs.run(machine.edge(), job, ON, [steps(job)[0], JobStep("s2", "第2步", fail), steps(job)[2]])
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
            JobRun(job=job, business_date=ON, status=JobStatus.RUNNING, owner="别的进程", attempts=1, result={})
        )
        session.flush()
        claimed = []
        thread = threading.Thread(
            target=lambda: claimed.append(jobs.claim(Machine(engine).edge(), job, ON, jobs.owner_name()))
        )
        thread.start()
        time.sleep(0.3)  # it has looked, found nothing, and waits for our key
        session.commit()
        thread.join()
    assert claimed == [None]
