"""登记 and 保险 (7.4): registered, renewed before its end, and cancelled only once the pledge stands no more."""

from datetime import date
from decimal import Decimal

from sqlalchemy import or_, select

from models.base.errors import BusinessError, FieldErrors
from models.base.money import format_money
from models.base.paper import LIVE_PAPERS, PaperState
from models.collateral.kind import CollateralType, Registry
from models.collateral.pledge import CollateralPledge
from models.collateral.registration import (
    CollateralInsurance,
    PledgeRegistration,
    RegistrationState,
)
from models.guarantee.project import ProjectState
from models.guarantee.signing import CounterGuarantee
from reports.figures.parameters import flag
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.collateral import pledge as pledging
from workflows.guarantee import counters

REQUIRED = "counter.registration_required"
WHO = ("押品专员", "客户经理", "业务部门经理")
PLEDGE = verbs("collateral_pledge", {"register": "登记抵质押"}, roles=WHO)["register"]
ACTS = verbs("pledge_registration", {"renew": "登记展期"}, roles=WHO)
STEPS = steps(
    Step(
        "pledge_registration",
        "cancel",
        "注销登记",
        column="state",
        sources=(RegistrationState.VALID,),
        targets=(RegistrationState.CANCELLED,),
        roles=WHO,
    ),
)


def stands(pledge: CollateralPledge) -> bool:
    """Whether the asset still stands behind the project."""
    item = pledge.counter_guarantee
    return pledge.released_on is None and item.state in LIVE_PAPERS and item.released_on is None


def register(
    ctx: Ctx,
    pledge: CollateralPledge,
    number: str,
    amount: Decimal,
    registered_on: date,
    *,
    office: Registry | None = None,
    expires_on: date | None = None,
    version: int | None = None,
) -> PledgeRegistration:
    """Take down a registration; an approved counter-guarantee is settled by it, for whoever may settle."""
    enter(ctx, PLEDGE, pledge, version)
    if not stands(pledge):
        raise BusinessError("设押已解除，不能登记")
    place = office or pledge.collateral.type.office
    errors = {}
    if place is Registry.NONE:
        errors["office"] = [f"{pledge.collateral.type.name}不办理登记；确需登记的请选择登记机构"]
    if amount < pledge.amount:
        errors["amount"] = [f"登记债权额不能小于占用价值 {format_money(pledge.amount)} 元"]
    if registered_on > ctx.today:
        errors["registered_on"] = ["登记日期不能晚于营业日期"]
    if expires_on is not None and expires_on <= registered_on:
        errors["expires_on"] = ["登记到期日应晚于登记日期"]
    if _is_known(ctx, place, number):
        errors["number"] = [f"{place.label}的登记证明 {number} 已登记"]
    if place is Registry.MOVABLES and expires_on is None:
        errors["expires_on"] = ["中登网登记有期限，请填写登记到期日"]
    if errors:
        raise FieldErrors(errors)
    made = PledgeRegistration(
        pledge=pledge,
        office=place,
        number=number,
        amount=amount,
        registered_on=registered_on,
        expires_on=expires_on,
        state=RegistrationState.VALID,
    )
    ctx.session.add(made)
    ctx.session.flush()
    _settle(ctx, pledge, made)
    return made


def _is_known(ctx: Ctx, office: Registry, number: str) -> bool:
    query = select(PledgeRegistration.id).where(
        PledgeRegistration.office == office, PledgeRegistration.number == number
    )
    return ctx.session.scalar(query) is not None


def _settle(ctx: Ctx, pledge: CollateralPledge, made: PledgeRegistration) -> None:
    item, project = pledge.counter_guarantee, pledge.project
    if item.state is not PaperState.APPROVED or item.is_settled:
        return
    evidence = f"{made.office.label}登记 {made.number}"[:200]
    if project.state is ProjectState.IN_FORCE:  # what has taken the place of another asset
        counters.note_settlement(ctx, item, evidence, made.registered_on)
    elif project.state is ProjectState.RUNNING and ctx.actor.may("settle", "counter_guarantee"):
        counters.settle(ctx, item, evidence, made.registered_on)


def is_asked(ctx: Ctx, kind: CollateralType) -> bool:
    """Whether assets of a kind hold by their registration alone."""
    is_required = flag(ctx.session, REQUIRED, ctx.today)
    return is_required and kind.office is not Registry.NONE


@counters.on_settle
def unregistered(ctx: Ctx, item: CounterGuarantee) -> list[str]:
    """A mortgage or pledge of what is registered is settled by its registration, on the asset that stands behind it."""
    if not item.kind.needs_value:
        return []
    kind = ctx.session.scalars(
        select(CollateralType).where(CollateralType.code == item.asset_kind)
    ).one_or_none()
    if kind is None or not is_asked(ctx, kind):
        return []
    pledge = pledging.of(ctx, item)
    if pledge is None:
        return [f"{kind.name}须办理抵质押登记，请先关联押品，再在设押记录上登记"]
    valid = select(PledgeRegistration.id).where(
        PledgeRegistration.pledge_id == pledge.id,
        PledgeRegistration.state == RegistrationState.VALID,
        or_(
            PledgeRegistration.expires_on.is_(None),
            PledgeRegistration.expires_on >= ctx.today,
        ),
    )
    if ctx.session.scalar(valid.limit(1)) is not None:
        return []
    return [f"押品“{pledge.collateral}”没有有效的抵质押登记，请在设押记录上登记"]


def renew(
    ctx: Ctx,
    registration: PledgeRegistration,
    expires_on: date,
    number: str | None = None,
    version: int | None = None,
) -> PledgeRegistration:
    """Carry a registration on to a later day, under its number or a new one."""
    enter(ctx, ACTS["renew"], registration, version)
    if registration.state is not RegistrationState.VALID:
        raise BusinessError(f"登记“{registration}”{registration.state.label}，不能展期")
    if expires_on <= max(registration.expires_on or registration.registered_on, ctx.today):
        raise FieldErrors({"expires_on": ["展期后的到期日应晚于原到期日和营业日期"]})
    if number not in (None, registration.number) and _is_known(ctx, registration.office, number):
        raise FieldErrors({"number": [f"登记证明 {number} 已登记"]})
    registration.expires_on = expires_on
    registration.number = number or registration.number
    registration.renewals += 1
    ctx.session.flush()
    return registration


def cancel(
    ctx: Ctx,
    registration: PledgeRegistration,
    evidence: str,
    on: date,
    version: int | None = None,
) -> PledgeRegistration:
    """Note that the office has struck the registration out: never while the pledge stands."""
    enter(ctx, STEPS["cancel"], registration, version)
    if stands(registration.pledge):
        project = registration.pledge.project.number
        raise BusinessError(f"押品仍为项目 {project} 设押，解保或解除设押之后才能注销登记")
    if not registration.registered_on <= on <= ctx.today:
        raise FieldErrors({"on": ["注销日期不能早于登记日期，也不能晚于营业日期"]})
    registration.cancelled_on, registration.cancel_evidence = on, evidence
    move(STEPS["cancel"], registration)
    ctx.session.flush()
    return registration


@records.rule(CollateralInsurance)
def check_insurance(_: Ctx, policy: CollateralInsurance, is_new: bool) -> None:
    """A policy ends after it begins."""
    del is_new
    if policy.ends_on < policy.starts_on:
        raise FieldErrors({"ends_on": ["保险到期日不能早于起始日"]})
