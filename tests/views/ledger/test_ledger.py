"""Vouchers and the review queue on the screen: balanced or refused with all lines kept, by different people, once."""

import re
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.guarantee.bank import PartnerBank
from models.ledger.account import Account
from models.ledger.voucher import BusinessEvent, EventState, Voucher, VoucherState
from tests.views.conftest import send
from workflows.ledger import posting

PARTS = ("customer_id", "project_id", "bank_id", "department_id", "cash_flow")


@pytest.fixture(scope="module")
def accounts(product):
    """Ids of two leaf accounts: bank and share capital."""
    with product.session() as session:
        found = dict(session.execute(select(Account.code, Account.id).where(Account.is_leaf)).all())
    return found["1002"], found["4001"]


def voucher_form(accounts, debit="1,000.00", credit="1000", **changes):
    bank, capital = accounts
    form = {
        "word": "receipt",
        "date": "",
        "attachments": "1",
        "memo": "收到出资",
        "line_account_id": [str(bank), str(capital), ""],
        "line_memo": ["", "出资", ""],
        "line_debit": [debit, "", ""],
        "line_credit": ["", credit, ""],
        **{f"line_{name}": ["", "", ""] for name in PARTS},
    }
    return {**form, **changes}


def fields_of(page):
    """Word and date as the form offers them."""
    word = re.search(r'name="word"[^>]*>.*?<option selected value="([^"]+)"', page, re.DOTALL)
    return {
        "word": word.group(1),
        "date": re.search(r'name="date"[^>]*value="([^"]+)"', page).group(1),
    }


def write(product, accounts, name="clerk", **changes):
    client = product.browser(name)
    offered = fields_of(client.get("/voucher/add").get_data(as_text=True))
    return send(client, "/voucher/add", **{**voucher_form(accounts), **offered, **changes})


def voucher(product, number):
    with product.session() as session:
        return session.get_one(Voucher, number)


def written(product, accounts, **changes):
    answer = write(product, accounts, **changes)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return int(answer.location.rsplit("/", 1)[1])


def act(product, name, number, verb, **fields):
    version = fields.pop("version", None) or str(voucher(product, number).version)
    return send(product.browser(name), f"/do/voucher/{number}/{verb}", version=version, **fields)


def test_a_voucher_goes_from_draft_to_the_books_through_four_pairs_of_hands(product, accounts):
    number = written(product, accounts)
    found = voucher(product, number)
    assert (found.state, found.total, found.is_cash) == (
        VoucherState.DRAFT,
        Decimal("1000.00"),
        True,
    )
    assert act(product, "clerk", number, "review").status_code == 403  # the preparer
    assert act(product, "chief", number, "review").status_code == 302
    assert act(product, "boss", number, "post").status_code == 409  # cash waits for the cashier
    assert act(product, "cashier", number, "sign").status_code == 302
    assert act(product, "chief", number, "post").status_code == 403  # the reviewer
    assert act(product, "boss", number, "post").status_code == 302
    assert voucher(product, number).state is VoucherState.POSTED
    page = product.browser("clerk").get(f"/voucher/show/{number}").get_data(as_text=True)
    for words in ("记账凭证", "收到出资", "人民币壹仟元整", "吴洁", "石慧", "罗娜", "唐霞"):
        assert words in page
    assert product.browser("clerk").get(f"/voucher/edit/{number}").status_code == 409


def test_an_unbalanced_voucher_is_refused_with_everything_kept(product, accounts):
    with product.session() as session:
        before = session.query(Voucher).count()
    answer = write(product, accounts, line_credit=["", "999.99", ""], memo="写了很久的摘要")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "借贷不平" in page
    for kept in ("写了很久的摘要", "1,000.00", "999.99", "1002 银行存款"):
        assert kept in page
    with product.session() as session:
        assert session.query(Voucher).count() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"line_account_id": ["", "", ""]}, "第1行：请选择会计科目"),
        ({"line_account_id": ["999999999", "1", ""]}, "会计科目不存在"),
        ({"line_debit": ["1.234", "", ""]}, "第1行"),
        ({"line_debit": ["abc", "", ""]}, "第1行"),
        ({"line_debit": ["1" * 40, "", ""]}, "第1行"),
        ({"line_credit": ["1000", "1000", ""]}, "须填且只填一个"),
        ({"line_customer_id": ["x", "", ""]}, "客户须从列表中选择"),
        ({"line_customer_id": ["99999999", "", ""]}, "所选客户不存在"),
        ({"line_cash_flow": ["NOPE", "", ""]}, "没有这个现金流量项目"),
        ({"date": "2026-13-45"}, "请填写凭证日期"),
        ({"date": "2999-01-01"}, "不能晚于营业日期"),
        ({"word": "nope"}, "没有可用的凭证字"),
        ({"memo": "  "}, "请填写摘要"),
        ({"attachments": "-1"}, "附单据数"),
        (
            {"line_account_id": [], "line_debit": [], "line_credit": [], "line_memo": []},
            "至少要有两条分录",
        ),
    ],
)
def test_each_wrong_line_says_what_to_do(product, accounts, changes, message):
    answer = write(product, accounts, **changes)
    assert answer.status_code == 400
    assert message in answer.get_data(as_text=True)


def test_a_draft_is_changed_by_its_preparer_and_a_stale_save_is_refused(product, accounts):
    number = written(product, accounts)
    client, path = product.browser("clerk"), f"/voucher/edit/{number}"
    page = client.get(path).get_data(as_text=True)
    version = re.search(r'name="version"[^>]*value="(\d+)"', page).group(1)
    form = {
        **voucher_form(accounts, debit="2000", credit="2000"),
        **fields_of(page),
        "version": version,
    }
    assert send(client, path, **form).status_code == 302
    assert voucher(product, number).total == Decimal("2000.00")
    stale = send(client, path, **{**form, "memo": "迟到的修改"})
    assert stale.status_code == 409
    assert "迟到的修改" in stale.get_data(as_text=True)
    assert send(product.browser("chief"), path, **{**form, "version": "99"}).status_code in {
        403,
        409,
    }
    assert voucher(product, number).memo == "收到出资"


def test_a_second_click_on_review_is_refused(product, accounts):
    number = written(product, accounts)
    version = str(voucher(product, number).version)
    assert act(product, "chief", number, "review", version=version).status_code == 302
    assert act(product, "boss", number, "review", version=version).status_code == 409


def test_voiding_asks_why(product, accounts):
    number = written(product, accounts)
    assert act(product, "clerk", number, "void").status_code == 400
    assert act(product, "clerk", number, "void", reason="录错").status_code == 302
    assert voucher(product, number).state is VoucherState.VOID


def test_an_account_manager_has_no_books(product, accounts):
    client = product.browser("manager")
    for path in (
        "/voucher/list/",
        "/voucher/add",
        "/review/",
        "/report/trial-balance",
        "/report/detail-ledger",
    ):
        assert client.get(path).status_code == 403, path
    assert send(client, "/voucher/add", **voucher_form(accounts)).status_code == 403


def test_the_account_lookup_offers_leaves_and_says_what_they_ask_for(product):
    client = product.browser("clerk")
    found = client.get("/voucher/accounts?q=1122").get_json()["result"]
    assert found
    assert found[0]["text"].startswith("1122")
    assert "客户" in found[0]["hint"]
    with product.session() as session:
        leaves = set(session.scalars(select(Account.id).where(Account.is_leaf)))
    assert all(
        item["id"] in leaves for item in client.get("/voucher/accounts?q=2221").get_json()["result"]
    )
    assert client.get("/voucher/accounts?q=%00((%27&page=-5").status_code == 200
    assert client.get("/voucher/part/hash").status_code == 400


# --------------------------------------------------------------------------------------------------------- the queue
@pytest.fixture
def event(product):
    """A margin placed with a bank, waiting for review; returns its id."""
    with product.session() as session:
        bank = session.scalars(select(PartnerBank)).first()
        count = session.query(BusinessEvent).count()
        made = posting.raise_event(
            product.ctx(session),
            "margin.placed",
            record=bank,
            amounts={"amount": Decimal("5000.00")},
            bank=bank,
            sequence=count + 1,
        )
        session.commit()
        return made.id


def event_state(product, number):
    with product.session() as session:
        return session.get_one(BusinessEvent, number).state


def do(product, name, number, verb, **fields):
    with product.session() as session:
        version = str(session.get_one(BusinessEvent, number).version)
    return send(
        product.browser(name), f"/do/business_event/{number}/{verb}", version=version, **fields
    )


def test_an_accountant_chooses_the_day_of_an_event(product, event):
    clerk = product.browser("clerk")
    assert "选择日期记账" in clerk.get(f"/business_event/show/{event}").get_data(as_text=True)
    form = clerk.get(f"/do/business_event/{event}/book_on").get_data(as_text=True)
    offered = re.search(r'name="on"[^>]*value="([^"]+)"', form).group(1)
    assert do(product, "manager", event, "book_on", on=offered).status_code == 403
    for wrong in ("", "不是日期", "2999-01-01", "1999-01-01"):
        answer = do(product, "clerk", event, "book_on", on=wrong)
        assert answer.status_code in (400, 409), wrong
        assert event_state(product, event) is EventState.PENDING
    assert do(product, "clerk", event, "book_on", on=offered).status_code == 302
    with product.session() as session:
        assert session.get_one(BusinessEvent, event).voucher.date.isoformat() == offered


def test_an_event_shows_the_voucher_it_would_become_and_is_booked_once(product, event):
    page = product.browser("clerk").get(f"/business_event/show/{event}").get_data(as_text=True)
    assert "凭证预览" in page
    assert "人民币伍仟元整" in page
    assert do(product, "manager", event, "book").status_code == 403
    assert do(product, "clerk", event, "book").status_code == 302
    assert event_state(product, event) is EventState.BOOKED
    assert do(product, "clerk", event, "book").status_code == 409
    with product.session() as session:
        booked = session.get_one(BusinessEvent, event).voucher
        assert booked.total == Decimal("5000.00")
        page = product.browser("clerk").get(f"/voucher/show/{booked.id}").get_data(as_text=True)
    assert f"/business_event/show/{event}" in page


def test_refusing_an_event_asks_why(product, event):
    assert do(product, "clerk", event, "refuse").status_code == 400
    assert do(product, "clerk", event, "refuse", reason="金额有误").status_code == 302
    assert event_state(product, event) is EventState.REFUSED
    assert "金额有误" in product.browser("clerk").get(f"/business_event/show/{event}").get_data(
        as_text=True
    )


def test_ticked_events_are_booked_each_by_itself(product, event):
    client = product.browser("clerk")
    assert send(client, "/review/book").status_code == 400
    with product.session() as session:
        done = session.scalars(
            select(BusinessEvent.id).where(BusinessEvent.state == EventState.BOOKED)
        ).first()
    mixed = send(client, "/review/book", keys=[str(event), str(done)])
    assert (mixed.status_code, "制单：1 条已办，1 条未办" in mixed.text) == (200, True)
    assert event_state(product, event) is EventState.BOOKED
    assert send(client, "/review/book", keys=[str(event)]).status_code == 409


@pytest.mark.parametrize(
    "args", ["view=NOPE", "view=BOOKED&page=99999999999", "f=((&order=%00&size=-1", "q=%25%27"]
)
def test_the_queue_survives_any_address(product, args):
    assert product.browser("clerk").get(f"/review/?{args}").status_code == 200


def test_renumbering_closes_no_gap_where_there_is_none(product, accounts):
    client = product.browser("clerk")
    page = client.get("/voucher/renumber").get_data(as_text=True)
    period = re.search(r'<option selected value="(\d{4}-\d\d)"|<option value="(\d{4}-\d\d)"', page)
    word = fields_of(client.get("/voucher/add").get_data(as_text=True))["word"]
    assert (
        send(client, "/voucher/renumber", period=period[1] or period[2], word=word).status_code
        == 302
    )
    assert send(client, "/voucher/renumber", period="2999-01", word=word).status_code == 400
