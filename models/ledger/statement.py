"""报表公式 and the statements kept as issued (8.5, 8.6)."""

from decimal import Decimal
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Config, Entity, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.ledger.account import Account, AccountingPeriod, Direction


class StatementKind(Kind):
    """Statements made from rows and accounts."""

    BALANCE_SHEET = "资产负债表"
    INCOME = "利润表"


class StatementRow(Entity):
    """A row of a statement: the sum of its accounts, or a formula over other rows."""

    spec = Spec(
        "报表公式",
        Module.LEDGER,
        group=MenuGroup.BOOK_SETUP,
        title="label",
        listed=("statement", "row_no", "label", "side", "level", "formula"),
        searched=("label",),
        filtered=("statement", "side"),
        order="statement,row_no",
        key=("statement", "row_no"),
        rank=680,
        help="每个末级科目（或其上级）须且只须对应一行；合计行填写公式，如 R10-R40，不对应科目。",
        config=Config(),
    )
    __table_args__ = (UniqueConstraint("statement", "row_no", name="uq_statement_row_no"),)

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
        c.money("合计", signed=True, required=True, help="资产负债表为资产总计，利润表为本月净利润")
    )
    lines: Mapped[list[Any]] = c.hidden(c.json("报表内容", required=True, default=list))
    is_current: Mapped[bool] = c.computed(
        c.flag("有效", default=True, index=True, help="反结账后失效")
    )

    def __str__(self) -> str:
        """Which statement of which period."""
        return f"{self.period.code} {self.statement.label}"
