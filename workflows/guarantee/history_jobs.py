"""4.6 历史补录 of many rows: what an approved batch becomes is made beside the page, part by part (X10, decision 0010).

A part is one transaction; whoever is killed leaves whole parts, and the next process goes on where it stopped.
"""

from functools import partial

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.base.errors import BusinessError, Conflict
from models.base.paper import PaperState
from models.guarantee.history import HistoryBatch, HistoryGuarantee
from models.system.setup import JobRun
from reports.figures.parameters import whole
from workflows.base import beside, jobs
from workflows.base.context import Ctx
from workflows.base.jobs import Edge, JobStep
from workflows.base.transition import enter, verbs
from workflows.guarantee import history_projects, limits

JOB, LABEL = "history", "补录建立项目"
CHUNK = 50
MOST_TRIES = 3
ACTS = verbs("history_batch", {"go_on": "继续建立项目"}, roles=("客户经理", "业务部门经理"))


def is_many(ctx: Ctx, batch: HistoryBatch) -> bool:
    """Whether so many projects are not for a page to wait for."""
    return batch.row_count > whole(ctx.session, "history.direct_rows", ctx.today)


def ask(ctx: Ctx) -> None:
    """Have what waits made as soon as this is committed."""
    beside.ask(ctx, JOB)


def job_of(batch: HistoryBatch) -> str:
    """The name of the run of a batch."""
    return f"{JOB}:{batch.id}"


def run_of(session: Session, batch: HistoryBatch) -> JobRun | None:
    """The run of a batch, if it has begun."""
    return (
        None if batch.approved_on is None else jobs.find(session, job_of(batch), batch.approved_on)
    )


def left(session: Session, batch: HistoryBatch) -> int:
    """How many rows of an approved batch are no project yet."""
    if batch.state is not PaperState.APPROVED:
        return 0
    query = select(func.count(HistoryGuarantee.id)).where(
        HistoryGuarantee.batch_id == batch.id, HistoryGuarantee.project_id.is_(None)
    )
    return session.scalar(query) or 0


def steps_of(session: Session, batch: HistoryBatch) -> list[JobStep]:
    """The parts of a batch in the order of its rows; they are the same whenever it is asked."""
    query = select(HistoryGuarantee.id).where(HistoryGuarantee.batch_id == batch.id)
    keys = list(session.scalars(query.order_by(HistoryGuarantee.id)))
    parts = [keys[place : place + CHUNK] for place in range(0, len(keys), CHUNK)]
    return [
        JobStep(
            f"rows-{number}",
            f"第 {number * CHUNK + 1} 至 {number * CHUNK + len(part)} 笔",
            partial(_make, batch.id, part),
        )
        for number, part in enumerate(parts)
    ]


def _make(batch_id: int, keys: list[int], ctx: Ctx) -> str:
    limits.hold(ctx)  # what is decided by limits meanwhile waits, and counts these
    batch = ctx.session.get_one(HistoryBatch, batch_id)
    query = select(HistoryGuarantee).where(
        HistoryGuarantee.id.in_(keys), HistoryGuarantee.project_id.is_(None)
    )
    made = [
        history_projects.make(ctx, batch, row)
        for row in ctx.session.scalars(query.order_by(HistoryGuarantee.id))
    ]
    return f"{len(made)} 笔"


def _waiting() -> Select[HistoryBatch]:
    unmade = select(HistoryGuarantee.batch_id).where(HistoryGuarantee.project_id.is_(None))
    return select(HistoryBatch).where(
        HistoryBatch.state == PaperState.APPROVED, HistoryBatch.id.in_(unmade)
    )


def run_waiting(edge: Edge, most_tries: int = MOST_TRIES) -> int:
    """Make what approved batches wait for, one batch after another; how many were finished.

    A batch that was broken off `most_tries` times is left alone until somebody has it gone on with.
    """
    with edge.reader() as session:
        batches = list(session.scalars(_waiting().order_by(HistoryBatch.id)))
        work = [(one, steps_of(session, one)) for one in batches]
    return sum(_carry_out(edge, one, steps, most_tries) for one, steps in work)


def _carry_out(edge: Edge, batch: HistoryBatch, steps: list[JobStep], most_tries: int) -> bool:
    assert batch.approved_on is not None, "the state says that it is approved"
    tries = jobs.tries_before(edge, job_of(batch), batch.approved_on)
    if tries is None or tries >= most_tries:
        return False
    try:
        return jobs.run(edge, job_of(batch), batch.approved_on, steps) is not None
    except BusinessError:  # it is on the run for people to read; the others go on
        return False


def why_not_go_on(ctx: Ctx, batch: HistoryBatch) -> str:
    """Why nobody has to have it gone on with; '' where it waits for somebody."""
    run = run_of(ctx.session, batch)
    if not left(ctx.session, batch):
        return f"批次 {batch.number} 没有待建立的项目"
    if run is not None and jobs.is_live(run, ctx.now):
        return f"批次 {batch.number} 正在建立项目"
    return ""


def go_on(ctx: Ctx, batch: HistoryBatch, version: int | None = None) -> HistoryBatch:
    """Have a batch gone on with that was broken off. Raises Conflict where nothing waits or somebody is at it."""
    enter(ctx, ACTS["go_on"], batch, version)
    if why := why_not_go_on(ctx, batch):
        raise Conflict(why)
    ask(ctx)
    return batch
