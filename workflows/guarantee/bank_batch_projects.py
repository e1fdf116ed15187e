"""4.9: what an accepted loan of a bank's list becomes: customer, project in force, loan with its plan, and its fee."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from models.base.errors import BusinessError, FieldErrors
from models.customer.customer import CorporateCustomer, Customer, EnterpriseScale, PersonalCustomer
from models.customer.rating_model import CustomerKind
from models.guarantee.bank_batch import BankBatch, BatchLoan
from models.guarantee.drawdown import Drawdown, PlanSource
from models.guarantee.project import IssuerGrade, Project, ProjectState, SmallKind, Stage
from models.guarantee.scheme import SharingParty
from reports.figures import sharing
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.transition import Step, move, steps
from workflows.guarantee import disbursement, fees, limits, plans, stages
from workflows.guarantee.history_projects import known_customer, months_of
from workflows.guarantee.plans import Loan
from workflows.guarantee.sharing import fix

BULK = steps(
    Step(
        "project",
        "bulk_stage",
        "批量承保",
        column="stage",
        sources=(Stage.APPLY,),
        targets=(Stage.IN_FORCE,),
        follows=True,
    ),
    Step(
        "project",
        "bulk",
        "批量承保",
        column="state",
        sources=(ProjectState.DRAFT,),
        targets=(ProjectState.IN_FORCE,),
        follows=True,
    ),
)
_SCALES = {SmallKind.SMALL: EnterpriseScale.SMALL, SmallKind.MICRO: EnterpriseScale.MICRO}
NOBODY = 0  # a customer whom nobody knows yet: nothing stands on them


def draft_project(
    ctx: Ctx, batch: BankBatch, row: BatchLoan, customer: Customer | None = None
) -> Project:
    """The project that a row would be; nothing of it is saved."""
    shared = {one.party: one.share_pct for one in sharing.in_order(batch.scheme.shares)}
    with ctx.session.no_autoflush:
        project = Project(
            customer_id=customer.id if customer is not None else NOBODY,
            product_id=batch.product_id,
            bank_id=batch.bank_id,
            scheme_id=batch.scheme_id,
            amount=row.amount,
            balance=Decimal(0),
            reserved_amount=Decimal(0),
            term_months=months_of(row.drawn_on, row.due_on),
            purpose=row.purpose,
            purpose_note=f"批量业务 {batch.number}",
            rate_annual_pct=row.rate_annual_pct,
            repayment_method=row.repayment_method,
            fee_rate_pct=batch.fee_rate_pct,
            bank_share_pct=shared.get(SharingParty.BANK, Decimal(0)),
            counter_offer="见贷即保，无逐笔反担保",
            guarantee_kind=batch.product.guarantee_kind,
            small_kind=row.small_kind,
            is_farmer=row.is_farmer,
            is_agriculture=row.is_agriculture,
            is_internet=False,
            is_housing=False,
            issuer_grade=IssuerGrade.NONE,
        )
        # What the conditions of a scheme ask may lie with any of these; a newcomer is what the list says of it.
        project.customer = customer if customer is not None else _newcomer(row)
        project.product, project.bank, project.scheme = batch.product, batch.bank, batch.scheme
    return project


def _newcomer(row: BatchLoan) -> Customer:
    if row.kind is CustomerKind.PERSONAL:
        return PersonalCustomer(name=row.customer_name, id_number=row.id_number)
    scale = _SCALES.get(row.small_kind)
    return CorporateCustomer(name=row.customer_name, uscc=row.uscc, scale=scale)


def problems_of(ctx: Ctx, batch: BankBatch, rows: Sequence[BatchLoan]) -> list[str]:
    """What of a list breaks a limit, by customer and for the bank's line as a whole; in words with figures."""
    by_number: dict[str, list[BatchLoan]] = defaultdict(list)
    for row in rows:
        by_number[row.named_by[1]].append(row)
    found: dict[str, None] = {}
    for mine in by_number.values():
        project = draft_project(ctx, batch, mine[0], known_customer(ctx, mine[0]))
        amount = sum((row.amount for row in mine), Decimal(0))
        for check in limits.checks(ctx, project, amount):
            if check.is_over and check.key not in {"bank_single", "bank_line"}:
                found[f"“{mine[0].customer_name}”{check.text}"] = None
    whole = draft_project(ctx, batch, rows[0])
    for check in limits.checks(ctx, whole, sum((row.amount for row in rows), Decimal(0))):
        if check.is_over and check.key == "bank_line":
            found[check.text] = None
    return list(found)


def make(ctx: Ctx, batch: BankBatch, row: BatchLoan) -> Project:
    """A project in force of an accepted row. Raises BusinessError for a limit that it would break, FieldErrors."""
    row.customer = _customer(ctx, batch, row)
    project = _project(ctx, batch, row, row.customer)
    over = [check.text for check in limits.checks(ctx, project) if check.is_over]
    if over:
        raise BusinessError(f"“{row}”超过限额：" + "；".join(over))
    loan = _loan(ctx, project, row)
    _put_in_force(ctx, batch, project, loan)
    row.project = project
    ctx.session.flush()
    return project


def _customer(ctx: Ctx, batch: BankBatch, row: BatchLoan) -> Customer:
    """The company or person of that number, registered under the handler where nobody knows it."""
    if (found := known_customer(ctx, row)) is not None:
        return found
    facts = {
        "name": row.customer_name,
        "manager_id": batch.handler_id,
        "note": f"批量业务 {batch.number} 登记，资料待补充",
    }
    if row.kind is CustomerKind.PERSONAL:
        return records.create(ctx, PersonalCustomer, facts | {"id_number": row.id_number})
    company = facts | {"uscc": row.uscc, "scale": _SCALES.get(row.small_kind)}
    return records.create(ctx, CorporateCustomer, company)


def _project(ctx: Ctx, batch: BankBatch, row: BatchLoan, customer: Customer) -> Project:
    project = draft_project(ctx, batch, row, customer)
    project.number = next_number(ctx, "project")
    project.manager_id, project.department_id = batch.handler_id, batch.department_id
    project.assistant_id, project.applied_on = batch.assistant_id, ctx.today
    ctx.session.add(project)
    ctx.session.flush()
    stages.open_first(ctx, project)
    return project


def _loan(ctx: Ctx, project: Project, row: BatchLoan) -> Drawdown:
    """The bank's loan with the plan that follows from its terms, until the bank's own plan is brought in."""
    loan = Drawdown(
        number=next_number(ctx, "drawdown"),
        project=project,
        bank_note_no=row.bank_note_no,
        drawn_on=row.drawn_on,
        due_on=row.due_on,
        amount=row.amount,
        balance=row.amount,
        rate_annual_pct=row.rate_annual_pct,
        repayment_method=row.repayment_method,
        day_count=project.product.day_count,
    )
    ctx.session.add(loan)
    ctx.session.flush()
    terms = Loan(
        row.bank_note_no,
        row.drawn_on,
        row.due_on,
        row.amount,
        row.rate_annual_pct,
        row.repayment_method,
        project.product.day_count,
    )
    try:
        plans.keep(ctx, loan, plans.planned(terms), PlanSource.GENERATED)
    except FieldErrors as error:
        raise BusinessError(f"“{row}”不能生成还款计划：{error}") from error
    return loan


def _put_in_force(ctx: Ctx, batch: BankBatch, project: Project, loan: Drawdown) -> None:
    """The short line: from the list straight into force, its shares fixed and its fee on the way into the books."""
    ctx.session.flush()
    stages.leave(ctx, project, f"批量承保 {batch.number}")
    with ctx.session.no_autoflush:
        project.balance = loan.amount
        project.start_on, project.end_on = loan.drawn_on, loan.due_on
        move(BULK["bulk_stage"], project)
        move(BULK["bulk"], project)
        stages.begin(ctx, project)
        fix(ctx, project)
    ctx.session.flush()
    if batch.fee_rate_pct and fees.charge(ctx, project, batch.vat_filing) is not None:
        disbursement.date_fees(ctx, project, loan)
