"""What an asset carries and what is left of it (7.1, 7.4): value x rate, claims by rank, and a project's cover today.

Amounts are 元. A pledge lives as long as the counter-guarantee that it stands behind: drafts hold their part as well.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from models.base.money import round_money
from models.base.paper import LIVE_PAPERS, PaperState
from models.collateral.asset import Collateral, PriorClaim
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import Project
from models.guarantee.signing import CounterGuarantee
from reports.figures.parameters import number

ZERO, HUNDRED = Decimal(0), Decimal(100)
_AT_ONCE = 400  # ids in one question


def live() -> ColumnElement[bool]:
    """Pledges that stand, joined with their counter-guarantees."""
    return and_(
        CollateralPledge.released_on.is_(None),
        CounterGuarantee.state.in_(LIVE_PAPERS),
        CounterGuarantee.released_on.is_(None),
    )


def cap(session: Session, code: str, on: date) -> Decimal:
    """The highest rate of a kind of collateral on a day, in %."""
    return number(session, f"collateral.rate.{code}", on)


def lendable(asset: Collateral) -> Decimal:
    """Value x rate: what claims of all ranks together may take."""
    return round_money((asset.value or ZERO) * asset.rate_pct / HUNDRED)


@dataclass(frozen=True)
class Claim:
    """What takes a part of an asset: one of our pledges, or what others have registered."""

    rank: int
    amount: Decimal
    pledge: CollateralPledge | None = None


@dataclass(frozen=True)
class Room:
    """An asset's value x rate, what others have before us, what ours take, and what is left for us."""

    lendable: Decimal
    prior: Decimal
    ours: Decimal

    @property
    def left(self) -> Decimal:
        """What another pledge of ours may still take; negative where it is short."""
        return self.lendable - self.prior - self.ours


def pledges(session: Session, ids: Collection[int]) -> list[CollateralPledge]:
    """The standing pledges on assets, by rank."""
    found: list[CollateralPledge] = []
    every = sorted(ids)
    for first in range(0, len(every), _AT_ONCE):
        query = (
            select(CollateralPledge)
            .join(CounterGuarantee)
            .where(CollateralPledge.collateral_id.in_(every[first : first + _AT_ONCE]), live())
        )
        found += session.scalars(query.order_by(CollateralPledge.rank, CollateralPledge.id))
    return found


def claims(session: Session, ids: Collection[int]) -> dict[int, list[Claim]]:
    """All that stands on assets, in the order in which it is served: of one rank others come first."""
    found: dict[int, list[Claim]] = {key: [] for key in ids}
    every = sorted(ids)
    for first in range(0, len(every), _AT_ONCE):
        query = select(PriorClaim).where(
            PriorClaim.collateral_id.in_(every[first : first + _AT_ONCE]),
            PriorClaim.ended_on.is_(None),
        )
        for other in session.scalars(query):
            found[other.collateral_id].append(Claim(other.rank, other.amount))
    for pledge in pledges(session, ids):
        found[pledge.collateral_id].append(Claim(pledge.rank, pledge.amount, pledge))
    for rows in found.values():
        rows.sort(key=lambda one: (one.rank, one.pledge is not None, one.amount))
    return found


def room(asset: Collateral, found: Iterable[Claim], rank: int | None = None) -> Room:
    """What is left of an asset: of others' claims those count that stand before our last rank, or before `rank`."""
    rows = list(found)
    ours = [one for one in rows if one.pledge is not None]
    last = max([*(one.rank for one in ours), rank or 0], default=0)
    is_all = not ours and rank is None  # nothing of ours yet: all that others have is before us
    prior = [one.amount for one in rows if one.pledge is None and (is_all or one.rank <= last)]
    return Room(lendable(asset), sum(prior, ZERO), sum((one.amount for one in ours), ZERO))


def covered(asset: Collateral, found: Iterable[Claim]) -> dict[int, Decimal]:
    """What each of our pledges, by its id, gets of today's value x rate, served by rank."""
    left, parts = lendable(asset), {}
    for one in found:
        part = min(one.amount, left)
        left -= part
        if one.pledge is not None:
            parts[one.pledge.id] = part
    return parts


def worth(session: Session, items: Collection[CounterGuarantee]) -> dict[int, Decimal]:
    """What counter-guarantees, by id, count for today: what is linked to an asset by the asset as it is valued now."""
    found = {item.id: item.recognised_value or ZERO for item in items}
    query = select(CollateralPledge).where(
        CollateralPledge.counter_guarantee_id.in_(found), CollateralPledge.released_on.is_(None)
    )
    linked = list(session.scalars(query)) if found else []
    assets = {pledge.collateral_id: pledge.collateral for pledge in linked}
    every = claims(session, assets)
    for key, asset in assets.items():
        parts = covered(asset, every[key])
        for pledge in linked:
            if pledge.collateral_id == key:
                found[pledge.counter_guarantee_id] = parts.get(pledge.id, ZERO)
    return found


@dataclass(frozen=True)
class Cover:
    """A project's cover today: what its counter-guarantees count for against what is guaranteed."""

    worth: Decimal
    owed: Decimal
    least_pct: Decimal

    @property
    def pct(self) -> Decimal:
        """Of what is guaranteed, in %; 100 where nothing is."""
        return round_money(self.worth * HUNDRED / self.owed) if self.owed else HUNDRED

    @property
    def short(self) -> Decimal:
        """What is missing to the product's least cover, in 元."""
        return max(round_money(self.owed * self.least_pct / HUNDRED) - self.worth, ZERO)


def cover(session: Session, project: Project, *, without: Collection[int] = ()) -> Cover:
    """The cover of a project in force by its approved counter-guarantees, some of them left out."""
    query = select(CounterGuarantee).where(
        CounterGuarantee.project_id == project.id,
        CounterGuarantee.state == PaperState.APPROVED,
        CounterGuarantee.released_on.is_(None),
    )
    items = [item for item in session.scalars(query) if item.id not in without]
    total = sum(worth(session, items).values(), ZERO)
    return Cover(total, project.balance or project.amount, project.product.coverage_min_pct)
