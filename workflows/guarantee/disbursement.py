"""4.5b 放款通知 and 4.5c 放款确认: past the gate the bank is told, and once it has paid the guarantee is in force."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, Conflict, FieldErrors, IllegalTransition
from models.base.moments import add_months
from models.base.money import format_money, round_money
from models.base.paper import PaperState
from models.guarantee.admission import Occasion
from models.guarantee.appraisal import BankLetter, LetterKind
from models.guarantee.drawdown import Drawdown, PlanSource, RepaymentPlan
from models.guarantee.product import FeeKind, RepaymentMethod
from models.guarantee.project import Project, ProjectState, Stage
from models.guarantee.repayment import Repayment, RepaymentSource, RepaymentState
from models.guarantee.resolution import Resolution, ResolutionCondition, ResolutionState
from models.guarantee.signing import Contract, Fee
from models.ledger.voucher import BusinessEvent, Voucher
from reports.figures import maximums, products, schedules
from reports.figures.benchmarks import in_words, rate_by
from reports.figures.fees import (
    due_date,
    dues_of,
    first_year_part,
    net_after_waivers,
    recognised_total,
)
from reports.figures.gate import GateCheck, gate
from reports.figures.line import required_kinds
from reports.figures.overdue import overdue_of
from reports.figures.parameters import number, value
from workflows.base import audit, documents, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, enter, move, permit, steps, verbs
from workflows.guarantee import (
    admission,
    contract_data,
    letters,
    limits,
    plans,
    renewal,
    sharing,
    stages,
)
from workflows.guarantee.fees import require_resolution
from workflows.guarantee.plan_import import ParsedPlan, check_plan
from workflows.guarantee.plans import Loan, plan_of_file, planned
from workflows.guarantee.repayment import is_being_released, respread
from workflows.ledger import posting

USE = steps(
    Step(
        "resolution",
        "use",
        "放款",
        column="state",
        sources=(ResolutionState.VALID, ResolutionState.EXPIRED),
        targets=(ResolutionState.USED,),
        follows=True,
    ),
)
IN_FORCE = steps(
    Step(
        "project",
        "put_in_force",
        "放款",
        column="state",
        sources=(ProjectState.RUNNING,),
        targets=(ProjectState.IN_FORCE,),
        follows=True,
    ),
)
ACTS = {
    **verbs("bank_letter", {"issue_notice": "开具放款通知单"}),
    **verbs("drawdown", {"confirm": "放款确认", "replan": "更换还款计划"}),
    **verbs("resolution_condition", {"meet": "登记落实"}),
}
HUNDRED = Decimal(100)
RATE_MAX = Decimal(36)
AT_DRAWDOWN = "AT_DRAWDOWN"


def meet_condition(
    ctx: Ctx, condition: ResolutionCondition, evidence: str, version: int | None = None
) -> ResolutionCondition:
    """State on what evidence a condition of the resolution is met."""
    enter(ctx, ACTS["meet"], condition, version)
    resolution = condition.resolution
    if condition.is_met:
        raise IllegalTransition("该条件已落实")
    if resolution.state is not ResolutionState.VALID:
        raise IllegalTransition(f"决议 {resolution.number} {resolution.state.label}，不能落实条件")
    if not evidence.strip() or len(evidence.strip()) > 200:
        raise BusinessError("请填写落实依据，不超过 200 字", field="evidence")
    condition.is_met, condition.evidence = True, evidence.strip()
    condition.met_by_id, condition.met_on = ctx.actor.employee_id, ctx.today
    ctx.session.flush()
    return condition


def last_notice(ctx: Ctx, project: Project) -> BankLetter | None:
    """The latest 放款通知单 of the project."""
    query = select(BankLetter).where(
        BankLetter.project_id == project.id, BankLetter.kind == LetterKind.DISBURSEMENT
    )
    return ctx.session.scalars(query.order_by(BankLetter.id.desc())).first()


def issue_notice(ctx: Ctx, project: Project, version: int | None = None) -> BankLetter:
    """Tell the bank to pay; only with every item of the gate met. One that ran out unused may be issued again.

    Raises BusinessError naming every item that is not met.
    """
    permit(ctx, ACTS["issue_notice"], project)
    limits.hold(ctx)
    # a second click waits, and finds the letter there
    project = records.find(ctx, Project, project.id, lock=True)
    letters.require_visible(ctx, project, version)
    again = is_run_out(ctx, project)
    if project.state is ProjectState.IN_FORCE and again:
        return _notice_of_the_rest(ctx, project)
    stages.require_running(project, Stage.CONFIRM if again else Stage.NOTICE, "出具放款通知单")
    stages.refuse_while_ending(ctx, project, "出具放款通知单")
    checks = gate(ctx.session, project, ctx.today, limits.standing(ctx, project))
    if missing := [check for check in checks if not check.is_met]:
        raise BusinessError(
            "放款条件未满足：" + "；".join(f"{c.label}（{c.evidence}）" for c in missing)
        )
    admission.note(ctx, project, Occasion.NOTICE)
    resolution = require_resolution(ctx, project, "出具放款通知单")
    letter = _notify(ctx, project, resolution, resolution.amount, checks)
    if not again:
        stages.advance(ctx, project, Stage.CONFIRM, f"通知单 {letter.number}")
    ctx.session.flush()
    return letter


def _notice_of_the_rest(ctx: Ctx, project: Project) -> BankLetter:
    """The bank is told once more that it may pay what it has not paid yet; nothing may be overdue."""
    rest = undrawn(ctx.session, project, ctx.today)
    if overdue_of(ctx.session, project.id, ctx.today).days:
        raise BusinessError(f"项目 {project.number} 有逾期的本息，不能通知银行继续放款")
    limits.refuse_breach(ctx, project, project.balance + rest)
    resolution = _drawn_on_resolution(ctx.session, project, ctx.today)
    assert resolution is not None, "without one there is no rest"
    letter = _notify(ctx, project, resolution, rest, [])
    ctx.session.flush()
    return letter


def _notify(
    ctx: Ctx,
    project: Project,
    resolution: Resolution,
    amount: Decimal,
    checks: list[GateCheck],
) -> BankLetter:
    until = ctx.today + timedelta(days=int(number(ctx.session, "notice.valid_days", ctx.today)))
    until = min(until, resolution.valid_until or until)
    return letters.issue(
        ctx,
        project,
        LetterKind.DISBURSEMENT,
        amount,
        until,
        **_notice_data(ctx, project, checks, until),
    )


def is_run_out(ctx: Ctx, project: Project) -> bool:
    """Whether the bank may still pay and its notice holds no more."""
    if project.stage is not Stage.CONFIRM and not undrawn(ctx.session, project, ctx.today):
        return False
    notice = last_notice(ctx, project)
    return notice is not None and notice.valid_until is not None and notice.valid_until < ctx.today


def _notice_data(
    ctx: Ctx, project: Project, checks: list[GateCheck], until: date
) -> dict[str, Any]:
    return {
        "contract": contract_data.numbers(ctx.session, project),
        "account": contract_data.account(ctx.session, project.customer),
        "notice": {"valid_until": until},
        "checklist": [{"name": check.label, "result": check.evidence} for check in checks],
    }


def confirm(
    ctx: Ctx,
    project: Project,
    *,
    plan: list[schedules.Instalment] | None = None,
    file_name: str | None = None,
    former_interest: Decimal | None = None,
    former_note: str | None = None,
    version: int | None = None,
    **note: Any,
) -> Drawdown:
    """Register that the bank has paid: note, repayment plan (made from the terms if None), voucher; in force from now.

    `note` are the facts of `Loan`; days are counted as the product says unless the note says otherwise.
    The resolution's reservation becomes exposure and the income of the first year is recognised; a bank that pays in
    parts is registered part by part, each with its own plan, together never above the resolved amount. The first
    part of a 无还本续贷 settles the former loan, with `former_interest` (元) for its last days and `former_note` why it
    is far above the plan.
    Raises FieldErrors, PlanError, BusinessError over a limit, Conflict without a notice or resolution for that day.
    """
    note["bank_note_no"] = note["bank_note_no"].strip()
    note["day_count"] = note.get("day_count") or project.product.day_count
    loan = Loan(**note)
    permit(ctx, ACTS["confirm"], project)
    limits.hold(ctx)  # a second part waits here, and finds what the first has taken
    renewal.hold_former(ctx, project)
    project = records.find(ctx, Project, project.id, lock=True)
    letters.require_visible(ctx, project, version)
    resolution = _check_loan(ctx, project, loan)
    last = renewal.LastInterest(former_interest or renewal.ZERO, (former_note or "").strip())
    renewal.refuse_unready(ctx, project, loan.drawn_on, last)
    source, rows = _plan_of(loan, plan)
    drawdown = _draw(ctx, project, loan)
    plans.keep(ctx, drawdown, rows, source, file_name)
    _issue_voucher(ctx, drawdown, rows)
    if project.state is ProjectState.IN_FORCE:
        _add_to_what_is_in_force(project, drawdown)
    else:
        move(USE["use"], resolution)
        _put_in_force(ctx, project, drawdown)
    ctx.session.flush()
    renewal.settle(ctx, project, drawdown, last)
    return drawdown


def _plan_of(
    loan: Loan, given: list[schedules.Instalment] | None
) -> tuple[PlanSource, list[schedules.Instalment]]:
    """The plan that the bank gave, or one from the terms."""
    if given is not None:
        check_plan(
            ParsedPlan(given), loan_amount=loan.amount, start_on=loan.drawn_on, end_on=loan.due_on
        )
        return PlanSource.IMPORTED, given
    is_agreed = loan.repayment_method is RepaymentMethod.CUSTOM
    return PlanSource.TYPED if is_agreed else PlanSource.GENERATED, planned(loan)


def confirm_from_file(
    ctx: Ctx, project: Project, data: bytes, filename: str, **facts: Any
) -> Drawdown:
    """`confirm` with the repayment plan in the bank's file; raises WorkbookError and PlanError naming rows."""
    permit(ctx, ACTS["confirm"], project)
    found = plan_of_file(ctx, data, filename, facts["amount"], facts["drawn_on"], facts["due_on"])
    return confirm(ctx, project, plan=found.instalments, file_name=filename[:200], **facts)


def replan(
    ctx: Ctx,
    drawdown: Drawdown,
    data: bytes,
    filename: str,
    reason: str,
    version: int | None = None,
) -> RepaymentPlan:
    """Put the bank's plan in the place of a wrong one, until the first repayment; the old one is kept.

    Raises WorkbookError and PlanError naming rows, Conflict once something was repaid or the loan has ended.
    """
    permit(ctx, ACTS["replan"], drawdown)
    drawdown = records.find(ctx, Drawdown, drawdown.id, lock=True)
    if version is not None:
        records.check_version(ctx, drawdown, version)
    reason = stages.checked_reason(reason, "更换还款计划")
    if not may_replan(ctx, drawdown):
        raise Conflict(f"借据 {drawdown.number} 已有还款登记或已结束，不能更换还款计划")
    rows = plan_of_file(
        ctx, data, filename, drawdown.amount, drawdown.drawn_on, drawdown.due_on
    ).instalments
    made = plans.keep(ctx, drawdown, rows, PlanSource.IMPORTED, filename[:200])
    if drawdown.balance < drawdown.amount:  # a part was repaid before the system
        ctx.session.flush()
        respread(ctx, drawdown, drawdown.project)
    _issue_voucher(ctx, drawdown, rows)
    audit.log(ctx, drawdown, "REPLAN", note=f"更换还款计划为第 {made.plan_no} 版：{reason}")
    ctx.session.flush()
    return made


def may_replan(ctx: Ctx, drawdown: Drawdown) -> bool:
    """Whether the loan runs and nothing stands repaid of it, but what was repaid before the system."""
    query = select(Repayment.id).where(
        Repayment.drawdown_id == drawdown.id,
        Repayment.state == RepaymentState.BOOKED,
        Repayment.source != RepaymentSource.HISTORY,  # what came before the system came by no plan
    )
    return drawdown.is_running and ctx.session.scalar(query.limit(1)) is None


def _issue_voucher(ctx: Ctx, drawdown: Drawdown, rows: list[schedules.Instalment]) -> None:
    drawdown.document = documents.issue(
        ctx,
        "drawdown_voucher",
        drawdown,
        project=drawdown.project,
        number_rule="drawdown_voucher",
        title=f"放款凭证 {drawdown.number}",
        data=_voucher_data(ctx, drawdown, rows),
    )


def undrawn(session: Session, project: Project, on: date) -> Decimal:
    """What the bank may still pay out on a day under a guarantee in force that it pays in parts, in 元.

    The resolution that was drawn on gives it until it runs out.
    """
    if project.state is not ProjectState.IN_FORCE or project.stage is not Stage.IN_FORCE:
        return Decimal(0)
    resolution = _drawn_on_resolution(session, project, on)
    if resolution is None:
        return Decimal(0)
    most = min(resolution.amount, _contracted(session, project, resolution))
    return max(most - plans.drawn_total(session, project.id), Decimal(0))


def _drawn_on_resolution(session: Session, project: Project, on: date) -> Resolution | None:
    query = select(Resolution).where(
        Resolution.project_id == project.id,
        Resolution.state == ResolutionState.USED,
        Resolution.valid_until >= on,
    )
    return session.scalars(query.order_by(Resolution.id.desc())).first()


def _contracted(session: Session, project: Project, resolution: Resolution) -> Decimal:
    """The least that its own contracts agree on; the resolution's amount where it needs none beside 最高额合同."""
    needed = required_kinds(session, project.id)
    if not needed:
        return resolution.amount
    agreed = select(func.min(Contract.amount)).where(
        Contract.project_id == project.id,
        Contract.kind.in_(needed),
        Contract.state == PaperState.APPROVED,
    )
    return session.scalar(agreed) or Decimal(0)


def _check_loan(ctx: Ctx, project: Project, loan: Loan) -> Resolution:
    is_further = project.state is ProjectState.IN_FORCE
    if not is_further:
        stages.require_running(project, Stage.CONFIRM, "放款确认")
    elif project.stage is not Stage.IN_FORCE or is_being_released(ctx, project):
        raise Conflict(f"项目 {project.number} 正在解保，不能再次放款")
    stages.refuse_while_ending(ctx, project, "放款确认")
    found = _about_note(ctx, loan) | _about_notice(ctx, project, loan.drawn_on)
    if wrong := products.about_method(ctx.session, project.product, loan.repayment_method):
        found["repayment_method"] = wrong
    if found:
        raise FieldErrors(found)
    resolution = _resolution_on(ctx, project, loan.drawn_on)
    drawn = plans.drawn_total(ctx.session, project.id)
    before = f"，已放款 {format_money(drawn)} 元" if drawn else ""
    latest = add_months(project.start_on or loan.drawn_on, resolution.term_months)
    if loan.amount + drawn > resolution.amount:
        limit = format_money(resolution.amount)
        found["amount"] = [f"放款金额不能超过决议金额 {limit} 元{before}"]
    elif loan.amount + drawn > (most := _contracted(ctx.session, project, resolution)):
        found["amount"] = [f"放款金额不能超过合同金额 {format_money(most)} 元{before}"]
    if not loan.drawn_on < loan.due_on <= latest:
        found["due_on"] = [f"到期日期应晚于放款日期，且不超过决议期限（{latest}）"]
    if found:
        raise FieldErrors(found)
    limits.refuse_breach(ctx, project, project.balance + loan.amount)
    return resolution


def _about_notice(ctx: Ctx, project: Project, drawn_on: date) -> dict[str, list[str]]:
    """The bank paid on a notice that held on that day, whatever was issued since, and in the period of 最高额."""
    query = select(BankLetter).where(
        BankLetter.project_id == project.id, BankLetter.kind == LetterKind.DISBURSEMENT
    )
    notices = list(ctx.session.scalars(query.order_by(BankLetter.id)))
    if not notices:
        raise Conflict(f"项目 {project.number} 没有放款通知单，不能放款确认")
    first, last = notices[0].issued_on, notices[-1]
    if not first <= drawn_on <= ctx.today:
        return {"drawn_on": [f"放款日期应在通知单日期 {first} 与营业日期 {ctx.today} 之间"]}
    for maximum in maximums.of_project(ctx.session, project.id):
        if why := maximums.why_barred(maximum, drawn_on):
            return {"drawn_on": [f"最高额合同 {why}"]}
    if not any(n.issued_on <= drawn_on <= (n.valid_until or drawn_on) for n in notices):
        said = f"放款通知单 {last.number} 已于 {last.valid_until} 到期，请重新出具后由银行放款"
        return {"drawn_on": [said]}
    return {}


def _about_note(ctx: Ctx, loan: Loan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not 0 < len(loan.bank_note_no) <= 60:
        found["bank_note_no"] = ["请填写银行借据号，不超过 60 字"]
    elif ctx.session.scalar(select(func.count()).where(Drawdown.bank_note_no == loan.bank_note_no)):
        found["bank_note_no"] = [f"银行借据号 {loan.bank_note_no} 已登记，不能重复"]
    if not loan.amount.is_finite() or loan.amount <= 0 or round_money(loan.amount) != loan.amount:
        found["amount"] = ["放款金额应大于 0，最多两位小数"]
    if not loan.rate_annual_pct.is_finite() or not 0 <= loan.rate_annual_pct <= RATE_MAX:
        found["rate_annual_pct"] = [f"年利率应在 0 至 {RATE_MAX}% 之间"]
    if loan.pay_day is not None and not 1 <= loan.pay_day <= 31:
        found["pay_day"] = ["每月还款日应为 1 至 31 日"]
    return found | _about_benchmark(ctx, loan)


def _about_benchmark(ctx: Ctx, loan: Loan) -> dict[str, list[str]]:
    """A loan that is priced by LPR costs LPR of the day and the spread."""
    if loan.benchmark is None:
        return {} if loan.spread_bp is None else {"benchmark": ["填写加点时请选择基准利率"]}
    if loan.spread_bp is None:
        return {"spread_bp": ["请填写加点，没有加点的填 0"]}
    said = in_words(ctx.session, loan.benchmark, loan.spread_bp, loan.drawn_on)
    if not said:
        return {"benchmark": [f"{loan.drawn_on} 没有登记的{loan.benchmark.label}"]}
    rate = rate_by(ctx.session, loan.benchmark, loan.spread_bp, loan.drawn_on)
    return {} if rate == loan.rate_annual_pct else {"rate_annual_pct": [f"{said}，与年利率不一致"]}


def _resolution_on(ctx: Ctx, project: Project, drawn_on: date) -> Resolution:
    """The resolution that held when the bank paid, also where it has run out or was renewed since."""
    if project.state is ProjectState.IN_FORCE:
        if (used := _drawn_on_resolution(ctx.session, project, drawn_on)) is None:
            raise Conflict(
                f"项目 {project.number} 的公司决议在 {drawn_on} 已过有效期，不能再次放款"
            )
        return used
    query = select(Resolution).where(
        Resolution.project_id == project.id,
        Resolution.state.in_((ResolutionState.VALID, ResolutionState.EXPIRED)),
        Resolution.resolved_on <= drawn_on,
        Resolution.valid_until >= drawn_on,
    )
    found = ctx.session.scalars(query.order_by(Resolution.id.desc())).first()
    if found is None:
        raise Conflict(f"{drawn_on} 没有有效的公司决议，不能放款确认")
    return found


def _draw(ctx: Ctx, project: Project, loan: Loan) -> Drawdown:
    drawdown = Drawdown(
        number=next_number(ctx, "drawdown"),
        project=project,
        bank_note_no=loan.bank_note_no,
        drawn_on=loan.drawn_on,
        due_on=loan.due_on,
        amount=loan.amount,
        balance=loan.amount,
        rate_annual_pct=loan.rate_annual_pct,
        repayment_method=loan.repayment_method,
        day_count=loan.day_count,
        benchmark=loan.benchmark,
        spread_bp=loan.spread_bp,
    )
    ctx.session.add(drawdown)
    ctx.session.flush()
    return drawdown


def _add_to_what_is_in_force(project: Project, drawdown: Drawdown) -> None:
    """A further part adds to what is guaranteed; the fee was agreed on the whole and stays."""
    project.balance += drawdown.amount
    project.end_on = max(project.end_on or drawdown.due_on, drawdown.due_on)


def _put_in_force(ctx: Ctx, project: Project, drawdown: Drawdown) -> None:
    """What was reserved is guaranteed now; later fees fall due counted from the drawdown."""
    project.balance, project.reserved_amount = drawdown.amount, Decimal(0)
    project.start_on, project.end_on = drawdown.drawn_on, drawdown.due_on
    stages.advance(ctx, project, Stage.IN_FORCE, f"借据 {drawdown.number}")
    move(IN_FORCE["put_in_force"], project)
    sharing.fix(ctx, project)
    date_fees(ctx, project, drawdown)


def date_fees(ctx: Ctx, project: Project, drawdown: Drawdown) -> None:
    """Later fees of a project that has come into force fall due counted from the drawdown; the first year is earned."""
    mode = value(ctx.session, "income.recognition_mode", ctx.today)
    query = select(Fee).where(Fee.project_id == project.id).order_by(Fee.id)
    for fee in ctx.session.scalars(query).all():
        for due in dues_of(ctx.session, fee):
            if due.seq > 1:
                due.due_on = due_date(fee.payment, drawdown.drawn_on, due.seq)
        if fee.kind is FeeKind.GUARANTEE and mode == AT_DRAWDOWN:
            _recognise(ctx, project, fee, drawdown)


def _recognise(ctx: Ctx, project: Project, fee: Fee, drawdown: Drawdown) -> None:
    """担保费 of the first twelve months is income at the drawdown; the rest stays deferred."""
    months = _months(ctx, project)
    net = first_year_part(net_after_waivers(ctx.session, fee), months) - recognised_total(
        ctx.session, fee
    )
    if net > 0:
        posting.raise_event(
            ctx,
            "income.recognised",
            record=fee,
            project=project,
            amounts={"amount": net},
            on=drawdown.drawn_on,
            memo=f"确认担保费收入，借据 {drawdown.number}",
        )


@posting.on_booked("income.recognised")
@posting.on_unbooked("income.recognised")
def recognition_moved(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """Nothing follows: what is recognised of a fee is counted from its events."""
    del ctx, event, voucher


@posting.on_refused("income.recognised")
def recognition_refused(ctx: Ctx, event: BusinessEvent) -> None:
    """Nobody could mend it and hand it in again: the drawdown that brought it stands."""
    del ctx
    raise Conflict(f"{event.label}由放款产生，不能退回；金额有疑问请与客户经理核对后记账")


def _months(ctx: Ctx, project: Project) -> int:
    """The months that the fee was computed for: those of the resolution, on the short line those of the loan."""
    query = select(Resolution.term_months).where(
        Resolution.project_id == project.id, Resolution.state == ResolutionState.USED
    )
    return ctx.session.scalars(query).one_or_none() or project.term_months


def _voucher_data(ctx: Ctx, drawdown: Drawdown, rows: list[schedules.Instalment]) -> dict[str, Any]:
    project = drawdown.project
    data = letters.data_for(ctx, project)
    data["project"]["repayment"] = drawdown.repayment_method.label
    place = contract_data.account(ctx.session, project.customer)
    left, plan = drawdown.amount, []
    for row in rows:
        left -= row.principal
        plan.append(
            {
                "seq": row.seq,
                "due_date": row.due_on,
                "principal": row.principal,
                "interest": row.interest,
                "balance": left,
            }
        )
    return {
        **data,
        "contract": contract_data.numbers(ctx.session, project),
        "drawdown": {
            "number": drawdown.bank_note_no,
            "date": drawdown.drawn_on,
            "amount": drawdown.amount,
            "rate": drawdown.rate_annual_pct,
            "start": drawdown.drawn_on,
            "end": drawdown.due_on,
            "account": " ".join(part for part in place.values() if part),
            "paid_into": place,
            "total_amount": drawdown.amount,
            "guaranteed": round_money(
                drawdown.amount * (HUNDRED - project.bank_share_pct) / HUNDRED
            ),
            "plan": plan,
            "prepared_by": ctx.actor.name,
            "reviewed_by": "",
        },
    }
