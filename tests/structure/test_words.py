"""Any word in any look-up, filter or search box of any entity is answered, on the screen and by REST: 0 × 500.

What is looked up depends on what is referred to, a condition on the sort of its column, and each table's search on its
own columns. So each of these is sent a word every day, and those of today (`todays`) every word; `make test-long`
sends every word everywhere.
"""

import dataclasses
from collections import defaultdict
from datetime import UTC, date, datetime
from urllib.parse import urlencode

import pytest
from flask import g
from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu
from sqlalchemy import select

from models.base.actor import SYSTEM, ScopeLevel
from models.base.entity import columns_of, entities
from tests.conftest import TODAY
from tests.structure.routes import representatives, rules
from views.kit import filters
from views.kit.cells import Cells
from views.kit.interface import shape
from workflows.base.context import Ctx

WORDS = ("有限", "2026", "%_'\"\\", "𠮷", "借" * 500, "2026-11-28", "1,000.00")
DAY = date(2026, 11, 28)


@pytest.fixture(scope="module")
def everybody(demo):
    """A browser of somebody who may do everything and sees every row."""
    client, load = demo.client_of("zhoumin"), demo.app.extensions["actor_loader"]
    pairs = select(Permission.name, ViewMenu.name).select_from(PermissionView)
    with demo.session() as session:
        rights = frozenset(session.execute(pairs.join(Permission).join(ViewMenu)).tuples())

    def almighty(user):
        return dataclasses.replace(load(user), permissions=rights, scope=ScopeLevel.ALL)

    demo.app.extensions["actor_loader"] = almighty
    yield client
    demo.app.extensions["actor_loader"] = load


def crashes(demo, client, addresses):
    """The addresses that answered with a crash, with what it was."""
    found = []
    for address in addresses:
        answer = client.get(address)
        answer.close()
        if answer.status_code >= 500:
            found.append((address[:200], repr(demo.crashes[-1])[:200]))
    return found


def routed(demo, tail):
    """Tables that have a route of this kind."""
    known = {rule.rule for rule in rules(demo.app, "GET")}
    return [model for model in entities() if tail.format(model.__tablename__) in known]


def own_words(names, all_words_for):
    """(name, words it is sent): every word for some, for each other one word, another from day to day."""
    for number, name in enumerate(sorted(names)):
        turn = (TODAY + number) % len(WORDS)
        yield name, WORDS if name in all_words_for else WORDS[turn : turn + 1]


def references():
    """(table, column) by what is looked up there, a table or a dictionary: one of each, another from day to day."""
    found = defaultdict(list)
    for model in entities():
        for key, facts in shape(model).fields.items():
            if looked_up := facts.target or facts.dictionary:
                found[looked_up].append((model.__tablename__, key))
    return {name: places[TODAY % len(places)] for name, places in found.items()}


def test_a_word_in_every_look_up(demo, everybody, todays, is_share):
    if is_share:
        places = references()
    else:
        places = {
            f"{model.__tablename__}.{key}": (model.__tablename__, key)
            for model in entities()
            for key, facts in shape(model).fields.items()
            if facts.target or facts.dictionary
        }
    asked = []
    for name, words in own_words(places, set(todays(places))):
        table, key = places[name]
        asked += [f"/{table}/lookup?" + urlencode({"field": key, "q": word}) for word in words]
        # The same words are looked up by REST.
        asked.append(f"/api/v1/{table}/related/{key}?" + urlencode({"q": words[0]}))
    others = [
        r.rule
        for r in representatives(demo.app, "GET", todays)
        if r.rule.endswith(("/lookup", "/colleagues", "/search"))
    ]
    asked += [
        f"{path}?" + urlencode({"q": word}) for path in others if "<" not in path for word in WORDS
    ]
    assert len(asked) > 150
    assert crashes(demo, everybody, asked) == []


def test_a_word_in_every_search_box(demo, everybody, todays):
    named = {model.__tablename__ for model in routed(demo, "/api/v1/{}/")}
    today = set(todays(named))
    asked = [
        f"/api/v1/{table}/?" + urlencode({"search": word})
        for table, words in own_words(named, today)
        for word in words
    ]
    asked += [f"/{table}/list/?" + urlencode({"q": word}) for table in today for word in WORDS]
    assert len(asked) > 150
    assert crashes(demo, everybody, asked) == []


def test_a_word_in_every_filter(demo, everybody, todays):
    models = routed(demo, "/api/v1/{}/")
    todays_columns = of_each_sort(models, todays)
    asked = []
    for model in models:
        keys, table = todays_columns[model], model.__tablename__
        good, bad = understood(demo, model, keys)
        rest, screen = f"/api/v1/{table}/", f"/{table}/list/"
        # Both doors make the same conditions: one is sent all of them, the other every kind in turn.
        asked += [
            *addresses(rest, good + presence(model)),
            *addresses(screen, good[::4]),
            *addresses(screen, bad[:: 4 * len(WORDS)]),
        ]
    assert len(asked) > 100
    assert crashes(demo, everybody, asked) == []


def of_each_sort(models, todays):
    """Columns by model: of each sort - what decides how a condition is made - some of today."""
    sorts = defaultdict(list)
    for model in models:
        known = shape(model)
        for key in known.visible():
            facts = known.fields[key]
            sort = (
                facts.kind,
                bool(facts.mask),
                columns_of(model)[key].table.name != known.table,
            )
            sorts[sort].append(f"{model.__tablename__} {key}")
    taken = {name for names in sorts.values() for name in todays(names, 4)}
    return {
        model: [key for key in shape(model).visible() if f"{model.__tablename__} {key}" in taken]
        for model in models
    }


def presence(model):
    """Each column that has filters, asked whether it is filled: its own expression is run, whatever its sort."""
    known = shape(model)
    return [
        f"{key}:filled:"
        for key in known.visible()
        if "filled" in filters.operators(known.fields[key])
    ]


def understood(demo, model, keys):
    """Every word in every filter of some columns: those that make a condition, and those that are refused in words."""
    known = shape(model)
    raws = [
        f"{key}:{operator}:{text}"
        for key in keys
        for operator in filters.operators(known.fields[key])
        for word in WORDS
        for text in ([f"{word}..{word}", f"..{word}"] if operator == "between" else [word])
    ]
    with demo.app.test_request_context(), demo.session() as session:
        g.ctx = ctx = Ctx(session=session, actor=SYSTEM, today=DAY, now=datetime.now(UTC))
        cells = Cells(ctx, model)
        good = [raw for raw in raws if filters.parse(ctx, model, [raw], cells)[0]]
    return good, sorted(set(raws) - set(good))


def addresses(path, raws):
    """Addresses with these filters, as many as one takes: conditions stand side by side, so each of them is run."""
    for start in range(0, len(raws), filters.MAX_FILTERS):
        yield f"{path}?size=10&" + urlencode(
            [("f", raw) for raw in raws[start : start + filters.MAX_FILTERS]]
        )


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/fee_due/lookup?field=fee_id", "担保费"),
        ("/fee_waiver/lookup?field=fee_id", "担保"),
        ("/instalment/lookup?field=repayment_plan_id", "1"),
        ("/meeting_vote/lookup?field=item_id", "DB2026"),
    ],
)
def test_a_title_is_found_as_it_is_read(everybody, path, word):
    """A kind by its label, a number by itself, a reference by what it refers to; and nothing by what it is not."""
    found = everybody.get(f"{path}&" + urlencode({"q": word})).get_json()["result"]
    assert found
    assert all(word in item["text"] for item in found)
    assert everybody.get(f"{path}&" + urlencode({"q": "没有这样的"})).get_json()["result"] == []
