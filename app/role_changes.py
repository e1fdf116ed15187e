"""Changes of built-in roles for installations that are there already: each is made once, at the next `init`.

What a release adds under a new name goes to its roles by itself; this is for rights that were there before. A later
change is a further row at the end: where an installation stands is a number, and administrators decide from then on.
"""

from dataclasses import dataclass, field
from typing import Final

from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    ViewMenu,
    assoc_permissionview_role,
)
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from models.system.role import RoleProfile
from workflows.base import audit
from workflows.base.context import Ctx

_BOARD = ("review_meeting", "meeting_item", "meeting_member")
_BUSINESS, _PARTNERS = ("客户经理", "业务部门经理"), ("partner_bank", "guarantee_company")
_WRITES = ("add", "edit", "delete")


@dataclass(frozen=True)
class Change:
    """What a built-in role gets and loses, by table."""

    role: str
    gives: dict[str, tuple[str, ...]] = field(default_factory=dict)
    takes: dict[str, tuple[str, ...]] = field(default_factory=dict)


CHANGES: Final[tuple[Change, ...]] = (
    # Meetings are business, which this role may not read.
    Change("安全管理员", takes=dict.fromkeys(_BOARD, ("list", "show", "export"))),
    # Who sets the company up enters the banks too, and hands over what somebody of any department leaves behind.
    Change(
        "系统管理员",
        gives={"partner_bank": ("add", "edit", "delete")}
        | dict.fromkeys(("customer", "personal_customer", "corporate_customer"), ("hand_over",)),
    ),
    # Lines, shares and margins of partners bind the projects of those who do business with them.
    *(Change(role, takes=dict.fromkeys(_PARTNERS, _WRITES)) for role in _BUSINESS),
    Change("系统管理员", gives={"guarantee_company": _WRITES}),
)
EDITION: Final = len(CHANGES)


def bring_up(ctx: Ctx, edition: int) -> int:
    """Make the changes that came after `edition`, and say so in the sealed trail; returns the present edition."""
    for change in CHANGES[edition:]:
        role_id = ctx.session.scalar(
            select(RoleProfile.role_id).where(
                RoleProfile.name == change.role, RoleProfile.is_builtin
            )
        )
        if role_id is not None:  # else somebody has made a role of this name
            _make(ctx, role_id, change)
    return EDITION


def _make(ctx: Ctx, role_id: int, change: Change) -> None:
    links, session = assoc_permissionview_role, ctx.session
    held = set(
        session.scalars(select(links.c.permission_view_id).where(links.c.role_id == role_id))
    )
    given = _ids(session, change.gives) - held
    taken = _ids(session, change.takes) & held
    if given:
        rows = [{"role_id": role_id, "permission_view_id": key} for key in sorted(given)]
        session.execute(insert(links), rows)
    if taken:
        session.execute(
            delete(links).where(links.c.role_id == role_id, links.c.permission_view_id.in_(taken))
        )
    if given or taken:
        name = session.scalar(select(Role.name).where(Role.id == role_id))
        audit.seal_rows(ctx, "ab_role", [role_id], note=f"升级调整内置角色“{name}”的权限")


def _ids(session: Session, wanted: dict[str, tuple[str, ...]]) -> set[int]:
    query = select(PermissionView.id, Permission.name, ViewMenu.name).where(
        PermissionView.permission_id == Permission.id,
        PermissionView.view_menu_id == ViewMenu.id,
        ViewMenu.name.in_(wanted),
    )
    pairs = {(f"can_{verb}", table) for table, verbs in wanted.items() for verb in verbs}
    return {
        key for key, permission, table in session.execute(query) if (permission, table) in pairs
    }
