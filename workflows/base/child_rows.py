"""Many rows of one record at once, as a grid sends them: all are saved or none, and each wrong one is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.base.entity import Entity
from models.base.errors import BusinessError, FieldErrors, StaleRecord
from workflows.base import records
from workflows.base.context import Ctx


@dataclass(frozen=True)
class RowChange:
    """What becomes of one row: made where `record` is None, changed to `values`, or deleted.

    `place` stands before the names of its fields, so that each message is found again at its cell.
    """

    place: str
    model: type[Entity]
    values: Mapping[str, Any]
    record: Entity | None = None
    version: int | None = None
    is_dropped: bool = False


class RowErrors(FieldErrors):
    """Rows are wrong: messages by place and field; under the bare place those of a whole row."""

    def __init__(self, errors: Mapping[str, list[str]], status: int = 400) -> None:
        """`status` is 409 where somebody else was first at one of them."""
        super().__init__(errors)
        self.status = status


def save(ctx: Ctx, changes: Sequence[RowChange]) -> None:
    """Delete, change and make rows, in this order. Raises RowErrors with the messages of all wrong rows, NotAllowed.

    A row that is refused is tried again after the others: two shares that change places are right together, though
    the first of them alone would make more than 100 %.
    """
    _raise(_apply(ctx, [change for change in changes if change.is_dropped]))
    edits = [change for change in changes if not change.is_dropped]
    left = sorted(edits, key=lambda change: change.record is None)
    while left:
        refused = _apply(ctx, left)
        again = [change for change in left if change.place in refused]
        if len(again) == len(left) or not ctx.session.is_active:
            _raise(refused)
        left = again


def check(ctx: Ctx, changes: Sequence[RowChange]) -> dict[str, list[str]]:
    """What is wrong with single values of rows whose owner cannot be saved yet; nothing is written."""
    found = {}
    for change in changes:
        if not change.is_dropped:
            for name, messages in records.problems(ctx, change.model, change.values).items():
                found[change.place + name] = messages
    return found


def _apply(ctx: Ctx, changes: Sequence[RowChange]) -> dict[str, BusinessError]:
    wrong: dict[str, BusinessError] = {}
    for change in changes:
        try:
            _save(ctx, change)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            wrong[change.place] = error
            if (
                not ctx.session.is_active
            ):  # the database has refused: it takes no more before the rollback
                break
            if change.record is not None:
                ctx.session.expire(change.record)
    return wrong


def _save(ctx: Ctx, change: RowChange) -> None:
    if change.record is None:
        records.create(ctx, change.model, change.values)
    elif change.is_dropped:
        records.delete(ctx, change.record, change.version)
    else:
        try:
            records.update(ctx, change.record, change.values, change.version)
        except StaleRecord as error:
            changed = "；".join(f"{label} {old} → {new}" for label, old, new in error.changes)
            said = f"“{change.record}”已被他人修改{'：' if changed else ''}{changed}"
            raise StaleRecord(said, error.changes) from error


def _raise(wrong: Mapping[str, BusinessError]) -> None:
    if wrong:
        errors = {
            place + name: messages
            for place, error in wrong.items()
            for name, messages in error.field_errors.items()
        }
        raise RowErrors(errors, max(error.status for error in wrong.values()))
