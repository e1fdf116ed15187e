"""What the built-in roles may do, before any administrator has changed them."""

import pytest

from app.roles import ROLES, all_permissions, permissions_of
from models.base.entity import entity_of
from models.open_tables import OPEN
from workflows import registry

KNOWN = all_permissions()
ADMINISTRATOR = "系统管理员"


def written_by(role):
    """The tables that a role adds to, changes or deletes from."""
    granted = permissions_of(role, KNOWN)
    return {table for verb, table in granted if verb in {"add", "edit", "delete"}}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_all_departments_share_is_not_set_by_whom_it_binds(role):
    """A bank's line, shares and margins bind the projects of those who do business with it."""
    assert registry, "all verbs are known"
    shared = {table for table in OPEN if entity_of(table).spec.module.name == "CUSTOMER"}
    assert {"partner_bank", "guarantee_company"} <= shared
    assert written_by(role) & shared == (shared if role.name == ADMINISTRATOR else set())
    if role.name in {"客户经理", "业务部门经理"}:
        assert {("list", table) for table in shared} <= permissions_of(role, KNOWN)
