"""4.3 审保会: who has a part stays out, quorum and ratio at their edges, and the papers that a result leaves."""

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, NotAllowed
from models.guarantee.appraisal import RiskAssessment
from models.guarantee.project import Stage
from models.guarantee.resolution import (
    ItemState,
    MeetingMember,
    Resolution,
    ResolutionState,
    VoteChoice,
)
from models.system.records import IssuedDocument
from models.system.setup import Parameter
from reports.figures.board import parts_in, turnouts
from tests.workflows.guarantee.factories import BOARD, PRESIDENT, SECRETARY
from workflows.base import records
from workflows.guarantee import board, resolution

STAGES = (Stage.RESOLVE,)
FOR, NO, LATER = VoteChoice.AGREE, VoteChoice.OPPOSE, VoteChoice.DEFER
SEVEN = (*BOARD, "沈六", "沈七")


@pytest.fixture
def project(line):
    return line.at(Stage.RESOLVE)


def opened(line, project, members=BOARD):
    meeting = resolution.open_meeting(line.ctx(SECRETARY), line.meeting(project, members=members))
    return meeting, line.items(meeting)[0]


def vote(line, item, names, choice=FOR):
    for name in names:
        resolution.cast(line.ctx(name), item, choice, "理由")


def stand(line, meeting, item):
    return turnouts(line.session, meeting, [item], line.today)[item.id]


def seat(line, meeting, name):
    query = select(MeetingMember).where(
        MeetingMember.meeting_id == meeting.id, MeetingMember.employee_id == line.id(name)
    )
    return line.session.scalars(query).one()


# -- 回避 ------------------------------------------------------------------------------------------------------------


def test_who_has_a_part_is_out_from_the_opening_and_the_minutes_say_why(line, project):
    """B角 is away and the applicant there: neither is waited for, neither is in the base; three of three vote."""
    project.assistant_id, project.created_by_id = line.id(BOARD[0]), line.id(BOARD[1])
    meeting = line.meeting(project)
    before = stand(line, meeting, line.items(meeting)[0])
    out = ((BOARD[0], "B角"), (BOARD[1], "申请经办人"))
    assert (before.base, before.needed, before.withdrawn) == (3, 2, out)
    absent = seat(line, meeting, BOARD[0])
    records.update(line.ctx(SECRETARY), absent, {"is_present": False}, absent.version)
    resolution.open_meeting(line.ctx(SECRETARY), meeting)
    (item,) = line.items(meeting)
    with pytest.raises(NotAllowed, match="您是本项目的申请经办人，请选择回避"):
        vote(line, item, BOARD[1:2])
    with pytest.raises(Conflict, match="不能重复表决"):
        resolution.cast(line.ctx(BOARD[1]), item, None, withdraw=True)
    vote(line, item, BOARD[2:])
    now = stand(line, meeting, item)
    assert (now.voted, now.awaited, now.withdrawn, now.is_lost) == (3, (), out, False)
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert item.summary == "应到 3 人，表决 3 人：同意 3"
    minutes = line.session.get_one(IssuedDocument, item.minutes_id).data
    rows = [(row["attendance"], row["vote"], row["opinion"]) for row in minutes["members"][:2]]
    assert rows == [
        ("缺席", "回避", "B角，按规定回避"),
        ("出席", "回避", "申请经办人，按规定回避"),
    ]
    assert (minutes["meeting"]["attended"], minutes["meeting"]["withdrawn"]) == (4, 2)


def test_who_comes_to_have_a_part_during_the_vote_is_not_waited_for(line, project):
    meeting, item = opened(line, project)
    vote(line, item, BOARD[:4])
    project.risk_officer_id = line.id(BOARD[4])
    line.session.flush()
    assert stand(line, meeting, item).withdrawn == ((BOARD[4], "风控复核人"),)
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert item.summary.startswith("应到 4 人，表决 4 人")


def test_who_wrote_the_risk_assessment_is_out(line, project):
    query = select(RiskAssessment).where(RiskAssessment.project_id == project.id)
    line.session.scalars(query).one().created_by_id = line.id(BOARD[0])
    line.session.flush()
    assert parts_in(line.session, {project.id})[project.id][line.id(BOARD[0])] == "风险评估人"


def test_an_interest_is_declared_with_its_reason_and_kept_to_the_result(line, project):
    meeting, item = opened(line, project)
    with pytest.raises(BusinessError, match="请填写回避的原因") as caught:
        resolution.cast(line.ctx(BOARD[0]), item, None, "  ", withdraw=True)
    assert caught.value.field == "opinion"
    found = resolution.cast(line.ctx(BOARD[0]), item, FOR, "配偶在该企业任职", withdraw=True)
    assert (found.choice, found.is_withdrawn) == (None, True)
    assert stand(line, meeting, item).withdrawn == ((BOARD[0], "本人申报"),)


def test_an_item_that_cannot_reach_its_quorum_says_so_before_it_fails(line, project):
    meeting, item = opened(line, project)
    assert not stand(line, meeting, item).is_lost
    for name in BOARD[:2]:
        board.mark_absent(line.ctx(SECRETARY), seat(line, meeting, name), "出差")
    assert (stand(line, meeting, item).needed, stand(line, meeting, item).is_lost) == (4, True)
    for name in BOARD:
        if seat(line, meeting, name).is_present:
            resolution.cast(line.ctx(name), item, None, "利害关系", withdraw=True)
    with pytest.raises(BusinessError, match="表决人数未达到法定人数"):
        resolution.close_meeting(line.ctx(SECRETARY), meeting)


# -- quorum and ratio --------------------------------------------------------------------------------------------------


def set_share(line, code, value):
    for row in line.session.scalars(select(Parameter).where(Parameter.code == f"meeting.{code}")):
        row.value = value
    line.session.flush()
    line.session.info.pop("parameters", None)


@pytest.mark.parametrize(
    ("members", "votes_for", "votes_against", "has_quorum", "is_passed"),
    [
        (6, 4, 0, True, True),  # exactly two thirds are there
        (6, 3, 0, False, False),
        (6, 4, 2, True, True),  # exactly two thirds agree
        (7, 5, 0, True, True),
        (7, 4, 0, False, False),
        (7, 4, 3, True, False),
        (5, 4, 0, True, True),
        (5, 3, 0, False, False),
    ],
)
def test_two_thirds_to_the_very_vote(
    line, project, members, votes_for, votes_against, has_quorum, is_passed
):
    names = SEVEN[:members]
    meeting, item = opened(line, project, names)
    vote(line, item, names[:votes_for])
    vote(line, item, names[votes_for : votes_for + votes_against], NO)
    count = resolution.tally(line.ctx(), item)
    assert (count.has_quorum, count.is_passed) == (has_quorum, is_passed)
    assert stand(line, meeting, item).needed == -(-members * 2 // 3)


def test_the_company_sets_its_own_quorum_and_ratio(line, project):
    _, item = opened(line, project)
    vote(line, item, BOARD[:3])
    assert not resolution.tally(line.ctx(), item).has_quorum
    set_share(line, "quorum_ratio", "1/2")
    assert resolution.tally(line.ctx(), item).is_passed
    vote(line, item, BOARD[3:4], LATER)
    set_share(line, "pass_ratio", "3/4")
    assert resolution.tally(line.ctx(), item).is_passed
    set_share(line, "pass_ratio", "1")
    assert not resolution.tally(line.ctx(), item).is_passed


def test_a_share_that_is_none_is_refused_where_it_is_typed(line):
    rows = select(Parameter).where(Parameter.code == "meeting.quorum_ratio")
    row = line.session.scalars(rows).one()
    for value in ("三分之二", "0", "-1/2", "4/3", "1/0"):
        given = {"value": value, "effective_on": line.today}
        with pytest.raises(FieldErrors, match="大于 0、不超过 1 的比例"):
            records.update(line.ctx(), row, given, row.version)
        line.session.refresh(row)


# -- the papers --------------------------------------------------------------------------------------------------------


def papers(line, project):
    query = select(IssuedDocument).where(
        IssuedDocument.project_id == project.id,
        IssuedDocument.template_code == resolution.RESOLUTION_PAPER,
    )
    return list(line.session.scalars(query))


def test_the_president_s_signature_makes_the_resolution_a_paper(line, project):
    line.resolve(project, FOR, VoteChoice.CONDITIONAL, FOR, FOR, NO)
    found = line.session.scalars(
        select(Resolution).where(Resolution.project_id == project.id)
    ).one()
    assert papers(line, project) == []
    line.approve(found)
    (paper,) = papers(line, project)
    assert resolution.paper_of(line.ctx(), found) == paper
    assert paper.number == found.number
    for words in ("落实抵押登记", "同意 3、附条件同意 1、不同意 1", PRESIDENT, "伍佰万元整"):
        assert words in paper.body
    assert f"{found.valid_until.year}年{found.valid_until.month}月" in paper.body


def test_a_veto_leaves_no_resolution_on_paper(line, project):
    line.resolve(project)
    found = line.session.scalars(
        select(Resolution).where(Resolution.project_id == project.id)
    ).one()
    line.reject(found)
    assert (found.state, papers(line, project)) == (ResolutionState.VETOED, [])


def test_minutes_tell_of_the_amount_put_forward_and_of_no_other_resolution(line, project):
    """A project whose first resolution ran out is refused the second time: its old number is not in the minutes."""
    line.confirmed(project)
    old = line.run_out(project)
    old.state = ResolutionState.EXPIRED
    project.stage = Stage.RESOLVE
    line.session.flush()
    meeting = line.meeting(project)
    (item,) = line.items(meeting)
    records.update(line.ctx(SECRETARY), item, {"advised_amount": "3000000"}, item.version)
    resolution.open_meeting(line.ctx(SECRETARY), meeting)
    line.vote(meeting, NO, NO, NO, FOR, FOR)
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert item.result is ItemState.REFUSED
    body = line.session.get_one(IssuedDocument, item.minutes_id).body
    assert (old.number in body, "3,000,000.00" in body) == (False, True)
