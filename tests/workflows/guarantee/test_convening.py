"""4.3 召集审保会: one save calls the meeting with its agenda and its members, or nothing."""

import pytest
from sqlalchemy import func, select

from models.base.errors import BusinessError, Conflict, NotFound
from models.guarantee.project import ProjectState, Stage
from models.guarantee.resolution import MeetingItem, MeetingMember, ReviewMeeting
from reports.workbench.todo import waiting_for_agenda
from tests.workflows.guarantee.factories import BOARD, MANAGER, SECRETARY
from workflows.guarantee import convening

STAGES = (Stage.RESOLVE,)


@pytest.fixture
def projects(line):
    """Three projects before the board."""
    found = [line.at(Stage.RESOLVE), line.apply(), line.apply()]
    for one in found[1:]:
        one.state, one.stage = ProjectState.RUNNING, Stage.RESOLVE
    line.session.flush()
    return found


def convene(line, *projects, members=BOARD):
    facts = {
        "held_on": line.today,
        "place": "第一会议室",
        "chair_id": line.id(members[0]),
        "secretary_id": line.id(SECRETARY),
    }
    people = [line.id(name) for name in members]
    return convening.convene(line.ctx(SECRETARY), facts, [one.id for one in projects], people)


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


def savepoint(line):
    """What a request is: all of it, or nothing."""
    return line.session.begin_nested()
