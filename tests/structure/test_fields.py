"""What a column says about itself is one typed `FieldFacts`, and what the table holds agrees with it."""

import ast
from pathlib import Path

from sqlalchemy import String, select

import models.registry  # noqa: F401 - maps every table
from models.base.entity import columns_of, entities, fields_of
from tests.structure.each import each

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "models", "reports", "views", "workflows", "scripts", "tests", "benchmarks")
# `info` of sessions, connections and archives is another thing.
OTHERS = {"session", "connection", "state", "archive", "log", "logger", "_log", "_LOG"}
MODELS = entities()


@each("model", MODELS)
def test_a_column_agrees_with_what_it_says(model):
    for name, column in columns_of(model).items():
        facts = column.info["facts"]
        length = column.type.length if isinstance(column.type, String) else None
        default = getattr(column.default, "arg", None) if column.default is not None else None
        assert (
            list(column.info),
            facts.name,
            facts.is_nullable,
            facts.length or None,
            facts.has_default,
            facts.default,
        ) == (
            ["facts"],
            name,
            column.nullable,
            length if facts.choices is None else None,
            column.default is not None,
            None if callable(default) else default,
        ), name
        assert facts.choices is getattr(column.type, "enum_class", None), name


@each("model", MODELS)
def test_a_field_is_selected_and_read_by_its_facts(model):
    for name, facts in fields_of(model).items():
        assert facts.sql(model) is getattr(model, name)
    record = model()
    for name in ("created_at", "extra"):
        fields_of(model)[name].set(record, None)
        assert fields_of(model)[name].get(record) is None
    assert select(*(f.sql(model) for f in fields_of(model).values())).selected_columns


def _asks_info(node) -> bool:
    if not (isinstance(node, ast.Attribute) and node.attr == "info"):
        return False
    owner = node.value
    word = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return word not in OTHERS


def test_no_reader_asks_a_column_by_words():
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" in path.parts or path.name in {"fields.py", "test_fields.py"}:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                is_asked = isinstance(node, ast.Subscript) and _asks_info(node.value)
                is_got = (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in {"get", "keys", "items"}
                    and _asks_info(node.func.value)
                )
                if is_asked or is_got:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
