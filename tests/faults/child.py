"""The product's own command in this process: on a clock that is set, and with a signal to itself at a chosen moment.

A moment is a statement (before and after the database has it) or a commit (likewise). Nothing in the product knows of
it: SQLAlchemy tells. Imported once by the fork server, so that each process starts with everything loaded.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask.cli import cli
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import app.cli
import app.clock
import app.jobs

ROOT = Path(__file__).parents[2]
CLOCKS = (app.cli, app.clock, app.jobs)


@dataclass(frozen=True)
class Order:
    """What to run, on what, when, and what to do to itself at which moment (0: nothing, never)."""

    args: tuple[str, ...]
    env: dict[str, str]
    shift: timedelta  # of the clock
    out: Path
    at: int = 0
    signal: int = 0


def run(order: Order) -> None:
    """The command line's own entry; ends the process with its status."""
    os.chdir(ROOT)
    os.environ.update(order.env)
    with order.out.open("w") as said:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(said.fileno(), stream.fileno())
    for module in CLOCKS:
        module.datetime = _clock(order.shift)  # type: ignore[attr-defined]
    moments = _watch(order)
    try:
        cli.main(args=["--app", "run", *order.args], prog_name="flask")
    finally:
        sys.stdout.flush()
        order.out.with_suffix(".moments").write_text(json.dumps(moments))


def _clock(shift: timedelta) -> Any:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + shift

    return Clock


def _watch(order: Order) -> list[str]:
    moments: list[str] = []

    def moment(name: str) -> None:
        moments.append(name)
        if len(moments) == order.at:
            os.kill(os.getpid(), order.signal)

    def of_statement(name: str) -> Callable[..., None]:
        return lambda _connection, _cursor, statement, *_: moment(f"{name} {statement[:60]}")

    event.listen(Engine, "before_cursor_execute", of_statement("before"))
    event.listen(Engine, "after_cursor_execute", of_statement("after"))
    event.listen(Engine, "commit", lambda _: moment("commit"))
    event.listen(Session, "after_commit", lambda _: moment("committed"))
    return moments
