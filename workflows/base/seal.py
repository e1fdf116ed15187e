"""The chain over the audit trail: each line is chained as it is written, in a lane that nobody else holds.

A lane is a row with the length and the head of one strand. A writer takes a free one until its commit and makes
another where all are held, so the chain is no lock (architecture rule 8); on SQLite, with one writer, there is one.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from models.system.proof import ChainLane
from models.system.setup import AuditLog

LINES = AuditLog.metadata.tables["audit_log"]
LANES = ChainLane.metadata.tables["chain_lane"]
_FIELDS = (
    "at",
    "employee_id",
    "actor_name",
    "on_behalf_of_id",
    "ip",
    "source",
    "table_name",
    "record_id",
    "record_title",
    "action",
    "changes",
    "note",
    "log_kind",
    "project_id",
)
_BATCH = 1000


class Head(NamedTuple):
    """A lane of the chain with its length and the hash of its last line."""

    lane: int
    length: int
    hash: str


def link(previous: str, row: Mapping[str, Any] | RowMapping) -> str:
    """The hash of a line on top of the one before it."""
    content = {name: row[name] for name in _FIELDS}
    if row["digest"]:
        content["digest"] = row["digest"]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def append(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write lines at the end of a lane that nobody holds."""
    lane, length, previous = _take(connection)
    for number, row in enumerate(rows, length + 1):
        row.setdefault("digest", None)
        previous = link(previous, row)
        row.update(lane=lane, seal_no=number, seal_hash=previous)
    connection.execute(insert(LINES), rows)
    grown = update(LANES).where(LANES.c.lane == lane)
    connection.execute(grown.values(length=length + len(rows), hash=previous))


def heads(connection: Connection) -> list[Head]:
    """How long each lane is, and where it ends."""
    rows = connection.execute(
        select(LANES.c.lane, LANES.c.length, LANES.c.hash).order_by(LANES.c.lane)
    )
    return [Head(*row) for row in rows]


def _take(connection: Connection) -> Head:
    free = select(LANES.c.lane, LANES.c.length, LANES.c.hash).order_by(LANES.c.lane).limit(1)
    if connection.dialect.name == "sqlite":
        # A transaction that begins with a read cannot turn into a writer while others write.
        connection.execute(update(LANES).values(version=LANES.c.version))
    while True:
        found = connection.execute(free.with_for_update(skip_locked=True)).first()
        if found is not None:
            return Head(*found)
        _open_lane(connection)


def _open_lane(connection: Connection) -> None:
    """One more lane, of a number that no other writer is about to choose."""
    number = secrets.randbelow(2**31 - 1) + 1 if connection.dialect.name == "postgresql" else 0
    connection.execute(
        insert(LANES), [{"lane": number, "length": 0, "hash": "", "version": 1, "extra": {}}]
    )


def take_in(connection: Connection) -> int:
    """Chain the lines that an earlier release left unsealed, at the end of its one chain; how many."""
    if heads(connection):
        return 0
    sealed = select(LINES.c.seal_no, LINES.c.seal_hash).where(LINES.c.seal_no.is_not(None))
    last = connection.execute(sealed.order_by(LINES.c.seal_no.desc()).limit(1)).first()
    number, previous = (0, "") if last is None else (int(last[0]), str(last[1]))
    count = 0
    columns = (LINES.c.id, LINES.c.digest, *(LINES.c[name] for name in _FIELDS))
    unsealed = select(*columns).where(LINES.c.seal_no.is_(None)).order_by(LINES.c.id).limit(_BATCH)
    seal = update(LINES).where(LINES.c.id == bindparam("line"))
    seal = seal.values(seal_hash=bindparam("hash"), seal_no=bindparam("no"))
    while rows := connection.execute(unsealed).mappings().all():
        links = []
        for row in rows:
            number, previous = number + 1, link(previous, row)
            links.append({"line": row["id"], "hash": previous, "no": number})
        connection.execute(seal, links)
        count += len(rows)
    lane = {"lane": 0, "length": number, "hash": previous, "version": 1, "extra": {}}
    connection.execute(insert(LANES), [lane])
    return count


def read(connection: Connection) -> Iterator[RowMapping]:
    """Every line in the order of lanes and numbers, read as it streams; those outside the chain come last."""
    names = ("id", "lane", "seal_no", "seal_hash", "digest", *_FIELDS)
    query = select(*(LINES.c[name] for name in names)).order_by(LINES.c.lane, LINES.c.seal_no)
    with connection.execute(query, execution_options={"yield_per": _BATCH}) as rows:
        yield from rows.mappings()


def check(
    connection: Connection, lines: Iterable[RowMapping]
) -> Iterator[tuple[RowMapping | None, str]]:
    """Each line with what is wrong with its place in the chain (mostly ''), and at last what is missing at the ends."""
    wanted = {head.lane: head for head in heads(connection)}
    lane, number, previous = -1, 0, ""
    ends: dict[int, tuple[int, str]] = {}
    for row in lines:
        if row["seal_no"] is None:
            yield (
                row,
                f"操作日志第 {row['id']} 行（{name_of(row)}）不在封存链内，可能是绕过系统写入的",
            )
            continue
        if row["lane"] != lane:
            lane, number, previous = row["lane"], 0, ""
        number, previous = number + 1, link(previous, row)
        ends[lane] = (number, str(row["seal_hash"]))
        is_sound = row["seal_no"] == number and row["seal_hash"] == previous
        yield row, "" if is_sound else f"操作日志第 {row['id']} 行与封存摘要不符（{name_of(row)}）"
        number, previous = row["seal_no"], str(row["seal_hash"])
    for head in wanted.values():
        number, previous = ends.pop(head.lane, (0, ""))
        if (number, previous) != (head.length, head.hash):
            yield (
                None,
                f"操作日志第 {head.lane} 链应有 {head.length} 行，现有 {number} 行，末尾的日志被删除或改动",
            )
    for extra in ends:
        yield None, f"操作日志第 {extra} 链没有登记，可能是绕过系统写入的"


def name_of(row: RowMapping) -> str:
    """What a line is about."""
    return str(row["record_title"] or row["table_name"] or "")
