"""Working time of the company (A11): which days are worked, and when so many working hours have passed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

import chinese_calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError
from models.base.moments import SHANGHAI, local
from models.system.calendar import CalendarDay
from reports.figures import parameters

HOURS: Final = "calendar.work_hours"
Span = tuple[time, time]
_DAYS_MAX: Final = 366 * 20  # who has declared every day free waits no longer than this


def is_workday(day: date, own: Mapping[date, bool]) -> bool:
    """Whether a day is worked: by the company's own word, else the state's calendar, else Monday to Friday."""
    if day in own:
        return own[day]
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # a year that has not been published yet
        return day.weekday() < 5


def own_days(session: Session, since: date) -> dict[date, bool]:
    """What the company says itself, from a day on."""
    query = select(CalendarDay.day, CalendarDay.is_workday).where(CalendarDay.day >= since)
    return {row.day: row.is_workday for row in session.execute(query)}


def spans(text: str) -> list[Span]:
    """09:00-12:00 13:00-18:00 as times of a day, in order. Raises ValueError for anything else."""
    found = []
    for part in text.replace("，", " ").replace(",", " ").split():
        begin, mark, end = part.partition("-")
        if not mark:
            raise ValueError(part)
        found.append((time.fromisoformat(begin), time.fromisoformat(end)))
    is_ordered = all(begin < end for begin, end in found)
    if not found or not is_ordered or any(a[1] > b[0] for a, b in pairwise(found)):
        raise ValueError(text)
    return found


def work_spans(session: Session, on: date) -> list[Span]:
    """The working hours that hold on a business date. Raises BusinessError where the parameter makes no sense."""
    text = parameters.value(session, HOURS, on)
    try:
        return spans(text)
    except ValueError:
        example = "09:00-12:00 13:00-18:00"
        raise BusinessError(f"系统参数“工作时间”的值“{text}”不正确，应如 {example}") from None


def due_after(session: Session, start: datetime, hours: int, on: date) -> datetime:
    """The moment (UTC) at which so many working hours have passed since `start`."""
    first = local(start).date()
    own, daily, left = own_days(session, first), work_spans(session, on), timedelta(hours=hours)
    for number in range(_DAYS_MAX):
        day = first + timedelta(days=number)
        for begin, end in _moments(day, daily) if is_workday(day, own) else ():
            worked = end - max(begin, start)
            if worked >= left:
                return (end - (worked - left)).astimezone(UTC)
            left -= max(worked, timedelta())
    raise BusinessError("工作日历没有工作日，无法计算审批时限")


def _moments(day: date, daily: Sequence[Span]) -> list[tuple[datetime, datetime]]:
    return [
        (datetime.combine(day, begin, SHANGHAI), datetime.combine(day, end, SHANGHAI))
        for begin, end in daily
    ]
