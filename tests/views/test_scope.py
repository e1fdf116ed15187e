"""Data scope (X5): what a reader may not see is not there: by list, address, look-up, filter, form, export and REST."""

import pytest

from models.organization import Employee
from tests.views.conftest import token

HIDDEN = "张明远"  # of department 1; the clerk sees department 2


@pytest.mark.parametrize(
    "path",
    [
        "/employee/list/", "/employee/list/?q=张明", "/employee/list/?f=name:starts:张",
        "/department/show/1?tab=employee", "/department/add?manager_id=1",
        "/department/lookup?field=manager_id&q=张", "/department/lookup?field=manager_id",
        "/employee/list/?f=manager_id:eq:1", "/department/list/?f=manager_id:eq:1", "/employee/export?format=csv",
        "/api/v1/employee/", "/api/v1/department/related/manager_id?q=张",
        "/api/v1/employee/?q=(filters:!((col:name,opr:eq,value:张明远)))",
    ],
)  # fmt: skip
def test_what_is_out_of_scope_is_nowhere(clerk, path):
    response = clerk.get(path)
    assert response.status_code == 200
    assert HIDDEN not in response.get_data(as_text=True)
    response.close()


@pytest.mark.parametrize("path", ["/employee/show/1", "/employee/edit/1", "/api/v1/employee/1"])
def test_an_address_out_of_scope_is_not_found(clerk, path):
    assert clerk.get(path).status_code == 404


def test_writing_out_of_scope_is_not_found(clerk, world):
    sent = {"X-CSRFToken": token(clerk, "/employee/list/")}
    assert clerk.post("/employee/delete/1", headers=sent, data={"version": "1"}).status_code == 404
    assert clerk.put("/api/v1/employee/1", json={"version": 1, "title": "偷改"}, headers=sent).status_code == 404
    assert clerk.delete("/api/v1/employee/1", headers=sent).status_code == 404
    assert world.get(Employee, id=1).title is None


def test_a_posted_key_out_of_scope_is_refused_without_a_name(clerk, world):
    data = {"csrf_token": token(clerk, "/department/add"), "code": "S1", "name": "部", "rank": "1", "manager_id": "1"}
    response = clerk.post("/department/add", data=data)
    text = response.get_data(as_text=True)
    assert response.status_code == 400
    assert "不在您的数据范围内" in text
    assert HIDDEN not in text


def test_the_list_says_its_scope(clerk):
    assert "数据范围：本部门" in clerk.get("/employee/list/").get_data(as_text=True)
