"""Configuration brought to a content: an earlier version restored, or what a second person publishes (X15).

Every row goes through the verb by which people change it, with its rights and rules; nothing is written past them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from models.base.entity import Entity, entity_of, fields_of
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.plain import plain
from models.system.configuration import ConfigVersion
from reports.figures.configuration import (
    Content,
    Found,
    Row,
    Thing,
    config_of,
    content_of,
    key_columns,
    label_of,
    parts_below,
    read,
    right_to_change,
    things_of,
    unnumbered,
)
from reports.figures.configuration_changes import identity
from reports.figures.custom_fields import editable_now, fields_now
from workflows.base import records
from workflows.base.context import Ctx, Published
from workflows.base.seeds import ids_by_key
from workflows.base.transition import enter, verbs
from workflows.base.values import coerce

ACTS: Final = verbs(
    "config_version",
    {"restore": "恢复到这一版"},
    is_work=False,
    roles=("系统管理员", "安全管理员", "财务主管"),
)
# (ctx, the row that a page shows or None, content): for what is changed by verbs of its own.
Applier = Callable[[Ctx, int | None, Content], None]
_APPLIERS: dict[type[Entity], Applier] = {}


def applies(model: type[Entity]) -> Callable[[Applier], Applier]:
    """Register how a kind of configuration is brought to a content, where records alone cannot."""

    def register(apply: Applier) -> Applier:
        _APPLIERS[model] = apply
        return apply

    return register


def restore(ctx: Ctx, found: ConfigVersion, reason: str = "") -> ConfigVersion:
    """Let a piece of configuration be again what it was in a version; what came since stays in its history.

    Raises Conflict where it says that already, and whatever the verb of a usual change raises.
    """
    enter(ctx, ACTS["restore"], found)
    ctx.require(*right_to_change(found.table_name), f"修改{label_of(found.table_name)}")
    now = standing(ctx, found.table_name, found.record_id, found.content)
    model = entity_of(found.table_name)
    if unnumbered(model, now.content) == unnumbered(model, found.content):
        raise Conflict(f"“{found.title}”的现行内容与第 {found.number} 版相同")
    why = reason or f"恢复到第 {found.number} 版"
    ctx.published = Published(ctx.actor.employee_id, why, is_restored=True)
    apply(ctx, found.table_name, found.record_id, found.content)
    return found


def thing(ctx: Ctx, table: str, record_id: int | None, content: Content) -> Thing | None:
    """The thing as this installation names it: of its row, or where that is gone of what the content says."""
    model = entity_of(table)
    known = things_of(ctx.session, model, filter(None, [record_id]))
    if record_id in known:
        return known[record_id]
    if not content:
        return None
    fields, values = fields_of(model), _Words(ctx).values(model, content[0], key_columns(model))
    return Thing(table, tuple(coerce(fields[name], values[name]) for name in key_columns(model)))


def standing(ctx: Ctx, table: str, record_id: int | None, content: Content) -> Found:
    """What holds now of a thing."""
    named = thing(ctx, table, record_id, content)
    return Found([]) if named is None else read(ctx.session, [named])[named]


def apply(ctx: Ctx, table: str, record_id: int | None, content: Content) -> None:
    """Bring a thing to a content. Raises BusinessError where a verb refuses a part of it; the caller rolls back."""
    model = entity_of(table)
    if model in _APPLIERS:
        _APPLIERS[model](ctx, record_id, content)
    else:
        now = standing(ctx, table, record_id, content)
        wanted = _dated(ctx, model, now.content, content)
        rows = [ctx.session.get_one(model, key) for key in now.ids]
        _Bringing(ctx).rows(_Rows(model, rows, wanted, key_columns(model)))
    ctx.session.flush()


def bring(ctx: Ctx, record: Entity, row: Row) -> None:
    """Bring one record with its parts to a row of a content, whatever state counts."""
    _Bringing(ctx).change(record, row)


def rows_of(ctx: Ctx, record: Entity) -> Content:
    """One record as a content would say it, whatever its state, without the key that tells it from its like."""
    return [content_of(ctx.session, record)]


def _dated(ctx: Ctx, model: type[Entity], now: Content, wanted: Content) -> Content:
    """What a content means for a thing whose past stays: what held then holds from today on, what was to come comes."""
    config = config_of(model)
    if not config.is_dated:
        return wanted
    since, today = config.since, ctx.today.isoformat()

    def day(row: Row) -> str:
        return str(row["values"][since])

    past = [row for row in now if day(row) <= today]
    future = [row for row in wanted if day(row) > today]
    meant = max((row for row in wanted if day(row) <= today), key=day, default=None)
    held = max(past, key=day, default=None)
    if meant is None or held is None or _without(meant, since) == _without(held, since):
        return [*past, *future]
    from_today = {**meant, "values": meant["values"] | {since: today}}
    return [*(row for row in past if day(row) < today), from_today, *future]


def _without(row: Row, name: str) -> tuple[dict[str, Any], Any]:
    return {key: value for key, value in row["values"].items() if key != name}, row["parts"]


class _Words:
    """Values of a content as forms send them: references as the numbers of this installation."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self._ids: dict[str, dict[str, int]] = {}

    def values(
        self, model: type[Entity], row: Row, names: tuple[str, ...] | list[str]
    ) -> dict[str, Any]:
        """The values of these fields; None where there is none."""
        known, found = fields_now(self.ctx.session, model), dict[str, Any]()
        for name in names:
            value = row["values"].get(name)
            target = known[name].target
            found[name] = self._id(target, str(value)) if target and value is not None else value
        return found

    def _id(self, table: str, key: str) -> int:
        if table not in self._ids:
            self._ids[table] = ids_by_key(self.ctx.session, entity_of(table))
        if key not in self._ids[table]:
            raise Conflict(f"{entity_of(table).spec.label}“{key}”已不存在，不能照此内容修改")
        return self._ids[table][key]

    def identity(self, model: type[Entity], record: Entity, whole: tuple[str, ...]) -> str:
        """By what a record is found among the rows of a content."""
        names = [name for name in model.spec.key if name not in whole] or list(model.spec.key)
        return "|".join(self._word(model, record, name) for name in names)

    def _word(self, model: type[Entity], record: Entity, name: str) -> str:
        facts, value = fields_of(model)[name], getattr(record, name)
        if value is None:
            return ""
        if not facts.target:
            return str(plain(value))
        if facts.target not in self._ids:
            self._ids[facts.target] = ids_by_key(self.ctx.session, entity_of(facts.target))
        return next((key for key, found in self._ids[facts.target].items() if found == value), "")


@dataclass(frozen=True)
class _Rows:
    """Rows of one owner as they are, and as they are to be; `fixed` names the owner."""

    model: type[Entity]
    records: list[Entity]
    wanted: Content
    whole: tuple[str, ...]
    fixed: Mapping[str, int] | None = None


class _Bringing:
    """Brings rows to a content, each by its verb; what one of them needs of another is tried again after it."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx, self.words = ctx, _Words(ctx)

    def rows(self, rows: _Rows) -> None:
        """First what goes, then what changes, then what is new, and the parts of each."""
        acts = list(self._acts(rows))
        while acts:
            left, refusals = [], list[BusinessError]()
            for act in acts:
                try:
                    with self.ctx.session.begin_nested():
                        act()
                except (FieldErrors, Conflict) as refused:
                    left.append(act)
                    refusals.append(refused)
            if len(left) == len(acts):
                raise Conflict(_said(refusals[0]))
            acts = left

    def _acts(self, rows: _Rows) -> Iterator[Callable[[], None]]:
        ctx, model = self.ctx, rows.model
        if model.spec.config is not None and len(rows.records) == len(rows.wanted) == 1:
            yield lambda: self.change(rows.records[0], rows.wanted[0])
            return
        olds = {self.words.identity(model, one, rows.whole): one for one in rows.records}
        news = {identity(model, row, rows.whole): row for row in rows.wanted}
        for key, record in olds.items():
            if key not in news:
                yield lambda one=record: records.delete(ctx, one, one.version)  # type: ignore[misc]
        for key, row in news.items():
            if key in olds:
                yield lambda one=olds[key], to=row: self.change(one, to)  # type: ignore[misc]
        for key, row in news.items():
            if key not in olds:
                yield lambda to=row: self._make(rows, to)  # type: ignore[misc]

    def change(self, record: Entity, row: Row) -> None:
        """Save what differs, then bring its parts."""
        model = type(record)
        given = self._given(model, row)
        known = fields_now(self.ctx.session, model)
        other = {
            name: value for name, value in given.items() if plain(known[name].get(record)) != value
        }
        if other:
            records.update(self.ctx, record, other, record.version)
        self._parts(record, row)

    def _make(self, rows: _Rows, row: Row) -> None:
        given = self._given(rows.model, row) | dict(rows.fixed or {})
        told = {name: value for name, value in given.items() if value is not None}
        self._parts(records.create(self.ctx, rows.model, told), row)

    def _given(self, model: type[Entity], row: Row) -> dict[str, Any]:
        owners = {name for name, facts in fields_of(model).items() if facts.is_owner}
        names = [
            n for n in editable_now(self.ctx.session, model, self.ctx.actor) if n not in owners
        ]
        return self.words.values(model, row, names)

    def _parts(self, record: Entity, row: Row) -> None:
        for part, column in parts_below(type(record)):
            query = select(part).where(getattr(part, column) == record.id).order_by(part.id)
            below = list(self.ctx.session.scalars(query))
            wanted = row["parts"].get(str(part.__tablename__), [])
            self.rows(_Rows(part, below, wanted, (column,), {column: record.id}))


def _said(error: BusinessError) -> str:
    """A refusal in one line: there is no field to say it at."""
    told = [message for messages in error.field_errors.values() for message in messages]
    return "；".join(told) or error.message
