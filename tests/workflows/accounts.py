"""Accounts for people of the tests, with roles of the installation; nobody signs in with them."""

from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.system.organization import Employee, Operator


def sign_on(session: Session, person: Employee, *roles: str) -> Operator:
    """The account of a person, made without its password's hash, which takes long on purpose."""
    name = f"u{person.id}"
    user = User(
        username=name,
        first_name=person.name,
        last_name="",
        email=f"{name}@local.invalid",
        active=True,
        password="-",
        roles=list(session.scalars(select(Role).where(Role.name.in_(roles)))),
    )
    session.add(user)
    session.flush()
    made = Operator(username=name, employee_id=person.id, user_id=user.id)
    session.add(made)
    session.flush()
    return made
