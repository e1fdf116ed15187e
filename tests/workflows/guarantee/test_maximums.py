"""4.4c 最高额合同: a limit for several projects, with what is left of it, and one security for all of them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown
from models.guarantee.maximum import MaximumContract, MaximumKind
from models.guarantee.project import ProjectState, Stage
from models.guarantee.repayment import Repayment
from models.guarantee.signing import ContractKind, CounterKind
from reports.figures import maximums as figures
from reports.figures.coverage import scope_of
from reports.figures.gate import gate
from reports.figures.line import coverage_pct, required_kinds
from tests.workflows.guarantee.factories import MANAGER, MILLION, OUTSIDER, STEPS
from workflows.base import records
from workflows.guarantee import (
    application,
    contracts,
    counters,
    disbursement,
    maximums,
    repayment,
    resolution,
)
from workflows.guarantee.repayment import Paid

STAGES = ()
FIVE = 5 * MILLION


@pytest.fixture
def customer(line):
    return line.customer()


def agreed(line, customer, kind=MaximumKind.ENTRUSTMENT, **facts):
    """A contract up to 8 million for two years, drawn up, submitted and approved."""
    given = {
        "kind": kind,
        "customer_id": customer.id,
        "limit_amount": 8 * MILLION,
        "signed_on": line.today,
        "starts_on": line.today,
        "ends_on": line.today + timedelta(days=730),
        **facts,
    }
    made = records.create(line.ctx(MANAGER), MaximumContract, given)
    maximums.submit(line.ctx(MANAGER), made)
    line.approve(made)
    return made


def plant(line, customer, **facts):
    """A plant worth 20 million that secures up to 10 million whatever the customer draws."""
    given = {
        "counter_kind": CounterKind.MORTGAGE,
        "name": "滨江厂房",
        "asset_kind": "PLANT",
        "appraised_value": 20 * MILLION,
        "limit_amount": 10 * MILLION,
        **facts,
    }
    return agreed(line, customer, MaximumKind.COUNTER, **given)


def at(line, customer, stage, **facts):
    return line.project_at(stage, customer_id=customer.id, **facts)


def under(line, project, maximum):
    return maximums.put_under(line.ctx(MANAGER), project, maximum.id)


def used(line, maximum):
    return figures.taken(figures.uses_of(line.session, maximum))[1]


def refusal(line, project, maximum):
    with pytest.raises(FieldErrors) as found, line.session.begin_nested():
        under(line, project, maximum)
    return found.value.field_errors["maximum_id"][0]


def walk(line, project, stage):
    while project.stage is not stage:
        STEPS[project.stage](line, project)
    return project


def test_what_a_resolution_reserves_counts_and_what_is_repaid_is_free_again(line, customer):
    """8 million for two projects of 5: the second waits until the first is repaid."""
    maximum = agreed(line, customer)
    assert maximum.counterparty == customer.name
    assert maximum.document.number == maximum.number
    assert "限额循环使用" in maximum.document.body
    first, second = (at(line, customer, Stage.RESOLVE) for _ in range(2))
    for project in (first, second):
        under(line, project, maximum)
    assert used(line, maximum) == 0
    line.resolve(first)
    line.approve(line.resolution(first))
    assert used(line, maximum) == FIVE
    line.resolve(second)
    over = r"最高额委托担保合同办理后为 10,000,000\.00元，限额 8,000,000\.00元"
    with pytest.raises(BusinessError, match=over), line.session.begin_nested():
        line.approve(line.resolution(second))

    resolution.issue_confirmation(line.ctx(MANAGER), first)
    walk(line, first, Stage.IN_FORCE)
    assert (first.balance, used(line, maximum)) == (FIVE, FIVE)
    settled(line, first)
    assert used(line, maximum) == 0
    line.approve(line.resolution(second))
    assert used(line, maximum) == FIVE
    with pytest.raises(Conflict, match="还有 1 个项目"):
        maximums.close(line.ctx(MANAGER), maximum, "不再使用")


def settled(line, project):
    """A month later the bank says that the loan is repaid."""
    loan = line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()
    line.later(days=31)
    paid = Paid(line.today, loan.balance, Decimal(0), is_final=True)
    repayment.register(line.ctx(MANAGER), loan, paid)


def test_a_limit_that_does_not_revolve_remembers_what_was_repaid(line, customer):
    maximum = agreed(line, customer, is_revolving=False)
    project = at(line, customer, Stage.APPLY, amount=FIVE)
    under(line, project, maximum)
    walk(line, project, Stage.IN_FORCE)
    settled(line, project)
    assert (project.balance, used(line, maximum)) == (0, FIVE)
    other = at(line, customer, Stage.APPLY, amount=4 * MILLION)
    assert "剩余 3,000,000.00 元，不足 4,000,000.00 元" in refusal(line, other, maximum)


def test_a_project_under_it_needs_no_such_contract_of_its_own(line, customer):
    """With 委托 and 保证 up to a limit nothing is drawn up, and the counter-guarantee contract names them."""
    entrusted = agreed(line, customer)
    project = at(line, customer, Stage.CONTRACT)
    guarantee = agreed(line, customer, MaximumKind.GUARANTEE, bank_id=project.bank_id)
    assert guarantee.counterparty == project.bank.name
    under(line, project, entrusted)
    assert required_kinds(line.session, project.id) == (ContractKind.GUARANTEE,)
    (kind,) = (one.kind for one in contracts.propose_contracts(line.ctx(MANAGER), project))
    assert kind is ContractKind.GUARANTEE
    assert "不需要纳入" in refusal(line, project, guarantee)
    drawn_up = line.contract(project, "GUARANTEE")
    records.delete(line.ctx(MANAGER), drawn_up, drawn_up.version)
    under(line, project, guarantee)
    assert project.stage is Stage.COUNTER
    item = line.counter(project)
    (contract,) = line.draw_up(project)
    assert contract.counter_guarantee_id == item.id
    contracts.submit(line.ctx(MANAGER), contract)
    line.approve(contract)
    assert entrusted.number in contract.document.body
    assert guarantee.number in contract.document.body
    counters.submit(line.ctx(MANAGER), project)
    line.approve(project)
    walk(line, project, Stage.IN_FORCE)
    assert project.state is ProjectState.IN_FORCE
    scope = scope_of(line.session, project)
    assert (scope.contract, scope.share_pct) == (guarantee, 80)


def test_nothing_is_drawn_outside_the_period(line, customer):
    maximum = agreed(line, customer, ends_on=line.today + timedelta(days=10))
    project = at(line, customer, Stage.APPLY)
    under(line, project, maximum)
    walk(line, project, Stage.NOTICE)
    line.settle(project)
    line.later(days=11)
    failing = {one.key for one in gate(line.session, project, line.today) if not one.is_met}
    assert failing == {"maximum"}
    with pytest.raises(BusinessError, match="债权确定期间为"):
        disbursement.issue_notice(line.ctx(MANAGER), project)
    line.later(days=-1)
    disbursement.issue_notice(line.ctx(MANAGER), project)
    line.later(days=2)
    with pytest.raises(FieldErrors, match="债权确定期间"):
        line.confirm(project)
    line.confirm(project, drawn_on=line.today - timedelta(days=2))


def test_one_security_covers_several_projects_by_their_parts(line, customer):
    """厂房 recognised at 10 million secures 5 and 5; a third would leave the others below 70 %."""
    shared = plant(line, customer)
    assert shared.recognised_value >= 10 * MILLION
    first = at(line, customer, Stage.COUNTER, amount=FIVE)
    under(line, first, shared)
    assert first.stage is Stage.FEE_COLLECT
    assert coverage_pct(line.session, first, [], FIVE) == 200
    failing = {one.key: one for one in gate(line.session, first, line.today) if not one.is_met}
    assert "滨江厂房" in failing["counters"].evidence
    maximums.settle(line.ctx(MANAGER), shared, "不动产登记证明 0002 号", line.today)
    second = at(line, customer, Stage.COUNTER, amount=FIVE)
    under(line, second, shared)
    assert coverage_pct(line.session, first, [], FIVE) == 100
    third = at(line, line.customer("别的公司"), Stage.APPLY)
    assert "是“江州明达机械有限公司”的合同" in refusal(line, third, shared)
    walk(line, second, Stage.NOTICE)
    assert all(one.is_met for one in gate(line.session, second, line.today))


def test_a_security_is_not_shared_until_others_lack_cover(line, customer):
    shared = plant(line, customer, appraised_value=8 * MILLION)
    first = at(line, customer, Stage.COUNTER, amount=FIVE)
    under(line, first, shared)
    assert first.stage is Stage.FEE_COLLECT
    second = at(line, customer, Stage.APPLY, amount=FIVE)
    assert f"共用后不足：{first.number} 的覆盖率将为" in refusal(line, second, shared)
    assert len(figures.uses_of(line.session, shared)) == 1


def test_others_stay_covered_whatever_the_president_signs(line, customer):
    """Put under for 1 million the second leaves the first its cover; raised to 5 million it is not signed."""
    shared = plant(line, customer, appraised_value=8 * MILLION)
    first = at(line, customer, Stage.COUNTER, amount=FIVE)
    under(line, first, shared)
    assert first.stage is Stage.FEE_COLLECT
    second = line.apply(customer_id=customer.id, amount=MILLION)
    under(line, second, shared)
    records.update(line.ctx(MANAGER), second, {"amount": str(FIVE)}, second.version)
    application.submit(line.ctx(MANAGER), second)
    line.resolve(walk(line, second, Stage.RESOLVE))
    said = f"共用反担保不足：{first.number} 的覆盖率将为"
    with pytest.raises(BusinessError, match=said), line.session.begin_nested():
        line.approve(line.resolution(second))
    line.session.refresh(second)
    assert second.reserved_amount == 0


def test_an_application_keeps_to_the_customer_and_the_bank_of_its_contracts(line, customer):
    """A draft under 最高额保证 goes to no other bank or customer while the contract holds it; nor is it paid there."""
    project = line.apply(customer_id=customer.id)
    maximum = agreed(line, customer, MaximumKind.GUARANTEE, bank_id=project.bank_id)
    use = under(line, project, maximum)
    bank = line.bank("江州另一银行")
    values = {"customer_id": line.customer("乙公司").id, "bank_id": bank.id}
    with pytest.raises(FieldErrors) as found, line.session.begin_nested():
        records.update(line.ctx(MANAGER), project, values, project.version)
    assert set(found.value.field_errors) == {"customer_id", "bank_id"}
    assert f"{maximum.number} 只用于" in found.value.field_errors["bank_id"][0]
    line.session.refresh(project)
    project.bank = bank  # as an application that was changed before this was asked
    line.session.flush()
    failing = {one.key: one for one in gate(line.session, project, line.today) if not one.is_met}
    assert "只用于" in failing["maximum"].evidence
    line.session.refresh(project)
    maximums.take_out(line.ctx(MANAGER), use, "换银行")
    records.update(line.ctx(MANAGER), project, values, project.version)
    assert project.bank_id == bank.id


def test_what_is_owed_again_needs_room_under_the_limit(line, customer):
    """Repaid, the room went to another project: the repayment is not reversed until there is room again."""
    maximum = agreed(line, customer)
    first, second = (at(line, customer, Stage.CONTRACT) for _ in range(2))
    under(line, first, maximum)
    walk(line, first, Stage.IN_FORCE)
    settled(line, first)
    made = line.session.scalars(select(Repayment).where(Repayment.project_id == first.id)).one()
    under(line, second, maximum)
    over = r"最高额委托担保合同办理后为 10,000,000\.00元，限额 8,000,000\.00元"
    with pytest.raises(BusinessError, match=over), line.session.begin_nested():
        repayment.reverse(line.ctx(MANAGER), made, "登记有误")
    line.session.refresh(first)
    assert (first.balance, used(line, maximum)) == (0, FIVE)
    second.reserved_amount = Decimal(0)
    line.session.flush()
    repayment.reverse(line.ctx(MANAGER), made, "登记有误")
    assert first.balance == FIVE


def test_a_project_that_is_taken_out_goes_back_for_papers_of_its_own(line, customer):
    maximum = agreed(line, customer)
    project = at(line, customer, Stage.APPLY)
    use = under(line, project, maximum)
    walk(line, project, Stage.COUNTER)
    maximums.take_out(line.ctx(MANAGER), use, "改为逐笔签约")
    assert (project.stage, use.until_on) == (Stage.CONTRACT, line.today)
    assert used(line, maximum) == 0
    with pytest.raises(IllegalTransition):
        maximums.take_out(line.ctx(MANAGER), use, "再来一次")
    maximums.close(line.ctx(MANAGER), maximum, "不再使用")
    assert maximum.state is PaperState.VOID
    assert "已作废" in refusal(line, project, maximum)


def test_a_surety_signs_and_its_delivery_is_noted_once(line, customer):
    """A person who stands for all of a customer's loans: nothing is valued, the contract is with the person."""
    made = agreed(
        line, customer, MaximumKind.COUNTER, counter_kind=CounterKind.SURETY, name="李晓明"
    )
    assert (made.counterparty, made.appraised_value) == ("李晓明", None)
    maximums.settle(line.ctx(MANAGER), made, "保证合同已面签", line.today)
    assert made.is_settled
    for one in (made, agreed(line, customer)):
        with pytest.raises(IllegalTransition, match="不需要或已经登记落实"):
            maximums.settle(line.ctx(MANAGER), one, "再来一次", line.today)


def test_a_contract_that_is_sent_back_has_no_text_and_takes_nothing(line, customer):
    facts = {
        "kind": MaximumKind.ENTRUSTMENT,
        "customer_id": customer.id,
        "limit_amount": 8 * MILLION,
        "signed_on": line.today,
        "starts_on": line.today,
        "ends_on": line.today + timedelta(days=730),
    }
    made = records.create(line.ctx(MANAGER), MaximumContract, facts)
    project = at(line, customer, Stage.APPLY)
    maximums.submit(line.ctx(MANAGER), made)
    line.give_back(made)
    assert (made.state, made.document) == (PaperState.DRAFT, None)
    assert "不能纳入" in refusal(line, project, made)
    maximums.submit(line.ctx(MANAGER), made)
    line.approve(made)
    assert made.document.number == made.number
    assert under(line, project, made).project is project


def test_a_project_is_put_under_one_contract_of_a_kind_and_before_its_drawdown(line, customer):
    maximum, other = agreed(line, customer), agreed(line, customer)
    project = at(line, customer, Stage.APPLY)
    under(line, project, maximum)
    assert refusal(line, project, maximum) == f"项目已在 {maximum.number} 项下"
    assert refusal(line, project, other) == "项目已纳入另一份最高额委托担保合同"
    foreign = line.customer("乙公司", manager=OUTSIDER)
    theirs = records.create(
        line.ctx(OUTSIDER),
        MaximumContract,
        {
            "kind": MaximumKind.ENTRUSTMENT,
            "customer_id": foreign.id,
            "limit_amount": MILLION,
            "signed_on": line.today,
            "starts_on": line.today,
            "ends_on": line.today,
        },
    )
    assert refusal(line, project, theirs) == "请选择最高额合同"  # another department's
    walk(line, project, Stage.IN_FORCE)
    with pytest.raises(IllegalTransition, match="已放款或已结束，不能纳入最高额合同"):
        under(line, project, other)


def test_a_security_that_is_taken_out_sends_back_only_a_project_that_lacks_cover(line, customer):
    shared = plant(line, customer)
    alone = at(line, customer, Stage.COUNTER)
    use = under(line, alone, shared)
    assert alone.stage is Stage.FEE_COLLECT
    maximums.take_out(line.ctx(MANAGER), use, "改为单独抵押")
    assert alone.stage is Stage.COUNTER
    secured = at(line, customer, Stage.FEE_COLLECT)  # has a plant of its own
    use = under(line, secured, shared)
    maximums.take_out(line.ctx(MANAGER), use, "不再需要")
    assert secured.stage is Stage.FEE_COLLECT


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"ends_on": "2025-01-01"}, "ends_on"),
        ({"signed_on": "2030-01-01"}, "signed_on"),
        ({"kind": MaximumKind.GUARANTEE}, "bank_id"),
        ({"name": "厂房"}, "name"),
        ({"kind": MaximumKind.COUNTER, "name": "厂房"}, "counter_kind"),
        ({"kind": MaximumKind.COUNTER, "counter_kind": CounterKind.MORTGAGE}, "appraised_value"),
        (
            {
                "kind": MaximumKind.COUNTER,
                "counter_kind": CounterKind.SURETY,
                "name": "张三",
                "appraised_value": 1,
            },
            "appraised_value",
        ),
    ],
)
def test_a_contract_that_says_too_little_or_too_much_is_not_kept(line, customer, facts, wrong):
    with pytest.raises(FieldErrors) as found:
        agreed(line, customer, **facts)
    assert wrong in found.value.field_errors
