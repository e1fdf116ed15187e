"""期初余额 on the screen: replaced until another voucher exists, asked for the year, refused for what is closed."""

import io
import re
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from sqlalchemy import select

from models.ledger.closing import OpeningImport
from models.ledger.voucher import Voucher
from models.system.setup import SystemState
from tests.views.conftest import send, token
from tests.views.ledger.test_closing import fields_of
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import Line

TODAY = date(2026, 7, 31)
HEAD = ["科目编码", "科目名称", "方向", "期末余额"]


@pytest.fixture(scope="module")
def company(product):
    """The product on the last day of July 2026, its books still empty."""
    with product.session() as session:
        session.get_one(SystemState, 1).business_date = TODAY
        session.commit()
    return product


def preview(client, amount, period, *, again="", head=HEAD, more=()):
    book = openpyxl.Workbook()
    rows = (
        ["1001", "库存现金", "借", *more, amount],
        ["4001", "实收资本", "贷", *more[::-1], amount],
    )
    for row in (["科目余额表"], [f"期间:{period}"], head, *rows):
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    target.seek(0)
    data = {"csrf_token": token(client, "/password/"), "balances": (target, "余额.xlsx")}
    return client.post(f"/opening/{again}", data=data, content_type="multipart/form-data").get_data(
        as_text=True
    )


def kept(product):
    with product.session() as session:
        found = session.scalars(select(OpeningImport)).one()
        return found.period.code, str(found.total)


def test_an_opening_is_replaced_on_the_screen_until_another_voucher_exists(company):
    chief = company.browser("chief")
    page = preview(chief, "500", "2026年6月")
    assert "没有“年初余额”和“本年累计”列" in page
    assert "有其他凭证之前可以重新装入" in page, (
        "what is asked before loading says what the page says after"
    )
    assert send(chief, "/opening/confirm", **fields_of(page, "/opening/confirm")).status_code == 302
    page = chief.get("/opening/").get_data(as_text=True)
    assert "重新装入" in page
    assert "还没有其他凭证，可以重新装入" in page
    assert 'type="file"' in chief.get("/opening/?again=1").get_data(as_text=True)
    page = preview(
        chief,
        "700",
        "2026年6月",
        again="?again=1",
        head=[*HEAD[:3], "年初余额", HEAD[3]],
        more=("700",),
    )
    assert "替换已装入的“余额.xlsx”（2026-06），原期初凭证红字冲销" in page
    assert "没有“年初余额”" not in page
    assert kept(company) == ("2026-06", "500.00"), "a preview changes nothing"
    assert send(chief, "/opening/confirm", **fields_of(page, "/opening/confirm")).status_code == 302
    assert kept(company) == ("2026-06", "700.00")

    with company.session() as session:
        ctx = company.ctx(session)
        accounts = [entry.account_id for entry in session.scalars(select(Voucher)).first().entries]
        lines = [Line(accounts[0], debit=Decimal(1)), Line(accounts[1], credit=Decimal(1))]
        vouchers.write_draft(ctx, date=TODAY, word="journal", memo="投入", entries=lines)
        session.commit()
    page = chief.get("/opening/").get_data(as_text=True)
    assert "重新装入" not in page
    assert "已有凭证 2026-07-记-0001，差错请另填凭证调整" in page
    page = preview(chief, "800", "2026年5月", again="?again=1")
    answer = (
        send(chief, "/opening/confirm", **fields_of(page, "/opening/confirm"))
        if "确认装入" in page
        else None
    )
    assert answer is None or answer.status_code == 409
    assert kept(company) == ("2026-06", "700.00")


def test_a_file_that_was_chosen_survives_a_refusal(company):
    chief = company.browser("chief")
    sent = {"csrf_token": token(chief, "/password/"), "create_customers": "1"}
    sent["auxiliaries"] = (io.BytesIO("科目编码,客户名称\r\n".encode()), "往来.csv")
    refused = chief.post("/opening/?again=1", data=sent, content_type="multipart/form-data")
    page = refused.get_data(as_text=True)
    assert refused.status_code == 400
    assert "请选择科目余额表" in page
    assert "已选“往来.csv”，不必再选" in page
    fields = dict(re.findall(r'name="(auxiliaries_\w+)" type="hidden" value="([^"]+)"', page))
    assert (fields["auxiliaries_name"], len(fields["auxiliaries_kept"])) == ("往来.csv", 64)
    (tick,) = re.findall(r'<input[^>]*name="create_customers"[^>]*>', page)
    assert "checked" in tick
    again = chief.post("/opening/?again=1", data={"csrf_token": sent["csrf_token"], **fields})
    assert "已选“往来.csv”，不必再选" in again.get_data(as_text=True)
