"""Reports that list rows: a page of them, how many there are, and what the whole of them comes to, in two queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, func, select

from reports.base.asked import Asked


@dataclass(frozen=True)
class Page:
    """The rows from `asked.offset` on; `count` and `sums` are of all of them."""

    rows: Sequence[Row[Any]]
    count: int
    sums: dict[str, Any]


def page(asked: Asked, query: Select[Any], *summed: str) -> Page:
    """A page of an ordered query within the reader's scope; `summed` are labels of its columns."""
    whole = query.order_by(None).subquery()
    figures = [func.sum(whole.c[name]) for name in summed]
    count, *sums = asked.session.execute(select(func.count(), *figures).select_from(whole)).one()
    rows = asked.session.execute(query.offset(asked.offset).limit(asked.limit or None)).all()
    found = [Decimal(0) if one is None else one for one in sums]
    return Page(rows, count, dict(zip(summed, found, strict=True)))
