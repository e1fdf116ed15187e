"""Business events that wait for 复核, and the rules that turn them into vouchers (8.1, 8.6)."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.ledger_account import Account, Direction
from models.ledger_voucher import CashFlow, Voucher, VoucherWord

if TYPE_CHECKING:
    from models.bank import PartnerBank
    from models.customer import Customer
    from models.organization import Department, Employee
    from models.project import Project


class EventState(Kind):
    """Where a business event stands on its way into the books."""

    PENDING = "待复核"
    BOOKED = "已记账"
    REFUSED = "已退回"
    CANCELLED = "已撤销"


class PostingRule(Entity):
    """记账规则: how one kind of business event becomes a voucher from a date on."""

    spec = Spec(
        "记账规则",
        Module.LEDGER,
        title="label",
        listed=("event_code", "label", "word", "effective_on", "is_active"),
        searched=("event_code", "label", "memo"),
        filtered=("event_code", "is_active"),
        order="event_code",
        tabs=("posting_rule_line",),
        key=("event_code", "effective_on"),
        rank=640,
        icon="signpost-split",
        help="业务发生日适用生效日期不晚于它的最近一条启用规则；金额为零的分录不生成。",
    )
    __table_args__ = (UniqueConstraint("event_code", "effective_on", name="uq_posting_rule_event"),)

    event_code: Mapped[str] = c.text("业务事项编码", 60, required=True, index=True)
    label: Mapped[str] = c.text("规则名称", 60, required=True)
    word_id: Mapped[int] = c.reference("凭证字", "voucher_word", required=True)
    word: Mapped[VoucherWord] = c.related(word_id)
    memo: Mapped[str] = c.text(
        "摘要模板", 200, required=True, help="可用 {事项} {客户} {项目} {银行}，生成凭证时替换为实际内容"
    )
    effective_on: Mapped[date] = c.day("生效日期", required=True, default=date(2000, 1, 1))
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)
    lines: Mapped[list["PostingRuleLine"]] = c.related(
        order_by="PostingRuleLine.line_no", cascade="all, delete-orphan", back_populates="posting_rule"
    )


class PostingRuleLine(Entity):
    """One line of a rule: which amount of the event goes to which side of which account."""

    spec = Spec(
        "记账规则分录",
        Module.LEDGER,
        title="line_no",
        listed=("line_no", "side", "account", "amount_key", "is_red", "memo"),
        order="line_no",
        key=("posting_rule_id", "line_no"),
        scope=Scope(through="posting_rule"),
        in_menu=False,
    )
    __table_args__ = (UniqueConstraint("posting_rule_id", "line_no", name="uq_posting_rule_line_no"),)

    posting_rule_id: Mapped[int] = c.owned_by("记账规则", "posting_rule")
    posting_rule: Mapped[PostingRule] = c.related(posting_rule_id, back_populates="lines")
    line_no: Mapped[int] = c.whole("行号", minimum=1, maximum=99, required=True)
    side: Mapped[Direction] = c.enum("借贷方向", Direction, required=True)
    account_id: Mapped[int] = c.reference("会计科目", "account", required=True)
    account: Mapped[Account] = c.related(account_id)
    amount_key: Mapped[str] = c.text("金额取数", 40, required=True, help="业务事项给出的金额项，见帮助中的事项清单")
    is_red: Mapped[bool] = c.flag("红字", help="按负数记同一方向，用于冲减")
    memo: Mapped[str | None] = c.text("分录摘要", 200, help="留空时用规则的摘要；可用同样的占位符")
    with_customer: Mapped[bool] = c.flag("带客户", group="辅助核算")
    with_project: Mapped[bool] = c.flag("带项目", group="辅助核算")
    with_bank: Mapped[bool] = c.flag("带银行", group="辅助核算")
    with_department: Mapped[bool] = c.flag("带部门", group="辅助核算")
    cash_flow: Mapped[CashFlow | None] = c.enum("现金流量项目", CashFlow)


class BusinessEvent(Entity):
    """An event with money, raised by a business workflow and booked at most once (architecture rule 7)."""

    spec = Spec(
        "复核单",
        Module.LEDGER,
        SpecKind.LEDGER,
        title="number",
        listed=("number", "label", "customer", "project", "total", "occurred_on", "state", "voucher"),
        searched=("number", "label", "memo"),
        filtered=("state", "event_code", "project_id", "customer_id", "occurred_on"),
        order="-id",
        sums=("total",),
        state="state",
        rank=590,
        icon="clipboard-check",
    )
    __table_args__ = (
        UniqueConstraint("event_code", "record_table", "record_id", "sequence", name="uq_business_event_key"),
        UniqueConstraint("number", name="uq_business_event_number"),
        Index("ix_business_event_record", "record_table", "record_id"),
        CheckConstraint(
            "(state = 'BOOKED') = (voucher_id IS NOT NULL AND booked_at IS NOT NULL)",
            name="ck_business_event_booked",
        ),
        CheckConstraint("state NOT IN ('REFUSED', 'CANCELLED') OR reason IS NOT NULL", name="ck_business_event_reason"),
    )

    number: Mapped[str] = c.computed(c.text("复核单号", 40, required=True))
    event_code: Mapped[str] = c.computed(c.text("业务事项编码", 60, required=True, index=True))
    label: Mapped[str] = c.computed(c.text("业务事项", 60, required=True))
    record_table: Mapped[str] = c.hidden(c.text("来源单据类型", 60, required=True))
    record_id: Mapped[int] = c.hidden(c.whole("来源单据", required=True))
    sequence: Mapped[int] = c.computed(c.whole("次序", minimum=1, required=True, default=1))
    project_id: Mapped[int | None] = c.computed(c.reference("项目", "project"))
    project: Mapped["Project | None"] = c.related(project_id)
    customer_id: Mapped[int | None] = c.computed(c.reference("客户", "customer"))
    customer: Mapped["Customer | None"] = c.related(customer_id)
    bank_id: Mapped[int | None] = c.computed(c.reference("银行", "partner_bank"))
    bank: Mapped["PartnerBank | None"] = c.related(bank_id)
    department_id: Mapped[int | None] = c.computed(c.reference("部门", "department"))
    department: Mapped["Department | None"] = c.related(department_id)
    amounts: Mapped[dict[str, str]] = c.hidden(c.json("金额明细", required=True))
    total: Mapped[Decimal] = c.computed(c.money("金额", signed=True, required=True))
    occurred_on: Mapped[date] = c.computed(c.day("发生日期", required=True, index=True))
    memo: Mapped[str] = c.computed(c.text("摘要", 200, required=True))
    state: Mapped[EventState] = c.state("状态", EventState, EventState.PENDING)
    voucher_id: Mapped[int | None] = c.computed(c.reference("凭证", "voucher", use_alter=True))
    voucher: Mapped[Voucher | None] = c.related(voucher_id)
    booked_by_id: Mapped[int | None] = c.computed(c.reference("复核人", "employee"))
    booked_by: Mapped["Employee | None"] = c.related(booked_by_id)
    booked_at: Mapped[datetime | None] = c.computed(c.moment("复核时间"))
    reason: Mapped[str | None] = c.computed(c.text("退回或撤销原因", 200))
