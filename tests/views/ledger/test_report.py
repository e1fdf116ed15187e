"""Reports on the screen: the figures agree with the books, drill down to entries, and no address breaks them."""

import io
from decimal import Decimal

import openpyxl
import pypdf
import pytest
from sqlalchemy import select

from models.ledger.account import Account, AccountingPeriod
from workflows.ledger import voucher
from workflows.ledger.entries import Line


@pytest.fixture(scope="module")
def books(product):
    """One posted voucher: 收到出资 1,234,567.89; returns (account id of the bank, period)."""
    with product.session() as session:
        ctx = product.ctx(session)
        ids = dict(session.execute(select(Account.code, Account.id).where(Account.is_leaf)).all())
        amount = Decimal("1234567.89")
        lines = [Line(ids["1002"], debit=amount), Line(ids["4001"], credit=amount)]
        word = session.scalars(select(voucher.VoucherWord)).first()
        made = voucher.write_draft(ctx, date=ctx.today, word=word, memo="收到出资", entries=lines)
        people = product.employees
        for verb, name in (("review", "chief"), ("sign", "cashier"), ("post", "boss")):
            acting = product.ctx(session)
            acting.actor = acting.actor.__class__(people[name], name, is_system=True)
            getattr(voucher, verb)(acting, made)
        session.commit()
        return ids["1002"], session.scalars(select(AccountingPeriod.code)).first()


def sheet(answer):
    return list(openpyxl.load_workbook(io.BytesIO(answer.data)).active.values)


def test_the_trial_balance_balances_and_leads_to_the_detail_ledger(product, books):
    account, period = books
    page = product.browser("chief").get("/report/trial-balance").get_data(as_text=True)
    assert "借贷平衡" in page
    assert page.count("1,234,567.89") >= 4
    link = f"/report/detail-ledger?account={account}&amp;first={period}&amp;last={period}"
    assert link in page
    ledger = product.browser("chief").get(link.replace("&amp;", "&")).get_data(as_text=True)
    assert "收到出资" in ledger
    assert "/voucher/show/" in ledger
    assert "期初余额" in ledger


def test_both_ledgers_go_to_excel(product, books):
    client = product.browser("chief")
    rows = sheet(client.get("/report/trial-balance?format=xlsx"))
    assert rows[0][0] == "科目编码"
    assert rows[-1][1] == "合计"
    assert Decimal(str(rows[-1][4])) == Decimal("1234567.89")
    answer = client.get("/report/detail-ledger?account=1002&format=xlsx")
    assert "filename*=UTF-8''%E6%98%8E%E7%BB%86%E8%B4%A6" in answer.headers["Content-Disposition"]
    assert sheet(answer)[2][3] == "收到出资"
    assert sheet(answer)[-1][3:7] == ("本期合计", None, 1234567.89, 0)


def test_both_ledgers_go_to_paper_with_places_to_sign(product, books):
    client = product.browser("chief")
    for path in (
        "/report/trial-balance?format=pdf",
        "/report/detail-ledger?account=1002&format=pdf",
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        text = "".join(
            page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages
        ).replace(" ", "")
        for words in ("1,234,567.89", "会计机构负责人", "制表：石慧", "第1/1页", "合计"):
            assert words in text
    assert "0.00" not in text.partition("本期合计")[0]  # nothing is blank on paper


def test_the_exposure_report_stands_without_business(product):
    page = product.browser("chief").get("/report/exposure").get_data(as_text=True)
    assert "放大倍数" in page
    assert "没有在保或已决议的项目" in page
    assert product.browser("chief").get("/report/exposure?format=xlsx").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/report/trial-balance?first=2999-12", 400),
        ("/report/trial-balance?first=%00&last='", 400),
        ("/report/trial-balance?level=-1&idle=99", 400),
        ("/report/trial-balance?level=7", 400),
        ("/report/trial-balance?level=1&idle=1", 200),
        ("/report/trial-balance?format=exe", 200),
        ("/report/detail-ledger", 200),
        ("/report/detail-ledger?account=nope", 400),
        ("/report/detail-ledger?account=1002&page=99999999999999999999", 200),
        ("/report/detail-ledger?account=1002&page=5000", 200),
        ("/report/detail-ledger?customer_id=99999999", 400),
        ("/report/detail-ledger?project_id=x", 400),
        ("/report/detail-ledger/lookup?field=password", 404),
        ("/report/detail-ledger/lookup?field=account&q=%00((", 200),
        ("/report/nothing", 404),
    ],
)
def test_hostile_arguments_get_a_clear_answer(product, books, path, status):
    answer = product.browser("chief").get(path)
    assert answer.status_code == status
    assert "Traceback" not in answer.get_data(as_text=True)
