"""在保余额 over twelve months: three ways to the same figure, each month within the reader's scope."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, select

from app.security import actor_of_username
from models.guarantee.project import Project, ProjectState
from models.statistics.snapshot import CompanySnapshot, ProjectSnapshot
from models.system.setup import SystemState
from reports.base.scope import scoped
from reports.statistics.balance_trend import Balance, balance_trend, month_ends
from reports.workbench import desktop


@pytest.fixture
def world(demo):
    with demo.session() as session:
        yield session, session.get_one(SystemState, 1).business_date
        session.rollback()


def trend_of(session, username, today):
    actor = actor_of_username(session, username)
    return balance_trend(session, actor, today, desktop.in_force(session, actor).amount)


def test_month_ends_are_the_eleven_before_this_month():
    ends = month_ends(date(2026, 3, 31))
    assert (len(ends), ends[0], ends[-1]) == (11, date(2025, 4, 30), date(2026, 2, 28))
    assert month_ends(date(2024, 3, 1))[-1] == date(2024, 2, 29)


def test_the_company_reads_the_snapshot_of_each_month_end(world):
    session, today = world
    line = trend_of(session, "heping", today)
    assert len(line) > 6
    for point in line[:-1]:
        kept = session.scalars(
            select(CompanySnapshot).where(CompanySnapshot.taken_on == point.on)
        ).one()
        assert point.amount == kept.in_force_balance
    assert line[-1].on == today
    total = session.scalar(
        select(func.sum(Project.balance)).where(Project.state == ProjectState.IN_FORCE)
    )
    assert line[-1].amount == total


def test_a_manager_reads_their_own_projects_alone(world):
    session, today = world
    mine = set(
        session.scalars(scoped(select(Project.id), Project, actor_of_username(session, "zhoumin")))
    )
    kept = session.scalars(select(ProjectSnapshot).order_by(ProjectSnapshot.taken_on)).all()
    line = trend_of(session, "zhoumin", today)
    whole = {point.on: point.amount for point in trend_of(session, "heping", today)}
    for point in line[:-1]:
        newest = {
            row.project_id: row.balance
            for row in kept
            if row.taken_on <= point.on and row.project_id in mine
        }
        assert point.amount == sum(newest.values())
    assert 0 < line[-1].amount < whole[today]


@pytest.mark.parametrize("username", ["heping", "zhoumin"])
def test_loans_tell_the_same_story_where_no_snapshot_does(world, username):
    session, today = world
    from_snapshots = trend_of(session, username, today)
    session.execute(delete(CompanySnapshot))
    assert trend_of(session, username, today) == from_snapshots


def test_who_has_no_business_has_today_alone(world):
    session, today = world
    nobody = replace(actor_of_username(session, "zhoumin"), employee_id=2_000_000_000)
    assert balance_trend(session, nobody, today, Decimal(0)) == [Balance(today, Decimal(0))]
