"""押品登记 (7.1): what must hold of an asset, its owners, certificates, values and the claims of others."""

from decimal import Decimal

from sqlalchemy import func, select

from models.base.errors import Conflict, FieldErrors
from models.base.moments import add_months
from models.base.money import format_money
from models.collateral.asset import (
    Collateral,
    CollateralCertificate,
    CollateralOwner,
    CustodyState,
    PriorClaim,
    Valuation,
)
from models.collateral.kind import CollateralType
from reports.figures import collateral
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.guarantee import limits

HUNDRED = Decimal(100)


@records.rule(Collateral)
def check_asset(ctx: Ctx, asset: Collateral, is_new: bool) -> None:
    """Its rate lies within the cap of its kind and is not lowered below what already stands on it."""
    kind = ctx.session.get_one(CollateralType, asset.type_id)
    changed = set() if is_new else set(audit.changes_of(asset))
    if asset.disposed_on is not None and changed - {"note"}:
        raise Conflict(f"押品“{asset}”已于 {asset.disposed_on} 处置，只能修改备注")
    if not kind.is_active and (is_new or "type_id" in changed):
        raise FieldErrors({"type_id": [f"押品种类“{kind.name}”已停用"]})
    asset.rate_pct = kind.rate_pct if asset.rate_pct is None else asset.rate_pct  # type: ignore[redundant-expr]
    most = collateral.cap(ctx.session, kind.code, ctx.today)
    if asset.rate_pct > most and (is_new or {"rate_pct", "type_id"} & changed):
        raise FieldErrors({"rate_pct": [f"{kind.name}的抵押率不能超过 {most.normalize():f}%"]})
    if asset.rate_pct <= 0:
        raise FieldErrors({"rate_pct": ["抵押率应大于 0"]})
    if {"rate_pct", "type_id", "customer_id"} & changed:
        _refuse_what_is_used(ctx, asset, changed)
    if asset.valued_on is not None:
        asset.next_value_on = add_months(asset.valued_on, kind.valuation_months)


def _refuse_what_is_used(ctx: Ctx, asset: Collateral, changed: set[str]) -> None:
    limits.hold(ctx)
    found = collateral.claims(ctx.session, [asset.id])[asset.id]
    ours = [one.pledge for one in found if one.pledge is not None]
    if not ours:
        return
    numbers = "、".join(dict.fromkeys(pledge.project.number for pledge in ours))
    errors: dict[str, list[str]] = {
        name: [f"押品已用于项目 {numbers}，不能修改"]
        for name in ("type_id", "customer_id")
        if name in changed
    }
    room = collateral.room(asset, found)
    if "rate_pct" in changed and room.left < 0:
        used = format_money(room.prior + room.ours)
        errors["rate_pct"] = [f"项目 {numbers} 及在先债权共占用 {used} 元，超过评估价值 × 抵押率"]
    if errors:
        raise FieldErrors(errors)


@records.rule(CollateralOwner)
def check_owner(ctx: Ctx, owner: CollateralOwner, is_new: bool) -> None:
    """All shares together are at most the whole."""
    others = select(func.sum(CollateralOwner.share_pct)).where(
        CollateralOwner.collateral_id == owner.collateral_id
    )
    if not is_new:
        others = others.where(CollateralOwner.id != owner.id)
    if owner.share_pct <= 0:
        raise FieldErrors({"share_pct": ["份额应大于 0"]})
    total = (ctx.session.scalar(others) or Decimal(0)) + owner.share_pct
    if total > HUNDRED:
        raise FieldErrors(
            {"share_pct": [f"全部所有权人份额合计为 {total.normalize():f}%，不能超过 100%"]}
        )
    if owner.agreed_on is not None and owner.agreed_on > ctx.today:
        raise FieldErrors({"agreed_on": ["同意抵押日期不能晚于营业日期"]})


@records.rule(CollateralCertificate)
def check_certificate(ctx: Ctx, paper: CollateralCertificate, is_new: bool) -> None:
    """Dates make sense; what has been in custody keeps its number and its asset."""
    errors = {}
    if paper.issued_on is not None and paper.issued_on > ctx.today:
        errors["issued_on"] = ["发证日期不能晚于营业日期"]
    if (
        paper.issued_on is not None
        and paper.expires_on is not None
        and paper.expires_on < paper.issued_on
    ):
        errors["expires_on"] = ["有效期不能早于发证日期"]
    if not is_new and paper.state is not CustodyState.OUTSIDE:
        for name in {"kind", "number", "collateral_id"} & audit.changes_of(paper).keys():
            errors[name] = [f"权证{paper.state.label}，不能修改"]
    if errors:
        raise FieldErrors(errors)


@records.delete_rule(CollateralCertificate)
def keep_certificate(_: Ctx, paper: CollateralCertificate) -> None:
    """What was ever in custody stays to be read."""
    if paper.state is not CustodyState.OUTSIDE:
        raise Conflict(f"权证“{paper}”{paper.state.label}，不能删除")


@records.rule(Valuation)
def check_valuation(ctx: Ctx, valuation: Valuation, is_new: bool) -> None:
    """A value of a day gone by or of today; the latest one is the asset's value from now on."""
    del is_new
    if valuation.valued_on > ctx.today:
        raise FieldErrors({"valued_on": ["估值日期不能晚于营业日期"]})
    asset = ctx.session.get_one(Collateral, valuation.collateral_id)
    if asset.disposed_on is not None:
        raise FieldErrors({"collateral_id": [f"押品已于 {asset.disposed_on} 处置，不再估值"]})
    if asset.valued_on is None or valuation.valued_on > asset.valued_on:
        asset.value, asset.valued_on = valuation.value, valuation.valued_on
        asset.next_value_on = add_months(valuation.valued_on, asset.type.valuation_months)


@records.rule(PriorClaim)
def check_claim(ctx: Ctx, claim: PriorClaim, is_new: bool) -> None:
    """Others' claims are facts: they are taken down as they are, and nobody pledges meanwhile."""
    del is_new
    limits.hold(ctx)
    errors = {}
    for name in ("registered_on", "ended_on"):
        day = getattr(claim, name)
        if day is not None and day > ctx.today:
            errors[name] = ["不能晚于营业日期"]
    if (
        claim.ended_on is not None
        and claim.registered_on is not None
        and claim.ended_on < claim.registered_on
    ):
        errors["ended_on"] = ["注销日期不能早于登记日期"]
    if errors:
        raise FieldErrors(errors)
