"""`python -m benchmarks`: measure the product beside plain Flask-AppBuilder and Django admin, print and write it down.

Ends with status 1 where a goal is missed. `--rows 5000 --rounds 3 --no-document` is a quick look.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from benchmarks import ROOT, report, runner
from benchmarks.data import dataset
from benchmarks.scenarios import scenarios

GOAL_ROWS = 100_000


def say(text: str) -> None:
    """Progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="与 FAB 默认做法和 Django admin 对比性能")
    parser.add_argument("--rows", type=int, default=GOAL_ROWS, help="客户数与项目数，默认 100000")
    parser.add_argument("--rounds", type=int, default=5, help="每页测几次，默认 5")
    parser.add_argument("--vouchers", type=int, default=2_000, help="记账的凭证张数，默认 2000；0 为不测")
    parser.add_argument("--no-document", action="store_true", help="只打印，不写 docs/benchmarks.md")
    return parser.parse_args()


def _ledger(database: Path, vouchers: int) -> list[tuple[str, ...]]:
    """The ledger's rows, measured in a process of its own before anybody else opens the database."""
    say(f"办理 {vouchers:,} 张凭证 ……")
    command = [sys.executable, "-m", "benchmarks.ledger", str(database), str(vouchers)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT)
    return [tuple(row) for row in json.loads(done.stdout)]


def main() -> int:
    """Make the rows, measure, print; the exit status."""
    asked = _arguments()
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
        (ROOT / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")
    return int(not all(verdict.holds for verdict in report.verdicts(result)))


if __name__ == "__main__":
    sys.exit(main())
