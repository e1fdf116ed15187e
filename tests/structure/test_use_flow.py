"""docs/use-flow.md names screens and buttons that are there, by the very words of the screen."""

import re
from pathlib import Path

import pytest

import views.screens  # noqa: F401 - every screen and button registers itself
from app.menu import NAMES, PAGES, _reports
from models.base.entity import entities
from views.kit.buttons import REGISTRY

TEXT = (Path(__file__).parents[2] / "docs" / "use-flow.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| 步骤")
]
MENU = {(page.module.label, page.label, page.url) for page in (*PAGES, *_reports())} | {
    (
        model.spec.module.label,
        NAMES.get(str(model.__tablename__), model.spec.label),
        f"/{model.__tablename__}/list/",
    )
    for model in entities()
    if model.spec.in_menu and model.spec.kind.has_screen
}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_step_leads_to_a_screen_and_to_buttons(row):
    _, place, address, buttons, _, _ = row
    module, _, label = place.partition(" › ")
    assert (module, label, address.strip("`")) in MENU
    for words, table, verb in re.findall(r"([^、（）]+)（(\w+)\.(\w+)）", buttons):
        assert REGISTRY[table, verb].label == words
    assert buttons.count("（") == len(re.findall(r"（\w+\.\w+）", buttons))


def test_the_whole_flow_is_there():
    assert len(ROWS) >= 20
