"""The customers up to two steps around one: what ties them together, and what the company answers for (3.3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.base.actor import Actor
from models.customer.customer import Customer
from models.customer.relation import GUARANTEE, CustomerRelation, RelationState
from models.guarantee.project import Project
from models.guarantee.signing import CounterGuarantee
from reports.base.scope import scoped
from reports.figures.relations import amounts_of, group_of, holds, rings_of, stands_behind

STEPS_OUT = 2
NODES_MAX = 60  # more than a page can show
HIDDEN = "其他部门客户"


class Tie(NamedTuple):
    """A relation as it is drawn: from whom to whom, its kind, and whether it waits for somebody to confirm it."""

    a: int
    b: int
    kind: str
    share_pct: Decimal | None = None
    is_proposed: bool = False


@dataclass(frozen=True)
class Node:
    """A customer of the picture: how many steps away, and what the company answers for (元)."""

    id: int
    name: str
    table: str  # '' where the reader may not open it
    steps: int
    in_force: Decimal
    reserved: Decimal
    is_in_group: bool
    is_in_ring: bool


@dataclass(frozen=True)
class Around:
    """The customers around one with what ties them together, its group and its rings; `left_out` were too many."""

    nodes: tuple[Node, ...]
    ties: tuple[Tie, ...]
    group: frozenset[int]
    group_in_force: Decimal
    rings: tuple[tuple[int, ...], ...]
    names: dict[int, str]
    left_out: int


def around(session: Session, actor: Actor, customer_id: int, on: date) -> Around:
    """The customers up to two steps from one; names beyond the reader's scope are left out."""
    group = group_of(session, customer_id, on)
    rings = rings_of(session, customer_id, on)
    steps, ties, left_out = _reached(session, actor, customer_id, on)
    ringed = {key for ring in rings for key in ring}
    amounts = amounts_of(session, {*steps, *group, *ringed})
    known = _known(session, actor, {*steps, *ringed})
    nodes = tuple(
        Node(
            key,
            known[key][0] if key in known else HIDDEN,
            known[key][1] if key in known else "",
            away,
            *amounts.get(key, (Decimal(0), Decimal(0))),
            is_in_group=key in group and len(group) > 1,
            is_in_ring=key in ringed,
        )
        for key, away in sorted(steps.items(), key=lambda item: (item[1], item[0]))
    )
    total = sum((amounts[key][0] for key in group if key in amounts), Decimal(0))
    names = {key: known[key][0] if key in known else HIDDEN for key in (*steps, *ringed)}
    return Around(nodes, tuple(ties), frozenset(group), total, tuple(rings), names, left_out)


def _reached(
    session: Session, actor: Actor, customer_id: int, on: date
) -> tuple[dict[int, int], list[Tie], int]:
    """Steps by customer, the ties among them, and how many customers more there were."""
    steps, edge, left_out = {customer_id: 0}, {customer_id}, 0
    ties: dict[tuple[int, int, str], Tie] = {}
    for away in range(1, STEPS_OUT + 1):
        found = _ties(session, actor, edge, on)
        ties |= {(tie.a, tie.b, tie.kind): tie for tie in found}
        new = sorted({key for tie in found for key in (tie.a, tie.b)} - steps.keys())
        room = max(NODES_MAX - len(steps), 0)
        left_out += len(new[room:])
        edge = set(new[:room])
        steps |= dict.fromkeys(edge, away)
        if not edge:
            break
    else:  # what ties those of the last step to each other
        ties |= {(tie.a, tie.b, tie.kind): tie for tie in _ties(session, actor, edge, on)}
    return steps, [tie for tie in ties.values() if {tie.a, tie.b} <= steps.keys()], left_out


def _ties(session: Session, actor: Actor, keys: set[int], on: date) -> list[Tie]:
    one = CustomerRelation
    mine = or_(one.customer_id.in_(keys), one.to_customer_id.in_(keys))
    columns = (one.customer_id, one.to_customer_id, one.kind, one.share_pct)
    found = [Tie(*row) for row in session.execute(select(*columns).where(mine, *holds(on)))]
    # what is only proposed is read by who may read both sides
    proposed = select(*columns).where(mine, one.state == RelationState.PROPOSED)
    found += [
        Tie(*row, is_proposed=True)
        for row in session.execute(scoped(proposed, CustomerRelation, actor))
    ]
    behind = (
        select(CounterGuarantee.guarantor_id, Project.customer_id)
        .join(Project, Project.id == CounterGuarantee.project_id)
        .where(
            or_(CounterGuarantee.guarantor_id.in_(keys), Project.customer_id.in_(keys)),
            CounterGuarantee.guarantor_id.is_not(None),
            *stands_behind(),
        )
        .distinct()
    )
    told = {(tie.a, tie.b) for tie in found if tie.kind == GUARANTEE}
    found += [
        Tie(a, b, GUARANTEE)
        for a, b in session.execute(behind)
        if a is not None and (a, b) not in told
    ]
    return found


def _known(session: Session, actor: Actor, keys: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Name and table of those that the reader may read."""
    query = select(Customer.id, Customer.name, Customer.kind).where(Customer.id.in_(keys))
    rows = session.execute(scoped(query, Customer, actor))
    return {key: (name, f"{kind.name.lower()}_customer") for key, name, kind in rows}


def ring_words(session: Session, actor: Actor, rings: Sequence[tuple[int, ...]]) -> str:
    """The rings in words with what the company answers for in each; '' without any."""
    if not rings:
        return ""
    keys = {key for ring in rings for key in ring}
    known, amounts = _known(session, actor, keys), amounts_of(session, keys)
    found = []
    for ring in rings[:3]:
        names = [known[key][0] if key in known else HIDDEN for key in (*ring, ring[0])]
        total = sum((amounts[key][0] for key in ring if key in amounts), Decimal(0))
        found.append(f"{' → '.join(names)}（圈内在保合计 {total:,.2f} 元）")
    more = f"；另有 {len(rings) - 3} 个" if len(rings) > 3 else ""
    return f"互保圈：{'；'.join(found)}{more}"
