"""Cards with charts: 在保余额 over twelve months, and its parts by product or bank."""

from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from markupsafe import Markup

from models.base.money import format_money
from reports.base.charts import WIDTHS, Point, trend
from reports.statistics.balance_trend import Balance, balance_trend
from reports.workbench import desktop
from views.kit.pages import ChartCard, Section
from views.statistics.shares import IN_FORCE, shares_card
from views.workbench.desk_figures import Desk

_YI, _WAN = Decimal(100_000_000), Decimal(10_000)


def balance_card(desk: Desk, _: int = 0) -> Section:
    """在保余额 today, how it moved since the last month-end and the last year-end, and the line of twelve months."""
    force = desk.force
    line = balance_trend(desk.session, desk.actor, desk.today, force.amount)
    unit, scale = ("亿元", _YI) if max(one.amount for one in line) >= _YI else ("万元", _WAN)
    points = tuple(
        Point(
            f"{one.on:%Y-%m}",
            float(one.amount / scale),
            format_money(one.amount / scale),
            _day_url(desk, one.on),
        )
        for one in line
    )
    widths = WIDTHS if len(points) > 1 else ()
    card = ChartCard(
        figure=format_money(force.amount),
        unit="元",
        url=IN_FORCE,
        side=f"{force.count} 个项目",
        notes=_changes(line),
        axis=unit,
        drawings=tuple(Markup(trend(points, width=width)) for width in widths),  # noqa: S704 - drawn by us
    )
    note = f"近 12 个月 · {desk.actor.scope.label}"
    return Section("", "在保余额", template="parts/chart.html", data=card, note=note)


def _day_url(desk: Desk, on: date) -> str:
    """The snapshots of a month's last day, which make up its figure; today is the list of projects."""
    if on == desk.today:
        return IN_FORCE
    if not desk.actor.may("list", "company_snapshot"):
        return ""
    return "/company_snapshot/list/?" + urlencode(
        {"f": f"taken_on:between:{on.replace(day=1)}..{on}"}
    )


def _changes(line: list[Balance]) -> tuple[tuple[str, str, str], ...]:
    """Change since the last month-end and since the last year-end: words, amount, percent."""
    today = line[-1]
    found = []
    for words, before in (
        ("较上月末", line[:-1][-1:]),
        ("较年初", [b for b in line if b.on.year < today.on.year][-1:]),
    ):
        for one in before:
            change = today.amount - one.amount
            share = f"{change * 100 / one.amount:+.2f}%" if one.amount else ""
            found.append(
                (words, f"{'+' if change > 0 else ''}{format_money(change / _WAN)} 万元", share)
            )
    return tuple(found)


def structure_card(desk: Desk, _: int = 0) -> Section:
    """在保余额 by product."""
    shares = desktop.in_force_by_product(desk.session, desk.actor)
    return shares_card("在保结构", "按产品", "product_id", shares)
