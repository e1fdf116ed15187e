"""报表公式 and the statements kept as issued (8.5, 8.6)."""

from decimal import Decimal
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.ledger.account import Account, AccountingPeriod, Direction
from models.ledger.voucher import CashFlow


class StatementKind(Kind):
    """Statements made from rows and accounts."""

    BALANCE_SHEET = "资产负债表"
    INCOME = "利润表"
    CASH_FLOW = "现金流量表"
    EQUITY = "所有者权益变动表"


class RowSource(Kind):
    """What a row of 现金流量表 or 所有者权益变动表 takes in that no account and no cash-flow item tells."""

    CASH_AT_START = "期初现金"
    UNTOLD_IN = "未指定现金流量项目的流入"
    UNTOLD_OUT = "未指定现金流量项目的流出"
    EQUITY_AT_START = "上年年末余额"
    NET_PROFIT = "净利润"
    CAPITAL = "所有者投入和减少资本"
    SURPLUS = "提取盈余公积"
    RISK_RESERVE = "提取一般风险准备"
    DISTRIBUTION = "对所有者的分配及其他"
    WITHIN = "所有者权益内部结转"

    @property
    def statement(self) -> StatementKind:
        """The statement that it belongs to."""
        is_cash = self in (RowSource.CASH_AT_START, RowSource.UNTOLD_IN, RowSource.UNTOLD_OUT)
        return StatementKind.CASH_FLOW if is_cash else StatementKind.EQUITY


class StatementRow(Entity):
    """A row of a statement: the sum of its accounts, a cash-flow item, a source, or a formula over other rows."""

    spec = Spec(
        "报表公式",
        Module.LEDGER,
        group=MenuGroup.BOOK_SETUP,
        title="label",
        listed=("statement", "row_no", "label", "side", "level", "formula", "cash_flow", "takes"),
        searched=("label",),
        filtered=("statement", "side"),
        order="statement,row_no",
        key=("statement", "row_no"),
        rank=680,
        help=(
            "资产负债表和利润表的每个末级科目（或其上级）须且只须对应一行；现金流量表的行选现金流量项目，所有者权益变动表的行"
            "选特别取数；合计行填写公式，如 R10-R40，不另取数。"
        ),
        config=Config(),
    )
    # One item or source, one row: what makes the rows add up to the money and the equity that are there.
    __table_args__ = (
        UniqueConstraint("statement", "row_no", name="uq_statement_row_no"),
        UniqueConstraint("cash_flow", name="uq_statement_row_cash_flow"),
        UniqueConstraint("takes", name="uq_statement_row_takes"),
    )

    statement: Mapped[StatementKind] = c.enum("报表", StatementKind, required=True, index=True)
    row_no: Mapped[int] = c.whole("行次", minimum=1, maximum=999, required=True)
    label: Mapped[str] = c.text("项目", 60, required=True)
    side: Mapped[Direction] = c.enum(
        "余额方向",
        Direction,
        required=True,
        index=True,
        help="资产和支出为借，负债、权益和收入为贷",
    )
    level: Mapped[int] = c.whole("缩进", maximum=3, required=True, default=1, help="0 为合计行")
    formula: Mapped[str | None] = c.text("公式", 200, help="由其他行计算时填写：R行次 以 + - 连接")
    takes_unclosed_profit: Mapped[bool] = c.flag(
        "包含未结转损益", help="资产负债表“未分配利润”行选中"
    )
    cash_flow: Mapped[CashFlow | None] = c.enum(
        "现金流量项目", CashFlow, help="现金流量表的行：凭证上指定了该项目的现金银行分录"
    )
    takes: Mapped[RowSource | None] = c.enum(
        "特别取数", RowSource, help="期初现金、未指定项目的收支，和所有者权益变动表各行"
    )
    opens: Mapped[str | None] = c.text("本行前的标题", 30, help="如 资产、负债、所有者权益")

    def __str__(self) -> str:
        """Statement and row."""
        return f"{self.statement.label} {self.row_no} {self.label}"


class StatementAccount(Entity):
    """An account that a row takes in with all below it, except those that have a row of their own."""

    spec = Spec(
        "报表取数科目",
        Module.LEDGER,
        title="id",
        listed=("account",),
        order="id",
        key=("account_id",),
        scope=Scope(through="statement_row"),
        in_menu=False,
    )
    # One account, one row: what makes assets equal claims.
    __table_args__ = (UniqueConstraint("account_id", name="uq_statement_account_account"),)

    statement_row_id: Mapped[int] = c.owned_by("报表公式", "statement_row")
    statement_row: Mapped[StatementRow] = c.related(statement_row_id)
    account_id: Mapped[int] = c.reference("会计科目", "account", required=True, index=False)
    account: Mapped[Account] = c.related(account_id)


class IssuedStatement(Entity):
    """A statement as it was issued when its period was closed; formulas changed later do not change it."""

    spec = Spec(
        "已出报表",
        Module.LEDGER,
        SpecKind.LOG,
        group=MenuGroup.STATEMENTS,
        title="statement",
        listed=(
            "statement",
            "period",
            "round",
            "total",
            "is_current",
            "created_at",
            "created_by_id",
        ),
        filtered=("period_id", "statement", "is_current"),
        rank=685,
    )
    __table_args__ = (
        UniqueConstraint("period_id", "statement", "round", name="uq_issued_statement_round"),
    )

    period_id: Mapped[int] = c.computed(c.reference("会计期间", "accounting_period", required=True))
    period: Mapped[AccountingPeriod] = c.related(period_id)
    statement: Mapped[StatementKind] = c.computed(
        c.enum("报表", StatementKind, required=True, index=True)
    )
    round: Mapped[int] = c.computed(c.whole("次数", minimum=1, required=True))
    total: Mapped[Decimal] = c.computed(
        c.money("合计", signed=True, required=True, help="资产总计、本月净利润、期末现金、权益合计")
    )
    lines: Mapped[list[Any]] = c.hidden(c.json("报表内容", required=True, default=list))
    is_current: Mapped[bool] = c.computed(
        c.flag("有效", default=True, index=True, help="反结账后失效")
    )

    def __str__(self) -> str:
        """Which statement of which period."""
        return f"{self.period.code} {self.statement.label}"
