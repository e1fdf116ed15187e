"""Issuing documents: number, data and template freeze in one row; the PDF is printed when first seen and kept (X11)."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, Conflict
from models.base.kinds import Kind
from models.records import DocumentTemplate, IssuedDocument, PaperSize
from reports.documents import (
    DOCUMENT_KINDS,
    DocumentKind,
    letter_pdf,
    long_pdf,
    render_letter,
    template_source,
    verify_code,
)
from workflows.base import audit, plain_papers
from workflows.base.context import Ctx
from workflows.base.file_store import write_whole
from workflows.base.numbering import next_number
from workflows.base.papers import require_reader

_PAPER = {
    ("A4", "portrait"): PaperSize.A4,
    ("A4", "landscape"): PaperSize.A4_LANDSCAPE,
    ("A5", "landscape"): PaperSize.A5,
}


def load_templates(session: Session) -> int:
    """Insert the seeded templates that are missing, as version 1; what administrators edited stays theirs."""
    present = set(session.scalars(select(DocumentTemplate.code)))
    made = [
        DocumentTemplate(
            code=kind.key, label=kind.title, paper=_PAPER[kind.page_size, kind.orientation],
            body=template_source(kind.key), version_no=1,
        )
        for kind in DOCUMENT_KINDS.values()
        if kind.key not in present
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    return len(made)


def issue(
    ctx: Ctx,
    template_code: str,
    record: Entity,
    *,
    title: str,
    data: Mapping[str, Any],
    number_rule: str = "",
    number: str | None = None,
    project: Entity | None = None,
) -> IssuedDocument:
    """Issue a document: its number, data, rendered text and template version never change from here on.

    `number` is given where the record itself is numbered (a contract), else the next of `number_rule` is taken.

    `doc.number`, `doc.date` and `doc.title` are filled in here. The caller has checked the permission of its own verb.
    Raises BusinessError for a template that is missing, out of use, or names what the data lack (no number is used up
    once the edge rolls back).
    """
    template = ctx.session.scalars(select(DocumentTemplate).where(DocumentTemplate.code == template_code)).one_or_none()
    if template is None or not template.is_active:
        raise BusinessError(f"文书模板“{template_code}”不存在或已停用，请在“文书模板”中设置")
    number = number or next_number(ctx, number_rule)
    doc = {"date": ctx.today, **data.get("doc", {}), "number": number, "title": title}
    whole = {**data, "doc": doc}
    body = render_letter(template.body, whole)
    code = verify_code(body, number)
    made = IssuedDocument(
        number=number, title=title, template_code=template_code, template_version=template.version_no,
        paper=template.paper, owner_table=record.__tablename__, owner_id=record.id,
        project_id=_project_id(record, project), data=frozen(whole), body=body, sha256=code,
        masked_of=plain_papers.owners_of_plain_text(whole, body) or None,
        pdf_path=f"documents/{ctx.today:%Y}/{code}.pdf", issued_by_id=ctx.actor.employee_id, issued_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    audit.log(ctx, record, "ISSUE", note=f"出具{title}：{number}")
    return made


def pdf(ctx: Ctx, document: IssuedDocument) -> Path:
    """The document's PDF for who may read its record: printed when first asked for, the same file ever after.

    Raises NotAllowed where it prints personal data that the reader has neither the right nor the work to see (X9).
    """
    _require_reader(ctx, document)
    plain_papers.require_open(ctx, document)
    path = Path(ctx.session.info["data_dir"]) / document.pdf_path
    if path.is_file():
        return path
    if verify_code(document.body, document.number) != document.sha256:
        raise Conflict(f"文书“{document.number}”的内容与出具时的校验码不符，请联系系统管理员")
    write_whole(path, _print(document))
    return path


def verify_document(session: Session, number: str, code: str) -> IssuedDocument | None:
    """The issued document with this number and verification code (文书核验); None when there is none."""
    found = session.scalars(select(IssuedDocument).where(IssuedDocument.number == number.strip())).one_or_none()
    if found is None:
        return None
    asked = "".join(sign for sign in code.upper() if sign.isalnum())
    is_same = asked == found.sha256.replace("-", "") and verify_code(found.body, found.number) == found.sha256
    return found if is_same else None


def frozen(value: Any) -> Any:
    """The data as the row keeps them: JSON without loss, decimals and dates as text."""
    if isinstance(value, Mapping):
        return {str(key): frozen(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [frozen(part) for part in value]
    if isinstance(value, Kind):
        return value.label
    if isinstance(value, Decimal | date | datetime):
        return str(value)
    return value


def _print(document: IssuedDocument) -> bytes:
    kind = DOCUMENT_KINDS.get(document.template_code, DocumentKind(document.template_code, document.title))
    if kind.long:
        return long_pdf(document.body, title=document.title, number=document.number)
    size, orientation = next(paper for paper, name in _PAPER.items() if name is document.paper)
    return letter_pdf(
        document.body, title=document.title, number=document.number,
        page_size="A5" if size == "A5" else "A4", orientation="landscape" if orientation == "landscape" else "portrait",
    )  # fmt: skip


def _project_id(record: Entity, project: Entity | None) -> int | None:
    if project is not None:
        return project.id
    return record.id if record.__tablename__ == "project" else getattr(record, "project_id", None)


def _require_reader(ctx: Ctx, document: IssuedDocument) -> None:
    ctx.require("show", "issued_document", "查看文书")
    require_reader(ctx, ctx.session.get(entity_of(document.owner_table), document.owner_id))
