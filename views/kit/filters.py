"""Filters in the address, `f=<field>:<operator>:<value>`: as conditions, as chips in words, as what can be added."""

import enum
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, ColumnElement, or_

from models.base.columns import UtcDateTime
from models.base.entity import Entity
from models.base.fields import FieldFacts
from models.base.moments import SHANGHAI
from models.base.money import parse_amount, round_to
from reports.figures import dictionaries
from views.kit.cells import Cells
from views.kit.interface import Shape, shape, valid_id, visible_title
from views.kit.pages import FilterChoice
from workflows.base.context import Ctx
from workflows.base.values import parse_rate

OPERATORS: dict[str, str] = {
    "eq": "等于",
    "ne": "不等于",
    "has": "包含",
    "starts": "开头是",
    "ge": "大于等于",
    "le": "小于等于",
    "between": "区间",
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
    "date": ("between", *(o for o in _ORDERED if o != "between")),
    "datetime": ("between", "ge", "le", "empty", "filled"),
    "enum": _CHOSEN,
    "dictionary": _CHOSEN,
    "reference": _CHOSEN,
    "bool": ("eq",),
}
MAX_FILTERS = 20
MAX_OPTIONS = 60  # a longer dictionary (regions, industries) is looked up by typing
MAX_LENGTH = 500
MAX_CHOICES = 100
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


class BadFilter(ValueError):
    """A filter of the address that cannot be understood; the message says why in Chinese."""


def operators(facts: FieldFacts) -> tuple[str, ...]:
    """Operators of a column; masked ones are compared whole only, or they could be guessed piece by piece."""
    if facts.mask:
        return ("eq", "empty", "filled")
    return BY_KIND.get(facts.kind, ())


def choices(ctx: Ctx, model: type[Entity]) -> list[FilterChoice]:
    """Filters that the list of a model offers."""
    known = shape(model)
    keys = [k for k in (known.key(n) for n in model.spec.filtered or model.spec.listed) if k]
    keys += [name for name, facts in known.fields.items() if facts.is_filtered]
    return [_choice(ctx, known, key) for key in dict.fromkeys(keys) if operators(known.facts(key))]


def _choice(ctx: Ctx, known: Shape, key: str) -> FilterChoice:
    facts = known.fields[key]
    offered = tuple((code, OPERATORS[code]) for code in operators(facts))
    found, lookup = options(ctx, facts), ""
    if facts.kind == "reference" or len(found) > MAX_OPTIONS:
        found, lookup = (), f"/{known.table}/lookup?field={key}"
    return FilterChoice(
        key, facts.label, facts.kind, operators=offered, options=found, lookup_url=lookup
    )


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
        problems.append(f"一次最多使用 {MAX_FILTERS} 个筛选条件，其余已忽略")
    for raw in dict.fromkeys(raws[:MAX_FILTERS]):
        try:
            found.append(_parse_one(ctx, model, raw, cells))
        except (BadFilter, ValueError, ArithmeticError) as error:
            words = str(error) if isinstance(error, BadFilter) else "不是有效的值"
            problems.append(f"筛选条件“{_short(raw)}”无法识别（{words}），已忽略")
    return found, problems


def _short(raw: str) -> str:
    clean = "".join(char if char.isprintable() else "·" for char in raw)
    return clean if len(clean) <= 40 else f"{clean[:40]}…"


def _parse_one(ctx: Ctx, model: type[Entity], raw: str, cells: Cells) -> Filter:
    known = shape(model)
    name, _, rest = raw.partition(":")
    operator, _, text = rest.partition(":")
    key = known.key(name)
    if key is None or key not in {*known.visible(), "id"}:
        raise BadFilter("没有这个字段")
    facts = known.fields[key]
    if facts.kept_in != key and not facts.is_filtered:
        raise BadFilter("这个字段没有设为可筛选")
    if operator not in operators(facts) and not (key == "id" and operator in {"eq", "in"}):
        raise BadFilter("没有这个操作符")
    if len(text) > MAX_LENGTH or "\x00" in text:
        raise BadFilter("值过长或含有非法字符")
    attribute = facts.sql(model)
    if operator in {"empty", "filled"}:
        return Filter(
            raw,
            key,
            operator,
            condition=_blank(facts, attribute, operator),
            label=facts.label,
            value="",
        )
    values = _values(ctx, facts, operator, text.strip())
    condition = _CONDITIONS[operator](attribute, values)
    words = _words(cells, facts, key, operator, values)
    return Filter(raw, key, operator, condition=condition, label=facts.label, value=words)


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
        parts = [part.strip() for part in text.split(",") if part.strip()][:MAX_CHOICES]
        if not parts:
            raise BadFilter("没有选项")
        return [value(ctx, facts, part) for part in parts]
    if text == "":
        raise BadFilter("没有值")
    return [value(ctx, facts, text)]


def value(ctx: Ctx, facts: FieldFacts, text: str) -> Any:
    """A value of the column as somebody typed it. Raises ValueError or ArithmeticError where it cannot be one."""
    return _READERS[facts.kind](ctx, facts, text)


def _read_rate(_: Ctx, facts: FieldFacts, text: str) -> Decimal:
    return round_to(parse_rate(text), facts.scale)


def _read_int(_: Ctx, __: FieldFacts, text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text.replace(",", "")):
        raise BadFilter("请填写整数")
    return int(text.replace(",", ""))


def _read_date(_: Ctx, __: FieldFacts, text: str) -> date:
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text, re.ASCII)
    if not match:
        raise BadFilter("日期应写作 2026-11-23")
    return date(int(match[1]), int(match[2]), int(match[3]))


def _read_enum(_: Ctx, facts: FieldFacts, text: str) -> enum.Enum:
    for member in facts.choices or ():
        if text in {member.name, str(member.value)}:
            return member
    raise BadFilter("没有这个选项")


def _read_flag(_: Ctx, __: FieldFacts, text: str) -> bool:
    words = {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}
    if text.lower() not in words:
        raise BadFilter("应为 是 或 否")
    return words[text.lower()]


def _read_text(_: Ctx, __: FieldFacts, text: str) -> str:
    return text


def _read_money(_: Ctx, __: FieldFacts, text: str) -> Decimal:
    return parse_amount(text)


def _read_id(_: Ctx, __: FieldFacts, text: str) -> int:
    found = valid_id(text)
    if found is None:
        raise BadFilter("请从列表中选择")
    return found


_READERS: dict[str, Callable[[Ctx, FieldFacts, str], Any]] = {
    "text": _read_text,
    "long_text": _read_text,
    "dictionary": _read_text,
    "money": _read_money,
    "rate": _read_rate,
    "int": _read_int,
    "date": _read_date,
    "datetime": _read_date,
    "enum": _read_enum,
    "bool": _read_flag,
    "reference": _read_id,
}


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
