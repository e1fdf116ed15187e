"""The workbench shows what a role can act on, and says so when nothing waits."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from views.kit.deadlines import lateness
from views.workbench.desktop import greeting


@pytest.mark.parametrize(
    ("utc_hour", "words"),
    [(0, "早上好"), (2, "上午好"), (5, "中午好"), (8, "下午好"), (12, "晚上好"), (18, "夜深了")],
)
def test_the_greeting_follows_the_clock_in_shanghai(utc_hour, words):
    assert greeting(datetime(2026, 11, 23, utc_hour, 30, tzinfo=UTC)) == words


def test_a_deadline_says_how_much_is_left_or_over():
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert lateness(None, now) is None
    assert lateness(now + timedelta(hours=5), now).text == "剩 5 小时"
    assert lateness(now + timedelta(minutes=30), now).text == "剩 30 分钟"
    late = lateness(now - timedelta(days=3), now)
    assert (late.text, late.tone) == ("超时 3 天", "bad")


def test_cards_follow_the_role(product):
    page = _desk(product, "clerk")
    assert "吴洁" in page
    assert "复核管理" in page
    assert "没有等待复核的业务" in page
    page = _desk(product, "manager")
    assert "名下还没有客户" in page
    assert "新建担保申请" in page
    assert "没有等待复核的业务" not in page


def _desk(product, name):
    """The workbench with every card that its page asks for once it stands."""
    browser = product.browser(name)
    page = browser.get("/").get_data(as_text=True)
    cards = sorted(set(re.findall(r"/desktop/card/\w+", page)))
    return page + "".join(browser.get(card).get_data(as_text=True) for card in cards)


def test_nobody_sees_the_workbench_without_signing_in(product):
    answer = product.app.test_client().get("/")
    assert answer.status_code == 302
    assert "/login/" in answer.location


def test_every_link_of_the_workbench_opens(product):
    for name in ("manager", "clerk", "admin", "cashier"):
        client = product.browser(name)
        page = client.get("/").get_data(as_text=True)
        desk = page[page.index('class="board') :]
        links = {part.split('"')[0] for part in desk.split('href="')[1:]}
        for link in sorted(link for link in links if link.startswith("/")):
            assert client.get(link.replace("&amp;", "&")).status_code == 200, (name, link)
