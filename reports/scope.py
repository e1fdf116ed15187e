"""Data scope (X5): which rows an actor may read, for lists, look-ups, exports, REST and pages alike."""

from collections.abc import Callable
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from models.base.actor import Actor, ScopeLevel
from models.base.entity import Entity

Columns = TypeVarTuple("Columns")
# Further readers of a table beside owner and department, e.g. whoever has or had a task on the record.
_READERS: dict[type[Entity], list[Callable[[Actor], ColumnElement[bool]]]] = {}


def reader(model: type[Entity]) -> Callable[[Callable[[Actor], ColumnElement[bool]]], Callable[..., Any]]:
    """Register a condition under which an actor may read rows of `model` whatever the role's scope says."""

    def register(condition: Callable[[Actor], ColumnElement[bool]]) -> Callable[..., Any]:
        _READERS.setdefault(model, []).append(condition)
        return condition

    return register


def condition(model: type[Entity], actor: Actor, *, as_set: bool = False) -> ColumnElement[bool] | None:
    """The WHERE that limits rows to those the actor may read; None when all are.

    Parts of other records are asked about row by row, as suits the first rows of an order; `as_set` works out the
    readable records once, as suits a count or a sum over all rows.
    """
    scope = model.spec.scope
    if scope.is_open or actor.is_system or actor.scope is ScopeLevel.ALL:
        return None
    if scope.through:
        inner = condition(getattr(model, scope.through).property.mapper.class_, actor, as_set=as_set)
        return None if inner is None else _through(model, inner, as_set=as_set)
    parts: list[ColumnElement[bool]] = [
        getattr(model, name) == actor.employee_id for name in (scope.owner, *scope.members) if name
    ]
    if scope.department and actor.scope >= ScopeLevel.DEPARTMENT:
        allowed = actor.department_ids if actor.scope is ScopeLevel.SUBTREE else {actor.department_id}
        parts.append(getattr(model, scope.department).in_([i for i in allowed if i is not None]))
    for cls in model.__mro__:
        parts.extend(extra(actor) for extra in _READERS.get(cls, []))
    return or_(*parts) if parts else false()


def _through(model: type[Entity], inner: ColumnElement[bool], *, as_set: bool) -> ColumnElement[bool]:
    relation = getattr(model, model.spec.scope.through)
    if not as_set:
        return relation.has(inner)  # type: ignore[no-any-return]
    (here,) = relation.property.local_columns
    return here.in_(select(relation.property.mapper.class_.id).where(inner))  # type: ignore[no-any-return]


def scoped(query: Select[*Columns], model: type[Entity], actor: Actor, *, as_set: bool = False) -> Select[*Columns]:
    """The query limited to the rows the actor may read."""
    where = condition(model, actor, as_set=as_set)
    return query if where is None else query.where(where)


def is_visible(session: Session, actor: Actor, record: Entity) -> bool:
    """Whether the actor may read this one record."""
    model = type(record)
    where = condition(model, actor)
    if where is None:
        return True
    # The mapped attribute joins the tables of an inherited model; the bare column would multiply them.
    return session.scalar(select(model.id).where(and_(model.id == record.id, where))) is not None


def scope_note(model: type[Entity], actor: Actor) -> str:
    """What a list's head says about its rows, e.g. 数据范围：本部门."""
    where = condition(model, actor)
    return "" if where is None else f"数据范围：{actor.scope.label}"
