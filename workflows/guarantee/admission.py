"""4.7 准入: the rules are asked at the application and before the bank is told to pay; exceptions are approved."""

from sqlalchemy import select

from models.base.errors import BusinessError, Conflict
from models.base.paper import OPEN_PAPERS
from models.guarantee.admission import (
    AdmissionAnswer,
    AdmissionException,
    Failing,
    Occasion,
    Outcome,
)
from models.guarantee.project import UNDER_WAY, Project
from reports.figures.admission import Answer, answers
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import stages
from workflows.guarantee.paper import Paper, project_amount

PAPER = Paper(
    AdmissionException,
    "提交准入例外审批",
    number="admission_exception",
    approval_type="admission_exception",
    what="准入例外",
    amount=project_amount,
    lapses_from=OPEN_PAPERS,
    roles=("客户经理", "业务部门经理"),
)


def excusable(ctx: Ctx, project: Project, known: list[Answer] | None = None) -> list[Answer]:
    """The rules that a project does not meet and may be excused from."""
    return [
        one
        for one in (answers(ctx.session, project, ctx.today) if known is None else known)
        if one.outcome is Outcome.UNMET and one.rule.failing is Failing.EXCEPTION
    ]


def may_ask(ctx: Ctx, project: Project, known: list[Answer] | None = None) -> bool:
    """Whether an exception can be asked for now: nothing is paid out, none is open, and there is what to excuse."""
    if project.state not in UNDER_WAY or not excusable(ctx, project, known):
        return False
    query = select(AdmissionException.id).where(
        AdmissionException.project_id == project.id, AdmissionException.state.in_(OPEN_PAPERS)
    )
    return ctx.session.scalar(query.limit(1)) is None


@PAPER.check
def check_exception(ctx: Ctx, paper: AdmissionException, is_new: bool) -> None:
    """One at a time, of a project before its drawdown; what it excuses is what fails when it is saved and put up."""
    del is_new
    project = stages.locked(ctx, paper.project_id)
    if project.state not in UNDER_WAY:
        raise Conflict(f"项目 {project.number} 现为“{project.state.label}”，不能申请准入例外")
    query = select(AdmissionException.number).where(
        AdmissionException.project_id == project.id,
        AdmissionException.state.in_(OPEN_PAPERS),
        AdmissionException.id != (paper.id or 0),
    )
    if number := ctx.session.scalar(query.limit(1)):
        raise Conflict(f"项目 {project.number} 已有准入例外申请 {number}")
    failing = excusable(ctx, project)
    paper.items = "\n".join(f"{one.rule.name}：{one.reason}" for one in failing) or None
    paper.covers = {str(one.rule.id): [one.rule.condition, one.reason] for one in failing}


@PAPER.obstacles
def obstacles(ctx: Ctx, paper: AdmissionException) -> list[str]:
    """There must be something to excuse."""
    found = excusable(ctx, paper.project)
    return [] if found else ["没有可例外审批而不符合的准入规则"]


def ask(ctx: Ctx, project: Project, reason: str, version: int | None = None) -> AdmissionException:
    """Draw an exception up and put it up for approval, all or nothing."""
    records.check_version(ctx, project, version)
    paper = records.create(ctx, AdmissionException, {"project_id": project.id, "reason": reason})
    PAPER.submit(ctx, paper, paper.version)
    return paper


def note(ctx: Ctx, project: Project, occasion: Occasion) -> list[AdmissionAnswer]:
    """Keep what each rule came to on this occasion. Raises BusinessError where one is not met."""
    found = answers(ctx.session, project, ctx.today)
    if missing := [f"{one.rule.name}（{one.told}）" for one in found if not one.is_met]:
        raise BusinessError("不符合准入规则：" + "；".join(missing))
    made = [
        AdmissionAnswer(
            project_id=project.id,
            occasion=occasion,
            answered_on=ctx.today,
            name=one.rule.name,
            condition=one.rule.condition,
            outcome=one.outcome,
            reason=one.told,
            exception_id=one.exception.id if one.exception else None,
        )
        for one in found
    ]
    ctx.session.add_all(made)
    return made
