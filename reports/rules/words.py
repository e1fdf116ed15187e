"""The words of the rule language: what stands in grammar.lark, and a rule as a sentence that reads back as itself."""

import re
from collections.abc import Callable
from typing import Final

from reports.rules import tree
from reports.rules.tree import Node

PERIOD: Final = r"(?:近|未来)\d{1,4}(?:天|个月|年)|[本上下](?:周|月|季度?|年)|今年|去年|明年"
# A name ends where one of these begins; \b-like ends for words that are no names.
STOP: Final = (
    "(?:不?为空|不?包含|不?属于|介于|不?等于|不?大于|不?小于|其中|满足|并且|且|或|的"
    rf"|不?在(?=(?:{PERIOD})(?:\W|[且或和至到]|$)))"
)
END: Final = rf"(?:\W|{STOP}|[和至到]|$)"
NEARBY: Final = "今天|昨天|明天|本月初|本月末|上月初|上月末|下月初|下月末|本季初|本季末|本年初|本年末|上年初|上年末"
COMPARED: Final = {
    "等于": "=",
    "==": "=",
    "＝": "=",
    "不等于": "≠",
    "!=": "≠",
    "<>": "≠",
    "大于": ">",
    "＞": ">",
    "小于": "<",
    "＜": "<",
    "大于等于": "≥",
    "不小于": "≥",
    ">=": "≥",
    "小于等于": "≤",
    "不大于": "≤",
    "<=": "≤",
}
_YEARS: Final = {"今年": "本年", "去年": "上年", "明年": "下年"}
_RESERVED: Final = frozenset(f"{NEARBY}|是|否|存在|任一|所有|非|开头|结尾|以|和|至|到".split("|"))
_PLAIN: Final = re.compile(rf"(?!{STOP})[^\W\d](?:(?!{STOP})\w)*")
# How tight a part holds together: what is looser stands in brackets.
_SOME, _EVERY, _NOT, _TEST, _SUM, _PRODUCT, _SIGN, _ATOM = range(8)


def name(parts: tuple[str, ...]) -> str:
    """Labels as a rule writes them: in 「」 where they would be read otherwise."""
    return "的".join(
        part if _PLAIN.fullmatch(part) and part not in _RESERVED else f"「{part}」"
        for part in parts
    )


def sentence(node: Node) -> str:
    """The rule as a text that reads back as the same rule."""
    return _write(node, _SOME)


def _write(node: Node, held: int) -> str:
    tight, write = _WRITERS[type(node)]
    if isinstance(node, tree.Calc) and node.op in "×÷":
        tight = _PRODUCT
    text = write(node)
    return f"({text})" if tight < held else text


def _amount(node: tree.Amount) -> str:
    return f"{node.value:f}{node.unit}"


def _calc(node: tree.Calc) -> str:
    here = _SUM if node.op in "+-" else _PRODUCT
    return f"{_write(node.left, here)} {node.op} {_write(node.right, here + 1)}"


def _rows(node: tree.Rows) -> str:
    inner = name(node.path)
    if node.where is not None:
        inner += f" 其中 {_write(node.where, _SOME)}"
    return f"{node.how}({inner})"


def _match(node: tree.Match) -> str:
    one, other = _write(node.one, _SUM), _write(node.other, _SUM)
    if node.how in {"包含", "不包含"}:
        return f"{one} {node.how} {other}"
    return f"{one} 以 {other} {node.how}"


def _one_of(node: tree.OneOf) -> str:
    choices = ", ".join(_write(part, _SUM) for part in node.choices)
    return f"{_write(node.one, _SUM)} {'不' * node.is_not}属于 ({choices})"


def _between(node: tree.Between) -> str:
    one, low, high = (_write(part, _SUM) for part in (node.one, node.low, node.high))
    return f"{one} 介于 {low} 和 {high}"


def period_of(text: str, at: int) -> tree.Period:
    """The period that a word of the grammar means."""
    word, unit = _YEARS.get(text, text).removesuffix("度"), ""
    for lead in ("近", "未来"):
        if word.startswith(lead):
            count = re.match(r"\d+", word.removeprefix(lead))
            assert count is not None, "the grammar gave a count"
            unit = word.removeprefix(lead + count[0])
            return tree.Period(lead, unit, int(count[0]), at=at)
    return tree.Period(word[0], word[1:], at=at)


def _during(node: tree.During) -> str:
    said = f"{node.period.word}{node.period.count or ''}{node.period.unit}"
    return f"{_write(node.one, _SUM)} {'不' * node.is_not}在 {said}"


def _joined(word: str, held: int) -> Callable[[tree.Every | tree.Some], str]:
    return lambda node: f" {word} ".join(_write(part, held) for part in node.parts)


def _quoted(node: tree.Words) -> str:
    return f"“{node.value}”" if "”" not in node.value else f'"{node.value}"'


_WRITERS: Final[dict[type[Node], tuple[int, Callable[..., str]]]] = {
    tree.Amount: (_ATOM, _amount),
    tree.Words: (_ATOM, _quoted),
    tree.Flag: (_ATOM, lambda node: "是" if node.value else "否"),
    tree.Day: (_ATOM, lambda node: node.value.isoformat()),
    tree.Near: (_ATOM, lambda node: node.word),
    tree.Span: (_ATOM, lambda node: f"{node.count}{node.unit}{node.turn}"),
    tree.Name: (_ATOM, lambda node: name(node.parts)),
    tree.Rows: (_ATOM, _rows),
    tree.Minus: (_SIGN, lambda node: f"-{_write(node.one, _SIGN)}"),
    tree.Calc: (_SUM, _calc),
    tree.Compare: (
        _TEST,
        lambda node: f"{_write(node.left, _SUM)} {node.op} {_write(node.right, _SUM)}",
    ),
    tree.Between: (_TEST, _between),
    tree.OneOf: (_TEST, _one_of),
    tree.During: (_TEST, _during),
    tree.Match: (_TEST, _match),
    tree.Empty: (
        _TEST,
        lambda node: f"{_write(node.one, _SUM)} {'不' * node.is_not}为空",
    ),
    tree.Not: (_NOT, lambda node: f"非 {_write(node.one, _NOT)}"),
    tree.Every: (_EVERY, _joined("且", _NOT)),
    tree.Some: (_SOME, _joined("或", _EVERY)),
}
