"""The whole product for tests: the real application on a copy of a template, and browsers of its people."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app import create_app
from app.demo_accounts import DEMO_PASSWORD
from app.extensions import db
from models.base.actor import Actor
from models.system.organization import Operator
from tests.template import settings_of

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Product:
    """The application, its people's browsers, and a look behind the screens."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.app: Flask = create_app(settings_of(url, data_dir))
        self.app.config["PROPAGATE_EXCEPTIONS"] = False
        self._clients: dict[str, FlaskClient] = {}
        with self.app.app_context():
            self.engine = db.engine
        self.crashes: list[BaseException] = []
        self.app.register_error_handler(Exception, self._remember(self.app))

    def _remember(self, app: Flask) -> Any:
        """A crash is answered as in the product, and kept, so that a test can say what it was."""
        answer = app.error_handler_spec[None][None][Exception]

        def crashed(error: BaseException) -> Any:
            self.crashes.append(error)
            return answer(error)

        return crashed

    def client_of(self, username: str) -> FlaskClient:
        """The browser of a demo account, signed in once."""
        if username not in self._clients:
            self._clients[username] = self.sign_in(username)
        return self._clients[username]

    def sign_in(self, username: str, password: str = DEMO_PASSWORD) -> FlaskClient:
        """A new browser in which somebody has signed in."""
        client = self.app.test_client()
        answer = self.post(client, "/login/", page="/login/", username=username, password=password)
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return client

    def actor_of(self, username: str) -> Actor:
        """The person as verbs and questions know them."""
        with self.app.test_request_context():
            user = self.app.appbuilder.sm.find_user(username)  # type: ignore[attr-defined]
            return self.app.extensions["actor_loader"](user)

    def post(self, client: FlaskClient, path: str, page: str = "/password/", **fields: Any) -> Any:
        """Send a form as a browser does, with the token of a page."""
        return client.post(path, data={"csrf_token": self.token(client, page), **fields})

    def token(self, client: FlaskClient, page: str = "/password/") -> str:
        """The CSRF token that a page carries."""
        found = TOKEN.search(client.get(page).get_data(as_text=True))
        assert found, f"{page} carries no token"
        return found.group(1)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session beside the application's, for looking behind the screen."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Every statement that requests send to the database meanwhile; jobs in threads of their own send others."""
        sent: list[str] = []
        here = threading.get_ident()

        def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            # What is noted beside a request, now and then, is no part of it.
            is_ours = threading.get_ident() == here
            if is_ours and not connection.get_execution_options().get("is_beside"):
                sent.append(statement)

        event.listen(self.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(self.engine, "before_cursor_execute", note)

    def usernames(self) -> list[str]:
        """Everybody who can sign in."""
        with self.session() as session:
            return list(session.scalars(select(Operator.username).order_by(Operator.id)))

    def close(self) -> None:
        """Let go of the database."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
