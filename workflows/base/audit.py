"""The audit trail: every change of a business record, written in its own transaction (architecture rule 8)."""

import enum
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import InstanceState, PassiveFlag, Session

from models.base.entity import STAMPS, Entity, columns_of
from models.base.kinds import SpecKind
from models.system import AuditLog, LogKind
from workflows.base.context import Ctx

_SILENT = (SpecKind.INTERNAL, SpecKind.LOG)
# What a line without changed columns tells of; any other word is a verb of the business.
_KINDS = {
    "CREATE": LogKind.CHANGE, "UPDATE": LogKind.CHANGE, "DELETE": LogKind.CHANGE, "REVEAL": LogKind.ACCESS,
    "OPEN": LogKind.ACCESS, "EXPORT": LogKind.EXPORT, "GRANT": LogKind.SECURITY, "PASSWORD": LogKind.SECURITY,
    "UNLOCK": LogKind.SECURITY, "END_SESSION": LogKind.SECURITY,
}  # fmt: skip


def plain(value: Any) -> Any:
    """A value as the trail keeps it: JSON without loss (decimals and dates as text, codes by name)."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, Decimal | date | datetime):
        return str(value)
    return value


def log(ctx: Ctx, record: Entity, action: str, changes: dict[str, list[Any]] | None = None, note: str = "") -> None:
    """Write one line that no change of columns shows, e.g. a reading of masked data or a decision."""
    row = _row(ctx, record, action, changes or {})
    row["note"] = note[:500]
    ctx.session.execute(insert(AuditLog), [row])


def log_reading(ctx: Ctx, record: Entity, column: str) -> None:
    """Somebody looked at the plain value of a masked column (X9)."""
    label = columns_of(type(record))[column].info["label"]
    log(ctx, record, "REVEAL", note=f"查看原值：{label}")


def install(factory: Any) -> None:
    """Make every session of the factory stamp and record what it writes."""
    event.listen(factory, "before_flush", _stamp)
    event.listen(factory, "after_flush", _record)


def _row(ctx: Ctx | None, record: Entity, action: str, changes: dict[str, list[Any]]) -> dict[str, Any]:
    actor = ctx.actor if ctx else None
    values = record.__dict__
    project_id = values.get("id") if record.__tablename__ == "project" else values.get("project_id")
    return {
        "log_kind": _KINDS.get(action, LogKind.VERB),
        "at": ctx.now if ctx else None,
        "employee_id": actor.employee_id if actor else None,
        "actor_name": actor.name if actor else "系统",
        "on_behalf_of_id": actor.on_behalf_of_id if actor else None,
        "ip": actor.ip if actor else "",
        "source": ctx.source if ctx else "cli",
        "table_name": record.__tablename__,
        "record_id": record.id,
        "record_title": _title(record)[:200],
        "action": action,
        "changes": changes,
        "project_id": project_id,
        "note": "",
        "seal_hash": None,
        "seal_no": None,
        "version": 1,
        "extra": {},
    }


def _title(record: Entity) -> str:
    """What the record is called, in words that it holds itself; empty where that is a key, which says nothing."""
    name = record.spec.title
    column = columns_of(type(record)).get(name)
    if name == "id" or (column is not None and column.info.get("target")):
        return ""
    return str(record.__dict__.get(name) or "")


def _stamp(session: Session, *_: Any) -> None:
    ctx: Ctx | None = session.info.get("ctx")
    if ctx is None:
        return
    for record in session.new:
        if isinstance(record, Entity):
            record.created_at = record.created_at or ctx.now
            record.created_by_id = record.created_by_id or ctx.actor.employee_id
            record.updated_at = ctx.now
    for record in session.dirty:
        if isinstance(record, Entity) and session.is_modified(record):
            record.updated_at = ctx.now


def changes_of(record: Entity) -> dict[str, list[Any]]:
    """Old and new value of each column changed since it was loaded."""
    state: InstanceState[Entity] = inspect(record)
    changed: dict[str, list[Any]] = {}
    for name in columns_of(type(record)):
        if name in STAMPS and name != "extra":
            continue
        history = state.get_history(name, PassiveFlag.PASSIVE_NO_FETCH)
        if history.has_changes():
            old = plain(history.deleted[0]) if history.deleted else None
            new = plain(history.added[0]) if history.added else None
            if old != new:
                changed[name] = [old, new]
    return changed


def _last_values(record: Entity) -> dict[str, list[Any]]:
    """What a deleted row held: nobody can look it up any more."""
    values = {name: plain(record.__dict__.get(name)) for name in columns_of(type(record)) if name not in STAMPS}
    return {name: [value, None] for name, value in values.items() if value not in (None, {}, "")}


def _told(records: Iterable[object]) -> list[Entity]:
    return [record for record in records if isinstance(record, Entity) and record.spec.kind not in _SILENT]


def _record(session: Session, *_: Any) -> None:
    ctx: Ctx | None = session.info.get("ctx")
    if ctx is None or session.info.get("no_audit"):
        return
    rows = []
    for record in _told(session.new):
        created = {k: [None, v] for k, (_, v) in changes_of(record).items() if v not in (None, {}, "")}
        rows.append(_row(ctx, record, "CREATE", created))
    # The session keeps what was changed in no order: the same work gives the same trail.
    dirty = sorted(_told(session.dirty), key=lambda record: (record.__tablename__, record.id))
    rows += [_row(ctx, record, "UPDATE", changed) for record in dirty if (changed := changes_of(record))]
    rows += [_row(ctx, record, "DELETE", _last_values(record)) for record in _told(session.deleted)]
    if rows:
        session.execute(insert(AuditLog), rows)
