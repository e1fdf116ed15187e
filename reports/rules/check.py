"""From syntax tree to a rule that makes sense: names become fields, kinds are held together, numbers stay exact."""

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final, TypeGuard

from models.base.money import UNITS
from reports.rules import tree, typed, words
from reports.rules.names import (
    NUMBERS,
    ROWS_MAX,
    Fact,
    K,
    Subject,
    Vocabulary,
    alike,
)
from reports.rules.parse import parse
from reports.rules.tree import Node, RuleError
from reports.rules.typed import Dated, Field, Fixed, Number, RowsOf, Size, Truth, Value

_ORDERED: Final = frozenset({*NUMBERS, K.DATE})
# Kinds of sums and products; what is missing makes no sense.
_PLUS: Final = {(one, one): one for one in NUMBERS} | {
    (K.MONEY, K.NUMBER): K.MONEY,
    (K.NUMBER, K.MONEY): K.MONEY,
    (K.NUMBER, K.PERCENT): K.NUMBER,
    (K.PERCENT, K.NUMBER): K.NUMBER,
}
_TIMES: Final = {(one, K.NUMBER): one for one in NUMBERS} | {
    (K.NUMBER, K.MONEY): K.MONEY,
    (K.NUMBER, K.PERCENT): K.NUMBER,
    (K.MONEY, K.PERCENT): K.MONEY,
    (K.PERCENT, K.MONEY): K.MONEY,
    (K.PERCENT, K.PERCENT): K.PERCENT,
}
_OVER: Final = {(one, K.NUMBER): one for one in NUMBERS} | {
    (K.MONEY, K.MONEY): K.NUMBER,
    (K.MONEY, K.PERCENT): K.MONEY,
    (K.NUMBER, K.PERCENT): K.NUMBER,
    (K.PERCENT, K.PERCENT): K.NUMBER,
}
_KINDS_OF: Final = {"+": _PLUS, "-": _PLUS, "×": _TIMES, "÷": _OVER}


def understand(
    text: str,
    subject: Subject,
    vocabulary: Vocabulary,
    beyond: set[str] | None = None,
    *,
    used: set[tuple[str, str]] | None = None,
) -> Truth:
    """The rule that a text says about a subject; RuleError with the place of the first thing that makes no sense.

    `beyond` gets the names of the other tables that the rule reads, `used` table and name of each field.
    """
    node = parse(text)
    try:
        return _Checker(subject, vocabulary, beyond, used).truth(node)
    except RuleError as problem:
        raise RuleError(problem.message, problem.at, text) from None


def understand_formula(
    text: str, subject: Subject, vocabulary: Vocabulary, used: set[tuple[str, str]] | None = None
) -> Value | Truth:
    """The value that a text works out for a subject, or a condition; RuleError as above.

    `used` gets table and name of each field that it reads.
    """
    node = parse(text)
    try:
        return _Checker(subject, vocabulary, None, used).anything(node)
    except RuleError as problem:
        raise RuleError(problem.message, problem.at, text) from None


class _Checker:
    """Checks a rule about one subject; rules about its child rows have a checker of their own."""

    def __init__(
        self,
        subject: Subject,
        vocabulary: Vocabulary,
        beyond: set[str] | None = None,
        used: set[tuple[str, str]] | None = None,
    ) -> None:
        """`vocabulary` is what users have defined; `beyond` collects the other tables, `used` the fields."""
        self.subject = subject
        self.beyond: set[str] = set() if beyond is None else beyond
        self.vocabulary = vocabulary
        self.used: set[tuple[str, str]] = set() if used is None else used

    # ------------------------------------------------------------------------------------------------------- truths
    def anything(self, node: Node) -> Value | Truth:
        """A condition or a value, whichever it is."""
        if _is_quantified(node) or type(node) in self._truths():
            return self.truth(node)
        found = self.value(node)
        if found.kind is K.FLAG:
            return typed.Yes(node, found)
        return found

    def truth(self, node: Node) -> Truth:
        """A part that must hold or not."""
        check = self._truths().get(type(node))
        if check is not None:
            return check(node)
        if _is_quantified(node):
            return self._exists(node)
        if isinstance(node, tree.Name):
            field = self._field(node)
            if field.kind is K.FLAG:
                return typed.Yes(node, field)
        raise RuleError("这里要写一个条件（如 金额 > 100），不能只写一个值", node.at)

    def _truths(self) -> dict[type[Node], Callable[[Any], Truth]]:
        return {
            tree.Not: lambda node: typed.Nay(node, self.truth(node.one)),
            tree.Every: lambda node: typed.All(node, tuple(map(self.truth, node.parts))),
            tree.Some: lambda node: typed.AnyOf(node, tuple(map(self.truth, node.parts))),
            tree.Compare: self._compare,
            tree.Between: self._between,
            tree.OneOf: self._one_of,
            tree.During: self._during,
            tree.Match: self._match,
            tree.Empty: lambda node: typed.Blank(node, self.value(node.one), node.is_not),
        }

    def _compare(self, node: tree.Compare) -> Truth:
        if self._is_word(node.left) and not self._is_word(node.right):
            swapped = {">": "<", "<": ">", "≥": "≤", "≤": "≥"}.get(node.op, node.op)
            right, left = self._pair(node.right, node.left)
            return self._test(node, swapped, right, left)
        left, right = self._pair(node.left, node.right)
        return self._test(node, node.op, left, right)

    def _between(self, node: tree.Between) -> Truth:
        low = self._test(node, "≥", *self._pair(node.one, node.low))
        high = self._test(node, "≤", *self._pair(node.one, node.high))
        return typed.All(node, (low, high))

    def _one_of(self, node: tree.OneOf) -> Truth:
        pairs = [self._pair(node.one, choice) for choice in node.choices]
        tests = [self._test(node, "=", one, value) for one, value in pairs]
        values = tuple(value for _, value in pairs)
        if not all(isinstance(value, (Fixed, Dated)) for value in values):
            raise RuleError("属于 后面的列表只能写固定的值", node.choices[0].at)
        return typed.Choice(node, tests[0].left, values, node.is_not)

    def _during(self, node: tree.During) -> Truth:
        one = self.value(node.one)
        first, last = (
            Dated(tree.Edge(node.period, is_last, at=node.period.at), K.DATE)
            for is_last in (False, True)
        )
        lies = replace(node, is_not=False)
        within = typed.All(
            lies, (self._test(lies, "≥", one, first), self._test(lies, "≤", one, last))
        )
        if node.is_not:
            return typed.Nay(node, within)
        return within

    def _match(self, node: tree.Match) -> Truth:
        one, other = self._named(self.value(node.one)), node.other
        if one.kind is not K.TEXT:
            raise RuleError(f"“{node.how}”只能用于文字，这里是{one.kind.value}", node.one.at)
        if not isinstance(other, tree.Words) or not other.value:
            raise RuleError("这里要写引号中的文字，如 “制造”", other.at)
        if isinstance(one, Field) and one.fact.mask:
            raise RuleError(f"‘{one.fact.label}’是敏感信息，只能整个比较", node.one.at)
        return typed.Match(node, node.how, one, other.value)

    def _exists(self, node: tree.Rows) -> Truth:
        is_every = node.how == "所有"
        if is_every and node.where is None:
            raise RuleError("“所有”后面要写 其中 和条件", node.at)
        return typed.Exists(node, self._rows(node, node.path)[0], is_every)

    def _test(self, node: Node, op: str, left: Value, right: Value) -> typed.Test:
        kinds = (left.kind, right.kind)
        if not _comparable(*kinds):
            raise RuleError(f"{kinds[0].value}不能与{kinds[1].value}比较", right.source.at)
        for one, other in ((left, right), (right, left)):
            if one.kind is K.PERCENT and isinstance(other, Fixed) and other.is_bare:
                raise RuleError(
                    f"与百分比比较请写百分号，如 {words.sentence(other.source)}%", other.source.at
                )
        if op not in {"=", "≠"} and left.kind not in _ORDERED:
            raise RuleError(f"{left.kind.value}只能比较是否相等", node.at)
        if left.kind in NUMBERS:
            assert isinstance(left, Number)
            assert isinstance(right, Number)
            self._exact(left.size.beside(right.size), node)
        return typed.Test(node, op, left, right)

    # ------------------------------------------------------------------------------------------------------- values
    def _pair(self, left: Node, right: Node) -> tuple[Value, Value]:
        """Two sides of a comparison; beside a code the other side is one of its labels."""
        one = self._named(self.value(left))
        if one.kind is K.CODE and isinstance(one, Field) and self._is_word(right):
            return one, self._code(one, right)
        return one, self._named(self.value(right))

    def _is_word(self, node: Node) -> bool:
        if isinstance(node, tree.Words):
            return True
        return (
            isinstance(node, tree.Name)
            and len(node.parts) == 1
            and node.parts[0] not in self.subject.facts
        )

    def _code(self, field: Field, node: Node) -> Fixed:
        assert isinstance(node, (tree.Words, tree.Name))
        wanted = node.value if isinstance(node, tree.Words) else node.parts[0]
        labels = self.vocabulary.labels(field.fact)
        found = next((code for code, label in labels.items() if label == wanted), None)
        if found is None:
            guess = alike(wanted, labels.values())
            raise RuleError(f"‘{field.fact.label}’没有‘{wanted}’这个选项{guess}", node.at)
        return Fixed(node, K.CODE, found)

    def _named(self, value: Value) -> Value:
        """A reference beside a text is its record's name."""
        if not (isinstance(value, Field) and value.kind is K.RECORD):
            return value
        title = self.vocabulary.title(value.fact.target) if value.fact.target else None
        self.beyond.add(value.fact.target)
        if title is None:
            raise RuleError(
                f"请写出‘{value.fact.label}’的哪个字段，如 {value.fact.label}的编号",
                value.source.at,
            )
        return Field(value.source, K.TEXT, (*value.links, value.fact), title)

    def value(self, node: Node) -> Value:  # noqa: C901, PLR0911 - a line for each kind of node
        """A part that must be a value."""
        match node:
            case tree.Amount():
                return _amount(node)
            case tree.Words():
                if not node.value:
                    raise RuleError("引号中没有内容；要判断没有填写，请用 为空", node.at)
                return Fixed(node, K.TEXT, node.value)
            case tree.Flag():
                return Fixed(node, K.FLAG, node.value)
            case tree.Day() | tree.Near():
                return Dated(node, K.DATE)
            case tree.Span():
                return Dated(node, K.DATE if node.turn else K.SPAN)
            case tree.Name():
                return self._field(node)
            case tree.Minus():
                zero = Fixed(node, K.NUMBER, Fraction(0))
                return self._calculated(node, "-", zero, self.value(node.one))
            case tree.Calc():
                return self._calc(node)
            case tree.Rows() if node.how in {"数量", "合计", "最大", "最小"}:
                return self._figure(node)
        raise RuleError("这里要写一个值，不能写条件", node.at)

    def _calc(self, node: tree.Calc) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        what = (left.kind, node.op, right.kind)
        if what in {(K.DATE, "+", K.SPAN), (K.DATE, "-", K.SPAN)}:
            return _shifted(node, left)
        if what == (K.DATE, "-", K.DATE):
            return typed.Days(node, K.NUMBER, left, right)
        return self._calculated(node, node.op, left, right)

    def _calculated(self, node: Node, op: str, left: Value, right: Value) -> Value:
        kinds = (left.kind, right.kind)
        if isinstance(node, tree.Minus):
            kinds = (right.kind, right.kind)
        kind = _KINDS_OF[op].get(kinds)
        if kind is None:
            raise RuleError(f"{left.kind.value}与{right.kind.value}不能用 {op} 计算", node.at)
        assert isinstance(left, Number)
        assert isinstance(right, Number)
        join = {"+": Size.plus, "-": Size.plus, "×": Size.times, "÷": Size.over}[op]
        size = join(left.size, right.size)
        self._exact(size, node)
        return typed.Sum(node, kind, op, left, right, size)

    def _exact(self, size: Size, node: Node) -> None:
        if not size.is_exact:
            raise RuleError("这个算式的数可能太大，数据库无法准确计算，请减少相乘的项", node.at)

    def _field(self, node: tree.Name) -> Field:
        *over, last = node.parts
        subject, links = self._over(tuple(over), node.at)
        fact = subject.facts.get(last)
        if fact is None:
            where = f"‘{subject.label}’中" if over else ""
            if re.fullmatch(words.PERIOD, last):
                raise RuleError(f"‘{last}’是一段时间，请写 在 {last}", node.at)
            guess = alike(last, subject.facts)
            raise RuleError(f"{where}没有叫‘{last}’的字段{guess}", node.at)
        self._use(subject, fact.key)
        return Field(node, fact.kind, links, fact)

    def _use(self, subject: Subject, key: str) -> None:
        if subject.model is not None:
            self.used.add((str(subject.model.__tablename__), key))

    def _over(self, parts: tuple[str, ...], at: int) -> tuple[Subject, tuple[Fact, ...]]:
        subject = self.subject
        links: tuple[Fact, ...] = ()
        for part in parts:
            fact = subject.facts.get(part)
            if fact is None:
                raise RuleError(f"没有叫‘{part}’的字段{alike(part, subject.facts)}", at)
            if not fact.target:
                raise RuleError(f"‘{part}’不是关联记录，后面不能再写 的", at)
            self._use(subject, fact.key)
            subject, links = self.vocabulary.subject(fact.target), (*links, fact)
            self.beyond.add(fact.target)
        return subject, links

    # --------------------------------------------------------------------------------------------------- child rows
    def _rows(self, node: tree.Rows, path: tuple[str, ...]) -> tuple[RowsOf, "_Checker"]:
        *over, label = path
        owner, links = self._over(tuple(over), node.at)
        child = owner.children.get(label)
        if child is None:
            guess = alike(label, owner.children)
            raise RuleError(f"‘{owner.label}’没有叫‘{label}’的明细{guess}", node.at)
        table = str(child.model.__tablename__)
        self.beyond.add(table)
        self.used.add((table, child.link))
        inner = _Checker(self.vocabulary.subject(table), self.vocabulary, self.beyond, self.used)
        where = None if node.where is None else inner.truth(node.where)
        return RowsOf(links, child, where), inner

    def _figure(self, node: tree.Rows) -> Value:
        if node.how == "数量":
            rows, _ = self._rows(node, node.path)
            return typed.Figure(node, K.NUMBER, node.how, rows, None, Size(ROWS_MAX))
        if len(node.path) < 2:
            raise RuleError(
                f"{node.how}要写明细的字段，如 {node.how}({node.path[0]}的金额)", node.at
            )
        rows, inner = self._rows(node, node.path[:-1])
        of = inner.value(tree.Name(node.path[-1:], at=node.at))
        assert isinstance(of, Field)
        if of.kind not in (NUMBERS if node.how == "合计" else _ORDERED):
            raise RuleError(f"{of.kind.value}不能求{node.how}", node.at)
        times = ROWS_MAX if node.how == "合计" else 1
        size = Size(of.fact.most * times, 1, of.fact.scale)
        return typed.Figure(node, of.kind, node.how, rows, of, size)


def _is_quantified(node: Node) -> TypeGuard[tree.Rows]:
    return isinstance(node, tree.Rows) and node.how in {"存在", "任一", "所有"}


def _comparable(left: K, right: K) -> bool:
    pair = {left, right}
    if pair & {K.SPAN, K.RECORD}:
        return False
    return len(pair) == 1 or pair in ({K.MONEY, K.NUMBER}, {K.PERCENT, K.NUMBER})


def _amount(node: tree.Amount) -> Fixed:
    value = Fraction(node.value)
    if node.unit == "%":
        return Fixed(node, K.PERCENT, value / 100)
    if node.unit:
        return Fixed(node, K.MONEY, value * Fraction(UNITS[node.unit]))
    return Fixed(node, K.NUMBER, value, is_bare=True)


def _shifted(node: tree.Calc, left: Value) -> Value:
    span = node.right
    assert isinstance(span, tree.Span)
    if isinstance(left, Dated):
        return Dated(node, K.DATE)
    if span.unit != "天":
        raise RuleError("字段的日期只能加减天数", span.at)
    return typed.Shifted(node, K.DATE, left, span.count if node.op == "+" else -span.count)
