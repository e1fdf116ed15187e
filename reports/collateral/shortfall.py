"""价值缺口 (7.4): projects whose assets no longer hold what was taken of them, or whose cover has fallen too low."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from models.base.kinds import MenuGroup, Module
from models.base.money import format_money
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import Project, ProjectState
from models.guarantee.signing import CounterGuarantee
from reports.base.asked import Asked
from reports.base.params import pick
from reports.base.report import Found, Line, Report, balance, register, stated, words
from reports.base.scope import scoped
from reports.figures import collateral


@dataclass(frozen=True)
class Short:
    """A project in force that is short: what its assets have lost, and its cover against the least of its product."""

    project: Project
    lost: Decimal
    cover: collateral.Cover
    assets: list[str]


def shortages(asked: Asked) -> Iterator[Short]:
    """Projects in force with linked assets that are short, as the assets are valued now."""
    query = (
        select(CollateralPledge)
        .join(CounterGuarantee)
        .join(Project, Project.id == CollateralPledge.project_id)
        .where(collateral.live(), Project.state == ProjectState.IN_FORCE)
        .order_by(CollateralPledge.id)
    )
    if asked["customer"] is not None:
        query = query.where(Project.customer_id == asked["customer"].id)
    pledges = asked.session.scalars(scoped(query, CollateralPledge, asked.actor, as_set=True)).all()
    assets = {pledge.collateral_id: pledge.collateral for pledge in pledges}
    every = collateral.claims(asked.session, assets)
    parts = {key: collateral.covered(asset, every[key]) for key, asset in assets.items()}
    by_project: dict[int, list[CollateralPledge]] = {}
    for pledge in pledges:
        by_project.setdefault(pledge.project_id, []).append(pledge)
    for mine in by_project.values():
        lacks = [
            (one, one.amount - parts[one.collateral_id].get(one.id, Decimal(0))) for one in mine
        ]
        cover = collateral.cover(asked.session, mine[0].project)
        lost = sum((amount for _, amount in lacks), Decimal(0))
        if lost or cover.short:
            named = [
                f"{one.collateral.name} −{format_money(amount)}" for one, amount in lacks if amount
            ]
            yield Short(mine[0].project, lost, cover, named)


def lines(asked: Asked) -> Found:
    """The largest first."""
    found = sorted(shortages(asked), key=lambda one: (-one.cover.short, -one.lost, one.project.id))
    return Found(
        [_line(asked, one) for one in found],
        heading=f"{len(found):,} 个项目",
        note=asked.as_of,
    )


def _line(asked: Asked, one: Short) -> Line:
    project, cover = one.project, one.cover
    values = {
        "project": project.number,
        "customer": project.customer.name,
        "manager": "" if project.manager is None else project.manager.name,
        "owed": cover.owed,
        "worth": cover.worth,
        "pct": f"{cover.pct.normalize():f}%",
        "least": f"{cover.least_pct.normalize():f}%",
        "lost": one.lost,
        "short": cover.short,
        "assets": "；".join(one.assets),
    }
    url = asked.record("project", project.id)
    return Line(values, url=url, tones={"pct": "bad" if cover.short else "warn"})


register(
    Report(
        "collateral-shortfall",
        "押品价值缺口",
        Module.COLLATERAL,
        permission=("list", "collateral_pledge"),
        columns=(
            words("project", "担保项目"),
            words("customer", "客户"),
            words("manager", "A角"),
            balance("owed", "在保余额"),
            balance("worth", "反担保现值"),
            words("pct", "覆盖率"),
            words("least", "产品要求"),
            balance("lost", "押品减值"),
            stated("short", "应补足"),
            words("assets", "减值押品", is_long=True),
        ),
        lines=lines,
        params={"customer": pick("客户", "customer")},
        menu=MenuGroup.COLLATERAL_QUERY,
        rank=185,
        help="押品减值是占用价值中没有着落的部分；应补足是达到产品要求的覆盖率还差的金额：追加押品、提前还款或置换",
        empty="没有价值缺口",
    )
)
