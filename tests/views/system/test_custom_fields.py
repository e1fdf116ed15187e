"""A custom field from its definition in the browser to another role's form, list and file, and in another process."""

import subprocess
import sys

import pytest

OTHER = """
import sys
from app import create_app
from config import load_settings
from tests.views.conftest import Product
database, folder = sys.argv[1:]
people = Product(create_app(load_settings({"DATABASE_URL": database, "DATA_DIR": folder})))
people.app.config.update(TESTING=True)
browser = people.sign_in("manager")
print("ready", flush=True)
for line in sys.stdin:
    page = browser.get("/joint_group/add").get_data(as_text=True)
    print(line.strip() in page, flush=True)
"""


@pytest.fixture
def elsewhere(product, tmp_path):
    """Another process on the same database, which says whether its form has a word."""
    url = product.app.config["SETTINGS"].database_url
    command = [sys.executable, "-W", "ignore", "-c", OTHER, url, str(tmp_path)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )

    def has(word):
        process.stdin.write(f"{word}\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    assert process.stdout.readline().strip() == "ready"
    yield has
    process.stdin.close()
    process.wait(30)


def define(page, address, code, label, kind):
    page.goto(f"{address}/custom_field/add")
    page.fill("#table_name-g input:not([type=hidden])", "联保体")
    page.click("#table_name-g [role=option] >> nth=0")
    page.fill("#code", code)
    page.fill("#label", label)
    page.select_option("#kind", label=kind)


def save(page):
    page.click("[data-save]")
    page.wait_for_url("**/show/**")


def test_from_the_administrator_to_another_role_and_another_process(window, address, elsewhere):
    page = window("admin").new_page()
    assert elsewhere("驻场人数") == "False"
    define(page, address, "on_site", "有驻场", "是否")
    save(page)
    define(page, address, "people", "驻场人数", "整数")
    page.check("#is_listed")
    rows = page.locator("#visible_if-g")
    rows.get_by_role("button", name="按行填写").click()
    rows.get_by_label("字段").select_option("有驻场")
    rows.get_by_label("值").select_option("是")
    rows.get_by_text("读作：有驻场 = 是").wait_for()
    page.fill("#required_if", "有驻场")
    save(page)
    define(page, address, "share", "人均额度", "金额")
    page.check("#is_listed")
    page.fill("#formula", "联保总额度 ÷ 驻场人数")
    page.locator("#formula-g").get_by_text("读作：联保总额度 ÷ 驻场人数（金额）").wait_for()
    save(page)
    assert elsewhere("驻场人数") == "True"

    page = (context := window("manager")).new_page()
    page.goto(f"{address}/joint_group/add")
    for name, typed in (("code", "LB1"), ("name", "江州联保"), ("credit_line", "1000万")):
        page.fill(f"#{name}", typed)
    people = page.locator("#people-g")
    assert people.is_hidden()
    page.check("#on_site")
    people.wait_for(state="visible")
    page.click("[data-save]")
    page.get_by_text("请填写驻场人数（有驻场）").first.wait_for()
    page.fill("#people", "3")
    save(page)
    page.goto(f"{address}/joint_group/list/?f=share:ge:1&order=-share")
    assert page.locator("tbody tr").first.inner_text().split()[-2:] == ["3", "3,333,333.33"]
    file = context.request.get(f"{address}/joint_group/export?format=csv&f=people:eq:3")
    head, row, *_ = file.text().splitlines()
    assert head.endswith("驻场人数,人均额度（元）")
    assert row.endswith(",3,3333333.33")
