"""What every paper of a project has without a line of its own: buttons, news, its words on the 审批单, a demo row."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.demo import stated
from app.security import actor_of_username
from models.approval.approval import ApprovalInstance
from models.base.entity import fields_of
from models.base.paper import PaperState
from models.guarantee.project import Project, Stage
from models.guarantee.release import Release
from models.guarantee.signing import FeeWaiver
from models.guarantee.termination import Termination
from models.system.organization import Employee, Operator
from models.system.setup import SystemState
from reports.figures.approval_sheet import sheet
from views.guarantee.papers import next_on_papers
from views.guarantee.project_feed import Line, Teller
from workflows.base.context import Ctx


@pytest.fixture
def behind(demo_app):
    with demo_app.app.test_request_context(), demo_app.session() as session:
        yield session
        session.rollback()


def ctx_of(session, username):
    today = session.get_one(SystemState, 1).business_date
    actor = actor_of_username(session, username)
    return Ctx(session, actor, today, datetime(2026, 1, 1, tzinfo=UTC), "test")


def manager_of(session, project):
    query = select(Operator.username).where(Operator.employee_id == project.manager_id)
    return session.scalars(query).one()


def test_the_projects_page_offers_what_its_papers_wait_for(behind):
    """One that came back is handed in again from there; approved and settled it asks for nothing."""
    paper = behind.scalars(
        select(Termination).where(Termination.state == PaperState.APPROVED)
    ).first()
    project, ctx = paper.project, ctx_of(behind, manager_of(behind, paper.project))
    assert next_on_papers(ctx, project) == []
    paper.returned_reason, paper.settled_on = "账号不符", None
    behind.flush()
    (action,) = next_on_papers(ctx, project)
    assert action.label.endswith(paper.number)
    assert action.url == f"/do/termination/{paper.id}/settle"
    assert next_on_papers(ctx_of(behind, "heping"), project) == [], "who may not, is not asked"


def test_who_sees_no_event_hears_what_became_of_the_paper(behind):
    paper = behind.scalars(select(FeeWaiver)).first()
    ctx = ctx_of(behind, manager_of(behind, paper.project))
    assert not ctx.actor.may("show", "business_event")

    def told(**changes):
        rows = [Line(ctx.now, "吴洁", "fee_waiver", paper.id, paper.number, "UPDATE", changes, "")]
        return Teller(ctx, rows).tell(rows).text

    assert told(returned_reason=[None, "附件不全"]) == f"复核退回费用减免 {paper.number}：附件不全"
    assert told(is_booked=[False, True]) == f"费用减免 {paper.number} 已记账"
    assert told(is_booked=[True, False]) == f"费用减免 {paper.number} 撤回复核"


def test_long_texts_that_the_paper_names_stand_on_the_approval_sheet(behind):
    query = select(ApprovalInstance).where(ApprovalInstance.table_name == "termination")
    instance = behind.scalars(query.limit(1)).one()
    words = {one["label"]: one["value"] for one in sheet(behind, instance)["fields"]}
    assert words["情况说明"] == instance.facts["record"]["reason"]


def test_a_demo_row_says_where_on_the_line_its_project_stands(behind):
    stage = SimpleNamespace(session=behind, today=None)
    key = stated._value(stage, fields_of(Release)["project_id"], "@IN_FORCE")
    assert behind.get_one(Project, key).stage is Stage.IN_FORCE
    with pytest.raises(LookupError, match="no 担保项目 “@NOWHERE”"):
        stated._value(stage, fields_of(Release)["project_id"], "@NOWHERE")


def test_master_data_is_added_from_the_page_where_it_stands(demo, behind):
    """Employees point to their department without being part of it."""
    place = behind.scalars(select(Employee.department_id)).first()
    page = demo.client_of("admin").get(f"/department/show/{place}?tab=employee").text
    assert f'href="/employee/add?department_id={place}"' in page
    form = demo.client_of("admin").get(f"/employee/add?department_id={place}").text
    assert f'value="{place}"' in form
    seen = demo.client_of("heping").get(f"/department/show/{place}?tab=employee").text
    assert "/employee/add" not in seen
