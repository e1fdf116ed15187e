"""What a node asks for besides the opinion, on the page of the decision: fields, files, a signature (A10, A11)."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from flask import request
from markupsafe import Markup

from models.approval.approval import ApprovalInstance, ApprovalTask, SignatureRule, TaskOrigin
from models.base.entity import Entity
from models.base.errors import BusinessError
from reports.figures import node_fields
from reports.figures.custom_fields import fields_seen
from views.kit import widgets
from views.kit.cells import Cells
from views.kit.forms import EntityForm
from views.kit.interface import shape
from views.kit.pages import ApprovalPage, Fact, Field
from workflows.approval.at_node import Given, is_asked, stands
from workflows.approval.signatures import BYTES_MAX
from workflows.approval.steps import record_of
from workflows.base import attachments
from workflows.base.context import Ctx

_HEAD = "data:image/png;base64,"
_FILE = "file_"
_SHOWN = "shown."  # no field has such a name


def add(
    ctx: Ctx,
    page: ApprovalPage,
    task: ApprovalTask,
    paper: Entity | None,
    error: BusinessError | None,
) -> None:
    """Put what the node asks for on the page of whoever may decide the task; what was typed stays."""
    node, was_sent = task.node, error is not None and request.method == "POST"
    if paper is not None and is_asked(task):
        asked = node_fields.asked(ctx.session, task.instance, node)
        page.facts += _shown(ctx, paper, asked.shown)
        fields = _fields(ctx, paper, asked, error if was_sent else None)
        known = fields_seen(ctx.session, type(paper), ctx.actor)
        page.fields = [*fields, *page.fields]
        page.hidden += [(_SHOWN + one.key, stands(known[one.key], paper)) for one in fields]
        page.files = [_file(code, label, error) for code, label in asked.missing]
    if node.signature is not SignatureRule.NONE and task.origin is not TaskOrigin.ENTRUST:
        page.signature = node.signature.label
        page.signature_value = request.form.get("signature", "") if was_sent else ""


def _shown(ctx: Ctx, paper: Entity, names: tuple[str, ...]) -> list[Fact]:
    known = shape(type(paper))
    cells = Cells(ctx, type(paper))
    mine = [name for name in names if name in known.fields]
    cells.prepare([paper], mine)
    return [Fact(known.label(name), cells.cell(paper, name)) for name in mine]


def _fields(
    ctx: Ctx, paper: Entity, asked: node_fields.Asked, error: BusinessError | None
) -> list[Field]:
    known = shape(type(paper))
    names = [name for name in asked.filled if name in known.fields]
    if not names:
        return []
    form = EntityForm(ctx, type(paper), paper, names)
    form = form.show() if error is None else form.read(request.form).refuse(error)
    found = [one for group in form.groups() for one in group.fields]
    for one in found:
        one.required = one.required or one.key in asked.required
    return found


def _file(code: str, label: str, error: BusinessError | None) -> Field:
    key = _FILE + code
    errors = error.field_errors.get(key, ()) if error is not None else ()
    html = Markup("<input %s>") % widgets.attributes(
        type="file", name=key, id=key, class_="form-control", aria_required="true"
    )
    return Field(key, label, html, "file", required=True, errors=tuple(errors))


def given(ctx: Ctx, task: ApprovalTask) -> Given:
    """What was sent with a decision: what stands in the fields that the node asks for, and the signature."""
    values: Mapping[str, Any] = {}
    shown: Mapping[str, str] = {}
    if is_asked(task):
        names = node_fields.asked(ctx.session, task.instance, task.node).filled
        values = {name: request.form[name] for name in names if name in request.form}
        shown = {
            name: request.form[_SHOWN + name] for name in values if _SHOWN + name in request.form
        }
    return Given(values, _signature(request.form.get("signature", "")), shown)


def take_files(ctx: Ctx, instance: ApprovalInstance, task: ApprovalTask) -> None:
    """Hang the files that the node demands and that were sent along on the record."""
    for code, _ in node_fields.missing_files(ctx.session, instance, task.node):
        sent = request.files.get(_FILE + code)
        if sent is None or not sent.filename:
            continue
        data = sent.stream.read(attachments.max_bytes(ctx) + 1)
        try:
            attachments.store(
                ctx, record_of(ctx, instance), filename=sent.filename, data=data, category=code
            )
        except BusinessError as error:
            if error.field != "file":
                raise
            raise BusinessError(error.message, field=_FILE + code) from error


def _signature(text: str) -> bytes:
    """The picture as the page sends it; what is none is refused as a signature is."""
    if not text:
        return b""
    if not text.startswith(_HEAD) or len(text) > BYTES_MAX * 2:
        raise BusinessError("签名不是有效的图片，请重新签名", field="signature")
    try:
        return base64.b64decode(text.removeprefix(_HEAD), validate=True)
    except (binascii.Error, ValueError):
        raise BusinessError("签名不是有效的图片，请重新签名", field="signature") from None
