"""Exports: the filter, sort and columns on the screen; masked unless the reader may reveal, and then it is noted."""

import csv
import io

import openpyxl
import pytest
from sqlalchemy import select

from models.system import AuditLog


def rows(response):
    """The rows of a CSV file."""
    assert response.status_code == 200, response.get_data(as_text=True)[:500]
    with response:
        return list(csv.reader(io.StringIO(response.get_data().decode("utf-8-sig"))))


def test_csv_holds_the_filter_the_order_and_the_columns(boss):
    found = rows(boss.get("/employee/export?format=csv&cols=name,number,department&order=-number&f=number:starts:E"))
    assert found == [["姓名", "工号", "所属部门"], ["李思齐", "E2", "业务二部"], ["张明远", "E1", "业务一部"]]


def test_xlsx_opens(boss):
    with boss.get("/employee/export?format=xlsx&order=number") as response:
        book = openpyxl.load_workbook(io.BytesIO(response.get_data()))
    assert [row[1].value for row in book.active.iter_rows(min_row=2)] == ["张明远", "李思齐"]
    assert "%E5%91%98%E5%B7%A5" in response.headers["Content-Disposition"]


def test_pdf_is_one(boss):
    with boss.get("/employee/export?format=pdf") as response:
        assert response.get_data().startswith(b"%PDF")


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
        lines = session.scalars(select(AuditLog).where(AuditLog.action == "EXPORT").order_by(AuditLog.id)).all()
    assert lines[-1].note == "导出员工 1 行，含原值：手机号码"
