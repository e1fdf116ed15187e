"""4.4d 反担保: registered, approved together, and settled one by one."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition
from models.base.masks import whole
from models.base.money import round_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.guarantee.maximum import MaximumContract
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.signing import Contract, CounterGuarantee, CounterKind
from reports.figures.line import counters_stand, coverage_pct, latest_resolution
from reports.figures.parameters import number
from workflows.approval import approval
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.paper import conclude, life
from workflows.base.transition import Step, enter, move, permit, steps, verbs
from workflows.guarantee import collection, contracts, letters, stages
from workflows.guarantee.fees import require_resolution

STEPS = steps(
    *life("counter_guarantee", "提交反担保审核", lapses_from=OPEN_PAPERS),
    Step(
        "counter_guarantee",
        "void",
        "撤销反担保",
        column="state",
        sources=(PaperState.APPROVED,),
        targets=(PaperState.VOID,),
    ),
)
ACTS = verbs("counter_guarantee", {"settle": "登记落实"})
HUNDRED = Decimal(100)
Gone = Callable[[Ctx, CounterGuarantee, str], None]
# What else is free when a counter-guarantee is refused or given up: later wings put themselves here.
_GONE: list[Gone] = []


def on_gone(handler: Gone) -> Gone:
    """Register what follows when a counter-guarantee is refused or given up, told why."""
    _GONE.append(handler)
    return handler


Hold = Callable[[Ctx, CounterGuarantee], list[str]]
# What else must be there before a counter-guarantee is settled: later wings put themselves here.
_HOLDS: list[Hold] = []


def on_settle(hold: Hold) -> Hold:
    """Register what still stands in the way of a settlement, each in words."""
    _HOLDS.append(hold)
    return hold


def why_not_settle(ctx: Ctx, item: CounterGuarantee) -> str:
    """What stands in the way of a settlement, as a button says it."""
    return "；".join(words for hold in _HOLDS for words in hold(ctx, item))


def _tell_gone(ctx: Ctx, item: CounterGuarantee, why: str) -> None:
    for handler in _GONE:
        handler(ctx, item, why)


@records.rule(CounterGuarantee)
def check_counter(ctx: Ctx, item: CounterGuarantee, is_new: bool) -> None:
    """An asset has its kind, its value and a rate within the cap; what is recognised follows."""
    project = ctx.session.get_one(Project, item.project_id)
    if not project.has_counter:
        raise Conflict(f"项目 {project.number} 的产品不要求反担保，不用登记", field="project_id")
    if project.stage is not Stage.CONTRACT:
        stages.require_running(project, Stage.COUNTER, "登记反担保")
    if _items(ctx, project, PaperState.IN_APPROVAL):
        raise Conflict(f"项目 {project.number} 的反担保正在审核，不能再登记或修改")
    found: dict[str, list[str]] = {}
    if item.kind.needs_value:
        about_asset(ctx, item, item.kind, found)
    elif item.kind is CounterKind.DEPOSIT and not item.appraised_value:
        found["appraised_value"] = ["请填写保证金金额"]
    elif item.kind is CounterKind.SURETY:
        _about_surety(item, project, found)
    if found:
        raise FieldErrors(found)
    item.recognised_value = recognised(item)
    if is_new:
        item.project = project


@records.delete_rule(CounterGuarantee)
def check_delete(ctx: Ctx, item: CounterGuarantee) -> None:
    """One that a contract is about stays until that contract is deleted."""
    query = select(Contract.number).where(Contract.counter_guarantee_id == item.id).limit(1)
    if number_ := ctx.session.scalar(query):
        raise Conflict(f"“{item}”已有反担保合同 {number_}，不能删除；合同仍是草稿的，请先删除合同")


def about_asset(
    ctx: Ctx,
    item: CounterGuarantee | MaximumContract,
    kind: CounterKind,
    found: dict[str, list[str]],
) -> None:
    """An asset has its kind, its value and a rate within the cap; without a rate it is the cap."""
    if not item.appraised_value:
        found["appraised_value"] = [f"{kind.label}应填写大于 0 的评估值"]
    if item.asset_kind is None:
        found["asset_kind"] = ["请选择反担保物种类"]
        return
    cap = number(ctx.session, f"collateral.rate.{item.asset_kind}", ctx.today)
    if item.rate_pct is None:
        item.rate_pct = cap
    elif item.rate_pct > cap:
        found["rate_pct"] = [f"抵押率不能超过 {cap.normalize():f}%"]


def _about_surety(item: CounterGuarantee, project: Project, found: dict[str, list[str]]) -> None:
    if item.appraised_value is not None:
        found["appraised_value"] = ["保证不计评估值，请留空"]
    if item.guarantor_id == project.customer_id:
        found["guarantor_id"] = ["保证人不能是被担保客户本人"]
    if whole(item.name) == whole(project.customer.name):
        found["name"] = ["保证人不能是被担保客户本人"]


def recognised(item: CounterGuarantee | MaximumContract) -> Decimal | None:
    """Value x rate; money counts in full, a surety counts as nothing."""
    if item.appraised_value is None:
        return None
    rate = item.rate_pct if item.rate_pct is not None else HUNDRED
    return round_money(item.appraised_value * rate / HUNDRED)


def _items(ctx: Ctx, project: Project, *states: PaperState) -> list[CounterGuarantee]:
    query = select(CounterGuarantee).where(
        CounterGuarantee.project_id == project.id, CounterGuarantee.state.in_(states)
    )
    return list(ctx.session.scalars(query.order_by(CounterGuarantee.id)))


def submit(ctx: Ctx, project: Project, version: int | None = None) -> ApprovalInstance:
    """Put all registered items up for one approval.

    Raises BusinessError without any item or where they and those approved before stay below the product's coverage.
    """
    step = STEPS["submit"]
    permit(ctx, step, project)
    letters.require_visible(ctx, project, version)
    stages.require_running(project, Stage.COUNTER, step.label)
    resolution = require_resolution(ctx, project, step.label)
    if _items(ctx, project, PaperState.IN_APPROVAL):
        raise Conflict(f"项目 {project.number} 的反担保正在审核，不能重复提交")
    items = _items(ctx, project, PaperState.DRAFT)
    if not items:
        raise BusinessError("请先登记至少一项反担保")
    all_items = [*items, *_items(ctx, project, PaperState.APPROVED)]
    covered = coverage_pct(ctx.session, project, all_items, resolution.amount)
    least = project.product.coverage_min_pct
    if covered < least:
        raise BusinessError(
            f"反担保覆盖率 {covered.normalize():f}%，低于产品要求的 {least.normalize():f}%"
        )
    for item in items:
        move(step, item)
    return stages.put_up(
        ctx, "counter_guarantee", project, project, "反担保审核", amount=resolution.amount
    )


@approval.on_finish("counter_guarantee")
def reviewed(
    ctx: Ctx, instance: ApprovalInstance, project: Project, outcome: ApprovalState
) -> None:
    """Approved, the project moves on to 费用收取; returned items are drafts again, rejected ones are replaced."""
    del instance
    for item in _items(ctx, project, PaperState.IN_APPROVAL):
        conclude(item, outcome)
        if outcome is ApprovalState.REJECTED:
            contracts.lapse_of(ctx, item, is_decided=True)
            _tell_gone(ctx, item, "反担保审核未通过")
    if outcome is ApprovalState.APPROVED:
        stages.advance(ctx, project, Stage.FEE_COLLECT, "反担保已审核")
        ctx.session.flush()
        collection.pass_on(ctx, project)


def void(
    ctx: Ctx, item: CounterGuarantee, reason: str, version: int | None = None
) -> CounterGuarantee:
    """Give up an approved item that cannot be settled or is replaced; below coverage the project is back at 反担保."""
    step = STEPS["void"]
    enter(ctx, step, item, version)
    project = records.find(ctx, Project, item.project_id, lock=True)
    stages.require_before_drawdown(project, Stage.CONTRACT, step.label)
    move(step, item)
    contracts.lapse_of(ctx, item)
    _tell_gone(ctx, item, "撤销反担保")
    audit.log(ctx, item, "VOID", note=f"撤销反担保：{stages.checked_reason(reason, step.label)}")
    ctx.session.flush()
    amount = latest_resolution(ctx.session, project).amount
    if project.stage.rank > Stage.COUNTER.rank and not counters_stand(ctx.session, project, amount):
        stages.advance(ctx, project, Stage.COUNTER, f"撤销{item.kind.label}：{item.name}")
        ctx.session.flush()
    contracts.pass_on(ctx, project)
    return item


def settle(
    ctx: Ctx, item: CounterGuarantee, evidence: str, on: date, version: int | None = None
) -> CounterGuarantee:
    """Mark an approved item as settled (已落实) on the evidence of a registration, delivery or signature."""
    enter(ctx, ACTS["settle"], item, version)
    if item.state is not PaperState.APPROVED:
        raise IllegalTransition(f"反担保“{item}”{item.state.label}，审核通过后才能落实")
    if item.is_settled:
        raise IllegalTransition(f"反担保“{item}”已落实")
    if item.project.state is not ProjectState.RUNNING:
        raise IllegalTransition(
            f"项目 {item.project.number} {item.project.state.label}，不能落实反担保"
        )
    if missing := why_not_settle(ctx, item):
        raise BusinessError(f"还不能{ACTS['settle'].label}：{missing}")
    note_settlement(ctx, item, evidence, on)
    return item


def note_settlement(
    ctx: Ctx, item: CounterGuarantee | MaximumContract, evidence: str, on: date
) -> None:
    """What is settled says by what and since when. Raises FieldErrors."""
    found: dict[str, list[str]] = {}
    if not evidence.strip() or len(evidence.strip()) > 200:
        found["evidence"] = ["请填写落实依据，如登记证号、交付凭据，不超过 200 字"]
    if on > ctx.today:
        found["on"] = ["落实日期不能晚于营业日期"]
    if found:
        raise FieldErrors(found)
    item.is_settled, item.settled_on, item.settled_evidence = True, on, evidence.strip()
    ctx.session.flush()
