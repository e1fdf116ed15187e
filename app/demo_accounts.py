"""The demo accounts on the login page: only a demo database outside production lists any."""

from flask import current_app
from flask_appbuilder.security.sqla.models import Role, assoc_user_role
from sqlalchemy import select

from app.extensions import db
from models.system.organization import Employee, Operator
from models.system.setup import SystemState

# Written in the README too: demo databases hold invented people only.
DEMO_PASSWORD = "Danbao@2026"  # noqa: S105 - a demo database is no secret


EXPOSED = (
    "数据库中是演示数据，演示账号的密码人人皆知，生产环境（APP_ENV=production）不予使用。"
    "请换用正式的数据库（DATABASE_URL）；确为演示时设置 DEMO=1。"
)


def is_demo_database() -> bool:
    """Whether the database holds the demonstration."""
    state = db.session.get(SystemState, 1)
    return state is not None and state.is_demo


def why_exposed() -> str:
    """Why nobody may sign in here: demo people, whose passwords everybody knows, in production; else empty."""
    settings = current_app.config["SETTINGS"]
    return EXPOSED if settings.is_production and not settings.demo and is_demo_database() else ""


def demo_accounts() -> list[tuple[str, str, str, str]]:
    """(sign-in name, person, role, password) of each demo operator; empty in production, whatever the database."""
    if current_app.config["SETTINGS"].is_production or not is_demo_database():
        return []
    rows = db.session.execute(
        select(Operator.username, Employee.name, Role.name)
        .join(Employee, Employee.id == Operator.employee_id)
        .join(assoc_user_role, assoc_user_role.c.user_id == Operator.user_id)
        .join(Role, Role.id == assoc_user_role.c.role_id)
        .order_by(Operator.id)
    )
    people: dict[str, tuple[str, str, str, str]] = {}
    for username, name, role in rows:
        people.setdefault(username, (username, name, role, DEMO_PASSWORD))
    return list(people.values())
