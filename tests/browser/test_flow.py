"""The administrator gives a flow branches on one screen, tries it, publishes it; a project runs on it (A2, A5, A9)."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.person import PHONE, Cast, Person

pytestmark = pytest.mark.browser
COMPANY = ("reviewed",)


def test_a_flow_gets_branches_is_tried_published_and_a_project_runs_on_it(cast: Cast) -> None:
    fang = cast("方志远")
    the_editor_opens(fang)
    branches_are_made(fang)
    a_card_moves_by_keys(fang)
    it_is_tried_and_published(fang)
    zhou = cast("周敏")
    the_project_is_put_up(zhou)
    approve(cast("马杰"))
    both_are_asked_at_once(cast("唐霞", PHONE), zhou)
    approve(cast("唐霞"))
    approve(cast("刘文"))
    zhou.page.reload()
    expect(steps(zhou, "done")).to_have_count(5)  # from 提交 to 办结
    assert cast.faults == []


def the_editor_opens(fang: Person) -> None:
    """A new version opens where it is changed."""
    fang.go("担保设置", "审批流程")
    fang.follow(fang.page.get_by_role("link", name="评审审批流程").first)
    fang.press("建立新版本")
    assert fang.path.startswith("/approval_flow/editor/")


def branches_are_made(fang: Person) -> None:
    """Large projects: law beside finance; the gap is told while the condition is missing."""
    page = fang.page
    page.get_by_role("button", name="条件分支", exact=True).last.click()
    large = page.locator("[data-lane]").first
    named(large).fill("大额项目")
    expect(page.locator("[data-sketch]")).to_contain_text("条件分支必须填写进入条件")
    large.locator("textarea").first.fill("金额 > 100万")
    large.get_by_role("button", name="并行分支", exact=True).click()
    for number, (lane, node, position) in enumerate(
        (("法务", "法务意见", "合同审核岗"), ("财务", "财务意见", "财务审批岗"))
    ):
        branch = large.locator("[data-lane]").nth(number)
        named(branch).fill(lane)
        branch.get_by_role("button", name="节点", exact=True).click()
        card = branch.locator("[data-node]")
        named(card).fill(node)
        fang._fill(card.get_by_label("审批岗位", exact=True), position)
    expect(page.locator("[data-sketch]")).to_contain_text("财务审批岗")
    expect(page.locator("[data-sketch] .fe-list .bad")).to_have_count(0)


def named(card: Locator) -> Locator:
    """Where a card says its name."""
    return card.locator(":scope > .fe-head .fe-name input")


def a_card_moves_by_keys(fang: Person) -> None:
    """Into the branch below, and back."""
    first = fang.page.locator("[data-node]").first
    named(first).press("Alt+ArrowDown")
    expect(fang.page.locator("[data-lane] [data-node]")).to_have_count(3)
    named(fang.page.locator("[data-node]").first).press("Alt+ArrowUp")
    expect(fang.page.locator("[data-lane] [data-node]")).to_have_count(2)


def it_is_tried_and_published(fang: Person) -> None:
    """Real people stand in the drawing; what was tried stays as an example and is asked at publishing."""
    page, sketch = fang.page, fang.page.locator("[data-sketch]")
    page.locator("#try_amount").fill("500000")
    expect(sketch.locator(".lane.off").first).to_contain_text("大额项目")
    page.locator("#try_amount").fill("2000000")
    expect(sketch).to_contain_text("可以提交")
    for name in ("马杰", "刘文", "唐霞"):
        expect(sketch.locator(".flow").first).to_contain_text(name)
    expect(sketch.locator(".lane.off").first).to_contain_text("其余")
    page.get_by_role("button", name="存为样例").click()
    named(page.locator("[data-example]")).fill("两百万元")
    fang.press("保存并发布")
    fang.sees("已发布")
    fang.tab("流程样例")
    fang.sees("评审 → 法务意见 → 财务意见")


def the_project_is_put_up(zhou: Person) -> None:
    """By the button of its page."""
    zhou.open("/project/list/")
    zhou.follow(zhou.page.locator("main table tbody a[href^='/project/show/']").first)
    zhou.press("提交评审审批")
    zhou.open("/approvals/?tab=mine")
    zhou.follow(zhou.page.locator("main table tbody a").first)


def approve(person: Person) -> None:
    """The newest of the own tasks."""
    person.open("/approvals/")
    person.follow(person.page.locator("main table tbody a").first)
    person.press("同意", within=person.page.locator(".dock"))


def both_are_asked_at_once(tang: Person, zhou: Person) -> None:
    """The drawing says who, also on the phone."""
    zhou.page.reload()
    expect(steps(zhou, "current")).to_have_count(2)
    expect(zhou.page.locator(".flow").first).to_contain_text("刘文")
    tang.open("/approvals/")
    tang.follow(tang.page.locator("main table tbody a").first)
    expect(steps(tang, "current")).to_have_count(2)
    width = tang.page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


def steps(person: Person, state: str) -> Locator:
    """The boxes of the drawing that are so far."""
    return person.page.locator(f".flow li.{state}")
