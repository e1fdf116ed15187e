"""The verbs behind every save and delete: who may, what fits, who else refers to it, and who was first."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

import workflows.registry  # noqa: F401 - every rule is in force
from models.approval.approval import ApprovalInstance, ApprovalPosition, ApprovalPositionMember
from models.base.actor import ScopeLevel
from models.base.entity import label_of
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.customer.customer import CorporateCustomer
from models.customer.detail import Executive, MajorEvent
from models.customer.partner import JointGroup, JointGroupMember
from models.guarantee.bank import BankStatus, PartnerBank
from models.guarantee.resolution import MeetingMember, MeetingState, ReviewMeeting
from models.system.organization import Company, Department, Employee, Gender
from models.system.setup import AuditLog, DictionaryItem, DictionaryType, NumberCounter, Parameter
from reports.figures import dictionaries
from tests.workflows.accounts import sign_on
from tests.workflows.at_once import outcomes
from tests.workflows.customer_world import COMPANY, USCC
from tests.workflows.office import audited
from workflows.base import records

GROUP = {"code": "LB01", "name": "江州机械联保体", "credit_line": "8000000.00"}


def refused(model, ctx, **values):
    """The messages by field of a save that is refused."""
    with pytest.raises(FieldErrors) as caught:
        records.create(ctx, model, values)
    return caught.value.field_errors


def company(ctx, **changes):
    return records.create(ctx, CorporateCustomer, COMPANY | changes)


def meeting(ctx, **changes):
    made = ReviewMeeting(
        number="SB1",
        held_on=date(2026, 3, 5),
        place="会议室",
        chair_id=ctx.actor.employee_id,
        **changes,
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


# ----------------------------------------------------------------------------------------------------- what comes in


def test_a_record_gets_its_owner_its_stamps_and_its_defaults(ctx, office):
    group = records.create(ctx, JointGroup, GROUP)
    assert (group.manager_id, group.department_id) == (
        office.people["甲"],
        office.departments["业务一部"],
    )
    assert (group.created_by_id, group.created_at, group.updated_at) == (
        office.people["甲"],
        ctx.now,
        ctx.now,
    )
    assert (group.credit_line, group.status.name, group.version) == (
        Decimal("8000000.00"),
        "ACTIVE",
        1,
    )


def test_whoever_is_named_as_owner_stays_the_owner(ctx, office):
    group = records.create(ctx, JointGroup, GROUP | {"manager_id": office.people["乙"]})
    assert group.manager_id == office.people["乙"]


def test_keys_that_no_column_has_are_refused_by_name(ctx):
    assert refused(JointGroup, ctx, **GROUP, colour="red") == {"colour": ["没有“colour”这个字段"]}


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (ReviewMeeting, "state", "ENDED"),  # a state
        (Department, "path", "/1/"),  # computed
        (Company, "id", 2),  # a key
        (Department, "version", 7),  # stamps
        (Department, "created_by_id", 1),
        (Department, "extra", {}),
    ],
)
def test_what_the_system_keeps_is_nobodys_to_write(ctx, office, model, name, value):
    record = meeting(ctx) if model is ReviewMeeting else ctx.session.scalars(select(model)).first()
    before = getattr(record, name)
    with pytest.raises(FieldErrors, match="由系统维护") as caught:
        records.update(ctx, record, {name: value}, record.version)
    assert set(caught.value.field_errors) == {name}
    assert getattr(record, name) == before


def test_all_wrong_fields_are_named_at_once(ctx):
    wrong = refused(
        JointGroup, ctx, code="", name="名" * 101, credit_line="0", agreement_from="2026-02-29"
    )
    assert wrong == {
        "code": ["请填写联保体编号"],
        "name": ["最多 100 个字，现有 101 个"],
        "credit_line": ["金额必须大于 0"],
        "agreement_from": ["没有 2026-02-29 这一天"],
    }
    assert ctx.session.scalar(select(func.count(JointGroup.id))) == 0


def test_a_required_column_that_is_left_out_is_missing(ctx):
    assert refused(JointGroup, ctx, code="LB01", name="甲") == {"credit_line": ["请填写联保总额度"]}


def test_limits_of_money_and_numbers(ctx):
    assert refused(JointGroup, ctx, **GROUP | {"credit_line": "1000000000000.00"})[
        "credit_line"
    ] == ["金额超过上限 9,999,999,999.99"]
    group = records.create(ctx, JointGroup, GROUP | {"credit_line": "9999999999.99"})
    ctx.session.expire(group)
    assert group.credit_line == Decimal("9999999999.99")
    assert refused(Department, ctx, code="X", name="部", rank="-1") == {"rank": ["不能小于 0"]}
    assert refused(Department, ctx, code="X", name="部", rank="2000000001") == {
        "rank": ["不能大于 2000000000"]
    }


def test_rare_characters_and_leap_days_come_back_as_they_went_in(ctx):
    group = records.create(
        ctx, JointGroup, GROUP | {"name": "𠮷\x00野家 🏭", "agreement_from": "2028-02-29"}
    )
    ctx.session.expire(group)
    assert (group.name, group.agreement_from) == ("𠮷野家 🏭", date(2028, 2, 29))


def test_a_dictionary_takes_codes_in_use_alone(ctx):
    owner = company(ctx)
    event = {"customer_id": owner.id, "happened_on": "2026-03-01", "summary": "停产"}
    assert refused(MajorEvent, ctx, **event, event_kind="没有这个") == {
        "event_kind": ["没有这个选项，请从列表中选择"]
    }
    item = ctx.session.scalars(
        select(DictionaryItem).join(DictionaryType).where(DictionaryType.code == "major_event_kind")
    ).first()
    assert (
        records.create(ctx, MajorEvent, event | {"event_kind": item.code}).event_kind == item.code
    )


# --------------------------------------------------------------------------------------------------------- references


def test_a_reference_out_of_scope_is_told_like_one_that_is_not_there(session, office):
    theirs = company(office.ctx(session, "丙"))
    ctx = office.ctx(session, "甲")
    group = records.create(ctx, JointGroup, GROUP)
    messages = [
        refused(JointGroupMember, ctx, joint_group_id=group.id, customer_id=customer_id)[
            "customer_id"
        ]
        for customer_id in (theirs.id, 2_000_000_000)
    ]
    assert messages == [["所选记录不存在，或不在您的数据范围内"]] * 2
    assert theirs.name not in str(messages)


def test_a_part_of_a_record_out_of_scope_cannot_be_made(session, office):
    group = records.create(office.ctx(session, "丙"), JointGroup, GROUP)
    ctx = office.ctx(session, "甲")
    mine = company(ctx)
    assert set(refused(JointGroupMember, ctx, joint_group_id=group.id, customer_id=mine.id)) == {
        "joint_group_id"
    }


@pytest.mark.parametrize(
    "wrong", ["0", "-1", "abc", "", "１", "1.0", "99999999999", "2147483648", None]
)
def test_find_takes_ids_alone(ctx, wrong):
    with pytest.raises(NotFound):
        records.find(ctx, Department, wrong)


def test_find_gives_what_the_actor_may_read(session, office):
    theirs = records.create(office.ctx(session, "丙"), JointGroup, GROUP)
    assert records.find(office.ctx(session, "丙"), JointGroup, str(theirs.id)) is theirs
    assert (
        records.find(office.ctx(session, "甲", scope=ScopeLevel.ALL), JointGroup, theirs.id)
        is theirs
    )
    with pytest.raises(NotFound, match="不在您的数据范围内"):
        records.find(office.ctx(session, "甲"), JointGroup, theirs.id)


def test_find_with_a_lock_reads_anew(ctx):
    group = records.create(ctx, JointGroup, GROUP)
    ctx.session.execute(
        text("UPDATE joint_group SET name = '新名' WHERE id = :id"), {"id": group.id}
    )
    assert group.name == GROUP["name"]
    assert records.find(ctx, JointGroup, group.id, lock=True).name == "新名"


# -------------------------------------------------------------------------------------------------------- uniqueness


def test_a_natural_key_is_there_once(ctx):
    records.create(ctx, JointGroup, GROUP)
    assert refused(JointGroup, ctx, **GROUP) == {"code": ["联保体编号已存在，不能重复"]}
    # codes differ by case
    assert records.create(ctx, JointGroup, GROUP | {"code": "lb01"}).code == "lb01"


def test_a_key_of_several_columns_names_them_all(ctx):
    group, member = records.create(ctx, JointGroup, GROUP), company(ctx)
    values = {"joint_group_id": group.id, "customer_id": member.id}
    records.create(ctx, JointGroupMember, values)
    assert refused(JointGroupMember, ctx, **values) == {
        "customer_id": ["联保体、成员客户已存在，不能重复"]
    }


def test_a_save_may_keep_its_own_key_but_not_take_anothers(ctx):
    first = records.create(ctx, JointGroup, GROUP)
    second = records.create(ctx, JointGroup, GROUP | {"code": "LB02"})
    records.update(ctx, first, {"code": "LB01", "name": "改名"}, first.version)
    with pytest.raises(FieldErrors, match="联保体编号已存在"):
        records.update(ctx, second, {"code": "LB01"}, second.version)


def test_keys_left_blank_differ_unless_the_database_says_otherwise(ctx, office):
    """A seat for one department and one for all (a blank) are two; a second one for all is refused by its index."""
    position = ctx.session.scalars(select(ApprovalPosition)).first()
    seat = {"position_id": position.id, "employee_id": office.people["甲"]}
    records.create(
        ctx, ApprovalPositionMember, seat | {"department_id": office.departments["业务一部"]}
    )
    assert records.create(ctx, ApprovalPositionMember, seat).department_id is None
    with pytest.raises(Conflict, match="与已有数据冲突"):
        records.create(ctx, ApprovalPositionMember, seat)


# ---------------------------------------------------------------------------------------------- who may, and on what


@pytest.mark.parametrize("verb", ["add", "edit", "delete"])
def test_each_verb_asks_for_its_own_permission(session, office, verb):
    group = records.create(office.ctx(session), JointGroup, GROUP)
    others = frozenset((f"can_{v}", "joint_group") for v in ("add", "edit", "delete") if v != verb)
    ctx = office.ctx(session, permissions=others)
    acts = {
        "add": lambda: records.create(ctx, JointGroup, GROUP | {"code": "LB02"}),
        "edit": lambda: records.update(ctx, group, {"name": "改"}, group.version),
        "delete": lambda: records.delete(ctx, group, group.version),
    }
    with pytest.raises(NotAllowed, match=r"没有“(新增|修改|删除)联保体”的权限"):
        acts.pop(verb)()
    for act in acts.values():
        act()


def test_what_workflows_make_is_nobodys_to_save(ctx):
    with pytest.raises(NotAllowed, match="编号计数器由业务流程生成，不能直接新增"):
        records.create(ctx, NumberCounter, {"rule_code": "x", "last_no": 9})
    with pytest.raises(NotAllowed, match="公司信息由业务流程生成，不能直接新增"):
        records.create(ctx, Company, {"display_name": "第二家", "full_name": "第二家公司"})
    own = ctx.session.scalars(select(Company)).one()
    with pytest.raises(NotAllowed, match="不能直接删除"):
        records.delete(ctx, own, own.version)
    records.update(ctx, own, {"display_name": "新名称"}, own.version)
    with pytest.raises(NotAllowed, match="由业务流程生成，不能直接修改"):
        records.update(ctx, ApprovalInstance(), {}, 1)


@pytest.mark.parametrize(
    "act",
    [
        lambda ctx, group: records.update(ctx, group, {"name": "改"}, group.version),
        lambda ctx, group: records.delete(ctx, group, group.version),
    ],
    ids=["update", "delete"],
)
def test_a_record_out_of_scope_is_not_there(session, office, act):
    group = records.create(office.ctx(session, "丙"), JointGroup, GROUP)
    ctx = office.ctx(session, "甲")
    with pytest.raises(NotFound):
        act(ctx, group)


def test_a_document_is_edited_while_it_is_a_draft(ctx):
    paper = meeting(ctx)
    records.update(ctx, paper, {"place": "二楼"}, paper.version)
    paper.state = MeetingState.OPEN
    ctx.session.flush()
    with pytest.raises(Conflict, match=r"审保会“SB1”.+不能修改"):
        records.update(ctx, paper, {"place": "三楼"}, paper.version)
    with pytest.raises(Conflict, match="不能删除"):
        records.delete(ctx, paper, paper.version)


def test_the_parts_of_a_frozen_document_are_frozen(ctx, office):
    paper = meeting(ctx)
    sign_on(ctx.session, ctx.session.get_one(Employee, office.people["乙"]), "审保会委员")
    seat = records.create(
        ctx, MeetingMember, {"meeting_id": paper.id, "employee_id": office.people["乙"]}
    )
    paper.state = MeetingState.OPEN
    ctx.session.flush()
    with pytest.raises(Conflict, match="不能修改"):
        records.create(
            ctx, MeetingMember, {"meeting_id": paper.id, "employee_id": office.people["丙"]}
        )
    with pytest.raises(Conflict, match="不能修改"):
        records.update(ctx, seat, {"is_present": "否"}, seat.version)
    with pytest.raises(Conflict, match="不能修改"):
        records.delete(ctx, seat, seat.version)
    assert seat.is_present


def test_a_part_cannot_be_moved_into_a_frozen_document(ctx, office):
    draft, frozen = (
        meeting(ctx),
        ReviewMeeting(
            number="SB2",
            held_on=date(2026, 3, 5),
            place="会议室",
            chair_id=ctx.actor.employee_id,
            state=MeetingState.OPEN,
        ),
    )
    ctx.session.add(frozen)
    ctx.session.flush()
    sign_on(ctx.session, ctx.session.get_one(Employee, office.people["乙"]), "审保会委员")
    seat = records.create(
        ctx, MeetingMember, {"meeting_id": draft.id, "employee_id": office.people["乙"]}
    )
    with pytest.raises(Conflict, match="“SB2”"):
        records.update(ctx, seat, {"meeting_id": frozen.id}, seat.version)


# ------------------------------------------------------------------------------------------------------ stale saves


def test_a_save_without_a_version_is_refused(ctx):
    group = records.create(ctx, JointGroup, GROUP)
    with pytest.raises(BusinessError, match="缺少版本号"):
        records.update(ctx, group, {"name": "改"}, None)


def test_a_stale_save_says_what_others_changed_in_words(session, office):
    ctx = office.ctx(audited(session), scope=ScopeLevel.ALL)
    person = session.get(Employee, office.people["乙"])
    seen = person.version
    records.update(
        ctx, person, {"gender": "男", "mobile": "13800138000", "title": "客户经理"}, person.version
    )
    department = office.departments["业务二部"]
    records.update(
        ctx,
        person,
        {"department_id": department, "gender": "女", "is_active": "否"},
        person.version,
    )
    with pytest.raises(StaleRecord, match="已被他人修改") as caught:
        records.update(ctx, person, {"title": "总监"}, seen)
    told = caught.value.changes
    assert sorted(told) == sorted(
        [
            ("性别", "男", "女"),
            ("所属部门", "业务一部", "业务二部"),
            ("在职", "是", "否"),
            ("性别", "—", "男"),
            ("职务", "—", "客户经理"),
        ]
    )
    assert "13800138000" not in str(told)  # masked columns stay out
    assert (person.title, person.gender) == ("客户经理", Gender.FEMALE)


def test_a_stale_save_shows_money_codes_and_what_is_gone_readably(ctx, office):
    owner = company(ctx)
    seen = owner.version
    records.update(ctx, owner, {"registered_capital": "50000000", "industry": "13"}, owner.version)
    gone = {
        "manager_id": [office.people["甲"], 2_000_000_000],
        "scale": ["SMALL", "GONE"],
        "nothing": [1, 2],
    }
    line = select(AuditLog).where(AuditLog.action == "UPDATE").order_by(AuditLog.id.desc())
    row = ctx.session.scalars(line.limit(1)).one()
    ctx.session.execute(
        AuditLog.__table__.update()
        .where(AuditLog.id == row.id)
        .values(changes={**row.changes, **gone})
    )
    with pytest.raises(StaleRecord) as caught:
        records.update(ctx, owner, {"phone": "13723763077"}, seen)
    told = {label: (old, new) for label, old, new in caught.value.changes}
    assert told[label_of(CorporateCustomer, "registered_capital")] == (
        "42,000,000.00",
        "50,000,000.00",
    )
    assert told[label_of(CorporateCustomer, "industry")] == tuple(
        dictionaries.label(ctx.session, "industry", code) for code in ("14", "13")
    )
    assert told[label_of(CorporateCustomer, "manager_id")] == ("甲", "已删除的记录 2000000000")
    assert told[label_of(CorporateCustomer, "scale")][1] == "GONE"
    assert "nothing" not in str(told)


@pytest.mark.parametrize("version", [0, -(10**30), 10**30])
def test_a_version_that_never_was_is_stale(ctx, version):
    group = records.create(ctx, JointGroup, GROUP)
    records.update(ctx, group, {"name": "改名"}, group.version)
    with pytest.raises(StaleRecord) as caught:
        records.update(ctx, group, {"name": "再改"}, version)
    assert caught.value.changes == [("联保体名称", GROUP["name"], "改名")]
    with pytest.raises(StaleRecord):
        records.delete(ctx, group, version)


# ---------------------------------------------------------------------------------------------------------- deleting


def test_a_record_that_others_refer_to_stays_and_they_are_counted(session, office):
    ctx = office.ctx(session, scope=ScopeLevel.ALL)
    place = session.get(Department, office.departments["业务一部"])
    records.create(ctx, JointGroup, GROUP)
    with pytest.raises(Conflict) as caught:
        records.delete(ctx, place, place.version)
    assert caught.value.message == "部门“业务一部”下有 1 条联保体、2 条员工，不能删除"
    assert session.get(Department, place.id) is not None


def test_what_a_record_owns_goes_with_it_and_the_trail_keeps_what_it_was(ctx):
    group, member = records.create(ctx, JointGroup, GROUP), company(ctx)
    part = records.create(
        ctx, JointGroupMember, {"joint_group_id": group.id, "customer_id": member.id}
    )
    ids = {group.id, part.id}
    records.delete(ctx, group, group.version)
    for model in (JointGroup, JointGroupMember):
        assert ctx.session.scalar(select(func.count(model.id))) == 0
    lines = ctx.session.scalars(
        select(AuditLog).where(AuditLog.action == "DELETE").order_by(AuditLog.id)
    ).all()
    assert {line.table_name for line in lines} == {"joint_group", "joint_group_member"}
    assert {line.record_id for line in lines} == ids
    told = {line.table_name: line.changes for line in lines}
    assert told["joint_group"]["credit_line"] == ["8000000.00", None]
    assert told["joint_group_member"]["customer_id"] == [member.id, None]


def test_parts_of_a_base_class_go_with_the_child(ctx):
    owner = company(ctx)
    records.create(
        ctx, Executive, {"corporate_customer_id": owner.id, "name": "李晓明", "position": "总经理"}
    )
    records.delete(ctx, owner, owner.version)
    assert ctx.session.scalar(select(func.count(Executive.id))) == 0
    assert ctx.session.scalar(select(func.count(CorporateCustomer.id))) == 0


def test_a_delete_rule_of_the_area_is_asked(ctx):
    parameter = ctx.session.scalars(
        select(Parameter).where(Parameter.code == "login.max_failures")
    ).one()
    with pytest.raises(Conflict, match="只有这一行，不能删除"):
        records.delete(ctx, parameter, parameter.version)


def test_a_refusal_of_the_database_alone_is_told_as_a_conflict(session, office):
    """Who made a row is looked up by nobody, but the database keeps them."""
    place = session.get(Department, office.departments["业务二部"])
    leaver = Employee(number="E9", name="丁", department_id=place.id)
    session.add(leaver)
    session.flush()
    ctx = office.ctx(session, scope=ScopeLevel.ALL)
    group = records.create(ctx, JointGroup, GROUP)
    session.execute(text("UPDATE joint_group SET created_by_id = :who"), {"who": leaver.id})
    with pytest.raises(Conflict, match="员工与已有数据冲突，请刷新后重试"):
        records.delete(ctx, leaver, leaver.version)
    assert group.id


def test_rules_see_the_defaults_that_the_database_layer_would_fill_in(ctx, monkeypatch):
    seen = []
    look = lambda _, bank, is_new: seen.append((is_new, bank.status, bank.compensation_days))  # noqa: E731
    monkeypatch.setitem(records._RULES, PartnerBank, [*records._RULES[PartnerBank], look])
    bank = records.create(ctx, PartnerBank, {"code": "B9", "name": "新银行"})
    assert seen == [(True, BankStatus.ACTIVE, bank.compensation_days)]
    # a blank is no way to ask for the default
    with pytest.raises(FieldErrors, match="请填写合作状态"):
        records.create(ctx, PartnerBank, {"code": "B8", "name": "另一家", "status": ""})


# ------------------------------------------------------------------------------------------------------ two at once


@pytest.fixture
def shared(engine, office):
    """A group that other connections see, and no longer after the test."""
    with Session(engine) as session:
        group = records.create(office.ctx(session), JointGroup, GROUP)
        session.commit()
        group_id = group.id
    yield group_id
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM joint_group"))


def test_two_savers_at_once_one_wins_and_nothing_is_lost(engine, office, shared):
    def saver(name):
        def act(session):
            group = records.find(office.ctx(session), JointGroup, shared)
            return records.update(office.ctx(session), group, {"name": name}, 1).name

        return act

    results = outcomes(engine, [saver("一"), saver("二")])
    won = [r for r in results if isinstance(r, str)]
    lost = [r for r in results if not isinstance(r, str)]
    assert len(won) == len(lost) == 1
    assert isinstance(lost[0], StaleRecord | StaleDataError)
    with Session(engine) as session:
        group = session.get(JointGroup, shared)
        assert (group.name, group.version) == (won[0], 2)


def test_two_makers_of_one_key_at_once_leave_one(engine, office, shared):
    def make(session):
        return records.create(office.ctx(session), JointGroup, GROUP | {"code": "SAME"}).code

    results = outcomes(engine, [make] * 4)
    assert results.count("SAME") == 1
    assert all(isinstance(r, FieldErrors | Conflict) for r in results if r != "SAME")
    with Session(engine) as session:
        assert session.scalar(select(func.count()).where(JointGroup.code == "SAME")) == 1


def test_a_part_for_a_record_that_goes_at_the_same_moment_does_not_stay_behind(
    engine, office, shared
):
    with Session(engine) as session:
        customer = company(office.ctx(session), uscc=USCC)
        session.commit()
        customer_id = customer.id

    def drop(session):
        ctx = office.ctx(session)
        records.delete(ctx, records.find(ctx, JointGroup, shared), 1)
        return "gone"

    def join(session):
        values = {"joint_group_id": shared, "customer_id": customer_id}
        return records.create(office.ctx(session), JointGroupMember, values).id

    results = outcomes(engine, [drop, join])
    assert any(not isinstance(r, Exception) for r in results)
    with Session(engine) as session:
        left = session.scalars(select(JointGroupMember.joint_group_id)).all()
        assert set(left) <= set(session.scalars(select(JointGroup.id)))
