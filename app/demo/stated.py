"""Rows of the demonstration that entities state themselves (`Spec.demo`): a new screen has something to show."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Column, select

from app.demo.stage import Stage
from models.base.entity import Entity, columns_of, entities, entity_of
from workflows.base import records

ANY = "*"


def play(stage: Stage) -> None:
    """Each stated row, entered by the system in the order of tables; what points to others finds them by title."""
    waiting = [(model, row) for model in entities() for row in model.spec.demo]
    for model, row in sorted(waiting, key=lambda one: _depth(one[0])):
        known = columns_of(model)
        values = {name: _value(stage, known[name], text) for name, text in row.items()}
        records.create(stage.ctx(), model, values)


def _depth(model: type[Entity]) -> int:
    """How many levels of stated rows this one may point to: owners come before their parts."""
    owners = [
        entity_of(column.info["target"])
        for column in columns_of(model).values()
        if column.info.get("is_owner")
    ]
    return 1 + max(map(_depth, owners)) if owners else 0


def _value(stage: Stage, column: Column[Any], text: str) -> Any:
    """A text as a form would send it; +90 and -90 are days from today, a reference is a title or * for any."""
    info = column.info
    if info["kind"] == "date" and text[:1] in "+-":
        return stage.today + timedelta(days=int(text))
    if info["kind"] != "reference":
        return text
    model = entity_of(info["target"])
    for found in stage.session.scalars(select(model).order_by(model.id)):
        if text in (ANY, str(found)):
            return found.id
    raise LookupError(f"{column}: no {model.spec.label} “{text}” in the demonstration")
