"""Every entity keeps the rules of the house, whoever adds it: nothing here names one."""

import csv
import re
from pathlib import Path

from sqlalchemy import inspect

import models.registry  # noqa: F401 - maps every table
from models.base.actor import Actor, ScopeLevel
from models.base.entity import (
    STAMPS,
    Entity,
    columns_of,
    editable_columns,
    entities,
    fields_of,
    indexed,
    label_of,
    owner_of,
    parts_of,
)
from models.base.fields import facts_of
from models.base.kinds import FIXED, SpecKind
from models.open_tables import OPEN
from models.system.setup import Parameter
from reports.base import scope as scope_hook
from tests.structure.each import each
from views.kit.forms import form_columns
from views.kit.interface import shape
from workflows.base.seeds import stated_rows

ROOT = Path(__file__).resolve().parents[2]
HAN = re.compile(r"[\u4e00-\u9fff]")
# Words that are the same in Chinese.
LATIN_LABELS = {"E-mail", "IP"}
MODELS = entities()
each_entity = each("model", MODELS)


def facts(model, key):
    """Columns of a model that say something under a name."""
    return {name: facts for name, facts in fields_of(model).items() if getattr(facts, key)}


def relation_or_column(model, name):
    """Whether lists may name this: a column, a reference without its `_id`, or a property of the class."""
    return shape(model).key(name) is not None or hasattr(model, name)


@each_entity
def test_every_column_has_a_chinese_label(model):
    wrong = {
        name: facts_of(column).label
        for name, column in columns_of(model).items()
        if not HAN.search(facts_of(column).label or "")
        and facts_of(column).label not in LATIN_LABELS
    }
    assert not wrong
    assert HAN.search(model.spec.label)


def test_tables_without_an_entity_say_what_their_columns_are():
    named = {model.__tablename__ for model in MODELS}
    loose = [
        t
        for name, t in Entity.metadata.tables.items()
        if name not in named and not name.startswith("ab_")
    ]
    assert loose
    assert [
        str(c) for table in loose for c in table.columns if not HAN.search(facts_of(c).label)
    ] == []


@each_entity
def test_labels_of_one_entity_differ(model):
    labels = [facts_of(c).label for n, c in columns_of(model).items() if n not in STAMPS]
    assert sorted(set(labels)) == sorted(labels)


@each_entity
def test_every_name_in_the_spec_is_real(model):
    spec = model.spec
    columns = columns_of(model)
    assert [n for n in (*spec.listed, *spec.searched) if not relation_or_column(model, n)] == []
    assert [n for n in (*spec.filtered, *spec.key, *spec.sums) if n not in columns] == []
    assert relation_or_column(model, spec.title), spec.title
    assert [n for n in spec.order.split(",") if n.removeprefix("-") not in columns] == []
    assert not spec.state or facts_of(columns[spec.state]).is_state
    assert not spec.line or facts_of(columns[spec.line]).is_state
    assert bool(spec.line) == bool(spec.runs), "how far it has come, and while it goes on"
    stages = [one.part for one in parts_of(model).values() if one.part.since or one.part.adds]
    assert spec.line or not stages, "parts that come with a stage, on a record without stages"
    for name in spec.sums:
        assert facts_of(columns[name]).kind == "money"
    for name in spec.listed:
        assert HAN.search(label_of(model, name)), name


@each_entity
def test_filters_are_indexed(model):
    missing = [n for n in model.spec.filtered if n not in indexed(model)]
    assert not missing, f"{missing}: a filter without an index reads the whole table"


@each_entity
def test_the_optimistic_lock_is_the_mappers(model):
    column = inspect(model).version_id_col
    assert column is not None
    assert column.name == "version"


@each_entity
def test_forms_leave_out_what_code_writes(model):
    closed = {
        n for key in ("is_state", "is_hidden", "is_computed") for n in facts(model, key)
    } | set(STAMPS)
    assert not closed & set(form_columns(model))
    assert not closed & set(editable_columns(model))


@each_entity
def test_scope_columns_lead_to_people_and_departments(model):
    scope, columns = model.spec.scope, columns_of(model)
    for name in filter(None, (scope.owner, *scope.members)):
        assert facts_of(columns[name]).target == "employee", name
    if scope.department:
        assert facts_of(columns[scope.department]).target == "department"
    if scope.through:
        assert scope.through in inspect(model).relationships


@each_entity
def test_whose_row_it_is_is_said_or_a_list_says_why_it_is_nobodys(model):
    scope, reason = model.spec.scope, OPEN.get(model.__tablename__, "")
    assert scope.is_open == bool(reason), (
        "give it a scope, or stand it in models.open_tables with the reason"
    )


def test_the_list_of_open_tables_names_tables():
    assert set(OPEN) <= {model.__tablename__ for model in MODELS}


@each_entity
def test_what_hangs_on_records_names_table_and_number(model):
    for name, kind in zip(model.spec.scope.hangs_on or (), ("text", "int"), strict=False):
        assert fields_of(model)[name].kind == kind


def test_a_table_that_says_nothing_is_read_by_nobody(monkeypatch):
    actor = Actor(1, "任意", scope=ScopeLevel.ALL)
    assert scope_hook.condition(Parameter, actor) is None
    monkeypatch.setattr(scope_hook, "OPEN", {})
    scope_hook._condition.cache_clear()
    assert str(scope_hook.condition(Parameter, actor)) == "false"
    scope_hook._condition.cache_clear()


@each_entity
def test_parts_of_a_scoped_record_are_scoped(model):
    owner = owner_of(model)
    if owner and not owner[1].spec.scope.is_open:
        assert not model.spec.scope.is_open, (
            f"everybody would read the {model.spec.label} of others"
        )


@each_entity
def test_references_lead_to_entities_and_are_indexed(model):
    known = {m.__tablename__ for m in MODELS}
    for name, found in facts(model, "target").items():
        if found.target in {"ab_user", "ab_role"}:  # the framework's tables
            continue
        assert found.target in known, name
        # nobody is deleted who stands in a log
        if name != "created_by_id" and model.spec.kind is not SpecKind.LOG:
            assert name in indexed(model), name


@each_entity
def test_a_state_has_a_default_and_drafts_are_its_states(model):
    for name, found in facts(model, "is_state").items():
        assert found.default is not None, name
        assert not found.is_nullable, name
    if model.spec.drafts:
        kind = columns_of(model)[model.spec.state].type.enum_class
        assert all(isinstance(state, kind) for state in model.spec.drafts)


def _seeded(part: str, column: str) -> set[str]:
    found = set()
    for path in (ROOT / "models/seeds").glob(f"{part}*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found |= {row[column] for row in csv.DictReader(file)}
    return found | {row[column] for row in stated_rows().get(part, ())}


def test_every_dictionary_that_a_column_names_is_seeded():
    types, filled = (
        _seeded("dictionary_type", "code"),
        _seeded("dictionary_item", "dictionary_type_id"),
    )
    named = {
        c.dictionary for model in MODELS for c in facts(model, "dictionary").values()
    } - FIXED.keys()
    assert named - types == set()
    assert named - filled == set()
