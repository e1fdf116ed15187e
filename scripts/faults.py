"""Faults put in by hand, and the tests that must see each: `python -m scripts.faults [NAME …]`.

Each fault is put into a copy of the repository, and the named tests, which are part of `make test`, have to fail there.
A fault that nothing sees, or that no longer finds its place, makes the command fail.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# of tests/template.py: a fault outside of app and models begins with the same
KEPT = ROOT / ".cache" / "templates"
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "test-results", "__pycache__", ".*cache")
RED = 1  # pytest's status for tests that failed; others say that it could not run them
STRUCTURE = "tests/structure"


@dataclass(frozen=True)
class Fault:
    """One place of a file as it is and as it would be wrong, and what sees it."""

    name: str
    path: str
    right: str
    wrong: str
    seen_by: str
    db: str = "sqlite"
    only: str = ""  # of the file, as -k takes it


FAULTS = (
    Fault(
        "check",
        "views/kit/list_view.py",
        '@edge.screen("export")',
        '@edge.screen("list")',
        f"{STRUCTURE}/test_access.py",
    ),
    Fault(
        "check-of-a-page",
        "views/ledger/closing.py",
        '@edge.screen("list")',
        "@edge.screen()",
        f"{STRUCTURE}/test_access.py",
    ),
    Fault(
        "lock",
        "workflows/guarantee/limits.py",
        "    hold(ctx)\n    return exposure.checks(",
        "    return exposure.checks(",
        "tests/workflows/guarantee/test_limits_race.py",
        db="postgresql",
    ),
    Fault(
        "way-around-the-lock",
        "workflows/guarantee/application.py",
        "limits.checks(ctx, project)",
        "exposure.checks(ctx.session, project, ctx.today)",
        f"{STRUCTURE}/test_limits.py",
    ),
    Fault(
        "scope",
        "views/kit/lookup.py",
        "query = scoped(select(target).where(*where), target, ctx.actor)",
        "query = select(target).where(*where)",
        f"{STRUCTURE}/test_canary.py",
    ),
    Fault(
        "number-rule",
        "models/seeds/number_rule.csv",
        "risk_assessment,风险评估报告编号,FX{yyyy}-{no:04d},YEAR\n",
        "",
        "tests/workflows/guarantee/test_appraisal.py",
    ),
    Fault(
        "handler",
        "workflows/guarantee/paper.py",
        "            posting.on_booked(code)(self._booked)\n",
        "",
        f"{STRUCTURE}/test_wired.py",
    ),
    Fault(
        "mask",
        "models/customer/detail.py",
        'c.masked("账号", 40, mask="account", required=True)',
        'c.text("账号", 40, required=True)',
        f"{STRUCTURE}/test_masks.py",
    ),
    Fault(
        "index",
        "models/guarantee/appraisal.py",
        '"风险等级", RiskLevel, index=True',
        '"风险等级", RiskLevel',
        f"{STRUCTURE}/test_entities.py",
    ),
    Fault(
        "label",
        "models/customer/detail.py",
        'c.text("开户行", 100',
        'c.text("Bank", 100',
        f"{STRUCTURE}/test_entities.py",
    ),
    Fault(
        "migration",
        "models/customer/detail.py",
        '    bank_name: Mapped[str] = c.text("开户行", 100, required=True)\n',
        '    bank_name: Mapped[str] = c.text("开户行", 100, required=True)\n'
        '    branch_name: Mapped[str | None] = c.text("支行", 100)\n',
        f"{STRUCTURE}/test_migrations.py",
    ),
    Fault(
        "guard",
        "workflows/base/transition.py",
        "    if now not in step.sources:",
        "    if now is None:",
        "tests/workflows/base/test_transition.py",
    ),
)


def main(faults: Sequence[Fault], *names: str) -> None:
    """Put in each fault, or those that are named, and say who saw it."""
    chosen = [fault for fault in faults if not names or fault.name in names]
    unseen = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "house"
        shutil.copytree(ROOT, copy, ignore=_not_copied)
        (copy / ".venv").symlink_to(ROOT / ".venv")
        if KEPT.exists():
            shutil.copytree(KEPT, copy / KEPT.relative_to(ROOT))
        for fault in chosen:
            start = time.monotonic()
            status = _status_with(fault, copy)
            said = "caught" if status == RED else f"NOT CAUGHT (status {status})"
            print(
                f"{fault.name}: {said} by {fault.seen_by} in {time.monotonic() - start:.0f} s",
                flush=True,
            )
            if status != RED:
                unseen.append(fault.name)
    print(f"{len(chosen) - len(unseen)} of {len(chosen)} caught")
    if unseen or not chosen:
        sys.exit(f"not caught: {', '.join(unseen)}")


def _not_copied(folder: str, names: list[str]) -> set[str]:
    """What the copy does without; the installation's data, not those of the tests."""
    return NOT_COPIED(folder, names) | ({"data"} if Path(folder) == ROOT else set())


def _status_with(fault: Fault, copy: Path) -> int:
    """How pytest ends in the copy with the fault in it; the file is put back afterwards."""
    path = copy / fault.path
    whole = path.read_text(encoding="utf-8")
    if whole.count(fault.right) < 1:
        sys.exit(f"{fault.name}: {fault.path} has changed, say anew where the fault goes")
    path.write_text(whole.replace(fault.right, fault.wrong, 1), encoding="utf-8")
    words = ["-q", "-n0", "-x", "--today", "-m", "not long", "--db", fault.db]
    words += ["-k", fault.only] if fault.only else []
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *words, fault.seen_by],
        cwd=copy,
        env=os.environ | {"TEMPLATES": "quick"},
        capture_output=True,
        text=True,
        check=False,
    )
    path.write_text(whole, encoding="utf-8")
    print(
        "\n".join(line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR")))
    )
    return ran.returncode


if __name__ == "__main__":
    main(FAULTS, *sys.argv[1:])
