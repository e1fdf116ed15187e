"""Add, edit and delete: what was typed stays, messages stand at their fields, and a stale save says what changed."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from models.system.organization import Department, Employee
from models.system.setup import AuditLog, DictionaryItem, DictionaryType
from tests.views.kit.conftest import token


def post(client, path, source, **values):
    """Send a form with the token of the page it stands on."""
    return client.post(path, data={"csrf_token": token(client, source), **values})


def version(client, path):
    """The version that an edit form carries."""
    return client.get(path).get_data(as_text=True).split('name="version" value="')[1].split('"')[0]


def test_add_saves_and_opens_the_record(boss, world):
    response = post(
        boss,
        "/department/add",
        "/department/add",
        code="D10",
        name="风控部",
        rank="5",
        is_active="y",
    )
    assert response.status_code == 302, response.get_data(as_text=True)
    saved = world.get(Department, code="D10")
    assert response.headers["Location"] == f"/department/show/{saved.id}"
    assert (saved.name, saved.rank, saved.is_active, saved.parent_id) == ("风控部", 5, True, None)
    assert saved.created_by_id == 1


def test_saving_may_begin_the_next_one_with_what_the_address_names(boss, world):
    assert 'name="again"' in boss.get("/department/add").get_data(as_text=True)
    address = "/department/add?parent_id=1"
    response = post(
        boss,
        address,
        "/department/add",
        code="D12",
        name="又一",
        rank="1",
        is_active="y",
        again="1",
    )
    assert (response.status_code, response.headers["Location"]) == (302, address)
    assert world.get(Department, code="D12") is not None
    refused = post(boss, address, "/department/add", code="", name="", rank="1", again="1")
    assert refused.status_code == 400
    assert 'name="again"' not in boss.get("/department/edit/1").get_data(as_text=True)


def test_a_post_without_token_changes_nothing(boss, world):
    assert (
        boss.post(
            "/department/add", data={"code": "D11", "name": "无令牌", "rank": "1"}
        ).status_code
        == 400
    )
    assert boss.post("/department/delete/1").status_code == 400
    assert world.get(Department, code="D11") is None
    assert world.get(Department, id=1) is not None


def test_errors_stand_at_their_fields_and_what_was_typed_stays(boss, world):
    response = post(
        boss,
        "/department/add",
        "/department/add",
        code="",
        name="名" * 61,
        rank="很多",
        parent_id="999",
        note="留住我",
    )
    text = response.get_data(as_text=True)
    assert response.status_code == 400
    for words in (
        "请填写部门编码",
        "最多 60 个字，现有 61 个",
        "请填写整数",
        "不在您的数据范围内",
        "留住我",
        "很多",
        "名" * 61,
    ):
        assert words in text
    assert 'id="code-e"' in text


def test_an_edit_sends_only_what_was_changed(boss, world):
    world.add(Department(id=20, code="D20", name="旧名", note="备注", path="/20/"))
    opened = version(boss, "/department/edit/20")
    response = post(
        boss,
        "/department/edit/20",
        "/department/edit/20",
        version=opened,
        code="D20",
        name="新名",
        rank="100",
        note="备注",
        is_active="y",
    )
    assert response.status_code == 302, response.get_data(as_text=True)
    with world.session() as session:
        line = session.scalars(
            select(AuditLog).where(AuditLog.table_name == "department", AuditLog.record_id == 20)
        ).one()
    assert line.changes == {"name": ["旧名", "新名"]}


def test_a_stale_save_is_refused_and_says_what_changed(boss, world):
    world.add(Department(id=21, code="D21", name="甲"))
    old = version(boss, "/department/edit/21")
    fields = {"code": "D21", "rank": "100", "is_active": "y"}
    assert (
        post(
            boss, "/department/edit/21", "/department/edit/21", version=old, name="乙", **fields
        ).status_code
        == 302
    )
    response = post(
        boss, "/department/edit/21", "/department/edit/21", version=old, name="丙", **fields
    )
    text = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "<s>甲</s>" in text
    assert 'value="丙"' in text
    assert world.get(Department, id=21).name == "乙"
    again = text.split('name="version" value="')[1].split('"')[0]
    assert (
        post(
            boss, "/department/edit/21", "/department/edit/21", version=again, name="丙", **fields
        ).status_code
        == 302
    )


@pytest.mark.parametrize("sent", ["", "abc", "99999999999999", "-1"])
def test_a_save_without_its_version_is_refused(boss, world, sent):
    response = post(
        boss,
        "/department/edit/1",
        "/department/edit/1",
        version=sent,
        name="改名",
        code="D1",
        rank="1",
    )
    assert response.status_code == 400
    assert "缺少版本号" in response.get_data(as_text=True)
    assert world.get(Department, id=1).name == "业务一部"


def test_a_duplicate_is_named_at_its_field(boss, world):
    response = post(boss, "/department/add", "/department/add", code="D1", name="重复", rank="1")
    assert response.status_code in {400, 409}
    assert "部门编码已存在" in response.get_data(as_text=True)


def test_an_untouched_mask_changes_nothing(boss, world):
    fields = {
        "number": "E1",
        "name": "张明远",
        "department_id": "1",
        "is_active": "y",
        "title": "经理",
    }
    now = version(boss, "/employee/edit/1")
    response = post(
        boss, "/employee/edit/1", "/employee/edit/1", version=now, mobile="138****5678", **fields
    )
    assert response.status_code == 302, response.get_data(as_text=True)
    assert world.get(Employee, id=1).mobile == "13812345678"
    now = version(boss, "/employee/edit/1")
    response = post(
        boss, "/employee/edit/1", "/employee/edit/1", version=now, mobile="138****0000", **fields
    )
    assert response.status_code == 400, "a mask that was changed is no number"


def test_reveal_shows_the_plain_value_and_is_logged(boss, clerk, world, house):
    world.actor = house.boss
    sent = {"csrf_token": token(boss, "/department/list/")}
    assert boss.get("/employee/reveal/1/mobile").status_code == 405
    assert boss.post("/employee/reveal/1/mobile", data=sent).get_json() == {"value": "13812345678"}
    assert boss.post("/employee/reveal/1/name", data=sent).status_code == 404
    with world.session() as session:
        assert (
            session.scalars(select(AuditLog).where(AuditLog.action.like("%REVEAL%")))
            .one()
            .record_id
            == 1
        )
    world.actor = house.clerk
    sent = {"csrf_token": token(clerk, "/department/list/")}
    assert clerk.post("/employee/reveal/2/mobile", data=sent).status_code == 403


def test_delete_goes_by_post_alone_and_only_when_nothing_refers_to_it(boss, world):
    world.add(Department(id=30, code="D30", name="空部门"))
    assert boss.get("/department/delete/30").status_code == 405
    response = post(boss, "/department/delete/1", "/department/list/", version="1")
    assert response.status_code == 409
    assert "1 条员工" in response.get_data(as_text=True)
    assert post(boss, "/department/delete/30", "/department/list/", version="7").status_code == 409
    assert post(boss, "/department/delete/30", "/department/list/", version="1").status_code == 302
    assert world.get(Department, id=30) is None


def test_a_child_row_belongs_to_the_owner_of_the_address(boss, world):
    world.add(
        DictionaryType(id=9001, code="colour", label="颜色"),
        DictionaryType(id=9002, code="shape", label="形状"),
    )
    text = boss.get("/dictionary_item/add?owner=9001").get_data(as_text=True)
    assert "颜色" in text
    response = post(
        boss,
        "/dictionary_item/add?owner=9001",
        "/dictionary_item/add?owner=9001",
        dictionary_type_id="9002",
        code="red",
        label="红",
        rank="1",
        is_active="y",
    )
    assert response.headers["Location"] == "/dictionary_type/show/9001?tab=dictionary_item#tabs"
    assert world.get(DictionaryItem, code="red").dictionary_type_id == 9001
    assert boss.get("/dictionary_item/add?owner=77").status_code == 404
    assert "红" in boss.get("/dictionary_type/show/9001?tab=dictionary_item").get_data(as_text=True)


def test_a_dictionary_shows_a_code_that_is_out_of_use_and_keeps_it(boss, world):
    world.add(
        DictionaryItem(id=9100, dictionary_type_id=9001, code="old", label="旧色", is_active=False)
    )
    assert "旧色" in boss.get("/dictionary_item/show/9100").get_data(as_text=True)


@pytest.mark.parametrize("pk", ["0", "abc", "99999999999999999999", "-1", "1%00", "１", "999"])
@pytest.mark.parametrize("route", ["show", "edit"])
def test_strange_ids_are_not_found(boss, route, pk):
    assert boss.get(f"/department/{route}/{pk}").status_code == 404


def test_the_framework_has_no_door_of_its_own(boss):
    for path in (
        "/department/action/x/1",
        "/department/action_post",
        "/department/download/x",
        "/department/muldelete",
    ):
        assert boss.get(path).status_code in {404, 405}


def test_kinds_without_writing_have_no_such_routes(boss):
    sent = {"csrf_token": token(boss, "/department/list/")}
    for verb in ("add", "edit/1", "delete/1"):
        assert boss.get(f"/audit_log/{verb}").status_code == 404
        assert boss.post(f"/audit_log/{verb}", data=sent).status_code == 404
    assert boss.get("/system_state/list/").status_code == 404


def test_a_saved_form_never_leads_away(boss):
    response = post(
        boss,
        "/department/add",
        "/department/add",
        code="D50",
        name="甲",
        rank="1",
        next="//evil.example/",
    )
    assert response.headers["Location"].startswith("/department/show/")


def test_a_write_locks_before_its_first_read(boss, world, db_kind):
    if db_kind != "sqlite":
        return  # PostgreSQL locks rows, not the database
    sent = {"csrf_token": token(boss, "/department/add"), "code": "D60", "name": "锁", "rank": "1"}
    world.statements.clear()
    boss.post("/department/add", data=sent)
    begins = [s for s in world.statements if s.startswith("BEGIN")]
    assert "BEGIN IMMEDIATE" in begins
    first = world.statements.index("BEGIN IMMEDIATE")
    writes = [i for i, s in enumerate(world.statements) if s.startswith("INSERT")]
    assert writes
    assert all(i > first for i in writes)


def test_every_form_and_record_page_opens(boss, world):
    from models.base.entity import entities

    for model in entities():
        spec, table = model.spec, model.__tablename__
        if spec.kind.has_screen and spec.kind.is_writable and "add" in spec.saved_by:
            response = boss.get(f"/{table}/add")
            assert response.status_code == 200, (table, response.get_data(as_text=True)[-500:])
            assert len(response.get_data()) < 100 * 1024, table


def test_ticked_rows_are_deleted_each_by_itself(boss, world):
    world.add(*(Department(id=n, code=f"B{n}", name=f"批{n}") for n in (70, 71, 72)))
    sent = {"csrf_token": token(boss, "/department/list/")}
    shown = {
        key: f"{key}.{world.get(Department, id=int(key)).version}"
        for key in ("1", "70", "71", "72")
    }
    assert f'name="keys" value="{shown["70"]}"' in boss.get(
        "/department/list/?f=code:starts:B7"
    ).get_data(as_text=True)
    refused = boss.post("/department/bulk_delete", data={**sent, "keys": [shown["70"], shown["1"]]})
    assert (refused.status_code, "删除：1 条已办，1 条未办" in refused.text) == (200, True)
    assert (world.get(Department, id=70), world.get(Department, id=1) is None) == (None, False)
    assert boss.post("/department/bulk_delete", data=sent).status_code == 400
    assert (
        boss.post("/department/bulk_delete", data={**sent, "keys": [shown["71"], "x"]}).status_code
        == 400
    )
    for unseen, status in (("71", 400), ("71.x", 400), ("71.99", 409), ("999.1", 409)):
        assert (
            boss.post("/department/bulk_delete", data={**sent, "keys": [unseen]}).status_code
            == status
        )
    every, url = {**sent, "all": "1"}, "/department/bulk_delete?f=code:starts:B7"
    # 72 is on a page nobody has seen
    assert boss.post(url, data={**every, "keys": [shown["71"]]}).status_code == 400
    assert world.get(Department, id=71) is not None
    assert boss.post(url, data={**every, "keys": [shown["71"], shown["72"]]}).status_code == 302
    assert world.get(Department, id=71) is None
    assert world.get(Department, id=1) is not None


def test_a_copy_begins_with_all_but_what_is_the_records_own(boss, world):
    page = boss.get("/employee/show/1").get_data(as_text=True)
    assert "/employee/add?copy=1" in page
    form = boss.get("/employee/add?copy=1").get_data(as_text=True)
    assert 'value="张明远"' in form
    assert 'name="department_id" type="hidden" value="1"' in form
    # a token of the page may well hold the two signs of this number
    for own in ('value="E1"', "13812345678", "138****5678"):
        assert own not in form
    assert boss.get("/employee/add?copy=99999").status_code == 404


def test_what_a_look_up_misses_is_made_beside_it(boss, world):
    assert 'data-create-url="/department/quick"' in boss.get("/employee/add").get_data(as_text=True)
    small = boss.get("/department/quick?text=业务九部").get_data(as_text=True)
    assert 'value="业务九部"' in small
    assert "<html" not in small
    wrong = post(boss, "/department/quick", "/department/add", name="业务九部", code="")
    assert wrong.status_code == 400
    assert "请填写部门编码" in wrong.get_data(as_text=True)
    made = post(
        boss, "/department/quick", "/department/add", name="业务九部", code="D99"
    ).get_json()
    assert made == {"id": world.get(Department, code="D99").id, "text": "业务九部"}


def test_who_may_not_add_is_offered_no_small_form(world, house):
    world.actor = replace(
        house.boss, permissions=house.boss.permissions - {("can_add", "department")}
    )
    try:
        assert "department/quick" not in world.client().get("/employee/add").get_data(as_text=True)
        assert world.client().get("/department/quick").status_code == 403
    finally:
        world.actor = None
