"""Once (X17): whatever is sent twice is done once, and the second sender reads the first answer."""

import sqlite3
import threading

import psycopg
import pytest
from sqlalchemy import event, func, select
from stdnum.cn import uscc

from models.customer import CorporateCustomer
from models.records import Comment
from views.once import FIELD, HEADER

KEY = "a-key-of-this-test"
USCCS = (stem + uscc.calc_check_digit(stem) for stem in (f"91320100MA00077{n:02}" for n in range(50)))


@pytest.fixture
def customer(demo):
    """A customer of 周敏, and her browser."""
    client, facts = demo.client_of("zhoumin"), {"name": "只办一次公司", "uscc": next(USCCS)}
    answer = client.post("/api/v1/corporate_customer/", json=facts, headers={"X-CSRFToken": demo.token(client)})
    assert answer.status_code == 201, answer.get_json()
    return client, answer.get_json()["id"]


def _count(demo, model, *where):
    with demo.session() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where))


def test_every_form_carries_a_key_of_its_own(demo):
    client = demo.client_of("zhoumin")
    pages = [client.get("/corporate_customer/add").text for _ in range(2)]
    keys = [page.split(f'name="{FIELD}" value="')[1].split('"')[0] for page in pages]
    assert keys[0] != keys[1]
    assert min(map(len, keys)) >= 20


def test_the_second_click_is_answered_like_the_first(demo, customer):
    client, key = customer
    path, fields = f"/comment/corporate_customer/{key}", {"text": "请补充财务报表", FIELD: KEY}
    first, second = (demo.post(client, path, **fields) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"]
    assert "备注已发表" in client.get(second.headers["Location"]).text
    assert _count(demo, Comment, Comment.owner_id == key) == 1


def test_without_a_key_nothing_is_held_back(demo, customer):
    client, key = customer
    for _ in range(2):
        demo.post(client, f"/comment/corporate_customer/{key}", text="两条一样的备注")
    assert _count(demo, Comment, Comment.owner_id == key) == 2


def test_eight_at_once_make_one(demo, customer):
    _, key = customer
    path, answers = f"/comment/corporate_customer/{key}", []
    clients = [demo.client_of("zhoumin") for _ in range(8)]
    tokens = [demo.token(client) for client in clients]
    gate = threading.Barrier(8)

    def send(client, token):
        gate.wait()
        answers.append(client.post(path, data={"csrf_token": token, "text": "同时点了八次", FIELD: KEY * 2}))

    threads = [threading.Thread(target=send, args=pair) for pair in zip(clients, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(a.status_code, a.headers["Location"]) for a in answers} == {(302, answers[0].headers["Location"])}
    assert _count(demo, Comment, Comment.owner_id == key) == 1


def test_a_refused_form_keeps_its_key_and_may_be_mended(demo):
    client, code = demo.client_of("zhoumin"), next(USCCS)
    refused = demo.post(client, "/corporate_customer/add", name="", uscc=code, **{FIELD: KEY * 3})
    assert refused.status_code == 400
    assert f'name="{FIELD}" value="{KEY * 3}"' in refused.text
    mended = {"name": "改正后保存公司", "uscc": code, "is_guarantee_customer": "y", FIELD: KEY * 3}
    saved = demo.post(client, "/corporate_customer/add", **mended)
    assert saved.status_code == 302


def test_the_same_key_with_other_contents_is_refused_and_what_was_typed_stays(demo):
    client = demo.client_of("zhoumin")
    fields = {"name": "第一次填的公司", "uscc": next(USCCS), "is_guarantee_customer": "y", FIELD: "back-button-key"}
    assert demo.post(client, "/corporate_customer/add", **fields).status_code == 302
    again = demo.post(client, "/corporate_customer/add", **fields | {"name": "退回后另填的公司"})
    assert again.status_code == 409
    assert "此前已经提交过" in again.text
    assert "退回后另填的公司" in again.text
    assert 'value="back-button-key"' not in again.text  # the next try has a key of its own
    assert _count(demo, CorporateCustomer, CorporateCustomer.name == "退回后另填的公司") == 0


def test_a_program_that_tries_again_reads_the_first_answer(demo):
    client, facts = demo.client_of("zhoumin"), {"name": "接口只建一次公司", "uscc": next(USCCS)}
    headers = {"X-CSRFToken": demo.token(client), HEADER: "0b7c5e0a-rest-key"}
    first, second = (client.post("/api/v1/corporate_customer/", json=facts, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    other = client.post("/api/v1/corporate_customer/", json=facts | {"name": "另一家"}, headers=headers)
    assert other.status_code == 409
    wrong = client.post("/api/v1/corporate_customer/", json=facts, headers=headers | {HEADER: "a b"})
    assert wrong.status_code == 400


def test_a_key_of_somebody_else_opens_nothing(demo, customer):
    client, key = customer
    path, fields = f"/comment/corporate_customer/{key}", {"text": "周敏的备注", FIELD: "shared-key"}
    assert demo.post(client, path, **fields).status_code == 302
    assert demo.post(demo.client_of("chenli"), path, **fields).status_code == 302
    assert _count(demo, Comment, Comment.owner_id == key) == 2


@pytest.fixture
def cut(demo, monkeypatch):
    """The connection breaks once, right after the database has saved a remark and before it could say so."""
    dialect, broken, wrote = demo.engine.dialect, [], []
    really = dialect.do_commit

    def note(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO comment"):
            wrote.append(statement)

    def commit(connection):
        really(connection)
        if wrote and not broken:
            broken.append(connection)
            connection.driver_connection.close()
            gone = sqlite3.ProgrammingError if dialect.name == "sqlite" else psycopg.OperationalError
            raise gone("Cannot operate on a closed database.")

    event.listen(demo.engine, "before_cursor_execute", note)
    monkeypatch.setattr(dialect, "do_commit", commit)
    yield broken
    event.remove(demo.engine, "before_cursor_execute", note)


def test_a_save_of_unknown_end_says_so_and_may_be_sent_again(demo, customer, cut):
    client, key = customer
    path, fields = f"/comment/corporate_customer/{key}", {"text": "数据库停在保存时", FIELD: "unknown-key"}
    first = demo.post(client, path, **fields)
    assert (first.status_code, len(cut)) == (503, 1)
    assert "结果未知" in first.text
    assert "没有保存" not in first.text
    # The row is there, its answer was never kept: the same form again does nothing and says that all is done.
    again = demo.post(client, path, **fields)
    assert again.status_code == 409
    assert "没有重复办理" in again.text
    assert _count(demo, Comment, Comment.owner_id == key) == 1
