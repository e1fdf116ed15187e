"""State columns are written by `workflows.base.transition` alone, along declared steps that reach every state."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect

import workflows.registry  # noqa: F401 - every workflow puts its steps into the table
from models.base.entity import columns_of, entities, entity_of
from models.base.fields import facts_of
from workflows.base.transition import STEPS, Step

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "views", "workflows", "reports", "models")
# The loader of the big demo company writes a thousand closed years set-based; its figures are compared with the verbs'.
EXEMPT = ("app/demo/bulk", "models/migrations/")
THE_ONE = "workflows/base/transition.py"
# What bears the name of a state column and is none.
OTHERS = {
    ("views/guarantee/project.py", "page.state"): "a part of the page",
    (
        "workflows/guarantee/termination.py",
        "paper.stage",
    ): "where the project stood, kept on the paper",
    ("workflows/base/jobs.py", "held.result"): "what the steps of a job have done",
    ("views/approval/editor.py", "made.state"): "a flow that is drawn and tried, and never stored",
}
# Names of columns that are computed: the columns that forms may write, their defaults, and what the code names itself.
BY_NAME = {
    (
        "workflows/guarantee/correction.py",
        "_apply_changes",
    ): "correctable columns, of which no state is one",
    ("reports/base/charts.py", "_dress"): "attributes of a drawing",
    ("models/base/fields.py", "set"): "whoever calls it is asked in turn",
    (
        "workflows/base/records.py",
        "fill_in",
    ): "fields that a record declares, of which no state is one",
    ("workflows/base/records.py", "_put"): "editable columns, of which no state is one",
    (
        "workflows/base/records.py",
        "_fill_defaults",
    ): "the default of the column, where every life begins",
    ("workflows/base/records.py", "_default_scope"): "owner and department",
    ("workflows/base/records.py", "_draw_numbers"): "the number of a new record",
    ("views/approval/editor.py", "_filled"): "a flow that is drawn and tried, and never stored",
    ("views/kit/forms.py", "demands"): "a copy that is asked about and never saved",
    ("reports/figures/field_conditions.py", "settle"): "custom fields that are not asked for",
    ("workflows/customer/rules.py", "check_statement"): "figures of a statement",
    ("workflows/customer/merging.py", "_go_over"): "references to customers",
    ("workflows/customer/merging.py", "_come_back"): "references to customers",
    ("workflows/system/hand_over.py", "_give_project"): "who holds the project in one of ROLES",
    ("app/demo/people.py", "make_company"): "master data of the company",
}
STATES = {
    (model.__tablename__, name): column
    for model in entities()
    for name, column in columns_of(model).items()
    if facts_of(column).is_state
}
NAMES = {name for _, name in STATES}
DEFAULTS = {
    (entity_of(table).__name__, name): column.default.arg.name
    for (table, name), column in STATES.items()
}
WITH_STATE = {model for model, _ in DEFAULTS}


def _files() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if not where.startswith(EXEMPT) and where != THE_ONE:
                yield where, ast.parse(path.read_text(encoding="utf-8"))


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [
            part
            for target in node.targets
            for part in ast.walk(target)
            if isinstance(part, ast.Attribute)
        ]
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        return [node.target]
    return []


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def _sets_by_name(node: ast.Call) -> bool:
    """`setattr(record, name, value)`, or `facts.set(record, value)` of a field."""
    return _called(node) == "setattr" or (_called(node) == "set" and len(node.args) == 2)


def _wrong_call(node: ast.Call, inside: tuple[str, str]) -> str | None:
    name, first = _called(node), node.args[0] if node.args else None
    if _sets_by_name(node) and inside not in BY_NAME:
        word = node.args[-2].value if isinstance(node.args[-2], ast.Constant) else None
        return (
            "setattr of a computed name"
            if word is None
            else f"setattr {word}"
            if word in NAMES
            else None
        )
    if name == "update" and (
        getattr(first, "id", None) in WITH_STATE or ast.unparse(node).endswith("__table__)")
    ):
        model = ast.unparse(first).removesuffix(".__table__")
        return f"update({model})" if model in WITH_STATE else None
    for word in node.keywords:
        default = DEFAULTS.get((name, word.arg))
        if default and not (isinstance(word.value, ast.Attribute) and word.value.attr == default):
            return f"{name}({word.arg}=…)"
        if name == "values" and word.arg in NAMES:
            return f"values({word.arg}=…)"
    return None


def _writes(where: str, tree: ast.Module) -> Iterator[str]:
    inside: dict[ast.AST, str] = {}
    for node in ast.walk(tree):  # outer functions come first
        for child in ast.iter_child_nodes(node):
            inside[child] = node.name if isinstance(node, ast.FunctionDef) else inside.get(node, "")
        for target in _targets(node):
            written = ast.unparse(target)
            is_part_of_code = written.startswith("self.") or (where, written) in OTHERS
            if getattr(target, "attr", None) in NAMES and not is_part_of_code:
                yield f"{where}:{node.lineno} writes {written}"
        if isinstance(node, ast.Call) and (
            wrong := _wrong_call(node, (where, inside.get(node, "")))
        ):
            yield f"{where}:{node.lineno} {wrong}"


def test_a_state_is_written_by_a_move_alone():
    assert [found for where, tree in _files() for found in _writes(where, tree)] == []


@pytest.mark.parametrize(
    "code",
    [
        "paper.state = PaperState.VOID",
        "a, fee.state = 1, FeeState.DRAFT",
        "setattr(loan, 'state', x)",
        "setattr(loan, name, x)",
        "Resolution(state=ResolutionState.VALID)",
        "update(JobRun).values(status=x)",
        "update(Fee.__table__).where(a).values(b)",
        "table.update().values(state=x)",
        "project.stage += 1",
    ],
)
def test_each_way_of_writing_a_state_is_seen(code):
    assert list(_writes("workflows/any.py", ast.parse(code)))


def test_what_is_let_off_is_still_there():
    trees = dict(_files())
    for where, written in OTHERS:
        assert any(
            ast.unparse(t) == written for node in ast.walk(trees[where]) for t in _targets(node)
        ), written
    for where, name in BY_NAME:
        named = [
            n for n in ast.walk(trees[where]) if isinstance(n, ast.FunctionDef) and n.name == name
        ]
        assert any(
            isinstance(n, ast.Call) and _sets_by_name(n) for f in named for n in ast.walk(f)
        ), name


def test_every_step_that_is_written_down_is_registered():
    written = {
        tuple(word.value for word in node.args[:2])
        for where, tree in _files()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and _called(node) == "Step"
        and all(isinstance(word, ast.Constant) for word in node.args[:2])
    }
    assert written <= STEPS.keys()


def _reached(table: str, name: str) -> set[str]:
    reached, found = {STATES[table, name].default.arg}, 0
    # a kind of customer takes the customer's steps
    tables = {part.name for part in inspect(entity_of(table)).tables}
    mine: list[Step] = [
        step for step in STEPS.values() if step.table in tables and step.column == name
    ]
    while len(reached) != found:
        found = len(reached)
        reached |= {goal for step in mine if reached & set(step.sources) for goal in step.targets}
    return {state.name for state in reached}


# States that no step reaches, and why they are there.
UNREACHED = {
    "release": ({"VOID"}, "papers share their states; a project is released once and for all"),
    "termination": ({"VOID"}, "papers share their states; an end is final"),
    "history_batch": ({"VOID"}, "papers share their states; a refused batch is drawn up again"),
    "bank_batch": ({"VOID"}, "papers share their states; a refused list is drawn up again"),
    "cession_statement": ({"VOID"}, "papers share their states; a refused one is drawn up again"),
}


@pytest.mark.parametrize(("table", "name"), sorted(STATES))
def test_the_steps_reach_every_state(table, name):
    model = entity_of(table)
    missing, _ = next(
        (UNREACHED[t.name] for t in inspect(model).tables if t.name in UNREACHED), (set(), "")
    )
    assert (
        _reached(table, name)
        == {state.name for state in STATES[table, name].type.enum_class} - missing
    )
