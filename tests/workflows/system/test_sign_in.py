"""Signing in: one answer and one comparison for every refusal, and an owner whom strangers cannot lock out."""

import functools
from datetime import timedelta

import pytest
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

import workflows.registry  # noqa: F401 - every rule is in force
from models.base.errors import NotFound
from models.system.organization import Employee, Operator
from models.system.setup import AuditLog, Parameter
from models.system.sign_in import KnownPlace, SessionEnd, SignInCount, SignInKind, SignInSession
from reports.figures import parameters
from tests.workflows.at_once import outcomes
from tests.workflows.door import enter
from tests.workflows.office import NOW
from workflows.base import records
from workflows.system import operators, passwords, sessions, sign_in

PASSWORD = "Huoche-2026-A"
HOME, ELSEWHERE = "10.0.0.8", "203.0.113.7"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    """A real hash, made in a moment: the price of the product's own is not what is tested."""
    cheap = functools.partial(generate_password_hash, method="pbkdf2:sha256:1")
    monkeypatch.setattr(passwords, "generate_password_hash", cheap)


def hire(ctx, office, who="乙", username="yi"):
    return operators.create_operator(
        ctx, ctx.session.get(Employee, office.people[who]), username, PASSWORD, []
    )


@pytest.fixture
def made(ctx, office):
    return hire(ctx, office)


def set_parameter(session, code, value):
    session.execute(update(Parameter).where(Parameter.code == code).values(value=value))
    parameters.forget(session)


def guess(ctx, times, name="yi", address=HOME, devices=()):
    return [enter(ctx, name, "wrong", address, devices) for _ in range(times)]


def later(ctx, office, **time):
    return office.ctx(ctx.session, now=NOW + timedelta(**time))


# ------------------------------------------------------------------------------------------------------ nothing is told


def disable(ctx, _office, made):
    made.is_disabled = True


def deactivate(ctx, _office, made):
    ctx.session.get(User, made.user_id).active = False


def leave(ctx, office, _made):
    ctx.session.get(Employee, office.people["乙"]).is_active = False


def lock(ctx, _office, _made):
    guess(ctx, 5)


REFUSALS = {
    "unknown": ("nobody", PASSWORD, None),
    "case": ("YI", PASSWORD, None),
    "empty": ("", "", None),
    "wrong": ("yi", "wrong", None),
    "locked": ("yi", PASSWORD, lock),
    "locked_wrong": ("yi", "wrong", lock),
    "disabled": ("yi", PASSWORD, disable),
    "inactive": ("yi", PASSWORD, deactivate),
    "left": ("yi", PASSWORD, leave),
}


@pytest.fixture
def compared(monkeypatch):
    """The hashes that were compared."""
    seen, real = [], passwords.check_password_hash
    monkeypatch.setattr(
        passwords, "check_password_hash", lambda *args: seen.append(args[0]) or real(*args)
    )
    return seen


@pytest.mark.parametrize("why", REFUSALS)
def test_every_refusal_is_none_after_exactly_one_comparison(ctx, office, made, compared, why):
    """Time tells nothing: an unknown name, a lock and a disabled account all cost one hash like a wrong password."""
    name, password, prepare = REFUSALS[why]
    if prepare is not None:
        prepare(ctx, office, made)
    ctx.session.flush()
    passwords.nobodys_hash()
    compared.clear()
    assert enter(ctx, name, password) is None
    assert len(compared) == 1
    assert made.last_login_at is None
    assert ctx.session.scalar(select(func.count(SignInSession.id))) == 0


def test_a_known_and_an_unknown_name_cost_the_same_statements(ctx, made):
    sent = []
    bind = ctx.session.get_bind()
    event.listen(
        bind, "before_cursor_execute", lambda _c, _u, statement, *_: sent.append(statement)
    )
    costs = []
    for name in ("yi", "nobody"):
        sent.clear()
        assert enter(ctx, name, "wrong") is None
        costs.append(list(sent))
    assert costs[0] == costs[1]


def test_what_was_typed_as_a_name_is_not_kept(ctx, made):
    """It may have been a password."""
    guess(ctx, 1, "My-Secret-2026")
    assert "My-Secret" not in str(
        [(row.who, row.place) for row in ctx.session.scalars(select(SignInCount))]
    )


# -------------------------------------------------------------------------------------------------------------- limits


def test_after_so_many_failures_even_the_right_password_waits(ctx, office, made):
    guess(ctx, 4)
    assert enter(ctx, "yi", PASSWORD)
    guess(ctx, 20)  # now a known place: more is forgiven
    assert enter(ctx, "yi", PASSWORD) is None
    guess(ctx, 5, address=ELSEWHERE)
    assert enter(ctx, "yi", PASSWORD, ELSEWHERE) is None
    assert enter(later(ctx, office, minutes=29, seconds=59), "yi", PASSWORD, ELSEWHERE) is None
    assert enter(later(ctx, office, minutes=30), "yi", PASSWORD, ELSEWHERE)


def test_tries_while_it_waits_do_not_make_it_longer(ctx, office, made):
    guess(ctx, 5)
    guess(later(ctx, office, minutes=20), 5)
    assert enter(later(ctx, office, minutes=30), "yi", PASSWORD)


def test_strangers_do_not_lock_the_owner_out(ctx, made):
    guess(ctx, 5, address=ELSEWHERE)
    assert enter(ctx, "yi", PASSWORD, ELSEWHERE) is None
    assert enter(ctx, "yi", PASSWORD, HOME)


def test_behind_the_same_address_the_owners_browser_gets_in(ctx, made):
    """200 wrong tries of a colleague: the address is full, the device that the owner has used is not."""
    devices = enter(ctx, "yi", PASSWORD).devices
    guess(ctx, 200)
    assert enter(ctx, "yi", PASSWORD) is None
    assert enter(ctx, "yi", PASSWORD, devices=devices)


def test_a_known_device_has_a_limit_of_its_own(ctx, made):
    devices = enter(ctx, "yi", PASSWORD).devices
    guess(ctx, 19, devices=devices)
    assert enter(ctx, "yi", PASSWORD, devices=devices)
    guess(ctx, 20, devices=devices)
    assert enter(ctx, "yi", PASSWORD, devices=devices) is None
    assert enter(ctx, "yi", PASSWORD, "10.9.9.9")


def test_many_strangers_together_slow_each_other_down_and_never_the_owner(ctx, office, made):
    devices = enter(ctx, "yi", PASSWORD).devices
    for number in range(50):
        guess(ctx, 1, address=f"203.0.113.{number}")
    ctx.session.refresh(made)
    assert (made.failed_count, made.locked_until) == (0, NOW + timedelta(minutes=30))
    assert enter(ctx, "yi", PASSWORD, "198.51.100.1") is None, (
        "a place that the account has never been entered from"
    )
    assert enter(ctx, "yi", PASSWORD, HOME)
    assert enter(ctx, "yi", PASSWORD, "198.51.100.2", devices)
    ctx.session.refresh(made)
    assert made.locked_until == NOW + timedelta(minutes=30), (
        "the owner's success opens it to nobody else"
    )
    assert enter(later(ctx, office, minutes=30), "yi", PASSWORD, "198.51.100.1")
    ctx.session.refresh(made)
    assert (made.locked_until, made.failed_count) == (None, 0)


def test_an_address_has_a_limit_over_all_names(ctx, made):
    """No name is told apart by it, and a known device passes."""
    set_parameter(ctx.session, "login.address_failures", "30")
    devices = enter(ctx, "yi", PASSWORD).devices
    for number in range(30):
        guess(ctx, 1, f"nobody{number}")
    for name in ("yi", "nobody"):
        with pytest.raises(sign_in.TooManyTries):
            enter(ctx, name, PASSWORD)
    assert enter(ctx, "yi", PASSWORD, devices=devices)
    assert enter(ctx, "yi", PASSWORD, ELSEWHERE)


def test_a_place_is_known_for_so_many_days(ctx, office, made):
    devices = enter(ctx, "yi", PASSWORD).devices
    for days, inside in ((89, True), (91, False)):
        at = later(ctx, office, days=days)
        guess(at, 5, devices=devices)
        assert (enter(at, "yi", PASSWORD, devices=devices) is not None) is inside
        ctx.session.execute(update(KnownPlace).values(used_at=NOW))
        ctx.session.execute(SignInCount.__table__.delete())


def test_a_planted_device_becomes_nobodys(ctx, office, made):
    """A word that somebody has put into the browser is never the one by which the account knows it."""
    assert "planted" not in enter(ctx, "yi", PASSWORD, devices=["planted"]).devices[:1]
    guess(ctx, 5, address=ELSEWHERE, devices=["planted"])
    assert enter(ctx, "yi", PASSWORD, ELSEWHERE, ["planted"]) is None


def test_one_browser_may_be_known_to_several(ctx, office, made):
    hire(ctx, office, "丙", "bing")
    devices = enter(ctx, "yi", PASSWORD).devices
    both = enter(ctx, "bing", PASSWORD, devices=devices).devices
    for name in ("yi", "bing"):
        guess(ctx, 20, name)
        assert enter(ctx, name, PASSWORD, devices=both)


def test_the_limit_and_the_time_are_parameters(ctx, office, made):
    set_parameter(ctx.session, "login.max_failures", "2")
    set_parameter(ctx.session, "login.lock_minutes", "7")
    guess(ctx, 2)
    assert enter(ctx, "yi", PASSWORD) is None
    assert enter(later(ctx, office, minutes=7), "yi", PASSWORD)


def test_a_success_forgets_the_failures_before_it(ctx, made):
    for _ in range(2):
        guess(ctx, 4)
        assert enter(ctx, "yi", PASSWORD)


def test_the_administrator_unlocks_every_place(ctx, made):
    guess(ctx, 5)
    guess(ctx, 5, address=ELSEWHERE)
    assert sign_in.is_held(ctx.session, made, ctx.now)
    operators.unlock(ctx, made)
    ctx.session.flush()
    assert not sign_in.is_held(ctx.session, made, ctx.now)
    assert enter(ctx, "yi", PASSWORD)
    assert enter(ctx, "yi", PASSWORD, ELSEWHERE)


def test_a_password_changed_meanwhile_opens_nothing(ctx, made):
    """It was compared before the change: what is true when the session would begin counts."""
    tried = sign_in.Try("yi", HOME)
    seen = sign_in.look(ctx, tried)
    right = sign_in.is_right(seen, PASSWORD)
    operators.reset_password(ctx, made, "Huoche-2026-B")
    assert right
    assert sign_in.settle(ctx, tried, seen, right=right) is None


def test_the_right_one_of_too_many_guesses_comes_too_late(ctx, made):
    """It has read the account before the others were counted: the last look is the one that counts."""
    tried = sign_in.Try("yi", HOME)
    seen = sign_in.look(ctx, tried)
    guess(ctx, 5)
    assert sign_in.settle(ctx, tried, seen, right=True) is None


@pytest.fixture
def guessed(engine, office):
    """An account that other connections see, and no longer after the test."""
    with Session(engine, expire_on_commit=False) as session:
        made = hire(office.ctx(session), office, "丙", "bing")
        session.commit()
    yield made.id
    with Session(engine) as session:
        row = session.get(Operator, made.id)
        user = session.get(User, row.user_id)
        session.execute(SignInCount.__table__.delete())
        session.delete(row)
        session.flush()
        session.delete(user)
        session.commit()


def test_guesses_at_the_same_moment_all_count(engine, office, guessed):
    answers = outcomes(engine, [lambda session: guess(office.ctx(session), 1, "bing")[0]] * 5)
    assert answers == [None] * 5
    with Session(engine) as session:
        count = select(SignInCount.failures).where(SignInCount.who == sessions.digest("bing"))
        assert session.scalar(count) == 5
        assert session.get(Operator, guessed).failed_count == 5


# ------------------------------------------------------------------------------------------------------------ sessions


def word_of(ctx, name="yi", **more):
    return enter(ctx, name, PASSWORD, **more).word


def found(ctx, word):
    return sessions.find(ctx.session, word, ctx.now)


def test_the_table_holds_no_word_that_opens_anything(ctx, made):
    word = word_of(ctx, agent="Firefox/1")
    row = ctx.session.scalars(select(SignInSession)).one()
    assert word not in str(vars(row))
    assert (row.ip, row.user_agent, row.began_at, row.kind) == (
        HOME,
        "Firefox/1",
        NOW,
        SignInKind.BROWSER,
    )
    assert found(ctx, word)[1].id == made.id
    assert found(ctx, row.token_hash) is None


def test_a_session_ends_by_being_idle_and_by_its_age(ctx, office, made):
    word = word_of(ctx)
    assert found(later(ctx, office, minutes=119), word)
    assert found(later(ctx, office, minutes=120), word) is None
    for hour in range(1, 12):
        at = later(ctx, office, hours=hour)
        sessions.touch(at, found(at, word)[0].id)
    assert found(later(ctx, office, hours=11, minutes=59), word)
    assert found(later(ctx, office, hours=12), word) is None


def test_both_times_are_parameters_that_cannot_shut_everybody_out(ctx, office, made):
    set_parameter(ctx.session, "session.idle_minutes", "0")
    set_parameter(ctx.session, "session.absolute_hours", "0")
    word = word_of(ctx)
    assert found(later(ctx, office, minutes=4), word)
    assert found(later(ctx, office, minutes=5), word) is None


def test_enabling_an_account_again_brings_no_session_back(ctx, made):
    word = word_of(ctx)
    records.update(ctx, made, {"is_disabled": "是"}, made.version)
    ctx.session.flush()
    assert found(ctx, word) is None
    records.update(ctx, made, {"is_disabled": "否"}, made.version)
    ctx.session.flush()
    assert found(ctx, word) is None
    assert ctx.session.scalars(select(SignInSession.end_reason)).one() is SessionEnd.DISABLED


def test_one_session_is_ended_and_no_other(ctx, office, made):
    other = hire(ctx, office, "丙", "bing")
    mine, second, theirs = word_of(ctx), word_of(ctx), word_of(ctx, "bing")
    for foreign in (found(ctx, theirs)[0].id, 99_999):
        with pytest.raises(NotFound, match="没有这个登录会话"):
            sessions.end(ctx, made, foreign, SessionEnd.OWNER)
    gone = found(ctx, mine)[0].id
    sessions.end(ctx, made, gone, SessionEnd.OWNER)
    assert found(ctx, mine) is None
    with pytest.raises(NotFound):
        sessions.end(ctx, made, gone, SessionEnd.OWNER)
    assert sessions.end_by_administrator(ctx, made, None) == 1
    assert found(ctx, second) is None
    assert [row.id for row in sessions.open_of(ctx.session, other.id, ctx.now)] == [
        found(ctx, theirs)[0].id
    ]
    line = ctx.session.scalars(select(AuditLog).where(AuditLog.action == "END_SESSION")).one()
    assert line.note == "结束登录会话 1 个"


def test_what_nobody_asks_about_any_more_is_removed(ctx, office, made):
    word_of(ctx)
    guess(ctx, 1, address=ELSEWHERE)
    for days, left in ((1, (1, 2, 0)), (91, (1, 0, 0)), (181, (0, 0, 0))):
        sign_in.purge(later(ctx, office, days=days))
        tables = (SignInSession, KnownPlace, SignInCount)
        assert tuple(ctx.session.scalar(select(func.count(table.id))) for table in tables) == left
