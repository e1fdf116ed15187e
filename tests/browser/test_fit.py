"""What does not fit a screen gives way: tabs fold, names are clipped with a title, tables become cards on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.person import PHONE, Cast, Person

pytestmark = pytest.mark.browser
USCC = "91320100MA1ABCDE3M"
NAME = "江州江南精密机械制造及配套设备进出口贸易有限责任公司"


def test_a_rich_record_and_its_list_fit_the_desk_and_the_phone(cast: Cast) -> None:
    zhou = cast("周敏")
    register_customer(zhou)
    tabs_stand_in_one_line(zhou)
    long_names_give_way(zhou)
    rows_are_cards(cast("何平", PHONE))
    every_right_has_its_box(cast("顾海燕", PHONE))
    assert cast.faults == []


def register_customer(zhou: Person) -> None:
    """A date is typed without signs and read with them."""
    zhou.go("客户管理", "对公客户")
    zhou.press("新增对公客户")
    zhou.fill({"客户名称": NAME, "统一社会信用代码": USCC, "成立日期": "20150618"})
    day = zhou.page.get_by_label("成立日期", exact=True)
    day.blur()
    expect(day).to_have_value("2015-06-18")
    zhou.save()
    zhou.sees("2015-06-18")


def tabs_stand_in_one_line(zhou: Person) -> None:
    """The rest is under 更多 and opens from there; the open tab stands in the line."""
    bar = zhou.page.locator("#tabs > ul.tabs")
    assert bar.evaluate("bar => bar.clientHeight") < 45
    more = bar.locator(".more summary")
    expect(more).to_contain_text("更多")
    folded = bar.locator(".more a", has_text="备注")
    expect(folded).to_be_hidden()
    zhou.tab("备注与交办")
    expect(bar.locator(":scope > li.active")).to_contain_text("备注")
    assert bar.evaluate("bar => bar.clientHeight") < 45


def long_names_give_way(zhou: Person) -> None:
    """Every column is in sight, and the whole name is one hover away."""
    zhou.go("客户管理", "对公客户")
    wrap = zhou.page.locator(".table-wrap")
    assert wrap.evaluate("wrap => wrap.scrollWidth - wrap.clientWidth") <= 1
    expect(zhou.page.locator("td", has_text="江州江南精密").first).to_have_attribute("title", NAME)


def rows_are_cards(he: Person) -> None:
    """On a phone nothing runs out of the screen, and a tap anywhere on a card opens it."""
    he.open("/corporate_customer/list/")
    expect(he.page.locator("table.cards")).to_be_visible()
    assert he.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    card = he.page.locator("table.cards tbody tr").first
    expect(card.locator("td[data-label='统一社会信用代码']")).to_contain_text(USCC)
    with he.page.expect_navigation():
        card.click(position={"x": 180, "y": 40})
    he.sees(NAME)
    assert he.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def every_right_has_its_box(gu: Person) -> None:
    """Rights are a grid on the phone too: names stay in sight, boxes are a swipe away."""
    gu.go("系统设置", "角色权限")
    gu.follow(gu.page.get_by_role("link", name="客户经理", exact=True).first)
    box = gu.page.get_by_label("对公客户 新增", exact=True)
    expect(box).to_be_visible()
    box.scroll_into_view_if_needed()
    expect(box).to_be_checked()
    expect(gu.page.get_by_role("rowheader", name="对公客户", exact=True)).to_be_in_viewport()
    last = gu.page.locator(".matrix tbody").last.locator("input").last
    last.scroll_into_view_if_needed()
    # which column it is stays in sight
    expect(gu.page.locator(".matrix thead th").first).to_be_in_viewport()
    assert gu.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
