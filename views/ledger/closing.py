"""期末处理 (8.3): one page per period with the checks, the steps and how far they are, computations and log."""

from flask import current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy import select

from models.base.money import format_money
from models.ledger.account import AccountingPeriod, PeriodState
from models.ledger.closing import MonthEndLog, ProvisionCalculation
from models.system.setup import JobRun
from reports.base.asked import Asked
from reports.ledger.closing_checks import ClosingCheck, closing_checks, waits
from views.kit import edge, progress, widgets
from views.kit.buttons import actions
from views.kit.cells import format_value, record_url
from views.kit.pages import Action, Cell, Column, GateItem, ReportPage, Row, Section
from views.kit.report_page import money
from workflows.base import jobs
from workflows.base.context import Ctx
from workflows.ledger import closing

TITLE = "期末处理"


class ClosingView(BaseView):
    """/closing/: what must hold, what is done, and the button."""

    route_base = "/closing"
    class_permission_name = "accounting_period"
    default_view = "page"
    title = TITLE

    @expose("/")
    @edge.screen("list")
    def page(self) -> ResponseReturnValue:
        """The period's checks, steps, computations and closings."""
        ctx = edge.current_ctx()
        period = _asked(ctx)
        if period is None:
            words = "账上还没有会计期间：填制凭证或装入期初余额后再来办理"
            empty = ReportPage(TITLE, [], [], empty=words, crumbs=_CRUMBS)
            return self.render_template("report.html", page=empty)
        return self.render_template("report.html", page=_page(ctx, period))

    @expose("/run", methods=("POST",))
    @edge.screen("close")
    def run(self) -> ResponseReturnValue:
        """Start a month-end, or go on with it, beside this request; a second click is told who is at it."""
        code = request.form.get("period", "")[:10].replace("\x00", "")
        ctx = edge.current_ctx()
        try:
            closing.require_idle(ctx.session, code, ctx.now)
            with edge.writing():
                closing.prepare(ctx, code)
            current_app.extensions["start_month_end"](ctx.actor, code)
        except jobs.Taken as error:
            flash(error.message, "warning")
        else:
            flash(f"{code} 月末处理已开始", "success")
        return redirect(f"/closing/?period={code}")


_CRUMBS = [("总账管理", ""), (TITLE, "")]


def _asked(ctx: Ctx) -> AccountingPeriod | None:
    """The period of the address; else the first one that is not closed, else the last."""
    code = request.args.get("period", "").replace("\x00", "")[:10]
    if code:
        return closing.find_period(ctx.session, code)
    query = select(AccountingPeriod).order_by(AccountingPeriod.code)
    first = ctx.session.scalars(
        query.where(AccountingPeriod.state == PeriodState.OPEN).limit(1)
    ).one_or_none()
    return (
        first
        or ctx.session.scalars(
            query.order_by(None).order_by(AccountingPeriod.code.desc()).limit(1)
        ).first()
    )


def _page(ctx: Ctx, period: AccountingPeriod) -> ReportPage:
    checks = closing_checks(ctx.session, period)
    run = _run_of(ctx, period)
    missing = [check for check in checks if not check.is_met]
    known = [(code, code) for code in Asked(ctx.session, ctx.actor, ctx.today).periods]
    page = ReportPage(
        TITLE,
        _COLUMNS,
        _calculations(ctx, period),
        note=f"会计期间 {period.code} · {period.state.label}",
        heading="准备金计算",
        params=[widgets.choice("period", "会计期间", known, period.code)],
        url="/closing/",
        states=_words(period, missing),
        actions=_actions(ctx, period, run),
        above=[*_steps(ctx, period, run), _gate(checks)],
        empty="本期还没有计提准备金",
        crumbs=_CRUMBS,
        foot="计提后在此显示基数、比例与差额的计算过程",
        help_key="closing",
    )
    page.aside = [_log(ctx, period)]
    return page


def _words(period: AccountingPeriod, missing: list[ClosingCheck]) -> list[Cell]:
    if period.state is PeriodState.CLOSED:
        return [Cell("已结账", "enum", tone="ok")]
    blocking = [check for check in missing if not waits(check)]
    if blocking:
        return [Cell(f"{len(blocking)} 项检查未通过", "enum", tone="bad")]
    return [Cell("可以月末处理", "enum", tone="ok")]


def _actions(ctx: Ctx, period: AccountingPeriod, run: JobRun | None) -> list[Action]:
    found = []
    if ctx.actor.may("close", "accounting_period") and period.state is PeriodState.OPEN:
        why = ""
        if ctx.today < period.ends_on:
            why = f"营业日期 {ctx.today} 未到期末 {period.ends_on}"
        elif run is not None and jobs.is_live(run, ctx.now):
            why = "正在办理"
        words = (
            f"依次确认收入、计提准备金、结转损益并结账 {period.code}；结账后不能再填制本期凭证。"
        )
        fields = (("period", period.code),)
        label = "继续月末处理" if progress.is_broken(run, ctx.now) else "月末处理并结账"
        found.append(
            Action(
                label, "/closing/run", "POST", "primary", confirm=words, why_not=why, fields=fields
            )
        )
    return [*found, *actions(ctx, period)]


def _run_of(ctx: Ctx, period: AccountingPeriod) -> JobRun | None:
    """The month-end that is open for the period; of a closed one the last."""
    if period.state is PeriodState.OPEN:
        return jobs.find(ctx.session, closing.job_name(ctx.session, period), period.ends_on)
    query = (
        select(JobRun)
        .where(JobRun.job.startswith(f"{closing.JOB}:{period.code}"))
        .order_by(JobRun.id.desc())
    )
    return ctx.session.scalars(query.limit(1)).one_or_none()


def _steps(ctx: Ctx, period: AccountingPeriod, run: JobRun | None) -> list[Section]:
    is_shown = run is not None or period.state is PeriodState.OPEN
    return [progress.follow(run, closing.month_end_steps(period.code), ctx.now)] if is_shown else []


def _gate(checks: list[ClosingCheck]) -> Section:
    met = sum(check.is_met for check in checks)
    items = [
        GateItem(
            check.label,
            check.is_met or waits(check),
            check.evidence,
            check.url,
            check.mend_label,
            is_waiting=not check.is_met and waits(check),
        )
        for check in checks
    ]
    return Section(
        "checks",
        "结账前检查",
        template="parts/gate.html",
        data=items,
        note=f"{met} / {len(checks)} 项通过",
    )


_COLUMNS = [
    Column("kind", "项目"),
    Column("base", "计提基数", "money", "元"),
    Column("rate", "比例", "rate", "%"),
    Column("required", "应有金额", "money", "元"),
    Column("booked", "账上金额", "money", "元"),
    Column("amount", "本次计提", "money", "元"),
    Column("formula", "计算过程"),
    Column("voucher", "凭证"),
]


def _calculations(ctx: Ctx, period: AccountingPeriod) -> list[Row]:
    query = select(ProvisionCalculation).where(ProvisionCalculation.period_id == period.id)
    rows = []
    for item in ctx.session.scalars(query.order_by(ProvisionCalculation.id)):
        code = item.voucher.code if item.voucher else ""
        url = record_url("voucher", item.voucher_id)
        cells = (
            Cell(item.kind.label),
            money(item.base),
            Cell(f"{item.rate_pct.normalize():f}", "rate"),
            money(item.required),
            money(item.booked),
            money(item.amount),
            Cell(item.formula),
            Cell(code, "link", url=url),
        )
        rows.append(Row(str(item.id), record_url("provision_calculation", item.id), cells))
    return rows


def _log(ctx: Ctx, period: AccountingPeriod) -> Section:
    query = (
        select(MonthEndLog)
        .where(MonthEndLog.period_id == period.id)
        .order_by(MonthEndLog.round.desc())
    )
    columns = [
        Column("at", "结账时间"),
        Column("by", "结账人"),
        Column("profit", "净利润", "money", "元"),
        Column("state", "状态"),
    ]
    rows = []
    for log in ctx.session.scalars(query):
        is_open = log.reopened_at is not None
        cells = (
            Cell(format_value(log.closed_at, "datetime")),
            Cell(log.closed_by.name),
            Cell(format_money(log.net_profit), "money"),
            Cell(
                "已反结账" if is_open else "有效",
                "enum",
                tone="warn" if is_open else "ok",
                title=log.reopen_reason or "",
            ),
        )
        rows.append(Row(str(log.id), record_url("month_end_log", log.id), cells))
    return Section(
        "log",
        "财务月终日志",
        columns=columns,
        rows=rows,
        empty="本期还没有结账",
        more_url="/month_end_log/list/",
        more_label="全部",
    )
