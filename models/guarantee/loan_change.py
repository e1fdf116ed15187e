"""存续变更: 展期, 提前还款 and 利率调整 of a loan in force, approved before its plan is made anew (4.5d)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, ColumnElement, Index
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Decides, News, Scope, Spec
from models.base.kinds import Kind, Module, SpecKind
from models.base.paper import PaperState
from models.base.rows import MANAGER, SeedRow, decided, numbered
from models.guarantee.drawdown import Drawdown, RepaymentPlan
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Stage
from models.guarantee.repayment import Repayment
from models.system.records import IssuedDocument


class ChangeKind(Kind):
    """What of a loan in force is changed."""

    EXTENSION = "展期"
    PREPAYMENT = "提前还款"
    RATE = "利率调整"


class ReplanWay(Kind):
    """How what is still owed is planned anew."""

    LEVEL = "剩余期限内重新计算"
    SHORTEN = "每期不变，缩短期限"
    AGREED = "按约定的各期"


def _approval(code: str, label: str, sort_no: int) -> tuple[SeedRow, ...]:
    return decided(
        code,
        label,
        ("部门经理审核", MANAGER),
        ("保后管理审批", "after"),
        remark="在保借据的变更",
        sort_no=sort_no,
    )


class LoanChange(ProjectPaper):
    """A change of one loan: applied for, approved, and then its new plan is the current one, the old kept."""

    spec = Spec(
        "存续变更",
        Module.AFTER,
        SpecKind.DOCUMENT,
        title="number",
        rank=30,
        listed=(
            "number",
            "project",
            "drawdown",
            "kind",
            "effective_on",
            "new_due_on",
            "prepaid_amount",
            "new_rate_pct",
            "fee_amount",
            "done_on",
            "state",
        ),
        searched=("number",),
        filtered=("project_id", "drawdown_id", "kind", "effective_on", "done_on", "state"),
        sums=("prepaid_amount", "fee_amount"),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        seeds=(
            *numbered("loan_change", "存续变更编号", "BG{yyyy}-{no:04d}"),
            *_approval("extension", "展期", 122),
            *_approval("prepayment", "提前还款", 124),
            *_approval("rate_change", "利率调整", 126),
        ),
        approvals={"extension": Decides(lowered=("new_due_on",))},
        news=News(
            15,
            made=("申请存续变更：", "{kind} {number}"),
            moved=(("done_on", None, "办结存续变更 {title}，新还款计划生效"),),
        ),
    )
    __table_args__ = (
        CheckConstraint(
            "(kind = 'EXTENSION') = (new_due_on is not null)", name="ck_loan_change_extension"
        ),
        CheckConstraint(
            "(kind = 'PREPAYMENT') = (prepaid_amount is not null)",
            name="ck_loan_change_prepayment",
        ),
        CheckConstraint("(kind = 'RATE') = (new_rate_pct is not null)", name="ck_loan_change_rate"),
        CheckConstraint("prepaid_amount > 0", name="ck_loan_change_amount"),
        CheckConstraint(
            "done_on is null or state = 'APPROVED'", name="ck_loan_change_done_after_approval"
        ),
        Index("ix_loan_change_loan_state", "drawdown_id", "state"),
    )
    number_label = "变更编号"
    part = c.Part(125, since=Stage.IN_FORCE)
    drawdown_id: Mapped[int] = c.reference("借据", "drawdown", required=True, part=c.Part(15))
    drawdown: Mapped[Drawdown] = c.related(drawdown_id)
    kind: Mapped[ChangeKind] = c.enum("变更种类", ChangeKind, required=True, index=True)
    effective_on: Mapped[date] = c.day(
        "生效日期",
        required=True,
        index=True,
        help="展期：不早于申请日；提前还款：约定的还款日；利率调整：新利率起算日",
    )
    new_due_on: Mapped[date | None] = c.day("展期后到期日")
    prepaid_amount: Mapped[Decimal | None] = c.money("提前归还本金")
    new_rate_pct: Mapped[Decimal | None] = c.rate(
        "调整后年利率", unit="%/年", scale=6, maximum=Decimal(36)
    )
    way: Mapped[ReplanWay] = c.enum(
        "剩余部分的计划", ReplanWay, required=True, default=ReplanWay.LEVEL
    )
    lines: Mapped[str | None] = c.long_text("约定的各期", help="按约定时填写剩余本金的各期")
    counter_consent_on: Mapped[date | None] = c.day(
        "反担保人书面同意日期",
        help="展期时必填（有反担保的）；未经书面同意，原保证期间不受影响（民法典第695条）",
    )
    reason: Mapped[str] = c.long_text("变更原因", required=True)
    old_due_on: Mapped[date | None] = c.computed(c.day("原到期日"))
    old_rate_pct: Mapped[Decimal | None] = c.computed(c.rate("原年利率", unit="%/年", scale=6))
    fee_amount: Mapped[Decimal | None] = c.computed(
        c.money("展期担保费", help="按担保费率、余额和展期月数，通过后登记并送复核")
    )
    old_plan_id: Mapped[int | None] = c.computed(c.reference("原还款计划", "repayment_plan"))
    old_plan: Mapped[RepaymentPlan | None] = c.related(old_plan_id)
    plan_id: Mapped[int | None] = c.computed(c.reference("新还款计划", "repayment_plan"))
    plan: Mapped[RepaymentPlan | None] = c.related(plan_id)
    repayment_id: Mapped[int | None] = c.computed(c.reference("还款登记", "repayment"))
    repayment: Mapped[Repayment | None] = c.related(repayment_id)
    document_id: Mapped[int | None] = c.computed(c.reference("展期通知", "issued_document"))
    document: Mapped[IssuedDocument | None] = c.related(document_id)
    approved_on: Mapped[date | None] = c.computed(c.day("批准日期"))
    done_on: Mapped[date | None] = c.computed(c.day("办结日期", index=True))


def unpaid() -> tuple[ColumnElement[bool], ...]:
    """A prepayment that is approved, of which the bank has not received the money."""
    is_early = LoanChange.kind == ChangeKind.PREPAYMENT
    return is_early, LoanChange.state == PaperState.APPROVED, LoanChange.done_on.is_(None)
