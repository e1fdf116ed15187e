"""Business against ledger: what the line knows of money, and what the accounts of its projects say, as of now.

Both sides count from 复核 on: a voucher that is drafted counts, a void one does not. What stands without a project came
with the opening or by hand and has no counterpart in the business.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.columns import Money
from models.guarantee.product import FeeKind
from models.guarantee.signing import Fee, FeeState
from models.ledger.account import ZERO, AccountBalance, AuxiliaryBalance
from models.ledger.closing import IncomeSchedule
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherEntry, VoucherState
from reports.figures import recovery
from reports.figures.balances import leaves_of
from reports.figures.fees import RECEIVABLE

_SIGNS = {"fee.registered": 1, "fee.waived": -1, "fee.reversed": -1, "fee.refunded": -1}
_PLACED = {
    "margin.placed": ("amount", 1),
    "margin.returned": ("amount", -1),
    "compensation.paid": ("margin_paid", -1),
}


@dataclass(frozen=True)
class Pair:
    """One account with its counterpart in the business, in 元, and where the business shows it."""

    code: str
    label: str
    business: Decimal
    ledger: Decimal
    url: str

    @property
    def differs(self) -> bool:
        """Whether the two sides are apart."""
        return self.business != self.ledger


def pairs(session: Session) -> list[Pair]:
    """Each account that the business answers for."""
    found = [
        Pair("1122", "未收费用", open_fees(session), stands(session, "1122"), "/fee/list/"),
        Pair(
            "2203",
            "未确认担保费",
            deferred(session),
            -stands(session, "2203"),
            "/income_schedule/list/",
        ),
        Pair(
            "2002",
            "客户保证金",
            deposits(session),
            -stands(session, "2002"),
            "/fee/list/?f=kind:eq:DEPOSIT",
        ),
    ]
    found += _cases(session)
    placed = _amounts(session, _PLACED)
    if placed is not None:
        at_banks = stands(session, "1031")
        found.append(Pair("1031", "存出保证金", placed, at_banks, "/review/?view=BOOKED"))
    return found


def stands(session: Session, code: str, kept: Any = None, entered: Any = None) -> Decimal:
    """Debit less credit of an account's entries with a project (or other auxiliary), posted or on the way."""
    leaves = leaves_of(session, code)
    kept = AuxiliaryBalance.project_id != 0 if kept is None else kept
    entered = VoucherEntry.project_id.is_not(None) if entered is None else entered
    total = func.sum(AuxiliaryBalance.debit - AuxiliaryBalance.credit, type_=Money())
    posted = (
        session.scalar(select(total).where(AuxiliaryBalance.account_id.in_(leaves), kept)) or ZERO
    )
    return posted + _waiting(session, leaves, entered)


def _waiting(session: Session, leaves: Any, entered: Any) -> Decimal:
    """Debit less credit of what is drafted and not posted."""
    query = (
        select(func.sum(VoucherEntry.debit - VoucherEntry.credit, type_=Money()))
        .join(Voucher, Voucher.id == VoucherEntry.voucher_id)
        .where(
            Voucher.state.not_in((VoucherState.POSTED, VoucherState.VOID)),
            VoucherEntry.account_id.in_(leaves),
            entered,
        )
    )
    return session.scalar(query) or ZERO


def margin_at(session: Session, bank_id: int) -> Decimal:
    """What the books say is placed with a bank as a margin."""
    kept, entered = AuxiliaryBalance.bank_id == bank_id, VoucherEntry.bank_id == bank_id
    return stands(session, "1031", kept, entered)


def open_fees(session: Session) -> Decimal:
    """What is open of the receivables in the books; of one that is registered anew, what the books hold already."""
    settled = func.sum(Fee.collected_amount + Fee.waived_amount, type_=Money())
    query = select(settled).where(Fee.kind.in_(RECEIVABLE))
    return _registered(session, "gross", Fee.amount, RECEIVABLE) - (session.scalar(query) or ZERO)


def deferred(session: Session) -> Decimal:
    """担保费 net of VAT that is neither income nor gone back."""
    registered = _registered(session, "deferred", Fee.amount - Fee.vat_amount, (FeeKind.GUARANTEE,))
    gone = sum(
        (Decimal(e.amounts.get("deferred", "0")) for e in _booked(session, *list(_SIGNS)[1:])), ZERO
    )
    of_fees = select(BusinessEvent.total).where(
        BusinessEvent.event_code == "income.recognised", BusinessEvent.state == EventState.BOOKED
    )
    by_event = sum(session.scalars(of_fees), ZERO)
    kept = select(func.sum(IncomeSchedule.recognised, type_=Money())).where(
        IncomeSchedule.fee_id.is_not(None)
    )
    return registered - gone - by_event - (session.scalar(kept) or ZERO)


def deposits(session: Session) -> Decimal:
    """Customers' deposits that were booked as received and neither returned nor used."""
    received = select(func.sum(Fee.collected_amount, type_=Money())).where(
        Fee.kind == FeeKind.DEPOSIT
    )
    gone = sum((e.total for e in _booked(session, "deposit.returned", "deposit.used")), ZERO)
    return (session.scalar(received) or ZERO) - gone


def _registered(session: Session, key: str, whole: Any, kinds: tuple[FeeKind, ...]) -> Decimal:
    in_books = select(func.sum(whole, type_=Money())).where(
        Fee.kind.in_(kinds), Fee.state == FeeState.BOOKED
    )
    other = select(Fee.id).where(Fee.kind.in_(kinds), Fee.state != FeeState.BOOKED)
    query = select(BusinessEvent).where(
        BusinessEvent.event_code == "fee.registered",
        BusinessEvent.state == EventState.BOOKED,
        BusinessEvent.record_id.in_(other),
    )
    parts = sum((Decimal(event.amounts.get(key, "0")) for event in session.scalars(query)), ZERO)
    return (session.scalar(in_books) or ZERO) + parts


def _cases(session: Session) -> list[Pair]:
    """What was paid to banks, what others bear of it, costs advanced, and what others get of what was recovered."""
    rows = recovery.booked(session)
    if rows is None:
        return []
    url = "/recovery_case/list/"
    return [
        Pair("1201", "应收代偿款", rows.claims, stands(session, "1201"), url),
        Pair("1221", "垫付追偿费用", rows.costs, stands(session, "1221"), url),
        Pair(
            "1261",
            "分担方应付的代偿款",
            rows.others,
            stands(session, "1261"),
            "/compensation_share/list/",
        ),
        Pair(
            "2261",
            "应返还的追回款",
            rows.due_back,
            -stands(session, "2261"),
            "/compensation_share/list/",
        ),
    ]


def balance_of(session: Session, code: str) -> Decimal:
    """Debit less credit of an account, posted or on the way."""
    leaves = leaves_of(session, code)
    total = func.sum(AccountBalance.debit - AccountBalance.credit, type_=Money())
    posted = session.scalar(select(total).where(AccountBalance.account_id.in_(leaves))) or ZERO
    return posted + _waiting(session, leaves, VoucherEntry.id > 0)


def _booked(session: Session, *codes: str) -> list[BusinessEvent]:
    query = select(BusinessEvent).where(
        BusinessEvent.event_code.in_(codes), BusinessEvent.state == EventState.BOOKED
    )
    return list(session.scalars(query))


def _amounts(session: Session, signs: dict[str, tuple[str, int]]) -> Decimal | None:
    events = _booked(session, *signs)
    if not events:
        return None
    return sum(
        (
            signs[e.event_code][1] * Decimal(e.amounts.get(signs[e.event_code][0], "0"))
            for e in events
        ),
        ZERO,
    )
