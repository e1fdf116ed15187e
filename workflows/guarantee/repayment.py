"""4.5e 正常还款: repayments to the bank against the plan, receipts, reversals, and notices of what is overdue.

Principal and interest each settle the instalments in the order in which they fall due, so what is paid of an
instalment follows from the totals repaid; a reversal takes its amounts off the totals and spreads the rest anew.
The bank's interest is registered as it was charged: what exceeds the plan by the day of payment is kept apart as extra.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import format_money, round_money
from models.base.paper import PaperState
from models.guarantee.drawdown import OPEN, Drawdown, DrawdownState, Instalment, RepaymentPlan
from models.guarantee.project import REPLACING, Project, ProjectState, Stage
from models.guarantee.release import Release
from models.guarantee.repayment import Repayment, RepaymentSource, RepaymentState
from models.system.records import IssuedDocument
from reports.figures.overdue import overdue_lines, spread
from reports.figures.parameters import flag, number
from workflows.base import documents, records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, enter, move, permit, steps, verbs
from workflows.guarantee import contract_data, letters, limits, stages

STEPS = steps(
    Step(
        "repayment",
        "reverse",
        "冲正",
        column="state",
        sources=(RepaymentState.BOOKED,),
        targets=(RepaymentState.REVERSED,),
    ),
)
_LOAN_RUNS = (DrawdownState.ACTIVE, DrawdownState.OVERDUE)
_LOAN_STANDS = (*_LOAN_RUNS, DrawdownState.SETTLED, DrawdownState.COMPENSATED)
LOAN = steps(
    Step(
        "drawdown",
        "fall_overdue",
        "逾期",
        column="state",
        sources=_LOAN_RUNS,
        targets=(DrawdownState.OVERDUE,),
        follows=True,
    ),
    Step(
        "drawdown",
        "repay",
        "还款",
        column="state",
        sources=_LOAN_STANDS,
        targets=_LOAN_STANDS,
        follows=True,
    ),
)
ACTS = verbs(
    "repayment", {"register": "登记还款", "import": "导入还款", "import_bank": "导入银行整份文件"}
) | verbs("drawdown", {"issue_overdue": "开具欠款通知单"})
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)
_NOTE_MAX = 200


Reversed = Callable[[Ctx, Repayment, Drawdown], None]
_REVERSED: list[
    Reversed
] = []  # what else goes back with a repayment: later files put themselves here


def on_reversed(handler: Reversed) -> Reversed:
    """Register what goes back before a repayment is reversed; it may refuse."""
    _REVERSED.append(handler)
    return handler


@dataclass(frozen=True)
class Paid:
    """What the bank has received: principal and interest in 元; `is_final` when the bank counts the loan as settled."""

    paid_on: date
    principal: Decimal
    interest: Decimal
    is_final: bool = False
    note: str | None = None
    source: RepaymentSource = RepaymentSource.MANUAL
    file_name: str | None = None


def register(ctx: Ctx, drawdown: Drawdown, paid: Paid, version: int | None = None) -> Repayment:
    """Register a repayment: plan, loan and guarantee move together, and the receipt is issued.

    Raises Conflict unless the loan runs, FieldErrors for principal above what is owed, for days outside the loan, and
    for interest far above the plan without a word why.
    """
    permit(ctx, ACTS["register"], drawdown)
    return record(ctx, drawdown, paid, version)


def record(ctx: Ctx, drawdown: Drawdown, paid: Paid, version: int | None = None) -> Repayment:
    """`register` for verbs with a permission of their own."""
    return record_held(ctx, *held(ctx, drawdown.id, version), paid)


def record_held(ctx: Ctx, drawdown: Drawdown, project: Project, paid: Paid) -> Repayment:
    """`record` on a loan and project that the caller holds, whoever's they are by now."""
    if project.state is not ProjectState.IN_FORCE or not drawdown.is_running:
        place = (
            drawdown.state.label if project.state is ProjectState.IN_FORCE else project.state.label
        )
        raise Conflict(f"借据 {drawdown.number} 所属项目 {project.number} {place}，不能登记还款")
    rows = refuse_unfit(ctx, drawdown, paid)
    before = [(row.principal_paid, row.interest_paid) for row in rows]
    made = Repayment(
        number=next_number(ctx, "repayment_receipt"),
        project=project,
        drawdown=drawdown,
        paid_on=paid.paid_on,
        principal=paid.principal,
        interest=paid.interest,
        is_final=paid.is_final,
        source=paid.source,
        file_name=paid.file_name,
        note=(paid.note or "").strip() or None,
        balance_after=drawdown.balance - paid.principal,
        state=RepaymentState.BOOKED,
    )
    ctx.session.add(made)
    ctx.session.flush()
    _move(ctx, drawdown, project, rows, paid.principal)
    if paid.source is RepaymentSource.COMPENSATION:
        return made  # the customer has repaid nothing: no receipt is due
    made.document = documents.issue(
        ctx,
        "repayment_receipt",
        made,
        project=project,
        number=made.number,
        title=f"还款回执 {drawdown.bank_note_no}",
        data=_receipt_data(ctx, made, rows, before),
    )
    ctx.session.flush()
    return made


def reverse(ctx: Ctx, repayment: Repayment, reason: str, version: int | None = None) -> Repayment:
    """Take a wrong registration back (冲正); the loan stands as if it had never been registered.

    Raises Conflict once the guarantee is released or its release is under approval, or another loan stands in the
    place of this one; BusinessError where what is owed again breaks a limit.
    """
    step = STEPS["reverse"]
    enter(ctx, step, repayment, version)
    limits.hold(ctx)
    drawdown, project = held(ctx, repayment.drawdown_id)
    ctx.session.refresh(repayment, with_for_update={"of": Repayment})
    enter(ctx, step, repayment)
    reason = reason.strip()
    if not 0 < len(reason) <= _NOTE_MAX:
        raise BusinessError(f"请填写冲正原因，不超过 {_NOTE_MAX} 字", field="reason")
    if repayment.source is RepaymentSource.HISTORY:
        raise Conflict("上线前已还的本金随历史补录登记，不能冲正")
    if repayment.source is RepaymentSource.COMPENSATION:
        raise Conflict("该笔由代偿付款登记，由会计在复核退回该笔代偿后恢复，不能冲正")
    if repayment.source is RepaymentSource.RENEWAL:
        raise Conflict("该笔还款由无还本续贷的放款结清，新借款仍在保，不能冲正")
    if project.stage is not Stage.IN_FORCE or is_being_released(ctx, project):
        raise Conflict(f"项目 {project.number} 正在解保或已解保，不能冲正还款")
    renewal = _renewal_of(ctx, project)
    if repayment.principal and renewal is not None and renewal.state is ProjectState.IN_FORCE:
        raise Conflict(f"续保项目 {renewal.number} 已放款接续该笔借款且仍在保，不能冲正本金")
    for handler in _REVERSED:
        handler(ctx, repayment, drawdown)
    take_back_held(ctx, repayment, drawdown, project, reason)
    if repayment.principal:
        _refuse_breach(ctx, project, renewal)
    return repayment


def take_back_held(
    ctx: Ctx, made: Repayment, drawdown: Drawdown, project: Project, reason: str
) -> None:
    """`reverse` for verbs with a permission of their own, on a loan and project that the caller holds."""
    move(STEPS["reverse"], made)
    made.reversed_on, made.reversed_by_id = ctx.today, ctx.actor.employee_id
    made.reversal_reason = reason
    ctx.session.flush()
    _move(ctx, drawdown, project, plan_rows(ctx.session, drawdown), -made.principal)


def _renewal_of(ctx: Ctx, project: Project) -> Project | None:
    """The application that takes the place of the project's loan, reserved or in force."""
    query = select(Project).where(
        Project.renewed_from_id == project.id,
        Project.renewal_kind.in_(REPLACING),
        or_(Project.state == ProjectState.IN_FORCE, Project.reserved_amount > 0),
    )
    return ctx.session.scalars(query.order_by(Project.id)).first()


def _refuse_breach(ctx: Ctx, project: Project, renewal: Project | None) -> None:
    """Refuse what is owed again beyond a limit; a renewal that waits for its drawdown counts with it once."""
    if renewal is not None:
        limits.refuse_breach(ctx, renewal, renewal.reserved_amount)
    else:
        limits.refuse_breach(ctx, project, project.balance)


def issue_overdue_notice(
    ctx: Ctx, drawdown: Drawdown, version: int | None = None
) -> IssuedDocument:
    """欠款通知单 to the customer on all that is overdue of a loan today; Conflict when nothing is."""
    enter(ctx, ACTS["issue_overdue"], drawdown, version)
    lines = overdue_lines(ctx.session, drawdown, ctx.today)
    if not lines:
        raise Conflict(f"借据 {drawdown.number} 没有逾期的本金或利息，不需要开具欠款通知单")
    project = drawdown.project
    owed = {
        "principal": sum((x.principal for x in lines), ZERO),
        "interest": sum((x.interest for x in lines), ZERO),
    }
    data = {
        **letters.data_for(ctx, project),
        "contract": contract_data.numbers(ctx.session, project),
        "drawdown": _loan_data(drawdown),
        "overdue": {
            **owed,
            "total": owed["principal"] + owed["interest"],
            "days": max(x.days for x in lines),
            "as_of": ctx.today,
            "handler": project.manager.name if project.manager else "",
            "lines": [
                {
                    "seq": x.seq,
                    "due_date": x.due_on,
                    "principal": x.principal,
                    "interest": x.interest,
                    "days": x.days,
                }
                for x in lines
            ],
        },
    }
    return documents.issue(
        ctx,
        "overdue_notice",
        drawdown,
        project=project,
        number_rule="overdue_notice",
        title=f"欠款通知单 {drawdown.bank_note_no}",
        data=data,
    )


def mark_overdue(ctx: Ctx) -> int:
    """Mark every instalment that fell due before the business date and is not paid; how many were newly marked."""
    query = (
        select(Instalment, Drawdown)
        .join(RepaymentPlan, RepaymentPlan.id == Instalment.repayment_plan_id)
        .join(Drawdown, Drawdown.id == RepaymentPlan.drawdown_id)
        .where(
            text(f"({OPEN})"),
            Instalment.due_on < ctx.today,
            Instalment.overdue_since.is_(None),
            RepaymentPlan.is_current,
            Drawdown.state.in_((DrawdownState.ACTIVE, DrawdownState.OVERDUE)),
        )
        .order_by(Drawdown.id, Instalment.seq)
        .with_for_update(of=Drawdown)
    )
    found = ctx.session.execute(query).all()
    for row, drawdown in found:
        row.overdue_since = row.due_on + timedelta(days=1)
        move(LOAN["fall_overdue"], drawdown)
    ctx.session.flush()
    return len(found)


def plan_rows(session: Session, drawdown: Drawdown) -> list[Instalment]:
    """The instalments of a loan's current plan in the order in which they fall due."""
    query = (
        select(Instalment)
        .join(RepaymentPlan)
        .where(RepaymentPlan.drawdown_id == drawdown.id, RepaymentPlan.is_current)
        .order_by(Instalment.due_on, Instalment.seq)
    )
    return list(session.scalars(query.execution_options(populate_existing=True)))


def owed_by(rows: list[Instalment], paid_on: date) -> tuple[Decimal, Decimal]:
    """Principal and interest owed up to and including the first instalment that falls due on or after a day."""
    principal = interest = ZERO
    for row in rows:
        principal += row.principal - row.principal_paid
        interest += row.interest - row.interest_paid
        if row.due_on >= paid_on:
            break
    return principal, interest


def held(ctx: Ctx, drawdown_id: int, version: int | None = None) -> tuple[Drawdown, Project]:
    """Loan and project, held until the commit: whoever writes the plan comes through here."""
    drawdown = records.find(ctx, Drawdown, drawdown_id, lock=True)
    if version is not None:
        records.check_version(ctx, drawdown, version)
    return drawdown, records.find(ctx, Project, drawdown.project_id, lock=True)


def all_held(ctx: Ctx, project_id: int) -> tuple[list[Drawdown], Project]:
    """Every loan of a project and the project, held until the commit in the order of decision 0015.

    Not by the actor's scope: a renewal settles its former project also after that was handed over to somebody else.
    """
    query = (
        select(Drawdown)
        .where(Drawdown.project_id == project_id)
        .order_by(Drawdown.id)
        .with_for_update(of=Drawdown)
    )
    loans = list(ctx.session.scalars(query.execution_options(populate_existing=True)))
    return loans, stages.locked(ctx, project_id)


def refuse_unfit(ctx: Ctx, drawdown: Drawdown, paid: Paid) -> list[Instalment]:
    """The plan that a payment settles. Raises FieldErrors for a payment that does not fit the loan."""
    rows = plan_rows(ctx.session, drawdown)
    if wrong := _about(ctx, drawdown, rows, paid):
        raise FieldErrors(wrong)
    return rows


def _about(
    ctx: Ctx, drawdown: Drawdown, rows: list[Instalment], paid: Paid
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not drawdown.drawn_on <= paid.paid_on <= ctx.today:
        found["paid_on"] = [f"还款日期应在放款日期 {drawdown.drawn_on} 与营业日期 {ctx.today} 之间"]
    for name, label in (("principal", "还本金额"), ("interest", "还息金额")):
        amount = getattr(paid, name)
        if not amount.is_finite() or amount < 0 or round_money(amount) != amount:
            found[name] = [f"{label}不能为负数，最多两位小数"]
    if found:
        return found
    if not (paid.principal or paid.interest or paid.is_final):
        return {"principal": ["还本金额和还息金额不能都为 0"]}
    if paid.is_final and paid.principal != drawdown.balance:
        found["is_final"] = [f"结清时还本金额应等于借款余额 {format_money(drawdown.balance)} 元"]
    if len((paid.note or "").strip()) > _NOTE_MAX:
        found["note"] = [f"备注不超过 {_NOTE_MAX} 字"]
    return found | _about_amounts(ctx, rows, paid)


def _about_amounts(ctx: Ctx, rows: list[Instalment], paid: Paid) -> dict[str, list[str]]:
    """No principal above what is owed, or ahead of the present instalment unless that is allowed.

    Interest is the bank's to charge and never too much; by hand much more than planned may be a slip of the finger.
    """
    found: dict[str, list[str]] = {}
    total, _ = owed_by(rows, date.max)
    due, due_interest = owed_by(rows, _horizon(ctx, paid.paid_on))
    if paid.principal > total:
        found["principal"] = [f"尚欠本金 {format_money(total)} 元，不能多还"]
    elif paid.principal > due and not _is_above_plan(paid):
        found["principal"] = [
            f"至本期应还本金 {format_money(due)} 元，多出的属于提前还款，请先办理“存续变更”；全部结清的请办理“提前结清”"
        ]
    is_told = bool((paid.note or "").strip()) or paid.source is RepaymentSource.IMPORTED
    if paid.interest > most_interest(ctx, due_interest) and not is_told:
        extra = format_money(paid.interest - due_interest)
        found["note"] = [
            f"至本期应还利息 {format_money(due_interest)} 元，超出 {extra} 元，请核对；属实时在备注中说明"
        ]
    return found


def _is_above_plan(paid: Paid) -> bool:
    """The bank's word that all is settled stands above the plan, and so does what it has called in."""
    return paid.is_final or paid.source is RepaymentSource.COMPENSATION


def most_interest(ctx: Ctx, due: Decimal) -> Decimal:
    """The interest up to which nobody asks why it is more than the plan's, in 元."""
    pct = number(ctx.session, "repayment.interest_tolerance_pct", ctx.today)
    return due * (HUNDRED + pct) / HUNDRED


def _horizon(ctx: Ctx, paid_on: date) -> date:
    """The day up to which a payment may settle the plan: all of it where paying ahead is allowed."""
    return date.max if flag(ctx.session, "repayment.early_allowed", ctx.today) else paid_on


def _count_interest(ctx: Ctx, drawdown: Drawdown, rows: list[Instalment]) -> Decimal:
    """What the plan counts of the interest repaid; of each payment in turn the rest is extra."""
    booked = select(Repayment).where(
        Repayment.drawdown_id == drawdown.id, Repayment.state == RepaymentState.BOOKED
    )
    made = list(ctx.session.scalars(booked.order_by(Repayment.paid_on, Repayment.id)))
    parts = planned_parts(ctx, rows, [(one.paid_on, one.interest) for one in made])
    for one, part in zip(made, parts, strict=True):
        one.extra_interest = one.interest - part
    return sum(parts, ZERO)


def planned_parts(
    ctx: Ctx, rows: list[Instalment], paid: list[tuple[date, Decimal]]
) -> list[Decimal]:
    """Of each payment of interest, in the order of their days, the part that the plan asks for; the rest is extra."""
    found: list[Decimal] = []
    counted = ZERO
    for day, interest in paid:
        planned = _planned_by(rows, _horizon(ctx, day))
        found.append(min(interest, max(planned - counted, ZERO)))
        counted += found[-1]
    return found


def _planned_by(rows: list[Instalment], day: date) -> Decimal:
    """Planned interest up to and including the first instalment that falls due on or after a day."""
    found = ZERO
    for row in rows:
        found += row.interest
        if row.due_on >= day:
            break
    return found


def _move(
    ctx: Ctx, drawdown: Drawdown, project: Project, rows: list[Instalment], principal: Decimal
) -> None:
    """Spread the new totals over the plan; balances, states and overdue marks follow."""
    repaid = drawdown.amount - drawdown.balance + principal
    paid_p = spread([r.principal for r in rows], repaid)
    paid_i = spread([r.interest for r in rows], _count_interest(ctx, drawdown, rows))
    for row, part_p, part_i in zip(rows, paid_p, paid_i, strict=True):
        row.principal_paid, row.interest_paid = part_p, part_i
    with ctx.session.no_autoflush:  # balance and state change as one
        drawdown.balance -= principal
        project.balance -= principal
        _restate(ctx, drawdown, rows)
    ctx.session.flush()


def respread(ctx: Ctx, drawdown: Drawdown, project: Project) -> None:
    """Spread what was repaid of a loan over a plan that has just become the current one."""
    _move(ctx, drawdown, project, plan_rows(ctx.session, drawdown), ZERO)


def _restate(ctx: Ctx, drawdown: Drawdown, rows: list[Instalment]) -> None:
    booked = (Repayment.drawdown_id == drawdown.id, Repayment.state == RepaymentState.BOOKED)
    is_final = ctx.session.scalar(
        select(func.count(Repayment.id)).where(*booked, Repayment.is_final)
    )
    is_settled = drawdown.balance == 0 and (bool(is_final) or not any(row.is_open for row in rows))
    for row in rows:
        is_missed = row.is_open and not is_settled and row.due_on < ctx.today
        row.overdue_since = row.due_on + timedelta(days=1) if is_missed else None
    if is_settled:
        last = select(Repayment).where(*booked).order_by(Repayment.paid_on, Repayment.id)
        final = list(ctx.session.scalars(last))[-1]
        is_paid_for = final.source is RepaymentSource.COMPENSATION
        end = DrawdownState.COMPENSATED if is_paid_for else DrawdownState.SETTLED
        move(LOAN["repay"], drawdown, end)
        drawdown.closed_on = final.paid_on
        return
    is_late = any(row.overdue_since for row in rows)
    move(LOAN["repay"], drawdown, DrawdownState.OVERDUE if is_late else DrawdownState.ACTIVE)
    drawdown.closed_on = None


def is_being_released(ctx: Ctx, project: Project) -> bool:
    """Whether a release of its guarantee is under approval or approved."""
    query = select(func.count(Release.id)).where(
        Release.project_id == project.id,
        Release.state.in_((PaperState.IN_APPROVAL, PaperState.APPROVED)),
    )
    return bool(ctx.session.scalar(query))


def _loan_data(drawdown: Drawdown) -> dict[str, Any]:
    return {
        "number": drawdown.bank_note_no,
        "amount": drawdown.amount,
        "balance": drawdown.balance,
        "start": drawdown.drawn_on,
        "end": drawdown.due_on,
        "rate": drawdown.rate_annual_pct,
    }


def _receipt_data(
    ctx: Ctx, made: Repayment, rows: list[Instalment], before: list[tuple[Decimal, Decimal]]
) -> dict[str, Any]:
    """What the receipt prints: the instalments that this repayment has settled, and what is left."""
    settled = [
        {
            "seq": row.seq,
            "due_date": row.due_on,
            "principal": row.principal_paid - was_p,
            "interest": row.interest_paid - was_i,
            "is_done": not row.is_open,
        }
        for row, (was_p, was_i) in zip(rows, before, strict=True)
        if (row.principal_paid, row.interest_paid) != (was_p, was_i)
    ]
    project = made.project
    return {
        **letters.data_for(ctx, project),
        "contract": contract_data.numbers(ctx.session, project),
        "drawdown": _loan_data(made.drawdown),
        "repayment": {
            "date": made.paid_on,
            "principal": made.principal,
            "interest": made.interest,
            "total": made.principal + made.interest,
            "balance": made.balance_after,
            "lines": settled,
            "extra_interest": made.extra_interest,
            "is_settled": made.drawdown.state is DrawdownState.SETTLED,
            "remark": made.note,
            "handler": ctx.actor.name,
        },
    }
