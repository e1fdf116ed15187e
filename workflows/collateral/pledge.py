"""设押 (7.1, 7.4): an asset behind a counter-guarantee, taken under the lock on limits (decision 0015).

Value x rate of an asset, less what others have before us, is never used twice, whoever asks at the same moment.
"""

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition
from models.base.money import format_money
from models.base.paper import PaperState
from models.collateral.asset import Collateral, CollateralOwner
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import ENDED, Project
from models.guarantee.release import Release
from models.guarantee.signing import CounterGuarantee, CounterKind
from reports.figures import collateral
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import enter, verbs
from workflows.guarantee import counters, limits, renewal, stages
from workflows.guarantee import release as releasing

WHO = ("客户经理", "业务部门经理", "押品专员")
ACTS = verbs("counter_guarantee", {"link": "关联押品", "unlink": "取消关联"}, roles=WHO)
PLEDGE = verbs("collateral", {"pledge": "用于反担保"}, roles=("客户经理", "业务部门经理"))["pledge"]
HUNDRED = Decimal(100)


@records.rule(CounterGuarantee)
def follow_asset(ctx: Ctx, item: CounterGuarantee, is_new: bool) -> None:
    """What stands on an asset is worth what is taken of that asset, whatever a form says."""
    pledge = None if is_new else of(ctx, item)
    if pledge is None:
        return
    if not item.kind.needs_value:
        raise FieldErrors({"kind": [f"已关联押品“{pledge.collateral}”，方式只能是抵押或质押"]})
    _take_over(item, pledge)


def of(ctx: Ctx, item: CounterGuarantee) -> CollateralPledge | None:
    """The standing pledge behind a counter-guarantee."""
    query = select(CollateralPledge).where(
        CollateralPledge.counter_guarantee_id == item.id, CollateralPledge.released_on.is_(None)
    )
    return ctx.session.scalars(query).one_or_none()


def is_open(item: CounterGuarantee) -> bool:
    """Whether an asset may be put behind it: a mortgage or pledge that is a draft or approved, and not released."""
    is_live = item.state in (PaperState.DRAFT, PaperState.APPROVED) and item.released_on is None
    return is_live and item.kind.needs_value and item.project.state not in ENDED


def is_draft(item: CounterGuarantee) -> bool:
    """Whether its asset may be taken from it again."""
    return item.state is PaperState.DRAFT


def _take_over(item: CounterGuarantee, pledge: CollateralPledge) -> None:
    asset = pledge.collateral
    item.asset_kind, item.appraised_value = asset.type.code, asset.value
    item.rate_pct, item.recognised_value = asset.rate_pct, pledge.amount


def held(ctx: Ctx, asset_id: int) -> Collateral:
    """The asset as it is now, with nobody else pledging anything until the commit."""
    limits.hold(ctx)
    query = select(Collateral).where(Collateral.id == asset_id)
    return ctx.session.scalars(query.execution_options(populate_existing=True)).one()


def link(
    ctx: Ctx,
    item: CounterGuarantee,
    asset: Collateral,
    amount: Decimal | None = None,
    rank: int | None = None,
    version: int | None = None,
) -> CollateralPledge:
    """Put an asset behind a counter-guarantee: a draft takes value and rate from it, an approved one its own worth.

    Without an amount a draft takes all that is left. Raises BusinessError naming what is wrong with the asset,
    FieldErrors where it is not enough.
    """
    asset = held(ctx, asset.id)
    enter(ctx, ACTS["link"], item, version)
    _require_open(ctx, item)
    if missing := obstacles(ctx, asset):
        raise BusinessError(f"押品“{asset}”还不能设押：" + "；".join(missing))
    if item.state is PaperState.APPROVED:
        if amount not in (None, item.recognised_value):
            said = format_money(item.recognised_value or Decimal(0))
            raise FieldErrors({"amount": [f"反担保已审核，占用价值只能是其认定值 {said} 元"]})
        amount = item.recognised_value
    pledge = take(ctx, item, asset, amount, rank)
    if item.state is PaperState.DRAFT:
        _take_over(item, pledge)
    ctx.session.flush()
    return pledge


def take(
    ctx: Ctx, item: CounterGuarantee, asset: Collateral, amount: Decimal | None, rank: int | None
) -> CollateralPledge:
    """Take a part of an asset that the caller holds; FieldErrors where others need it.

    What the project that a renewal takes the place of holds is free for it: both count once until the release.
    """
    found = collateral.claims(ctx.session, [asset.id])[asset.id]
    taken = {one.rank for one in found}
    rank = rank or max(taken, default=0) + 1
    if rank in taken:
        raise FieldErrors({"rank": [f"第 {rank} 顺位已有登记，可用第 {max(taken) + 1} 顺位"]})
    renewed = collateral.to_take_over(found, item.project)
    left = collateral.room(asset, found, rank).left + renewed
    amount = left if amount is None else amount
    if amount <= 0 or amount > left:
        raise FieldErrors({"amount": [_why_short(asset, found, rank, renewed)]})
    pledge = CollateralPledge(
        collateral=asset,
        counter_guarantee=item,
        project_id=item.project_id,
        rank=rank,
        amount=amount,
        pledged_on=ctx.today,
    )
    ctx.session.add(pledge)
    return pledge


def _why_short(
    asset: Collateral, found: list[collateral.Claim], rank: int, renewed: Decimal
) -> str:
    room = collateral.room(asset, found, rank)
    rate = f"{asset.rate_pct.normalize():f}%"
    return (
        f"评估价值 × {rate} = {format_money(room.lendable)} 元，在先债权 {format_money(room.prior)} 元，"
        f"本公司已占用 {format_money(room.ours)} 元，"
        + (f"其中原项目占用、可接续 {format_money(renewed)} 元，" if renewed else "")
        + f"最多还能占用 {format_money(max(room.left + renewed, Decimal(0)))} 元"
    )


def _require_open(ctx: Ctx, item: CounterGuarantee) -> None:
    project = item.project
    if not item.kind.needs_value:
        raise IllegalTransition(
            f"反担保“{item}”的方式是{item.kind.label}，只有抵押、质押能关联押品"
        )
    if item.state not in (PaperState.DRAFT, PaperState.APPROVED) or item.released_on is not None:
        word = "已解除" if item.released_on is not None else item.state.label
        raise IllegalTransition(f"反担保“{item}”{word}，不能关联押品")
    if project.state in ENDED:
        raise IllegalTransition(f"项目 {project.number} {project.state.label}，不能关联押品")
    if (other := of(ctx, item)) is not None:
        raise Conflict(f"反担保“{item}”已关联押品“{other.collateral}”")


Obstacles = Callable[[Ctx, Collateral], list[str]]
# Why else an asset may not be pledged: later files put themselves here.
_OBSTACLES: list[Obstacles] = []


def on_obstacles(hook: Obstacles) -> Obstacles:
    """Register what else keeps an asset from being pledged, each in words."""
    _OBSTACLES.append(hook)
    return hook


def obstacles(ctx: Ctx, asset: Collateral) -> list[str]:
    """Why an asset may not be pledged now, each in words."""
    found = [words for hook in _OBSTACLES for words in hook(ctx, asset)]
    if asset.seizure:
        found.append(f"有查封或涉诉情况（{asset.seizure}）")
    if asset.value is None:
        found.append("没有估值")
    elif asset.next_value_on is not None and asset.next_value_on < ctx.today:
        found.append(f"估值已过周期，应于 {asset.next_value_on} 前重估")
    query = select(CollateralOwner).where(CollateralOwner.collateral_id == asset.id)
    owners = ctx.session.scalars(query.order_by(CollateralOwner.id)).all()
    total = sum((owner.share_pct for owner in owners), Decimal(0))
    if total != HUNDRED:
        found.append(f"权属份额合计 {total.normalize():f}%，应为 100%")
    if len(owners) > 1 and (open_ := [one.name for one in owners if one.agreed_on is None]):
        found.append(f"共有人 {'、'.join(open_)} 尚未同意抵押")
    return found


def unlink(
    ctx: Ctx, item: CounterGuarantee, reason: str, version: int | None = None
) -> CollateralPledge:
    """Take the asset from a draft again; its part is free at once."""
    limits.hold(ctx)
    enter(ctx, ACTS["unlink"], item, version)
    pledge = of(ctx, item)
    if pledge is None:
        raise Conflict(f"反担保“{item}”没有关联押品")
    if item.state is not PaperState.DRAFT:
        raise IllegalTransition(f"反担保“{item}”{item.state.label}，草稿时才能取消关联")
    release(ctx, pledge, reason)
    item.recognised_value = None
    ctx.session.flush()
    return pledge


def release(ctx: Ctx, pledge: CollateralPledge, reason: str) -> None:
    """Set an asset free of a project, with the reason that stays to be read."""
    if not 0 < len(reason.strip()) <= 200:
        raise BusinessError("请填写原因，不超过 200 字", field="reason")
    pledge.released_on, pledge.released_reason = ctx.today, reason.strip()


@renewal.on_taken
def follow_former(ctx: Ctx, former: CounterGuarantee, item: CounterGuarantee) -> None:
    """带入原项目反担保: the asset of the former project stands behind the renewal too, for no more than it does there.

    At the release of the former project it so is never free for others, and its originals stay in the vault.
    """
    if (pledge := of(ctx, former)) is None:
        return
    asset = held(ctx, pledge.collateral_id)
    if missing := obstacles(ctx, asset):
        raise BusinessError(f"原项目的押品“{asset}”还不能设押：" + "；".join(missing))
    found = collateral.claims(ctx.session, [asset.id])[asset.id]
    rank = max(one.rank for one in found) + 1
    renewed = collateral.to_take_over(found, item.project)
    amount = min(pledge.amount, collateral.room(asset, found, rank).left + renewed)
    if amount <= 0:
        raise BusinessError(f"原项目的押品“{asset}”的价值已被占用，不能带入")
    _take_over(item, take(ctx, item, asset, amount, rank))
    ctx.session.flush()


@counters.on_gone
def free_of_item(ctx: Ctx, item: CounterGuarantee, why: str) -> None:
    """A counter-guarantee that is refused or given up holds its asset no longer."""
    if (pledge := of(ctx, item)) is not None:
        release(ctx, pledge, why)


@stages.on_refusal
@stages.on_end
def free_of_project(ctx: Ctx, project: Project, why: str) -> None:
    """A project that has ended or was refused holds nothing; one that is reconsidered takes what is free then."""
    query = select(CollateralPledge).where(
        CollateralPledge.project_id == project.id, CollateralPledge.released_on.is_(None)
    )
    for pledge in ctx.session.scalars(query.order_by(CollateralPledge.id)):
        release(ctx, pledge, why[:200])


@releasing.PAPER.approved
def free_of_release(ctx: Ctx, paper: Release) -> None:
    """解保: the assets are free from the day of its approval, as the counter-guarantees are."""
    free_of_project(ctx, paper.project, f"解保 {paper.number}")


def pledge_to(
    ctx: Ctx,
    asset: Collateral,
    project: Project,
    kind: CounterKind,
    *,
    amount: Decimal | None = None,
    rank: int | None = None,
    version: int | None = None,
) -> CollateralPledge:
    """Register the asset as a counter-guarantee of a project and put it behind that, in one go."""
    asset = held(ctx, asset.id)
    enter(ctx, PLEDGE, asset, version)
    if not kind.needs_value:
        raise FieldErrors({"kind": ["方式只能是抵押或质押"]})
    if missing := obstacles(ctx, asset):
        raise BusinessError(f"押品“{asset}”还不能设押：" + "；".join(missing))
    values = {
        "project_id": project.id,
        "kind": kind,
        "asset_kind": asset.type.code,
        "name": asset.name[:120],
        "appraised_value": asset.value,
        "rate_pct": asset.rate_pct,
    }
    item = records.create(ctx, CounterGuarantee, values)
    return link(ctx, item, asset, amount, rank)
