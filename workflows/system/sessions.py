"""Sessions: rows that begin with a sign-in and end with log-out, disabling, a new password, other roles or a person.

A browser's cookie and a program's token carry a random word; the database keeps its digest. A session that has ended
never lives again, whatever becomes of the account.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import Select, delete, event, inspect, select, update
from sqlalchemy.orm import InstanceState, Session

from models.base.errors import NotFound
from models.system.organization import Operator
from models.system.sign_in import SessionEnd, SignInKind, SignInSession
from reports.figures.parameters import whole
from workflows.base import audit
from workflows.base.context import Ctx

# How exactly the last use is noted: a write per request would make readers wait for writers.
TOUCH_AFTER = timedelta(minutes=1)
# How long an ended session can still be looked up.
KEPT_DAYS = 180


def digest(word: str) -> str:
    """What the database keeps of a random word."""
    return hashlib.sha256(word.encode(errors="replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """The session of a request: plain values, which outlive the transaction that read them."""

    id: int
    operator_id: int
    seen_at: datetime


def begin(ctx: Ctx, operator_id: int, kind: SignInKind, agent: str) -> str:
    """Open a session; gives the word that its cookie or token carries."""
    word = secrets.token_urlsafe(32)
    hours = min(max(whole(ctx.session, "session.absolute_hours", ctx.today), 1), 168)
    ctx.session.add(
        SignInSession(
            operator_id=operator_id,
            token_hash=digest(word),
            kind=kind,
            began_at=ctx.now,
            seen_at=ctx.now,
            idle_until=_idle_until(ctx),
            expires_at=ctx.now + timedelta(hours=hours),
            ip=ctx.actor.ip[:45] or None,
            user_agent=agent[:200] or None,
        )
    )
    ctx.session.flush()
    return word


def _idle_until(ctx: Ctx) -> datetime:
    return ctx.now + timedelta(
        minutes=max(whole(ctx.session, "session.idle_minutes", ctx.today), 5)
    )


def find(session: Session, word: str, now: datetime) -> tuple[Found, Operator, User] | None:
    """The live session behind a word with its operator and user, in one query."""
    row = session.execute(
        select(SignInSession, Operator, User)
        .join(Operator, Operator.id == SignInSession.operator_id)
        .join(User, User.id == Operator.user_id)
        .where(SignInSession.token_hash == digest(word), *_alive(now))
        .where(Operator.is_disabled.is_(False), User.active.is_(True))
    ).one_or_none()
    if row is None:
        return None
    found, operator, user = row
    return Found(found.id, found.operator_id, found.seen_at), operator, user


def _alive(now: datetime) -> tuple[Any, ...]:
    return (
        SignInSession.ended_at.is_(None),
        SignInSession.idle_until > now,
        SignInSession.expires_at > now,
    )


def touch(ctx: Ctx, session_id: int) -> None:
    """Note that a session is in use; its idle time begins anew."""
    ctx.session.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, *_alive(ctx.now))
        .values(seen_at=ctx.now, idle_until=_idle_until(ctx))
    )


def open_of(session: Session, operator_id: int, now: datetime) -> Sequence[SignInSession]:
    """The live sessions of an operator, the latest used first."""
    query = select(SignInSession).where(SignInSession.operator_id == operator_id, *_alive(now))
    return session.scalars(
        query.order_by(SignInSession.seen_at.desc(), SignInSession.id.desc())
    ).all()


def end_of(
    ctx: Ctx, operators: Select[Any] | Sequence[int], reason: SessionEnd, keep: int | None = None
) -> int:
    """End every session of these operators (ids, or a query for them) but `keep`; how many there were."""
    mine = update(SignInSession).where(
        SignInSession.operator_id.in_(operators), SignInSession.ended_at.is_(None)
    )
    ended = ctx.session.scalars(
        mine.where(SignInSession.id != (keep or 0))
        .values(ended_at=ctx.now, end_reason=reason)
        .returning(SignInSession.id)
        .execution_options(synchronize_session=False)
    )
    return len(ended.all())


def end(ctx: Ctx, operator: Operator, session_id: int, reason: SessionEnd) -> None:
    """End one session of an operator. Raises NotFound where it is another's or has ended."""
    found = ctx.session.scalar(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.operator_id == operator.id)
        .where(SignInSession.ended_at.is_(None))
        .values(ended_at=ctx.now, end_reason=reason)
        .returning(SignInSession.id)
        .execution_options(synchronize_session=False)
    )
    if found is None:
        raise NotFound("没有这个登录会话，或已结束")


def end_by_administrator(ctx: Ctx, operator: Operator, session_id: int | None) -> int:
    """End one session of somebody else, or all of them; how many."""
    ctx.require("end_session", "operator", "结束登录会话")
    if session_id is None:
        ended = end_of(ctx, [operator.id], SessionEnd.ADMINISTRATOR)
    else:
        end(ctx, operator, session_id, SessionEnd.ADMINISTRATOR)
        ended = 1
    audit.log(ctx, operator, "END_SESSION", note=f"结束登录会话 {ended} 个")
    return ended


def purge(ctx: Ctx) -> None:
    """Remove sessions that nobody asks about any more."""
    long_ago = ctx.now - timedelta(days=KEPT_DAYS)
    ctx.session.execute(
        delete(SignInSession)
        .where((SignInSession.ended_at < long_ago) | (SignInSession.expires_at < long_ago))
        .execution_options(synchronize_session=False)
    )


def _end_with_account(_mapper: Any, connection: Any, operator: Operator) -> None:
    """Whoever disables an account, by whatever way, ends its sessions: enabling it again brings none of them back."""
    state: InstanceState[Operator] = inspect(operator)
    changed = state.attrs.is_disabled.history
    if changed.has_changes() and operator.is_disabled:
        mine = (SignInSession.operator_id == operator.id, SignInSession.ended_at.is_(None))
        ending = {
            "ended_at": operator.updated_at or SignInSession.seen_at,
            "end_reason": SessionEnd.DISABLED,
        }
        connection.execute(update(SignInSession).where(*mine).values(**ending))


event.listen(Operator, "after_update", _end_with_account)
