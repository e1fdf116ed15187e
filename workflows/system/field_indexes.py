"""Indexes of custom fields by which lists may be filtered: made and taken away beside the pages, as definitions ask.

One index a field, on the very expression that lists filter and sort by, named by a digest of it: a field of another
kind has another. What a rebuilt or restored table has lost is made anew at the next run.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from models.base.entity import Entity, entity_of
from models.base.fields import FieldFacts
from models.system.custom_field import CustomField
from reports.figures import custom_fields
from reports.rules.formula import FormulaFacts

_PREFIX: Final = "ix_extra_"
_FOUND: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND substr(name, 1, 9) = 'ix_extra_'",
    "postgresql": (
        "SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid "
        "WHERE i.indisvalid AND substr(c.relname, 1, 9) = 'ix_extra_'"
    ),
}


# Two numbers that are ours, beside those of the limits.
_LOCK: Final = (6814, 2)


@contextmanager
def alone(connection: Connection) -> Iterator[bool]:
    """Whether nobody else is making indexes: two at once would each drop what the other has begun.

    The connection commits by itself. SQLite has one writer at a time, and who comes second finds the index there.
    """
    if connection.dialect.name != "postgresql":
        yield True
        return
    is_mine = bool(connection.scalar(select(func.pg_try_advisory_lock(*_LOCK))))
    try:
        yield is_mine
    finally:
        if is_mine:
            connection.scalar(select(func.pg_advisory_unlock(*_LOCK)))


def due(session: Session) -> list[str]:
    """The statements that make what is wanted and missing, and take away what nothing wants any more.

    Each is to be run in a transaction of its own; on PostgreSQL outside any, so that nobody waits for it.
    """
    if session.scalar(select(CustomField.id).limit(1)) is None:
        return []
    dialect = session.get_bind().dialect.name
    wanted = dict(_wanted(session))
    found = set(session.scalars(text(_FOUND[dialect])))
    beside = {"postgresql": " CONCURRENTLY"}.get(dialect, "")
    drop = f"DROP INDEX{beside} IF EXISTS "
    made = []
    for name in sorted(
        wanted.keys() - found
    ):  # one that was broken off stands there without being of use
        made += [drop + name, f"CREATE INDEX{beside} IF NOT EXISTS {name} ON {wanted[name]}"]
    return [drop + name for name in sorted(found - wanted.keys())] + made


def _wanted(session: Session) -> Iterable[tuple[str, str]]:
    connection = session.connection()
    for table, fields in custom_fields.every(session).items():
        for facts in fields.values():
            if facts.is_filtered and not isinstance(facts, FormulaFacts):
                yield _index(connection, entity_of(table), facts)


def _index(connection: Connection, model: type[Entity], facts: FieldFacts) -> tuple[str, str]:
    """Name of an index and what it is on: table and expression."""
    table = model.extra.property.columns[0].table.name  # of an heir its own
    compiler: Any = facts.sql(model).compile(dialect=connection.dialect)
    words = compiler.process(facts.sql(model), include_table=False, literal_binds=True)
    on = f"{table} (({words}))"
    return f"{_PREFIX}{hashlib.sha256(on.encode()).hexdigest()[:24]}", on
