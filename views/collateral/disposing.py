"""Screens of 押品处置: what the sale does to each project, and the buttons of its rounds."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from models.base import columns as c
from models.base.entity import Entity
from models.base.money import format_money
from models.base.paper import PaperState
from models.collateral.disposal import CollateralDisposal
from models.guarantee.project import Project
from views.kit.buttons import Button, Questions, Values, on_tab, register
from views.kit.cells import record_url
from views.kit.entity_view import EntityView
from views.kit.pages import Cell, Column, Row, Section
from workflows.base.context import Ctx
from workflows.collateral import disposal

_OPEN = (PaperState.DRAFT, PaperState.IN_APPROVAL, PaperState.APPROVED)
_PARTS = (
    Column("payee", "收款方"),
    Column("claim", "应受偿", "money", "元"),
    Column("amount", "分得", "money", "元"),
)
_EFFECTS = (
    Column("project", "项目"),
    Column("amount", "分得", "money", "元"),
    Column("owed", "还款后在保", "money", "元"),
    Column("pct", "覆盖率"),
    Column("state", "结果", "enum"),
)


class CollateralDisposalView(EntityView):
    """Screens of 押品处置."""

    model: ClassVar[Any] = CollateralDisposal

    def proposed(self, ctx: Ctx, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The asset that stands behind the project, where there is one alone."""
        project = ctx.session.get(Project, chosen.get("project_id", 0))
        assets = set() if project is None else disposal.assets_of(ctx, project)
        return {"collateral_id": assets.pop()} if len(assets) == 1 else {}

    def extra_sections(self, record: Entity, ctx: Ctx) -> list[Section]:
        """Until it is sold: who would get what of the least price, and what becomes of each project in force."""
        assert isinstance(record, CollateralDisposal)
        found = super().extra_sections(record, ctx)
        if record.sold_on is None and record.state in _OPEN:
            found = [*_trial(ctx, record), *found]
        return found

    def default_tab(self, record: Entity) -> str:
        """The effect while it is decided, the division of the price afterwards."""
        assert isinstance(record, CollateralDisposal)
        return "effects" if record.sold_on is None else "disposal_share"


def _trial(ctx: Ctx, paper: CollateralDisposal) -> list[Section]:
    effects = [_effect(one) for one in disposal.effects(ctx, paper)]
    parts = disposal.distribution(ctx, paper, paper.reserve_price, Decimal(0))
    shares = [_share(at, one) for at, one in enumerate(parts) if one.amount or one.claim]
    return [
        Section(
            "effects",
            "对各项目的影响",
            columns=list(_EFFECTS),
            rows=effects,
            count=len(effects),
            note="按底价，不计处置费用",
            empty="没有在保项目",
        ),
        Section(
            "parts",
            "按底价分配",
            columns=list(_PARTS),
            rows=shares,
            count=len(shares),
            note="按顺位",
        ),
    ]


def _effect(one: disposal.Effect) -> Row:
    cover = one.cover
    state = ("不足", "bad") if one.is_short else ("足够", "ok")
    cells = (
        Cell(one.project.number),
        Cell(format_money(one.amount), "money"),
        Cell(format_money(cover.owed), "money"),
        Cell(f"{cover.pct.normalize():f}%（要求 {cover.least_pct.normalize():f}%）"),
        Cell(state[0], "enum", tone=state[1]),
    )
    return Row(str(one.project.id), record_url("project", one.project.id), cells)


def _share(at: int, one: disposal.Part) -> Row:
    url = "" if one.project is None else record_url("project", one.project.id)
    cells = (
        Cell(one.payee),
        Cell(format_money(one.claim), "money"),
        Cell(format_money(one.amount), "money"),
    )
    return Row(str(at), url, cells)


def _passed(_: Ctx, __: CollateralDisposal) -> Questions:
    return {
        "asked_price": c.money("起拍价", required=True, positive=True),
        "on": c.day("日期", required=True),
        "note": c.text("情况", 200, required=True, help="如：无人报名"),
    }


def _passing(ctx: Ctx, paper: CollateralDisposal) -> Values:
    return {"asked_price": paper.reserve_price, "on": ctx.today}


def _sold(_: Ctx, __: CollateralDisposal) -> Questions:
    return {
        "buyer": c.text("买受人", 100, required=True),
        "price": c.money("成交价", required=True, positive=True),
        "costs": c.money("处置费用", required=True, help="评估、拍卖、过户等，先从价款中扣除"),
        "on": c.day("成交日期", required=True),
        "evidence": c.text("成交凭据", 120, required=True, help="成交确认书、转让协议的编号"),
    }


def _selling(ctx: Ctx, _: CollateralDisposal) -> Values:
    return {"on": ctx.today, "costs": Decimal(0)}


register(
    Button(
        disposal.ACTS["sell"],
        disposal.sell,
        when=disposal.waits,
        questions=_sold,
        given=_selling,
        style="primary",
        rank=1,
        done="已成交，价款已按顺位分配，设押已解除；分得金额请登记还款或追偿回款",
        after=on_tab("disposal_share"),
    ),
    Button(
        disposal.ACTS["pass_over"],
        disposal.pass_over,
        when=disposal.waits,
        questions=_passed,
        given=_passing,
        rank=2,
        done="已登记流拍",
        after=on_tab("disposal_round"),
    ),
    Button(
        disposal.PAPER.steps["drop"],
        disposal.drop,
        when=disposal.waits,
        ask="终止原因",
        style="danger",
        rank=60,
        done="已终止处置，设押不变",
    ),
)
