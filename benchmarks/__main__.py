"""`python -m benchmarks`: measure the product beside plain Flask-AppBuilder and Django admin, print and write it down.

Ends with status 1 where a goal is missed. `--rows 5000 --rounds 3 --no-document` is a quick look; `--books` measures
the ledger over the large demo alone, `--storm` signing in by many at once.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import ROOT, report, runner, sign_in_storm
from benchmarks.data import dataset
from benchmarks.scenarios import scenarios

GOAL_ROWS = 100_000
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def say(text: str) -> None:
    """Progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="与 FAB 默认做法和 Django admin 对比性能"
    )
    parser.add_argument("--rows", type=int, default=GOAL_ROWS, help="客户数与项目数，默认 100000")
    parser.add_argument("--rounds", type=int, default=5, help="每页测几次，默认 5")
    parser.add_argument(
        "--vouchers", type=int, help="记账的凭证张数，默认 2000，--books 时 10000；0 为不测"
    )
    parser.add_argument(
        "--books", action="store_true", help="只测大规模演示数据上的账务：记账、余额表、结账、日终"
    )
    parser.add_argument(
        "--storm", action="store_true", help="只测登录风暴：许多人同时登录，他人照常保存"
    )
    parser.add_argument(
        "--projects", type=int, default=GOAL_ROWS, help="--books 的项目数，默认 100000"
    )
    parser.add_argument(
        "--no-document", action="store_true", help="只打印，不写 docs/benchmarks.md"
    )
    return parser.parse_args()


def _ledger(database: Path, vouchers: int) -> list[tuple[str, ...]]:
    """The ledger's rows, measured in a process of its own before anybody else opens the database."""
    say(f"办理 {vouchers:,} 张凭证 ……")
    command = [sys.executable, "-m", "benchmarks.ledger", str(database), str(vouchers)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT
    )
    return [tuple(row) for row in json.loads(done.stdout)]


def _books(asked: argparse.Namespace) -> int:
    """The ledger over the large demo, in a process of its own."""
    say(f"准备 {asked.projects:,} 个项目的演示数据，首次约需七分钟 ……")
    vouchers = 10_000 if asked.vouchers is None else asked.vouchers
    command = [sys.executable, "-m", "benchmarks.books", str(asked.projects), str(vouchers)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT
    )
    found: dict[str, Any] = json.loads(done.stdout)
    print("\n" + "\n".join(report.plain(report.BOOKS_HEAD, found["books"])))
    if found["ledger"]:
        print("\n" + "\n".join(report.plain(report.LEDGER_HEAD, found["ledger"])))
    if not asked.no_document:
        section = report.books(found, datetime.now().astimezone().date())
        DOCUMENT.write_text(
            report.with_section(DOCUMENT.read_text(encoding="utf-8"), section), encoding="utf-8"
        )
    return 0


def _storm(asked: argparse.Namespace) -> int:
    """Signing in by many at once beside somebody who saves."""
    found = sign_in_storm.measure(say)
    print(json.dumps(found, indent=1))
    if not asked.no_document:
        section = report.storm(found, datetime.now().astimezone().date())
        DOCUMENT.write_text(
            report.with_section(DOCUMENT.read_text(encoding="utf-8"), section), encoding="utf-8"
        )
    return int(not sign_in_storm.holds(found))


def main() -> int:
    """Make the rows, measure, print; the exit status."""
    asked = _arguments()
    if asked.books:
        return _books(asked)
    if asked.storm:
        return _storm(asked)
    asked.vouchers = 2_000 if asked.vouchers is None else asked.vouchers
    say(f"准备 {asked.rows:,} 个客户和项目 ……")
    with tempfile.TemporaryDirectory(prefix="guarantee-bench-") as folder:
        database = Path(folder) / "bench.db"
        shutil.copy(dataset(asked.rows), database)
        ledger = _ledger(database, asked.vouchers) if asked.vouchers else []
        result = runner.run(database, scenarios(database), asked.rounds, say)
    for table in (report.times, report.sizes, report.goals):
        print("\n" + "\n".join(report.plain(*table(result))))
    if asked.rows < GOAL_ROWS:
        print(f"\n目标按 {GOAL_ROWS:,} 行设定；行数少时，下拉框短，FAB 与 Django 较快。")
    if ledger:
        print("\n" + "\n".join(report.plain(report.LEDGER_HEAD, ledger)))
    if not asked.no_document:
        text = report.document(result, asked.rows, ledger, datetime.now().astimezone().date())
        for section in (
            report.sections_of(DOCUMENT.read_text(encoding="utf-8")) if DOCUMENT.exists() else ()
        ):
            text = report.with_section(text, section)
        DOCUMENT.write_text(text, encoding="utf-8")
    return int(not all(verdict.holds for verdict in report.verdicts(result)))


if __name__ == "__main__":
    sys.exit(main())
