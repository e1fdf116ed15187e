"""A rule that is known to make sense for its subject: every name is a field, every part has a kind."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from reports.rules import tree
from reports.rules.dates import day_of
from reports.rules.names import Child, Fact, K

EXACT_MAX: Final = 9 * 10**18  # what a whole number of SQLite holds


@dataclass(frozen=True)
class Size:
    """A number as whole numbers: numerator over denominator, times ten to the minus `places`; each at most so large.

    SQL works with these whole numbers, so that products and quotients are as exact as in Python.
    """

    most: int
    below: int = 1
    places: int = 0

    def times(self, other: "Size") -> "Size":
        """The size of a product."""
        return Size(self.most * other.most, self.below * other.below, self.places + other.places)

    def over(self, other: "Size") -> "Size":
        """The size of a quotient."""
        return Size(self.most * other.below, self.below * other.most, self.places - other.places)

    def plus(self, other: "Size") -> "Size":
        """The size of a sum or difference."""
        places = max(self.places, other.places)
        left = self.most * 10 ** (places - self.places) * other.below
        right = other.most * 10 ** (places - other.places) * self.below
        return Size(left + right, self.below * other.below, places)

    def beside(self, other: "Size") -> "Size":
        """The size of what two numbers are compared by: each times what the other is divided by."""
        places = max(self.places, other.places)
        left = self.most * 10 ** (places - self.places) * other.below
        right = other.most * 10 ** (places - other.places) * self.below
        return Size(max(left, right), self.below * other.below, places)

    @property
    def is_exact(self) -> bool:
        """Whether both databases hold it as a whole number."""
        return max(self.most, self.below) <= EXACT_MAX


@dataclass(frozen=True)
class Part:
    """A part of a rule, with what the text says there."""

    source: tree.Node


@dataclass(frozen=True)
class Value(Part):
    """A part that has a value, perhaps none."""

    kind: K


@dataclass(frozen=True)
class Fixed(Value):
    """A value that stands in the rule: a number, a text, the code of a label, yes or no."""

    value: Fraction | str | bool
    is_bare: bool = False  # a number without a unit

    @property
    def size(self) -> Size:
        """The number as a whole number and its places."""
        assert isinstance(self.value, Fraction)
        places = 0
        while (self.value * 10**places).denominator != 1:
            places += 1
        return Size(abs(int(self.value * 10**places)), 1, places)


@dataclass(frozen=True)
class Dated(Value):
    """A date that stands in the rule, perhaps counted from today."""

    def on(self, today: date) -> date:
        """The date as of `today`."""
        return day_of(self.source, today)


@dataclass(frozen=True)
class Field(Value):
    """A field of the subject, or over relations (`links`) of what it refers to."""

    links: tuple[Fact, ...]
    fact: Fact

    @property
    def size(self) -> Size:
        """As its column says."""
        return Size(self.fact.most, 1, self.fact.scale)


@dataclass(frozen=True)
class Sum(Value):
    """left + - × ÷ right; nothing where one of them is nothing, or where it divides by zero."""

    op: str
    left: "Number"
    right: "Number"
    size: Size


@dataclass(frozen=True)
class Days(Value):
    """Days from one date to another."""

    left: Value
    right: Value
    size: Size = Size(3_700_000)


@dataclass(frozen=True)
class Shifted(Value):
    """A date so many days on."""

    one: Value
    days: int


@dataclass(frozen=True)
class RowsOf:
    """Child rows of the subject or of what it refers to, those for which `where` holds."""

    links: tuple[Fact, ...]
    child: Child
    where: "Truth | None"


@dataclass(frozen=True)
class Figure(Value):
    """数量, 合计, 最大 or 最小 over child rows."""

    how: str
    rows: RowsOf
    of: Field | None
    size: Size


Number = Fixed | Field | Sum | Days | Figure


@dataclass(frozen=True)
class Truth(Part):
    """A part that is true, false or unknown."""


@dataclass(frozen=True)
class Test(Truth):
    """left = ≠ > ≥ < ≤ right; unknown where one of them is empty."""

    op: str
    left: Value
    right: Value


@dataclass(frozen=True)
class Choice(Truth):
    """属于, 不属于; of an empty value it is not known."""

    one: Value
    values: tuple[Value, ...]
    is_not: bool


@dataclass(frozen=True)
class Match(Truth):
    """A text holds, does not hold, begins with or ends in another; of an empty one it is not known."""

    how: str
    one: Value
    other: str


@dataclass(frozen=True)
class Blank(Truth):
    """为空, 不为空."""

    one: Value
    is_not: bool


@dataclass(frozen=True)
class Yes(Truth):
    """A field of yes or no that says yes."""

    one: Value


@dataclass(frozen=True)
class Nay(Truth):
    """Does not hold."""

    one: Truth


@dataclass(frozen=True)
class All(Truth):
    """All hold."""

    parts: tuple[Truth, ...]


@dataclass(frozen=True)
class AnyOf(Truth):
    """One holds at least."""

    parts: tuple[Truth, ...]


@dataclass(frozen=True)
class Exists(Truth):
    """A row is there for which it holds; with `is_every` it holds for every row. Known either way."""

    rows: RowsOf
    is_every: bool
