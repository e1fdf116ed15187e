"""A rule asked of a whole table, in SQL: set-based, on both databases, with the same answers as Python gives.

Numbers are whole numbers of their last place, over a denominator where something was divided: exact on SQLite, whose
columns hold them so, and on PostgreSQL. What is empty makes a condition NULL, which is neither true nor false.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Numeric,
    String,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from models.base.entity import Entity, entity_of
from reports.rules import typed
from reports.rules.names import NUMBERS, Fact, K
from reports.rules.python import COMPARISONS
from reports.rules.typed import RowsOf, Truth, Value

Sql = ColumnElement[Any]
_EMPTY: Final[dict[K, TypeEngine[Any]]] = {
    K.DATE: Date(),
    K.TEXT: String(),
    K.FLAG: Boolean(),
}


class _Written(FunctionElement[Any]):
    """SQL that the two databases write differently: `exact` on PostgreSQL, `lite` on SQLite."""

    inherit_cache = True
    exact: ClassVar[str]
    lite: ClassVar[str]


@compiles(_Written)
def _write_exact(element: _Written, compiler: SQLCompiler, **options: Any) -> str:
    return element.exact.format(*(compiler.process(one, **options) for one in element.clauses))


@compiles(_Written, "sqlite")
def _write_lite(element: _Written, compiler: SQLCompiler, **options: Any) -> str:
    return element.lite.format(*(compiler.process(one, **options) for one in element.clauses))


class _Units(_Written):
    """A number column as the whole number of its last place: as SQLite holds it."""

    name = "rule_units"
    inherit_cache = True
    type = BigInteger()
    exact = "(CAST({0} AS NUMERIC) * {1})"
    lite = "{0}"


class _Kept(_Written):
    """A number of a custom field, which is such a whole number on both databases."""

    name = "rule_kept"
    inherit_cache = True
    type = BigInteger()
    exact = "CAST({0} AS NUMERIC)"
    lite = "{0}"


class _KeptDay(_Written):
    """A day of a custom field, kept as text."""

    name = "rule_kept_day"
    inherit_cache = True
    type = Date()
    exact = "CAST({0} AS DATE)"
    lite = "{0}"


class _Rounded(_Written):
    """A quotient of whole numbers, rounded half up away from zero."""

    name = "rule_rounded"
    inherit_cache = True
    type = BigInteger()
    exact = (
        "(SIGN(CAST({0} AS NUMERIC)) * SIGN(CAST({1} AS NUMERIC)) * "
        "DIV(2 * ABS(CAST({0} AS NUMERIC)) + ABS(CAST({1} AS NUMERIC)), 2 * ABS(CAST({1} AS NUMERIC))))"
    )
    lite = (
        "((CASE WHEN ({0} < 0) <> ({1} < 0) THEN -1 ELSE 1 END) * "
        "((2 * ABS({0}) + ABS({1})) / (2 * ABS({1}))))"
    )


class _DayOf(_Written):
    """The day of a moment in Asia/Shanghai, which has kept one offset since 1991."""

    name = "rule_day_of"
    inherit_cache = True
    type = Date()
    exact = "CAST({0} + INTERVAL '8 hours' AS DATE)"
    lite = "date({0}, '+8 hours')"


class _DaysBetween(_Written):
    """Whole days from the second date to the first."""

    name = "rule_days_between"
    inherit_cache = True
    type = BigInteger()
    exact = "CAST({0} - {1} AS NUMERIC)"
    lite = "CAST(julianday({0}) - julianday({1}) AS INTEGER)"


class _MinutesBetween(_Written):
    """Whole minutes from the second moment to the first."""

    name = "minutes_between"
    inherit_cache = True
    type = BigInteger()
    exact = "CAST(EXTRACT(EPOCH FROM ({0} - {1})) / 60 AS BIGINT)"
    lite = "CAST(round((julianday({0}) - julianday({1})) * 1440) AS INTEGER)"


class _DayPlus(_Written):
    """A date so many days on."""

    name = "rule_day_plus"
    inherit_cache = True
    type = Date()
    exact = "({0} + CAST({1} AS INTEGER))"
    lite = "date({0}, {1} || ' days')"


class _Find(_Written):
    """Whether a text holds another, letter by letter."""

    name = "rule_find"
    inherit_cache = True
    type = Boolean()
    exact = "(strpos({0}, {1}) > 0)"
    lite = "(instr({0}, {1}) > 0)"


@dataclass(frozen=True)
class _Number:
    """numerator / denominator × 10^-places; no denominator is one."""

    over: Sql
    under: Sql | None
    places: int

    def at(self, places: int) -> Sql:
        """The numerator at so many places."""
        return (
            self.over if places == self.places else self.over * _whole(10 ** (places - self.places))
        )


def days_between(last: Any, first: Any) -> Sql:
    """Whole days from one date to a later one, as both databases count them."""
    return _DaysBetween(last, first)


def minutes_between(last: Any, first: Any) -> Sql:
    """Whole minutes from one moment to a later one."""
    return _MinutesBetween(last, first)


def where(rule: Truth, model: type[Entity], today: date) -> ColumnElement[bool]:
    """The WHERE of a rule about the rows of a table."""
    return _Query(model, today).truth(rule)


def worked(fact: Fact, entity: Any, today: date) -> Sql:
    """What a formula field comes to: a number as the whole number of its last place."""
    return _Query(entity, today).worked(fact)


def is_exact(part: Value, fact: Fact) -> bool:
    """Whether both databases round a formula exactly to the places of its field."""
    over, under = _bounds(part, fact)
    return 2 * (over + under) <= typed.EXACT_MAX


def _bounds(part: Value, fact: Fact) -> tuple[int, int]:
    """The most that numerator and denominator of a formula come to at the places of its field."""
    size: typed.Size = part.size  # type: ignore[attr-defined]  # numbers have one
    shift = fact.scale - size.places
    return size.most * 10 ** max(shift, 0), size.below * 10 ** max(-shift, 0)


def _stands(part: Value) -> bool:
    """Whether it stands in the rule, and in no row."""
    return isinstance(part, (typed.Fixed, typed.Dated))


def _whole(value: int) -> Sql:
    return literal(value, BigInteger())


class _Query:
    """Writes a rule about one table in FROM; parts about other tables are subqueries with a writer of their own."""

    def __init__(self, entity: Any, today: date) -> None:
        """`entity` is the mapped class or an alias of it."""
        self.entity = entity
        self.today = today

    # ------------------------------------------------------------------------------------------------------- truths
    def truth(self, rule: Truth) -> ColumnElement[bool]:  # noqa: PLR0911 - a line for each kind of condition
        """A condition; where a part is empty it may be NULL."""
        match rule:
            case typed.All(parts=parts):
                return and_(*map(self.truth, parts))
            case typed.AnyOf(parts=parts):
                return or_(*map(self.truth, parts))
            case typed.Nay(one=one):
                return not_(self.truth(one))
            case typed.Exists(rows=rows, is_every=is_every):
                return self._exists(rows, is_every)
            case typed.Blank():
                return self._blank(rule)
            case typed.Yes(one=one):
                return self.value(one) == literal(True, Boolean())
            case typed.Test():
                return self._test(rule)
            case typed.Match(how=how, one=one, other=other):
                return self._match(how, self.value(one), other)
            case typed.Choice():
                return self._choice(rule)
        raise AssertionError(f"{type(rule).__name__} is no condition")

    def worked(self, fact: Fact) -> Sql:
        """A formula field of these rows; NULL where it is not known or out of range."""
        part = fact.working
        if part is None:
            return type_coerce(null(), _EMPTY.get(fact.kind, BigInteger()))
        if isinstance(part, Truth):
            return type_coerce(self.truth(part), Boolean())
        return self._rounded(part, fact) if part.kind in NUMBERS else self.value(part)

    def _rounded(self, part: Value, fact: Fact) -> Sql:
        number, most = self.number(part), _bounds(part, fact)[0]
        shift = fact.scale - number.places
        found, below = number.at(max(fact.scale, number.places)), number.under
        if shift < 0:
            below = _product(below, _whole(10**-shift))
        if below is not None:
            found = _Rounded(found, below)
        if most // 10 ** max(-shift, 0) <= fact.most:
            return found
        return case((func.abs(found, type_=BigInteger()) <= _whole(fact.most), found), else_=None)

    def _fails(self, rule: Truth) -> ColumnElement[bool]:
        """Where it does not hold: false, or not to be known."""
        return not_(func.coalesce(self.truth(rule), false(), type_=Boolean()))

    def _blank(self, rule: typed.Blank) -> ColumnElement[bool]:
        found: ColumnElement[bool]
        if rule.one.kind in NUMBERS:
            number = self.number(rule.one)
            found = number.over.is_(None)
            if number.under is not None:
                found = or_(found, number.under.is_(None))
        else:
            found = self.value(rule.one).is_(None)
        return _turned(found, rule.is_not)

    def _match(self, how: str, one: Sql, other: str) -> ColumnElement[bool]:
        sought = literal(other, String())
        match how:
            case "包含":
                return _Find(one, sought)
            case "不包含":
                return not_(_Find(one, sought))
            case "开头":
                return func.substr(one, 1, len(other)) == sought
        start = func.length(one) - len(other) + 1
        return and_(start >= 1, func.substr(one, start) == sought)

    def _choice(self, rule: typed.Choice) -> ColumnElement[bool]:
        if rule.one.kind in NUMBERS:
            tests = [self._test(typed.Test(rule.source, "=", rule.one, one)) for one in rule.values]
            return _turned(or_(*tests), rule.is_not)
        one = self.value(rule.one)
        values = [self._plain(value, rule.one) for value in rule.values]
        return _turned(one.in_(values), rule.is_not)

    def _test(self, rule: typed.Test) -> ColumnElement[bool]:
        compare = COMPARISONS[rule.op]
        if rule.left.kind in NUMBERS:
            quick = self._as_stored(rule)
            return quick if quick is not None else self._compared(rule)
        left, right = rule.left, rule.right
        one = literal(self._plain(left, right)) if _stands(left) else self.value(left)
        other = self._plain(right, left) if _stands(right) else self.value(right)
        found: ColumnElement[bool] = compare(one, other)
        return found

    def _as_stored(self, rule: typed.Test) -> ColumnElement[bool] | None:
        """A column beside a number that it could hold: compared as stored, so that an index serves."""
        left, right = rule.left, rule.right
        if not (isinstance(left, typed.Field) and isinstance(right, typed.Fixed)):
            return None
        if left.fact.formula is not None:
            return None
        places = left.fact.places
        value = right.value * left.fact.hundred
        whole = value * 10**places
        if whole.denominator != 1 or abs(whole) > left.fact.most:
            return None
        column = self.column(left)
        stored = Decimal(int(whole)).scaleb(-places) if places else int(whole)
        found: ColumnElement[bool] = COMPARISONS[rule.op](column, literal(stored, column.type))
        return found

    def _compared(self, rule: typed.Test) -> ColumnElement[bool]:
        left, right = self.number(rule.left), self.number(rule.right)
        places = max(left.places, right.places)
        over, other = _times(left.at(places), right.under), _times(right.at(places), left.under)
        for under in (left.under, right.under):
            if under is not None:  # below zero it turns the comparison
                sign = case((under < 0, _whole(-1)), else_=_whole(1))
                over, other = over * sign, other * sign
        found: ColumnElement[bool] = COMPARISONS[rule.op](over, other)
        return found

    # ------------------------------------------------------------------------------------------------------- values
    def number(self, part: Value) -> _Number:
        """A number as whole numbers."""
        match part:
            case typed.Fixed():
                size = part.size
                return _Number(_whole(int(part.value * 10**size.places)), None, size.places)
            case typed.Field():
                return _Number(self._units(self.column(part), part), None, part.fact.scale)
            case typed.Days():
                days = _DaysBetween(self._date(part.left), self._date(part.right))
                return _Number(days, None, 0)
            case typed.Figure():
                return _Number(self._figure(part), None, part.size.places)
            case typed.Sum():
                return _calculated(part.op, self.number(part.left), self.number(part.right))
        raise AssertionError(f"{type(part).__name__} is no number")

    def value(self, part: Value) -> Sql:
        """A value of any other kind; an empty text is none."""
        match part:
            case typed.Field(kind=K.TEXT):
                return func.nullif(self.column(part), "", type_=String())
            case typed.Field():
                column = self.column(part)
                if part.fact.formula is not None:
                    return column
                if part.kind is K.DATE and part.fact.custom is not None:
                    return _KeptDay(type_coerce(column, String()))
                return _DayOf(column) if part.fact.is_moment else column
            case typed.Dated():
                return literal(part.on(self.today), Date())
            case typed.Shifted(one=one, days=days):
                return _DayPlus(self._date(one), literal(days, Integer()))
            case typed.Figure():
                return self._figure(part)
        raise AssertionError(f"{type(part).__name__} is no value")

    def _date(self, part: Value) -> Sql:
        return self.value(part)

    def _plain(self, part: Value, beside: Value) -> Any:
        """What stands in the rule, as the column beside it stores it."""
        if isinstance(part, typed.Dated):
            return part.on(self.today)
        assert isinstance(part, typed.Fixed)
        if isinstance(beside, typed.Field) and beside.fact.members is not None:
            return beside.fact.members[str(part.value)]
        return part.value

    def _units(self, column: Sql, part: typed.Field) -> Sql:
        if part.fact.formula is not None:
            return column
        if part.fact.custom is not None:
            return _Kept(type_coerce(column, BigInteger()))
        return _Units(type_coerce(column, Numeric()), _whole(10**part.fact.places))

    def column(self, part: typed.Field) -> Sql:
        """The column, or over relations the one value of a subquery."""
        if not part.links:
            return self._own(self.entity, part.fact)
        way = self._over(part.links)
        found = self._own(way.last, part.fact)
        query = select(found).where(*way.conditions).correlate_except(*way.tables)
        return type_coerce(query.scalar_subquery(), found.type)

    def _own(self, entity: Any, fact: Fact) -> Sql:
        """A field in the rows of a mapped class or an alias of it."""
        if fact.formula is not None:
            return _Query(entity, self.today).worked(fact)
        found: Sql = getattr(entity, fact.key) if fact.custom is None else fact.custom.sql(entity)
        return found

    def _over(self, links: tuple[Fact, ...]) -> "_Way":
        here, tables, conditions = self.entity, [], []
        for link in links:
            there = aliased(entity_of(link.target))
            conditions.append(there.id == self._own(here, link))
            tables.append(there)
            here = there
        return _Way(here, tables, conditions)

    # --------------------------------------------------------------------------------------------------- child rows
    def _rows(self, rows: RowsOf) -> "_Way":
        """The way to the child rows, the condition on them left out."""
        way = self._over(rows.links)
        child = aliased(rows.child.model)
        conditions = [*way.conditions, getattr(child, rows.child.link) == way.last.id]
        return _Way(child, [*way.tables, child], conditions)

    def _exists(self, rows: RowsOf, is_every: bool) -> ColumnElement[bool]:
        way = self._rows(rows)
        inner, asked = _Query(way.last, self.today), list(way.conditions)
        if rows.where is not None:
            asked.append(inner._fails(rows.where) if is_every else inner.truth(rows.where))
        query = select(way.last.id).where(*asked).correlate_except(*way.tables)
        return _turned(exists(query), is_every)

    def _figure(self, part: typed.Figure) -> Sql:
        way = self._rows(part.rows)
        inner, asked = _Query(way.last, self.today), list(way.conditions)
        if part.rows.where is not None:
            asked.append(inner.truth(part.rows.where))
        found: Sql = func.count()
        if part.of is not None:
            of = inner.number(part.of).over if part.kind in NUMBERS else inner.value(part.of)
            name = {"合计": "sum", "最大": "max", "最小": "min"}[part.how]
            found = getattr(func, name)(of, type_=of.type)
        query = select(found).select_from(way.last).where(*asked).correlate_except(*way.tables)
        value = type_coerce(query.scalar_subquery(), found.type)
        return func.coalesce(value, _whole(0), type_=found.type) if part.how == "合计" else value


@dataclass(frozen=True)
class _Way:
    """From the rows asked about over other tables: the last of them, all of them, and what joins them."""

    last: Any
    tables: list[Any]
    conditions: list[ColumnElement[bool]]


def _calculated(op: str, left: _Number, right: _Number) -> _Number:
    if op == "×":
        under = _product(left.under, right.under)
        return _Number(left.over * right.over, under, left.places + right.places)
    if op == "÷":
        over, under = _times(left.over, right.under), _times(right.over, left.under)
        return _Number(over, func.nullif(under, 0, type_=BigInteger()), left.places - right.places)
    places = max(left.places, right.places)
    one, other = left.at(places), right.at(places)
    one, other = _times(one, right.under), _times(other, left.under)
    joined = one + other if op == "+" else one - other
    return _Number(joined, _product(left.under, right.under), places)


def _times(one: Sql, under: Sql | None) -> Sql:
    return one if under is None else one * under


def _turned(found: ColumnElement[bool], is_not: bool) -> ColumnElement[bool]:
    return not_(found) if is_not else found


def _product(one: Sql | None, other: Sql | None) -> Sql | None:
    return other if one is None else _times(one, other)
