"""A list in groups (X14): by a code, a record, a yes or no, or the month of a day, with counts and sums from SQL.

Every figure is of all rows of its group, however long the list; what is cut off is said and summed as the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, Select, String, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from models.base.custom import IsoDay
from models.base.moments import add_months
from models.base.money import format_money
from views.kit.interface import shape
from views.kit.lists import Grouping, ListQuery
from views.kit.pages import Cell, Column, ListPage, Paging, Row

MONTH: Final = "month"
MOST: Final = 200  # groups on a page
_KINDS: Final = ("enum", "dictionary", "reference", "bool")
_KEY: Final = "group_key"
_NOTHING: Final = (None, "")
_DAYS: Final = ("date", "datetime")


class _Month(FunctionElement[str]):
    """The month of a day, 2026-11; of a moment in Asia/Shanghai."""

    name = "list_month"
    inherit_cache = True
    type = String()
    forms: ClassVar[tuple[str, str]] = ("to_char({0}, 'YYYY-MM')", "substr({0}, 1, 7)")


class _MonthOfMoment(_Month):
    name = "list_month_of_moment"
    inherit_cache = True
    forms: ClassVar[tuple[str, str]] = (
        "to_char({0} + INTERVAL '8 hours', 'YYYY-MM')",
        "substr(datetime({0}, '+8 hours'), 1, 7)",
    )


class _MonthOfText(_Month):
    name = "list_month_of_text"
    inherit_cache = True
    forms: ClassVar[tuple[str, str]] = ("substr({0}, 1, 7)", "substr({0}, 1, 7)")


@compiles(_Month)
@compiles(_MonthOfMoment)
@compiles(_MonthOfText)
def _write_month(element: _Month, compiler: SQLCompiler, **options: Any) -> str:
    is_lite = compiler.dialect.name == "sqlite"
    inner = (compiler.process(one, **options) for one in element.clauses)
    return element.forms[is_lite].format(*inner)


@dataclass(frozen=True)
class Group:
    """One group: its words, the rows behind it, and what they add up to."""

    label: str
    url: str
    count: int
    sums: tuple[Decimal, ...]


def read(asked: ListQuery) -> None:
    """What the address wants the list grouped by; what cannot be is named."""
    text = asked.args.get("group", "")
    if not text:
        return
    name, _, part = text.partition(".")
    known = {address: key for key, address, _ in _ways(asked)}
    key = shape(asked.model).key(name)
    found = known.get(".".join(filter(None, (key, part))))
    if found is None:
        asked.problems.append("不能按这一字段分组，已按记录显示")
        return
    asked.group = Grouping(found, shape(asked.model).fields[found], is_month=part == MONTH)


def offered(asked: ListQuery) -> list[tuple[str, str, bool]]:
    """Label, address and whether it is so now, of each way to group the list."""
    ways = list(_ways(asked))
    if not ways:
        return []
    found = [("不分组", asked.url(group=None, page=None), asked.group is None)]
    for key, address, label in ways:
        is_now = asked.group is not None and asked.group.key == key
        found.append((label, asked.url(group=address, page=None), is_now))
    return found


def _ways(asked: ListQuery) -> Iterator[tuple[str, str, str]]:
    """Field, how an address says it, and its words, of each way to group the list."""
    known = shape(asked.model)
    names = (*asked.names, *asked.model.spec.filtered)
    for key in dict.fromkeys(filter(None, map(known.key, names))):
        facts = known.fields[key]
        if facts.mask:
            continue
        if facts.kind in _DAYS:
            yield key, f"{key}.{MONTH}", f"按{facts.label}的月份"
        elif facts.kind in _KINDS:
            yield key, key, f"按{facts.label}"


# ================================================================================================================= SQL
def _by(asked: ListQuery, group: Grouping) -> ColumnElement[Any]:
    column = group.facts.sql(asked.model)
    if not group.is_month:
        return column
    if isinstance(column.type, IsoDay):
        return _MonthOfText(column)
    return {"date": _Month, "datetime": _MonthOfMoment}[group.facts.kind](column)


def _query(asked: ListQuery, group: Grouping) -> Select[Any]:
    by = _by(asked, group).label(_KEY)
    count = func.count().label("group_count")
    query = asked.select(by, count, *asked.sum_columns(), as_set=True).select_from(asked.model)
    last = [by.desc().nulls_last()] if group.is_month else [count.desc(), by.asc().nulls_last()]
    return query.group_by(_KEY).order_by(*last)


def groups(asked: ListQuery, group: Grouping, most: int | None = None) -> list[Group]:
    """The groups in their order: months from the latest, others from the largest; at most so many."""
    found = asked.ctx.session.execute(_query(asked, group).limit(most)).all()
    if group.facts.target:
        asked.cells.titles.load(group.facts.target, (row[0] for row in found))
    return [
        Group(
            _words(asked, group, key),
            _drill(asked, group, key),
            int(count),
            tuple(Decimal(value or 0) for value in sums),
        )
        for key, count, *sums in found
    ]


def _words(asked: ListQuery, group: Grouping, key: Any) -> str:
    if key in _NOTHING:
        return "（空）"
    if group.is_month:
        return str(key)
    return asked.cells.text(group.key, key, plain=True)


def _drill(asked: ListQuery, group: Grouping, key: Any) -> str:
    """The rows of a group: the list with one filter more, ungrouped."""
    raws = [*dict.fromkeys(raw for raw in asked.args.getlist("f") if raw)]
    if (raw := f"{group.key}:{_operator(group, key)}") not in raws:
        raws.append(raw)
    return asked.url(f=raws, group=None, page=None)


def _operator(group: Grouping, key: Any) -> str:
    if key in _NOTHING:
        return "empty:"
    if group.is_month:
        first = date(int(key[:4]), int(key[5:]), 1)
        return f"between:{first}..{add_months(first, 1) - timedelta(days=1)}"
    if group.facts.kind == "bool":
        return f"eq:{str(key).lower()}"
    return f"eq:{getattr(key, 'name', key)}"


# ============================================================================================================== screen
def put(page: ListPage, asked: ListQuery) -> None:
    """Let a list show its groups instead of its rows."""
    assert asked.group is not None
    found = groups(asked, asked.group, MOST + 1)
    shown = found[:MOST]
    total, sums = asked.totals()
    page.columns = columns(asked, asked.group)
    page.rows = [_row(one) for one in shown]
    if len(found) > MOST:
        page.rows.append(_rest(shown, total, tuple(sums.values())))
    whole = {name: format_money(value) for name, value in sums.items()}
    page.sums = [("合计", {"count": f"{total:,}", **whole})] if shown else []
    page.paging = Paging(
        1, len(shown), len(shown), page=1, pages=1, size=MOST, sizes=(), links=(), unit="组"
    )
    page.bulk, page.later_sums = [], None


def columns(asked: ListQuery, group: Grouping) -> list[Column]:
    """Heads: what it is grouped by, the number of rows, and the sums."""
    known, label = shape(asked.model), group.facts.label
    heads = [
        Column("group", f"{label}（月）" if group.is_month else label),
        Column("count", "条数", "int"),
    ]
    for name in asked.summed():
        facts = known.facts(name)
        heads.append(Column(name, facts.label, "money", facts.unit))
    return heads


def _row(one: Group) -> Row:
    cells = [Cell(one.label, "link"), Cell(f"{one.count:,}", "int")]
    return Row("0", one.url, (*cells, *(Cell(format_money(value), "money") for value in one.sums)))


def _rest(shown: Sequence[Group], total: int, sums: Sequence[Decimal]) -> Row:
    """What the groups that do not stand on the page add up to."""
    count = total - sum(one.count for one in shown)
    left = [whole - sum(one.sums[at] for one in shown) for at, whole in enumerate(sums)]
    cells = [Cell("其余各组"), Cell(f"{count:,}", "int")]
    return Row("0", "", (*cells, *(Cell(format_money(value), "money") for value in left)))


def lines(asked: ListQuery, group: Grouping) -> Iterator[list[Any]]:
    """The groups for a file."""
    for one in groups(asked, group):
        yield [one.label, one.count, *one.sums]
