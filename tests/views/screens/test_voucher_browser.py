"""A voucher typed in a real browser: the page's script adds lines, balances them and sends every line's amount."""

import threading
from decimal import Decimal

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from models.ledger import Voucher
from tests.views.screens.conftest import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(product):
    """The application behind a real socket."""
    server = make_server("127.0.0.1", 0, product.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def page(address, chromium_path):
    """The browser of the accountant."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 900}, locale="zh-CN")
        page.goto(f"{address}/login/")
        page.fill("#username", "clerk")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_selector(".desk")
        yield page
        browser.close()


def choose_account(page, line, code):
    box = page.locator("[data-line]").nth(line).locator(".e-account input[type=text]")
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
    assert page.locator("[data-line]").nth(0).locator(".e-account input[type=text]").input_value() == "1001 库存现金"
