"""A voucher typed in a real browser: the page's script adds lines, balances them and sends every line's amount."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from models.ledger.voucher import Voucher

pytestmark = pytest.mark.browser


@pytest.fixture
def page(window):
    """A window of the accountant."""
    return window("clerk").new_page()


def choose_account(page, line, code):
    box = page.locator("[data-line]").nth(line).locator(".e-account > .lookup > input")
    box.click()
    box.fill(code)
    page.locator(".options:visible li", has_text=code).first.click()


def test_a_voucher_is_typed_balanced_and_saved(product, address, page):
    page.goto(f"{address}/voucher/add")
    page.fill("#memo", "提取备用金")
    choose_account(page, 0, "1001")
    page.locator("[name=line_debit]").nth(0).fill("1234567.89")
    assert "差额 1,234,567.89" in page.locator("[data-balance]").inner_text()
    choose_account(page, 1, "1002")
    page.locator("[name=line_credit]").nth(1).click()
    page.keyboard.press("=")
    assert page.locator("[data-balance]").inner_text() == "借贷平衡"
    assert page.locator("[data-sum=credit]").inner_text() == "1,234,567.89"
    before = page.locator("[data-line]").count()
    page.keyboard.press("Insert")
    assert page.locator("[data-line]").count() == before + 1
    page.keyboard.press("Control+s")
    page.wait_for_url("**/voucher/show/*")
    assert page.locator(".voucher-sheet").is_visible()
    with product.session() as session:
        voucher = session.get_one(Voucher, int(page.url.rsplit("/", 1)[1]))
        assert voucher.total == Decimal("1234567.89")
        assert [entry.credit for entry in voucher.entries] == [0, Decimal("1234567.89")]


def test_what_was_typed_survives_a_refusal(address, page):
    page.goto(f"{address}/voucher/add")
    page.fill("#memo", "差一分")
    choose_account(page, 0, "1001")
    page.locator("[name=line_debit]").nth(0).fill("100")
    choose_account(page, 1, "1002")
    page.locator("[name=line_credit]").nth(1).fill("99.99")
    page.get_by_role("button", name="保存凭证").click()
    page.wait_for_selector(".alert-danger")
    assert "借贷不平" in page.locator(".alert-danger").inner_text()
    assert page.locator("[name=line_credit]").nth(1).input_value() == "99.99"
    assert (
        page.locator("[data-line]").nth(0).locator(".e-account > .lookup > input").input_value()
        == "1001 库存现金"
    )


def focus(page):
    """Name (or id) of what has the focus."""
    return page.evaluate(
        "document.activeElement.name || document.activeElement.id || document.activeElement.textContent"
    )


def account_of(page, line):
    return (
        page.locator("[data-line]")
        .nth(line)
        .locator(".e-account > .lookup > input")
        .first.input_value()
    )


def test_a_voucher_is_typed_without_the_mouse(address, page):
    """Enter goes through the cells, whatever is typed before the list has come; nothing is saved half-way."""
    page.goto(f"{address}/voucher/add")
    page.focus("#memo")
    page.keyboard.type("提取备用金")
    page.keyboard.press("Enter")
    assert focus(page) == "line_memo"
    page.keyboard.press("Enter")
    page.keyboard.type("1001")
    # before any answer: the first one is taken when it comes, and the focus goes on
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=line_cash_flow]:focus")
    assert account_of(page, 0) == "1001 库存现金"
    page.keyboard.press("Enter")
    assert focus(page) == "line_debit"
    page.keyboard.type("500")
    page.keyboard.press("Enter")  # one amount a line: on to the next line
    assert focus(page) == "line_memo"
    assert page.locator("[name=line_debit]").nth(0).input_value() == "500.00"
    page.keyboard.press("F4")
    assert account_of(page, 1) == "1001 库存现金"
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("1002")
    page.keyboard.press("Tab")
    expect(page.locator(".e-account > .lookup > input").nth(1)).to_have_value("1002 银行存款")
    page.locator("[name=line_debit]").nth(1).focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.value") == "500.00"
    page.locator("[name=line_credit]").nth(1).focus()
    page.keyboard.press("=")
    page.keyboard.press("Enter")  # balanced: on to the button
    assert "保存凭证" in focus(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/voucher/show/*")


def test_a_copied_line_keeps_its_account_when_it_is_left(address, page):
    page.goto(f"{address}/voucher/add")
    choose_account(page, 0, "1002")
    page.locator("[name=line_memo]").nth(1).focus()
    page.keyboard.press("F4")
    page.locator("[data-line]").nth(1).locator(".e-account > .lookup > input").first.focus()
    page.locator("[name=line_debit]").nth(1).focus()
    page.wait_for_timeout(200)
    assert account_of(page, 1) == "1002 银行存款"


def test_a_line_shows_the_auxiliaries_that_its_account_asks_for(address, page):
    page.goto(f"{address}/voucher/add")
    parts = page.locator("[data-line]").nth(0).locator("[data-part]:visible .lbl")
    assert parts.count() == 0
    choose_account(page, 0, "1122")
    assert parts.all_inner_texts() == ["客户", "项目"]
    choose_account(page, 0, "1002")
    assert parts.all_inner_texts() == ["现金流量"]
    page.get_by_role("button", name="其他", exact=True).click()
    assert parts.all_inner_texts() == ["客户", "项目", "银行", "部门", "现金流量"]
    page.locator("[data-drop]").nth(0).click()
    page.locator("[data-line]").nth(0).locator("[data-drop]").click()


def test_accounts_come_in_the_order_of_their_codes(product):
    found = product.browser("clerk").get("/voucher/accounts?q=12").get_json()["result"]
    codes = [item["text"].split()[0] for item in found]
    begins = [code for code in codes if code.startswith("12")]
    assert codes == [*sorted(begins), *sorted(set(codes) - set(begins))]
    assert len(begins) < len(codes)
    first = product.browser("clerk").get("/voucher/accounts?q=1122").get_json()["result"][0]
    assert (first["hint"], first["needs"]) == ("须填 客户、项目", "customer_id project_id")


def test_the_next_voucher_begins_where_the_last_one_was(address, page):
    page.goto(f"{address}/voucher/add?word=transfer&date=2026-11-01")
    assert page.locator("#word").input_value() == "transfer"
    assert page.locator("#date").input_value() == "2026-11-01"
