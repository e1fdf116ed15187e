"""Each table is written by something of the product and read by something of it; neither is declared in vain."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import workflows.registry  # noqa: F401 - every table is known
from models.base.entity import Entity, entities
from tests.structure.each import each

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "models" / "seeds"
ROOMS = ("app", "views", "workflows", "reports")
# Functions whose argument is the table that they write: the session's, the one verb of forms, and our own upserts.
WRITERS = {"insert", "create", "_upsert", "_apply"}
# What is let off, and why: nothing today.
UNREAD: dict[str, str] = {}
UNWRITTEN: dict[str, str] = {}


def _name(node: ast.AST) -> str:
    """`Model` of `Model`, `Model.column` and `Model.__table__`."""
    node = node.value if isinstance(node, ast.Attribute) else node
    return node.id if isinstance(node, ast.Name) else ""


def _taken(call: ast.Call) -> list[ast.expr]:
    """What a call is given, with what stands in lists among it."""
    given = [*call.args, *(word.value for word in call.keywords)]
    return [
        part
        for one in given
        for part in (one.elts if isinstance(one, (ast.List, ast.Tuple)) else [one])
    ]


@cache
def uses() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """(files that write, files that read) by the name of a model, or of its table where that is named."""
    written: dict[str, set[str]] = defaultdict(set)
    read: dict[str, set[str]] = defaultdict(set)
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        where = path.relative_to(ROOT).as_posix()
        if where.startswith("app/demo/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                written[called].add(where)  # Model(...)
                for given in _taken(node):
                    (written if called in WRITERS else read)[_name(given)].add(where)
            elif isinstance(node, ast.Attribute) and node.attr not in (
                "__table__",
                "__tablename__",
            ):
                read[_name(node)].add(where)
            elif isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "tables":
                for found in (written, read):  # metadata.tables["…"]
                    found[getattr(node.slice, "value", "")].add(where)
    return written, read


def _kin(model: type[Entity]) -> set[str]:
    """Names a row of the table may go by: the model, its heirs, its table."""
    return {model.__name__, model.__tablename__} | {
        heir.__name__ for heir in model.__subclasses__()
    }


def _is_entered(model: type[Entity]) -> bool:
    return model.spec.kind.is_writable and "add" in model.spec.saved_by


def _is_seeded(model: type[Entity]) -> bool:
    table = model.__tablename__
    return any(path.name.split(".")[0] in (table, f"{table}s") for path in SEEDS.glob("*.csv"))


@each("model", entities())
def test_each_table_is_written(model):
    by_code = any(uses()[0].get(name) for name in _kin(model))
    is_written = _is_entered(model) or _is_seeded(model) or by_code
    assert is_written != (model.__tablename__ in UNWRITTEN), (
        "no form, verb, import, job or base data makes a row of it"
    )


@each("model", entities())
def test_each_table_is_read(model):
    by_code = any(uses()[1].get(name) for name in _kin(model))
    is_read = model.spec.kind.has_screen or by_code
    assert is_read != (model.__tablename__ in UNREAD), "no screen, report or verb looks at it"
