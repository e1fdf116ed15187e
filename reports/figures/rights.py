"""Who may do what: the people behind a permission, so that a refusal can say whom to ask."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Select, column, select, table
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.system.organization import Department, Employee, Operator
from models.system.role import RoleProfile

SHOWN = 3
# Who gives permissions, for what nobody holds yet.
KEEPERS = ("grant", "operator")
ASK_OPERATIONS = (
    "目前没有人有这项权限，也没有安全管理员，请由运维人员执行 flask --app run create-admin 建立"
)
# The framework's own tables, named here because questions know no web framework.
_PERMISSION = table("ab_permission", column("id"), column("name"))
_RESOURCE = table("ab_view_menu", column("id"), column("name"))
_PAIR = table("ab_permission_view", column("id"), column("permission_id"), column("view_menu_id"))
_GRANT = table("ab_permission_view_role", column("permission_view_id"), column("role_id"))
_ROLE = table("ab_role", column("id"), column("name"))
_HELD = table("ab_user_role", column("user_id"), column("role_id"))
_USER = table("ab_user", column("id"), column("active", Boolean))


def holders(session: Session, verb: str, resource: str) -> dict[str, list[str]]:
    """People who can sign in and may do this, each with the roles that let them, in the order of their numbers."""
    query = _granted(Employee.name, Employee.number, _ROLE.c.name.label("role")).where(
        _PERMISSION.c.name == f"can_{verb}", _RESOURCE.c.name == resource
    )
    found: dict[str, list[str]] = {}
    for row in session.execute(query.order_by(Employee.number, _ROLE.c.name)):
        found.setdefault(row.name, []).append(row.role)
    return found


@dataclass(frozen=True)
class Person:
    """Somebody who may do a thing: as far as they see, and in the role that lets them."""

    actor: Actor
    role: str


def who_may(session: Session, verb: str, resource: str) -> list[Person]:
    """Everybody who can sign in and may do this, in the order of their numbers."""
    query = (
        _granted(
            Employee.id,
            Employee.name,
            Employee.department_id,
            _ROLE.c.name.label("role"),
            RoleProfile.scope,
        )
        .outerjoin(RoleProfile, RoleProfile.role_id == _ROLE.c.id)
        .where(_PERMISSION.c.name == f"can_{verb}", _RESOURCE.c.name == resource)
    )
    granted = session.execute(query.order_by(Employee.number, _ROLE.c.name.desc())).all()
    rows = {row.id: row for row in granted}
    scopes: dict[
        int, ScopeLevel
    ] = {}  # the widest of the roles that let them, not of all their roles
    for row in granted:
        level = ScopeLevel.of(row.scope)
        scopes[row.id] = max(scopes.get(row.id, ScopeLevel.SELF), level)
    paths = _paths(session) if ScopeLevel.SUBTREE in scopes.values() else {}
    return [
        Person(
            Actor(
                key,
                row.name,
                department_id=row.department_id,
                scope=scopes[key],
                department_ids=frozenset(
                    i
                    for i, path in paths.items()
                    if path.startswith(paths.get(row.department_id, "?"))
                ),
            ),
            row.role,
        )
        for key, row in rows.items()
    ]


def _paths(session: Session) -> dict[int, str]:
    return {row.id: row.path for row in session.execute(select(Department.id, Department.path))}


def held(session: Session) -> set[tuple[str, str]]:
    """Each (verb, table) that somebody who can sign in may do."""
    rows = session.execute(
        _granted(_PERMISSION.c.name, _RESOURCE.c.name.label("resource")).distinct()
    )
    return {(str(row.name).removeprefix("can_"), str(row.resource)) for row in rows}


def role_names(session: Session) -> set[str]:
    """The roles that there are."""
    return set(session.scalars(select(_ROLE.c.name)))


def _granted(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(_PAIR)
        .join(_PERMISSION, _PERMISSION.c.id == _PAIR.c.permission_id)
        .join(_RESOURCE, _RESOURCE.c.id == _PAIR.c.view_menu_id)
        .join(_GRANT, _GRANT.c.permission_view_id == _PAIR.c.id)
        .join(_ROLE, _ROLE.c.id == _GRANT.c.role_id)
        .join(_HELD, _HELD.c.role_id == _ROLE.c.id)
        .join(_USER, _USER.c.id == _HELD.c.user_id)
        .join(Operator, Operator.user_id == _USER.c.id)
        .join(Employee, Employee.id == Operator.employee_id)
        .where(
            _USER.c.active.is_(True), Operator.is_disabled.is_(False), Employee.is_active.is_(True)
        )
    )


def whom_to_ask(session: Session, verb: str, resource: str) -> str:
    """可联系：顾海燕（安全管理员）; where nobody may, who can give the permission."""
    if found := holders(session, verb, resource):
        return f"可联系：{_names(found)}"
    keepers = holders(session, *KEEPERS)
    return f"目前没有人有这项权限，请联系{_names(keepers)}分配" if keepers else ASK_OPERATIONS


def _names(people: dict[str, list[str]]) -> str:
    shown = "、".join(
        f"{name}（{'、'.join(roles)}）" for name, roles in list(people.items())[:SHOWN]
    )
    return shown + (f"等 {len(people)} 人" if len(people) > SHOWN else "")
