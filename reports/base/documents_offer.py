"""What a document's template may say: its placeholders with an example of each, and what it says wrongly.

The sample data of a kind are the contract of its template: a name that they do not have is a typing error, also in a
branch that no sample reaches.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Final, TypeAlias

from jinja2 import nodes

from reports.base.documents_template import (
    VOID_TAGS,
    DocumentError,
    is_attribute_kept,
    is_tag_kept,
    parsed,
    render_letter,
)
from reports.base.documents_words import SECTIONS, called, word

MOST_FAULTS: Final = 5
_EXAMPLE_SIGNS: Final = 40
_TOKEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_RATES: Final = ("rate", "pct")


Labels: TypeAlias = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Placeholder:
    """One thing that a template can print: what people call it, what is written for it, and what comes of it."""

    label: str
    text: str
    example: str


@dataclass(frozen=True)
class Group:
    """Placeholders of one section; those of a list are the columns of a table with a row for each of its items."""

    label: str
    items: Sequence[Placeholder]
    each: str = ""  # the list that is gone through, as the template names it


def offered(data: Mapping[str, object], labels: Labels | None = None) -> list[Group]:
    """The placeholders of a kind by section, from its sample data; `labels` name custom fields by table and code."""
    found: list[Group] = []
    for key, part in data.items():
        if key == "custom":
            continue
        if isinstance(part, Mapping):
            found += _section(key, part)
        elif isinstance(part, list):
            found.append(_list(key, SECTIONS.get(key, key), part))
    custom = data.get("custom")
    tables = custom if isinstance(custom, Mapping) else {}
    for table, names in (labels or {}).items():
        values = tables.get(table, {})
        items = [
            one
            for code, label in names.items()
            if code in values
            for one in _ways(f"custom.{table}.{code}", label, values[code])
        ]
        if items:
            found.append(Group(SECTIONS["custom"], items))
    return found


def names(data: Mapping[str, object], labels: Labels) -> dict[str, str]:
    """What each dotted path of a kind's data is called in a text; `[]` stands for each item of a list."""
    found = {path: called(path) for path in _all_paths(data, "") if called(path)}
    custom = {
        f"custom.{table}.{code}": label
        for table, known in labels.items()
        for code, label in known.items()
    }
    return {**found, **custom}


def _all_paths(data: Mapping[str, object], before: str) -> Iterator[str]:
    """Every path, those of the items of lists too."""
    for key, value in data.items():
        path = f"{before}{key}"
        yield path
        if isinstance(value, Mapping):
            yield from _all_paths(value, f"{path}.")
        elif isinstance(value, list) and isinstance(each := _each(value), Mapping):
            yield from _all_paths(each, f"{path}[].")


def _section(key: str, part: Mapping[str, object]) -> Iterator[Group]:
    label = SECTIONS.get(key, key)
    flat = {name: value for name, value in part.items() if not isinstance(value, list)}
    yield Group(
        label,
        [
            one
            for name, value in flat.items()
            for one in _ways(f"{key}.{name}", word(f"{key}.{name}") or name, value)
        ],
    )
    for name, value in part.items():
        if isinstance(value, list):
            path = f"{key}.{name}"
            yield _list(path, f"{label} · {word(path) or name}", value)


def _list(path: str, label: str, rows: Sequence[object]) -> Group:
    if not isinstance(each := _each(rows), Mapping):
        return Group(f"{label}（逐项）", [_one(label, "row", rows[0] if rows else "")], path)
    items = [
        _ways(f"row.{name}", word(f"{path}[].{name}") or name, value)[0]
        for name, value in each.items()
    ]
    return Group(f"{label}（逐行）", items, path)


def _ways(path: str, label: str, value: object) -> list[Placeholder]:
    """A value in each form in which letters print its kind, the usual one first."""
    name = path.rpartition(".")[2]
    if isinstance(value, Decimal) and any(sign in name for sign in _RATES):
        return [_one(label, f"{path}|rate", value)]
    if isinstance(value, Decimal):
        return [
            _one(label, f"{path}|money", value),
            _one(f"{label}（大写）", f"{path}|capital", value),
        ]
    if isinstance(value, date) and not isinstance(value, datetime):
        return [
            _one(label, f"{path}|cn_date", value),
            _one(f"{label}（汉字）", f"{path}|cn_date_formal", value),
        ]
    return [_one(label, path, value)]


def _one(label: str, text: str, value: object) -> Placeholder:
    filter_ = text.partition("|")[2]
    shown = render_letter("{{ it" + (f"|{filter_}" if filter_ else "") + " }}", {"it": value})
    return Placeholder(label, "{{ " + text + " }}", shown[:_EXAMPLE_SIGNS])


def _each(rows: Sequence[object]) -> object:
    """What the items of a list have: all keys of all of them."""
    if not rows:
        return None
    found: dict[str, object] = {}
    for row in reversed(rows):
        if not isinstance(row, Mapping):
            return rows[0]
        found |= row
    return found


# ------------------------------------------------------------------------------------------------------- its faults
def faults(template_html: str, data: Mapping[str, object] | None) -> list[str]:
    """What is wrong with the text of a template, in words, at most five; without `data` names are not looked up.

    Raises DocumentError where it cannot be read at all.
    """
    tree = parsed(template_html)
    found = [*_Markup().read(template_html)]
    if data is not None:
        names = _Names(data)
        names.go(tree.body, {})
        found += names.found
    found.sort(key=lambda one: int("".join(filter(str.isdigit, one.partition("行")[0]))))
    return list(dict.fromkeys(found))[:MOST_FAULTS]


class _Any:
    """A value of which nothing is known."""


_ANY: Final = _Any()
_LOOP: Final = dict.fromkeys(("index", "index0", "first", "last", "length", "revindex"), _ANY)
_KEEPS: Final = ("default", "trim")


class _Names:
    """Looks up every name that a template prints or asks, in each of its branches."""

    def __init__(self, data: Mapping[str, object]) -> None:
        self.data = data
        self.found: list[str] = []
        self._paths = list(_all_paths(data, ""))

    def go(self, body: Sequence[nodes.Node], scope: Mapping[str, object]) -> None:
        """Look through the nodes of one place, where `scope` names what loops have named."""
        for node in body:
            if isinstance(node, nodes.For):
                self._loop(node, scope)
            else:
                self._look(node, scope)

    def _loop(self, node: nodes.For, scope: Mapping[str, object]) -> None:
        rows = self._look(node.iter, scope)
        if not isinstance(rows, list | tuple | _Any):
            self.found.append(f"第 {node.lineno} 行：循环只能用于清单")
        each = _each(rows) if isinstance(rows, list | tuple) else None
        names = [one.name for one in node.target.find_all(nodes.Name)]
        if isinstance(node.target, nodes.Name):
            names = [node.target.name]
        known = {name: _ANY if each is None or len(names) > 1 else each for name in names}
        self.go(node.body, {**scope, **known, "loop": _LOOP})
        self.go(node.else_, scope)

    def _look(self, node: nodes.Node, scope: Mapping[str, object]) -> object:
        """The example that an expression stands for; what it is made of is looked up too."""
        if isinstance(node, nodes.Name):
            return self._of({**self.data, **scope}, node.name, node.name, node.lineno)
        if isinstance(node, nodes.Getattr | nodes.Getitem):
            return self._part(node, scope)
        if isinstance(node, nodes.Filter) and node.name in ("first", "last"):
            rows = self._look(node.node, scope) if node.node else _ANY
            return _each(rows) if isinstance(rows, list) else _ANY
        if _may_lack(node):
            return _ANY
        for child in node.iter_child_nodes():
            self.go([child], scope)
        return _ANY

    def _part(self, node: nodes.Getattr | nodes.Getitem, scope: Mapping[str, object]) -> object:
        whole = self._look(node.node, scope)
        if isinstance(node, nodes.Getattr):
            key: object = node.attr
        elif isinstance(node.arg, nodes.Const):
            key = node.arg.value
        else:
            return _ANY
        if isinstance(whole, list) and isinstance(key, int):
            return _each(whole)
        return self._of(whole, key, _dotted(node), node.lineno)

    def _of(self, whole: object, key: object, path: str, line: int) -> object:
        if isinstance(whole, _Any) or whole is None:
            return _ANY
        if isinstance(whole, Mapping) and key in whole:
            return whole[key]
        near = difflib.get_close_matches(path, self._paths, 1, 0.6)
        known = called(near[0]) if near else ""
        hint = f"，是否想写“{near[0]}”" + (f"（{known}）" if known else "") if near else ""
        self.found.append(f"第 {line} 行：没有名为“{path}”的占位符{hint}")
        return _ANY


def _may_lack(node: nodes.Node) -> bool:
    """Whether a template says itself what holds where the name has no value."""
    if isinstance(node, nodes.Filter):
        return node.name == "default"
    return isinstance(node, nodes.Test) and node.name in ("defined", "undefined")


def _dotted(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_dotted(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return f"{_dotted(node.node)}.{node.arg.value}"
    return "…"


class _Markup(HTMLParser):
    """Refuses what a letter may not hold, and tags that are not closed, each by its line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[str] = []
        self._open: list[tuple[str, int]] = []

    def read(self, source: str) -> list[str]:
        """The faults of a text; what the engine fills in counts as nothing, and keeps its lines."""
        self.feed(_TOKEN.sub(lambda token: "\n" * token[0].count("\n"), source))
        self.close()
        self._found += [f"第 {line} 行：<{tag}> 没有结束标签" for tag, line in self._open]
        return self._found

    def _say(self, words: str) -> None:
        self._found.append(f"第 {self.getpos()[0]} 行：{words}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that letters have, with attributes that they have."""
        if not is_tag_kept(tag):
            self._say(f"文书中不能使用 <{tag}>")
            return
        for name, value in attrs:
            if not is_attribute_kept(tag, name, value or ""):
                self._say(f"<{tag}> 不能使用属性 {name}" + (f"=“{value[:40]}”" if value else ""))
        if tag not in VOID_TAGS:
            self._open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """<br/> is as good as <br>; of others a browser would not know that they are closed."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """An end tag closes the tag opened last."""
        if not is_tag_kept(tag) or tag in VOID_TAGS:
            return
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
            return
        if any(name == tag for name, _ in self._open):
            while self._open[-1][0] != tag:
                name, line = self._open.pop()
                self._found.append(f"第 {line} 行：<{name}> 没有结束标签")
            self._open.pop()
        else:
            self._say(f"</{tag}> 没有对应的开始标签")

    def handle_decl(self, decl: str) -> None:
        """A document type is of whole pages."""
        self._say(f"文书中不能使用 <!{decl[:20]}>")

    def handle_pi(self, data: str) -> None:
        """Nor are there instructions to programs."""
        self._say(f"文书中不能使用 <?{data[:20]}>")


def require_sound(template_html: str, data: Mapping[str, object] | None) -> None:
    """Raise DocumentError with all that is wrong with a template, in words."""
    if found := faults(template_html, data):
        raise DocumentError("；".join(found))
