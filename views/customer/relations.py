"""关联关系 on the screen: buttons of what the system has found, and the picture of the customers around one (3.3)."""

import math
from dataclasses import dataclass
from typing import Any

from models.base import columns as c
from models.base.money import format_money
from models.customer.relation import SUSPECTED, CustomerRelation
from reports.base.report import Found
from reports.customer.around import Around, Node, Tie
from reports.customer.relations import CODE
from reports.figures import dictionaries
from views.kit.buttons import Button, Questions, Values, on_tab, register
from views.kit.pages import ReportPage, Section
from views.kit.report import decorate
from workflows.base.context import Ctx
from workflows.customer import relations


# ======================================================================================================== the buttons
def _settled(_: Ctx, __: Any) -> Questions:
    return {
        "kind": c.dictionary("关系", "relation_kind", required=True, help="查明的关系"),
        "share_pct": c.rate("持股比例", scale=4),
        "valid_from": c.day("起始日期"),
        "note": c.text("说明", 200, help="怎样查明的，如：工商登记、客户说明"),
    }


def _as_found(_: Ctx, relation: CustomerRelation) -> Values:
    kind = None if relation.kind == SUSPECTED else relation.kind
    return {"kind": kind, "share_pct": relation.share_pct, "valid_from": relation.valid_from}


register(
    Button(
        relations.STEPS["confirm"],
        relations.confirm,
        questions=_settled,
        given=_as_found,
        style="primary",
        rank=1,
    ),
    Button(
        relations.STEPS["refuse"],
        relations.refuse,
        ask="不成立的原因",
        rank=2,
        done="已记为不成立，不再提示",
    ),
)
for table in ("personal_customer", "corporate_customer"):
    register(
        Button(
            relations.ACTS["find_relations"],
            relations.find,
            on=table,
            why_not=relations.why_not_find,
            rank=60,
            done="排查完毕，新发现的在“关联关系”中待确认",
            after=on_tab("customer_relation"),
        )
    )


# ======================================================================================================== the picture
_WIDTH, _HEIGHT = 1120, 580
_BOX, _TALL = 132, 44
_NAME = 10  # characters in a box
_RINGS = ((0, 0), (275, 150), (485, 250))  # half axes by steps out
_NEARER = 0.58


@dataclass(frozen=True)
class Box:
    """A customer where it is drawn."""

    node: Node
    x: float
    y: float
    name: str
    amount: str
    url: str


@dataclass(frozen=True)
class Line:
    """What ties one customer to another, where it is drawn."""

    x1: float
    y1: float
    x2: float
    y2: float
    words: str
    is_ring: bool
    is_proposed: bool

    @property
    def middle(self) -> tuple[float, float]:
        """Where the words stand: nearer to the first, so that a line back has room for its own."""
        return (
            round(self.x1 * _NEARER + self.x2 * (1 - _NEARER), 1),
            round(self.y1 * _NEARER + self.y2 * (1 - _NEARER), 1),
        )


@dataclass(frozen=True)
class Picture:
    """What the template draws."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@decorate(CODE)
def _draw(ctx: Ctx, page: ReportPage, found: Found) -> None:
    around: Around = found.source
    if len(around.nodes) > 1:
        note = "点一位客户，以它为中心再看两层；箭头由担保人、股东、控制人指向对方；虚线待确认，红色为互保圈"
        picture = picture_of(ctx, around)
        page.above = [
            Section("graph", "关系图", template="parts/relations.html", data=picture, note=note)
        ]


def picture_of(ctx: Ctx, around: Around) -> Picture:
    """The customer in the middle, the others on two rings around it in the order of what ties them to it."""
    places = _places(around)
    boxes = tuple(_box(node, *places[node.id]) for node in around.nodes)
    ringed = {
        (ring[at], ring[(at + 1) % len(ring)]) for ring in around.rings for at in range(len(ring))
    }
    told = dictionaries.labels(ctx.session, "relation_kind")
    between: dict[tuple[int, int], list[Tie]] = {}
    for tie in around.ties:
        between.setdefault((tie.a, tie.b), []).append(tie)
    lines = tuple(
        Line(
            *_between(places[pair[0]], places[pair[1]]),
            words="、".join(_words(tie, told) for tie in ties),
            is_ring=pair in ringed,
            is_proposed=all(tie.is_proposed for tie in ties),
        )
        for pair, ties in between.items()
    )
    return Picture(_WIDTH, _HEIGHT, boxes, lines)


def _places(around: Around) -> dict[int, tuple[float, float]]:
    """Where each customer stands: those of the outer ring behind the one through which they are reached."""
    angles: dict[int, float] = {}
    for steps in range(len(_RINGS)):
        ring = [node.id for node in around.nodes if node.steps == steps]
        ring.sort(key=lambda key: (_angle_before(around, angles, key), key))
        for at, key in enumerate(ring):
            angles[key] = 2 * math.pi * at / max(len(ring), 1)
    found = {}
    for node in around.nodes:
        across, along = _RINGS[node.steps]
        angle = angles[node.id]
        found[node.id] = (
            round(_WIDTH / 2 + across * math.cos(angle), 1),
            round(_HEIGHT / 2 + along * math.sin(angle), 1),
        )
    return found


def _angle_before(around: Around, angles: dict[int, float], key: int) -> float:
    """The angle of the customer nearer to the middle that it hangs on."""
    nearer = [
        angles[other]
        for tie in around.ties
        if key in (tie.a, tie.b)
        for other in (tie.a, tie.b)
        if other != key and other in angles
    ]
    return min(nearer, default=0.0)


def _box(node: Node, x: float, y: float) -> Box:
    name = node.name if len(node.name) <= _NAME else f"{node.name[: _NAME - 1]}…"
    amount = f"在保 {format_money(node.in_force / 10000)} 万元" if node.in_force else "无在保"
    url = f"/report/{CODE}/{node.id}" if node.table and node.steps else ""
    if not url and node.table:
        url = f"/{node.table}/show/{node.id}"
    return Box(node, x, y, name, amount, url)


def _words(tie: Tie, told: dict[str, str]) -> str:
    share = f" {tie.share_pct.normalize():f}%" if tie.share_pct else ""
    return f"{told.get(tie.kind, tie.kind)}{share}"


def _between(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float, float, float]:
    """The line from the edge of one box to the edge of the other."""
    return (*_edge(a, b), *_edge(b, a))


def _edge(at: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    dx, dy = towards[0] - at[0], towards[1] - at[1]
    if not dx and not dy:
        return at
    scale = min(
        _BOX / 2 / abs(dx) if dx else math.inf,
        _TALL / 2 / abs(dy) if dy else math.inf,
        0.5,
    )
    return round(at[0] + dx * scale, 1), round(at[1] + dy * scale, 1)
