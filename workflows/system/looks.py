"""最近打开: noted in one small statement beside the page, kept for the last few hundred records of a person."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, case, delete, insert, select, update
from sqlalchemy.orm import Session

from models.base.entity import Entity
from models.system.look import RecordLook

KEPT: Final = 300  # of one person: what changed since is asked of more than the shown ones
VISIT: Final = timedelta(minutes=30)  # whoever comes back within it is still looking at the same


def note(session: Session, employee_id: int, record: tuple[str, int], now: datetime) -> None:
    """Somebody opens a record (table, id); when they did so before stays known until they come back another time."""
    table, key = record
    mine = RecordLook.employee_id == employee_id
    this = (mine, RecordLook.table_name == table, RecordLook.record_id == key)
    before = case((RecordLook.at < now - VISIT, RecordLook.at), else_=RecordLook.before_at)
    changed: Any = session.execute(update(RecordLook).where(*this).values(before_at=before, at=now))
    if changed.rowcount:
        return
    row = {"employee_id": employee_id, "table_name": table, "record_id": key, "at": now}
    session.execute(insert(RecordLook).values({**row, "version": 1, "extra": {}}))
    old = select(RecordLook.id).where(mine).order_by(RecordLook.at.desc()).offset(KEPT)
    session.execute(delete(RecordLook).where(RecordLook.id.in_(old.subquery().select())))


def since(
    session: Session, employee_id: int | None, record: Entity, now: datetime
) -> datetime | None:
    """When somebody looked at a record before this visit; None where they never did."""
    where: tuple[ColumnElement[bool], ...] = (
        RecordLook.employee_id == employee_id,
        RecordLook.table_name == record.__tablename__,
        RecordLook.record_id == record.id,
    )
    query = select(RecordLook.at, RecordLook.before_at).where(*where)
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    last, before = found
    return last if last < now - VISIT else before
