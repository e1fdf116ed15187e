"""移交 on the screen: the head of a department gives what somebody holds to somebody else, from the employee's page."""

import re

import pytest
from sqlalchemy import select

from models.customer.customer import Customer
from models.guarantee.project import Project
from models.system.organization import Employee

BOX = re.compile(r'value="((?:customer|project)\.[^"]+)"')


@pytest.fixture(scope="module")
def ids(demo):
    with demo.session() as session:
        return dict(session.execute(select(Employee.name, Employee.id)).all())


def boxes(page):
    return BOX.findall(page)


def test_the_button_stands_on_the_page_of_the_employee_for_who_may(demo, ids):
    path = f"/employee/{ids['孙浩']}/hand-over"
    for who, may in (("chenli", True), ("admin", True), ("zhoumin", False), ("luona", False)):
        client = demo.client_of(who)
        assert (
            path in client.get(f"/employee/show/{ids['孙浩']}").get_data(as_text=True)
        ) == may, who
        assert client.get(path).status_code == (200 if may else 403), who


def test_what_is_ticked_goes_and_a_refusal_keeps_the_ticks(demo, ids):
    path, head = f"/employee/{ids['孙浩']}/hand-over", demo.client_of("chenli")
    rows = boxes(head.get(path).get_data(as_text=True))
    customer, project = (
        next(row for row in rows if row.startswith(kind)) for kind in ("customer.", "project.")
    )
    sent = {"customers": [customer], "assistant": [project], "employee_id": ids["周敏"]}
    refused = demo.post(head, path, **sent)
    assert refused.status_code == 400
    page = refused.get_data(as_text=True)
    assert "请填写移交的原因" in page
    assert page.count("checked") == 2
    assert demo.post(head, path, **sent, reason="孙浩调离").status_code == 302
    with demo.session() as session:
        assert session.get(Customer, int(customer.split(".")[1])).manager_id == ids["周敏"]
        moved = session.get(Project, int(project.split(".")[1]))
        assert ids["周敏"] in (moved.manager_id, moved.assistant_id)
    assert demo.post(head, path, **sent, reason="再来一次").status_code == 409
    assert "孙浩调离" in head.get(f"/project/show/{moved.id}?tab=timeline").get_data(as_text=True)


def test_what_belongs_to_another_department_is_neither_listed_nor_taken(demo, ids):
    path, head = f"/employee/{ids['林一凡']}/hand-over", demo.client_of("chenli")
    page = head.get(path).get_data(as_text=True)
    assert boxes(page) == []
    assert "请该部门经理或系统管理员移交" in page
    with demo.session() as session:
        foreign = session.scalars(
            select(Project).where(Project.manager_id == ids["林一凡"]).limit(1)
        ).one()
    row = f"project.{foreign.id}.A角.{foreign.version}"
    answer = demo.post(head, path, manager=row, employee_id=ids["周敏"], reason="试试")
    assert answer.status_code in {403, 404}


@pytest.mark.parametrize(
    "row", ["project", "project.x.A角.1", "contract.1.A角.1", "project.1.A角.", "."]
)
def test_what_no_box_carries_is_refused_in_words(demo, ids, row):
    path = f"/employee/{ids['孙浩']}/hand-over"
    answer = demo.post(
        demo.client_of("admin"), path, customers=row, employee_id=ids["周敏"], reason="试试"
    )
    assert answer.status_code == 400
    assert "请刷新后重新勾选" in answer.get_data(as_text=True)


def test_who_is_to_leave_is_told_of_the_screen(demo, ids):
    answer = demo.client_of("admin").get(f"/employee/show/{ids['周敏']}")
    assert f"/employee/{ids['周敏']}/hand-over" in answer.get_data(as_text=True)
    with demo.session() as session:
        version = session.get(Employee, ids["周敏"]).version
    token = demo.token(demo.client_of("admin"))
    answer = demo.client_of("admin").put(
        f"/api/v1/employee/{ids['周敏']}",
        json={"version": version, "is_active": False},
        headers={"X-CSRFToken": token},
    )
    assert answer.status_code == 409
    assert "“移交”" in answer.get_json()["errors"]["is_active"][0]
