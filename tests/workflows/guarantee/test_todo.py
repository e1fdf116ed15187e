"""待办: what waits for a person is counted in one query, is listed as counted, and goes when it is done."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from models.base.paper import PaperState
from models.customer.customer import Grade
from models.customer.rating import CustomerRating
from models.customer.rating_model import CustomerKind, RatingModel
from models.guarantee.drawdown import Drawdown
from models.guarantee.loan_change import ChangeKind, LoanChange
from models.guarantee.project import Stage
from models.guarantee.resolution import MeetingMember
from models.guarantee.signing import Fee, FeeWaiver
from models.guarantee.termination import Termination, TerminationCause
from reports.workbench.todo import awaits_agenda, steps_of, todos, waiting
from reports.workbench.todo_papers import paper_sources
from reports.workbench.todo_source import TodoKind
from reports.workbench.todo_sources import NEXT_STEPS
from tests.workflows.guarantee.factories import (
    ACCOUNTANT,
    ASSISTANT,
    BOARD,
    DEPARTMENT_HEAD,
    MANAGER,
    OUTSIDER,
    PEOPLE,
    PRESIDENT,
    RISK,
    RISK_HEAD,
    SECRETARY,
    VICE,
)
from workflows.approval import approval
from workflows.base import records
from workflows.guarantee import appraisal, counters, loan_change, resolution

STAGES = (
    Stage.APPLY,
    Stage.EVALUATE,
    Stage.RISK,
    Stage.RESOLVE,
    Stage.CONTRACT,
    Stage.COUNTER,
    Stage.FEE_COLLECT,
    Stage.IN_FORCE,
)


def waits(line, who, kind=None):
    """(what, number) of all that waits for somebody, after checking the count."""
    ctx = line.ctx(who)
    known = waiting(line.session, ctx.actor, ctx.now, ctx.today)
    found = todos(line.session, ctx.actor, known)
    assert known.total == len(found), who
    return [(one.what, one.number) for one in found if kind in (None, one.kind)]


def told(line, record, kind):
    """(what, number) that the page of a record says of the manager."""
    return [
        (one.what, one.number)
        for one in steps_of(line.session, record, line.today)
        if one.kind is kind and [person.actor.name for person in one.people] == [MANAGER]
    ]


def asked(line, who):
    """What the question of the bell asks, and sends to the database."""
    ctx, sent = line.ctx(who), []

    def note(*args):
        sent.append(args[2])

    event.listen(line.session.connection(), "before_cursor_execute", note)
    waiting(line.session, ctx.actor, ctx.now, ctx.today)
    event.remove(line.session.connection(), "before_cursor_execute", note)
    return sent


def test_every_count_is_what_is_listed_and_takes_one_query(line):
    for who in PEOPLE:
        waits(line, who)
        assert len(asked(line, who)) == 1, who


def test_the_list_stops_at_its_limit(line):
    ctx = line.ctx(MANAGER)
    known = waiting(line.session, ctx.actor, ctx.now, ctx.today)
    assert known.total > 1
    assert len(todos(line.session, ctx.actor, known, 1)) == 1


def test_an_open_vote_waits_for_each_member_until_they_have_voted(line):
    project = line.at(Stage.RESOLVE)
    meeting = line.meeting(project)
    absent = line.session.scalars(
        select(MeetingMember).where(
            MeetingMember.meeting_id == meeting.id, MeetingMember.employee_id == line.id(BOARD[4])
        )
    ).one()
    absent.is_present = False
    assert waits(line, BOARD[0], TodoKind.BALLOT) == []
    resolution.open_meeting(line.ctx(SECRETARY), meeting)
    assert waits(line, BOARD[0], TodoKind.BALLOT) == [("审保会表决", project.number)]
    assert waits(line, BOARD[4], TodoKind.BALLOT) == [], "who is absent has no vote"
    item = line.items(meeting)[0]
    for name in BOARD[:4]:
        assert waits(line, SECRETARY, TodoKind.ANNOUNCE) == []
        resolution.cast(
            line.ctx(name), item, None, "与申请人有亲属关系", withdraw=True
        ) if name == BOARD[0] else resolution.cast(
            line.ctx(name), item, resolution.VoteChoice.AGREE
        )
        assert waits(line, name, TodoKind.BALLOT) == []
    assert waits(line, SECRETARY, TodoKind.ANNOUNCE) == [("宣布表决结果", meeting.number)]


def test_an_item_that_was_taken_off_waits_for_nobody_but_another_agenda(line):
    project = line.at(Stage.RESOLVE)
    meeting = resolution.open_meeting(line.ctx(SECRETARY), line.meeting(project))
    resolution.withdraw_item(line.ctx(SECRETARY), line.items(meeting)[0], "资料未备齐")
    assert waits(line, BOARD[0], TodoKind.BALLOT) == []
    assert waits(line, SECRETARY, TodoKind.ANNOUNCE) == [("宣布表决结果", meeting.number)]
    assert ("列入审保会议题", project.number) in waits(line, SECRETARY)


def test_a_project_waits_for_an_agenda_and_then_for_its_letter(line):
    project = line.at(Stage.RESOLVE)
    assert awaits_agenda(line.session, project)
    assert ("列入审保会议题", project.number) in waits(line, SECRETARY)
    assert ("出具确认函", project.number) not in waits(line, MANAGER)
    line.resolve(project)
    assert not awaits_agenda(line.session, project)
    assert ("列入审保会议题", project.number) not in waits(line, SECRETARY)
    line.approve(line.resolution(project))
    assert ("出具确认函", project.number) in waits(line, MANAGER)
    assert not awaits_agenda(line.session, line.at(Stage.RISK)), "not before the board yet"


def test_a_first_rating_waits_for_somebody_else(line):
    customer = line.at(Stage.APPLY).customer
    model = line.session.scalars(
        select(RatingModel).where(RatingModel.customer_kind == CustomerKind.CORPORATE)
    ).first()
    line.session.add(
        CustomerRating(
            customer_id=customer.id,
            rating_model_id=model.id,
            scores=[],
            total=Decimal(80),
            grade=Grade.AA,
            rated_by_id=line.id(DEPARTMENT_HEAD),
            rated_on=line.today,
        )
    )
    line.session.flush()
    assert waits(line, RISK_HEAD, TodoKind.RATING) == [("等级复评", customer.number)]
    assert waits(line, DEPARTMENT_HEAD, TodoKind.RATING) == [], "not for the one who rated"
    assert waits(line, MANAGER, TodoKind.RATING) == [], "who may not confirm"


def test_risk_is_assessed_once(line):
    project = line.at(Stage.RISK)
    assert waits(line, RISK, TodoKind.RISK) == [("风险评估报告", project.number)]
    paper = line.assessment(project)
    assert waits(line, RISK, TodoKind.RISK) == [("风险评估报告", project.number)], (
        "written, not sent"
    )
    appraisal.submit_risk(line.ctx(RISK), paper, paper.version)
    assert waits(line, RISK, TodoKind.RISK) == []


def test_an_approved_counter_guarantee_waits_to_be_settled(line):
    project = line.at(Stage.FEE_COLLECT)
    found = waits(line, "卫东", TodoKind.SETTLE)
    assert ("反担保落实", project.number) in found
    line.settle(project)
    assert ("反担保落实", project.number) not in waits(line, "卫东", TodoKind.SETTLE)


def test_the_manager_has_the_next_step_while_nobody_decides(line):
    project = line.at(Stage.COUNTER)
    mine = waits(line, MANAGER, TodoKind.NEXT)
    assert (NEXT_STEPS[Stage.APPLY], line.at(Stage.APPLY).number) in mine
    assert (NEXT_STEPS[Stage.COUNTER], project.number) in mine
    assert waits(line, OUTSIDER, TodoKind.NEXT) == []
    line.counter(project)
    counters.submit(line.ctx(MANAGER), project, project.version)
    assert (NEXT_STEPS[Stage.COUNTER], project.number) not in waits(line, MANAGER, TodoKind.NEXT)


def test_an_approval_says_what_about_whom_and_how_late(line):
    project = line.at(Stage.COUNTER)
    line.counter(project)
    counters.submit(line.ctx(MANAGER), project, project.version)
    ctx = line.ctx(VICE)
    known = waiting(line.session, ctx.actor, ctx.now, ctx.today)
    one = todos(line.session, ctx.actor, known)[0]
    assert (one.kind, one.what, one.number, one.by) == (
        TodoKind.TASK,
        "反担保审核",
        project.number,
        MANAGER,
    )
    assert project.customer.name in one.about
    assert known.late == 0
    assert one.due_at is not None
    assert waiting(line.session, ctx.actor, one.due_at + timedelta(minutes=1), ctx.today).late == 1


def test_an_approval_without_a_heading_is_called_by_its_kind(line):
    project = line.at(Stage.EVALUATE)
    instance = approval.start(
        line.ctx(MANAGER),
        "project.review",
        project,
        title="没有冒号的标题",
        amount=project.amount,
        applicant_id=line.id(MANAGER),
    )
    ctx = line.ctx(RISK_HEAD)
    found = todos(line.session, ctx.actor, waiting(line.session, ctx.actor, ctx.now, ctx.today))
    assert [(one.what, one.about) for one in found if one.about == "没有冒号的标题"] == [
        (instance.business_type.label, "没有冒号的标题")
    ]


def test_what_was_sent_back_waits_for_the_manager_until_it_is_handed_in_again(line):
    """Each kind by its own verb, in the inbox and on the pages of paper and project alike; no list names the kinds."""
    project = line.at(Stage.FEE_COLLECT)
    paper = Termination(
        project_id=project.id, number="ZZ1", cause=TerminationCause.BANK, reason="银行"
    )
    line.session.add(paper)
    line.session.flush()
    unsent = [("终止办理提交审批", "ZZ1")]
    assert waits(line, MANAGER, TodoKind.UNSENT) == unsent == told(line, paper, TodoKind.UNSENT)
    paper.state, paper.approved_on, paper.returned_reason = (
        PaperState.APPROVED,
        line.today,
        "账号不符",
    )
    line.session.flush()
    back = [("终止办理退回待重办", "ZZ1")]
    assert waits(line, MANAGER, TodoKind.UNSENT) == []
    assert waits(line, MANAGER, TodoKind.RETURNED) == back
    for record in (paper, project):
        assert told(line, record, TodoKind.RETURNED) == back
    for who in (ASSISTANT, DEPARTMENT_HEAD, ACCOUNTANT):
        assert waits(line, who, TodoKind.RETURNED) == [], "the A角 alone hands it in"
    paper.returned_reason = None
    line.session.flush()
    assert waits(line, MANAGER, TodoKind.RETURNED) == []


def test_a_waiver_that_is_a_draft_again_came_back(line):
    project = line.at(Stage.FEE_COLLECT)
    fee = line.session.scalars(select(Fee).where(Fee.project_id == project.id)).first()
    facts = {"fee_id": fee.id, "amount": Decimal(1), "reason": "优惠", "number": "JM1"}
    paper = FeeWaiver(project_id=project.id, returned_reason="附件不全", **facts)
    line.session.add(paper)
    line.session.flush()
    assert waits(line, MANAGER, TodoKind.RETURNED) == [("费用减免退回待重办", "JM1")]
    assert waits(line, MANAGER, TodoKind.UNSENT) == []


def test_the_draft_of_any_paper_waits_but_not_where_the_stage_leads_to_it(line):
    """A change of a loan that came back from its approval is a draft again, of which no stage of the project tells."""
    project = line.at(Stage.IN_FORCE)
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    facts = {"project_id": project.id, "drawdown_id": loan.id, "kind": ChangeKind.PREPAYMENT}
    facts |= {"effective_on": line.today, "prepaid_amount": Decimal(1_000_000), "reason": "回款"}
    change = records.create(line.ctx(MANAGER), LoanChange, facts)
    unsent = [("存续变更提交审批", change.number)]
    assert waits(line, MANAGER, TodoKind.UNSENT) == unsent == told(line, change, TodoKind.UNSENT)
    assert told(line, project, TodoKind.UNSENT) == unsent
    loan_change.PAPER.submit(line.ctx(MANAGER), change)
    assert waits(line, MANAGER, TodoKind.UNSENT) == []
    line.approve(change)
    early = [("登记提前还款", change.number)]
    assert waits(line, MANAGER, TodoKind.PREPAY) == early == told(line, project, TodoKind.PREPAY)
    loan_change.pay(line.ctx(MANAGER), change, paid_on=line.today, interest=Decimal(0))
    assert waits(line, MANAGER, TodoKind.PREPAY) == []
    drafts = line.draw_up(line.at(Stage.CONTRACT))
    assert {one.state for one in drafts} == {PaperState.DRAFT}
    assert waits(line, MANAGER, TodoKind.UNSENT) == [], "办理合同 stands there already"


def test_a_paper_that_others_hand_in_waits_for_all_who_may(line, monkeypatch):
    """The cashier, say: whoever has the right to and may read the project."""
    monkeypatch.setattr(Termination, "again", "collect")
    monkeypatch.setattr(Termination, "by_manager", False)
    (source,) = [
        one for one in paper_sources() if one.model is Termination and one.kind is TodoKind.RETURNED
    ]
    assert (source.permission, source.holder) == (("collect", "termination"), None)
    assert source.is_scoped


@pytest.mark.parametrize("who", [PRESIDENT, VICE])
def test_who_only_decides_has_no_post_of_their_own(line, who):
    assert waits(line, who) == []
