"""4.5a 费用减免: approved, it reverses the receivable that 费用记账 has booked."""

from decimal import Decimal

from models.base.errors import FieldErrors
from models.base.money import format_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.guarantee.product import FeeKind
from models.guarantee.project import Project
from models.guarantee.signing import Fee, FeeWaiver
from models.ledger.voucher import BusinessEvent
from reports.figures.fees import RECEIVABLE, free_amount, net_after_waivers, recognised_total
from reports.figures.vat import not_due, pending, split
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step, move
from workflows.guarantee import stages
from workflows.guarantee.collection import pass_on, require_collecting
from workflows.guarantee.fees import count_vat, require_booked, settle_dues
from workflows.guarantee.paper import Paper, own_amount
from workflows.ledger import posting


def _what(waiver: FeeWaiver) -> str:
    return f"减免{waiver.fee.kind.label}"


PAPER = Paper(
    FeeWaiver,
    "提交减免审批",
    number="waiver",
    approval_type="fee.waiver",
    what=_what,
    amount=own_amount,
    events=("fee.waived",),
    lapses_from=OPEN_PAPERS,
    more_steps=(
        Step(
            "fee_waiver",
            "return",
            "复核退回",
            column="state",
            sources=(PaperState.APPROVED,),
            targets=(PaperState.DRAFT,),
            follows=True,
        ),
    ),
)
submit = PAPER.submit


@PAPER.check
def check_waiver(ctx: Ctx, waiver: FeeWaiver, is_new: bool) -> None:
    """A waiver concerns a booked receivable of its own project and no more than is open of it."""
    fee = records.find(ctx, Fee, waiver.fee_id, lock=not is_new)
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
        waiver.fee = fee


@records.delete_rule(FeeWaiver)
def check_delete(ctx: Ctx, waiver: FeeWaiver) -> None:
    """What was sent back from 复核 is withdrawn there too."""
    posting.cancel_refused(ctx, waiver, f"费用减免 {waiver.number} 已删除")


@PAPER.approved
def approved(ctx: Ctx, waiver: FeeWaiver) -> None:
    """The reversal of the receivable goes to 复核."""
    ctx.session.flush()
    memo = f"减免{waiver.fee.kind.label} {waiver.number}"
    PAPER.hand_over(ctx, waiver, _amounts(ctx, waiver), memo=memo)


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


@PAPER.booked
def booked(ctx: Ctx, waiver: FeeWaiver, event: BusinessEvent) -> None:
    """The receivable is smaller by the waiver, and the project may move on."""
    _count(ctx, waiver, event, 1)
    pass_on(ctx, waiver.project)


@PAPER.unbooked
def unbooked(ctx: Ctx, waiver: FeeWaiver, event: BusinessEvent) -> None:
    """Back in the queue the waiver does not count."""
    stages.refuse_when_ended(waiver.project)
    _count(ctx, waiver, event, -1)


@PAPER.sent_back
def sent_back(ctx: Ctx, waiver: FeeWaiver, event: BusinessEvent) -> None:
    """The waiver is a draft again with the reason on it and needs approval anew."""
    move(PAPER.steps["return"], waiver)
    approval.lapse(ctx, waiver, f"复核退回：{event.reason}")


def _count(ctx: Ctx, waiver: FeeWaiver, event: BusinessEvent, sign: int) -> None:
    fee = waiver.fee
    count_vat(fee, event, sign)
    fee.waived_amount += sign * waiver.amount
    settle_dues(ctx, fee)
    ctx.session.flush()
