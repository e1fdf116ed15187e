"""What stands before the application: addresses that proxies tell, bad hosts, lanes; and demo data in production."""

import io
import threading
from ipaddress import ip_network

import pytest
from sqlalchemy import update
from werkzeug.test import Client

from app import create_app
from app.demo_accounts import DEMO_PASSWORD, EXPOSED
from app.front import Lanes, behind_proxies, with_good_host, with_whole_body
from app.lifecycle import ensure_ready, require_ready
from models.base.trouble import Unfit
from models.system.setup import SystemState
from tests.template import settings_of

PROXY, STRANGER = "10.0.0.1", "203.0.113.5"


def seen_from(remote, proxies, **headers):
    """What the application behind learns of a visitor: address and scheme."""

    def application(environ, start_response):
        start_response("200 OK", [])
        return [f"{environ['REMOTE_ADDR']} {environ['wsgi.url_scheme']}".encode()]

    client = Client(behind_proxies(with_good_host(application), proxies))
    sent = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", **headers}
    return client.get("/", headers=sent, environ_base={"REMOTE_ADDR": remote}).get_data(
        as_text=True
    )


@pytest.mark.parametrize("networks", [["10.0.0.1/32"], ["192.168.0.0/16", "10.0.0.0/8"]])
def test_only_a_configured_proxy_tells_where_somebody_is(networks):
    proxies = [ip_network(network) for network in networks]
    assert seen_from(PROXY, proxies) == "198.51.100.7 https"
    for remote in (STRANGER, "", "::1"):
        assert seen_from(remote, proxies) == f"{remote} http"


def test_without_a_proxy_nobody_is_believed():
    for remote in (PROXY, "127.0.0.1"):
        assert seen_from(remote, ()) == f"{remote} http"


@pytest.mark.parametrize("is_production", [False, True])
def test_the_product_believes_nobody_by_itself(demo_app, is_production):
    """Production too: who reaches it without the proxy cannot choose the address that tries are counted by."""
    env = "production" if is_production else "development"
    app = create_app(
        settings_of(str(demo_app.engine.url), demo_app.app.config["SETTINGS"].data_dir, app_env=env)
    )
    app.add_url_rule("/where", "where", lambda: __import__("flask").request.remote_addr)
    answer = app.test_client().get("/where", headers={"X-Forwarded-For": STRANGER})
    assert answer.get_data(as_text=True) == "127.0.0.1"


BAD_HOSTS = [
    "a b",
    "[",
    "a:b:c",
    "a/b",
    "<script>",
    "x" * 300,
    "a..b",
    "a:123456",
    "@",
    "[::1",
    "a\\b",
    "",
]


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize("path", ["/login/", "/nowhere", "/static/favicon.svg"])
def test_a_host_that_is_none_gets_a_short_answer(demo_app, host, path, caplog, capfd):
    answer = demo_app.app.test_client().get(path, headers={"Host": host})
    assert (answer.status_code, "主机名" in answer.get_data(as_text=True)) == (400, True)
    assert len(answer.data) < 200
    said = capfd.readouterr()
    assert "Traceback" not in caplog.text + said.out + said.err


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "db_server.local", "xn--fiq228c.cn:443"]
)
def test_any_host_that_is_one_is_served(demo_app, host):
    assert demo_app.app.test_client().get("/login/", headers={"Host": host}).status_code == 200


# ---------------------------------------------------------------------------------------------------------------- lanes
class Busy:
    """An application whose sign-ins do not come back until they are let go."""

    def __init__(self):
        self.inside, self.go = threading.Semaphore(0), threading.Event()

    def __call__(self, environ, start_response):
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] != "/save":
            self.inside.release()
            assert self.go.wait(30)
        start_response("200 OK", [])
        return [b"ok"]


@pytest.mark.parametrize("door", ["/login/", "/api/v1/security/login"])
def test_a_crowd_at_the_door_leaves_everybody_else_their_lane(door):
    """Those who sign in wait for each other; a page, a save and the form of the door itself come through."""
    busy = Busy()
    lanes = Lanes(busy, at_work=2, at_door=1, waiting=3)
    answers = []
    knock = lambda: answers.append(Client(lanes).post(door).status_code)  # noqa: E731
    crowd = [threading.Thread(target=knock) for _ in range(4)]
    for one in crowd:
        one.start()
    assert busy.inside.acquire(timeout=30)
    while lanes.crowd < 4:
        threading.Event().wait(0.01)
    assert not busy.inside.acquire(timeout=0.05), "one at a time"
    assert Client(lanes).get(door).status_code == 200
    assert Client(lanes).post("/save").status_code == 200
    late = Client(lanes).post(door)
    assert (late.status_code, late.headers["Retry-After"]) == (503, "5")
    assert "同时登录的人太多" in late.get_data(as_text=True)
    busy.go.set()
    for one in crowd:
        one.join(30)
    assert answers == [200] * 4
    assert lanes.crowd == 0


class Slow:
    """A body that does not come before it is let go; then it is cut off, or fails."""

    def __init__(self, end=b""):
        self.asked, self.go, self.end = threading.Event(), threading.Event(), end

    def read(self, _size=-1):
        self.asked.set()
        assert self.go.wait(30)
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


def _send(application, path, body, answers=None):
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_LENGTH": "100",
        "wsgi.input": body,
    }
    found = []
    answer = application(environ, lambda status, _headers: found.append(status))
    text = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    (answers if answers is not None else []).append((found[0], text))
    return found[0]


@pytest.mark.parametrize("path", ["/login/", "/save"])
def test_who_sends_slowly_holds_no_lane(path):
    """Connections that promise a body and send none keep nobody out: neither at the door nor at work."""

    def read_all(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    application = with_whole_body(Lanes(read_all, at_work=1, at_door=1, waiting=3))
    slow, answers = [Slow() for _ in range(3)], []
    threads = [
        threading.Thread(target=_send, args=(application, path, body, answers)) for body in slow
    ]
    for thread, body in zip(threads, slow, strict=True):
        thread.start()
        assert body.asked.wait(30)
    for sent in ("/login/", "/save"):
        assert Client(application).post(sent, data=b"whole").data == b"whole"
    for body in slow:
        body.go.set()
    for thread in threads:
        thread.join(30)
    assert answers == [("200 OK", b"")] * 3  # cut off: what reads it knows its length


def test_a_body_that_never_comes_is_given_up():
    body = Slow(TimeoutError())
    body.go.set()
    never = lambda *_: pytest.fail("not asked")  # noqa: E731
    assert _send(with_whole_body(never), "/save", body) == "408 Request Timeout"


@pytest.mark.parametrize("more", [{}, {"wsgi.input_terminated": True}])
def test_a_long_body_is_refused_by_its_length_unread(more):
    """Whatever server stands before: nobody waits for what will not be taken."""
    body = Slow(OSError())
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/save",
        "wsgi.input": body,
        "CONTENT_LENGTH": str(2**40),
        **more,
    }
    asked = with_whole_body(lambda environ, _: [environ["CONTENT_LENGTH"].encode()])
    assert list(asked(environ, None)) == [str(2**40).encode()]
    assert not body.asked.is_set()


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_arrives_whole(is_chunked):
    sent, found = b"0123456789" * 200_000, []
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/save", "wsgi.input": io.BytesIO(sent)}
    chunks = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    environ |= chunks if is_chunked else {"CONTENT_LENGTH": str(len(sent))}

    def read_all(environ, _start_response):
        found.append(environ["wsgi.input"].read())
        return [b""]

    with_whole_body(read_all)(environ, None).close()
    assert found == [sent]


# -------------------------------------------------------------------------------------------- demo data in production
@pytest.fixture
def production(demo_app):
    """The product in production on the demonstration's database."""

    def make(**more):
        url, data_dir = str(demo_app.engine.url), demo_app.app.config["SETTINGS"].data_dir
        return create_app(settings_of(url, data_dir, app_env="production", **more))

    return make


@pytest.mark.parametrize("demo", [False, True])
def test_production_never_lists_demo_accounts(demo_app, production, demo):
    assert DEMO_PASSWORD in demo_app.app.test_client().get("/login/").get_data(as_text=True)
    page = (
        production(demo=demo)
        .test_client()
        .get("/login/", base_url="https://localhost")
        .get_data(as_text=True)
    )
    assert DEMO_PASSWORD not in page
    assert "演示账号" not in page


def test_production_refuses_to_start_on_demo_data(production):
    app = production()
    for start in (ensure_ready, require_ready):
        with pytest.raises(Unfit, match="演示账号的密码人人皆知"):
            start(app)
    with app.app_context():  # the `flask` command brings one along
        began, loaded = (
            app.test_cli_runner().invoke(args=[command]) for command in ("init", "demo")
        )
    assert (began.exit_code, EXPOSED in began.output) == (1, True)
    assert (loaded.exit_code, "不装演示数据" in loaded.output) == (1, True)
    ensure_ready(production(demo=True))


def test_nobody_signs_in_to_exposed_demo_data(production):
    """Also where another server than run.py serves the application."""
    sent = {"username": "zhoumin", "password": DEMO_PASSWORD}
    for demo, status in ((False, 401), (True, 200)):
        client = production(demo=demo).test_client()
        answer = client.post("/api/v1/security/login", json=sent, base_url="https://localhost")
        assert answer.status_code == status


def test_a_real_database_starts_in_production(demo, db_kind):
    if db_kind == "sqlite":
        with demo.session() as session:
            session.execute(update(SystemState).values(is_demo=False))
            session.commit()
        data_dir = demo.app.config["SETTINGS"].data_dir
        ensure_ready(create_app(settings_of(str(demo.engine.url), data_dir, app_env="production")))
