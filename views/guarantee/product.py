"""The product page: what a project of it will go through, and what is still missing (10.3)."""

from typing import Any, ClassVar

from models.base.entity import Entity
from models.guarantee.product import Product
from reports.figures.composition import Line, composition
from views.kit.entity_view import EntityView
from views.kit.pages import GateItem, RecordPage, Section
from workflows.base.context import Ctx

OVERVIEW = "overview"


class ProductView(EntityView):
    """Screens of 产品种类; the page opens with 办理概览."""

    model: ClassVar[type[Entity]] = Product

    def default_tab(self, found: Entity) -> str:
        """What a project goes through is what a product is looked at for."""
        del found
        return OVERVIEW

    def extra_sections(self, found: Entity, ctx: Ctx) -> list[Any]:
        """办理概览, beside the tabs of the parts."""
        overview = Section(OVERVIEW, "办理概览", template="parts/gate.html", data=[])
        return [overview, *super().extra_sections(found, ctx)]

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """The overview is worked out where it is open, also in place of a tab that there is not; gaps are told."""
        assert isinstance(record, Product)
        found = super().enrich(page, record, ctx)
        overview = next(section for section in found.sections if section.key == OVERVIEW)
        if found.active in {section.key for section in found.sections} - {OVERVIEW}:
            return found
        lines = composition(ctx.session, record, ctx.today)
        overview.data = [_item(line) for line in lines]
        if lacking := sum(bool(line.gaps) for line in lines):
            overview.count = lacking
            words = f"还有 {lacking} 项待补充，见“办理概览”中标红的各项。"
            found.notice = found.notice or words
        return found


def _item(line: Line) -> GateItem:
    url = f"?tab={line.table}#tabs" if line.table else ""
    told = "；".join([*line.gaps, *filter(None, [line.told])])
    return GateItem(
        line.label,
        not line.gaps,
        "维护" if url else "",
        url,
        "去补充" if url else "",
        detail=told,
    )
