"""The front office over a company that has lived a year, as those who sit before it all day see it."""

import re

import pytest


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
    assert re.search(r'<td title="\d{4}-\d\d-\d\d 进入本阶段">[^<]+ <span class="muted small">\d+ 天</span>', page)


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
    found = client.get("/search?q=有限", headers={"Accept": "application/json"}).get_json()["result"]
    assert len(found) == 20
    assert {one["hint"].split(" · ")[0] for one in found} >= {"对公客户", "担保项目", "合同"}
    told = [one["text"] for one in found if one["id"].startswith("project")]
    assert told
    assert all("万元" in text and "有限公司" in text for text in told)
