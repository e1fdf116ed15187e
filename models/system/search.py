"""The search index: one row of words per searched record, with a full-text index over it on both databases.

`words` holds plain ASCII tokens made by reports/base/search.py, so neither database's word splitter matters. On SQLite
an FTS5 table over the same rows is kept up by triggers; on PostgreSQL the words are a tsvector under a GIN index.
"""

import zlib
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, Text, event, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from models.base.entity import Entity
from models.base.fields import FieldFacts, said

KEY_BITS: Final = 32
# Counts what reports/base/search.py makes of a record; an index of an older edition is built anew at the next start.
EDITION: Final = 3

# `id` is key_base(table name) + record id: one key, found by a range, without a join.
search_text = Table(
    "search_text",
    Entity.metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
        info=said(FieldFacts(label="检索序号", kind="int")),
    ),
    Column(
        "words",
        Text().with_variant(TSVECTOR(), "postgresql"),
        nullable=False,
        info=said(FieldFacts(label="检索词")),
    ),
)

_SQLITE: Final = (
    (
        "CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5("
        "words, content='search_text', content_rowid='id', tokenize='ascii')"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS search_text_insert AFTER INSERT ON search_text BEGIN "
        "INSERT INTO search_index(rowid, words) VALUES (new.id, new.words); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS search_text_delete AFTER DELETE ON search_text BEGIN "
        "INSERT INTO search_index(search_index, rowid, words) VALUES ('delete', old.id, old.words); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS search_text_update AFTER UPDATE ON search_text BEGIN "
        "INSERT INTO search_index(search_index, rowid, words) VALUES ('delete', old.id, old.words); "
        "INSERT INTO search_index(rowid, words) VALUES (new.id, new.words); END"
    ),
)
_POSTGRESQL: Final = (
    "CREATE INDEX IF NOT EXISTS ix_search_text_words ON search_text USING gin (words)"
)


# The triggers of the index as SQLite keeps their words, by name: whoever looks for strange ones knows these.
SQLITE_TRIGGERS: Final = {
    statement.split()[5]: statement.replace(" IF NOT EXISTS", "")
    for statement in _SQLITE
    if statement.startswith("CREATE TRIGGER")
}


def key_base(table: str) -> int:
    """First key of a table's rows: the same on every machine, far enough apart for every record id."""
    return (zlib.crc32(table.encode()) & 0x7FFFFFFF) << KEY_BITS


def install_search(connection: Connection) -> None:
    """Make the full-text index over `search_text`; may be run any number of times.

    On SQLite an index made over rows that are already there is filled from them.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(text(_POSTGRESQL))
        return
    query = text("SELECT 1 FROM sqlite_master WHERE name = 'search_index'")
    is_new = connection.scalar(query) is None
    for statement in _SQLITE:
        connection.execute(text(statement))
    if is_new:
        connection.execute(text("INSERT INTO search_index(search_index) VALUES ('rebuild')"))


@event.listens_for(search_text, "after_create")
def _with_index(_table: Table, connection: Connection, **_: Any) -> None:
    install_search(connection)
