"""Screens where the line turns: its end before the drawdown, a renewed resolution, 复议, papers taken out of force."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from models.base.paper import PaperState
from models.guarantee.project import Project, ProjectStage, ProjectState, Stage
from models.guarantee.resolution import (
    ItemState,
    MeetingItem,
    MeetingState,
    Resolution,
    ResolutionState,
    Resubmission,
)
from models.guarantee.signing import Contract, CounterGuarantee
from models.guarantee.termination import Termination
from models.ledger.voucher import BusinessEvent, EventState
from models.system.organization import Operator
from models.system.records import Attachment
from models.system.setup import SystemState


def standing(demo, *stages, state=ProjectState.RUNNING):
    """(id, version, sign-in name of its manager) of a project at one of these stages."""
    # Money that came in and waits for 复核 is booked first, whatever becomes of the project.
    waiting = select(BusinessEvent.project_id).where(
        BusinessEvent.state == EventState.PENDING, BusinessEvent.event_code != "fee.registered"
    )
    with demo.session() as session:
        query = (
            select(Project.id, Project.version, Operator.username)
            .join(Operator, Operator.employee_id == Project.manager_id)
            .where(Project.state == state, Project.stage.in_(stages))
            .where(Project.id.not_in(select(Resubmission.project_id)), Project.id.not_in(waiting))
            .order_by(Project.id)
        )
        return session.execute(query.limit(1)).one()


def stored(demo, model, record_id):
    with demo.session() as session:
        return session.get_one(model, record_id)


def test_an_early_project_ends_at_once_and_shows_where(demo):
    project_id, version, who = standing(demo, Stage.INTENT, Stage.REVIEW)
    client, url = demo.client_of(who), f"/do/project/{project_id}/terminate"
    assert url in client.get(f"/project/show/{project_id}").text
    assert "没有费用入账的项目立即终止" in client.get(url).text
    empty = demo.post(client, url, version=version, cause="", reason="")
    assert (empty.status_code, "请填写终止原因" in empty.text, "请填写情况说明" in empty.text) == (
        400,
        True,
        True,
    )
    done = demo.post(client, url, version=version, cause="CUSTOMER", reason="客户放弃")
    assert done.status_code == 302, done.text
    assert "已通过" in client.get(done.location).text
    page = client.get(f"/project/show/{project_id}").text
    assert "项目已终止，止于" in page
    assert "tab=termination" in page
    assert url not in page


def test_an_end_with_money_in_the_books_waits_for_approval(demo):
    project_id, version, who = standing(demo, Stage.FEE_COLLECT, Stage.COUNTER, Stage.CONTRACT)
    client = demo.client_of(who)
    done = demo.post(
        client,
        f"/do/project/{project_id}/terminate",
        version=version,
        cause="BANK",
        reason="银行额度收紧",
    )
    assert done.status_code == 302, done.text
    assert "审批中" in client.get(done.location).text
    assert "terminate" not in client.get(f"/project/show/{project_id}").text
    with demo.session() as session:
        paper = session.scalars(
            select(Termination).where(Termination.project_id == project_id)
        ).one()
        assert (paper.state, session.get_one(Project, project_id).state) == (
            PaperState.IN_APPROVAL,
            ProjectState.RUNNING,
        )


def test_a_part_that_was_sent_back_is_handed_in_from_the_page(demo):
    with demo.session() as session:
        paper = session.scalars(select(Termination).where(Termination.refund_amount > 0)).first()
        paper.returned_reason, paper.settled_on = "账号不符", None
        session.commit()
        paper_id, version = paper.id, paper.version
        who = session.scalar(
            select(Operator.username).where(Operator.employee_id == paper.created_by_id)
        )
    client, url = demo.client_of(who), f"/do/termination/{paper_id}/settle"
    assert url in client.get(f"/termination/show/{paper_id}").text
    refused = demo.post(client, url, version=version)
    assert (refused.status_code, "没有复核退回的事项" in refused.text) == (409, True)


@pytest.fixture(scope="module")
def run_out(demo):
    """A project past 公司决议 whose resolution holds no more."""
    project_id, _, who = standing(demo, Stage.NOTICE, Stage.CONFIRM)
    with demo.session() as session:
        today = session.get_one(SystemState, 1).business_date
        held = select(Resolution).where(
            Resolution.project_id == project_id, Resolution.state == ResolutionState.VALID
        )
        session.scalars(held).one().valid_until = today - timedelta(days=1)
        session.commit()
    return project_id, who


def test_papers_in_force_are_taken_out_from_their_pages(demo, run_out):
    project_id, who = run_out
    client = demo.client_of(who)
    for model in (Contract, CounterGuarantee):
        with demo.session() as session:
            mine = select(model).where(
                model.project_id == project_id, model.state == PaperState.APPROVED
            )
            paper = session.scalars(mine.order_by(model.id)).first()
        table = model.__tablename__
        assert f"/do/{table}/{paper.id}/void" in client.get(f"/{table}/show/{paper.id}").text
        done = demo.post(
            client, f"/do/{table}/{paper.id}/void", version=paper.version, reason="条款变更"
        )
        assert done.status_code == 302, done.text
        assert stored(demo, model, paper.id).state is PaperState.VOID
        assert f"/do/{table}/{paper.id}/void" not in client.get(f"/{table}/show/{paper.id}").text
    assert stored(demo, Project, project_id).stage is Stage.CONTRACT


def test_a_resolution_that_ran_out_offers_the_way_back_to_the_board(demo, run_out):
    project_id, who = run_out
    client, url = demo.client_of(who), f"/do/project/{project_id}/resubmit"
    assert url in client.get(f"/project/show/{project_id}").text
    done = demo.post(
        client, url, version=stored(demo, Project, project_id).version, reason="客户仍需贷款"
    )
    assert done.status_code == 302, done.text
    page = client.get(f"/project/show/{project_id}?tab=resubmission").text
    assert ("重新决议" in page, "客户仍需贷款" in page, url in page) == (True, True, False)
    assert stored(demo, Project, project_id).stage is Stage.RESOLVE
    other = standing(demo, Stage.FEE_PLAN, Stage.FEE_BOOK, Stage.CONTRACT, Stage.FEE_COLLECT)
    assert "resubmit" not in demo.client_of(other.username).get(f"/project/show/{other.id}").text


@pytest.fixture(scope="module")
def refused(demo):
    """A project that the board has refused."""
    project_id, _, who = standing(demo, Stage.RESOLVE)
    with demo.session() as session:
        project = session.get_one(Project, project_id)
        project.state = ProjectState.REFUSED
        row = session.scalars(
            select(ProjectStage).where(
                ProjectStage.project_id == project_id, ProjectStage.left_on.is_(None)
            )
        ).one()
        row.left_on = row.entered_on
        session.commit()
    return project_id, who


def test_a_refused_project_is_reconsidered_once_with_new_material(demo, refused):
    project_id, who = refused
    client, url = demo.client_of(who), f"/do/project/{project_id}/reconsider"
    page = client.get(f"/project/show/{project_id}").text
    assert (url in page, "只有复议一次的机会" in page, "/terminate" in page) == (True, True, False)
    assert "每个项目只能复议一次" in client.get(url).text
    fields = {
        "csrf_token": demo.token(client),
        "version": stored(demo, Project, project_id).version,
        "reason": "追加抵押",
        "material": (
            io.BytesIO(b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"),
            "补充材料.pdf",
        ),
    }
    done = client.post(url, data=fields, content_type="multipart/form-data")
    assert done.status_code == 302, done.text
    with demo.session() as session:
        made = session.scalars(
            select(Resubmission).where(Resubmission.project_id == project_id)
        ).first()
        assert session.scalars(
            select(Attachment.original_name).where(
                Attachment.owner_table == "resubmission", Attachment.owner_id == made.id
            )
        ).all() == ["补充材料.pdf"]
        session.get_one(Project, project_id).state = ProjectState.REFUSED
        session.commit()
    assert (
        "补充材料.pdf"
        in demo.client_of("majie").get(f"/resubmission/show/{made.id}?tab=files").text
    )
    assert url not in client.get(f"/project/show/{project_id}").text


def test_the_secretary_takes_an_item_off_an_open_meeting(demo):
    with demo.session() as session:
        item = session.scalars(select(MeetingItem).order_by(MeetingItem.id.desc())).first()
        item.result, item.meeting.state = ItemState.PENDING, MeetingState.OPEN
        session.commit()
        item_id, meeting_id, version = item.id, item.meeting_id, item.version
    client, url = demo.client_of("yangfan"), f"/do/meeting_item/{item_id}/withdraw"
    assert url in client.get(f"/meeting_item/show/{item_id}").text
    done = demo.post(client, url, version=version, reason="未达法定人数")
    assert done.location.endswith(f"/review_meeting/show/{meeting_id}")
    assert stored(demo, MeetingItem, item_id).result is ItemState.WITHDRAWN
    assert url not in client.get(f"/meeting_item/show/{item_id}").text
    assert (
        "议题已撤下，不能表决" in demo.client_of("majie").get(f"/approvals/ballots/{item_id}").text
    )
