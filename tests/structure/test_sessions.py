"""Signing in on the whole product: locked after too many tries, and a session ends with its password or its account."""

import re

import pytest
from sqlalchemy import select

from app.demo_accounts import DEMO_PASSWORD
from models.organization import Operator
from reports.figures.parameters import whole
from views import edge
from workflows import operators

HAN = re.compile("[\u4e00-\u9fff]")


def act(product, username, verb):
    """Let the system do something to an operator, in a transaction of its own."""
    with product.app.test_request_context():
        ctx = edge.system_ctx("test")
        edge.begin_write(ctx.session)
        answer = verb(ctx, ctx.session.scalars(select(Operator).where(Operator.username == username)).one())
        ctx.session.commit()
        return answer


def enter(product, username, password=DEMO_PASSWORD):
    """Try to sign in from a new browser; the status tells."""
    client = product.app.test_client()
    return product.post(client, "/login/", page="/login/", username=username, password=password).status_code


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


def test_disabling_ends_the_session_and_the_way_in(demo):
    client = demo.sign_in("qianwei")
    assert is_in(client)
    act(demo, "qianwei", lambda _, operator: setattr(operator, "is_disabled", True))
    assert not is_in(client)
    assert client.get("/api/v1/project/").status_code == 401
    assert enter(demo, "qianwei") == 401


def test_a_new_password_ends_every_session(demo):
    first, second = demo.sign_in("xujing"), demo.sign_in("xujing")
    act(demo, "xujing", lambda ctx, operator: operators.reset_password(ctx, operator, "Quite-New-2026"))
    assert not is_in(first)
    assert not is_in(second)
    assert enter(demo, "xujing") == 401
    assert enter(demo, "xujing", "Quite-New-2026") == 302


def test_a_token_ends_with_the_account(demo):
    answer = demo.app.test_client().post(
        "/api/v1/security/login", json={"username": "zhaoqian", "password": DEMO_PASSWORD, "provider": "db"}
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
    act(demo, "luona", lambda ctx, operator: operators.reset_password(ctx, operator, "First-One-2026"))
    tokens = sign_in_by_rest(demo, username="luona", password="First-One-2026", refresh=True).get_json()
    assert bearer(demo, tokens["access_token"]) == 403
    refused = renewed(demo, tokens["refresh_token"])
    assert (refused.status_code, "初始密码" in refused.get_json()["message"]) == (403, True)


@pytest.mark.parametrize(
    "sent",
    [
        {}, {"username": ["a"], "password": {}}, {"username": 1, "password": 2}, {"username": "", "password": ""},
        {"username": "shihui", "password": DEMO_PASSWORD, "provider": "ldap"},
        {"username": "shihui", "password": DEMO_PASSWORD, "provider": ["db"]},
        {"username": "shihui", "password": DEMO_PASSWORD, "refresh": "x"},
    ],
)  # fmt: skip
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


@pytest.mark.parametrize("body", [b"{", b"", b"[" * 100_000, b"\xff\xfe", b'{"username": "\\ud800", "password": "x"}'])
def test_no_body_makes_a_crash_at_the_door_for_programs(demo, body):
    answer = demo.app.test_client().post("/api/v1/security/login", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert HAN.search(answer.get_json()["message"])


@pytest.fixture
def quick_hash(monkeypatch):
    """No password is hashed: whoever says "right" is right."""
    monkeypatch.setattr(operators, "check_password_hash", lambda _hash, password: password == "right")


@pytest.fixture
def fresh_budget(demo):
    """Nobody has guessed before, and nobody after suffers for it; gives how many guesses are free."""
    limiter = demo.app.appbuilder.sm.limiter
    limiter.reset()
    yield int(demo.app.config["AUTH_RATE_LIMIT"].split()[0])
    limiter.reset()


def test_guessing_is_slowed_down_at_both_doors_together(demo, quick_hash, fresh_budget):
    for turn in range(fresh_budget):
        assert sign_in_by_rest(demo, username=f"nobody{turn}", password="x").status_code == 401
    late = sign_in_by_rest(demo, username="nobody", password="x")
    assert (late.status_code, "频繁" in late.get_json()["message"]) == (429, True)
    assert enter(demo, "shihui", "right") == 429


def test_signing_in_rightly_slows_nobody_down(demo, quick_hash, fresh_budget):
    for _ in range(fresh_budget + 1):
        assert enter(demo, "shihui", "right") == 302
