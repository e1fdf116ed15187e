"""Versions, four eyes and examples of rules, as people meet them (X15)."""

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select

from models.approval.approval import ApprovalFlow, FlowState
from models.system.configuration import ConfigProposal, ConfigVersion, RuleExample
from models.system.role import RoleProfile
from models.system.setup import DictionaryType, Parameter
from tests.views.conftest import send, token

CODE = "login.max_failures"


@pytest.fixture
def session(product):
    with product.session() as session:
        yield session


def newest(session, code=CODE):
    query = select(Parameter).where(Parameter.code == code).order_by(Parameter.effective_on)
    return session.scalars(query).all()[-1]


def test_a_save_through_the_interface_is_a_version_with_its_reason(product, session):
    found = session.scalars(select(DictionaryType).where(DictionaryType.code == "region")).one()
    admin = product.browser("admin")
    answer = admin.put(
        f"/api/v1/dictionary_type/{found.id}?change_reason=按国标更名",
        json={"version": found.version, "label": "行政区划<b>"},
        headers={"X-CSRFToken": token(admin)},
    )
    assert answer.status_code == 200
    session.rollback()  # what was read before is a moment ago
    query = select(ConfigVersion).where(ConfigVersion.object_key == "region")
    made = session.scalars(query.order_by(ConfigVersion.number)).all()[-1]
    assert made.reason == "按国标更名"
    assert made.summary == "字典名称：地区 → 行政区划<b>"
    page = admin.get(f"/config_version/show/{made.id}").get_data(as_text=True)
    assert "行政区划&lt;b&gt;" in page
    assert "第 1 版" in page
    tab = admin.get(f"/dictionary_type/show/{found.id}?tab=versions").get_data(as_text=True)
    assert "按国标更名" in tab
    uses = admin.get(f"/dictionary_type/show/{found.id}?tab=uses").get_data(as_text=True)
    assert "“对公客户”的字段" in uses


def test_a_role_is_a_version_with_its_rights(product, session):
    profile = session.scalars(select(RoleProfile).where(RoleProfile.name == "分析员")).one()
    safe, url = product.browser("safe"), f"/roles/{profile.role_id}"
    sent = {"version": profile.version, "scope": "ALL", "p": ["project.read"], "note": "只看项目"}
    assert send(safe, url, page=url, **sent, change_reason="收紧").status_code == 302
    session.rollback()
    query = select(ConfigVersion).where(ConfigVersion.object_key == "分析员")
    first, second = session.scalars(query.order_by(ConfigVersion.number)).all()
    page = safe.get(f"/config_version/show/{second.id}").get_data(as_text=True)
    assert "权限“担保项目：导出”" in page
    assert "role_id" not in second.content[0]["values"]
    answer = send(
        safe, f"/do/config_version/{first.id}/restore", version=first.version, reason="误改"
    )
    assert answer.status_code == 302
    session.rollback()
    third = session.scalars(query.order_by(ConfigVersion.number)).all()[-1]
    assert (third.number, third.content) == (3, first.content)
    clerk = product.browser("clerk")
    assert clerk.get(f"/config_version/show/{first.id}").status_code in (403, 404)


def test_a_rule_is_tried_and_keeps_its_examples(product, session):
    flow = session.scalars(
        select(ApprovalFlow).where(ApprovalFlow.state == FlowState.PUBLISHED)
    ).first()
    draft = ApprovalFlow(
        code="tried",
        name="试",
        business_type_id=flow.business_type_id,
        version_no=1,
        condition="金额 > 500万 且 客户类型 = “对公客户”",
    )
    session.add(draft)
    session.commit()
    admin = product.browser("admin")
    url = f"/rule-examples/approval_flow/{draft.id}/condition"
    asked = {"i_0": "600万", "i_1": "对公客户"}
    page = send(admin, url, page=url, **asked).get_data(as_text=True)
    assert "整条规则：符合" in page
    wrong = send(admin, url, page=url, i_0="很多")
    assert wrong.status_code == 400
    assert 'value="很多"' in wrong.get_data(as_text=True)
    refused = send(admin, url, page=url, **asked, title="大额", is_met="0")
    assert refused.status_code == 409
    assert send(admin, url, page=url, **asked, title="大额", is_met="1").status_code == 302
    kept = session.scalars(select(RuleExample)).one()
    assert kept.facts == {"金额": "600万", "客户类型": "对公客户"}
    answer = admin.put(
        f"/api/v1/approval_flow/{draft.id}",
        json={"version": draft.version, "condition": "金额 > 700万"},
        headers={"X-CSRFToken": token(admin)},
    )
    assert answer.status_code == 400
    assert "样例“大额”应为符合，按这条规则为不符合" in str(answer.json["errors"]["condition"])
    tab = admin.get(f"/approval_flow/show/{draft.id}?tab=examples").get_data(as_text=True)
    assert "大额" in tab
    assert send(admin, f"{url}/delete/{kept.id}").status_code == 302
    assert product.browser("manager").get(url).status_code == 403


def test_a_parameter_changed_by_one_is_published_by_a_second_and_restored(
    product, session, address, window
):
    newest(session, "config.four_eyes").value = "是"
    newest(session, "config.four_eyes_kinds").value = "系统参数"
    user = session.scalars(select(User).where(User.username == "safe")).one()
    user.roles.append(session.scalars(select(Role).where(Role.name == "系统管理员")).one())
    session.commit()
    one, two = (window(name).new_page() for name in ("admin", "safe"))
    parameter = newest(session)
    page_of = f"{address}/parameter/show/{parameter.id}"
    one.goto(f"{address}/parameter/edit/{parameter.id}")
    one.fill("[name=value]", "7")
    one.fill("[name=change_reason]", "外部审计要求")
    one.click("[data-save]")
    one.wait_for_url("**/config_proposal/show/*")
    assert "您提交的变更，待另一人发布" in one.inner_text("main")
    one.goto(page_of)
    assert "顾海燕 配置发布" in " ".join(one.inner_text(".waits").split())
    session.rollback()
    assert newest(session).value == "5"

    two.goto(f"{address}/approvals/")
    two.click("text=登录失败锁定次数")
    press(two, "发布")
    session.rollback()
    assert newest(session).value == "7"

    two.goto(f"{page_of}?tab=versions")
    two.click("text=第 1 版")
    press(two, "恢复到这一版", "又不需要了")
    one.goto(two.url)
    press(one, "发布")
    session.rollback()
    assert newest(session).value == "5"
    made = session.scalars(select(ConfigVersion).where(ConfigVersion.object_key == CODE)).all()
    assert [(m.number, m.act.label, m.reason) for m in made][1:] == [
        (2, "修改", "外部审计要求"),
        (3, "恢复", "又不需要了"),
    ]
    assert {(m.author.name, m.published_by.name) for m in made[1:]} == {
        ("方志远", "顾海燕"),
        ("顾海燕", "方志远"),
    }
    assert not session.scalars(
        select(ConfigProposal).where(ConfigProposal.state == "PENDING")
    ).all()
    newest(session, "config.four_eyes").value = "否"
    session.commit()


def press(page, label, reason=""):
    """A button of the page's head, with what its dialog asks for."""
    page.get_by_role("button", name=label, exact=True).first.click()
    dialog = page.locator("dialog[open]")
    if reason:
        dialog.get_by_role("textbox").fill(reason)
    with page.expect_navigation():
        dialog.get_by_role("button", name=label, exact=True).click()
