"""Issuing documents: number, data and template freeze in one row; the PDF is printed when first seen and kept (X11)."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, Conflict, NotFound
from models.base.kinds import Kind
from models.system.records import Attachment, DocumentTemplate, IssuedDocument, PaperSize
from reports.base.documents import (
    DOCUMENT_KINDS,
    DocumentKind,
    letter_pdf,
    long_pdf,
    render_letter,
    template_source,
    verify_code,
)
from reports.base.documents_template import SIGNATURE
from reports.figures import uses
from reports.figures.custom_print import printed
from reports.figures.document_templates import template_for
from workflows.base import audit, plain_papers
from workflows.base.context import Ctx
from workflows.base.file_store import digest_of, path_of, write_whole
from workflows.base.numbering import next_number
from workflows.base.papers import require_reader

PAPERS = {
    ("A4", "portrait"): PaperSize.A4,
    ("A4", "landscape"): PaperSize.A4_LANDSCAPE,
    ("A5", "landscape"): PaperSize.A5,
}


@uses.finds(DocumentTemplate)
def asked_by_code(_: Session, template: DocumentTemplate) -> Iterator[uses.Use]:
    """The product issues a document by the code of its template."""
    if template.code in DOCUMENT_KINDS:
        yield uses.Use(f"业务功能按编码“{template.code}”出具文书")


def load_templates(session: Session) -> int:
    """Insert the seeded templates that are missing, as version 1; what administrators edited stays theirs."""
    present = set(session.scalars(select(DocumentTemplate.code)))
    made = [
        DocumentTemplate(
            code=kind.key,
            label=kind.title,
            paper=PAPERS[kind.page_size, kind.orientation],
            body=template_source(kind.key),
            version_no=1,
        )
        for kind in DOCUMENT_KINDS.values()
        if kind.key not in present
    ]
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
    template = _template(ctx, template_code, record, project)
    number = number or next_number(ctx, number_rule)
    told = {**data, "custom": _custom(ctx, record, project)}
    whole = _whole(ctx, told, number, title)
    body = render_letter(template.body, whole)
    code = verify_code(body, number)
    made = IssuedDocument(
        number=number,
        title=title,
        template_code=template_code,
        template_version=template.version_no,
        paper=template.paper,
        owner_table=record.__tablename__,
        owner_id=record.id,
        project_id=_project_id(record, project),
        data=frozen(whole),
        body=body,
        sha256=code,
        masked_of=plain_papers.owners_of_plain_text(whole, body) or None,
        pdf_path=f"documents/{ctx.today:%Y}/{code}.pdf",
        issued_by_id=ctx.actor.employee_id,
        issued_at=ctx.now,
    )
    ctx.session.add(made)
    ctx.session.flush()
    own = f"（产品模板“{template.label}”）" if template.general_id is not None else ""
    audit.log(ctx, record, "ISSUE", note=f"出具{title}：{number}{own}")
    return made


def draft(
    ctx: Ctx,
    template_code: str,
    record: Entity,
    *,
    title: str,
    number: str,
    data: Mapping[str, Any],
) -> str:
    """The text as it would be issued today; nothing is kept."""
    told = {**data, "custom": _custom(ctx, record, None)}
    template = _template(ctx, template_code, record, None)
    return render_letter(template.body, _whole(ctx, told, number, title))


def _custom(ctx: Ctx, record: Entity, project: Entity | None) -> dict[str, Any]:
    """The custom fields of the record, of its project and of their customer."""
    project = project or getattr(record, "project", None)
    return printed(ctx.session, (record, project, getattr(project or record, "customer", None)))


def _template(ctx: Ctx, code: str, record: Entity, project: Entity | None) -> DocumentTemplate:
    """The text of the project's product where it has one of its own in use, else the general one."""
    project = project or getattr(record, "project", None) or record
    found = template_for(ctx.session, code, getattr(project, "product_id", None))
    if found is None:
        raise BusinessError(f"文书模板“{code}”不存在或已停用，请在“文书模板”中设置")
    return found


def _whole(ctx: Ctx, data: Mapping[str, Any], number: str, title: str) -> dict[str, Any]:
    return {
        **data,
        "doc": {"date": ctx.today, **data.get("doc", {}), "number": number, "title": title},
    }


def pdf(ctx: Ctx, document: IssuedDocument) -> Path:
    """The document's PDF for who may read its record: printed when first asked for, the same file ever after.

    Raises Conflict where the row or the file is not what was issued: nobody is handed a paper that was tampered with.
    Raises NotAllowed where it prints personal data that the reader has neither the right nor the work to see (X9).
    """
    _require_reader(ctx, document)
    plain_papers.require_open(ctx, document)
    require_unaltered(ctx.session, document)
    path = Path(ctx.session.info["data_dir"]) / document.pdf_path
    if not is_printed(document):
        _print_once(ctx, document, path)
        return path
    found = digest_of(path)
    if found is None:
        raise NotFound(f"文书“{document.number}”的文件已不在存储中，请联系系统管理员从备份恢复")
    if found != document.pdf_sha256:
        raise Conflict(
            f"文书“{document.number}”的 PDF 文件与打印时不符，请联系系统管理员从备份恢复"
        )
    return path


def is_printed(document: IssuedDocument) -> bool:
    """Whether the PDF was made; making it writes its digest, so the caller begins a unit of work for it."""
    return document.pdf_sha256 is not None


def _print_once(ctx: Ctx, document: IssuedDocument, path: Path) -> None:
    """Make the file and keep its digest; one that lies there already was made by nobody, or by an earlier release."""
    ctx.session.refresh(document, with_for_update={"of": IssuedDocument})
    if is_printed(document):
        return
    data = _print(document, _signatures(ctx, document))
    path.unlink(missing_ok=True)
    write_whole(path, data)
    document.pdf_sha256 = hashlib.sha256(data).hexdigest()
    ctx.session.flush()


def require_unaltered(session: Session, document: IssuedDocument) -> None:
    """Raise Conflict where a document does not say what it said when it was issued."""
    if is_altered(session, document):
        raise Conflict(f"文书“{document.number}”的内容与出具时的校验码不符，请联系系统管理员")


def is_altered(session: Session, document: IssuedDocument) -> bool:
    """Whether body or row differ from what was issued: by the code, and by the last line of the trail about the row."""
    if verify_code(document.body, document.number) != document.sha256:
        return True
    told = audit.told_digest(session, document)
    return told is not None and told != audit.present_digest(session, document)


def verify_document(session: Session, number: str, code: str) -> IssuedDocument | None:
    """The issued document with this number and verification code (文档核验); None when there is none.

    A row or text that was changed since is none: the paper says what was issued, the system something else.
    """
    found = session.scalars(
        select(IssuedDocument).where(IssuedDocument.number == number.strip())
    ).one_or_none()
    if found is None:
        return None
    asked = "".join(sign for sign in code.upper() if sign.isalnum())
    is_same = asked == found.sha256.replace("-", "") and not is_altered(session, found)
    return found if is_same else None


def damaged_documents(session: Session) -> Iterator[str]:
    """What `flask verify` says of documents whose text or file is no longer what was issued."""
    of = IssuedDocument
    query = select(of.number, of.body, of.sha256, of.pdf_path, of.pdf_sha256).order_by(of.id)
    with session.execute(query, execution_options={"yield_per": 100}) as rows:
        for number, body, code, pdf_path, printed in rows:
            if verify_code(body, number) != code:
                yield f"文书“{number}”的内容与出具时的校验码不符"
            if printed is None:
                continue
            found = digest_of(Path(session.info["data_dir"]) / pdf_path)
            if found != printed:
                yield f"文书“{number}”的 PDF 文件" + ("不存在" if found is None else "已被改动")


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


def _signatures(ctx: Ctx, document: IssuedDocument) -> dict[str, bytes]:
    """The pictures that the text names, of those that hang on its record; one that is gone is an error, not a gap."""
    named = {
        one.removeprefix(SIGNATURE) for one in re.findall(SIGNATURE + "[0-9a-f]{64}", document.body)
    }
    if not named:
        return {}
    query = select(Attachment.sha256, Attachment.stored_path).where(
        Attachment.owner_table == document.owner_table,
        Attachment.owner_id == document.owner_id,
        Attachment.detected_type == "image/png",
        Attachment.sha256.in_(named),
    )
    found = {digest: path_of(ctx.session, stored) for digest, stored in ctx.session.execute(query)}
    if len(found) < len(named) or not all(path.is_file() for path in found.values()):
        raise NotFound(f"文书“{document.number}”上的签名已不在存储中，请联系系统管理员从备份恢复")
    return {digest: path.read_bytes() for digest, path in found.items()}


def _print(document: IssuedDocument, signatures: Mapping[str, bytes]) -> bytes:
    kind = DOCUMENT_KINDS.get(
        document.template_code, DocumentKind(document.template_code, document.title)
    )
    if kind.long:
        return long_pdf(
            document.body, title=document.title, number=document.number, signatures=signatures
        )
    size, orientation = next(paper for paper, name in PAPERS.items() if name is document.paper)
    return letter_pdf(
        document.body,
        title=document.title,
        number=document.number,
        page_size="A5" if size == "A5" else "A4",
        orientation="landscape" if orientation == "landscape" else "portrait",
    )


def _project_id(record: Entity, project: Entity | None) -> int | None:
    if project is not None:
        return project.id
    return record.id if record.__tablename__ == "project" else getattr(record, "project_id", None)


def _require_reader(ctx: Ctx, document: IssuedDocument) -> None:
    ctx.require("show", "issued_document", "查看文书")
    require_reader(ctx, ctx.session.get(entity_of(document.owner_table), document.owner_id))
