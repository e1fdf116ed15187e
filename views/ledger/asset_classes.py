"""What the page of 资产分级 (K8) has beside its table: the four ratios against the law, and how evidence is entered."""

from decimal import Decimal

from flask import flash, request

from models.base.money import format_money
from models.ledger.account import ZERO
from reports.base.asked import report_url
from reports.base.report import Found
from reports.figures.asset_classes import Ratio
from reports.ledger.asset_classes import AssetReport
from views.kit import edge
from views.kit.pages import Action, Meter, ReportPage, Section
from views.kit.report import ACTS, Act, decorate
from views.kit.report_page import told
from workflows.base.context import Ctx
from workflows.ledger import asset_splits

CODE = "asset-classes"


def _carry() -> str:
    """Copy the evidence of the month before."""
    month = request.form.get("period", "")
    with edge.writing() as ctx:
        made, left = asset_splits.carry_over(ctx, month)
    flash(f"已复制 {made} 条分级依据到 {month}", "success")
    for words in left:
        flash(f"未复制：{words}", "warning")
    return report_url(CODE, period=month)


ACTS[CODE, "carry"] = Act(("add", "asset_split"), _carry)


@decorate(CODE)
def _draw(ctx: Ctx, page: ReportPage, found: Found) -> None:
    report: AssetReport = found.source
    page.actions = [*_actions(ctx, report), *page.actions]
    page.above = [_ratios(report), *told(("提示", text) for text in report.notices)]


def _actions(ctx: Ctx, found: AssetReport) -> list[Action]:
    actions = [Action("分级依据", f"/asset_split/list/?f=month:eq:{found.period}")]
    if ctx.actor.may("add", "asset_split"):
        fields = (("period", found.period),)
        actions.insert(0, Action("登记依据", "/asset_split/add", "GET", "primary"))
        if not any(line.evidence for line in found.lines):
            url = f"{report_url(CODE)}/carry"
            actions.insert(1, Action("复制上月依据", url, "POST", fields=fields))
    return actions


def _ratios(found: AssetReport) -> Section:
    figures = [
        f"资产总额 {format_money(found.assets)}",
        f"应收代偿款 {format_money(found.claims)}",
        f"准备金 {format_money(found.reserves)}",
    ]
    return Section(
        "ratios",
        "资产比例",
        template="parts/meters.html",
        data=[_meter(ratio) for ratio in found.ratios],
        note="；".join(figures),
        foot="净资产",
        foot_figure=f"{format_money(found.net_assets)} 元",
    )


def _meter(ratio: Ratio) -> Meter:
    share = ratio.share
    words = "无法计算" if share is None else f"{format_money(share)}%"
    width = min(max(share or ZERO, ZERO), Decimal(100))
    sign = "不低于" if ratio.is_least else "不高于"
    note = (
        f"{format_money(ratio.numerator)} / {format_money(ratio.denominator)} 元；{ratio.article}"
    )
    return Meter(
        ratio.label,
        "",
        words,
        limit=f"{sign} {ratio.limit.normalize():f}%",
        share_before=f"{width:.1f}",
        share_added="0.0",
        share_warning=f"{ratio.limit:.1f}",
        note=note,
        is_over=not ratio.is_met,
    )
