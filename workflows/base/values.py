"""Turn what came in (form text, JSON, a cell) into a column's value, or say in Chinese why it cannot be."""

import enum
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any

from models.base.checks import check_value, normal
from models.base.fields import INT_MAX, FieldFacts
from models.base.masks import has_stars
from models.base.money import format_money, parse_amount
from models.base.text import visible

_TRUE = {"1", "true", "是", "on", "y", "yes", "t"}
_FALSE = {"0", "false", "否", "off", "n", "no", "f", ""}
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,18})(?:\.\d{1,18})?", re.ASCII)
_DIGITS_MAX = 18
YEARS = range(1900, 2201)
# above any number that gets here, so that no step rounds or overflows
_WORK_SPACE = Context(prec=60)


def coerce(facts: FieldFacts, value: Any) -> Any:
    """The typed value of a field, checked against every fact that it states.

    None and blank text give None. Raises ValueError with a Chinese message.
    """
    if isinstance(value, str):
        value = visible(value).strip()
    if value is None or value == "":
        if facts.required:
            raise ValueError("请填写" + facts.label)
        return None
    return _READERS[facts.kind](facts, value)


def _text(facts: FieldFacts, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("应为文字")
    check = facts.check
    text = normal(check, str(value)) if check else str(value)
    if facts.mask and has_stars(text):
        raise ValueError(f"{facts.label}中有星号，请填写完整的内容；不修改时请保持原样")
    if 0 < facts.length < len(text):
        raise ValueError(f"最多 {facts.length} 个字，现有 {len(text)} 个")
    if len(text) > 100_000:
        raise ValueError("内容过长，最多 100,000 个字")
    if check and (message := check_value(check, text)):
        raise ValueError(message)
    return text


def _decimal(value: Any, read: Callable[[str], Decimal]) -> Decimal:
    if isinstance(value, str):
        return read(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("请用文字形式填写数字，例如 1200.00")
    found = Decimal(value)
    if not found.is_finite() or found.adjusted() > _DIGITS_MAX:
        raise ValueError("不是有效的数字")
    return found


def _places(found: Decimal, places: int) -> Decimal | None:
    """The number kept to that many places; None where something would be lost."""
    kept = found.quantize(Decimal(1).scaleb(-places), context=_WORK_SPACE)
    if kept != found:
        return None
    return abs(kept) if kept.is_zero() else kept  # never "-0.00"


def _money(facts: FieldFacts, value: Any) -> Decimal:
    found = _places(_decimal(value, parse_amount), 2)
    if found is None:
        raise ValueError("金额最多两位小数")
    if found < 0 and not facts.signed:
        raise ValueError("金额不能为负数")
    if facts.positive and found <= 0:
        raise ValueError("金额必须大于 0")
    if abs(found) > facts.maximum:
        raise ValueError(f"金额超过上限 {format_money(Decimal(facts.maximum))} 元")
    return found


def parse_rate(text: str) -> Decimal:
    """A rate as people write it, with all its places: an amount's reader would stop at the second."""
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix("%").rstrip()
    if not _NUMBER.fullmatch(plain):
        raise ValueError("请填写数字，例如 4.35")
    return Decimal(plain.replace(",", ""))


def _rate(facts: FieldFacts, value: Any) -> Decimal:
    scale = facts.scale
    found = _places(_decimal(value, parse_rate), scale)
    if found is None:
        raise ValueError(f"最多 {scale} 位小数")
    if found < 0 and not facts.signed:
        raise ValueError("不能为负数")
    if abs(found) > facts.maximum:
        raise ValueError(f"不能大于 {Decimal(facts.maximum).normalize():f}{facts.unit}")
    return found


def _whole(facts: FieldFacts, value: Any) -> int:
    text = str(value).replace(",", "")
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise ValueError("请填写整数")
    found = int(text)
    low, high = facts.minimum, facts.maximum
    if found < low:
        raise ValueError(f"不能小于 {low}")
    if found > high:
        raise ValueError(f"不能大于 {high}")
    return found


def _date(_: FieldFacts, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    match = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", str(value))
    if not match:
        raise ValueError("日期格式应为 2026-11-23")
    try:
        found = date(*(int(part) for part in match.groups()))
    except ValueError:
        raise ValueError(f"没有 {value} 这一天") from None
    if found.year not in YEARS:
        raise ValueError(f"年份应在 {YEARS.start} 至 {YEARS.stop - 1} 之间")
    return found


def _moment(_: FieldFacts, value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo:
        return value
    raise ValueError("时间由系统记录")


def _flag(_: FieldFacts, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in _TRUE | _FALSE:
        raise ValueError("请填写是或否")
    return text in _TRUE


def _enum(facts: FieldFacts, value: Any) -> enum.Enum:
    choices = tuple(facts.choices or ())
    for member in choices:
        if value is member or value in (member.name, member.value):
            return member
    raise ValueError("没有这个选项，可选：" + "、".join(str(m.value) for m in choices))


def _reference(_: FieldFacts, value: Any) -> int:
    if hasattr(value, "id"):
        value = value.id
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,10}", str(value)) or int(value) > INT_MAX:
        raise ValueError("请从列表中选择")
    return int(value)


def _json(_: FieldFacts, value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise ValueError("格式不正确")
    return value


_READERS = {
    "text": _text,
    "long_text": _text,
    "dictionary": _text,
    "money": _money,
    "rate": _rate,
    "int": _whole,
    "date": _date,
    "datetime": _moment,
    "bool": _flag,
    "enum": _enum,
    "reference": _reference,
    "json": _json,
}
