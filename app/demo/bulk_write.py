"""How rows of the bulk reach the database: by a statement for many, which PostgreSQL is given as one stream (COPY)."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert, literal, literal_column
from sqlalchemy.orm import Session

Row = dict[str, Any]


def in_words(dialect: Dialect, table: Table, values: Row) -> Row:
    """What all rows of a statement share, written into it: whatever is bound is worked out anew for every row."""
    return {
        name: literal_column(_in_words(dialect, table, name, value))
        for name, value in values.items()
    }


def _in_words(dialect: Dialect, table: Table, name: str, value: Any) -> str:
    if value == {}:  # SQLAlchemy writes no JSON into a statement
        return "'{}'"
    found = literal(value, table.c[name].type).compile(
        dialect=dialect, compile_kwargs={"literal_binds": True}
    )
    return str(found)


def write(session: Session, table: Table, rows: Sequence[Row], same: Row) -> None:
    """Insert rows that name the same columns, each with the values that all share."""
    connection = session.connection()
    known = {name: value for name, value in same.items() if name in table.c}
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows, known)
    else:
        connection.execute(insert(table).values(in_words(connection.dialect, table, known)), rows)


def _copy(connection: Connection, table: Table, rows: Sequence[Row], same: Row) -> None:
    """Half the work of a prepared INSERT on either side; keys, indexes and triggers are asked just the same."""
    names, dialect = list(rows[0]), connection.dialect
    shared = {**_defaults(table, rows[0]), **same}
    turn = [_turned(dialect, table, name) for name in names]
    tail = [_turned(dialect, table, name)(value) for name, value in shared.items()]
    quoted = dialect.identifier_preparer.quote
    columns = ", ".join(quoted(name) for name in (*names, *shared))
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {quoted(table.name)} ({columns}) FROM STDIN") as stream,
    ):
        for row in rows:
            stream.write_row(
                [*(to(row[name]) for to, name in zip(turn, names, strict=True)), *tail]
            )


def _turned(dialect: Dialect, table: Table, name: str) -> Callable[[Any], Any]:
    """What makes of a column's value what the driver sends."""
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)


def _defaults(table: Table, row: Row) -> Row:
    """What the model puts into the columns that the rows do not name; the database's own defaults are its own."""
    found: Row = {}
    for column in table.c:
        default: Any = column.default
        if column.name not in row and default is not None and not default.is_sequence:
            found[column.name] = default.arg(None) if default.is_callable else default.arg
    return found
