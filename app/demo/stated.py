"""Rows of the demonstration that entities state themselves (`Spec.demo`): a new screen has something to show."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.demo.stage import Stage
from models.base.entity import Entity, entities, entity_of, fields_of
from models.base.fields import FieldFacts
from workflows.base import records

ANY = "*"


AT = "@"


def play(stage: Stage, *, is_late: bool = False) -> None:
    """Each stated row, entered by the system in the order of tables; what points to others finds them by title.

    Rows about a record at a place on its line (@IN_FORCE) come on the last day, when there is one; the others early.
    """
    waiting = [
        (model, row)
        for model in entities()
        for row in model.spec.demo
        if any(text.startswith(AT) for text in row.values()) is is_late
    ]
    for model, row in sorted(waiting, key=lambda one: _depth(one[0])):
        known = fields_of(model)
        values = {name: _value(stage, known[name], text) for name, text in row.items()}
        records.create(stage.ctx(), model, values)


def _depth(model: type[Entity]) -> int:
    """How many levels of stated rows this one may point to: owners come before their parts."""
    owners = [entity_of(facts.target) for facts in fields_of(model).values() if facts.is_owner]
    return 1 + max(map(_depth, owners)) if owners else 0


def _value(stage: Stage, facts: FieldFacts, text: str) -> Any:
    """A text as a form would send it; +90 and -90 are days from today, a reference is a title, * or @PLACE for any."""
    if facts.kind == "date" and text[:1] in "+-":
        return stage.today + timedelta(days=int(text))
    if facts.kind != "reference":
        return text
    model = entity_of(facts.target)
    for found in stage.session.scalars(select(model).order_by(model.id)):
        place = f"{AT}{getattr(found, model.spec.line).name}" if model.spec.line else ""
        if text in (ANY, place, str(found)):
            return found.id
    raise LookupError(f"{facts.label}: no {model.spec.label} “{text}” in the demonstration")
