"""The demo accounts on the login page: only a demo database lists any."""

from flask_appbuilder.security.sqla.models import Role, assoc_user_role
from sqlalchemy import select

from app.extensions import db
from models.organization import Employee, Operator
from models.system import SystemState

# Written in the README too: demo databases hold invented people only.
DEMO_PASSWORD = "Danbao@2026"  # noqa: S105 - a demo database is no secret


def demo_accounts() -> list[tuple[str, str, str, str]]:
    """(sign-in name, person, role, password) of each demo operator; empty in a production database."""
    state = db.session.get(SystemState, 1)
    if state is None or not state.is_demo:
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
