"""凭证模板, copies and 凭证汇总 (8.2): what comes again each month is not typed again, and sums are of vouchers."""

import html
import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.ledger.account import Account
from models.ledger.voucher import CashFlow, Voucher, VoucherEntry, VoucherState
from models.ledger.voucher_template import VoucherTemplate, VoucherTemplateLine
from tests.views.conftest import send
from workflows.ledger import voucher as vouchers
from workflows.ledger.entries import Line


@pytest.fixture(scope="module")
def accounts(product):
    """Ids of leaf accounts by code."""
    with product.session() as session:
        return dict(session.execute(select(Account.code, Account.id).where(Account.is_leaf)).all())


@pytest.fixture(scope="module")
def paid_in(product, accounts):
    """A draft of the clerk's: 收到出资, with its cash-flow item and two papers."""
    with product.session() as session:
        ctx = product.ctx(session)
        ctx.actor = ctx.actor.__class__(product.employees["clerk"], "吴洁", is_system=True)
        lines = [
            Line(accounts["1002"], Decimal("700.50"), cash_flow=CashFlow.CAPITAL_RECEIVED),
            Line(accounts["4001"], credit=Decimal("700.50"), memo="股东甲出资"),
        ]
        made = vouchers.create_draft(
            ctx, date=ctx.today, word="receipt", memo="收到出资", entries=lines, attachments=2
        )
        session.commit()
        return made.id


def typed(page: str) -> dict[str, list[str]]:
    """What stands in the controls of the form, in their order."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found.setdefault(name.group(1), []).append(
                html.unescape(value.group(1)) if value else ""
            )
    return found


def test_a_copy_begins_with_the_lines_and_nothing_of_the_voucher_s_own(product, paid_in):
    client = product.browser("clerk")
    assert f'href="/voucher/add?copy={paid_in}"' in client.get(f"/voucher/show/{paid_in}").text
    page = client.get(f"/voucher/add?copy={paid_in}").text
    form = typed(page)
    assert form["memo"] == ["收到出资"]
    assert form["attachments"] == ["0"]
    assert form["line_debit"][:2] == ["700.50", ""]
    assert form["line_credit"][:2] == ["", "700.50"]
    assert form["line_memo"][1] == "股东甲出资"
    assert "version" not in form
    assert '<option selected value="CAPITAL_RECEIVED"' in page
    assert client.get("/voucher/add?copy=999999").status_code == 404
    assert client.get("/voucher/add?copy=x").status_code == 404


def test_red_letters_are_not_copied(product, paid_in):
    with product.session() as session:
        found = session.get_one(Voucher, paid_in)
        for verb, name in (("review", "chief"), ("sign", "cashier"), ("post", "boss")):
            acting = product.ctx(session)
            acting.actor = acting.actor.__class__(product.employees[name], name, is_system=True)
            getattr(vouchers, verb)(acting, found)
        red = vouchers.reverse(acting, found)
        session.commit()
        number = red.id
    client = product.browser("clerk")
    assert "/voucher/add?copy=" not in client.get(f"/voucher/show/{number}").text
    refused = client.get(f"/voucher/add?copy={number}")
    assert (refused.status_code, "不能复制" in refused.text) == (400, True)


def kept(product, number, name):
    with product.session() as session:
        version = session.get_one(Voucher, number).version
    path = f"/do/voucher/{number}/keep_template"
    return send(product.browser("clerk"), path, version=str(version), reason=name)


def test_a_voucher_is_kept_as_a_template_and_a_voucher_begins_with_it(product, paid_in, accounts):
    answer = kept(product, paid_in, " 每月出资 ")
    assert answer.status_code == 302
    with product.session() as session:
        made = session.scalars(select(VoucherTemplate)).one()
        assert (made.name, made.memo, made.word.code) == ("每月出资", "收到出资", "receipt")
        lines = [
            (line.account.code, line.debit, line.credit, line.cash_flow) for line in made.lines
        ]
        key = made.id
    amount = Decimal("700.50")
    assert lines == [
        ("1002", amount, None, CashFlow.CAPITAL_RECEIVED),
        ("4001", None, amount, None),
    ]
    assert answer.location.endswith(f"/voucher_template/show/{key}")
    client = product.browser("clerk")
    page = client.get(f"/voucher_template/show/{key}").text
    assert f'href="/voucher/add?template={key}"' in page
    assert 'href="/voucher_template/list/"' in client.get("/voucher/list/").text
    form = typed(client.get(f"/voucher/add?template={key}").text)
    assert (form["memo"], form["line_debit"][0], form["line_credit"][1]) == (
        ["收到出资"],
        "700.50",
        "700.50",
    )
    for name in ("每月出资", "", "长" * 61):
        assert kept(product, paid_in, name).status_code == 400, name
    with product.session() as session:
        assert session.scalar(select(func.count()).select_from(VoucherTemplate)) == 1


def test_a_template_without_amounts_leaves_them_to_be_typed(product, accounts):
    with product.session() as session:
        word = session.scalars(select(vouchers.VoucherWord)).first()
        made = VoucherTemplate(name="房租", word_id=word.id, memo="支付房租")
        made.lines = [VoucherTemplateLine(line_no=1, account_id=accounts["6603"])]
        session.add(made)
        session.commit()
        key = made.id
    form = typed(product.browser("clerk").get(f"/voucher/add?template={key}").text)
    assert form["line_account_id"][0] == str(accounts["6603"])
    assert (form["line_debit"][0], form["line_credit"][0], form["line_memo"][0]) == ("", "", "")
    assert product.browser("clerk").get("/voucher/add?template=77777").status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account_id": "6601"}, "不是末级科目"),
        ({"debit": "1", "credit": "1"}, "只能填一个"),
    ],
)
def test_a_line_that_no_voucher_would_take_is_refused(product, accounts, changes, words):
    with product.session() as session:
        word = session.scalars(select(vouchers.VoucherWord)).first()
        made = VoucherTemplate(name=f"试 {words}", word_id=word.id, memo="试")
        session.add(made)
        session.commit()
        codes = dict(session.execute(select(Account.code, Account.id)).all())
        key = made.id
    form = {"line_no": "1", "account_id": "1002", **changes}
    form["account_id"] = str(codes[form["account_id"]])
    answer = send(product.browser("chief"), f"/voucher_template_line/add?owner={key}", **form)
    assert (answer.status_code, words in answer.text) == (400, True)


def test_the_summary_of_vouchers_is_their_sum(product, paid_in):
    with product.session() as session:
        query = select(Voucher).where(Voucher.state != VoucherState.VOID)
        days = [one.date for one in session.scalars(query)]
        entries = session.scalars(select(VoucherEntry).join(Voucher).where(Voucher.id > 0)).all()
        mine = [
            e
            for e in entries
            if e.voucher.state is not VoucherState.VOID and e.account.code == "1002"
        ]
        count, debit = len(mine), sum(entry.debit for entry in mine)
        drafts = sum(e.debit for e in mine if e.voucher.state is not VoucherState.POSTED)
    client, ask = product.browser("chief"), f"first={min(days)}&last={max(days)}"
    page = client.get(f"/report/voucher-summary?{ask}").text
    assert f"凭证 {len(days)} 张" in page
    assert f"{debit:,.2f}" in page
    assert "借贷平衡" in page
    link = html.unescape(re.search(r'href="(/report/voucher-summary-entries[^"]+)"', page).group(1))
    behind = client.get(link).text
    assert f"共 {count} 笔" in behind
    assert f"{debit:,.2f}" in behind
    waiting = client.get(f"/report/voucher-summary?{ask}&stage=UNPOSTED").text
    assert f"{drafts:,.2f}" in waiting
    none = client.get(f"/report/voucher-summary?first={date(2001, 1, 1)}&last={date(2001, 1, 2)}")
    assert "所选日期没有凭证" in none.text
