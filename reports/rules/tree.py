"""What a rule says: its syntax tree, before anybody asks which table it is about. Places (`at`) count for nothing."""

from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal


class RuleError(Exception):
    """A rule that cannot be understood: a message in Chinese, and the character (from 0) that it is about."""

    def __init__(self, message: str, at: int = 0, text: str = "") -> None:
        """`text` is what the rule says, for line and column."""
        self.message, self.at, self.text = message, at, text
        super().__init__(message)

    def __str__(self) -> str:
        """The place as people count it, then what is wrong there."""
        before = self.text[: self.at]
        line, column = before.count("\n") + 1, self.at - (before.rfind("\n") + 1) + 1
        where = f"第 {line} 行第 {column} 个字" if "\n" in self.text else f"第 {column} 个字"
        return f"{where}：{self.message}"


@dataclass(frozen=True)
class Node:
    """A part of a rule; `at` is where it begins in the text."""

    at: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True)
class Amount(Node):
    """A number with the unit written behind it: '', 元, 万, 万元, 亿, 亿元 or %."""

    value: Decimal
    unit: str = ""


@dataclass(frozen=True)
class Words(Node):
    """A text in quotes: a value of a text field, or the label of a code."""

    value: str


@dataclass(frozen=True)
class Flag(Node):
    """是 or 否."""

    value: bool


@dataclass(frozen=True)
class Day(Node):
    """A date of the calendar."""

    value: date


@dataclass(frozen=True)
class Near(Node):
    """A date that moves with today: 今天, 本月初, 上年末 ..."""

    word: str


@dataclass(frozen=True)
class Period(Node):
    """Days that move with today: 近 or 未来 with a count of 天, 个月 or 年; 上, 本 or 下 with 周, 月, 季 or 年."""

    word: str
    unit: str
    count: int = 0


@dataclass(frozen=True)
class Edge(Node):
    """The first day of a period, or its last; stands in no text."""

    period: Period
    is_last: bool


@dataclass(frozen=True)
class During(Node):
    """A date that lies 在 a period, or 不在."""

    one: Node
    period: Period
    is_not: bool = False


@dataclass(frozen=True)
class Span(Node):
    """So many 天, 个月 or 年; `turn` is 前 or 后 where it counts from today."""

    count: int
    unit: str
    turn: str = ""


@dataclass(frozen=True)
class Name(Node):
    """A field by its label, over relations: 客户的行业."""

    parts: tuple[str, ...]


@dataclass(frozen=True)
class Minus(Node):
    """A number turned."""

    one: Node


@dataclass(frozen=True)
class Calc(Node):
    """left + - × ÷ right."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Compare(Node):
    """left = ≠ > ≥ < ≤ right."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Between(Node):
    """介于 low 和 high, both included."""

    one: Node
    low: Node
    high: Node


@dataclass(frozen=True)
class OneOf(Node):
    """属于 or 不属于 a list."""

    one: Node
    choices: tuple[Node, ...]
    is_not: bool = False


@dataclass(frozen=True)
class Match(Node):
    """A text that 包含, 不包含, 以…开头 or 以…结尾 another."""

    how: str
    one: Node
    other: Node


@dataclass(frozen=True)
class Empty(Node):
    """为空 or 不为空."""

    one: Node
    is_not: bool = False


@dataclass(frozen=True)
class Rows(Node):
    """Something about child rows: 存在, 任一, 所有 hold or not; 数量, 合计, 最大, 最小 are a value."""

    how: str
    path: tuple[str, ...]
    where: Node | None = None


@dataclass(frozen=True)
class Not(Node):
    """非."""

    one: Node


@dataclass(frozen=True)
class Every(Node):
    """且: all of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Some(Node):
    """或: one of these at least."""

    parts: tuple[Node, ...]


def below(node: Node) -> list[Node]:
    """The parts that a node is made of."""
    found: list[Node] = []
    for one in fields(node):
        value = getattr(node, one.name)
        found += (
            [part for part in value if isinstance(part, Node)] if isinstance(value, tuple) else []
        )
        found += [value] if isinstance(value, Node) else []
    return found
