"""Guarantee products and what each demands (产品种类、产品要素、要件)."""

from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import Kind, Module


class GuaranteeKind(Kind):
    """担保类别 of the regulator's monthly form; decides weights and which totals a project counts in."""

    LOAN = "借款类担保"
    BOND = "发行债券担保"
    OTHER_FINANCING = "其他融资担保"
    PERFORMANCE = "工程履约担保"
    LITIGATION = "诉讼保全担保"
    OTHER_NON_FINANCING = "其他非融资担保"

    @property
    def is_financing(self) -> bool:
        """融资担保 counts in 融资担保责任余额, the rest does not (国令683, 配套制度一)."""
        return self in FINANCING


FINANCING = (GuaranteeKind.LOAN, GuaranteeKind.BOND, GuaranteeKind.OTHER_FINANCING)


class ProductAudience(Kind):
    """Who may apply for a product."""

    ANY = "不限"
    PERSONAL = "个人客户"
    CORPORATE = "对公客户"


class RepaymentMethod(Kind):
    """How the customer repays the bank."""

    EQUAL_INSTALMENT = "等额本息"
    EQUAL_PRINCIPAL = "等额本金"
    INTEREST_FIRST = "先息后本"
    BULLET = "到期一次还本付息"
    CUSTOM = "按约定分期"


class DayCount(Kind):
    """How the days are counted for which interest runs (计息天数)."""

    THIRTY_360 = "30/360"
    ACTUAL_360 = "实际/360"
    ACTUAL_365 = "实际/365"

    @property
    def year(self) -> int:
        """Days of a year over which the rate of a year is spread."""
        return 365 if self is DayCount.ACTUAL_365 else 360


class FeeKind(Kind):
    """Fees of a guarantee (费用登记)."""

    GUARANTEE = "担保费"
    SERVICE = "服务费"
    HANDLING = "手续费"
    DEPOSIT = "客户保证金"
    PENALTY = "违约金"
    OTHER = "其他费用"


class FeePayment(Kind):
    """When a fee falls due."""

    ONE_OFF = "一次性"
    YEARLY = "按年"
    MONTHLY = "按月"


class Product(Entity):
    """A guarantee product with the limits that an application is held to."""

    spec = Spec(
        "产品种类",
        Module.GUARANTEE_SETUP,
        rank=10,
        order="code",
        key=("code",),
        listed=(
            "code",
            "name",
            "guarantee_kind",
            "audience",
            "amount_min",
            "amount_max",
            "months_max",
            "fee_rate_pct",
            "is_active",
        ),
        searched=("code", "name"),
        filtered=("guarantee_kind", "is_active"),
        config=Config(),
    )
    code: Mapped[str] = c.text("产品编码", 20, required=True, unique=True, check="code")
    name: Mapped[str] = c.text("产品名称", 60, required=True)
    guarantee_kind: Mapped[GuaranteeKind] = c.enum(
        "担保类别", GuaranteeKind, required=True, index=True
    )
    audience: Mapped[ProductAudience] = c.enum(
        "适用客户", ProductAudience, required=True, default=ProductAudience.ANY
    )
    amount_min: Mapped[Decimal] = c.money("最低金额", required=True, default=Decimal("0.01"))
    amount_max: Mapped[Decimal] = c.money("最高金额", required=True, positive=True)
    months_min: Mapped[int] = c.whole(
        "最短期限", required=True, unit="个月", minimum=1, maximum=360, default=1
    )
    months_max: Mapped[int] = c.whole(
        "最长期限", required=True, unit="个月", minimum=1, maximum=360
    )
    fee_rate_pct: Mapped[Decimal] = c.rate(
        "担保费率", unit="%/年", required=True, scale=4, maximum=Decimal(20)
    )
    deposit_rate_pct: Mapped[Decimal] = c.rate(
        "保证金比例",
        unit="%",
        required=True,
        scale=4,
        default=Decimal(0),
        help="按担保金额向客户收取的保证金",
    )
    coverage_min_pct: Mapped[Decimal] = c.rate(
        "反担保覆盖率下限",
        unit="%",
        required=True,
        scale=2,
        maximum=Decimal(1000),
        default=Decimal(0),
        help="反担保认定价值合计不得低于担保金额的这一比例",
    )
    repayment_method: Mapped[RepaymentMethod] = c.enum(
        "默认还款方式", RepaymentMethod, required=True, default=RepaymentMethod.EQUAL_INSTALMENT
    )
    day_count: Mapped[DayCount] = c.enum(
        "计息天数",
        DayCount,
        required=True,
        default=DayCount.THIRTY_360,
        help="30/360：每月按 30 天；实际/360、实际/365：按日历天数。放款确认时带出，可按银行借据更改",
    )
    extension_times_max: Mapped[int] = c.whole(
        "展期次数上限",
        required=True,
        unit="次",
        minimum=0,
        maximum=99,
        default=1,
        help="0 表示不得展期",
    )
    extension_months_max: Mapped[int] = c.whole(
        "展期期限上限",
        required=True,
        unit="个月",
        minimum=0,
        maximum=360,
        default=12,
        help="每笔借据历次展期合计",
    )
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    description: Mapped[str | None] = c.long_text("产品说明")


class ProductDocument(Entity):
    """A document (要件) that an application for the product needs."""

    spec = Spec(
        "产品要件",
        Module.GUARANTEE_SETUP,
        title="category",
        listed=("category", "is_required", "note"),
        order="category",
        scope=Scope(through="product"),
        in_menu=False,
        key=("product_id", "category"),
    )
    __table_args__ = (UniqueConstraint("product_id", "category", name="uq_product_document"),)
    product_id: Mapped[int] = c.owned_by("产品", "product")
    product: Mapped[Product] = c.related(product_id)
    category: Mapped[str] = c.dictionary("要件类别", "document_category", required=True)
    is_required: Mapped[bool] = c.flag("必须提供", default=True)
    note: Mapped[str | None] = c.text("说明", 200)


class ProductFee(Entity):
    """A fee that the product charges by default; 费用登记 starts from these rows."""

    spec = Spec(
        "产品费用",
        Module.GUARANTEE_SETUP,
        title="kind",
        order="kind",
        scope=Scope(through="product"),
        listed=("kind", "payment", "rate_pct", "is_rate_annual", "vat_rate_pct"),
        in_menu=False,
        key=("product_id", "kind"),
    )
    __table_args__ = (UniqueConstraint("product_id", "kind", name="uq_product_fee"),)
    product_id: Mapped[int] = c.owned_by("产品", "product", part=c.Part(20))
    product: Mapped[Product] = c.related(product_id)
    kind: Mapped[FeeKind] = c.enum("费用种类", FeeKind, required=True)
    payment: Mapped[FeePayment] = c.enum(
        "收取方式", FeePayment, required=True, default=FeePayment.ONE_OFF
    )
    rate_pct: Mapped[Decimal] = c.rate("费率", unit="%", required=True, scale=4)
    is_rate_annual: Mapped[bool] = c.flag(
        "按年计费", default=True, help="是：费率为年费率，按期限折算；否：按担保金额一次计算"
    )
    vat_rate_pct: Mapped[Decimal] = c.rate(
        "增值税率", unit="%", required=True, scale=2, help="0 表示免税"
    )
