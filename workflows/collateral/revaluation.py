"""批量重估 (7.4): all assets of a kind by an index; by Excel the list of 估值 takes them in like any other file."""

from decimal import Decimal

from sqlalchemy import select

from models.base.errors import FieldErrors
from models.base.moments import add_months
from models.base.money import round_money
from models.collateral.asset import Collateral, Valuation, ValuationMethod
from models.collateral.kind import CollateralType
from workflows.base.context import Ctx
from workflows.base.transition import enter, verbs

ACT = verbs(
    "collateral_type", {"revalue": "按指数重估"}, is_work=False, roles=("押品专员", "风控总监")
)["revalue"]
HUNDRED = Decimal(100)


def by_index(
    ctx: Ctx,
    kind: CollateralType,
    change_pct: Decimal,
    basis: str,
    version: int | None = None,
) -> int:
    """Value every asset of the kind anew from its last value; those valued today are left. How many were."""
    enter(ctx, ACT, kind, version)
    if change_pct == 0 or change_pct <= -HUNDRED:
        raise FieldErrors({"change_pct": ["涨跌幅不能为 0，下跌不能达到 100%"]})
    query = select(Collateral).where(
        Collateral.type_id == kind.id,
        Collateral.value > 0,
        Collateral.valued_on < ctx.today,
        Collateral.disposed_on.is_(None),
    )
    assets = ctx.session.scalars(query.order_by(Collateral.id)).all()
    for asset in assets:
        assert asset.value is not None
        value = max(round_money(asset.value * (HUNDRED + change_pct) / HUNDRED), Decimal("0.01"))
        ctx.session.add(
            Valuation(
                collateral_id=asset.id,
                valued_on=ctx.today,
                value=value,
                method=ValuationMethod.INDEX,
                basis=f"{basis}（{change_pct.normalize():+f}%）",
            )
        )
        asset.value, asset.valued_on = value, ctx.today
        asset.next_value_on = add_months(ctx.today, kind.valuation_months)
    ctx.session.flush()
    return len(assets)
