"""What records hold, as a digest beside the line of the trail that tells of their change (architecture rule 17).

`verify` compares every row of a sealed table with its last digest: a row that was changed, added or taken away by SQL
is found. Flushes carry the digest along; set-based statements of a session are followed by a line of their own, with
the digests of up to `BLOCK` rows in it.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, func, inspect, select
from sqlalchemy.orm import ORMExecuteState, Session

from models.base.entity import Entity, entity_of
from models.base.fields import facts_of
from models.base.plain import plain
from models.system.proof import EDITIONS, SEALED, UNSEALED

GONE = "-"
BLOCK = 500
# Counted up or stamped by every save; what they tell is in the trail.
_LEFT_OUT = ("version", "updated_at")
# Who may do what: not entities of ours, so whoever changes them says so (`seal_rights`).
RIGHTS = {"ab_role": "角色", "ab_user": "操作员"}
# A release that gives or takes rights, or digests more of them, counts this up, so that `init` takes the roles in anew.
RIGHTS_EDITION = "2"


class Fact(NamedTuple):
    """A row with the digest of what it holds."""

    id: int
    digest: str
    title: str


def digest_of(values: Sequence[Any]) -> str:
    """128 bits of SHA-256 over values as the database gives them."""
    text = json.dumps(
        values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=plain
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def label_of(table: str) -> str:
    """What readers call the records of a table."""
    return RIGHTS.get(table) or entity_of(table).spec.label


def left_out_of(table: str) -> frozenset[str]:
    """Columns of a table that no digest covers: changes of them alone vouch for nothing."""
    return frozenset((*_LEFT_OUT, *UNSEALED.get(table, ())))


def fingerprint(table: str) -> str:
    """Which columns the digests of a table cover: with other columns the rows are taken in anew."""
    if table in RIGHTS:
        return RIGHTS_EDITION
    edition = [EDITIONS[table]] if table in EDITIONS else []
    return digest_of([*(column.name for column in _columns(table)), *edition])


def facts(connection: Connection, table: str, ids: Iterable[int]) -> list[Fact]:
    """The rows of these ids, as many as there are."""
    wanted = sorted(set(ids))
    if table in RIGHTS:
        kept = set(wanted)
        return [fact for fact in _RIGHTS[table](connection) if fact.id in kept]
    found = []
    for start in range(0, len(wanted), BLOCK):
        part = wanted[start : start + BLOCK]
        query = _rows(table).where(_table(table).c.id.in_(part))
        found += [_fact(table, row) for row in connection.execute(query)]
    return found


def every_fact(connection: Connection, table: str) -> Iterator[Fact]:
    """All rows of a table in the order of ids, as they stream."""
    if table in RIGHTS:
        yield from _RIGHTS[table](connection)
        return
    query = _rows(table).order_by(_table(table).c.id)
    with connection.execute(query, execution_options={"yield_per": 1000}) as rows:
        for row in rows:
            yield _fact(table, row)


def _fact(table: str, row: Any) -> Fact:
    at, title = _places(table)
    return Fact(row[at], digest_of(list(row)), str(row[title] or "") if title is not None else "")


@cache
def _places(table: str) -> tuple[int, int | None]:
    """Where id and title stand among the columns."""
    columns = {column.name: place for place, column in enumerate(_columns(table))}
    title = entity_of(table).spec.title
    is_word = title in columns and title != "id"
    is_word = is_word and not facts_of(_columns(table)[columns[title]]).target
    return columns["id"], columns[title] if is_word else None


def _rows(table: str) -> Select[Any]:
    """All that is covered of the rows of a table, those of an heir with what they inherit."""
    return select(*_columns(table)).select_from(inspect(entity_of(table)).persist_selectable)


@cache
def _columns(table: str) -> tuple[Any, ...]:
    left_out = left_out_of(table)
    # The table of an heir comes last: the key is its own.
    named = {c.name: c for part in inspect(entity_of(table)).tables for c in part.c}
    return tuple(named[name] for name in sorted(named.keys() - left_out))


def _table(name: str) -> Table:
    found: Table = Entity.metadata.tables[name]
    return found


# ------------------------------------------------------------------------------------------------------------ rights
def _roles(connection: Connection) -> Iterator[Fact]:
    """Each role with its data scope and every permission."""
    role, verb, resource, pair, link, profile = map(
        _table,
        (
            "ab_role",
            "ab_permission",
            "ab_view_menu",
            "ab_permission_view",
            "ab_permission_view_role",
            "role_profile",
        ),
    )
    granted: dict[int, list[str]] = defaultdict(list)
    pairs = (
        select(link.c.role_id, verb.c.name, resource.c.name)
        .join(pair, pair.c.id == link.c.permission_view_id)
        .join(verb, verb.c.id == pair.c.permission_id)
        .join(resource, resource.c.id == pair.c.view_menu_id)
    )
    for role_id, name, on in connection.execute(pairs):
        granted[role_id].append(f"{on}.{name}")
    roles = select(role.c.id, role.c.name, profile.c.scope).outerjoin(
        profile, profile.c.role_id == role.c.id
    )
    for role_id, name, scope in connection.execute(roles.order_by(role.c.id)):
        yield Fact(role_id, digest_of([name, scope, sorted(granted[role_id])]), name)


def _users(connection: Connection) -> Iterator[Fact]:
    """Each sign-in with the roles it holds, whether it is open, and the hash of its password."""
    user, role, link, member, given = map(
        _table, ("ab_user", "ab_role", "ab_user_role", "ab_user_group", "ab_group_role")
    )
    own = select(link.c.user_id, role.c.name).join(role, role.c.id == link.c.role_id)
    # The product makes no groups, but approvals ask whoever holds a role by one.
    by_group = select(member.c.user_id, role.c.name).join(
        given, given.c.group_id == member.c.group_id
    )
    held = _named(connection, own)
    lent = _named(connection, by_group.join(role, role.c.id == given.c.role_id))
    users = select(user.c.id, user.c.username, user.c.active, user.c.password).order_by(user.c.id)
    for user_id, username, is_active, password in connection.execute(users):
        told = [username, held.get(user_id, []), bool(is_active), password]
        told += [lent[user_id]] if user_id in lent else []
        yield Fact(user_id, digest_of(told), username)


def _named(connection: Connection, query: Select[Any]) -> dict[int, list[str]]:
    """The names that stand beside each id, sorted."""
    found: dict[int, list[str]] = defaultdict(list)
    for key, name in connection.execute(query):
        found[key].append(name)
    return {key: sorted(names) for key, names in found.items()}


_RIGHTS: dict[str, Callable[[Connection], Iterator[Fact]]] = {"ab_role": _roles, "ab_user": _users}


# ------------------------------------------------------------------------------- what goes along with other statements
def dependents(session: Session, record: Entity) -> list[tuple[str, int, bool]]:
    """(table, id, is it gone) of sealed rows that the database takes along, or clears of a key, with a deleted one."""
    own = [str(table.name) for table in inspect(type(record)).tables]
    connection, found, todo = session.connection(), [], [(name, [record.id]) for name in own]
    while todo:
        table, ids = todo.pop()
        for child, column, is_cascade in _hanging_on().get(table, ()):
            if column.primary_key and child.name in own:
                continue  # its own part in the table of an heir
            rows = list(connection.scalars(select(child.c.id).where(column.in_(ids))))
            if rows and child.name in SEALED:
                found += [(child.name, row, is_cascade) for row in rows]
            if rows and is_cascade:
                todo.append((child.name, rows))
    return found


@cache
def _hanging_on() -> dict[str, list[tuple[Table, Any, bool]]]:
    """Table -> (table, column, whether its rows go too) of foreign keys on which the database itself acts."""
    found: dict[str, list[tuple[Table, Any, bool]]] = defaultdict(list)
    for table in Entity.metadata.tables.values():
        for key in table.foreign_keys:
            acts = (key.ondelete or "").upper()
            if "id" in table.c and (
                acts == "CASCADE" or (acts == "SET NULL" and table.name in SEALED)
            ):
                found[key.column.table.name].append((table, key.parent, acts == "CASCADE"))
    return dict(found)


class Affected:
    """Rows that a set-based statement of a session touches: known before it runs, or (when it inserts) after."""

    def __init__(self, state: ORMExecuteState, table: Table) -> None:
        """Look before the statement runs."""
        self.connection, self.table, self.is_insert = (
            state.session.connection(),
            table,
            state.is_insert,
        )
        self.ids: list[int] = []
        if state.is_insert:
            self.top = self.connection.scalar(select(func.max(table.c.id))) or 0
            return
        criteria = state.statement.whereclause  # type: ignore[attr-defined]
        query = select(table.c.id) if criteria is None else select(table.c.id).where(criteria)
        given = state.parameters if isinstance(state.parameters, list) else [state.parameters or {}]
        self.ids = [row for values in given for row in self.connection.scalars(query, values)]

    def after(self) -> list[int]:
        """Their ids once it has run."""
        if self.is_insert:
            return list(
                self.connection.scalars(select(self.table.c.id).where(self.table.c.id > self.top))
            )
        return self.ids


def sealed_target(state: ORMExecuteState) -> Table | None:
    """The table with sealed rows that a statement of a session writes to set-based: more than what is left out."""
    if not (state.is_insert or state.is_update or state.is_delete):
        return None
    table = getattr(state.statement, "table", None)
    name = getattr(table, "name", "")
    if not sealed_in(name) or (state.is_update and _values_of(state) <= left_out_of(name)):
        return None
    return _table(name)


@cache
def sealed_in(name: str) -> tuple[str, ...]:
    """The sealed tables whose rows lie in a table: itself, or the heirs that have a part of theirs there."""
    if name in SEALED:
        return (name,)
    return tuple(
        heir for heir in SEALED if name in {table.name for table in inspect(entity_of(heir)).tables}
    )


def _values_of(state: ORMExecuteState) -> set[str]:
    """The columns that an UPDATE sets, in words of its own or row by row with its parameters."""
    own = state.statement._values  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public tells
    if own:
        # a name where the statement gave one
        return {str(getattr(column, "key", column)) for column in own}
    rows = state.parameters if isinstance(state.parameters, list) else [state.parameters or {}]
    return {str(name) for row in rows for name in row} - {"id"}
