"""What columns a file of rows of an entity may have: those of its form, and of one row of each part of it (X3)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from models.base.entity import Entity, entity_of, parts_of
from models.base.fields import FieldFacts
from reports.figures import dictionaries
from reports.figures.custom_fields import editable_now, fields_seen
from workflows.base.context import Ctx
from workflows.base.sheet_cells import name_of
from workflows.base.sheets import Field, Kind

DOT: Final = "·"  # between a part and its column: 收支情况·个人月收入
_UNFIT: Final = ("json", "datetime")
_EXAMPLES: Final = {
    "uscc": "91320105MA1MCT7E4F",
    "id_number": "110101199003077475",
    "mobile": "13800000000",
    "phone": "025-83200000",
    "email": "name@example.com",
    "postcode": "210000",
    "code": "A001",
}
_OF_KIND: Final = {
    "money": "1000000",
    "rate": "5.5",
    "int": "10",
    "date": "2026-01-15",
    "bool": "是",
}


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """A column that a file may have; `part` is the table of the part that it belongs to, `link` names its owner there.

    `names` are those that heads may give it, without units and marks.
    """

    key: str
    label: str
    facts: FieldFacts
    names: tuple[str, ...]
    model: type[Entity]
    part: str = ""
    link: str = ""

    @property
    def is_required(self) -> bool:
        """Whether a new row must have it: what the form asks for, where nothing else is proposed."""
        return self.facts.required and not self.facts.has_default and self.facts.kind != "bool"


def columns_of(ctx: Ctx, model: type[Entity], names: Sequence[str]) -> tuple[ImportColumn, ...]:
    """The columns of the form, and those of the parts of a record, which may stand in the same row."""
    known = fields_seen(ctx.session, model, ctx.actor)
    own = [_column(model, known[name]) for name in names if _fits(known[name])]
    parts = list(_of_parts(ctx, model))
    bare = Counter(name_of(column.facts.label) for column in (*own, *parts))
    found: list[ImportColumn] = []
    for column in parts:
        short = name_of(column.facts.label)
        names_of_part = [name_of(column.label)]
        if bare[short] == 1:
            names_of_part.append(short)
        found.append(_named(column, tuple(names_of_part)))
    return (*own, *found)


def kind_of(model: type[Entity], columns: Sequence[ImportColumn]) -> Kind:
    """What the reader of sheets looks for: a head with any column that a row cannot do without."""
    fields = tuple(Field(column.key, column.names, column.label) for column in columns)
    own = [column for column in columns if not column.part]
    wanted = {column.key for column in own if column.is_required} | {*model.spec.key}
    # two at least: a sheet that explains the columns names each alone in its row
    needs = [
        frozenset({column.key, other.key})
        for column in own
        for other in own
        if column.key in wanted and other is not column
    ]
    label = f"{model.spec.label}表"
    return Kind(
        f"import.{model.__tablename__}"[:40], label, fields, tuple(needs), has_figures=False
    )


def _fits(facts: FieldFacts) -> bool:
    return facts.kind not in _UNFIT and not facts.is_attachment and facts.is_filled_in


def _column(model: type[Entity], facts: FieldFacts) -> ImportColumn:
    others = model.spec.aliases.get(facts.name, ())
    names = (facts.label, *others, facts.name)
    plain = tuple(dict.fromkeys(name_of(name) for name in names))
    return ImportColumn(facts.name, facts.label, facts, plain, model)


def _of_parts(ctx: Ctx, model: type[Entity]) -> Iterator[ImportColumn]:
    for table, one in parts_of(model).items():
        known = fields_seen(ctx.session, one.model, ctx.actor)
        if not (known[one.link].is_owner and one.model.spec.takes_files):
            continue
        for name in editable_now(ctx.session, one.model, ctx.actor):
            if name != one.link and _fits(known[name]):
                label = f"{one.model.spec.label}{DOT}{known[name].label}"
                key = f"{table}.{name}"
                yield ImportColumn(key, label, known[name], (), one.model, table, one.link)


def _named(column: ImportColumn, names: tuple[str, ...]) -> ImportColumn:
    return ImportColumn(
        column.key, column.label, column.facts, names, column.model, column.part, column.link
    )


def example_of(session: Session, column: ImportColumn) -> str:
    """What might stand in a cell of the column; a row of nothing but these is no row."""
    facts = column.facts
    if facts.kind == "dictionary":
        found = dictionaries.items(session, facts.dictionary)
        return next((label for _, label in found), "")
    if facts.choices is not None:
        return str(next(iter(facts.choices)).value)
    if facts.kind == "reference":
        return f"示例{entity_of(facts.target).spec.label}"
    if facts.kind in {"text", "long_text"}:
        return _EXAMPLES.get(facts.check, f"示例{facts.label}"[: facts.length or 100])
    return _OF_KIND.get(facts.kind, "")
