"""Two at once about merging: crossing merges, both ends of a chain, and an application for who is being merged."""

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.customer.customer import Customer, CustomerStatus
from models.customer.financial_statement import FinancialStatement
from models.customer.merge import CustomerMerge
from models.guarantee.project import Project
from tests.workflows.at_once import DONE, together
from tests.workflows.guarantee.factories import MANAGER, PEOPLE, Line, prepare
from workflows.approval import approval
from workflows.customer import merging

ROUNDS = 3


@pytest.fixture(scope="module")
def company(engine):
    """The people of the company, once."""
    prepare(engine)


def triple(engine):
    """Three records of one company, of which one at most has a statement."""
    with Session(engine) as session:
        line = Line(session)
        made = [line.customer(f"并发{n}有限公司{line.made}") for n in range(3)]
        ids = [one.id for one in made]
        session.execute(
            delete(FinancialStatement).where(FinancialStatement.corporate_customer_id.in_(ids[1:]))
        )
        session.execute(
            update(Customer).where(Customer.id.in_(ids)).values(number=Customer.number + "并发")
        )
        session.commit()
    return ids


def asked(engine, merged_id, kept_id):
    """A merge that waits for its last decision; its number."""
    with Session(engine) as session:
        line = Line(session)
        merged = session.get_one(Customer, merged_id)
        paper = merging.merge(line.ctx(MANAGER), merged, kept_id, "重复登记", merged.version)
        line.decide(paper)
        session.commit()
        return paper.id


def asking(merged_id, kept_id):
    """Somebody asks for a merge."""

    def act(session):
        line, merged = Line(session), session.get_one(Customer, merged_id)
        merging.merge(line.ctx(MANAGER), merged, kept_id, "重复登记", merged.version)

    return act


def last_word(paper_id):
    """Whoever is asked last agrees."""

    def act(session):
        line = Line(session)
        query = (
            select(ApprovalTask)
            .join(ApprovalTask.instance)
            .where(
                ApprovalInstance.table_name == "customer_merge",
                ApprovalInstance.record_id == paper_id,
                ApprovalInstance.state == ApprovalState.RUNNING,
                ApprovalTask.state == TaskState.PENDING,
            )
        )
        task = session.scalars(query).first()
        names = {line.id(name): name for name in PEOPLE}
        approval.decide(line.ctx(names[task.assignee_id]), task, approval.Decision.APPROVE)

    return act


def standing(engine, ids):
    with Session(engine) as session:
        found = [session.get_one(Customer, key) for key in ids]
        return [(one.status, one.merged_into_id) for one in found]


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("turn", range(ROUNDS))
def test_of_two_that_cross_one_is_asked_for(engine, turn):
    del turn
    a, b, _ = triple(engine)
    assert together(engine, [asking(a, b), asking(b, a)]).count(DONE) == 1
    with Session(engine) as session:
        query = select(CustomerMerge).where(CustomerMerge.merged_id.in_((a, b)))
        assert len(session.scalars(query).all()) == 1


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("turn", range(ROUNDS))
def test_two_into_one_both_go_over(engine, turn):
    del turn
    a, b, c = triple(engine)
    papers = [asked(engine, b, a), asked(engine, c, a)]
    assert together(engine, [last_word(one) for one in papers]) == [DONE, DONE]
    assert standing(engine, [a, b, c]) == [
        (CustomerStatus.ACTIVE, None),
        (CustomerStatus.MERGED, a),
        (CustomerStatus.MERGED, a),
    ]


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("turn", range(ROUNDS))
def test_an_application_beside_a_merge_points_to_nobody_who_is_gone(engine, turn):
    del turn
    a, b, _ = triple(engine)
    paper = asked(engine, b, a)

    def apply(session):
        Line(session).apply(customer_id=b)

    found = together(engine, [last_word(paper), apply])
    assert DONE in found
    with Session(engine) as session:
        assert session.get_one(Customer, b).status is CustomerStatus.MERGED
        left = session.scalars(select(Project.id).where(Project.customer_id == b)).all()
        assert left == [], "it went over, or was refused"


@pytest.mark.usefixtures("company")
def test_the_same_merge_asked_for_twice_at_once_stands_once(engine):
    a, b, _ = triple(engine)

    assert together(engine, [asking(b, a)] * 3).count(DONE) == 1
    with Session(engine) as session:
        query = select(CustomerMerge).where(CustomerMerge.merged_id == b)
        assert len(session.scalars(query).all()) == 1
