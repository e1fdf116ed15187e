"""What goes back when a project ends before its drawdown: receivables reversed, fees and deposit returned.

Each part waits in 复核 as an event of its own; the termination is settled on the day when all of them are booked.
"""

from decimal import Decimal

from sqlalchemy import select

from models.base.entity import entity_of
from models.base.errors import Conflict
from models.guarantee.product import FeeKind
from models.guarantee.signing import Fee, FeeState, FeeWaiver, Receipt, ReceiptState
from models.guarantee.termination import Termination
from models.ledger.voucher import BusinessEvent, EventState, Voucher
from reports.figures.fees import RECEIVABLE, deposit_held, vat_inside
from reports.figures.vat import split
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.guarantee.fees import count_vat, settle_dues, tax_of
from workflows.ledger import posting

FEE = steps(
    Step(
        "fee",
        "cancel",
        "随项目终止撤销",
        column="state",
        sources=(FeeState.DRAFT, FeeState.SUBMITTED, FeeState.BOOKED),
        targets=(FeeState.CANCELLED,),
        follows=True,
    ),
)
_BOOKED, _REFUNDED = (ReceiptState.BOOKED,), (ReceiptState.REFUNDED,)
RECEIPT = steps(
    Step(
        "receipt",
        "refund",
        "退费",
        column="state",
        sources=_BOOKED,
        targets=_REFUNDED,
        follows=True,
    ),
    Step(
        "receipt",
        "unrefund",
        "撤回退费",
        column="state",
        sources=_REFUNDED,
        targets=_BOOKED,
        follows=True,
    ),
)
ACTS = verbs("termination", {"settle": "重新提交冲账退费"})
CODES = ("fee.reversed", "fee.refunded", "deposit.returned")
_RECORDS = ("fee", "receipt", "termination")
ZERO = Decimal("0.00")


def give_back(ctx: Ctx, paper: Termination) -> None:
    """Withdraw what waits for 复核, and hand over to it what has to go back of each fee and of the deposit."""
    project = paper.project
    waiting = select(BusinessEvent).where(
        BusinessEvent.project_id == project.id,
        BusinessEvent.state.in_((EventState.PENDING, EventState.REFUSED)),
    )
    for event in ctx.session.scalars(waiting.order_by(BusinessEvent.id)).all():
        posting.cancel(ctx, event, f"项目终止办理 {paper.number}")
    for fee in ctx.session.scalars(
        select(Fee).where(Fee.project_id == project.id).order_by(Fee.id)
    ).all():
        move(FEE["cancel"], fee)
        if fee.kind in RECEIVABLE:
            _give_back_fee(ctx, paper, fee)
    paper.deposit_amount = deposit_held(ctx.session, project)
    if paper.deposit_amount:
        memo = f"终止退还保证金 {paper.number}"
        amounts = {"amount": paper.deposit_amount}
        posting.raise_event(
            ctx, "deposit.returned", record=paper, project=project, amounts=amounts, memo=memo
        )
    _mark_settled(ctx, paper)


def settle_again(ctx: Ctx, paper: Termination, version: int | None = None) -> Termination:
    """Hand the parts that the accountant sent back to 复核 once more."""
    enter(ctx, ACTS["settle"], paper, version)
    refused = _events(ctx, paper, EventState.REFUSED)
    if not refused:
        raise Conflict(f"终止办理“{paper}”没有复核退回的事项")
    for event in refused:
        record = ctx.session.get_one(entity_of(event.record_table), event.record_id)
        amounts = {key: Decimal(amount) for key, amount in event.amounts.items()}
        posting.raise_event(
            ctx,
            event.event_code,
            record=record,
            project=paper.project,
            amounts=amounts,
            memo=event.memo,
        )
    paper.returned_reason = None
    ctx.session.flush()
    return paper


def _give_back_fee(ctx: Ctx, paper: Termination, fee: Fee) -> None:
    """Of what the books hold of a fee the part not collected is reversed, the part collected goes back by receipt."""
    gross, tax = _booked(ctx, fee)
    collected, held = fee.collected_amount, fee.vat_pending_amount
    back_tax = tax if collected == gross else min(vat_inside(collected, fee.vat_rate_pct), tax)
    if gross > collected:
        amounts = _parts(fee, gross - collected, tax - back_tax, held)
        held -= amounts.get("tax_pending", ZERO)
        memo = f"冲回{fee.kind.label} {paper.number}"
        posting.raise_event(
            ctx, "fee.reversed", record=fee, project=fee.project, amounts=amounts, memo=memo
        )
        paper.receivable_amount += gross - collected
    receipts = select(Receipt).where(Receipt.fee_id == fee.id, Receipt.state == ReceiptState.BOOKED)
    so_far = tax_so_far = ZERO
    for receipt in ctx.session.scalars(receipts.order_by(Receipt.id)).all():
        so_far += receipt.amount
        share = (
            back_tax if so_far == collected else vat_inside(so_far, fee.vat_rate_pct)
        ) - tax_so_far
        tax_so_far += share
        amounts = _parts(fee, receipt.amount, share, held)
        held -= amounts.get("tax_pending", ZERO)
        memo = f"退{fee.kind.label}，收据 {receipt.number}"
        posting.raise_event(
            ctx, "fee.refunded", record=receipt, project=fee.project, amounts=amounts, memo=memo
        )
        paper.refund_amount += receipt.amount


def _parts(fee: Fee, gross: Decimal, tax: Decimal, held: Decimal) -> dict[str, Decimal]:
    """Before the drawdown no 担保费 is income yet; of its VAT what is not due yet goes first."""
    net = {"deferred" if fee.kind is FeeKind.GUARANTEE else "earned": gross - tax}
    return {"gross": gross, **net, **split(tax, held, ZERO)}


def _booked(ctx: Ctx, fee: Fee) -> tuple[Decimal, Decimal]:
    """Amount and VAT of a fee as its booked registrations and waivers left them, to the fen."""
    waivers = select(FeeWaiver.id).where(FeeWaiver.fee_id == fee.id)
    query = select(BusinessEvent).where(
        BusinessEvent.state == EventState.BOOKED,
        ((BusinessEvent.event_code == "fee.registered") & (BusinessEvent.record_id == fee.id))
        | ((BusinessEvent.event_code == "fee.waived") & BusinessEvent.record_id.in_(waivers)),
    )
    gross = tax = ZERO
    for event in ctx.session.scalars(query):
        sign = 1 if event.event_code == "fee.registered" else -1
        gross += sign * Decimal(event.amounts["gross"])
        tax += sign * tax_of(event)
    return gross, tax


def _termination(ctx: Ctx, event: BusinessEvent) -> Termination | None:
    """The termination that an event settles, if any; deposits also go back by 解保."""
    if event.record_table not in _RECORDS:
        return None
    query = select(Termination).where(
        Termination.project_id == event.project_id, Termination.approved_on.is_not(None)
    )
    return ctx.session.scalars(query).one_or_none()


def _events(ctx: Ctx, paper: Termination, *states: EventState) -> list[BusinessEvent]:
    query = select(BusinessEvent).where(
        BusinessEvent.project_id == paper.project_id,
        BusinessEvent.event_code.in_(CODES),
        BusinessEvent.state.in_(states),
    )
    return list(ctx.session.scalars(query.order_by(BusinessEvent.id)))


def _mark_settled(ctx: Ctx, paper: Termination) -> None:
    is_open = _events(ctx, paper, EventState.PENDING, EventState.REFUSED)
    paper.settled_on = None if is_open else ctx.today
    ctx.session.flush()


def _move_money(ctx: Ctx, event: BusinessEvent, sign: int) -> None:
    """Booked, a fee is smaller by what was reversed or returned; back in the queue it is not."""
    if event.event_code == "deposit.returned":
        return
    if event.event_code == "fee.refunded":
        receipt = ctx.session.get_one(Receipt, event.record_id)
        move(RECEIPT["refund" if sign > 0 else "unrefund"], receipt)
        fee = receipt.fee
        fee.collected_amount -= sign * event.total
    else:
        fee = ctx.session.get_one(Fee, event.record_id)
    fee.waived_amount += sign * event.total
    count_vat(fee, event, sign)
    settle_dues(ctx, fee)


def booked(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """One part has gone back; with the last one the termination is settled."""
    del voucher
    if (paper := _termination(ctx, event)) is not None:
        _move_money(ctx, event, 1)
        _mark_settled(ctx, paper)


def unbooked(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue the termination is not settled any more."""
    del former
    if (paper := _termination(ctx, event)) is not None:
        _move_money(ctx, event, -1)
        _mark_settled(ctx, paper)


def refused(ctx: Ctx, event: BusinessEvent) -> None:
    """The reason stands on the termination until the part is handed in again."""
    if (paper := _termination(ctx, event)) is not None:
        paper.returned_reason = event.reason
        ctx.session.flush()


for _code in CODES:
    posting.on_booked(_code)(booked)
    posting.on_unbooked(_code)(unbooked)
    posting.on_refused(_code)(refused)
