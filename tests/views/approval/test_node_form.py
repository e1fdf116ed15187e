"""What a node asks for besides the opinion, as the page takes it: fields, a file, a signature; copies on their tab."""

import base64
import io
import re

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from models.approval.approval import ApprovalNode, ApprovalTask, SignatureRule, TaskState
from models.approval.copies import ApprovalCopy
from models.system.organization import Operator
from reports.figures import node_fields

BEGINS_WITH = "demo"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def drawn():
    """A signature as the page sends it."""
    sheet = Image.new("RGB", (900, 360), "white")
    ImageDraw.Draw(sheet).line([(90, 300), (300, 60), (800, 90)], "black", 9)
    target = io.BytesIO()
    sheet.save(target, "PNG")
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()


@pytest.fixture
def waiting(demo):
    """A waiting task whose node asks for a file and a signature: its id, its approval's, who is asked."""
    with demo.session() as session:
        query = (
            select(ApprovalTask, Operator.username)
            .join(Operator, Operator.employee_id == ApprovalTask.assignee_id)
            .join(ApprovalNode, ApprovalNode.id == ApprovalTask.node_id)
            .where(ApprovalTask.state == TaskState.PENDING, ApprovalNode.filled_fields.is_(None))
        )
        task, username = session.execute(query.order_by(ApprovalTask.id).limit(1)).one()
        (_, label), *_ = node_fields.categories(session)
        task.node.required_files, task.node.signature = label, SignatureRule.REQUIRED
        session.commit()
        return task.id, task.instance_id, username, label


def test_a_decision_is_taken_with_all_that_its_node_asks_for(demo, waiting):
    key, instance, username, label = waiting
    client = demo.client_of(username)
    page = client.get(f"/approvals/{key}").get_data(as_text=True)
    assert 'enctype="multipart/form-data"' in page
    assert "手写签名需要浏览器启用脚本" in page
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    (field,) = re.findall(r'type="file"[^>]*|name="(file_\w+)"', page)[:1] or [""]
    field = field or re.search(r"file_\w+", page)[0]

    def send(**told):
        known = {"decision": "APPROVE", "opinion": "看过原件", "version": version}
        return demo.post(client, f"/approvals/{key}/decide", f"/approvals/{key}", **known, **told)

    for told, said in (
        ({}, f"同意前请上传：{label}"),
        ({"signature": drawn()}, f"同意前请上传：{label}"),
        ({field: (io.BytesIO(b"MZ"), "合同.exe"), "signature": drawn()}, "不支持“.exe”文件"),
        ({field: (io.BytesIO(PDF), "合同.pdf")}, "本节点须手写签名"),
        ({field: (io.BytesIO(PDF), "合同.pdf"), "signature": "data:text/html,x"}, "不是有效的图片"),
        (
            {field: (io.BytesIO(PDF), "合同.pdf"), "signature": "data:image/png;base64,!"},
            "有效的图片",
        ),
    ):
        answer = send(**told)
        text = answer.get_data(as_text=True)
        assert (answer.status_code, said in text, "看过原件" in text) == (400, True, True), said
    assert drawn() in send(signature=drawn()).get_data(as_text=True), "it need not be signed again"
    many = {"keys": f"{key}.{version}", "reason": "同意"}
    text = demo.post(client, "/approvals/bulk/approve", **many).get_data(as_text=True)
    assert "同意前请上传" in text

    done = send(**{field: (io.BytesIO(PDF), "合同.pdf"), "signature": drawn()})
    assert done.status_code == 302
    picture = client.get(f"/approvals/{key}/signature")
    assert (picture.status_code, picture.mimetype) == (200, "image/png")
    assert f"/approvals/{key}/signature" in client.get(f"/approvals/instance/{instance}").get_data(
        as_text=True
    )


def test_a_figure_that_has_changed_since_the_page_was_opened_is_looked_at_again(demo):
    with demo.session() as session:
        query = (
            select(ApprovalTask.id, Operator.username)
            .join(Operator, Operator.employee_id == ApprovalTask.assignee_id)
            .join(ApprovalNode, ApprovalNode.id == ApprovalTask.node_id)
            .where(ApprovalTask.state == TaskState.PENDING, ApprovalNode.filled_fields.is_not(None))
        )
        key, username = session.execute(query.order_by(ApprovalTask.id).limit(1)).one()
    client = demo.client_of(username)
    page = client.get(f"/approvals/{key}").get_data(as_text=True)
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    shown = dict(re.findall(r'name="shown\.(\w+)" value="(\w+)"', page))
    assert shown
    name, _ = shown.popitem()
    value = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)[0]
    sent = {name: re.search(r'value="([^"]*)"', value)[1], f"shown.{name}": "another"}
    url = f"/approvals/{key}"
    facts = {"decision": "APPROVE", "opinion": "按此金额", "version": version}
    answer = demo.post(client, f"{url}/decide", url, **facts, **sent)
    text = answer.get_data(as_text=True)
    assert (answer.status_code, "已改为" in text, "按此金额" in text) == (409, True, True)
    with demo.session() as session:
        assert session.get_one(ApprovalTask, key).state is TaskState.PENDING


def test_copies_are_sent_read_and_noted(demo, waiting):
    _, instance, username, _ = waiting
    client = demo.client_of(username)
    with demo.session() as session:
        told = session.scalars(select(Operator).where(Operator.username == "tangxia")).one()
        person = told.employee_id
    url = f"/approvals/instance/{instance}/copy"
    assert client.get(url).status_code == 200
    empty = demo.post(client, url, url, note="请知悉")
    assert (empty.status_code, "请知悉" in empty.get_data(as_text=True)) == (400, True)
    assert demo.post(client, url, url, employee_1=str(person), note="请知悉").status_code == 302
    reader = demo.client_of("tangxia")
    page = reader.get("/approvals/?tab=copies").get_data(as_text=True)
    assert "请知悉" in page
    assert "未阅" in page
    assert demo.post(reader, url, "/approvals/").status_code == 403
    with demo.session() as session:
        query = select(ApprovalCopy).where(
            ApprovalCopy.instance_id == instance, ApprovalCopy.employee_id == person
        )
        copy = session.scalars(query).one()
    noted = demo.post(reader, "/approvals/copies/read", keys=f"{copy.id}.{copy.version}")
    assert noted.status_code == 302
    assert demo.post(reader, f"/approvals/copies/{copy.id}/read").status_code == 302
    other = demo.post(client, f"/approvals/copies/{copy.id}/read")
    assert other.status_code == 403
