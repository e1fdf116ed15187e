"""Alembic environment: the application's own engine and the metadata of all models."""

from typing import Any

from alembic import context
from flask import current_app

from models.registry import metadata

EXTRA_TABLES = ("search_index",)


def include_object(found: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Leave out what is not a model's table: the search engine's own tables."""
    del found, reflected, compare_to
    return not (kind == "table" and name is not None and name.startswith(EXTRA_TABLES))


def run() -> None:
    """Run the migrations on the application's database, each in its own transaction."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True,
            include_object=include_object, transaction_per_migration=True, user_module_prefix="columns.",
        )  # fmt: skip
        with context.begin_transaction():
            context.run_migrations()


run()
