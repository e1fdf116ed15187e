"""Values of filters as somebody typed them: each kind of field reads its own, or says why it cannot."""

import enum
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from models.base.fields import FieldFacts
from models.base.money import parse_amount, round_to
from views.kit.interface import valid_id
from workflows.base.context import Ctx
from workflows.base.values import parse_rate


class BadFilter(ValueError):
    """A filter of the address that cannot be understood; the message says why in Chinese."""


def value(ctx: Ctx, facts: FieldFacts, text: str) -> Any:
    """A value of the column as somebody typed it. Raises ValueError or ArithmeticError where it cannot be one."""
    return _READERS[facts.kind](ctx, facts, text)


def _read_rate(_: Ctx, facts: FieldFacts, text: str) -> Decimal:
    return round_to(parse_rate(text), facts.scale)


def _read_int(_: Ctx, __: FieldFacts, text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text.replace(",", "")):
        raise BadFilter("请填写整数")
    return int(text.replace(",", ""))


def _read_date(_: Ctx, __: FieldFacts, text: str) -> date:
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text, re.ASCII)
    if not match:
        raise BadFilter("日期应写作 2026-11-23")
    return date(int(match[1]), int(match[2]), int(match[3]))


def _read_enum(_: Ctx, facts: FieldFacts, text: str) -> enum.Enum:
    for member in facts.choices or ():
        if text in {member.name, str(member.value)}:
            return member
    raise BadFilter("没有这个选项")


def _read_flag(_: Ctx, __: FieldFacts, text: str) -> bool:
    words = {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}
    if text.lower() not in words:
        raise BadFilter("应为 是 或 否")
    return words[text.lower()]


def _read_text(_: Ctx, __: FieldFacts, text: str) -> str:
    return text


def _read_money(_: Ctx, __: FieldFacts, text: str) -> Decimal:
    return parse_amount(text)


def _read_id(_: Ctx, __: FieldFacts, text: str) -> int:
    found = valid_id(text)
    if found is None:
        raise BadFilter("请从列表中选择")
    return found


_READERS: dict[str, Callable[[Ctx, FieldFacts, str], Any]] = {
    "text": _read_text,
    "long_text": _read_text,
    "dictionary": _read_text,
    "money": _read_money,
    "rate": _read_rate,
    "int": _read_int,
    "date": _read_date,
    "datetime": _read_date,
    "enum": _read_enum,
    "bool": _read_flag,
    "reference": _read_id,
}
