"""How the database answers what the product asks: the statements of a piece of work, each with its plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event


@contextmanager
def asked(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT sent meanwhile, with its values."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(connection, "before_cursor_execute", note)


def plan(connection: Connection, statement: str, parameters: Any) -> str:
    """What the database would do, a step a line."""
    words = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.exec_driver_sql(f"{words} {statement}", parameters).all()
    return "\n".join(str(row[-1]) for row in rows)
