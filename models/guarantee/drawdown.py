"""放款管理: the bank's loan (借据), its repayment plans and instalments (4.5)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.guarantee.benchmark import Benchmark
from models.guarantee.product import DayCount, RepaymentMethod
from models.guarantee.project import Project, Stage
from models.system.records import IssuedDocument


class DrawdownState(Kind):
    """A loan runs until it is repaid, by the customer or in its place, or until the bank lets the company go."""

    ACTIVE = "正常"
    OVERDUE = "逾期"
    SETTLED = "已结清"
    RELEASED = "已解保"
    COMPENSATED = "已代偿"


class Drawdown(Entity):
    """The bank's loan under a guarantee (借据)."""

    spec = Spec(
        "借据",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="number",
        group=MenuGroup.LENDING,
        rank=120,
        listed=(
            "number",
            "project",
            "bank_note_no",
            "drawn_on",
            "due_on",
            "amount",
            "balance",
            "rate_annual_pct",
            "state",
        ),
        searched=("number", "bank_note_no"),
        filtered=("project_id", "drawn_on", "due_on", "state"),
        sums=("amount", "balance"),
        scope=Scope(through="project"),
        news=News(
            30,
            made=("放款 ", "{amount} 元，借据 {number}，{due_on} 到期"),
            moved=(
                ("state", "OVERDUE", "借据 {title} 逾期"),
                ("state", "SETTLED", "借据 {title} 结清"),
                ("state", "COMPENSATED", "借据 {title} 已代偿"),
            ),
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "amount > 0 and balance >= 0 and balance <= amount", name="ck_drawdown_amount"
        ),
        CheckConstraint("due_on >= drawn_on", name="ck_drawdown_dates"),
        CheckConstraint(
            "(state in ('SETTLED', 'RELEASED', 'COMPENSATED')) = (closed_on is not null)",
            name="ck_drawdown_closed",
        ),
        CheckConstraint(
            "state not in ('SETTLED', 'COMPENSATED') or balance = 0", name="ck_drawdown_settled"
        ),
    )
    number: Mapped[str] = c.text("借据编号", 40, required=True, unique=True)
    project_id: Mapped[int] = c.reference(
        "担保项目",
        "project",
        required=True,
        part=c.Part(50, since=Stage.CONFIRM, opens=(Stage.IN_FORCE,)),
    )
    project: Mapped[Project] = c.related(project_id)
    bank_note_no: Mapped[str] = c.correctable(c.text("银行借据号", 60, required=True, unique=True))
    drawn_on: Mapped[date] = c.day("放款日期", required=True, index=True)
    due_on: Mapped[date] = c.day("到期日期", required=True, index=True)
    amount: Mapped[Decimal] = c.money("放款金额", required=True, positive=True)
    balance: Mapped[Decimal] = c.money("借款余额", required=True)
    rate_annual_pct: Mapped[Decimal] = c.rate(
        "年利率", unit="%/年", required=True, scale=6, maximum=Decimal(36)
    )
    repayment_method: Mapped[RepaymentMethod] = c.enum("还款方式", RepaymentMethod, required=True)
    benchmark: Mapped[Benchmark | None] = c.enum("基准利率", Benchmark)
    spread_bp: Mapped[Decimal | None] = c.rate(
        "加点", unit="BP", scale=2, signed=True, maximum=Decimal(3600), help="100 BP 为 1%"
    )
    day_count: Mapped[DayCount] = c.enum(
        "计息天数", DayCount, required=True, default=DayCount.THIRTY_360
    )
    document_id: Mapped[int | None] = c.reference("放款凭证", "issued_document")
    document: Mapped[IssuedDocument | None] = c.related(document_id)
    closed_on: Mapped[date | None] = c.day("结清日期", help="本息结清、代偿或担保责任解除之日")
    state: Mapped[DrawdownState] = c.state("状态", DrawdownState, DrawdownState.ACTIVE)

    @property
    def is_running(self) -> bool:
        """Whether the company still answers for it."""
        return self.state in (DrawdownState.ACTIVE, DrawdownState.OVERDUE)


# An instalment of which something is still owed, as the index and the queries that use it must both write it.
OPEN = "principal_paid < principal or interest_paid < interest"


class PlanSource(Kind):
    """Where a plan comes from."""

    GENERATED = "系统生成"
    IMPORTED = "银行文件导入"
    TYPED = "按约定填写"
    CHANGED = "存续变更"
    HISTORY = "历史补录"


class RepaymentPlan(Entity):
    """A version of a loan's repayment plan; a change makes a new one and keeps the old."""

    spec = Spec(
        "还款计划",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="plan_no",
        order="plan_no",
        in_menu=False,
        listed=("plan_no", "source", "file_name", "is_current", "made_on"),
        scope=Scope(through="drawdown"),
    )
    __table_args__ = (UniqueConstraint("drawdown_id", "plan_no", name="uq_repayment_plan"),)
    drawdown_id: Mapped[int] = c.owned_by("借据", "drawdown")
    drawdown: Mapped[Drawdown] = c.related(drawdown_id)
    plan_no: Mapped[int] = c.whole("版本", required=True, minimum=1)
    source: Mapped[PlanSource] = c.enum("来源", PlanSource, required=True)
    file_name: Mapped[str | None] = c.text("来源文件", 200)
    is_current: Mapped[bool] = c.flag("现行", default=True)
    made_on: Mapped[date] = c.day("生成日期", required=True)


class Instalment(Entity):
    """One instalment of a repayment plan and what has been repaid of it."""

    spec = Spec(
        "还款期次",
        Module.GUARANTEE,
        SpecKind.LEDGER,
        title="seq",
        order="seq",
        in_menu=False,
        listed=(
            "seq",
            "due_on",
            "principal",
            "interest",
            "principal_paid",
            "interest_paid",
            "overdue_since",
        ),
        sums=("principal", "interest", "principal_paid", "interest_paid"),
        scope=Scope(through="repayment_plan"),
    )
    __table_args__ = (
        UniqueConstraint("repayment_plan_id", "seq", name="uq_instalment"),
        CheckConstraint("principal >= 0 and interest >= 0", name="ck_instalment_amounts"),
        CheckConstraint(
            "principal_paid <= principal and interest_paid <= interest", name="ck_instalment_paid"
        ),
        CheckConstraint(
            "principal_paid >= 0 and interest_paid >= 0", name="ck_instalment_paid_not_negative"
        ),
        Index("ix_instalment_due_on", "due_on"),
        Index("ix_instalment_seq", "seq"),  # the list's own order
        # What day-end and warnings look for is a sliver of all instalments.
        Index("ix_instalment_open", "due_on", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
    )
    repayment_plan_id: Mapped[int] = c.owned_by("还款计划", "repayment_plan")
    repayment_plan: Mapped[RepaymentPlan] = c.related(repayment_plan_id)
    seq: Mapped[int] = c.whole("期次", required=True, minimum=1)
    due_on: Mapped[date] = c.day("应还日期", required=True)
    principal: Mapped[Decimal] = c.money("应还本金", required=True)
    interest: Mapped[Decimal] = c.money("应还利息", required=True)
    principal_paid: Mapped[Decimal] = c.money("已还本金", required=True, default=Decimal(0))
    interest_paid: Mapped[Decimal] = c.money("已还利息", required=True, default=Decimal(0))
    overdue_since: Mapped[date | None] = c.day("逾期起始日", help="日终标记；还清后清除")

    @property
    def is_open(self) -> bool:
        """Whether something of it is still owed."""
        return self.principal_paid < self.principal or self.interest_paid < self.interest
