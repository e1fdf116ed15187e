"""Who belongs together, and who stands in for whom: 关联方 and rings of guarantees (3.3).

A relation counts when it is confirmed and holds on the day. What somebody guarantees is registered as a relation, or
as 保证 behind a project that has not ended.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, union
from sqlalchemy.orm import Session

from models.base.paper import LIVE_PAPERS
from models.customer.relation import GUARANTEE, CustomerRelation, RelationState
from models.guarantee.project import UNDER_WAY, Project, ProjectState
from models.guarantee.signing import CounterGuarantee, CounterKind
from reports.figures.parameters import value

GROUP_KINDS = "relation.group_kinds"
_RING_STEPS, _RING_NODES = 8, 500


def holds(on: date) -> tuple[ColumnElement[bool], ...]:
    """What must be true of a relation that counts on a day."""
    one = CustomerRelation
    return (
        one.state == RelationState.CONFIRMED,
        or_(one.valid_from.is_(None), one.valid_from <= on),
        or_(one.valid_until.is_(None), one.valid_until >= on),
    )


def group_kinds(session: Session, on: date) -> frozenset[str]:
    """The kinds of relations that make two customers 关联方: a parameter with its date."""
    return frozenset(value(session, GROUP_KINDS, on).replace("，", ",").replace(" ", "").split(","))


def binding(session: Session, on: date) -> Select[int, int]:
    """(customer, customer) of every relation that binds a group."""
    one = CustomerRelation
    return select(one.customer_id, one.to_customer_id).where(
        one.kind.in_(group_kinds(session, on)), *holds(on)
    )


def group_of(session: Session, customer_id: int, on: date) -> set[int]:
    """The customer and its 关联方, followed through all relations that bind a group."""
    found, edge = {customer_id}, {customer_id}
    a, b = CustomerRelation.customer_id, CustomerRelation.to_customer_id
    while edge:
        rows = session.execute(binding(session, on).where(or_(a.in_(edge), b.in_(edge))))
        edge = {key for pair in rows for key in pair} - found
        found |= edge
    return found


# ================================================================================================ who guarantees whom
def _guaranteed_by(guarantors: Iterable[int], on: date) -> Any:
    """(guarantor, guaranteed) of each guarantee that these give."""
    told = select(CustomerRelation.customer_id, CustomerRelation.to_customer_id).where(
        CustomerRelation.kind == GUARANTEE,
        CustomerRelation.customer_id.in_(guarantors),
        *holds(on),
    )
    behind = (
        select(CounterGuarantee.guarantor_id, Project.customer_id)
        .join(Project, Project.id == CounterGuarantee.project_id)
        .where(CounterGuarantee.guarantor_id.in_(guarantors), *stands_behind())
    )
    return union(told, behind)


def stands_behind() -> tuple[ColumnElement[bool], ...]:
    """What must be true of a 保证 that counts: behind a project that has not ended, and not released."""
    return (
        CounterGuarantee.kind == CounterKind.SURETY,
        CounterGuarantee.state.in_(LIVE_PAPERS),
        CounterGuarantee.released_on.is_(None),
        CounterGuarantee.guarantor_id != Project.customer_id,
        Project.state.in_((*UNDER_WAY, ProjectState.IN_FORCE)),
    )


def rings_of(session: Session, customer_id: int, on: date) -> list[tuple[int, ...]]:
    """互保圈: through each customer that this one guarantees, and each that guarantees it, the shortest ring.

    A ring begins with the customer itself; shorter ones come first. Guarantees are followed eight steps, so a longer
    chain is no ring here.
    """
    ahead = _followed(session, customer_id, on)
    found: dict[frozenset[int], tuple[int, ...]] = {}
    for first in sorted(ahead.get(customer_id, ())):
        ring = _way_back(ahead, first, customer_id)
        if ring is not None:
            found.setdefault(frozenset(ring), ring)
    for last, way in _ways(ahead, customer_id).items():
        if customer_id in ahead.get(last, ()):
            found.setdefault(frozenset(way), way)
    return sorted(found.values(), key=lambda ring: (len(ring), ring))


def _followed(session: Session, customer_id: int, on: date) -> dict[int, set[int]]:
    """Whom each customer guarantees, as far as one comes from this one, read layer by layer."""
    ahead: dict[int, set[int]] = defaultdict(set)
    seen, edge = {customer_id}, {customer_id}
    for _ in range(_RING_STEPS):
        for guarantor, guaranteed in session.execute(_guaranteed_by(edge, on)):
            ahead[guarantor].add(guaranteed)
        edge = {key for one in edge for key in ahead.get(one, ())} - seen
        seen |= edge
        if not edge or len(seen) > _RING_NODES:
            break
    return ahead


def _ways(ahead: dict[int, set[int]], home: int) -> dict[int, tuple[int, ...]]:
    """The shortest way from a customer to each that it stands in for, over others too."""
    found: dict[int, tuple[int, ...]] = {}
    ways: list[tuple[int, ...]] = [(home,)]
    while ways:
        following = []
        for way in ways:
            for key in sorted(ahead.get(way[-1], ())):
                if key != home and key not in found:
                    found[key] = (*way, key)
                    following.append(found[key])
        ways = following
    return found


def _way_back(ahead: dict[int, set[int]], first: int, home: int) -> tuple[int, ...] | None:
    """The shortest way from a guaranteed customer back to the guarantor, headed by the latter."""
    ways: list[tuple[int, ...]] = [(home, first)]
    seen = {first}
    while ways:
        following: list[tuple[int, ...]] = []
        for way in ways:
            for key in sorted(ahead.get(way[-1], ())):
                if key == home:
                    return way
                if key not in seen:
                    seen.add(key)
                    following.append((*way, key))
        ways = following
    return None


def amounts_of(session: Session, keys: Iterable[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """(in force, reserved) of each of these customers that the company answers for, in 元."""
    counts = or_(Project.balance > 0, Project.reserved_amount > 0)
    query = select(
        Project.customer_id, func.sum(Project.balance), func.sum(Project.reserved_amount)
    ).where(Project.customer_id.in_(keys), counts)
    rows = session.execute(query.group_by(Project.customer_id))
    return {key: (in_force, reserved) for key, in_force, reserved in rows}
