"""No way round a decision (A12), and who may take which step from where: both generated from the registries.

Which verbs need a decision follows from the transition tables: whatever starts in a state that a record reaches through
an approval alone. Each is tried without one by every entrance: the verb itself, the button, many at once, the forms and
REST; and no entrance lets a state be written that only a decision gives.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

import views.screens  # noqa: F401 - every button puts itself into the table
import workflows.registry  # noqa: F401 - every workflow registers its steps and what follows
from app.demo.people import PEOPLE
from models.base.actor import SYSTEM, Actor
from models.base.entity import columns_of, entity_of
from models.base.errors import BusinessError, IllegalTransition, NotAllowed, NotFound
from models.base.fields import facts_of
from reports.base.scope import is_visible, may_act
from reports.figures import node_fields
from tests.structure.doors import readers
from tests.structure.each import each
from views.kit.buttons import REGISTRY, Upload
from workflows.approval.steps import _HANDLERS
from workflows.base.context import Ctx
from workflows.base.transition import STEPS, VERBS, Step, enter

BEGINS_WITH = "demo"
ASKED = ("IN_APPROVAL", "REMOVAL_IN_APPROVAL", "SIGNING")  # while others decide
# Verbs of what is decided on that need no decision of their own record, and why.
TODAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
FREE = {
    ("cession_statement", "refresh"): "a draft is counted anew",
    ("correction", "correct"): "draws up the paper that is put up for approval",
    ("correction", "purge"): "draws up the paper that is put up for approval",
    ("correction", "revoke"): "draws up the paper that is put up for approval",
    ("counter_guarantee", "unlink"): "sets the asset behind a draft free",
    ("counter_guarantee", "take_over"): "what secured the former loan is drawn up anew, as drafts",
    ("history_batch", "go_on"): "rows of a draft go on being read",
    ("project", "by_bank"): "who leads a project of a scheme is agreed with the bank",
    ("project", "confirm_small"): "小微属性 is confirmed by a second person",
    ("project", "correct_small"): "小微属性 is asked to be corrected",
    ("project", "hand_over"): "who leads a project changes with the people",
}


def subjects() -> list[str]:
    """The tables whose records are put up, themselves or by the project they belong to."""
    waits = {step.table for step in STEPS.values() for to in step.targets if to.name in ASKED}
    return sorted(waits | {"resolution"})


def free_states(table: str, column: str) -> set[str]:
    """The states that a record comes to without anybody else having decided."""
    steps = [one for one in STEPS.values() if (one.table, one.column) == (table, column)]
    kind = facts_of(columns_of(entity_of(table))[column])
    assert kind.choices is not None
    found = {kind.default.name} if kind.default is not None else {"DRAFT"}
    while True:
        more = {
            to.name
            for one in steps
            for source in one.sources
            if source.name in found and source.name not in ASKED
            for to in one.targets
        }
        if more <= found:
            return found
        found |= more


def decided_states(table: str) -> set[str]:
    """The states that only a decision gives."""
    column = entity_of(table).spec.state or "state"
    choices = facts_of(columns_of(entity_of(table))[column]).choices
    return {one.name for one in choices} - free_states(table, column)


def needing() -> dict[tuple[str, str], str]:
    """(table, verb) of what needs a decision: by its sources, or because it carries out what was decided."""
    found = {}
    for table in subjects():
        decided = decided_states(table)
        for (of, verb), one in VERBS.items():
            if of != table or (of, verb) in FREE or verb in ("add", "edit", "delete", "submit"):
                continue
            if not isinstance(one, Step) or {s.name for s in one.sources} <= decided:
                found[of, verb] = one.label
    return found


NEEDING = sorted(needing())


def test_the_verbs_that_need_a_decision_are_known():
    """A new verb on what is decided upon needs a decision, unless FREE says why not."""
    assert {("contract", "void"), ("loan_change", "pay"), ("seal_request", "stamp")} <= {*NEEDING}
    assert decided_states("release") == {"APPROVED", "REJECTED"} | (
        decided_states("release") & {"VOID"}
    )
    plain = {key for key, one in VERBS.items() if not isinstance(one, Step)}
    assert FREE.keys() <= plain, "no longer there"
    unknown = {
        key
        for key in NEEDING
        if key not in {(b.step.table, b.step.verb) for b in REGISTRY.values()}
    }
    assert unknown == set(), "a verb that no button takes"


def test_every_kind_of_approval_is_about_a_record():
    assert [code for code in _HANDLERS if node_fields.subject(code) is None] == []


def undecided(session, table: str) -> Iterator[object]:
    """A record in each state in which nobody has decided yet: one of the demonstration, or one set back to it."""
    model = entity_of(table)
    column = model.spec.state or "state"
    for state in facts_of(columns_of(model)[column]).choices:
        if state.name in decided_states(table):
            continue
        of = getattr(model, column)
        found = session.scalars(select(model).where(of == state).limit(1)).first()
        yield found if found is not None else _set_back(session, model, column, state)


def _set_back(session, model, column, state):
    """One of its records in another state; None where the table itself keeps such a record out."""
    for found in session.scalars(select(model).limit(40)).all():
        try:
            with session.begin_nested():
                row = update(model).where(model.id == found.id).values({column: state})
                session.execute(row.execution_options(synchronize_session=False))
        except IntegrityError:
            continue
        session.refresh(found)
        return found
    return None


def answers(button, ctx, record) -> dict[str, object]:
    """What a form would send: something of the right kind for each question."""
    found: dict[str, object] = {"reason": "理由"} if button.ask else {}
    for name, question in button.questions(ctx, record).items():
        if isinstance(question, Upload):
            found[name] = ("文件.pdf", b"%PDF-1.4")
            continue
        facts = facts_of(question.column)
        kinds = {"money": Decimal(1), "rate": Decimal(1), "int": 1, "date": ctx.today, "bool": True}
        value = kinds.get(facts.kind, "说明")
        if facts.choices is not None:
            value = next(iter(facts.choices))
        found[name] = 1 if facts.kind == "reference" else value
    return found


def buttons_of(key: tuple[str, str]):
    return [one for one in REGISTRY.values() if (one.step.table, one.step.verb) == key]


@pytest.fixture
def looking(demo_app):
    """A look into the demonstration that leaves nothing behind."""
    with demo_app.session() as session:
        session.rollback()
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        state = SimpleNamespace(session=session, ctx=lambda actor: Ctx(session, actor, TODAY, NOW))
        yield state
        session.rollback()


@pytest.mark.parametrize("key", NEEDING, ids=".".join)
def test_a_verb_refuses_where_nobody_has_decided(looking, key):
    """Called itself, with every right: neither state, nor right, nor the way in makes up for the decision."""
    session, tried = looking.session, 0
    for record in undecided(session, key[0]):
        for button in buttons_of(key):
            ctx = looking.ctx(SYSTEM)
            if record is None:
                tried += 1  # the table itself keeps such a record out
                continue
            if button.on != key[0]:
                continue
            with pytest.raises(BusinessError), session.begin_nested():
                button.press(ctx, record, answers(button, ctx, record), record.version)
            tried += 1
            session.expire_all()
    assert tried


# ------------------------------------------------------------------------------------------- stage x action x role
STEPPED = sorted(
    {
        button.step
        for button in REGISTRY.values()
        if isinstance(button.step, Step) and button.on == button.step.table
    },
    key=lambda step: (step.table, step.verb),
)


@each("step", STEPPED)
def test_no_step_is_taken_from_a_state_that_its_table_does_not_name(looking, step):
    """Every action in every state outside its sources, with every right: refused, whatever its button shows."""
    session, model = looking.session, entity_of(step.table)
    for state in facts_of(columns_of(model)[step.column]).choices:
        if state in step.sources:
            continue
        of = getattr(model, step.column)
        found = session.scalars(select(model).where(of == state).limit(1)).first()
        record = found or _set_back(session, model, step.column, state)
        for button in REGISTRY.values():
            if record is None or button.step is not step or button.on != step.table:
                continue
            ctx = looking.ctx(SYSTEM)
            with pytest.raises(BusinessError), session.begin_nested():
                button.press(ctx, record, answers(button, ctx, record), record.version)
            session.expire_all()


def actors(product) -> dict[str, Actor]:
    """One person of every set of roles."""
    found = {names: username for username, _, _, _, names in reversed(PEOPLE)}
    return {username: product.actor_of(username) for username in found.values()}


def expected(session, actor, step, record) -> type[BusinessError] | None:
    """What the tables say of somebody who takes a step on a record: right, reach, then the state."""
    if not actor.may(*step.permission):
        return NotAllowed
    if not is_visible(session, actor, record):
        return NotFound
    if not may_act(session, actor, step.permission, record):
        return NotAllowed
    return None if getattr(record, step.column) in step.sources else IllegalTransition


def test_stage_action_and_role_say_together_who_may_what(demo_app, looking):
    """The whole matrix: every step on a record in each state by a person of every role, legal and illegal."""
    session, seen = looking.session, dict[object, int]()
    people = actors(demo_app)
    for step in (one for one in STEPS.values() if not one.follows):
        model = entity_of(step.table)
        of = getattr(model, step.column)
        for state in facts_of(columns_of(model)[step.column]).choices:
            record = session.scalars(select(model).where(of == state).limit(1)).first()
            if record is None:
                continue
            for actor in people.values():
                wanted = expected(session, actor, step, record)
                seen[wanted] = seen.get(wanted, 0) + 1
                assert refusal(looking.ctx(actor), step, record) is wanted, (
                    step.table,
                    step.verb,
                    state.name,
                    actor.name,
                )
    assert min(seen[key] for key in (None, NotAllowed, NotFound, IllegalTransition)) > 10, seen


def refusal(ctx, step, record) -> type[BusinessError] | None:
    try:
        enter(ctx, step, record)
    except BusinessError as error:
        return type(error)
    return None


# ----------------------------------------------------------------------------------------------- the other entrances
@pytest.mark.parametrize("table", subjects())
def test_no_form_and_no_program_writes_a_decision(demo, table):
    """Form, REST and many at once: the state that only a decision gives is not written, by whoever may write most."""
    model = entity_of(table)
    column = model.spec.state or "state"
    with demo.session() as session:
        waits = getattr(model, column).not_in(
            [
                one
                for one in facts_of(columns_of(model)[column]).choices
                if one.name in decided_states(table)
            ]
        )
        record = session.scalars(select(model).where(waits).limit(1)).first()
        record = record or _set_back(
            session,
            model,
            column,
            next(one for one in facts_of(columns_of(model)[column]).choices if one.name in ASKED),
        )
        if record is None:
            return  # the table itself keeps such a record out
        session.commit()
        key, before, version = record.id, getattr(record, column), record.version
        count = session.scalar(select(func.count()).select_from(model))
    many = [verb for of, verb in NEEDING if of == table]
    for username in writers(table):
        client = demo.client_of(username)
        token = demo.token(client)
        for decided in sorted(decided_states(table)):
            told = {column: decided, "version": str(version), "csrf_token": token}
            forms = [client.post(f"/{table}/{path}", data=told) for path in (f"edit/{key}", "add")]
            forms += [
                client.post(f"/{table}/bulk/{verb}", data={**told, "keys": f"{key}.{version}"})
                for verb in many
            ]
            sent = {"headers": {"X-CSRFToken": token}}
            body = {column: decided, "version": version}
            rest = [client.put(f"/api/v1/{table}/{key}", json=body, **sent)]
            rest += [client.post(f"/api/v1/{table}/", json=body, **sent)]
            assert all(400 <= answer.status_code < 500 for answer in rest), rest
            assert all(answer.status_code < 500 for answer in forms), forms
    with demo.session() as session:
        assert getattr(session.get_one(model, key), column) is before
        assert session.scalar(select(func.count()).select_from(model)) == count


def writers(table: str) -> list[str]:
    """People who may write most of a table, two of them."""
    able = [one for one in readers() if table in one.tables]
    return [one.username for one in able][:2]
