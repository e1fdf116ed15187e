"""The trail: who changed what from which value to which, for whom and when, and nothing that is nobody's business."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.entity import Entity
from models.customer.customer import CorporateCustomer
from models.customer.partner import JointGroup, JointGroupMember
from models.customer.rating_model import CustomerKind
from models.guarantee.project import Project, Stage
from models.guarantee.signing import Fee
from models.system.organization import Department, Employee, Gender
from models.system.setup import AuditLog, LogKind, NumberCounter, SystemState
from tests.workflows.office import NOW, TODAY, audited
from workflows.base import audit, facts
from workflows.base.context import Ctx

GROUP = {"code": "LB01", "name": "江州机械联保体", "credit_line": Decimal(8_000_000)}


def trail(ctx):
    ctx.session.flush()
    told = select(AuditLog).where(AuditLog.action.not_in(("SEAL", "ADOPT")))  # tells of no change
    return ctx.session.scalars(told.order_by(AuditLog.id)).all()


def stored(ctx, record: Entity) -> Entity:
    ctx.session.add(record)
    ctx.session.flush()
    return record


def test_a_new_record_is_told_with_what_it_holds_and_blanks_left_out(ctx, office):
    group = stored(ctx, JointGroup(**GROUP, agreement_from=date(2026, 3, 1)))
    (line,) = trail(ctx)
    assert (line.action, line.table_name, line.record_id, line.record_title) == (
        "CREATE",
        "joint_group",
        group.id,
        GROUP["name"],
    )
    assert line.changes == {
        "code": [None, "LB01"],
        "name": [None, GROUP["name"]],
        "credit_line": [None, "8000000"],
        "agreement_from": [None, "2026-03-01"],
    }
    assert (line.employee_id, line.actor_name, line.ip, line.source) == (
        office.people["甲"],
        "甲",
        "10.0.0.8",
        "screen",
    )
    assert (line.at, line.on_behalf_of_id, line.seal_no is None, line.log_kind) == (
        NOW,
        None,
        False,
        LogKind.CHANGE,
    )


def test_a_key_is_no_title(ctx):
    customer = CorporateCustomer(
        kind=CustomerKind.CORPORATE, number="KH1", name="恒泰纸业", uscc="91320104MA1T00001X"
    )
    group = stored(ctx, JointGroup(**GROUP))
    member = stored(
        ctx, JointGroupMember(joint_group_id=group.id, customer_id=stored(ctx, customer).id)
    )
    titles = {(line.table_name, line.record_id): line.record_title for line in trail(ctx)}
    assert titles["corporate_customer", customer.id] == "恒泰纸业"
    assert titles["joint_group_member", member.id] == ""


def test_a_change_tells_old_and_new_and_nothing_else(ctx, office):
    person = ctx.session.get(Employee, office.people["乙"])
    person.gender, person.title, person.name = Gender.FEMALE, "经理", person.name
    (line,) = trail(ctx)
    assert (line.action, line.changes) == (
        "UPDATE",
        {"gender": [None, "FEMALE"], "title": [None, "经理"]},
    )
    person.gender = Gender.MALE
    assert trail(ctx)[-1].changes == {"gender": ["FEMALE", "MALE"]}


def test_a_value_set_to_what_it_was_is_no_change(ctx, office):
    person = ctx.session.get(Employee, office.people["乙"])
    before = person.updated_at
    person.title = "经理"
    ctx.session.flush()
    lines = len(trail(ctx))
    person.title, person.extra = "经理", {}
    ctx.session.flush()
    assert len(trail(ctx)) == lines
    assert before is None
    assert person.updated_at == NOW


def test_custom_fields_are_told_and_stamps_are_not(ctx, office):
    person = ctx.session.get(Employee, office.people["乙"])
    person.extra = {"爱好": "棋"}
    assert trail(ctx)[-1].changes == {"爱好": [None, "棋"]}


def test_a_delete_keeps_what_was_there(ctx):
    group = stored(ctx, JointGroup(**GROUP))
    ctx.session.delete(group)
    line = trail(ctx)[-1]
    assert line.action == "DELETE"
    assert line.changes["credit_line"] == ["8000000", None]
    assert set(line.changes) == {"code", "name", "credit_line", "status"}


def test_whoever_acts_for_another_is_named_with_the_other(session, office):
    ctx = office.ctx(audited(session), "乙", on_behalf_of_id=office.people["甲"])
    stored(ctx, JointGroup(**GROUP))
    (line,) = trail(ctx)
    assert (line.employee_id, line.on_behalf_of_id, line.actor_name) == (
        office.people["乙"],
        office.people["甲"],
        "乙",
    )


def test_the_system_acts_without_an_employee(session, office):
    ctx = office.system(audited(session))
    made = stored(ctx, JointGroup(**GROUP))
    (line,) = trail(ctx)
    assert (line.employee_id, line.actor_name, line.source, made.created_by_id) == (
        None,
        "系统",
        "job",
        None,
    )


def test_what_only_the_system_reads_leaves_no_line(ctx):
    stored(ctx, NumberCounter(rule_code="x", scope="", last_no=1)).last_no = 2
    state = ctx.session.get(SystemState, 1)
    state.business_date += timedelta(days=1)
    assert trail(ctx) == []
    ctx.session.delete(
        ctx.session.scalars(select(NumberCounter).where(NumberCounter.rule_code == "x")).one()
    )
    assert trail(ctx) == []


def test_nothing_is_told_while_base_data_is_loaded_or_nobody_acts(session, office):
    ctx = office.ctx(audited(session))
    session.info["no_audit"] = True
    made = stored(ctx, JointGroup(**GROUP))
    assert made.created_by_id == office.people["甲"]  # stamped all the same
    session.info["no_audit"] = False
    del session.info["ctx"]
    made.name = "改名"
    other = stored(ctx, Department(code="X1", name="新部门"))
    assert trail(ctx) == []
    assert (other.created_at, other.created_by_id) == (None, None)


def test_stamps_that_are_set_stay(ctx, office):
    earlier = NOW - timedelta(days=3)
    made = stored(ctx, JointGroup(**GROUP, created_at=earlier, created_by_id=office.people["丙"]))
    assert (made.created_at, made.created_by_id, made.updated_at) == (
        earlier,
        office.people["丙"],
        NOW,
    )


def test_a_save_moves_the_time_of_the_last_save(session, office):
    made = stored(office.ctx(audited(session)), JointGroup(**GROUP))
    later = NOW + timedelta(hours=2)
    office.ctx(session, "乙", now=later)
    made.name = "改名"
    session.flush()
    assert (made.created_at, made.updated_at, made.created_by_id) == (
        NOW,
        later,
        office.people["甲"],
    )


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("REVEAL", LogKind.ACCESS),
        ("EXPORT", LogKind.EXPORT),
        ("GRANT", LogKind.SECURITY),
        ("UPDATE", LogKind.CHANGE),
        ("PASSWORD", LogKind.SECURITY),
        ("UNLOCK", LogKind.SECURITY),
        ("DELETE", LogKind.CHANGE),
        ("SUBMIT", LogKind.VERB),
    ],
)
def test_an_act_that_changes_no_column_is_told_by_its_kind(ctx, office, action, kind):
    person = ctx.session.get(Employee, office.people["乙"])
    audit.log(ctx, person, action, note="长" * 600)
    (line,) = trail(ctx)
    assert (line.action, line.log_kind, line.changes, len(line.note)) == (action, kind, {}, 500)


def test_a_look_at_personal_data_names_the_column_not_the_value(ctx, office):
    person = ctx.session.get(Employee, office.people["乙"])
    person.mobile = "13800138000"
    ctx.session.flush()
    audit.log_reading(ctx, person, "mobile")
    line = trail(ctx)[-1]
    assert (line.action, line.note, line.log_kind) == (
        "REVEAL",
        "查看原值：手机号码",
        LogKind.ACCESS,
    )
    assert "138" not in line.note + str(line.changes)


def test_lines_of_a_project_can_be_found_by_it(ctx):
    """A part of a project names its project; the project names itself."""
    part = JointGroup(**GROUP)
    assert audit._row(ctx, stored(ctx, part), "X", {})["project_id"] is None
    assert audit._row(ctx, Project(id=7), "X", {})["project_id"] == 7
    assert audit._row(ctx, Fee(id=9, project_id=7), "X", {})["project_id"] == 7


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Decimal("1.50"), "1.50"),
        (date(2024, 2, 29), "2024-02-29"),
        (NOW, str(NOW)),
        (Stage.APPLY, "APPLY"),
        ("𠮷", "𠮷"),
        (None, None),
        (True, True),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_values_are_kept_without_loss(value, kept):
    assert facts.plain(value) == kept


def test_a_unit_of_work_is_found_through_its_session(session, office):
    ctx = office.ctx(session)
    assert session.info["ctx"] is ctx
    assert isinstance(ctx, Ctx)
    assert (ctx.today, ctx.now, ctx.after_commit) == (TODAY, NOW, [])
