"""Rows from a file in a browser (X3): uploaded, columns named, an error seen at its cell, corrected, confirmed."""

from tests.sheets import book

HEAD = ["抬头", "税号", "本钱(万元)"]
NAMES = {"c0": "客户名称", "c1": "统一社会信用代码", "c2": "注册资本"}


def chosen(folder, capital):
    """A file with one company."""
    path = folder / "企业.xlsx"
    path.write_bytes(book(HEAD, ["江州<b>好</b>得很有限公司", "91320104R0QDF3102N", capital]))
    return str(path)


def test_a_file_with_strange_heads_and_a_wrong_cell(window, address, tmp_path):
    page = window("manager").new_page()
    page.goto(f"{address}/corporate_customer/list/")
    page.click(".page-head >> text=导入")
    page.set_input_files("[name=file]", chosen(tmp_path, "七百五十"))
    page.click("[data-save]")
    page.wait_for_selector("text=列对应：企业.xlsx")
    for name, label in NAMES.items():
        page.select_option(f"[name={name}]", label=label)
    page.click("[data-save]")
    cell = page.wait_for_selector("td .bad:has-text('七百五十')")
    assert "不是有效的金额" in cell.evaluate("e => e.closest('td').title")
    assert page.locator("text=确认导入").get_attribute("aria-disabled") == "true"
    assert page.locator("td:has-text('江州<b>好</b>得很有限公司')").count() == 1
    page.click("text=重新上传")
    page.set_input_files("[name=file]", chosen(tmp_path, "750"))
    page.click("[data-save]")
    page.click("text=确认导入")
    page.click("dialog button:has-text('确认导入')")
    page.wait_for_selector("text=已导入：新增 1 条")
    page.click("text=江州<b>好</b>得很有限公司")
    page.wait_for_selector("text=7,500,000.00")
