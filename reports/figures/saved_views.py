"""Saved views: which of them somebody finds, with which a list opens, and which stand on the desktop (X14)."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, column, or_, select, table
from sqlalchemy.orm import Session, aliased, joinedload

from models.base.actor import Actor
from models.system.organization import Department
from models.system.saved_view import ListDefault, PinnedView, SavedView, ViewSharing

_ROLE = table("ab_role", column("id"), column("name"))


def readable(session: Session, actor: Actor, table_name: str = "") -> Sequence[SavedView]:
    """The views of the lists that the actor may open: the own ones first, then by name."""
    query = select(SavedView).where(_is_offered(actor)).options(joinedload(SavedView.owner))
    if table_name:
        query = query.where(SavedView.table_name == table_name)
    found = session.scalars(query.order_by(SavedView.table_name, SavedView.name, SavedView.id))
    views = [view for view in found if actor.may("list", view.table_name)]
    return sorted(views, key=lambda view: view.owner_id != actor.employee_id)


def one(session: Session, actor: Actor, key: int) -> SavedView | None:
    """A view that the actor finds; None where there is none, or not for this actor."""
    query = select(SavedView).where(SavedView.id == key, _is_offered(actor))
    found = session.scalars(query).one_or_none()
    return found if found is not None and actor.may("list", found.table_name) else None


def default_of(session: Session, actor: Actor, table_name: str) -> SavedView | None:
    """The view with which a list opens for the actor: the own choice, else that of a role, the oldest role first."""
    roles = select(_ROLE.c.id).where(_ROLE.c.name.in_(sorted(actor.roles)))
    query = (
        select(ListDefault.view_id)
        .where(
            ListDefault.table_name == table_name,
            or_(ListDefault.employee_id == actor.employee_id, ListDefault.role_id.in_(roles)),
        )
        .order_by(ListDefault.role_id.is_not(None), ListDefault.role_id)
    )
    for key in session.scalars(query):
        if key is None:
            return None
        if (found := one(session, actor, key)) is not None:
            return found
    return None


def defaults(session: Session, table_name: str) -> Sequence[ListDefault]:
    """Every default of a list."""
    return session.scalars(select(ListDefault).where(ListDefault.table_name == table_name)).all()


def pinned(session: Session, actor: Actor) -> Sequence[SavedView]:
    """The views on the actor's desktop, in the order in which they were put there."""
    query = (
        select(SavedView)
        .join(PinnedView, PinnedView.view_id == SavedView.id)
        .where(PinnedView.employee_id == actor.employee_id, _is_offered(actor))
        .order_by(PinnedView.id)
    )
    return [view for view in session.scalars(query) if actor.may("list", view.table_name)]


def _is_offered(actor: Actor) -> ColumnElement[bool]:
    """One's own, those of all, and those of the departments that one stands in."""
    own, above = aliased(Department), aliased(Department)
    over_me = (
        select(above.id)
        .join(own, own.path.like(above.path.concat("%")))
        .where(own.id == actor.department_id)
    )
    return or_(
        SavedView.owner_id == actor.employee_id,
        SavedView.sharing == ViewSharing.ALL,
        (SavedView.sharing == ViewSharing.DEPARTMENT) & SavedView.department_id.in_(over_me),
    )
