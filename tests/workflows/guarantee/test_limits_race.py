"""Several decisions on one limit at the same moment: as many pass as the limit holds, never one too many."""

import time
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalTask, TaskState
from models.base.paper import PaperState
from models.customer.relation import CONTROL, CustomerRelation, RelationState
from models.guarantee.bank import PartnerBank
from models.guarantee.maximum import MaximumContract, MaximumKind, MaximumUse
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import Resolution, ResolutionState
from models.system.records import IssuedDocument
from models.system.setup import Parameter
from reports.figures import exposure
from tests.workflows.at_once import DONE, together
from tests.workflows.guarantee.factories import (
    MANAGER,
    MILLION,
    PRESIDENT,
    SECRETARY,
    Line,
    prepare,
)
from workflows.approval import approval
from workflows.guarantee import disbursement, expiry, stages

PEOPLE = 4
# 4 million of it are the company's own part: 4 % of its net assets of 100 million
AMOUNT = 5 * MILLION
REFUSED = ["BusinessError"] * (PEOPLE - 1) + [DONE]


@pytest.fixture(scope="module")
def waiting(engine):
    """Four projects of four customers at four branches of a bank, each with a resolution before the president."""
    prepare(engine)
    with Session(engine, expire_on_commit=False) as session:
        line = Line(session)
        head = line.bank("并发银行总行", credit_line=None)
        projects = []
        for number in range(PEOPLE):
            customer = line.customer(f"并发第{number}公司")
            bank = line.bank(f"并发银行第{number}支行", credit_line=None, parent_id=head.id)
            projects.append(
                line.project_at(Stage.RESOLVE, customer_id=customer.id, bank_id=bank.id)
            )
        for project in projects:
            line.resolve(project)
        session.commit()
    return [project.id for project in projects]


@pytest.fixture
def _slow_readers(monkeypatch):
    """Whoever has read the limits thinks for a moment before going on: the others would overtake."""
    read = exposure.checks

    def slowly(*args, **kwargs):
        found = read(*args, **kwargs)
        time.sleep(0.02)
        return found

    monkeypatch.setattr(exposure, "checks", slowly)


def set_parameters(session, **values):
    for code, value in values.items():
        session.execute(
            update(Parameter).where(Parameter.code == f"exposure.{code}").values(value=value)
        )


def one_line(session, projects):
    bank = projects[0].bank
    bank.credit_line = AMOUNT + MILLION
    for project in projects:
        project.bank = bank


def a_parents_line(session, projects):
    session.get_one(PartnerBank, projects[0].bank.parent_id).credit_line = AMOUNT + MILLION


def one_party(session, projects):
    set_parameters(session, single_limit_pct="5")
    for project in projects:
        project.customer_id = projects[0].customer_id


def one_group(session, projects):
    set_parameters(session, group_limit_pct="5")
    for project in projects[1:]:
        session.add(
            CustomerRelation(
                customer_id=projects[0].customer_id,
                to_customer_id=project.customer_id,
                kind=CONTROL,
                state=RelationState.CONFIRMED,
            )
        )


def leverage(session, projects):
    set_parameters(session, leverage_limit="0.05", leverage_limit_small="0.05")


def one_maximum(session, projects):
    """A contract up to a limit (最高额) that all four are under; they are one customer's."""
    today = Line(session).today
    maximum = MaximumContract(
        number="并发最高额",
        kind=MaximumKind.ENTRUSTMENT,
        customer_id=projects[0].customer_id,
        counterparty="并发",
        limit_amount=AMOUNT + MILLION,
        signed_on=today,
        starts_on=today,
        ends_on=today,
        state=PaperState.APPROVED,
    )
    for project in projects:
        project.customer_id = projects[0].customer_id
        session.add(MaximumUse(maximum=maximum, project=project, since_on=today))


LIMITS = pytest.mark.parametrize(
    "limit", [one_line, a_parents_line, one_party, one_group, leverage, one_maximum]
)


def play(engine, waiting, limit, rounds):
    """Set the one limit so that it holds one of the projects; sign all at once, again and again."""
    with Session(engine) as session:
        projects = [session.get_one(Project, one) for one in waiting]
        undo = {one.id: (one.bank_id, one.customer_id) for one in projects}
        limit(session, projects)
        session.commit()
    for _ in range(rounds):
        assert together(engine, [signer(one) for one in waiting]) == REFUSED
        with Session(engine) as session:
            assert sum(session.get_one(Project, one).reserved_amount for one in waiting) == AMOUNT
            take_back(session, waiting)
            session.commit()
    restore(engine, undo)


def signer(project_id):
    def act(session):
        instance = Line(session).running(resolution_of(session, project_id))
        query = select(ApprovalTask).where(
            ApprovalTask.instance_id == instance.id, ApprovalTask.state == TaskState.PENDING
        )
        approval.decide(
            Line(session).ctx(PRESIDENT), session.scalars(query).one(), approval.Decision.APPROVE
        )

    return act


def resolution_of(session, project_id):
    return session.scalars(select(Resolution).where(Resolution.project_id == project_id)).one()


def take_back(session, waiting):
    """The signed resolution waits for the president anew, and its paper was never issued."""
    for project_id in waiting:
        found = resolution_of(session, project_id)
        if found.state is ResolutionState.VALID:
            session.execute(delete(IssuedDocument).where(IssuedDocument.number == found.number))
            found.state, found.valid_until, found.project.reserved_amount = (
                ResolutionState.SIGNING,
                None,
                Decimal(0),
            )
            ctx = Line(session).ctx(SECRETARY)
            stages.put_up(
                ctx, "project.president", found, found.project, "总裁签字", amount=found.amount
            )


def restore(engine, undo):
    with Session(engine) as session:
        session.execute(
            update(PartnerBank).where(PartnerBank.name.like("并发银行%")).values(credit_line=None)
        )
        for relation in session.scalars(select(CustomerRelation)):
            session.delete(relation)
        session.execute(delete(MaximumUse))
        session.execute(delete(MaximumContract))
        set_parameters(
            session,
            single_limit_pct="10",
            group_limit_pct="15",
            leverage_limit="10",
            leverage_limit_small="15",
        )
        for project_id, (bank_id, customer_id) in undo.items():
            values = {"bank_id": bank_id, "customer_id": customer_id}
            session.execute(update(Project).where(Project.id == project_id).values(values))
        session.commit()


@LIMITS
@pytest.mark.usefixtures("_slow_readers")
def test_four_signatures_at_once_reserve_what_the_limit_holds(engine, waiting, limit):
    play(engine, waiting, limit, rounds=5)


@pytest.mark.long
@LIMITS
def test_four_signatures_at_once_reserve_what_the_limit_holds_many_times(engine, waiting, limit):
    play(engine, waiting, limit, rounds=200)


@pytest.mark.usefixtures("_slow_readers")
def test_two_drawdowns_under_run_out_resolutions_at_once_keep_to_the_line(engine, waiting):
    """The banks have paid in time; what the resolutions reserved is free again, so both drawdowns ask for the line."""
    with Session(engine) as session:
        line = Line(session)
        bank = line.bank("并发银行放款支行", credit_line=2 * AMOUNT)
        drawn = [
            line.project_at(
                Stage.CONFIRM, customer_id=line.customer(f"放款第{n}公司").id, bank_id=bank.id
            ).id
            for n in range(2)
        ]
        for project_id in drawn:
            expiry.expire(line.ctx(), resolution_of(session, project_id))
        bank.credit_line = AMOUNT + MILLION
        session.commit()

    def confirmer(project_id):
        def act(session):
            line = Line(session)
            project = session.get_one(Project, project_id)
            note = line.note(project, bank_note_no=f"并发{project_id}")
            disbursement.confirm(line.ctx(MANAGER), project, **note)

        return act

    assert together(engine, [confirmer(one) for one in drawn]) == ["BusinessError", DONE]
    with Session(engine) as session:
        states = {session.get_one(Project, one).state for one in drawn}
        assert states == {ProjectState.RUNNING, ProjectState.IN_FORCE}
