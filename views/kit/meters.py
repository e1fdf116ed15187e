"""Exposure figures as meters: now, with this project, against the limit."""

from decimal import Decimal

from models.base.money import format_money
from reports.figures.exposure import Check
from views.kit.pages import Meter

HUNDRED = Decimal(100)


def meter(check: Check) -> Meter:
    """One figure of reports.figures.exposure as a bar; widths are % of the limit (or of the figure when it is over)."""
    top = max(check.limit or Decimal(0), check.after, Decimal("0.01"))
    added = max(check.after - check.before, Decimal(0))
    warning = _share(check.warning, top) if check.warning is not None and check.limit else ""
    # Bank lines run to nine figures: in 万元 they fit beside their label.
    scale, unit = (Decimal(10_000), "万元") if check.unit == "元" else (Decimal(1), check.unit)
    before, after = (format_money(value / scale) for value in (check.before, check.after))
    if check.lacks_assets:
        before, after = "—", "净资产未录入"
    limit = "不限" if check.limit is None else f"{format_money(check.limit / scale)} {unit}"
    return Meter(
        check.label,
        before,
        after,
        limit=limit,
        share_before=_share(check.before, top),
        share_added=_share(added, top),
        share_warning=warning,
        note=check.advice,
        is_over=check.is_over,
    )


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{min(max(part / whole * HUNDRED, Decimal(0)), HUNDRED):.1f}"
