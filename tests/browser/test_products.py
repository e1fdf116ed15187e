"""A product is composed by the administrator in the browser, and its first project applied for, with nobody else."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.person import PHONE, Cast, Person

pytestmark = pytest.mark.browser
COMPANY = ("busy",)
NAME = "科技履约保"
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def test_a_product_is_composed_and_its_first_project_applied_for(
    cast: Cast, tmp_path: Path
) -> None:
    fang = cast("方志远")
    is_composed(fang)
    says_what_a_project_goes_through(fang)
    zhou = cast("周敏")
    is_applied_for(zhou, tmp_path)
    cast.leave("方志远")
    phone = cast("方志远", PHONE)
    fits(phone)
    assert cast.faults == []


def is_composed(fang: Person) -> None:
    """Elements and stages on one form, then documents, fees, a rule and a text of its own on the product's tabs."""
    fang.go("担保设置", "产品种类")
    fang.press("新增产品种类")
    fang.fill(
        {
            "产品编码": "KJLY",
            "产品名称": NAME,
            "担保类别": "工程履约担保",
            "最低金额": "100000",
            "最高金额": "3000000",
            "最长期限": "12",
            "担保费率": "1.5",
            "担保费率下限": "1",
            "基准利率": "LPR 一年期",
            "加点": "50",
            "默认还款方式": "到期一次还本付息",
            "出具意向函": "否",
            "上审保会": "否",
            "要求反担保": "否",
        }
    )
    fang.save()
    fang.sees("还有 2 项待补充")
    fang.sees("没有必须提供的要件")
    fang.sees("没有担保费")
    for tab, facts in (
        ("产品要件", {"要件类别": "身份证明", "份数": "2", "核对原件": "是"}),
        ("产品费用", {"费用种类": "担保费", "费率": "1.5", "增值税率": "6"}),
        ("准入规则", {"规则名称": "期限一年以内", "须满足的条件": "期限 <= 12"}),
        ("可选还款方式", {"还款方式": "先息后本"}),
    ):
        fang.tab(tab)
        fang.press(f"新增{tab}")
        fang.fill(facts)
        fang.save()


def says_what_a_project_goes_through(fang: Person) -> None:
    """办理概览 has no gaps left, and a copy brings the rows along."""
    fang.go("担保设置", "产品种类")
    fang.follow(fang.page.get_by_role("link", name=NAME).first)
    expect(fang.page.locator(".gate li.no")).to_have_count(0)
    fang.sees("免意向函；免审保会，由总裁签字；免反担保")
    fang.sees("身份证明（2 份，核对原件）")
    fang.press("复制")
    expect(fang.page.locator("[name^='product_document-']").first).to_be_attached()
    fang.fill({"产品编码": "KJLY2", "产品名称": "科技履约保二号"})
    fang.save()
    fang.sees("身份证明（2 份，核对原件）")


def is_applied_for(zhou: Person, tmp: Path) -> None:
    """Rates and ways come from the product; the document counts once it is noted."""
    zhou.open("/corporate_customer/list/")
    zhou.follow(zhou.page.locator("main table tbody a[href^='/corporate_customer/show/']").first)
    zhou.press("申请担保")
    zhou.fill({"产品": NAME, "合作银行": "工商"})
    expect(zhou.page.get_by_label("贷款年利率", exact=True)).to_have_value("3.5")
    expect(zhou.page.get_by_label("拟提供反担保", exact=True)).to_have_value("产品不要求反担保")
    zhou.fill(
        {
            "担保金额": "500000",
            "期限": "12",
            "贷款用途": "工程投标或履约",
            "银行分担比例": "20",
            "B角": "孙浩",
        }
    )
    zhou.fill({"担保费率": "0.5"})
    zhou.refused(400, "保存")
    zhou.sees("的担保费率不得低于 1%")
    zhou.fill({"担保费率": "1.5"})
    zhou.save()
    project = zhou.path
    (tmp / "证件.pdf").write_bytes(_PDF)
    zhou.upload("身份证明", tmp / "证件.pdf")
    zhou.cannot("提交申请", "身份证明（未做要件登记）")
    zhou.tab("要件登记")
    zhou.press("新增要件登记")
    zhou.fill({"要件类别": "身份证明", "份数": "2", "已核对原件": "是"})
    zhou.save()
    zhou.open(project)
    expect(zhou.page.locator(".stages")).not_to_contain_text("意向函")
    zhou.press("提交申请")
    zhou.sees("申请已提交，进入受理评估")


def fits(phone: Person) -> None:
    """The overview on a phone is no wider than the phone."""
    phone.open("/product/list/")
    phone.follow(phone.page.locator("main a[href^='/product/show/']").last)
    phone.sees("办理概览")
    wide = phone.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
