"""Parameters as they hold on a day: thresholds, rates, weights and numbers of days that the administrator sets."""

from bisect import bisect_right
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import event, select
from sqlalchemy.orm import Session, object_session

from models.base.errors import BusinessError
from models.system.setup import PARAMETER_CHOICES, Parameter

_CACHE: Final = "parameters"
_TRUE: Final = frozenset({"1", "true", "yes", "是"})

_History = dict[str, list[tuple[date, str]]]


def value(session: Session, code: str, on: date) -> str:
    """Text of the parameter's latest row that is in effect on that business date ('' where it is blank).

    Raises BusinessError where the parameter does not exist or is not in effect yet.
    """
    rows = _history(session).get(code)
    if rows is None:
        raise BusinessError(f"系统参数“{code}”未设置，请在“系统参数”中补充")
    found = bisect_right(rows, on, key=lambda row: row[0])
    if found == 0:
        raise BusinessError(f"系统参数“{code}”在 {on.isoformat()} 尚未生效，请在“系统参数”中补充")
    return rows[found - 1][1]


def number(session: Session, code: str, on: date) -> Decimal:
    """The parameter as an exact number, in its own unit. Raises BusinessError where it is no number."""
    text = value(session, code, on)
    try:
        found = Decimal(text.replace(",", ""))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise BusinessError(f"系统参数“{code}”的值“{text}”不是数字，请在“系统参数”中更正")
    return found


def whole(session: Session, code: str, on: date) -> int:
    """The parameter as a whole number. Raises BusinessError where it is none."""
    found = number(session, code, on)
    if found != found.to_integral_value():
        raise BusinessError(f"系统参数“{code}”的值“{found:f}”不是整数，请在“系统参数”中更正")
    return int(found)


def ratio(session: Session, code: str, on: date) -> Fraction:
    """The parameter as an exact fraction, written 2/3 or 0.75. Raises BusinessError where it is neither."""
    text = value(session, code, on)
    if (found := as_share(text)) is None:
        raise BusinessError(
            f"系统参数“{code}”的值“{text}”应为 2/3 或 0.75 这样的比例，请在“系统参数”中更正"
        )
    return found


def as_share(text: str) -> Fraction | None:
    """A part of a whole written 2/3 or 0.75, above nothing and at most all; None for anything else."""
    try:
        found = Fraction(text.replace(" ", ""))
    except (ValueError, ZeroDivisionError):
        return None
    return found if 0 < found <= 1 else None


def flag(session: Session, code: str, on: date) -> bool:
    """The parameter as yes or no."""
    return value(session, code, on).strip().lower() in _TRUE


def words(code: str, text: str | None) -> str:
    """The value as readers see it: a code of a parameter with a few choices by its label."""
    return PARAMETER_CHOICES.get(code, {}).get(text or "", text or "")


def forget(session: Session) -> None:
    """Read the parameters anew at the next question."""
    session.info.pop(_CACHE, None)


def _history(session: Session) -> _History:
    cached: _History | None = session.info.get(_CACHE)
    if cached is None:
        cached = {}
        query = select(Parameter.code, Parameter.effective_on, Parameter.value).order_by(
            Parameter.effective_on
        )
        for code, effective_on, text in session.execute(query):
            cached.setdefault(code, []).append((effective_on, (text or "").strip()))
        session.info[_CACHE] = cached
    return cached


def _on_write(_mapper: Any, _connection: Any, target: Parameter) -> None:
    session = object_session(target)
    if session is not None:
        forget(session)


for _name in ("after_insert", "after_update", "after_delete"):
    event.listen(Parameter, _name, _on_write)
# What another process has changed, or this one has taken back, is seen from the next transaction on.
event.listen(Session, "after_commit", forget)
event.listen(Session, "after_rollback", forget)
