"""A rule while it is being written: its fault, its sentence, the rows of the reader's scope, and why it holds."""

import pytest
from sqlalchemy import func, select

from models.guarantee.project import Project
from reports.base.scope import scoped


@pytest.fixture
def ask(demo_app):
    def asked(user, table, **fields):
        answer = demo_app.post(demo_app.client_of(user), f"/{table}/rule", **fields)
        return answer.status_code, answer.get_json()

    return asked


def test_a_rule_is_told_wrong_at_its_place(ask):
    assert ask("admin", "product", text="产品名 = 1") == (
        200,
        {"error": "第 1 个字：没有叫‘产品名’的字段，是不是‘产品名称’？", "at": 0},
    )
    assert ask("admin", "product", text="(" * 10_000)[1]["error"].startswith("第 1 个字：规则最长")


@pytest.mark.parametrize("user", ["zhoumin", "hejianguo"])
def test_the_rows_counted_are_those_of_the_reader(demo_app, ask, user):
    status, found = ask(user, "project", text="担保金额 大于 0且客户 不为空")
    assert status == 200
    assert found["sentence"] == "担保金额 > 0 且 客户 不为空"
    with demo_app.session() as session:
        query = scoped(select(func.count()).select_from(Project), Project, demo_app.actor_of(user))
        assert found["rows"] == session.scalar(query) > 0


def test_nobody_learns_by_counting_what_he_may_not_read(ask):
    for text in ("客户的客户名称 不为空", "存在 借据", "客户 = “某公司”"):
        assert "rows" in ask("hejianguo", "project", text=text)[1], text
        assert "rows" not in ask("zhoumin", "project", text=text)[1], text


def test_a_record_says_why(demo_app, ask):
    with demo_app.session() as session:
        project = session.scalars(select(Project).order_by(Project.id)).first()
        key, amount = project.id, project.amount
    found = ask("hejianguo", "project", text="担保金额 > 1元 且 客户 为空", record=str(key))[1]
    assert found["why"][:2] == ["全部满足：否", f"　担保金额 {amount:,.2f} > 1.00：是"]
    assert ask("hejianguo", "project", text="担保金额 > 1", record="999999")[0] == 404


def test_what_a_rule_may_name(demo_app):
    found = demo_app.client_of("admin").get("/project/rule").get_json()
    fields = {one["label"]: one for one in found["fields"]}
    assert fields["担保金额"]["kind"] == "MONEY"
    assert "客户的客户名称" in fields
    assert found["children"]
    assert demo_app.client_of("admin").get("/project/rule?field=number").status_code == 404
