"""文档核验: what a printed document is, for whom, and whether it still holds, by its number and code (X11).

Every letter says that it can be checked here. Whoever holds a paper may ask without seeing its record, so names are
masked; codes are not to be guessed, so wrong ones are counted.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.entity import Entity, entities, entity_of
from models.base.errors import Conflict, FieldErrors
from models.guarantee.appraisal import BankLetter
from models.guarantee.project import Project, ProjectState
from models.system.records import IssuedDocument
from models.system.setup import AuditLog, LogKind
from reports.base.documents import DOCUMENT_KINDS
from workflows.base import audit
from workflows.base.context import Ctx
from workflows.base.documents import verify_document
from workflows.base.transition import verbs

LABEL = "文档核验"
WRONG_MAX, WITHIN = 10, timedelta(minutes=10)
_WRONG = "编号与校验码不符"
_ENDED = {
    "VOID": "已作废",
    "CANCELLED": "已撤销",
    "REVERSED": "已冲销",
    "REFUSED": "已退回",
    "REJECTED": "未通过",
    "WITHDRAWN": "已撤回",
}
_OVER = (ProjectState.CANCELLED, ProjectState.REFUSED)

verbs("issued_document", {"verify": LABEL})


class Answer(NamedTuple):
    """What the system says of a paper."""

    number: str
    kind: str
    party: str
    issued_on: date
    is_valid: bool
    standing: str


def check(ctx: Ctx, number: str, code: str) -> Answer | None:
    """What a paper with this number and code is; None when there is none, which is noted and counted.

    Raises FieldErrors for a blank, Conflict after too many wrong ones.
    """
    ctx.require("verify", "issued_document", LABEL)
    blank = {
        name: ["请填写"]
        for name, value in (("number", number), ("code", code))
        if not value.strip()
    }
    if blank:
        raise FieldErrors(blank)
    if _wrong_lately(ctx) >= WRONG_MAX:
        raise Conflict(f"核验不符次数过多，请 {WITHIN.seconds // 60} 分钟后再试")
    found = verify_document(ctx.session, number[:40], code[:40])
    if found is None:
        audit.log_event(
            ctx, "issued_document", "VERIFY", LogKind.ACCESS, f"{_WRONG}：{number.strip()[:40]}"
        )
        return None
    audit.log(ctx, found, "VERIFY", note="编号与校验码相符")
    word = ended(ctx.session, found, ctx.today)
    kind = DOCUMENT_KINDS.get(found.template_code)
    return Answer(
        found.number,
        kind.title if kind else found.title,
        masked(_party(ctx.session, found)),
        found.issued_at.date(),
        not word,
        word or "有效",
    )


def _wrong_lately(ctx: Ctx) -> int:
    query = select(func.count()).where(
        AuditLog.employee_id == ctx.actor.employee_id,
        AuditLog.action == "VERIFY",
        AuditLog.at > ctx.now - WITHIN,
        AuditLog.note.startswith(_WRONG),
    )
    return ctx.session.scalar(query) or 0


def masked(name: str) -> str:
    """A name that whoever holds the paper recognises, and nobody else learns."""
    return f"{name[:2]}****{name[-2:]}" if len(name) > 4 else name[:1] + "*" * (len(name) - 1)


def _party(session: Session, document: IssuedDocument) -> str:
    project = session.get(Project, document.project_id) if document.project_id else None
    if project is not None:
        return project.customer.name
    customer: Any = document.data.get("customer")
    return str(customer.get("name", "")) if isinstance(customer, dict) else ""


def ended(session: Session, document: IssuedDocument, today: date) -> str:
    """Why a document no longer holds; empty while it does."""
    for record in _holders(session, document):
        if word := _ENDED.get(getattr(getattr(record, "state", None), "name", "")):
            return word
        if isinstance(record, BankLetter) and (word := _letter_ended(session, record, today)):
            return word
    return _replaced(session, document)


def _holders(session: Session, document: IssuedDocument) -> list[Entity]:
    """The records of which this is the paper."""
    models = [model for model in entities() if "document_id" in model.__table__.c]
    queries = (
        select(model).where(model.__table__.c.document_id == document.id) for model in models
    )
    return [record for query in queries for record in session.scalars(query)]


def _letter_ended(session: Session, letter: BankLetter, today: date) -> str:
    if letter.project.state in _OVER:
        return f"项目{letter.project.state.label}，本函失效"
    later = select(BankLetter.number).where(
        BankLetter.project_id == letter.project_id,
        BankLetter.kind == letter.kind,
        BankLetter.id > letter.id,
    )
    if (number := session.scalar(later.order_by(BankLetter.id.desc()).limit(1))) is not None:
        return f"已由 {number} 替代"
    return (
        f"有效期至 {letter.valid_until}，已过期"
        if letter.valid_until and letter.valid_until < today
        else ""
    )


def _replaced(session: Session, document: IssuedDocument) -> str:
    """A later paper of the same kind on the same record, which the record names now."""
    owner = session.get(entity_of(document.owner_table), document.owner_id)
    if owner is None:
        return "所属业务已撤销"
    present = getattr(owner, "document_id", None)
    if present in (None, document.id):
        return ""
    other = session.get_one(IssuedDocument, present)
    return f"已由 {other.number} 替代" if other.template_code == document.template_code else ""
