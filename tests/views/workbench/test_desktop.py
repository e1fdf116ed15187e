"""The desktop over a company that has lived a year: chosen modules, figures that open their rows, few queries."""

import re
from decimal import Decimal

import pytest

from models.system.organization import DesktopModule, Operator

LATER = re.compile(
    r'<section class="panel w\d+" data-key="\w+" data-later-url="([^"]+)".*?</section>', re.DOTALL
)


def get(demo, username, path):
    answer = demo.client_of(username).get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def page_of(demo, username, path="/"):
    """The page with its cards, each fetched by a request of its own as the browser does."""
    return LATER.sub(lambda place: get(demo, username, place[1]), get(demo, username, path))


def keys(page):
    """The cards in their order."""
    return re.findall(r'<section class="panel w\d+" data-key="(\w+)"', page)


def card(page, key):
    """The markup of one card."""
    return page.split(f'data-key="{key}"')[1].split("</section>")[0]


def count_of(page, key):
    found = re.search(r'</h2><b class="n">(\d+)</b>', card(page, key))
    return int(found.group(1))


def desktop_of(demo, username):
    with demo.session() as session:
        return session.query(Operator).filter_by(username=username).one().desktop


def arrange(demo, username, sent):
    client = demo.client_of(username)
    return client.post(
        "/desktop/arrange",
        json=sent,
        headers={"X-CSRFToken": demo.token(client), "Accept": "application/json"},
    )


def test_everybody_begins_with_every_module_they_may_use(demo):
    manager, clerk = keys(page_of(demo, "sunhao")), keys(page_of(demo, "tangxia"))
    assert manager[:3] == ["TASKS", "DUE", "WARNINGS"], "the wide column first"
    assert "CUSTOMERS" in manager
    assert "VOUCHERS" not in manager
    assert "VOUCHERS" in clerk
    assert "CUSTOMERS" not in clerk


def test_chosen_modules_and_their_order_stay_with_the_person(demo):
    before = page_of(demo, "zhaoqian")
    client = demo.client_of("zhaoqian")
    answer = demo.post(client, "/desktop/", modules=["DUE", "TASKS", "SHORTCUTS"])
    assert answer.status_code == 302
    assert keys(page_of(demo, "zhaoqian")) == ["TASKS", "DUE", "SHORTCUTS"]
    assert arrange(demo, "zhaoqian", {"keys": ["DUE", "TASKS", "SHORTCUTS"]}).status_code == 200
    demo.post(client, "/desktop/", modules=["TASKS", "DUE", "SHORTCUTS", "WARNINGS"])
    assert keys(page_of(demo, "zhaoqian")) == ["DUE", "TASKS", "WARNINGS", "SHORTCUTS"], (
        "new ones follow"
    )
    form = page_of(demo, "zhaoqian", "/desktop/")
    assert re.findall(r'checked[^>]*value="(\w+)"', form) == [
        "TASKS",
        "DUE",
        "WARNINGS",
        "SHORTCUTS",
    ]
    assert len(keys(before)) > 4
    assert desktop_of(demo, "linyifan") in ({}, None), "nobody else's desktop moved"


def test_dragging_neither_adds_nor_loses_a_module(demo):
    shown = keys(page_of(demo, "xujing"))
    assert shown[0] != "FEES"
    assert arrange(demo, "xujing", {"keys": ["FEES", "VOUCHERS"]}).status_code == 200
    moved = keys(page_of(demo, "xujing"))
    assert moved[0] == "FEES"
    assert sorted(moved) == sorted(shown)


@pytest.mark.parametrize(
    "sent", [{"keys": ["NO_SUCH"]}, {"keys": "TASKS"}, {"keys": [1]}, [], {}, None]
)
def test_an_order_of_nonsense_is_refused_in_words(demo, sent):
    before = desktop_of(demo, "linyifan")
    answer = arrange(demo, "linyifan", sent)
    assert answer.status_code == 400
    assert "请刷新页面后重试" in answer.get_json()["message"]
    assert desktop_of(demo, "linyifan") == before


def test_a_desktop_may_be_empty(demo):
    client = demo.client_of("qianwei")
    demo.post(client, "/desktop/")
    page = page_of(demo, "qianwei")
    assert keys(page) == []
    assert "桌面还是空的" in page
    demo.post(client, "/desktop/", modules=[module.name for module in DesktopModule])
    assert "BALANCE" in keys(page_of(demo, "qianwei"))


def total_of(demo, username, url):
    """How many rows the list behind a link counts."""
    page = page_of(demo, username, url.replace("&amp;", "&"))
    assert "无法识别" not in page, url
    found = re.search(r"共 ?(?:<b[^>]*>)?([\d,]+)", page)
    return int(found.group(1).replace(",", "")) if found else 0


@pytest.mark.parametrize("username", ["heping", "zhoumin"])
def test_figures_open_the_rows_they_count(demo, username):
    page = page_of(demo, username)
    line = page.split('class="stats"')[1].split("</div>")[0]
    stats = re.findall(r'href="(/(?:project|risk_warning)[^"]+)".*?<b[^>]*>(\d+)</b>', line)
    assert len(stats) == 3
    for url, figure in stats:
        assert total_of(demo, username, url) == int(figure), url
    stages = re.findall(
        r'href="(/project/list/[^"]+stage:eq[^"]+)"[^>]*>[^<]+</a></td><td[^>]*>(\d+)',
        card(page, "PROJECTS"),
    )
    assert sum(int(figure) for _, figure in stages) == count_of(page, "PROJECTS")
    for url, figure in stages[:2]:
        assert total_of(demo, username, url) == int(figure), url
    parts = re.findall(
        r'<a href="([^"]+product_id[^"]+)">', card(page, "STRUCTURE").split("legend")[1]
    )
    assert sum(total_of(demo, username, url) for url in parts) == int(stats[1][1])


@pytest.mark.parametrize("module", ["DUE", "OVERDUE", "FEES"])
def test_what_falls_due_is_listed_in_full(demo, module):
    page = page_of(demo, "heping")
    assert count_of(page, module) > 0
    full = page_of(demo, "heping", f"/desktop/{module.lower()}")
    assert keys(full) == [module]
    assert count_of(full, module) == count_of(page, module)
    amounts = re.findall(r'<td class="num[^"]*"[^>]*>([\d,]+\.\d\d)</td>', card(full, module))
    assert len(amounts) == count_of(page, module)
    total = re.search(r'push num strong">([\d,.]+) 元', card(page, module)).group(1)
    assert f"{sum(Decimal(a.replace(',', '')) for a in amounts):,}" == total
    mine = page_of(demo, "zhoumin", f"/desktop/{module.lower()}")
    assert 0 <= count_of(mine, module) < count_of(full, module)


def test_a_module_of_others_is_closed(demo):
    client = demo.client_of("zhoumin")
    assert client.get("/desktop/vouchers").status_code == 403
    assert client.get("/desktop/tasks").status_code == 404
    assert client.get("/desktop/nothing").status_code == 404
    assert client.get("/desktop/card/vouchers").status_code == 403
    assert client.get("/desktop/card/nothing").status_code == 404


def test_each_card_is_a_request_of_its_own(demo):
    """None waits for another: what the page itself reads is what stands in the line above."""
    client = demo.client_of("heping")
    with demo.statements() as sent:
        page = client.get("/").text
    urls = LATER.findall(page)
    assert len(urls) >= 5
    assert {
        "/desktop/card/due",
        "/desktop/card/overdue",
        "/desktop/card/fees",
        "/desktop/card/balance",
    } <= set(urls)
    heavy = (
        "FROM instalment",
        "FROM fee_due",
        "company_snapshot",
        "project_snapshot",
        "FROM product",
    )
    assert [words for words in sent if any(name in words for name in heavy)] == []
    for url in urls:
        with demo.statements() as sent:
            filled = client.get(url).text
        assert filled.lstrip().startswith("<section"), url
        assert f'data-key="{url.rpartition("/")[2].upper()}"' in filled
        assert "data-later-url" not in filled
        assert len([words for words in sent if not words.startswith(("BEGIN", "PRAGMA"))]) <= 14, (
            url
        )


def test_the_trend_is_drawn_for_each_width_and_opens_its_months(demo):
    drawn = card(page_of(demo, "heping"), "BALANCE")
    assert drawn.count("<svg") == 2
    assert "较上月末" in drawn
    assert 'href="/project/list/?f=state:eq:IN_FORCE"' in drawn


def test_the_workbench_asks_few_questions(demo):
    for username in ("heping", "zhoumin", "hejianguo", "tangxia", "lujun"):
        client = demo.client_of(username)
        client.get("/")
        with demo.statements() as sent:
            assert client.get("/").status_code == 200
        asked = [line for line in sent if not line.startswith(("BEGIN", "PRAGMA"))]
        assert len(asked) <= 25, (username, len(asked))


def test_the_report_on_exposure_shows_what_is_in_force_by_product_and_bank(demo):
    page = page_of(demo, "heping", "/report/exposure")
    banks = re.findall(r'href="(/project/list/[^"]+bank_id:eq[^"]+)"', card(page, "banks"))
    assert sum(total_of(demo, "heping", url) for url in dict.fromkeys(banks)) == total_of(
        demo, "heping", "/project/list/?f=state:eq:IN_FORCE"
    )
    assert 'aria-label="共' in card(page, "products")


def test_the_sign_in_page_bears_the_company(demo):
    page = demo.app.test_client().get("/login/").text
    assert "华衡融资担保" in page
    assert '<i class="seal">衡</i>' in page
