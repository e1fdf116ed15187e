"""Any word in any look-up, filter or search box of any entity is answered, on the screen and by REST: 0 × 500.

`make test` takes the tables whose turn it is today, `make test-long` all of them.
"""

import dataclasses
from datetime import UTC, date, datetime
from urllib.parse import urlencode

import pytest
from flask import g
from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu
from sqlalchemy import select

from models.base.actor import SYSTEM, ScopeLevel
from models.base.entity import entities
from tests.structure.routes import rules
from views.kit import filters
from views.kit.cells import Cells
from views.kit.interface import shape
from workflows.base.context import Ctx

WORDS = ("有限", "2026", "%_'\"\\", "𠮷", "借" * 500, "2026-11-28", "1,000.00")
TODAY = date(2026, 11, 28)


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


def test_a_word_in_every_look_up(demo, everybody, comes_today):
    asked = []
    for model in entities():
        if not comes_today(model.__tablename__):
            continue
        keys = [
            k
            for k, c in shape(model).columns.items()
            if c.info.get("target") or c.info.get("dictionary")
        ]
        for number, key in enumerate(keys):
            asked += [
                f"/{model.__tablename__}/lookup?" + urlencode({"field": key, "q": word})
                for word in WORDS
            ]
            word = WORDS[number % len(WORDS)]  # the same words are looked up by REST
            asked.append(f"/api/v1/{model.__tablename__}/related/{key}?" + urlencode({"q": word}))
    others = [
        r.rule
        for r in rules(demo.app, "GET")
        if r.rule.endswith(("/lookup", "/colleagues", "/search"))
    ]
    asked += [
        f"{path}?" + urlencode({"q": word}) for path in others if "<" not in path for word in WORDS
    ]
    assert len(asked) > 300
    assert crashes(demo, everybody, asked) == []


def test_a_word_in_every_search_box(demo, everybody, comes_today):
    doors = (("/{}/list/", "q"), ("/api/v1/{}/", "search"))
    asked = [
        f"{door.format(model.__tablename__)}?" + urlencode({name: word})
        for door, name in doors
        for model in routed(demo, door)
        if comes_today(model.__tablename__)
        for word in WORDS
    ]
    assert len(asked) > 150
    assert crashes(demo, everybody, asked) == []


def test_a_word_in_every_filter(demo, everybody, comes_today):
    asked = []
    for model in routed(demo, "/api/v1/{}/"):
        if not comes_today(model.__tablename__):
            continue
        good, bad = understood(demo, model)
        rest, screen = f"/api/v1/{model.__tablename__}/", f"/{model.__tablename__}/list/"
        # Both doors make the same conditions: one is sent all of them, the other every kind in turn.
        asked += [
            *addresses(rest, good),
            *addresses(screen, good[::4]),
            *addresses(screen, bad[:: 4 * len(WORDS)]),
        ]
    assert len(asked) > 250
    assert crashes(demo, everybody, asked) == []


def understood(demo, model):
    """Every word in every filter of a model: those that make a condition, and those that are refused in words."""
    known = shape(model)
    raws = [
        f"{key}:{operator}:{text}"
        for key in known.visible()
        for operator in filters.operators(known.columns[key].info)
        for word in WORDS
        for text in ([f"{word}..{word}", f"..{word}"] if operator == "between" else [word])
    ]
    with demo.app.test_request_context(), demo.session() as session:
        g.ctx = ctx = Ctx(session=session, actor=SYSTEM, today=TODAY, now=datetime.now(UTC))
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
