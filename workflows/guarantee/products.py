"""产品设置 (10.3): a product that is saved says nothing that no application could meet."""

from decimal import Decimal

from models.base.errors import FieldErrors
from models.guarantee.product import Product
from workflows.base import records
from workflows.base.context import Ctx


@records.rule(Product)
def check_product(ctx: Ctx, product: Product, is_new: bool) -> None:
    """Limits, days and prices in order; a line without 反担保 asks for no coverage."""
    del ctx, is_new
    found: dict[str, list[str]] = {}
    if product.amount_min > product.amount_max:
        found["amount_max"] = ["最高金额不能小于最低金额"]
    if product.months_min > product.months_max:
        found["months_max"] = ["最长期限不能短于最短期限"]
    first, last = product.on_from, product.on_until
    if first is not None and last is not None and last < first:
        found["on_until"] = ["停用日期不能早于启用日期"]
    least = product.fee_rate_min_pct
    if least is not None and product.fee_rate_pct < least:
        found["fee_rate_pct"] = [f"担保费率不能低于下限 {least.normalize():f}%"]
    if product.benchmark is None and product.spread_bp is not None:
        found["benchmark"] = ["填写加点时请选择基准利率"]
    elif product.benchmark is not None and product.spread_bp is None:
        found["spread_bp"] = ["请填写加点，没有加点的填 0"]
    if not product.has_counter and product.coverage_min_pct > Decimal(0):
        found["coverage_min_pct"] = ["不要求反担保的产品，覆盖率下限应为 0"]
    if found:
        raise FieldErrors(found)
