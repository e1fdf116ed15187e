"""押品变更 (7.4): partial release and substitution, approved, and only while the cover of the project holds."""

from decimal import Decimal

from sqlalchemy import select

from models.approval.approval import ApprovalState
from models.base.errors import BusinessError, FieldErrors
from models.base.money import format_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.collateral.asset import Collateral
from models.collateral.change import PledgeChange, PledgeChangeKind
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import CounterGuarantee
from reports.figures import collateral
from workflows.base.context import Ctx
from workflows.base.paper import conclude
from workflows.base.transition import move
from workflows.collateral import custody, registration
from workflows.collateral import pledge as pledging
from workflows.guarantee import counters, limits, stages
from workflows.guarantee.paper import Paper

ZERO = Decimal(0)


def _given_up(paper: PledgeChange) -> Decimal:
    """What the project gives up decides who approves it."""
    return paper.pledge.amount - (paper.kept_amount or ZERO)


PAPER = Paper(
    PledgeChange,
    "提交押品变更审批",
    number="pledge_change",
    approval_type="collateral.change",
    what="押品变更",
    amount=_given_up,
    lapses_from=OPEN_PAPERS,
    roles=("客户经理", "业务部门经理", "押品专员"),
)
Kind = PledgeChangeKind


@PAPER.check
def check_change(ctx: Ctx, paper: PledgeChange, is_new: bool) -> None:
    """It concerns a standing pledge of the project in force, and says what its kind needs and nothing else."""
    del is_new
    if errors := _wrong(ctx, paper):
        raise FieldErrors(errors)


def _wrong(ctx: Ctx, paper: PledgeChange) -> dict[str, list[str]]:
    pledge = ctx.session.get_one(CollateralPledge, paper.pledge_id)
    errors: dict[str, list[str]] = {}
    if pledge.project_id != paper.project_id or not registration.stands(pledge):
        errors["pledge_id"] = ["请选择本项目有效的设押记录"]
    if paper.project.state is not ProjectState.IN_FORCE:
        raise BusinessError(f"项目 {paper.project.number} 不在保，不能办理押品变更")
    _check_amounts(ctx, paper, pledge, errors)
    return errors


def _check_amounts(
    ctx: Ctx, paper: PledgeChange, pledge: CollateralPledge, errors: dict[str, list[str]]
) -> None:
    if paper.kind is Kind.REDUCE:
        if paper.kept_amount is None or not 0 < paper.kept_amount < pledge.amount:
            errors["kept_amount"] = [f"应大于 0，小于现占用价值 {format_money(pledge.amount)} 元"]
    elif paper.kept_amount is not None:
        errors["kept_amount"] = ["只有部分解除填写"]
    if paper.kind is Kind.REPLACE:
        _check_new(ctx, paper, pledge, errors)
        return
    for name in ("new_collateral_id", "new_amount"):
        if getattr(paper, name) is not None:
            errors[name] = ["只有置换填写"]


def _check_new(
    ctx: Ctx, paper: PledgeChange, pledge: CollateralPledge, errors: dict[str, list[str]]
) -> None:
    if paper.new_collateral_id is None or paper.new_collateral_id == pledge.collateral_id:
        errors["new_collateral_id"] = ["请选择换入的另一项押品"]
    if not paper.new_amount:
        errors["new_amount"] = ["请填写换入占用价值"]
    if paper.new_collateral_id is not None and not errors:
        asset = ctx.session.get_one(Collateral, paper.new_collateral_id)
        if missing := pledging.obstacles(ctx, asset):
            errors["new_collateral_id"] = ["；".join(missing)]


@PAPER.obstacles
def obstacles(ctx: Ctx, paper: PledgeChange) -> list[str]:
    """The cover after the change is at least what the product asks for, and the new asset is worth what is taken."""
    found = []
    if paper.kind is Kind.REPLACE and paper.new_collateral is not None:
        asset = paper.new_collateral
        left = collateral.room(asset, collateral.claims(ctx.session, [asset.id])[asset.id]).left
        if (paper.new_amount or ZERO) > left:
            found.append(f"押品 {asset.name} 剩余可用 {format_money(max(left, ZERO))} 元")
    after = cover_after(ctx, paper)
    if after.short:
        found.append(
            f"变更后覆盖率 {after.pct.normalize():f}%，低于产品要求的 {after.least_pct.normalize():f}%，"
            f"差 {format_money(after.short)} 元"
        )
    return found


@PAPER.obstacles
def others_open(ctx: Ctx, paper: PledgeChange) -> list[str]:
    """One change of a pledge at a time: the second would rest on what the first takes away."""
    query = select(PledgeChange.number).where(
        PledgeChange.pledge_id == paper.pledge_id,
        PledgeChange.id != paper.id,
        PledgeChange.state == PaperState.IN_APPROVAL,
    )
    numbers = ctx.session.scalars(query.order_by(PledgeChange.id))
    return [f"同一设押的押品变更 {number} 正在审批" for number in numbers]


def cover_after(ctx: Ctx, paper: PledgeChange) -> collateral.Cover:
    """The project's cover as it would be."""
    item = paper.pledge.counter_guarantee
    rest = collateral.cover(ctx.session, paper.project, without=(item.id,))
    now = collateral.worth(ctx.session, [item])[item.id]
    kept = min(now, paper.kept_amount or ZERO)
    new = (paper.new_amount or ZERO) if paper.kind is Kind.REPLACE else ZERO
    return collateral.Cover(rest.worth + kept + new, rest.owed, rest.least_pct)


@PAPER.approved
def apply(ctx: Ctx, paper: PledgeChange) -> None:
    """The change takes effect, unless what it rested on no longer holds."""
    limits.hold(ctx)
    stages.locked(ctx, paper.project_id)
    pledge, item = paper.pledge, paper.pledge.counter_guarantee
    for row in (pledge, item, pledge.collateral, paper.new_collateral):
        if row is not None:
            ctx.session.refresh(row)  # as it is now, not as it was when the paper was written
    wrong = [words for found in _wrong(ctx, paper).values() for words in found]
    if missing := wrong or obstacles(ctx, paper):
        raise BusinessError("押品变更不能生效：" + "；".join(missing))
    if paper.kind is Kind.REDUCE:
        pledge.amount = item.recognised_value = paper.kept_amount or ZERO
        ctx.session.flush()
        return
    if paper.kind is Kind.REPLACE:
        _replace(ctx, paper, item)
    pledging.release(ctx, pledge, f"押品变更 {paper.number}：{paper.kind.label}")
    item.released_on = ctx.today
    ctx.session.flush()
    custody.draft_out(ctx, paper.project, f"押品变更 {paper.number}，归还权证")


def _replace(ctx: Ctx, paper: PledgeChange, old: CounterGuarantee) -> CollateralPledge:
    assert paper.new_collateral_id is not None
    asset = pledging.held(ctx, paper.new_collateral_id)
    project: Project = paper.project
    item = CounterGuarantee(
        project=project,
        kind=old.kind,
        asset_kind=asset.type.code,
        name=asset.name,
        appraised_value=asset.value,
        rate_pct=asset.rate_pct,
        recognised_value=paper.new_amount,
    )
    ctx.session.add(item)
    ctx.session.flush()
    if not registration.is_asked(ctx, asset.type):  # else its registration settles it
        evidence = f"押品变更 {paper.number} 批准置换"
        counters.note_settlement(ctx, item, evidence, ctx.today)
    move(counters.STEPS["submit"], item)  # the paper that was approved is its approval
    conclude(item, ApprovalState.APPROVED)
    return pledging.take(ctx, item, asset, paper.new_amount, None)
