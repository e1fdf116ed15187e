"""4.3 召集审保会: one save calls the meeting with its agenda and its members, or nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.base.errors import BusinessError, Conflict, FieldErrors, NotFound
from models.base.paper import PaperState
from models.guarantee.appraisal import Advice, InvestigationReport
from models.guarantee.project import ProjectState, Stage
from models.guarantee.resolution import MeetingItem, MeetingMember, MeetingState, ReviewMeeting
from reports.workbench.todo import waiting_for_agenda
from tests.workflows.guarantee.factories import BOARD, MANAGER, SECRETARY
from workflows.guarantee import convening, resolution

STAGES = (Stage.RESOLVE,)


@pytest.fixture
def projects(line):
    """Three projects before the board."""
    found = [line.at(Stage.RESOLVE), line.apply(), line.apply()]
    for one in found[1:]:
        one.state, one.stage = ProjectState.RUNNING, Stage.RESOLVE
    line.session.flush()
    return found


def convene(line, *projects, members=BOARD, puts=None, is_opened=False, **facts):
    facts = {
        "held_on": line.today,
        "place": "第一会议室",
        "chair_id": line.id(members[0]),
        "secretary_id": line.id(SECRETARY),
        **facts,
    }
    puts = puts or [convening.Put(one.id) for one in projects]
    people = [line.id(name) for name in members]
    return convening.convene(line.ctx(SECRETARY), facts, puts, people, is_opened=is_opened)


def waiting(line):
    ctx = line.ctx(SECRETARY)
    return [one.id for one in waiting_for_agenda(line.session, ctx.actor)]


def count(line, model):
    return line.session.scalar(select(func.count()).select_from(model))


def test_what_waits_is_called_with_the_terms_that_were_applied_for(line, projects):
    assert set(waiting(line)) == {one.id for one in projects}
    meeting = convene(line, *projects)
    terms = [(i.seq, i.project_id, i.advised_amount, i.advised_months) for i in line.items(meeting)]
    assert terms == [(n, p.id, p.amount, p.term_months) for n, p in enumerate(projects, 1)]
    called = (
        select(MeetingMember.employee_id)
        .where(MeetingMember.meeting_id == meeting.id)
        .order_by(MeetingMember.id)
    )
    assert list(line.session.scalars(called)) == [line.id(name) for name in BOARD]
    assert not set(waiting(line)) & {one.id for one in projects}


def test_a_project_that_is_on_another_agenda_by_now_is_named_and_nothing_is_called(line, projects):
    first, second = projects[:2]
    convene(line, second)
    said = rf"{second.number} 已列入另一次审保会的议题；会议未召集"
    with pytest.raises(Conflict, match=said) as caught, savepoint(line):
        convene(line, first, second)
    assert caught.value.field == convening.PROJECTS
    assert (count(line, ReviewMeeting), first.id in waiting(line)) == (1, True)


def test_only_the_board_is_called_and_no_more_than_its_number(line):
    project = line.at(Stage.RESOLVE)
    with pytest.raises(BusinessError, match="不是审保会委员") as caught, savepoint(line):
        convene(line, project, members=(*BOARD, MANAGER))
    assert caught.value.field == convening.MEMBERS
    with pytest.raises(BusinessError, match="最多 7 人，已勾选 8 人"), savepoint(line):
        convene(line, project, members=(*BOARD, *(BOARD[0],) * (8 - len(BOARD))))
    with pytest.raises(NotFound), savepoint(line):
        convene(line, type("Gone", (), {"id": 10**9})())
    assert (count(line, ReviewMeeting), count(line, MeetingItem)) == (0, 0)


def test_what_the_investigation_advised_is_put_forward_never_more_than_was_applied_for(
    line, projects
):
    """The report of the first advises less; that of the second more, which is cut to what was applied for."""
    first, second, third = projects
    reports = select(InvestigationReport).where(InvestigationReport.project_id == first.id)
    report = line.session.scalars(reports).one()
    report.advised_amount, report.advised_months = Decimal(3_000_000), 6
    second.stage = third.stage = Stage.EVALUATE
    more = line.report(second, advised_months=36)
    more.advised_amount = second.amount + 1
    more.state = PaperState.APPROVED
    against = line.report(third, advised_amount="1", advice=Advice.OPPOSE)
    against.state = PaperState.APPROVED
    second.stage = third.stage = Stage.RESOLVE
    line.session.flush()
    meeting = convene(line, third, second, first)
    terms = [(i.project_id, i.advised_amount, i.advised_months) for i in line.items(meeting)]
    assert terms == [
        (third.id, third.amount, third.term_months),
        (second.id, second.amount, second.term_months),
        (first.id, Decimal(3_000_000), 6),
    ]


def test_terms_that_cannot_be_are_said_at_their_lines_all_at_once(line, projects):
    first, second, third = projects
    puts = [
        convening.Put(first.id, "9,999,999,999.99", "12"),
        convening.Put(second.id, "零", "0"),
        convening.Put(third.id, "1,000,000.00", str(third.term_months + 1)),
    ]
    with pytest.raises(FieldErrors) as caught, savepoint(line):
        convene(line, puts=puts)
    assert set(caught.value.field_errors) == {
        f"amount-{first.id}",
        f"amount-{second.id}",
        f"months-{second.id}",
        f"months-{third.id}",
    }
    assert count(line, ReviewMeeting) == 0
    meeting = convene(line, puts=[convening.Put(third.id, "1,000,000.00", "6")])
    assert [(i.advised_amount, i.advised_months) for i in line.items(meeting)] == [
        (Decimal(1_000_000), 6)
    ]


def test_a_meeting_of_today_is_called_and_opened_at_once_one_of_another_day_is_not(line, projects):
    meeting = convene(line, *projects, is_opened=True)
    assert meeting.state is MeetingState.OPEN
    resolution.withdraw_item(line.ctx(SECRETARY), line.items(meeting)[0], "补充资料")
    for refused, field, facts in (
        ("到期后才能表决", "held_on", {"held_on": line.today + timedelta(days=1)}),
        ("应为 5 至 7 人，现有 4 人", convening.MEMBERS, {"members": BOARD[:4]}),
    ):
        with pytest.raises(BusinessError, match=refused) as caught, savepoint(line):
            convene(line, projects[0], is_opened=True, **facts)
        assert caught.value.field == field
    with pytest.raises(BusinessError, match="没有议题") as caught, savepoint(line):
        convene(line, is_opened=True)
    assert (caught.value.field, count(line, ReviewMeeting)) == (convening.PROJECTS, 1)


def savepoint(line):
    """What a request is: all of it, or nothing."""
    return line.session.begin_nested()
