"""押品处置 (7.4): sold for no less than was approved; the price goes down the order and every pledge ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import format_money, round_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.collateral.asset import Collateral, PriorClaim
from models.collateral.change import PledgeChange
from models.collateral.disposal import (
    CollateralDisposal,
    DisposalCause,
    DisposalRound,
    DisposalShare,
)
from models.collateral.pledge import CollateralPledge
from models.collateral.registration import PledgeRegistration, RegistrationState
from models.guarantee.project import UNDER_WAY, Project, ProjectState
from models.guarantee.signing import CounterGuarantee
from reports.figures import collateral
from reports.figures.parameters import number
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, verbs
from workflows.collateral import custody
from workflows.collateral import pledge as pledging
from workflows.guarantee import limits, stages
from workflows.guarantee.paper import Paper

ZERO, HUNDRED = Decimal(0), Decimal(100)
LEAST = "collateral.disposal_min_pct"
KEEPER = "押品专员"
PAPER = Paper(
    CollateralDisposal,
    "提交押品处置审批",
    number="collateral_disposal",
    approval_type="collateral.disposal",
    what="押品处置",
    amount=lambda paper: paper.reserve_price,
    lapses_from=OPEN_PAPERS,
    roles=("客户经理", "业务部门经理", KEEPER),
    more_steps=(
        Step(
            "collateral_disposal",
            "drop",
            "终止处置",
            column="state",
            sources=(PaperState.APPROVED,),
            targets=(PaperState.VOID,),
            roles=(KEEPER,),
        ),
    ),
)
ACTS = verbs("collateral_disposal", {"pass_over": "登记流拍", "sell": "登记成交"}, roles=(KEEPER,))


@PAPER.check
def check_disposal(ctx: Ctx, paper: CollateralDisposal, is_new: bool) -> None:
    """It is about an asset that stands behind the project, which is no application any more."""
    del is_new
    if paper.project.state in UNDER_WAY:
        said = f"项目 {paper.project.number} 尚未放款，请在“反担保”中取消关联或撤销"
        raise FieldErrors({"project_id": [said]})
    if paper.project_id not in {one.project_id for one in standing(ctx, paper)}:
        raise FieldErrors({"collateral_id": ["请选择为本项目设押的押品"]})


def standing(ctx: Ctx, paper: CollateralDisposal) -> list[CollateralPledge]:
    """Our pledges that the sale would end."""
    return collateral.pledges(ctx.session, [paper.collateral_id])


def open_of(ctx: Ctx, asset_id: int, but: int = 0) -> str | None:
    """The number of a disposal of the asset that is in approval or approved and not sold."""
    query = select(CollateralDisposal.number).where(
        CollateralDisposal.collateral_id == asset_id,
        CollateralDisposal.id != but,
        CollateralDisposal.state.in_((PaperState.IN_APPROVAL, PaperState.APPROVED)),
        CollateralDisposal.sold_on.is_(None),
    )
    return ctx.session.scalar(query.limit(1))


@pledging.on_obstacles
def under_sale(ctx: Ctx, asset: Collateral) -> list[str]:
    """What is sold, or is being sold, is pledged to nobody."""
    if asset.disposed_on is not None:
        return [f"已于 {asset.disposed_on} 处置"]
    number_ = open_of(ctx, asset.id)
    return [] if number_ is None else [f"正在处置（{number_}）"]


@PAPER.obstacles
def obstacles(ctx: Ctx, paper: CollateralDisposal) -> list[str]:
    """A present value that the price is measured by, nothing else under way, and cover for those who stay in force."""
    asset, found = paper.collateral, []
    if (other := open_of(ctx, asset.id, paper.id)) is not None:
        found.append(f"押品处置 {other} 尚未办结")
    if asset.value is None or (asset.next_value_on is not None and asset.next_value_on < ctx.today):
        found.append("没有有效的估值，请先评估")
    else:
        least = round_money(asset.value * number(ctx.session, LEAST, ctx.today) / HUNDRED)
        if paper.reserve_price < least:
            found.append(f"处置底价低于评估价值的规定比例，至少 {format_money(least)} 元")
    pledges = standing(ctx, paper)
    found += _early(pledges)
    changing = select(PledgeChange.number).where(
        PledgeChange.pledge_id.in_([one.id for one in pledges]),
        PledgeChange.state == PaperState.IN_APPROVAL,
    )
    found += [f"押品变更 {one} 正在审批" for one in ctx.session.scalars(changing)]
    return found + [
        one.words for one in effects(ctx, paper) if one.is_short and _counts(paper, one)
    ]


def _early(pledges: Iterable[CollateralPledge]) -> list[str]:
    """An application that counts on the asset finds another before it is sold."""
    numbers = [one.project.number for one in pledges if one.project.state in UNDER_WAY]
    if not numbers:
        return []
    return [f"押品还用于尚未放款的项目 {'、'.join(numbers)}，请先取消关联或撤销其“反担保”"]


def _counts(paper: CollateralDisposal, effect: "Effect") -> bool:
    """After a compensation the sale goes on whatever its own project lacks: that is what it is for."""
    is_own = effect.project.id == paper.project_id
    return paper.cause is DisposalCause.REPAY or not is_own


@dataclass(frozen=True)
class Part:
    """What one who claims an asset gets of its price, in 元; the owner's part has no claim of its own."""

    payee: str
    claim: Decimal
    amount: Decimal
    project: Project | None = None


def distribution(ctx: Ctx, paper: CollateralDisposal, price: Decimal, costs: Decimal) -> list[Part]:
    """The price down the order: costs, claims by rank, and what is left for the owners."""
    found = [Part("处置费用", costs, min(costs, price))]
    left = price - found[0].amount
    for one in collateral.claims(ctx.session, [paper.collateral_id])[paper.collateral_id]:
        if one.pledge is None:
            part = Part(one.payee, one.amount, min(one.amount, left))
        else:
            claim = _claim(ctx, one.pledge)
            project = one.pledge.project
            part = Part(f"本公司 · {project.number}", claim, min(claim, left), project)
        left -= part.amount
        found.append(part)
    return [*found, Part("所有权人", left, left)]


def _claim(ctx: Ctx, pledge: CollateralPledge) -> Decimal:
    """What a project is owed of an asset: as registered, else as taken; no more than it still guarantees."""
    registered = select(PledgeRegistration.amount).where(
        PledgeRegistration.pledge_id == pledge.id,
        PledgeRegistration.state == RegistrationState.VALID,
    )
    most: Decimal = max([pledge.amount, *ctx.session.scalars(registered)])
    balance = pledge.project.balance
    return min(most, balance) if balance else most


@dataclass(frozen=True)
class Effect:
    """A project in force after the sale: what it gets, and the cover of what is still guaranteed then."""

    project: Project
    amount: Decimal
    cover: collateral.Cover

    @property
    def is_short(self) -> bool:
        """Whether what is left of its cover is less than its product asks for."""
        return self.cover.short > 0

    @property
    def words(self) -> str:
        """As an approval says it."""
        cover = self.cover
        said = (
            f"项目 {self.project.number} 按底价分得 {format_money(self.amount)} 元，"
            f"还款后在保 {format_money(cover.owed)} 元，覆盖率 {cover.pct.normalize():f}%"
        )
        if not self.is_short:
            return said
        return f"{said}，低于产品要求的 {cover.least_pct.normalize():f}%，差 {format_money(cover.short)} 元"


def effects(ctx: Ctx, paper: CollateralDisposal) -> list[Effect]:
    """What the sale at the least price makes of the projects in force that stand on the asset."""
    pledges, amounts = standing(ctx, paper), dict[int, Decimal]()
    for part in distribution(ctx, paper, paper.reserve_price, ZERO):
        if part.project is not None:
            amounts[part.project.id] = amounts.get(part.project.id, ZERO) + part.amount
    items: dict[int, list[int]] = {}
    for one in pledges:
        items.setdefault(one.project_id, []).append(one.counter_guarantee_id)
    found = []
    for key, without in items.items():
        project = ctx.session.get_one(Project, key)
        if project.state is ProjectState.IN_FORCE:
            now = collateral.cover(ctx.session, project, without=without)
            owed = max(project.balance - amounts.get(key, ZERO), ZERO)
            after = collateral.Cover(now.worth, owed, now.least_pct)
            found.append(Effect(project, amounts.get(key, ZERO), after))
    return found


@PAPER.submitted
def note_effect(ctx: Ctx, paper: CollateralDisposal) -> None:
    """Whoever decides reads what it does to each project, as it was when he was asked."""
    paper.effect = "；".join(one.words for one in effects(ctx, paper)) or "没有在保项目"


def waits(_: Ctx, paper: CollateralDisposal) -> bool:
    """Whether it is approved and the asset has found no buyer yet."""
    return paper.state is PaperState.APPROVED and paper.sold_on is None


def _require_waits(ctx: Ctx, paper: CollateralDisposal) -> None:
    if not waits(ctx, paper):
        raise Conflict(f"押品处置“{paper}”已办结或未批准")


def _next_round(ctx: Ctx, paper: CollateralDisposal) -> int:
    query = select(DisposalRound.no).where(DisposalRound.disposal_id == paper.id)
    return max(ctx.session.scalars(query), default=0) + 1


def pass_over(
    ctx: Ctx,
    paper: CollateralDisposal,
    asked_price: Decimal,
    on: date,
    note: str,
    version: int | None = None,
) -> DisposalRound:
    """Note a round that found no buyer."""
    enter(ctx, ACTS["pass_over"], paper, version)
    _require_waits(ctx, paper)
    errors = {}
    if asked_price < paper.reserve_price:
        errors["asked_price"] = [f"起拍价不能低于批准的底价 {format_money(paper.reserve_price)} 元"]
    if on > ctx.today:
        errors["on"] = ["日期不能晚于营业日期"]
    if errors:
        raise FieldErrors(errors)
    made = DisposalRound(
        disposal=paper,
        no=_next_round(ctx, paper),
        held_on=on,
        asked_price=asked_price,
        is_sold=False,
        note=note,
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


def sell(
    ctx: Ctx,
    paper: CollateralDisposal,
    *,
    buyer: str,
    price: Decimal,
    costs: Decimal,
    on: date,
    evidence: str,
    version: int | None = None,
) -> CollateralDisposal:
    """The asset is sold: the price is divided, every pledge ends, and its originals are drafted to leave."""
    asset = pledging.held(ctx, paper.collateral_id)
    enter(ctx, ACTS["sell"], paper, version)
    _require_waits(ctx, paper)
    _refuse_sale(ctx, paper, price, costs, on)
    paper.buyer, paper.price, paper.costs = buyer, price, costs
    paper.sold_on, paper.evidence = on, evidence
    ctx.session.add(
        DisposalRound(
            disposal=paper,
            no=_next_round(ctx, paper),
            held_on=on,
            asked_price=price,
            is_sold=True,
            note=f"买受人 {buyer}"[:200],
        )
    )
    _divide(ctx, paper, price, costs)
    _set_free(ctx, paper, asset, on)
    ctx.session.flush()
    return paper


def _refuse_sale(
    ctx: Ctx, paper: CollateralDisposal, price: Decimal, costs: Decimal, on: date
) -> None:
    errors = {}
    if price < paper.reserve_price:
        least = format_money(paper.reserve_price)
        errors["price"] = [f"成交价低于批准的底价 {least} 元，请终止处置后重新报批"]
    if costs > price:
        errors["costs"] = ["处置费用不能超过成交价"]
    if on > ctx.today:
        errors["on"] = ["成交日期不能晚于营业日期"]
    if errors:
        raise FieldErrors(errors)
    pledges = standing(ctx, paper)
    if not pledges:
        raise BusinessError("押品的设押已全部解除，不按处置办理，请终止处置")
    if early := _early(pledges):  # pledged at the very moment in which the sale was put up
        raise BusinessError("；".join(early))


def _divide(ctx: Ctx, paper: CollateralDisposal, price: Decimal, costs: Decimal) -> None:
    for seq, part in enumerate(distribution(ctx, paper, price, costs), 1):
        ctx.session.add(
            DisposalShare(
                disposal=paper,
                seq=seq,
                payee=part.payee[:100],
                project_id=None if part.project is None else part.project.id,
                claim=part.claim,
                amount=part.amount,
            )
        )


def _set_free(ctx: Ctx, paper: CollateralDisposal, asset: Collateral, on: date) -> None:
    asset.disposed_on = on
    others = select(PriorClaim).where(
        PriorClaim.collateral_id == asset.id, PriorClaim.ended_on.is_(None)
    )
    for claim in ctx.session.scalars(others).all():
        claim.ended_on = max(on, claim.registered_on or on)
    freed = standing(ctx, paper)
    for pledge in freed:
        pledging.release(ctx, pledge, f"押品处置 {paper.number} 成交")
        pledge.counter_guarantee.released_on = ctx.today
    ctx.session.flush()
    for project in dict.fromkeys(pledge.project for pledge in freed):
        custody.draft_out(ctx, project, f"押品处置 {paper.number} 成交，移交权证")


def drop(
    ctx: Ctx, paper: CollateralDisposal, reason: str, version: int | None = None
) -> CollateralDisposal:
    """Give up an approved disposal; the asset stays pledged as it was."""
    limits.hold(ctx)
    enter(ctx, PAPER.steps["drop"], paper, version)
    _require_waits(ctx, paper)
    paper.reason = f"{paper.reason}\n终止：{stages.checked_reason(reason, '终止')}"
    move(PAPER.steps["drop"], paper)
    ctx.session.flush()
    return paper


def assets_of(ctx: Ctx, project: Project) -> set[int]:
    """The assets that stand behind a project."""
    query = (
        select(CollateralPledge.collateral_id)
        .join(CounterGuarantee)
        .where(CollateralPledge.project_id == project.id, collateral.live())
    )
    return set(ctx.session.scalars(query))
