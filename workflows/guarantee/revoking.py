"""10.3 撤销放款: a drawdown that was registered by mistake is taken back, and its project waits for the right one.

What the books hold of it is taken back through 复核 first; what waits there is withdrawn here.
"""

from decimal import Decimal

from sqlalchemy import select

from models.guarantee.drawdown import Drawdown, PlanSource, RepaymentPlan
from models.guarantee.project import Project, ProjectState, RenewalKind, Stage
from models.guarantee.reguarantee import FilingRow, RowState
from models.guarantee.resolution import Resolution, ResolutionState
from models.guarantee.sharing import ProjectShare
from models.guarantee.signing import Fee
from models.ledger.voucher import BusinessEvent, EventState
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import Step, move, steps
from workflows.guarantee import limits, repayment, stages
from workflows.ledger import posting

STEPS = steps(
    Step(
        "project",
        "take_back",
        "撤销放款",
        column="state",
        sources=(ProjectState.IN_FORCE,),
        targets=(ProjectState.RUNNING,),
        follows=True,
    ),
    Step(
        "project",
        "take_back_stage",
        "撤销放款",
        column="stage",
        sources=(Stage.IN_FORCE,),
        targets=(Stage.CONFIRM,),
        follows=True,
    ),
    Step(
        "resolution",
        "reopen",
        "撤销放款",
        column="state",
        sources=(ResolutionState.USED,),
        targets=(ResolutionState.VALID, ResolutionState.EXPIRED),
        follows=True,
    ),
)
_INCOME = "income.recognised"


def why_not(ctx: Ctx, loan: Drawdown) -> str:
    """What keeps a drawdown from being taken back, named; '' where nothing does."""
    project, session = loan.project, ctx.session
    if project.state is not ProjectState.IN_FORCE:
        return f"项目 {project.number} {project.state.label}，不能撤销放款"
    if repayment.is_being_released(ctx, project):
        return f"项目 {project.number} 正在解保，不能撤销放款"
    if not loan.is_running or loan.balance != loan.amount:
        return f"借据 {loan.number} 已有还款或已结束，不能撤销"
    if project.renewal_kind is RenewalKind.ROLLOVER:
        return f"项目 {project.number} 为无还本续贷，原借款已由放款结清，不能撤销"
    source = select(RepaymentPlan.id).where(
        RepaymentPlan.drawdown_id == loan.id, RepaymentPlan.source == PlanSource.HISTORY
    )
    if session.scalar(source.limit(1)) is not None:
        return f"借据 {loan.number} 由历史补录登记，不能撤销放款"
    if why := _unresolved(ctx, project) or _filed(ctx, project):
        return why
    if booked := _income(ctx, project, EventState.BOOKED):
        return f"{len(booked)} 笔担保费收入确认已记账，请会计先撤回复核（已过账的以红字冲回）再撤销放款"
    return records.why_not_remove(ctx, loan)


def _unresolved(ctx: Ctx, project: Project) -> str:
    """Why a project cannot wait for another drawdown: none was ever resolved on."""
    if _used(ctx, project) is None:
        return f"项目 {project.number} 没有据以放款的公司决议（如见贷即保），不能撤销放款"
    return ""


def _used(ctx: Ctx, project: Project) -> Resolution | None:
    """The resolution that the project was drawn on."""
    query = (
        select(Resolution)
        .where(Resolution.project_id == project.id, Resolution.state == ResolutionState.USED)
        .order_by(Resolution.id.desc())
    )
    return ctx.session.scalars(query.limit(1)).first()


_LEAVING = {
    RowState.PENDING: "请先移出批次",
    RowState.REFUSED: "请先移出批次",
    RowState.SUBMITTED: "请待回执登记后办理",
    RowState.DONE: "请先登记撤销备案的回执，再移出批次",
}


def _filed(ctx: Ctx, project: Project) -> str:
    """The batches of 再担保备案 that name the project and its loans: what the other side was told stands."""
    query = select(FilingRow).where(FilingRow.project_id == project.id).order_by(FilingRow.id)
    return "；".join(
        f"项目 {project.number} 已列入再担保备案 {row.filing.number}（{row.state.label}），"
        f"{_LEAVING[row.state]}"
        for row in ctx.session.scalars(query)
    )


def _income(ctx: Ctx, project: Project, *states: EventState) -> list[BusinessEvent]:
    query = select(BusinessEvent).where(
        BusinessEvent.project_id == project.id,
        BusinessEvent.event_code == _INCOME,
        BusinessEvent.record_table == Fee.__tablename__,
        BusinessEvent.state.in_(states),
    )
    return list(ctx.session.scalars(query.order_by(BusinessEvent.id)))


def apply(ctx: Ctx, loan: Drawdown, reason: str) -> None:
    """Take a drawdown back; without another one the project waits for its drawdown again.

    Its resolution is reserved anew where the limits still allow its amount. Who calls has asked `why_not`.
    """
    loans, project = repayment.all_held(ctx, loan.project_id)
    others = [one for one in loans if one.id != loan.id]
    for event in [] if others else _income(ctx, project, EventState.PENDING, EventState.REFUSED):
        posting.cancel(ctx, event, f"撤销放款 {reason}"[:200])
    amount = loan.amount
    records.remove(ctx, loan)
    if others:
        project.balance -= amount
        project.start_on = min(one.drawn_on for one in others)
        project.end_on = max(one.due_on for one in others if one.is_running or one.closed_on)
        return
    _wait_again(ctx, project)


def _wait_again(ctx: Ctx, project: Project) -> None:
    resolution = _used(ctx, project)
    assert resolution is not None, "it would have been in the way"
    is_valid = resolution.valid_until is not None and resolution.valid_until >= ctx.today
    over = _over(ctx, project, resolution) if is_valid else ""
    is_reserved = is_valid and not over
    move(
        STEPS["reopen"],
        resolution,
        ResolutionState.VALID if is_reserved else ResolutionState.EXPIRED,
    )
    if over:
        note = f"撤销放款后决议 {resolution.number} 不再占用额度，超过限额：{over}"
        audit.log(ctx, project, "EXPIRE", note=note[:500])
    fixed = select(ProjectShare).where(ProjectShare.project_id == project.id)
    for share in ctx.session.scalars(fixed.order_by(ProjectShare.id)).all():
        ctx.session.delete(share)  # fixed anew by the drawdown that is to come
    with ctx.session.no_autoflush:  # balance, stage and state change as one
        stages.leave(ctx, project, "撤销放款")
        move(STEPS["take_back"], project)
        move(STEPS["take_back_stage"], project)
        project.balance = Decimal(0)
        project.reserved_amount = resolution.amount if is_reserved else Decimal(0)
        project.start_on = project.end_on = None
        stages.begin(ctx, project)
    ctx.session.flush()


def _over(ctx: Ctx, project: Project, resolution: Resolution) -> str:
    """The limits that the whole resolution breaks by now: others may have taken what was left undrawn."""
    found = limits.checks(ctx, project, resolution.amount)
    return "；".join(check.text for check in found if check.is_over)
