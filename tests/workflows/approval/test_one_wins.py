"""Twenty at once (A3, A9): whatever verb of an approval they take, exactly one wins and nothing is decided twice."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.base.actor import Actor
from models.base.errors import BusinessError
from models.system.organization import Department
from tests.workflows.approval_world import NOW, TODAY, World
from tests.workflows.at_once import outcomes
from workflows.approval import approval, consult, reassign
from workflows.approval.approval import Decision
from workflows.base.context import Ctx

BEGINS_WITH = "tables"
SESSIONS = 20
ROUNDS = [*range(5), *(pytest.param(n, marks=pytest.mark.long) for n in range(5, 200))]
ADMIN = frozenset({("can_end", "approval_instance"), ("can_reassign", "approval_task")})


@dataclass
class Company:
    """Ids of people whom other connections can see."""

    ids: dict[str, int]
    branch: int
    papers: list[int]  # records that are put up, each once at a time

    def ctx(self, session, name):
        rights = ADMIN if name == "总监" else frozenset()
        actor = Actor(
            employee_id=self.ids[name], name=name, department_id=self.branch, permissions=rights
        )
        return Ctx(session, actor, TODAY, NOW)

    def task(self, session, instance, name):
        """The newest waiting task of a person, else the newest."""
        mine = ApprovalTask.instance_id == instance, ApprovalTask.assignee_id == self.ids[name]
        waits = ApprovalTask.state == TaskState.PENDING
        query = select(ApprovalTask).where(*mine).order_by(waits.desc(), ApprovalTask.id.desc())
        return session.scalars(query).first()


@pytest.fixture(scope="module")
def company(engine):
    with Session(engine) as session:
        world = World(session)
        world.flow(world.node(10, world.position("risk", "甲")))
        papers = [
            world._department(f"P{n}", f"业务{n}", world.branch).id for n in range(len(AT_ONCE))
        ]
        ids = {name: one.id for name, one in world.people.items()}
        found = Company(ids, world.branch.id, papers)
        session.commit()
    return found


@pytest.fixture
def put_up(engine, company):
    """Make approvals, each of a record of its own; what still runs ends with the test."""
    running = []

    def make(before=None):
        with Session(engine) as session:
            record = session.get_one(Department, company.papers[len(running)])
            ctx = company.ctx(session, "申请人")
            one = approval.start(ctx, "loan.test", record, title="并发", amount=None)
            if before is not None:
                before(session, company, one.id)
            session.commit()
            running.append(one.id)
            return one.id

    yield make
    with Session(engine) as session:
        for key in running:
            one = session.get_one(ApprovalInstance, key)
            if one.state is ApprovalState.RUNNING:
                reassign.end(company.ctx(session, "总监"), one, "收尾")
        session.commit()


def decided(decision):
    def act(session, company, instance):
        task = company.task(session, instance, "甲")
        approval.decide(company.ctx(session, "甲"), task, decision, "意见")

    return act


def handed(verb, *opinion):
    def act(session, company, instance):
        task = company.task(session, instance, "甲")
        verb(company.ctx(session, "甲"), task, company.ids["丙"], *opinion)

    return act


def taken_back(session, company, instance):
    consult.take_back(company.ctx(session, "甲"), company.task(session, instance, "丙"), "不用了")


def ended(session, company, instance):
    one = session.get_one(ApprovalInstance, instance)
    reassign.end(company.ctx(session, "总监"), one, "重复")


def withdrawn(session, company, instance):
    approval.withdraw(company.ctx(session, "申请人"), session.get_one(ApprovalInstance, instance))


def moved(session, company, instance):
    task = company.task(session, instance, "甲")
    reassign.reassign(company.ctx(session, "总监"), task, company.ids["丁"], "请假")


AGREE, REFUSE, RETURN = (
    decided(one) for one in (Decision.APPROVE, Decision.REJECT, Decision.RETURN)
)
TRANSFER, ENTRUST = handed(approval.transfer, "转"), handed(consult.entrust, "请看")
ADD = handed(approval.add_signer)
# What twenty people do at once, and what was done before; in a mix any of them may be the one that wins.
AT_ONCE = {
    "同意": ([AGREE], None),
    "否决": ([REFUSE], None),
    "退回": ([RETURN], None),
    "转办": ([TRANSFER], None),
    "委派": ([ENTRUST], None),
    "收回委派": ([taken_back], ENTRUST),
    "加签": ([ADD], None),
    "减签": ([taken_back], ADD),
    "终止": ([ended], None),
    "撤回": ([withdrawn], None),
    "改派": ([moved], None),
    "decided or ended": ([AGREE, REFUSE, RETURN, ended, withdrawn], None),
    "decided or handed on": ([AGREE, REFUSE, RETURN, TRANSFER, ENTRUST, withdrawn, moved], None),
}


@pytest.mark.parametrize("turn", ROUNDS)
def test_of_twenty_who_act_on_one_task_one_wins(engine, company, put_up, turn):
    """Every verb by twenty of its kind, and mixes of those that end the same task."""
    for name, (verbs, before) in AT_ONCE.items():
        instance = put_up(before)
        with Session(engine) as session:
            waiting = states(session, instance).count(TaskState.PENDING)

        def act_of(verb, instance=instance):
            return lambda session: verb(session, company, instance)

        acts = [act_of(verbs[(n + turn) % len(verbs)]) for n in range(SESSIONS)]
        found = outcomes(engine, acts)
        refused = [one for one in found if isinstance(one, Exception)]
        assert len(refused) == SESSIONS - 1, (name, found)
        assert all(isinstance(one, BusinessError) for one in refused), (name, found)
        with Session(engine) as session:
            closed = [s for s in states(session, instance) if s is not TaskState.PENDING]
            before_closed = 1 if before is ENTRUST else 0
            won = 0 if name == "加签" else 1
            assert len(closed) == before_closed + won, (name, closed)
            assert waiting == (2 if before is ADD else 1)


def states(session, instance):
    query = select(ApprovalTask.state).where(ApprovalTask.instance_id == instance)
    return list(session.scalars(query.order_by(ApprovalTask.id)))


@pytest.mark.parametrize("turn", ROUNDS)
def test_of_twenty_batches_each_approval_is_decided_once(engine, company, put_up, turn):
    """批量: each of the batch by itself, in a savepoint; together the batches have decided every one once."""
    keys = [put_up() for _ in range(3)]

    def batch(session):
        done = 0
        for key in keys if turn % 2 else reversed(keys):
            try:
                with session.begin_nested():
                    AGREE(session, company, key)
                done += 1
            except BusinessError:
                continue
        return done

    assert sum(outcomes(engine, [batch] * SESSIONS)) == len(keys)
    with Session(engine) as session:
        for key in keys:
            assert session.get_one(ApprovalInstance, key).state is ApprovalState.APPROVED
            assert states(session, key) == [TaskState.APPROVED]
