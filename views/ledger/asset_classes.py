"""资产分级 (K8) on the screen: the four ratios against the law, and every part of the assets with its evidence."""

from dataclasses import replace
from decimal import Decimal

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from models.base.errors import BusinessError
from models.base.money import format_money
from models.ledger.account import ZERO, AssetClass
from reports.figures.asset_classes import Line, Ratio
from reports.ledger.asset_classes import COLUMNS, AssetReport, asset_report, export_rows
from views.kit import edge, widgets
from views.kit.pages import Action, Cell, Meter, ReportPage, Row, Section
from views.kit.report import asked_period, columns_of, excel, money, periods, told
from workflows.base.context import Ctx
from workflows.ledger import asset_splits

_URL = "/report/asset-classes"
_FOOT = (
    "按非合并报表计算；应收代偿款不参加分级。有依据的部分按规则分级，其余按科目的资产分级；"
    "自用型房产合计不超过净资产上限的部分为Ⅱ级（资产比例管理办法第五条至第七条）"
)


class AssetClassReport(BaseView):
    """资产分级."""

    route_base = "/report"
    class_permission_name = "asset_split"
    default_view = "asset_classes"
    title = "资产分级"

    @expose("/asset-classes")
    @edge.screen("list")
    def asset_classes(self) -> ResponseReturnValue:
        """The ratios of a month and the lines behind them."""
        return self._show()

    @expose("/asset-classes/carry", methods=("POST",))
    @edge.screen("add")
    def carry(self) -> ResponseReturnValue:
        """Copy the evidence of the month before."""
        month = request.form.get("period", "")
        try:
            with edge.writing() as ctx:
                made, left = asset_splits.carry_over(ctx, month)
        except BusinessError as error:
            if error.status in {403, 404}:
                raise
            return self._show(error)
        flash(f"已复制 {made} 条分级依据到 {month}", "success")
        for words in left:
            flash(f"未复制：{words}", "warning")
        return redirect(f"{_URL}?period={month}")

    def _show(self, error: BusinessError | None = None) -> ResponseReturnValue:
        ctx = edge.current_ctx()
        known = periods(ctx)
        found: AssetReport | None = None
        try:
            asked = request.form.get("period", "")
            found = asset_report(
                ctx.session, asked if asked in known else asked_period("period", known, ctx)
            )
        except BusinessError as refusal:
            error = error or refusal
        if found is not None and request.args.get("format") == "xlsx":
            return excel(f"资产分级_{found.period}", COLUMNS, export_rows(found))
        page = _page(ctx, found, known, error)
        return self.render_template("report.html", page=page), (error.status if error else 200)


def _page(
    ctx: Ctx, found: AssetReport | None, known: list[str], error: BusinessError | None
) -> ReportPage:
    default = found.period if found else known[0]
    params = [
        widgets.choice(
            "period",
            "会计期间",
            [(code, code) for code in known],
            default,
            errors=error.field_errors if error else None,
        )
    ]
    page = ReportPage(
        "资产分级",
        [],
        [],
        params=params,
        url=_URL,
        errors=widgets.summary(params, error),
        empty="这个月没有资产余额",
        crumbs=[("总账管理", ""), ("资产分级", "")],
        help_key="asset_classes",
        foot=_FOOT,
    )
    if found is None:
        return page
    page.columns = [
        replace(c, kind="long_text") if c.key == "evidence" else c for c in columns_of(COLUMNS)
    ]
    page.rows = [_row(at, line) for at, line in enumerate(found.lines)]
    page.sums = [
        (
            "合计",
            {
                "amount": format_money(sum(found.totals.values(), ZERO)),
                **{each.name.lower(): format_money(found.totals[each]) for each in AssetClass},
            },
        )
    ]
    page.heading = f"{found.period} 月末资产（不含应收代偿款）"
    page.states = _states(found)
    page.actions = _actions(ctx, found)
    page.above = [_ratios(found), *told(("提示", text) for text in found.notices)]
    return page


def _actions(ctx: Ctx, found: AssetReport) -> list[Action]:
    actions = [
        Action("分级依据", f"/asset_split/list/?f=month:eq:{found.period}"),
        Action("Excel", f"{_URL}?period={found.period}&format=xlsx", icon="down"),
    ]
    if ctx.actor.may("add", "asset_split"):
        fields = (("period", found.period),)
        actions.insert(0, Action("登记依据", "/asset_split/add", "GET", "primary"))
        if not any(line.evidence for line in found.lines):
            actions.insert(1, Action("复制上月依据", f"{_URL}/carry", "POST", fields=fields))
    return actions


def _states(found: AssetReport) -> list[Cell]:
    broken = [ratio for ratio in found.ratios if not ratio.is_met]
    words = f"{len(broken)} 项不达标" if broken else "四项比例达标"
    return [
        Cell(
            words,
            "enum",
            tone="bad" if broken else "ok",
            title="；".join(ratio.label for ratio in broken),
        )
    ]


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


def _row(at: int, line: Line) -> Row:
    classes = [money(line.classes.get(each, ZERO)) for each in AssetClass]
    cells = (
        Cell(line.code),
        Cell(line.name),
        Cell(line.basis),
        money(line.amount),
        *classes,
        Cell(line.evidence),
    )
    return Row(str(at), "", cells)
