"""核对 is begun and read on its page; 文档核验 answers number and code of a paper, and nothing by guessing."""

import re
import time

import pytest
from sqlalchemy import func, select, text, update

from app import lifecycle
from app.demo_accounts import DEMO_PASSWORD
from app.extensions import db
from app.jobs import run_verify
from models.base.errors import BusinessError
from models.guarantee.appraisal import BankLetter, LetterKind
from models.guarantee.project import Project
from models.guarantee.signing import Contract
from models.system.records import IssuedDocument
from models.system.setup import AuditLog, JobRun, JobStatus, Parameter, SystemState
from reports.base import documents
from workflows import verify
from workflows.system import document_check, proofs


def text_of(answer):
    return re.sub(r"<[^>]+>|\s+", " ", answer.get_data(as_text=True))


def ask(client, number, code):
    return client.get("/document-check/", query_string={"number": number, "code": code})


@pytest.fixture(scope="module")
def contract(demo):
    with demo.session() as session:
        found = session.scalars(
            select(Contract).where(Contract.document_id.is_not(None)).order_by(Contract.id)
        ).first()
        paper = session.get_one(IssuedDocument, found.document_id)
        customer = session.get_one(Project, found.project_id).customer.name
        return paper.number, paper.sha256, customer, found.id


def test_a_run_says_what_it_covered(demo):
    page = text_of(demo.client_of("auditor").get("/verify/"))
    assert "还没有核对过" in page
    run = run_verify(demo.app)
    assert run.status is JobStatus.SUCCEEDED
    checks = run.result["checks"]
    assert [each["label"] for each in checks] == [check.label for check in verify.CHECKS]
    assert all(each["rows"] > 0 and not each["problem"] for each in checks)
    page = text_of(demo.client_of("auditor").get("/verify/"))
    assert all(check.label in page for check in verify.CHECKS)
    assert "全部相符" in page
    assert "chain-heads.log" in page


def test_what_was_touched_is_named_on_the_page_and_on_the_run(demo):
    with demo.session() as session:
        one = session.scalars(select(Contract).order_by(Contract.id)).first()
        kept, number = one.counterparty, one.number
        session.execute(
            update(Contract).where(Contract.id == one.id).values(counterparty="别的当事人")
        )
        session.commit()
    with pytest.raises(BusinessError, match=f"合同“{number}”与留痕不符"):
        run_verify(demo.app)
    page = text_of(demo.client_of("auditor").get("/verify/"))
    assert f"合同“{number}”与留痕不符" in page
    assert "有不符" in page
    with demo.session() as session:
        run = session.scalars(
            select(JobRun).where(JobRun.job.startswith("verify")).order_by(JobRun.id.desc())
        ).first()
        assert (run.status, number in run.message) == (JobStatus.FAILED, True)
        session.execute(update(Contract).where(Contract.number == number).values(counterparty=kept))
        session.commit()
    assert run_verify(demo.app).status is JobStatus.SUCCEEDED


def test_it_is_begun_by_who_may(demo):
    assert demo.client_of("zhoumin").get("/verify/").status_code == 403
    assert demo.post(demo.client_of("zhoumin"), "/verify/run").status_code == 403
    assert demo.post(demo.client_of("admin"), "/verify/run").status_code == 302
    for _ in range(600):
        with demo.session() as session:
            run = verify.last_runs(session)[0]
        if run.status is not JobStatus.RUNNING:
            break
        time.sleep(0.2)
    assert (run.status, run.progress_pct) == (JobStatus.SUCCEEDED, 100)


def test_a_paper_is_known_by_number_and_code(demo, contract):
    number, code, customer, _ = contract
    page = text_of(ask(demo.client_of("zhoumin"), f" {number} ", code.lower().replace("-", " ")))
    assert "有效" in page
    assert document_check.masked(customer) in page
    assert customer not in page, "whoever holds the paper learns no name from the system"


def test_a_wrong_code_says_nothing_and_is_counted(demo, contract):
    number, code, customer, _ = contract
    client = demo.client_of("heping")
    for _ in range(document_check.WRONG_MAX):
        answer = ask(client, number, "0000-0000-0000-0000")
        assert answer.status_code == 200
        assert document_check.masked(customer) not in text_of(answer)
    answer = ask(client, number, code)
    assert answer.status_code == 409
    assert "核验不符次数过多" in text_of(answer)
    assert ask(demo.client_of("zhoumin"), number, code).status_code == 200
    with demo.session() as session:
        told = session.scalars(select(AuditLog.note).where(AuditLog.action == "VERIFY")).all()
    assert f"编号与校验码不符：{number}" in told


@pytest.mark.parametrize(("number", "code"), [("", ""), ("X-1", ""), ("  ", "AAAA")])
def test_a_blank_is_said_at_its_field(demo, number, code):
    answer = ask(demo.client_of("zhoumin"), number, code)
    assert answer.status_code == 400
    assert "请填写" in text_of(answer)


def test_what_ended_is_no_longer_valid(demo, contract):
    number, _, _, key = contract
    with demo.session() as session:
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        document = session.scalars(
            select(IssuedDocument).where(IssuedDocument.number == number)
        ).one()
        today = document.issued_at.date()
        assert document_check.ended(session, document, today) == ""
        session.execute(update(Contract).where(Contract.id == key).values(state="VOID"))
        session.expire_all()
        assert document_check.ended(session, document, today) == "已作废"
        session.rollback()
        letter = session.scalars(
            select(BankLetter).where(
                BankLetter.kind == LetterKind.INTENT, BankLetter.valid_until.is_not(None)
            )
        ).first()
        paper = session.get_one(IssuedDocument, letter.document_id)
        assert document_check.ended(session, paper, letter.valid_until) == ""
        assert "已过期" in document_check.ended(
            session, paper, letter.valid_until.replace(year=2099)
        )


def test_every_letter_names_this_page(demo):
    """文档核验 is what the last line of each paper says, and what the menu calls it."""
    assert f"“{document_check.LABEL}”" in documents._verify_line("", "X")
    assert document_check.LABEL in text_of(demo.client_of("zhoumin").get("/"))


def test_a_masked_name_keeps_both_ends():
    assert document_check.masked("江州明达精密机械有限公司") == "江州****公司"
    assert document_check.masked("王小明") == "王**"


# --------------------------------------------------------------------------- what the product itself changes is well
def put(demo, username, table, key, **fields):
    """A change through REST, as somebody who may."""
    client, path = demo.client_of(username), f"/api/v1/{table}/{key}"
    fields["version"] = client.get(path).get_json()["result"]["version"]
    answer = client.put(path, json=fields, headers={"X-CSRFToken": demo.token(client)})
    assert answer.status_code == 200, answer.get_json()


def first(demo, table, where="1 = 1"):
    with demo.engine.connect() as connection:
        return connection.scalar(text(f"SELECT min(id) FROM {table} WHERE {where}"))


def sealed_lines(demo, table):
    with demo.session() as session:
        told = AuditLog.digest.is_not(None) | (AuditLog.action == "SEAL")
        return session.scalar(
            select(func.count()).select_from(AuditLog).where(AuditLog.table_name == table, told)
        )


def test_signing_in_and_own_settings_are_well_and_cost_no_seal(demo):
    """Counters, last sign-in and looks promise nothing: they change at the door and on every page."""
    before = sealed_lines(demo, "operator")
    stranger = demo.app.test_client()
    for _ in range(3):
        demo.post(stranger, "/login/", page="/login/", username="sunhao", password="Wrong@2026")
    client = demo.sign_in("sunhao")
    assert demo.post(client, "/settings/", look="DARK", rows="50").status_code == 302
    assert sealed_lines(demo, "operator") == before
    assert run_verify(demo.app).status is JobStatus.SUCCEEDED


def test_passwords_operators_and_settings_changed_on_screens_are_well(demo):
    """Each door that writes to what decides: passwords, accounts, employees, departments, positions, rules, texts."""
    own = {"old_password": DEMO_PASSWORD, "password": "Danbao@2027", "again": "Danbao@2027"}
    assert demo.post(demo.sign_in("zhaoqian"), "/password/", **own).status_code == 302
    key = first(demo, "operator", "username = 'analyst'")  # nobody waits for this one
    security = demo.client_of("security")
    assert (
        demo.post(security, f"/operator/{key}/password", password="Welcome@2026").status_code == 302
    )
    given = {"roles": "押品专员", "seen": "分析员"}
    assert demo.post(security, f"/operator/{key}/roles", **given).status_code == 302
    put(demo, "security", "operator", key, is_disabled=True)
    put(demo, "admin", "employee", first(demo, "employee"), title="另一职务")
    moved = first(demo, "department", "code = '0201'")
    put(demo, "admin", "department", moved, parent_id=first(demo, "department", "code = '03'"))
    put(demo, "admin", "approval_position", first(demo, "approval_position"), remark="改过的说明")
    put(demo, "admin", "document_template", first(demo, "document_template"), note="改过的说明")
    put(demo, "admin", "product", first(demo, "product"), name="另一名称")
    put(demo, "admin", "parameter", first(demo, "parameter"), note="改过的说明")
    put(demo, "shihui", "posting_rule", first(demo, "posting_rule"), memo="改过的摘要")
    assert run_verify(demo.app).status is JobStatus.SUCCEEDED


def test_base_data_that_a_release_brings_is_well(demo, monkeypatch):
    """`init` of a later release writes without a trail to tables that were taken in before."""
    load = lifecycle.load_base_data

    def later(session):
        load(session)
        today = session.get_one(SystemState, 1).business_date
        kind = session.scalars(select(Parameter).limit(1)).one()
        session.add(
            Parameter(
                code="later.release",
                label="新版本的参数",
                value="1",
                value_kind=kind.value_kind,
                effective_on=today,
                module=kind.module,
            )
        )

    monkeypatch.setattr(lifecycle, "load_base_data", later)
    with demo.app.app_context():
        lifecycle.prepare_database(db.session())
    assert first(demo, "parameter", "code = 'later.release'")
    assert run_verify(demo.app).status is JobStatus.SUCCEEDED


def test_an_installation_of_before_is_taken_in_once(demo):
    """Tables and columns that an earlier release did not seal are taken in by `init`, and not again by the next."""
    lines = select(func.count()).select_from(AuditLog).where(AuditLog.action == proofs.ADOPT)
    with demo.app.app_context():
        session = db.session()
        before = session.scalar(lines)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(proofs, "adopted", _of_before)
            lifecycle.prepare_database(session)
        assert session.scalar(lines) == before + 1
        lifecycle.prepare_database(session)
        assert session.scalar(lines) == before + 1
        session.rollback()
    assert run_verify(demo.app).status is JobStatus.SUCCEEDED


def _of_before(_):
    """What an earlier release took in: other columns of operators, nothing of parameters."""
    known = {table: proofs.fingerprint(table) for table in proofs.TABLES}
    return {table: of for table, of in known.items() if table != "parameter"} | {
        "operator": "other columns"
    }
