"""What people do every day costs few clicks; each click and each field filled in counts, from the workbench on."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.person import Cast, Person

pytestmark = pytest.mark.browser
COMPANY = ("busy",)


def test_three_fees_are_one_receipt(cast: Cast) -> None:
    """A customer pays fee, service fee and deposit in one sum: one paper, three lines."""
    luo = at_home(cast, "罗娜")
    luo.follow(todo(luo, "收款"))
    luo.press("连同其他费用收款")
    luo.fill({"收款账户": "中国工商银行江州分行 1102 0200"})
    luo.save("连同其他费用收款")
    assert luo.interactions <= 6
    luo.sees("已登记收款")
    lines = luo.page.locator("#tabs table tbody tr")
    expect(lines).to_have_count(3)
    numbers = {re.search(r"SJ[-0-9]+", text).group() for text in lines.all_inner_texts()}  # type: ignore[union-attr]
    assert len(numbers) == 1
    assert cast.faults == []


def test_a_fee_that_is_paid_by_now_refuses_the_whole_receipt_at_its_line(cast: Cast) -> None:
    """What was typed stays, and nothing was taken."""
    luo = at_home(cast, "罗娜")
    luo.open("/receipt/list/")
    before = luo.page.locator("main table tbody tr").count()
    luo.follow(luo.page.locator("main table tbody a[href^='/project/show/']").first)
    luo.open(luo.path.replace("/project/show/", "/do/project/") + "/collect")
    luo.fill({"担保费": "100", "服务费": "100"})
    luo.refused(400, "收款")
    expect(luo.page.get_by_label("服务费", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(luo.page.get_by_label("服务费", exact=True)).to_have_value("100.00")
    luo.sees("服务费待收 0.00 元")
    luo.open("/receipt/list/")
    expect(luo.page.locator("main table tbody tr")).to_have_count(before)
    assert cast.faults == []


def test_a_meeting_of_five_projects_and_five_members_is_one_page(cast: Cast) -> None:
    """What waits and who sits on the board are ticked; it is called and its vote begins with one button."""
    yang = at_home(cast, "杨帆")
    yang.follow(todo(yang, "列入审保会议题"))
    yang.press("召集审保会")
    yang.fill({"会议地点": "第一会议室", "主持人": "陆军"})
    last = yang.page.locator(".agenda tbody tr").last
    moved = last.locator("a").inner_text()
    yang._fill(
        last.locator("[name^=seq-]"), "1"
    )  # before the first, which keeps its 1 and comes second
    yang.page.locator(".agenda tbody tr").first.locator("[name^=seq-]").fill("2")
    yang.interactions += 1
    yang.save("召集并开始表决")
    assert yang.interactions <= 8
    agenda = yang.page.locator("[data-key=agenda] tbody tr")
    expect(agenda).to_have_count(5)
    expect(agenda.first).to_contain_text(moved)
    expect(agenda.first).to_contain_text("2,000,000.00")
    expect(agenda.first).to_contain_text("已表决 0 / 5，法定 4 人")
    expect(yang.page.locator("#tabs table tbody tr")).to_have_count(5)
    expect(yang.page.locator(".waits")).to_contain_text("表决")
    assert cast.faults == []


def test_ten_vouchers_are_reviewed_signed_and_posted(cast: Cast) -> None:
    """Three people, each: what waits for them, all of it, the button, and yes."""
    parts = (
        ("石慧", "凭证审核", "审核"),
        ("罗娜", "出纳签字", "出纳签字"),
        ("唐霞", "凭证记账", "记账"),
    )
    spent = 0
    for name, kind, verb in parts:
        person = at_home(cast, name)
        person.press(f"{kind} 10 张")
        person.page.get_by_label("选择本页", exact=True).check()
        person.interactions += 1
        ask_for_many(person, f"批量{verb}")
        person.sees(f"已{verb} 10 张凭证")
        spent += person.interactions
    assert spent <= 12
    assert cast.faults == []


def test_what_a_column_may_be_is_ticked(cast: Cast) -> None:
    """属于 offers every value in sight and takes several."""
    zhou = at_home(cast, "周敏")
    zhou.go("担保办理", "担保项目")
    zhou.page.get_by_text("添加条件", exact=True).first.click()
    zhou.page.locator("#flt-field").select_option("stage")
    zhou.page.locator("#flt-operator").select_option("in")
    values = zhou.page.locator("#flt-value")
    assert values.bounding_box()["height"] > 100  # type: ignore[index]
    for label in ("公司决议", "费用收取"):
        values.get_by_label(label, exact=True).check()
    with zhou.page.expect_navigation():
        zhou.page.get_by_role("button", name="应用条件", exact=True).click()
    expect(zhou.page.locator("main table[data-rows] tbody tr")).to_have_count(6)
    assert cast.faults == []


def test_a_view_of_three_conditions_is_kept_and_shared_and_opened_by_another(cast: Cast) -> None:
    """X14: from the open list on at most ten presses and fields; a refusal keeps all of it; days stay relative."""
    chen = at_home(cast, "陈立")
    chen.go("担保办理", "担保项目")
    chen.interactions = 0
    chen.page.get_by_text("添加条件", exact=True).click()
    fields = (("stage", "公司决议"), ("amount", "100"), ("applied_on", "近 90 天"))
    for number, (field, value) in enumerate(fields, 1):
        tail = f"-{number}" if number > 1 else ""
        chen.page.locator(f"#flt-field{tail}").select_option(field)
        chen._fill(chen.page.locator(f"#flt-value{tail}"), value)
        chen.interactions += 1
    chen.interactions += 1
    name = chen.page.locator("#view-name")
    chen._fill(chen.page.locator("#view-sharing"), "本部门及下级")
    chen.expected_status = 400
    chen.page.get_by_role("button", name="保存为视图", exact=True).click()
    chen.sees("请填写视图名称")
    chen.expected_status = 0
    chen._fill(name, "决议中的新项目")
    chen.press("保存为视图")
    assert chen.interactions <= 10
    expect(chen.page.locator(".chip-view.active")).to_have_text("决议中的新项目")
    expect(chen.page.locator(".filters .chip:not(.chip-add)")).to_have_count(3)
    zhou = at_home(cast, "周敏")
    zhou.go("担保办理", "担保项目")
    zhou.follow(zhou.page.locator(".chip-view", has_text="决议中的新项目"))
    zhou.sees("近 90 天（")
    assert zhou.page.locator("tbody tr").count() <= chen.page.locator("tbody tr").count()
    assert cast.faults == []


def test_the_columns_of_a_list_are_found_again_after_signing_in_anew(cast: Cast) -> None:
    """Chosen and put in order once, without giving it a name."""
    he = at_home(cast, "何平")
    he.go("担保办理", "担保项目")
    he.page.locator("form[data-columns]").locator("xpath=..").locator("summary").click()
    boxes = he.page.locator("form[data-columns] input[type=checkbox]")
    expect(he.control("应用")).to_be_in_viewport(ratio=1)  # however many columns there are
    boxes.and_(he.page.locator("[value=state]")).uncheck()
    boxes.and_(he.page.locator("[value=purpose_note]")).check()
    he.press("应用")
    wanted = heads(he)
    assert ("用途说明" in wanted, "状态" in wanted) == (True, False)
    cast.leave("何平")
    again = cast("何平")
    again.go("担保办理", "担保项目")
    assert heads(again) == wanted
    again.go("客户管理", "对公客户")
    assert "用途说明" not in heads(again)
    assert cast.faults == []


def test_product_and_bank_fill_in_their_terms_and_leave_what_was_typed(cast: Cast) -> None:
    """The B角 is there already; what somebody typed stays when another product is chosen."""
    zhou = at_home(cast, "周敏")
    zhou.go("担保办理", "担保项目")
    zhou.press("新建担保申请")
    form = zhou.page.locator("form#form")
    expect(form.get_by_label("B角", exact=True)).not_to_have_value("")
    zhou.fill({"产品": "流动资金"})
    rate = form.get_by_label("担保费率", exact=True)
    expect(rate).not_to_have_value("")
    zhou.fill({"担保费率": "1.25", "产品": "科创"})
    zhou.fill({"合作银行": "工商"})
    expect(form.get_by_label("银行分担比例", exact=True)).to_have_value(re.compile(r"^20"))
    expect(rate).to_have_value("1.25")
    assert cast.faults == []


def test_one_begins_to_type_where_one_is(cast: Cast) -> None:
    """A new form has its first field focused, a refused one its first wrong field in sight."""
    zhou = at_home(cast, "周敏")
    zhou.go("客户管理", "对公客户")
    zhou.press("新增对公客户")
    expect(zhou.page.get_by_label("客户名称", exact=True)).to_be_focused()
    zhou.fill({"客户名称": "江州起笔有限公司", "联系电话": "12"})
    zhou.refused(400, "保存")
    wrong = zhou.page.locator("form#form .has-error").first
    expect(wrong).to_be_in_viewport()
    expect(wrong.locator("input:not([type=hidden]), select, textarea").first).to_be_focused()
    assert cast.faults == []


def heads(person: Person) -> list[str]:
    """The heads of the list."""
    return person.page.locator("main table[data-rows] thead th").all_inner_texts()


def at_home(cast: Cast, name: str) -> Person:
    """At the workbench, with nothing counted yet."""
    person = cast(name)
    person.open("/")
    person.interactions = 0
    return person


def todo(person: Person, what: str):  # type: ignore[no-untyped-def]
    """The first thing of a kind that waits for the reader."""
    row = person.page.locator("main table tbody tr").filter(has_text=what).first
    return row.get_by_role("link").first


def ask_for_many(person: Person, label: str) -> None:
    """A button over the ticked rows, which names their number and sum before it acts."""
    person.interactions += 2
    person.page.locator("#bulk").get_by_role("button", name=label, exact=True).click()
    dialog = person.page.locator("dialog[open]")
    with person.page.expect_navigation():
        dialog.get_by_role("button", name=label, exact=True).click()


def test_a_company_its_holders_and_its_managers_are_one_form(cast: Cast) -> None:
    """Three shareholders and two managers are typed beside each other and saved with the company: at most 40 steps."""
    zhou = at_home(cast, "周敏")
    zhou.go("客户管理", "对公客户")
    zhou.press("新增对公客户")
    company = {"客户名称": "江州三股东制造有限公司", "统一社会信用代码": "91320100MA1GR1D03K"}
    zhou.fill(company)
    typed = len(company)
    holders = [("于晓明", "50"), ("江州投资有限公司", "30"), ("陈秋水", "20")]
    managers = [("于晓明", "总经理"), ("孙白露", "财务总监")]
    for label, column, rows in (
        ("股东出资", "share_pct", holders),
        ("高管人员", "position", managers),
    ):
        grid = open_grid(zhou, label)
        for at, (name, other) in enumerate(rows):
            if at:
                zhou.interactions += 1
                grid.get_by_role("button", name="加一行").click()
            row = grid.locator("tr[data-row]").nth(at)
            for key, text in (("name", name), (column, other)):
                zhou.interactions += 1
                typed += 1
                row.locator(f"[data-cell={key}] input").fill(text)
    zhou.save()
    assert zhou.interactions - typed <= 40
    assert (
        zhou.interactions - typed <= 10
    )  # what it is today: menu, button, two grids, three rows, save
    for tab, label, rows in (
        ("shareholder", "股东出资", holders),
        ("executive", "高管人员", managers),
    ):
        zhou.open(f"{zhou.path}?tab={tab}")
        expect(zhou.page.locator("#tabs table tbody tr")).to_have_count(len(rows))
        zhou.sees(label)
    assert cast.faults == []


def test_twenty_rows_are_pasted_and_the_wrong_one_is_named_at_its_cell(cast: Cast) -> None:
    """Headings, labels of choices, days and amounts as people write them; what is wrong stays until it is mended."""
    zhou = at_home(cast, "周敏")
    zhou.open("/corporate_customer/list/")
    zhou.follow(zhou.page.locator("main table tbody a[href*='/corporate_customer/show/']").first)
    zhou.open(f"{zhou.path.replace('/show/', '/rows/')}/external_guarantee")
    grid = zhou.page.locator("[data-grid=external_guarantee]")
    lines = ["被担保人\t担保金额\t担保余额\t起始日期\t状态"]
    lines += [f"江州{n}号公司\t{n + 1}万\t1.5万\t2026/3/{n + 1}\t在保" for n in range(20)]
    lines[8] = lines[8].replace("2026/3/8", "2026年2月30日")
    first = grid.locator("[data-cell=debtor] input").first
    first.focus()
    first.evaluate(
        """(node, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            node.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        "\r\n".join(lines),
    )
    expect(grid.locator("tr[data-row]")).to_have_count(20)
    zhou.refused(400, "保存")
    wrong = grid.locator("td.has-error")
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("没有 2026-02-30 这一天")
    expect(wrong.locator("input")).to_be_focused()
    expect(grid.locator("tr[data-row]")).to_have_count(20)  # nothing is lost
    wrong.locator("input").fill("20260228")
    zhou.save()
    expect(zhou.page.locator("#tabs table tbody tr")).to_have_count(20)
    zhou.sees("200,000.00")
    zhou.sees("15,000.00")
    assert cast.faults == []


def open_grid(person: Person, label: str) -> Locator:
    """Child rows in the form of their owner."""
    person.interactions += 1
    person.page.get_by_role("button", name=label).click()
    grid = person.page.locator("[data-grid]").last
    expect(grid.locator("h2")).to_contain_text(label)
    return grid
