"""Buttons of record pages: what may be pressed on which record, each made from the step that it takes.

Label, permission and the states it starts from are the step's, and the step's own checks decide; what stands at a
button only says how it looks, when else it is worth showing, what must be asked first and where to go afterwards.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import MappedColumn

from models.base.entity import Entity, entity_of
from models.base.kinds import Kind
from reports.base.scope import may_act
from views.kit.cells import record_url
from views.kit.pages import Action, Section
from workflows.base.context import Ctx
from workflows.base.sheets import Kind as Sheet
from workflows.base.transition import Step, Verb

Values = dict[str, Any]


@dataclass(frozen=True)
class Upload:
    """A file that a verb's form asks for; the verb gets (file name, bytes) or None.

    Columns of a table of `sheet` that nobody knows are mapped by hand in the same form.
    """

    label: str
    help: str = ""
    required: bool = False
    sheet: Sheet | None = None


Questions = Mapping[str, MappedColumn[Any] | Upload]
Test = Callable[[Ctx, Any], bool]
Words = Callable[[Ctx, Any], str]


def always(_: Ctx, __: Any) -> bool:
    """A button that only the state of its record decides about."""
    return True


def no_words(_: Ctx, __: Any) -> str:
    """Nothing stands in the way."""
    return ""


def nothing(_: Ctx, __: Any) -> Any:
    """Nothing to ask, or to begin with."""
    return {}


def page_of(record: Entity) -> str:
    """The page of a record."""
    return record_url(str(record.__tablename__), record.id)


def to_record(record: Entity, _: Any) -> str:
    """Stay on the record."""
    return page_of(record)


def to_result(_: Any, result: Any) -> str:
    """Go to what the verb has made."""
    return page_of(result)


def on_tab(tab: str) -> Callable[[Entity, Any], str]:
    """Stay on the record, at one of its tabs."""
    return lambda record, _: f"{page_of(record)}?tab={tab}#tabs"


@dataclass(frozen=True)
class Button:
    """A step that can be taken from the page of a record.

    `act` is the verb itself: it is called `act(ctx, record, **answers)`, where the answers bear the names of
    `questions` (or `reason`, where `ask` is the label of one) and `version` comes with them if the verb takes it. So
    what a form asks for is called as the verb calls it; a verb that takes its facts otherwise has a function here.

    A button on another record than the step's own says so by `on`; another way of taking the same step has a `name` and
    a `label` of its own. `mend` leads to the place where what `why_not` says is mended.
    """

    step: Verb
    act: Callable[..., Any]
    on: str = ""
    name: str = ""
    label: str = ""
    when: Test = always
    why_not: Words = no_words
    mend: Words = no_words
    questions: Callable[[Ctx, Any], Questions] = nothing
    given: Callable[[Ctx, Any], Values] = nothing
    # Looked at before it counts; None where there is nothing to look at, and the verb runs.
    preview: Callable[[Ctx, Any, Values], Section | None] | None = None
    looks_seldom: bool = False  # mostly there is nothing: the form is sent by the verb's own name
    ask: str = ""
    confirm: str = ""
    style: str = "plain"
    done: str = ""
    note: str = ""
    rank: int = 50
    after: Callable[[Any, Any], str] = to_record
    takes_version: bool = field(init=False)

    def __post_init__(self) -> None:
        """What is not said is the step's."""
        step, taken = self.step, inspect.signature(self.act).parameters.values()
        facts = {"on": step.table, "name": step.verb, "label": step.label}
        for name, value in facts.items():
            object.__setattr__(self, name, getattr(self, name) or value)
        takes = any(one.name == "version" or one.kind is one.VAR_KEYWORD for one in taken)
        object.__setattr__(self, "takes_version", takes)

    @property
    def permission(self) -> tuple[str, str]:
        """(verb, table) of its step."""
        return self.step.permission

    @property
    def has_form(self) -> bool:
        """Whether it asks for more than a reason."""
        return self.questions is not nothing

    def is_offered(self, ctx: Ctx, record: Entity) -> bool:
        """Whether the record stands where the step starts, and whatever else the button wants holds."""
        step = self.step
        if isinstance(step, Step) and isinstance(record, entity_of(step.table)):
            return getattr(record, step.column) in step.sources and self.when(ctx, record)
        return self.when(ctx, record)

    def press(self, ctx: Ctx, record: Entity, answers: Values, version: int) -> Any:
        """Run the verb with what was answered."""
        return self.act(
            ctx, record, **answers, **({"version": version} if self.takes_version else {})
        )


REGISTRY: dict[tuple[str, str], Button] = {}


def register(*buttons: Button) -> None:
    """Put buttons on the pages of their records."""
    for button in buttons:
        REGISTRY[button.on, button.name] = button


def actions(ctx: Ctx, record: Entity) -> list[Action]:
    """The buttons that this reader has on this record now, the next step first."""
    offered = [
        button
        for button in sorted(REGISTRY.values(), key=lambda b: b.rank)
        if button.on == record.__tablename__
        and ctx.actor.may(*button.permission)
        and may_act(ctx.session, ctx.actor, button.permission, record)
        and button.is_offered(ctx, record)
    ]
    return [_action(ctx, button, record) for button in offered]


def _action(ctx: Ctx, button: Button, record: Entity) -> Action:
    url = f"/do/{button.on}/{record.id}/{button.name}"
    why = button.why_not(ctx, record)
    # Whoever is asked reads what it is about before what follows from it.
    question = f"{record.spec.label} {record}" if button.confirm or button.ask else ""
    if button.confirm:
        question += f"：{button.confirm}"
    return Action(
        button.label,
        url,
        "GET" if button.has_form else "POST",
        button.style,
        confirm=question,
        ask=button.ask,
        ask_required=bool(button.ask),
        why_not=why,
        mend_url=button.mend(ctx, record) if why else "",
        fields=(("version", str(record.version)),),
    )


def in_state(column: str, *states: Kind) -> Test:
    """Offered while a state column holds one of these."""
    return lambda _ctx, record: getattr(record, column) in states


def all_of(*tests: Test) -> Test:
    """Offered when every test holds."""
    return lambda ctx, record: all(test(ctx, record) for test in tests)
