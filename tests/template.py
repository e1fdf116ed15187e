"""How the template databases of the tests come to their tables and data.

Stages, each made once per state of the sources and copied for every module: `tables` (bare tables), `installed` (what
`flask --app run init` makes: migrations, base data, permissions, roles, search, guards), `demo` (the small demo), and
those that the rooms of the tests add.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    insert,
    inspect,
    select,
    text,
)

from app import create_app
from app.demo import load_demo
from app.extensions import db
from app.lifecycle import initialise
from config import Settings
from models.registry import metadata

KEY = "a key of the tests that is long enough for anything"
# The demonstration's last day: what a test finds in it depends on no calendar. A Thursday near the end of a month.
DEMO_DAY = date(2026, 11, 26)

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".cache" / "templates"
# What a template may depend on. `make one` looks at the second line alone (TEMPLATES=quick): verbs and screens change
# all the time and hardly ever what a test begins with.
SOURCES = ("config.py", "reports", "requirements.lock", "tests", "views", "workflows")
QUICK = ("app", "models")
LOOKS = (ROOT / "app" / "static", ROOT / "app" / "templates")
# ... and of those what makes a right or gives it to a role, or `make one` would go on with the rights of before.
RIGHTS = re.compile(rb"^.*(?:given_to|permission=|roles=|ROLES|verbs\().*$", re.MULTILINE)
STATES_KEPT = 3


def kept() -> Path:
    """Where the templates made from the sources as they are now lie; those of older states go."""
    is_quick = os.environ.get("TEMPLATES") == "quick"
    digest = hashlib.sha256()
    for path in _files(QUICK if is_quick else QUICK + SOURCES):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    for path in _files(SOURCES) if is_quick else ():
        digest.update(b"\n".join(RIGHTS.findall(path.read_bytes())))
    folder = KEPT / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    for old in sorted(KEPT.iterdir(), key=lambda path: path.stat().st_mtime)[:-STATES_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _files(names: tuple[str, ...]) -> Iterator[Path]:
    """Tests count by what makes templates alone: a changed test begins with the same."""
    for name in names:
        start = ROOT / name
        found = (
            [start]
            if start.is_file()
            else sorted(path for path in start.rglob("*") if path.is_file())
        )
        for path in found:
            is_test = name == "tests" and path.name.startswith("test_")
            if (
                not is_test
                and "__pycache__" not in path.parts
                and not any(look in path.parents for look in LOOKS)
            ):
                yield path


def settings_of(url: str, data_dir: Path, **more: Any) -> Settings:
    """Settings of a test application: nothing of the environment counts."""
    return Settings(secret_key=KEY, database_url=url, data_dir=data_dir, log_level="ERROR", **more)


def make_nothing(url: str, data_dir: Path) -> None:
    """Leave the database at `url` empty: migrations begin there."""
    del url, data_dir


def make_tables(url: str, data_dir: Path) -> None:
    """Give the empty database at `url` all tables."""
    del data_dir
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()


def install(url: str, data_dir: Path) -> None:
    """Make the empty database at `url` an installation without people, the way the product does it."""
    _with_app(url, data_dir, initialise)


def play_demo(url: str, data_dir: Path) -> None:
    """Load the small demonstration into the installation at `url`; its files lie in `data_dir`."""

    def play(app: Flask) -> None:
        assert load_demo(app, size="small", as_of=DEMO_DAY)

    _with_app(url, data_dir, play)


def _with_app(url: str, data_dir: Path, act: Callable[[Flask], object]) -> None:
    app = create_app(settings_of(url, data_dir))
    with app.app_context():
        act(app)
        db.session.remove()
        db.engine.dispose()


def copy_rows(source: Engine, target: Engine) -> None:
    """Put the rows of one installation in place of those of another, on PostgreSQL.

    Playing the demonstration twice would cost twice; that it plays on both kinds is the scenarios' to prove. Both have
    the same tables and columns, which may be those of an earlier release.
    """
    with source.connect() as read, target.begin() as write:
        tables = list(_tables_of(read))
        # rows come in any order; guards stay silent
        write.execute(text("SET session_replication_role = replica"))
        names = ", ".join(f'"{table.name}"' for table in tables)
        write.execute(text(f"TRUNCATE {names} CASCADE"))
        for table in tables:
            if rows := [dict(row) for row in read.execute(select(table)).mappings()]:
                write.execute(_insert(table), rows)
            _raise_sequence(write, table)


def _tables_of(connection: Connection) -> Iterator[Table]:
    """The tables that are there, with the columns that are there, each of the type that it has in the models."""
    found = inspect(connection)
    there = set(found.get_table_names())
    for table in metadata.sorted_tables:
        if table.name in there:
            # what the models have given up since is carried along as the database keeps it, until a migration drops it
            kept_columns = [
                Column(name, table.c[name].type, primary_key=table.c[name].primary_key)
                if name in table.c
                else Column(name, column["type"])
                for column in found.get_columns(table.name)
                if (name := column["name"])
            ]
            yield Table(table.name, MetaData(), *kept_columns)


def _insert(table: Table) -> Any:
    # SQLite keeps the words as text, PostgreSQL as a vector made of them
    if table.name == "search_text":
        return text(
            "INSERT INTO search_text (id, words) VALUES (:id, to_tsvector('simple', :words))"
        )
    return insert(table)


def _raise_sequence(connection: Connection, table: Table) -> None:
    if "id" not in table.c:
        return
    sequence = connection.scalar(text(f"SELECT pg_get_serial_sequence('{table.name}', 'id')"))
    # The tables of the framework have sequences of their own name that no column owns.
    sequence = sequence or connection.scalar(
        text(f"SELECT to_regclass('{table.name}_id_seq')::text")
    )
    if sequence:
        last = f'(SELECT max(id) FROM "{table.name}")'
        connection.execute(text(f"SELECT setval('{sequence}', {last}) WHERE {last} IS NOT NULL"))
