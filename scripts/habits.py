"""Measure how the product's code is written, beside the goals of docs/architecture.md; `make check` holds the limits.

`python -m scripts.habits` prints each figure with its goal and the limit that holds today. A limit is the goal, or
where the goal is not reached yet what was measured: it may only be lowered.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
PRODUCT: Final = ("app", "models", "reports", "views", "workflows", "config.py", "run.py")
FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSION: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_BARE: Final = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


class Limit(NamedTuple):
    """A figure's goal and the most that it may be today."""

    goal: float
    most: float


LIMITS: Final = {
    "functions of more than 50 lines": Limit(0, 0),
    "tokens of a function, 95 of 100": Limit(170, 238),
    "tokens of the longest function": Limit(450, 480),
    "inline branches per 100 lines": Limit(6, 6.5),
    "calls with six and more positional arguments per 1,000 lines": Limit(1, 1.7),
    "lambdas of three and more parameters": Limit(0, 0),
    "nested comprehensions per 100 lines": Limit(0.6, 0.6),
    "annotations with Any, percent": Limit(3.3, 5),
    "formatter switched off": Limit(20, 0),
}


def main() -> int:
    """Print the figures; 1 where one is above its limit."""
    found = figures()
    wrong = 0
    for name, limit in LIMITS.items():
        is_over = found[name] > limit.most
        wrong += is_over
        mark = "  << over its limit" if is_over else ""
        print(f"{name:62} {found[name]:8.2f}   goal {limit.goal:g}, limit {limit.most:g}{mark}")
    return 1 if wrong else 0


def figures() -> dict[str, float]:
    """Each figure of LIMITS over the whole product."""
    lengths: list[int] = []
    sizes: list[int] = []
    counted: Counter[str] = Counter()
    lines = 0
    for path in _files():
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        lines += sum(
            bool(line.strip()) and not line.strip().startswith("#") for line in source.splitlines()
        )
        counted["off"] += source.count("# fmt: ")
        starts = _token_lines(source)
        for node in ast.walk(tree):
            counted.update(_signs(node))
            if isinstance(node, FUNCTION):
                last = node.end_lineno or node.lineno
                lengths.append(last - node.lineno + 1)
                sizes.append(sum(starts[number] for number in range(node.lineno, last + 1)))
    return {
        "functions of more than 50 lines": sum(length > 50 for length in lengths),
        "tokens of a function, 95 of 100": statistics.quantiles(sizes, n=20)[18],
        "tokens of the longest function": max(sizes),
        "inline branches per 100 lines": counted["inline"] * 100 / lines,
        "calls with six and more positional arguments per 1,000 lines": counted["positional"]
        * 1000
        / lines,
        "lambdas of three and more parameters": counted["lambda"],
        "nested comprehensions per 100 lines": counted["nested"] * 100 / lines,
        "annotations with Any, percent": counted["any"] * 100 / counted["annotated"],
        "formatter switched off": counted["off"],
    }


def _files() -> list[Path]:
    rooms = [ROOT / name for name in PRODUCT]
    files = [path for room in rooms for path in (room.rglob("*.py") if room.is_dir() else [room])]
    return [path for path in files if "migrations" not in path.parts]


def _token_lines(source: str) -> Counter[int]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return Counter(token.start[0] for token in tokens if token.type not in _BARE)


def _signs(node: ast.AST) -> Counter[str]:
    """What this one node adds to the figures."""
    found: Counter[str] = Counter()
    found["inline"] += isinstance(node, ast.IfExp)
    if isinstance(node, ast.BoolOp):
        found["inline"] += len(node.values) - 1
    if isinstance(node, ast.comprehension):
        found["inline"] += len(node.ifs)
    if isinstance(node, ast.Call):
        found["positional"] += len(node.args) >= 6
    if isinstance(node, ast.Lambda):
        found["lambda"] += len(node.args.args) >= 3
    if isinstance(node, COMPREHENSION):
        found["nested"] += len(node.generators) > 1 or _holds_another(node)
    for annotation in _annotations(node):
        found["annotated"] += 1
        found["any"] += "Any" in ast.unparse(annotation)
    return found


def _holds_another(node: ast.AST) -> bool:
    return any(
        isinstance(inner, COMPREHENSION)
        for child in ast.iter_child_nodes(node)
        for inner in ast.walk(child)
    )


def _annotations(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.AnnAssign):
        return [node.annotation]
    if not isinstance(node, FUNCTION):
        return []
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    found = [one.annotation for one in arguments if one.annotation is not None]
    return [*found, *([node.returns] if node.returns is not None else [])]


if __name__ == "__main__":
    sys.exit(main())
