"""6.2 代偿: the bank's notice is checked against the plan, approved, paid; then loan, project and books follow.

The loan is settled on the day of the payment, so that limits and 责任余额 fall with it; what the guarantee does not
cover is the bank's alone. Sent back by 复核, the payment counts as never made and is noted anew.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from models.after.compensation import PARTS, Compensation
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import format_money, round_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.guarantee.bank import PartnerBank
from models.guarantee.drawdown import Drawdown, DrawdownState
from models.guarantee.loan_change import LoanChange
from models.guarantee.project import Project, ProjectState
from models.guarantee.repayment import RepaymentSource
from models.guarantee.scheme import SharingParty
from models.ledger.voucher import BusinessEvent
from reports.figures import compensation as figures
from reports.figures.business_ledger import margin_at
from workflows.base import attachments, audit
from workflows.base.context import Ctx
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.guarantee import limits, repayment, stages
from workflows.guarantee.paper import Paper
from workflows.guarantee.repayment import Paid

ZERO = Decimal(0)
ROLES = ("客户经理", "业务部门经理")
LABELS = dict(zip(PARTS, ("本金", "利息", "罚息", "其他费用"), strict=True))


def _amount(paper: Compensation) -> Decimal:
    """The flow is chosen by what the company pays."""
    return paper.pay_amount


PAPER = Paper(
    Compensation,
    "提交代偿审批",
    number="compensation",
    approval_type="compensation",
    what="代偿",
    amount=_amount,
    events=("compensation.paid",),
    lapses_from=OPEN_PAPERS,
    more_steps=(
        Step(
            "compensation",
            "cancel",
            "作废",
            column="state",
            sources=(PaperState.APPROVED,),
            targets=(PaperState.VOID,),
            roles=ROLES,
        ),
    ),
    roles=ROLES,
)
ACTS = verbs("compensation", {"pay": "登记代偿付款"}, roles=("出纳",))
PROJECT = steps(
    Step(
        "project",
        "compensate",
        "代偿结清",
        column="state",
        sources=(ProjectState.IN_FORCE,),
        targets=(ProjectState.COMPENSATED,),
        follows=True,
    ),
    Step(
        "project",
        "resume",
        "撤回代偿",
        column="state",
        sources=(ProjectState.COMPENSATED,),
        targets=(ProjectState.IN_FORCE,),
        follows=True,
    ),
)


@PAPER.check
def check(ctx: Ctx, paper: Compensation, is_new: bool) -> None:
    """A claim concerns a running loan of the project that no other claim under way is about; figures follow from it."""
    del is_new
    project = stages.locked(ctx, paper.project_id)
    with ctx.session.no_autoflush:
        loan = ctx.session.get(Drawdown, paper.drawdown_id)
        if loan is None or loan.project_id != project.id:
            raise FieldErrors({"drawdown_id": [f"请选择项目 {project.number} 的借据"]})
        paper.drawdown = loan
        _require_running(ctx, loan, project)
        if other := _under_way(ctx, paper):
            said = f"借据 {loan.number} 的代偿 {other} 尚未办结，不能重复申请"
            raise FieldErrors({"drawdown_id": [said]})
        if wrong := _about_notice(ctx, paper, loan):
            raise FieldErrors(wrong)
        _work_out(ctx, paper, loan, project)
        if wrong := _about_accepted(paper):
            raise FieldErrors(wrong)


def _require_running(ctx: Ctx, loan: Drawdown, project: Project) -> None:
    if project.state is not ProjectState.IN_FORCE or not loan.is_running:
        is_open = project.state is ProjectState.IN_FORCE
        place = (loan if is_open else project).state.label
        raise Conflict(f"借据 {loan.number} 所属项目 {project.number} {place}，不能办理代偿")
    if repayment.is_being_released(ctx, project):
        raise Conflict(f"项目 {project.number} 正在解保，不能办理代偿")


def _under_way(ctx: Ctx, paper: Compensation) -> str | None:
    """Another claim on the loan that is neither paid nor given up."""
    query = select(Compensation.number).where(
        Compensation.drawdown_id == paper.drawdown_id,
        Compensation.id != (paper.id or 0),
        Compensation.state.in_((*OPEN_PAPERS, PaperState.APPROVED)),
        Compensation.paid_on.is_(None),
    )
    return ctx.session.scalar(query.order_by(Compensation.id).limit(1))


def _about_notice(ctx: Ctx, paper: Compensation, loan: Drawdown) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not loan.drawn_on <= paper.notice_on <= ctx.today:
        said = f"通知书日期应在放款日期 {loan.drawn_on} 与营业日期 {ctx.today} 之间"
        found["notice_on"] = [said]
    elif not paper.notice_on <= paper.received_on <= ctx.today:
        said = f"收到日期应在通知书日期 {paper.notice_on} 与营业日期 {ctx.today} 之间"
        found["received_on"] = [said]
    if not loan.drawn_on <= paper.counted_on <= ctx.today:
        said = f"计息截止日应在放款日期 {loan.drawn_on} 与营业日期 {ctx.today} 之间"
        found["counted_on"] = [said]
    if paper.claim_principal > loan.balance:
        said = f"借款余额 {format_money(loan.balance)} 元，主张的本金不能超过"
        found["claim_principal"] = [said]
    elif not figures.amounts_of(paper, "claim_").total:
        found["claim_principal"] = ["银行主张的各项金额不能都为 0"]
    return found


def _work_out(ctx: Ctx, paper: Compensation, loan: Drawdown, project: Project) -> None:
    """What the plan says, what is accepted where nobody has said otherwise, and what of it the company pays."""
    claim = figures.amounts_of(paper, "claim_")
    plan = figures.by_plan(ctx.session, loan, paper.counted_on, is_accelerated=paper.is_accelerated)
    paper.claim_amount = claim.total
    paper.plan_principal, paper.plan_interest = plan.principal, plan.interest
    paper.plan_penalty = plan.penalty
    _accept(paper, claim, plan)
    accepted = figures.amounts_of(paper, "accepted_")
    found = figures.payable(ctx.session, project, accepted, ctx.today, without=paper.id)
    ours = found.ours
    paper.pay_principal, paper.pay_interest = ours.principal, ours.interest
    paper.pay_penalty, paper.pay_other = ours.penalty, ours.other
    paper.pay_amount, paper.bank_amount = found.ours.total, found.bank
    bank = ctx.session.get_one(PartnerBank, project.bank_id)
    paper.pay_by = paper.received_on + timedelta(days=bank.compensation_days)


def _accept(paper: Any, claim: figures.Amounts, plan: figures.Amounts) -> None:
    """Where nobody has said otherwise no more is accepted than the plan bears out; of costs it knows nothing."""
    if paper.accepted_principal is None:
        paper.accepted_principal = min(claim.principal, plan.principal)
    if paper.accepted_interest is None:
        paper.accepted_interest = min(claim.interest, plan.interest)
    if paper.accepted_penalty is None:
        paper.accepted_penalty = min(claim.penalty, plan.penalty)
    if paper.accepted_other is None:
        paper.accepted_other = claim.other


def _about_accepted(paper: Compensation) -> dict[str, list[str]]:
    """Nothing is accepted beyond the claim, no principal beyond the plan; what differs is explained."""
    claim, accepted = (figures.amounts_of(paper, x).by_part for x in ("claim_", "accepted_"))
    found: dict[str, list[str]] = {}
    for part, amount in accepted.items():
        if amount > claim[part]:
            said = f"银行主张{LABELS[part]} {format_money(claim[part])} 元，核定的不能超过"
            found[f"accepted_{part}"] = [said]
    if paper.accepted_principal > paper.plan_principal:
        said = f"按还款计划到期未还本金 {format_money(paper.plan_principal)} 元，核定的不能超过"
        more = "" if paper.is_accelerated else "；银行已宣布提前到期的请勾选“贷款提前到期”"
        found.setdefault("accepted_principal", [said + more])
    if not found and differs(paper) and not (paper.reason or "").strip():
        found["reason"] = ["核定与银行主张或还款计划不一致，请说明：" + "；".join(differs(paper))]
    return found


def differs(paper: Compensation) -> list[str]:
    """Each part that was accepted otherwise than claimed, or beyond what the plan bears out, in words."""
    claim, accepted = (figures.amounts_of(paper, x).by_part for x in ("claim_", "accepted_"))
    plan = {
        "interest": paper.plan_interest,
        "penalty": paper.plan_penalty,
    }
    found = []
    for part, amount in accepted.items():
        if amount != claim[part]:
            less = format_money(claim[part] - amount)
            found.append(f"{LABELS[part]}比银行主张少 {less} 元")
        elif amount > plan.get(part, amount):
            found.append(f"{LABELS[part]}比计划多 {format_money(amount - plan[part])} 元")
    return found


@PAPER.obstacles
def obstacles(ctx: Ctx, paper: Compensation) -> list[str]:
    """The bank's notice is on file, something is inside the guarantee, and no change of the loan is being decided."""
    found = []
    if not attachments.attachments_of(ctx.session, paper):
        found.append("请上传银行代偿通知书的扫描件")
    if not paper.pay_amount:
        accepted = figures.amounts_of(paper, "accepted_")
        words = figures.payable(
            ctx.session, paper.project, accepted, ctx.today, without=paper.id
        ).outside
        found.append("没有应由公司代偿的金额" + ("：" + "；".join(words) if words else ""))
    changes = select(LoanChange.number).where(
        LoanChange.drawdown_id == paper.drawdown_id, LoanChange.state == PaperState.IN_APPROVAL
    )
    found += [f"存续变更 {number} 正在审批" for number in ctx.session.scalars(changes)]
    return found


@PAPER.approved
def approved(ctx: Ctx, paper: Compensation) -> None:
    """The payment may be made, unless the customer has repaid meanwhile what was to be paid."""
    loan, project = repayment.held(ctx, paper.drawdown_id)
    _require_owed(ctx, paper, loan, project)
    paper.approved_on = ctx.today
    ctx.session.flush()


def _require_owed(ctx: Ctx, paper: Compensation, loan: Drawdown, project: Project) -> None:
    _require_running(ctx, loan, project)
    now = figures.by_plan(ctx.session, loan, paper.counted_on, is_accelerated=paper.is_accelerated)
    if paper.accepted_principal > now.principal:
        raise BusinessError(
            f"客户此后又有还款，借据 {loan.number} 到期未还本金只余 {format_money(now.principal)} 元，"
            f"少于核定的 {format_money(paper.accepted_principal)} 元，请退回或作废后重新申请"
        )


def waits(_: Ctx, paper: Compensation) -> bool:
    """Whether it is approved and not paid."""
    return paper.state is PaperState.APPROVED and paper.paid_on is None


def pay(
    ctx: Ctx,
    paper: Compensation,
    paid_on: date,
    payment_no: str,
    margin_amount: Decimal = ZERO,
    version: int | None = None,
) -> BusinessEvent:
    """Note that the bank was paid: the loan is settled that far, the project with its last loan, and 复核 gets it.

    Raises Conflict where it does not wait for that, FieldErrors for facts that cannot be.
    """
    enter(ctx, ACTS["pay"], paper, version)
    limits.hold(ctx)
    loan, project = repayment.held(ctx, paper.drawdown_id)
    ctx.session.refresh(paper, with_for_update={"of": Compensation})
    if not waits(ctx, paper):
        raise Conflict(f"代偿“{paper}”没有待登记的付款")
    _require_owed(ctx, paper, loan, project)
    if wrong := _about_payment(ctx, paper, project, paid_on, payment_no, margin_amount):
        raise FieldErrors(wrong)
    paper.paid_on, paper.payment_no = paid_on, payment_no.strip()
    paper.margin_amount = margin_amount
    paper.repayment = repayment.record_held(
        ctx,
        loan,
        project,
        Paid(
            paid_on,
            paper.accepted_principal,
            paper.accepted_interest,  # a penalty is no part of the plan
            is_final=paper.accepted_principal == loan.balance,
            note=f"代偿 {paper.number}",
            source=RepaymentSource.COMPENSATION,
        ),
    )
    if not _runs(ctx, project):
        move(PROJECT["compensate"], project)
    ctx.session.flush()
    return _hand_over(ctx, paper)


def _about_payment(
    ctx: Ctx,
    paper: Compensation,
    project: Project,
    paid_on: date,
    payment_no: str,
    margin_amount: Decimal,
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    assert paper.approved_on is not None, "it is approved"
    if not paper.approved_on <= paid_on <= ctx.today:
        said = f"付款日期应在批准日期 {paper.approved_on} 与营业日期 {ctx.today} 之间"
        found["paid_on"] = [said]
    if not 0 < len(payment_no.strip()) <= 60:
        found["payment_no"] = ["请填写付款凭据号，不超过 60 字"]
    most = min(paper.pay_amount, margin_at(ctx.session, project.bank_id))
    is_exact = margin_amount.is_finite() and round_money(margin_amount) == margin_amount
    if not is_exact or not 0 <= margin_amount <= most:
        said = f"可用存出保证金支付的不超过 {format_money(most)} 元，最多两位小数"
        found["margin_amount"] = [said]
    return found


def _runs(ctx: Ctx, project: Project) -> bool:
    """Whether the company still answers for a loan of the project."""
    query = select(func.count(Drawdown.id)).where(
        Drawdown.project_id == project.id,
        Drawdown.state.in_((DrawdownState.ACTIVE, DrawdownState.OVERDUE)),
    )
    return bool(ctx.session.scalar(query))


def _hand_over(ctx: Ctx, paper: Compensation) -> BusinessEvent:
    """Its own part is a claim on the customer, the parts of others are claims on them."""
    own, shared = figures.Amounts(), ZERO
    for portion, part in figures.shares(ctx.session, paper):
        if portion.party is SharingParty.OWN:
            own = part
        else:
            shared += part.total
    amounts = {
        **own.by_part,
        "shared": shared,
        "bank_paid": paper.pay_amount - paper.margin_amount,
        "margin_paid": paper.margin_amount,
    }
    memo = f"代偿 {paper.number} {paper.project.number}"
    return PAPER.hand_over(ctx, paper, amounts, on=paper.paid_on, memo=memo)


@PAPER.sent_back
def sent_back(ctx: Ctx, paper: Compensation, event: BusinessEvent) -> None:
    """The payment counts as never made: the loan is owed and the project in force again."""
    limits.hold(ctx)
    loan, project = repayment.held(ctx, paper.drawdown_id)
    if paper.repayment is not None:
        if project.state is ProjectState.COMPENSATED:
            move(PROJECT["resume"], project)
        reason = f"代偿 {paper.number} 复核退回：{event.reason}"[:200]
        repayment.take_back_held(ctx, paper.repayment, loan, project, reason)
    paper.paid_on = paper.payment_no = paper.repayment = None
    paper.margin_amount = ZERO


def cancel(ctx: Ctx, paper: Compensation, reason: str, version: int | None = None) -> Compensation:
    """Void a claim that was approved and is not paid; Conflict once it is."""
    step = PAPER.steps["cancel"]
    enter(ctx, step, paper, version)
    ctx.session.refresh(paper, with_for_update={"of": Compensation})
    if not waits(ctx, paper):
        raise Conflict(f"代偿“{paper}”已付款，不能作废")
    reason = stages.checked_reason(reason, "作废")
    move(step, paper)
    audit.log(ctx, paper, "CANCEL", note=f"作废：{reason}")
    ctx.session.flush()
    return paper
