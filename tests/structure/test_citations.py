"""What the code cites can be looked up: sections of docs/domain.md, decisions, product numbers in README's table."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("app", "models", "reports", "views", "workflows")
# An area such as 8 stands for all below it, as README's table does.
PRODUCT_NUMBER = re.compile(r"\((?:product )?((?:\d{1,2}\.\d{1,2}|X\d{1,2})[a-e]?)[^()\d]{0,40}\)")


def _code() -> Iterator[tuple[Path, str]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "versions" not in path.parts:
                yield path, path.read_text(encoding="utf-8")


def _cited(pattern: str | re.Pattern[str]) -> set[str]:
    return {found for _, text in _code() for found in re.findall(pattern, text)}


def _numbers() -> set[str]:
    """Each number of README's feature table, ranges such as A1–A3 or 4.1a–4.3 by their ends and what lies between."""
    table = (
        (ROOT / "README.md").read_text(encoding="utf-8").split("| 编号 |", 1)[1].split("\n## ")[0]
    )
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    found = set()
    for cell in cells:
        for word in cell.replace("·", " ").split():
            first, _, last = word.partition("–")
            found |= {first, *(_between(first, last) if last else ())}
    return found


def _between(first: str, last: str) -> Iterator[str]:
    (area, low), (_, high) = (
        re.fullmatch(r"(\d+\.|[A-Z])?(\d+)[a-e]?", end).groups() for end in (first, last)
    )
    return (f"{area or ''}{number}" for number in range(int(low), int(high) + 1))


def _is_told(number: str, told: set[str]) -> bool:
    bare = number.rstrip("abcde")
    return any(one in told for one in (number, bare, bare.split(".")[0])) or any(
        one.startswith(bare) for one in told
    )


WAYS: dict[str, Callable[[], set[str]]] = {
    "domain": lambda: (
        _cited(r"domain\.md (\d+)") - set(re.findall(r"^## (\d+)\.", _page("domain"), re.MULTILINE))
    ),
    "decision": lambda: (
        _cited(r"decision (\d{4})")
        - {path.name[:4] for path in ROOT.glob("docs/decisions/[0-9]*.md")}
    ),
    "page": lambda: {
        name for name in _cited(r"docs/([\w./-]+\.md)") if not (ROOT / "docs" / name).exists()
    },
    "product": lambda: {
        number for number in _cited(PRODUCT_NUMBER) if not _is_told(number, _numbers())
    },
}


def _page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("way", WAYS)
def test_what_is_cited_is_there(way):
    assert WAYS[way]() == set()


def test_citations_are_found_at_all():
    assert {"1", "2", "3"} <= _cited(r"domain\.md (\d+)")
    assert len(_cited(PRODUCT_NUMBER)) > 10
    assert {"8.3", "X10"} <= _numbers()
