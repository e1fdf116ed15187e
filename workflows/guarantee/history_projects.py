"""4.6: what an approved row of 历史补录 becomes: customer, project, loan with its plan and what was repaid before."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select

from models.base.errors import Conflict
from models.base.moments import add_months
from models.customer.customer import CorporateCustomer, Customer, PersonalCustomer
from models.customer.rating_model import CustomerKind
from models.guarantee.bank import PartnerBank
from models.guarantee.bank_batch import BatchLoan
from models.guarantee.drawdown import (
    Drawdown,
    DrawdownState,
    Instalment,
    PlanSource,
    RepaymentPlan,
)
from models.guarantee.history import HistoryBatch, HistoryGuarantee, HistoryStanding
from models.guarantee.product import Product
from models.guarantee.project import Project, ProjectStage, ProjectState, Stage
from models.guarantee.repayment import Repayment, RepaymentSource
from models.system.organization import Employee
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, move, steps
from workflows.customer.rules import ID_CARD
from workflows.guarantee import stages

BACKFILL = steps(
    Step(
        "project",
        "backfill_stage",
        "历史补录",
        column="stage",
        sources=(Stage.APPLY,),
        targets=(Stage.IN_FORCE, Stage.RELEASE),
        follows=True,
    ),
    Step(
        "project",
        "backfill",
        "历史补录",
        column="state",
        sources=(ProjectState.DRAFT,),
        targets=(ProjectState.IN_FORCE, ProjectState.RELEASED),
        follows=True,
    ),
    Step(
        "drawdown",
        "settle_backfilled",
        "补录已结清",
        column="state",
        sources=(DrawdownState.ACTIVE,),
        targets=(DrawdownState.SETTLED,),
        follows=True,
    ),
)
_MONTHS_MAX = 360


def make(ctx: Ctx, batch: HistoryBatch, row: HistoryGuarantee) -> Project:
    """A project in force, or released, of an approved row; limits, 责任余额 and snapshots count it from now on.

    A loan that is past its end is marked 逾期 by the next day-end, as any other.
    """
    row.customer = _customer(ctx, row)
    project = _project(ctx, row, row.assistant_id or batch.handler_id or row.manager_id)
    loan = _loan(ctx, project, row)
    if row.amount > row.balance:
        _repaid_before(ctx, loan, row, batch.as_of)
    if row.standing is HistoryStanding.RELEASED:
        with ctx.session.no_autoflush:  # both at once
            move(BACKFILL["settle_backfilled"], loan)
            loan.closed_on = row.released_on
    row.project = project
    ctx.session.flush()
    return project


def refuse_clashes(ctx: Ctx, batch: HistoryBatch) -> None:
    """Raise Conflict where the bank's note of a row was registered since the batch was put up."""
    taken = select(HistoryGuarantee).where(
        HistoryGuarantee.batch_id == batch.id,
        HistoryGuarantee.bank_note_no.in_(select(Drawdown.bank_note_no)),
    )
    if found := list(ctx.session.scalars(taken.order_by(HistoryGuarantee.id).limit(5))):
        rows = "、".join(f"{row.customer_name}（{row.bank_note_no}）" for row in found)
        raise Conflict(f"批次 {batch.number} 有明细的银行借据号已登记：{rows}，请退回经办人改正")


def known_customer(ctx: Ctx, row: HistoryGuarantee | BatchLoan) -> Customer | None:
    """Who is registered under the number of a row; of a merged one whom it became."""
    query: Select[Any] = select(CorporateCustomer).where(CorporateCustomer.uscc == row.uscc)
    if row.kind is CustomerKind.PERSONAL:
        query = select(PersonalCustomer).where(
            PersonalCustomer.id_type == ID_CARD, PersonalCustomer.id_number == row.id_number
        )
    found: Customer | None = ctx.session.scalars(query).one_or_none()
    while (
        found is not None and found.merged_into_id is not None
    ):  # a tombstone leads to who it became
        found = ctx.session.get(Customer, found.merged_into_id)
    return found


def _customer(ctx: Ctx, row: HistoryGuarantee) -> Customer:
    """The company or person of that number, registered under its manager where nobody knows it."""
    if (found := known_customer(ctx, row)) is not None:
        return found
    facts = {
        "name": row.customer_name,
        "manager_id": row.manager_id,
        "note": "历史补录时登记，资料待补充",
    }
    if row.kind is CustomerKind.PERSONAL:
        return records.create(ctx, PersonalCustomer, facts | {"id_number": row.id_number})
    return records.create(ctx, CorporateCustomer, facts | {"uscc": row.uscc})


def _project(ctx: Ctx, row: HistoryGuarantee, assistant_id: int) -> Project:
    manager = ctx.session.get_one(Employee, row.manager_id)
    bank = ctx.session.get_one(PartnerBank, row.bank_id)
    is_released = row.standing is HistoryStanding.RELEASED
    project = Project(
        number=next_number(ctx, "project"),
        old_number=row.old_number,
        customer=row.customer,
        product_id=row.product_id,
        bank_id=row.bank_id,
        amount=row.amount,
        balance=row.balance,
        reserved_amount=Decimal(0),
        term_months=months_of(row.start_on, row.end_on),
        purpose=row.purpose,
        purpose_note="历史补录",
        rate_annual_pct=row.loan_rate_pct,
        repayment_method=row.repayment_method,
        fee_rate_pct=row.fee_rate_pct,
        bank_share_pct=bank.share_pct if row.bank_share_pct is None else row.bank_share_pct,
        counter_offer=row.counter,
        guarantee_kind=ctx.session.get_one(Product, row.product_id).guarantee_kind,
        small_kind=row.small_kind,
        is_farmer=row.is_farmer,
        is_agriculture=row.is_agriculture,
        is_internet=row.is_internet,
        manager_id=manager.id,
        assistant_id=assistant_id,
        department_id=manager.department_id,
        applied_on=row.start_on,
        start_on=row.start_on,
        end_on=row.end_on,
    )
    ctx.session.add(project)
    ctx.session.flush()
    with ctx.session.no_autoflush:
        move(BACKFILL["backfill_stage"], project, Stage.RELEASE if is_released else Stage.IN_FORCE)
        state = ProjectState.RELEASED if is_released else ProjectState.IN_FORCE
        move(BACKFILL["backfill"], project, state)
        project.stage_since = row.released_on or row.start_on
        _passed(ctx, project, row)
        stages.hold(ctx, project, "A角", manager.id)
        stages.hold(ctx, project, "B角", assistant_id)
    ctx.session.flush()
    return project


def _passed(ctx: Ctx, project: Project, row: HistoryGuarantee) -> None:
    """The line of stages knows when it was in force, and when that ended."""
    in_force = ProjectStage(
        project=project, stage=Stage.IN_FORCE, entered_on=row.start_on, left_on=row.released_on
    )
    ctx.session.add(in_force)
    if row.released_on is not None:
        in_force.outcome = "历史补录"
        ended = ProjectStage(
            project=project,
            stage=Stage.RELEASE,
            entered_on=row.released_on,
            left_on=row.released_on,
            outcome="已解保",
        )
        ctx.session.add(ended)


def _loan(ctx: Ctx, project: Project, row: HistoryGuarantee) -> Drawdown:
    """The bank's loan with one instalment at its end; interest is the bank's until its plan is brought in."""
    loan = Drawdown(
        number=next_number(ctx, "drawdown"),
        project=project,
        bank_note_no=row.bank_note_no or f"补录-{project.number}",
        drawn_on=row.start_on,
        due_on=row.end_on,
        amount=row.amount,
        balance=row.balance,
        rate_annual_pct=row.loan_rate_pct,
        repayment_method=row.repayment_method,
    )
    plan = RepaymentPlan(
        drawdown=loan, plan_no=1, source=PlanSource.HISTORY, is_current=True, made_on=ctx.today
    )
    only = Instalment(
        repayment_plan=plan,
        seq=1,
        due_on=row.end_on,
        principal=row.amount,
        interest=Decimal(0),
        principal_paid=row.amount - row.balance,
        interest_paid=Decimal(0),
    )
    ctx.session.add_all([loan, plan, only])
    ctx.session.flush()
    return loan


def _repaid_before(ctx: Ctx, loan: Drawdown, row: HistoryGuarantee, as_of: date) -> None:
    """What was repaid before the system is one repayment: on the day it was released, or that the balance is of."""
    ctx.session.add(
        Repayment(
            number=next_number(ctx, "repayment_receipt"),
            project=loan.project,
            drawdown=loan,
            paid_on=row.released_on or as_of,
            principal=row.amount - row.balance,
            interest=Decimal(0),
            balance_after=row.balance,
            is_final=row.balance == 0,
            source=RepaymentSource.HISTORY,
            note="系统上线前已还本金",
        )
    )


def months_of(first: date, last: date) -> int:
    """The term in months, a part of one counted as whole; within what a project may say."""
    months = (last.year - first.year) * 12 + last.month - first.month
    if add_months(first, months) < last:
        months += 1
    return min(max(months, 1), _MONTHS_MAX)
