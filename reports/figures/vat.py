"""VAT of fees: who is exempt and by what law, and what is not due yet (domain.md 2)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.customer.customer import CorporateCustomer, EnterpriseScale, PersonalCustomer
from models.customer.detail import Shop
from models.guarantee.product import FeeKind, GuaranteeKind, ProductFee
from models.guarantee.project import Project
from models.guarantee.signing import Fee, FeeDue, FeeWaiver, Receipt
from models.ledger.voucher import BusinessEvent, EventState
from reports.figures.fees import dues_of, recognised_total, vat_inside, waived_total
from reports.figures.overdue import spread
from reports.figures.parameters import flag

EXEMPT = "vat.guarantee_exempt"
LAW = "财政部 税务总局公告2023年第18号"
SOLE_TRADER = "410"  # 企业性质 个体工商户
ZERO = Decimal(0)
# What each event adds to the VAT of a fee that is not due yet.
SIGNS = {"fee.registered": 1, "fee.waived": -1, "fee.reversed": -1, "fee.refunded": -1}


def favoured(session: Session, project: Project) -> str:
    """What the borrower is for the exemption of 担保费, in words; empty for whom the law does not name."""
    customer = project.customer
    if isinstance(customer, CorporateCustomer):
        if customer.enterprise_nature == SOLE_TRADER:
            return "个体工商户"
        is_small = customer.scale in (EnterpriseScale.SMALL, EnterpriseScale.MICRO)
        return customer.scale.label if is_small and customer.scale is not None else ""
    if project.is_farmer:
        return "农户"
    runs_shop = isinstance(customer, PersonalCustomer) and session.scalar(
        select(Shop.id).where(Shop.personal_customer_id == customer.id).limit(1)
    )
    return "个体工商户" if runs_shop else ""


def exemption(
    session: Session, project: Project, on: date, until: date | None = None
) -> str | None:
    """Why the 担保费 of a project is free of VAT on a day; None where it is not.

    `until` is the day on which the last part falls due: the law may have run out by then.
    """
    is_named = project.guarantee_kind in (GuaranteeKind.LOAN, GuaranteeKind.BOND)
    if not is_named or not flag(session, EXEMPT, on) or not (who := favoured(session, project)):
        return None
    kind = "借款" if project.guarantee_kind is GuaranteeKind.LOAN else "发行债券"
    later = (
        "；免税期满后到期的各期按届时规定"
        if until is not None and not flag(session, EXEMPT, until)
        else ""
    )
    return f"{who}{kind}担保，免征增值税（{LAW}）{later}"


def is_free_product(session: Session, project: Project, kind: FeeKind) -> bool:
    """Whether the product itself charges the fee without VAT."""
    query = select(ProductFee.vat_rate_pct).where(
        ProductFee.product_id == project.product_id, ProductFee.kind == kind
    )
    return session.scalar(query) == 0


def not_due(
    session: Session, fee: Fee, on: date, *, leaving: Decimal = ZERO, refunded: Decimal = ZERO
) -> Decimal:
    """VAT of what falls due after a day, is not invoiced by then and neither collected nor waived.

    `leaving` is about to leave the fee, `refunded` the part of it that was received.
    """
    left = fee.amount - waived_total(session, fee) - leaving
    settled = fee.amount - left + fee.collected_amount - refunded
    return tax_after(dues_of(session, fee), left, settled, fee.vat_rate_pct, on)


def tax_after(
    dues: Sequence[FeeDue], left: Decimal, settled: Decimal, rate_pct: Decimal, on: date
) -> Decimal:
    """VAT of the open parts that are neither due nor invoiced by a day, of what is left of a fee."""
    open_later = sum(
        (
            due.amount - paid
            for due, paid in zip(dues, spread([d.amount for d in dues], settled), strict=True)
            if due.due_on > on and (due.invoiced_on is None or due.invoiced_on > on)
        ),
        ZERO,
    )
    return vat_inside(left, rate_pct) - vat_inside(left - open_later, rate_pct)


def pending(session: Session, fee: Fee) -> Decimal:
    """待转销项税额 of a fee as the books will hold it once what waits for 复核 is booked."""
    waivers = select(FeeWaiver.id).where(FeeWaiver.fee_id == fee.id)
    receipts = select(Receipt.id).where(Receipt.fee_id == fee.id)
    of_fee = or_(
        and_(BusinessEvent.record_table == Fee.__tablename__, BusinessEvent.record_id == fee.id),
        and_(
            BusinessEvent.record_table == FeeWaiver.__tablename__,
            BusinessEvent.record_id.in_(waivers),
        ),
        and_(
            BusinessEvent.record_table == Receipt.__tablename__,
            BusinessEvent.record_id.in_(receipts),
        ),
    )
    query = select(BusinessEvent).where(
        of_fee,
        BusinessEvent.event_code.in_(SIGNS),
        BusinessEvent.state.in_((EventState.PENDING, EventState.REFUSED)),
    )
    waiting = (
        SIGNS[e.event_code] * Decimal(e.amounts.get("tax_pending", "0"))
        for e in session.scalars(query)
    )
    return fee.vat_pending_amount + sum(waiting, ZERO)


def split(tax: Decimal, held: Decimal, remaining: Decimal) -> dict[str, Decimal]:
    """The VAT that leaves a fee: of what is not due yet as much as need not remain, the rest of 销项税额."""
    waiting = min(max(held - remaining, ZERO), tax)
    return {"tax": tax - waiting, "tax_pending": waiting} if waiting else {"tax": tax}


def parts_back(
    session: Session, fee: Fee, gross: Decimal, on: date, *, is_refund: bool = False
) -> dict[str, Decimal]:
    """The parts of an amount that leaves a fee; of 担保费 what is not earned yet goes first, then recognised income."""
    left = fee.amount - waived_total(session, fee)
    before = left - vat_inside(left, fee.vat_rate_pct)
    net = before - (left - gross - vat_inside(left - gross, fee.vat_rate_pct))
    remaining = not_due(session, fee, on, leaving=gross, refunded=gross if is_refund else ZERO)
    found = {"gross": gross, **split(gross - net, pending(session, fee), remaining)}
    if fee.kind is not FeeKind.GUARANTEE:
        return {**found, "earned": net}
    deferred = min(net, max(before - recognised_total(session, fee), ZERO))
    return {**found, "deferred": deferred, "recognised": net - deferred}


def due_for_transfer(session: Session, on: date) -> list[tuple[Fee, Decimal]]:
    """Fees whose VAT has become due by the end of a day and still stands in 待转销项税额, with the amount."""
    query = select(Fee).where(Fee.vat_pending_amount > 0).order_by(Fee.id)
    found = (
        (fee, fee.vat_pending_amount - not_due(session, fee, on)) for fee in session.scalars(query)
    )
    return [(fee, amount) for fee, amount in found if amount > 0]
