"""From text to syntax tree: bounded before it is read, and every refusal says where."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from reports.rules import tree, words
from reports.rules.tree import Node, RuleError

Found: TypeAlias = list[Any]  # what a line of the grammar has found: tokens and nodes
MAX_LENGTH: Final = 4000
MAX_DEPTH: Final = 30
MAX_NODES: Final = 500
_MAX_DIGITS: Final = 15
_MAX_PLACES: Final = 8
_AMOUNT: Final = re.compile(r"([\d.]+)\s*(\D*)")
_SPAN: Final = re.compile(r"(\d+)\s*(天|个月|年)(前|后)?")
_SIGNS: Final = dict(zip("+＋-－−×*＊÷/／", "++---×××÷÷÷", strict=True))


@lru_cache(maxsize=2048)
def parse(text: str) -> Node:
    """The syntax tree of a rule; RuleError where it is none, or too long or too deep."""
    if len(text) > MAX_LENGTH:
        raise RuleError(f"规则最长 {MAX_LENGTH} 个字，现有 {len(text)} 个字")
    if not text.strip():
        raise RuleError("规则为空")
    _refuse_deep_brackets(text)
    try:
        node: Node = _parser().parse(text)  # type: ignore[assignment]  # the transformer makes nodes
    except UnexpectedInput as problem:
        raise _explained(problem, text) from None
    except VisitError as problem:
        if isinstance(problem.orig_exc, RuleError):
            raise RuleError(problem.orig_exc.message, problem.orig_exc.at, text) from None
        raise
    except RuleError as problem:
        raise RuleError(problem.message, problem.at, text) from None
    _refuse_big(node, text)
    return node


def _refuse_deep_brackets(text: str) -> None:
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "(（") - (sign in ")）")
        if depth > MAX_DEPTH:
            raise RuleError(f"括号最多嵌套 {MAX_DEPTH} 层", at, text)


def _refuse_big(root: Node, text: str) -> None:
    """Measured without recursion, so that whoever walks the tree later may recurse."""
    waiting, count = [(root, 1)], 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise RuleError(f"规则最多嵌套 {MAX_DEPTH} 层", node.at, text)
        if count > MAX_NODES:
            raise RuleError(f"规则最多由 {MAX_NODES} 个部分组成", node.at, text)
        waiting += [(part, depth + 1) for part in tree.below(node)]


def _explained(problem: UnexpectedInput, text: str) -> RuleError:
    at = int(getattr(problem, "pos_in_stream", None) or 0)
    if isinstance(problem, UnexpectedToken) and problem.token.type == "$END":
        return RuleError("规则没有写完，后面还缺内容", len(text), text)
    if isinstance(problem, UnexpectedCharacters):
        return RuleError(f"看不懂“{text[at]}”", at, text)
    found = str(getattr(problem, "token", ""))[:20]
    return RuleError(f"“{found}”不能出现在这里", at, text)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    for word, pattern in (
        ("NEARBY", words.NEARBY),
        ("PERIOD", words.PERIOD),
        ("END", words.END),
        ("STOP", words.STOP),
    ):
        grammar = grammar.replace(f"(?={word})", f"(?={pattern})").replace(
            f"(?!{word})", f"(?!{pattern})"
        )
        grammar = grammar.replace(f"({word})", f"({pattern})")
    return Lark(grammar, parser="lalr", transformer=_Maker(), maybe_placeholders=False)


def _place(one: Token | Node) -> int:
    return (one.start_pos or 0) if isinstance(one, Token) else int(one.at)


class _Maker(Transformer[Token, Node]):
    """Makes nodes of what the grammar finds, from the inside out."""

    def start(self, found: Found) -> Node:
        return found[0]  # type: ignore[no-any-return]

    def some(self, found: Found) -> Node:
        return tree.Some(tuple(found), at=found[0].at) if len(found) > 1 else found[0]

    def every(self, found: Found) -> Node:
        return tree.Every(tuple(found), at=found[0].at) if len(found) > 1 else found[0]

    def negation(self, found: Found) -> Node:
        return tree.Not(found[0], at=found[0].at)

    def rows(self, found: Found) -> Node:
        how, path, *where = found
        return tree.Rows(str(how), path.parts, where[0] if where else None, at=_place(how))

    def compare(self, found: Found) -> Node:
        left, op, right = found
        return tree.Compare(words.COMPARED.get(str(op), str(op)), left, right, at=left.at)

    def between(self, found: Found) -> Node:
        return tree.Between(*found, at=found[0].at)

    def one_of(self, found: Found) -> Node:
        one, how, *choices = found
        return tree.OneOf(one, tuple(choices), is_not=how.startswith("不"), at=one.at)

    def during(self, found: Found) -> Node:
        one, how, period = found
        named = words.period_of(str(period), _place(period))
        return tree.During(one, named, is_not=how.startswith("不"), at=one.at)

    def has(self, found: Found) -> Node:
        one, how, other = found
        return tree.Match(str(how), one, other, at=one.at)

    def edge(self, found: Found) -> Node:
        one, other, how = found
        return tree.Match(str(how), one, other, at=one.at)

    def empty(self, found: Found) -> Node:
        one, how = found
        return tree.Empty(one, is_not=how.startswith("不"), at=one.at)

    def calc(self, found: Found) -> Node:
        left, op, right = found
        return tree.Calc(_SIGNS[str(op)], left, right, at=left.at)

    def minus(self, found: Found) -> Node:
        return tree.Minus(found[1], at=_place(found[0]))

    def path(self, found: Found) -> Node:
        return tree.Name(tuple(str(part).strip("「」") for part in found), at=_place(found[0]))

    def name(self, found: Found) -> Node:
        return found[0]  # type: ignore[no-any-return]

    def amount(self, found: Found) -> Node:
        match = _AMOUNT.fullmatch(found[0])
        assert match is not None, "the grammar gave a number and its unit"
        digits, unit = match.groups()
        whole, _, places = digits.partition(".")
        if len(whole) > _MAX_DIGITS or len(places) > _MAX_PLACES:
            raise RuleError(
                f"数字最多 {_MAX_DIGITS} 位整数、{_MAX_PLACES} 位小数", _place(found[0])
            )
        return tree.Amount(Decimal(digits), unit.replace("％", "%"), at=_place(found[0]))

    def span(self, found: Found) -> Node:
        match = _SPAN.fullmatch(found[0])
        assert match is not None, "the grammar gave a count and its unit"
        return tree.Span(int(match[1]), match[2], match[3] or "", at=_place(found[0]))

    def day(self, found: Found) -> Node:
        year, month, number = (int(part) for part in found[0].split("-"))
        try:
            return tree.Day(date(year, month, number), at=_place(found[0]))
        except ValueError:
            raise RuleError(f"没有 {found[0]} 这一天", _place(found[0])) from None

    def words(self, found: Found) -> Node:
        return tree.Words(str(found[0])[1:-1], at=_place(found[0]))

    def flag(self, found: Found) -> Node:
        return tree.Flag(found[0] == "是", at=_place(found[0]))

    def near(self, found: Found) -> Node:
        return tree.Near(str(found[0]), at=_place(found[0]))
