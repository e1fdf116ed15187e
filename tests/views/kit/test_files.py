"""Exports: the filter, sort and columns on the screen; masked unless the reader may reveal, and then it is noted."""

import csv
import io

import openpyxl
import pypdf
import pytest
from sqlalchemy import select

from models.system.setup import AuditLog
from views.kit import files


def rows(response):
    """The rows of a CSV file."""
    assert response.status_code == 200, response.get_data(as_text=True)[:500]
    with response:
        return list(csv.reader(io.StringIO(response.get_data().decode("utf-8-sig"))))


def test_csv_holds_the_filter_the_order_and_the_columns(boss):
    found = rows(
        boss.get(
            "/employee/export?format=csv&cols=name,number,department&order=-number&f=number:starts:E"
        )
    )
    assert found == [
        ["姓名", "工号", "所属部门"],
        ["李思齐", "E2", "业务二部"],
        ["张明远", "E1", "业务一部"],
    ]


def test_xlsx_opens(boss):
    with boss.get("/employee/export?format=xlsx&order=number") as response:
        book = openpyxl.load_workbook(io.BytesIO(response.get_data()))
    assert [row[1].value for row in book.active.iter_rows(min_row=2)] == ["张明远", "李思齐"]
    assert "%E5%91%98%E5%B7%A5" in response.headers["Content-Disposition"]


def pdf_text(response):
    """The words of a PDF, without the breaks that its lines make."""
    assert response.status_code == 200, response.get_data(as_text=True)[:500]
    with response:
        pages = pypdf.PdfReader(io.BytesIO(response.get_data())).pages
        return "".join("".join(page.extract_text().split()) for page in pages)


def test_pdf_holds_the_filter_in_words_the_order_and_the_columns(boss):
    said = pdf_text(
        boss.get("/employee/export?format=pdf&cols=name,number&order=-number&f=number:starts:E&q=")
    )
    assert said.startswith("员工工号开头是E")
    assert said.index("姓名") < said.index("工号", 6) < said.index("李思齐") < said.index("张明远")
    assert "业务一部" not in said, "a column that is not shown"
    only = pdf_text(boss.get("/employee/export?format=pdf&f=number:eq:E2"))
    assert "李思齐" in only
    assert "E1" not in only


def test_pdf_masks_for_who_may_not_reveal(clerk):
    said = pdf_text(clerk.get("/employee/export?format=pdf&cols=name,mobile&f=number:eq:E2"))
    assert "139****4321" in said
    assert "13987654321" not in said


def test_pdf_of_too_many_rows_is_refused_before_it_is_drawn(boss, monkeypatch):
    formats = tuple(
        (code, label, 1 if code == "pdf" else most) for code, label, most in files.FORMATS
    )
    monkeypatch.setattr(files, "FORMATS", formats)
    monkeypatch.setattr(files, "table_pdf", lambda *_, **__: pytest.fail("drawn all the same"))
    answer = boss.get("/employee/export?format=pdf")
    assert answer.status_code == 400
    assert "共 2 行，PDF 一次最多导出 1 行，请缩小筛选范围，或改为导出 Excel" in answer.get_data(
        as_text=True
    )
    assert len(rows(boss.get("/employee/export?format=csv"))) == 3


@pytest.mark.parametrize("kind", ["exe", "%00", "XLSX "])
def test_other_formats_are_refused(boss, kind):
    assert boss.get(f"/employee/export?format={kind}").status_code == 400


def test_personal_data_is_masked_for_who_may_not_reveal(clerk, world):
    found = rows(clerk.get("/employee/export?format=csv&cols=name,mobile&f=number:eq:E2"))
    assert found[1:] == [["李思齐", "139****4321"]]


def test_plain_personal_data_is_noted(boss, world):
    found = rows(boss.get("/employee/export?format=csv&cols=name,mobile&f=number:eq:E1"))
    assert found[1:] == [["张明远", "13812345678"]]
    with world.session() as session:
        lines = session.scalars(
            select(AuditLog).where(AuditLog.action == "EXPORT").order_by(AuditLog.id)
        ).all()
    assert lines[-1].note == "导出员工 1 行，含原值：手机号码"


@pytest.mark.parametrize(
    "query", ["f=garbage", "f=name:nope:1", "f=rank:eq:abc", "f=name:has:研发&f=id:eq:abc"]
)
def test_a_filter_that_makes_no_sense_never_exports_all_rows(boss, house, query):
    response = boss.get(f"/department/export?{query}&format=csv")
    assert response.status_code == 400
    assert "没有按全部记录办理" in response.get_data(as_text=True)
