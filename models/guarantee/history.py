"""历史补录 (4.6): guarantees from before the system, entered in batches, approved, and then projects like any other."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import Paper, PaperState
from models.base.rows import decided, numbered
from models.customer.customer import Customer
from models.customer.rating_model import CustomerKind
from models.guarantee.bank import PartnerBank
from models.guarantee.product import Product, RepaymentMethod
from models.guarantee.project import Project, SmallKind
from models.system.organization import Department, Employee


class HistoryBatch(Paper):
    """A batch of guarantees from before the system; approved as a whole, it makes a project of each of its rows."""

    spec = Spec(
        "历史补录",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        title="number",
        group=MenuGroup.HISTORY,
        rank=200,
        listed=(
            "number",
            "as_of",
            "note",
            "row_count",
            "amount",
            "balance",
            "handler",
            "approved_on",
            "state",
        ),
        searched=("number", "note"),
        filtered=("state", "handler_id", "as_of"),
        sums=("amount", "balance"),
        scope=Scope(owner="handler_id", department="department_id"),
        state="state",
        drafts=(PaperState.DRAFT,),
        help="补录系统上线前的担保业务：在“补录明细”中逐笔登记，或从 Excel 导入，提交审批；"
        "通过后直接成为在保或已解保项目，不产生凭证（账面由期初余额承接）。",
        seeds=(
            *numbered("history_batch", "补录批次编号", "BL{yyyy}-{no:04d}"),
            *decided(
                "history",
                "历史补录",
                ("风控审核", "risk"),
                ("财务核对", "finance"),
                remark="上线前担保业务的补录；财务核对期初余额是否已承接",
                sort_no=190,
            ),
        ),
        demo=({"as_of": "-1", "note": "上线前在保业务（第一批）"},),
    )
    __table_args__ = (
        CheckConstraint("amount >= 0 and balance >= 0", name="ck_history_batch_amounts"),
        CheckConstraint(
            "(state = 'APPROVED') = (approved_on is not null)", name="ck_history_batch_approved"
        ),
    )
    number_label = "批次编号"
    as_of: Mapped[date] = c.day(
        "余额截止日",
        required=True,
        index=True,
        help="在保余额截至哪一天；此前已还的本金记为这一天的期初还款",
    )
    note: Mapped[str | None] = c.text("说明", 200)
    row_count: Mapped[int] = c.computed(c.whole("笔数", required=True, default=0, unit="笔"))
    amount: Mapped[Decimal] = c.computed(c.money("担保金额", required=True, default=Decimal(0)))
    balance: Mapped[Decimal] = c.computed(c.money("在保余额", required=True, default=Decimal(0)))
    handler_id: Mapped[int | None] = c.computed(c.reference("经办人", "employee"))
    handler: Mapped[Employee | None] = c.related(handler_id)
    department_id: Mapped[int | None] = c.computed(c.reference("经办部门", "department"))
    department: Mapped[Department | None] = c.related(department_id)
    approved_on: Mapped[date | None] = c.computed(c.day("通过日期"))


class HistoryStanding(Kind):
    """What becomes of a row once its batch is approved."""

    IN_FORCE = "在保"
    RELEASED = "已解保"


class HistoryGuarantee(Entity):
    """A guarantee from before the system, as its file had it; `project` is what became of it."""

    spec = Spec(
        "补录明细",
        Module.GUARANTEE,
        title="customer_name",
        group=MenuGroup.HISTORY,
        rank=210,
        order="id",
        listed=(
            "batch",
            "customer_name",
            "uscc",
            "id_number",
            "bank",
            "product",
            "amount",
            "balance",
            "start_on",
            "end_on",
            "manager",
            "standing",
            "project",
        ),
        searched=("customer_name", "uscc", "id_number", "old_number"),
        filtered=(
            "batch_id",
            "uscc",
            "bank_id",
            "product_id",
            "manager_id",
            "standing",
            "end_on",
        ),
        sums=("amount", "balance"),
        scope=Scope(through="batch"),
        key=("old_number", "bank_id", "start_on", "amount", "id_number", "uscc"),
        reveals=("客户经理", "业务部门经理"),
        help="上线前的担保业务，一笔一行；导入的行进入您的草稿批次，没有草稿批次时自动新建一个。",
        aliases={
            "customer_name": ("客户名称", "被担保人", "借款人"),
            "uscc": ("证件号码", "社会信用代码", "信用代码"),
            "id_number": ("身份证号", "居民身份证号"),
            "bank_id": ("银行", "贷款银行", "债权人"),
            "product_id": ("担保品种", "业务品种", "担保产品"),
            "manager_id": ("客户经理", "经办人"),
            "counter": ("反担保", "反担保措施"),
            "fee_rate_pct": ("担保费率",),
            "start_on": ("起始日期", "起保日", "放款日期"),
            "end_on": ("到期日期", "到期日"),
            "old_number": ("项目编号", "原编号", "合同编号"),
        },
        demo=(
            {
                "batch_id": "*",
                "old_number": "JZ2023-017",
                "customer_name": "江州明信印刷有限公司",
                "uscc": "91320105MA1MCT7E48",
                "bank_id": "*",
                "product_id": "*",
                "amount": "2000000",
                "balance": "1200000",
                "fee_rate_pct": "1.5",
                "start_on": "-400",
                "end_on": "+330",
                "manager_id": "*",
                "counter": "法定代表人连带责任保证",
            },
            {
                "batch_id": "*",
                "old_number": "JZ2024-052",
                "customer_name": "何秋生",
                "id_number": "32010619880512003X",
                "bank_id": "*",
                "product_id": "个人经营性贷款担保",
                "amount": "300000",
                "balance": "180000",
                "fee_rate_pct": "1.8",
                "start_on": "-200",
                "end_on": "+160",
                "manager_id": "*",
                "counter": "配偶连带责任保证",
                "small_kind": "OWNER",
            },
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "balance >= 0 and balance <= amount and amount > 0", name="ck_history_guarantee_amounts"
        ),
        CheckConstraint("end_on >= start_on", name="ck_history_guarantee_dates"),
        CheckConstraint(
            "(standing = 'RELEASED') = (balance = 0)", name="ck_history_guarantee_standing"
        ),
        CheckConstraint(
            "(standing = 'RELEASED') = (released_on is not null)",
            name="ck_history_guarantee_released",
        ),
        CheckConstraint(
            "(uscc is null) <> (id_number is null)", name="ck_history_guarantee_one_number"
        ),
        Index("ix_history_guarantee_uscc", "uscc"),
        Index("ix_history_guarantee_id_number", "id_number"),
    )
    batch_id: Mapped[int] = c.filled(
        c.reference("补录批次", "history_batch", required=True, part=c.Part(10))
    )
    batch: Mapped[HistoryBatch] = c.related(batch_id)
    old_number: Mapped[str | None] = c.text("原系统编号", 40, index=True)
    customer_name: Mapped[str] = c.text("客户名称", 100, required=True)
    uscc: Mapped[str | None] = c.text(
        "统一社会信用代码", 18, check="uscc", help="对公客户填写；个人客户填身份证号码"
    )
    id_number: Mapped[str | None] = c.masked(
        "身份证号码", 18, mask="id_number", check="id_number", help="个人客户填写"
    )
    bank_id: Mapped[int] = c.reference("合作银行", "partner_bank", required=True)
    bank: Mapped[PartnerBank] = c.related(bank_id)
    product_id: Mapped[int] = c.reference("产品", "product", required=True)
    product: Mapped[Product] = c.related(product_id)
    amount: Mapped[Decimal] = c.money("担保金额", required=True, positive=True)
    balance: Mapped[Decimal] = c.money(
        "在保余额", required=True, help="截至批次的余额截止日；已解保的填 0"
    )
    fee_rate_pct: Mapped[Decimal] = c.rate(
        "担保费率", unit="%/年", required=True, scale=4, maximum=Decimal(20)
    )
    start_on: Mapped[date] = c.day("起始日期", required=True)
    end_on: Mapped[date] = c.day("到期日期", required=True, index=True)
    manager_id: Mapped[int] = c.reference("客户经理", "employee", required=True)
    manager: Mapped[Employee] = c.related(manager_id)
    assistant_id: Mapped[int | None] = c.reference("B角", "employee", help="不填则为批次的经办人")
    assistant: Mapped[Employee | None] = c.related(assistant_id)
    counter: Mapped[str] = c.text("反担保方式", 200, required=True)
    standing: Mapped[HistoryStanding] = c.filled(
        c.enum(
            "补录为",
            HistoryStanding,
            required=True,
            index=True,
            help="不填则按在保余额：大于 0 为在保，等于 0 为已解保",
        )
    )
    released_on: Mapped[date | None] = c.day("解保日期", help="已解保的不填则为到期日期")
    bank_note_no: Mapped[str | None] = c.text(
        "银行借据号", 60, help="导入银行还款时按借据号对应；不填则按项目编号"
    )
    loan_rate_pct: Mapped[Decimal] = c.rate(
        "贷款年利率",
        unit="%/年",
        required=True,
        scale=6,
        maximum=Decimal(36),
        default=Decimal(0),
        help="没有还款计划的，按到期一次还本；不清楚的填 0，以后可更换还款计划",
    )
    repayment_method: Mapped[RepaymentMethod] = c.enum(
        "还款方式", RepaymentMethod, required=True, default=RepaymentMethod.BULLET
    )
    bank_share_pct: Mapped[Decimal | None] = c.rate(
        "银行分担比例", unit="%", scale=2, help="不填则按合作银行的分担比例"
    )
    purpose: Mapped[str] = c.dictionary(
        "贷款用途", "loan_purpose", required=True, default="WORKING"
    )
    small_kind: Mapped[SmallKind] = c.enum(
        "小微属性", SmallKind, required=True, default=SmallKind.NONE, group="监管属性"
    )
    is_farmer: Mapped[bool] = c.flag("农户", group="监管属性")
    is_agriculture: Mapped[bool] = c.flag("涉农", group="监管属性")
    is_internet: Mapped[bool] = c.flag("互联网借款", group="监管属性")
    customer_id: Mapped[int | None] = c.computed(
        c.reference("客户", "customer", help="通过时按统一社会信用代码或身份证号码找到或新建")
    )
    customer: Mapped[Customer | None] = c.related(customer_id)
    project_id: Mapped[int | None] = c.computed(
        c.reference("担保项目", "project", unique=True, part=c.Part(950))
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
        """Customer and amount: a batch may hold several of one customer."""
        return f"{self.customer_name} {self.amount:,.2f}"
