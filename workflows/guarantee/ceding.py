"""4.10 分出担保费: planned once a project is filed, listed on statements, booked as owed when approved, then paid."""

from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import format_money
from models.base.paper import PaperState
from models.customer.partner import GuaranteeCompany, PartnerRole
from models.guarantee.ceding import CededFee, CessionStatement
from models.guarantee.project import Project
from models.guarantee.reguarantee import FilingRow, RowState
from models.ledger.voucher import BusinessEvent, EventState, Voucher
from reports.base.scope import scoped
from reports.figures import reguarantee
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, life
from workflows.base.transition import Step, enter, move, steps, verbs
from workflows.ledger import posting

SETTLED, PAID = "cession.settled", "cession.paid"
ROLES = ("风控专员", "业务部门经理")
_TABLE = str(CessionStatement.__tablename__)
STEPS = steps(
    *life(_TABLE, "提交账单审批", roles=ROLES),
    Step(
        _TABLE,
        "redraft",
        "重新起草",
        column="state",
        sources=(PaperState.REJECTED,),
        targets=(PaperState.DRAFT,),
        roles=ROLES,
    ),
)
ACTS = {
    **verbs(_TABLE, {"settle": "再次送复核", "refresh": "重新带入"}, roles=ROLES),
    **verbs(_TABLE, {"pay": "登记付款"}, roles=("出纳",)),
}
_LIVE = (EventState.PENDING, EventState.BOOKED)


def plan(ctx: Ctx, project: Project, company_id: int) -> list[CededFee]:
    """Bring the plan of what a project cedes in line with its fee as it stands; what is on a statement stays."""
    query = select(CededFee).where(
        CededFee.project_id == project.id, CededFee.company_id == company_id
    )
    present = {row.seq: row for row in ctx.session.scalars(query)}
    # A fee that is drawn on loses no instalment any more.
    for one in reguarantee.ceding(ctx.session, project, company_id):
        made = CededFee(project=project, company_id=company_id, seq=one.seq)
        row = present.setdefault(one.seq, made)
        if row.statement_id is None:
            row.fee, row.due_on, row.base_amount = one.fee, one.due_on, one.base
            row.fee_share_pct, row.amount = one.share_pct, one.amount
            ctx.session.add(row)
    ctx.session.flush()
    return list(present.values())


def held(ctx: Ctx, project: Project, company_id: int) -> list[CededFee]:
    """What a project cedes to a re-guarantor; a statement that is drawn up meanwhile waits."""
    query = select(CededFee).where(
        CededFee.project_id == project.id, CededFee.company_id == company_id
    )
    locked = query.order_by(CededFee.id).with_for_update().execution_options(populate_existing=True)
    return list(ctx.session.scalars(locked))


def plan_again(ctx: Ctx, project: Project) -> None:
    """Bring the plans in line after the fee of a project has grown: what no plan holds, no statement would find."""
    filed = select(FilingRow.company_id).where(
        FilingRow.project_id == project.id, FilingRow.state == RowState.DONE
    )
    for company_id in ctx.session.scalars(filed.distinct()).all():
        plan(ctx, project, company_id)


@records.rule(CessionStatement)
def check_statement(ctx: Ctx, statement: CessionStatement, is_new: bool) -> None:
    """A statement is with one re-guarantor, up to a day that has come; it lists what is due when it is saved."""
    company = ctx.session.get_one(GuaranteeCompany, statement.company_id)
    wrong: dict[str, list[str]] = {}
    if company.role is not PartnerRole.RE_GUARANTEE:
        wrong["company_id"] = ["请选择合作方式是“再担保”的公司"]
    if statement.until_on > ctx.today:
        wrong["until_on"] = ["截至日不能晚于营业日期"]
    if wrong:
        raise FieldErrors(wrong)
    if is_new:
        statement.number = next_number(ctx, "cession_statement")
        statement.handler_id = ctx.actor.employee_id
        statement.department_id = ctx.actor.department_id
    statement.company = company
    ctx.session.add(statement)
    ctx.session.flush()
    _list(ctx, statement)


@records.delete_rule(CessionStatement)
def keep_number(ctx: Ctx, statement: CessionStatement) -> None:
    """A number that was given stays."""
    del ctx
    raise Conflict(f"分保账单 {statement.number} 已编号，不能删除；可改截至日后重新带入")


def lines_of(ctx: Ctx, statement: CessionStatement) -> list[CededFee]:
    """What stands on it."""
    query = select(CededFee).where(CededFee.statement_id == statement.id)
    return list(ctx.session.scalars(query.order_by(CededFee.due_on, CededFee.id)))


def _list(ctx: Ctx, statement: CessionStatement) -> None:
    """Take what is due by now, its plan looked at once more; what was listed before is let go first."""
    for row in lines_of(ctx, statement):
        row.statement = None
    ctx.session.flush()
    filed = select(FilingRow.project_id).where(
        FilingRow.company_id == statement.company_id, FilingRow.state == RowState.DONE
    )
    planned = select(Project).where(
        Project.id.in_(filed),
        Project.id.in_(
            reguarantee.uncollected(statement.company_id, statement.until_on)
            .with_only_columns(CededFee.project_id)
            .order_by(None)
        ),
    )
    mine = scoped(planned, Project, ctx.actor)
    projects = list(ctx.session.scalars(mine))
    for project in projects:
        plan(ctx, project, statement.company_id)
    due = reguarantee.uncollected(statement.company_id, statement.until_on).where(
        CededFee.amount > 0, CededFee.project_id.in_([one.id for one in projects])
    )
    for row in ctx.session.scalars(due.with_for_update(of=CededFee)).all():
        row.statement = statement
    ctx.session.flush()
    figures = (func.count(CededFee.id), func.sum(CededFee.amount))
    query = select(*figures).where(CededFee.statement_id == statement.id)
    statement.row_count, amount = ctx.session.execute(query).one()
    statement.amount = amount or Decimal(0)
    ctx.session.flush()


def refresh(ctx: Ctx, statement: CessionStatement, version: int | None = None) -> CessionStatement:
    """List once more what is due; a draft alone."""
    enter(ctx, ACTS["refresh"], statement, version)
    statement = records.find(ctx, CessionStatement, statement.id, lock=True)
    records.require_draft(statement, "重新带入")
    _list(ctx, statement)
    return statement


def why_not_submit(ctx: Ctx, statement: CessionStatement) -> str:
    """What keeps it from being put up; '' where nothing does."""
    del ctx
    return "" if statement.row_count else "截至日以前没有应分出的担保费（须已备案）"


def submit(ctx: Ctx, statement: CessionStatement, version: int | None = None) -> ApprovalInstance:
    """Put a statement up for approval, listed anew: fees change meanwhile. Raises BusinessError for an empty one."""
    step = STEPS["submit"]
    enter(ctx, step, statement, version)
    statement = records.find(ctx, CessionStatement, statement.id, lock=True)
    _list(ctx, statement)
    if why := why_not_submit(ctx, statement):
        raise BusinessError(f"还不能{step.label}：{why}")
    move(step, statement)
    what = f"{statement.row_count} 笔，{format_money(statement.amount)} 元"
    return approval.start(
        ctx,
        "cession_statement",
        statement,
        title=f"分保账单：{statement.company.name} {statement.number} {what}",
        amount=statement.amount,
        department_id=statement.department_id,
    )


def redraft(ctx: Ctx, statement: CessionStatement, version: int | None = None) -> CessionStatement:
    """Take a refused statement up again."""
    enter(ctx, STEPS["redraft"], statement, version)
    move(STEPS["redraft"], statement)
    ctx.session.flush()
    return statement


@approval.on_finish("cession_statement")
def decided(
    ctx: Ctx, instance: ApprovalInstance, statement: CessionStatement, outcome: ApprovalState
) -> None:
    """Approved, the fee is owed and goes to 复核."""
    del instance
    with ctx.session.no_autoflush:
        if outcome is ApprovalState.APPROVED:
            statement.approved_on = ctx.today
        conclude(statement, outcome)
    if outcome is ApprovalState.APPROVED:
        _owe(ctx, statement)
    ctx.session.flush()


def _memo(statement: CessionStatement) -> str:
    return f"{statement.company.name} 分保账单 {statement.number}"


def _owe(ctx: Ctx, statement: CessionStatement) -> BusinessEvent:
    statement.returned_reason = None
    amounts, memo = {"amount": statement.amount}, _memo(statement)
    return posting.raise_event(ctx, SETTLED, record=statement, amounts=amounts, memo=memo)


def _is_live(ctx: Ctx, statement: CessionStatement, code: str) -> bool:
    query = select(BusinessEvent.id).where(
        BusinessEvent.event_code == code,
        BusinessEvent.record_table == _TABLE,
        BusinessEvent.record_id == statement.id,
        BusinessEvent.state.in_(_LIVE),
    )
    return ctx.session.scalar(query.limit(1)) is not None


def waits_for_settling(ctx: Ctx, statement: CessionStatement) -> bool:
    """Whether 复核 has sent back what is owed."""
    is_back = statement.state is PaperState.APPROVED and not statement.is_booked
    return is_back and not _is_live(ctx, statement, SETTLED)


def settle(ctx: Ctx, statement: CessionStatement, version: int | None = None) -> BusinessEvent:
    """Hand in again what 复核 has sent back."""
    enter(ctx, ACTS["settle"], statement, version)
    if not waits_for_settling(ctx, statement):
        raise Conflict(f"分保账单“{statement}”没有退回待送的应付")
    return _owe(ctx, statement)


def waits_for_payment(ctx: Ctx, statement: CessionStatement) -> bool:
    """Whether the books hold what is owed and nothing of its payment is on the way."""
    return statement.is_booked and not _is_live(ctx, statement, PAID)


def pay(
    ctx: Ctx,
    statement: CessionStatement,
    paid_on: date,
    payment_no: str,
    version: int | None = None,
) -> BusinessEvent:
    """Note that it was paid, and hand that to 复核. Raises FieldErrors, Conflict before it is owed, or twice."""
    enter(ctx, ACTS["pay"], statement, version)
    statement = records.find(ctx, CessionStatement, statement.id, lock=True)
    if not waits_for_payment(ctx, statement):
        raise Conflict(f"分保账单“{statement}”的应付还没有记账，或付款已登记")
    wrong: dict[str, list[str]] = {}
    assert statement.approved_on is not None, "it is booked"
    if not statement.approved_on <= paid_on <= ctx.today:
        wrong["paid_on"] = [
            f"付款日期应在通过日期 {statement.approved_on} 与营业日期 {ctx.today} 之间"
        ]
    if not 0 < len(payment_no.strip()) <= 60:
        wrong["payment_no"] = ["请填写付款凭据号，不超过 60 字"]
    if wrong:
        raise FieldErrors(wrong)
    statement.paid_on, statement.payment_no = paid_on, payment_no.strip()
    statement.returned_reason = None
    amounts, memo = {"amount": statement.amount}, _memo(statement)
    return posting.raise_event(ctx, PAID, record=statement, amounts=amounts, on=paid_on, memo=memo)


def _of(ctx: Ctx, event: BusinessEvent) -> CessionStatement:
    return ctx.session.get_one(CessionStatement, event.record_id)


@posting.on_booked(SETTLED)
def settled(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """The books hold what is owed."""
    del voucher
    _of(ctx, event).is_booked = True
    ctx.session.flush()


@posting.on_unbooked(SETTLED)
def unsettled(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue; not once its payment is on the way."""
    del former
    statement = _of(ctx, event)
    if _is_live(ctx, statement, PAID):
        raise Conflict(f"分保账单“{statement}”的付款已登记，请先退回其付款")
    statement.is_booked = False
    ctx.session.flush()


@posting.on_refused(SETTLED)
def settling_refused(ctx: Ctx, event: BusinessEvent) -> None:
    """Why it came back stands on the statement."""
    _of(ctx, event).returned_reason = event.reason
    ctx.session.flush()


@posting.on_booked(PAID)
def paid(ctx: Ctx, event: BusinessEvent, voucher: Voucher) -> None:
    """The books hold the payment."""
    del voucher
    _of(ctx, event).is_paid = True
    ctx.session.flush()


@posting.on_unbooked(PAID)
def unpaid(ctx: Ctx, event: BusinessEvent, former: Voucher) -> None:
    """Back in the queue."""
    del former
    _of(ctx, event).is_paid = False
    ctx.session.flush()


@posting.on_refused(PAID)
def payment_refused(ctx: Ctx, event: BusinessEvent) -> None:
    """The payment is to be noted anew."""
    statement = _of(ctx, event)
    statement.paid_on = statement.payment_no = None
    statement.returned_reason = event.reason
    ctx.session.flush()
