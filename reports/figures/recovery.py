"""追偿 (6.3): what a customer owes on a case, how money that comes in is split, and what the rows say of the books.

Amounts are 元. A receipt settles costs, then interest with penalty and surcharge, then principal (民法典 561), or
principal first where that was agreed; of each part every party gets back in proportion to what is still owed to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.after.case_money import (
    LIVE_MONEY,
    MoneyState,
    RecoveryCost,
    RecoveryPart,
    RecoveryReceipt,
    SettlementKind,
    ShareSettlement,
)
from models.after.compensation import PARTS, Compensation, CompensationShare
from models.after.recovery import RecoveryCase
from models.after.write_off import WriteOff
from models.base.columns import Money
from models.base.money import apportion, round_money
from models.guarantee.scheme import SharingParty
from reports.figures.compensation import Amounts
from reports.figures.parameters import number, value

ZERO, HUNDRED = Decimal("0.00"), Decimal(100)
YEAR = 360
RATE, ORDER = "compensation.occupancy_rate_pct", "recovery.order"
# What is settled first, by what was agreed; costs of the bank stand with the company's own.
ORDERS: dict[str, tuple[str, ...]] = {
    "LEGAL": ("cost", "other", "surcharge", "interest", "penalty", "principal"),
    "PRINCIPAL": ("principal", "cost", "other", "surcharge", "interest", "penalty"),
}


@dataclass(frozen=True)
class Claims:
    """What is owed on a case by kind, or what an amount settles of each; `excess` is beyond all of it."""

    cost: Decimal = ZERO
    surcharge: Decimal = ZERO
    principal: Decimal = ZERO
    interest: Decimal = ZERO
    penalty: Decimal = ZERO
    other: Decimal = ZERO
    excess: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum((getattr(self, one.name) for one in fields(self)), ZERO)

    @property
    def paid_back(self) -> Decimal:
        """What of it settles what was paid to banks."""
        return sum((getattr(self, part) for part in PARTS), ZERO)


def settle(amount: Decimal, owed: Claims, order: Sequence[str]) -> Claims:
    """What an amount settles, one kind after the other."""
    left, found = amount, {}
    for kind in order:
        found[kind] = min(left, getattr(owed, kind))
        left -= found[kind]
    return Claims(**found, excess=left)


def occupancy(moves: Iterable[tuple[date, Decimal]], rate_pct: Decimal, on: date) -> Decimal:
    """资金占用费 up to a day on what was paid and not recovered: (day, paid or less recovered), days over 360.

    Rounded half up to the fen once.
    """
    weighed = sum((amount * (on - day).days for day, amount in moves if day <= on), Decimal(0))
    return max(round_money(weighed * rate_pct / (HUNDRED * YEAR)), ZERO)


def shares_of(session: Session, case: RecoveryCase) -> list[CompensationShare]:
    """Who bears what of all that was paid on a case."""
    query = select(CompensationShare).where(CompensationShare.recovery_case_id == case.id)
    return list(session.scalars(query.order_by(CompensationShare.id)))


def open_of(share: CompensationShare) -> Amounts:
    """What of a share is still owed, part by part."""
    return Amounts(*(getattr(share, f"{part}_open") for part in PARTS))


def surcharge_open(session: Session, case: RecoveryCase, on: date) -> Decimal:
    """资金占用费 that has run up to a day and was not received, at the rate of the day on which the case began."""
    paid = (
        select(Compensation.paid_on, func.sum(CompensationShare.amount))
        .join(Compensation, Compensation.id == CompensationShare.compensation_id)
        .where(CompensationShare.recovery_case_id == case.id)
        .group_by(Compensation.paid_on)
    )
    back = (
        select(RecoveryReceipt.moved_on, func.sum(RecoveryPart.amount))
        .join(RecoveryReceipt, RecoveryReceipt.id == RecoveryPart.receipt_id)
        .where(RecoveryReceipt.recovery_case_id == case.id, RecoveryReceipt.state.in_(LIVE_MONEY))
        .group_by(RecoveryReceipt.moved_on)
    )
    moves = [(day, amount) for day, amount in session.execute(paid) if day is not None]
    moves += [(day, -amount) for day, amount in session.execute(back)]
    received = session.scalar(
        select(func.sum(RecoveryReceipt.surcharge)).where(
            RecoveryReceipt.recovery_case_id == case.id, RecoveryReceipt.state.in_(LIVE_MONEY)
        )
    )
    run_up = occupancy(moves, number(session, RATE, case.opened_on), on)
    return max(run_up - (received or ZERO), ZERO)


def owed(session: Session, case: RecoveryCase, on: date) -> Claims:
    """All that the customer owes on a case on a day, in the books or out of them."""
    parts = [
        sum(column, ZERO) for column in _columns(open_of(one) for one in shares_of(session, case))
    ]
    return Claims(case.cost_open, surcharge_open(session, case, on), *parts)


def _columns(rows: Iterable[Amounts]) -> list[list[Decimal]]:
    found = [list(row) for row in rows]
    return [[row[at] for row in found] for at in range(len(PARTS))]


@dataclass(frozen=True)
class Split:
    """How a receipt settles a case, and what of each part goes to which share."""

    claims: Claims
    shares: list[tuple[CompensationShare, Amounts]]

    @property
    def own(self) -> Amounts:
        """What settles the company's own part."""
        mine = [part for share, part in self.shares if share.party is SharingParty.OWN]
        return Amounts(*(sum(column, ZERO) for column in _columns(mine)))

    @property
    def shared(self) -> Decimal:
        """What belongs to the others."""
        theirs = (part for share, part in self.shares if share.party is not SharingParty.OWN)
        return sum((part.total for part in theirs), ZERO)


def split(session: Session, case: RecoveryCase, amount: Decimal, on: date) -> Split:
    """How an amount that came in on a day settles the case by the order that was agreed, exact to the fen."""
    order = ORDERS[value(session, ORDER, case.opened_on)]
    claims = settle(amount, owed(session, case, on), order)
    shares = shares_of(session, case)
    return Split(claims, list(zip(shares, _among(shares, claims), strict=True)))


def _among(shares: Sequence[CompensationShare], claims: Claims) -> list[Amounts]:
    """Of each part what every share gets, in proportion to what is still owed to it: never more than that."""
    opens = [open_of(share) for share in shares]
    found = [Amounts() for _ in shares]
    for part in PARTS:
        amount = getattr(claims, part)
        if not amount:
            continue
        weights = [getattr(one, part) for one in opens]
        for at, one in enumerate(apportion(amount, weights)):
            found[at] = replace(found[at], **{part: one})
    return found


# ----------------------------------------------------------------------------------------------------------- the books
@dataclass(frozen=True)
class Booked:
    """What the booked rows say should stand in the accounts."""

    claims: Decimal  # 1201
    others: Decimal  # 1261
    costs: Decimal  # 1221
    due_back: Decimal  # 2261


def booked(session: Session, case_id: int | None = None) -> Booked | None:
    """What the books should hold of all cases or of one; None where no bank was ever paid."""
    of = () if case_id is None else (case_id,)

    def total(column: object, model: type, *where: object) -> Decimal:
        query = select(func.sum(column, type_=Money())).where(*where)  # type: ignore[arg-type]
        if of:
            query = query.where(model.recovery_case_id == case_id)  # type: ignore[attr-defined]
        return session.scalar(query) or ZERO

    if session.scalar(select(CompensationShare.id).limit(1)) is None:
        return None
    is_own = CompensationShare.party == SharingParty.OWN
    receipt = (RecoveryReceipt.state == MoneyState.BOOKED, ~RecoveryReceipt.is_off_book)
    any_receipt = RecoveryReceipt.state == MoneyState.BOOKED
    settled = ShareSettlement.state == MoneyState.BOOKED
    back = [total(getattr(RecoveryReceipt, part), RecoveryReceipt, *receipt) for part in PARTS]
    shared_on_book = total(RecoveryReceipt.shared, RecoveryReceipt, *receipt)
    lost = (WriteOff.is_booked,)
    return Booked(
        total(CompensationShare.amount, CompensationShare, is_own)
        - (sum(back, ZERO) - shared_on_book)
        - (total(WriteOff.amount, WriteOff, *lost) - total(WriteOff.cost, WriteOff, *lost)),
        total(CompensationShare.amount, CompensationShare, ~is_own)
        - total(
            ShareSettlement.amount,
            ShareSettlement,
            settled,
            ShareSettlement.kind == SettlementKind.RECEIVED,
        ),
        total(RecoveryCost.amount, RecoveryCost, RecoveryCost.state == MoneyState.BOOKED)
        - total(RecoveryReceipt.cost, RecoveryReceipt, *receipt)
        - total(WriteOff.cost, WriteOff, *lost),
        total(RecoveryReceipt.shared, RecoveryReceipt, any_receipt)
        - total(
            ShareSettlement.amount,
            ShareSettlement,
            settled,
            ShareSettlement.kind == SettlementKind.RETURNED,
        ),
    )
