"""No verb reads a limit without the lock on limits: workflows/guarantee/limits.py alone asks for the figures."""

import ast
from pathlib import Path

import pytest

from tests.structure.each import each

WORKFLOWS = Path(__file__).parents[2] / "workflows"
KEEPER = WORKFLOWS / "guarantee" / "limits.py"
READERS = {
    "exposure.checks",
    "exposure.line_used",
    "exposure.portfolio",
    "gate.standing",
    "exposure.by_customer",
    "maximums.uses_of",
}


def calls(source):
    """Each call of a source as written, with the number of its arguments."""
    return [
        (ast.unparse(node.func), len(node.args) + len(node.keywords))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    ]


def unlocked(source):
    """Calls that read limits themselves; `gate` is given what was read under the lock as its fourth argument."""
    return [
        name
        for name, count in calls(source)
        if name in READERS or (name in ("gate", "gate.gate") and count < 4)
    ]


@each("path", sorted(WORKFLOWS.rglob("*.py")))
def test_limits_are_read_under_the_lock(path):
    if path == KEEPER:
        assert set(unlocked(path.read_text(encoding="utf-8"))) == {
            "exposure.checks",
            "gate.standing",
            "maximums.uses_of",
        }
    else:
        assert unlocked(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    ["exposure.checks(s, p, d)", "gate(s, p, d)", "gate.gate(s, p, d)", "gate.standing(s, p, d)"],
)
def test_the_test_sees_a_way_around_the_lock(source):
    assert unlocked(source)
    assert unlocked("gate(s, p, d, limits.standing(ctx, p))") == []
