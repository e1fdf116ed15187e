"""Files that somebody chose and that nothing has taken yet: kept by digest for their own form, for a day (X19)."""

import contextlib
import hashlib
import re
import time
from pathlib import Path

from flask import current_app

from workflows.base.context import Ctx
from workflows.base.file_store import write_whole

SECONDS = 24 * 3600
_DIGEST = re.compile(r"[0-9a-f]{64}")


def keep(ctx: Ctx, data: bytes) -> str:
    """Keep a file for the next try of its form; returns its digest. What is a day old goes."""
    digest = hashlib.sha256(data).hexdigest()
    folder = _folder(ctx)
    write_whole(folder / digest, data)
    (folder / digest).touch()
    for old in folder.parent.glob("*/*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > SECONDS:
                old.unlink()
    return digest


def found(ctx: Ctx, digest: str) -> bytes | None:
    """A file of the same person's; None where there is none of that digest any more."""
    if not _DIGEST.fullmatch(digest):
        return None
    with contextlib.suppress(OSError):
        return (_folder(ctx) / digest).read_bytes()
    return None


def drop(ctx: Ctx, digest: str) -> None:
    """The file has been taken, or another one chosen in its place."""
    if _DIGEST.fullmatch(digest):
        (_folder(ctx) / digest).unlink(missing_ok=True)


def _folder(ctx: Ctx) -> Path:
    return Path(current_app.config["SETTINGS"].data_dir) / "staging" / str(ctx.actor.user_id or 0)
