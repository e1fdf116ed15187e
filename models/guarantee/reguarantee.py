"""再担保备案 (4.10): batches of projects filed with a re-guarantor, what was sent of each, and what came back."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.rights import WRITE
from models.base.rows import SeedRow
from models.customer.partner import GuaranteeCompany
from models.guarantee.project import Project, Stage
from models.system.organization import Department, Employee


class FilingState(Kind):
    """A batch is drawn up and sent; what comes back may have to be corrected and sent again."""

    DRAFT = "草稿"
    SUBMITTED = "已报送"
    RETURNED = "有退回"
    DONE = "已办结"


class RowState(Kind):
    """What has become of one project of a batch."""

    PENDING = "待报送"
    SUBMITTED = "待回执"
    REFUSED = "退回"
    DONE = "已备案"


_WARNING = {
    "code": "filing_overdue",
    "label": "再担保备案逾期",
    "level": "ATTENTION",
    "days": "0,15",
    "owner_role": "MANAGER",
    "handle_days": "5",
    "rank": "90",
    "note": "超过再担保备案期限（放款后天数，见分险方案）的天数",
}
_ROLES = {"风控专员": WRITE}


class Filing(Entity):
    """A batch of projects filed with one re-guarantor."""

    spec = Spec(
        "再担保备案",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.SHARING,
        title="number",
        rank=87,
        listed=("number", "company", "row_count", "amount", "sent_on", "handler", "state"),
        searched=("number", "note"),
        filtered=("company_id", "sent_on", "handler_id", "state"),
        sums=("amount",),
        scope=Scope(owner="handler_id", department="department_id"),
        state="state",
        drafts=(FilingState.DRAFT,),
        seeds=(SeedRow("warning_rule", _WARNING),),
        roles=_ROLES,
        help="先“带入符合条件的项目”，下载备案清单报送；回执在“备案回执”登记或导入，"
        "退回的更正后再报送。",
    )
    __table_args__ = (
        CheckConstraint("(state = 'DRAFT') = (sent_on is null)", name="ck_filing_sent"),
        CheckConstraint("amount >= 0 and row_count >= 0", name="ck_filing_figures"),
    )
    number: Mapped[str] = c.numbered("备案批次编号", "filing", "ZB{yyyy}-{no:04d}")
    company_id: Mapped[int] = c.reference("再担保公司", "guarantee_company", required=True)
    company: Mapped[GuaranteeCompany] = c.related(company_id)
    note: Mapped[str | None] = c.text("说明", 200)
    row_count: Mapped[int] = c.computed(c.whole("笔数", required=True, default=0, unit="笔"))
    amount: Mapped[Decimal] = c.computed(c.money("担保金额", required=True, default=Decimal(0)))
    sending_no: Mapped[int] = c.computed(c.whole("报送次数", required=True, default=0, unit="次"))
    sent_on: Mapped[date | None] = c.computed(c.day("最近报送日期", index=True))
    handler_id: Mapped[int | None] = c.computed(c.reference("经办人", "employee"))
    handler: Mapped[Employee | None] = c.related(handler_id)
    department_id: Mapped[int | None] = c.computed(c.reference("经办部门", "department"))
    department: Mapped[Department | None] = c.related(department_id)
    state: Mapped[FilingState] = c.state("状态", FilingState, FilingState.DRAFT)


class FilingRow(Entity):
    """A project in a batch: its facts as they were sent, and the receipt."""

    spec = Spec(
        "备案明细",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.SHARING,
        title="project",
        rank=88,
        order="id",
        listed=(
            "filing",
            "project",
            "customer_name",
            "amount",
            "share_pct",
            "start_on",
            "due_on",
            "receipt_no",
            "receipt_on",
            "reason",
            "state",
        ),
        searched=("customer_name", "receipt_no"),
        filtered=("filing_id", "project_id", "company_id", "due_on", "receipt_on", "state"),
        sums=("amount",),
        scope=Scope(through="project"),
        state="state",
        roles=_ROLES,
        news=News(
            80,
            made=("列入再担保备案：", "再担保金额 {share_amount} 元"),
            moved=(
                ("state", "DONE", "再担保已备案，{receipt_no}"),
                ("state", "REFUSED", "再担保备案退回：{reason}"),
            ),
        ),
    )
    __table_args__ = (
        UniqueConstraint("project_id", "company_id", name="uq_filing_row_project"),
        CheckConstraint(
            "state <> 'DONE' or (receipt_no is not null and receipt_on is not null)",
            name="ck_filing_row_receipt",
        ),
        CheckConstraint("state <> 'REFUSED' or reason is not null", name="ck_filing_row_reason"),
        Index(
            "ix_filing_row_open",
            "due_on",
            sqlite_where=text("state <> 'DONE'"),
            postgresql_where=text("state <> 'DONE'"),
        ),
    )
    filing_id: Mapped[int] = c.owned_by("备案批次", "filing")
    filing: Mapped[Filing] = c.related(filing_id)
    project_id: Mapped[int] = c.reference(
        "担保项目",
        "project",
        required=True,
        index=False,
        part=c.Part(58, since=Stage.IN_FORCE, is_rare=True),
    )
    project: Mapped[Project] = c.related(project_id)
    company_id: Mapped[int] = c.reference("再担保公司", "guarantee_company", required=True)
    company: Mapped[GuaranteeCompany] = c.related(company_id)
    customer_name: Mapped[str] = c.text("客户名称", 100, required=True)
    uscc: Mapped[str | None] = c.text("统一社会信用代码", 18)
    bank_name: Mapped[str] = c.text("贷款银行", 100, required=True)
    bank_note_no: Mapped[str] = c.text("银行借据号", 200, required=True)
    amount: Mapped[Decimal] = c.money("担保金额", required=True)
    rate_annual_pct: Mapped[Decimal] = c.rate("贷款年利率", unit="%/年", required=True, scale=6)
    fee_rate_pct: Mapped[Decimal] = c.rate("担保费率", unit="%/年", required=True, scale=4)
    start_on: Mapped[date] = c.day("担保起始日", required=True)
    end_on: Mapped[date] = c.day("担保到期日", required=True)
    small_kind: Mapped[str] = c.text("小微属性", 40, required=True)
    share_pct: Mapped[Decimal] = c.rate("再担保比例", scale=4, required=True)
    share_amount: Mapped[Decimal] = c.money("再担保金额", required=True)
    due_on: Mapped[date] = c.day("备案期限", required=True, index=True)
    sending_no: Mapped[int] = c.whole("第几次报送", required=True, default=0, unit="次")
    receipt_no: Mapped[str | None] = c.text("备案编号", 60, index=True)
    receipt_on: Mapped[date | None] = c.day("回执日期", index=True)
    reason: Mapped[str | None] = c.text("退回原因", 200)
    correction: Mapped[str | None] = c.text("更正说明", 200)
    state: Mapped[RowState] = c.state("状态", RowState, RowState.PENDING)


class FilingOutcome(Kind):
    """What a re-guarantor says of a project."""

    ACCEPTED = "已备案"
    REFUSED = "退回"
    REVOKED = "撤销备案"


class FilingReceipt(Entity):
    """An answer of a re-guarantor on one project, by form or from its file; it moves the row that was sent."""

    spec = Spec(
        "备案回执",
        Module.GUARANTEE,
        group=MenuGroup.SHARING,
        title="project",
        rank=89,
        order="-id",
        saved_by=("add",),
        listed=("project", "company", "answered_on", "outcome", "receipt_no", "reason", "filing"),
        searched=("receipt_no", "reason"),
        filtered=("project_id", "answered_on", "outcome", "filing_id"),
        scope=Scope(through="filing"),
        key=("project_id", "answered_on", "outcome"),
        roles=_ROLES,
        aliases={
            "project_id": ("项目编号", "担保项目编号", "业务编号"),
            "answered_on": ("备案日期", "审核日期"),
            "outcome": ("审核结果", "备案结果", "结果"),
            "receipt_no": ("备案号", "再担保编号"),
            "reason": ("原因", "退回理由"),
        },
        help="再担保公司的回执，一个项目一行；可从再担保公司的 Excel 导入。",
    )
    project_id: Mapped[int] = c.reference("担保项目", "project", required=True)
    project: Mapped[Project] = c.related(project_id)
    answered_on: Mapped[date] = c.day("回执日期", required=True, index=True)
    outcome: Mapped[FilingOutcome] = c.enum("结果", FilingOutcome, required=True, index=True)
    receipt_no: Mapped[str | None] = c.text("备案编号", 60, help="已备案的必填")
    reason: Mapped[str | None] = c.text("退回原因", 200, help="退回、撤销备案的必填")
    company_id: Mapped[int | None] = c.reference(
        "再担保公司", "guarantee_company", help="同时报送几家的填写"
    )
    company: Mapped[GuaranteeCompany | None] = c.related(company_id)
    filing_id: Mapped[int] = c.computed(
        c.reference("备案批次", "filing", required=True, part=c.Part(20, is_rare=True))
    )
    filing: Mapped[Filing] = c.related(filing_id)
