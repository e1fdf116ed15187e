"""Asks all systems for all pages in turn, round by round, so that a machine whose speed drifts drifts for all."""

import json
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks import ROOT
from benchmarks.scenarios import SYSTEMS, Scenario

Say = Callable[[str], None]


class System:
    """A process of benchmarks/serve.py."""

    def __init__(self, name: str, database: Path) -> None:
        self.name = name
        self.peak_mib = 0.0
        command = [sys.executable, "-m", "benchmarks.serve", name, str(database)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            encoding="utf-8",
        )
        self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{SYSTEMS[self.name]} 没有启动或已中断，见上面的错误信息")
        return dict(json.loads(line))

    def ask(self, page: Scenario, *, watch: bool = False) -> dict[str, Any]:
        """Time one page, or watch its statements; exits where the answer is not the page that was asked for."""
        assert self.process.stdin is not None
        path = page.paths[self.name]
        asked = {"path": path, "expected": page.expected, "watch": watch}
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        answer = self._read()
        if answer["status"] != 200 or answer["missing"]:
            raise SystemExit(
                f"{SYSTEMS[self.name]} {path}：状态 {answer['status']}，缺少 {answer['missing']}"
            )
        self.peak_mib = float(answer["peak_mib"])
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


@dataclass
class Figures:
    """What was measured of one page on one system."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    statements: int = 0
    size: int = 0

    @property
    def wall_ms(self) -> float:
        """Median time on the clock."""
        return statistics.median(self.wall)

    @property
    def cpu_ms(self) -> float:
        """Median processor time."""
        return statistics.median(self.cpu)

    @property
    def kib(self) -> float:
        """Size of the page."""
        return self.size / 1024


@dataclass
class Result:
    """All figures of a run."""

    pages: list[Scenario]
    figures: dict[tuple[str, str], Figures]
    peak_mib: dict[str, float]
    rounds: int


def run(database: Path, pages: list[Scenario], rounds: int, say: Say) -> Result:
    """Measure every page on every system, `rounds` times after one round that does not count."""
    figures: dict[tuple[str, str], Figures] = defaultdict(Figures)
    systems: list[System] = []
    try:
        for name in SYSTEMS:
            say(f"启动 {SYSTEMS[name]} ……")
            systems.append(System(name, database))
        for number in range(rounds + 1):
            say(f"第 {number} 轮，共 {rounds} 轮" if number else "预热一轮 ……")
            for page in pages:
                # The order turns with the rounds: nobody always comes after the heaviest.
                for system in systems[number % 3 :] + systems[: number % 3]:
                    _note(
                        figures[page.label, system.name], system.ask(page, watch=not number), number
                    )
    finally:
        for system in systems:
            system.__exit__()
    return Result(pages, dict(figures), {s.name: s.peak_mib for s in systems}, rounds)


def _note(found: Figures, answer: dict[str, Any], number: int) -> None:
    """The first round warms up and is watched, so it gives the number of statements and no time."""
    if not number:
        found.statements, found.size = answer["statements"], answer["size"]
        return
    found.wall.append(answer["wall"])
    found.cpu.append(answer["cpu"])
