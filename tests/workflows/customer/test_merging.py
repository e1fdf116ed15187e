"""10.2 客户合并: everything that points to the one goes over to the other, with approval, and back within the day."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from models.base.actor import ScopeLevel
from models.base.entity import entities
from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
)
from models.base.paper import PaperState
from models.customer.customer import CustomerStatus, PersonalCustomer, WatchKind
from models.customer.detail import Shareholder
from models.customer.financial_statement import FinancialStatement
from models.customer.merge import CustomerMerge
from models.customer.relation import CustomerRelation
from models.guarantee.project import Project, Stage
from models.guarantee.signing import CounterGuarantee, CounterKind
from models.guarantee.termination import Termination
from models.ledger.voucher import Voucher, VoucherEntry, VoucherState
from models.system.custom_field import CustomField, CustomKind
from models.system.records import Attachment, Comment
from models.system.setup import AuditLog
from reports.figures import customer_places
from tests.workflows.guarantee.factories import (
    CASHIER,
    DEPARTMENT_HEAD,
    MANAGER,
    OUTSIDER,
    RISK_HEAD,
)
from workflows.base import records
from workflows.customer import customer as watching
from workflows.customer import merging
from workflows.guarantee import termination
from workflows.guarantee.history_projects import known_customer
from workflows.ledger import voucher

STAGES = (Stage.COUNTER, Stage.REVIEW)


def twins(line):
    """Two records of one company, the one to be merged without a statement of its own."""
    merged, kept = line.customer("江州双生有限公司"), line.customer("江州双生有限责任公司")
    own = select(FinancialStatement).where(FinancialStatement.corporate_customer_id == merged.id)
    for statement in line.session.scalars(own):
        line.session.delete(statement)
    line.session.flush()
    line.session.expire_all()
    return merged, kept


def ask(line, merged, kept, who=MANAGER, reason="重复登记"):
    return merging.merge(line.ctx(who), merged, kept.id, reason, merged.version)


def merge(line, merged, kept):
    paper = ask(line, merged, kept)
    line.approve(paper)
    return paper


def pointing(line, customer):
    """What points to a customer: (table, field) -> ids."""
    found = {}
    for place in customer_places.places(line.session):
        if rows := customer_places.rows_of(line.session, place, customer.id):
            found[place.key] = [row.id for row in rows]
    return found


def pledge(line, model, **facts):
    made = model(**facts)
    line.session.add(made)
    line.session.flush()
    return made


# ---------------------------------------------------------------------------------------------- what goes over
def test_all_that_points_to_the_one_goes_over_and_it_stays_as_a_tombstone(line):
    merged, kept = twins(line)
    third = line.customer("江州第三有限公司")
    project = line.apply(customer_id=merged.id)
    tie = pledge(
        line, CustomerRelation, customer_id=third.id, to_customer_id=merged.id, kind="SUPPLY_CHAIN"
    )
    surety = pledge(
        line,
        CounterGuarantee,
        project=line.apply(customer_id=third.id),
        kind=CounterKind.SURETY,
        name=merged.name,
        guarantor_id=merged.id,
    )
    remark = pledge(
        line, Comment, owner_table="corporate_customer", owner_id=merged.id, text="老客户"
    )
    watching.watch(line.ctx(MANAGER), merged, WatchKind.VIP, "优质")
    before = pointing(line, merged)
    paper = ask(line, merged, kept)
    assert (paper.state, merged.status) == (PaperState.IN_APPROVAL, CustomerStatus.ACTIVE)
    assert pointing(line, merged) == before, "nothing happens before it is approved"
    line.approve(paper)
    assert (merged.status, merged.merged_into_id) == (CustomerStatus.MERGED, kept.id)
    assert pointing(line, merged) == {}
    assert (project.customer_id, tie.to_customer_id, surety.guarantor_id) == (kept.id,) * 3
    assert remark.owner_id == kept.id
    assert (kept.watch, merged.watch) == (WatchKind.VIP, None)
    assert {tuple(one[:2]) for one in paper.moved} >= set(before)
    mine = (AuditLog.record_id == merged.id, AuditLog.table_name == "corporate_customer")
    notes = line.session.scalars(select(AuditLog.note).where(*mine, AuditLog.action == "MERGE"))
    assert notes.all() == [f"客户合并 {paper.number}：并入 {kept.number} {kept.name}（重复登记）"]
    files = select(Attachment.owner_id).where(Attachment.owner_table == "corporate_customer")
    assert merged.id not in set(line.session.scalars(files))


def test_a_custom_field_that_refers_to_customers_goes_over(line):
    merged, kept = twins(line)
    line.session.add(
        CustomField(
            table_name="project",
            code="introducer",
            label="介绍人",
            kind=CustomKind.REFERENCE,
            target="customer",
        )
    )
    line.session.flush()
    project = line.apply()
    project.extra = {**project.extra, "introducer": merged.id}
    line.session.flush()
    merge(line, merged, kept)
    assert project.extra["introducer"] == kept.id


def test_nothing_new_is_written_to_a_tombstone(line):
    merged, kept = twins(line)
    merge(line, merged, kept)
    with pytest.raises(FieldErrors, match=f"已并入“{kept.name}”"):
        line.apply(customer_id=merged.id)
    with pytest.raises(FieldErrors, match="请选择后者"):
        records.create(
            line.ctx(MANAGER),
            Shareholder,
            {"corporate_customer_id": merged.id, "name": "某", "share_pct": "1"},
        )
    with pytest.raises(Conflict, match="已合并，不能修改"):
        records.update(line.ctx(MANAGER), merged, {"name": "又一个"}, merged.version)
    with pytest.raises(IllegalTransition):
        watching.reopen(line.ctx(DEPARTMENT_HEAD), merged, "再用")
    with pytest.raises(Conflict, match=f"客户“{merged}”已合并"):
        ask(line, merged, line.customer("另一家有限公司"))
    row = type("Row", (), {"kind": kept.kind, "uscc": merged.uscc})
    assert known_customer(line.ctx(), row) is kept, (
        "a file with the old number finds whom it became"
    )


def test_a_chain_of_merges_ends_at_the_last(line):
    first, second = twins(line)
    merge(line, first, second)
    third = line.customer("江州三生有限公司")
    for statement in line.session.scalars(
        select(FinancialStatement).where(FinancialStatement.corporate_customer_id == second.id)
    ):
        line.session.delete(statement)
    line.session.flush()
    merge(line, second, third)
    assert first.merged_into_id == third.id


# ---------------------------------------------------------------------------------------------- what stands in the way
def test_what_both_have_once_is_named(line):
    merged, kept = line.customer("江州甲有限公司"), line.customer("江州甲有限责任公司")
    with pytest.raises(Conflict, match="两位客户都有财务报表（1 条相同）"):
        ask(line, merged, kept)


def test_a_company_is_no_person_and_nobody_is_merged_into_themselves_or_the_dead(line):
    merged, kept = twins(line)
    person = pledge(
        line,
        PersonalCustomer,
        number="GR1",
        name="张三",
        id_type="ID_CARD",
        id_number="110101199003074514",
        manager_id=line.id(MANAGER),
        department_id=merged.department_id,
    )
    with pytest.raises(Conflict, match="不能并入"):
        ask(line, merged, person)
    with pytest.raises(Conflict, match="不能与自身合并"):
        ask(line, merged, merged)
    kept.status = CustomerStatus.CLOSED
    line.session.flush()
    with pytest.raises(Conflict, match="已停用"):
        ask(line, merged, kept)


def test_a_relation_of_the_two_and_a_running_approval_are_in_the_way(line):
    merged, kept = twins(line)
    tie = pledge(
        line, CustomerRelation, customer_id=merged.id, to_customer_id=kept.id, kind="SUPPLY_CHAIN"
    )
    with pytest.raises(Conflict, match="两位客户之间登记了关联关系"):
        ask(line, merged, kept)
    line.session.delete(tie)
    entry = watching.watch(line.ctx(MANAGER), merged, WatchKind.BLACKLIST, "失信")
    with pytest.raises(Conflict, match=r"审批单“列入黑名单：.*”正在办理"):
        ask(line, merged, kept)
    line.withdraw(entry)
    assert ask(line, merged, kept).state is PaperState.IN_APPROVAL


def post(line):
    """Every voucher goes through four hands."""
    drafts = select(Voucher).where(Voucher.state == VoucherState.DRAFT).order_by(Voucher.number)
    for draft in line.session.scalars(drafts).all():
        voucher.review(line.ctx("陈伟"), draft)
        if draft.is_cash:
            voucher.sign(line.ctx(CASHIER), draft)
        ctx = line.ctx("陈伟")
        ctx.actor = replace(ctx.actor, employee_id=line.id("卫东"))
        voucher.post(ctx, draft)


def test_open_balances_stay_with_whom_they_were_posted_to(line):
    """Posted entries keep their customer, so the one with balances is the one that is kept."""
    project = line.at(Stage.COUNTER)
    busy, fresh = project.customer, twins(line)[0]
    for statement in line.session.scalars(
        select(FinancialStatement).where(FinancialStatement.corporate_customer_id == busy.id)
    ):
        line.session.delete(statement)
    line.session.flush()
    line.book(project)
    with pytest.raises(Conflict, match=r"凭证 .* 的分录记在该客户名下，尚未记账"):
        ask(line, busy, fresh)
    post(line)
    with pytest.raises(
        Conflict, match=r"已记账的余额（1122 应收担保费 .* 元.*），已记账的分录不能改名"
    ):
        ask(line, busy, fresh)
    made = records.create(
        line.ctx(MANAGER),
        Termination,
        {"project_id": project.id, "cause": "CUSTOMER", "reason": "客户改向他行借款"},
    )
    termination.submit(line.ctx(MANAGER), made, made.version)
    line.approve(made)
    with pytest.raises(Conflict, match="复核管理中有待记账的事项"):
        ask(line, busy, fresh)
    line.book(project)
    post(line)
    entries = select(VoucherEntry.id).where(VoucherEntry.customer_id == busy.id)
    kept_ids = line.session.scalars(entries).all()
    assert kept_ids
    merge(line, busy, fresh)
    assert line.session.scalars(entries).all() == kept_ids, "posted entries keep their customer"
    assert project.customer_id == fresh.id


# ---------------------------------------------------------------------------------------------- asking and rights
def test_who_may_not_cannot_ask_and_the_other_one_must_be_seen(line):
    merged, kept = twins(line)
    with pytest.raises(NotAllowed):
        ask(line, merged, kept, who=CASHIER)
    with pytest.raises(NotFound):
        ask(line, merged, kept, who=OUTSIDER)
    theirs = line.customer("外部门有限公司", manager=OUTSIDER)
    assert line.actor(MANAGER).scope is not ScopeLevel.ALL
    with pytest.raises(NotFound):
        ask(line, merged, theirs)
    for hostile in ("-1", "0", "1e3", "99999999999999", "' or 1=1"):
        with pytest.raises(NotFound):
            merging.merge(line.ctx(MANAGER), merged, hostile, "重复", merged.version)
    for reason in ("", "  ", "长" * 201):
        with pytest.raises(BusinessError, match="请填写合并的原因"):
            ask(line, merged, kept, reason=reason)


def test_it_is_asked_for_once_and_nothing_happens_where_it_is_refused_or_given_up(line):
    merged, kept = twins(line)
    paper = ask(line, merged, kept)
    with pytest.raises(Conflict, match="尚未办结，不能重复申请"):
        ask(line, merged, kept)
    line.give_back(paper)
    assert paper.state is PaperState.DRAFT
    merging.ask_again(line.ctx(MANAGER), paper, paper.version)
    line.give_back(paper)
    merging.drop(line.ctx(MANAGER), paper, paper.version)
    assert paper.state is PaperState.VOID
    again = ask(line, merged, kept)
    line.reject(again)
    assert (again.state, merged.status) == (PaperState.REJECTED, CustomerStatus.ACTIVE)


def test_what_came_in_the_way_since_is_found_when_it_is_approved(line):
    merged, kept = twins(line)
    paper = ask(line, merged, kept)
    pledge(line, CustomerRelation, customer_id=kept.id, to_customer_id=merged.id, kind="KINSHIP")
    with pytest.raises(Conflict, match="关联关系，请先删除；请退回经办人"):
        line.approve(paper)


# ---------------------------------------------------------------------------------------------- taking back
def test_the_day_takes_it_back_with_all_that_is_still_there(line):
    merged, kept = twins(line)
    own = line.apply(customer_id=kept.id)
    project = line.apply(customer_id=merged.id)
    tie = pledge(
        line,
        CustomerRelation,
        customer_id=merged.id,
        to_customer_id=line.customer("第三家有限公司").id,
        kind="SUPPLY_CHAIN",
    )
    before = pointing(line, merged)
    paper = merge(line, merged, kept)
    line.session.delete(tie)
    line.session.flush()
    with pytest.raises(NotAllowed):
        merging.undo(line.ctx(MANAGER), paper, "错了")
    with pytest.raises(BusinessError, match="请填写撤销的原因"):
        merging.undo(line.ctx(RISK_HEAD), paper, " ")
    merging.undo(line.ctx(RISK_HEAD), paper, "不是同一家", paper.version)
    del before["customer_relation", "customer_id"]
    assert pointing(line, merged) == before
    assert (merged.status, merged.merged_into_id) == (CustomerStatus.ACTIVE, None)
    assert (project.customer_id, own.customer_id) == (merged.id, kept.id)
    assert (paper.state, paper.undone_on) == (PaperState.VOID, line.today)
    with pytest.raises(IllegalTransition):
        merging.undo(line.ctx(RISK_HEAD), paper, "再次")
    assert merge(line, merged, kept).state is PaperState.APPROVED


def test_it_is_too_late_the_next_day_and_once_the_other_went_on(line):
    merged, kept = twins(line)
    paper = merge(line, merged, kept)
    line.later(days=1)
    with pytest.raises(Conflict, match="只能在合并当日撤销"):
        merging.undo(line.ctx(RISK_HEAD), paper, "错了")
    line.today -= timedelta(days=1)
    kept.status, kept.merged_into_id = CustomerStatus.MERGED, line.customer("再一家").id
    line.session.flush()
    with pytest.raises(Conflict, match="此后又并入了其他客户"):
        merging.undo(line.ctx(RISK_HEAD), paper, "错了")


# ---------------------------------------------------------------------------------------------- the structure
def test_every_key_to_customers_goes_over_or_stands_with_its_reason(line):
    walked = {place.key for place in customer_places.places(line.session)}
    found = set()
    for model in entities():
        for column in model.__table__.columns:
            targets = {key.column.table.name for key in column.foreign_keys}
            if targets & customer_places.TABLES and not column.primary_key:
                found.add((str(model.__tablename__), column.name))
    assert found == walked | set(customer_places.KEPT)
    assert not walked & set(customer_places.KEPT)
    assert len(found) > 25


def test_no_live_record_points_to_a_merged_customer(line):
    """Whatever was made for the one before: after the merge only what `KEPT` names still says so."""
    project = line.at(Stage.REVIEW)
    merged, kept = project.customer, twins(line)[0]
    for statement in line.session.scalars(
        select(FinancialStatement).where(FinancialStatement.corporate_customer_id == merged.id)
    ):
        line.session.delete(statement)
    line.session.flush()
    merge(line, merged, kept)
    for model in entities():
        for column in model.__table__.columns:
            key = (str(model.__tablename__), column.name)
            targets = {one.column.table.name for one in column.foreign_keys}
            if not targets & customer_places.TABLES or column.primary_key:
                continue
            rows = line.session.scalars(select(model.id).where(column == merged.id)).all()
            assert not rows or key in customer_places.KEPT, key
    assert line.session.scalars(select(Project).where(Project.customer_id == kept.id)).all()
    assert line.session.scalars(select(CustomerMerge)).one().done_on == line.today
