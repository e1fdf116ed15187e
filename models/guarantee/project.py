"""The guarantee project: from application to release (担保项目)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Decides, Entity, Found, News, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.customer.customer import Customer
from models.guarantee.bank import PartnerBank
from models.guarantee.product import GuaranteeKind, Product, RepaymentMethod
from models.guarantee.scheme import SharingScheme
from models.system.organization import Department, Employee


class Stage(Kind):
    """Stages of a project in the seed's order; this order is the acceptance test."""

    APPLY = "申请担保"
    EVALUATE = "受理评估"
    INTENT = "意向函"
    REVIEW = "评审审批"
    RISK = "风险控制"
    RESOLVE = "公司决议"
    FEE_PLAN = "费用登记"
    FEE_BOOK = "费用记账"
    CONTRACT = "合同处理"
    COUNTER = "反担保"
    FEE_COLLECT = "费用收取"
    NOTICE = "放款通知"
    CONFIRM = "放款确认"
    IN_FORCE = "在保"
    RELEASE = "解保"

    @property
    def rank(self) -> int:
        """Position in the line, from 0."""
        return list(Stage).index(self)


class ProjectState(Kind):
    """Where a project stands as a whole."""

    DRAFT = "草稿"
    RUNNING = "办理中"
    IN_FORCE = "在保"
    REFUSED = "已否决"
    CANCELLED = "已终止"
    RELEASED = "已解保"
    COMPENSATED = "已代偿"


UNDER_WAY = (ProjectState.DRAFT, ProjectState.RUNNING)
# What the company still has to do with: applied for, in force, or paid for in the customer's place.
GOING_ON = (*UNDER_WAY, ProjectState.IN_FORCE, ProjectState.COMPENSATED)
ENDED = (ProjectState.REFUSED, ProjectState.CANCELLED, ProjectState.RELEASED)


class SmallKind(Kind):
    """小微 size for the weights and the monthly form."""

    NONE = "非小微"
    SMALL = "小型企业"
    MICRO = "微型企业"
    OWNER = "小微企业主或个体工商户"


class IssuerGrade(Kind):
    """Rating of a bond's issuer; AA or above has a lower weight."""

    NONE = "不适用"
    AA_OR_ABOVE = "AA 级及以上"
    BELOW_AA = "AA 级以下"


class RenewalKind(Kind):
    """How a renewal goes on where its former project ends; only one kind stands beside it (4.12)."""

    REPAY_FIRST = "先还后贷"
    ROLLOVER = "无还本续贷"
    ALONGSIDE = "另行新增"


# The former loan is gone when the new one is drawn: limits count the two of them once.
REPLACING = (RenewalKind.REPAY_FIRST, RenewalKind.ROLLOVER)


PROJECT_SCOPE = Scope(
    owner="manager_id",
    department="department_id",
    members=("assistant_id", "risk_officer_id", "legal_officer_id"),
)


_ASKED = text("small_asked is not null")  # waits for a second person; hardly ever any


class Project(Entity):
    """A guarantee project: one customer's loan at one bank that the company guarantees."""

    spec = Spec(
        "担保项目",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        found=Found(
            20,
            lambda p: f"{p.customer.name} · {p.product.name} {p.amount / 10000:,.2f} 万元",
            loads=("customer", "product"),
        ),
        title="number",
        rank=10,
        order="-id",
        approvals={
            "project.review": Decides(free=("fee_rate_pct", "counter_offer")),
            "counter_guarantee": Decides(),
        },
        listed=(
            "number",
            "customer",
            "product",
            "bank",
            "amount",
            "balance",
            "end_on",
            "stage",
            "state",
            "manager",
        ),
        searched=("number", "old_number", "customer", "purpose_note"),
        filtered=(
            "stage",
            "state",
            "customer_id",
            "product_id",
            "bank_id",
            "manager_id",
            "department_id",
            "amount",
            "applied_on",
            "end_on",
            "guarantee_kind",
            "stage_since",
        ),
        sums=("amount", "balance"),
        scope=PROJECT_SCOPE,
        state="state",
        drafts=(ProjectState.DRAFT,),
        line="stage",
        runs=(ProjectState.RUNNING, ProjectState.IN_FORCE, ProjectState.COMPENSATED),
        key=("number",),
        news=News(
            150,
            made=("登记担保申请：", "{amount} 元，{term_months} 个月"),
            moved=(
                ("state", "RUNNING", "提交担保申请"),
                ("state", "REFUSED", "项目否决"),
                ("state", "COMPENSATED", "项目已代偿，担保责任履行完毕"),
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_project_amount"),
        CheckConstraint("balance >= 0 and reserved_amount >= 0", name="ck_project_balances"),
        CheckConstraint(
            "state <> 'IN_FORCE' or start_on is not null", name="ck_project_in_force_has_start"
        ),
        CheckConstraint(
            "end_on is null or start_on is null or end_on >= start_on", name="ck_project_dates"
        ),
        Index(
            "ix_project_amount", "amount", "balance"
        ),  # holds all that 全部合计 under the list needs
        Index("ix_project_end_on", "end_on"),
        Index("ix_project_manager_id", "manager_id", "state"),  # what the A角 does next
        Index(
            "ix_project_state_end_on", "state", "end_on"
        ),  # what falls due among what is in force
        # All that the desk sums of what is in force, whoever reads: no row is looked at.
        Index(
            "ix_project_desk",
            "state",
            "product_id",
            "balance",
            "manager_id",
            "assistant_id",
            "risk_officer_id",
            "legal_officer_id",
            "department_id",
        ),
        Index("ix_project_applied_on", "applied_on"),
        Index("ix_project_stage_since", "stage_since"),
        Index(
            "ix_project_small_asked",
            "small_asked_by_id",
            sqlite_where=_ASKED,
            postgresql_where=_ASKED,
        ),
    )
    number: Mapped[str] = c.computed(c.text("项目编号", 40, required=True, unique=True))
    old_number: Mapped[str | None] = c.computed(
        c.text("原系统编号", 40, index=True, help="历史补录的项目在原系统或台账中的编号")
    )
    customer_id: Mapped[int] = c.reference(
        "客户", "customer", required=True, group="申请", part=c.Part(100)
    )
    customer: Mapped[Customer] = c.related(customer_id)
    product_id: Mapped[int] = c.reference("产品", "product", required=True, group="申请")
    product: Mapped[Product] = c.related(product_id)
    bank_id: Mapped[int] = c.reference("合作银行", "partner_bank", required=True, group="申请")
    bank: Mapped[PartnerBank] = c.related(bank_id)
    amount: Mapped[Decimal] = c.money("担保金额", required=True, positive=True, group="申请")
    term_months: Mapped[int] = c.whole(
        "期限", required=True, unit="个月", minimum=1, maximum=360, group="申请"
    )
    purpose: Mapped[str] = c.correctable(
        c.dictionary("贷款用途", "loan_purpose", required=True, group="申请")
    )
    purpose_note: Mapped[str | None] = c.correctable(c.text("用途说明", 200, group="申请"))
    rate_annual_pct: Mapped[Decimal] = c.rate(
        "贷款年利率", unit="%/年", required=True, scale=6, maximum=Decimal(36), group="申请"
    )
    repayment_method: Mapped[RepaymentMethod] = c.enum(
        "还款方式", RepaymentMethod, required=True, group="申请"
    )
    fee_rate_pct: Mapped[Decimal] = c.rate(
        "担保费率", unit="%/年", required=True, scale=4, maximum=Decimal(20), group="申请"
    )
    bank_share_pct: Mapped[Decimal] = c.rate(
        "银行分担比例",
        unit="%",
        required=True,
        scale=2,
        group="申请",
        help="银行承担的风险比例，公司承担其余部分；选了分险方案的按方案",
    )
    # Added to a table to which others refer, where SQLite tells of no other action.
    scheme_id: Mapped[int | None] = c.reference(
        "分险方案",
        "sharing_scheme",
        group="申请",
        ondelete="NO ACTION",
        help="与再担保、财政等分担风险的项目选择；比例在放款时确定",
    )
    scheme: Mapped[SharingScheme | None] = c.related(scheme_id)
    counter_offer: Mapped[str | None] = c.correctable(
        c.long_text("拟提供反担保", group="申请", required=True)
    )
    guarantee_kind: Mapped[GuaranteeKind] = c.computed(
        c.enum("担保类别", GuaranteeKind, required=True, index=True)
    )
    small_kind: Mapped[SmallKind] = c.filled(
        c.enum(
            "小微属性", SmallKind, required=True, group="监管属性", help="不选则按客户的企业规模"
        )
    )
    small_reason: Mapped[str | None] = c.text(
        "小微属性说明", 200, group="监管属性", help="与客户的企业规模不一致时填写原因"
    )
    small_asked: Mapped[SmallKind | None] = c.computed(
        c.enum("更正后的小微属性", SmallKind, group="监管属性")
    )
    small_asked_reason: Mapped[str | None] = c.computed(
        c.text("小微属性更正原因", 200, group="监管属性")
    )
    small_asked_by_id: Mapped[int | None] = c.computed(
        c.reference("更正提出人", "employee", index=False, group="监管属性", ondelete="NO ACTION")
    )
    small_asked_by: Mapped[Employee | None] = c.related(small_asked_by_id)
    is_farmer: Mapped[bool] = c.correctable(c.flag("农户", group="监管属性"))
    is_agriculture: Mapped[bool] = c.correctable(c.flag("涉农", group="监管属性"))
    is_internet: Mapped[bool] = c.correctable(c.flag("互联网借款", group="监管属性"))
    is_housing: Mapped[bool] = c.correctable(c.flag("住房置业", group="监管属性"))
    issuer_grade: Mapped[IssuerGrade] = c.enum(
        "债券发行人评级", IssuerGrade, required=True, group="监管属性", default=IssuerGrade.NONE
    )
    assistant_id: Mapped[int | None] = c.reference("B角", "employee", required=True, group="承办")
    assistant: Mapped[Employee | None] = c.related(assistant_id)
    manager_id: Mapped[int | None] = c.computed(c.reference("A角", "employee", index=False))
    manager: Mapped[Employee | None] = c.related(manager_id)
    department_id: Mapped[int | None] = c.computed(c.reference("承办部门", "department"))
    department: Mapped[Department | None] = c.related(department_id)
    risk_officer_id: Mapped[int | None] = c.computed(c.reference("风控复核人", "employee"))
    risk_officer: Mapped[Employee | None] = c.related(risk_officer_id)
    legal_officer_id: Mapped[int | None] = c.computed(c.reference("法务", "employee"))
    legal_officer: Mapped[Employee | None] = c.related(legal_officer_id)
    # Added to a table to which others refer, where SQLite tells of no other action; it keeps what is renewed as well.
    renewed_from_id: Mapped[int | None] = c.computed(
        c.reference("续保自", "project", ondelete="NO ACTION")
    )
    # What the product said when the application was submitted: a project keeps the line that it set out on.
    has_intent: Mapped[bool] = c.computed(c.flag("出具意向函", default=True))
    has_board: Mapped[bool] = c.computed(c.flag("上审保会", default=True))
    has_counter: Mapped[bool] = c.computed(c.flag("要求反担保", default=True))
    renewal_kind: Mapped[RenewalKind | None] = c.enum(
        "续保方式",
        RenewalKind,
        group="申请",
        help="先还后贷：原借款还清后才能放款；无还本续贷：放款当日以新借款结清原借款，限于同一银行；"
        "这两种与原项目只占一份额度。另行新增：与原项目同时在保，额度分别计算",
    )
    stage: Mapped[Stage] = c.state("阶段", Stage, Stage.APPLY)
    state: Mapped[ProjectState] = c.state("状态", ProjectState, ProjectState.DRAFT)
    stage_since: Mapped[date | None] = c.computed(c.day("进入阶段日期"))
    applied_on: Mapped[date | None] = c.computed(c.day("申请日期"))
    start_on: Mapped[date | None] = c.computed(c.day("担保起始日"))
    end_on: Mapped[date | None] = c.computed(c.day("担保到期日"))
    balance: Mapped[Decimal] = c.computed(c.money("在保余额", required=True, default=Decimal(0)))
    reserved_amount: Mapped[Decimal] = c.computed(
        c.money(
            "决议占用额",
            required=True,
            default=Decimal(0),
            help="决议通过后预占的额度，放款确认时转为在保余额",
        )
    )


class ProjectDocument(Entity):
    """What of a document (要件) was handed in: how many copies, whether against the original, until when it holds."""

    spec = Spec(
        "要件登记",
        Module.GUARANTEE,
        title="category",
        order="category",
        listed=("category", "copies", "is_original", "valid_until", "note"),
        scope=Scope(through="project"),
        in_menu=False,
        key=("project_id", "category"),
        help="产品要求份数、核对原件或有效期的要件，在上传附件之外登记。",
        demo=(
            {
                "project_id": "*",
                "category": "LICENCE",
                "copies": "2",
                "is_original": "1",
                "valid_until": "+365",
            },
        ),
    )
    __table_args__ = (UniqueConstraint("project_id", "category", name="uq_project_document"),)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(60, adds=tuple(Stage)[:13])
    )
    project: Mapped[Project] = c.related(project_id)
    category: Mapped[str] = c.dictionary("要件类别", "document_category", required=True)
    copies: Mapped[int] = c.whole(
        "份数", required=True, unit="份", minimum=1, maximum=99, default=1
    )
    is_original: Mapped[bool] = c.flag("已核对原件")
    valid_until: Mapped[date | None] = c.day("有效期至")
    note: Mapped[str | None] = c.text("说明", 200)


class ProjectStage(Entity):
    """One pass through a stage: since when, until when, by whom (the stage line and 5.2 read it)."""

    spec = Spec(
        "阶段记录",
        Module.GUARANTEE,
        SpecKind.LOG,
        title="stage",
        order="id",
        listed=("stage", "entered_on", "left_on", "done_by", "outcome"),
        scope=Scope(through="project"),
        in_menu=False,
    )
    __table_args__ = (
        CheckConstraint("left_on is null or left_on >= entered_on", name="ck_project_stage_dates"),
    )
    project_id: Mapped[int] = c.owned_by("担保项目", "project", part=None)
    project: Mapped[Project] = c.related(project_id)
    stage: Mapped[Stage] = c.enum("阶段", Stage, required=True, index=True)
    entered_on: Mapped[date] = c.day("进入日期", required=True)
    left_on: Mapped[date | None] = c.day("离开日期")
    done_by_id: Mapped[int | None] = c.reference("办理人", "employee")
    done_by: Mapped[Employee | None] = c.related(done_by_id)
    outcome: Mapped[str] = c.text("结果", 60)


class ProjectHolder(Entity):
    """Who held a role on a project and since when; a hand-over (移交) keeps the earlier holder here."""

    spec = Spec(
        "承办记录",
        Module.GUARANTEE,
        SpecKind.LOG,
        title="role",
        order="id",
        listed=("role", "employee", "since_on", "until_on"),
        scope=Scope(through="project"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("project_id", "role", "since_on", "employee_id", name="uq_project_holder"),
    )
    project_id: Mapped[int] = c.owned_by("担保项目", "project", part=c.Part(900))
    project: Mapped[Project] = c.related(project_id)
    role: Mapped[str] = c.text("角色", 20, required=True)
    employee_id: Mapped[int] = c.reference("员工", "employee", required=True)
    employee: Mapped[Employee] = c.related(employee_id)
    since_on: Mapped[date] = c.day("起始日期", required=True)
    until_on: Mapped[date | None] = c.day("截止日期")
