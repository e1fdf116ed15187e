"""The front office over a company that has lived a year, as those who sit before it all day see it."""

import re
from io import BytesIO

import pytest
from sqlalchemy import select

from models.guarantee.project import Project, ProjectState, Stage
from models.system.organization import Employee, Operator


def page_of(demo, username, path):
    answer = demo.client_of(username).get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def lit(page):
    """The lit module and entry of the menu."""
    side = page.split('id="side"')[1].split("</nav>")[0]
    module = re.findall(r'<li class="active open"><a href="[^"]*" title="([^"]+)"', side)
    return module, re.findall(r'<li class="active"><a [^>]*aria-current="page"><span>([^<]+)', side)


def test_each_tab_of_the_project_list_shows_as_many_as_it_says(demo_app):
    page = page_of(demo_app, "zhoumin", "/project/list/")
    bar = page.split('<ul class="tabs">')[1].split("</ul>")[0]
    tabs = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+) <b class="n">(\d+)</b>', bar)
    assert [label for _, label, _ in tabs] == ["全部", "办理中", "在保", "30 天内到期", "已结束"]
    for url, label, count in tabs:
        shown = page_of(demo_app, "zhoumin", url.replace("&amp;", "&"))
        assert re.search(rf'class="active"><a [^>]*aria-current="page">{label}', shown), label
        assert f"共 {count} 条" in shown, label
    assert re.search(
        r'<td title="\d{4}-\d\d-\d\d 进入本阶段">[^<]+ <span class="muted small">\d+ 天</span>',
        page,
    )


@pytest.mark.parametrize(
    ("path", "module", "entry"),
    [
        ("/shareholder/add?owner=1", "客户管理", "对公客户"),
        ("/do/project/12/release", "担保办理", "担保项目"),
        ("/customer/list/", "客户管理", "全部客户"),
        ("/desktop/", "我的工作台", "快捷桌面"),
        ("/approval_instance/list/", "业务查询", "审批单"),
    ],
)
def test_the_menu_says_where_one_is(demo_app, path, module, entry):
    assert lit(page_of(demo_app, "zhoumin", path)) == ([module], [entry])


def test_every_entry_of_the_menu_opens(demo_app):
    for username in ("zhoumin", "yangfan", "hejianguo", "fangyuan"):
        client = demo_app.client_of(username)
        side = client.get("/").text.split('id="side"')[1].split("</nav>")[0]
        for url in set(re.findall(r'href="([^"]+)"', side)):
            assert client.get(url, follow_redirects=True).status_code == 200, (username, url)


def test_a_search_finds_every_kind_and_says_what_it_found(demo_app):
    client = demo_app.client_of("heping")
    found = client.get("/search?q=有限", headers={"Accept": "application/json"}).get_json()[
        "result"
    ]
    assert len(found) == 20
    assert {one["hint"].split(" · ")[0] for one in found} >= {"对公客户", "担保项目", "合同"}
    told = [one["text"] for one in found if one["id"].startswith("project")]
    assert told
    assert all("万元" in text and "有限公司" in text for text in told)


def feed(page):
    """最近动态 as (who, words) in its order, the newest first."""
    lines = page.split('data-key="recent"')[1].split("</ul>")[0].split("<li>")[1:]
    texts = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", line)).strip() for line in lines]
    return [text.split(" ", 3)[2:] for text in texts]


def number_of(demo, stage, **facts):
    """A project of 周敏's at a stage."""
    with demo.session() as session:
        manager = session.scalars(select(Employee.id).where(Employee.name == "周敏")).one()
        query = select(Project.id).where(Project.stage == stage, Project.manager_id == manager)
        return session.scalars(query.filter_by(**facts).order_by(Project.id.desc())).first()


def pages_between(demo, first, last):
    """The pages of projects under way at these stages, as their managers see them."""
    stages = list(Stage)[first.rank : last.rank + 1]
    with demo.session() as session:
        query = select(Operator.username, Project.id).join(
            Project, Project.manager_id == Operator.employee_id
        )
        found = session.execute(
            query.where(Project.stage.in_(stages), Project.state == ProjectState.RUNNING)
        ).all()
    return [page_of(demo, username, f"/project/show/{key}") for username, key in found]


def test_recent_deeds_read_as_a_colleague_tells_them(demo_app):
    released = feed(
        page_of(demo_app, "zhoumin", f"/project/show/{number_of(demo_app, Stage.RELEASE)}")
    )
    words = " ".join(text for _, text in released)
    assert "解保审批同意：“" in words
    assert re.search(
        r"登记还款：本金 [\d,.]+ 元，利息 [\d,.]+ 元，回执 HKHZ\S+ 在保余额 [\d,.]+ → 0.00", words
    )
    pages = pages_between(demo_app, Stage.FEE_PLAN, Stage.NOTICE)
    told = [text for page in pages for _, text in feed(page)]
    sentences = (
        r"形成公司决议 JY.*",
        r"出具担保确认函 \S+，转入费用登记",
        r"反担保审核同意：“.*”，转入费用收取",
    )
    assert [
        words for words in sentences if not any(re.fullmatch(words, text) for text in told)
    ] == []
    assert "更新" not in " ".join(told), "no line of a log is left"
    paper = r'<a class="key" href="/(bank_letter|contract|counter_guarantee|resolution)/show/\d+">'
    assert re.search(paper, " ".join(pages))


def test_a_changed_amount_is_told_old_and_new_and_a_file_by_its_name(demo):
    client, project = (
        demo.client_of("zhoumin"),
        number_of(demo, Stage.APPLY, state=ProjectState.DRAFT),
    )
    form = client.get(f"/project/edit/{project}").text
    values = dict(re.findall(r'<input[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', form))
    values |= dict(
        re.findall(r'<select[^>]*?name="(\w+)".*?<option selected value="([^"]+)"', form, re.DOTALL)
    )
    values["counter_offer"] = re.search(
        r'<textarea[^>]*name="counter_offer"[^>]*>\s*([^<]*)', form
    ).group(1)
    old = values["amount"]
    # boxes that are not ticked
    values = {name: value for name, value in values.items() if not name.startswith("is_")}
    answer = demo.post(client, f"/project/edit/{project}", **values | {"amount": "680000"})
    assert answer.status_code == 302, answer.text
    assert [
        "周敏",
        f"修改担保项目 {values_number(demo, project)} 担保金额 {old} → 680,000.00",
    ] in feed(client.get(f"/project/show/{project}").text)
    pdf = (BytesIO(b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n"), "厂房照片.pdf")
    assert demo.post(client, f"/attachment/upload/project/{project}", file=pdf).status_code == 302
    page = client.get(f"/project/show/{project}").text
    assert feed(page)[0] == ["周敏", "上传 厂房照片.pdf"]
    assert f'href="/project/show/{project}?tab=files#tabs">上传 厂房照片.pdf' in page


def values_number(demo, project):
    with demo.session() as session:
        return session.get_one(Project, project).number
