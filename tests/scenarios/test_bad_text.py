"""Signs that nobody sees, and text that no column holds: at every hand-written door, on both kinds of database."""

import io

import pytest
from sqlalchemy import select

from models.approval.approval import ApprovalTask, TaskState
from models.customer.customer import CorporateCustomer
from models.guarantee.project import Project, ProjectState
from models.ledger.voucher import BusinessEvent, EventState
from models.system.organization import Operator
from models.system.records import Attachment, Comment
from views.kit import intake
from workflows.base import comments

UNSEEN = "a\x00\u200b\u202eb"


def login_of(session, employee_id):
    return session.scalars(
        select(Operator.username).where(Operator.employee_id == employee_id)
    ).one()


@pytest.fixture
def company(demo):
    """A customer, and who looks after it."""
    with demo.session() as session:
        found = session.scalars(select(CorporateCustomer).order_by(CorporateCustomer.id)).first()
        return found, login_of(session, found.manager_id)


def test_a_reason_is_kept_without_what_nobody_sees(demo):
    with demo.session() as session:
        project = session.scalars(
            select(Project).where(Project.state == ProjectState.DRAFT)
        ).first()
        who = login_of(session, project.manager_id)
    path = f"/do/project/{project.id}/cancel"
    answer = demo.post(demo.client_of(who), path, version=project.version, reason=f"不办了{UNSEEN}")
    assert answer.status_code == 302
    timeline = demo.client_of(who).get(f"/project/show/{project.id}?tab=timeline").text
    assert "不办了ab" in timeline


def test_an_event_is_refused_with_a_clean_reason(demo):
    with demo.session() as session:
        event = session.scalars(
            select(BusinessEvent).where(BusinessEvent.state == EventState.PENDING)
        ).first()
    path = f"/do/business_event/{event.id}/refuse"
    assert (
        demo.post(demo.client_of("wujie"), path, version=event.version, reason=UNSEEN).status_code
        == 302
    )
    with demo.session() as session:
        assert session.get_one(BusinessEvent, event.id).reason == "ab"


def test_an_opinion_is_kept_without_what_nobody_sees(demo):
    with demo.session() as session:
        task = session.scalars(
            select(ApprovalTask).where(ApprovalTask.state == TaskState.PENDING)
        ).first()
        who = login_of(session, task.assignee_id)
    fields = {"decision": "REJECT", "opinion": f"不同意{UNSEEN}", "version": task.version}
    assert (
        demo.post(demo.client_of(who), f"/approvals/{task.id}/decide", **fields).status_code == 302
    )
    with demo.session() as session:
        assert session.get_one(ApprovalTask, task.id).opinion == "不同意ab"


def test_remarks_files_and_their_names(demo, company):
    customer, who = company
    client = demo.client_of(who)
    assert (
        demo.post(client, f"/comment/corporate_customer/{customer.id}", text=UNSEEN).status_code
        == 302
    )
    file = (io.BytesIO("说明".encode()), f"说明{UNSEEN}.txt")
    upload = f"/attachment/upload/corporate_customer/{customer.id}"
    assert demo.post(client, upload, category="", file=file).status_code == 302
    with demo.session() as session:
        assert session.scalars(select(Comment.text).order_by(Comment.id.desc())).first() == "ab"
        name = session.scalars(
            select(Attachment.original_name).order_by(Attachment.id.desc())
        ).first()
        assert name == "说明ab.txt"


@pytest.mark.parametrize("name", ["period", "word"])
def test_a_choice_that_is_none(demo, name):
    fields = {"period": "2026-01", "word": "transfer", name: UNSEEN}
    answer = demo.post(demo.client_of("wujie"), "/voucher/renumber", **fields)
    assert answer.status_code == 400


def test_nobody_hides_a_second_customer_behind_a_sign_that_nobody_sees(demo, company):
    customer, who = company
    values = {"name": customer.name, "uscc": f"{customer.uscc[:9]}\u200b{customer.uscc[9:]}"}
    client = demo.client_of(who)
    answer = client.post(
        "/api/v1/corporate_customer/", json=values, headers={"X-CSRFToken": demo.token(client)}
    )
    assert answer.status_code == 400
    assert "已登记" in answer.get_json()["message"]


def test_a_value_beyond_its_column_is_refused_in_chinese(demo, company, monkeypatch):
    """Whatever a verb lets through: here a remark that says too much of where it hangs."""
    customer, who = company
    monkeypatch.setattr(
        comments, "Comment", lambda **facts: Comment(**{**facts, "owner_table": "x" * 999})
    )
    path, client = f"/comment/corporate_customer/{customer.id}", demo.client_of(who)
    answer = demo.post(client, path, text="说明")
    if demo.engine.dialect.name == "postgresql":  # SQLite takes any length
        assert (answer.status_code, "内容过长" in answer.text) == (400, True)


def test_the_request_class_cleans_names_too():
    made = intake.Request.parameter_storage_class([("a\x00", "b\u200b"), ("n", 1)])
    assert list(made.items(multi=True)) == [("a", "b"), ("n", 1)]
