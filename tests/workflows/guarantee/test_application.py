"""4.1a 申请担保: what an application must fit, what keeps it from being submitted, and how it is withdrawn."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import (
    BusinessError,
    Conflict,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.customer.customer import CustomerStatus
from models.customer.financial_statement import FinancialStatement
from models.customer.relation import CONTROL, CustomerRelation, RelationState
from models.guarantee.bank import BankStatus
from models.guarantee.product import GuaranteeKind
from models.guarantee.project import Project, ProjectHolder, ProjectStage, ProjectState, Stage
from models.system.records import Attachment
from models.system.setup import AuditLog
from reports.figures.project_documents import demands, percent
from tests.workflows.guarantee.factories import ASSISTANT, CASHIER, MANAGER, MILLION, OUTSIDER
from workflows.base import records
from workflows.customer import customer as customers
from workflows.guarantee import application, limits, stages

STAGES = (Stage.EVALUATE, Stage.RESOLVE, Stage.FEE_PLAN)


def wrong(line, **facts):
    with pytest.raises(FieldErrors) as caught:
        line.apply(**facts)
    return caught.value.field_errors


def obstacles(line, project):
    ctx = line.ctx(MANAGER)
    return "；".join(application.obstacles(ctx, project, limits.checks(ctx, project)))


def test_a_new_application_is_numbered_and_stands_at_the_start_of_the_line(line):
    project = line.apply()
    assert (project.state, project.stage, project.stage_since) == (
        ProjectState.DRAFT,
        Stage.APPLY,
        line.today,
    )
    assert project.number.startswith("DB2026-")
    assert (project.manager_id, project.department.name) == (line.id(MANAGER), "业务一部")
    assert project.guarantee_kind is GuaranteeKind.LOAN
    holders = line.session.scalars(
        select(ProjectHolder).where(ProjectHolder.project_id == project.id)
    ).all()
    assert {(h.role, h.employee_id) for h in holders} == {
        ("A角", line.id(MANAGER)),
        ("B角", line.id(ASSISTANT)),
    }
    (stage,) = line.session.scalars(
        select(ProjectStage).where(ProjectStage.project_id == project.id)
    )
    assert (stage.stage, stage.entered_on, stage.left_on) == (Stage.APPLY, line.today, None)


@pytest.mark.parametrize(
    ("facts", "field", "words"),
    [
        ({"amount": 51 * MILLION}, "amount", "应在 100,000.00 至 50,000,000.00 元之间"),
        ({"amount": Decimal("99999.99")}, "amount", "应在"),
        ({"term_months": 37}, "term_months", "应在 1 至 36 个月之间"),
        ({"bank_share_pct": Decimal("19.99")}, "bank_share_pct", "不得低于 20%"),
        ({"rate_annual_pct": Decimal("24.01")}, "rate_annual_pct", "不得高于 24%"),
        ({"assistant_id": 1}, "assistant_id", "不能与A角为同一人"),
    ],
)
def test_what_does_not_fit_the_product_is_named_at_its_field(line, facts, field, words):
    if "assistant_id" in facts:
        facts = {"assistant_id": line.id(MANAGER)}
    found = wrong(line, **facts)
    assert set(found) == {field}
    assert words in found[field][0]


def test_product_bank_and_customer_must_be_open_for_business(line):
    product = line.product("GRJY")
    assert "仅适用于个人客户" in wrong(line, product_id=product.id, amount=MILLION)["product_id"][0]
    product.is_active = False
    assert "已停用" in wrong(line, product_id=product.id, amount=MILLION)["product_id"][0]
    assert line.apply(product_id=line.product("XWKB").id, amount=MILLION).id
    customer = line.customer("被拒公司", is_blacklisted=True, is_own_controller=True)
    found = wrong(line, customer_id=customer.id)["customer_id"]
    assert ["黑名单" in found[0], "控股股东" in found[1]] == [True, True]
    line.bank().status = BankStatus.SUSPENDED
    assert "暂停合作" in wrong(line)["bank_id"][0]


def test_a_customer_is_closed_and_opened_again_with_a_reason(line):
    project = line.apply()
    busy, idle, head = project.customer, line.customer("停用公司"), line.ctx("赵强")
    with pytest.raises(NotAllowed):
        customers.close(line.ctx(MANAGER), idle, "不再往来")
    with pytest.raises(Conflict, match=f"项目 {project.number} 尚未结束"):
        customers.close(head, busy, "不再往来")
    with pytest.raises(BusinessError, match="请填写停用客户的原因"):
        customers.close(head, idle, " ")
    customers.close(head, idle, "不再往来", idle.version)
    assert idle.status is CustomerStatus.CLOSED
    assert "已停用，不能申请担保" in wrong(line, customer_id=idle.id)["customer_id"][0]
    with pytest.raises(IllegalTransition, match="已停用"):
        customers.close(head, idle, "再停用一次")
    customers.reopen(head, idle, "恢复往来", idle.version)
    assert line.apply(customer_id=idle.id).id
    notes = select(AuditLog.note).where(
        AuditLog.record_id == idle.id, AuditLog.action.in_(("CLOSE", "REOPEN"))
    )
    assert line.session.scalars(notes.order_by(AuditLog.id)).all() == ["不再往来", "恢复往来"]


def test_an_application_is_changed_but_never_deleted(line):
    project = line.apply()
    records.update(line.ctx(MANAGER), project, {"amount": "4000000"}, project.version)
    assert project.amount == 4 * MILLION
    with pytest.raises(Conflict, match="请撤回申请"):
        records.delete(line.ctx(MANAGER), project, project.version)


def test_submission_moves_on_to_evaluation_by_itself(line):
    project = line.apply()
    application.submit(line.ctx(MANAGER), project, project.version)
    assert (project.state, project.stage, project.applied_on) == (
        ProjectState.RUNNING,
        Stage.EVALUATE,
        line.today,
    )
    with pytest.raises(IllegalTransition):
        application.submit(line.ctx(MANAGER), project)
    with pytest.raises(Conflict, match="办理中"):
        records.update(line.ctx(MANAGER), project, {"amount": "1000000"}, project.version)


def test_every_obstacle_is_named(line):
    project = line.apply()
    assert obstacles(line, project) == ""
    customer = project.customer
    customer.grade_valid_until = line.today.replace(year=2025)
    for statement in line.session.scalars(select(FinancialStatement)):
        if statement.corporate_customer_id == customer.id:
            line.session.delete(statement)
    for paper in line.session.scalars(select(Attachment).where(Attachment.owner_id == customer.id)):
        line.session.delete(paper)
    line.session.flush()
    line.session.expire_all()
    customer.is_blacklisted = True
    found = obstacles(line, project)
    for words in ("黑名单", "客户资料完整度", "财务报表", "没有有效的信用等级", "缺少要件："):
        assert words in found
    with pytest.raises(BusinessError, match="黑名单"):
        application.submit(line.ctx(MANAGER), project)


@pytest.mark.parametrize("facts", [{"grade": None, "grade_valid_until": None}])
def test_a_customer_without_a_grade_cannot_apply(line, facts):
    project = line.apply(customer_id=line.customer(**facts).id)
    assert "没有有效的信用等级" in obstacles(line, project)


def test_a_paper_on_the_project_serves_as_well(line):
    project = line.apply()
    for paper in line.session.scalars(
        select(Attachment).where(Attachment.owner_id == project.customer_id)
    ):
        line.session.delete(paper)
    line.session.flush()
    line.attach("project", project.id, "LICENCE")
    line.attach("project", project.id, None)
    assert percent(demands(line.session, project, line.today)) == 50
    assert "已上传的 1 个文件未分类，不算要件" in obstacles(line, project)
    line.attach("project", project.id, "FINANCE")
    assert percent(demands(line.session, project, line.today)) == 100


def test_limits_are_checked_before_submission(line):
    big = line.apply(amount=13 * MILLION)  # 80 % of it are more than 10 % of 100 million
    assert "单户集中度" in obstacles(line, big)
    with pytest.raises(BusinessError, match="暂不能提交：单户集中度"):
        application.submit(line.ctx(MANAGER), big)
    line.bank().single_limit = 4 * MILLION
    assert "银行单笔" in obstacles(line, line.apply())
    line.bank().credit_line = MILLION
    assert "银行授信" in obstacles(line, line.apply())


def test_the_group_of_the_customer_counts_together(line):
    reserved = line.at(Stage.FEE_PLAN)
    project = line.apply(amount=12 * MILLION)
    assert obstacles(line, project) == ""
    relation = CustomerRelation(
        customer_id=project.customer_id,
        to_customer_id=reserved.customer_id,
        kind=CONTROL,
        state=RelationState.CONFIRMED,
    )
    line.session.add(relation)
    line.session.flush()
    reserved.reserved_amount = 9 * MILLION
    assert "关联方集中度" in obstacles(line, project)


def test_who_may_not_or_does_not_see_it_cannot_submit(line):
    project = line.apply()
    with pytest.raises(NotAllowed):
        application.submit(line.ctx(CASHIER), project)
    with pytest.raises(NotFound):
        application.submit(line.ctx(OUTSIDER), project)
    with pytest.raises(StaleRecord):
        application.submit(line.ctx(MANAGER), project, project.version - 1)


def test_a_draft_is_withdrawn_with_a_reason(line):
    project = line.apply()
    with pytest.raises(BusinessError, match="请填写撤回申请的原因"):
        application.cancel(line.ctx(MANAGER), project, "  ")
    application.cancel(line.ctx(MANAGER), project, "重复登记", project.version)
    assert (project.state, project.stage) == (ProjectState.CANCELLED, Stage.APPLY)
    note = line.session.scalars(select(AuditLog.note).where(AuditLog.action == "CANCEL")).one()
    assert note == "撤回申请：重复登记"
    with pytest.raises(IllegalTransition):
        application.cancel(line.ctx(MANAGER), project, "再次")


def test_what_is_under_way_is_ended_not_withdrawn(line):
    with pytest.raises(IllegalTransition, match="“草稿”时才能撤回申请"):
        application.cancel(line.ctx(MANAGER), line.at(Stage.EVALUATE), "等不及")


def test_the_line_knows_no_other_moves(line):
    project = line.at(Stage.EVALUATE)
    with pytest.raises(IllegalTransition, match="“受理评估”之后不能进入“放款确认”"):
        stages.advance(line.ctx(), project, Stage.CONFIRM)
    draft = line.apply()
    with pytest.raises(Conflict, match="申请尚未提交"):
        stages.require_running(draft, Stage.APPLY, "办理")
    project.state = ProjectState.REFUSED
    with pytest.raises(IllegalTransition, match="已否决，不能办理"):
        stages.require_running(project, Stage.EVALUATE, "办理")
    assert stages.NEXT.keys() == set(Stage)
    assert isinstance(draft, Project)


def test_what_the_system_draws_up_has_no_manager_yet(line):
    project = records.create(line.ctx(), Project, line.facts())
    holders = line.session.scalars(
        select(ProjectHolder.role).where(ProjectHolder.project_id == project.id)
    )
    assert (project.manager_id, list(holders)) == (None, ["B角"])
