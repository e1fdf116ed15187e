"""4.13 An event that is registered with a day in the past: what changes by it, before anybody confirms it.

Only what comes after its day is computed anew. Months that are closed, snapshots of days that have ended and documents
stay as they are; what the books owe to the difference is booked on the first open day (`posting.booking_date`).
Nothing is written here.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.money import format_money
from models.guarantee.drawdown import Drawdown, Instalment
from models.guarantee.repayment import Repayment, RepaymentState
from models.ledger.account import AccountingPeriod, PeriodState
from models.statistics.snapshot import CompanySnapshot
from reports.figures.overdue import spread
from reports.figures.schedules import Instalment as Planned
from workflows.base.context import Ctx
from workflows.guarantee import repayment
from workflows.guarantee.repayment import Paid

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Effect:
    """One thing that the event changes, in words: as it stands, and as it will; or one that stays as it is."""

    what: str
    before: str
    after: str
    stays: bool = False


@dataclass(frozen=True)
class _Standing:
    """How a plan stands: what is paid of each instalment, and since when the earliest is overdue."""

    paid: list[tuple[Decimal, Decimal]]
    since: date | None


def of_repayment(ctx: Ctx, loan: Drawdown, paid: Paid) -> list[Effect]:
    """What a repayment of an earlier day changes; empty where it only adds to what is there, as one of today does.

    Raises FieldErrors as the registration would.
    """
    rows = repayment.refuse_unfit(ctx, loan, paid)
    later = _later(ctx.session, loan, paid.paid_on)
    before, after = _now(rows, ctx.today), _then(ctx, loan, rows, paid)
    is_late = paid.paid_on < ctx.today and before.since != after.since
    if not (later or is_late or _is_settled_past(ctx, paid.paid_on)):
        return []
    found = [
        Effect("借款余额、在保余额", _yuan(loan.balance), _yuan(loan.balance - paid.principal)),
        *_instalments(rows, before, after),
        Effect("逾期", _late(before.since, ctx.today), _late(after.since, ctx.today)),
        *_extra(ctx, loan, rows, paid),
    ]
    return [*[one for one in found if one.before != one.after], *closed(ctx, paid.paid_on)]


def _is_settled_past(ctx: Ctx, on: date) -> bool:
    """Whether the day lies in a month that is closed."""
    until = _closed_until(ctx.session)
    return until is not None and on <= until


def closed(ctx: Ctx, on: date) -> list[Effect]:
    """What stays as it is of the time since a day: closed months and snapshots."""
    found, until = [], _closed_until(ctx.session)
    if until is not None and on <= until:
        booked = f"差额记在 {min(max(on, until), ctx.today):%Y-%m} 之后的首个未结账日"
        found.append(Effect("已结账期间", f"{until:%Y-%m} 及以前", f"不变；{booked}", stays=True))
    query = select(func.max(CompanySnapshot.taken_on)).where(
        CompanySnapshot.taken_on >= on, CompanySnapshot.taken_on < ctx.today
    )
    last = ctx.session.scalar(query)
    if last is not None:
        days = f"{on} 至 {last}" if last > on else f"{on}"
        found.append(Effect("每日快照", days, f"不变；自 {ctx.today} 起按新的余额", stays=True))
    return found


def _closed_until(session: Session) -> date | None:
    query = select(func.max(AccountingPeriod.ends_on)).where(
        AccountingPeriod.state == PeriodState.CLOSED
    )
    return session.scalar(query)


def of_drawdown(ctx: Ctx, drawn_on: date, rows: list[Planned]) -> list[Effect]:
    """What a drawdown of an earlier day brings at once: instalments that have fallen due; and what stays as it is."""
    if drawn_on >= ctx.today:
        return []
    missed = [row for row in rows if row.due_on < ctx.today]
    found = []
    if missed:
        owed = sum((row.principal + row.interest for row in missed), ZERO)
        days = (ctx.today - missed[0].due_on).days
        said = f"{len(missed)} 期共 {_yuan(owed)} 未登记还款，逾期 {days} 天，请随后登记还款"
        found.append(Effect("已到期的期次", "—", said))
    return [*found, *closed(ctx, drawn_on)]


def _later(session: Session, loan: Drawdown, on: date) -> list[Repayment]:
    query = select(Repayment).where(
        Repayment.drawdown_id == loan.id,
        Repayment.state == RepaymentState.BOOKED,
        Repayment.paid_on > on,
    )
    return list(session.scalars(query.order_by(Repayment.paid_on, Repayment.id)))


def _now(rows: list[Instalment], today: date) -> _Standing:
    paid = [(row.principal_paid, row.interest_paid) for row in rows]
    return _Standing(paid, _since(rows, paid, today))


def _then(ctx: Ctx, loan: Drawdown, rows: list[Instalment], paid: Paid) -> _Standing:
    """How the plan stands with the payment: its principal and interest settle what fell due first."""
    repaid = loan.amount - loan.balance + paid.principal
    counted = sum(repayment.planned_parts(ctx, rows, _payments(ctx, loan, paid)), ZERO)
    parts = zip(
        spread([row.principal for row in rows], repaid),
        spread([row.interest for row in rows], counted),
        strict=True,
    )
    found = list(parts)
    is_settled = paid.is_final and paid.principal == loan.balance
    return _Standing(found, None if is_settled else _since(rows, found, ctx.today))


def _payments(ctx: Ctx, loan: Drawdown, paid: Paid) -> list[tuple[date, Decimal]]:
    made = [(one.paid_on, one.interest) for one in _later(ctx.session, loan, date.min)]
    place = sum(day <= paid.paid_on for day, _ in made)
    return [*made[:place], (paid.paid_on, paid.interest), *made[place:]]


def _since(rows: list[Instalment], paid: list[tuple[Decimal, Decimal]], today: date) -> date | None:
    return next(
        (
            row.due_on
            for row, (principal, interest) in zip(rows, paid, strict=True)
            if row.due_on < today and (principal < row.principal or interest < row.interest)
        ),
        None,
    )


def _instalments(rows: list[Instalment], before: _Standing, after: _Standing) -> list[Effect]:
    return [
        Effect(f"第 {row.seq} 期（{row.due_on}）已还本息", _pair(was), _pair(will))
        for row, was, will in zip(rows, before.paid, after.paid, strict=True)
        if was != will
    ]


def _extra(ctx: Ctx, loan: Drawdown, rows: list[Instalment], paid: Paid) -> list[Effect]:
    """Later payments of which another part is more than the plan asks for."""
    later = _later(ctx.session, loan, paid.paid_on)
    parts = repayment.planned_parts(ctx, rows, _payments(ctx, loan, paid))
    mine = parts[len(parts) - len(later) :] if later else []
    return [
        Effect(
            f"还款 {one.number}（{one.paid_on}）的超计划利息",
            _yuan(one.extra_interest),
            _yuan(one.interest - part),
        )
        for one, part in zip(later, mine, strict=True)
    ]


def _late(since: date | None, today: date) -> str:
    return "无" if since is None else f"自 {since} 起，{(today - since).days} 天"


def _pair(paid: tuple[Decimal, Decimal]) -> str:
    return " + ".join(format_money(part) for part in paid)


def _yuan(amount: Decimal) -> str:
    return f"{format_money(amount)} 元"
