"""What a piece of configuration says, with its parts, in words that hold in any installation (X15).

A thing (`Thing`) is named by its table and the columns of `Config.of`; its content is a list of rows, each
`{"values": {field: value}, "parts": {table: [rows]}}`. Values stand as the trail keeps them, references by the natural
key (`Spec.key`) of their record, its parts joined by "|"; what is empty is left out. No surrogate id, stamp or state
is in it, so that two installations that are set up alike have the same content.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from models.base.entity import (
    Config,
    Entity,
    editable_columns,
    entities,
    entity_of,
    fields_of,
    owner_of,
)
from models.base.fields import FieldFacts
from models.base.kinds import SpecKind
from models.base.plain import plain
from reports.figures.custom_fields import fields_now

Row = dict[str, Any]
Content = list[Row]
Item = TypeVar("Item")
BLOCK: Final = 500
More = Callable[[Session, list[int]], Mapping[int, list[Row]]]
# Further rows that are part of a thing and no entity (the rights of a role): by the name that its content has for them.
_MORE: dict[type[Entity], dict[str, More]] = {}


_RIGHTS: Final = {"role_profile": ("edit", "ab_role")}


@dataclass(frozen=True)
class Extra:
    """How rows that are no entity are called, and how one reads."""

    label: str
    words: Callable[[Row], str]


EXTRAS: dict[str, Extra] = {}
_UNKNOWN: Final = FieldFacts()  # a custom field that is out of use


def also(model: type[Entity], name: str, more: More, extra: Extra) -> None:
    """Register rows that belong to a piece of configuration beside those of its parts: by number, in their order."""
    _MORE.setdefault(model, {})[name] = more
    EXTRAS[name] = extra


@cache
def _tables() -> frozenset[str]:
    return frozenset(str(model.__tablename__) for model in entities())


class Thing(NamedTuple):
    """A piece of configuration as the database names it: its table and the values of the columns of `Config.of`."""

    table: str
    key: tuple[Any, ...]


@dataclass(frozen=True)
class Found:
    """A thing as it stands: its rows, and their numbers in this installation."""

    content: Content
    ids: tuple[int, ...] = ()


def config_of(model: type[Entity]) -> Config:
    """What a table of configuration says of itself."""
    assert model.spec.config is not None
    return model.spec.config


def label_of(table: str) -> str:
    """What people call this kind of configuration; the table itself where it is none: people filter by any word."""
    config = entity_of(table).spec.config if table in _tables() else None
    return (config.label if config else "") or table_label(table)


def table_label(table: str) -> str:
    """What people call the records of a table; the table itself where it is none of ours."""
    return entity_of(table).spec.label if table in _tables() else table


def kinds() -> dict[str, str]:
    """Label by table of all kinds of configuration."""
    return {
        str(m.__tablename__): label_of(str(m.__tablename__)) for m in entities() if m.spec.config
    }


def right_to_change(table: str) -> tuple[str, str]:
    """The permission by which people change this kind of configuration; roles have one of their own."""
    return _RIGHTS.get(table, ("edit", table))


def key_columns(model: type[Entity]) -> tuple[str, ...]:
    """The columns that name a thing."""
    return config_of(model).of or model.spec.key


def parts_below(model: type[Entity]) -> tuple[tuple[type[Entity], str], ...]:
    """Tables whose rows are part of a piece of configuration, with the column that names their owner."""
    return _parts_below(str(model.__tablename__))


@cache
def _parts_below(table: str) -> tuple[tuple[type[Entity], str], ...]:
    found, model = [], entity_of(table)
    for part in entities():
        owner = owner_of(part)
        if owner is None or owner[1] is not model:
            continue
        if part.spec.config is None and part.spec.kind not in (SpecKind.LOG, SpecKind.INTERNAL):
            found.append((part, f"{owner[0]}_id"))
    return tuple(found)


def way_up(model: type[Entity]) -> tuple[tuple[type[Entity], str], ...] | None:
    """From a table to the configuration that it belongs to: the owners with the columns that name them.

    Empty for the configuration itself, None where it is part of none.
    """
    return _way_up(str(model.__tablename__))


@cache
def _way_up(table: str) -> tuple[tuple[type[Entity], str], ...] | None:
    model = entity_of(table)
    if model.spec.config is not None:
        return ()
    owner = owner_of(model)
    if owner is None:
        return None
    above = way_up(owner[1])
    if above is None:
        return None
    return ((owner[1], f"{owner[0]}_id"), *above)


def columns_in(model: type[Entity], owner: str = "") -> list[str]:
    """The fields of a row that its content holds: what people fill in, and what names it."""
    known = fields_of(model)
    named = (
        [name for name in (*key_columns(model), *model.spec.key) if name in known]
        if model.spec.config
        else []
    )
    wanted = {*editable_columns(model), *named} - {owner}
    return [name for name in known if name in wanted and _is_told(known[name])]


def _is_told(facts: FieldFacts) -> bool:
    """What refers to a row of the framework is a number of this installation alone."""
    return facts.target in {"", *_tables()}


def things_of(session: Session, model: type[Entity], ids: Iterable[int]) -> dict[int, Thing]:
    """The thing that each row of a table of configuration belongs to, as the database has it."""
    columns = [getattr(model, name) for name in key_columns(model)]
    found: dict[int, Thing] = {}
    for some in batched(ids):
        rows = session.execute(select(model.id, *columns).where(model.id.in_(some)))
        found |= {key: Thing(str(model.__tablename__), tuple(values)) for key, *values in rows}
    return found


def read(session: Session, things: Iterable[Thing]) -> dict[Thing, Found]:
    """Each thing as the database has it now; a query for each level, whatever the number of things."""
    by_table: dict[str, list[Thing]] = defaultdict(list)
    for thing in things:
        by_table[thing.table].append(thing)
    found: dict[Thing, Found] = {}
    for table, wanted in by_table.items():
        for some in batched(wanted):
            found |= _Reader(session).things(entity_of(table), some)
    return found


def batched(wanted: Iterable[Item]) -> Iterator[list[Item]]:
    """So many at once as both databases take in one statement."""
    left = list(wanted)
    for start in range(0, len(left), BLOCK):
        yield left[start : start + BLOCK]


def content_of(session: Session, record: Entity) -> Row:
    """One row as a content would have it, whatever its state, without what tells it from others of its thing."""
    model = type(record)
    return unnumbered(model, [_Reader(session).one(model, record.id)])[0]


def unnumbered(model: type[Entity], content: Content) -> Content:
    """What a content says apart from the numbers that its versions were given."""
    rest = set(model.spec.key) - set(key_columns(model)) - set(editable_columns(model))
    return [
        {**row, "values": {name: v for name, v in row["values"].items() if name not in rest}}
        for row in content
    ]


def name_of(session: Session, thing: Thing) -> str:
    """The natural key of a thing as text, its parts joined by "|"."""
    model, names = Keys(session), key_columns(entity_of(thing.table))
    known = fields_of(entity_of(thing.table))
    wanted: dict[str, set[int]] = defaultdict(set)
    for name, value in zip(names, thing.key, strict=True):
        if known[name].target and value is not None:
            wanted[known[name].target].add(value)
    for table, ids in wanted.items():
        model.load(table, ids)
    words = [model.word(known[name], value) for name, value in zip(names, thing.key, strict=True)]
    return "|".join(words)


class Keys:
    """Natural keys of records, read once each."""

    def __init__(self, session: Session) -> None:
        """Start with nothing known."""
        self.session = session
        self._known: dict[str, dict[int, str]] = defaultdict(dict)

    def load(self, table: str, ids: Iterable[int]) -> None:
        """Learn the keys of these records; those that they consist of come along."""
        wanted = sorted(set(ids) - self._known[table].keys())
        if not wanted:
            return
        model = entity_of(table)
        names, known = model.spec.key, fields_of(model)
        columns = [getattr(model, name) for name in names]
        query = select(model.id, *columns)
        rows = [
            row
            for some in batched(wanted)
            for row in self.session.execute(query.where(model.id.in_(some)))
        ]
        for place, name in enumerate(names, 1):
            if known[name].target:
                self.load(
                    known[name].target, {row[place] for row in rows if row[place] is not None}
                )
        for key, *values in rows:
            words = [
                self.word(known[name], value) for name, value in zip(names, values, strict=True)
            ]
            self._known[table][key] = "|".join(words)

    def text(self, table: str, record_id: int | None) -> str:
        """The key of a record that was loaded; empty for none."""
        return "" if record_id is None else self._known[table].get(record_id, "")

    def word(self, facts: FieldFacts, value: Any) -> str:
        """One part of a key: a reference by the key of its record."""
        return self.text(facts.target, value) if facts.target else str(plain(value))


class _Reader:
    """Reads things of one table, level by level; references are put into words at the end, all at once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.keys = Keys(session)
        self.open: list[tuple[dict[str, Any], str, str, int]] = []

    def things(self, model: type[Entity], wanted: Sequence[Thing]) -> dict[Thing, Found]:
        """The rows of each thing, in the order of their keys."""
        names = key_columns(model)
        rows = self._level(model, self._where(model, names, wanted), names)
        self._name()
        grouped: dict[Thing, list[tuple[int, Row]]] = {thing: [] for thing in wanted}
        for key, place, row in rows:
            grouped[Thing(str(model.__tablename__), place)].append((key, row))
        return {thing: self._found(model, found) for thing, found in grouped.items()}

    def one(self, model: type[Entity], record_id: int) -> Row:
        """One row of a table of configuration."""
        ((_, _, row),) = self._level(model, model.id == record_id, key_columns(model))
        self._name()
        self._sort(model, row)
        return row

    def _found(self, model: type[Entity], rows: list[tuple[int, Row]]) -> Found:
        rows.sort(key=lambda one: order(model, one[1]))
        for _, row in rows:
            self._sort(model, row)
        return Found([row for _, row in rows], tuple(key for key, _ in rows))

    def _sort(self, model: type[Entity], row: Row) -> None:
        for part, _ in parts_below(model):
            below = row["parts"].get(str(part.__tablename__), [])
            below.sort(key=lambda one, of=part: order(of, one))
            for one in below:
                self._sort(part, one)

    def _where(
        self, model: type[Entity], names: tuple[str, ...], wanted: Sequence[Thing]
    ) -> ColumnElement[bool]:
        columns = [getattr(model, name) for name in names]
        if len(columns) == 1:
            where = columns[0].in_([thing.key[0] for thing in wanted])
        else:
            where = or_(
                *(and_(*(c == v for c, v in zip(columns, t.key, strict=True))) for t in wanted)
            )
        states = config_of(model).in_force
        return and_(where, getattr(model, model.spec.state).in_(states)) if states else where

    def _level(
        self, model: type[Entity], where: ColumnElement[bool], places: tuple[str, ...]
    ) -> list[tuple[int, tuple[Any, ...], Row]]:
        """(number, where it belongs, content) of the rows of a table, with all below them."""
        names = columns_in(model, "" if model.spec.config else places[0])
        columns = [getattr(model, name) for name in (*places, *names)]
        known, found = fields_now(self.session, model), []
        for key, extra, *values in self.session.execute(
            select(model.id, model.extra, *columns).where(where)
        ):
            said = dict(zip(names, values[len(places) :], strict=True)) | (extra or {})
            found.append((key, tuple(values[: len(places)]), self._row(known, said)))
        by_id = {key: row for key, _, row in found}
        if by_id:
            self._below(model, by_id)
        return found

    def _below(self, model: type[Entity], by_id: dict[int, Row]) -> None:
        for part, column in parts_below(model):
            owner = getattr(part, column)
            for some in batched(by_id):
                for _, (key,), row in self._level(part, owner.in_(some), (column,)):
                    by_id[key]["parts"].setdefault(str(part.__tablename__), []).append(row)
        for more, rows in _MORE.get(model, dict[str, More]()).items():
            for key, below in rows(self.session, list(by_id)).items():
                by_id[key]["parts"][more] = below

    def _row(self, known: Mapping[str, FieldFacts], said: Mapping[str, Any]) -> Row:
        values = dict[str, Any]()
        for name, value in said.items():
            if value in (None, ""):
                continue
            facts = known.get(name, _UNKNOWN)
            if facts.target in _tables():
                self.open.append((values, name, facts.target, int(value)))
            values[name] = plain(value)
        return {"values": values, "parts": {}}

    def _name(self) -> None:
        """Put the natural keys of what rows refer to in the place of their numbers."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for _, _, table, key in self.open:
            wanted[table].add(key)
        for table, ids in wanted.items():
            self.keys.load(table, ids)
        for values, name, table, key in self.open:
            values[name] = self.keys.text(table, key)
        self.open.clear()


def order(model: type[Entity], row: Row) -> tuple[tuple[bool, Any], ...]:
    """Where a row stands among those of its owner: by the rest of its natural key, numbers as numbers."""
    values = [row["values"].get(name, "") for name in model.spec.key]
    return tuple((isinstance(value, str), value) for value in values)
