"""Two schedulers at once on one database: each day is closed once, by one of them."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.statistics.snapshot import CompanySnapshot
from models.system.setup import JobRun, JobStatus, SystemState
from tests.workflows.guarantee.factories import prepare
from workflows import day_end
from workflows.base.jobs import Edge

START = date(2026, 3, 30)


@pytest.fixture
def company(engine):
    prepare(engine)
    with Session(engine) as session:
        session.get_one(SystemState, 1).business_date = START
        session.commit()


def test_two_schedulers_close_each_day_once(engine, company):
    gate, closed, troubles = threading.Barrier(2), [], []
    edge = Edge(lambda: Session(engine), lambda: datetime(2026, 4, 2, 16, 30, tzinfo=UTC))

    def work():
        gate.wait()
        try:
            closed.extend(
                run.business_date for run in day_end.run_due(edge, START + timedelta(days=3))
            )
        except Exception as error:  # noqa: BLE001 - a thread must hand its trouble over
            troubles.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    # whoever lost may have left before the winner's last day
    day_end.run_due(edge, START + timedelta(days=3))
    with Session(engine) as session:
        assert session.get_one(SystemState, 1).business_date == START + timedelta(days=3)
        runs = session.scalars(select(JobRun).order_by(JobRun.business_date)).all()
        assert [(run.business_date, run.status, run.attempts) for run in runs] == [
            (START + timedelta(days=n), JobStatus.SUCCEEDED, 1) for n in range(3)
        ]
        assert session.scalar(select(func.count(CompanySnapshot.id))) == 3
    assert len(closed) == len(set(closed))
