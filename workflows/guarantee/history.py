"""4.6 历史补录: guarantees from before the system, in batches that are approved as a whole (rows: `history_rows`).

What an approved batch makes of its rows is in `history_projects`. No event is raised: the opening balances hold them.
"""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError, Conflict, FieldErrors
from models.base.money import format_money
from models.base.paper import PaperState
from models.guarantee.history import HistoryBatch, HistoryGuarantee, HistoryStanding
from workflows.approval import approval
from workflows.base import records
from workflows.base.context import Ctx
from workflows.base.numbering import next_number
from workflows.base.paper import conclude, life
from workflows.base.transition import Step, enter, move, steps
from workflows.guarantee import history_jobs, history_projects, limits

ROLES = ("客户经理", "业务部门经理")
_TABLE = HistoryBatch.__tablename__
STEPS = steps(
    *life(_TABLE, "提交补录审批", roles=ROLES),
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
ZERO = Decimal(0)


@records.rule(HistoryBatch)
def check_batch(ctx: Ctx, batch: HistoryBatch, is_new: bool) -> None:
    """A batch is its author's; balances stand as of a day that has passed."""
    if batch.as_of > ctx.today:
        raise FieldErrors({"as_of": ["余额截止日不能晚于营业日期"]})
    if is_new:
        batch.number = next_number(ctx, "history_batch")
        batch.handler_id = ctx.actor.employee_id
        batch.department_id = ctx.actor.department_id
        return
    late = select(HistoryGuarantee.customer_name).where(
        HistoryGuarantee.batch_id == batch.id, HistoryGuarantee.start_on > batch.as_of
    )
    if name := ctx.session.scalar(late.limit(1)):
        raise FieldErrors({"as_of": [f"“{name}”的起始日期晚于这一天"]})


@records.delete_rule(HistoryBatch)
def drop_rows(ctx: Ctx, batch: HistoryBatch) -> None:
    """The rows of a draft go with it."""
    for row in rows_of(ctx, batch):
        ctx.session.delete(row)
    ctx.session.flush()


def rows_of(ctx: Ctx, batch: HistoryBatch) -> list[HistoryGuarantee]:
    """Its rows in the order in which they came."""
    query = select(HistoryGuarantee).where(HistoryGuarantee.batch_id == batch.id)
    return list(ctx.session.scalars(query.order_by(HistoryGuarantee.id)))


def draft_of(ctx: Ctx) -> HistoryBatch:
    """The actor's batch that rows are added to: the last one that is still a draft, or a new one as of yesterday."""
    query = select(HistoryBatch).where(
        HistoryBatch.handler_id == ctx.actor.employee_id, HistoryBatch.state == PaperState.DRAFT
    )
    found = ctx.session.scalars(query.order_by(HistoryBatch.id.desc()).limit(1)).first()
    if found is not None:
        return found
    facts = {"as_of": ctx.today - timedelta(days=1), "note": "导入的历史业务"}
    return records.create(ctx, HistoryBatch, facts)


def count(ctx: Ctx, batch: HistoryBatch) -> None:
    """Note on the batch how many rows it has and what they come to."""
    figures = (
        func.count(HistoryGuarantee.id),
        func.sum(HistoryGuarantee.amount),
        func.sum(HistoryGuarantee.balance),
    )
    query = select(*figures).where(HistoryGuarantee.batch_id == batch.id)
    number, amount, balance = ctx.session.execute(query).one()
    batch.row_count, batch.amount, batch.balance = number, amount or ZERO, balance or ZERO


def why_not_submit(ctx: Ctx, batch: HistoryBatch) -> str:
    """What keeps a batch from being put up; '' where nothing does."""
    rows = rows_of(ctx, batch)
    if not rows:
        return "还没有补录明细，请逐笔登记或从 Excel 导入"
    late = [row for row in rows if row.start_on > batch.as_of]
    early = [
        row
        for row in rows
        if row.standing is HistoryStanding.RELEASED
        and row.released_on is not None
        and row.released_on > batch.as_of
    ]
    found = [f"“{row.customer_name}”的起始日期晚于余额截止日" for row in late]
    found += [f"“{row.customer_name}”的解保日期晚于余额截止日" for row in early]
    return "；".join(found[:5])


def submit(ctx: Ctx, batch: HistoryBatch, version: int | None = None) -> ApprovalInstance:
    """Put a batch up for approval. Raises BusinessError naming what stands in the way."""
    step = STEPS["submit"]
    enter(ctx, step, batch, version)
    batch = records.find(ctx, HistoryBatch, batch.id, lock=True)
    if why := why_not_submit(ctx, batch):
        raise BusinessError(f"还不能{step.label}：{why}")
    count(ctx, batch)
    move(step, batch)
    title = f"历史补录：{batch.number} {batch.row_count} 笔，在保 {format_money(batch.balance)} 元"
    return approval.start(
        ctx,
        "history",
        batch,
        title=title,
        amount=batch.amount,
        department_id=batch.department_id,
    )


def redraft(ctx: Ctx, batch: HistoryBatch, version: int | None = None) -> HistoryBatch:
    """Take a refused batch up again: its rows are mended and put up once more."""
    enter(ctx, STEPS["redraft"], batch, version)
    move(STEPS["redraft"], batch)
    ctx.session.flush()
    return batch


@approval.on_finish("history")
def decided(
    ctx: Ctx, instance: ApprovalInstance, batch: HistoryBatch, outcome: ApprovalState
) -> None:
    """Approved, each row is a project, at once or, of many, beside the page; refused or returned, nothing is done."""
    del instance
    if outcome is ApprovalState.APPROVED:
        limits.hold(ctx)  # what is decided by limits meanwhile waits, and counts these
        history_projects.refuse_clashes(ctx, batch)
        batch.approved_on = ctx.today
    with ctx.session.no_autoflush:
        conclude(batch, outcome)
    if outcome is ApprovalState.APPROVED and history_jobs.is_many(ctx, batch):
        history_jobs.ask(ctx)
    elif outcome is ApprovalState.APPROVED:
        for row in rows_of(ctx, batch):
            history_projects.make(ctx, batch, row)
    ctx.session.flush()


def held(ctx: Ctx, batch_id: int) -> HistoryBatch:
    """A batch whose rows are written, held until the commit: who puts it up meanwhile waits. Conflict for no draft."""
    batch = ctx.session.get_one(HistoryBatch, batch_id)
    held = {"of": HistoryBatch}
    ctx.session.refresh(batch, ("state", "version"), with_for_update=held)
    if batch.state is not PaperState.DRAFT:
        raise Conflict(f"批次 {batch.number} {batch.state.label}，明细不能修改")
    return batch
