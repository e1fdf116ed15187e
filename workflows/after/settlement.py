"""4.10, 6.3 分担结算: who shares the risk pays its part of a 代偿, and gets its part of what was recovered."""

from datetime import date
from decimal import Decimal

from models.after.case_money import SettlementKind, ShareSettlement
from models.after.compensation import CompensationShare
from models.base.errors import Conflict
from models.base.money import format_money
from models.guarantee.scheme import SharingParty
from models.ledger.voucher import BusinessEvent, Voucher
from workflows.after.case_money import Money, about_money, held, refuse, words
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import enter, verbs
from workflows.ledger import posting

ACTS = verbs(
    "compensation_share",
    {"collect": "登记收到分担款", "give_back": "登记返还追回款"},
    roles=("出纳",),
)
_EVENTS = {
    SettlementKind.RECEIVED: "share.received",
    SettlementKind.RETURNED: "share.returned",
}


def _count(ctx: Ctx, made: ShareSettlement, sign: int) -> None:
    share = made.share
    if made.kind is SettlementKind.RECEIVED:
        share.received_amount += sign * made.amount
    else:
        share.returned_amount += sign * made.amount
    ctx.session.flush()


MONEY = Money(ShareSettlement, _count)


def booked(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """The books hold what a party has paid or got."""
    del voucher
    if event.record_table == MONEY.table:
        MONEY.book(ctx, event, "book")


def unbooked(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue it counts until it is refused."""
    del former
    if event.record_table == MONEY.table:
        MONEY.book(ctx, event, "unbook")


def refused(ctx: Ctx, event: BusinessEvent) -> None:
    """It stands for nothing: it is noted anew."""
    if event.record_table == MONEY.table:
        MONEY.refuse(ctx, event)


for _code in _EVENTS.values():
    posting.on_booked(_code)(booked)
    posting.on_unbooked(_code)(unbooked)
    posting.on_refused(_code)(refused)


def unpaid(share: CompensationShare) -> Decimal:
    """What the party has still to pay to the company."""
    return share.amount - share.received_amount


def due_back(share: CompensationShare) -> Decimal:
    """What the party has still to get of what was recovered."""
    return share.due_back - share.returned_amount


def owes(_: Ctx, share: CompensationShare) -> bool:
    """Whether another party has still to pay."""
    return share.party is not SharingParty.OWN and unpaid(share) > 0


def is_due_back(_: Ctx, share: CompensationShare) -> bool:
    """Whether another party has still to get something."""
    return share.party is not SharingParty.OWN and due_back(share) > 0


def collect(
    ctx: Ctx,
    share: CompensationShare,
    amount: Decimal,
    moved_on: date,
    note: str | None = None,
    version: int | None = None,
) -> ShareSettlement:
    """Note what another party has paid of its part. Raises Conflict where it owes nothing, FieldErrors above it."""
    enter(ctx, ACTS["collect"], share, version)
    return _settle(ctx, share, SettlementKind.RECEIVED, amount, moved_on=moved_on, note=note)


def give_back(
    ctx: Ctx,
    share: CompensationShare,
    amount: Decimal,
    moved_on: date,
    note: str | None = None,
    version: int | None = None,
) -> ShareSettlement:
    """Note what another party was paid of what was recovered. Raises Conflict where nothing is due, FieldErrors."""
    enter(ctx, ACTS["give_back"], share, version)
    return _settle(ctx, share, SettlementKind.RETURNED, amount, moved_on=moved_on, note=note)


def _settle(
    ctx: Ctx,
    share: CompensationShare,
    kind: SettlementKind,
    amount: Decimal,
    *,
    moved_on: date,
    note: str | None,
) -> ShareSettlement:
    case = share.recovery_case
    held(ctx, case)
    most = unpaid(share) if kind is SettlementKind.RECEIVED else due_back(share)
    if share.party is SharingParty.OWN or not most:
        raise Conflict(f"代偿分担“{share}”没有待办的{kind.label}")
    found = about_money(ctx, case, amount, moved_on, note)
    if not found and amount > most:
        found["amount"] = [f"{kind.label}尚有 {format_money(most)} 元，不能超过"]
    refuse(found)
    made = ShareSettlement(
        number=next_number(ctx, "share_settlement"),
        project=share.project,
        recovery_case=case,
        share=share,
        kind=kind,
        amount=amount,
        moved_on=moved_on,
        note=words(note),
    )
    MONEY.note(ctx, made)
    posting.raise_event(
        ctx,
        _EVENTS[kind],
        record=made,
        project=made.project,
        amounts={"amount": amount},
        on=moved_on,
        memo=f"{kind.label} {made.number}",
    )
    return made
