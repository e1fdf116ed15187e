"""Where an approval stands still, the page says who cannot decide, who can help, and the administrator gives it on."""

import pytest
from sqlalchemy import select, update

from models.approval.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.system.organization import Employee, Operator


@pytest.fixture(scope="module")
def waiting(demo):
    """A task that waits, the sign-ins of its holder and of who submitted it."""
    with demo.session() as session:
        query = (
            select(ApprovalTask)
            .join(ApprovalTask.instance)
            .where(ApprovalTask.state == TaskState.PENDING)
        )
        for task in session.scalars(query.order_by(ApprovalTask.id)):
            names = [
                username(session, one) for one in (task.assignee_id, task.instance.applicant_id)
            ]
            if all(names):
                return task.id, task.instance_id, task.assignee_id, *names
    raise AssertionError("the demonstration has no task that waits")


def username(session, employee_id):
    return session.scalar(select(Operator.username).where(Operator.employee_id == employee_id))


def holder_leaves(demo, employee_id, *, is_active):
    with demo.session() as session:
        session.execute(
            update(Employee).where(Employee.id == employee_id).values(is_active=is_active)
        )
        session.commit()


def test_an_employee_page_says_what_must_be_handed_over(demo, waiting):
    task_id, _, holder, *_ = waiting
    page = demo.client_of("admin").get(f"/employee/show/{holder}").get_data(as_text=True)
    assert "待办审批、岗位与项目" in page
    assert f"/approvals/{task_id}/reassign" in page
    others = demo.client_of("zhoumin").get(f"/employee/show/{holder}").get_data(as_text=True)
    assert "待办审批、岗位与项目" not in others
    operator = demo.client_of("security").get("/operator/list/").get_data(as_text=True)
    assert "操作员" in operator


def test_leaving_is_refused_at_the_field_and_changes_nothing(demo, waiting):
    holder = waiting[2]
    with demo.session() as session:
        version = session.get(Employee, holder).version
    client = demo.client_of("admin")
    answer = client.put(
        f"/api/v1/employee/{holder}",
        json={"version": version, "is_active": False},
        headers={"X-CSRFToken": demo.token(client)},
    )
    assert answer.status_code == 409
    assert "待办审批" in answer.get_json()["message"]
    with demo.session() as session:
        assert session.get(Employee, holder).is_active


def test_the_applicant_reads_who_cannot_decide_and_who_can_help(demo, waiting):
    _, instance_id, holder, _, applicant = waiting
    url = f"/approvals/instance/{instance_id}"
    assert "已离职，无法办理" not in demo.client_of(applicant).get(url).get_data(as_text=True)
    holder_leaves(demo, holder, is_active=False)
    page = demo.client_of(applicant).get(url).get_data(as_text=True)
    assert "已离职，无法办理；系统管理员（方志远）可以改派" in page
    assert "/reassign" not in page
    holder_leaves(demo, holder, is_active=True)


def test_an_administrator_gives_a_task_on_with_a_reason(demo, waiting):
    task_id, instance_id, holder, *_ = waiting
    admin, url = demo.client_of("admin"), f"/approvals/{task_id}/reassign"
    assert "改派（" in admin.get(f"/approvals/instance/{instance_id}").get_data(as_text=True)
    form = admin.get(f"{url}?next=/employee/show/{holder}")
    assert form.status_code == 200
    with demo.session() as session:
        task = session.get(ApprovalTask, task_id)
        facts = session.get(ApprovalInstance, instance_id).facts
        asked = set(
            session.scalars(
                select(ApprovalTask.assignee_id).where(ApprovalTask.instance_id == instance_id)
            )
        )
        active = select(Operator.employee_id).where(
            ~Operator.is_disabled, Operator.username != "admin"
        )
        fit = session.scalars(active.order_by(Operator.id)).all()
        to = next(one for one in fit if one not in asked | set(facts["excluded"]))
        version = task.version
    given = {
        "page": "/approvals/",
        "version": str(version),
        "employee_id": str(to),
        "next": f"/employee/show/{holder}",
    }
    for wrong, words in (
        ({"opinion": ""}, "必须填写意见"),
        ({"employee_id": "", "opinion": "x"}, "请选择接手的人员"),
    ):
        refused = demo.post(admin, url, **{**given, **wrong})
        assert (refused.status_code, words in refused.get_data(as_text=True)) == (400, True)
    assert demo.client_of("zhoumin").get(url).status_code == 403
    assert admin.get("/approvals/999999/reassign").status_code == 404
    assert admin.get("/approvals/x/reassign").status_code == 404
    done = demo.post(admin, url, **given, opinion="即将离职", all="1")
    assert (done.status_code, done.location) == (302, f"/employee/show/{holder}")
    with demo.session() as session:
        waiting_for_holder = select(ApprovalTask.id).where(
            ApprovalTask.assignee_id == holder, ApprovalTask.state == TaskState.PENDING
        )
        assert session.scalars(waiting_for_holder).all() == []
        assert session.get(ApprovalTask, task_id).opinion.endswith("：即将离职")
    again = demo.post(admin, url, **given, opinion="再来")
    assert again.status_code == 409


def test_an_approval_whose_record_is_gone_can_be_ended(demo, waiting):
    _, instance_id, _, _, applicant = waiting
    with demo.session() as session:
        session.execute(
            update(ApprovalInstance).where(ApprovalInstance.id == instance_id).values(record_id=0)
        )
        session.commit()
    admin, url = demo.client_of("admin"), f"/approvals/instance/{instance_id}"
    page = admin.get(url).get_data(as_text=True)
    assert "业务记录已不存在，无法办理；系统管理员（方志远）可以终止该审批" in page
    assert demo.post(demo.client_of(applicant), f"{url}/end", reason="清理").status_code == 403
    assert demo.post(admin, f"{url}/end", reason="").status_code == 400
    assert demo.post(admin, f"{url}/end", reason="记录已删除").status_code == 302
    with demo.session() as session:
        assert session.get(ApprovalInstance, instance_id).state is ApprovalState.WITHDRAWN
