"""Versions of configuration (X15): written in the transaction of the change, whichever door it comes in by.

Before a flush touches a piece of configuration it is read as the database has it, and once more before the commit;
where the two differ, a version is added. So a thing costs the same few statements however it is saved, and business
rows cost none. What was there before its first version is kept as version 1.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, event, func, inspect, or_, select
from sqlalchemy.orm import InstanceState, ORMExecuteState, PassiveFlag, Session, aliased

from models.base.entity import Entity, entities, entity_of
from models.system.configuration import ConfigVersion, VersionAct
from reports.figures.configuration import (
    Content,
    Found,
    Thing,
    batched,
    config_of,
    key_columns,
    name_of,
    read,
    things_of,
    way_up,
)
from reports.figures.configuration_changes import changes, in_words
from workflows.base.context import Ctx, Published
from workflows.base.facts import Affected

_SEEN: Final = "configuration_seen"
_Seen = dict[Thing, Found]


@dataclass(frozen=True)
class Changed:
    """A piece of configuration that a transaction changes: before and after, and the row that its page shows."""

    thing: Thing
    name: str
    record_id: int | None
    before: Content
    after: Content

    @property
    def act(self) -> VersionAct:
        """Whether it is new, gone or other than before."""
        if not self.before:
            return VersionAct.CREATE
        return VersionAct.UPDATE if self.after else VersionAct.DELETE


def install(factory: Any) -> None:
    """Make every session of the factory keep versions of what it changes."""
    event.listen(factory, "before_flush", _look)
    event.listen(factory, "after_flush", _look_at_new)
    event.listen(factory, "do_orm_execute", _look_at_statement)
    event.listen(factory, "before_commit", _on_commit)
    event.listen(factory, "after_commit", _forget)
    event.listen(factory, "after_rollback", _forget)


def touched(session: Session) -> Collection[Thing]:
    """The configuration that the transaction has written to, changed or not."""
    seen: _Seen = session.info.get(_SEEN, {})
    return seen.keys()


def changed(session: Session) -> list[Changed]:
    """What the transaction has changed of the configuration so far."""
    if not session.info.get(_SEEN):
        return []
    session.flush()
    seen: _Seen = session.info[_SEEN]
    now = read(session, seen)
    names = {thing: name_of(session, thing) for thing in seen}
    renamed = {new: old for old, new in _renamed(seen, now)}
    gone = set(renamed.values())
    found = []
    for thing, found_now in now.items():
        before = seen[renamed.get(thing, thing)]
        if thing in gone:
            continue
        if before.content != found_now.content:
            row = _page_of(before.ids, found_now.ids)
            found.append(Changed(thing, names[thing], row, before.content, found_now.content))
    return sorted(found, key=lambda one: (one.thing.table, one.name))


def _page_of(before: tuple[int, ...], now: tuple[int, ...]) -> int | None:
    """The row whose page shows a thing: the last that was there before and is, else the last that is or was."""
    stayed = tuple(key for key in now if key in before)
    return next(iter((*stayed[::-1], *now[::-1], *before[::-1])), None)


def _renamed(seen: _Seen, now: Mapping[Thing, Found]) -> Iterator[tuple[Thing, Thing]]:
    """(former, present) names of things of which a row has taken another key along."""
    gone = [thing for thing in seen if not now[thing].ids]
    made = [thing for thing in seen if not seen[thing].ids]
    for old in gone:
        for new in made:
            if new.table == old.table and not set(seen[old].ids).isdisjoint(now[new].ids):
                yield old, new


def watch(session: Session, record: Entity) -> None:
    """Look at configuration before statements change what no flush of it shows, e.g. the rights of a role."""
    _see(session, {_thing(record)})


def write(ctx: Ctx) -> list[ConfigVersion]:
    """Add a version of everything that the transaction has changed; asked once more it adds nothing."""
    session = ctx.session
    found = changed(session)
    last = _newest(session, found)
    made = [version for one in found for version in _versions(ctx, one, last.get(_place(one)))]
    session.info.pop(_SEEN, None)
    session.add_all(made)
    session.flush()
    return made


def of_thing(table: str, name: str, record_id: int | None) -> ColumnElement[bool]:
    """The versions of a thing, under this name or a former one."""
    named = ConfigVersion.object_key == name
    if record_id is not None:
        named = or_(named, ConfigVersion.record_id == record_id)
    return (ConfigVersion.table_name == table) & named


@dataclass(frozen=True)
class _Last:
    """The newest version of a thing."""

    number: int
    content: Content


def _place(one: Changed) -> tuple[str, str]:
    return one.thing.table, one.name


def _newest(session: Session, found: list[Changed]) -> dict[tuple[str, str], _Last]:
    """The newest version of each of these, under its name or a former one; a query for many of a table."""
    last: dict[tuple[str, str], _Last] = {}
    tables = {one.thing.table for one in found}
    for table in sorted(tables):
        mine = [one for one in found if one.thing.table == table]
        for some in batched(mine):
            last |= _newest_of(session, table, some)
    return last


def _newest_of(session: Session, table: str, some: list[Changed]) -> dict[tuple[str, str], _Last]:
    names = {one.name: one for one in some}
    ids = {one.record_id: one for one in some if one.record_id is not None}
    own, later = ConfigVersion, aliased(ConfigVersion)
    newest = select(func.max(later.number)).where(
        later.table_name == own.table_name, later.object_key == own.object_key
    )
    rows = session.execute(
        select(own.object_key, own.record_id, own.number, own.content)
        .where(own.table_name == table, own.number == newest.correlate(own).scalar_subquery())
        .where(or_(own.object_key.in_(names), own.record_id.in_(ids)))
        .order_by(own.number)
    )
    found = {}
    for name, record_id, number, content in rows:
        one = names.get(name) or ids[record_id]
        found[_place(one)] = _Last(number, content)
    return found


def _versions(ctx: Ctx, one: Changed, last: _Last | None) -> Iterator[ConfigVersion]:
    number, known = (last.number, last.content) if last else (0, [])
    if one.before not in ([], known):
        # Base data, or what a release or a programme has changed since.
        number += 1
        yield _version(ctx, one, number, VersionAct.BEFORE, one.before)
    yield _version(ctx, one, number + 1, one.act, one.after)


def _version(
    ctx: Ctx, one: Changed, number: int, act: VersionAct, content: Content
) -> ConfigVersion:
    table = one.thing.table
    said, words, since = Published(), "", None
    if act is not VersionAct.BEFORE:
        said = ctx.published or Published(ctx.actor.employee_id, ctx.reason)
        words = in_words(changes(ctx.session, table, one.before, one.after))
        since = _effective_on(one)
    return ConfigVersion(
        table_name=table,
        record_id=one.record_id,
        object_key=one.name,
        title=title_of(one)[:200],
        number=number,
        act=VersionAct.RESTORE if said.is_restored else act,
        summary=words,
        at=ctx.now,
        author_id=said.author_id,
        published_by_id=ctx.actor.employee_id if said.is_second else None,
        reason=said.reason[:200] or None,
        effective_on=since,
        content=content,
    )


def title_of(one: Changed) -> str:
    """What a thing is called: by its newest row."""
    row = [*one.before, *one.after][-1]
    model = entity_of(one.thing.table)
    return str(row["values"].get(model.spec.title, one.name))


def _effective_on(one: Changed) -> date | None:
    """From which day the change holds: the last one of the rows that it adds or alters."""
    since = config_of(entity_of(one.thing.table)).since
    if not since:
        return None
    days = [row["values"].get(since) for row in one.after if row not in one.before]
    known = [date.fromisoformat(day) for day in days if day]
    return max(known, default=None)


# ----------------------------------------------------------------------------------------------------------- the hook
def _is_watched(session: Session) -> bool:
    """Base data of a release are known from the release."""
    if session.info.get("no_audit"):
        return False
    return session.info.get("ctx") is not None


def _look(session: Session, *_: Any) -> None:
    if not _is_watched(session):
        return
    mine = [r for r in (*session.new, *session.dirty, *session.deleted) if _is_configuration(r)]
    if mine:
        _see(session, _touched(session, mine))


def _look_at_new(session: Session, *_: Any) -> None:
    """What has its key from a default is known only now."""
    if not _is_watched(session):
        return
    for record in filter(_is_configuration, session.new):
        if record.spec.config is not None:
            seen: _Seen = session.info.setdefault(_SEEN, {})
            seen.setdefault(_thing(record), Found([]))


def _look_at_statement(state: ORMExecuteState) -> None:
    """Statements that no flush sees: what they change or take away is read before."""
    if not _is_watched(state.session) or state.is_select:
        return
    table: Any = getattr(state.statement, "table", None)
    model = _watched_tables().get(getattr(table, "name", ""))
    if model is not None:
        ids = Affected(state, table).ids
        _see(state.session, _above(state.session, model, ids))


def _watched_tables() -> dict[str, type[Entity]]:
    return {str(m.__tablename__): m for m in entities() if way_up(m) is not None}


def _see(session: Session, things: Iterable[Thing]) -> None:
    seen: _Seen = session.info.setdefault(_SEEN, {})
    unseen = set(things) - seen.keys()
    if unseen:
        with session.no_autoflush:
            seen |= read(session, unseen)
            session.info[_SEEN] = seen


def _thing(record: Entity) -> Thing:
    names = key_columns(type(record))
    return Thing(str(record.__tablename__), tuple(getattr(record, name) for name in names))


def _is_configuration(record: object) -> bool:
    return isinstance(record, Entity) and way_up(type(record)) is not None


def _touched(session: Session, records: Iterable[Entity]) -> set[Thing]:
    """The things that these rows are or belong to, under their former names and the present ones."""
    found, own = set[Thing](), defaultdict[type[Entity], set[int]](set)
    owners = defaultdict[type[Entity], set[int]](set)
    for record in records:
        way = way_up(type(record))
        if way:
            owner, column = way[0]
            owners[owner].update(key for key in _values(record, column) if key is not None)
        else:
            if record not in session.new:
                own[type(record)].add(record.id)
            if all(name in record.__dict__ for name in key_columns(type(record))):
                found.add(_thing(record))
    for model, ids in own.items():
        found |= set(things_of(session, model, ids).values())
    for model, ids in owners.items():
        found |= _above(session, model, ids)
    return found


def _above(session: Session, model: type[Entity], ids: Iterable[int]) -> set[Thing]:
    """The things that rows of a table are or belong to, as the database has them."""
    keys = set(ids)
    for owner, column in way_up(model) or ():
        query = select(getattr(model, column))
        rows = (session.scalars(query.where(model.id.in_(some))) for some in batched(keys))
        keys, model = {key for some in rows for key in some}, owner
    return set(things_of(session, model, keys).values())


def _values(record: Entity, name: str) -> list[Any]:
    """A key as it is and as it was loaded."""
    state: InstanceState[Entity] = inspect(record)
    past = state.get_history(name, PassiveFlag.PASSIVE_NO_FETCH)
    return [record.__dict__.get(name), *past.deleted]


def _on_commit(session: Session) -> None:
    ctx: Ctx | None = session.info.get("ctx")
    if session.in_nested_transaction():
        return
    if ctx is not None and touched(session):
        write(ctx)


def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_SEEN, None)
