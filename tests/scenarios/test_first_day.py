"""A new company's first day in production: from `create-admin` to a project handed in, by screens alone."""

import re
from io import BytesIO

import pytest
from sqlalchemy import func, select

from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.project import Project, ProjectState
from reports.figures import rights
from tests.product import Product
from tests.screen_forms import fill, options, selects

BEGINS_WITH = "installed"
FIRST, OWN = "Qwer!2345678", "Begin@2026x"
# number, name, roles: every duty of reports.system.preparation has somebody
STAFF = (
    ("zhoumin", "周敏", ["客户经理"]),
    ("sunhao", "孙浩", ["客户经理"]),
    ("zhenglan", "郑岚", ["风控专员"]),
    ("yangfan", "杨帆", ["审保会秘书"]),
    ("heping", "何平", ["审保会委员"]),
    ("wujie", "吴洁", ["会计"]),
    ("shihui", "石慧", ["财务主管"]),
    ("luona", "罗娜", ["出纳"]),
)


@pytest.fixture(scope="module")
def product(db_url, tmp_path_factory):
    product = Product(db_url, tmp_path_factory.mktemp("data"))
    product.app.config["RATELIMIT_ENABLED"] = False
    with product.app.app_context():
        words = ["create-admin", "--username", "boss", "--name", "老板", "--password", FIRST]
        ran = product.app.test_cli_runner().invoke(args=words)
    assert ran.exit_code == 0, ran.output
    assert "系统管理员、安全管理员" in ran.output
    assert "由 老板 维护" in ran.output
    yield product
    product.close()


def begun(product, username):
    """The browser of somebody who has signed in for the first time and chosen a password."""
    client = product.app.test_client()
    ok(fill(client, "/login/", username=username, password=FIRST))
    ok(fill(client, "/password/", old_password=FIRST, password=OWN, again=OWN))
    return client


def ok(answer):
    assert answer.status_code == 302, re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))
    )
    return answer.headers["Location"]


def shown(client, path):
    page = client.get(path)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.get_data(as_text=True)))


def number_of(location):
    return re.search(r"/show/(\d+)", location).group(1)


@pytest.fixture(scope="module")
def boss(product):
    return begun(product, "boss")


def test_the_desk_leads_to_what_is_to_be_prepared(boss):
    assert 'href="/preparation/"' in boss.get("/").get_data(as_text=True)
    page = shown(boss, "/preparation/")
    assert "还没有人可以：" in page
    assert "还没有人员：评估审批岗" in page
    assert "净资产为 0" in page
    assert "目前没有人有这项权限，请联系老板（安全管理员）分配" in page


@pytest.fixture(scope="module")
def staff(product, boss):
    """Company, department, people, their sign-ins and positions, as 开业准备 lists them."""
    ok(
        fill(
            boss,
            "/company/edit/1",
            full_name="江州融资担保有限公司",
            legal_person="老板",
            address="江州市1号",
        )
    )
    department = number_of(
        ok(fill(boss, "/department/add", code="01", name="业务一部", parent_id="1"))
    )
    people = {}
    for username, name, roles in STAFF:
        people[username] = number_of(
            ok(fill(boss, "/employee/add", number=username, name=name, department_id=department))
        )
        ok(
            fill(
                boss,
                "/operator/add",
                employee_id=people[username],
                username=username,
                password=FIRST,
                roles=roles,
            )
        )
    listed = boss.get("/approval_position/list/?size=100").get_data(as_text=True)
    for position in sorted(set(re.findall(r"/approval_position/show/(\d+)", listed))):
        ok(
            fill(
                boss,
                "/approval_position_member/add",
                position_id=position,
                employee_id=people["heping"],
            )
        )
    parameters = boss.get("/parameter/list/?q=净资产（留空取总账）").get_data(as_text=True)
    parameter = re.search(r"/parameter/show/(\d+)", parameters).group(1)
    ok(fill(boss, f"/parameter/edit/{parameter}", value="100000000"))
    return people


def test_a_refusal_names_who_may(product, staff, boss):
    cashier = begun(product, "luona")
    for path, who in (
        ("/operator/add", "可联系：老板（安全管理员）"),
        ("/opening/", "可联系：石慧（财务主管）"),
        ("/partner_bank/add", "可联系：老板（系统管理员）"),
    ):
        answer = cashier.get(path)
        assert answer.status_code == 403
        told = re.findall("可联系：[^<]*", answer.get_data(as_text=True))
        assert [who] == told, path
    answer = cashier.get("/operator/add", headers={"Accept": "application/json"})
    assert answer.get_json()["message"].endswith("可联系：老板（安全管理员）")


def test_what_nobody_may_is_said_too(product, staff, boss):
    """Whoever gives rights is named then."""
    with product.session() as session:
        said = rights.whom_to_ask(session, "export", "nothing_of_the_kind")
    assert said == "目前没有人有这项权限，请联系老板（安全管理员）分配"


def test_the_first_project_is_handed_in_by_screens_alone(product, staff, boss):
    manager, risk = begun(product, "zhoumin"), begun(product, "zhenglan")
    ok(fill(boss, "/partner_bank/add", code="ICBC", name="中国工商银行江州分行"))
    assert ">待办<" not in boss.get("/preparation/").get_data(as_text=True)
    assert 'href="/preparation/"' not in re.search(
        r"<main.*</main>", boss.get("/").get_data(as_text=True), re.DOTALL
    ).group(0)
    known = {
        name: options(manager, "/personal_customer/add", name)[0]
        for name in (
            "political_status",
            "ethnic_group",
            "marriage",
            "education",
            "health",
            "degree",
            "household",
            "residence",
        )
    }
    ok(
        fill(
            manager,
            "/personal_customer/add",
            name="张三",
            id_number="11010519491231002X",
            gender="FEMALE",
            mobile="13800138000",
            address="江州市滨江区1号",
            region="320000",
            postcode="214000",
            email="a@b.cn",
            home_phone="0510-85551234",
            office_phone="0510-85551234",
            **known,
        )
    )
    work, money = (
        "/occupation/add?personal_customer_id=1",
        "/income_expense/add?personal_customer_id=1",
    )
    ok(
        fill(
            manager, work, employer="江州纺织厂", occupation=options(manager, work, "occupation")[0]
        )
    )
    ok(
        fill(
            manager,
            money,
            main_income_source=options(manager, money, "main_income_source")[0],
            monthly_income="20000",
            household_monthly_income="30000",
            household_size="3",
            dependants="1",
            household_monthly_expense="8000",
            monthly_debt_service="0",
            household_assets="3000000",
            household_debts="100000",
        )
    )
    rating = "/do/personal_customer/1/rate"
    answers = {name: options(manager, rating, name)[0] for name in selects(manager, rating)}
    ok(fill(manager, rating, opinion="资料齐全，同意", **answers))
    ok(product.post(risk, "/do/customer_rating/1/confirm", version="1"))
    project = number_of(
        ok(
            fill(
                manager,
                "/project/add",
                customer_id="1",
                product_id="6",
                bank_id="1",
                amount="300000",
                term_months="12",
                purpose="BUSINESS",
                rate_annual_pct="4.35",
                fee_rate_pct="1.5",
                counter_offer="第三人保证",
                assistant_id=staff["sunhao"],
            )
        )
    )
    paper = (BytesIO(b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n"), "身份证.pdf")
    ok(
        product.post(
            manager, f"/attachment/upload/project/{project}", file=paper, category="ID_COPY"
        )
    )
    ok(product.post(manager, f"/do/project/{project}/submit", version="1"))
    with product.session() as session:
        assert session.scalar(select(func.count(Customer.id))) == 1
        assert session.scalar(select(func.count(PartnerBank.id))) == 1
        assert session.get_one(Project, int(project)).state is ProjectState.RUNNING
    assert product.crashes == []
