"""The approval engine: submitting, deciding by each mode, returning, withdrawing, handing on, and what follows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, table, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import column

from models.approval.approval import (
    ApprovalState,
    ApprovalTask,
    FlowCustomerKind,
    NodeChooser,
    NodeMode,
    TaskState,
)
from models.base.actor import SYSTEM
from models.base.errors import BusinessError, Conflict, IllegalTransition, NotAllowed, StaleRecord
from models.guarantee.product import GuaranteeKind, Product
from models.system.organization import Operator
from models.system.setup import AuditLog
from reports.figures import approvals
from tests.workflows.approval_world import TODAY, World
from workflows.approval import approval, decide, steps
from workflows.approval.approval import Decision
from workflows.base.context import Ctx

BEGINS_WITH = "tables"


@pytest.fixture
def world(session, monkeypatch):
    monkeypatch.setattr(steps, "_HANDLERS", {})
    return World(session)


@pytest.fixture
def risk(world):
    return world.position("risk", "甲", "乙")


def vote(world, position, quorum="66.67", share="66.67"):
    return world.node(
        10,
        position,
        mode=NodeMode.VOTE,
        quorum_pct=Decimal(quorum),
        pass_pct=Decimal(share),
        hours_limit=24,
    )


# --- submitting ------------------------------------------------------------------------------------------------


def test_the_first_node_asks_its_people_and_freezes_the_facts(world, risk):
    world.flow(world.node(10, risk, hours_limit=48), world.node(20))
    found = world.start("1234567.89")
    assert (found.state, found.current_node_seq, found.department_id) == (
        ApprovalState.RUNNING,
        10,
        world.branch.id,
    )
    assert world.waiting(found) == ["乙", "甲"]
    # 48 working hours are six days of eight: from Monday morning to the next Monday evening
    assert world.task(found, "甲").due_at == world.now + timedelta(days=7, hours=9)
    assert found.facts["amount"] == "1234567.89"
    assert found.facts["record"]["name"] == "业务一部"


def test_no_flow_is_refused_naming_what_was_looked_for(world):
    product = Product(
        code="P1",
        name="流贷担保",
        guarantee_kind=GuaranteeKind.LOAN,
        amount_max=Decimal(100),
        months_max=12,
        fee_rate_pct=Decimal(2),
    )
    world.session.add(product)
    world.session.flush()
    with pytest.raises(BusinessError) as refused:
        world.start("1000000", product_id=product.id, customer_kind="CORPORATE")
    for word in ("测试业务", "流贷担保", "1,000,000.00", "对公客户", "业务一部", "审批流程"):
        assert word in refused.value.message


def test_no_flow_without_facts_still_names_the_type(world):
    ctx = Ctx(world.session, world.actor("申请人"), TODAY, world.now)
    world.people["申请人"].department_id = world.branch.id
    with pytest.raises(BusinessError, match="没有适用的审批流程"):
        approval.start(ctx, "unknown.type", world.branch, title="x", amount=None)
    assert "业务类型“unknown.type”；" in approval._no_flow(ctx, "unknown.type", approvals.Facts())


def test_a_node_without_people_is_refused_before_anything_is_written(world):
    world.flow(
        world.node(10, world.position("risk", "甲")), world.node(20, world.position("empty"))
    )
    with pytest.raises(BusinessError, match="岗位“empty岗”没有在职且账号可用的人员"):
        world.start()
    assert approvals.history(world.session, world.branch) == []


def test_who_submits_is_never_asked(world):
    world.flow(world.node(10, world.position("risk", "甲", "乙")))
    found = world.start(ctx=world.ctx("甲"))
    assert world.waiting(found) == ["乙"]


def test_the_only_holder_of_a_position_cannot_submit_to_it(world):
    world.flow(world.node(10, world.position("risk", "甲")))
    with pytest.raises(BusinessError, match="本人不能审批自己提交的业务"):
        world.start(ctx=world.ctx("甲"))


def test_a_manager_who_submits_is_passed_over_for_the_one_above(world):
    world.flow(world.node(10))
    assert world.waiting(world.start()) == ["经理"]
    assert world.waiting(world.start(ctx=world.ctx("经理"), record=world.head)) == ["总监"]
    with pytest.raises(BusinessError, match="申请部门的负责人"):
        world.start(ctx=world.ctx("总监"), record=world.people["甲"], department_id=world.head.id)


def test_members_for_another_department_are_not_asked(world):
    position = world.position("risk", "甲", department=world.head)
    world.position("risk", "乙", department=world.branch)
    world.flow(world.node(10, position))
    # the head office covers the branch below it
    assert world.waiting(world.start()) == [
        "乙",
        "甲",
    ]
    assert world.waiting(world.start(record=world.head, department_id=world.head.id)) == ["甲"]


def test_those_who_left_are_not_asked(world, risk):
    world.people["甲"].is_active = False
    world.flow(world.node(10, risk))
    assert world.waiting(world.start()) == ["乙"]


def test_a_role_asks_its_active_operators(world):
    role = table("ab_role", column("id"), column("name"))
    users = table(
        "ab_user",
        column("id"),
        column("first_name"),
        column("last_name"),
        column("username"),
        column("email"),
    )
    link = table("ab_user_role", column("id"), column("user_id"), column("role_id"))
    group = table("ab_group", column("id"), column("name"))
    in_group = table("ab_user_group", column("id"), column("user_id"), column("group_id"))
    group_role = table("ab_group_role", column("id"), column("group_id"), column("role_id"))
    session = world.session
    session.execute(insert(role).values(id=901, name="审批角色"))
    session.execute(insert(group).values(id=901, name="审批组"))
    session.execute(insert(group_role).values(id=901, group_id=901, role_id=901))
    for no, name in enumerate(("甲", "乙", "丙"), 901):
        session.execute(
            insert(users).values(
                id=no, first_name=name, last_name=name, username=name, email=f"{no}@x.cn"
            )
        )
        session.add(
            Operator(
                username=name, employee_id=world.id(name), user_id=no, is_disabled=name == "丙"
            )
        )
        if name == "乙":
            session.execute(insert(in_group).values(id=no, user_id=no, group_id=901))
        else:
            session.execute(insert(link).values(id=no, user_id=no, role_id=901))
    session.flush()
    world.flow(world.node(10, chooser=NodeChooser.ROLE, role_name="审批角色"))
    assert world.waiting(world.start()) == ["乙", "甲"]
    missing = world.flow(
        world.node(10, chooser=NodeChooser.ROLE, role_name="没有"), code="F2", priority=9
    )
    with pytest.raises(BusinessError, match="角色“没有”"):
        world.start(record=world.head)
    assert missing.id


def test_a_record_is_in_one_approval_of_a_type_at_a_time(world, risk):
    world.flow(world.node(10, risk))
    first = world.start()
    with pytest.raises(Conflict, match="正在审批中"):
        world.start()
    world.reject(first, "甲")
    assert world.start().state is ApprovalState.RUNNING


def test_the_database_itself_refuses_a_second_running_approval(world, risk, monkeypatch):
    world.flow(world.node(10, risk))
    world.start()
    monkeypatch.setattr(approvals, "running", lambda *_: None)
    with pytest.raises(Conflict, match="正在审批中"):
        world.start()


def test_a_user_without_an_employee_cannot_submit(world, risk):
    world.flow(world.node(10, risk))
    nobody = Ctx(world.session, SYSTEM, TODAY, world.now)
    with pytest.raises(BusinessError, match="需要申请人"):
        world.start(ctx=nobody)


def test_the_system_submits_for_a_person_or_for_the_owner_of_the_record(world, risk):
    world.flow(world.node(10, risk))
    first = world.start(ctx=world.system(), applicant_id=world.id("甲"))
    assert (first.applicant_id, world.waiting(first)) == (world.id("甲"), ["乙"])
    # the approval's own Scope names its applicant
    second = world.start(ctx=world.system(), record=first)
    assert second.applicant_id == world.id("甲")


def test_the_project_of_the_record_is_kept(world, risk):
    class Project:
        __tablename__ = "project"
        id = 7

    class Fee:
        __tablename__ = "fee"
        project_id = 8

    assert approval._project_id(Fee(), Project()) == 7
    assert approval._project_id(Project(), None) == 7
    assert approval._project_id(Fee(), None) == 8


# --- amounts: skipping, limits -----------------------------------------------------------------------------------


def test_a_node_is_skipped_below_its_amount_alone(world, risk):
    boss = world.position("boss", "丙")
    world.flow(
        world.node(10, risk), world.node(20, boss, skip_below=Decimal(5_000_000)), world.node(30)
    )
    small = world.start("4999999.99")
    world.approve(small, "甲")
    assert world.waiting(small) == ["经理"]
    large = world.start("5000000", record=world.head)
    world.approve(large, "甲")
    assert world.waiting(large) == ["丙"]
    assert [step.state for step in approvals.progress(small)] == ["DONE", "SKIPPED", "CURRENT"]
    assert [step.state for step in approvals.progress(large)] == ["DONE", "CURRENT", "TO_COME"]


def test_a_limit_ends_the_flow_only_up_to_its_amount(world, risk):
    world.flow(world.node(10, risk, approve_limit=Decimal(1_000_000)), world.node(20))
    small = world.start("1000000")
    assert world.approve(small, "甲").state is ApprovalState.APPROVED
    large = world.start("1000000.01", record=world.head)
    assert world.approve(large, "甲").state is ApprovalState.RUNNING
    assert world.waiting(large) == ["经理"]


def test_an_amount_above_the_last_limit_is_not_let_through(world, risk):
    world.flow(world.node(10, risk, approve_limit=Decimal(1_000_000)))
    with pytest.raises(BusinessError, match=r"超过.*审批限额 1,000,000.00 元"):
        world.start("1000000.01")
    assert world.start(None).state is ApprovalState.RUNNING


def test_a_flow_that_would_ask_nobody_is_refused(world, risk):
    world.flow(world.node(10, risk, skip_below=Decimal(100)))
    with pytest.raises(BusinessError, match="没有任何审批节点"):
        world.start("99.99")


# --- choice of the flow --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"amount": "100"}, "ANY"),
        ({"amount": None}, "ANY"),
        ({"amount": "1000"}, "BIG"),
        ({"amount": "9999.99"}, "BIG"),
        ({"amount": "10000"}, "ANY"),
        ({"amount": "1000", "customer_kind": FlowCustomerKind.PERSONAL}, "PERSON"),
        ({"amount": "100", "risk_grade": "HIGH"}, "GRADE"),
        ({"amount": "1000", "risk_grade": "HIGH", "customer_kind": "PERSONAL"}, "GRADE"),
    ],
)
def test_priority_then_the_most_conditions_choose_the_flow(world, risk, facts, code):
    world.flow(world.node(10, risk), code="ANY")
    world.flow(
        world.node(10, risk), code="BIG", amount_from=Decimal(1000), amount_to=Decimal(10000)
    )
    world.flow(
        world.node(10, risk),
        code="PERSON",
        amount_from=Decimal(1000),
        customer_kind=FlowCustomerKind.PERSONAL,
        department_id=world.head.id,
    )
    world.flow(world.node(10, risk), code="GRADE", risk_grade="HIGH", priority=5)
    assert world.start(**facts).flow.code == code


def test_a_flow_of_another_department_does_not_fit(world, risk):
    other = world._department("OT", "其他部", world.head)
    world.flow(world.node(10, risk), department_id=other.id)
    with pytest.raises(BusinessError, match="没有适用的审批流程"):
        world.start()


def test_a_type_out_of_use_takes_no_submissions(world, risk):
    world.flow(world.node(10, risk))
    world.type.is_active = False
    with pytest.raises(BusinessError, match="没有适用的审批流程"):
        world.start()


# --- deciding ------------------------------------------------------------------------------------------------------


def test_any_is_settled_by_the_first_and_frees_the_others(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    assert world.approve(found, "甲").state is ApprovalState.APPROVED
    assert found.finished_at == world.now
    done, freed = world.task(found, "甲"), world.task(found, "乙")
    assert (done.state, done.decided_by_id, done.on_behalf_of_id) == (
        TaskState.APPROVED,
        world.id("甲"),
        None,
    )
    assert (freed.state, freed.decided_by_id, str(freed.state)) == (
        TaskState.CANCELLED,
        None,
        "他人已办",
    )


def test_a_refusal_names_who_refused_and_nobody_else(world, risk):
    world.flow(world.node(10, risk), world.node(20))
    found = world.start()
    assert world.reject(found, "乙", " 资料不实 ").state is ApprovalState.REJECTED
    assert [world.task(found, name).state for name in "甲乙"] == [
        TaskState.CANCELLED,
        TaskState.REJECTED,
    ]
    assert world.task(found, "乙").opinion == "资料不实"
    assert found.current_node_seq is None


def test_all_must_agree(world, risk):
    world.flow(world.node(10, risk, mode=NodeMode.ALL))
    found = world.start()
    assert world.approve(found, "甲").state is ApprovalState.RUNNING
    assert world.waiting(found) == ["乙"]
    assert world.approve(found, "乙").state is ApprovalState.APPROVED


def test_all_is_ended_by_one_refusal(world, risk):
    world.flow(world.node(10, risk, mode=NodeMode.ALL))
    found = world.start()
    assert world.reject(found, "甲").state is ApprovalState.REJECTED


def test_a_vote_is_not_ended_by_a_single_refusal(world):
    world.flow(vote(world, world.position("board", "甲", "乙", "丙")))
    found = world.start()
    assert world.reject(found, "甲").state is ApprovalState.RUNNING
    assert world.approve(found, "乙").state is ApprovalState.RUNNING
    assert world.approve(found, "丙").state is ApprovalState.APPROVED  # 2 of 3 are 66.67 %
    assert world.task(found, "甲").state is TaskState.REJECTED


def test_a_vote_fails_when_it_can_no_longer_pass(world):
    world.flow(vote(world, world.position("board", "甲", "乙", "丙")))
    found = world.start()
    world.reject(found, "甲")
    assert world.reject(found, "乙").state is ApprovalState.REJECTED
    assert world.task(found, "丙").state is TaskState.CANCELLED


def test_a_vote_waits_for_its_quorum(world):
    world.flow(
        vote(world, world.position("board", "甲", "乙", "丙", "丁"), quorum="75", share="50")
    )
    found = world.start()
    world.approve(found, "甲")
    assert world.approve(found, "乙").state is ApprovalState.RUNNING
    assert world.approve(found, "丙").state is ApprovalState.APPROVED


def test_a_vote_cannot_be_returned(world):
    world.flow(vote(world, world.position("board", "甲", "乙", "丙")))
    with pytest.raises(BusinessError, match="票决节点只能同意或否决"):
        world.give_back(world.start(), "甲")


def test_each_task_is_decided_once(world, risk):
    world.flow(world.node(10, risk, mode=NodeMode.ALL))
    found = world.start()
    world.approve(found, "甲")
    with pytest.raises(Conflict, match="已由甲办理（同意）"):
        world.reject(found, "甲")
    assert world.task(found, "甲").state is TaskState.APPROVED


def test_the_database_lets_one_of_two_writers_through(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    task = world.task(found, "甲")
    table_ = ApprovalTask.__table__
    values = {"state": TaskState.CANCELLED, "decided_at": world.now}
    # past the loaded object
    world.session.execute(table_.update().where(table_.c.id == task.id).values(**values))
    assert task.state is TaskState.PENDING
    with pytest.raises(Conflict, match="该审批任务已办理（他人已办）"):
        steps.close_task(world.ctx("甲"), task, TaskState.APPROVED)
    assert task.state is TaskState.CANCELLED


def test_only_who_is_asked_decides(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    with pytest.raises(NotAllowed, match="不是分配给您的"):
        approval.decide(world.ctx("丙"), world.task(found, "甲"), Decision.APPROVE)


def test_the_system_decides_automatically(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    approval.decide(world.system(), world.task(found, "甲"), Decision.APPROVE)
    done = world.task(found, "甲")
    assert (done.is_automatic, done.decided_by_id, done.state) == (True, None, TaskState.APPROVED)


@pytest.mark.parametrize("decision", [Decision.REJECT, Decision.RETURN])
def test_an_opinion_is_needed_to_refuse_or_return(world, risk, decision):
    world.flow(world.node(10, risk))
    found = world.start()
    with pytest.raises(BusinessError, match="必须填写意见") as refused:
        approval.decide(world.ctx("甲"), world.task(found, "甲"), decision, "  ")
    assert list(refused.value.field_errors) == ["opinion"]
    with pytest.raises(BusinessError, match="最多 2000 个字"):
        world.approve(found, "甲", "长" * 2001)
    assert world.waiting(found) == ["乙", "甲"]


def test_a_stale_page_is_refused(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    task = world.task(found, "甲")
    with pytest.raises(StaleRecord):
        world.approve(found, "甲", version=task.version + 1)
    assert world.approve(found, "甲", version=task.version).state is ApprovalState.APPROVED


def test_a_task_left_open_by_a_finished_approval_cannot_be_decided(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    found.state, found.finished_at, found.current_node_seq = ApprovalState.REJECTED, world.now, None
    world.session.flush()
    with pytest.raises(Conflict, match="已否决，不能再办理"):
        world.approve(found, "甲")


def test_a_decision_is_in_the_audit_trail(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    world.reject(found, "甲", "不行")
    query = select(AuditLog).where(
        AuditLog.table_name == "approval_task", AuditLog.action == "UPDATE"
    )
    lines = world.session.scalars(query.order_by(AuditLog.id)).all()
    assert lines[0].changes == {"state": ["PENDING", "REJECTED"], "opinion": [None, "不行"]}
    assert lines[0].employee_id == world.id("甲")


def test_checks_tie_states_to_facts(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    for statement in (
        "UPDATE approval_task SET state = 'APPROVED'",
        "UPDATE approval_task SET state = 'REJECTED', decided_at = created_at, decided_by_id = assignee_id",
        "UPDATE approval_instance SET state = 'APPROVED'",
    ):
        with pytest.raises(IntegrityError), world.session.begin_nested():
            world.session.execute(text(statement))
    assert found.state is ApprovalState.RUNNING


# --- returning, withdrawing ----------------------------------------------------------------------------------------


def test_returning_to_the_applicant_ends_this_submission(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    assert world.give_back(found, "甲").state is ApprovalState.RETURNED
    assert [world.task(found, name).state for name in "甲乙"] == [
        TaskState.RETURNED,
        TaskState.CANCELLED,
    ]
    again = world.start()
    assert again.id != found.id


def test_returning_to_an_earlier_node_starts_a_new_round(world, risk):
    world.flow(world.node(10, risk), world.node(20), world.node(30, world.position("boss", "丙")))
    found = world.start()
    world.approve(found, "甲")
    world.approve(found, "经理")
    world.give_back(found, "丙", to_seq=10)
    assert (found.state, found.current_node_seq, found.round_no) == (ApprovalState.RUNNING, 10, 2)
    assert world.waiting(found) == ["乙", "甲"]
    for name in ("乙", "经理", "丙"):
        world.approve(found, name)
    assert found.state is ApprovalState.APPROVED


@pytest.mark.parametrize("seq", [10, 20, 30, 99])
def test_only_earlier_nodes_that_were_visited_can_be_returned_to(world, risk, seq):
    world.flow(
        world.node(10, risk, skip_below=Decimal(5_000_000)),
        world.node(15, risk),
        world.node(20),
        world.node(30),
    )
    found = world.start()
    world.approve(found, "甲")
    with pytest.raises(BusinessError, match="只能退回到已经办理过的前面节点"):
        world.give_back(found, "经理", to_seq=seq)


def test_the_applicant_withdraws_before_the_first_action(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    with pytest.raises(NotAllowed, match="只有申请人可以撤回"):
        approval.withdraw(world.ctx("甲"), found)
    assert approval.withdraw(world.ctx(), found).state is ApprovalState.WITHDRAWN
    assert world.task(found, "甲").state is TaskState.WITHDRAWN
    with pytest.raises(Conflict, match="已撤回，不能再办理"):
        approval.withdraw(world.ctx(), found)


def test_after_an_action_nothing_is_withdrawn(world, risk):
    world.flow(world.node(10, risk, mode=NodeMode.ALL))
    found = world.start()
    world.approve(found, "甲")
    with pytest.raises(Conflict, match="已有审批人办理"):
        approval.withdraw(world.ctx(), found)


def test_what_has_ended_does_not_end_again(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    world.approve(found, "甲")
    with pytest.raises(IllegalTransition, match="已通过"):
        steps.finish(world.ctx("甲"), found, ApprovalState.REJECTED)


# --- handing on, adding, urging, time limits -----------------------------------------------------------------------


def test_handing_on_moves_the_task(world, risk):
    world.flow(world.node(10, risk, mode=NodeMode.ALL))
    found = world.start()
    approval.transfer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"), "出差")
    assert world.waiting(found) == ["丙", "乙"]
    assert (world.task(found, "甲").state, world.task(found, "甲").opinion) == (
        TaskState.TRANSFERRED,
        "转办给丙：出差",
    )
    world.approve(found, "丙")
    assert world.approve(found, "乙").state is ApprovalState.APPROVED


def test_handing_on_is_refused_to_the_wrong_people(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    world.people["丁"].is_active = False
    for employee_id, message in (
        (world.id("申请人"), "提交人"),
        (world.id("乙"), "已是本节点"),
        (world.id("丁"), "已离职"),
        (999999, "不存在"),
    ):
        with pytest.raises(BusinessError, match=message):
            approval.transfer(world.ctx("甲"), world.task(found, "甲"), employee_id, "出差")
    with pytest.raises(BusinessError, match="转办时必须填写意见"):
        approval.transfer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"), "")


def test_an_added_signer_must_agree_whatever_the_mode(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"))
    assert world.approve(found, "甲").state is ApprovalState.RUNNING
    assert world.waiting(found) == ["丙"]
    approval.transfer(world.ctx("丙"), world.task(found, "丙"), world.id("丁"), "专业问题")
    assert world.approve(found, "丁").state is ApprovalState.APPROVED


def test_an_added_signer_alone_does_not_settle_the_node(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丙"))
    assert world.approve(found, "丙").state is ApprovalState.RUNNING
    assert world.waiting(found) == ["乙", "甲"]
    assert world.approve(found, "乙").state is ApprovalState.APPROVED


def test_voters_are_the_flows_own(world):
    world.flow(vote(world, world.position("board", "甲", "乙", "丙")))
    found = world.start()
    with pytest.raises(BusinessError, match="不能加签"):
        approval.add_signer(world.ctx("甲"), world.task(found, "甲"), world.id("丁"))


def test_those_who_are_waited_for_are_urged_once_in_so_many_hours(world, risk):
    world.flow(world.node(10, risk))
    found = world.start()
    assert approval.urge(world.ctx(), found) == 2
    assert [task.urged_at for task in found.tasks] == [world.now, world.now]
    with pytest.raises(Conflict, match="1 小时内已经催办过"):
        approval.urge(world.ctx(), found)
    world.now += timedelta(hours=1)
    assert approval.urge(world.system(), found) == 2
    with pytest.raises(NotAllowed, match="催办"):
        approval.urge(world.ctx("甲"), found)


def test_overdue_tasks_are_noted_once(world, risk):
    world.flow(world.node(10, risk, hours_limit=1))
    found = world.start()
    assert approval.escalate_overdue(world.system()) == 0
    first = world.now = world.now + timedelta(hours=2)
    assert approval.escalate_overdue(world.system()) == 2
    world.now += timedelta(hours=2)
    assert approval.escalate_overdue(world.system()) == 2
    assert [task.escalated_at for task in found.tasks] == [first, first]


def test_a_vote_whose_time_is_up_counts_the_votes_cast(world):
    world.flow(vote(world, world.position("board", "甲", "乙", "丙"), share="100"))
    found = world.start()
    world.approve(found, "甲")
    world.now += timedelta(days=3)
    approval.escalate_overdue(world.system())
    assert found.state is ApprovalState.RUNNING  # one of three is no quorum
    world.approve(found, "乙")
    approval.escalate_overdue(world.system())
    assert found.state is ApprovalState.APPROVED
    assert world.task(found, "丙").state is TaskState.CANCELLED
    decide.close_vote(
        world.system(), found.id, found.flow.nodes[0]
    )  # ended meanwhile: nothing to do
    assert found.state is ApprovalState.APPROVED


# --- what follows --------------------------------------------------------------------------------------------------


def test_the_handler_acts_by_rule_but_knows_who_decided(world, risk):
    seen = []

    @approval.on_finish("loan.test")
    def follow(ctx, instance, record, outcome):
        seen.append((ctx.actor.is_system, ctx.actor.employee_id, instance.title, record, outcome))
        # a follow-up may take the session's context over
        Ctx(ctx.session, SYSTEM, ctx.today, ctx.now)

    world.flow(world.node(10, risk))
    found = world.start()
    ctx = world.ctx("甲")
    approval.decide(ctx, world.task(found, "甲"), Decision.APPROVE)
    assert seen == [(True, world.id("甲"), "测试申请", world.branch, ApprovalState.APPROVED)]
    assert world.session.info["ctx"] is ctx


def test_each_outcome_reaches_the_handler(world, risk):
    seen = []
    approval.on_finish("loan.test")(lambda _ctx, _instance, _record, outcome: seen.append(outcome))
    world.flow(world.node(10, risk))
    world.reject(world.start(), "甲")
    world.give_back(world.start(), "甲")
    approval.withdraw(world.ctx(), world.start())
    assert seen == [ApprovalState.REJECTED, ApprovalState.RETURNED, ApprovalState.WITHDRAWN]


def test_a_type_has_one_handler(world):
    approval.on_finish("loan.test")(print)
    with pytest.raises(ValueError, match="two handlers"):
        approval.on_finish("loan.test")(repr)


def test_a_record_that_is_gone_is_named(world, risk):
    approval.on_finish("loan.test")(lambda *_: None)
    world.flow(world.node(10, risk))
    found = world.start()
    found.record_id = 999999
    with pytest.raises(Conflict, match="业务记录已不存在"):
        world.approve(found, "甲")
