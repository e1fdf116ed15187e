"""Machines with the product on a database of their own, and what they leave behind when nothing happens to them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.conftest import Copy
from tests.faults import state
from tests.faults.company import PERIOD, TODAY
from tests.faults.process import Machine
from workflows.verify import CHECKS


@dataclass(frozen=True)
class Work:
    """A command, and the stage of the company on which it is started."""

    stage: str
    args: tuple[str, ...]


WORKS = {
    "day-end": Work("three_days", ("day-end",)),
    "month-end": Work("days_closed", ("month-end", "--period", PERIOD)),
}


@dataclass(frozen=True)
class Undisturbed:
    """A run to which nothing happened: its moments, and all that it left behind."""

    moments: list[str]
    state: dict[str, list[state.Row]]

    def commits(self, name: str) -> list[int]:
        """The numbers of its moments right before (`commit`) or after (`committed`) each commit."""
        return [number for number, moment in enumerate(self.moments, 1) if moment == name]

    def inside(self, commit: int) -> int:
        """A moment in the midst of what the commit of this number (from 1) brings."""
        ends = self.commits("commit")
        return (ends[commit - 2] + ends[commit - 1]) // 2


_KNOWN: dict[str, dict[str, Undisturbed]] = {}
MachineAt = Callable[[str], AbstractContextManager[Machine]]


@pytest.fixture(scope="module")
def machine_at(database_at: Callable[[str], Copy]) -> MachineAt:
    """`with machine_at("three_days") as machine`: the machine on the morning after the missed days."""

    @contextmanager
    def make(stage: str) -> Iterator[Machine]:
        with database_at(stage) as url, tempfile.TemporaryDirectory() as folder:
            yield Machine(url, Path(folder), TODAY)

    return make


@contextmanager
def looking_at(machine: Machine) -> Iterator[Session]:
    """A session behind the product's back."""
    engine = create_engine(machine.url)
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()


def assert_sound(machine: Machine) -> None:
    """What `flask verify` asks."""
    with looking_at(machine) as session:
        for check in CHECKS:
            assert check.run(session) == [], check.label


def assert_left(machine: Machine, wanted: Undisturbed, where: str) -> None:
    """The machine is sound and holds what an undisturbed run leaves; a difference names its table."""
    assert_sound(machine)
    with looking_at(machine) as session:
        found = state.read(session.connection())
    for table, rows in wanted.state.items():
        assert found[table] == rows, f"{where}: {table}"


@pytest.fixture(scope="module")
def undisturbed(db_kind: str, machine_at: MachineAt) -> dict[str, Undisturbed]:
    """What each work leaves behind, done without a break; once per process for each kind of database."""
    if db_kind in _KNOWN:
        return _KNOWN[db_kind]
    found = {}
    for name, work in WORKS.items():
        with machine_at(work.stage) as machine:
            done = machine.run(*work.args)
            assert done.status == 0, done.said
            assert_sound(machine)
            with looking_at(machine) as session:
                found[name] = Undisturbed(done.moments, state.read(session.connection()))
    return _KNOWN.setdefault(db_kind, found)
