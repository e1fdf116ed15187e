"""文书模板 in the browser (X11): placeholders to choose from, Word files taken in, a preview with a real project."""

import io
from collections.abc import Mapping
from typing import Any, ClassVar

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose

from models.base.entity import Entity
from models.base.errors import BusinessError
from models.guarantee.product import Product
from models.guarantee.project import Project
from models.system.records import DocumentTemplate, PaperSize
from reports.base.documents_template import MAX_TEMPLATE_CHARS
from views.kit import edge, lookup
from views.kit.documents import send
from views.kit.entity_view import EntityView
from views.kit.interface import valid_id
from views.kit.pages import FormPage
from workflows.base import records
from workflows.base.context import Ctx
from workflows.guarantee import previews
from workflows.system import templates, word_text

NEW = "new"  # a template that is not saved yet


class DocumentTemplateView(EntityView):
    """Screens of DocumentTemplate, with what its editor (static/js/letter.js) asks for."""

    model: ClassVar[type[Entity]] = DocumentTemplate

    def render_template(self, template: str, **told: Any) -> str:
        """The form has an editor of its own."""
        name = "letter_form.html" if template == "form.html" else template
        rendered: str = super().render_template(name, **told)
        return rendered

    def enrich_form(self, page: FormPage, record: Entity | None, ctx: Ctx) -> FormPage:
        """The text is written in the editor; without a script it stays a box of text."""
        general = valid_id(request.args.get("general_id", ""))
        key = record.id if record else f"{NEW}-{general}" if general else NEW
        facts = {
            "data-letter": f"{self.route_base}/editor/{key}",
            "data-letter-most": str(MAX_TEMPLATE_CHARS),
            "rows": 24,
            "spellcheck": "false",
        }
        if ctx.actor.may("show", "project"):
            facts["data-letter-projects"] = f"{self.route_base}/projects"
        for field in (one for group in page.groups for one in group.fields if one.key == "body"):
            field.html.render_kw = {**(field.html.render_kw or {}), **facts}
            field.help = "从右侧选择占位符，出具时换成业务数据；保存前可用真实项目预览"
        return page

    def proposed(self, ctx: Ctx, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """One for a product begins as the general text in whose place it will stand."""
        general = ctx.session.get(DocumentTemplate, chosen.get("general_id", 0))
        if general is None:
            return {}
        product = ctx.session.get(Product, chosen.get("product_id", 0))
        found = {"body": general.body, "paper": general.paper, "label": general.label}
        if product is not None:
            found["label"] = f"{general.label}（{product.name}）"[:60]
            found["code"] = f"{general.code}_{product.code}".lower()[:40]
        return found

    @expose("/editor/<pk>")
    @edge.screen("edit", "add")
    def editor(self, pk: str) -> ResponseReturnValue:
        """What the text may print: JSON."""
        ctx = edge.current_ctx()
        groups, names = templates.palette(ctx, _of(ctx, pk).kind_code)
        found = [
            {
                "label": group.label,
                "each": group.each,
                "items": [[one.label, one.text, one.example] for one in group.items],
            }
            for group in groups
        ]
        return jsonify(groups=found, names=names)

    @expose("/projects")
    @edge.screen("edit", "add")
    def projects(self) -> ResponseReturnValue:
        """Projects to preview with, within the reader's scope: JSON."""
        ctx = edge.current_ctx()
        ctx.require("show", "project", "查看担保项目")
        page = min(valid_id(request.args.get("page", "1")) or 1, 500)
        text = request.args.get("q", "").replace("\x00", "").strip()[: lookup.MAX_TEXT]
        return jsonify(lookup.candidates(ctx, Project, text, page))

    @expose("/editor/<pk>/preview", methods=("POST",))
    @edge.screen("edit", "add")
    def preview(self, pk: str) -> ResponseReturnValue:
        """The text that was not saved yet as it would read: JSON, or with `pdf` the PDF."""
        ctx = edge.current_ctx()
        found, body = _of(ctx, pk), request.form.get("body", "").replace("\r\n", "\n")
        project = request.form.get("project", "") or None
        if request.form.get("pdf"):
            data = previews.preview_pdf(ctx, found, body, project)
            name = f"{found.label}_{previews.MARK}.pdf"
            return send(io.BytesIO(data), "application/pdf", name, inline=True)
        made = previews.preview(ctx, found, body, project)
        note = "个人信息已脱敏" if project else "用示例数据"
        if made.examples:
            note += f"；这个项目还没有的内容用示例：{'、'.join(made.examples)}"
        return jsonify(html=made.body, note=note)

    @expose("/editor/<pk>/word", methods=("POST",))
    @edge.screen("edit", "add")
    def word(self, pk: str) -> ResponseReturnValue:
        """A Word file as text for the editor; nothing is kept: JSON."""
        ctx, sent = edge.current_ctx(), request.files.get("file")
        if sent is None or not sent.filename:
            raise BusinessError("请选择 Word 文件", field="file")
        groups, _ = templates.palette(ctx, _of(ctx, pk).kind_code)
        taken = word_text.take(ctx, sent.filename, sent.read(), groups)
        return jsonify(html=taken.html, notes=list(taken.notes))


def _of(ctx: Ctx, pk: str) -> DocumentTemplate:
    if pk == NEW or pk.startswith(f"{NEW}-"):
        ctx.require("add", "document_template", "新增文书模板")
        made = DocumentTemplate(code="", label="新模板", paper=PaperSize.A4)
        if general := pk.removeprefix(NEW).removeprefix("-"):
            made.general = records.find(ctx, DocumentTemplate, general)
            made.paper = made.general.paper
        return made
    ctx.require("edit", "document_template", "修改文书模板")
    return records.find(ctx, DocumentTemplate, pk)
