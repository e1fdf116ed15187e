"""The application's form: what product, bank and colleague propose, and the copy that renews a project."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from models.base.entity import Entity
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product, RepaymentMethod
from models.guarantee.project import Project, ProjectState, RenewalKind
from models.guarantee.scheme import SharingParty, SharingScheme
from reports.figures import products, sharing
from reports.figures.parameters import number
from views.kit import edge
from views.kit.entity_view import EntityView
from views.kit.interface import EntityInterface
from views.kit.pages import FormPage
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import application, renewal, smallness

NEW = "新建担保申请"


class ProjectForms(EntityView):
    """The part of the project's screens in which an application is written."""

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """The form bears the name of its button; product and bank propose their terms as they are chosen."""
        if record is None:
            former = _renewed()
            page.title = f"续保 {former.number}" if former else NEW
            page.crumbs = [*page.crumbs[:-1], (page.title, "")]
            page.propose_url, page.can_go_on = self.url("proposed"), former is None
        return page

    @expose("/proposed")
    @edge.screen("add")
    def propose(self) -> ResponseReturnValue:
        """What the product or the bank that was just chosen proposes, as the form's controls hold it."""
        found = self.proposed(edge.current_ctx(), self._chosen())
        return jsonify({name: _as_typed(value) for name, value in found.items()})

    def proposed(self, ctx: Ctx, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Rates and way of repayment of the product; the bank's share by its agreement, the least one otherwise."""
        found: dict[str, Any] = {}
        if (product := ctx.session.get(Product, chosen.get("product_id", 0))) is not None:
            found |= {
                "fee_rate_pct": product.fee_rate_pct,
                "repayment_method": product.repayment_method,
            }
            if (rate := products.rate_of(ctx.session, product, ctx.today)) is not None:
                found["rate_annual_pct"] = rate
            if not product.has_counter:
                found["counter_offer"] = "产品不要求反担保"
        if (bank := ctx.session.get(PartnerBank, chosen.get("bank_id", 0))) is not None:
            least = number(ctx.session, "bank.share_min_pct", ctx.today)
            found["bank_share_pct"] = max(bank.share_pct, least)
            if product is not None:
                schemes = sharing.offered(ctx.session, product.id, bank, ctx.today)
                if len(schemes) == 1:
                    found["scheme_id"] = schemes[0].id
        if (scheme := ctx.session.get(SharingScheme, chosen.get("scheme_id", 0))) is not None:
            shares = {share.party: share.share_pct for share in scheme.shares}
            found["bank_share_pct"] = shares.get(SharingParty.BANK, Decimal(0))
        return found

    def form_names(self, record: Entity | None, ctx: Ctx) -> list[str]:
        """How it renews another is asked of a renewal alone."""
        names = super().form_names(record, ctx)
        former = _renewed() if record is None else getattr(record, "renewed_from_id", None)
        return names if former else [name for name in names if name != "renewal_kind"]

    def save(
        self, ctx: Ctx, record: Entity | None, values: Mapping[str, Any], version: int | None
    ) -> Entity:
        """A copy of a project is an application that renews it."""
        former = _renewed() if record is None else None
        if former is None:
            return super().save(ctx, record, values, version)
        return renewal.renew(ctx, records.find(ctx, Project, former.id), values)

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """The bank's least share, the usual B角; what most applications have, or what the renewed project had."""
        share = number(ctx.session, "bank.share_min_pct", ctx.today)
        found = {"bank_share_pct": share, "repayment_method": RepaymentMethod.EQUAL_INSTALMENT}
        if (former := _renewed()) is not None:
            found |= {name: getattr(former, name) for name in self.form_names(None, ctx)}
            found["scheme_id"] = sharing.now_valid(ctx.session, former.scheme_id, ctx.today)
            usual = smallness.usual(former.customer)  # by the customer's size as it is now
            if former.state is ProjectState.IN_FORCE:
                found["renewal_kind"] = RenewalKind.REPAY_FIRST
            if not former.small_reason and former.small_kind not in usual:
                found["small_kind"] = usual[0]
        if found.get("assistant_id") in (None, ctx.actor.employee_id):
            found["assistant_id"] = application.usual_assistant(ctx)
        return found


def _renewed() -> Project | None:
    """The project that the address asks to copy, if the reader may look at it."""
    if "renews" not in request.args:
        return None
    found = EntityInterface(Project).find(request.args["renews"])
    assert isinstance(found, Project)
    return found


def _as_typed(value: Any) -> str:
    return (
        f"{value.normalize():f}"
        if isinstance(value, Decimal)
        else str(getattr(value, "name", value))
    )
