"""Screens of 押品盘点: what is still to be counted, labels with QR codes, and what reading one opens."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from flask import redirect, request, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.base import columns as c
from models.base.entity import Entity, entity_of
from models.base.errors import BusinessError, NotFound
from models.collateral.asset import Collateral, CollateralCertificate, CustodyState
from models.collateral.kind import StoragePlace
from models.collateral.stock_take import CountResult, StockTake, StockTakeRow, StockTakeState
from reports.base.scope import scoped
from reports.collateral.labels import Label, labels_pdf
from reports.figures import dictionaries
from views.kit import edge
from views.kit.buttons import Button, Questions, page_of, register
from views.kit.cells import record_url
from views.kit.entity_view import EntityView
from views.kit.interface import valid_id
from views.kit.pages import Action, RecordPage, Section
from workflows.base import records
from workflows.base.context import Ctx
from workflows.collateral import stock_take as taking

_SHOWN = 30  # rows that may be counted on the page of the stock-take itself


@dataclass(frozen=True)
class CountCard:
    """A row that is still to be counted (template parts/counting.html)."""

    name: str
    code: str
    asset: str
    expected: str
    url: str
    actions: tuple[Action, ...]


def label_action(record: Entity) -> Action:
    """The button that prints the labels of a record."""
    url = f"/stock/labels/{record.__tablename__}/{record.id}"
    return Action("打印标签", url, icon="print", new_window=True)


class StockTakeView(EntityView):
    """Screens of 押品盘点."""

    model: ClassVar[Any] = StockTake

    def defaults(self, ctx: Ctx) -> dict[str, Any]:
        """Today, by who draws it up."""
        return {"planned_on": ctx.today, "taker_id": ctx.actor.employee_id}

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """The labels of what it lists."""
        assert isinstance(record, StockTake)
        found = super().verbs(record, ctx)
        return [*found, label_action(record)] if record.row_count else found

    def enrich(self, page: RecordPage, record: Entity, ctx: Ctx) -> RecordPage:
        """While it is counted: the next rows, each with what was found of it at one press."""
        assert isinstance(record, StockTake)
        if record.state is StockTakeState.COUNTING and ctx.actor.may("agree", "stock_take_row"):
            page.above.append(_counting(ctx, record))
        return page


def _counting(ctx: Ctx, take: StockTake) -> Section:
    query = (
        select(StockTakeRow)
        .options(joinedload(StockTakeRow.collateral))
        .where(StockTakeRow.stock_take_id == take.id, StockTakeRow.state == CountResult.PENDING)
        .order_by(StockTakeRow.id)
        .limit(_SHOWN)
    )
    cards = [_card(row) for row in ctx.session.scalars(query)]
    count = taking.left(ctx, take)
    more = f"另有 {count - len(cards)} 项，盘完这些后列出" if count > len(cards) else ""
    return Section(
        "counting",
        "待盘",
        template="parts/counting.html",
        data=cards,
        count=count,
        note="" if count else "已全部盘点，可以完成盘点",
        foot=more,
    )


def _card(row: StockTakeRow) -> CountCard:
    fields = (("version", str(row.version)),)
    verbs = (
        ("agree", "", "primary"),
        ("differ", "哪里不符", "plain"),
        ("miss", "未见的情况", "plain"),
    )
    actions = tuple(
        Action(
            taking.ROWS[name].label,
            f"/do/stock_take_row/{row.id}/{name}",
            "POST",
            style,
            confirm=f"{row.code} {row.name}" if ask else "",
            ask=ask,
            ask_required=bool(ask),
            fields=fields,
        )
        for name, ask, style in verbs
    )
    return CountCard(row.name, row.code, row.collateral.name, row.expected, page_of(row), actions)


class StoragePlaceView(EntityView):
    """Screens of 库房库位."""

    model: ClassVar[Any] = StoragePlace

    def verbs(self, record: Entity, ctx: Ctx) -> list[Action]:
        """The labels of what lies there."""
        found = super().verbs(record, ctx)
        may_see = ctx.actor.may("list", "collateral_certificate")
        return [*found, label_action(record)] if may_see else found


class StockView(BaseView):
    """/stock/: labels as PDF, and the address that a label bears."""

    route_base = "/stock"
    default_view = "labels"
    title = "押品标签"

    @expose("/labels/<table>/<pk>")
    @edge.screen()
    def labels(self, table: str, pk: str) -> ResponseReturnValue:
        """A sheet of labels: of a place, of an asset, or of what a stock-take lists."""
        ctx = edge.current_ctx()
        if table not in _ITEMS:
            raise NotFound("没有这种标签")
        model = entity_of(table)
        ctx.require("show", table, f"查看{model.spec.label}")
        ctx.require("list", "collateral_certificate", "查看权证")
        record = records.find(ctx, model, pk)
        found = _ITEMS[table](ctx, record)
        if not found:
            raise BusinessError("没有在库的权证，也没有要盘点的实物，不用打印标签")
        made = io.BytesIO(labels_pdf(found, f"押品标签 {record}"))
        response = send_file(made, mimetype="application/pdf")
        name = quote(f"押品标签_{record}.pdf", safe="")
        response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{name}"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @expose("/item/<code>")
    @edge.screen()
    def item(self, code: str) -> ResponseReturnValue:
        """What a label is on: in the stock-take where it is being counted, else its own page."""
        ctx = edge.current_ctx()
        row = taking.row_to_count(ctx, code)
        if row is not None and ctx.actor.may("show", "stock_take_row"):
            return redirect(page_of(records.find(ctx, StockTakeRow, row.id)))
        model: type[Entity] | None = _KINDS.get(code[:1])
        key = valid_id(code[1:])
        if model is None or key is None:
            raise NotFound("没有这个标签")
        ctx.require("show", str(model.__tablename__), f"查看{model.spec.label}")
        return redirect(page_of(records.find(ctx, model, key)))


_KINDS: dict[str, type[Entity]] = {"C": CollateralCertificate, "A": Collateral}


def _label(code: str, name: str, owner: str) -> Label:
    return Label(code, name, owner, f"{request.host_url}stock/item/{code}")


def _of_take(ctx: Ctx, take: Any) -> list[Label]:
    query = (
        select(StockTakeRow)
        .options(joinedload(StockTakeRow.collateral))
        .where(StockTakeRow.stock_take_id == take.id)
        .order_by(StockTakeRow.id)
    )
    rows = ctx.session.scalars(query)
    return [_label(row.code, row.name, row.collateral.number) for row in rows]


def _of_papers(ctx: Ctx, papers: Sequence[CollateralCertificate]) -> list[Label]:
    kinds = dictionaries.labels(ctx.session, "certificate_kind")
    return [
        _label(
            f"C{one.id}",
            f"{kinds.get(one.kind, one.kind)} {one.number}",
            f"{one.collateral.number} {one.collateral.name}",
        )
        for one in papers
    ]


def _of_place(ctx: Ctx, place: Any) -> list[Label]:
    query = (
        select(CollateralCertificate)
        .options(joinedload(CollateralCertificate.collateral))
        .where(
            CollateralCertificate.place_id == place.id,
            CollateralCertificate.state == CustodyState.STORED,
        )
        .order_by(CollateralCertificate.id)
    )
    mine = scoped(query, CollateralCertificate, ctx.actor)
    return _of_papers(ctx, ctx.session.scalars(mine).all())


def _of_asset(ctx: Ctx, asset: Any) -> list[Label]:
    query = (
        select(CollateralCertificate)
        .where(CollateralCertificate.collateral_id == asset.id)
        .where(CollateralCertificate.state != CustodyState.GONE)
        .order_by(CollateralCertificate.id)
    )
    goods = [_label(f"A{asset.id}", asset.name, asset.number)] if asset.type.is_counted else []
    return [*goods, *_of_papers(ctx, ctx.session.scalars(query).all())]


_ITEMS: dict[str, Any] = {
    "stock_take": _of_take,
    "storage_place": _of_place,
    "collateral": _of_asset,
}


def _surplus(_: Ctx, __: StockTake) -> Questions:
    return {
        "surplus": c.long_text("账外实物", help="清点到、盘点明细里没有的权证或实物；没有的不填")
    }


def _to_take(row: StockTakeRow, _: Any) -> str:
    return record_url("stock_take", row.stock_take_id)


register(
    Button(
        taking.STEPS["begin"],
        taking.begin,
        style="primary",
        rank=1,
        done="已列出应盘的物品，逐项登记结果",
    ),
    Button(
        taking.STEPS["finish"],
        taking.finish,
        why_not=taking.why_not_finish,
        questions=_surplus,
        style="primary",
        rank=1,
        done="已交由另一人确认",
    ),
    Button(
        taking.STEPS["confirm"],
        taking.confirm,
        why_not=taking.why_not_confirm,
        style="primary",
        rank=1,
        confirm="确认后出具盘点表，不能再改",
        done="已确认，盘点表已出具",
    ),
    Button(taking.STEPS["send_back"], taking.send_back, ask="退回原因", rank=2),
    Button(taking.STEPS["drop"], taking.drop, ask="作废原因", style="danger", rank=60),
    Button(
        taking.ROWS["agree"],
        taking.agree,
        when=taking.may_count,
        style="primary",
        rank=1,
        done="已登记：相符",
        after=_to_take,
    ),
    Button(
        taking.ROWS["differ"],
        taking.differ,
        when=taking.may_count,
        ask="哪里不符",
        rank=2,
        done="已登记：不符",
        after=_to_take,
    ),
    Button(
        taking.ROWS["miss"],
        taking.miss,
        when=taking.may_count,
        ask="未见的情况",
        rank=3,
        done="已登记：未见",
        after=_to_take,
    ),
)
