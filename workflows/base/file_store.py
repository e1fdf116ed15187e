"""Where uploaded files lie: named by digest, written whole or not at all, gone with the last record that names them."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.system.records import Attachment
from workflows.base.context import Ctx


def path_of(session: Session, stored: str) -> Path:
    """Where a stored file lies."""
    return Path(session.info["data_dir"]) / "attachments" / stored


def keep(session: Session, digest: str, data: bytes) -> str:
    """Put the file under its digest, whole or not at all; returns the path below the store.

    A file that the transaction does not keep in the end does no harm: it is named by its content.
    """
    _hold(session, digest)
    stored = f"{digest[:2]}/{digest[2:4]}/{digest}"
    write_whole(path_of(session, stored), data)
    return stored


def let_go(ctx: Ctx, attachments: Iterable[Attachment]) -> None:
    """Delete attachments; once the commit stands, the files that no other record names go too."""
    gone = list(attachments)
    for attachment in gone:
        ctx.session.delete(attachment)
    if gone:
        digests = {attachment.sha256: attachment.stored_path for attachment in gone}
        ctx.after_commit.append(partial(_drop, ctx.session, digests))


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file as it lies there; None where there is none."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file by way of a temporary one, so that nobody ever sees half of it."""
    if path.is_file() and path.stat().st_size == len(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".tmp-", delete=False) as draft:
        try:
            draft.write(data)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


def _hold(session: Session, digest: str) -> None:
    """Let uploads and clearings of one content come one after another; on SQLite writers do so anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(int(digest[:15], 16))))


def _drop(session: Session, digests: dict[str, str]) -> None:
    """Look again, for somebody may have uploaded the same content meanwhile; a file that stays does no harm."""
    try:
        with contextlib.suppress(OSError, OperationalError):
            session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
            for digest, stored in sorted(digests.items()):
                _hold(session, digest)
                if (
                    session.scalar(
                        select(Attachment.id).where(Attachment.sha256 == digest).limit(1)
                    )
                    is None
                ):
                    path_of(session, stored).unlink(missing_ok=True)
    finally:
        session.rollback()
