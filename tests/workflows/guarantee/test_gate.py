"""4.5b the gate before 放款通知: each item holds or says what is missing and where it is mended."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import (
    BusinessError,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
    StaleRecord,
)
from models.base.paper import PaperState
from models.guarantee.product import GuaranteeKind
from models.guarantee.project import Stage
from models.guarantee.resolution import ResolutionCondition, ResolutionState
from models.guarantee.signing import CounterGuarantee, Fee
from reports.figures.gate import gate
from tests.workflows.guarantee.factories import CASHIER, MANAGER, MILLION, OUTSIDER
from workflows.guarantee import disbursement

STAGES = (Stage.FEE_PLAN, Stage.NOTICE)


@pytest.fixture
def project(line):
    return line.at(Stage.NOTICE)


def item(line, project, key):
    return {check.key: check for check in gate(line.session, project, line.today)}[key]


def first(line, project, model):
    return line.session.scalars(
        select(model).where(model.project_id == project.id).order_by(model.id)
    ).first()


def condition(line, project, text="抵押登记办妥"):
    made = ResolutionCondition(resolution=line.resolution(project), text=text)
    line.session.add(made)
    line.session.flush()
    return made


def test_a_project_ready_for_the_notice_lacks_settled_counter_guarantees_alone(line, project):
    checks = gate(line.session, project, line.today)
    assert [check.key for check in checks] == [
        "resolution",
        "conditions",
        "contracts",
        "counters",
        "fees",
        "bank",
        "concentration",
        "leverage",
    ]
    assert [check.key for check in checks if not check.is_met] == ["counters"]
    line.settle(project)
    assert all(check.is_met for check in gate(line.session, project, line.today))
    assert "335,000.00 元" in item(line, project, "fees").evidence
    assert "登记证明" in item(line, project, "counters").evidence


def test_before_anything_is_done_every_paper_is_missing(line):
    project = line.at(Stage.FEE_PLAN)
    checks = {check.key: check for check in gate(line.session, project, line.today)}
    assert {key for key, check in checks.items() if not check.is_met} == {"contracts", "counters"}
    assert checks["contracts"].evidence == "缺委托担保合同；缺保证合同"
    assert checks["counters"].evidence == "没有登记反担保"
    assert checks["fees"].evidence == "没有放款前应收的费用"
    assert (checks["contracts"].table, checks["contracts"].record_id) == ("contract", None)


def test_an_expired_resolution_holds_no_more_and_limits_go_by_the_application(line, project):
    resolution = line.resolution(project)
    line.today = resolution.valid_until
    assert item(line, project, "resolution").record_id == resolution.id
    line.later(days=1)
    assert not item(line, project, "resolution").is_met
    assert (item(line, project, "resolution").table, item(line, project, "bank").is_met) == (
        "project",
        True,
    )


def test_conditions_of_the_resolution_are_met_one_by_one(line, project):
    assert item(line, project, "conditions").evidence == "决议没有附加条件"
    one, two = condition(line, project), condition(line, project, "追加保证人")
    assert item(line, project, "conditions").evidence == "未落实：抵押登记办妥；追加保证人"
    disbursement.meet_condition(line.ctx(MANAGER), one, " 登记证明 ", one.version)
    assert (one.is_met, one.evidence, one.met_by_id, one.met_on) == (
        True,
        "登记证明",
        line.id(MANAGER),
        line.today,
    )
    check = item(line, project, "conditions")
    assert (check.evidence, check.table, check.record_id) == (
        "未落实：追加保证人",
        "resolution_condition",  # one is led to the condition itself
        two.id,
    )
    disbursement.meet_condition(line.ctx(MANAGER), two, "已签保证合同")
    assert item(line, project, "conditions").evidence == "2 项均已落实"


def test_meeting_a_condition_needs_evidence_right_scope_version_and_a_valid_resolution(
    line, project
):
    made = condition(line, project)
    for evidence in (" ", "长" * 201):
        with pytest.raises(BusinessError, match="落实依据"):
            disbursement.meet_condition(line.ctx(MANAGER), made, evidence)
    with pytest.raises(NotAllowed):
        disbursement.meet_condition(line.ctx(CASHIER), made, "x")
    with pytest.raises(NotFound):
        disbursement.meet_condition(line.ctx(OUTSIDER), made, "x")
    with pytest.raises(StaleRecord):
        disbursement.meet_condition(line.ctx(MANAGER), made, "x", made.version - 1)
    disbursement.meet_condition(line.ctx(MANAGER), made, "x")
    with pytest.raises(IllegalTransition, match="已落实"):
        disbursement.meet_condition(line.ctx(MANAGER), made, "x")
    other = condition(line, project)
    line.resolution(project).state = ResolutionState.EXPIRED
    with pytest.raises(IllegalTransition, match="已过期"):
        disbursement.meet_condition(line.ctx(MANAGER), other, "x")


def test_an_open_contract_is_named(line, project):
    contract = line.contract(project, "COUNTER")
    contract.state = PaperState.DRAFT
    check = item(line, project, "contracts")
    assert (check.is_met, check.evidence, check.record_id) == (
        False,
        f"{contract.number} 草稿",
        contract.id,
    )


def test_a_rejected_counter_guarantee_does_not_count(line, project):
    first(line, project, CounterGuarantee).state = PaperState.REJECTED
    assert item(line, project, "counters").evidence == "没有登记反担保"


def test_an_open_fee_is_named_with_its_amount(line, project):
    fee = first(line, project, Fee)
    line.dues(fee)[0].settled_amount -= Decimal("0.01")
    check = item(line, project, "fees")
    assert (check.is_met, check.evidence, check.record_id) == (False, f"{fee}尚差 0.01 元", fee.id)


def test_limits_are_looked_at_again(line, project):
    bank = project.bank
    bank.credit_line = 4 * MILLION
    check = item(line, project, "bank")
    assert (check.is_met, check.table, check.record_id) == (False, "partner_bank", bank.id)
    assert "银行授信办理后为" in check.evidence
    bank.credit_line, bank.single_limit = None, None
    assert item(line, project, "bank").evidence == "不适用限额"
    project.amount = line.resolution(project).amount = 20 * MILLION
    check = item(line, project, "concentration")
    assert (check.is_met, check.table, check.record_id) == (False, "customer", project.customer_id)
    assert "单户集中度" in check.evidence
    project.guarantee_kind = GuaranteeKind.LITIGATION
    assert item(line, project, "leverage").evidence == "不适用限额"


def test_the_notice_is_refused_with_everything_that_is_missing(line, project):
    condition(line, project)
    with pytest.raises(BusinessError) as caught:
        disbursement.issue_notice(line.ctx(MANAGER), project)
    assert "决议条件已落实（未落实：抵押登记办妥）" in caught.value.message
    assert "反担保已落实（未落实：滨江厂房）" in caught.value.message
    assert project.stage is Stage.NOTICE
    assert not isinstance(caught.value, FieldErrors)
