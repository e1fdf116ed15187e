"""Two roles of one person (X5): reading goes as far as the wider one, acting as far as those that give the right."""

from datetime import UTC, datetime

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select

from models.base.errors import NotAllowed
from models.customer.customer import CorporateCustomer
from models.guarantee.project import Project, ProjectState
from models.system.setup import SystemState
from reports.base.scope import scoped
from reports.workbench.todo import waiting
from tests.views.kit.test_whose import remark
from workflows.base.context import Ctx
from workflows.guarantee import application

BOARD = "审保会委员"
BEYOND = "的权限只及本人，不含"


def inbox(demo, username):
    with demo.session() as session:
        actor = demo.actor_of(username)
        today = session.get_one(SystemState, 1).business_date
        found = waiting(session, actor, datetime.now(UTC), today).counts
        return {kind: count for kind, count in found.items() if count}


@pytest.fixture(scope="module")
def both(demo):
    """周敏 manages her own customers and projects, and sits on the board, which reads everything.

    What she had to do before, a customer of her own with one that she could not read, and such a project.
    """
    before, alone = inbox(demo, "zhoumin"), demo.actor_of("zhoumin")
    with demo.session() as session:
        own = select(CorporateCustomer.id).where(CorporateCustomer.manager_id == alone.employee_id)
        hidden = [
            select(model.id).where(
                model.id.not_in(scoped(select(model.id).correlate(None), model, alone))
            )
            for model in (CorporateCustomer, Project)
        ]
        under_way = hidden[1].where(Project.state == ProjectState.RUNNING)
        found = [session.scalars(q.limit(1)).one() for q in (own, hidden[0], under_way)]
        user = session.scalars(select(User).where(User.username == "zhoumin")).one()
        user.roles = [*user.roles, session.scalars(select(Role).where(Role.name == BOARD)).one()]
        session.commit()
    return before, found[:2], found[2]


def sent(demo, method, path, **values):
    client = demo.client_of("zhoumin")
    headers = {"X-CSRFToken": demo.token(client)}
    return client.open(f"/api/v1/{path}", method=method, json=values, headers=headers)


def version(demo, key):
    found = demo.client_of("zhoumin").get(f"/api/v1/corporate_customer/{key}").get_json()
    return found["result"]["version"]


def test_what_the_board_reads_is_not_hers_to_change(demo, both):
    customers = both[1]
    for key, status in zip(customers, (200, 403), strict=True):
        page = demo.client_of("zhoumin").get(f"/corporate_customer/show/{key}")
        assert page.status_code == 200
        assert (f"/corporate_customer/edit/{key}" in page.get_data(as_text=True)) is (status == 200)
        form = demo.client_of("zhoumin").get(f"/corporate_customer/edit/{key}")
        token = demo.token(demo.client_of("zhoumin"))
        plain = demo.client_of("zhoumin").post(
            f"/corporate_customer/reveal/{key}/contact_phone", data={"csrf_token": token}
        )
        assert (form.status_code, plain.status_code) == (status, status)
        path, seen = f"corporate_customer/{key}", version(demo, key)
        saved = sent(demo, "PUT", path, version=seen, note="年审已过")
        assert (saved.status_code, BEYOND in saved.get_json().get("message", "")) == (
            status,
            status == 403,
        )
        assert remark(demo, "zhoumin", "corporate_customer", key) == {200: 302}.get(status, status)
    part = {"corporate_customer_id": customers[1], "name": "别人的股东", "share_pct": 1}
    added = sent(demo, "POST", "shareholder/", **part)
    assert (added.status_code, BEYOND in added.get_json()["message"]) == (403, True)
    gone = sent(demo, "DELETE", f"corporate_customer/{customers[1]}?version={seen}")
    assert gone.status_code == 403


def test_verbs_and_the_inbox_reach_as_far_as_the_right(demo, both):
    before, _, key = both
    assert inbox(demo, "zhoumin") == before
    page = demo.client_of("zhoumin").get(f"/project/show/{key}")
    assert page.status_code == 200
    assert f"/do/project/{key}/cancel" not in page.get_data(as_text=True)
    with demo.session() as session:
        today = session.get_one(SystemState, 1).business_date
        ctx = Ctx(session, demo.actor_of("zhoumin"), today, datetime.now(UTC))
        project = session.get_one(Project, key)
        with pytest.raises(NotAllowed, match=BEYOND):
            application.cancel(ctx, project, "客户撤回申请", project.version)
