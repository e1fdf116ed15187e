"""What a reserved renewal takes over of the loan whose place it takes (4.12): the two never stand side by side."""

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal
from sqlalchemy.orm import InstrumentedAttribute

from models.base.columns import Money
from models.guarantee.project import REPLACING, Project


def is_former(former: Any, column: InstrumentedAttribute[Any], values: Any) -> ColumnElement[bool]:
    """Whether an alias of Project is the loan that a reserved renewal replaces, within the same group of projects."""
    return and_(
        former.id == Project.renewed_from_id,
        Project.renewal_kind.in_(REPLACING),
        Project.reserved_amount > 0,
        getattr(former, column.key).in_(values),
    )


def kept(former: Any) -> Any:
    """Of a reserved amount what counts already with the former loan, joined as `is_former` says, in 元."""
    return case(
        (former.balance < Project.reserved_amount, former.balance),
        (former.id.is_not(None), Project.reserved_amount),
        else_=literal(Decimal(0), Money()),
    )
