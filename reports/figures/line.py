"""Which of a project's papers stand under a resolution, and the stage at which its work goes on (decision 0011)."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.base.moments import add_months
from models.base.money import round_money
from models.base.paper import LIVE_PAPERS, PaperState
from models.guarantee.maximum import MaximumContract, MaximumKind
from models.guarantee.product import FeeKind
from models.guarantee.project import Project, Stage
from models.guarantee.resolution import Resolution
from models.guarantee.signing import (
    Contract,
    ContractKind,
    CounterGuarantee,
    Fee,
    FeeState,
)
from reports.figures import maximums
from reports.figures.collateral import worth
from reports.figures.fees import fee_amount, first_dues

HUNDRED = Decimal(100)
# Without these two contracts approved nothing goes on; there is one of each.
REQUIRED = (ContractKind.ENTRUSTMENT, ContractKind.GUARANTEE)


def stage_due(session: Session, project: Project, after: Stage) -> Stage:
    """The first stage after one whose work is not done under the latest resolution; 放款通知 when all of it is."""
    resolution = latest_resolution(session, project)
    for stage, is_done in _WORK:
        if stage is Stage.COUNTER and not project.has_counter:
            continue
        if stage.rank > after.rank and not is_done(session, project, resolution):
            return stage
    return Stage.NOTICE


def latest_resolution(session: Session, project: Project) -> Resolution:
    """The resolution that the project's papers go by, whether it still holds or has run out meanwhile."""
    query = (
        select(Resolution)
        .where(Resolution.project_id == project.id)
        .order_by(Resolution.id.desc())
        .limit(1)
    )
    return session.scalars(query).one()


class Agreed(NamedTuple):
    """What a fee is computed by where nobody has resolved on the project by itself."""

    amount: Decimal
    term_months: int
    fee_rate_pct: Decimal


def due_amount(fee: Fee, resolution: Resolution | Agreed) -> Decimal:
    """What a fee comes to under a resolution, in 元; a penalty has yet to arise."""
    if fee.kind is FeeKind.PENALTY:
        return Decimal(0)
    if fee.fixed_amount is not None:
        return fee.fixed_amount
    rate = resolution.fee_rate_pct if fee.kind is FeeKind.GUARANTEE else fee.rate_pct
    return fee_amount(resolution.amount, rate, resolution.term_months, is_annual=fee.is_rate_annual)


def contract_stands(contract: Contract, resolution: Resolution) -> bool:
    """Whether a contract with customer or bank stays within a resolution's amount and term."""
    if contract.kind not in REQUIRED:
        return True
    latest = add_months(contract.starts_on, resolution.term_months)
    return contract.amount <= resolution.amount and contract.ends_on <= latest


def required_kinds(session: Session, project_id: int) -> tuple[ContractKind, ...]:
    """The contracts that the project needs of its own: none in whose place it is under a 最高额合同."""
    replaced = maximums.replaced_kinds(maximums.of_project(session, project_id))
    return tuple(kind for kind in REQUIRED if kind not in replaced)


def lacking_kinds(session: Session, project: Project) -> list[ContractKind]:
    """The required contracts of which the project has no live one."""
    live = select(Contract.kind).where(
        Contract.project_id == project.id, Contract.state.in_(LIVE_PAPERS)
    )
    present = set(session.scalars(live))
    return [kind for kind in required_kinds(session, project.id) if kind not in present]


def live_counters(session: Session, project_id: int) -> list[tuple[CounterGuarantee, bool]]:
    """Registered guarantors and assets, each with whether it still lacks the live contract that its kind needs."""
    held = exists().where(
        Contract.counter_guarantee_id == CounterGuarantee.id, Contract.state.in_(LIVE_PAPERS)
    )
    query = select(CounterGuarantee, held).where(
        CounterGuarantee.project_id == project_id, CounterGuarantee.state.in_(LIVE_PAPERS)
    )
    found = session.execute(query.order_by(CounterGuarantee.id))
    return [(item, item.kind.needs_contract and not is_held) for item, is_held in found]


def uncontracted(session: Session, project_id: int) -> list[CounterGuarantee]:
    """Those of them that lack it."""
    return [item for item, is_bare in live_counters(session, project_id) if is_bare]


def coverage_pct(
    session: Session, project: Project, items: list[CounterGuarantee], amount: Decimal
) -> Decimal:
    """What its own count for today and its part of what is shared (最高额反担保) over the guaranteed amount, in %."""
    total = sum(worth(session, items).values(), Decimal(0))
    under = maximums.of_project(session, project.id)
    total += maximums.shared_value(session, under, project, amount)
    return round_money(total * HUNDRED / amount)


def shared_of(under: Iterable[MaximumContract]) -> list[MaximumContract]:
    """Of the contracts that a project is under, the 最高额反担保合同 in force."""
    return [
        one for one in under if one.kind is MaximumKind.COUNTER and one.state is PaperState.APPROVED
    ]


def counters_stand(session: Session, project: Project, amount: Decimal) -> bool:
    """Whether approved counter-guarantees, its own or shared, cover the amount and none is still open."""
    query = select(CounterGuarantee).where(CounterGuarantee.project_id == project.id)
    items = list(session.scalars(query))
    if any(item.state in (PaperState.DRAFT, PaperState.IN_APPROVAL) for item in items):
        return False
    approved = [item for item in items if item.state is PaperState.APPROVED]
    if not approved and not shared_of(maximums.of_project(session, project.id)):
        return False
    covered = coverage_pct(session, project, approved, amount)
    return covered >= project.product.coverage_min_pct


def _fees_registered(session: Session, project: Project, resolution: Resolution) -> bool:
    fees = list(session.scalars(select(Fee).where(Fee.project_id == project.id)))
    is_short = any(
        fee.state is FeeState.DRAFT or fee.amount < due_amount(fee, resolution) for fee in fees
    )
    return bool(fees) and not is_short


def _fees_booked(session: Session, project: Project, _: Resolution) -> bool:
    waiting = select(Fee.id).where(Fee.project_id == project.id, Fee.state == FeeState.SUBMITTED)
    return session.scalar(waiting.limit(1)) is None


def _contracts_approved(session: Session, project: Project, resolution: Resolution) -> bool:
    contracts = list(session.scalars(select(Contract).where(Contract.project_id == project.id)))
    if any(contract.state in (PaperState.DRAFT, PaperState.IN_APPROVAL) for contract in contracts):
        return False
    standing = [
        c for c in contracts if c.state is PaperState.APPROVED and contract_stands(c, resolution)
    ]
    return {one.kind for one in standing}.issuperset(required_kinds(session, project.id))


def _counters_approved(session: Session, project: Project, resolution: Resolution) -> bool:
    return counters_stand(session, project, resolution.amount)


def _fees_collected(session: Session, project: Project, _: Resolution) -> bool:
    return all(due.settled_amount == due.amount for due in first_dues(session, project.id))


_WORK: tuple[tuple[Stage, Callable[[Session, Project, Resolution], bool]], ...] = (
    (Stage.FEE_PLAN, _fees_registered),
    (Stage.FEE_BOOK, _fees_booked),
    (Stage.CONTRACT, _contracts_approved),
    (Stage.COUNTER, _counters_approved),
    (Stage.FEE_COLLECT, _fees_collected),
)
