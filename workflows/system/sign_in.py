"""Signing in: one answer to every refusal, counts by name and place, and an owner whom strangers cannot lock out.

A try is read (`look`), compared without a transaction (`is_right`), and settled in a short one (`settle`), which looks
again: what guesses at the same moment have counted holds for it too.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.base.errors import BusinessError
from models.system.organization import Employee, Operator
from models.system.sign_in import KnownPlace, SignInCount, SignInKind
from reports.figures.parameters import whole
from workflows.base.context import Ctx
from workflows.system import passwords, sessions
from workflows.system.sessions import digest

REFUSED = "登录名或密码不正确，或账号暂时不能登录。多次输错后请稍候再试，也可联系安全管理员"
# One browser may be the known device of several people: an office's shared machine.
DEVICES_KEPT = 5
PASSWORD_PAGE = "password"  # noqa: S105 - the place where old passwords are typed wrong


class TooManyTries(BusinessError):
    """Too much went wrong from here; who waits may try again."""

    status = 429


@dataclass(frozen=True, slots=True)
class Try:
    """What somebody sends: a name, and where from."""

    name: str
    address: str
    devices: tuple[str, ...] = ()
    agent: str = ""
    kind: SignInKind = SignInKind.BROWSER

    @property
    def who(self) -> str:
        """The name as counts keep it."""
        return digest(self.name)

    @property
    def address_place(self) -> str:
        """The address as a place."""
        return f"address:{self.address[:45]}"


@dataclass(frozen=True, slots=True)
class Look:
    """What the database says of a try: whose name it is, from which place, and whether that place must wait."""

    operator_id: int
    password_hash: str
    may_enter: bool
    is_held: bool
    place: str
    is_known: bool
    limit: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What the browser or program gets: the word of its session, and the devices it is known as."""

    user_id: int
    word: str
    devices: tuple[str, ...]


def look(ctx: Ctx, tried: Try) -> Look:
    """Read; the same queries for a name that nobody has. Raises TooManyTries where the address has used up its own."""
    row = ctx.session.execute(
        select(
            Operator.id,
            Operator.locked_until,
            Operator.is_disabled,
            User.password,
            User.active,
            Employee.is_active,
        )
        .join(User, User.id == Operator.user_id)
        .join(Employee, Employee.id == Operator.employee_id)
        .where(Operator.username == tried.name)
    ).one_or_none()
    place, is_known = _place(ctx, row[0] if row else 0, tried)
    limit = _limit(ctx, "known_failures" if is_known else "max_failures")
    failures = _failures(ctx, tried.who, place)
    if place.startswith("address:") and _failures(ctx, "", place) >= _limit(
        ctx, "address_failures"
    ):
        raise TooManyTries("来自这个地址的登录失败次数过多，请稍后再试")
    if row is None:
        return Look(
            0,
            passwords.nobodys_hash(),
            False,
            is_held=failures >= limit,
            place=place,
            is_known=is_known,
            limit=limit,
        )
    operator_id, locked_until, is_disabled, hashed, is_active, is_employed = row
    is_locked = not is_known and locked_until is not None and locked_until > ctx.now
    may_enter = bool(is_active and is_employed and not is_disabled)
    return Look(
        operator_id,
        hashed or "",
        may_enter,
        is_held=is_locked or failures >= limit,
        place=place,
        is_known=is_known,
        limit=limit,
    )


def is_right(found: Look, password: str) -> bool:
    """One comparison, whatever the answer will be: time tells nothing."""
    return passwords.matches(found.password_hash, password)


def settle(ctx: Ctx, tried: Try, seen: Look, *, right: bool) -> SignedIn | None:
    """Count a failure, or open the session; the caller commits either on its own."""
    # Guesses at the same moment wait for each other here (PostgreSQL; SQLite has one writer).
    key = (SignInCount.who == tried.who, SignInCount.place == seen.place)
    ctx.session.execute(select(SignInCount.id).where(*key).with_for_update())
    now = look(ctx, tried)
    if not (
        right and now.may_enter and not now.is_held and now.password_hash == seen.password_hash
    ):
        _count(ctx, tried, now)
        return None
    ctx.session.execute(
        delete(SignInCount).where(*key).execution_options(synchronize_session=False)
    )
    entered = {
        "failed_count": 0,
        "last_login_at": ctx.now,
        "last_login_ip": ctx.actor.ip or None,
        "locked_until": case((Operator.locked_until > ctx.now, Operator.locked_until), else_=None),
    }
    user_id = ctx.session.scalar(
        update(Operator)
        .where(Operator.id == now.operator_id)
        .values(**entered)
        .returning(Operator.user_id)
    )
    devices = _remember(ctx, tried, now)
    return SignedIn(
        int(user_id or 0), sessions.begin(ctx, now.operator_id, tried.kind, tried.agent), devices
    )


def _limit(ctx: Ctx, name: str) -> int:
    return max(whole(ctx.session, f"login.{name}", ctx.today), 1)


def _lock_until(ctx: Ctx) -> datetime:
    return ctx.now + timedelta(minutes=_limit(ctx, "lock_minutes"))


# ------------------------------------------------------------------------------------------------------------ places


def _place(ctx: Ctx, operator_id: int, tried: Try) -> tuple[str, bool]:
    """Where the try comes from as far as counts go, and whether the account has been entered from there."""
    devices = {f"device:{digest(word)}" for word in tried.devices[:DEVICES_KEPT]}
    since = ctx.now - timedelta(days=_limit(ctx, "known_days"))
    known = ctx.session.scalars(
        select(KnownPlace.place)
        .where(KnownPlace.operator_id == operator_id, KnownPlace.used_at > since)
        .where(KnownPlace.place.in_(sorted({tried.address_place, *devices})))
    ).all()
    for place in sorted(known):
        if place in devices:
            return place, True
    return tried.address_place, tried.address_place in known


def _remember(ctx: Ctx, tried: Try, now: Look) -> tuple[str, ...]:
    """Note the address and the device; a browser that is not known for this account gets a word of its own."""
    devices = tried.devices[:DEVICES_KEPT]
    places = [tried.address_place]
    if now.place.startswith("device:"):
        places.append(now.place)
    elif tried.kind is SignInKind.BROWSER:
        # Never a word that came along: it may have been planted.
        devices = (secrets.token_urlsafe(24), *devices)[:DEVICES_KEPT]
        places.append(f"device:{digest(devices[0])}")
    for place in places:
        row = {"operator_id": now.operator_id, "place": place, "used_at": ctx.now}
        _upsert(ctx, KnownPlace, ["operator_id", "place"], row, {"used_at": ctx.now})
    return devices


# ------------------------------------------------------------------------------------------------------------ counts


def _failures(ctx: Ctx, who: str, place: str) -> int:
    query = select(SignInCount.failures).where(SignInCount.who == who, SignInCount.place == place)
    return int(ctx.session.scalar(query.where(SignInCount.until > ctx.now)) or 0)


def _count(ctx: Ctx, tried: Try, now: Look) -> None:
    """Count by name and place, by address, and by account over all places it is not known from."""
    _count_at(ctx, tried.who, now.place, now.limit)
    _count_at(ctx, "", tried.address_place, _limit(ctx, "address_failures"))
    is_full = Operator.failed_count + 1 >= _limit(ctx, "account_failures")
    ctx.session.execute(  # nobody's name, and a known place, change no row
        update(Operator)
        .where(Operator.username == ("" if now.is_known else tried.name))
        .values(
            failed_count=case((is_full, 0), else_=Operator.failed_count + 1),
            locked_until=case((is_full, _lock_until(ctx)), else_=Operator.locked_until),
        )
    )


def _count_at(ctx: Ctx, who: str, place: str, limit: int) -> None:
    """One statement, so that tries at the same moment all count; the time runs anew when the limit is reached."""
    over, one_more = SignInCount.until <= ctx.now, SignInCount.failures + 1
    row = {"who": who, "place": place, "failures": 1, "until": _lock_until(ctx)}
    again = {
        "failures": case((over, 1), else_=one_more),
        "until": case((over | (one_more == limit), _lock_until(ctx)), else_=SignInCount.until),
    }
    _upsert(ctx, SignInCount, ["who", "place"], row, again)


def _upsert(
    ctx: Ctx, model: Any, key: list[str], row: dict[str, Any], again: dict[str, Any]
) -> None:
    is_sqlite = ctx.session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(model).values(**row)
    ctx.session.execute(insert.on_conflict_do_update(index_elements=key, set_=again))


def count_old_password(ctx: Ctx, operator: Operator) -> None:
    """An old password was typed wrong on the page that changes it."""
    _count_at(ctx, digest(operator.username), PASSWORD_PAGE, _limit(ctx, "max_failures"))


def require_old_password_tries(ctx: Ctx, operator: Operator) -> None:
    """Raise TooManyTries after as many wrong old passwords as a stranger has at the door."""
    if _failures(ctx, digest(operator.username), PASSWORD_PAGE) >= _limit(ctx, "max_failures"):
        minutes = _limit(ctx, "lock_minutes")
        raise TooManyTries(
            f"原密码输错次数过多，请 {minutes} 分钟后再试，或联系安全管理员", field="old_password"
        )


def is_held(session: Session, operator: Operator, now: datetime) -> bool:
    """Whether tries for this account have gone wrong of late: there is something to unlock."""
    query = select(SignInCount.id).where(
        SignInCount.who == digest(operator.username), SignInCount.until > now
    )
    is_locked = operator.locked_until is not None and operator.locked_until > now
    return is_locked or session.scalar(query.limit(1)) is not None


def forget_failures(ctx: Ctx, operator: Operator) -> None:
    """The account's counts begin anew everywhere."""
    operator.failed_count = 0
    operator.locked_until = None
    ctx.session.execute(
        delete(SignInCount)
        .where(SignInCount.who == digest(operator.username))
        .execution_options(synchronize_session=False)
    )


def forget_places(ctx: Ctx, operator: Operator) -> None:
    """No place is known any more, e.g. because somebody else may have signed in."""
    mine = delete(KnownPlace).where(KnownPlace.operator_id == operator.id)
    ctx.session.execute(mine.execution_options(synchronize_session=False))


def purge(ctx: Ctx) -> None:
    """Remove what holds no more: counts, places, sessions."""
    since = ctx.now - timedelta(days=_limit(ctx, "known_days"))
    counts = delete(SignInCount).where(SignInCount.until <= ctx.now)
    for gone in (counts, delete(KnownPlace).where(KnownPlace.used_at < since)):
        ctx.session.execute(gone.execution_options(synchronize_session=False))
    sessions.purge(ctx)
