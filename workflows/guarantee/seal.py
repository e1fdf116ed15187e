"""4.11 用印: requested, approved, then the keeper seals and the book takes a line."""

from decimal import Decimal

from models.base.errors import Conflict
from models.base.paper import OPEN_PAPERS, PaperState
from models.guarantee.seal import SealEntry, SealRequest
from workflows.base.context import Ctx
from workflows.base.transition import enter, verbs
from workflows.guarantee.paper import Paper


def _nothing(_: SealRequest) -> Decimal:
    """No money hangs on a seal."""
    return Decimal(0)


PAPER = Paper(
    SealRequest,
    "提交用印审批",
    number="seal_request",
    approval_type="seal_request",
    what="用印",
    amount=_nothing,
    lapses_from=OPEN_PAPERS,
    roles=("客户经理", "业务部门经理"),
)
ACTS = verbs("seal_request", {"stamp": "用印登记"}, roles=("法务",))


def waits(_: Ctx, request: SealRequest) -> bool:
    """Whether it is approved and not sealed yet."""
    return request.state is PaperState.APPROVED and request.sealed_on is None


def stamp(ctx: Ctx, request: SealRequest, taken_by: str, version: int | None = None) -> SealEntry:
    """Seal what was approved: once, and as the book says."""
    enter(ctx, ACTS["stamp"], request, version)
    if not waits(ctx, request):
        raise Conflict(f"用印申请“{request}”现在不能用印")
    request.sealed_on = ctx.today
    entry = SealEntry(
        request=request,
        seal=request.seal,
        subject=request.subject,
        copies=request.copies,
        sealed_on=ctx.today,
        taken_by=taken_by,
    )
    ctx.session.add(entry)
    ctx.session.flush()
    return entry
