"""All that an installation holds, in a form in which two histories of the same business are equal.

Left out is what the clock or the accident decides: moments, hashes over moments, who ran a job and how often. Surrogate
keys count by their order, because a transaction that was lost leaves a gap in PostgreSQL's sequences.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, select

import models.registry  # noqa: F401 - maps every table
from models.base.columns import UtcDateTime
from models.base.entity import Entity, entities

ACCIDENTS = {
    "job_run": {"owner", "attempts", "version"},
    "audit_log": {"seal_hash", "digest"},
    "chain_lane": {"hash"},
    "chain_head": {"hash", "lanes", "voucher_hash"},
}
metadata = Entity.metadata
Row = dict[str, Any]
Keys = dict[str, dict[int, int]]


def read(connection: Connection) -> dict[str, list[Row]]:
    """The rows of every entity, in the order in which they were written."""
    tables = [metadata.tables[model.__tablename__] for model in entities()]
    found = {
        table.name: [
            dict(row) for row in connection.execute(select(table).order_by(table.c.id)).mappings()
        ]
        for table in tables
    }
    keys = {
        name: {row["id"]: number for number, row in enumerate(rows, 1)}
        for name, rows in found.items()
    }
    return {table.name: [_plain(table, row, keys) for row in found[table.name]] for table in tables}


def _plain(table: Table, row: Row, keys: Keys) -> Row:
    left_out = ACCIDENTS.get(table.name, set())
    rename = _renamer(table, keys)
    plain = {
        name: rename(name, value)
        for name, value in row.items()
        if name not in left_out and not _is_moment(table, name)
    }
    if table.name == "audit_log" and row["action"] in ("SEAL", "ADOPT"):
        plain["changes"] = len(row["changes"].get("rows", ()))  # digests cover moments
    elif table.name == "audit_log" and row["table_name"]:
        plain["changes"] = _changes(row, keys)
        plain["project_id"] = keys["project"].get(row["project_id"])
    # A row that names another one by its table, without a foreign key.
    target = row.get("table_name") or row.get("record_table")
    if target and row.get("record_id"):
        plain["record_id"] = keys[target].get(row["record_id"])
    return plain


def _is_moment(table: Table, name: str) -> bool:
    return isinstance(table.c[name].type, UtcDateTime)


def _renamer(table: Table, keys: Keys) -> Callable[[str, Any], Any]:
    def rename(name: str, value: Any) -> Any:
        if name == "id":
            return keys[table.name][value]
        targets = (
            {foreign.column.table.name for foreign in table.c[name].foreign_keys}
            if name in table.c
            else set()
        )
        for target in targets & keys.keys():  # the framework's own tables are no business
            return keys[target].get(value)
        return value

    return rename


def _changes(row: Row, keys: Keys) -> Row:
    table = metadata.tables[row["table_name"]]
    rename = _renamer(table, keys)
    # A customer's row tells columns of the table that it shares with other kinds of customer, too.
    told = {name for name in row["changes"] if name not in table.c or not _is_moment(table, name)}
    return {name: [rename(name, value) for value in row["changes"][name]] for name in sorted(told)}
