"""What the page of 额度与集中度 (4.4) has beside its table: meters for leverage and bank lines, 在保余额 in parts."""

from decimal import Decimal

from markupsafe import Markup

from models.base.money import format_money
from reports.base.charts import WIDTHS, Point, bars
from reports.base.report import Found
from reports.statistics import exposure
from reports.workbench import desktop
from views.guarantee.sharing import borne_section
from views.kit.pages import ChartCard, Meter, ReportPage, Section
from views.kit.report import decorate
from views.statistics.shares import IN_FORCE, shares_card
from workflows.base.context import Ctx

_BANKS = 8


@decorate("exposure")
def _draw(ctx: Ctx, page: ReportPage, found: Found) -> None:
    report: exposure.Exposure = found.source
    lines = [_line_meter(line) for line in report.lines]
    page.aside = [
        Section(
            "leverage",
            "放大倍数",
            template="parts/meters.html",
            data=[_leverage_meter(report)],
            note="监督管理条例第十五条",
            foot="净资产",
            foot_figure=f"{format_money(report.net_assets)} 元",
        ),
        Section(
            "lines",
            "银行授信",
            template="parts/meters.html" if lines else "",
            data=lines,
            count=len(lines),
            empty="还没有登记授信额度的合作银行",
            more_url="/partner_bank/list/",
            more_label="合作银行",
        ),
    ]
    shared = borne_section(ctx)
    shared.width = 12
    page.below = [*_structure(ctx), shared]


def _structure(ctx: Ctx) -> list[Section]:
    """在保余额 by product and by bank within the reader's scope, so that every part opens the rows it stands for."""
    by_product = desktop.in_force_by_product(ctx.session, ctx.actor)
    by_bank = desktop.in_force_by_bank(ctx.session, ctx.actor)[:_BANKS]
    scope = ctx.actor.scope.label
    product = shares_card("在保余额按产品", scope, "product_id", by_product)
    points = tuple(
        Point(
            bank.name,
            float(bank.amount / 10000),
            format_money(bank.amount / 10000),
            f"{IN_FORCE}&f=bank_id:eq:{bank.id}",
        )
        for bank in by_bank
    )
    drawings = tuple(Markup(bars(points, width=width)) for width in WIDTHS) if points else ()  # noqa: S704 - drawn by us
    bank = Section(
        "banks",
        "在保余额按银行",
        template="parts/chart.html" if points else "",
        data=ChartCard(drawings=drawings),
        note=f"{scope} · 万元",
        empty="没有在保项目",
    )
    product.key, product.width, bank.width = "products", 6, 6
    return [product, bank]


def _leverage_meter(found: exposure.Exposure) -> Meter:
    now, after = found.in_force, found.committed
    top = max(after.limit, after.times or Decimal(0), Decimal("0.01"))
    words = [
        "无净资产" if one.times is None else f"{format_money(one.times)} 倍" for one in (now, after)
    ]
    shares = [Decimal(100) if one.times is None else one.times * 100 / top for one in (now, after)]
    warning = f"{min(found.leverage_warning * 100 / top, Decimal(100)):.1f}"
    note = (
        f"责任余额 在保 {format_money(now.liability)} 元，办理后 {format_money(after.liability)} 元；"
        f"担保余额 {format_money(now.total)} 元"
    )
    return Meter(
        "责任余额 / 净资产",
        words[0],
        words[1],
        limit=f"{format_money(after.limit)} 倍",
        share_before=f"{shares[0]:.1f}",
        share_added=f"{max(shares[1] - shares[0], Decimal(0)):.1f}",
        share_warning=warning,
        note=note,
        is_over=now.is_over or after.is_over,
    )


def _line_meter(line: exposure.Line) -> Meter:
    whole = max(line.line, line.used, Decimal("0.01"))
    in_force, reserved = (amount * 100 / whole for amount in (line.in_force, line.reserved))
    words = [
        f"{format_money(a / 10000)} 万元"
        for a in (line.used, line.line, line.in_force, line.reserved, line.free)
    ]
    note = (
        f"在保 {words[2]}，决议占用 {words[3]}，剩余 {words[4]}（已用 {format_money(line.share)}%）"
    )
    return Meter(
        line.name,
        "",
        words[0],
        limit=words[1],
        share_before=f"{in_force:.1f}",
        share_added=f"{reserved:.1f}",
        share_warning="",
        note=note,
        is_over=line.free < 0,
    )
