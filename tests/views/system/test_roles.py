"""Passwords, roles and operators on the screen: what is refused leaves everything as it was."""

import re

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select

from models.system.organization import Operator
from models.system.setup import AuditLog
from tests.views.conftest import send
from tests.views.staff import PASSWORD


def role_id(product, name):
    with product.session() as session:
        return session.scalars(select(Role.id).where(Role.name == name)).one()


def granted(product, name):
    with product.session() as session:
        role = session.scalars(select(Role).where(Role.name == name)).one()
        return {(p.permission.name, p.view_menu.name) for p in role.permissions}


def matrix_of(client, path):
    """What the browser would send back untouched: version, scope, note and the ticked boxes."""
    page = client.get(path).get_data(as_text=True)
    version = re.search(r'name="version" value="(\d+)"', page).group(1)
    ticked = re.findall(r'name="p" value="([^"]+)"[^>]* checked', page)
    scope = re.search(r'<option selected value="(\w+)"', page).group(1)
    return {"version": version, "scope": scope, "note": "测试", "p": ticked}


def seen_on(client, path):
    """The roles that a page was drawn with, as its form carries them."""
    page = client.get(path).get_data(as_text=True)
    tag = re.search(r'<input[^>]*name="seen"[^>]*>', page)[0]
    return re.search(r'value="([^"]*)"|$', tag)[1] or ""


@pytest.mark.parametrize(
    ("old", "new", "again", "message"),
    [
        ("wrong", "Danbao@2027", "Danbao@2027", "原密码不正确"),
        (PASSWORD, "Danbao@2027", "Danbao@2028", "两次输入的新密码不一致"),
        (PASSWORD, "short", "short", "密码至少"),
        (PASSWORD, PASSWORD, PASSWORD, "不能使用最近"),
        ("", "", "", "原密码不正确"),
    ],
)
def test_a_wrong_password_form_says_why_and_changes_nothing(product, old, new, again, message):
    answer = send(
        product.browser("admin"), "/password/", old_password=old, password=new, again=again
    )
    assert answer.status_code == 400
    assert message in answer.get_data(as_text=True)
    product.sign_in("admin")


def test_changing_the_password_ends_the_other_sessions(product):
    here, elsewhere = product.sign_in("head"), product.sign_in("head")
    answer = send(
        here, "/password/", old_password=PASSWORD, password="Danbao@2027", again="Danbao@2027"
    )
    assert answer.status_code == 302
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    product.sign_in("head", "Danbao@2027")


def test_roles_are_listed_with_holders_and_scope(product):
    page = product.browser("safe").get("/roles/").get_data(as_text=True)
    assert "客户经理" in page
    assert "本部门及下级" in page
    assert product.browser("manager").get("/roles/").status_code == 403


def test_saving_a_matrix_untouched_changes_no_permission(product):
    client, path = product.browser("safe"), f"/roles/{role_id(product, '客户经理')}"
    before = granted(product, "客户经理")
    assert send(client, path, **matrix_of(client, path)).status_code == 302
    assert granted(product, "客户经理") == before


def test_a_changed_matrix_grants_withdraws_logs_and_ends_sessions(product):
    client, path = product.browser("safe"), f"/roles/{role_id(product, '出纳')}"
    holder = product.sign_in("cashier")
    form = matrix_of(client, path)
    form["p"] = [value for value in form["p"] if value != "voucher.sign"] + ["voucher.review"]
    assert send(client, path, **form).status_code == 302
    now = granted(product, "出纳")
    assert ("can_review", "voucher") in now
    assert ("can_sign", "voucher") not in now
    assert holder.get("/").status_code == 302  # must sign in again
    with product.session() as session:
        line = session.scalars(
            select(AuditLog)
            .where(AuditLog.table_name == "role_profile")
            .order_by(AuditLog.id.desc())
        ).first()
        assert line.changes["permissions"] == [["voucher.sign"], ["voucher.review"]]


def test_a_stale_matrix_is_refused(product):
    client, path = product.browser("safe"), f"/roles/{role_id(product, '法务')}"
    form = matrix_of(client, path)
    form["note"] = "第一次"
    assert send(client, path, **form).status_code == 302
    form["note"] = "第二次"
    answer = send(client, path, **form)
    assert answer.status_code == 409
    assert "已被他人修改" in answer.get_data(as_text=True)


@pytest.mark.parametrize("value", ["voucher.nothing", "nothing.edit", "''", "ab_user.edit"])
def test_unknown_permissions_are_refused_whole(product, value):
    client, path = product.browser("safe"), f"/roles/{role_id(product, '分析员')}"
    before, form = granted(product, "分析员"), matrix_of(client, path)
    form["p"] = [*form["p"], "voucher.add", value]
    assert send(client, path, **form).status_code == 400
    assert granted(product, "分析员") == before


def test_nobody_edits_a_role_they_hold(product):
    client, path = product.browser("safe"), f"/roles/{role_id(product, '安全管理员')}"
    before, form = granted(product, "安全管理员"), matrix_of(client, path)
    form["p"] = [*form["p"], "voucher.post"]
    answer = send(client, path, **form)
    assert answer.status_code == 403
    assert "您本人持有" in answer.get_data(as_text=True)
    assert granted(product, "安全管理员") == before


def test_a_role_is_made_like_another_and_deleted_while_nobody_holds_it(product):
    client = product.browser("safe")
    source = role_id(product, "会计")
    answer = send(
        client, "/roles/add", name="记账员", scope="DEPARTMENT", note="", like=str(source)
    )
    assert answer.status_code == 302
    assert granted(product, "记账员") == granted(product, "会计")
    again = send(client, "/roles/add", name="记账员", scope="SELF", note="", like="")
    assert again.status_code == 400
    assert "已有同名角色" in again.get_data(as_text=True)
    seen = re.search(
        r'name="version" value="(\d+)"', client.get(answer.location).get_data(as_text=True)
    ).group(1)
    # without the version that was seen
    assert send(client, f"{answer.location}/delete").status_code == 409
    assert send(client, f"{answer.location}/delete", version=seen).status_code == 302
    assert client.get(answer.location).status_code == 404
    assert send(client, f"/roles/{source}/delete").status_code == 409


def test_an_operator_is_made_with_password_and_roles(product):
    client = product.browser("safe")
    with product.session() as session:
        from models.system.organization import Employee

        session.add(Employee(number="E900", name="新人", department_id=1))
        session.commit()
        employee = session.scalars(select(Employee.id).where(Employee.number == "E900")).one()
    form = {"employee_id": str(employee), "username": "newcomer", "roles": ["会计", "出纳"]}
    weak = send(client, "/operator/add", password="abc", **form)
    assert weak.status_code == 400
    page = weak.get_data(as_text=True)
    assert "密码至少" in page
    assert 'value="newcomer"' in page
    assert re.search(r'value="会计"[^>]*checked|checked[^>]*value="会计"', page)
    assert send(client, "/operator/add", password="Welcome@2026", **form).status_code == 302
    with product.session() as session:
        user = session.scalars(select(User).where(User.username == "newcomer")).one()
        assert {role.name for role in user.roles} == {"会计", "出纳"}
    first = product.sign_in("newcomer", "Welcome@2026")
    assert first.get("/").location == "/password/"  # the first password must be changed
    taken = send(client, "/operator/add", password="Welcome@2026", **form)
    assert taken.status_code == 409


def test_roles_and_password_of_others_only(product):
    client = product.browser("safe")
    with product.session() as session:
        ids = dict(session.execute(select(Operator.username, Operator.id)).all())
    own = send(client, f"/operator/{ids['safe']}/roles", roles=["系统管理员"])
    assert own.status_code == 403
    assert (
        send(client, f"/operator/{ids['other']}/password", password="Fresh@202666").status_code
        == 302
    )
    assert product.sign_in("other", "Fresh@202666").get("/").location == "/password/"
    path = f"/operator/{ids['other']}/roles"
    wrong = send(client, path, roles=["不存在"], seen=seen_on(client, path))
    assert wrong.status_code == 400
    assert (
        send(
            product.browser("admin"), f"/operator/{ids['other']}/roles", roles=["会计"]
        ).status_code
        == 403
    )


def test_who_ticks_roles_undoes_nothing_that_was_given_or_taken_meanwhile(product):
    client = product.browser("safe")
    with product.session() as session:
        key = session.scalars(select(Operator.id).where(Operator.username == "newcomer")).one()
    path = f"/operator/{key}/roles"
    before = seen_on(client, path)
    assert send(client, path, roles=["会计", "出纳", "法务"], seen=before).status_code == 302
    for late in ({"seen": before}, {}):  # a page of before, and a form that says nothing
        answer = send(client, path, roles=["会计"], **late)
        assert answer.status_code == 409
        assert "角色已被他人修改" in answer.get_data(as_text=True)
    assert sorted(seen_on(client, path).splitlines()) == ["会计", "出纳", "法务"]


@pytest.mark.parametrize(
    "path", ["/roles/0", "/roles/99999999999999999999", "/roles/x", "/operator/x/password"]
)
def test_hostile_addresses_are_not_found(product, path):
    assert product.browser("safe").get(path).status_code == 404


def test_a_post_without_token_is_refused(product):
    client = product.browser("safe")
    before = granted(product, "法务")
    path = f"/roles/{role_id(product, '法务')}"
    assert client.post(path, data={"version": "1", "scope": "ALL"}).status_code == 400
    assert granted(product, "法务") == before
