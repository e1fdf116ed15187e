"""Whether the database is that of this release: who serves asks at the start, who works by the clock each time."""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Flask
from sqlalchemy import Dialect, create_engine, select
from sqlalchemy.exc import DBAPIError

from app.extensions import db
from app.role_changes import EDITION
from app.roles import ROLES, all_permissions
from models import schema
from models.base import trouble
from models.base.trouble import Unfit, Unreachable
from models.registry import metadata
from models.system import search
from models.system.proof import EDITIONS, SEALED
from models.system.setup import SystemState
from workflows.base.facts import RIGHTS_EDITION
from workflows.base.seeds import SEEDS, stated_rows
from workflows.ledger import guards

MIGRATE: Final = (
    "请先执行 make migration NAME=改了什么，通读生成的迁移再启动，见 docs/guides/migration.md"
)
HEALED: Final = (
    "这通常是正式发布前的程序建立的数据库，不能自动升级。请恢复由正式版本做的备份，"
    "或把 DATABASE_URL、DATA_DIR 指向新的空数据库后执行 flask --app run init"
)


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """What the database refuses in here is an Unfit with words."""
    try:
        yield
    except DBAPIError as error:
        if (why := trouble.reason(error)) is None:
            raise
        raise (Unreachable if trouble.is_silent(error) else Unfit)(
            f"数据库不能使用：{why}"
        ) from error


@dataclass(frozen=True)
class Standing:
    """What a database says of itself: its last migration, the base data it has, and what its tables are made of."""

    revision: str | None
    base_data: int | None
    facts: set[schema.Fact]
    dialect: Dialect

    @property
    def columns(self) -> set[tuple[str, str]]:
        """(table, column) of each column."""
        return schema.columns_in(self.facts)


def standing(app: Flask) -> Standing:
    """How the database stands now.

    A connection of its own that ends here: what it has read must not lock out the migration that follows.
    """
    with db.engine.connect() as connection:
        facts, revision, base_data = schema.facts_of(connection), None, None
        if any(fact.table == "alembic_version" for fact in facts):
            revision = connection.exec_driver_sql(
                "SELECT version_num FROM alembic_version"
            ).scalar()
        if revision == newest_migration(app):
            base_data = connection.scalar(select(SystemState.base_data_version))
        return Standing(revision, base_data, facts, connection.dialect)


def is_ready(app: Flask) -> bool:
    """Whether the database has the migrations and everything else that this release brings."""
    return is_complete(app, standing(app))


def is_complete(app: Flask, found: Standing) -> bool:
    """The same of a database that has been asked already."""
    return found.revision == newest_migration(app) and found.base_data == fingerprint()


def migrations(app: Flask) -> list[str]:
    """The revisions that the files name, in order: asking alembic costs a start a tenth of a second."""
    versions = Path(app.config["PROJECT_DIR"], "models/migrations/versions")
    return sorted(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py"))


def newest_migration(app: Flask) -> str:
    """The revision that the newest file names."""
    return migrations(app)[-1]


def require_fitting(app: Flask, found: Standing) -> None:
    """Raise Unfit unless the database has every table, column, index and constraint of the models."""
    if told := schema.differences(found.facts, metadata, found.dialect):
        _require_migrated(app, found)
        raise Unfit(f"数据库结构与程序不符：{schema.summary(told)}。{HEALED}")


def _require_migrated(app: Flask, found: Standing) -> None:
    """Raise Unfit where the models have tables or columns that no migration makes: whoever changed them forgot it."""
    wanted = schema.columns_in(schema.facts_wanted(metadata, found.dialect))
    if told := schema.lacking_columns(_columns_at(app, newest_migration(app)), wanted):
        raise Unfit(f"模型比迁移多：{schema.summary(told)}。{MIGRATE}")


def require_known(app: Flask, revision: str, what: str = "数据库") -> None:
    """Raise Unfit where a later release has been at work: this one knows nothing of its tables."""
    if revision not in (known := migrations(app)):
        raise Unfit(
            f"{what}来自更新的版本（{revision}，本程序到 {known[-1]}）：请先升级程序，或使用旧版本当时的备份"
        )


def require_upgradable(app: Flask) -> None:
    """Raise Unfit unless the database is empty or what a release left, before anything of it is changed."""
    found = standing(app)
    if found.revision == newest_migration(app):
        require_fitting(app, found)
    elif found.revision is not None:
        require_columns(app, found.revision, found.columns)


def require_columns(
    app: Flask, revision: str, found: set[tuple[str, str]], what: str = "数据库"
) -> None:
    """Raise Unfit unless these (table, column) are what the migrations up to this revision make."""
    require_known(app, revision, what)
    if told := schema.lacking_columns(found, _columns_at(app, revision)):
        raise Unfit(f"{what}结构与其版本 {revision} 不符：{schema.summary(told)}。{HEALED}")


def _columns_at(app: Flask, revision: str) -> set[tuple[str, str]]:
    """Each (table, column) of a database that has come to this revision: the migrations run on an empty one."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    engine = create_engine("sqlite://")
    scripts = ScriptDirectory(f"{app.config['PROJECT_DIR']}/models/migrations")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        for script in reversed(list(scripts.iterate_revisions(revision, "base"))):
            script.module.upgrade()
        return schema.columns_in(schema.facts_of(connection))


def fingerprint() -> int:
    """A number that changes with what `initialise` brings beside migrations, so that nobody has to count releases."""
    digest = hashlib.sha256()
    for path in (*sorted(SEEDS.rglob("*.*")), Path(search.__file__), Path(guards.__file__)):
        digest.update(path.name.encode() + path.read_bytes())
    permissions = sorted((table, sorted(verbs)) for table, verbs in all_permissions().items())
    roles = [role.name for role in ROLES]
    rest = permissions, roles, EDITION, SEALED, RIGHTS_EDITION, EDITIONS, stated_rows()
    digest.update(repr(rest).encode())
    return int.from_bytes(digest.digest()[:4]) >> 1  # as much as the column holds
