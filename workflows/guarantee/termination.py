"""终止办理: a project that will not be guaranteed ends at any stage before the drawdown, with all that hangs on it.

Once something of it is in the books the end is approved, and the money goes back through 复核 (see refunds).
"""

from decimal import Decimal

from sqlalchemy import func, select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError, FieldErrors, IllegalTransition
from models.base.paper import OPEN_PAPERS, PaperState
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import Resolution, ResolutionState
from models.guarantee.signing import CounterGuarantee
from models.guarantee.termination import Termination
from models.ledger.voucher import BusinessEvent, EventState
from reports.figures import approvals
from workflows.approval import approval
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, outcome_of
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import refunds, resolution, stages
from workflows.guarantee.paper import lapse_all

STEPS = steps(
    Step(
        "termination",
        "submit",
        "提交终止办理",
        column="state",
        sources=(PaperState.DRAFT,),
        targets=(PaperState.IN_APPROVAL, PaperState.APPROVED),
    ),
    outcome_of("termination"),
    Step(
        "project",
        "terminate",
        "终止办理",
        column="state",
        sources=(ProjectState.RUNNING, ProjectState.REFUSED),
        targets=(ProjectState.CANCELLED,),
        follows=True,
    ),
)


@records.rule(Termination)
def check_termination(ctx: Ctx, paper: Termination, is_new: bool) -> None:
    """One end at a time, of a project before its drawdown, or of a refused one that has money in the books."""
    project = stages.locked(ctx, paper.project_id)
    _require_endable(ctx, project)
    others = select(func.count(Termination.id)).where(
        Termination.project_id == project.id,
        Termination.state.in_(OPEN_PAPERS),
        Termination.id != (paper.id or 0),
    )
    if ctx.session.scalar(others):
        raise FieldErrors({"project_id": [f"项目 {project.number} 已有终止办理申请，不能重复登记"]})
    if is_new:
        paper.number = next_number(ctx, "termination")
        paper.project = project


def _require_endable(ctx: Ctx, project: Project) -> None:
    is_under_way = (
        project.state is ProjectState.RUNNING and project.stage.rank < Stage.IN_FORCE.rank
    )
    if not is_under_way and not (project.state is ProjectState.REFUSED and has_money(ctx, project)):
        raise IllegalTransition(f"项目 {project.number} {project.state.label}，不能终止办理")


def has_money(ctx: Ctx, project: Project) -> bool:
    """Whether something of the project stands in the books or waits for 复核."""
    query = select(func.count(BusinessEvent.id)).where(
        BusinessEvent.project_id == project.id,
        BusinessEvent.state.in_((EventState.PENDING, EventState.BOOKED)),
    )
    return bool(ctx.session.scalar(query))


def submit(ctx: Ctx, paper: Termination, version: int | None = None) -> Termination:
    """End the project at once, or put its end up for approval where something of it is in the books.

    Raises BusinessError while receipts or waivers wait for 复核.
    """
    step = STEPS["submit"]
    enter(ctx, step, paper, version)
    project = records.find(ctx, Project, paper.project_id, lock=True)
    check_termination(ctx, paper, False)
    _require_clear(ctx, project)
    if has_money(ctx, project):
        move(step, paper)
        stages.put_up(ctx, "termination", paper, project, "终止办理", amount=project.amount)
    else:
        move(step, paper, PaperState.APPROVED)
        _end(ctx, paper, project)
    return paper


@approval.on_finish("termination")
def decided(
    ctx: Ctx, instance: ApprovalInstance, paper: Termination, outcome: ApprovalState
) -> None:
    """Approved, the project ends; returned it is a draft again, refused the project goes on."""
    del instance
    if outcome is not ApprovalState.APPROVED:
        conclude(paper, outcome)
        return
    project = records.find(ctx, Project, paper.project_id, lock=True)
    _require_endable(ctx, project)
    _require_clear(ctx, project)
    conclude(paper, outcome)
    _end(ctx, paper, project)


def _require_clear(ctx: Ctx, project: Project) -> None:
    """Registrations that wait are withdrawn with the project; money that came in is booked first."""
    query = select(BusinessEvent.label).where(
        BusinessEvent.project_id == project.id,
        BusinessEvent.state == EventState.PENDING,
        BusinessEvent.event_code != "fee.registered",
    )
    if labels := ctx.session.scalars(query.order_by(BusinessEvent.id)).all():
        raise BusinessError(
            "尚有待复核的" + "、".join(dict.fromkeys(labels)) + "，请会计先复核记账或退回"
        )


def _end(ctx: Ctx, paper: Termination, project: Project) -> None:
    paper.stage, paper.approved_on = project.stage, ctx.today
    if project.state is ProjectState.RUNNING:
        stages.leave(ctx, project, f"终止办理 {paper.number}")
    move(STEPS["terminate"], project)
    project.reserved_amount = Decimal(0)
    ctx.session.flush()
    for instance in approvals.running_of_project(ctx.session, project.id):
        approval.call_off(ctx, instance)
    resolution.take_off_agenda(ctx, project, "项目终止办理")
    _void_papers(ctx, project)
    refunds.give_back(ctx, paper)
    stages.ended(ctx, project, f"项目已终止（{paper.number}）")
    audit.log(ctx, project, "TERMINATE", note=f"终止办理 {paper.number}：{paper.cause.label}")
    ctx.session.flush()


def _void_papers(ctx: Ctx, project: Project) -> None:
    """Nothing of the project binds any more: contracts are void, counter-guarantees free, drafts come to nothing."""
    mine = select(Resolution).where(Resolution.project_id == project.id)
    for found in ctx.session.scalars(mine.where(Resolution.state == ResolutionState.VALID)):
        move(resolution.LAPSE["lapse"], found)
    lapse_all(ctx, project)
    standing = select(CounterGuarantee).where(
        CounterGuarantee.project_id == project.id, CounterGuarantee.state == PaperState.APPROVED
    )
    for item in ctx.session.scalars(standing):
        item.released_on = ctx.today
    ctx.session.flush()
