"""移交: customers and projects go to somebody else row by row; who holds a project does not leave (K3, 10.2)."""

import pytest
from sqlalchemy import select

from models.after.warning import RiskWarning, WarningRule, WarningState
from models.base.errors import BusinessError, Conflict, NotAllowed, NotFound, StaleRecord
from models.guarantee.archive import ArchiveItem, ArchiveLoan, ArchiveState
from models.guarantee.project import ProjectHolder, Stage
from models.system.organization import Operator
from models.system.setup import AuditLog
from reports.figures import holdings
from tests.workflows.guarantee.factories import ASSISTANT, DEPARTMENT_HEAD, MANAGER, OUTSIDER, RISK
from workflows.base import records
from workflows.guarantee import application
from workflows.system.hand_over import Piece, hand_over, successors

STAGES = (Stage.REVIEW, Stage.IN_FORCE)


def of(record, role=""):
    return Piece("project" if role else "customer", record.id, role, record.version)


def give(
    line, pieces, *, who=DEPARTMENT_HEAD, person=MANAGER, to=DEPARTMENT_HEAD, reason="调离岗位"
):
    ctx = line.ctx(who) if who else line.ctx()
    return hand_over(ctx, line.people[person], line.people[to].id, pieces, reason)


def held(line, project):
    query = (
        select(ProjectHolder)
        .where(ProjectHolder.project_id == project.id)
        .order_by(ProjectHolder.id)
    )
    return [(row.role, row.employee.name, row.until_on) for row in line.session.scalars(query)]


def test_customers_and_projects_go_with_a_reason_and_the_earlier_holder_stays_in_the_history(line):
    project = line.at(Stage.REVIEW)
    customer, version = project.customer, project.version
    assert give(line, [of(customer), of(project, "A角")]) == 2
    assert (customer.manager.name, project.manager.name) == (DEPARTMENT_HEAD, DEPARTMENT_HEAD)
    assert project.assistant.name == ASSISTANT
    assert project.version == version + 1
    assert held(line, project)[:3] == [
        ("A角", MANAGER, line.today),
        ("B角", ASSISTANT, None),
        ("A角", DEPARTMENT_HEAD, None),
    ]
    notes = select(AuditLog.note).where(AuditLog.action == "HAND_OVER").order_by(AuditLog.id)
    assert line.session.scalars(notes).all() == [
        f"由{MANAGER}移交给{DEPARTMENT_HEAD}：调离岗位",
        f"A角由{MANAGER}移交给{DEPARTMENT_HEAD}：调离岗位",
    ]
    with pytest.raises(NotFound):
        records.find(line.ctx(MANAGER), type(project), project.id)


def test_who_gets_it_back_on_the_same_day_goes_on(line):
    project = line.at(Stage.IN_FORCE)
    give(line, [of(project, "A角")])
    give(line, [of(project, "A角")], person=DEPARTMENT_HEAD, to=MANAGER)
    assert [
        (role, name)
        for role, name, until in held(line, project)
        if until is None and role in ("A角", "B角")
    ] == [
        ("A角", MANAGER),
        ("B角", ASSISTANT),
    ]


@pytest.mark.parametrize("who", [MANAGER, OUTSIDER, RISK])
def test_only_the_head_of_the_department_or_an_administrator_hands_over(line, who):
    with pytest.raises((NotAllowed, NotFound, BusinessError)):
        give(line, [of(line.at(Stage.REVIEW), "A角")], who=who)
    assert line.at(Stage.REVIEW).manager.name == MANAGER


def test_a_head_stays_within_the_department_an_administrator_does_not(line):
    project = line.at(Stage.REVIEW)
    assert OUTSIDER not in [
        one.name for one in successors(line.ctx(DEPARTMENT_HEAD), line.people[MANAGER])
    ]
    with pytest.raises(BusinessError, match="跨部门移交请由系统管理员办理") as caught:
        give(line, [of(project, "A角")], to=OUTSIDER)
    assert caught.value.field == "employee_id"
    give(line, [of(project.customer), of(project, "A角")], who="", to=OUTSIDER)
    away = line.people[OUTSIDER].department_id
    assert (project.department_id, project.customer.department_id) == (away, away)
    with pytest.raises((NotAllowed, NotFound)):
        give(line, [of(project.customer)], person=OUTSIDER)
    assert project.customer.manager.name == OUTSIDER


@pytest.mark.parametrize("to", [RISK, MANAGER])
def test_who_does_no_such_business_takes_nothing_over(line, to):
    with pytest.raises(BusinessError, match="请选择有办理项目权限"):
        give(line, [of(line.at(Stage.REVIEW), "A角")], to=to)


def test_a_project_keeps_two_people(line):
    project = line.at(Stage.REVIEW)
    with pytest.raises(BusinessError, match="A角与B角不能为同一人"):
        give(line, [of(project, "A角")], to=ASSISTANT)
    with pytest.raises(BusinessError, match="A角与B角不能为同一人"):
        give(line, [of(project, "B角")], person=ASSISTANT, to=MANAGER)


def test_what_has_changed_or_is_not_theirs_is_refused(line):
    project = line.at(Stage.REVIEW)
    with pytest.raises(StaleRecord):
        give(line, [of(project, "A角")._replace(version=project.version - 1)])
    with pytest.raises(Conflict, match=f"已不由{ASSISTANT}承办"):
        give(line, [of(project, "A角")], person=ASSISTANT)
    with pytest.raises(Conflict, match=f"已不由{MANAGER}承办"):
        give(line, [of(project, "风控复核人")])
    with pytest.raises(Conflict, match=f"已不由{ASSISTANT}管理"):
        give(line, [of(project.customer)], person=ASSISTANT)


@pytest.mark.parametrize(
    ("given", "field"), [({"reason": " "}, "reason"), ({"reason": "长" * 201}, "reason")]
)
def test_a_reason_is_needed(line, given, field):
    with pytest.raises(BusinessError) as caught:
        give(line, [of(line.at(Stage.REVIEW), "A角")], **given)
    assert caught.value.field == field


def test_nothing_ticked_is_said(line):
    with pytest.raises(BusinessError, match="请至少勾选一项") as caught:
        give(line, [])
    assert caught.value.field == "rows"


def test_who_holds_open_projects_does_not_leave_nor_is_disabled(line):
    person = line.people[ASSISTANT]
    said = "还承办 2 个未结束的担保项目；请先由部门经理或系统管理员在员工页面的“移交”中交给他人，再办理离职"
    with pytest.raises(Conflict, match=said) as caught:
        records.update(line.ctx(), person, {"is_active": False}, person.version)
    assert caught.value.field == "is_active"
    line.session.refresh(person)
    account = line.session.scalars(select(Operator).where(Operator.employee_id == person.id)).one()
    with pytest.raises(Conflict, match="再停用"):
        records.update(line.ctx(), account, {"is_disabled": True}, account.version)
    line.session.refresh(account)
    give(line, [of(line.at(stage), "B角") for stage in STAGES], person=ASSISTANT)
    records.update(line.ctx(), person, {"is_active": False}, person.version)
    assert not person.is_active


@pytest.mark.parametrize("role", ["风控复核人", "法务"])
def test_who_only_reviews_or_reads_contracts_of_open_projects_does_not_leave(line, role):
    """Nor the manager of customers alone; all of it is on the page 移交."""
    project, person = line.at(Stage.IN_FORCE), line.people[OUTSIDER]
    for stage in STAGES:
        setattr(line.at(stage), holdings.ROLES[role], None)
    setattr(project, holdings.ROLES[role], person.id)
    line.session.flush()
    with pytest.raises(Conflict, match=r"还承办 1 个未结束的担保项目；请先.*“移交”"):
        records.update(line.ctx(), person, {"is_active": False}, person.version)
    line.session.refresh(person)
    setattr(project, holdings.ROLES[role], None)
    project.customer.manager_id = person.id
    line.session.flush()
    with pytest.raises(Conflict, match=r"还管理 1 个客户；请先.*“移交”"):
        records.update(line.ctx(), person, {"is_active": False}, person.version)
    line.session.refresh(person)
    give(line, [of(project.customer)], who="", person=OUTSIDER, to=MANAGER)
    facts = {"kind": "CONTRACT", "name": "保证合同", "copies": 1, "state": ArchiveState.LISTED}
    item = ArchiveItem(project=project, **facts)
    slip = ArchiveLoan(
        item=item, borrower=person, purpose="核对", lent_on=line.today, due_on=line.today
    )
    line.session.add_all([item, slip])
    line.session.flush()
    with pytest.raises(
        Conflict, match="还有 1 份借阅的项目档案未归还；请先归还借阅的项目档案，再办理离职"
    ):
        records.update(line.ctx(), person, {"is_active": False}, person.version)
    line.session.refresh(person)
    slip.returned_on = line.today
    line.session.flush()
    records.update(line.ctx(), person, {"is_active": False}, person.version)
    assert not person.is_active


def test_warnings_that_wait_for_a_persons_handling_go_along(line):
    project = line.at(Stage.IN_FORCE)
    rule = line.session.scalars(select(WarningRule).order_by(WarningRule.id)).first()
    mine, lifted = (
        RiskWarning(
            number=f"YJ-{state.name}",
            rule_id=rule.id,
            project_id=project.id,
            record_table="project",
            record_id=project.id,
            trigger=state.name,
            level=rule.level,
            message="到期",
            raised_on=line.today,
            deadline=line.today,
            owner_id=project.manager_id,
            state=state,
            **({"lifted_on": line.today, "reason": "已还"} if state is WarningState.LIFTED else {}),
        )
        for state in (WarningState.HANDLING, WarningState.LIFTED)
    )
    line.session.add_all([mine, lifted])
    line.session.flush()
    give(line, [of(project, "A角")])
    assert mine.owner_id == line.people[DEPARTMENT_HEAD].id
    assert lifted.owner_id == line.people[MANAGER].id


def test_who_reviews_and_who_reads_contracts_is_handed_over_to_who_can(line):
    """By an administrator, to whoever could have begun it; nobody reviews a project of their own."""
    project = line.at(Stage.IN_FORCE)
    risk, legal = project.risk_officer, project.legal_officer
    other = line.people[DEPARTMENT_HEAD]
    for role, person in (("风控复核人", risk), ("法务", legal)):
        with pytest.raises(BusinessError, match=f"请选择能担任{role}") as caught:
            hand_over(line.ctx(), person, other.id, [of(project, role)], "调离")
        assert caught.value.field == "employee_id"
        able = [one.name for one in successors(line.ctx(), line.people[MANAGER], [role])]
        assert person.name in able
        assert MANAGER not in able
    project.risk_officer_id = other.id  # as if the head had been one of the risk department
    line.session.flush()
    assert hand_over(line.ctx(), other, risk.id, [of(project, "风控复核人")], "归还") == 1
    assert project.risk_officer_id == risk.id
    assert ("风控复核人", risk.name, None) in held(line, project)
    with pytest.raises(BusinessError, match="请选择有办理项目权限"):
        give(line, [of(project, "A角")], who="", to=RISK)


def test_what_has_ended_stays_with_who_held_it(line):
    project = line.apply()
    application.cancel(line.ctx(MANAGER), project, "客户撤回申请", project.version)
    with pytest.raises(Conflict, match="已不由"):
        give(line, [of(project, "A角")])
