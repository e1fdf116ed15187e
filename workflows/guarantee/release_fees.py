"""What 解保 does to fees: instalments that fall due later are taken back, and by rule a part of what was received."""

from decimal import Decimal

from sqlalchemy import select

from models.guarantee.product import FeeKind
from models.guarantee.release import Release
from models.guarantee.signing import Fee, FeeState
from models.ledger.voucher import BusinessEvent, EventState
from reports.figures.fees import RECEIVABLE, dues_of, refund_due
from reports.figures.parameters import value
from reports.figures.vat import parts_back
from workflows.base.context import Ctx
from workflows.guarantee.fees import count_vat, settle_dues
from workflows.ledger import posting

REVERSED, REFUNDED = "fee.reversed", "fee.refunded"
CODES = (REVERSED, REFUNDED)
ZERO = Decimal(0)


def give_back(ctx: Ctx, release: Release) -> None:
    """Hand to 复核 what goes back of each fee of a guarantee that has ended.

    Service for later years is not rendered: their open instalments leave the books with their VAT and deferred income.
    """
    query = (
        select(Fee)
        .where(Fee.project_id == release.project_id, Fee.state == FeeState.BOOKED)
        .order_by(Fee.id)
    )
    for fee in ctx.session.scalars(query).all():
        if fee.kind not in RECEIVABLE:
            continue
        later = sum(
            (
                d.amount - d.settled_amount
                for d in dues_of(ctx.session, fee)
                if d.due_on > ctx.today
            ),
            ZERO,
        )
        if later:
            _raise(ctx, release, fee, REVERSED, later, f"解保冲回未到期{fee.kind.label}")
        if (
            fee.kind is FeeKind.GUARANTEE
            and value(ctx.session, "release.refund_rule", ctx.today) == "MONTHS"
        ):
            back = refund_due(fee, release.project, ctx.today)
            if back:
                _raise(ctx, release, fee, REFUNDED, back, f"解保退{fee.kind.label}")


def _raise(ctx: Ctx, release: Release, fee: Fee, code: str, gross: Decimal, memo: str) -> None:
    amounts = parts_back(ctx.session, fee, gross, ctx.today, is_refund=code == REFUNDED)
    posting.raise_event(
        ctx,
        code,
        record=fee,
        project=release.project,
        amounts=amounts,
        memo=f"{memo} {release.number}",
    )


def raise_again(ctx: Ctx, release: Release) -> list[BusinessEvent]:
    """Hand in once more what the accountant sent back."""
    again = []
    for event in waiting(ctx, release, EventState.REFUSED):
        fee = ctx.session.get_one(Fee, event.record_id)
        amounts = {key: Decimal(amount) for key, amount in event.amounts.items()}
        again.append(
            posting.raise_event(
                ctx,
                event.event_code,
                record=fee,
                project=release.project,
                amounts=amounts,
                memo=event.memo,
            )
        )
    return again


def waiting(ctx: Ctx, release: Release, *states: EventState) -> list[BusinessEvent]:
    """Fee events of a release that the books do not hold yet."""
    query = select(BusinessEvent).where(
        BusinessEvent.project_id == release.project_id,
        BusinessEvent.event_code.in_(CODES),
        BusinessEvent.record_table == Fee.__tablename__,
        BusinessEvent.state.in_(states or (EventState.PENDING, EventState.REFUSED)),
    )
    return list(ctx.session.scalars(query.order_by(BusinessEvent.id)))


def count(ctx: Ctx, event: BusinessEvent, sign: int) -> None:
    """Booked, the fee is smaller by what went back; in the queue again it is not."""
    fee = ctx.session.get_one(Fee, event.record_id)
    if event.event_code == REFUNDED:
        fee.collected_amount -= sign * event.total
    fee.waived_amount += sign * event.total
    count_vat(fee, event, sign)
    settle_dues(ctx, fee)
    ctx.session.flush()
