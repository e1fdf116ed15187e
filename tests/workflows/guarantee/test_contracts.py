"""4.4c 合同处理: within the resolution, reviewed by 法务, with their text; the last approval moves the project on."""

from datetime import date, timedelta
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
from models.base.paper import PaperState
from models.guarantee.project import ProjectHolder, ProjectState, Stage
from models.guarantee.resolution import ResolutionState
from models.guarantee.signing import Contract, CounterKind
from reports.figures.gate import gate
from tests.workflows.guarantee.factories import CASHIER, LEGAL, MANAGER, OUTSIDER
from workflows.base import records
from workflows.guarantee import contract_data, contracts, counters

STAGES = (Stage.CONTRACT, Stage.COUNTER, Stage.FEE_COLLECT)
SURETY = {
    "kind": CounterKind.SURETY,
    "asset_kind": None,
    "appraised_value": None,
    "certificate_no": None,
    "name": "李晓明",
}


@pytest.fixture
def project(line):
    return line.at(Stage.CONTRACT)


@pytest.fixture
def drafts(line, project):
    return {contract.kind.name: contract for contract in line.draw_up(project)}


@pytest.fixture
def counter(line, project, drafts):
    """The draft contract about one registered asset."""
    line.counter(project)
    return line.draw_up(project)[0]


def draw_up(line, project, kind="ENTRUSTMENT", **facts):
    terms = {
        "counterparty": "某某",
        "amount": project.amount,
        "signed_on": line.today,
        "starts_on": line.today,
        "ends_on": date(2027, 3, 2),
        "main_number": "JK-1",
    }
    return records.create(
        line.ctx(MANAGER), Contract, {"project_id": project.id, "kind": kind, **terms, **facts}
    )


def pass_review(line, contract):
    contracts.submit(line.ctx(MANAGER), contract)
    line.approve(contract)


def test_both_contracts_are_drawn_up_by_the_resolution(line, project, drafts):
    parties = {kind: contract.counterparty for kind, contract in drafts.items()}
    assert parties == {"ENTRUSTMENT": project.customer.name, "GUARANTEE": project.bank.name}
    assert {c.number[:2] for c in drafts.values()} == {"WT", "BZ"}
    assert {(c.amount, c.starts_on, c.ends_on) for c in drafts.values()} == {
        (Decimal(5_000_000), line.today, date(2027, 3, 2))
    }
    assert contracts.propose_contracts(line.ctx(MANAGER), project) == []


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"amount": "5000000.01"}, "amount"),
        ({"signed_on": date(2026, 3, 3)}, "signed_on"),
        ({"ends_on": date(2026, 3, 1)}, "ends_on"),
        ({"ends_on": date(2027, 3, 3)}, "ends_on"),
    ],
)
def test_terms_beyond_the_resolution_are_named_at_their_field(line, project, facts, field):
    with pytest.raises(FieldErrors) as caught:
        draw_up(line, project, **facts)
    assert set(caught.value.field_errors) == {field}


def test_a_counter_contract_may_outlast_the_loan_and_there_may_be_several(line, project):
    items = line.counter(project), line.counter(project, name="城东仓库")
    first = draw_up(
        line, project, "COUNTER", ends_on=date(2030, 3, 2), counter_guarantee_id=items[0].id
    )
    second = draw_up(line, project, "COUNTER", counter_guarantee_id=items[1].id)
    assert first.number != second.number


def test_there_is_one_contract_of_the_required_kinds_until_it_is_rejected(line, project, drafts):
    with pytest.raises(FieldErrors, match="已有一份保证合同"):
        draw_up(line, project, "GUARANTEE")
    contract = drafts["GUARANTEE"]
    contracts.submit(line.ctx(MANAGER), contract)
    line.reject(contract)
    assert contract.state is PaperState.REJECTED
    assert draw_up(line, project, "GUARANTEE").number != contract.number


def test_a_rejected_contract_is_redrawn_with_the_others_left_alone(line, project, drafts, counter):
    contracts.submit(line.ctx(MANAGER), drafts["GUARANTEE"])
    line.reject(drafts["GUARANTEE"])
    (again,) = contracts.propose_contracts(line.ctx(MANAGER), project)
    for contract in (drafts["ENTRUSTMENT"], counter, again):
        assert project.stage is Stage.CONTRACT
        pass_review(line, contract)
    assert project.stage is Stage.COUNTER


def test_approval_issues_the_text_and_makes_the_reviewer_the_projects_lawyer(line, project, drafts):
    contract = drafts["ENTRUSTMENT"]
    contracts.submit(line.ctx(MANAGER), contract, contract.version)
    assert contract.state is PaperState.IN_APPROVAL
    line.approve(contract)
    assert contract.state is PaperState.APPROVED
    assert contract.document.number == contract.number
    assert "75,000.00" in contract.document.body
    assert project.legal_officer_id == line.id(LEGAL)
    held = select(ProjectHolder).where(
        ProjectHolder.project_id == project.id, ProjectHolder.role == "法务"
    )
    pass_review(line, drafts["GUARANTEE"])
    assert [h.employee_id for h in line.session.scalars(held)] == [line.id(LEGAL)]


def test_the_special_terms_and_the_banks_contract_stand_in_the_text(line, project):
    contract = draw_up(line, project, main_number="JK-2026-77", terms="乙方有权单方解除。")
    pass_review(line, contract)
    assert "JK-2026-77" in contract.document.body
    assert "乙方有权单方解除。" in contract.document.body


def test_the_project_goes_on_when_both_are_approved_and_none_is_open(
    line, project, drafts, counter
):
    for kind in ("GUARANTEE", "ENTRUSTMENT"):
        pass_review(line, drafts[kind])
    assert project.stage is Stage.CONTRACT
    contracts.submit(line.ctx(MANAGER), counter)
    assert project.stage is Stage.CONTRACT
    line.approve(counter)
    assert project.stage is Stage.COUNTER


def test_deleting_the_last_draft_moves_the_project_on(line, project, drafts, counter):
    item = counter.counter_guarantee
    records.delete(line.ctx(MANAGER), counter, counter.version)
    pass_review(line, drafts["GUARANTEE"])
    extra = draw_up(line, project, "COUNTER", counter_guarantee_id=item.id)
    pass_review(line, drafts["ENTRUSTMENT"])
    assert project.stage is Stage.CONTRACT
    records.delete(line.ctx(MANAGER), extra, extra.version)
    assert project.stage is Stage.COUNTER


def test_a_returned_contract_is_a_draft_again(line, project, drafts):
    contract = drafts["ENTRUSTMENT"]
    contracts.submit(line.ctx(MANAGER), contract)
    line.give_back(contract)
    assert (contract.state, contract.document) == (PaperState.DRAFT, None)
    records.update(line.ctx(MANAGER), contract, {"terms": "补充"}, contract.version)
    contracts.submit(line.ctx(MANAGER), contract)
    line.withdraw(contract)
    assert contract.state is PaperState.DRAFT


def test_the_lawyer_of_the_project_stays_when_another_reviews(line, project, drafts):
    project.legal_officer_id = line.id("李静")
    pass_review(line, drafts["GUARANTEE"])
    assert project.legal_officer_id == line.id("李静")


def test_contracts_need_the_stage_the_resolution_and_the_right(line, project, drafts):
    contract = drafts["ENTRUSTMENT"]
    with pytest.raises(NotAllowed):
        contracts.submit(line.ctx(CASHIER), contract)
    with pytest.raises(NotFound):
        contracts.submit(line.ctx(OUTSIDER), contract)
    with pytest.raises(NotFound):
        contracts.propose_contracts(line.ctx(OUTSIDER), project)
    with pytest.raises(StaleRecord):
        contracts.submit(line.ctx(MANAGER), contract, contract.version - 1)
    with pytest.raises(IllegalTransition, match="反担保"):
        draw_up(line, line.at(Stage.COUNTER), "GUARANTEE")
    with pytest.raises(IllegalTransition, match="已通过"):
        contracts.submit(line.ctx(MANAGER), line.contract(line.at(Stage.COUNTER), "GUARANTEE"))
    line.resolution(project).state = ResolutionState.EXPIRED
    for verb in (
        lambda: contracts.submit(line.ctx(MANAGER), contract),
        lambda: contracts.propose_contracts(line.ctx(MANAGER), project),
    ):
        with pytest.raises(Conflict, match="公司决议"):
            verb()


@pytest.mark.parametrize(
    ("facts", "kind", "method", "assets"),
    [
        (SURETY, "保证", "连带责任保证", 0),
        ({}, "抵押", "厂房抵押", 1),
        (
            {"kind": CounterKind.PLEDGE, "asset_kind": "DEPOSIT_RECEIPT", "name": "存单"},
            "质押",
            "存单质押",
            1,
        ),
    ],
)
def test_a_counter_contract_names_the_one_thing_that_is_given(
    line, project, drafts, facts, kind, method, assets
):
    item, other = line.counter(project, **facts), line.counter(project, name="城东仓库")
    contract, _ = line.draw_up(project)
    assert contract.counter_guarantee is item
    data = contract_data.for_contract(line.ctx(), contract)
    assert data["counter"] == {"kind": kind, "method": method, "amount": project.amount}
    assert len(data["collateral"]) == assets
    pass_review(line, contract)
    assert item.name in contract.document.body
    assert other.name not in contract.document.body


def test_each_guarantor_and_each_asset_has_a_contract_of_its_own_once_it_is_registered(
    line, project, drafts
):
    assert contracts.propose_contracts(line.ctx(MANAGER), project) == [], (
        "nothing is registered yet"
    )
    surety = line.customer("江州担保人有限公司")
    items = [
        line.counter(project),
        line.counter(project, **SURETY),
        line.counter(project, **SURETY | {"name": "担保人公司", "guarantor_id": surety.id}),
    ]
    line.counter(project, kind=CounterKind.DEPOSIT, asset_kind=None, name="保证金")
    made = line.draw_up(project)
    assert [contract.counter_guarantee for contract in made] == items
    assert [contract.counterparty for contract in made] == [
        project.customer.name,
        "李晓明",
        surety.name,
    ]
    assert contracts.propose_contracts(line.ctx(MANAGER), project) == []
    with pytest.raises(FieldErrors, match=f"已有反担保合同 {made[0].number}"):
        draw_up(line, project, "COUNTER", counter_guarantee_id=items[0].id)
    provider = contract_data.for_contract(line.ctx(), made[2])["provider"]
    assert provider["id_number"] == surety.uscc


@pytest.mark.parametrize(
    ("kind", "item", "party", "field"),
    [
        ("COUNTER", None, "某某", "counter_guarantee_id"),
        ("ENTRUSTMENT", {}, "某某", "counter_guarantee_id"),
        (
            "COUNTER",
            {"kind": CounterKind.DEPOSIT, "asset_kind": None},
            "某某",
            "counter_guarantee_id",
        ),
        ("COUNTER", SURETY, "江州滨江精工有限公司", "counterparty"),
    ],
)
def test_a_contract_is_about_what_it_can_be_about(line, project, kind, item, party, field):
    key = line.counter(project, **item).id if item is not None else None
    party = project.customer.name if field == "counterparty" else party
    with pytest.raises(FieldErrors) as caught:
        draw_up(line, project, kind, counterparty=party, counter_guarantee_id=key)
    assert set(caught.value.field_errors) == {field}


def test_the_counter_guarantee_of_another_project_or_another_guarantor_is_refused(line, project):
    elsewhere = line.counter(line.at(Stage.COUNTER))
    with pytest.raises(FieldErrors, match="不属于本项目"):
        draw_up(line, project, "COUNTER", counter_guarantee_id=elsewhere.id)
    surety = line.customer("江州担保人有限公司")
    item = line.counter(project, **SURETY | {"guarantor_id": surety.id})
    with pytest.raises(FieldErrors, match=f"反担保人是“{surety.name}”"):
        draw_up(line, project, "COUNTER", counter_guarantee_id=item.id)


def test_the_debtor_is_not_his_own_guarantor(line, project):
    with pytest.raises(FieldErrors, match="不能是被担保客户本人"):
        line.counter(project, **SURETY | {"name": f" {project.customer.name}"})


def test_the_text_is_there_from_the_draft_on_and_marks_what_is_missing(line, project):
    (contract, *_) = contracts.propose_contracts(line.ctx(MANAGER), project)
    found = contracts.draft(line.ctx(MANAGER), contract)
    assert "委托担保合同" in found.shown
    assert "主合同编号（银行借款合同的编号）" in found.missing
    assert "主合同编号：；" not in found.plain
    assert f"主合同编号：{contract_data.BLANK}；" in found.plain
    with pytest.raises(BusinessError, match="请先填写主合同编号"):
        contracts.submit(line.ctx(MANAGER), contract)
    records.update(line.ctx(MANAGER), contract, {"main_number": "JK-1"}, contract.version)
    contracts.submit(line.ctx(MANAGER), contract)
    read = contracts.draft(line.ctx(LEGAL), contract).plain
    assert contracts.draft_pdf(line.ctx(LEGAL), contract).startswith(b"%PDF")
    line.approve(contract)
    assert contract.document.body == read, "what was approved is what is issued"
    with pytest.raises(Conflict, match="审核通过之前"):
        contracts.draft_pdf(line.ctx(LEGAL), contract)
    assert "主合同编号：JK-1；" in contract.document.body


def test_personal_data_of_a_draft_are_masked_but_for_who_may_see_them(line, project):
    address = "江州市滨江路一百二十八号三单元"
    project.customer.registered_address, project.customer.address = None, address
    line.session.flush()
    (contract, *_) = line.draw_up(project)
    found = contracts.draft(line.ctx(MANAGER), contract)
    assert address not in found.shown
    assert address in found.plain
    other = contracts.draft(line.ctx(CASHIER), contract)
    assert (other.plain, bool(other.why_closed)) == ("", True)
    with pytest.raises(NotAllowed):
        contracts.draft_pdf(line.ctx(CASHIER), contract)


def test_a_counter_guarantee_that_is_given_up_takes_its_contract_along(line):
    project = line.at(Stage.FEE_COLLECT)
    item = line.contract(project, "COUNTER").counter_guarantee
    counters.void(line.ctx(MANAGER), item, "登记无法办理")
    assert line.contract(project, "COUNTER").state is PaperState.VOID
    new = line.counter(project, name="城东仓库")
    (contract,) = line.draw_up(project)
    assert (contract.counter_guarantee, contract.main_number) == (new, "JK-2026-0001")
    with pytest.raises(Conflict, match=contract.number):
        records.delete(line.ctx(MANAGER), new, new.version)
    contracts.submit(line.ctx(MANAGER), contract)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    with pytest.raises(Conflict, match="正在审核"):
        counters.void(line.ctx(MANAGER), new, "再换")


def test_the_bank_is_not_told_to_pay_while_an_asset_has_no_contract(line):
    project = line.at(Stage.COUNTER)
    item = line.counter(project)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    check = next(
        check for check in gate(line.session, project, line.today) if check.key == "contracts"
    )
    assert (check.is_met, check.evidence) == (False, f"“{item}”没有反担保合同")
    line.sign(project)
    assert next(c for c in gate(line.session, project, line.today) if c.key == "contracts").is_met


def test_papers_do_without_fees_and_without_an_account(line, project, drafts):
    for kind in ("GUARANTEE", "DEPOSIT", "SERVICE", "PENALTY"):
        line.session.delete(line.fee(project, kind))
    line.session.flush()
    terms = contract_data.for_contract(line.ctx(), drafts["ENTRUSTMENT"])["contract"]
    assert (terms["fee_amount"], terms["deposit_amount"], terms["penalty_rate_daily_pct"]) == (
        0,
        None,
        Decimal("0.05"),
    )
    assert terms["fee_schedule"] == "放款前一次缴清"
    stranger = line.customer("无账户公司")
    for account in line.session.scalars(select(contract_data.BankAccount)):
        if account.customer_id == stranger.id:
            line.session.delete(account)
    line.session.flush()
    assert contract_data.account(line.session, stranger) == {
        "name": "无账户公司",
        "number": "",
        "bank": "",
    }


def test_numbers_leave_out_what_is_not_drawn_up(line, project):
    assert contract_data.numbers(line.session, project) == {
        "main_number": "",
        "guarantee_number": "",
        "entrusted_number": "",
    }
    contract = draw_up(
        line, project, "GUARANTEE", main_number="JK-1", signed_on=line.today - timedelta(days=1)
    )
    found = contract_data.numbers(line.session, project)
    assert (found["main_number"], found["guarantee_number"], found["entrusted_number"]) == (
        "JK-1",
        contract.number,
        "",
    )


def test_a_draft_of_a_project_that_has_ended_is_deleted_without_moving_it(
    line, project, drafts, counter
):
    for kind in ("GUARANTEE", "ENTRUSTMENT"):
        pass_review(line, drafts[kind])
    project.state = ProjectState.CANCELLED
    records.delete(line.ctx(MANAGER), counter, counter.version)
    assert project.stage is Stage.CONTRACT
