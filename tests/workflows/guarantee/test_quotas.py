"""2.6 部门额度: granted by approval, drawn on by a department and those below it, refused with the figures."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.actor import ScopeLevel
from models.base.errors import BusinessError, FieldErrors, NotAllowed
from models.base.paper import PaperState
from models.guarantee.project import ProjectState, Stage
from models.guarantee.quota import DepartmentQuota
from models.system.organization import Department
from models.system.setup import Parameter
from reports.base.asked import Asked
from reports.figures import gate, quotas
from reports.guarantee.quotas import lines
from tests.workflows.guarantee.factories import DEPARTMENT_HEAD, MANAGER, MILLION, VICE
from workflows.base import records
from workflows.guarantee import application, limits, quota


def department(line, code):
    return line.session.scalars(select(Department).where(Department.code == code)).one()


def drawn_up(line, code="YW1", amount=8 * MILLION, **facts):
    values = {
        "department_id": department(line, code).id,
        "amount": amount,
        "starts_on": line.today,
        "ends_on": line.today + timedelta(days=300),
        "reason": "年度业务计划",
        **facts,
    }
    return records.create(line.ctx(VICE), DepartmentQuota, values)


def granted(line, code="YW1", amount=8 * MILLION, **facts):
    made = drawn_up(line, code, amount, **facts)
    quota.submit(line.ctx(VICE), made)
    line.approve(made)
    return made


def used(line, quota):
    return quotas.used(line.session, quotas.granted(line.session, line.today), quota)


def held_by(line, project):
    return quotas.granted(line.session, line.today).of(project.department_id)


def refused(line, project):
    with pytest.raises(BusinessError) as caught:
        application.submit(line.ctx(MANAGER), project)
    return str(caught.value)


def test_an_application_over_what_is_left_is_refused_with_the_figures_until_more_is_granted(line):
    line.project_at(Stage.IN_FORCE)  # 5,000,000 in force
    asked = line.project_at(Stage.APPLY)
    made = granted(line)
    said = refused(line, asked)
    assert "部门额度办理后为 10,000,000.00元，限额 8,000,000.00元" in said
    assert f"业务一部额度 {made.number} 余 3,000,000.00 元，其中决议已占用 0.00 元" in said
    more = granted(line, amount=10 * MILLION)
    application.submit(line.ctx(MANAGER), asked)
    assert asked.state is ProjectState.RUNNING
    # Taken back, the one before holds again, and the gate before the drawdown says so.
    quota.close(line.ctx(VICE), more, "业务计划调减")
    assert held_by(line, asked) is made
    found = {one.key: one for one in gate.gate(line.session, asked, line.today)}
    assert not found["department"].is_met
    assert "限额 8,000,000.00元" in found["department"].evidence


def test_it_holds_for_departments_below_it_that_have_none_and_not_for_others(line):
    top = granted(line, "HQ", 6 * MILLION)
    line.project_at(Stage.IN_FORCE)  # by 业务一部
    taken = used(line, top)
    assert (taken.in_force, taken.reserved, taken.total) == (5 * MILLION, 0, 5 * MILLION)
    own = granted(line, "YW1", 20 * MILLION)
    assert used(line, top).total == 0
    assert used(line, own).total == 5 * MILLION
    assert quotas.used_by_all(line.session, quotas.granted(line.session, line.today)) == {
        own.department_id: quotas.Used(5 * MILLION, Decimal(0))
    }
    shown = lines(Asked(line.session, line.ctx(VICE).actor, line.today))
    by_name = {row.values["department"]: row.values for row in shown.lines}
    assert by_name["业务一部"]["left"] == 15 * MILLION
    assert by_name["总部"]["left"] == 6 * MILLION


def test_a_resolution_reserves_of_it(line):
    project = line.project_at(Stage.CONTRACT)
    made = granted(line)
    taken = used(line, made)
    assert (taken.in_force, taken.reserved) == (0, 5 * MILLION)
    asked = line.project_at(Stage.APPLY)
    assert "其中决议已占用 5,000,000.00 元" in refused(line, asked)
    (check,) = [one for one in limits.checks(line.ctx(), project) if one.key == "department"]
    assert (check.after, check.is_over) == (5 * MILLION, False)


def test_without_one_a_department_is_free_unless_the_company_demands_it(line):
    asked = line.project_at(Stage.APPLY)
    code = Parameter.code == "quota.is_required"
    line.session.scalars(select(Parameter).where(code)).one().value = "是"
    line.session.flush()
    assert "承办部门及其上级部门没有有效的部门额度" in refused(line, asked)
    granted(line)
    application.submit(line.ctx(MANAGER), asked)
    assert asked.state is ProjectState.RUNNING


def test_it_holds_in_its_days_alone(line):
    made = granted(line, ends_on=line.today + timedelta(days=1), amount=MILLION)
    asked = line.project_at(Stage.APPLY)
    assert made.number in refused(line, asked)
    line.later(days=2)
    assert held_by(line, asked) is None


def test_who_may_grant_and_what_is_refused_at_the_field(line):
    with pytest.raises(FieldErrors) as caught:
        drawn_up(line, ends_on=line.today - timedelta(days=1), starts_on=line.today)
    assert set(caught.value.field_errors) == {"ends_on"}
    with pytest.raises(FieldErrors, match="营业日期"):
        drawn_up(line, ends_on=line.today - timedelta(days=1), starts_on=line.today - timedelta(2))
    with pytest.raises(FieldErrors):
        drawn_up(line, amount=Decimal(0))
    with pytest.raises(NotAllowed):
        records.create(line.ctx(MANAGER), DepartmentQuota, {})
    made = granted(line)
    with pytest.raises(NotAllowed):
        quota.close(line.ctx(DEPARTMENT_HEAD), made, "试试")
    quota.close(line.ctx(VICE), made, "计划取消")
    assert made.state is PaperState.VOID
    assert line.ctx(DEPARTMENT_HEAD).actor.scope is not ScopeLevel.SELF
