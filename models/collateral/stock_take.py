"""押品盘点 (7.4): what should be in custody is listed, counted row by row, and confirmed by a second person."""

from datetime import date

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.rights import WRITE
from models.base.rows import numbered
from models.collateral.asset import KEEPER, Collateral, CollateralCertificate
from models.collateral.kind import StoragePlace
from models.system.organization import Employee
from models.system.records import IssuedDocument


class StockTakeState(Kind):
    """A stock-take is drawn up, counted, handed to a second person and confirmed."""

    DRAFT = "草稿"
    COUNTING = "盘点中"
    COUNTED = "待确认"
    CONFIRMED = "已确认"
    VOID = "已作废"


OPEN_TAKES = (StockTakeState.COUNTING, StockTakeState.COUNTED)


class Covers(Kind):
    """What is counted."""

    PAPERS = "权证"
    GOODS = "动产"
    ALL = "权证和动产"


class StockTake(Entity):
    """盘点单: of one place or of all; its rows are what should be there on the day it begins."""

    spec = Spec(
        "押品盘点",
        Module.COLLATERAL,
        SpecKind.DOCUMENT,
        group=MenuGroup.COLLATERAL_WATCH,
        rank=120,
        title="number",
        roles={KEEPER: WRITE},
        listed=(
            "number",
            "covers",
            "place",
            "planned_on",
            "taker",
            "started_on",
            "row_count",
            "differences",
            "confirmed_by",
            "confirmed_on",
            "state",
        ),
        searched=("number",),
        filtered=("place_id", "covers", "taker_id", "planned_on", "confirmed_on", "state"),
        scope=Scope(owner="taker_id", members=("confirmed_by_id",)),
        state="state",
        drafts=(StockTakeState.DRAFT,),
        help="开始盘点时列出应在的权证和动产；逐项登记相符、不符或未见，可在手机上办理，或扫描标签；差异写明原因，由另一人确认。",
        seeds=numbered("stock_take", "押品盘点编号", "PD{yyyy}-{no:04d}"),
    )
    __table_args__ = (
        CheckConstraint(
            "(state = 'CONFIRMED') = (confirmed_on is not null)", name="ck_stock_take_confirmed"
        ),
    )
    number: Mapped[str] = c.computed(c.text("盘点编号", 40, required=True, unique=True))
    covers: Mapped[Covers] = c.enum(
        "盘点内容", Covers, required=True, default=Covers.PAPERS, index=True
    )
    place_id: Mapped[int | None] = c.reference(
        "库位", "storage_place", help="不选为全部库位和借出的权证；动产存放在现场，不选库位"
    )
    place: Mapped[StoragePlace | None] = c.related(place_id)
    planned_on: Mapped[date] = c.day("盘点日期", required=True, index=True)
    taker_id: Mapped[int] = c.reference("盘点人", "employee", required=True)
    taker: Mapped[Employee] = c.related(taker_id)
    note: Mapped[str | None] = c.text("说明", 200)
    started_on: Mapped[date | None] = c.computed(c.day("开始日期"))
    row_count: Mapped[int] = c.computed(c.whole("应盘", required=True, default=0, unit="项"))
    differences: Mapped[int] = c.computed(c.whole("差异", required=True, default=0, unit="项"))
    surplus: Mapped[str | None] = c.computed(c.long_text("账外实物"))
    returned_reason: Mapped[str | None] = c.computed(c.text("退回原因", 200))
    confirmed_on: Mapped[date | None] = c.computed(c.day("确认日期", index=True))
    confirmed_by_id: Mapped[int | None] = c.computed(c.reference("确认人", "employee"))
    confirmed_by: Mapped[Employee | None] = c.related(confirmed_by_id)
    document_id: Mapped[int | None] = c.computed(c.reference("盘点表", "issued_document"))
    document: Mapped[IssuedDocument | None] = c.related(document_id)
    state: Mapped[StockTakeState] = c.state("状态", StockTakeState, StockTakeState.DRAFT)


class CountResult(Kind):
    """What was found of an item."""

    PENDING = "待盘"
    AGREES = "相符"
    DIFFERS = "不符"
    MISSING = "未见"


DIFFERENT = (CountResult.DIFFERS, CountResult.MISSING)


class StockTakeRow(Entity):
    """盘点明细: an original or goods, where they should be, and what was found."""

    spec = Spec(
        "盘点明细",
        Module.COLLATERAL,
        SpecKind.LEDGER,
        in_menu=False,
        order="id",
        title="name",
        listed=("code", "name", "collateral", "expected", "state", "note", "counted_by"),
        searched=("code", "name"),
        filtered=("stock_take_id", "collateral_id", "state"),
        scope=Scope(through="stock_take"),
        state="state",
    )
    __table_args__ = (
        UniqueConstraint("stock_take_id", "code", name="uq_stock_take_row"),
        CheckConstraint(
            "state not in ('DIFFERS', 'MISSING') or note is not null", name="ck_stock_take_row_why"
        ),
    )
    stock_take_id: Mapped[int] = c.owned_by("押品盘点", "stock_take", part=c.Part(10))
    stock_take: Mapped[StockTake] = c.related(stock_take_id)
    code: Mapped[str] = c.text("标签号", 20, required=True, index=True)
    name: Mapped[str] = c.text("盘点物", 160, required=True)
    collateral_id: Mapped[int] = c.reference("押品", "collateral", required=True)
    collateral: Mapped[Collateral] = c.related(collateral_id)
    certificate_id: Mapped[int | None] = c.reference("权证", "collateral_certificate")
    certificate: Mapped[CollateralCertificate | None] = c.related(certificate_id)
    expected: Mapped[str] = c.text("应在何处", 200, required=True)
    note: Mapped[str | None] = c.text("差异说明", 200)
    counted_on: Mapped[date | None] = c.day("盘点日期")
    counted_by_id: Mapped[int | None] = c.reference("清点人", "employee")
    counted_by: Mapped[Employee | None] = c.related(counted_by_id)
    state: Mapped[CountResult] = c.state("结果", CountResult, CountResult.PENDING)
