"""Moments are stored in UTC; people read the clock in Shanghai."""

from datetime import datetime, timedelta, timezone
from typing import Final

SHANGHAI: Final = timezone(timedelta(hours=8))  # no summer time since 1991


def local(value: datetime) -> datetime:
    """A stored moment as the clock in Shanghai shows it."""
    return value.astimezone(SHANGHAI) if value.tzinfo else value
