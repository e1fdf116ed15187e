"""docs/features tells the life of each verb as the code has it now."""

from functools import cache

from scripts.features import PAGES, pages
from tests.structure.each import each

found = cache(pages)


@each("name, text", lambda: found().items())
def test_the_page_is_what_the_code_says(name, text):
    path = PAGES / name
    assert path.exists(), "run `make features`"
    assert path.read_text(encoding="utf-8") == text, "run `make features`"


def test_no_page_is_left_of_what_is_gone():
    assert {path.name for path in PAGES.glob("*.md")} == set(found())
