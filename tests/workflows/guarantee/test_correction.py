"""10.3 更正、撤销、清理: asked for with a reason, approved, applied by the server, and nothing past the books."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.dialects import postgresql

from models.base.entity import entities, fields_of
from models.base.errors import BusinessError, Conflict, FieldErrors, NotFound
from models.base.paper import PaperState
from models.customer.customer import Customer
from models.customer.relation import CustomerRelation
from models.guarantee.correction import Correction
from models.guarantee.drawdown import Drawdown, Instalment, RepaymentPlan
from models.guarantee.project import Project, ProjectHolder, ProjectState, Stage
from models.guarantee.resolution import ResolutionState
from models.guarantee.sharing import ProjectShare
from models.guarantee.signing import Contract
from models.ledger.voucher import EventState
from models.system.records import Attachment
from models.system.setup import AuditLog, Parameter
from reports.figures import exposure
from tests.workflows.guarantee.factories import DEPARTMENT_HEAD, MANAGER, MILLION, OUTSIDER
from tests.workflows.guarantee.sharing_world import in_use
from tests.workflows.guarantee.test_release import by_letter
from workflows import verify
from workflows.customer import customer as customer_verbs
from workflows.guarantee import application, contracts, correction, release, repayment

STAGES = (Stage.REVIEW, Stage.IN_FORCE)


def loan_of(line, project):
    return line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()


def notes(line, record):
    query = select(AuditLog.note).where(
        AuditLog.table_name == record.__tablename__, AuditLog.record_id == record.id
    )
    return "".join(note or "" for note in line.session.scalars(query))


def test_no_amount_rate_or_reference_is_correctable():
    """What anything is booked by is corrected by reversals alone."""
    wrong = [
        f"{model.__tablename__}.{name}"
        for model in entities()
        for name, facts in fields_of(model).items()
        if facts.is_correctable
        and (facts.kind in ("money", "rate", "reference", "int") or facts.is_state or facts.mask)
    ]
    assert wrong == []


def test_a_slip_is_set_right_once_it_is_approved(line):
    project = line.at(Stage.IN_FORCE)
    loan, ctx = loan_of(line, project), line.ctx(MANAGER)
    before = loan.bank_note_no
    with pytest.raises(BusinessError, match="没有改动"):
        correction.correct(ctx, loan, "笔误", bank_note_no=before)
    with pytest.raises(FieldErrors) as caught:
        correction.correct(ctx, loan, "笔误", bank_note_no="")
    assert "请填写" in "".join(caught.value.field_errors["bank_note_no"])
    with pytest.raises(BusinessError, match="请填写更正的原因"):
        correction.correct(ctx, loan, " ", bank_note_no="借新1")
    with pytest.raises(NotFound):
        correction.correct(line.ctx(OUTSIDER), loan, "笔误", bank_note_no="借新1")
    paper = correction.correct(ctx, loan, "录入时少一位", bank_note_no="借新1", amount=Decimal(1))
    assert [(one["old"], one["new"]) for one in paper.changes] == [(before, "借新1")]
    assert (paper.state, loan.bank_note_no) == (PaperState.IN_APPROVAL, before)
    assert ctx.actor.may("list", "correction"), "who asks follows it"
    with pytest.raises(Conflict, match="尚未办结"):
        correction.correct(ctx, loan, "又", bank_note_no="借新2")
    line.give_back(paper)
    correction.ask_again(line.ctx(MANAGER), paper)
    line.approve(paper)
    assert (loan.bank_note_no, paper.done_on) == ("借新1", line.today)
    assert loan.amount != 1
    assert f"银行借据号由“{before}”更正为“借新1”" in notes(line, loan)

    flags = correction.correct(ctx, project, "按上游合同", is_farmer="1", purpose_note="收购粮食")
    assert {one["field"]: one["new"] for one in flags.changes} == {
        "is_farmer": "是",
        "purpose_note": "收购粮食",
    }
    line.reject(flags)
    assert (project.is_farmer, flags.state) == (False, PaperState.REJECTED)
    late = correction.correct(ctx, project, "按上游合同", purpose_note="收购粮食")
    project.purpose_note = "别的"
    line.session.flush()
    with pytest.raises(Conflict, match="用途说明在申请之后已变化"):
        line.approve(late)


def test_what_another_record_has_got_meanwhile_is_not_given_twice(line):
    first, second = (loan_of(line, line.project_at(Stage.IN_FORCE)) for _ in range(2))
    with pytest.raises(FieldErrors, match="已登记，不能重复"):
        correction.correct(line.ctx(MANAGER), first, "笔误", bank_note_no=second.bank_note_no)
    one = correction.correct(line.ctx(MANAGER), first, "笔误", bank_note_no="借9")
    other = correction.correct(line.ctx(MANAGER), second, "笔误", bank_note_no="借9")
    line.approve(one)
    with pytest.raises(Conflict, match="借9 已登记"):
        line.approve(other)


def test_a_draft_is_edited_and_given_up_papers_change_nothing(line):
    draft, ctx = line.apply(), line.ctx(MANAGER)
    with pytest.raises(Conflict, match="草稿可以直接修改"):
        correction.correct(ctx, draft, "笔误", purpose_note="x")
    project = line.at(Stage.IN_FORCE)
    paper = correction.correct(ctx, project, "笔误", purpose_note="别的用途")
    line.withdraw(paper)
    correction.drop(line.ctx(MANAGER), paper)
    assert (paper.state, project.purpose_note == "别的用途") == (PaperState.VOID, False)


def test_a_drawdown_by_mistake_goes_and_the_project_waits_for_the_right_one(line):
    project, session = line.project_at(Stage.IN_FORCE), line.session
    loan, ctx = loan_of(line, project), line.ctx(MANAGER)
    number, note = loan.number, loan.bank_note_no
    booked = line.events(project, EventState.PENDING, code="income.recognised")
    paper = correction.revoke(ctx, loan, "银行未实际放款")
    line.approve(paper)
    assert (project.state, project.stage) == (ProjectState.RUNNING, Stage.CONFIRM)
    assert (project.balance, project.start_on) == (0, None)
    assert project.reserved_amount == line.resolution(project).amount
    assert line.resolution(project).state is ResolutionState.VALID
    for model in (Drawdown, RepaymentPlan, Instalment):
        query = select(func.count()).select_from(model)
        key = Drawdown.id if model is Drawdown else RepaymentPlan.drawdown_id
        if model is not Instalment:
            assert session.scalar(query.where(key == paper.record_id)) == 0
    assert (paper.content["借据编号"], paper.content["银行借据号"]) == (number, note)
    assert all(event.state is EventState.CANCELLED for event in booked)
    assert f"撤销放款 借据 {number}" in notes(line, project)
    assert verify.verify_exposures(session) == verify.verify_stages(session) == []
    line.confirm(project, bank_note_no=note)
    assert (project.state, project.balance) == (ProjectState.IN_FORCE, project.amount)
    assert verify.verify_exposures(session) == verify.verify_plans(session) == []


def test_what_hangs_on_a_drawdown_keeps_it(line):
    project, ctx = line.project_at(Stage.IN_FORCE), line.ctx(MANAGER)
    loan = loan_of(line, project)
    paper = correction.revoke(ctx, loan, "金额有误")
    line.give_back(paper)
    paid = repayment.Paid(line.today, Decimal(0), Decimal("0.01"), note="利息")
    made = repayment.register(ctx, loan, paid)
    with pytest.raises(Conflict, match="还款登记"):
        correction.ask_again(line.ctx(MANAGER), paper)
    repayment.reverse(ctx, made, "登记有误")
    with pytest.raises(Conflict, match="1 条还款登记"):
        correction.ask_again(line.ctx(MANAGER), paper)

    other = line.project_at(Stage.IN_FORCE)
    line.book(other)
    with pytest.raises(Conflict, match="收入确认已记账，请会计先撤回复核"):
        correction.revoke(ctx, loan_of(line, other), "金额有误")


def test_what_came_after_a_drawdown_keeps_it(line):
    """Its guarantee is being released, then is; another loan is repaid."""
    project = line.project_at(Stage.IN_FORCE)
    loan = loan_of(line, project)
    paper = correction.revoke(line.ctx(MANAGER), loan, "金额有误")
    line.give_back(paper)
    made = by_letter(line, project)
    line.attach("release", made.id, None)
    release.submit(line.ctx(MANAGER), made)
    being = f"项目 {project.number} 正在解保，不能撤销放款"
    with pytest.raises(Conflict, match=being):
        correction.revoke(line.ctx(MANAGER), loan, "金额有误")
    line.approve(made)
    with pytest.raises(Conflict, match=being):  # the books have yet to follow
        correction.ask_again(line.ctx(MANAGER), paper)
    line.book(project)
    with pytest.raises(Conflict, match="已解保，不能撤销放款"):
        correction.ask_again(line.ctx(MANAGER), paper)

    other = loan_of(line, line.project_at(Stage.IN_FORCE))
    asked = correction.revoke(line.ctx(MANAGER), other, "金额有误")
    line.later(days=31)
    paid = repayment.Paid(line.today, other.balance, Decimal(0), is_final=True)
    repayment.register(line.ctx(MANAGER), other, paid)
    said = f"借据 {other.number} 已有还款或已结束，不能撤销；请退回经办人"
    with pytest.raises(Conflict, match=said), line.session.begin_nested():
        line.approve(asked)
    assert other.project.state is ProjectState.IN_FORCE


def test_the_first_of_two_parts_goes_and_the_other_stands(line):
    project = line.project_at(Stage.CONFIRM, amount=5 * MILLION)
    first = line.confirm(project, amount=2 * MILLION)
    second = line.confirm(project, amount=3 * MILLION)
    line.approve(correction.revoke(line.ctx(MANAGER), first, "第一笔未放"))
    assert (project.state, project.balance) == (ProjectState.IN_FORCE, 3 * MILLION)
    assert (project.start_on, project.end_on) == (second.drawn_on, second.due_on)
    assert verify.verify_exposures(line.session) == []


def test_an_application_that_came_to_nothing_is_cleared_away(line):
    session, ctx = line.session, line.ctx(MANAGER)
    project = line.apply()
    number, key = project.number, project.id
    line.attach("project", key, None)
    first = correction.purge(ctx, project, "重复录入")
    line.reject(first)
    application.cancel(ctx, project, "重复录入")
    paper = correction.purge(ctx, project, "重复录入")
    line.approve(paper)
    assert session.get(Project, key) is None
    files = select(Attachment).where(
        Attachment.owner_table == "project", Attachment.owner_id == key
    )
    assert session.scalars(files).all() == []
    holders = select(func.count(ProjectHolder.id)).where(ProjectHolder.project_id == key)
    assert session.scalar(holders) == 0
    assert (paper.project_id, first.project_id, paper.content["项目编号"]) == (None, None, number)
    assert number in paper.subject
    with pytest.raises(Conflict, match="没有撤回、否决或作废"):
        correction.purge(line.ctx(MANAGER), line.at(Stage.REVIEW), "不办了")
    assert session.scalar(select(func.count(Correction.id))) == 2


def test_a_contract_that_came_to_nothing_goes_unless_something_hangs_on_it(line):
    session, ctx = line.session, line.ctx(MANAGER)
    project = line.project_at(Stage.CONTRACT)
    first, second = line.draw_up(project)[:2]
    with pytest.raises(Conflict, match="草稿，没有撤回、否决或作废"):
        correction.purge(ctx, first, "不用了")
    for one in (first, second):
        contracts.submit(line.ctx(MANAGER), one)
    line.reject(first)
    line.approve(second)
    contracts.void(line.ctx(MANAGER), second, "另签")
    with pytest.raises(Conflict, match=r"审批单“.*”已通过"):
        correction.purge(ctx, second, "不用了")
    number, key = first.number, first.id
    paper = correction.purge(line.ctx(MANAGER), first, "条款有误，另行起草")
    assert paper.project is project
    line.approve(paper)
    assert session.get(Contract, key) is None
    assert paper.content["合同编号"] == number
    assert f"清理 合同 {number}" in notes(line, project)


def test_a_project_of_a_scheme_is_drawn_again_with_its_shares_fixed_anew(line):
    project = line.project_at(Stage.IN_FORCE, scheme_id=in_use(line).id)
    query = select(ProjectShare.party).where(ProjectShare.project_id == project.id)
    fixed = line.session.scalars(query.order_by(ProjectShare.id)).all()
    line.approve(correction.revoke(line.ctx(MANAGER), loan_of(line, project), "银行未实际放款"))
    assert line.session.scalars(query).all() == []
    line.confirm(project)
    assert line.session.scalars(query.order_by(ProjectShare.id)).all() == fixed != []


def test_a_project_that_was_never_resolved_on_is_not_taken_back(line):
    project = line.project_at(Stage.IN_FORCE)
    line.resolution(project).state = ResolutionState.EXPIRED
    line.session.flush()
    with pytest.raises(Conflict, match="没有据以放款的公司决议"):
        correction.revoke(line.ctx(MANAGER), loan_of(line, project), "银行未实际放款")


@pytest.mark.parametrize(
    ("line_left", "state"), [(0, ResolutionState.VALID), (1, ResolutionState.EXPIRED)]
)
def test_the_whole_resolution_is_reserved_again_only_within_the_limits(line, line_left, state):
    project = line.project_at(Stage.CONFIRM, amount=5 * MILLION)
    loan = line.confirm(project, amount=2 * MILLION)
    used = exposure.line_used(line.session, project.bank, without=project.id)
    project.bank.credit_line = sum(used) + 5 * MILLION - line_left
    paper = correction.revoke(line.ctx(MANAGER), loan, "银行未实际放款")
    line.approve(paper)
    assert (project.state, project.stage) == (ProjectState.RUNNING, Stage.CONFIRM)
    assert line.resolution(project).state is state
    reserved = 5 * MILLION if state is ResolutionState.VALID else 0
    assert project.reserved_amount == reserved
    assert ("超过限额：银行授信" in notes(line, project)) is (reserved == 0)
    assert verify.verify_exposures(line.session) == []


def test_a_drawdown_goes_with_the_projects_loans_locked_in_their_order(line):
    project = line.project_at(Stage.CONFIRM, amount=5 * MILLION)
    line.confirm(project, amount=2 * MILLION)
    paper = correction.revoke(
        line.ctx(MANAGER), line.confirm(project, amount=3 * MILLION), "第二笔未放"
    )
    locks = []

    def listen(asked):
        told = str(asked.statement.compile(dialect=postgresql.dialect()))
        if "FOR UPDATE OF drawdown" in told:
            locks.append(told)

    event.listen(line.session, "do_orm_execute", listen)
    line.approve(paper)
    event.remove(line.session, "do_orm_execute", listen)
    assert locks
    assert all("ORDER BY drawdown.id FOR UPDATE" in told for told in locks)


def test_a_correction_passes_by_no_check_of_the_record(line):
    project, ctx = line.project_at(Stage.IN_FORCE), line.ctx(MANAGER)
    with pytest.raises(FieldErrors) as caught:
        correction.correct(ctx, project, "笔误", purpose="NOPE")
    assert caught.value.field_errors == {"purpose": ["没有这个选项，请从列表中选择"]}
    contract = line.session.scalars(
        select(Contract).where(Contract.project_id == project.id).limit(1)
    ).one()
    with pytest.raises(FieldErrors) as caught:
        correction.correct(ctx, contract, "笔误", signed_on=line.today + timedelta(days=400))
    assert caught.value.field_errors == {"signed_on": ["签约日期不能晚于营业日期"]}


def test_a_correction_of_what_a_project_weighs_stays_within_the_limits(line):
    project = line.project_at(Stage.IN_FORCE, is_housing=True)
    single = next(
        one
        for one in exposure.checks(line.session, project, line.today, amount=project.balance)
        if one.key == "single"
    )
    limit = select(Parameter).where(Parameter.code == "exposure.single_limit_pct")
    line.session.scalars(limit).one().value = str(single.after)
    line.session.flush()
    paper = correction.correct(line.ctx(MANAGER), project, "并非住房", is_housing="0")
    with pytest.raises(Conflict, match="更正后超过限额：单户集中度"):
        line.approve(paper)


def test_a_closed_customer_without_any_business_is_cleared_away(line):
    session, ctx = line.session, line.ctx(MANAGER)
    busy, idle = line.at(Stage.REVIEW).customer, line.customer("江州误录有限公司")
    line.attach("corporate_customer", idle.id, None)
    with pytest.raises(Conflict, match="正常，先停用才能清理"):
        correction.purge(ctx, idle, "误录")
    head = line.ctx(DEPARTMENT_HEAD)
    customer_verbs.close(head, idle, "误录", idle.version)
    key, number = idle.id, idle.number
    other = line.customer("江州相关有限公司")
    tie = CustomerRelation(customer_id=other.id, to_customer_id=key, kind="SUPPLY_CHAIN")
    session.add(tie)
    session.flush()
    with pytest.raises(Conflict, match="1 条关联关系"):
        correction.purge(ctx, idle, "误录")
    session.delete(tie)
    session.flush()
    with pytest.raises(NotFound):
        correction.purge(line.ctx(OUTSIDER), idle, "误录")
    paper = correction.purge(ctx, idle, "误录")
    session.expire_all()
    line.approve(paper)
    assert session.get(Customer, key) is None
    assert paper.content["客户编号"] == number
    assert "证件号码" not in paper.content
    files = select(Attachment).where(
        Attachment.owner_table == "corporate_customer", Attachment.owner_id == key
    )
    assert session.scalars(files).all() == []
    with pytest.raises(Conflict, match="先停用才能清理"):
        correction.purge(ctx, busy, "不做了")
