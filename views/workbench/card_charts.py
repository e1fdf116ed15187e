"""Cards with charts: 在保余额 over twelve months, and its parts by product or bank."""

from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from markupsafe import Markup

from models.base.money import format_money
from reports.base.charts import WIDTHS, Point, donut, trend
from reports.statistics.balance_trend import Balance, balance_trend
from reports.workbench import desktop
from views.kit.pages import ChartCard, Donut, Section, Slice
from views.workbench.desk_figures import IN_FORCE, Desk

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
    card = ChartCard(
        figure=format_money(force.amount),
        unit="元",
        url=IN_FORCE,
        side=f"{force.count} 个项目",
        notes=_changes(line),
        axis=unit,
        drawings=tuple(Markup(trend(points, width=width)) for width in WIDTHS) if len(points) > 1 else (),  # noqa: S704
    )
    note = f"近 12 个月 · {desk.actor.scope.label}"
    return Section("", "在保余额", template="parts/chart.html", data=card, note=note)


def _day_url(desk: Desk, on: date) -> str:
    """The snapshots of a month's last day, which make up its figure; today is the list of projects."""
    if on == desk.today:
        return IN_FORCE
    if not desk.actor.may("list", "company_snapshot"):
        return ""
    return "/company_snapshot/list/?" + urlencode({"f": f"taken_on:between:{on.replace(day=1)}..{on}"})


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
            found.append((words, f"{'+' if change > 0 else ''}{format_money(change / _WAN)} 万元", share))
    return tuple(found)


def structure_card(desk: Desk, _: int = 0) -> Section:
    """在保余额 by product."""
    shares = desktop.in_force_by_product(desk.session, desk.actor)
    return shares_card("在保结构", "按产品", "product_id", shares)


def shares_card(label: str, note: str, field: str, shares: list[desktop.Share]) -> Section:
    """在保余额 in at most four parts as a donut; each opens its projects, the last one all that are left over."""
    whole = sum((share.amount for share in shares), Decimal(0))
    parts = [(share.name, share.amount, [share.id]) for share in shares[:4]]
    if len(shares) > 4:
        rest = shares[3:]
        parts[3:] = [("其他", sum((s.amount for s in rest), Decimal(0)), [s.id for s in rest])]
    points, slices = [], []
    for name, amount, ids in parts:
        url = f"{IN_FORCE}&f={field}:in:{','.join(map(str, ids))}"
        percent = round(float(amount * 100 / whole), 1) if whole else 0.0
        figure = f"{format_money(amount / _WAN)} 万元"
        slices.append(Slice(name, figure, percent, url))
        points.append(Point(name, float(amount), figure, url))
    if not whole:
        return Section("", label, empty="没有在保项目", note=note)
    drawing = donut(tuple(points), format_money(whole / _WAN), "万元")
    data = Donut(format_money(whole / _WAN), "万元", tuple(slices), Markup(drawing))  # noqa: S704 - drawn by us
    return Section("", label, template="parts/legend.html", data=data, note=note, more_url=IN_FORCE)
