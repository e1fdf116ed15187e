"""Cells of grids: the controls of forms, narrow; and what people mean by the words that they type or paste."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from wtforms import Field as Control
from wtforms import SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice

from models.base.entity import Entity
from models.base.fields import FieldFacts
from reports.base.scope import scoped
from reports.figures import dictionaries
from views.kit import fields
from views.kit.interface import model_of, shape
from views.kit.lookup import require_offered
from views.kit.pages import Field
from workflows.base.context import Ctx

if TYPE_CHECKING:
    from views.kit.grids import RowForm

TYPED = "="  # before words that stand for a record: its id is looked up when they arrive
_FLAG_WORDS = dict.fromkeys(("是", "√", "y", "yes", "true", "1"), "true") | dict.fromkeys(
    ("", "否", "×", "n", "no", "false", "0"), "false"
)
_FLAGS = [SelectChoice("true", "是"), SelectChoice("false", "否")]


def make(ctx: Ctx, table: str, name: str, facts: FieldFacts) -> Control:
    """The unbound control of a cell: yes or no is chosen, so that a wrong word can stand there; texts grow as typed."""
    if facts.kind == "bool":
        return SelectField(facts.label, choices=_FLAGS, validate_choice=False)
    if facts.kind == "long_text":
        return TextAreaField(facts.label, render_kw={"rows": 1})
    return fields.make(ctx, table, name, facts)


def text_of(facts: FieldFacts, value: Any) -> str:
    """A stored value as it stands in its cell."""
    if facts.kind == "bool":
        return str(bool(value)).lower()
    return fields.typed_text(facts, value)


def field(row: "RowForm", name: str) -> Field:
    """A cell as the template takes it."""
    facts, control = row.known.fields[name], row.control(name)
    look = "form-control num" if facts.kind in {"money", "rate", "int"} else "form-control"
    told = {"class_": look, "aria-label": facts.label}
    if facts.kind == "date":
        told |= {"type": "text", "data-day": "", "placeholder": "年-月-日", "inputmode": "numeric"}
    return Field(
        row.place + name,
        facts.label,
        partial(control, **told),
        facts.kind,
        facts.required,
        errors=tuple(control.errors),
    )


def meant(ctx: Ctx, facts: FieldFacts, text: str) -> str:
    """The code that words of a choice stand for; the words themselves where they are none of its."""
    if facts.kind == "bool":
        return _FLAG_WORDS.get(text.lower(), text)
    if facts.kind == "enum":
        assert facts.choices is not None
        return {str(member.value): member.name for member in facts.choices}.get(text, text)
    if facts.kind == "dictionary":
        return dictionaries.code_of(ctx.session, facts.dictionary, text) or text
    return text


def named(ctx: Ctx, target: str, texts: Iterable[str]) -> dict[str, set[int]]:
    """Ids of the records of a table that are called by these words: title, number or natural key, within scope."""
    model = model_of(target)
    found: dict[str, set[int]] = {}
    if model is None:
        return found
    require_offered(ctx, model)
    known = shape(model)
    for name in _names(model):
        column = known.fields[name].sql(model)
        query = scoped(select(model.id, column).where(column.in_(set(texts))), model, ctx.actor)
        if "is_active" in known.fields:
            query = query.where(known.fields["is_active"].sql(model))
        for key, text in ctx.session.execute(query):
            found.setdefault(text, set()).add(key)
    return found


def _names(model: type[Entity]) -> list[str]:
    """The columns by which people call a record: plain text, nothing that is masked."""
    known, spec = shape(model), model.spec
    wanted = dict.fromkeys((known.key(spec.title), *spec.key, "number", "code"))
    return [
        name
        for name in wanted
        if name in known.fields
        and known.fields[name].kind == "text"
        and not known.fields[name].mask
    ]
