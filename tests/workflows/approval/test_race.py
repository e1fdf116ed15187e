"""Two people clicking at the same moment: real threads on real connections, one decision each time."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalState,
    ApprovalTask,
    NodeMode,
    TaskState,
)
from models.base.actor import Actor
from models.base.errors import Conflict
from models.system.organization import Department
from tests.workflows.approval_world import NOW, TODAY, World
from tests.workflows.at_once import together
from workflows.approval import approval
from workflows.approval.approval import Decision
from workflows.base.context import Ctx

BEGINS_WITH = "tables"


@pytest.fixture(scope="module")
def committed(engine):
    """A company whose rows other connections can see."""
    with Session(engine) as session:
        world = World(session)
        position = world.position("risk", "甲", "乙")
        world.flow(world.node(10, position, mode=NodeMode.ANY), world.node(20), code="ANY")
        world.flow(
            world.node(10, position, mode=NodeMode.ALL),
            world.node(20),
            code="ALL",
            amount_from=Decimal(10),
            priority=1,
        )
        ids = {name: person.id for name, person in world.people.items()} | {
            "branch": world.branch.id
        }
        session.commit()
    return ids


def _ctx(session, ids, name):
    return Ctx(
        session, Actor(employee_id=ids[name], name=name, department_id=ids["branch"]), TODAY, NOW
    )


def _submit(engine, ids, amount):
    with Session(engine) as session:
        record = session.get(Department, ids["branch"])
        made = approval.start(
            _ctx(session, ids, "申请人"), "loan.test", record, title="并发", amount=Decimal(amount)
        )
        session.commit()
        return made.id


def _decider(ids, instance_id, name, decision):
    def act(session):
        query = select(ApprovalTask).where(
            ApprovalTask.instance_id == instance_id, ApprovalTask.assignee_id == ids[name]
        )
        task = session.scalars(query.order_by(ApprovalTask.id)).first()
        approval.decide(_ctx(session, ids, name), task, decision, "意见")

    return act


def _finish(engine, ids, instance_id):
    """End the approval, so that the next turn can submit again."""
    with Session(engine) as session:
        task = session.scalars(
            select(ApprovalTask).where(
                ApprovalTask.instance_id == instance_id, ApprovalTask.state == TaskState.PENDING
            )
        ).first()
        if task is not None:
            approval.decide(_ctx(session, ids, "经理"), task, Decision.REJECT, "结束")
        session.commit()


@pytest.mark.parametrize("turn", range(3))
def test_the_same_task_clicked_twice_is_decided_once(engine, committed, turn):
    instance_id = _submit(engine, committed, 1)
    acts = [_decider(committed, instance_id, "甲", Decision.APPROVE) for _ in range(3)]
    assert together(engine, acts) == ["Conflict", "Conflict", "done"]
    with Session(engine) as session:
        assert session.get(ApprovalInstance, instance_id).current_node_seq == 20
        query = (
            select(func.count())
            .select_from(ApprovalTask)
            .where(ApprovalTask.instance_id == instance_id)
        )
        assert session.scalar(query) == 3  # 甲, 乙 and one task for the manager, not two
    _finish(engine, committed, instance_id)


@pytest.mark.parametrize("turn", range(3))
def test_of_two_people_at_an_any_node_one_decides(engine, committed, turn):
    instance_id = _submit(engine, committed, 1)
    clicks = {"甲": Decision.APPROVE, "乙": Decision.REJECT}
    acts = [_decider(committed, instance_id, name, decision) for name, decision in clicks.items()]
    assert together(engine, acts) == ["Conflict", "done"]
    with Session(engine) as session:
        query = (
            select(ApprovalTask.state)
            .where(ApprovalTask.instance_id == instance_id)
            .order_by(ApprovalTask.id)
        )
        states = session.scalars(query).all()[:2]
        assert TaskState.CANCELLED in states
        assert len(set(states)) == 2
    _finish(engine, committed, instance_id)


@pytest.mark.parametrize("turn", range(3))
def test_both_of_a_countersign_count_and_the_next_node_opens_once(engine, committed, turn):
    instance_id = _submit(engine, committed, 100)
    acts = [_decider(committed, instance_id, name, Decision.APPROVE) for name in "甲乙"]
    assert together(engine, acts) == ["done", "done"]
    with Session(engine) as session:
        instance = session.get(ApprovalInstance, instance_id)
        assert instance.flow_id == session.scalar(
            select(ApprovalFlow.id).where(ApprovalFlow.code == "ALL")
        )
        assert (instance.state, instance.current_node_seq) == (ApprovalState.RUNNING, 20)
        assert [task.state for task in instance.tasks] == [
            TaskState.APPROVED,
            TaskState.APPROVED,
            TaskState.PENDING,
        ]
    _finish(engine, committed, instance_id)


def test_two_submissions_of_one_record_start_one_approval(engine, committed):
    def act(session):
        record = session.get(Department, committed["branch"])
        approval.start(
            _ctx(session, committed, "申请人"), "loan.test", record, title="并发", amount=Decimal(1)
        )

    assert together(engine, [act, act]) == [Conflict.__name__, "done"]
