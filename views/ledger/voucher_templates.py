"""凭证模板 (8.2): the button that begins a voucher with one."""

from models.base.entity import Entity
from models.ledger.voucher_template import VoucherTemplate
from views.kit.entity_view import EntityView
from views.kit.pages import Action
from views.ledger.voucher_form import TEMPLATE
from workflows.base.context import Ctx


class VoucherTemplateView(EntityView):
    """Screens of VoucherTemplate."""

    model = VoucherTemplate

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """按模板填制 before all else."""
        found = super().verbs(record, ctx)
        if ctx.actor.may("add", "voucher"):
            url = f"/voucher/add?{TEMPLATE}={record.id}"
            found.insert(0, Action("按模板填制", url, style="primary", icon="plus"))
        return found
