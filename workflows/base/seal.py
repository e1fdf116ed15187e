"""Sealing of the audit trail: rows are chained in batches, so that writing them locks nobody (architecture rule 8)."""

import hashlib
import json
from contextlib import closing
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models.system import AuditLog
from workflows.base.context import Ctx
from workflows.base.numbering import next_count

COUNTER = "audit.seal"
_BATCH = 5000
_TABLE = AuditLog.metadata.tables["audit_log"]
_FIELDS = (
    "at", "employee_id", "actor_name", "on_behalf_of_id", "ip", "source", "table_name", "record_id", "record_title",
    "action", "changes", "note", "log_kind", "project_id",
)  # fmt: skip


def link(previous: str, row: Any) -> str:
    """The hash of a row on top of the one before it."""
    content = {name: getattr(row, name) for name in _FIELDS}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def seal_audit_trail(ctx: Ctx) -> int:
    """Seal the rows written since the last sealing, in order; returns how many."""
    session = ctx.session
    unsealed = select(AuditLog.id).where(AuditLog.seal_hash.is_(None))
    if session.scalar(unsealed.limit(1)) is None:
        return 0
    # The day-end and the clock may seal at once: the counter row makes the second one wait until the first commits.
    next_count(ctx, COUNTER)
    last, previous = _end_of_chain(session)
    columns = (AuditLog.id, *(getattr(AuditLog, name) for name in _FIELDS))
    rows = session.execute(
        select(*columns).where(AuditLog.seal_hash.is_(None)).order_by(AuditLog.id).limit(_BATCH)
    ).all()
    sealed = []
    for no, row in enumerate(rows, last + 1):
        previous = link(previous, row)
        sealed.append({"row_id": row.id, "hash": previous, "no": no})
    if sealed:
        seal = update(_TABLE).where(_TABLE.c.id == bindparam("row_id"))
        session.connection().execute(seal.values(seal_hash=bindparam("hash"), seal_no=bindparam("no")), sealed)
    return len(rows)


def _end_of_chain(session: Session) -> tuple[int, str]:
    query = select(AuditLog.seal_no, AuditLog.seal_hash).where(AuditLog.seal_no.is_not(None))
    found = session.execute(query.order_by(AuditLog.seal_no.desc()).limit(1)).one_or_none()
    return (0, "") if found is None else (int(found.seal_no or 0), str(found.seal_hash))


def verify_seal(session: Session) -> list[str]:
    """Names the first sealed row whose hash does not follow from its content and the row before it."""
    previous = ""
    sealed = select(AuditLog).where(AuditLog.seal_no.is_not(None)).order_by(AuditLog.seal_no)
    with closing(session.scalars(sealed.execution_options(yield_per=1000))) as rows:
        for no, row in enumerate(rows, 1):
            previous = link(previous, row)
            if row.seal_hash != previous or row.seal_no != no:
                return [f"操作日志第 {row.id} 行与封存摘要不符（{row.record_title or row.table_name}）"]
    return []
