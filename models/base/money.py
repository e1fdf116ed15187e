"""Amounts of money: exact to the fen, read from what people type and printed the way they read it."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import Final

MONEY_MAX: Final = Decimal("9999999999.99")
FEN: Final = Decimal("0.01")

UNITS: Final[dict[str, Decimal]] = {
    "元": Decimal(1),
    "圆": Decimal(1),
    "千元": Decimal(1_000),
    "万": Decimal(10_000),
    "万元": Decimal(10_000),
    "百万元": Decimal(1_000_000),
    "千万元": Decimal(10_000_000),
    "亿": Decimal(100_000_000),
    "亿元": Decimal(100_000_000),
}
"""Units people write behind an amount, in yuan."""

_PRECISION = 60  # digits of work space: far above any amount, so that no step rounds by itself
EXCEL_DIGITS = (
    15  # what Excel keeps and shows of a number; beyond it is binary noise (0.30000000000000004)
)
_TEXT_MAX = 64
_SHOWN_MAX = 30
_AMOUNT = re.compile(
    r"(?P<open>\()?(?P<sign>[-+])?\s*(?:人民币|RMB|CNY)?\s*¥?\s*(?P<inner>[-+])?"
    r"(?P<number>[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)\s*"
    r"(?P<unit>千元|百万元|千万元|万元|亿元|万|亿|元|圆)?整?(?P<close>\))?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_MINUS_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2014": "-", "\uffe5": "¥"})


def round_to(value: Decimal, places: int) -> Decimal:
    """Round half up (away from zero) to that many decimal places; for rates and ratios.

    Raises ValueError where the value is no finite number.
    """
    quantum = _quantum(places)
    # nothing to round, as with nearly every amount to and from the database
    if value.same_quantum(quantum):
        rounded = value
    elif value.is_finite():
        with localcontext() as context:
            context.prec = max(_PRECISION, value.adjusted() + places + 2)
            rounded = value.quantize(quantum, rounding=ROUND_HALF_UP)
    else:
        message = "不是有效的数字"
        raise ValueError(message)
    return abs(rounded) if rounded.is_zero() else rounded  # never "-0.00"


@cache
def _quantum(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def round_money(value: Decimal) -> Decimal:
    """Round an amount in yuan half up to the fen: the only rounding of money in the product."""
    return round_to(value, 2)


def to_fen(value: Decimal) -> int:
    """Turn yuan into whole fen for storage.

    Raises ValueError where a fraction of a fen is left: whoever computes rounds first, by round_money.
    """
    rounded = round_money(value)
    if rounded != value:
        message = f"金额 {_shown(f'{value:f}')} 精确到了分以下，请先四舍五入到分"
        raise ValueError(message)
    return int(rounded.scaleb(2))


def from_fen(fen: int) -> Decimal:
    """Turn whole fen into yuan with two decimal places."""
    return Decimal(fen).scaleb(-2)


def excel_decimal(value: float) -> Decimal:
    """Give a number as Excel shows it: 15 significant digits, so no binary noise; whole numbers without a point.

    Raises ValueError for infinity and not-a-number.
    """
    number = Decimal(f"{value:.{EXCEL_DIGITS}g}")
    if not number.is_finite():
        message = "不是有效的数字"
        raise ValueError(message)
    return Decimal(int(number)) if number == number.to_integral_value() else number


def parse_amount(value: str | int | float | Decimal, *, unit: Decimal = Decimal(1)) -> Decimal:
    """Read an amount as people and banks write it and return yuan, exact to the fen.

    `unit` is what one unit of a bare number is worth in yuan (万元: 10000); a unit written behind the number wins.
    Raises ValueError with a Chinese message for anything else, beyond MONEY_MAX, or finer than a fen.
    """
    if isinstance(value, str):
        amount = _parse_text(value, unit)
    elif isinstance(value, bool):
        message = "金额不能是“是/否”"
        raise ValueError(message)
    else:
        number = excel_decimal(value) if isinstance(value, float) else Decimal(value)
        if not number.is_finite():
            message = "不是有效的数字"
            raise ValueError(message)
        amount = _times(number, unit)
    return _checked(amount)


def format_money(value: Decimal, places: int = 2) -> str:
    """Print an amount with thousands separators: 1,234,567.80."""
    return f"{round_to(value, places):,f}"


def capital(value: Decimal) -> str:
    """Write an amount in capitals (人民币大写) as on cheques and vouchers: 壹仟零壹元整.

    Raises ValueError where a fraction of a fen is left or the amount has more than 15 digits before the point.
    """
    import cn2an  # loads slowly; letters and vouchers alone need it

    amount = from_fen(to_fen(value))
    if abs(amount) >= Decimal(10) ** 15:
        message = "金额过大，无法转换为大写"
        raise ValueError(message)
    return str(cn2an.an2cn(f"{amount:f}", "rmb"))


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _times(number: Decimal, unit: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = _PRECISION
        return number * unit


def _checked(amount: Decimal) -> Decimal:
    if abs(amount) > MONEY_MAX:
        message = f"金额超过上限 {format_money(MONEY_MAX)}"
        raise ValueError(message)
    rounded = round_money(amount)
    if rounded != amount:
        message = f"金额 {_shown(f'{amount.normalize():f}')} 精确到了分以下，最多两位小数"
        raise ValueError(message)
    return rounded


def _parse_text(text: str, unit: Decimal) -> Decimal:
    plain = unicodedata.normalize("NFKC", text.translate(_MINUS_SIGNS)).strip()
    if not plain:
        message = "金额为空"
        raise ValueError(message)
    match = _AMOUNT.fullmatch(plain) if len(plain) <= _TEXT_MAX else None
    if match is None or not _brackets_and_signs_agree(match):
        message = f"“{_shown(plain)}”不是有效的金额"
        raise ValueError(message)
    digits = match["number"]
    number = Decimal(digits.replace(",", ""))
    if "," in digits and not _GROUPED.fullmatch(digits):
        message = f"“{plain}”的千分位逗号位置不对，是否为 {number:,.2f}？"
        raise ValueError(message)
    negative = match["open"] is not None or "-" in {match["sign"], match["inner"]}
    return _times(-number if negative else number, UNITS[match["unit"]] if match["unit"] else unit)


def _brackets_and_signs_agree(match: re.Match[str]) -> bool:
    signs = [mark for mark in (match["sign"], match["inner"]) if mark]
    if (match["open"] is None) != (match["close"] is None):
        return False
    return len(signs) == 0 if match["open"] else len(signs) <= 1


def apportion(amount: Decimal, shares: Sequence[Decimal]) -> list[Decimal]:
    """Split an amount by shares, exactly to the fen: what rounding leaves goes to the largest remainders, first come.

    Parts sum to the amount, whatever the shares sum to. Raises ValueError for shares that are negative or nothing.
    """
    whole = sum(shares, Decimal(0))
    if whole <= 0 or min(shares) < 0:
        message = "分担比例应大于 0"
        raise ValueError(message)
    fen = abs(int(amount.scaleb(2).to_integral_exact()))
    exact = [Fraction(fen) * Fraction(share) / Fraction(whole) for share in shares]
    parts = [int(one) for one in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: parts[at] - exact[at])
    for at in by_remainder[: fen - sum(parts)]:
        parts[at] += 1
    sign = -1 if amount < 0 else 1
    return [Decimal(sign * part).scaleb(-2) for part in parts]
