"""Extensions of the application, made once and bound in create_app."""

import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_appbuilder.models.sqla.base import SQLA
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy_utils.aggregates import manager as aggregates

import workflows.registry
from config import SQLITE_BUSY_TIMEOUT_SECONDS
from models.base.trouble import Unfit
from models.registry import metadata
from reports.base.search import install_search_listener
from workflows.base import audit, versions

# Rules and handlers are in force before the first session exists.
WORKFLOWS = workflows.registry.MODULES
# The framework's sqlalchemy-utils goes over the whole session after each flush, for columns of a kind that is not in
# this product: a tenth of what a long job takes.
event.remove(Session, "after_flush", aggregates.construct_aggregate_queries)
# expire_on_commit: a page that renders after its commit reads what it already holds.
db = SQLA(session_options={"expire_on_commit": False}, metadata=metadata)
csrf = CSRFProtect()


def bind(app: Flask) -> None:
    """Bind database and CSRF to the application."""
    db.init_app(app)
    csrf.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)


def bind_migrations(app: Flask) -> None:
    """Bind migrations, and `flask db` with them; alembic loads here, for most starts have nothing to migrate."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=f"{app.config['PROJECT_DIR']}/models/migrations")


def prepare_engine(engine: Engine) -> None:
    """SQLite keeps its promises only when asked: foreign keys, WAL, waiting, and a BEGIN that locks for writers."""
    if engine.dialect.name != "sqlite":
        if not event.contains(engine, "connect", _require_unicode):
            # before the dialect reads anything
            event.listen(engine, "connect", _require_unicode, insert=True)
        return
    if event.contains(engine, "connect", _on_connect):
        return
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _require_unicode(connection: Any, _: Any) -> None:
    """A database of another encoding would refuse names, or give bytes for them."""
    found = connection.info.parameter_status("server_encoding")
    if found != "UTF8":
        connection.close()
        raise Unfit(
            f"数据库的编码是 {found}，不能保存中文：请用 UTF8 重新建立（createdb -E UTF8 -T template0）"
        )


def _on_connect(connection: Any, _: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        # The driver's own BEGIN comes too late; `_on_begin` sends it.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "foreign_keys=ON",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "cache_size=-32000",
            f"busy_timeout={SQLITE_BUSY_TIMEOUT_SECONDS * 1000}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _on_begin(connection: Any) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def note_beside(act: Callable[[Session], None]) -> None:
    """Write a note in a transaction beside the request's; it is left out where others are writing just now.

    Nobody waits for it longer than a moment, and what the request itself reads or writes is untouched.
    """
    is_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.execution_options(
        sqlite_begin="IMMEDIATE", is_beside=True
    ).connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        if is_sqlite:
            raw.execute("PRAGMA busy_timeout=20")
        try:
            with contextlib.suppress(OperationalError), Session(connection) as session:
                if not is_sqlite:
                    session.execute(text("SET LOCAL lock_timeout = 20"))
                act(session)
                session.commit()
        finally:
            if is_sqlite:
                raw.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_SECONDS * 1000}")


def listen(sessions: Any) -> None:
    """Versions of configuration, audit trail and search index follow every flush of these sessions."""
    versions.install(sessions)
    audit.install(sessions)
    install_search_listener(sessions)


class Builder(AppBuilder):
    """The framework's builder, which looks through all views for each view added; not where it finds nothing."""

    def _view_exists(self, view: Any) -> bool:
        known: set[type] = self.__dict__.setdefault("_kinds", set())
        is_known = type(view) in known
        known.add(type(view))
        return is_known

    def _process_inner_views(self) -> None:
        has_inner = self.__dict__.get("_has_inner") or bool(
            self.baseviews[-1].get_uninit_inner_views()
        )
        self.__dict__["_has_inner"] = has_inner
        if has_inner:
            super()._process_inner_views()


def make_appbuilder(app: Flask, **options: Any) -> AppBuilder:
    """The framework's builder on our session; permissions are written by `flask init`, never at start."""
    return Builder(app, db.session, update_perms=False, **options)


_listening = False


def listen_once() -> None:
    """Attach the listeners to the one session factory, however many applications a process makes (tests)."""
    global _listening  # noqa: PLW0603 - listeners are of the process, like the session factory
    if not _listening:
        listen(db.session)
        _listening = True
