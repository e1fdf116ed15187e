"""The line of stages: where a project stands, since when, and how it moves on (product.md 4, domain.md 1)."""

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import select

from models.approval.approval import ApprovalInstance
from models.base.entity import Entity
from models.base.errors import BusinessError, Conflict, IllegalTransition
from models.base.paper import PaperState
from models.guarantee.project import (
    UNDER_WAY,
    Project,
    ProjectHolder,
    ProjectStage,
    ProjectState,
    Stage,
)
from models.guarantee.termination import Termination
from workflows.approval import approval
from workflows.base.context import Ctx
from workflows.base.transition import Step, move, steps

# After a new resolution, or where a paper was drawn up anew, work goes on at the first of these that has any left.
_WORK = (
    Stage.FEE_PLAN,
    Stage.FEE_BOOK,
    Stage.CONTRACT,
    Stage.COUNTER,
    Stage.FEE_COLLECT,
    Stage.NOTICE,
)
# The only moves between stages. Whatever is not here is refused, whoever asks; which of them a project takes where its
# product has no 意向函 or no 反担保 is said by the project itself.
NEXT: dict[Stage, tuple[Stage, ...]] = {
    Stage.APPLY: (Stage.EVALUATE,),
    Stage.EVALUATE: (Stage.INTENT, Stage.REVIEW),
    Stage.INTENT: (Stage.REVIEW,),
    Stage.REVIEW: (Stage.RISK,),
    Stage.RISK: (Stage.RESOLVE,),
    Stage.RESOLVE: _WORK,
    Stage.FEE_PLAN: (Stage.FEE_BOOK, Stage.RESOLVE),
    Stage.FEE_BOOK: (*_WORK[2:], Stage.FEE_PLAN, Stage.RESOLVE),
    Stage.CONTRACT: (*_WORK[3:], Stage.RESOLVE),
    Stage.COUNTER: (Stage.FEE_COLLECT, Stage.CONTRACT, Stage.RESOLVE),
    Stage.FEE_COLLECT: (Stage.NOTICE, Stage.CONTRACT, Stage.COUNTER, Stage.RESOLVE),
    Stage.NOTICE: (Stage.CONFIRM, Stage.CONTRACT, Stage.COUNTER, Stage.RESOLVE),
    Stage.CONFIRM: (Stage.IN_FORCE, Stage.CONTRACT, Stage.COUNTER, Stage.RESOLVE),
    Stage.IN_FORCE: (Stage.RELEASE,),
    Stage.RELEASE: (),
}
LINE = {
    at: Step(
        "project",
        f"leave_{at.name.lower()}",
        f"{at.label}办结",
        column="stage",
        sources=(at,),
        targets=following,
        follows=True,
    )
    for at, following in NEXT.items()
    if following
}
steps(*LINE.values())
REFUSE = steps(
    Step(
        "project",
        "stop",
        "否决",
        column="state",
        sources=(ProjectState.RUNNING,),
        targets=(ProjectState.REFUSED,),
        follows=True,
    ),
)["stop"]

End = Callable[[Ctx, Project, str], None]
# What else ends with a project, and what a refused one lets go of: later wings put themselves here.
_ENDS: list[End] = []
_REFUSALS: list[End] = []


def on_end(handler: End) -> End:
    """Register what ends with a project, told why it ended."""
    _ENDS.append(handler)
    return handler


def ended(ctx: Ctx, project: Project, why: str) -> None:
    """A project was released or terminated: what hangs on it ends too."""
    for handler in _ENDS:
        handler(ctx, project, why)


def on_refusal(handler: End) -> End:
    """Register what a project that is refused lets go of, told why; it may be reconsidered."""
    _REFUSALS.append(handler)
    return handler


def open_first(ctx: Ctx, project: Project) -> None:
    """Start the line of a new project and note who holds it."""
    project.stage_since = ctx.today
    ctx.session.add(ProjectStage(project=project, stage=project.stage, entered_on=ctx.today))
    hold(ctx, project, "A角", project.manager_id)
    hold(ctx, project, "B角", project.assistant_id)


def advance(
    ctx: Ctx, project: Project, target: Stage, outcome: str = "完成", *, by: int | None = None
) -> None:
    """Move the project to its next stage; `by` is who finished the stage (the actor unless given).

    Raises IllegalTransition where the line knows no such move.
    """
    if target not in NEXT[project.stage]:
        raise IllegalTransition(f"“{project.stage.label}”之后不能进入“{target.label}”")
    leave(ctx, project, outcome, by=by)
    move(LINE[project.stage], project, target)
    begin(ctx, project)


def begin(ctx: Ctx, project: Project) -> None:
    """Note that the project's stage begins: `advance` does, and a refusal that is reconsidered."""
    project.stage_since = ctx.today
    ctx.session.add(ProjectStage(project_id=project.id, stage=project.stage, entered_on=ctx.today))


def leave(ctx: Ctx, project: Project, outcome: str, *, by: int | None = None) -> None:
    """Close the present stage's line in the history."""
    now = ctx.session.scalars(
        select(ProjectStage).where(
            ProjectStage.project_id == project.id, ProjectStage.left_on.is_(None)
        )
    ).one()
    now.left_on = max(ctx.today, now.entered_on)
    now.done_by_id = by if by is not None else ctx.actor.employee_id
    now.outcome = outcome[:60]


def stop(
    ctx: Ctx,
    project: Project,
    state: ProjectState,
    outcome: str,
    *,
    by: int | None = None,
    step: Step = REFUSE,
) -> None:
    """End a project that will not be guaranteed; whatever was reserved for it is free again."""
    leave(ctx, project, outcome, by=by)
    move(step, project, state)
    project.reserved_amount = type(project.amount)(0)
    for handler in _REFUSALS:
        handler(ctx, project, outcome)


def locked(ctx: Ctx, project_id: int) -> Project:
    """The project as it is now, its row held until the commit: of two at once who add a paper the second sees it."""
    query = select(Project).where(Project.id == project_id).with_for_update(of=Project)
    with ctx.session.no_autoflush:
        return ctx.session.scalars(query.execution_options(populate_existing=True)).one()


def require(project: Project, stage: Stage, verb: str) -> None:
    """Raise IllegalTransition unless the project is under way and stands at `stage`."""
    if project.state not in UNDER_WAY:
        raise IllegalTransition(f"项目 {project.number} {project.state.label}，不能{verb}")
    if project.stage is not stage:
        raise IllegalTransition(
            f"项目 {project.number} 现处“{project.stage.label}”，到“{stage.label}”时才能{verb}"
        )


def require_before_drawdown(project: Project, first: Stage, verb: str) -> None:
    """Raise IllegalTransition unless the project is under way between a stage and the drawdown."""
    if (
        project.state is not ProjectState.RUNNING
        or not first.rank <= project.stage.rank <= Stage.CONFIRM.rank
    ):
        place = (
            project.stage.label if project.state is ProjectState.RUNNING else project.state.label
        )
        raise IllegalTransition(
            f"项目 {project.number} 现为“{place}”，“{first.label}”之后、放款之前才能{verb}"
        )


def refuse_while_ending(ctx: Ctx, project: Project, verb: str) -> None:
    """Raise Conflict while the end of the project is under approval: no money moves until it is decided."""
    query = select(Termination.number).where(
        Termination.project_id == project.id, Termination.state == PaperState.IN_APPROVAL
    )
    if (number := ctx.session.scalar(query)) is not None:
        raise Conflict(f"项目 {project.number} 的终止办理 {number} 正在审批，不能{verb}")


def refuse_when_ended(project: Project) -> None:
    """Raise Conflict for a project that was ended: what its books held has been given back already."""
    if project.state is ProjectState.CANCELLED:
        raise Conflict(f"项目 {project.number} 已终止，原费用和收款已冲回或退还，不能撤回其复核")


def checked_reason(reason: str, verb: str, most: int = 200) -> str:
    """The reason without blanks at its ends; BusinessError for none or too long a one."""
    if not 0 < len(reason.strip()) <= most:
        raise BusinessError(f"请填写{verb}的原因，不超过 {most} 字", field="reason")
    return reason.strip()


def require_running(project: Project, stage: Stage, verb: str) -> None:
    """`require`, and the application has been submitted."""
    require(project, stage, verb)
    if project.state is ProjectState.DRAFT:
        raise Conflict(f"项目 {project.number} 的申请尚未提交，不能{verb}")


def hold(ctx: Ctx, project: Project, role: str, employee_id: int | None) -> None:
    """Note that somebody holds a role on the project from today."""
    if employee_id is not None:
        ctx.session.add(
            ProjectHolder(project=project, role=role, employee_id=employee_id, since_on=ctx.today)
        )


def title(project: Project, what: str) -> str:
    """How approvals and papers name a project."""
    return f"{what}：{project.customer.name} {project.product.name} {project.number}"


def put_up(
    ctx: Ctx,
    code: str,
    record: Entity,
    project: Project,
    what: str,
    *,
    amount: Decimal,
    applicant_id: int | None = None,
) -> ApprovalInstance:
    """Start the approval of a project's paper: the flow is chosen by the project's product, customer and department."""
    return approval.start(
        ctx,
        code,
        record,
        title=title(project, what),
        amount=amount,
        project=project,
        product_id=project.product_id,
        customer_kind=project.customer.kind.name,
        department_id=project.department_id,
        applicant_id=applicant_id,
    )
