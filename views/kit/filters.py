"""Filters in the address, `f=<field>:<operator>:<value>`: as conditions, and as chips in words."""

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, ColumnElement, not_, or_, true

from models.base.columns import UtcDateTime
from models.base.entity import Entity
from models.base.fields import FieldFacts
from models.base.moments import SHANGHAI
from reports.base.periods import Period, period
from reports.figures import dictionaries
from views.kit.cells import Cells
from views.kit.filter_places import Place, place_of
from views.kit.filter_values import BadFilter, value
from views.kit.interface import visible_title
from workflows.base.context import Ctx

OPERATORS: dict[str, str] = {
    "eq": "等于",
    "ne": "不等于",
    "has": "包含",
    "starts": "开头是",
    "ge": "大于等于",
    "le": "小于等于",
    "between": "区间",
    "rel": "在",
    "empty": "为空",
    "filled": "不为空",
    "in": "属于",
}
_ORDERED = ("eq", "ne", "ge", "le", "between", "empty", "filled")
_CHOSEN = ("eq", "ne", "in", "empty", "filled")
BY_KIND: dict[str, tuple[str, ...]] = {
    "text": ("has", "eq", "ne", "starts", "empty", "filled"),
    "long_text": ("has", "empty", "filled"),
    "money": _ORDERED,
    "rate": _ORDERED,
    "int": _ORDERED,
    "date": ("rel", "between", *(o for o in _ORDERED if o != "between")),
    "datetime": ("rel", "between", "ge", "le", "empty", "filled"),
    "enum": _CHOSEN,
    "dictionary": _CHOSEN,
    "reference": _CHOSEN,
    "bool": ("eq",),
}
MAX_FILTERS = 20
MAX_OPTIONS = 60  # a longer dictionary (regions, industries) is looked up by typing
MAX_LENGTH = 2000
MAX_CHOICES = 100
ROWS = {"filled": "有", "empty": "没有"}  # of rows that hang on a record, as such
RANGE = ".."


@dataclass(frozen=True)
class Filter:
    """One understood filter: its condition, and the words of its chip."""

    raw: str
    key: str
    operator: str
    condition: ColumnElement[bool]
    label: str
    value: str
    said: str = ""  # the operator in words, where it has others than usual

    @property
    def words(self) -> str:
        """The operator in words."""
        return self.said or OPERATORS[self.operator]


def operators(facts: FieldFacts) -> tuple[str, ...]:
    """Operators of a column; masked ones are compared whole only, or they could be guessed piece by piece."""
    if facts.mask:
        return ("eq", "empty", "filled")
    return BY_KIND.get(facts.kind, ())


def options(ctx: Ctx, facts: FieldFacts) -> tuple[tuple[str, str], ...]:
    """(stored code, label) of a column with a fixed set of values."""
    kind = facts.kind
    if kind == "enum":
        return tuple((m.name, str(m.value)) for m in facts.choices or ())
    if kind == "dictionary":
        return tuple(dictionaries.items(ctx.session, facts.dictionary))
    if kind == "bool":
        return (("true", "是"), ("false", "否"))
    return ()


def parse(
    ctx: Ctx, model: type[Entity], raws: Sequence[str], cells: Cells
) -> tuple[list[Filter], list[str]]:
    """The filters of an address that can be understood, and a sentence for each that cannot."""
    found: list[Filter] = []
    problems: list[str] = []
    if len(raws) > MAX_FILTERS:
        problems.append(f"一次最多使用 {MAX_FILTERS} 个筛选条件")
    for raw in dict.fromkeys(raws[:MAX_FILTERS]):
        try:
            found.append(_parse_one(ctx, model, raw, cells))
        except (BadFilter, ValueError, ArithmeticError) as error:
            words = str(error) if isinstance(error, BadFilter) else "不是有效的值"
            problems.append(f"筛选条件“{_short(raw)}”无法识别（{words}）")
    return found, problems


def _short(raw: str) -> str:
    clean = "".join(char if char.isprintable() else "·" for char in raw)
    return clean if len(clean) <= 40 else f"{clean[:40]}…"


def _parse_one(ctx: Ctx, model: type[Entity], raw: str, cells: Cells) -> Filter:
    name, _, rest = raw.partition(":")
    operator, _, text = rest.partition(":")
    place = place_of(ctx, model, name)
    if place.facts is None:
        return _of_rows(place, raw, operator)
    facts = place.facts
    if operator not in operators(facts) and not (place.key == "id" and operator in {"eq", "in"}):
        raise BadFilter("没有这个操作符")
    if len(text) > MAX_LENGTH or "\x00" in text:
        raise BadFilter("值过长或含有非法字符")
    condition, words = _asked(ctx, place, operator, text.strip(), cells)
    return Filter(raw, name, operator, condition=condition, label=place.label, value=words)


def _of_rows(place: Place, raw: str, operator: str) -> Filter:
    """Whether rows of another table hang on a record at all."""
    if operator not in ROWS:
        raise BadFilter("没有这个操作符")
    found = place.wrap(true())
    condition = found if operator == "filled" else not_(found)
    return Filter(
        raw, raw, operator, condition=condition, label=place.label, value="", said=ROWS[operator]
    )


def _asked(
    ctx: Ctx, place: Place, operator: str, text: str, cells: Cells
) -> tuple[ColumnElement[bool], str]:
    """The condition on the list, and its value in words."""
    facts = place.facts
    assert facts is not None
    attribute = facts.sql(place.model)
    if operator in {"empty", "filled"}:
        return place.wrap(_blank(facts, attribute, operator)), ""
    if operator == "rel":
        days = _days(ctx, text)
        return place.wrap(_within(attribute, [days.low, days.high])), _days_words(days)
    values = _values(ctx, facts, operator, text)
    of_place = cells if place.model is cells.shape.model else Cells(ctx, place.model, cells.titles)
    words = _words(of_place, facts, place.key, operator, values)
    return place.wrap(_CONDITIONS[operator](attribute, values)), words


def _days(ctx: Ctx, text: str) -> Period:
    try:
        return period(text, ctx.today)
    except (ValueError, OverflowError) as error:
        raise BadFilter("时间段应写作 today、this_month、last_30、within_30 等") from error


def _days_words(days: Period) -> str:
    low, high = (str(day or "…") for day in (days.low, days.high))
    if low == high:
        return f"{days.label}（{low}）"
    return f"{days.label}（{low} 至 {high}）"


def _blank(facts: FieldFacts, attribute: Any, operator: str) -> ColumnElement[bool]:
    is_text = facts.kind in {"text", "long_text", "dictionary"}
    if operator == "empty":
        return or_(attribute.is_(None), attribute == "") if is_text else attribute.is_(None)
    return (attribute.is_not(None) & (attribute != "")) if is_text else attribute.is_not(None)


def _values(ctx: Ctx, facts: FieldFacts, operator: str, text: str) -> list[Any]:
    if operator == "between":
        low, mark, high = text.partition(RANGE)
        if not mark:
            raise BadFilter(f"区间应写作 起{RANGE}止")
        pair = [value(ctx, facts, part.strip()) if part.strip() else None for part in (low, high)]
        if pair == [None, None]:
            raise BadFilter("区间两端都为空")
        return pair
    if operator == "in":
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if not parts:
            raise BadFilter("没有选项")
        if len(parts) > MAX_CHOICES:
            raise BadFilter(f"最多 {MAX_CHOICES} 个选项")
        return [value(ctx, facts, part) for part in parts]
    if text == "":
        raise BadFilter("没有值")
    return [value(ctx, facts, text)]


def _first(value: Any) -> Any:
    """A day that stands for a moment begins at midnight in Shanghai."""
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return (
        datetime(value.year, value.month, value.day, tzinfo=SHANGHAI).astimezone(UTC)
        if is_day
        else value
    )


def _is_moment(attribute: Any) -> bool:
    return isinstance(attribute.type, UtcDateTime)


def _at_least(attribute: Any, values: list[Any]) -> ColumnElement[bool]:
    return attribute >= (_first(values[0]) if _is_moment(attribute) else values[0])


def _at_most(attribute: Any, values: list[Any]) -> ColumnElement[bool]:
    if _is_moment(attribute):
        return attribute < _first(values[0] + timedelta(days=1))
    return attribute <= values[0]


def _within(attribute: Any, values: list[Any]) -> ColumnElement[bool]:
    low, high = values
    if low is None:
        return _at_most(attribute, [high])
    if high is None:
        return _at_least(attribute, [low])
    return _at_least(attribute, [low]) & _at_most(attribute, [high])


def _equal(attribute: Any, values: list[Any]) -> ColumnElement[bool]:
    if isinstance(attribute.type, Boolean):
        return attribute.is_(values[0])
    return attribute == values[0]


def among(column: str, values: Iterable[enum.Enum]) -> str:
    """The condition that a column is one of these, as it stands in an address."""
    return f"{column}:in:{','.join(value.name for value in values)}"


def escape_like(text: str) -> str:
    """Text for LIKE ... ESCAPE '/'."""
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_")


_CONDITIONS: dict[str, Callable[[Any, list[Any]], ColumnElement[bool]]] = {
    "eq": _equal,
    "ne": lambda attribute, values: or_(attribute != values[0], attribute.is_(None)),
    "has": lambda attribute, values: attribute.like(f"%{escape_like(values[0])}%", escape="/"),
    "starts": lambda attribute, values: attribute.like(f"{escape_like(values[0])}%", escape="/"),
    "ge": _at_least,
    "le": _at_most,
    "between": _within,
    "in": lambda attribute, values: attribute.in_(values),
}


def _words(cells: Cells, facts: FieldFacts, key: str, operator: str, values: list[Any]) -> str:
    if facts.kind == "reference":
        shown = [visible_title(cells.titles, facts.target, v) or f"序号 {v}" for v in values[:5]]
        return "、".join(shown) + (f" 等 {len(values)} 项" if len(values) > 5 else "")
    shown = ["…" if v is None else _word(cells, key, v) for v in values]
    return " 至 ".join(shown) if operator == "between" else "、".join(shown)


def _word(cells: Cells, key: str, value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) else cells.text(key, value, plain=True)
    return text if len(text) <= 40 else f"{text[:40]}…"
