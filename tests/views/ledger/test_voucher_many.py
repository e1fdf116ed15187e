"""Sixty vouchers a day: what waits in tabs, many reviewed, signed and posted at once, and on paper in one go."""

import io
import re
from datetime import date
from decimal import Decimal

import pypdf
import pytest
from sqlalchemy import select

from models.ledger.account import Account
from models.ledger.voucher import Voucher, VoucherState
from models.system.records import DocumentTemplate
from reports.base.documents import sheets_pdf
from reports.ledger import voucher_print
from reports.workbench import desktop
from tests.views.conftest import send
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import Line


@pytest.fixture
def drafts(product):
    """Three vouchers with cash that the accountant has written; returns their ids."""
    with product.session() as session:
        ctx = product.ctx(session)
        ids = dict(session.execute(select(Account.code, Account.id).where(Account.is_leaf)).all())
        acting = ctx.actor.__class__(product.employees["clerk"], "吴洁", is_system=True)
        ctx.actor = acting
        found = []
        for number in range(1, 4):
            amount = Decimal(number * 100)
            lines = [Line(ids["1002"], debit=amount), Line(ids["4001"], credit=amount)]
            found.append(
                vouchers.write_draft(
                    ctx, date=ctx.today, word="receipt", memo=f"第{number}张", entries=lines
                )
            )
        session.commit()
        return [str(voucher.id) for voucher in found]


def states(product, ids):
    with product.session() as session:
        return [session.get_one(Voucher, int(key)).state for key in ids]


def tabs(product, name):
    """Count by tab of the list."""
    page = product.browser(name).get("/voucher/list/").get_data(as_text=True)
    return {
        label: int(count)
        for label, count in re.findall(r'>([^<>]+) <b class="n">(\d+)</b></a></li>', page)
    }


def pdf_texts(answer):
    return [
        page.extract_text().replace(" ", "")
        for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages
    ]


def test_many_go_from_draft_to_the_books_together(product, drafts):
    before = tabs(product, "chief")["待审核"]
    assert before >= 3
    chief, cashier, boss = (product.browser(name) for name in ("chief", "cashier", "boss"))
    page = chief.get("/voucher/list/?view=review").get_data(as_text=True)
    assert "批量审核" in page
    assert "审核所选 {n} 张凭证，{sum}。" in page
    assert send(chief, "/voucher/all/review", keys=drafts).status_code == 302
    assert states(product, drafts) == [VoucherState.REVIEWED] * 3
    assert tabs(product, "chief")["待审核"] == before - 3
    assert send(cashier, "/voucher/all/sign", keys=drafts).status_code == 302
    # by their numbers
    assert send(boss, "/voucher/all/post", keys=list(reversed(drafts))).status_code == 302
    assert states(product, drafts) == [VoucherState.POSTED] * 3


def test_one_that_cannot_be_leaves_the_others_and_says_why(product, drafts):
    chief = product.browser("chief")
    assert send(chief, "/voucher/all/review", keys=drafts[:1]).status_code == 302
    answer = send(chief, "/voucher/all/review", keys=drafts[:2])
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert "审核：1 条已办，1 条未办" in text
    assert text.index("未办</span>") < text.index("已办</span>"), "what is not done comes first"
    assert states(product, drafts) == [
        VoucherState.REVIEWED,
        VoucherState.REVIEWED,
        VoucherState.DRAFT,
    ]
    assert send(chief, "/voucher/all/review", keys=drafts[:2]).status_code == 409


def test_nobody_brings_on_what_is_not_theirs(product, drafts):
    assert send(product.browser("clerk"), "/voucher/all/review", keys=drafts).status_code == 403
    assert send(product.browser("cashier"), "/voucher/all/review", keys=drafts).status_code == 403
    assert send(product.browser("chief"), "/voucher/all/void", keys=drafts).status_code == 400
    assert send(product.browser("chief"), "/voucher/all/review").status_code == 400
    assert send(product.browser("chief"), "/voucher/all/review", keys=["999999"]).status_code == 409
    assert states(product, drafts) == [VoucherState.DRAFT] * 3


def test_tabs_show_what_is_left_for_the_reader(product, drafts):
    """The accountant sees the drafts as they are; a reviewer sees those that others wrote."""
    assert tabs(product, "clerk")["待审核"] >= 3
    page = product.browser("clerk").get("/voucher/list/?view=review").get_data(as_text=True)
    assert "批量审核" not in page
    assert 'formaction="/voucher/print"' in page
    with product.session() as session:
        for key in drafts:
            session.get_one(Voucher, int(key)).prepared_by_id = product.employees["chief"]
        session.commit()
    mine = (
        product.browser("chief").get("/voucher/list/?view=review&size=100").get_data(as_text=True)
    )
    link = f'/voucher/show/{drafts[0]}"'
    assert link not in mine
    assert link in product.browser("boss").get("/voucher/list/?view=review&size=100").get_data(
        as_text=True
    )


def test_an_empty_tab_says_so_and_a_strange_one_is_all(product):
    page = product.browser("boss").get("/voucher/list/?view=void").get_data(as_text=True)
    assert 'aria-current="page">作废' in page
    assert 'aria-current="page">全部' in product.browser("boss").get(
        "/voucher/list/?view=%00x"
    ).get_data(as_text=True)


def test_a_voucher_leads_to_the_next_that_waits(product, drafts):
    page = product.browser("chief").get(f"/voucher/show/{drafts[0]}").get_data(as_text=True)
    assert "下一张待办" in page
    assert "下一张待办" not in product.browser("clerk").get(f"/voucher/show/{drafts[0]}").get_data(
        as_text=True
    )


def test_vouchers_are_printed_one_a_sheet(product, drafts):
    clerk = product.browser("clerk")
    one = clerk.get(f"/voucher/{drafts[0]}/print")
    assert (one.status_code, one.mimetype) == (200, "application/pdf")
    (text,) = pdf_texts(one)
    for words in ("记账凭证", "第1张", "1002银行存款", "100.00", "壹佰元整", "制单：吴洁"):
        assert words in text
    box = pypdf.PdfReader(io.BytesIO(one.data)).pages[0].mediabox
    assert (round(float(box.width)), round(float(box.height))) == (595, 420)  # A5 across
    many = pdf_texts(send(clerk, "/voucher/print", keys=drafts))
    assert [re.search(r"第\d张", text).group() for text in many] == ["第1张", "第2张", "第3张"]
    assert clerk.get("/voucher/999999/print").status_code == 404
    assert product.browser("manager").get(f"/voucher/{drafts[0]}/print").status_code == 403


def test_printing_has_limits_and_needs_its_template(product, drafts, monkeypatch):
    clerk = product.browser("clerk")
    with product.session() as session:
        monkeypatch.setattr(voucher_print, "MOST", 2)
        with pytest.raises(voucher_print.BusinessError, match="一次最多打印 2 张"):
            voucher_print.vouchers_pdf(session, [1, 2, 3])
        template = session.scalars(
            select(DocumentTemplate).where(DocumentTemplate.code == "voucher")
        ).one()
        template.is_active = False
        session.commit()
        try:
            assert clerk.get(f"/voucher/{drafts[0]}/print").status_code == 400
        finally:
            template.is_active = True
            session.commit()


def test_a_long_batch_comes_as_one_file():
    bodies = [f"<p>第{number}份{'很长的正文' * 3000}</p>" for number in range(5)]
    texts = [
        page.extract_text()
        for page in pypdf.PdfReader(io.BytesIO(sheets_pdf(bodies, title="批"))).pages
    ]
    assert [match.group() for text in texts for match in re.finditer(r"第\d份", text)] == [
        f"第{n}份" for n in range(5)
    ]


def test_a_red_letter_voucher_is_printed_with_what_it_reverses(product, drafts):
    with product.session() as session:
        found = session.get_one(Voucher, int(drafts[0]))
        assert voucher_print.voucher_data(found, "甲公司")["voucher"]["reversal_of"] is None
        copy = Voucher(
            word=found.word,
            period=found.period,
            date=date(2026, 11, 23),
            number=9,
            memo="冲",
            attachments=0,
            reverses=found,
            entries=[],
        )
        data = voucher_print.voucher_data(copy, "甲公司")["voucher"]
        assert data["reversal_of"] == found.code
        assert data["prepared_by"] == ""
        session.rollback()


def test_the_views_are_those_of_the_tabs(product):
    with product.session() as session:
        ctx = product.ctx(session)
        counts = desktop.voucher_counts(session, ctx.actor)
        assert counts[""] >= sum(counts[name] for name in ("posted", "void"))
        assert set(counts) == {"", "review", "sign", "post", "posted", "void"}
