"""最近打开, as far as it may be read now: a record that left somebody's scope is not even named."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.base.entity import entities
from models.system.look import RecordLook
from reports.base.scope import scoped

SHOWN = 20
_LOOKED_AT = 60  # some of them may be gone, or out of reach


class Look(NamedTuple):
    """A record that was opened."""

    table: str
    record_id: int


def recent(session: Session, actor: Actor) -> list[Look]:
    """The records that the actor opened last, the latest first: one query for each of their tables."""
    query = select(RecordLook.table_name, RecordLook.record_id)
    query = query.where(RecordLook.employee_id == actor.employee_id)
    query = query.order_by(RecordLook.at.desc(), RecordLook.id.desc()).limit(_LOOKED_AT)
    found = [Look(*row) for row in session.execute(query)]
    models = {str(model.__tablename__): model for model in entities()}
    readable: set[Look] = set()
    for table in {one.table for one in found} & models.keys():
        if actor.may("show", table):
            keys = [one.record_id for one in found if one.table == table]
            seen = scoped(
                select(models[table].id).where(models[table].id.in_(keys)), models[table], actor
            )
            readable |= {Look(table, key) for key in session.scalars(seen)}
    return [one for one in found if one in readable][:SHOWN]
