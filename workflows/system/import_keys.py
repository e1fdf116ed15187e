"""Which record a row of a file is about: by its key, and which it is like (X3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from sqlalchemy import select

from models.base.entity import Entity
from models.base.fields import FieldFacts
from reports.base.scope import scoped
from reports.figures.custom_fields import fields_seen
from workflows.base.context import Ctx
from workflows.base.values import coerce

_PHONES: Final = ("mobile", "phone")


class Alike(Protocol):
    """A row that may be like a record."""

    given: dict[str, Any]
    alike: str


def key_of(ctx: Ctx, model: type[Entity], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """What tells a row's record from others, as it is stored; None where the row does not say all of it."""
    known = fields_seen(ctx.session, model, ctx.actor)
    names = model.spec.key or tuple(n for n in given if n in known)
    key: dict[str, Any] = {}
    for name in names:
        facts = known[name]
        value = given.get(name, facts.default if facts.has_default else None)
        try:
            key[name] = coerce(replace(facts, required=False), value)
        except ValueError:
            return None
        if key[name] is None and not (facts.is_nullable and name in model.spec.key):
            return None
    if set(key.values()) == {None}:
        return None
    return key


def matching(ctx: Ctx, model: type[Entity], key: Mapping[str, Any]) -> list[Entity]:
    """Records within scope with this key, two at most; letters and blanks of numbers as the rules write them."""
    known = fields_seen(ctx.session, model, ctx.actor)
    where = []
    for name, value in key.items():
        written = {value}
        if isinstance(value, str) and name in model.spec.key:
            written = ways(value)
        field = known[name].sql(model)
        where.append(field.is_(None) if value is None else field.in_(sorted(written, key=str)))
    query = scoped(select(model).where(*where).limit(2), model, ctx.actor)
    return list(ctx.session.scalars(query).unique().all())


Known = dict[tuple[Any, ...], list[Entity]]


def known_by_key(ctx: Ctx, model: type[Entity], rows: Sequence[Mapping[str, Any]]) -> Known:
    """The records that rows are about, by key: one question for all rows, where the key ends in a text."""
    keys = [key for row in rows if (key := key_of(ctx, model, row)) is not None]
    if not keys:
        return {}
    last = list(keys[0])[-1]
    facts = fields_seen(ctx.session, model, ctx.actor)[last]
    if facts.kind != "text" or any(list(key)[-1] != last or key[last] is None for key in keys):
        return {tuple(key.values()): matching(ctx, model, key) for key in keys}
    wanted = sorted({way for key in keys for way in ways(key[last])})
    query = scoped(select(model).where(facts.sql(model).in_(wanted)), model, ctx.actor)
    by_value: dict[Any, list[Entity]] = {}
    for record in ctx.session.scalars(query).unique():
        by_value.setdefault(facts.get(record), []).append(record)
    return {tuple(key.values()): _of_key(ctx, model, key, by_value) for key in keys}


def _of_key(
    ctx: Ctx, model: type[Entity], key: Mapping[str, Any], by_value: Mapping[Any, list[Entity]]
) -> list[Entity]:
    known = fields_seen(ctx.session, model, ctx.actor)
    *others, last = key
    return [
        record
        for way in sorted(ways(key[last]))
        for record in by_value.get(way, ())
        if all(known[name].get(record) == key[name] for name in others)
    ]


def ways(value: str) -> set[str]:
    """A number as it may have been written, and as the rules write it."""
    return {value, value.upper(), value.upper().replace(" ", "").replace("-", "")}


def likeness(ctx: Ctx, model: type[Entity], lines: Sequence[Alike]) -> None:
    """Tell which new rows have the name or telephone of a record that is there."""
    known = fields_seen(ctx.session, model, ctx.actor)
    names = [
        name
        for name, facts in known.items()
        if (name == model.spec.title or facts.check in _PHONES)
        and facts.kind == "text"
        and facts.is_filled_in
        and model.spec.key != (name,)
    ]
    for name in names:
        wanted = {str(line.given[name]) for line in lines if name in line.given}
        for value, record in _alike(ctx, model, known[name], wanted).items():
            for line in lines:
                if str(line.given.get(name)) == value:
                    words = f"{known[name].label}与已有“{record}”相同"
                    line.alike = "；".join(filter(None, (line.alike, words)))[:300]


def _alike(
    ctx: Ctx, model: type[Entity], facts: FieldFacts, wanted: Iterable[str]
) -> dict[str, Entity]:
    values = sorted(wanted)
    if not values:
        return {}
    query = scoped(select(model).where(facts.sql(model).in_(values)), model, ctx.actor)
    return {str(facts.get(record)): record for record in ctx.session.scalars(query).unique()}
