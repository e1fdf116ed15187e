"""What belongs to another department comes to light nowhere: every role through every door, a word in every text."""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from models.base.entity import entities, entity_of
from models.open_tables import OPEN
from models.organization import DesktopModule
from reports import scope
from tests.structure import canary
from tests.structure.canary import SEEN, WORD
from tests.structure.routes import PUBLIC, rules, table_of
from views.interface import shape
from views.verbs import REGISTRY

# An account manager and the head of one department; the word stands in what belongs to others.
LIMITED = ("zhoumin", "chenli")
_HEAD = pytest.param("chenli", marks=pytest.mark.long)  # the same doors with a wider scope
EACH = ["zhoumin", _HEAD, "security"]
OWN_ROWS = 2
TAB = re.compile(r"[?&](?:amp;)?tab=(\w+)")
pytestmark = pytest.mark.parametrize("db_kind", ["sqlite"], indirect=True, scope="module")


class World:
    """The demonstration with the word in it, and what each reader was told."""

    def __init__(self, product) -> None:
        canary.drop_guards(product.engine)
        self.product = product
        with product.session() as session:
            self.foreign = canary.foreign_rows(session, [*LIMITED, "security"])
            self.planted = canary.plant(session, self.foreign)
        self.tables = {number: names[0] for number, names in self.planted.items()}

    def ask(self, reader: str, path: str, **more) -> tuple[int, str]:
        """(status, text) of an answer; addresses that the asker typed himself do not count as told."""
        answer = self.product.client_of(reader).get(path, **more)
        body = answer.get_data()
        text = body.decode("utf-8", "replace")
        answer.close()
        return answer.status_code, json.dumps(answer.get_json(), ensure_ascii=False) if answer.is_json else text

    def told(self, reader: str, path: str) -> tuple[int, set[str], set[str]]:
        """(status, tables of which a text came to light, those of which it was the name alone)."""
        status, text = self.ask(reader, path)
        found = {(self.tables[number], mark) for number, mark in SEEN.findall(text)}
        texts = {table for table, mark in found if mark == "x"}
        return status, texts, {table for table, _ in found} - texts


@pytest.fixture(scope="module")
def world(demo):
    return World(demo)


# ============================================================================================================ the doors
def tables() -> list[str]:
    """Every table with a screen."""
    return [str(model.__tablename__) for model in entities() if model.spec.kind.has_screen]


def many(world) -> Iterator[str]:
    """Doors to many rows of each table: list, search in it, file, REST."""
    for table in tables():
        known = shape(entity_of(table))
        columns = ",".join(known.visible()[:40])
        yield f"/{table}/list/?size=200&cols={columns}"
        yield f"/{table}/list/?q={quote(WORD)}"
        yield f"/{table}/export?format=csv&cols={columns}"
        yield f"/api/v1/{table}/?search={quote(WORD)}"
        yield f"/api/v1/{table}/?q={quote(json.dumps({'columns': known.visible(), 'page_size': 200}))}"
        yield f"/api/v1/{table}/_info"


def choices() -> Iterator[str]:
    """Look-ups of every reference to what belongs to somebody, on the screen and by REST."""
    for table in tables():
        for name, column in shape(entity_of(table)).columns.items():
            target = column.info.get("target")
            if target in OPEN or target is None or target.startswith("ab_"):
                continue
            for text in ("", quote(WORD)):
                yield f"/{table}/lookup?field={name}&q={text}"
            yield f"/api/v1/{table}/related/{name}?q={quote(WORD)}"


def ones(world, table: str, most: int = 1) -> Iterator[str]:
    """Doors to single rows of another department."""
    for key in world.foreign.of(table)[:most]:
        if entity_of(table).spec.kind.has_screen:
            yield from (f"/{table}/show/{key}", f"/{table}/edit/{key}", f"/api/v1/{table}/{key}")
        yield from (f"/do/{table}/{key}/{name}" for of, name in REGISTRY if of == table)
        if table == "issued_document":
            yield f"/issued_document/{key}/pdf"
        if table == "attachment":
            yield f"/attachment/{key}/download"
        if table == "approval_instance":
            yield f"/approvals/instance/{key}"
        if table == "approval_task":
            yield from (f"/approvals/{key}", f"/approvals/{key}/transfer", f"/approvals/{key}/add-signer")
        if table == "meeting_item":
            yield f"/approvals/ballots/{key}"


def shared(world) -> Iterator[str]:
    """Pages of nobody's rows in particular: desk, inbox, search, reports, settings."""
    for rule in rules(world.product.app, "GET"):
        if not rule.arguments and rule.endpoint not in PUBLIC and not table_of(rule):
            yield rule.rule
    yield from (f"/approvals/?tab={tab}" for tab in ("todo", "mine", "done"))
    yield from (f"/desktop/{module.name}" for module in DesktopModule)
    yield f"/search?q={quote(WORD)}"
    yield "/api/v1/_openapi"


def own(world, reader: str) -> Iterator[str]:
    """The reader's own records with all their tabs: what they refer to may belong to others."""
    for table in tables():
        status, text = world.ask(reader, f"/api/v1/{table}/?size=200")
        keys = json.loads(text)["ids"] if status == 200 else []
        for key in keys[:OWN_ROWS]:
            path = f"/{table}/show/{key}"
            yield path
            for tab in sorted(set(TAB.findall(world.ask(reader, path)[1]))):
                yield f"{path}?tab={tab}"


def leaks(world, reader: str, paths, allowed=frozenset()) -> list:
    """(reader, address, status, tables) of every answer that tells what it must not, or that is a crash."""
    found = []
    for path in paths:
        status, texts, names = world.told(reader, path)
        if status >= 500 or (texts | names) - allowed:
            found.append((reader, path, status, sorted((texts | names) - allowed)))
    return found


# ============================================================================================================== tests
def test_the_word_stands_where_it_would_be_seen(world):
    """Whoever may read everything sees it in nearly every table: else the tests below would prove nothing."""
    seen = set()
    for path in many(world):
        _, texts, names = world.told("auditor", path)
        seen |= texts | names
    expected = {table for table in world.tables.values() if entity_of(table).spec.kind.has_screen}
    assert len(expected) > 30
    assert expected - seen == set()


def test_the_word_comes_to_light_where_the_scope_is_taken_away(world, monkeypatch):
    """The same doors tell of every table that this reader may list as soon as its scope is left open."""
    monkeypatch.setattr(scope, "_condition", lambda _table, _actor, _as_set: None)
    paths = [path for path in many(world) if path.startswith("/api/") and "columns" in path]
    open_ = {path.split("/")[3] for path in paths if world.ask("zhoumin", path)[0] == 200}
    told = {table for _, _, _, tables in leaks(world, "zhoumin", paths) for table in tables}
    listed = set(world.tables.values()) & open_
    assert len(listed) > 25
    assert listed - told == set()


@pytest.mark.parametrize("reader", EACH)
def test_no_list_search_file_or_interface_tells_of_another_department(world, reader):
    assert leaks(world, reader, many(world)) == []


@pytest.mark.parametrize("reader", EACH)
def test_no_look_up_offers_what_belongs_to_another_department(world, reader):
    assert leaks(world, reader, choices()) == []


@pytest.mark.parametrize("reader", EACH)
def test_no_page_of_nobodys_in_particular_tells_of_another_department(world, reader):
    assert leaks(world, reader, shared(world)) == []


@pytest.mark.parametrize("reader", EACH[:2])
def test_no_record_of_ones_own_tells_of_another_department(world, reader):
    assert leaks(world, reader, own(world, reader)) == []


@pytest.mark.parametrize("reader", EACH)
def test_no_address_opens_what_belongs_to_another_department(world, reader):
    paths = [path for table in world.foreign.ids for path in ones(world, table)]
    assert len(paths) > 100
    opened = [(path, status) for path in paths if (status := world.told(reader, path)[0]) not in {403, 404}]
    assert opened == []
    assert leaks(world, reader, paths) == []
