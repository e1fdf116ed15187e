"""代偿率与回收率: what was paid for customers, recovered and lost in a year, against what ended (domain.md 2)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select

from models.base.kinds import Module
from models.guarantee.product import FINANCING
from models.guarantee.project import Project
from reports.base.asked import Asked
from reports.base.params import day
from reports.base.report import Found, Line, Report, drill, ratio, register, stated, words
from reports.base.scope import scoped
from reports.figures import turnover

_EVER = date(1900, 1, 1)
_ZERO, _DAY = Decimal(0), timedelta(days=1)
_KINDS = (("全部担保", ()), ("其中融资担保", (Project.guarantee_kind.in_(FINANCING),)))


def lines(asked: Asked) -> Found:
    """All guarantees, and 融资担保 among them, from the first day of the year to the day asked for."""
    to = asked["to"]
    found = [_line(asked, label, to, *where) for label, where in _KINDS]
    return Found(
        found,
        span=f"{to.year} 年 1 月 1 日至 {to.isoformat()}",
        note="代偿余额 = 累计代偿 − 累计回收 − 累计损失，含他方承担的部分",
    )


def _line(asked: Asked, label: str, to: date, *where: Any) -> Line:
    before = date(to.year - 1, 12, 31)

    def total(queries: list[Select[Any]]) -> Decimal:
        mine = (scoped(one.where(*where), Project, asked.actor) for one in queries)
        return sum((asked.session.scalar(one) or _ZERO for one in mine), _ZERO)

    opening = (
        total(turnover.compensated(_EVER, before))
        - total(turnover.recovered(_EVER, before))
        - total(turnover.lost(_EVER, before))
    )
    paid = total(turnover.compensated(before, to))
    recovered, lost = total(turnover.recovered(before, to)), total(turnover.lost(before, to))
    return Line(
        {
            "kind": label,
            "released": total(turnover.discharged(before, to)),
            "paid": paid,
            "opening": opening,
            "claims": opening + paid,
            "recovered": recovered,
            "lost": lost,
            "closing": opening + paid - recovered - lost,
        },
        urls={
            "paid": drill(
                asked, "compensation-ledger", paid_from=before + _DAY, paid_to=to, paid=1
            ),
            "recovered": drill(asked, "recovery-ledger"),
        },
    )


register(
    Report(
        "compensation-rates",
        "代偿率与回收率",
        Module.STATISTICS,
        permission=("compensation_rates", "project"),
        given_to=("风控总监", "总裁", "财务主管"),
        columns=(
            words("kind", "口径"),
            stated("released", "本年解除（含代偿）"),
            stated("paid", "本年代偿"),
            ratio("paid_share", "代偿率", "paid", "released"),
            stated("opening", "年初代偿余额"),
            stated("claims", "年初余额加本年代偿"),
            stated("recovered", "本年回收"),
            ratio("recovered_share", "代偿回收率", "recovered", "claims"),
            stated("lost", "本年损失"),
            ratio("lost_share", "损失率", "lost", "released"),
            stated("closing", "期末代偿余额"),
        ),
        lines=lines,
        params={"to": day("截至日期")},
        has_totals=False,
        rank=62,
        help="代偿率 = 本年代偿 / 本年解除；代偿回收率 = 本年回收 /（年初代偿余额 + 本年代偿）；"
        "损失率 = 本年损失 / 本年解除；核销后收回的不计入",
    )
)
