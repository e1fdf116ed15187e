"""Users' document templates: rendered in a sandbox without calls, then sanitised; no PDF engine here."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import nh3
from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.sandbox import SandboxedEnvironment

from models.base import money
from models.base.errors import BusinessError

MAX_TEMPLATE_CHARS = 200_000
MAX_OUTPUT_CHARS = 200_000  # about a hundred pages; layout takes half a minute for them
MAX_LOOP_STEPS = 100_000
MAX_SECONDS = 5.0


class DocumentError(BusinessError):
    """A document cannot be made: the template, its data or the PDF engine stands in the way."""


class _Section(dict[str, Any]):
    """A part of the data that knows its own dotted name, so that a missing value can be named in full."""

    path: str = ""


class _NamedUndefined(StrictUndefined):
    """A missing variable that says its whole dotted name instead of the Python type it was looked for in."""

    @property
    def _undefined_message(self) -> str:
        if isinstance(self._undefined_obj, _Section) and self._undefined_obj.path:
            return f"{self._undefined_obj.path}.{self._undefined_name}"
        return str(self._undefined_name)


# What a business letter needs. No call, macro, assignment, product or power: nothing can grow beyond the data.
_ALLOWED_NODES = frozenset(
    {
        nodes.Template,
        nodes.Output,
        nodes.TemplateData,
        nodes.For,
        nodes.If,
        nodes.Name,
        nodes.Getattr,
        nodes.Getitem,
        nodes.Const,
        nodes.Compare,
        nodes.Operand,
        nodes.And,
        nodes.Or,
        nodes.Not,
        nodes.CondExpr,
        nodes.Filter,
        nodes.Test,
        nodes.Add,
        nodes.Sub,
        nodes.Neg,
        nodes.Tuple,
        nodes.List,
    }
)
_ALLOWED_FILTERS = ("default", "first", "join", "last", "length", "lower", "trim", "upper")
_NUMERALS = "〇一二三四五六七八九"


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise DocumentError(f"“{value}”不是数字，不能按金额或利率打印") from None


def _date(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise DocumentError(f"“{value}”不是日期，不能按日期打印") from None


def _money_filter(value: Any) -> str:
    """Amount in yuan with thousands separators; nothing for None."""
    return "" if value is None else money.format_money(_decimal(value))


def _capital_filter(value: Any) -> str:
    """Amount in yuan in 人民币大写; nothing for None."""
    if value is None:
        return ""
    try:
        return money.capital(_decimal(value))
    except ValueError as error:
        raise DocumentError(f"“{value}”不能打印成大写金额：{error}") from None


def _rate_filter(value: Any) -> str:
    """Rate without trailing zeros (4.350000 -> 4.35); the unit stands in the template."""
    if value is None:
        return ""
    text = format(_decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _cn_date_filter(value: Any) -> str:
    """Date as 2026年11月23日; nothing for None."""
    if value is None:
        return ""
    day = _date(value)
    return f"{day.year}年{day.month}月{day.day}日"


def _cn_date_formal_filter(value: Any) -> str:
    """Date in Chinese numerals as on seals and contracts: 二〇二六年十一月二十三日; nothing for None."""
    if value is None:
        return ""
    day = _date(value)
    year = "".join(_NUMERALS[int(digit)] for digit in f"{day.year:04d}")
    return f"{year}年{_below_hundred(day.month)}月{_below_hundred(day.day)}日"


def _below_hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else f"{_NUMERALS[tens]}十")
    return head + (_NUMERALS[ones] if ones else "")


def _iso_date_filter(value: Any) -> str:
    """Date as 2026-11-23; nothing for None."""
    return "" if value is None else _date(value).strftime("%Y-%m-%d")


def _finalize(value: Any) -> Any:
    """Print an empty value as nothing, a moment to the minute and a truth value in Chinese."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return value


class _Meter:
    """The budget of one rendering: characters, loop steps and seconds."""

    def __init__(self) -> None:
        self._steps = 0
        self._chars = 0
        self._deadline = time.monotonic() + MAX_SECONDS

    def loop(self, items: Iterable[Any]) -> Iterator[Any]:
        """Pass the items of a loop on, counting each."""
        for item in items:
            self._steps += 1
            if self._steps > MAX_LOOP_STEPS or time.monotonic() > self._deadline:
                raise DocumentError("模板循环次数过多或生成超时，请简化模板")
            yield item

    def output(self, chunk: str) -> str:
        """Pass a piece of the output on, counting its characters."""
        self._chars += len(chunk)
        if self._chars > MAX_OUTPUT_CHARS or time.monotonic() > self._deadline:
            raise DocumentError("文书内容过大或生成超时，请简化模板")
        return chunk


# The budget of the rendering that runs now: compiled templates are shared by all renderings.
_METER: ContextVar[_Meter] = ContextVar("letter_meter")


def _metered(items: Iterable[Any]) -> Iterator[Any]:
    return _METER.get().loop(items)


class _LetterEnvironment(SandboxedEnvironment):
    """Jinja for users' letters: few node types, few filters, data by key only (so `review.items` is data)."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=_NamedUndefined, finalize=_finalize)
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in _ALLOWED_FILTERS}
        self.filters |= {
            "money": _money_filter,
            "capital": _capital_filter,
            "rate": _rate_filter,
            "cn_date": _cn_date_filter,
            "cn_date_formal": _cn_date_formal_filter,
            "iso_date": _iso_date_filter,
            "metered": _metered,
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look a name up as a key; methods of dictionaries are out of reach."""
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look a key or an index up, never an attribute of a dictionary."""
        if isinstance(obj, dict):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)

    intercepted_binops = frozenset({"+", "-"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Add and subtract numbers only; adding texts could grow without bound."""
        if not all(isinstance(side, int | Decimal) for side in (left, right)):
            raise DocumentError("模板中的加减只能用于数字")
        return super().call_binop(context, operator, left, right)


def _parse(env: _LetterEnvironment, source: str, *, is_metered: bool = True) -> nodes.Template:
    """Parse a template, refuse what letters do not need, and meter its loops."""
    if len(source) > MAX_TEMPLATE_CHARS:
        raise DocumentError(f"模板过大，最多 {MAX_TEMPLATE_CHARS // 10_000} 万字")
    try:
        tree = env.parse(source)
    except TemplateSyntaxError as error:
        raise DocumentError(
            f"模板第 {error.lineno} 行的占位符写法有误，请检查花括号和标签是否成对"
        ) from None
    except RecursionError:
        raise DocumentError("模板嵌套层数过多，请简化模板") from None
    loops = []
    for node in tree.find_all(nodes.Node):
        _refuse_unknown(env, node)
        if is_metered and isinstance(node, nodes.For):
            loops.append(node)
    for loop in loops:
        loop.iter = nodes.Filter(loop.iter, "metered", [], [], None, None, lineno=loop.lineno)
    return tree


def _refuse_unknown(env: _LetterEnvironment, node: nodes.Node) -> None:
    line = node.lineno
    if type(node) not in _ALLOWED_NODES:
        raise DocumentError(
            f"模板第 {line} 行：只能使用变量、条件、循环和过滤器，不能调用函数、赋值或引用其他模板"
        )
    if isinstance(node, nodes.Filter) and (node.name not in env.filters or node.name == "metered"):
        raise DocumentError(f"模板第 {line} 行：没有名为“{node.name}”的过滤器")
    if isinstance(node, nodes.Name) and node.name == "self":
        raise DocumentError(f"模板第 {line} 行：没有名为“self”的变量")  # the engine's own, no data
    if isinstance(node, nodes.Test) and node.name not in {"defined", "undefined", "none"}:
        raise DocumentError(f"模板第 {line} 行：不支持判断“{node.name}”")


def _plain(value: Any, path: str) -> Any:
    """Copy the data, letting plain values through only: an entity would open the database to templates."""
    if value is None or isinstance(value, str | bool | int | float | Decimal | date):
        return value
    if isinstance(value, Mapping):
        section = _Section()
        section.path = path
        for key, item in value.items():
            section[str(key)] = _plain(item, f"{path}.{key}" if path else str(key))
        return section
    if isinstance(value, list | tuple):
        return [_plain(item, path) for item in value]
    raise TypeError(
        f"document data {path!r} holds a {type(value).__name__}; only plain values may be printed"
    )


def parsed(template_html: str) -> nodes.Template:
    """The template as a tree, for who looks through it; raises DocumentError for one that is written wrongly."""
    return _parse(_LetterEnvironment(), template_html, is_metered=False)


@lru_cache(maxsize=64)
def _compiled(template_html: str) -> Template:
    """The template, checked and compiled; a wrong one raises DocumentError and is not kept."""
    env = _LetterEnvironment()
    return env.from_string(_parse(env, template_html))


def check_letter(template_html: str) -> None:
    """Raise DocumentError for a template that is written wrongly, whatever data it would get."""
    _compiled(template_html)


def render_letter(template_html: str, data: Mapping[str, Any]) -> str:
    """Render a user-editable template and return sanitised HTML (a body fragment).

    Placeholders are jinja variables, conditions, loops and the filters money, capital, rate, cn_date, cn_date_formal,
    iso_date, default, join, length, first, last, trim, upper, lower.

    Raises DocumentError with a Chinese message when the template is wrong or names a variable without a value.
    """
    meter = _Meter()
    _METER.set(meter)
    try:
        template = _compiled(template_html)
        html = "".join(meter.output(chunk) for chunk in template.generate(_plain(data, "")))
    except UndefinedError as error:
        raise DocumentError(
            f"模板用到的变量“{error.message}”没有数据，请检查模板或补齐资料"
        ) from None
    except RecursionError:
        raise DocumentError("模板嵌套层数过多，请简化模板") from None
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        if isinstance(error, TypeError) and "plain values" in str(error):
            raise
        raise DocumentError("模板中的变量类型与用法不符，请检查循环和过滤器") from error
    return sanitise(html)


VOID_TAGS = frozenset({"br", "hr", "col", "img"})
# A picture that a document may have: a signature that hangs on its record, named by its digest.
SIGNATURE = "signature:"
# without its digest in a template, whose variables are read as nothing
_OTHER_PICTURE = re.compile(r'<img(?![^>]*\ssrc="signature:[0-9a-f]{64}")[^>]*>')
_SIGNATURE_NAME = re.compile(r"signature:([0-9a-f]{64})?")
_TAGS = frozenset(
    {
        "h1",
        "h2",
        "h3",
        "h4",
        "p",
        "div",
        "span",
        "br",
        "hr",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "sub",
        "sup",
        "small",
        "ol",
        "ul",
        "li",
        "table",
        "caption",
        "colgroup",
        "col",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "blockquote",
        "pre",
        "img",
    }
)
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "style", "align"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start", "type"},
    "img": {"src", "alt"},
}
_STYLES = frozenset(
    {
        "text-align",
        "text-indent",
        "text-decoration",
        "font-size",
        "font-weight",
        "font-style",
        "line-height",
        "letter-spacing",
        "width",
        "height",
        "color",
        "background-color",
        "vertical-align",
        "white-space",
        "padding",
        "padding-left",
        "padding-right",
        "padding-top",
        "padding-bottom",
        "margin",
        "margin-left",
        "margin-right",
        "margin-top",
        "margin-bottom",
        "border",
        "border-left",
        "border-right",
        "border-top",
        "border-bottom",
        "border-collapse",
        "page-break-before",
        "page-break-after",
        "page-break-inside",
    }
)


_HUGE = re.compile(r"\d{5}|\de\+?\d", re.IGNORECASE)


def _attribute_filter(_tag: str, attribute: str, value: str) -> str | None:
    """Drop values that could reach out of the page, and spans that would blow a table up."""
    if attribute == "src" and not _SIGNATURE_NAME.fullmatch(value):
        return None
    if attribute == "style" and any(sign in value.lower() for sign in ("(", "\\", "@", "<", "/*")):
        return None
    # no page is that large, and the engines divide by what is left
    if attribute == "style" and _HUGE.search(value):
        return None
    if attribute in {"colspan", "rowspan", "start"} and not (
        value.isascii() and value.isdigit() and len(value) <= 2
    ):
        return None
    return value


def is_tag_kept(tag: str) -> bool:
    """Whether letters have this tag."""
    return tag in _TAGS


def is_attribute_kept(tag: str, name: str, value: str) -> bool:
    """Whether `sanitise` leaves an attribute of a tag as it stands."""
    known = name in _ATTRIBUTES["*"] | _ATTRIBUTES.get(tag, set())
    return known and _attribute_filter(tag, name, value) is not None


def sanitise(html: str) -> str:
    """Return the HTML without scripts, links, forms, comments, outside addresses, and pictures but signatures.

    Tables, headings and lists stay; the style attribute keeps a short list of layout properties.
    """
    kept = nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags={"script", "style", "iframe", "object", "noscript", "title"},
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute_filter,
        filter_style_properties=set(_STYLES),
        url_schemes={SIGNATURE.removesuffix(":")},
        strip_comments=True,
        link_rel=None,
    )
    return _OTHER_PICTURE.sub("", kept)
