"""Every door through which a row could come to light, as requests; and who asks there: every role, with its rights."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.people import PEOPLE
from app.roles import ROLES, all_permissions, permissions_of
from models.base.entity import entities, entity_of
from models.base.kinds import SpecKind
from models.open_tables import OPEN
from models.system.organization import DesktopModule
from models.system.role import ScopeKind
from tests.structure.canary import WORD, Foreign, texts_of
from tests.structure.routes import PUBLIC, rules, table_of
from views.kit.buttons import REGISTRY
from views.kit.interface import shape

_WRITTEN = {
    "text",
    "long_text",
    "money",
    "rate",
    "int",
    "date",
    "enum",
    "flag",
    "dictionary",
    "reference",
}


class Ask(NamedTuple):
    """One request; `is_foreign` names a record that whoever may not read it must not learn to exist."""

    path: str
    method: str = "GET"
    body: dict[str, Any] | None = None
    is_foreign: bool = False


@dataclass(frozen=True)
class Reader:
    """Who asks: the tables that the roles let them read, and whether another department's rows are among them."""

    username: str
    tables: frozenset[str] = field(repr=False)
    is_limited: bool


@cache
def readers() -> tuple[Reader, ...]:
    """One person of every role; the account manager and the head of a department see no further than their own."""
    known, found = all_permissions(), dict[tuple[str, ...], Reader]()
    for username, _, _, _, names in PEOPLE:
        roles = [role for role in ROLES if role.name in names]
        pairs = set().union(*(permissions_of(role, known) for role in roles))
        tables = frozenset(table for verb, table in pairs if verb in {"list", "show"})
        found.setdefault(
            names, Reader(username, tables, all(role.scope is not ScopeKind.ALL for role in roles))
        )
    return tuple(found.values())


def tables() -> list[str]:
    """Every table with a screen."""
    return [str(model.__tablename__) for model in entities() if model.spec.kind.has_screen]


def lists(table: str) -> Iterator[Ask]:
    """Doors to many rows of a table: list, search in it, file, REST."""
    known = shape(entity_of(table))
    columns = ",".join(known.visible()[:40])
    yield Ask(f"/{table}/list/?size=50&cols={columns}")
    yield Ask(f"/{table}/list/?q={quote(WORD)}")
    yield Ask(f"/{table}/export?format=csv&cols={columns}")
    yield Ask(f"/api/v1/{table}/?search={quote(WORD)}")
    yield Ask(
        f"/api/v1/{table}/?q={quote(json.dumps({'columns': known.visible(), 'page_size': 200}))}"
    )
    yield Ask(f"/api/v1/{table}/_info")


def choices(table: str) -> Iterator[Ask]:
    """Look-ups of every reference of a table to what belongs to somebody, on the screen and by REST."""
    for name, facts in shape(entity_of(table)).fields.items():
        target = facts.target
        if target in OPEN or not target or target.startswith("ab_"):
            continue
        for text in ("", quote(WORD)):
            yield Ask(f"/{table}/lookup?field={name}&q={text}")
        yield Ask(f"/api/v1/{table}/related/{name}?q={quote(WORD)}")


def ones(foreign: Foreign, table: str) -> Iterator[Ask]:
    """Doors to a single row of another department."""
    for key in foreign.of(table)[:1]:
        paths = [f"/do/{table}/{key}/{name}" for of, name in REGISTRY if of == table]
        if entity_of(table).spec.kind.has_screen:
            paths += [f"/{table}/show/{key}", f"/{table}/edit/{key}", f"/api/v1/{table}/{key}"]
        paths += [path.format(key) for path in OTHERS.get(table, ())]
        yield from (Ask(path, is_foreign=True) for path in paths)


OTHERS = {
    "issued_document": ("/issued_document/{}/pdf",),
    "attachment": ("/attachment/{}/download",),
    "approval_instance": ("/approvals/instance/{}", "/approvals/instance/{}/copy"),
    "meeting_item": ("/approvals/ballots/{}",),
    "approval_task": (
        "/approvals/{}",
        "/approvals/{}/transfer",
        "/approvals/{}/add-signer",
        "/approvals/{}/reassign",
        "/approvals/{}/signature",
    ),
    "voucher": ("/voucher/{}/print",),
}


def is_written(table: str) -> bool:
    """Whether anything may be sent to rows of a table."""
    kind = entity_of(table).spec.kind
    return kind.has_screen and kind is not SpecKind.LOG


def posts(session: Session, foreign: Foreign, table: str) -> Iterator[Ask]:
    """What is sent to a row of another department, and a second row like it: no refusal may quote what is there."""
    model = entity_of(table)
    if not is_written(table):
        return
    for key in foreign.of(table)[:1]:
        twin = _twin(session, table, key)
        for path in (f"edit/{key}", f"delete/{key}"):
            yield Ask(f"/{table}/{path}", "POST", {**twin, "version": "1"}, is_foreign=True)
        for of, name in REGISTRY:
            if of == table:
                yield Ask(
                    f"/do/{table}/{key}/{name}",
                    "POST",
                    {"version": "1", "reason": "x"},
                    is_foreign=True,
                )
        yield Ask(f"/api/v1/{table}/{key}", "PUT", {**twin, "version": 1}, is_foreign=True)
        yield Ask(f"/api/v1/{table}/{key}?version=1", "DELETE", is_foreign=True)
        yield Ask(f"/comment/{table}/{key}", "POST", {"text": ""}, is_foreign=True)
        yield Ask(f"/attachment/upload/{table}/{key}", "POST", {}, is_foreign=True)
        masked = next((name for name, facts in shape(model).fields.items() if facts.mask), "id")
        yield Ask(f"/{table}/reveal/{key}/{masked}", "POST", {}, is_foreign=True)
        yield Ask(f"/{table}/add", "POST", twin)
        yield Ask(f"/api/v1/{table}/", "POST", twin)


def _twin(session: Session, table: str, key: int) -> dict[str, str]:
    """What a form would hold for a row like this one: the same keys and references, other words."""
    model = entity_of(table)
    row = session.execute(select(model).where(model.id == key)).scalar_one()
    words = set(texts_of(model))
    found: dict[str, str] = {}
    for name, facts in shape(model).fields.items():
        value = getattr(row, name)
        if facts.kind not in _WRITTEN or value is None:
            continue
        found[name] = "另一条" if name in words else getattr(value, "name", str(value))
    return found


def shared(app: Any) -> Iterator[Ask]:
    """Pages of nobody's rows in particular: desk, inbox, search, reports, settings."""
    for rule in rules(app, "GET"):
        if not rule.arguments and rule.endpoint not in PUBLIC and not table_of(rule):
            yield Ask(rule.rule)
    yield from (Ask(f"/approvals/?tab={tab}") for tab in ("todo", "copies", "mine", "done"))
    yield from (Ask(f"/desktop/{module.name}") for module in DesktopModule)
    yield Ask(f"/search?q={quote(WORD)}")
    yield Ask("/api/v1/_openapi")
