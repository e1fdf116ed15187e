"""The whole line through the screens: one loan, all the people it takes, from the customer's file to the books."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.demo.people import BOARD, PEOPLE
from tests.browser.person import PHONE, Cast, Person

pytestmark = pytest.mark.browser
DATA = Path(__file__).parents[1] / "data"
CUSTOMER = "江州江南精密机械有限公司"
NAMES = {username: name for username, name, *_ in PEOPLE}
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def test_a_loan_from_the_customers_file_to_the_books(cast: Cast, tmp_path: Path) -> None:
    for step in STEPS:
        step(cast, tmp_path)
    assert cast.faults == []


# --------------------------------------------------------------------------------------------------------- the customer
def customer_is_registered(cast: Cast, tmp: Path) -> None:
    """周敏 mistypes the credit code; the form says so at the field and keeps what she typed."""
    zhou = cast("周敏")
    zhou.go("客户管理", "对公客户")
    zhou.press("新增对公客户")
    zhou.fill({
        "客户名称": CUSTOMER, "统一社会信用代码": "91320100MA1ABCDE30", "法定代表人": "江南", "实际控制人": "江南",
        "注册资本": "30,000,000", "实收资本": "30000000", "成立日期": "2015-06-18", "所属行业": "通用设备制造业",
        "企业规模": "小型企业",
        "经营范围": "精密机械的研发、生产与销售", "客户所属地区": "南京市", "注册地址": "江州市创业路 18 号",
        "联系电话": "13805101234",
        "企业性质": "民营企业", "联系人": "江南", "E-mail地址": "office@example.com",
        "通讯地址": "江州市创业路 18 号",
    })  # fmt: skip
    zhou.refused(400, "保存")
    code = zhou.page.get_by_label("统一社会信用代码", exact=True)
    expect(code).to_have_attribute("aria-invalid", "true")
    zhou.sees("统一社会信用代码校验码不符")
    expect(code).to_have_value("91320100MA1ABCDE30")
    expect(zhou.page.get_by_label("客户名称", exact=True)).to_have_value(CUSTOMER)
    expect(zhou.page.get_by_label("经营范围", exact=True)).to_have_value("精密机械的研发、生产与销售")
    zhou.fill({"统一社会信用代码": USCC})
    zhou.save()
    zhou.sees(CUSTOMER)


def customer_is_rated(cast: Cast, tmp: Path) -> None:
    """The rating waits for a statement; 郑岚, not 周敏, confirms it."""
    zhou = cast("周敏")
    zhou.cannot("等级评估", "财务报表")
    zhou.tab("财务报表")
    zhou.press("新增财务报表")
    zhou.fill(STATEMENT)
    zhou.save()
    add_shareholder(zhou)
    find(zhou, "客户管理", "对公客户", CUSTOMER)
    zhou.press("等级评估")
    for select in zhou.page.locator("form#form select").all():
        select.select_option(index=1)
    zhou.fill({"初评意见": "经营稳定，同意评定"})
    zhou.save("等级评估")
    zhou.sees("初评已提交，待他人复评")

    zheng = cast("郑岚")
    find(zheng, "客户管理", "等级评估", CUSTOMER)
    zheng.press("复评同意")
    zheng.sees("已复评同意")


def add_shareholder(zhou: Person) -> None:
    """A row of one of the customer's tabs; afterwards 周敏 stands on that tab again."""
    find(zhou, "客户管理", "对公客户", CUSTOMER)
    zhou.tab("股东出资")
    zhou.press("新增股东出资")
    zhou.fill({"股东名称": "江南", "持股比例": "100"})
    zhou.save()
    zhou.sees("100.00")


# ------------------------------------------------------------------------------------------------------ the application
def application_is_submitted(cast: Cast, tmp: Path) -> None:
    """The application with its look-ups; it cannot be submitted before its documents are there."""
    zhou = cast("周敏")
    zhou.go("担保办理", "担保项目")
    zhou.press("新建担保申请")
    zhou.fill({
        "客户": "江南精密", "产品": "流动资金", "合作银行": "工商", "担保金额": "5000000", "期限": "12",
        "贷款用途": "流动资金周转",
        "用途说明": "采购钢材", "贷款年利率": "4.35", "还款方式": "等额本息", "担保费率": "1.5", "银行分担比例": "20",
        "拟提供反担保": "厂房抵押、实际控制人保证", "小微属性": "小型企业", "B角": "孙浩",
    })  # fmt: skip
    zhou.save()
    zhou.cannot("提交申请", "营业执照")
    attach(zhou, tmp)


def attach(zhou: Person, tmp: Path) -> None:
    """The documents that the product demands, then the application goes off."""
    open_project(zhou)
    for category, name in (("营业执照", "营业执照.pdf"), ("财务报表", "财务报表.pdf")):
        (tmp / name).write_bytes(_PDF)
        zhou.upload(category, tmp / name)
    zhou.press("提交申请")
    zhou.sees("申请已提交，进入受理评估")


def project_is_evaluated(cast: Cast, tmp: Path) -> None:
    """周敏 reports; 陈立, 何平 and (on his phone) 陆军 agree."""
    zhou = cast("周敏")
    zhou.press("填写保前调查报告")
    zhou.fill({
        "实地调查日期": "2026-01-15", "调查地点": "厂区", "经营情况": "正常", "财务分析": "稳健",
        "还款来源": "销售回款",
        "反担保评价": "足值", "风险及防范": "下游集中，按季检查", "调查结论": "建议担保", "建议担保金额": "5000000",
        "建议期限": "12",
    })  # fmt: skip
    zhou.save()
    zhou.press("提交评估审批")
    agree(cast("陈立"))
    agree(cast("何平"))
    agree(cast("陆军", PHONE))


def intent_is_declared(cast: Cast, tmp: Path) -> None:
    """The letter of intent is a PDF for the bank."""
    zhou = cast("周敏")
    open_project(zhou)
    zhou.press("出具担保意向函")
    letter_is_pdf(zhou)


def project_is_reviewed(cast: Cast, tmp: Path) -> None:
    """马杰 reviews; 郑岚 assesses the risk, 何平 and 陆军 agree."""
    zhou = cast("周敏")
    open_project(zhou)
    zhou.press("提交评审审批")
    agree(cast("马杰"))
    zheng = cast("郑岚")
    open_project(zheng)
    zheng.press("填写风险评估报告")
    zheng.fill({
        "客户资信": "27", "第一还款来源": "26", "反担保措施": "21", "合规与用途": "14", "主要风险": "下游集中",
        "控制措施": "按季检查",
        "风控意见": "同意提交审保会",
    })  # fmt: skip
    zheng.save()
    zheng.press("提交风控审批")
    agree(cast("何平"))
    agree(cast("陆军"))


def board_resolves(cast: Cast, tmp: Path) -> None:
    """杨帆 calls five members, they vote, the result is announced, the president signs, the bank gets its letter."""
    yang = cast("杨帆")
    yang.go("担保办理", "审保会")
    before = yang.interactions
    yang.press("新增审保会")
    yang.fill({"会议地点": "第一会议室", "主持人": "陆军"})
    yang.save()
    # What waits, who sits on the board, the day and the secretary are there already, however many they are.
    assert yang.interactions - before <= 8
    meeting = yang.path
    for tab, count in (("meeting_item", 1), ("meeting_member", len(BOARD))):
        yang.open(f"{meeting}?tab={tab}")
        expect(yang.page.locator("#tabs table tbody tr")).to_have_count(count)
    yang.open(meeting)
    yang.press("开始表决")
    for username in BOARD:
        vote(cast(NAMES[username]))
    yang.open("/approvals/")
    yang.sees("宣布表决结果")
    yang.open(meeting)
    yang.press("宣布结果")
    agree(cast("何建国"))
    zhou = cast("周敏")
    open_project(zhou)
    zhou.press("出具担保确认函")


def vote(member: Person) -> None:
    """The open vote stands among what waits for the member, who votes there and then."""
    member.open("/approvals/")
    line = member.page.locator("main table tbody tr").filter(has_text="审保会表决")
    member.follow(line.get_by_role("link").first)
    member.sees(CUSTOMER)
    member.press("同意", within=member.page.locator(".dock"))
    member.sees("已记录您的表决")


# ------------------------------------------------------------------------------------------------------ fees and papers
def fees_are_booked(cast: Cast, tmp: Path) -> None:
    """周敏 registers the fees, 吴洁 books them, three others take the vouchers to the ledger."""
    zhou = cast("周敏")
    open_project(zhou)
    zhou.press("按产品带出费用")
    zhou.press("提交费用记账")
    zhou.sees("费用已送复核记账")
    book_everything(cast)


def book_everything(cast: Cast) -> None:
    """吴洁 takes the review queue; 石慧 reviews, 罗娜 signs what touches cash, 唐霞 posts."""
    wu = cast("吴洁")
    while True:
        wu.go("总账管理", "复核管理")
        waiting = wu.page.locator("main table tbody a[href^='/business_event/show/']")
        if not waiting.count():
            break
        wu.follow(waiting.first)
        wu.press("记账")
        wu.sees("已生成凭证")
        number = wu.path
        shi = cast("石慧")
        shi.open(number)
        shi.press("审核")
        luo = cast("罗娜")
        luo.open(number)
        if luo.control("出纳签字").count():
            luo.press("出纳签字")
        tang = cast("唐霞")
        tang.open(number)
        tang.press("记账")
        tang.sees("已记账")


def contracts_are_reviewed(cast: Cast, tmp: Path) -> None:
    """The contracts come from the templates; 刘文 reviews each."""
    zhou = cast("周敏")
    open_project(zhou)
    zhou.press("生成合同")
    for kind in ("委托担保合同", "保证合同", "反担保合同"):
        open_project(zhou)
        row(zhou, "合同", kind)
        zhou.press("提交合同审核")
        agree(cast("刘文"))


def counter_guarantees_are_settled(cast: Cast, tmp: Path) -> None:
    """A plant and a surety; 何平 agrees."""
    zhou = cast("周敏")
    for values in (
        {"方式": "抵押", "反担保物种类": "厂房", "反担保物 / 保证人": "创业路 18 号厂房",
         "权证号码": "苏（2026）第 1 号",
         "评估值": "10000000", "抵押率": "60"},
        {"方式": "保证", "反担保物 / 保证人": "江南夫妇"},
    ):  # fmt: skip
        open_project(zhou)
        zhou.tab("反担保")
        zhou.press("新增反担保")
        zhou.fill(values)
        zhou.save()
    open_project(zhou)
    zhou.press("提交反担保审核")
    agree(cast("何平"))


def fees_are_collected(cast: Cast, tmp: Path) -> None:
    """罗娜 takes the money for three fees with one receipt; it goes through 复核 into the books."""
    luo = cast("罗娜")
    open_project(luo)
    before = luo.interactions
    luo.press("收款")
    luo.fill({"收款账户": "中国工商银行江州分行 1102 0200"})
    luo.save("收款")
    assert luo.interactions - before <= 6
    luo.sees("已登记收款")
    expect(luo.page.locator("#tabs table tbody tr")).to_have_count(3)
    book_everything(cast)


# --------------------------------------------------------------------------------------------------------- the drawdown
def bank_is_told_to_pay(cast: Cast, tmp: Path) -> None:
    """The button stays shut, and says why, until 方圆 has settled the counter-guarantees."""
    zhou = cast("周敏")
    open_project(zhou)
    zhou.cannot("开具放款通知单", "创业路 18 号厂房")
    expect(zhou.page.locator(".gate li.no")).to_contain_text("反担保已落实")
    fang = cast("方圆")
    for name in ("创业路 18 号厂房", "江南夫妇"):
        open_project(fang)
        row(fang, "反担保", name)
        fang.press("登记落实")
        fang.fill({"落实依据": "不动产登记证明已取得"})
        fang.save("登记落实")
    open_project(zhou)
    expect(zhou.page.locator(".gate li.no")).to_have_count(0)
    zhou.press("开具放款通知单")
    letter_is_pdf(zhou)


def loan_is_paid_out(cast: Cast, tmp: Path) -> None:
    """The plan comes from the bank's own file."""
    zhou = cast("周敏")
    open_project(zhou)
    zhou.press("放款确认")
    zhou.fill({"银行借据号": "JJ2026791514", "放款日期": "2026-01-15", "到期日期": "2027-01-14",
               "银行还款计划表": str(DATA / "bank_repayment_plan_a.xlsx")})  # fmt: skip
    zhou.refused(400, "预览")
    zhou.sees("已选“bank_repayment_plan_a.xlsx”")
    zhou.fill({"到期日期": "2027-01-15"})
    zhou.save("预览")
    zhou.sees("银行文件“bank_repayment_plan_a.xlsx”，共 12 期")
    zhou.save("放款确认")
    zhou.sees("已放款，项目进入在保")
    book_everything(cast)
    open_project(zhou)
    expect(zhou.page.locator("h1 + .status, .row-flex .status").first).to_have_text("在保")


def books_lead_back_to_the_project(cast: Cast, tmp: Path) -> None:
    """From 科目余额表 to the account, to the voucher, to the project."""
    tang = cast("唐霞")
    tang.go("总账管理", "科目余额表")
    line = tang.page.locator("main table").get_by_role("row").filter(has_text="担保费收入")
    tang.follow(line.get_by_role("link").first)
    tang.follow(tang.page.locator("main table tbody a[href^='/voucher/show/']").first)
    tang.follow(tang.page.locator("main a[href^='/project/show/']").first)
    tang.sees(CUSTOMER)


# ------------------------------------------------------------------------------------------------------------- helpers
def find(person: Person, module: str, entry: str, text: str) -> None:
    """Open the first record of a list whose row says this."""
    person.go(module, entry)
    row = person.page.locator("main table tbody tr").filter(has_text=text).first
    person.follow(row.locator(f"a[href^='/{person.path.split('/')[1]}/show/']").first)


def row(person: Person, tab: str, text: str) -> None:
    """Open the record of the first row of one of the tabs that says this."""
    person.tab(tab)
    person.follow(person.page.locator("#tabs table tbody tr").filter(has_text=text).first.get_by_role("link").first)


def open_project(person: Person) -> None:
    """The project, by the menu and its list."""
    find(person, "担保办理", "担保项目", CUSTOMER)


def agree(person: Person) -> None:
    """Open the first task and agree to it."""
    person.open("/approvals/")
    person.follow(person.page.locator("main a[href^='/approvals/']").filter(has_text=CUSTOMER).first)
    person.page.get_by_label("审批意见").fill("同意，按制度办理")
    person.press("同意", within=person.page.locator(".dock"))
    person.sees("已同意")


def letter_is_pdf(person: Person) -> None:
    """The newest letter of the project opens as a PDF."""
    person.tab("银行函件")
    person.follow(person.page.locator("#tabs table tbody tr").last.get_by_role("link").first)
    url = person.control("打开文件").get_attribute("href")
    answer = person.page.context.request.get(f"{person.address}{url}")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")


USCC = "91320100MA1ABCDE3M"
STATEMENT = {
    "报表截止日": "2025-12-31", "货币资金": "7200000", "应收账款": "12000000", "存货": "10800000",
    "流动资产合计": "33000000",
    "固定资产": "24000000", "资产总额": "60000000", "短期借款": "10800000", "流动负债合计": "18900000",
    "负债总额": "27000000",
    "净资产": "33000000", "营业收入": "84000000", "营业成本": "67200000", "财务费用": "810000", "利润总额": "6300000",
    "所得税费用": "1260000", "净利润": "5040000", "经营活动现金流净额": "5544000",
}  # fmt: skip
STEPS = (
    customer_is_registered, customer_is_rated, application_is_submitted, project_is_evaluated, intent_is_declared,
    project_is_reviewed, board_resolves, fees_are_booked, contracts_are_reviewed, counter_guarantees_are_settled,
    fees_are_collected, bank_is_told_to_pay, loan_is_paid_out, books_lead_back_to_the_project,
)  # fmt: skip
