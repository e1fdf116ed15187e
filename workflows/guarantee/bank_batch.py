"""4.9 批量 · 见贷即保: a bank's list is put up and decided as a whole (rows: `bank_batch_rows`).

What an accepted list makes of its loans is in `bank_batch_projects`. A bank whose 代偿率 is at its cap stops here.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import func, select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import format_money
from models.base.paper import PaperState
from models.guarantee.bank import BankStatus, PartnerBank
from models.guarantee.bank_batch import BankBatch, BatchLoan, CheckState, SampleCheck
from models.guarantee.product import Product
from models.guarantee.project import Project
from models.guarantee.scheme import SchemeBank, SharingScheme
from reports.figures import products, sharing
from reports.figures.parameters import number, whole
from reports.figures.sharing import Breaker
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, life
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import application, bank_batch_checks, bank_batch_projects, limits, stages
from workflows.guarantee.sharing import products_of

ROLES = ("客户经理", "业务部门经理")
_TABLE = str(BankBatch.__tablename__)
STEPS = steps(
    *life(_TABLE, "提交承保审批", roles=ROLES),
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
CHECK = steps(
    Step(
        "sample_check",
        "inspect",
        "登记抽查结果",
        column="state",
        sources=(CheckState.PENDING,),
        targets=(CheckState.PASSED, CheckState.FAILED),
        roles=("业务部门经理", "风控专员"),
    ),
)
ZERO = Decimal(0)


@records.rule(BankBatch)
def check_batch(ctx: Ctx, batch: BankBatch, is_new: bool) -> None:
    """A list is its author's, of a bank and a product that the scheme admits today."""
    if is_new:
        batch.number = next_number(ctx, "bank_batch")
        batch.handler_id = ctx.actor.employee_id
        batch.department_id = ctx.actor.department_id
    scheme = ctx.session.get_one(SharingScheme, batch.scheme_id)
    product = ctx.session.get_one(Product, batch.product_id)
    bank = ctx.session.get_one(PartnerBank, batch.bank_id)
    said: Decimal | None = batch.fee_rate_pct
    batch.fee_rate_pct = product.fee_rate_pct if said is None else said
    wrong = {
        "scheme_id": _about_scheme(ctx, scheme),
        "product_id": _about_product(ctx, product, scheme),
        "bank_id": _about_bank(ctx, bank, scheme),
        "fee_rate_pct": application.about_fee_rate(batch.fee_rate_pct, product),
        "assistant_id": ["B角不能与经办人为同一人"]
        if batch.assistant_id == batch.handler_id
        else [],
    }
    if wrong := {field: found for field, found in wrong.items() if found}:
        raise FieldErrors(wrong)


def _about_scheme(ctx: Ctx, scheme: SharingScheme) -> list[str]:
    if sharing.is_valid_on(scheme, ctx.today):
        return []
    return [f"分险方案“{scheme}”{scheme.state.label}或不在有效期内，请另选"]


def _about_product(ctx: Ctx, product: Product, scheme: SharingScheme) -> list[str]:
    found = [why] if (why := products.why_closed(product, ctx.today)) else []
    if not product.is_bulk:
        found.append(f"产品“{product.name}”没有开通批量业务，请在“产品种类”中开通")
    if product.id not in products_of(scheme):
        found.append(f"分险方案“{scheme}”不适用这个产品")
    return found


def _about_bank(ctx: Ctx, bank: PartnerBank, scheme: SharingScheme) -> list[str]:
    found = []
    if bank.status is not BankStatus.ACTIVE:
        found.append(f"{bank.name}{bank.status.label}，不能办理新业务")
    if sharing.entry_of(ctx.session, scheme, bank) is None:
        found.append(f"分险方案“{scheme}”不适用{bank.name}")
    return found


@records.delete_rule(BankBatch)
def keep_number(ctx: Ctx, batch: BankBatch) -> None:
    """A number that was given stays in the row of numbers."""
    del ctx
    raise Conflict(f"批次 {batch.number} 已编号，不能删除；可删除明细后改作他用")


def rows_of(ctx: Ctx, batch: BankBatch) -> list[BatchLoan]:
    """Its rows in the order in which they came."""
    query = select(BatchLoan).where(BatchLoan.batch_id == batch.id)
    return list(ctx.session.scalars(query.order_by(BatchLoan.id)))


def draft_of(ctx: Ctx) -> BankBatch:
    """The actor's batch that rows are added to: the last one that is still a draft. FieldErrors for none."""
    query = select(BankBatch).where(
        BankBatch.handler_id == ctx.actor.employee_id, BankBatch.state == PaperState.DRAFT
    )
    found = ctx.session.scalars(query.order_by(BankBatch.id.desc()).limit(1)).first()
    if found is None:
        raise FieldErrors({"batch_id": ["没有您的草稿批次，请先新建批量业务（银行、方案、产品）"]})
    return found


def held(ctx: Ctx, batch_id: int) -> BankBatch:
    """A batch whose rows are written, held until the commit. Conflict for one that is no draft."""
    batch = ctx.session.get_one(BankBatch, batch_id)
    ctx.session.refresh(batch, ("state", "version"), with_for_update={"of": BankBatch})
    if batch.state is not PaperState.DRAFT:
        raise Conflict(f"批次 {batch.number} {batch.state.label}，明细不能修改")
    return batch


def count(ctx: Ctx, batch: BankBatch) -> None:
    """Note on the batch how many rows it has and what they come to."""
    figures = (func.count(BatchLoan.id), func.sum(BatchLoan.amount))
    query = select(*figures).where(BatchLoan.batch_id == batch.id)
    batch.row_count, amount = ctx.session.execute(query).one()
    batch.amount = amount or ZERO


def entry_of(ctx: Ctx, batch: BankBatch) -> SchemeBank | None:
    """The line of the scheme for the bank of a list."""
    return sharing.entry_of(ctx.session, batch.scheme, batch.bank)


def breaker_of(ctx: Ctx, batch: BankBatch) -> Breaker | None:
    """How the bank has fared under the scheme, or a version of it, until today."""
    entry = entry_of(ctx, batch)
    return entry and sharing.breaker(ctx.session, batch.scheme, entry, ctx.today)


def stopped(ctx: Ctx, batch: BankBatch) -> str:
    """Why the bank's lists are stopped, with the figures; '' while they are not."""
    found = breaker_of(ctx, batch)
    if found is None:
        return f"分险方案“{batch.scheme}”不适用{batch.bank.name}"
    return f"停办下一批：{found.text}" if found.is_broken else ""


def why_not_submit(ctx: Ctx, batch: BankBatch) -> str:
    """What keeps a list from being put up; '' where nothing does."""
    if why := stopped(ctx, batch):
        return why
    return "" if batch.row_count else "还没有批量明细，请从 Excel 导入"


def submit(ctx: Ctx, batch: BankBatch, version: int | None = None) -> ApprovalInstance:
    """Put a list up for approval. Raises BusinessError: the breaker, rows that hold no more, limits with figures."""
    step = STEPS["submit"]
    enter(ctx, step, batch, version)
    limits.hold(ctx)
    batch = records.find(ctx, BankBatch, batch.id, lock=True)
    check_batch(ctx, batch, False)
    if why := why_not_submit(ctx, batch):
        raise BusinessError(f"还不能{step.label}：{why}")
    rows = rows_of(ctx, batch)
    if found := _wrong(ctx, batch, rows) or bank_batch_projects.problems_of(ctx, batch, rows):
        raise BusinessError(f"还不能{step.label}：" + "；".join(found[:5]))
    count(ctx, batch)
    breaker = breaker_of(ctx, batch)
    batch.breaker = breaker.text if breaker else None
    batch.checks_failed = past_checks(ctx, batch)
    move(step, batch)
    title = f"批量承保：{batch.bank.name} {batch.number}"
    return approval.start(
        ctx,
        "bank_batch",
        batch,
        title=f"{title} {batch.row_count} 笔，{format_money(batch.amount)} 元",
        amount=batch.amount,
        product_id=batch.product_id,
        department_id=batch.department_id,
    )


def _wrong(ctx: Ctx, batch: BankBatch, rows: Sequence[BatchLoan]) -> list[str]:
    """What of its rows holds no more, each with its row."""
    return [
        f"“{row}”{message}"
        for row in rows
        for _, message in bank_batch_checks.problems(ctx, batch, row, is_new=False)
    ]


def _why_not_accept(ctx: Ctx, batch: BankBatch) -> str:
    """What has changed since a list was put up so that it cannot be guaranteed; '' where nothing has."""
    if why := stopped(ctx, batch):
        return why
    try:
        check_batch(ctx, batch, False)
    except FieldErrors as error:  # who decides has no such fields before him
        return error.message
    return "；".join(_wrong(ctx, batch, rows_of(ctx, batch))[:5])


def redraft(ctx: Ctx, batch: BankBatch, version: int | None = None) -> BankBatch:
    """Take a refused list up again: its rows are mended and put up once more."""
    enter(ctx, STEPS["redraft"], batch, version)
    move(STEPS["redraft"], batch)
    ctx.session.flush()
    return batch


@approval.on_finish("bank_batch")
def decided(ctx: Ctx, instance: ApprovalInstance, batch: BankBatch, outcome: ApprovalState) -> None:
    """Accepted, each loan is guaranteed, or none: what was asked when it was put up is asked again under the lock."""
    del instance
    if outcome is ApprovalState.APPROVED:
        limits.hold(ctx)
        if why := _why_not_accept(ctx, batch):
            raise BusinessError(f"批次 {batch.number} 不能承保：{why}")
        batch.sample_pct = number(ctx.session, "batch.sample_pct", ctx.today)
        batch.approved_on = ctx.today
    with ctx.session.no_autoflush:
        conclude(batch, outcome)
    if outcome is ApprovalState.APPROVED:
        made = [bank_batch_projects.make(ctx, batch, row) for row in rows_of(ctx, batch)]
        _draw_samples(ctx, batch, made)
    ctx.session.flush()


# ---------------------------------------------------------------------------------------------------------- samples
def drawn(batch_number: str, notes: Sequence[str], percent: Decimal) -> list[str]:
    """Which loans of a list are looked at, by their bank notes: anybody draws the same ones from the same list."""
    count_ = int((len(notes) * percent / 100).to_integral_value(ROUND_CEILING))

    def lot(note: str) -> str:
        return hashlib.sha256(f"{batch_number}/{note}".encode()).hexdigest()

    return sorted(notes, key=lot)[:count_]


def _draw_samples(ctx: Ctx, batch: BankBatch, made: Sequence[Project]) -> None:
    rows = {row.bank_note_no: row for row in rows_of(ctx, batch)}
    until = ctx.today + timedelta(days=whole(ctx.session, "batch.sample_days", ctx.today))
    assert len(made) == len(rows), "each row has its project"
    for note in drawn(batch.number, list(rows), batch.sample_pct or ZERO):
        ctx.session.add(SampleCheck(batch=batch, project=rows[note].project, due_on=until))


def past_checks(ctx: Ctx, batch: BankBatch) -> str | None:
    """What samples of the bank under the scheme have shown so far."""
    versions = select(SharingScheme.id).where(SharingScheme.code == batch.scheme.code)
    query = (
        select(SampleCheck.state, func.count(SampleCheck.id))
        .join(BankBatch, BankBatch.id == SampleCheck.batch_id)
        .where(BankBatch.bank_id == batch.bank_id, BankBatch.scheme_id.in_(versions))
        .group_by(SampleCheck.state)
    )
    found = dict(ctx.session.execute(query).all())
    if not found:
        return None
    return "，".join(f"{state.label} {found[state]} 笔" for state in CheckState if state in found)


def inspect(
    ctx: Ctx, check: SampleCheck, state: CheckState, findings: str, version: int | None = None
) -> SampleCheck:
    """Say what a sample has shown; nobody looks at what he brought in himself."""
    step = CHECK["inspect"]
    enter(ctx, step, check, version)
    findings = stages.checked_reason(findings, step.label, 500)
    mine = {check.batch.handler_id, check.project.manager_id}
    if ctx.actor.employee_id in mine:
        raise Conflict("不能抽查自己经办的业务，请由他人登记")
    with ctx.session.no_autoflush:
        move(step, check, state)
        check.findings, check.checked_on = findings, ctx.today
        check.checker_id = ctx.actor.employee_id
    ctx.session.flush()
    return check
