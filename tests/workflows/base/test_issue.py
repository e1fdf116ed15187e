"""Issued documents: frozen at issue, printed at the first look, verifiable."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.base.actor import ScopeLevel
from models.base.errors import BusinessError, Conflict, NotAllowed, NotFound
from models.system.records import DocumentTemplate, IssuedDocument, PaperSize
from models.system.setup import NumberReset, NumberRule
from reports.base.documents import DOCUMENT_KINDS
from reports.base.documents_samples import SAMPLE_DATA
from tests.workflows.approval_world import TODAY, World
from workflows.base import documents

BEGINS_WITH = "tables"

BODY = "<p>{{ customer.name }}：金额 {{ amount|money }} 元，编号 {{ doc.number }}，{{ doc.date|cn_date }}</p>"
DATA = {
    "customer": {"name": "鑫海公司"},
    "amount": Decimal("1234567.80"),
    "days": [date(2026, 1, 2)],
}


@pytest.fixture
def world(session, tmp_path):
    session.info["data_dir"] = str(tmp_path)
    session.add(
        NumberRule(code="letter", label="函", pattern="HAN{yyyy}-{no:04d}", reset=NumberReset.YEAR)
    )
    session.add(DocumentTemplate(code="letter", label="函", body=BODY, version_no=3))
    session.flush()
    return World(session)


def issue(world, **facts):
    facts = {"number_rule": "letter", "title": "担保函", "data": DATA, **facts}
    return documents.issue(world.ctx(), "letter", facts.pop("record", world.branch), **facts)


def test_number_data_text_and_version_are_frozen(world):
    made = issue(world)
    assert (made.number, made.template_version, made.issued_by_id) == (
        "HAN2026-0001",
        3,
        world.id("申请人"),
    )
    assert "鑫海公司：金额 1,234,567.80 元，编号 HAN2026-0001，2026年3月2日" in made.body
    assert made.data["amount"] == "1234567.80"
    assert made.data["days"] == ["2026-01-02"]
    assert made.data["doc"] == {"date": str(TODAY), "number": "HAN2026-0001", "title": "担保函"}
    assert issue(world).number == "HAN2026-0002"


def test_kinds_are_frozen_by_what_users_read(world):
    assert documents.frozen({"paper": PaperSize.A4, "parts": (1, None)}) == {
        "paper": "A4 纵向",
        "parts": [1, None],
    }


def test_the_callers_date_holds_but_not_a_callers_number(world):
    made = issue(world, data={**DATA, "doc": {"date": date(2025, 5, 1), "number": "假的"}})
    assert made.data["doc"]["date"] == "2025-05-01"
    assert made.data["doc"]["number"] == made.number


def test_the_pdf_is_printed_once_and_outlives_a_new_template(world, tmp_path, monkeypatch):
    made = issue(world)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    path = documents.pdf(world.system(), made)
    first = path.read_bytes()
    assert first.startswith(b"%PDF")
    world.session.scalars(select(DocumentTemplate)).one().body = "<p>新模板</p>"
    monkeypatch.setattr(documents, "_print", None)  # printing again would fail
    assert documents.pdf(world.system(), made).read_bytes() == first


def test_paper_and_length_follow_the_kind(world, monkeypatch):
    printed = []
    monkeypatch.setattr(
        documents, "letter_pdf", lambda _html, **facts: printed.append(facts) or b"%PDF letter"
    )
    monkeypatch.setattr(
        documents, "long_pdf", lambda _html, **facts: printed.append(facts) or b"%PDF long"
    )
    template = world.session.scalars(select(DocumentTemplate)).one()
    template.paper = PaperSize.A5
    documents.pdf(world.system(), issue(world))
    assert (printed[0]["page_size"], printed[0]["orientation"]) == ("A5", "landscape")
    template.code = "guarantee_contract"
    ctx = world.ctx()
    made = documents.issue(
        ctx, "guarantee_contract", world.branch, number_rule="letter", title="保证合同", data=DATA
    )
    assert documents.pdf(world.system(), made).read_bytes() == b"%PDF long"


def test_a_document_opens_for_who_may_read_its_record(world):
    made = issue(world, record=world.customer("丁"))
    rights = frozenset({("can_show", "issued_document")})
    with pytest.raises(NotAllowed, match="查看对公客户"):
        documents.pdf(world.ctx("丁", permissions=rights), made)
    rights |= {("can_show", "corporate_customer")}
    with pytest.raises(NotFound):
        documents.pdf(world.ctx("甲", permissions=rights), made)
    with pytest.raises(NotAllowed):
        documents.pdf(world.ctx("甲", scope=ScopeLevel.ALL), made)
    made.owner_id = 999999
    with pytest.raises(NotFound):
        documents.pdf(world.system(), made)


def test_an_altered_text_is_neither_printed_nor_verified(world):
    made = issue(world)
    code = made.sha256
    assert (
        documents.verify_document(world.session, f" {made.number} ", code.lower().replace("-", " "))
        is made
    )
    assert documents.verify_document(world.session, made.number, "0000-0000-0000-0000") is None
    assert documents.verify_document(world.session, "HAN1999-0001", code) is None
    made.body = made.body.replace("1,234,567.80", "9,234,567.80")
    assert documents.verify_document(world.session, made.number, code) is None
    with pytest.raises(Conflict, match="校验码不符"):
        documents.pdf(world.system(), made)


def test_what_cannot_be_issued_leaves_nothing(world):
    with pytest.raises(BusinessError, match="不存在或已停用"):
        documents.issue(world.ctx(), "none", world.branch, number_rule="letter", title="x", data={})
    with pytest.raises(BusinessError, match=r"customer"):
        issue(world, data={"amount": 1})
    world.session.scalars(select(DocumentTemplate)).one().is_active = False
    with pytest.raises(BusinessError, match="不存在或已停用"):
        issue(world)
    assert world.session.scalar(select(func.count()).select_from(IssuedDocument)) == 0


def test_the_project_is_that_of_the_record(world):
    class Project:
        __tablename__ = "project"
        id = 7

    class Fee:
        __tablename__ = "fee"
        project_id = 8

    assert documents._project_id(Fee(), Project()) == 7
    assert documents._project_id(Project(), None) == 7
    assert documents._project_id(Fee(), None) == 8


def test_seeded_templates_come_once_and_every_one_can_be_issued(world):
    # an administrator's own version
    world.session.scalars(select(DocumentTemplate)).one().code = "intent_letter"
    world.session.flush()
    assert documents.load_templates(world.session) == len(DOCUMENT_KINDS) - 1
    assert documents.load_templates(world.session) == 0
    for code, data in SAMPLE_DATA.items():
        if code == "intent_letter":
            continue
        ctx = world.ctx()
        made = documents.issue(
            ctx,
            code,
            world.branch,
            number_rule="letter",
            title=DOCUMENT_KINDS[code].title,
            data=data,
        )
        assert made.paper is (
            PaperSize.A5 if DOCUMENT_KINDS[code].page_size == "A5" else PaperSize.A4
        )
