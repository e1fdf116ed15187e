"""押品处置 (7.4): an asset is sold in one round or several, and what it brings goes down the order of claims."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import PaperState
from models.base.rights import WRITE
from models.base.rows import MANAGER, SeedRow, decided, numbered
from models.collateral.asset import KEEPER, Collateral
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Project, Stage


class DisposalCause(Kind):
    """Why an asset is sold."""

    REPAY = "出售还款，解除设押"
    COMPENSATED = "代偿后追偿"


class DisposalWay(Kind):
    """How an asset is sold."""

    AUCTION = "拍卖"
    SALE = "变卖"
    AGREED = "协议转让"


class CollateralDisposal(ProjectPaper):
    """押品处置: approved with the least price; then rounds without a buyer are noted, and the sale ends it."""

    spec = Spec(
        "押品处置",
        Module.COLLATERAL,
        SpecKind.DOCUMENT,
        group=MenuGroup.COLLATERAL_FILES,
        rank=28,
        title="number",
        roles={KEEPER: WRITE},
        listed=(
            "number",
            "project",
            "collateral",
            "cause",
            "way",
            "reserve_price",
            "sold_on",
            "buyer",
            "price",
            "state",
        ),
        searched=("number", "buyer"),
        filtered=("project_id", "collateral_id", "cause", "way", "sold_on", "state"),
        sums=("price",),
        on_sheet=("agent", "reason", "effect"),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        help="价款先扣处置费用，再按顺位分配给在先债权和设押项目，余额归所有权人；成交后全部设押解除，权证起草出库。",
        seeds=(
            *numbered("collateral_disposal", "押品处置编号", "CZ{yyyy}-{no:04d}"),
            *decided(
                "collateral.disposal",
                "押品处置",
                ("部门经理审核", MANAGER),
                ("押品管理审批", "collateral"),
                ("分管副总审批", "vice_president"),
            ),
            SeedRow(
                "parameter",
                {
                    "code": "collateral.disposal_min_pct",
                    "label": "押品处置底价下限",
                    "value": "70",
                    "value_kind": "PERCENT",
                    "unit": "%",
                    "effective_on": "2000-01-01",
                    "module": "COLLATERAL_SETUP",
                    "note": "处置底价不低于评估价值的这个比例",
                },
            ),
        ),
        news=News(
            140,
            made=("申请押品处置：", "{collateral_id}"),
            moved=(("sold_on", None, "押品 {collateral_id} 处置成交，{price} 元"),),
        ),
    )
    __table_args__ = (
        CheckConstraint("reserve_price > 0", name="ck_collateral_disposal_reserve"),
        CheckConstraint(
            "sold_on is null or (state = 'APPROVED' and price > 0 and costs >= 0 and costs <= price"
            " and buyer is not null)",
            name="ck_collateral_disposal_sold",
        ),
    )
    number_label = "处置编号"
    part = c.Part(27, since=Stage.IN_FORCE, adds=(Stage.IN_FORCE,))
    collateral_id: Mapped[int] = c.reference("押品", "collateral", required=True, part=c.Part(65))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    cause: Mapped[DisposalCause] = c.enum("处置原因", DisposalCause, required=True, index=True)
    way: Mapped[DisposalWay] = c.enum("处置方式", DisposalWay, required=True, index=True)
    reserve_price: Mapped[Decimal] = c.money(
        "处置底价", required=True, positive=True, help="低于底价不能成交；再降价须重新报批"
    )
    agent: Mapped[str | None] = c.text("受托机构", 100, help="法院、拍卖行、交易平台")
    reason: Mapped[str] = c.long_text("处置理由", required=True)
    effect: Mapped[str | None] = c.computed(
        c.long_text("对各项目的影响", help="按底价计算的分配和处置后的覆盖率，提交时写入")
    )
    sold_on: Mapped[date | None] = c.computed(c.day("成交日期", index=True))
    buyer: Mapped[str | None] = c.computed(c.text("买受人", 100))
    price: Mapped[Decimal | None] = c.computed(c.money("成交价"))
    costs: Mapped[Decimal | None] = c.computed(c.money("处置费用"))
    evidence: Mapped[str | None] = c.computed(c.text("成交凭据", 120))


class DisposalRound(Entity):
    """处置轮次: a round that found no buyer, or the one that did."""

    spec = Spec(
        "处置轮次",
        Module.COLLATERAL,
        SpecKind.LEDGER,
        in_menu=False,
        order="no",
        title="no",
        listed=("no", "held_on", "asked_price", "is_sold", "note"),
        scope=Scope(through="disposal"),
    )
    __table_args__ = (
        UniqueConstraint("disposal_id", "no", name="uq_disposal_round"),
        CheckConstraint("asked_price > 0", name="ck_disposal_round_price"),
    )
    disposal_id: Mapped[int] = c.owned_by("押品处置", "collateral_disposal", part=c.Part(10))
    disposal: Mapped[CollateralDisposal] = c.related(disposal_id)
    no: Mapped[int] = c.whole("轮次", required=True, minimum=1)
    held_on: Mapped[date] = c.day("日期", required=True)
    asked_price: Mapped[Decimal] = c.money("起拍价或成交价", required=True, positive=True)
    is_sold: Mapped[bool] = c.flag("成交")
    note: Mapped[str | None] = c.text("情况", 200)


class DisposalShare(Entity):
    """价款分配: what one who claims the asset gets of its price, served by rank."""

    spec = Spec(
        "价款分配",
        Module.COLLATERAL,
        SpecKind.LEDGER,
        in_menu=False,
        order="seq",
        title="payee",
        listed=("seq", "payee", "project", "claim", "amount"),
        sums=("amount",),
        scope=Scope(through="disposal"),
    )
    __table_args__ = (
        UniqueConstraint("disposal_id", "seq", name="uq_disposal_share"),
        CheckConstraint("amount >= 0", name="ck_disposal_share_amount"),
    )
    disposal_id: Mapped[int] = c.owned_by("押品处置", "collateral_disposal", part=c.Part(20))
    disposal: Mapped[CollateralDisposal] = c.related(disposal_id)
    seq: Mapped[int] = c.whole("次序", required=True)
    payee: Mapped[str] = c.text("收款方", 100, required=True)
    project_id: Mapped[int | None] = c.reference("担保项目", "project")
    project: Mapped[Project | None] = c.related(project_id)
    claim: Mapped[Decimal] = c.money("应受偿", required=True)
    amount: Mapped[Decimal] = c.money("分得金额", required=True)
