"""A rule asked of one record, in Python: exact, and with the same answers as SQL gives."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from models.base.moments import local
from reports.rules import typed
from reports.rules.names import NUMBERS, Fact
from reports.rules.typed import RowsOf, Truth, Value

COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "≠": operator.ne,
    ">": operator.gt,
    "≥": operator.ge,
    "<": operator.lt,
    "≤": operator.le,
}
_MATCHES: Final[dict[str, Callable[[str, str], bool]]] = {
    "包含": lambda one, other: other in one,
    "不包含": lambda one, other: other not in one,
    "开头": str.startswith,
    "结尾": str.endswith,
}


class Asked:
    """A record with the business date on which rules are asked of it."""

    def __init__(self, record: object, today: date, session: Session | None = None) -> None:
        """`record` is a row, an object with the attributes of a subject, or a mapping of values by labels.

        A row that is not kept yet finds what it refers to in `session`.
        """
        self.session = session
        self.record = record
        self.today = today

    # ------------------------------------------------------------------------------------------------------- truths
    def holds(self, rule: Truth) -> bool:
        """Whether the rule holds for this record: what cannot be known does not."""
        return self.truth(rule) is True

    def truth(self, rule: Truth) -> bool | None:  # noqa: PLR0911 - a line for each kind of condition
        """Whether a condition is true; None where something that it asks is empty."""
        match rule:
            case typed.All(parts=parts):
                return _all(self.truth(part) for part in parts)
            case typed.AnyOf(parts=parts):
                return _turned(_all(_turned(self.truth(part)) for part in parts))
            case typed.Nay(one=one):
                return _turned(self.truth(one))
            case typed.Exists(rows=rows, is_every=is_every):
                return self._all_do(rows) if is_every else bool(self.rows(rows))
            case typed.Blank(one=one, is_not=is_not):
                return (self.value(one) is None) != is_not
            case typed.Yes(one=one):
                value: bool | None = self.value(one)
                return value
            case typed.Test(op=op, left=left, right=right):
                return _both(COMPARISONS[op], self.value(left), self.value(right))
            case typed.Match(how=how, one=one, other=other):
                return _both(_MATCHES[how], self.value(one), other)
            case typed.Choice(one=one, values=values, is_not=is_not):
                value = self.value(one)
                known = [self.value(each) for each in values]
                return None if value is None else (value in known) != is_not
        raise AssertionError(f"{type(rule).__name__} is no condition")

    def _all_do(self, rows: RowsOf) -> bool:
        assert rows.where is not None
        where, every = rows.where, RowsOf(rows.links, rows.child, None)
        return all(Asked(row, self.today).holds(where) for row in self.rows(every))

    def rows(self, rows: RowsOf) -> Sequence[object]:
        """The child rows for which its condition holds."""
        owner = self._over(rows.links)
        if owner is None:
            return []
        found = children(owner, rows, self.session)
        where = rows.where
        if where is None:
            return found
        return [row for row in found if Asked(row, self.today).holds(where)]

    # ------------------------------------------------------------------------------------------------------- values
    def value(self, part: Value) -> Any:
        """A value: a Fraction, a date, a text, the code of a choice, yes or no; None where there is none."""
        match part:
            case typed.Fixed():
                return part.value
            case typed.Dated():
                return part.on(self.today)
            case typed.Field():
                return self._field(part)
            case typed.Sum():
                return _calculated(part.op, self.value(part.left), self.value(part.right))
            case typed.Days():
                left, right = self.value(part.left), self.value(part.right)
                return None if None in (left, right) else Fraction((left - right).days)
            case typed.Shifted():
                one = self.value(part.one)
                return None if one is None else one + timedelta(days=part.days)
            case typed.Figure():
                return self._figure(part)
        raise AssertionError(f"{type(part).__name__} is no value")

    def _over(self, links: tuple[Fact, ...]) -> Any:
        found: Any = self.record
        for link in links:
            found = None if found is None else link.follow(found, self.session)
        return found

    def _field(self, part: typed.Field) -> Any:
        owner = self._over(part.links)
        if owner is None:
            return None
        is_example = isinstance(owner, Mapping)
        if part.fact.formula is None or is_example:
            value = part.fact.of(owner)
        else:
            value = Asked(owner, self.today, self.session).worked(part.fact)
        if value is None or value == "":
            return None
        if isinstance(value, Enum):
            return value.name
        if isinstance(value, datetime):
            return local(value).date()
        if part.kind in NUMBERS:
            return Fraction(value) / part.fact.hundred
        return value

    def worked(self, fact: Fact) -> Any:
        """What a formula field comes to, a number rounded to its places; None where it is not known or out of range."""
        part = fact.working
        if part is None:
            return None
        if isinstance(part, Truth):
            return self.truth(part)
        value = self.value(part)
        if isinstance(value, Fraction):
            return _rounded(value * fact.hundred, fact)
        return value

    def _figure(self, part: typed.Figure) -> Any:
        rows = self.rows(part.rows)
        if part.of is None:
            return Fraction(len(rows))
        found = [Asked(row, self.today).value(part.of) for row in rows]
        known = [value for value in found if value is not None]
        if part.how == "合计":
            return sum(known, Fraction(0))
        return (max if part.how == "最大" else min)(known, default=None)


def _rounded(value: Fraction, fact: Fact) -> Fraction | None:
    """Half up, away from zero, as everywhere."""
    unit = 10**fact.places
    whole = math.floor(abs(value) * unit + Fraction(1, 2))
    if whole > fact.most:
        return None
    if value < 0:
        whole = -whole
    return Fraction(whole, unit)


def children(owner: Any, rows: RowsOf, session: Session | None = None) -> Sequence[object]:
    """All child rows of a record, in the order they were made; of a mapping those under their label."""
    if isinstance(owner, Mapping):
        return list(owner.get(rows.child.label, ()))
    if owner.id is None:  # it is not kept yet
        return []
    found = object_session(owner) or session
    assert found is not None, "a rule is asked of a record in a session"
    model = rows.child.model
    query = select(model).where(getattr(model, rows.child.link) == owner.id).order_by(model.id)
    return found.scalars(query).all()


def _both(test: Callable[[Any, Any], Any], left: Any, right: Any) -> bool | None:
    return None if left is None or right is None else bool(test(left, right))


def _turned(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _all(truths: Iterable[bool | None]) -> bool | None:
    """As SQL joins them: one false decides, then one unknown."""
    known = list(truths)
    return False if False in known else None if None in known else True


def _calculated(op: str, left: Fraction | None, right: Fraction | None) -> Fraction | None:
    if left is None or right is None or (op == "÷" and right == 0):
        return None
    calculate: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
        "+": operator.add,
        "-": operator.sub,
        "×": operator.mul,
        "÷": operator.truediv,
    }
    return calculate[op](left, right)
