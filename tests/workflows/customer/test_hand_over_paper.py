"""10.2 客户移交 with approval: listed or all, with projects and open work, on its day, and what is in the way."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, FieldErrors, IllegalTransition, NotAllowed, NotFound
from models.base.paper import PaperState
from models.customer.hand_over import CustomerHandOver, HandedCustomer
from models.guarantee.project import ProjectHolder, Stage
from models.system.errand import Errand
from models.system.organization import Operator
from tests.workflows.guarantee.factories import (
    ASSISTANT,
    CASHIER,
    DEPARTMENT_HEAD,
    MANAGER,
    OUTSIDER,
    RISK_HEAD,
)
from workflows.base import records
from workflows.customer import hand_over

STAGES = (Stage.REVIEW,)


def drawn(line, *customers, who=MANAGER, giver=MANAGER, taker=DEPARTMENT_HEAD, **facts):
    """A paper over these customers, or over all of the giver's."""
    values = {
        "giver_id": line.id(giver),
        "taker_id": line.id(taker),
        "effective_on": line.today,
        "reason": "调离岗位",
        **facts,
    }
    paper = records.create(line.ctx(who), CustomerHandOver, values)
    for one in customers:
        row = {"customer_hand_over_id": paper.id, "customer_id": one.id}
        records.create(line.ctx(who), HandedCustomer, row)
    return paper


def passed(line, paper, who=MANAGER):
    hand_over.submit(line.ctx(who), paper, paper.version)
    line.approve(paper)
    return paper


def errand(line, customer, doer=MANAGER):
    made = Errand(
        what="补齐资料",
        about=customer.name,
        owner_table="corporate_customer",
        owner_id=customer.id,
        doer_id=line.id(doer),
        giver_id=line.id(RISK_HEAD),
        due_on=line.today,
    )
    line.session.add(made)
    line.session.flush()
    return made


def test_listed_customers_go_with_their_projects_and_open_work(line):
    project = line.at(Stage.REVIEW)
    busy, stays = project.customer, line.customer("留下的有限公司")
    work, other = errand(line, busy), errand(line, stays)
    paper = drawn(line, busy)
    assert [role for _, role in hand_over.going_over(line.ctx(), paper)] == ["客户经理", "A角"]
    hand_over.submit(line.ctx(MANAGER), paper, paper.version)
    assert busy.manager_id == line.id(MANAGER), "nothing happens before it is approved"
    line.approve(paper)
    assert (paper.state, paper.done_on) == (PaperState.APPROVED, line.today)
    taker = line.id(DEPARTMENT_HEAD)
    assert (busy.manager_id, project.manager_id, work.doer_id) == (taker,) * 3
    assert (stays.manager_id, other.doer_id) == (line.id(MANAGER),) * 2
    assert project.assistant_id == line.id(ASSISTANT)
    holders = select(ProjectHolder.until_on).where(
        ProjectHolder.project_id == project.id, ProjectHolder.employee_id == line.id(MANAGER)
    )
    assert line.session.scalars(holders).all() == [line.today], "the earlier holder is known"


def test_all_go_where_none_is_listed_and_projects_stay_where_it_says_so(line):
    project = line.at(Stage.REVIEW)
    more = line.customer("再一家有限公司")
    work = errand(line, more)
    passed(line, drawn(line, with_business=False))
    taker = line.id(DEPARTMENT_HEAD)
    assert (project.customer.manager_id, more.manager_id) == (taker, taker)
    assert (project.manager_id, work.doer_id) == (line.id(MANAGER), line.id(MANAGER))


def test_it_waits_for_its_day_and_the_day_end_carries_it_out_once(line):
    customer = line.customer("到期移交有限公司")
    paper = passed(line, drawn(line, customer, effective_on=line.today + timedelta(days=2)))
    assert (paper.state, paper.done_on) == (PaperState.APPROVED, None)
    line.later(days=1)
    assert hand_over.carry_out_due(line.ctx()) == 0
    assert customer.manager_id == line.id(MANAGER)
    line.later(days=1)
    assert hand_over.carry_out_due(line.ctx()) == 1
    assert (customer.manager_id, paper.done_on) == (line.id(DEPARTMENT_HEAD), line.today)
    assert hand_over.carry_out_due(line.ctx()) == 0


def test_what_is_in_the_way_on_its_day_is_said_and_mended_and_holds_up_nothing_else(line):
    first, second = line.customer("受阻有限公司"), line.customer("无碍有限公司")
    on = line.today + timedelta(days=1)
    wrong = passed(line, drawn(line, first, effective_on=on))
    right = passed(line, drawn(line, second, taker=ASSISTANT, effective_on=on))
    account = line.session.scalars(
        select(Operator).where(Operator.employee_id == line.id(DEPARTMENT_HEAD))
    ).one()
    person = line.people[DEPARTMENT_HEAD]
    person.is_active = False
    line.session.flush()
    line.later(days=1)
    assert hand_over.carry_out_due(line.ctx()) == 1
    assert (wrong.done_on, first.manager_id) == (None, line.id(MANAGER))
    assert "账号可用" in wrong.problem
    assert (right.done_on, second.manager_id) == (line.today, line.id(ASSISTANT))
    person.is_active = True
    assert account.employee_id == person.id
    line.session.flush()
    with pytest.raises(NotAllowed):
        hand_over.apply(line.ctx(MANAGER), wrong)
    hand_over.apply(line.ctx(RISK_HEAD), wrong, wrong.version)
    assert (first.manager_id, wrong.problem) == (person.id, None)
    with pytest.raises(NotAllowed, match="没有需要补办"):
        hand_over.apply(line.ctx(RISK_HEAD), wrong)


def test_what_cannot_be_is_refused_at_its_field(line):
    customer = line.customer("某有限公司")
    for facts, field in (
        ({"taker": MANAGER}, "taker_id"),
        ({"effective_on": line.today - timedelta(days=1)}, "effective_on"),
        ({"giver": OUTSIDER}, "giver_id"),
        ({"effective_on": "2026-13-45"}, "effective_on"),
        ({"reason": "长" * 201}, "reason"),
        ({"taker_id": "1 or 1=1"}, "taker_id"),
    ):
        with pytest.raises(FieldErrors) as error:
            drawn(line, customer, **facts)
        assert field in error.value.field_errors, facts
    theirs = line.customer("外部门有限公司", manager=OUTSIDER)
    with pytest.raises(FieldErrors, match="数据范围"):
        drawn(line, theirs)
    colleagues = line.customer("同事有限公司", manager=ASSISTANT)
    with pytest.raises(FieldErrors, match=r"不由王磊管理"):
        drawn(line, colleagues, who=DEPARTMENT_HEAD)


def test_who_may_ask_and_take_over(line):
    customer = line.customer("某有限公司")
    with pytest.raises(NotAllowed):
        drawn(line, customer, who=CASHIER)
    paper = drawn(line, customer)
    with pytest.raises(NotFound):
        hand_over.submit(line.ctx(OUTSIDER), paper, paper.version)
    unfit = drawn(line, customer, taker=CASHIER)
    with pytest.raises(BusinessError, match="没有办理项目的权限"):
        hand_over.submit(line.ctx(MANAGER), unfit, unfit.version)
    across = drawn(line, customer, taker=OUTSIDER)
    hand_over.submit(line.ctx(MANAGER), across, across.version)
    with pytest.raises(BusinessError, match=f"客户移交 {across.number} 正在审批"):
        hand_over.submit(line.ctx(MANAGER), paper, paper.version)
    with pytest.raises(IllegalTransition):
        hand_over.submit(line.ctx(MANAGER), across, across.version)
    line.reject(across)
    assert (across.state, customer.manager_id) == (PaperState.REJECTED, line.id(MANAGER))
    line.session.refresh(paper)
    passed(line, paper)
    assert customer.manager_id == line.id(DEPARTMENT_HEAD)
