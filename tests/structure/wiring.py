"""What the code declares, from its registries and its syntax, and for each kind of declaration what is not wired.

`test_wired.py` asks that nothing is; `test_taken_away.py` takes things away and asks that each is named.
"""

import ast
import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from sqlalchemy import String, UniqueConstraint, func, select
from sqlalchemy.orm import Session

import views.screens  # noqa: F401 - every button puts itself into the table
import workflows.registry  # noqa: F401 - every workflow registers what follows
from app import roles
from app.roles import all_permissions, permissions_of
from models.base.entity import (
    Entity,
    columns_of,
    entities,
    entity_of,
    fields_of,
    owner_of,
    parts_of,
)
from models.base.kinds import SpecKind
from models.base.paper import SentBack
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Project
from models.ledger.event import EVENTS
from models.ledger.voucher import Voucher
from reports.base import search
from views.kit.buttons import REGISTRY
from workflows.base.seeds import stated_rows
from workflows.base.transition import STEPS, VERBS
from workflows.guarantee.paper import Paper
from workflows.ledger import posting

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "views", "workflows", "reports", "models")

# What is not wired where everything of its kind is, and why.
ELSEWHERE = {  # parts that their owner's page shows in another form
    "meeting_vote": "the ballot and the minutes",
    "project_stage": "the line over the project",
    "project_snapshot": "the trend on the project",
    "password_history": "nobody reads it",
}
OFF_THE_PROJECT = {
    "business_event": "what brought it stands there, and the queue of 复核 is the accountants'",
    "meeting_item": "the meeting shows its items; on the project stands the resolution that came of it",
}
TOLD_BY_NOTE = {"resubmission": "the note of the act says it"}
# Screens that the demonstration has no row for, and why.
NOT_SHOWN = {
    "disposal_share": "the demonstration's sale has found no buyer yet",
    "income_history": "the company opens its books with its first business: no month went before",
    "opening_import": "the company opens its books with its first business: no balance went before",
    "config_proposal": "nothing waits for a second person unless a parameter says so; one administrator sets it up",
    "job_run": "the year is played in one transaction; runs are written by the machine's own jobs as they run",
}


@cache
def trees(*rooms: str) -> dict[str, ast.Module]:
    """The syntax of each file of these rooms, by its path."""
    paths = (
        path
        for room in rooms
        for path in sorted((ROOT / room).rglob("*.py"))
        if "versions" not in path.parts
    )
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


def seeded(name: str) -> list[str]:
    """The codes that a seed file brings, and those that entities state themselves."""
    with (ROOT / f"models/seeds/{name}.csv").open(encoding="utf-8", newline="") as file:
        filed = [row["code"] for row in csv.DictReader(file)]
    return filed + [row["code"] for row in stated_rows().get(name, ())]


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Calls of functions of these names."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in names
        ):
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
        names = {
            n.id for target in _bound(one) for n in ast.walk(target) if isinstance(n, ast.Name)
        }
        if (
            isinstance(one, (ast.Assign, ast.AnnAssign))
            and one.value is not None
            and node.id in names
        ):
            found |= {
                c.value
                for c in ast.walk(one.value)
                if isinstance(c, ast.Constant) and isinstance(c.value, str)
            }
            if isinstance(one.value, ast.Subscript):
                found |= words(one.value, tree)
    return found


def _bound(node: ast.AST) -> list[ast.expr]:
    return (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )


def argument(call: ast.Call, place: int, name: str) -> ast.AST | None:
    """An argument by its place or its name."""
    named = [word.value for word in call.keywords if word.arg == name]
    return named[0] if named else call.args[place] if len(call.args) > place else None


# --- verbs -----------------------------------------------------------------------------------------------------------


@cache
def routes(app) -> set[tuple[str, str]]:
    """(verb, table) of each route of a hand-written screen: by its permission or its own name."""
    found = set()
    for view in app.appbuilder.baseviews:
        for name in dir(type(view)):
            route = getattr(type(view), name, None)
            if permission := getattr(route, "_permission_name", None):
                found.add((permission, view.class_permission_name))
            if hasattr(route, "_urls"):
                found.add((name, view.class_permission_name))
    return found


@cache
def asked_in_screens() -> set[tuple[str, str]]:
    """(verb, table) that a screen asks for before it shows a button of its own."""
    return {
        (call.args[0].value, call.args[1].value)
        for tree in trees("views").values()
        for call in calls(tree, "may", "require")
        if len(call.args) > 1 and all(isinstance(arg, ast.Constant) for arg in call.args[:2])
    }


def undoored(app) -> list[tuple[str, str]]:
    """Verbs that nobody finds: (table, verb)."""
    known = {verb.permission for verb in REGISTRY.values()} | routes(app) | asked_in_screens()
    return [(table, verb) for table, verb in sorted(VERBS) if (verb, table) not in known]


# --- approvals, events, numbers --------------------------------------------------------------------------------------


def papers_made() -> Iterator[tuple[str, ast.Module, ast.Call]]:
    """(path, tree, call) where a workflow states its paper: its approval, its number and its events come with it."""
    for path, tree in trees("workflows").items():
        for call in calls(tree, "Paper"):
            yield path, tree, call


def home(follower: Callable[..., None]) -> str:
    """The module of the business that a follower is for: its own, or the one that made its paper."""
    paper = getattr(follower, "__self__", None)
    if isinstance(paper, Paper):
        return _homes()[paper.model.__name__].removesuffix(".py").replace("/", ".")
    return follower.__module__


@cache
def _homes() -> dict[str, str]:
    return {ast.unparse(call.args[0]): path for path, _, call in papers_made()}


def started() -> set[str]:
    """Approval types that a workflow starts."""
    by_papers = {
        word
        for _, tree, call in papers_made()
        for word in words(argument(call, 99, "approval_type"), tree)
    }
    return by_papers | {
        word
        for tree in trees("workflows").values()
        for call in calls(tree, "put_up", "start")
        for place in [argument(call, 1, "type_code")]
        if place is not None
        for word in words(place, tree)
    }


@cache
def raised() -> set[tuple[str, str]]:
    """(module, code) of each event that a workflow raises."""
    found = set()
    for path, tree in trees("workflows").items():
        for call in calls(tree, "raise_event"):
            code = argument(call, 1, "event_code")
            found |= (
                {(path, word) for word in words(code, tree) & EVENTS.keys()}
                if code is not None
                else set()
            )
    for path, tree, call in papers_made():
        events = argument(call, 99, "events")
        if events is not None and any(calls(tree, "hand_over")):
            found.add((path, ast.literal_eval(events)[0]))
    return found


def unfollowed() -> list[tuple[str, str, str]]:
    """Events whose business never hears what became of them: (module, code, registry of followers)."""
    found = []
    for path, code in sorted(raised()):
        module = path.removesuffix(".py").replace("/", ".")
        for name in ("_BOOKED", "_UNBOOKED", "_REFUSED"):
            followers = getattr(posting, name).get(code, [])
            if module not in {home(follower) for follower in followers}:
                found.append((path, code, name))
    return found


@cache
def drawn() -> set[str]:
    """Number rules that a workflow draws from, or `records.create` for a column."""
    columns = (facts for model in entities() for facts in fields_of(model).values())
    found = {facts.numbering.code for facts in columns if facts.numbering}
    for tree in trees("workflows").values():
        for call in calls(tree, "next_number", "next_count"):
            found |= words(call.args[1], tree) if len(call.args) > 1 else set()
        for call in calls(tree, "issue"):
            rule = argument(call, 99, "number_rule")
            found |= words(rule, tree) if rule is not None else set()
    for _, tree, call in papers_made():
        found |= words(argument(call, 99, "number"), tree)
    return found


# --- papers ----------------------------------------------------------------------------------------------------------


def screens(*kinds: SpecKind) -> list[type[Entity]]:
    """Entities of these kinds."""
    return [model for model in entities() if model.spec.kind in kinds]


def tabless() -> list[str]:
    """Parts that do not stand on their owner's page."""
    found = []
    for model in (model for model in entities() if model.spec.kind.has_screen):
        table, owner = str(model.__tablename__), owner_of(model)
        if owner is None:
            continue
        if fields_of(model)[f"{owner[0]}_id"].part is None and table not in ELSEWHERE:
            found.append(table)
    return found


def of_project() -> list[type[Entity]]:
    """What is done on a project: papers and ledgers with the project on them."""
    kinds = screens(SpecKind.DOCUMENT, SpecKind.LEDGER)
    return [
        m
        for m in kinds
        if m.spec.scope.through == "project" and "project_id" in m.__table__.columns
    ]


def off_the_page() -> list[str]:
    """What is done on a project and does not stand on its page."""
    shown = {*parts_of(Project), *OFF_THE_PROJECT}
    return [str(model.__tablename__) for model in of_project() if model.__tablename__ not in shown]


# Tabs beside those of the owner and of the project.
BESIDE = (("collateral_pledge", "collateral_id"),)


def beside_nothing() -> list[str]:
    """What stands on the page of a third record and no longer does."""
    return [table for table, link in BESIDE if fields_of(entity_of(table))[link].part is None]


def untold() -> list[str]:
    """What is done on a project without a word in its news."""
    return [
        str(m.__tablename__)
        for m in of_project()
        if not m.spec.news.made and m.__tablename__ not in TOLD_BY_NOTE
    ]


PAPERS = [
    key for key in sorted(STEPS) if key[1] == "submit" and "add" in entity_of(key[0]).spec.saved_by
]


BUILT_IN = {role.name: role for role in roles.ROLES}


@cache
def _held(name: str, verbs: tuple[str, ...]) -> set[tuple[str, str]]:
    """(verb, table) pairs of a built-in role with these verbs."""
    return permissions_of(replace(BUILT_IN[name], verbs=verbs), all_permissions())


def unsubmitted() -> list[tuple[str, str]]:
    """(table, role) where who draws a paper up may not submit it, or who submits it may not draw it up."""
    held = {role.name: _held(role.name, role.verbs) for role in roles.ROLES}
    found = []
    for table, verb in PAPERS:
        writers = {name for name, pairs in held.items() if ("add", table) in pairs}
        submitters = {name for name, pairs in held.items() if (verb, table) in pairs}
        found += [(table, name) for name in sorted(writers ^ submitters)] or [(table, "")] * (
            not writers
        )
    return found


def is_unique(model: type[Entity]) -> bool:
    """Whether no two rows bear the same number, or no two parts of one paper (the fees of a receipt)."""
    column = columns_of(model)["number"]
    keys = [
        key.columns.keys()
        for key in model.__table__.constraints
        if isinstance(key, UniqueConstraint)
    ]
    return bool(column.unique) or any(key[0] == "number" for key in keys)


NUMBERED = [
    model
    for model in screens(SpecKind.MASTER, SpecKind.DOCUMENT, SpecKind.LEDGER, SpecKind.LOG)
    if "number" in columns_of(model)
    and isinstance(columns_of(model)["number"].type, String)
    and is_unique(model)
    and not model.__subclasses__()  # a customer is found as what it is, by its name too
] + [Voucher]


def unreturned() -> list[tuple[str, str]]:
    """Papers that nobody in whose inbox they stand could hand in again: (table, verb)."""
    known = all_permissions()
    granted = {role.name: permissions_of(role, known) for role in roles.ROLES}
    found = []
    for model in entities():
        if issubclass(model, SentBack) and issubclass(model, ProjectPaper):
            pair = model.again, str(model.__tablename__)
            asked = granted if not model.by_manager else {"客户经理": granted["客户经理"]}
            if not any(pair in pairs for pairs in asked.values()):
                found.append((pair[1], pair[0]))
    return found


def unfound() -> list[str]:
    """Papers whose number, which no other bears, finds them nowhere."""
    return [
        str(m.__tablename__) for m in NUMBERED if m is not Voucher and m not in search.numbered()
    ] + ([] if "code" in Voucher.spec.searched else ["voucher"])


def unshown(session: Session, *tables: str) -> list[str]:
    """Screens (these, or all) without a row in the demonstration."""
    models = [model for model in entities() if model.spec.kind.has_screen]
    asked = [m for m in models if not tables or m.__tablename__ in tables]
    return [
        str(model.__tablename__)
        for model in asked
        if not session.scalar(select(func.count()).select_from(model))
    ]
