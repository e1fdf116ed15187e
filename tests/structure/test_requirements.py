"""What the code imports is what the requirements name: a package found by luck is missing on the next machine."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = {
    path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
}
PRODUCT = ("app", "models", "reports", "views", "workflows", "config.py", "run.py")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named(file: str) -> set[str]:
    """The packages a requirements file names itself, with those of the files it includes."""
    found: set[str] = set()
    for line in (ROOT / file).read_text().splitlines():
        if line.startswith("-r "):
            found |= named(line.removeprefix("-r ").strip())
        elif match := re.match(r"[A-Za-z0-9._-]+", line):
            found.add(canonical(match.group()))
    return found


def imported(places: tuple[str, ...]) -> dict[str, str]:
    """Top-level modules of other people's packages -> the first file that imports each."""
    found: dict[str, str] = {}
    for place in places:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    modules = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules = [node.module]
                else:
                    continue
                for module in modules:
                    found.setdefault(module.partition(".")[0], str(file.relative_to(ROOT)))
    return {
        name: file
        for name, file in found.items()
        if name not in OWN and name not in sys.stdlib_module_names
    }


@pytest.mark.parametrize(
    ("places", "requirements"),
    [
        (PRODUCT, "requirements.in"),
        (("tests", "scripts"), "requirements-dev.in"),
        (("benchmarks",), "requirements-bench.in"),
    ],
)
def test_every_import_is_named_in_its_requirements(places, requirements):
    given = packages_distributions()
    allowed = named(requirements)
    missing = {
        module: file
        for module, file in imported(places).items()
        if not allowed & {canonical(name) for name in given.get(module, [module])}
    }
    assert not missing, f"{requirements} 没有列出：{missing}"


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "requirements-dev.lock", "requirements-bench.lock"]
)
def test_locks_name_versions_and_hashes_alone(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    locked = {canonical(name) for name in re.findall(r"^([A-Za-z0-9._-]+)", text, re.MULTILINE)}
    assert named(lock.replace(".lock", ".in")) <= locked
