"""What is overdue on a day, past or present: principal, interest and days, from the plan and what was repaid by then.

An instalment is overdue from the day after it fell due. Amounts are 元.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, func, or_, select, text, union
from sqlalchemy.orm import Session

from models.guarantee.drawdown import OPEN, Drawdown, Instalment, RepaymentPlan
from models.guarantee.repayment import Repayment, RepaymentState

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class OverdueLine:
    """What is still owed of one instalment that fell due before the day."""

    instalment_id: int
    seq: int
    due_on: date
    principal: Decimal
    interest: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is overdue of a loan or a project; `since` is the earliest missed due date."""

    principal: Decimal = ZERO
    interest: Decimal = ZERO
    days: int = 0
    since: date | None = None

    @property
    def total(self) -> Decimal:
        """Principal and interest together."""
        return self.principal + self.interest


@dataclass(slots=True)
class _Loan:
    """A loan's plan and what had been repaid of it by the day."""

    project_id: int
    principal_paid: Decimal
    interest_paid: Decimal


def spread(owed: Sequence[Decimal], paid: Decimal) -> list[Decimal]:
    """How an amount settles what is owed, the earliest first; what exceeds all of it is left out."""
    found, left = [], paid
    for amount in owed:
        part = min(amount, left)
        found.append(part)
        left -= part
    return found


def overdue_lines(session: Session, drawdown: Drawdown, on: date) -> list[OverdueLine]:
    """The overdue instalments of one loan on a day, the earliest first."""
    return _lines(session, on, Drawdown.id == drawdown.id).get(drawdown.id, (0, []))[1]


def overdue_of(session: Session, project_id: int, on: date) -> Overdue:
    """What is overdue of one project on a day."""
    found = _lines(session, on, Drawdown.project_id == project_id).values()
    return _sum(line for _, lines in found for line in lines)


def overdue_by_project(session: Session, on: date) -> dict[int, Overdue]:
    """What is overdue of each project that has anything overdue on a day."""
    lines: dict[int, list[OverdueLine]] = defaultdict(list)
    for project_id, found in _lines(session, on, _candidates(on)).values():
        lines[project_id] += found
    return {project_id: _sum(found) for project_id, found in lines.items() if found}


def _sum(lines: Iterable[OverdueLine]) -> Overdue:
    rows = list(lines)
    if not rows:
        return Overdue()
    first = min(rows, key=lambda row: row.due_on)
    principal, interest = (
        sum((r.principal for r in rows), ZERO),
        sum((r.interest for r in rows), ZERO),
    )
    return Overdue(principal, interest, first.days, first.due_on)


def _candidates(on: date) -> ColumnElement[bool]:
    """Loans that may be overdue: those with something open today, and those that were repaid only afterwards."""
    open_now = (
        select(RepaymentPlan.drawdown_id)
        .join(Instalment, Instalment.repayment_plan_id == RepaymentPlan.id)
        .where(RepaymentPlan.is_current, Instalment.due_on < on, text(f"({OPEN})"))
    )
    repaid_later = select(Repayment.drawdown_id).where(
        Repayment.state == RepaymentState.BOOKED, Repayment.paid_on > on
    )
    return Drawdown.id.in_(union(open_now, repaid_later))


def _lines(
    session: Session, on: date, which: ColumnElement[bool]
) -> dict[int, tuple[int, list[OverdueLine]]]:
    loans = _loans(session, on, which)
    query = (
        select(
            RepaymentPlan.drawdown_id,
            Instalment.id,
            Instalment.seq,
            Instalment.due_on,
            Instalment.principal,
            Instalment.interest,
        )
        .join(RepaymentPlan, RepaymentPlan.id == Instalment.repayment_plan_id)
        .join(Drawdown, Drawdown.id == RepaymentPlan.drawdown_id)
        .where(RepaymentPlan.is_current, Instalment.due_on < on, which)
        .order_by(RepaymentPlan.drawdown_id, Instalment.due_on, Instalment.seq)
    )
    found: dict[int, tuple[int, list[OverdueLine]]] = {}
    for drawdown_id, instalment_id, seq, due_on, principal, interest in session.execute(query):
        loan = loans.get(drawdown_id)
        if loan is None:  # closed by the day
            continue
        paid_p, paid_i = min(principal, loan.principal_paid), min(interest, loan.interest_paid)
        loan.principal_paid -= paid_p
        loan.interest_paid -= paid_i
        if principal > paid_p or interest > paid_i:
            line = OverdueLine(
                instalment_id,
                seq,
                due_on,
                principal=principal - paid_p,
                interest=interest - paid_i,
                days=(on - due_on).days,
            )
            found.setdefault(drawdown_id, (loan.project_id, []))[1].append(line)
    return found


def _loans(session: Session, on: date, which: ColumnElement[bool]) -> dict[int, _Loan]:
    """Loans that had not been closed by the day; what was repaid after it is taken off."""
    paid = (func.sum(Instalment.principal_paid), func.sum(Instalment.interest_paid))
    query = (
        select(Drawdown.id, Drawdown.project_id, *paid)
        .join(RepaymentPlan, RepaymentPlan.drawdown_id == Drawdown.id)
        .join(Instalment, Instalment.repayment_plan_id == RepaymentPlan.id)
        .where(
            RepaymentPlan.is_current,
            which,
            or_(Drawdown.closed_on.is_(None), Drawdown.closed_on > on),
        )
        .group_by(Drawdown.id, Drawdown.project_id)
    )
    loans = {row[0]: _Loan(*row[1:]) for row in session.execute(query)}
    later = (
        select(
            Repayment.drawdown_id,
            func.sum(Repayment.principal),
            func.sum(Repayment.interest),
            func.sum(Repayment.extra_interest),
        )
        .join(Drawdown, Drawdown.id == Repayment.drawdown_id)
        .where(Repayment.state == RepaymentState.BOOKED, Repayment.paid_on > on, which)
        .group_by(Repayment.drawdown_id)
    )
    for drawdown_id, principal, interest, extra in session.execute(later):
        if (loan := loans.get(drawdown_id)) is not None:
            loan.principal_paid -= principal
            loan.interest_paid -= interest - extra
    return loans
