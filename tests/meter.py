"""Where the time of a run goes: `CPU_LOG=file pytest -n0 -p tests.meter …` writes the processor seconds of each test.

Processor seconds do not depend on who else works on the machine. Those of a test are its process's own, those of the
programs that it started and that have ended, and those of the PostgreSQL server. The first line is what collecting
took; a template counts where it is made, in the first test that needs it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

RUN_DIR = "GUARANTEE_TEST_DIR"

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def _stat(process: Path) -> tuple[int, float, float]:
    """(parent, own seconds, seconds of children that have ended) of a process; zeros where it is gone."""
    try:
        facts = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0, 0.0, 0.0
    own, ended = int(facts[11]) + int(facts[12]), int(facts[13]) + int(facts[14])
    return int(facts[1]), own / TICKS, ended / TICKS


def _server() -> float:
    """Seconds of the run's PostgreSQL server with all its processes."""
    try:
        pid = int((Path(os.environ[RUN_DIR]) / "pg" / "postmaster.pid").read_text().split()[0])
    except (OSError, KeyError, ValueError, IndexError):
        return 0.0
    _, own, ended = _stat(PROC / str(pid))
    rest = (_stat(path) for path in PROC.iterdir() if path.name.isdigit())
    return own + ended + sum(seconds for parent, seconds, _ in rest if parent == pid)


def _write(name: str, seconds: float) -> None:
    with Path(os.environ["CPU_LOG"]).open("a", encoding="utf-8") as log:
        log.write(f"{seconds:.2f}\t{name}\n")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    _write("(start and collection)", sum(os.times()[:4]))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note what a test with its fixtures took."""
    before, server = sum(os.times()[:4]), _server()
    result = yield
    _write(item.nodeid, sum(os.times()[:4]) - before + max(_server() - server, 0))
    return result
