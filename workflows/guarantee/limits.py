"""Limits are asked under one lock that is held to the commit (architecture rule 7, decision 0015).

Bank line, department, single party, group, leverage and 最高额 all count what others reserve, and leverage the whole
company: so there is one lock for all of them, and whoever decides by one decides after all before have committed.
"""

from decimal import Decimal

from sqlalchemy import func, select

from models.base.errors import BusinessError
from models.base.paper import PaperState
from models.guarantee.bank import PartnerBank
from models.guarantee.maximum import MaximumContract
from models.guarantee.project import Project, Stage
from models.guarantee.quota import DepartmentQuota
from models.guarantee.signing import CounterGuarantee
from reports.figures import exposure, gate, maximums, parameters
from reports.figures.line import coverage_pct, shared_of
from workflows.base.context import Ctx

# Two numbers, so that the lock is none of the files' (one number each); they mean nothing beyond being ours.
_LOCK = (6814, 1)
_GRANTED = (PartnerBank, DepartmentQuota)


def hold(ctx: Ctx) -> None:
    """Let nobody else decide by limits until the commit, and forget what of them was read before.

    Taken before any row of a project, a number or the books (the order of locks: decision 0015). SQLite has one
    writer at a time: a transaction that has read before another one's commit cannot write any more.
    """
    session = ctx.session
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(*_LOCK)))
    parameters.forget(session)
    kept = [one for one in session.identity_map.values() if isinstance(one, _GRANTED)]
    for one in kept:
        session.expire(one)


def checks(ctx: Ctx, project: Project, amount: Decimal | None = None) -> list[exposure.Check]:
    """Every limit before and after the project as it holds until the commit."""
    hold(ctx)
    return exposure.checks(ctx.session, project, ctx.today, amount=amount)


def standing(ctx: Ctx, project: Project) -> gate.Standing:
    """The project's resolution and limits, for a verb that decides by the gate."""
    hold(ctx)
    return gate.standing(ctx.session, project, ctx.today)


def uses(ctx: Ctx, maximum: MaximumContract) -> list[maximums.Use]:
    """What the projects under a 最高额合同 take of it, as it holds until the commit."""
    hold(ctx)
    ctx.session.refresh(maximum)
    return maximums.uses_of(ctx.session, maximum)


def short_of_cover(ctx: Ctx, maximum: MaximumContract, added: Project) -> list[str]:
    """Who was covered by a shared security and is not any more, one project having its part of it; in words."""
    short = []
    for use in uses(ctx, maximum):
        project = ctx.session.get_one(Project, use.project_id)
        if project is added or not use.claim or project.stage.rank <= Stage.COUNTER.rank:
            continue
        query = select(CounterGuarantee).where(
            CounterGuarantee.project_id == project.id,
            CounterGuarantee.state == PaperState.APPROVED,
        )
        items = list(ctx.session.scalars(query))
        covered = coverage_pct(ctx.session, project, items, use.claim)
        least = project.product.coverage_min_pct
        if covered < least:
            short.append(
                f"{project.number} 的覆盖率将为 {covered.normalize():f}%，低于 {least.normalize():f}%"
            )
    return short


def refuse_uncovered(ctx: Ctx, project: Project) -> None:
    """Raise BusinessError where what a project has reserved leaves others without cover of what they share with it."""
    under = maximums.of_project(ctx.session, project.id)
    if short := [why for one in shared_of(under) for why in short_of_cover(ctx, one, project)]:
        raise BusinessError("共用反担保不足：" + "；".join(short))


def refuse_breach(ctx: Ctx, project: Project, amount: Decimal) -> None:
    """Raise BusinessError with every limit that the amount would break."""
    if over := [check.text for check in checks(ctx, project, amount) if check.is_over]:
        raise BusinessError("超过限额：" + "；".join(over))
