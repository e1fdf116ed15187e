"""审保会表决 on the screen: from 待办 to the vote, on which nothing typed is lost and which is cast once."""

import re

import pytest
from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalTask, TaskState
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.resolution import (
    MeetingItem,
    MeetingMember,
    MeetingVote,
    Resolution,
    ReviewMeeting,
    VoteChoice,
)
from models.system.organization import Employee
from models.system.setup import AuditLog
from reports.workbench.todo import awaits_agenda

MEMBERS = ("heping", "liuwen", "lujun", "tangxia", "majie")
NAMES = {"heping": "何平", "liuwen": "刘文", "lujun": "陆军", "tangxia": "唐霞", "majie": "马杰"}


@pytest.fixture(scope="module")
def item(demo):
    """An item of an open meeting that 杨帆 called on the screens; 马杰 looks after the project."""
    with demo.session() as session:
        ids = {e.name: e.id for e in session.scalars(select(Employee))}
        waiting = select(Project).where(
            Project.state == ProjectState.RUNNING, Project.stage == Stage.RESOLVE
        )
        project = next(p for p in session.scalars(waiting) if awaits_agenda(session, p))
        project.assistant_id, project_id = ids[NAMES["majie"]], project.id
        session.commit()
    client = demo.client_of("yangfan")
    assert ">召集审保会</a>" in client.get(f"/project/show/{project_id}").text
    today = re.search(r'<b class="date">(\S+)</b>', client.get("/").text).group(1)
    chair, clerk = ids["陆军"], ids["杨帆"]
    demo.post(
        client,
        "/review_meeting/add",
        held_on=today,
        place="第一会议室",
        chair_id=chair,
        secretary_id=clerk,
    )
    with demo.session() as session:
        meeting = session.scalar(select(ReviewMeeting.id).order_by(ReviewMeeting.id.desc()))
    for username in MEMBERS:
        path = f"/meeting_member/add?owner={meeting}"
        demo.post(
            client, path, meeting_id=meeting, employee_id=ids[NAMES[username]], is_present="true"
        )
    path = f"/meeting_item/add?owner={meeting}&project_id={project_id}"
    assert path.replace("&", "&amp;") in client.get(f"/project/show/{project_id}").text, (
        "onto the agenda in preparation"
    )
    given = dict(
        re.findall(
            r'name="(seq|advised_amount|advised_months)"[^>]*value="([^"]+)"', client.get(path).text
        )
    )
    assert given["seq"] == "1"
    answer = demo.post(client, path, meeting_id=meeting, project_id=project_id, **given)
    assert answer.status_code == 302
    with demo.session() as session:
        found = session.scalars(select(MeetingItem).where(MeetingItem.meeting_id == meeting)).one()
        assert session.query(MeetingMember).filter_by(meeting_id=meeting).count() == len(MEMBERS)
        assert found.advised_amount == session.get_one(Project, project_id).amount
        number, version = found.id, session.get_one(ReviewMeeting, meeting).version
    assert (
        "会议筹备中，不能表决" in demo.client_of("heping").get(f"/approvals/ballots/{number}").text
    )
    answer = demo.post(client, f"/do/review_meeting/{meeting}/open", version=version)
    assert answer.status_code == 302
    return number


def vote_of(demo, item, username):
    with demo.session() as session:
        query = select(MeetingVote).join(Employee, Employee.id == MeetingVote.employee_id)
        return session.scalars(
            query.where(MeetingVote.item_id == item, Employee.name == NAMES[username])
        ).one_or_none()


def meeting_of(demo, item):
    with demo.session() as session:
        return session.get_one(MeetingItem, item).meeting_id


def bell(page):
    return int(re.search(r'aria-label="待办事项，(\d+) 项"', page).group(1))


def test_a_line_of_the_agenda_that_is_wrong_is_marked_and_keeps_what_was_typed(demo):
    client = demo.client_of("yangfan")
    page = client.get("/review_meeting/add").text
    key = re.search(r'name="projects" value="(\d+)" checked', page).group(1)
    for name, typed, said in (
        ("seq", "0", "请填写 1 至 99 的序号"),
        ("seq", "²", "请填写 1 至 99 的序号"),
        ("amount", "9,999,999,999.99", "不能超过申请金额"),
        ("months", "六", "请填写整数"),
    ):
        sent = {"projects": key, f"{name}-{key}": typed, "held_on": "2026-01-01", "place": "𠮷厅"}
        answer = demo.post(client, "/review_meeting/add", open="1", **sent, chair_id="1")
        assert answer.status_code == 400
        cell = re.search(rf'id="{name}-{key}-g" class="has-error".*?</td>', answer.text).group(0)
        assert said in cell
        assert f'value="{typed}"' in cell
        assert "𠮷厅" in answer.text


def test_an_open_vote_rings_and_is_cast_from_the_list(demo, item):
    client, path = demo.client_of("heping"), f"/approvals/ballots/{item}"
    before = client.get("/approvals/").text
    assert f'href="{path}"' in before
    assert f'href="{path}"' in client.get("/").text
    page = client.get(path).text
    assert all(
        words in page
        for words in (
            "审保会表决",
            "附条件同意",
            "不同意",
            "续议",
            "回避",
            "系统检查",
            "风险评估报告",
        )
    )
    assert ">表决</a>" in client.get(f"/meeting_item/show/{item}").text
    answer = demo.post(client, path, decision="AGREE", opinion="同意")
    assert answer.status_code == 302
    after = client.get(answer.location).text
    assert "已记录您的表决：同意" in after
    assert bell(after) == bell(before) - 1
    meeting = meeting_of(demo, item)
    turnout = (
        demo.client_of("yangfan")
        .get(f"/review_meeting/show/{meeting}")
        .text.split('data-key="turnout"')[1]
    )
    assert "1 人已表决" in turnout
    assert re.search(r"<dt>何平</dt><dd><span class=\"status ok\">已表决 1 / 1", turnout)
    assert re.search(r"<dt>刘文</dt><dd><span class=\"status doing\">已表决 0 / 1", turnout)
    assert re.search(r"<dt>马杰</dt><dd><span class=\"status draft\">全部回避", turnout)
    assert vote_of(demo, item, "heping").choice is VoteChoice.AGREE
    again = demo.post(client, path, decision="OPPOSE", opinion="再投一次")
    assert again.status_code == 409
    assert "不能重复表决" in again.text
    assert 'class="dock"' not in again.text
    assert ">表决</a>" not in client.get(f"/meeting_item/show/{item}").text


def test_a_condition_needs_words_and_what_was_chosen_wrongly_keeps_them(demo, item):
    client, path = demo.client_of("liuwen"), f"/approvals/ballots/{item}"
    answer = demo.post(client, path, decision="CONDITIONAL", opinion=" ")
    assert answer.status_code == 400
    assert 'id="opinion-e"' in answer.text
    answer = demo.post(client, path, decision="MAYBE", opinion="追加保证人")
    assert answer.status_code == 400
    assert "请选择表决意见" in answer.text
    assert "追加保证人" in answer.text
    assert demo.post(client, path, decision="CONDITIONAL", opinion="追加保证人").status_code == 302
    assert vote_of(demo, item, "liuwen").opinion == "追加保证人"


def test_who_has_a_part_is_out_and_an_interest_is_declared_with_its_reason(demo, item):
    client, path = demo.client_of("majie"), f"/approvals/ballots/{item}"
    page = client.get(path).text
    assert "您已回避：B角，按规定回避" in page
    assert 'class="dock"' not in page
    assert demo.post(client, path, decision="AGREE").status_code == 403
    assert demo.post(client, path, decision="WITHDRAW").status_code == 409
    client = demo.client_of("tangxia")
    assert f'href="{path}"' in client.get(f"/review_meeting/show/{meeting_of(demo, item)}").text
    answer = demo.post(client, path, decision="WITHDRAW", reason=" ")
    assert answer.status_code == 400
    assert "请填写回避的原因" in answer.text
    assert demo.post(client, path, decision="WITHDRAW", reason="配偶持有股份").status_code == 302
    vote = vote_of(demo, item, "tangxia")
    assert (vote.is_withdrawn, vote.choice, vote.opinion) == (True, None, "配偶持有股份")
    page = demo.client_of("yangfan").get(f"/review_meeting/show/{meeting_of(demo, item)}").text
    assert "唐霞（本人申报）、马杰（B角）" in page
    assert "已表决 2 / 3，法定 2 人" in page


def test_who_is_no_member_has_no_vote(demo, item):
    assert demo.client_of("zhoumin").get(f"/approvals/ballots/{item}").status_code == 403
    assert demo.client_of("heping").get("/approvals/ballots/999999").status_code == 404


WATCHERS = (
    "yangfan",
    "hejianguo",
    "auditor",
    "analyst",
    "zhenglan",
    "wujie",
    "lujun",
    "zhoumin",
    "heping",
)


def test_nobody_reads_a_vote_before_the_result_but_ones_own(demo, item):
    """Not in its list, by its address, by REST, in a file, on the agenda or in the trail."""
    with demo.session() as session:
        query = select(MeetingVote.id, Employee.name).join(
            Employee, Employee.id == MeetingVote.employee_id
        )
        votes = {
            name: key for key, name in session.execute(query.where(MeetingVote.item_id == item))
        }
        trail = session.scalars(
            select(AuditLog.id).where(AuditLog.table_name == "meeting_vote").order_by(-AuditLog.id)
        )
        lines = list(trail.all())[: len(votes)]
    meeting = meeting_of(demo, item)
    pages = (
        "/meeting_vote/list/?size=200&cols=item,employee,choice,opinion",
        "/api/v1/meeting_vote/?size=200",
        "/meeting_vote/export?format=csv",
        f"/meeting_item/show/{item}?tab=meeting_vote",
        f"/review_meeting/show/{meeting}?tab=timeline",
        "/audit_log/list/?size=200&f=table_name:eq:meeting_vote",
        "/audit_log/export?format=csv&f=table_name:eq:meeting_vote",
    )
    for reader in WATCHERS:
        client, own = demo.client_of(reader), NAMES.get(reader, "?")
        told = "".join(client.get(path).get_data(as_text=True) for path in pages)
        assert ("追加保证人" in told) is (reader == "liuwen"), reader
        assert ("配偶持有股份" in told) is (reader == "tangxia"), reader
        for name, key in votes.items():
            for path in (f"/meeting_vote/show/{key}", f"/api/v1/meeting_vote/{key}"):
                assert (client.get(path).status_code == 200) is (name == own), (reader, name)
        assert {client.get(f"/audit_log/show/{line}").status_code for line in lines} <= {
            403,
            404,
        }, reader
    found = demo.client_of("auditor").get("/api/v1/meeting_vote/?size=200").get_json()
    assert found["count"] > 0, "votes of meetings that are over are read by right"
    assert not {row["id"] for row in found["result"]} & set(votes.values())


def test_who_or_what_cannot_be_on_a_new_meeting_is_said_at_its_list(demo, item):
    with demo.session() as session:
        ids = {e.name: e.id for e in session.scalars(select(Employee))}
        taken = session.get_one(MeetingItem, item).project_id
        before = session.query(ReviewMeeting).count()
    client = demo.client_of("yangfan")
    page = client.get("/review_meeting/add").text
    offered = re.findall(r'<input checked name="members" type="checkbox" value="(\d+)"', page)
    assert {int(key) for key in offered} == {ids[name] for name in NAMES.values()}
    today = re.search(r'id="held_on"[^>]*value="([^"]+)"', page).group(1)
    facts = {
        "held_on": today,
        "place": "第一会议室",
        "chair_id": ids["陆军"],
        "secretary_id": ids["杨帆"],
    }
    for field, value, status, said in (
        ("members", ids["周敏"], 400, "周敏不是审保会委员"),
        ("projects", taken, 409, "已列入另一次审保会的议题"),
        ("projects", "abc", 400, "勾选的内容无效"),
    ):
        answer = demo.post(client, "/review_meeting/add", **facts, **{field: value})
        assert answer.status_code == status
        assert re.search(rf'has-error" id="{field}-g".*?{said}', answer.text, re.DOTALL), said
        assert "第一会议室" in answer.text
    with demo.session() as session:
        assert session.query(ReviewMeeting).count() == before


def test_the_meeting_says_what_its_results_have_done(demo, item):
    """Announced, the page leads to the minutes and says whose turn it is; signed, to the resolution on paper."""
    voter = demo.client_of("lujun")
    assert demo.post(voter, f"/approvals/ballots/{item}", decision="AGREE").status_code == 302
    client, path = demo.client_of("yangfan"), f"/review_meeting/show/{meeting_of(demo, item)}"
    with demo.session() as session:
        version = session.get_one(ReviewMeeting, meeting_of(demo, item)).version
    close = path.replace("/review_meeting/show/", "/do/review_meeting/") + "/close"
    assert demo.post(client, close, version=version).status_code == 302
    page = client.get(path).text.split('data-key="agenda"')[1]
    for words in ("应到 3 人，表决 3 人：同意 2、附条件同意 1", "待总裁签字：何建国", "/pdf"):
        assert words in page
    with demo.session() as session:
        made = session.scalars(select(Resolution).where(Resolution.item_id == item)).one()
        task = session.scalars(
            select(ApprovalTask)
            .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
            .where(
                ApprovalInstance.table_name == "resolution",
                ApprovalInstance.record_id == made.id,
                ApprovalTask.state == TaskState.PENDING,
            )
        ).one()
        number, task_id, task_version, key = made.number, task.id, task.version, made.id
    president = demo.client_of("hejianguo")
    answer = demo.post(
        president,
        f"/approvals/{task_id}/decide",
        decision="APPROVE",
        opinion="同意",
        version=task_version,
    )
    assert answer.status_code == 302
    page = client.get(path).text.split('data-key="agenda"')[1]
    assert "待出具担保确认函：" in page
    assert re.search(rf'href="/issued_document/\d+/pdf"[^>]*>.*?{number}', page, re.DOTALL)
    page = president.get(f"/resolution/show/{key}").text
    paper = re.search(r'href="(/issued_document/\d+/pdf)"[^>]*>.*?打开决议', page, re.DOTALL)
    assert president.get(paper.group(1)).data.startswith(b"%PDF-")
