"""代偿 (6.2, 6.8): what of a bank's claim our plan bears out, what of it the company pays, and who bears that.

Amounts are 元. The penalty is what the rate with its markup comes to on what is overdue, compound interest included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.after.compensation import PARTS, Compensation
from models.base.money import apportion, format_money, round_money
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown, Instalment, RepaymentPlan
from models.guarantee.project import Project
from models.guarantee.scheme import SharingParty
from reports.figures import coverage, sharing
from reports.figures.overdue import overdue_lines
from reports.figures.parameters import number
from reports.figures.schedules import Accrual
from reports.figures.sharing import Portion

ZERO, HUNDRED = Decimal("0.00"), Decimal(100)
MARKUP = "compensation.penalty_markup_pct"
YEAR = 360  # a bank's penalty runs by the day over 360, whatever the loan says


@dataclass(frozen=True)
class Amounts:
    """Principal, interest, penalty and anything else, in the order of `PARTS`."""

    principal: Decimal = ZERO
    interest: Decimal = ZERO
    penalty: Decimal = ZERO
    other: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum(self, ZERO)

    def __iter__(self) -> Iterator[Decimal]:
        """The parts in their order."""
        return iter(astuple(self))

    @property
    def by_part(self) -> dict[str, Decimal]:
        """The parts by their names."""
        return dict(zip(PARTS, self, strict=True))


def amounts_of(record: object, prefix: str = "") -> Amounts:
    """The four amounts that stand on a record under a prefix."""
    return Amounts(*(getattr(record, f"{prefix}{part}") for part in PARTS))


def penalty_on(owed: Decimal, rate_pct: Decimal, markup_pct: Decimal, days: int) -> Decimal:
    """罚息 on what is overdue for so many days at the loan's rate and the markup, rounded to the fen once."""
    yearly = rate_pct * (HUNDRED + markup_pct) / HUNDRED
    return round_money(owed * yearly * days / (HUNDRED * YEAR))


def by_plan(session: Session, loan: Drawdown, on: date, *, is_accelerated: bool) -> Amounts:
    """What our plan says the customer owes on a day: what is overdue, or all of the loan where it was called in."""
    lines = overdue_lines(session, loan, on)
    principal = sum((line.principal for line in lines), ZERO)
    interest = sum((line.interest for line in lines), ZERO)
    markup = number(session, MARKUP, on)
    penalty = sum(
        (
            penalty_on(line.principal + line.interest, loan.rate_annual_pct, markup, line.days)
            for line in lines
        ),
        ZERO,
    )
    if is_accelerated:
        interest += _running_interest(session, loan, loan.balance - principal, on)
        principal = loan.balance
    return Amounts(principal, interest, penalty)


def _running_interest(session: Session, loan: Drawdown, rest: Decimal, on: date) -> Decimal:
    """Interest since the last due date on what has not fallen due, less what was paid of it ahead."""
    query = (
        select(Instalment.due_on, Instalment.interest_paid)
        .join(RepaymentPlan)
        .where(RepaymentPlan.drawdown_id == loan.id, RepaymentPlan.is_current)
        .order_by(Instalment.due_on, Instalment.seq)
    )
    rows = session.execute(query).all()
    since = max((due_on for due_on, _ in rows if due_on < on), default=loan.drawn_on)
    ahead = sum((paid for due_on, paid in rows if due_on >= on), ZERO)
    rates = ((loan.drawn_on, loan.rate_annual_pct),)
    accrual = Accrual(rates, loan.day_count, rows[0][0].day if rows else loan.drawn_on.day)
    return max(accrual.interest(rest, since, on) - ahead, ZERO)


@dataclass(frozen=True)
class Payable:
    """What the company pays of an accepted claim, what the bank bears itself, and what is outside with the reason."""

    ours: Amounts
    bank: Decimal
    outside: list[str]


def payable(
    session: Session, project: Project, accepted: Amounts, on: date, *, without: int | None = None
) -> Payable:
    """The company's part of what was accepted, by the scope of the guarantee on a day, exact to the fen in each part.

    What was paid before on the project counts against the cap; without a contract the project's own share holds.
    """
    scope = coverage.scope_of(session, project)
    if scope is None or project.end_on is None:
        base, outside = accepted, []
        own = round_money(base.total * (HUNDRED - project.bank_share_pct) / HUNDRED)
        bank = accepted.total - own
    else:
        claim = coverage.Claim(
            accepted.principal, accepted.interest + accepted.penalty, accepted.other
        )
        found = coverage.covered(scope, claim, project.end_on, on)
        words, outside, own = scope.parts.words, list(found.outside), found.amount
        has_interest = "利息" in words
        base = Amounts(
            accepted.principal,
            accepted.interest if has_interest else ZERO,
            accepted.penalty if has_interest else ZERO,
            accepted.other if "费用" in words else ZERO,
        )
        bank = base.total - round_money(base.total * scope.share_pct / HUNDRED)
        if scope.cap is not None:
            left = max(scope.cap - paid_before(session, project, without=without), ZERO)
            if own > left:
                outside.append(f"此前已代偿，最高担保额只余 {format_money(left)} 元（保证合同）")
                own = left
    if not own:
        return Payable(Amounts(), bank, outside)
    return Payable(Amounts(*apportion(own, list(base))), bank, outside)


def paid_before(session: Session, project: Project, *, without: int | None = None) -> Decimal:
    """What was paid or is approved to be paid on a project by other papers."""
    query = select(func.sum(Compensation.pay_amount)).where(
        Compensation.project_id == project.id,
        Compensation.state == PaperState.APPROVED,
        Compensation.id != (without or 0),
    )
    return session.scalar(query) or ZERO


def others(session: Session, project: Project) -> list[Portion]:
    """Who bears a part of what the company pays, itself among them: everybody but the bank."""
    shared = sharing.portions(session, project)
    return [one for one in shared if one.party is not SharingParty.BANK and one.share_pct > 0]


def borne(shared: Sequence[Portion], paid: Amounts) -> list[Amounts]:
    """What each party bears of what was paid, each part exact to the fen."""
    weights = [one.share_pct for one in shared]
    by_part = [apportion(amount, weights) for amount in paid]
    return [Amounts(*parts) for parts in zip(*by_part, strict=True)]


def shares(session: Session, paper: Compensation) -> list[tuple[Portion, Amounts]]:
    """Each party but the bank with what it bears of what a paper pays."""
    shared = others(session, paper.project)
    return list(zip(shared, borne(shared, amounts_of(paper, "pay_")), strict=True))
