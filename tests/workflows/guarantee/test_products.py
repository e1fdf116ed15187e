"""10.3: a product composed in the browser is what its projects go by, at the next request and without a restart."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.approval.approval import ApprovalFlow
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.guarantee.benchmark import Benchmark
from models.guarantee.product import (
    Product,
    ProductAudience,
    ProductDocument,
    ProductFee,
    ProductRepayment,
    RepaymentMethod,
)
from models.guarantee.project import ProjectDocument, ProjectStage, ProjectState, Stage
from models.guarantee.resolution import ResolutionState
from models.guarantee.signing import CounterKind
from models.system.records import DocumentTemplate, IssuedDocument
from reports.figures.composition import composition
from reports.figures.gate import gate
from reports.figures.products import line_of, rate_of
from reports.workbench.todo import awaits_agenda
from tests.workflows.guarantee.factories import MANAGER, MILLION, STEPS
from workflows.base import records
from workflows.guarantee import (
    application,
    contracts,
    disbursement,
    resolution,
    resubmission,
)

STAGES = (Stage.APPLY,)
SHORT = {"has_intent": False, "has_board": False, "has_counter": False}


def composed(line, **facts):
    """科技履约保: a product as an administrator enters it, with its fee and the documents of its applications."""
    given = {
        "code": "KJLY",
        "name": "科技履约保",
        "guarantee_kind": "PERFORMANCE",
        "audience": "CORPORATE",
        "amount_min": "100000",
        "amount_max": "5000000",
        "months_max": 12,
        "fee_rate_pct": "1.5",
        "repayment_method": "BULLET",
        **facts,
    }
    product = records.create(line.ctx(), Product, given)
    fee = {"product_id": product.id, "kind": "GUARANTEE", "rate_pct": "1.5", "vat_rate_pct": "6"}
    records.create(line.ctx(), ProductFee, fee)
    return product


def applied(line, product, **facts):
    given = {"amount": MILLION, "repayment_method": RepaymentMethod.BULLET, "small_reason": "报表"}
    return line.apply(product_id=product.id, **{**given, **facts})


def on_to(line, project, stage):
    """Every stage up to one, by those who take it in life; without a board the president alone resolves."""
    while project.stage is not stage:
        if project.stage is Stage.RESOLVE:
            line.approve(line.resolution(project))
            resolution.issue_confirmation(line.ctx(MANAGER), project)
        else:
            STEPS[project.stage](line, project)
    return project


def refused(line, product, **facts):
    with pytest.raises(FieldErrors) as wrong:
        applied(line, product, **facts)
    return wrong.value.field_errors


def test_a_project_goes_by_the_stages_that_its_product_chose(line):
    """No 意向函, no 审保会, no 反担保: the president signs what the report advised, and the bank pays."""
    product = composed(line, **SHORT)
    project = on_to(line, applied(line, product), Stage.RESOLVE)
    assert not awaits_agenda(line.session, project)
    with pytest.raises(Conflict, match="免审保会"):
        line.meeting(project)
    found = line.resolution(project)
    assert (found.item, found.amount, found.state) == (None, MILLION, ResolutionState.SIGNING)

    on_to(line, project, Stage.CONTRACT)
    issued = line.session.scalars(
        select(IssuedDocument).where(IssuedDocument.number == found.number)
    ).one()
    assert "按产品规定不提交审保会" in issued.body
    with pytest.raises(Conflict, match="不要求反担保"):
        line.counter(project, kind=CounterKind.MORTGAGE)
    on_to(line, project, Stage.NOTICE)
    assert {one.key for one in gate(line.session, project, line.today)}.isdisjoint({"counters"})
    on_to(line, project, Stage.IN_FORCE)
    passed = line.session.scalars(
        select(ProjectStage.stage).where(ProjectStage.project_id == project.id)
    )
    assert set(passed) == set(line_of(product)) - {Stage.RELEASE}
    assert project.balance == MILLION


def test_what_was_submitted_keeps_its_line_and_what_is_drafted_follows_the_product(line):
    product = composed(line, **SHORT)
    submitted = application.submit(line.ctx(MANAGER), applied(line, product))
    draft = applied(line, product)
    records.update(line.ctx(), product, dict.fromkeys(SHORT, True), product.version)
    application.submit(line.ctx(MANAGER), draft)
    assert (submitted.has_board, draft.has_board) == (False, True)
    on_to(line, submitted, Stage.RESOLVE)
    assert line.resolution(submitted).state is ResolutionState.SIGNING
    STEPS[Stage.EVALUATE](line, draft)
    assert draft.stage is Stage.INTENT


def test_a_veto_without_a_board_is_reconsidered_by_the_president(line):
    project = on_to(line, applied(line, composed(line, **SHORT)), Stage.RESOLVE)
    line.reject(line.resolution(project))
    assert project.state is ProjectState.REFUSED
    resubmission.reconsider(line.ctx(MANAGER), project, "追加实际控制人保证")
    second = line.resolution(project)
    assert second.state is ResolutionState.SIGNING
    line.approve(second)
    assert second.state is ResolutionState.VALID


def test_an_application_is_held_to_dates_prices_and_ways_of_the_product(line):
    product = composed(
        line,
        on_from=line.today + timedelta(days=1),
        fee_rate_min_pct="1.2",
        rate_max_pct="4",
        benchmark="LPR_1Y",
        spread_bp="50",
    )
    assert rate_of(line.session, product, line.today) == Decimal("3.50")
    assert "起受理申请" in refused(line, product, rate_annual_pct=Decimal(4))["product_id"][0]
    line.later(days=1)
    records.create(
        line.ctx(),
        ProductRepayment,
        {"product_id": product.id, "method": RepaymentMethod.INTEREST_FIRST},
    )
    wrong = refused(
        line,
        product,
        fee_rate_pct=Decimal(1),
        repayment_method=RepaymentMethod.EQUAL_INSTALMENT,
    )
    assert wrong["rate_annual_pct"] == ["产品“科技履约保”的贷款年利率不得高于 4%"]
    assert wrong["fee_rate_pct"] == ["产品“科技履约保”的担保费率不得低于 1.2%"]
    assert wrong["repayment_method"] == ["产品“科技履约保”的还款方式为先息后本、到期一次还本付息"]
    project = applied(line, product, rate_annual_pct=Decimal("3.5"))
    records.update(line.ctx(), product, {"on_until": line.today}, product.version)
    line.later(days=1)
    with pytest.raises(FieldErrors, match="停止受理申请"):
        application.submit(line.ctx(MANAGER), project)


def test_the_bank_pays_back_in_no_way_that_the_product_excludes(line):
    product = composed(line, **SHORT)
    project = on_to(line, applied(line, product), Stage.CONFIRM)
    facts = {"product_id": product.id, "method": RepaymentMethod.INTEREST_FIRST}
    records.create(line.ctx(), ProductRepayment, facts)
    with pytest.raises(FieldErrors) as wrong:
        line.confirm(project, repayment_method=RepaymentMethod.EQUAL_PRINCIPAL)
    assert set(wrong.value.field_errors) == {"repayment_method"}
    line.confirm(project, repayment_method=RepaymentMethod.INTEREST_FIRST)
    assert project.state is ProjectState.IN_FORCE


def test_a_product_says_nothing_that_no_application_could_meet(line):
    with pytest.raises(FieldErrors) as wrong:
        composed(
            line,
            amount_min="6000000",
            months_min=24,
            on_from=date(2026, 5, 1),
            on_until=date(2026, 4, 1),
            fee_rate_min_pct=2,
            spread_bp="10",
            has_counter=False,
            coverage_min_pct=50,
        )
    assert set(wrong.value.field_errors) == {
        "amount_max",
        "months_max",
        "on_until",
        "fee_rate_pct",
        "benchmark",
        "coverage_min_pct",
    }
    with pytest.raises(FieldErrors, match="没有加点的填 0"):
        composed(line, benchmark=Benchmark.LPR_5Y)


def test_documents_are_counted_by_copies_original_and_date(line):
    """Two copies against the original, in date at the application and when the bank is told to pay."""
    product = composed(line, **SHORT)
    wanted = {"product_id": product.id, "category": "LICENCE", "copies": 2}
    records.create(
        line.ctx(), ProductDocument, {**wanted, "needs_original": True, "has_expiry": True}
    )
    records.create(line.ctx(), ProductDocument, {"product_id": product.id, "category": "FINANCE"})
    project = applied(line, product)

    def lacking():
        with pytest.raises(BusinessError) as found:
            application.submit(line.ctx(MANAGER), project)
        return str(found.value)

    assert "营业执照（未做要件登记）（要件完整度 50%）" in lacking()
    ctx, key = line.ctx(MANAGER), {"project_id": project.id}
    with pytest.raises(FieldErrors, match="没有这一项"):
        records.create(ctx, ProjectDocument, {**key, "category": "MARRIAGE"})
    past = line.today - timedelta(days=1)
    with pytest.raises(FieldErrors, match="过期"):
        records.create(ctx, ProjectDocument, {**key, "category": "LICENCE", "valid_until": past})
    noted = records.create(ctx, ProjectDocument, {**key, "category": "LICENCE", "copies": 1})
    assert "需 2 份，登记 1 份，未核对原件，未登记有效期" in lacking()
    until = line.today + timedelta(days=20)
    facts = {"copies": 2, "is_original": True, "valid_until": until}
    records.update(ctx, noted, facts, noted.version)
    application.submit(ctx, project)

    on_to(line, project, Stage.NOTICE)
    line.later(days=21)
    with pytest.raises(BusinessError, match="要件在有效期内（营业执照已于"):
        disbursement.issue_notice(line.ctx(MANAGER), project)
    records.update(
        line.ctx(MANAGER), noted, {"valid_until": line.today + timedelta(days=300)}, noted.version
    )
    disbursement.issue_notice(line.ctx(MANAGER), project)
    assert project.stage is Stage.CONFIRM


def general(line, code):
    return line.session.scalars(select(DocumentTemplate).where(DocumentTemplate.code == code)).one()


def test_a_product_prints_its_own_text_and_falls_back_to_the_general_one(line):
    product = composed(line, **SHORT)
    project = on_to(line, applied(line, product), Stage.CONTRACT)
    (contract, *_) = line.draw_up(project)
    usual = general(line, "entrusted_contract")
    facts = {
        "code": "entrusted_kjly",
        "label": "科技履约委托合同",
        "general_id": usual.id,
        "product_id": product.id,
        "body": "<h1>科技履约专用</h1><p>{{ customer.name }} {{ contract.main_number }}</p>",
    }
    unknown = {**facts, "body": "<p>{{ repayment.nothing }}</p>"}
    with pytest.raises(FieldErrors):  # a text that names what the contract does not know
        records.create(line.ctx(), DocumentTemplate, unknown)
    own = records.create(line.ctx(), DocumentTemplate, facts)
    assert "科技履约专用" in contracts.draft(line.ctx(MANAGER), contract).shown
    for wrong in (
        {"code": "again"},  # one for each product
        {"code": "of_own", "general_id": own.id},
        {"code": "no_product", "product_id": None},
        {"code": "no_general", "general_id": None},
    ):
        with pytest.raises(FieldErrors):
            records.create(line.ctx(), DocumentTemplate, {**facts, **wrong})

    records.update(line.ctx(), own, {"is_active": False}, own.version)
    assert "科技履约专用" not in contracts.draft(line.ctx(MANAGER), contract).shown
    records.update(line.ctx(), own, {"is_active": True}, own.version)
    contracts.submit(line.ctx(MANAGER), contract)
    line.approve(contract)
    assert contract.document.template_code == "entrusted_contract"
    assert contract.document.body.startswith("<h1>科技履约专用</h1>")
    other = on_to(line, line.apply(customer_id=line.customer("别的公司").id), Stage.INTENT)
    assert other.product_id != product.id


def test_the_overview_tells_what_is_missing(line):
    """Nothing covers the amount, no documents, no template: each is told where it is mended."""
    product = composed(line, audience=ProductAudience.ANY, has_board=False)

    def gaps():
        lines = composition(line.session, product, line.today)
        return {one.label: one.gaps for one in lines if one.gaps}

    found = {one.label: one for one in composition(line.session, product, line.today)}
    assert "免审保会" in found["环节"].told
    assert found["文书"].told.startswith("通用：")
    assert set(gaps()) == {"要件"}
    for flow in line.session.scalars(
        select(ApprovalFlow)
        .join(ApprovalFlow.business_type)
        .where(ApprovalFlow.code == "project.risk")
    ):
        flow.amount_to = MILLION
    general(line, "release_notice").is_active = False
    fee = line.session.scalars(select(ProductFee).where(ProductFee.product_id == product.id)).one()
    line.session.delete(fee)
    line.session.flush()
    now = gaps()
    assert now["费用"] == ("没有担保费，费用登记时不会带出",)
    assert any("5,000,000.00 元：没有适用的流程" in one for one in now["风控审批"])
    assert now["文书"] == ("没有启用的“解保通知”模板",)
