"""What the sealed trail says of the records is what they hold: rows changed, added or taken away by SQL are named."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.orm import Session

from models.system.proof import SEALED
from models.system.setup import SystemState
from workflows.base import audit, seal
from workflows.base.context import Ctx
from workflows.base.facts import BLOCK, GONE, RIGHTS, Fact, every_fact, fingerprint, label_of
from workflows.base.seal import LINES

ADOPT = "ADOPT"
TABLES = (*SEALED, *RIGHTS)
_Row = tuple[str, int, int, str, str]


# ------------------------------------------------------------------------------------------------------------ taking in
def adopt(ctx: Ctx) -> None:
    """Take in what an earlier release left without digests, and tables whose columns a release has changed.

    From the line that says so on, `verify` compares each row of those tables. Nothing is done where nothing changed.
    """
    connection = ctx.session.connection()
    known = adopted(connection)
    wanted = {table: fingerprint(table) for table in TABLES}
    fresh = [table for table in TABLES if known.get(table) != wanted[table]]
    if not fresh:
        return
    for table in fresh:
        for rows in _blocks(every_fact(connection, table)):
            seal.append(connection, [audit.block_line(ctx, table, rows)])
    line = audit.block_line(
        ctx, None, {table: wanted[table] for table in fresh}, action=ADOPT, note="封存业务记录"
    )
    seal.append(connection, [line])


def seal_untold(ctx: Ctx) -> None:
    """Lines about what a release has just written without a trail to tables that were taken in before."""
    written: set[tuple[str, int]] = ctx.session.info.pop("untold", set())
    known = adopted(ctx.session.connection())
    for table in sorted({table for table, _ in written} & known.keys()):
        audit.seal_rows(
            ctx, table, [row for name, row in written if name == table], note="新版本的基础数据"
        )


def take_in_all(ctx: Ctx) -> None:
    """Digests of every row of the sealed tables, after bulk work that wrote none (the large demonstrations)."""
    connection = ctx.session.connection()
    for table in TABLES:
        for rows in _blocks(every_fact(connection, table)):
            seal.append(connection, [audit.block_line(ctx, table, rows)])


def adopted(connection: Connection) -> dict[str, str]:
    """Table -> what its digests cover, by the lines that took tables in."""
    said = select(LINES.c.changes).where(
        LINES.c.table_name.is_(None), LINES.c.record_id.is_(None), LINES.c.action == ADOPT
    )
    found: dict[str, str] = {}
    for changes in connection.scalars(said.order_by(LINES.c.id)):
        found |= changes["rows"]
    return found


def _blocks(found: Iterable[Fact]) -> Iterator[dict[str, str]]:
    rows: dict[str, str] = {}
    for fact in found:
        rows[str(fact.id)] = fact.digest
        if len(rows) == BLOCK:
            yield rows
            rows = {}
    if rows:
        yield rows


# ------------------------------------------------------------------------------------------------------------- checking
class Store:
    """The last digest of each record as the trail tells it, in a file of its own: a million rows need no memory."""

    def __init__(self, folder: Path) -> None:
        """An empty store in `folder`."""
        self.database = sqlite3.connect(folder / "digests.db", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "PRAGMA cache_size=-16000",
            "BEGIN",
            "CREATE TABLE seen (tbl, rec, line, digest, title, PRIMARY KEY (tbl, rec)) WITHOUT ROWID",
        ):
            self.database.execute(statement)
        self.adopted: set[str] = set()
        self._waiting: list[_Row] = []

    def take(self, row: RowMapping) -> None:
        """What a line says of records."""
        table, changes, line = row["table_name"], row["changes"], row["id"]
        if row["action"] == ADOPT and table is None:
            self.adopted |= set(changes["rows"])
        elif table not in TABLES:
            return
        elif row["record_id"] is None:
            of = changes.get("rows", {})
            self._waiting += [
                (table, int(record), line, digest, "") for record, digest in of.items()
            ]
        elif row["digest"]:
            self._waiting.append(
                (table, row["record_id"], line, row["digest"], row["record_title"] or "")
            )
        if len(self._waiting) > 5000:
            self._keep()

    def _keep(self) -> None:
        self.database.executemany(
            "INSERT INTO seen VALUES (?, ?, ?, ?, ?) ON CONFLICT (tbl, rec) DO UPDATE SET line = excluded.line, "
            "digest = excluded.digest, title = CASE excluded.title WHEN '' THEN title ELSE excluded.title END "
            "WHERE excluded.line >= line",
            self._waiting,
        )
        self._waiting.clear()

    def of(self, table: str) -> Iterator[Fact]:
        """What the trail says of the records of a table that are there, in the order of ids."""
        self._keep()
        query = "SELECT rec, digest, title FROM seen WHERE tbl = ? AND digest <> ? ORDER BY rec"
        yield from map(Fact._make, self.database.execute(query, (table, GONE)))

    def close(self) -> None:
        """Give the file back."""
        self.database.close()


def verify_trail(session: Session) -> list[str]:
    """The first wrong line of the chain over the trail, and the first record that is not as the trail tells."""
    connection = session.connection()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Store(Path(folder))) as store:
        for line, problem in seal.check(connection, seal.read(connection)):
            if line is not None:
                store.take(line)
            if problem and not wrong:
                wrong.append(problem)
        missing = _unadopted(connection, store)
        wrong += [f"{label_of(table)}没有封存起点" for table in missing[:1]]
        found = (
            first_wrong(connection, store, table) for table in TABLES if table in store.adopted
        )
        wrong += [problem for problem in found if problem]
    return wrong


def _unadopted(connection: Connection, store: Store) -> list[str]:
    """An installation has taken all its tables in; bare tables (of tests) hold nothing that says so."""
    is_installed = connection.scalar(
        select(SystemState.base_data_version).where(SystemState.base_data_version > 0)
    )
    return [table for table in TABLES if table not in store.adopted] if is_installed else []


def first_wrong(connection: Connection, store: Store, table: str) -> str | None:
    """Both sides in the order of ids, side by side."""
    label, told = label_of(table), store.of(table)
    expected = next(told, None)
    for fact in every_fact(connection, table):
        if expected is not None and expected.id < fact.id:
            break
        if expected is None or expected.id > fact.id:
            return f"{label}“{fact.title or fact.id}”没有留痕，可能是绕过系统写入的"
        if expected.digest != fact.digest:
            return f"{label}“{fact.title or expected.title or fact.id}”与留痕不符，内容可能被改动"
        expected = next(told, None)
    if expected is not None:
        return f"{label}“{expected.title or expected.id}”已不在库中，可能被删除"
    return None
