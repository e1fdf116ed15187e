"""Nobody is ever stuck (A8): who is needed hands over first, and an administrator gives a task to somebody else."""

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.approval.approval import ApprovalPositionMember, ApprovalState, NodeChooser, TaskState
from models.base.actor import SYSTEM
from models.base.errors import BusinessError, Conflict, NotAllowed, StaleRecord
from models.system.organization import Department, Employee, Operator
from models.system.setup import AuditLog
from reports.figures import duties
from tests.workflows.approval_world import NOW, TODAY, World
from tests.workflows.at_once import DONE, together
from workflows.approval import approval
from workflows.approval import reassign as approval_help
from workflows.approval.reassign import end, reassign, reassign_all
from workflows.base import records
from workflows.base.context import Ctx
from workflows.system import operators

BEGINS_WITH = "tables"
HELPER = frozenset({("can_reassign", "approval_task"), ("can_end", "approval_instance")})


@pytest.fixture
def world(session):
    return World(session)


@pytest.fixture
def started(world):
    """甲 and 乙 both consent at the first node, the president 丙 at the second; 甲 has consented."""
    first, last = world.position("risk", "甲", "乙"), world.position("president", "丙")
    world.flow(world.node(10, first, mode="ALL"), world.node(20, last))
    instance = world.start()
    world.approve(instance, "甲")
    return instance


def leave(world, name):
    person = world.people[name]
    return records.update(world.system(), person, {"is_active": False}, person.version)


def seat(world, name):
    query = select(ApprovalPositionMember).where(
        ApprovalPositionMember.employee_id == world.id(name)
    )
    return world.session.scalars(query).one()


def account(world, name, *roles):
    found = [
        world.session.scalar(select(Role).where(Role.name == r)) or Role(name=r) for r in roles
    ]
    user = User(
        username=f"u{world.id(name)}",
        first_name=name,
        last_name="",
        email=f"u{world.id(name)}@x",
        active=True,
        password="x",
        roles=found,
    )
    world.session.add(user)
    world.session.flush()
    made = Operator(username=user.username, employee_id=world.id(name), user_id=user.id)
    world.session.add(made)
    world.session.flush()
    return made


def helper(world, name="丁"):
    return world.ctx(name, permissions=HELPER)


def test_who_holds_a_task_after_an_earlier_consent_leaves_once_it_is_given_to_somebody(
    world, started
):
    with pytest.raises(
        Conflict, match="乙还有 1 项待办审批（测试业务）；请先由系统管理员改派"
    ) as caught:
        leave(world, "乙")
    assert caught.value.field == "is_active"
    world.session.refresh(world.people["乙"])
    task = world.task(started, "乙")
    reassign(helper(world), task, world.id("经理"), "乙即将离职", version=task.version)
    assert (task.state, task.decided_by.name, task.on_behalf_of.name) == (
        TaskState.TRANSFERRED,
        "丁",
        "乙",
    )
    assert task.opinion == "由乙改派给经理：乙即将离职"
    note = world.session.scalars(select(AuditLog.note).where(AuditLog.action == "REASSIGN")).one()
    assert note == "由乙改派给经理：乙即将离职"
    leave(world, "乙")
    world.approve(started, "经理")
    assert world.waiting(started) == ["丙"]


def test_a_task_that_was_handed_on_comes_back_to_the_same_person_in_the_same_round(world, started):
    def hand_on(name, to):
        return reassign(helper(world), world.task(started, name), world.id(to), "出差与返回")

    hand_on("乙", "经理")
    hand_on("经理", "乙")
    assert world.waiting(started) == ["乙"]
    with pytest.raises(BusinessError, match="甲已是本节点的审批人"):
        hand_on("乙", "甲")
    hand_on("乙", "经理")
    approval.transfer(world.ctx("经理"), world.task(started, "经理"), world.id("乙"), "请本人办理")
    world.approve(started, "乙")
    assert world.waiting(started) == ["丙"]


def test_the_only_member_of_a_position_stays_until_somebody_else_fills_it(world, started):
    with pytest.raises(Conflict, match="丙是岗位“president岗”的唯一可用人员"):
        leave(world, "丙")
    world.session.refresh(world.people["丙"])
    world.position("president", "丁")
    leave(world, "丙")
    assert not world.people["丙"].is_active


def test_whoever_is_disabled_counts_for_nothing_and_is_asked_nothing(world, started):
    mine = account(world, "丁")
    world.position("president", "丁")
    records.update(world.system(), mine, {"is_disabled": True}, mine.version)
    with pytest.raises(Conflict, match="唯一可用人员"):
        leave(world, "丙")
    world.session.refresh(world.people["丙"])
    world.approve(started, "乙")
    assert world.waiting(started) == ["丙"]


def test_an_account_is_disabled_after_handing_over(world, started):
    mine = account(world, "乙")
    with pytest.raises(Conflict, match="再停用") as caught:
        records.update(world.system(), mine, {"is_disabled": True}, mine.version)
    assert caught.value.field == "is_disabled"
    world.session.refresh(mine)
    records.update(world.system(), mine, {"rows_per_page": 50}, mine.version)
    reassign_all(helper(world), world.id("乙"), world.id("经理"), "出差")
    records.update(world.system(), mine, {"is_disabled": True}, mine.version)
    with pytest.raises(BusinessError, match="乙的账号已停用"):
        reassign(helper(world), world.task(started, "经理"), world.id("乙"), "回来了")


def test_who_led_a_department_alone_is_replaced_first(world):
    world.flow(world.node(10))
    leave(world, "经理")  # the head office has a manager of its own
    with pytest.raises(Conflict, match="总监是部门“总部”负责人的唯一可用人员"):
        leave(world, "总监")


def test_a_left_person_is_edited_freely_and_positions_of_no_flow_bind_nobody(world):
    world.position("idle", "甲")
    leave(world, "甲")
    person = world.people["甲"]
    records.update(world.system(), person, {"note": "已离职"}, person.version)
    records.delete(world.system(), seat(world, "甲"), seat(world, "甲").version)


def test_a_member_with_tasks_or_alone_stays_in_the_position(world, started):
    with pytest.raises(Conflict, match="还有 1 项待办审批"):
        records.delete(world.system(), seat(world, "乙"), seat(world, "乙").version)
    with pytest.raises(Conflict, match="丙是岗位“president岗”的唯一可用人员"):
        records.delete(world.system(), seat(world, "丙"), seat(world, "丙").version)
    records.delete(world.system(), seat(world, "甲"), seat(world, "甲").version)


def test_a_row_of_a_position_changes_hands_but_not_its_reach(world, started):
    row = seat(world, "丙")
    records.update(world.system(), row, {"department_id": None}, row.version)
    with pytest.raises(Conflict, match="岗位“president岗”的唯一"):
        records.update(world.system(), row, {"department_id": world.branch.id}, row.version)
    world.session.refresh(row)
    records.update(world.system(), row, {"employee_id": world.id("丁")}, row.version)
    world.position("president", "丙", department=world.branch)
    narrow = seat(world, "丙")
    records.update(world.system(), narrow, {"department_id": world.head.id}, narrow.version)


def test_a_role_that_flows_ask_is_not_taken_from_its_last_holder(world):
    mine, other = account(world, "丙", "总裁角色", "别的"), account(world, "丁", "总裁角色")
    world.flow(world.node(10, chooser=NodeChooser.ROLE, role_name="总裁角色"))
    world.start()
    ctx = world.system()
    with pytest.raises(Conflict, match="丙还有 1 项待办审批"):
        operators.grant_roles(ctx, mine, ["别的"])
    reassign_all(helper(world), world.id("丙"), world.id("甲"), "换人")
    operators.grant_roles(ctx, mine, ["别的"])
    reassign_all(helper(world, "乙"), world.id("丁"), world.id("经理"), "换人")
    with pytest.raises(Conflict, match="丁是角色“总裁角色”的唯一可用人员"):
        operators.grant_roles(ctx, other, [])
    with pytest.raises(Conflict, match="角色“总裁角色”"):
        leave(world, "丁")


def test_reassigning_needs_the_right_a_reason_and_a_fit_person(world, started):
    task = world.task(started, "乙")
    with pytest.raises(NotAllowed):
        reassign(world.ctx("丁"), task, world.id("经理"), "原因")
    with pytest.raises(NotAllowed, match="不能把审批任务改派给自己"):
        reassign(helper(world), task, world.id("丁"), "原因")
    for name, reason, words in (
        ("经理", "  ", "必须填写意见"),
        ("申请人", "原因", "提交人"),
        ("甲", "原因", "已是本节点的审批人"),
    ):
        with pytest.raises(BusinessError, match=words):
            reassign(helper(world), task, world.id(name), reason)
    with pytest.raises(StaleRecord):
        reassign(helper(world), task, world.id("经理"), "原因", version=task.version + 1)
    world.approve(started, "乙")
    with pytest.raises(Conflict, match="已由乙办理"):
        reassign(helper(world), task, world.id("经理"), "原因")


def test_an_added_signer_stays_one_after_a_change_of_hands(world, started):
    approval.add_signer(world.ctx("乙"), world.task(started, "乙"), world.id("总监"))
    reassign(helper(world), world.task(started, "总监"), world.id("经理"), "换人")
    world.approve(started, "乙")
    assert world.waiting(started) == ["经理"]


def test_an_approval_whose_record_is_gone_is_ended_by_an_administrator(world):
    world.flow(world.node(10))
    place = Department(code="GONE", name="已删", path="/")
    world.session.add(place)
    world.session.flush()
    instance = world.start(record=place)
    world.session.execute(delete(Department).where(Department.id == place.id))
    world.session.expire_all()
    assert approval_help.is_lost(world.system(), instance)
    with pytest.raises(NotAllowed):
        end(world.ctx("丁"), instance, "清理")
    with pytest.raises(BusinessError, match="必须填写意见"):
        end(helper(world), instance, "")
    end(helper(world), instance, "清理")
    assert (instance.state, world.waiting(instance)) == (ApprovalState.WITHDRAWN, [])
    with pytest.raises(Conflict):
        end(helper(world), instance, "清理")


def test_a_vacant_position_and_a_submitter_alone_are_told_apart(world):
    world.flow(world.node(10, world.position("empty")))
    with pytest.raises(
        BusinessError, match="岗位“empty岗”没有在职且账号可用的人员，请联系系统管理员"
    ):
        world.start()
    world.position("empty", "申请人")
    with pytest.raises(BusinessError, match="岗位“empty岗”只有提交人本人"):
        world.start()


def test_who_cannot_decide_any_more_is_said(world):
    assert duties.unable(world.session, world.people["甲"]) == "没有登录账号"
    mine = account(world, "甲")
    assert duties.unable(world.session, world.people["甲"]) == ""
    mine.is_disabled = True
    world.session.flush()
    assert duties.unable(world.session, world.people["甲"]) == "账号已停用"
    world.people["甲"].is_active = False
    assert duties.unable(world.session, world.people["甲"]) == "已离职"


def test_of_the_last_two_members_who_leave_at_once_one_stays(engine):
    with Session(engine, expire_on_commit=False) as session:
        world = World(session)
        world.flow(world.node(10, world.position("pair", "甲", "乙")))
        session.commit()
        ids = [world.id("甲"), world.id("乙")]

    def leaver(employee_id):
        def act(session):
            person = session.get_one(Employee, employee_id)
            records.update(
                Ctx(session, SYSTEM, TODAY, NOW), person, {"is_active": False}, person.version
            )

        return act

    assert together(engine, [leaver(one) for one in ids]) == ["Conflict", DONE]
