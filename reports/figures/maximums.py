"""最高额合同 (4.4c): what of a limit is used, by which projects, and what a shared security covers of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.base.money import round_money
from models.base.paper import PaperState
from models.guarantee.drawdown import Drawdown
from models.guarantee.maximum import MaximumContract, MaximumKind, MaximumUse
from models.guarantee.project import REPLACING, UNDER_WAY, Project
from models.guarantee.signing import ContractKind

ZERO = Decimal(0)


@dataclass(frozen=True)
class Use:
    """What one project takes of a limit, in 元: in force, reserved by its resolution, and drawn in all."""

    project_id: int
    amount: Decimal
    balance: Decimal
    reserved: Decimal
    drawn: Decimal
    is_under_way: bool
    is_revolving: bool
    former_id: int | None  # the project whose loan this one's replaces (无还本续贷)

    @property
    def taken(self) -> Decimal:
        """What counts against the limit: a limit that does not revolve remembers what was repaid."""
        return (self.balance if self.is_revolving else self.drawn) + self.reserved

    @property
    def claim(self) -> Decimal:
        """What is to be secured: what is in force and reserved, before that what was applied for."""
        return self.balance + self.reserved or (self.amount if self.is_under_way else ZERO)


def uses_of(session: Session, maximum: MaximumContract) -> list[Use]:
    """The projects under a contract with what each takes, as the database has it now."""
    drawn = (
        select(func.sum(Drawdown.amount))
        .where(Drawdown.project_id == Project.id)
        .correlate(Project)
        .scalar_subquery()
    )
    figures = (Project.amount, Project.balance, Project.reserved_amount, drawn)
    former = case((Project.renewal_kind.in_(REPLACING), Project.renewed_from_id))
    query = (
        select(Project.id, *figures, Project.state, former)
        .join(MaximumUse, MaximumUse.project_id == Project.id)
        .where(MaximumUse.maximum_id == maximum.id, MaximumUse.until_on.is_(None))
        .order_by(MaximumUse.id)
    )
    return [
        Use(
            key,
            amount,
            balance,
            reserved=reserved,
            drawn=total or ZERO,
            is_under_way=state in UNDER_WAY,
            is_revolving=maximum.is_revolving,
            former_id=former_id,
        )
        for key, amount, balance, reserved, total, state, former_id in session.execute(query)
    ]


def taken(uses: Sequence[Use], *, without: int | None = None) -> tuple[Decimal, Decimal]:
    """(in force, what counts against the limit) of these uses, one project left out, in 元."""
    others = [use for use in uses if use.project_id != without]
    in_force = sum((use.balance for use in others), ZERO)
    twice = sum((_overlap(others, use.former_id, use.reserved) for use in others), ZERO)
    return in_force, sum((use.taken for use in others), ZERO) - twice


def replaced(uses: Sequence[Use], project: Project, amount: Decimal) -> Decimal:
    """What of the amount takes the place of a former loan under the same limit, and is not counted twice."""
    is_replacing = project.renewal_kind in REPLACING
    return _overlap(uses, project.renewed_from_id if is_replacing else None, amount)


def _overlap(uses: Sequence[Use], former_id: int | None, amount: Decimal) -> Decimal:
    former = (use for use in uses if use.project_id == former_id and use.is_revolving)
    return min(sum((use.balance for use in former), ZERO), amount)


def of_project(session: Session, project_id: int) -> list[MaximumContract]:
    """The contracts up to a limit that a project is under."""
    query = (
        select(MaximumContract)
        .join(MaximumUse, MaximumUse.maximum_id == MaximumContract.id)
        .where(MaximumUse.project_id == project_id, MaximumUse.until_on.is_(None))
        .order_by(MaximumContract.id)
    )
    return list(session.scalars(query))


def replaced_kinds(found: Iterable[MaximumContract]) -> set[ContractKind]:
    """The contracts that a project under these does not need itself."""
    return {one.kind.replaces for one in found if one.state is PaperState.APPROVED}


def why_barred(maximum: MaximumContract, on: date) -> str:
    """Why nothing may be drawn under a contract on a day, '' where it may."""
    if maximum.state is not PaperState.APPROVED:
        return f"{maximum.number} {maximum.state.label}"
    if not maximum.starts_on <= on <= maximum.ends_on:
        return f"{maximum.number} 的债权确定期间为 {maximum.starts_on} 至 {maximum.ends_on}"
    return ""


def misfits(maximum: MaximumContract, project: Project) -> dict[str, str]:
    """Why a contract is none of a project's, by the project's field; empty where customer and bank are its own."""
    found = {}
    if maximum.customer_id != project.customer_id:
        found["customer_id"] = f"{maximum.number} 是“{maximum.customer.name}”的合同"
    if maximum.bank is not None and maximum.bank_id != project.bank_id:
        found["bank_id"] = f"{maximum.number} 只用于{maximum.bank.name}的贷款"
    return found


def shared_value(
    session: Session, found: Iterable[MaximumContract], project: Project, amount: Decimal
) -> Decimal:
    """What the shared counter-guarantees cover of a project with this amount: each by its part of all the claims."""
    total = ZERO
    for maximum in found:
        if maximum.kind is MaximumKind.COUNTER and maximum.state is PaperState.APPROVED:
            value = min(maximum.recognised_value or ZERO, maximum.limit_amount)
            others = (use for use in uses_of(session, maximum) if use.project_id != project.id)
            claims = sum((use.claim for use in others), amount)
            total += value * amount / claims if claims else ZERO
    return round_money(total)
