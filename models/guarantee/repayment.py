"""正常还款: what the customer has repaid to the bank, as registered against the plan (4.5e)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Entity, News, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project, Stage
from models.system.organization import Employee
from models.system.records import IssuedDocument


class RepaymentSource(Kind):
    """By which way a repayment became known."""

    MANUAL = "手工登记"
    IMPORTED = "银行文件导入"
    HISTORY = "历史补录"
    RENEWAL = "无还本续贷"
    COMPENSATION = "代偿"


class RepaymentState(Kind):
    """A registration counts until it is taken back."""

    BOOKED = "已登记"
    REVERSED = "已冲正"


class Repayment(Entity):
    """Principal and interest that the customer has paid to the bank on one day."""

    spec = Spec(
        "还款登记",
        Module.AFTER,
        SpecKind.LEDGER,
        title="number",
        rank=10,
        listed=(
            "number",
            "project",
            "drawdown",
            "paid_on",
            "principal",
            "interest",
            "extra_interest",
            "balance_after",
            "source",
            "state",
        ),
        searched=("number",),
        filtered=("project_id", "drawdown_id", "paid_on", "source", "state"),
        sums=("principal", "interest", "extra_interest"),
        scope=Scope(through="project"),
        state="state",
        news=News(
            20,
            made=("登记还款：", "本金 {principal} 元，利息 {interest} 元，回执 {number}"),
            moved=(("state", "REVERSED", "冲正还款 {title}"),),
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "principal >= 0 and interest >= 0 and (principal > 0 or interest > 0 or is_final)",
            name="ck_repayment_amounts",
        ),
        CheckConstraint("balance_after >= 0", name="ck_repayment_balance"),
        CheckConstraint(
            "extra_interest >= 0 and extra_interest <= interest", name="ck_repayment_extra_interest"
        ),
        CheckConstraint(
            "state <> 'REVERSED' or (reversed_on is not null and reversal_reason is not null)",
            name="ck_repayment_reversed",
        ),
        Index("ix_repayment_drawdown", "drawdown_id", "state", "paid_on"),
    )
    number: Mapped[str] = c.text("还款编号", 40, required=True, unique=True)
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(120, since=Stage.IN_FORCE)
    )
    project: Mapped[Project] = c.related(project_id)
    drawdown_id: Mapped[int] = c.reference("借据", "drawdown", required=True, part=c.Part(20))
    drawdown: Mapped[Drawdown] = c.related(drawdown_id)
    paid_on: Mapped[date] = c.day("还款日期", required=True, index=True)
    principal: Mapped[Decimal] = c.money("还本金额", required=True)
    interest: Mapped[Decimal] = c.money("还息金额", required=True)
    extra_interest: Mapped[Decimal] = c.money(
        "其中超计划利息",
        required=True,
        default=Decimal(0),
        help="银行实收利息超出还款计划的部分，不冲减以后各期",
    )
    is_final: Mapped[bool] = c.flag(
        "结清", help="银行确认本息已全部结清，计划利息与实收利息的差额不再收取"
    )
    balance_after: Mapped[Decimal] = c.money("还款后余额", required=True)
    source: Mapped[RepaymentSource] = c.enum("来源", RepaymentSource, required=True, index=True)
    file_name: Mapped[str | None] = c.text("来源文件", 200)
    note: Mapped[str | None] = c.correctable(c.text("备注", 200))
    document_id: Mapped[int | None] = c.reference("还款回执", "issued_document")
    document: Mapped[IssuedDocument | None] = c.related(document_id)
    reversed_on: Mapped[date | None] = c.day("冲正日期")
    reversed_by_id: Mapped[int | None] = c.reference("冲正人", "employee")
    reversed_by: Mapped[Employee | None] = c.related(reversed_by_id)
    reversal_reason: Mapped[str | None] = c.text("冲正原因", 200)
    state: Mapped[RepaymentState] = c.state("状态", RepaymentState, RepaymentState.BOOKED)
