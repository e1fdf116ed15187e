"""A small application with the generator alone: real models, real templates, and a reader of the test's choosing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from flask_appbuilder import AppBuilder
from flask_appbuilder.models.sqla.base import SQLA
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

import workflows.registry  # noqa: F401 - every rule is in force, whichever tests a process has loaded before
from models.base.actor import Actor, ScopeLevel
from models.base.entity import Entity, entities
from models.registry import metadata
from models.system.organization import Department, Employee
from models.system.setup import SystemState
from reports.base.search import install_search_listener, reindex
from views.kit import edge, once
from views.kit.register import register_entities
from workflows.base import audit

VERBS = ("list", "show", "add", "edit", "delete", "export", "reveal")
TODAY = date(2026, 11, 23)
ROOT = Path(__file__).resolve().parents[3]


def permissions(*tables: str, verbs: tuple[str, ...] = VERBS) -> frozenset[tuple[str, str]]:
    """All generated permissions of some tables (of all tables when none are named)."""
    names = tables or tuple(str(m.__tablename__) for m in entities())
    return frozenset((f"can_{verb}", table) for verb in verbs for table in names)


@dataclass
class World:
    """The application, who reads, and what the statements of a request were."""

    app: Flask
    actor: Actor | None = None
    statements: list[str] = field(default_factory=list)

    def client(self) -> FlaskClient:
        """A browser."""
        return self.app.test_client()

    def session(self) -> Session:
        """A session beside the application's, for preparing and for looking behind the screen."""
        return Session(self.app.extensions["test_engine"], expire_on_commit=False)

    def add(self, *records: Entity) -> None:
        """Store rows without any verb."""
        with self.session() as session:
            session.add_all(records)
            session.flush()
            for model in {type(record) for record in records if type(record).spec.searched}:
                reindex(session, model)
            # ids given by hand are unknown to the sequence
            if session.get_bind().dialect.name == "postgresql":
                for table in {str(r.__tablename__) for r in records}:
                    last = f"(SELECT max(id) FROM {table})"
                    session.execute(
                        text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})")
                    )
            session.commit()

    def get(self, model: type[Entity], **where: Any) -> Any:
        """One stored row."""
        with self.session() as session:
            return session.scalars(select(model).filter_by(**where)).one_or_none()


@pytest.fixture(scope="module")
def usual_stage() -> str:
    """Tables alone: the generated screens need no installation. A module on the whole product says so."""
    return "tables"


@pytest.fixture(scope="module")
def world(db_url: str) -> Iterator[World]:
    """The application on this module's own database."""
    app = Flask("app", root_path=str(ROOT / "app"))
    app.config.update(
        SQLALCHEMY_DATABASE_URI=db_url,
        SECRET_KEY="k" * 40,
        FAB_UPDATE_PERMS=False,
        FAB_CREATE_DB=False,
        TESTING=True,
        LANGUAGES={"zh": {"flag": "cn", "name": "中文"}},
        BABEL_DEFAULT_LOCALE="zh",
        RATELIMIT_ENABLED=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    found = World(app)
    database = SQLA(session_options={"expire_on_commit": False}, metadata=metadata)
    database.init_app(app)
    CSRFProtect(app)
    app.extensions["actor_loader"] = lambda _user: found.actor
    app.add_template_global(lambda name: f"/static/{name}", "asset")
    app.add_template_global(once.key_input, "form_key")
    app.context_processor(lambda: {"shell": None})
    with app.app_context():
        audit.install(database.session.session_factory)
        install_search_listener(database.session.session_factory)
        engine = database.engine
        _prepare(engine, found.statements)
        app.extensions["test_engine"] = engine
        builder = AppBuilder(app, database.session, update_perms=False)
        register_entities(builder)
    app.register_error_handler(Exception, _unexpected)

    @app.before_request
    def sign_in() -> None:
        g.pop("ctx", None)
        g.user = SimpleNamespace(is_authenticated=found.actor is not None, is_active=True)

    with found.session() as session:
        session.add(SystemState(id=1, business_date=TODAY))
        session.commit()
    yield found
    engine.dispose()


def _unexpected(error: Exception) -> Any:
    if isinstance(error, edge.BusinessError):
        return edge.handle(error)
    code = getattr(error, "code", None)
    if code is None:
        raise error
    return f"HTTP {code}", code


def _prepare(engine: Engine, statements: list[str]) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        if engine.dialect.name == "sqlite":
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        if engine.dialect.name == "sqlite":
            mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
            statements.append(f"BEGIN {mode}")
            connection.exec_driver_sql(f"BEGIN {mode}")

    @event.listens_for(engine, "before_cursor_execute")
    def execute(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)


@pytest.fixture(scope="module")
def house(world: World) -> SimpleNamespace:
    """Two departments with one employee each."""
    world.add(
        Department(id=1, code="D1", name="业务一部", path="/1/"),
        Department(id=2, code="D2", name="业务二部", path="/2/"),
    )
    world.add(
        Employee(id=1, number="E1", name="张明远", department_id=1, mobile="13812345678"),
        Employee(id=2, number="E2", name="李思齐", department_id=2, mobile="13987654321"),
    )
    return SimpleNamespace(
        boss=Actor(
            1,
            "张明远",
            1,
            department_id=1,
            department_ids=frozenset({1}),
            scope=ScopeLevel.ALL,
            permissions=permissions(),
        ),
        clerk=Actor(
            2,
            "李思齐",
            2,
            department_id=2,
            department_ids=frozenset({2}),
            scope=ScopeLevel.DEPARTMENT,
            permissions=permissions(verbs=("list", "show", "add", "edit", "delete", "export")),
        ),
    )


@pytest.fixture
def boss(world: World, house: SimpleNamespace) -> Iterator[FlaskClient]:
    """A browser of somebody who may do everything and sees everything."""
    world.actor = house.boss
    yield world.client()
    world.actor = None


@pytest.fixture
def clerk(world: World, house: SimpleNamespace) -> Iterator[FlaskClient]:
    """A browser of somebody who sees their own department and no plain personal data."""
    world.actor = house.clerk
    yield world.client()
    world.actor = None


def token(client: FlaskClient, path: str) -> str:
    """The CSRF token of a page's form."""
    text = client.get(path).get_data(as_text=True)
    return text.split('name="csrf-token" content="')[1].split('"')[0]
