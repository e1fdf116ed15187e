"""What a product says to an application (产品要素): whether it is offered, how repaid and priced, which way it goes."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.guarantee.product import Product, ProductRepayment, RepaymentMethod
from models.guarantee.project import Project, Stage
from reports.figures.benchmarks import rate_by


def why_closed(product: Product, on: date) -> str:
    """Why nobody may apply for the product on a day; '' when it is offered."""
    if not product.is_active:
        return f"产品“{product.name}”已停用"
    if product.on_from is not None and on < product.on_from:
        return f"产品“{product.name}”自 {product.on_from} 起受理申请"
    if product.on_until is not None and on > product.on_until:
        return f"产品“{product.name}”已于 {product.on_until} 停止受理申请"
    return ""


def methods_of(session: Session, product: Product) -> list[RepaymentMethod]:
    """The ways of repayment that the product allows, in their order; all of them where it names none."""
    query = select(ProductRepayment.method).where(ProductRepayment.product_id == product.id)
    named = set(session.scalars(query))
    allowed = named | {product.repayment_method} if named else set(RepaymentMethod)
    return [method for method in RepaymentMethod if method in allowed]


def about_method(session: Session, product: Product, method: RepaymentMethod) -> list[str]:
    """What is wrong with a way of repayment under the product."""
    allowed = methods_of(session, product)
    if method in allowed:
        return []
    words = "、".join(one.label for one in allowed)
    return [f"产品“{product.name}”的还款方式为{words}"]


def rate_of(session: Session, product: Product, on: date) -> Decimal | None:
    """What a loan under the product costs on a day by its benchmark and spread, in % a year; None without one."""
    if product.benchmark is None or product.spread_bp is None:
        return None
    return rate_by(session, product.benchmark, product.spread_bp, on)


def line_of(one: Product | Project) -> Sequence[Stage]:
    """The stages that a project of the product, or this very project, passes."""
    left_out = {Stage.INTENT: one.has_intent, Stage.COUNTER: one.has_counter}
    return [stage for stage in Stage if left_out.get(stage, True)]
