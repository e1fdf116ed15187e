"""4.5d 存续变更: 展期, 提前还款, 利率调整 of a loan in force; approved, its new plan is the current one, the old kept.

An extension and a new rate take effect with their approval; what is paid early is planned anew when the bank has the
money. End dates of loan, guarantee and contracts follow, and so does all that is counted from the plan.
"""

from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from models.base.errors import Conflict, FieldErrors
from models.base.money import format_money
from models.base.paper import OPEN_PAPERS, PaperState
from models.guarantee.drawdown import Drawdown, DrawdownState, PlanSource, RepaymentPlan
from models.guarantee.loan_change import ChangeKind, LoanChange, ReplanWay
from models.guarantee.project import Project, ProjectState
from models.guarantee.repayment import Repayment
from models.guarantee.signing import Contract, CounterGuarantee
from reports.figures.benchmarks import spread_over_benchmark
from reports.figures.overdue import overdue_lines
from reports.figures.parameters import flag
from reports.figures.schedules import months_between
from workflows.base import audit, documents
from workflows.base.context import Ctx
from workflows.base.paper import lapse
from workflows.base.transition import Step, enter, move, verbs
from workflows.guarantee import contract_data, extension_fees, letters, plans, repayment, stages
from workflows.guarantee.paper import Paper
from workflows.guarantee.repayment import Paid
from workflows.guarantee.replanning import Terms, open_change, replanned

ROLES = ("客户经理", "业务部门经理")
ALLOW_OVERDUE = "change.overdue_allowed"


def _about(change: LoanChange) -> str:
    return change.kind.label


def _amount(change: LoanChange) -> Decimal:
    """The flow is chosen by what is paid early, else by what is owed."""
    return change.prepaid_amount or change.drawdown.balance


TYPES = {
    ChangeKind.EXTENSION: "extension",
    ChangeKind.PREPAYMENT: "prepayment",
    ChangeKind.RATE: "rate_change",
}
PAPER = Paper(
    LoanChange,
    "提交变更审批",
    number="loan_change",
    approval_type=TYPES,
    what=_about,
    amount=_amount,
    lapses_from=OPEN_PAPERS,
    more_steps=(
        Step(
            "loan_change",
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
ACTS = verbs("loan_change", {"pay": "登记提前还款"}, roles=ROLES)


@PAPER.check
def check(ctx: Ctx, change: LoanChange, is_new: bool) -> None:
    """A change concerns a running loan of the project that has no other under way, and makes a plan."""
    del is_new
    project = stages.locked(ctx, change.project_id)
    with ctx.session.no_autoflush:
        loan = ctx.session.get(Drawdown, change.drawdown_id)
        if loan is None or loan.project_id != project.id:
            raise FieldErrors({"drawdown_id": [f"请选择项目 {project.number} 的借据"]})
        change.drawdown = loan
        _require_running(ctx, loan, project)
        if other := open_change(ctx.session, loan.id, without=change.id):
            said = f"借据 {loan.number} 的存续变更 {other} 尚未办结，不能重复申请"
            raise FieldErrors({"drawdown_id": [said]})
        examine(ctx, change, loan)
        replanned(ctx.session, loan, Terms.of(change))
    change.old_due_on, change.old_rate_pct = loan.due_on, loan.rate_annual_pct
    until = change.new_due_on
    change.fee_amount = extension_fees.quote(ctx, loan, until) if until is not None else None


def examine(ctx: Ctx, change: LoanChange, loan: Drawdown) -> None:
    """Raise FieldErrors where what the change asks for does not go with the loan and its product."""
    if wrong := _ABOUT[change.kind](ctx, change, loan) | _about_lines(change):
        raise FieldErrors(wrong)


def _require_running(ctx: Ctx, loan: Drawdown, project: Project) -> None:
    if project.state is not ProjectState.IN_FORCE or not loan.is_running:
        is_open = project.state is ProjectState.IN_FORCE
        place = (loan if is_open else project).state.label
        raise Conflict(f"借据 {loan.number} 所属项目 {project.number} {place}，不能办理存续变更")
    if repayment.is_being_released(ctx, project):
        raise Conflict(f"项目 {project.number} 正在解保，不能办理存续变更")


def _about_lines(change: LoanChange) -> dict[str, list[str]]:
    """What the kind of change does not use is left empty, so that nobody takes it for agreed."""
    uses = {
        "new_due_on": change.kind is ChangeKind.EXTENSION,
        "prepaid_amount": change.kind is ChangeKind.PREPAYMENT,
        "new_rate_pct": change.kind is ChangeKind.RATE,
        "lines": change.way is ReplanWay.AGREED,
    }
    return {
        name: [f"“{change.kind.label}”不填此项"]
        for name, is_used in uses.items()
        if not is_used and getattr(change, name) not in (None, "")
    }


def _about_extension(ctx: Ctx, change: LoanChange, loan: Drawdown) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not ctx.today <= change.effective_on <= loan.due_on:
        found["effective_on"] = [
            f"应在营业日期 {ctx.today} 与到期日 {loan.due_on} 之间；到期后不能展期"
        ]
    if change.new_due_on is None or change.new_due_on <= loan.due_on:
        found["new_due_on"] = [f"应晚于原到期日 {loan.due_on}"]
        return found
    if over := _over_the_product(ctx, change, loan):
        found["new_due_on"] = [over]
    live = select(func.count(CounterGuarantee.id)).where(
        CounterGuarantee.project_id == loan.project_id,
        CounterGuarantee.state == PaperState.APPROVED,
        CounterGuarantee.released_on.is_(None),
    )
    consent = change.counter_consent_on
    if consent is None and ctx.session.scalar(live):
        found["counter_consent_on"] = ["项目有反担保，请填写反担保人书面同意展期的日期"]
    elif consent is not None and consent > ctx.today:
        found["counter_consent_on"] = ["不能晚于营业日期"]
    return found


def _over_the_product(ctx: Ctx, change: LoanChange, loan: Drawdown) -> str:
    """In which way an extension goes beyond what the product allows, with the figures; empty where it does not."""
    product = loan.project.product
    done = list(
        ctx.session.scalars(
            select(LoanChange)
            .where(
                LoanChange.drawdown_id == loan.id,
                LoanChange.kind == ChangeKind.EXTENSION,
                LoanChange.done_on.is_not(None),
            )
            .order_by(LoanChange.id)
        )
    )
    if len(done) >= product.extension_times_max:
        return f"产品“{product.name}”最多展期 {product.extension_times_max} 次，本借据已展期 {len(done)} 次"
    first = done[0].old_due_on if done else loan.due_on
    assert first is not None and change.new_due_on is not None  # noqa: PT018 - both were asked for
    months = months_between(first, change.new_due_on)
    if months > product.extension_months_max:
        most = product.extension_months_max
        return f"产品“{product.name}”展期合计不超过 {most} 个月，自 {first} 起展期至该日为 {months} 个月"
    return ""


def _about_prepayment(ctx: Ctx, change: LoanChange, loan: Drawdown) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not ctx.today <= change.effective_on < loan.due_on:
        found["effective_on"] = [f"还款日应不早于营业日期 {ctx.today}，早于到期日 {loan.due_on}"]
    if not change.prepaid_amount or change.prepaid_amount > loan.balance:
        found["prepaid_amount"] = [f"应大于 0，不超过借款余额 {format_money(loan.balance)} 元"]
    return found


def _about_rate(ctx: Ctx, change: LoanChange, loan: Drawdown) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    since = _last_rate_day(ctx, loan)
    if not since <= change.effective_on <= ctx.today:
        said = f"新利率起算日应在 {since} 与营业日期 {ctx.today} 之间"
        found["effective_on"] = [said]
    if change.new_rate_pct is None or change.new_rate_pct == loan.rate_annual_pct:
        found["new_rate_pct"] = [
            f"请填写与现行年利率 {loan.rate_annual_pct.normalize():f}% 不同的利率"
        ]
    return found


def _last_rate_day(ctx: Ctx, loan: Drawdown) -> date:
    query = select(func.max(LoanChange.effective_on)).where(
        LoanChange.drawdown_id == loan.id,
        LoanChange.kind == ChangeKind.RATE,
        LoanChange.done_on.is_not(None),
    )
    return ctx.session.scalar(query) or loan.drawn_on


_ABOUT = {
    ChangeKind.EXTENSION: _about_extension,
    ChangeKind.PREPAYMENT: _about_prepayment,
    ChangeKind.RATE: _about_rate,
}


@PAPER.obstacles
def obstacles(ctx: Ctx, change: LoanChange) -> list[str]:
    """What is overdue of the loan stands in the way, unless the parameter lets it pass."""
    return overdue_words(ctx, change.drawdown)


def overdue_words(ctx: Ctx, loan: Drawdown) -> list[str]:
    """What is overdue of a loan, where that stands in the way of a change."""
    lines = overdue_lines(ctx.session, loan, ctx.today)
    if not lines or flag(ctx.session, ALLOW_OVERDUE, ctx.today):
        return []
    owed = sum((line.principal + line.interest for line in lines), Decimal(0))
    return [
        f"借据 {loan.number} 逾期 {lines[0].days} 天，欠 {format_money(owed)} 元，归还后才能办理"
    ]


@PAPER.approved
def approved(ctx: Ctx, change: LoanChange) -> None:
    """An extension and a new rate take effect; a prepayment waits until the bank has the money."""
    change.approved_on = ctx.today
    if change.kind is ChangeKind.PREPAYMENT:
        ctx.session.flush()
        return
    loan, project = repayment.held(ctx, change.drawdown_id)
    _require_running(ctx, loan, project)
    terms = Terms.of(change)
    if change.kind is ChangeKind.EXTENSION:
        if ctx.today > loan.due_on:
            raise Conflict(f"借据 {loan.number} 已于 {loan.due_on} 到期，不能展期，请退回")
        terms = Terms.of(change, max(ctx.today, change.effective_on))
        change.effective_on = terms.effective_on
    _take_effect(ctx, change, loan, project, terms)
    if change.kind is ChangeKind.EXTENSION:
        extension_fees.charge(ctx, project, change.fee_amount or Decimal(0))
        _follow(ctx, change, project)
        _notify(ctx, change)
    ctx.session.flush()


def _take_effect(
    ctx: Ctx, change: LoanChange, loan: Drawdown, project: Project, terms: Terms
) -> None:
    """The new plan is the current one; the dates and the rate of the loan are the new ones."""
    rows = replanned(ctx.session, loan, terms)
    current = next(plan for plan in plans.versions(ctx.session, loan) if plan.is_current)
    change.old_plan_id, change.old_due_on = current.id, loan.due_on
    change.old_rate_pct = loan.rate_annual_pct
    made = plans.keep(ctx, loan, rows, PlanSource.CHANGED)
    if terms.rate is not None:
        loan.rate_annual_pct = terms.rate
        if loan.benchmark is not None:
            loan.spread_bp = spread_over_benchmark(
                ctx.session, loan.benchmark, terms.rate, terms.effective_on
            )
    loan.due_on = rows[-1].due_on
    ctx.session.flush()
    change.plan_id, change.done_on = made.id, ctx.today
    _end_with_loans(ctx, project)
    repayment.respread(ctx, loan, project)


def _end_with_loans(ctx: Ctx, project: Project) -> None:
    """The guarantee ends with the last loan that runs under it."""
    running = select(func.max(Drawdown.due_on)).where(
        Drawdown.project_id == project.id,
        Drawdown.state.in_((DrawdownState.ACTIVE, DrawdownState.OVERDUE)),
    )
    project.end_on = ctx.session.scalar(running) or project.end_on


def _follow(ctx: Ctx, change: LoanChange, project: Project) -> None:
    """Contracts that would end before the loan go on with it, as their parties have agreed in writing."""
    query = select(Contract).where(
        Contract.project_id == project.id, Contract.state == PaperState.APPROVED
    )
    for contract in ctx.session.scalars(query.order_by(Contract.id)):
        if change.new_due_on is not None and contract.ends_on < change.new_due_on:
            note = f"随展期 {change.number} 由 {contract.ends_on} 顺延至 {change.new_due_on}"
            contract.ends_on = change.new_due_on
            audit.log(ctx, contract, "EXTEND", note=note)


def _notify(ctx: Ctx, change: LoanChange) -> None:
    """展期通知 to bank and customer."""
    loan, project = change.drawdown, change.project
    change.document = documents.issue(
        ctx,
        "extension_notice",
        change,
        project=project,
        number=change.number,
        title=f"展期通知 {loan.bank_note_no}",
        data={
            **letters.data_for(ctx, project),
            "contract": contract_data.numbers(ctx.session, project),
            "extension": {
                "date": ctx.today,
                "note": loan.bank_note_no,
                "balance": loan.balance,
                "old_end": change.old_due_on,
                "new_end": change.new_due_on,
                "rate": loan.rate_annual_pct,
                "fee": change.fee_amount or Decimal(0),
                "consent": change.counter_consent_on,
                "lines": [
                    {"seq": row.seq, "due_date": row.due_on, "principal": row.principal}
                    for row in repayment.plan_rows(ctx.session, loan)
                    if row.principal and row.is_open
                ],
            },
        },
    )


def waits(_: Ctx, change: LoanChange) -> bool:
    """Whether it is approved and the customer has not paid yet."""
    is_early = change.kind is ChangeKind.PREPAYMENT
    return is_early and change.state is PaperState.APPROVED and change.done_on is None


def interest_due(ctx: Ctx, change: LoanChange, on: date) -> Decimal:
    """What the new plan asks for as interest on the day of early payment, in 元."""
    rows = replanned(ctx.session, change.drawdown, Terms.of(change, on))
    return next((row.interest for row in reversed(rows) if row.due_on == on), Decimal(0))


def pay(
    ctx: Ctx,
    change: LoanChange,
    *,
    paid_on: date,
    interest: Decimal,
    note: str | None = None,
    version: int | None = None,
) -> Repayment:
    """Register that the bank has received what was approved to be paid early; the rest is planned anew from that day.

    Raises Conflict unless it waits for that, FieldErrors as a repayment does.
    """
    enter(ctx, ACTS["pay"], change, version)
    loan, project = repayment.held(ctx, change.drawdown_id)
    ctx.session.refresh(change, with_for_update={"of": LoanChange})
    if not waits(ctx, change) or change.prepaid_amount is None:
        raise Conflict(f"存续变更“{change}”没有待登记的提前还款")
    _require_running(ctx, loan, project)
    if change.approved_on is not None and not change.approved_on <= paid_on <= ctx.today:
        said = f"还款日期应在批准日期 {change.approved_on} 与营业日期 {ctx.today} 之间"
        raise FieldErrors({"paid_on": [said]})
    _take_effect(ctx, change, loan, project, Terms.of(change, paid_on))
    paid = Paid(
        paid_on,
        change.prepaid_amount,
        interest,
        is_final=change.prepaid_amount == loan.balance,
        note=(note or "").strip() or f"提前还款 {change.number}",
    )
    change.repayment = repayment.record(ctx, loan, paid)
    ctx.session.flush()
    return change.repayment


def cancel(ctx: Ctx, change: LoanChange, reason: str, version: int | None = None) -> LoanChange:
    """Void a prepayment that was approved and does not come; Conflict once it is done."""
    step = PAPER.steps["cancel"]
    enter(ctx, step, change, version)
    if not waits(ctx, change):
        raise Conflict(f"存续变更“{change}”已生效，不能作废")
    reason = stages.checked_reason(reason, "作废")
    move(step, change)
    audit.log(ctx, change, "CANCEL", note=f"作废：{reason}")
    ctx.session.flush()
    return change


@repayment.on_reversed
def undo(ctx: Ctx, made: Repayment, loan: Drawdown) -> None:
    """With the payment that brought it a new plan goes too; Conflict where a later one rests on it or waits."""
    change = ctx.session.scalar(select(LoanChange).where(LoanChange.repayment_id == made.id))
    if change is None:
        return
    plan = ctx.session.get_one(RepaymentPlan, change.plan_id)
    if not plan.is_current:
        raise Conflict(f"存续变更 {change.number} 之后还款计划又有变更，不能冲正该笔提前还款")
    if other := open_change(ctx.session, loan.id, without=change.id):
        # taken back, this one waits for its money again: a loan has one change under way at a time
        raise Conflict(
            f"借据 {loan.number} 的存续变更 {other} 尚未办结，请先删除、撤回或作废，再冲正该笔提前还款"
        )
    old = ctx.session.get_one(RepaymentPlan, change.old_plan_id)
    plan.is_current, old.is_current = False, True
    loan.due_on = change.old_due_on or loan.due_on
    change.plan_id = change.repayment_id = change.done_on = None
    ctx.session.flush()
    project = ctx.session.get_one(Project, loan.project_id)
    project.end_on = max(project.end_on or loan.due_on, loan.due_on)


@stages.on_end
def ended(ctx: Ctx, project: Project, why: str) -> None:
    """What of its changes has not taken effect ends with the project."""
    del why
    query = select(LoanChange).where(
        LoanChange.project_id == project.id, LoanChange.done_on.is_(None)
    )
    for change in ctx.session.scalars(query.order_by(LoanChange.id)):
        if change.state is PaperState.DRAFT:
            lapse(change)
        elif waits(ctx, change):
            move(PAPER.steps["cancel"], change)
