"""Four eyes (X15): what one changes another publishes; until then nothing of it holds."""

from contextlib import contextmanager

import pytest
from sqlalchemy import select

from models.base.errors import Conflict, FieldErrors, IllegalTransition, NotAllowed
from models.system.configuration import ConfigProposal, ConfigVersion, ProposalState
from models.system.setup import Parameter
from reports.figures import parameters
from reports.workbench.todo import todos, waiting
from reports.workbench.todo_source import TodoKind
from tests.workflows.office import audited
from workflows.base import records
from workflows.system import proposals

CODE = "login.max_failures"


@pytest.fixture
def one(session, office):
    return office.ctx(audited(session), "甲")


@pytest.fixture
def two(session, office):
    return office.ctx(session, "乙")


@pytest.fixture
def on(one, monkeypatch):
    """Four eyes for parameters, with two people who may publish."""
    monkeypatch.setattr(proposals, "_is_alone", lambda *_: False)
    for code, value in ((proposals.KINDS, "系统参数"), (proposals.IS_ON, "是")):
        save(one, code, value)
        one.session.commit()


def row(ctx, code):
    query = select(Parameter).where(Parameter.code == code).order_by(Parameter.effective_on)
    return ctx.session.scalars(query).all()[-1]


def save(ctx, code, value):
    ctx.session.info["ctx"] = ctx
    found = row(ctx, code)
    facts = {"value": value, "effective_on": ctx.today}
    records.update(ctx, found, facts, found.version)


@contextmanager
def door(ctx):
    """What the edge does at the end of a request."""
    ctx.session.info["ctx"] = ctx
    ctx.published = None
    try:
        yield
        proposals.hold(ctx)
    except proposals.Held as held:
        ctx.session.rollback()
        proposals.propose(ctx, held.found)
    ctx.session.commit()


def proposed(ctx, value="7", code=CODE):
    with door(ctx):
        save(ctx, code, value)
    query = select(ConfigProposal).order_by(ConfigProposal.id.desc())
    return ctx.session.scalars(query).first()


def held(ctx, code=CODE):
    return parameters.value(ctx.session, code, ctx.today)


def test_nothing_waits_as_the_product_comes(one):
    assert proposed(one) is None
    assert held(one) == "7"


@pytest.mark.usefixtures("on")
def test_what_one_changes_another_publishes(one, two):
    one.reason = "审计要求"
    waits = proposed(one)
    assert (held(one), waits.state, waits.reason) == ("5", ProposalState.PENDING, "审计要求")
    assert waits.summary == "2026-03-02 起 参数值：5 → 7"
    for ctx, number in ((one, 0), (two, 1)):
        found = waiting(ctx.session, ctx.actor, ctx.now, ctx.today)
        assert found.of(TodoKind.CONFIG) == number
    (todo,) = [
        t
        for t in todos(two.session, two.actor, waiting(two.session, two.actor, two.now, two.today))
        if t.kind is TodoKind.CONFIG
    ]
    assert (todo.by, todo.record_id) == ("甲", waits.id)
    with door(one), pytest.raises(NotAllowed, match="您本人提交"):
        proposals.publish(one, waits)
    with door(two):
        proposals.publish(two, waits, waits.version)
    assert (held(two), waits.state, waits.decided_by.name) == ("7", ProposalState.DONE, "乙")
    made = two.session.scalars(select(ConfigVersion).order_by(ConfigVersion.id.desc())).first()
    assert (made.author.name, made.published_by.name, made.reason) == ("甲", "乙", "审计要求")
    with door(two), pytest.raises(IllegalTransition):
        proposals.publish(two, waits)


@pytest.mark.usefixtures("on")
def test_a_change_is_refused_with_a_reason_or_withdrawn(one, two):
    waits = proposed(one)
    with door(two), pytest.raises(NotAllowed, match="只有提交人"):
        proposals.withdraw(two, waits)
    with door(one), pytest.raises(NotAllowed, match="本人"):
        proposals.refuse(one, waits, "不")
    with door(two):
        proposals.refuse(two, waits, "太多")
    assert (waits.state, waits.refusal, held(two)) == (ProposalState.REFUSED, "太多", "5")
    waits = proposed(one)
    with door(one):
        proposals.withdraw(one, waits)
    assert waits.state is ProposalState.WITHDRAWN


@pytest.mark.usefixtures("on")
def test_one_change_of_a_thing_waits_and_a_stale_one_is_refused(one, two):
    waits = proposed(one)
    with pytest.raises(Conflict, match="已有甲提交的变更待发布"):
        proposed(two, "8")
    two.session.rollback()
    system = type(two)(
        two.session, two.actor.__class__(None, "系统", is_system=True), two.today, two.now
    )
    save(system, CODE, "9")
    system.session.commit()
    with door(two), pytest.raises(Conflict, match=r"提交之后.*已被修改（.*5 → 9）"):
        proposals.publish(two, waits)
    assert (held(two), waits.state) == ("9", ProposalState.PENDING)


@pytest.mark.usefixtures("on")
def test_nobody_switches_it_off_alone(one):
    waits = proposed(one, "否", proposals.IS_ON)
    assert waits.summary.endswith("参数值：是 → 否")
    assert held(one, proposals.IS_ON) == "是"


def test_it_is_switched_on_only_where_there_is_a_second_person(one):
    with pytest.raises(FieldErrors, match="不足两人"):
        save(one, proposals.IS_ON, "是")
    one.session.rollback()
    with pytest.raises(FieldErrors, match=r"没有“天气”这种配置，可选：.*系统参数"):
        save(one, proposals.KINDS, "系统参数、天气")
