"""A sign-in storm: right and wrong passwords at once from one address, while somebody saves; `run.py` on SQLite.

The saves are timed in the same run before the storm (quiet), during it and after it; each is a PUT of a department
with its checks, trail and search words.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from app import create_app
from app.extensions import db
from app.lifecycle import initialise
from benchmarks import PASSWORD, ROOT
from benchmarks.data import TODAY, settings_for
from models.base.actor import SYSTEM
from models.system.organization import Department, Employee
from workflows.base.context import Ctx
from workflows.system import operators

RIGHT: Final = 48
WRONG: Final = 200
SAVES: Final = 60
PAUSE: Final = 0.05
MOST_TIMES: Final = 2.0
SAVER: Final = "saver"
Figures = dict[str, Any]


def people() -> list[str]:
    """The sign-in names of those who come with the right password."""
    return [f"person{number}" for number in range(RIGHT)]


def build(path: Path) -> None:
    """An installation with so many operators, and one who saves."""
    app = create_app(settings_for(path))
    with app.app_context():
        initialise(app)
        session = db.session()
        ctx = Ctx(session, SYSTEM, TODAY, datetime.now(UTC), "cli")
        department = Department(code="01", name="业务部", path="/")
        session.add(department)
        session.flush()
        department.path = f"/{department.id}/"
        # one hash for all: making them is not what is measured
        secret = operators.first_secret(ctx, "", PASSWORD)
        for number, name in enumerate([SAVER, *people()]):
            employee = Employee(
                number=f"B{number}", name=f"员工{number}", department_id=department.id
            )
            session.add(employee)
            session.flush()
            operators.create_operator(
                ctx, employee, name, secret, ["系统管理员"], must_change=False
            )
        session.commit()


def ask(
    port: int, method: str, path: str, sent: Figures | None = None, token: str = ""
) -> tuple[int, Figures]:
    """One request as a program makes it; status and answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=300)
    head = {"Content-Type": "application/json", "Accept": "application/json"}
    head |= {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, json.dumps(sent) if sent is not None else None, head)
    answer = connection.getresponse()
    body = json.loads(answer.read() or b"{}")
    connection.close()
    return answer.status, body


def sign_in(port: int, name: str, password: str) -> tuple[int, Figures]:
    """Come to the door."""
    return ask(port, "POST", "/api/v1/security/login", {"username": name, "password": password})


class Saver:
    """Somebody who saves a department again and again, at a steady pace."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = sign_in(port, SAVER, PASSWORD)[1]["access_token"]
        found = ask(port, "GET", "/api/v1/department/", token=self.token)[1]["result"][0]
        self.path = f"/api/v1/department/{found['id']}"
        self.times: list[float] = []

    def save(self) -> None:
        """One save, timed; it must succeed."""
        version = ask(self.port, "GET", self.path, token=self.token)[1]["result"]["version"]
        begun = time.perf_counter()
        status, body = ask(
            self.port, "PUT", self.path, {"note": f"{begun}", "version": version}, self.token
        )
        self.times.append((time.perf_counter() - begun) * 1000)
        if status != 200:
            raise SystemExit(f"a save was answered {status}: {body}")
        time.sleep(PAUSE)

    def quietly(self) -> Figures:
        """Some saves while nothing else goes on; the first ones warm up."""
        self.times.clear()
        for _ in range(SAVES):
            self.save()
        return spread(self.times[SAVES // 6 :])


def storm(port: int, saver: Saver) -> Figures:
    """All at once; the saver goes on until the last has been answered."""
    wrong = [
        (people()[number % RIGHT] if number % 2 else f"nobody{number}", "wrong")
        for number in range(WRONG)
    ]
    tries = [*((name, PASSWORD) for name in people()), *wrong]
    gate, answers = threading.Barrier(len(tries) + 1), Counter[tuple[bool, int]]()
    waits: list[float] = []

    def come(name: str, password: str) -> None:
        gate.wait()
        begun = time.perf_counter()
        status = sign_in(port, name, password)[0]
        waits.append(time.perf_counter() - begun)
        answers[password == PASSWORD, status] += 1

    crowd = [threading.Thread(target=come, args=one) for one in tries]
    for one in crowd:
        one.start()
    saver.times.clear()
    gate.wait()
    begun = time.perf_counter()
    while any(one.is_alive() for one in crowd):
        saver.save()
    return {
        "seconds": time.perf_counter() - begun,
        "longest_wait": max(waits),
        "right": answers[True, 200],
        "right_failed": RIGHT - answers[True, 200],
        "wrong_refused": answers[False, 401],
        "saves": len(saver.times),
        **spread(saver.times),
    }


def spread(times: list[float]) -> Figures:
    """Median, 95th percentile and longest of times in ms."""
    ordered = sorted(times)
    return {
        "p50": statistics.median(ordered),
        "p95": ordered[int(len(ordered) * 0.95)],
        "max": ordered[-1],
    }


def serve(path: Path) -> tuple[subprocess.Popen[bytes], int]:
    """`run.py` on the database, and its port once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env = {
        **kept,
        "PORT": str(port),
        "DEMO": "0",
        "DATA_DIR": str(path.parent),
        "DATABASE_URL": f"sqlite:///{path}",
    }
    process = subprocess.Popen(
        [sys.executable, "run.py"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    for _ in range(600):
        try:
            ask(port, "GET", "/api/v1/department/")
            return process, port
        except (OSError, json.JSONDecodeError):
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def measure(say: Callable[[str], None]) -> Figures:
    """Quiet, the storm, and quiet again, in one run on one database."""
    with tempfile.TemporaryDirectory(prefix="guarantee-storm-") as folder:
        path = Path(folder) / "storm.db"
        say(f"准备 {RIGHT} 个操作员 ……")
        build(path)
        process, port = serve(path)
        try:
            for name in people():  # as an office does in the morning: the address is one of theirs
                if sign_in(port, name, PASSWORD)[0] != 200:
                    raise SystemExit(f"{name} could not sign in")
            saver = Saver(port)
            quiet = saver.quietly()
            say(f"{RIGHT + WRONG} 人同时登录 ……")
            return {"quiet": quiet, "storm": storm(port, saver), "after": saver.quietly()}
        finally:
            process.terminate()
            process.wait(30)


def holds(found: Figures) -> bool:
    """No right password failed, and saves took at most twice as long as in the slower of the quiet times."""
    quiet = max(found["quiet"]["p50"], found["after"]["p50"])
    return not found["storm"]["right_failed"] and found["storm"]["p50"] <= MOST_TIMES * quiet
