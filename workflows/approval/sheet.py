"""Printing the 审批单: issued once when the approval has ended, the same document ever after (A6)."""

from typing import Final

from sqlalchemy import select

from models.approval.approval import ApprovalInstance, ApprovalState
from models.base.errors import Conflict, NotFound
from models.system.records import IssuedDocument
from reports.base.scope import is_visible
from reports.figures.approval_sheet import sheet
from workflows.approval import steps
from workflows.base import documents
from workflows.base.context import Ctx
from workflows.base.transition import Verb

PRINT: Final = Verb("approval_instance", "show", "打印审批单")
_TEMPLATE: Final = "approval_sheet"


def issue_sheet(ctx: Ctx, instance: ApprovalInstance) -> IssuedDocument:
    """The numbered 审批单 of an approval that has ended; asking again gives the same one."""
    if not is_visible(ctx.session, ctx.actor, instance):
        raise NotFound
    instance = steps.lock(ctx, instance.id)
    if instance.state is ApprovalState.RUNNING:
        raise Conflict("审批尚未办结，办结后才能打印审批单")
    query = select(IssuedDocument).where(
        IssuedDocument.template_code == _TEMPLATE,
        IssuedDocument.owner_table == instance.__tablename__,
        IssuedDocument.owner_id == instance.id,
    )
    present = ctx.session.scalars(query.order_by(IssuedDocument.id).limit(1)).first()
    if present is not None:
        return present
    title = f"{instance.business_type.label}审批单"
    return documents.issue(
        ctx,
        _TEMPLATE,
        instance,
        number_rule="approval",
        title=title,
        data=sheet(ctx.session, instance),
    )
