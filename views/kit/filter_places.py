"""Where a filter looks: at a field of the list's own rows, of a record they refer to, or at rows that hang on them.

`stage`, `customer.industry` and `has.drawdown.amount` (or `has.drawdown` for the rows as such) in an address. What
lies in other tables counts as far as the reader may list them and sees their rows: a filter tells nothing that the
reader could not look up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, select

from models.base.entity import Entity, PartOf, parts_of
from models.base.fields import FieldFacts
from models.base.kinds import SpecKind
from reports.base.scope import scoped
from views.kit.filter_values import BadFilter
from views.kit.interface import model_of, shape
from workflows.base.context import Ctx

HAS: Final = "has"
Wrap = Callable[[ColumnElement[bool]], ColumnElement[bool]]


@dataclass(frozen=True)
class Place:
    """A field of `model` and how a condition on it becomes one on the list; no `facts`: whether such rows are there."""

    model: type[Entity]
    key: str
    facts: FieldFacts | None
    label: str
    wrap: Wrap


def place_of(ctx: Ctx, model: type[Entity], name: str) -> Place:
    """What the name of a filter means in the list of a model. Raises BadFilter."""
    first, dot, rest = name.partition(".")
    if not dot:
        key, facts = field_of(model, name)
        return Place(model, key, facts, facts.label, lambda found: found)
    if first == HAS:
        return _of_child(ctx, model, rest)
    return _of_linked(ctx, model, first, rest)


def field_of(model: type[Entity], name: str) -> tuple[str, FieldFacts]:
    """The field that may be filtered by under a name. Raises BadFilter."""
    known = shape(model)
    key = known.key(name)
    if key is None or key not in {*known.visible(), "id"}:
        raise BadFilter("没有这个字段")
    facts = known.fields[key]
    if facts.kept_in != key and not facts.is_filtered:
        raise BadFilter("这个字段没有设为可筛选")
    return key, facts


def links_of(ctx: Ctx, model: type[Entity]) -> Iterator[tuple[str, FieldFacts, type[Entity]]]:
    """The references of a list whose records the reader may look through, one step away."""
    known = shape(model)
    for key in known.visible():
        target = model_of(known.fields[key].target)
        if target is not None and target.spec.kind.has_screen and may_ask(ctx, target):
            yield key, known.fields[key], target


def children_of(ctx: Ctx, model: type[Entity]) -> Iterator[PartOf]:
    """The kinds of rows on the page of such a record that the reader may look through."""
    for one in parts_of(model).values():
        if one.model.spec.kind.has_screen and may_ask(ctx, one.model):
            yield one


def may_ask(ctx: Ctx, model: type[Entity]) -> bool:
    """Whether a filter may ask about rows of a table: settings are chosen from by everybody, the rest is listed."""
    is_setting = model.spec.scope.is_open and model.spec.kind is SpecKind.MASTER
    return is_setting or ctx.actor.may("list", str(model.__tablename__))


def _of_linked(ctx: Ctx, model: type[Entity], link: str, name: str) -> Place:
    _, facts = field_of(model, link)
    target = model_of(facts.target)
    if target is None or not target.spec.kind.has_screen:
        raise BadFilter(f"“{facts.label}”没有可以筛选的关联记录")
    _require(ctx, target)
    key, there = field_of(target, name)
    column = facts.sql(model)

    def wrap(found: ColumnElement[bool]) -> ColumnElement[bool]:
        query = select(target.id).where(found).correlate(None)
        return column.in_(scoped(query, target, ctx.actor, as_set=True))

    return Place(target, key, there, f"{facts.label} · {there.label}", wrap)


def _of_child(ctx: Ctx, model: type[Entity], rest: str) -> Place:
    table, dot, name = rest.partition(".")
    part = parts_of(model).get(table)
    if part is None or not part.model.spec.kind.has_screen:
        raise BadFilter("没有这种明细")
    child, label = part.model, part.model.spec.label
    _require(ctx, child)
    link = shape(child).fields[part.link].sql(child)

    def wrap(found: ColumnElement[bool]) -> ColumnElement[bool]:
        query = select(link).where(link.is_not(None), found).correlate(None)
        return model.id.in_(scoped(query, child, ctx.actor, as_set=True))

    if not dot:
        return Place(child, "", None, label, wrap)
    key, facts = field_of(child, name)
    return Place(child, key, facts, f"有{label} · {facts.label}", wrap)


def _require(ctx: Ctx, model: type[Entity]) -> None:
    if not may_ask(ctx, model):
        raise BadFilter(f"您没有“查看{model.spec.label}”的权限")
