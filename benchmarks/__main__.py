"""`python -m benchmarks`: measure the product beside plain Flask-AppBuilder and Django admin, print and write it down.

Ends with status 1 where a goal is missed. `--rows 5000 --rounds 3 --no-document` is a quick look.
"""

import argparse
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from benchmarks import ROOT, report, runner
from benchmarks.data import dataset
from benchmarks.scenarios import scenarios


def say(text: str) -> None:
    """Progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="与 FAB 默认做法和 Django admin 对比性能")
    parser.add_argument("--rows", type=int, default=100_000, help="客户数与项目数，默认 100000")
    parser.add_argument("--rounds", type=int, default=7, help="每页测几次，默认 7")
    parser.add_argument("--no-document", action="store_true", help="只打印，不写 docs/benchmarks.md")
    return parser.parse_args()


def main() -> int:
    """Make the rows, measure, print; the exit status."""
    asked = _arguments()
    say(f"准备 {asked.rows:,} 个客户和项目 ……")
    with tempfile.TemporaryDirectory(prefix="guarantee-bench-") as folder:
        database = Path(folder) / "bench.db"
        shutil.copy(dataset(asked.rows), database)
        result = runner.run(database, scenarios(database), asked.rounds, say)
    for table in (report.times, report.sizes, report.goals):
        print("\n" + "\n".join(report.plain(*table(result))))
    if not asked.no_document:
        text = report.document(result, asked.rows, [], datetime.now().astimezone().date())
        (ROOT / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")
    return int(not all(verdict.holds for verdict in report.verdicts(result)))


if __name__ == "__main__":
    sys.exit(main())
