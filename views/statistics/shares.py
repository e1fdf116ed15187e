"""在保余额 in parts, as a donut with its legend; each part opens the projects behind it."""

from decimal import Decimal

from markupsafe import Markup

from models.base.money import format_money
from reports.base.charts import Point, donut
from reports.workbench import desktop
from views.kit.pages import Donut, Section, Slice

IN_FORCE = "/project/list/?f=state:eq:IN_FORCE"
_WAN = Decimal(10_000)


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
