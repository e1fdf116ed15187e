"""放款按月 (9): loans drawn in a range of days, month by month, within the reader's scope."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from models.base.kinds import Module
from models.base.moments import last_day
from models.guarantee.drawdown import Drawdown
from models.guarantee.product import RepaymentMethod
from reports.base.asked import Asked
from reports.base.params import date_range, one_of, span
from reports.base.report import (
    Chart,
    Found,
    Line,
    Report,
    additive,
    average,
    count,
    ratio,
    register,
    words,
)
from reports.base.scope import scoped


def lines(asked: Asked) -> Found:
    """The months in which something was drawn, from the first on."""
    first, last, method = asked["first"], asked["last"], asked["method"]
    query = select(Drawdown.drawn_on, func.count(Drawdown.id), func.sum(Drawdown.amount))
    query = query.where(Drawdown.drawn_on.between(first, last)).group_by(Drawdown.drawn_on)
    if method is not None:
        query = query.where(Drawdown.repayment_method == method)
    months: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for on, number, amount in asked.session.execute(
        scoped(query, Drawdown, asked.actor, as_set=True)
    ):
        so_far = months[f"{on:%Y-%m}"]
        months[f"{on:%Y-%m}"] = (so_far[0] + number, so_far[1] + amount)
    return Found(
        [_line(asked, month, *months[month]) for month in sorted(months)],
        span=span(first.isoformat(), last.isoformat()),
        note=asked.as_of,
    )


def _line(asked: Asked, month: str, number: int, amount: Decimal) -> Line:
    first, last = asked["first"], asked["last"]
    days = max(first, date.fromisoformat(f"{month}-01")), min(last, last_day(month))
    conditions = [f"drawn_on:between:{days[0]}..{days[1]}"]
    if asked["method"] is not None:
        conditions.append(f"repayment_method:eq:{asked['method'].name}")
    url = asked.rows("drawdown", *conditions)
    place = (days[0].year - first.year) * 12 + days[0].month - first.month
    values = {"year": f"{month[:4]} 年", "month": month, "count": number, "amount": amount}
    return Line(values, url=url, urls={"count": url, "amount": url}, key=f"+{place}")


register(
    Report(
        "drawn-by-month",
        "放款按月",
        Module.STATISTICS,
        permission=("list", "drawdown"),
        columns=(
            words("year", "年度"),
            words("month", "月份"),
            count("count", "放款笔数"),
            additive("amount", "放款金额"),
            average("average", "笔均金额", "amount", "count"),
            ratio("share", "占比", "amount"),
        ),
        lines=lines,
        params={**date_range(of_year=True), "method": one_of("还款方式", RepaymentMethod)},
        rank=20,
        help="按放款日期统计借据，只含您数据范围内的项目；没有放款的月份不列",
        empty="这段时间没有放款",
        group_by="year",
        compared=("amount",),
        chart=Chart("month", "amount", limit=24),
    )
)
