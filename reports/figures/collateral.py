"""What an asset carries and what is left of it (7.1, 7.4): value x rate, claims by rank, and a project's cover today.

Amounts are 元. A pledge lives as long as the counter-guarantee that it stands behind: drafts hold their part as well.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session, selectinload

from models.base.money import round_money
from models.base.paper import LIVE_PAPERS, PaperState
from models.collateral.asset import Collateral, PriorClaim
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import REPLACING, Project
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
    """What takes a part of an asset: one of our pledges, or what others have registered.

    `shared` is the part that the project whose place a renewal takes still holds: until its release it counts there.
    """

    rank: int
    amount: Decimal
    pledge: CollateralPledge | None = None
    shared: Decimal = ZERO
    payee: str = ""  # of others

    @property
    def own(self) -> Decimal:
        """What it takes beyond what the former project holds."""
        return self.amount - self.shared


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
        query = query.options(selectinload(CollateralPledge.project))
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
            found[other.collateral_id].append(Claim(other.rank, other.amount, payee=other.creditor))
    ours: dict[int, list[CollateralPledge]] = {}
    for pledge in pledges(session, ids):
        ours.setdefault(pledge.collateral_id, []).append(pledge)
    for key, mine in ours.items():
        found[key] += _counted_once(mine)
    for rows in found.values():
        rows.sort(key=lambda one: (one.rank, one.pledge is not None, one.amount))
    return found


def _former(pledge: CollateralPledge) -> int | None:
    """The project whose place the project of a pledge takes."""
    project = pledge.project
    return project.renewed_from_id if project.renewal_kind in REPLACING else None


def _counted_once(mine: list[CollateralPledge]) -> list[Claim]:
    """Our pledges of one asset: what a renewal takes over of its former project is counted there while that stands."""
    held: dict[int | None, Decimal] = {}
    for pledge in mine:
        held[pledge.project_id] = held.get(pledge.project_id, ZERO) + pledge.amount
    made = []
    for pledge in mine:
        former = _former(pledge)
        shared = min(pledge.amount, held.get(former, ZERO))
        if shared:
            held[former] -= shared
        made.append(Claim(pledge.rank, pledge.amount, pledge, shared))
    return made


def to_take_over(found: Iterable[Claim], project: Project) -> Decimal:
    """What a renewal may take of an asset because the project whose place it takes holds it, in 元."""
    if project.renewal_kind not in REPLACING or project.renewed_from_id is None:
        return ZERO
    former, left = project.renewed_from_id, ZERO
    for one in found:
        if one.pledge is not None and one.pledge.project_id == former:
            left += one.amount
        elif one.pledge is not None and _former(one.pledge) == former:
            left -= one.shared
    return left


def room(asset: Collateral, found: Iterable[Claim], rank: int | None = None) -> Room:
    """What is left of an asset: of others' claims those count that stand before our last rank, or before `rank`."""
    rows = list(found)
    ours = [one for one in rows if one.pledge is not None]
    last = max([*(one.rank for one in ours), rank or 0], default=0)
    is_all = not ours and rank is None  # nothing of ours yet: all that others have is before us
    prior = [one.amount for one in rows if one.pledge is None and (is_all or one.rank <= last)]
    return Room(lendable(asset), sum(prior, ZERO), sum((one.own for one in ours), ZERO))


def covered(asset: Collateral, found: Iterable[Claim]) -> dict[int, Decimal]:
    """What each of our pledges, by its id, gets of today's value x rate, served by rank.

    What a renewal shares with its former project it gets as that does.
    """
    left, parts = lendable(asset), {}
    served: dict[int | None, Decimal] = {}
    sharing = []
    for one in found:
        part = min(one.own, left)
        left -= part
        if one.pledge is not None:
            parts[one.pledge.id] = part
            served[one.pledge.project_id] = served.get(one.pledge.project_id, ZERO) + part
            sharing += [one] if one.shared else []
    for one in sorted(sharing, key=lambda one: one.pledge.project_id if one.pledge else 0):
        assert one.pledge is not None, "others share nothing"
        former = _former(one.pledge)
        part = min(one.shared, served.get(former, ZERO))
        served[former] = served.get(former, ZERO) - part
        parts[one.pledge.id] += part
        mine = one.pledge.project_id
        served[mine] = served.get(mine, ZERO) + part  # for who renews it in turn
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
