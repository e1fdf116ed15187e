"""Backups: a consistent copy of the database and the files beside it, checked before it counts; and the way back.

An archive is a tar.gz: `manifest.json` first, then the database and the files of the data directory. It is written
aside under another name and takes its own only when every byte of it has been read back and found right.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import Engine, create_engine, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from app.extensions import db
from app.readiness import require_columns, require_known
from models import schema
from models.base import trouble
from models.base.errors import BusinessError
from models.system.proof import ChainHead
from models.system.setup import SystemState
from workflows.ledger import heads
from workflows.verify import verify_files

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
# What lives beside the database. The key of sessions stays where it is; results of imports are of the day.
FILES: Final = ("attachments", "documents")
ROOM: Final = ".part-"
FRESH_SECONDS: Final = 60
LOOK_SECONDS: Final = 0.1
GOING_SECONDS: Final = 2  # a connection that was closed is seen until its server process has ended
PATTERN: Final = "guarantee-*.tar.gz"
COMPRESSION: Final = 3  # the time goes here: papers and pictures are compressed already

_OTHERS: Final = """
SELECT application_name AS name, usename, coalesce(host(client_addr), '本机') AS address, count(*) AS count
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND coalesce(backend_type, 'client backend') = 'client backend'
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


class BackupError(BusinessError):
    """A backup could not be made or read."""


# ---- taking
def take(app: Flask, keep: int, directory: Path | None = None) -> Path:
    """Write a backup into `directory` (default: backups/ of the data directory) and keep the latest `keep` there.

    Raises BackupError when the database's own program is missing or fails, or the archive does not read back right.
    """
    settings = app.config["SETTINGS"]
    target = directory or settings.data_dir / "backups"
    target.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    with _full_disk_in_words(), _beside(target) as room:
        copy = room / DATABASE[db.engine.dialect.name]
        _dump(db.engine.url, copy)
        draft = room / "archive.tar.gz"
        _pack(draft, {copy.name: copy, **_files(settings.data_dir)}, _facts())
        check(draft)
        stamp = datetime.now(UTC).astimezone().strftime("%Y%m%d-%H%M%S-%f")
        # the newest sorts last within a second too
        final = target / f"guarantee-{stamp}-{secrets.token_hex(2)}.tar.gz"
        draft.chmod(0o600)  # everything about every customer is in it
        draft.replace(final)
    if lost := _lost(settings.data_dir):
        # What is still there is safe now; older backups stay, for one of them may hold the file as it was.
        raise BackupError(f"备份已写入 {final.name}，但{lost}；请从较早的备份中找回该文件")
    for old in sorted(target.glob(PATTERN))[: -max(keep, 1)]:
        old.unlink(missing_ok=True)
    return final


def _lost(data_dir: Path) -> str:
    """The first file that is not what its row says: an archive of it reads back right and is worth nothing."""
    session = db.session.session_factory()
    session.info["data_dir"] = str(data_dir)
    try:
        return next(iter(verify_files(session)), "")
    finally:
        session.close()


@contextlib.contextmanager
def _full_disk_in_words() -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if not trouble.is_full(error):
            raise
        raise BackupError("磁盘空间不足：请清理磁盘，或用 --to 指定其他目录") from error


@contextlib.contextmanager
def _unfit_in_words() -> Iterator[None]:
    try:
        yield
    except trouble.Unfit as error:
        raise BackupError(error.message) from error


@contextlib.contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """A private directory on the same disk, gone afterwards whatever happens; `_sweep` sees that it is in use."""
    room = Path(tempfile.mkdtemp(prefix=ROOM, dir=directory))
    held = os.open(room, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield room
    finally:
        os.close(held)
        shutil.rmtree(room, ignore_errors=True)


def _sweep(directory: Path) -> None:
    """Take away what a process that was killed has left: nobody holds it, and it has not been made just now."""
    for room in directory.glob(f"{ROOM}*"):
        with contextlib.suppress(OSError):  # held by another, or gone meanwhile
            held = os.open(room, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - room.stat().st_mtime > FRESH_SECONDS:
                    shutil.rmtree(room)
            finally:
                os.close(held)


def _dump(url: URL, target: Path) -> None:
    if url.get_backend_name() == "sqlite":
        # A reader's transaction: people go on working meanwhile.
        with contextlib.closing(
            sqlite3.connect(str(url.database), isolation_level=None)
        ) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        return
    _run_program(
        "pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}"
    )


def _run_program(name: str, url: URL, *options: str) -> None:
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    env = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    _output_of(name, *options, f"--dbname={address}", env=env)


def _output_of(name: str, *options: str, env: dict[str, str] | None = None) -> str:
    program = shutil.which(name)
    if program is None:
        raise BackupError(
            f"没有找到 PostgreSQL 的 {name} 程序，请安装与数据库同版本的客户端（postgresql-client）"
        )
    found = subprocess.run(  # noqa: S603 - the database's own program, with options of ours
        [program, *options], env=env, capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise BackupError(f"{name} 执行失败：{found.stderr.strip()[-500:]}")
    return found.stdout


def _files(data_dir: Path) -> dict[str, Path]:
    """Archive name -> file, of everything that people uploaded and the product issued."""
    return {
        str(path.relative_to(data_dir)): path
        for name in FILES
        for path in sorted((data_dir / name).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def _facts() -> dict[str, Any]:
    state = db.session.get(SystemState, 1)
    with db.engine.connect() as connection:
        migration = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    head = db.session.scalars(select(ChainHead).order_by(ChainHead.number.desc()).limit(1)).first()
    return {
        "format": FORMAT,
        "database": db.engine.dialect.name,
        "migration": migration,
        "chain_head": {**heads.line_of(head), "hash": head.hash} if head else None,
        "business_date": state.business_date.isoformat() if state else None,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _pack(archive: Path, files: dict[str, Path], facts: dict[str, Any]) -> None:
    sums = {name: _digest(path) for name, path in files.items()}
    manifest = archive.with_name(MANIFEST)
    manifest.write_text(
        json.dumps({**facts, "files": sums}, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    with tarfile.open(archive, "w:gz", compresslevel=COMPRESSION) as tar:
        tar.add(manifest, MANIFEST)
        for name, path in files.items():
            tar.add(path, name, recursive=False)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check(archive: Path) -> dict[str, Any]:
    """The manifest of an archive of which every file is there and has the right sum. Raises BackupError."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            manifest = _manifest(tar)
            found = {}
            for member in tar:
                stream = tar.extractfile(member)
                if stream is not None and member.name != MANIFEST:
                    found[member.name] = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    except (OSError, EOFError, tarfile.TarError) as error:
        raise BackupError(f"备份文件“{archive.name}”无法读取或已损坏") from error
    if found != manifest["files"]:
        wrong = sorted(found.items() ^ manifest["files"].items())
        raise BackupError(f"备份文件“{archive.name}”内容与清单不符：{wrong[0][0]}")
    return manifest


def _manifest(tar: tarfile.TarFile) -> dict[str, Any]:
    first = tar.next()
    stream = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
    if stream is None:
        raise BackupError("这不是本系统的备份文件：没有清单")
    try:
        found = json.loads(stream.read())
    except ValueError as error:
        raise BackupError("这不是本系统的备份文件：清单无法识别") from error
    if (
        not isinstance(found, dict)
        or found.get("format") != FORMAT
        or not isinstance(found.get("files"), dict)
    ):
        raise BackupError("备份文件的格式不是本版本能识别的")
    return found


# ---- restoring
def restore(app: Flask, archive: Path, *, replace: bool = False) -> dict[str, Any]:
    """Put a backup in place of the database and add its files; gives its manifest.

    Nothing is touched before the whole archive has been found right. Raises BackupError for a damaged archive, one of
    another kind of database, of a later release or of a database that lacked what its migrations make, a database in
    use, or one with data unless `replace`.
    """
    manifest = check(archive)
    engine, data_dir = db.engine, app.config["SETTINGS"].data_dir
    if manifest["database"] != engine.dialect.name:
        raise BackupError(
            f"备份来自 {manifest['database']} 数据库，不能恢复到 {engine.dialect.name}"
        )
    revision = str(manifest["migration"])
    with _unfit_in_words():
        require_known(app, revision, "备份")
    if not replace and inspect(engine).has_table("system_state"):
        raise BackupError("目标数据库中已有数据；确定要用备份覆盖时请加 --replace")
    _sweep(data_dir)
    with _beside(data_dir) as room:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(room, filter="data")
        copy = room / DATABASE[engine.dialect.name]
        with _unfit_in_words():
            require_columns(app, revision, _columns_in(copy), "备份的数据库")
        db.session.remove()
        engine.dispose()
        _load(engine, copy)
        _return_files(room, data_dir)
    return manifest


def _columns_in(copy: Path) -> set[tuple[str, str]]:
    """(table, column) of each column in the copy of a database, before anything is done with it."""
    if copy.name == DATABASE["sqlite"]:
        with create_engine(f"sqlite:///{copy}", poolclass=NullPool).connect() as connection:
            return schema.columns_in(schema.facts_of(connection))
    tables = re.findall(
        r"^CREATE TABLE \S+?\.(\w+) \($(.*?)^\);",
        _output_of("pg_restore", "--schema-only", "--file=-", str(copy)),
        re.MULTILINE | re.DOTALL,
    )
    return {
        (table, column)
        for table, body in tables
        for column in re.findall(r'^    "?(\w+)"? ', body, re.MULTILINE)
        if column != "CONSTRAINT"
    }


def _load(engine: Engine, copy: Path) -> None:
    if engine.dialect.name != "sqlite":
        _require_alone(engine)
        options = (
            "--clean",
            "--if-exists",
            "--no-owner",
            "--no-privileges",
            "--single-transaction",
            "--exit-on-error",
        )
        _run_program("pg_restore", engine.url, *options, str(copy))
        return
    target = Path(str(engine.url.database))
    _require_unused(target)
    for rest in ("-wal", "-shm"):
        target.with_name(target.name + rest).unlink(missing_ok=True)
    copy.replace(target)


def _require_alone(engine: Engine) -> None:
    """Raise BackupError while others are connected: what they are told is saved would be gone."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until = time.monotonic() + GOING_SECONDS
        while (others := connection.execute(text(_OTHERS)).all()) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
    engine.dispose()
    if others:
        who = "、".join(
            f"{row.name or row.usename}（{row.address}，{row.count} 个连接）" for row in others
        )
        raise BackupError(f"数据库正在使用，请先停止系统（网页、定时任务）再恢复。已连接：{who}")


def _require_unused(database: Path) -> None:
    """A running server would go on writing into the file that was taken away from it."""
    if not database.exists():
        return
    with contextlib.closing(
        sqlite3.connect(str(database), timeout=0, isolation_level=None)
    ) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            who = "、".join(_users_of(database))
            raise BackupError(
                "数据库正在使用，请先停止系统（网页、定时任务）再恢复"
                + (f"。正在使用：{who}" if who else "")
            ) from error


def _users_of(database: Path) -> list[str]:
    """The other processes that have the file open, as far as this account may see them (Linux)."""
    found = {}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.samefile(database) and (pid := link.parts[2]) != str(os.getpid()):
                words = (
                    Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace").split("\0")
                )
                found[pid] = f"进程 {pid}（{' '.join(words).strip()[:80]}）"
    return list(found.values())


def _return_files(room: Path, data_dir: Path) -> None:
    for name, path in _files(room).items():
        target = data_dir / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
