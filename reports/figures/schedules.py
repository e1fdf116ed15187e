"""Repayment schedules: what the borrower owes the bank on which day, exact to the fen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Final, Literal

from models.base.moments import add_months
from models.base.money import MONEY_MAX, format_money, round_money

MethodName = Literal["EQUAL_INSTALMENT", "EQUAL_PRINCIPAL", "INTEREST_FIRST", "BULLET"]

MONTHS_MAX: Final = 600
RATE_MAX: Final = Decimal(100)
_PRECISION = 50  # digits of work space for (1 + i)^n, so that rounding happens once, at the fen
_MONTHS_PERCENT = Decimal(1200)  # annual per cent to a monthly fraction


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


def months_between(first: date, last: date) -> int:
    """Months from one day to another, a part of a month counting as one."""
    months = (last.year - first.year) * 12 + last.month - first.month
    return max(months + (add_months(first, months) < last), 1)


def build_schedule(
    method: MethodName,
    principal: Decimal,
    rate_annual_pct: Decimal,
    start_on: date,
    months: int,
    *,
    pay_day: int | None = None,
) -> list[Instalment]:
    """Build the plan of a loan: 等额本息, 等额本金, 先息后本 or 到期一次还本付息.

    Interest runs by the month (annual rate / 12). Instalments fall due on `pay_day` of each month (the day of the start
    if None), the last one at maturity, which is `months` after the start. The principal sums up exactly: the last
    instalment takes what rounding left. Raises ValueError in Chinese where the terms make no plan.
    """
    _check_terms(
        method, principal, rate_annual_pct, start_on=start_on, months=months, pay_day=pay_day
    )
    with localcontext() as context:
        context.prec = _PRECISION
        parts = _METHODS[method](round_money(principal), rate_annual_pct / _MONTHS_PERCENT, months)
    if method != "INTEREST_FIRST" and min(part for part, _ in parts) <= 0:
        message = f"贷款本金 {format_money(principal)} 元过小，无法分 {months} 期偿还"
        raise ValueError(message)
    dues = _due_dates(start_on, months, pay_day)[-len(parts) :]
    return [
        Instalment(seq, due_on, part, interest)
        for seq, (due_on, (part, interest)) in enumerate(zip(dues, parts, strict=True), start=1)
    ]


def _check_terms(
    method: str,
    principal: Decimal,
    rate_annual_pct: Decimal,
    start_on: date,
    months: int,
    pay_day: int | None,
) -> None:
    if not (principal.is_finite() and rate_annual_pct.is_finite()):
        message = "贷款本金和年利率应为有效的数字"
        raise ValueError(message)
    problems = {
        "未知的还款方式": method not in _METHODS,
        f"贷款本金应大于 0，且不超过 {format_money(MONEY_MAX)} 元": not 0 < principal <= MONEY_MAX,
        "贷款本金最多两位小数": round_money(principal) != principal,
        f"年利率应在 0 至 {RATE_MAX}% 之间": not 0 <= rate_annual_pct <= RATE_MAX,
        f"期限应为 1 至 {MONTHS_MAX} 个月": not 1 <= months <= MONTHS_MAX,
        "还款日应为 1 至 31 日": pay_day is not None and not 1 <= pay_day <= 31,
        "到期日超出可用的日期范围": start_on.year + months // 12 + 1 > date.max.year,
    }
    for message, wrong in problems.items():
        if wrong:
            raise ValueError(message)


def _due_dates(start_on: date, months: int, pay_day: int | None) -> list[date]:
    dues = [add_months(start_on, month, day=pay_day) for month in range(1, months)]
    return [*dues, add_months(start_on, months)]


Parts = list[tuple[Decimal, Decimal]]


def _equal_instalment(principal: Decimal, rate: Decimal, months: int) -> Parts:
    """等额本息: the same payment each month; the last one clears the balance."""
    growth = (1 + rate) ** months
    payment = round_money(principal * rate * growth / (growth - 1) if rate else principal / months)
    parts: Parts = []
    balance = principal
    for month in range(1, months + 1):
        interest = round_money(balance * rate)
        part = balance if month == months else payment - interest
        parts.append((part, interest))
        balance -= part
    return parts


def _equal_principal(principal: Decimal, rate: Decimal, months: int) -> Parts:
    """等额本金: the same principal each month, interest on what is still owed."""
    share = round_money(principal / months)
    parts: Parts = []
    balance = principal
    for month in range(1, months + 1):
        part = balance if month == months else share
        parts.append((part, round_money(balance * rate)))
        balance -= part
    return parts


def _interest_first(principal: Decimal, rate: Decimal, months: int) -> Parts:
    """先息后本: interest each month, the principal at maturity."""
    interest = round_money(principal * rate)
    return [
        (principal if month == months else Decimal("0.00"), interest)
        for month in range(1, months + 1)
    ]


def _bullet(principal: Decimal, rate: Decimal, months: int) -> Parts:
    """到期一次还本付息: everything at maturity, interest for all months on the principal alone."""
    return [(principal, round_money(principal * rate * months))]


_METHODS: Final[dict[str, Callable[[Decimal, Decimal, int], Parts]]] = {
    "EQUAL_INSTALMENT": _equal_instalment,
    "EQUAL_PRINCIPAL": _equal_principal,
    "INTEREST_FIRST": _interest_first,
    "BULLET": _bullet,
}
