"""What is declared is wired: a verb has a door, an event its followers, a type its starter, a function its caller.

Taking away any one of the two sides turns one of these red: `test_taken_away.py` tries it.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest

from models.base.entity import entities
from models.guarantee.paper import ProjectPaper
from tests.structure.each import each
from tests.structure.wiring import (
    NOT_SHOWN,
    ROOMS,
    beside_nothing,
    calls,
    drawn,
    off_the_page,
    raised,
    seeded,
    started,
    tabless,
    trees,
    undoored,
    unfollowed,
    unfound,
    unreturned,
    unshown,
    unsubmitted,
    untold,
)
from workflows.approval import steps
from workflows.base.transition import STEPS
from workflows.ledger import posting

# --- verbs -----------------------------------------------------------------------------------------------------------


def test_every_verb_has_a_door(demo_app):
    assert undoored(demo_app.app) == [], "nobody finds it"


def test_every_step_is_taken():
    """A step that no code looks up moves nothing."""
    asked = [
        place
        for tree in trees("workflows").values()
        for node in ast.walk(tree)
        for place in ([node.slice] if isinstance(node, ast.Subscript) else [])
    ] + [
        call.args[1]
        for tree in trees("workflows").values()
        for call in calls(tree, "_enter")
        if len(call.args) > 1
    ]
    named = {
        part.value for place in asked for part in ast.walk(place) if isinstance(part, ast.Constant)
    }
    ours = {verb for table, verb in STEPS if not (table == "project" and verb.startswith("leave_"))}
    assert ours - named == set()


# --- approvals, events, numbers --------------------------------------------------------------------------------------


def test_every_approval_type_has_a_starter_and_a_follower():
    kinds = set(seeded("approval_type"))
    assert kinds - started() == set(), "offered to administrators, and nothing can ever be put up"
    assert kinds == set(steps._HANDLERS), "decided, and nothing follows"


def test_every_event_has_its_followers_where_it_is_raised():
    assert unfollowed() == [], "the business never hears of it"


def test_every_follower_follows_something():
    known = {code for _, code in raised()}
    assert (
        posting._BOOKED.keys() | posting._UNBOOKED.keys() | posting._REFUSED.keys()
    ) - known == set()


@pytest.mark.parametrize("code", seeded("number_rule"))
def test_every_number_rule_has_a_drawer(code):
    assert code in drawn()


# --- papers ----------------------------------------------------------------------------------------------------------


def test_a_part_stands_on_its_owners_page():
    assert tabless() == []


def test_what_is_done_on_a_project_stands_on_its_page_and_in_its_news():
    assert off_the_page() == []
    assert beside_nothing() == []
    assert untold() == []


def test_a_paper_says_in_which_states_it_is_a_draft():
    """Where it does not, whoever may edit it changes what was approved."""
    papers = [model for model in entities() if issubclass(model, ProjectPaper)]
    assert [model.__name__ for model in papers if not model.spec.drafts] == []
    assert len(papers) > 3


def test_who_draws_a_paper_up_submits_it():
    assert unsubmitted() == []


def test_what_was_sent_back_is_handed_in_again_by_who_has_it_in_the_inbox():
    assert unreturned() == [], "`again` names a verb that the people of `by_manager` do not have"


def test_a_paper_is_looked_for_by_its_number():
    """`test_search.py` finds each; this one says which is not even looked for."""
    assert unfound() == []


def test_every_screen_has_something_to_show_in_the_demo(demo_app):
    with demo_app.session() as session:
        assert set(unshown(session)) == NOT_SHOWN.keys(), (
            "give it a row in app/demo, or take the reason away"
        )


# --- functions -------------------------------------------------------------------------------------------------------


def _public(*rooms: str) -> Iterator[tuple[str, str]]:
    for path, tree in trees(*rooms).items():
        for node in tree.body:
            is_ours = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.decorator_list
            if is_ours and not node.name.startswith("_"):
                yield path, node.name


@cache
def _used() -> dict[str, set[str]]:
    """Where each name is used: as a name, an attribute or a text, outside its own definition."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees(*ROOMS).items():
        for node in ast.walk(tree):
            name = getattr(node, "id", None) or getattr(node, "attr", None)
            if isinstance(name, str):
                found[name].add(path)
    return found


@each("path, name", sorted(_public("workflows", "reports")))
def test_every_public_function_is_called_by_the_product(path, name):
    assert _used().get(name), "only tests call it: wire it or delete it"
