"""Formula fields (X13): worked out by a rule with a value, in Python for one record and in SQL for many, read only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sqlalchemy import BigInteger, cast, inspect, select, type_coerce
from sqlalchemy.orm import Session, object_session
from sqlalchemy.sql.elements import ColumnElement

from models.base.custom import CustomFacts, Smallest
from models.base.fields import FieldFacts
from reports.rules import sql, typed
from reports.rules.names import NUMBERS, Fact, Formula, K, fact_of
from reports.rules.python import Asked

if TYPE_CHECKING:
    from models.base.entity import Entity

WEIGHT_MAX: Final = 2000
_PREPARED: Final = "formulas"
# What a formula may come to, by the kind of its field.
_FITTING: Final[dict[str, tuple[K, ...]]] = {
    "int": (K.NUMBER,),
    "money": (K.MONEY, K.NUMBER),
    "rate": (K.NUMBER, K.PERCENT),
    "date": (K.DATE,),
    "text": (K.TEXT,),
}


@dataclass(frozen=True)
class FormulaFacts(CustomFacts):
    """A field that nobody fills in: `formula` works it out as of `today`; what cannot be known is empty."""

    text: str = ""
    today: date = date.min
    formula: Formula = field(default_factory=Formula, compare=False)

    @property
    def kept_in(self) -> str:
        """Nothing of it is kept."""
        return "id"

    def get(self, record: "Entity") -> Any:
        """The value that a record has in this field; what a page has prepared is not worked out again."""
        state: Any = inspect(record)
        prepared: dict[Any, Any] = state.info.get(_PREPARED, {})
        key = (self.name, record.version, self.today)
        if key in prepared:
            return prepared[key]
        if object_session(record) is None:
            return None
        value = Asked(record, self.today).worked(fact_of(type(record), self))
        if not isinstance(value, Fraction):
            return value
        if self.kind == "int":
            return int(value)
        return Decimal(int(value * 10**self.scale)).scaleb(-self.scale)

    def read(self, model: "type[Entity]") -> ColumnElement[Any]:
        """There is nothing kept that could be read."""
        return self.sql(model)

    def as_of(self, today: date) -> "FormulaFacts":
        """Relative dates count from there."""
        return replace(self, today=today)

    def set(self, record: "Entity", value: Any) -> NoReturn:
        """Nobody does."""
        raise NotImplementedError(self.name)

    def sql(self, model: "type[Entity]") -> ColumnElement[Any]:
        """The field in a query of the model."""
        found = sql.worked(fact_of(model, self), model, self.today)
        if self.kind in {"money", "rate"}:
            return type_coerce(cast(found, BigInteger), Smallest(self.scale))
        if self.kind == "int":
            return cast(found, BigInteger)
        return found


def prepare(
    session: Session,
    model: "type[Entity]",
    records: Sequence["Entity"],
    known: Iterable[FieldFacts],
) -> None:
    """Work out the formulas of a page of records by one question."""
    wanted = [facts for facts in known if isinstance(facts, FormulaFacts)]
    ids = [record.id for record in records]
    if not wanted or not ids:
        return
    query = select(model.id, *(facts.sql(model) for facts in wanted)).where(model.id.in_(ids))
    found = {key: values for key, *values in session.execute(query)}
    for record in records:
        keys = ((facts.name, record.version, facts.today) for facts in wanted)
        values = found.get(record.id, [None] * len(wanted))
        state: Any = inspect(record)
        state.info[_PREPARED] = dict(zip(keys, values, strict=True))


def misfit(part: typed.Value | typed.Truth, facts: FieldFacts, fact: Fact) -> str:
    """Why a formula cannot be the value of such a field; '' where it can."""
    if isinstance(part, typed.Truth):
        return {"bool": ""}.get(facts.kind, "公式的结果是条件，类型应选“是否”")
    if part.kind not in _FITTING.get(facts.kind, ()):
        return f"公式的结果是{part.kind.value}，与字段的类型不符"
    if part.kind in NUMBERS and not sql.is_exact(part, fact):
        return "这个算式的数可能太大，数据库无法准确计算，请减少相乘的项"
    if weight(part) > WEIGHT_MAX:
        return "公式层层引用，展开后过大，请简化"
    return ""


def circle(every: Mapping[str, Mapping[str, FieldFacts]], own: tuple[str, str]) -> str:
    """By which way a formula needs itself, in labels: A → B → A; '' where it does not. `every` is by table and name."""
    waiting, seen = [(own, "")], set[tuple[str, str]]()
    while waiting:
        (table, name), way = waiting.pop()
        facts = every.get(table, {}).get(name)
        if not isinstance(facts, FormulaFacts):
            continue
        way += f"{facts.label} → "
        if own in facts.formula.used:
            return way + every[own[0]][own[1]].label
        waiting += [(one, way) for one in facts.formula.used - seen]
        seen |= facts.formula.used
    return ""


def weight(part: Any) -> int:
    """Of how many parts a formula is made, with those of the formulas that it names."""
    if isinstance(part, typed.Field) and part.fact.formula is not None:
        return 1 + weight(part.fact.working)
    if isinstance(part, tuple):
        return sum(map(weight, part))
    if not isinstance(part, (typed.Part, typed.RowsOf)):
        return 0
    return 1 + sum(weight(getattr(part, one.name)) for one in fields(part))
