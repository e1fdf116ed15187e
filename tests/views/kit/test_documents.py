"""Files, remarks and issued papers: for whoever may read the record, under their own names, never run by a browser."""

import io

import pytest
from sqlalchemy import select

from models.customer.customer import CorporateCustomer, CustomerKind
from models.system.records import Attachment, Comment
from tests.views.conftest import send

BEGINS_WITH = "staffed"

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture(scope="module")
def customer(product):
    """A customer of the account manager; returns its id."""
    with product.session() as session:
        product.ctx(session)
        made = CorporateCustomer(
            number="KH1",
            name="明达精密",
            kind=CustomerKind.CORPORATE,
            uscc="91320100MA1WXYZ01X",
            manager_id=product.employees["manager"],
            department_id=1,
        )
        session.add(made)
        session.commit()
        return made.id


def upload(client, customer, name, data, **fields):
    return send(
        client,
        f"/attachment/upload/corporate_customer/{customer}",
        file=(io.BytesIO(data), name),
        **fields,
    )


def test_a_file_comes_back_as_it_was_under_its_chinese_name(product, customer):
    client = product.browser("manager")
    assert upload(client, customer, "营业执照（副本）.pdf", PDF).status_code == 302
    with product.session() as session:
        found = session.scalars(select(Attachment)).one()
    answer = client.get(f"/attachment/{found.id}/download")
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"].startswith(
        "attachment; filename*=UTF-8''%E8%90%A5%E4%B8%9A"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    page = client.get(f"/corporate_customer/show/{customer}?tab=files").get_data(as_text=True)
    assert "营业执照（副本）.pdf" in page
    other = product.browser("other")
    assert other.get(f"/attachment/{found.id}/download").status_code == 404
    assert send(other, f"/attachment/{found.id}/delete").status_code == 404


def test_a_file_is_classed_anew_and_taken_off_by_who_uploaded_it_and_the_same_bytes_are_named(
    product, customer
):
    client, page = product.browser("manager"), f"/corporate_customer/show/{customer}?tab=files"
    data = PDF + b"%2"
    upload(client, customer, "扫描件.pdf", data)
    text = client.get(page).get_data(as_text=True)
    assert "不分类的文件不算要件" in text
    assert "未分类，不算要件" in text
    upload(client, customer, "执照.pdf", data, category="LICENCE")
    text = client.get(page).get_data(as_text=True)
    assert "“执照.pdf”与已有的“扫描件.pdf”内容相同，已将它归入“营业执照”" in text
    upload(client, customer, "执照 2.pdf", data, category="LICENCE")
    assert "“执照 2.pdf”与已有的“扫描件.pdf”内容相同，没有重复保存" in client.get(page).get_data(
        as_text=True
    )
    with product.session() as session:
        found = session.scalars(
            select(Attachment).where(Attachment.original_name == "扫描件.pdf")
        ).one()
    path = f"/attachment/{found.id}/classify"
    assert f'href="{path}"' in text
    assert "营业执照" in client.get(path).get_data(as_text=True)
    for category, version, status in (
        ("NONE", found.version, 400),
        ("FINANCE", found.version - 1, 409),
    ):
        answer = send(client, path, category=category, version=version)
        assert answer.status_code == status
    assert send(client, path, category="", version=found.version).status_code == 302
    assert (
        send(product.browser("other"), path, category="", version=found.version).status_code == 404
    )
    with product.session() as session:
        found = session.get_one(Attachment, found.id)
        assert found.category is None
    remove = f"/attachment/{found.id}/delete"
    assert send(client, remove, version=found.version - 1).status_code == 409
    assert send(client, remove, version=found.version).status_code == 302
    with product.session() as session:
        assert session.get(Attachment, found.id) is None


@pytest.mark.parametrize(
    ("name", "data"), [("a.html", b"<script>"), ("a.pdf", b"<script>"), ("a.pdf", b"")]
)
def test_what_is_no_document_is_refused(product, customer, name, data):
    with product.session() as session:
        before = session.query(Attachment).count()
    assert upload(product.browser("manager"), customer, name, data).status_code == 400
    with product.session() as session:
        assert session.query(Attachment).count() == before


def test_nothing_is_hung_on_records_one_may_not_read(product, customer):
    assert upload(product.browser("other"), customer, "a.pdf", PDF).status_code == 404
    client = product.browser("manager")
    for target in (
        "ab_user/1",
        "nothing/1",
        "corporate_customer/999999",
        "corporate_customer/x",
        "parameter/1",
    ):
        path = f"/attachment/upload/{target}"
        assert send(client, path, file=(io.BytesIO(PDF), "a.pdf")).status_code in {403, 404}, target
    assert client.get("/attachment/x/download").status_code == 404


def test_a_remark_stays_with_its_author(product, customer):
    client = product.browser("manager")
    path = f"/comment/corporate_customer/{customer}"
    assert send(client, path, text="电话核实过 <b>法人</b>").status_code == 302
    page = client.get(f"/corporate_customer/show/{customer}?tab=comments").get_data(as_text=True)
    assert "电话核实过 &lt;b&gt;法人" in page
    assert "周敏" in page
    assert send(client, path, text="  ").status_code == 400
    assert send(client, path, text="长" * 2001).status_code == 400
    assert send(product.browser("other"), path, text="看不见的客户").status_code == 404
    with product.session() as session:
        assert session.query(Comment).count() == 1


@pytest.mark.parametrize("path", ["/issued_document/1/pdf", "/issued_document/x/pdf"])
def test_a_paper_that_does_not_exist_is_not_found(product, path):
    assert product.browser("manager").get(path).status_code == 404
