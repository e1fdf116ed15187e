"""合同: the text of a contract from its draft on, as section of its page and of its approval, and as PDF (样稿)."""

import io
from typing import ClassVar

from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from markupsafe import Markup

from models.base.entity import Entity
from models.base.errors import BusinessError
from models.base.paper import OPEN_PAPERS
from models.guarantee.signing import Contract
from views.kit import edge, hooks
from views.kit.documents import send
from views.kit.entity_view import EntityView
from views.kit.pages import Action, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import contracts


class ContractView(EntityView):
    """Screens of Contract, with the PDF of its draft."""

    model: ClassVar[type[Entity]] = Contract

    @expose("/<pk>/draft")
    @edge.screen("show")
    def draft(self, pk: str) -> ResponseReturnValue:
        """The draft as PDF; each look leaves a line."""
        with edge.writing() as ctx:
            found = records.find(ctx, Contract, pk)
            data = contracts.draft_pdf(ctx, found)
        return send(
            io.BytesIO(data),
            "application/pdf",
            f"{found.kind.label}样稿_{found.number}.pdf",
            inline=True,
        )


def text_section(record: Entity, ctx: Ctx) -> Section | None:
    """What the contract will say, until it is issued; a template that does not fit says why instead."""
    if not isinstance(record, Contract) or record.state not in OPEN_PAPERS:
        return None
    section = Section("text", "合同文本（样稿）", template="parts/draft.html", empty="")
    try:
        found = contracts.draft(ctx, record)
    except BusinessError as error:
        section.data = ("", f"暂不能生成样稿：{error.message}")
        return section
    said = f"以下内容还没有，文本中留空待填：{'、'.join(found.missing)}" if found.missing else ""
    section.data = (Markup(found.shown), said)  # noqa: S704 - sanitised by render_letter
    section.actions = [
        Action(
            "打开样稿 PDF", f"/contract/{record.id}/draft", icon="print", why_not=found.why_closed
        )
    ]
    return section


hooks.TEXTS.append(text_section)
