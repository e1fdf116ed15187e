"""Financial statements of corporate customers, several periods each, with their ratios (3.2)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, Scope, Spec
from models.base.kinds import Kind, Module
from models.customer.customer import CorporateCustomer

# Ratios of unhealthy companies leave the range 0..100.
_RATIO_MAX = Decimal(1_000_000_000)


class PeriodKind(Kind):
    """Period that a financial statement covers, from the start of the year."""

    YEAR = "年报"
    HALF = "半年报"
    QUARTER = "季报"
    MONTH = "月报"


class FinancialStatement(Entity):
    """Main lines of the balance sheet, income and cash-flow statements of one period; ratios follow on saving."""

    spec = Spec(
        "财务报表",
        Module.CUSTOMER,
        title="period_end",
        in_menu=False,
        order="-period_end",
        scope=Scope(through="corporate_customer"),
        key=("corporate_customer_id", "period_kind", "period_end"),
        listed=(
            "corporate_customer",
            "period_kind",
            "period_end",
            "total_assets",
            "total_liabilities",
            "net_assets",
            "revenue",
            "net_profit",
            "asset_liability_pct",
            "current_ratio",
        ),
    )
    __table_args__ = (
        UniqueConstraint(
            "corporate_customer_id",
            "period_kind",
            "period_end",
            name="uq_financial_statement_period",
        ),
    )

    corporate_customer_id: Mapped[int] = c.owned_by("客户", "corporate_customer", part=c.Part(30))
    corporate_customer: Mapped[CorporateCustomer] = c.related(corporate_customer_id)
    period_kind: Mapped[PeriodKind] = c.enum(
        "报表类型", PeriodKind, required=True, default=PeriodKind.YEAR
    )
    period_end: Mapped[date] = c.day("报表截止日", required=True)
    is_audited: Mapped[bool] = c.flag("已审计")
    auditor: Mapped[str | None] = c.text("审计机构", 100)

    cash: Mapped[Decimal | None] = c.money("货币资金", group="资产负债")
    receivables: Mapped[Decimal | None] = c.money("应收账款", group="资产负债")
    prepayments: Mapped[Decimal | None] = c.money("预付款项", group="资产负债")
    other_receivables: Mapped[Decimal | None] = c.money("其他应收款", group="资产负债")
    inventory: Mapped[Decimal | None] = c.money("存货", group="资产负债")
    current_assets: Mapped[Decimal] = c.money("流动资产合计", required=True, group="资产负债")
    fixed_assets: Mapped[Decimal | None] = c.money("固定资产", group="资产负债")
    intangible_assets: Mapped[Decimal | None] = c.money("无形资产", group="资产负债")
    total_assets: Mapped[Decimal] = c.money(
        "资产总额", required=True, positive=True, group="资产负债"
    )
    short_loans: Mapped[Decimal | None] = c.money("短期借款", group="资产负债")
    payables: Mapped[Decimal | None] = c.money("应付账款", group="资产负债")
    current_liabilities: Mapped[Decimal] = c.money("流动负债合计", required=True, group="资产负债")
    long_loans: Mapped[Decimal | None] = c.money("长期借款", group="资产负债")
    total_liabilities: Mapped[Decimal] = c.money("负债总额", required=True, group="资产负债")
    paid_in_capital: Mapped[Decimal | None] = c.money("实收资本", group="资产负债")
    retained_earnings: Mapped[Decimal | None] = c.money("未分配利润", signed=True, group="资产负债")
    net_assets: Mapped[Decimal] = c.money("净资产", signed=True, required=True, group="资产负债")

    revenue: Mapped[Decimal] = c.money("营业收入", required=True, group="利润")
    cost_of_sales: Mapped[Decimal | None] = c.money("营业成本", group="利润")
    selling_expenses: Mapped[Decimal | None] = c.money("销售费用", signed=True, group="利润")
    admin_expenses: Mapped[Decimal | None] = c.money("管理费用", signed=True, group="利润")
    interest_expense: Mapped[Decimal | None] = c.money("财务费用", signed=True, group="利润")
    total_profit: Mapped[Decimal | None] = c.money("利润总额", signed=True, group="利润")
    income_tax: Mapped[Decimal | None] = c.money("所得税费用", signed=True, group="利润")
    net_profit: Mapped[Decimal] = c.money("净利润", signed=True, required=True, group="利润")

    operating_cash_flow: Mapped[Decimal | None] = c.money(
        "经营活动现金流净额", signed=True, group="现金流量"
    )
    investing_cash_flow: Mapped[Decimal | None] = c.money(
        "投资活动现金流净额", signed=True, group="现金流量"
    )
    financing_cash_flow: Mapped[Decimal | None] = c.money(
        "筹资活动现金流净额", signed=True, group="现金流量"
    )

    asset_liability_pct: Mapped[Decimal | None] = c.computed(
        c.rate("资产负债率", scale=2, maximum=_RATIO_MAX, signed=True, group="财务比率")
    )
    current_ratio: Mapped[Decimal | None] = c.computed(
        c.rate("流动比率", unit="", scale=2, maximum=_RATIO_MAX, signed=True, group="财务比率")
    )
    quick_ratio: Mapped[Decimal | None] = c.computed(
        c.rate("速动比率", unit="", scale=2, maximum=_RATIO_MAX, signed=True, group="财务比率")
    )
    receivable_turnover: Mapped[Decimal | None] = c.computed(
        c.rate(
            "应收账款周转率",
            unit="次/年",
            scale=2,
            maximum=_RATIO_MAX,
            signed=True,
            group="财务比率",
        )
    )
    inventory_turnover: Mapped[Decimal | None] = c.computed(
        c.rate(
            "存货周转率", unit="次/年", scale=2, maximum=_RATIO_MAX, signed=True, group="财务比率"
        )
    )
    gross_margin_pct: Mapped[Decimal | None] = c.computed(
        c.rate("销售毛利率", scale=2, maximum=_RATIO_MAX, signed=True, group="财务比率")
    )
    net_margin_pct: Mapped[Decimal | None] = c.computed(
        c.rate("销售净利率", scale=2, maximum=_RATIO_MAX, signed=True, group="财务比率")
    )
    return_on_equity_pct: Mapped[Decimal | None] = c.computed(
        c.rate("净资产收益率", scale=2, maximum=_RATIO_MAX, signed=True, group="财务比率")
    )
    interest_cover: Mapped[Decimal | None] = c.computed(
        c.rate(
            "利息保障倍数", unit="倍", scale=2, maximum=_RATIO_MAX, signed=True, group="财务比率"
        )
    )

    def __str__(self) -> str:
        """Period and kind, as people name a statement."""
        return f"{self.period_end:%Y年%m月} {self.period_kind}"
