"""复制: a new form that begins with what a record holds, without what is the record's own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import UniqueConstraint, inspect

from models.base.entity import Entity
from views.kit.interface import EntityInterface, model_of, shape
from views.kit.pages import Action
from views.kit.record import may_save
from workflows.base.context import Ctx

PARAM = "copy"


def action(ctx: Ctx, record: Entity) -> list[Action]:
    """The entry of the record's menu; who goes along stages is renewed by a verb of its own instead."""
    model = type(record)
    if model.spec.line or not may_save(ctx, model, "add"):
        return []
    known, at_owner = shape(model), ""
    if known.owner is not None:
        at_owner = f"&owner={getattr(record, str(known.key(known.owner[0])))}"
    return [Action("复制", f"/{known.table}/add?{PARAM}={record.id}{at_owner}")]


def values(record: Entity) -> dict[str, Any]:
    """What goes over: never a number, a state, a key that is given once, or personal data behind a mask."""
    known, own = shape(type(record)), unique_names(type(record))
    found = {}
    for name in known.editable():
        facts, value = known.fields[name], known.fields[name].get(record)
        target = model_of(facts.target)
        if any((name in own, facts.mask, facts.is_attachment)):
            continue
        if target is not None:
            value = getattr(EntityInterface(target).get(value), "id", None)
        found[name] = value
    return found


def row_values(record: Entity, names: Sequence[str]) -> dict[str, Any]:
    """A row that goes over with its owner: all that its grid shows, but what stands once in the whole table."""
    known, alone = shape(type(record)), set[str]()
    for table in inspect(type(record)).tables:
        alone |= {column.key for column in table.columns if column.unique}
    kept = [name for name in names if name not in alone and not known.fields[name].mask]
    return {name: known.fields[name].get(record) for name in kept}


def unique_names(model: type[Entity]) -> set[str]:
    """Columns whose values stand once: alone, or the last of several that stand once together."""
    found = set(model.spec.key[-1:])
    for table in inspect(model).tables:
        found |= {column.key for column in table.columns if column.unique}
        together = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
        together += [index for index in table.indexes if index.unique]
        found |= {one.columns.keys()[-1] for one in together}
    return found
