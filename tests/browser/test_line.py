"""The whole line through the screens: one loan, all the people it takes, from the application to 已解保.

From the application on nobody uses a menu or types an address: 待办 and the page's next step lead everybody.
"""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.demo.people import BOARD, PEOPLE
from tests.browser.person import DESK, PHONE, Cast, Person

pytestmark = pytest.mark.browser
DATA = Path(__file__).parents[1] / "data"
CUSTOMER = "江州江南精密机械有限公司"
NAMES = {username: name for username, name, *_ in PEOPLE}
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def test_a_loan_from_the_customers_file_to_the_books(cast: Cast, tmp_path: Path) -> None:
    for step in BEFORE:
        step(cast, tmp_path)
    by_menu = {name: person.menus for name, person in cast.people.items()}
    for step in LINE:
        step(cast, tmp_path)
    assert {name: person.menus for name, person in cast.people.items() if person.menus} == {
        name: menus for name, menus in by_menu.items() if menus
    }, "the line is walked by 待办 and what the pages offer, never by a menu"
    assert len(cast.people) >= 13
    books_lead_back_to_the_project(cast, tmp_path)
    assert cast.faults == []


# --------------------------------------------------------------------------------------------------------- the customer
def customer_is_registered(cast: Cast, tmp: Path) -> None:
    """周敏 mistypes the credit code; the form says so at the field and keeps what she typed."""
    zhou = cast("周敏")
    zhou.go("客户管理", "对公客户")
    zhou.press("新增对公客户")
    zhou.fill(
        {
            "客户名称": CUSTOMER,
            "统一社会信用代码": "91320100MA1ABCDE30",
            "法定代表人": "江南",
            "实际控制人": "江南",
            "注册资本": "30,000,000",
            "实收资本": "30000000",
            "成立日期": "2015-06-18",
            "所属行业": "通用设备制造业",
            "企业规模": "小型企业",
            "经营范围": "精密机械的研发、生产与销售",
            "客户所属地区": "南京市",
            "注册地址": "江州市创业路 18 号",
            "联系电话": "13805101234",
            "企业性质": "民营企业",
            "联系人": "江南",
            "E-mail地址": "office@example.com",
            "通讯地址": "江州市创业路 18 号",
        }
    )
    zhou.refused(400, "保存")
    code = zhou.page.get_by_label("统一社会信用代码", exact=True)
    expect(code).to_have_attribute("aria-invalid", "true")
    zhou.sees("统一社会信用代码校验码不符")
    expect(code).to_have_value("91320100MA1ABCDE30")
    expect(zhou.page.get_by_label("客户名称", exact=True)).to_have_value(CUSTOMER)
    expect(zhou.page.get_by_label("经营范围", exact=True)).to_have_value(
        "精密机械的研发、生产与销售"
    )
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
    take(zheng, "等级复评")
    zheng.press("复评同意")
    zheng.sees("已复评同意")
    find(zhou, "客户管理", "对公客户", CUSTOMER)


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
    """The application from the customer's page, with its look-ups; it waits for its documents."""
    zhou = cast("周敏")
    zhou.press("申请担保")
    zhou.fill(
        {
            "产品": "流动资金",
            "合作银行": "工商",
            "担保金额": "5000000",
            "期限": "12",
            "贷款用途": "流动资金周转",
            "用途说明": "采购钢材",
            "贷款年利率": "4.35",
            "还款方式": "等额本息",
            "担保费率": "1.5",
            "银行分担比例": "20",
            "拟提供反担保": "厂房抵押、实际控制人保证",
            "B角": "孙浩",
        }
    )
    zhou.save()
    zhou.cannot("提交申请", "营业执照")
    for category, name in (("营业执照", "营业执照.pdf"), ("财务报表", "财务报表.pdf")):
        (tmp / name).write_bytes(_PDF)
        zhou.upload(category, tmp / name)
    zhou.press("提交申请")
    zhou.sees("申请已提交，进入受理评估")


def project_is_evaluated(cast: Cast, tmp: Path) -> None:
    """周敏 reports; 陈立, 何平 and (on his phone) 陆军 agree."""
    zhou = cast("周敏")
    take(zhou, "填写调查报告")
    zhou.press("填写保前调查报告")
    zhou.fill(
        {
            "实地调查日期": "2026-01-15",
            "调查地点": "厂区",
            "经营情况": "正常",
            "财务分析": "稳健",
            "还款来源": "销售回款",
            "反担保评价": "足值",
            "风险及防范": "下游集中，按季检查",
            "调查结论": "建议担保",
            "建议担保金额": "5000000",
            "建议期限": "12",
        }
    )
    zhou.save()
    zhou.press("提交评估审批")
    agree(cast("陈立"))
    agree(cast("何平"))
    agree(cast("陆军", PHONE))


def intent_is_declared(cast: Cast, tmp: Path) -> None:
    """The letter of intent is a PDF for the bank."""
    zhou = cast("周敏")
    take(zhou, "出具意向函")
    zhou.press("出具担保意向函")
    letter_is_pdf(zhou)


def project_is_reviewed(cast: Cast, tmp: Path) -> None:
    """马杰 reviews; 郑岚 assesses the risk, 何平 and 陆军 agree."""
    zhou = cast("周敏")
    take(zhou, "提交评审")
    zhou.press("提交评审审批")
    agree(cast("马杰"))
    zheng = cast("郑岚")
    take(zheng, "风险评估报告")
    zheng.press("填写风险评估报告")
    zheng.fill(
        {
            "客户资信": "27",
            "第一还款来源": "26",
            "反担保措施": "21",
            "合规与用途": "14",
            "主要风险": "下游集中",
            "控制措施": "按季检查",
            "风控意见": "同意提交审保会",
        }
    )
    zheng.save()
    zheng.press("提交风控审批")
    agree(cast("何平"))
    agree(cast("陆军"))


def board_resolves(cast: Cast, tmp: Path) -> None:
    """杨帆 calls the board, they vote, the result is announced, the president signs, the bank gets its letter."""
    yang = cast("杨帆")
    take(yang, "列入审保会议题")
    before = yang.interactions
    yang.press("召集审保会")
    yang.fill({"会议地点": "第一会议室", "主持人": "陆军"})
    yang.save("召集并开始表决")
    # What waits, who sits on the board, the day and the secretary are there already, however many they are.
    assert yang.interactions - before <= 8
    for username in BOARD:
        vote(cast(NAMES[username]))
    take(yang, "宣布表决结果", "")
    yang.press("宣布结果")
    agree(cast("何建国"))
    zhou = cast("周敏")
    take(zhou, "出具确认函")
    zhou.press("出具担保确认函")


def vote(member: Person) -> None:
    """The open vote stands among what waits for the member, who votes there and then."""
    take(member, "审保会表决")
    member.sees(CUSTOMER)
    member.press("同意", within=member.page.locator(".dock"))
    member.sees("已记录您的表决")


# ------------------------------------------------------------------------------------------------------ fees and papers
def fees_are_booked(cast: Cast, tmp: Path) -> None:
    """周敏 registers the fees, 吴洁 books them, three others take the vouchers to the ledger."""
    zhou = cast("周敏")
    take(zhou, "登记费用")
    zhou.press("按产品带出费用")
    zhou.cannot("提交费用记账", "担保费免征增值税，尚未填写免税备案或资料编号")
    zhou.open(str(zhou.control("提交费用记账").get_attribute("data-mend")))
    zhou.fill({"免税备案或资料编号": "免税备查-001"})
    zhou.save()
    take(zhou, "登记费用")
    zhou.press("提交费用记账")
    zhou.sees("费用已送复核记账")
    book_everything(cast)


def book_everything(cast: Cast) -> None:
    """吴洁 takes what waits in 复核; 石慧 reviews, 罗娜 signs what touches cash, 唐霞 posts."""
    while take_if_any(cast("吴洁"), "复核记账"):
        cast("吴洁").press("记账")
        cast("吴洁").sees("已生成凭证")
    for name, what, verb in (
        ("石慧", "凭证审核", "审核"),
        ("罗娜", "出纳签字", "出纳签字"),
        ("唐霞", "凭证记账", "记账"),
    ):
        while take_if_any(cast(name), what):
            cast(name).press(verb)


def contracts_are_reviewed(cast: Cast, tmp: Path) -> None:
    """The contracts come from the templates and wait for the bank's number; 刘文 reads what he agrees to."""
    zhou = cast("周敏")
    take(zhou, "办理合同")
    zhou.press("生成合同")
    row(zhou, "合同", "委托担保合同")
    zhou.cannot("提交合同审核", "主合同编号")
    zhou.press("修改")
    zhou.fill({"主合同编号": "JK2026-0115"})
    zhou.save()
    zhou.press("提交合同审核")
    row(zhou, "合同", "保证合同")
    zhou.press("提交合同审核")
    for _ in range(2):
        agree(cast("刘文"), reads=("合同文本（样稿）", "JK2026-0115", "第一条"))


def counter_guarantees_are_settled(cast: Cast, tmp: Path) -> None:
    """A plant and a surety, each with a contract of its own that 刘文 reviews; 何平 agrees."""
    zhou = cast("周敏")
    for values in (
        {
            "方式": "抵押",
            "反担保物种类": "厂房",
            "反担保物 / 保证人": "创业路 18 号厂房",
            "权证号码": "苏（2026）第 1 号",
            "评估值": "10000000",
            "抵押率": "60",
        },
        {"方式": "保证", "反担保物 / 保证人": "江南夫妇"},
    ):
        take(zhou, "登记反担保")
        zhou.tab("反担保")
        zhou.press("新增反担保")
        zhou.fill(values)
        zhou.save()
    take(zhou, "登记反担保")
    zhou.press("生成反担保合同")
    for _ in range(2):
        row(zhou, "合同", "草稿")
        zhou.press("提交合同审核")
    for _ in range(2):
        agree(cast("刘文"), reads=("合同文本（样稿）", "JK2026-0115"))
    take(zhou, "登记反担保")
    zhou.press("提交反担保审核")
    agree(cast("何平"))


def fees_are_collected(cast: Cast, tmp: Path) -> None:
    """罗娜 takes the money for three fees with one receipt; it goes through 复核 into the books."""
    luo = cast("罗娜")
    take(luo, "担保费收款")
    before = luo.interactions
    luo.press("连同其他费用收款")
    luo.fill({"收款账户": "中国工商银行江州分行 1102 0200"})
    luo.save("连同其他费用收款")
    assert luo.interactions - before <= 5
    luo.sees("已登记收款")
    expect(luo.page.locator("#tabs table tbody tr")).to_have_count(3)
    book_everything(cast)


# --------------------------------------------------------------------------------------------------------- the drawdown
def bank_is_told_to_pay(cast: Cast, tmp: Path) -> None:
    """The button stays shut, and says why, until 方圆 has settled the counter-guarantees."""
    zhou = cast("周敏")
    take(zhou, "开具放款通知")
    zhou.cannot("开具放款通知单", "创业路 18 号厂房")
    expect(zhou.page.locator(".gate li.no")).to_contain_text("反担保已落实")
    fang = cast("方圆")
    for name in ("创业路 18 号厂房", "江南夫妇"):
        take(fang, "反担保落实", name)
        fang.press("登记落实")
        fang.fill({"落实依据": "不动产登记证明已取得"})
        fang.save("登记落实")
    take(zhou, "开具放款通知")
    expect(zhou.page.locator(".gate li.no")).to_have_count(0)
    zhou.press("开具放款通知单")
    letter_is_pdf(zhou)


def loan_is_paid_out(cast: Cast, tmp: Path) -> None:
    """The plan comes from the bank's own file: that of another loan is refused, and so is a wrong day."""
    zhou = cast("周敏")
    take(zhou, "放款确认")
    zhou.press("放款确认")
    zhou.fill({"放款日期": "2026-01-14"})
    zhou.page.keyboard.press("Tab")
    form = zhou.page.locator("form#form")
    expect(form.get_by_label("到期日期", exact=True)).to_have_value("2027-01-14")  # it follows
    zhou.fill(
        {
            "放款日期": "2026-01-15",  # the due day follows on leaving it, so it is typed two fields later
            "银行借据号": "JJ2026791514",
            "到期日期": "2027-01-14",
            "银行还款计划表": str(DATA / "bank_repayment_plan_b.xlsx"),
        }
    )
    zhou.refused(400, "预览")
    expect(zhou.page.locator(".has-error")).not_to_have_count(0)
    zhou.fill({"银行还款计划表": str(DATA / "bank_repayment_plan_a.xlsx")})
    zhou.refused(400, "预览")
    zhou.sees("已选“bank_repayment_plan_a.xlsx”")
    zhou.fill({"到期日期": "2027-01-15"})
    zhou.save("预览")
    zhou.sees("银行文件“bank_repayment_plan_a.xlsx”，共 12 期")
    zhou.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    plan = zhou.page.locator("[data-key=plan]")
    assert plan.bounding_box()["y"] < form.bounding_box()["y"]  # type: ignore[index]
    zhou.page.set_viewport_size(DESK)  # type: ignore[arg-type]
    zhou.save("放款确认")
    zhou.sees("已放款，项目进入在保")
    book_everything(cast)


# --------------------------------------------------------------------------------------------------------- the release
def loan_is_settled_early(cast: Cast, tmp: Path) -> None:
    """The bank confirms that all is repaid before its dates: 周敏 stands on the project's page."""
    zhou = cast("周敏")
    zhou.press("提前结清")
    expect(zhou.page.locator("form#form").get_by_label("还本金额", exact=True)).to_have_value(
        "5,000,000.00"
    )
    zhou.save("提前结清")
    zhou.sees("已登记提前结清")


def project_is_released(cast: Cast, tmp: Path) -> None:
    """Those whom the flow asks agree, the deposit goes back through 复核, and the project has ended."""
    zhou = cast("周敏")
    take(zhou, "申请解保")
    zhou.press("申请解保")
    zhou.save("申请解保")
    zhou.sees("已提交解保审批")
    for name in RELEASED_BY:
        agree(cast(name))
    book_everything(cast)
    zhou.follow(zhou.page.locator("main a[href^='/project/show/']").first)
    expect(zhou.page.locator("h1 + .status, .row-flex .status").first).to_have_text("已解保")


# ----------------------------------------------------------------------------------------------------------- the books
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
    person.follow(
        person.page.locator("#tabs table tbody tr")
        .filter(has_text=text)
        .first.get_by_role("link")
        .first
    )


def take(person: Person, what: str, about: str = CUSTOMER) -> None:
    """Open, by the bell, what waits for a person and is about this."""
    assert take_if_any(person, what, about), f"nothing waits under “{what}” about “{about}”"


def take_if_any(person: Person, what: str, about: str = "") -> bool:
    """Likewise, where there is any."""
    person.follow(person.page.locator("header a[aria-label^='待办事项']"))
    lines = person.page.locator("main table tbody tr").filter(
        has=person.page.get_by_text(what, exact=True)
    )
    lines = lines.filter(has_text=about)
    if lines.count():
        person.follow(lines.first.get_by_role("link").first)
        return True
    return False


def agree(person: Person, reads: tuple[str, ...] = ()) -> None:
    """Open the first decision that waits, read what it is about, and agree to it."""
    person.follow(person.page.locator("header a[aria-label^='待办事项']"))
    person.follow(
        person.page.locator("main a[href^='/approvals/']").filter(has_text=CUSTOMER).first
    )
    for text in reads:
        person.sees(text)
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
    "报表截止日": "2025-12-31",
    "货币资金": "7200000",
    "应收账款": "12000000",
    "存货": "10800000",
    "流动资产合计": "33000000",
    "固定资产": "24000000",
    "资产总额": "60000000",
    "短期借款": "10800000",
    "流动负债合计": "18900000",
    "负债总额": "27000000",
    "净资产": "33000000",
    "营业收入": "84000000",
    "营业成本": "67200000",
    "财务费用": "810000",
    "利润总额": "6300000",
    "所得税费用": "1260000",
    "净利润": "5040000",
    "经营活动现金流净额": "5544000",
}
RELEASED_BY = ("陈立", "何平")
BEFORE = (customer_is_registered, customer_is_rated)
LINE = (
    application_is_submitted,
    project_is_evaluated,
    intent_is_declared,
    project_is_reviewed,
    board_resolves,
    fees_are_booked,
    contracts_are_reviewed,
    counter_guarantees_are_settled,
    fees_are_collected,
    bank_is_told_to_pay,
    loan_is_paid_out,
    loan_is_settled_early,
    project_is_released,
)
