"""What differs between two contents of a piece of configuration, in the words of its fields (X15)."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from models.base.custom import CustomFacts
from models.base.entity import Entity, entity_of, fields_of, owner_of
from models.base.fields import FieldFacts
from models.base.masks import mask
from models.base.money import format_money
from reports.figures import dictionaries
from reports.figures.configuration import EXTRAS, Content, Row, key_columns
from reports.figures.custom_fields import fields_now

NONE: Final = "—"
LONG: Final = 80  # characters from which a text is compared line by line
LINES: Final = 40


@dataclass(frozen=True)
class Change:
    """One difference: of which row (empty for the thing itself), of which field (empty for all of it), old and new."""

    place: str
    label: str
    old: str
    new: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In one line."""
        what = " ".join(filter(None, (self.place, self.label)))
        if not self.label:
            return f"{'新增' if self.old == NONE else '删除'}{what}"
        if self.lines:
            return f"{what}：{len(self.lines)} 行不同"
        return f"{what}：{_short(self.old)} → {_short(self.new)}"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else f"{flat[:40]}…"


def changes(session: Session, table: str, before: Content, after: Content) -> list[Change]:
    """Fields that differ, and rows that are new or gone; those of a whole that is new or gone are not told apart."""
    return list(
        _Compare(session).rows(entity_of(table), before, after, key_columns(entity_of(table)))
    )


def in_words(found: Iterable[Change], most: int = 480) -> str:
    """The differences in one line of at most so many characters."""
    text = ""
    for one in found:
        longer = f"{text}；{one}" if text else str(one)
        if len(longer) > most:
            return f"{text} 等" if text else longer[:most]
        text = longer
    return text


class _Compare:
    """Compares, and looks up once what references are called."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._titles: dict[tuple[str, str], str] = {}

    def rows(
        self, model: type[Entity], before: Content, after: Content, whole: tuple[str, ...]
    ) -> Iterator[Change]:
        """Rows of one owner, those of the same key beside each other."""
        if model.spec.config is not None and len(before) == len(after) == 1:
            yield from self._row(model, before[0], after[0], "")
            return
        olds = {identity(model, row, whole): row for row in before}
        news = {identity(model, row, whole): row for row in after}
        is_alone = len(olds | news) == 1
        for key in [*olds, *(key for key in news if key not in olds)]:
            place = self._place(model, (olds | news)[key], whole, is_alone=is_alone)
            if key not in olds:
                yield from self._new(model, news[key], before, place)
            elif key not in news:
                what = self.place_of(model, olds[key])
                yield Change(what, "", what, NONE)
            else:
                yield from self._row(model, olds[key], news[key], place)

    def _new(self, model: type[Entity], row: Row, before: Content, place: str) -> Iterator[Change]:
        """A row that was not there: what it changes of what held until its day, else that it is new."""
        base = _in_force(model, before, row)
        if base is None:
            what = self.place_of(model, row)
            yield Change(what, "", NONE, what)
        else:
            yield from self._row(model, _undated(model, base), _undated(model, row), f"{place}起")

    def _place(
        self, model: type[Entity], row: Row, whole: tuple[str, ...], *, is_alone: bool
    ) -> str:
        """What a row is called: the thing itself needs no name, of its rows each has the rest of its key."""
        if model.spec.config is None:
            return self.place_of(model, row)
        rest = [name for name in model.spec.key if name not in whole]
        if is_alone or not rest:
            return ""
        return f"{self._value(fields_of(model)[rest[0]], row, rest[0])} "

    def place_of(self, model: type[Entity], row: Row) -> str:
        """A part by its kind and what it is called."""
        return f"{model.spec.label}“{self.title(model, row)}”"

    def title(self, model: type[Entity], row: Row) -> str:
        """What a row is called."""
        known, name = fields_of(model), model.spec.title
        name = name if name in known else f"{name}_id"
        if name not in row["values"]:
            name = next(key for key in model.spec.key if key not in _owner_key(model))
        return self._value(known[name], row, name)

    def _row(self, model: type[Entity], old: Row, new: Row, place: str) -> Iterator[Change]:
        known = fields_now(self.session, model)
        for name in [*known, *sorted((old["values"].keys() | new["values"].keys()) - known.keys())]:
            if old["values"].get(name) != new["values"].get(name):
                yield self._field(known.get(name) or FieldFacts(name, name), old, new, place)
        for table in dict.fromkeys([*old["parts"], *new["parts"]]):
            yield from self._parts(table, old["parts"].get(table, []), new["parts"].get(table, []))

    def _parts(self, table: str, before: Content, after: Content) -> Iterator[Change]:
        extra = EXTRAS.get(table)
        if extra is None:
            part = entity_of(table)
            yield from self.rows(part, before, after, _owner_key(part))
            return
        for row in [one for one in before if one not in after]:
            yield Change(f"{extra.label}“{extra.words(row)}”", "", extra.words(row), NONE)
        for row in [one for one in after if one not in before]:
            yield Change(f"{extra.label}“{extra.words(row)}”", "", NONE, extra.words(row))

    def _field(self, facts: FieldFacts, old: Row, new: Row, place: str) -> Change:
        before, after = (self._value(facts, row, facts.name) for row in (old, new))
        lines: tuple[str, ...] = ()
        if facts.kind == "long_text" and max(len(before), len(after)) > LONG:
            lines = tuple(_lines(before, after))
        return Change(place.strip(), facts.label or facts.name, before, after, lines)

    def _value(self, facts: FieldFacts, row: Row, name: str) -> str:
        """A value of a content as people read it, masked where pages mask it."""
        value: Any = row["values"].get(name)
        if value is None:
            return NONE
        if isinstance(facts, CustomFacts) and facts.visible_to:
            return "（限定角色可见）"
        if facts.mask:
            return mask(str(value), facts.mask)
        return self._word(facts, value)

    def _word(self, facts: FieldFacts, value: Any) -> str:
        if facts.choices is not None:
            members = facts.choices.__members__
            return str(members[value].value) if value in members else str(value)
        match facts.kind:
            case "bool":
                return "是" if value else "否"
            case "dictionary":
                return dictionaries.label(self.session, facts.dictionary, str(value))
            case "money":
                return format_money(Decimal(value))
            case "rate":
                return f"{Decimal(value).normalize():f}"
            case "reference":
                return self._called(facts.target, str(value))
        return str(value)

    def _called(self, table: str, key: str) -> str:
        """A record by its key and its name."""
        if (table, key) not in self._titles:
            model, title = entity_of(table), entity_of(table).spec.title
            known = fields_of(model)
            is_plain = len(model.spec.key) == 1 and title in known and not known[title].target
            found = None
            if is_plain:
                column = cast(getattr(model, model.spec.key[0]), String)
                found = self.session.scalar(select(getattr(model, title)).where(column == key))
            self._titles[table, key] = f"{found}" if found else key
        return self._titles[table, key]


def _owner_key(model: type[Entity]) -> tuple[str, ...]:
    """The column by which a row names what it is part of."""
    owner = owner_of(model)
    return (f"{owner[0]}_id",) if owner else ()


def _in_force(model: type[Entity], before: Content, new: Row) -> Row | None:
    """What held before a row that holds from a day on."""
    if model.spec.config is None or not model.spec.config.since:
        return None
    since = model.spec.config.since
    day = new["values"][since]
    earlier = [row for row in before if row["values"][since] < day]
    return max(earlier, key=lambda row: str(row["values"][since]), default=None)


def _undated(model: type[Entity], row: Row) -> Row:
    assert model.spec.config is not None
    since = model.spec.config.since
    return {**row, "values": {name: v for name, v in row["values"].items() if name != since}}


def identity(model: type[Entity], row: Row, whole: tuple[str, ...]) -> str:
    """By what a row is found again among those of its owner."""
    names = [name for name in model.spec.key if name not in whole] or model.spec.key
    return "|".join(str(row["values"].get(name, "")) for name in names)


def _lines(before: str, after: str) -> Iterator[str]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    shown = [line for line in found if not line.startswith(("---", "+++", "@@"))]
    yield from shown[:LINES]
    if len(shown) > LINES:
        yield f"…… 共 {len(shown)} 行不同"
