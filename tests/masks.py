"""Records with every masked column filled in, made from the models: tests of masks name no entity."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.entity import (
    Entity,
    columns_of,
    editable_columns,
    entities,
    entity_of,
    fields_of,
    owner_of,
)
from models.base.fields import facts_of
from tests.workflows.approval_world import required_values

# A value that each mask is for, and the check of its column accepts.
PLAIN = {
    "id_number": "11010519491231002X",
    "mobile": "13800138000",
    "account": "6222021234567890123",
    "address": "江州市滨江区人民路 18 号 3 幢 502 室",
}
# What the rules of an entity ask of its row beyond the columns, by table: a row of a list agrees with the day of its
# batch, and is about somebody whom the register does not know under another name.
AGREED: Final[Mapping[str, Mapping[str, Any]]] = {
    "history_batch": {"as_of": date(2026, 3, 31)},
    "history_guarantee": {"id_number": "110105194912310118"},
    "batch_loan": {"id_number": "110105194912310118"},
}


def masked_columns() -> list[tuple[type[Entity], str]]:
    """(entity, column) of everything that is shown masked."""
    return [
        (model, name)
        for model in entities()
        for name, col in columns_of(model).items()
        if facts_of(col).mask
    ]


def saved_masks() -> dict[type[Entity], list[str]]:
    """Entities that people edit, with their masked columns."""
    found: dict[type[Entity], list[str]] = {}
    for model, name in masked_columns():
        if "edit" in model.spec.saved_by and name in editable_columns(model):
            found.setdefault(model, []).append(name)
    return found


def plain_of(model: type[Entity], name: str) -> str:
    """A plain value for a masked column."""
    return PLAIN[fields_of(model)[name].mask]


def whole_record(session: Session, model: type[Entity], tag: str) -> Entity:
    """A stored record of a model (the first one, if there is any), with its owner and all its masked columns."""
    if found := session.scalars(select(model).order_by(model.id)).first():
        return found
    known = columns_of(model)
    rates = {
        n: 1
        for n, column in known.items()
        if facts_of(column).kind == "rate" and not column.nullable
    }
    values = required_values(model) | rates
    owner = owner_of(model)
    if owner is not None:
        target = next(
            kind for kind in (owner[1], *owner[1].__subclasses__()) if "edit" in kind.spec.saved_by
        )
        values[f"{owner[0]}_id"] = whole_record(session, target, f"{tag}O").id
    asked = {n: fields_of(model)[n] for n in values if fields_of(model)[n].kind == "reference"}
    for place, (name, facts) in enumerate(asked.items()):
        if isinstance(values[name], str):
            values[name] = whole_record(session, entity_of(facts.target), f"{tag}R{place}").id
    keys = {
        "number": f"N{tag}",
        "code": f"C{tag}",
        "name": f"甲{tag}",
        "uscc": "91440101MA5AAAAA1A",
        "department_id": 1,
        "manager_id": 1,
    }
    values |= {name: key for name, key in keys.items() if name in known}
    values |= {
        name: plain_of(model, name) for name, column in known.items() if facts_of(column).mask
    }
    if "id_number" in known and "uscc" in known and known["uscc"].nullable:
        del values["uscc"]  # of a company or of a person
    if "id_type" in known:
        values["id_type"] = "ID_CARD"
    values |= AGREED.get(str(model.__tablename__), {})
    made = model(**values)
    session.add(made)
    session.flush()
    return made
