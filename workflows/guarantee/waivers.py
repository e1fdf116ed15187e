"""4.5a 费用减免: approved, it reverses the receivable that 费用记账 has booked."""

from decimal import Decimal

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import FieldErrors
from models.base.money import format_money
from models.guarantee.appraisal import PaperState
from models.guarantee.product import FeeKind
from models.guarantee.project import Project
from models.guarantee.signing import Fee, FeeWaiver
from models.ledger.voucher import BusinessEvent, Voucher
from reports.figures.fees import RECEIVABLE, free_amount, net_after_waivers, recognised_total
from reports.figures.vat import not_due, pending, split
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import OPEN_PAPERS, conclude, life
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import stages
from workflows.guarantee.collection import pass_on, require_collecting
from workflows.guarantee.fees import count_vat, require_booked, settle_dues
from workflows.ledger import posting

STEPS = steps(
    *life("fee_waiver", "提交减免审批", lapses_from=OPEN_PAPERS),
    Step(
        "fee_waiver",
        "return",
        "复核退回",
        column="state",
        sources=(PaperState.APPROVED,),
        targets=(PaperState.DRAFT,),
        follows=True,
    ),
)


@records.rule(FeeWaiver)
def check_waiver(ctx: Ctx, waiver: FeeWaiver, is_new: bool) -> None:
    """A waiver concerns a booked receivable of its own project and no more than is open of it."""
    fee = ctx.session.get_one(Fee, waiver.fee_id)
    project = ctx.session.get_one(Project, waiver.project_id)
    if fee.project_id != project.id:
        raise FieldErrors({"fee_id": [f"该费用不属于项目 {project.number}"]})
    if fee.kind not in RECEIVABLE:
        raise FieldErrors({"fee_id": [f"{fee.kind.label}不能减免"]})
    require_collecting(project, "减免费用")
    require_booked(fee, "减免")
    free = free_amount(ctx.session, fee, without_waiver=waiver.id)
    if waiver.amount > free:
        raise FieldErrors(
            {"amount": [f"{fee.kind.label}待收 {format_money(free)} 元，减免金额不能超过"]}
        )
    if is_new:
        waiver.number = next_number(ctx, "waiver")
        waiver.fee, waiver.project = fee, project


@records.delete_rule(FeeWaiver)
def check_delete(ctx: Ctx, waiver: FeeWaiver) -> None:
    """What was sent back from 复核 is withdrawn there too."""
    posting.cancel_refused(ctx, waiver, f"费用减免 {waiver.number} 已删除")


def submit(ctx: Ctx, waiver: FeeWaiver, version: int | None = None) -> ApprovalInstance:
    """Put the waiver up for approval; meanwhile its amount can neither be collected nor waived again."""
    enter(ctx, STEPS["submit"], waiver, version)
    records.find(ctx, Fee, waiver.fee_id, lock=True)
    check_waiver(ctx, waiver, False)
    move(STEPS["submit"], waiver)
    waiver.returned_reason = None
    what = f"减免{waiver.fee.kind.label}"
    return stages.put_up(ctx, "fee.waiver", waiver, waiver.project, what, amount=waiver.amount)


@approval.on_finish("fee.waiver")
def decided(
    ctx: Ctx, instance: ApprovalInstance, waiver: FeeWaiver, outcome: ApprovalState
) -> None:
    """Approved, the reversal of the receivable goes to 复核; returned it is a draft again."""
    del instance
    conclude(waiver, outcome)
    if outcome is not ApprovalState.APPROVED:
        return
    ctx.session.flush()
    posting.raise_event(
        ctx,
        "fee.waived",
        record=waiver,
        project=waiver.project,
        amounts=_amounts(ctx, waiver),
        memo=f"减免{waiver.fee.kind.label} {waiver.number}",
    )


def _amounts(ctx: Ctx, waiver: FeeWaiver) -> dict[str, Decimal]:
    """The parts of the reversal; of 担保费 what is not earned yet goes first, then income already recognised."""
    fee = waiver.fee
    before = net_after_waivers(ctx.session, fee, without=waiver.id)
    net = before - net_after_waivers(ctx.session, fee)
    tax = split(
        waiver.amount - net, pending(ctx.session, fee), not_due(ctx.session, fee, ctx.today)
    )
    found = {"gross": waiver.amount, **tax}
    if fee.kind is not FeeKind.GUARANTEE:
        return {**found, "earned": net}
    unearned = max(before - recognised_total(ctx.session, fee), Decimal(0))
    deferred = min(net, unearned)
    return {**found, "deferred": deferred, "recognised": net - deferred}


@posting.on_booked("fee.waived")
def booked(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """The receivable is smaller by the waiver, and the project may move on."""
    del voucher
    waiver = ctx.session.get_one(FeeWaiver, event.record_id)
    count_vat(waiver.fee, event, 1)
    _count(ctx, waiver, waiver.amount, is_booked=True)
    pass_on(ctx, waiver.project)


@posting.on_unbooked("fee.waived")
def unbooked(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue the waiver does not count."""
    del former
    waiver = ctx.session.get_one(FeeWaiver, event.record_id)
    stages.refuse_when_ended(waiver.project)
    count_vat(waiver.fee, event, -1)
    _count(ctx, waiver, -waiver.amount, is_booked=False)


@posting.on_refused("fee.waived")
def refused(ctx: Ctx, event: BusinessEvent) -> None:
    """The waiver is a draft again with the reason on it and needs approval anew."""
    waiver = ctx.session.get_one(FeeWaiver, event.record_id)
    move(STEPS["return"], waiver)
    approval.lapse(ctx, waiver, f"复核退回：{event.reason}")
    waiver.returned_reason = event.reason
    ctx.session.flush()


def _count(ctx: Ctx, waiver: FeeWaiver, amount: Decimal, *, is_booked: bool) -> None:
    fee = waiver.fee
    waiver.is_booked = is_booked
    fee.waived_amount += amount
    settle_dues(ctx, fee)
    ctx.session.flush()
