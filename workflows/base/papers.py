"""What hangs on a record (files, remarks, issued documents) is read with that record and written with it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from models.base.entity import Entity, entities, owner_of
from models.base.errors import NotAllowed, NotFound
from reports.base.scope import is_visible, may_read, was_asked
from workflows.base.context import Ctx
from workflows.base.transition import VERBS

_READING: Final = frozenset({"list", "show", "export", "reveal"})
_PARTS: dict[type[Entity], frozenset[str]] = {}


def require_reader(ctx: Ctx, record: Entity | None) -> None:
    """Raise NotAllowed without the right on the record's table, NotFound out of its scope; being asked opens both."""
    if record is not None and may_read(ctx.session, ctx.actor, record):
        return
    if record is not None:
        ctx.require("show", str(record.__tablename__), f"查看{record.spec.label}")
    raise NotFound


def require_writer(ctx: Ctx, record: Entity) -> None:
    """Raise unless the actor may hang something on the record: to read it is not enough."""
    require_reader(ctx, record)
    if not may_write(ctx, record):
        raise NotAllowed(
            f"您只能查看这条{record.spec.label}，不能添加附件或备注；如需补充请联系经办人"
        )


def may_write(ctx: Ctx, record: Entity) -> bool:
    """Whether a reader of the record may add to it; to have been asked once, or told (抄送), is to read it.

    Who may do anything beyond looking with such records, their parts or what they belong to, is named on one of these,
    or is asked to decide this one now (decision 0014).
    """
    if ctx.actor.is_system:
        return True
    chain = list(_belongs_to(record))
    if any(_is_named(ctx, one) for one in chain):
        return True
    tables = frozenset[str]().union(*(_with_parts(type(one)) for one in chain))
    writing = {
        ctx.actor.acting(name.removeprefix("can_"), table)
        for name, table in ctx.actor.permissions
        if table in tables and _is_write(name, table)
    }
    own = {replace(reach, reads_as_asked=False) for reach in writing}
    if any(is_visible(ctx.session, reach, record) for reach in own):
        return True
    return was_asked(ctx.session, ctx.actor, record, is_pending=True)


def _belongs_to(record: Entity | None) -> Iterator[Entity]:
    """The record, and those whose scope is its own: a receipt, its project."""
    while record is not None:
        yield record
        record = getattr(record, record.spec.scope.through) if record.spec.scope.through else None


def _is_write(name: str, table: str) -> bool:
    verb = name.removeprefix("can_")
    declared = VERBS.get((table, verb))
    return verb not in _READING and (declared is None or declared.is_work)


def _is_named(ctx: Ctx, record: Entity) -> bool:
    scope = record.spec.scope
    people = (getattr(record, name) for name in (scope.owner, *scope.members) if name)
    return ctx.actor.employee_id is not None and ctx.actor.employee_id in people


def _with_parts(model: type[Entity]) -> frozenset[str]:
    """The table of a record and those of its parts, with the parts of these."""
    if model not in _PARTS:
        parts = [
            part
            for part in entities()
            if (owner := owner_of(part)) is not None and issubclass(model, owner[1])
        ]
        _PARTS[model] = frozenset({str(model.__tablename__)}).union(
            *(_with_parts(part) for part in parts)
        )
    return _PARTS[model]
