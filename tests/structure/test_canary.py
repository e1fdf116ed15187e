"""What belongs to another department comes to light nowhere: every role through every door, a word in every text.

The rule stands in the query hook, where each table is asked each day. A door is a function that all tables share, so
the doors are tried on some tables, others from day to day: each by one role in turn, so that every role tries every
kind of door, and by the account manager all; pages written by hand always. `make test-long` lets every role try all
doors of all tables.
"""

import json
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from models.base.entity import entity_of
from reports.base import scope
from tests.structure import canary
from tests.structure.canary import BOOKS, SEEN
from tests.structure.doors import (
    OTHERS,
    Ask,
    Reader,
    choices,
    is_written,
    lists,
    ones,
    posts,
    readers,
    shared,
    tables,
)

# An account manager, the head of one department, who may read no business: the word stands in what belongs to others.
OUTSIDE = ("zhoumin", "chenli", "security")
READERS = {reader.username: reader for reader in readers()}
EACH = pytest.mark.parametrize(
    "reader",
    [
        pytest.param(one, id=name, marks=() if name == "zhoumin" else pytest.mark.long)
        for name, one in READERS.items()
    ],
)
OWN_ROWS = 1
TAB = re.compile(r"[?&](?:amp;)?tab=(\w+)")


class World:
    """The demonstration with the word in it, and what each reader was told."""

    def __init__(self, product, todays) -> None:
        canary.drop_guards(product.engine)
        self.product = product
        with product.session() as session:
            self.foreign = canary.foreign_rows(session, OUTSIDE)
            self.planted = canary.plant(session, self.foreign)
            self.owners = canary.owners(session, self.foreign)
            # Doors of their own stand on some tables: those are always among them.
            self.todays = sorted({*todays({*tables(), *self.foreign.ids}), *OTHERS})
            # A table of which nothing is another department's has nothing that could be sent.
            self.posts = {
                table: asks
                for table in sorted(self.foreign.ids)
                if is_written(table) and (asks := list(posts(session, self.foreign, table)))
            }
        self.sent = [ask for table in todays(self.posts, 24) for ask in self.posts[table]]
        self.tables = {number: names[0] for number, names in self.planted.items()}
        # whatever is sent is looked at, with or without a token
        product.app.config["WTF_CSRF_METHODS"] = set()

    def ask(self, reader: Reader, ask: Ask) -> tuple[int, str]:
        """(status, text) of an answer."""
        form = (
            {("json" if "/api/" in ask.path else "data"): ask.body} if ask.body is not None else {}
        )
        answer = self.product.client_of(reader.username).open(ask.path, method=ask.method, **form)
        body = answer.get_data()
        text = body.decode("utf-8", "replace")
        answer.close()
        return answer.status_code, json.dumps(
            answer.get_json(), ensure_ascii=False
        ) if answer.is_json else text

    def told(self, text: str) -> set[tuple[str, int]]:
        """(table, row) of each text that came to light."""
        return {(self.tables[number], int(key)) for number, _, key in SEEN.findall(text)}

    def may_read(self, reader: Reader, table: str, key: int) -> bool:
        """Whether the planted row is one of those that this reader's roles let them read."""
        return not reader.is_limited and self.owners.get((table, key), table) in reader.tables

    def leaks(self, reader: Reader, asks) -> list:
        """(reader, address, status, tables) of what tells what it must not, opens what it must not, or is a crash."""
        found = []
        for ask in asks:
            status, text = self.ask(reader, ask)
            seen = sorted(
                {table for table, key in self.told(text) if not self.may_read(reader, table, key)}
            )
            is_open = (
                ask.is_foreign and reader.username in OUTSIDE and status not in {403, 404, 405}
            )
            if status >= 500 or seen or is_open:
                found.append((reader.username, ask.method, ask.path, status, seen))
        return found

    def through_the_hook(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """(reader, table): those that were asked for, and those that let a row of another department through."""
        asked, passed = set(), set()
        limited = [reader for reader in READERS.values() if reader.username in OUTSIDE]
        with self.product.session() as session:
            for reader in (one for one in limited if one.is_limited):
                actor = self.product.actor_of(reader.username)
                for table in sorted(reader.tables & self.foreign.ids.keys() - set(BOOKS)):
                    model, keys = entity_of(table), self.foreign.ids[table]
                    if not keys or model.spec.scope.hangs_on:  # asked by the table that it hangs on
                        continue
                    asked.add((reader.username, table))
                    for as_set in (False, True):
                        query = scope.scoped(select(model.id), model, actor, as_set=as_set)
                        if keys & set(session.scalars(query)):
                            passed.add((reader.username, table))
        return asked, passed

    def of_tables(self) -> Iterator[list[Ask]]:
        """Every question about each table whose turn it is."""
        for table in self.todays:
            of_many = (
                [*lists(table), *choices(table)] if entity_of(table).spec.kind.has_screen else []
            )
            yield [*of_many, *ones(self.foreign, table)]


@pytest.fixture(scope="module")
def world(demo, todays):
    return World(demo, todays)


def own(world, reader: Reader) -> Iterator[Ask]:
    """The reader's own records with all their tabs: what they refer to may belong to others."""
    for table in (name for name in world.todays if entity_of(name).spec.kind.has_screen):
        status, text = world.ask(reader, Ask(f"/api/v1/{table}/?size=200"))
        keys = json.loads(text)["ids"] if status == 200 else []
        for key in keys[:OWN_ROWS]:
            page = Ask(f"/{table}/show/{key}")
            yield page
            for tab in sorted(set(TAB.findall(world.ask(reader, page)[1]))):
                yield Ask(f"{page.path}?tab={tab}")


def in_turn(groups: list[list[Ask]]) -> Iterator[tuple[Reader, list[Ask]]]:
    """Deal the questions of each group out, beginning with another reader each time: (reader, what they ask)."""
    people = list(READERS.values())
    hands: dict[Reader, list[Ask]] = {reader: [] for reader in people}
    for first, asks in enumerate(groups):
        for number, ask in enumerate(asks):
            hands[people[(first + number) % len(people)]].append(ask)
    yield from hands.items()


# ============================================================================================================== tests
def test_the_word_stands_where_it_would_be_seen(world):
    """Whoever may read everything sees it in each table of today: else the tests below would prove nothing."""
    auditor, seen = READERS["auditor"], set()
    shown = [table for table in world.todays if entity_of(table).spec.kind.has_screen]
    for ask in (ask for table in shown for ask in lists(table) if "/api/" in ask.path):
        seen |= {of for of, _ in world.told(world.ask(auditor, ask)[1])}
    assert len(set(world.tables.values())) > 30
    expected = set(world.tables.values()) & set(shown)
    assert expected
    assert expected - seen == set()


def test_no_table_lets_rows_of_others_through(world):
    """The hook itself, of every table that one may read: what each door asks."""
    asked, passed = world.through_the_hook()
    assert len(asked) > 40
    assert passed == set()


def test_every_table_would_let_them_through_where_the_scope_is_taken_away(world, monkeypatch):
    monkeypatch.setattr(scope, "_condition", lambda _table, _actor, _as_set: None)
    asked, passed = world.through_the_hook()
    assert passed == asked


def test_the_word_comes_to_light_where_the_scope_is_taken_away(world, monkeypatch):
    """The same doors tell of every table that this reader may list as soon as its scope is left open."""
    reader = READERS["zhoumin"]
    monkeypatch.setattr(scope, "_condition", lambda _table, _actor, _as_set: None)
    shown = [table for table in world.todays if entity_of(table).spec.kind.has_screen]
    asks = [ask for table in shown for ask in lists(table) if "columns" in ask.path]
    open_ = {ask.path.split("/")[3] for ask in asks if world.ask(reader, ask)[0] == 200}
    told = {table for leak in world.leaks(reader, asks) for table in leak[-1]}
    listed = set(world.tables.values()) & open_
    assert len(listed) > 3
    assert listed - told == set()


def test_no_role_is_told_at_any_door_of_what_it_may_not_read(world):
    assert len(READERS) > 15
    groups = [*world.of_tables(), *([ask] for ask in shared(world.product.app))]
    assert [leak for reader, asks in in_turn(groups) for leak in world.leaks(reader, asks)] == []


@EACH
def test_no_list_search_file_or_interface_tells_of_another_department(world, reader):
    assert world.leaks(reader, [ask for asks in world.of_tables() for ask in asks]) == []


@EACH
def test_no_page_of_nobodys_in_particular_tells_of_another_department(world, reader):
    assert world.leaks(reader, shared(world.product.app)) == []


@EACH
def test_no_record_of_ones_own_tells_of_another_department(world, reader):
    assert world.leaks(reader, own(world, reader)) == []


def test_no_refusal_tells_any_role_of_what_it_may_not_read(world):
    """Last of what `make test` does, for what is sent may be carried out where a role may do so."""
    groups = [world.sent[start : start + 7] for start in range(0, len(world.sent), 7)]
    assert len(world.sent) > 100
    assert [leak for reader, asks in in_turn(groups) for leak in world.leaks(reader, asks)] == []


def test_refusals_would_tell_where_the_scope_is_taken_away(world, monkeypatch):
    """The same questions, sent by the account manager with the scope left open, are answered with the word."""
    monkeypatch.setattr(scope, "_condition", lambda _table, _actor, _as_set: None)
    reader = READERS["zhoumin"]
    sent = [
        ask for table in sorted(reader.tables & world.posts.keys()) for ask in world.posts[table]
    ]
    asks = [ask for ask in sent if "/edit/" in ask.path or "/delete/" in ask.path]
    told = {table for leak in world.leaks(reader, asks) for table in leak[-1]}
    assert len(told) > 2


@pytest.mark.long
@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_sent_tells_whoever_stands_outside(world, name):
    assert world.leaks(READERS[name], world.sent) == []
