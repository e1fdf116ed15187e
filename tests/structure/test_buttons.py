"""Buttons are made of steps: none says again what its step says, and each step that people take has one."""

import ast
import inspect

import views.screens  # noqa: F401 - every button puts itself into the table
import workflows.registry  # noqa: F401 - every workflow puts its steps into the table
from app.roles import all_permissions
from models.base.entity import entity_of
from tests.structure.each import each
from tests.structure.wiring import calls, trees
from views.kit.buttons import REGISTRY, Button
from workflows.base.transition import STEPS, VERBS

# Steps that are taken on a screen of their own.
ELSEWHERE = {
    ("voucher", "edit"): "a voucher is written on the form of vouchers",
    ("accounting_period", "close"): "结账 is a job that 期末处理 starts and shows",
}
BUTTONS = sorted(REGISTRY.items())
IDS = [".".join(key) for key, _ in BUTTONS]


def without_button() -> set[tuple[str, str]]:
    """Steps that somebody takes and no button stands for."""
    taken = {(button.step.table, button.step.verb) for button in REGISTRY.values()}
    return {key for key, step in STEPS.items() if not step.follows} - taken - ELSEWHERE.keys()


def test_every_step_that_people_take_has_a_button():
    assert without_button() == set(), (
        "give it a Button in views, or say in ELSEWHERE where it is taken"
    )
    assert ELSEWHERE.keys() <= STEPS.keys()


def test_a_step_without_its_button_is_missed(monkeypatch):
    monkeypatch.delitem(REGISTRY, ("contract", "void"))
    assert without_button() == {("contract", "void")}


@each("button", [button for _, button in BUTTONS])
def test_a_button_stands_for_what_a_workflow_declares(button):
    """The very object: a screen that makes one for itself could say other words and ask for another permission."""
    step = button.step
    declared = VERBS.get((step.table, step.verb))
    assert declared is step or (declared is None and step.verb in all_permissions()[step.table])


def test_screens_declare_no_step():
    made = [
        f"{path}:{call.lineno}"
        for path, tree in trees("views").items()
        for call in calls(tree, "Step", "Verb")
    ]
    assert made == []


@each("button", [button for _, button in BUTTONS])
def test_a_label_is_said_again_only_for_another_way_of_the_same_step(button):
    ways = [one for one in REGISTRY.values() if one.step is button.step]
    assert button.label == button.step.label or len(ways) > 1


@each("button", [button for _, button in BUTTONS])
def test_a_verb_takes_what_its_button_asks_for(button):
    """Questions that do not depend on the record; the others are asked in tests/views."""
    record = entity_of(button.on)()
    try:
        asked = dict.fromkeys(button.questions(None, record))
    except AttributeError:
        asked = None
    answers = {**(asked or {}), **({"reason": ""} if button.ask else {})}
    if button.takes_version:
        answers["version"] = 1
    bind = inspect.signature(button.act).bind if asked is not None else _bind_some(button)
    bind(None, record, **answers)


def _bind_some(button: Button):
    return inspect.signature(button.act).bind_partial


def test_no_button_runs_a_lambda():
    """A lambda of three parameters and more hides which is which; a named function says it."""
    long = [
        f"{path}:{node.lineno}"
        for path, tree in trees("views").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda) and len(node.args.args) > 2
    ]
    assert long == []
