"""What `pytest -p tests.covered` has reached of the product, beside the least that is asked.

`python -m scripts.covered --least 97 --workflows 98` ends with 1 where less was reached.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from slipcover import merge_coverage

ROOT: Final = Path(__file__).parents[1]
KEPT: Final = ROOT / ".cache" / "covered"
ROOMS: Final = ("app", "config", "models", "reports", "run", "views", "workflows")
OMITTED: Final = ("models/migrations/*",)
# What no run can reach, or need not: names for the type checker, entry points, what only subclasses do.
LEFT_OUT: Final = (
    "if TYPE_CHECKING:",
    "if __name__ == .__main__.:",
    "@abstractmethod",
    "@overload",
    "raise NotImplementedError",
    "assert_never",
)


def reached() -> dict[str, Any]:
    """What all processes of the last run have reached together, by file."""
    found: dict[str, Any] = {}
    for path in sorted(KEPT.glob("*.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        if found:
            merge_coverage(found, one)
        else:
            found = one
    return dict(found["files"])


def percent(files: dict[str, Any], room: str = "") -> float:
    """Share of lines and branches reached in the files of a room, in percent."""
    sums = [one["summary"] for name, one in files.items() if name.startswith(room)]
    hit = sum(one["covered_lines"] + one["covered_branches"] for one in sums)
    missed = sum(one["missing_lines"] + one["missing_branches"] for one in sums)
    return 100 * hit / (hit + missed)


def main() -> int:
    """Print what was missed, file by file, and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--workflows", type=float, default=0)
    asked, files = parser.parse_args(), reached()
    for name, one in sorted(files.items()):
        if missed := (*one["missing_lines"], *one["missing_branches"]):
            print(
                f"{one['summary']['percent_covered']:6.1f} % {name}: {', '.join(map(str, missed))}"
            )
    whole, verbs = percent(files), percent(files, "workflows/")
    print(f"reached {whole:.2f} % of all (at least {asked.least})")
    print(f"reached {verbs:.2f} % of workflows (at least {asked.workflows})")
    return int(whole < asked.least or verbs < asked.workflows)


if __name__ == "__main__":
    sys.exit(main())
