"""Signing in on the whole product: locked after too many tries, and a session ends with its password or its account."""

import pytest
from sqlalchemy import select

from app.demo_accounts import DEMO_PASSWORD
from models.organization import Operator
from reports.figures.parameters import whole
from views import edge
from workflows import operators


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
