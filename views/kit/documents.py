"""What hangs on records: files and remarks as sections of every record page, and the PDF of issued documents."""

from typing import Any
from urllib.parse import quote

from flask import flash, jsonify, redirect, request, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup
from werkzeug.datastructures import FileStorage

from models.base.entity import Entity
from models.base.errors import BusinessError, NotFound
from models.base.kinds import SpecKind
from models.system.errand import Errand
from models.system.records import Attachment, IssuedDocument
from reports.base.remarks import remarks_of
from reports.figures import dictionaries
from views.kit import edge, hooks, widgets
from views.kit.cells import format_value, record_url, size_text
from views.kit.entity_view import EntityView
from views.kit.interface import Titles, model_of, valid_id
from views.kit.pages import (
    Action,
    Comments,
    FieldGroup,
    FileItem,
    FormPage,
    Section,
    TimelineItem,
    Upload,
)
from views.kit.record import trail_items
from workflows.base import attachments, comments, documents, plain_papers, records
from workflows.base.context import Ctx
from workflows.base.papers import may_write, require_reader

FILES_MAX = 20
_NO_CLASS = "不分类（不算要件）"
# Kinds of record that people hang things on; reference data and logs stay bare.
_ASKED = (SpecKind.DOCUMENT, SpecKind.MASTER)
_BARE_MODULES_KEEP = (
    "customer",
    "personal_customer",
    "corporate_customer",
    "voucher",
    "business_event",
    "resubmission",
)


class AttachmentView(BaseView):
    """Files of records: POST /attachment/upload/<table>/<id>, GET /attachment/<id>/download, POST …/delete."""

    route_base = "/attachment"
    class_permission_name = "attachment"
    default_view = "download"
    title = "附件"

    @expose("/upload/<table>/<pk>", methods=("POST",))
    @edge.screen("add")
    def upload(self, table: str, pk: str) -> ResponseReturnValue:
        """Hang the posted files on a record: all of them, or none when one is refused."""
        files = [sent for sent in request.files.getlist("file") if sent.filename]
        with edge.writing() as ctx:
            record = _record(ctx, table, pk)
            if not files:
                raise BusinessError("请选择要上传的文件", field="file")
            if len(files) > FILES_MAX:
                raise BusinessError(f"一次最多上传 {FILES_MAX} 个文件", field="file")
            message, kind = _keep(ctx, record, files, request.form.get("category") or None)
        url = f"{record_url(table, record.id)}?tab=files#tabs"
        flash(message, kind)
        if edge.wants_json():
            return jsonify({"message": message})  # the page that asked is the one to show again
        return redirect(url)

    @expose("/<pk>/download")
    @edge.screen()
    def download(self, pk: str) -> ResponseReturnValue:
        """The file under its own name, never run by the browser."""
        found, path = attachments.open_attachment(edge.current_ctx(), _key(pk))
        return send(path, found.detected_type, found.original_name)

    @expose("/<pk>/delete", methods=("POST",))
    @edge.screen()
    def delete(self, pk: str) -> ResponseReturnValue:
        """Take a file off its record."""
        with edge.writing() as ctx:
            found = ctx.session.get(Attachment, _key(pk))
            if found is None:
                raise NotFound
            url = f"{record_url(found.owner_table, found.owner_id)}?tab=files#tabs"
            attachments.remove(ctx, found, valid_id(request.form.get("version", "")))
        flash("已删除附件", "success")
        return redirect(url)

    @expose("/<pk>/classify", methods=("GET", "POST"))
    @edge.screen()
    def classify(self, pk: str) -> ResponseReturnValue:
        """Say anew what a file is."""
        ctx, error = edge.current_ctx(), None
        found, _ = attachments.open_attachment(ctx, _key(pk))
        back = f"{record_url(found.owner_table, found.owner_id)}?tab=files#tabs"
        if request.method == "POST":
            category, version = (
                request.form.get("category") or None,
                valid_id(request.form.get("version", "")),
            )
            try:
                with edge.writing() as ctx:
                    attachments.classify(ctx, records.find(ctx, Attachment, pk), category, version)
                flash(f"“{found.original_name}”的类别已保存", "success")
                return redirect(back)
            except BusinessError as refusal:
                if refusal.status in (403, 404):
                    raise
                error = refusal
        page = _classing(ctx, found, back, error)
        return self.render_template("form.html", page=page), (error.status if error else 200)


class CommentView(BaseView):
    """Remarks: POST /comment/<table>/<id>."""

    route_base = "/comment"
    class_permission_name = "comment"
    default_view = "add"
    title = "备注"

    @expose("/<table>/<pk>", methods=("POST",))
    @edge.screen("add")
    def add(self, table: str, pk: str) -> ResponseReturnValue:
        """Leave a remark on a record."""
        with edge.writing() as ctx:
            record = _record(ctx, table, pk)
            comments.add(ctx, record, request.form.get("text", ""))
        flash("备注已发表", "success")
        return redirect(f"{record_url(table, record.id)}?tab=comments#tabs")


class IssuedDocumentView(EntityView):
    """Screens of IssuedDocument, with its PDF."""

    model = IssuedDocument

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """The paper itself, and where it belongs."""
        assert isinstance(record, IssuedDocument)
        why = plain_papers.why_closed(ctx, record)
        found = [
            Action(
                "打开 PDF", self.url(f"{record.id}/pdf"), style="primary", icon="print", why_not=why
            )
        ]
        url = record_url(record.owner_table, record.owner_id)
        if url and ctx.actor.may("show", record.owner_table):
            found.append(Action("来源业务", url))
        return found

    def extra_sections(self, record: Entity, ctx: Ctx) -> list[Section]:
        """Who opened it, where each opening leaves a line."""
        assert isinstance(record, IssuedDocument)
        found = super().extra_sections(record, ctx)
        if record.masked_of and (
            ctx.actor.may("list", "audit_log") or not plain_papers.why_closed(ctx, record)
        ):
            lines = trail_items(ctx, record, Titles(ctx.session))
            empty = "还没有人打开过"
            found.append(
                Section(
                    "openings",
                    "打开记录",
                    template="parts/timeline.html",
                    data=lines,
                    count=len(lines),
                    empty=empty,
                )
            )
        return found

    @expose("/<pk>/pdf")
    @edge.screen("show")
    def pdf(self, pk: str) -> ResponseReturnValue:
        """The document as it was issued, for whoever may read its record; personal data leave a line first."""
        ctx = edge.current_ctx()
        found = records.find(ctx, IssuedDocument, pk)
        if documents.is_printed(found):
            path = documents.pdf(ctx, found)
        else:
            with edge.writing() as ctx:
                found = records.find(ctx, IssuedDocument, pk)
                path = documents.pdf(ctx, found)
        if found.masked_of:
            with edge.writing() as ctx:
                plain_papers.log_opening(ctx, found)
        return send(path, "application/pdf", f"{found.title}_{found.number}.pdf", inline=True)


def _keep(
    ctx: Ctx, record: Entity, files: list[FileStorage], category: str | None
) -> tuple[str, str]:
    """Store what was sent: what to say, and how; bytes that hang there already under another name are named."""
    before = {one.id: one.category for one in attachments.attachments_of(ctx.session, record)}
    label = dictionaries.labels(ctx.session, "document_category").get(category or "", "")
    told = []
    for sent in files:
        name = sent.filename or ""
        made = attachments.store(ctx, record, filename=name, data=sent.read(), category=category)
        if made.id in before:
            done = f"已将它归入“{label}”" if before[made.id] != made.category else "没有重复保存"
            told.append(
                f"“{attachments.clean_name(name)}”与已有的“{made.original_name}”内容相同，{done}"
            )
        before[made.id] = made.category
    count = len(files) - len(told)
    said = [f"已上传 {count} 个文件"] if count else []
    if count and category is None:
        said.append("不分类的文件不算要件，可以随时改类别")
    return "；".join(said + told), "warning" if told else "success"


def _classing(ctx: Ctx, found: Attachment, back: str, error: BusinessError | None) -> FormPage:
    options = [("", _NO_CLASS), *dictionaries.items(ctx.session, "document_category")]
    chosen = request.form.get("category", found.category or "")
    errors = error.field_errors if error else None
    field = widgets.choice("category", "要件类别", options, chosen, errors=errors)
    version = Markup('<input type="hidden" name="version" value="%s">') % (
        request.form.get("version") or found.version
    )
    top = [("", "", message) for message in (errors or {}).get("", ())]
    return FormPage(
        f"改类别：{found.original_name}",
        [FieldGroup("", [field])],
        f"/attachment/{found.id}/classify",
        back,
        hidden=[edge.csrf_input(), version],
        errors=top,
        crumbs=[("附件", back), ("改类别", "")],
    )


def send(path: Any, kind: str, name: str, *, inline: bool = False) -> ResponseReturnValue:
    """A stored file; its name travels as UTF-8, and only our own PDFs open in the browser."""
    response = send_file(path, mimetype=kind)
    how = "inline" if inline else "attachment"
    response.headers["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if not inline:
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def files_section(record: Entity, ctx: Ctx) -> Section | None:
    """附件 of a record, with a place to drop more."""
    if not _has_papers(record) or not ctx.actor.may("show", "attachment"):
        return None
    table, found = str(record.__tablename__), attachments.attachments_of(ctx.session, record)
    labels = dictionaries.labels(ctx.session, "document_category")
    items = [_file(item, labels, _changes(ctx, record, item)) for item in found]
    upload = None
    if ctx.actor.may("add", "attachment") and may_write(ctx, record):
        kinds = "、".join(kind.lstrip(".") for kind in attachments.ALLOWED)
        options = [("", _NO_CLASS), *dictionaries.items(ctx.session, "document_category")]
        upload = (
            Upload(
                f"/attachment/upload/{table}/{record.id}",
                accept=",".join(attachments.ALLOWED),
                many=True,
                help=f"可以上传 {kinds}，一次最多 {FILES_MAX} 个",
            ),
            widgets.choice("category", "要件类别", options),
        )
    return Section(
        "files",
        "附件",
        template="parts/attachments.html",
        data=(items, upload),
        count=len(items),
        empty="还没有附件",
    )


def _changes(ctx: Ctx, record: Entity, item: Attachment) -> list[Action]:
    """What the reader may do with a file besides opening it."""
    found = []
    if attachments.may_classify(ctx, record, item):
        found.append(Action("改类别", f"/attachment/{item.id}/classify"))
    if attachments.may_remove(ctx, record, item):
        fields = (("version", str(item.version)),)
        url, ask = f"/attachment/{item.id}/delete", f"删除附件“{item.original_name}”？"
        found.append(Action("删除", url, "POST", "danger", confirm=ask, fields=fields))
    return found


def _file(item: Attachment, labels: dict[str, str], actions: list[Action]) -> FileItem:
    words = [
        labels.get(item.category or "", "") or "未分类，不算要件",
        size_text(item.size_bytes),
        format_value(item.uploaded_at, "datetime"),
    ]
    return FileItem(
        item.original_name, f"/attachment/{item.id}/download", " · ".join(words), actions
    )


def comments_section(record: Entity, ctx: Ctx) -> Section | None:
    """备注 of a record with a box for the next one."""
    if not _has_papers(record):
        return None
    items = [
        TimelineItem(
            format_value(one.at, "datetime"),
            one.by,
            one.words,
            url=f"/errand/show/{one.errand_id}" if one.errand_id else "",
        )
        for one in remarks_of(ctx.session, record)
    ]
    is_writer = may_write(ctx, record)
    here = f"{record.__tablename__}/{record.id}"
    url = f"/comment/{here}" if is_writer and ctx.actor.may("add", "comment") else ""
    errand = f"owner_table={record.__tablename__}&owner_id={record.id}"
    may_ask = is_writer and ctx.actor.may("add", "errand") and not isinstance(record, Errand)
    return Section(
        "comments",
        "备注与交办",
        template="parts/comments.html",
        data=Comments(items, url, f"/errand/add?{errand}" if may_ask else ""),
        count=len(items),
    )


def _has_papers(record: Entity) -> bool:
    spec = record.spec
    if record.__tablename__ in _BARE_MODULES_KEEP:
        return True
    return spec.kind in _ASKED and not spec.module.is_back_office and not spec.scope.is_open


def _record(ctx: Ctx, table: str, pk: str) -> Entity:
    """The record that something is hung on: one with a page, within the reader's scope."""
    model = model_of(table[:64])
    if model is None or not model.spec.kind.has_screen:
        raise NotFound
    key = valid_id(pk)
    found = None if key is None else ctx.session.get(model, key)
    if found is None:
        ctx.require("show", str(model.__tablename__), f"查看{model.spec.label}")
    require_reader(ctx, found)
    assert found is not None  # or it was not found
    return found


def _key(pk: str) -> int:
    key = valid_id(pk)
    if key is None:
        raise NotFound
    return key


for _build in (files_section, comments_section):
    if _build not in hooks.SECTIONS:
        hooks.SECTIONS.append(_build)
