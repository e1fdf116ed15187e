"""What was approved and cannot stay so: contracts are voided and redrawn, counter-guarantees given up and replaced."""

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, IllegalTransition, NotAllowed, NotFound, StaleRecord
from models.base.paper import PaperState
from models.guarantee.project import ProjectState, Stage
from models.guarantee.signing import CounterGuarantee
from models.system.setup import AuditLog
from tests.workflows.guarantee.factories import CASHIER, MANAGER, OUTSIDER
from workflows import verify
from workflows.base import records
from workflows.guarantee import contracts, counters, letters

STAGES = (
    Stage.FEE_PLAN,
    Stage.COUNTER,
    Stage.FEE_COLLECT,
    Stage.NOTICE,
    Stage.CONFIRM,
    Stage.IN_FORCE,
)


def void_contract(line, contract, reason="银行要求修改条款"):
    return contracts.void(line.ctx(MANAGER), contract, reason, contract.version)


def void_counter(line, item, reason="抵押登记无法办理"):
    return counters.void(line.ctx(MANAGER), item, reason, item.version)


def item_of(line, project):
    return line.session.scalars(
        select(CounterGuarantee).where(CounterGuarantee.project_id == project.id)
    ).first()


@pytest.mark.parametrize(
    "place", [Stage.COUNTER, Stage.FEE_COLLECT, Stage.NOTICE], ids=lambda place: place.name
)
def test_a_void_contract_is_drawn_up_anew_and_the_project_goes_on_where_it_stood(line, place):
    project = line.at(place)
    old = line.contract(project, "GUARANTEE")
    void_contract(line, old)
    assert (old.state, project.stage) == (PaperState.VOID, Stage.CONTRACT)
    line.sign(project)
    new = line.contract(project, "GUARANTEE")
    assert (new.id != old.id, new.state, project.stage) == (True, PaperState.APPROVED, place)
    notes = line.session.scalars(select(AuditLog.note).where(AuditLog.action == "VOID")).all()
    assert notes == ["作废合同：银行要求修改条款"]
    assert verify.verify_stages(line.session) == []


def test_after_the_notice_the_bank_is_told_anew(line):
    project = line.at(Stage.CONFIRM)
    void_contract(line, line.contract(project, "ENTRUSTMENT"))
    line.sign(project)
    assert project.stage is Stage.NOTICE


def test_a_counter_contract_may_be_given_up(line):
    project = line.at(Stage.FEE_COLLECT)
    void_contract(line, line.contract(project, "COUNTER"))
    assert project.stage is Stage.CONTRACT
    void_contract(line, line.contract(project, "GUARANTEE"))
    assert project.stage is Stage.CONTRACT, "it stands there already"
    *_, counter = contracts.propose_contracts(line.ctx(MANAGER), project)
    guarantee = line.contract(project, "GUARANTEE")
    contracts.submit(line.ctx(MANAGER), guarantee)
    line.approve(guarantee)
    records.delete(line.ctx(MANAGER), counter, counter.version)
    assert project.stage is Stage.FEE_COLLECT


def test_contracts_are_voided_before_the_drawdown_by_who_may_with_a_reason(line):
    project = line.at(Stage.NOTICE)
    contract = line.contract(project, "GUARANTEE")
    with pytest.raises(NotAllowed):
        contracts.void(line.ctx(CASHIER), contract, "x")
    with pytest.raises(NotFound):
        contracts.void(line.ctx(OUTSIDER), contract, "x")
    with pytest.raises(StaleRecord):
        contracts.void(line.ctx(MANAGER), contract, "x", contract.version - 1)
    with pytest.raises(BusinessError, match="请填写作废合同的原因"):
        void_contract(line, contract, " ")
    in_force = line.at(Stage.IN_FORCE)
    with pytest.raises(IllegalTransition, match="现为“在保”"):
        void_contract(line, line.contract(in_force, "GUARANTEE"))
    void_contract(line, contract)
    with pytest.raises(IllegalTransition, match="已作废"):
        void_contract(line, contract)


def test_a_counter_guarantee_that_cannot_be_settled_is_replaced(line):
    project = line.at(Stage.NOTICE)
    item = item_of(line, project)
    void_counter(line, item)
    assert (item.state, project.stage) == (PaperState.VOID, Stage.COUNTER)
    line.counter(project, name="城东仓库")
    line.sign(project)
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    assert project.stage is Stage.NOTICE
    line.step(project)
    assert project.stage is Stage.CONFIRM
    assert letters.data_for(line.ctx(), project)["project"]["counter_guarantee"] == "抵押：城东仓库"


def test_what_is_left_may_cover_it_all(line):
    project = line.at(Stage.COUNTER)
    line.counter(project)
    line.counter(project, name="城东仓库")
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    first, second = line.session.scalars(
        select(CounterGuarantee)
        .where(CounterGuarantee.project_id == project.id)
        .order_by(CounterGuarantee.id)
    )
    void_counter(line, first)
    assert project.stage is Stage.FEE_COLLECT
    void_counter(line, second)
    assert project.stage is Stage.COUNTER
    with pytest.raises(IllegalTransition, match="已作废"):
        void_counter(line, second)


def test_counter_guarantees_are_given_up_before_the_drawdown_with_a_reason(line):
    project = line.at(Stage.NOTICE)
    item = item_of(line, project)
    with pytest.raises(NotAllowed):
        counters.void(line.ctx(CASHIER), item, "x")
    outer = line.session.begin_nested()
    with pytest.raises(BusinessError, match="请填写撤销反担保的原因"):
        void_counter(line, item, "")
    outer.rollback()
    project.state = ProjectState.CANCELLED
    with pytest.raises(IllegalTransition, match="现为“已终止”"):
        void_counter(line, item)
