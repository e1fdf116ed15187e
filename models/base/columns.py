"""Typed column helpers: a column says everything about itself, once, in `info`.

Keys of `info`: label, kind, required, unit, help, mask, check, dictionary, group, scale, positive, maximum, is_state,
is_hidden, is_title. Screens, REST, import, export and validation read nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

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

from models.base.kinds import FIXED, Kind
from models.base.money import MONEY_MAX, round_to


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


def _column(  # noqa: PLR0913 - one keyword per fact about a column
    label: str,
    type_: Any,
    kind: str,
    *args: Any,
    required: bool = False,
    help: str = "",  # noqa: A002 - the word users of the helpers expect
    group: str = "",
    default: Any = None,
    unique: bool = False,
    index: bool = False,
    **info: Any,
) -> MappedColumn[Any]:
    facts = {"label": label, "kind": kind, "required": required, "help": help, "group": group}
    # a zero is a fact
    facts.update({k: v for k, v in info.items() if v is not None and v is not False and v != ""})
    return mapped_column(
        type_, *args, nullable=not required, default=default, unique=unique, index=index, info=facts
    )


def text(
    label: str, length: int = 100, *, check: str | None = None, **facts: Any
) -> MappedColumn[Any]:
    """A line of text; `check` names a real check (id_number, uscc, mobile, phone, email, bank_card, postcode, code)."""
    return _column(label, String(length), "text", check=check, **facts)


def long_text(label: str, **facts: Any) -> MappedColumn[Any]:
    """Several lines of text."""
    return _column(label, Text(), "long_text", **facts)


def masked(
    label: str, length: int = 64, *, mask: str, check: str | None = None, **facts: Any
) -> MappedColumn[Any]:
    """Personal data (X9): shown masked unless the role may see it; `mask` is id_number, mobile, account or address."""
    return _column(label, String(length), "text", check=check, mask=mask, **facts)


def money(
    label: str,
    *,
    unit: str = "元",
    positive: bool = False,
    signed: bool = False,
    maximum: Decimal = MONEY_MAX,
    **facts: Any,
) -> MappedColumn[Any]:
    """An amount in 元; never negative unless `signed`, above zero if `positive`, at most `maximum`."""
    return _column(
        label,
        Money(),
        "money",
        unit=unit,
        positive=positive,
        signed=signed,
        maximum=maximum,
        **facts,
    )


def rate(
    label: str, *, unit: str = "%", scale: int = 6, maximum: Decimal = Decimal(100), **facts: Any
) -> MappedColumn[Any]:
    """A rate in `unit` (% unless said otherwise), from 0 to `maximum`, kept to `scale` places."""
    return _column(
        label, Scaled(18, scale), "rate", unit=unit, scale=scale, maximum=maximum, **facts
    )


def whole(
    label: str, *, minimum: int = 0, maximum: int = 2_000_000_000, unit: str = "", **facts: Any
) -> MappedColumn[Any]:
    """A whole number within limits that every database can hold."""
    return _column(label, Integer(), "int", minimum=minimum, maximum=maximum, unit=unit, **facts)


def day(label: str, **facts: Any) -> MappedColumn[Any]:
    """A business date."""
    return _column(label, Date(), "date", **facts)


def moment(label: str, **facts: Any) -> MappedColumn[Any]:
    """A point in time: UTC in the table, Asia/Shanghai on the screen."""
    return _column(label, UtcDateTime(), "datetime", **facts)


def flag(label: str, *, default: bool = False, **facts: Any) -> MappedColumn[Any]:
    """Yes or no."""
    return _column(label, Boolean(), "bool", required=True, default=default, **facts)


def enum(
    label: str, kind: type[Kind], *, is_state: bool = False, **facts: Any
) -> MappedColumn[Any]:
    """A fixed code; the member name is stored."""
    type_ = Enum(kind, native_enum=False, length=32, validate_strings=True, create_constraint=False)
    return _column(label, type_, "enum", is_state=is_state, **facts)


def state(label: str, kind: type[Kind], default: Kind, **facts: Any) -> MappedColumn[Any]:
    """A state: written by workflows alone, never on a form, by REST or by import."""
    return enum(label, kind, is_state=True, required=True, default=default, index=True, **facts)


def dictionary(label: str, code: str, **facts: Any) -> MappedColumn[Any]:
    """A code of the users' own dictionary `code`; the item's code is stored, its label is shown."""
    return _column(label, String(32), "dictionary", dictionary=code, **facts)


def coded(
    label: str,
    code: str,
    words: Mapping[str, str] | Callable[[], Mapping[str, str]],
    length: int = 60,
    **facts: Any,
) -> MappedColumn[Any]:
    """A code of the fixed dictionary `code`, which no one edits: label by code, or a function that works them out."""
    FIXED[code] = words
    return _column(label, String(length), "dictionary", dictionary=code, **facts)


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
    index: bool = True,
    use_alter: bool = False,
    **facts: Any,
) -> MappedColumn[Any]:
    """A many-to-one by id to table `target`; always indexed, chosen by an AJAX look-up.

    With `part` the rows that point to a record are a tab of its page.
    """
    facts["part"] = part
    key = ForeignKey(f"{target}.id", ondelete=ondelete, use_alter=use_alter, name=None)
    return _column(label, Integer(), "reference", key, target=target, index=index, **facts)


_PART = Part()


def owned_by(label: str, target: str, part: Part | None = _PART, **facts: Any) -> MappedColumn[Any]:
    """A required reference to the record that this row is part of: it goes when the owner goes and shows as its tab."""
    return reference(
        label, target, part=part, ondelete="CASCADE", required=True, is_owner=True, **facts
    )


def filled(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """Let a form leave this column out although the table demands it: the rule of the record fills it in."""
    column.column.info["required"] = False
    return column


def related(
    column: Mapped[Any] | MappedColumn[Any] | None = None, **options: Any
) -> Relationship[Any]:
    """The object behind a `reference` column of the same class."""
    if column is not None:
        options["foreign_keys"] = [column]
    return relationship(lazy=options.pop("lazy", "select"), **options)


def attachment(label: str, **facts: Any) -> MappedColumn[Any]:
    """One checked file of the attachment store."""
    return reference(label, "attachment", ondelete="SET NULL", is_attachment=True, **facts)


def json(label: str, *, default: Callable[[], Any] = dict, **facts: Any) -> MappedColumn[Any]:
    """Structured data that only code reads."""
    return _column(label, JSON(), "json", default=default, **facts)


def hidden(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """Keep a column off every form and list (code writes it)."""
    column.column.info["is_hidden"] = True
    return column


def computed(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """Shown, but written by verbs alone."""
    column.column.info["is_computed"] = True
    return column
