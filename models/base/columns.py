"""Typed column helpers: a column says everything about itself, once, in its `FieldFacts` (models/base/fields.py).

Screens, REST, import, export and validation read nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    Numeric,
    String,
    Text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, MappedColumn, Relationship, mapped_column, relationship
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.base.fields import FieldFacts, said, say
from models.base.kinds import FIXED, Kind
from models.base.money import MONEY_MAX, round_to
from models.base.rows import Numbering


class Scaled(TypeDecorator[Decimal]):
    """An exact decimal: numeric(p, s) on PostgreSQL, a whole number of the smallest unit on SQLite.

    SQL may sum and compare such columns; products and averages come out wrong on SQLite and belong in Python.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int = 18, scale: int = 2) -> None:
        """`scale` is the number of decimal places kept."""
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    def __repr__(self) -> str:
        """As migrations write it."""
        return f"Scaled({self.precision}, {self.scale})"

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Whole numbers where the database has no exact decimal."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(self.precision, self.scale, asdecimal=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Refuse binary fractions: they are how a fen gets lost."""
        if value is None:
            return None
        if isinstance(value, float):
            raise TypeError("money and rates are Decimal, never float")
        exact = round_to(Decimal(value), self.scale)
        return int(exact.scaleb(self.scale)) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Give the Decimal back with its full scale."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return Decimal(int(value)).scaleb(-self.scale)
        return round_to(Decimal(value), self.scale)


class Money(Scaled):
    """An amount in 元, exact to the fen."""

    cache_ok = True

    def __init__(self) -> None:
        """numeric(18, 2)."""
        super().__init__(18, 2)

    def __repr__(self) -> str:
        """As migrations write it."""
        return "Money()"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: stored in UTC without zone, aware in Python."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a naive moment is a programming error."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("moments are timezone-aware")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware UTC."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class Said(TypedDict, total=False):
    """What the helper of any kind may be told about its column, beside what is the kind's own."""

    required: bool
    help: str
    group: str
    unit: str
    unique: bool
    index: bool


class Proposed(Said, total=False):
    """Beside that, what holds where nothing is said."""

    default: Any


def _column(
    facts: FieldFacts, type_: TypeEngine[Any], *args: ForeignKey, **told: Unpack[Proposed]
) -> MappedColumn[Any]:
    """A column of that type with these facts, and those that every kind may be told."""
    required, default = told.get("required", False), told.get("default")
    known = replace(
        facts,
        required=required,
        help=told.get("help", ""),
        group=told.get("group", ""),
        unit=told.get("unit", facts.unit),
        is_nullable=not required,
        default=None if callable(default) else default,
        has_default=default is not None,
    )
    return mapped_column(
        type_,
        *args,
        nullable=not required,
        default=default,
        unique=told.get("unique", False),
        index=told.get("index", False),
        info=said(known),
    )


def text(
    label: str, length: int = 100, *, check: str = "", **told: Unpack[Proposed]
) -> MappedColumn[Any]:
    """A line of text; `check` names a real check (id_number, uscc, mobile, phone, email, bank_card, postcode, code)."""
    facts = FieldFacts(label=label, kind="text", check=check, length=length)
    return _column(facts, String(length), **told)


def numbered(
    label: str,
    code: str,
    pattern: str,
    *,
    reset: str = "YEAR",
    group: str = "",
) -> MappedColumn[Any]:
    """The number of a record, drawn when it is made: rule `code`, a pattern such as YP{yyyy}-{no:04d} (10.2).

    The rule comes along as base data; it counts anew each YEAR, each MONTH or NEVER.
    """
    facts = FieldFacts(
        label=label,
        kind="text",
        length=40,
        group=group,
        is_computed=True,
        numbering=Numbering(code, label, pattern, reset),
    )
    return _column(facts, String(40), required=True, unique=True)


def long_text(label: str, **told: Unpack[Proposed]) -> MappedColumn[Any]:
    """Several lines of text."""
    return _column(FieldFacts(label=label, kind="long_text"), Text(), **told)


def condition(label: str, *, of: str, **told: Unpack[Proposed]) -> MappedColumn[Any]:
    """A rule in the rule language (X13) about rows of table `of`, or about a subject of that name."""
    return _column(FieldFacts(label=label, kind="long_text", rule_of=of), Text(), **told)


def row_rule(
    label: str, *, by: str, is_formula: bool = False, **told: Unpack[Proposed]
) -> MappedColumn[Any]:
    """A rule about the table that the column `by` of its row names, or a value that the rule language works out."""
    facts = FieldFacts(label=label, kind="long_text", rule_by=by, is_formula=is_formula)
    return _column(facts, Text(), **told)


def masked(
    label: str, length: int = 64, *, mask: str, check: str = "", **told: Unpack[Proposed]
) -> MappedColumn[Any]:
    """Personal data (X9): shown masked unless the role may see it; `mask` is id_number, mobile, account or address."""
    facts = FieldFacts(label=label, kind="text", check=check, mask=mask, length=length)
    return _column(facts, String(length), **told)


def money(
    label: str,
    *,
    positive: bool = False,
    signed: bool = False,
    maximum: Decimal = MONEY_MAX,
    **told: Unpack[Proposed],
) -> MappedColumn[Any]:
    """An amount in 元; never negative unless `signed`, above zero if `positive`, at most `maximum`."""
    facts = FieldFacts(
        label=label, kind="money", unit="元", positive=positive, signed=signed, maximum=maximum
    )
    return _column(facts, Money(), **told)


def rate(
    label: str,
    *,
    scale: int = 6,
    maximum: Decimal = Decimal(100),
    signed: bool = False,
    **told: Unpack[Proposed],
) -> MappedColumn[Any]:
    """A rate in `unit` (% unless said otherwise), from 0 to `maximum`, kept to `scale` places."""
    facts = FieldFacts(
        label=label, kind="rate", unit="%", scale=scale, signed=signed, maximum=maximum
    )
    return _column(facts, Scaled(18, scale), **told)


def whole(
    label: str, *, minimum: int = 0, maximum: int = 2_000_000_000, **told: Unpack[Proposed]
) -> MappedColumn[Any]:
    """A whole number within limits that every database can hold."""
    facts = FieldFacts(label=label, kind="int", minimum=minimum, maximum=maximum)
    return _column(facts, Integer(), **told)


def day(label: str, **told: Unpack[Proposed]) -> MappedColumn[Any]:
    """A business date."""
    return _column(FieldFacts(label=label, kind="date"), Date(), **told)


def moment(label: str, **told: Unpack[Proposed]) -> MappedColumn[Any]:
    """A point in time: UTC in the table, Asia/Shanghai on the screen."""
    return _column(FieldFacts(label=label, kind="datetime"), UtcDateTime(), **told)


def flag(label: str, *, default: bool = False, **told: Unpack[Said]) -> MappedColumn[Any]:
    """Yes or no."""
    known: Proposed = {**told, "required": True, "default": default}
    return _column(FieldFacts(label=label, kind="bool"), Boolean(), **known)


def enum(
    label: str, kind: type[Kind], *, is_state: bool = False, **told: Unpack[Proposed]
) -> MappedColumn[Any]:
    """A fixed code; the member name is stored."""
    type_ = Enum(kind, native_enum=False, length=32, validate_strings=True, create_constraint=False)
    facts = FieldFacts(label=label, kind="enum", choices=kind, is_state=is_state)
    return _column(facts, type_, **told)


def state(label: str, kind: type[Kind], default: Kind, **told: Unpack[Said]) -> MappedColumn[Any]:
    """A state: written by workflows alone, never on a form, by REST or by import."""
    known: Proposed = {**told, "required": True, "default": default, "index": True}
    return enum(label, kind, is_state=True, **known)


def dictionary(label: str, code: str, **told: Unpack[Proposed]) -> MappedColumn[Any]:
    """A code of the users' own dictionary `code`; the item's code is stored, its label is shown."""
    facts = FieldFacts(label=label, kind="dictionary", dictionary=code, length=32)
    return _column(facts, String(32), **told)


def coded(
    label: str,
    code: str,
    words: Mapping[str, str] | Callable[[], Mapping[str, str]],
    length: int = 60,
    **told: Unpack[Proposed],
) -> MappedColumn[Any]:
    """A code of the fixed dictionary `code`, which no one edits: label by code, or a function that works them out."""
    FIXED[code] = words
    facts = FieldFacts(label=label, kind="dictionary", dictionary=code, length=length)
    return _column(facts, String(length), **told)


@dataclass(frozen=True)
class Part:
    """How rows stand on the page of the record that a reference leads to: as a tab of it.

    `rank` is the tab's place; `since` where on its line (`Spec.line`) the record must be before an empty tab says
    anything; `is_rare` shows the tab with rows alone; `opens` are the states in which the page opens with it; `adds`
    those in which people add rows by hand there; `asks` words the button of a record that waits for this very paper.
    """

    rank: int = 10
    since: Kind | None = None
    is_rare: bool = False
    opens: tuple[Kind, ...] = ()
    adds: tuple[Kind, ...] = ()
    asks: str = ""


def reference(
    label: str,
    target: str,
    *,
    part: Part | None = None,
    ondelete: str = "RESTRICT",
    use_alter: bool = False,
    **told: Unpack[Proposed],
) -> MappedColumn[Any]:
    """A many-to-one by id to table `target`; indexed unless told otherwise, chosen by an AJAX look-up.

    With `part` the rows that point to a record are a tab of its page.
    """
    told.setdefault("index", True)
    key = ForeignKey(f"{target}.id", ondelete=ondelete, use_alter=use_alter, name=None)
    facts = FieldFacts(label=label, kind="reference", target=target, part=part)
    return _column(facts, Integer(), key, **told)


_PART = Part()


def owned_by(
    label: str, target: str, part: Part | None = _PART, **told: Unpack[Proposed]
) -> MappedColumn[Any]:
    """A required reference to the record that this row is part of: it goes when the owner goes and shows as its tab."""
    told["required"] = True
    column = reference(label, target, part=part, ondelete="CASCADE", **told)
    return _saying(column, is_owner=True)


def related(
    column: Mapped[Any] | MappedColumn[Any] | None = None, **options: Any
) -> Relationship[Any]:
    """The object behind a `reference` column of the same class."""
    if column is not None:
        options["foreign_keys"] = [column]
    return relationship(lazy=options.pop("lazy", "select"), **options)


def attachment(
    label: str, *, use_alter: bool = False, **told: Unpack[Proposed]
) -> MappedColumn[Any]:
    """One checked file of the attachment store."""
    column = reference(label, "attachment", ondelete="SET NULL", use_alter=use_alter, **told)
    return _saying(column, is_attachment=True)


def json(
    label: str, *, default: Callable[[], Any] = dict, **told: Unpack[Said]
) -> MappedColumn[Any]:
    """Structured data that only code reads."""
    known: Proposed = {**told, "default": default}
    return _column(FieldFacts(label=label, kind="json"), JSON(), **known)


def _saying(column: MappedColumn[Any], **facts: bool) -> MappedColumn[Any]:
    say(column.column, **facts)
    return column


def filled(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """Let a form leave this column out although the table demands it: the rule of the record fills it in."""
    return _saying(column, required=False)


def hidden(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """Keep a column off every form and list (code writes it)."""
    return _saying(column, is_hidden=True)


def correctable(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """A slip in it is set right by an approved 更正 after the record was put up; nothing is booked by it."""
    return _saying(column, is_correctable=True)


def asked(facts: FieldFacts) -> MappedColumn[Any]:
    """A question of a form about a field of a table; a tick may be left out."""
    return mapped_column(
        Text(), info=said(replace(facts, required=facts.required and facts.kind != "bool"))
    )


def computed(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """Shown, but written by verbs alone."""
    return _saying(column, is_computed=True)
