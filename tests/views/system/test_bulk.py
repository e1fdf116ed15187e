"""Ticked rows are done one by one: what is refused says why and leaves the others (X1)."""

from playwright.sync_api import expect
from sqlalchemy import select

from models.system.organization import Department, Employee


def test_one_refused_row_leaves_the_others(product, address, window):
    with product.session() as session:
        session.add(Department(code="ZZ1", name="空部门", path="/"))
        session.commit()
        used = session.scalars(select(Employee.department_id)).first()
        staffed = session.get_one(Department, used).name
    page = window("admin").new_page()
    page.goto(f"{address}/department/list/?size=200")
    for name in ("空部门", staffed):
        page.locator("tbody tr", has_text=name).first.get_by_role("checkbox").check()
    page.get_by_role("button", name="删除", exact=True).click()
    with page.expect_navigation():
        page.locator("dialog[open]").get_by_role("button", name="删除", exact=True).click()
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(staffed)
    expect(rows.first).to_contain_text("未办")
    expect(rows.first).to_contain_text("不能删除")
    expect(rows.last).to_contain_text("空部门")
    expect(rows.last).to_contain_text("已办")
    with product.session() as session:
        left = set(session.scalars(select(Department.name)))
    assert ("空部门" in left, staffed in left) == (False, True)
