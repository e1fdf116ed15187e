"""Days and periods that move with the business date: 今天, 上月末, 90天前; 近90天, 上月."""

from collections.abc import Iterator
from datetime import date, timedelta

from models.base.moments import add_months
from reports.rules import tree


def day_of(node: tree.Node, today: date) -> date:
    """The day that a part of a rule means as of `today`."""
    match node:
        case tree.Day():
            return node.value
        case tree.Edge(period=period, is_last=is_last):
            return bounds(period, today)[is_last]
        case tree.Near():
            return dict(_nearby(today))[node.word]
        case tree.Span():
            return _shift(today, node, -1 if node.turn == "前" else 1)
        case tree.Calc(op=op, left=left, right=tree.Span() as span):
            return _shift(day_of(left, today), span, -1 if op == "-" else 1)
    raise AssertionError(f"{type(node).__name__} is no date")


def _shift(day: date, span: tree.Span, sign: int) -> date:
    try:
        if span.unit == "天":
            return day + timedelta(days=sign * span.count)
        return add_months(day, sign * span.count * (12 if span.unit == "年" else 1))
    except (OverflowError, ValueError):
        return date.max if sign > 0 else date.min


def _nearby(today: date) -> Iterator[tuple[str, date]]:
    one = timedelta(days=1)
    yield from (("今天", today), ("昨天", today - one), ("明天", today + one))
    month = today.replace(day=1)
    quarter = add_months(month, -((today.month - 1) % 3))
    year = date(today.year, 1, 1)
    yield from (("本月初", month), ("本月末", add_months(month, 1) - one))
    yield from (("上月初", add_months(month, -1)), ("上月末", month - one))
    yield from (("下月初", add_months(month, 1)), ("下月末", add_months(month, 2) - one))
    yield from (("本季初", quarter), ("本季末", add_months(quarter, 3) - one))
    yield from (("本年初", year), ("本年末", add_months(year, 12) - one))
    yield from (("上年初", add_months(year, -12)), ("上年末", year - one))


def bounds(period: tree.Period, today: date) -> tuple[date, date]:
    """First and last day of a period: 近 ends today, 未来 begins tomorrow; weeks begin on Monday."""
    one = timedelta(days=1)
    span = tree.Span(period.count, period.unit)
    if period.word == "近":
        return min(_shift(today, span, -1) + one, today), today
    if period.word == "未来":
        return today + one, max(_shift(today, span, 1), today)
    turn = {"上": -1, "本": 0, "下": 1}[period.word]
    if period.unit == "周":
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=turn)
        return monday, monday + timedelta(days=6)
    months = {"月": 1, "季": 3, "年": 12}[period.unit]
    first = add_months(today.replace(day=1), -((today.month - 1) % months) + turn * months)
    return first, add_months(first, months) - one
