"""One screen for every approval: only the person asked decides, exactly once, and nothing typed is lost."""

import re
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import (
    ApprovalFlow,
    ApprovalInstance,
    ApprovalNode,
    ApprovalState,
    ApprovalTask,
    ApprovalType,
    FlowState,
    NodeChooser,
    NodeMode,
)
from models.system.organization import Department
from tests.views.conftest import send
from workflows.approval import approval


@pytest.fixture(scope="module")
def flow(product):
    """A flow of two nodes: the holders of 财务主管, then those of 出纳."""
    with product.session() as session:
        kind = ApprovalType(code="screen.test", label="测试业务")
        nodes = [
            ApprovalNode(
                seq=n, name=name, chooser=NodeChooser.ROLE, role_name=role, mode=NodeMode.ANY
            )
            for n, name, role in ((1, "财务审批", "财务主管"), (2, "出纳审批", "出纳"))
        ]
        ctx = product.ctx(session)
        session.add(
            ApprovalFlow(
                code="SCREEN",
                name="测试流程",
                business_type=kind,
                nodes=nodes,
                state=FlowState.PUBLISHED,
                published_on=ctx.today,
            )
        )
        session.commit()


@pytest.fixture
def started(product, flow):
    """A submission of the account manager; returns (approval id, task id of the chief)."""
    with product.session() as session:
        record = Department(code=f"X{session.query(Department).count()}", name="待批事项", path="/")
        session.add(record)
        session.flush()
        instance = approval.start(
            product.ctx(session),
            "screen.test",
            record,
            title="测试业务：待批事项",
            amount=Decimal("1234567.89"),
            applicant_id=product.employees["manager"],
        )
        session.commit()
        task = session.scalars(
            select(ApprovalTask.id).where(
                ApprovalTask.instance_id == instance.id,
                ApprovalTask.assignee_id == product.employees["chief"],
            )
        ).one()
        return instance.id, task


def version_of(client, path):
    return re.search(
        r'name="version"[^>]*value="(\d+)"', client.get(path).get_data(as_text=True)
    ).group(1)


def state(product, instance_id):
    with product.session() as session:
        return session.get_one(ApprovalInstance, instance_id).state


def test_the_page_names_who_asks_for_how_much_and_what_comes_next(product, started):
    _, task = started
    page = product.browser("chief").get(f"/approvals/{task}").get_data(as_text=True)
    for words in (
        "待批事项",
        "1,234,567.89",
        "周敏",
        "财务审批",
        "出纳审批",
        "同意",
        "退回",
        "否决",
    ):
        assert words in page
    assert "待批事项" in product.browser("chief").get("/approvals/").get_data(as_text=True)


def test_agreeing_moves_on_and_a_second_click_changes_nothing(product, started):
    instance, task = started
    client = product.browser("chief")
    version = version_of(client, f"/approvals/{task}")
    first = send(
        client, f"/approvals/{task}/decide", decision="APPROVE", opinion="同意", version=version
    )
    assert first.status_code == 302
    again = send(
        client, f"/approvals/{task}/decide", decision="REJECT", opinion="再点一次", version=version
    )
    assert again.status_code == 409
    assert 'class="dock"' not in again.get_data(as_text=True)
    assert state(product, instance) is ApprovalState.RUNNING
    assert "待批事项" in product.browser("cashier").get("/approvals/").get_data(as_text=True)


@pytest.mark.parametrize("decision", ["REJECT", "RETURN"])
def test_refusing_needs_an_opinion(product, started, decision):
    instance, task = started
    client = product.browser("chief")
    version = version_of(client, f"/approvals/{task}")
    answer = send(
        client, f"/approvals/{task}/decide", decision=decision, opinion="  ", version=version
    )
    assert answer.status_code == 400
    assert "必须填写意见" in answer.get_data(as_text=True)
    done = send(
        client, f"/approvals/{task}/decide", decision=decision, opinion="材料不全", version=version
    )
    assert done.status_code == 302
    wanted = {"REJECT": ApprovalState.REJECTED, "RETURN": ApprovalState.RETURNED}
    assert state(product, instance) is wanted[decision]


def test_what_was_typed_stays_when_it_is_refused(product, started):
    _, task = started
    client = product.browser("chief")
    answer = send(
        client, f"/approvals/{task}/decide", decision="MAYBE", opinion="写了很久的意见", version="1"
    )
    assert answer.status_code == 400
    assert "写了很久的意见" in answer.get_data(as_text=True)


def test_only_the_person_asked_decides(product, started):
    instance, task = started
    for name in ("manager", "clerk", "other"):
        answer = send(
            product.browser(name),
            f"/approvals/{task}/decide",
            decision="APPROVE",
            opinion="",
            version="1",
        )
        assert answer.status_code in {403, 404}, name
    assert state(product, instance) is ApprovalState.RUNNING


def test_the_applicant_withdraws_until_somebody_has_acted(product, started):
    instance, task = started
    client = product.browser("manager")
    assert "撤回" in client.get(f"/approvals/instance/{instance}").get_data(as_text=True)
    assert (
        send(product.browser("chief"), f"/approvals/instance/{instance}/withdraw").status_code
        == 403
    )
    assert send(client, f"/approvals/instance/{instance}/withdraw").status_code == 302
    assert state(product, instance) is ApprovalState.WITHDRAWN
    answer = send(client, f"/approvals/instance/{instance}/withdraw")
    assert answer.status_code == 409
    assert task


def test_urging_twice_within_the_hour_is_refused(product, started):
    instance, _ = started
    client = product.browser("manager")
    assert send(client, f"/approvals/instance/{instance}/urge").status_code == 302
    assert send(client, f"/approvals/instance/{instance}/urge").status_code == 409


def test_handing_on_needs_a_colleague_and_a_reason(product, started):
    _, task = started
    client, path = product.browser("chief"), f"/approvals/{task}/transfer"
    version = version_of(client, path)
    missing = send(client, path, employee_id="", opinion="出差", version=version)
    assert missing.status_code == 400
    assert "请选择同事" in missing.get_data(as_text=True)
    clerk = str(product.employees["clerk"])
    assert send(client, path, employee_id=clerk, opinion="", version=version).status_code == 400
    assert send(client, path, employee_id=clerk, opinion="出差", version=version).status_code == 302
    assert "待批事项" in product.browser("clerk").get("/approvals/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/approvals/0", 404),
        ("/approvals/99999999999999999999", 404),
        ("/approvals/instance/x", 404),
        ("/approvals/?tab=%00&page=-1", 200),
        ("/approvals/?page=99999999999999999999", 200),
        ("/approvals/colleagues?q=%00'((", 200),
    ],
)
def test_hostile_addresses_never_break(product, path, status):
    assert product.browser("chief").get(path).status_code == status
