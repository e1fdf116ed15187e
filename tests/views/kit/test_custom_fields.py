"""A custom field on every door of its entity: form, list, filter, order, page, file, REST and its description."""

import csv
import io

import pytest

from tests.views.kit.conftest import token

DEFINITION = {
    "table_name": "department",
    "code": "rent",
    "label": "月租金",
    "kind": "MONEY",
    "length": "100",
    "scale": "2",
    "rank": "100",
    "group": "场地",
    "is_filtered": "true",
    "is_active": "true",
}


def post(client, path, page, **fields):
    return client.post(path, data={"csrf_token": token(client, page), **fields})


@pytest.fixture
def rent(boss):
    if "月租金" not in text_of(boss, "/custom_field/list/"):
        made = post(boss, "/custom_field/add", "/custom_field/list/", **DEFINITION)
        assert made.status_code == 302, made.get_data(as_text=True)


def text_of(client, path):
    response = client.get(path)
    assert response.status_code == 200, path
    return response.get_data(as_text=True)


def test_from_the_definition_to_the_file(boss, rent):
    assert "月租金" in text_of(boss, "/department/add")
    sent = {"code": "C1", "name": "南楼", "rank": "1", "is_active": "true"}
    refused = post(boss, "/department/add", "/department/list/", **sent, rent="一百")
    assert "月租金" in refused.get_data(as_text=True)
    for code, name, amount in (("C1", "南楼", "12,000.50"), ("C2", "北楼", "9000")):
        sent |= {"code": code, "name": name}
        made = post(boss, "/department/add", "/department/list/", **sent, rent=amount)
        assert made.status_code == 302, made.get_data(as_text=True)
    listed = text_of(boss, "/department/list/?cols=name,rent&order=-rent")
    assert listed.index("12,000.50") < listed.index("9,000.00")
    few = text_of(boss, "/department/list/?cols=name,rent&f=rent:ge:10000")
    assert ("南楼" in few, "北楼" in few) == (True, False)
    file = boss.get("/department/export?format=csv&cols=name,rent&order=rent&f=rent:filled:")
    rows = list(csv.reader(io.StringIO(file.get_data().decode("utf-8-sig"))))
    assert rows == [["部门名称", "月租金（元）"], ["北楼", "9000.00"], ["南楼", "12000.50"]]


def test_by_rest(boss, rent):
    sent = {"X-CSRFToken": token(boss, "/department/list/")}
    body = {"code": "C3", "name": "东楼", "rent": "1.5"}
    made = boss.post("/api/v1/department/", json=body, headers=sent)
    assert made.status_code == 201, made.get_json()
    key, result = made.get_json()["id"], made.get_json()["result"]
    assert result["rent"] == "1.50"
    saved = boss.put(
        f"/api/v1/department/{key}",
        json={"version": result["version"], "rent": "2"},
        headers=sent,
    )
    assert saved.get_json()["result"]["rent"] == "2.00"
    wrong = boss.post("/api/v1/department/", json=body | {"code": "C4", "rent": "x"}, headers=sent)
    assert (wrong.status_code, list(wrong.get_json()["errors"])) == (400, ["rent"])
    info = boss.get("/api/v1/department/_info").get_json()
    assert {"name": "rent", "label": "月租金", "kind": "money", "editable": True}.items() <= next(
        one for one in info["columns"] if one["name"] == "rent"
    ).items()
    assert "月租金" in text_of(boss, f"/department/show/{key}?tab=timeline")
