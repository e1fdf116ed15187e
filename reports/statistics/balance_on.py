"""在保余额 of each project on days gone by: what it has changed by, day by day; the sum up to a day is its balance.

From the daily snapshots as far as they go back; before them (an installation that has just taken over running business)
from what was lent, repaid and released.
"""

from datetime import date
from decimal import Decimal

from sqlalchemy import Select, Subquery, case, func, select, union_all

from models.base.actor import Actor
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.repayment import Repayment, RepaymentState
from models.statistics.snapshot import ProjectSnapshot
from reports.base.scope import scoped

ZERO = Decimal(0)


def changes(actor: Actor, until: date, *, is_kept: bool) -> Subquery:
    """(project_id, on, change in 元) up to a day within the actor's scope; `is_kept` where snapshots go back so far."""
    return (_kept(actor, until) if is_kept else _lent(actor, until)).subquery()


def _kept(actor: Actor, until: date) -> Select[*tuple[object, ...]]:
    """What each snapshot adds to the one before."""
    balance = ProjectSnapshot.balance
    before = func.lag(balance, type_=balance.type).over(
        partition_by=ProjectSnapshot.project_id, order_by=ProjectSnapshot.taken_on
    )
    columns = select(
        ProjectSnapshot.project_id,
        ProjectSnapshot.taken_on.label("on"),
        (balance - func.coalesce(before, ZERO)).label("change"),
    )
    return scoped(
        columns.where(ProjectSnapshot.taken_on <= until), ProjectSnapshot, actor, as_set=True
    )


def _lent(actor: Actor, until: date) -> Select[*tuple[object, ...]]:
    """What was lent and repaid; of a loan that was released from the guarantee nothing is left from that day on."""
    loans = select(
        Drawdown.project_id, Drawdown.drawn_on.label("on"), Drawdown.amount.label("change")
    )
    paid = (
        select(Drawdown.project_id, Repayment.paid_on, -Repayment.principal)
        .join(Drawdown, Drawdown.id == Repayment.drawdown_id)
        .where(Repayment.state == RepaymentState.BOOKED)
    )
    is_released = Drawdown.state == DrawdownState.RELEASED
    closed = select(Drawdown.project_id, Drawdown.closed_on, -Drawdown.amount).where(is_released)
    # What had been repaid by then has left already, and what the bank got later is the bank's alone.
    late = case(
        (Repayment.paid_on > Drawdown.closed_on, Repayment.paid_on), else_=Drawdown.closed_on
    )
    back = (
        select(Drawdown.project_id, late, Repayment.principal)
        .join(Drawdown, Drawdown.id == Repayment.drawdown_id)
        .where(Repayment.state == RepaymentState.BOOKED, is_released)
    )
    rows = union_all(
        scoped(loans, Drawdown, actor),
        scoped(paid, Repayment, actor),
        scoped(closed, Drawdown, actor),
        scoped(back, Repayment, actor),
    ).subquery()
    return select(rows.c.project_id, rows.c.on, rows.c.change).where(rows.c.on <= until)
