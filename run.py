"""Entry point: `python run.py` serves the whole product; `run:app` is the WSGI object for other servers.

`python run.py` brings the database up to date, then serves from one worker process with several threads and runs the
scheduler in it. It is meant for one machine; larger installations start `run:app` and `flask scheduler` apart.
"""

import errno
import gc
import socket
import sys
from typing import Any

gc.disable()  # what a start makes stays: looking for garbage among it costs a fifth of the start and finds next to none

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from app import create_app
from app.lifecycle import ensure_ready, require_ready, start_scheduler
from config import AT_DOOR, AT_WORK, WAITING_AT_DOOR, Settings, SettingsError, load_settings
from models.base.trouble import Unfit, Unreachable

# Idle ones cost nothing: app.front serves AT_WORK at once, the others wait to sign in.
THREADS = AT_WORK + AT_DOOR + WAITING_AT_DOOR
GRACEFUL_SECONDS = 20


def _load_settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        sys.exit(str(error))


class Server(BaseApplication):
    """Gunicorn with the product already loaded, so that a worker that dies is replaced in a moment."""

    def __init__(self, flask_app: Flask, settings: Settings) -> None:
        self._flask_app = flask_app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Set what the product decides; gunicorn's own defaults stand for the rest."""
        settings = self._settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        options: dict[str, Any] = {
            "bind": f"{host}:{settings.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": GRACEFUL_SECONDS,
            "control_socket_disable": True,
            "limit_request_line": 8190,  # a list filtered by many Chinese words has a long address
            "loglevel": "warning",
            "when_ready": lambda _arbiter: _announce(settings),
            # Threads do not survive a fork: the scheduler starts in the worker that serves.
            "post_worker_init": lambda _worker: start_scheduler(self._flask_app),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the WSGI application."""
        return self._flask_app


def _announce(settings: Settings) -> None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    address = f"[{host}]" if ":" in host else host
    sys.stdout.write(
        f"融资担保业务系统已启动：http://{address}:{settings.port}/ （按 Ctrl+C 停止）\n"
    )
    sys.stdout.flush()


def bind_problem(host: str, port: int) -> str | None:
    """Say in Chinese why `host` and `port` cannot be served from, or return None when they can."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (socket.gaierror, UnicodeError):
        return f"HOST 的值“{host}”不是有效的主机名或地址。"
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"端口 {port} 已被其他程序占用。请关闭它或换端口，例：PORT={port % 60000 + 1} make run",
            errno.EACCES: f"没有权限使用端口 {port}。1024 以下需要管理员权限，请换端口，例：PORT=8080 make run",
            errno.EADDRNOTAVAIL: f"HOST 指定的地址“{host}”不属于本机。",
        }
        return reasons.get(
            error.errno or 0, f"无法在 {host}:{port} 上启动服务（系统错误 {error.errno}）。"
        )
    return None


def release_connections(flask_app: Flask) -> None:
    """Close pooled database connections: workers forked from here must not share them."""
    with flask_app.app_context():
        for engine in flask_app.extensions["sqlalchemy"].engines.values():
            engine.dispose()


def main(flask_app: Flask, settings: Settings) -> None:
    """Bring the database up to date and serve until stopped; exits with status 1 and words when it cannot."""
    if problem := bind_problem(settings.host, settings.port):
        sys.exit(problem)
    try:
        ensure_ready(flask_app)
    except Unfit as error:
        sys.exit(f"系统未启动：{error.message}")
    release_connections(flask_app)
    Server(flask_app, settings).run()


def prepare_for_others(flask_app: Flask) -> None:
    """Before a WSGI server of others serves: exit with words unless the database is that of this release.

    A database that does not answer is no reason to: it may be starting, or being replaced, while a worker is.
    """
    try:
        require_ready(flask_app)
    except Unreachable as error:
        sys.stderr.write(f"{error.message}。网页在数据库恢复之前不可用。\n")
    except Unfit as error:
        sys.exit(f"系统未启动：{error.message}")


_settings = _load_settings()
app = create_app(_settings)
if __name__ != "__main__" and click.get_current_context(silent=True) is None:
    prepare_for_others(app)
release_connections(app)
gc.freeze()  # nor is it looked at again: a full collection would hold a request up for a third of a second
gc.enable()

if __name__ == "__main__":
    main(app, _settings)
