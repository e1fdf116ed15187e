"""日终: each missed day in order, each step once; killed anywhere it ends like an uninterrupted run."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.after.warning import RiskWarning
from models.base.actor import SYSTEM, Actor
from models.base.errors import BusinessError, Conflict, NotAllowed
from models.guarantee.appraisal import BankLetter, LetterKind
from models.guarantee.drawdown import Drawdown, DrawdownState, Instalment
from models.guarantee.project import Project, Stage
from models.guarantee.resolution import Resolution, ResolutionState
from models.ledger.account import AccountingPeriod
from models.statistics.snapshot import CompanySnapshot, ProjectSnapshot
from models.system.setup import AuditLog, JobRun, JobStatus, SystemState
from tests.workflows.guarantee.factories import MANAGER, Line, prepare
from workflows import day_end
from workflows.base import audit, jobs
from workflows.base.jobs import Edge, JobStep
from workflows.guarantee import repayment
from workflows.guarantee.repayment import Paid
from workflows.statistics import snapshot

START = date(2026, 3, 30)
NOW = datetime(2026, 4, 3, 16, 30, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone."""


class World:
    """The module's company inside a transaction that is undone, with a day-end machine of its own."""

    def __init__(self, connection, standing) -> None:
        self.connection, self.standing = connection, standing
        self.opened = self.dies_at = 0
        self.now = NOW

    def session(self) -> Session:
        return Session(self.connection, join_transaction_mode="create_savepoint")

    def open_session(self) -> Session:
        self.opened += 1
        if self.opened == self.dies_at:
            raise Killed
        return self.session()

    @property
    def edge(self) -> Edge:
        return Edge(self.open_session, lambda: self.now)

    def run(self, until: date, **facts):
        return day_end.run_due(self.edge, until, **facts)

    @property
    def today(self) -> date:
        return day_end.business_date(Edge(self.session, lambda: self.now))

    def rows(self, query):
        with self.session() as session:
            return [tuple(row) for row in session.execute(query).all()]

    def state(self):
        """All that a day-end leaves behind."""
        i, d, p, r, w, s, c = (
            Instalment,
            Drawdown,
            Project,
            Resolution,
            RiskWarning,
            ProjectSnapshot,
            CompanySnapshot,
        )
        return {
            "date": self.today,
            "instalments": self.rows(select(i.id, i.overdue_since).order_by(i.id)),
            "loans": self.rows(select(d.id, d.state).order_by(d.id)),
            "projects": self.rows(select(p.id, p.reserved_amount, p.balance).order_by(p.id)),
            "resolutions": self.rows(select(r.id, r.state).order_by(r.id)),
            "warnings": self.rows(
                select(w.number, w.message, w.raised_on, w.trigger).order_by(w.id)
            ),
            "snapshots": self.rows(
                select(
                    s.taken_on, s.project_id, s.balance, s.overdue_principal, s.overdue_since
                ).order_by(s.taken_on, s.project_id)
            ),
            "company": self.rows(
                select(
                    c.taken_on,
                    c.in_force_count,
                    c.in_force_balance,
                    c.overdue_count,
                    c.repaid_principal,
                ).order_by(c.taken_on)
            ),
            "periods": self.rows(select(AccountingPeriod.code).order_by(AccountingPeriod.code)),
            "runs": self.rows(
                select(
                    JobRun.job, JobRun.business_date, JobRun.status, JobRun.progress_pct
                ).order_by(JobRun.business_date)
            ),
        }


@pytest.fixture(scope="module")
def standing(engine):
    """A project in force (first instalment due 2026-04-02), one with a resolution, one with a letter to the bank."""
    found = prepare(engine, (Stage.REVIEW, Stage.FEE_PLAN, Stage.IN_FORCE))
    with Session(engine) as session:
        resolution = session.scalars(
            select(Resolution).where(Resolution.project_id == found[Stage.FEE_PLAN])
        ).one()
        resolution.valid_until = date(2026, 3, 31)
        letters = select(BankLetter).where(
            BankLetter.project_id == found[Stage.REVIEW], BankLetter.kind == LetterKind.INTENT
        )
        session.scalars(letters).one().valid_until = date(2026, 4, 1)
        session.get_one(SystemState, 1).business_date = START
        session.commit()
    return found


@pytest.fixture
def world(engine, standing):
    with engine.connect() as connection:
        outer = connection.begin()
        yield World(connection, standing)
        outer.rollback()


def test_missed_days_over_a_month_end_are_caught_up_in_order(world):
    runs = world.run(date(2026, 4, 3))
    assert [(run.business_date, run.status) for run in runs] == [
        (START + timedelta(days=n), JobStatus.SUCCEEDED) for n in range(4)
    ]
    found = world.state()
    assert found["date"] == date(2026, 4, 3)
    assert ("2026-04",) in found["periods"]
    assert [row[0] for row in found["company"]] == [START + timedelta(days=n) for n in range(4)]
    assert {state for _, state in found["loans"]} == {DrawdownState.OVERDUE}
    assert [since for _, since in found["instalments"] if since] == [date(2026, 4, 3)]
    assert (ResolutionState.EXPIRED,) in [row[1:] for row in found["resolutions"]]
    days = {(message.partition(" ")[0], raised) for _, message, raised, _ in found["warnings"]}
    assert ("公司决议", date(2026, 4, 1)) in days, "it held on the last of March"
    assert ("担保意向函", date(2026, 4, 2)) in days
    late = [row for row in found["warnings"] if "逾期本金" in row[1]]
    assert [row[2] for row in late] == [date(2026, 4, 3)], "overdue from the day after the due date"


def test_nothing_is_due_on_the_calendar_day_itself(world):
    assert world.run(START) == []
    assert world.today == START


def test_a_second_start_finds_nothing_to_do(world):
    world.run(date(2026, 4, 2))
    before = world.state()
    assert world.run(date(2026, 4, 2)) == []
    assert world.state() == before


# Sessions opened by an uninterrupted run of two days: per day the date, a look at the run, the claim and each step, and
# the date once more. tests/faults kills real processes at any statement; here it is the order of things.
POINTS = 2 * (1 + 1 + 1 + len(day_end.STEPS)) + 1
SOME = (3, 4, 9, 10, 15)


@pytest.fixture(scope="module")
def uninterrupted(engine, standing):
    with engine.connect() as connection:
        outer = connection.begin()
        world = World(connection, standing)
        world.run(date(2026, 4, 1))
        found = world.state()
        assert world.opened == POINTS
        outer.rollback()
    return found


@pytest.mark.parametrize(
    "dies_at",
    [p if p in SOME else pytest.param(p, marks=pytest.mark.long) for p in range(1, POINTS + 1)],
)
def test_killed_between_any_two_steps_it_ends_like_an_uninterrupted_run(
    world, uninterrupted, dies_at
):
    world.dies_at = dies_at
    with pytest.raises(Killed):
        world.run(date(2026, 4, 1))
    world.now += timedelta(minutes=11)
    world.run(date(2026, 4, 1))
    assert world.state() == uninterrupted


@pytest.mark.parametrize("step", [step.code for step in day_end.STEPS])
def test_killed_inside_a_step_it_ends_like_an_uninterrupted_run(
    world, uninterrupted, step, monkeypatch
):
    def broken(run):
        def work(ctx):
            run(ctx)
            ctx.session.flush()
            raise Killed

        return work

    spoiled = [
        JobStep(s.code, s.label, broken(s.run) if s.code == step else s.run) for s in day_end.STEPS
    ]
    with monkeypatch.context() as patch:
        patch.setattr(day_end, "STEPS", spoiled)
        with pytest.raises(Killed):
            world.run(date(2026, 4, 1))
    world.now += timedelta(minutes=11)
    world.run(date(2026, 4, 1))
    assert world.state() == uninterrupted


def test_a_run_that_another_process_holds_is_left_alone(world):
    assert jobs.claim(world.edge, day_end.JOB, START, day_end.STEPS) is not None
    assert world.run(date(2026, 4, 1)) == []
    assert world.today == START
    with pytest.raises(
        jobs.Taken, match=r"2026-03-30 日终处理正由系统办理（进程 .+:\d+，当前步骤：标记逾期）"
    ):
        day_end.start(world.edge, date(2026, 4, 1), SYSTEM)
    assert "正由系统办理" in day_end.why_taken(world.edge)


def test_who_waits_for_an_answer_gets_the_first_date_and_closes_the_others_with_it(world):
    lease = day_end.start(world.edge, date(2026, 4, 1), SYSTEM)
    assert (lease.on, world.rows(select(JobRun.status))) == (START, [(JobStatus.RUNNING,)])
    assert [run.business_date for run in world.run(date(2026, 4, 1), lease=lease)] == [
        START,
        START + timedelta(days=1),
    ]
    with pytest.raises(Conflict, match="2026-04-01 尚未结束"):
        day_end.start(world.edge, date(2026, 4, 1), SYSTEM)
    assert "刚由他人办理" in day_end.why_taken(world.edge)


def test_a_step_that_refuses_stops_the_day_and_says_why(world, monkeypatch):
    def refuse(ctx):
        raise BusinessError("数据有误，请先处理")

    with monkeypatch.context() as patch:
        patch.setattr(day_end, "STEPS", [JobStep("overdue", "标记逾期", refuse)])
        with pytest.raises(BusinessError, match="数据有误"):
            world.run(date(2026, 4, 1))
    assert world.rows(select(JobRun.status, JobRun.step, JobRun.message)) == [
        (JobStatus.FAILED, "标记逾期", "数据有误，请先处理")
    ]
    assert [run.status for run in world.run(date(2026, 4, 1))] == [JobStatus.SUCCEEDED] * 2


def test_only_who_may_starts_it_and_the_run_keeps_who(world):
    with world.session() as session:
        line = Line(session)
        for verb in (world.run, lambda until, actor: day_end.start(world.edge, until, actor)):
            with pytest.raises(NotAllowed):
                verb(date(2026, 4, 1), actor=line.actor(MANAGER))
        person = line.id(MANAGER)
    administrator = Actor(person, "方志远", permissions=frozenset({("can_day_end", "job_run")}))
    (run,) = world.run(date(2026, 3, 31), actor=administrator)
    assert run.requested_by_id == person


def test_before_init_there_is_no_date(world):
    with world.session() as session:
        session.delete(session.get_one(SystemState, 1))
        session.commit()
    with pytest.raises(BusinessError, match="尚未初始化"):
        world.run(date(2026, 4, 1))


def test_the_date_is_rolled_only_from_the_date_that_is_closed(world):
    with world.session() as session:
        session.get_one(SystemState, 1).business_date = START + timedelta(days=1)
        session.flush()
        with pytest.raises(Conflict, match="不能办理 2026-03-30 的日终"):
            day_end.STEPS[-1].run(Line(session, START).ctx())


def test_the_audit_trail_is_sealed(world):
    with world.session() as session:
        project = session.get_one(Project, world.standing[Stage.IN_FORCE])
        audit.log(Line(session).ctx(), project, "NOTE", note="待封存")
        session.commit()
    world.run(date(2026, 3, 31))
    unsealed = world.rows(select(AuditLog.note).where(AuditLog.seal_hash.is_(None)))
    assert unsealed == []
    done = world.rows(select(JobRun.result))[0][0]["done"]
    assert done["seal"].startswith("封存 ")
    assert done["roll"] == "营业日期 2026-03-31"


def test_snapshots_keep_only_what_changed(world):
    with world.session() as session:
        line = Line(session, START)
        loan = session.scalars(select(Drawdown)).one()
        first, again = snapshot.take(line.ctx()), snapshot.take(line.ctx())
        assert first == again == 3, "taken again it replaces the row of the day"
        line.later(days=1)
        assert snapshot.take(line.ctx()) == 0
        line.later(days=3)
        assert snapshot.take(line.ctx()) == 1, "now overdue"
        repayment.register(line.ctx(MANAGER), loan, Paid(line.today, Decimal(1000), Decimal(0)))
        line.later(days=1)
        assert snapshot.take(line.ctx()) == 1
        company = session.scalars(select(CompanySnapshot).order_by(CompanySnapshot.taken_on)).all()
        assert [(c.in_force_count, c.running_count, c.overdue_count) for c in company] == [
            (1, 2, 0),
            (1, 2, 0),
            (1, 2, 1),
            (1, 2, 1),
        ]
        assert company[-1].in_force_balance == Decimal(4_999_000)
        last = session.scalars(select(ProjectSnapshot).order_by(ProjectSnapshot.id.desc())).first()
        assert (last.balance, last.overdue_since) == (Decimal(4_999_000), date(2026, 4, 2))
        session.rollback()


def test_the_day_is_evaluated_for_readers_of_the_next_morning(world):
    """On 26 March seven days are left to 2 April: it is told at the day-end of the 25th."""
    with world.session() as session:
        session.get_one(SystemState, 1).business_date = date(2026, 3, 25)
        session.commit()
    world.run(date(2026, 3, 26))
    found = [row for row in world.state()["warnings"] if "第 1 期" in row[1]]
    assert [(row[2], "剩余 7 天" in row[1]) for row in found] == [(date(2026, 3, 26), True)]
