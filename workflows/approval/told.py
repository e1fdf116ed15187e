"""Whom the flow itself tells of an approval (抄送, A9): at submission, and where a node has agreed."""

from collections.abc import Iterable

from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalNode
from models.approval.copies import ApprovalCopy
from reports.figures import approvals
from workflows.base.context import Ctx


def of_flow(ctx: Ctx, instance: ApprovalInstance) -> None:
    """Whom the flow tells of each submission."""
    tell(ctx, instance, holders(ctx, instance, instance.flow.copy_position_id))


def of_node(ctx: Ctx, instance: ApprovalInstance, node: ApprovalNode) -> None:
    """Whom a node tells once it has agreed."""
    people = holders(ctx, instance, node.copy_position_id)
    if node.copy_employee_id is not None:
        people += approvals.able(ctx.session, [node.copy_employee_id])
    tell(ctx, instance, people, node=node)


def holders(ctx: Ctx, instance: ApprovalInstance, position_id: int | None) -> list[int]:
    """Who holds a position for the department of an approval."""
    if position_id is None:
        return []
    return approvals.holders_of_position(ctx.session, position_id, instance.department_id)


def tell(
    ctx: Ctx,
    instance: ApprovalInstance,
    people: Iterable[int],
    *,
    node: ApprovalNode | None = None,
    sent_by_id: int | None = None,
    note: str | None = None,
) -> list[int]:
    """Make a copy for each who has not been told yet; who has submitted it knows.

    The approval is held, so that two senders see each other. Returns the people who were told.
    """
    known = select(ApprovalCopy.employee_id).where(ApprovalCopy.instance_id == instance.id)
    before = {instance.applicant_id, ctx.actor.employee_id, *ctx.session.scalars(known)}
    told = [one for one in dict.fromkeys(people) if one not in before]
    ctx.session.add_all(
        ApprovalCopy(
            instance=instance,
            employee_id=one,
            node=node,
            sent_by_id=sent_by_id,
            note=note,
            sent_at=ctx.now,
        )
        for one in told
    )
    ctx.session.flush()
    return told
