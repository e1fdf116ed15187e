"""交办: asked of a colleague on any record's page, in his 待办 until he answers; nobody else moves it."""

import re

import pytest
from sqlalchemy import select

from models.guarantee.project import Project
from models.system.errand import Errand, ErrandState
from models.system.organization import Employee, Operator
from models.system.setup import SystemState


@pytest.fixture(scope="module")
def office(demo):
    """Names to numbers, the business date, and a project of 周敏's."""
    with demo.session() as session:
        people = dict(session.execute(select(Operator.username, Operator.employee_id)).all())
        project = session.scalar(
            select(Project.id).where(Project.manager_id == people["zhoumin"]).limit(1)
        )
        return people, session.get_one(SystemState, 1).business_date, project


def give(demo, office, who="zhoumin", to="chenli", **fields):
    people, today, project = office
    page = f"/errand/add?owner_table=project&owner_id={project}"
    sent = {"owner_table": "project", "owner_id": project, "what": "补一份担保费发票复印件"}
    sent |= {"doer_id": people[to], "due_on": str(today), **fields}
    return demo.post(demo.client_of(who), "/errand/add", page, **sent)


def the(demo, **where):
    with demo.session() as session:
        query = select(Errand).filter_by(**where).order_by(Errand.id.desc()).limit(1)
        return session.scalars(query).one_or_none()


def press(demo, who, errand, verb, **fields):
    page = f"/errand/show/{errand.id}"
    return demo.post(
        demo.client_of(who),
        f"/do/errand/{errand.id}/{verb}",
        page,
        version=errand.version,
        **fields,
    )


def test_an_errand_is_given_waits_and_is_answered(demo, office):
    _, today, project = office
    zhou, chen = demo.client_of("zhoumin"), demo.client_of("chenli")
    page = zhou.get(f"/project/show/{project}?tab=comments").get_data(as_text=True)
    assert f"/errand/add?owner_table=project&amp;owner_id={project}" in page
    form = zhou.get(f"/errand/add?owner_table=project&owner_id={project}").get_data(as_text=True)
    assert "关于担保项目" in form
    assert give(demo, office).status_code == 302
    made = the(demo)
    assert (made.state, made.about.startswith("担保项目 ")) == (ErrandState.PENDING, True)

    inbox = chen.get("/approvals/").get_data(as_text=True)
    assert re.search(rf'/errand/show/{made.id}"', inbox)
    assert "补一份担保费发票复印件" in inbox
    assert f"/errand/show/{made.id}" not in zhou.get("/approvals/").get_data(as_text=True)
    told = chen.get(f"/project/show/{project}?tab=comments").get_data(as_text=True)
    assert f"交办陈立，{today} 前：补一份担保费发票复印件" in told

    assert press(demo, "zhoumin", made, "finish", result="我自己办了").status_code == 403
    assert press(demo, "chenli", made, "withdraw", reason="不想办").status_code == 403
    empty = press(demo, "chenli", made, "finish", result=" ")
    assert empty.status_code == 400
    assert press(demo, "chenli", made, "finish", result="已放入项目档案").status_code == 302
    done = the(demo)
    assert (done.state, done.answer, done.done_on) == (ErrandState.DONE, "已放入项目档案", today)
    assert press(demo, "chenli", done, "finish", result="再办一次").status_code == 409
    assert f"/errand/show/{made.id}" not in chen.get("/approvals/").get_data(as_text=True)
    told = zhou.get(f"/project/show/{project}?tab=comments").get_data(as_text=True)
    assert "（已办理：已放入项目档案）" in told


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"to": "zhoumin"}, "自己要办的请写备注"),
        ({"due_on": "2020-01-01"}, "办理期限不能早于营业日期"),
        ({"to": "security"}, "该员工不能查看这条担保项目"),
        ({"what": ""}, "交办内容"),
    ],
)
def test_what_nobody_can_do_is_refused_where_it_was_said(demo, office, fields, message):
    before = the(demo)
    answer = give(demo, office, **fields)
    assert answer.status_code == 400
    assert message in answer.get_data(as_text=True)
    assert getattr(the(demo), "id", 0) == getattr(before, "id", 0)


def test_only_who_works_on_a_record_asks_about_it(demo, office):
    project = office[2]
    assert give(demo, office, who="auditor").status_code == 403
    own = {"owner_table": "errand", "owner_id": 1}
    assert give(demo, office, **own).status_code == 404
    assert give(demo, office, owner_table="no_such", owner_id=project).status_code == 404
    assert demo.client_of("zhoumin").get("/errand/add").status_code == 404
    assert 'href="/errand/add' not in demo.client_of("zhoumin").get("/errand/list/").text


def test_it_is_handed_on_to_nobody_who_could_not_do_it(demo, office):
    people, today, _ = office
    give(demo, office)
    made = the(demo)
    for who, fields, said in (
        ("chenli", {}, "已由该员工承办"),
        ("zhoumin", {"doer_id": people["zhoumin"]}, "自己办理的，请撤回交办"),
        ("chenli", {"doer_id": people["security"]}, "该员工不能查看所关联的记录"),
        (
            "chenli",
            {"doer_id": people["heping"], "due_on": "2020-01-01"},
            "办理期限不能早于营业日期",
        ),
    ):
        asked = {"doer_id": people["chenli"], "due_on": str(today), **fields}
        answer = press(demo, who, made, "hand_on", **asked)
        assert answer.status_code == 400
        assert said in answer.get_data(as_text=True)
    assert (the(demo).doer_id, the(demo).due_on) == (people["chenli"], today)
    back = {"doer_id": people["zhoumin"], "due_on": str(today)}
    assert press(demo, "chenli", made, "hand_on", **back).status_code == 302  # to who gave it
    assert the(demo).doer_id == people["zhoumin"]


def test_it_is_handed_on_and_taken_back_and_comes_back_from_who_has_left(demo, office):
    people, today, _ = office
    give(demo, office)
    made = the(demo)
    whom = {"doer_id": people["heping"], "due_on": str(today)}
    assert press(demo, "heping", made, "hand_on", **whom).status_code == 403
    assert press(demo, "chenli", made, "hand_on", **whom).status_code == 302
    moved = the(demo)
    assert moved.doer_id == people["heping"]
    with demo.session() as session:
        session.get_one(Employee, people["heping"]).is_active = False
        session.commit()
    try:
        inbox = demo.client_of("zhoumin").get("/approvals/").get_data(as_text=True)
        assert f"/errand/show/{made.id}" in inbox
    finally:
        with demo.session() as session:
            session.get_one(Employee, people["heping"]).is_active = True
            session.commit()
    assert press(demo, "zhoumin", moved, "withdraw", reason="").status_code == 400
    assert press(demo, "zhoumin", moved, "withdraw", reason="不需要了").status_code == 302
    assert the(demo).state is ErrandState.WITHDRAWN
