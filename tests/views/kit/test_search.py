"""The search box answers people with a page and itself with suggestions, within the reader's scope."""

import pytest

from models.customer.customer import CorporateCustomer, CustomerKind
from reports.base.search import reindex

BEGINS_WITH = "staffed"


@pytest.fixture(scope="module")
def customer(product):
    """A customer of the account manager."""
    with product.session() as session:
        product.ctx(session)
        made = CorporateCustomer(
            number="KH1",
            name="江州明达精密机械",
            kind=CustomerKind.CORPORATE,
            uscc="91320100MA1WXYZ01X",
            manager_id=product.employees["manager"],
            department_id=1,
        )
        session.add(made)
        session.flush()
        reindex(session, CorporateCustomer)
        session.commit()
        return made.id


def test_suggestions_lead_to_the_record(product, customer):
    answer = product.browser("manager").get(
        "/search?q=明达", headers={"Accept": "application/json"}
    )
    assert answer.get_json()["result"][0]["url"].endswith(f"/show/{customer}")
    assert "明达" in answer.get_json()["result"][0]["text"]


def test_the_page_shows_the_same_and_others_find_nothing(product, customer):
    assert "江州明达精密机械" in product.browser("manager").get("/search?q=明达").get_data(
        as_text=True
    )
    page = product.browser("other").get("/search?q=明达").get_data(as_text=True)
    assert "没有找到" in page
    assert "江州明达精密机械" not in page


@pytest.mark.parametrize(
    "text", ["", "%00", "((", "'\"*", "a" * 5000, "%F0%9F%98%80", "AND OR NOT"]
)
def test_any_text_may_be_searched(product, text):
    assert product.browser("manager").get(f"/search?q={text}").status_code == 200
