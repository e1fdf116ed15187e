"""What is typed last into an amount is its value: by keyboard and by mouse, in forms and in the lines of a voucher."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.person import Cast, Person
from tests.browser.test_fit import USCC

pytestmark = pytest.mark.browser


def test_the_last_typed_amount_counts(cast: Cast) -> None:
    zhou = cast("周敏")
    zhou.go("客户管理", "对公客户")
    zhou.press("新增对公客户")
    zhou.fill({"客户名称": "江州金额有限公司", "统一社会信用代码": USCC, "成立日期": "2015-06-18"})
    retyped(zhou, zhou.page.get_by_label("注册资本", exact=True))
    paid_in = zhou.page.get_by_label("实收资本", exact=True)
    written_with_units(zhou, paid_in)
    zhou.save()
    zhou.sees("7,000,000.00")
    prefilled_gives_way(zhou)
    wu = cast("吴洁")
    wu.open("/voucher/add")
    debit = wu.page.locator("[name=line_debit]").first
    retyped(wu, debit)
    written_with_units(wu, debit)
    expect(wu.page.locator("[data-sum=debit]")).to_have_text("6,000,000.00")
    assert cast.faults == []


def retyped(person: Person, field: Locator) -> None:
    """Type, Tab, Shift+Tab, type again; then click and type; a second click puts the caret where it is wanted."""
    keys = person.page.keyboard
    field.click()
    keys.type("5000000")
    keys.press("Tab")
    expect(field).to_have_value("5,000,000.00")
    keys.press("Shift+Tab")
    keys.type("6000000")
    keys.press("Tab")
    expect(field).to_have_value("6,000,000.00")
    field.click()
    keys.type("7000000")
    field.click()
    keys.press("End")
    keys.type(".5")
    field.blur()
    expect(field).to_have_value("7,000,000.50")
    field.click()
    keys.type("7000000")
    field.blur()
    expect(field).to_have_value("7,000,000.00")


def written_with_units(person: Person, field: Locator) -> None:
    """600万 is shown as what it comes to; what is no amount stays as it was typed, for the server to refuse."""
    for typed, shown in {
        "1.2亿元": "120,000,000.00",
        "１２３４.５万": "12,345,000.00",
        "12a": "12a",
        "1.234": "1.234",
        "600万": "6,000,000.00",
    }.items():
        field.click()
        person.page.keyboard.type(typed)
        field.blur()
        expect(field).to_have_value(shown)


def prefilled_gives_way(zhou: Person) -> None:
    """What stood there before is not what is typed plus the rest of it."""
    zhou.press("修改")
    field = zhou.page.get_by_label("实收资本", exact=True)
    expect(field).to_have_value("6,000,000.00")
    field.focus()
    zhou.page.keyboard.type("500")
    zhou.save()
    zhou.sees("500.00")
    zhou.press("修改")
    expect(zhou.page.get_by_label("实收资本", exact=True)).to_have_value("500.00")
