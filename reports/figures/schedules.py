"""Repayment schedules: what the borrower owes the bank on which day, exact to the fen (4.5c).

Interest runs by the days between two due dates as the product counts them: 30/360 gives every month a twelfth of a
year, the others count the calendar's days over 360 or 365.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Final

from models.base.moments import add_months
from models.base.money import MONEY_MAX, format_money, round_money
from models.guarantee.product import DayCount, RepaymentMethod

MONTHS_MAX: Final = 600
RATE_MAX: Final = Decimal(100)
_PRECISION = 50  # digits of work space for (1 + i)^n, so that rounding happens once, at the fen
_MONTH = 30  # days that 30/360 gives a month
_ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Instalment:
    """One instalment of a plan, in yuan; `row_no` is its row in the sheet it was read from, if any."""

    seq: int
    due_on: date
    principal: Decimal
    interest: Decimal
    row_no: int | None = None

    @property
    def total(self) -> Decimal:
        """Principal and interest together (本息合计)."""
        return self.principal + self.interest


@dataclass(frozen=True)
class Accrual:
    """What principal costs between two days: rates in % a year, each from its day on, and how days are counted.

    `anchor` is the day of the month on which instalments fall due: under 30/360 the last day of a shorter month
    stands for it, so that from due date to due date each month has thirty days.
    """

    rates: tuple[tuple[date, Decimal], ...]
    day_count: DayCount
    anchor: int

    def days(self, first: date, last: date) -> int:
        """Days from one day to another as this convention counts them."""
        if self.day_count is DayCount.THIRTY_360:
            return self._serial(last) - self._serial(first)
        return (last - first).days

    @property
    def base(self) -> Decimal:
        """What a weight is divided by to make it a share of the principal."""
        return Decimal(100 * self.day_count.year)

    def weight(self, first: date, last: date) -> Decimal:
        """Rate times days from one day to another, exact."""
        cuts = [first, *(day for day, _ in self.rates if first < day < last), last]
        return sum(
            (self._rate_on(start) * self.days(start, end) for start, end in pairwise(cuts)),
            Decimal(0),
        )

    def interest(self, principal: Decimal, first: date, last: date) -> Decimal:
        """Interest on a principal from one day to another, rounded half up to the fen, once."""
        return round_money(principal * self.weight(first, last) / self.base)

    def _rate_on(self, day: date) -> Decimal:
        return next(
            (rate for since, rate in reversed(self.rates) if since <= day), self.rates[0][1]
        )

    def _serial(self, day: date) -> int:
        stands_for = max(self.anchor, day.day) if _is_month_end(day) else day.day
        return (day.year * 12 + day.month) * _MONTH + min(stands_for, _MONTH)


def _is_month_end(day: date) -> bool:
    return add_months(day, 0, day=31) == day


def months_between(first: date, last: date) -> int:
    """Months from one day to another, a part of a month counting as one."""
    months = (last.year - first.year) * 12 + last.month - first.month
    return max(months + (add_months(first, months) < last), 1)


def build_schedule(
    method: RepaymentMethod,
    principal: Decimal,
    rate_annual_pct: Decimal,
    start_on: date,
    end_on: date,
    *,
    pay_day: int | None = None,
    day_count: DayCount = DayCount.THIRTY_360,
) -> list[Instalment]:
    """Build the plan of a loan: 等额本息, 等额本金, 先息后本 or 到期一次还本付息.

    Instalments fall due on `pay_day` of each month (the day of the start if None), the last one at maturity. The
    principal sums up exactly: the last instalment takes what rounding left. Raises ValueError in Chinese where the
    terms make no plan.
    """
    _check_terms(principal, rate_annual_pct, start_on=start_on, end_on=end_on, pay_day=pay_day)
    accrual = Accrual(((start_on, rate_annual_pct),), day_count, pay_day or start_on.day)
    return spread_over(method, principal, month_dues(start_on, end_on, pay_day), start_on, accrual)


def month_dues(start_on: date, end_on: date, pay_day: int | None = None) -> list[date]:
    """The days on which instalments fall due: `pay_day` (the day of the start if None) of each month, and the end."""
    months = range(1, months_between(start_on, end_on))
    dues = [add_months(start_on, month, day=pay_day) for month in months]
    return [*(day for day in dues if day < end_on), end_on]


def spread_over(
    method: RepaymentMethod,
    principal: Decimal,
    dues: Sequence[date],
    start_on: date,
    accrual: Accrual,
) -> list[Instalment]:
    """Repay a principal over given days, interest running from `start_on`; ValueError where no plan comes of it."""
    if method not in _METHODS:
        message = f"还款方式“{method.label}”没有可计算的计划，请填写各期"
        raise ValueError(message)
    if method is RepaymentMethod.BULLET:
        dues = dues[-1:]
    with localcontext() as context:
        context.prec = _PRECISION
        weights = [accrual.weight(first, last) for first, last in pairwise([start_on, *dues])]
        parts = _METHODS[method](round_money(principal), weights, accrual.base)
    if method is not RepaymentMethod.INTEREST_FIRST and min(part for part, _ in parts) <= 0:
        message = f"贷款本金 {format_money(principal)} 元过小，无法分 {len(dues)} 期偿还"
        if len(dues) > 1 and principal >= len(dues):
            message = "利率过高或期限过长，等额还款额不足以支付个别月份的利息，请改用其他还款方式"
        raise ValueError(message)
    return [
        Instalment(seq, due_on, part, interest)
        for seq, (due_on, (part, interest)) in enumerate(zip(dues, parts, strict=True), start=1)
    ]


def shortened(
    payment: Decimal,
    principal: Decimal,
    dues: Sequence[date],
    start_on: date,
    accrual: Accrual,
    *,
    is_of_principal: bool,
) -> list[Instalment]:
    """Repay a principal by the same payment as before, or the same principal (`is_of_principal`), until it is gone."""
    found: list[Instalment] = []
    left, before = principal, start_on
    for seq, due_on in enumerate(dues, start=1):
        interest = accrual.interest(left, before, due_on)
        part = left if due_on == dues[-1] else payment - (_ZERO if is_of_principal else interest)
        part = min(part, left)
        if part <= 0:
            message = f"每期 {format_money(payment)} 元不足以支付第 {seq} 期的利息"
            raise ValueError(message)
        found.append(Instalment(seq, due_on, part, interest))
        left, before = left - part, due_on
        if not left:
            break
    return found


def with_interest(
    parts: Sequence[tuple[date, Decimal, Decimal | None]],
    start_on: date,
    accrual: Accrual,
) -> list[Instalment]:
    """Instalments on given days of given principal; interest that is not given runs on what is still owed."""
    left = sum((principal for _, principal, _ in parts), Decimal(0))
    found, before = [], start_on
    for seq, (due_on, principal, interest) in enumerate(parts, start=1):
        owed = accrual.interest(left, before, due_on) if interest is None else interest
        found.append(Instalment(seq, due_on, principal, owed, row_no=seq))
        left, before = left - principal, due_on
    return found


def renumbered(rows: Sequence[Instalment], first: int = 1) -> list[Instalment]:
    """The same instalments numbered on from a number."""
    return [replace(row, seq=seq) for seq, row in enumerate(rows, start=first)]


def _check_terms(
    principal: Decimal,
    rate_annual_pct: Decimal,
    start_on: date,
    end_on: date,
    pay_day: int | None,
) -> None:
    if not (principal.is_finite() and rate_annual_pct.is_finite()):
        message = "贷款本金和年利率应为有效的数字"
        raise ValueError(message)
    problems = {
        f"贷款本金应大于 0，且不超过 {format_money(MONEY_MAX)} 元": not 0 < principal <= MONEY_MAX,
        "贷款本金最多两位小数": round_money(principal) != principal,
        f"年利率应在 0 至 {RATE_MAX}% 之间": not 0 <= rate_annual_pct <= RATE_MAX,
        "到期日期应晚于放款日期": end_on <= start_on,
        f"期限应为 1 至 {MONTHS_MAX} 个月": months_between(start_on, end_on) > MONTHS_MAX,
        "还款日应为 1 至 31 日": pay_day is not None and not 1 <= pay_day <= 31,
    }
    for message, wrong in problems.items():
        if wrong:
            raise ValueError(message)


Parts = list[tuple[Decimal, Decimal]]
Weights = Sequence[Decimal]


def _equal_instalment(principal: Decimal, weights: Weights, base: Decimal) -> Parts:
    """等额本息: the same payment each time; the last one clears the balance."""
    worth, factor = Decimal(0), Decimal(1)
    for weight in weights:
        factor /= 1 + weight / base
        worth += factor
    payment = round_money(principal / worth)
    parts: Parts = []
    balance = principal
    for number, weight in enumerate(weights, start=1):
        interest = round_money(balance * weight / base)
        part = balance if number == len(weights) else payment - interest
        parts.append((part, interest))
        balance -= part
    return parts


def _equal_principal(principal: Decimal, weights: Weights, base: Decimal) -> Parts:
    """等额本金: the same principal each time, interest on what is still owed."""
    equal = round_money(principal / len(weights))
    parts: Parts = []
    balance = principal
    for number, weight in enumerate(weights, start=1):
        part = balance if number == len(weights) else equal
        parts.append((part, round_money(balance * weight / base)))
        balance -= part
    return parts


def _interest_first(principal: Decimal, weights: Weights, base: Decimal) -> Parts:
    """先息后本: interest each time, the principal at maturity."""
    *before, last = (round_money(principal * weight / base) for weight in weights)
    return [*((_ZERO, interest) for interest in before), (principal, last)]


def _bullet(principal: Decimal, weights: Weights, base: Decimal) -> Parts:
    """到期一次还本付息: everything at maturity, interest for the whole term on the principal alone."""
    return [(principal, round_money(principal * sum(weights) / base))]


_METHODS: Final[dict[RepaymentMethod, Callable[[Decimal, Weights, Decimal], Parts]]] = {
    RepaymentMethod.EQUAL_INSTALMENT: _equal_instalment,
    RepaymentMethod.EQUAL_PRINCIPAL: _equal_principal,
    RepaymentMethod.INTEREST_FIRST: _interest_first,
    RepaymentMethod.BULLET: _bullet,
}
