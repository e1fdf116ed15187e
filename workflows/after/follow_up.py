"""Warnings of 放款后条件 in the day-end (6.6, 4.11): coming near, and past their day."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.guarantee.follow_up import FollowUp, FollowUpState
from workflows.after.warning import Hit, check


@check("follow_up_due")
def follow_up_due(session: Session, on: date, days: Sequence[int]) -> Iterator[Hit]:
    """Open conditions whose day is so near or gone."""
    query = select(FollowUp).where(
        FollowUp.state == FollowUpState.PENDING, FollowUp.due_on <= on + timedelta(days=max(days))
    )
    query = query.options(joinedload(FollowUp.project), joinedload(FollowUp.owner))
    for item in session.scalars(query.order_by(FollowUp.due_on, FollowUp.id)):
        left = (item.due_on - on).days
        near = min((limit for limit in days if limit >= left), default=0)
        told = f"剩余 {left} 天" if left >= 0 else f"已逾期 {-left} 天"
        message = f"放款后条件“{item.text}”应于 {item.due_on} 前由{item.owner.name}落实，{told}"
        yield Hit(item.project, item, f"{item.due_on}/{near if left >= 0 else 'late'}", message)
