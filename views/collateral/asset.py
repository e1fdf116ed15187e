"""Screens of 押品: what is left of its value, how its value moved, and the buttons that put it behind a project."""

from collections.abc import Mapping
from typing import Any, ClassVar

from markupsafe import Markup
from sqlalchemy import select

from models.base import columns as c
from models.base.entity import Entity
from models.base.money import format_money
from models.collateral.asset import Collateral, Valuation
from models.collateral.kind import CollateralType
from models.collateral.pledge import CollateralPledge
from models.guarantee.project import Project
from models.guarantee.signing import CounterGuarantee, CounterKind
from models.system.custom_field import CustomKind
from reports.base.charts import Point, trend
from reports.figures import collateral
from views.collateral.stock import label_action
from views.kit.buttons import Button, Questions, on_tab, page_of, register, to_result
from views.kit.cells import rate_text
from views.kit.entity_view import EntityView
from views.kit.pages import Action, Cell, ChartCard, Column, Fact, Row, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.collateral import kind as kinds
from workflows.collateral import pledge as pledging

_WAN = 10_000
_ASIDE = 284  # the chart stands in the narrow column beside the record


class CollateralView(EntityView):
    """Screens of 押品."""

    model: ClassVar[Any] = Collateral

    def proposed(self, ctx: Ctx, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The usual rate of the kind, and the customer's region."""
        found: dict[str, Any] = {}
        kind = ctx.session.get(CollateralType, chosen.get("type_id", 0))
        if kind is not None:
            found["rate_pct"] = kind.rate_pct
        return found

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """Its labels: of its originals, and of itself where it is goods."""
        found = super().verbs(record, ctx)
        may_see = ctx.actor.may("list", "collateral_certificate")
        return [*found, label_action(record)] if may_see else found

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """What may be taken of it, and its value over time."""
        assert isinstance(record, Collateral)
        return [_room(ctx, record), *_history(ctx, record)]


def _room(ctx: Ctx, asset: Collateral) -> Section:
    found = collateral.claims(ctx.session, [asset.id])[asset.id]
    room = collateral.room(asset, found)
    most = collateral.cap(ctx.session, asset.type.code, ctx.today)

    def money(amount: Any, *, is_bad: bool = False) -> Cell:
        return Cell(format_money(amount), "text", hint="元", tone="bad" if is_bad else "")

    facts = [
        Fact("评估价值", money(asset.value) if asset.value is not None else Cell("未评估")),
        Fact("抵押率", Cell(f"{rate_text(asset.rate_pct)}%（上限 {rate_text(most)}%）")),
        Fact("可担保价值", money(room.lendable)),
        Fact("在先债权", money(room.prior)),
        Fact("本公司占用", money(room.ours)),
        Fact("剩余可用", money(room.left, is_bad=room.left < 0)),
    ]
    waits = pledging.obstacles(ctx, asset)
    facts += [Fact("设押前应办", Cell(words)) for words in waits]
    note = "价值不足" if room.left < 0 else ""
    return Section("room", "可用价值", template="parts/pairs.html", data=facts, note=note)


def _history(ctx: Ctx, asset: Collateral) -> list[Section]:
    """The values of all days; a line where there are two."""
    query = select(Valuation).where(Valuation.collateral_id == asset.id)
    rows = ctx.session.scalars(query.order_by(Valuation.valued_on)).all()
    if len(rows) < 2:
        return []
    points = tuple(
        Point(
            f"{one.valued_on:%Y-%m-%d}",
            float(one.value / _WAN),
            format_money(one.value / _WAN),
            page_of(one),
        )
        for one in rows
    )
    first, last = rows[0].value, rows[-1].value
    change = (last - rows[-2].value) * 100 / rows[-2].value
    card = ChartCard(
        figure=format_money(last),
        unit="元",
        side=f"{len(rows)} 次估值",
        notes=(
            ("比上次", format_money(last - rows[-2].value), f"{change:+.1f}%"),
            ("比首次", format_money(last - first), f"{(last - first) * 100 / first:+.1f}%"),
        ),
        axis="万元",
        drawings=(Markup(trend(points, width=_ASIDE)),),  # noqa: S704 - drawn by us
    )
    return [Section("values", "估值历史", template="parts/chart.html", data=card)]


class CollateralTypeView(EntityView):
    """Screens of 押品种类, with the fields that are asked of it alone."""

    model: ClassVar[Any] = CollateralType

    def extra_sections(self, record: Entity, ctx: Ctx) -> list[Section]:
        """种类要素: what a form asks for besides what is asked of all."""
        assert isinstance(record, CollateralType)
        fields = kinds.fields_of_kind(ctx.session, record)
        rows = [
            Row(
                str(one.id),
                page_of(one),
                (
                    Cell(one.label),
                    Cell(one.kind.label),
                    Cell(one.unit or ""),
                    Cell("是" if one.is_required else "否"),
                    Cell("启用" if one.is_active else "停用"),
                ),
            )
            for one in fields
        ]
        names = ("要素", "类型", "单位", "必填", "状态")
        columns = [Column(f"f{at}", name) for at, name in enumerate(names)]
        own = Section(
            "fields",
            "种类要素",
            columns=columns,
            rows=rows,
            count=len(rows),
            empty="没有专属要素；可用“增加要素”定义",
        )
        return [own, *super().extra_sections(record, ctx)]

    def aside(self, record: Entity, ctx: Ctx) -> list[Section]:
        """The cap as it holds today, and where it is set."""
        assert isinstance(record, CollateralType)
        most = collateral.cap(ctx.session, record.code, ctx.today)
        url = f"/parameter/list/?f=code:eq:collateral.rate.{record.code}"
        cell = Cell(f"{rate_text(most)}%", url=url)
        return [
            Section("cap", "抵押率上限", template="parts/pairs.html", data=[Fact("今日上限", cell)])
        ]


def _field(_: Ctx, __: CollateralType) -> Questions:
    return {
        "label": c.text("要素名称", 30, required=True),
        "field_kind": c.enum("类型", CustomKind, required=True, default=CustomKind.TEXT),
        "unit": c.text("单位", 16),
        "is_required": c.flag("必填"),
    }


def _asset(ctx: Ctx, item: CounterGuarantee) -> Questions:
    del ctx, item
    return {
        "collateral_id": c.reference("押品", "collateral", required=True),
        "amount": c.money("占用价值", help="不填为剩余可用的全部；已审核的反担保为其认定值"),
        "rank": c.whole("顺位", minimum=1, maximum=20, help="不填为已有登记之后的一个顺位"),
    }


def _link(
    ctx: Ctx, item: CounterGuarantee, collateral_id: Any, version: int | None, **facts: Any
) -> CollateralPledge:
    asset = records.find(ctx, Collateral, collateral_id)
    return pledging.link(ctx, item, asset, version=version, **facts)


def _project(_: Ctx, __: Collateral) -> Questions:
    return {
        "project_id": c.reference("担保项目", "project", required=True),
        "kind": c.enum("方式", CounterKind, required=True, default=CounterKind.MORTGAGE),
        "amount": c.money("占用价值", help="不填为剩余可用的全部"),
        "rank": c.whole("顺位", minimum=1, maximum=20, help="不填为已有登记之后的一个顺位"),
    }


def _pledge(
    ctx: Ctx, asset: Collateral, project_id: Any, version: int | None, **facts: Any
) -> CounterGuarantee:
    project = records.find(ctx, Project, project_id)
    return pledging.pledge_to(ctx, asset, project, version=version, **facts).counter_guarantee


def _is_bare(ctx: Ctx, item: CounterGuarantee) -> bool:
    return pledging.is_open(item) and pledging.of(ctx, item) is None


def _is_linked_draft(ctx: Ctx, item: CounterGuarantee) -> bool:
    return pledging.is_draft(item) and pledging.of(ctx, item) is not None


def _why_not(ctx: Ctx, asset: Collateral) -> str:
    return "；".join(pledging.obstacles(ctx, asset))


register(
    Button(
        kinds.ACTS["add_field"], kinds.add_field, questions=_field, rank=1, after=on_tab("fields")
    ),
    Button(
        pledging.ACTS["link"],
        _link,
        when=_is_bare,
        questions=_asset,
        rank=20,
        done="已关联押品",
        after=on_tab("collateral_pledge"),
    ),
    Button(
        pledging.ACTS["unlink"],
        pledging.unlink,
        when=_is_linked_draft,
        ask="取消关联的原因",
        rank=21,
        done="已取消关联，押品可另作他用",
    ),
    Button(
        pledging.PLEDGE,
        _pledge,
        why_not=_why_not,
        questions=_project,
        style="primary",
        rank=1,
        done="已登记反担保并设押",
        after=to_result,
    ),
)
