"""Whose record it is (X5, rule 9): what hangs on it is read with it and written with it; being asked opens it alone."""

import io

import pytest
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import func, select

from models.approval.approval import ApprovalInstance, ApprovalState, ApprovalTask, TaskState
from models.customer.customer import CorporateCustomer
from models.customer.detail import Qualification
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import Receipt
from models.ledger.voucher import Voucher, VoucherState
from models.system.organization import Department, Employee, Operator
from models.system.records import Attachment, Comment
from views.kit import edge
from workflows.system import operators

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
PASSWORD = "Danbao@2026"
READERS_ALONE = ("auditor", "analyst", "admin")


def upload(demo, username, table, key, name="资料.pdf"):
    client = demo.client_of(username)
    return demo.post(
        client, f"/attachment/upload/{table}/{key}", file=(io.BytesIO(PDF), name)
    ).status_code


def remark(demo, username, table, key):
    return demo.post(
        demo.client_of(username), f"/comment/{table}/{key}", text=f"{username} 的备注"
    ).status_code


def hung(demo):
    with demo.session() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(model))
            for model in (Attachment, Comment)
        )


def id_of(demo, username):
    with demo.session() as session:
        return session.scalars(
            select(Operator.employee_id).where(Operator.username == username)
        ).one()


@pytest.fixture(scope="module")
def voucher(demo):
    """A posted voucher."""
    with demo.session() as session:
        query = select(Voucher.id).where(Voucher.state == VoucherState.POSTED)
        return session.scalars(query.order_by(Voucher.id.desc()).limit(1)).one()


@pytest.fixture(scope="module")
def projects(demo):
    """A project of 周敏 that is over, and one of another department."""
    me = id_of(demo, "zhoumin")
    with demo.session() as session:
        own = (
            select(Project.id)
            .where(Project.manager_id == me)
            .order_by(Project.state != ProjectState.RELEASED)
        )
        department = session.get_one(Employee, me).department_id
        roles = (
            Project.manager_id,
            Project.assistant_id,
            Project.risk_officer_id,
            Project.legal_officer_id,
        )
        foreign = select(Project.id).where(Project.department_id != department)
        foreign = foreign.where(*(func.coalesce(role, 0) != me for role in roles))
        return session.scalars(own.limit(1)).one(), session.scalars(foreign.limit(1)).one()


def test_a_file_opens_by_the_right_on_what_it_hangs_on(demo, voucher):
    assert upload(demo, "wujie", "voucher", voucher) == 302
    with demo.session() as session:
        file = session.scalars(select(Attachment.id).order_by(Attachment.id.desc()).limit(1)).one()
    path = f"/attachment/{file}/download"
    for username in ("wujie", "luona", "auditor"):
        assert demo.client_of(username).get(path).status_code == 200, username
    for username in ("zhoumin", "heping", "liuwen", "security"):
        client = demo.client_of(username)
        assert (
            client.get(path).status_code
            == client.get(f"/voucher/show/{voucher}").status_code
            == 403
        ), username


@pytest.mark.parametrize("username", READERS_ALONE)
def test_who_may_only_read_hangs_nothing_on_it(demo, voucher, projects, username):
    before = hung(demo)
    for table, key in (("voucher", voucher), ("project", projects[0]), ("project", projects[1])):
        assert upload(demo, username, table, key) == 403, table
        assert remark(demo, username, table, key) == 403, table
        page = demo.client_of(username).get(f"/{table}/show/{key}?tab=files").text
        assert "/attachment/upload/" not in page
        assert f'action="/comment/{table}' not in page
    assert hung(demo) == before


def test_who_works_on_it_adds_to_it(demo, voucher, projects):
    with demo.session() as session:
        receipt = session.scalars(select(Receipt.id).order_by(Receipt.id.desc()).limit(1)).one()
    for username, table, key in (
        ("zhoumin", "project", projects[0]),
        ("luona", "receipt", receipt),
        ("luona", "voucher", voucher),
        ("shihui", "voucher", voucher),
    ):
        assert upload(demo, username, table, key, f"{username}.pdf") == 302, (username, table)
        assert remark(demo, username, table, key) == 302, (username, table)
    assert remark(demo, "zhoumin", "project", projects[1]) == 404
    assert remark(demo, "luona", "project", projects[0]) == 403


def pending(demo, username):
    """(task, record table, record id) of something that waits for this person."""
    me = id_of(demo, username)
    with demo.session() as session:
        query = select(
            ApprovalTask.id, ApprovalInstance.table_name, ApprovalInstance.record_id
        ).join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
        mine = query.where(ApprovalTask.assignee_id == me, ApprovalTask.state == TaskState.PENDING)
        return session.execute(mine).first()


def test_whoever_is_to_decide_adds_to_it_until_it_is_decided(demo):
    task, table, key = pending(demo, "heping")
    assert remark(demo, "heping", table, key) == 302
    client = demo.client_of("heping")
    with demo.session() as session:
        version = session.get_one(ApprovalTask, task).version
    sent = demo.post(
        client, f"/approvals/{task}/decide", decision="REJECT", opinion="资料不全", version=version
    )
    assert sent.status_code == 302
    assert client.get(f"/{table}/show/{key}").status_code == 200
    assert remark(demo, "heping", table, key) == 403


@pytest.fixture(scope="module")
def asked(demo):
    """The browser of somebody without any permission to whom a task was handed, and what it is about."""
    with demo.session() as session:
        found = session.execute(
            select(
                ApprovalTask.id, ApprovalInstance.table_name, ApprovalInstance.record_id, Project.id
            )
            .join(ApprovalInstance, ApprovalInstance.id == ApprovalTask.instance_id)
            .join(Project, Project.id == ApprovalInstance.project_id)
            .where(ApprovalTask.state == TaskState.PENDING)
        ).first()
    with demo.app.test_request_context():
        ctx = edge.system_ctx("test")
        edge.begin_write(ctx.session)
        department = ctx.session.scalars(select(Department)).first()
        employee = Employee(number="X009", name="受托人", department_id=department.id)
        ctx.session.add(employee)
        ctx.session.flush()
        operators.create_operator(
            ctx, employee, "asked", PASSWORD, ["审计管理员"], must_change=False
        )
        ctx.session.scalars(select(User).where(User.username == "asked")).one().roles = []
        ctx.session.get_one(ApprovalTask, found[0]).assignee_id = employee.id
        ctx.session.commit()
    return demo.sign_in("asked", PASSWORD), found


def test_being_asked_opens_that_record_and_nothing_else(demo, asked):
    client, (task, table, key, project) = asked
    assert client.get(f"/approvals/{task}").status_code == 200
    for path in (f"/{table}/show/{key}", f"/api/v1/{table}/{key}", f"/project/show/{project}"):
        assert client.get(path).status_code == 200, path
    with demo.session() as session:
        others = session.scalars(select(Project.id).where(Project.id != project)).all()
    assert {client.get(f"/project/show/{other}").status_code for other in others[:10]} == {403}
    for path in (
        f"/{table}/list/",
        "/api/v1/project/",
        "/project/export",
        f"/{table}/edit/{key}",
        "/project/show/0",
    ):
        assert client.get(path).status_code == 403, path


def test_being_asked_lets_nobody_write_who_may_write_his_own(demo):
    """With the rights of a head of another department, on a draft: it is read, changed by no door, deleted by none."""
    with demo.app.test_request_context():
        ctx = edge.system_ctx("test")
        edge.begin_write(ctx.session)
        department = Department(code="D99", name="另一部门", path="/")
        ctx.session.add(department)
        ctx.session.flush()
        department.path = f"/{department.id}/"
        employee = Employee(number="X010", name="别处的经理", department_id=department.id)
        ctx.session.add(employee)
        ctx.session.flush()
        operators.create_operator(
            ctx, employee, "elsewhere", PASSWORD, ["业务部门经理"], must_change=False
        )
        draft = ctx.session.scalars(
            select(Project).where(Project.state == ProjectState.DRAFT).limit(1)
        ).one()
        task = ctx.session.scalars(select(ApprovalTask).limit(1)).one()
        before = task.assignee_id
        key, version = draft.id, draft.version
        ctx.session.commit()
    client = demo.sign_in("elsewhere", PASSWORD)
    assert client.get(f"/project/show/{key}").status_code == 404
    with demo.session() as session:
        task = session.get_one(ApprovalTask, task.id)
        instance = session.get_one(ApprovalInstance, task.instance_id)
        kept = instance.project_id
        task.assignee_id, instance.project_id = employee.id, key
        session.commit()
    page = client.get(f"/project/show/{key}")
    assert page.status_code == 200
    assert f"/project/edit/{key}" not in page.text
    body = {"version": version, "purpose_note": "别处改的"}
    assert client.get(f"/project/edit/{key}").status_code == 403
    assert demo.post(client, f"/project/edit/{key}", **body).status_code == 403
    assert demo.post(client, f"/project/delete/{key}", version=version).status_code == 403
    assert demo.post(client, f"/project/submit/{key}", version=version).status_code in {403, 404}
    with demo.session() as session:
        task = session.get_one(ApprovalTask, task.id)
        session.get_one(ApprovalInstance, task.instance_id).project_id = kept
        task.assignee_id = before
        assert session.get_one(Project, key).version == version
        session.commit()


def test_the_applicant_sees_who_decides_even_when_the_record_is_no_longer_his(demo):
    with demo.session() as session:
        one = session.execute(
            select(ApprovalInstance.id, Operator.username, Project.id, Employee.name)
            .join(Operator, Operator.employee_id == ApprovalInstance.applicant_id)
            .join(Project, Project.id == ApprovalInstance.project_id)
            .join(ApprovalTask, ApprovalTask.instance_id == ApprovalInstance.id)
            .join(Employee, Employee.id == ApprovalTask.assignee_id)
            .where(
                ApprovalInstance.state == ApprovalState.RUNNING,
                ApprovalTask.state == TaskState.PENDING,
            )
            .where(Project.manager_id == ApprovalInstance.applicant_id)
        ).first()
        instance, username, key, decider = one
        project = session.get_one(Project, key)
        other = session.scalars(select(Employee.id).where(Employee.name == "林一凡")).one()
        mine = session.get_one(Employee, project.manager_id).name == "林一凡"
        project.manager_id = project.assistant_id = id_of(demo, "zhoumin") if mine else other
        project.purpose_note = "不再给原经办人看的用途"
        session.commit()
    client = demo.client_of(username)
    page = client.get(f"/approvals/instance/{instance}").text
    assert decider in page
    assert "不再给原经办人看的用途" not in page
    assert client.get(f"/project/show/{key}").status_code == 404


def test_a_reference_to_a_file_offers_and_takes_the_records_own_alone(demo):
    me = id_of(demo, "zhoumin")
    with demo.session() as session:
        own = select(CorporateCustomer.id).where(CorporateCustomer.manager_id == me)
        customer = session.scalars(own.limit(1)).one()
        made = Qualification(corporate_customer_id=customer, name="安全生产许可证")
        session.add(made)
        session.commit()
        key = made.id
    assert upload(demo, "zhoumin", "corporate_customer", customer, "客户的.pdf") == 302
    assert upload(demo, "zhoumin", "qualification", key, "证书.pdf") == 302
    client = demo.client_of("zhoumin")
    path = "/qualification/lookup?field=scan_id"
    assert client.get(path).get_json()["result"] == []
    assert [row["text"] for row in client.get(f"{path}&record={key}").get_json()["result"]] == [
        "证书.pdf"
    ]
    with demo.session() as session:
        foreign = session.scalars(
            select(Attachment.id).where(Attachment.original_name == "客户的.pdf")
        ).one()
        file = session.scalars(
            select(Attachment.id).where(Attachment.original_name == "证书.pdf")
        ).one()
    headers = {"X-CSRFToken": demo.token(client)}
    version = client.get(f"/api/v1/qualification/{key}").get_json()["result"]["version"]
    for given, status in ((foreign, 400), (file, 200)):
        sent = {"scan_id": given, "version": version}
        assert (
            client.put(f"/api/v1/qualification/{key}", json=sent, headers=headers).status_code
            == status
        )
