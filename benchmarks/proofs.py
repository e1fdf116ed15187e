"""`verify` beside one raw SQL pass over the same rows, with the most memory that either took.

`DATA_DIR=… python -m benchmarks.proofs` measures the installation of the environment (SQLite or PostgreSQL), prints a
table and writes it into docs/benchmarks.md; each side runs in a process of its own, because a process keeps the most
memory it ever had.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import make_url

from app import create_app
from app.extensions import db
from benchmarks import ROOT, report
from config import load_settings
from workflows import verify

SIDES: Final = ("raw", "verify")
GOAL_MIB: Final = 300
DOCUMENT: Final = ROOT / "docs" / "benchmarks.md"


def _raw() -> int:
    """Every row of every table that `verify` covers, once, as the driver gives it."""
    names = {str(model.__tablename__) for check in verify.CHECKS for model in check.covers}
    count = 0
    with db.engine.connect() as connection:
        for name in sorted(names):
            query = text(f'SELECT * FROM "{name}"')
            with connection.execute(query, execution_options={"yield_per": 1000}) as rows:
                count += sum(1 for _ in rows)
    return count


def _verify() -> int:
    """What `flask verify` does; the rows that its checks cover."""
    session = db.session()
    results = list(verify.run(session))
    assert not any(result.problem for result in results), results
    return sum(result.rows for result in results)


ACTS: Final[dict[str, Callable[[], int]]] = {"raw": _raw, "verify": _verify}


def _measure(side: str) -> None:
    """One side, in this process: [rows, seconds, processor seconds, MiB] as JSON."""
    app = create_app(load_settings())
    with app.app_context():
        began, used = time.perf_counter(), time.process_time()
        rows = ACTS[side]()
        found = [rows, time.perf_counter() - began, time.process_time() - used]
    print(json.dumps([*found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def table(found: dict[str, list[float]]) -> list[tuple[str, ...]]:
    """Both sides as rows of the table."""
    rows = []
    for label, side in (("一遍原生查询", "raw"), ("`flask verify`", "verify")):
        count, seconds, used, memory = found[side]
        ratio = f"{used / found['raw'][2]:.1f}"
        rows.append(
            (
                label,
                f"{count:,.0f}",
                f"{seconds:.1f} s",
                f"{used:.1f} s",
                ratio,
                f"{memory:,.0f} MiB",
            )
        )
    return rows


def main() -> int:
    """Measure both sides and write them down; status 1 where `verify` needs more memory than the goal."""
    found = {}
    for side in SIDES:
        command = [sys.executable, "-m", "benchmarks.proofs", side]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT
        )
        found[side] = json.loads(done.stdout.splitlines()[-1])
    rows, is_met = table(found), found["verify"][3] <= GOAL_MIB
    print("\n".join(report.plain(report.PROOFS_HEAD, rows)))
    dialect = make_url(load_settings().database_url).get_backend_name()
    section = report.proofs(dialect, rows, datetime.now().astimezone().date(), is_met=is_met)
    DOCUMENT.write_text(
        report.with_section(DOCUMENT.read_text(encoding="utf-8"), section), encoding="utf-8"
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(sys.argv[1])
    else:
        sys.exit(main())
