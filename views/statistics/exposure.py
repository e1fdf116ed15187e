"""额度与集中度 (4.4) on the screen of reports: meters for leverage and bank lines, the largest customers and groups."""

from decimal import Decimal

from flask import request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from markupsafe import Markup

from models.base.money import format_money
from reports.base.charts import WIDTHS, Point, bars
from reports.statistics import exposure
from reports.workbench import desktop
from views.kit import edge
from views.kit.cells import record_url
from views.kit.pages import Cell, ChartCard, Meter, ReportPage, Row, Section
from views.kit.report import columns_of, excel, excel_action, money
from views.statistics.shares import IN_FORCE, shares_card
from workflows.base.context import Ctx

_BANKS = 8
_TONES = {"超限": "bad", "办理后超限": "bad", "预警": "warn"}


_FOOT = (
    "责任余额 = 在保余额 × 公司承担比例 × 权重（融资担保责任余额计量办法）；办理后另加有效决议的占用额；"
    "占比为占净资产，未加权为办理后不乘权重的占比；集中度见监督管理条例第十六条"
)


class ExposureReport(BaseView):
    """额度与集中度."""

    route_base = "/report"
    class_permission_name = "project"
    default_view = "exposure"
    title = "额度与集中度"

    @expose("/exposure")
    @edge.screen("list")
    def exposure(self) -> ResponseReturnValue:
        """Leverage, the largest customers and groups, bank lines, each against its limit."""
        ctx = edge.current_ctx()
        found = exposure.exposure_report(ctx.session, ctx.actor, ctx.today)
        if request.args.get("format") == "xlsx":
            parties = [("单户", party) for party in found.customers] + [
                ("关联方", party) for party in found.groups
            ]
            rows = [
                [
                    kind,
                    p.name,
                    p.amounts.in_force,
                    p.shares[0],
                    p.amounts.committed,
                    *p.shares[1:],
                    p.limit,
                    p.state,
                ]
                for kind, p in parties
            ]
            return excel("额度与集中度", exposure.COLUMNS, rows)
        return self.render_template("report.html", page=_exposure_page(ctx, found))


def _exposure_page(ctx: Ctx, found: exposure.Exposure) -> ReportPage:
    over = (
        sum(p.state in {"超限", "办理后超限"} for p in (*found.customers, *found.groups))
        + found.committed.is_over
    )
    near = sum(p.state == "预警" for p in (*found.customers, *found.groups))
    states = [Cell(f"{over} 项超限", "enum", tone="bad")] if over else []
    states += [Cell(f"{near} 项预警", "enum", tone="warn")] if near else []
    rows = _party_rows("单户", found.customers) + _party_rows("关联方", found.groups)
    lines = [_line_meter(line) for line in found.lines]
    return ReportPage(
        "额度与集中度",
        [c for c in columns_of(exposure.COLUMNS) if c.key != "kind"],
        rows,
        note=f"截至营业日期 {found.on.isoformat()}",
        heading=f"最大的 {exposure.TOP} 户与关联方",
        states=states,
        url="/report/exposure",
        actions=excel_action(bool(rows)),
        aside=[
            Section(
                "leverage",
                "放大倍数",
                template="parts/meters.html",
                data=[_leverage_meter(found)],
                note="监督管理条例第十五条",
                foot="净资产",
                foot_figure=f"{format_money(found.net_assets)} 元",
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
        ],
        below=_structure(ctx),
        empty="没有在保或已决议的项目",
        foot=_FOOT,
        crumbs=[("担保办理", ""), ("额度与集中度", "")],
        help_key="exposure",
    )


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


def _party_rows(kind: str, parties: list[exposure.Party]) -> list[Row]:
    rows = []
    for position, party in enumerate(parties):
        projects = (
            f"/project/list/?f=customer_id:eq:{party.customer_id}" if party.customer_id else ""
        )
        tone = _TONES.get(party.state, "")
        shares = ["无净资产" if share is None else format_money(share) for share in party.shares]
        cells = (
            Cell(party.name),
            money(party.amounts.in_force, projects),
            Cell(shares[0], "rate", tone="bad" if party.state == "超限" else ""),
            money(party.amounts.committed),
            Cell(shares[1], "rate", tone=tone),
            Cell(shares[2], "rate"),
            Cell(format_money(party.limit), "rate"),
            Cell(party.state, "enum", tone=tone or "ok"),
        )
        group = kind if position == 0 else ""
        rows.append(
            Row(
                f"{kind}-{position}",
                record_url("customer", party.customer_id),
                cells,
                tone=tone,
                group=group,
                span=len(parties) if group else 0,
            )
        )
    return rows


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
