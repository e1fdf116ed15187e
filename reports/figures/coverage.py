"""担保范围与期间 (4.8): what of a claim the guarantee contract covers, what is outside it and by which article.

The share, the parts covered, the cap and the 保证期间 stand on the 保证合同; amounts are 元.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.moments import add_months
from models.base.money import format_money, round_money
from models.base.paper import PaperState
from models.guarantee.maximum import MaximumContract, MaximumKind
from models.guarantee.project import Project
from models.guarantee.signing import Contract, ContractKind, CoveredParts, Liability
from reports.figures import maximums
from reports.figures.overdue import overdue_of
from reports.figures.parameters import number

ZERO = Decimal("0.00")
HUNDRED = Decimal(100)
MONTHS = "contract.guarantee_months"


@dataclass(frozen=True)
class Scope:
    """What a guarantee contract agrees: share in %, parts and cap that it covers, how and for how many months."""

    contract: Contract | MaximumContract
    share_pct: Decimal
    parts: CoveredParts
    cap: Decimal | None
    liability: Liability
    months: int

    def period(self, due_on: date) -> tuple[date, date]:
        """保证期间 of a debt that falls due on a day: its first and its last day."""
        return due_on + timedelta(days=1), add_months(due_on, self.months)


@dataclass(frozen=True)
class Claim:
    """What a bank asks for, in 元."""

    principal: Decimal
    interest: Decimal = ZERO
    costs: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.principal + self.interest + self.costs


@dataclass(frozen=True)
class Covered:
    """The part of a claim that the company answers for, and what is outside with the article."""

    amount: Decimal
    outside: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def scope_of(session: Session, project: Project) -> Scope | None:
    """What the approved 保证合同 of a project agrees; a contract that says nothing goes by project and parameter."""
    query = select(Contract).where(
        Contract.project_id == project.id,
        Contract.kind == ContractKind.GUARANTEE,
        Contract.state == PaperState.APPROVED,
    )
    found = session.scalars(query.order_by(Contract.id.desc()).limit(1)).first()
    if found is None:
        return _of_maximum(session, project)
    share = found.share_pct
    months = found.period_months or int(number(session, MONTHS, found.signed_on))
    return Scope(
        found,
        HUNDRED - project.bank_share_pct if share is None else share,
        found.covered_parts or CoveredParts.ALL,
        found.cap_amount,
        liability=found.liability or Liability.JOINT,
        months=months,
    )


def _of_maximum(session: Session, project: Project) -> Scope | None:
    """A project under a 最高额保证合同 has no contract of its own: joint liability for all but the bank's share."""
    for maximum in maximums.of_project(session, project.id):
        if maximum.kind is MaximumKind.GUARANTEE and maximum.document_id is not None:
            return Scope(
                maximum,
                HUNDRED - project.bank_share_pct,
                CoveredParts.ALL,
                None,
                liability=Liability.JOINT,
                months=int(number(session, MONTHS, maximum.signed_on)),
            )
    return None


def covered(scope: Scope, claim: Claim, due_on: date, on: date) -> Covered:
    """What of a claim made on a day for a debt due on a day is inside the guarantee."""
    _, last = scope.period(due_on)
    if on > last:
        said = f"保证期间已于 {last} 届满，债权人未依法行使权利的，保证责任消灭（民法典第693条）"
        return Covered(ZERO, [said])
    asked = {"本金": claim.principal, "利息": claim.interest, "费用": claim.costs}
    outside, base = [], ZERO
    for label, amount in asked.items():
        if label in scope.parts.words:
            base += amount
        elif amount:
            said = f"{label} {format_money(amount)} 元不在约定的担保范围内（民法典第691条）"
            outside.append(said)
    own = round_money(base * scope.share_pct / HUNDRED)
    if own < base:
        bank = (HUNDRED - scope.share_pct).normalize()
        outside.append(f"银行分担 {bank:f}%，计 {format_money(base - own)} 元（保证合同）")
    if scope.cap is not None and own > scope.cap:
        outside.append(f"超过最高担保额的 {format_money(own - scope.cap)} 元（保证合同）")
        own = scope.cap
    notes = []
    if scope.liability is Liability.GENERAL:
        notes.append("一般保证：债务人财产依法强制执行仍不能履行前可拒绝承担（民法典第687条）")
    return Covered(own, outside, notes)


def shortest_period(session: Session, on: date) -> int:
    """The fewest months of 保证期间 that any contract agrees, so that few projects are looked at one by one."""
    agreed = session.scalar(select(func.min(Contract.period_months)))
    by_rule = int(number(session, MONTHS, on))
    return min(agreed or by_rule, by_rule)


@dataclass(frozen=True)
class Standing:
    """What a guarantee in force covers today: the claim as the loans stand, what of it is inside, and until when."""

    scope: Scope
    claim: Claim
    covered: Covered
    first: date
    last: date


def standing(session: Session, project: Project, on: date) -> Standing | None:
    """Where a project's guarantee stands on a day; None without a contract in force or a loan."""
    scope = scope_of(session, project)
    if scope is None or project.end_on is None:
        return None
    claim = Claim(project.balance, overdue_of(session, project.id, on).interest)
    first, last = scope.period(project.end_on)
    return Standing(scope, claim, covered(scope, claim, project.end_on, on), first, last)
