"""Migrations and models agree: what `init` makes of an empty database is what the models say."""

from types import SimpleNamespace

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from app.readiness import newest_migration
from models.base.entity import entities
from models.registry import metadata
from workflows.ledger.guards import guards_present

BEGINS_WITH = "installed"

# The search engine's own tables, as in models/migrations/env.py, which runs when imported.
NOT_OURS = ("search_index", "alembic_version", "ix_search_text_words")


def is_ours(_found, name, kind, _reflected, _compare_to):
    return not (kind in {"table", "index"} and (name or "").startswith(NOT_OURS))


def test_nothing_is_left_to_migrate(engine):
    with engine.connect() as connection:
        options = {"compare_type": True, "include_object": is_ours, "render_as_batch": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_newest_file_is_the_newest_migration():
    """A start compares the database with the names of the files; alembic would take longer to say the same."""
    app = SimpleNamespace(config={"PROJECT_DIR": "."})
    assert newest_migration(app) == ScriptDirectory("models/migrations").get_current_head()


def test_every_table_is_there_with_its_checks(engine):
    found = inspect(engine)
    names = set(found.get_table_names())
    for model in entities():
        table = model.__table__
        assert table.name in names
        wanted = {c.name for c in table.constraints if c.__class__.__name__ == "CheckConstraint" and c.name}
        assert wanted <= {check["name"] for check in found.get_check_constraints(table.name)}, table.name


def test_an_installation_guards_its_posted_vouchers(engine):
    with engine.connect() as connection:
        assert guards_present(connection)
