"""Passwords: rules, comparing and hashing.

A hash is slow on purpose (a tenth of a second of processor and 32 MB), so it is made and compared outside every
transaction, a few at a time: `ask` reads, `Asked` works without the database, and the verb that writes looks again.
"""

import os
import threading
from dataclasses import dataclass
from functools import cache

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import select
from werkzeug.security import check_password_hash, generate_password_hash

from models.base.errors import BusinessError, Conflict
from models.system.organization import Operator, PasswordHistory
from reports.figures.parameters import whole
from workflows.base import audit
from workflows.base.context import Ctx

# Many people at the door leave a processor to those who are in.
_AT_ONCE = threading.BoundedSemaphore(max((os.cpu_count() or 1) // 2, 1))


def matches(hashed: str, password: str) -> bool:
    """Whether the password is the one behind the hash."""
    with _AT_ONCE:
        return check_password_hash(hashed, password)


def make_hash(password: str) -> str:
    """The hash to keep of a password."""
    with _AT_ONCE:
        return generate_password_hash(password)


@cache
def nobodys_hash() -> str:
    """What the password of a name that nobody has is compared with; made when first needed."""
    return make_hash("not a password of anybody")


def check_password(ctx: Ctx, username: str, password: str) -> None:
    """Refuse a password that breaks the rules (length, kinds of characters, the user name in it)."""
    shortest = whole(ctx.session, "password.min_length", ctx.today)
    if len(password) < shortest:
        raise BusinessError(f"密码至少 {shortest} 位", field="password")
    if len(password) > 128:
        raise BusinessError("密码最多 128 位", field="password")
    kinds = [any(test(ch) for ch in password) for test in (str.islower, str.isupper, str.isdigit)]
    kinds.append(any(not ch.isalnum() for ch in password))
    if sum(kinds) < 3:
        raise BusinessError(
            "密码应包含大写字母、小写字母、数字、符号中的至少三种", field="password"
        )
    if username and username.lower() in password.lower():
        raise BusinessError("密码不能包含登录名", field="password")


@dataclass(frozen=True, slots=True)
class Secret:
    """A password that may be set, hashed: compared with all up to `newest` of the operator's history."""

    hashed: str
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the database knows of an operator's password, to work with after the transaction has ended."""

    current: str = ""
    recent: tuple[str, ...] = ()
    newest: int | None = None
    history_count: int = 0

    def proves(self, old: str) -> bool:
        """Whether this is the password now."""
        return matches(self.current, old)

    def secret(self, password: str) -> Secret:
        """The hashed password. Raises BusinessError where it is one of the last ones."""
        if any(matches(used, password) for used in self.recent):
            raise BusinessError(f"不能使用最近 {self.history_count} 次用过的密码", field="password")
        return Secret(make_hash(password), self.newest)


def ask(ctx: Ctx, operator: Operator) -> Asked:
    """Read what comparing needs; the hashes themselves are compared outside the transaction."""
    history = select(PasswordHistory).where(PasswordHistory.operator_id == operator.id)
    newest_first = history.order_by(PasswordHistory.set_at.desc(), PasswordHistory.id.desc())
    count = whole(ctx.session, "password.history_count", ctx.today)
    recent = [row.password_hash for row in ctx.session.scalars(newest_first.limit(count))]
    current = ctx.session.scalars(select(User.password).where(User.id == operator.user_id)).one()
    return Asked(current, tuple(recent), _newest(ctx, operator), count)


def _newest(ctx: Ctx, operator: Operator) -> int | None:
    query = select(PasswordHistory.id).where(PasswordHistory.operator_id == operator.id)
    return ctx.session.scalar(query.order_by(PasswordHistory.id.desc()).limit(1))


def keep(ctx: Ctx, operator: Operator, secret: Secret) -> None:
    """Make it the password. Raises Conflict where another one was set since the history was read."""
    if secret.newest != _newest(ctx, operator):
        raise Conflict("密码刚被修改，请重新办理")
    ctx.session.get_one(User, operator.user_id).password = secret.hashed
    operator.password_changed_at = ctx.now
    ctx.session.add(
        PasswordHistory(operator_id=operator.id, password_hash=secret.hashed, set_at=ctx.now)
    )
    ctx.session.flush()
    audit.seal_rows(ctx, "ab_user", [operator.user_id])
