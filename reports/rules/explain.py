"""Why a rule holds for a record or does not: each part with its value, in words."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from models.base.masks import mask
from models.base.money import format_money, round_to
from reports.rules import tree, typed, words
from reports.rules.names import K, Vocabulary
from reports.rules.python import Asked
from reports.rules.typed import Truth, Value

_YES: Final = {True: "是", False: "否", None: "未知"}


@dataclass(frozen=True)
class Reason:
    """A part of a rule, what it came to, and the parts that it is made of."""

    text: str
    held: bool | None  # None where it cannot be known
    parts: tuple["Reason", ...] = ()

    def lines(self, depth: int = 0) -> list[str]:
        """The tree as lines, what belongs to a part indented below it."""
        own = f"{'　' * depth}{self.text}：{_YES[self.held]}"
        return [own, *(line for part in self.parts for line in part.lines(depth + 1))]


class Explainer:
    """Explains rules about one record on one date."""

    def __init__(self, record: object, today: date, vocabulary: Vocabulary) -> None:
        """`vocabulary` gives the labels that users edit."""
        self.asked = Asked(record, today)
        self.vocabulary = vocabulary

    def reason(self, rule: Truth) -> Reason:
        """Whether the rule holds, and why."""
        held = self.asked.truth(rule)
        match rule:
            case typed.All(parts=parts) if isinstance(rule.source, tree.Every):
                return Reason("全部满足", held, tuple(map(self.reason, parts)))
            case typed.AnyOf(parts=parts):
                return Reason("满足其一", held, tuple(map(self.reason, parts)))
            case typed.Nay(one=one):
                return Reason("不得满足", held, (self.reason(one),))
        return Reason(self._told(rule), held)

    def _told(self, rule: Truth) -> str:
        match rule:
            case typed.Test(op=op, left=left, right=right):
                return f"{self._shown(left)} {op} {self._shown(right, left)}"
            case typed.Exists(rows=rows):
                return f"{words.sentence(rule.source)}（符合的有 {len(self.asked.rows(rows))} 行）"
        seen = [self._shown(one) for one in _values(rule)]
        known = [text for one, text in zip(_values(rule), seen, strict=True) if _is_asked(one)]
        return (
            f"{words.sentence(rule.source)}（{'，'.join(known)}）"
            if known
            else words.sentence(rule.source)
        )

    def _shown(self, part: Value, beside: Value | None = None) -> str:
        value = self._word(part, self.asked.value(part), beside)
        return f"{words.sentence(part.source)} {value}" if _is_asked(part) else value

    def _word(self, part: Value, value: Any, beside: Value | None) -> str:
        if value is None:
            return "（空）"
        if part.kind is K.RECORD:
            return "已填写"
        if isinstance(value, Fraction):
            kinds = {part.kind, beside.kind if beside else part.kind} - {K.NUMBER}
            return _number(next(iter(kinds), K.NUMBER), value)
        if isinstance(value, bool):
            return _YES[value]
        if isinstance(value, date):
            return value.isoformat()
        field = part if isinstance(part, typed.Field) else beside
        if isinstance(field, typed.Field) and field.kind is K.CODE:
            return self.vocabulary.labels(field.fact).get(value, str(value))
        if isinstance(part, typed.Field) and part.fact.mask:
            return mask(str(value), part.fact.mask)
        return str(value)


def _values(rule: Truth) -> list[Value]:
    match rule:
        case (
            typed.Choice(one=one) | typed.Match(one=one) | typed.Blank(one=one) | typed.Yes(one=one)
        ):
            return [one]
        case typed.All(parts=parts):  # 介于: two comparisons of one value
            first = parts[0]
            assert isinstance(first, typed.Test)
            return [first.left]
    return []


def _is_asked(part: Value) -> bool:
    return not isinstance(part, (typed.Fixed, typed.Dated))


def _number(kind: K, value: Fraction) -> str:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    if kind is K.MONEY:
        return format_money(exact)
    if kind is K.PERCENT:
        return f"{round_to(exact * 100, 4).normalize():,f}%"
    return f"{round_to(exact, 4).normalize():,f}"
