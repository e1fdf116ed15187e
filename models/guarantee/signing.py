"""签约办理: fees, contracts and counter-guarantees of a project (4.4)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Decides, Entity, Found, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import Booked, PaperState
from models.customer.customer import Customer
from models.guarantee.paper import ProjectPaper
from models.guarantee.product import FeeKind, FeePayment
from models.guarantee.project import Project, Stage
from models.ledger.event import FEE_BACK, credit, debit, entered
from models.system.records import IssuedDocument


class FeeState(Kind):
    """A fee is registered, waits for 复核, stands in the books until it is collected or waived, or ends unpaid for."""

    DRAFT = "待提交"
    SUBMITTED = "待复核"
    BOOKED = "已记账"
    CANCELLED = "已撤销"


class Fee(Entity):
    """A fee agreed for a project (费用登记); amounts are tax-inclusive."""

    spec = Spec(
        "费用登记",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.SIGNING,
        title="kind",
        rank=70,
        order="id",
        listed=(
            "project",
            "kind",
            "payment",
            "rate_pct",
            "amount",
            "vat_amount",
            "collected_amount",
            "waived_amount",
            "state",
        ),
        filtered=("project_id", "kind", "state"),
        sums=("amount", "collected_amount", "waived_amount"),
        scope=Scope(through="project"),
        state="state",
        drafts=(FeeState.DRAFT,),
        key=("project_id", "kind"),
        news=News(140, made=("登记费用：", "{kind}")),
    )
    __table_args__ = (
        UniqueConstraint("project_id", "kind", name="uq_fee"),
        CheckConstraint(
            "amount >= 0 and vat_amount >= 0 and vat_amount <= amount", name="ck_fee_amount"
        ),
        CheckConstraint("collected_amount + waived_amount <= amount", name="ck_fee_collected"),
    )
    project_id: Mapped[int] = c.reference(
        "担保项目",
        "project",
        required=True,
        part=c.Part(
            30,
            since=Stage.FEE_PLAN,
            adds=(Stage.FEE_PLAN,),
            opens=(
                Stage.FEE_PLAN,
                Stage.FEE_BOOK,
                Stage.FEE_COLLECT,
            ),
        ),
    )
    project: Mapped[Project] = c.related(project_id)
    kind: Mapped[FeeKind] = c.enum("费用种类", FeeKind, required=True, index=True)
    payment: Mapped[FeePayment] = c.enum(
        "收取方式", FeePayment, required=True, default=FeePayment.ONE_OFF
    )
    rate_pct: Mapped[Decimal] = c.rate("费率", unit="%", required=True, scale=4)
    is_rate_annual: Mapped[bool] = c.flag("按年计费", default=True)
    vat_rate_pct: Mapped[Decimal] = c.rate(
        "增值税率", unit="%", required=True, scale=2, help="0 表示免税"
    )
    vat_filing: Mapped[str | None] = c.text(
        "免税备案或资料编号",
        100,
        help="免征增值税的担保费必填：备案号，或留存备查资料的编号；材料作为附件上传",
    )
    fixed_amount: Mapped[Decimal | None] = c.money("约定金额", help="填写后不按费率计算")
    note: Mapped[str | None] = c.text("备注", 200)
    amount: Mapped[Decimal] = c.computed(c.money("应收金额", required=True, default=Decimal(0)))
    vat_amount: Mapped[Decimal] = c.computed(
        c.money("其中增值税", required=True, default=Decimal(0))
    )
    vat_exemption: Mapped[str | None] = c.computed(c.text("免税依据", 200))
    vat_pending_amount: Mapped[Decimal] = c.computed(
        c.money(
            "待转销项税额",
            signed=True,
            required=True,
            default=Decimal(0),
            help="未到期、未开票部分的增值税",
        )
    )
    collected_amount: Mapped[Decimal] = c.computed(
        c.money("已收金额", required=True, default=Decimal(0))
    )
    waived_amount: Mapped[Decimal] = c.computed(
        c.money("已减免及冲回金额", required=True, default=Decimal(0))
    )
    returned_reason: Mapped[str | None] = c.computed(c.text("复核退回原因", 200))
    state: Mapped[FeeState] = c.state("状态", FeeState, FeeState.DRAFT)

    def __str__(self) -> str:
        """Kind of the fee in words."""
        return self.kind.label

    @property
    def open_amount(self) -> Decimal:
        """What is still to be collected, in 元."""
        return self.amount - self.collected_amount - self.waived_amount


_DUE = text("settled_amount < amount")  # what is still to be collected, a sliver of all


class FeeDue(Entity):
    """One instalment of a fee's plan: when how much falls due, and the part collected."""

    spec = Spec(
        "应收计划",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="seq",
        order="seq",
        in_menu=False,
        listed=("seq", "due_on", "amount", "settled_amount", "invoiced_on"),
        sums=("amount", "settled_amount"),
        scope=Scope(through="fee"),
    )
    __table_args__ = (
        UniqueConstraint("fee_id", "seq", name="uq_fee_due"),
        CheckConstraint(
            "settled_amount >= 0 and settled_amount <= amount", name="ck_fee_due_settled"
        ),
        Index("ix_fee_due_seq", "seq"),  # the list's own order
        Index("ix_fee_due_open", "due_on", sqlite_where=_DUE, postgresql_where=_DUE),
    )
    fee_id: Mapped[int] = c.owned_by("费用", "fee")
    fee: Mapped[Fee] = c.related(fee_id)
    seq: Mapped[int] = c.whole("期次", required=True, minimum=1)
    due_on: Mapped[date] = c.day("应收日期", required=True, index=True)
    amount: Mapped[Decimal] = c.money("应收金额", required=True)
    settled_amount: Mapped[Decimal] = c.money("已收及减免", required=True, default=Decimal(0))
    invoiced_on: Mapped[date | None] = c.day(
        "开票日期", help="先于应收日期开票的，增值税自开票之日起计"
    )
    invoice_number: Mapped[str | None] = c.text("发票号码", 40)


class ReceiptState(Kind):
    """A receipt waits for 复核 and then stands in the books, until the money goes back."""

    SUBMITTED = "待复核"
    BOOKED = "已记账"
    RETURNED = "已退回"
    REFUNDED = "已退费"


class Receipt(Entity):
    """Money received for a fee (费用收取); one transfer for several fees is one number with a line of each."""

    spec = Spec(
        "费用收取",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.LENDING,
        title="number",
        rank=100,
        listed=("number", "project", "fee", "received_on", "amount", "payer", "state"),
        searched=("number", "payer"),
        filtered=("project_id", "received_on", "state"),
        sums=("amount",),
        scope=Scope(through="project"),
        news=News(10, made=("收取", "{fee_id} {amount} 元，收据 {number}")),
    )
    __table_args__ = (
        UniqueConstraint("number", "fee_id", name="uq_receipt_line"),
        CheckConstraint("amount > 0", name="ck_receipt_amount"),
    )
    number: Mapped[str] = c.text("收据编号", 40, required=True)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(40, since=Stage.FEE_COLLECT)
    )
    project: Mapped[Project] = c.related(project_id)
    fee_id: Mapped[int] = c.reference("费用", "fee", required=True)
    fee: Mapped[Fee] = c.related(fee_id)
    received_on: Mapped[date] = c.day("收款日期", required=True, index=True)
    amount: Mapped[Decimal] = c.money("收款金额", required=True, positive=True)
    payer: Mapped[str] = c.correctable(c.text("付款人", 100, required=True))
    bank_account: Mapped[str | None] = c.correctable(c.text("收款账户", 100))
    bank_reference: Mapped[str | None] = c.correctable(c.text("银行流水号", 60))
    document_id: Mapped[int | None] = c.reference("收据", "issued_document")
    document: Mapped[IssuedDocument | None] = c.related(document_id)
    state: Mapped[ReceiptState] = c.state("状态", ReceiptState, ReceiptState.SUBMITTED)


class FeeWaiver(Booked, ProjectPaper):
    """A waiver of a fee or a part of it; approved, it reverses the receivable (费用减免)."""

    spec = Spec(
        "费用减免",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.LENDING,
        title="number",
        rank=110,
        listed=("number", "project", "fee", "amount", "reason", "state", "is_booked"),
        searched=("number", "reason"),
        filtered=("project_id", "state"),
        sums=("amount",),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        approvals={"fee.waiver": Decides(lowered=("amount",))},
        seeds=entered(
            "fee.waived",
            "费用减免",
            debit("1122", "gross", is_red=True),
            credit("2203", "deferred", is_red=True),
            credit("6031", "recognised", is_red=True),
            credit("6021", "earned", is_red=True),
            credit("2221.01.02", "tax", is_red=True),
            credit("2221.09", "tax_pending", is_red=True),
            word="transfer",
            memo="减免{客户}{项目}应收费用",
            amounts=FEE_BACK,
            total=("gross",),
        ),
        news=News(80, made=("登记减免：", "{fee_id} {amount} 元，{reason}")),
    )
    __table_args__ = (CheckConstraint("amount > 0", name="ck_fee_waiver_amount"),)
    number_label = "减免编号"
    part = c.Part(110, since=Stage.FEE_COLLECT)
    fee_id: Mapped[int] = c.reference("费用", "fee", required=True)
    fee: Mapped[Fee] = c.related(fee_id)
    amount: Mapped[Decimal] = c.money("减免金额", required=True, positive=True)
    reason: Mapped[str] = c.text("减免原因", 300, required=True)


class ContractKind(Kind):
    """Contracts of a guarantee."""

    ENTRUSTMENT = "委托担保合同"
    GUARANTEE = "保证合同"
    COUNTER = "反担保合同"


class Liability(Kind):
    """In which way a guarantor answers."""

    JOINT = "连带责任保证"
    GENERAL = "一般保证"


class CoveredParts(Kind):
    """What of a debt a guarantee covers."""

    PRINCIPAL = "本金"
    INTEREST = "本金和利息"
    ALL = "本金、利息和实现债权的费用"

    @property
    def words(self) -> tuple[str, ...]:
        """The parts by their names."""
        return ("本金", "利息", "费用")[: list(CoveredParts).index(self) + 1]


class Contract(ProjectPaper):
    """A contract of a project (合同处理); signed, checked and approved before anything is paid out."""

    spec = Spec(
        "合同",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        found=Found(
            30,
            lambda one: f"{one.project.customer.name} · {one.kind.label}",
            loads=("project.customer",),
        ),
        group=MenuGroup.SIGNING,
        approvals={"contract": Decides()},
        title="number",
        rank=80,
        listed=(
            "number",
            "kind",
            "project",
            "counterparty",
            "amount",
            "signed_on",
            "starts_on",
            "ends_on",
            "state",
        ),
        searched=("number", "counterparty"),
        filtered=("project_id", "kind", "state", "signed_on", "ends_on"),
        sums=("amount",),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        key=("number",),
        news=News(110, made=("起草", "{kind} {number}")),
    )
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ck_contract_dates"),
        CheckConstraint("amount > 0", name="ck_contract_amount"),
    )
    is_step = True
    number_label = "合同编号"
    part = c.Part(20, since=Stage.CONTRACT, adds=(Stage.CONTRACT,), opens=(Stage.CONTRACT,))
    kind: Mapped[ContractKind] = c.enum("合同种类", ContractKind, required=True, index=True)
    counter_guarantee_id: Mapped[int | None] = c.reference(
        "反担保",
        "counter_guarantee",
        help="反担保合同填写：每个保证人、每项财产各签一份",
        ondelete="NO ACTION",
        part=c.Part(),
    )
    counter_guarantee: Mapped["CounterGuarantee | None"] = c.related(counter_guarantee_id)
    counterparty: Mapped[str] = c.correctable(c.text("对方当事人", 100, required=True))
    main_number: Mapped[str | None] = c.correctable(
        c.text("主合同编号", 60, help="银行借款合同的编号")
    )
    amount: Mapped[Decimal] = c.money("合同金额", required=True, positive=True)
    signed_on: Mapped[date] = c.correctable(c.day("签约日期", required=True, index=True))
    starts_on: Mapped[date] = c.day("起始日期", required=True)
    ends_on: Mapped[date] = c.day("到期日期", required=True, index=True)
    liability: Mapped[Liability | None] = c.enum(
        "保证方式", Liability, group="担保范围与期间", help="保证合同填写；不选为连带责任保证"
    )
    share_pct: Mapped[Decimal | None] = c.rate(
        "承担比例",
        unit="%",
        scale=2,
        group="担保范围与期间",
        help="保证合同填写；不填按项目的分担比例",
    )
    covered_parts: Mapped[CoveredParts | None] = c.enum(
        "担保范围",
        CoveredParts,
        group="担保范围与期间",
        help="保证合同填写；不选为本金、利息和费用",
    )
    cap_amount: Mapped[Decimal | None] = c.money(
        "最高担保额", positive=True, group="担保范围与期间", help="约定了上限的填写"
    )
    period_months: Mapped[int | None] = c.whole(
        "保证期间",
        unit="个月",
        minimum=1,
        maximum=120,
        group="担保范围与期间",
        help="自主债务履行期限届满之日起；不填按参数“保证期间”（民法典第692条）",
    )
    terms: Mapped[str | None] = c.long_text("特别约定")
    document_id: Mapped[int | None] = c.computed(c.reference("合同文本", "issued_document"))
    document: Mapped[IssuedDocument | None] = c.related(document_id)


class CounterKind(Kind):
    """Kinds of counter-guarantee."""

    MORTGAGE = "抵押"
    PLEDGE = "质押"
    SURETY = "保证"
    DEPOSIT = "保证金"
    OTHER = "其他"

    @property
    def needs_value(self) -> bool:
        """抵押 and 质押 are worth an appraised value; a surety is worth the person."""
        return self in (CounterKind.MORTGAGE, CounterKind.PLEDGE)

    @property
    def needs_contract(self) -> bool:
        """An asset or a surety binds by a contract of its own; money paid in does not."""
        return self.needs_value or self is CounterKind.SURETY


class CounterGuarantee(Entity):
    """A counter-guarantee of a project (反担保): an asset, a person or money, and whether it is settled."""

    spec = Spec(
        "反担保",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.SIGNING,
        title="name",
        rank=90,
        order="id",
        listed=(
            "project",
            "kind",
            "name",
            "appraised_value",
            "rate_pct",
            "recognised_value",
            "is_settled",
            "state",
        ),
        searched=("name", "certificate_no"),
        filtered=("project_id", "kind", "state", "is_settled"),
        sums=("appraised_value", "recognised_value"),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        news=News(
            120,
            made=("登记反担保：", "{name}"),
            moved=(("is_settled", True, "落实反担保 {title}：{settled_evidence}"),),
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "not is_settled or settled_evidence is not null", name="ck_counter_guarantee_settled"
        ),
        CheckConstraint(
            "appraised_value is null or appraised_value > 0", name="ck_counter_guarantee_value"
        ),
        CheckConstraint(
            "released_on is null or state = 'APPROVED'", name="ck_counter_guarantee_released"
        ),
    )
    project_id: Mapped[int] = c.reference(
        "担保项目",
        "project",
        required=True,
        part=c.Part(
            since=Stage.CONTRACT,
            adds=(
                Stage.CONTRACT,
                Stage.COUNTER,
            ),
            opens=(Stage.COUNTER,),
        ),
    )
    project: Mapped[Project] = c.related(project_id)
    kind: Mapped[CounterKind] = c.enum("方式", CounterKind, required=True, index=True)
    asset_kind: Mapped[str | None] = c.dictionary(
        "反担保物种类", "collateral_kind", help="抵押、质押时填写，决定抵押率上限"
    )
    name: Mapped[str] = c.text("反担保物 / 保证人", 120, required=True)
    guarantor_id: Mapped[int | None] = c.reference(
        "保证人客户", "customer", help="保证人是本公司客户时选择"
    )
    guarantor: Mapped[Customer | None] = c.related(guarantor_id)
    certificate_no: Mapped[str | None] = c.correctable(c.text("权证号码", 60))
    appraised_value: Mapped[Decimal | None] = c.money("评估值")
    rate_pct: Mapped[Decimal | None] = c.rate("抵押率", unit="%", scale=2)
    recognised_value: Mapped[Decimal | None] = c.computed(c.money("认定值"))
    is_settled: Mapped[bool] = c.computed(c.flag("已落实", index=True))
    settled_on: Mapped[date | None] = c.computed(c.day("落实日期"))
    settled_evidence: Mapped[str | None] = c.computed(c.text("落实依据", 200))
    released_on: Mapped[date | None] = c.computed(
        c.day("解除日期", help="解保批准之日，反担保责任随之解除")
    )
    state: Mapped[PaperState] = c.state("状态", PaperState, PaperState.DRAFT)
