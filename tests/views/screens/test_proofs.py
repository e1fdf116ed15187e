"""核对 is begun and read on its page; 文档核验 answers number and code of a paper, and nothing by guessing."""

import re
import time

import pytest
from sqlalchemy import select, update

from app.jobs import run_verify
from models.appraisal import BankLetter, LetterKind
from models.base.errors import BusinessError
from models.project import Project
from models.records import IssuedDocument
from models.signing import Contract
from models.system import AuditLog, JobRun, JobStatus
from reports import documents
from workflows import document_check, verify


def text_of(answer):
    return re.sub(r"<[^>]+>|\s+", " ", answer.get_data(as_text=True))


def ask(client, number, code):
    return client.get("/document-check/", query_string={"number": number, "code": code})


@pytest.fixture(scope="module")
def contract(demo):
    with demo.session() as session:
        found = session.scalars(select(Contract).where(Contract.document_id.is_not(None)).order_by(Contract.id)).first()
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
        session.execute(update(Contract).where(Contract.id == one.id).values(counterparty="别的当事人"))
        session.commit()
    with pytest.raises(BusinessError, match=f"合同“{number}”与留痕不符"):
        run_verify(demo.app)
    page = text_of(demo.client_of("auditor").get("/verify/"))
    assert f"合同“{number}”与留痕不符" in page
    assert "有不符" in page
    with demo.session() as session:
        run = session.scalars(select(JobRun).where(JobRun.job.startswith("verify")).order_by(JobRun.id.desc())).first()
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
        document = session.scalars(select(IssuedDocument).where(IssuedDocument.number == number)).one()
        today = document.issued_at.date()
        assert document_check.ended(session, document, today) == ""
        session.execute(update(Contract).where(Contract.id == key).values(state="VOID"))
        session.expire_all()
        assert document_check.ended(session, document, today) == "已作废"
        session.rollback()
        letter = session.scalars(
            select(BankLetter).where(BankLetter.kind == LetterKind.INTENT, BankLetter.valid_until.is_not(None))
        ).first()
        paper = session.get_one(IssuedDocument, letter.document_id)
        assert document_check.ended(session, paper, letter.valid_until) == ""
        assert "已过期" in document_check.ended(session, paper, letter.valid_until.replace(year=2099))


def test_every_letter_names_this_page(demo):
    """文档核验 is what the last line of each paper says, and what the menu calls it."""
    assert f"“{document_check.LABEL}”" in documents._verify_line("", "X")
    assert document_check.LABEL in text_of(demo.client_of("zhoumin").get("/"))


def test_a_masked_name_keeps_both_ends():
    assert document_check.masked("江州明达精密机械有限公司") == "江州****公司"
    assert document_check.masked("王小明") == "王**"
