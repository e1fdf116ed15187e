"""Personal data on paper in the demo company: every paper that prints some is known, and opens by right or by work."""

import importlib.util
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import select, text

from models.customer.customer import PersonalCustomer
from models.customer.detail import BankAccount, FamilyMember
from models.guarantee.project import Project
from models.system.organization import Department, Employee, Operator
from models.system.records import IssuedDocument
from models.system.setup import AuditLog
from tests.masks import masked_columns
from workflows.guarantee.contract_data import BLANK

VERSIONS = Path(__file__).resolve().parents[3] / "models/migrations/versions"


def migration(name):
    spec = importlib.util.spec_from_file_location(name, VERSIONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def papers(demo):
    """All issued documents, and every value of a masked column that is long enough to be told apart."""
    with demo.session() as session:
        values = set()
        for model, name in masked_columns():
            found = session.scalars(
                select(getattr(model, name)).where(getattr(model, name).is_not(None))
            )
            values |= {value for value in found if len(value) >= 8}
        return list(session.scalars(select(IssuedDocument).order_by(IssuedDocument.id))), values


def test_every_paper_that_prints_a_masked_value_is_known(papers):
    documents, values = papers
    holding = {doc.id for doc in documents if any(value in doc.body for value in values)}
    assert len(holding) > 50
    assert holding == {doc.id for doc in documents if doc.masked_of}
    assert len(holding) < len(documents), "papers without personal data stay open"


def test_an_older_release_s_papers_are_known_too(demo, papers):
    """The migration works out from the frozen data what issuing notes today."""
    module, (documents, _) = migration("0004_plain_papers"), papers
    for doc in documents:
        # Lines to write on did not stand in the papers of that release.
        found = [
            (table, value) for table, value in module._plain(doc.data) if value and value != BLANK
        ]
        tables = {table for table, value in found if value in doc.body}
        assert ",".join(sorted(tables)) == (doc.masked_of or ""), doc.template_code


def opened(demo, who, doc):
    with demo.client_of(who).get(f"/issued_document/{doc.id}/pdf") as answer:
        return answer.status_code, answer.get_data()


def lines(demo, doc):
    query = select(AuditLog).where(AuditLog.action == "OPEN", AuditLog.record_id == doc.id)
    with demo.session() as session:
        return list(session.scalars(query.order_by(AuditLog.id)))


def sign_in_of(session, employee):
    return session.scalars(
        select(Operator.username).where(Operator.employee_id == employee.id)
    ).one()


@pytest.fixture(scope="module")
def guarded(demo):
    """A paper with personal data of a person's project, and the account manager's sign-in name."""
    with demo.session() as session:
        query = select(IssuedDocument, Project).join(
            Project, Project.id == IssuedDocument.project_id
        )
        query = query.where(IssuedDocument.masked_of.contains("personal_customer"))
        doc, project = session.execute(query.order_by(IssuedDocument.id)).first()
        manager = session.get_one(Employee, project.manager_id)
        return doc, sign_in_of(session, manager), manager.name


def test_without_right_or_work_the_page_names_who_helps(demo, guarded):
    doc, _, manager = guarded
    status, data = opened(demo, "analyst", doc)
    assert status == 403
    words = data.decode()
    assert "个人信息" in words
    assert manager in words
    assert lines(demo, doc) == []
    page = demo.client_of("analyst").get(f"/issued_document/show/{doc.id}").text
    assert "有“查看原值”权限的人员" in page, "the button says why it is closed"


def test_who_holds_the_project_opens_it_and_leaves_a_line(demo, guarded):
    doc, sign_in, manager = guarded
    status, data = opened(demo, sign_in, doc)
    assert (status, data[:4]) == (200, b"%PDF")
    (line,) = lines(demo, doc)
    assert (line.actor_name, line.table_name) == (manager, "issued_document")
    assert opened(demo, "heping", doc)[0] == 200, "who may reveal"
    assert len(lines(demo, doc)) == 2
    path = f"/issued_document/show/{doc.id}?tab=openings"
    page = demo.client_of(sign_in).get(path).text
    assert f"打开含个人信息的文书：{doc.title}" in page
    assert "何平" in page
    assert "打开记录" in demo.client_of("auditor").get(path).text
    assert "打开记录" not in demo.client_of("analyst").get(path).text


def test_a_paper_without_personal_data_leaves_no_line(demo, papers):
    doc = next(doc for doc in papers[0] if not doc.masked_of and doc.project_id)
    assert opened(demo, "analyst", doc)[0] == 200
    assert lines(demo, doc) == []


def test_no_other_door_gives_the_text_of_a_paper(demo, papers):
    """Neither REST, lists, pages nor exports say what a paper prints."""
    documents, values = papers
    client = demo.client_of("analyst")
    doc = next(doc for doc in documents if doc.masked_of and "personal" in doc.masked_of)
    printed = [value for value in values if value in doc.body]
    paths = [
        f"/api/v1/issued_document/{doc.id}",
        f"/api/v1/issued_document/?f=id:eq:{doc.id}",
        "/issued_document/list/",
        f"/issued_document/show/{doc.id}",
        "/issued_document/export?format=csv",
        f"/project/show/{doc.project_id}",
        "/api/v1/issued_document/_info",
    ]
    for path in paths:
        with client.get(path) as answer:
            words = answer.get_data(as_text=True)
            assert answer.status_code == 200, path
            assert not [value for value in printed if value in words], path
    for name in ("data", "body", "masked_of"):
        assert client.get(f'/api/v1/issued_document/?q={{"columns":["{name}"]}}').status_code == 400
        assert client.get(f"/api/v1/issued_document/?f={name}:has:1").status_code == 400


# ------------------------------------------------------------------------------------------------------------- reveal
def reveal(demo, who, record, column):
    path = f"/{record.__tablename__}/reveal/{record.id}/{column}"
    return demo.post(demo.client_of(who), path)


HEADS = {"02": "chenli", "03": "wangyan"}  # heads of the two business departments


def a_person_of(session, department):
    """A customer of a department, a relative of theirs, and the account manager's sign-in name."""
    query = select(PersonalCustomer).join(
        Department, Department.id == PersonalCustomer.department_id
    )
    person = session.scalars(query.where(Department.code.startswith(department))).first()
    relative = FamilyMember(
        personal_customer_id=person.id, relation="SPOUSE", name="甲", phone="13900139000"
    )
    session.add(relative)
    session.commit()
    return person, relative, sign_in_of(session, session.get_one(Employee, person.manager_id))


def test_values_are_shown_to_who_holds_the_customer_alone(demo):
    """The account manager and the head of the department, for parts of the customer too; each look leaves a line."""
    with demo.session() as session:
        people = {code: a_person_of(session, code) for code in HEADS}
    seen = []
    for code, other in (("02", "03"), ("03", "02")):
        person, relative, manager = people[code]
        for record, column in ((person, "mobile"), (relative, "phone")):
            for who in (manager, HEADS[code]):
                assert reveal(demo, who, record, column).get_json() == {
                    "value": getattr(record, column)
                }
                seen.append((record.__tablename__, record.id))
            for who, status in (
                (HEADS[other], 404),
                (people[other][2], 404),
                ("analyst", 403),
                ("luona", 403),
            ):
                assert reveal(demo, who, record, column).status_code == status, (who, record)
    with demo.session() as session:
        query = select(AuditLog.table_name, AuditLog.record_id).where(AuditLog.action == "REVEAL")
        assert [tuple(row) for row in session.execute(query.order_by(AuditLog.id))] == seen


def test_the_cashier_sees_accounts(demo):
    with demo.session() as session:
        account = session.scalars(select(BankAccount)).first()
    assert reveal(demo, "luona", account, "account_no").get_json() == {"value": account.account_no}
    assert reveal(demo, "analyst", account, "account_no").status_code == 403


def test_an_installation_that_is_there_already_gets_the_rights_once(demo):
    granted = migration("0005_reveal_rights").GRANTED
    # Tables that came later give their rights as new ones.
    known = ", ".join(sorted({f"'{name}'" for tables in granted.values() for name in tables}))
    with demo.engine.connect() as connection, connection.begin() as undone:
        held = text(
            "SELECT count(*) FROM ab_permission_view_role AS h JOIN ab_permission_view AS pv"
            " ON pv.id = h.permission_view_id JOIN ab_permission AS p ON p.id = pv.permission_id"
            " JOIN ab_view_menu AS m ON m.id = pv.view_menu_id"
            f" WHERE p.name = 'can_reveal' AND m.name IN ({known})"
        )
        meant = connection.scalar(held)
        connection.execute(
            text(
                "DELETE FROM ab_permission_view_role WHERE permission_view_id IN (SELECT pv.id FROM ab_permission_view"
                " AS pv JOIN ab_permission AS p ON p.id = pv.permission_id WHERE p.name = 'can_reveal')"
            )
        )
        with Operations.context(MigrationContext.configure(connection)):
            for _ in range(2):
                migration("0005_reveal_rights").upgrade()
        assert connection.scalar(held) == meant > 0
        undone.rollback()
