"""押品 (7.1): what it is, whose it is, its certificates and what it was worth on which day."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Found, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module
from models.base.rights import WRITE
from models.base.rows import dictionary
from models.collateral.kind import CollateralType, StoragePlace
from models.customer.customer import Customer
from models.system.organization import Employee

KEEPER = "押品专员"


class Collateral(Entity):
    """An asset that a customer, or somebody for him, pledges to the company."""

    spec = Spec(
        "押品",
        Module.COLLATERAL,
        group=MenuGroup.COLLATERAL_FILES,
        rank=10,
        found=Found(45, lambda one: f"{one.name} · {one.type.name}", loads=("type",)),
        roles={KEEPER: WRITE},
        listed=(
            "number",
            "name",
            "type",
            "customer",
            "value",
            "valued_on",
            "rate_pct",
            "region",
            "keeper",
        ),
        searched=("number", "name", "location"),
        filtered=(
            "type_id",
            "customer_id",
            "keeper_id",
            "region",
            "valued_on",
            "next_value_on",
            "disposed_on",
        ),
        sums=("value",),
        scope=Scope(through="customer"),
        key=("name", "customer_id"),
        aliases={"name": ("名称", "抵押物名称"), "location": ("地址", "坐落地址")},
        demo=(
            {
                "name": "江州市滨江区江南大道 88 号厂房",
                "type_id": "厂房",
                "customer_id": "*",
                "location": "江州市滨江区江南大道 88 号",
                "region": "330100",
            },
        ),
    )
    __table_args__ = (
        UniqueConstraint("name", "customer_id", name="uq_collateral_name"),
        CheckConstraint("rate_pct > 0", name="ck_collateral_rate"),
        CheckConstraint("(value is null) = (valued_on is null)", name="ck_collateral_valued"),
    )
    number: Mapped[str] = c.numbered("押品编号", "collateral", "YP{yyyy}-{no:04d}")
    name: Mapped[str] = c.text("押品名称", 120, required=True)
    type_id: Mapped[int] = c.reference("押品种类", "collateral_type", required=True)
    type: Mapped[CollateralType] = c.related(type_id)
    customer_id: Mapped[int] = c.reference(
        "出押客户",
        "customer",
        required=True,
        help="为谁的担保提供；产权属第三人的在“权属”中登记",
        part=c.Part(125),
    )
    customer: Mapped[Customer] = c.related(customer_id)
    location: Mapped[str] = c.text("坐落或存放地点", 200, required=True)
    region: Mapped[str | None] = c.dictionary("所在地区", "region", index=True)
    rate_pct: Mapped[Decimal] = c.filled(
        c.rate(
            "抵押率",
            unit="%",
            scale=2,
            required=True,
            help="不填按种类的常用抵押率；不超过种类的抵押率上限",
        )
    )
    keeper_id: Mapped[int | None] = c.reference("管理人", "employee", help="负责监管、保管的人")
    keeper: Mapped[Employee | None] = c.related(keeper_id)
    seizure: Mapped[str | None] = c.text(
        "查封、涉诉情况", 200, help="被查封、扣押或有争议的写明；有内容时不能再设押，并产生预警"
    )
    note: Mapped[str | None] = c.long_text("备注")
    value: Mapped[Decimal | None] = c.computed(c.money("评估价值"))
    valued_on: Mapped[date | None] = c.computed(c.day("估值日期", index=True))
    next_value_on: Mapped[date | None] = c.computed(c.day("应重估日期", index=True))
    disposed_on: Mapped[date | None] = c.computed(
        c.day("处置日期", index=True, help="成交之后不能再设押、估值")
    )


class CollateralOwner(Entity):
    """Who owns a share of an asset, and whether a co-owner agrees to the pledge."""

    spec = Spec(
        "权属",
        Module.COLLATERAL,
        order="id",
        in_menu=False,
        roles={KEEPER: WRITE},
        reveals=(KEEPER, "客户经理", "业务部门经理", "法务"),
        listed=("name", "customer", "share_pct", "certificate_no", "agreed_on"),
        scope=Scope(through="collateral"),
        key=("collateral_id", "name"),
        demo=({"collateral_id": "*", "name": "李晓明", "share_pct": "100"},),
    )
    __table_args__ = (
        UniqueConstraint("collateral_id", "name", name="uq_collateral_owner"),
        CheckConstraint("share_pct > 0", name="ck_collateral_owner_share"),
    )
    collateral_id: Mapped[int] = c.owned_by("押品", "collateral", part=c.Part(10))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    name: Mapped[str] = c.text("所有权人", 100, required=True, index=True)
    customer_id: Mapped[int | None] = c.reference(
        "所有权人客户", "customer", help="所有权人是本公司客户时选择"
    )
    customer: Mapped[Customer | None] = c.related(customer_id)
    share_pct: Mapped[Decimal] = c.rate("份额", unit="%", scale=4, required=True)
    certificate_no: Mapped[str | None] = c.masked("证件号码", 40, mask="id_number")
    agreed_on: Mapped[date | None] = c.day(
        "同意抵押日期", help="共有的，全部共有人出具同意书后才能设押（民法典第301条）"
    )


class CustodyState(Kind):
    """Where the original of a certificate is."""

    OUTSIDE = "未入库"
    STORED = "在库"
    LENT = "已借出"
    GONE = "已出库"


IN_CUSTODY = (CustodyState.STORED, CustodyState.LENT)


class CollateralCertificate(Entity):
    """权证: a title, a registration certificate or another original that belongs to an asset."""

    spec = Spec(
        "权证",
        Module.COLLATERAL,
        group=MenuGroup.COLLATERAL_FILES,
        rank=30,
        title="number",
        roles={KEEPER: WRITE},
        listed=(
            "kind",
            "number",
            "collateral",
            "expires_on",
            "state",
            "place",
            "holder",
            "held_since",
            "due_on",
        ),
        searched=("number",),
        filtered=(
            "collateral_id",
            "kind",
            "state",
            "place_id",
            "holder_id",
            "expires_on",
            "due_on",
        ),
        scope=Scope(through="collateral"),
        key=("kind", "number"),
        seeds=dictionary(
            "certificate_kind",
            "权证类别",
            TITLE="不动产权证书",
            ENCUMBRANCE="不动产登记证明",
            VEHICLE="机动车登记证书",
            DEPOSIT="存单",
            SHARE="出质登记证明",
            INVOICE="购置发票",
            POLICY="保险单",
            OTHER="其他",
        ),
        demo=({"collateral_id": "*", "kind": "TITLE", "number": "浙（2024）江州不动产权第0088号"},),
    )
    __table_args__ = (
        UniqueConstraint("kind", "number", name="uq_collateral_certificate"),
        CheckConstraint(
            "state <> 'STORED' or place_id is not null", name="ck_collateral_certificate_place"
        ),
        CheckConstraint(
            "state <> 'LENT' or (holder_id is not null and due_on is not null)",
            name="ck_collateral_certificate_lent",
        ),
        CheckConstraint(
            "expires_on is null or issued_on is null or expires_on >= issued_on",
            name="ck_collateral_certificate_dates",
        ),
    )
    collateral_id: Mapped[int] = c.owned_by("押品", "collateral", part=c.Part(20))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    kind: Mapped[str] = c.dictionary("权证类别", "certificate_kind", required=True)
    number: Mapped[str] = c.text("权证编号", 80, required=True)
    issuer: Mapped[str | None] = c.text("发证机关", 100)
    issued_on: Mapped[date | None] = c.day("发证日期")
    expires_on: Mapped[date | None] = c.day("有效期至", index=True)
    place_id: Mapped[int | None] = c.computed(c.reference("库位", "storage_place"))
    place: Mapped[StoragePlace | None] = c.related(place_id)
    holder_id: Mapped[int | None] = c.computed(c.reference("持有人", "employee"))
    holder: Mapped[Employee | None] = c.related(holder_id)
    held_since: Mapped[date | None] = c.computed(c.day("持有起始日"))
    due_on: Mapped[date | None] = c.computed(c.day("应还日期", index=True))
    state: Mapped[CustodyState] = c.state("状态", CustodyState, CustodyState.OUTSIDE)

    def __str__(self) -> str:
        """Its number, as it is printed."""
        return self.number


class ValuationMethod(Kind):
    """How a value was found."""

    MARKET = "市场比较法"
    INCOME = "收益法"
    COST = "成本法"
    FACE = "票面或账面"
    INDEX = "指数调整"
    OWN = "内部评估"


class Valuation(Entity):
    """What an asset was worth on a day, and who said so: never changed, followed by the next one."""

    spec = Spec(
        "估值",
        Module.COLLATERAL,
        group=MenuGroup.COLLATERAL_WATCH,
        rank=105,
        title="valued_on",
        order="-valued_on",
        saved_by=("add",),
        roles={KEEPER: ("list", "show", "export", "add")},
        listed=("collateral", "valued_on", "value", "method", "valuer", "report_no"),
        searched=("valuer", "report_no"),
        filtered=("collateral_id", "valued_on", "method"),
        scope=Scope(through="collateral"),
        key=("collateral_id", "valued_on"),
        aliases={"value": ("评估值", "现值"), "valued_on": ("评估日期",)},
        demo=(
            {
                "collateral_id": "*",
                "valued_on": "-30",
                "value": "6000000",
                "method": "MARKET",
                "valuer": "江州房地产评估有限公司",
            },
        ),
    )
    __table_args__ = (
        UniqueConstraint("collateral_id", "valued_on", name="uq_valuation"),
        CheckConstraint("value > 0", name="ck_valuation_value"),
        Index("ix_valuation_day", "valued_on"),
    )
    collateral_id: Mapped[int] = c.owned_by("押品", "collateral", part=c.Part(30))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    valued_on: Mapped[date] = c.day("估值日期", required=True)
    value: Mapped[Decimal] = c.money("评估价值", required=True, positive=True)
    method: Mapped[ValuationMethod] = c.enum(
        "估值方法", ValuationMethod, required=True, default=ValuationMethod.MARKET, index=True
    )
    valuer: Mapped[str | None] = c.text("评估机构", 100)
    report_no: Mapped[str | None] = c.text("报告编号", 60)
    basis: Mapped[str | None] = c.long_text("估值依据")


class PriorClaim(Entity):
    """What others may take out of an asset, and at which rank."""

    spec = Spec(
        "在先债权",
        Module.COLLATERAL,
        title="creditor",
        order="rank",
        in_menu=False,
        roles={KEEPER: WRITE},
        listed=("rank", "creditor", "amount", "registered_on", "ended_on"),
        sums=("amount",),
        scope=Scope(through="collateral"),
        key=("collateral_id", "creditor", "rank"),
        demo=(
            {
                "collateral_id": "*",
                "rank": "1",
                "creditor": "江州银行滨江支行",
                "amount": "500000",
                "registered_on": "-400",
            },
        ),
    )
    __table_args__ = (
        UniqueConstraint("collateral_id", "creditor", "rank", name="uq_prior_claim"),
        CheckConstraint("amount > 0", name="ck_prior_claim_amount"),
        CheckConstraint(
            "ended_on is null or registered_on is null or ended_on >= registered_on",
            name="ck_prior_claim_dates",
        ),
    )
    collateral_id: Mapped[int] = c.owned_by("押品", "collateral", part=c.Part(40))
    collateral: Mapped[Collateral] = c.related(collateral_id)
    rank: Mapped[int] = c.whole("顺位", required=True, minimum=1, maximum=20, default=1)
    creditor: Mapped[str] = c.text("债权人", 100, required=True)
    amount: Mapped[Decimal] = c.money(
        "担保债权额", required=True, positive=True, help="登记的债权额，或债权人确认的余额"
    )
    registered_on: Mapped[date | None] = c.day("登记日期")
    ended_on: Mapped[date | None] = c.day("注销日期", help="填写之后不再占用")
