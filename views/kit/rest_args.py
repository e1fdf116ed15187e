"""What REST requests bring: JSON bodies, versions, and list arguments in the framework's dialect or in ours."""

import json
from typing import Any

import prison
from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from models.base.errors import BusinessError, FieldErrors
from views.kit.interface import valid_id

# Operators of the framework's clients, beside ours.
FOREIGN_OPERATORS = {
    "neq": "ne",
    "ct": "has",
    "sw": "starts",
    "rel_o_m": "eq",
    "gte": "ge",
    "lte": "le",
}
LIST_KEYS = {"page", "page_size", "order_column", "order_direction", "filters", "columns", "search"}


def body() -> dict[str, Any]:
    try:
        found = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise BusinessError("请求内容不是有效的 JSON") from error
    except Exception as error:
        if getattr(error, "code", None) == 415:
            raise BusinessError("请以 application/json 提交") from error
        raise
    if not isinstance(found, dict):
        raise BusinessError("请求内容应为 JSON 对象")
    refuse_broken_text(found)
    wrong = {k: ["数字过大"] for k, v in found.items() if isinstance(v, int) and abs(v) >= 10**18}
    if wrong:
        raise FieldErrors(wrong)
    return found


def refuse_broken_text(found: Any) -> None:
    """JSON may carry half a character (a lone surrogate), which no database stores. Raises BusinessError."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise BusinessError("内容含有无法保存的字符") from error


def version(value: Any) -> int:
    number = None if isinstance(value, bool) else valid_id(value)
    if number is None:
        raise BusinessError(
            "缺少版本号（version），请先读取记录，再连同读到的版本号一起提交", field="version"
        )
    return number


def list_args(args: "MultiDict[str, str]", columns: list[str]) -> "MultiDict[str, str]":
    """Arguments of the list in our own form, from plain arguments and from `q`. Raises BusinessError."""
    kept = {"f", "order", "size", "page", "rule"}
    found: MultiDict[str, str] = MultiDict((k, v) for k, v in args.items(multi=True) if k in kept)
    if "search" in args:
        found["q"] = args["search"]
    asked = _rison(args.get("q", ""))
    unknown = set(asked) - LIST_KEYS
    if unknown:
        raise BusinessError(
            "q 中没有这些参数：" + "、".join(sorted(str(k)[:32] for k in unknown)[:5])
        )
    if "page" in asked:
        # the framework counts from 0
        found["page"] = str(asked["page"] + 1) if type(asked["page"]) is int else "?"
    for ours, theirs in (("size", "page_size"), ("q", "search")):
        if theirs in asked:
            found[ours] = str(asked[theirs])
    if asked.get("order_column"):
        found["order"] = ("-" if asked.get("order_direction") == "desc" else "") + str(
            asked["order_column"]
        )
    for one in _items(asked, "filters"):
        found.add("f", _filter(one))
    columns += [str(name) for name in _items(asked, "columns")]
    return found


def _items(asked: dict[str, Any], key: str) -> list[Any]:
    value = asked.get(key, [])
    if not isinstance(value, list) or len(value) > 100:
        raise BusinessError(f"q 中的 {key} 应为列表")
    return value


def _filter(one: Any) -> str:
    if not isinstance(one, dict) or not {"col", "opr"} <= set(one):
        raise BusinessError("filters 的每一项应有 col、opr、value")
    value = one.get("value", "")
    text = ",".join(str(v) for v in value) if isinstance(value, list) else str(value)
    return f"{one['col']}:{FOREIGN_OPERATORS.get(str(one['opr']), one['opr'])}:{text}"


def _rison(text: str) -> dict[str, Any]:
    if not text:
        return {}
    for read in (prison.loads, json.loads):
        try:
            found = read(text)
        except (ValueError, RecursionError, IndexError, TypeError, prison.decoder.ParserException):
            continue
        if isinstance(found, dict):
            refuse_broken_text(found)
            return found
    raise BusinessError("参数 q 不是有效的 Rison 或 JSON 对象")
