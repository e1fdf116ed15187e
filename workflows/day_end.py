"""日终 (12): closes a business date and opens the next calendar day, step by step, once per date, in order.

What readers find when the next day opens (overdue marks, expiries, warnings) is worked out for that day; the snapshot
tells how the day closed. Missed days are caught up one after the other, never beyond today's calendar date.
"""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select

from models.base.actor import SYSTEM, Actor
from models.base.errors import BusinessError, Conflict
from models.system.setup import JobRun, SystemState
from workflows.after import warning
from workflows.base import jobs, once
from workflows.base.context import Ctx
from workflows.base.jobs import Edge, JobStep, Lease
from workflows.base.transition import verbs
from workflows.collateral import watch
from workflows.customer import hand_over, relations
from workflows.customer.rating import expire_ratings
from workflows.guarantee.expiry import expire_reservations
from workflows.guarantee.repayment import mark_overdue
from workflows.ledger import heads
from workflows.ledger.period import ensure_period
from workflows.statistics import snapshot
from workflows.system import drafts

JOB = "day_end"
LABEL = "日终处理"
verbs("job_run", {"day_end": LABEL})
_DAY = timedelta(days=1)


def _opening(ctx: Ctx) -> Ctx:
    """The same unit of work on the day that opens."""
    return replace(ctx, today=ctx.today + _DAY)


def _mark(ctx: Ctx) -> str:
    return f"新增逾期 {mark_overdue(_opening(ctx))} 期"


def _expire(ctx: Ctx) -> str:
    opening = _opening(ctx)
    return f"决议到期 {expire_reservations(opening)} 项，信用等级到期 {expire_ratings(opening)} 户"


def _warn(ctx: Ctx) -> str:
    return f"新增预警 {warning.evaluate(_opening(ctx))} 条"


def _watch(ctx: Ctx) -> str:
    return f"新增监管 {watch.plan(_opening(ctx))} 项"


def _hand_over(ctx: Ctx) -> str:
    return f"办理客户移交 {hand_over.carry_out_due(_opening(ctx))} 单"


def _relate(ctx: Ctx) -> str:
    return f"新发现待确认的关联关系 {relations.find_all(ctx)} 条"


def _snapshot(ctx: Ctx) -> str:
    return f"变动项目 {snapshot.take(ctx)} 个"


def _seal(ctx: Ctx) -> str:
    head = heads.note(ctx, LABEL)
    return f"封存 {head.audit_count} 行，链头登记第 {head.number} 号"


def _forget(ctx: Ctx) -> str:
    return f"清理提交标识 {once.forget(ctx, ctx.now)} 个"


def _forget_drafts(ctx: Ctx) -> str:
    return f"清理过期草稿 {drafts.forget(ctx, ctx.now)} 份"


def _roll(ctx: Ctx) -> str:
    state = ctx.session.get_one(SystemState, 1, with_for_update=True, populate_existing=True)
    if state.business_date != ctx.today:
        raise Conflict(f"系统营业日期为 {state.business_date}，不能办理 {ctx.today} 的日终")
    following = ctx.today + _DAY
    ensure_period(_opening(ctx), following)
    state.business_date = following
    return f"营业日期 {following}"


STEPS: tuple[JobStep, ...] = (
    JobStep("overdue", "标记逾期", _mark),
    JobStep("expire", "决议、等级到期", _expire),
    JobStep("watches", "押品监管计划", _watch),
    JobStep("warnings", "预警检查", _warn),
    JobStep("hand_over", "办理客户移交", _hand_over),
    JobStep("relations", "排查关联关系", _relate),
    JobStep("snapshot", "日终快照", _snapshot),
    JobStep("seal", "封存操作日志", _seal),
    JobStep("keys", "清理提交标识", _forget),
    JobStep("drafts", "清理过期草稿", _forget_drafts),
    JobStep("roll", "营业日期切换", _roll),
)


def run_due(
    edge: Edge, until: date, *, actor: Actor = SYSTEM, lease: Lease | None = None
) -> list[JobRun]:
    """Close every business date before `until`, in order, beginning with a lease that was taken; what was closed.

    Stops quietly where another process holds a date. Raises the BusinessError of a step that refuses.
    """
    actor.require(JOB, "job_run", LABEL)
    done = [] if lease is None else [jobs.work(lease, STEPS)]
    while (on := business_date(edge)) < until:
        run = jobs.run(edge, JOB, on, STEPS, actor=_acting(actor))
        if run is None:
            break
        done.append(run)
    return done


def start(edge: Edge, until: date, actor: Actor) -> Lease:
    """Take the lease of the first date that is due, for somebody who waits for an answer; `run_due` does the rest.

    Raises Taken saying who is at it, Conflict when nothing is due.
    """
    actor.require(JOB, "job_run", LABEL)
    on = business_date(edge)
    if on >= until:
        raise Conflict(f"营业日期 {on} 尚未结束，没有需要办理的日终")
    return jobs.start(edge, JOB, on, STEPS, _acting(actor), f"{on} {LABEL}")


def why_taken(edge: Edge) -> str:
    """Why `run_due` stopped before the last date, in words: who is at the present one."""
    on = business_date(edge)
    return jobs.why_taken(edge, JOB, on, f"{on} {LABEL}")


def business_date(edge: Edge) -> date:
    """The system's business date. Raises BusinessError before `init`."""
    with edge.reader() as session:
        found: date | None = session.scalar(select(SystemState.business_date))
    if found is None:
        raise BusinessError("系统尚未初始化，不能办理日终")
    return found


def _acting(actor: Actor) -> Actor:
    """The steps are the system's work whoever pressed the button: the run keeps who that was."""
    return replace(SYSTEM, employee_id=actor.employee_id, name=actor.name)
