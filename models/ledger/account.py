"""Chart of accounts, accounting periods and the balances kept per period (8.4, 8.6)."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind

if TYPE_CHECKING:
    from models.system.organization import Employee

ZERO = Decimal("0.00")


class Direction(Kind):
    """Side on which an account normally stands, or an entry is written."""

    DEBIT = "借"
    CREDIT = "贷"


class AccountCategory(Kind):
    """Element of the statements that an account belongs to."""

    ASSET = "资产"
    LIABILITY = "负债"
    EQUITY = "所有者权益"
    COMMON = "共同"
    PROFIT = "损益"


class AssetClass(Kind):
    """Class of an asset under 融资担保公司资产比例管理办法."""

    ONE = "Ⅰ级"
    TWO = "Ⅱ级"
    THREE = "Ⅲ级"


class PeriodState(Kind):
    """Whether a period still takes vouchers."""

    OPEN = "未结账"
    CLOSED = "已结账"


class Account(Entity):
    """An account of the chart; only leaves take entries, with the auxiliaries the account asks for."""

    spec = Spec(
        "会计科目",
        Module.LEDGER,
        group=MenuGroup.BOOK_SETUP,
        title="full_name",
        listed=(
            "code",
            "name",
            "category",
            "direction",
            "parent",
            "is_leaf",
            "is_cash_bank",
            "is_active",
        ),
        searched=("code", "name", "full_name"),
        filtered=("code", "category", "direction", "parent_id", "is_leaf", "is_active"),
        order="code",
        key=("code",),
        tree="level",
        rank=610,
        help="科目编码按级次用点号分隔，如 1201.01；只有末级科目可以记账，有发生额的科目不能再增加下级。",
        config=Config(),
    )
    __table_args__ = (
        UniqueConstraint("code", name="uq_account_code"),
        CheckConstraint("level BETWEEN 1 AND 6", name="ck_account_level"),
        CheckConstraint("(level = 1) = (parent_id IS NULL)", name="ck_account_parent"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="ck_account_not_own_parent"),
    )

    code: Mapped[str] = c.text(
        "科目编码", 30, required=True, help="下级编码 = 上级编码 + “.” + 两位以上数字"
    )
    name: Mapped[str] = c.text("科目名称", 60, required=True)
    full_name: Mapped[str] = c.computed(
        c.text("科目全称", 200, required=True, default="", index=True)
    )
    parent_id: Mapped[int | None] = c.reference("上级科目", "account")
    parent: Mapped["Account | None"] = c.related(parent_id, remote_side="Account.id")
    category: Mapped[AccountCategory] = c.enum(
        "科目类别", AccountCategory, required=True, index=True
    )
    direction: Mapped[Direction] = c.enum("余额方向", Direction, required=True, index=True)
    level: Mapped[int] = c.computed(c.whole("级次", minimum=1, maximum=6, required=True, default=1))
    is_leaf: Mapped[bool] = c.computed(c.flag("末级科目", default=True, index=True))
    needs_customer: Mapped[bool] = c.flag(
        "客户核算", help="选中后，记到该科目的每条分录都要填客户", group="辅助核算"
    )
    needs_project: Mapped[bool] = c.flag("项目核算", group="辅助核算")
    needs_bank: Mapped[bool] = c.flag("银行核算", group="辅助核算")
    needs_department: Mapped[bool] = c.flag("部门核算", group="辅助核算")
    is_cash_bank: Mapped[bool] = c.flag("现金银行科目", help="含此类科目的凭证须经出纳签字")
    asset_class: Mapped[AssetClass | None] = c.enum("资产分级", AssetClass, group="监管口径")
    asset_ratio_pct: Mapped[Decimal] = c.rate(
        "计入比例",
        scale=2,
        required=True,
        default=Decimal(100),
        help="按该比例计入所属级别的资产",
        group="监管口径",
    )
    is_active: Mapped[bool] = c.flag("启用", default=True, index=True)

    def __str__(self) -> str:
        """Code and full name, as accountants say it."""
        return f"{self.code} {self.full_name or self.name}"


class AccountingPeriod(Entity):
    """One month of the books."""

    spec = Spec(
        "会计期间",
        Module.LEDGER,
        SpecKind.LEDGER,
        group=MenuGroup.BOOK_SETUP,
        title="code",
        listed=("code", "starts_on", "ends_on", "state", "closed_at", "closed_by"),
        searched=("code",),
        filtered=("year", "state"),
        order="-code",
        key=("code",),
        state="state",
        rank=620,
    )
    __table_args__ = (
        UniqueConstraint("code", name="uq_accounting_period_code"),
        CheckConstraint("month BETWEEN 1 AND 12", name="ck_accounting_period_month"),
        CheckConstraint("starts_on <= ends_on", name="ck_accounting_period_dates"),
        CheckConstraint(
            "(state = 'OPEN' AND closed_at IS NULL AND closed_by_id IS NULL) OR "
            "(state = 'CLOSED' AND closed_at IS NOT NULL AND closed_by_id IS NOT NULL)",
            name="ck_accounting_period_closed",
        ),
    )

    code: Mapped[str] = c.text("会计期间", 7, required=True)
    year: Mapped[int] = c.whole("年度", minimum=1990, maximum=2999, required=True, index=True)
    month: Mapped[int] = c.whole("月份", minimum=1, maximum=12, required=True)
    starts_on: Mapped[date] = c.day("开始日期", required=True)
    ends_on: Mapped[date] = c.day("结束日期", required=True)
    state: Mapped[PeriodState] = c.state("状态", PeriodState, PeriodState.OPEN)
    closed_at: Mapped[datetime | None] = c.computed(c.moment("结账时间"))
    closed_by_id: Mapped[int | None] = c.computed(c.reference("结账人", "employee"))
    closed_by: Mapped["Employee | None"] = c.related(closed_by_id)


class AccountBalance(Entity):
    """Balance of a leaf account in one period, kept in the transaction of each posting; debit counts as positive."""

    spec = Spec(
        "科目余额",
        Module.LEDGER,
        SpecKind.LEDGER,
        title="id",
        listed=("period", "account", "opening", "debit", "credit", "closing"),
        filtered=("period_id", "account_id"),
        in_menu=False,
    )
    __table_args__ = (
        UniqueConstraint("account_id", "period_id", name="uq_account_balance_key"),
        CheckConstraint("closing = opening + debit - credit", name="ck_account_balance_closing"),
    )

    period_id: Mapped[int] = c.reference("会计期间", "accounting_period", required=True)
    period: Mapped[AccountingPeriod] = c.related(period_id)
    account_id: Mapped[int] = c.reference("会计科目", "account", required=True)
    account: Mapped[Account] = c.related(account_id)
    opening: Mapped[Decimal] = c.money("期初余额", signed=True, required=True, default=ZERO)
    debit: Mapped[Decimal] = c.money("本期借方", signed=True, required=True, default=ZERO)
    credit: Mapped[Decimal] = c.money("本期贷方", signed=True, required=True, default=ZERO)
    closing: Mapped[Decimal] = c.money("期末余额", signed=True, required=True, default=ZERO)


class AuxiliaryBalance(Entity):
    """Balance of an account by customer, project, bank and department; 0 stands for none, so that the key is unique.

    The four key columns are plain numbers and no foreign keys: a foreign key would not take the 0.
    """

    spec = Spec("辅助余额", Module.LEDGER, SpecKind.INTERNAL, title="id", in_menu=False)
    __table_args__ = (
        UniqueConstraint(
            "account_id",
            "period_id",
            "customer_id",
            "project_id",
            "bank_id",
            "department_id",
            name="uq_auxiliary_balance_key",
        ),
        CheckConstraint("closing = opening + debit - credit", name="ck_auxiliary_balance_closing"),
    )

    period_id: Mapped[int] = c.reference("会计期间", "accounting_period", required=True)
    account_id: Mapped[int] = c.reference("会计科目", "account", required=True)
    customer_id: Mapped[int] = c.whole("客户", required=True, default=0, index=True)
    project_id: Mapped[int] = c.whole("项目", required=True, default=0, index=True)
    bank_id: Mapped[int] = c.whole("银行", required=True, default=0, index=True)
    department_id: Mapped[int] = c.whole("部门", required=True, default=0, index=True)
    opening: Mapped[Decimal] = c.money("期初余额", signed=True, required=True, default=ZERO)
    debit: Mapped[Decimal] = c.money("本期借方", signed=True, required=True, default=ZERO)
    credit: Mapped[Decimal] = c.money("本期贷方", signed=True, required=True, default=ZERO)
    closing: Mapped[Decimal] = c.money("期末余额", signed=True, required=True, default=ZERO)
