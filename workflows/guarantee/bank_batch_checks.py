"""4.9: formal checks of a loan in a bank's list, each told at its column; asked again when the list is put up."""

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import func, select

from models.base.money import format_money
from models.base.paper import OPEN_PAPERS
from models.customer.customer import Customer
from models.guarantee.bank_batch import BankBatch, BatchLoan
from models.guarantee.drawdown import Drawdown
from models.guarantee.project import Project
from models.guarantee.scheme import RuleUse, SharingScheme
from reports.figures import products, sharing
from workflows.base.context import Ctx
from workflows.guarantee import application, smallness
from workflows.guarantee.bank_batch_projects import draft_project
from workflows.guarantee.history_projects import known_customer
from workflows.guarantee.history_rows import about_party, named

Found = Iterator[tuple[str, str]]  # column, what is wrong with it


def problems(ctx: Ctx, batch: BankBatch, row: BatchLoan, *, is_new: bool) -> Found:
    """All that is wrong with a row, each at its column."""
    yield from about_party(batch.product, row)
    yield from _about_loan(ctx, batch, row)
    yield from _about_note(ctx, row)
    if not row.named_by[1]:
        return
    customer = known_customer(ctx, row)
    if customer is not None:
        yield from _about_customer(ctx, row, customer)
    yield from _about_scheme(ctx, batch, row, customer, is_new=is_new)


def _about_loan(ctx: Ctx, batch: BankBatch, row: BatchLoan) -> Found:
    if row.due_on <= row.drawn_on:
        yield "due_on", f"到期日期应晚于放款日期 {row.drawn_on}"
    if row.drawn_on > ctx.today:
        yield "drawn_on", f"放款日期不能晚于营业日期 {ctx.today}"
    scheme = batch.scheme
    if not scheme.valid_from <= row.drawn_on <= (scheme.valid_to or row.drawn_on):
        until = f"至 {scheme.valid_to}" if scheme.valid_to else "起"
        yield "drawn_on", f"放款日期不在分险方案有效期 {scheme.valid_from} {until} 内"
    for words in application.about_amount(row.amount, batch.product):
        yield "amount", words
    single = batch.bank.single_limit
    if single is not None and row.amount > single:
        yield "amount", f"超过{batch.bank.name}单笔上限 {format_money(single)} 元"
    if row.due_on > row.drawn_on:
        for words in application.about_term(
            draft_project(ctx, batch, row).term_months, batch.product
        ):
            yield "due_on", words
    for words in application.about_rate(ctx, row.rate_annual_pct, batch.product):
        yield "rate_annual_pct", words
    for words in products.about_method(ctx.session, batch.product, row.repayment_method):
        yield "repayment_method", words


def _about_note(ctx: Ctx, row: BatchLoan) -> Found:
    query = (
        select(Project.number)
        .join(Drawdown, Drawdown.project_id == Project.id)
        .where(Drawdown.bank_note_no == row.bank_note_no)
    )
    if ctx.session.scalar(query.limit(1)) is not None:
        yield "bank_note_no", f"银行借据号 {row.bank_note_no} 已登记，不能重复担保"


def _about_customer(ctx: Ctx, row: BatchLoan, customer: Customer) -> Found:
    if customer.name != row.customer_name:
        label, _ = row.named_by
        yield "customer_name", f"{label}已登记为{named(ctx, customer, customer.name)}"
    for words in application.about_customer(customer):
        yield "customer_name", words
    asked = Project(small_kind=row.small_kind)
    for words in smallness.check(asked, customer):
        yield "small_kind", words.partition("；")[0]


def _about_scheme(
    ctx: Ctx, batch: BankBatch, row: BatchLoan, customer: Customer | None, *, is_new: bool
) -> Found:
    project = draft_project(ctx, batch, row, customer)
    entry = sharing.entry_of(ctx.session, batch.scheme, batch.bank)
    if entry is not None:
        others = _others(ctx, batch, row, is_new=is_new)
        if over := sharing.over_cap(ctx.session, entry, project, others):
            yield "amount", over
    for one in sharing.rule_answers(
        ctx.session, project, batch.scheme, RuleUse.ADMISSION, ctx.today
    ):
        if not one.is_met:
            yield "amount", f"不符合分险方案条件“{one.rule.name}”：{one.told}"


def _others(ctx: Ctx, batch: BankBatch, row: BatchLoan, *, is_new: bool) -> Decimal:
    """What else is on its way to the same customer under the scheme, in 元."""
    column = BatchLoan.uscc if row.uscc else BatchLoan.id_number
    versions = select(SharingScheme.id).where(SharingScheme.code == batch.scheme.code)
    query = (
        select(func.sum(BatchLoan.amount))
        .join(BankBatch, BankBatch.id == BatchLoan.batch_id)
        .where(
            column == row.named_by[1],
            BankBatch.scheme_id.in_(versions),
            BankBatch.state.in_(OPEN_PAPERS),
        )
    )
    if not is_new:
        query = query.where(BatchLoan.id != row.id)
    return ctx.session.scalar(query) or Decimal(0)
