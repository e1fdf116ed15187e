"""Guarantee products and what each demands (产品种类、产品要素、要件)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import Kind, Module
from models.guarantee.benchmark import Benchmark

_TERMS, _RATES, _REPAYING, _LINE = "准入要素", "费率与利率", "还款与计息", "办理环节"


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
        help="保存后下一笔申请即按新的设置办理；已提交的项目环节不变。",
        demo=(
            {
                "code": "TBBH",
                "name": "投标保函担保",
                "guarantee_kind": "OTHER_NON_FINANCING",
                "audience": "CORPORATE",
                "amount_min": "10000",
                "amount_max": "2000000",
                "months_min": "1",
                "months_max": "12",
                "fee_rate_pct": "0.6",
                "coverage_min_pct": "0",
                "repayment_method": "BULLET",
                "has_intent": "0",
                "has_board": "0",
                "has_counter": "0",
                "description": "小额投标保函：免意向函、免审保会、免反担保，风控通过后由总裁签字。",
            },
        ),
    )
    code: Mapped[str] = c.text("产品编码", 20, required=True, unique=True, check="code")
    name: Mapped[str] = c.text("产品名称", 60, required=True)
    guarantee_kind: Mapped[GuaranteeKind] = c.enum(
        "担保类别",
        GuaranteeKind,
        required=True,
        index=True,
        group=_TERMS,
    )
    audience: Mapped[ProductAudience] = c.enum(
        "适用客户",
        ProductAudience,
        required=True,
        default=ProductAudience.ANY,
        group=_TERMS,
    )
    amount_min: Mapped[Decimal] = c.money(
        "最低金额", required=True, default=Decimal("0.01"), group=_TERMS
    )
    amount_max: Mapped[Decimal] = c.money("最高金额", required=True, positive=True, group=_TERMS)
    months_min: Mapped[int] = c.whole(
        "最短期限",
        required=True,
        unit="个月",
        minimum=1,
        maximum=360,
        default=1,
        group=_TERMS,
    )
    months_max: Mapped[int] = c.whole(
        "最长期限",
        required=True,
        unit="个月",
        minimum=1,
        maximum=360,
        group=_TERMS,
    )
    fee_rate_pct: Mapped[Decimal] = c.rate(
        "担保费率", unit="%/年", required=True, scale=4, maximum=Decimal(20), group=_RATES
    )
    fee_rate_min_pct: Mapped[Decimal | None] = c.rate(
        "担保费率下限",
        unit="%/年",
        scale=4,
        maximum=Decimal(20),
        group=_RATES,
        help="申请的担保费率不得低于它；不填不限",
    )
    rate_max_pct: Mapped[Decimal | None] = c.rate(
        "贷款利率上限",
        unit="%/年",
        scale=6,
        maximum=Decimal(36),
        group=_RATES,
        help="申请的贷款年利率不得高于它；不填按系统参数",
    )
    benchmark: Mapped[Benchmark | None] = c.enum(
        "基准利率", Benchmark, group=_RATES, help="申请时按当日基准和加点带出贷款年利率"
    )
    spread_bp: Mapped[Decimal | None] = c.rate(
        "加点",
        unit="BP",
        scale=2,
        signed=True,
        maximum=Decimal(3600),
        group=_RATES,
        help="100 BP 为 1%",
    )
    coverage_min_pct: Mapped[Decimal] = c.rate(
        "反担保覆盖率下限",
        unit="%",
        required=True,
        scale=2,
        maximum=Decimal(1000),
        default=Decimal(0),
        help="反担保认定价值合计不得低于担保金额的这一比例",
        group=_TERMS,
    )
    repayment_method: Mapped[RepaymentMethod] = c.enum(
        "默认还款方式",
        RepaymentMethod,
        required=True,
        default=RepaymentMethod.EQUAL_INSTALMENT,
        group=_REPAYING,
    )
    day_count: Mapped[DayCount] = c.enum(
        "计息天数",
        DayCount,
        required=True,
        default=DayCount.THIRTY_360,
        help="30/360：每月按 30 天；实际/360、实际/365：按日历天数。放款确认时带出，可按银行借据更改",
        group=_REPAYING,
    )
    extension_times_max: Mapped[int] = c.whole(
        "展期次数上限",
        required=True,
        unit="次",
        minimum=0,
        maximum=99,
        default=1,
        help="0 表示不得展期",
        group=_REPAYING,
    )
    extension_months_max: Mapped[int] = c.whole(
        "展期期限上限",
        required=True,
        unit="个月",
        minimum=0,
        maximum=360,
        default=12,
        help="每笔借据历次展期合计",
        group=_REPAYING,
    )
    has_intent: Mapped[bool] = c.flag(
        "出具意向函", default=True, group=_LINE, help="不选：评估通过后直接进入评审审批"
    )
    has_board: Mapped[bool] = c.flag(
        "上审保会",
        default=True,
        group=_LINE,
        help="不选：风控通过后不上会，按保前调查建议形成决议，由总裁签字",
    )
    has_counter: Mapped[bool] = c.flag(
        "要求反担保", default=True, group=_LINE, help="不选：没有反担保环节，覆盖率下限应为 0"
    )
    is_bulk: Mapped[bool] = c.flag(
        "开通批量业务",
        group=_LINE,
        help="见贷即保：按银行清单整批承保，通过后直接在保，不逐笔调查、评审、签约",
    )
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    on_from: Mapped[date | None] = c.day("启用日期", help="这一天起可以申请；不填即时")
    on_until: Mapped[date | None] = c.day("停用日期", help="这一天之后不再受理新申请；不填不限")
    description: Mapped[str | None] = c.long_text("产品说明")


class ProductDocument(Entity):
    """A document (要件) that an application for the product needs."""

    spec = Spec(
        "产品要件",
        Module.GUARANTEE_SETUP,
        title="category",
        listed=("category", "is_required", "copies", "needs_original", "has_expiry", "note"),
        order="category",
        scope=Scope(through="product"),
        in_menu=False,
        key=("product_id", "category"),
        demo=(
            {
                "product_id": "投标保函担保",
                "category": "LICENCE",
                "is_required": "1",
                "copies": "2",
                "needs_original": "1",
                "has_expiry": "1",
                "note": "招标文件要求的有效期内",
            },
        ),
    )
    __table_args__ = (UniqueConstraint("product_id", "category", name="uq_product_document"),)
    product_id: Mapped[int] = c.owned_by("产品", "product")
    product: Mapped[Product] = c.related(product_id)
    category: Mapped[str] = c.dictionary("要件类别", "document_category", required=True)
    is_required: Mapped[bool] = c.flag("必须提供", default=True)
    copies: Mapped[int] = c.whole(
        "份数", required=True, unit="份", minimum=1, maximum=99, default=1
    )
    needs_original: Mapped[bool] = c.flag("核对原件")
    has_expiry: Mapped[bool] = c.flag("有有效期", help="须登记有效期至；放款通知时须仍在有效期内")
    note: Mapped[str | None] = c.text("说明", 200)

    @property
    def is_noted(self) -> bool:
        """Whether a file alone does not show that the demand is met: somebody notes copies, original or expiry."""
        return self.copies > 1 or self.needs_original or self.has_expiry


class ProductRepayment(Entity):
    """A way of repayment that the product allows beside its usual one; without any row every way is allowed."""

    spec = Spec(
        "可选还款方式",
        Module.GUARANTEE_SETUP,
        title="method",
        order="method",
        scope=Scope(through="product"),
        listed=("method",),
        in_menu=False,
        key=("product_id", "method"),
        help="默认还款方式之外还可以选的；一行都不填表示不限。",
        demo=({"product_id": "投标保函担保", "method": "CUSTOM"},),
    )
    __table_args__ = (UniqueConstraint("product_id", "method", name="uq_product_repayment"),)
    product_id: Mapped[int] = c.owned_by("产品", "product", part=c.Part(25))
    product: Mapped[Product] = c.related(product_id)
    method: Mapped[RepaymentMethod] = c.enum("还款方式", RepaymentMethod, required=True)

    def __str__(self) -> str:
        """The way in words."""
        return self.method.label


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
        demo=(
            {
                "product_id": "投标保函担保",
                "kind": "GUARANTEE",
                "payment": "ONE_OFF",
                "rate_pct": "0.6",
                "is_rate_annual": "1",
                "vat_rate_pct": "6",
            },
        ),
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
