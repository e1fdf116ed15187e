"""核销 (6.3): what of a case cannot be recovered leaves the books by approval; the claim stays (账销案存)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.after.recovery import RecoveryCase
from models.base import columns as c
from models.base.entity import Decides, News, Scope, Spec
from models.base.kinds import Kind, MenuGroup, Module, SpecKind
from models.base.paper import Booked, PaperState
from models.base.rows import MANAGER, decided, numbered
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Stage


class LossCause(Kind):
    """Why a claim cannot be recovered, as the evidence has to show."""

    BANKRUPT = "债务人破产清算完毕"
    NO_ASSETS = "法院终结执行，无财产可供执行"
    DECEASED = "债务人死亡或失踪，遗产不足清偿"
    SETTLED = "和解减免"
    OTHER = "其他"


class WriteOff(Booked, ProjectPaper):
    """核销: what is left of a case in the books, and of the costs advanced, becomes a loss."""

    spec = Spec(
        "代偿损失核销",
        Module.AFTER,
        SpecKind.DOCUMENT,
        group=MenuGroup.RECOVERY,
        title="number",
        rank=72,
        listed=(
            "number",
            "project",
            "recovery_case",
            "cause",
            "amount",
            "provision",
            "loss",
            "written_off_on",
            "is_booked",
            "state",
        ),
        searched=("number",),
        filtered=("project_id", "recovery_case_id", "cause", "written_off_on", "state"),
        sums=("amount", "provision", "loss"),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        on_sheet=("reason",),
        approvals={"write_off": Decides()},
        seeds=(
            *numbered("write_off", "核销编号", "HX{yyyy}-{no:04d}"),
            *decided(
                "write_off",
                "代偿损失核销",
                ("部门经理审核", MANAGER),
                ("资产保全审批", "asset"),
                ("财务审核", "finance"),
                ("总裁审批", "president"),
                remark="代偿款不能收回的核销",
                sort_no=134,
            ),
        ),
        news=News(21, made=("申请核销，", "{amount} 元，{cause}")),
        help="核销先冲减担保赔偿准备金，不足的计入担保赔付支出；核销后案件保留，收回的记追偿收入。",
    )
    __table_args__ = (
        CheckConstraint(
            "amount = principal + interest + penalty + other + cost", name="ck_write_off_parts"
        ),
        CheckConstraint(
            "provision >= 0 and loss >= 0 and (written_off_on is null or amount = provision + loss)",
            name="ck_write_off_sources",
        ),
        CheckConstraint(
            "written_off_on is null or state = 'APPROVED'", name="ck_write_off_after_approval"
        ),
    )
    number_label = "核销编号"
    again = "hand_in"
    part = c.Part(135, since=Stage.IN_FORCE, is_rare=True)
    recovery_case_id: Mapped[int] = c.reference(
        "追偿案件", "recovery_case", required=True, part=c.Part(50)
    )
    recovery_case: Mapped[RecoveryCase] = c.related(recovery_case_id)
    cause: Mapped[LossCause] = c.enum("核销原因", LossCause, required=True, index=True)
    reason: Mapped[str] = c.long_text("情况说明", required=True, help="追偿过程、证据和结论")
    principal: Mapped[Decimal] = c.computed(c.money("本金", required=True))
    interest: Mapped[Decimal] = c.computed(c.money("利息", required=True))
    penalty: Mapped[Decimal] = c.computed(c.money("罚息", required=True))
    other: Mapped[Decimal] = c.computed(c.money("其他", required=True))
    cost: Mapped[Decimal] = c.computed(c.money("垫付费用", required=True))
    amount: Mapped[Decimal] = c.computed(c.money("核销金额", required=True))
    other_amount: Mapped[Decimal] = c.computed(
        c.money(
            "他方承担的损失", required=True, default=Decimal(0), help="分担方承担部分尚未收回的"
        )
    )
    provision: Mapped[Decimal] = c.computed(
        c.money("冲减担保赔偿准备金", required=True, default=Decimal(0))
    )
    loss: Mapped[Decimal] = c.computed(
        c.money("计入担保赔付支出", required=True, default=Decimal(0))
    )
    written_off_on: Mapped[date | None] = c.computed(c.day("核销日期", index=True))
