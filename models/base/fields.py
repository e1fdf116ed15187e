"""What a field says about itself, once and typed: all that screens, REST, files, rights and the trail ask about it.

A column of a table is one kind of field. Another kind (a custom field kept in `extra`, a formula) says the same facts
and brings its own `get`, `set` and `sql`; whoever reads fields alone need not know which kind it has before it.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Column, event
from sqlalchemy.sql.elements import ColumnElement

from models.base.kinds import Kind
from models.base.rows import Numbering

if TYPE_CHECKING:
    from models.base.columns import Part
    from models.base.entity import Entity

FieldKind = Literal[
    "text",
    "long_text",
    "dictionary",
    "money",
    "rate",
    "int",
    "date",
    "datetime",
    "bool",
    "enum",
    "reference",
    "json",
]
INT_MAX: Final = 2_147_483_647
_KEY: Final = "facts"


@dataclass(frozen=True)
class FieldFacts:
    """One field: `name` by which code, addresses and REST call it, `label` by which people do, and what it may hold.

    `length` is the most characters of a text, `choices` the members of an enum, `dictionary` the code of one, `target`
    the table of a reference, `rule_of` what a rule is about, `rule_by` the field of the row that names
    it (`is_formula`: it may be a value), `mask` how personal data are shown, `check` the check of a
    text; `minimum` and `maximum` bind numbers (an amount above zero where `positive`, below it only where `signed`),
    `scale` their places; `part` makes rows a tab of the record that they refer to. `required` is asked of people,
    `is_nullable` of the table; `is_filtered` offers it as a filter beside those of the Spec; `default` holds where
    nothing is said (`has_default` too where code works it out); `is_listed` adds it to the columns of the Spec,
    `is_exported` lets files have it, `is_correctable` an approved 更正 change it once its document is no draft;
    `numbering` is the rule by which a new record gets its number.
    """

    name: str = ""
    label: str = ""
    kind: FieldKind = "text"
    required: bool = False
    help: str = ""
    group: str = ""
    unit: str = ""
    mask: str = ""
    check: str = ""
    length: int = 0
    dictionary: str = ""
    choices: type[Kind] | None = None
    scale: int = 2
    positive: bool = False
    signed: bool = False
    minimum: int = 0
    maximum: Decimal | int = INT_MAX
    target: str = ""
    rule_of: str = ""
    rule_by: str = ""
    is_formula: bool = False
    numbering: Numbering | None = None
    part: "Part | None" = None
    is_owner: bool = False
    is_attachment: bool = False
    is_state: bool = False
    is_hidden: bool = False
    is_computed: bool = False
    is_filtered: bool = False
    is_listed: bool = False
    is_exported: bool = True
    is_correctable: bool = False
    is_nullable: bool = True
    default: Any = None
    has_default: bool = False

    def get(self, record: "Entity") -> Any:
        """The value that a record has in this field."""
        return getattr(record, self.name)

    def set(self, record: "Entity", value: Any) -> None:
        """Put a typed value into this field of a record."""
        setattr(record, self.name, value)

    def sql(self, model: "type[Entity]") -> ColumnElement[Any]:
        """The field in a query of the model: to be selected, filtered and ordered by, on both databases."""
        found: ColumnElement[Any] = getattr(model, self.name)
        return found

    def read(self, model: "type[Entity]") -> ColumnElement[Any]:
        """The field in a query that only reads it, as quickly as can be."""
        return self.sql(model)

    @property
    def kept_in(self) -> str:
        """The attribute of a record that has to be loaded for it."""
        return self.name

    @property
    def is_filled_in(self) -> bool:
        """People fill it in; states, computed and hidden fields are written by code."""
        return not (self.is_state or self.is_hidden or self.is_computed)


_UNSAID: Final = FieldFacts()


def said(facts: FieldFacts) -> dict[str, FieldFacts]:
    """The `info` of a column with these facts."""
    return {_KEY: facts}


def facts_of(column: Column[Any]) -> FieldFacts:
    """What a column says about itself; no label where it says nothing (the framework's own tables)."""
    found: FieldFacts = column.info.get(_KEY, _UNSAID)
    return found


def say(column: Column[Any], **facts: Any) -> None:
    """Let a column say something else than its helper wrote down."""
    column.info[_KEY] = replace(facts_of(column), **facts)


@event.listens_for(Column, "after_parent_attach")
def _know_the_name(column: Column[Any], _parent: object) -> None:
    if _KEY in column.info:
        say(column, name=column.key)
