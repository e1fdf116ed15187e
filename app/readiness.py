"""Whether the database is that of this release: who serves asks at the start, who works by the clock each time."""

import hashlib
from pathlib import Path

from flask import Flask
from sqlalchemy import inspect, select

from app.extensions import db
from app.roles import ROLES, all_permissions
from models import search
from models.system import SystemState
from workflows.base.seeds import SEEDS
from workflows.ledger import guards


def is_ready(app: Flask) -> bool:
    """Whether the database has the migrations and everything else that this release brings."""
    # A connection of its own that ends here: what it has read must not lock out the migration that follows.
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        if connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() != newest_migration(app):
            return False
        return connection.scalar(select(SystemState.base_data_version)) == fingerprint()


def newest_migration(app: Flask) -> str:
    """The revision that the newest file names: asking alembic costs a start a tenth of a second."""
    versions = Path(app.config["PROJECT_DIR"], "models/migrations/versions")
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py"))


def fingerprint() -> int:
    """A number that changes with what `initialise` brings beside migrations, so that nobody has to count releases."""
    digest = hashlib.sha256()
    for path in (*sorted(SEEDS.rglob("*.*")), Path(search.__file__), Path(guards.__file__)):
        digest.update(path.name.encode() + path.read_bytes())
    permissions = sorted((table, sorted(verbs)) for table, verbs in all_permissions().items())
    digest.update(repr((permissions, [role.name for role in ROLES])).encode())
    return int.from_bytes(digest.digest()[:4]) >> 1  # as much as the column holds
