"""docs/features tells the life of each verb as the code has it now."""

import pytest

from scripts.features import PAGES, pages

FOUND = pages()


@pytest.mark.parametrize("name", FOUND)
def test_the_page_is_what_the_code_says(name):
    path = PAGES / name
    assert path.exists(), "run `make features`"
    assert path.read_text(encoding="utf-8") == FOUND[name], "run `make features`"


def test_no_page_is_left_of_what_is_gone():
    assert {path.name for path in PAGES.glob("*.md")} == set(FOUND)
