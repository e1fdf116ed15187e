"""押品台账 and 押品集中度 (7.3, 7.4): what stands where, by project, customer, kind, state, and what is left of it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import selectinload

from models.base.kinds import Kind, MenuGroup, Module
from models.collateral.asset import IN_CUSTODY, Collateral, CollateralCertificate, CollateralOwner
from models.collateral.pledge import CollateralPledge
from reports.base.asked import Asked
from reports.base.params import choice, one_of, pick
from reports.base.report import Found, Line, Report, balance, count, ratio, register, words
from reports.base.scope import scoped
from reports.figures import collateral, dictionaries
from reports.figures.collateral import Room

NOBODY: Final = "未登记"


class CollateralStanding(Kind):
    """How an asset stands today."""

    FREE = "未设押"
    PLEDGED = "在押"
    SHORT = "价值不足"
    RELEASED = "已解除设押"
    DISPOSED = "已处置"


_TONES = {"PLEDGED": "ok", "SHORT": "bad"}


@dataclass(frozen=True)
class Standing:
    """An asset with what stands on it and where its originals are."""

    asset: Collateral
    room: Room
    pledges: list[CollateralPledge]
    state: CollateralStanding
    custody: str


def standings(asked: Asked) -> list[Standing]:
    """The assets that the reader may see and the parameters ask for, each with its claims of all ranks."""
    query = select(Collateral).options(selectinload(Collateral.type))
    if asked["customer"] is not None:
        query = query.where(Collateral.customer_id == asked["customer"].id)
    if asked["kind"] is not None:
        query = query.where(Collateral.type_id == asked["kind"].id)
    if asked["project"] is not None:
        mine = CollateralPledge.project_id == asked["project"].id
        query = query.where(exists().where(CollateralPledge.collateral_id == Collateral.id, mine))
    order = query.order_by(Collateral.number.desc())
    assets = asked.session.scalars(scoped(order, Collateral, asked.actor, as_set=True)).all()
    every = collateral.claims(asked.session, [asset.id for asset in assets])
    ever = set(asked.session.scalars(select(CollateralPledge.collateral_id).distinct()))
    kept = _custody(asked, {asset.id for asset in assets})
    found = [
        _standing(asset, every[asset.id], asset.id in ever, kept.get(asset.id, ""))
        for asset in assets
    ]
    state = asked["standing"]
    return [one for one in found if state is None or one.state is state]


def _standing(
    asset: Collateral, rows: list[collateral.Claim], was_pledged: bool, custody: str
) -> Standing:
    room = collateral.room(asset, rows)
    ours = [one.pledge for one in rows if one.pledge is not None]
    state = CollateralStanding.RELEASED if was_pledged else CollateralStanding.FREE
    if ours:
        state = CollateralStanding.SHORT if room.left < 0 else CollateralStanding.PLEDGED
    elif asset.disposed_on is not None:
        state = CollateralStanding.DISPOSED
    return Standing(asset, room, ours, state, custody)


def _custody(asked: Asked, ids: set[int]) -> dict[int, str]:
    """How many originals of an asset are in the vault or lent."""
    query = select(CollateralCertificate.collateral_id, CollateralCertificate.state).where(
        CollateralCertificate.state.in_(IN_CUSTODY)
    )
    found: dict[int, dict[str, int]] = {}
    for key, state in asked.session.execute(query):
        if key in ids:
            mine = found.setdefault(key, {})
            mine[state.label] = mine.get(state.label, 0) + 1
    return {
        key: "，".join(f"{label} {number} 件" for label, number in states.items())
        for key, states in found.items()
    }


def lines(asked: Asked) -> Found:
    """One line for each asset."""
    found = standings(asked)
    projects = {pledge.project_id for one in found for pledge in one.pledges}
    readable = asked.readable("project", projects)
    return Found(
        [_line(asked, one, readable) for one in found],
        heading=f"{len(found):,} 项押品",
        note=asked.as_of,
    )


def _line(asked: Asked, one: Standing, readable: frozenset[int]) -> Line:
    asset, room = one.asset, one.room
    told = [pledge.project.number for pledge in one.pledges if pledge.project_id in readable]
    hidden = len(one.pledges) - len(told)
    values = {
        "number": asset.number,
        "name": asset.name,
        "kind": asset.type.name,
        "customer": asset.customer.name,
        "standing": one.state.label,
        "value": asset.value,
        "rate": f"{asset.rate_pct.normalize():f}%",
        "lendable": room.lendable,
        "prior": room.prior,
        "ours": room.ours,
        "left": room.left,
        "projects": "、".join([*told, *([f"其他部门 {hidden} 个"] if hidden else [])]),
        "custody": one.custody,
    }
    only = one.pledges[0].project_id if len(one.pledges) == 1 else None
    return Line(
        values,
        url=asked.record("collateral", asset.id),
        urls={"projects": asked.record("project", only) if only in readable else ""},
        tones={"standing": _TONES.get(one.state.name, "plain")},
    )


_ASKED = {
    "project": pick("担保项目", "project"),
    "customer": pick("出押客户", "customer"),
    "kind": pick("押品种类", "collateral_type"),
    "standing": one_of("状态", CollateralStanding),
}

register(
    Report(
        "collateral-book",
        "押品台账",
        Module.COLLATERAL,
        permission=("list", "collateral"),
        columns=(
            words("number", "押品编号"),
            words("name", "押品名称"),
            words("kind", "押品种类"),
            words("customer", "出押客户"),
            words("standing", "状态"),
            balance("value", "评估价值"),
            words("rate", "抵押率"),
            balance("lendable", "可担保价值"),
            balance("prior", "在先债权"),
            balance("ours", "本公司占用"),
            balance("left", "剩余可用"),
            words("projects", "担保项目"),
            words("custody", "权证"),
        ),
        lines=lines,
        params=_ASKED,
        menu=MenuGroup.COLLATERAL_QUERY,
        rank=180,
        help="可担保价值 = 评估价值 × 抵押率；剩余可用 = 可担保价值 − 在先债权 − 本公司占用，起草中的反担保也算占用",
        empty="没有符合条件的押品",
    )
)

# Of an asset: who has which part of it, and where its rows are listed.
Key = Callable[[Asked, Standing], list[tuple[str, Decimal, str]]]
_WHOLE = Decimal(1)


def _by_kind(asked: Asked, one: Standing) -> list[tuple[str, Decimal, str]]:
    url = asked.rows("collateral", f"type_id:eq:{one.asset.type_id}")
    return [(one.asset.type.name, _WHOLE, url)]


def _by_region(asked: Asked, one: Standing) -> list[tuple[str, Decimal, str]]:
    code = one.asset.region
    if not code:
        return [(NOBODY, _WHOLE, "")]
    url = asked.rows("collateral", f"region:eq:{code}")
    return [(dictionaries.label(asked.session, "region", code), _WHOLE, url)]


def _by_owner(asked: Asked, one: Standing) -> list[tuple[str, Decimal, str]]:
    query = select(CollateralOwner.name, CollateralOwner.share_pct).where(
        CollateralOwner.collateral_id == one.asset.id
    )
    rows = asked.session.execute(query.order_by(CollateralOwner.id)).all()
    parts = [(name, share / 100, "") for name, share in rows]
    rest = _WHOLE - sum((share for _, share, _ in parts), Decimal(0))
    return [*parts, *([(NOBODY, rest, "")] if rest > 0 else [])]


def _by_asset(asked: Asked, one: Standing) -> list[tuple[str, Decimal, str]]:
    name = f"{one.asset.number} {one.asset.name}"
    return [(name, _WHOLE, asked.record("collateral", one.asset.id))]


_BY: dict[str, tuple[str, Key]] = {
    "kind": ("押品种类", _by_kind),
    "region": ("地区", _by_region),
    "owner": ("所有权人", _by_owner),
    "asset": ("单项押品", _by_asset),
}


@dataclass
class Total:
    """What is counted under one name; amounts are 元."""

    url: str
    number: int = 0
    value: Decimal = Decimal(0)
    ours: Decimal = Decimal(0)


def _cut(whole: Decimal, parts: list[tuple[str, Decimal, str]]) -> list[Decimal]:
    """An amount by shares, to the fen; the last part takes what is left."""
    cut = [(whole * share).quantize(Decimal("0.01")) for _, share, _ in parts[:-1]]
    return [*cut, whole - sum(cut, Decimal(0))]


def shares(asked: Asked) -> Found:
    """What we have taken of assets, the largest first; of what several own by their shares."""
    label, key = _BY[asked["by"] or "kind"]
    totals: dict[str, Total] = {}
    for one in standings(asked):
        if not one.pledges:
            continue
        parts = key(asked, one)
        values, ours = _cut(one.asset.value or Decimal(0), parts), _cut(one.room.ours, parts)
        for (name, _, url), value, mine in zip(parts, values, ours, strict=True):
            total = totals.setdefault(name, Total(url))
            total.number, total.value = total.number + 1, total.value + value
            total.ours += mine
    ordered = sorted(totals.items(), key=lambda row: (-row[1].ours, row[0]))
    return Found(
        [_share(name, total) for name, total in ordered], heading=f"按{label}", note=asked.as_of
    )


def _share(name: str, total: Total) -> Line:
    values = {"name": name, "count": total.number, "value": total.value, "ours": total.ours}
    return Line(values, url=total.url)


register(
    Report(
        "collateral-concentration",
        "押品集中度",
        Module.COLLATERAL,
        permission=("concentrate", "collateral"),
        given_to=("押品专员", "风控专员", "风控总监", "总裁", "分析员"),
        columns=(
            words("name", "名称"),
            count("count", "押品项数"),
            balance("value", "评估价值"),
            balance("ours", "本公司占用"),
            ratio("share", "占比", "ours"),
        ),
        lines=shares,
        params={
            "by": choice("分组", [(key, label) for key, (label, _) in _BY.items()], "kind"),
            **{name: _ASKED[name] for name in ("kind", "standing")},
        },
        menu=MenuGroup.COLLATERAL_QUERY,
        rank=190,
        help="只含在押的押品；共有的按权属份额分摊，占比是占全部占用价值的比例",
        empty="没有在押的押品",
    )
)
