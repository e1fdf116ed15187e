"""Customers: what a save must satisfy, who sees a duplicate, the watch list and its approval."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models.approval.approval import ApprovalTask, TaskState
from models.base.actor import ScopeLevel
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
)
from models.customer.customer import (
    CorporateCustomer,
    Customer,
    CustomerStatus,
    CustomerWatch,
    PersonalCustomer,
    WatchKind,
    WatchState,
)
from models.customer.detail import (
    Executive,
    FamilyMember,
    IncomeExpense,
    Litigation,
    Qualification,
    Resume,
    Shareholder,
)
from models.customer.financial_statement import FinancialStatement
from models.customer.rating_model import CustomerKind, RatingModel
from models.customer.relation import CustomerRelation
from models.system.organization import Gender
from reports.figures.completeness import completeness, missing_for_rating
from tests.workflows.customer_world import MAN, OTHER_USCC, STATEMENT, USCC, CustomerWorld
from workflows.approval import approval
from workflows.base import records
from workflows.customer import customer as verbs


@pytest.fixture
def world(session) -> CustomerWorld:
    return CustomerWorld(session)


def refused(error, field):
    return error.value.field_errors[field][0]


# --- personal customers -------------------------------------------------------------------------------------------


def test_a_person_gets_number_manager_department_birthday_and_sex(world):
    person = world.person()
    assert person.number == "KH000001"
    assert person.kind is CustomerKind.PERSONAL
    assert (person.manager.name, person.department.name) == ("客户经理", "业务一部")
    assert (person.born_on, person.gender) == (date(1990, 3, 7), Gender.MALE)
    assert person.contact_phone == "13800138000"
    assert world.company().number == "KH000002"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"id_number": "110101199003074515"}, "id_number", "校验码"),
        ({"gender": "FEMALE"}, "gender", "性别为男"),
        ({"born_on": "1990-03-08"}, "born_on", "1990-03-07"),
        ({"mobile": "123"}, "mobile", "11 位"),
        ({"id_number": ""}, "id_number", "请填写证件号码"),
        (
            {"id_type": "PASSPORT", "id_number": "E123", "born_on": "2026-03-03"},
            "born_on",
            "不能晚于",
        ),
        ({"education": "博士后"}, "education", "没有这个选项"),
        ({"is_guarantee_customer": "否"}, "is_guarantee_customer", "至少选择一类"),
    ],
)
def test_wrong_personal_data_is_refused_at_its_field(world, changes, field, words):
    with pytest.raises(FieldErrors) as error:
        world.person(**changes)
    assert words in refused(error, field)


def test_another_document_is_not_checked_as_an_identity_card(world):
    person = world.person(id_type="PASSPORT", id_number="e 1234567")
    assert (person.id_number, person.gender, person.born_on) == ("E1234567", None, None)


def test_an_identity_number_is_kept_in_one_spelling(world):
    world.person(id_number="44010320001215270x")
    with pytest.raises(FieldErrors, match="已登记"):
        world.person(id_number="44010320001215270X")


def test_a_duplicate_within_the_scope_is_named(world):
    world.person()
    with pytest.raises(FieldErrors) as error:
        world.person(name="别名")
    assert refused(error, "id_number") == "证件号码已登记：王建国（KH000001）"


def test_a_duplicate_outside_the_scope_says_only_the_department(world):
    world.person()
    with pytest.raises(FieldErrors) as error:
        world.person(world.ctx("外部门"))
    assert refused(error, "id_number") == "证件号码已由“业务一部”登记，如需办理请联系该部门"


def test_saving_a_person_again_is_no_duplicate(world):
    person = world.person()
    records.update(
        world.ctx(), person, {"home_phone": "0571-87654321", "mobile": ""}, person.version
    )
    assert person.contact_phone == "0571-87654321"


def test_the_database_too_refuses_a_second_person_of_the_same_number(world):
    first = world.person()
    twin = PersonalCustomer(
        number="X",
        name="双",
        manager_id=first.manager_id,
        department_id=first.department_id,
        id_type="ID_CARD",
        id_number=MAN,
    )
    world.session.add(twin)
    with pytest.raises(IntegrityError):
        world.session.flush()


# --- corporate customers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"uscc": "91330106MA0000000X"}, "uscc", "校验码"),
        ({"established_on": "2026-03-03"}, "established_on", "不能晚于"),
        ({"paid_in_capital": "42000000.01"}, "paid_in_capital", "42,000,000.00"),
        ({"manager_id": "99999"}, "manager_id", "数据范围"),
    ],
)
def test_wrong_corporate_data_is_refused_at_its_field(world, changes, field, words):
    with pytest.raises(FieldErrors) as error:
        world.company(**changes)
    assert words in refused(error, field)


def test_a_code_in_small_letters_is_the_same_code(world):
    world.company(uscc=USCC.lower())
    with pytest.raises(FieldErrors, match="统一社会信用代码已登记"):
        world.company(name="另一家")


def test_a_duplicate_of_a_department_that_is_gone_names_no_department(world):
    company = world.company()
    company.department_id = company.manager_id = None
    world.session.flush()
    with pytest.raises(FieldErrors, match="已由其他部门登记"):
        world.company(world.ctx("外部门"))


def test_the_department_follows_the_manager(world):
    company = world.company()
    assert company.department_id == world.one.id
    own = world.ctx()
    with pytest.raises(FieldErrors, match="不能直接更换客户经理"):
        records.update(own, company, {"manager_id": world.people["同事"].id}, company.version)
    company.manager_id = own.actor.employee_id
    may = own.actor.permissions | {("can_hand_over", "customer")}
    everywhere = world.ctx(scope=ScopeLevel.ALL, permissions=may)
    records.update(everywhere, company, {"manager_id": world.people["外部门"].id}, company.version)
    assert company.department_id == world.two.id
    with pytest.raises(NotFound):
        records.find(world.ctx(), CorporateCustomer, company.id)


def test_a_customer_needs_a_manager_who_works_here(world):
    with pytest.raises(FieldErrors, match="请选择客户经理"):
        world.company(world.system())
    world.people["同事"].is_active = False
    with pytest.raises(FieldErrors, match="已离职"):
        world.company(manager_id=world.people["同事"].id)


def test_a_rating_model_of_the_other_kind_is_refused(world):
    model = world.session.scalars(select(RatingModel).where(RatingModel.code == "PERS")).one()
    with pytest.raises(FieldErrors, match="不适用于对公客户"):
        world.company(rating_model_id=model.id)
    assert world.person(rating_model_id=model.id).rating_model is model


def test_a_merged_customer_is_not_changed(world):
    company, other = world.company(), world.company(uscc=OTHER_USCC, name="乙")
    other.status, other.merged_into_id = CustomerStatus.MERGED, company.id
    world.session.flush()
    with pytest.raises(Conflict, match="已合并"):
        records.update(world.ctx(), other, {"contact": "某人"}, other.version)


def test_one_version_guards_both_tables_of_a_customer(world):
    company = world.company()
    seen = company.version
    records.update(world.ctx(), company, {"contact": "甲"}, seen)
    with pytest.raises(Conflict, match="已被他人修改"):
        records.update(world.ctx(), company, {"name": "乙"}, seen)


# --- tabs ---------------------------------------------------------------------------------------------------------


def test_shareholders_hold_at_most_everything(world):
    company = world.company()
    first = world.add(
        Shareholder, company, name="甲", share_pct="60", subscribed="600", paid_in="600"
    )
    with pytest.raises(FieldErrors, match=r"合计为 100\.5%"):
        world.add(Shareholder, company, name="乙", share_pct="40.5")
    with pytest.raises(FieldErrors, match="认缴"):
        world.add(Shareholder, company, name="乙", share_pct="40", subscribed="1", paid_in="2")
    records.update(world.system(), first, {"share_pct": "100"}, first.version)
    assert first.share_pct == 100


def test_income_and_dependants_fit_the_household(world):
    person = world.person()
    with pytest.raises(FieldErrors) as error:
        world.add(
            IncomeExpense,
            person,
            monthly_income="2",
            household_monthly_income="1",
            household_size="1",
            dependants="2",
        )
    assert set(error.value.field_errors) == {"household_monthly_income", "dependants"}


def test_a_relative_has_a_real_identity_number(world):
    person = world.person()
    with pytest.raises(FieldErrors, match="校验码"):
        world.add(
            FamilyMember,
            person,
            relation="SPOUSE",
            name="李",
            id_type="ID_CARD",
            id_number="110101199003074515",
        )
    member = world.add(
        FamilyMember,
        person,
        relation="SPOUSE",
        name="李",
        id_type="ID_CARD",
        id_number="44010320001215270x",
    )
    assert member.id_number.endswith("X")
    assert (
        world.add(FamilyMember, person, relation="SON", name="小", id_number="未知").id_number
        == "未知"
    )


def test_dates_of_tabs_stand_in_order(world):
    person, company = world.person(), world.company()
    with pytest.raises(FieldErrors, match="结束日期"):
        world.add(Resume, person, employer="甲", start_on="2020-01-01", end_on="2019-01-01")
    assert world.add(Resume, person, employer="甲", start_on="2020-01-01").end_on is None
    with pytest.raises(FieldErrors, match="发证日期"):
        world.add(
            Qualification, company, name="证", issued_on="2020-01-01", valid_until="2019-01-01"
        )
    with pytest.raises(FieldErrors, match="营业日期"):
        world.add(Executive, company, name="甲", position="总经理", since="2030-01-01")
    suit = {"case_no": "1", "role": "DEFENDANT", "cause": "借款"}
    with pytest.raises(FieldErrors, match="立案日期"):
        world.add(Litigation, company, filed_on="2026-03-03", **suit)
    assert world.add(Litigation, company, filed_on="2026-03-02", **suit).role.value == "被告"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"net_assets": "6000000.01"}, "net_assets", "相差 -0.01 元"),
        ({"current_assets": "10000001"}, "current_assets", "资产总额"),
        ({"current_liabilities": "4000001"}, "current_liabilities", "负债总额"),
        ({"period_end": "2026-12-31"}, "period_end", "营业日期"),
        ({"period_end": "2025-12-30"}, "period_end", "月末"),
        ({"period_end": "2025-06-30"}, "period_end", "年报的截止月份应为 12 月"),
        ({"period_end": "2025-05-31", "period_kind": "QUARTER"}, "period_end", "3、6、9、12"),
    ],
)
def test_a_statement_that_cannot_be_is_refused(world, changes, field, words):
    company = world.company()
    with pytest.raises(FieldErrors) as error:
        world.statement(company, **changes)
    assert words in refused(error, field)


def test_ratios_follow_a_statement_when_it_is_saved(world):
    statement = world.statement(world.company())
    assert statement.asset_liability_pct == Decimal("40.00")
    assert statement.current_ratio == Decimal("2.00")
    records.update(
        world.system(),
        statement,
        {"total_liabilities": "5000000", "net_assets": "5000000"},
        statement.version,
    )
    assert statement.asset_liability_pct == Decimal("50.00")
    with pytest.raises(FieldErrors, match="已存在"):
        world.statement(statement.corporate_customer)
    assert world.statement(
        statement.corporate_customer, period_kind="MONTH", period_end="2025-05-31"
    ).id


def test_relations_are_never_to_oneself_and_mutual_ones_once(world):
    company, person = world.company(), world.person()
    with pytest.raises(FieldErrors, match="自身"):
        world.add(CustomerRelation, company, kind="CONTROL", to_customer_id=company.id)
    world.add(CustomerRelation, company, kind="COMMON_CONTROLLER", to_customer_id=person.id)
    with pytest.raises(FieldErrors, match="同一实际控制人"):
        world.add(CustomerRelation, person, kind="COMMON_CONTROLLER", to_customer_id=company.id)
    world.add(CustomerRelation, company, kind="GUARANTEE", to_customer_id=person.id)
    assert world.add(CustomerRelation, person, kind="GUARANTEE", to_customer_id=company.id).id


# --- completeness -------------------------------------------------------------------------------------------------


def test_completeness_says_what_is_missing(world):
    company = world.company()
    percent, missing = completeness(world.session, company)
    assert 50 <= percent < 80
    assert {"财务报表", "股东出资", "联系人"} <= set(missing)
    assert missing_for_rating(world.session, company) == ["财务报表"]
    world.statement(company)
    assert completeness(world.session, company)[0] > percent
    assert missing_for_rating(world.session, company) == []


def test_a_shop_counts_where_there_is_one(world):
    person = world.person()
    assert missing_for_rating(world.session, person) == ["职业信息", "收支情况"]
    world.archive(person)
    assert missing_for_rating(world.session, person) == []
    shop = world.add(records.entity_of("shop"), person, name="小店")
    assert missing_for_rating(world.session, person) == ["门店信息"]
    records.update(world.system(), shop, {"address": "某路1号", "licence_no": "L1"}, shop.version)
    assert missing_for_rating(world.session, person) == []


def test_a_customer_of_a_kind_without_items_is_complete(world):
    for item in world.session.scalars(select(records.entity_of("completeness_item"))):
        item.source = "nothing"
        world.session.delete(item)
    world.session.flush()
    assert completeness(world.session, world.person()) == (100, [])


# --- watch list ---------------------------------------------------------------------------------------------------


def test_vip_is_listed_at_once_and_taken_off_with_a_reason(world):
    company = world.company()
    entry = verbs.watch(world.ctx(), company, WatchKind.VIP, "长期合作")
    assert (entry.state, entry.started_on, company.watch) == (
        WatchState.ACTIVE,
        date(2026, 3, 2),
        WatchKind.VIP,
    )
    with pytest.raises(Conflict, match="已在“VIP优质”名单中"):
        verbs.watch(world.ctx(), company, WatchKind.VIP, "再一次")
    with pytest.raises(BusinessError, match="移出原因"):
        verbs.end_watch(world.ctx(), entry, " ")
    verbs.end_watch(world.ctx(), entry, "合作结束", version=entry.version)
    assert (entry.state, entry.end_reason, company.watch) == (WatchState.CLOSED, "合作结束", None)
    with pytest.raises(IllegalTransition):
        verbs.end_watch(world.ctx(), entry, "又一次")
    assert verbs.watch(world.ctx(), company, WatchKind.VIP, "重新合作").state is WatchState.ACTIVE


def test_a_drafted_entry_can_be_edited_and_then_submitted(world):
    company = world.company()
    entry = records.create(
        world.ctx(),
        CustomerWatch,
        {"customer_id": company.id, "kind": "POTENTIAL", "reason": "展会"},
    )
    records.update(world.ctx(), entry, {"reason": "展会结识"}, entry.version)
    assert company.watch is None
    verbs.submit_watch(world.ctx(), entry, entry.version)
    assert company.watch is WatchKind.POTENTIAL
    with pytest.raises(Conflict, match="不能修改"):
        records.update(world.ctx(), entry, {"reason": "改"}, entry.version)


def blacklist(world, company, reason):
    return verbs.watch(world.ctx(), company, WatchKind.BLACKLIST, reason)


def unblacklist(world, company, reason):
    entry = world.session.scalars(
        select(CustomerWatch).where(CustomerWatch.customer_id == company.id)
    ).one()
    return verbs.end_watch(world.ctx(), entry, reason)


def decide(world, decision, opinion="核实无误"):
    task = world.session.scalars(
        select(ApprovalTask).where(ApprovalTask.state == TaskState.PENDING)
    ).one()
    approval.decide(world.ctx("风控", scope=ScopeLevel.ALL), task, decision, opinion)


def test_the_black_list_takes_effect_when_approved_and_ends_when_approved(world):
    world.staff("risk", "风控")
    company = world.company()
    entry = blacklist(world, company, "骗贷")
    assert (entry.state, company.is_blacklisted) == (WatchState.IN_APPROVAL, False)
    decide(world, approval.Decision.APPROVE)
    assert (entry.state, company.is_blacklisted, company.watch) == (
        WatchState.ACTIVE,
        True,
        WatchKind.BLACKLIST,
    )
    with pytest.raises(Conflict, match=r"不能删除：关注客户“骗贷”的审批单“列入黑名单：.*”已通过"):
        records.delete(world.ctx(), company, company.version)
    unblacklist(world, company, "查明有误")
    assert (entry.state, company.is_blacklisted) == (WatchState.REMOVAL_IN_APPROVAL, True)
    decide(world, approval.Decision.REJECT, "证据不足")
    assert (entry.state, company.is_blacklisted, entry.end_reason) == (
        WatchState.ACTIVE,
        True,
        None,
    )
    unblacklist(world, company, "补充证据")
    decide(world, approval.Decision.APPROVE)
    assert (entry.state, company.is_blacklisted, entry.ended_on) == (
        WatchState.CLOSED,
        False,
        date(2026, 3, 2),
    )
    with pytest.raises(IllegalTransition, match="“有效”时才能移出"):
        unblacklist(world, company, "再来")


def test_a_customer_whose_entry_is_in_approval_stays_with_it(world):
    world.staff("risk", "风控")
    company = world.company()
    entry = blacklist(world, company, "骗贷")
    with pytest.raises(Conflict, match=r"不能删除：关注客户“骗贷”的审批单“列入黑名单：.*”审批中"):
        records.delete(world.ctx(), company, company.version)
    decide(world, approval.Decision.REJECT)
    assert entry.state is WatchState.REFUSED
    with pytest.raises(Conflict, match="不能删除：关注客户“骗贷”未列入"):
        records.delete(world.ctx(), company, company.version)


def test_a_refused_entry_lists_nobody(world):
    world.staff("risk", "风控")
    company = world.company()
    entry = blacklist(world, company, "传闻")
    decide(world, approval.Decision.REJECT, "没有依据")
    assert (entry.state, company.is_blacklisted, entry.started_on) == (
        WatchState.REFUSED,
        False,
        None,
    )


def test_a_returned_entry_is_a_draft_again(world):
    world.staff("risk", "风控")
    company = world.company()
    entry = blacklist(world, company, "传闻")
    instance = world.session.scalars(select(records.entity_of("approval_instance"))).one()
    approval.withdraw(world.ctx(), instance)
    assert (entry.state, company.is_blacklisted) == (WatchState.DRAFT, False)


def test_the_gravest_list_is_shown(world):
    world.staff("risk", "风控")
    company = world.company()
    verbs.watch(world.ctx(), company, WatchKind.POTENTIAL, "展会")
    verbs.watch(world.ctx(), company, WatchKind.VIP, "优质")
    assert company.watch is WatchKind.VIP
    blacklist(world, company, "骗贷")
    decide(world, approval.Decision.APPROVE)
    assert company.watch is WatchKind.BLACKLIST


def test_watching_needs_permission_scope_and_a_live_customer(world):
    company = world.company()
    with pytest.raises(NotAllowed):
        verbs.watch(world.ctx(permissions=set()), company, WatchKind.VIP, "x")
    with pytest.raises(BusinessError, match="数据范围"):
        verbs.watch(world.ctx("外部门"), company, WatchKind.VIP, "x")
    company.status = CustomerStatus.CLOSED
    with pytest.raises(Conflict, match="已停用"):
        verbs.watch(world.ctx(), company, WatchKind.VIP, "x")


def test_a_customer_never_watched_can_be_deleted_with_its_tabs(world):
    company = world.company()
    world.statement(company)
    records.delete(world.ctx(), company, company.version)
    assert world.session.scalars(select(Customer)).all() == []
    assert world.session.scalars(select(FinancialStatement)).all() == []
    assert STATEMENT["period_kind"] == "YEAR"
