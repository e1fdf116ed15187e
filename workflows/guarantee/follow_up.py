"""4.11 放款后条件: said with whoever is responsible and a day, met with evidence."""

from sqlalchemy import select

from models.base.errors import Conflict, FieldErrors
from models.guarantee.follow_up import FollowUp, FollowUpState
from models.guarantee.project import UNDER_WAY, Project, ProjectState
from reports.base.scope import readers_among
from reports.figures.rights import who_may
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import stages

STEPS = steps(
    Step(
        "follow_up",
        "meet",
        "登记落实",
        column="state",
        sources=(FollowUpState.PENDING,),
        targets=(FollowUpState.DONE,),
        roles=("客户经理", "业务部门经理", "风控专员", "押品专员"),
    ),
    Step(
        "follow_up",
        "lapse",
        "随项目结束",
        column="state",
        sources=(FollowUpState.PENDING,),
        targets=(FollowUpState.LAPSED,),
        follows=True,
    ),
)


@records.rule(FollowUp)
def check_follow_up(ctx: Ctx, item: FollowUp, is_new: bool) -> None:
    """A condition of a project that goes on, for somebody who can say that it is met."""
    project = ctx.session.get_one(Project, item.project_id)
    if project.state not in (*UNDER_WAY, ProjectState.IN_FORCE):
        raise Conflict(f"项目 {project.number} {project.state.label}，不能登记放款后条件")
    if is_new and item.due_on < ctx.today:
        raise FieldErrors({"due_on": ["落实期限不能早于营业日期"]})
    able = [one.actor for one in who_may(ctx.session, "meet", "follow_up")]
    if item.owner_id not in readers_among(ctx.session, able, Project, project.id):
        raise FieldErrors({"owner_id": ["该员工不能查看本项目或没有登记落实的权限"]})


def meet(ctx: Ctx, item: FollowUp, evidence: str, version: int | None = None) -> FollowUp:
    """Say on what evidence the condition is met."""
    enter(ctx, STEPS["meet"], item, version)
    item.evidence, item.done_on = evidence, ctx.today
    move(STEPS["meet"], item)
    ctx.session.flush()
    return item


@stages.on_end
def lapse(ctx: Ctx, project: Project, reason: str) -> None:
    """What was open of a project that has ended binds nobody."""
    del reason
    query = select(FollowUp).where(
        FollowUp.project_id == project.id, FollowUp.state == FollowUpState.PENDING
    )
    for item in ctx.session.scalars(query):
        move(STEPS["lapse"], item)
