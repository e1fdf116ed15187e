"""Buttons of registrations and of originals in and out, and what a release still waits for."""

from datetime import date
from typing import Any

from models.base import columns as c
from models.base.entity import Entity
from models.collateral.custody import CustodyPaper
from models.collateral.kind import Registry, StoragePlace
from models.collateral.pledge import CollateralPledge
from models.collateral.registration import PledgeRegistration, RegistrationState
from models.guarantee.release import Release
from views.kit import hooks
from views.kit.buttons import Button, Questions, Values, in_state, on_tab, register
from views.kit.pages import Cell, Fact, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.collateral import custody, registration
from workflows.guarantee import release


def _registered(_: Ctx, pledge: CollateralPledge) -> Questions:
    return {
        "office": c.enum(
            "登记机构", Registry, required=True, default=pledge.collateral.type.office
        ),
        "number": c.text("登记证明编号", 80, required=True),
        "amount": c.money("登记债权额", required=True, positive=True),
        "registered_on": c.day("登记日期", required=True),
        "expires_on": c.day("登记到期日", help="中登网登记必填"),
    }


def _as_pledged(ctx: Ctx, pledge: CollateralPledge) -> Values:
    return {"amount": pledge.amount, "registered_on": ctx.today}


def _renewed(_: Ctx, __: PledgeRegistration) -> Questions:
    return {
        "expires_on": c.day("展期后到期日", required=True),
        "number": c.text("新的登记证明编号", 80, help="编号不变的不填"),
    }


def _cancelled(_: Ctx, __: PledgeRegistration) -> Questions:
    return {
        "evidence": c.text("注销凭证", 120, required=True),
        "on": c.day("注销日期", required=True),
    }


def _today(ctx: Ctx, __: Any) -> Values:
    return {"on": ctx.today}


def _why_not_cancel(_: Ctx, paper: PledgeRegistration) -> str:
    return "押品仍在设押，解除后才能注销登记" if registration.stands(paper.pledge) else ""


def _stands(_: Ctx, pledge: CollateralPledge) -> bool:
    return registration.stands(pledge)


def _handled(_: Ctx, paper: CustodyPaper) -> Questions:
    asked: dict[str, Any] = {
        "counterparty": c.text("交件人 / 领取人", 60, required=True),
        "on": c.day("办理日期", required=True),
    }
    if paper.kind.needs_place:
        asked["place_id"] = c.reference("库位", "storage_place", required=True)
    return asked


def _handing(ctx: Ctx, paper: CustodyPaper) -> Values:
    who = paper.borrower.name if paper.borrower is not None else paper.counterparty
    return {"on": ctx.today, "counterparty": who}


def _carry_out(
    ctx: Ctx,
    paper: CustodyPaper,
    counterparty: str,
    on: date,
    version: int | None,
    place_id: Any = None,
) -> Any:
    place = None if place_id is None else records.find(ctx, StoragePlace, place_id)
    return custody.carry_out(ctx, paper, counterparty, place, on, version)


register(
    Button(
        registration.PLEDGE,
        registration.register,
        when=_stands,
        questions=_registered,
        given=_as_pledged,
        style="primary",
        rank=1,
        done="已登记",
        after=on_tab("pledge_registration"),
    ),
    Button(
        registration.ACTS["renew"],
        registration.renew,
        when=in_state("state", RegistrationState.VALID),
        questions=_renewed,
        rank=1,
        done="已登记展期",
    ),
    Button(
        registration.STEPS["cancel"],
        registration.cancel,
        why_not=_why_not_cancel,
        questions=_cancelled,
        given=_today,
        rank=2,
        done="已注销登记",
    ),
    Button(
        custody.STEPS["submit"], custody.submit, why_not=custody.why_not, style="primary", rank=1
    ),
    Button(
        custody.ACTS["carry_out"],
        _carry_out,
        when=custody.waits,
        why_not=custody.why_not,
        questions=_handled,
        given=_handing,
        style="primary",
        rank=1,
        done="已办理，台账已记",
    ),
    Button(custody.STEPS["drop"], custody.drop, when=custody.waits, ask="作废原因", rank=2),
)


def _waiting(record: Entity, ctx: Ctx) -> Section | None:
    """What an approved release still waits for."""
    if not isinstance(record, Release) or record.approved_on is None or record.released_on:
        return None
    words = release.waits_for(ctx, record)
    if not words:
        return None
    facts = [Fact("待办", Cell(one)) for one in words]
    return Section("waits", "解保前待办", template="parts/pairs.html", data=facts)


hooks.SECTIONS.append(_waiting)
