"""A database that is not that of this release is refused in words, by whoever would begin to work with it."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from app import create_app, readiness
from app.extensions import db
from app.lifecycle import ensure_ready, initialise, require_ready
from models import schema
from models.base import trouble
from models.base.trouble import Unfit, Unreachable
from models.registry import metadata
from tests.template import settings_of

BEGINS_WITH = "installed"
ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = ROOT / "models" / "migrations"
LACKING = "ALTER TABLE department DROP COLUMN note"
INDEX = "ix_project_stage_project_id"


@pytest.fixture
def url(database_at):
    """An installation of this test's own."""
    with database_at("installed") as found:
        yield found


@pytest.fixture
def app(url, tmp_path):
    app = create_app(settings_of(url, tmp_path))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def change(url, *statements):
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def told(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        found = schema.differences(schema.facts_of(connection), metadata, connection.dialect)
    engine.dispose()
    return found


def test_an_installation_has_what_the_models_say(db_url):
    assert told(db_url) == []


def test_a_migration_that_was_released_stays_as_it_is():
    """Whoever needs another column writes another migration: databases that had this one will not have it again."""
    for line in (MIGRATIONS / "frozen.sha256").read_text().splitlines():
        digest, name = line.split()
        assert (
            hashlib.sha256((MIGRATIONS / "versions" / name).read_bytes()).hexdigest() == digest
        ), name
    assert "0001_first_tables.py" in (MIGRATIONS / "frozen.sha256").read_text()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (LACKING, "数据表“部门”（department）缺少字段“备注”（note）"),
        ("DROP TABLE number_counter", "缺少数据表“编号计数器”（number_counter）"),
        (f"DROP INDEX {INDEX}", f"缺少索引 {INDEX}"),
        ("ALTER TABLE department ADD COLUMN x INTEGER", None),
    ],
)
def test_what_is_missing_is_named(url, statement, said):
    change(url, statement)
    assert [found for found in told(url) if said and said in found] == told(url)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "ALTER TABLE system_state DROP CONSTRAINT ck_system_state_single_row",
            "缺少检查约束 ck_system_state_single",
        ),
        (
            "ALTER TABLE department ALTER COLUMN code DROP NOT NULL",
            "应为 character varying(20) NOT NULL，实为",
        ),
        ("ALTER TABLE department ALTER COLUMN name TYPE text", "实为 text NOT NULL"),
        ("ALTER TABLE department ADD COLUMN x INTEGER NOT NULL", "多出必填字段 x"),
        (
            "ALTER TABLE project_stage DROP CONSTRAINT project_stage_project_id_fkey",
            "缺少外键 project_id",
        ),
    ],
)
def test_a_constraint_or_type_that_differs_is_named(url, statement, said):
    change(url, statement)
    (found,) = told(url)
    assert said in found


@pytest.mark.parametrize("db_kind", ["sqlite"], indirect=True, scope="module")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "CONSTRAINT ck_system_state_single_row CHECK",
            "CHECK",
            "缺少检查约束 ck_system_state_single_row",
        ),
        ("business_date DATE NOT NULL", "business_date DATE", "应为 DATE NOT NULL，实为 DATE"),
        (
            "business_date DATE NOT NULL",
            "business_date DATE NOT NULL, x INTEGER NOT NULL",
            "多出必填字段 x",
        ),
    ],
)
def test_the_same_on_sqlite(url, old, new, said):
    change(
        url,
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') WHERE name = 'system_state'",
    )
    (found,) = told(url)
    assert said in found


def command(app, *words):
    with app.app_context():
        return app.test_cli_runner().invoke(args=list(words))


@pytest.mark.parametrize("words", [["init"], ["verify"]])
def test_no_command_calls_a_database_ready_that_lacks_a_column(url, app, words):
    """Made by the program before its release: the same number of migrations, other tables."""
    change(url, LACKING)
    ran = command(app, *words)
    assert ran.exit_code == 1
    assert "（note）" in ran.output
    assert "已就绪" not in ran.output


def test_no_server_starts_on_it(url, app):
    change(url, LACKING)
    for start in (ensure_ready, require_ready):
        with pytest.raises(Unfit, match="（note）"):
            start(app)


def test_a_database_of_a_later_release_is_left_alone(url, app):
    change(url, "UPDATE alembic_version SET version_num = '9999'")
    for start in (ensure_ready, require_ready):
        with pytest.raises(Unfit, match="更新的版本（9999"):
            start(app)
    for words in ("init", "verify"):
        ran = command(app, words)
        assert (ran.exit_code, "更新的版本" in ran.output) == (1, True), ran.output


def test_an_older_database_is_looked_at_before_it_is_migrated(url, app, monkeypatch):
    """A later release would find it lacking afterwards only, when the earlier program can no longer open it."""
    change(
        url,
        "ALTER TABLE department DROP COLUMN note",
        "UPDATE alembic_version SET version_num = '0001'",
    )
    monkeypatch.setattr(readiness, "migrations", lambda _app: ["0001", "9999"])
    with app.app_context(), pytest.raises(Unfit, match=r"版本 0001 不符.*字段 note"):
        initialise(app)


def test_a_server_of_others_waits_for_init(database_at, tmp_path):
    with database_at("tables") as url:
        app = create_app(settings_of(url, tmp_path))
        with pytest.raises(Unfit, match="flask --app run init"):
            require_ready(app)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def imported(url, tmp_path):
    """What gunicorn does: `run:app`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env = {"DATABASE_URL": url, "DATA_DIR": str(tmp_path), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-c", "import run; print('served')"],
        cwd=ROOT,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_gunicorn_serves_a_fitting_database_alone(url, tmp_path):
    done = imported(url, tmp_path)
    assert (done.returncode, done.stdout) == (0, "served\n"), done.stderr
    change(url, LACKING)
    done = imported(url, tmp_path)
    assert done.returncode == 1
    assert "（note）" in done.stderr
    assert "Traceback" not in done.stderr


def test_gunicorn_waits_for_a_database_that_is_being_replaced(tmp_path):
    """A worker that starts meanwhile must not take the server down."""
    done = imported("postgresql://u:secret@127.0.0.1:1/d", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "数据库没有应答" in done.stderr
    assert "secret" not in done.stderr


def test_what_no_database_answers_is_told(tmp_path):
    app = create_app(settings_of("postgresql+psycopg://u:secret@127.0.0.1:1/d", tmp_path))
    with pytest.raises(Unreachable, match="没有应答"):
        ensure_ready(app)
    ran = command(app, "init")
    assert (ran.exit_code, "没有应答" in ran.output, "secret" in ran.output) == (1, True, False)


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "x.db").write_bytes(b"PK\x03\x04" * 1000)
    app = create_app(settings_of(f"sqlite:///{tmp_path}/x.db", tmp_path))
    with pytest.raises(Unfit, match="不是有效的 SQLite 数据库"):
        ensure_ready(app)


@pytest.mark.postgres
def test_a_database_of_another_encoding_is_told(url, tmp_path):
    name = "ascii_only"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        )
        app = create_app(settings_of(re.sub(r"/test_\w+", f"/{name}", url), tmp_path))
        with pytest.raises(Unfit, match=r"SQL_ASCII.*UTF8"):
            ensure_ready(app)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            'connection failed: FATAL:  password authentication failed for user "u"',
            "用户名或密码不正确",
        ),
        ('FATAL:  用户 "u" Password 认证失败', "用户名或密码不正确"),
        ('FATAL:  database "d" does not exist', "数据库不存在"),
        ("database or disk is full", "磁盘空间不足"),
        ("attempt to write a readonly database", "只读"),
        ("something that nobody foresaw", "something that nobody foresaw"),
    ],
)
def test_every_other_refusal_has_its_words(said, words):
    assert words in trouble.reason(OperationalError("SELECT 1", {}, Exception(said)))
