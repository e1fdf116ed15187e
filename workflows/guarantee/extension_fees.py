"""What an extension costs (4.5d): more of the 担保费, due when it takes effect, and through 复核 as every fee."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from models.guarantee.drawdown import Drawdown
from models.guarantee.product import FeeKind
from models.guarantee.project import Project
from models.guarantee.signing import Fee, FeeDue, FeeState
from models.ledger.closing import IncomeSchedule
from reports.figures.fees import dues_of, fee_amount, vat_inside
from reports.figures.parameters import value
from reports.figures.schedules import months_between
from workflows.base.context import Ctx
from workflows.base.transition import move
from workflows.guarantee import ceding
from workflows.guarantee.fees import FEE, register

RULE = "extension.fee_rule"


def quote(ctx: Ctx, loan: Drawdown, new_due_on: date) -> Decimal:
    """担保费 for the months by which a loan is extended, on what is owed of it, in 元; 0 where none is charged."""
    fee = _fee(ctx, loan.project_id)
    if fee is None or value(ctx.session, RULE, ctx.today) != "PRO_RATA":
        return Decimal(0)
    months = months_between(loan.due_on, new_due_on)
    return fee_amount(loan.balance, fee.rate_pct, months, is_annual=fee.is_rate_annual)


def charge(ctx: Ctx, project: Project, amount: Decimal) -> None:
    """Add the amount to the project's 担保费 as a part that is due today, and hand the difference to 复核."""
    fee = _fee(ctx, project.id)
    if fee is None or not amount:
        return
    parts = dues_of(ctx.session, fee)
    with ctx.session.no_autoflush:  # amount and plan change as one
        vat = vat_inside(amount, fee.vat_rate_pct)
        move(FEE["reopen"], fee)
        fee.amount += amount
        fee.vat_amount += vat
        seq = max((part.seq for part in parts), default=0) + 1
        ctx.session.add(FeeDue(fee=fee, seq=seq, due_on=ctx.today, amount=amount))
        kept = select(IncomeSchedule).where(IncomeSchedule.fee_id == fee.id)
        for schedule in ctx.session.scalars(kept):
            schedule.amount += amount - vat
    ctx.session.flush()
    ceding.plan_again(ctx, project)
    register(ctx, project, fee)
    ctx.session.flush()


def _fee(ctx: Ctx, project_id: int) -> Fee | None:
    query = select(Fee).where(
        Fee.project_id == project_id,
        Fee.kind == FeeKind.GUARANTEE,
        Fee.state.in_((FeeState.BOOKED, FeeState.SUBMITTED)),
    )
    return ctx.session.scalar(query)
