"""When nothing goes: a busy database, no such host, a page that cannot be drawn. There is always a word in Chinese."""

import re
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select, text

from app import errors
from app.extensions import db
from models.customer.customer import CorporateCustomer
from models.system.organization import Operator

HAN = re.compile("[\u4e00-\u9fff]")


@contextmanager
def impatient(product):
    """New connections wait a moment for a lock instead of a quarter of a minute."""
    word = {"sqlite": "PRAGMA busy_timeout=100", "postgresql": "SET lock_timeout = 100"}[
        product.engine.dialect.name
    ]

    def hurry(connection, _record):
        connection.cursor().execute(word)
        connection.commit()

    event.listen(product.engine, "connect", hurry)
    product.engine.dispose()
    yield
    event.remove(product.engine, "connect", hurry)
    product.engine.dispose()


@contextmanager
def held(product, table):
    """Somebody else writes, and takes long."""
    with product.engine.connect() as other:
        if product.engine.dialect.name == "sqlite":
            other.execution_options(sqlite_begin="IMMEDIATE")
            other.execute(text("SELECT 1"))
        else:
            other.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        yield
        other.rollback()


@pytest.fixture
def company(demo):
    with demo.session() as session:
        found = session.scalars(select(CorporateCustomer).order_by(CorporateCustomer.id)).first()
        query = select(Operator.username).where(Operator.employee_id == found.manager_id)
        return found, session.scalars(query).one()


def test_a_busy_database_keeps_what_was_typed_and_asks_to_try_again(demo, company):
    customer, who = company
    client = demo.client_of(who)
    fields = {
        "name": customer.name,
        "uscc": customer.uscc,
        "version": customer.version,
        "short_name": "等一等",
        "is_guarantee_customer": "y",
        "manager_id": str(customer.manager_id),
    }
    with impatient(demo), held(demo, "customer, corporate_customer"):
        answer = demo.post(client, f"/corporate_customer/edit/{customer.id}", **fields)
    assert answer.status_code == 409
    assert "稍后重试" in answer.text
    assert "等一等" in answer.text


def test_a_busy_database_lets_nobody_in_and_says_so(demo, db_kind):
    client = demo.app.test_client()
    token = demo.token(client, "/login/")
    with impatient(demo), held(demo, "operator"):
        answer = client.post(
            "/login/", data={"csrf_token": token, "username": "zhoumin", "password": "x"}
        )
        program = client.post(
            "/api/v1/security/login", json={"username": "zhoumin", "password": "x"}
        )
    # SQLite says so when the writer's place is asked for, PostgreSQL at the row.
    busy = 409 if db_kind == "sqlite" else 503
    assert (answer.status_code, program.status_code) == (busy, busy)
    assert "稍后重试" in answer.text
    assert "稍后重试" in program.get_json()["message"]


@pytest.mark.parametrize("host", ["x" * 3000, "a" * 64 + ".example", ".."])
def test_a_host_that_is_none(demo_app, host):
    answer = demo_app.app.test_client().get("/login/", environ_overrides={"HTTP_HOST": host})
    assert answer.status_code in {200, 400}
    assert HAN.search(answer.text)


def test_an_error_whose_page_cannot_be_drawn_is_said_all_the_same(demo_app, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no menu")

    monkeypatch.setattr(errors, "render_template", broken)
    answer = demo_app.client_of("zhoumin").get("/nowhere")
    assert answer.status_code == 404
    assert "页面或记录不存在" in answer.text


def test_nothing_that_people_typed_stands_in_the_message_of_a_failing_statement(demo_app):
    with demo_app.app.app_context():
        assert db.engine.hide_parameters
