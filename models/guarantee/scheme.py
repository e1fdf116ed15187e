"""分险方案 (4.10): who bears which part of a guarantee, who is admitted to it, and when a bank's batches stop."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.customer.partner import GuaranteeCompany
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product


class SharingParty(Kind):
    """Who bears a part of the risk, in the order in which shares are written down (银担分险)."""

    BANK = "银行"
    OWN = "原担保（本公司）"
    PROVINCE = "省再担保"
    NATIONAL = "国担"
    FUND = "风险补偿资金"

    @property
    def is_reguarantor(self) -> bool:
        """Whether it re-guarantees what the company guarantees: projects are filed with it and fees go to it."""
        return self in (SharingParty.PROVINCE, SharingParty.NATIONAL)


class SchemeState(Kind):
    """A version is drawn up, holds, and is closed by the next one."""

    DRAFT = "草稿"
    ACTIVE = "启用"
    RETIRED = "停用"


class BreakerBasis(Kind):
    """Over which time 代偿 is set against what was released."""

    YEAR = "本年"
    EVER = "累计"


class SharingScheme(Entity):
    """One version of a scheme; once in use it never changes, so what a project came under can be read for ever."""

    spec = Spec(
        "分险方案",
        Module.GUARANTEE_SETUP,
        SpecKind.DOCUMENT,
        rank=15,
        order="code",
        key=("code", "version_no"),
        listed=("code", "name", "version_no", "valid_from", "valid_to", "filing_days", "state"),
        searched=("code", "name"),
        filtered=("state", "valid_to"),
        state="state",
        drafts=(SchemeState.DRAFT,),
        help="分担比例、保费分成各合计 100% 才能启用；启用后不能修改，需建立新版本。"
        "已放款的项目按放款时的比例，不受新版本影响。",
        config=Config(of=("code",), in_force=(SchemeState.ACTIVE,)),
    )
    __table_args__ = (
        UniqueConstraint("code", "version_no", name="uq_sharing_scheme_version"),
        CheckConstraint(
            "valid_to is null or valid_to >= valid_from", name="ck_sharing_scheme_validity"
        ),
        CheckConstraint(
            "(state = 'DRAFT') = (enabled_on is null)", name="ck_sharing_scheme_enabled"
        ),
        Index(
            "uq_sharing_scheme_active",
            "code",
            unique=True,
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
    )
    code: Mapped[str] = c.text("方案编码", 20, required=True, check="code")
    version_no: Mapped[int] = c.computed(c.whole("版本号", required=True, default=1, minimum=1))
    name: Mapped[str] = c.text("方案名称", 60, required=True)
    valid_from: Mapped[date] = c.day("有效期自", required=True, help="这一天起的申请可选用")
    valid_to: Mapped[date | None] = c.day("有效期至", index=True, help="留空表示长期")
    breaker_basis: Mapped[BreakerBasis] = c.enum(
        "代偿率口径",
        BreakerBasis,
        required=True,
        default=BreakerBasis.YEAR,
        help="代偿率 = 代偿 / 解除（含代偿），按本年或方案开办以来累计",
    )
    filing_days: Mapped[int] = c.whole(
        "再担保备案期限",
        required=True,
        default=30,
        unit="天",
        minimum=1,
        maximum=365,
        help="放款后多少天内应报送备案",
    )
    agreement_no: Mapped[str | None] = c.text("合作协议编号", 60)
    note: Mapped[str | None] = c.text("说明", 300)
    enabled_on: Mapped[date | None] = c.computed(c.day("启用日期"))
    state: Mapped[SchemeState] = c.state("状态", SchemeState, SchemeState.DRAFT)
    shares: Mapped[list["SchemeShare"]] = c.related(
        order_by="SchemeShare.id", cascade="all, delete-orphan", back_populates="scheme"
    )
    banks: Mapped[list["SchemeBank"]] = c.related(
        order_by="SchemeBank.id", cascade="all, delete-orphan", back_populates="scheme"
    )
    products: Mapped[list["SchemeProduct"]] = c.related(
        order_by="SchemeProduct.id", cascade="all, delete-orphan", back_populates="scheme"
    )
    rules: Mapped[list["SchemeRule"]] = c.related(
        order_by="SchemeRule.id", cascade="all, delete-orphan", back_populates="scheme"
    )

    def __str__(self) -> str:
        """Its name, with the version from the second on."""
        return self.name if self.version_no == 1 else f"{self.name}（第 {self.version_no} 版）"


class SchemeShare(Entity):
    """The part of the risk and of the fee that one party takes."""

    spec = Spec(
        "分担比例",
        Module.GUARANTEE_SETUP,
        title="party",
        order="id",
        listed=("party", "company", "share_pct", "fee_share_pct"),
        key=("scheme_id", "party"),
        scope=Scope(through="scheme"),
        in_menu=False,
    )
    __table_args__ = (UniqueConstraint("scheme_id", "party", name="uq_scheme_share_party"),)
    scheme_id: Mapped[int] = c.owned_by("分险方案", "sharing_scheme", part=c.Part(10))
    scheme: Mapped[SharingScheme] = c.related(scheme_id, back_populates="shares")
    party: Mapped[SharingParty] = c.enum("分担方", SharingParty, required=True)
    company_id: Mapped[int | None] = c.reference(
        "再担保公司", "guarantee_company", help="省再担保、国担填写；备案和分保账单按它汇总"
    )
    company: Mapped[GuaranteeCompany | None] = c.related(company_id)
    share_pct: Mapped[Decimal] = c.rate("分担比例", scale=4, required=True)
    fee_share_pct: Mapped[Decimal] = c.rate(
        "保费分成比例", scale=4, required=True, default=Decimal(0)
    )


class SchemeBank(Entity):
    """A bank that takes part, with the rate at which its batches stop and what was there before the system."""

    spec = Spec(
        "适用银行",
        Module.GUARANTEE_SETUP,
        title="bank",
        order="id",
        listed=("bank", "breaker_pct", "customer_cap", "opening_on", "opening_compensated"),
        key=("scheme_id", "bank_id"),
        scope=Scope(through="scheme"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("scheme_id", "bank_id", name="uq_scheme_bank"),
        CheckConstraint(
            "opening_released >= opening_compensated", name="ck_scheme_bank_opening_released"
        ),
    )
    scheme_id: Mapped[int] = c.owned_by("分险方案", "sharing_scheme", part=c.Part(20))
    scheme: Mapped[SharingScheme] = c.related(scheme_id, back_populates="banks")
    bank_id: Mapped[int] = c.reference(
        "合作银行", "partner_bank", required=True, help="含其没有单独列出的下级行"
    )
    bank: Mapped[PartnerBank] = c.related(bank_id)
    breaker_pct: Mapped[Decimal] = c.rate(
        "代偿率上限", scale=4, required=True, help="代偿率达到或超过时，停办下一批"
    )
    customer_cap: Mapped[Decimal | None] = c.money(
        "单户上限", positive=True, help="同一客户在本方案下的在保余额与申请合计，留空不限"
    )
    opening_on: Mapped[date | None] = c.day(
        "期初截止日", group="上线前", help="上线前的数截至哪一天；口径为本年的只计当年"
    )
    opening_compensated: Mapped[Decimal] = c.money(
        "期初代偿", required=True, default=Decimal(0), group="上线前"
    )
    opening_released: Mapped[Decimal] = c.money(
        "期初解除", required=True, default=Decimal(0), group="上线前", help="含代偿"
    )


class SchemeProduct(Entity):
    """A product that may be guaranteed under the scheme."""

    spec = Spec(
        "适用产品",
        Module.GUARANTEE_SETUP,
        title="product",
        order="id",
        listed=("product",),
        key=("scheme_id", "product_id"),
        scope=Scope(through="scheme"),
        in_menu=False,
    )
    __table_args__ = (UniqueConstraint("scheme_id", "product_id", name="uq_scheme_product"),)
    scheme_id: Mapped[int] = c.owned_by("分险方案", "sharing_scheme", part=c.Part(30))
    scheme: Mapped[SharingScheme] = c.related(scheme_id, back_populates="products")
    product_id: Mapped[int] = c.reference("产品", "product", required=True)
    product: Mapped[Product] = c.related(product_id)


class RuleUse(Kind):
    """What follows where a condition of a scheme does not hold."""

    ADMISSION = "不适用本方案"
    FILING = "不能再担保备案"


class SchemeRule(Entity):
    """A condition on project, customer or loan, for the scheme itself or for its 再担保备案."""

    spec = Spec(
        "方案条件",
        Module.GUARANTEE_SETUP,
        order="id",
        listed=("name", "use", "condition", "basis"),
        key=("scheme_id", "name"),
        scope=Scope(through="scheme"),
        in_menu=False,
    )
    __table_args__ = (UniqueConstraint("scheme_id", "name", name="uq_scheme_rule"),)
    scheme_id: Mapped[int] = c.owned_by("分险方案", "sharing_scheme", part=c.Part(40))
    scheme: Mapped[SharingScheme] = c.related(scheme_id, back_populates="rules")
    name: Mapped[str] = c.text("条件名称", 60, required=True)
    use: Mapped[RuleUse] = c.enum("不符合时", RuleUse, required=True, default=RuleUse.ADMISSION)
    condition: Mapped[str] = c.condition("须满足的条件", of="project", required=True)
    basis: Mapped[str | None] = c.text("依据", 200)
