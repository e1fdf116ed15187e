"""The flow editor (A9): a draft with branches is drawn before it is saved, refused at its place, published."""

import re

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select

from models.approval.approval import (
    ApprovalBranch,
    ApprovalFlow,
    ApprovalNode,
    ApprovalType,
    BranchKind,
    FlowState,
    NodeChooser,
)
from models.system.configuration import ConfigProposal, ConfigVersion
from models.system.setup import Parameter
from reports.figures.configuration import kinds
from tests.views.conftest import send


@pytest.fixture
def draft(product):
    """A draft of one node, asking the holders of a role."""
    with product.session() as session:
        known = session.scalars(select(ApprovalFlow).where(ApprovalFlow.code == "contract")).one()
        number = session.query(ApprovalFlow).count()
        made = ApprovalFlow(
            code=f"edited{number}", name="可编辑流程", business_type=known.business_type
        )
        role = {"chooser": NodeChooser.ROLE, "role_name": "财务主管"}
        made.nodes = [ApprovalNode(seq=10, name="初审", **role)]
        session.add(made)
        session.commit()
        return made.id


def form_of(product, key, **changes):
    """What the page sends: all that stands in its form, with the changes."""
    page = product.browser("admin").get(f"/approval_flow/editor/{key}").text
    page = re.sub(r"<template.*?</template>", "", page, flags=re.DOTALL)
    hidden = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
    sent = {name: text for name, text in hidden if name not in ("grid", "csrf_token")}
    with product.session() as session:
        flow = session.get_one(ApprovalFlow, key)
        sent |= {
            "code": flow.code,
            "name": flow.name,
            "business_type_id": str(flow.business_type_id),
            "priority": "0",
            "repeats": flow.repeats.name,
            "version": str(flow.version),
            "grid": ["approval_node", "approval_branch", "approval_example"],
            "approval_node-0-name": "初审",
            "approval_node-0-chooser": "ROLE",
            "approval_node-0-role_name": "财务主管",
            "approval_node-0-mode": "ANY",
        }
    return sent | changes


def branched(**more):
    """Above a million 出纳 too; else nobody."""
    lane = {"fork_no": "1", "kind": "CONDITION"}
    rows = {
        "approval_branch-0-": {**lane, "no": "10", "name": "大额", "condition": "金额 > 100万"},
        "approval_branch-1-": {**lane, "no": "20", "name": "其余"},
        "approval_node-1-": {
            "seq": "20",
            "branch_no": "10",
            "name": "出纳复核",
            "chooser": "ROLE",
            "role_name": "出纳",
            "mode": "ANY",
        },
    }
    return {place + name: text for place, row in rows.items() for name, text in row.items()} | more


def test_a_branch_is_drawn_tried_and_saved_and_the_version_kept(product, draft):
    admin, url = product.browser("admin"), f"/approval_flow/sketch/{draft}"
    sent = form_of(product, draft, **branched())
    drawn = send(admin, url, **sent)
    assert drawn.status_code == 200
    assert "大额" in drawn.text
    assert "出纳复核" in drawn.text
    small = send(admin, url, **sent, try_amount="50万").text
    assert "可以提交" in small
    assert "（不经过）" in small
    assert 'data-keep-example="初审"' in small
    example = {
        "approval_example-0-title": "两百万元",
        "approval_example-0-amount": "200万",
        "approval_example-0-expected": "初审 → 出纳复核",
    }
    saved = send(admin, f"/approval_flow/editor/{draft}", **sent, **example, publish="1")
    assert saved.status_code == 302, re.findall(r'role="alert".*?</div>', saved.text, re.DOTALL)
    with product.session() as session:
        flow = session.get_one(ApprovalFlow, draft)
        assert flow.state is FlowState.PUBLISHED
        assert [(one.seq, one.branch_no) for one in flow.nodes] == [(10, None), (20, 10)]
        kept = session.scalars(
            select(ConfigVersion).where(ConfigVersion.table_name == "approval_flow")
        ).all()
        content = [one.content for one in kept if "可编辑流程" in str(one.content)][-1]
        assert len(content[0]["parts"]["approval_branch"]) == 2
    assert send(admin, f"/approval_flow/editor/{draft}", **sent).status_code == 409


def test_what_makes_no_sense_is_refused_at_its_place_and_keeps_what_was_typed(product, draft):
    admin, url = product.browser("admin"), f"/approval_flow/editor/{draft}"
    wrong = branched(**{"approval_branch-0-condition": "额度 > 1"})
    refused = send(admin, url, **form_of(product, draft, **wrong))
    assert refused.status_code == 400
    assert "没有叫‘额度’的字段" in refused.text
    assert "出纳复核" in refused.text
    open_ended = branched(**{"approval_branch-1-condition": "金额 ≤ 100万"})
    refused = send(admin, url, **form_of(product, draft, **open_ended), publish="1")
    assert refused.status_code == 400
    assert "分支“其余”最后一个条件分支的进入条件必须留空" in refused.text
    example = {
        "approval_example-0-title": "两百万元",
        "approval_example-0-amount": "2000000",
        "approval_example-0-expected": "初审",
    }
    refused = send(admin, url, **form_of(product, draft, **branched(**example)), publish="1")
    assert refused.status_code == 400
    assert "样例“两百万元”应为“初审”，按现在的设置为“初审 → 出纳复核”" in refused.text
    with product.session() as session:
        flow = session.get_one(ApprovalFlow, draft)
        assert (flow.state, len(flow.nodes), flow.branches) == (FlowState.DRAFT, 1, [])


def test_what_is_half_written_is_drawn_all_the_same(product, draft):
    admin, url = product.browser("admin"), f"/approval_flow/sketch/{draft}"
    sent = form_of(product, draft)
    half = {"approval_node-1-seq": "x", "approval_node-1-name": "乱", "approval_branch-0-no": ""}
    empty = {f"approval_node-0-{name}": "" for name in ("name", "chooser", "mode", "signature")}
    odd = {"name": "", "code": "", "priority": "", "repeats": "?", "business_type_id": "x"}
    for changes in (half, empty, odd, branched(**{"approval_branch-0-inside_no": "10"})):
        drawn = send(admin, url, **(sent | changes), try_amount="五百", try_product="999999")
        assert drawn.status_code == 200, changes


def test_a_rule_that_makes_no_sense_is_refused_at_its_field_while_something_is_tried(
    product, draft
):
    admin = product.browser("admin")
    sent = form_of(product, draft, condition="额度 > 1", name="改过的名称", try_amount="1")
    sketch = send(admin, f"/approval_flow/sketch/{draft}", **sent)
    assert (sketch.status_code, "适用规则已失效" in sketch.text) == (200, True)
    refused = send(admin, f"/approval_flow/editor/{draft}", **sent)
    assert refused.status_code == 400
    assert "改过的名称" in refused.text
    assert 'name="approval_node-0-name"' in refused.text


def test_whatever_a_draft_holds_has_its_card(product, draft):
    """Branches in a circle, two of one number, too many one inside the other: shown, told, never lost."""
    admin, url = product.browser("admin"), f"/approval_flow/editor/{draft}"

    def around(no, inside):
        facts = {"fork_no": no, "kind": BranchKind.PARALLEL, "inside_no": inside}
        return ApprovalBranch(no=no, name=f"支{no}", **facts)

    with product.session() as session:
        flow = session.get_one(ApprovalFlow, draft)
        flow.branches = [around(1, 2), around(2, 1)]
        role = {"chooser": NodeChooser.ROLE, "role_name": "出纳"}
        flow.nodes.append(ApprovalNode(seq=20, name="支上节点", branch_no=1, **role))
        session.commit()
    page = admin.get(url).text
    assert all(name in page for name in ('value="支1"', 'value="支2"', 'value="支上节点"'))
    lane = {"fork_no": "1", "kind": "CONDITION", "no": "1"}
    rows = {
        "approval_branch-2-": {**lane, "name": "一支", "no": "3", "fork_no": "3"},
        "approval_branch-3-": {**lane, "name": "同号", "no": "3", "inside_no": "3"},
    }
    sent = form_of(
        product,
        draft,
        **{at + name: text for at, row in rows.items() for name, text in row.items()},
    )
    refused = send(admin, url, **sent)
    assert (refused.status_code, 'value="同号"' in refused.text) == (400, True)
    with product.session() as session:
        flow = session.get_one(ApprovalFlow, draft)
        flow.branches = [around(no, no - 1 if no > 11 else None) for no in range(11, 411)]
        code = flow.business_type.code
        session.commit()
    try:
        tried = f"/approval-trial/?type={code}&drafts=1&amount=1"
        for address in (f"/approval_flow/show/{draft}", url, tried):
            assert admin.get(address).status_code == 200, address
    finally:
        with product.session() as session:
            session.get_one(ApprovalFlow, draft).branches = []
            session.commit()


def test_what_is_saved_and_published_at_once_a_second_person_can_publish(product, draft):
    """四眼发布: the draft is saved, its publishing proposed; who publishes the proposal publishes this draft."""

    def newest(session, code):
        query = select(Parameter).where(Parameter.code == code)
        return session.scalars(query.order_by(Parameter.effective_on.desc())).first()

    with product.session() as session:
        newest(session, "config.four_eyes").value = "是"
        kept = newest(session, "config.four_eyes_kinds").value
        newest(session, "config.four_eyes_kinds").value = kinds()["approval_flow"]
        user = session.scalars(select(User).where(User.username == "safe")).one()
        had = list(user.roles)
        role = session.scalars(select(Role).where(Role.name == "系统管理员")).one()
        user.roles = [*had, *([] if role in had else [role])]
        session.commit()
    try:
        sent = form_of(product, draft, **branched(name="改了再发布", publish="1"))
        answer = send(product.browser("admin"), f"/approval_flow/editor/{draft}", **sent)
        with product.session() as session:
            flow = session.get_one(ApprovalFlow, draft)
            assert (flow.name, flow.state) == ("改了再发布", FlowState.DRAFT)
            found = session.scalars(
                select(ConfigProposal).order_by(ConfigProposal.id.desc()).limit(1)
            ).one()
            place = f"config_proposal/{found.id}/publish"
            assert answer.headers["Location"].endswith(f"/config_proposal/show/{found.id}")
            version = str(found.version)
        send(product.browser("safe"), f"/do/{place}", version=version)
        with product.session() as session:
            assert session.get_one(ApprovalFlow, draft).state is FlowState.PUBLISHED
    finally:
        with product.session() as session:
            newest(session, "config.four_eyes").value = "否"
            newest(session, "config.four_eyes_kinds").value = kept
            session.scalars(select(User).where(User.username == "safe")).one().roles = [
                session.get_one(Role, one.id) for one in had
            ]
            session.commit()


def test_only_who_sets_flows_up_opens_the_editor(product, draft):
    manager = product.browser("manager")
    assert manager.get(f"/approval_flow/editor/{draft}").status_code == 403
    assert send(manager, f"/approval_flow/sketch/{draft}").status_code == 403
    assert product.browser("admin").get("/approval_flow/editor/999999").status_code == 404


def test_a_business_that_nothing_puts_up_is_no_choice(product, draft):
    with product.session() as session:
        session.add(ApprovalType(code="nobody.starts", label="无人发起的业务"))
        session.commit()
    admin = product.browser("admin")
    look_up = admin.get("/approval_flow/lookup?field=business_type_id&q=业务").get_json()
    assert "无人发起的业务" not in [one["text"] for one in look_up["result"]]
    offered = admin.get("/approval_flow/lookup?field=business_type_id&q=合同").get_json()
    assert "合同" in [one["text"] for one in offered["result"]]
    assert "无人发起的业务" not in admin.get("/approval-trial/").text


def test_a_card_asks_for_all_that_a_node_says_of_fields_signature_and_copies(product, draft):
    """What is drawn says it before it is saved; a field that the business has not is refused at its place."""
    place = "approval_node-0-"
    facts = {f"{place}signature": "REQUIRED", f"{place}required_files": "没有的"}
    page = product.browser("admin").get(f"/approval_flow/editor/{draft}").text
    assert all(f'name="{name}"' in page for name in (*facts, f"{place}copy_employee_id"))
    sent = form_of(product, draft, **facts)
    sketch = send(product.browser("admin"), f"/approval_flow/sketch/{draft}", **sent)
    assert "手写签名：必须" in sketch.text
    refused = send(product.browser("admin"), f"/approval_flow/editor/{draft}", **sent)
    assert (refused.status_code, "没有“没有的”" in refused.text) == (400, True)
