"""Transition tables: what is checked before a verb acts, in which order, and where a record may go."""

from datetime import date

import pytest
from sqlalchemy import text

import workflows.registry
from models.base.actor import ScopeLevel
from models.base.errors import BusinessError, IllegalTransition, NotAllowed, NotFound, StaleRecord
from models.customer.partner import JointGroup, PartnerStatus
from workflows.base import transition
from workflows.base.transition import Step, Verb, check_source, enter, move, move_all, steps, verbs

ACTIVE, SUSPENDED, CLOSED = PartnerStatus.ACTIVE, PartnerStatus.SUSPENDED, PartnerStatus.CLOSED
SUSPEND = Step(
    "joint_group", "suspend", "暂停", column="status", sources=(ACTIVE,), targets=(SUSPENDED,)
)
CLOSE = Step(
    "joint_group", "close", "终止", column="status", sources=(ACTIVE, SUSPENDED), targets=(CLOSED,)
)
FOLLOW = Step(
    "joint_group",
    "lapse",
    "到期",
    column="status",
    sources=(ACTIVE,),
    targets=(CLOSED, SUSPENDED),
    follows=True,
)
MAY = frozenset({("can_suspend", "joint_group"), ("can_close", "joint_group")})


@pytest.fixture
def ctx(session, office):
    return office.ctx(session, permissions=MAY)


@pytest.fixture
def group(ctx, office):
    made = JointGroup(
        code="LB01", name="联保体", credit_line=1, department_id=office.departments["业务一部"]
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


def test_an_open_way_may_be_taken(ctx, group):
    enter(ctx, SUSPEND, group, group.version)
    enter(ctx, SUSPEND, group)  # read in this very transaction
    move(SUSPEND, group)
    assert group.status is SUSPENDED


def test_checks_come_in_their_order(ctx, office, group):
    """Permission, scope, version, state: an earlier one hides what later ones would tell."""
    group.status = CLOSED
    ctx.session.flush()
    stale = group.version - 1
    stranger = office.ctx(ctx.session, "丙", permissions=frozenset())
    with pytest.raises(NotAllowed, match="没有“暂停”的权限"):
        enter(stranger, SUSPEND, group, stale)
    outsider = office.ctx(ctx.session, "丙", permissions=MAY)
    with pytest.raises(NotFound, match="不在您的数据范围内"):
        enter(outsider, SUSPEND, group, stale)
    with pytest.raises(StaleRecord):
        enter(ctx, SUSPEND, group, stale)
    with pytest.raises(IllegalTransition, match="联保体“联保体”现为“已终止”，“合作中”时才能暂停"):
        enter(ctx, SUSPEND, group, group.version)
    with pytest.raises(IllegalTransition, match="“合作中、暂停合作”时才能终止"):
        check_source(CLOSE, group)
    assert (
        office.ctx(ctx.session, "丙", permissions=MAY, scope=ScopeLevel.ALL).actor.scope
        is ScopeLevel.ALL
    )


def test_a_move_begins_and_ends_where_the_table_says(group):
    with pytest.raises(IllegalTransition, match="“到期”不能到“合作中”"):
        move(FOLLOW, group, ACTIVE)
    assert group.status is ACTIVE
    move(FOLLOW, group)
    assert group.status is CLOSED  # the first of several
    with pytest.raises(IllegalTransition, match="“合作中”时才能到期"):
        move(FOLLOW, group, SUSPENDED)
    assert group.status is CLOSED
    group.status = ACTIVE
    move(FOLLOW, group, SUSPENDED)
    assert group.status is SUSPENDED


def test_rows_are_moved_at_once_from_where_the_table_says(ctx, group):
    before, mine = group.version, JointGroup.id == group.id
    with pytest.raises(IllegalTransition, match="“到期”不能到“合作中”"):
        move_all(ctx.session, FOLLOW, mine, target=ACTIVE, facts={})
    assert move_all(ctx.session, FOLLOW, mine, target=SUSPENDED, facts={"name": "甲组"}) == 1
    assert move_all(ctx.session, FOLLOW, mine, facts={}) == 0, (
        "the second of two finds nothing left to move"
    )
    ctx.session.refresh(group)
    assert (group.status, group.name, group.version) == (SUSPENDED, "甲组", before + 1)


def test_a_table_registers_its_permissions_and_not_those_of_what_follows(monkeypatch):
    monkeypatch.setattr(transition, "STEPS", {})
    monkeypatch.setattr(transition, "VERBS", {})
    assert steps(SUSPEND, FOLLOW) == {"suspend": SUSPEND, "lapse": FOLLOW}
    verbs("joint_group", {"print": "打印"})
    assert set(transition.STEPS) == {("joint_group", "suspend"), ("joint_group", "lapse")}
    assert {
        ("joint_group", "suspend"): SUSPEND,
        ("joint_group", "print"): Verb("joint_group", "print", "打印"),
    } == transition.VERBS


def test_a_version_is_asked_for_before_the_state_is_told(ctx, group):
    ctx.session.execute(text("UPDATE joint_group SET version = 5"))
    ctx.session.refresh(group)
    with pytest.raises(StaleRecord):
        enter(ctx, SUSPEND, group, 4)
    enter(ctx, SUSPEND, group, 5)


def test_the_registry_brings_every_workflow_into_force():
    names = {module.__name__ for module in workflows.registry.MODULES}
    wanted = {
        "workflows.system.setup",
        "workflows.guarantee.contracts",
        "workflows.ledger.posting",
        "workflows.base",
    }
    assert wanted <= names
    assert "workflows.registry" not in names
    assert all(
        isinstance(step.sources, tuple) and step.targets for step in transition.STEPS.values()
    )


def test_a_unit_of_work_asks_its_actor(ctx):
    ctx.require("suspend", "joint_group", "暂停")
    with pytest.raises(NotAllowed, match="没有“delete”的权限"):
        ctx.require("delete", "joint_group")
    with pytest.raises(BusinessError):
        ctx.require("suspend", "project", "暂停")
    assert ctx.today == date(2026, 3, 2)
