"""Real checks of what people type: check digits, dates inside numbers, forms of addresses (X8)."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Final

from stdnum import luhn
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidFormat, ValidationError

_MOBILE: Final = re.compile(r"(?:\+?86[- ]?)?1[3-9]\d{9}", re.ASCII)
_WRITTEN_MOBILE: Final = re.compile(r"(?:(?:\+|00)?86)?(1[3-9]\d{9})", re.ASCII)
_SIGNS: Final = re.compile(r"[\s()\u2010-\u2015-]")
_LANDLINE: Final = re.compile(r"(?:\(?0\d{2,3}\)?[- ]?)?[2-9]\d{6,7}(?:[-转 ]\d{1,6})?", re.ASCII)
_SERVICE: Final = re.compile(r"[48]00-?\d{3}-?\d{4}|95\d{3,4}", re.ASCII)
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}",
    re.ASCII,
)
_POSTCODE: Final = re.compile(r"[0-8]\d{5}", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.:/@-]*", re.ASCII)
_CARD: Final = re.compile(r"\d{12,19}", re.ASCII)
# Registrars other than the market regulator (the letters of GB 32100-2015) that the library leaves out.
_USCC_LETTERS: Final = re.compile(r"[1-9AN-Y][1-9A-Z]\d{6}[0-9A-HJ-NP-RTUW-Y]{10}", re.ASCII)
# First two digits of every provincial division in GB/T 2260.
_PROVINCES: Final = frozenset(
    re.findall("..", "1112131415212223313233343536374142434445465051525354616263646571818283")
)
_FIRST_BIRTH_YEAR: Final = 1900
_LENGTH: Final = 18


def check_value(kind: str, value: str) -> str | None:
    """Say in Chinese what is wrong with `value`, or None where it is right.

    `kind` is id_number, uscc, mobile, phone, email, bank_card, postcode or code. Raises KeyError for any other kind.
    """
    return _CHECKS[kind](value.strip())


def normal(kind: str, value: str) -> str:
    """The value as it is kept: people write a mobile with +86 and blanks, and a credit code in groups or small letters.

    What is none of these stays as it was typed, for `check_value` to name.
    """
    if kind not in ("mobile", "phone", "uscc"):
        return value
    bare = _SIGNS.sub("", unicodedata.normalize("NFKC", value)).upper()
    if kind == "uscc":
        return bare if len(bare) == _LENGTH else value
    found = _WRITTEN_MOBILE.fullmatch(bare)
    return found.group(1) if found else value


def birth_of(id_number: str) -> date:
    """Date of birth in a valid 身份证号."""
    return ric.get_birth_date(id_number)


def is_male(id_number: str) -> bool:
    """Sex in a valid 身份证号: the 17th digit is odd for men."""
    return int(id_number.strip()[16]) % 2 == 1


def _id_number(value: str) -> str | None:
    if len(value) != _LENGTH:  # the library would forgive blanks and hyphens that the table keeps
        return f"身份证号应为 18 位，现为 {len(value)} 位"
    if not value.isascii():
        return "身份证号应使用半角数字"
    try:
        ric.validate(value)
    except InvalidFormat:
        return "身份证号前 17 位应为数字，末位为数字或 X"
    except InvalidChecksum:
        return "身份证号校验码不符，请核对"
    except (
        ValidationError,
        ValueError,
        KeyError,
    ):  # a place that its table does not know can be a KeyError
        return _id_components(value)
    return None if birth_of(value).year >= _FIRST_BIRTH_YEAR else "身份证号中的出生日期不正确"


def _id_components(value: str) -> str | None:
    """New districts are not in the library's table yet: the province decides."""
    try:
        born = birth_of(value)
    except (ValidationError, ValueError):
        return "身份证号中的出生日期不正确"
    if born.year < _FIRST_BIRTH_YEAR:
        return "身份证号中的出生日期不正确"
    return None if value[:2] in _PROVINCES else "身份证号中的地区代码不存在"


def _uscc(value: str) -> str | None:
    if len(value) != _LENGTH:
        return f"统一社会信用代码应为 18 位，现为 {len(value)} 位"
    if not value.isascii():
        return "统一社会信用代码应使用半角数字和字母"
    if not value[8:17].strip("0"):
        return "统一社会信用代码的主体标识码不能全为 0"
    try:
        uscc.validate(value)
    except InvalidChecksum:
        return "统一社会信用代码校验码不符，请核对"
    except ValidationError:
        if not _USCC_LETTERS.fullmatch(value.upper()):
            return "统一社会信用代码含有不允许的字符（字母 I、O、S、V、Z 不使用）"
        if value[-1].upper() != _uscc_digit(value.upper()):
            return "统一社会信用代码校验码不符，请核对"
    return None


def _uscc_digit(value: str) -> str:
    # The letters I, O, S, V, Z have no value; after the pattern above only the first two places can hold one.
    try:
        return uscc.calc_check_digit(value[:17])
    except ValueError:
        return ""


def _mobile(value: str) -> str | None:
    return None if _MOBILE.fullmatch(value) else "手机号码应为 1 开头的 11 位数字"


def _phone(value: str) -> str | None:
    if any(form.fullmatch(value) for form in (_MOBILE, _LANDLINE, _SERVICE)):
        return None
    return "电话号码格式不正确，例：0571-87654321 或 13800000000"


def _email(value: str) -> str | None:
    return (
        None
        if _EMAIL.fullmatch(value) and ".." not in value
        else "E-mail 地址格式不正确，例：name@company.com"
    )


def _bank_card(value: str) -> str | None:
    digits = value.replace(" ", "")
    if not _CARD.fullmatch(digits):
        return "银行卡号应为 12 至 19 位数字"
    return None if luhn.is_valid(digits) else "银行卡号校验码不符，请核对"


def _postcode(value: str) -> str | None:
    return None if _POSTCODE.fullmatch(value) else "邮政编码应为 6 位数字"


def _code(value: str) -> str | None:
    return (
        None
        if _CODE.fullmatch(value)
        else "编码只能由文字、数字和 _ . : / @ - 组成，且以文字或数字开头"
    )


_CHECKS: Final[dict[str, Callable[[str], str | None]]] = {
    "id_number": _id_number,
    "uscc": _uscc,
    "mobile": _mobile,
    "phone": _phone,
    "email": _email,
    "bank_card": _bank_card,
    "postcode": _postcode,
    "code": _code,
}
