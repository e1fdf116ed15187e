"""Lists: columns, filters, search, sort, paging and sums from the address; nothing of it ever breaks the page."""

import re
from datetime import date
from decimal import Decimal

import pytest

from models.guarantee.product import GuaranteeKind, Product
from models.ledger.account import Direction
from models.ledger.statement import StatementKind, StatementRow
from models.system.organization import Employee
from models.system.setup import Parameter, ValueKind

STRANGE = [
    "page=abc",
    "page=-1",
    "page=0",
    "page=99999999999999999999",
    "size=999999",
    "size=abc",
    "size=-5",
    "order=unknown",
    "order=-",
    "order=--name",
    "order=manager",
    "f=garbage",
    "f=",
    "f=:::",
    "f=name:eq",
    "f=name:nope:1",
    "f=id:eq:abc",
    "f=parent_id:eq:99999999999999999999",
    "f=parent_id:in:,,,",
    "f=is_active:eq:perhaps",
    "f=name:has:%00",
    "q=%00",
    "q=%FF%FE",
    "f=%FF%FE:eq:1",
    "q=" + "长" * 5000,
    "f=name:eq:" + "x" * 5000,
    "cols=a,b,c",
    "cols=" + "x," * 3000,
    "cols=",
    "f=rank:between:",
    "f=rank:between:..",
    "f=rank:ge:1e999",
    "f=rank:eq:99999999999",
    "page=1.5",
    "%00=%00",
    "page=٣",
    "f=rank:eq:１２",
]


@pytest.fixture(scope="module", autouse=True)
def parameters(world, house):
    """Enough rows for three pages."""
    world.add(
        *(
            Parameter(
                code=f"P{number:03d}",
                label=f"参数{number}",
                value=str(number),
                effective_on=date(2026, 1, 1 + number % 28),
                value_kind=ValueKind.DAYS if number % 2 else ValueKind.TEXT,
                note="甲%乙" if number == 7 else None,
            )
            for number in range(45)
        )
    )


def page(client, address):
    """The text of a list that is there."""
    response = client.get(address)
    assert response.status_code == 200, response.get_data(as_text=True)[:500]
    return response.get_data(as_text=True)


@pytest.mark.parametrize("query", STRANGE)
def test_strange_addresses_are_answered(boss, query):
    assert boss.get(f"/department/list/?{query}").status_code in {200, 400, 404}


def test_what_makes_no_sense_is_named(boss):
    text = page(boss, "/department/list/?page=abc&order=unknown&size=999999&cols=name,nothing")
    for words in ("页码无效", "不能按这一列排序", "每页行数最大为 200", "部分列不存在"):
        assert words in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("f=garbage", "筛选条件“garbage”无法识别（没有这个字段）"),
        ("f=mobile:has:138", "没有这个操作符"),
        ("f=department_id:in:" + ",".join(map(str, range(1, 102))), "最多 100 个选项"),
        ("f=entered_on:rel:some_day", "时间段应写作"),
        ("f=department_id.nothing:eq:1", "没有这个字段"),
        ("f=has.nothing:filled:", "没有这种明细"),
        ("rule=" + "是" * 301, "高级条件最长 300 个字"),
        ("rule=没有的字段 > 3", "高级条件无法识别"),
    ],
)
def test_what_cannot_be_read_is_refused_on_every_door_and_shows_no_row(boss, query, words):
    """Rows of a filter that was left out would be taken for those that were asked for."""
    screen = boss.get(f"/employee/list/?{query}")
    assert (screen.status_code, words in screen.text) == (400, True)
    assert "张明远" not in screen.text
    for door in ("/api/v1/employee/", "/employee/export", "/employee/sums"):
        answer = boss.get(f"{door}?{query}")
        said = answer.get_json()["message"] if answer.is_json else answer.text
        assert (answer.status_code, words in said) == (400, True), door


def test_the_page_beyond_the_last_shows_the_last(boss):
    text = page(boss, "/parameter/list/?page=99")
    assert "共 3 页，已显示最后一页" in text
    assert "P044" in text


def test_pages_hold_every_row_once(boss):
    seen = [
        code
        for number in (1, 2, 3)
        for code in _codes(page(boss, f"/parameter/list/?page={number}&order=module"))
    ]
    assert sorted(seen) == [f"P{number:03d}" for number in range(45)]


def _codes(text):
    return [part.split("<")[0] for part in text.split(">") if part.startswith("P0")]


def test_sort_goes_both_ways(boss):
    assert _codes(page(boss, "/parameter/list/?order=code"))[0] == "P000"
    assert _codes(page(boss, "/parameter/list/?order=-code"))[0] == "P044"


def test_empty_values_come_last_whichever_way_it_sorts(boss):
    """SQLite takes NULL for the smallest value, PostgreSQL for the largest: the reader of either sees the same list."""
    for order in ("note", "-note"):
        assert _codes(page(boss, f"/parameter/list/?order={order}"))[0] == "P007", order


def test_a_default_order_may_name_several_columns(boss, world):
    sheet = StatementKind.BALANCE_SHEET
    rows = [(StatementKind.INCOME, 1, "甲"), (sheet, 2, "乙"), (sheet, 1, "丙")]
    world.add(
        *(
            StatementRow(statement=s, row_no=n, label=f"行{x}", side=Direction.DEBIT)
            for s, n, x in rows
        )
    )
    assert re.findall(r"行[甲乙丙]", page(boss, "/statement_row/list/")) == ["行丙", "行乙", "行甲"]
    assert re.findall(r"行[甲乙丙]", page(boss, "/statement_row/list/?order=-row_no"))[0] == "行乙"


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("code:eq:P007", 1),
        ("code:ne:P007", 44),
        ("label:has:参数1", 11),
        ("code:starts:P01", 10),
        ("note:has:甲%25", 1),
        ("note:has:%25", 1),
        ("note:filled:", 1),
        ("note:empty:", 44),
        ("effective_on:le:2026-01-03", 6),
        ("effective_on:ge:2026-01-27", 2),
        ("effective_on:between:2026-01-02..2026-01-03", 4),
        ("effective_on:between:2026-01-27..", 2),
        ("value_kind:eq:DAYS", 22),
        ("value_kind:in:DAYS,TEXT", 45),
        ("value_kind:eq:天数", 22),
        ("value_kind:ne:DAYS", 23),
        ("effective_on:rel:this_year", 45),
        ("effective_on:rel:last_300", 1),
    ],
)
def test_filters(boss, condition, count):
    text = page(boss, f"/parameter/list/?f={condition}")
    assert f"共 {count} 条" in text.replace("\n", "")


def test_a_rate_is_filtered_with_all_its_places(boss, world):
    for number, rate in enumerate(("1.2345", "1.2346", "2")):
        world.add(
            Product(
                code=f"R{number}",
                name=f"产品{number}",
                guarantee_kind=GuaranteeKind.LOAN,
                fee_rate_pct=Decimal(rate),
                amount_max=Decimal(1000000),
                months_max=12,
            )
        )
    for condition, count in (("eq:1.2345", 1), ("ge:1.2346%25", 2), ("between:1.2345..1.2346", 2)):
        assert f"共 {count} 条" in page(boss, f"/product/list/?f=fee_rate_pct:{condition}").replace(
            "\n", ""
        )


def test_a_chip_says_the_filter_in_words_and_takes_itself_away(boss):
    text = page(boss, "/parameter/list/?f=value_kind:eq:DAYS&f=code:starts:P01&size=10")
    assert "值类型 等于" in text
    assert "天数" in text
    assert 'href="/parameter/list/?size=10&amp;f=code%3Astarts%3AP01"' in text


def test_search_finds_two_characters(boss):
    assert "共 1 条" in page(boss, "/parameter/list/?q=参数44")


def test_the_column_chooser_keeps_its_order(boss):
    text = page(boss, "/parameter/list/?cols=label,code")
    head = text.split("<thead>")[1].split("</thead>")[0]
    assert head.index("参数名称") < head.index("参数编码")
    assert "生效日期" not in head


def test_queries_do_not_grow_with_the_rows(boss, world):
    counts = {}
    for size in (5, 40):
        world.statements.clear()
        page(boss, f"/employee/list/?size={size}")
        counts[size] = len(world.statements)
        world.add(
            *(
                Employee(number=f"N{size}{n}", name=f"员工{n}", department_id=1 + n % 2)
                for n in range(30)
            )
        )
    assert counts[5] == counts[40] <= 30


def test_references_show_titles_and_link(boss):
    text = page(boss, "/employee/list/?f=number:eq:E1")
    assert re.search(r'<a href="/department/show/1"[^>]*>业务一部</a>', text)


def test_a_page_stays_small(boss):
    assert len(boss.get("/parameter/list/?size=100").get_data()) < 100 * 1024


def test_sums_of_the_page_and_of_all(boss, world):
    from models.base.entity import entities

    summed = [m for m in entities() if m.spec.sums and m.spec.kind.has_screen]
    assert summed, "no list has sums"
    for model in summed:
        page(boss, f"/{model.__tablename__}/list/")


def test_every_list_opens_and_stays_below_thirty_queries(boss, world):
    from models.base.entity import entities

    for model in entities():
        if model.spec.kind.has_screen:
            world.statements.clear()
            page(boss, f"/{model.__tablename__}/list/")
            assert len(world.statements) <= 30, model


def test_masked_columns_are_masked_and_cannot_be_guessed(boss):
    text = page(boss, "/employee/list/?f=number:eq:E1")
    assert "138****5678" in text
    assert "13812345678" not in text
    assert "共 1 条" in page(boss, "/employee/list/?f=mobile:eq:13812345678")


def test_nobody_signed_in_is_sent_to_the_sign_in_page(world, house):
    response = world.client().get("/department/list/?page=2")
    assert response.status_code == 302
    assert "/login/?next=" in response.headers["Location"]


def test_without_the_permission_there_is_a_page_saying_so(world, house, boss):
    from dataclasses import replace

    world.actor = replace(house.boss, permissions=frozenset())
    response = boss.get("/department/list/")
    assert response.status_code == 403
    assert "查看部门" in response.get_data(as_text=True)
