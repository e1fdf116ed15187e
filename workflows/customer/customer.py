"""Customers: the watch list (VIP优质, 潜在, 黑名单) here, ratings and data rules in their own files (3.1-3.4)."""

from sqlalchemy import func, select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import BusinessError, Conflict
from models.customer.customer import Customer, CustomerStatus, CustomerWatch, WatchKind, WatchState
from models.guarantee.project import GOING_ON, Project
from workflows.approval import approval
from workflows.base import audit, records
from workflows.base.context import Ctx
from workflows.base.transition import Step, Verb, enter, move, steps
from workflows.customer.rating import confirm_rating, expire_ratings, rate

__all__ = [
    "close",
    "confirm_rating",
    "end_watch",
    "expire_ratings",
    "rate",
    "reopen",
    "submit_watch",
    "watch",
]

STEPS = steps(
    Step(
        "customer_watch",
        "submit",
        "提交",
        column="state",
        sources=(WatchState.DRAFT,),
        targets=(WatchState.ACTIVE, WatchState.IN_APPROVAL),
    ),
    Step(
        "customer_watch",
        "remove",
        "移出名单",
        column="state",
        sources=(WatchState.ACTIVE,),
        targets=(WatchState.CLOSED, WatchState.REMOVAL_IN_APPROVAL),
    ),
)
CUSTOMER = steps(
    Step(
        "customer",
        "close",
        "停用客户",
        column="status",
        sources=(CustomerStatus.ACTIVE,),
        targets=(CustomerStatus.CLOSED,),
    ),
    Step(
        "customer",
        "reopen",
        "启用客户",
        column="status",
        sources=(CustomerStatus.CLOSED,),
        targets=(CustomerStatus.ACTIVE,),
    ),
)
REASON_MAX = 200
# What the approval's outcome does; no person takes these steps directly.
OUTCOME = steps(
    Step(
        "customer_watch",
        "entered",
        "列入审批",
        column="state",
        sources=(WatchState.IN_APPROVAL,),
        targets=(WatchState.ACTIVE, WatchState.REFUSED, WatchState.DRAFT),
        follows=True,
    ),
    Step(
        "customer_watch",
        "removed",
        "移出审批",
        column="state",
        sources=(WatchState.REMOVAL_IN_APPROVAL,),
        targets=(WatchState.CLOSED, WatchState.ACTIVE),
        follows=True,
    ),
)
_OPEN = (
    WatchState.DRAFT,
    WatchState.IN_APPROVAL,
    WatchState.ACTIVE,
    WatchState.REMOVAL_IN_APPROVAL,
)
_LISTED = (WatchState.ACTIVE, WatchState.REMOVAL_IN_APPROVAL)
# The gravest list is the one that lists show.
_PRECEDENCE = (WatchKind.BLACKLIST, WatchKind.VIP, WatchKind.POTENTIAL)


def why_not_close(ctx: Ctx, customer: Customer) -> str:
    """A customer with business under way, in force or paid for stays open; '' when there is none."""
    query = select(Project.number).where(
        Project.customer_id == customer.id, Project.state.in_(GOING_ON)
    )
    number = ctx.session.scalar(query.order_by(Project.id).limit(1))
    return f"项目 {number} 尚未结束，不能停用客户" if number else ""


def close(ctx: Ctx, customer: Customer, reason: str, version: int | None = None) -> Customer:
    """Do no new business with a customer; the reason stands in the trail. Raises Conflict while business goes on."""
    enter(ctx, CUSTOMER["close"], customer, version)
    # an application that is being saved is waited for
    ctx.session.refresh(customer, with_for_update=True)
    if refused := why_not_close(ctx, customer):
        raise Conflict(refused)
    return _turn(ctx, customer, "close", reason)


def reopen(ctx: Ctx, customer: Customer, reason: str, version: int | None = None) -> Customer:
    """Do business with a closed customer again, saying why."""
    enter(ctx, CUSTOMER["reopen"], customer, version)
    return _turn(ctx, customer, "reopen", reason)


def _turn(ctx: Ctx, customer: Customer, verb: str, reason: str) -> Customer:
    step = CUSTOMER[verb]
    if not 0 < len(reason.strip()) <= REASON_MAX:
        raise BusinessError(f"请填写{step.label}的原因，不超过 {REASON_MAX} 字", field="reason")
    move(step, customer)
    ctx.session.flush()
    audit.log(ctx, customer, verb.upper(), note=reason.strip())
    return customer


WATCH = Verb("customer_watch", "add", "列入关注名单")


@records.rule(CustomerWatch)
def check_watch(ctx: Ctx, entry: CustomerWatch, is_new: bool) -> None:
    """A customer stands on a list at most once, and only while business may be done with it."""
    customer = ctx.session.get_one(Customer, entry.customer_id)
    if customer.status is not CustomerStatus.ACTIVE:
        raise Conflict(f"客户“{customer}”{customer.status}，不能列入关注名单")
    query = select(func.count()).where(
        CustomerWatch.customer_id == entry.customer_id,
        CustomerWatch.kind == entry.kind,
        CustomerWatch.state.in_(_OPEN),
    )
    if not is_new:
        query = query.where(CustomerWatch.id != entry.id)
    if ctx.session.scalar(query):
        raise Conflict(f"客户“{customer}”已在“{entry.kind}”名单中，或正在办理列入")


def watch(ctx: Ctx, customer: Customer, kind: WatchKind, reason: str) -> CustomerWatch:
    """Put a customer on a list: at once for VIP优质 and 潜在客户, by approval for 黑名单.

    Raises Conflict when it stands there already, FieldErrors without a reason, and what the approval engine raises.
    """
    entry = records.create(
        ctx, CustomerWatch, {"customer_id": customer.id, "kind": kind, "reason": reason}
    )
    return submit_watch(ctx, entry)


def submit_watch(ctx: Ctx, entry: CustomerWatch, version: int | None = None) -> CustomerWatch:
    """Let a drafted entry take effect, or put it up for approval where it is one for the black list."""
    step = STEPS["submit"]
    enter(ctx, step, entry, version)
    if entry.kind is WatchKind.BLACKLIST:
        move(step, entry, WatchState.IN_APPROVAL)
        _ask(ctx, entry, f"列入黑名单：{entry.customer}")
    else:
        move(step, entry, WatchState.ACTIVE)
        entry.started_on = ctx.today
    _show_on_customer(ctx, entry.customer)
    return entry


def end_watch(
    ctx: Ctx, entry: CustomerWatch, reason: str, version: int | None = None
) -> CustomerWatch:
    """Take a customer off a list: at once, or by approval where it is the black list; a reason is due."""
    step = STEPS["remove"]
    enter(ctx, step, entry, version)
    if not reason.strip():
        raise BusinessError("请填写移出原因", field="reason")
    entry.end_reason = reason.strip()[:300]
    if entry.kind is WatchKind.BLACKLIST:
        move(step, entry, WatchState.REMOVAL_IN_APPROVAL)
        _ask(ctx, entry, f"移出黑名单：{entry.customer}")
    else:
        move(step, entry, WatchState.CLOSED)
        entry.ended_on = ctx.today
    _show_on_customer(ctx, entry.customer)
    return entry


@approval.on_finish("blacklist")
def on_blacklist_decided(
    ctx: Ctx, _instance: ApprovalInstance, entry: CustomerWatch, outcome: ApprovalState
) -> None:
    """What was asked takes effect when approved; a refused entry ends, a refused removal leaves the customer listed."""
    is_approved = outcome is ApprovalState.APPROVED
    if entry.state is WatchState.REMOVAL_IN_APPROVAL:
        move(OUTCOME["removed"], entry, WatchState.CLOSED if is_approved else WatchState.ACTIVE)
        entry.ended_on = ctx.today if is_approved else None
        entry.end_reason = entry.end_reason if is_approved else None
    else:
        refused = WatchState.REFUSED if outcome is ApprovalState.REJECTED else WatchState.DRAFT
        move(OUTCOME["entered"], entry, WatchState.ACTIVE if is_approved else refused)
        entry.started_on = ctx.today if is_approved else None
    _show_on_customer(ctx, entry.customer)


def _ask(ctx: Ctx, entry: CustomerWatch, title: str) -> None:
    customer = entry.customer
    approval.start(
        ctx,
        "blacklist",
        entry,
        title=title,
        amount=None,
        customer_kind=customer.kind.name,
        applicant_id=customer.manager_id,
    )


def _show_on_customer(ctx: Ctx, customer: Customer) -> None:
    """`watch` and `is_blacklisted` of the customer follow from its entries."""
    ctx.session.flush()
    query = select(CustomerWatch.kind).where(
        CustomerWatch.customer_id == customer.id, CustomerWatch.state.in_(_LISTED)
    )
    listed = set(ctx.session.scalars(query))
    customer.watch = next((kind for kind in _PRECEDENCE if kind in listed), None)
    customer.is_blacklisted = WatchKind.BLACKLIST in listed
    ctx.session.flush()
