"""Moments are stored in UTC, people read the clock in Shanghai; and how months are counted."""

from calendar import monthrange
from datetime import date, datetime, timedelta, timezone
from typing import Final

SHANGHAI: Final = timezone(timedelta(hours=8))  # no summer time since 1991


def local(value: datetime) -> datetime:
    """A stored moment as the clock in Shanghai shows it."""
    return value.astimezone(SHANGHAI) if value.tzinfo else value


def add_months(start_on: date, months: int, *, day: int | None = None) -> date:
    """Give the day that many months later; a day the month lacks becomes its last one.

    Counted from the start each time, so 31 January leads to 28 February and then to 31 March.
    """
    year, month0 = divmod(start_on.year * 12 + start_on.month - 1 + months, 12)
    return date(year, month0 + 1, min(day or start_on.day, monthrange(year, month0 + 1)[1]))


def last_day(period: str) -> date:
    """The last day of a month such as 2026-02."""
    year, month = int(period[:4]), int(period[5:])
    return date(year, month, monthrange(year, month)[1])
