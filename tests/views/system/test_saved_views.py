"""Saved views (X14): kept, shared as far as one may, opened with the reader's own scope, told in words when gone."""

import html
import re
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, select

from models.guarantee.project import Project
from models.system.custom_field import CustomField, CustomKind
from models.system.saved_view import ListDefault, SavedView, ViewSharing

LIST = "/project/list/"
KEEP = "/project/keep_view"


@pytest.fixture(autouse=True)
def _no_views_left(demo):
    yield
    with demo.session() as session:
        session.execute(delete(SavedView))
        session.commit()


def kept(demo, name):
    with demo.session() as session:
        return session.scalars(select(SavedView).where(SavedView.name == name)).one_or_none()


def keep(demo, client, name, sharing="PERSONAL", **args):
    """Keep a view as the form over the list does; its address."""
    answer = demo.post(client, KEEP, name=name, sharing=sharing, **args)
    assert answer.status_code == 200, answer.text
    return answer.get_json()["url"]


def rows(page):
    return page.text.count('href="/project/show/')


def test_a_view_opens_with_what_was_kept_and_days_stay_relative(demo):
    chen = demo.client_of("chenli")
    asked_for = ["end_on:rel:next_400", "state:eq:IN_FORCE"]
    url = keep(demo, chen, "今年", f=asked_for, cols="number,end_on", order="-amount")
    asked = parse_qs(urlsplit(url).query)
    assert asked["f"] == asked_for
    assert (asked["order"], asked["cols"]) == (["-amount"], ["number,end_on"])
    page = chen.get(url)
    assert "未来 400 天（" in page.text
    assert 'aria-current="page">今年<' in page.text
    short = chen.get(f"/views/{asked['v'][0]}")
    assert (short.status_code, short.location) == (302, url)
    assert chen.get(f"{LIST}?v={asked['v'][0]}").location == url
    assert "已改动" not in page.text
    assert "已改动" in chen.get(f"{url}&f=amount:ge:1").text


def test_a_view_shares_no_rows(demo):
    """Who is sent it sees the own scope; export and REST ask for the same."""
    chen, zhou = demo.client_of("chenli"), demo.client_of("zhoumin")
    url = keep(demo, chen, "部门在保", "DEPARTMENT", f="state:eq:IN_FORCE")
    assert "部门在保" in zhou.get(LIST).text
    mine, all_of_it = zhou.get(url), chen.get(url)
    assert 0 < rows(mine) < rows(all_of_it)
    file = zhou.get(url.replace("/list/", "/export") + "&format=csv")
    assert file.status_code == 200
    assert len(file.text.strip().splitlines()) - 1 == rows(mine)
    assert "部门在保" not in demo.client_of("wujie").get(LIST).text, "of another department"


def test_who_may_not_share_keeps_it_for_oneself(demo):
    zhou = demo.client_of("zhoumin")
    refused = demo.post(zhou, KEEP, name="给大家", sharing="ALL", f="state:eq:IN_FORCE")
    assert (refused.status_code, "共享视图给全公司" in refused.text) == (403, True)
    url = keep(demo, zhou, "自己的", f="state:eq:IN_FORCE")
    assert "自己的" not in demo.client_of("chenli").get(LIST).text
    view = kept(demo, "自己的")
    assert demo.client_of("chenli").get(f"/views/{view.id}").status_code == 404
    assert rows(demo.client_of("chenli").get(url)) > 0, "the address itself asks for no right"
    changed = demo.post(
        zhou, f"/views/{view.id}/change", name="自己的", sharing="DEPARTMENT", version=view.version
    )
    assert changed.status_code == 403


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": ""}, "请填写视图名称"),
        ({"name": "长" * 31}, "最多 30 个字"),
        ({"name": "坏", "f": "nothing:eq:1"}, "没有这个字段"),
        ({"name": "坏", "rule": "没有 > 3"}, "高级条件无法识别"),
        ({"name": "坏", "sharing": "WORLD"}, "没有这个选项"),
        ({"name": "坏", "q": "长" * 900}, "条件或列过多"),
    ],
)
def test_what_makes_no_sense_is_refused_and_keeps_nothing(demo, sent, words):
    answer = demo.post(demo.client_of("chenli"), KEEP, **sent)
    assert (answer.status_code, words in answer.text) == (400, True)
    with demo.session() as session:
        assert session.scalars(select(SavedView)).all() == []


def test_a_view_is_changed_by_its_author_or_who_may_share_as_far(demo):
    chen, admin, zhou = (demo.client_of(name) for name in ("chenli", "admin", "zhoumin"))
    keep(demo, chen, "在保", "DEPARTMENT", f="state:eq:IN_FORCE")
    view = kept(demo, "在保")
    path, version = f"/views/{view.id}", view.version
    assert demo.post(zhou, f"{path}/drop", version=version).status_code == 403
    sent = {"name": "在保项目", "sharing": "PERSONAL", "version": version}
    assert demo.post(chen, f"{path}/change", **sent).status_code == 302
    stale = demo.post(chen, f"{path}/change", **sent)
    assert (stale.status_code, "已被他人修改" in stale.text) == (409, True)
    assert demo.post(admin, f"{path}/drop", version=version + 1).status_code == 404
    view = kept(demo, "在保项目")
    answer = demo.post(chen, KEEP, key=view.id, version=view.version, f="state:eq:DRAFT")
    assert answer.status_code == 200
    assert "state%3Aeq%3ADRAFT" in kept(demo, "在保项目").query
    assert demo.post(chen, f"{path}/copy").status_code == 302
    assert kept(demo, "在保项目 副本").sharing is ViewSharing.PERSONAL
    assert demo.post(chen, f"{path}/drop", version=view.version + 1).status_code == 302


def test_a_list_opens_with_the_view_of_the_role_unless_one_chose_otherwise(demo):
    admin, chen, zhou = (demo.client_of(name) for name in ("admin", "chenli", "zhoumin"))
    url = keep(demo, admin, "公司在保", "ALL", f="state:eq:IN_FORCE")
    view = kept(demo, "公司在保")
    sent = {"table": "project", "view": view.id, "role": "客户经理"}
    assert demo.post(chen, "/views/role", **sent).status_code == 403
    assert demo.post(admin, "/views/role", **sent).status_code == 302
    assert zhou.get(LIST).location == url
    assert chen.get(LIST).status_code == 200
    assert zhou.get(f"{LIST}?v=0").status_code == 200
    assert zhou.get(f"{LIST}?f=state:eq:DRAFT").status_code == 200
    assert demo.post(zhou, "/views/default", table="project", view="").status_code == 302
    assert zhou.get(LIST).status_code == 200
    assert demo.post(chen, "/views/default", table="project", view=view.id).status_code == 302
    assert chen.get(LIST).location == url
    with demo.session() as session:
        session.execute(delete(ListDefault))
        session.commit()


def test_a_pinned_view_stands_on_the_desktop_with_its_number_of_rows(demo):
    chen = demo.client_of("chenli")
    urls = [keep(demo, chen, f"视图{n}", f=f"amount:ge:{n}") for n in range(3)]
    keys = [parse_qs(urlsplit(url).query)["v"][0] for url in urls]
    demo.post(chen, "/desktop/", modules=["TASKS"])
    for key in keys[:2]:
        assert demo.post(chen, f"/views/{key}/pin").status_code == 302
    assert "/desktop/card/views" in chen.get("/").text
    with demo.statements() as few:
        card = chen.get("/desktop/card/views").text
    assert ("视图0" in card, "视图1" in card, "视图2" in card) == (True, True, False)
    assert f">{rows(chen.get(f'{urls[0]}&size=200'))}<" in card
    demo.post(chen, f"/views/{keys[2]}/pin")
    with demo.statements() as more:
        chen.get("/desktop/card/views")
    assert len(more) - len(few) <= 2, "one look at each"
    assert demo.post(chen, f"/views/{keys[0]}/unpin").status_code == 302
    assert "视图0" not in chen.get("/desktop/card/views").text


def test_a_view_of_a_field_that_is_gone_says_so(demo):
    chen = demo.client_of("chenli")
    with demo.session() as session:
        field = CustomField(table_name="project", code="seat", label="座位", kind=CustomKind.TEXT)
        session.add(field)
        session.commit()
        key = field.id
    url = keep(demo, chen, "有座位的", f="seat:filled:", cols="number,seat")
    assert chen.get(url).status_code == 200
    with demo.session() as session:
        session.execute(delete(CustomField).where(CustomField.id == key))
        session.commit()
    page = chen.get(url)
    assert (page.status_code, "没有这个字段" in page.text) == (400, True)
    assert "部分列不存在" in page.text
    assert rows(page) == 0


def test_filters_reach_linked_records_and_rows_within_right_and_scope(demo):
    chen, zhou, api = demo.client_of("chenli"), demo.client_of("zhoumin"), "/api/v1/project/"
    everything = rows(chen.get(LIST))
    with_loans = chen.get(f"{LIST}?f=has.drawdown:filled:&size=200")
    without = chen.get(f"{LIST}?f=has.drawdown:empty:&size=200")
    assert min(rows(with_loans), rows(without)) > 0
    assert everything <= rows(with_loans) + rows(without)
    found = chen.get(f"{api}?f=customer.grade:in:A,AA,AAA&f=has.drawdown.amount:ge:1").get_json()
    assert 0 < found["count"] <= rows(with_loans)
    assert zhou.get(f"{api}?f=manager_id.mobile:has:138").status_code == 400, (
        "masked, compared whole"
    )
    refused = zhou.get(f"{LIST}?f=has.voucher_entry:filled:")
    assert refused.status_code == 400
    offered = zhou.get("/project/filters").get_json()
    keys = {one["key"] for one in offered["fields"]}
    assert {"customer_id.grade", "has.drawdown", "has.drawdown.amount"} & keys
    assert not [key for key in keys if "voucher" in key], "no right to look at vouchers"


@pytest.mark.parametrize(
    ("by", "field"),
    [("state", Project.state), ("bank", Project.bank_id), ("applied_on.month", Project.applied_on)],
)
def test_a_list_in_groups_counts_and_sums_all_of_their_rows(demo, by, field):
    """Right whatever the page holds; each group opens its rows; the file is what the list shows."""
    admin = demo.client_of("admin")
    page = admin.get(f"{LIST}?group={by}&size=5")
    assert page.status_code == 200
    with demo.session() as session:
        wanted: dict[object, list[Decimal]] = {}
        for key, amount in session.execute(select(field, Project.amount)):
            name = f"{key:%Y-%m}" if by.endswith("month") and key else key
            wanted.setdefault(name, []).append(amount)
    file = admin.get(f"/project/export?group={by}&format=csv").text.strip().splitlines()
    lines = [line.split(",") for line in file[1:]]
    assert sorted((int(line[1]), Decimal(line[2])) for line in lines) == sorted(
        (len(amounts), sum(amounts)) for amounts in wanted.values()
    )
    drills = re.findall(
        r'<a href="(/project/list/\?[^"]*)"[^>]*>[^<]*</a></td><td class="num">(\d+)<', page.text
    )
    assert len(drills) == len(wanted)
    url, count = drills[0]
    assert rows(admin.get(html.unescape(url).replace("size=5", "size=200"))) == int(count)
    with demo.statements() as sent:
        admin.get(f"{LIST}?group={by}")
    assert len(sent) <= 40


def test_what_cannot_be_grouped_by_is_said_and_a_view_keeps_the_groups(demo):
    chen = demo.client_of("chenli")
    for by in ("amount", "nothing", "state.month", "applied_on"):
        assert "不能按这一字段分组" in chen.get(f"{LIST}?group={by}").text
    url = keep(demo, chen, "按阶段", group="stage")
    assert "group=stage" in url
    assert ">条数</th>" in chen.get(url).text.replace("\n", "")


def test_a_rule_in_words_narrows_a_list(demo):
    chen = demo.client_of("chenli")
    rule = "担保金额 > 200万"
    page = chen.get(LIST, query_string={"rule": rule, "size": 200})
    assert 0 < rows(page) < rows(chen.get(f"{LIST}?size=200"))
    assert "高级条件" in page.text
    beyond = chen.get(LIST, query_string={"rule": "存在 借据"})
    assert (beyond.status_code, "只有数据范围为“全部”" in beyond.text) == (400, True)
    assert chen.get("/api/v1/project/", query_string={"rule": rule}).get_json()["count"] == rows(
        page
    )


def test_the_order_of_a_list_is_remembered_until_everything_is_as_at_first(demo):
    chen = demo.client_of("chenli")
    assert demo.post(chen, "/settings/order/project", order="-amount").status_code == 200
    assert 'aria-sort="descending"' in chen.get(LIST).text
    assert demo.post(chen, "/settings/order/project", order="nothing").status_code == 400
    assert demo.post(chen, "/settings/columns/project", reset="1", next_reset=LIST).location == LIST
    assert 'aria-sort="descending"' not in chen.get(LIST).text
