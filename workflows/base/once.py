"""Once (X17): a submission carries a key; the row of the key is written with its work, so both are there or neither."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base.errors import Conflict
from models.system.setup import SubmissionKey
from workflows.base.context import Ctx

KEPT = timedelta(days=7)  # longer than a form stays open, or a program goes on trying


class Repeated(Exception):
    """The submission of this key was carried out before; nothing is to be done again."""

    def __init__(self, place: str) -> None:
        """Keep where its answer is found."""
        super().__init__(place)
        self.place = place


def claim(ctx: Ctx, place: str, content: str) -> None:
    """Note the key in the transaction of its work.

    Who comes second waits for the first. Raises Repeated where that one was carried out, Conflict where the same key
    came with other contents.
    """
    row = {
        "place": place,
        "content": content,
        "at": ctx.now,
        "answer": {},
        "version": 1,
        "extra": {},
    }
    try:
        with ctx.session.begin_nested():
            ctx.session.execute(insert(SubmissionKey).values(row))
    except IntegrityError:
        if content_of(ctx.session, place) == content:
            raise Repeated(place) from None
        raise Conflict("这张表单此前已经提交过；如需用新的内容再办一次，请核对后重新提交") from None


def content_of(session: Session, place: str) -> str | None:
    """Digest of what came with the key before; None where nothing did."""
    return session.scalar(select(SubmissionKey.content).where(SubmissionKey.place == place))


def keep(session: Session, place: str, answer: dict[str, Any]) -> None:
    """Keep the first answer; an empty one says that the work has no end of its own (a preview) and may be repeated."""
    row = SubmissionKey.place == place
    kept = update(SubmissionKey).where(row).values(answer=answer)
    session.execute(kept if answer else delete(SubmissionKey).where(row))


def answer_of(session: Session, place: str) -> dict[str, Any]:
    """The first answer; empty while it is being made, or where the process ended before it was."""
    return session.scalar(select(SubmissionKey.answer).where(SubmissionKey.place == place)) or {}


def forget(ctx: Ctx, now: datetime) -> int:
    """Delete the keys that nobody can send again; how many."""
    old = delete(SubmissionKey).where(SubmissionKey.at < now - KEPT)
    return int(ctx.session.execute(old).rowcount)  # type: ignore[attr-defined]
