"""Parameters of a report: typed columns like those of a verb's form, each with what is offered and proposed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import MappedColumn

from models.base import columns as c
from models.base.fields import FieldFacts, facts_of
from models.base.kinds import Kind
from models.base.moments import add_months
from reports.base.asked import Asked

Options = Sequence[tuple[str, str]]


def _nothing(_: Asked) -> Any:
    return None


@dataclass(frozen=True)
class Param:
    """A parameter: its column says label, kind and checks; `default` what stands there before anybody has chosen.

    `options` are offered where the column alone does not know them, `missing` is said of anything else, `not_after`
    names the parameter that this one may not pass, and `is_time` is moved for a comparison.
    """

    column: MappedColumn[Any]
    default: Callable[[Asked], Any] = _nothing
    options: Callable[[Asked], Options] | None = None
    missing: str = "没有这个选项，请从列表中选择"
    not_after: str = ""
    is_time: bool = False

    @property
    def facts(self) -> FieldFacts:
        """What its column says."""
        return facts_of(self.column.column)

    @property
    def label(self) -> str:
        """Chinese label."""
        return self.facts.label


def period(label: str = "会计期间", *, not_after: str = "") -> Param:
    """A period of the books, the present one at first."""
    return Param(
        c.text(label, 10, required=True),
        default=lambda asked: asked.this_period,
        options=lambda asked: [(code, code) for code in asked.periods],
        missing="没有这个会计期间，请从列表中选择",
        not_after=not_after,
        is_time=True,
    )


def period_range() -> dict[str, Param]:
    """`first` and `last`: periods of the books."""
    return {"first": period("开始期间", not_after="last"), "last": period("结束期间")}


def span(first: str, last: str) -> str:
    """A range in words; one end where both are the same."""
    return first if first == last else f"{first} 至 {last}"


def day(label: str, *, not_after: str = "") -> Param:
    """A day, the business date at first."""
    column = c.day(label, required=True)
    return Param(column, default=lambda asked: asked.today, not_after=not_after, is_time=True)


def date_range(*, of_year: bool = False) -> dict[str, Param]:
    """`first` and `last`: days, from the first of the business month, or year, until today."""
    first = replace(
        day("开始日期", not_after="last"),
        default=lambda asked: (
            asked.today.replace(month=1, day=1) if of_year else asked.today.replace(day=1)
        ),
    )
    return {"first": first, "last": day("结束日期")}


def pick(label: str, target: str) -> Param:
    """A record chosen by typing, within the reader's scope: the report is given the record itself."""
    return Param(c.reference(label, target))


def one_of(label: str, kind: type[Kind]) -> Param:
    """A fixed code; empty for all of them."""
    return Param(c.enum(label, kind))


def choice(label: str, options: Options, default: str = "") -> Param:
    """One of a few words."""
    return Param(c.text(label, 40), default=lambda _: default, options=lambda _: options)


def tick(label: str, no: str = "否", yes: str = "是") -> Param:
    """Yes or no; no at first."""
    return Param(c.flag(label), default=lambda _: False, options=lambda _: [("", no), ("1", yes)])


class Compare(Kind):
    """What a report is set beside."""

    PREVIOUS = "上期"
    LAST_YEAR = "上年同期"


def moved(params: Mapping[str, Param], values: Mapping[str, Any], by: Compare) -> dict[str, Any]:
    """The values with their time moved back: by the length of its range, whole months by months, or by a year.

    A day beside a range (截至日期) moves along with it.
    """
    ends = {param.not_after for param in params.values()} - {""}
    ends |= {name for name, param in params.items() if param.not_after}
    times = [
        values[name]
        for name, param in params.items()
        if param.is_time and (name in ends or not ends)
    ]
    back = _back(min(times), max(times), by)
    return {
        name: back(value) if params[name].is_time else value
        for name, value in values.items()
        if name in params
    }


def _back(first: Any, last: Any, by: Compare) -> Callable[[Any], Any]:
    months = 12 if by is Compare.LAST_YEAR else _month(last) - _month(first) + 1
    if not isinstance(first, date):
        return lambda code: f"{_months_before(date.fromisoformat(f'{code}-01'), months):%Y-%m}"
    if by is Compare.LAST_YEAR or (first.day == 1 and _is_last(last)):
        return lambda on: _months_before(on, months)
    length = timedelta(days=(last - first).days + 1)
    return lambda on: on - length


def _is_last(on: date) -> bool:
    return (on + timedelta(days=1)).day == 1


def _months_before(on: date, months: int) -> date:
    """As many months before; of a month's last day the last one of that month."""
    return add_months(on, -months, day=31 if _is_last(on) else on.day)


def _month(of: date | str) -> int:
    year, month = str(of)[:4], str(of)[5:7]
    return int(year) * 12 + int(month)
