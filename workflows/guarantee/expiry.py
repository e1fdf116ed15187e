"""Resolutions that ran out free what they reserved (4.3); run daily, harmless when run again."""

from decimal import Decimal

from sqlalchemy import select

from models.guarantee.project import ProjectState
from models.guarantee.resolution import Resolution, ResolutionState
from workflows.base import audit
from workflows.base.context import Ctx
from workflows.base.transition import Step, move, steps

STEPS = steps(
    Step(
        "resolution",
        "expire",
        "到期",
        column="state",
        sources=(ResolutionState.VALID,),
        targets=(ResolutionState.EXPIRED,),
        follows=True,
    ),
)


def expire_reservations(ctx: Ctx) -> int:
    """Mark valid resolutions past their date as expired and free their reservations; returns how many."""
    query = select(Resolution).where(
        Resolution.state == ResolutionState.VALID, Resolution.valid_until < ctx.today
    )
    expired = list(ctx.session.scalars(query))
    for resolution in expired:
        expire(ctx, resolution)
    ctx.session.flush()
    return len(expired)


def expire(ctx: Ctx, resolution: Resolution) -> None:
    """Mark one resolution as expired and free what it reserved."""
    move(STEPS["expire"], resolution)
    project = resolution.project
    if project.state is ProjectState.RUNNING:
        project.reserved_amount = Decimal(0)
    note = f"决议 {resolution.number} 已于 {resolution.valid_until} 到期，释放占用额度"
    audit.log(ctx, project, "EXPIRE", note=note)
