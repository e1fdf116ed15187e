"""4.4c 合同处理: within the resolution, reviewed by 法务, with their text; the last approval moves the project on."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.appraisal import PaperState
from models.base.errors import Conflict, FieldErrors, IllegalTransition, NotAllowed, NotFound, StaleRecord
from models.project import ProjectHolder, ProjectState, Stage
from models.resolution import ResolutionState
from models.signing import Contract, CounterKind
from tests.workflows.guarantee.factories import CASHIER, LEGAL, MANAGER, OUTSIDER
from workflows.base import records
from workflows.guarantee import contract_data, contracts

STAGES = (Stage.CONTRACT, Stage.COUNTER)
ALL = ("ENTRUSTMENT", "GUARANTEE", "COUNTER")


@pytest.fixture
def project(line):
    return line.at(Stage.CONTRACT)


@pytest.fixture
def drafts(line, project):
    return {contract.kind.name: contract for contract in contracts.propose_contracts(line.ctx(MANAGER), project)}


def draw_up(line, project, kind="ENTRUSTMENT", **facts):
    terms = {"counterparty": "某某", "amount": project.amount, "signed_on": line.today, "starts_on": line.today,
             "ends_on": date(2027, 3, 2)}  # fmt: skip
    return records.create(line.ctx(MANAGER), Contract, {"project_id": project.id, "kind": kind, **terms, **facts})


def pass_review(line, contract):
    contracts.submit(line.ctx(MANAGER), contract)
    line.approve(contract)


def test_the_three_contracts_are_drawn_up_by_the_resolution(line, project, drafts):
    line.resolution(project)
    parties = {kind: contract.counterparty for kind, contract in drafts.items()}
    assert parties == {
        "ENTRUSTMENT": project.customer.name, "GUARANTEE": project.bank.name, "COUNTER": project.customer.name
    }  # fmt: skip
    assert {c.number[:2] for c in drafts.values()} == {"WT", "BZ", "FD"}
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
    first = draw_up(line, project, "COUNTER", ends_on=date(2030, 3, 2))
    second = draw_up(line, project, "COUNTER")
    assert first.number != second.number


def test_there_is_one_contract_of_the_required_kinds_until_it_is_rejected(line, project, drafts):
    with pytest.raises(FieldErrors, match="已有一份保证合同"):
        draw_up(line, project, "GUARANTEE")
    contract = drafts["GUARANTEE"]
    contracts.submit(line.ctx(MANAGER), contract)
    line.reject(contract)
    assert contract.state is PaperState.REJECTED
    assert draw_up(line, project, "GUARANTEE").number != contract.number


def test_a_rejected_contract_is_redrawn_with_the_others_left_alone(line, project, drafts):
    contracts.submit(line.ctx(MANAGER), drafts["GUARANTEE"])
    line.reject(drafts["GUARANTEE"])
    (again,) = contracts.propose_contracts(line.ctx(MANAGER), project)
    for contract in (drafts["ENTRUSTMENT"], drafts["COUNTER"], again):
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
    held = select(ProjectHolder).where(ProjectHolder.project_id == project.id, ProjectHolder.role == "法务")
    pass_review(line, drafts["GUARANTEE"])
    assert [h.employee_id for h in line.session.scalars(held)] == [line.id(LEGAL)]



def test_the_special_terms_and_the_banks_contract_stand_in_the_text(line, project):
    contract = draw_up(line, project, main_number="JK-2026-77", terms="乙方有权单方解除。")
    pass_review(line, contract)
    assert "JK-2026-77" in contract.document.body
    assert "乙方有权单方解除。" in contract.document.body


def test_the_project_goes_on_when_both_are_approved_and_none_is_open(line, project, drafts):
    for kind in ("GUARANTEE", "ENTRUSTMENT"):
        pass_review(line, drafts[kind])
    assert project.stage is Stage.CONTRACT
    contracts.submit(line.ctx(MANAGER), drafts["COUNTER"])
    assert project.stage is Stage.CONTRACT
    line.approve(drafts["COUNTER"])
    assert project.stage is Stage.COUNTER


def test_deleting_the_last_draft_moves_the_project_on(line, project, drafts):
    records.delete(line.ctx(MANAGER), drafts["COUNTER"], drafts["COUNTER"].version)
    pass_review(line, drafts["GUARANTEE"])
    extra = draw_up(line, project, "COUNTER")
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
        draw_up(line, line.at(Stage.COUNTER), "COUNTER")
    with pytest.raises(IllegalTransition, match="已通过"):
        contracts.submit(line.ctx(MANAGER), line.contract(line.at(Stage.COUNTER), "COUNTER"))
    line.resolution(project).state = ResolutionState.EXPIRED
    for verb in (
        lambda: contracts.submit(line.ctx(MANAGER), contract),
        lambda: contracts.propose_contracts(line.ctx(MANAGER), project),
    ):
        with pytest.raises(Conflict, match="公司决议"):
            verb()


@pytest.mark.parametrize(
    ("items", "kind", "method", "assets"),
    [
        ([], "保证", "连带责任保证", 0),
        ([{}], "抵押", "厂房抵押", 1),
        (
            [{"kind": CounterKind.SURETY, "asset_kind": None, "appraised_value": None, "name": "李晓明"},
             {"kind": CounterKind.PLEDGE, "asset_kind": "DEPOSIT_RECEIPT", "name": "存单"},
             {"kind": CounterKind.DEPOSIT, "asset_kind": None, "name": "保证金"}],
            "质押", "连带责任保证、存单质押、保证金", 1,
        ),
    ],
)  # fmt: skip
def test_the_counter_contract_names_what_is_given(line, project, drafts, items, kind, method, assets):
    for item in items:
        line.counter(project, **item)
    data = contract_data.for_contract(line.ctx(), drafts["COUNTER"])
    assert data["counter"] == {"kind": kind, "method": method, "amount": project.amount}
    assert len(data["collateral"]) == assets
    assert (data["provider"]["name"], data["provider"]["id_number"]) == (project.customer.name, project.customer.uscc)
    pass_review(line, drafts["COUNTER"])
    assert project.customer.uscc in drafts["COUNTER"].document.body


def test_a_counter_guarantor_is_printed_from_his_file_or_by_his_name(line, project):
    surety = line.customer("江州担保人有限公司")
    line.counter(
        project, kind=CounterKind.SURETY, asset_kind=None, appraised_value=None, name="担保人", guarantor_id=surety.id
    )
    known = draw_up(line, project, "COUNTER", counterparty=surety.name)
    unknown = draw_up(line, project, "COUNTER", counterparty="张三")
    provider = contract_data.for_contract(line.ctx(), known)["provider"]
    assert provider["id_number"] == surety.uscc
    provider = contract_data.for_contract(line.ctx(), unknown)["provider"]
    assert (provider["name"], provider["id_number"]) == ("张三", "")


def test_papers_do_without_fees_and_without_an_account(line, project, drafts):
    for kind in ("GUARANTEE", "DEPOSIT", "SERVICE", "PENALTY"):
        line.session.delete(line.fee(project, kind))
    line.session.flush()
    terms = contract_data.for_contract(line.ctx(), drafts["ENTRUSTMENT"])["contract"]
    assert (terms["fee_amount"], terms["deposit_amount"], terms["penalty_rate_daily_pct"]) == (0, None, Decimal("0.05"))
    assert terms["fee_schedule"] == "放款前一次缴清"
    stranger = line.customer("无账户公司")
    for account in line.session.scalars(select(contract_data.BankAccount)):
        if account.customer_id == stranger.id:
            line.session.delete(account)
    line.session.flush()
    assert contract_data.account(line.session, stranger) == {"name": "无账户公司", "number": "", "bank": ""}


def test_numbers_leave_out_what_is_not_drawn_up(line, project):
    assert contract_data.numbers(line.session, project) == {
        "main_number": "", "guarantee_number": "", "entrusted_number": ""
    }  # fmt: skip
    contract = draw_up(line, project, "COUNTER", main_number="JK-1", signed_on=line.today - timedelta(days=1))
    assert contract_data.numbers(line.session, project)["main_number"] == contract.main_number


def test_a_draft_of_a_project_that_has_ended_is_deleted_without_moving_it(line, project, drafts):
    for kind in ("GUARANTEE", "ENTRUSTMENT"):
        pass_review(line, drafts[kind])
    project.state = ProjectState.CANCELLED
    records.delete(line.ctx(MANAGER), drafts["COUNTER"], drafts["COUNTER"].version)
    assert project.stage is Stage.CONTRACT
