"""The same button pressed by several people at the same moment: it is done once, and nothing stands there twice."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.guarantee.appraisal import BankLetter, InvestigationReport, LetterKind
from models.guarantee.project import Project, Stage
from models.guarantee.release import Release
from models.guarantee.resolution import MeetingItem, ReviewMeeting
from models.guarantee.signing import Contract, Fee, Receipt
from models.guarantee.termination import Termination
from tests.workflows.at_once import DONE, together
from tests.workflows.guarantee.factories import MANAGER, SECRETARY, Line, prepare
from workflows.base import records
from workflows.guarantee import contracts, disbursement, fees, resolution

PEOPLE = 3
STAGES = (
    Stage.EVALUATE,
    Stage.RESOLVE,
    Stage.FEE_PLAN,
    Stage.CONTRACT,
    Stage.COUNTER,
    Stage.FEE_COLLECT,
    Stage.NOTICE,
    Stage.IN_FORCE,
)


@pytest.fixture(scope="module")
def ids(engine):
    """The projects by stage, committed; the one before 公司决议 has two meetings to go to."""
    standing = prepare(engine, STAGES)
    with Session(engine) as session:
        line = Line(session)
        for _ in range(2):
            line.meeting()
        line.settle(session.get_one(Project, standing[Stage.NOTICE]))
        session.commit()
    return standing


def at_once(engine, act, people=PEOPLE):
    """Everybody does the same; returns how many succeeded."""
    return together(engine, [act] * people).count(DONE)


def count(engine, query):
    with Session(engine) as session:
        return session.scalar(query)


def test_a_project_comes_before_one_meeting(engine, ids):
    with Session(engine) as session:
        meetings = session.scalars(
            select(ReviewMeeting.id).order_by(ReviewMeeting.id.desc()).limit(2)
        ).all()

    def into(meeting_id):
        def act(session):
            line = Line(session)
            project = session.get_one(Project, ids[Stage.RESOLVE])
            facts = {"advised_amount": project.amount, "advised_months": project.term_months}
            given = {"meeting_id": meeting_id, "project_id": project.id, "seq": 1, **facts}
            records.create(line.ctx(SECRETARY), MeetingItem, given)

        return act

    assert together(engine, [into(one) for one in meetings]) == ["Conflict", DONE]


def test_fees_are_proposed_once(engine, ids):
    def act(session):
        fees.propose_fees(Line(session).ctx(MANAGER), session.get_one(Project, ids[Stage.FEE_PLAN]))

    at_once(engine, act)
    of_project = Fee.project_id == ids[Stage.FEE_PLAN]
    assert count(engine, select(func.count(Fee.id)).where(of_project)) == count(
        engine, select(func.count(Fee.kind.distinct())).where(of_project)
    )


def test_contracts_are_proposed_once(engine, ids):
    def act(session):
        contracts.propose_contracts(
            Line(session).ctx(MANAGER), session.get_one(Project, ids[Stage.CONTRACT])
        )

    at_once(engine, act)
    of_project = Contract.project_id == ids[Stage.CONTRACT]
    assert count(engine, select(func.count(Contract.id)).where(of_project)) == count(
        engine, select(func.count(Contract.kind.distinct())).where(of_project)
    )


def test_of_two_contracts_of_a_kind_one_is_made(engine, ids):
    def act(session):
        line = Line(session)
        project = session.get_one(Project, ids[Stage.COUNTER])
        found = line.contract(project, "GUARANTEE")
        facts = {
            "amount": found.amount,
            "signed_on": line.today,
            "starts_on": line.today,
            "ends_on": found.ends_on,
        }
        given = {"project_id": project.id, "kind": "GUARANTEE", "counterparty": "测试银行", **facts}
        records.create(line.ctx(MANAGER), Contract, given)

    # the one there was is void, and the project back at its contracts
    with Session(engine) as session:
        line = Line(session)
        project = session.get_one(Project, ids[Stage.COUNTER])
        contracts.void(line.ctx(MANAGER), line.contract(project, "GUARANTEE"), "条款有误")
        session.commit()
    assert at_once(engine, act) == 1


def test_an_end_is_asked_for_once(engine, ids):
    def act(session):
        given = {"project_id": ids[Stage.COUNTER], "cause": "CUSTOMER", "reason": "客户不再需要"}
        records.create(Line(session).ctx(MANAGER), Termination, given)

    assert at_once(engine, act) == 1


def test_a_release_is_asked_for_once(engine, ids):
    def act(session):
        given = {
            "project_id": ids[Stage.IN_FORCE],
            "basis": "BANK_LETTER",
            "letter_no": "函1",
            "note": "已结清",
        }
        line = Line(session)
        records.create(line.ctx(MANAGER), Release, {**given, "letter_on": line.today})

    assert at_once(engine, act) == 1


def test_a_report_is_written_once(engine, ids):
    def act(session):
        line = Line(session)
        line.report(session.get_one(Project, ids[Stage.EVALUATE]))

    assert at_once(engine, act) == 1
    of_project = InvestigationReport.project_id == ids[Stage.EVALUATE]
    assert count(engine, select(func.count(InvestigationReport.id)).where(of_project)) == 1


def test_a_fee_is_collected_once(engine, ids):
    with Session(engine) as session:
        fee_id = Line(session).fee(session.get_one(Project, ids[Stage.FEE_COLLECT])).id

    def act(session):
        line = Line(session)
        line.collect(session.get_one(Fee, fee_id))

    assert at_once(engine, act) == 1
    assert count(engine, select(func.count(Receipt.id)).where(Receipt.fee_id == fee_id)) == 1


def test_the_bank_is_told_once_and_again_once(engine, ids):
    def act(session):
        line = Line(session)
        line.today = today
        disbursement.issue_notice(line.ctx(MANAGER), session.get_one(Project, ids[Stage.NOTICE]))

    notices = select(func.count(BankLetter.id)).where(
        BankLetter.project_id == ids[Stage.NOTICE], BankLetter.kind == LetterKind.DISBURSEMENT
    )
    with Session(engine) as session:
        line = Line(session)
        today = line.today
    assert at_once(engine, act) == 1
    assert count(engine, notices) == 1
    with Session(engine) as session:  # it runs out unused, and is issued again
        letter = session.scalars(select(BankLetter).order_by(BankLetter.id.desc())).first()
        letter.valid_until = letter.issued_on
        session.commit()
        today = line.later(days=1)
    assert at_once(engine, act) == 1
    assert count(engine, notices) == 2


def test_a_vote_is_cast_once(engine, ids):
    with Session(engine) as session:
        line = Line(session)
        project = line.project_at(Stage.RESOLVE, customer_id=line.customer("同时表决公司").id)
        meeting = resolution.open_meeting(line.ctx(SECRETARY), line.meeting(project))
        item_id = line.items(meeting)[0].id
        session.commit()

    def act(session):
        item = session.get_one(MeetingItem, item_id)
        resolution.cast(Line(session).ctx("沈一"), item, resolution.VoteChoice.AGREE)

    assert at_once(engine, act) == 1
