"""分险 in the demonstration: a 4:2:2:2 scheme, projects under it, a filing with receipts, a statement (4.10)."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from app.demo.stage import Stage
from models.customer.partner import GuaranteeCompany, PartnerRole
from models.guarantee.bank import PartnerBank
from models.guarantee.ceding import CessionStatement
from models.guarantee.product import Product
from models.guarantee.reguarantee import Filing, FilingOutcome, FilingReceipt, RowState
from models.guarantee.scheme import (
    RuleUse,
    SchemeBank,
    SchemeProduct,
    SchemeRule,
    SchemeShare,
    SchemeState,
    SharingParty,
    SharingScheme,
)
from reports.figures import reguarantee as figures
from workflows.base import records
from workflows.guarantee import ceding, reguarantee
from workflows.guarantee import scheme as schemes

CODE: Final = "GD4222"
PRODUCTS: Final = ("XWKB", "KCDB")
ADMIN, RISK = "admin", "zhenglan"
# party, % of the risk, % of the fee
SHARES: Final = (
    (SharingParty.BANK, 20, 0),
    (SharingParty.OWN, 40, 60),
    (SharingParty.PROVINCE, 20, 20),
    (SharingParty.NATIONAL, 20, 20),
)


def begin(stage: Stage) -> None:
    """The administrator draws the scheme up and puts it into use, for every bank and the products of small firms."""
    ctx = stage.ctx(ADMIN)
    made = records.create(
        ctx,
        SharingScheme,
        {
            "code": CODE,
            "name": "国担银担分险 4:2:2:2",
            "valid_from": stage.today,
            "valid_to": stage.today + timedelta(days=3 * 365),
            "filing_days": 60,
            "agreement_no": "SZD-2025-018",
            "note": "单户 1000 万元以下小微、科创企业，银行与政府性担保体系按比例分担",
        },
    )
    again = _company(stage)
    for party, share, fee in SHARES:
        values = {"scheme_id": made.id, "party": party, "share_pct": share, "fee_share_pct": fee}
        if party.is_reguarantor:
            values["company_id"] = again.id
        records.create(ctx, SchemeShare, values)
    for bank in stage.session.scalars(select(PartnerBank).order_by(PartnerBank.id)):
        entry = {"scheme_id": made.id, "bank_id": bank.id, "breaker_pct": 3}
        records.create(ctx, SchemeBank, {**entry, "customer_cap": Decimal(10_000_000)})
    products = select(Product).where(Product.code.in_(PRODUCTS)).order_by(Product.id)
    for product in stage.session.scalars(products):
        records.create(ctx, SchemeProduct, {"scheme_id": made.id, "product_id": product.id})
    for name, condition, use in (
        ("单户 1000 万元以下", "担保金额 <= 10000000", RuleUse.ADMISSION),
        ("期限不超过三年", "期限 <= 36", RuleUse.FILING),
    ):
        values = {"scheme_id": made.id, "name": name, "condition": condition, "use": use}
        records.create(ctx, SchemeRule, values)
    schemes.enable(ctx, made)


def _company(stage: Stage) -> GuaranteeCompany:
    query = select(GuaranteeCompany).where(GuaranteeCompany.role == PartnerRole.RE_GUARANTEE)
    return stage.session.scalars(query.order_by(GuaranteeCompany.id)).first()  # type: ignore[return-value]


def scheme_for(stage: Stage, product_id: int) -> int | None:
    """The scheme that a new project comes under, once there is one and its product is admitted."""
    query = (
        select(SharingScheme.id)
        .join(SchemeProduct, SchemeProduct.scheme_id == SharingScheme.id)
        .where(SharingScheme.state == SchemeState.ACTIVE, SchemeProduct.product_id == product_id)
    )
    return stage.session.scalar(query)


def play(stage: Stage) -> None:
    """All that qualifies is filed, one is refused and waits to be corrected; the first statement is put up."""
    if stage.session.scalars(figures.unfiled(_company(stage).id).limit(1)).first() is None:
        return  # a company so small that nothing of it is shared
    values = {"company_id": _company(stage).id, "note": "本年首批"}
    filing = records.create(stage.ctx(RISK), Filing, values)
    reguarantee.collect(stage.ctx(RISK), filing)
    rows = reguarantee.rows_of(stage.ctx(RISK), filing)
    if len(rows) > 2:
        reguarantee.drop(stage.ctx(RISK), rows[0], "借据号待银行确认，留待下批")
    reguarantee.send(stage.ctx(RISK), filing)
    rows = reguarantee.rows_of(stage.ctx(RISK), filing, RowState.SUBMITTED)
    for number, row in enumerate(rows, 1):
        is_refused = number == len(rows) and number > 1
        answer = {
            "project_id": row.project_id,
            "answered_on": stage.today,
            "outcome": FilingOutcome.REFUSED if is_refused else FilingOutcome.ACCEPTED,
            "receipt_no": None if is_refused else f"JSZD{stage.today.year}{number:05d}",
            "reason": "借据号与银行报送不一致，请核对后重报" if is_refused else None,
        }
        records.create(stage.ctx(RISK), FilingReceipt, answer)
    due = {"company_id": filing.company_id, "until_on": stage.today, "note": "本年第一期"}
    statement = records.create(stage.ctx(RISK), CessionStatement, due)
    if statement.row_count:
        ceding.submit(stage.ctx(RISK), statement)
