"""Questions about approvals: the dry run, the inbox, the history of a record, and who may read what they decided."""

from decimal import Decimal

import pytest
from sqlalchemy import event, select

from models.approval.approval import ApprovalInstance, ApprovalPosition
from models.customer.customer import CorporateCustomer, Customer
from models.guarantee.project import Project
from reports.base.scope import is_visible, scoped
from reports.figures import approvals, flow_trial
from reports.figures.approvals import Facts
from tests.workflows.approval_world import World


@pytest.fixture
def world(session):
    return World(session)


def counted(session, question):
    """How many statements a question sends, and its answer."""
    sent = []
    connection = session.connection()

    def note(_conn, _cursor, statement, *_):
        sent.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    answer = question()
    event.remove(connection, "before_cursor_execute", note)
    return len(sent), answer


def tried(world, facts, **told):
    flow = approvals.matching(world.session, "loan.test", facts)
    return flow_trial.preview(world.session, flow, facts, **told)


def test_the_dry_run_names_flow_steps_and_people(world):
    position = world.position("risk", "乙", "甲")
    flow = world.flow(
        world.node(10, position),
        world.node(20, skip_below=Decimal(5_000_000)),
        world.node(30, world.position("boss", "丙"), approve_limit=Decimal(9_000_000)),
    )
    facts = Facts(Decimal(1_000_000), department_id=world.branch.id)
    found = tried(world, facts)
    assert (found.flow, found.problem) == (flow, "")
    assert [(s.step.node.seq, s.step.is_skipped, s.people) for s in found.steps] == [
        (10, False, ("甲", "乙")),
        (20, True, ("经理",)),
        (30, False, ("丙",)),
    ]
    assert found.steps[-1].step.is_last


def test_the_dry_run_says_what_would_refuse_the_submission(world):
    assert tried(world, Facts()).problem == "没有适用的已发布流程"
    world.flow(world.node(10, world.position("risk", "甲"), approve_limit=Decimal(100)))
    found = tried(world, Facts(Decimal(101), department_id=world.branch.id))
    assert "审批限额" in found.problem
    found = tried(world, Facts(Decimal(100)), applicant_id=world.id("甲"))
    assert "岗位“risk岗”" in found.problem
    assert tried(world, Facts(Decimal(100))).problem == ""


def test_a_department_without_a_manager_is_named(world):
    world.branch.manager_id = world.head.manager_id = None
    world.flow(world.node(10))
    found = tried(world, Facts(department_id=world.branch.id))
    assert "申请部门的负责人" in found.problem
    assert "岗位“”" in approvals.nobody(
        world.session, world.node(20, ApprovalPosition(id=None)), None
    )


def test_the_inbox_takes_one_query_however_full(world):
    world.flow(world.node(10, world.position("risk", "甲"), hours_limit=1), world.node(20))
    people = [world.people[name] for name in ("申请人", "经理", "总监", "乙", "丙", "丁")]
    for person in people:
        world.start(record=person)
    world.session.expire_all()
    actor = world.actor("甲")

    def read():
        return [
            (t.instance.title, t.node.name, t.instance.applicant.name)
            for t in approvals.my_tasks(world.session, actor)
        ]

    count, rows = counted(world.session, read)
    assert (count, len(rows)) == (1, 6)
    assert approvals.my_tasks(world.session, world.actor("丙")) == []
    world.approve(approvals.history(world.session, people[0])[0], "甲")
    assert len(approvals.my_tasks(world.session, actor)) == 5
    assert [task.instance.record_id for task in approvals.my_decisions(world.session, actor)] == [
        people[0].id
    ]


def test_the_history_of_a_record_takes_a_fixed_number_of_queries(world):
    world.flow(world.node(10, world.position("risk", "甲", "乙")), world.node(20))
    for _ in range(3):
        found = world.start()
        world.approve(found, "甲")
        world.reject(found, "经理")
    world.session.expire_all()

    def read():
        return [
            (
                i.title,
                i.flow.name,
                [
                    (t.node.name, t.assignee.name, t.decided_by and t.decided_by.name)
                    for t in i.tasks
                ],
            )
            for i in approvals.history(world.session, world.branch)
        ]

    world.session.refresh(world.branch)
    count, rows = counted(world.session, read)
    assert (count, len(rows), len(rows[0][2])) == (2, 3, 3)
    assert approvals.running(world.session, world.branch) is None


def test_whoever_had_a_task_may_read_the_approval(world):
    world.flow(world.node(10, world.position("risk", "甲")), world.node(20))
    found = world.start()
    world.approve(found, "甲")
    for name, sees in (("申请人", True), ("甲", True), ("经理", True), ("丙", False)):
        query = scoped(select(ApprovalInstance), ApprovalInstance, world.actor(name))
        assert (world.session.scalars(query).all() == [found]) is sees, name


def test_whoever_had_a_task_may_read_the_record(world):
    world.flow(world.node(10, world.position("risk", "甲")))
    asked, other = world.customer("丁"), world.customer("丙")
    world.start(record=asked)
    assert is_visible(world.session, world.actor("甲"), asked)
    assert not is_visible(world.session, world.actor("甲"), other)
    assert not is_visible(world.session, world.actor("乙"), asked)
    for model in (Customer, CorporateCustomer):
        assert world.session.scalars(scoped(select(model), model, world.actor("甲"))).all() == [
            asked
        ]
    assert world.session.scalars(scoped(select(Project.id), Project, world.actor("甲"))).all() == []
