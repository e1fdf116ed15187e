"""Custom fields as printed papers name them: `{{ custom.project.rent }}`, by table and code."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.orm import Session

from models.base.entity import Entity, entities, entity_of
from models.base.fields import FieldFacts
from models.base.masks import mask
from models.system.custom_field import extensible
from reports.figures import custom_fields, dictionaries

_YES: Final = {True: "是", False: "否"}
_SAMPLES: Final = {
    "money": Decimal("1200000.00"),
    "rate": Decimal("4.35"),
    "int": 12,
    "date": date(2026, 11, 28),
    "bool": "是",
}


def printed(session: Session, records: Iterable[Entity | None]) -> dict[str, dict[str, Any]]:
    """The custom fields of these records that everybody may see, by table and code; personal data stay masked."""
    return {
        str(record.__tablename__): {
            facts.name: _value(session, facts, facts.get(record))
            for facts in custom_fields.seen(session, type(record), None).values()
        }
        for record in records
        if record is not None
    }


def samples(session: Session) -> dict[str, dict[str, Any]]:
    """An example of each, by which a template is tried when it is saved."""
    open_tables = extensible()
    return {
        str(model.__tablename__): {
            facts.name: _SAMPLES.get(facts.kind, facts.label)
            for facts in custom_fields.seen(session, model, None).values()
        }
        for model in entities()
        if model.__tablename__ in open_tables
    }


def labels(session: Session) -> dict[str, dict[str, str]]:
    """What people call each of them, by table and code."""
    open_tables = extensible()
    return {
        str(model.__tablename__): {
            facts.name: f"{model.spec.label} · {facts.label}"
            for facts in custom_fields.seen(session, model, None).values()
        }
        for model in entities()
        if model.__tablename__ in open_tables
    }


def _value(session: Session, facts: FieldFacts, value: Any) -> Any:
    if value is None:
        return None
    if facts.kind == "dictionary":
        return dictionaries.label(session, facts.dictionary, value)
    if facts.kind == "reference":
        found = session.get(entity_of(facts.target), value)
        return "" if found is None else str(found)
    if facts.kind == "bool":
        return _YES[bool(value)]
    if facts.mask:
        return mask(str(value), facts.mask)
    return value
