"""What a start costs with as many entities as the product may grow to: `python -m scripts.growth [220] [SECONDS]`.

Entities like today's - a reference to a project, a number, money, days, a state - are generated into a package of their
own beside the product's. Measured is what `python run.py` does from the first line to the first answer, in processor
seconds, which do not depend on who else works on the machine; best of five. With a limit, exceeding it is a failure.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import models.registry  # noqa: F401 - every table is known
from models.base.entity import entities

ROOT = Path(__file__).resolve().parents[1]
TURNS = 3
HEAD = """
from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Module, SpecKind
from models.guarantee.appraisal import PaperState
from models.guarantee.project import Project
from sqlalchemy.orm import Mapped
"""
ONE = '''

class More{n}(Entity):
    """An entity as they usually are."""

    spec = Spec(
        "更多{n}", Module.GUARANTEE, SpecKind.DOCUMENT, scope=Scope(through="project"), state="state",
        listed=("number", "project", "amount", "signed_on", "state"), searched=("number", "note"), filtered=("state",),
    )
    project_id = c.owned_by("担保项目", "project")
    number = c.text("编号", 30, required=True, unique=True)
    amount = c.money("金额", required=True)
    paid = c.money("已付金额")
    rate_pct = c.rate("费率")
    signed_on = c.day("签订日期", required=True)
    ends_on = c.day("到期日期")
    officer_id = c.reference("经办人", "employee")
    bank_id = c.reference("银行", "partner_bank")
    is_urgent = c.flag("加急", default=False)
    place = c.text("地点", 100)
    note = c.text("备注", 500)
    state = c.state("状态", PaperState, PaperState.DRAFT)
    project: Mapped[Project] = c.related(project_id)
'''
INSTALL = """
from app import create_app
from app.extensions import db
from app.lifecycle import initialise
from models.registry import metadata
app = create_app()
with app.app_context():
    metadata.create_all(db.engine, tables=[t for t in metadata.sorted_tables if t.name.startswith("more")])
    initialise(app)
"""
START = """
import gc, time
gc.disable()
begun = time.process_time(), time.perf_counter()
import models.registry
import more
import run
from app import lifecycle
lifecycle.ensure_ready(run.app)
status = run.app.test_client().get("/login/").status_code
spent = time.process_time(), time.perf_counter()
import json, sys
json.dump({"status": status, "cpu": spent[0], "wall": spent[1] - begun[1]}, sys.stdout)
"""


def measure(wanted: int) -> dict[str, float]:
    """The best of several starts with so many entities: processor and wall seconds."""
    with tempfile.TemporaryDirectory() as folder:
        more = "".join(ONE.format(n=n) for n in range(max(wanted - len(entities()), 0)))
        (Path(folder) / "more.py").write_text(HEAD + more, encoding="utf-8")
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        env |= {
            "DATA_DIR": folder,
            "PYTHONUTF8": "1",
            "PYTHONPATH": folder,
            "PYTHONWARNINGS": "ignore",
        }
        _run(INSTALL, env)
        _run(f"import more{INSTALL}", env)  # migrations make the product's own tables alone
        found = [json.loads(_run(START, env)) for _ in range(TURNS)]
    if any(one["status"] != 200 for one in found):
        sys.exit("the first page did not come")
    return {name: min(one[name] for one in found) for name in ("cpu", "wall")}


def _run(program: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def main(wanted: int = 220, limit: float = 0) -> None:
    """Say what a start costs with today's entities and with so many; fail above the limit."""
    for count in (len(entities()), wanted):
        took = measure(count)
        print(
            f"{count} entities: {took['cpu']:.2f} s of processor time, {took['wall']:.2f} s on the wall"
        )
    if limit and took["cpu"] > limit:
        sys.exit(f"more than {limit} s")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
