"""What waits after signing (4.11): conditions for whom they name, seals and the file for their keepers."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, literal, null, select

from models.base.paper import PaperState
from models.customer.customer import Customer
from models.guarantee.archive import ArchiveItem, ArchiveLoan, ArchiveState
from models.guarantee.follow_up import FollowUp, FollowUpState
from models.guarantee.project import Project
from models.guarantee.seal import SealRequest
from reports.workbench.todo_source import Rows, Source, TodoKind


def _rows(model: Any, what: Any, since: Any, *where: ColumnElement[bool]) -> Rows:
    return (
        select(model.id, Customer.name + " · " + what, Project.number, null(), literal(""), since)
        .join(Project, Project.id == model.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .where(*where)
        .order_by(model.id)
    )


def _conditions(_: date) -> Rows:
    return _rows(FollowUp, FollowUp.text, FollowUp.due_on, FollowUp.state == FollowUpState.PENDING)


def _seals(_: date) -> Rows:
    approved = SealRequest.state == PaperState.APPROVED
    return _rows(
        SealRequest,
        SealRequest.subject,
        SealRequest.updated_at,
        approved,
        SealRequest.sealed_on.is_(None),
    )


def _listed(_: date) -> Rows:
    return _rows(
        ArchiveItem,
        ArchiveItem.name,
        ArchiveItem.created_at,
        ArchiveItem.state == ArchiveState.LISTED,
    )


def _late(today: date) -> Rows:
    """Pieces that should be back by now."""
    late = exists().where(
        ArchiveLoan.item_id == ArchiveItem.id,
        ArchiveLoan.returned_on.is_(None),
        ArchiveLoan.due_on <= today,
    )
    return _rows(
        ArchiveItem,
        ArchiveItem.name,
        ArchiveItem.updated_at,
        ArchiveItem.state == ArchiveState.LENT,
        late,
    )


FILING: tuple[Source, ...] = (
    Source(
        TodoKind.FOLLOW_UP,
        FollowUp,
        ("meet", "follow_up"),
        _conditions,
        lambda pk: FollowUp.project_id == pk,
        holder=FollowUp.owner_id,
        numbered=FollowUp.text,
    ),
    Source(
        TodoKind.SEAL,
        SealRequest,
        ("stamp", "seal_request"),
        _seals,
        lambda pk: SealRequest.project_id == pk,
        is_scoped=True,
        numbered=SealRequest.number,
    ),
    Source(
        TodoKind.FILE,
        ArchiveItem,
        ("file", "archive_item"),
        _listed,
        lambda pk: ArchiveItem.project_id == pk,
        is_scoped=True,
        numbered=ArchiveItem.name,
    ),
    Source(
        TodoKind.TAKE_BACK,
        ArchiveItem,
        ("give_back", "archive_item"),
        _late,
        lambda pk: ArchiveItem.project_id == pk,
        is_scoped=True,
        numbered=ArchiveItem.name,
    ),
)
