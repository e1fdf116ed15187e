"""Values as the trail and the versions of configuration keep them."""

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON keeps it without loss: decimals and dates as text, codes by name."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, Decimal | date | datetime):
        return str(value)
    return value
