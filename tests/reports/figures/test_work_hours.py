"""Working time (A11): nights, weekends, holidays and days of the company's own do not count towards a time limit."""

from datetime import UTC, date, datetime

import pytest

from models.base.errors import BusinessError
from models.base.moments import SHANGHAI
from models.system.calendar import CalendarDay
from models.system.setup import Parameter
from reports.figures import parameters, work_hours
from tests.workflows.approval_world import TODAY, World

BEGINS_WITH = "tables"


@pytest.fixture
def world(session):
    return World(session)


def due(world, start, hours):
    begin = datetime.fromisoformat(start).replace(tzinfo=SHANGHAI)
    found = work_hours.due_after(world.session, begin.astimezone(UTC), hours, TODAY)
    return found.astimezone(SHANGHAI).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("start", "hours", "until"),
    [
        ("2026-03-02 09:00", 1, "03-02 10:00"),
        ("2026-03-02 11:30", 1, "03-02 13:30"),
        ("2026-03-02 12:30", 1, "03-02 14:00"),
        ("2026-03-02 07:00", 8, "03-02 18:00"),
        ("2026-03-02 17:30", 1, "03-03 09:30"),
        ("2026-03-06 17:00", 2, "03-09 10:00"),
        ("2026-03-07 10:00", 8, "03-09 18:00"),
        # 国庆 from the 1st to the 7th, made up for on Saturday the 10th
        ("2026-09-30 17:00", 2, "10-08 10:00"),
        ("2026-10-09 17:00", 2, "10-10 10:00"),
    ],
)
def test_only_working_time_counts(world, start, hours, until):
    assert due(world, start, hours) == until


def test_the_companys_own_days_go_before_the_states_and_unpublished_years_know_weekends(world):
    world.session.add_all(
        CalendarDay(day=day, is_workday=is_workday, note="自定")
        for day, is_workday in ((date(2026, 3, 3), False), (date(2026, 3, 7), True))
    )
    world.session.flush()
    assert due(world, "2026-03-02 17:00", 2) == "03-04 10:00"
    assert due(world, "2026-03-06 17:00", 2) == "03-07 10:00"
    assert work_hours.is_workday(date(2031, 1, 1), {})
    assert not work_hours.is_workday(date(2031, 1, 4), {})


@pytest.mark.parametrize(
    "text", ["", "9点到6点", "18:00-09:00", "09:00-12:00 11:00-18:00", "09:00"]
)
def test_hours_that_make_no_sense_are_named(world, text):
    world.session.query(Parameter).filter_by(code=work_hours.HOURS).one().value = text
    world.session.flush()
    parameters.forget(world.session)
    with pytest.raises(BusinessError, match="工作时间"):
        due(world, "2026-03-02 09:00", 1)


def test_a_company_that_never_works_is_told_so(world, monkeypatch):
    monkeypatch.setattr(work_hours, "_DAYS_MAX", 3)
    monkeypatch.setattr(work_hours, "is_workday", lambda *_: False)
    with pytest.raises(BusinessError, match="没有工作日"):
        due(world, "2026-03-02 09:00", 1)
