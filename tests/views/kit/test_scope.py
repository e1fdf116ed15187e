"""Data scope (X5): what a reader may not see is not there: by list, address, look-up, filter, form, export and REST."""

import pytest

from models.customer.customer import CorporateCustomer
from models.customer.relation import CONTROL, SUPPLY_CHAIN, CustomerRelation
from tests.views.kit.conftest import token

HIDDEN = "秘密机械"  # of department 1; the clerk sees department 2
TITLE = f"{HIDDEN}有限公司"
HEAD = {"customer_id": "12", "kind": "SUPPLY_CHAIN"}


@pytest.fixture(scope="module", autouse=True)
def customers(world, house):
    """One customer out of the clerk's scope, two within, and a tie of each side."""
    for number, name, department in (
        (11, TITLE, 1),
        (12, "可见食品有限公司", 2),
        (13, "可见物流有限公司", 2),
    ):
        world.add(
            CorporateCustomer(
                id=number,
                number=f"KH{number}",
                name=name,
                uscc=f"{number:018d}",
                department_id=department,
                manager_id=department,
            )
        )
    world.add(CustomerRelation(id=1, customer_id=12, to_customer_id=13, kind=SUPPLY_CHAIN))
    world.add(CustomerRelation(id=2, customer_id=11, to_customer_id=12, kind=CONTROL))


@pytest.mark.parametrize(
    "path",
    [
        "/customer/list/",
        "/corporate_customer/list/?q=秘密",
        "/corporate_customer/list/?f=name:starts:秘",
        "/customer_relation/list/",
        "/customer_relation/list/?f=to_customer_id:eq:11",
        "/customer_relation/lookup?field=to_customer_id&q=秘密",
        "/customer_relation/lookup?field=to_customer_id",
        "/customer_relation/add?owner=12&to_customer_id=11",
        "/corporate_customer/export?format=csv",
        "/api/v1/customer/",
        "/api/v1/customer_relation/",
        "/api/v1/customer_relation/related/to_customer_id?q=秘密",
        "/api/v1/corporate_customer/?q=(filters:!((col:name,opr:ct,value:秘密)))",
    ],
)
def test_what_is_out_of_scope_is_nowhere(clerk, path):
    with clerk.get(path) as response:
        assert response.status_code == 200
        assert HIDDEN not in response.get_data(as_text=True)


def test_who_sees_all_sees_it(boss):
    for path in (
        "/customer/list/",
        "/customer_relation/lookup?field=to_customer_id&q=秘密",
        "/api/v1/customer/",
    ):
        assert HIDDEN in boss.get(path).get_data(as_text=True) or HIDDEN in str(
            boss.get(path).get_json()
        )


@pytest.mark.parametrize(
    "path",
    [
        "/corporate_customer/show/11",
        "/customer/show/11",
        "/corporate_customer/edit/11",
        "/customer_relation/show/2",
        "/customer_relation/edit/2",
        "/customer_relation/add?owner=11",
        "/api/v1/corporate_customer/11",
        "/api/v1/customer_relation/2",
    ],
)
def test_an_address_out_of_scope_is_not_found(clerk, path):
    assert clerk.get(path).status_code == 404


def test_writing_out_of_scope_is_not_found(clerk, world):
    sent = {"X-CSRFToken": token(clerk, "/customer/list/")}
    table = "corporate_customer"
    assert clerk.post(f"/{table}/delete/11", headers=sent, data={"version": "1"}).status_code == 404
    assert (
        clerk.post(f"/{table}/bulk_delete", headers=sent, data={"keys": ["11.1"]}).status_code
        == 409
    )
    assert (
        clerk.put(
            f"/api/v1/{table}/11", json={"version": 1, "note": "偷改"}, headers=sent
        ).status_code
        == 404
    )
    assert clerk.delete(f"/api/v1/{table}/11?version=1", headers=sent).status_code == 404
    assert world.get(CorporateCustomer, id=11).note is None


def test_a_posted_key_out_of_scope_is_refused_without_a_name(clerk, world):
    data = {"csrf_token": token(clerk, "/customer/list/"), **HEAD, "to_customer_id": "11"}
    response = clerk.post("/customer_relation/add?owner=12", data=data)
    text = response.get_data(as_text=True)
    assert response.status_code == 400
    assert "不在您的数据范围内" in text
    assert HIDDEN not in text
    sent = {"X-CSRFToken": data["csrf_token"]}
    refused = clerk.post(
        "/api/v1/customer_relation/",
        json={**HEAD, "customer_id": 12, "to_customer_id": 11},
        headers=sent,
    )
    assert refused.status_code == 400
    assert "to_customer_id" in refused.get_json()["errors"]
    assert HIDDEN not in str(refused.get_json())


def test_a_customer_is_shown_as_what_it_is(clerk):
    assert clerk.get("/customer/show/12").headers["Location"] == "/corporate_customer/show/12"
    assert clerk.get("/personal_customer/show/12").status_code == 404


def test_the_list_says_its_scope(clerk):
    assert "数据范围：本部门" in clerk.get("/customer/list/").get_data(as_text=True)
