"""终止办理: the end of a project that will not be guaranteed, and what goes back to the customer (4, domain.md 3)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import columns as c
from models.base.entity import Decides, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import PaperState, SentBack
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Stage


class TerminationCause(Kind):
    """Why a project does not go on."""

    CUSTOMER = "客户放弃"
    BANK = "银行不予放款"
    EXPIRED = "决议到期不再办理"
    UNMET = "放款条件无法落实"
    REFUSED = "决议未获通过"
    OTHER = "其他"


class Termination(SentBack, ProjectPaper):
    """The end of a project before the drawdown: approved once money is in the books, then settled through 复核."""

    spec = Spec(
        "终止办理",
        Module.GUARANTEE,
        SpecKind.DOCUMENT,
        group=MenuGroup.ENDING,
        title="number",
        rank=130,
        approvals={"termination": Decides()},
        listed=(
            "number",
            "project",
            "cause",
            "stage",
            "receivable_amount",
            "refund_amount",
            "deposit_amount",
            "approved_on",
            "settled_on",
            "state",
        ),
        searched=("number",),
        filtered=("project_id", "cause", "approved_on", "state"),
        sums=("receivable_amount", "refund_amount", "deposit_amount"),
        scope=Scope(through="project"),
        on_sheet=("reason",),
        state="state",
        drafts=(PaperState.DRAFT,),
        news=News(70, made=("申请终止办理：", "{cause}")),
    )
    __table_args__ = (
        CheckConstraint(
            "receivable_amount >= 0 and refund_amount >= 0 and deposit_amount >= 0",
            name="ck_termination_amounts",
        ),
        CheckConstraint(
            "(state = 'APPROVED') = (approved_on is not null)", name="ck_termination_approved"
        ),
        CheckConstraint("settled_on is null or state = 'APPROVED'", name="ck_termination_settled"),
    )
    number_label = "终止编号"
    again = "settle"
    part = c.Part(140, is_rare=True)
    cause: Mapped[TerminationCause] = c.enum(
        "终止原因", TerminationCause, required=True, index=True
    )
    reason: Mapped[str] = c.long_text("情况说明", required=True)
    stage: Mapped[Stage | None] = c.computed(c.enum("终止时阶段", Stage))
    receivable_amount: Mapped[Decimal] = c.computed(
        c.money("冲回应收费用", required=True, default=Decimal(0), help="已记账而未收取的费用")
    )
    refund_amount: Mapped[Decimal] = c.computed(
        c.money("退还已收费用", required=True, default=Decimal(0))
    )
    deposit_amount: Mapped[Decimal] = c.computed(
        c.money("退还保证金", required=True, default=Decimal(0))
    )
    approved_on: Mapped[date | None] = c.computed(c.day("终止日期", index=True))
    settled_on: Mapped[date | None] = c.computed(
        c.day("账务结清日期", help="冲账、退费和退还保证金全部复核记账之日")
    )
