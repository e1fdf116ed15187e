"""A custom field: kept in `extra` of a record under its code, exact and comparable on both databases.

JSON holds amounts and rates as text with all their places, as the trail does; without its point such a text is a whole
number, by which both databases sort and compare exactly. Days are ISO text.
"""

import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Boolean, String, cast, func, literal_column, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from models.base.actor import Actor
from models.base.fields import FieldFacts

if TYPE_CHECKING:
    from models.base.entity import Entity


_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
_POINT: Final[ColumnElement[str]] = literal_column("'.'")
_NOTHING: Final[ColumnElement[str]] = literal_column("''")


class _Kept(FunctionElement[str]):
    """What stands under a code in `extra`, written with the code itself: a parameter would keep every index out."""

    name = "kept"
    inherit_cache = True
    type = String()


@compiles(_Kept)
def _write(element: _Kept, compiler: SQLCompiler, **options: Any) -> str:
    extra, code, _ = (compiler.process(one, **options) for one in element.clauses)
    return f"({extra} ->> {code})"


@compiles(_Kept, "sqlite")
def _write_lite(element: _Kept, compiler: SQLCompiler, **options: Any) -> str:
    extra, _, path = (compiler.process(one, **options) for one in element.clauses)
    return f"json_extract({extra}, {path})"


def is_code(text: str) -> bool:
    """Whether a text can be the code of a field: nothing else is written into SQL."""
    return _CODE.fullmatch(text) is not None


def kept(extra: Any, code: str) -> ColumnElement[str]:
    """The value under a code in SQL, as text (a whole number or yes and no as such on SQLite)."""
    if not is_code(code):
        raise ValueError(code)
    return _Kept(extra, literal_column(f"'{code}'"), literal_column(f"'$.{code}'"))


_NOBODY: Final = Actor(None, "")


class Smallest(TypeDecorator[Decimal]):
    """An exact decimal of `scale` places that both databases see as a whole number."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, scale: int) -> None:
        """`scale` is the number of decimal places kept."""
        super().__init__()
        self.scale = scale

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        """Whole numbers of the smallest unit."""
        del dialect
        return None if value is None else int(Decimal(value).scaleb(self.scale))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """The Decimal with its full scale."""
        del dialect
        return None if value is None else Decimal(int(value)).scaleb(-self.scale)


class Written(TypeDecorator[Decimal]):
    """A decimal as it is written."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """The Decimal with all its places."""
        del dialect
        return None if value is None else Decimal(value)


class IsoDay(TypeDecorator[date]):
    """A day as text that sorts as days do."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """2026-11-29."""
        del dialect
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        """The day."""
        del dialect
        return None if value is None else date.fromisoformat(value)


@dataclass(frozen=True)
class CustomFacts(FieldFacts):
    """A field that an administrator has defined: its `name` is the key in `extra`.

    `visible_to` and `editable_by` are the roles that it is for; empty for all. `required_if` and `visible_if` are the
    rules by which it is demanded and asked for at all; whoever reads them knows the rule language.
    """

    visible_to: frozenset[str] = frozenset()
    editable_by: frozenset[str] = frozenset()
    required_if: str = ""
    visible_if: str = ""

    @property
    def kept_in(self) -> str:
        """`extra` holds them all."""
        return "extra"

    @property
    def is_limited(self) -> bool:
        """It is not for everybody."""
        return bool(self.visible_to | self.editable_by)

    def as_of(self, today: date) -> "CustomFacts":
        """The field as it reads on a business date: what is filled in reads the same on each."""
        del today
        return self

    def for_actor(self, actor: Actor | None) -> "CustomFacts | None":
        """The field as somebody meets it: none that is not for the own roles, not to be filled in by others' roles.

        Without an actor it is asked what everybody sees.
        """
        actor = actor or _NOBODY
        roles = actor.roles
        if not self.is_limited or actor.is_system:
            return self
        if self.visible_to and not self.visible_to & roles:
            return None
        is_closed = bool(self.editable_by) and not self.editable_by & roles
        if is_closed:
            return replace(self, is_computed=True)
        return self

    def get(self, record: "Entity") -> Any:
        """The value that a record has in this field."""
        value = (record.extra or {}).get(self.name)
        if value is None:
            return None
        if self.kind in {"money", "rate"}:
            return Decimal(value)
        return date.fromisoformat(value) if self.kind == "date" else value

    def set(self, record: "Entity", value: Any) -> None:
        """Put a typed value into this field; nothing is not kept."""
        kept = {name: old for name, old in (record.extra or {}).items() if name != self.name}
        if value is not None:
            kept[self.name] = self._plain(value)
        record.extra = kept

    def sql(self, model: "type[Entity]") -> ColumnElement[Any]:
        """The field in a query of the model."""
        text = kept(model.extra, self.name)
        if self.kind == "bool":
            return cast(text, Boolean)
        if self.kind in {"money", "rate"}:
            whole = cast(func.replace(text, _POINT, _NOTHING), BigInteger)
            return type_coerce(whole, Smallest(self.scale))
        if self.kind in {"int", "reference"}:
            return cast(text, BigInteger)
        return type_coerce(text, IsoDay()) if self.kind == "date" else text

    def read(self, model: "type[Entity]") -> ColumnElement[Any]:
        """Amounts and rates as they are written: nothing is compared, so nothing is turned into whole numbers."""
        if self.kind in {"money", "rate"}:
            return type_coerce(kept(model.extra, self.name), Written())
        return self.sql(model)

    def _plain(self, value: Any) -> object:
        if self.kind in {"money", "rate"}:
            return f"{value:.{self.scale}f}"
        return value.isoformat() if self.kind == "date" else value
