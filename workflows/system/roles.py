"""Roles: how far they see and what they may do; nobody widens their own or locks everybody out (10.1, X5)."""

from collections.abc import Iterable
from typing import Any

from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    User,
    ViewMenu,
    assoc_permissionview_role,
    assoc_user_role,
)
from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, Conflict, NotAllowed, NotFound, StaleRecord
from models.system.organization import Operator
from models.system.role import RoleProfile, ScopeKind
from models.system.sign_in import SessionEnd
from reports.figures import configuration
from workflows.base import audit, versions
from workflows.base.context import Ctx
from workflows.base.transition import VERBS
from workflows.system import configuration as applying
from workflows.system import custom_fields, sessions

NAME_MAX = 64
NOTE_MAX = 200
# Whoever holds this can mend any other role, so somebody must always hold it.
KEEPER = ("can_edit", "ab_role")

# How a version of a role names one of its permissions.
RIGHT = "permission"
_BASIC = {
    "list": "查看列表",
    "show": "查看",
    "export": "导出",
    "add": "新增",
    "edit": "修改",
    "delete": "删除",
    "reveal": "查看原值",
}
_LABELS = {"ab_role": "角色"}

Pair = tuple[str, str]


def create_role(
    ctx: Ctx, name: str, scope: ScopeKind, note: str = "", *, like: int | None = None
) -> Role:
    """Make a role, empty or with the permissions of another one.

    Raises NotAllowed, BusinessError for a missing or taken name, NotFound for an unknown role to copy.
    """
    ctx.require("edit", "ab_role", "维护角色权限")
    name = _checked_name(ctx, name)
    source = _role(ctx, like) if like is not None else None
    role = Role(name=name)
    ctx.session.add(role)
    ctx.session.flush()
    profile = RoleProfile(
        role_id=role.id, name=name, scope=scope, note=_checked_note(note), is_builtin=False
    )
    ctx.session.add(profile)
    ctx.session.flush()
    if source is not None:
        ids = _granted(ctx.session, source.id).values()
        _link(ctx, role, ids)
    changes = {
        "name": [None, name],
        "scope": [None, scope.name],
        "like": [None, source.name if source else None],
    }
    audit.seal_rows(ctx, "ab_role", [role.id])
    audit.log(ctx, profile, "CREATE", changes, note=f"新增角色“{name}”")
    return role


def save_role(
    ctx: Ctx,
    role_id: int,
    *,
    scope: ScopeKind,
    note: str,
    pairs: Iterable[Pair],
    version: int | None,
) -> Role:
    """Give a role exactly these (permission, resource) pairs and this data scope; its holders must sign in again.

    Raises NotAllowed for a role the actor holds, StaleRecord when it was saved meanwhile, BusinessError for unknown
    permissions, Conflict when nobody would be left who can maintain roles.
    """
    ctx.require("edit", "ab_role", "维护角色权限")
    role = _role(ctx, role_id)
    _refuse_own(ctx, role)
    profile = profile_of(ctx, role)
    _require_same(profile, version)
    versions.watch(ctx.session, profile)
    known = _all_pairs(ctx.session)
    wanted = set(pairs)
    if wanted - known.keys():
        raise BusinessError("提交的权限中有系统不认识的项，请刷新页面后重试")
    before = _granted(ctx.session, role.id)
    added, removed = wanted - before.keys(), before.keys() - wanted
    if KEEPER in removed:
        _require_other_keeper(ctx, role)
    _unlink(ctx, role, [known[pair] for pair in removed])
    _link(ctx, role, [known[pair] for pair in added])
    changes: dict[str, list[Any]] = {
        "scope": [profile.scope.name, scope.name],
        "note": [profile.note, _checked_note(note)],
        "permissions": [_words(removed), _words(added)],
    }
    profile.scope, profile.note = scope, _checked_note(note)
    profile.updated_at = ctx.now  # counts the version also when the permissions alone changed
    ctx.session.flush()
    _end_sessions(ctx, role)
    audit.seal_rows(ctx, "ab_role", [role.id])
    audit.log(ctx, profile, "UPDATE", changes, note=f"修改角色“{role.name}”的权限")
    return role


def delete_role(ctx: Ctx, role_id: int, version: int | None) -> str:
    """Delete a role that nobody holds; returns its name.

    Raises Conflict for a held or built-in role, StaleRecord when it was saved meanwhile.
    """
    ctx.require("edit", "ab_role", "维护角色权限")
    role = _role(ctx, role_id)
    profile = profile_of(ctx, role)
    _require_same(profile, version)
    if profile.is_builtin:
        raise Conflict(f"角色“{role.name}”是内置角色，不能删除")
    if count := holders(ctx.session, role.id):
        raise Conflict(f"角色“{role.name}”仍有 {count} 名操作员，请先为他们分配其他角色")
    if fields := custom_fields.roles_named(ctx.session, role.name):
        raise Conflict(f"自定义字段“{'、'.join(fields)}”限定了角色“{role.name}”，请先修改")
    audit.log(ctx, profile, "DELETE", note=f"删除角色“{role.name}”")
    name, key = str(role.name), role.id
    ctx.session.delete(profile)
    ctx.session.flush()
    ctx.session.execute(
        delete(assoc_permissionview_role).where(assoc_permissionview_role.c.role_id == role.id)
    )
    ctx.session.delete(role)
    ctx.session.flush()
    audit.seal_rows(ctx, "ab_role", [key])
    return name


def _require_same(profile: RoleProfile, version: int | None) -> None:
    if version != profile.version:
        raise StaleRecord("这个角色已被他人修改，请重新打开后再办理")


def profile_of(ctx: Ctx, role: Role) -> RoleProfile:
    """The role's profile; one is made for a role of the framework that has none."""
    found = ctx.session.scalars(
        select(RoleProfile).where(RoleProfile.role_id == role.id)
    ).one_or_none()
    if found is None:
        found = RoleProfile(role_id=role.id, name=role.name, scope=ScopeKind.SELF, is_builtin=False)
        ctx.session.add(found)
        ctx.session.flush()
        audit.seal_rows(ctx, "ab_role", [role.id])
    return found


def holders(session: Session, role_id: int) -> int:
    """How many users hold a role."""
    query = (
        select(func.count())
        .select_from(assoc_user_role)
        .where(assoc_user_role.c.role_id == role_id)
    )
    return session.scalar(query) or 0


def _role(ctx: Ctx, role_id: int) -> Role:
    found = ctx.session.get(Role, role_id)
    if found is None:
        raise NotFound("没有这个角色")
    return found


def _refuse_own(ctx: Ctx, role: Role) -> None:
    if role.name in ctx.actor.roles:
        raise NotAllowed(f"您本人持有角色“{role.name}”，其权限须由另一位管理员修改")


def _require_other_keeper(ctx: Ctx, role: Role) -> None:
    """Somebody who can sign in must hold 维护角色权限 through another role."""
    link, held = assoc_permissionview_role.c, assoc_user_role.c
    query = (
        select(Operator.id)
        .join(User, User.id == Operator.user_id)
        .where(
            ~Operator.is_disabled,
            User.active,
            exists()
            .where(held.user_id == User.id, held.role_id != role.id, link.role_id == held.role_id)
            .where(link.permission_view_id == _all_pairs(ctx.session)[KEEPER]),
        )
    )
    if ctx.session.scalar(query.limit(1)) is None:
        raise Conflict("取消后将没有人能维护角色权限，请先把该权限授予另一个有人持有的角色")


def _checked_name(ctx: Ctx, name: str) -> str:
    name = name.strip()
    if not name:
        raise BusinessError("请填写角色名称", field="name")
    if len(name) > NAME_MAX:
        raise BusinessError(f"角色名称最多 {NAME_MAX} 个字", field="name")
    if ctx.session.scalar(select(Role.id).where(Role.name == name)) is not None:
        raise BusinessError("已有同名角色", field="name")
    return name


def _checked_note(note: str) -> str | None:
    note = note.strip()
    if len(note) > NOTE_MAX:
        raise BusinessError(f"职责说明最多 {NOTE_MAX} 个字", field="note")
    return note or None


def _all_pairs(session: Session) -> dict[Pair, int]:
    """Every permission that the product has, with the id of its row."""
    rows = session.execute(
        select(Permission.name, ViewMenu.name, PermissionView.id)
        .join(PermissionView, PermissionView.permission_id == Permission.id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
    )
    return {(name, resource): row_id for name, resource, row_id in rows}


def _granted(session: Session, role_id: int) -> dict[Pair, int]:
    link = assoc_permissionview_role.c
    ids = set(session.scalars(select(link.permission_view_id).where(link.role_id == role_id)))
    return {pair: row_id for pair, row_id in _all_pairs(session).items() if row_id in ids}


def _link(ctx: Ctx, role: Role, ids: Iterable[int]) -> None:
    rows = [{"role_id": role.id, "permission_view_id": row_id} for row_id in sorted(ids)]
    if rows:
        ctx.session.execute(insert(assoc_permissionview_role), rows)


def _unlink(ctx: Ctx, role: Role, ids: list[int]) -> None:
    link = assoc_permissionview_role.c
    if ids:
        ctx.session.execute(
            delete(assoc_permissionview_role).where(
                link.role_id == role.id, link.permission_view_id.in_(ids)
            )
        )


def _end_sessions(ctx: Ctx, role: Role) -> None:
    """What a holder may do has changed: their sessions of before end."""
    users = select(assoc_user_role.c.user_id).where(assoc_user_role.c.role_id == role.id)
    sessions.end_of(ctx, select(Operator.id).where(Operator.user_id.in_(users)), SessionEnd.ROLES)


def _words(pairs: Iterable[Pair]) -> list[str]:
    return sorted(f"{resource}.{name.removeprefix('can_')}" for name, resource in pairs)


def permissions_by_role(session: Session, role_id: int) -> tuple[frozenset[Pair], frozenset[Pair]]:
    """(granted to the role, all that exist) as (permission, resource) pairs, for the matrix."""
    return frozenset(_granted(session, role_id)), frozenset(_all_pairs(session))


# ----------------------------------------------------------------------------------------------- as configuration (X15)
def _rights_of(session: Session, profile_ids: list[int]) -> dict[int, list[configuration.Row]]:
    """The permissions of roles as rows of their content."""
    link = assoc_permissionview_role.c
    rows = session.execute(
        select(RoleProfile.id, Permission.name, ViewMenu.name)
        .join(assoc_permissionview_role, link.role_id == RoleProfile.role_id)
        .join(PermissionView, PermissionView.id == link.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .where(RoleProfile.id.in_(profile_ids))
    )
    found: dict[int, list[str]] = {}
    for key, name, resource in rows:
        found.setdefault(key, []).append(f"{resource}.{name.removeprefix('can_')}")
    return {
        key: [{"values": {RIGHT: word}, "parts": {}} for word in sorted(words)]
        for key, words in found.items()
    }


def _right_in_words(row: configuration.Row) -> str:
    """担保项目：提交申请."""
    table, _, verb = str(row["values"][RIGHT]).partition(".")
    known = VERBS.get((table, verb))
    label = known.label if known else _BASIC.get(verb, verb)
    return f"{_LABELS.get(table) or configuration.table_label(table)}：{label}"


configuration.also(RoleProfile, RIGHT, _rights_of, configuration.Extra("权限", _right_in_words))


@applying.applies(RoleProfile)
def _apply(ctx: Ctx, record_id: int | None, content: configuration.Content) -> None:
    """Bring a role to what a version of it says; permissions that the product has no more are left out."""
    profile = None if record_id is None else ctx.session.get(RoleProfile, record_id)
    if not content:
        if profile is not None:
            delete_role(ctx, profile.role_id, profile.version)
        return
    values, parts = content[0]["values"], content[0]["parts"]
    if profile is None:
        made = create_role(
            ctx, values["name"], ScopeKind[values["scope"]], values.get("note") or ""
        )
        profile = profile_of(ctx, made)
    words = [str(row["values"][RIGHT]).partition(".") for row in parts.get(RIGHT, [])]
    known = _all_pairs(ctx.session)
    pairs = [pair for table, _, verb in words if (pair := (f"can_{verb}", table)) in known]
    save_role(
        ctx,
        profile.role_id,
        scope=ScopeKind[values["scope"]],
        note=values.get("note") or "",
        pairs=pairs,
        version=profile.version,
    )
