"""Vouchers with their entries (8.2), and the business events that wait to become vouchers (8.1)."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Found, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.ledger.account import ZERO, Account, AccountingPeriod
from models.ledger.event import EVENT_LABELS

if TYPE_CHECKING:
    from models.customer.customer import Customer
    from models.guarantee.bank import PartnerBank
    from models.guarantee.project import Project
    from models.system.organization import Department, Employee


class VoucherState(Kind):
    """Life of a voucher; 记账 is final."""

    DRAFT = "草稿"
    REVIEWED = "已审核"
    SIGNED = "已签字"
    POSTED = "已记账"
    VOID = "作废"


class VoucherKind(Kind):
    """Who makes a voucher and what it means to statements: 结转 moves profit, it does not earn it."""

    ORDINARY = "普通"
    OPENING = "期初余额"
    RECOGNITION = "收入确认"
    PROVISION = "计提准备金"
    TRANSFER = "结转损益"
    YEAR_END = "年结"

    @property
    def moves_profit(self) -> bool:
        """Left out of the income statement."""
        return self in (VoucherKind.TRANSFER, VoucherKind.YEAR_END)


class EventState(Kind):
    """Where a business event stands on its way into the books."""

    PENDING = "待复核"
    BOOKED = "已制单"  # its voucher is drawn up; 已记账 is what becomes of that
    REFUSED = "已退回"
    CANCELLED = "已撤销"


class CashFlow(Kind):
    """Row of the cash-flow statement that a cash entry belongs to."""

    FEE_RECEIVED = "收到担保费取得的现金"
    DEPOSIT_RECEIVED = "收到客户保证金"
    RECOVERY_RECEIVED = "收到担保代偿款项的现金"
    INTEREST_RECEIVED = "收到利息、手续费及佣金的现金"
    OTHER_OPERATING_RECEIVED = "收到其他与经营活动有关的现金"
    COMPENSATION_PAID = "支付担保业务代偿款项的现金"
    REGUARANTEE_PAID = "支付再担保业务的现金"
    DEPOSIT_RETURNED = "退还客户保证金"
    MARGIN_PAID = "存出保证金净增加额"
    COMMISSION_PAID = "支付利息、手续费及佣金的现金"
    STAFF_PAID = "支付给职工以及为职工支付的现金"
    TAX_PAID = "支付的各项税费"
    OTHER_OPERATING_PAID = "支付其他与经营活动有关的现金"
    INVESTMENT_RECOVERED = "收回投资收到的现金"
    INVESTMENT_INCOME = "取得投资收益收到的现金"
    ASSET_DISPOSED = "处置固定资产、无形资产和其他长期资产收回的现金"
    INVESTMENT_PAID = "投资支付的现金"
    ASSET_BOUGHT = "购建固定资产、无形资产和其他长期资产支付的现金"
    CAPITAL_RECEIVED = "吸收投资收到的现金"
    LOAN_RECEIVED = "取得借款收到的现金"
    LOAN_REPAID = "偿还债务支付的现金"
    DIVIDEND_PAID = "分配股利、利润或偿付利息支付的现金"


class VoucherWord(Entity):
    """凭证字: the series a voucher is numbered in."""

    spec = Spec(
        "凭证字",
        Module.LEDGER,
        group=MenuGroup.BOOK_SETUP,
        listed=("name", "label", "is_active", "code"),
        searched=("code", "name", "label"),
        filtered=("is_active",),
        order="rank",
        key=("code",),
        rank=630,
        config=Config(),
    )
    __table_args__ = (
        UniqueConstraint("code", name="uq_voucher_word_code"),
        UniqueConstraint("name", name="uq_voucher_word_name"),
    )

    code: Mapped[str] = c.text("编码", 20, required=True, check="code")
    name: Mapped[str] = c.text("凭证字", 4, required=True)
    label: Mapped[str] = c.text("凭证类别", 30, required=True)
    rank: Mapped[int] = c.whole("显示顺序", required=True, default=100)
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)


# As the index of them says it: a bound state would not let SQLite use that index.
UNFINISHED_VOUCHER = text("state NOT IN ('POSTED', 'VOID')")
_POSTED_FACTS = (
    "posting_no IS NOT NULL AND previous_hash IS NOT NULL AND hash IS NOT NULL AND posted_by_id IS NOT NULL "
    "AND posted_at IS NOT NULL AND (NOT is_cash OR signed_by_id IS NOT NULL)"
)
_NOT_POSTED_FACTS = (
    "posting_no IS NULL AND previous_hash IS NULL AND hash IS NULL "
    "AND posted_by_id IS NULL AND posted_at IS NULL"
)


class Voucher(Entity):
    """A voucher; once posted it is guarded by triggers and chained by SHA-256."""

    spec = Spec(
        "记账凭证",
        Module.LEDGER,
        SpecKind.LEDGER,
        found=Found(40, lambda one: one.memo or str(one)),
        title="code",
        listed=(
            "code",
            "date",
            "memo",
            "total",
            "prepared_by",
            "reviewed_by",
            "posted_by",
            "state",
        ),
        searched=("code", "memo"),
        filtered=("period_id", "word_id", "kind", "state", "date", "prepared_by_id", "total"),
        order="-id",
        key=("code",),
        sums=("total",),
        state="state",
        drafts=(VoucherState.DRAFT,),
        rank=8,
    )
    __table_args__ = (
        UniqueConstraint("word_id", "period_id", "number", name="uq_voucher_number"),
        UniqueConstraint("code", name="uq_voucher_code"),
        UniqueConstraint("posting_no", name="uq_voucher_posting_no"),
        # What keeps higher numbers from being posted is a sliver of all vouchers.
        Index(
            "ix_voucher_unfinished",
            "period_id",
            "word_id",
            "number",
            sqlite_where=UNFINISHED_VOUCHER,
            postgresql_where=UNFINISHED_VOUCHER,
        ),
        # A posted voucher is reversed once; a reversal that was made void does not count.
        Index(
            "uq_voucher_reverses",
            "reverses_id",
            unique=True,
            sqlite_where=text("state <> 'VOID'"),
            postgresql_where=text("state <> 'VOID'"),
        ),
        CheckConstraint("number > 0", name="ck_voucher_number"),
        CheckConstraint("attachments >= 0", name="ck_voucher_attachments"),
        CheckConstraint(
            "state IN ('DRAFT', 'VOID') OR (reviewed_by_id IS NOT NULL AND reviewed_at IS NOT NULL)",
            name="ck_voucher_reviewed",
        ),
        CheckConstraint(
            "state NOT IN ('DRAFT', 'VOID') OR (reviewed_by_id IS NULL AND signed_by_id IS NULL)",
            name="ck_voucher_draft",
        ),
        CheckConstraint(
            "state <> 'SIGNED' OR (signed_by_id IS NOT NULL AND signed_at IS NOT NULL)",
            name="ck_voucher_signed",
        ),
        CheckConstraint(
            f"(state = 'POSTED' AND {_POSTED_FACTS}) OR (state <> 'POSTED' AND {_NOT_POSTED_FACTS})",
            name="ck_voucher_posted",
        ),
        CheckConstraint("state <> 'VOID' OR void_reason IS NOT NULL", name="ck_voucher_void"),
        CheckConstraint(
            "reviewed_by_id IS NULL OR prepared_by_id IS NULL OR reviewed_by_id <> prepared_by_id",
            name="ck_voucher_own_review",
        ),
        CheckConstraint(
            "reverses_id IS NULL OR reverses_id <> id", name="ck_voucher_not_own_reversal"
        ),
    )

    code: Mapped[str] = c.computed(c.text("凭证字号", 30, required=True))
    kind: Mapped[VoucherKind] = c.computed(
        c.enum("凭证来源", VoucherKind, required=True, default=VoucherKind.ORDINARY, index=True)
    )
    word_id: Mapped[int] = c.reference("凭证字", "voucher_word", required=True)
    word: Mapped[VoucherWord] = c.related(word_id)
    number: Mapped[int] = c.computed(c.whole("凭证号", minimum=1, required=True))
    period_id: Mapped[int] = c.computed(c.reference("会计期间", "accounting_period", required=True))
    period: Mapped[AccountingPeriod] = c.related(period_id)
    date: Mapped[dt.date] = c.day("凭证日期", required=True, index=True)
    memo: Mapped[str] = c.text("摘要", 200, required=True)
    attachments: Mapped[int] = c.whole(
        "附单据数", maximum=9999, unit="张", required=True, default=0
    )
    total: Mapped[Decimal] = c.computed(c.money("合计金额", signed=True, required=True, index=True))
    is_cash: Mapped[bool] = c.computed(c.flag("收付款凭证"))
    state: Mapped[VoucherState] = c.state("状态", VoucherState, VoucherState.DRAFT)
    prepared_by_id: Mapped[int | None] = c.computed(c.reference("制单", "employee"))
    prepared_by: Mapped["Employee | None"] = c.related(prepared_by_id)
    reviewed_by_id: Mapped[int | None] = c.computed(c.reference("审核", "employee"))
    reviewed_by: Mapped["Employee | None"] = c.related(reviewed_by_id)
    reviewed_at: Mapped[dt.datetime | None] = c.computed(c.moment("审核时间"))
    reviewed_hash: Mapped[str | None] = c.hidden(c.text("审核时内容的校验码", 64))
    signed_by_id: Mapped[int | None] = c.computed(c.reference("出纳", "employee"))
    signed_by: Mapped["Employee | None"] = c.related(signed_by_id)
    signed_at: Mapped[dt.datetime | None] = c.computed(c.moment("签字时间"))
    posted_by_id: Mapped[int | None] = c.computed(c.reference("记账", "employee"))
    posted_by: Mapped["Employee | None"] = c.related(posted_by_id)
    posted_at: Mapped[dt.datetime | None] = c.computed(c.moment("记账时间"))
    void_reason: Mapped[str | None] = c.computed(c.text("作废原因", 200))
    reverses_id: Mapped[int | None] = c.computed(c.reference("冲销的凭证", "voucher", index=False))
    reverses: Mapped["Voucher | None"] = c.related(reverses_id, remote_side="Voucher.id")
    event_id: Mapped[int | None] = c.computed(c.reference("来源业务", "business_event"))
    event: Mapped["BusinessEvent | None"] = c.related(event_id)
    posting_no: Mapped[int | None] = c.computed(c.whole("记账序号"))
    previous_hash: Mapped[str | None] = c.hidden(c.text("上一凭证校验码", 64))
    hash: Mapped[str | None] = c.computed(c.text("校验码", 64))
    entries: Mapped[list["VoucherEntry"]] = c.related(
        order_by="VoucherEntry.line_no", cascade="all, delete-orphan", back_populates="voucher"
    )


class VoucherEntry(Entity):
    """One line of a voucher: an amount on one side of one leaf account; red-letter amounts are negative."""

    spec = Spec(
        "凭证分录",
        Module.LEDGER,
        SpecKind.LEDGER,
        title="memo",
        listed=(
            "line_no",
            "memo",
            "account",
            "debit",
            "credit",
            "customer",
            "project",
            "bank",
            "department",
        ),
        filtered=("account_id", "customer_id", "project_id", "bank_id", "department_id"),
        order="line_no",
        sums=("debit", "credit"),
        scope=Scope(through="voucher"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("voucher_id", "line_no", name="uq_voucher_entry_line"),
        CheckConstraint(
            "(debit <> 0 AND credit = 0) OR (debit = 0 AND credit <> 0)",
            name="ck_voucher_entry_one_side",
        ),
    )

    voucher_id: Mapped[int] = c.owned_by("凭证", "voucher")
    voucher: Mapped[Voucher] = c.related(voucher_id, back_populates="entries")
    line_no: Mapped[int] = c.whole("行号", minimum=1, maximum=999, required=True)
    memo: Mapped[str] = c.text("摘要", 200, required=True)
    account_id: Mapped[int] = c.reference("会计科目", "account", required=True)
    account: Mapped[Account] = c.related(account_id)
    debit: Mapped[Decimal] = c.money("借方金额", signed=True, required=True, default=ZERO)
    credit: Mapped[Decimal] = c.money("贷方金额", signed=True, required=True, default=ZERO)
    customer_id: Mapped[int | None] = c.reference("客户", "customer")
    customer: Mapped["Customer | None"] = c.related(customer_id)
    project_id: Mapped[int | None] = c.reference("项目", "project")
    project: Mapped["Project | None"] = c.related(project_id)
    bank_id: Mapped[int | None] = c.reference("银行", "partner_bank")
    bank: Mapped["PartnerBank | None"] = c.related(bank_id)
    department_id: Mapped[int | None] = c.reference("部门", "department")
    department: Mapped["Department | None"] = c.related(department_id)
    cash_flow: Mapped[CashFlow | None] = c.enum("现金流量项目", CashFlow)
    # What the chain covers in place of the four ids above: ids and names may differ after a restore or a renaming.
    auxiliary_keys: Mapped[str] = c.hidden(c.text("辅助核算编号", 300, required=True, default=""))


class BusinessEvent(Entity):
    """An event with money, raised by a business workflow and booked at most once (architecture rule 7)."""

    spec = Spec(
        "复核单",
        Module.LEDGER,
        SpecKind.LEDGER,
        title="number",
        listed=(
            "number",
            "label",
            "customer",
            "project",
            "total",
            "occurred_on",
            "state",
            "voucher",
        ),
        searched=("number", "label", "memo"),
        filtered=("state", "event_code", "project_id", "customer_id", "occurred_on"),
        scope=Scope(through="project"),
        order="-id",
        sums=("total",),
        state="state",
        in_menu=False,  # 复核管理 is its place in the menu
        rank=590,
        news=News(
            170,
            made=("送复核：", "{label} {total} 元"),
            moved=(
                ("state", "BOOKED", "{event}记账，凭证 {voucher_id}"),
                ("state", "REFUSED", "复核退回：{event}"),
            ),
        ),
    )
    __table_args__ = (
        UniqueConstraint(
            "event_code", "record_table", "record_id", "sequence", name="uq_business_event_key"
        ),
        UniqueConstraint("number", name="uq_business_event_number"),
        Index("ix_business_event_record", "record_table", "record_id"),
        CheckConstraint(
            "(state = 'BOOKED') = (voucher_id IS NOT NULL AND booked_at IS NOT NULL)",
            name="ck_business_event_booked",
        ),
        CheckConstraint(
            "state NOT IN ('REFUSED', 'CANCELLED') OR reason IS NOT NULL",
            name="ck_business_event_reason",
        ),
    )

    number: Mapped[str] = c.computed(c.text("复核单号", 40, required=True))
    event_code: Mapped[str] = c.computed(
        c.coded("事项类型", "business_event", EVENT_LABELS, 60, required=True, index=True)
    )
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
    occurred_on: Mapped[dt.date] = c.computed(c.day("发生日期", required=True, index=True))
    memo: Mapped[str] = c.computed(c.text("摘要", 200, required=True))
    state: Mapped[EventState] = c.state("状态", EventState, EventState.PENDING)
    voucher_id: Mapped[int | None] = c.computed(c.reference("凭证", "voucher", use_alter=True))
    voucher: Mapped["Voucher | None"] = c.related(voucher_id)
    booked_by_id: Mapped[int | None] = c.computed(c.reference("复核人", "employee"))
    booked_by: Mapped["Employee | None"] = c.related(booked_by_id)
    booked_at: Mapped[dt.datetime | None] = c.computed(c.moment("复核时间"))
    reason: Mapped[str | None] = c.computed(c.text("退回或撤销原因", 200))
