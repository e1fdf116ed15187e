"""文书模板 and 项目全卷 in the demo company: tried with real data before it is saved, printed whole for its reader."""

import io

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from app import jobs
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import Contract, ContractKind
from models.system.configuration import ConfigVersion
from models.system.organization import Employee
from models.system.records import DocumentTemplate, IssuedDocument
from models.system.setup import AuditLog
from tests.workflows.system.test_word_text import paragraph, word
from views.guarantee import dossier
from workflows.guarantee import previews
from workflows.system import exports


def template(demo, code):
    with demo.session() as session:
        return session.scalars(select(DocumentTemplate).where(DocumentTemplate.code == code)).one()


def project(demo, *where):
    with demo.session() as session:
        query = select(Project).join(Employee, Employee.id == Project.manager_id)
        query = query.where(Employee.name == "周敏", *where).order_by(Project.id)
        return session.scalars(query).first()


def sent(demo, client, path, **facts):
    """The answer to the script of the page."""
    facts["csrf_token"] = demo.token(client)
    return client.post(path, data=facts, headers={"Accept": "application/json"})


def ask(demo, client, one, body, **more):
    """The answer of the preview."""
    return sent(demo, client, f"/document_template/editor/{one.id}/preview", body=body, **more)


def test_a_template_is_written_with_names_tried_on_a_project_and_kept_as_a_version(demo):
    admin, one = demo.client_of("admin"), template(demo, "guarantee_contract")
    page = admin.get(f"/document_template/edit/{one.id}").text
    assert f'data-letter="/document_template/editor/{one.id}"' in page
    assert "js/letter.js" in page
    offers = admin.get(f"/document_template/editor/{one.id}").json
    assert ["担保金额", "{{ project.amount|money }}", "5,000,000.00"] in next(
        group["items"] for group in offers["groups"] if group["label"] == "担保项目"
    )
    assert offers["names"]["scope.months"] == "保证期间（月）"
    assert admin.get("/document_template/editor/new").json["groups"] is not None
    mine = project(demo, Project.state == ProjectState.IN_FORCE)
    found = admin.get(f"/document_template/projects?q={mine.number}").json["result"]
    assert [row["id"] for row in found] == [mine.id]
    answer = ask(demo, admin, one, one.body, project=mine.id).json
    assert mine.number in answer["html"]
    assert answer["note"] == "个人信息已脱敏"
    assert ask(demo, admin, one, one.body).json["note"] == "用示例数据"
    text = one.body.replace("保证合同</h1>", "保证合同（新版）</h1>")
    save = {
        "code": one.code,
        "label": one.label,
        "paper": one.paper.name,
        "is_active": "1",
        "version": one.version,
    }
    saved = demo.post(admin, f"/document_template/edit/{one.id}", **save, body=text)
    assert saved.status_code == 302, saved.text
    with demo.session() as session:
        kept = session.scalars(
            select(ConfigVersion)
            .where(ConfigVersion.table_name == "document_template")
            .order_by(ConfigVersion.id)
        ).all()
        assert "新版" in kept[-1].content[0]["values"]["body"]
    refused = demo.post(
        admin,
        f"/document_template/edit/{one.id}",
        **{**save, "version": one.version + 1},
        body="<p>{{ a }}</p><script>",
    )
    assert refused.status_code == 400
    assert "文书中不能使用 &lt;script&gt;" in refused.text
    assert "&lt;p&gt;{{ a }}&lt;/p&gt;&lt;script&gt;" in refused.text, (
        "what was typed is still there"
    )


def test_a_preview_shows_no_more_than_its_reader_may_see(demo):
    admin, analyst = demo.client_of("admin"), demo.client_of("zhoumin")
    one = template(demo, "entrusted_contract")
    with demo.session() as session:
        paper = session.scalars(
            select(IssuedDocument)
            .join(Contract, Contract.document_id == IssuedDocument.id)
            .where(
                Contract.kind == ContractKind.ENTRUSTMENT,
                IssuedDocument.masked_of.like("%customer%"),
            )
        ).first()
        number = paper.data["customer"]["id_number"] or paper.data["customer"]["phone"]
        key = paper.project_id
    shown = ask(
        demo, admin, one, "<p>{{ customer.id_number }}｜{{ customer.phone }}</p>", project=key
    ).json["html"]
    assert number not in shown or "*" in shown
    assert ask(demo, admin, one, one.body, project="999999").status_code == 404
    assert ask(demo, admin, one, "<p>{{ a }}</p>").status_code == 400
    assert ask(demo, analyst, one, one.body).status_code == 403
    notice = template(demo, "disbursement_notice")
    note = ask(demo, admin, notice, notice.body, project=key).json
    assert "****" in note["html"], "the account is masked as on screens"
    young = project(demo, Project.state == ProjectState.DRAFT)
    assert (
        "放款前落实情况"
        in ask(
            demo, admin, notice, notice.body + "{{ checklist.x|default('') }}", project=young.id
        ).json["note"]
    )
    assert ask(demo, admin, one, one.body, project=young.id).status_code == 200


@pytest.mark.parametrize("code", ["fee_receipt", "release_notice"])
def test_the_preview_is_printed_on_the_paper_of_the_template(demo, code):
    one = template(demo, code)
    answer = ask(demo, demo.client_of("admin"), one, one.body, pdf="1")
    (page, *_) = PdfReader(io.BytesIO(answer.data)).pages
    assert "预览" in page.extract_text().replace("⻚", "页") or page.extract_text()
    assert (page.mediabox.width > page.mediabox.height) is (code == "fee_receipt")


def test_frozen_numbers_are_veiled_and_figures_are_not():
    frozen = {
        "a": "5000000.00",
        "b": "2027-02-28",
        "c": "6222020000012345",
        "d": [1, "13800001111 张"],
        "e": None,
    }
    assert previews._veiled(frozen) == {
        "a": "5000000.00",
        "b": "2027-02-28",
        "c": "**** 2345",
        "d": [1, "**** 1111 张"],
        "e": None,
    }


def test_a_word_file_comes_back_as_text_for_the_editor(demo):
    admin, one = demo.client_of("admin"), template(demo, "intent_letter")
    url = f"/document_template/editor/{one.id}/word"
    file = (io.BytesIO(word(paragraph("致【总行名称】"))), "函.docx")
    assert sent(demo, admin, url, file=file).json["html"].strip() == "<p>致{{ bank.name }}</p>"
    assert sent(demo, admin, url).status_code == 400


# ------------------------------------------------------------------------------------------------------- 项目全卷
def pages(data):
    return "".join(
        "".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).split()
    )


def test_a_project_is_printed_whole_at_once_or_beside_the_page(demo, monkeypatch):
    young, zhou = project(demo, Project.state == ProjectState.DRAFT), demo.client_of("zhoumin")
    assert f"/dossier/{young.id}" in zhou.get(f"/project/show/{young.id}").text
    answer = demo.post(zhou, f"/dossier/{young.id}")
    assert answer.mimetype == "application/pdf"
    text = pages(answer.data)
    assert young.number in text
    assert "打印人周敏" in text
    assert "目录（正文共" in text
    monkeypatch.setattr(dossier, "AT_ONCE", 0)
    monkeypatch.setitem(demo.app.extensions, "start_exports", lambda: None)
    monkeypatch.setattr(exports, "TELL_SECONDS", 0)
    answer = demo.post(zhou, f"/dossier/{young.id}")
    assert (answer.status_code, answer.location) == (302, "/downloads/")
    assert jobs.run_exports(demo.app) == 1
    with demo.session() as session:
        task = exports.ExportTask
        key = session.scalars(
            select(task.id).where(task.source == "project").order_by(task.id.desc())
        ).first()
        notes = session.scalars(
            select(AuditLog.note).where(
                AuditLog.table_name == "project", AuditLog.record_id == young.id
            )
        ).all()
    assert notes.count("打印项目全卷") == 2
    with zhou.get(f"/downloads/file/{key}") as found:
        assert pages(found.get_data())[:200] == text[:200]
    assert demo.post(zhou, f"/downloads/again/{key}").status_code == 302
    assert jobs.run_exports(demo.app) == 1
    assert demo.post(zhou, "/dossier/999999").status_code == 404
    assert demo.post(zhou, "/dossier/x").status_code == 404


def test_the_whole_file_holds_decisions_texts_and_lists_as_the_reader_sees_them(demo):
    mine = project(demo, Project.state == ProjectState.IN_FORCE)
    with demo.app.test_request_context(), demo.session() as session:
        from tests.views.guarantee.test_papers import ctx_of

        def html(username):
            ctx = ctx_of(session, username)
            return {
                one.title: one.html
                for one in dossier.Dossier(ctx, session.get_one(Project, mine.id)).chapters()
            }

        whole = html("zhoumin")
        assert list(whole)[:2] == ["项目概况", "客户资料"]
        assert {"合同", "费用登记", "费用收取", "借据", "公司决议", "审批", "已出具文书"} <= set(
            whole
        )
        assert "保证合同" in whole["合同"]
        assert "第一条" in whole["合同"]
        assert "还款计划" in whole["借据"]
        assert "审批记录" in whole["审批"]
        other = html("analyst")
        assert "才能打开" not in whole["合同"]
        assert "才能打开" in other["合同"], "who may not open a paper reads why"
        contract = session.get_one(
            Contract,
            session.scalars(select(Contract.id).where(Contract.project_id == mine.id)).first(),
        )
        contract.document_id = None
        text, said = dossier.contract_text(ctx_of(session, "zhoumin"), contract)
        assert text is not None or "样稿" in said
        session.rollback()
