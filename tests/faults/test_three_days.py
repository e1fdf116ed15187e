"""Three missed days over a month-end: caught up in order, each as if it had been closed in its own night."""

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.after.warning import RiskWarning
from models.customer.rating import CustomerRating, RatingState
from models.guarantee.drawdown import Instalment
from models.guarantee.project import Project
from models.guarantee.resolution import Resolution, ResolutionState
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.voucher import Voucher, VoucherKind
from models.statistics.snapshot import CompanySnapshot
from models.system.setup import AuditLog, JobRun, JobStatus, SystemState
from tests.faults.company import DAYS, PERIOD, TODAY
from tests.faults.conftest import WORKS, assert_left, looking_at

ONE = timedelta(days=1)


def test_each_day_is_caught_up_with_its_own_date(machine_at):
    with machine_at("three_days") as machine:
        done = machine.run("day-end")
        assert [line[2:12] for line in done.said.splitlines() if "日终完成" in line] == [
            str(day) for day in DAYS
        ]
        with looking_at(machine) as session:
            check_days(session)


def check_days(session: Session) -> None:
    """What was due on each of the days was marked on the next, and told to its readers."""
    assert session.get_one(SystemState, 1).business_date == TODAY
    runs = session.scalars(select(JobRun).order_by(JobRun.business_date)).all()
    assert [(run.business_date, run.status, run.attempts) for run in runs] == [
        (day, JobStatus.SUCCEEDED, 1) for day in DAYS
    ]
    late = session.execute(
        select(Instalment.due_on, Instalment.overdue_since).where(
            Instalment.overdue_since.is_not(None)
        )
    ).all()
    assert sorted(late) == [(day, day + ONE) for day in DAYS]
    raised = select(RiskWarning.raised_on).where(RiskWarning.message.contains("逾期本金"))
    assert sorted(session.scalars(raised)) == [day + ONE for day in DAYS]
    snapshots = (
        select(CompanySnapshot)
        .where(CompanySnapshot.taken_on.in_(DAYS))
        .order_by(CompanySnapshot.taken_on)
    )
    assert [shot.overdue_count for shot in session.scalars(snapshots)] == [0, 1, 2], (
        "as each day closed"
    )
    check_expired(session)
    assert session.scalars(select(AccountingPeriod).where(AccountingPeriod.code == "2026-04")).one()


def check_expired(session: Session) -> None:
    """What held to the last of March held on it, and no longer on the first of April."""
    paper = session.scalars(select(Resolution).where(Resolution.valid_until == DAYS[1])).one()
    assert paper.state is ResolutionState.EXPIRED
    assert session.get_one(Project, paper.project_id).reserved_amount == 0
    raised = select(RiskWarning.raised_on).where(RiskWarning.message.contains(paper.number))
    assert session.scalars(raised).all() == [date(2026, 4, 1)]
    ratings = select(CustomerRating.state).where(CustomerRating.valid_until == DAYS[1])
    assert set(session.scalars(ratings)) == {RatingState.EXPIRED}
    told = select(AuditLog.note).where(
        AuditLog.action == "EXPIRE", AuditLog.record_id == paper.project_id
    )
    assert len(session.scalars(told).all()) == 1


def test_it_is_as_if_each_night_had_been_on_time_and_so_is_the_month_end(machine_at, undisturbed):
    with machine_at("three_days") as machine:
        for day in DAYS:
            machine.today = day + ONE
            assert machine.run("day-end").status == 0
        assert_left(machine, undisturbed["day-end"], "day by day")
        with looking_at(machine) as session:
            before = session.scalar(select(func.max(Voucher.id)))
        assert machine.run(*WORKS["month-end"].args).status == 0
        assert_left(machine, undisturbed["month-end"], "then the month")
        with looking_at(machine) as session:
            period = session.scalars(
                select(AccountingPeriod).where(AccountingPeriod.code == PERIOD)
            ).one()
            made = session.scalars(select(Voucher).where(Voucher.id > before)).all()
            assert period.state is PeriodState.CLOSED
            assert {voucher.kind for voucher in made} == {
                VoucherKind.RECOGNITION,
                VoucherKind.PROVISION,
                VoucherKind.TRANSFER,
            }
            assert {(voucher.period_id, voucher.date) for voucher in made} == {(period.id, DAYS[1])}
