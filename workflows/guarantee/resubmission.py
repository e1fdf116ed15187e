"""Before the board once more: a resolution that ran out on the way is renewed, a refusal is reconsidered once (4.3)."""

from sqlalchemy import func, select

from models.base.errors import BusinessError, Conflict, IllegalTransition
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import Resolution, ResolutionState, Resubmission, ResubmissionKind
from reports.figures import approvals
from reports.figures.gate import valid_resolution
from workflows.base import attachments, audit
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import application, resolution, stages
from workflows.guarantee.expiry import expire

RENEWABLE = (
    Stage.FEE_PLAN,
    Stage.FEE_BOOK,
    Stage.CONTRACT,
    Stage.COUNTER,
    Stage.FEE_COLLECT,
    Stage.NOTICE,
    Stage.CONFIRM,
)
STEPS = steps(
    Step(
        "project",
        "resubmit",
        "重新提交审保会",
        column="stage",
        sources=RENEWABLE,
        targets=(Stage.RESOLVE,),
    ),
    Step(
        "project",
        "reconsider",
        "申请复议",
        column="state",
        sources=(ProjectState.REFUSED,),
        targets=(ProjectState.RUNNING,),
    ),
)
REASON_MAX = 500


def resubmit(ctx: Ctx, project: Project, reason: str, version: int | None = None) -> Resubmission:
    """Bring a project whose resolution ran out before the board again; its papers and fees stay as they are.

    Raises Conflict while a resolution holds or an approval runs, BusinessError with what an application would lack.
    """
    step = STEPS["resubmit"]
    enter(ctx, step, project, version)
    if project.state is not ProjectState.RUNNING:
        raise IllegalTransition(f"项目 {project.number} {project.state.label}，不能{step.label}")
    if (valid := valid_resolution(ctx.session, project.id, ctx.today)) is not None:
        raise Conflict(f"决议 {valid.number} 有效期至 {valid.valid_until}，不需要重新上会")
    if approvals.running_of_project(ctx.session, project.id):
        raise Conflict("项目有审批正在办理，请待办结后再重新上会")
    reason = stages.checked_reason(reason, step.label, REASON_MAX)
    _require_fit(ctx, project)
    run_out = select(Resolution).where(
        Resolution.project_id == project.id, Resolution.state == ResolutionState.VALID
    )
    for former in ctx.session.scalars(run_out).all():  # day-end has not been by yet
        expire(ctx, former)
    made = _note(ctx, project, ResubmissionKind.RENEWED, reason)
    stages.advance(ctx, project, Stage.RESOLVE, "决议到期，重新上会")
    ctx.session.flush()
    resolution.put_to_president(ctx, project)
    return made


def reconsider(
    ctx: Ctx,
    project: Project,
    reason: str,
    material: tuple[str, bytes] | None = None,
    version: int | None = None,
) -> Resubmission:
    """Bring a project that the board refused or the president vetoed back to 公司决议, once, for new reasons.

    `material` is a file (name, bytes) that the board finds at the resubmission.
    """
    step = STEPS["reconsider"]
    enter(ctx, step, project, version)
    if project.stage is not Stage.RESOLVE:
        raise Conflict(
            f"项目 {project.number} 止于“{project.stage.label}”，只有审保会未通过或总裁否决的项目可以复议"
        )
    if is_reconsidered(ctx, project):
        raise Conflict(f"项目 {project.number} 已复议过一次，不能再次复议")
    reason = stages.checked_reason(reason, step.label, REASON_MAX)
    _require_fit(ctx, project)
    made = _note(ctx, project, ResubmissionKind.RECONSIDERED, reason)
    if material is not None:
        attachments.store(ctx, made, filename=material[0], data=material[1])
    move(step, project)
    stages.begin(ctx, project)
    ctx.session.flush()
    resolution.put_to_president(ctx, project)
    return made


def is_reconsidered(ctx: Ctx, project: Project) -> bool:
    """Whether the project's one 复议 is used up."""
    query = select(func.count(Resubmission.id)).where(
        Resubmission.project_id == project.id, Resubmission.kind == ResubmissionKind.RECONSIDERED
    )
    return bool(ctx.session.scalar(query))


def _require_fit(ctx: Ctx, project: Project) -> None:
    """The board is asked only about what could be applied for today; it may grant less where limits are short."""
    if found := application.obstacles(ctx, project, []):
        raise BusinessError("暂不能重新上会：" + "；".join(found))


def _note(ctx: Ctx, project: Project, kind: ResubmissionKind, reason: str) -> Resubmission:
    made = Resubmission(
        project=project,
        kind=kind,
        from_stage=project.stage,
        reason=reason,
        submitted_on=ctx.today,
        submitted_by_id=ctx.actor.employee_id,
    )
    ctx.session.add(made)
    ctx.session.flush()
    audit.log(ctx, project, "RESUBMIT", note=f"{kind.label}：{reason}")
    return made
