"""Signing in on the whole product: what strangers learn, who is kept out, and what ends a session."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask_jwt_extended import create_access_token, decode_token
from sqlalchemy import delete, select, update

from app.cookies import TolerantCookies
from app.demo_accounts import DEMO_PASSWORD
from models.system.organization import Operator
from models.system.setup import Parameter
from models.system.sign_in import SessionEnd, SignInCount, SignInSession
from reports.figures.parameters import whole
from views.kit import edge
from workflows.base import records
from workflows.system import operators, passwords, sign_in

HAN = re.compile("[\u4e00-\u9fff]")


def act(product, username, verb):
    """Let the system do something to an operator, in a transaction of its own."""
    with product.app.test_request_context():
        ctx = edge.system_ctx("test")
        edge.begin_write(ctx.session)
        answer = verb(
            ctx, ctx.session.scalars(select(Operator).where(Operator.username == username)).one()
        )
        ctx.session.commit()
        return answer


def enter(product, username, password=DEMO_PASSWORD):
    """Try to sign in from a new browser; the status tells."""
    client = product.app.test_client()
    return product.post(
        client, "/login/", page="/login/", username=username, password=password
    ).status_code


def is_in(client):
    """Whether the browser is still signed in."""
    return client.get("/project/list/").status_code == 200


def test_too_many_tries_lock_the_account_until_somebody_unlocks_it(demo):
    most = act(demo, "sunhao", lambda ctx, _: whole(ctx.session, "login.max_failures", ctx.today))
    for _ in range(most):
        assert enter(demo, "sunhao", "wrong") == 401
    assert enter(demo, "sunhao") == 401, "the right password comes too late"
    act(demo, "sunhao", operators.unlock)
    assert enter(demo, "sunhao") == 302


def test_one_try_fewer_locks_nobody(demo):
    most = act(demo, "linyifan", lambda ctx, _: whole(ctx.session, "login.max_failures", ctx.today))
    for _ in range(most - 1):
        assert enter(demo, "linyifan", "wrong") == 401
    assert enter(demo, "linyifan") == 302


def copy_of(product, client):
    """Another browser with the same cookies, as somebody takes them along."""
    copied = product.app.test_client()
    for cookie in ("guarantee_session", "guarantee_device"):
        copied.set_cookie(cookie, client.get_cookie(cookie).value)
    return copied


def end_reasons(product, username):
    """Why the sessions of somebody have ended, None for those that last."""
    with product.session() as session:
        query = select(SignInSession.end_reason).join(Operator).where(Operator.username == username)
        return list(session.scalars(query.order_by(SignInSession.id)))


def test_a_copied_cookie_is_dead_after_signing_out(demo):
    client = demo.sign_in("tangxia")
    copied = copy_of(demo, client)
    assert is_in(copied)
    assert client.get("/logout/").status_code == 302
    assert not is_in(copied)
    assert not is_in(client)
    assert end_reasons(demo, "tangxia") == [SessionEnd.SIGNED_OUT]


def test_the_cookie_names_nobody(demo):
    client = demo.sign_in("tangxia")
    with client.session_transaction() as cookie:
        assert set(cookie) <= {"_user_id", "csrf_token", "_flashes", "_permanent"}
        assert len(cookie["_user_id"]) >= 40, "a random word, not the number of the user"
    with demo.session() as session:
        assert cookie["_user_id"] not in str(session.execute(select(SignInSession.__table__)).all())


def test_enabling_an_account_again_brings_no_session_back(demo):
    client = demo.sign_in("fangyuan")
    act(
        demo,
        "fangyuan",
        lambda ctx, found: records.update(ctx, found, {"is_disabled": "是"}, found.version),
    )
    assert not is_in(client)
    act(
        demo,
        "fangyuan",
        lambda ctx, found: records.update(ctx, found, {"is_disabled": "否"}, found.version),
    )
    assert not is_in(client)
    assert enter(demo, "fangyuan") == 302


def test_a_browser_that_is_known_gets_in_where_others_have_guessed(demo):
    """Five, or two hundred, bad tries by anybody from anywhere lock nobody out of the own browser."""
    own = demo.sign_in("zhoumin")
    for address in ("127.0.0.1", "203.0.113.9"):
        for _ in range(25):
            stranger = demo.app.test_client()
            token = {
                "csrf_token": demo.token(stranger, "/login/"),
                "username": "zhoumin",
                "password": "wrong",
            }
            assert (
                stranger.post(
                    "/login/", data=token, environ_base={"REMOTE_ADDR": address}
                ).status_code
                == 401
            )
    own.get("/logout/")
    answer = demo.post(own, "/login/", page="/login/", username="zhoumin", password=DEMO_PASSWORD)
    assert answer.status_code == 302
    assert enter(demo, "zhoumin") == 401, "a browser that the account does not know waits"
    act(demo, "zhoumin", operators.unlock)
    assert enter(demo, "zhoumin") == 302


def test_every_refusal_reads_the_same(demo, quick_hash):
    """Unknown, wrong, locked, disabled: the page does not tell them apart, nor does the door for programs."""
    act(demo, "huangbo", lambda _, found: setattr(found, "is_disabled", True))
    for _ in range(6):
        enter(demo, "chenli", "wrong")
    said = set()
    for name, password in (
        ("nobody", "x"),
        ("wujie", "x"),
        ("chenli", "right"),
        ("chenli", "x"),
        ("huangbo", "right"),
    ):
        client = demo.app.test_client()
        page = demo.post(client, "/login/", page="/login/", username=name, password=password)
        shown = re.search(r'id="refused"><span>([^<]+)', page.get_data(as_text=True))[1]
        by_rest = sign_in_by_rest(demo, username=name, password=password)
        said.add((page.status_code, shown, by_rest.status_code, by_rest.get_json()["message"]))
    assert said == {(401, sign_in.REFUSED, 401, sign_in.REFUSED)}


def test_no_password_is_hashed_while_anybody_waits_for_the_database(demo, monkeypatch):
    """Signing in, changing, resetting and a first password: others write while a hash is made or compared."""
    seen = []

    def watched(real):
        def hashing(*args, **more):
            assert not edge.session().in_transaction()
            if demo.engine.dialect.name == "sqlite":
                with demo.engine.execution_options(sqlite_begin="IMMEDIATE").connect() as other:
                    other.connection.dbapi_connection.execute("PRAGMA busy_timeout=0")
                    other.exec_driver_sql("SELECT 1")  # refused where somebody else is writing
                    other.rollback()
                    other.connection.dbapi_connection.execute("PRAGMA busy_timeout=15000")
            seen.append(real.__name__)
            return real(*args, **more)

        return hashing

    client, safe = demo.sign_in("lujun"), demo.client_of("security")
    with demo.session() as session:
        key = session.scalars(select(Operator.id).where(Operator.username == "lujun")).one()
    for name in ("check_password_hash", "generate_password_hash"):
        monkeypatch.setattr(passwords, name, watched(getattr(passwords, name)))
    assert enter(demo, "lujun", "wrong") == 401
    assert enter(demo, "lujun") == 302
    assert change(demo, client, "wrong", "Quite-New-2026").status_code == 400
    assert change(demo, client, DEMO_PASSWORD, "Quite-New-2026").status_code == 302
    assert (
        demo.post(safe, f"/operator/{key}/password", password="Other-New-2026").status_code == 302
    )
    fields = {"employee_id": "99999", "username": "newcomer", "password": "First-One-2026"}
    assert demo.post(safe, "/operator/add", **fields).status_code == 400
    assert seen.count("generate_password_hash") == 3
    assert len(seen) >= 8


def change(product, client, old, new):
    """Send the page that changes one's own password."""
    return product.post(client, "/password/", old_password=old, password=new, again=new)


def test_wrong_old_passwords_are_counted_and_end_with_waiting(demo):
    client, other = demo.sign_in("wangyan"), demo.sign_in("wangyan")
    most = act(demo, "wangyan", lambda ctx, _: whole(ctx.session, "login.max_failures", ctx.today))
    for _ in range(most):
        answer = change(demo, client, "wrong", "Quite-New-2026")
        assert (answer.status_code, "原密码不正确" in answer.get_data(as_text=True)) == (400, True)
    late = change(demo, client, DEMO_PASSWORD, "Quite-New-2026")
    assert (late.status_code, "原密码输错次数过多" in late.get_data(as_text=True)) == (429, True)
    act(demo, "wangyan", operators.unlock)
    assert change(demo, client, DEMO_PASSWORD, "Quite-New-2026").status_code == 302
    assert is_in(client)
    assert not is_in(other)


def test_disabling_ends_the_session_and_the_way_in(demo):
    client = demo.sign_in("qianwei")
    assert is_in(client)
    act(demo, "qianwei", lambda _, operator: setattr(operator, "is_disabled", True))
    assert not is_in(client)
    assert client.get("/api/v1/project/").status_code == 401
    assert enter(demo, "qianwei") == 401


def test_a_new_password_ends_every_session(demo):
    first, second = demo.sign_in("xujing"), demo.sign_in("xujing")
    act(
        demo,
        "xujing",
        lambda ctx, operator: operators.reset_password(ctx, operator, "Quite-New-2026"),
    )
    assert not is_in(first)
    assert not is_in(second)
    assert enter(demo, "xujing") == 401
    assert enter(demo, "xujing", "Quite-New-2026") == 302


def test_a_token_ends_with_the_account(demo):
    answer = demo.app.test_client().post(
        "/api/v1/security/login",
        json={"username": "zhaoqian", "password": DEMO_PASSWORD, "provider": "db"},
    )
    bearer = {"Authorization": f"Bearer {answer.get_json()['access_token']}"}
    assert demo.app.test_client().get("/api/v1/project/", headers=bearer).status_code == 200
    act(demo, "zhaoqian", lambda _, operator: setattr(operator, "is_disabled", True))
    assert demo.app.test_client().get("/api/v1/project/", headers=bearer).status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "eyJ1c2VyX2lkIjoiMSJ9.aaaa.bbbb"])
def test_a_forged_session_is_nobodys(demo, cookie):
    client = demo.app.test_client()
    client.set_cookie("guarantee_session", cookie)
    assert client.get("/project/list/").status_code == 302


# ------------------------------------------------------------------------------------------------------------- programs
def sign_in_by_rest(product, **sent):
    """What the door for programs answers."""
    return product.app.test_client().post("/api/v1/security/login", json=sent)


def bearer(product, token):
    """Ask for a list with a token; the status tells."""
    client = product.app.test_client()
    return client.get("/api/v1/project/", headers={"Authorization": f"Bearer {token}"}).status_code


def renewed(product, token):
    """Ask for another token."""
    client = product.app.test_client()
    return client.post("/api/v1/security/refresh", headers={"Authorization": f"Bearer {token}"})


CHANGES = {
    "heping": lambda ctx, operator: operators.reset_password(ctx, operator, "Other-New-2026"),
    "majie": lambda ctx, operator: operators.grant_roles(ctx, operator, ["分析员"]),
}


@pytest.mark.parametrize("who", CHANGES)
def test_every_token_ends_with_the_password_or_the_roles(demo, who):
    tokens = sign_in_by_rest(demo, username=who, password=DEMO_PASSWORD, refresh=True).get_json()
    assert bearer(demo, tokens["access_token"]) == 200
    assert bearer(demo, renewed(demo, tokens["refresh_token"]).get_json()["access_token"]) == 200
    act(demo, who, CHANGES[who])
    assert bearer(demo, tokens["access_token"]) == 401
    assert renewed(demo, tokens["refresh_token"]).status_code == 401


def test_a_first_password_opens_nothing_to_a_program(demo):
    act(
        demo,
        "luona",
        lambda ctx, operator: operators.reset_password(ctx, operator, "First-One-2026"),
    )
    tokens = sign_in_by_rest(
        demo, username="luona", password="First-One-2026", refresh=True
    ).get_json()
    assert bearer(demo, tokens["access_token"]) == 403
    refused = renewed(demo, tokens["refresh_token"])
    assert (refused.status_code, "初始密码" in refused.get_json()["message"]) == (403, True)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"username": ["a"], "password": {}},
        {"username": 1, "password": 2},
        {"username": "", "password": ""},
        {"username": "shihui", "password": DEMO_PASSWORD, "provider": "ldap"},
        {"username": "shihui", "password": DEMO_PASSWORD, "provider": ["db"]},
        {"username": "shihui", "password": DEMO_PASSWORD, "refresh": "x"},
    ],
)
def test_a_program_is_told_in_chinese_what_is_missing(demo, sent):
    answer = sign_in_by_rest(demo, **sent)
    assert answer.status_code == 400
    assert HAN.search(answer.get_json()["message"])


@pytest.mark.parametrize("name", ["a\x00b", "x" * 100_000, "𠮷", "' OR 1=1 --"])
def test_no_name_makes_a_crash_at_either_door(demo, name):
    assert enter(demo, name) == 401
    answer = sign_in_by_rest(demo, username=name, password="x")
    assert answer.status_code == 401
    assert HAN.search(answer.get_json()["message"])


@pytest.mark.parametrize(
    "body", [b"{", b"", b"[" * 100_000, b"\xff\xfe", b'{"username": "\\ud800", "password": "x"}']
)
def test_no_body_makes_a_crash_at_the_door_for_programs(demo, body):
    answer = demo.app.test_client().post(
        "/api/v1/security/login", data=body, content_type="application/json"
    )
    assert answer.status_code == 400
    assert HAN.search(answer.get_json()["message"])


@pytest.fixture
def quick_hash(monkeypatch):
    """No password is hashed: whoever says "right" is right."""
    monkeypatch.setattr(
        passwords, "check_password_hash", lambda _hash, password: password == "right"
    )


@pytest.fixture
def small_budget(demo):
    """Nobody has guessed before, and nobody after suffers for it; gives how many guesses an address has."""

    def begin(budget):
        with demo.session() as session:
            session.execute(delete(SignInCount))
            session.execute(
                update(Parameter)
                .where(Parameter.code == "login.address_failures")
                .values(value=budget)
            )
            session.commit()
        return int(budget)

    yield begin("30")
    begin("300")


def test_guessing_is_slowed_down_at_both_doors_together(demo, quick_hash, small_budget):
    for turn in range(small_budget):
        assert sign_in_by_rest(demo, username=f"nobody{turn}", password="x").status_code == 401
    late = sign_in_by_rest(demo, username="nobody", password="x")
    assert (late.status_code, "次数过多" in late.get_json()["message"]) == (429, True)
    assert enter(demo, "shihui", "right") == 429


def test_signing_in_rightly_slows_nobody_down(demo, quick_hash, small_budget):
    for _ in range(small_budget + 1):
        assert enter(demo, "shihui", "right") == 302


# ----------------------------------------------------------------------------------------------- sessions on the screen
def test_a_person_sees_and_ends_the_own_sessions(demo):
    here, there = demo.sign_in("hejianguo"), demo.sign_in("hejianguo")
    token = sign_in_by_rest(demo, username="hejianguo", password=DEMO_PASSWORD).get_json()[
        "access_token"
    ]
    page = here.get("/settings/").get_data(as_text=True)
    assert (page.count("本次登录"), page.count("127.0.0.1"), "程序接口" in page) == (1, 3, True)
    assert demo.post(here, "/settings/sessions/end").status_code == 302
    assert not is_in(there)
    assert bearer(demo, token) == 401
    assert is_in(here)


def ids_of(product, username):
    """The sessions of somebody that last."""
    with product.session() as session:
        query = select(SignInSession.id).join(Operator).where(Operator.username == username)
        return list(
            session.scalars(
                query.where(SignInSession.ended_at.is_(None)).order_by(SignInSession.id)
            )
        )


def test_nobody_ends_the_sessions_of_others_but_the_security_administrator(demo):
    client, safe = demo.sign_in("zhenglan"), demo.client_of("security")
    mine = ids_of(demo, "zhenglan")[-1]
    with demo.session() as session:
        key = session.scalars(select(Operator.id).where(Operator.username == "zhenglan")).one()
    for path in ("/settings/sessions/end", f"/operator/{key}/sessions/end"):
        answer = demo.post(demo.client_of("auditor"), path, session=mine)
        assert answer.status_code in {403, 404}
    for bad in ("x", "0", "-1", "99999999999999999999"):
        assert demo.post(safe, f"/operator/{key}/sessions/end", session=bad).status_code == 404
        assert demo.post(client, "/settings/sessions/end", session=bad).status_code == 404
    assert is_in(client)
    shown = safe.get(f"/operator/show/{key}").get_data(as_text=True)
    assert "登录会话" in shown
    assert f"/operator/{key}/sessions/end" in shown
    assert demo.post(safe, f"/operator/{key}/sessions/end", session=mine).status_code == 302
    assert not is_in(client)
    assert end_reasons(demo, "zhenglan")[-1] is SessionEnd.ADMINISTRATOR


def test_use_is_noted_once_a_minute_and_never_waits_for_a_writer(demo):
    client = demo.sign_in("yangfan")
    mine = ids_of(demo, "yangfan")[-1]
    client.get("/settings/")

    def seen_at(**earlier):
        with demo.session() as session:
            found = session.get(SignInSession, mine)
            if earlier:
                found.seen_at -= timedelta(**earlier)
                session.commit()
            return found.seen_at

    first = seen_at()
    assert is_in(client)
    assert seen_at() == first, "no write per request"
    long_ago = seen_at(minutes=2)
    if demo.engine.dialect.name == "sqlite":
        with demo.engine.execution_options(sqlite_begin="IMMEDIATE").connect() as writer:
            writer.exec_driver_sql("SELECT 1")
            assert is_in(client)
            assert seen_at() == long_ago
    assert is_in(client)
    assert seen_at() > long_ago


def test_an_idle_session_is_over(demo):
    client = demo.sign_in("yangfan")
    with demo.session() as session:
        session.get(SignInSession, ids_of(demo, "yangfan")[-1]).idle_until = datetime.now(UTC)
        session.commit()
    assert not is_in(client)


# --------------------------------------------------------------------------------------------------------------- clocks
@pytest.mark.parametrize(("ahead", "inside"), [(180, True), (-180, True), (3600, False)])
def test_machines_whose_clocks_differ_by_minutes_take_each_others_cookies(
    demo, monkeypatch, ahead, inside
):
    """The second machine is behind by three minutes: what the first has signed is of the future."""
    client = demo.sign_in("zhoumin")
    serializer = TolerantCookies().get_signing_serializer(demo.app)
    kept = serializer.loads(client.get_cookie("guarantee_session").value)
    signer = serializer.default_signer
    now = signer.get_timestamp(signer(b"x"))
    monkeypatch.setattr(signer, "get_timestamp", lambda _self: now + ahead)
    signed = serializer.dumps(kept)
    monkeypatch.undo()
    client.set_cookie("guarantee_session", signed)
    assert is_in(client) is inside


@pytest.mark.parametrize(("ahead", "inside"), [(180, 200), (3600, 401)])
def test_and_each_others_tokens(demo, ahead, inside):
    tokens = sign_in_by_rest(demo, username="zhoumin", password=DEMO_PASSWORD).get_json()
    with demo.app.test_request_context():
        claims = decode_token(tokens["access_token"])
        later = int(datetime.now(UTC).timestamp()) + ahead
        of_later = {"sid": claims["sid"], "iat": later, "nbf": later}
        signed = create_access_token(claims["sub"], additional_claims=of_later)
    assert bearer(demo, signed) == inside
