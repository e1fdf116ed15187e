"""3.3, 10.2 on the screen: the picture that one walks, the ring on top of a page, a merge that is looked at first."""

import re

import pytest
from sqlalchemy import select

from models.customer.customer import CorporateCustomer, Customer
from models.customer.merge import CustomerMerge
from models.customer.relation import CustomerRelation, RelationState
from models.guarantee.project import Project, ProjectState
from models.system.organization import Operator

MANAGER = "zhoumin"


@pytest.fixture(scope="module")
def ring(demo):
    """Three companies of one manager that guarantee each other in a ring, and one of another department behind them."""
    with demo.session() as session:
        person = select(Operator.employee_id).where(Operator.username == MANAGER)
        mine = select(CorporateCustomer).where(CorporateCustomer.manager_id.in_(person))
        found = session.scalars(mine.order_by(CorporateCustomer.id)).all()[:3]
        others = select(CorporateCustomer).where(
            CorporateCustomer.department_id != found[0].department_id
        )
        strange = session.scalars(others.order_by(CorporateCustomer.id)).first()
        for one, other in zip(found, [*found[1:], found[0]], strict=True):
            session.add(
                CustomerRelation(
                    customer_id=one.id,
                    to_customer_id=other.id,
                    kind="GUARANTEE",
                    state=RelationState.CONFIRMED,
                )
            )
        session.add(
            CustomerRelation(
                customer_id=found[1].id,
                to_customer_id=strange.id,
                kind="CONTROL",
                state=RelationState.CONFIRMED,
            )
        )
        session.commit()
        return [(one.id, one.name) for one in [*found, strange]]


def test_the_picture_leads_on_and_tells_what_the_table_tells(demo, ring):
    (first, name), (second, _), (third, _), (strange, secret) = ring
    client = demo.client_of(MANAGER)
    page = client.get(f"/report/customer-relations/{first}").text
    assert "<svg" in page
    assert f'href="/report/customer-relations/{second}"' in page
    assert f'href="/report/customer-relations/{third}"' in page
    assert "1 个互保圈" in page
    assert page.count('class="ring') >= 3
    assert name in page
    assert secret not in page
    assert "其他部门客户" in page
    assert client.get(f"/report/customer-relations/{strange}").status_code in {400, 404}
    for hostile in ("0", "-1", "abc", "99999999999999999999", "1%27"):
        answer = client.get(f"/report/customer-relations/{hostile}")
        assert answer.status_code in {400, 404}, hostile
    risk = demo.client_of("heping").get(f"/report/customer-relations/{first}").text
    assert secret in risk


def test_files_hold_the_same_and_who_may_not_gets_none(demo, ring):
    first, name = ring[0]
    found = demo.client_of(MANAGER).get(f"/report/customer-relations/{first}?format=csv")
    assert found.status_code == 200
    assert name in found.get_data(as_text=True)
    assert demo.client_of("security").get(f"/report/customer-relations/{first}").status_code == 403


def test_a_ring_stands_on_top_of_the_customer_and_of_the_project(demo, ring):
    client = demo.client_of(MANAGER)
    assert "互保圈：" in client.get(f"/corporate_customer/show/{ring[0][0]}").text
    keys = [key for key, _ in ring[:3]]
    with demo.session() as session:
        going = select(Project.id).where(
            Project.customer_id.in_(keys),
            Project.state.in_((ProjectState.RUNNING, ProjectState.IN_FORCE)),
        )
        project_id = session.scalars(going.order_by(Project.id)).first()
    assert "互保圈：" in client.get(f"/project/show/{project_id}").text


def test_a_merge_is_looked_at_before_it_is_asked_for(demo, ring):
    client = demo.client_of(MANAGER)
    with demo.session() as session:
        known = [key for key, _ in ring]
        person = select(Operator.employee_id).where(Operator.username == MANAGER)
        merged = session.scalars(
            select(CorporateCustomer).where(
                CorporateCustomer.manager_id.in_(person),
                CorporateCustomer.id.not_in(known),
                CorporateCustomer.id.not_in(select(Project.customer_id)),
            )
        ).first()
        kept = session.get_one(Customer, ring[0][0])
        url, version = f"/do/corporate_customer/{merged.id}/merge", merged.version
        key, name = kept.id, kept.name
    sent = {"version": version, "merged_into_id": key, "reason": "重复登记"}
    shown = demo.post(client, url, **sent)
    assert shown.status_code == 200
    assert "转到保留的客户" in shown.text
    assert f'data-text="{name}"' in shown.text
    with demo.session() as session:
        assert session.scalars(select(CustomerMerge)).all() == []
    seen = re.search(r'name="seen" value="([^"]+)"', shown.text).group(1)
    secret = ring[3]
    hidden = demo.post(client, url, **{**sent, "merged_into_id": secret[0]})
    assert hidden.status_code in {400, 404}
    assert secret[1] not in hidden.text
    done = demo.post(client, url, **sent, seen=seen)
    assert done.status_code in {302, 409}, done.text
    if done.status_code == 302:
        assert "审批中" in client.get(done.location).text
