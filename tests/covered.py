"""Which lines and branches of the product a run has reached: `pytest -p tests.covered`, told by `scripts.covered`.

SlipCover takes its marks out of code that has been reached, so tests run as fast as without it; a tracer more than
doubles their time. Each process writes what it reached into the place that the scripts look at.
"""

import json
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
from slipcover import FileMatcher, Slipcover
from slipcover.importer import SlipcoverMetaPathFinder

from scripts.covered import KEPT, LEFT_OUT, OMITTED, ROOMS


class _Rooms(SlipcoverMetaPathFinder):
    """Marks the product's rooms and leaves all other modules, pytest's own imports among them, to Python."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in ROOMS:
            return None
        found: ModuleSpec | None = super().find_spec(fullname, path, target)
        return found


_marked = Slipcover(branch=True, exclude_also=list(LEFT_OUT))
# Now and not in a hook: conftest imports the product.
sys.meta_path.insert(0, _Rooms(_marked, FileMatcher(omit=list(OMITTED))))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what this process has reached; the first process of a run with workers runs no test."""
    if getattr(session.config.option, "numprocesses", None) and not hasattr(
        session.config, "workerinput"
    ):
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    name = os.environ.get("PYTEST_XDIST_WORKER", "main")
    (KEPT / f"{name}.json").write_text(json.dumps(_marked.get_coverage()), encoding="utf-8")
