"""Record pages: facts, tabs with their counts, what may be done, and the timeline."""

from datetime import date

import pytest

from models.base.entity import entities, parts_of
from models.system.organization import Employee
from models.system.setup import DictionaryItem, DictionaryType
from tests.views.kit.conftest import token
from views.kit.interface import model_of


@pytest.fixture(scope="module", autouse=True)
def colours(world, house):
    """A dictionary with more items than a tab shows."""
    world.add(DictionaryType(id=9001, code="colour", label="颜色"))
    world.add(
        *(
            DictionaryItem(dictionary_type_id=9001, code=f"C{n:03d}", label=f"色{n:03d}")
            for n in range(60)
        )
    )


def test_a_tab_counts_all_shows_fifty_and_leads_to_the_rest(boss, world):
    text = boss.get("/dictionary_type/show/9001").get_data(as_text=True)
    assert '字典条目 <b class="n">60</b>' in text
    assert "色000" not in text, "a closed tab is not read"
    text = boss.get("/dictionary_type/show/9001?tab=dictionary_item").get_data(as_text=True)
    assert text.count("/dictionary_item/show/") == 50
    assert "查看全部 60 条" in text
    assert "/dictionary_item/add?owner=9001" in text
    rest = boss.get("/dictionary_item/list/?f=dictionary_type_id:eq:9001").get_data(as_text=True)
    assert "共 60 条" in rest
    assert "所属字典 等于" in rest


def test_queries_do_not_grow_with_the_tabs(boss, world):
    world.statements.clear()
    boss.get("/dictionary_type/show/9001")
    closed = len(world.statements)
    world.statements.clear()
    boss.get("/dictionary_type/show/9001?tab=dictionary_item")
    assert closed <= len(world.statements) <= closed + 2 <= 30


def test_the_timeline_says_who_did_what_in_words(boss, world):
    data = {
        "csrf_token": token(boss, "/employee/edit/2"),
        "number": "E2",
        "name": "李思齐",
        "is_active": "y",
    }
    data |= {
        "version": "1",
        "department_id": "1",
        "mobile": "13900001111",
        "entered_on": "2026-01-02",
    }
    assert boss.post("/employee/edit/2", data=data).status_code == 302
    assert world.get(Employee, id=2).entered_on == date(2026, 1, 2)
    text = boss.get("/employee/show/2?tab=timeline").get_data(as_text=True)
    for words in ("张明远", "修改", "<s>业务二部</s>", "业务一部", "2026-01-02", "139****1111"):
        assert words in text
    assert "13900001111" not in text
    assert "13987654321" not in text


def test_the_operation_log_speaks_chinese(boss, world):
    text = boss.get("/audit_log/list/").get_data(as_text=True)
    body = text.split("<tbody>")[1].split("</tbody>")[0]
    assert "修改" in body
    assert "员工" in body
    for code in ("UPDATE", "CREATE", "screen", "employee<"):
        assert code not in body
    exported = boss.get("/audit_log/export?format=csv&cols=action,table_name,source")
    with exported:
        assert "修改,员工,页面" in exported.get_data(as_text=True)


def test_every_tab_of_every_record_has_a_screen():
    missing = [
        (model.__tablename__, table)
        for model in entities()
        for table in parts_of(model)
        if model_of(table) is None
    ]
    assert not missing
