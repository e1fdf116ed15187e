"""How much of the deferred 担保费 is income by a day (domain.md 3): schedules of fees and of the opening balances.

AT_DRAWDOWN: each guarantee year's fee at the start of that year (the first at 放款确认, as an event of its own).
MONTHLY: in equal parts, one at the end of each month of the term from the first on. EVENLY: by days, the first counted
and the last not, so that a common year has 365. Whatever is not recognised when the term or the guarantee ends is
recognised then: a guarantee released after the day has not ended by it, however late a month is closed or closed again.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.base.moments import add_months
from models.base.money import round_money
from models.base.paper import PaperState
from models.guarantee.product import FeeKind
from models.guarantee.project import Project
from models.guarantee.release import Release
from models.guarantee.resolution import Resolution, ResolutionState
from models.guarantee.signing import Fee, FeeState, FeeWaiver
from models.ledger.account import ZERO
from models.ledger.closing import IncomeSchedule, ScheduleSource
from models.ledger.voucher import BusinessEvent, EventState
from reports.figures.fees import taken_back, vat_inside
from reports.figures.parameters import value
from reports.figures.schedules import months_between

MONTHLY, EVENLY = "MONTHLY", "EVENLY"
DEFERRING = (MONTHLY, EVENLY)  # what is not earned stays in 2203
MONTHS = 12
CHUNK = 500


@dataclass(frozen=True)
class Term:
    """The days over which an amount becomes income: the term, and the first day that shares in the amount."""

    starts_on: date
    ends_on: date
    spread_from: date
    months: int


@dataclass(frozen=True)
class Deferred:
    """A fee of a guarantee that has begun: net of VAT and waivers, and what events at 放款确认 have recognised."""

    fee_id: int
    customer_id: int
    project_id: int
    term: Term
    amount: Decimal
    by_event: Decimal
    is_over: bool
    schedule: IncomeSchedule | None


@dataclass(frozen=True)
class Share:
    """What a month-end still has to recognise of one schedule or fee, in 元."""

    customer_id: int
    project_id: int | None
    amount: Decimal
    schedule: IncomeSchedule | None
    deferred: Deferred | None


def earned_by(amount: Decimal, term: Term, on: date, mode: str) -> Decimal:
    """The part of an amount that is income by the end of a day, in 元."""
    if on >= term.ends_on:
        return amount
    if on < term.spread_from:
        return ZERO
    if mode == EVENLY:
        return round_money(
            amount * ((on - term.spread_from).days + 1) / (term.ends_on - term.spread_from).days
        )
    if mode == MONTHLY:
        return round_money(amount * _months_over(term, on) / _months_of(term))
    years = covered_years(term)
    reached = sum(months for start, months in years if start <= on)
    return round_money(amount * reached / sum(months for _, months in years))


def _index(day: date) -> int:
    return day.year * MONTHS + day.month


def _months_of(term: Term) -> int:
    """The months that share in the amount, of those of the term from its first calendar month on."""
    return max(_index(term.starts_on) + term.months - _index(term.spread_from), 1)


def _months_over(term: Term, on: date) -> int:
    """How many of them are over by the end of a day."""
    is_last = (on + timedelta(days=1)).day == 1
    return min(max(_index(on) - _index(term.spread_from) + is_last, 0), _months_of(term))


def covered_years(term: Term) -> list[tuple[date, int]]:
    """(first day, months) of the guarantee years that the amount covers.

    An amount left in the last year of its term belongs to no coming year: it is due at once.
    """
    years = []
    for first in range(0, term.months, MONTHS):
        start = add_months(term.starts_on, first)
        if start >= term.spread_from:
            years.append((start, min(MONTHS, term.months - first)))
    return years or [(term.spread_from, MONTHS)]


def due(session: Session, on: date) -> list[Share]:
    """What is to be recognised by the end of a day and is not yet, schedule by schedule."""
    mode = mode_on(session, on)
    found = []
    for schedule in open_openings(session):
        months = months_between(schedule.starts_on, schedule.ends_on)
        term = Term(schedule.starts_on, schedule.ends_on, schedule.spread_from, months)
        amount = earned_by(schedule.amount, term, on, mode) - schedule.recognised
        found.append(Share(schedule.customer_id, schedule.project_id, amount, schedule, None))
    for fee in deferred_fees(session, on):
        earned = fee.amount if fee.is_over else earned_by(fee.amount, fee.term, on, mode)
        known = fee.by_event + (fee.schedule.recognised if fee.schedule else ZERO)
        found.append(Share(fee.customer_id, fee.project_id, earned - known, fee.schedule, fee))
    # A waiver takes back by itself what it takes from income recognised before.
    return [share for share in found if share.amount > 0]


def due_total(session: Session, on: date) -> Decimal:
    """Sum of `due`."""
    return sum((share.amount for share in due(session, on)), ZERO)


def mode_on(session: Session, on: date) -> str:
    """The parameter 担保费收入确认方式."""
    return value(session, "income.recognition_mode", on)


def open_openings(session: Session) -> list[IncomeSchedule]:
    """Schedules of opening balances that are not recognised to the end."""
    query = select(IncomeSchedule).where(
        IncomeSchedule.source == ScheduleSource.OPENING,
        IncomeSchedule.recognised < IncomeSchedule.amount,
    )
    return list(session.scalars(query.order_by(IncomeSchedule.id)))


def _fees_in_force(on: date) -> Select[*tuple[Any, ...]]:
    """Each 担保费 that may still become income by a day, with its term and its schedule."""
    return (
        select(
            Fee.id,
            Fee.amount,
            Fee.vat_rate_pct,
            Project.id,
            Project.customer_id,
            Project.start_on,
            Project.end_on,
            Release.approved_on,
            Resolution.term_months,
            IncomeSchedule,
        )
        .join(Project, Project.id == Fee.project_id)
        .outerjoin(
            Resolution,
            (Resolution.project_id == Project.id) & (Resolution.state == ResolutionState.USED),
        )
        .outerjoin(
            Release, (Release.project_id == Project.id) & (Release.state == PaperState.APPROVED)
        )
        .outerjoin(IncomeSchedule, IncomeSchedule.fee_id == Fee.id)
        .where(
            Fee.kind == FeeKind.GUARANTEE,
            Fee.state == FeeState.BOOKED,
            Project.start_on <= on,
            Project.end_on.is_not(None),
            # A fee that has become income to the end costs no more work in later months.
            (IncomeSchedule.id.is_(None)) | (IncomeSchedule.recognised < IncomeSchedule.amount),
        )
        .order_by(Fee.id)
    )


def deferred_fees(session: Session, on: date) -> list[Deferred]:
    """担保费 of every guarantee in force by a day, net of VAT and waivers, with what events have recognised."""
    rows = session.execute(_fees_in_force(on)).all()
    ids = [row[0] for row in rows]
    waived, events = _waived(session, ids), _by_event(session, ids)
    found = []
    for row in rows:
        fee_id, gross, vat, project_id, customer_id, *term_of, schedule = row
        starts, ends, released, months = term_of
        assert starts is not None
        assert ends is not None
        left = gross - waived[fee_id]
        net = left - vat_inside(left, vat)
        over = released is not None and released <= on
        # An extension makes the term longer than the resolution did.
        term = Term(starts, ends, starts, max(months or 0, months_between(starts, ends)))
        found.append(
            Deferred(
                fee_id,
                customer_id,
                project_id,
                term=term,
                amount=net,
                by_event=events[fee_id],
                is_over=over,
                schedule=schedule,
            )
        )
    return found


def _chunks(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def _waived(session: Session, ids: list[int]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for part in _chunks(ids):
        query = select(FeeWaiver.fee_id, func.sum(FeeWaiver.amount)).where(
            FeeWaiver.fee_id.in_(part), FeeWaiver.state == PaperState.APPROVED
        )
        found.update(
            (key, amount) for key, amount in session.execute(query.group_by(FeeWaiver.fee_id))
        )
        for key, amount in taken_back(session, part).items():
            found[key] += amount
    return found


def _by_event(session: Session, ids: list[int]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for part in _chunks(ids):
        query = select(BusinessEvent.record_id, func.sum(BusinessEvent.total)).where(
            BusinessEvent.event_code == "income.recognised",
            BusinessEvent.record_table == Fee.__tablename__,
            BusinessEvent.record_id.in_(part),
            BusinessEvent.state.in_((EventState.PENDING, EventState.BOOKED)),
        )
        found.update(
            (key, amount)
            for key, amount in session.execute(query.group_by(BusinessEvent.record_id))
        )
    return found
