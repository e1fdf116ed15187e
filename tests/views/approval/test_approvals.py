"""One screen for every approval: only the person asked decides, exactly once, and nothing typed is lost."""

import re
from datetime import timedelta
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
from models.approval.delegation import Delegation
from models.system.organization import Department
from tests.views.conftest import send
from workflows.approval import approval, steps


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


def test_a_colleague_answers_what_was_entrusted_and_is_done_without_again(product, started):
    instance, task = started
    client, path = product.browser("chief"), f"/approvals/{task}/entrust"
    version, clerk = version_of(client, path), str(product.employees["clerk"])
    sent = {"employee_id": clerk, "opinion": "请核对账款", "version": version}
    assert send(client, path, **sent).status_code == 302
    with product.session() as session:
        own = select(ApprovalTask.id).where(ApprovalTask.instance_id == instance)
        asked = session.scalars(own.where(ApprovalTask.assignee_id == int(clerk))).one()
    page = product.browser("clerk").get(f"/approvals/{asked}").get_data(as_text=True)
    assert 'value="ANSWER"' in page
    assert 'value="APPROVE"' not in page
    page = client.get(f"/approvals/instance/{instance}").get_data(as_text=True)
    assert f"/approvals/{asked}/take-back" in page
    assert send(client, f"/approvals/{asked}/take-back", reason="").status_code == 400
    assert send(client, f"/approvals/{asked}/take-back", reason="自己核对").status_code == 302
    assert "请核对账款" in client.get(f"/approvals/instance/{instance}").get_data(as_text=True)


def test_several_are_decided_at_once_each_by_itself(product, started, flow):
    instance, task = started
    client = product.browser("chief")
    page = client.get("/approvals/?tab=many").get_data(as_text=True)
    key = re.search(rf'name="keys" value="({task}\.\d+)"', page).group(1)
    assert send(client, "/approvals/bulk/answer", keys=key).status_code == 400
    assert send(client, "/approvals/bulk/return", keys=key, reason="").status_code == 409
    unseen = send(client, "/approvals/bulk/approve", keys=str(task), reason="同意")
    assert unseen.status_code == 400, "nobody decides what the list did not show"
    stale = send(client, "/approvals/bulk/approve", keys=f"{task}.99", reason="同意")
    assert stale.status_code == 409
    assert "未办" in stale.get_data(as_text=True)
    assert send(client, "/approvals/bulk/approve", keys=key, reason="一并同意").status_code == 302
    with product.session() as session:
        assert session.get_one(ApprovalTask, task).opinion == "一并同意"
    assert state(product, instance) is ApprovalState.RUNNING
    everything = send(product.browser("cashier"), "/approvals/bulk/approve", all="1", reason="")
    assert everything.status_code == 302
    assert state(product, instance) is ApprovalState.APPROVED


def test_an_administrator_ends_it_with_a_reason(product, started):
    instance, _ = started
    client, path = product.browser("admin"), f"/approvals/instance/{instance}/end"
    assert send(product.browser("chief"), path, reason="重复").status_code == 403
    assert "终止审批" in client.get(f"/approvals/instance/{instance}").get_data(as_text=True)
    assert send(client, path, reason="重复").status_code == 302
    page = product.browser("manager").get(f"/approvals/instance/{instance}").get_data(as_text=True)
    assert "终止原因" in page


def test_a_superior_finds_the_overdue_and_urges(product, started):
    instance, task = started
    with product.session() as session:
        late = session.get_one(ApprovalTask, task)
        late.due_at = product.ctx(session).now - timedelta(hours=3)
        late.escalated_to_id = product.employees["head"]
        session.commit()
    client = product.browser("head")
    assert "审批超时督办" in client.get("/approvals/").get_data(as_text=True)
    assert "超时 3 小时" in client.get("/approvals/?tab=late").get_data(as_text=True)
    page = client.get(f"/approvals/instance/{instance}").get_data(as_text=True)
    assert "督办人" in page
    assert send(client, f"/approvals/instance/{instance}/urge").status_code == 302
    assert "已催办" in product.browser("chief").get("/approvals/").get_data(as_text=True)


def test_the_delegate_decides_in_the_others_name_until_it_is_revoked(product, started):
    _, task = started
    chief, clerk = product.browser("chief"), product.browser("other")
    assert "工作托管" in chief.get("/settings/").get_data(as_text=True)
    assert 'class="dock"' not in clerk.get(f"/approvals/{task}").get_data(as_text=True)
    with product.session() as session:
        today = product.ctx(session).today
    sent = {
        "delegate_id": str(product.employees["other"]),
        "starts_on": str(today),
        "ends_on": str(today),
        "reason": "外出",
    }
    assert "employee_id" not in chief.get("/delegation/add").get_data(as_text=True)
    assert send(chief, "/delegation/add", page="/delegation/add", **sent).status_code == 302
    with product.session() as session:
        one = session.scalars(select(Delegation)).one()
        assert one.employee_id == product.employees["chief"]
    page = clerk.get(f"/approvals/{task}").get_data(as_text=True)
    assert "您受石慧托管，代其办理" in page
    assert 'class="dock"' in page
    assert "（代石慧）" in clerk.get("/approvals/").get_data(as_text=True)
    assert "生效中" in chief.get("/delegation/list/").get_data(as_text=True)
    path = f"/do/delegation/{one.id}/revoke"
    assert path not in clerk.get(f"/delegation/show/{one.id}").get_data(as_text=True)
    answer = send(chief, path, version=str(one.version), reason="提前返回")
    assert answer.status_code == 302
    assert 'class="dock"' not in clerk.get(f"/approvals/{task}").get_data(as_text=True)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("type=screen.test", ("测试流程", "选用", "财务审批", "石慧")),
        ("type=screen.test&amount=100&customer_kind=CORPORATE&risk_grade=A", ("可以提交",)),
        ("type=screen.test&drafts=1", ("草稿发布以后",)),
        ("", ("审批试算",)),
    ],
)
def test_a_submission_is_tried_before_anybody_makes_it(product, flow, query, words, monkeypatch):
    monkeypatch.setitem(steps._HANDLERS, "screen.test", lambda *_: None)
    page = product.browser("admin").get(f"/approval-trial/?{query}")
    assert page.status_code == 200
    for word in words:
        assert word in page.get_data(as_text=True)


def test_what_is_wrong_in_a_trial_is_said_at_its_field_and_gaps_are_listed(product, flow):
    client = product.browser("admin")
    wrong = client.get("/approval-trial/?amount=一百&product=99999&applicant=x")
    assert wrong.status_code == 400
    assert "从列表中选择" in wrong.get_data(as_text=True)
    gaps = client.get("/approval-trial/gaps?type=project.evaluation").get_data(as_text=True)
    assert "没有在职且账号可用的人员" in gaps
    assert product.browser("manager").get("/approval-trial/").status_code == 403


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
