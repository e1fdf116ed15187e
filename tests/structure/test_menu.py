"""The menu of somebody who may see everything: no module is a list of twenty, no group is of one or of two modules."""

import pytest

from app.menu import PAGES
from models.base.entity import entities
from models.base.kinds import MenuGroup, Module
from reports.base.report import REPORTS

FIRST_LEVEL = 10
ENTRIES = [
    (m.spec.module, m.spec.group) for m in entities() if m.spec.in_menu and m.spec.kind.has_screen
]
ENTRIES += [(page.module, page.group) for page in PAGES]
ENTRIES += [(report.module, report.menu) for report in REPORTS.values() if report.in_menu]


@pytest.mark.parametrize("group", MenuGroup)
def test_a_group_folds_several_entries_of_one_module(group):
    modules = [module for module, its_group in ENTRIES if its_group is group]
    assert len(modules) > 1
    assert len(set(modules)) == 1


@pytest.mark.parametrize("module", Module)
def test_a_module_that_opens_is_seen_at_a_glance(module):
    inside = [group for its_module, group in ENTRIES if its_module is module]
    assert inside.count(None) + len({group for group in inside if group}) <= FIRST_LEVEL
