"""Who may do what: every permission that code asks for exists, somebody holds it, and nobody holds another."""

import ast
import re
from pathlib import Path

import pytest

import workflows.registry  # noqa: F401 - every workflow puts its steps into the table
from app.roles import ROLES, all_permissions, permissions_of
from models.base.entity import entities, entity_of
from models.base.errors import IllegalTransition
from models.base.fields import facts_of
from models.base.kinds import Module, SpecKind
from tests.structure.each import each
from views.kit.buttons import REGISTRY
from workflows.base.transition import STEPS, VERBS, check_source

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "views", "workflows", "reports")
KNOWN = all_permissions()
HELD = {spec.name: permissions_of(spec, KNOWN) for spec in ROLES}


def _calls(name: str, position: int):
    """(file:line, verb, table) of every call `x.<name>(..., "verb", "table", ...)` whose words are written out."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == name):
                    continue
                words = [
                    a.value
                    for a in node.args[position : position + 2]
                    if isinstance(a, ast.Constant)
                ]
                if len(words) == 2 and all(isinstance(word, str) for word in words):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", *words


STEP_IDS = sorted(STEPS)


@each("where, verb, table", lambda: sorted({*_calls("require", 0), *_calls("may", 0)}))
def test_a_permission_that_code_asks_for_exists_and_is_held(where, verb, table):
    assert verb in KNOWN.get(table, ()), f"{where}: nobody can be given can_{verb} on {table}"
    assert any((verb, table) in pairs for pairs in HELD.values()), (
        f"{where}: no built-in role may {verb} {table}"
    )


@each("table, verb", sorted(VERBS))
def test_every_verb_is_held_by_a_role(table, verb):
    assert any((verb, table) in pairs for pairs in HELD.values()), "nobody could ever do it"


@each("screen", sorted(REGISTRY))
def test_every_button_asks_for_a_permission_that_exists(screen):
    verb, table = REGISTRY[screen].permission
    assert verb in KNOWN.get(table, ())
    assert any((verb, table) in pairs for pairs in HELD.values())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_names_only_what_exists(role):
    for name in role.verbs:
        table, verb = name.split(".")
        heirs = [t for t in KNOWN if t == table or t.endswith(f"_{table}")]
        assert any(verb in KNOWN[t] for t in heirs), f"{role.name}: {name}"
    for table, verbs in role.tables.items():
        assert table in KNOWN, f"{role.name}: {table}"
        del verbs
    assert all(verb in KNOWN[table] for verb, table in HELD[role.name])


def test_who_administers_the_system_does_no_business():
    business = {
        m.__tablename__ for m in entities() if m.spec.module in {Module.GUARANTEE, Module.LEDGER}
    }
    for name in ("系统管理员", "安全管理员", "审计管理员"):
        done = {
            (v, t) for v, t in HELD[name] if t in business and v not in {"list", "show", "export"}
        }
        assert done <= {("hand_over", "project")}  # who leaves is the administrator's affair


def test_nobody_asks_for_money_and_books_it():
    for name, pairs in HELD.items():
        assert not {("submit_fees", "project"), ("book", "business_event")} <= pairs, name


@pytest.mark.parametrize("key", STEP_IDS, ids=[".".join(key) for key in STEP_IDS])
def test_a_step_is_refused_from_every_other_state(key, monkeypatch):
    step = STEPS[key]
    model = entity_of(step.table)
    monkeypatch.setattr(model, "__str__", lambda _: "甲")  # an empty record may have no name
    kind = model.__table__.columns[step.column].type.enum_class
    assert step.sources, "a step that starts nowhere"
    assert all(isinstance(state, kind) for state in (*step.sources, *step.targets))
    for state in kind:
        record = model(**{step.column: state})
        if state in step.sources:
            check_source(step, record)
            continue
        with pytest.raises(IllegalTransition) as refused:
            check_source(step, record)
        assert state.label in refused.value.message
        assert step.label in refused.value.message


@each("key", STEP_IDS)
def test_a_step_moves_a_state_column(key):
    step = STEPS[key]
    assert facts_of(entity_of(step.table).__table__.columns[step.column]).is_state, (
        "forms and REST could write it"
    )


def test_only_kinds_that_are_written_have_writing_permissions():
    for model in entities():
        own, spec = KNOWN.get(model.__tablename__, set()), model.spec
        verbs = {verb for table, verb in VERBS if table == model.__tablename__}
        if spec.kind is SpecKind.INTERNAL:
            assert own == verbs
        elif not spec.kind.is_writable:
            assert not {"add", "edit", "delete"} & (own - verbs), model.__tablename__


def test_workflows_know_the_frameworks_tables_alone():
    for path in sorted((ROOT / "workflows").rglob("*.py")) + sorted(
        (ROOT / "models").rglob("*.py")
    ):
        for name in re.findall(
            r"^from (flask_appbuilder[\w.]*)", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            where = path.relative_to(ROOT).as_posix()
            declarative_base = (where, name) == ("models/base/entity.py", "flask_appbuilder")
            assert declarative_base or name.startswith("flask_appbuilder.security.sqla"), (
                f"{where}: {name}"
            )
