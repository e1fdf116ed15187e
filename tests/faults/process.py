"""Commands of the product in processes of their own, which die or stand still where a test wants them to."""

import json
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.faults import child
from tests.template import KEY

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.faults.child"])
MORNING = 9
SECONDS = 120


class Command:
    """`flask --app run …`, started at once; `at` is the moment at which it sends itself `sent`."""

    def __init__(
        self, machine: "Machine", args: tuple[str, ...], at: int = 0, sent: int = 0
    ) -> None:
        machine.started += 1
        self._out = machine.folder / f"{machine.started}.txt"
        order = child.Order(args, machine.env, machine.shift(), out=self._out, at=at, signal=sent)
        self.process = FORKED.Process(target=child.run, args=(order,))
        self.process.start()

    def wait(self) -> "Command":
        """Until it has ended by whatever means."""
        self.process.join(SECONDS)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"did not end: {self.said}")
        return self

    def wait_until_it_stands(self) -> "Command":
        """Until it has sent itself SIGSTOP."""
        state = Path(f"/proc/{self.process.pid}/stat")
        for _ in range(SECONDS * 20):
            assert self.process.exitcode is None, f"ended before: {self.said}"
            if state.read_text().rpartition(")")[2].split()[0] == "T":
                return self
            time.sleep(0.05)
        raise AssertionError("did not stop")

    def go_on(self) -> "Command":
        """Let a stopped one live on to its end."""
        assert self.process.pid
        os.kill(self.process.pid, signal.SIGCONT)
        return self.wait()

    @property
    def status(self) -> int:
        """Its exit status; minus the number of the signal that ended it."""
        assert self.process.exitcode is not None
        return self.process.exitcode

    @property
    def said(self) -> str:
        """What it wrote on its terminal."""
        return self._out.read_text()

    @property
    def moments(self) -> list[str]:
        """The moments of its life, when it ended by itself."""
        return list(json.loads(self._out.with_suffix(".moments").read_text()))


@dataclass
class Machine:
    """A machine with the product on a database; its clock stands where a test puts it."""

    url: str
    folder: Path
    today: date
    minutes: int = 0
    started: int = 0

    @property
    def env(self) -> dict[str, str]:
        """The settings of the installation."""
        return {
            "DATABASE_URL": self.url,
            "DATA_DIR": str(self.folder),
            "SECRET_KEY": KEY,
            "APP_ENV": "development",
            "DEMO": "0",
            "LOG_LEVEL": "ERROR",
            "FLASK_SKIP_DOTENV": "1",
        }

    def shift(self) -> timedelta:
        """From the world's clock to the machine's: nine o'clock in the company's morning, and the minutes since."""
        there = datetime(
            self.today.year,
            self.today.month,
            self.today.day,
            MORNING,
            tzinfo=ZoneInfo("Asia/Shanghai"),
        )
        return there + timedelta(minutes=self.minutes) - datetime.now(ZoneInfo("Asia/Shanghai"))

    def start(self, *args: str, at: int = 0, sent: int = 0) -> Command:
        """Start a command."""
        return Command(self, args, at, sent)

    def run(self, *args: str) -> Command:
        """A command from start to end."""
        return self.start(*args).wait()

    def killed(self, *args: str, at: int) -> Command:
        """A command that is killed at a moment."""
        found = self.start(*args, at=at, sent=signal.SIGKILL).wait()
        assert found.status == -signal.SIGKILL, found.said
        return found
