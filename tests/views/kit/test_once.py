"""Once (X17): whatever is sent twice is done once, and the second sender reads the first answer."""

import contextlib
import json
import sqlite3
import threading

import psycopg
import pytest
from sqlalchemy import event, func, select
from stdnum.cn import uscc

from models.base.entity import Entity
from models.customer.customer import CorporateCustomer
from models.system.organization import Employee
from models.system.records import Comment
from models.system.setup import SubmissionKey
from views.kit.once import FIELD, HEADER

KEY, ADDRESS = "a-key-of-this-test", "南京市玄武区长江路 199 号"
USCCS = (
    stem + uscc.calc_check_digit(stem) for stem in (f"91320100MA00077{n:02}" for n in range(50))
)


@pytest.fixture
def customer(demo):
    """A customer of 周敏, and her browser."""
    client, facts = demo.client_of("zhoumin"), {"name": "只办一次公司", "uscc": next(USCCS)}
    answer = client.post(
        "/api/v1/corporate_customer/", json=facts, headers={"X-CSRFToken": demo.token(client)}
    )
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
        answers.append(
            client.post(path, data={"csrf_token": token, "text": "同时点了八次", FIELD: KEY * 2})
        )

    threads = [
        threading.Thread(target=send, args=pair) for pair in zip(clients, tokens, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(a.status_code, a.headers["Location"]) for a in answers} == {
        (302, answers[0].headers["Location"])
    }
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
    fields = {
        "name": "第一次填的公司",
        "uscc": next(USCCS),
        "is_guarantee_customer": "y",
        FIELD: "back-button-key",
    }
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
    first, second = (
        client.post("/api/v1/corporate_customer/", json=facts, headers=headers) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    other = client.post(
        "/api/v1/corporate_customer/", json=facts | {"name": "另一家"}, headers=headers
    )
    assert other.status_code == 409
    wrong = client.post(
        "/api/v1/corporate_customer/", json=facts, headers=headers | {HEADER: "a b"}
    )
    assert wrong.status_code == 400


def test_a_key_of_somebody_else_opens_nothing(demo, customer):
    client, key = customer
    path, fields = f"/comment/corporate_customer/{key}", {"text": "周敏的备注", FIELD: "shared-key"}
    assert demo.post(client, path, **fields).status_code == 302
    assert demo.post(demo.client_of("chenli"), path, **fields).status_code == 302
    assert _count(demo, Comment, Comment.owner_id == key) == 2


@pytest.fixture
def sends(demo, customer):
    """Every kind of answer that is kept, each of a submission that comes again: REST bodies, redirects, a dialog."""
    client, key = customer
    path, headers = f"/api/v1/corporate_customer/{key}", {"X-CSRFToken": demo.token(client)}
    fields = {"note": "移交之前", "version": client.get(path).get_json()["result"]["version"]}
    made = {"name": "移交之前公司", "uscc": next(USCCS)}
    form = {**made, "name": "移交之前另存公司", "uscc": next(USCCS), "is_guarantee_customer": "y"}

    def post(url, **fields):
        return lambda: demo.post(client, url, **fields, **{FIELD: f"{key}-form-key"})

    return [
        lambda: client.put(path, json=fields, headers=headers | {HEADER: f"{key}-put-key"}),
        lambda: client.post(
            "/api/v1/corporate_customer/", json=made, headers=headers | {HEADER: f"{key}-new-key"}
        ),
        post(f"/comment/corporate_customer/{key}", text="移交之前的备注"),
        post("/corporate_customer/add", **form),
        post(
            "/corporate_customer/add?then=add",
            **form | {"uscc": next(USCCS), "next": "/corporate_customer/add"},
        ),
    ]


def _send_all(sends):
    answers = [send() for send in sends]
    words = (json.dumps(a.get_json(), ensure_ascii=False) if a.is_json else a.text for a in answers)
    return [answer.status_code for answer in answers], "\n".join(words)


KEPT = [200, 201, 302, 302, 302]
REFUSED = [409] * len(KEPT)


def _is_silent(client, text):
    """Neither the answers nor a notice on the next page tell of the records."""
    assert text.count("没有重复办理") >= len(KEPT)
    assert not any(
        name in text + client.get("/settings/").text for name in ("只办一次公司", "移交之前")
    )


def test_a_first_answer_tells_nothing_of_what_is_no_longer_ones_own(demo, customer, sends):
    """The customers were handed to a colleague of another department meanwhile."""
    client, key = customer
    assert _send_all(sends)[0] == KEPT
    assert _send_all(sends)[0] == KEPT
    client.get("/settings/")
    before = _count(demo, CorporateCustomer)
    mine = CorporateCustomer.name.startswith("移交之前") | (CorporateCustomer.id == key)
    with demo.session() as session:
        for record in session.scalars(select(CorporateCustomer).where(mine)):
            record.manager_id, record.department_id = _stranger(session, record)
        session.commit()
    statuses, text = _send_all(sends)
    assert statuses == REFUSED
    _is_silent(client, text)
    assert (_count(demo, Comment, Comment.owner_id == key), _count(demo, CorporateCustomer)) == (
        1,
        before,
    )


def test_a_first_answer_is_for_the_rights_of_then(demo, customer, sends):
    """Another right is lost or won meanwhile, e.g. to see in plain what is masked: nothing of then is told again."""
    client, _ = customer
    assert _send_all(sends)[0] == KEPT
    client.get("/settings/")
    with _without(demo, "can_show", "fee"):
        statuses, text = _send_all(sends)
        assert statuses == REFUSED
        _is_silent(client, text)
    assert _send_all(sends)[0] == KEPT


def test_a_deletion_sent_twice_is_answered_twice(demo, customer):
    client, key = customer
    url = f"/corporate_customer/{key}"
    version = client.get(f"/api/v1{url}").get_json()["result"]["version"]
    headers = {"X-CSRFToken": demo.token(client), HEADER: "delete-once"}
    answers = [client.delete(f"/api/v1{url}?version={version}", headers=headers) for _ in range(2)]
    assert [(answer.status_code, answer.get_json()) for answer in answers] == [
        (200, {"message": "已删除"})
    ] * 2


def test_a_plain_value_that_was_looked_at_is_kept_nowhere(demo, customer):
    client, key = customer
    with demo.session() as session:
        session.get_one(CorporateCustomer, key).address = ADDRESS
        session.commit()
    before = _count(demo, SubmissionKey)
    path = f"/corporate_customer/reveal/{key}/address"
    looks = [demo.post(client, path, **{FIELD: "plain-value-key"}) for _ in range(2)]
    assert [look.get_json() for look in looks] == [{"value": ADDRESS}] * 2
    assert _count(demo, SubmissionKey) == before


def test_the_button_of_a_verb_pressed_twice_is_answered_like_the_first(demo, customer):
    _, key = customer
    path, shown = f"/do/corporate_customer/{key}/close", f"/corporate_customer/show/{key}"
    fields = {"version": 1, "reason": "不再往来", FIELD: "verb-pressed-twice"}
    answers = [demo.post(demo.client_of("chenli"), path, **fields) for _ in range(2)]
    assert [(a.status_code, a.headers.get("Location")) for a in answers] == [(302, shown)] * 2


@contextlib.contextmanager
def _without(demo, verb, table):
    """Nobody holds a right for a while."""
    link, pair, action, place = map(
        Entity.metadata.tables.get,
        ("ab_permission_view_role", "ab_permission_view", "ab_permission", "ab_view_menu"),
    )
    wanted = select(pair.c.id).join(action, action.c.id == pair.c.permission_id)
    wanted = wanted.join(place, place.c.id == pair.c.view_menu_id).where(
        action.c.name == verb, place.c.name == table
    )
    where = link.c.permission_view_id.in_(wanted.scalar_subquery())
    with demo.engine.begin() as connection:
        rows = [dict(row) for row in connection.execute(select(link).where(where)).mappings()]
        connection.execute(link.delete().where(where))
    yield
    with demo.engine.begin() as connection:
        connection.execute(link.insert(), rows)


def _stranger(session, customer):
    query = select(Employee.id, Employee.department_id).where(
        Employee.department_id != customer.department_id
    )
    return session.execute(query.limit(1)).one()


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
            gone = (
                sqlite3.ProgrammingError if dialect.name == "sqlite" else psycopg.OperationalError
            )
            raise gone("Cannot operate on a closed database.")

    event.listen(demo.engine, "before_cursor_execute", note)
    monkeypatch.setattr(dialect, "do_commit", commit)
    yield broken
    event.remove(demo.engine, "before_cursor_execute", note)


def test_a_save_of_unknown_end_says_so_and_may_be_sent_again(demo, customer, cut):
    client, key = customer
    path, fields = (
        f"/comment/corporate_customer/{key}",
        {"text": "数据库停在保存时", FIELD: "unknown-key"},
    )
    first = demo.post(client, path, **fields)
    assert (first.status_code, len(cut)) == (503, 1)
    assert "结果未知" in first.text
    assert "没有保存" not in first.text
    # The row is there, its answer was never kept: the same form again does nothing and says that all is done.
    again = demo.post(client, path, **fields)
    assert again.status_code == 409
    assert "没有重复办理" in again.text
    assert _count(demo, Comment, Comment.owner_id == key) == 1
