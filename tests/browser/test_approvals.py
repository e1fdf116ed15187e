"""Approvals as those decide them who have many: twenty with one opinion, one by hand on the phone, copies apart."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.person import DESK, PHONE, Cast, Person

pytestmark = pytest.mark.browser
COMPANY = ("many",)


def test_twenty_approvals_are_decided_with_one_opinion(cast: Cast) -> None:
    """From the inbox: all of them ticked, one opinion, each decided by itself."""
    he = cast("何平")
    he.open("/approvals/?tab=many")
    rows = he.page.locator("main table tbody tr")
    expect(rows).to_have_count(20)
    before = he.interactions
    he.interactions += 4
    he.page.get_by_label("选择本页", exact=True).check()
    he.page.locator("#bulk").get_by_role("button", name="同意", exact=True).click()
    dialog = he.page.locator("dialog[open]")
    expect(dialog).to_contain_text("20 项审批用同一意见办理")
    dialog.get_by_role("textbox").fill("情况属实，同意列入")
    with he.page.expect_navigation():
        dialog.get_by_role("button", name="同意", exact=True).click()
    assert he.interactions - before <= 4
    he.sees("已同意 20 项审批")
    expect(rows).to_have_count(0)
    he.open("/approvals/?tab=done")
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text("情况属实，同意列入")
    assert cast.faults == []


def test_without_scripts_the_page_says_that_one_cannot_sign(cast: Cast) -> None:
    """There is no sheet to draw on, and it says so."""
    he = cast("何建国", PHONE)
    he.open("/approvals/")
    he.follow(he.page.locator("main table tbody a").first)
    expect(he.page.locator(".sign .alert")).to_have_count(0)
    context = cast.browser.new_context(java_script_enabled=False, viewport=PHONE)  # type: ignore[arg-type]
    context.add_cookies(he.page.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(he.page.url)
    expect(page.locator(".sign .alert")).to_contain_text("手写签名需要浏览器启用脚本")
    expect(page.locator(".sign .alert")).to_be_visible()
    expect(page.locator("#signature-pad")).to_be_hidden()
    context.close()
    assert cast.faults == []


def test_a_resolution_is_signed_by_hand_on_the_phone(cast: Cast) -> None:
    """At 390 px: drawn, wiped, drawn again; it stands with the decision, and the copy of it is told of apart."""
    he = cast("何建国", PHONE)
    he.open("/approvals/")
    he.follow(he.page.locator("main table tbody a").first)
    expect(he.page.locator(".sign-hint")).to_be_visible()
    sign(he)
    he.page.get_by_role("button", name="重签", exact=True).click()
    expect(he.page.locator("[data-sign-value]")).to_have_value("")
    sign(he)
    expect(he.page.locator("[data-sign-value]")).to_have_value(
        re.compile("^data:image/png;base64,")
    )
    wide = he.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"], "nothing stands out to the right"
    he.press("同意", within=he.page.locator(".dock"))
    he.sees("已同意")

    liu = cast("刘文", DESK)
    liu.open("/approvals/?tab=copies")
    expect(liu.page.locator(".tabs li.active")).to_contain_text("抄送 1")
    liu.sees("未阅")
    liu.follow(liu.page.locator("main table tbody a").first)
    picture = liu.page.locator("img.signature")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("one => one.naturalWidth") == 600
    liu.press("已阅")
    liu.sees("已阅 20")
    assert cast.faults == []


def sign(person: Person) -> None:
    """Draw something like a name."""
    pad = person.page.locator("#signature-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    pen = person.page.mouse
    for begin, *way in (((30, 60), (120, 40), (90, 110)), ((150, 30), (160, 110), (260, 50))):
        pen.move(box["x"] + begin[0], box["y"] + begin[1])
        pen.down()
        for x, y in way:
            pen.move(box["x"] + x, box["y"] + y, steps=5)
        pen.up()
    person.interactions += 1
