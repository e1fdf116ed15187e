"""4.3 公司决议: the board votes, withdrawn members leave the base, the president signs or vetoes, the bank is told."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import ApprovalInstance
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.guarantee.appraisal import LetterKind
from models.guarantee.project import ProjectStage, ProjectState, Stage
from models.guarantee.resolution import (
    ItemState,
    MeetingItem,
    MeetingMember,
    MeetingState,
    Resolution,
    ResolutionState,
    VoteChoice,
)
from models.system.organization import Operator
from models.system.records import IssuedDocument
from tests.workflows.guarantee.factories import (
    BOARD,
    CASHIER,
    MANAGER,
    MILLION,
    OUTSIDER,
    PRESIDENT,
    SECRETARY,
)
from workflows.base import records
from workflows.guarantee import board, resolution

STAGES = (Stage.RISK, Stage.RESOLVE)
FOR, IF, NO, LATER = VoteChoice.AGREE, VoteChoice.CONDITIONAL, VoteChoice.OPPOSE, VoteChoice.DEFER


@pytest.fixture
def project(line):
    return line.at(Stage.RESOLVE)


@pytest.fixture
def meeting(line, project):
    """An open meeting on the project."""
    return resolution.open_meeting(line.ctx(SECRETARY), line.meeting(project))


@pytest.fixture
def item(line, meeting):
    return line.items(meeting)[0]


def resolutions(line, project):
    return list(line.session.scalars(select(Resolution).where(Resolution.project_id == project.id)))


# -- the meeting ---------------------------------------------------------------------------------------------------


def test_a_meeting_is_numbered_and_opened(line, project):
    meeting = line.meeting(project)
    assert (meeting.number, meeting.state) == (f"SBH2026-{meeting.number[-3:]}", MeetingState.DRAFT)
    number = meeting.number
    records.update(line.ctx(SECRETARY), meeting, {"place": "第二会议室"}, meeting.version)
    resolution.open_meeting(line.ctx(SECRETARY), meeting, meeting.version)
    assert (meeting.state, meeting.number) == (MeetingState.OPEN, number)
    with pytest.raises(Conflict, match="表决中"):
        records.create(
            line.ctx(SECRETARY),
            MeetingMember,
            {"meeting_id": meeting.id, "employee_id": line.id(MANAGER)},
        )


def test_five_to_seven_members_an_agenda_a_quorum_and_the_day_open_a_meeting(line, project):
    def refused(words, meeting):
        with pytest.raises(BusinessError, match=words):
            resolution.open_meeting(line.ctx(SECRETARY), meeting)

    refused("5 至 7 人，现有 4 人", line.meeting(members=BOARD[:4]))
    refused("5 至 7 人，现有 8 人", line.meeting(members=(*BOARD, "沈六", "沈七", "沈八")))
    refused("没有议题", line.meeting())
    meeting = line.meeting(project, held_on=line.today + timedelta(days=1))
    refused("到期后才能表决", meeting)
    for member in line.session.scalars(
        select(MeetingMember).where(MeetingMember.meeting_id == meeting.id)
    ).all()[:2]:
        records.update(line.ctx(SECRETARY), member, {"is_present": False}, member.version)
    refused("到会 3 人，未达到法定人数", meeting)


def test_meetings_are_the_secretarys(line, project, meeting):
    with pytest.raises(NotAllowed):
        resolution.close_meeting(line.ctx(BOARD[0]), meeting)
    with pytest.raises(StaleRecord):
        resolution.close_meeting(line.ctx(SECRETARY), meeting, meeting.version - 1)
    with pytest.raises(IllegalTransition):
        resolution.open_meeting(line.ctx(SECRETARY), meeting)


def test_only_projects_past_risk_control_come_once_before_the_board(line, project):
    with pytest.raises(IllegalTransition, match="提交审保会"):
        line.meeting(line.at(Stage.RISK))
    first = line.meeting(project)
    with pytest.raises(Conflict, match="已列入另一次审保会"):
        line.meeting(project)
    item = line.items(first)[0]
    with pytest.raises(BusinessError, match="不能超过申请金额") as caught:
        records.update(line.ctx(SECRETARY), item, {"advised_amount": "5000000.01"}, item.version)
    assert caught.value.field == "advised_amount"
    records.update(line.ctx(SECRETARY), item, {"advised_amount": "4000000"}, item.version)
    assert item.advised_amount == 4 * MILLION
    with pytest.raises(FieldErrors, match="已存在"):
        records.create(
            line.ctx(SECRETARY),
            MeetingItem,
            {
                "meeting_id": first.id,
                "project_id": project.id,
                "advised_amount": "1",
                "advised_months": 1,
            },
        )


def test_an_item_without_a_quorum_is_taken_off_and_comes_before_another_meeting(
    line, project, meeting, item
):
    for name in BOARD:
        resolution.cast(line.ctx(name), item, None, "与申请人有亲属关系", withdraw=True)
    with pytest.raises(NotAllowed):
        resolution.withdraw_item(line.ctx(BOARD[0]), item, "x")
    with pytest.raises(BusinessError, match="请填写撤下议题的原因，不超过 150 字"):
        resolution.withdraw_item(line.ctx(SECRETARY), item, " ")
    resolution.withdraw_item(line.ctx(SECRETARY), item, "未达法定人数，改期再议", item.version)
    assert (item.result, item.summary) == (ItemState.WITHDRAWN, "撤下：未达法定人数，改期再议")
    with pytest.raises(IllegalTransition, match="已撤下"):
        resolution.withdraw_item(line.ctx(SECRETARY), item, "再撤")
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert (project.state, project.stage) == (ProjectState.RUNNING, Stage.RESOLVE)
    line.resolve(project)
    assert resolutions(line, project)[0].state is ResolutionState.SIGNING


def test_nothing_is_taken_off_a_meeting_that_has_ended(line, meeting, item):
    meeting.state = MeetingState.CLOSED
    with pytest.raises(Conflict, match="会议已结束"):
        resolution.withdraw_item(line.ctx(SECRETARY), item, "太晚")


def test_a_meeting_whose_items_were_all_taken_off_is_not_opened(line, project):
    meeting = line.meeting(project)
    resolution.withdraw_item(line.ctx(SECRETARY), line.items(meeting)[0], "资料未备齐")
    with pytest.raises(BusinessError, match="没有议题"):
        resolution.open_meeting(line.ctx(SECRETARY), meeting)


def test_while_a_resolution_holds_the_board_is_not_asked_again(line, project):
    line.resolve(project)
    line.approve(resolutions(line, project)[0])
    with pytest.raises(Conflict, match=r"有效期至 2026-09-02，不能再次上会"):
        line.meeting(project)


def test_a_project_that_waits_for_the_president_is_not_taken_up_again(line, project):
    line.resolve(project)
    with pytest.raises(Conflict, match="待总裁签字"):
        line.meeting(project)


# -- the vote ------------------------------------------------------------------------------------------------------


def test_each_member_votes_once_for_himself(line, item):
    vote = resolution.cast(line.ctx(BOARD[0]), item, FOR)
    assert (vote.employee_id, vote.choice, vote.is_withdrawn, vote.opinion) == (
        line.id(BOARD[0]),
        FOR,
        False,
        None,
    )
    with pytest.raises(Conflict, match="不能重复表决"):
        resolution.cast(line.ctx(BOARD[0]), item, NO, "改主意")


def test_a_vote_needs_a_choice_and_a_reason_where_it_binds(line, item):
    with pytest.raises(BusinessError, match="请选择表决意见"):
        resolution.cast(line.ctx(BOARD[0]), item, None)
    for choice in (IF, NO):
        with pytest.raises(BusinessError, match="请填写条件或理由"):
            resolution.cast(line.ctx(BOARD[0]), item, choice, "  ")
    assert resolution.cast(line.ctx(BOARD[0]), item, LATER).opinion is None


def test_only_members_present_vote_in_an_open_meeting(line, project, item):
    with pytest.raises(NotAllowed, match="权限"):
        resolution.cast(line.ctx(MANAGER), item, FOR)
    member = line.session.scalars(
        select(MeetingMember).where(
            MeetingMember.meeting_id == item.meeting_id,
            MeetingMember.employee_id == line.id(BOARD[0]),
        )
    ).one()
    member.is_present = False
    with pytest.raises(NotAllowed, match="到会委员"):
        resolution.cast(line.ctx(BOARD[0]), item, FOR)
    line.session.delete(member)
    line.session.flush()
    with pytest.raises(NotAllowed, match="到会委员"):
        resolution.cast(line.ctx(BOARD[0]), item, FOR)
    item.meeting.state = MeetingState.DRAFT
    with pytest.raises(Conflict, match="筹备中，不能表决"):
        resolution.cast(line.ctx(BOARD[1]), item, FOR)


def test_people_of_the_project_can_only_withdraw(line, project, item):
    project.risk_officer_id = line.id(BOARD[0])
    with pytest.raises(NotAllowed, match="请选择回避"):
        resolution.cast(line.ctx(BOARD[0]), item, FOR)
    vote = resolution.cast(line.ctx(BOARD[0]), item, FOR, withdraw=True)
    assert (vote.is_withdrawn, vote.choice) == (True, None)


@pytest.mark.parametrize(
    ("choices", "passed"),
    [
        ((FOR, FOR, FOR, FOR, NO), True),
        ((FOR, IF, IF, FOR, LATER), True),
        ((FOR, FOR, FOR, NO, NO), False),  # 3 of 5 are less than 2/3
        ((FOR, FOR, FOR, LATER, NO), False),
        ((NO, NO, NO, NO, NO), False),
    ],
)
def test_two_thirds_of_those_present_pass(line, meeting, item, choices, passed):
    line.vote(meeting, *choices)
    count = resolution.tally(line.ctx(), item)
    assert (count.base, count.voters, count.has_quorum, count.is_passed) == (5, 5, True, passed)
    assert count.text.startswith("应到 5 人，表决 5 人：")


def test_withdrawn_members_leave_the_base(line, meeting, item):
    for name in BOARD[:2]:
        resolution.cast(line.ctx(name), item, None, "与申请人有亲属关系", withdraw=True)
    for name, choice in zip(BOARD[2:], (FOR, FOR, NO), strict=True):
        resolution.cast(line.ctx(name), item, choice, "理由")
    count = resolution.tally(line.ctx(), item)
    assert (count.base, count.voters, count.is_passed) == (3, 3, True)
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert item.result is ItemState.PASSED


def test_nobody_voting_is_no_quorum(line, meeting, item):
    for name in BOARD:
        resolution.cast(line.ctx(name), item, None, "与申请人有亲属关系", withdraw=True)
    count = resolution.tally(line.ctx(), item)
    assert (count.has_quorum, count.is_passed, count.text) == (
        False,
        False,
        "应到 0 人，表决 0 人：无",
    )
    with pytest.raises(BusinessError, match="未达到法定人数"):
        resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert resolution.minutes_data(line.ctx(), meeting, item, count)["votes"]["pass_pct"] == 0


def test_the_result_waits_for_every_member_present(line, meeting, item):
    for name in BOARD[:4]:
        resolution.cast(line.ctx(name), item, FOR)
    with pytest.raises(BusinessError, match=f"尚有委员未表决：{BOARD[4]}"):
        resolution.close_meeting(line.ctx(SECRETARY), meeting)


def test_members_absent_are_not_waited_for(line, project):
    meeting = line.meeting(project)
    absent = line.session.scalars(
        select(MeetingMember).where(
            MeetingMember.meeting_id == meeting.id, MeetingMember.employee_id == line.id(BOARD[4])
        )
    ).one()
    records.update(line.ctx(SECRETARY), absent, {"is_present": False}, absent.version)
    resolution.open_meeting(line.ctx(SECRETARY), meeting)
    (item,) = line.items(meeting)
    for name in BOARD[:4]:
        resolution.cast(line.ctx(name), item, FOR)
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    minutes = line.session.get_one(IssuedDocument, item.minutes_id)
    assert "缺席" in minutes.body
    assert "通过" in minutes.body


# -- the result ----------------------------------------------------------------------------------------------------


def test_a_refused_item_ends_its_project(line, project):
    meeting = line.resolve(project, FOR, FOR, FOR, NO, NO)
    (item,) = line.items(meeting)
    assert (item.result, project.state, project.stage) == (
        ItemState.REFUSED,
        ProjectState.REFUSED,
        Stage.RESOLVE,
    )
    assert resolutions(line, project) == []
    assert (
        line.session.get_one(IssuedDocument, item.minutes_id).data["resolution"]["result"]
        == "不通过"
    )


def test_a_pass_with_conditions_waits_for_the_president(line, project):
    line.resolve(project, FOR, IF, FOR, IF, FOR)
    (found,) = resolutions(line, project)
    assert (found.state, found.amount, found.term_months) == (
        ResolutionState.SIGNING,
        project.amount,
        12,
    )
    assert [c.text for c in found.conditions] == ["落实抵押登记", "落实抵押登记"]
    assert (project.reserved_amount, resolution.valid_resolution(line.ctx(), project)) == (0, None)


def test_signed_the_resolution_is_valid_and_reserves(line, project):
    line.resolve(project)
    (found,) = resolutions(line, project)
    assert line.decide(found) == PRESIDENT
    assert (found.state, found.valid_until) == (ResolutionState.VALID, line.today.replace(month=9))
    assert project.reserved_amount == project.amount
    assert resolution.valid_resolution(line.ctx(), project) is found
    line.today = found.valid_until + timedelta(days=1)
    assert resolution.valid_resolution(line.ctx(), project) is None


def test_a_veto_ends_the_project(line, project):
    line.resolve(project)
    (found,) = resolutions(line, project)
    line.reject(found)
    assert (found.state, project.state, project.reserved_amount) == (
        ResolutionState.VETOED,
        ProjectState.REFUSED,
        0,
    )


def test_sent_back_it_goes_to_the_president_again(line, project):
    line.resolve(project)
    (found,) = resolutions(line, project)
    line.give_back(found)
    assert found.state is ResolutionState.SIGNING
    query = select(ApprovalInstance).filter_by(table_name="resolution", record_id=found.id)
    instances = line.session.scalars(query).all()
    assert len(instances) == 2
    assert len({instance.applicant_id for instance in instances}) == 1
    line.approve(found)
    assert found.state is ResolutionState.VALID


def test_the_president_cannot_sign_beyond_a_limit(line, project):
    line.resolve(project)
    (found,) = resolutions(line, project)
    project.bank.credit_line = 4 * MILLION
    with pytest.raises(BusinessError, match="超过限额：银行授信"):
        line.decide(found)


def test_the_confirmation_letter_moves_the_project_on_to_the_fees(line, project):
    line.resolve(project)
    with pytest.raises(Conflict, match="没有总裁签字"):
        resolution.issue_confirmation(line.ctx(MANAGER), project)
    line.approve(resolutions(line, project)[0])
    with pytest.raises(NotAllowed):
        resolution.issue_confirmation(line.ctx(CASHIER), project)
    with pytest.raises(NotFound):
        resolution.issue_confirmation(line.ctx(OUTSIDER), project)
    with pytest.raises(StaleRecord):
        resolution.issue_confirmation(line.ctx(MANAGER), project, project.version - 1)
    letter = resolution.issue_confirmation(line.ctx(MANAGER), project, project.version)
    stages = select(ProjectStage).where(
        ProjectStage.project_id == project.id, ProjectStage.stage == Stage.RESOLVE
    )
    assert [done.done_by_id for done in line.session.scalars(stages)] == [line.id(PRESIDENT)]
    assert (letter.kind, project.stage) == (LetterKind.CONFIRMATION, Stage.FEE_PLAN)
    assert letter.valid_until == resolutions(line, project)[0].valid_until
    assert resolutions(line, project)[0].number in letter.document.body


def test_percentages_of_the_minutes_are_rounded_half_up(line, meeting, item):
    line.vote(meeting, FOR, FOR, FOR, FOR, NO)
    data = resolution.minutes_data(line.ctx(), meeting, item, resolution.tally(line.ctx(), item))
    assert (data["votes"]["pass_pct"], data["votes"]["required_pct"]) == (
        Decimal("80.00"),
        Decimal("66.67"),
    )
    assert [row["role"] for row in data["members"]] == ["主持人", "委员", "委员", "委员", "委员"]


# -- who sits there, and who does not ---------------------------------------------------------------------------------


def member_of(line, meeting, name):
    query = select(MeetingMember).where(
        MeetingMember.meeting_id == meeting.id, MeetingMember.employee_id == line.id(name)
    )
    return line.session.scalars(query).one()


def account_of(line, name):
    return line.session.scalars(select(Operator).where(Operator.employee_id == line.id(name))).one()


def test_only_who_can_vote_is_named(line, project):
    with pytest.raises(FieldErrors, match="褚燕不是审保会委员") as caught:
        line.meeting(project, members=(*BOARD[:4], CASHIER))
    assert set(caught.value.field_errors) == {"employee_id"}
    account_of(line, BOARD[4]).is_disabled = True
    with pytest.raises(FieldErrors, match=f"{BOARD[4]}不是审保会委员"):
        line.meeting(project)


def test_a_member_is_changed_for_another_who_can_vote(line, project):
    meeting = line.meeting(project)
    seat = member_of(line, meeting, BOARD[0])
    records.update(line.ctx(SECRETARY), seat, {"is_present": False}, seat.version)
    with pytest.raises(FieldErrors, match="不是审保会委员"):
        records.update(line.ctx(SECRETARY), seat, {"employee_id": line.id(CASHIER)}, seat.version)


def test_who_has_lost_the_vote_since_is_replaced_before_it_opens(line, project):
    meeting = line.meeting(project)
    account_of(line, BOARD[4]).is_disabled = True
    with pytest.raises(BusinessError, match=f"{BOARD[4]}不能表决"):
        resolution.open_meeting(line.ctx(SECRETARY), meeting)
    seat = member_of(line, meeting, BOARD[4])
    records.update(line.ctx(SECRETARY), seat, {"is_present": False}, seat.version)
    resolution.open_meeting(line.ctx(SECRETARY), meeting)


def test_absence_is_entered_while_votes_are_cast_and_freezes_nobody(line, project, meeting, item):
    for name in BOARD[:4]:
        resolution.cast(line.ctx(name), item, FOR)
    with pytest.raises(
        BusinessError, match=f"尚有委员未表决：{BOARD[4]}；不能到会的，请在“参会委员”中登记缺席"
    ):
        resolution.close_meeting(line.ctx(SECRETARY), meeting)
    seat = member_of(line, meeting, BOARD[4])
    with pytest.raises(NotAllowed):
        board.mark_absent(line.ctx(BOARD[0]), seat, "生病")
    with pytest.raises(BusinessError, match="请填写登记缺席的原因"):
        board.mark_absent(line.ctx(SECRETARY), seat, " ")
    line.session.refresh(seat)
    with pytest.raises(StaleRecord):
        board.mark_absent(line.ctx(SECRETARY), seat, "生病", seat.version + 1)
    board.mark_absent(line.ctx(SECRETARY), seat, "生病", seat.version)
    with pytest.raises(Conflict, match=f"{BOARD[4]}已登记为缺席"):
        board.mark_absent(line.ctx(SECRETARY), seat, "生病")
    with pytest.raises(NotAllowed, match="不是本次会议的到会委员"):
        resolution.cast(line.ctx(BOARD[4]), item, FOR)
    count = resolution.tally(line.ctx(SECRETARY), item)
    assert (count.base, count.voters, count.has_quorum, count.is_passed) == (5, 4, True, True)
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert item.result is ItemState.PASSED
    with pytest.raises(Conflict, match="会议已结束，表决中才能登记到会情况"):
        board.mark_present(line.ctx(SECRETARY), seat)


def test_a_vote_already_cast_stays_when_its_member_leaves(line, project, meeting, item):
    for name, choice in zip(BOARD[:4], (FOR, FOR, FOR, NO), strict=True):
        resolution.cast(line.ctx(name), item, choice, "反担保不足")
    for name in (BOARD[3], BOARD[4]):
        board.mark_absent(line.ctx(SECRETARY), member_of(line, meeting, name), "有事离席")
    count = resolution.tally(line.ctx(SECRETARY), item)
    assert (count.voters, count.votes_for) == (4, 3)
    data = resolution.minutes_data(line.ctx(SECRETARY), meeting, item, count)
    assert [row["attendance"] for row in data["members"]] == [
        "出席",
        "出席",
        "出席",
        "中途离席",
        "缺席",
    ]
    assert data["meeting"]["attended"] == 4
    resolution.close_meeting(line.ctx(SECRETARY), meeting)


def test_who_comes_after_all_votes_on_what_is_open(line, meeting, item):
    seat = member_of(line, meeting, BOARD[4])
    board.mark_absent(line.ctx(SECRETARY), seat, "迟到")
    board.mark_present(line.ctx(SECRETARY), seat, seat.version)
    assert resolution.cast(line.ctx(BOARD[4]), item, FOR).choice is FOR


def test_too_many_absent_leave_no_quorum_and_the_item_is_taken_off(line, project, meeting, item):
    for name in BOARD[:3]:
        resolution.cast(line.ctx(name), item, FOR)
    for name in BOARD[3:]:
        board.mark_absent(line.ctx(SECRETARY), member_of(line, meeting, name), "出差")
    with pytest.raises(BusinessError, match="表决人数未达到法定人数，请撤下该议题"):
        resolution.close_meeting(line.ctx(SECRETARY), meeting)
    resolution.withdraw_item(line.ctx(SECRETARY), item, "未达法定人数")
    resolution.close_meeting(line.ctx(SECRETARY), meeting)
    assert project.state is ProjectState.RUNNING
