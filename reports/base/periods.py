"""Days that move with the calendar: 本月, 近 30 天 …, as filters, views and addresses name them (X14).

Kept by their code, never by their dates, so that a view of last year means this year's days when it is opened. What
the rule language (X13) calls by the same word are the same days.
"""

import re
from datetime import date, timedelta
from typing import Final, NamedTuple

from reports.rules.dates import bounds
from reports.rules.tree import Period as Words

_ONE: Final = timedelta(days=1)
DAYS_MAX: Final = 3660
_DAYS: Final = {"today": ("今天", 0), "yesterday": ("昨天", -1), "tomorrow": ("明天", 1)}
_TURNS: Final = {"last": "上", "this": "本", "next": "下"}
_UNITS: Final = {"week": "周", "month": "月", "quarter": "季", "year": "年"}
_OPEN: Final = {"before_today": "今天以前", "after_today": "今天以后"}
_COUNTS: Final = {"last": "近 {} 天", "next": "未来 {} 天", "within": "{} 天内"}
_COUNTED: Final = re.compile(r"(last|next|within)_([0-9]{1,4})", re.ASCII)
# What people choose from; any other number of days is typed.
_USUAL: Final = ("last_7", "last_30", "last_90", "within_7", "within_30", "within_90")


class Period(NamedTuple):
    """Days from `low` to `high`, both included; None where it is open to that side."""

    code: str
    label: str
    low: date | None
    high: date | None


def offered() -> list[tuple[str, str]]:
    """(code, label) of what a filter offers to choose from."""
    return [*_BY_LABEL.items(), *((code, _counted_label(code)) for code in _USUAL)]


def counted() -> list[tuple[str, str]]:
    """(code, label) of those that a number of days is typed for."""
    return [(code, words.format("…")) for code, words in _COUNTS.items()]


def period(text: str, today: date) -> Period:
    """The days that a code or its label stands for on a day. Raises ValueError for anything else."""
    code = next((code for code, label in _BY_LABEL.items() if label == text), text)
    if code in _DAYS:
        label, turn = _DAYS[code]
        return Period(code, label, today + turn * _ONE, today + turn * _ONE)
    if code == "before_today":
        return Period(code, _OPEN[code], None, today - _ONE)
    if code == "after_today":
        return Period(code, _OPEN[code], today + _ONE, None)
    if code in _BY_LABEL:
        turn_code, _, unit = code.partition("_")
        words = Words(_TURNS[turn_code], _UNITS[unit])
        return Period(code, _BY_LABEL[code], *bounds(words, today))
    return _counted(code, today)


def _counted(code: str, today: date) -> Period:
    match = _COUNTED.fullmatch(code)
    if match is None or not 0 < int(match[2]) <= DAYS_MAX:
        raise ValueError(code)
    days = int(match[2])
    if match[1] == "within":
        return Period(code, _counted_label(code), today, today + days * _ONE)
    word = {"last": "近", "next": "未来"}[match[1]]
    return Period(code, _counted_label(code), *bounds(Words(word, "天", days), today))


def _counted_label(code: str) -> str:
    kind, _, days = code.partition("_")
    return _COUNTS[kind].format(days)


_BY_LABEL: Final = {
    **{code: label for code, (label, _) in _DAYS.items()},
    **{
        f"{turn}_{unit}": f"{of_turn}{of_unit}"
        for unit, of_unit in _UNITS.items()
        for turn, of_turn in _TURNS.items()
    },
    **_OPEN,
}
