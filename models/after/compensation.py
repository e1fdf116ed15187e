"""代偿 (6.2, 6.8): what a bank claims, what of it is accepted and paid in the customer's place, and who bears that."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, ColumnElement, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.after.recovery import RecoveryCase
from models.base import columns as c
from models.base.entity import Decides, Entity, News, Scope, Spec
from models.base.kinds import MenuGroup, Module, SpecKind
from models.base.paper import Booked, PaperState
from models.base.rows import MANAGER, decided, numbered
from models.customer.partner import GuaranteeCompany
from models.guarantee.drawdown import Drawdown
from models.guarantee.paper import ProjectPaper
from models.guarantee.project import Project, Stage
from models.guarantee.repayment import Repayment
from models.guarantee.scheme import SharingParty

# What a claim and a debt are made of, in the order in which they are written down.
PARTS = ("principal", "interest", "penalty", "other")


class Compensation(Booked, ProjectPaper):
    """代偿: the bank's notice on one loan, checked against the plan, approved, paid and booked."""

    spec = Spec(
        "代偿",
        Module.AFTER,
        SpecKind.DOCUMENT,
        group=MenuGroup.COMPENSATION,
        title="number",
        rank=50,
        listed=(
            "number",
            "project",
            "drawdown",
            "received_on",
            "pay_by",
            "claim_amount",
            "pay_amount",
            "paid_on",
            "is_booked",
            "state",
        ),
        searched=("number", "notice_no"),
        filtered=("project_id", "drawdown_id", "received_on", "pay_by", "paid_on", "state"),
        sums=("claim_amount", "pay_amount"),
        scope=Scope(through="project"),
        state="state",
        drafts=(PaperState.DRAFT,),
        on_sheet=("notice_no", "counted_on", "reason", "note"),
        approvals={"compensation": Decides()},
        seeds=(
            *numbered("compensation", "代偿编号", "DC{yyyy}-{no:04d}"),
            *decided(
                "compensation",
                "代偿",
                ("部门经理审核", MANAGER),
                ("风控审批", "risk"),
                ("分管副总审批", "vice_president"),
                ("总裁审批", "president"),
                remark="向银行代偿的审批",
                sort_no=130,
            ),
        ),
        news=News(
            22,
            made=("申请代偿，", "银行主张 {claim_amount} 元"),
            moved=(("paid_on", None, "已付代偿款 {title}"),),
        ),
        help="按银行的代偿通知书逐笔办理：主张的金额与还款计划核对，核定后审批、付款、复核记账。",
    )
    __table_args__ = (
        CheckConstraint("claim_amount > 0 and pay_amount >= 0", name="ck_compensation_amounts"),
        CheckConstraint(
            "pay_amount = pay_principal + pay_interest + pay_penalty + pay_other",
            name="ck_compensation_paid_parts",
        ),
        CheckConstraint(
            "accepted_principal <= claim_principal and accepted_interest <= claim_interest"
            " and accepted_penalty <= claim_penalty and accepted_other <= claim_other",
            name="ck_compensation_accepted",
        ),
        CheckConstraint("paid_on is null or state = 'APPROVED'", name="ck_compensation_paid"),
        CheckConstraint(
            "margin_amount >= 0 and margin_amount <= pay_amount", name="ck_compensation_margin"
        ),
        Index("ix_compensation_loan_state", "drawdown_id", "state"),
    )
    number_label = "代偿编号"
    again = "pay"
    by_manager = False
    part = c.Part(128, since=Stage.IN_FORCE, adds=(Stage.IN_FORCE,))
    drawdown_id: Mapped[int] = c.reference("借据", "drawdown", required=True, part=c.Part(30))
    drawdown: Mapped[Drawdown] = c.related(drawdown_id)
    notice_no: Mapped[str] = c.text("代偿通知书编号", 60, required=True, group="银行通知")
    notice_on: Mapped[date] = c.day("通知书日期", required=True, group="银行通知")
    received_on: Mapped[date] = c.day("收到日期", required=True, index=True, group="银行通知")
    counted_on: Mapped[date] = c.day(
        "计息截止日", required=True, group="银行通知", help="银行计算利息、罚息所到的日期"
    )
    is_accelerated: Mapped[bool] = c.flag(
        "贷款提前到期", group="银行通知", help="银行已宣布全部借款提前到期"
    )
    claim_principal: Mapped[Decimal] = c.money("主张本金", required=True, group="银行主张")
    claim_interest: Mapped[Decimal] = c.money(
        "主张利息", required=True, default=Decimal(0), group="银行主张"
    )
    claim_penalty: Mapped[Decimal] = c.money(
        "主张罚息", required=True, default=Decimal(0), group="银行主张", help="含复利"
    )
    claim_other: Mapped[Decimal] = c.money(
        "主张其他费用",
        required=True,
        default=Decimal(0),
        group="银行主张",
        help="诉讼费、律师费等实现债权的费用",
    )
    claim_amount: Mapped[Decimal] = c.computed(c.money("主张合计", required=True, group="银行主张"))
    plan_principal: Mapped[Decimal] = c.computed(
        c.money("计划本金", required=True, group="按计划核对")
    )
    plan_interest: Mapped[Decimal] = c.computed(
        c.money("计划利息", required=True, group="按计划核对")
    )
    plan_penalty: Mapped[Decimal] = c.computed(
        c.money("计算罚息", required=True, group="按计划核对")
    )
    accepted_principal: Mapped[Decimal] = c.filled(
        c.money("核定本金", required=True, group="核定", help="不填则取银行主张与还款计划中较低的")
    )
    accepted_interest: Mapped[Decimal] = c.filled(c.money("核定利息", required=True, group="核定"))
    accepted_penalty: Mapped[Decimal] = c.filled(c.money("核定罚息", required=True, group="核定"))
    accepted_other: Mapped[Decimal] = c.filled(c.money("核定其他费用", required=True, group="核定"))
    reason: Mapped[str | None] = c.long_text(
        "核定说明", group="核定", help="核定与银行主张或还款计划不一致时填写"
    )
    pay_principal: Mapped[Decimal] = c.computed(c.money("应付本金", required=True, group="应付"))
    pay_interest: Mapped[Decimal] = c.computed(c.money("应付利息", required=True, group="应付"))
    pay_penalty: Mapped[Decimal] = c.computed(c.money("应付罚息", required=True, group="应付"))
    pay_other: Mapped[Decimal] = c.computed(c.money("应付其他费用", required=True, group="应付"))
    pay_amount: Mapped[Decimal] = c.computed(
        c.money("代偿金额", required=True, group="应付", help="扣除银行分担和担保范围以外的部分")
    )
    bank_amount: Mapped[Decimal] = c.computed(
        c.money("银行分担", required=True, default=Decimal(0), group="应付")
    )
    pay_by: Mapped[date] = c.computed(c.day("最迟代偿日", required=True, index=True, group="应付"))
    note: Mapped[str | None] = c.long_text("代偿原因及客户情况", group="核定")
    approved_on: Mapped[date | None] = c.computed(c.day("批准日期"))
    paid_on: Mapped[date | None] = c.computed(c.day("付款日期", index=True))
    payment_no: Mapped[str | None] = c.computed(c.text("付款凭据号", 60))
    margin_amount: Mapped[Decimal] = c.computed(
        c.money("其中存出保证金支付", required=True, default=Decimal(0))
    )
    repayment_id: Mapped[int | None] = c.computed(c.reference("还款登记", "repayment"))
    repayment: Mapped[Repayment | None] = c.related(repayment_id)


def unpaid() -> tuple[ColumnElement[bool], ...]:
    """Approved and not paid: the cashier's turn, unless 复核 has sent the payment back."""
    return (
        Compensation.state == PaperState.APPROVED,
        Compensation.paid_on.is_(None),
        Compensation.returned_reason.is_(None),
    )


class CompensationShare(Entity):
    """What one party bears of what the company has paid; what others bear is asked of them."""

    spec = Spec(
        "代偿分担",
        Module.AFTER,
        SpecKind.LEDGER,
        group=MenuGroup.COMPENSATION,
        title="party",
        rank=52,
        order="-compensation_id,id",
        listed=(
            "project",
            "compensation",
            "party",
            "company",
            "share_pct",
            "amount",
            "open_amount",
            "received_amount",
            "due_back",
            "returned_amount",
        ),
        filtered=("project_id", "recovery_case_id", "compensation_id", "company_id", "party"),
        sums=("amount", "open_amount", "received_amount", "due_back", "returned_amount"),
        scope=Scope(through="project"),
        news=News(900, made=("确定代偿分担：", "{party} {amount} 元")),
    )
    __table_args__ = (
        UniqueConstraint("compensation_id", "party", name="uq_compensation_share_party"),
        CheckConstraint(
            "amount = principal + interest + penalty + other", name="ck_compensation_share_parts"
        ),
        CheckConstraint(
            "principal_open >= 0 and interest_open >= 0 and penalty_open >= 0 and other_open >= 0"
            " and open_amount = principal_open + interest_open + penalty_open + other_open",
            name="ck_compensation_share_open",
        ),
        CheckConstraint(
            "received_amount >= 0 and received_amount <= amount", name="ck_compensation_share_paid"
        ),
        CheckConstraint(
            "returned_amount >= 0 and returned_amount <= due_back",
            name="ck_compensation_share_back",
        ),
    )
    project_id: Mapped[int] = c.reference(
        "担保项目", "project", required=True, part=c.Part(129, since=Stage.IN_FORCE, is_rare=True)
    )
    project: Mapped[Project] = c.related(project_id)
    compensation_id: Mapped[int] = c.reference(
        "代偿", "compensation", required=True, part=c.Part(10)
    )
    compensation: Mapped[Compensation] = c.related(compensation_id)
    recovery_case_id: Mapped[int] = c.reference(
        "追偿案件", "recovery_case", required=True, part=c.Part(5)
    )
    recovery_case: Mapped[RecoveryCase] = c.related(recovery_case_id)
    party: Mapped[SharingParty] = c.enum("分担方", SharingParty, required=True, index=True)
    company_id: Mapped[int | None] = c.reference("再担保公司", "guarantee_company")
    company: Mapped[GuaranteeCompany | None] = c.related(company_id)
    share_pct: Mapped[Decimal] = c.rate("分担比例", scale=4, required=True)
    principal: Mapped[Decimal] = c.money("本金", required=True)
    interest: Mapped[Decimal] = c.money("利息", required=True)
    penalty: Mapped[Decimal] = c.money("罚息", required=True)
    other: Mapped[Decimal] = c.money("其他", required=True)
    amount: Mapped[Decimal] = c.money("分担金额", required=True)
    principal_open: Mapped[Decimal] = c.money("未收回本金", required=True)
    interest_open: Mapped[Decimal] = c.money("未收回利息", required=True)
    penalty_open: Mapped[Decimal] = c.money("未收回罚息", required=True)
    other_open: Mapped[Decimal] = c.money("未收回其他", required=True)
    open_amount: Mapped[Decimal] = c.money(
        "未收回", required=True, help="其中债务人尚欠的部分，核销后仍在此列示"
    )
    received_amount: Mapped[Decimal] = c.money(
        "已收分担款", required=True, default=Decimal(0), help="分担方已付给公司的"
    )
    due_back: Mapped[Decimal] = c.money(
        "应返还", required=True, default=Decimal(0), help="追回款中属于分担方的"
    )
    returned_amount: Mapped[Decimal] = c.money("已返还", required=True, default=Decimal(0))
