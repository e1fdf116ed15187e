"""押品监管 (7.2): the day-end plans visits to what stands behind projects in force; keepers report with photos."""

from datetime import date, timedelta

from sqlalchemy import func, select

from models.base.errors import BusinessError, FieldErrors
from models.collateral.asset import Collateral
from models.collateral.kind import CollateralType
from models.collateral.pledge import CollateralPledge
from models.collateral.watch import AssetCondition, CollateralWatch, WatchState
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import CounterGuarantee
from reports.figures import collateral
from reports.figures.parameters import whole
from workflows.base import attachments
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps

STEPS = steps(
    Step(
        "collateral_watch",
        "report",
        "提交监管报告",
        column="state",
        sources=(WatchState.PLANNED,),
        targets=(WatchState.DONE,),
        roles=("押品专员", "客户经理", "业务部门经理"),
    ),
    Step(
        "collateral_watch",
        "lapse",
        "不再监管",
        column="state",
        sources=(WatchState.PLANNED,),
        targets=(WatchState.LAPSED,),
        follows=True,
    ),
)
LEAD = "collateral.watch_lead_days"


def plan(ctx: Ctx) -> int:
    """Visits that come due within the lead, one an asset; those of assets set free fall away. How many are new."""
    standing = _standing(ctx)
    open_ = select(CollateralWatch).where(CollateralWatch.state == WatchState.PLANNED)
    planned = {}
    for watch in ctx.session.scalars(open_.order_by(CollateralWatch.id)).all():
        if watch.collateral_id in standing:
            planned[watch.collateral_id] = watch
        else:
            move(STEPS["lapse"], watch)
    until, made = ctx.today + timedelta(days=whole(ctx.session, LEAD, ctx.today)), 0
    last = _last_visits(ctx)
    for asset, manager_id, since, days in standing.values():
        due_on = max(last.get(asset.id, since), since) + timedelta(days=days)
        if asset.id in planned or due_on > until:
            continue
        due_on = max(due_on, ctx.today)  # what nobody was asked for is not late
        keeper = asset.keeper_id or manager_id
        ctx.session.add(
            CollateralWatch(
                collateral=asset, due_on=due_on, keeper_id=keeper, state=WatchState.PLANNED
            )
        )
        made += 1
    ctx.session.flush()
    return made


def _standing(ctx: Ctx) -> dict[int, tuple[Collateral, int | None, date, int]]:
    """Assets behind projects in force whose kind is watched: who answers, since when, every how many days."""
    query = (
        select(
            Collateral,
            func.min(Project.manager_id),
            func.min(Project.start_on),
            CollateralType.watch_days,
        )
        .join(CollateralPledge, CollateralPledge.collateral_id == Collateral.id)
        .join(CounterGuarantee, CounterGuarantee.id == CollateralPledge.counter_guarantee_id)
        .join(Project, Project.id == CollateralPledge.project_id)
        .join(CollateralType, CollateralType.id == Collateral.type_id)
        .where(
            collateral.live(),
            Project.state == ProjectState.IN_FORCE,
            CollateralType.watch_days.is_not(None),
        )
        .group_by(Collateral.id, CollateralType.watch_days)
        .order_by(Collateral.id)
    )
    return {
        asset.id: (asset, manager_id, since, days)
        for asset, manager_id, since, days in ctx.session.execute(query)
        if since is not None and days is not None
    }


def _last_visits(ctx: Ctx) -> dict[int, date]:
    query = (
        select(CollateralWatch.collateral_id, func.max(CollateralWatch.visited_on))
        .where(CollateralWatch.state == WatchState.DONE)
        .group_by(CollateralWatch.collateral_id)
    )
    return {key: on for key, on in ctx.session.execute(query) if on is not None}


def why_not(ctx: Ctx, watch: CollateralWatch) -> str:
    """A report shows what was seen."""
    is_seen = attachments.attachments_of(ctx.session, watch)
    return "" if is_seen else "请上传现场照片"


def report(
    ctx: Ctx,
    watch: CollateralWatch,
    condition: AssetCondition,
    findings: str,
    on: date,
    version: int | None = None,
) -> CollateralWatch:
    """Say what was found at a visit. Raises BusinessError without a photo."""
    enter(ctx, STEPS["report"], watch, version)
    if why := why_not(ctx, watch):
        raise BusinessError(why)
    if on > ctx.today:
        raise FieldErrors({"on": ["监管日期不能晚于营业日期"]})
    watch.visited_on, watch.condition, watch.findings = on, condition, findings
    watch.visited_by_id = ctx.actor.employee_id
    move(STEPS["report"], watch)
    ctx.session.flush()
    return watch
