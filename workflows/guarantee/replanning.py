"""The plan of a loan after 展期, 提前还款 or 利率调整 (4.5d): what has fallen due stays, the rest is planned anew.

Nothing is written here: previews, approvals and the verbs that put a plan in force ask the same functions.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.moments import add_months
from models.base.money import format_money
from models.base.paper import PaperState
from models.guarantee import drawdown as loans
from models.guarantee.drawdown import Drawdown, PlanSource
from models.guarantee.loan_change import ChangeKind, LoanChange, ReplanWay
from models.guarantee.product import RepaymentMethod
from models.guarantee.repayment import Repayment, RepaymentState
from reports.figures.schedules import (
    Accrual,
    Instalment,
    months_between,
    renumbered,
    shortened,
    spread_over,
)
from workflows.guarantee.plans import typed
from workflows.guarantee.repayment import plan_rows

_ZERO = Decimal("0.00")
_KEEPS_PAYMENT = (RepaymentMethod.EQUAL_INSTALMENT, RepaymentMethod.EQUAL_PRINCIPAL)


@dataclass(frozen=True)
class Terms:
    """What changes, from which day on; `prepaid` in 元, `rate` in % a year."""

    kind: ChangeKind
    effective_on: date
    new_due_on: date | None = None
    prepaid: Decimal = _ZERO
    rate: Decimal | None = None
    way: ReplanWay = ReplanWay.LEVEL
    lines: str | None = None

    @classmethod
    def of(cls, change: LoanChange, effective_on: date | None = None) -> "Terms":
        """The terms that stand on a paper, from its own day on unless another is given."""
        return cls(
            change.kind,
            effective_on or change.effective_on,
            change.new_due_on,
            prepaid=change.prepaid_amount or _ZERO,
            rate=change.new_rate_pct,
            way=change.way,
            lines=change.lines,
        )


@dataclass(frozen=True)
class _Rest:
    """What of a plan is still to come, when it falls due, and from when its interest runs.

    `repaid` is principal of it (元) that the bank has already, `repaid_on` when; `step` the months between instalments.
    """

    kept: list[Instalment]
    rows: list[Instalment]
    start_on: date
    accrual: Accrual
    step: int
    repaid: Decimal = _ZERO
    repaid_on: date = date.min

    @property
    def principal(self) -> Decimal:
        return sum((row.principal for row in self.rows), _ZERO) - self.repaid


def replanned(session: Session, drawdown: Drawdown, terms: Terms) -> list[Instalment]:
    """The whole plan of a loan under new terms, what has fallen due before as it was.

    Raises FieldErrors at what makes no plan, Conflict where nothing is left to plan.
    """
    rest = _rest(session, drawdown, terms)
    if not rest.principal:
        raise Conflict(f"借据 {drawdown.number} 没有尚未到期的本金，不能办理{terms.kind.label}")
    kept, left = [*rest.kept], rest.principal - terms.prepaid
    if left < 0:
        said = f"尚未到期的本金 {format_money(rest.principal)} 元，提前归还的金额不能超过"
        raise FieldErrors({"prepaid_amount": [said]})
    if terms.prepaid:
        kept = _with_prepaid(rest, terms)
    if rest.repaid:
        interest = rest.accrual.interest(rest.repaid, rest.start_on, rest.repaid_on)
        place = len(rest.kept)
        kept[place:place] = [Instalment(0, rest.repaid_on, rest.repaid, interest)]
    planned = _plan(drawdown, rest, terms, left) if left else []
    return renumbered([*kept, *planned])


def rates_of(session: Session, drawdown: Drawdown) -> tuple[tuple[date, Decimal], ...]:
    """The rates of a loan in % a year, each from its day on."""
    query = (
        select(LoanChange)
        .where(
            LoanChange.drawdown_id == drawdown.id,
            LoanChange.kind == ChangeKind.RATE,
            LoanChange.done_on.is_not(None),
        )
        .order_by(LoanChange.effective_on, LoanChange.id)
    )
    changes = list(session.scalars(query))
    first = changes[0].old_rate_pct if changes else drawdown.rate_annual_pct
    assert first is not None, "a change that is done says what was before"
    later = [(c.effective_on, c.new_rate_pct) for c in changes if c.new_rate_pct is not None]
    return ((drawdown.drawn_on, first), *later)


def _rest(session: Session, drawdown: Drawdown, terms: Terms) -> _Rest:
    rows = plan_rows(session, drawdown)
    dues = _agreed_days(session, drawdown, rows)
    anchor = max((due.day for due in dues[:-1]), default=drawdown.drawn_on.day)
    rates = rates_of(session, drawdown)
    if terms.rate is not None:
        rates = (*(r for r in rates if r[0] < terms.effective_on), (terms.effective_on, terms.rate))
    number = 0
    while number < len(rows) and _stays(rows[number], terms):
        number += 1
    whole = [Instalment(r.seq, r.due_on, r.principal, r.interest) for r in rows]
    start = rows[number - 1].due_on if number else drawdown.drawn_on
    if rows[-1].repayment_plan.source is PlanSource.HISTORY:
        # such a plan knows no interest: what ran before the change is the bank's to say
        start = max(start, terms.effective_on)
    repaid = sum((row.principal_paid for row in rows[number:]), _ZERO)
    return _Rest(
        whole[:number],
        whole[number:],
        start,
        Accrual(rates, drawdown.day_count, anchor),
        step=months_between(*dues[-2:]) if len(dues) > 1 else 1,
        repaid=repaid,
        repaid_on=max(start, min(_last_paid(session, drawdown), terms.effective_on)),
    )


def _agreed_days(session: Session, drawdown: Drawdown, rows: list[loans.Instalment]) -> list[date]:
    """The days that instalments fall due on, without those on which something was paid early."""
    early = set(
        session.scalars(
            select(Repayment.paid_on)
            .join(LoanChange, LoanChange.repayment_id == Repayment.id)
            .where(LoanChange.drawdown_id == drawdown.id)
        )
    )
    dues = [row.due_on for row in rows]
    return [due for due in dues if due not in early] or dues


def _last_paid(session: Session, drawdown: Drawdown) -> date:
    query = select(func.max(Repayment.paid_on)).where(
        Repayment.drawdown_id == drawdown.id, Repayment.state == RepaymentState.BOOKED
    )
    return session.scalar(query) or drawdown.drawn_on


def _stays(row: loans.Instalment, terms: Terms) -> bool:
    """What is paid or has fallen due is not planned anew; an extension still moves what falls due today."""
    is_paid = not row.is_open and bool(row.principal or row.interest)
    if terms.kind is ChangeKind.EXTENSION:
        return is_paid or row.due_on < terms.effective_on
    return is_paid or row.due_on <= terms.effective_on


def _with_prepaid(rest: _Rest, terms: Terms) -> list[Instalment]:
    """The principal that is paid early, with the interest that has run on it, falls due on the day of payment."""
    day = terms.effective_on
    if day < rest.start_on:
        raise FieldErrors({"effective_on": [f"至 {rest.start_on} 的各期已还，还款日应不早于该日"]})
    if rest.kept and rest.kept[-1].due_on == day:
        last = rest.kept[-1]
        joined = Instalment(last.seq, day, last.principal + terms.prepaid, last.interest)
        return [*rest.kept[:-1], joined]
    interest = rest.accrual.interest(terms.prepaid, rest.start_on, day)
    return [*rest.kept, Instalment(0, day, terms.prepaid, interest)]


def _plan(drawdown: Drawdown, rest: _Rest, terms: Terms, left: Decimal) -> list[Instalment]:
    if terms.way is ReplanWay.AGREED:
        return _agreed(drawdown, rest, terms, left)
    method, dues = drawdown.repayment_method, _dues(rest, terms)
    if method is RepaymentMethod.CUSTOM:
        raise FieldErrors({"way": ["按约定分期的借据没有可计算的计划，请选“按约定的各期”并填写"]})
    try:
        if terms.way is ReplanWay.LEVEL:
            return spread_over(method, left, dues, rest.start_on, rest.accrual)
        if terms.kind is not ChangeKind.PREPAYMENT or method not in _KEEPS_PAYMENT:
            raise FieldErrors(
                {"way": ["只有等额本息、等额本金的提前还款可以保持每期不变、缩短期限"]}
            )
        is_principal = method is RepaymentMethod.EQUAL_PRINCIPAL
        payment = rest.rows[0].principal if is_principal else rest.rows[0].total
        return shortened(
            payment, left, dues, rest.start_on, rest.accrual, is_of_principal=is_principal
        )
    except ValueError as error:
        raise BusinessError(str(error)) from error


def _agreed(drawdown: Drawdown, rest: _Rest, terms: Terms, left: Decimal) -> list[Instalment]:
    rows = typed(terms.lines, max(rest.start_on, terms.effective_on), rest.accrual, rest.start_on)
    total = sum((row.principal for row in rows), _ZERO)
    found = []
    if total != left:
        found.append(
            f"各期本金合计 {format_money(total)} 元，应等于剩余本金 {format_money(left)} 元"
        )
    last = terms.new_due_on or drawdown.due_on
    if rows[-1].due_on > last or (terms.new_due_on and rows[-1].due_on != last):
        found.append(
            f"末期 {rows[-1].due_on} 应{'为' if terms.new_due_on else '不晚于'}到期日 {last}"
        )
    if found:
        raise FieldErrors({"lines": found})
    return rows


def _dues(rest: _Rest, terms: Terms) -> list[date]:
    """When the rest falls due: on the days of the old plan, and as often beyond it to a later end."""
    dues = [row.due_on for row in rest.rows]
    if terms.new_due_on is None:
        return dues
    last = dues.pop()
    if last == add_months(last, 0, day=rest.accrual.anchor):
        dues.append(last)
    place = dues[-1] if dues else rest.start_on
    for number in range(1, 600):
        following = add_months(place, number * rest.step, day=rest.accrual.anchor)
        if following >= terms.new_due_on:
            break
        dues.append(following)
    return [*(day for day in dues if day > rest.start_on), terms.new_due_on]


def open_change(session: Session, drawdown_id: int, *, without: int | None = None) -> str | None:
    """The number of the change that a loan still has under way, if any."""
    waiting = (PaperState.DRAFT, PaperState.IN_APPROVAL, PaperState.APPROVED)
    query = select(LoanChange.number).where(
        LoanChange.drawdown_id == drawdown_id,
        LoanChange.state.in_(waiting),
        LoanChange.done_on.is_(None),
    )
    if without is not None:
        query = query.where(LoanChange.id != without)
    return session.scalar(query.limit(1))
