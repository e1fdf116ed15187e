"""Composition root: the only room that knows all the others."""

import contextlib
import functools
import hashlib
import logging
from functools import cache
from pathlib import Path

import structlog
from flask import Flask, g, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from app import cli, errors, extensions, jobs, menu, security
from app.cookies import TolerantCookies
from app.demo_accounts import demo_accounts
from app.front import Lanes, behind_proxies, with_good_host, with_whole_body
from app.routing import Application
from config import AT_DOOR, AT_WORK, WAITING_AT_DOOR, Settings, flask_config, load_settings
from views.kit import edge, once
from views.screens import register_screens
from views.workbench.desktop import HomeView
from workflows.base.beside import STARTER

PROJECT_DIR = Path(__file__).resolve().parent.parent
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)

# The framework's builder of the application made last; `app.appbuilder` is what others may rely on.
appbuilder = None


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application from settings (from the environment when none are given)."""
    global appbuilder  # noqa: PLW0603 - promised to others under this name
    settings = settings or load_settings()
    for talkative in ("alembic.runtime.plugins", "apscheduler", "flask_appbuilder"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    app = Application("app", root_path=str(PROJECT_DIR / "app"))
    app.config.from_mapping(flask_config(settings), PROJECT_DIR=str(PROJECT_DIR))
    app.session_interface = TolerantCookies()
    _configure_logging(settings)
    app.jinja_options = {
        **app.jinja_options,
        "bytecode_cache": KeptTemplates(settings.data_dir / "cache"),
    }
    extensions.bind(app)
    extensions.listen_once()
    with app.app_context():
        places: dict[str, object] = {
            "data_dir": str(settings.data_dir),
            "chain_heads": str(settings.chain_heads),
        }
        places[STARTER] = functools.partial(jobs.start_beside, app)
        extensions.db.session.session_factory.kw.setdefault("info", {}).update(places)
        app.extensions["actor_loader"] = security.actor_for
        app.extensions["note_beside"] = extensions.note_beside
        app.extensions["demo_accounts"] = demo_accounts
        app.extensions["start_day_end"] = functools.partial(jobs.start_day_end, app)
        app.extensions["start_verify"] = functools.partial(jobs.start_verify, app)
        app.extensions["start_backup"] = functools.partial(jobs.start_backup, app)
        app.extensions["start_exports"] = functools.partial(jobs.start_exports, app)
        app.extensions["start_imports"] = functools.partial(jobs.start_imports, app)
        app.extensions["start_month_end"] = functools.partial(jobs.start_month_end, app)
        menu.bind(app)
        appbuilder = extensions.make_appbuilder(
            app, security_manager_class=security.SecurityManager, indexview=HomeView
        )
        security.bind_sessions(app)
        register_screens(appbuilder)
        exempt_tokens(app)
    errors.bind(app)
    cli.bind(app)
    _bind_edge(app)
    inner = with_good_host(with_whole_body(Lanes(app.wsgi_app, AT_WORK, AT_DOOR, WAITING_AT_DOOR)))
    app.wsgi_app = behind_proxies(inner, settings.trusted_proxies)  # type: ignore[method-assign, assignment]
    return app


def exempt_tokens(app: Flask) -> None:
    """REST signed in by token carries no cookie, so it needs no CSRF token; REST by cookie does."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False

    @app.before_request
    def protect() -> None:
        by_token = request.headers.get("Authorization", "").startswith(
            "Bearer "
        ) and not request.cookies.get(app.config["SESSION_COOKIE_NAME"])
        if not by_token and request.endpoint != "SecurityApi.login":
            extensions.csrf.protect()


def _configure_logging(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level)),
    )


class KeptTemplates(FileSystemBytecodeCache):
    """Compiled templates that outlive the process: the first page after a start need not wait for its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what lies there is run
        super().__init__(str(folder))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it if possible: a full disk is no reason for a page to fail."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def _bind_edge(app: Flask) -> None:
    @app.after_request
    def harden(response: ResponseReturnValue) -> ResponseReturnValue:
        headers = response.headers  # type: ignore[union-attr]
        headers.setdefault("Content-Security-Policy", CSP)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        headers.setdefault("Referrer-Policy", "same-origin")
        if app.config["SETTINGS"].is_production:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint and "static" not in request.endpoint:
            headers.setdefault("Cache-Control", "no-store")
        elif (
            request.endpoint == "static" and "v" in request.args
        ):  # the address changes with the content
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    app.template_global("form_key")(once.key_input)

    app.after_request(edge.keep_answer)

    @cache
    def digest(name: str, stamp: float) -> str:
        del stamp
        return hashlib.sha256((PROJECT_DIR / "app/static" / name).read_bytes()).hexdigest()[:10]

    @app.template_global()
    def asset(name: str) -> str:
        """Address of a file of ours; changes with its content, so browsers may keep it for long."""
        path = PROJECT_DIR / "app/static" / name
        version = digest(name, path.stat().st_mtime) if path.exists() else "0"
        return url_for("static", filename=name, v=version)

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        g.pop("ctx", None)
