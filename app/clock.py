"""The one place that reads the calendar at the company's seat."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")


def local_today() -> date:
    """The calendar day at the company's seat."""
    return datetime.now(ZONE).date()
