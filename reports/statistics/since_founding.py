"""成立以来累计 (4.6): the totals entered when the system went live, and what it has seen since."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.base.kinds import Module
from models.guarantee.product import FINANCING
from models.guarantee.project import Project
from models.statistics.founding import FoundingItem, FoundingTotal
from reports.base.asked import Asked
from reports.base.params import day
from reports.base.report import Found, Line, Report, register, stated, words
from reports.figures import turnover

# Everything of the company counts, whatever the reader sees: the right is the report's own.
Counted = Callable[[date, date], list[Select[Any]]]
_SINCE: dict[FoundingItem, Counted] = {}
_EVER = date(1900, 1, 1)
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Total:
    """A total in 元: before the system, since, and the part of each that is 融资担保."""

    opening: Decimal
    moved: Decimal
    opening_financing: Decimal
    moved_financing: Decimal

    @property
    def whole(self) -> Decimal:
        """Since the founding."""
        return self.opening + self.moved

    @property
    def financing(self) -> Decimal:
        """The part that is 融资担保."""
        return self.opening_financing + self.moved_financing


def counted(item: FoundingItem) -> Callable[[Counted], Counted]:
    """Register what of the system's own business a total counts: sums of amounts after the first day, to the last."""

    def add(query: Counted) -> Counted:
        _SINCE[item] = query
        return query

    return add


counted(FoundingItem.GUARANTEED)(turnover.drawn)
counted(FoundingItem.RELEASED)(turnover.discharged)
counted(FoundingItem.COMPENSATED)(turnover.compensated)
counted(FoundingItem.RECOVERED)(turnover.recovered)
counted(FoundingItem.LOST)(turnover.lost)


def totals(session: Session, to: date) -> dict[FoundingItem, Total]:
    """Every total since the founding as of a day, in 元; what nobody has entered begins with nothing."""
    entered = {row.item: row for row in session.scalars(select(FoundingTotal))}
    return {item: _total(session, item, entered.get(item), to) for item in FoundingItem}


def _total(session: Session, item: FoundingItem, entered: FoundingTotal | None, to: date) -> Total:
    queries = _SINCE[item](entered.as_of if entered else _EVER, to) if item in _SINCE else []
    return Total(
        entered.amount if entered else _ZERO,
        sum((session.scalar(one) or _ZERO for one in queries), _ZERO),
        entered.financing_amount if entered else _ZERO,
        sum(
            (
                session.scalar(one.where(Project.guarantee_kind.in_(FINANCING))) or _ZERO
                for one in queries
            ),
            _ZERO,
        ),
    )


def lines(asked: Asked) -> Found:
    """A line for each total."""
    entered = dict(asked.session.execute(select(FoundingTotal.item, FoundingTotal.id)).all())
    found = totals(asked.session, asked["to"])
    return Found(
        [
            Line(
                {
                    "item": item.label,
                    "opening": one.opening,
                    "moved": one.moved,
                    "whole": one.whole,
                    "financing": one.financing,
                },
                url=asked.record("founding_total", entered.get(item))
                or asked.rows("founding_total"),
            )
            for item, one in found.items()
        ],
        span=f"截至 {asked['to'].isoformat()}",
    )


register(
    Report(
        "since-founding",
        "成立以来累计",
        Module.STATISTICS,
        permission=("list", "founding_total"),
        columns=(
            words("item", "项目"),
            stated("opening", "期初累计"),
            stated("moved", "系统内发生"),
            stated("whole", "累计"),
            stated("financing", "其中融资担保"),
        ),
        lines=lines,
        params={"to": day("截至日期")},
        has_totals=False,
        rank=60,
        help="期初累计在“成立以来期初累计”登记；全公司合计，系统内发生从其截止日的次日起，包括补录的业务",
    )
)
