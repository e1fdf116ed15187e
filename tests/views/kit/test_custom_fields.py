"""A custom field on every door of its entity: form, list, filter, order, page, file, REST and its description."""

import csv
import io
from dataclasses import replace

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import delete, insert

from models.system.custom_field import CustomField
from models.system.organization import Department
from tests.views.kit.conftest import token

DEFINITION = {
    "table_name": "department",
    "code": "rent",
    "label": "月租金",
    "kind": "MONEY",
    "length": "100",
    "scale": "2",
    "rank": "100",
    "group": "场地",
    "is_filtered": "true",
    "is_exported": "true",
    "is_active": "true",
}


def post(client, path, page, **fields):
    return client.post(path, data={"csrf_token": token(client, page), **fields})


@pytest.fixture
def rent(boss):
    if "月租金" not in text_of(boss, "/custom_field/list/"):
        made = post(boss, "/custom_field/add", "/custom_field/list/", **DEFINITION)
        assert made.status_code == 302, made.get_data(as_text=True)


def text_of(client, path):
    response = client.get(path)
    assert response.status_code == 200, path
    return response.get_data(as_text=True)


def test_from_the_definition_to_the_file(boss, rent):
    assert "月租金" in text_of(boss, "/department/add")
    sent = {"code": "C1", "name": "南楼", "rank": "1", "is_active": "true"}
    refused = post(boss, "/department/add", "/department/list/", **sent, rent="一百")
    assert "月租金" in refused.get_data(as_text=True)
    for code, name, amount in (("C1", "南楼", "12,000.50"), ("C2", "北楼", "9000")):
        sent |= {"code": code, "name": name}
        made = post(boss, "/department/add", "/department/list/", **sent, rent=amount)
        assert made.status_code == 302, made.get_data(as_text=True)
    listed = text_of(boss, "/department/list/?cols=name,rent&order=-rent")
    assert listed.index("12,000.50") < listed.index("9,000.00")
    few = text_of(boss, "/department/list/?cols=name,rent&f=rent:ge:10000")
    assert ("南楼" in few, "北楼" in few) == (True, False)
    file = boss.get("/department/export?format=csv&cols=name,rent&order=rent&f=rent:filled:")
    rows = list(csv.reader(io.StringIO(file.get_data().decode("utf-8-sig"))))
    assert rows == [["部门名称", "月租金（元）"], ["北楼", "9000.00"], ["南楼", "12000.50"]]


def test_by_rest(boss, rent):
    sent = {"X-CSRFToken": token(boss, "/department/list/")}
    body = {"code": "C3", "name": "东楼", "rent": "1.5"}
    made = boss.post("/api/v1/department/", json=body, headers=sent)
    assert made.status_code == 201, made.get_json()
    key, result = made.get_json()["id"], made.get_json()["result"]
    assert result["rent"] == "1.50"
    saved = boss.put(
        f"/api/v1/department/{key}",
        json={"version": result["version"], "rent": "2"},
        headers=sent,
    )
    assert saved.get_json()["result"]["rent"] == "2.00"
    wrong = boss.post("/api/v1/department/", json=body | {"code": "C4", "rent": "x"}, headers=sent)
    assert (wrong.status_code, list(wrong.get_json()["errors"])) == (400, ["rent"])
    info = boss.get("/api/v1/department/_info").get_json()
    assert {"name": "rent", "label": "月租金", "kind": "money", "editable": True}.items() <= next(
        one for one in info["columns"] if one["name"] == "rent"
    ).items()
    assert "月租金" in text_of(boss, f"/department/show/{key}?tab=timeline")


@pytest.fixture
def limited(world, boss, rent):
    """The rent is for finance alone, and to be changed by its head."""
    with world.session() as session:
        role = Role.__table__
        session.execute(delete(role).where(role.c.name.in_(("财务", "财务主管"))))
        session.execute(insert(role), [{"name": "财务"}, {"name": "财务主管"}])
        session.commit()
    change(world, boss, visible_to="财务、财务主管", editable_by="财务主管", is_listed="true")
    yield
    change(world, boss, visible_to="", editable_by="", is_listed="false")


def change(world, boss, **values):
    """Save the definition of the rent anew."""
    field = world.get(CustomField, code="rent")
    sent = {
        "csrf_token": token(boss, "/custom_field/list/"),
        **DEFINITION,
        "version": str(field.version),
        **values,
    }
    saved = boss.post(f"/custom_field/edit/{field.id}", data=sent)
    assert saved.status_code == 302, saved.get_data(as_text=True)


def acting(world, *roles):
    world.actor = replace(world.actor, roles=frozenset(roles))


def test_a_field_for_some_roles_is_nowhere_for_others(world, boss, limited):
    acting(world, "财务主管")
    sent = {"X-CSRFToken": token(boss, "/department/list/")}
    made = boss.post(
        "/api/v1/department/", json={"code": "L1", "name": "限楼", "rent": "77"}, headers=sent
    )
    key, version = made.get_json()["id"], made.get_json()["result"]["version"]
    acting(world)
    pages = ("list/", "list/?cols=name,rent", "add", f"edit/{key}", f"show/{key}?tab=timeline")
    for page in (*pages, f"show/{key}"):
        shown = text_of(boss, f"/department/{page}")
        assert ("月租金" in shown, "77.00" in shown) == (False, False), page
    assert "没有这个字段" in boss.get("/department/list/?f=rent:ge:1").get_data(as_text=True)
    assert "不能按这一列排序" in text_of(boss, "/department/list/?order=rent")
    assert "月租金" not in boss.get("/department/export?format=csv&cols=name,rent").get_data(True)
    assert "rent" not in boss.get(f"/api/v1/department/{key}").get_json()["result"]
    assert "'rent'" not in str(boss.get("/api/v1/department/_info").get_json())
    assert "月租金" not in str(boss.get("/department/rule").get_json())
    asked = boss.post(
        "/department/rule", data={"text": "月租金 > 1", "csrf_token": sent["X-CSRFToken"]}
    )
    assert "没有叫‘月租金’的字段" in asked.get_json()["error"]
    for body in ({"rent": "1"}, {"rent": ""}):
        refused = boss.put(
            f"/api/v1/department/{key}", json={"version": version, **body}, headers=sent
        )
        assert refused.get_json()["errors"] == {"rent": ["没有“rent”这个字段"]}


def test_who_may_see_a_field_may_not_change_it_therefore(world, boss, limited):
    acting(world, "财务")
    sent = {"X-CSRFToken": token(boss, "/department/list/")}
    assert "月租金" in text_of(boss, "/department/list/")
    assert 'name="rent"' not in text_of(boss, "/department/add")
    refused = boss.post(
        "/api/v1/department/", json={"code": "L2", "name": "二", "rent": "1"}, headers=sent
    )
    assert refused.get_json()["errors"] == {"rent": ["“月租金”由系统维护，不能直接修改"]}


def test_what_is_not_for_files_or_filters_is_in_none(world, boss, rent):
    change(world, boss, is_exported="false", is_filtered="false")
    file = boss.get("/department/export?format=csv&cols=name,rent").get_data(True)
    assert file.lstrip("\ufeff").splitlines()[0] == "部门名称"
    assert "没有设为可筛选" in boss.get("/department/list/?f=rent:ge:1").get_data(as_text=True)
    assert boss.get("/department/export?format=csv&cols=rent").status_code == 400
    change(world, boss)


@pytest.mark.parametrize(
    ("values", "at", "said"),
    [
        ({"visible_to": "财物"}, "visible_to", "没有叫“财物”的角色，是不是‘财务’？"),
        ({"visible_to": "财务", "editable_by": "财务主管"}, "editable_by", "不在可查看的角色中"),
        ({"code": "name"}, "code", "已经有“name”"),
        ({"code": "n" * 300}, "code", "最多 32 个字"),
        ({"label": "部门名称"}, "label", "已经有“部门名称”这个字段"),
        ({"label": "长" * 300}, "label", "最多 30 个字"),
        ({"kind": "DICTIONARY", "dictionary_id": "999999"}, "dictionary_id", "不存在"),
    ],
)
def test_a_wrong_definition_is_refused_at_its_place(world, boss, limited, values, at, said):
    sent = {"X-CSRFToken": token(boss, "/custom_field/list/")}
    body = {"table_name": "department", "code": "other", "label": "别的", "kind": "TEXT", **values}
    refused = boss.post("/api/v1/custom_field/", json=body, headers=sent)
    assert refused.status_code == 400
    assert said in refused.get_json()["errors"][at][0]
    assert world.get(CustomField, table_name="department", label=body["label"]) is None


def test_a_label_is_no_markup(world, boss):
    sent = {"X-CSRFToken": token(boss, "/custom_field/list/")}
    label = "<b onclick=x>粗"
    body = {
        "table_name": "dictionary_type",
        "code": "bold",
        "label": label,
        "kind": "TEXT",
        "is_listed": True,
    }
    assert boss.post("/api/v1/custom_field/", json=body, headers=sent).status_code == 201
    for page in ("list/", "add"):
        assert "&lt;b onclick=x&gt;粗" in (shown := text_of(boss, f"/dictionary_type/{page}"))
        assert label not in shown


@pytest.fixture
def yearly(world, boss, rent):
    """What the rent comes to in a year, worked out."""
    if world.get(CustomField, code="rent_yearly") is None:
        body = {
            "table_name": "department",
            "code": "rent_yearly",
            "label": "年租金",
            "kind": "MONEY",
            "formula": "月租金 × 12",
            "is_filtered": True,
            "is_exported": True,
        }
        sent = {"X-CSRFToken": token(boss, "/custom_field/list/")}
        made = boss.post("/api/v1/custom_field/", json=body, headers=sent)
        assert made.status_code == 201, made.get_json()


def test_a_formula_stands_wherever_a_column_does(world, boss, yearly):
    sent = {"X-CSRFToken": token(boss, "/department/list/")}
    for code, amount in (("F1", "100"), ("F2", "300.05"), ("F3", "")):
        body = {"code": code, "name": f"楼{code}", "rent": amount}
        made = boss.post("/api/v1/department/", json=body, headers=sent)
        assert made.status_code == 201, made.get_json()
    result = boss.get(f"/api/v1/department/{made.get_json()['id']}").get_json()["result"]
    assert result["rent_yearly"] is None
    refused = boss.post(
        "/api/v1/department/", json=body | {"code": "F4", "rent_yearly": "1"}, headers=sent
    )
    assert refused.get_json()["errors"] == {"rent_yearly": ["“年租金”由系统维护，不能直接修改"]}
    assert 'name="rent_yearly"' not in text_of(boss, "/department/add")
    world.statements.clear()
    listed = text_of(boss, "/department/list/?cols=name,rent_yearly&order=-rent_yearly&q=楼F")
    assert listed.index("3,600.60") < listed.index("1,200.00") < listed.index("楼F3")
    assert len([s for s in world.statements if "extra" in s and "FROM department" in s]) <= 3
    few = text_of(boss, "/department/list/?cols=name&f=rent_yearly:ge:1,200.01&q=楼F")
    assert ("楼F2" in few, "楼F1" in few, "楼F3" in few) == (True, False, False)
    file = boss.get("/department/export?format=csv&cols=name,rent_yearly&order=name&q=楼F")
    assert list(csv.reader(io.StringIO(file.get_data().decode("utf-8-sig"))))[1:] == [
        ["楼F1", "1200.00"],
        ["楼F2", "3600.60"],
        ["楼F3", ""],
    ]
    asked = boss.post(
        "/custom_field/rule",
        data={
            "csrf_token": sent["X-CSRFToken"],
            "field": "formula",
            "about": "department",
            "text": "年租金÷12",
        },
    )
    assert asked.get_json() == {"sentence": "年租金 ÷ 12（金额）"}


def test_the_form_asks_the_server_what_it_asks_for(world, boss, rent):
    change(world, boss, required_if="部门名称 = “租楼”", visible_if="上级部门 为空")
    page = text_of(boss, "/department/add")
    assert 'data-asked-url="/department/asked"' in page
    csrf = token(boss, "/department/add")
    for typed, demand in (
        ({"name": "租楼"}, [True, True]),
        ({"name": "他楼"}, [True, False]),
        ({"name": "租楼", "parent_id": "1"}, [False, False]),
        ({"name": "租楼", "parent_id": "abc"}, [True, True]),
    ):
        sent = {"csrf_token": csrf, **typed}
        assert boss.post("/department/asked", data=sent).get_json()["rent"] == demand
    sent = {"code": "R1", "name": "租楼", "rank": "1", "is_active": "true"}
    refused = post(boss, "/department/add", "/department/list/", **sent)
    assert "请填写月租金（部门名称 = “租楼”）" in refused.get_data(as_text=True)
    sent |= {"parent_id": "1", "rent": "5"}
    assert post(boss, "/department/add", "/department/list/", **sent).status_code == 302
    assert world.get(Department, code="R1").extra == {}
    change(world, boss)


ALL = {  # what is typed and what the interface says
    "TEXT": ("甲<b>", "甲<b>"),
    "LONG_TEXT": ("一\n二", "一\n二"),
    "INT": ("-12", -12),
    "MONEY": ("9,999,999,999.99", "9999999999.99"),
    "RATE": ("4.35", "4.35"),
    "DATE": ("2024-02-29", "2024-02-29"),
    "BOOL": ("true", True),
    "REFERENCE": ("1", 1),
}
WORKED = {
    "INT": ("自设INT × 2", -24),
    "MONEY": ("自设MONEY ÷ 3", "3333333333.33"),
    "RATE": ("自设RATE ÷ 2", "2.18"),
    "DATE": ("自设DATE + 1天", "2024-03-01"),
    "BOOL": ("自设INT < 0 且 自设BOOL", True),
    "TEXT": ("自设REFERENCE的姓名", "张明远"),
}
WRONG = ("x" * 5000, "2026-02-30", "9" * 40, "\x00")


@pytest.fixture(scope="module")
def every(world, house):
    """A field of each kind on dictionaries, filled in and worked out."""
    world.actor = house.boss
    browser = world.client()
    sent = {"X-CSRFToken": token(browser, "/custom_field/list/")}
    fields = [(f"k_{kind.lower()}", f"自设{kind}", kind, {}) for kind in ALL]
    fields += [
        (f"w_{kind.lower()}", f"算得{kind}", kind, {"formula": text})
        for kind, (text, _) in WORKED.items()
    ]
    for code, label, kind, more in fields:
        body = {"table_name": "dictionary_type", "code": code, "label": label, "kind": kind}
        body |= {"is_filtered": True, "is_exported": True, "target": "employee", **more}
        made = browser.post("/api/v1/custom_field/", json=body, headers=sent)
        assert made.status_code == 201, (kind, made.get_json())
    body = {f"k_{kind.lower()}": typed for kind, (typed, _) in ALL.items()}
    for code, values in (("full", body), ("bare", {})):
        sent_row = {"code": code, "label": f"行{code}", **values}
        made = browser.post("/api/v1/dictionary_type/", json=sent_row, headers=sent)
        assert made.status_code == 201, made.get_json()
    return {name: label for name, label, *_ in fields}


def test_every_kind_comes_back_at_every_door(boss, every):
    rows = boss.get("/api/v1/dictionary_type/?f=label:starts:行&order=-code").get_json()["result"]
    full, bare = rows
    said = {f"k_{kind.lower()}": value for kind, (_, value) in ALL.items()}
    said |= {f"w_{kind.lower()}": value for kind, (_, value) in WORKED.items()}
    for name in said.keys() - {"k_long_text"}:  # no list has long texts
        assert (full[name], bare[name]) == (said[name], None), name
    names = ",".join(name for name in every if name != "k_long_text")
    listed = text_of(boss, f"/dictionary_type/list/?cols={names}&f=label:starts:行")
    for words in ("9,999,999,999.99", "3,333,333,333.33", "甲&lt;b&gt;", "张明远", "2024-03-01"):
        assert words in listed, words
    file = boss.get(f"/dictionary_type/export?format=csv&cols={names}&f=code:eq:full")
    assert file.get_data(as_text=True).splitlines()[1].count("9999999999.99") == 1


def test_every_kind_is_filtered_by_every_operator_and_sorted(boss, every):
    info = boss.get("/api/v1/dictionary_type/_info").get_json()["columns"]
    typed = {f"k_{kind.lower()}": value for kind, (value, _) in ALL.items()}
    typed |= {f"w_{kind.lower()}": str(said) for kind, (_, said) in WORKED.items()}
    asked = 0
    for column in info:
        if column["name"] not in typed:
            continue
        value = typed[column["name"]].replace("True", "true")
        for operator in column["filters"]:
            text = f"{value}..{value}" if operator == "between" else value
            text = {"empty": "", "filled": "", "rel": "before_today"}.get(operator, text)
            query = {"f": [f"{column['name']}:{operator}:{text}", "label:starts:行"]}
            found = boss.get("/api/v1/dictionary_type/", query_string=query)
            assert found.status_code == 200, (column["name"], operator, found.get_json())
            assert found.get_json()["count"] == 1, (column["name"], operator)
            asked += 1
        if column["kind"] not in {"long_text", "reference"}:
            order = f"/dictionary_type/list/?order=-{column['name']}&f=label:starts:行"
            page = text_of(boss, order)
            assert page.index("行full") < page.index("行bare"), column["name"]
    assert asked > 50


def test_no_value_from_outside_breaks_a_door(boss, every):
    sent = {"X-CSRFToken": token(boss, "/dictionary_type/list/")}
    for name in every:
        for value in WRONG:
            answer = boss.get("/dictionary_type/list/", query_string={"f": f"{name}:eq:{value}"})
            assert answer.status_code in {200, 400}, (name, value)
            body = {"code": "hostile", "label": "敌", name: value}
            refused = boss.post("/api/v1/dictionary_type/", json=body, headers=sent)
            if (
                refused.status_code == 201
            ):  # a text may be anything, and what nobody sees is nothing
                assert name in {"k_text", "k_long_text"} or value == "\x00", (name, value)
                key = refused.get_json()["id"]
                assert (
                    boss.delete(
                        f"/api/v1/dictionary_type/{key}?version=1", headers=sent
                    ).status_code
                    == 200
                )
            else:
                assert refused.status_code == 400, (name, value)
                assert list(refused.get_json()["errors"]) == [name]
