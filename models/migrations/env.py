"""Alembic environment: the application's own engine and the metadata of all models."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from flask import current_app
from sqlalchemy import Connection, ForeignKeyConstraint

from models.registry import metadata

EXTRA_TABLES = ("search_index",)


def include_object(
    found: Any, name: str | None, kind: str, reflected: bool, compare_to: Any
) -> bool:
    """Leave out what is not a model's table: the search engine's own tables."""
    del found, reflected, compare_to
    return not (kind == "table" and name is not None and name.startswith(EXTRA_TABLES))


def keep_foreign_keys(_context: Any, _revision: Any, directives: list[ops.MigrationScript]) -> None:
    """Render the keys of new tables so that every database gets them.

    `use_alter` on a model's key lets `create_all` break a ring of tables, `created_by_id` of everything first of all.
    In a migration PostgreSQL would leave such a key out of CREATE TABLE, and nothing would add it: a key to a table
    that is there by then stands in the table, one to a table that the same migration makes later comes at the end.
    """
    for script in directives:
        if script.upgrade_ops is None or script.downgrade_ops is None:
            continue
        made = [op for op in script.upgrade_ops.ops if isinstance(op, ops.CreateTableOp)]
        coming = [op.table_name for op in made]
        late = [key for at, op in enumerate(made, 1) for key in _late_keys(op, coming[at:])]
        script.upgrade_ops.ops += [ops.ModifyTableOps(key.source_table, [key]) for key in late]
        script.downgrade_ops.ops[:0] = [
            ops.ModifyTableOps(key.source_table, [key.reverse()]) for key in late
        ]


def _late_keys(op: ops.CreateTableOp, coming: list[str]) -> list[ops.CreateForeignKeyOp]:
    """Take the keys to tables that are still to come out of a new table; they are added when both are there."""
    late = []
    for key in [part for part in op.columns if isinstance(part, ForeignKeyConstraint)]:
        key.use_alter = False
        target = key.elements[0].target_fullname.partition(".")[0]
        if target in coming:
            op.columns = [part for part in op.columns if part is not key]
            names = list(key.column_keys)
            aims = [element.target_fullname.partition(".")[2] for element in key.elements]
            name = f"fk_{op.table_name}_{'_'.join(names)}"
            late.append(
                ops.CreateForeignKeyOp(
                    name, op.table_name, target, names, aims, ondelete=key.ondelete
                )
            )
    return late


@contextmanager
def tables_made_anew(connection: Connection) -> Iterator[None]:
    """Let SQLite make a table anew without touching the rows that depend on it, as its own guide has it.

    A batch drops the old table: while foreign keys are watched that deletes its rows, and with them what cascades.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def check_foreign_keys(ctx: MigrationContext, step: Any, **_: Any) -> None:
    """Refuse a migration on SQLite that left a key without its row; asked inside its transaction."""
    assert ctx.connection is not None
    if ctx.dialect.name == "sqlite":
        lost = ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if lost:
            raise RuntimeError(f"迁移 {step.up_revision_id} 后有引用没有对应的行：{lost[:5]}")


def run() -> None:
    """Run the migrations on the application's database, each in its own transaction."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection, tables_made_anew(connection):
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,
            compare_type=True,
            include_object=include_object,
            transaction_per_migration=True,
            user_module_prefix="columns.",
            process_revision_directives=keep_foreign_keys,
            on_version_apply=check_foreign_keys,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
