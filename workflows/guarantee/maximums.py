"""最高额合同 (4.4c): drawn up, approved, settled, ended; projects are put under it as far as limit and cover go."""

from datetime import date
from typing import Any

from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import Conflict, FieldErrors, IllegalTransition
from models.base.money import format_money
from models.base.paper import PaperState
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.maximum import MaximumContract, MaximumKind, MaximumUse
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.signing import Contract, CounterKind
from reports.base.scope import is_visible
from reports.figures import maximums
from reports.figures.line import counters_stand, latest_resolution
from reports.figures.parameters import number, value
from workflows.approval import approval
from workflows.base import audit, documents, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, life
from workflows.base.transition import Step, enter, move, permit, steps, verbs
from workflows.guarantee import collection, contracts, counters, letters, limits, stages

ROLES = ("客户经理", "业务部门经理")
_TABLE = MaximumContract.__tablename__
STEPS = steps(
    *life(_TABLE, "提交最高额合同审核", roles=ROLES),
    Step(
        _TABLE,
        "close",
        "终止最高额合同",
        column="state",
        sources=(PaperState.APPROVED,),
        targets=(PaperState.VOID,),
        roles=ROLES,
    ),
)
ACTS = {
    **verbs(_TABLE, {"settle": "登记落实"}, roles=(*ROLES, "押品专员")),
    **verbs(
        "maximum_use",
        {"put_under": "纳入最高额合同", "take_out": "移出最高额合同"},
        roles=ROLES,
    ),
}
TEMPLATE = "maximum_contract"
_OF_COUNTER = (
    "counter_kind",
    "asset_kind",
    "name",
    "certificate_no",
    "appraised_value",
    "rate_pct",
)


# ------------------------------------------------------------------------------------------------------ the contract
@records.rule(MaximumContract)
def check_maximum(ctx: Ctx, maximum: MaximumContract, is_new: bool) -> None:
    """It says with whom, up to what and for how long; a counter-guarantee also says what is given."""
    found: dict[str, list[str]] = {}
    if maximum.signed_on > ctx.today:
        found["signed_on"] = ["签约日期不能晚于营业日期"]
    if maximum.ends_on < maximum.starts_on:
        found["ends_on"] = ["债权确定期间的止日不能早于起日"]
    if (maximum.bank_id is not None) != (maximum.kind is MaximumKind.GUARANTEE):
        is_bank = maximum.kind is MaximumKind.GUARANTEE
        found["bank_id"] = [
            "请选择合作银行" if is_bank else "只有最高额保证合同对应合作银行，请留空"
        ]
    _about_counter(ctx, maximum, found)
    if found:
        raise FieldErrors(found)
    if not (maximum.counterparty or "").strip():
        maximum.counterparty = _counterparty(ctx, maximum)
    if is_new:
        maximum.number = next_number(ctx, "maximum_contract")


def _about_counter(ctx: Ctx, maximum: MaximumContract, found: dict[str, list[str]]) -> None:
    if maximum.kind is not MaximumKind.COUNTER:
        for name in _OF_COUNTER:
            if getattr(maximum, name) is not None:
                found[name] = ["只有最高额反担保合同填写，请留空"]
        return
    kind = maximum.counter_kind
    if kind is None or not kind.needs_contract:
        found["counter_kind"] = ["请选择抵押、质押或保证"]
    elif kind.needs_value:
        counters.about_asset(ctx, maximum, kind, found)
    elif maximum.appraised_value is not None:
        found["appraised_value"] = ["保证不计评估值，请留空"]
    if not (maximum.name or "").strip():
        found["name"] = ["请填写反担保物或保证人"]
    maximum.recognised_value = counters.recognised(maximum)


def _counterparty(ctx: Ctx, maximum: MaximumContract) -> str:
    """Who signs: the bank, the surety, else the customer."""
    with ctx.session.no_autoflush:
        if maximum.bank_id is not None:
            return ctx.session.get_one(PartnerBank, maximum.bank_id).name
        if maximum.counter_kind is CounterKind.SURETY and maximum.name:
            return maximum.name[:100]
        return ctx.session.get_one(Customer, maximum.customer_id).name


def submit(ctx: Ctx, maximum: MaximumContract, version: int | None = None) -> ApprovalInstance:
    """Put it up for approval; the flow is chosen by its limit."""
    step = STEPS["submit"]
    enter(ctx, step, maximum, version)
    check_maximum(ctx, maximum, False)
    move(step, maximum)
    customer = maximum.customer
    limit = format_money(maximum.limit_amount)
    return approval.start(
        ctx,
        "maximum_contract",
        maximum,
        title=f"{maximum.kind.label}：{customer.name} {limit} 元 {maximum.number}",
        amount=maximum.limit_amount,
        customer_kind=customer.kind.name,
        department_id=ctx.actor.department_id,
    )


@approval.on_finish("maximum_contract")
def decided(
    ctx: Ctx, instance: ApprovalInstance, maximum: MaximumContract, outcome: ApprovalState
) -> None:
    """Approved its text is issued, and projects may be put under it."""
    del instance
    conclude(maximum, outcome)
    if outcome is ApprovalState.APPROVED:
        maximum.document = documents.issue(
            ctx,
            TEMPLATE,
            maximum,
            number=maximum.number,
            title=f"{maximum.kind.label} {maximum.number}",
            data=_data(ctx, maximum),
        )
    ctx.session.flush()


def _data(ctx: Ctx, maximum: MaximumContract) -> dict[str, Any]:
    """What the contract prints."""
    session, on = ctx.session, ctx.today
    is_own = maximum.counterparty == maximum.customer.name
    blank = {"id_number": "", "address": "", "phone": ""}
    provider = letters.customer_data(maximum.customer) if is_own else blank
    assets = maximum.counter_kind is not None and maximum.counter_kind.needs_value
    return {
        "company": letters.company_data(session),
        "customer": letters.customer_data(maximum.customer),
        "bank": letters.bank_data(maximum.bank) if maximum.bank else None,
        "provider": {**provider, "name": maximum.counterparty},
        "maximum": {
            "kind": maximum.kind.label,
            "is_entrustment": maximum.kind is MaximumKind.ENTRUSTMENT,
            "is_guarantee": maximum.kind is MaximumKind.GUARANTEE,
            "limit": maximum.limit_amount,
            "is_revolving": maximum.is_revolving,
            "start": maximum.starts_on,
            "end": maximum.ends_on,
            "method": maximum.counter_kind.label if maximum.counter_kind else "",
            "special_terms": maximum.terms or "",
        },
        "collateral": [
            {
                "name": maximum.name or "",
                "certificate": maximum.certificate_no or "",
                "value": maximum.appraised_value,
                "rate": maximum.rate_pct,
            }
        ]
        * assets,
        "contract": {
            "occupation_rate_pct": number(session, "compensation.occupancy_rate_pct", on),
            "notice_days": number(session, "contract.notice_days", on),
            "sign_place": value(session, "contract.sign_place", on),
            "court": value(session, "contract.court", on),
            "copies": number(session, "contract.copies", on),
        },
    }


def may_settle(_: Ctx, maximum: MaximumContract) -> bool:
    """Whether it is a counter-guarantee in force whose registration or delivery is still to be noted."""
    is_counter = maximum.kind is MaximumKind.COUNTER
    return is_counter and maximum.state is PaperState.APPROVED and not maximum.is_settled


def settle(
    ctx: Ctx, maximum: MaximumContract, evidence: str, on: date, version: int | None = None
) -> MaximumContract:
    """Note on what evidence a shared counter-guarantee is settled (已落实)."""
    enter(ctx, ACTS["settle"], maximum, version)
    if not may_settle(ctx, maximum):
        raise IllegalTransition(f"最高额合同 {maximum.number} 不需要或已经登记落实")
    counters.note_settlement(ctx, maximum, evidence, on)
    return maximum


def close(
    ctx: Ctx, maximum: MaximumContract, reason: str, version: int | None = None
) -> MaximumContract:
    """End a contract that nothing hangs on any more. Raises Conflict naming what still does."""
    step = STEPS["close"]
    enter(ctx, step, maximum, version)
    reason = stages.checked_reason(reason, step.label)
    held = [use for use in limits.uses(ctx, maximum) if use.claim]
    if held:
        total = format_money(sum((use.claim for use in held), maximums.ZERO))
        raise Conflict(
            f"还有 {len(held)} 个项目在 {maximum.number} 项下，合计 {total} 元，不能终止"
        )
    move(step, maximum)
    audit.log(ctx, maximum, "VOID", note=f"{step.label}：{reason}")
    ctx.session.flush()
    return maximum


# --------------------------------------------------------------------------------------------------- projects under it
def may_take(_: Ctx, project: Project) -> bool:
    """Whether the project is on its way to the drawdown."""
    is_before = project.stage.rank <= Stage.NOTICE.rank
    return is_before and project.state in (ProjectState.DRAFT, ProjectState.RUNNING)


def put_under(
    ctx: Ctx, project: Project, maximum_id: int, version: int | None = None
) -> MaximumUse:
    """Put a project under a contract, as far as limit, period and, of a shared security, the cover of all go.

    Raises FieldErrors at the contract for whatever does not fit; the project may move on without contracts of its own.
    """
    permit(ctx, ACTS["put_under"], project)
    limits.hold(ctx)
    project = records.find(ctx, Project, project.id, lock=True)
    letters.require_visible(ctx, project, version)
    if not may_take(ctx, project):
        raise IllegalTransition(f"项目 {project.number} 已放款或已结束，不能纳入最高额合同")
    maximum = ctx.session.get(MaximumContract, maximum_id)
    if maximum is None or not is_visible(ctx.session, ctx.actor, maximum):
        raise FieldErrors({"maximum_id": ["请选择最高额合同"]})
    uses = limits.uses(ctx, maximum)
    if wrong := _why_not(ctx, project, maximum, uses):
        raise FieldErrors({"maximum_id": [wrong]})
    made = MaximumUse(
        maximum=maximum, project=project, since_on=ctx.today, put_by_id=ctx.actor.employee_id
    )
    ctx.session.add(made)
    ctx.session.flush()
    is_shared = maximum.kind is MaximumKind.COUNTER
    if is_shared and (short := limits.short_of_cover(ctx, maximum, project)):
        raise FieldErrors({"maximum_id": [f"共用后不足：{'；'.join(short)}"]})
    _pass_on(ctx, project)
    ctx.session.flush()
    return made


def _why_not(ctx: Ctx, project: Project, maximum: MaximumContract, uses: list[maximums.Use]) -> str:
    """Why a contract does not take the project, '' where it does."""
    if why := maximums.why_barred(maximum, ctx.today):
        return f"{why}，现在不能纳入"
    for why in maximums.misfits(maximum, project).values():
        return why
    if why := _why_not_needed(ctx, project, maximum):
        return why
    wanted = project.balance + project.reserved_amount or project.amount
    former = maximums.replaced(uses, project, wanted)
    left = maximum.limit_amount - maximums.taken(uses)[1] + former
    if wanted > left:
        return f"{maximum.number} 剩余 {format_money(left)} 元，不足 {format_money(wanted)} 元"
    return ""


def _why_not_needed(ctx: Ctx, project: Project, maximum: MaximumContract) -> str:
    """Why the project has no use for a contract of this kind."""
    under = maximums.of_project(ctx.session, project.id)
    if maximum in under:
        return f"项目已在 {maximum.number} 项下"
    if maximum.kind is MaximumKind.COUNTER:
        return "" if project.has_counter else "项目的产品不要求反担保"
    if any(one.kind is maximum.kind for one in under):
        return f"项目已纳入另一份{maximum.kind.label}"
    own = _own(ctx, project, maximum)
    return f"项目已有{maximum.kind.replaces.label} {own}，不需要纳入" if own else ""


def _own(ctx: Ctx, project: Project, maximum: MaximumContract) -> str | None:
    query = select(Contract.number).where(
        Contract.project_id == project.id,
        Contract.kind == maximum.kind.replaces,
        Contract.state.in_((PaperState.DRAFT, PaperState.IN_APPROVAL, PaperState.APPROVED)),
    )
    return ctx.session.scalar(query.limit(1))


def _pass_on(ctx: Ctx, project: Project) -> None:
    """Where it was all that the project waited for, it moves on."""
    contracts.pass_on(ctx, project)
    if project.state is not ProjectState.RUNNING or project.stage is not Stage.COUNTER:
        return
    if counters_stand(ctx.session, project, latest_resolution(ctx.session, project).amount):
        stages.advance(ctx, project, Stage.FEE_COLLECT, "纳入最高额反担保合同")
        ctx.session.flush()
        collection.pass_on(ctx, project)


def may_take_out(ctx: Ctx, use: MaximumUse) -> bool:
    """Whether the project is still under it and nothing was drawn."""
    return use.until_on is None and may_take(ctx, use.project)


def take_out(ctx: Ctx, use: MaximumUse, reason: str, version: int | None = None) -> MaximumUse:
    """Take a project out again before its drawdown; past 合同处理 or 反担保 it goes back to them for its own papers."""
    enter(ctx, ACTS["take_out"], use, version)
    limits.hold(ctx)
    project = records.find(ctx, Project, use.project_id, lock=True)
    if not may_take_out(ctx, use):
        raise IllegalTransition(f"项目 {project.number} 已放款、已结束或已移出")
    use.until_on, use.reason = ctx.today, stages.checked_reason(reason, "移出最高额合同")
    ctx.session.flush()
    place = Stage.COUNTER if use.maximum.kind is MaximumKind.COUNTER else Stage.CONTRACT
    is_past = project.state is ProjectState.RUNNING and project.stage.rank > place.rank
    if is_past and (place is Stage.CONTRACT or not _still_covered(ctx, project)):
        stages.advance(ctx, project, place, f"移出 {use.maximum.number}")
    ctx.session.flush()
    return use


def _still_covered(ctx: Ctx, project: Project) -> bool:
    return counters_stand(ctx.session, project, latest_resolution(ctx.session, project).amount)
