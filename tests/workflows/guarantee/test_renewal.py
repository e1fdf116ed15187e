"""4.12 续保 and 无还本续贷: copied, counted once, changed on one day, and the old guarantee released."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.product import RepaymentMethod
from models.guarantee.project import Project, ProjectState, RenewalKind, Stage
from models.guarantee.release import Release
from models.guarantee.repayment import Repayment, RepaymentSource
from models.guarantee.signing import CounterGuarantee
from models.system.records import Attachment
from reports.figures import exposure
from tests.workflows.guarantee.factories import CASHIER, MANAGER, MILLION, OUTSIDER
from workflows import verify
from workflows.base import records
from workflows.guarantee import (
    application,
    correction,
    disbursement,
    release,
    renewal,
    repayment,
)


@pytest.fixture
def old(line):
    """A guarantee in force over 5 million, all due at the end."""
    return line.project_at(
        Stage.IN_FORCE, amount=5 * MILLION, repayment_method=RepaymentMethod.INTEREST_FIRST
    )


def facts_of(old, **more):
    names = application_names(old)
    return {name: getattr(old, name) for name in names} | more


def application_names(old):
    kept = (
        "customer_id product_id bank_id amount term_months purpose purpose_note rate_annual_pct "
        "repayment_method fee_rate_pct bank_share_pct counter_offer small_kind small_reason assistant_id"
    )
    return kept.split()


def renewed(line, old, kind="ROLLOVER", **more):
    return renewal.renew(line.ctx(MANAGER), old, facts_of(old, renewal_kind=kind, **more))


def brought(line, project, stage):
    """Brought on to a stage."""
    if project.state is ProjectState.DRAFT:
        application.submit(line.ctx(MANAGER), project)
    while project.stage is not stage:
        line.step(project)
    return project


def loan_of(line, project):
    return line.session.scalars(select(Drawdown).where(Drawdown.project_id == project.id)).one()


def used(line, project):
    """What stands on the customer, without weights, and on the bank's line, in force and reserved."""
    _, committed = exposure.by_customer(
        line.session, line.today, Project.customer_id == project.customer_id
    )
    party = sum((part.amount for part in committed.get(project.customer_id, ())), Decimal(0))
    return party, sum(exposure.line_used(line.session, project.bank))


def after(line, project, key, amount=None):
    checks = exposure.checks(line.session, project, line.today, amount=amount)
    return next(check.after for check in checks if check.key == key)


def test_a_rollover_is_counted_once_and_settles_the_old_loan_on_its_day(line, old):
    session = line.session
    line.later(days=60)
    before = used(line, old)
    limits = {key: after(line, old, key) for key in ("leverage", "single", "group", "bank_line")}
    project = renewed(line, old)
    assert (project.renewed_from_id, project.renewal_kind) == (old.id, RenewalKind.ROLLOVER)
    for key, figure in limits.items():
        assert after(line, project, key) == figure, f"{key} counts the same guarantee twice"
    assert after(line, project, "bank_line", 6 * MILLION) == limits["bank_line"] + MILLION

    brought(line, project, Stage.CONFIRM)
    assert project.reserved_amount == 5 * MILLION
    assert used(line, old) == before, "between resolution and change it stands once"
    line.later(days=5)
    note = line.note(project)
    with pytest.raises(FieldErrors, match="不能为负数"), session.begin_nested():
        disbursement.confirm(line.ctx(MANAGER), project, former_interest=Decimal(-1), **note)
    session.refresh(project)
    interest = renewal.planned_interest(session, project, line.today)
    drawn = disbursement.confirm(line.ctx(MANAGER), project, former_interest=interest, **note)
    paid = session.scalars(select(Repayment).where(Repayment.project_id == old.id)).one()
    assert (paid.source, paid.principal, paid.interest) == (
        RepaymentSource.RENEWAL,
        5 * MILLION,
        interest,
    )
    assert drawn.bank_note_no in paid.note
    assert (loan_of(line, old).state, old.balance, project.balance) == (
        DrawdownState.SETTLED,
        0,
        5 * MILLION,
    )
    assert used(line, old) == before, "nor on the day of change"
    assert verify.verify_exposures(session) == verify.verify_repayments(session) == []
    with pytest.raises(Conflict, match="新借款仍在保，不能冲正"):
        repayment.reverse(line.ctx(MANAGER), paid, "登记有误")
    with pytest.raises(Conflict, match="原借款已由放款结清，不能撤销"):
        correction.revoke(line.ctx(MANAGER), drawn, "金额有误")

    paper = session.scalars(select(Release).where(Release.project_id == old.id)).one()
    assert (paper.state, project.number in paper.note) == (PaperState.DRAFT, True)
    release.submit(line.ctx(MANAGER), paper)
    line.approve(paper)
    line.book(old)
    assert (old.state, project.state) == (ProjectState.RELEASED, ProjectState.IN_FORCE)


def test_a_smaller_loan_is_made_up_by_the_customer_and_a_larger_one_counts_in_full(line, old):
    line.later(days=30)
    less = brought(line, renewed(line, old, amount=3 * MILLION), Stage.CONFIRM)
    assert used(line, old)[0] == 5 * MILLION, "until the change all of the old loan stands"
    line.confirm(less)
    paid = line.session.scalars(select(Repayment).where(Repayment.project_id == old.id)).one()
    assert "结清本金 3,000,000.00 元，客户自还 2,000,000.00 元" in paid.note
    more = brought(line, renewed(line, less, amount=4 * MILLION), Stage.CONFIRM)
    assert used(line, old)[0] == 4 * MILLION
    line.confirm(more)
    assert (old.balance, less.balance, more.balance) == (0, 0, 4 * MILLION)


def test_who_repays_first_draws_after_that(line, old):
    line.later(days=30)
    project = brought(line, renewed(line, old, "REPAY_FIRST"), Stage.CONFIRM)
    assert used(line, old)[0] == 5 * MILLION
    ctx = line.ctx(MANAGER)
    with pytest.raises(Conflict, match=r"“先还后贷”，原项目 .* 尚有借款余额 5,000,000.00 元"):
        disbursement.confirm(ctx, project, **line.note(project))
    with pytest.raises(FieldErrors, match="不结清原借据"):
        disbursement.confirm(ctx, project, former_interest=Decimal(1), **line.note(project))
    paid = repayment.Paid(line.today, 5 * MILLION, Decimal(0), is_final=True, note="结清")
    made = repayment.register(ctx, loan_of(line, old), paid)
    assert used(line, old)[0] == 5 * MILLION, "reserved in full once the old is gone"
    old.bank.credit_line = 6 * MILLION
    line.session.flush()
    repayment.reverse(ctx, made, "登记有误")
    assert used(line, old) == (5 * MILLION, 5 * MILLION), "owed again, with the renewal still once"
    made = repayment.register(ctx, loan_of(line, old), paid)
    line.confirm(project)
    with pytest.raises(Conflict, match=f"续保项目 {project.number} 已放款接续该笔借款且仍在保"):
        repayment.reverse(ctx, made, "登记有误")
    assert project.balance == 5 * MILLION
    assert not line.session.scalars(select(Release)).all(), "released as any other"


def test_side_by_side_both_count(line, old):
    project = renewed(line, old, "ALONGSIDE")
    assert after(line, project, "bank_line") == used(line, old)[1] + 5 * MILLION
    brought(line, project, Stage.CONFIRM)
    assert used(line, old)[0] == 10 * MILLION
    line.confirm(project)
    assert old.balance + project.balance == 10 * MILLION


def test_a_rollover_while_the_old_is_being_released_waits(line, old):
    line.later(days=30)
    project = brought(line, renewed(line, old), Stage.CONFIRM)
    facts = {
        "project_id": old.id,
        "basis": "BANK_LETTER",
        "letter_no": "函1",
        "letter_on": line.today,
        "note": "银行同意",
    }
    paper = records.create(line.ctx(MANAGER), Release, facts)
    line.attach("release", paper.id, None)
    release.submit(line.ctx(MANAGER), paper)
    with pytest.raises(Conflict, match="正在解保，不能以本次放款结清"):
        line.confirm(project)


def test_the_way_of_renewal_fits_the_old_project(line, old):
    other = line.bank("江州另一银行")
    for more, field, said in (
        ({"renewal_kind": None}, "renewal_kind", "请选择续保方式"),
        ({"renewal_kind": "X"}, "renewal_kind", "从列表中选择"),
        ({"bank_id": other.id}, "bank_id", "原贷款银行"),
        (
            {"customer_id": line.customer("江州另一公司", uscc="913301063M16AREQX7").id},
            "customer_id",
            "客户应为",
        ),
    ):
        with pytest.raises(FieldErrors) as caught, line.session.begin_nested():
            renewal.renew(
                line.ctx(MANAGER), old, facts_of(old) | {"renewal_kind": "ROLLOVER"} | more
            )
        assert said in "".join(caught.value.field_errors[field])
    with pytest.raises(FieldErrors, match="复制为续保"):
        line.apply(renewal_kind="ROLLOVER")
    first = renewed(line, old)
    with (
        pytest.raises(FieldErrors, match=f"已由项目 {first.number} 续保"),
        line.session.begin_nested(),
    ):
        renewed(line, old, "REPAY_FIRST")
    values = {"customer_id": line.customer("江州第三公司", uscc="91320105MA1MCT7E48").id}
    with pytest.raises(FieldErrors, match="客户应为"):
        records.update(line.ctx(MANAGER), first, values, first.version)
    line.session.refresh(first)
    application.cancel(line.ctx(MANAGER), first, "客户另行安排")
    assert renewed(line, old, "REPAY_FIRST").renewed_from_id == old.id
    with pytest.raises(Conflict, match="在保或已解保的项目才能续保"):
        renewed(line, first)


def test_files_and_counter_guarantees_come_along(line, old):
    """Files are named twice and kept once; what secured the old loan is registered anew, with contracts of its own."""
    session = line.session
    line.attach("project", old.id, "BUSINESS_LICENSE")
    line.attach("project", old.id, None)
    project = renewed(line, old)
    mine = select(Attachment).where(
        Attachment.owner_table == "project", Attachment.owner_id == project.id
    )
    named = session.scalars(mine).all()
    assert {one.category for one in named} >= {"BUSINESS_LICENSE"}
    assert all(one.category and old.number in one.note for one in named)
    assert not renewal.may_take_over(line.ctx(MANAGER), project)
    with pytest.raises(BusinessError, match="没有可带入"):
        renewal.take_over(line.ctx(MANAGER), project)
    brought(line, project, Stage.CONTRACT)
    made = renewal.take_over(line.ctx(MANAGER), project)
    items = select(CounterGuarantee).where(CounterGuarantee.project_id == old.id)
    of_old = session.scalars(items).all()
    assert [(one.name, one.recognised_value) for one in made] == [
        (one.name, one.recognised_value) for one in of_old
    ]
    assert {(one.state, one.is_settled) for one in made} == {(PaperState.DRAFT, False)}
    with pytest.raises(Conflict, match="没有可带入"):
        renewal.take_over(line.ctx(MANAGER), project)


def test_the_interest_of_the_last_days_is_split_by_the_plans_and_much_more_needs_a_word(line):
    session = line.session
    old = line.project_at(Stage.CONFIRM, repayment_method=RepaymentMethod.INTEREST_FIRST)
    line.confirm(old, amount=2 * MILLION)
    line.confirm(old, amount=3 * MILLION)
    line.later(days=40)
    project = brought(line, renewed(line, old), Stage.CONFIRM)
    planned = renewal.planned_interest(session, project, line.today)
    ctx, note = line.ctx(MANAGER), line.note(project)
    for given, said in (
        ({"former_interest": Decimal("9999999999.99")}, "原借据至放款日应还利息"),
        ({"former_interest": planned, "former_note": "长" * 101}, "不超过 100 字"),
    ):
        with pytest.raises(FieldErrors, match=said) as error, session.begin_nested():
            disbursement.confirm(ctx, project, **given, **note)
        assert list(error.value.field_errors) == ["former_note"]
    session.refresh(project)
    given = {"former_interest": 2 * planned, "former_note": "含罚息"}
    disbursement.confirm(ctx, project, **given, **note)
    paid = session.scalars(select(Repayment).order_by(Repayment.id)).all()
    assert [one.extra_interest for one in paid] == [0, planned]
    assert sum(one.interest for one in paid) == 2 * planned
    assert all(one.note.endswith("；利息说明：含罚息") for one in paid)
    assert verify.verify_repayments(session) == []


def test_a_renewal_goes_on_after_its_former_project_was_handed_over(line, old):
    project = brought(line, renewed(line, old), Stage.CONFIRM)
    old.manager_id, old.assistant_id = line.id(OUTSIDER), line.id(CASHIER)
    old.department_id = line.people[OUTSIDER].department_id
    line.session.flush()
    line.confirm(project)
    assert (project.state, old.balance) == (ProjectState.IN_FORCE, 0)
