"""4.10 再担保备案: batches are filled, sent, answered; what is refused is corrected and sent again."""

from sqlalchemy import func, select

from models.base.errors import BusinessError, Conflict, FieldErrors
from models.customer.customer import CorporateCustomer
from models.customer.partner import GuaranteeCompany, PartnerRole
from models.guarantee.project import Project, ProjectState
from models.guarantee.reguarantee import (
    Filing,
    FilingOutcome,
    FilingReceipt,
    FilingRow,
    FilingState,
    RowState,
)
from reports.base.scope import scoped
from reports.figures import reguarantee
from reports.figures import sharing as shares
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.transition import Step, acting, enter, move, steps, verbs
from workflows.guarantee import ceding, stages

ROLES = ("客户经理", "业务部门经理", "风控专员")
_OPEN = (FilingState.DRAFT, FilingState.RETURNED)
STEPS = steps(
    Step(
        "filing",
        "send",
        "报送",
        column="state",
        sources=_OPEN,
        targets=(FilingState.SUBMITTED,),
        roles=ROLES,
    ),
    Step(
        "filing",
        "answer",
        "登记回执",
        column="state",
        sources=(FilingState.SUBMITTED, FilingState.RETURNED, FilingState.DONE),
        targets=(FilingState.SUBMITTED, FilingState.RETURNED, FilingState.DONE),
        follows=True,
    ),
)
ROW = steps(
    Step(
        "filing_row",
        "correct",
        "更正",
        column="state",
        sources=(RowState.REFUSED,),
        targets=(RowState.PENDING,),
        roles=ROLES,
    ),
    Step(
        "filing_row",
        "leave",
        "报送",
        column="state",
        sources=(RowState.PENDING,),
        targets=(RowState.SUBMITTED,),
        follows=True,
    ),
    Step(
        "filing_row",
        "conclude",
        "登记回执",
        column="state",
        sources=(RowState.SUBMITTED,),
        targets=(RowState.DONE, RowState.REFUSED),
        follows=True,
    ),
    Step(
        "filing_row",
        "revoke",
        "撤销备案",
        column="state",
        sources=(RowState.DONE,),
        targets=(RowState.REFUSED,),
        follows=True,
    ),
)
ACTS = {
    **verbs("filing", {"collect": "带入符合条件的项目"}, roles=ROLES),
    **verbs("filing_row", {"drop": "移出批次"}, roles=ROLES),
}
_MOST = 1000  # rows of one batch


@records.rule(Filing)
def check_filing(ctx: Ctx, filing: Filing, is_new: bool) -> None:
    """A batch goes to one company that re-guarantees, and stays with it once it holds rows."""
    company = ctx.session.get_one(GuaranteeCompany, filing.company_id)
    if company.role is not PartnerRole.RE_GUARANTEE:
        raise FieldErrors({"company_id": ["请选择合作方式是“再担保”的公司"]})
    if is_new:
        filing.handler_id = ctx.actor.employee_id
        filing.department_id = ctx.actor.department_id
    elif any(row.company_id != filing.company_id for row in rows_of(ctx, filing)):
        raise FieldErrors({"company_id": ["批次中已有项目，不能改再担保公司"]})


@records.delete_rule(Filing)
def keep_number(ctx: Ctx, filing: Filing) -> None:
    """A number that was given stays; a batch that is not needed is emptied and used for the next one."""
    del ctx
    raise Conflict(f"备案批次 {filing.number} 已编号，不能删除；可移出项目后留作下一批")


def rows_of(ctx: Ctx, filing: Filing, *states: RowState) -> list[FilingRow]:
    """Its rows in their order, all or those in these states."""
    query = select(FilingRow).where(FilingRow.filing_id == filing.id).order_by(FilingRow.id)
    if states:
        query = query.where(FilingRow.state.in_(states))
    return list(ctx.session.scalars(query))


def collect(ctx: Ctx, filing: Filing, version: int | None = None) -> int:
    """Take every project that qualifies and that the actor reaches into the batch; how many. BusinessError for none."""
    act = ACTS["collect"]
    enter(ctx, act, filing, version)
    filing = records.find(ctx, Filing, filing.id, lock=True)
    if filing.state is not FilingState.DRAFT:
        raise Conflict(f"备案批次 {filing.number} {filing.state.label}，不能再带入项目")
    query = scoped(reguarantee.unfiled(filing.company_id), Project, acting(ctx, act).actor)
    found, told = 0, ""
    for one in ctx.session.scalars(query.limit(_MOST)).all():
        project = stages.locked(ctx, one.id)  # of two batches at once the second finds it taken
        reasons = reguarantee.reasons(ctx.session, project, filing.company, ctx.today)
        if why := reguarantee.why_not(reasons):
            told = told or f"{project.number} {why}"
            continue
        ctx.session.add(_row(ctx, filing, project))
        ctx.session.flush()
        found += 1
    if not found:
        raise BusinessError(f"没有符合条件的项目{f'，如 {told}' if told else ''}")
    _count(ctx, filing)
    return found


def _row(ctx: Ctx, filing: Filing, project: Project) -> FilingRow:
    row = FilingRow(
        filing=filing, project=project, company_id=filing.company_id, sending_no=filing.sending_no
    )
    _fill(ctx, row)
    return row


def _fill(ctx: Ctx, row: FilingRow) -> None:
    """The facts as they are now: what is sent is what stands here."""
    project, session = row.project, ctx.session
    customer = project.customer
    assert project.start_on is not None, "it is in force"
    assert project.end_on is not None, "it is in force"
    shared = shares.portions(session, project)
    mine = [one.company is not None and one.company.id == row.company_id for one in shared]
    parts = zip(mine, shares.split(shared, project.amount), strict=True)
    row.customer_name = customer.name
    row.uscc = customer.uscc if isinstance(customer, CorporateCustomer) else None
    row.bank_name = project.bank.name
    notes = [loan.bank_note_no for loan in reguarantee.notes_of(session, project)]
    row.bank_note_no = "、".join(notes)[:200]
    row.amount, row.rate_annual_pct = project.amount, project.rate_annual_pct
    row.fee_rate_pct, row.small_kind = project.fee_rate_pct, project.small_kind.label
    row.start_on, row.end_on = project.start_on, project.end_on
    row.share_pct = reguarantee.share_of(session, project, row.company_id)
    row.share_amount = sum((part for is_mine, part in parts if is_mine), project.amount * 0)
    row.due_on = reguarantee.due_on(project) or project.start_on


def _count(ctx: Ctx, filing: Filing) -> None:
    ctx.session.flush()
    figures = (func.count(FilingRow.id), func.sum(FilingRow.amount))
    query = select(*figures).where(FilingRow.filing_id == filing.id)
    filing.row_count, amount = ctx.session.execute(query).one()
    filing.amount = amount or type(filing.amount)(0)
    ctx.session.flush()


def why_not_send(ctx: Ctx, filing: Filing) -> str:
    """What keeps a batch from being sent; '' where nothing does."""
    if not rows_of(ctx, filing):
        return "还没有项目，请先带入符合条件的项目"
    waiting = rows_of(ctx, filing, RowState.PENDING)
    if gone := [why for row in waiting if (why := _not_in_force(row.project))]:
        return "；".join(gone)
    return "" if waiting else "没有待报送的项目，退回的请先更正"


def _not_in_force(project: Project) -> str:
    """Why nothing of a project is told to a re-guarantor any more; '' of one in force."""
    if project.state is ProjectState.IN_FORCE:
        return ""
    return f"项目 {project.number} {project.state.label}，请移出批次"


def send(ctx: Ctx, filing: Filing, version: int | None = None) -> Filing:
    """Note that the list went out: the rows that wait for it, as they stand. Raises BusinessError for none."""
    step = STEPS["send"]
    enter(ctx, step, filing, version)
    filing = records.find(ctx, Filing, filing.id, lock=True)
    if why := why_not_send(ctx, filing):
        raise BusinessError(f"还不能{step.label}：{why}")
    with ctx.session.no_autoflush:
        move(step, filing)
        filing.sending_no += 1
        filing.sent_on = ctx.today
    for row in rows_of(ctx, filing, RowState.PENDING):
        row.sending_no = filing.sending_no
        move(ROW["leave"], row)
    ctx.session.flush()
    return filing


def is_correctable(ctx: Ctx, row: FilingRow) -> bool:
    """Whether its base data may still change: after a claim, or out of force, they stand still."""
    return not why_not_correct(ctx, row)


def why_not_correct(ctx: Ctx, row: FilingRow) -> str:
    """What keeps the base data of a refused project as they were sent; '' where nothing does."""
    if reguarantee.compensated(ctx.session, row.project):
        return f"项目 {row.project.number} 已代偿，备案的基础数据不能再更正"
    return _not_in_force(row.project)


def correct(ctx: Ctx, row: FilingRow, reason: str, version: int | None = None) -> FilingRow:
    """Take the facts of a refused project anew, saying what was put right. Conflict after a claim or out of force."""
    step = ROW["correct"]
    enter(ctx, step, row, version)
    reason = stages.checked_reason(reason, step.label)
    records.find(ctx, Filing, row.filing_id, lock=True)
    if why := why_not_correct(ctx, row):
        raise Conflict(why)
    _fill(ctx, row)
    row.correction = reason
    move(step, row)
    _count(ctx, row.filing)
    return row


def may_drop(_: Ctx, row: FilingRow) -> bool:
    """A row leaves before it is sent, or once it was refused."""
    if row.state is RowState.REFUSED:
        return True
    return row.state is RowState.PENDING and row.filing.state in _OPEN


def drop(ctx: Ctx, row: FilingRow, reason: str, version: int | None = None) -> Filing:
    """Take a project out of the batch: it may be filed with a later one."""
    enter(ctx, ACTS["drop"], row, version)
    stages.checked_reason(reason, "移出批次")
    filing = records.find(ctx, Filing, row.filing_id, lock=True)
    if not may_drop(ctx, row):
        raise Conflict(f"“{row}”{row.state.label}，不能移出批次")
    ctx.session.delete(row)
    _count(ctx, filing)
    _settle(ctx, filing)
    return filing


@records.rule(FilingReceipt)
def take_receipt(ctx: Ctx, receipt: FilingReceipt, is_new: bool) -> None:
    """An answer belongs to a project that was sent and waits; it moves its row, and what is filed cedes its fee.

    What was filed may be taken back by the re-guarantor: it stands like one that was refused, and cedes nothing more.
    """
    del is_new
    wrong: dict[str, list[str]] = {}
    receipt.receipt_no = (receipt.receipt_no or "").strip() or None
    receipt.reason = (receipt.reason or "").strip() or None
    is_accepted = receipt.outcome is FilingOutcome.ACCEPTED
    if is_accepted and not receipt.receipt_no:
        wrong["receipt_no"] = ["请填写备案编号"]
    if not is_accepted and not receipt.reason:
        wrong["reason"] = ["请填写原因"]
    row = _waiting(ctx, receipt, wrong)
    if (
        row is not None
        and not (row.filing.sent_on or ctx.today) <= receipt.answered_on <= ctx.today
    ):
        wrong["answered_on"] = [
            f"回执日期应在报送日期 {row.filing.sent_on} 与营业日期 {ctx.today} 之间"
        ]
    if wrong or row is None:
        raise FieldErrors(wrong)
    receipt.filing, receipt.project, receipt.company_id = row.filing, row.project, row.company_id
    row.receipt_no = receipt.receipt_no if is_accepted else None
    row.receipt_on, row.reason = receipt.answered_on, receipt.reason
    if receipt.outcome is FilingOutcome.REVOKED:
        move(ROW["revoke"], row)
        for fee in ceding.held(ctx, row.project, row.company_id):
            ctx.session.delete(fee)
    else:
        move(ROW["conclude"], row, RowState.DONE if is_accepted else RowState.REFUSED)
    ctx.session.flush()
    if is_accepted:
        ceding.plan(ctx, row.project, row.company_id)
    _settle(ctx, row.filing)


def _waiting(ctx: Ctx, receipt: FilingReceipt, wrong: dict[str, list[str]]) -> FilingRow | None:
    is_revoked = receipt.outcome is FilingOutcome.REVOKED
    state = RowState.DONE if is_revoked else RowState.SUBMITTED
    query = scoped(
        select(FilingRow).where(
            FilingRow.project_id == receipt.project_id, FilingRow.state == state
        ),
        FilingRow,
        ctx.actor,
    )
    if receipt.company_id is not None:
        query = query.where(FilingRow.company_id == receipt.company_id)
    found = ctx.session.scalars(query.with_for_update(of=FilingRow)).all()
    if not found:
        told = "该项目没有已备案的记录" if is_revoked else "该项目没有报送，或回执已登记"
        wrong["project_id"] = [told]
    elif len(found) > 1:
        wrong["company_id"] = ["该项目报送了几家再担保公司，请注明是哪一家的回执"]
    elif is_revoked and (why := why_not_revoke(ctx, found[0])):
        wrong["outcome"] = [why]
    return found[0] if len(found) == 1 else None


def why_not_revoke(ctx: Ctx, row: FilingRow) -> str:
    """What keeps a filing as it was accepted: a claim, or a fee that was ceded for it; '' where nothing does."""
    if reguarantee.compensated(ctx.session, row.project):
        return f"项目 {row.project.number} 已代偿，不能撤销备案"
    for fee in ceding.held(ctx, row.project, row.company_id):
        if fee.statement is not None:
            return f"分出担保费已列入分保账单 {fee.statement.number}，不能撤销备案"
    return ""


def _settle(ctx: Ctx, filing: Filing) -> None:
    """The batch stands where its rows stand: nothing waits any more, or something came back."""
    if filing.state is FilingState.DRAFT:
        return
    ctx.session.flush()
    left = {row.state for row in rows_of(ctx, filing)}
    target = FilingState.SUBMITTED
    if RowState.REFUSED in left or RowState.PENDING in left:
        target = FilingState.RETURNED
    elif RowState.SUBMITTED not in left:
        target = FilingState.DONE
    if target is not filing.state:
        move(STEPS["answer"], filing, target)
    ctx.session.flush()
