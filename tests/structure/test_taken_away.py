"""Each thing that makes a paper part of the product is taken away in memory, and the check of its kind names it.

Seven things, of every paper that has them (K11): buttons, tabs, words in the news, the rights of each role, the number
that finds it, what follows its events, its row in the demonstration.
"""

from dataclasses import replace

import pytest
from sqlalchemy import create_engine, delete
from sqlalchemy.orm import Session

from app import roles
from models.base.entity import News, _parts, columns_of, entities, entity_of, owner_of, parts_of
from models.base.fields import facts_of
from models.guarantee.project import Project
from tests.structure import wiring
from views.kit.buttons import REGISTRY
from workflows.base.transition import VERBS
from workflows.ledger import posting

# Some acts have several buttons, on the paper and on its project: what may be done is lost with the last of them.
BUTTONS = {
    verb.permission: [key for key, one in REGISTRY.items() if one.permission == verb.permission]
    for verb in REGISTRY.values()
    if verb.permission[::-1] in VERBS
}
PARTS = [
    (one.model, one.link)
    for owner in entities()
    for one in parts_of(owner).values()
    if owner_of(one.model) or (owner is Project and one.model in wiring.of_project())
]


@pytest.mark.parametrize("permission", sorted(BUTTONS), ids=".".join)
def test_the_buttons(demo_app, monkeypatch, permission):
    verb, table = permission
    for key in BUTTONS[permission]:
        monkeypatch.delitem(REGISTRY, key)
    # a queue, a page of many
    has_screen = permission in wiring.routes(demo_app.app) | wiring.asked_in_screens()
    assert wiring.undoored(demo_app.app) == ([] if has_screen else [(table, verb)])


@pytest.fixture
def anew():
    """What stands on whose page is worked out anew, before and after."""
    _parts.cache_clear()
    yield _parts.cache_clear
    _parts.cache_clear()


@pytest.mark.parametrize(
    ("model", "link"),
    sorted(set(PARTS), key=str),
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_tab(monkeypatch, anew, model, link):
    column = columns_of(model)[link]
    monkeypatch.setitem(column.info, "facts", replace(facts_of(column), part=None))
    anew()
    assert model.__tablename__ in [
        *wiring.tabless(),
        *wiring.off_the_page(),
        *wiring.beside_nothing(),
    ]


@pytest.mark.parametrize("model", [m for m in wiring.of_project() if m.spec.news.made])
def test_the_words_in_the_news(monkeypatch, model):
    monkeypatch.setattr(model, "spec", replace(model.spec, news=News()))
    assert wiring.untold() == [model.__tablename__]


RIGHTS = [
    (role.name, name)
    for role in roles.ROLES
    for name in role.verbs
    if tuple(name.split(".")) in wiring.PAPERS
]


@pytest.mark.parametrize(("name", "right"), RIGHTS)
def test_the_right_of_a_role(monkeypatch, name, right):
    changed = [
        replace(role, verbs=tuple(verb for verb in role.verbs if verb != right))
        if role.name == name
        else role
        for role in roles.ROLES
    ]
    monkeypatch.setattr(roles, "ROLES", tuple(changed))
    assert wiring.unsubmitted() == [(right.split(".")[0], name)]


@pytest.mark.parametrize("model", wiring.NUMBERED, ids=lambda model: model.__name__)
def test_the_number_that_finds_it(monkeypatch, model):
    kept = tuple(name for name in model.spec.searched if name not in {"number", "code"})
    monkeypatch.setattr(model, "spec", replace(model.spec, searched=kept))
    assert wiring.unfound() == [model.__tablename__]


FOLLOWERS = [
    (registry, code, place)
    for registry in ("_BOOKED", "_UNBOOKED", "_REFUSED")
    for code, found in sorted(getattr(posting, registry).items())
    for place in range(len(found))
]


@pytest.mark.parametrize(("registry", "code", "place"), FOLLOWERS)
def test_a_follower_of_an_event(monkeypatch, registry, code, place):
    found = getattr(posting, registry)[code]
    module = wiring.home(found[place])
    monkeypatch.setitem(
        getattr(posting, registry), code, [one for one in found if one is not found[place]]
    )
    path = f"{module.replace('.', '/')}.py"
    is_other = any(wiring.home(one) == module for one in found if one is not found[place])
    is_raised = (path, code) in wiring.raised()
    assert ((path, code, registry) in wiring.unfollowed()) == (is_raised and not is_other)


@pytest.fixture(scope="module")
def emptied(demo_app):
    """A session on the demonstration that asks no key and no guard, so that one table can be emptied alone."""
    engine = create_engine(demo_app.engine.url)
    with Session(engine) as session:
        run = session.connection().exec_driver_sql
        # the driver would begin with the first DELETE, and the guards be gone for good
        run("BEGIN IMMEDIATE")
        for (trigger,) in run("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            run(f'DROP TRIGGER "{trigger}"')
        yield session
        session.rollback()
    engine.dispose()


@pytest.mark.parametrize(
    "table",
    [
        str(m.__tablename__)
        for m in entities()
        if m.spec.kind.has_screen and m.__tablename__ not in wiring.NOT_SHOWN
    ],
)
def test_its_row_in_the_demonstration(emptied, table):
    with emptied.begin_nested() as trial:
        emptied.execute(delete(entity_of(table).__table__))
        assert wiring.unshown(emptied, table) == [table]
        trial.rollback()
    assert wiring.unshown(emptied, table) == []


def test_all_seven_are_tried_of_many_papers():
    """Counted, so that a change of a registry does not leave one of them untried."""
    of = {
        "buttons": {table for _, table in BUTTONS},
        "tabs": {model.__tablename__ for model, _ in PARTS},
        "words": {m.__tablename__ for m in wiring.of_project() if m.spec.news.made},
        "rights": {right.split(".")[0] for _, right in RIGHTS},
        "numbers": {model.__tablename__ for model in wiring.NUMBERED},
        "rows": {m.__tablename__ for m in entities() if m.spec.kind.has_screen},
    }
    assert {"fee_waiver", "contract", "release"} <= set.intersection(*of.values())
    assert "project_id" in {link for _, link in PARTS}
    assert len(FOLLOWERS) > 20
