"""No record inherits what hung on a deleted one."""

import io

import pytest
from sqlalchemy import inspect, select, text

from models.base.entity import entities
from models.customer.customer import CorporateCustomer
from models.system.organization import Operator
from models.system.records import Attachment

CODES = ("91320100MA0000001B", "91320100MA0000002E")


@pytest.fixture
def who(demo):
    with demo.session() as session:
        return session.scalars(
            select(Operator.username).join(
                CorporateCustomer, CorporateCustomer.manager_id == Operator.employee_id
            )
        ).first()


def test_a_new_customer_has_nothing_of_the_one_before(demo, who):
    client, made = demo.client_of(who), []
    headers = {"X-CSRFToken": demo.token(client)}
    for number, uscc in enumerate(CODES):
        facts = {"name": f"第{number}家", "uscc": uscc}
        answer = client.post("/api/v1/corporate_customer/", json=facts, headers=headers)
        assert answer.status_code == 201, answer.get_json()
        made.append(answer.get_json()["id"])
        page = client.get(f"/corporate_customer/show/{made[-1]}?tab=files").text
        assert "机密.txt" not in page
        file = (io.BytesIO("机密".encode()), "机密.txt")
        assert (
            demo.post(
                client, f"/attachment/upload/corporate_customer/{made[-1]}", file=file
            ).status_code
            == 302
        )
        assert (
            client.delete(
                f"/api/v1/corporate_customer/{made[-1]}?version=1", headers=headers
            ).status_code
            == 200
        )
    assert made[0] != made[1]
    with demo.session() as session:
        assert (
            list(session.scalars(select(Attachment.id).where(Attachment.owner_id.in_(made)))) == []
        )


def test_every_key_of_an_installation_counts_on(demo_app):
    """On SQLite, that is: a sequence of PostgreSQL never goes back."""
    with demo_app.engine.connect() as connection:
        made = dict(
            connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            ).all()
        )
    wanted = {m.__tablename__ for m in entities() if not inspect(m).inherits}
    assert wanted
    assert {name for name in wanted if "AUTOINCREMENT" not in made[name]} == set()
