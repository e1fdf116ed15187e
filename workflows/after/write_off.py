"""6.3 核销: approved, what is left of a case leaves the books against 2602 and 6511; the claim stays."""

from decimal import Decimal

from sqlalchemy import func, select

from models.after.case_money import (
    MoneyState,
    RecoveryCost,
    RecoveryReceipt,
)
from models.after.compensation import Compensation
from models.after.recovery import CaseState, RecoveryCase
from models.after.write_off import WriteOff
from models.base.errors import BusinessError, Conflict
from models.base.money import format_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.guarantee.scheme import SharingParty
from models.ledger.voucher import BusinessEvent
from reports.figures import recovery as figures
from reports.figures.business_ledger import balance_of
from reports.figures.compensation import Amounts
from reports.figures.fees import deposit_held
from workflows.after.case_money import held, refuse, restate
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.guarantee.paper import Paper, own_amount

ZERO = Decimal(0)
ROLES = ("客户经理", "业务部门经理")
PROVISION = "2602"
PAPER = Paper(
    WriteOff,
    "提交核销审批",
    number="write_off",
    approval_type="write_off",
    what="代偿损失核销",
    amount=own_amount,
    events=("writeoff.booked",),
    lapses_from=OPEN_PAPERS,
    roles=ROLES,
)
ACTS = verbs("write_off", {"hand_in": "再次送复核"}, roles=ROLES)
CASE = steps(
    Step(
        "recovery_case",
        "write_off",
        "核销",
        column="state",
        sources=(CaseState.OPEN,),
        targets=(CaseState.WRITTEN_OFF,),
        follows=True,
    ),
    Step(
        "recovery_case",
        "restore",
        "撤回核销",
        column="state",
        sources=(CaseState.WRITTEN_OFF,),
        targets=(CaseState.OPEN,),
        follows=True,
    ),
)


@PAPER.check
def check(ctx: Ctx, paper: WriteOff, is_new: bool) -> None:
    """A write-off is of a case of the project that is pursued; its amounts are what is left of it."""
    del is_new
    case = ctx.session.get_one(RecoveryCase, paper.recovery_case_id)
    wrong: dict[str, list[str]] = {}
    if case.project_id != paper.project_id:
        wrong["recovery_case_id"] = [f"请选择项目 {paper.project.number} 的追偿案件"]
    elif case.state is not CaseState.OPEN:
        wrong["recovery_case_id"] = [f"案件 {case.number} {case.state.label}，不能核销"]
    refuse(wrong)
    paper.recovery_case = case
    _measure(ctx, paper, case)


def _measure(ctx: Ctx, paper: WriteOff, case: RecoveryCase) -> None:
    own = [one for one in figures.shares_of(ctx.session, case) if one.party is SharingParty.OWN]
    opens = [figures.open_of(one) for one in own]
    parts = Amounts(*(sum(column, ZERO) for column in zip(*opens, strict=True)))
    paper.principal, paper.interest = parts.principal, parts.interest
    paper.penalty, paper.other = parts.penalty, parts.other
    paper.cost, paper.other_amount = case.cost_open, case.other_open
    paper.amount = parts.total + case.cost_open


@PAPER.obstacles
def obstacles(ctx: Ctx, paper: WriteOff) -> list[str]:
    """All that can be settled first is settled: a plan was tried, the deposit used, money in 复核 is booked."""
    case, found = paper.recovery_case, []
    if deposit := deposit_held(ctx.session, paper.project):
        found.append(f"尚有客户保证金 {format_money(deposit)} 元未抵扣")
    for model in (RecoveryReceipt, RecoveryCost):
        query = select(func.count(model.id)).where(
            model.recovery_case_id == case.id, model.state == MoneyState.SUBMITTED
        )
        if ctx.session.scalar(query):
            found.append(f"尚有待复核的{model.spec.label}")
    waiting = select(Compensation.number).where(
        Compensation.project_id == paper.project_id,
        Compensation.state == PaperState.APPROVED,
        ~Compensation.is_booked,
    )
    found += [f"代偿 {number} 尚未付款记账" for number in ctx.session.scalars(waiting)]
    others = select(WriteOff.number).where(
        WriteOff.recovery_case_id == case.id,
        WriteOff.id != paper.id,
        WriteOff.state.in_((PaperState.IN_APPROVAL, PaperState.APPROVED)),
    )
    found += [f"核销 {number} 正在办理" for number in ctx.session.scalars(others)]
    if not paper.amount:
        found.append("没有未收回的账面余额")
    return found


@PAPER.approved
def approved(ctx: Ctx, paper: WriteOff) -> None:
    """It leaves the books, unless something was received since it was put up."""
    case = paper.recovery_case
    held(ctx, case)
    before = paper.amount
    _measure(ctx, paper, case)
    if case.state is not CaseState.OPEN or paper.amount != before:
        raise BusinessError(
            f"提交后案件 {case.number} 又有变动，账面余额和垫付费用为 {format_money(paper.amount)} 元，请退回后重新提交"
        )
    _hand_over(ctx, paper)


def _hand_over(ctx: Ctx, paper: WriteOff) -> BusinessEvent:
    """担保赔偿准备金 bears it as far as it goes; the rest is an expense."""
    provision = max(-balance_of(ctx.session, PROVISION), ZERO)
    paper.provision = min(provision, paper.amount)
    paper.loss = paper.amount - paper.provision
    parts = Amounts(paper.principal, paper.interest, paper.penalty, paper.other)
    beside = {"cost": paper.cost, "provision": paper.provision, "loss": paper.loss}
    memo = f"核销 {paper.number}"
    return PAPER.hand_over(ctx, paper, {**parts.by_part, **beside}, memo=memo)


def waits(_: Ctx, paper: WriteOff) -> bool:
    """Whether 复核 has sent it back."""
    is_open = paper.state is PaperState.APPROVED and not paper.is_booked
    return is_open and paper.returned_reason is not None


def hand_in(ctx: Ctx, paper: WriteOff, version: int | None = None) -> BusinessEvent:
    """Hand it to 复核 once more, measured anew against the provision."""
    enter(ctx, ACTS["hand_in"], paper, version)
    case = paper.recovery_case
    held(ctx, case)
    if not waits(ctx, paper):
        raise Conflict(f"核销“{paper}”没有退回待送的复核单")
    if case.state is not CaseState.OPEN:
        raise Conflict(f"案件 {case.number} {case.state.label}，不能核销")
    _measure(ctx, paper, case)
    return _hand_over(ctx, paper)


@PAPER.booked
def booked(ctx: Ctx, paper: WriteOff, event: BusinessEvent) -> None:
    """Out of the books, the claim stays on the case."""
    del event
    case = paper.recovery_case
    held(ctx, case)
    now = case.balance + case.cost_open
    if now != paper.amount:
        raise BusinessError(
            f"送复核后案件 {case.number} 又有变动，账面余额和垫付费用为 {format_money(now)} 元，请退回重办"
        )
    paper.written_off_on = ctx.today
    case.written_off_amount += paper.amount
    with ctx.session.no_autoflush:
        move(CASE["write_off"], case)
        case.balance = ZERO


@PAPER.unbooked
def unbooked(ctx: Ctx, paper: WriteOff, event: BusinessEvent) -> None:
    """In the books again; Conflict where something was received after it."""
    del event
    case = paper.recovery_case
    held(ctx, case)
    query = select(RecoveryReceipt.number).where(
        RecoveryReceipt.recovery_case_id == case.id,
        RecoveryReceipt.is_off_book,
        RecoveryReceipt.state != MoneyState.RETURNED,
    )
    if (number := ctx.session.scalar(query.limit(1))) is not None:
        raise Conflict(f"核销后已收回 {number}，不能撤回核销")
    paper.written_off_on = None
    case.written_off_amount -= paper.amount
    move(CASE["restore"], case)
    restate(ctx, case)
