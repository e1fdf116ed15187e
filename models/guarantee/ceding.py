"""分出担保费 (4.10, 8.10): a re-guarantor's part of each fee, in statements that are approved, booked and paid."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import MenuGroup, Module, SpecKind
from models.base.paper import Booked, Paper, PaperState
from models.base.rights import READ, WRITE
from models.base.rows import decided, numbered
from models.customer.partner import GuaranteeCompany
from models.guarantee.project import Project, Stage
from models.guarantee.signing import Fee
from models.ledger.event import credit, debit, entered
from models.system.organization import Department, Employee

_ROLES = {"风控专员": WRITE, "客户经理": READ}


class CessionStatement(Booked, Paper):
    """分保账单: what is due to a re-guarantor up to a day; approved it is booked as owed, then it is paid."""

    spec = Spec(
        "分保账单",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.SHARING,
        title="number",
        rank=92,
        listed=(
            "number",
            "company",
            "until_on",
            "row_count",
            "amount",
            "approved_on",
            "paid_on",
            "handler",
            "state",
        ),
        searched=("number", "note"),
        filtered=("company_id", "until_on", "paid_on", "handler_id", "state"),
        sums=("amount",),
        scope=Scope(owner="handler_id", department="department_id"),
        state="state",
        drafts=(PaperState.DRAFT,),
        roles=_ROLES,
        on_sheet=("note",),
        help="保存时带入截至日以前应分出、尚未列入账单的担保费；通过后送复核记应付，付款后再送复核。",
        seeds=(
            *numbered("cession_statement", "分保账单编号", "FB{yyyy}-{no:04d}"),
            *decided(
                "cession_statement", "分保账单", ("风控审核", "risk"), ("财务审核", "finance")
            ),
            *entered(
                "cession.settled",
                "分出担保费",
                debit("6541", about=()),
                credit("2261", about=()),
                word="transfer",
                memo="{事项}",
            ),
            *entered(
                "cession.paid",
                "支付分出担保费",
                debit("2261", about=()),
                credit("1002", cash_flow="REGUARANTEE_PAID"),
                word="payment",
                memo="{事项}",
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint("amount >= 0", name="ck_cession_statement_amount"),
        CheckConstraint(
            "(state = 'APPROVED') = (approved_on is not null)",
            name="ck_cession_statement_approved",
        ),
        CheckConstraint("paid_on is null or state = 'APPROVED'", name="ck_cession_statement_paid"),
    )
    number_label = "账单编号"
    again = "settle"
    by_manager = False
    company_id: Mapped[int] = c.reference("再担保公司", "guarantee_company", required=True)
    company: Mapped[GuaranteeCompany] = c.related(company_id)
    until_on: Mapped[date] = c.day("截至日", required=True, index=True)
    note: Mapped[str | None] = c.text("说明", 200)
    row_count: Mapped[int] = c.computed(c.whole("笔数", required=True, default=0, unit="笔"))
    amount: Mapped[Decimal] = c.computed(c.money("分出金额", required=True, default=Decimal(0)))
    approved_on: Mapped[date | None] = c.computed(c.day("通过日期"))
    paid_on: Mapped[date | None] = c.computed(c.day("付款日期", index=True))
    payment_no: Mapped[str | None] = c.computed(c.text("付款凭据号", 60))
    is_paid: Mapped[bool] = c.computed(c.flag("付款已记账"))
    handler_id: Mapped[int | None] = c.computed(c.reference("经办人", "employee"))
    handler: Mapped[Employee | None] = c.related(handler_id)
    department_id: Mapped[int | None] = c.computed(c.reference("经办部门", "department"))
    department: Mapped[Department | None] = c.related(department_id)


class CededFee(Entity):
    """A re-guarantor's part of one instalment of a project's 担保费."""

    spec = Spec(
        "分出担保费",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        group=MenuGroup.SHARING,
        title="project",
        rank=91,
        order="due_on",
        listed=(
            "project",
            "company",
            "seq",
            "due_on",
            "base_amount",
            "fee_share_pct",
            "amount",
            "statement",
        ),
        filtered=("project_id", "company_id", "due_on", "statement_id"),
        sums=("base_amount", "amount"),
        scope=Scope(through="project"),
        news=News(900, made=("计划分出担保费：", "{amount} 元，{due_on} 到期")),
    )
    __table_args__ = (
        UniqueConstraint("project_id", "company_id", "seq", name="uq_ceded_fee"),
        CheckConstraint("amount >= 0 and amount <= base_amount", name="ck_ceded_fee_amount"),
    )
    project_id: Mapped[int] = c.reference(
        "担保项目",
        "project",
        required=True,
        index=False,
        part=c.Part(59, since=Stage.IN_FORCE, is_rare=True),
    )
    project: Mapped[Project] = c.related(project_id)
    company_id: Mapped[int] = c.reference("再担保公司", "guarantee_company", required=True)
    company: Mapped[GuaranteeCompany] = c.related(company_id)
    fee_id: Mapped[int] = c.reference("费用", "fee", required=True)
    fee: Mapped[Fee] = c.related(fee_id)
    seq: Mapped[int] = c.whole("期次", required=True, minimum=1)
    due_on: Mapped[date] = c.day("应收日期", required=True, index=True)
    base_amount: Mapped[Decimal] = c.money("担保费", required=True)
    fee_share_pct: Mapped[Decimal] = c.rate("分成比例", scale=4, required=True)
    amount: Mapped[Decimal] = c.money("分出金额", required=True)
    statement_id: Mapped[int | None] = c.reference("分保账单", "cession_statement", part=c.Part(10))
    statement: Mapped[CessionStatement | None] = c.related(statement_id)
