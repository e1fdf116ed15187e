"""How figures spread: number, sum, median and largest of each group, by one query on both databases."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from models.base.money import round_to


@dataclass(frozen=True)
class Spread:
    """Of one group: how many figures, their sum, the one in the middle (of two the mean) and the largest."""

    count: int
    total: int
    median: Decimal
    largest: int


def spreads(session: Session, query: Select[Any]) -> dict[Any, Spread]:
    """By key; the query has two columns, `key` and a whole number `value`."""
    rows = query.subquery()
    place = func.row_number().over(partition_by=rows.c.key, order_by=rows.c.value)
    number = func.count().over(partition_by=rows.c.key)
    ranked = select(rows, place.label("place"), number.label("number")).subquery()
    value = ranked.c.value
    # With an even number two stand in the middle; with an odd one both are the same.
    lower = func.max(
        case(
            (2 * ranked.c.place - ranked.c.number == 1, value),
            (2 * ranked.c.place == ranked.c.number, value),
        )
    )
    upper = func.max(
        case(
            (2 * ranked.c.place - ranked.c.number == 1, value),
            (2 * ranked.c.place - ranked.c.number == 2, value),
        )
    )
    figures = (func.count(), func.sum(value), lower, upper, func.max(value))
    found = session.execute(select(ranked.c.key, *figures).group_by(ranked.c.key))
    return {
        key: Spread(count, int(total), _mean(int(low), int(high)), int(largest))
        for key, count, total, low, high, largest in found
    }


def _mean(low: int, high: int) -> Decimal:
    return round_to(Decimal(low + high) / 2, 1)
