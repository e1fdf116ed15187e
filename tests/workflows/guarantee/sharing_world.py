"""A 4:2:2:2 scheme with its re-guarantor, as an administrator draws it up."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from models.customer.partner import GuaranteeCompany, PartnerRole
from models.guarantee.scheme import (
    SchemeBank,
    SchemeProduct,
    SchemeRule,
    SchemeShare,
    SharingParty,
    SharingScheme,
)
from workflows.base import records
from workflows.guarantee import scheme as schemes

# party, % of the risk, % of the fee
USUAL = (
    (SharingParty.BANK, "20", "0"),
    (SharingParty.OWN, "40", "60"),
    (SharingParty.PROVINCE, "20", "20"),
    (SharingParty.NATIONAL, "20", "20"),
)


def company(line, name="江州信用再担保有限公司", uscc="91320100MA1MU7RE3X"):
    """A company that re-guarantees."""
    found = line.session.scalar(select(GuaranteeCompany).where(GuaranteeCompany.name == name))
    if found is None:
        found = GuaranteeCompany(
            name=name, uscc=uscc, role=PartnerRole.RE_GUARANTEE, share_pct=Decimal(40)
        )
        line.session.add(found)
        line.session.flush()
    return found


def drawn_up(line, code="FX4222", shares=USUAL, **facts):
    """A draft with shares, the usual bank and product."""
    ctx = line.ctx()
    made = records.create(
        ctx,
        SharingScheme,
        {"code": code, "name": f"银担分险 {code}", "valid_from": date(2026, 1, 1), **facts},
    )
    again = company(line)
    for party, share, fee in shares:
        values = {
            "scheme_id": made.id,
            "party": party,
            "company_id": again.id if party.is_reguarantor else None,
            "share_pct": share,
            "fee_share_pct": fee,
        }
        records.create(ctx, SchemeShare, values)
    entry = {"scheme_id": made.id, "bank_id": line.bank().id, "breaker_pct": "3"}
    records.create(ctx, SchemeBank, entry)
    records.create(ctx, SchemeProduct, {"scheme_id": made.id, "product_id": line.product().id})
    return made


def rule(line, scheme, name, condition, use):
    """A condition of a draft."""
    values = {"scheme_id": scheme.id, "name": name, "condition": condition, "use": use}
    return records.create(line.ctx(), SchemeRule, values)


def in_use(line, code="FX4222", shares=USUAL, **facts):
    """A scheme that applications may choose."""
    return schemes.enable(line.ctx(), drawn_up(line, code, shares, **facts))
