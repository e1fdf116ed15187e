"""The audit trail: every change of a business record, written in its own transaction (architecture rule 8)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from sqlalchemy import event, inspect, select
from sqlalchemy.engine import Result
from sqlalchemy.orm import InstanceState, ORMExecuteState, PassiveFlag, Session

from models.base.entity import STAMPS, Entity, columns_of, fields_of
from models.base.kinds import SpecKind
from models.base.plain import plain
from models.system.proof import FIGURES, SEALED
from models.system.setup import LogKind
from reports.figures.custom_fields import fields_now
from workflows.base import seal
from workflows.base.context import Ctx
from workflows.base.facts import (
    BLOCK,
    GONE,
    Affected,
    Fact,
    dependents,
    facts,
    left_out_of,
    sealed_in,
    sealed_target,
)

# Lines that prove and tell of no change: digests of records by their ids.
PROOFS = ("SEAL", "ADOPT")
_SILENT = (SpecKind.INTERNAL, SpecKind.LOG)
# What a line without changed columns tells of; any other word is a verb of the business.
_KINDS = {
    "CREATE": LogKind.CHANGE,
    "UPDATE": LogKind.CHANGE,
    "DELETE": LogKind.CHANGE,
    "REVEAL": LogKind.ACCESS,
    "OPEN": LogKind.ACCESS,
    "EXPORT": LogKind.EXPORT,
    "GRANT": LogKind.SECURITY,
    "PASSWORD": LogKind.SECURITY,
    "UNLOCK": LogKind.SECURITY,
    "END_SESSION": LogKind.SECURITY,
}


def log(
    ctx: Ctx,
    record: Entity,
    action: str,
    changes: dict[str, list[Any]] | None = None,
    note: str = "",
) -> None:
    """Write one line that no change of columns shows, e.g. a reading of masked data or a decision."""
    if ctx.session.autoflush:
        ctx.session.flush()
    row = _row(ctx, record, action, changes or {})
    row["note"] = note[:500]
    # No digest: a note must not vouch for what somebody else has changed since.
    seal.append(ctx.session.connection(), [row])


def log_event(ctx: Ctx, table: str, action: str, kind: LogKind, note: str) -> None:
    """Write a line about a table that is about none of its records, e.g. a question that found nothing."""
    line = {
        **block_line(ctx, table, {}, action=action, note=note[:500]),
        "log_kind": kind,
        "changes": {},
    }
    seal.append(ctx.session.connection(), [line])


def log_reading(ctx: Ctx, record: Entity, column: str) -> None:
    """Somebody looked at the plain value of a masked column (X9)."""
    label = fields_now(ctx.session, type(record))[column].label
    log(ctx, record, "REVEAL", note=f"查看原值：{label}")


def seal_rows(
    ctx: Ctx, table: str, ids: Iterable[int], *, action: str = "SEAL", note: str = ""
) -> None:
    """Lines with the digests of rows that no flush tells of; rows that are no more count as gone.

    Wanted after statements that no session sees, and for role rights (`RIGHTS`), which the framework keeps.
    """
    connection, wanted = ctx.session.connection(), sorted(set(ids))
    for start in range(0, len(wanted), BLOCK):
        part = wanted[start : start + BLOCK]
        found = {fact.id: fact.digest for fact in facts(connection, table, part)}
        rows = {str(row_id): found.get(row_id, GONE) for row_id in part}
        seal.append(connection, [block_line(ctx, table, rows, action=action, note=note)])


def block_line(
    ctx: Ctx, table: str | None, rows: dict[str, str], *, action: str = "SEAL", note: str = ""
) -> Any:
    """A line about many rows of a table: their digests by id."""
    actor = ctx.actor
    return {
        **_line(ctx),
        "log_kind": LogKind.SYSTEM,
        "table_name": table,
        "record_id": None,
        "record_title": "",
        "action": action,
        "changes": {"rows": rows},
        "project_id": None,
        "note": note,
        "employee_id": actor.employee_id,
    }


def told_digest(session: Session, record: Entity) -> str | None:
    """What the last line of the trail about a record alone says that it holds; None where only blocks tell of it."""
    of = seal.LINES.c
    query = select(of.digest).where(
        of.table_name == record.__tablename__, of.record_id == record.id
    )
    found: str | None = session.scalar(
        query.where(of.digest.is_not(None)).order_by(of.id.desc()).limit(1)
    )
    return found


def present_digest(session: Session, record: Entity) -> str:
    """What a record holds in the database now."""
    found = facts(session.connection(), record.__tablename__, [record.id])
    return found[0].digest if found else GONE


def install(factory: Any) -> None:
    """Make every session of the factory stamp and record what it writes."""
    event.listen(factory, "before_flush", _stamp)
    event.listen(factory, "before_flush", _look_ahead)
    event.listen(factory, "after_flush", _record)
    event.listen(factory, "do_orm_execute", _follow)


def _row(
    ctx: Ctx | None, record: Entity, action: str, changes: dict[str, list[Any]]
) -> dict[str, Any]:
    values = record.__dict__
    project_id = values.get("id") if record.__tablename__ == "project" else values.get("project_id")
    return {
        **_line(ctx),
        "log_kind": _KINDS.get(action, LogKind.VERB),
        "table_name": record.__tablename__,
        "record_id": record.id,
        "record_title": _title(record)[:200],
        "action": action,
        "changes": changes,
        "project_id": project_id,
    }


def _line(ctx: Ctx | None) -> dict[str, Any]:
    """Who, when and from where."""
    actor = ctx.actor if ctx else None
    return {
        "at": ctx.now.astimezone(UTC) if ctx else None,
        "employee_id": actor.employee_id if actor else None,
        "actor_name": actor.name if actor else "系统",
        "on_behalf_of_id": actor.on_behalf_of_id if actor else None,
        "ip": actor.ip if actor else "",
        "source": ctx.source if ctx else "cli",
        "note": "",
        "version": 1,
        "extra": {},
    }


def _title(record: Entity) -> str:
    """What the record is called, in words that it holds itself; empty where that is a key, which says nothing."""
    name = record.spec.title
    facts = fields_of(type(record)).get(name)
    if name == "id" or (facts is not None and facts.target):
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
    if "extra" in changed:
        old, new = changed.pop("extra")
        changed |= _by_code(old or {}, new or {})
    return changed


def _by_code(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, list[Any]]:
    """What changed of the custom fields, each by its code."""
    codes = sorted({*before, *after})
    return {
        code: [before.get(code), after.get(code)]
        for code in codes
        if before.get(code) != after.get(code)
    }


def _last_values(record: Entity) -> dict[str, list[Any]]:
    """What a deleted row held: nobody can look it up any more."""
    values = {
        name: plain(record.__dict__.get(name))
        for name in columns_of(type(record))
        if name not in STAMPS
    }
    return {name: [value, None] for name, value in values.items() if value not in (None, {}, "")}


def _told(records: Iterable[object]) -> list[Entity]:
    return [
        record
        for record in records
        if isinstance(record, Entity) and record.spec.kind not in _SILENT
    ]


def _quiet(records: Iterable[object]) -> list[Entity]:
    """Records whose making and changing is no news, but is proved all the same."""
    return [
        record
        for record in records
        if isinstance(record, Entity)
        and record.spec.kind in _SILENT
        and record.__tablename__ in SEALED
    ]


def _untold(session: Session) -> set[tuple[str, int]]:
    """Sealed rows that are written without a trail, e.g. base data of a release: whoever does so seals them after."""
    records = (*session.new, *session.dirty, *session.deleted)
    return {
        (r.__tablename__, r.id)
        for r in records
        if isinstance(r, Entity) and r.__tablename__ in SEALED
    }


def _look_ahead(session: Session, *_: Any) -> None:
    """What the database will take along with deleted records can be seen only before."""
    if session.info.get("ctx") is None:
        return
    gone = [record for record in session.deleted if isinstance(record, Entity)]
    taken = session.info.setdefault("taken_along", [])
    taken += [row for record in gone for row in dependents(session, record)]


def _record(session: Session, *_: Any) -> None:
    ctx: Ctx | None = session.info.get("ctx")
    if ctx is None:
        return
    if session.info.get("no_audit"):
        session.info.pop("taken_along", None)
        session.info.setdefault("untold", set()).update(_untold(session))
        return
    rows = []
    for record in _told(session.new):
        created = {
            k: [None, v] for k, (_, v) in changes_of(record).items() if v not in (None, {}, "")
        }
        rows.append(_row(ctx, record, "CREATE", created))
    # The session keeps what was changed in no order: the same work gives the same trail.
    dirty = sorted(_told(session.dirty), key=lambda record: (record.__tablename__, record.id))
    rows += [
        _row(ctx, record, "UPDATE", changed)
        for record in dirty
        if (changed := changes_of(record))
        and changed.keys() - FIGURES.get(record.__tablename__, ())
    ]
    rows += [_row(ctx, record, "DELETE", _last_values(record)) for record in _told(session.deleted)]
    quiet = [
        *_quiet(session.new),
        *(r for r in _quiet(session.dirty) if changes_of(r)),
        *_quiet(session.deleted),
    ]
    quiet.sort(key=lambda record: (record.__tablename__, record.id))
    proof = {"log_kind": LogKind.SYSTEM, "project_id": None}  # no news of a project
    rows += [{**_row(ctx, record, "SEAL", {}), **proof} for record in quiet]
    if rows:
        _write(session, rows)
    if taken := session.info.pop("taken_along", []):
        for table in sorted({table for table, *_ in taken}):
            seal_rows(ctx, table, [row for name, row, _ in taken if name == table])


def _write(session: Session, rows: list[dict[str, Any]]) -> None:
    """Chain the lines, those of sealed tables with the digest of what the record holds now."""
    connection = session.connection()
    wanted: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row["table_name"] in SEALED and row["record_id"] is not None and _is_covered(row):
            wanted[row["table_name"]].add(row["record_id"])
    found: dict[tuple[str, int], Fact] = {
        (table, fact.id): fact
        for table, ids in wanted.items()
        for fact in facts(connection, table, ids)
    }
    for row in rows:
        key = row["table_name"], row["record_id"]
        if key[1] in wanted.get(key[0], ()):
            row["digest"] = found[key].digest if key in found else GONE
    seal.append(connection, rows)


def _is_covered(row: dict[str, Any]) -> bool:
    """Whether a line tells of more than columns that no digest covers, e.g. what was paid of an instalment."""
    return row["action"] != "UPDATE" or not row["changes"].keys() <= left_out_of(row["table_name"])


def _follow(state: ORMExecuteState) -> Result[Any] | None:
    """After a set-based statement on a sealed table: a line with what its rows hold now."""
    table = sealed_target(state)
    ctx: Ctx | None = state.session.info.get("ctx")
    is_silent = state.session.info.get("no_audit") or state.session.info.get("no_seal")
    if table is None or ctx is None or is_silent or state.execution_options.get("is_told"):
        return None
    if state.session.autoflush:
        state.session.flush()
    affected = Affected(state, table)
    result = state.invoke_statement()
    ids = affected.after()
    for name in sealed_in(table.name):
        is_own = name == table.name  # else an heir, whose part these rows are for some
        mine = ids if is_own else [fact.id for fact in facts(state.session.connection(), name, ids)]
        seal_rows(ctx, name, mine)
    return result
