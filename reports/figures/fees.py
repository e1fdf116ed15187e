"""What a fee comes to, the VAT inside it, when its parts fall due, and how much of it is earned (4.4a, domain.md 3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from models.base.moments import add_months
from models.base.money import round_money
from models.base.paper import PaperState
from models.guarantee.product import FeeKind, FeePayment
from models.guarantee.project import Project
from models.guarantee.signing import Fee, FeeDue, FeeWaiver, Receipt, ReceiptState
from models.ledger.closing import IncomeSchedule
from models.ledger.voucher import BusinessEvent, EventState
from reports.figures.schedules import months_between

HUNDRED = Decimal(100)
YEAR = 12
# Fees that stand in the books as receivables; a deposit is the customer's own money and a penalty has yet to arise.
RECEIVABLE = (FeeKind.GUARANTEE, FeeKind.SERVICE, FeeKind.HANDLING, FeeKind.OTHER)
_STEP = {FeePayment.YEARLY: YEAR, FeePayment.MONTHLY: 1}


@dataclass(frozen=True, slots=True)
class Due:
    """One instalment of a fee, in 元."""

    seq: int
    due_on: date
    amount: Decimal


def fee_amount(base: Decimal, rate_pct: Decimal, months: int, *, is_annual: bool) -> Decimal:
    """A fee in 元: base x rate, x months / 12 where the rate is per year; rounded half up to the fen, once."""
    whole = base * rate_pct * (months if is_annual else YEAR)
    return round_money(whole / (HUNDRED * YEAR))


def vat_inside(amount: Decimal, rate_pct: Decimal) -> Decimal:
    """The VAT contained in a tax-inclusive amount: amount x r / (100 + r)."""
    return round_money(amount * rate_pct / (HUNDRED + rate_pct))


def fee_dues(amount: Decimal, payment: FeePayment, start_on: date, months: int) -> list[Due]:
    """The plan of a fee: at once, at the start of each year or of each month, in proportion to the months covered.

    The parts sum exactly to the amount and none is negative: each is the difference of two rounded running totals.
    """
    if amount == 0:
        return []
    step = _STEP.get(payment, months)
    found, before = [], Decimal(0)
    for seq, first in enumerate(range(0, months, step), start=1):
        until = round_money(amount * min(first + step, months) / months)
        found.append(Due(seq, due_date(payment, start_on, seq), until - before))
        before = until
    return found


def due_date(payment: FeePayment, start_on: date, seq: int) -> date:
    """The day on which a part falls due, counted from the start of the guarantee."""
    return add_months(start_on, _STEP.get(payment, 0) * (seq - 1))


def first_year_part(net: Decimal, months: int) -> Decimal:
    """The part of a fee that belongs to the first twelve months of a guarantee, net of VAT."""
    return net if months <= YEAR else round_money(net * YEAR / months)


def dues_of(session: Session, fee: Fee) -> list[FeeDue]:
    """The parts of a fee in the order in which they fall due."""
    query = select(FeeDue).where(FeeDue.fee_id == fee.id)
    return list(session.scalars(query.order_by(FeeDue.due_on, FeeDue.seq)))


def first_dues(session: Session, project_id: int) -> list[FeeDue]:
    """What falls due before the bank may pay out: the first part of each fee of the project."""
    query = select(FeeDue).join(FeeDue.fee).options(contains_eager(FeeDue.fee))
    return list(
        session.scalars(query.where(Fee.project_id == project_id, FeeDue.seq == 1).order_by(Fee.id))
    )


def waived_total(session: Session, fee: Fee, *, without: int | None = None) -> Decimal:
    """What has been waived of a fee by approval, whether the books have it yet or not."""
    query = select(func.sum(FeeWaiver.amount)).where(
        FeeWaiver.fee_id == fee.id, FeeWaiver.state == PaperState.APPROVED
    )
    if without is not None:
        query = query.where(FeeWaiver.id != without)
    return (session.scalar(query) or Decimal(0)) + taken_back(session, (fee.id,)).get(
        fee.id, Decimal(0)
    )


def taken_back(session: Session, fee_ids: Iterable[int], *states: EventState) -> dict[int, Decimal]:
    """What went back of fees when their project ended, by fee, whether the books have it yet or not."""
    query = select(BusinessEvent.record_id, func.sum(BusinessEvent.total)).where(
        BusinessEvent.event_code.in_(("fee.reversed", "fee.refunded")),
        BusinessEvent.record_table == Fee.__tablename__,
        BusinessEvent.record_id.in_(tuple(fee_ids)),
        BusinessEvent.state.in_(
            states or (EventState.PENDING, EventState.REFUSED, EventState.BOOKED)
        ),
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(BusinessEvent.record_id))}


def refund_due(fee: Fee, project: Project, on: date) -> Decimal:
    """What was received of 担保费 above the months of guarantee that were begun; never above what was received."""
    if project.start_on is None or project.end_on is None:
        return Decimal(0)
    months = months_between(project.start_on, project.end_on)
    used = round_money(fee.amount * min(months_between(project.start_on, on), months) / months)
    return max(min(fee.collected_amount - used, fee.collected_amount), Decimal(0))


def waiting_total(session: Session, fee: Fee, *, without_waiver: int | None = None) -> Decimal:
    """Receipts before 复核 and waivers under approval or before 复核: what may no longer be collected or waived."""
    receipts = select(func.sum(Receipt.amount)).where(
        Receipt.fee_id == fee.id, Receipt.state == ReceiptState.SUBMITTED
    )
    waivers = select(func.sum(FeeWaiver.amount)).where(
        FeeWaiver.fee_id == fee.id,
        FeeWaiver.state.in_((PaperState.IN_APPROVAL, PaperState.APPROVED)),
        FeeWaiver.is_booked.is_(False),
    )
    if without_waiver is not None:
        waivers = waivers.where(FeeWaiver.id != without_waiver)
    going = taken_back(session, (fee.id,), EventState.PENDING, EventState.REFUSED).get(
        fee.id, Decimal(0)
    )
    return (
        (session.scalar(receipts) or Decimal(0)) + (session.scalar(waivers) or Decimal(0)) + going
    )


def free_amount(session: Session, fee: Fee, *, without_waiver: int | None = None) -> Decimal:
    """What may still be collected or waived of a fee, in 元."""
    return fee.open_amount - waiting_total(session, fee, without_waiver=without_waiver)


def recognised_total(session: Session, fee: Fee) -> Decimal:
    """担保费收入 of a fee that is recognised or waits to be booked, net of VAT, in 元; month-ends included."""
    at_month_ends = select(func.sum(IncomeSchedule.recognised)).where(
        IncomeSchedule.fee_id == fee.id
    )
    query = select(func.sum(BusinessEvent.total)).where(
        BusinessEvent.event_code == "income.recognised",
        BusinessEvent.record_table == Fee.__tablename__,
        BusinessEvent.record_id == fee.id,
        BusinessEvent.state.in_((EventState.PENDING, EventState.BOOKED)),
    )
    return (session.scalar(query) or Decimal(0)) + (session.scalar(at_month_ends) or Decimal(0))


def net_after_waivers(session: Session, fee: Fee, *, without: int | None = None) -> Decimal:
    """A fee net of VAT after what was waived of it."""
    left = fee.amount - waived_total(session, fee, without=without)
    return left - vat_inside(left, fee.vat_rate_pct)


def deposit_held(session: Session, project: Project) -> Decimal:
    """The customer's deposit that the company holds: what was booked as received, less what went back or was used."""
    received = select(func.sum(Fee.collected_amount)).where(
        Fee.project_id == project.id, Fee.kind == FeeKind.DEPOSIT
    )
    gone = select(func.sum(BusinessEvent.total)).where(
        BusinessEvent.project_id == project.id,
        BusinessEvent.event_code.in_(("deposit.returned", "deposit.used")),
        BusinessEvent.state.in_((EventState.PENDING, EventState.BOOKED)),
    )
    return (session.scalar(received) or Decimal(0)) - (session.scalar(gone) or Decimal(0))
