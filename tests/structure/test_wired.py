"""What is declared is wired: a verb has a door, an event its followers, a type its starter, a function its caller.

Each test reads what the code declares from its registries and what it does from its syntax; taking away any one of
the two sides turns one of them red.
"""

import ast
import csv
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import func, select

import views.screens  # noqa: F401 - every button puts itself into the table
import workflows.registry  # noqa: F401 - every workflow registers what follows
from app.roles import ROLES, all_permissions, permissions_of
from models.base.entity import Entity, entities, entity_of, owner_of
from models.base.kinds import SpecKind
from models.ledger_event import EVENTS
from models.project import Project
from views.project_feed import CREATED
from views.verbs import REGISTRY
from workflows.base import approval_steps
from workflows.base.transition import STEPS, VERBS
from workflows.ledger import posting

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "views", "workflows", "reports", "models")


@cache
def trees(*rooms: str) -> dict[str, ast.Module]:
    """The syntax of each file of these rooms, by its path."""
    paths = (path for room in rooms for path in sorted((ROOT / room).rglob("*.py")) if "versions" not in path.parts)
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def seeded(name: str) -> list[str]:
    """The codes that a seed file brings."""
    with (ROOT / f"models/seeds/{name}.csv").open(encoding="utf-8", newline="") as file:
        return [row["code"] for row in csv.DictReader(file)]


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Calls of functions of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names:
            yield node


def words(node: ast.AST, tree: ast.AST) -> set[str]:
    """The texts that an argument may stand for: written out, or given to its name or table in the same file."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.Subscript):
        node = node.value
    if not isinstance(node, ast.Name):
        return set()
    found: set[str] = set()
    for one in ast.walk(tree):
        names = {n.id for target in _bound(one) for n in ast.walk(target) if isinstance(n, ast.Name)}
        if isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value is not None and node.id in names:
            found |= {c.value for c in ast.walk(one.value) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
            if isinstance(one.value, ast.Subscript):
                found |= words(one.value, tree)
    return found


def _bound(node: ast.AST) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []


def argument(call: ast.Call, place: int, name: str) -> ast.AST | None:
    """An argument by its place or its name."""
    named = [word.value for word in call.keywords if word.arg == name]
    return named[0] if named else call.args[place] if len(call.args) > place else None


# --- verbs -----------------------------------------------------------------------------------------------------------


def doors(app) -> set[tuple[str, str]]:
    """(verb, table) of each button, and of each route of a hand-written screen: by its permission or its own name."""
    found = {verb.permission for verb in REGISTRY.values()}
    for view in app.appbuilder.baseviews:
        for name in dir(type(view)):
            route = getattr(type(view), name, None)
            if permission := getattr(route, "_permission_name", None):
                found.add((permission, view.class_permission_name))
            if hasattr(route, "_urls"):
                found.add((name, view.class_permission_name))
    return found


def asked_in_screens() -> set[tuple[str, str]]:
    """(verb, table) that a screen asks for before it shows a button of its own."""
    return {
        (call.args[0].value, call.args[1].value)
        for tree in trees("views").values()
        for call in calls(tree, "may", "require")
        if len(call.args) > 1 and all(isinstance(arg, ast.Constant) for arg in call.args[:2])
    }


# Permissions that a rule of a form asks for by itself: the field is the door.
FIELDS = {("hand_over", "customer"): "who may not gets a refusal at 客户经理 of the customer's form"}


@pytest.mark.parametrize(("table", "verb"), sorted(VERBS))
def test_every_verb_has_a_door(demo_app, table, verb):
    assert (verb, table) in doors(demo_app.app) | asked_in_screens() | FIELDS.keys(), "nobody finds it"


def test_every_step_is_taken():
    """A step that no code looks up moves nothing."""
    asked = [
        place
        for tree in trees("workflows").values()
        for node in ast.walk(tree)
        for place in ([node.slice] if isinstance(node, ast.Subscript) else [])
    ] + [call.args[1] for tree in trees("workflows").values() for call in calls(tree, "_enter") if len(call.args) > 1]
    named = {part.value for place in asked for part in ast.walk(place) if isinstance(part, ast.Constant)}
    ours = {verb for table, verb in STEPS if not (table == "project" and verb.startswith("leave_"))}
    assert ours - named == set()


# --- approvals, events, numbers --------------------------------------------------------------------------------------


def started() -> set[str]:
    """Approval types that a workflow starts."""
    return {
        word
        for tree in trees("workflows").values()
        for call in calls(tree, "put_up", "start")
        for place in [argument(call, 1, "type_code")]
        if place is not None
        for word in words(place, tree)
    }


def test_every_approval_type_has_a_starter_and_a_follower():
    kinds = set(seeded("approval_type"))
    assert kinds - started() == set(), "offered to administrators, and nothing can ever be put up"
    assert kinds == set(approval_steps._HANDLERS), "decided, and nothing follows"


def raised() -> set[tuple[str, str]]:
    """(module, code) of each event that a workflow raises."""
    found = set()
    for path, tree in trees("workflows").items():
        for call in calls(tree, "raise_event"):
            code = argument(call, 1, "event_code")
            found |= {(path, word) for word in words(code, tree) & EVENTS.keys()} if code is not None else set()
    return found


@pytest.mark.parametrize(("path", "code"), sorted(raised()))
def test_every_event_has_its_followers_where_it_is_raised(path, code):
    module = path.removesuffix(".py").replace("/", ".")
    for name in ("_BOOKED", "_UNBOOKED", "_REFUSED"):
        followers = getattr(posting, name).get(code, [])
        assert module in {follower.__module__ for follower in followers}, f"{name}: the business never hears of it"


def test_every_follower_follows_something():
    known = {code for _, code in raised()}
    assert (posting._BOOKED.keys() | posting._UNBOOKED.keys() | posting._REFUSED.keys()) - known == set()


def drawn() -> set[str]:
    """Number rules that a workflow draws from."""
    found: set[str] = set()
    for tree in trees("workflows").values():
        for call in calls(tree, "next_number", "next_count"):
            found |= words(call.args[1], tree) if len(call.args) > 1 else set()
        for call in calls(tree, "issue"):
            rule = argument(call, 99, "number_rule")
            found |= words(rule, tree) if rule is not None else set()
    return found


@pytest.mark.parametrize("code", seeded("number_rule"))
def test_every_number_rule_has_a_drawer(code):
    assert code in drawn()


# --- papers ----------------------------------------------------------------------------------------------------------


def screens(*kinds: SpecKind) -> list[type[Entity]]:
    """Entities of these kinds."""
    return [model for model in entities() if model.spec.kind in kinds]


PARTS = [model for model in entities() if model.spec.kind.has_screen and owner_of(model)]


@pytest.mark.parametrize("model", PARTS, ids=lambda model: model.__name__)
def test_a_part_stands_on_its_owners_page(model):
    owner = owner_of(model)[1]
    tabs = set(owner.spec.tabs) | {tab for heir in owner.__subclasses__() for tab in heir.spec.tabs}
    assert model.__tablename__ in tabs | ELSEWHERE.keys()


# Parts that their owner's page shows in another form.
ELSEWHERE = {
    "meeting_vote": "the ballot and the minutes",
    "project_stage": "the line over the project",
    "project_snapshot": "the trend on the project",
    "password_history": "nobody reads it",
}


def of_project() -> list[type[Entity]]:
    """What is done on a project: papers and ledgers with the project on them."""
    kinds = screens(SpecKind.DOCUMENT, SpecKind.LEDGER)
    return [m for m in kinds if m.spec.scope.through == "project" and "project_id" in m.__table__.columns]


@pytest.mark.parametrize("model", of_project(), ids=lambda m: m.__name__)
def test_what_is_done_on_a_project_stands_on_its_page_and_in_its_news(model):
    table = model.__tablename__
    assert table in Project.spec.tabs or table in OFF_THE_PROJECT
    assert table in CREATED or table in TOLD_BY_NOTE


OFF_THE_PROJECT = {
    "business_event": "what brought it stands there, and the queue of 复核 is the accountants'",
    "meeting_item": "the meeting shows its items; on the project stands the resolution that came of it",
}
TOLD_BY_NOTE = {"resubmission": "the note of the act says it"}


PAPERS = [
    key for key in sorted(STEPS) if key[1] == "submit" and "add" in entity_of(key[0]).spec.saved_by
]  # fmt: skip


@pytest.mark.parametrize("key", PAPERS, ids=".".join)
def test_who_draws_a_paper_up_submits_it(key):
    table, verb = key
    known = all_permissions()
    held = {role.name: permissions_of(role, known) for role in ROLES}
    writers = {name for name, pairs in held.items() if ("add", table) in pairs}
    assert writers
    assert writers == {name for name, pairs in held.items() if (verb, table) in pairs}


# Screens that the demonstration has no row for, and why.
NOT_SHOWN = {
    "income_history": "the company opens its books with its first business: no month went before",
    "opening_import": "the company opens its books with its first business: no balance went before",
    "income_schedule": "the first year's fee is income at 放款确认; the demo's year has no second one",
    "income_recognition": "the first year's fee is income at 放款确认; the demo's year has no second one",
    "job_run": "the year is played in one transaction; runs are written by the machine's own jobs as they run",
}


@pytest.mark.parametrize("model", [m for m in entities() if m.spec.kind.has_screen], ids=lambda m: m.__name__)
def test_every_screen_has_something_to_show_in_the_demo(demo_app, model):
    with demo_app.session() as session:
        count = session.scalar(select(func.count()).select_from(model))
    assert bool(count) != (model.__tablename__ in NOT_SHOWN), "give it a row in app/demo, or take the reason away"


# --- functions -------------------------------------------------------------------------------------------------------


# What nothing of the product calls yet, and why it stays.
UNCALLED = {
    "on_task": "the bell and the messages of the workbench are told of tasks here",
    "index_record": "tests index what they insert past the listeners of the product's sessions",
}


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


@pytest.mark.parametrize(("path", "name"), sorted(_public("workflows", "reports")))
def test_every_public_function_is_called_by_the_product(path, name):
    assert bool(_used().get(name)) != (name in UNCALLED), "only tests call it: wire it or delete it"
