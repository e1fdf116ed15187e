"""Opening of the books, income schedules, provisions and month-ends (8.3, 8.6)."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.ledger.account import ZERO, AccountingPeriod
from models.ledger.voucher import Voucher

if TYPE_CHECKING:
    from models.customer.customer import Customer
    from models.guarantee.project import Project
    from models.system.organization import Employee


class OpeningImport(Entity):
    """期初余额: the files the books were opened with, and the voucher they became; there is at most one."""

    spec = Spec(
        "期初余额",
        Module.LEDGER,
        SpecKind.LOG,
        title="file_name",
        listed=(
            "file_name",
            "auxiliary_file_name",
            "period",
            "total",
            "voucher",
            "created_at",
            "created_by_id",
        ),
        filtered=("period_id",),
        in_menu=False,
    )
    __table_args__ = (UniqueConstraint("period_id", name="uq_opening_import_period"),)

    period_id: Mapped[int] = c.computed(
        c.reference("期初期间", "accounting_period", required=True, index=False)
    )
    period: Mapped[AccountingPeriod] = c.related(period_id)
    file_name: Mapped[str] = c.computed(c.text("余额表文件", 200, required=True))
    auxiliary_file_name: Mapped[str] = c.computed(
        c.text("辅助余额文件", 200, required=True, default="")
    )
    # Of the rows as read, so that a workbook saved again without a change is still the same file.
    digest: Mapped[str] = c.computed(c.text("内容校验码", 64, required=True))
    total: Mapped[Decimal] = c.computed(c.money("借方合计", required=True))
    voucher_id: Mapped[int] = c.computed(c.reference("期初凭证", "voucher", required=True))
    voucher: Mapped[Voucher] = c.related(voucher_id)
    # By code: 年初余额 (debit positive), 本年累计借方 and 贷方 of the old books, where the file states them.
    year_figures: Mapped[dict[str, Any]] = c.hidden(
        c.json("年初余额和本年累计", required=True, default=dict)
    )


class IncomeHistory(Entity):
    """担保费收入 of a month before the books begin: the provision for unearned premiums looks back twelve months."""

    spec = Spec(
        "期初前担保费收入",
        Module.LEDGER,
        group=MenuGroup.BOOK_SETUP,
        title="month",
        listed=("month", "amount", "note"),
        searched=("month",),
        filtered=("month",),
        order="-month",
        key=("month",),
        sums=("amount",),
        rank=660,
        help="未到期责任准备金按最近十二个月担保费收入计算；账套启用前的月份在此登记。",
    )
    __table_args__ = (UniqueConstraint("month", name="uq_income_history_month"),)

    month: Mapped[str] = c.text("月份", 7, required=True, help="如 2025-12")
    amount: Mapped[Decimal] = c.money("担保费收入", required=True, default=ZERO)
    note: Mapped[str | None] = c.text("说明", 200)


class ScheduleSource(Kind):
    """Where an income schedule comes from."""

    OPENING = "期初"
    FEE = "费用登记"


class IncomeSchedule(Entity):
    """担保费 that stands in 2203 and becomes income over its term, with the part recognised at month-ends."""

    spec = Spec(
        "收入确认计划",
        Module.LEDGER,
        SpecKind.LEDGER,
        group=MenuGroup.CLOSING,
        title="id",
        listed=("source", "customer", "project", "starts_on", "ends_on", "amount", "recognised"),
        filtered=("source", "customer_id", "project_id", "ends_on"),
        scope=Scope(through="customer"),
        sums=("amount", "recognised"),
        rank=650,
        help="预收担保费按系统参数“担保费收入确认方式”在月末结转为担保费收入。",
    )
    __table_args__ = (
        UniqueConstraint("fee_id", name="uq_income_schedule_fee"),
        CheckConstraint("recognised <= amount", name="ck_income_schedule_recognised"),
        CheckConstraint("starts_on <= ends_on", name="ck_income_schedule_dates"),
        CheckConstraint(
            "(source = 'FEE') = (fee_id IS NOT NULL)", name="ck_income_schedule_source"
        ),
    )

    source: Mapped[ScheduleSource] = c.computed(
        c.enum("来源", ScheduleSource, required=True, index=True)
    )
    customer_id: Mapped[int] = c.computed(c.reference("客户", "customer", required=True))
    customer: Mapped["Customer"] = c.related(customer_id)
    project_id: Mapped[int | None] = c.computed(c.reference("项目", "project"))
    project: Mapped["Project | None"] = c.related(project_id)
    fee_id: Mapped[int | None] = c.computed(c.reference("费用", "fee", index=False))
    starts_on: Mapped[date] = c.computed(c.day("起始日期", required=True))
    ends_on: Mapped[date] = c.computed(c.day("到期日期", required=True, index=True))
    # An opening balance is what was left on that day: it is spread from the day after, not from the term's first day.
    spread_from: Mapped[date] = c.computed(c.day("分摊起始日", required=True))
    amount: Mapped[Decimal] = c.computed(c.money("应确认金额", required=True))
    recognised: Mapped[Decimal] = c.computed(c.money("已确认金额", required=True, default=ZERO))

    def __str__(self) -> str:
        """Whose fee, over which term."""
        return f"{self.customer} {self.starts_on} 至 {self.ends_on}"


class IncomeRecognition(Entity):
    """What one month-end recognised of a schedule."""

    spec = Spec(
        "收入确认明细",
        Module.LEDGER,
        SpecKind.LEDGER,
        title="id",
        listed=("period", "amount", "voucher"),
        filtered=("period_id",),
        scope=Scope(through="income_schedule"),
        sums=("amount",),
        in_menu=False,
    )

    income_schedule_id: Mapped[int] = c.owned_by("收入确认计划", "income_schedule")
    income_schedule: Mapped[IncomeSchedule] = c.related(income_schedule_id)
    period_id: Mapped[int] = c.reference("会计期间", "accounting_period", required=True)
    period: Mapped[AccountingPeriod] = c.related(period_id)
    amount: Mapped[Decimal] = c.money("确认金额", required=True, signed=True)
    voucher_id: Mapped[int] = c.reference("凭证", "voucher", required=True)
    voucher: Mapped[Voucher] = c.related(voucher_id)


class ProvisionKind(Kind):
    """What is provided for or set aside by computation."""

    UNEARNED = "未到期责任准备金"
    COMPENSATION = "担保赔偿准备金"
    SURPLUS = "法定盈余公积"
    GENERAL = "一般风险准备"


class ProvisionCalculation(Entity):
    """One computation of a provision with its inputs: kept as it was booked; a release is negative."""

    spec = Spec(
        "准备金计算表",
        Module.LEDGER,
        SpecKind.LEDGER,
        group=MenuGroup.CLOSING,
        title="kind",
        listed=("period", "kind", "base", "rate_pct", "required", "booked", "amount", "voucher"),
        filtered=("period_id", "kind"),
        rank=655,
        help="每次计提的计算过程：基数 × 比例，减去账上已有金额，差额入账；负数为转回。",
    )

    period_id: Mapped[int] = c.computed(c.reference("会计期间", "accounting_period", required=True))
    period: Mapped[AccountingPeriod] = c.related(period_id)
    kind: Mapped[ProvisionKind] = c.computed(
        c.enum("项目", ProvisionKind, required=True, index=True)
    )
    base: Mapped[Decimal] = c.computed(c.money("计提基数", signed=True, required=True))
    rate_pct: Mapped[Decimal] = c.computed(c.rate("比例", scale=4, required=True))
    required: Mapped[Decimal] = c.computed(c.money("应有金额", signed=True, required=True))
    booked: Mapped[Decimal] = c.computed(c.money("账上金额", signed=True, required=True))
    amount: Mapped[Decimal] = c.computed(c.money("本次计提", signed=True, required=True))
    formula: Mapped[str] = c.computed(c.long_text("计算过程", required=True))
    voucher_id: Mapped[int | None] = c.computed(c.reference("凭证", "voucher"))
    voucher: Mapped[Voucher | None] = c.related(voucher_id)


class MonthEndLog(Entity):
    """财务月终日志: one closing of a period with the state of the books, and its re-opening if there was one."""

    spec = Spec(
        "财务月终日志",
        Module.LEDGER,
        SpecKind.LOG,
        group=MenuGroup.CLOSING,
        title="period",
        listed=(
            "period",
            "round",
            "closed_at",
            "closed_by",
            "net_profit",
            "total_assets",
            "posting_no",
            "reopened_at",
            "reopened_by",
            "reopen_reason",
        ),
        filtered=("period_id", "closed_at"),
        rank=670,
    )
    __table_args__ = (
        UniqueConstraint("period_id", "round", name="uq_month_end_log_round"),
        CheckConstraint(
            "(reopened_at IS NULL) = (reopen_reason IS NULL)", name="ck_month_end_log_reopened"
        ),
    )

    period_id: Mapped[int] = c.computed(c.reference("会计期间", "accounting_period", required=True))
    period: Mapped[AccountingPeriod] = c.related(period_id)
    round: Mapped[int] = c.computed(
        c.whole("次数", minimum=1, required=True, help="反结账后再次结账为第 2 次")
    )
    closed_at: Mapped[datetime] = c.computed(c.moment("结账时间", required=True, index=True))
    closed_by_id: Mapped[int] = c.computed(c.reference("结账人", "employee", required=True))
    closed_by: Mapped["Employee"] = c.related(closed_by_id)
    net_profit: Mapped[Decimal] = c.computed(c.money("本月净利润", signed=True, required=True))
    total_assets: Mapped[Decimal] = c.computed(c.money("资产总计", signed=True, required=True))
    posting_no: Mapped[int] = c.computed(c.whole("最后记账序号", required=True))
    chain_hash: Mapped[str] = c.computed(c.text("凭证链校验码", 64, required=True))
    head_no: Mapped[int | None] = c.computed(
        c.whole("链头登记序号", help="也写在数据库之外的链头文件里")
    )
    checks: Mapped[list[Any]] = c.hidden(c.json("检查结果", required=True, default=list))
    reopened_at: Mapped[datetime | None] = c.computed(c.moment("反结账时间"))
    reopened_by_id: Mapped[int | None] = c.computed(c.reference("反结账人", "employee"))
    reopened_by: Mapped["Employee | None"] = c.related(reopened_by_id)
    reopen_reason: Mapped[str | None] = c.computed(c.text("反结账原因", 200))

    def __str__(self) -> str:
        """Period, and which time."""
        return f"{self.period.code} 第 {self.round} 次结账"
