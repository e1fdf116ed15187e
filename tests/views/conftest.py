"""The whole application on the module's own database, with people of the built-in roles who sign in by password."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from app import create_app
from app.extensions import db
from config import load_settings
from models.base.actor import SYSTEM
from models.system.organization import Operator
from models.system.setup import SystemState
from tests.views.staff import PASSWORD
from workflows.base.context import Ctx


class Product:
    """The application, its people and their browsers."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.employees: dict[str, int] = {}
        self._clients: dict[str, FlaskClient] = {}

    def sign_in(self, name: str, password: str = PASSWORD) -> FlaskClient:
        """A new browser in which somebody has signed in."""
        client = self.app.test_client()
        sent = {"username": name, "password": password, "csrf_token": token(client, "/login/")}
        assert client.post("/login/", data=sent).status_code == 302
        return client

    def browser(self, name: str) -> FlaskClient:
        """The browser of a person, signed in once per module."""
        if name not in self._clients:
            self._clients[name] = self.sign_in(name)
        return self._clients[name]

    def session(self) -> Session:
        """A session beside the application's, for preparing and for looking behind the screen."""
        return Session(self.app.extensions["test_engine"], expire_on_commit=False)

    def ctx(self, session: Session) -> Ctx:
        """A unit of work of the system."""
        session.info["data_dir"] = str(self.app.config["SETTINGS"].data_dir)
        today = session.get_one(SystemState, 1).business_date
        return Ctx(session=session, actor=SYSTEM, today=today, now=datetime.now(UTC), source="test")


def token(client: FlaskClient, path: str = "/password/") -> str:
    """The CSRF token of a page."""
    found = re.search(
        r'name="csrf-token" content="([^"]+)"', client.get(path).get_data(as_text=True)
    )
    assert found
    return found.group(1)


def send(client: FlaskClient, path: str, page: str = "/password/", **fields: Any) -> Any:
    """Post a form as a browser does, with the token of a page."""
    return client.post(path, data={"csrf_token": token(client, page), **fields})


@pytest.fixture(scope="module")
def usual_stage() -> str:
    """An installation with its people."""
    return "staffed"


@pytest.fixture(scope="module")
def product(db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product with base data and people, and no business yet."""
    data_dir: Path = tmp_path_factory.mktemp("data")
    app = create_app(load_settings({"DATABASE_URL": db_url, "DATA_DIR": str(data_dir)}))
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    found = Product(app)
    with app.app_context():
        app.extensions["test_engine"] = engine = db.engine
        with found.session() as session:
            staff = session.execute(select(Operator.username, Operator.employee_id)).all()
            found.employees = {name: employee_id for name, employee_id in staff if employee_id}
    yield found
    with app.app_context():
        db.session.remove()
        engine.dispose()


@pytest.fixture(scope="module")
def address(product: Product) -> Iterator[str]:
    """The application behind a real socket."""
    server = make_server("127.0.0.1", 0, product.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """One browser for a module."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def window(address: str, chromium: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """Opens a browser of its own in which somebody has signed in, as wide as an office screen."""
    opened: list[BrowserContext] = []

    def open_for(name: str) -> BrowserContext:
        context = chromium.new_context(viewport={"width": 1366, "height": 900}, locale="zh-CN")
        opened.append(context)
        context.set_default_timeout(60_000)  # of a busy machine: no test tells of speed
        page = context.new_page()
        page.goto(f"{address}/login/")
        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_selector(".board")
        page.close()
        return context

    yield open_for
    for context in opened:
        context.close()
