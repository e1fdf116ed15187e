"""The entry point around a stand-in product: how a start ends well, and how it is refused."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAND_IN = """
import os
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from config import flask_config

def create_app(settings=None):
    app = Flask(__name__)
    app.config.update(flask_config(settings))
    SQLAlchemy(app)
    app.add_url_rule("/", "home", lambda: f"worker {os.getpid()}")
    return app
"""
LIFECYCLE = """
import os
from models.base.trouble import Unfit

def require_ready(app):
    raise AssertionError("python run.py brings the database up to date itself")

def ensure_ready(app):
    if os.environ.get("UNFIT"):
        raise Unfit(os.environ["UNFIT"])
    print("ready", os.getpid(), flush=True)

def start_scheduler(app):
    print("scheduler", os.getpid(), flush=True)
"""


@pytest.fixture
def product(tmp_path):
    """A directory with the real entry point and settings, and a product that answers one page."""
    for name in ("run.py", "config.py"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("app", "models/base"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("errors.py", "trouble.py"):
        shutil.copy(ROOT / "models/base" / name, tmp_path / "models/base")
    (tmp_path / "app/__init__.py").write_text(STAND_IN)
    (tmp_path / "app/lifecycle.py").write_text(LIFECYCLE)
    return tmp_path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start(product, **env):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=product,
        env={**kept, "PYTHONUTF8": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _refusal(product, **env):
    process = _start(product, **env)
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    assert "ready" not in out, "a refused start must not touch the database"
    assert process.returncode == 1
    return err


def _body(port: int) -> str:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
                return response.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_one_worker_serves_and_runs_the_scheduler(product):
    port = _free_port()
    process = _start(product, PORT=str(port))
    try:
        body = _body(port)
    finally:
        process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    worker = re.fullmatch(r"worker (\d+)", body)[1]
    assert re.findall(r"^ready (\d+)$", out, re.MULTILINE) == [str(process.pid)], (
        "prepared once, before serving"
    )
    assert re.findall(r"^scheduler (\d+)$", out, re.MULTILINE) == [worker], (
        "one scheduler, beside the pages"
    )
    assert f"http://127.0.0.1:{port}/" in out
    assert process.returncode == 0, err


def test_taken_port_is_told_and_ends_with_status_1(product):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert f"端口 {port} 已被其他程序占用" in _refusal(product, PORT=str(port))


@pytest.mark.parametrize(
    ("host", "said"), [("192.0.2.1", "不属于本机"), ("no such host", "不是有效的主机名或地址")]
)
def test_unusable_host_is_told(product, host, said):
    assert said in _refusal(product, HOST=host, PORT=str(_free_port()))


def test_an_unfit_database_is_told(product):
    assert "系统未启动：数据库结构与程序不符" in _refusal(
        product, UNFIT="数据库结构与程序不符", PORT=str(_free_port())
    )


def test_bad_settings_are_told_together(product):
    err = _refusal(product, PORT="x", APP_ENV="production")
    assert "PORT 的值“x”无效" in err
    assert "必须设置 SECRET_KEY" in err
