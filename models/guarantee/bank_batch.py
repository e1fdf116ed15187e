"""批量 · 见贷即保 (4.9): a bank's list of loans, checked row by row, accepted as a whole, and looked at by samples."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import Paper, PaperState
from models.base.rows import MANAGER, decided, numbered
from models.customer.customer import Customer
from models.customer.rating_model import CustomerKind
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product, RepaymentMethod
from models.guarantee.project import Project, SmallKind, Stage
from models.guarantee.scheme import SharingScheme
from models.system.organization import Department, Employee


class BankBatch(Paper):
    """A bank's list under a scheme: approved as a whole, each of its loans is guaranteed from its drawdown on."""

    spec = Spec(
        "批量业务",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        title="number",
        group=MenuGroup.SHARING,
        rank=80,
        listed=(
            "number",
            "bank",
            "scheme",
            "product",
            "row_count",
            "amount",
            "handler",
            "approved_on",
            "state",
        ),
        searched=("number", "note"),
        filtered=("bank_id", "scheme_id", "product_id", "handler_id", "approved_on", "state"),
        sums=("amount",),
        scope=Scope(owner="handler_id", department="department_id"),
        state="state",
        drafts=(PaperState.DRAFT,),
        help="见贷即保：银行已放款的清单从 Excel 导入“批量明细”，逐行形式审查，整批审批；"
        "通过后直接成为在保项目，不再逐笔调查、评审。代偿率达到上限的，停办下一批。",
        on_sheet=("note", "breaker", "checks_failed"),
        seeds=(
            *numbered("bank_batch", "批量业务编号", "PL{yyyy}-{no:04d}"),
            *decided(
                "bank_batch",
                "批量承保",
                ("部门经理审核", MANAGER),
                ("风控审批", "risk"),
                remark="银行批量业务（见贷即保）整批承保",
                sort_no=185,
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint("amount >= 0 and row_count >= 0", name="ck_bank_batch_figures"),
        CheckConstraint(
            "(state = 'APPROVED') = (approved_on is not null)", name="ck_bank_batch_approved"
        ),
    )
    number_label = "批次编号"
    scheme_id: Mapped[int] = c.reference("分险方案", "sharing_scheme", required=True)
    scheme: Mapped[SharingScheme] = c.related(scheme_id)
    bank_id: Mapped[int] = c.reference("合作银行", "partner_bank", required=True)
    bank: Mapped[PartnerBank] = c.related(bank_id)
    product_id: Mapped[int] = c.reference(
        "产品", "product", required=True, help="开通批量业务的产品，须在分险方案内"
    )
    product: Mapped[Product] = c.related(product_id)
    fee_rate_pct: Mapped[Decimal] = c.filled(
        c.rate(
            "担保费率",
            unit="%/年",
            required=True,
            scale=4,
            maximum=Decimal(20),
            help="不填则按产品；整批一个费率",
        )
    )
    assistant_id: Mapped[int] = c.reference("B角", "employee", required=True)
    assistant: Mapped[Employee] = c.related(assistant_id)
    vat_filing: Mapped[str | None] = c.text(
        "免税备案或资料编号", 100, help="有免征增值税的客户时必填"
    )
    note: Mapped[str | None] = c.text("说明", 200)
    row_count: Mapped[int] = c.computed(c.whole("笔数", required=True, default=0, unit="笔"))
    amount: Mapped[Decimal] = c.computed(c.money("担保金额", required=True, default=Decimal(0)))
    breaker: Mapped[str | None] = c.computed(c.text("提交时代偿率", 300))
    checks_failed: Mapped[str | None] = c.computed(
        c.text("以往抽查", 200, help="该行在本方案下已办结的抽查")
    )
    sample_pct: Mapped[Decimal | None] = c.computed(c.rate("抽查比例", scale=2))
    handler_id: Mapped[int | None] = c.computed(c.reference("经办人", "employee"))
    handler: Mapped[Employee | None] = c.related(handler_id)
    department_id: Mapped[int | None] = c.computed(c.reference("经办部门", "department"))
    department: Mapped[Department | None] = c.related(department_id)
    approved_on: Mapped[date | None] = c.computed(c.day("通过日期", index=True))


class BatchLoan(Entity):
    """A loan of a bank's list, as its file had it; `project` is what became of it."""

    spec = Spec(
        "批量明细",
        Module.GUARANTEE,
        title="customer_name",
        group=MenuGroup.SHARING,
        rank=81,
        order="id",
        listed=(
            "batch",
            "customer_name",
            "bank_note_no",
            "amount",
            "drawn_on",
            "due_on",
            "project",
            "rate_annual_pct",
            "uscc",
            "id_number",
        ),
        searched=("customer_name", "uscc", "id_number", "bank_note_no"),
        filtered=("batch_id", "uscc", "drawn_on", "due_on", "project_id"),
        sums=("amount",),
        scope=Scope(through="batch"),
        key=("bank_note_no",),
        is_partial=True,
        reveals=("客户经理", "业务部门经理"),
        help="银行清单，一笔一行；导入的行进入您最近的草稿批次。",
        aliases={
            "customer_name": ("客户名称", "借款人", "借款人名称"),
            "uscc": ("社会信用代码", "信用代码"),
            "id_number": ("身份证号", "居民身份证号"),
            "bank_note_no": ("借据号", "借据编号"),
            "amount": ("贷款金额", "放款金额", "借款金额"),
            "rate_annual_pct": ("利率", "年利率", "执行利率"),
            "drawn_on": ("起始日期", "放款日", "借款日期"),
            "due_on": ("到期日期", "到期日"),
            "small_kind": ("企业规模", "小微类型"),
        },
    )
    __table_args__ = (
        UniqueConstraint("bank_note_no", name="uq_batch_loan_bank_note_no"),
        CheckConstraint("due_on > drawn_on", name="ck_batch_loan_dates"),
        CheckConstraint("(uscc is null) <> (id_number is null)", name="ck_batch_loan_one_number"),
        Index("ix_batch_loan_uscc", "uscc"),
        Index("ix_batch_loan_id_number", "id_number"),
    )
    batch_id: Mapped[int] = c.filled(
        c.reference("批次", "bank_batch", required=True, part=c.Part(10))
    )
    batch: Mapped[BankBatch] = c.related(batch_id)
    customer_name: Mapped[str] = c.text("客户名称", 100, required=True)
    uscc: Mapped[str | None] = c.text(
        "统一社会信用代码", 18, check="uscc", help="对公客户填写；个人客户填身份证号码"
    )
    id_number: Mapped[str | None] = c.masked(
        "身份证号码", 18, mask="id_number", check="id_number", help="个人客户填写"
    )
    bank_note_no: Mapped[str] = c.text("银行借据号", 60, required=True)
    amount: Mapped[Decimal] = c.money("贷款金额", required=True, positive=True)
    rate_annual_pct: Mapped[Decimal] = c.rate(
        "贷款年利率", unit="%/年", required=True, scale=6, maximum=Decimal(36)
    )
    drawn_on: Mapped[date] = c.day("放款日期", required=True, index=True)
    due_on: Mapped[date] = c.day("到期日期", required=True, index=True)
    repayment_method: Mapped[RepaymentMethod] = c.enum(
        "还款方式", RepaymentMethod, required=True, default=RepaymentMethod.BULLET
    )
    purpose: Mapped[str] = c.dictionary(
        "贷款用途", "loan_purpose", required=True, default="WORKING"
    )
    small_kind: Mapped[SmallKind] = c.enum(
        "小微属性", SmallKind, required=True, default=SmallKind.NONE, group="监管属性"
    )
    is_farmer: Mapped[bool] = c.flag("农户", group="监管属性")
    is_agriculture: Mapped[bool] = c.flag("涉农", group="监管属性")
    customer_id: Mapped[int | None] = c.computed(
        c.reference("客户", "customer", help="通过时按统一社会信用代码或身份证号码找到或新建")
    )
    customer: Mapped[Customer | None] = c.related(customer_id)
    project_id: Mapped[int | None] = c.computed(
        c.reference("担保项目", "project", unique=True, part=c.Part(951, is_rare=True))
    )
    project: Mapped[Project | None] = c.related(project_id)

    @property
    def kind(self) -> CustomerKind:
        """A row with the number of an identity card is a person's."""
        return CustomerKind.CORPORATE if self.uscc else CustomerKind.PERSONAL

    @property
    def named_by(self) -> tuple[str, str]:
        """How the customer is told of without a name, and by which number; that of a person is not written out."""
        if self.uscc:
            return f"统一社会信用代码 {self.uscc} ", self.uscc
        return "该身份证号码", self.id_number or ""

    def __str__(self) -> str:
        """Customer and amount: a list may hold several of one customer."""
        return f"{self.customer_name} {self.amount:,.2f}"


class CheckState(Kind):
    """Whether a sample was looked at, and what it showed."""

    PENDING = "待抽查"
    PASSED = "符合"
    FAILED = "不符合"


class SampleCheck(Entity):
    """A loan of a list that was drawn by lot to be looked at after the acceptance."""

    spec = Spec(
        "批量抽查",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.SHARING,
        title="project",
        rank=82,
        order="due_on",
        listed=("batch", "project", "checker", "due_on", "checked_on", "findings", "state"),
        filtered=("batch_id", "project_id", "checker_id", "due_on", "state"),
        scope=Scope(through="project", members=("checker_id",)),
        state="state",
        news=News(
            120,
            made=("抽中批量抽查，", "{due_on} 前完成"),
            moved=(
                ("state", "PASSED", "批量抽查符合：{findings}"),
                ("state", "FAILED", "批量抽查不符合：{findings}"),
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "(state = 'PENDING') = (checked_on is null)", name="ck_sample_check_checked"
        ),
        Index("ix_sample_check_open", "state", "due_on"),
    )
    batch_id: Mapped[int] = c.reference("批次", "bank_batch", required=True, part=c.Part(20))
    batch: Mapped[BankBatch] = c.related(batch_id)
    project_id: Mapped[int] = c.reference(
        "担保项目",
        "project",
        required=True,
        unique=True,
        part=c.Part(56, since=Stage.IN_FORCE, is_rare=True),
    )
    project: Mapped[Project] = c.related(project_id)
    checker_id: Mapped[int | None] = c.reference("抽查人", "employee")
    checker: Mapped[Employee | None] = c.related(checker_id)
    due_on: Mapped[date] = c.day("完成期限", required=True, index=True)
    checked_on: Mapped[date | None] = c.day("抽查日期")
    findings: Mapped[str | None] = c.text("抽查情况", 500)
    state: Mapped[CheckState] = c.state("状态", CheckState, CheckState.PENDING)
